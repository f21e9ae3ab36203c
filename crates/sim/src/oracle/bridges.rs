//! Bridges. To all other oracles the bridge is a client like any other, with Subscriptions to what goes out and
//! messages that come in; here is judged what makes it a bridge.
//!
//! What crosses bears the name that the configuration gives it and no other, is a message that somebody else
//! published here, has the lower of its own QoS and the entry's [5:MQTT-3.8.4-8], and keeps its RETAIN. CONNECT is
//! the first packet [5:MQTT-3.1.0-1], and nothing but it leaves before CONNACK has come. The bridge dials while it
//! has no transport and at no other time, waits as long as it was told to before it dials again, and in the end it
//! is there.

use wasmqtt_codec::{PacketType, Qos};

use super::Oracle;
use super::ledger::Ledger;
use crate::sight::{ClientNo, ConnNo, Seen, SeenPublish, Sight};
use crate::world::remote::{BridgePlan, local_name};

/// See the file.
#[derive(Debug, Default)]
pub struct Bridges {
    /// The transport, and whether the remote has accepted it.
    wire: Option<(ConnNo, bool)>,
    /// CONNECT was sent on it.
    introduced: bool,
    dialling: bool,
    /// When it met its remote for the first time, if a crash can't have made it forget that.
    met_us: Option<u64>,
    /// When the last transport, or the attempt at one, was over; `None` behind a crash, which dials at once.
    over_us: Option<u64>,
}

impl Oracle for Bridges {
    fn name(&self) -> &'static str {
        "bridges"
    }

    fn see(&mut self, facts: &Ledger, sight: &Sight) -> Result<(), String> {
        let Some((plan, remote)) = &facts.terms.bridge else { return Ok(()) };
        match sight {
            Sight::Dialled => self.dialled(facts),
            Sight::NotReached => {
                (self.dialling, self.over_us) = (false, Some(facts.now_us));
                Ok(())
            }
            Sight::Opened(conn, client) if client == remote && facts.now_us > 0 => {
                (self.wire, self.dialling, self.introduced) = (Some((*conn, false)), false, false);
                Ok(())
            }
            Sight::Gone(conn, _) if self.wire.is_some_and(|(wire, _)| wire == *conn) => {
                (self.wire, self.over_us) = (None, Some(facts.now_us));
                Ok(())
            }
            Sight::Crashed => {
                let met_us = self.met_us.filter(|at_us| !facts.may_be_unstored(*at_us));
                *self = Bridges { met_us, ..Bridges::default() };
                Ok(())
            }
            Sight::Met(conn) => match &mut self.wire {
                Some((wire, met)) if wire == conn => {
                    *met = true;
                    self.met_us.get_or_insert(facts.now_us);
                    Ok(())
                }
                _ => Ok(()),
            },
            Sight::WentOut(conn, seen) => self.went_out(facts, plan, *remote, *conn, seen),
            Sight::CameIn(_, seen) => came_in(facts, *remote, seen),
            Sight::Finished if !self.wire.is_some_and(|(_, met)| met) => {
                Err("the world is whole, and the bridge is not connected".into())
            }
            _ => Ok(()),
        }
    }
}

impl Bridges {
    fn dialled(&mut self, facts: &Ledger) -> Result<(), String> {
        if self.wire.is_some() || core::mem::replace(&mut self.dialling, true) {
            return Err("it dials and has a transport, or has dialled already".into());
        }
        let Some(over_us) = self.over_us else { return Ok(()) };
        let waited_us = facts.now_us - over_us;
        let slept_us = facts.slept_since(over_us);
        match (BridgePlan::REDIAL_MIN_US..=BridgePlan::REDIAL_MAX_US + slept_us).contains(&waited_us) {
            true => Ok(()),
            false => Err(format!("it dials again after {waited_us} us, {slept_us} us of them asleep")),
        }
    }

    fn went_out(
        &mut self,
        facts: &Ledger,
        plan: &BridgePlan,
        remote: ClientNo,
        conn: ConnNo,
        seen: &Seen,
    ) -> Result<(), String> {
        let met = self.wire == Some((conn, true));
        match seen {
            Seen::Connect(_) if core::mem::replace(&mut self.introduced, true) => {
                Err("it sends a second CONNECT [5:MQTT-3.1.0-2]".into())
            }
            Seen::Connect(connect) if connect.will.is_some() => Err("it has a Will, which nobody configured".into()),
            // What a stranger left there under its name is none of its business; its own Session is.
            Seen::Connect(connect) if connect.clean_start && self.met_us.is_some() => {
                Err("it has met its remote, and asks for a clean start".into())
            }
            Seen::Connect(_) => Ok(()),
            _ if !self.introduced => Err(format!("it sends {seen:?} before CONNECT [5:MQTT-3.1.0-1]")),
            Seen::Disconnect { .. } => Ok(()),
            _ if !met => Err(format!("it sends {seen:?} before CONNACK")),
            Seen::Publish(publish) => published(facts, plan, remote, publish),
            Seen::Subscribe(_) | Seen::Ack { .. } | Seen::Other(PacketType::Pingreq) => Ok(()),
            other => Err(format!("it sends {other:?}, which no client of its kind does")),
        }
    }
}

/// A message goes out.
fn published(facts: &Ledger, plan: &BridgePlan, remote: ClientNo, publish: &SeenPublish) -> Result<(), String> {
    let topic = &publish.topic;
    let local = local_name(topic, true).ok_or_else(|| format!("{topic} goes out, which is nothing of ours"))?;
    let Some(number) = publish.number else { return Ok(()) };
    let message = facts.messages.get(&number).ok_or_else(|| format!("nobody has published message {number}"))?;
    if message.publisher == remote {
        return Err(format!("message {number} goes back where it came from"));
    }
    if message.topic != local {
        return Err(format!("message {number} was published to {} and goes out as {topic}", message.topic));
    }
    let qos: Qos = message.qos.min(plan.qos_out(&local));
    if publish.qos != qos {
        return Err(format!("message {number} goes out with QoS {}, not {}", publish.qos as u8, qos as u8));
    }
    match publish.retain == message.retain {
        true => Ok(()),
        false => Err(format!("message {number} goes out with RETAIN {}", u8::from(publish.retain))),
    }
}

/// A message comes in: nobody else may have published it.
fn came_in(facts: &Ledger, remote: ClientNo, seen: &Seen) -> Result<(), String> {
    let Seen::Publish(publish) = seen else { return Ok(()) };
    let message = publish.number.and_then(|number| facts.messages.get(&number));
    match message {
        Some(message) if message.publisher != remote => Err("the remote sends what was published here".into()),
        _ => Ok(()),
    }
}
