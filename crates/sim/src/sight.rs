//! What can be seen of a broker from outside: packets on the wire at both ends of each transport, what clients told
//! their users, transports that come and go, and the few things that an operator would notice. The World produces
//! these, oracles judge them, and nothing else passes between the two.

use std::rc::Rc;

use wasmqtt_broker::DropReason;
use wasmqtt_codec::{
    Ack, ConnackCode, Connect, Framing, Packet, PacketType, ProtocolVersion, Publish, Qos, RetainHandling, Sender,
    frame,
};

/// A client of the World, by its place in the list of clients.
pub type ClientNo = usize;
/// A transport of the World; never used twice.
pub type ConnNo = u32;
/// A published message: each has a number of its own, which stands in its payload.
pub type MessageNo = u32;

/// Something that happened where somebody could see it.
#[derive(Clone, Debug)]
pub enum Sight {
    /// A client opened a transport.
    Opened(ConnNo, ClientNo),
    /// A whole packet of a client reached the broker.
    Reached(ConnNo, Rc<Seen>),
    /// A whole packet of the broker is on its way: it stands in what the broker wants sent.
    Left(ConnNo, Rc<Seen>),
    /// The packet that left last has this many bytes; told of clients with a Maximum Packet Size.
    Weighed(ConnNo, u32),
    /// A client told its user a message: of QoS 2 messages only the first copy.
    Told(ConnNo, Rc<Seen>),
    /// The broker asked who this is.
    Asked(ConnNo, SeenQuestion),
    /// It is told, while the transport is open.
    Answered(ConnNo, SeenVerdict),
    /// The bridge wants a transport.
    Dialled,
    /// It got none.
    NotReached,
    /// The remote has accepted the bridge.
    Met(ConnNo),
    /// A whole packet of the bridge is on its way to its remote, as it is.
    WentOut(ConnNo, Rc<Seen>),
    /// A PUBLISH of the remote reached the broker, as it is.
    CameIn(ConnNo, Rc<Seen>),
    /// The broker's end of a transport is over: it was told so, or it closed it itself.
    Gone(ConnNo, Ended),
    /// The broker said that it begins to drop messages for a client.
    Dropping(ClientNo, DropReason),
    /// Whether records can be stored from now on.
    Storing(bool),
    /// The broker's machine, and the whole World with it, has slept this long, in microseconds.
    Slept(u64),
    /// The broker crashed, and another went on from what was stored.
    Crashed,
    /// Somebody looked at the broker's gauges.
    Looked(Gauges),
    /// The broker says of itself that something is broken.
    Broken(String),
    /// Nothing goes wrong any more from here.
    Healed,
    /// The end: everything owed should have come.
    Finished,
}

/// What the broker asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SeenQuestion {
    /// A CONNECT came.
    Connect {
        /// Client Identifier.
        name: String,
        /// User Name.
        user: Option<String>,
        /// Password.
        password: Option<String>,
        /// Authentication Method.
        method: Option<String>,
    },
    /// An AUTH came.
    Authenticate {
        /// Client Identifier.
        name: String,
        /// Whether it begins a re-authentication.
        again: bool,
    },
}

/// What the broker was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SeenVerdict {
    /// It may come in.
    Allow,
    /// It has to say more.
    Continue,
    /// It may not, for this Reason Code.
    Refuse(u8),
}

impl SeenVerdict {
    /// A number from 0 to 2, for counting.
    #[must_use]
    pub fn kind(self) -> usize {
        match self {
            SeenVerdict::Allow => 0,
            SeenVerdict::Continue => 1,
            SeenVerdict::Refuse(_) => 2,
        }
    }
}

/// Why a transport is over for the broker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// It broke, or the client closed it.
    Transport,
    /// The client said DISCONNECT.
    Goodbye,
    /// The broker had a reason of its own.
    Broker,
}

