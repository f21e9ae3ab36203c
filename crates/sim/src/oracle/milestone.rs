//! The two moments that decide about a message, for whoever judges what becomes of it: the broker took it over, with a
//! PUBACK or PUBREC that left for the publisher, and a receiver's user was told.

use wasmqtt_codec::PacketType;

use super::facts::MessageFacts;
use super::ledger::Ledger;
use crate::sight::{ClientNo, MessageNo, Seen, SeenPublish, Sight};

/// See the file.
pub enum Milestone<'a> {
    /// A client's user is told a message.
    Told(ClientNo, &'a SeenPublish),
    /// The broker has taken a message over for the first time: now it owes it.
    Accepted(MessageNo, &'a MessageFacts),
    /// Everything that was owed must have come by now.
    Finished,
}

impl<'a> Milestone<'a> {
    /// What a sight means to the messages; `None` if nothing.
    pub fn of(facts: &'a Ledger, sight: &'a Sight) -> Option<Self> {
        match sight {
            Sight::Told(conn, seen) => match (facts.client_of(*conn), seen.as_ref()) {
                // What is told when the Session has ended belongs to no Subscription any more.
                (Some(client), Seen::Publish(publish))
                    if facts.conns[conn].session == facts.clients[client].session =>
                {
                    Some(Milestone::Told(client, publish))
                }
                _ => None,
            },
            Sight::Left(conn, seen) => {
                let Seen::Ack { kind: PacketType::Puback | PacketType::Pubrec, id, reason: ..0x80 } = seen.as_ref()
                else {
                    return None;
                };
                let number = facts.published(*conn, *id)?.number?;
                let message = facts.messages.get(&number)?;
                (message.accepted_us == Some(facts.now_us)).then_some(Milestone::Accepted(number, message))
            }
            Sight::Finished => Some(Milestone::Finished),
            _ => None,
        }
    }
}
