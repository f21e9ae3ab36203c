//! A plan is all that will be tried in one run: who the clients are, how the broker is set up, and a list of actions
//! with their times, faults among them. It is data, so that a run that found something can be told again with actions
//! left out, and printed line by line.

use std::fmt;

use wasmqtt_broker::Config;
use wasmqtt_codec::{ProtocolVersion, Qos, RetainHandling};

use crate::sight::{ClientNo, MessageNo};
use crate::world::authority::{Authority, Rights};
use crate::world::faults::Fault;
use crate::world::remote::BridgePlan;

/// All that one run tries.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it was drawn from; the links draw from it while the run goes on.
    pub seed: u64,
    /// How the broker is set up.
    pub config: Config,
    /// Who is asked about clients, if anybody is.
    pub authority: Option<Authority>,
    /// The bridge, if there is one; its remote is the client with that role.
    pub bridge: Option<BridgePlan>,
    /// How long a record takes to be stored, in microseconds.
    pub store_us: u64,
    /// From when on nothing goes wrong any more, in microseconds.
    pub heal_at_us: u64,
    /// The clients. The first one is the witness: it subscribes to everything and never leaves for good.
    pub clients: Vec<Profile>,
    /// What is tried, in order of time.
    pub actions: Vec<Planned>,
}

/// One action with its time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Planned {
    /// When, in microseconds from the beginning.
    pub at_us: u64,
    /// What.
    pub act: Act,
}

/// What kind of Subscriptions a client makes, so that it can be told which of them brought a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Ordinary Subscriptions only.
    Listener,
    /// One Shared Subscription, the n-th.
    Worker(usize),
    /// Both, each with a Subscription Identifier.
    Mixed,
    /// No client: the remote of the bridge.
    Remote,
    /// Breaks the rule of Receive Maximum as soon as it is connected, with a connection of its own.
    Rude,
}

/// A client as it will behave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Profile {
    /// Client Identifier.
    pub name: String,
    /// Version.
    pub version: ProtocolVersion,
    /// Its kind.
    pub role: Role,
    /// Session Expiry Interval in seconds, for 5.0.
    pub session_expiry_s: u32,
    /// Whether it comes back with Clean Session 1, for 3.x.
    pub clean: bool,
    /// Receive Maximum, for 5.0.
    pub receive_maximum: u16,
    /// Topic Alias Maximum, for 5.0.
    pub topic_alias_maximum: u16,
    /// Maximum Packet Size, for 5.0.
    pub packet_bytes_max: Option<u32>,
    /// Keep Alive in seconds.
    pub keep_alive_s: u16,
    /// Will Message.
    pub will: Option<WillPlan>,
    /// How long its user takes to acknowledge a message, in microseconds; 0 = at once.
    pub ack_us: u64,
    /// How long bytes are on their way, in microseconds.
    pub latency_us: u64,
    /// How long it takes to come back after a connection broke, in microseconds.
    pub back_us: u64,
    /// Whether its Subscriptions have Subscription Identifiers.
    pub identifies: bool,
    /// Whether it says who it is, by User Name and Password.
    pub introduces: bool,
    /// What it may do.
    pub rights: Rights,
    /// With an Authentication Method, for 5.0: how many AUTH packets it is to send before it is believed.
    pub auth_rounds: Option<u32>,
}

/// A Will Message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WillPlan {
    /// QoS.
    pub qos: Qos,
    /// RETAIN.
    pub retain: bool,
    /// Will Delay Interval in seconds, for 5.0.
    pub delay_s: u32,
    /// Message Expiry Interval in seconds, for 5.0.
    pub expiry_s: Option<u32>,
}

