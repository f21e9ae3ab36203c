//! What a client says in CONNECT and how it behaves.

use alloc::string::String;
use alloc::vec::Vec;

use wasmqtt_codec::{ProtocolVersion, TopicName};

use crate::message::{Message, PropertyList};

/// What a client is made with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Which standard it speaks.
    pub version: ProtocolVersion,
    /// Client Identifier; empty to be given one.
    pub client_identifier: String,
    /// Clean Start or Clean Session.
    pub clean_start: bool,
    /// Keep Alive; 0 = none. A Server Keep Alive replaces it [5:MQTT-3.2.2-21].
    pub keep_alive_s: u16,
    /// User Name.
    pub user_name: Option<String>,
    /// Password.
    pub password: Option<Vec<u8>>,
    /// Will Message.
    pub will: Option<Will>,
    /// Properties of CONNECT, Session Expiry Interval and Receive Maximum among them.
    pub properties: PropertyList,
    /// Whether [`Client::acknowledge`](crate::Client::acknowledge) is left to the user.
    pub manual_acknowledgement: bool,
    /// Bytes of the largest packet that is read; 0 = any. Announce it in `properties` too.
    pub packet_bytes_max: u32,
}

impl Options {
    /// MQTT 5.0, Clean Start, a minute of Keep Alive.
    pub fn new(client_identifier: impl Into<String>) -> Self {
        Options {
            version: ProtocolVersion::V5,
            client_identifier: client_identifier.into(),
            clean_start: true,
            keep_alive_s: 60,
            user_name: None,
            password: None,
            will: None,
            properties: PropertyList::new(),
            manual_acknowledgement: false,
            packet_bytes_max: 0,
        }
    }
}

/// A Will Message with its properties, Will Delay Interval among them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Will(pub Message);

impl Will {
    pub(crate) fn as_packet(&self) -> Option<wasmqtt_codec::Will<'_>> {
        let Message { topic, payload, qos, retain, properties } = &self.0;
        let topic = TopicName::parse(topic).ok()?;
        let properties = properties.as_properties();
        Some(wasmqtt_codec::Will { qos: *qos, retain: *retain, topic, payload, properties })
    }
}
