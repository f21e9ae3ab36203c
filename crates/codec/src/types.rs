//! The small values that every packet shares: Protocol Version, packet type, QoS, Packet Identifier.
//!
//! Each is `Copy`, has exactly the values that the standard allows, and is made from wire bits by a function
//! that returns `None` for all others, so that a value in hand is always a valid one.

use core::fmt;
use core::num::NonZeroU16;

use serde::{Deserialize, Serialize};

/// A version of MQTT, as the Protocol Version byte of CONNECT names it (section 3.1.2.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum ProtocolVersion {
    /// MQTT 3.1: Protocol Name `MQIsdp`, level 3.
    V3_1,
    /// MQTT 3.1.1: Protocol Name `MQTT`, level 4.
    V3_1_1,
    /// MQTT 5.0: Protocol Name `MQTT`, version 5.
    V5,
}

impl ProtocolVersion {
    /// The byte on the wire: 3, 4 or 5.
    pub const fn level(self) -> u8 {
        match self {
            Self::V3_1 => 3,
            Self::V3_1_1 => 4,
            Self::V5 => 5,
        }
    }

    /// Whether this is MQTT 5.0, the version with properties and Reason Codes.
    #[inline]
    pub const fn is_v5(self) -> bool {
        matches!(self, Self::V5)
    }
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::V3_1 => "3.1",
            Self::V3_1_1 => "3.1.1",
            Self::V5 => "5.0",
        })
    }
}

/// Which side sent a packet. Some packets, properties and Reason Codes are allowed to one side only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Sender {
    /// The side that opened the Network Connection and sent CONNECT.
    Client,
    /// The side that accepted the Network Connection.
    Server,
}

/// Quality of Service, the strength of a delivery's promise (section 4.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[repr(u8)]
pub enum Qos {
    /// 0: sent once, perhaps lost.
    #[default]
    AtMostOnce = 0,
    /// 1: sent until acknowledged, perhaps received twice.
    AtLeastOnce = 1,
    /// 2: received exactly once.
    ExactlyOnce = 2,
}

impl Qos {
    /// The QoS of a two-bit field; `None` for 3, which is never valid, and for anything greater.
    #[inline]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }

    /// The two bits on the wire: 0, 1 or 2.
    #[inline]
    pub const fn bits(self) -> u8 {
        self as u8
    }
}

/// The number that ties an acknowledgement to the packet it answers (section 2.2.1): 1 to 65,535.
///
/// Zero cannot be made, which is [5:MQTT-2.2.1-3] and [311:MQTT-2.3.1-1] as a type.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct PacketIdentifier(NonZeroU16);

impl PacketIdentifier {
    /// The identifier with this number; `None` for zero.
    #[inline]
    pub const fn new(number: u16) -> Option<Self> {
        match NonZeroU16::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number, 1 to 65,535.
    #[inline]
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

impl fmt::Display for PacketIdentifier {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// The type of an MQTT Control Packet: bits 7 to 4 of its first byte (section 2.1.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[repr(u8)]
#[allow(missing_docs, reason = "each variant is the packet of that name")]
pub enum PacketType {
    Connect = 1,
    Connack = 2,
    Publish = 3,
    Puback = 4,
    Pubrec = 5,
    Pubrel = 6,
    Pubcomp = 7,
    Subscribe = 8,
    Suback = 9,
    Unsubscribe = 10,
    Unsuback = 11,
    Pingreq = 12,
    Pingresp = 13,
    Disconnect = 14,
    /// Enhanced authentication; since MQTT 5.0.
    Auth = 15,
}

impl PacketType {
    /// The type with this number; `None` for 0, which is reserved, and for numbers above 15.
    #[inline]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            1 => Self::Connect,
            2 => Self::Connack,
            3 => Self::Publish,
            4 => Self::Puback,
            5 => Self::Pubrec,
            6 => Self::Pubrel,
            7 => Self::Pubcomp,
            8 => Self::Subscribe,
            9 => Self::Suback,
            10 => Self::Unsubscribe,
            11 => Self::Unsuback,
            12 => Self::Pingreq,
            13 => Self::Pingresp,
            14 => Self::Disconnect,
            15 => Self::Auth,
            _ => return None,
        })
    }

    /// The four bits on the wire, 1 to 15.
    #[inline]
    pub const fn bits(self) -> u8 {
        self as u8
    }

    /// The name as the standard writes it: `CONNECT`, `PUBACK` and so on.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "CONNECT",
            Self::Connack => "CONNACK",
            Self::Publish => "PUBLISH",
            Self::Puback => "PUBACK",
            Self::Pubrec => "PUBREC",
            Self::Pubrel => "PUBREL",
            Self::Pubcomp => "PUBCOMP",
            Self::Subscribe => "SUBSCRIBE",
            Self::Suback => "SUBACK",
            Self::Unsubscribe => "UNSUBSCRIBE",
            Self::Unsuback => "UNSUBACK",
            Self::Pingreq => "PINGREQ",
            Self::Pingresp => "PINGRESP",
            Self::Disconnect => "DISCONNECT",
            Self::Auth => "AUTH",
        }
    }

    /// Whether `sender` may send this packet in `version` (table 2-1 of either standard).
    pub const fn allowed_from(self, sender: Sender, version: ProtocolVersion) -> bool {
        match self {
            Self::Connect | Self::Subscribe | Self::Unsubscribe | Self::Pingreq => matches!(sender, Sender::Client),
            Self::Connack | Self::Suback | Self::Unsuback | Self::Pingresp => matches!(sender, Sender::Server),
            Self::Publish | Self::Puback | Self::Pubrec | Self::Pubrel | Self::Pubcomp => true,
            Self::Disconnect => version.is_v5() || matches!(sender, Sender::Client),
            Self::Auth => version.is_v5(),
        }
    }

    /// The low four bits of the first byte, for every packet but PUBLISH (table 2-2): reserved, and yet 2 for some.
    pub(crate) const fn reserved_flags(self) -> u8 {
        match self {
            Self::Pubrel | Self::Subscribe | Self::Unsubscribe => 0b0010,
            Self::Connect
            | Self::Connack
            | Self::Publish
            | Self::Puback
            | Self::Pubrec
            | Self::Pubcomp
            | Self::Suback
            | Self::Unsuback
            | Self::Pingreq
            | Self::Pingresp
            | Self::Disconnect
            | Self::Auth => 0,
        }
    }
}

impl fmt::Display for PacketType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}
