//! A message that a client sends or gets, with everything owned.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;
use wasmqtt_codec::{PacketIdentifier, Properties, Property, Publish, Qos, TopicName};

/// Properties that own their bytes, as they stand on the wire.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PropertyList(Vec<u8>);

impl PropertyList {
    /// No properties.
    #[must_use]
    pub fn new() -> Self {
        PropertyList(Vec::new())
    }

    /// A copy of a packet's properties.
    #[must_use]
    pub fn copied(properties: &Properties<'_>) -> Self {
        PropertyList(properties.raw().into())
    }

    /// The list with one more at its end.
    #[must_use]
    pub fn with(mut self, property: &Property<'_>) -> Self {
        property.encode(&mut self.0);
        self
    }

    /// The list as the codec reads it.
    #[must_use]
    pub fn as_properties(&self) -> Properties<'_> {
        Properties::written(&self.0)
    }
}

/// An Application Message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Topic Name.
    pub topic: String,
    /// Application Message.
    pub payload: Bytes,
    /// QoS.
    pub qos: Qos,
    /// RETAIN.
    pub retain: bool,
    /// Properties.
    pub properties: PropertyList,
}

impl Message {
    /// A QoS 0 message without properties.
    pub fn new(topic: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        let (topic, payload) = (topic.into(), payload.into());
        Message { topic, payload, qos: Qos::AtMostOnce, retain: false, properties: PropertyList::new() }
    }

    /// The same message with another QoS.
    #[must_use]
    pub fn qos(mut self, qos: Qos) -> Self {
        self.qos = qos;
        self
    }

    pub(crate) fn as_packet(&self, packet_identifier: Option<PacketIdentifier>, dup: bool) -> Publish<'_> {
        Publish {
            dup,
            qos: self.qos,
            retain: self.retain,
            topic: TopicName::parse(&self.topic).ok(),
            packet_identifier,
            properties: self.properties.as_properties(),
            payload: &self.payload,
        }
    }
}
