//! What inspectors show at the playhead: clients and their links, Sessions with what each waits for, topics with what
//! is retained, and a Topic Filter tried on all of them. All of it comes from the broker's own view of itself and from
//! the log; nothing is worked out a second time.

use std::rc::Rc;

use serde::Serialize;
use wasmqtt_broker::{Awaits, MessageView as Kept, Page, SessionView as Held, Subject, Time};
use wasmqtt_codec::{ProtocolVersion, TopicFilter, TopicName};

use super::actor::Actor;
use super::clock::ALL;
use super::entry::{Entry, What};
use super::history::History;
use super::packet::word;
use super::{EPOCH_US, Stage};
use crate::world::link::{CutWhen, Moment};

/// Everybody and every Session.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SessionsView {
    /// The clients of the scenario.
    pub clients: Vec<ClientView>,
    /// The Sessions that the broker has, connected or not.
    pub sessions: Vec<SessionView>,
}

/// A client, from its own side.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ClientView {
    /// What commands call it.
    pub who: Rc<str>,
    /// `away`, `connecting` or `connected`.
    pub state: &'static str,
    /// Its Client Identifier.
    pub client_identifier: String,
    /// The version it speaks: 3, 4 or 5.
    pub level: u8,
    /// Its program stands still.
    pub frozen: bool,
    /// Its transport.
    pub link: Option<u32>,
    /// How long its link takes.
    pub latency_ms: u64,
    /// And how much more at most.
    pub jitter_ms: u64,
    /// And how many bytes pass in a second; 0 = any number.
    pub bytes_per_s: u64,
    /// Directions in which nothing arrives: `broker`, `client`.
    pub half_open: Vec<&'static str>,
    /// What will cut its link.
    pub cut_when: Vec<CutView>,
    /// When it comes back by itself.
    pub back_at: Option<u64>,
    /// Messages that wait for its user's acknowledgement.
    pub unacknowledged: usize,
    /// Messages of its own that are not finished.
    pub unfinished: usize,
}

/// What will cut a link.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[allow(missing_docs, reason = "each field is the field of the command of that name")]
pub struct CutView {
    pub toward: &'static str,
    pub packet: &'static str,
    pub nth: u32,
    pub at: &'static str,
}

/// A Session, from the broker's side.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SessionView {
    /// The client that was last connected with it, if the Stage has it.
    pub who: Option<Rc<str>>,
    /// Client Identifier.
    pub client_identifier: String,
    /// Whether the broker has a connection for it.
    pub connected: bool,
    /// The version of its last connection: 3, 4 or 5.
    pub level: u8,
    /// Subscriptions.
    pub subscriptions: Vec<SubscriptionView>,
    /// Messages that wait.
    pub queue: Vec<MessageView>,
    /// Messages in flight towards the client.
    pub in_flight: Vec<InFlightView>,
    /// How many may be in flight.
    pub receive_maximum: u16,
    /// QoS 2 Packet Identifiers of the client that wait for PUBREL.
    pub received_qos2: u32,
    /// Keep Alive in force, in seconds; 0 = none.
    pub keep_alive_s: u16,
    /// When the last packet came.
    pub last_packet_at: Option<u64>,
    /// When the broker gives it up unless a packet comes.
    pub keep_alive_at: Option<u64>,
    /// Session Expiry Interval in seconds; 4,294,967,295 = never.
    pub session_expiry_s: u32,
    /// When it ends, while the client is away.
    pub expires_at: Option<u64>,
    /// Its Will: armed while it is connected, or on its way.
    pub will: Option<WillView>,
}

/// A Subscription.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[allow(missing_docs, reason = "each field is the field of SUBSCRIBE of that name")]
pub struct SubscriptionView {
    pub filter: String,
    pub qos: u8,
    pub no_local: bool,
    pub retain_as_published: bool,
    pub retain_handling: u8,
    pub identifier: Option<u32>,
}

/// A message that is kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[allow(missing_docs, reason = "each field is the field of PUBLISH of that name")]
pub struct MessageView {
    pub topic: String,
    pub payload: String,
    pub qos: u8,
    pub retain: bool,
    pub expires_at: Option<u64>,
}

/// A message in flight.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct InFlightView {
    /// Packet Identifier.
    pub id: u16,
    /// `PUBACK`, `PUBREC` or `PUBCOMP`.
    pub waits_for: &'static str,
    /// The message, while it is kept.
    pub message: Option<MessageView>,
}

/// A Will.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WillView {
    /// The message; none if it is known only that there is one.
    pub message: Option<MessageView>,
    /// Will Delay Interval in seconds.
    pub delay_s: u32,
    /// When it is published, if its delay runs.
    pub due_at: Option<u64>,
}

