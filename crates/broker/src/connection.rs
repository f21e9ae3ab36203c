//! A transport's life, from its opening to its close: cutting what arrives into packets, and handing each to the file
//! that knows what it means. A Session is not a connection; what must outlive the transport is kept there.
//!
//! ```text
//!   AwaitConnect ── CONNECT ──► Asking ── Allow ──────────────► Live ──► Closing
//!        │                        │  ▲                           ▲          ▲
//!        │                Continue│  │AUTH                       │          │
//!        │                        ▼  │                           │          │
//!        │                     Exchanging                        │          │
//!        ├── CONNECT, nobody need be asked ──────────────────────┘          │
//!        └── anything else; from every state: a fault, a timeout ───────────┘
//! ```

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use wasmqtt_codec::{self as codec, Ack, AckKind, Framing, Packet, PacketType, ProtocolVersion, Qos, Sender};

use crate::alias::{InboundAliases, OutboundAliases};
use crate::bridge_config::BridgeEnd;
use crate::broker::Broker;
use crate::config::Limits;
use crate::door::{CloseReason, Output, Peer, Transport};
use crate::durable::Held;
use crate::error::{Fault, Refusal, Violation};
use crate::frames::PACKET_BYTES_LIMIT;
use crate::id::{BridgeId, ConnectionId, Lsn, QuestionId};
use crate::inflight::Quota;
use crate::outbox::Outbox;
use crate::route::Matches;
use crate::saved::saved;
use crate::time::Time;
use crate::timers::{Timer, TimerKey};

/// Seconds that a closed transport may take to send its last bytes.
const LINGER_S: u64 = 5;

/// Where a connection stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// No CONNECT yet.
    AwaitConnect,
    /// The driver is asked about a CONNECT or an AUTH before CONNACK.
    Asking { question: QuestionId, connect: Box<Pending> },
    /// The client's next AUTH is awaited before CONNACK.
    Exchanging { connect: Box<Pending> },
    /// CONNACK is sent.
    Live { session: u32 },
    /// The driver was told to close; nothing that comes is heard.
    Closing,
    /// Dialled for a bridge: CONNECT is sent, CONNACK has not come.
    Dialled { bridge: BridgeId },
    /// As `Live`, but here we are the client.
    Bridged { session: u32, bridge: BridgeId },
}

/// A CONNECT that waits for its verdict: the packet itself, decoded again when it goes on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub packet: Bytes,
    /// The client's own, or assigned.
    pub client_identifier: String,
    pub assigned: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub id: ConnectionId,
    pub peer: Box<Peer>,
    pub phase: Phase,
    pub version: ProtocolVersion,
    /// The beginning of a packet whose rest has not come.
    partial: Vec<u8>,
    /// What has come and may not be looked at yet.
    waiting: VecDeque<Bytes>,
    /// What the driver was last told.
    reading: bool,
    in_backlog: bool,
    /// Named by `ready` already, or about to be.
    pub listed: bool,
    pub outbox: Outbox,
    /// Packets behind records that are not yet stored.
    pub held: VecDeque<Held>,
    pub held_bytes: u64,
    /// How many of them are PUBLISH packets.
    pub held_messages: u32,
    /// While CONNACK is held, nothing may overtake it [5:MQTT-3.2.0-1], nor what is held for it [5:MQTT-4.6.0-6].
    pub opening: Option<Lsn>,
    /// The turn in which the outbox last began to fill.
    pub filled_in_turn: u64,
    /// Bytes of answers, which can't be dropped, since the outbox was last empty.
    pub answer_bytes: u64,
    /// What `memory_bytes` counts for this connection beside its outbox.
    pub counted_bytes: u64,
    /// In force; 0 = none.
    pub keep_alive_s: u16,
    pub last_packet_at: Time,
    pub timer: Option<TimerKey>,
    /// The client's Maximum Packet Size [5:MQTT-3.1.2-24].
    pub packet_bytes_max: u32,
    /// What CONNACK told the client; limits that change later don't change a word that was given.
    pub announced: Announced,
    /// Request Problem Information [5:MQTT-3.1.2-29].
    pub wants_reasons: bool,
    /// Inbound QoS 1 and 2 publications of this connection that are not finished (4.9).
    pub unfinished: u16,
    /// Outbound QoS 1 and 2 publications that may be unfinished.
    pub quota: Quota,
    pub aliases_in: InboundAliases,
    pub aliases_out: OutboundAliases,
    /// Authentication Method of the CONNECT.
    pub method: Option<String>,
    /// Whether the level had its highest bit set: mosquitto's mark of a bridge, which wants RETAIN as published and no
    /// echo of its own messages.
    pub bridge: bool,
    /// A re-authentication has begun.
    pub reauthenticating: bool,
    /// A re-authentication that waits for its verdict.
    pub reauthentication: Option<QuestionId>,
    /// The topic published last and where it goes.
    pub cache: Option<Box<TopicCache>>,
}

