//! Finds the statements that sources name. A line of code carries a statement when it names it, as `[5:MQTT-1.5.4-1]`
//! in a comment or as a string in a table of errors. A test proves a statement when it says so: a story in its
//! `proves:` line, a packet vector in the comments above its name, a Rust test in the comments above or inside its
//! function. Anywhere else a statement is only mentioned; then nothing follows but that it must exist.

use super::list::{is_number, is_section};

/// What kind of file is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Rust of the broker: code, with tests at its foot.
    Code,
    /// Rust of our own client: code, with tests at its foot that say nothing of a broker.
    Client,
    /// Rust that is all tests.
    Tests,
    /// A story: `tests/scenarios/**.scenario`.
    Story,
    /// Packets by hand: `tests/vectors/*.hex`.
    Vectors,
    /// Whatever else may mention statements: documents, tools.
    Other,
}

/// What the server is made of. Other packages may mention statements, but carry none.
const SERVER: [&str; 5] = ["crates/abi/", "crates/broker/", "crates/codec/", "crates/guest/", "host/"];

impl Kind {
    /// What a file of this path is; `None` if it names no statements that concern us.
    pub fn of(path: &str) -> Option<Kind> {
        let is_rust = path.ends_with(".rs");
        // `tests/src` has what tests are made of, and no tests.
        let of_tests = path.contains("/tests/") || path.starts_with("tests/tests/");
        if path.starts_with("crates/xtask/") || path == super::PAGE {
            // The samples in the tests of this command, and what it writes itself.
            None
        } else if path.ends_with(".scenario") {
            Some(Kind::Story)
        } else if path.ends_with(".hex") {
            Some(Kind::Vectors)
        } else if is_rust && of_tests {
            Some(Kind::Tests)
        } else if is_rust && path.starts_with("crates/client/") {
            Some(Kind::Client)
        } else if is_rust && SERVER.iter().any(|folder| path.starts_with(folder)) {
            Some(Kind::Code)
        } else if is_rust || path.ends_with(".md") {
            Some(Kind::Other)
        } else {
            None
        }
    }
}

/// What a place says of the statement that it names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Role {
    /// This line carries it.
    Code,
    /// This test proves it.
    Test {
        /// The function, story or vector.
        name: String,
        /// It tests our own client, not the broker.
        of_client: bool,
    },
    /// It is mentioned.
    Mention,
    /// It is named where a reader would take it for proven, but no test is there to prove it.
    Astray,
}

/// One naming of a statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Naming {
    pub line: usize,
    /// As it stands there: `5:MQTT-1.5.4-1` if it is well written.
    pub written: String,
    pub role: Role,
}

/// All namings in a file.
pub fn scan(kind: Kind, path: &str, text: &str) -> Vec<Naming> {
    match kind {
        Kind::Code => rust(text, false, false),
        Kind::Client => rust(text, false, true),
        Kind::Tests => rust(text, true, path.starts_with("crates/client/")),
        Kind::Story => story(path, text),
        Kind::Vectors => vectors(text),
        Kind::Other => {
            let mentions =
                |(line, content)| named_in(content).into_iter().map(move |id| naming(line, id, Role::Mention));
            (1..).zip(text.lines()).flat_map(mentions).collect()
        }
    }
}

fn naming(line: usize, written: String, role: Role) -> Naming {
    Naming { line, written, role }
}

/// Everything in a line that looks like the name of a statement, with the word that stands directly before it.
fn named_in(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, mark) in line.match_indices("MQTT-") {
        let number = &line[at + mark.len()..];
        let end = number.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(number.len());
        let number = number[..end].trim_end_matches(['.', '-']);
        let before = line[..at].trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == ':').len();
        let before = &line[before..at];
        // `MQTT-3.1` alone is a version.
        if number.starts_with(|c: char| c.is_ascii_digit()) && (number.contains('-') || !before.is_empty()) {
            found.push(format!("{before}{mark}{number}"));
        }
    }
    found
}

/// Whether this is the name of a statement, whether or not there is such a one.
pub fn is_well_written(written: &str) -> bool {
    let number = written.strip_prefix("5:MQTT-").or_else(|| written.strip_prefix("311:MQTT-"));
    number.is_some_and(is_number)
}

/// Rust: code down to `mod tests`, from there on tests.
fn rust(text: &str, all_tests: bool, of_client: bool) -> Vec<Naming> {
    let lines: Vec<&str> = text.lines().collect();
    let tests_from = if all_tests { 0 } else { tests_begin(&lines).unwrap_or(lines.len()) };
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        for written in named_in(line) {
            let role = if index < tests_from { Role::Code } else { role_in_tests(&lines, index, of_client) };
            found.push(naming(index + 1, written, role));
        }
    }
    found
}

/// The line with `#[cfg(test)]` above the module of tests.
fn tests_begin(lines: &[&str]) -> Option<usize> {
    (0..lines.len()).find(|&index| {
        lines[index] == "#[cfg(test)]" && lines.get(index + 1).is_some_and(|next| next.starts_with("mod "))
    })
}

