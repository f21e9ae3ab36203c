//! DISCONNECT (3.14), both ways.
//!
//! Nothing leaves for a transport that the broker has given up. A client that says DISCONNECT 0x00 is let go and hears
//! nothing more [5:MQTT-3.14.4-1]; its Session Expiry Interval replaces that of the CONNECT, which is judged where
//! Sessions are. To prolong a Session that was to end with its connection is a Protocol Error (3.14.2.2.2): the client
//! is told 0x82 and is not let go in peace. If a packet before its DISCONNECT was wrong as well, it may be told of that
//! one.

use std::collections::BTreeSet;

use super::Oracle;
use super::ledger::Ledger;
use crate::sight::{ConnNo, Ended, Seen, Sight};

/// See the file.
#[derive(Debug, Default)]
pub struct Goodbye {
    /// Who was told that something was wrong.
    told: BTreeSet<ConnNo>,
}

impl Oracle for Goodbye {
    fn name(&self) -> &'static str {
        "goodbye"
    }

    fn see(&mut self, facts: &Ledger, sight: &Sight) -> Result<(), String> {
        let (Sight::Left(conn, _) | Sight::Gone(conn, _)) = sight else { return Ok(()) };
        let Some(its) = facts.conns.get(conn) else { return Ok(()) };
        let name = facts.name(its.client);
        match sight {
            Sight::Left(_, seen) => {
                if its.gone_us.is_some() {
                    return Err(format!("{name} is sent {seen:?} on a transport that is over"));
                }
                if matches!(**seen, Seen::Disconnect { reason: 0x80.., .. }) {
                    self.told.insert(*conn);
                }
                Ok(())
            }
            Sight::Gone(_, ended) if its.prolongs && its.accepted_us.is_some() && *ended == Ended::Goodbye => {
                Err(format!("{name} prolonged a Session that ends with its connection and was let go (3.14.2.2.2)"))
            }
            Sight::Gone(_, Ended::Broker)
                if its.prolongs && its.accepted_us.is_some() && is_last(facts, *conn) && !self.told.contains(conn) =>
            {
                Err(format!("{name} prolonged a Session that ends with its connection and was told of no fault"))
            }
            _ => Ok(()),
        }
    }
}

/// Whether no other connection of the client is there, which could have taken its Session over.
fn is_last(facts: &Ledger, conn: ConnNo) -> bool {
    let client = facts.conns[&conn].client;
    facts.conns.iter().all(|(other, its)| {
        *other == conn || its.client != client || !its.entered || its.gone_us < facts.conns[&conn].accepted_us
    })
}
