//! Messages that pass a bridge: what they are called on the other side, and how many bridges they have passed. A
//! message is kept once, under its local name; what a remote sees of it is made when it is sent.
//!
//! Circles are broken thrice: every Subscription of a bridge has No Local, here and, in 5.0, at the remote, so that
//! nothing comes back the way it went; and each bridge counts itself in a User Property, so that a circle over several
//! bridges ends. A 3.1.1 remote gets no properties: over it the count begins anew.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use wasmqtt_codec::{Ack, AckKind, Properties, Property, Publish, Qos, Sender};

use crate::bridge_config::HOPS;
use crate::broker::Broker;
use crate::durable::What;
use crate::error::Refusal;
use crate::frames::FrameCache;
use crate::id::BridgeId;
use crate::inflight::Delivery;
use crate::level::levels;
use crate::message::{MessageId, Outgoing, forwarded};
use crate::route::{Fan, Matches, Outcome, Target};
use crate::text::decimal;
use crate::trace::NotDelivered;

/// How a message looks to a remote.
#[derive(Debug)]
pub(crate) struct Mapped {
    topic: String,
    properties: Option<Vec<u8>>,
    /// Whether the remote keeps Retained Messages [5:MQTT-3.2.2-14].
    pub may_retain: bool,
}

impl Mapped {
    /// The message as the remote is to see it.
    pub(crate) fn message<'a>(&'a self, message: Outgoing<'a>) -> Outgoing<'a> {
        let properties = self.properties.as_deref().unwrap_or(message.properties);
        Outgoing { topic: &self.topic, properties, frame: None, ..message }
    }
}

/// How many bridges a message with these properties has passed. What is no number counts as none: nobody but bridges
/// writes it, and who breaks it breaks his own circle.
fn hops(raw: &[u8]) -> u32 {
    let mut named = Properties::written(raw).user_properties().filter(|(name, _)| *name == HOPS);
    named.next().and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
}

/// The properties with this count in place of an older one, behind all others.
fn with_hops(raw: &[u8], hops: u32) -> Vec<u8> {
    let mut counted = Vec::with_capacity(raw.len() + 24);
    for property in Properties::written(raw).iter() {
        if !matches!(property, Property::UserProperty(HOPS, _)) {
            property.encode(&mut counted);
        }
    }
    Property::UserProperty(HOPS, &decimal(hops.into())).encode(&mut counted);
    counted
}

impl Broker {
    /// What a delivery of a bridge's Session looks like to the remote; `None` for everybody else's.
    #[inline]
    pub(crate) fn mapped(&self, session: u32, delivery: &Delivery) -> Result<Option<Box<Mapped>>, NotDelivered> {
        match self.sessions[session].bridge {
            None => Ok(None),
            Some(bridge) => self.map(bridge, &self.messages.get(delivery.message).outgoing()).map(Some),
        }
    }

    fn map(&self, id: BridgeId, message: &Outgoing<'_>) -> Result<Box<Mapped>, NotDelivered> {
        let bridge = self.bridges.get(id).ok_or(NotDelivered::NotBridged)?;
        let topic = bridge.config.outbound(message.topic).ok_or(NotDelivered::NotBridged)?;
        let hops_max = u32::from(bridge.config.hops_max);
        let passed = hops(message.properties);
        if hops_max > 0 && passed >= hops_max {
            return Err(NotDelivered::BridgeLoop);
        }
        let counts = hops_max > 0 && bridge.config.version.is_v5();
        let properties = counts.then(|| with_hops(message.properties, passed + 1));
        Ok(Box::new(Mapped { topic, properties, may_retain: bridge.retain_available }))
    }

    /// A message goes to the remote of a bridge: at once with QoS 0, through the queue of its Session with 1 and 2.
    #[inline(never)]
    pub(crate) fn deliver_to_remote(&mut self, id: BridgeId, target: &Target, fan: &mut Fan<'_>) -> Outcome {
        let mapped = match self.map(id, fan.message) {
            Ok(mapped) => mapped,
            Err(why) => return Outcome::Not(why),
        };
        let maximum = self.bridges.get(id).map_or(Qos::ExactlyOnce, |bridge| bridge.maximum_qos);
        let qos = fan.message.qos.min(target.qos).min(maximum);
        if qos > Qos::AtMostOnce {
            return self.enqueue(target, qos, fan.message.retain, fan);
        }
        let Some(slot) = self.sessions[target.session].connection else { return Outcome::Not(NotDelivered::Offline) };
        let owed = self.connection(slot).owed_bytes();
        if owed > u64::from(self.config.limits.outbox_bytes_max) {
            return Outcome::Not(NotDelivered::OutboxFull);
        }
        if owed > 0 && self.was_memory_short() {
            return Outcome::Not(NotDelivered::Memory);
        }
        let message = mapped.message(*fan.message);
        self.write_to_remote(slot, target.session, &message, message.retain && mapped.may_retain)
    }

    /// Sends a message with QoS 0 that bears its remote name.
    fn write_to_remote(&mut self, slot: u32, session: u32, message: &Outgoing<'_>, retain: bool) -> Outcome {
        let form = self.connection(slot).form(Qos::AtMostOnce, retain, &[], message.topic);
        // Not the broker's: what lies there is the message under its local name.
        let mut frames = FrameCache::default();
        self.write_publish(slot, session, message, form, &mut frames)
    }

