//! The short way of a PUBLISH: of QoS 0 or 1, to the topic that its connection published to last, for receivers that
//! take it at once and just as it came. Most messages are of that kind, and in WebAssembly each step that is not taken
//! counts double. It decides nothing: all others go the long way through `publish.rs` and `route.rs`, which does the
//! very same to these.

use bytes::Bytes;
use wasmqtt_codec::{Ack, AckKind, PacketIdentifier, Qos, string};

use crate::broker::Broker;
use crate::connection::{Connection, LookedUp, TopicCache};
use crate::durable::What;
use crate::inflight::Identifiers;
use crate::message::{Frame, Outgoing};
use crate::outbox::SHARE_BYTES_MIN;
use crate::route::{Fan, SHARE_TARGETS_MIN, Target};

/// A PUBLISH as far as the short way looks at it.
#[derive(Clone, Copy)]
struct Plain<'a> {
    frame: Frame<'a>,
    qos: Qos,
    /// 0 with QoS 0.
    identifier: u16,
    payload_at: u32,
}

impl<'a> Plain<'a> {
    /// Reads a PUBLISH to this very topic, with neither DUP nor RETAIN nor properties; `None` for any other, whatever
    /// is wrong with it.
    #[inline(always)]
    fn read(bytes: &'a Bytes, start: u32, end: u32, topic: &str, v5: bool) -> Option<Self> {
        let packet = &bytes[start as usize..end as usize];
        let qos = match packet[0] {
            0x30 => Qos::AtMostOnce,
            0x32 => Qos::AtLeastOnce,
            _ => return None,
        };
        let length_bytes = if packet.len() < 130 { 1 } else { 2 };
        let (name_bytes, rest) = packet.get(1 + length_bytes..)?.split_first_chunk()?;
        let name_bytes = usize::from(u16::from_be_bytes(*name_bytes));
        let (name, rest) = rest.split_at_checked(name_bytes)?;
        if name.is_empty() || !string::is_same(name, topic.as_bytes()) {
            return None;
        }
        let (identifier, rest) = match qos {
            Qos::AtMostOnce => (0, rest),
            Qos::AtLeastOnce | Qos::ExactlyOnce => {
                let (identifier, rest) = rest.split_first_chunk()?;
                (u16::from_be_bytes(*identifier), rest)
            }
        };
        let payload = if v5 { rest.strip_prefix(&[0])? } else { rest };
        let identifier_at = (1 + length_bytes + 2 + name_bytes) as u32;
        let payload_at = end - start - payload.len() as u32;
        let is_plain = qos == Qos::AtMostOnce || identifier != 0;
        is_plain.then_some(Plain { frame: Frame { bytes, start, end, identifier_at, v5 }, qos, identifier, payload_at })
    }

    #[inline(always)]
    fn payload(self) -> &'a [u8] {
        &self.frame.packet()[self.payload_at as usize..]
    }
}

impl Connection {
    /// Whether the codec and `admit` would have nothing against it, and nothing has to be asked about its topic.
    #[inline(always)]
    fn admits_plainly(&self, publish: Plain<'_>, looked_up: &LookedUp) -> bool {
        let receive_maximum = if publish.frame.v5 { self.announced.receive_maximum } else { u16::MAX };
        let is_admitted = publish.qos == Qos::AtMostOnce
            || publish.qos <= self.announced.maximum_qos && self.unfinished < receive_maximum;
        let receivers = looked_up.matches.sessions.len();
        // What many share, and what is large, is not copied; nobody at all is worth an answer of its own.
        let is_small = publish.frame.packet().len() < SHARE_BYTES_MIN && (1..SHARE_TARGETS_MIN).contains(&receivers);
        is_admitted && is_small && looked_up.permitted && looked_up.matches.groups.is_empty()
    }

    /// Whether this packet may leave to this client as it came, if its Session has nothing against it.
    #[inline(always)]
    fn takes_plainly(&self, publish: Plain<'_>) -> bool {
        let v5 = self.version.is_v5();
        v5 == publish.frame.v5
            && (!v5 || self.aliases_out.is_off())
            && self.opening.is_none()
            && publish.frame.packet().len() <= self.packet_bytes_max as usize
    }
}

