//! What an operator decides about a broker. Everything that a peer can grow has its limit here, each with the answer
//! that is given at the limit; drivers fill this from flags, a file or options in a page, and the core obeys it.

use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use wasmqtt_codec::Qos;

use crate::frames::PACKET_BYTES_LIMIT;

/// All that a broker is told before its first input. Read from text, as in a recording's head, what is missing has its
/// default: an older text lacks what is newer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Who may connect.
    pub authentication: Authentication,
    /// What every client may do when no [`Verdict`](crate::Verdict) says otherwise.
    pub permissions: Permissions,
    /// The bounds on everything that can grow.
    pub limits: Limits,
    /// Whether what must survive a crash is written to a log.
    pub storage: Storage,
    /// Explain each delivery and non-delivery with [`Output::Trace`](crate::Output::Trace). Costs nothing when off.
    pub trace: bool,
    /// Seconds between updates of the `$SYS` tree; 0 leaves the tree out.
    pub sys_interval_s: u32,
    /// What CONNACK gives a client that asks for Response Information (5.0, 3.2.2.3.14); `%c` is its Client Identifier.
    pub response_information: Option<String>,
}

/// Who may connect.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Authentication {
    /// Everybody, with [`Config::permissions`]. A user name and a password are taken as they come; enhanced
    /// authentication is refused with 0x8C.
    Open,
    /// Each CONNECT (and AUTH) becomes an [`Output::Ask`](crate::Output::Ask) and waits for its answer.
    Ask,
}

/// Whether what must survive a crash is written to a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Storage {
    /// Nothing is appended, and every record counts as stored at the moment it would have been written: a restart
    /// begins empty. What servers call "in memory".
    Memory,
    /// Records leave as [`Output::Append`](crate::Output::Append), and packets that a crash could turn into a lie wait
    /// for [`Input::Stored`](crate::Input::Stored).
    Log,
}

/// What one client may do, in Topic Filters. `%c` stands for the Client Identifier and `%u` for the user name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Permissions {
    /// Topic Names it may publish to, its Will Message included.
    pub publish: Rules,
    /// Topic Filters it may subscribe to: a filter passes when an allowed one covers all that it could match and no
    /// denied one does. What is denied here is left out of wider Subscriptions too.
    pub subscribe: Rules,
    /// Topic Names that it may be sent, whatever it subscribed to.
    pub receive: Rules,
}

/// Allowed and denied Topic Filters; a denial wins.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rules {
    /// What is allowed.
    pub allow: Allowed,
    /// Filters that are denied even where an allowed one matches.
    pub deny: Vec<String>,
}

/// What a set of rules allows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Allowed {
    /// Every topic, those that begin with `$` too.
    Everything,
    /// What these filters match; as in a Subscription, a leading wildcard matches no `$` topic.
    Filters(Vec<String>),
}

impl Permissions {
    /// Allows everything but publishing into `$SYS`, which is the broker's own.
    #[must_use]
    pub fn everything() -> Self {
        let everything = Rules { allow: Allowed::Everything, deny: Vec::new() };
        let publish = Rules { allow: Allowed::Everything, deny: alloc::vec!["$SYS/#".into()] };
        Permissions { publish, subscribe: everything.clone(), receive: everything }
    }
}

