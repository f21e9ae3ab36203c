//! PUBLISH from a client, and the acknowledgements both ways: what each means. The handshake's state is in
//! `inflight.rs`, where the message goes is in `route.rs`.
//!
//! What every message passes, here and in the files it goes on to, is `inline(always)`, down to the smallest function:
//! a call costs WebAssembly a look at its deadline and a frame in memory, and the compiler leaves many a call where it
//! would save one natively. Together they were a quarter of a message. What is rare is `inline(never)`: it would make
//! the frame larger for all. What many call is left to the compiler in a page (`target_os = "unknown"`), since each
//! copy is downloaded.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;
use wasmqtt_codec::{Ack, AckKind, PacketIdentifier, Properties, ProtocolVersion, Publish, Qos, ReasonCode, Sender};

use crate::broker::Broker;
use crate::connection::{LookedUp, TopicCache};
use crate::door::Output;
use crate::durable::What;
use crate::error::{Fault, Refusal, Violation};
use crate::inflight::Acknowledged;
use crate::level::has_more_levels;
use crate::message::{Frame, Outgoing, forwarded};
use crate::record::{Record, Stored};
use crate::route::{Fan, Matches};
use crate::trace::Trace;

impl Broker {
    /// A PUBLISH packet on a live connection: `bytes[start..end]`.
    pub(crate) fn publish(&mut self, slot: u32, session: u32, bytes: &Bytes, start: u32, end: u32) {
        let connection = self.connection(slot);
        let version = connection.version;
        // Taken out while the message is on its way, for it knows where that goes.
        let mut cache = connection.cache.take().unwrap_or_default();
        let TopicCache { topic: known, spare, looked_up } = &mut *cache;
        let whole = &bytes[start as usize..end as usize];
        let publish = match Publish::decode_with(whole, version, Sender::Client, Some(&**known)) {
            Ok(publish) => publish,
            Err(error) => return self.packet_fault(slot, error),
        };
        if let Err(fault) = self.admit(slot, session, &publish) {
            return self.fault(slot, fault);
        }
        let alias = if publish.properties.is_empty() { None } else { publish.properties.topic_alias() };
        let name = match self.resolve(slot, &publish, alias) {
            Ok(name) => name,
            Err(violation) => return self.violation(slot, violation),
        };
        // The decoder gives back the very name that it was shown if it is the same; only one from an alias has to be
        // compared.
        let (name, is_known) = match (name.as_deref(), publish.topic) {
            (Some(name), _) => (name, name == *known),
            (None, Some(topic)) => (topic.as_str(), core::ptr::eq(topic.as_str(), known.as_str())),
            (None, None) => ("", false),
        };
        let came = Came { bytes, start, end, version };
        let is_looked_up = self.accept_publish(slot, session, &publish, name, came, is_known, looked_up);
        // Small enough to be kept, and still of a connection that goes on.
        const KEPT_TARGETS_MAX: usize = 64;
        if is_looked_up && looked_up.matches.sessions.len() <= KEPT_TARGETS_MAX {
            if !is_known {
                // The two swap their memory, so that a new topic costs no allocation.
                spare.clear();
                spare.push_str(name);
                core::mem::swap(&mut cache.topic, &mut cache.spare);
            }
            if let Some(connection) = self.connections[slot as usize].as_mut()
                && connection.session().is_some()
            {
                connection.cache = Some(cache);
            }
        }
    }

    /// What a PUBLISH may be at all: QoS, RETAIN and the client's quota.
    #[inline(always)]
    pub(crate) fn admit(&mut self, slot: u32, session: u32, publish: &Publish<'_>) -> Result<(), Fault> {
        let connection = self.connection(slot);
        let (announced, version) = (connection.announced, connection.version);
        let violation = |violation| Err(Fault::Violation(violation, version));
        if publish.qos > announced.maximum_qos {
            return violation(Violation::QosNotSupported);
        }
        if publish.retain && !announced.retain_available {
            return violation(Violation::RetainNotSupported);
        }
        let Some(identifier) = publish.packet_identifier else { return Ok(()) };
        let again = publish.qos == Qos::ExactlyOnce && self.sessions[session].received.contains(identifier);
        // 3.x clients know no Receive Maximum, but may not grow without bound either.
        let receive_maximum = if version.is_v5() { announced.receive_maximum } else { u16::MAX };
        if !again && self.connection(slot).unfinished >= receive_maximum {
            return violation(Violation::ReceiveMaximumExceeded);
        }
        Ok(())
    }

