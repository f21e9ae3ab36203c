//! [`Properties`]: a property list as the bytes it came in, walked when asked.
//!
//! The bytes were checked when their packet was decoded, or written by [`Property::encode`]. A walk therefore
//! finds one property after another; should the bytes be neither, it ends early, and never panics.

use bytes::BufMut;

use super::{Property, PropertyHome, PropertyId, PropertyType, read_property};
use crate::reader::Reader;
use crate::{ProtocolVersion, Qos, Sender, string, varint};

/// A checked property list: what stands between a Property Length and the field after it.
///
/// Equality is that of the bytes: the order counts.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Properties<'a>(&'a [u8]);

/// Makes the getters of properties that occur at most once.
macro_rules! getters {
    ($($(#[$doc:meta])* $getter:ident: $variant:ident -> $type:ty;)*) => {
        $(
            $(#[$doc])*
            pub fn $getter(&self) -> Option<$type> {
                let Property::$variant(value) = self.find(PropertyId::$variant)? else {
                    unreachable!("find gives what was asked for");
                };
                Some(value)
            }
        )*
    };
}

impl<'a> Properties<'a> {
    /// A list without properties.
    pub const EMPTY: Self = Self(&[]);

    /// The list in bytes that [`Property::encode`] wrote.
    ///
    /// Nothing is checked. From other bytes the getters may give less than was put in, and a packet encoded
    /// with them may be invalid.
    #[inline]
    pub const fn written(raw: &'a [u8]) -> Self {
        Self(raw)
    }

    /// The bytes, without the Property Length.
    #[inline]
    pub const fn raw(&self) -> &'a [u8] {
        self.0
    }

    /// Whether there is none.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All properties, in the order of the wire.
    pub fn iter(&self) -> impl Iterator<Item = Property<'a>> + Clone + use<'a> {
        Walk(self.0).map_while(|(id, value)| property(id, value))
    }

    /// The properties with this identifier.
    fn all(&self, wanted: PropertyId) -> impl Iterator<Item = Property<'a>> + Clone + use<'a> {
        Walk(self.0).filter(move |(id, _)| *id == wanted).map_while(|(id, value)| property(id, value))
    }

    /// The first property with this identifier.
    fn find(&self, wanted: PropertyId) -> Option<Property<'a>> {
        self.all(wanted).next()
    }

    getters! {
        /// Whether the Payload is UTF-8 text.
        payload_format_indicator: PayloadFormatIndicator -> bool;
        /// The lifetime of the Application Message, in seconds.
        message_expiry_interval_s: MessageExpiryInterval -> u32;
        /// What kind of content the Payload is.
        content_type: ContentType -> &'a str;
        /// The Topic Name for a response.
        response_topic: ResponseTopic -> &'a str;
        /// What the requester uses to know the response again.
        correlation_data: CorrelationData -> &'a [u8];
        /// How long the Session outlives its connection, in seconds; 0xFFFFFFFF is for ever.
        session_expiry_interval_s: SessionExpiryInterval -> u32;
        /// The Client Identifier that the server chose.
        assigned_client_identifier: AssignedClientIdentifier -> &'a str;
        /// The Keep Alive that the server chose, in seconds.
        server_keep_alive_s: ServerKeepAlive -> u16;
        /// The name of the method of enhanced authentication.
        authentication_method: AuthenticationMethod -> &'a str;
        /// What that method sends.
        authentication_data: AuthenticationData -> &'a [u8];
        /// Whether Reason Strings and User Properties may come with any packet.
        request_problem_information: RequestProblemInformation -> bool;
        /// How long the Will waits after the connection is lost, in seconds.
        will_delay_interval_s: WillDelayInterval -> u32;
        /// Whether the server should send Response Information.
        request_response_information: RequestResponseInformation -> bool;
        /// What the client may make Response Topics from.
        response_information: ResponseInformation -> &'a str;
        /// Another server to use.
        server_reference: ServerReference -> &'a str;
        /// What went wrong, for people.
        reason_string: ReasonString -> &'a str;
        /// How many QoS 1 and 2 messages the sender takes at a time: 1 to 65,535.
        receive_maximum: ReceiveMaximum -> u16;
        /// The greatest Topic Alias that the sender takes; 0 for none.
        topic_alias_maximum: TopicAliasMaximum -> u16;
        /// The number that stands for a Topic Name: 1 to 65,535.
        topic_alias: TopicAlias -> u16;
        /// The greatest QoS that the server takes: 0 or 1.
        maximum_qos: MaximumQos -> Qos;
        /// Whether the server keeps Retained Messages.
        retain_available: RetainAvailable -> bool;
        /// The largest packet that the sender takes, in bytes: 1 to 4,294,967,295.
        maximum_packet_size_bytes: MaximumPacketSize -> u32;
        /// Whether the server takes Topic Filters with wildcards.
        wildcard_subscription_available: WildcardSubscriptionAvailable -> bool;
        /// Whether the server takes Subscription Identifiers.
        subscription_identifiers_available: SubscriptionIdentifiersAvailable -> bool;
        /// Whether the server takes Shared Subscriptions.
        shared_subscription_available: SharedSubscriptionAvailable -> bool;
    }

    /// The Subscription Identifiers, 1 to 268,435,455 each: at most one in SUBSCRIBE, any number in PUBLISH.
    pub fn subscription_identifiers(&self) -> impl Iterator<Item = u32> + Clone + use<'a> {
        self.all(PropertyId::SubscriptionIdentifier).map(|property| {
            let Property::SubscriptionIdentifier(identifier) = property else {
                unreachable!("all gives what was asked for");
            };
            identifier
        })
    }

    /// The User Properties, name and value, in the order of the wire.
    pub fn user_properties(&self) -> impl Iterator<Item = (&'a str, &'a str)> + Clone + use<'a> {
        self.all(PropertyId::UserProperty).map(|property| {
            let Property::UserProperty(name, value) = property else {
                unreachable!("all gives what was asked for");
            };
            (name, value)
        })
    }

    /// How many bytes the list takes in a packet, Property Length included: none in MQTT 3.x.
    #[inline]
    pub(crate) fn encoded_bytes(&self, version: ProtocolVersion) -> usize {
        if version.is_v5() { varint::encoded_bytes(self.length()) + self.0.len() } else { 0 }
    }

    /// Writes Property Length and properties; nothing in MQTT 3.x.
    #[inline]
    pub(crate) fn encode(&self, version: ProtocolVersion, out: &mut impl BufMut) {
        if version.is_v5() {
            varint::encode(self.length(), out);
            out.put_slice(self.0);
        }
    }

    fn length(&self) -> u32 {
        u32::try_from(self.0.len()).expect("a property list has at most 268,435,455 bytes")
    }
}

