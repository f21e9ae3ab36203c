//! What can be wrong with a recording: where, what was found, and what is allowed.

use core::fmt;
use std::io;

use super::{FORMAT, HEAD_BYTES_MAX, MAGIC};

/// Why no more can be read.
#[derive(Debug)]
pub enum ReadError {
    /// The file can't be read.
    Io {
        /// How far it was read.
        offset: u64,
        /// What the system says.
        error: io::Error,
    },
    /// It is no recording.
    NotARecording {
        /// Its first bytes.
        found: Vec<u8>,
    },
    /// It is a recording of a format that this build doesn't know.
    UnknownFormat {
        /// The number of the format.
        found: u16,
    },
    /// It ends too early, as if its writer had been killed. Everything before the offset is whole.
    CutOff {
        /// Where the item begins that isn't all there.
        offset: u64,
    },
    /// Bytes are not what was written.
    Damaged {
        /// Where the item begins that is damaged.
        offset: u64,
        /// What is wrong with it.
        what: Damage,
    },
}

/// What is wrong with an item or with the head.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Damage {
    /// A length that none can be.
    Length {
        /// The bytes that stand for it.
        found: Vec<u8>,
    },
    /// The length's guard doesn't fit it.
    Guard {
        /// The guard that stands there.
        found: u8,
        /// The one that would fit.
        fitting: u8,
    },
    /// The checksum doesn't fit what it is of.
    Checksum {
        /// The checksum that stands there.
        found: u32,
        /// The one that would fit.
        fitting: u32,
    },
    /// No item has this kind.
    Kind(u8),
    /// The body isn't what its kind says.
    Body {
        /// What it should be.
        expected: &'static str,
    },
    /// The head isn't one.
    Head {
        /// What is wrong with its text.
        why: String,
    },
    /// The first item doesn't begin a broker.
    NoBeginning,
    /// Something follows the end.
    AfterEnd,
}

impl ReadError {
    /// Whether everything before the error can be used as if nothing were wrong.
    #[must_use]
    pub fn is_cut_off(&self) -> bool {
        matches!(self, ReadError::CutOff { .. })
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Io { offset, error } => write!(out, "offset {offset}: {error}"),
            ReadError::NotARecording { found } => {
                write!(out, "offset 0: found {found:02X?}; a recording begins with {MAGIC:02X?}")
            }
            ReadError::UnknownFormat { found } => {
                write!(out, "offset 8: found format {found}; this build reads formats 1 to {FORMAT}")
            }
            ReadError::CutOff { offset } => {
                write!(out, "offset {offset}: the file ends here without its last word: its writer was killed")
            }
            ReadError::Damaged { offset, what } => write!(out, "offset {offset}: damaged: {what}"),
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::Length { found } => write!(
                out,
                "found {found:02X?} for a length; allowed: 1 to {} in the shortest LEB128, at most \
                 {HEAD_BYTES_MAX} for the head",
                u32::MAX
            ),
            Damage::Guard { found, fitting } => {
                write!(out, "found the guard {found:02X} behind a length; {fitting:02X} would fit it")
            }
            Damage::Checksum { found, fitting } => {
                write!(out, "found the checksum {found:08X}; {fitting:08X} would fit")
            }
            Damage::Kind(found) => write!(out, "found an item of kind {found}; allowed: 0 to 3"),
            Damage::Body { expected } => write!(out, "found a body that is not {expected}"),
            Damage::Head { why } => write!(out, "found a head that is not {{\"build\", \"config\"}}: {why}"),
            Damage::NoBeginning => write!(out, "found something else as the first item; allowed: kind 0, a beginning"),
            Damage::AfterEnd => write!(out, "found more behind the end; allowed: nothing"),
        }
    }
}

impl std::error::Error for ReadError {}
