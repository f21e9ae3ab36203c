//! Recordings, `.wqr`: all that ever entered a broker, in its order and with its time, so that a run can be had again:
//! stepped through on a page, compared between builds, made into a scenario. Since nothing enters a broker but through
//! an [`Input`], the list of them is the whole run; a digest in between says whether a replay is still the same.
//!
//! The file, all numbers little-endian:
//!
//! ```text
//!   offset  bytes
//!        0      8  magic: 89 'W' 'Q' 'R' 0D 0A 1A 0A, which no text is and which a copy as text damages
//!        8      2  version of the format: 2; in 1, limits end before `bridges_max`
//!       10      4  length of the head
//!       14      n  head: JSON, {"build": ..., "config": ...}
//!     14+n      4  CRC-32 of everything before it
//!
//!   then items, until the end of the file:
//!              1-5  length of kind and body, LEB128, the shortest form
//!                1  guard: the lowest byte of the CRC-32 of the length's bytes
//!                1  kind  ┐
//!              any  body  ┘ the length counts these two
//!                4  CRC-32 of kind and body
//!
//!   kind  body, in postcard's encoding
//!      0  why: string, seed: 16 bytes, from: Beginning    a broker begins; always the first item
//!      1  microseconds since the last input (signed; the first one: since 1970), Input
//!      2  command: CommandId, digest: 8 bytes             what the core answered to that Command::Digest
//!      3  why: string                                     the end; nothing follows
//! ```
//!
//! The length comes first so that whatever is wrong has an offset, and it has a guard of its own so that a damaged one
//! isn't taken for a file that was cut off. A recording whose writer was killed is cut off: it ends inside an item, in
//! zeros that a file system left, or between items but without kind 3. Everything before that is whole and usable, and
//! [`ReadError::CutOff`] says so; all other errors are damage.
//!
//! The configuration is text so that keys can be added without a new version of the format; a change of
//! [`Input`]'s encoding needs a new version, and this build then still reads the old one. A recording made by a guest
//! has the inputs of one step together, ended by [`Input::Tick`]; a digest is asked for only when nothing is left to
//! [`poll`](wasmqtt_broker::Broker::poll) and [`ready`](wasmqtt_broker::Broker::ready) was asked.

mod describe;
mod error;
mod mask;
mod play;
mod read;
mod stream;
mod write;

use serde::{Deserialize, Serialize};
use wasmqtt_broker::{CommandId, Config, Input, Lsn, Record, Seed, Time};

pub use describe::{Describer, utc};
pub use error::{Damage, ReadError};
pub use mask::{MaskError, mask};
pub use play::{PlayError, Player, Progress};
pub use read::Reader;
pub use write::Writer;

/// The build of the core in this program: its version and a hash of its sources. The digests of two builds can be
/// compared if this is equal.
pub const BUILD: &str = env!("WASMQTT_CORE_BUILD");

/// The version of the format that is written.
pub const FORMAT: u16 = 2;

const MAGIC: [u8; 8] = *b"\x89WQR\r\n\x1A\n";
/// Bytes before the head: magic, version, length.
const PREFIX_BYTES: usize = 14;
/// A longer head is none of ours; permissions may make it long.
const HEAD_BYTES_MAX: u32 = 16 << 20;

mod kind {
    pub const BEGIN: u8 = 0;
    pub const INPUT: u8 = 1;
    pub const DIGEST: u8 = 2;
    pub const END: u8 = 3;
}

/// What a recording says once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Head {
    /// The core that ran: [`BUILD`] of the program that recorded it.
    pub build: String,
    /// What the core was told before its first input.
    pub config: Config,
}

impl Head {
    /// The configuration as it stands in the file.
    #[must_use]
    pub fn config_text(&self) -> String {
        serde_json::to_string(&self.config).expect("a configuration can be written to memory")
    }
}

/// What a broker begins with.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Beginning {
    /// Nothing.
    #[default]
    Empty,
    /// A log to restore from.
    Log(Vec<(Lsn, Record)>),
    /// What a broker saved, connections and all; its configuration and its seed are in there.
    Saved(Vec<u8>),
}

/// One thing that a recording tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// A broker begins. What comes before it is over: the one before failed, was restarted or swapped.
    Begin {
        /// Why, for people; empty for the first.
        why: String,
        /// What looks random in the core comes from this.
        seed: Seed,
        /// What it begins with.
        from: Beginning,
    },
    /// Something entered the broker.
    Input {
        /// When.
        at: Time,
        /// What.
        input: Input,
    },
    /// What the core answered to a [`Command::Digest`](wasmqtt_broker::Command::Digest) of this name, the last one
    /// before here.
    Digest {
        /// Which command.
        id: CommandId,
        /// The answer.
        digest: u64,
    },
    /// The recording ends as it should.
    End {
        /// Why, for people.
        why: String,
    },
}

/// An item and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placed {
    /// Bytes from the start of the file to the item's length.
    pub offset: u64,
    /// What is there.
    pub item: Item,
}
