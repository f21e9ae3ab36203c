//! PUBACK, PUBREC, PUBREL and PUBCOMP (sections 3.4 to 3.7): the answers that make QoS 1 and 2.
//!
//! The four have the same fields and differ in the Reason Codes they may carry. In MQTT 3.x there is only the
//! Packet Identifier; in 5.0 what follows it may be left out while it says nothing.

use bytes::BufMut;

use crate::property::read_properties;
use crate::reader::{Label, Part, Reader, Watch};
use crate::{
    DecodeError, Packet, PacketIdentifier, PacketType, Properties, PropertyHome, ProtocolVersion, ReasonCode, Rule,
};

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

/// Which of the four it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AckKind {
    /// The answer to a PUBLISH of QoS 1 (section 3.4).
    Puback = 0x40,
    /// The answer to a PUBLISH of QoS 2 (section 3.5).
    Pubrec = 0x50,
    /// The answer to PUBREC (section 3.6).
    Pubrel = 0x62,
    /// The answer to PUBREL (section 3.7).
    Pubcomp = 0x70,
}

impl AckKind {
    /// By the first byte of the packet, reserved flags and all.
    #[inline]
    const fn from_first_byte(first: u8) -> Option<Self> {
        match first {
            0x40 => Some(Self::Puback),
            0x50 => Some(Self::Pubrec),
            0x62 => Some(Self::Pubrel),
            0x70 => Some(Self::Pubcomp),
            _ => None,
        }
    }
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

    /// The acknowledgement in this frame if it has the short form, equal in all versions: four bytes that say no more
    /// than that all went well. `None` says nothing against a packet; [`Packet::decode`](crate::Packet::decode) does.
    ///
    /// Half of the packets of a busy broker are such, and this is several times cheaper.
    #[inline]
    pub fn from_short(frame: &[u8]) -> Option<(AckKind, Self)> {
        let &[first, 2, high, low] = frame else { return None };
        let identifier = PacketIdentifier::new(u16::from_be_bytes([high, low]))?;
        Some((AckKind::from_first_byte(first)?, Self::success(identifier)))
    }

    /// The short form of this acknowledgement; `None` if it says more than that all went well.
    #[inline]
    pub fn to_short(&self, kind: AckKind) -> Option<[u8; 4]> {
        let [high, low] = self.packet_identifier.get().to_be_bytes();
        let short = self.reason == ReasonCode::Success && self.properties.is_empty();
        short.then_some([kind as u8, 2, high, low])
    }

    /// The packet that it is.
    pub const fn into_packet(self, kind: AckKind) -> Packet<'a> {
        match kind {
            AckKind::Puback => Packet::Puback(self),
            AckKind::Pubrec => Packet::Pubrec(self),
            AckKind::Pubrel => Packet::Pubrel(self),
            AckKind::Pubcomp => Packet::Pubcomp(self),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sender;

    /// Bytes by hand from 3.4.2, 3.5.2, 3.6.1 and 3.7.2.
    #[test]
    fn the_short_form_is_that_of_the_long_way() {
        let kinds =
            [(AckKind::Puback, 0x40), (AckKind::Pubrec, 0x50), (AckKind::Pubrel, 0x62), (AckKind::Pubcomp, 0x70)];
        for (kind, first) in kinds {
            let frame = [first, 2, 0x12, 0x34];
            let (found, ack) = Ack::from_short(&frame).unwrap();
            assert_eq!((found, ack.packet_identifier.get(), ack.reason), (kind, 0x1234, ReasonCode::Success));
            assert_eq!(ack.to_short(kind), Some(frame));
            for version in [ProtocolVersion::V3_1, ProtocolVersion::V3_1_1, ProtocolVersion::V5] {
                assert_eq!(Packet::decode(&frame, version, Sender::Client), Ok(ack.into_packet(kind)));
            }
            let refused = Ack { reason: ReasonCode::QuotaExceeded, ..ack };
            assert_eq!(refused.to_short(kind), None);
        }
        // Identifier 0, wrong flags, another length, another packet: the long way says what is wrong with them.
        for frame in [&[0x40, 2, 0, 0][..], &[0x60, 2, 0, 1], &[0x40, 3, 0, 1, 0], &[0x20, 2, 0, 0], &[0x40, 2, 0]] {
            assert_eq!(Ack::from_short(frame), None);
        }
    }
}
