//! What is known of each statement, once list and sources are read: which lines carry it and which tests prove it; what
//! is wrong with that; and how people see it, in a terminal or as the page of the docs.

use std::fmt::Write as _;

use super::list::{List, Statement, Version};
use super::scan::{self, Kind, Role};

/// A test that proves a statement.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Test {
    /// Its file, from the root of the checkout.
    pub path: String,
    /// The function, story or vector in it.
    pub name: String,
    /// It tests our own client, not the broker.
    pub of_client: bool,
}

/// What the sources say of one statement.
#[derive(Clone, Default, Debug)]
pub struct Proof {
    /// File and line, from the root of the checkout.
    pub code: Vec<(String, usize)>,
    pub tests: Vec<Test>,
}

/// The statements with what the sources say of each.
pub struct Table {
    pub list: List,
    /// One for each statement of the list.
    pub proofs: Vec<Proof>,
}

impl Table {
    pub fn new(list: List) -> Table {
        let proofs = vec![Proof::default(); list.all.len()];
        Table { list, proofs }
    }

    /// Reads one file of the sources. A name that no statement has goes to `findings`.
    pub fn read(&mut self, path: &str, text: &str, findings: &mut Vec<String>) {
        let Some(kind) = Kind::of(path) else { return };
        for naming in scan::scan(kind, path, text) {
            let (line, written) = (naming.line, &naming.written);
            let Some(place) = self.list.place(written) else {
                let fault = if scan::is_well_written(written) {
                    "is no statement of the standard"
                } else {
                    "is not written as a statement is, such as 5:MQTT-1.5.4-1 or 311:MQTT-1.5.3-1"
                };
                findings.push(format!("{path}:{line}: {written} {fault}"));
                continue;
            };
            let proof = &mut self.proofs[place];
            match naming.role {
                Role::Code => proof.code.push((path.to_owned(), line)),
                Role::Test { name, of_client } => proof.tests.push(Test { path: path.to_owned(), name, of_client }),
                Role::Mention => {}
                Role::Astray => {
                    findings.push(format!("{path}:{line}: {written} is named where no test is to prove it"))
                }
            }
        }
    }

    /// Puts everything in order, once all sources are read.
    pub fn sort(&mut self) {
        for proof in &mut self.proofs {
            proof.code.sort();
            proof.code.dedup();
            // Stories first, then packets, then Rust: the order in which they tell most to a reader.
            proof.tests.sort_by(|a, b| (a.rank(), a).cmp(&(b.rank(), b)));
            proof.tests.dedup();
        }
    }

    fn rows(&self) -> impl Iterator<Item = (&Statement, &Proof)> {
        self.list.all.iter().zip(&self.proofs)
    }

    /// Statements without proof, and those with more than they may have.
    pub fn check(&self, findings: &mut Vec<String>) {
        for (statement, proof) in self.rows() {
            let (id, binds) = (&statement.id, statement.binds.name());
            match (&statement.reason, is_tested(statement, proof)) {
                (None, true) | (Some(_), false) => {}
                (None, false) if statement.binds.server() => {
                    findings.push(format!("{id} binds a server ({binds}), and no test proves it: {}", statement.text));
                }
                (None, false) => {
                    findings
                        .push(format!("{id} has neither a test nor a reason why there is none: {}", statement.text));
                }
                (Some(_), true) => {
                    let test = &proof.tests[0].name;
                    findings
                        .push(format!("{id} has a reason why it can't be tested, and a test ({test}): one must go"));
                }
            }
        }
    }

    /// For a terminal: a summary, and then each statement with its code and tests.
    pub fn for_terminal(&self, version: Option<Version>, missing: bool) -> String {
        let mut out = self.summary(true).join("\n") + "\n";
        for (statement, proof) in self.rows() {
            let untested = is_untested(statement, proof);
            let uncoded = statement.binds.server() && proof.code.is_empty() && statement.reason.is_none();
            if version.is_some_and(|version| version != statement.version) || (missing && !untested && !uncoded) {
                continue;
            }
            let Statement { id, section, binds, text, .. } = statement;
            let _ = write!(out, "\n{id:<17} {section:<10} {:<7} {text}\n", binds.name());
            let places: Vec<String> = proof.code.iter().map(|(path, line)| format!("{path}:{line}")).collect();
            let tests: Vec<String> = proof.tests.iter().map(Test::shown).collect();
            for (title, words) in [("code", places), ("tests", tests)] {
                wrap(&mut out, title, &words);
            }
            if let Some(reason) = &statement.reason {
                wrap(&mut out, "reason", &reason.split(' ').map(str::to_owned).collect::<Vec<_>>());
            }
            if untested {
                wrap(&mut out, "missing", &["a test, or a reason why there is none".to_owned()]);
            }
            if uncoded {
                wrap(&mut out, "missing", &["a line of code that names it".to_owned()]);
            }
        }
        out
    }

