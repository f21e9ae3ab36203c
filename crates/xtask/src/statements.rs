//! `cargo xtask statements`: all normative statements of MQTT 5.0 and 3.1.1, the lines of code that carry each, and the
//! tests that prove it. It fails where a statement that binds a server is proven by nothing, and where code or a test
//! names a statement that no standard has.

mod list;
mod scan;
mod table;

use std::io::Write;
use std::path::Path;

use clap::{Args, ValueEnum};

use crate::tools::{self, Failure, Outcome, output, program};
use list::{List, Version};
use table::Table;

/// The page of the docs that `--write` writes, from the root of the checkout.
const PAGE: &str = "docs/statements.md";

/// What to show or to do.
#[derive(Args)]
pub struct Options {
    /// Only the statements of this version.
    #[arg(long, value_enum)]
    version: Option<VersionName>,
    /// Only statements that lack something: a test or a reason, or, if they bind a server, a line of code.
    #[arg(long)]
    missing: bool,
    /// Print nothing but what is wrong, and fail if anything is, or if docs/statements.md is out of date.
    #[arg(long, conflicts_with_all = ["version", "missing", "write"])]
    check: bool,
    /// Write docs/statements.md anew.
    #[arg(long, conflicts_with_all = ["version", "missing"])]
    write: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum VersionName {
    #[value(name = "5", alias = "5.0")]
    V5,
    #[value(name = "3.1.1", alias = "311")]
    V311,
}

impl From<VersionName> for Version {
    fn from(name: VersionName) -> Version {
        match name {
            VersionName::V5 => Version::V5,
            VersionName::V311 => Version::V311,
        }
    }
}

/// Runs the command.
pub fn statements(options: &Options) -> Outcome {
    if options.check {
        return check();
    }
    let root = tools::root();
    let (table, findings) = read(&root)?;
    if options.write {
        let path = root.join(PAGE);
        let write = || {
            std::fs::create_dir_all(path.parent().expect("the page lies in a folder"))?;
            std::fs::write(&path, table.page())
        };
        write().map_err(|error| Failure::File { path: path.clone(), error })?;
        println!("{}", path.display());
    } else {
        let shown = table.for_terminal(options.version.map(Version::from), options.missing);
        // Whoever reads this may have seen enough before its end.
        let _ = std::io::stdout().write_all(shown.as_bytes());
    }
    if findings.is_empty() { Ok(()) } else { Err(Failure::Statements(findings)) }
}

/// Whether every statement is in order, and the page of the docs up to date.
pub fn check() -> Outcome {
    let root = tools::root();
    let (table, mut findings) = read(&root)?;
    table.check(&mut findings);
    let page = std::fs::read_to_string(root.join(PAGE)).unwrap_or_default();
    findings.extend(stale(&page, &table.page()));
    if findings.is_empty() { Ok(()) } else { Err(Failure::Statements(findings)) }
}

/// Reads the list and all sources that git knows, and says what is written wrongly in them.
fn read(root: &Path) -> Outcome<(Table, Vec<String>)> {
    let mut findings = Vec::new();
    let mut table = Table::new(List::read(root, &mut findings)?);
    let listed = output(program("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]))?;
    for path in listed.lines().filter(|path| scan::Kind::of(path).is_some()) {
        // A file that git knows may have been deleted meanwhile.
        let Ok(text) = std::fs::read_to_string(root.join(path)) else { continue };
        table.read(path, &text, &mut findings);
    }
    table.sort();
    Ok((table, findings))
}

/// Says where a page that was written earlier differs from what would be written now.
fn stale(there: &str, wanted: &str) -> Option<String> {
    if there == wanted {
        return None;
    }
    let line = there.lines().zip(wanted.lines()).take_while(|(there, wanted)| there == wanted).count() + 1;
    Some(format!("{PAGE}:{line}: out of date; `cargo xtask statements --write` writes it anew"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_page_is_found_at_its_line() {
        assert_eq!(stale("a\nb\n", "a\nb\n"), None);
        let finding = stale("a\nb\nc\n", "a\nb\nd\n").expect("it differs");
        assert!(finding.starts_with("docs/statements.md:3: out of date"), "{finding}");
        assert!(stale("", "a\n").is_some_and(|finding| finding.starts_with("docs/statements.md:1:")));
        assert!(stale("a\n", "a\nb\n").is_some_and(|finding| finding.starts_with("docs/statements.md:2:")));
    }
}