saved!(Connection from Connection::new(ConnectionId { slot: 0, generation: 0 }, Peer::nobody(), Time(0));
    id, peer, phase, version, partial, waiting, reading, in_backlog, listed, outbox, held, held_bytes,
    held_messages, opening, answer_bytes, counted_bytes, keep_alive_s, last_packet_at, timer, packet_bytes_max,
    announced, wants_reasons, unfinished, quota, aliases_in, aliases_out, method, bridge, reauthenticating,
    reauthentication;
    without filled_in_turn, cache
);

/// What the last PUBLISH of a connection had to look up. Publishers stay with a topic more often than not.
#[derive(Clone, Debug, Default)]
pub(crate) struct TopicCache {
    pub topic: String,
    /// Memory for the next topic.
    pub spare: String,
    pub looked_up: LookedUp,
}

/// What a Topic Name led to.
#[derive(Clone, Debug, Default)]
pub(crate) struct LookedUp {
    /// Whether its publisher may publish to it; void when permissions change.
    pub permitted: bool,
    pub matches: Matches,
}

/// Limits on what a client may send, as they were when it connected.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Announced {
    pub packet_bytes_max: u32,
    pub receive_maximum: u16,
    pub topic_alias_maximum: u16,
    pub maximum_qos: Qos,
    pub retain_available: bool,
}

impl Announced {
    pub(crate) fn new(limits: &Limits) -> Self {
        Announced {
            packet_bytes_max: limits.packet_bytes_max,
            receive_maximum: limits.receive_maximum,
            topic_alias_maximum: limits.topic_alias_maximum,
            maximum_qos: limits.maximum_qos,
            retain_available: limits.retain_available,
        }
    }
}

impl Connection {
    /// Bytes that the client is owed, held ones included.
    pub(crate) fn owed_bytes(&self) -> u64 {
        self.outbox.len() + self.held_bytes
    }

    /// What it keeps beside its outbox and itself.
    fn weight(&self) -> u64 {
        let pending = match &self.phase {
            Phase::Asking { connect, .. } | Phase::Exchanging { connect } => connect.packet.len(),
            Phase::AwaitConnect | Phase::Live { .. } | Phase::Closing => 0,
            Phase::Dialled { .. } | Phase::Bridged { .. } => 0,
        };
        let waiting: usize = self.waiting.iter().map(Bytes::len).sum();
        (pending + waiting + self.partial.len()) as u64 + self.held_bytes + self.aliases_in.bytes()
    }

    pub(crate) fn session(&self) -> Option<u32> {
        match self.phase {
            Phase::Live { session } | Phase::Bridged { session, .. } => Some(session),
            Phase::AwaitConnect | Phase::Asking { .. } | Phase::Exchanging { .. } | Phase::Closing => None,
            Phase::Dialled { .. } => None,
        }
    }

