//! What a client of a story sends: packets as words, composed to bytes only when the runner knows the connection's
//! version and the next free Packet Identifier. Everything that the codec can encode can be said, also what a good
//! client never sends; what the codec can't encode is said with `raw`.

use bytes::BufMut;
use wasmqtt_codec::{
    Ack, Auth, Connack, ConnackCode, Connect, Disconnect, Filters, Packet, PacketIdentifier, PacketType, Properties,
    ProtocolVersion, Publish, Qos, ReasonCode, Suback, Subscribe, SubscribeEntry, SubscriptionOptions, Subscriptions,
    TopicFilter, TopicName, Unsubscribe, Will,
};

/// One packet that a client wishes to send, or raw bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wish {
    /// CONNECT.
    Connect(Box<ConnectWish>),
    /// PUBLISH.
    Publish(PublishWish),
    /// PUBACK, PUBREC, PUBREL or PUBCOMP.
    Ack {
        /// Which of the four.
        kind: PacketType,
        /// Packet Identifier.
        id: PacketIdentifier,
        /// Reason Code.
        reason: ReasonCode,
        /// Encoded properties.
        properties: Vec<u8>,
    },
    /// SUBSCRIBE.
    Subscribe {
        /// Packet Identifier; the next free one if not said.
        id: Option<PacketIdentifier>,
        /// Topic Filters with their options.
        filters: Vec<(String, SubscriptionOptions)>,
        /// Encoded properties.
        properties: Vec<u8>,
    },
    /// UNSUBSCRIBE.
    Unsubscribe {
        /// Packet Identifier; the next free one if not said.
        id: Option<PacketIdentifier>,
        /// Topic Filters.
        filters: Vec<String>,
        /// Encoded properties.
        properties: Vec<u8>,
    },
    /// PINGREQ.
    Ping,
    /// DISCONNECT; the client closes the transport after it.
    Disconnect {
        /// Reason Code.
        reason: ReasonCode,
        /// Encoded properties.
        properties: Vec<u8>,
    },
    /// AUTH.
    Auth {
        /// Reason Code.
        reason: ReasonCode,
        /// Encoded properties.
        properties: Vec<u8>,
    },
    /// Bytes as they are.
    Raw(Vec<u8>),
    /// CONNACK, which only the remote of a bridge sends; as SUBACK and PINGRESP.
    Connack {
        /// Session Present.
        session_present: bool,
        /// Reason Code, for 5.0.
        reason: ReasonCode,
        /// Return code, for 3.1.1; that of the Reason Code if not said.
        return_code: Option<u8>,
        /// Encoded properties.
        properties: Vec<u8>,
    },
    /// SUBACK.
    Suback {
        /// Packet Identifier.
        id: PacketIdentifier,
        /// One for each filter.
        codes: Vec<u8>,
        /// Encoded properties.
        properties: Vec<u8>,
    },
    /// PINGRESP.
    Pingresp,
}

/// A CONNECT in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConnectWish {
    /// Which standard the client speaks.
    pub version: ProtocolVersion,
    /// Whether the bridge bit of mosquitto is set in the Protocol Version.
    pub bridge: bool,
    /// Client Identifier; the actor's name if not said, the one that was assigned to it if `*`.
    pub client_identifier: Option<String>,
    /// Clean Start or Clean Session.
    pub clean_start: bool,
    /// Keep Alive.
    pub keep_alive_s: u16,
    /// User Name.
    pub user_name: Option<String>,
    /// Password.
    pub password: Option<Vec<u8>>,
    /// Encoded properties.
    pub properties: Vec<u8>,
    /// Will Message.
    pub will: Option<WillWish>,
}

/// A Will Message in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WillWish {
    /// Will Topic.
    pub topic: String,
    /// Will Payload.
    pub payload: Vec<u8>,
    /// Will QoS.
    pub qos: Qos,
    /// Will Retain.
    pub retain: bool,
    /// Encoded Will Properties.
    pub properties: Vec<u8>,
}

/// A PUBLISH in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublishWish {
    /// Topic Name; empty for a Topic Alias alone.
    pub topic: String,
    /// Application Message.
    pub payload: Vec<u8>,
    /// QoS.
    pub qos: Qos,
    /// Packet Identifier; the next free one if not said.
    pub id: Option<PacketIdentifier>,
    /// RETAIN.
    pub retain: bool,
    /// DUP.
    pub dup: bool,
    /// Encoded properties.
    pub properties: Vec<u8>,
}

/// What composing needs to know about the client.
pub struct Composer<'a> {
    /// The version its connection speaks.
    pub version: ProtocolVersion,
    /// Its Client Identifier if the story doesn't say one.
    pub client_identifier: &'a str,
    /// The next Packet Identifier that the story didn't choose.
    pub next_id: &'a mut u16,
}

impl Wish {
    /// The type of the packet; `None` for raw bytes.
    pub fn packet_type(&self) -> Option<PacketType> {
        Some(match self {
            Wish::Connect(_) => PacketType::Connect,
            Wish::Publish(_) => PacketType::Publish,
            Wish::Ack { kind, .. } => *kind,
            Wish::Subscribe { .. } => PacketType::Subscribe,
            Wish::Unsubscribe { .. } => PacketType::Unsubscribe,
            Wish::Ping => PacketType::Pingreq,
            Wish::Disconnect { .. } => PacketType::Disconnect,
            Wish::Auth { .. } => PacketType::Auth,
            Wish::Raw(_) => return None,
            Wish::Connack { .. } => PacketType::Connack,
            Wish::Suback { .. } => PacketType::Suback,
            Wish::Pingresp => PacketType::Pingresp,
        })
    }