/// What an operator can read off a broker.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Gauges {
    /// The longest queue of a Session.
    pub queued_max: u32,
    /// The most messages in flight towards one client.
    pub in_flight_max: u32,
    /// The most Subscriptions of a Session that are still owed Retained Messages.
    pub walks_max: u32,
    /// The most bytes that wait for one transport.
    pub outgoing_bytes_max: u64,
    /// Memory that the broker counts.
    pub memory_bytes: u64,
    /// Sessions.
    pub sessions: u64,
    /// Messages that the broker keeps.
    pub messages_kept: u64,
    /// Retained Messages, the broker's own included.
    pub retained: u64,
}

/// A packet as far as it matters here, with everything owned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seen {
    /// CONNECT.
    Connect(Box<SeenConnect>),
    /// CONNACK.
    Connack {
        /// Whether the connection is accepted.
        accepted: bool,
        /// Session Present.
        session_present: bool,
        /// Reason Code, in 3.x the return code.
        reason: u8,
    },
    /// PUBLISH.
    Publish(SeenPublish),
    /// PUBACK, PUBREC, PUBREL or PUBCOMP.
    Ack {
        /// Which of the four.
        kind: PacketType,
        /// Packet Identifier.
        id: u16,
        /// Reason Code.
        reason: u8,
    },
    /// SUBSCRIBE with one Topic Filter, which is what the World's clients send.
    Subscribe(SeenSubscribe),
    /// SUBACK.
    Suback {
        /// Packet Identifier.
        id: u16,
        /// One for each filter.
        codes: Vec<u8>,
    },
    /// UNSUBSCRIBE.
    Unsubscribe {
        /// Packet Identifier.
        id: u16,
        /// Topic Filters.
        filters: Vec<String>,
    },
    /// UNSUBACK.
    Unsuback {
        /// Packet Identifier.
        id: u16,
        /// One for each filter; none in 3.x.
        codes: Vec<u8>,
    },
    /// DISCONNECT.
    Disconnect {
        /// Reason Code.
        reason: u8,
        /// Session Expiry Interval, which replaces that of the CONNECT.
        session_expiry_s: Option<u32>,
    },
    /// AUTH.
    Auth {
        /// Reason Code.
        reason: u8,
    },
    /// PINGREQ or PINGRESP.
    Other(PacketType),
    /// No packet at all.
    Unreadable(String),
}

impl Seen {
    /// Its type, if it is a packet.
    #[must_use]
    pub fn packet_type(&self) -> Option<PacketType> {
        Some(match self {
            Seen::Connect(_) => PacketType::Connect,
            Seen::Connack { .. } => PacketType::Connack,
            Seen::Publish(_) => PacketType::Publish,
            Seen::Ack { kind, .. } | Seen::Other(kind) => *kind,
            Seen::Subscribe(_) => PacketType::Subscribe,
            Seen::Suback { .. } => PacketType::Suback,
            Seen::Unsubscribe { .. } => PacketType::Unsubscribe,
            Seen::Unsuback { .. } => PacketType::Unsuback,
            Seen::Disconnect { .. } => PacketType::Disconnect,
            Seen::Auth { .. } => PacketType::Auth,
            Seen::Unreadable(_) => return None,
        })
    }
}

/// CONNECT.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeenConnect {
    /// Version.
    pub version: ProtocolVersion,
    /// Clean Start or Clean Session.
    pub clean_start: bool,
    /// How long the Session outlives the connection, in seconds; `u32::MAX` = for ever.
    pub session_expiry_s: u32,
    /// Receive Maximum.
    pub receive_maximum: u16,
    /// Maximum Packet Size.
    pub packet_bytes_max: Option<u32>,
    /// Will Message.
    pub will: Option<SeenWill>,
}

/// A Will Message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeenWill {
    /// Its number.
    pub number: Option<MessageNo>,
    /// Topic Name.
    pub topic: Rc<str>,
    /// QoS.
    pub qos: Qos,
    /// RETAIN.
    pub retain: bool,
    /// Will Delay Interval in seconds.
    pub delay_s: u32,
    /// Message Expiry Interval in seconds.
    pub expiry_s: Option<u32>,
    /// Bytes of payload.
    pub len: usize,
}