    /// Whether something has come that nobody looked at yet.
    pub(crate) fn has_unread(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn new(id: ConnectionId, peer: Peer, now: Time) -> Self {
        Connection {
            id,
            peer: Box::new(peer),
            phase: Phase::AwaitConnect,
            version: ProtocolVersion::V3_1_1,
            partial: Vec::new(),
            waiting: VecDeque::new(),
            reading: true,
            in_backlog: false,
            listed: false,
            outbox: Outbox::default(),
            held: VecDeque::new(),
            held_bytes: 0,
            held_messages: 0,
            opening: None,
            filled_in_turn: 0,
            answer_bytes: 0,
            counted_bytes: 0,
            keep_alive_s: 0,
            last_packet_at: now,
            timer: None,
            packet_bytes_max: PACKET_BYTES_LIMIT,
            announced: Announced::default(),
            wants_reasons: true,
            unfinished: 0,
            quota: Quota::NONE,
            aliases_in: InboundAliases::default(),
            aliases_out: OutboundAliases::default(),
            method: None,
            bridge: false,
            reauthenticating: false,
            reauthentication: None,
            cache: None,
        }
    }
}

impl Broker {
    pub(crate) fn opened(&mut self, id: ConnectionId, peer: Peer) {
        let slot = id.slot as usize;
        if self.connections.len() <= slot {
            self.connections.resize_with(slot + 1, || None);
        }
        assert!(self.connections[slot].is_none(), "the driver opened a slot that is in use");
        self.counters.connections_opened += 1;
        self.counters.connections += 1;
        let transport = peer.transport;
        let mut connection = Connection::new(id, peer, self.now);
        let patience = u64::from(self.config.limits.connect_timeout_s);
        connection.timer = Some(self.timers.arm(self.now.plus_s(patience), Timer::Connection(id)));
        self.connections[slot] = Some(Box::new(connection));
        if let Transport::Bridge(bridge) = transport {
            self.bridge_opened(id.slot, bridge);
        }
    }

    /// The slot of a connection, if the driver means one that still is.
    pub(crate) fn slot(&self, id: ConnectionId) -> Option<u32> {
        let connection = self.connections.get(id.slot as usize)?.as_ref()?;
        (connection.id == id).then_some(id.slot)
    }

    #[cfg_attr(not(target_os = "unknown"), inline(always))]
    pub(crate) fn connection(&mut self, slot: u32) -> &mut Connection {
        self.connections[slot as usize].as_mut().expect("a slot that is kept names an open connection")
    }

    pub(crate) fn received(&mut self, id: ConnectionId, bytes: Bytes) {
        let Some(slot) = self.slot(id) else { return };
        self.counters.bytes_received += bytes.len() as u64;
        let goes_on = self.goes_on(slot);
        let connection = self.connection(slot);
        if matches!(connection.phase, Phase::Closing) {
            return;
        }
        if goes_on && connection.waiting.is_empty() {
            self.read(slot, bytes);
        } else {
            // It may have to wait for long: on its own memory it pins no block.
            connection.waiting.push_back(Bytes::copy_from_slice(&bytes));
            self.stall(slot);
        }
        self.weigh(slot);
    }

    /// Counts what a connection keeps; ends it if that is what exceeds the bound on memory.
    pub(crate) fn weigh(&mut self, slot: u32) {
        let connection = self.connection(slot);
        let (new, live) = (connection.weight(), !matches!(connection.phase, Phase::Closing));
        let old = core::mem::replace(&mut connection.counted_bytes, new);
        self.connection_bytes = self.connection_bytes + new - old;
        if new > old && live && self.memory_bytes() > self.config.limits.memory_bytes_max {
            let fault = self.refused(slot, Refusal::Memory);
            self.fault(slot, fault);
        }
    }

    /// Whether all that waits for this client came in this turn, so that the transport has not had the chance to take
    /// it. Memory may be shared with it: what stalls is copied, or it would pin the blocks that others are read into.
    pub(crate) fn is_fresh(&self, slot: u32) -> bool {
        let connection = self.connections[slot as usize].as_ref();
        connection.is_some_and(|connection| connection.outbox.is_empty() || connection.filled_in_turn == self.turn)
    }

    /// Whether the next packet of a connection may be looked at now.
    fn goes_on(&self, slot: u32) -> bool {
        let connection = self.connections[slot as usize].as_ref();
        let listens = connection.is_some_and(|connection| match connection.phase {
            Phase::AwaitConnect | Phase::Exchanging { .. } | Phase::Live { .. } => true,
            Phase::Dialled { .. } | Phase::Bridged { .. } => true,
            Phase::Asking { .. } | Phase::Closing => false,
        });
        listens && self.turn_bytes < self.config.limits.turn_bytes_max
    }

