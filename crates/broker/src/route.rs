//! Where a message goes: from matching Subscriptions to one delivery for each Session and one for each share group,
//! and from there into outboxes and queues.
//!
//! A message that every receiver takes at once is kept nowhere. The first receiver that has to wait makes the one copy
//! that all others share.

use alloc::collections::BinaryHeap;
use alloc::string::String;
use alloc::vec::Vec;
use wasmqtt_codec::Qos;

use crate::alias::AliasUse;
use crate::broker::Broker;
use crate::connection::Connection;
use crate::door::{DropReason, Event, Output};
use crate::durable::What;
use crate::frames::{Form, FrameCache};
use crate::inflight::{Identifiers, ShareId};
use crate::message::{Frame, MessageId, Outgoing};
use crate::outbox::SHARE_BYTES_MIN;
use crate::record::QueuedFor;
use crate::subscribe::{Subscriber, Subscribers};
use crate::trace::NotDelivered;

/// Receivers from which on a packet that leaves as it came is shared instead of copied to each.
pub(crate) const SHARE_TARGETS_MIN: usize = 16;

/// One Session that a message goes to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub session: u32,
    /// The highest QoS granted by its matching Subscriptions [5:MQTT-3.3.4-2] [311:MQTT-3.3.5-1].
    pub qos: Qos,
    /// No Local of the Subscriptions that count; means nothing but to the publisher itself.
    pub no_local: bool,
    /// Some matching Subscription has Retain As Published.
    pub retain_as_published: bool,
    pub identifiers: Identifiers,
    pub share: Option<ShareId>,
    /// The node of a Topic Filter that grants `qos`; for people.
    pub node: u32,
}

impl Target {
    /// What a Subscription to the Topic Filter of `node` says.
    pub(crate) fn new(subscriber: &Subscriber, node: u32, share: Option<ShareId>) -> Self {
        let options = subscriber.options;
        let identifiers = match subscriber.identifier {
            0 => Identifiers::None,
            identifier => Identifiers::One(identifier),
        };
        Target {
            session: subscriber.session,
            qos: options.qos,
            no_local: options.no_local,
            retain_as_published: options.retain_as_published,
            identifiers,
            share,
            node,
        }
    }

    /// Joins two Subscriptions of one Session that match the same message: one delivery, at the higher QoS, with all
    /// identifiers [5:MQTT-3.3.4-2] [5:MQTT-3.3.4-4]. `own`: the Session publishes the message itself, so that
    /// Subscriptions with No Local stay out of it [5:MQTT-3.8.3-3].
    fn join(&mut self, other: &Target, own: bool) {
        if own && self.no_local != other.no_local {
            if self.no_local {
                *self = other.clone();
            }
            return;
        }
        if other.qos > self.qos {
            self.qos = other.qos;
            self.node = other.node;
        }
        self.retain_as_published |= other.retain_as_published;
        self.identifiers.join(&other.identifiers);
    }
}

/// So many targets, and fewer, are sorted where they are.
const FEW: usize = 16;

/// Stable, so that what a Session's first Subscription says stays first. Not the standard library's sort: its code is
/// fifty times as long, and a page downloads it.
#[inline(never)]
fn sort_by_session(targets: &mut Vec<Target>) {
    if targets.len() <= FEW {
        for end in 1..targets.len() {
            let mut at = end;
            while at > 0 && targets[at - 1].session > targets[at].session {
                targets.swap(at - 1, at);
                at -= 1;
            }
        }
        return;
    }
    let places = (0u32..).zip(&*targets).map(|(place, target)| u64::from(target.session) << 32 | u64::from(place));
    let places = BinaryHeap::from_iter(places).into_sorted_vec();
    *targets = places.into_iter().map(|place| targets[place as u32 as usize].clone()).collect();
}

/// What a Topic Name matches.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matches {
    /// The state of all Subscriptions that it was made from.
    pub version: u64,
    pub sessions: Vec<Target>,
    /// Slots of share groups.
    pub groups: Vec<u32>,
}

impl Matches {
    pub(crate) fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.groups.is_empty()
    }
}

/// What has become of a message for one Session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    Sent,
    Queued,
    Not(NotDelivered),
}

/// One message on its way to all its receivers.
pub(crate) struct Fan<'a> {
    pub message: &'a Outgoing<'a>,
    /// The Session that published it.
    pub publisher: Option<u32>,
    /// The kept copy, once somebody needs it.
    pub kept: Option<MessageId>,
    /// Sessions in whose queue it went and which may be able to send it once the log knows of it.
    pub pump: Vec<u32>,
    /// Deliveries that the log must know.
    pub logged: Vec<QueuedFor>,
    /// Receivers altogether; decides between sharing and copying.
    receivers: usize,
    /// What became of it, for people; only when tracing.
    pub outcomes: Vec<(u32, Target, Outcome)>,
}

