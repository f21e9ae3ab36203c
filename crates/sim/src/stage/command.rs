//! What a person, the script or a lesson's solution can tell the Stage to do. A command is checked whole when it is
//! read; whether it can be obeyed at its moment is the Stage's question, and [`Refusal`] its answer.

use std::fmt;
use std::rc::Rc;

use serde_json::{Map, Value};
use wasmqtt_codec::{PacketType, ProtocolVersion, Qos, RetainHandling};

use super::entry::{By, Refused};
use super::json::{Found, Wrong, bytes_of_hex, value_of};
use super::scenario::{ClientSpec, ConnectSpec, MessageSpec, read_broker, read_filter, read_pace, read_qos};
use crate::world::faults::Toward;
use crate::world::link::{CutWhen, Moment, Pace};

/// A command: what it means, and its text.
#[derive(Debug)]
pub struct Command {
    /// What it means.
    pub act: Act,
    /// Its normal text, which the log has.
    pub json: Rc<Value>,
}

/// What a command means.
#[derive(Debug)]
pub enum Act {
    /// Something a client does, or that is done to it.
    Client(String, Deed),
    /// The broker ends and begins anew, with what it stored or without.
    Restart {
        /// Whether what was stored is still there.
        storage: bool,
    },
    /// A newcomer.
    AddClient(Box<ClientSpec>),
    /// Limits and permissions change.
    Broker,
    /// The learner says what will happen; nothing does.
    Predict(String),
}

/// What a client does, or what is done to it.
#[derive(Debug)]
pub enum Deed {
    /// Opens a transport and says CONNECT, perhaps with other fields than before.
    Connect,
    /// Says DISCONNECT and closes.
    Disconnect {
        /// With the Will (5.0).
        with_will: bool,
    },
    /// Subscribes.
    Subscribe(Rc<Wish>),
    /// Unsubscribes.
    Unsubscribe(Rc<str>),
    /// Publishes.
    Publish(Rc<MessageSpec>),
    /// Acknowledges the oldest message by hand.
    Ack,
    /// Sends these bytes as they are.
    Raw(Vec<u8>),
    /// Its link takes another time from now on.
    Link,
    /// Its link breaks, and both ends learn of it.
    Cut,
    /// Nothing arrives any more in these directions, and nobody learns of it.
    HalfOpen(Vec<Toward>),
    /// What was half-open goes on.
    Heal,
    /// Its link breaks at a packet.
    CutWhen(Toward, CutWhen),
    /// It does not.
    CancelCutWhen,
    /// Its program stops.
    Freeze,
    /// Its program goes on.
    Thaw,
    /// It is taken away.
    Remove,
}

/// A SUBSCRIBE.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "each field is the field of SUBSCRIBE of that name")]
pub struct Wish {
    pub filter: String,
    pub qos: Qos,
    pub no_local: bool,
    pub retain_as_published: bool,
    pub retain_handling: RetainHandling,
    pub identifier: Option<u32>,
}

/// Why a command can't be obeyed at its moment. Nothing has changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// There is no such client.
    NoClient(String, Vec<String>),
    /// There is one already.
    IsThere(String),
    /// It has a connection, or is about to.
    Connected(String),
    /// It has none.
    NotConnected(String),
    /// Its program stands still.
    Frozen(String),
    /// Its program does not stand still.
    NotFrozen(String),
    /// It has nothing to acknowledge, or does so by itself.
    NothingToAcknowledge(String, bool),
    /// Its link is not half-open.
    NotHalfOpen(String),
    /// Nothing would break its link.
    NoCutWhen(String),
    /// The broker keeps nothing.
    NoStorage,
    /// Only 5.0 has this.
    OnlyV5(String, &'static str),
    /// 65,535 answers are awaited.
    NoIdentifier(String),
}

impl Refusal {
    /// The kind as one word, which checks and pages go by.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Refusal::NoClient(..) => "no_client",
            Refusal::IsThere(_) => "is_there",
            Refusal::Connected(_) => "connected",
            Refusal::NotConnected(_) => "not_connected",
            Refusal::Frozen(_) => "frozen",
            Refusal::NotFrozen(_) => "not_frozen",
            Refusal::NothingToAcknowledge(..) => "nothing_to_acknowledge",
            Refusal::NotHalfOpen(_) => "not_half_open",
            Refusal::NoCutWhen(_) => "no_cut_when",
            Refusal::NoStorage => "no_storage",
            Refusal::OnlyV5(..) => "only_v5",
            Refusal::NoIdentifier(_) => "no_identifier",
        }
    }
}

