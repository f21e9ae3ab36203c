//! What a bridge is told: where its remote broker is, how to introduce itself there, and which topics go which way
//! under which names. A configuration is checked as a whole before anything is made of it ([`BridgeConfig::check`]);
//! what the rest of the core holds is a configuration that is in order.

use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use wasmqtt_codec::{ProtocolVersion, Qos, ReasonCode, TopicFilter, TopicName, check_utf8};

use crate::door::CloseReason;
use crate::id::{BridgeId, ConnectionId};
use crate::time::Time;

/// How a bridge is configured. Nothing of it is written to the log: the driver adds its bridges again when it starts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct BridgeConfig {
    /// Its name, by which it finds its Session again: 1 to 255 characters without `/`, `+`, `#`.
    pub name: String,
    /// Where the remote broker is, such as `wss://broker.example/mqtt`. Means something to the driver only, who gets it
    /// with [`Output::Dial`](crate::Output::Dial).
    pub target: String,
    /// What to speak: 5.0, or 3.1.1 to a broker that knows no better.
    pub version: ProtocolVersion,
    /// With 3.1.1: say by the highest bit of the Protocol Level that a bridge connects, as mosquitto does and
    /// understands. A remote that refuses that is asked again without.
    pub try_private: bool,
    /// The Client Identifier at the remote; not empty, and nobody else's there.
    pub client_identifier: String,
    /// User Name for the remote.
    pub user_name: Option<String>,
    /// Password for the remote; with 3.1.1 not without a User Name.
    pub password: Option<Bytes>,
    /// Seconds between signs of life; 0 = none. The remote may set another one (Server Keep Alive).
    pub keep_alive_s: u16,
    /// Whether every connection starts anew at the remote: what it has for us is lost while we are away, and what is in
    /// flight at a cut may arrive twice, with QoS 2 too.
    pub clean_start: bool,
    /// Seconds that the remote keeps our Session while we are away, in 5.0, and that a restored Session waits here for
    /// its bridge to be added again; `u32::MAX` = for ever.
    pub session_expiry_s: u32,
    /// What goes which way. A message goes by the first entry that matches it.
    pub topics: Vec<BridgeTopic>,
    /// The wait before a dial behind a failure, in milliseconds: a random time between half of it and all of it, each
    /// time twice as long, up to `redial_max_ms`. At least 1.
    pub redial_min_ms: u32,
    /// The longest wait. A connection that lasted as long makes the next wait the shortest again.
    pub redial_max_ms: u32,
    /// How many bridges a message may have passed, counted in its User Property [`HOPS`]; 0 counts nothing and bounds
    /// nothing.
    pub hops_max: u8,
}

/// Topics of a bridge that go the same way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BridgeTopic {
    /// A Topic Filter, to which the prefixes are added: `local_prefix + filter` here, `remote_prefix + filter` there.
    pub filter: String,
    /// Which way.
    pub direction: Direction,
    /// The highest QoS; a message keeps its own if that is lower.
    pub qos: Qos,
    /// What Topic Names begin with here and not there.
    pub local_prefix: String,
    /// What Topic Names begin with there and not here.
    pub remote_prefix: String,
}

/// Which way messages go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Direction {
    /// From the remote to here.
    In,
    /// From here to the remote.
    Out,
    /// Both ways.
    Both,
}

/// The name of the User Property that counts the bridges which a message has passed.
pub const HOPS: &str = "wasmqtt-hops";

/// Begins the Client Identifiers of bridges' Sessions; no client can connect with such a one.
pub(crate) const SESSION_PREFIX: &str = "$bridge/";

/// Why a bridge was not added.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum BridgeError {
    /// The name is empty, longer than 255 bytes, or has one of `/`, `+`, `#`, U+0000 in it.
    Name,
    /// The Client Identifier is empty or no string of MQTT.
    ClientIdentifier,
    /// The User Name is no string of MQTT.
    UserName,
    /// The Password is longer than 65,535 bytes, or without a User Name in 3.1.1.
    Password,
    /// Bridges speak 5.0 or 3.1.1.
    Version,
    /// A topic's filter, alone or with a prefix, is no Topic Filter, is shared, or has more levels than
    /// `topic_levels_max`; the index of the topic.
    Topic(u32),
    /// `redial_min_ms` is 0 or above `redial_max_ms`.
    Redial,
    /// As many bridges are there as may be: `bridges_max`.
    Bridges,
    /// Its Session, its Subscriptions or its topics exceed a limit.
    Limit,
    /// The log can't be written.
    Storage,
    /// The broker is stopping.
    Stopping,
}

impl BridgeError {
    /// One line for people: what is wrong and what is allowed.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            BridgeError::Name => "name: 1 to 255 bytes without /, +, # and U+0000",
            BridgeError::ClientIdentifier => "client_identifier: 1 to 65535 bytes without U+0000",
            BridgeError::UserName => "user_name: at most 65535 bytes without U+0000",
            BridgeError::Password => "password: at most 65535 bytes, and with 3.1.1 not without user_name",
            BridgeError::Version => "version: 5.0 or 3.1.1",
            BridgeError::Topic(_) => {
                "topics: filter, local_prefix + filter and remote_prefix + filter must be Topic Filters, not shared \
                 ones, of at most topic_levels_max levels"
            }
            BridgeError::Redial => "redial_min_ms: at least 1 and at most redial_max_ms",
            BridgeError::Bridges => "bridges_max reached",
            BridgeError::Limit => "sessions_max, subscriptions_max, subscriptions_per_session_max or memory reached",
            BridgeError::Storage => "storing failed",
            BridgeError::Stopping => "the broker is stopping",
        }
    }
}

