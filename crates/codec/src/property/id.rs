//! Which properties there are, what type each has, and which packet may carry it (table 2-4).

use serde::{Deserialize, Serialize};

use crate::PacketType;

/// Where a property list stands: in one of the packets, or in the Will Properties inside CONNECT.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[repr(u8)]
#[allow(missing_docs, reason = "each variant is the packet of that name")]
pub enum PropertyHome {
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
    Disconnect = 14,
    Auth = 15,
    /// The Will Properties, in the Payload of CONNECT.
    Will = 16,
}

impl PropertyHome {
    /// The packet with this type's own list; `None` for PINGREQ and PINGRESP, which have none.
    pub const fn of(packet: PacketType) -> Option<Self> {
        Some(match packet {
            PacketType::Connect => Self::Connect,
            PacketType::Connack => Self::Connack,
            PacketType::Publish => Self::Publish,
            PacketType::Puback => Self::Puback,
            PacketType::Pubrec => Self::Pubrec,
            PacketType::Pubrel => Self::Pubrel,
            PacketType::Pubcomp => Self::Pubcomp,
            PacketType::Subscribe => Self::Subscribe,
            PacketType::Suback => Self::Suback,
            PacketType::Unsubscribe => Self::Unsubscribe,
            PacketType::Unsuback => Self::Unsuback,
            PacketType::Disconnect => Self::Disconnect,
            PacketType::Auth => Self::Auth,
            PacketType::Pingreq | PacketType::Pingresp => return None,
        })
    }

    /// The section that defines this list.
    pub(crate) const fn section(self) -> &'static str {
        match self {
            Self::Connect => "5:3.1.2.11.1",
            Self::Connack => "5:3.2.2.3.1",
            Self::Publish => "5:3.3.2.3.1",
            Self::Puback => "5:3.4.2.2.1",
            Self::Pubrec => "5:3.5.2.2.1",
            Self::Pubrel => "5:3.6.2.2.1",
            Self::Pubcomp => "5:3.7.2.2.1",
            Self::Subscribe => "5:3.8.2.1.1",
            Self::Suback => "5:3.9.2.1.1",
            Self::Unsubscribe => "5:3.10.2.1.1",
            Self::Unsuback => "5:3.11.2.1.1",
            Self::Disconnect => "5:3.14.2.2.1",
            Self::Auth => "5:3.15.2.2.1",
            Self::Will => "5:3.1.3.2.1",
        }
    }
}

/// The data types of properties (section 2.2.2.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PropertyType {
    Byte,
    TwoByte,
    FourByte,
    VariableByte,
    Utf8,
    Binary,
    Utf8Pair,
}

/// Makes [`PropertyId`] and the table of what is known about each: its type, and its homes with their sections.
macro_rules! properties {
    ($($variant:ident = $byte:literal, $name:literal, $kind:ident, [$($home:ident $section:literal),*];)*) => {
        /// The identifier of a property (section 2.2.2.2). All of them fit one byte.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum PropertyId {
            $(
                #[doc = concat!(stringify!($byte), ": ", $name, ".")]
                $variant = $byte,
            )*
        }

        impl PropertyId {
            /// Every property, in the order of its identifier.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The property with this identifier; `None` if the standard has none.
            #[inline]
            pub const fn from_byte(byte: u8) -> Option<Self> {
                Some(match byte {
                    $($byte => Self::$variant,)*
                    _ => return None,
                })
            }

            /// The name in the standard.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The type of the value.
            #[inline]
            pub(crate) const fn kind(self) -> PropertyType {
                match self {
                    $(Self::$variant => PropertyType::$kind,)*
                }
            }

            /// One bit for each home.
            #[inline]
            const fn homes(self) -> u32 {
                match self {
                    $(Self::$variant => 0 $(| 1 << PropertyHome::$home as u32)*,)*
                }
            }

            /// The section that says what the property means there. Table 2-4 alone where it has no home.
            pub(crate) fn section(self, home: PropertyHome) -> &'static str {
                let sections: &[(PropertyHome, &str)] = match self {
                    $(Self::$variant => &[$((PropertyHome::$home, concat!("5:", $section))),*],)*
                };
                sections.iter().find(|(at, _)| *at == home).map_or("5:2.2.2.2", |(_, section)| section)
            }
        }
    };
}