    /// Stops reading a connection until what has come is done with.
    fn stall(&mut self, slot: u32) {
        let connection = self.connection(slot);
        if core::mem::replace(&mut connection.reading, false) {
            let id = connection.id;
            self.outputs.push_back(Output::Read { conn: id, on: false });
        }
        let connection = self.connection(slot);
        if !matches!(connection.phase, Phase::Asking { .. }) {
            self.join_backlog(slot);
        }
    }

    /// Sees to it that the next turn looks at a connection without a new input.
    pub(crate) fn join_backlog(&mut self, slot: u32) {
        let connection = self.connection(slot);
        let id = connection.id;
        if !core::mem::replace(&mut connection.in_backlog, true) {
            self.backlog.push_back(id);
        }
    }

    /// Goes on where the last turn or an open question stopped, oldest first.
    pub(crate) fn work_off_backlog(&mut self) {
        for _ in 0..self.backlog.len() {
            let Some(id) = self.backlog.pop_front() else { return };
            let Some(slot) = self.slot(id) else { continue };
            self.connection(slot).in_backlog = false;
            self.resume(slot);
        }
    }

    /// Looks at what waits, as far as it may, and reads on once nothing does.
    pub(crate) fn resume(&mut self, slot: u32) {
        while self.goes_on(slot) {
            let Some(bytes) = self.connection(slot).waiting.pop_front() else { break };
            self.read(slot, bytes);
        }
        if let Some(session) = self.connection(slot).session() {
            self.pump(session);
        }
        let connection = self.connection(slot);
        match connection.phase {
            Phase::Closing => connection.waiting.clear(),
            Phase::Asking { .. } => {}
            Phase::AwaitConnect
            | Phase::Exchanging { .. }
            | Phase::Live { .. }
            | Phase::Dialled { .. }
            | Phase::Bridged { .. } => {
                if !connection.waiting.is_empty() {
                    self.stall(slot);
                } else if !core::mem::replace(&mut connection.reading, true) {
                    let conn = connection.id;
                    self.outputs.push_back(Output::Read { conn, on: true });
                }
            }
        }
    }

    /// Cuts bytes into packets and handles each.
    fn read(&mut self, slot: u32, bytes: Bytes) {
        let connection = self.connection(slot);
        let begins = matches!(connection.phase, Phase::AwaitConnect) && connection.partial.is_empty();
        if begins && bytes.first().is_some_and(|byte| byte >> 4 != PacketType::Connect.bits()) {
            // Whatever speaks another protocol need not wait for a packet to be complete [5:MQTT-3.1.0-1].
            return self.violation(slot, Violation::NoConnect);
        }
        let mut at = match self.connection(slot).partial.is_empty() {
            true => 0,
            false => self.join(slot, &bytes),
        };
        while at < bytes.len() {
            if !self.goes_on(slot) {
                if !matches!(self.connection(slot).phase, Phase::Closing) {
                    let rest = Bytes::copy_from_slice(&bytes[at..]);
                    self.connection(slot).waiting.push_front(rest);
                    self.stall(slot);
                }
                return;
            }
            match codec::frame(&bytes[at..], self.packet_bytes_max(slot)) {
                Ok(Framing::Complete { total_bytes, .. }) => {
                    self.packet(slot, &bytes, at as u32, (at + total_bytes) as u32);
                    at += total_bytes;
                }
                Ok(Framing::Incomplete { .. }) => {
                    self.connection(slot).partial = bytes[at..].to_vec();
                    return;
                }
                Err(error) => return self.packet_fault(slot, error),
            }
        }
    }

    /// The largest packet that a client may send now: little before it is known, as was announced from then on.
    fn packet_bytes_max(&self, slot: u32) -> u32 {
        let limits = &self.config.limits;
        match self.connections[slot as usize].as_ref() {
            Some(connection) if connection.session().is_some() => connection.announced.packet_bytes_max,
            _ => limits.connect_bytes_max.min(limits.packet_bytes_max),
        }
    }