/// Where a bridge stands, for people.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BridgeView {
    /// Its number.
    pub bridge: BridgeId,
    /// Its name.
    pub name: String,
    /// Where its remote is.
    pub target: String,
    /// Its Session's Client Identifier here, to look at queue and exchanges by.
    pub session: String,
    /// Its transport, while one is open.
    pub conn: Option<ConnectionId>,
    /// Whether the remote has accepted it.
    pub up: bool,
    /// When it dials again, while it waits for that.
    pub dials_at: Option<Time>,
}

/// How a bridge's connection, or the attempt at one, ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum BridgeEnd {
    /// The driver could not reach the remote.
    DialFailed,
    /// The remote said no in its CONNACK.
    Refused(ReasonCode),
    /// The transport is gone without a word.
    Lost,
    /// It was closed, by whom the reason says; [`CloseReason::Client`] is the remote's DISCONNECT.
    Closed(CloseReason),
}

impl Default for BridgeConfig {
    fn default() -> Self {
        BridgeConfig {
            name: String::new(),
            target: String::new(),
            version: ProtocolVersion::V5,
            try_private: true,
            client_identifier: String::new(),
            user_name: None,
            password: None,
            keep_alive_s: 60,
            clean_start: false,
            session_expiry_s: u32::MAX,
            topics: Vec::new(),
            redial_min_ms: 1_000,
            redial_max_ms: 60_000,
            hops_max: 8,
        }
    }
}

impl Direction {
    pub(crate) fn is_in(self) -> bool {
        match self {
            Direction::In | Direction::Both => true,
            Direction::Out => false,
        }
    }

    pub(crate) fn is_out(self) -> bool {
        match self {
            Direction::Out | Direction::Both => true,
            Direction::In => false,
        }
    }
}

impl BridgeTopic {
    /// The Topic Filter here.
    pub(crate) fn local(&self) -> String {
        [&self.local_prefix[..], &self.filter].concat()
    }

    /// The Topic Filter at the remote.
    pub(crate) fn remote(&self) -> String {
        [&self.remote_prefix[..], &self.filter].concat()
    }

    fn is_valid(&self, levels_max: u16) -> bool {
        let is_filter = |filter: &str| TopicFilter::parse(filter).is_ok_and(|filter| filter.share() == Ok(None));
        // Prefixes are text, so that what they bring in is known.
        let plain = |prefix: &str| !prefix.contains(['+', '#']);
        let short = |filter: &str| filter.split('/').count() <= usize::from(levels_max);
        let (local, remote) = (self.local(), self.remote());
        is_filter(&self.filter)
            && plain(&self.local_prefix)
            && plain(&self.remote_prefix)
            && is_filter(&local)
            && is_filter(&remote)
            && short(&local)
            && short(&remote)
    }

    /// A Topic Name with the prefix of one side as it is on the other side; `None` if this topic doesn't match it.
    fn mapped(&self, topic: &str, from: &str, to: &str) -> Option<String> {
        let rest = topic.strip_prefix(from)?;
        if !TopicFilter::parse(&self.filter).ok()?.matches(&TopicName::parse(rest).ok()?) {
            return None;
        }
        let mapped = [to, rest].concat();
        // Together they may be longer than a Topic Name can be.
        TopicName::parse(&mapped).is_ok().then_some(mapped)
    }
}

impl BridgeConfig {
    /// Whether it can be a bridge's, as far as it alone decides.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn check(&self, topic_levels_max: u16) -> Result<(), BridgeError> {
        let is_string = |text: &str| text.len() <= usize::from(u16::MAX) && check_utf8(text.as_bytes()).is_ok();
        let name_is_plain = !self.name.contains(['/', '+', '#', '\0']);
        if self.name.is_empty() || self.name.len() > 255 || !name_is_plain {
            return Err(BridgeError::Name);
        }
        if self.client_identifier.is_empty() || !is_string(&self.client_identifier) {
            return Err(BridgeError::ClientIdentifier);
        }
        if !self.user_name.as_deref().is_none_or(is_string) {
            return Err(BridgeError::UserName);
        }
        let v5 = match self.version {
            ProtocolVersion::V5 => true,
            ProtocolVersion::V3_1_1 => false,
            ProtocolVersion::V3_1 => return Err(BridgeError::Version),
        };
        if let Some(password) = &self.password
            && (password.len() > usize::from(u16::MAX) || !v5 && self.user_name.is_none())
        {
            return Err(BridgeError::Password);
        }
        if let Some(index) = self.topics.iter().position(|topic| !topic.is_valid(topic_levels_max)) {
            return Err(BridgeError::Topic(index as u32));
        }
        if self.redial_min_ms == 0 || self.redial_min_ms > self.redial_max_ms {
            return Err(BridgeError::Redial);
        }
        Ok(())
    }

    /// The Client Identifier of its Session here.
    pub(crate) fn session(&self) -> String {
        [SESSION_PREFIX, &self.name].concat()
    }

    /// What a topic of here is called at the remote; `None` if it doesn't go there.
    pub(crate) fn outbound(&self, topic: &str) -> Option<String> {
        let mut topics = self.topics.iter().filter(|entry| entry.direction.is_out());
        topics.find_map(|entry| entry.mapped(topic, &entry.local_prefix, &entry.remote_prefix))
    }

    /// What a topic of the remote is called here, and the QoS that it may have; `None` if it is none of ours.
    pub(crate) fn inbound(&self, topic: &str) -> Option<(String, Qos)> {
        let mut topics = self.topics.iter().filter(|entry| entry.direction.is_in());
        topics.find_map(|entry| Some((entry.mapped(topic, &entry.remote_prefix, &entry.local_prefix)?, entry.qos)))
    }
}