    /// The page of the docs. It names files without lines, so that it changes only when something is proven elsewhere.
    pub fn page(&self) -> String {
        let mut out = String::from(PAGE_HEAD);
        out += "```text\n";
        for line in self.summary(false) {
            out = out + &line + "\n";
        }
        out += "```\n";
        for version in Version::ALL {
            let _ = write!(out, "\n## MQTT {}\n\n", version.name());
            out += "| statement | section | binds | what it says | code | tests, or why there is none |\n";
            out += "|---|---|---|---|---|---|\n";
            for (statement, proof) in self.rows().filter(|(statement, _)| statement.version == version) {
                let Statement { id, section, binds, text, .. } = statement;
                let id = id.strip_prefix(version.prefix()).unwrap_or(id);
                let code = linked(proof.code.iter().map(|(path, _)| (path.as_str(), file_name(path))));
                let tests = linked(proof.tests.iter().map(|test| (test.path.as_str(), test.shown())));
                let last = statement.reason.as_deref().unwrap_or(&tests);
                let _ = writeln!(out, "| {id} | {section} | {} | {text} | {code} | {last} |", binds.name());
            }
        }
        out
    }

    /// A table of numbers. That of lines changes with every comment and is not for the page.
    fn summary(&self, with_lines: bool) -> Vec<String> {
        let mut titles = vec!["", "statements", "bind a server", "tested", "with a reason", "missing", "in code"];
        titles.extend(with_lines.then_some("lines of code"));
        let mut lines = vec![columns(&titles)];
        for version in Version::ALL {
            let of_version = || self.rows().filter(move |(statement, _)| statement.version == version);
            let count = |wanted: &dyn Fn(&Statement, &Proof) -> bool| {
                of_version().filter(|(statement, proof)| wanted(statement, proof)).count()
            };
            let mut numbers = vec![
                count(&|_, _| true),
                count(&|statement, _| statement.binds.server()),
                count(&is_tested),
                count(&|statement, _| statement.reason.is_some()),
                count(&is_untested),
                count(&|_, proof| !proof.code.is_empty()),
            ];
            numbers.extend(with_lines.then(|| of_version().map(|(_, proof)| proof.code.len()).sum::<usize>()));
            let name = format!("MQTT {}", version.name());
            let numbers = numbers.iter().map(ToString::to_string);
            lines.push(columns(&[name].into_iter().chain(numbers).collect::<Vec<_>>()));
        }
        lines
    }
}

/// A line of words, each as wide as the widest title.
fn columns(words: &[impl AsRef<str>]) -> String {
    let words = words.iter().map(|word| format!("{:<13}", word.as_ref()));
    words.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// Whether a test proves it. What binds a server is not proven by a test of our own client.
fn is_tested(statement: &Statement, proof: &Proof) -> bool {
    proof.tests.iter().any(|test| !test.of_client || !statement.binds.server())
}

fn is_untested(statement: &Statement, proof: &Proof) -> bool {
    statement.reason.is_none() && !is_tested(statement, proof)
}

impl Test {
    fn rank(&self) -> u8 {
        if self.path.ends_with(".scenario") {
            0
        } else if self.path.ends_with(".hex") {
            1
        } else {
            2
        }
    }

    fn shown(&self) -> String {
        match self.rank() {
            0 => self.name.clone(),
            1 => format!("packet {}", self.name),
            _ => format!("{}: {}", file_name(&self.path), self.name),
        }
    }
}

fn file_name(path: &str) -> String {
    let path = path.strip_prefix("crates/").unwrap_or(path);
    path.replacen("/src/", "/", 1)
}

/// Links to files, each text once.
fn linked<'a>(targets: impl Iterator<Item = (&'a str, String)>) -> String {
    let mut links: Vec<String> = targets.map(|(path, text)| format!("[{text}](../{path})")).collect();
    links.dedup();
    links.join(", ")
}

/// Writes a title and, behind it and below, words in lines of 120 columns at most.
fn wrap(out: &mut String, title: &str, words: &[String]) {
    let indent = format!("{title:>25} ");
    let gap = if title == "reason" { " " } else { ", " };
    let mut line = indent.clone();
    for (index, word) in words.iter().enumerate() {
        if line.len() > indent.len() && line.len() + word.len() > 119 {
            let _ = writeln!(out, "{}", line.trim_end());
            line = " ".repeat(indent.len());
        }
        line += word;
        line += if index + 1 == words.len() { "" } else { gap };
    }
    if !words.is_empty() {
        let _ = writeln!(out, "{line}");
    }
}

const PAGE_HEAD: &str = "\
# The statements of the standards, and what proves them

The standards of MQTT number what an implementation must do. This page has all these statements, each in our own words,
with the files that carry it and the tests that prove it, or the reason why a broker can't be tested for it. A statement
that has neither fails the tests. `cargo xtask statements` shows the same with lines; `cargo xtask statements --write`
writes this page anew.