/// What a client does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// Opens a transport, even while it has another.
    Connect {
        /// Who.
        who: ClientNo,
        /// Clean Start or Clean Session.
        clean: bool,
    },
    /// Subscribes.
    Subscribe {
        /// Who.
        who: ClientNo,
        /// To what and how.
        wish: Wish,
    },
    /// Unsubscribes.
    Unsubscribe {
        /// Who.
        who: ClientNo,
        /// From what.
        filter: &'static str,
    },
    /// Publishes.
    Publish {
        /// Who.
        who: ClientNo,
        /// What.
        letter: Letter,
    },
    /// Publishes nothing with RETAIN, which removes the Retained Message.
    Clear {
        /// Who.
        who: ClientNo,
        /// Where.
        topic: &'static str,
        /// How.
        qos: Qos,
    },
    /// Begins a re-authentication (5.0).
    Reauthenticate {
        /// Who.
        who: ClientNo,
    },
    /// Says DISCONNECT and stays away.
    Leave {
        /// Who.
        who: ClientNo,
        /// Whether its Will is to be published (5.0).
        with_will: bool,
        /// Another Session Expiry Interval than CONNECT had (5.0).
        session_expiry_s: Option<u32>,
    },
    /// Something goes wrong.
    Fault(Fault),
}

/// A SUBSCRIBE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wish {
    /// Topic Filter.
    pub filter: &'static str,
    /// QoS.
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

/// A message to publish.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Letter {
    /// Its number, which nothing else has.
    pub number: MessageNo,
    /// Topic Name.
    pub topic: &'static str,
    /// QoS.
    pub qos: Qos,
    /// RETAIN.
    pub retain: bool,
    /// Message Expiry Interval in seconds.
    pub expiry_s: Option<u32>,
    /// Bytes of payload.
    pub len: usize,
    /// Topic Alias; used without the name where the connection has set it to this topic and the QoS is 0.
    pub alias: Option<u16>,
}

impl Plan {
    /// The plan as people read it: the clients, then one line for each action.
    #[must_use]
    pub fn story(&self) -> String {
        use fmt::Write;
        let mut story = String::new();
        let limits = &self.config.limits;
        let _ = writeln!(
            story,
            "broker  seed={} storage={:?} store_us={} receive_maximum={} in_flight_max={} queue_messages_max={} \
             outbox_bytes_max={} turn_bytes_max={} retained_messages_max={} topic_alias_maximum={} \
             topic_alias_out_max={}",
            self.seed,
            self.config.storage,
            self.store_us,
            limits.receive_maximum,
            limits.in_flight_max,
            limits.queue_messages_max,
            limits.outbox_bytes_max,
            limits.turn_bytes_max,
            limits.retained_messages_max,
            limits.topic_alias_maximum,
            limits.topic_alias_out_max
        );
        if let Some(authority) = &self.authority {
            let _ = writeln!(story, "{authority:?}");
        }
        if let Some(bridge) = &self.bridge {
            let _ = writeln!(story, "{bridge:?}");
        }
        let mut named = vec![false; self.clients.len()];
        named[0] = true;
        self.actions.iter().filter_map(|planned| planned.act.who()).for_each(|who| named[who] = true);
        for (profile, _) in self.clients.iter().zip(named).filter(|(_, named)| *named) {
            let _ = writeln!(story, "client  {profile}");
        }
        for planned in &self.actions {
            let _ = writeln!(story, "{:9.3}  {}", planned.at_us as f64 / 1e6, planned.act.line(&self.clients));
        }
        let _ = writeln!(story, "{:9.3}  the world heals", self.heal_at_us as f64 / 1e6);
        story
    }
}

impl Profile {
    /// Its User Name.
    #[must_use]
    pub fn user(&self) -> Option<String> {
        self.introduces.then(|| format!("user of {}", self.name))
    }

    /// Its Password.
    #[must_use]
    pub fn password(&self) -> Option<String> {
        self.introduces.then(|| format!("secret of {}", self.name))
    }