/// SUBSCRIBE.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeenSubscribe {
    /// Packet Identifier.
    pub id: u16,
    /// Topic Filter, `$share` included.
    pub filter: String,
    /// QoS asked for.
    pub qos: Qos,
    /// No Local.
    pub no_local: bool,
    /// Retain As Published.
    pub retain_as_published: bool,
    /// Retain Handling.
    pub retain_handling: RetainHandling,
    /// Subscription Identifier.
    pub identifier: Option<u32>,
}

/// PUBLISH.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeenPublish {
    /// DUP.
    pub dup: bool,
    /// QoS.
    pub qos: Qos,
    /// RETAIN.
    pub retain: bool,
    /// Topic Name, its Topic Alias resolved; empty if there is none.
    pub topic: Rc<str>,
    /// Packet Identifier.
    pub id: Option<u16>,
    /// Message Expiry Interval in seconds.
    pub expiry_s: Option<u32>,
    /// Subscription Identifiers.
    pub identifiers: Vec<u32>,
    /// The number in the payload; `None` if the payload is empty or none of ours.
    pub number: Option<MessageNo>,
    /// Bytes of payload.
    pub len: usize,
}

/// The payload of a message: its number and filling, so that a byte that is lost or changed shows.
#[must_use]
pub fn payload(number: MessageNo, len: usize) -> Vec<u8> {
    let mut payload = format!("{number}:").into_bytes();
    let filling = b'a' + (number % 26) as u8;
    payload.resize(len.max(payload.len()), filling);
    payload
}

/// The number of a message, if its payload is whole.
#[must_use]
pub fn number_of(payload: &[u8]) -> Option<MessageNo> {
    let colon = payload.iter().position(|byte| *byte == b':')?;
    let number: MessageNo = core::str::from_utf8(&payload[..colon]).ok()?.parse().ok()?;
    let filling = b'a' + (number % 26) as u8;
    payload[colon + 1..].iter().all(|byte| *byte == filling).then_some(number)
}

/// Cuts one direction of a transport into packets.
#[derive(Clone, Debug)]
pub struct Tap {
    version: ProtocolVersion,
    sender: Sender,
    rest: Vec<u8>,
    /// By Topic Alias; there are few.
    aliases: Vec<(u16, Rc<str>)>,
}

impl Tap {
    /// A tap on what this side sends.
    #[must_use]
    pub fn new(version: ProtocolVersion, sender: Sender) -> Self {
        Tap { version, sender, rest: Vec::new(), aliases: Vec::new() }
    }

    /// The packets that end in these bytes, each with its length.
    pub fn feed(&mut self, bytes: &[u8], mut found: impl FnMut(usize, Rc<Seen>)) {
        let mut rest = core::mem::take(&mut self.rest);
        rest.extend_from_slice(bytes);
        let mut at = 0;
        loop {
            match frame(&rest[at..], 0) {
                Ok(Framing::Complete { total_bytes, .. }) if total_bytes <= rest.len() - at => {
                    let seen = self.read(&rest[at..at + total_bytes]);
                    found(total_bytes, Rc::new(seen));
                    at += total_bytes;
                }
                Ok(_) => break,
                Err(error) => {
                    found(rest.len() - at, Rc::new(Seen::Unreadable(format!("{error:?}"))));
                    at = rest.len();
                    break;
                }
            }
        }
        rest.drain(..at);
        self.rest = rest;
    }

