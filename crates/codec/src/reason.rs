//! Reason Codes (section 2.4): how a packet of MQTT 5.0 says what came of another.
//!
//! One set of numbers serves all packets, but each packet may carry only some of them; table 2-6 says which,
//! and [`ReasonCode::allowed_in`] is that table. MQTT 3.x has six Connect Return Codes instead, and for
//! everything else it closes the connection without a word.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::PacketType;

/// Makes [`ReasonCode`] and its table: number, name, and the packets that may carry it.
macro_rules! reasons {
    ($($variant:ident = $byte:literal, $name:literal, [$($packet:ident)*];)*) => {
        /// The result of an operation, in one byte: below 0x80 it succeeded, from there on it failed.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum ReasonCode {
            $(
                #[doc = concat!(stringify!($byte), ": ", $name, ".")]
                $variant = $byte,
            )*
        }

        impl ReasonCode {
            /// Every Reason Code, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The Reason Code with this number; `None` if the standard has none.
            #[inline]
            pub const fn from_byte(byte: u8) -> Option<Self> {
                Some(match byte {
                    $($byte => Self::$variant,)*
                    _ => return None,
                })
            }

            /// The name in the standard. 0x00 has three: see [`ReasonCode::name_in`].
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// One bit for each packet type that may carry this code.
            const fn packets(self) -> u16 {
                match self {
                    $(Self::$variant => 0 $(| 1 << PacketType::$packet as u16)*,)*
                }
            }
        }
    };
}

// Table 2-6.
reasons! {
    Success = 0x00, "Success", [Connack Puback Pubrec Pubrel Pubcomp Suback Unsuback Disconnect Auth];
    GrantedQos1 = 0x01, "Granted QoS 1", [Suback];
    GrantedQos2 = 0x02, "Granted QoS 2", [Suback];
    DisconnectWithWill = 0x04, "Disconnect with Will Message", [Disconnect];
    NoMatchingSubscribers = 0x10, "No matching subscribers", [Puback Pubrec];
    NoSubscriptionExisted = 0x11, "No subscription existed", [Unsuback];
    ContinueAuthentication = 0x18, "Continue authentication", [Auth];
    ReAuthenticate = 0x19, "Re-authenticate", [Auth];
    UnspecifiedError = 0x80, "Unspecified error", [Connack Puback Pubrec Suback Unsuback Disconnect];
    MalformedPacket = 0x81, "Malformed Packet", [Connack Disconnect];
    ProtocolError = 0x82, "Protocol Error", [Connack Disconnect];
    ImplementationSpecificError = 0x83, "Implementation specific error",
        [Connack Puback Pubrec Suback Unsuback Disconnect];
    UnsupportedProtocolVersion = 0x84, "Unsupported Protocol Version", [Connack];
    ClientIdentifierNotValid = 0x85, "Client Identifier not valid", [Connack];
    BadUserNameOrPassword = 0x86, "Bad User Name or Password", [Connack];
    NotAuthorized = 0x87, "Not authorized", [Connack Puback Pubrec Suback Unsuback Disconnect];
    ServerUnavailable = 0x88, "Server unavailable", [Connack];
    ServerBusy = 0x89, "Server busy", [Connack Disconnect];
    Banned = 0x8A, "Banned", [Connack];
    ServerShuttingDown = 0x8B, "Server shutting down", [Disconnect];
    BadAuthenticationMethod = 0x8C, "Bad authentication method", [Connack Disconnect];
    KeepAliveTimeout = 0x8D, "Keep Alive timeout", [Disconnect];
    SessionTakenOver = 0x8E, "Session taken over", [Disconnect];
    TopicFilterInvalid = 0x8F, "Topic Filter invalid", [Suback Unsuback Disconnect];
    TopicNameInvalid = 0x90, "Topic Name invalid", [Connack Puback Pubrec Disconnect];
    PacketIdentifierInUse = 0x91, "Packet Identifier in use", [Puback Pubrec Suback Unsuback];
    PacketIdentifierNotFound = 0x92, "Packet Identifier not found", [Pubrel Pubcomp];
    ReceiveMaximumExceeded = 0x93, "Receive Maximum exceeded", [Disconnect];
    TopicAliasInvalid = 0x94, "Topic Alias invalid", [Disconnect];
    PacketTooLarge = 0x95, "Packet too large", [Connack Disconnect];
    MessageRateTooHigh = 0x96, "Message rate too high", [Disconnect];
    QuotaExceeded = 0x97, "Quota exceeded", [Connack Puback Pubrec Suback Disconnect];
    AdministrativeAction = 0x98, "Administrative action", [Disconnect];
    PayloadFormatInvalid = 0x99, "Payload format invalid", [Connack Puback Pubrec Disconnect];
    RetainNotSupported = 0x9A, "Retain not supported", [Connack Disconnect];
    QosNotSupported = 0x9B, "QoS not supported", [Connack Disconnect];
    UseAnotherServer = 0x9C, "Use another server", [Connack Disconnect];
    ServerMoved = 0x9D, "Server moved", [Connack Disconnect];
    SharedSubscriptionsNotSupported = 0x9E, "Shared Subscriptions not supported", [Suback Disconnect];
    ConnectionRateExceeded = 0x9F, "Connection rate exceeded", [Connack Disconnect];
    MaximumConnectTime = 0xA0, "Maximum connect time", [Disconnect];
    SubscriptionIdentifiersNotSupported = 0xA1, "Subscription Identifiers not supported", [Suback Disconnect];
    WildcardSubscriptionsNotSupported = 0xA2, "Wildcard Subscriptions not supported", [Suback Disconnect];
}

