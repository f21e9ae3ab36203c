//! The log, which is the only truth: what was told to happen, every packet from when it was sent until it was delivered
//! or lost, what the broker decided and why, what users were told, and which timers fired. Entries are only ever
//! added. Each has the number of the entry that led to it, so that whoever reads can go back from a message that came
//! to the command that sent it.

use std::rc::Rc;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::json::hex_of;

/// One entry.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// Its number, counted from 0.
    pub n: u64,
    /// When, in microseconds of virtual time.
    pub at: u64,
    /// The entry that led to it.
    pub cause: Option<u64>,
    /// Who told it, if it is a command.
    pub by: Option<By>,
    /// What.
    pub what: What,
}

/// Who gave a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A person.
    User,
    /// The scenario.
    Script,
}

impl By {
    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            By::User => "user",
            By::Script => "script",
        }
    }
}

/// One end of a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The broker's.
    Broker,
    /// The client's.
    Client,
}

/// What an entry tells.
#[derive(Clone, PartialEq, Debug)]
pub enum What {
    /// Somebody told something to happen.
    Command(Rc<Value>),
    /// A command of the script could not be obeyed.
    Refused(Refused),
    /// A client opened a transport.
    Opened(Place),
    /// A packet left.
    Sent(Rc<Sent>),
    /// It arrived and was read.
    Delivered(Passed),
    /// It did not.
    Lost(Passed),
    /// A link broke.
    Broke(Place),
    /// An end learned that the link is gone.
    Learned(Place),
    /// An end closed the link.
    Closed(Place),
    /// What the broker decided about a message.
    Decision(Box<Decision>),
    /// What the broker says of a connection or a Session.
    Event(Box<Happening>),
    /// A client's user got a message.
    Told(Box<Told>),
    /// A timer fired.
    Timer(Timer),
    /// The broker began anew.
    Restarted(Restarted),
}

/// Why a command could not be obeyed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Refused {
    /// The kind of refusal as one word, such as `not_connected`.
    pub is: &'static str,
    /// Why, in words.
    pub why: String,
}

/// A link, or one end of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Place {
    /// Its number; none is used twice.
    pub link: u32,
    /// Whose.
    pub who: Rc<str>,
    /// Which end learned it or closed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
    /// Why it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A timer that fired.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Timer {
    /// Which.
    pub what: TimerKind,
    /// Whose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<Rc<str>>,
}

/// A broker that began anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Restarted {
    /// With what it had stored.
    pub storage: bool,
}

/// A packet that left.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Sent {
    /// Its number: that of this entry.
    pub packet: u64,
    /// On which link.
    pub link: u32,
    /// Whose.
    pub who: Rc<str>,
    /// In which direction: `broker` or `client`.
    pub toward: &'static str,
    /// Its type, such as `PUBLISH`; `null` for what is no packet.
    #[serde(rename = "type")]
    pub kind: Option<&'static str>,
    /// Protocol level of the connection: 3, 4 or 5.
    pub level: u8,
    /// As it is on the wire.
    #[serde(serialize_with = "as_hex")]
    pub bytes: Vec<u8>,
    /// When it arrives if nothing happens; `null` on a half-open link.
    pub arrives_at: Option<u64>,
    /// Packet Identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u16>,
    /// Topic Name, its alias resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<Rc<str>>,
    /// Application Message, as far as it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// QoS of a PUBLISH.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qos: Option<u8>,
    /// DUP of a PUBLISH.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dup: Option<bool>,
    /// RETAIN of a PUBLISH.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retain: Option<bool>,
    /// Reason Code or Return Code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<u8>,
    /// Session Present of a CONNACK.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_present: Option<bool>,
    /// Clean Start or Clean Session of a CONNECT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clean_start: Option<bool>,
    /// Topic Filters of a SUBSCRIBE or UNSUBSCRIBE.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<String>,
    /// QoS asked for, or a code for each filter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<u8>,
    /// Why it is no packet, or none that may be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
}

/// The end of a packet's way.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Passed {
    /// The packet: the number of the entry with which it was sent.
    pub packet: u64,
    /// On which link.
    pub link: u32,
    /// Whose.
    pub who: Rc<str>,
    /// In which direction: `broker` or `client`.
    pub toward: &'static str,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Option<&'static str>,
    /// How much of its way it made, if it was lost: 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how_far: Option<f64>,
}