    /// Appends the packet's bytes to `out`.
    pub fn compose(&self, by: &mut Composer<'_>, out: &mut Vec<u8>) {
        let version = by.version;
        match self {
            Wish::Connect(connect) => connect.compose(by, out),
            Wish::Publish(publish) => publish.compose(by, out),
            Wish::Ack { kind, id, reason, properties } => {
                let ack = Ack { packet_identifier: *id, reason: *reason, properties: Properties::written(properties) };
                acknowledgement(*kind, ack).encode(version, out);
            }
            Wish::Subscribe { id, filters, properties } => {
                let mut raw = Vec::new();
                for (filter, options) in filters {
                    if let Ok(filter) = TopicFilter::parse(filter) {
                        SubscribeEntry { filter, options: *options }.encode(&mut raw);
                    }
                }
                let (packet_identifier, properties) = (by.id(*id), Properties::written(properties));
                let packet = Subscribe { packet_identifier, properties, filters: Subscriptions::written(&raw) };
                Packet::Subscribe(packet).encode(version, out);
            }
            Wish::Unsubscribe { id, filters, properties } => {
                let mut raw = Vec::new();
                for filter in filters {
                    raw.put_u16(filter.len() as u16);
                    raw.put_slice(filter.as_bytes());
                }
                let (packet_identifier, properties) = (by.id(*id), Properties::written(properties));
                let packet = Unsubscribe { packet_identifier, properties, filters: Filters::written(&raw) };
                Packet::Unsubscribe(packet).encode(version, out);
            }
            Wish::Ping => Packet::Pingreq.encode(version, out),
            Wish::Disconnect { reason, properties } => {
                let packet = Disconnect { reason: *reason, properties: Properties::written(properties) };
                Packet::Disconnect(packet).encode(version, out);
            }
            Wish::Auth { reason, properties } => {
                let packet = Auth { reason: *reason, properties: Properties::written(properties) };
                Packet::Auth(packet).encode(version, out);
            }
            Wish::Raw(bytes) => out.extend_from_slice(bytes),
            Wish::Connack { session_present, reason, return_code, properties } => {
                let reason = return_code.map_or(ConnackCode::Reason(*reason), ConnackCode::Return);
                let (session_present, properties) = (*session_present, Properties::written(properties));
                Packet::Connack(Connack { session_present, reason, properties }).encode(version, out);
            }
            Wish::Suback { id, codes, properties } => {
                let properties = Properties::written(properties);
                Packet::Suback(Suback { packet_identifier: *id, properties, codes }).encode(version, out);
            }
            Wish::Pingresp => Packet::Pingresp.encode(version, out),
        }
    }
}

/// One of the four acknowledgements.
pub fn acknowledgement(kind: PacketType, ack: Ack<'_>) -> Packet<'_> {
    match kind {
        PacketType::Pubrec => Packet::Pubrec(ack),
        PacketType::Pubrel => Packet::Pubrel(ack),
        PacketType::Pubcomp => Packet::Pubcomp(ack),
        _ => Packet::Puback(ack),
    }
}

impl ConnectWish {
    fn compose(&self, by: &Composer<'_>, out: &mut Vec<u8>) {
        let will = self.will.as_ref().and_then(|will| {
            let topic = TopicName::parse(&will.topic).ok()?;
            let properties = Properties::written(&will.properties);
            Some(Will { qos: will.qos, retain: will.retain, topic, payload: &will.payload, properties })
        });
        let packet = Connect {
            version: self.version,
            bridge: self.bridge,
            clean_start: self.clean_start,
            keep_alive_s: self.keep_alive_s,
            client_identifier: self.client_identifier.as_deref().unwrap_or(by.client_identifier),
            will,
            user_name: self.user_name.as_deref(),
            password: self.password.as_deref(),
            properties: Properties::written(&self.properties),
        };
        Packet::Connect(packet).encode(self.version, out);
    }
}

impl PublishWish {
    fn compose(&self, by: &mut Composer<'_>, out: &mut Vec<u8>) {
        let packet_identifier = (self.qos != Qos::AtMostOnce).then(|| by.id(self.id));
        let packet = Publish {
            dup: self.dup,
            qos: self.qos,
            retain: self.retain,
            topic: TopicName::parse(&self.topic).ok(),
            packet_identifier,
            properties: Properties::written(&self.properties),
            payload: &self.payload,
        };
        Packet::Publish(packet).encode(by.version, out);
    }
}

impl Composer<'_> {
    /// The Packet Identifier that the story chose, or the next one: 1, 2, 3 and so on for each connection.
    fn id(&mut self, chosen: Option<PacketIdentifier>) -> PacketIdentifier {
        chosen.unwrap_or_else(|| {
            *self.next_id = self.next_id.checked_add(1).unwrap_or(1);
            PacketIdentifier::new(*self.next_id).unwrap_or_else(|| unreachable!("counts from 1"))
        })
    }
}
