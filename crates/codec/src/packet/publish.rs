//! PUBLISH (section 3.3): an Application Message on its way.
//!
//! This is the packet that a broker reads and writes all day, so [`Publish::decode_with`] is the hot path of
//! the crate: one pass, and for a Topic Name that the caller has met before no look at its characters.

use bytes::BufMut;

use crate::describe::FieldValue;
use crate::property::read_properties;
use crate::reader::{Part, Reader, Watch, fail};
use crate::{
    DecodeError, PacketIdentifier, PacketType, Properties, PropertyHome, ProtocolVersion, Qos, Rule, Sender, TopicName,
    string,
};

/// A PUBLISH packet: from a client that publishes, or to a client that subscribed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publish<'a> {
    /// This may be a resend of an earlier packet (section 3.3.1.1). Never with QoS 0.
    pub dup: bool,
    /// How the delivery is assured (section 3.3.1.2).
    pub qos: Qos,
    /// To a server: keep this message for later Subscriptions. To a client: it was kept (section 3.3.1.3).
    pub retain: bool,
    /// The Topic Name (section 3.3.2.1). `None`, in MQTT 5.0 only, when a Topic Alias stands for it.
    pub topic: Option<TopicName<'a>>,
    /// The Packet Identifier (section 3.3.2.2): there if and only if the QoS is 1 or 2.
    pub packet_identifier: Option<PacketIdentifier>,
    /// The properties (section 3.3.2.3). Empty in MQTT 3.x.
    pub properties: Properties<'a>,
    /// The Application Message. Its format is the applications' business; it may be empty.
    pub payload: &'a [u8],
}

impl<'a> Publish<'a> {
    /// Decodes a PUBLISH whose Topic Name the caller may have met before.
    ///
    /// When the bytes of the topic equal `known`, they are not checked again and `known` itself becomes the
    /// topic, so `known` must be the [`TopicName::as_str`] of an earlier packet. With `None` this is
    /// [`Packet::decode`](crate::Packet::decode), `version` and `from` included.
    ///
    /// # Errors
    ///
    /// The rule that the packet breaks.
    ///
    /// # Panics
    ///
    /// If `frame` is another packet: bits 7 to 4 of its first byte are not 3.
    #[inline]
    pub fn decode_with(
        frame: &'a [u8],
        version: ProtocolVersion,
        from: Sender,
        known: Option<&'a str>,
    ) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(frame, version, from, ());
        let (packet_type, flags) = reader.fixed_header()?;
        assert!(packet_type == PacketType::Publish, "decode_with is for PUBLISH");
        Self::read(&mut reader, flags, known)
    }

    /// Reads what follows the fixed header.
    #[inline(always)]
    pub(super) fn read<W: Watch<'a>>(
        reader: &mut Reader<'a, W>,
        flags: u8,
        known: Option<&'a str>,
    ) -> Result<Self, DecodeError> {
        let dup = flags & 0b1000 != 0;
        let retain = flags & 0b0001 != 0;
        // [5:MQTT-3.3.1-4] [311:MQTT-3.3.1-4] Not both QoS bits.
        let Some(qos) = Qos::from_bits(flags >> 1 & 0b11) else {
            return fail(Rule::PublishQosReserved, 0);
        };
        // [5:MQTT-3.3.1-2] [311:MQTT-3.3.1-2] QoS 0 is never sent again.
        if dup && qos == Qos::AtMostOnce {
            return fail(Rule::PublishDupQos0, 0);
        }
        reader.part(Part::VariableHeader);
        let topic_at = reader.at();
        let topic = read_topic(reader, known)?;
        // [5:MQTT-2.2.1-2] [311:MQTT-2.3.1-5] QoS 0 has no Packet Identifier.
        let packet_identifier = match qos {
            Qos::AtMostOnce => None,
            Qos::AtLeastOnce | Qos::ExactlyOnce => Some(reader.packet_identifier()?),
        };
        let properties = read_properties(reader, PropertyHome::Publish)?;
        // "It is a Protocol Error if the Topic Name is zero length and there is no Topic Alias" (3.3.2.1).
        if topic.is_none() && properties.topic_alias().is_none() {
            return fail(Rule::PublishTopicMissing, topic_at);
        }
        let payload = read_payload(reader);
        Ok(Self { dup, qos, retain, topic, packet_identifier, properties, payload })
    }

    /// The packet without its fixed header.
    #[inline]
    pub(super) fn remaining_length(&self, version: ProtocolVersion) -> usize {
        2 + self.topic.map_or(0, |topic| topic.as_str().len())
            + self.packet_identifier.map_or(0, |_| 2)
            + self.properties.encoded_bytes(version)
            + self.payload.len()
    }

    /// Bits 3 to 0 of the first byte.
    #[inline]
    pub(super) fn flags(&self) -> u8 {
        u8::from(self.dup) << 3 | self.qos.bits() << 1 | u8::from(self.retain)
    }

    /// Writes what follows the fixed header.
    #[inline]
    pub(super) fn write(&self, version: ProtocolVersion, out: &mut impl BufMut) {
        assert!(
            self.packet_identifier.is_some() == (self.qos != Qos::AtMostOnce),
            "PUBLISH has a Packet Identifier if and only if its QoS is 1 or 2"
        );
        string::encode(self.topic.map_or("", |topic| topic.as_str()).as_bytes(), out);
        if let Some(packet_identifier) = self.packet_identifier {
            out.put_u16(packet_identifier.get());
        }
        self.properties.encode(version, out);
        out.put_slice(self.payload);
    }
}

/// The Topic Name: the first field [5:MQTT-3.3.2-1] [311:MQTT-3.3.2-1]. `None` if it has no characters.
#[inline(always)]
fn read_topic<'a, W: Watch<'a>>(
    reader: &mut Reader<'a, W>,
    known: Option<&'a str>,
) -> Result<Option<TopicName<'a>>, DecodeError> {
    let label = label!("Topic Name", "3.3.2.1", "3.3.2.1");
    let bytes = reader.prefixed(label)?;
    if let Some(known) = known
        && string::is_same(bytes, known.as_bytes())
        && !known.is_empty()
    {
        reader.seen(label, reader.at() - bytes.len(), FieldValue::Text(known));
        return Ok(Some(TopicName::known(known)));
    }
    let name = reader.utf8_in(label, bytes)?;
    if name.is_empty() {
        return Ok(None);
    }
    // [5:MQTT-3.3.2-2] [311:MQTT-3.3.2-2] No wildcard characters.
    reader
        .topic_name(name)
        .map(Some)
        .map_err(|error| error.renamed(Rule::TopicNameWildcard, Rule::PublishTopicWildcard))
}

/// All that is left.
#[inline(always)]
fn read_payload<'a, W: Watch<'a>>(reader: &mut Reader<'a, W>) -> &'a [u8] {
    if !reader.is_at_end() {
        reader.part(Part::Payload);
    }
    let start = reader.at();
    let payload = reader.rest();
    if W::ON && !payload.is_empty() {
        reader.seen(label!("Application Message", "3.3.3", "3.3.3"), start, FieldValue::Binary(payload));
    }
    payload
}