    /// Whether it is one of those that a run tries things with.
    #[must_use]
    pub fn is_worker(&self) -> bool {
        !matches!(self.role, Role::Rude | Role::Remote) && self.introduces
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {:?}", self.name, self.version, self.role)?;
        match self.version.is_v5() {
            true => write!(
                f,
                " session_expiry_s={} receive_maximum={} topic_alias_maximum={} packet_bytes_max={:?}",
                self.session_expiry_s, self.receive_maximum, self.topic_alias_maximum, self.packet_bytes_max
            )?,
            false => write!(f, " clean={}", self.clean)?,
        }
        if self.rights != Rights::default() {
            write!(f, " {:?}", self.rights)?;
        }
        if let Some(rounds) = self.auth_rounds {
            write!(f, " auth_rounds={rounds}")?;
        }
        write!(f, " keep_alive_s={} ack_us={}", self.keep_alive_s, self.ack_us)?;
        write!(f, " latency_us={} back_us={}", self.latency_us, self.back_us)?;
        if let Some(will) = &self.will {
            write!(f, " will_qos={} will_retain={}", will.qos as u8, will.retain)?;
            if self.version.is_v5() {
                write!(f, " will_delay_s={} will_expiry_s={:?}", will.delay_s, will.expiry_s)?;
            }
        }
        Ok(())
    }
}

impl Act {
    /// The client that it is about, if it is about one.
    #[must_use]
    pub fn who(&self) -> Option<ClientNo> {
        match self {
            Act::Connect { who, .. }
            | Act::Subscribe { who, .. }
            | Act::Unsubscribe { who, .. }
            | Act::Publish { who, .. }
            | Act::Clear { who, .. }
            | Act::Reauthenticate { who }
            | Act::Leave { who, .. } => Some(*who),
            Act::Fault(fault) => fault.who(),
        }
    }

    fn line(&self, clients: &[Profile]) -> String {
        let name = self.who().map_or("", |who| clients[who].name.as_str());
        match self {
            Act::Connect { clean, .. } => format!("{name} connect clean_start={clean}"),
            Act::Subscribe { wish, .. } => {
                let Wish { filter, qos, no_local, retain_as_published, retain_handling, identifier } = wish;
                let mut line = format!("{name} subscribe {filter} qos={}", *qos as u8);
                let mut put = |wanted: bool, text: String| line += &if wanted { text } else { String::new() };
                put(*no_local, " no_local=true".into());
                put(*retain_as_published, " retain_as_published=true".into());
                put(retain_handling.bits() > 0, format!(" retain_handling={}", retain_handling.bits()));
                put(identifier.is_some(), format!(" subscription_identifier={}", identifier.unwrap_or(0)));
                line
            }
            Act::Unsubscribe { filter, .. } => format!("{name} unsubscribe {filter}"),
            Act::Publish { letter, .. } => {
                let Letter { number, topic, qos, retain, expiry_s, len, alias } = letter;
                let mut line = format!("{name} publish {topic} \"{number}:\" qos={}", *qos as u8);
                let mut put = |wanted: bool, text: String| line += &if wanted { text } else { String::new() };
                put(*retain, " retain=true".into());
                put(expiry_s.is_some(), format!(" message_expiry_s={}", expiry_s.unwrap_or(0)));
                put(alias.is_some(), format!(" topic_alias={}", alias.unwrap_or(0)));
                put(true, format!("   # {len} bytes"));
                line
            }
            Act::Clear { topic, qos, .. } => format!("{name} publish {topic} \"\" qos={} retain=true", *qos as u8),
            Act::Reauthenticate { .. } => format!("{name} auth reason=0x19"),
            Act::Leave { with_will, session_expiry_s, .. } => {
                let reason = if *with_will { " reason=4" } else { "" };
                let expiry = session_expiry_s.map_or(String::new(), |seconds| format!(" session_expiry_s={seconds}"));
                format!("{name} disconnect{reason}{expiry}")
            }
            Act::Fault(fault) => fault.line(name),
        }
    }
}
