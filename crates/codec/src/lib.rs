//! Bytes to MQTT packets and back, for MQTT 5.0, 3.1.1 and 3.1.
//!
//! A stream of bytes is cut into frames by [`frame()`]; one frame becomes a borrowed [`Packet`] by
//! [`Packet::decode`]; [`Packet::encode`] writes it again. Nothing is allocated and nothing is copied: a
//! packet is a view of the bytes it came from. Everything that the bytes alone can prove wrong is refused
//! here, each refusal with the [`Rule`] it broke, so that whoever holds a packet need not doubt it. What
//! needs memory of earlier packets (is this Packet Identifier in use?) is the broker's matter.
//!
//! [`describe()`] runs the same decoder for people: it names every field with its bytes and bits.
//!
//! ```
//! use wasmqtt_codec::{Framing, Packet, ProtocolVersion, Sender, frame};
//!
//! // PUBLISH, QoS 0, Topic Name "a/b", Payload "hi", and the first byte of the next packet.
//! let stream = [0x30, 0x07, 0x00, 0x03, b'a', b'/', b'b', b'h', b'i', 0xC0];
//! let Ok(Framing::Complete { total_bytes, .. }) = frame(&stream, 1024) else { panic!("a whole packet is there") };
//! let packet = Packet::decode(&stream[..total_bytes], ProtocolVersion::V3_1_1, Sender::Client);
//! let Ok(Packet::Publish(publish)) = packet else { panic!("it is a PUBLISH") };
//! assert_eq!(publish.topic.map(|topic| topic.as_str()), Some("a/b"));
//! assert_eq!(publish.payload, b"hi");
//! ```
#![no_std]
#![forbid(unsafe_code)]

#[macro_use]
mod reader;

pub mod describe;
pub mod error;
pub mod frame;
pub mod packet;
pub mod property;
pub mod reason;
pub mod string;
pub mod topic;
pub mod types;
pub mod varint;

pub use describe::{Field, FieldValue, describe};
pub use error::{Blame, DecodeError, Rule};
pub use frame::{Framing, frame};
pub use packet::{
    Ack, AckKind, Auth, Connack, ConnackCode, Connect, Disconnect, Filters, Packet, Publish, RetainHandling, Suback,
    Subscribe, SubscribeEntry, SubscriptionOptions, Subscriptions, Unsuback, Unsubscribe, Will,
};
pub use property::{Properties, Property, PropertyHome, PropertyId};
pub use reason::ReasonCode;
pub use string::check_utf8;
pub use topic::{Share, TopicFilter, TopicName};
pub use types::{PacketIdentifier, PacketType, ProtocolVersion, Qos, Sender};
