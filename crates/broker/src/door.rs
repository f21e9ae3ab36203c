//! The door: everything that can happen to a broker ([`Input`]), everything it wants done that is not bytes
//! ([`Output`]), and the small types they carry. All of it is data that can be written down, which is what makes a run
//! recordable: nothing can enter a broker except through an `Input`.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use wasmqtt_codec::{ProtocolVersion, Qos, ReasonCode};

use crate::bridge_config::{BridgeConfig, BridgeEnd, BridgeError};
use crate::config::{Limits, Permissions};
use crate::error::Fault;
use crate::id::{BridgeId, CommandId, ConnectionId, Lsn, QuestionId};
use crate::inspect::{Counters, Page, Subject};
use crate::record::Record;
use crate::time::Time;
use crate::trace::Trace;

/// Everything that can happen to a broker. A recording is a list of these.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Input {
    /// A transport was accepted and, for TLS, its handshake is done.
    Opened {
        /// The driver's new name for it.
        conn: ConnectionId,
        /// Where it came from.
        peer: Peer,
    },
    /// Bytes arrived, cut anywhere. The core works on slices of them and copies what it keeps for long.
    Received {
        /// On which transport.
        conn: ConnectionId,
        /// What arrived.
        bytes: Bytes,
    },
    /// The transport took this many of the bytes that [`Broker::outgoing`](crate::Broker::outgoing) showed.
    Sent {
        /// Which transport.
        conn: ConnectionId,
        /// How many bytes.
        len: u32,
    },
    /// The transport is gone; without a DISCONNECT 0x00 before it, the Will is due.
    Closed {
        /// Which transport.
        conn: ConnectionId,
    },
    /// The answer to an [`Output::Ask`].
    Answered {
        /// Which question.
        question: QuestionId,
        /// The answer.
        verdict: Verdict,
    },
    /// Every record up to this one is on stable storage.
    Stored {
        /// The last one that is.
        upto: Lsn,
    },
    /// Storing failed from this record on; nothing held behind it may be acknowledged. The log has a gap now: before it
    /// says `Stored` again, the driver writes it anew from [`Broker::records`](crate::Broker::records).
    StoreFailed {
        /// The first record that was not stored.
        from: Lsn,
    },
    /// An operator's wish, answered by [`Output::Reply`] with the same id.
    Command {
        /// The driver's name for it.
        id: CommandId,
        /// What is wished.
        command: Command,
    },
    /// The machine slept: Keep Alives start again, expiry and Will Delay count the sleep.
    Woke {
        /// For how long, in microseconds.
        slept_us: u64,
    },
    /// Ends a turn, and is the only input that fires timers, in order of time.
    Tick,
    /// The answer to an [`Output::Dial`] that led nowhere; the bridge dials again later. Means nothing to a bridge that
    /// waits for no answer.
    DialFailed {
        /// Which bridge.
        bridge: BridgeId,
    },
}

/// What a broker wants done that is not bytes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Output {
    /// Append to the log; what depends on it waits for [`Input::Stored`].
    Append {
        /// Its place in the log.
        lsn: Lsn,
        /// What to append.
        record: Record,
    },
    /// Stop or resume reading this transport: the core's only back-pressure.
    Read {
        /// Which transport.
        conn: ConnectionId,
        /// Whether to read it.
        on: bool,
    },
    /// Send what is outgoing, at the latest until then, and close the transport. The driver answers with
    /// [`Input::Closed`] when it is gone.
    Close {
        /// Which transport.
        conn: ConnectionId,
        /// Why, for logs and for the close code of a WebSocket.
        why: CloseReason,
        /// The driver gives up sending at this moment.
        linger_until: Time,
    },
    /// Who is this client, and what may it do?
    Ask {
        /// To be named in the answer.
        question: QuestionId,
        /// The question.
        what: Question,
    },
    /// The answer to a command.
    Reply {
        /// Which command.
        id: CommandId,
        /// The answer.
        reply: Reply,
    },
    /// Connected, refused, disconnected, dropped, limit hit: rare, always on, with the statement.
    Event(Event),
    /// What happened to each message and why; only when [`Config::trace`](crate::Config::trace) is on.
    Trace(Trace),
    /// A bridge wants a transport to its remote. Answered once, however long that takes: by [`Input::Opened`] with
    /// [`Transport::Bridge`], or by [`Input::DialFailed`]. From then on it is a connection like any other.
    Dial {
        /// Which bridge, to be named in the answer.
        bridge: BridgeId,
        /// Where to: [`BridgeConfig::target`] as it was given.
        target: String,
    },
}

/// Where a transport came from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Peer {
    /// The driver's number for the listener that accepted it.
    pub listener: u16,
    /// The peer's address as people write it, such as `127.0.0.1:49152`; for logs only.
    pub address: String,
    /// What carries the bytes.
    pub transport: Transport,
    /// Who the transport already proved the peer to be, such as a certificate's subject.
    pub identity: Option<String>,
}

