//! SUBSCRIBE and SUBACK (sections 3.8 and 3.9): a client says which messages it wants, and hears what it gets.

use bytes::BufMut;
use serde::{Deserialize, Serialize};

use super::unsubscribe::read_filter;
use crate::describe::FieldValue;
use crate::property::read_properties;
use crate::reader::{Part, Reader, Watch, fail};
use crate::{
    DecodeError, PacketIdentifier, PacketType, Properties, PropertyHome, ProtocolVersion, Qos, Rule, TopicFilter,
    string,
};

/// A SUBSCRIBE packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscribe<'a> {
    /// What SUBACK will repeat.
    pub packet_identifier: PacketIdentifier,
    /// Subscription Identifier and User Properties (section 3.8.2.1). Empty in MQTT 3.x.
    pub properties: Properties<'a>,
    /// What is wanted: at least one Topic Filter.
    pub filters: Subscriptions<'a>,
}

/// The Payload of SUBSCRIBE: Topic Filters and their options, checked, walked when asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscriptions<'a>(&'a [u8]);

/// One Topic Filter of a SUBSCRIBE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscribeEntry<'a> {
    /// Which topics; in MQTT 5.0 a `$share` filter is well-formed.
    pub filter: TopicFilter<'a>,
    /// How.
    pub options: SubscriptionOptions,
}

/// The Subscription Options (section 3.8.3.1). In MQTT 3.x there is only the QoS, and the rest is as in `default`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SubscriptionOptions {
    /// The greatest QoS that messages are wanted with.
    pub qos: Qos,
    /// Not the messages that this client publishes itself.
    pub no_local: bool,
    /// Leave the RETAIN flag of a message as its publisher set it.
    pub retain_as_published: bool,
    /// Whether Retained Messages are wanted now.
    pub retain_handling: RetainHandling,
}

/// Whether a Subscription brings Retained Messages when it is made (section 3.8.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum RetainHandling {
    /// 0: yes.
    #[default]
    SendAtSubscribe = 0,
    /// 1: only if the Subscription did not exist.
    SendIfNew = 1,
    /// 2: no.
    DoNotSend = 2,
}

impl RetainHandling {
    /// The handling of a two-bit field; `None` for 3 and anything greater.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::SendAtSubscribe),
            1 => Some(Self::SendIfNew),
            2 => Some(Self::DoNotSend),
            _ => None,
        }
    }

    /// The two bits on the wire: 0, 1 or 2.
    pub const fn bits(self) -> u8 {
        self as u8
    }
}

impl SubscriptionOptions {
    /// The options in a byte; `None` if it is not valid in MQTT 5.0: QoS 3, Retain Handling 3, reserved bits.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match (Qos::from_bits(bits & 0b11), RetainHandling::from_bits(bits >> 4)) {
            (Some(qos), Some(retain_handling)) => {
                let (no_local, retain_as_published) = (bits & 0b100 != 0, bits & 0b1000 != 0);
                Some(Self { qos, no_local, retain_as_published, retain_handling })
            }
            (None, _) | (_, None) => None,
        }
    }

    /// The byte on the wire.
    pub const fn bits(self) -> u8 {
        self.qos.bits()
            | (self.no_local as u8) << 2
            | (self.retain_as_published as u8) << 3
            | self.retain_handling.bits() << 4
    }
}

impl<'a> Subscriptions<'a> {
    /// The list in bytes that [`SubscribeEntry::encode`] wrote. Nothing is checked.
    pub const fn written(raw: &'a [u8]) -> Self {
        Self(raw)
    }

    /// The bytes.
    pub const fn raw(&self) -> &'a [u8] {
        self.0
    }

    /// The entries, in the order of the wire, which is also the order of the codes in SUBACK.
    pub fn iter(&self) -> impl Iterator<Item = SubscribeEntry<'a>> + Clone + use<'a> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            let (filter, after) = string::split(rest)?;
            let (options, after) = after.split_first()?;
            rest = after;
            let filter = TopicFilter::known(core::str::from_utf8(filter).ok()?);
            Some(SubscribeEntry { filter, options: SubscriptionOptions::from_bits(*options)? })
        })
    }

    /// How many entries there are.
    #[allow(clippy::len_without_is_empty, reason = "a valid list is never empty")]
    pub fn len(&self) -> usize {
        self.iter().count()
    }
}

impl SubscribeEntry<'_> {
    /// Writes the Topic Filter and its options. For MQTT 3.x the options must be a QoS and nothing else.
    pub fn encode(&self, out: &mut impl BufMut) {
        string::encode(self.filter.as_str().as_bytes(), out);
        out.put_u8(self.options.bits());
    }

    /// How many bytes [`SubscribeEntry::encode`] writes.
    pub fn encoded_bytes(&self) -> usize {
        string::encoded_bytes(self.filter.as_str().as_bytes()) + 1
    }
}

impl<'a> Subscribe<'a> {
    /// Reads what follows the fixed header.
    pub(super) fn read<W: Watch<'a>>(reader: &mut Reader<'a, W>) -> Result<Self, DecodeError> {
        reader.part(Part::VariableHeader);
        let packet_identifier = reader.packet_identifier()?;
        let properties = read_properties(reader, PropertyHome::Subscribe)?;
        // [5:MQTT-3.8.3-2] [311:MQTT-3.8.3-3] At least one.
        if reader.is_at_end() {
            return fail(Rule::SubscribeEmpty, reader.at());
        }
        reader.part(Part::Payload);
        let raw = reader.unread();
        while !reader.is_at_end() {
            read_entry(reader)?;
        }
        Ok(Self { packet_identifier, properties, filters: Subscriptions(raw) })
    }

    /// The packet without its fixed header.
    pub(super) fn remaining_length(&self, version: ProtocolVersion) -> usize {
        2 + self.properties.encoded_bytes(version) + self.filters.0.len()
    }

    /// Writes what follows the fixed header.
    pub(super) fn write(&self, version: ProtocolVersion, out: &mut impl BufMut) {
        out.put_u16(self.packet_identifier.get());
        self.properties.encode(version, out);
        out.put_slice(self.filters.0);
    }
}

