//! The packets (chapter 3): one struct for each, and [`Packet`] for any of them.
//!
//! Each file holds one packet, or a few that belong together, and reads like its section of the standard:
//! what the fields mean, how they are read and checked, how they are written. What all packets share, the fixed
//! header, is here.

mod ack;
mod auth;
mod connack;
mod connect;
mod disconnect;
mod publish;
mod subscribe;
mod unsubscribe;

use bytes::BufMut;

pub use self::ack::{Ack, AckKind};
pub use self::auth::Auth;
pub use self::connack::{Connack, ConnackCode};
pub use self::connect::{Connect, Will};
pub use self::disconnect::Disconnect;
pub use self::publish::Publish;
pub use self::subscribe::{RetainHandling, Suback, Subscribe, SubscribeEntry, SubscriptionOptions, Subscriptions};
pub use self::unsubscribe::{Filters, Unsuback, Unsubscribe};
use crate::reader::{Reader, Watch, fail};
use crate::{DecodeError, PacketType, ProtocolVersion, Rule, Sender, varint};

/// An MQTT Control Packet, borrowed from the bytes it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// A client wants a connection (section 3.1).
    Connect(Connect<'a>),
    /// The answer to CONNECT (section 3.2).
    Connack(Connack<'a>),
    /// An Application Message (section 3.3).
    Publish(Publish<'a>),
    /// The answer to a PUBLISH of QoS 1 (section 3.4).
    Puback(Ack<'a>),
    /// The answer to a PUBLISH of QoS 2 (section 3.5).
    Pubrec(Ack<'a>),
    /// The answer to PUBREC (section 3.6).
    Pubrel(Ack<'a>),
    /// The answer to PUBREL (section 3.7).
    Pubcomp(Ack<'a>),
    /// A client wants messages (section 3.8).
    Subscribe(Subscribe<'a>),
    /// The answer to SUBSCRIBE (section 3.9).
    Suback(Suback<'a>),
    /// A client no longer wants messages (section 3.10).
    Unsubscribe(Unsubscribe<'a>),
    /// The answer to UNSUBSCRIBE (section 3.11).
    Unsuback(Unsuback<'a>),
    /// A client asks for a sign of life (section 3.12).
    Pingreq,
    /// The answer to PINGREQ (section 3.13).
    Pingresp,
    /// The last packet of a connection (section 3.14).
    Disconnect(Disconnect<'a>),
    /// A step of enhanced authentication (section 3.15); since MQTT 5.0.
    Auth(Auth<'a>),
}

impl<'a> Packet<'a> {
    /// Decodes the packet that is `frame`: exactly the bytes that [`frame()`](crate::frame()) found.
    ///
    /// `version` is that of the connection; a CONNECT names its own, and `version` is ignored. `from` is who
    /// sent it: some packets, properties and Reason Codes are allowed to one side only.
    ///
    /// # Errors
    ///
    /// The first rule that the packet breaks, in the order of its bytes.
    pub fn decode(frame: &'a [u8], version: ProtocolVersion, from: Sender) -> Result<Self, DecodeError> {
        read(Reader::new(frame, version, from, ()))
    }

    /// Writes the packet. A CONNECT is written in its own version, all others in `version`.
    ///
    /// What the version has no room for is left out: properties and Reason Codes in 3.x. Where the standard
    /// allows a short form (no Reason Code, no Property Length) that is what is written.
    ///
    /// # Panics
    ///
    /// If a field does not fit: a string of more than 65,535 bytes, a packet of more than 268,435,455 bytes
    /// after its fixed header, a PUBLISH whose Packet Identifier does not go with its QoS, an AUTH in 3.x.
    pub fn encode(&self, version: ProtocolVersion, out: &mut impl BufMut) {
        let packet_type = self.packet_type();
        let flags = if let Self::Publish(publish) = self { publish.flags() } else { packet_type.reserved_flags() };
        out.put_u8(packet_type.bits() << 4 | flags);
        varint::encode(self.remaining_length(version), out);
        match self {
            Self::Connect(connect) => connect.write(out),
            Self::Connack(connack) => connack.write(version, out),
            Self::Publish(publish) => publish.write(version, out),
            Self::Puback(ack) | Self::Pubrec(ack) | Self::Pubrel(ack) | Self::Pubcomp(ack) => ack.write(version, out),
            Self::Subscribe(subscribe) => subscribe.write(version, out),
            Self::Suback(suback) => suback.write(version, out),
            Self::Unsubscribe(unsubscribe) => unsubscribe.write(version, out),
            Self::Unsuback(unsuback) => unsuback.write(version, out),
            Self::Pingreq | Self::Pingresp => {}
            Self::Disconnect(disconnect) => disconnect.write(version, out),
            Self::Auth(auth) => auth.write(version, out),
        }
    }

    /// How many bytes [`Packet::encode`] writes, fixed header included (section 2.1.4).
    pub fn encoded_bytes(&self, version: ProtocolVersion) -> usize {
        let remaining_length = self.remaining_length(version);
        1 + varint::encoded_bytes(remaining_length) + remaining_length as usize
    }

    /// Which packet it is.
    pub const fn packet_type(&self) -> PacketType {
        match self {
            Self::Connect(_) => PacketType::Connect,
            Self::Connack(_) => PacketType::Connack,
            Self::Publish(_) => PacketType::Publish,
            Self::Puback(_) => PacketType::Puback,
            Self::Pubrec(_) => PacketType::Pubrec,
            Self::Pubrel(_) => PacketType::Pubrel,
            Self::Pubcomp(_) => PacketType::Pubcomp,
            Self::Subscribe(_) => PacketType::Subscribe,
            Self::Suback(_) => PacketType::Suback,
            Self::Unsubscribe(_) => PacketType::Unsubscribe,
            Self::Unsuback(_) => PacketType::Unsuback,
            Self::Pingreq => PacketType::Pingreq,
            Self::Pingresp => PacketType::Pingresp,
            Self::Disconnect(_) => PacketType::Disconnect,
            Self::Auth(_) => PacketType::Auth,
        }
    }

    /// How many bytes follow the fixed header.
    fn remaining_length(&self, version: ProtocolVersion) -> u32 {
        let bytes = match self {
            Self::Connect(connect) => connect.remaining_length(),
            Self::Connack(connack) => connack.remaining_length(version),
            Self::Publish(publish) => publish.remaining_length(version),
            Self::Puback(ack) | Self::Pubrec(ack) | Self::Pubrel(ack) | Self::Pubcomp(ack) => {
                ack.remaining_length(version)
            }
            Self::Subscribe(subscribe) => subscribe.remaining_length(version),
            Self::Suback(suback) => suback.remaining_length(version),
            Self::Unsubscribe(unsubscribe) => unsubscribe.remaining_length(version),
            Self::Unsuback(unsuback) => unsuback.remaining_length(version),
            Self::Pingreq | Self::Pingresp => 0,
            Self::Disconnect(disconnect) => disconnect.remaining_length(version),
            Self::Auth(auth) => auth.remaining_length(version),
        };
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }
}

/// Reads a packet of any type: the one decoder, whether anybody watches or not.
pub(crate) fn read<'a, W: Watch<'a>>(mut reader: Reader<'a, W>) -> Result<Packet<'a>, DecodeError> {
    let (packet_type, flags) = reader.fixed_header()?;
    // A PUBLISH is anybody's to send, its flags mean something, and it is by far the most frequent.
    if packet_type != PacketType::Publish {
        check_sender(packet_type, reader.from, reader.version)?;
        // A CONNECT says further on which version it is, and until then its flags cannot be judged.
        if packet_type != PacketType::Connect {
            check_flags(packet_type, flags, reader.version)?;
        }
    }
    let packet = match packet_type {
        PacketType::Connect => Packet::Connect(Connect::read(&mut reader, flags)?),
        PacketType::Connack => Packet::Connack(Connack::read(&mut reader)?),
        PacketType::Publish => Packet::Publish(Publish::read(&mut reader, flags, None)?),
        PacketType::Puback => Packet::Puback(Ack::read(&mut reader, &ack::PUBACK)?),
        PacketType::Pubrec => Packet::Pubrec(Ack::read(&mut reader, &ack::PUBREC)?),
        PacketType::Pubrel => Packet::Pubrel(Ack::read(&mut reader, &ack::PUBREL)?),
        PacketType::Pubcomp => Packet::Pubcomp(Ack::read(&mut reader, &ack::PUBCOMP)?),
        PacketType::Subscribe => Packet::Subscribe(Subscribe::read(&mut reader)?),
        PacketType::Suback => Packet::Suback(Suback::read(&mut reader)?),
        PacketType::Unsubscribe => Packet::Unsubscribe(Unsubscribe::read(&mut reader)?),
        PacketType::Unsuback => Packet::Unsuback(Unsuback::read(&mut reader)?),
        PacketType::Pingreq => Packet::Pingreq,
        PacketType::Pingresp => Packet::Pingresp,
        PacketType::Disconnect => Packet::Disconnect(Disconnect::read(&mut reader)?),
        PacketType::Auth => Packet::Auth(Auth::read(&mut reader)?),
    };
    reader.end()?;
    Ok(packet)
}

/// Whether this side may send this packet at all (table 2-1).
fn check_sender(packet_type: PacketType, from: Sender, version: ProtocolVersion) -> Result<(), DecodeError> {
    // Type 15 was reserved before it became AUTH. The version of a CONNECT is not known yet and does not matter.
    if packet_type == PacketType::Auth && !version.is_v5() {
        return fail(Rule::PacketTypeReserved, 0);
    }
    if packet_type.allowed_from(from, version) { Ok(()) } else { fail(Rule::PacketTypeWrongSender, 0) }
}

/// The reserved flags of the fixed header (table 2-2).
fn check_flags(packet_type: PacketType, flags: u8, version: ProtocolVersion) -> Result<(), DecodeError> {
    // MQTT 3.1 sets DUP when it sends PUBREL, SUBSCRIBE or UNSUBSCRIBE again, and says of the other packets only
    // that the flags are not used.
    if flags == packet_type.reserved_flags() || version == ProtocolVersion::V3_1 {
        return Ok(());
    }
    let rule = match packet_type {
        // [5:MQTT-3.6.1-1] [311:MQTT-3.6.1-1]
        PacketType::Pubrel => Rule::PubrelFlags,
        // [5:MQTT-3.8.1-1] [311:MQTT-3.8.1-1]
        PacketType::Subscribe => Rule::SubscribeFlags,
        // [5:MQTT-3.10.1-1] [311:MQTT-3.10.1-1]
        PacketType::Unsubscribe => Rule::UnsubscribeFlags,
        // [5:MQTT-3.14.1-1] [311:MQTT-3.14.1-1]
        PacketType::Disconnect => Rule::DisconnectFlags,
        // [5:MQTT-3.15.1-1]
        PacketType::Auth => Rule::AuthFlags,
        // These flags are not reserved: DUP, QoS and RETAIN.
        PacketType::Publish => return Ok(()),
        // [5:MQTT-2.1.3-1] [311:MQTT-2.2.2-1] [311:MQTT-2.2.2-2]
        PacketType::Connect
        | PacketType::Connack
        | PacketType::Puback
        | PacketType::Pubrec
        | PacketType::Pubcomp
        | PacketType::Suback
        | PacketType::Unsuback
        | PacketType::Pingreq
        | PacketType::Pingresp => Rule::FixedHeaderFlags,
    };
    fail(rule, 0)
}