impl Peer {
    /// Stands where a peer is about to be read.
    pub(crate) fn nobody() -> Peer {
        Peer { listener: 0, address: String::new(), transport: Transport::Local, identity: None }
    }
}

/// What carries the bytes of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Transport {
    /// A TCP connection, with or without TLS.
    Tcp,
    /// A WebSocket connection.
    WebSocket,
    /// A channel inside the process or the page.
    Local,
    /// Dialled for this bridge: the peer is a server, and we are its client.
    Bridge(BridgeId),
}

/// Why the broker closes a transport.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum CloseReason {
    /// The client said DISCONNECT, or refused to go on with its own reason.
    Client(ReasonCode),
    /// The client did something that it may not, or that could not be granted.
    Fault(Fault),
    /// The broker ends: [`Command::Stop`].
    Stopping,
    /// Another connection took over the Session.
    TakenOver,
    /// An operator wished it: [`Command::Kick`].
    Kicked(ReasonCode),
    /// The remote of a bridge said no in its CONNACK.
    Remote(ReasonCode),
    /// The bridge is removed, configured anew, or had no use for the transport any more.
    BridgeRemoved,
}

impl CloseReason {
    /// The Reason Code that says the same.
    #[must_use]
    pub fn reason(&self) -> ReasonCode {
        match self {
            CloseReason::Client(reason) | CloseReason::Kicked(reason) | CloseReason::Remote(reason) => *reason,
            CloseReason::Fault(fault) => fault.reason(),
            CloseReason::Stopping => ReasonCode::ServerShuttingDown,
            CloseReason::TakenOver => ReasonCode::SessionTakenOver,
            CloseReason::BridgeRemoved => ReasonCode::NORMAL_DISCONNECTION,
        }
    }
}

/// What the driver must decide for the core.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Question {
    /// A CONNECT: who is this, and may it connect? With an Authentication Method it begins an exchange (4.12).
    Connect {
        /// The transport it came on.
        conn: ConnectionId,
        /// Where that came from.
        peer: Peer,
        /// The version the client speaks.
        version: ProtocolVersion,
        /// The Client Identifier, already assigned if the client sent none.
        client_identifier: String,
        /// User Name, if sent.
        user_name: Option<String>,
        /// Password, if sent.
        password: Option<Bytes>,
        /// Authentication Method and Authentication Data, if sent.
        authentication: Option<(String, Option<Bytes>)>,
    },
    /// An AUTH packet that goes on with an exchange, or begins a re-authentication (4.12.1).
    Authenticate {
        /// The transport it came on.
        conn: ConnectionId,
        /// Who is speaking.
        client_identifier: String,
        /// The method, the same as in the CONNECT.
        method: String,
        /// Authentication Data, if sent.
        data: Option<Bytes>,
        /// Whether this packet begins a re-authentication.
        again: bool,
    },
}

/// The driver's answer to a [`Question`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Verdict {
    /// The client is who it says.
    Allow(Grant),
    /// The exchange goes on: this Authentication Data is sent in an AUTH with 0x18.
    Continue {
        /// Authentication Data for the client.
        data: Bytes,
    },
    /// The client may not connect, or not go on.
    Refuse {
        /// What is told to the client; 3.x clients get the nearest return code or a close.
        reason: ReasonCode,
        /// For people, if the client wants such things.
        reason_string: Option<String>,
        /// Another server to use, with 0x9C or 0x9D (4.11).
        server_reference: Option<String>,
    },
}

/// What an authenticated client is given.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Grant {
    /// Who it is; stands for `%u` in its permissions and in the `$SYS` and log lines. `None` is anonymous.
    pub user: Option<String>,
    /// What it may do; `None` means [`Config::permissions`](crate::Config::permissions).
    pub permissions: Option<Permissions>,
    /// The last Authentication Data of an exchange, for CONNACK or AUTH 0x00.
    pub authentication_data: Option<Bytes>,
}

/// An operator's wish.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Command {
    /// Publish a message as the broker itself, without a client.
    Publish {
        /// Topic Name.
        topic: String,
        /// Application Message.
        payload: Bytes,
        /// QoS of the message.
        qos: Qos,
        /// Whether it is to be retained.
        retain: bool,
    },
    /// End a client's connection, and its Session if wished.
    Kick {
        /// Which client.
        client_identifier: String,
        /// What a 5.0 client is told; 0x98 (Administrative action) is usual.
        reason: ReasonCode,
        /// Whether its Session ends too.
        end_session: bool,
    },
    /// New limits from now on; what stands above them stays until it shrinks by itself.
    SetLimits(Limits),
    /// New permissions for clients that no verdict gave their own.
    SetPermissions(Permissions),
    /// Look at the state, a page at a time.
    Inspect {
        /// What to look at.
        subject: Subject,
        /// Entries to skip.
        skip: u32,
        /// Entries to show at most.
        limit: u32,
    },
    /// All counters and gauges.
    Count,
    /// [`Broker::digest`](crate::Broker::digest) now.
    Digest,
    /// [`Broker::save`](crate::Broker::save) now.
    Save,
    /// End cleanly: Will Messages without a delay are published, then every 5.0 client is told 0x8B and every transport
    /// closed. Nothing is accepted from then on.
    Stop,
    /// Adds a bridge, or gives the one of this name another configuration; its Session goes on in either case, and also
    /// if a restored one waits for the name. Answered by [`Reply::Bridge`] or [`Reply::NoBridge`]; then it dials. A
    /// driver adds its bridges in the first turn of a broker, before the `Tick`: a Session that waits may expire there.
    AddBridge(Box<BridgeConfig>),
    /// Ends a bridge and its Session, at the remote too if that speaks 5.0 and is connected.
    RemoveBridge {
        /// Its name.
        name: String,
    },
    /// Explain each delivery and non-delivery from now on, or no more; see [`Config::trace`](crate::Config::trace).
    SetTrace(bool),
}

