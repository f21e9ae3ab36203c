//! Durable records: what must survive a crash, in the order in which it happened. Sessions and messages are named by
//! numbers that are never used twice. A record's fields never change their meaning: what is new becomes a new kind at
//! the end, so that every older log can be read.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use wasmqtt_codec::{PacketIdentifier, ProtocolVersion, Qos, SubscriptionOptions};

use crate::config::Permissions;
use crate::message::Message;
use crate::session::Will;
use crate::time::Time;

/// One change of durable state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Record {
    /// A client entered its Session, which starts now unless its number is known.
    Entered(Box<Entry>),
    /// A client left its Session.
    Left {
        /// The Session's number.
        session: u64,
        /// When.
        at: Time,
        /// Session Expiry Interval in force, in seconds.
        session_expiry_interval_s: u32,
        /// When the Will is due; `None` when there is none any more.
        will_at: Option<Time>,
    },
    /// The Will of a Session is published or taken back.
    WillTaken {
        /// The Session's number.
        session: u64,
    },
    /// A Session ended.
    Ended {
        /// The Session's number.
        session: u64,
    },
    /// A Subscription was made or changed.
    Subscribed {
        /// The Session's number.
        session: u64,
        /// Topic Filter as asked for, `$share` included.
        filter: String,
        /// Options as granted.
        options: SubscriptionOptions,
        /// Subscription Identifier; 0 = none.
        identifier: u32,
    },
    /// A Subscription ended.
    Unsubscribed {
        /// The Session's number.
        session: u64,
        /// Topic Filter as asked for.
        filter: String,
    },
    /// A message was accepted: one record for all that it changed.
    Published(Box<Stored>),
    /// A queued message was put on its way under an identifier.
    Sent {
        /// The Session's number.
        session: u64,
        /// The delivery's name in it.
        sequence: u64,
        /// The identifier.
        packet_identifier: PacketIdentifier,
    },
    /// QoS 2: the client has the message (PUBREC); only the identifier is still held.
    Received {
        /// The Session's number.
        session: u64,
        /// The delivery's name in it.
        sequence: u64,
    },
    /// A delivery is over: acknowledged, expired or dropped.
    Finished {
        /// The Session's number.
        session: u64,
        /// The delivery's name in it.
        sequence: u64,
    },
    /// QoS 2: the client released its identifier (PUBREL).
    Released {
        /// The Session's number.
        session: u64,
        /// The identifier.
        packet_identifier: PacketIdentifier,
    },
    /// QoS 2 in a compacted log: the client has the message and PUBCOMP is awaited.
    HalfWay {
        /// The Session's number.
        session: u64,
        /// The delivery's name in it.
        sequence: u64,
        /// The identifier.
        packet_identifier: PacketIdentifier,
    },
    /// QoS 2 in a compacted log: the client has not released this identifier.
    Held {
        /// The Session's number.
        session: u64,
        /// The identifier.
        packet_identifier: PacketIdentifier,
    },
    /// In a compacted log: numbers up to these are used up.
    Used {
        /// Session numbers.
        sessions: u64,
        /// Publications.
        publications: u64,
    },
    /// A new Subscription is owed the Retained Messages that match it.
    Owed {
        /// The Session's number.
        session: u64,
        /// Topic Filter; never a shared one.
        filter: String,
        /// QoS granted, which is not 0.
        qos: Qos,
        /// Subscription Identifier; 0 = none.
        identifier: u32,
        /// The last publication before it; later ones come as they are published.
        upto: u64,
        /// Publications that it has got already, in a compacted log.
        done: Vec<u64>,
    },
    /// It has got all of them.
    Walked {
        /// The Session's number.
        session: u64,
        /// Topic Filter.
        filter: String,
    },
}

/// A Session as its client entered it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The Session's number.
    pub session: u64,
    /// Its Client Identifier.
    pub client_identifier: String,
    /// The version spoken.
    pub version: ProtocolVersion,
    /// Who the client proved to be.
    pub user: Option<String>,
    /// What its verdict let it do.
    pub permissions: Option<Permissions>,
    /// Session Expiry Interval in seconds.
    pub session_expiry_interval_s: u32,
    /// Its Will, until it is taken back or published.
    pub will: Option<Will>,
    /// Whether the log knows what it holds.
    pub durable: bool,
}

/// An accepted message and all that it changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stored {
    /// The message; its `publication` names it, and the same one twice is one message.
    pub message: Message,
    /// QoS 2: the Session that published it and the identifier that is now held.
    pub received: Option<(u64, PacketIdentifier)>,
    /// In whose queues it went.
    pub queued_for: Vec<QueuedFor>,
    /// Whether it became its topic's Retained Message, or, empty, removed it.
    pub retained: bool,
}

/// A place in a Session's queue.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct QueuedFor {
    /// The Session's number.
    pub session: u64,
    /// The delivery's name in it; the queue is in this order.
    pub sequence: u64,
    /// QoS of the delivery.
    pub qos: Qos,
    /// RETAIN flag of the delivery.
    pub retain: bool,
    /// Subscription Identifiers.
    pub identifiers: Vec<u32>,
    /// The `$share` Topic Filter that picked the Session, if one did.
    pub share: Option<String>,
}
