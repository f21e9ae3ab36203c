//! What an operator, a page or a test can see of a broker's state, a page at a time, and the counters of everything
//! that was refused or dropped. Looking changes nothing.

use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use wasmqtt_codec::{ProtocolVersion, Qos, SubscriptionOptions};

use crate::id::ConnectionId;
use crate::time::Time;

/// What to look at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Subject {
    /// All Sessions, connected or not, in the order of their slots.
    Sessions,
    /// The Subscriptions of one Session.
    Subscriptions {
        /// Its Client Identifier.
        client_identifier: String,
    },
    /// Messages in flight towards one client.
    InFlight {
        /// Its Client Identifier.
        client_identifier: String,
    },
    /// Messages that wait for one Session.
    Queue {
        /// Its Client Identifier.
        client_identifier: String,
    },
    /// Retained Messages whose Topic Name the filter matches.
    Retained {
        /// A Topic Filter.
        filter: String,
    },
}

/// One page of what was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Page {
    /// Answers [`Subject::Sessions`].
    Sessions(Vec<SessionView>),
    /// Answers [`Subject::Subscriptions`].
    Subscriptions(Vec<SubscriptionView>),
    /// Answers [`Subject::InFlight`].
    InFlight(Vec<InFlightView>),
    /// Answers [`Subject::Queue`].
    Queue(Vec<MessageView>),
    /// Answers [`Subject::Retained`].
    Retained(Vec<MessageView>),
}

/// A Session as people see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SessionView {
    /// Client Identifier.
    pub client_identifier: String,
    /// Who the client proved to be.
    pub user: Option<String>,
    /// The version of its last connection.
    pub version: ProtocolVersion,
    /// Its transport, if it is connected.
    pub conn: Option<ConnectionId>,
    /// Session Expiry Interval in seconds.
    pub session_expiry_interval_s: u32,
    /// When it ends, if it is not connected and ends at all.
    pub expires_at: Option<Time>,
    /// When its Will Message is due, if that waits for its delay.
    pub will_at: Option<Time>,
    /// Number of Subscriptions.
    pub subscriptions: u32,
    /// Messages that wait.
    pub queued: u32,
    /// Messages in flight towards the client.
    pub in_flight: u32,
    /// New Subscriptions that are still owed Retained Messages.
    pub walks: u32,
    /// How many may be in flight.
    pub receive_maximum: u16,
    /// QoS 2 Packet Identifiers of the client that wait for PUBREL.
    pub received_qos2: u32,
    /// Keep Alive in force in seconds; 0 = none or not connected.
    pub keep_alive_s: u16,
    /// When the last packet came.
    pub last_packet_at: Option<Time>,
}

/// A Subscription as people see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SubscriptionView {
    /// Topic Filter as subscribed, `$share` included.
    pub filter: String,
    /// Granted options.
    pub options: SubscriptionOptions,
    /// Subscription Identifier, if any.
    pub identifier: Option<u32>,
}

/// A message in flight towards a client.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InFlightView {
    /// Packet Identifier.
    pub packet_identifier: u16,
    /// What it waits for.
    pub awaits: Awaits,
    /// The message, while it is kept.
    pub message: Option<MessageView>,
}

/// What an outbound exchange waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Awaits {
    /// QoS 1: PUBACK.
    Puback,
    /// QoS 2: PUBREC.
    Pubrec,
    /// QoS 2: PUBCOMP.
    Pubcomp,
}

/// A message as people see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MessageView {
    /// Topic Name.
    pub topic: String,
    /// QoS of this delivery.
    pub qos: Qos,
    /// RETAIN flag of this delivery.
    pub retain: bool,
    /// Application Message.
    pub payload: Bytes,
    /// Its properties as the wire has them, without Topic Alias, Message Expiry Interval and Subscription Identifiers.
    pub properties: Bytes,
    /// When it expires, if ever.
    pub expires_at: Option<Time>,
}

/// Numbers of a broker: counters since its start, and gauges of now.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Counters {
    /// Transports opened.
    pub connections_opened: u64,
    /// CONNECTs accepted.
    pub connects: u64,
    /// CONNECTs refused, and transports that sent none.
    pub connections_refused: u64,
    /// How often each limit, permission and rule said no, by its one line for people, in the order of their first time.
    pub refusals: Vec<(String, u64)>,
    /// Connections ended because the client broke a rule.
    pub faults: u64,
    /// Connections ended by Keep Alive or by the time for CONNECT.
    pub timeouts: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Packets received.
    pub packets_received: u64,
    /// Packets put on their way.
    pub packets_sent: u64,
    /// PUBLISH packets received and accepted.
    pub publishes_received: u64,
    /// Bytes of Application Messages received.
    pub publish_bytes_received: u64,
    /// PUBLISH packets put on their way.
    pub publishes_sent: u64,
    /// Bytes of Application Messages put on their way.
    pub publish_bytes_sent: u64,
    /// PUBLISH packets and Will Messages refused, by permissions or a limit.
    pub publishes_refused: u64,
    /// SUBSCRIBE entries refused.
    pub subscribes_refused: u64,
    /// Messages dropped because a queue was full.
    pub dropped_queue_full: u64,
    /// QoS 0 messages dropped because too much was unsent.
    pub dropped_outbox_full: u64,
    /// Messages dropped because the client takes no such large packet.
    pub dropped_too_large: u64,
    /// Messages dropped because they expired.
    pub dropped_expired: u64,
    /// Messages dropped because of the bound on memory.
    pub dropped_memory: u64,
    /// Retained Messages not stored because of a limit.
    pub retained_refused: u64,
    /// Connections closed because the client did not read its answers.
    pub slow_readers: u64,
    /// Sessions that ended by expiry.
    pub sessions_expired: u64,
    /// Times the log could not be written.
    pub store_failures: u64,
    /// Gauge: open transports.
    pub connections: u64,
    /// Gauge: Sessions with a connection.
    pub sessions_connected: u64,
    /// Most Sessions that were ever connected at once.
    pub sessions_connected_max: u64,
    /// Gauge: Sessions.
    pub sessions: u64,
    /// Gauge: Subscriptions.
    pub subscriptions: u64,
    /// Gauge: Shared Subscriptions among them.
    pub subscriptions_shared: u64,
    /// Gauge: Retained Messages.
    pub retained: u64,
    /// Gauge: bytes of Retained Messages.
    pub retained_bytes: u64,
    /// Gauge: messages kept for Sessions and as Retained Messages.
    pub messages_kept: u64,
    /// Gauge: bytes of those.
    pub messages_kept_bytes: u64,
    /// Gauge: bytes in all outboxes.
    pub outbox_bytes: u64,
    /// Gauge: bytes of memory counted against `memory_bytes_max`.
    pub memory_bytes: u64,
}
