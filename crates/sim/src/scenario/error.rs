//! What can be wrong with a scenario file, always with the line and column, what was found there and what is allowed.

use core::fmt;

/// A mistake in a scenario file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// Line in the file, from 1.
    pub line: u32,
    /// Column in the line, from 1.
    pub column: u32,
    /// What is wrong there.
    pub what: Wrong,
}

/// What is wrong at a place of a scenario file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// A word that means nothing here.
    Unknown {
        /// The word.
        found: String,
        /// What would mean something.
        allowed: Vec<String>,
    },
    /// Something that must be here is not.
    Missing {
        /// What.
        what: &'static str,
    },
    /// A value of the wrong kind.
    NotA {
        /// The kind.
        what: &'static str,
        /// The value.
        found: String,
    },
    /// A quoted word without its end.
    UnclosedQuote,
    /// A `\` that is not followed by `"`, `\`, `n` or `xHH`.
    BadEscape,
    /// A `[` or `]` of raw bytes without its other half.
    Bracket,
    /// The file has no line `---` between story and transcript.
    NoTranscript,
    /// The file has no title: its first line must be a comment.
    NoTitle,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        match &self.what {
            Wrong::Unknown { found, allowed } => write!(f, "found `{found}`; allowed here: {}", allowed.join(" ")),
            Wrong::Missing { what } => write!(f, "{what} is missing"),
            Wrong::NotA { what, found } => write!(f, "`{found}` is not {what}"),
            Wrong::UnclosedQuote => f.write_str("this quote has no end"),
            Wrong::BadEscape => f.write_str("an escape is one of \\\" \\\\ \\n \\xHH"),
            Wrong::Bracket => f.write_str("this bracket has no other half"),
            Wrong::NoTranscript => f.write_str("a line `---` between story and transcript is missing"),
            Wrong::NoTitle => f.write_str("the first line must be `# Title`"),
        }
    }
}

impl core::error::Error for ParseError {}