/// What the broker decided about a message.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Decision {
    /// Which message: counts accepted messages since the broker began.
    pub publication: u64,
    /// `published`, `delivered` or `not_delivered`.
    pub is: &'static str,
    /// The client that it is about, if the Stage has it; none published if the broker did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<Rc<str>>,
    /// Its Client Identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_identifier: Option<String>,
    /// Topic Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The Topic Filter that matched, or that came nearest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// QoS of the message or of its delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qos: Option<u8>,
    /// RETAIN of the message; of a delivery, whether it is sent because it was retained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retain: Option<bool>,
    /// `sent` or `queued`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<&'static str>,
    /// The first reason why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<&'static str>,
    /// The level, from 1, at which the nearest filter does not match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<u16>,
    /// The statement behind it.
    pub statement: &'static str,
}

/// What the broker says of a connection or a Session.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Happening {
    /// `connected`, `refused`, `disconnected`, `dropping`, `limit_reached` or `session_ended`.
    pub is: &'static str,
    /// The client that it is about, if the Stage has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<Rc<str>>,
    /// Its Client Identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_identifier: Option<String>,
    /// Session Present, if it was connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_present: Option<bool>,
    /// Whether the Session lives on, if it was disconnected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_kept: Option<bool>,
    /// Reason Code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<u8>,
    /// Why, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<&'static str>,
    /// The statement behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<&'static str>,
}

/// A message that a client's user got.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[allow(missing_docs, reason = "each field is the field of PUBLISH of that name")]
pub struct Told {
    pub who: Rc<str>,
    pub packet: Option<u64>,
    pub topic: String,
    pub payload: String,
    pub qos: u8,
    pub retain: bool,
    pub dup: bool,
}

/// A timer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum TimerKind {
    /// The broker has heard nothing of a client for one and a half times its Keep Alive.
    KeepAlive,
    /// The broker has waited long enough for CONNECT.
    ConnectTimeout,
    /// A Session Expiry Interval has passed.
    SessionExpiry,
    /// A Will Delay Interval has passed.
    WillDelay,
    /// A Retained Message has expired.
    MessageExpiry,
    /// A client has sent nothing for its Keep Alive, and pings.
    Ping,
    /// A client has waited long enough for PINGRESP.
    NoPingresp,
    /// A client comes back.
    Reconnect,
}

impl Entry {
    /// The entry as one line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an entry is numbers, texts and lists")
    }

    /// Bytes that it takes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let more = match &self.what {
            What::Sent(sent) => size_of::<Sent>() + 2 * sent.bytes.len(),
            What::Decision(_) => size_of::<Decision>() + 40,
            What::Event(_) => size_of::<Happening>() + 20,
            What::Told(told) => size_of::<Told>() + told.topic.len() + told.payload.len(),
            What::Command(_) => 400,
            What::Closed(place) => place.reason.as_ref().map_or(0, String::len),
            What::Refused(refused) => refused.why.len(),
            What::Opened(_)
            | What::Delivered(_)
            | What::Lost(_)
            | What::Broke(_)
            | What::Learned(_)
            | What::Timer(_)
            | What::Restarted(_) => 0,
        };
        size_of::<Self>() + more
    }
}

impl TimerKind {
    /// How they are written, in their order.
    pub const NAMES: [&str; 8] = [
        "keep_alive",
        "connect_timeout",
        "session_expiry",
        "will_delay",
        "message_expiry",
        "ping",
        "no_pingresp",
        "reconnect",
    ];

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

impl Serialize for TimerKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// One object: the fields of the entry, and one more that is called as what it tells.
impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("n", &self.n)?;
        map.serialize_entry("at", &self.at)?;
        if let Some(cause) = &self.cause {
            map.serialize_entry("cause", cause)?;
        }
        if let Some(by) = &self.by {
            map.serialize_entry("by", by)?;
        }
        match &self.what {
            What::Command(command) => map.serialize_entry("command", &**command)?,
            What::Refused(refused) => map.serialize_entry("refused", refused)?,
            What::Opened(place) => map.serialize_entry("opened", place)?,
            What::Sent(sent) => map.serialize_entry("sent", &**sent)?,
            What::Delivered(passed) => map.serialize_entry("delivered", passed)?,
            What::Lost(passed) => map.serialize_entry("lost", passed)?,
            What::Broke(place) => map.serialize_entry("broke", place)?,
            What::Learned(place) => map.serialize_entry("learned", place)?,
            What::Closed(place) => map.serialize_entry("closed", place)?,
            What::Decision(decision) => map.serialize_entry("decision", &**decision)?,
            What::Event(happening) => map.serialize_entry("event", &**happening)?,
            What::Told(told) => map.serialize_entry("told", &**told)?,
            What::Timer(timer) => map.serialize_entry("timer", timer)?,
            What::Restarted(restarted) => map.serialize_entry("restarted", restarted)?,
        }
        map.end()
    }
}

fn as_hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex_of(bytes))
}
