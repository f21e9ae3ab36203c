//! What was seen so far, put in order: which client is behind a transport, which Subscriptions its Session surely or
//! possibly has, what became of each message. Times tell "surely" from "possibly": a Subscription is there for certain
//! from SUBACK on and until UNSUBSCRIBE arrives, and possibly from SUBSCRIBE on and until UNSUBACK leaves.

use std::collections::BTreeMap;
use std::rc::Rc;

use wasmqtt_broker::DropReason;
use wasmqtt_codec::{PacketType, ProtocolVersion, Qos};

use super::facts::{Attribution, ClientFacts, ConnFacts, MessageFacts, SubscriptionFacts, without_share};
use super::matches;
use super::terms::Terms;
use crate::sight::{ClientNo, ConnNo, Ended, MessageNo, Seen, SeenConnect, SeenPublish, SeenVerdict, Sight};

/// The facts.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// Now, in microseconds from the beginning.
    pub now_us: u64,
    /// What was agreed.
    pub terms: Terms,
    /// Clients by their number.
    pub clients: Vec<ClientFacts>,
    /// Transports.
    pub conns: BTreeMap<ConnNo, ConnFacts>,
    /// Messages.
    pub messages: BTreeMap<MessageNo, MessageFacts>,
    /// How often the broker crashed.
    pub crashes: usize,
    /// When the machine last woke, and how long it had slept, in microseconds.
    woke: Option<(u64, u64)>,
    /// When the machine woke each time, and how long it had slept.
    slept: Vec<(u64, u64)>,
    /// How often it crashed or could not store records.
    pub upsets: usize,
    /// Whether records can be stored.
    pub storing: bool,
    /// Since when what was written may not be stored.
    pub unstored_since_us: Option<u64>,
}