impl<'a> Fan<'a> {
    pub(crate) fn new(message: &'a Outgoing<'a>, publisher: Option<u32>, receivers: usize) -> Self {
        Fan { message, publisher, kept: None, pump: Vec::new(), logged: Vec::new(), receivers, outcomes: Vec::new() }
    }
}

impl Broker {
    /// Looks up what a Topic Name matches [5:MQTT-3.3.2-3] [311:MQTT-3.3.2-3] when this Session publishes to it.
    pub(crate) fn matches(&mut self, topic: &str, publisher: Option<u32>, matches: &mut Matches) {
        matches.version = self.subscriptions_version;
        matches.sessions.clear();
        matches.groups.clear();
        let tree = &self.subscriptions;
        let mut nodes = 0;
        tree.matching(matches.version, topic, &mut self.walk, |node, Subscribers { plain, groups }| {
            let plain = plain.as_slice();
            nodes += usize::from(!plain.is_empty());
            matches.groups.extend_from_slice(groups);
            matches.sessions.extend(plain.iter().map(|subscriber| Target::new(subscriber, node, None)));
        });
        if nodes > 1 {
            sort_by_session(&mut matches.sessions);
            matches.sessions.dedup_by(|other, target| {
                let same = other.session == target.session;
                if same {
                    target.join(other, publisher == Some(target.session));
                }
                same
            });
        }
    }

    /// Sends a message to all that match [5:MQTT-4.5.0-1] [311:MQTT-4.5.0-1]; says whether anybody did. What the log
    /// must know is left in `logged`.
    #[inline(always)]
    pub(crate) fn route(&mut self, fan: &mut Fan<'_>, matches: &Matches) -> bool {
        fan.receivers = matches.sessions.len();
        let mut frames = core::mem::take(&mut self.frames);
        frames.start();
        for target in &matches.sessions {
            self.deliver(target, fan, &mut frames);
        }
        // Each a copy of its own, with its own identifier [5:MQTT-3.3.4-5] and at its own QoS [5:MQTT-4.8.2-3].
        for &slot in &matches.groups {
            if let Some(target) = self.pick_member(slot, fan.message) {
                self.deliver(&target, fan, &mut frames);
            }
        }
        if fan.message.payload.len() > 32 << 10 {
            frames.trim();
        }
        self.frames = frames;
        !matches.is_empty()
    }

    /// Lets queues move once the log has its record, and tells the decisions.
    #[inline(always)]
    pub(crate) fn settle(&mut self, mut fan: Fan<'_>, matches: &Matches) {
        let mut pump = core::mem::take(&mut fan.pump);
        for session in pump.drain(..) {
            if self.sessions.get(session).is_some() {
                self.pump(session);
            }
        }
        // The list's memory serves the next message.
        self.pump_list = pump;
        if let Some(kept) = fan.kept {
            self.messages.release(kept);
        }
        if self.config.trace {
            self.explain_routing(&fan, matches);
        }
    }

    #[inline(always)]
    pub(crate) fn deliver(&mut self, target: &Target, fan: &mut Fan<'_>, frames: &mut FrameCache) {
        let outcome = self.try_deliver(target, fan, frames);
        if let Outcome::Not(why) = &outcome {
            self.count_drop(target.session, why);
        }
        if self.config.trace {
            fan.outcomes.push((target.session, target.clone(), outcome));
        }
    }

