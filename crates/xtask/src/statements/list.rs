//! The normative statements of the standards as the project keeps them: one file for each version in
//! `tests/statements`, a line for each statement with its section, whom it binds and what it says in our own words,
//! and below it, where a broker can't be tested for it, the reason. The files are read by people and by this module.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use crate::tools::{self, Outcome};

/// How long what a statement says in our words may be, in characters.
const TEXT_MAX: usize = 110;

/// A version of the standard that numbers its statements. MQTT 3.1 numbers none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    V5,
    V311,
}

impl Version {
    pub const ALL: [Version; 2] = [Version::V5, Version::V311];

    /// What stands before an id in code and tests.
    pub fn prefix(self) -> &'static str {
        match self {
            Version::V5 => "5:",
            Version::V311 => "311:",
        }
    }

    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Version::V5 => "5.0",
            Version::V311 => "3.1.1",
        }
    }

    /// How many statements this version has, counted in the standard itself.
    pub fn count(self) -> usize {
        match self {
            Version::V5 => 251,
            Version::V311 => 141,
        }
    }

    /// Where its statements are kept, from the root of the checkout.
    pub fn file(self) -> &'static str {
        match self {
            Version::V5 => "tests/statements/5.0.txt",
            Version::V311 => "tests/statements/3.1.1.txt",
        }
    }
}

/// Who has to do what a statement says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Binds {
    Server,
    Client,
    Both,
    /// A definition: it says what is, not what anybody has to do.
    Nobody,
}

impl Binds {
    const ALL: [Binds; 4] = [Binds::Server, Binds::Client, Binds::Both, Binds::Nobody];

    pub fn name(self) -> &'static str {
        match self {
            Binds::Server => "server",
            Binds::Client => "client",
            Binds::Both => "both",
            Binds::Nobody => "nobody",
        }
    }

    /// Whether a broker has to do it.
    pub fn server(self) -> bool {
        match self {
            Binds::Server | Binds::Both => true,
            Binds::Client | Binds::Nobody => false,
        }
    }
}

/// One normative statement.
#[derive(Clone, Debug)]
pub struct Statement {
    pub version: Version,
    /// As code and tests name it, such as `5:MQTT-1.5.4-1`.
    pub id: String,
    /// The section of the standard in which it stands.
    pub section: String,
    pub binds: Binds,
    /// What it says, in our words.
    pub text: String,
    /// Why a broker can't be tested for it, if that is so.
    pub reason: Option<String>,
}

/// All statements, in the order of the standards.
#[derive(Debug, Default)]
pub struct List {
    pub all: Vec<Statement>,
    places: BTreeMap<String, usize>,
}

impl List {
    /// Reads the files of the project. What is wrong in them goes to `findings`, each with file and line.
    pub fn read(root: &Path, findings: &mut Vec<String>) -> Outcome<List> {
        let mut list = List::default();
        for version in Version::ALL {
            let path = root.join(version.file());
            let text = tools::read(&path)?;
            list.add(version, &text, findings);
        }
        Ok(list)
    }

