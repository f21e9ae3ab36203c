//! PUBACK, PUBREC, PUBREL and PUBCOMP (sections 3.4 to 3.7): the answers that make QoS 1 and 2.
//!
//! The four have the same fields and differ in the Reason Codes they may carry. In MQTT 3.x there is only the
//! Packet Identifier; in 5.0 what follows it may be left out while it says nothing.

use bytes::BufMut;

use crate::property::read_properties;
use crate::reader::{Label, Part, Reader, Watch};
use crate::{DecodeError, PacketIdentifier, PacketType, Properties, PropertyHome, ProtocolVersion, ReasonCode, Rule};

/// A PUBACK, PUBREC, PUBREL or PUBCOMP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack<'a> {
    /// That of the PUBLISH it belongs to.
    pub packet_identifier: PacketIdentifier,
    /// What came of it. Always Success in MQTT 3.x.
    pub reason: ReasonCode,
    /// Reason String and User Properties. Empty in MQTT 3.x.
    pub properties: Properties<'a>,
}

/// In what the four differ.
pub(super) struct Kind {
    packet_type: PacketType,
    home: PropertyHome,
    label: &'static Label,
    rule: Rule,
}

// [5:MQTT-3.4.2-1]
pub(super) static PUBACK: Kind = Kind {
    packet_type: PacketType::Puback,
    home: PropertyHome::Puback,
    label: label!("PUBACK Reason Code", "3.4.2.1"),
    rule: Rule::PubackReason,
};
// [5:MQTT-3.5.2-1]
pub(super) static PUBREC: Kind = Kind {
    packet_type: PacketType::Pubrec,
    home: PropertyHome::Pubrec,
    label: label!("PUBREC Reason Code", "3.5.2.1"),
    rule: Rule::PubrecReason,
};
// [5:MQTT-3.6.2-1]
pub(super) static PUBREL: Kind = Kind {
    packet_type: PacketType::Pubrel,
    home: PropertyHome::Pubrel,
    label: label!("PUBREL Reason Code", "3.6.2.1"),
    rule: Rule::PubrelReason,
};
// [5:MQTT-3.7.2-1]
pub(super) static PUBCOMP: Kind = Kind {
    packet_type: PacketType::Pubcomp,
    home: PropertyHome::Pubcomp,
    label: label!("PUBCOMP Reason Code", "3.7.2.1"),
    rule: Rule::PubcompReason,
};

impl<'a> Ack<'a> {
    /// The answer with nothing to say but that all went well.
    pub const fn success(packet_identifier: PacketIdentifier) -> Self {
        Self { packet_identifier, reason: ReasonCode::Success, properties: Properties::EMPTY }
    }

    /// Reads what follows the fixed header.
    pub(super) fn read<W: Watch<'a>>(reader: &mut Reader<'a, W>, kind: &Kind) -> Result<Self, DecodeError> {
        reader.part(Part::VariableHeader);
        let mut ack = Self::success(reader.packet_identifier()?);
        // "If the Remaining Length is 2, then there is no Reason Code and the value of 0x00 is used" (3.4.2.1).
        if reader.version.is_v5() && !reader.is_at_end() {
            ack.reason = reader.reason_code(kind.label, kind.packet_type, kind.rule)?;
            // "If the Remaining Length is less than 4 there is no Property Length" (3.4.2.2.1).
            if !reader.is_at_end() {
                ack.properties = read_properties(reader, kind.home)?;
            }
        }
        Ok(ack)
    }

    /// The packet without its fixed header, in the shortest form: 2 bytes without a Reason Code, 3 without a
    /// Property Length.
    pub(super) fn remaining_length(&self, version: ProtocolVersion) -> usize {
        let has_properties = !self.properties.is_empty();
        if !version.is_v5() || (self.reason == ReasonCode::Success && !has_properties) {
            2
        } else if has_properties {
            3 + self.properties.encoded_bytes(version)
        } else {
            3
        }
    }

    /// Writes what follows the fixed header.
    pub(super) fn write(&self, version: ProtocolVersion, out: &mut impl BufMut) {
        let length = self.remaining_length(version);
        out.put_u16(self.packet_identifier.get());
        if length > 2 {
            out.put_u8(self.reason.byte());
        }
        if length > 3 {
            self.properties.encode(version, out);
        }
    }
}