    /// Resolves or sets a Topic Alias; gives the name if the packet hasn't got one. A duplicate may set one too.
    #[inline(always)]
    pub(crate) fn resolve(
        &mut self,
        slot: u32,
        publish: &Publish<'_>,
        alias: Option<u16>,
    ) -> Result<Option<Arc<str>>, Violation> {
        match alias {
            None => Ok(None),
            Some(alias) => self.resolve_alias(slot, publish, alias),
        }
    }

    fn resolve_alias(&mut self, slot: u32, publish: &Publish<'_>, alias: u16) -> Result<Option<Arc<str>>, Violation> {
        // [5:MQTT-3.3.2-9] [5:MQTT-3.3.2-12] [5:MQTT-3.2.2-18]; 0 is refused by the codec [5:MQTT-3.3.2-8].
        let connection = self.connection(slot);
        if alias > connection.announced.topic_alias_maximum {
            return Err(Violation::TopicAliasTooLarge);
        }
        let aliases = &mut connection.aliases_in;
        match publish.topic {
            Some(topic) => {
                aliases.set(alias, topic.as_str());
                Ok(None)
            }
            None => aliases.get(alias).map(Some).ok_or(Violation::TopicAliasUnknown),
        }
    }

    /// A well-formed PUBLISH with its Topic Name known. Says whether `looked_up` holds what is true of that name.
    #[expect(clippy::too_many_arguments, reason = "the pieces of one packet, each borrowed from another place")]
    #[inline(always)]
    fn accept_publish(
        &mut self,
        slot: u32,
        session: u32,
        publish: &Publish<'_>,
        topic: &str,
        came: Came<'_>,
        is_known: bool,
        looked_up: &mut LookedUp,
    ) -> bool {
        if publish.qos == Qos::ExactlyOnce
            && let Some(identifier) = publish.packet_identifier
            && self.sessions[session].received.contains(identifier)
        {
            // Already held: PUBREC again and no more. This is the "exactly" in exactly once
            // [5:MQTT-4.3.3-10] [311:MQTT-4.3.3-2].
            let (ack, lsn) = (Ack::success(identifier), self.barrier());
            self.send_ack(slot, AckKind::Pubrec, &ack, What::Other, lsn);
            return is_known;
        }
        if !is_known {
            if has_more_levels(topic, self.config.limits.topic_levels_max) {
                self.refuse_publish(slot, session, publish, Refusal::TopicNameLevels);
                return false;
            }
            let state = &self.sessions[session];
            looked_up.permitted = state.access.as_deref().unwrap_or(&self.access).may_publish(topic);
        }
        if !is_known || looked_up.matches.version != self.subscriptions_version {
            if self.subscriptions.is_large() {
                self.look_ahead(&came.bytes[came.start as usize..]);
            }
            self.matches(topic, Some(session), &mut looked_up.matches);
        }
        if !looked_up.permitted {
            self.refuse_publish(slot, session, publish, Refusal::NotAuthorized);
            return true;
        }
        self.counters.publishes_received += 1;
        self.counters.publish_bytes_received += publish.payload.len() as u64;
        let properties = publish.properties;
        let expiry_s = if properties.is_empty() { None } else { properties.message_expiry_interval_s() };
        let altered = !properties.is_empty() && (expiry_s.is_some() || properties.topic_alias().is_some());
        let kept = if altered { forwarded(properties) } else { Vec::new() };
        let shared = came.bytes.slice_ref_of(publish.payload);
        let mut message = Outgoing {
            topic,
            properties: if altered { &kept } else { properties.raw() },
            payload: publish.payload,
            shared: shared.as_ref(),
            frame: if altered || publish.retain { None } else { Some(came.frame(publish)) },
            qos: publish.qos,
            retain: publish.retain,
            expires_at: expiry_s.map(|interval_s| self.now.plus_expiry(interval_s)),
            publication: 0,
        };
        self.publish_accepted(slot, session, publish, &mut message, &looked_up.matches);
        true
    }