/// The bounds on everything that can grow, and what is announced in CONNACK.
///
/// What happens at each bound is said with it; every time it happens it is counted in
/// [`Counters`](crate::Counters).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Open transports. One more is told 0x97 when it sends its CONNECT; 3.x: return code 3.
    pub connections_max: u32,
    /// Seconds a transport may take from opening to a complete CONNECT, and each AUTH step; then it is closed.
    pub connect_timeout_s: u16,
    /// Sessions, connected or not. A CONNECT that would need one more is refused with 0x97 / return code 3.
    pub sessions_max: u32,
    /// Longest Session Expiry Interval granted, in seconds; 0xFFFF_FFFF = no end. Longer wishes are shortened to it and
    /// CONNACK says so [5:3.2.2.3.2]. It also bounds 3.x Sessions with Clean Session 0.
    pub session_expiry_max_s: u32,
    /// Longest Keep Alive granted, in seconds; 0 = any. A client that wants longer, or none, is told in 5.0 by Server
    /// Keep Alive [5:3.2.2.3.14]; 3.x has no way to tell it, and the CONNECT is refused with 2, as mosquitto does.
    pub keep_alive_max_s: u16,
    /// Largest packet accepted in bytes, announced as Maximum Packet Size; larger is 0x95.
    pub packet_bytes_max: u32,
    /// Largest CONNECT and AUTH accepted before CONNACK in bytes, from a peer that nobody knows yet; larger is 0x95.
    pub connect_bytes_max: u32,
    /// QoS 1 and 2 publications a client may have unfinished towards us, announced as Receive Maximum; more is 0x93.
    pub receive_maximum: u16,
    /// Topic Aliases a client may set, announced as Topic Alias Maximum; a larger one is 0x94.
    pub topic_alias_maximum: u16,
    /// Topic Aliases that we set towards one client, at most; its own maximum bounds them too.
    pub topic_alias_out_max: u16,
    /// QoS 1 and 2 messages unfinished towards one client, at most, what earlier connections left half-way included;
    /// its Receive Maximum bounds those of one connection too. At the limit further messages wait in the queue.
    pub in_flight_max: u16,
    /// Messages that wait in one Session; at the limit new ones are dropped, the oldest stay.
    pub queue_messages_max: u32,
    /// Bytes that wait in one Session; at the limit new messages are dropped.
    pub queue_bytes_max: u64,
    /// QoS 0 messages are dropped for a client whose unsent bytes exceed this; a client that lets twice as much pile up
    /// from answers alone is closed.
    pub outbox_bytes_max: u32,
    /// Bytes that one turn may produce for all connections; the rest of the input waits for the next turn.
    pub turn_bytes_max: u32,
    /// Subscriptions of one Session; one more gets 0x97 / 0x80.
    pub subscriptions_per_session_max: u32,
    /// Subscriptions of all Sessions; one more gets 0x97 / 0x80.
    pub subscriptions_max: u32,
    /// Levels in a Topic Name or Topic Filter; more is refused with 0x90 / 0x8F, in 3.x by a close.
    pub topic_levels_max: u16,
    /// Retained Messages; a new one above it is not stored: 0x97 for QoS 1 and 2.
    pub retained_messages_max: u32,
    /// Bytes of Retained Messages; a new one above it is not stored.
    pub retained_bytes_max: u64,
    /// Bytes of all that the core keeps. Near it newcomers and storing are refused (0x97) and QoS 0 is dropped for
    /// clients that are behind; who makes it exceed the bound is closed.
    pub memory_bytes_max: u64,
    /// Highest QoS accepted, announced as Maximum QoS when below 2; a higher PUBLISH is 0x9B, Subscriptions are granted
    /// at most this.
    pub maximum_qos: Qos,
    /// Whether Retained Messages exist; if not, RETAIN 1 is 0x9A.
    pub retain_available: bool,
    /// Whether Topic Filters may have wildcards; if not, 0xA2.
    pub wildcard_subscription_available: bool,
    /// Whether SUBSCRIBE may carry a Subscription Identifier; if not, 0xA1.
    pub subscription_identifiers_available: bool,
    /// Whether `$share` Subscriptions exist; if not, 0x9E.
    pub shared_subscription_available: bool,
    /// Whether a client may connect without a Client Identifier and be given one.
    pub assigned_client_identifier: bool,
}

impl Limits {
    /// The same limits, with those brought into range that would make no broker: nothing may be answered with less than
    /// one in flight, in less than a second, or in packets longer than packets can be.
    #[must_use]
    pub fn within_reason(mut self) -> Self {
        const TURN_BYTES_MIN: u32 = 256;
        self.connect_timeout_s = self.connect_timeout_s.max(1);
        self.receive_maximum = self.receive_maximum.max(1);
        self.in_flight_max = self.in_flight_max.max(1);
        self.turn_bytes_max = self.turn_bytes_max.max(TURN_BYTES_MIN);
        if self.packet_bytes_max == 0 || self.packet_bytes_max > PACKET_BYTES_LIMIT {
            self.packet_bytes_max = PACKET_BYTES_LIMIT;
        }
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections_max: 100_000,
            connect_timeout_s: 10,
            sessions_max: 200_000,
            session_expiry_max_s: u32::MAX,
            keep_alive_max_s: 0,
            packet_bytes_max: 16 << 20,
            connect_bytes_max: 256 << 10,
            receive_maximum: 1_024,
            topic_alias_maximum: 64,
            topic_alias_out_max: 64,
            in_flight_max: 4_096,
            queue_messages_max: 10_000,
            queue_bytes_max: 64 << 20,
            outbox_bytes_max: 1 << 20,
            turn_bytes_max: 16 << 20,
            subscriptions_per_session_max: 20_000,
            subscriptions_max: 5_000_000,
            topic_levels_max: 128,
            retained_messages_max: 1_000_000,
            retained_bytes_max: 1 << 30,
            memory_bytes_max: 3 << 30,
            maximum_qos: Qos::ExactlyOnce,
            retain_available: true,
            wildcard_subscription_available: true,
            subscription_identifiers_available: true,
            shared_subscription_available: true,
            assigned_client_identifier: true,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            authentication: Authentication::Open,
            permissions: Permissions::everything(),
            limits: Limits::default(),
            storage: Storage::Memory,
            trace: false,
            sys_interval_s: 10,
            response_information: None,
        }
    }
}