    #[inline(always)]
    fn try_deliver(&mut self, target: &Target, fan: &mut Fan<'_>, frames: &mut FrameCache) -> Outcome {
        let session = &self.sessions[target.session];
        if target.no_local {
            if fan.publisher == Some(target.session) {
                // [5:MQTT-3.8.3-3]
                return Outcome::Not(NotDelivered::NoLocal { filter: String::new() });
            }
            // Every Subscription of a bridge has No Local, so that nobody else has to ask.
            if let Some(bridge) = session.bridge {
                return self.deliver_to_remote(bridge, target, fan);
            }
        }
        let access = session.access.as_deref().unwrap_or(&self.access);
        if !access.receives_everything() && !access.may_receive(fan.message.topic) {
            return Outcome::Not(NotDelivered::NotPermitted);
        }
        // [5:MQTT-3.8.4-8] [311:MQTT-3.8.4-6]
        let qos = fan.message.qos.min(target.qos);
        // [5:MQTT-3.3.1-12] [5:MQTT-3.3.1-13] [311:MQTT-3.3.1-9]
        let retain = fan.message.retain && target.retain_as_published;
        let Some(slot) = session.connection else {
            if qos == Qos::AtMostOnce {
                return Outcome::Not(NotDelivered::Offline);
            }
            return self.enqueue(target, qos, retain, fan);
        };
        let connection = self.connections[slot as usize].as_ref().expect("a Session's connection is open");
        let owed = connection.owed_bytes();
        let full = owed > u64::from(self.config.limits.outbox_bytes_max);
        if qos == Qos::AtMostOnce {
            if full {
                return Outcome::Not(NotDelivered::OutboxFull);
            }
            if owed > 0 && self.was_memory_short() {
                return Outcome::Not(NotDelivered::Memory);
            }
        } else {
            let waits = session.is_lasting() || target.share.is_some() || !session.queue.is_empty();
            if waits || full || !session.window.has_room(connection.quota) {
                return self.enqueue(target, qos, retain, fan);
            }
        }
        let connection = self.connections[slot as usize].as_ref().expect("a Session's connection is open");
        // Nothing outlives this connection: the message goes out and is kept nowhere.
        if let Some(frame) = connection.as_it_came(fan.message, qos, retain, &target.identifiers) {
            return self.send_frame(slot, target.session, fan, frame, qos);
        }
        let connection = self.connection(slot);
        let form = connection.form(qos, retain, target.identifiers.as_slice(), fan.message.topic);
        self.write_publish(slot, target.session, fan.message, form, frames)
    }

    /// Sends a message in the packet that it came in. A small one is copied, since listing slices costs more than
    /// copying does; what many receivers share in bursts, and large payloads, stay where they are.
    #[inline(always)]
    fn send_frame(&mut self, slot: u32, session: u32, fan: &Fan<'_>, frame: Frame<'_>, qos: Qos) -> Outcome {
        let fresh = self.is_fresh(slot);
        let packet = frame.packet();
        let connection = self.connections[slot as usize].as_ref().expect("a Session's connection is open");
        if packet.len() > connection.packet_bytes_max as usize {
            // [5:MQTT-3.1.2-24] [5:MQTT-3.1.2-25]
            return Outcome::Not(NotDelivered::PacketTooLarge);
        }
        if qos == Qos::AtMostOnce {
            let connection = self.connection(slot);
            if fresh && (fan.receivers >= SHARE_TARGETS_MIN || packet.len() >= SHARE_BYTES_MIN) {
                connection.outbox.share(frame.bytes, frame.start, frame.end);
            } else {
                connection.outbox.copy(packet);
            }
        } else {
            let identifier = self.sessions[session].window.open(qos, None).get().to_be_bytes();
            // What differs from receiver to receiver is copied, with or without the rest.
            let own_bytes = frame.identifier_at as usize + identifier.len();
            let copied = if fresh && packet.len() >= SHARE_BYTES_MIN { own_bytes } else { packet.len() };
            let outbox = &mut self.connection(slot).outbox;
            let buffer = outbox.room(copied);
            let start = buffer.len();
            buffer.extend_from_slice(&packet[..copied]);
            // DUP is for packets that are sent again [5:MQTT-3.3.1-3] [311:MQTT-3.3.1-3].
            buffer[start] = 0x30 | qos.bits() << 1;
            buffer[start + own_bytes - identifier.len()..start + own_bytes].copy_from_slice(&identifier);
            if copied < packet.len() {
                outbox.share(frame.bytes, frame.start + copied as u32, frame.end);
            }
        }
        self.counters.publishes_sent += 1;
        self.counters.publish_bytes_sent += fan.message.payload.len() as u64;
        self.note_sent(slot, packet.len());
        Outcome::Sent
    }

