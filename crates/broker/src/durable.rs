//! What keeps promises across a crash. A record goes out for each change of durable state; every packet that a crash
//! could turn into a lie is held on its connection until the records before it are stored. Held packets keep their
//! order among themselves (4.6), and nothing else waits behind them.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use wasmqtt_codec::{Ack, AckKind, Packet, PacketIdentifier, Properties, ProtocolVersion, ReasonCode};

use crate::broker::Broker;
use crate::config::Storage;
use crate::door::{Event, Output};
use crate::error::{Fault, Refusal};
use crate::id::{ConnectionId, Lsn};
use crate::record::Record;

/// How far the log is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Log {
    /// The last record that went out.
    pub last: Lsn,
    /// The last one that is known to be stored.
    stored: Lsn,
    /// Records that are not stored yet and say that a client's Session ended, with the client's mark.
    ended: VecDeque<(Lsn, u64)>,
    /// Storing failed; until it works again nothing is accepted that needs it.
    pub failed: bool,
    /// Connections that hold packets, by what these wait for.
    waiting: VecDeque<(Lsn, ConnectionId)>,
}

impl Log {
    /// A log whose records are all stored.
    pub(crate) fn stored_upto(last: Lsn) -> Self {
        Log { last, stored: last, ..Log::default() }
    }
}

/// A packet behind a record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Held {
    lsn: Lsn,
    what: What,
    bytes: Vec<u8>,
}

/// What a held packet is, as far as it matters when storing fails or it is let go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum What {
    /// PUBACK with success; lets go of the client's quota when it leaves.
    Puback(PacketIdentifier),
    /// CONNACK.
    Connack,
    /// A PUBLISH.
    Message,
    /// A packet that needs no answer of its own when storing fails.
    Other,
}

impl Broker {
    /// Whether changes are written to a log at all.
    pub(crate) fn is_logging(&self) -> bool {
        self.config.storage == Storage::Log
    }

    /// Whether what needs the log can be accepted now.
    pub(crate) fn can_store(&self) -> bool {
        !self.log.failed
    }

    pub(crate) fn append(&mut self, record: Record) {
        if self.is_logging() {
            self.log.last.0 += 1;
            self.outputs.push_back(Output::Append { lsn: self.log.last, record });
        }
    }

    /// Writes down that a Session ended; `client` is its client's mark.
    pub(crate) fn append_ended(&mut self, client: u64, session: u64) {
        if self.is_logging() {
            self.append(Record::Ended { session });
            self.log.ended.push_back((self.log.last, client));
        }
    }

    /// What a CONNACK must wait for that came with no record of its own: the end of a Session of the same client, which
    /// a crash would bring back.
    pub(crate) fn barrier_of_ended(&self, client_identifier: &str) -> Option<Lsn> {
        if self.log.ended.is_empty() {
            return None;
        }
        let client = self.client_mark(client_identifier);
        self.log.ended.iter().rev().find(|(_, ended)| *ended == client).map(|(lsn, _)| *lsn)
    }

    /// What a packet that depends on all records so far must wait for.
    pub(crate) fn barrier(&self) -> Option<Lsn> {
        (self.log.last > self.log.stored).then_some(self.log.last)
    }

    /// Sends an acknowledgement as [`send_behind`](Self::send_behind) does; the usual one costs four bytes and no more.
    #[cfg_attr(not(target_os = "unknown"), inline(always))]
    pub(crate) fn send_ack(&mut self, slot: u32, kind: AckKind, ack: &Ack<'_>, what: What, lsn: Option<Lsn>) {
        let connection = self.connection(slot);
        if lsn.is_none()
            && connection.held.is_empty()
            && connection.opening.is_none()
            && let Some(short) = ack.to_short(kind)
            && short.len() <= connection.packet_bytes_max as usize
        {
            connection.outbox.copy(&short);
            connection.answer_bytes += short.len() as u64;
            self.let_go(slot, what);
            return self.note_sent(slot, short.len());
        }
        self.send_behind(slot, &ack.into_packet(kind), what, lsn);
    }

    /// Sends a packet behind one record, or at once if there is none; never before an older held one
    /// [311:MQTT-4.6.0-2] [311:MQTT-4.6.0-3] [311:MQTT-4.6.0-4].
    #[inline(never)]
    pub(crate) fn send_behind(&mut self, slot: u32, packet: &Packet<'_>, what: What, lsn: Option<Lsn>) {
        let connection = self.connection(slot);
        if lsn.is_none() && connection.held.is_empty() && connection.opening.is_none() {
            self.let_go(slot, what);
            return self.send(slot, packet);
        }
        let len = packet.encoded_bytes(connection.version);
        if len > connection.packet_bytes_max as usize {
            let doom = (connection.id, Fault::Refused(Refusal::AnswerTooLarge, connection.version));
            return self.doomed.push(doom);
        }
        let mut bytes = Vec::with_capacity(len);
        packet.encode(connection.version, &mut bytes);
        self.hold(slot, lsn, what, bytes);
    }

