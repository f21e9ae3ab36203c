//! What happened to each message and why, for people: the log of a developer, the "Why" of the simulator. The broker's
//! logic never reads it, and when [`Config::trace`](crate::Config::trace) is off none of it is made.

use alloc::string::String;
use serde::{Deserialize, Serialize};
use wasmqtt_codec::Qos;

/// One decision about one message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Trace {
    /// A message was accepted. What follows with the same number is its fate.
    Published {
        /// Counts accepted messages since the start.
        publication: u64,
        /// Who published; `None` is the broker itself.
        client_identifier: Option<String>,
        /// Its Topic Name.
        topic: String,
        /// Its QoS.
        qos: Qos,
        /// Its RETAIN flag.
        retain: bool,
        /// Length of the Application Message.
        payload_bytes: u32,
    },
    /// A Session gets the message.
    Delivered {
        /// Which message; a Retained Message bears the number of its publication.
        publication: u64,
        /// Which Session.
        client_identifier: String,
        /// The Topic Filter that matched; with several, one that grants the highest QoS.
        filter: String,
        /// The lower of the message's and the granted QoS [5:MQTT-3.8.4-8].
        qos: Qos,
        /// Sent because it was retained, not because it was just published.
        retained: bool,
        /// Sent now, or waiting.
        how: Delivery,
    },
    /// A Session doesn't get the message.
    NotDelivered {
        /// Which message.
        publication: u64,
        /// Which Session.
        client_identifier: String,
        /// The first reason why not.
        why: NotDelivered,
    },
}

impl Trace {
    /// The statement or section of MQTT 5.0 behind the decision.
    #[must_use]
    pub fn statement(&self) -> &'static str {
        match self {
            Trace::Published { .. } => "5:3.3.4",
            Trace::Delivered { retained: false, .. } => "5:MQTT-3.8.4-8",
            Trace::Delivered { retained: true, .. } => "5:MQTT-3.3.1-9",
            Trace::NotDelivered { why, .. } => why.statement(),
        }
    }
}

/// Whether a delivery left at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Delivery {
    /// It is in the connection's outbox.
    Sent,
    /// It waits in the Session: the client is away, or its Receive Maximum is used up.
    Queued,
}

/// The first reason why a Session doesn't get a message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum NotDelivered {
    /// It has no Subscription at all.
    NoSubscription,
    /// Its Topic Filter that comes nearest stops matching at this level, counted from 1.
    NoMatch {
        /// That filter.
        filter: String,
        /// The level.
        level: u16,
    },
    /// A leading wildcard doesn't match a Topic Name that begins with `$` [5:MQTT-4.7.2-1].
    Dollar {
        /// The filter.
        filter: String,
    },
    /// It published the message itself and asked for No Local [5:MQTT-3.8.3-3].
    NoLocal {
        /// The filter.
        filter: String,
    },
    /// Its permissions don't let it receive this topic.
    NotPermitted,
    /// Another member of its share group was picked (4.8.2).
    AnotherMember {
        /// The filter.
        filter: String,
    },
    /// QoS 0 while it is not connected.
    Offline,
    /// Its queue is full.
    QueueFull,
    /// QoS 0, and too much is unsent on its connection.
    OutboxFull,
    /// Larger than its Maximum Packet Size [5:MQTT-3.1.2-25].
    PacketTooLarge,
    /// The Message Expiry Interval passed [5:MQTT-3.3.2-5].
    Expired,
    /// The broker is near its bound on memory.
    Memory,
    /// A bridge's: the name that the topic would have at the remote is none, or no topic of the bridge matches.
    NotBridged,
    /// A bridge's: the message has passed as many bridges as it may.
    BridgeLoop,
}

impl NotDelivered {
    /// The statement or section of MQTT 5.0 behind it.
    #[must_use]
    pub fn statement(&self) -> &'static str {
        match self {
            NotDelivered::NoSubscription | NotDelivered::NoMatch { .. } => "5:MQTT-3.3.2-3",
            NotDelivered::Dollar { .. } => "5:MQTT-4.7.2-1",
            NotDelivered::NoLocal { .. } => "5:MQTT-3.8.3-3",
            NotDelivered::NotPermitted => "5:5.4.2",
            NotDelivered::AnotherMember { .. } => "5:4.8.2",
            NotDelivered::Offline => "5:4.3.1",
            NotDelivered::QueueFull | NotDelivered::OutboxFull | NotDelivered::Memory => "5:4.1.1",
            NotDelivered::PacketTooLarge => "5:MQTT-3.1.2-25",
            NotDelivered::Expired => "5:MQTT-3.3.2-5",
            NotDelivered::NotBridged => "5:4.7.3",
            NotDelivered::BridgeLoop => "5:4.13.2",
        }
    }
}