impl Ledger {
    /// Nothing was seen yet.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        let clients = vec![ClientFacts::default(); terms.names.len()];
        Ledger {
            now_us: 0,
            terms,
            clients,
            conns: BTreeMap::new(),
            messages: BTreeMap::new(),
            crashes: 0,
            woke: None,
            slept: Vec::new(),
            upsets: 0,
            unstored_since_us: None,
            storing: true,
        }
    }

    /// The client behind a transport.
    #[must_use]
    pub fn client_of(&self, conn: ConnNo) -> Option<ClientNo> {
        self.conns.get(&conn).map(|conn| conn.client)
    }

    /// The CONNECT of a transport.
    #[must_use]
    pub fn connect_of(&self, conn: ConnNo) -> Option<&SeenConnect> {
        match self.conns.get(&conn)?.connect.as_deref() {
            Some(Seen::Connect(connect)) => Some(connect),
            _ => None,
        }
    }

    /// The connection whose CONNECT counts from this moment on.
    #[must_use]
    pub fn enters(&self, sight: &Sight) -> Option<ConnNo> {
        let conn = match sight {
            Sight::Reached(conn, seen) if matches!(**seen, Seen::Connect(_)) && !self.terms.asks => conn,
            Sight::Answered(conn, SeenVerdict::Allow) => conn,
            _ => return None,
        };
        self.conns.get(conn).filter(|its| its.entered && its.accepted_us.is_none()).map(|_| *conn)
    }

    /// A client's name.
    #[must_use]
    pub fn name(&self, client: ClientNo) -> &str {
        self.terms.names.get(client).map_or("?", String::as_str)
    }

    /// The Subscriptions of a client's present Session that match a topic, present and past.
    pub fn matching(&self, client: ClientNo, topic: &str) -> impl Iterator<Item = &SubscriptionFacts> {
        let facts = &self.clients[client];
        let present = facts.subscriptions.iter().filter(|one| one.session == facts.session);
        let receives = self.terms.may_receive(client, topic);
        present.filter(move |one| receives && matches(&one.filter, topic))
    }

    /// What a client published under a Packet Identifier.
    #[must_use]
    pub fn published(&self, conn: ConnNo, id: u16) -> Option<&SeenPublish> {
        match self.conns.get(&conn)?.published.get(&id).map(Rc::as_ref) {
            Some(Seen::Publish(publish)) => Some(publish),
            _ => None,
        }
    }

    /// Which Subscriptions brought a message to a client.
    #[must_use]
    pub fn attribution(&self, client: ClientNo, publish: &SeenPublish) -> Attribution {
        let shares: Vec<&SubscriptionFacts> = self.matching(client, &publish.topic).filter(|one| one.shared).collect();
        if shares.is_empty() {
            return Attribution::Plain;
        }
        if publish.identifiers.is_empty() {
            let all = self.matching(client, &publish.topic).count();
            let same = shares.iter().all(|one| one.wish.filter == shares[0].wish.filter);
            return match all == shares.len() && same {
                true => Attribution::Share(shares[0].wish.filter.clone()),
                false => Attribution::Unknown,
            };
        }
        let of = |one: &&&SubscriptionFacts| one.wish.identifier.is_some_and(|id| publish.identifiers.contains(&id));
        shares.iter().find(of).map_or(Attribution::Plain, |one| Attribution::Share(one.wish.filter.clone()))
    }

    /// How often the broker may have taken up a message as a new one.
    #[must_use]
    pub fn taken_up_max(&self, message: &MessageFacts) -> usize {
        let crashes = self.crashes - message.crashes_before;
        match message.qos {
            _ if message.is_will => 1 + crashes,
            Qos::ExactlyOnce => message.sessions + crashes,
            Qos::AtMostOnce | Qos::AtLeastOnce => message.reached_us.len(),
        }
    }

    /// Whether what came at this time may not have been stored when the broker crashed, which is now.
    #[must_use]
    pub fn may_be_unstored(&self, at_us: u64) -> bool {
        let held_us = self.held_us();
        let failing = self.unstored_since_us.is_some_and(|since_us| at_us.saturating_add(held_us) >= since_us);
        failing || at_us.saturating_add(held_us) >= self.now_us
    }

    /// How long what leaves now may have been held because of a record, in microseconds: a sleep comes on top.
    #[must_use]
    pub fn held_us(&self) -> u64 {
        let held_us = self.terms.held_us_max;
        let slept = self.woke.filter(|(at_us, _)| self.now_us - at_us <= held_us && held_us > 0);
        held_us + slept.map_or(0, |(_, us)| us)
    }

    /// How long the machine has slept since then, in microseconds.
    #[must_use]
    pub fn slept_since(&self, at_us: u64) -> u64 {
        self.slept.iter().filter(|(woke_us, _)| *woke_us >= at_us).map(|(_, us)| us).sum()
    }

    /// Takes note of something.
    pub fn note(&mut self, now_us: u64, sight: &Sight) {
        self.now_us = now_us;
        if self.storing {
            // Kept until every oracle has seen the crash that ended it.
            self.unstored_since_us = None;
        }
        match sight {
            Sight::Opened(conn, client) => {
                let facts = ConnFacts {
                    client: *client,
                    connect: None,
                    connect_us: now_us,
                    entered: false,
                    session: 0,
                    accepted_us: None,
                    gone_us: None,
                    disconnect: None,
                    leaving_s: None,
                    prolongs: false,
                    published: BTreeMap::new(),
                    subscribing: BTreeMap::new(),
                    unsubscribing: BTreeMap::new(),
                };
                self.conns.insert(*conn, facts);
            }
            Sight::Reached(conn, seen) => self.reached(*conn, seen),
            Sight::Answered(conn, SeenVerdict::Allow) => self.entered(*conn),
            Sight::Left(conn, seen) => self.left(*conn, seen),
            Sight::Gone(conn, ended) => {
                if let Some(facts) = self.conns.get_mut(conn).filter(|_| *ended == Ended::Broker) {
                    (facts.disconnect, facts.leaving_s) = (None, None); // It came too late to be read.
                }
                self.gone(*conn);
            }
            Sight::Crashed => {
                self.crashes += 1;
                self.upsets += 1;
                let open: Vec<ConnNo> =
                    self.conns.iter().filter(|(_, facts)| facts.gone_us.is_none()).map(|(conn, _)| *conn).collect();
                open.into_iter().for_each(|conn| self.gone(conn));
                for who in 0..self.clients.len() {
                    let changed = self.clients[who].changed.filter(|(at_us, _)| self.may_be_unstored(*at_us));
                    let most_s = changed.map_or(0, |(_, before_s)| before_s).max(self.clients[who].expiry_s);
                    let most_us = if most_s == u32::MAX { u64::MAX } else { u64::from(most_s) * 1_000_000 };
                    let expiry_us = u64::from(self.clients[who].expiry_s) * 1_000_000;
                    if self.may_be_unstored(self.clients[who].until_us.saturating_sub(expiry_us)) {
                        self.clients[who].over_us = self.clients[who].over_us.max(now_us.saturating_add(most_us));
                    }
                    let ended = self.clients[who].ended.filter(|(_, at_us)| self.may_be_unstored(*at_us));
                    if self.clients[who].cleaning() || ended.is_some() || changed.is_some() {
                        self.clients[who].doubt(now_us, ended.map(|(session, _)| session));
                    }
                }
                self.storing = true;
            }
            // What is too large is known by itself, unless that hides other reasons, which are told no more.
            Sight::Dropping(client, why) => {
                let too_large = *why == DropReason::PacketTooLarge && !self.terms.may_drop();
                self.clients[*client].dropping |= !too_large;
            }
            Sight::Storing(works) => {
                self.storing = *works;
                self.upsets += usize::from(!works);
                self.unstored_since_us = (!works).then_some(now_us);
            }
            Sight::Slept(us) => {
                self.slept.push((now_us, *us));
                // Who fell asleep again at once has slept through.
                let soon = self.woke.filter(|(at_us, _)| now_us - us - at_us <= self.terms.held_us_max);
                self.woke = Some((now_us, us + soon.map_or(0, |(_, before_us)| before_us)));
            }
            Sight::Dialled
            | Sight::NotReached
            | Sight::Met(_)
            | Sight::WentOut(..)
            | Sight::CameIn(..)
            | Sight::Asked(..)
            | Sight::Answered(..)
            | Sight::Told(..)
            | Sight::Weighed(..)
            | Sight::Looked(_)
            | Sight::Broken(_)
            | Sight::Healed
            | Sight::Finished => {}
        }
    }

    fn gone(&mut self, conn: ConnNo) {
        let now_us = self.now_us;
        let Some(facts) = self.conns.get_mut(&conn) else { return };
        facts.gone_us.get_or_insert(now_us);
        let client = &mut self.clients[facts.client];
        if let Some(Seen::Connect(connect)) = facts.connect.as_deref()
            && facts.entered
            && facts.accepted_us.is_none()
        {
            // It may have been let in, and its Session have gone on, without a word.
            let us = u64::from(connect.session_expiry_s) * 1_000_000;
            let until_us = if connect.session_expiry_s == u32::MAX { u64::MAX } else { now_us + us };
            client.over_us = client.over_us.max(until_us);
        }
        if client.live == Some(conn) {
            client.live = None;
            let shortened = facts.leaving_s == Some(0);
            client.changed = facts.leaving_s.map(|_| (now_us, client.expiry_s));
            client.expiry_s = facts.leaving_s.unwrap_or(client.expiry_s);
            client.until_us = match client.expiry_s {
                u32::MAX => u64::MAX,
                seconds => now_us + u64::from(seconds) * 1_000_000,
            };
            client.over_us = client.until_us;
            if !client.lasts || shortened {
                client.end_session(now_us);
            }
        }
    }

    /// A CONNECT counts from now on: it came and nobody is asked, or he who was asked has said yes.
    fn entered(&mut self, conn: ConnNo) {
        let now_us = self.now_us;
        let crashes = self.crashes;
        let upsets = self.upsets - usize::from(!self.storing);
        let Some(facts) = self.conns.get_mut(&conn).filter(|facts| facts.gone_us.is_none() && !facts.entered) else {
            return;
        };
        let who = facts.client;
        let Some(Seen::Connect(connect)) = facts.connect.clone().as_deref().cloned() else { return };
        facts.connect_us = now_us;
        facts.entered = true;
        let client = &mut self.clients[who];
        client.unanswered.push((conn, connect.clean_start));
        if client.live.is_none() && client.lasts && client.over_us < now_us {
            // Its Session has run out: what a CONNACK calls present may be one that a connection has begun
            // which was over before its own CONNACK left.
            client.end_session(now_us);
        }
        if let Some(will) = &connect.will
            && let Some(number) = will.number
            && self.terms.may_publish(who, &will.topic)
        {
            let message = MessageFacts {
                publisher: who,
                topic: will.topic.clone(),
                qos: will.qos,
                retain: will.retain,
                expiry_s: will.expiry_s,
                len: will.len,
                is_will: true,
                reached_us: vec![now_us],
                sessions: 1,
                session: 0,
                accepted_us: None,
                crashes_before: crashes,
                upsets_before: upsets,
            };
            self.messages.insert(number, message);
        }
    }

    fn reached(&mut self, conn: ConnNo, seen: &Rc<Seen>) {
        let now_us = self.now_us;
        let crashes = self.crashes;
        let upsets = self.upsets - usize::from(!self.storing);
        let Some(facts) = self.conns.get_mut(&conn) else { return };
        let who = facts.client;
        match seen.as_ref() {
            Seen::Connect(_) => {
                facts.connect = Some(seen.clone());
                if !self.terms.asks {
                    self.entered(conn);
                }
            }
            Seen::Publish(publish) => {
                if let Some(id) = publish.id {
                    facts.published.insert(id, seen.clone());
                }
                // What may not be published is nobody's message.
                let permitted = self.terms.may_publish(who, &publish.topic);
                if let Some(number) = publish.number.filter(|_| permitted) {
                    let session = self.clients[who].session;
                    let message = self.messages.entry(number).or_insert_with(|| MessageFacts {
                        publisher: who,
                        topic: publish.topic.clone(),
                        qos: publish.qos,
                        retain: publish.retain,
                        expiry_s: publish.expiry_s,
                        len: publish.len,
                        is_will: false,
                        reached_us: Vec::new(),
                        sessions: 1,
                        session,
                        accepted_us: None,
                        crashes_before: crashes,
                        upsets_before: upsets,
                    });
                    message.reached_us.push(now_us);
                    message.sessions += usize::from(core::mem::replace(&mut message.session, session) != session);
                }
            }
            Seen::Subscribe(wish) => {
                let plain = without_share(&wish.filter);
                if self.terms.may_subscribe(who, plain) {
                    facts.subscribing.insert(wish.id, self.clients[who].subscriptions.len());
                    self.clients[who].subscribe(now_us, wish);
                }
            }
            Seen::Unsubscribe { id, filters } => {
                for filter in filters {
                    // What is asked for from now on is not meant.
                    let before = self.clients[who].subscriptions.len();
                    facts.unsubscribing.insert(*id, (before, filter.clone()));
                    self.clients[who].unsubscribe(now_us, filter);
                }
            }
            Seen::Disconnect { reason, session_expiry_s } => {
                let has_none = facts.expiry_s() == 0;
                match session_expiry_s {
                    // A Session that ends with its connection can't be prolonged at the last moment (3.14.2.2.2).
                    Some(1..) if has_none => facts.prolongs = true,
                    _ => {
                        facts.disconnect = Some(*reason);
                        facts.leaving_s = *session_expiry_s;
                    }
                }
            }
            Seen::Connack { .. }
            | Seen::Ack { .. }
            | Seen::Suback { .. }
            | Seen::Unsuback { .. }
            | Seen::Auth { .. }
            | Seen::Other(_)
            | Seen::Unreadable(_) => {}
        }
    }

    fn left(&mut self, conn: ConnNo, seen: &Rc<Seen>) {
        let now_us = self.now_us;
        let connect = self.connect_of(conn).cloned();
        let Some(facts) = self.conns.get_mut(&conn) else { return };
        let client = &mut self.clients[facts.client];
        match seen.as_ref() {
            Seen::Connack { accepted: true, session_present, .. } => {
                let Some(connect) = connect else { return };
                facts.accepted_us = Some(now_us);
                // 3.1 has no Session Present: there a Session that lasts goes on.
                let is_3_1 = connect.version == ProtocolVersion::V3_1;
                let goes_on = if is_3_1 { !connect.clean_start && client.lasts } else { *session_present };
                if client.answered(conn) || !goes_on {
                    client.end_session(facts.connect_us);
                }
                facts.session = client.session;
                client.live = Some(conn);
                client.lasts = connect.session_expiry_s > 0;
                client.expiry_s = connect.session_expiry_s;
            }
            Seen::Connack { accepted: false, .. } => client.unanswered.retain(|(one, _)| *one != conn),
            Seen::Ack { kind: PacketType::Puback | PacketType::Pubrec, id, reason } => {
                let number = match facts.published.get(id).map(Rc::as_ref) {
                    Some(Seen::Publish(publish)) => publish.number,
                    _ => None,
                };
                if let Some(message) = number.and_then(|number| self.messages.get_mut(&number))
                    && *reason < 0x80
                {
                    message.accepted_us.get_or_insert(now_us);
                }
            }
            Seen::Suback { id, codes } => {
                if let Some(at) = facts.subscribing.remove(id) {
                    client.granted(now_us, at, codes.first().copied().unwrap_or(0x80));
                }
            }
            Seen::Unsuback { id, codes } => {
                if let Some((before, filter)) = facts.unsubscribing.remove(id)
                    && codes.first().is_none_or(|code| *code < 0x80)
                {
                    client.unsubscribed(now_us, before, &filter);
                }
            }
            Seen::Connect(_)
            | Seen::Publish(_)
            | Seen::Ack { .. }
            | Seen::Subscribe(_)
            | Seen::Unsubscribe { .. }
            | Seen::Disconnect { .. }
            | Seen::Auth { .. }
            | Seen::Other(_)
            | Seen::Unreadable(_) => {}
        }
    }
}
