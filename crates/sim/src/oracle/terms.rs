//! What the oracles know of a run beforehand: its limits, and who takes part.

/// What was agreed with the broker before the run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Terms {
    /// The broker's Receive Maximum.
    pub receive_maximum: u16,
    /// Most messages in flight towards a client, whatever it allows.
    pub in_flight_max: u16,
    /// Longest queue of a Session.
    pub queue_messages_max: u32,
    /// Bytes that wait for a transport before messages are dropped.
    pub outbox_bytes_max: u32,
    /// Bound on the broker's memory.
    pub memory_bytes_max: u64,
    /// Most Retained Messages.
    pub retained_messages_max: u32,
    /// Turns have so little room that packets which arrive together may be looked at in another order.
    pub turns_are_short: bool,
    /// How long a packet may be held because a record is not stored yet, in microseconds.
    pub held_us_max: u64,
    /// The clients' names. The first is the witness, who subscribes to everything; the last is the auditor, who looks
    /// at the Retained Messages in the end.
    pub names: Vec<String>,
}

/// Limits from here on are out of the World's reach.
const OUT_OF_REACH: u32 = 2_000;

impl Terms {
    /// Whether messages may be dropped because too many wait.
    #[must_use]
    pub fn may_drop(&self) -> bool {
        self.queue_messages_max < OUT_OF_REACH
    }

    /// Whether there may be more Retained Messages than the broker keeps.
    #[must_use]
    pub fn may_refuse_to_retain(&self) -> bool {
        self.retained_messages_max < OUT_OF_REACH
    }
}