    /// The place of a statement in `all`.
    pub fn place(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// Adds the lines of one file.
    pub fn add(&mut self, version: Version, text: &str, findings: &mut Vec<String>) {
        let before = self.all.len();
        for (number, line) in (1..).zip(text.lines()) {
            let added = match line.strip_prefix("    ") {
                Some(reason) => self.add_reason(before, reason),
                None if line.is_empty() || line.starts_with('#') => Ok(()),
                None => parse(version, line).and_then(|statement| self.add_statement(statement)),
            };
            if let Err(fault) = added {
                findings.push(format!("{}:{number}: {fault}", version.file()));
            }
        }
        let count = self.all.len() - before;
        if count != version.count() {
            let expected = version.count();
            findings.push(format!("{}: {count} statements; the standard has {expected}", version.file()));
        }
    }

    fn add_statement(&mut self, statement: Statement) -> Result<(), Fault> {
        if self.places.insert(statement.id.clone(), self.all.len()).is_some() {
            return Err(Fault::Again(statement.id));
        }
        self.all.push(statement);
        Ok(())
    }

    fn add_reason(&mut self, first: usize, line: &str) -> Result<(), Fault> {
        let reason = line.trim();
        let statement = self.all[first..].last_mut().ok_or(Fault::ReasonOfNothing)?;
        if !reason.ends_with('.') || !reason.contains(' ') {
            return Err(Fault::ReasonNoSentence);
        }
        match &mut statement.reason {
            Some(_) => return Err(Fault::ReasonAgain),
            none => *none = Some(reason.to_owned()),
        }
        Ok(())
    }
}

/// Reads `1.5.4-1 | 1.5.4 | both | What it says.`
fn parse(version: Version, line: &str) -> Result<Statement, Fault> {
    let fields: Vec<&str> = line.split(" | ").map(str::trim).collect();
    let [number, section, binds, text] = fields[..] else { return Err(Fault::Fields) };
    if !is_number(number) {
        return Err(Fault::Number(number.to_owned()));
    }
    if !is_section(section) {
        return Err(Fault::Section(section.to_owned()));
    }
    let binds = Binds::ALL
        .into_iter()
        .find(|candidate| candidate.name() == binds)
        .ok_or_else(|| Fault::Binds(binds.to_owned()))?;
    if text.chars().count() > TEXT_MAX || !text.ends_with('.') {
        return Err(Fault::Text);
    }
    Ok(Statement {
        version,
        id: format!("{}MQTT-{number}", version.prefix()),
        section: section.to_owned(),
        binds,
        text: text.to_owned(),
        reason: None,
    })
}

/// Whether this is the number of a statement, such as `1.5.4-1`.
pub fn is_number(text: &str) -> bool {
    let Some((section, number)) = text.split_once('-') else { return false };
    is_section(section) && number.bytes().all(|byte| byte.is_ascii_digit()) && !number.is_empty()
}

/// Whether this is the number of a section, such as `3.1.2.11`.
pub fn is_section(text: &str) -> bool {
    text.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What can be wrong with a line of these files.
#[derive(Debug)]
enum Fault {
    Fields,
    Number(String),
    Section(String),
    Binds(String),
    Text,
    Again(String),
    ReasonOfNothing,
    ReasonAgain,
    ReasonNoSentence,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Fields => {
                write!(f, "not `number | section | binds | what it says`, nor a reason (four spaces before)")
            }
            Fault::Number(number) => write!(f, "{number:?} is not the number of a statement, such as 1.5.4-1"),
            Fault::Section(section) => write!(f, "{section:?} is not the number of a section, such as 3.1.2.11"),
            Fault::Binds(binds) => write!(f, "{binds:?} is none of server, client, both and nobody"),
            Fault::Text => write!(f, "what a statement says is a sentence of {TEXT_MAX} characters at most"),
            Fault::Again(id) => write!(f, "{id} stands here twice"),
            Fault::ReasonOfNothing => write!(f, "a reason stands below its statement, and there is none above"),
            Fault::ReasonAgain => write!(f, "a statement has one reason; a line can be as long as it needs"),
            Fault::ReasonNoSentence => write!(f, "a reason is a full sentence"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<String> {
        let mut findings = Vec::new();
        List::default().add(Version::V311, text, &mut findings);
        findings.pop_if(|last| last.ends_with("the standard has 141"));
        findings
    }

    #[test]
    fn the_list_of_the_project_is_whole() {
        let mut findings = Vec::new();
        let list = List::read(&tools::root(), &mut findings).expect("the files are there");
        assert_eq!(findings, Vec::<String>::new());
        for version in Version::ALL {
            let count = list.all.iter().filter(|statement| statement.version == version).count();
            assert_eq!(count, version.count(), "{}", version.name());
        }
    }

    #[test]
    fn a_statement_and_its_reason() {
        let mut list = List::default();
        let text = "# A comment\n\n1.2.3-4 | 1.2.3.5 | both | All is well.\n    No broker can tell.\n";
        list.add(Version::V5, text, &mut Vec::new());
        let statement = &list.all[0];
        assert_eq!((statement.id.as_str(), statement.section.as_str()), ("5:MQTT-1.2.3-4", "1.2.3.5"));
        assert_eq!((statement.binds, statement.text.as_str()), (Binds::Both, "All is well."));
        assert_eq!(statement.reason.as_deref(), Some("No broker can tell."));
        assert_eq!(list.place("5:MQTT-1.2.3-4"), Some(0));
        assert_eq!(list.place("311:MQTT-1.2.3-4"), None);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let good = "1.2.3-4 | 1.2.3 | both | All is well.\n";
        for (text, expected) in [
            ("    A reason of nothing.\n".to_owned(), "3.1.1.txt:1: a reason stands below its statement"),
            ("1.2.3-4 | 1.2.3 | both\n".to_owned(), "3.1.1.txt:1: not `number | section"),
            ("1.2.3.4 | 1.2.3 | both | All is well.\n".to_owned(), "\"1.2.3.4\" is not the number of a statement"),
            ("1.2.3-4 | 1.2. | both | All is well.\n".to_owned(), "\"1.2.\" is not the number of a section"),
            ("1.2.3-4 | 1.2 | all | All is well.\n".to_owned(), "\"all\" is none of server"),
            (format!("1.2.3-4 | 1.2 | both | {}.\n", "a".repeat(110)), "110 characters at most"),
            (format!("{good}{good}"), "3.1.1.txt:2: 311:MQTT-1.2.3-4 stands here twice"),
            (format!("{good}    why\n"), "3.1.1.txt:2: a reason is a full sentence"),
            (format!("{good}    So it is.\n    And so.\n"), "3.1.1.txt:3: a statement has one reason"),
        ] {
            let said = findings(&text);
            assert!(said.len() == 1 && said[0].contains(expected), "{text:?}: {said:?}");
        }
    }

    #[test]
    fn a_statement_that_is_missing_is_found() {
        let mut findings = Vec::new();
        List::default().add(Version::V5, "1.2.3-4 | 1.2.3 | both | All is well.\n", &mut findings);
        assert_eq!(findings, ["tests/statements/5.0.txt: 1 statements; the standard has 251"]);
    }
}