// Table 2-4, with the section for each home.
properties! {
    PayloadFormatIndicator = 0x01, "Payload Format Indicator", Byte,
        [Publish "3.3.2.3.2", Will "3.1.3.2.3"];
    MessageExpiryInterval = 0x02, "Message Expiry Interval", FourByte,
        [Publish "3.3.2.3.3", Will "3.1.3.2.4"];
    ContentType = 0x03, "Content Type", Utf8,
        [Publish "3.3.2.3.9", Will "3.1.3.2.5"];
    ResponseTopic = 0x08, "Response Topic", Utf8,
        [Publish "3.3.2.3.5", Will "3.1.3.2.6"];
    CorrelationData = 0x09, "Correlation Data", Binary,
        [Publish "3.3.2.3.6", Will "3.1.3.2.7"];
    SubscriptionIdentifier = 0x0B, "Subscription Identifier", VariableByte,
        [Publish "3.3.2.3.8", Subscribe "3.8.2.1.2"];
    SessionExpiryInterval = 0x11, "Session Expiry Interval", FourByte,
        [Connect "3.1.2.11.2", Connack "3.2.2.3.2", Disconnect "3.14.2.2.2"];
    AssignedClientIdentifier = 0x12, "Assigned Client Identifier", Utf8,
        [Connack "3.2.2.3.7"];
    ServerKeepAlive = 0x13, "Server Keep Alive", TwoByte,
        [Connack "3.2.2.3.14"];
    AuthenticationMethod = 0x15, "Authentication Method", Utf8,
        [Connect "3.1.2.11.9", Connack "3.2.2.3.17", Auth "3.15.2.2.2"];
    AuthenticationData = 0x16, "Authentication Data", Binary,
        [Connect "3.1.2.11.10", Connack "3.2.2.3.18", Auth "3.15.2.2.3"];
    RequestProblemInformation = 0x17, "Request Problem Information", Byte,
        [Connect "3.1.2.11.7"];
    WillDelayInterval = 0x18, "Will Delay Interval", FourByte,
        [Will "3.1.3.2.2"];
    RequestResponseInformation = 0x19, "Request Response Information", Byte,
        [Connect "3.1.2.11.6"];
    ResponseInformation = 0x1A, "Response Information", Utf8,
        [Connack "3.2.2.3.15"];
    ServerReference = 0x1C, "Server Reference", Utf8,
        [Connack "3.2.2.3.16", Disconnect "3.14.2.2.5"];
    ReasonString = 0x1F, "Reason String", Utf8,
        [Connack "3.2.2.3.9", Puback "3.4.2.2.2", Pubrec "3.5.2.2.2", Pubrel "3.6.2.2.2", Pubcomp "3.7.2.2.2",
         Suback "3.9.2.1.2", Unsuback "3.11.2.1.2", Disconnect "3.14.2.2.3", Auth "3.15.2.2.4"];
    ReceiveMaximum = 0x21, "Receive Maximum", TwoByte,
        [Connect "3.1.2.11.3", Connack "3.2.2.3.3"];
    TopicAliasMaximum = 0x22, "Topic Alias Maximum", TwoByte,
        [Connect "3.1.2.11.5", Connack "3.2.2.3.8"];
    TopicAlias = 0x23, "Topic Alias", TwoByte,
        [Publish "3.3.2.3.4"];
    MaximumQos = 0x24, "Maximum QoS", Byte,
        [Connack "3.2.2.3.4"];
    RetainAvailable = 0x25, "Retain Available", Byte,
        [Connack "3.2.2.3.5"];
    UserProperty = 0x26, "User Property", Utf8Pair,
        [Connect "3.1.2.11.8", Connack "3.2.2.3.10", Publish "3.3.2.3.7", Will "3.1.3.2.8", Puback "3.4.2.2.3",
         Pubrec "3.5.2.2.3", Pubrel "3.6.2.2.3", Pubcomp "3.7.2.2.3", Subscribe "3.8.2.1.3", Suback "3.9.2.1.3",
         Unsubscribe "3.10.2.1.2", Unsuback "3.11.2.1.3", Disconnect "3.14.2.2.4", Auth "3.15.2.2.5"];
    MaximumPacketSize = 0x27, "Maximum Packet Size", FourByte,
        [Connect "3.1.2.11.4", Connack "3.2.2.3.6"];
    WildcardSubscriptionAvailable = 0x28, "Wildcard Subscription Available", Byte,
        [Connack "3.2.2.3.11"];
    SubscriptionIdentifiersAvailable = 0x29, "Subscription Identifiers Available", Byte,
        [Connack "3.2.2.3.12"];
    SharedSubscriptionAvailable = 0x2A, "Shared Subscription Available", Byte,
        [Connack "3.2.2.3.13"];
}

