//! Receive Maximum (4.9), both ways.
//!
//! The broker never has more QoS 1 and 2 PUBLISH packets unfinished towards a client than that allows [5:MQTT-3.3.4-9],
//! nor more than its own limit, and never two under one Packet Identifier [5:MQTT-2.2.1-4] [311:MQTT-2.3.1-4]. A client
//! is told 0x93 only if it had more unfinished than the broker allows, counted from outside [5:MQTT-3.3.4-7]; one that
//! surely has is not served on: its next QoS 2 message is not accepted.

use std::collections::{BTreeMap, BTreeSet};

use wasmqtt_codec::{PacketType, Qos};

use super::Oracle;
use super::ledger::Ledger;
use crate::sight::{ConnNo, Seen, Sight};

/// See the file.
#[derive(Debug, Default)]
pub struct ReceiveMaximum {
    conns: BTreeMap<ConnNo, Unfinished>,
}

/// Exchanges of one connection.
#[derive(Debug, Default)]
struct Unfinished {
    /// Towards the client, by Packet Identifier.
    out: BTreeSet<u16>,
    /// From the client.
    inward: BTreeSet<u16>,
    /// The most of those there were at a time.
    inward_most: usize,
    /// QoS 2 messages from the client that were accepted and not released.
    accepted: BTreeSet<u16>,
}

impl Oracle for ReceiveMaximum {
    fn name(&self) -> &'static str {
        "receive maximum"
    }

    fn see(&mut self, facts: &Ledger, sight: &Sight) -> Result<(), String> {
        match sight {
            Sight::Left(conn, seen) => self.left(facts, *conn, seen),
            Sight::Reached(conn, seen) => {
                self.reached(*conn, seen);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl ReceiveMaximum {
    fn reached(&mut self, conn: ConnNo, seen: &Seen) {
        let its = self.conns.entry(conn).or_default();
        match seen {
            Seen::Publish(publish) => {
                its.inward.extend(publish.id);
                its.inward_most = its.inward_most.max(its.inward.len());
            }
            Seen::Ack { kind: PacketType::Puback | PacketType::Pubcomp, id, .. } => {
                its.out.remove(id);
            }
            Seen::Ack { kind: PacketType::Pubrec, id, reason: 0x80.. } => {
                its.out.remove(id);
            }
            Seen::Ack { kind: PacketType::Pubrel, id, .. } => {
                its.accepted.remove(id);
            }
            _ => {}
        }
    }

    fn left(&mut self, facts: &Ledger, conn: ConnNo, seen: &Seen) -> Result<(), String> {
        let its = self.conns.entry(conn).or_default();
        let name = facts.client_of(conn).map_or("?", |client| facts.name(client));
        match seen {
            Seen::Publish(publish) if publish.qos > Qos::AtMostOnce => {
                let Some(id) = publish.id else { return Ok(()) };
                let allowed = facts.connect_of(conn).map_or(u16::MAX, |connect| connect.receive_maximum);
                let allowed = allowed.min(facts.terms.in_flight_max);
                if !its.out.insert(id) {
                    return Err(format!("{name} gets Packet Identifier {id} while it is in use [5:MQTT-2.2.1-4]"));
                }
                if its.out.len() > usize::from(allowed) {
                    return Err(format!("{name} has {} unfinished, {allowed} allowed [5:MQTT-3.3.4-9]", its.out.len()));
                }
            }
            Seen::Ack { kind: PacketType::Puback | PacketType::Pubcomp, id, .. } => {
                its.inward.remove(id);
            }
            Seen::Ack { kind: PacketType::Pubrec, id, reason: 0x80.. } => {
                its.inward.remove(id);
            }
            Seen::Ack { kind: PacketType::Pubrec, id, .. } => {
                its.accepted.insert(*id);
                let is_v5 = facts.connect_of(conn).is_some_and(|connect| connect.version.is_v5());
                let of_this_connection = its.accepted.intersection(&its.inward).count();
                if is_v5 && of_this_connection > usize::from(facts.terms.receive_maximum) {
                    return Err(format!(
                        "{name} has {of_this_connection} QoS 2 messages unfinished, {} allowed, and is served on \
                         [5:MQTT-3.3.4-7]",
                        facts.terms.receive_maximum
                    ));
                }
            }
            Seen::Disconnect { reason: 0x93, .. } if its.inward_most <= usize::from(facts.terms.receive_maximum) => {
                return Err(format!(
                    "{name} is told 0x93 and had {} unfinished at most, {} allowed [5:MQTT-3.3.4-7]",
                    its.inward_most, facts.terms.receive_maximum
                ));
            }
            _ => {}
        }
        Ok(())
    }
}