/// The test to which a line belongs: the one below if this is a comment above a function, else the one around.
fn role_in_tests(lines: &[&str], index: usize, of_client: bool) -> Role {
    let is_above = |line: &str| line.starts_with("//") || line.starts_with("#[");
    let head = (index..lines.len()).find(|&at| !is_above(lines[at].trim_start()));
    let is_comment = lines[index].trim_start().starts_with("//") && !lines[index].starts_with("//!");
    let below = head.filter(|&at| is_comment && function(lines[at]).is_some());
    let around = || (0..index).rev().find(|&at| function(lines[at]).is_some());
    let Some(at) = below.or_else(around) else { return Role::Astray };
    let attributes = (0..at).rev().map(|above| lines[above].trim_start()).take_while(|line| is_above(line));
    let is_test = attributes.into_iter().any(|line| line == "#[test]");
    let name = function(lines[at]).expect("it was chosen for that").to_owned();
    if is_test { Role::Test { name, of_client } } else { Role::Astray }
}

/// The name of the function that begins on this line.
fn function(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let name = line.strip_prefix("fn ")?;
    name.split(['(', '<']).next()
}

/// A story: what stands behind `proves:` is proven by it; a section may stand there too.
fn story(path: &str, text: &str) -> Vec<Naming> {
    let path = path.strip_prefix("tests/scenarios/").unwrap_or(path);
    let name = path.strip_suffix(".scenario").unwrap_or(path);
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        match line.strip_prefix("proves:") {
            Some(proven) => {
                let statements = proven.split_whitespace().filter(|written| !is_named_section(written));
                let role = Role::Test { name: name.to_owned(), of_client: false };
                found.extend(statements.map(|written| naming(number, written.to_owned(), role.clone())));
            }
            None => found.extend(named_in(line).into_iter().map(|written| naming(number, written, Role::Mention))),
        }
    }
    found
}

/// A section of a standard, such as `5:4.8.2`: a story may prove what the standard says without numbering it.
fn is_named_section(written: &str) -> bool {
    written.strip_prefix("5:").or_else(|| written.strip_prefix("311:")).is_some_and(is_section)
}