    /// Sends a queued message to a remote whose Maximum QoS is 0.
    pub(crate) fn send_lowered(&mut self, slot: u32, session: u32, delivery: &Delivery) {
        let Ok(Some(mapped)) = self.mapped(session, delivery) else { return };
        let message = self.messages.get(delivery.message).clone();
        let message = mapped.message(message.outgoing());
        let outcome = self.write_to_remote(slot, session, &message, delivery.retain && mapped.may_retain);
        if let Outcome::Not(why) = outcome {
            self.count_drop(session, &why);
        }
    }

    /// A Retained Message with QoS 0 that the remote is owed.
    pub(crate) fn retained_to_remote(&mut self, id: BridgeId, slot: u32, session: u32, message: MessageId) {
        let message = self.messages.get(message).clone();
        let mapped = match self.map(id, &message.outgoing()) {
            Ok(mapped) => mapped,
            Err(why) => return self.count_drop(session, &why),
        };
        let outcome = self.write_to_remote(slot, session, &mapped.message(message.outgoing()), mapped.may_retain);
        if let Outcome::Not(why) = outcome {
            self.count_drop(session, &why);
        }
    }

    /// A PUBLISH from the remote of a bridge: `bytes[at.0..at.1]`. It is published here under its local name by the
    /// bridge's Session, and acknowledged when that is stored.
    pub(crate) fn publish_from_remote(&mut self, slot: u32, session: u32, id: BridgeId, bytes: &Bytes, at: (u32, u32)) {
        let version = self.connection(slot).version;
        let frame = &bytes[at.0 as usize..at.1 as usize];
        let publish = match Publish::decode_with(frame, version, Sender::Server, None) {
            Ok(publish) => publish,
            Err(error) => return self.packet_fault(slot, error),
        };
        if let Err(fault) = self.admit(slot, session, &publish) {
            return self.fault(slot, fault);
        }
        let name = match self.resolve(slot, &publish, publish.properties.topic_alias()) {
            Ok(name) => name,
            Err(violation) => return self.violation(slot, violation),
        };
        let name = name.as_deref().or(publish.topic.map(|topic| topic.as_str())).unwrap_or_default();
        if publish.qos == Qos::ExactlyOnce
            && let Some(identifier) = publish.packet_identifier
            && self.sessions[session].received.contains(identifier)
        {
            // Published already: PUBREC again and no more [5:MQTT-4.3.3-10] [311:MQTT-4.3.3-2].
            let (ack, lsn) = (Ack::success(identifier), self.barrier());
            return self.send_ack(slot, AckKind::Pubrec, &ack, What::Other, lsn);
        }
        let hops_max = u32::from(self.bridge(id).config.hops_max);
        let passed = hops(publish.properties.raw()).saturating_add(1);
        let (topic, maximum) = match self.bridge(id).config.inbound(name) {
            Some(_) if hops_max > 0 && passed > hops_max => {
                return self.stray(slot, session, &publish, Refusal::BridgeLoop);
            }
            Some((topic, _)) if levels(&topic).count() > usize::from(self.config.limits.topic_levels_max) => {
                return self.stray(slot, session, &publish, Refusal::BridgeTopic);
            }
            Some(mapped) => mapped,
            None => return self.stray(slot, session, &publish, Refusal::BridgeTopic),
        };
        let mut properties = forwarded(publish.properties);
        if hops_max > 0 {
            properties = with_hops(&properties, passed);
        }
        self.publish_local(slot, session, &publish, bytes, (&topic, maximum), &properties);
    }

    fn publish_local(
        &mut self,
        slot: u32,
        session: u32,
        publish: &Publish<'_>,
        bytes: &Bytes,
        (topic, maximum): (&str, Qos),
        properties: &[u8],
    ) {
        let expiry_s = publish.properties.message_expiry_interval_s();
        self.counters.publishes_received += 1;
        self.counters.publish_bytes_received += publish.payload.len() as u64;
        let shared =
            (publish.payload.len() >= crate::outbox::SHARE_BYTES_MIN).then(|| bytes.slice_ref(publish.payload));
        let limits = &self.config.limits;
        let mut message = Outgoing {
            topic,
            properties,
            payload: publish.payload,
            shared: shared.as_ref(),
            frame: None,
            qos: publish.qos.min(maximum).min(limits.maximum_qos),
            retain: publish.retain && limits.retain_available,
            expires_at: expiry_s.map(|interval_s| self.now.plus_s(u64::from(interval_s))),
            publication: 0,
        };
        let mut matches = Matches::default();
        self.matches(topic, Some(session), &mut matches);
        self.publish_accepted(slot, session, publish, &mut message, &matches);
    }

    /// A PUBLISH that breaks no rule and yet goes nowhere here: acknowledged, told once and counted.
    fn stray(&mut self, slot: u32, session: u32, publish: &Publish<'_>, refusal: Refusal) {
        let counters = &mut self.counters;
        let counter =
            if refusal == Refusal::BridgeLoop { &mut counters.bridge_loops } else { &mut counters.bridge_strays };
        *counter += 1;
        self.refuse_publish(slot, session, publish, refusal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bridge_counts_itself_behind_all_other_properties() {
        // Content Type "t", the count "2", User Property "a" = "b".
        let raw = b"\x03\x00\x01t\x26\x00\x0Cwasmqtt-hops\x00\x012\x26\x00\x01a\x00\x01b";
        assert_eq!(hops(raw), 2);
        assert_eq!(with_hops(raw, 3), b"\x03\x00\x01t\x26\x00\x01a\x00\x01b\x26\x00\x0Cwasmqtt-hops\x00\x013");
        assert_eq!(hops(b"\x26\x00\x0Cwasmqtt-hops\x00\x01x"), 0);
        assert_eq!(hops(b""), 0);
    }
}