Tests without a file name are stories (`tests/scenarios`), told to the core, to the guest and to the server; packets
(`tests/vectors`) are shown to the decoder. *Binds* is the side that has to do it. Much of what binds a client is tested
too: then the test shows what a broker does with a client that doesn't.

";

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "1.1.1-1 | 1.1.1 | server | A server does it.\n\
                        1.1.1-2 | 1.1.1 | client | A client does it.\n    A client's duty, which no broker sees.\n\
                        1.1.1-3 | 1.1.1.3 | both | Both do it.\n";

    fn table(sources: &[(&str, &str)]) -> (Table, Vec<String>) {
        let mut list = List::default();
        list.add(Version::V5, LIST, &mut Vec::new());
        let mut table = Table::new(list);
        let mut findings = Vec::new();
        sources.iter().for_each(|(path, text)| table.read(path, text, &mut findings));
        table.sort();
        table.check(&mut findings);
        (table, findings)
    }

    const CODE: (&str, &str) =
        ("crates/broker/src/a.rs", "// [5:MQTT-1.1.1-1]\n// [5:MQTT-1.1.1-3] [5:MQTT-1.1.1-1]\n");
    const STORY: (&str, &str) = ("tests/scenarios/qos/one.scenario", "# One\nproves: 5:MQTT-1.1.1-1 5:MQTT-1.1.1-3\n");

    #[test]
    fn what_is_proven_is_in_order() {
        let (table, findings) = table(&[STORY, CODE]);
        assert_eq!(findings, Vec::<String>::new());
        let page = table.page();
        for row in [
            "| MQTT-1.1.1-1 | 1.1.1 | server | A server does it. | [broker/a.rs](../crates/broker/src/a.rs) \
             | [qos/one](../tests/scenarios/qos/one.scenario) |\n",
            "| MQTT-1.1.1-2 | 1.1.1 | client | A client does it. |  | A client's duty, which no broker sees. |\n",
        ] {
            assert!(page.contains(row), "{page}");
        }
        let shown = table.for_terminal(None, false);
        let row = "5:MQTT-1.1.1-1    1.1.1      server  A server does it.\n\
                   \x20                    code crates/broker/src/a.rs:1, crates/broker/src/a.rs:2\n\
                   \x20                   tests qos/one\n";
        assert!(shown.contains(row), "{shown}");
        assert_eq!(table.for_terminal(None, true).lines().count(), 3, "nothing is missing");
        assert!(!table.for_terminal(Some(Version::V311), false).contains("5:MQTT"));
    }

    #[test]
    fn a_server_needs_a_test() {
        let (table, findings) = table(&[CODE]);
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(findings[0].starts_with("5:MQTT-1.1.1-1 binds a server (server), and no test proves it"));
        assert!(findings[1].starts_with("5:MQTT-1.1.1-3 binds a server (both), and no test proves it"));
        assert!(table.for_terminal(None, true).contains("missing a test"));
    }

    #[test]
    fn a_test_of_our_client_proves_nothing_of_a_server() {
        let text = "#[cfg(test)]\nmod tests {\n    /// [5:MQTT-1.1.1-3]\n    #[test]\n    fn one() {}\n}\n";
        let story = (STORY.0, "# One\nproves: 5:MQTT-1.1.1-1\n");
        let (_, findings) = table(&[story, ("crates/client/src/a.rs", text)]);
        assert!(findings.len() == 1 && findings[0].starts_with("5:MQTT-1.1.1-3 binds a server"), "{findings:?}");
    }

    #[test]
    fn a_reason_beside_a_test_is_one_too_many() {
        let (_, findings) = table(&[STORY, CODE, ("tests/scenarios/qos/two.scenario", "proves: 5:MQTT-1.1.1-2\n")]);
        assert_eq!(findings, ["5:MQTT-1.1.1-2 has a reason why it can't be tested, and a test (qos/two): one must go"]);
    }

    #[test]
    fn a_slip_is_found_with_its_line() {
        let code = ("crates/broker/src/b.rs", "//! Text.\n// [5:MQTT-1.1.1-4] [MQTT-1.1.1-1] [311:MQTT-1.1.1-1]\n");
        let story = ("tests/scenarios/qos/two.scenario", "# Two\nproves: 5:MQTT-1.1.1-1,\n");
        let (_, findings) = table(&[STORY, CODE, code, story]);
        assert_eq!(
            findings,
            [
                "crates/broker/src/b.rs:2: 5:MQTT-1.1.1-4 is no statement of the standard",
                "crates/broker/src/b.rs:2: MQTT-1.1.1-1 is not written as a statement is, such as 5:MQTT-1.5.4-1 or \
                 311:MQTT-1.5.3-1",
                "crates/broker/src/b.rs:2: 311:MQTT-1.1.1-1 is no statement of the standard",
                "tests/scenarios/qos/two.scenario:2: 5:MQTT-1.1.1-1, is not written as a statement is, such as \
                 5:MQTT-1.5.4-1 or 311:MQTT-1.5.3-1",
            ]
        );
    }
}
