//! Retained Messages (3.3.1.3).
//!
//! For each topic there is a set of messages that may be the Retained Message: one, the last that was published with
//! RETAIN [5:MQTT-3.3.1-5] [311:MQTT-3.3.1-5], or none after an empty one [5:MQTT-3.3.1-6] [5:MQTT-3.3.1-7]
//! [311:MQTT-3.3.1-10]; more only while a crash or a failed store leaves open which of the unacknowledged ones
//! survived. What a client gets with RETAIN 1 for a new Subscription was such a message at some time since it
//! subscribed, and the Subscription's Retain Handling allows it [5:MQTT-3.3.1-9] [5:MQTT-3.3.1-10] [5:MQTT-3.3.1-11]
//! [311:MQTT-3.3.1-6]. A new Subscription surely gets the Retained Message if both sides have QoS 1 or 2 and the topic
//! does not change any more. In the end an auditor subscribes to everything, and gets exactly the set that is left, QoS
//! 0 too. Wills are left out: when they are published is another oracle's business.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use wasmqtt_codec::{PacketType, Qos};

use super::Oracle;
use super::facts::SubscriptionFacts;
use super::ledger::Ledger;
use super::packet_size::fits;
use crate::sight::{ClientNo, ConnNo, MessageNo, Seen, SeenPublish, Sight};

/// A Retained Message; `None` where there is none.
type Value = Option<MessageNo>;

/// One topic.
#[derive(Debug, Default)]
struct Topic {
    /// What it may be now.
    allowed: BTreeSet<Value>,
    /// What came since the last one that surely survives a crash; that one is the first.
    since_firm: Vec<Value>,
    /// How many came before those.
    firm: usize,
    /// Each value, from when to when it may have been the Retained Message.
    periods: Vec<(Value, u64, Option<u64>)>,
    /// When something was published to it last.
    changed_us: u64,
}

/// See the file.
#[derive(Debug, Default)]
pub struct Retained {
    topics: BTreeMap<Rc<str>, Topic>,
    /// Messages that a Session should get because it subscribed, and when it did; whatever breaks or crashes meanwhile.
    owed: BTreeMap<(ClientNo, u32, MessageNo), u64>,
    /// When a Session was told a message last: it may come before SUBACK.
    told_us: BTreeMap<(ClientNo, u32, MessageNo), u64>,
    /// What each connection's unacknowledged messages would make of their topics.
    /// For each topic the place among all that came to it.
    asked: BTreeMap<(ConnNo, u16), (Rc<str>, usize, Value)>,
    /// Messages that were refused: their identifiers are not held.
    refused: BTreeSet<MessageNo>,
    /// In which Session of its publisher a message came first: another one doesn't hold its identifier.
    first_session: BTreeMap<MessageNo, u32>,
    /// What a connection set last, and when: the broker may have given it up before it read that.
    last_set: BTreeMap<ConnNo, (Rc<str>, u64)>,
}

impl Oracle for Retained {
    fn name(&self) -> &'static str {
        "retained"
    }

    fn see(&mut self, facts: &Ledger, sight: &Sight) -> Result<(), String> {
        match sight {
            Sight::Reached(conn, seen) => {
                if let Seen::Publish(publish) = seen.as_ref()
                    && publish.retain
                    && facts.client_of(*conn).is_some_and(|client| facts.terms.may_publish(client, &publish.topic))
                {
                    self.published(facts, *conn, publish);
                }
                Ok(())
            }
            Sight::Left(conn, seen) => self.left(facts, *conn, seen),
            Sight::Told(conn, seen) => {
                if let (Some(client), Seen::Publish(publish)) = (facts.client_of(*conn), seen.as_ref())
                    && let Some(number) = publish.number
                {
                    let delivery = (client, facts.clients[client].session, number);
                    self.owed.remove(&delivery);
                    self.told_us.insert(delivery, facts.now_us);
                }
                Ok(())
            }
            Sight::Crashed | Sight::Storing(false) => {
                let now_us = facts.now_us;
                self.topics.values_mut().for_each(|topic| topic.doubt(now_us));
                Ok(())
            }
            Sight::Gone(conn, _) => {
                self.gone(facts, *conn);
                Ok(())
            }
            Sight::Finished => self.finished(facts),
            _ => Ok(()),
        }
    }
}

impl Topic {
    /// Something is the Retained Message now, for certain.
    fn set(&mut self, now_us: u64, value: Value) {
        for (_, _, to) in self.periods.iter_mut().filter(|(known, _, to)| to.is_none() && *known != value) {
            *to = Some(now_us);
        }
        self.allowed.clear();
        self.allow(now_us, value);
        self.since_firm.push(value);
    }

