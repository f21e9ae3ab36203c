//! The limit on Retained Messages, `retained_messages_max`.
//!
//! There are never more than it allows, neither by the operator's gauge nor by what the auditor gets in the end. A
//! PUBLISH with QoS 1 or 2 that would make one too many is told 0x97 in 5.0 (3.4.2.1), and then nobody gets it; what is
//! told so without need, or accepted although there surely was no room, breaks the rule. In 3.x and with QoS 0 nobody
//! can be told: the message goes to its receivers and is not kept, which is judged where messages are owed.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use wasmqtt_codec::PacketType;

use super::Oracle;
use super::ledger::Ledger;
use crate::sight::{ConnNo, MessageNo, Seen, SeenPublish, Sight};

/// The Reason Code for a quota that is exceeded.
const QUOTA_EXCEEDED: u8 = 0x97;

/// See the file.
#[derive(Debug, Default)]
pub struct RetainedLimit {
    /// Topics that were ever published to with RETAIN, Wills included.
    ever: BTreeSet<Rc<str>>,
    /// Topics whose Retained Message was acknowledged and not touched since.
    surely: BTreeSet<Rc<str>>,
    /// What each unacknowledged PUBLISH with RETAIN is about, whether there surely was no room when it came, and
    /// whether another one has come to its topic since.
    asked: BTreeMap<(ConnNo, u16), (SeenPublish, bool, bool)>,
    /// Messages that were refused.
    refused: BTreeSet<MessageNo>,
    /// What the auditor got.
    audited: BTreeSet<Rc<str>>,
}

impl Oracle for RetainedLimit {
    fn name(&self) -> &'static str {
        "retained limit"
    }

    fn see(&mut self, facts: &Ledger, sight: &Sight) -> Result<(), String> {
        if !facts.terms.may_refuse_to_retain() {
            return Ok(());
        }
        let most = facts.terms.retained_messages_max as usize;
        match sight {
            Sight::Looked(gauges) if gauges.retained > most as u64 => {
                Err(format!("{} Retained Messages are kept, {most} at most", gauges.retained))
            }
            Sight::Reached(conn, seen) => {
                self.reached(facts, *conn, seen, most);
                Ok(())
            }
            Sight::Left(conn, seen) => self.left(facts, *conn, seen, most),
            Sight::Told(conn, seen) => {
                let auditor = facts.clients.len() - 1;
                if let Seen::Publish(publish) = seen.as_ref()
                    && facts.client_of(*conn) == Some(auditor)
                    && publish.retain
                {
                    self.audited.insert(publish.topic.clone());
                }
                match self.audited.len() <= most {
                    true => Ok(()),
                    false => Err(format!("the auditor gets Retained Messages of {:?}, {most} at most", self.audited)),
                }
            }
            _ => Ok(()),
        }
    }
}

impl RetainedLimit {
    fn reached(&mut self, facts: &Ledger, conn: ConnNo, seen: &Seen, most: usize) {
        let permitted =
            |topic: &str| facts.client_of(conn).is_some_and(|client| facts.terms.may_publish(client, topic));
        match seen {
            Seen::Connect(connect) => {
                self.ever.extend(
                    connect
                        .will
                        .iter()
                        .filter(|will| will.retain && permitted(&will.topic))
                        .map(|will| will.topic.clone()),
                );
            }
            Seen::Publish(publish) if publish.retain && permitted(&publish.topic) => {
                self.surely.remove(&publish.topic);
                for (other, _, disturbed) in self.asked.values_mut() {
                    *disturbed |= other.topic == publish.topic;
                }
                let full = self.surely.len() >= most;
                if let Some(number) = publish.number {
                    self.refused.remove(&number);
                    self.ever.insert(publish.topic.clone());
                }
                if let Some(id) = publish.id {
                    self.asked.insert((conn, id), (publish.clone(), full, false));
                }
            }
            _ => {}
        }
    }

    fn left(&mut self, facts: &Ledger, conn: ConnNo, seen: &Seen, most: usize) -> Result<(), String> {
        let name = || facts.client_of(conn).map_or("?", |client| facts.name(client));
        match seen {
            Seen::Ack { kind: PacketType::Puback | PacketType::Pubrec, id, reason } => {
                let Some((publish, full, disturbed)) = self.asked.remove(&(conn, *id)) else { return Ok(()) };
                // What a remote sends is acknowledged in any case: nobody of its own would send it again.
                let is_remote = facts.terms.bridge.as_ref().is_some_and(|(_, who)| facts.client_of(conn) == Some(*who));
                let is_v5 = !is_remote && facts.connect_of(conn).is_some_and(|connect| connect.version.is_v5());
                let Some(message) = publish.number.and_then(|number| facts.messages.get(&number)) else {
                    return Ok(());
                };
                let undisturbed = facts.storing && message.upsets_before == facts.upsets;
                let alone = message.reached_us.len() == 1;
                if *reason == QUOTA_EXCEEDED && undisturbed {
                    let others = self.ever.iter().filter(|topic| **topic != publish.topic).count();
                    if others < most {
                        return Err(format!(
                            "{} is told 0x97 for a Retained Message of {}, and there are {others} others at most, \
                             {most} allowed",
                            name(),
                            publish.topic
                        ));
                    }
                    self.refused.extend(publish.number.filter(|_| alone));
                }
                if *reason < 0x80 && is_v5 {
                    if full && alone && undisturbed && self.surely.len() >= most {
                        return Err(format!(
                            "{} is told that a Retained Message of {} is kept, and there are {most} others already",
                            name(),
                            publish.topic
                        ));
                    }
                    // Whatever else is on its way to this topic is not told apart.
                    let others = self.asked.values().any(|(other, _, _)| other.topic == publish.topic);
                    if message.expiry_s.is_none() && alone && !others && !disturbed && undisturbed {
                        self.surely.insert(publish.topic.clone());
                    }
                }
                Ok(())
            }
            Seen::Publish(publish) => match publish.number.filter(|number| self.refused.contains(number)) {
                Some(number) => Err(format!("{} gets message {number}, which was refused with 0x97", name())),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}
