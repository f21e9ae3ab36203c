//! UNSUBSCRIBE and UNSUBACK (sections 3.10 and 3.11): a client takes Subscriptions back.

use bytes::BufMut;

use crate::property::read_properties;
use crate::reader::{Label, Part, Reader, Watch, fail};
use crate::{
    DecodeError, PacketIdentifier, PacketType, Properties, PropertyHome, ProtocolVersion, Rule, TopicFilter, string,
};

/// An UNSUBSCRIBE packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsubscribe<'a> {
    /// What UNSUBACK will repeat.
    pub packet_identifier: PacketIdentifier,
    /// User Properties (section 3.10.2.1). Empty in MQTT 3.x.
    pub properties: Properties<'a>,
    /// The Topic Filters of the Subscriptions to end: at least one.
    pub filters: Filters<'a>,
}

/// The Payload of UNSUBSCRIBE: Topic Filters, checked, walked when asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filters<'a>(&'a [u8]);

impl<'a> Filters<'a> {
    /// The list in bytes that [`TopicFilter::encode`] wrote. Nothing is checked.
    pub const fn written(raw: &'a [u8]) -> Self {
        Self(raw)
    }

    /// The bytes.
    pub const fn raw(&self) -> &'a [u8] {
        self.0
    }

    /// The Topic Filters, in the order of the wire, which is also the order of the codes in UNSUBACK.
    pub fn iter(&self) -> impl Iterator<Item = TopicFilter<'a>> + Clone + use<'a> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            let (filter, after) = string::split(rest)?;
            rest = after;
            Some(TopicFilter::known(core::str::from_utf8(filter).ok()?))
        })
    }

    /// How many there are.
    #[allow(clippy::len_without_is_empty, reason = "a valid list is never empty")]
    pub fn len(&self) -> usize {
        self.iter().count()
    }
}

impl<'a> Unsubscribe<'a> {
    /// Reads what follows the fixed header.
    pub(super) fn read<W: Watch<'a>>(reader: &mut Reader<'a, W>) -> Result<Self, DecodeError> {
        reader.part(Part::VariableHeader);
        let packet_identifier = reader.packet_identifier()?;
        let properties = read_properties(reader, PropertyHome::Unsubscribe)?;
        // [5:MQTT-3.10.3-2] [311:MQTT-3.10.3-2] At least one.
        if reader.is_at_end() {
            return fail(Rule::UnsubscribeEmpty, reader.at());
        }
        reader.part(Part::Payload);
        let raw = reader.unread();
        while !reader.is_at_end() {
            // [5:MQTT-3.10.3-1] [311:MQTT-3.10.3-1]
            read_filter(reader, label!("Topic Filter", "3.10.3", "3.10.3"))?;
        }
        Ok(Self { packet_identifier, properties, filters: Filters(raw) })
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

/// A Topic Filter, and whether it is that of a Shared Subscription: something that only MQTT 5.0 knows.
pub(super) fn read_filter<'a, W: Watch<'a>>(reader: &mut Reader<'a, W>, label: &Label) -> Result<bool, DecodeError> {
    let text = reader.utf8(label)?;
    let start = reader.at() - text.len();
    let filter = match TopicFilter::locate(text) {
        Ok(filter) => filter,
        Err((rule, offset)) => return fail(rule, start + offset),
    };
    if !reader.version.is_v5() {
        return Ok(false);
    }
    // [5:MQTT-4.8.2-1] [5:MQTT-4.8.2-2]
    match filter.share() {
        Ok(share) => Ok(share.is_some()),
        Err(rule) => fail(rule, start),
    }
}

/// An UNSUBACK packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsuback<'a> {
    /// That of the UNSUBSCRIBE.
    pub packet_identifier: PacketIdentifier,
    /// Reason String and User Properties (section 3.11.2.1). Empty in MQTT 3.x.
    pub properties: Properties<'a>,
    /// One Reason Code for each Topic Filter of the UNSUBSCRIBE
    /// ([`ReasonCode::from_byte`](crate::ReasonCode::from_byte)). Empty in MQTT 3.x.
    pub codes: &'a [u8],
}

impl<'a> Unsuback<'a> {
    /// Reads what follows the fixed header.
    pub(super) fn read<W: Watch<'a>>(reader: &mut Reader<'a, W>) -> Result<Self, DecodeError> {
        reader.part(Part::VariableHeader);
        let packet_identifier = reader.packet_identifier()?;
        if !reader.version.is_v5() {
            return Ok(Self { packet_identifier, properties: Properties::EMPTY, codes: &[] });
        }
        let properties = read_properties(reader, PropertyHome::Unsuback)?;
        // "There is always one Reason Code for each Topic Filter" (3.11.3), and there was at least one.
        if reader.is_at_end() {
            return fail(Rule::UnsubackEmpty, reader.at());
        }
        reader.part(Part::Payload);
        let codes = reader.unread();
        while !reader.is_at_end() {
            // [5:MQTT-3.11.3-2]
            let label = label!("Unsubscribe Reason Code", "3.11.3");
            reader.reason_code(label, PacketType::Unsuback, Rule::UnsubackReason)?;
        }
        Ok(Self { packet_identifier, properties, codes })
    }

    /// The codes, in the one version that has them.
    fn codes_in(&self, version: ProtocolVersion) -> &'a [u8] {
        if version.is_v5() { self.codes } else { &[] }
    }

    /// The packet without its fixed header.
    pub(super) fn remaining_length(&self, version: ProtocolVersion) -> usize {
        2 + self.properties.encoded_bytes(version) + self.codes_in(version).len()
    }

    /// Writes what follows the fixed header.
    pub(super) fn write(&self, version: ProtocolVersion, out: &mut impl BufMut) {
        out.put_u16(self.packet_identifier.get());
        self.properties.encode(version, out);
        out.put_slice(self.codes_in(version));
    }
}
