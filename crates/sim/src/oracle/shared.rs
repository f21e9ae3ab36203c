//! Shared Subscriptions (4.8.2).
//!
//! Each message goes to one member of a group: no two members' users are told it, unless the first one's Session ended
//! or the message was taken up twice [5:MQTT-4.8.2-4] [5:MQTT-4.8.2-5]; and if the group surely has members and all of
//! its Subscriptions give QoS 1 or 2, a message that was acknowledged is told to one of them in the end, unless a
//! member's Session ended or its Subscription did, for nobody outside knows what it took along.

use std::collections::BTreeMap;

use wasmqtt_codec::Qos;

use super::Oracle;
use super::facts::{Attribution, MessageFacts};
use super::ledger::Ledger;
use super::milestone::Milestone;
use crate::sight::{ClientNo, MessageNo, SeenPublish, Sight};

/// A message for a group, which is named by its filter.
type Parcel = (MessageNo, String);

/// See the file.
#[derive(Debug, Default)]
pub struct Shared {
    told: BTreeMap<Parcel, Vec<(ClientNo, u32)>>,
    owed: BTreeMap<Parcel, u64>,
}

impl Oracle for Shared {
    fn name(&self) -> &'static str {
        "shared"
    }

    fn see(&mut self, facts: &Ledger, sight: &Sight) -> Result<(), String> {
        match Milestone::of(facts, sight) {
            Some(Milestone::Told(client, publish)) => self.told(facts, client, publish),
            Some(Milestone::Accepted(number, message)) => {
                self.accepted(facts, number, message);
                Ok(())
            }
            Some(Milestone::Finished) => self.finished(facts),
            None => Ok(()),
        }
    }
}

impl Shared {
    fn told(&mut self, facts: &Ledger, client: ClientNo, publish: &SeenPublish) -> Result<(), String> {
        let Some(number) = publish.number else { return Ok(()) };
        let Attribution::Share(filter) = facts.attribution(client, publish) else { return Ok(()) };
        let Some(message) = facts.messages.get(&number) else { return Ok(()) };
        let parcel = (number, filter);
        self.owed.remove(&parcel);
        let told = self.told.entry(parcel.clone()).or_default();
        let session = facts.clients[client].session;
        let others = told.iter().filter(|(other, its)| {
            let holder = &facts.clients[*other];
            let keeps = holder.session == *its && holder.surely_lives(facts.now_us);
            *other != client && keeps && !left_group(facts, *other, &parcel.1)
        });
        let others = others.count();
        if !told.contains(&(client, session)) {
            told.push((client, session));
        }
        if others >= facts.taken_up_max(message) + facts.crashes {
            return Err(format!(
                "{} is told message {number}, which {others} other members of {} were told [5:MQTT-4.8.2-4]",
                facts.name(client),
                parcel.1
            ));
        }
        Ok(())
    }

    fn accepted(&mut self, facts: &Ledger, number: MessageNo, message: &MessageFacts) {
        let mut groups: BTreeMap<&str, bool> = BTreeMap::new();
        let living = facts.clients.iter().enumerate().filter(|(_, its)| its.surely_lives(facts.now_us));
        for (client, _) in living {
            for one in facts.matching(client, &message.topic).filter(|one| one.shared) {
                let (surely, gives) = standing(facts, client, message, &one.wish.filter);
                let sure = groups.entry(&one.wish.filter).or_insert(false);
                *sure |= surely && gives;
            }
        }
        for (filter, _) in groups.into_iter().filter(|(_, sure)| *sure) {
            let parcel = (number, filter.to_owned());
            if !self.told.contains_key(&parcel) && all_give(facts, message, filter) {
                self.owed.insert(parcel, facts.now_us);
            }
        }
    }

    fn finished(&mut self, facts: &Ledger) -> Result<(), String> {
        for ((number, filter), at_us) in &self.owed {
            let message = &facts.messages[number];
            let since_us = message.reached_us.first().copied().unwrap_or(0);
            let last_us = message.reached_us.last().copied().unwrap_or(0);
            let expired = message.expiry_s.is_some_and(|s| facts.now_us >= last_us + u64::from(s) * 1_000_000);
            // Whoever may have been given it must be there still, with its Session and its Subscription.
            let changed = facts.clients.iter().any(|client| {
                let mut its = client.subscriptions.iter().filter(|one| &one.wish.filter == filter);
                client.dropping
                    || its.any(|one| {
                        let concerned = one.possibly(since_us, facts.now_us);
                        concerned && (one.session != client.session || one.unasked_us.is_some())
                    })
            });
            if !changed && !expired {
                return Err(format!(
                    "message {number} was acknowledged at {:.6} s and no member of {filter} got it [5:MQTT-4.8.2-4]",
                    *at_us as f64 / 1e6
                ));
            }
        }
        Ok(())
    }
}

/// Whether a client has left a group, or may have.
fn left_group(facts: &Ledger, client: ClientNo, filter: &str) -> bool {
    let its = &facts.clients[client];
    let mut present = its.subscriptions.iter().filter(|one| one.session == its.session && one.wish.filter == filter);
    !present.any(|one| one.granted_us.is_some() && one.unasked_us.is_none())
}

/// Whether a client is surely in a group, and whether it is given QoS 1 or 2 there.
fn standing(facts: &Ledger, client: ClientNo, message: &MessageFacts, filter: &str) -> (bool, bool) {
    let since_us = message.reached_us.first().copied().unwrap_or(0);
    let mut surely = false;
    let mut gives = false;
    for one in facts.matching(client, &message.topic).filter(|one| one.shared && one.wish.filter == filter) {
        surely |= one.surely(since_us, facts.now_us);
        gives |= one.granted.is_some_and(|granted| granted.min(message.qos) > Qos::AtMostOnce);
    }
    (surely, gives)
}

/// Whether every Subscription that may be in a group gives QoS 1 or 2.
fn all_give(facts: &Ledger, message: &MessageFacts, filter: &str) -> bool {
    let since_us = message.reached_us.first().copied().unwrap_or(0);
    let all = facts.clients.iter().flat_map(|client| &client.subscriptions);
    let mut concerned = all.filter(|one| one.wish.filter == filter && one.possibly(since_us, facts.now_us));
    message.qos > Qos::AtMostOnce && concerned.all(|one| one.granted.unwrap_or(one.wish.qos) > Qos::AtMostOnce)
}