    /// The message is the broker's now: it goes to all who match, then it is acknowledged.
    #[inline(always)]
    pub(crate) fn publish_accepted(
        &mut self,
        slot: u32,
        session: u32,
        publish: &Publish<'_>,
        message: &mut Outgoing<'_>,
        matches: &Matches,
    ) {
        let exactly_once = publish.qos == Qos::ExactlyOnce && self.sessions[session].is_durable();
        let needs_log = message.retain || exactly_once || self.has_lasting(matches);
        if publish.qos > Qos::AtMostOnce && needs_log && !self.can_store() {
            return self.refuse_publish(slot, session, publish, Refusal::Storage);
        }
        let mut retains = message.retain;
        if retains && let Err(refusal) = self.may_retain(message) {
            self.counters.retained_refused += 1;
            // 5.0 clients are told. Others would hear that we have taken it over [311:MQTT-4.3.2-2]
            // [311:MQTT-4.3.3-2], so it is delivered and not kept. So is what a remote sends: nobody of its own sends
            // it again.
            let v5 = self.connection(slot).version.is_v5();
            if publish.qos > Qos::AtMostOnce && v5 && !self.is_bridged(slot) {
                return self.refuse_publish(slot, session, publish, refusal);
            }
            self.event_limit(session, refusal);
            retains = false;
        }
        let before = self.log.last;
        let received = match (publish.qos, publish.packet_identifier) {
            (Qos::ExactlyOnce, Some(identifier)) => Some((session, identifier)),
            _ => None,
        };
        let matched = self.publish_message(message, Some(session), received, retains, matches);
        let Some(identifier) = publish.packet_identifier else { return };
        // Without a record of its own the acknowledgement says nothing that a crash could make untrue.
        let lsn = if self.log.last > before { self.barrier() } else { None };
        let v5 = self.connection(slot).version.is_v5();
        // Only a server says that (3.4.2.1).
        let silent = matched || !v5 || self.is_bridged(slot);
        let reason = if silent { ReasonCode::Success } else { ReasonCode::NoMatchingSubscribers };
        let ack = Ack { packet_identifier: identifier, reason, properties: Properties::EMPTY };
        // [5:MQTT-3.3.4-1] [5:MQTT-2.2.1-5] [311:MQTT-3.3.4-1] [311:MQTT-2.3.1-6]
        match publish.qos {
            Qos::AtMostOnce => {}
            // [5:MQTT-4.3.2-4] [311:MQTT-4.3.2-2]; the identifier is not remembered [5:MQTT-4.3.2-5].
            Qos::AtLeastOnce => {
                self.connection(slot).unfinished += 1;
                self.send_ack(slot, AckKind::Puback, &ack, What::Puback(identifier), lsn);
            }
            // [5:MQTT-4.3.3-8] [311:MQTT-4.3.3-2]
            Qos::ExactlyOnce => self.send_ack(slot, AckKind::Pubrec, &ack, What::Other, lsn),
        }
    }

    /// Whether a message for these would have to be written to the log.
    #[inline(always)]
    fn has_lasting(&self, matches: &Matches) -> bool {
        self.is_logging()
            && (!matches.groups.is_empty()
                || matches.sessions.iter().any(|target| self.sessions[target.session].is_lasting()))
    }

    /// Sends a message to all who match and keeps it if it is to be retained and there is room for it; one record tells
    /// the log all of it. `received` is the QoS 2 identifier that it came under.
    pub(crate) fn publish_message(
        &mut self,
        message: &mut Outgoing<'_>,
        publisher: Option<u32>,
        received: Option<(u32, PacketIdentifier)>,
        retains: bool,
        matches: &Matches,
    ) -> bool {
        self.publications += 1;
        message.publication = self.publications;
        if self.config.trace {
            self.trace_published(message, publisher);
        }
        let mut fan = Fan::new(message, publisher, matches.sessions.len());
        fan.pump = core::mem::take(&mut self.pump_list);
        let matched = self.route(&mut fan, matches);
        if let Some((session, identifier)) = received {
            self.hold_received(session, identifier);
        }
        // Without RETAIN, what is retained stays as it is [5:MQTT-3.3.1-8] [311:MQTT-3.3.1-12].
        let retained = retains && self.retain(message, &mut fan.kept);
        if self.is_logging() {
            self.log_published(&mut fan, received, retained);
        }
        self.settle(fan, matches);
        matched
    }

    #[inline(always)]
    fn hold_received(&mut self, session: u32, identifier: PacketIdentifier) {
        let state = &mut self.sessions[session];
        let slot = state.connection;
        state.received.insert(identifier, slot.is_some());
        if let Some(slot) = slot {
            self.connection(slot).unfinished += 1;
        }
    }

    /// Identifier held, message queued and message retained are **one** record: a crash between them would break a
    /// promise.
    pub(crate) fn log_published(
        &mut self,
        fan: &mut Fan<'_>,
        received: Option<(u32, PacketIdentifier)>,
        retained: bool,
    ) {
        let received = received.and_then(|(session, identifier)| {
            let state = &self.sessions[session];
            state.is_durable().then_some((state.number, identifier))
        });
        let queued_for = core::mem::take(&mut fan.logged);
        let own = fan.message.topic.starts_with("$SYS/");
        if queued_for.is_empty() && received.is_none() && (!retained || own) {
            return;
        }
        let message = match fan.kept {
            Some(kept) => self.messages.get(kept).clone(),
            None => fan.message.to_message(),
        };
        self.append(Record::Published(Box::new(Stored { message, received, queued_for, retained })));
    }