impl Broker {
    /// Takes a PUBLISH the short way if it is plain; `false` if it isn't, and then nothing was done.
    #[inline(always)]
    pub(crate) fn publish_again(&mut self, slot: u32, session: u32, bytes: &Bytes, start: u32, end: u32) -> bool {
        let connection = self.connections[slot as usize].as_ref().expect("a packet came on it");
        let Some(cache) = connection.cache.as_deref() else { return false };
        let TopicCache { topic, looked_up, .. } = cache;
        let v5 = connection.version.is_v5();
        let Some(publish) = Plain::read(bytes, start, end, topic, v5) else { return false };
        let is_busy = self.config.trace || publish.qos > Qos::AtMostOnce && self.is_logging();
        if is_busy || looked_up.matches.version != self.subscriptions_version {
            return false;
        }
        let connection = self.connections[slot as usize].as_mut().expect("as before");
        let Some(cache) = connection.cache.take() else { return false };
        if !connection.admits_plainly(publish, &cache.looked_up) {
            connection.cache = Some(cache);
            return false;
        }
        let payload_bytes = publish.payload().len() as u64;
        self.counters.publishes_received += 1;
        self.counters.publish_bytes_received += payload_bytes;
        self.publications += 1;
        for (at, target) in cache.looked_up.matches.sessions.iter().enumerate() {
            if !self.pass_on(target, session, publish) {
                self.pass_on_rest(&cache, at, session, publish);
                break;
            }
        }
        let connection = self.connections[slot as usize].as_mut().expect("sending closes no connection");
        connection.cache = Some(cache);
        if let Some(identifier) = PacketIdentifier::new(publish.identifier) {
            // [5:MQTT-4.3.2-4] [311:MQTT-4.3.2-2]
            connection.unfinished += 1;
            self.send_ack(slot, AckKind::Puback, &Ack::success(identifier), What::Puback(identifier), None);
        }
        true
    }

    /// Copies the packet into the outbox of a client that takes it so; `false` if `deliver` has to look at it.
    #[inline(always)]
    fn pass_on(&mut self, target: &Target, publisher: u32, publish: Plain<'_>) -> bool {
        let session = &self.sessions[target.session];
        let receives = session.access.as_deref().unwrap_or(&self.access).receives_everything();
        let is_own = target.no_local && target.session == publisher;
        // To its remote a bridge gives every message another name, and a count of bridges.
        let has_own_form =
            target.qos < publish.qos || target.identifiers != Identifiers::None || session.bridge.is_some();
        let Some(slot) = session.connection.filter(|_| receives && !is_own && !has_own_form) else { return false };
        let connection = self.connections[slot as usize].as_ref().expect("a Session's connection is open");
        let owed = connection.owed_bytes();
        if owed > u64::from(self.config.limits.outbox_bytes_max) || !connection.takes_plainly(publish) {
            return false;
        }
        if publish.qos == Qos::AtMostOnce {
            if owed > 0 && self.was_memory_short() {
                return false;
            }
        } else if session.is_lasting() || !session.queue.is_empty() || !session.window.has_room(connection.quota) {
            return false;
        }
        let packet = publish.frame.packet();
        if publish.qos == Qos::AtMostOnce {
            self.connection(slot).outbox.copy(packet);
        } else {
            let identifier = self.sessions[target.session].window.open(publish.qos, None).get().to_be_bytes();
            let at = publish.frame.identifier_at as usize;
            let buffer = self.connection(slot).outbox.room(packet.len());
            let at = buffer.len() + at;
            buffer.extend_from_slice(packet);
            buffer[at..at + identifier.len()].copy_from_slice(&identifier);
        }
        self.counters.publishes_sent += 1;
        self.counters.publish_bytes_sent += publish.payload().len() as u64;
        self.note_sent(slot, packet.len());
        true
    }

    /// The long way from one receiver on.
    #[cold]
    fn pass_on_rest(&mut self, cache: &TopicCache, first: usize, publisher: u32, publish: Plain<'_>) {
        let message = Outgoing {
            topic: &cache.topic,
            properties: &[],
            payload: publish.payload(),
            shared: None,
            frame: Some(publish.frame),
            qos: publish.qos,
            retain: false,
            expires_at: None,
            publication: self.publications,
        };
        let matches = &cache.looked_up.matches;
        let mut fan = Fan::new(&message, Some(publisher), matches.sessions.len());
        fan.pump = core::mem::take(&mut self.pump_list);
        let mut frames = core::mem::take(&mut self.frames);
        frames.start();
        for target in &matches.sessions[first..] {
            self.deliver(target, &mut fan, &mut frames);
        }
        self.frames = frames;
        self.settle(fan, matches);
    }
}