/// The answer to a [`Command`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// Done.
    Done,
    /// Not done, and the Reason Code that says why.
    Refused(ReasonCode),
    /// A page of what was asked for.
    Page(Page),
    /// All counters and gauges.
    Counters(Box<Counters>),
    /// The digest.
    Digest(u64),
    /// The saved state.
    Saved(Vec<u8>),
    /// The bridge is added; this is its number, until it is removed or added again.
    Bridge(BridgeId),
    /// The bridge is not added, and nothing has changed.
    NoBridge(BridgeError),
}

/// Rare things that operators want to read: always on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Event {
    /// A client is connected: CONNACK with success is on its way.
    Connected {
        /// Its transport.
        conn: ConnectionId,
        /// Its Client Identifier.
        client_identifier: String,
        /// The version it speaks.
        version: ProtocolVersion,
        /// Who it proved to be.
        user: Option<String>,
        /// Clean Start or Clean Session.
        clean_start: bool,
        /// Whether it continues a Session.
        session_present: bool,
        /// Keep Alive in force, in seconds; 0 = none.
        keep_alive_s: u16,
    },
    /// A transport never became a connected client.
    Refused {
        /// The transport.
        conn: ConnectionId,
        /// The Client Identifier, if it got so far.
        client_identifier: Option<String>,
        /// Why.
        fault: Fault,
    },
    /// A connected client is not connected any more.
    Disconnected {
        /// Its transport.
        conn: ConnectionId,
        /// Its Client Identifier.
        client_identifier: String,
        /// Why; `None` when the transport went without a word.
        why: Option<CloseReason>,
        /// Whether its Session lives on.
        session_kept: bool,
    },
    /// Messages are being dropped for a Session. Told once when it begins; [`Counters`] has the numbers.
    Dropping {
        /// The Session's Client Identifier.
        client_identifier: String,
        /// Why.
        why: DropReason,
    },
    /// A limit was reached and its answer given.
    LimitReached {
        /// Whose action reached it, if a client's.
        client_identifier: Option<String>,
        /// Which limit and which answer.
        fault: Fault,
    },
    /// A Session ended.
    SessionEnded {
        /// Its Client Identifier.
        client_identifier: String,
        /// Why.
        why: SessionEnd,
    },
    /// A bridge is connected: its remote has accepted it.
    BridgeUp {
        /// Its name.
        name: String,
        /// Its transport.
        conn: ConnectionId,
        /// Whether the remote goes on with our Session.
        session_present: bool,
        /// Keep Alive in force, in seconds; 0 = none.
        keep_alive_s: u16,
    },
    /// A bridge is not connected any more, or an attempt to connect it has failed.
    BridgeDown {
        /// Its name.
        name: String,
        /// Why.
        why: BridgeEnd,
        /// When it dials again; `None` if it won't.
        dials_at: Option<Time>,
    },
    /// The remote does not grant a topic to a bridge, or can't: what is published there under it does not come.
    BridgeTopicRefused {
        /// The bridge's name.
        name: String,
        /// The Topic Filter as the remote was asked for it.
        filter: String,
        /// Its reason.
        reason: ReasonCode,
    },
}

/// Why a Session ended (3.1.2.11.2, 4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SessionEnd {
    /// Its expiry interval passed, 0 included.
    Expired,
    /// A CONNECT with Clean Start 1 replaced it.
    CleanStart,
    /// An operator ended it.
    Kicked,
    /// Its bridge was removed.
    BridgeRemoved,
}

/// Why a message was dropped for one Session.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum DropReason {
    /// The Session's queue is full.
    QueueFull,
    /// QoS 0, and too much is unsent on its connection.
    OutboxFull,
    /// Longer than the client's Maximum Packet Size [5:MQTT-3.1.2-25].
    PacketTooLarge,
    /// Its Message Expiry Interval passed [5:MQTT-3.3.2-5].
    Expired,
    /// The broker is near its bound on memory.
    Memory,
}