    fn trace_published(&mut self, message: &Outgoing<'_>, publisher: Option<u32>) {
        let client_identifier = publisher.map(|session| self.sessions[session].client_identifier.clone());
        self.outputs.push_back(Output::Trace(Trace::Published {
            publication: message.publication,
            client_identifier,
            topic: message.topic.into(),
            qos: message.qos,
            retain: message.retain,
            payload_bytes: message.payload.len() as u32,
        }));
    }

    /// A PUBLISH that is well said but not granted. 5.0 clients are told in the acknowledgement; 3.x has no word for
    /// it, and the message is acknowledged and dropped [311:MQTT-3.3.5-2], or, if its Topic Name is too deep, the
    /// connection closed: as mosquitto does. What can't be stored is not the client's fault and may not be lost, so it
    /// is not acknowledged either: the connection is closed, and the client sends the message again
    /// [311:MQTT-4.3.2-1] [311:MQTT-4.3.3-1].
    pub(crate) fn refuse_publish(&mut self, slot: u32, session: u32, publish: &Publish<'_>, refusal: Refusal) {
        let closes = matches!(refusal, Refusal::TopicNameLevels | Refusal::Storage);
        // So it is with the remote of a bridge, which would let go of what is refused.
        if closes && (!self.connection(slot).version.is_v5() || self.is_bridged(slot)) {
            let fault = self.refused(slot, refusal);
            return self.fault(slot, fault);
        }
        self.counters.publishes_refused += 1;
        self.event_limit(session, refusal);
        let Some(identifier) = publish.packet_identifier else { return };
        let v5 = self.connection(slot).version.is_v5();
        let raw = if v5 { self.explain(slot, refusal.text(), false, 6) } else { Vec::new() };
        let reason = if v5 { refusal.reason() } else { ReasonCode::Success };
        let ack = Ack { packet_identifier: identifier, reason, properties: Properties::written(&raw) };
        match publish.qos {
            Qos::AtMostOnce => {}
            Qos::AtLeastOnce => self.send_ack(slot, AckKind::Puback, &ack, What::Other, None),
            Qos::ExactlyOnce => {
                // In 3.x the exchange goes on as usual. In 5.0 it ends here, and the identifier is free again
                // [5:MQTT-4.3.3-9].
                if !v5 {
                    self.hold_received(session, identifier);
                    let state = &self.sessions[session];
                    if state.is_durable() {
                        self.append(Record::Held { session: state.number, packet_identifier: identifier });
                    }
                }
                self.send_ack(slot, AckKind::Pubrec, &ack, What::Other, None);
            }
        }
    }

    /// One that says more than that all went well, or comes from a remote: seldom, so that its code need be there once.
    #[inline(never)]
    pub(crate) fn acknowledged_in_full(&mut self, slot: u32, session: u32, kind: AckKind, ack: &Ack<'_>) {
        self.acknowledged(slot, session, kind, ack);
    }

    /// One of the four acknowledgements.
    #[inline(always)]
    pub(crate) fn acknowledged(&mut self, slot: u32, session: u32, kind: AckKind, ack: &Ack<'_>) {
        match kind {
            AckKind::Puback => self.puback(slot, session, ack),
            AckKind::Pubrec => self.pubrec(slot, session, ack),
            AckKind::Pubrel => self.pubrel(slot, session, ack),
            AckKind::Pubcomp => self.pubcomp(slot, session, ack),
        }
    }

    /// PUBREL: the identifier is released [5:MQTT-4.3.3-11] [5:MQTT-4.3.3-12].
    fn pubrel(&mut self, slot: u32, session: u32, ack: &Ack<'_>) {
        let identifier = ack.packet_identifier;
        let held = self.release_received(slot, session, identifier);
        let state = &self.sessions[session];
        if held && state.is_durable() {
            let number = state.number;
            self.append(Record::Released { session: number, packet_identifier: identifier });
        }
        let v5 = self.connection(slot).version.is_v5();
        let reason = if held || !v5 { ReasonCode::Success } else { ReasonCode::PacketIdentifierNotFound };
        let ack = Ack { packet_identifier: identifier, reason, properties: Properties::EMPTY };
        let lsn = if self.sessions[session].is_durable() { self.barrier() } else { None };
        self.send_ack(slot, AckKind::Pubcomp, &ack, What::Other, lsn);
    }

