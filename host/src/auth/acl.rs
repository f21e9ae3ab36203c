//! The ACL file, in mosquitto's grammar:
//!
//! ```text
//! # Lines before the first `user` are for clients without a user name.
//! topic read $SYS/#
//! user anna
//! topic readwrite home/#            # readwrite is what a line without a type means
//! topic deny home/secret/#          # a denial wins, wherever it stands
//! pattern write devices/%c/state    # for everybody; %c is the Client Identifier, %u the user name
//! ```
//!
//! `read` is receiving, `write` is publishing. Subscribing itself is allowed, as with mosquitto, and brings nothing
//! that may not be received; only a Topic Filter that a denial covers is refused, so that its owner hears of it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use wasmqtt_broker::{Allowed, Permissions, Rules};

/// What a line allows or denies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Access {
    Read,
    Write,
    ReadWrite,
    Deny,
}

/// Lines that belong together, in the order of the file.
type Lines = Vec<(Access, String)>;

/// Who may do what.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Acl {
    /// For clients without a user name.
    anonymous: Lines,
    users: BTreeMap<String, Lines>,
    /// For everybody.
    patterns: Lines,
}

/// What is wrong with an ACL file.
#[derive(Debug)]
pub enum AclError {
    /// It can't be read.
    Unreadable(PathBuf, std::io::Error),
    /// A line makes no sense.
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What it says.
        text: String,
        /// What is wrong with it, and what is allowed.
        why: LineError,
    },
}

/// What is wrong with a line of an ACL file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineError {
    /// Another first word.
    Keyword,
    /// `user` without a name.
    NoUser,
    /// `topic` or `pattern` with two words, of which the first is no kind of access.
    Access,
    /// `topic` or `pattern` without a filter.
    NoFilter,
    /// `#` or `+` where no Topic Filter has them.
    Wildcard,
    /// `%c` or `%u` in a `topic` line, where mosquitto doesn't fill them in either.
    Placeholder,
}

impl fmt::Display for LineError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            LineError::Keyword => {
                "allowed are `user NAME`, `topic [read|write|readwrite|deny] FILTER`, `pattern …`, `# …`"
            }
            LineError::NoUser => "found no name; allowed: `user NAME`",
            LineError::Access => "found another kind of access; allowed: read, write, readwrite, deny",
            LineError::NoFilter => "found no filter; allowed: `topic [read|write|readwrite|deny] FILTER`",
            LineError::Wildcard => {
                "found a wildcard inside a level; allowed: `+` as a whole level, `#` as the last one"
            }
            LineError::Placeholder => "found %c or %u; allowed in `pattern` lines only",
        })
    }
}

impl fmt::Display for AclError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AclError::Unreadable(path, error) => write!(out, "{}: {error}", path.display()),
            AclError::Line { path, line, text, why } => {
                write!(out, "{}, line {line}: {}: {why}", path.display(), text.trim())
            }
        }
    }
}

impl std::error::Error for AclError {}

