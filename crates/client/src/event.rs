//! What a client tells the one who drives it.

use alloc::vec::Vec;

use wasmqtt_codec::{ConnackCode, DecodeError, PacketIdentifier, ReasonCode};

use crate::message::{Message, PropertyList};

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// CONNACK with success.
    Connected {
        /// Whether the server still has the Session. If not, what was in flight is gone, see [`Event::Finished`].
        session_present: bool,
        /// What the server announced.
        properties: PropertyList,
    },
    /// The connection is over: close the transport.
    Closed(Closed),
    /// The server goes on with an authentication exchange, or ends a re-authentication (Success).
    Challenge {
        /// Continue authentication, or Success.
        reason: ReasonCode,
        /// Authentication Method and Data.
        properties: PropertyList,
    },
    /// SUBACK.
    Subscribed {
        /// Of the SUBSCRIBE.
        id: PacketIdentifier,
        /// One Reason Code for each filter.
        codes: Vec<u8>,
    },
    /// UNSUBACK.
    Unsubscribed {
        /// Of the UNSUBSCRIBE.
        id: PacketIdentifier,
        /// One Reason Code for each filter; none in 3.x.
        codes: Vec<u8>,
    },
    /// A message came. QoS 2 messages are told once, however often they come.
    Message {
        /// The message, its Topic Alias resolved.
        message: Message,
        /// Packet Identifier, for QoS 1 and 2.
        id: Option<PacketIdentifier>,
        /// DUP.
        dup: bool,
    },
    /// A message of ours is finished, one way or another.
    Finished {
        /// Its Packet Identifier.
        id: PacketIdentifier,
        /// How it ended.
        outcome: Acknowledged,
    },
    /// PINGRESP.
    Pong,
}

/// How a published message ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acknowledged {
    /// PUBACK, PUBCOMP, or a PUBREC with 0x80 and above.
    By(ReasonCode),
    /// The server lost the Session while the message was in flight [5:MQTT-3.2.2-5].
    SessionLost,
    /// The server takes no such large packet [5:MQTT-3.2.2-15].
    TooLarge,
}

/// Why a connection is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Closed {
    /// CONNACK refused it.
    Refused(ConnackCode),
    /// The server said DISCONNECT.
    Disconnected(ReasonCode),
    /// The server did not answer PINGREQ.
    Silent,
    /// The server sent what can't be read.
    Malformed(DecodeError),
    /// The server sent what it may not send at this point.
    Violation,
}
