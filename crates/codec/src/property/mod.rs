//! The properties of MQTT 5.0 (section 2.2.2): what a packet says beyond its fixed fields.
//!
//! On the wire a property list is its length and then identifier, value, identifier, value. It is checked once,
//! when its packet is decoded: each identifier is known and allowed there, none comes twice that may not, each
//! value is in range. After that it stays what it was, bytes, and [`Properties`] walks them when somebody asks:
//! most packets have no properties and most properties are only passed on.

mod id;
mod list;

use bytes::BufMut;

pub(crate) use self::id::PropertyType;
pub use self::id::{PropertyHome, PropertyId};
pub use self::list::Properties;
use crate::describe::FieldValue;
use crate::reader::{Label, Reader, Watch, fail};
use crate::{DecodeError, Qos, Rule, Sender, string, varint};

/// One property: its identifier and its value, which is in range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Property<'a> {
    /// Whether the Payload is UTF-8 text (true) or unspecified bytes (false).
    PayloadFormatIndicator(bool),
    /// The lifetime of the Application Message, in seconds.
    MessageExpiryInterval(u32),
    /// The MIME type of the Payload, or what the applications agreed on.
    ContentType(&'a str),
    /// The Topic Name for a response; it has no wildcards and is not empty.
    ResponseTopic(&'a str),
    /// What the requester uses to know the response again.
    CorrelationData(&'a [u8]),
    /// The number that a Subscription was given: 1 to 268,435,455.
    SubscriptionIdentifier(u32),
    /// How long the Session outlives its connection, in seconds; 0xFFFFFFFF is for ever.
    SessionExpiryInterval(u32),
    /// The Client Identifier that the server chose.
    AssignedClientIdentifier(&'a str),
    /// The Keep Alive that the server chose, in seconds.
    ServerKeepAlive(u16),
    /// The name of the method of enhanced authentication (section 4.12).
    AuthenticationMethod(&'a str),
    /// What that method sends.
    AuthenticationData(&'a [u8]),
    /// Whether the server may send Reason Strings and User Properties with any packet.
    RequestProblemInformation(bool),
    /// How long the Will waits after the connection is lost, in seconds.
    WillDelayInterval(u32),
    /// Whether the server should send Response Information.
    RequestResponseInformation(bool),
    /// What the client may make Response Topics from.
    ResponseInformation(&'a str),
    /// Another server to use.
    ServerReference(&'a str),
    /// What went wrong, for people.
    ReasonString(&'a str),
    /// How many QoS 1 and 2 messages the sender takes at a time: 1 to 65,535.
    ReceiveMaximum(u16),
    /// The greatest Topic Alias that the sender takes; 0 for none.
    TopicAliasMaximum(u16),
    /// The number that stands for a Topic Name: 1 to 65,535.
    TopicAlias(u16),
    /// The greatest QoS that the server takes: 0 or 1.
    MaximumQos(Qos),
    /// Whether the server keeps Retained Messages.
    RetainAvailable(bool),
    /// A name and a value; their meaning is the applications'.
    UserProperty(&'a str, &'a str),
    /// The largest packet that the sender takes, in bytes: 1 to 4,294,967,295.
    MaximumPacketSize(u32),
    /// Whether the server takes Topic Filters with wildcards.
    WildcardSubscriptionAvailable(bool),
    /// Whether the server takes Subscription Identifiers.
    SubscriptionIdentifiersAvailable(bool),
    /// Whether the server takes Shared Subscriptions.
    SharedSubscriptionAvailable(bool),
}

/// A value by its type, for what all properties of a type have in common.
enum Value<'a> {
    Byte(u8),
    TwoByte(u16),
    FourByte(u32),
    VariableByte(u32),
    Bytes(&'a [u8]),
    Pair(&'a str, &'a str),
}

impl<'a> Property<'a> {
    /// The identifier.
    pub const fn id(&self) -> PropertyId {
        match self {
            Self::PayloadFormatIndicator(_) => PropertyId::PayloadFormatIndicator,
            Self::MessageExpiryInterval(_) => PropertyId::MessageExpiryInterval,
            Self::ContentType(_) => PropertyId::ContentType,
            Self::ResponseTopic(_) => PropertyId::ResponseTopic,
            Self::CorrelationData(_) => PropertyId::CorrelationData,
            Self::SubscriptionIdentifier(_) => PropertyId::SubscriptionIdentifier,
            Self::SessionExpiryInterval(_) => PropertyId::SessionExpiryInterval,
            Self::AssignedClientIdentifier(_) => PropertyId::AssignedClientIdentifier,
            Self::ServerKeepAlive(_) => PropertyId::ServerKeepAlive,
            Self::AuthenticationMethod(_) => PropertyId::AuthenticationMethod,
            Self::AuthenticationData(_) => PropertyId::AuthenticationData,
            Self::RequestProblemInformation(_) => PropertyId::RequestProblemInformation,
            Self::WillDelayInterval(_) => PropertyId::WillDelayInterval,
            Self::RequestResponseInformation(_) => PropertyId::RequestResponseInformation,
            Self::ResponseInformation(_) => PropertyId::ResponseInformation,
            Self::ServerReference(_) => PropertyId::ServerReference,
            Self::ReasonString(_) => PropertyId::ReasonString,
            Self::ReceiveMaximum(_) => PropertyId::ReceiveMaximum,
            Self::TopicAliasMaximum(_) => PropertyId::TopicAliasMaximum,
            Self::TopicAlias(_) => PropertyId::TopicAlias,
            Self::MaximumQos(_) => PropertyId::MaximumQos,
            Self::RetainAvailable(_) => PropertyId::RetainAvailable,
            Self::UserProperty(..) => PropertyId::UserProperty,
            Self::MaximumPacketSize(_) => PropertyId::MaximumPacketSize,
            Self::WildcardSubscriptionAvailable(_) => PropertyId::WildcardSubscriptionAvailable,
            Self::SubscriptionIdentifiersAvailable(_) => PropertyId::SubscriptionIdentifiersAvailable,
            Self::SharedSubscriptionAvailable(_) => PropertyId::SharedSubscriptionAvailable,
        }
    }

    const fn value(&self) -> Value<'a> {
        match *self {
            Self::PayloadFormatIndicator(flag)
            | Self::RequestProblemInformation(flag)
            | Self::RequestResponseInformation(flag)
            | Self::RetainAvailable(flag)
            | Self::WildcardSubscriptionAvailable(flag)
            | Self::SubscriptionIdentifiersAvailable(flag)
            | Self::SharedSubscriptionAvailable(flag) => Value::Byte(flag as u8),
            Self::MaximumQos(qos) => Value::Byte(qos.bits()),
            Self::ServerKeepAlive(number)
            | Self::ReceiveMaximum(number)
            | Self::TopicAliasMaximum(number)
            | Self::TopicAlias(number) => Value::TwoByte(number),
            Self::MessageExpiryInterval(number)
            | Self::SessionExpiryInterval(number)
            | Self::WillDelayInterval(number)
            | Self::MaximumPacketSize(number) => Value::FourByte(number),
            Self::SubscriptionIdentifier(number) => Value::VariableByte(number),
            Self::ContentType(text)
            | Self::ResponseTopic(text)
            | Self::AssignedClientIdentifier(text)
            | Self::AuthenticationMethod(text)
            | Self::ResponseInformation(text)
            | Self::ServerReference(text)
            | Self::ReasonString(text) => Value::Bytes(text.as_bytes()),
            Self::CorrelationData(bytes) | Self::AuthenticationData(bytes) => Value::Bytes(bytes),
            Self::UserProperty(name, value) => Value::Pair(name, value),
        }
    }

    /// Writes identifier and value.
    ///
    /// # Panics
    ///
    /// If a string or Binary Data has more than 65,535 bytes, or a Subscription Identifier is too great.
    pub fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(self.id().byte());
        match self.value() {
            Value::Byte(number) => out.put_u8(number),
            Value::TwoByte(number) => out.put_u16(number),
            Value::FourByte(number) => out.put_u32(number),
            Value::VariableByte(number) => varint::encode(number, out),
            Value::Bytes(bytes) => string::encode(bytes, out),
            Value::Pair(name, value) => {
                string::encode(name.as_bytes(), out);
                string::encode(value.as_bytes(), out);
            }
        }
    }

    /// How many bytes [`Property::encode`] writes, identifier included.
    pub fn encoded_bytes(&self) -> usize {
        1 + match self.value() {
            Value::Byte(_) => 1,
            Value::TwoByte(_) => 2,
            Value::FourByte(_) => 4,
            Value::VariableByte(number) => varint::encoded_bytes(number),
            Value::Bytes(bytes) => string::encoded_bytes(bytes),
            Value::Pair(name, value) => {
                string::encoded_bytes(name.as_bytes()) + string::encoded_bytes(value.as_bytes())
            }
        }
    }
}

/// The property list of this packet; in MQTT 3.x, which has none, an empty one.
#[inline(always)]
pub(crate) fn read_properties<'a, W: Watch<'a>>(
    reader: &mut Reader<'a, W>,
    home: PropertyHome,
) -> Result<Properties<'a>, DecodeError> {
    if !reader.version.is_v5() {
        return Ok(Properties::EMPTY);
    }
    let section = home.section();
    // [5:MQTT-2.2.2-1] The length is there even if there are no properties.
    let length = reader.varint(&Label { v5: ("Property Length", section), v3: ("Property Length", section) })?;
    if length == 0 {
        return Ok(Properties::EMPTY);
    }
    read_list(reader, home, length as usize)
}

/// The properties behind a Property Length that is not zero, each of them checked.
fn read_list<'a, W: Watch<'a>>(
    reader: &mut Reader<'a, W>,
    home: PropertyHome,
    length: usize,
) -> Result<Properties<'a>, DecodeError> {
    let whole = reader.narrow(length)?;
    let start = reader.at();
    reader.group(label!("Properties", "2.2.2"), start, start + length);
    // One bit for each identifier that was there; the greatest is 42.
    let mut seen = 0_u64;
    while !reader.is_at_end() {
        let at = reader.at();
        let id = read_id(reader, home)?;
        // "It is a Protocol Error to include ... more than once", in the section of each property.
        if seen & 1 << id.byte() != 0 && !id.may_repeat_in(home) {
            return fail(Rule::PropertyDuplicate, at);
        }
        seen |= 1 << id.byte();
        read_property(reader, id, home)?;
    }
    reader.widen(whole);
    Ok(Properties::written(&whole[start..start + length]))
}

/// The identifier of a property that may be here.
fn read_id<'a, W: Watch<'a>>(reader: &mut Reader<'a, W>, home: PropertyHome) -> Result<PropertyId, DecodeError> {
    let at = reader.at();
    // The identifier is a Variable Byte Integer, but every valid one is below 128 and so is one byte.
    let byte = reader.byte()?;
    let Some(id) = PropertyId::from_byte(byte) else {
        return fail(Rule::PropertyUnknown, at);
    };
    if W::ON {
        let end = list::value_bytes(id, reader.unread()).map_or(reader.end_at(), |length| reader.at() + length);
        reader.group(&label_of(id, home), at, end);
        reader.seen(label!("Property Identifier", "2.2.2.2"), at, FieldValue::Number(u32::from(byte)));
    }
    if !id.allowed_in(home) {
        return fail(Rule::PropertyNotAllowed, at);
    }
    let is = |this, there, sender| id == this && home == there && reader.from == sender;
    // [5:MQTT-3.3.4-6] Only a server tells which Subscription a message is for.
    if is(PropertyId::SubscriptionIdentifier, PropertyHome::Publish, Sender::Client) {
        return fail(Rule::SubscriptionIdentifierFromClient, at);
    }
    // [5:MQTT-3.14.2-2] Only a client says how long its Session shall live.
    if is(PropertyId::SessionExpiryInterval, PropertyHome::Disconnect, Sender::Server) {
        return fail(Rule::SessionExpiryFromServer, at);
    }
    Ok(id)
}

fn label_of(id: PropertyId, home: PropertyHome) -> Label {
    let name = (id.name(), id.section(home));
    Label { v5: name, v3: name }
}

/// The value of a property, in range.
pub(crate) fn read_property<'a, W: Watch<'a>>(
    reader: &mut Reader<'a, W>,
    id: PropertyId,
    home: PropertyHome,
) -> Result<Property<'a>, DecodeError> {
    let label = &label_of(id, home);
    let at = reader.at();
    Ok(match id {
        PropertyId::PayloadFormatIndicator => Property::PayloadFormatIndicator(read_flag(reader, label)?),
        PropertyId::RequestProblemInformation => Property::RequestProblemInformation(read_flag(reader, label)?),
        PropertyId::RequestResponseInformation => Property::RequestResponseInformation(read_flag(reader, label)?),
        PropertyId::RetainAvailable => Property::RetainAvailable(read_flag(reader, label)?),
        PropertyId::WildcardSubscriptionAvailable => Property::WildcardSubscriptionAvailable(read_flag(reader, label)?),
        PropertyId::SubscriptionIdentifiersAvailable => {
            Property::SubscriptionIdentifiersAvailable(read_flag(reader, label)?)
        }
        PropertyId::SharedSubscriptionAvailable => Property::SharedSubscriptionAvailable(read_flag(reader, label)?),
        // "It is a Protocol Error ... to have a value other than 0 or 1" (3.2.2.3.4).
        PropertyId::MaximumQos => match reader.u8(label)? {
            0 => Property::MaximumQos(Qos::AtMostOnce),
            1 => Property::MaximumQos(Qos::AtLeastOnce),
            2.. => return fail(Rule::MaximumQosValue, at),
        },
        PropertyId::ServerKeepAlive => Property::ServerKeepAlive(reader.u16(label)?),
        PropertyId::TopicAliasMaximum => Property::TopicAliasMaximum(reader.u16(label)?),
        // "It is a Protocol Error ... for it to have the value 0" (3.1.2.11.3).
        PropertyId::ReceiveMaximum => {
            Property::ReceiveMaximum(not_zero(reader.u16(label)?, Rule::ReceiveMaximumZero, at)?)
        }
        // [5:MQTT-3.3.2-8]
        PropertyId::TopicAlias => Property::TopicAlias(not_zero(reader.u16(label)?, Rule::TopicAliasZero, at)?),
        PropertyId::MessageExpiryInterval => Property::MessageExpiryInterval(reader.u32(label)?),
        PropertyId::SessionExpiryInterval => Property::SessionExpiryInterval(reader.u32(label)?),
        PropertyId::WillDelayInterval => Property::WillDelayInterval(reader.u32(label)?),
        // "It is a Protocol Error ... for the value to be set to zero" (3.1.2.11.4).
        PropertyId::MaximumPacketSize => {
            Property::MaximumPacketSize(not_zero(reader.u32(label)?, Rule::MaximumPacketSizeZero, at)?)
        }
        // "It is a Protocol Error if the Subscription Identifier has a value of 0" (3.8.2.1.2).
        PropertyId::SubscriptionIdentifier => {
            Property::SubscriptionIdentifier(not_zero(reader.varint(label)?, Rule::SubscriptionIdentifierZero, at)?)
        }
        // [5:MQTT-3.3.2-19]
        PropertyId::ContentType => Property::ContentType(reader.utf8(label)?),
        PropertyId::ResponseTopic => Property::ResponseTopic(read_response_topic(reader, label)?),
        PropertyId::AssignedClientIdentifier => Property::AssignedClientIdentifier(reader.utf8(label)?),
        PropertyId::AuthenticationMethod => Property::AuthenticationMethod(reader.utf8(label)?),
        PropertyId::ResponseInformation => Property::ResponseInformation(reader.utf8(label)?),
        PropertyId::ServerReference => Property::ServerReference(reader.utf8(label)?),
        PropertyId::ReasonString => Property::ReasonString(reader.utf8(label)?),
        PropertyId::CorrelationData => Property::CorrelationData(reader.binary(label)?),
        PropertyId::AuthenticationData => Property::AuthenticationData(reader.binary(label)?),
        // [5:MQTT-1.5.7-1] Both are UTF-8 Encoded Strings.
        PropertyId::UserProperty => {
            let name = reader.utf8(label!("Name", "1.5.7"))?;
            Property::UserProperty(name, reader.utf8(label!("Value", "1.5.7"))?)
        }
    })
}

/// A byte that is 0 or 1.
fn read_flag<'a, W: Watch<'a>>(reader: &mut Reader<'a, W>, label: &Label) -> Result<bool, DecodeError> {
    let at = reader.at();
    let byte = reader.byte()?;
    let flag = byte == 1;
    let value = if byte < 2 { FieldValue::Flag(flag) } else { FieldValue::Number(u32::from(byte)) };
    reader.seen(label, at, value);
    // "It is a Protocol Error ... to have a value other than 0 or 1", in the section of each property.
    if byte < 2 { Ok(flag) } else { fail(Rule::PropertyNotBoolean, at) }
}

/// A Topic Name [5:MQTT-3.3.2-13] without wildcards [5:MQTT-3.3.2-14].
fn read_response_topic<'a, W: Watch<'a>>(reader: &mut Reader<'a, W>, label: &Label) -> Result<&'a str, DecodeError> {
    let name = reader.utf8(label)?;
    match reader.topic_name(name) {
        Ok(topic) => Ok(topic.as_str()),
        Err(error) => Err(error.renamed(Rule::TopicNameWildcard, Rule::ResponseTopicWildcard)),
    }
}

fn not_zero<N: PartialEq + Default>(number: N, rule: Rule, at: usize) -> Result<N, DecodeError> {
    if number == N::default() { fail(rule, at) } else { Ok(number) }
}
