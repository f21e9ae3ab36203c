//! At least once, exactly once, at most once (4.3), for ordinary Subscriptions.
//!
//! A QoS 1 or 2 message whose PUBACK or PUBREC has left is owed to every Session that surely had a matching
//! Subscription from before the message came until then, if the Subscription gives it QoS 1 or 2; at the end it must
//! have been told there [5:MQTT-4.3.2-1] [5:MQTT-4.3.3-1] [311:MQTT-4.3.2-1] [311:MQTT-4.3.3-1], whatever crashed or
//! broke in between. A client's user is told a QoS 2 message once in the life of a Session [5:MQTT-4.3.3-10]
//! [311:MQTT-4.3.3-2], a QoS 0 message as often as it was taken up, and a QoS 1 message oftener only with DUP
//! [5:MQTT-3.3.1-1] or after a crash.

use std::collections::BTreeMap;

use wasmqtt_codec::Qos;

use super::Oracle;
use super::facts::{Attribution, MessageFacts};
use super::ledger::Ledger;
use super::milestone::Milestone;
use super::packet_size::fits;
use crate::sight::{ClientNo, MessageNo, SeenPublish, Sight};

/// A message for one Session.
type Delivery = (ClientNo, u32, MessageNo);

/// How often a message was told.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    /// By QoS.
    all: [usize; 3],
    /// Without DUP, by QoS.
    fresh: [usize; 3],
}

/// See the file.
#[derive(Debug, Default)]
pub struct Qualities {
    told: BTreeMap<Delivery, Times>,
    owed: BTreeMap<Delivery, u64>,
}

impl Oracle for Qualities {
    fn name(&self) -> &'static str {
        "qos"
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

impl Qualities {
    /// The broker has taken a message over: now it owes it.
    fn accepted(&mut self, facts: &Ledger, number: MessageNo, message: &MessageFacts) {
        for (client, its) in facts.clients.iter().enumerate() {
            let owed = owed_qos(facts, client, message) > Some(Qos::AtMostOnce);
            let delivery = (client, its.session, number);
            if owed && !self.told.contains_key(&delivery) {
                self.owed.insert(delivery, facts.now_us);
            }
        }
    }

    fn told(&mut self, facts: &Ledger, client: ClientNo, publish: &SeenPublish) -> Result<(), String> {
        let Some(number) = publish.number else { return Ok(()) };
        let Some(message) = facts.messages.get(&number) else { return Ok(()) };
        let attribution = facts.attribution(client, publish);
        if attribution != Attribution::Plain {
            return Ok(());
        }
        let delivery = (client, facts.clients[client].session, number);
        self.owed.remove(&delivery);
        let times = self.told.entry(delivery).or_default();
        if publish.retain {
            // It may be sent as a Retained Message as often as somebody subscribes.
            return Ok(());
        }
        let qos = publish.qos as usize;
        times.all[qos] += 1;
        times.fresh[qos] += usize::from(!publish.dup);
        let (times, name) = (*times, facts.name(client));
        let taken_up = facts.taken_up_max(message);
        let (count, most) = match publish.qos {
            Qos::AtMostOnce => (times.all[qos], taken_up),
            // Each of them may be sent anew after a crash that forgot that it was.
            Qos::AtLeastOnce => (times.fresh[qos], taken_up * (1 + facts.crashes)),
            Qos::ExactlyOnce if message.is_will => (times.all[qos], taken_up),
            Qos::ExactlyOnce => (times.all[qos], message.sessions),
        };
        match count <= most {
            true => Ok(()),
            false => Err(format!(
                "{name} was told message {number} {count} times with QoS {} in one Session; {most} at most \
                 [5:MQTT-4.3.3-10]",
                publish.qos as u8
            )),
        }
    }

    fn finished(&mut self, facts: &Ledger) -> Result<(), String> {
        for ((client, session, number), since_us) in &self.owed {
            let its = &facts.clients[*client];
            let message = &facts.messages[number];
            let last_us = message.reached_us.last().copied().unwrap_or(0);
            let expired = message.expiry_s.is_some_and(|s| facts.now_us >= last_us + u64::from(s) * 1_000_000);
            if its.session == *session && !its.dropping && !expired {
                return Err(format!(
                    "message {number} with QoS {} was acknowledged at {:.6} s and {} never got it [5:MQTT-4.3.2-1]",
                    message.qos as u8,
                    *since_us as f64 / 1e6,
                    facts.name(*client)
                ));
            }
        }
        Ok(())
    }
}

/// The QoS at which a client's ordinary Subscriptions surely bring it a message; `None` if they may not.
fn owed_qos(facts: &Ledger, client: ClientNo, message: &MessageFacts) -> Option<Qos> {
    let its = &facts.clients[client];
    if its.dropping || !its.surely_lives(facts.now_us) || !fits(facts, client, message) {
        return None;
    }
    let since_us = *message.reached_us.first()?;
    let surely = facts
        .matching(client, &message.topic)
        .filter(|one| !one.shared && one.wants(client, message) && one.surely(since_us, facts.now_us));
    let granted = surely.filter_map(|one| one.granted).max()?;
    Some(granted.min(message.qos))
}