/// Walks over identifiers and values without looking into the values.
#[derive(Clone)]
struct Walk<'a>(&'a [u8]);

impl<'a> Iterator for Walk<'a> {
    type Item = (PropertyId, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (byte, rest) = self.0.split_first()?;
        let id = PropertyId::from_byte(*byte)?;
        let (value, rest) = rest.split_at_checked(value_bytes(id, rest)?)?;
        self.0 = rest;
        Some((id, value))
    }
}

/// How many bytes the value takes at the start of `rest`; `None` if it is not all there.
pub(super) fn value_bytes(id: PropertyId, rest: &[u8]) -> Option<usize> {
    let prefixed = |rest: &[u8]| string::split(rest).map(|(bytes, _)| string::encoded_bytes(bytes));
    match id.kind() {
        PropertyType::Byte => Some(1),
        PropertyType::TwoByte => Some(2),
        PropertyType::FourByte => Some(4),
        PropertyType::VariableByte => varint::decode(rest).ok().flatten().map(|(_, length)| length),
        PropertyType::Utf8 | PropertyType::Binary => prefixed(rest),
        PropertyType::Utf8Pair => {
            let name = prefixed(rest)?;
            Some(name + prefixed(rest.get(name..)?)?)
        }
    }
}

/// The property with this value. Its home no longer matters: that was checked, or is the writer's business.
fn property(id: PropertyId, value: &[u8]) -> Option<Property<'_>> {
    let mut reader = Reader::new(value, ProtocolVersion::V5, Sender::Server, ());
    read_property(&mut reader, id, PropertyHome::Publish).ok()
}