/// A Topic Filter [5:MQTT-3.8.3-1] [311:MQTT-3.8.3-1] and its options.
fn read_entry<'a, W: Watch<'a>>(reader: &mut Reader<'a, W>) -> Result<(), DecodeError> {
    if W::ON {
        let end =
            string::split(reader.unread()).map_or(reader.end_at(), |(_, after)| reader.end_at() - after.len() + 1);
        reader.group(label!("Subscription", "3.8.3", "3.8.3"), reader.at(), end.min(reader.end_at()));
    }
    let shared = read_filter(reader, label!("Topic Filter", "3.8.3", "3.8.3"))?;
    let options_at = reader.at();
    let options = read_options(reader)?;
    // [5:MQTT-3.8.3-4] Whose message it is does not count in a share.
    if shared && options.no_local {
        return fail(Rule::NoLocalOnShared, options_at);
    }
    Ok(())
}

/// The Subscription Options (section 3.8.3.1), or in MQTT 3.x the Requested QoS.
fn read_options<'a, W: Watch<'a>>(reader: &mut Reader<'a, W>) -> Result<SubscriptionOptions, DecodeError> {
    let at = reader.at();
    let byte = reader.byte()?;
    let number = |bits: u8| FieldValue::Number(u32::from(bits));
    let flag = |bit: u8| FieldValue::Flag(byte & 1 << bit != 0);
    let reserved = if reader.version.is_v5() {
        reader.bits(label!("Reserved", "3.8.3.1"), 7, 6, number(byte >> 6));
        reader.bits(label!("Retain Handling", "3.8.3.1"), 5, 4, number(byte >> 4 & 0b11));
        reader.bits(label!("Retain As Published", "3.8.3.1"), 3, 3, flag(3));
        reader.bits(label!("No Local", "3.8.3.1"), 2, 2, flag(2));
        0b1100_0000
    } else {
        reader.bits(label!("Reserved", "3.8.3.1", "3.8.3"), 7, 2, number(byte >> 2));
        0b1111_1100
    };
    reader.bits(label!("Maximum QoS", "3.8.3.1"; "Requested QoS", "3.8.3"), 1, 0, number(byte & 0b11));
    // [5:MQTT-3.8.3-5] [311:MQTT-3.8.3-4]
    if byte & reserved != 0 {
        return fail(Rule::SubscriptionOptionsReserved, at);
    }
    match SubscriptionOptions::from_bits(byte) {
        Some(options) => Ok(options),
        // "It is a Protocol Error if the Maximum QoS field has the value 3" (3.8.3.1). [311:MQTT-3.8.3-4]
        None if byte & 0b11 == 0b11 => fail(Rule::SubscriptionQosReserved, at),
        // "It is a Protocol Error to send a Retain Handling value of 3" (3.8.3.1).
        None => fail(Rule::RetainHandlingReserved, at),
    }
}

/// A SUBACK packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suback<'a> {
    /// That of the SUBSCRIBE.
    pub packet_identifier: PacketIdentifier,
    /// Reason String and User Properties (section 3.9.2.1). Empty in MQTT 3.x.
    pub properties: Properties<'a>,
    /// One code for each Topic Filter of the SUBSCRIBE: the QoS granted, or why not. Reason Codes in MQTT 5.0
    /// ([`ReasonCode::from_byte`](crate::ReasonCode::from_byte)), in 3.x one of 0, 1, 2 and 0x80.
    pub codes: &'a [u8],
}

impl<'a> Suback<'a> {
    /// Reads what follows the fixed header.
    pub(super) fn read<W: Watch<'a>>(reader: &mut Reader<'a, W>) -> Result<Self, DecodeError> {
        reader.part(Part::VariableHeader);
        let packet_identifier = reader.packet_identifier()?;
        let properties = read_properties(reader, PropertyHome::Suback)?;
        // [5:MQTT-3.8.4-6] [311:MQTT-3.8.4-5] One for each Topic Filter, and there was at least one.
        if reader.is_at_end() {
            return fail(Rule::SubackEmpty, reader.at());
        }
        reader.part(Part::Payload);
        let codes = reader.unread();
        let label = label!("Subscribe Reason Code", "3.9.3"; "Return code", "3.9.3");
        while !reader.is_at_end() {
            // [5:MQTT-3.9.3-2]
            if reader.version.is_v5() {
                reader.reason_code(label, PacketType::Suback, Rule::SubackReason)?;
                continue;
            }
            // [311:MQTT-3.9.3-2]
            if !matches!(reader.u8(label)?, 0..=2 | 0x80) {
                return fail(Rule::SubackReason, reader.at() - 1);
            }
        }
        Ok(Self { packet_identifier, properties, codes })
    }

    /// The packet without its fixed header.
    pub(super) fn remaining_length(&self, version: ProtocolVersion) -> usize {
        2 + self.properties.encoded_bytes(version) + self.codes.len()
    }

    /// Writes what follows the fixed header.
    pub(super) fn write(&self, version: ProtocolVersion, out: &mut impl BufMut) {
        out.put_u16(self.packet_identifier.get());
        self.properties.encode(version, out);
        out.put_slice(self.codes);
    }
}