/// A topic that is known.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct TopicView {
    /// Topic Name.
    pub topic: String,
    /// What is retained.
    pub retained: Option<MessageView>,
    /// Messages that were published.
    pub published: u64,
    /// The decision with which the last one was.
    pub last: Option<u64>,
}

/// A Topic Filter tried.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FilterView {
    /// Why it is none, and the statement; nothing is tried then.
    pub error: Option<(&'static str, &'static str)>,
    /// For each known topic the level, from 1, at which it does not fit; `null` where it matches.
    pub topics: Vec<(String, Option<usize>)>,
}

fn from_epoch(at: Time) -> u64 {
    at.0.saturating_sub(EPOCH_US)
}

fn message_of(kept: &Kept) -> MessageView {
    MessageView {
        topic: kept.topic.clone(),
        payload: String::from_utf8_lossy(&kept.payload).into_owned(),
        qos: kept.qos.bits(),
        retain: kept.retain,
        expires_at: kept.expires_at.map(from_epoch),
    }
}

impl Stage {
    /// Everybody and every Session.
    #[must_use]
    pub fn sessions(&self) -> SessionsView {
        let here = self.actors.iter().filter(|actor| !actor.removed);
        let sessions = self.held().iter().map(|held| self.session_view(held)).collect();
        SessionsView { clients: here.map(|actor| self.client_view(actor)).collect(), sessions }
    }

    fn held(&self) -> Vec<Held> {
        match self.broker.inspect(&Subject::Sessions, 0, ALL) {
            Some(Page::Sessions(sessions)) => sessions,
            _ => Vec::new(),
        }
    }

    /// The Session under a client's identifier.
    pub(super) fn session_of(&self, actor: &Actor) -> Option<SessionView> {
        let name = self.names.iter().rev().find(|(_, who)| self.actors[*who].id == actor.id);
        let name = name.map_or(&actor.spec.client_identifier, |(name, _)| name);
        self.held().iter().find(|held| held.client_identifier == *name).map(|held| self.session_view(held))
    }

    fn client_view(&self, actor: &Actor) -> ClientView {
        let line = actor.link.and_then(|number| self.lines.get(&number));
        let waiting = actor.cuts.iter().map(|(toward, cut)| cut_view(word(*toward), cut));
        let armed = line.into_iter().flat_map(|line| {
            let up = line.link.up.cuts.iter().map(|cut| cut_view("broker", cut));
            up.chain(line.link.down.cuts.iter().map(|cut| cut_view("client", cut)))
        });
        ClientView {
            who: actor.id.clone(),
            state: match (actor.link, actor.is_live()) {
                (None, _) => "away",
                (Some(_), false) => "connecting",
                (Some(_), true) => "connected",
            },
            client_identifier: actor.spec.client_identifier.clone(),
            level: actor.spec.version.level(),
            frozen: actor.frozen,
            link: actor.link,
            latency_ms: actor.pace.latency_us / 1_000,
            jitter_ms: actor.pace.jitter_us / 1_000,
            bytes_per_s: actor.pace.bytes_per_s,
            half_open: actor.dead.iter().map(|toward| word(*toward)).collect(),
            cut_when: waiting.chain(armed).collect(),
            back_at: actor.back.map(|(at, _)| at),
            unacknowledged: actor.unacknowledged.len(),
            unfinished: actor.client.unfinished(),
        }
    }

    fn session_view(&self, held: &Held) -> SessionView {
        let client_identifier = || held.client_identifier.clone();
        let page = |subject| self.broker.inspect(&subject, 0, ALL);
        let subscriptions = match page(Subject::Subscriptions { client_identifier: client_identifier() }) {
            Some(Page::Subscriptions(all)) => all,
            _ => Vec::new(),
        };
        let queue = match page(Subject::Queue { client_identifier: client_identifier() }) {
            Some(Page::Queue(all)) => all,
            _ => Vec::new(),
        };
        let in_flight = match page(Subject::InFlight { client_identifier: client_identifier() }) {
            Some(Page::InFlight(all)) => all,
            _ => Vec::new(),
        };
        let subscription = |it: &wasmqtt_broker::SubscriptionView| SubscriptionView {
            filter: it.filter.clone(),
            qos: it.options.qos.bits(),
            no_local: it.options.no_local,
            retain_as_published: it.options.retain_as_published,
            retain_handling: it.options.retain_handling.bits(),
            identifier: it.identifier,
        };
        let flying = |it: &wasmqtt_broker::InFlightView| InFlightView {
            id: it.packet_identifier,
            waits_for: match it.awaits {
                Awaits::Puback => "PUBACK",
                Awaits::Pubrec => "PUBREC",
                Awaits::Pubcomp => "PUBCOMP",
            },
            message: it.message.as_ref().map(message_of),
        };
        let keeps = held.last_packet_at.filter(|_| held.keep_alive_s > 0);
        SessionView {
            who: self.named(&held.client_identifier),
            client_identifier: client_identifier(),
            connected: held.conn.is_some(),
            level: held.version.level(),
            subscriptions: subscriptions.iter().map(subscription).collect(),
            queue: queue.iter().map(message_of).collect(),
            in_flight: in_flight.iter().map(flying).collect(),
            receive_maximum: held.receive_maximum,
            received_qos2: held.received_qos2,
            keep_alive_s: held.keep_alive_s,
            last_packet_at: held.last_packet_at.map(from_epoch),
            keep_alive_at: keeps.map(|at| from_epoch(at) + u64::from(held.keep_alive_s) * 1_500_000),
            session_expiry_s: held.session_expiry_interval_s,
            expires_at: held.expires_at.map(from_epoch),
            will: self.will_view(held),
        }
    }