impl ReasonCode {
    /// 0x00 in DISCONNECT.
    pub const NORMAL_DISCONNECTION: Self = Self::Success;
    /// 0x00 in SUBACK.
    pub const GRANTED_QOS_0: Self = Self::Success;

    /// The number on the wire.
    #[inline]
    pub const fn byte(self) -> u8 {
        self as u8
    }

    /// Whether it says that something failed: 0x80 and above.
    #[inline]
    pub const fn is_error(self) -> bool {
        self.byte() >= 0x80
    }

    /// Whether this packet may carry this code (table 2-6).
    #[inline]
    pub const fn allowed_in(self, packet: PacketType) -> bool {
        self.packets() & (1 << packet.bits()) != 0
    }

    /// The name in this packet: 0x00 is "Normal disconnection" in DISCONNECT and "Granted QoS 0" in SUBACK.
    pub const fn name_in(self, packet: PacketType) -> &'static str {
        if !matches!(self, Self::Success) {
            self.name()
        } else if matches!(packet, PacketType::Disconnect) {
            "Normal disconnection"
        } else if matches!(packet, PacketType::Suback) {
            "Granted QoS 0"
        } else {
            self.name()
        }
    }

    /// The Connect Return Code of MQTT 3.x (table 3.1 of 3.1.1) that says the same: 0 to 5.
    ///
    /// `None` where 3.x has no words for it: then the connection is closed without a CONNACK [311:MQTT-3.2.2-6].
    pub const fn connect_return_code(self) -> Option<u8> {
        match self {
            Self::Success => Some(0),
            Self::UnsupportedProtocolVersion => Some(1),
            Self::ClientIdentifierNotValid => Some(2),
            Self::ServerUnavailable
            | Self::ServerBusy
            | Self::QuotaExceeded
            | Self::UseAnotherServer
            | Self::ServerMoved
            | Self::ConnectionRateExceeded => Some(3),
            Self::BadUserNameOrPassword => Some(4),
            Self::NotAuthorized | Self::Banned => Some(5),
            Self::GrantedQos1
            | Self::GrantedQos2
            | Self::DisconnectWithWill
            | Self::NoMatchingSubscribers
            | Self::NoSubscriptionExisted
            | Self::ContinueAuthentication
            | Self::ReAuthenticate
            | Self::UnspecifiedError
            | Self::MalformedPacket
            | Self::ProtocolError
            | Self::ImplementationSpecificError
            | Self::ServerShuttingDown
            | Self::BadAuthenticationMethod
            | Self::KeepAliveTimeout
            | Self::SessionTakenOver
            | Self::TopicFilterInvalid
            | Self::TopicNameInvalid
            | Self::PacketIdentifierInUse
            | Self::PacketIdentifierNotFound
            | Self::ReceiveMaximumExceeded
            | Self::TopicAliasInvalid
            | Self::PacketTooLarge
            | Self::MessageRateTooHigh
            | Self::AdministrativeAction
            | Self::PayloadFormatInvalid
            | Self::RetainNotSupported
            | Self::QosNotSupported
            | Self::SharedSubscriptionsNotSupported
            | Self::MaximumConnectTime
            | Self::SubscriptionIdentifiersNotSupported
            | Self::WildcardSubscriptionsNotSupported => None,
        }
    }

    /// The Reason Code that says the same as a Connect Return Code of MQTT 3.x; `None` from 6 on (reserved).
    pub const fn from_connect_return_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Success,
            1 => Self::UnsupportedProtocolVersion,
            2 => Self::ClientIdentifierNotValid,
            3 => Self::ServerUnavailable,
            4 => Self::BadUserNameOrPassword,
            5 => Self::NotAuthorized,
            _ => return None,
        })
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "0x{:02X} {}", self.byte(), self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_back() {
        assert_eq!(ReasonCode::ALL.len(), 43);
        assert_eq!((0..=255).filter_map(ReasonCode::from_byte).count(), 43);
        for code in ReasonCode::ALL {
            assert_eq!(ReasonCode::from_byte(code.byte()), Some(*code));
            assert_eq!(code.is_error(), code.byte() >= 0x80);
        }
    }

    /// How many codes tables 3-1, 3-4 to 3-11 list for each packet.
    #[test]
    fn as_many_as_the_packets_own_tables() {
        let count = |packet| ReasonCode::ALL.iter().filter(|code| code.allowed_in(packet)).count();
        assert_eq!(count(PacketType::Connack), 22);
        assert_eq!(count(PacketType::Puback), 9);
        assert_eq!(count(PacketType::Pubrec), 9);
        assert_eq!(count(PacketType::Pubrel), 2);
        assert_eq!(count(PacketType::Pubcomp), 2);
        assert_eq!(count(PacketType::Suback), 12);
        assert_eq!(count(PacketType::Unsuback), 7);
        // Table 3-10 has 29: it lacks 0x8C, which table 2-6 lists for DISCONNECT.
        assert_eq!(count(PacketType::Disconnect), 30);
        assert_eq!(count(PacketType::Auth), 3);
        assert_eq!(count(PacketType::Publish), 0);
    }

    /// [311:MQTT-3.2.2-6]
    #[test]
    fn return_codes_and_back() {
        for code in 0..=5 {
            let reason = ReasonCode::from_connect_return_code(code).unwrap();
            assert_eq!(reason.connect_return_code(), Some(code));
        }
        assert_eq!(ReasonCode::from_connect_return_code(6), None);
        assert_eq!(ReasonCode::Banned.connect_return_code(), Some(5));
        assert_eq!(ReasonCode::MalformedPacket.connect_return_code(), None);
    }
}
