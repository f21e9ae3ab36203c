//! Message Expiry Interval (3.3.2.3.3).
//!
//! A message is not sent for the first time when its interval has passed since it came [5:MQTT-3.3.2-5]. The interval
//! that a 5.0 client gets is the publisher's less the time that the message has waited in the broker, in seconds
//! [5:MQTT-3.3.2-6]; it is there if and only if the publisher set one. A Will's interval begins when it is published,
//! which nobody outside sees, so only its upper bound is judged.

use super::Oracle;
use super::facts::MessageFacts;
use super::ledger::Ledger;
use crate::sight::{Seen, SeenPublish, Sight};

/// See the file.
#[derive(Debug)]
pub struct Expiry;

impl Oracle for Expiry {
    fn name(&self) -> &'static str {
        "expiry"
    }

    fn see(&mut self, facts: &Ledger, sight: &Sight) -> Result<(), String> {
        let Sight::Left(conn, seen) = sight else { return Ok(()) };
        let (Some(connect), Seen::Publish(publish)) = (facts.connect_of(*conn), seen.as_ref()) else { return Ok(()) };
        let Some(message) = publish.number.and_then(|number| facts.messages.get(&number)) else { return Ok(()) };
        let name = facts.client_of(*conn).map_or("?", |client| facts.name(client));
        check(facts, message, publish, connect.version.is_v5())
            .map_err(|what| format!("{name} gets message {:?}: {what}", publish.number))
    }
}

fn check(facts: &Ledger, message: &MessageFacts, publish: &SeenPublish, is_v5: bool) -> Result<(), String> {
    let held_us = facts.held_us();
    let waits_us = || message.reached_us.iter().map(|at| facts.now_us - at);
    if let Some(expiry_s) = message.expiry_s.filter(|_| !publish.dup && !message.is_will) {
        let least_us = waits_us().min().unwrap_or(0);
        // What is sent as it comes is sent in time, whatever the interval.
        if least_us > 0 && least_us >= u64::from(expiry_s) * 1_000_000 + held_us {
            return Err(format!(
                "it expired after {expiry_s} s and is sent for the first time {:.6} s after it came [5:MQTT-3.3.2-5]",
                least_us as f64 / 1e6
            ));
        }
    }
    if !is_v5 {
        return Ok(());
    }
    match (message.expiry_s, publish.expiry_s) {
        (None, None) => Ok(()),
        (None, Some(rest_s)) => Err(format!("nobody gave it an expiry, and it has {rest_s} s")),
        (Some(_), None) => Err("it has lost its Message Expiry Interval [5:MQTT-3.3.2-6]".into()),
        (Some(expiry_s), Some(rest_s)) if message.is_will && rest_s <= expiry_s => Ok(()),
        (Some(expiry_s), Some(rest_s)) => {
            // Whole seconds, whichever way they are rounded.
            let fits = |wait_us: u64| {
                let most_s = u64::from(expiry_s).saturating_sub(wait_us.saturating_sub(held_us) / 1_000_000);
                let least_s = u64::from(expiry_s).saturating_sub(wait_us.div_ceil(1_000_000));
                (least_s..=most_s).contains(&u64::from(rest_s))
            };
            match waits_us().any(fits) {
                true => Ok(()),
                false => {
                    let waits_us: Vec<u64> = waits_us().collect();
                    Err(format!("of {expiry_s} s {rest_s} are left after waiting {waits_us:?} us [5:MQTT-3.3.2-6]"))
                }
            }
        }
    }
}