    /// Completes a packet that began in an earlier read; says how many bytes that took. It is copied just once, and a
    /// client that only announces a large packet makes nobody reserve memory for it.
    fn join(&mut self, slot: u32, bytes: &Bytes) -> usize {
        let packet_bytes_max = self.packet_bytes_max(slot);
        let connection = self.connection(slot);
        let mut at = 0;
        loop {
            let needed = match codec::frame(&connection.partial, packet_bytes_max) {
                Ok(Framing::Incomplete { needed }) => needed,
                Ok(Framing::Complete { .. }) => break,
                Err(error) => {
                    self.packet_fault(slot, error);
                    return bytes.len();
                }
            };
            if at == bytes.len() {
                return at;
            }
            let take = (needed - connection.partial.len()).min(bytes.len() - at);
            connection.partial.extend_from_slice(&bytes[at..at + take]);
            at += take;
        }
        let packet = Bytes::from(core::mem::take(&mut connection.partial));
        self.packet(slot, &packet, 0, packet.len() as u32);
        at
    }

    /// One whole packet: `bytes[start..end]`.
    fn packet(&mut self, slot: u32, bytes: &Bytes, start: u32, end: u32) {
        self.counters.packets_received += 1;
        let now = self.now;
        let connection = self.connection(slot);
        connection.last_packet_at = now;
        let kind = PacketType::from_bits(bytes[start as usize] >> 4);
        let Phase::Live { session } = connection.phase else {
            return self.packet_without_session(slot, kind, bytes, (start, end));
        };
        if kind == Some(PacketType::Publish) {
            if !self.publish_again(slot, session, bytes, start, end) {
                self.publish(slot, session, bytes, start, end);
            }
            return;
        }
        let version = connection.version;
        let frame = &bytes[start as usize..end as usize];
        if let Some((kind, ack)) = Ack::from_short(frame) {
            return self.acknowledged(slot, session, kind, &ack);
        }
        match Packet::decode(frame, version, Sender::Client) {
            Ok(packet) => self.live_packet(slot, session, packet),
            Err(error) => self.packet_fault(slot, error),
        }
    }

    /// A packet of a client that has no Session yet or no longer, or of a bridge's remote.
    #[inline(never)]
    fn packet_without_session(&mut self, slot: u32, kind: Option<PacketType>, bytes: &Bytes, (start, end): (u32, u32)) {
        let packet = &bytes[start as usize..end as usize];
        match (&self.connection(slot).phase, kind) {
            (Phase::AwaitConnect, Some(PacketType::Connect)) => self.connect(slot, Bytes::copy_from_slice(packet)),
            // [5:MQTT-3.1.0-1] [311:MQTT-3.1.0-1]
            (Phase::AwaitConnect, _) => self.violation(slot, Violation::NoConnect),
            (Phase::Exchanging { .. }, _) => self.exchange_packet(slot, packet),
            (&Phase::Dialled { bridge }, _) => self.connack(slot, bridge, packet),
            (&Phase::Bridged { session, bridge }, _) => self.bridge_packet(slot, session, bridge, bytes, (start, end)),
            (Phase::Asking { .. } | Phase::Closing, _) => {}
            (Phase::Live { .. }, _) => unreachable!("the caller has taken it"),
        }
    }

    #[inline(never)]
    fn live_packet(&mut self, slot: u32, session: u32, packet: Packet<'_>) {
        match packet {
            Packet::Puback(ack) => self.acknowledged_in_full(slot, session, AckKind::Puback, &ack),
            Packet::Pubrec(ack) => self.acknowledged_in_full(slot, session, AckKind::Pubrec, &ack),
            Packet::Pubrel(ack) => self.acknowledged_in_full(slot, session, AckKind::Pubrel, &ack),
            Packet::Pubcomp(ack) => self.acknowledged_in_full(slot, session, AckKind::Pubcomp, &ack),
            Packet::Subscribe(subscribe) => self.subscribe(slot, session, &subscribe),
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe(slot, session, &unsubscribe),
            // [5:MQTT-3.12.4-1] [311:MQTT-3.12.4-1]
            Packet::Pingreq => self.send(slot, &Packet::Pingresp),
            Packet::Disconnect(disconnect) => self.disconnect(slot, session, &disconnect),
            Packet::Auth(auth) => self.reauthenticate(slot, &auth),
            // [5:MQTT-3.1.0-2] [311:MQTT-3.1.0-2]
            Packet::Connect(_) => self.violation(slot, Violation::SecondConnect),
            Packet::Publish(_) | Packet::Connack(_) | Packet::Suback(_) | Packet::Unsuback(_) | Packet::Pingresp => {
                unreachable!("handled before, or refused by the codec from a client")
            }
        }
    }

