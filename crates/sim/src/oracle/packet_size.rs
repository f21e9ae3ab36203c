//! Maximum Packet Size (3.1.2.11.4): no packet to a client is larger than it allows [5:MQTT-3.1.2-24]. A message that
//! can't be sent in one is dropped for it, and nothing else is [5:MQTT-3.1.2-25]: that is judged where messages are
//! owed, by [`fits`].

use super::Oracle;
use super::facts::MessageFacts;
use super::ledger::Ledger;
use crate::sight::{ClientNo, Sight};

/// More than a PUBLISH to a client of the World has beside its Topic Name and payload: fixed header, Packet Identifier,
/// Message Expiry Interval and a Subscription Identifier of each Subscription.
const AROUND_BYTES: usize = 50;

/// See the file.
#[derive(Debug)]
pub struct PacketSize;

impl Oracle for PacketSize {
    fn name(&self) -> &'static str {
        "packet size"
    }

    fn see(&mut self, facts: &Ledger, sight: &Sight) -> Result<(), String> {
        let Sight::Weighed(conn, bytes) = sight else { return Ok(()) };
        match facts.connect_of(*conn).and_then(|connect| connect.packet_bytes_max) {
            Some(most) if *bytes > most => {
                let name = facts.client_of(*conn).map_or("?", |client| facts.name(client));
                Err(format!("{name} gets a packet of {bytes} bytes, {most} allowed [5:MQTT-3.1.2-24]"))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Whether a client surely takes a packet with this message, on every connection that it had.
pub fn fits(facts: &Ledger, client: ClientNo, message: &MessageFacts) -> bool {
    let its = facts.conns.iter().filter(|(_, conn)| conn.client == client);
    let mut sizes = its.filter_map(|(conn, _)| facts.connect_of(*conn)?.packet_bytes_max);
    sizes.all(|most| message.topic.len() + message.len + AROUND_BYTES <= most as usize)
}