impl PropertyId {
    /// The identifier on the wire.
    #[inline]
    pub const fn byte(self) -> u8 {
        self as u8
    }

    /// Whether this packet (or Will) may carry this property (table 2-4).
    ///
    /// Two of them depend on the [`Sender`](crate::Sender) too: Subscription Identifier in a client's PUBLISH
    /// and Session Expiry Interval in a server's DISCONNECT are errors, though allowed here.
    #[inline]
    pub const fn allowed_in(self, home: PropertyHome) -> bool {
        self.homes() & (1 << home as u32) != 0
    }

    /// Whether it may occur more than once in one list: User Property always, Subscription Identifier in the
    /// PUBLISH of a server, which gives one for each matching Subscription (section 3.3.2.3.8).
    #[inline]
    pub const fn may_repeat_in(self, home: PropertyHome) -> bool {
        match self {
            Self::UserProperty => true,
            Self::SubscriptionIdentifier => matches!(home, PropertyHome::Publish),
            Self::PayloadFormatIndicator
            | Self::MessageExpiryInterval
            | Self::ContentType
            | Self::ResponseTopic
            | Self::CorrelationData
            | Self::SessionExpiryInterval
            | Self::AssignedClientIdentifier
            | Self::ServerKeepAlive
            | Self::AuthenticationMethod
            | Self::AuthenticationData
            | Self::RequestProblemInformation
            | Self::WillDelayInterval
            | Self::RequestResponseInformation
            | Self::ResponseInformation
            | Self::ServerReference
            | Self::ReasonString
            | Self::ReceiveMaximum
            | Self::TopicAliasMaximum
            | Self::TopicAlias
            | Self::MaximumQos
            | Self::RetainAvailable
            | Self::MaximumPacketSize
            | Self::WildcardSubscriptionAvailable
            | Self::SubscriptionIdentifiersAvailable
            | Self::SharedSubscriptionAvailable => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_seven() {
        assert_eq!(PropertyId::ALL.len(), 27);
        assert_eq!((0..=255).filter_map(PropertyId::from_byte).count(), 27);
        for id in PropertyId::ALL {
            assert_eq!(PropertyId::from_byte(id.byte()), Some(*id));
        }
    }

    /// The number of properties that each list has in chapter 3.
    #[test]
    fn as_many_as_the_packets_own_sections() {
        let count = |home| PropertyId::ALL.iter().filter(|id| id.allowed_in(home)).count();
        for (home, number) in [
            (PropertyHome::Connect, 9),
            (PropertyHome::Will, 7),
            (PropertyHome::Connack, 17),
            (PropertyHome::Publish, 8),
            (PropertyHome::Puback, 2),
            (PropertyHome::Pubrec, 2),
            (PropertyHome::Pubrel, 2),
            (PropertyHome::Pubcomp, 2),
            (PropertyHome::Subscribe, 2),
            (PropertyHome::Suback, 2),
            (PropertyHome::Unsubscribe, 1),
            (PropertyHome::Unsuback, 2),
            (PropertyHome::Disconnect, 4),
            (PropertyHome::Auth, 4),
        ] {
            assert_eq!(count(home), number, "{home:?}");
        }
    }
}
