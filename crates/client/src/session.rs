//! The client's half of the Session (4.1): Packet Identifiers in use, messages in flight both ways, and what waits for
//! room. It outlives connections; only a server that has no Session any more makes it forget.
//!
//! ```text
//!   queued --start_next--> Publish --PUBACK---------------------------> gone     QoS 1
//!                          Publish --PUBREC--> Release --PUBCOMP------> gone     QoS 2
//! ```

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use wasmqtt_codec::PacketIdentifier;

use crate::message::Message;

/// One exchange that we began.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outbound {
    /// PUBLISH was sent and is not acknowledged.
    Publish(Message),
    /// PUBREL was sent and is not acknowledged.
    Release,
}

/// A set of Packet Identifiers: a list in order, since there are few of them.
#[derive(Clone, Debug, Default)]
struct Identifiers(Vec<PacketIdentifier>);

impl Identifiers {
    /// Whether it was not there.
    fn insert(&mut self, id: PacketIdentifier) -> bool {
        let place = self.0.binary_search(&id);
        place.map_err(|at| self.0.insert(at, id)).is_err()
    }

    /// Whether it was there.
    fn remove(&mut self, id: PacketIdentifier) -> bool {
        let place = self.0.binary_search(&id);
        place.map(|at| self.0.remove(at)).is_ok()
    }

    fn contains(&self, id: PacketIdentifier) -> bool {
        self.0.binary_search(&id).is_ok()
    }
}

/// The client's Session.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// In flight, in the order of their beginning.
    outbound: VecDeque<(PacketIdentifier, Outbound)>,
    queue: VecDeque<Message>,
    /// QoS 2 messages that came and whose PUBREL has not.
    inbound: Identifiers,
    /// SUBSCRIBE and UNSUBSCRIBE that have no answer; they end with the connection.
    requests: Identifiers,
    /// Room for PUBLISH packets on this connection; `None` while there is none.
    quota: Option<u16>,
    /// What on this connection was sent and counts against the quota.
    counted: Identifiers,
    last_id: u16,
}

impl Session {
    /// How many messages are not finished.
    pub fn unfinished(&self) -> usize {
        self.outbound.len() + self.queue.len()
    }

    /// Adds a message that waits for room.
    pub fn queue(&mut self, message: Message) {
        self.queue.push_back(message);
    }

    /// The connection is gone: requests end with it, and nothing is counted any more.
    pub fn connection_ended(&mut self) {
        self.requests.0.clear();
        self.counted.0.clear();
        self.quota = None;
    }

    /// The server lost the Session: what was in flight, which is now forgotten [5:MQTT-3.2.2-5].
    pub fn lost(&mut self) -> Vec<PacketIdentifier> {
        self.inbound.0.clear();
        self.outbound.drain(..).map(|(id, _)| id).collect()
    }

    /// CONNACK came with this Receive Maximum: what is in flight has to be sent again, in order [5:MQTT-4.4.0-1].
    pub fn resume(&mut self, receive_maximum: u16) -> Vec<(PacketIdentifier, Outbound)> {
        self.quota = Some(receive_maximum);
        self.counted.0.clear();
        for (id, _) in &self.outbound {
            self.counted.insert(*id);
        }
        self.outbound.iter().cloned().collect()
    }

    /// The next message that waits, if there is room for it; it is in flight from now on.
    pub fn start_next(&mut self) -> Option<(PacketIdentifier, Message)> {
        if self.counted.0.len() >= usize::from(self.quota?) || self.queue.is_empty() {
            return None;
        }
        let id = self.free_id()?;
        let message = self.queue.pop_front()?;
        self.outbound.push_back((id, Outbound::Publish(message.clone())));
        self.counted.insert(id);
        Some((id, message))
    }

    /// PUBREC came: the message is forgotten, its identifier is not. Whether it was ours.
    pub fn received(&mut self, id: PacketIdentifier) -> bool {
        let found = self.outbound.iter_mut().find(|(held, _)| *held == id);
        found.map(|(_, outbound)| *outbound = Outbound::Release).is_some()
    }

    /// PUBACK or PUBCOMP came, or a PUBREC that refused. Whether it was ours.
    pub fn finish(&mut self, id: PacketIdentifier) -> bool {
        self.counted.remove(id);
        let at = self.outbound.iter().position(|(held, _)| *held == id);
        at.and_then(|at| self.outbound.remove(at)).is_some()
    }

    /// A QoS 2 message came; whether it is the first time.
    pub fn hold(&mut self, id: PacketIdentifier) -> bool {
        self.inbound.insert(id)
    }

    /// PUBREL came; whether the identifier was held.
    pub fn release(&mut self, id: PacketIdentifier) -> bool {
        self.inbound.remove(id)
    }

    /// A Packet Identifier for SUBSCRIBE or UNSUBSCRIBE.
    pub fn request(&mut self) -> Option<PacketIdentifier> {
        let id = self.free_id()?;
        self.requests.insert(id);
        Some(id)
    }

    /// SUBACK or UNSUBACK came; whether it was asked for.
    pub fn answered(&mut self, id: PacketIdentifier) -> bool {
        self.requests.remove(id)
    }

    /// A Packet Identifier that is not in use [5:MQTT-2.2.1-3] [311:MQTT-2.3.1-2] [311:MQTT-2.3.1-3].
    fn free_id(&mut self) -> Option<PacketIdentifier> {
        for _ in 0..u16::MAX {
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            let id = PacketIdentifier::new(self.last_id)?;
            let used = self.requests.contains(id) || self.outbound.iter().any(|(held, _)| *held == id);
            if !used {
                return Some(id);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [5:MQTT-2.2.1-3] [311:MQTT-2.3.1-2] [311:MQTT-2.3.1-3]
    #[test]
    fn an_identifier_is_given_out_again_once_it_is_free() {
        let mut session = Session::default();
        let held = session.request().unwrap();
        for number in 2..=u16::MAX {
            let id = session.request().unwrap();
            assert_eq!(id.get(), number);
            assert!(session.answered(id));
        }
        assert_eq!(session.request().map(PacketIdentifier::get), Some(2), "1 is in use, and 0 is none");
        assert!(session.answered(held));
        session.last_id = u16::MAX;
        assert_eq!(session.request(), Some(held));
    }
}