    /// PUBACK from a subscriber.
    #[inline(always)]
    fn puback(&mut self, slot: u32, session: u32, ack: &Ack<'_>) {
        match self.sessions[session].window.puback(ack.packet_identifier) {
            // Also with a Reason Code of 0x80 and above: discarded, given to nobody else [5:MQTT-4.8.2-6].
            Acknowledged::Finished(delivery) => self.finished(session, delivery),
            Acknowledged::OutOfTurn => return self.violation(slot, Violation::AcknowledgementOutOfTurn),
            Acknowledged::HalfWay(_) | Acknowledged::Completed(_) | Acknowledged::Again | Acknowledged::Unknown => {}
        }
        self.pump(session);
    }

    /// PUBREC from a subscriber: the message may go, PUBREL is due [5:MQTT-4.3.3-4].
    fn pubrec(&mut self, slot: u32, session: u32, ack: &Ack<'_>) {
        let identifier = ack.packet_identifier;
        match self.sessions[session].window.pubrec(identifier, ack.reason.is_error()) {
            Acknowledged::Finished(delivery) => self.finished(session, delivery),
            Acknowledged::HalfWay(delivery) => {
                if let Some(delivery) = delivery {
                    // The exchange goes on without its message [5:MQTT-4.3.3-6].
                    self.messages.release(delivery.message);
                    let state = &self.sessions[session];
                    if state.is_durable() {
                        let (session, sequence) = (state.number, delivery.sequence);
                        self.append(Record::Received { session, sequence });
                    }
                }
                self.send_pubrel(slot, session, identifier, ReasonCode::Success);
            }
            Acknowledged::Again => self.send_pubrel(slot, session, identifier, ReasonCode::Success),
            Acknowledged::OutOfTurn => return self.violation(slot, Violation::AcknowledgementOutOfTurn),
            Acknowledged::Completed(_) => {}
            Acknowledged::Unknown if ack.reason.is_error() => {}
            Acknowledged::Unknown => {
                self.send_pubrel(slot, session, identifier, ReasonCode::PacketIdentifierNotFound);
            }
        }
        self.pump(session);
    }

    fn send_pubrel(&mut self, slot: u32, session: u32, packet_identifier: PacketIdentifier, reason: ReasonCode) {
        let reason = if self.connection(slot).version.is_v5() { reason } else { ReasonCode::Success };
        let lsn = if self.sessions[session].is_durable() { self.barrier() } else { None };
        let ack = Ack { packet_identifier, reason, properties: Properties::EMPTY };
        self.send_ack(slot, AckKind::Pubrel, &ack, What::Other, lsn);
    }

    /// PUBCOMP from a subscriber.
    fn pubcomp(&mut self, slot: u32, session: u32, ack: &Ack<'_>) {
        match self.sessions[session].window.pubcomp(ack.packet_identifier) {
            Acknowledged::Completed(Some(sequence)) => self.log_finished(session, sequence),
            Acknowledged::OutOfTurn => return self.violation(slot, Violation::AcknowledgementOutOfTurn),
            Acknowledged::Completed(None)
            | Acknowledged::Finished(_)
            | Acknowledged::HalfWay(_)
            | Acknowledged::Again
            | Acknowledged::Unknown => {}
        }
        self.pump(session);
    }
}

/// Where a PUBLISH lies in what was read.
#[derive(Clone, Copy)]
struct Came<'a> {
    bytes: &'a Bytes,
    start: u32,
    end: u32,
    version: ProtocolVersion,
}

impl<'a> Came<'a> {
    /// The packet to leave as it came.
    #[inline(always)]
    fn frame(self, publish: &Publish<'_>) -> Frame<'a> {
        // The codec lets no Remaining Length through that takes more bytes than it needs [5:MQTT-1.5.5-1].
        let length_bytes = match self.end - self.start {
            0..=129 => 1,
            130..=16_386 => 2,
            16_387..=2_097_155 => 3,
            _ => 4,
        };
        let topic_bytes = publish.topic.map_or(0, |topic| topic.as_str().len());
        Frame {
            bytes: self.bytes,
            start: self.start,
            end: self.end,
            identifier_at: 1 + length_bytes + 2 + topic_bytes as u32,
            v5: self.version.is_v5(),
        }
    }
}

/// The part of shared memory that a borrowed slice of it is.
trait SliceRefOf {
    /// `None` for an empty slice and for small ones, which are never shared.
    fn slice_ref_of(&self, slice: &[u8]) -> Option<Bytes>;
}

impl SliceRefOf for Bytes {
    fn slice_ref_of(&self, slice: &[u8]) -> Option<Bytes> {
        (slice.len() >= crate::outbox::SHARE_BYTES_MIN).then(|| self.slice_ref(slice))
    }
}