impl From<&Refusal> for Refused {
    fn from(refusal: &Refusal) -> Self {
        Refused { is: refusal.kind(), why: refusal.to_string() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoClient(who, known) if known.is_empty() => {
                write!(f, "who: \"{who}\" is no client; there is none")
            }
            Refusal::NoClient(who, known) => write!(f, "who: \"{who}\" is no client; there are {}", known.join(", ")),
            Refusal::IsThere(who) => write!(f, "client.id: there is a client \"{who}\" already"),
            Refusal::Connected(who) => write!(f, "{who} is connected already; disconnect it first"),
            Refusal::NotConnected(who) => write!(f, "{who} is not connected; connect it first"),
            Refusal::Frozen(who) => write!(f, "{who} is frozen; thaw it first"),
            Refusal::NotFrozen(who) => write!(f, "{who} is not frozen"),
            Refusal::NothingToAcknowledge(who, true) => {
                write!(f, "{who} has no message that waits for its acknowledgement")
            }
            Refusal::NothingToAcknowledge(who, false) => write!(f, "{who} acknowledges by itself (ack is \"auto\")"),
            Refusal::NotHalfOpen(who) => write!(f, "the link of {who} is not half-open"),
            Refusal::NoCutWhen(who) => write!(f, "nothing waits to cut the link of {who}"),
            Refusal::NoStorage => write!(f, "storage: this broker stores nothing (broker.storage is false)"),
            Refusal::OnlyV5(who, what) => write!(f, "{what}: only MQTT 5.0 has it, and {who} speaks another version"),
            Refusal::NoIdentifier(who) => write!(f, "{who} waits for 65,535 answers already"),
        }
    }
}

impl std::error::Error for Refusal {}

impl Command {
    /// Reads a command.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, Box<Wrong>> {
        Self::read(&Found::whole(&value_of(text)?))
    }

    /// Reads a command.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn read(found: &Found<'_>) -> Result<Self, Box<Wrong>> {
        Ok(Command { act: Act::read(found)?, json: Rc::new(found.value.clone()) })
    }

    /// Reads what a check says of commands: any of their fields, and `by`, who gave it.
    ///
    /// # Errors
    /// A field that no command has, or no such command.
    pub fn read_like(found: &Found<'_>) -> Result<Map<String, Value>, Box<Wrong>> {
        let mut fields = found.fields()?;
        if let Some(what) = fields.may("do") {
            what.place_in(&ALL)?;
        }
        if let Some(by) = fields.may("by") {
            by.one_of(&[By::User, By::Script].map(|by| (by.name(), ())))?;
        }
        for field in FIELDS {
            fields.may(field);
        }
        fields.end()?;
        Ok(found.value.as_object().cloned().unwrap_or_default())
    }

    /// What the command is called.
    #[must_use]
    pub fn name(&self) -> &str {
        self.json.get("do").and_then(Value::as_str).unwrap_or("")
    }

    /// Whom it is about.
    #[must_use]
    pub fn who(&self) -> Option<&str> {
        match &self.act {
            Act::Client(who, _) => Some(who),
            Act::AddClient(client) => Some(&client.id),
            Act::Restart { .. } | Act::Broker | Act::Predict(_) => None,
        }
    }
}

/// The words of `do`; the first 16 are those for which a client is named.
const ALL: [&str; 20] = [
    "connect",
    "disconnect",
    "subscribe",
    "unsubscribe",
    "publish",
    "ack",
    "raw",
    "link",
    "cut",
    "half_open",
    "heal",
    "cut_when",
    "cancel_cut_when",
    "freeze",
    "thaw",
    "remove_client",
    "restart",
    "add_client",
    "broker",
    "predict",
];
const DEEDS: usize = 16;

/// The fields of all commands, beside `do`.
const FIELDS: [&str; 45] = [
    "who",
    "topic",
    "payload",
    "payload_hex",
    "qos",
    "retain",
    "expiry_s",
    "content_type",
    "response_topic",
    "correlation",
    "payload_is_text",
    "user",
    "filter",
    "no_local",
    "retain_as_published",
    "retain_handling",
    "identifier",
    "with_will",
    "client_identifier",
    "version",
    "clean_start",
    "keep_alive_s",
    "session_expiry_s",
    "receive_maximum",
    "maximum_packet_size",
    "topic_alias_maximum",
    "request_response_information",
    "request_problem_information",
    "user_name",
    "password",
    "will",
    "reconnect_s",
    "ack",
    "hex",
    "latency_ms",
    "jitter_ms",
    "bytes_per_s",
    "toward",
    "packet",
    "nth",
    "at",
    "storage",
    "option",
    "client",
    "set",
];

impl Act {
    fn read(whole: &Found<'_>) -> Result<Self, Box<Wrong>> {
        let mut fields = whole.fields()?;
        let what = fields.must("do")?;
        let act = match what.text()? {
            "restart" => Act::Restart { storage: fields.must("storage")?.flag()? },
            "add_client" => Act::AddClient(Box::new(ClientSpec::read(&fields.must("client")?)?)),
            "broker" => {
                read_broker(&fields.must("set")?, &mut wasmqtt_broker::Config::default(), false)?;
                Act::Broker
            }
            "predict" => Act::Predict(fields.must("option")?.text()?.into()),
            word => {
                if what.place_in(&ALL)? >= DEEDS {
                    unreachable!("the other words stand above");
                }
                let who = fields.must("who")?.text()?.to_owned();
                Act::Client(who, Deed::read(word, &mut fields)?)
            }
        };
        fields.end()?;
        Ok(act)
    }
}