    /// What a Session's last CONNECT said of a Will, as long as it is armed or waits for its delay.
    fn will_view(&self, held: &Held) -> Option<WillView> {
        let due_at = held.will_at.map(from_epoch);
        if held.conn.is_none() && due_at.is_none() {
            return None;
        }
        let by_link = held.conn.and_then(|conn| self.lines.get(&(conn.generation - 1)).map(|line| line.link.client));
        let who = by_link
            .or_else(|| self.names.iter().find(|(name, _)| *name == held.client_identifier).map(|(_, who)| *who));
        let spec = who.and_then(|who| self.actors[who].armed.clone());
        let message = spec.as_ref().map(|will| MessageView {
            topic: will.message.topic.clone(),
            payload: String::from_utf8_lossy(&will.message.payload).into_owned(),
            qos: will.message.qos.bits(),
            retain: will.message.retain,
            expires_at: None,
        });
        let delay_s = spec.filter(|_| held.version.is_v5()).map_or(0, |will| will.delay_s);
        (message.is_some() || due_at.is_some()).then_some(WillView { message, delay_s, due_at })
    }

    fn retained(&self) -> Vec<MessageView> {
        // A leading wildcard matches no topic that begins with `$`, so those are asked for by name.
        let page = |filter: &str| self.broker.inspect(&Subject::Retained { filter: filter.into() }, 0, ALL);
        let pages = [page("#"), page("$SYS/#")];
        let kept = pages.into_iter().flat_map(|page| match page {
            Some(Page::Retained(all)) => all,
            _ => Vec::new(),
        });
        kept.map(|kept| message_of(&kept)).collect()
    }
}

fn cut_view(toward: &'static str, cut: &CutWhen) -> CutView {
    let at = match cut.at {
        Moment::Sent => "sent",
        Moment::HalfWay => "half_way",
        Moment::Delivered => "delivered",
    };
    CutView { toward, packet: cut.packet.name(), nth: cut.nth, at }
}

impl History {
    /// All topics that were published to up to the playhead, and all that have a Retained Message.
    #[must_use]
    pub fn topics(&self) -> Vec<TopicView> {
        let mut topics: Vec<TopicView> = Vec::new();
        let place = |topics: &mut Vec<TopicView>, topic: &str| {
            topics.binary_search_by(|view| view.topic.as_str().cmp(topic)).unwrap_or_else(|at| {
                topics.insert(at, TopicView { topic: topic.into(), ..TopicView::default() });
                at
            })
        };
        let published = |entry: &Rc<Entry>| match &entry.what {
            What::Decision(decision) if decision.is == "published" => Some((decision.topic.clone()?, entry.n)),
            _ => None,
        };
        for (topic, n) in self.past().iter().filter_map(published) {
            let at = place(&mut topics, &topic);
            topics[at].published += 1;
            topics[at].last = Some(n);
        }
        for message in self.stage.retained() {
            let at = place(&mut topics, &message.topic);
            topics[at].retained = Some(message);
        }
        topics
    }

    /// Tries a Topic Filter on all known topics. A `$share` is left out of it.
    #[must_use]
    pub fn try_filter(&self, filter: &str) -> FilterView {
        let parsed = TopicFilter::parse(filter).and_then(|whole| Ok((whole, whole.share()?)));
        let filter = match parsed {
            Ok((whole, share)) => share.map_or(whole, |share| share.filter),
            Err(rule) => {
                let error = Some((rule.text(), rule.statement(ProtocolVersion::V5)));
                return FilterView { error, topics: Vec::new() };
            }
        };
        let tried = |topic: TopicView| {
            let level = TopicName::parse(&topic.topic).ok().and_then(|name| filter.mismatch(&name));
            (topic.topic, level)
        };
        FilterView { error: None, topics: self.topics().into_iter().map(tried).collect() }
    }
}