    fn read(&mut self, bytes: &[u8]) -> Seen {
        let packet = match Packet::decode(bytes, self.version, self.sender) {
            Ok(packet) => packet,
            Err(error) => return Seen::Unreadable(format!("{error:?}")),
        };
        match packet {
            Packet::Connect(connect) => Seen::Connect(Box::new(seen_connect(&connect))),
            Packet::Connack(connack) => Seen::Connack {
                accepted: connack.reason.is_accepted(),
                session_present: connack.session_present,
                reason: match connack.reason {
                    ConnackCode::Reason(reason) => reason.byte(),
                    ConnackCode::Return(code) => code,
                },
            },
            Packet::Publish(publish) => Seen::Publish(self.publish(&publish)),
            Packet::Puback(ack) => seen_ack(PacketType::Puback, &ack),
            Packet::Pubrec(ack) => seen_ack(PacketType::Pubrec, &ack),
            Packet::Pubrel(ack) => seen_ack(PacketType::Pubrel, &ack),
            Packet::Pubcomp(ack) => seen_ack(PacketType::Pubcomp, &ack),
            Packet::Subscribe(subscribe) => {
                let entry = subscribe.filters.iter().next().expect("a SUBSCRIBE has a filter [5:MQTT-3.8.3-2]");
                Seen::Subscribe(SeenSubscribe {
                    id: subscribe.packet_identifier.get(),
                    filter: entry.filter.as_str().into(),
                    qos: entry.options.qos,
                    no_local: entry.options.no_local,
                    retain_as_published: entry.options.retain_as_published,
                    retain_handling: entry.options.retain_handling,
                    identifier: subscribe.properties.subscription_identifiers().next(),
                })
            }
            Packet::Suback(ack) => Seen::Suback { id: ack.packet_identifier.get(), codes: ack.codes.into() },
            Packet::Unsubscribe(packet) => Seen::Unsubscribe {
                id: packet.packet_identifier.get(),
                filters: packet.filters.iter().map(|filter| filter.as_str().into()).collect(),
            },
            Packet::Unsuback(ack) => Seen::Unsuback { id: ack.packet_identifier.get(), codes: ack.codes.into() },
            Packet::Disconnect(disconnect) => Seen::Disconnect {
                reason: disconnect.reason.byte(),
                session_expiry_s: disconnect.properties.session_expiry_interval_s(),
            },
            Packet::Pingreq => Seen::Other(PacketType::Pingreq),
            Packet::Pingresp => Seen::Other(PacketType::Pingresp),
            Packet::Auth(auth) => Seen::Auth { reason: auth.reason.byte() },
        }
    }

    fn named(&self, alias: u16) -> Option<Rc<str>> {
        self.aliases.iter().find(|(known, _)| *known == alias).map(|(_, topic)| topic.clone())
    }

    fn publish(&mut self, publish: &Publish<'_>) -> SeenPublish {
        let alias = publish.properties.topic_alias();
        let topic: Rc<str> = match (publish.topic, alias) {
            (Some(topic), _) => topic.as_str().into(),
            (None, Some(alias)) => self.named(alias).unwrap_or_else(|| "".into()),
            (None, None) => "".into(),
        };
        if let (Some(_), Some(alias)) = (publish.topic, alias) {
            self.aliases.retain(|(known, _)| *known != alias);
            self.aliases.push((alias, topic.clone()));
        }
        SeenPublish {
            dup: publish.dup,
            qos: publish.qos,
            retain: publish.retain,
            topic,
            id: publish.packet_identifier.map(wasmqtt_codec::PacketIdentifier::get),
            expiry_s: publish.properties.message_expiry_interval_s(),
            identifiers: publish.properties.subscription_identifiers().collect(),
            number: number_of(publish.payload),
            len: publish.payload.len(),
        }
    }
}

fn seen_ack(kind: PacketType, ack: &Ack<'_>) -> Seen {
    Seen::Ack { kind, id: ack.packet_identifier.get(), reason: ack.reason.byte() }
}

fn seen_connect(connect: &Connect<'_>) -> SeenConnect {
    let session_expiry_s = match connect.version.is_v5() {
        true => connect.properties.session_expiry_interval_s().unwrap_or(0),
        false if connect.clean_start => 0,
        false => u32::MAX,
    };
    let will = connect.will.map(|will| SeenWill {
        number: number_of(will.payload),
        topic: will.topic.as_str().into(),
        qos: will.qos,
        retain: will.retain,
        delay_s: will.properties.will_delay_interval_s().unwrap_or(0),
        expiry_s: will.properties.message_expiry_interval_s(),
        len: will.payload.len(),
    });
    SeenConnect {
        version: connect.version,
        clean_start: connect.clean_start,
        session_expiry_s,
        receive_maximum: connect.properties.receive_maximum().unwrap_or(u16::MAX),
        packet_bytes_max: connect.properties.maximum_packet_size_bytes(),
        will,
    }
}