    /// Something may be the Retained Message now.
    fn allow(&mut self, now_us: u64, value: Value) {
        if self.allowed.insert(value) && !self.periods.iter().any(|(known, _, to)| *known == value && to.is_none()) {
            self.periods.push((value, now_us, None));
        }
    }

    /// What did not surely survive may be gone.
    fn doubt(&mut self, now_us: u64) {
        let values = self.since_firm.clone();
        if values.is_empty() {
            self.allow(now_us, None);
        }
        values.into_iter().for_each(|value| self.allow(now_us, value));
    }

    /// Whether a value may have been the Retained Message at this time or later.
    fn was(&self, value: Value, since_us: u64) -> bool {
        self.periods.iter().any(|(known, _, to)| *known == value && to.is_none_or(|to| to >= since_us))
    }
}

/// Whether one more Retained Message is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Room {
    Surely,
    Perhaps,
    None,
}

impl Retained {
    /// Whether there is room for a Retained Message of this topic.
    fn room(&self, facts: &Ledger, topic: &Rc<str>) -> Room {
        if !facts.terms.may_refuse_to_retain() {
            return Room::Surely;
        }
        let lasts = |value: &Value| {
            let message = value.and_then(|number| facts.messages.get(&number));
            message.is_some_and(|message| message.expiry_s.is_none())
        };
        let mut surely = 0;
        let mut perhaps = 0;
        for (name, one) in &self.topics {
            let has = !one.allowed.is_empty() && one.allowed.iter().all(lasts);
            if name == topic && has {
                return Room::Surely; // What it replaces makes room.
            }
            if name != topic {
                surely += u32::from(has);
                perhaps += u32::from(one.allowed.iter().any(Option::is_some));
            }
        }
        let wills = facts.messages.values().filter(|message| message.is_will && message.retain);
        let wills: BTreeSet<&Rc<str>> = wills.map(|will| &will.topic).collect();
        perhaps += wills.len() as u32;
        match facts.terms.retained_messages_max {
            // Where packets that came together may be looked at in another order, nothing is sure.
            _ if facts.terms.turns_are_short => Room::Perhaps,
            most if perhaps < most => Room::Surely,
            most if surely < most => Room::Perhaps,
            _ => Room::None,
        }
    }

    fn published(&mut self, facts: &Ledger, conn: ConnNo, publish: &SeenPublish) {
        let value = publish.number;
        let now_us = facts.now_us;
        let session = facts.client_of(conn).map_or(0, |client| facts.clients[client].session);
        let same_session = value.is_none_or(|number| *self.first_session.entry(number).or_insert(session) == session);
        let topic = self.topics.entry(publish.topic.clone()).or_default();
        if topic.since_firm.is_empty() {
            topic.since_firm.push(None);
            topic.allow(0, None);
        }
        let again = publish.qos == Qos::ExactlyOnce && publish.dup;
        let message = value.and_then(|number| facts.messages.get(&number));
        // A QoS 2 message whose identifier is held changes nothing; whether it is, nobody knows after a crash.
        let first = message.is_some_and(|message| message.reached_us.len() == 1);
        let first = first || value.is_some_and(|number| self.refused.remove(&number));
        let again = again && !first;
        // Who asks again may be answered for the first time of it.
        let place = if again { topic.since_firm.iter().position(|known| *known == value) } else { None };
        let place = topic.firm + place.unwrap_or(topic.since_firm.len());
        if let Some(id) = publish.id {
            self.asked.insert((conn, id), (publish.topic.clone(), place, value));
        }
        // That it was refused when it came first may not have been heard.
        let held = message.is_some_and(|message| message.accepted_us.is_some()) || !facts.terms.may_refuse_to_retain();
        if again && held && same_session && message.is_some_and(|message| message.upsets_before == facts.upsets) {
            return;
        }
        let room = match value {
            Some(_) => self.room(facts, &publish.topic),
            None => Room::Surely,
        };
        let topic = self.topics.entry(publish.topic.clone()).or_default();
        if room == Room::None {
            return;
        }
        let together = facts.terms.turns_are_short && topic.changed_us == now_us;
        topic.changed_us = now_us;
        if again || together || !facts.storing || room == Room::Perhaps {
            topic.since_firm.push(value);
            topic.allow(now_us, value);
        } else {
            topic.set(now_us, value);
            self.last_set.insert(conn, (publish.topic.clone(), now_us));
        }
    }

    fn gone(&mut self, facts: &Ledger, conn: ConnNo) {
        if let Some((topic, at_us)) = self.last_set.remove(&conn)
            && at_us == facts.now_us
            && let Some(topic) = self.topics.get_mut(&topic)
        {
            // It came at the moment at which the broker closed the connection, so perhaps behind that.
            topic.doubt(facts.now_us);
        }
    }