impl Acl {
    /// Reads an ACL file.
    ///
    /// # Errors
    /// Names the file, the line, what was found and what is allowed.
    pub fn read(path: &Path) -> Result<Self, AclError> {
        let text = std::fs::read_to_string(path).map_err(|error| AclError::Unreadable(path.into(), error))?;
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, AclError> {
        let mut acl = Acl::default();
        let mut user = None;
        for (index, line) in text.lines().enumerate() {
            let parsed = acl.line(line.trim(), &mut user);
            parsed.map_err(|why| AclError::Line { path: path.into(), line: index + 1, text: line.into(), why })?;
        }
        Ok(acl)
    }

    fn line(&mut self, line: &str, user: &mut Option<String>) -> Result<(), LineError> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let (keyword, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match keyword {
            "user" if rest.trim().is_empty() => return Err(LineError::NoUser),
            // A name may hold spaces.
            "user" => {
                self.users.entry(rest.trim().into()).or_default();
                *user = Some(rest.trim().into());
            }
            "topic" => {
                let parsed = rule(rest)?;
                if has_placeholder(&parsed.1) {
                    return Err(LineError::Placeholder);
                }
                let lines = match user {
                    Some(user) => self.users.entry(user.clone()).or_default(),
                    None => &mut self.anonymous,
                };
                lines.push(parsed);
            }
            "pattern" => self.patterns.push(rule(rest)?),
            _ => return Err(LineError::Keyword),
        }
        Ok(())
    }

    /// Whether any line is for a named user.
    #[must_use]
    pub fn names_users(&self) -> bool {
        !self.users.is_empty()
    }

    /// What this user may do; `None` is a client without a user name.
    #[must_use]
    pub fn permissions(&self, user: Option<&str>) -> Permissions {
        let own = match user {
            Some(user) => self.users.get(user).map_or(&[][..], Vec::as_slice),
            None => &self.anonymous,
        };
        // Without a user name there is nothing to stand for %u, and such patterns apply to nobody.
        let patterns = self.patterns.iter().filter(|(_, filter)| user.is_some() || !filter.contains("%u"));
        let lines: Vec<_> = own.iter().chain(patterns).collect();
        let with = |wanted: &[Access]| -> Vec<String> {
            lines.iter().filter(|(access, _)| wanted.contains(access)).map(|(_, filter)| filter.clone()).collect()
        };
        let deny = with(&[Access::Deny]);
        let mut deny_publish = deny.clone();
        // The broker's own tree, whatever the file says.
        deny_publish.push("$SYS/#".into());
        let publish = Allowed::Filters(with(&[Access::Write, Access::ReadWrite]));
        let receive = Allowed::Filters(with(&[Access::Read, Access::ReadWrite]));
        Permissions {
            publish: Rules { allow: publish, deny: deny_publish },
            subscribe: Rules { allow: Allowed::Everything, deny: deny.clone() },
            receive: Rules { allow: receive, deny },
        }
    }
}

/// Reads `[read|write|readwrite|deny] FILTER`. A filter may hold spaces, so only a first word that is a type is one.
fn rule(rest: &str) -> Result<(Access, String), LineError> {
    let rest = rest.trim();
    let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let (access, filter) = match word {
        "read" => (Access::Read, after.trim()),
        "write" => (Access::Write, after.trim()),
        "readwrite" => (Access::ReadWrite, after.trim()),
        "deny" => (Access::Deny, after.trim()),
        _ if after.trim().is_empty() => (Access::ReadWrite, rest),
        _ => return Err(LineError::Access),
    };
    if filter.is_empty() {
        return Err(LineError::NoFilter);
    }
    let levels = filter.split('/').count();
    let misplaced = filter
        .split('/')
        .enumerate()
        .any(|(index, level)| level.contains(['+', '#']) && level != "+" && !(level == "#" && index + 1 == levels));
    if misplaced { Err(LineError::Wildcard) } else { Ok((access, filter.into())) }
}

fn has_placeholder(filter: &str) -> bool {
    filter.contains("%c") || filter.contains("%u")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# for everybody\ntopic read $SYS/#\n\nuser anna b\ntopic home/#\ntopic deny home/secret\n\
        topic write a b/c\npattern read to/%c\npattern readwrite of/%u/#\nuser carl\n";

    fn filters(rules: &Rules) -> Vec<&str> {
        match &rules.allow {
            Allowed::Everything => vec!["everything"],
            Allowed::Filters(filters) => filters.iter().map(String::as_str).collect(),
        }
    }

    #[test]
    fn lines_belong_to_whom_mosquitto_gives_them() {
        let acl = Acl::parse(FILE, Path::new("acl")).unwrap();
        let anna = acl.permissions(Some("anna b"));
        assert_eq!(filters(&anna.publish), ["home/#", "a b/c", "of/%u/#"]);
        assert_eq!(filters(&anna.receive), ["home/#", "to/%c", "of/%u/#"]);
        assert_eq!(anna.receive.deny, ["home/secret"]);
        assert_eq!(anna.publish.deny, ["home/secret", "$SYS/#"]);
        assert_eq!((filters(&anna.subscribe), &anna.subscribe.deny), (vec!["everything"], &vec!["home/secret".into()]));
        let anonymous = acl.permissions(None);
        assert_eq!(filters(&anonymous.publish), Vec::<&str>::new());
        assert_eq!(filters(&anonymous.receive), ["$SYS/#", "to/%c"]);
        assert_eq!(filters(&acl.permissions(Some("carl")).receive), ["to/%c", "of/%u/#"]);
        assert_eq!(acl.permissions(Some("unknown")), acl.permissions(Some("carl")));
    }

    #[test]
    fn wrong_lines_are_named() {
        let cases = [
            ("topics a", LineError::Keyword),
            ("user", LineError::NoUser),
            ("topic read", LineError::NoFilter),
            ("topic a#", LineError::Wildcard),
            ("pattern #/a", LineError::Wildcard),
            ("topic a/%c", LineError::Placeholder),
        ];
        for (line, expected) in cases {
            match Acl::parse(&format!("# first\n{line}\n"), Path::new("acl")).unwrap_err() {
                AclError::Line { line: 2, text, why, .. } => assert_eq!((text.as_str(), why), (line, expected)),
                other => panic!("{line}: {other}"),
            }
        }
    }
}
