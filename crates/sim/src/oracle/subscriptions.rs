//! What is sent, and why.
//!
//! Every PUBLISH to a client has a Subscription of its present Session that matches [5:MQTT-3.3.4-2] [5:MQTT-4.7.0-1]
//! [311:MQTT-4.7.1-1] and that may have been there between the message's arrival and now: none that was ended
//! [5:MQTT-3.10.4-2] [311:MQTT-3.10.4-2], none with No Local for the client's own messages [5:MQTT-3.8.3-3]. The
//! message is as it was published: topic, payload [5:MQTT-3.3.2-1], and a QoS that is neither above the publisher's nor
//! above all that was granted [5:MQTT-3.8.4-8] [311:MQTT-3.8.4-6]. Subscription Identifiers are those of matching
//! Subscriptions, and there if all of them have one [5:MQTT-3.3.4-3] [5:MQTT-3.3.4-4]. RETAIN is 1 only for messages
//! that were published with it, and stays 1 for a Subscription with Retain As Published [5:MQTT-3.3.1-13]. Nothing that
//! leaves can't be read.

use wasmqtt_codec::Qos;

use super::Oracle;
use super::facts::{MessageFacts, SubscriptionFacts};
use super::ledger::Ledger;
use crate::sight::{ClientNo, Seen, SeenPublish, Sight};

/// See the file.
#[derive(Debug)]
pub struct Subscriptions;

impl Oracle for Subscriptions {
    fn name(&self) -> &'static str {
        "subscriptions"
    }

    fn see(&mut self, facts: &Ledger, sight: &Sight) -> Result<(), String> {
        let Sight::Left(conn, seen) = sight else { return Ok(()) };
        let Some(client) = facts.client_of(*conn) else { return Ok(()) };
        match seen.as_ref() {
            Seen::Unreadable(error) => Err(format!("{} gets what is no packet: {error}", facts.name(client))),
            Seen::Publish(publish) => check(facts, client, publish)
                .map_err(|what| format!("{} gets message {:?}: {what}", facts.name(client), publish.number)),
            _ => Ok(()),
        }
    }
}

fn check(facts: &Ledger, client: ClientNo, publish: &SeenPublish) -> Result<(), String> {
    let Some(number) = publish.number else {
        let reason = if publish.len > 0 { Err("its payload is changed [5:MQTT-3.3.2-1]".into()) } else { Ok(()) };
        return reason.and_then(|()| check_empty(facts, client, publish));
    };
    let message = facts.messages.get(&number).ok_or("nobody has published it")?;
    if publish.topic != message.topic || publish.len != message.len {
        let (topic, len) = (&message.topic, message.len);
        return Err(format!("it was published to {topic} with {len} bytes, now {}, {}", publish.topic, publish.len));
    }
    let since_us = message.reached_us.first().copied().unwrap_or(0);
    let possible: Vec<&SubscriptionFacts> = facts
        .matching(client, &message.topic)
        .filter(|one| one.possibly(since_us, facts.now_us))
        // A Retained Message of its own comes to a Subscription with No Local too: it is not forwarded, it was kept.
        .filter(|one| one.wants(client, message) || publish.retain)
        .collect();
    if possible.is_empty() {
        return Err(format!("no Subscription matches {} [5:MQTT-3.3.4-2]", message.topic));
    }
    let granted = possible.iter().map(|one| one.granted.unwrap_or(one.wish.qos)).max().unwrap_or(Qos::AtMostOnce);
    if publish.qos > message.qos.min(granted) {
        let (published, sent) = (message.qos as u8, publish.qos as u8);
        return Err(format!("published with QoS {published}, granted {}, sent {sent} [5:MQTT-3.8.4-8]", granted as u8));
    }
    check_identifiers(publish, &possible)?;
    check_retain(message, publish, &possible)
}

fn check_identifiers(publish: &SeenPublish, possible: &[&SubscriptionFacts]) -> Result<(), String> {
    for identifier in &publish.identifiers {
        if !possible.iter().any(|one| one.wish.identifier == Some(*identifier)) {
            return Err(format!("Subscription Identifier {identifier} is none of a matching one [5:MQTT-3.3.4-3]"));
        }
    }
    if publish.identifiers.is_empty() && possible.iter().all(|one| one.wish.identifier.is_some()) {
        return Err("it has no Subscription Identifier [5:MQTT-3.3.4-3]".into());
    }
    Ok(())
}

fn check_retain(message: &MessageFacts, publish: &SeenPublish, possible: &[&SubscriptionFacts]) -> Result<(), String> {
    if publish.retain && !message.retain {
        return Err("it has RETAIN, which its publisher did not set [5:MQTT-3.3.1-12]".into());
    }
    let all_as_published = possible.iter().all(|one| one.wish.retain_as_published);
    if message.retain && !publish.retain && all_as_published {
        return Err("it has lost its RETAIN despite Retain As Published [5:MQTT-3.3.1-13]".into());
    }
    Ok(())
}

/// An empty message removes a Retained Message; as such it is sent like any other. It has no number, so that nobody
/// knows how long it waited: any Subscription of the Session will do.
fn check_empty(facts: &Ledger, client: ClientNo, publish: &SeenPublish) -> Result<(), String> {
    match facts.matching(client, &publish.topic).next() {
        Some(_) => Ok(()),
        None => Err(format!("no Subscription matches {} [5:MQTT-3.3.4-2]", publish.topic)),
    }
}