    fn left(&mut self, facts: &Ledger, conn: ConnNo, seen: &Seen) -> Result<(), String> {
        match seen {
            Seen::Ack { kind: PacketType::Puback | PacketType::Pubrec, id, reason } => {
                if let Some((topic, place, value)) = self.asked.remove(&(conn, *id))
                    && let Some(topic) = self.topics.get_mut(&topic)
                {
                    if *reason >= 0x80 {
                        self.refused.extend(value);
                        topic.doubt(facts.now_us);
                    } else if place > topic.firm {
                        topic.since_firm.drain(..place - topic.firm);
                        topic.firm = place;
                    }
                }
                Ok(())
            }
            Seen::Suback { .. } => {
                self.subscribed(facts, conn);
                Ok(())
            }
            Seen::Publish(publish) if publish.retain => match facts.client_of(conn) {
                Some(client) => self.check(facts, client, publish),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// A PUBLISH with RETAIN 1 has a Subscription that leaves it as published, or one that brings Retained Messages.
    fn check(&self, facts: &Ledger, client: ClientNo, publish: &SeenPublish) -> Result<(), String> {
        if publish.topic.starts_with("w/")
            || facts.matching(client, &publish.topic).any(|one| one.wish.retain_as_published)
        {
            return Ok(());
        }
        let name = facts.name(client);
        let Some(number) = publish.number else {
            return Err(format!("{name} gets an empty Retained Message of {} [5:MQTT-3.3.1-6]", publish.topic));
        };
        let Some(topic) = self.topics.get(&publish.topic) else {
            return Err(format!("{name} gets message {number} as retained, which it never was"));
        };
        let brings = |one: &SubscriptionFacts| one.may_bring_retained() && topic.was(Some(number), one.asked_us);
        match facts.matching(client, &publish.topic).any(brings) {
            true => Ok(()),
            false => Err(format!(
                "{name} gets message {number} as retained; since it subscribed {} may be {:?} [5:MQTT-3.3.1-5]",
                publish.topic, topic.allowed
            )),
        }
    }

    /// A Subscription was granted: the Retained Messages that it surely brings are owed.
    fn subscribed(&mut self, facts: &Ledger, conn: ConnNo) {
        let Some(client) = facts.client_of(conn) else { return };
        let its = &facts.clients[client];
        let is_auditor = client + 1 == facts.clients.len();
        let new = its.subscriptions.iter().filter(|one| one.granted_us == Some(facts.now_us));
        for one in new.filter(|one| one.may_bring_retained() && surely_brings(one)) {
            for topic in self
                .topics
                .iter()
                .filter(|(name, _)| super::matches(&one.filter, name) && facts.terms.may_receive(client, name))
            {
                let (Some(Some(number)), 1) = (topic.1.allowed.first(), topic.1.allowed.len()) else { continue };
                let Some(message) = facts.messages.get(number) else { continue };
                let qos = message.qos.min(one.granted.unwrap_or(Qos::AtMostOnce));
                let unchanged = topic.1.changed_us < one.asked_us;
                let wants = one.wants(client, message)
                    && fits(facts, client, message)
                    && message.expiry_s.is_none()
                    && !message.is_will;
                let delivery = (client, its.session, *number);
                let told = self.told_us.get(&delivery).is_some_and(|at| *at >= one.asked_us);
                if unchanged && wants && !told && (qos > Qos::AtMostOnce || is_auditor) {
                    self.owed.insert(delivery, one.asked_us);
                }
            }
        }
    }

    fn finished(&mut self, facts: &Ledger) -> Result<(), String> {
        for ((client, session, number), asked_us) in &self.owed {
            let its = &facts.clients[*client];
            let message = &facts.messages[number];
            let topic = &self.topics[&message.topic];
            let stays = topic.changed_us < *asked_us && topic.allowed.len() == 1;
            let there = facts
                .matching(*client, &message.topic)
                .filter(|one| one.asked_us == *asked_us && one.may_bring_retained() && surely_brings(one))
                .all(|one| one.unasked_us.is_none() && one.granted_us.is_some());
            if its.session == *session && !its.dropping && stays && there {
                return Err(format!(
                    "{} subscribed at {:.6} s and never got the Retained Message {number} of {} [5:MQTT-3.3.1-9]",
                    facts.name(*client),
                    *asked_us as f64 / 1e6,
                    message.topic
                ));
            }
        }
        Ok(())
    }
}

/// Whether a Subscription brings Retained Messages for certain.
fn surely_brings(one: &SubscriptionFacts) -> bool {
    one.wish.retain_handling.bits() == 0
}