impl Deed {
    fn read(word: &str, fields: &mut super::json::Fields<'_>) -> Result<Self, Box<Wrong>> {
        let deed = match word {
            "connect" => {
                ConnectSpec::of("").change(fields)?;
                Deed::Connect
            }
            "disconnect" => Deed::Disconnect { with_will: fields.flag("with_will")?.unwrap_or(false) },
            "subscribe" => Deed::Subscribe(Rc::new(Wish::read(fields)?)),
            "unsubscribe" => Deed::Unsubscribe(read_filter(&fields.must("filter")?)?.into()),
            "publish" => Deed::Publish(Rc::new(MessageSpec::read(fields)?)),
            "ack" => Deed::Ack,
            "raw" => {
                let hex = fields.must("hex")?;
                let bytes = bytes_of_hex(hex.text()?).filter(|bytes| !bytes.is_empty());
                Deed::Raw(bytes.ok_or_else(|| hex.not("pairs of hexadecimal digits"))?)
            }
            "link" => {
                read_pace(fields, Pace::default())?;
                Deed::Link
            }
            "cut" => Deed::Cut,
            "half_open" => {
                let ways = [("broker", 0), ("client", 1), ("both", 2)];
                let way = fields.may("toward").map_or(Ok(2), |found| found.one_of(&ways))?;
                let all: [&[Toward]; 3] = [&[Toward::Broker], &[Toward::Client], &[Toward::Broker, Toward::Client]];
                Deed::HalfOpen(all[way].to_vec())
            }
            "heal" => Deed::Heal,
            "cut_when" => {
                let packet = read_packet_type(&fields.must("packet")?)?;
                let toward = fields.must("toward")?.one_of(&TOWARD)?;
                let nth = fields.number("nth", 1, 1_000_000)?.unwrap_or(1) as u32;
                let moments = [("sent", Moment::Sent), ("half_way", Moment::HalfWay), ("delivered", Moment::Delivered)];
                let at = fields.must("at")?.one_of(&moments)?;
                Deed::CutWhen(toward, CutWhen { packet, nth, at })
            }
            "cancel_cut_when" => Deed::CancelCutWhen,
            "freeze" => Deed::Freeze,
            "thaw" => Deed::Thaw,
            _ => Deed::Remove,
        };
        Ok(deed)
    }
}

/// The two directions, as they are written.
pub const TOWARD: [(&str, Toward); 2] = [("broker", Toward::Broker), ("client", Toward::Client)];

/// All packets in the order of their numbers, from 1.
pub const PACKETS: [&str; 15] = [
    "CONNECT",
    "CONNACK",
    "PUBLISH",
    "PUBACK",
    "PUBREC",
    "PUBREL",
    "PUBCOMP",
    "SUBSCRIBE",
    "SUBACK",
    "UNSUBSCRIBE",
    "UNSUBACK",
    "PINGREQ",
    "PINGRESP",
    "DISCONNECT",
    "AUTH",
];

/// # Errors
/// It is no name of a packet.
fn read_packet_type(found: &Found<'_>) -> Result<PacketType, Box<Wrong>> {
    let place = found.place_in(&PACKETS)?;
    Ok(PacketType::from_bits(place as u8 + 1).expect("packets are numbered from 1 to 15"))
}

impl Wish {
    fn read(fields: &mut super::json::Fields<'_>) -> Result<Self, Box<Wrong>> {
        let filter = read_filter(&fields.must("filter")?)?;
        let qos = fields.may("qos").map_or(Ok(Qos::AtMostOnce), |found| read_qos(&found))?;
        let no_local = fields.flag("no_local")?.unwrap_or(false);
        let retain_as_published = fields.flag("retain_as_published")?.unwrap_or(false);
        let handling = fields.number("retain_handling", 0, 2)?.unwrap_or(0);
        let identifier = fields.number("identifier", 1, 268_435_455)?;
        Ok(Wish {
            filter,
            qos,
            no_local,
            retain_as_published,
            retain_handling: [RetainHandling::SendAtSubscribe, RetainHandling::SendIfNew, RetainHandling::DoNotSend]
                [handling as usize],
            identifier: identifier.map(|identifier| identifier as u32),
        })
    }

    /// The first option that only 5.0 has.
    #[must_use]
    pub fn only_v5(&self, version: ProtocolVersion) -> Option<&'static str> {
        let handles = self.retain_handling != RetainHandling::SendAtSubscribe;
        let asked = [
            (self.no_local, "no_local"),
            (self.retain_as_published, "retain_as_published"),
            (handles, "retain_handling"),
            (self.identifier.is_some(), "identifier"),
        ];
        asked.iter().find(|(asked, _)| *asked && !version.is_v5()).map(|(_, name)| *name)
    }
}
