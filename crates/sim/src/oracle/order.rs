//! Order (4.6).
//!
//! What a client's user is told of one publisher's messages to one topic with one QoS, each message where it is told
//! first, is a part of what came from that publisher, in the order in which it came [5:MQTT-4.6.0-5] [311:MQTT-4.6.0-5]
//! [311:MQTT-4.6.0-6]. Messages that are sent again keep the order of their first time, one order over QoS 1 and 2
//! [5:MQTT-4.4.0-1] [5:MQTT-4.6.0-1] [311:MQTT-4.6.0-1]. Retained Messages for a new Subscription and Shared
//! Subscriptions are not in this order: the first come when somebody subscribes, the second change hands.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use wasmqtt_codec::Qos;

use super::Oracle;
use super::facts::Attribution;
use super::ledger::Ledger;
use crate::sight::{ClientNo, ConnNo, MessageNo, Seen, SeenPublish, Sight};

/// Publisher, topic and QoS of the publisher.
type Stream = (ClientNo, Rc<str>, u8);

/// A message and the Packet Identifier that it was sent under.
type Sent = (MessageNo, Option<u16>);

/// See the file.
#[derive(Debug, Default)]
pub struct Order {
    came: BTreeMap<Stream, Vec<MessageNo>>,
    /// How far each Session is in a stream; the QoS is that of the delivery.
    at: BTreeMap<(ClientNo, u32, u8, Stream), usize>,
    known: BTreeSet<(ClientNo, u32, MessageNo)>,
    /// The order in which messages with QoS 1 and 2 left first, by client and Session. The same message may be two
    /// deliveries; their identifiers tell them apart.
    first: BTreeMap<(ClientNo, u32), Vec<Sent>>,
    /// Where in that order a connection is that sends again.
    again: BTreeMap<ConnNo, usize>,
}

impl Oracle for Order {
    fn name(&self) -> &'static str {
        "order"
    }

    fn see(&mut self, facts: &Ledger, sight: &Sight) -> Result<(), String> {
        let (Sight::Reached(conn, seen) | Sight::Left(conn, seen) | Sight::Told(conn, seen)) = sight else {
            return Ok(());
        };
        let (Some(client), Seen::Publish(publish)) = (facts.client_of(*conn), seen.as_ref()) else { return Ok(()) };
        let Some(number) = publish.number else { return Ok(()) };
        match sight {
            Sight::Reached(..) => {
                let stream = (client, publish.topic.clone(), publish.qos as u8);
                self.came.entry(stream).or_default().push(number);
                Ok(())
            }
            Sight::Left(..) => self.left(facts, *conn, client, publish, number),
            _ => self.told(facts, client, publish, number),
        }
    }
}

impl Order {
    fn told(
        &mut self,
        facts: &Ledger,
        client: ClientNo,
        publish: &SeenPublish,
        number: MessageNo,
    ) -> Result<(), String> {
        let Some(message) = facts.messages.get(&number).filter(|message| !message.is_will) else { return Ok(()) };
        let session = facts.clients[client].session;
        let apart = publish.retain || facts.attribution(client, publish) != Attribution::Plain;
        if apart || !self.known.insert((client, session, number)) {
            return Ok(());
        }
        let stream: Stream = (message.publisher, message.topic.clone(), message.qos as u8);
        let came = self.came.get(&stream).map(Vec::as_slice).unwrap_or_default();
        let at = self.at.entry((client, session, publish.qos as u8, stream.clone())).or_default();
        match came[*at..].iter().position(|one| *one == number) {
            Some(found) => {
                *at += found + 1;
                Ok(())
            }
            None => Err(format!(
                "{} was told message {number} of {} on {} with QoS {} behind a later one; they came as {came:?} \
                 [5:MQTT-4.6.0-5]",
                facts.name(client),
                facts.name(stream.0),
                stream.1,
                stream.2
            )),
        }
    }

    /// What is sent again is sent in the order of its first time.
    fn left(
        &mut self,
        facts: &Ledger,
        conn: ConnNo,
        client: ClientNo,
        publish: &SeenPublish,
        number: MessageNo,
    ) -> Result<(), String> {
        if publish.qos == Qos::AtMostOnce {
            return Ok(());
        }
        let first = self.first.entry((client, facts.clients[client].session)).or_default();
        if !publish.dup {
            first.push((number, publish.id));
            return Ok(());
        }
        let from = self.again.get(&conn).copied().unwrap_or(0);
        // After a crash the broker may not know any more that it has sent a message, but then it has no DUP either.
        let Some(found) = first[from.min(first.len())..].iter().position(|one| *one == (number, publish.id)) else {
            return match first.contains(&(number, publish.id)) {
                true => Err(format!(
                    "message {number} is sent again to {} behind one that was first sent after it [5:MQTT-4.6.0-1]",
                    facts.name(client)
                )),
                false => Ok(()),
            };
        };
        self.again.insert(conn, from + found + 1);
        Ok(())
    }
}