    /// The transport took bytes.
    pub(crate) fn sent(&mut self, id: ConnectionId, len: u32) {
        let Some(slot) = self.slot(id) else { return };
        self.counters.bytes_sent += u64::from(len);
        let connection = self.connection(slot);
        let before = connection.outbox.len();
        connection.outbox.forget(u64::from(len));
        let after = connection.outbox.len();
        if after == 0 {
            connection.answer_bytes = 0;
        }
        let session = connection.session();
        self.outbox_bytes -= before - after;
        if let Some(session) = session {
            if after == 0 && self.sessions[session].queue.is_empty() {
                self.sessions[session].dropping = false;
            }
            self.pump(session);
        }
    }

    /// The transport is gone.
    pub(crate) fn closed(&mut self, id: ConnectionId) {
        let Some(slot) = self.slot(id) else { return };
        self.read_the_rest(slot);
        if let Some(session) = self.connection(slot).session() {
            self.depart(slot, session, None, true);
        } else if let Phase::Dialled { bridge } = self.connection(slot).phase {
            self.bridge_left(bridge, BridgeEnd::Lost);
        }
        self.forget_question(slot);
        let connection = self.connections[id.slot as usize].take().expect("the slot was just seen");
        self.outbox_bytes -= connection.outbox.len();
        self.connection_bytes -= connection.counted_bytes;
        self.timers.cancel(connection.timer);
        self.counters.connections -= 1;
    }

    /// What a transport brought before it went is worked off at once, whatever this turn has produced: a DISCONNECT in
    /// it takes the Will back [5:MQTT-3.14.4-3] [311:MQTT-3.14.4-3]. It is little, for reading stopped when it began to
    /// wait.
    fn read_the_rest(&mut self, slot: u32) {
        let produced = self.turn_bytes;
        let mut more: u32 = 0;
        while matches!(self.connection(slot).phase, Phase::Live { .. } | Phase::Bridged { .. })
            && let Some(bytes) = self.connection(slot).waiting.pop_front()
        {
            self.turn_bytes = 0;
            self.read(slot, bytes);
            more = more.saturating_add(self.turn_bytes);
        }
        self.turn_bytes = produced.saturating_add(more);
    }

    /// Tells the driver to close a transport [5:MQTT-3.14.4-2] once it has sent what is outgoing; nothing is added to
    /// that [5:MQTT-3.14.4-1].
    pub(crate) fn close(&mut self, slot: u32, why: CloseReason) {
        self.forget_question(slot);
        let linger_until = self.now.plus_s(LINGER_S);
        let connection = self.connection(slot);
        connection.phase = Phase::Closing;
        connection.partial = Vec::new();
        connection.waiting = VecDeque::new();
        connection.held = VecDeque::new();
        connection.held_bytes = 0;
        connection.held_messages = 0;
        connection.cache = None;
        let (conn, timer) = (connection.id, connection.timer.take());
        self.timers.cancel(timer);
        self.weigh(slot);
        self.outputs.push_back(Output::Close { conn, why, linger_until });
    }

    pub(crate) fn packet_fault(&mut self, slot: u32, error: codec::DecodeError) {
        let version = self.connection(slot).version;
        self.fault(slot, Fault::Packet { rule: error.rule, offset: error.offset, version });
    }

    /// A refusal, in the version that the connection speaks.
    pub(crate) fn refused(&mut self, slot: u32, refusal: Refusal) -> Fault {
        Fault::Refused(refusal, self.connection(slot).version)
    }

    pub(crate) fn violation(&mut self, slot: u32, violation: Violation) {
        let version = self.connection(slot).version;
        self.fault(slot, Fault::Violation(violation, version));
    }
}