    /// Holds an encoded packet behind a record.
    pub(crate) fn hold(&mut self, slot: u32, lsn: Option<Lsn>, what: What, bytes: Vec<u8>) {
        let connection = self.connection(slot);
        let last = connection.held.back().map(|held| held.lsn);
        // Monotonic, since held packets keep their order.
        let lsn = lsn.max(last).expect("held behind a record or behind a held packet");
        if what == What::Connack || connection.opening.is_some() {
            connection.opening = Some(lsn);
        }
        let len = bytes.len() as u64;
        connection.held_bytes += len;
        connection.held_messages += u32::from(what == What::Message);
        connection.held.push_back(Held { lsn, what, bytes });
        let id = connection.id;
        self.log.waiting.push_back((lsn, id));
        self.turn_bytes = self.turn_bytes.saturating_add(len as u32);
        let limit = u64::from(self.config.limits.outbox_bytes_max) * 2;
        let connection = self.connection(slot);
        if what != What::Message {
            connection.answer_bytes += len;
        }
        if connection.answer_bytes > limit && connection.owed_bytes() > limit {
            let fault = self.refused(slot, Refusal::SlowReader);
            self.doomed.push((id, fault));
        }
    }

    /// Every record up to `upto` is stored: what waited for them leaves.
    pub(crate) fn stored(&mut self, upto: Lsn) {
        self.log.stored = self.log.stored.max(upto.min(self.log.last));
        self.log.failed = false;
        let stored = self.log.stored;
        while self.log.ended.pop_front_if(|(lsn, _)| *lsn <= stored).is_some() {}
        while let Some(&(_, id)) = self.log.waiting.front().filter(|(lsn, _)| *lsn <= stored) {
            self.log.waiting.pop_front();
            let Some(slot) = self.slot(id) else { continue };
            self.release_held(slot, stored);
        }
    }

    /// Lets go what is held behind records up to this one, and then what had no room behind it.
    fn release_held(&mut self, slot: u32, stored: Lsn) {
        let mut released = false;
        while let Some(held) = self.connection(slot).held.pop_front_if(|held| held.lsn <= stored) {
            released = true;
            let connection = self.connection(slot);
            connection.held_bytes -= held.bytes.len() as u64;
            connection.held_messages -= u32::from(held.what == What::Message);
            if connection.opening.is_some_and(|lsn| lsn <= stored) && connection.held.is_empty() {
                connection.opening = None;
            }
            self.let_go(slot, held.what);
            self.push_bytes(slot, &held.bytes);
        }
        if released && let Some(session) = self.connection(slot).session() {
            self.pump(session);
            self.weigh(slot);
        }
    }

    /// A packet leaves: a PUBACK gives the client its quota back (4.9).
    #[cfg_attr(not(target_os = "unknown"), inline(always))]
    fn let_go(&mut self, slot: u32, what: What) {
        if let What::Puback(_) = what {
            let connection = self.connection(slot);
            connection.unfinished = connection.unfinished.saturating_sub(1);
        }
    }

    /// Records from `from` on are not stored. Whoever waits for one is told so: 5.0 clients that published with QoS 1
    /// by 0x97, all others by the end of their connection [311:MQTT-4.8.0-2], after which they know that nothing is
    /// certain. The message of a held PUBACK or PUBREC has gone to its receivers already. Published again it comes
    /// twice, which QoS 1 allows; a PUBREC of 0x97 would end an exchange that has brought its message, and whoever
    /// published that again would break "exactly once". So the identifier stays held, and the client learns what became
    /// of its message when it comes back and sends it again [5:MQTT-4.3.3-10].
    pub(crate) fn store_failed(&mut self, from: Lsn) {
        self.counters.store_failures += 1;
        self.log.failed = true;
        // Of no client, and so of no version: the newest.
        let fault = Fault::Refused(Refusal::Storage, ProtocolVersion::V5);
        self.outputs.push_back(Output::Event(Event::LimitReached { client_identifier: None, fault }));
        let waiting = core::mem::take(&mut self.log.waiting);
        for (lsn, id) in waiting {
            let Some(slot) = self.slot(id) else { continue };
            if lsn < from {
                self.log.waiting.push_back((lsn, id));
                continue;
            }
            self.fail_held(slot, from);
        }
    }

    fn fail_held(&mut self, slot: u32, from: Lsn) {
        let connection = self.connection(slot);
        let keep = connection.held.iter().take_while(|held| held.lsn < from).count();
        let failed: Vec<Held> = connection.held.drain(keep..).collect();
        if failed.is_empty() {
            return;
        }
        connection.held_bytes -= failed.iter().map(|held| held.bytes.len() as u64).sum::<u64>();
        connection.held_messages -= failed.iter().filter(|held| held.what == What::Message).count() as u32;
        let v5 = connection.version.is_v5();
        if failed.iter().any(|held| held.what == What::Connack)
            && let Some(session) = self.connection(slot).session()
        {
            // Nobody was told that this connection is accepted, so its Will is nobody's [5:MQTT-3.1.2-7].
            self.replace_will(session, None);
        }
        // A remote that is told no would let go of the message; one that is told nothing sends it again.
        let answerable = |held: &Held| matches!(held.what, What::Puback(_));
        if !v5 || self.is_bridged(slot) || !failed.iter().all(answerable) {
            let fault = self.refused(slot, Refusal::Storage);
            return self.fault(slot, fault);
        }
        let connection = self.connection(slot);
        // Nothing may overtake what is still held; the answers to what failed wait for no more than that.
        connection.opening = connection.opening.and(connection.held.back().map(|held| held.lsn));
        for held in failed {
            let What::Puback(packet_identifier) = held.what else { unreachable!("the connection ended instead") };
            self.let_go(slot, held.what);
            let ack = Ack { packet_identifier, reason: ReasonCode::QuotaExceeded, properties: Properties::EMPTY };
            self.send_ack(slot, AckKind::Puback, &ack, What::Other, None);
        }
    }
}
