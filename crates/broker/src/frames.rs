//! PUBLISH packets as they go out. A message is encoded once for each distinct form (version, QoS, RETAIN) and copied
//! to every connection that takes that form, with only the Packet Identifier put in; what differs from client to
//! client, such as Subscription Identifiers or a Topic Alias, is encoded for it alone.

use alloc::boxed::Box;
use alloc::vec::Vec;
use wasmqtt_codec::{PacketIdentifier, Property, Qos, varint};

use crate::alias::AliasUse;
use crate::message::Outgoing;
use crate::outbox::SHARE_BYTES_MIN;
use crate::time::Time;

/// What makes one PUBLISH of a message differ from another.
#[derive(Clone, Copy)]
pub(crate) struct Form<'a> {
    pub v5: bool,
    pub qos: Qos,
    pub retain: bool,
    pub dup: bool,
    /// Subscription Identifiers [5:MQTT-3.3.4-3].
    pub identifiers: &'a [u32],
    pub alias: AliasUse,
}

/// An encoded PUBLISH: all of it, or all but a payload that is large enough to be shared.
#[derive(Clone, Default)]
pub(crate) struct Encoded {
    pub bytes: Vec<u8>,
    /// Where the two bytes of the Packet Identifier are; 0 for QoS 0.
    identifier_at: u32,
    /// Payload bytes that are not in `bytes`.
    pub shared_bytes: u32,
    /// Length of the packet, also if it is longer than a packet can be and was not encoded.
    len: usize,
}

/// The largest Remaining Length (2.1.4).
const REMAINING_LENGTH_MAX: usize = 268_435_455;

/// The largest packet: that, its own four bytes and the first.
pub(crate) const PACKET_BYTES_LIMIT: u32 = REMAINING_LENGTH_MAX as u32 + 5;

impl Encoded {
    /// Length of the packet.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Appends what is in `bytes` with this Packet Identifier.
    pub(crate) fn copy_to(&self, buffer: &mut Vec<u8>, identifier: Option<PacketIdentifier>) {
        let at = buffer.len() + self.identifier_at as usize;
        buffer.extend_from_slice(&self.bytes);
        if let Some(identifier) = identifier {
            buffer[at..at + 2].copy_from_slice(&identifier.get().to_be_bytes());
        }
    }

    /// The whole packet on its own memory, for packets that must wait.
    pub(crate) fn to_vec(&self, identifier: Option<PacketIdentifier>, message: &Outgoing<'_>) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.len());
        self.copy_to(&mut bytes, identifier);
        bytes.extend_from_slice(&message.payload[..self.shared_bytes as usize]);
        bytes
    }

    /// Length of the packet that a message in a form would be.
    pub(crate) fn len_of(message: &Outgoing<'_>, form: Form<'_>) -> usize {
        let parts = Parts::new(message, form);
        1 + varint_bytes(parts.remaining) + parts.remaining
    }

    /// Encodes a message in a form, without allocating if the buffer is large enough already.
    pub(crate) fn fill(&mut self, message: &Outgoing<'_>, form: Form<'_>, now: Time) {
        let Parts { topic, properties_bytes, identifier_bytes, remaining } = Parts::new(message, form);
        let whole = message.payload.len() < SHARE_BYTES_MIN || message.shared.is_none();
        let out = &mut self.bytes;
        out.clear();
        self.shared_bytes = 0;
        self.len = 1 + 4 + remaining;
        if remaining > REMAINING_LENGTH_MAX {
            // A packet of 3.x that fills the whole length has no room for the properties of 5.0.
            return;
        }
        out.push(0x30 | u8::from(form.dup) << 3 | form.qos.bits() << 1 | u8::from(form.retain));
        varint::encode(remaining as u32, out);
        out.extend_from_slice(&(topic.len() as u16).to_be_bytes());
        out.extend_from_slice(topic.as_bytes());
        self.identifier_at = out.len() as u32;
        out.resize(out.len() + identifier_bytes, 0);
        if form.v5 {
            varint::encode(properties_bytes as u32, out);
            put_own_properties(message, form, now, out);
            out.extend_from_slice(message.properties);
        }
        if whole {
            out.extend_from_slice(message.payload);
        } else {
            self.shared_bytes = message.payload.len() as u32;
        }
        self.len = out.len() + self.shared_bytes as usize;
    }
}

/// What the length of a PUBLISH is the sum of.
struct Parts<'a> {
    topic: &'a str,
    properties_bytes: usize,
    identifier_bytes: usize,
    /// Remaining Length.
    remaining: usize,
}

impl<'a> Parts<'a> {
    fn new(message: &Outgoing<'a>, form: Form<'_>) -> Self {
        let topic = if matches!(form.alias, AliasUse::Uses(_)) { "" } else { message.topic };
        let properties_bytes = if form.v5 { own_properties_bytes(message, form) + message.properties.len() } else { 0 };
        let length_bytes = if form.v5 { varint::encoded_bytes(properties_bytes as u32) } else { 0 };
        let identifier_bytes = if form.qos == Qos::AtMostOnce { 0 } else { 2 };
        let remaining = 2 + topic.len() + identifier_bytes + length_bytes + properties_bytes + message.payload.len();
        Parts { topic, properties_bytes, identifier_bytes, remaining }
    }
}

