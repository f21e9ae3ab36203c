//! Names for things that come and go. A number alone would be given out again, and a late output would hit a newcomer;
//! so what crosses the door carries a generation, and both sides ignore older generations.

use serde::{Deserialize, Serialize};

/// One transport, as the driver numbers it: a slot that may be used again, and a generation that may not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct ConnectionId {
    /// Index into the driver's table of transports, kept small by reuse.
    pub slot: u32,
    /// Raised by the driver each time it uses the slot again.
    pub generation: u32,
}

/// The place of a record in the durable log: 1 for the first, then without gaps. 0 stands before the first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct Lsn(pub u64);

/// Ties an [`Answered`](crate::Input::Answered) to its [`Ask`](crate::Output::Ask). Never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct QuestionId(pub u64);

/// Ties a [`Reply`](crate::Output::Reply) to its [`Command`](crate::Input::Command); chosen by the driver.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct CommandId(pub u64);

/// Names a bridge, from its addition until it is removed or added again with another configuration. Never used twice
/// by one broker.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct BridgeId(pub u64);

/// 128 bits from which all that looks random in the broker is drawn: assigned Client Identifiers, hash keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Seed(pub [u8; 16]);
