//! Rules of the house that no compiler checks: how long a file and a line may be, that every file opens with a
//! paragraph for newcomers, and that ARCHITECTURE.md names every crate.

use crate::tools::{self, Failure, Outcome, output, program, read};

const LINES_MAX: usize = 620;
const COLUMNS_MAX: usize = 120;

/// Checks all files that git knows.
pub fn tidy() -> Outcome {
    let root = tools::root();
    let listed = output(program("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]))?;
    let mut findings = Vec::new();
    for name in listed.lines().filter(|name| name.ends_with(".rs")) {
        let path = root.join(name);
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        check_source(name, &text, &mut findings);
    }
    let architecture = read(&root.join("ARCHITECTURE.md"))?;
    for name in listed.lines().filter_map(crate_of) {
        if !architecture.contains(name) {
            findings.push(format!("ARCHITECTURE.md says nothing of {name}"));
        }
    }
    findings.sort();
    findings.dedup();
    if findings.is_empty() { Ok(()) } else { Err(Failure::Untidy(findings)) }
}

fn check_source(name: &str, text: &str, findings: &mut Vec<String>) {
    if !text.starts_with("//!") {
        findings.push(format!("{name}: doesn't open with a paragraph (//!) that a newcomer can read alone"));
    }
    let lines = text.lines().count();
    if lines > LINES_MAX {
        findings.push(format!("{name}: {lines} lines, {LINES_MAX} at most"));
    }
    for (number, line) in (1..).zip(text.lines()) {
        let columns = line.chars().count();
        if columns > COLUMNS_MAX {
            findings.push(format!("{name}:{number}: {columns} columns, {COLUMNS_MAX} at most"));
        }
    }
}

/// The folder of a crate, if this is its manifest.
fn crate_of(name: &str) -> Option<&str> {
    name.strip_suffix("/Cargo.toml")
}