/// Bytes of a Remaining Length, which counts as the longest if it is longer than one can be.
fn varint_bytes(remaining: usize) -> usize {
    if remaining > REMAINING_LENGTH_MAX { 4 } else { varint::encoded_bytes(remaining as u32) }
}

/// Bytes of the properties that the broker puts in itself.
fn own_properties_bytes(message: &Outgoing<'_>, form: Form<'_>) -> usize {
    let expiry = if message.expires_at.is_some() { 5 } else { 0 };
    let alias = if form.alias == AliasUse::None { 0 } else { 3 };
    let identifiers: usize = form.identifiers.iter().map(|&number| 1 + varint::encoded_bytes(number)).sum();
    expiry + alias + identifiers
}

fn put_own_properties(message: &Outgoing<'_>, form: Form<'_>, now: Time, out: &mut Vec<u8>) {
    if let Some(at) = message.expires_at {
        // What was received minus the time it waited here [5:MQTT-3.3.2-6], in whole seconds that have not passed; an
        // interval of 0 lasts for the microsecond in which it came.
        let left_s = at.us_since(now).saturating_sub(1).div_ceil(1_000_000);
        Property::MessageExpiryInterval(left_s.min(u64::from(u32::MAX)) as u32).encode(out);
    }
    match form.alias {
        AliasUse::None => {}
        AliasUse::Sets(alias) | AliasUse::Uses(alias) => Property::TopicAlias(alias).encode(out),
    }
    for &identifier in form.identifiers {
        Property::SubscriptionIdentifier(identifier).encode(out);
    }
}

/// The forms of one message that many receivers share, each encoded when first needed. Cheap to take out of the broker
/// and to put back.
#[derive(Clone, Default)]
pub(crate) struct FrameCache {
    filled: u16,
    forms: Option<Box<Forms>>,
}

#[derive(Clone, Default)]
struct Forms {
    /// By version, QoS and RETAIN.
    common: [Encoded; 12],
    /// For forms that only one receiver has.
    own: Encoded,
}

impl FrameCache {
    /// Forgets the message before.
    pub(crate) fn start(&mut self) {
        self.filled = 0;
    }

    /// Gives back what large messages needed.
    pub(crate) fn trim(&mut self) {
        self.forms = None;
    }

    /// The message in this form.
    pub(crate) fn encoded(&mut self, message: &Outgoing<'_>, form: Form<'_>, now: Time) -> &Encoded {
        let forms = self.forms.get_or_insert_default();
        if form.dup || !form.identifiers.is_empty() || form.alias != AliasUse::None {
            forms.own.fill(message, form, now);
            return &forms.own;
        }
        let index = usize::from(form.v5) * 6 + usize::from(form.qos.bits()) * 2 + usize::from(form.retain);
        if self.filled & 1 << index == 0 {
            self.filled |= 1 << index;
            forms.common[index].fill(message, form, now);
        }
        &forms.common[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Outgoing<'static> {
        Outgoing {
            topic: "a/b",
            properties: &[0x01, 0x01],
            payload: b"hi",
            shared: None,
            frame: None,
            qos: Qos::AtLeastOnce,
            retain: false,
            expires_at: Some(Time(2_500_000)),
            publication: 1,
        }
    }

    // Bytes by hand from 3.3 of both standards.
    #[test]
    fn a_publish_in_every_form() {
        let mut encoded = Encoded::default();
        let check_len = |encoded: &Encoded, form| assert_eq!(Encoded::len_of(&message(), form), encoded.len());
        let form =
            Form { v5: false, qos: Qos::AtLeastOnce, retain: true, dup: true, identifiers: &[], alias: AliasUse::None };
        encoded.fill(&message(), form, Time(0));
        check_len(&encoded, form);
        let mut bytes = Vec::new();
        encoded.copy_to(&mut bytes, PacketIdentifier::new(0x1234));
        assert_eq!(bytes, [0x3B, 9, 0, 3, b'a', b'/', b'b', 0x12, 0x34, b'h', b'i']);

        let form = Form { v5: true, dup: false, retain: false, identifiers: &[200], alias: AliasUse::Uses(7), ..form };
        encoded.fill(&message(), form, Time(0));
        check_len(&encoded, form);
        let mut bytes = Vec::new();
        encoded.copy_to(&mut bytes, PacketIdentifier::new(1));
        let expected =
            [0x32, 20, 0, 0, 0, 1, 13, 0x02, 0, 0, 0, 3, 0x23, 0, 7, 0x0B, 0xC8, 0x01, 0x01, 0x01, b'h', b'i'];
        assert_eq!(bytes, expected);
    }
}
