//! Nothing grows without bound, and nothing is left behind.
//!
//! The gauges that an operator reads stay within the limits: the queue of each Session, messages in flight towards each
//! client, bytes that wait for a transport, memory. Messages are dropped only where a limit was set that a run can
//! reach. At the end, when everybody is there and has taken what was owed, nothing waits any more. What the broker says
//! of its own inside is judged here too.

use wasmqtt_broker::DropReason;

use super::Oracle;
use super::ledger::Ledger;
use crate::sight::{Gauges, Sight};

/// Answers may pile up to twice what makes the broker drop messages, and one turn's bytes may come on top.
const OUTBOX_TIMES: u64 = 2;
/// The largest burst of one turn in the World, in bytes.
const BURST_BYTES: u64 = 128 << 10;

/// See the file.
#[derive(Debug, Default)]
pub struct Bounded {
    last: Gauges,
}

impl Oracle for Bounded {
    fn name(&self) -> &'static str {
        "bounded"
    }

    fn see(&mut self, facts: &Ledger, sight: &Sight) -> Result<(), String> {
        let terms = &facts.terms;
        match sight {
            Sight::Looked(gauges) => {
                self.last = gauges.clone();
                let within = |what: &str, value: u64, most: u64| match value <= most {
                    true => Ok(()),
                    false => Err(format!("{what} is {value}, {most} at most")),
                };
                within("a queue", gauges.queued_max.into(), terms.queue_messages_max.into())?;
                within("a window", gauges.in_flight_max.into(), terms.in_flight_max.into())?;
                let outbox = u64::from(terms.outbox_bytes_max) * OUTBOX_TIMES + BURST_BYTES;
                within("an outbox", gauges.outgoing_bytes_max, outbox)?;
                within("memory", gauges.memory_bytes, terms.memory_bytes_max)
            }
            Sight::Dropping(client, why) => {
                let reachable = match why {
                    DropReason::QueueFull => terms.may_drop(),
                    DropReason::OutboxFull => terms.outbox_bytes_max < BURST_BYTES as u32,
                    DropReason::Expired => true,
                    DropReason::PacketTooLarge => {
                        let its = facts.conns.iter().filter(|(_, conn)| conn.client == *client);
                        let mut connects = its.filter_map(|(conn, _)| facts.connect_of(*conn));
                        connects.any(|connect| connect.packet_bytes_max.is_some())
                    }
                    DropReason::Memory => false,
                };
                match reachable {
                    true => Ok(()),
                    false => Err(format!("messages for {} are dropped: {why:?}", facts.name(*client))),
                }
            }
            Sight::Broken(what) => Err(format!("the broker itself says: {what}")),
            Sight::Finished if self.last.queued_max > 0 || self.last.in_flight_max > 0 || self.last.walks_max > 0 => {
                Err(format!(
                    "everybody is there, and still {} messages wait, {} are in flight, and {} Subscriptions are owed \
                     Retained Messages",
                    self.last.queued_max, self.last.in_flight_max, self.last.walks_max
                ))
            }
            _ => Ok(()),
        }
    }
}