    /// Puts a message that is kept nowhere into an outbox; with QoS 1 or 2 that opens an exchange.
    pub(crate) fn write_publish(
        &mut self,
        slot: u32,
        session: u32,
        message: &Outgoing<'_>,
        form: Form<'_>,
        frames: &mut FrameCache,
    ) -> Outcome {
        let (now, fresh) = (self.now, self.is_fresh(slot));
        let connection = self.connections[slot as usize].as_mut().expect("a Session's connection is open");
        let max = connection.packet_bytes_max as usize;
        let mut form = form;
        if form.alias != AliasUse::None && frames.encoded(message, form, now).len() > max {
            // The alias may be what made it too long.
            connection.aliases_out.take_back(form.alias);
            form.alias = AliasUse::None;
        }
        let encoded = frames.encoded(message, form, now);
        let len = encoded.len();
        if len > max {
            // [5:MQTT-3.1.2-24] [5:MQTT-3.1.2-25]
            return Outcome::Not(NotDelivered::PacketTooLarge);
        }
        let identifier = match form.qos {
            Qos::AtMostOnce => None,
            Qos::AtLeastOnce | Qos::ExactlyOnce => Some(self.sessions[session].window.open(form.qos, None)),
        };
        self.counters.publishes_sent += 1;
        self.counters.publish_bytes_sent += message.payload.len() as u64;
        if connection.opening.is_some() {
            let bytes = encoded.to_vec(identifier, message);
            self.hold(slot, None, What::Message, bytes);
        } else {
            encoded.copy_to(connection.outbox.room(encoded.bytes.len()), identifier);
            share_payload(connection, message, encoded.shared_bytes, fresh);
            self.note_sent(slot, len);
        }
        Outcome::Sent
    }

    /// Counts what was dropped, and tells it once when it begins.
    pub(crate) fn count_drop(&mut self, session: u32, why: &NotDelivered) {
        let counters = &mut self.counters;
        let reason = match why {
            NotDelivered::QueueFull => (&mut counters.dropped_queue_full, DropReason::QueueFull),
            NotDelivered::OutboxFull => (&mut counters.dropped_outbox_full, DropReason::OutboxFull),
            NotDelivered::PacketTooLarge => (&mut counters.dropped_too_large, DropReason::PacketTooLarge),
            NotDelivered::Expired => (&mut counters.dropped_expired, DropReason::Expired),
            NotDelivered::Memory => (&mut counters.dropped_memory, DropReason::Memory),
            NotDelivered::BridgeLoop => {
                counters.bridge_loops += 1;
                return;
            }
            NotDelivered::NotBridged
            | NotDelivered::NoSubscription
            | NotDelivered::NoMatch { .. }
            | NotDelivered::Dollar { .. }
            | NotDelivered::NoLocal { .. }
            | NotDelivered::NotPermitted
            | NotDelivered::AnotherMember { .. }
            | NotDelivered::Offline => return,
        };
        let (counter, why) = reason;
        *counter += 1;
        let state = &mut self.sessions[session];
        if !core::mem::replace(&mut state.dropping, true) {
            let client_identifier = state.client_identifier.clone();
            self.outputs.push_back(Output::Event(Event::Dropping { client_identifier, why }));
        }
    }
}

impl Connection {
    /// The packet that a message came in, if that is just what this client is to be sent.
    #[inline(always)]
    fn as_it_came<'a>(
        &self,
        message: &Outgoing<'a>,
        qos: Qos,
        retain: bool,
        identifiers: &Identifiers,
    ) -> Option<Frame<'a>> {
        let frame = message.frame?;
        let v5 = self.version.is_v5();
        let plain = qos == message.qos && !retain && *identifiers == Identifiers::None && self.opening.is_none();
        (plain && frame.v5 == v5 && (!v5 || self.aliases_out.is_off())).then_some(frame)
    }

    /// How a message is sent to this client for the first time: with DUP 0 [5:MQTT-4.3.1-1] [5:MQTT-4.3.2-2]
    /// [5:MQTT-4.3.3-2] [5:MQTT-3.3.1-3] [311:MQTT-4.3.1-1] [311:MQTT-3.3.1-3].
    pub(crate) fn form<'a>(&mut self, qos: Qos, retain: bool, identifiers: &'a [u32], topic: &str) -> Form<'a> {
        let v5 = self.version.is_v5();
        let alias = match v5 && !topic.is_empty() && self.opening.is_none() && !self.aliases_out.is_off() {
            true => self.aliases_out.choose(topic),
            false => AliasUse::None,
        };
        Form { v5, qos, retain, dup: false, identifiers: if v5 { identifiers } else { &[] }, alias }
    }
}

/// Appends a payload that is not part of the encoded packet; `fresh` as [`Broker::is_fresh`] says.
pub(crate) fn share_payload(connection: &mut Connection, message: &Outgoing<'_>, bytes: u32, fresh: bool) {
    if bytes == 0 {
        return;
    }
    match message.shared.filter(|_| fresh) {
        // The payload is the end of the memory that holds it.
        Some(shared) => connection.outbox.share(shared, shared.len() as u32 - bytes, shared.len() as u32),
        None => connection.outbox.copy(message.payload),
    }
}