/// Vectors: the comments directly above a `name:` say what it proves.
fn vectors(text: &str) -> Vec<Naming> {
    let mut found: Vec<Naming> = Vec::new();
    let mut waiting = 0;
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(name) = line.strip_prefix("name:") {
            let role = Role::Test { name: name.trim().to_owned(), of_client: false };
            let first = found.len() - waiting;
            found[first..].iter_mut().for_each(|naming| naming.role = role.clone());
            waiting = 0;
            continue;
        }
        let role = if line.starts_with('#') { Role::Astray } else { Role::Mention };
        let here: Vec<Naming> =
            named_in(line).into_iter().map(|written| naming(number, written, role.clone())).collect();
        waiting = if line.starts_with('#') { waiting + here.len() } else { 0 };
        found.extend(here);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(name: &str) -> Role {
        Role::Test { name: name.to_owned(), of_client: false }
    }

    fn seen(kind: Kind, text: &str) -> Vec<(usize, String, Role)> {
        let found = scan(kind, "tests/scenarios/qos/one.scenario", text);
        found.into_iter().map(|naming| (naming.line, naming.written, naming.role)).collect()
    }

    fn row(line: usize, written: &str, role: Role) -> (usize, String, Role) {
        (line, written.to_owned(), role)
    }

    #[test]
    fn names_are_found_wherever_they_stand_in_a_line() {
        for (line, expected) in [
            ("// [5:MQTT-1.5.4-1] [311:MQTT-1.5.3-1] Why.", vec!["5:MQTT-1.5.4-1", "311:MQTT-1.5.3-1"]),
            (
                "    Rule: \"5:MQTT-2.1.3-1\", \"311:MQTT-2.2.2-2\", Malformed;",
                vec!["5:MQTT-2.1.3-1", "311:MQTT-2.2.2-2"],
            ),
            ("sentence ends with 5:MQTT-4.2-1.", vec!["5:MQTT-4.2-1"]),
            ("no version: MQTT-4.2-1", vec!["MQTT-4.2-1"]),
            ("é5:MQTT-4.2-1", vec!["5:MQTT-4.2-1"]),
            ("another version: [50:MQTT-4.2-1]", vec!["50:MQTT-4.2-1"]),
            ("a slip: [5:MQTT-4.2.1] [5:MQTT-3-8.3-4]", vec!["5:MQTT-4.2.1", "5:MQTT-3-8.3-4"]),
            ("MQTT-SN and an MQTT-3.1 client... and MQTT- alone", vec![]),
        ] {
            assert_eq!(named_in(line), expected, "{line}");
        }
    }

    #[test]
    fn what_is_written_badly_is_known() {
        for good in ["5:MQTT-1.5.4-1", "311:MQTT-4.7.3-12", "5:MQTT-4.2-1"] {
            assert!(is_well_written(good), "{good}");
        }
        for bad in ["MQTT-1.5.4-1", "5:MQTT-1.5.4.1", "50:MQTT-1.5.4-1", "5:MQTT-3-8.3-4", "5:MQTT-", "5:MQTT-1.5.4-"] {
            assert!(!is_well_written(bad), "{bad}");
        }
    }

    #[test]
    fn rust_is_code_down_to_its_tests() {
        let text = "//! A file [5:MQTT-1.1.1-1].\n\
                    fn code() {} // [5:MQTT-1.1.1-2]\n\
                    #[cfg(test)]\n\
                    mod tests {\n\
                    \x20   // [5:MQTT-1.1.1-3]\n\
                    \x20   /// Why [5:MQTT-1.1.1-4].\n\
                    \x20   #[test]\n\
                    \x20   fn one() {\n\
                    \x20       // [5:MQTT-1.1.1-5]\n\
                    \x20       assert!(true, \"5:MQTT-1.1.1-6\");\n\
                    \x20   }\n\
                    \x20   /// Not a test [5:MQTT-1.1.1-7].\n\
                    \x20   fn helper() {}\n\
                    }\n";
        let expected = [
            row(1, "5:MQTT-1.1.1-1", Role::Code),
            row(2, "5:MQTT-1.1.1-2", Role::Code),
            row(5, "5:MQTT-1.1.1-3", test("one")),
            row(6, "5:MQTT-1.1.1-4", test("one")),
            row(9, "5:MQTT-1.1.1-5", test("one")),
            row(10, "5:MQTT-1.1.1-6", test("one")),
            row(12, "5:MQTT-1.1.1-7", Role::Astray),
        ];
        assert_eq!(seen(Kind::Code, text), expected);
        let of_client = scan(Kind::Client, "", text).remove(2).role;
        assert_eq!(of_client, Role::Test { name: "one".into(), of_client: true });
    }

    #[test]
    fn a_file_of_tests_proves_nothing_outside_of_them() {
        let text = "//! [5:MQTT-1.1.1-1]\n#[test]\n#[cfg(unix)]\npub fn one() {\n    // [5:MQTT-1.1.1-2]\n}\n";
        let expected = [row(1, "5:MQTT-1.1.1-1", Role::Astray), row(5, "5:MQTT-1.1.1-2", test("one"))];
        assert_eq!(seen(Kind::Tests, text), expected);
    }

    #[test]
    fn a_story_proves_what_it_says_it_proves() {
        let text = "# A title\n# [5:MQTT-1.1.1-1]\nproves: 5:MQTT-1.1.1-2 5:4.8.2 nonsense 311:MQTT-1.1.1-3\n\
                    proves: 5:MQTT-1.1.1-4\na connect v5\n---\n0.000 a <- CONNACK   # [5:MQTT-1.1.1-5]\n";
        let expected = [
            row(2, "5:MQTT-1.1.1-1", Role::Mention),
            row(3, "5:MQTT-1.1.1-2", test("qos/one")),
            row(3, "nonsense", test("qos/one")),
            row(3, "311:MQTT-1.1.1-3", test("qos/one")),
            row(4, "5:MQTT-1.1.1-4", test("qos/one")),
            row(7, "5:MQTT-1.1.1-5", Role::Mention),
        ];
        assert_eq!(seen(Kind::Story, text), expected);
    }

    #[test]
    fn a_vector_proves_what_stands_above_its_name() {
        let text = "# A file [5:MQTT-1.1.1-1].\n\n# [5:MQTT-1.1.1-2]\n# and [5:MQTT-1.1.1-3]\nname: first\nbytes:\n\
                    \x20 30 00   # [5:MQTT-1.1.1-4]\npacket: x\n\nname: second\n";
        let expected = [
            row(1, "5:MQTT-1.1.1-1", Role::Astray),
            row(3, "5:MQTT-1.1.1-2", test("first")),
            row(4, "5:MQTT-1.1.1-3", test("first")),
            row(7, "5:MQTT-1.1.1-4", Role::Mention),
        ];
        assert_eq!(seen(Kind::Vectors, text), expected);
    }

    #[test]
    fn what_a_file_is_follows_from_its_path() {
        for (path, expected) in [
            ("crates/broker/src/publish.rs", Some(Kind::Code)),
            ("host/src/transport/websocket.rs", Some(Kind::Code)),
            ("crates/client/src/lib.rs", Some(Kind::Client)),
            ("crates/codec/tests/vectors/main.rs", Some(Kind::Tests)),
            ("tests/tests/client.rs", Some(Kind::Tests)),
            ("tests/src/corpus.rs", Some(Kind::Other)),
            ("crates/sim/src/story.rs", Some(Kind::Other)),
            ("crates/sim/tests/seeds.rs", Some(Kind::Tests)),
            ("tests/scenarios/will/delay.scenario", Some(Kind::Story)),
            ("tests/vectors/publish.hex", Some(Kind::Vectors)),
            ("ARCHITECTURE.md", Some(Kind::Other)),
            ("docs/statements.md", None),
            ("crates/xtask/src/statements/scan.rs", None),
            ("tests/clients/js/package.json", None),
        ] {
            assert_eq!(Kind::of(path), expected, "{path}");
        }
    }
}
