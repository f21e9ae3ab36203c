//! What a client does with each packet of the server.

use alloc::string::String;

use bytes::Bytes;
use wasmqtt_codec::{
    Ack, Connack, ConnackCode, Framing, Packet, PacketIdentifier, PacketType, Publish, Qos, ReasonCode, Sender, frame,
};

use crate::event::{Acknowledged, Closed, Event};
use crate::message::{Message, PropertyList};
use crate::session::Outbound;
use crate::{Client, Phase};

impl Client {
    /// Bytes came from the server, cut anywhere.
    pub fn received(&mut self, now_us: u64, bytes: &[u8]) {
        let mut incoming = core::mem::take(&mut self.incoming);
        incoming.extend_from_slice(bytes);
        let mut rest = incoming.as_slice();
        while matches!(self.phase, Phase::Connecting | Phase::Live) {
            match frame(rest, self.options.packet_bytes_max) {
                Ok(Framing::Complete { total_bytes, .. }) if total_bytes <= rest.len() => {
                    let (one, behind) = rest.split_at(total_bytes);
                    rest = behind;
                    self.packet_bytes(now_us, one);
                }
                Ok(_) => break,
                Err(error) => self.end(Closed::Malformed(error)),
            }
        }
        self.incoming = rest.to_vec();
    }

    fn packet_bytes(&mut self, now_us: u64, bytes: &[u8]) {
        match Packet::decode(bytes, self.options.version, Sender::Server) {
            Ok(packet) => self.packet(now_us, &packet),
            Err(error) => self.end(Closed::Malformed(error)),
        }
    }

    fn packet(&mut self, now_us: u64, packet: &Packet<'_>) {
        match packet {
            Packet::Connack(connack) if self.phase == Phase::Connecting => self.connack(now_us, connack),
            Packet::Auth(auth) => {
                let properties = PropertyList::copied(&auth.properties);
                self.events.push_back(Event::Challenge { reason: auth.reason, properties });
            }
            // Before CONNACK nothing else may come [5:MQTT-3.2.0-1].
            _ if self.phase == Phase::Connecting => self.end(Closed::Violation),
            Packet::Publish(publish) => self.publish_came(now_us, publish),
            Packet::Puback(ack) => self.finished(now_us, ack),
            Packet::Pubrec(ack) if ack.reason.is_error() => self.finished(now_us, ack),
            Packet::Pubrec(ack) => {
                let known = self.session.received(ack.packet_identifier);
                let reason = if known { ReasonCode::Success } else { ReasonCode::PacketIdentifierNotFound };
                // [5:MQTT-4.3.3-4] [5:MQTT-4.6.0-4]
                self.send_ack(now_us, PacketType::Pubrel, ack.packet_identifier, reason);
            }
            Packet::Pubrel(ack) => {
                let known = self.session.release(ack.packet_identifier);
                let reason = if known { ReasonCode::Success } else { ReasonCode::PacketIdentifierNotFound };
                self.send_ack(now_us, PacketType::Pubcomp, ack.packet_identifier, reason); // [5:MQTT-4.3.3-11]
            }
            Packet::Pubcomp(ack) => self.finished(now_us, ack),
            Packet::Suback(ack) => {
                let id = ack.packet_identifier;
                if self.session.answered(id) {
                    self.events.push_back(Event::Subscribed { id, codes: ack.codes.into() });
                }
            }
            Packet::Unsuback(ack) => {
                let id = ack.packet_identifier;
                if self.session.answered(id) {
                    self.events.push_back(Event::Unsubscribed { id, codes: ack.codes.into() });
                }
            }
            Packet::Pingresp => {
                self.pinged_us = None;
                self.events.push_back(Event::Pong);
            }
            Packet::Disconnect(disconnect) => self.end(Closed::Disconnected(disconnect.reason)),
            Packet::Connack(_)
            | Packet::Connect(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::Pingreq => self.end(Closed::Violation),
        }
    }

    fn connack(&mut self, now_us: u64, connack: &Connack<'_>) {
        if !matches!(connack.reason, ConnackCode::Reason(ReasonCode::Success) | ConnackCode::Return(0)) {
            return self.end(Closed::Refused(connack.reason));
        }
        if connack.session_present && self.options.clean_start {
            // A Session that we asked to be forgotten can't be ours [5:MQTT-3.2.2-4].
            return self.end(Closed::Violation);
        }
        let properties = &connack.properties;
        if let Some(seconds) = properties.server_keep_alive_s() {
            self.keep_alive_us = u64::from(seconds) * 1_000_000; // [5:MQTT-3.2.2-21] [5:MQTT-3.1.2-21]
        }
        if let Some(identifier) = properties.assigned_client_identifier() {
            self.options.client_identifier = identifier.into();
        }
        if let Some(seconds) = properties.session_expiry_interval_s() {
            self.lasts = seconds > 0; // The server uses another value than asked for (3.2.2.3.2).
        }
        self.server_packet_bytes_max = properties.maximum_packet_size_bytes().unwrap_or(0);
        self.phase = Phase::Live;
        let (session_present, properties) = (connack.session_present, PropertyList::copied(properties));
        self.events.push_back(Event::Connected { session_present, properties });
        // 3.1 has no Session Present; there Clean Session alone decides.
        let kept = session_present || !self.options.clean_start && self.options.version.level() == 3;
        if !kept {
            self.forget();
        }
        self.resume(now_us, connack.properties.receive_maximum().unwrap_or(u16::MAX));
    }

    /// Sends again what is in flight, in order and with DUP, then what waited [5:MQTT-4.4.0-1].
    fn resume(&mut self, now_us: u64, receive_maximum: u16) {
        for (id, outbound) in self.session.resume(receive_maximum) {
            match outbound {
                Outbound::Publish(message) => {
                    let packet = Packet::Publish(message.as_packet(Some(id), true));
                    self.send(now_us, &packet);
                }
                Outbound::Release => self.send_ack(now_us, PacketType::Pubrel, id, ReasonCode::Success),
            }
        }
        self.send_queued(now_us);
    }

    fn publish_came(&mut self, now_us: u64, publish: &Publish<'_>) {
        let Some(topic) = self.topic(publish) else { return self.end(Closed::Violation) };
        let id = publish.packet_identifier;
        let first = match (publish.qos, id) {
            (Qos::ExactlyOnce, Some(id)) => self.session.hold(id), // [5:MQTT-4.3.3-10]
            _ => true,
        };
        if first {
            let message = Message {
                topic,
                payload: Bytes::copy_from_slice(publish.payload),
                qos: publish.qos,
                retain: publish.retain,
                properties: PropertyList::copied(&publish.properties),
            };
            self.events.push_back(Event::Message { message, id, dup: publish.dup });
        }
        if let (false, Some(id)) = (self.options.manual_acknowledgement && first, id) {
            self.acknowledged(now_us, id, publish.qos);
        }
    }

    /// At once, and so in the order in which they came [5:MQTT-4.5.0-2] [5:MQTT-4.6.0-2] [5:MQTT-4.6.0-3]
    /// [311:MQTT-4.5.0-2].
    fn acknowledged(&mut self, now_us: u64, id: PacketIdentifier, qos: Qos) {
        match qos {
            Qos::AtMostOnce => {}
            Qos::AtLeastOnce => self.send_ack(now_us, PacketType::Puback, id, ReasonCode::Success),
            Qos::ExactlyOnce => self.send_ack(now_us, PacketType::Pubrec, id, ReasonCode::Success),
        }
    }

    /// The Topic Name of a PUBLISH, through its Topic Alias if need be [5:MQTT-3.3.2-10].
    fn topic(&mut self, publish: &Publish<'_>) -> Option<String> {
        match (publish.topic, publish.properties.topic_alias()) {
            (Some(topic), alias) => {
                if let Some(alias) = alias {
                    match self.aliases.binary_search_by_key(&alias, |(known, _)| *known) {
                        Ok(at) => self.aliases[at].1 = topic.as_str().into(),
                        Err(at) => self.aliases.insert(at, (alias, topic.as_str().into())),
                    }
                }
                Some(topic.as_str().into())
            }
            (None, Some(alias)) => {
                let at = self.aliases.binary_search_by_key(&alias, |(known, _)| *known).ok()?;
                Some(self.aliases[at].1.clone())
            }
            (None, None) => None,
        }
    }

    fn finished(&mut self, now_us: u64, ack: &Ack<'_>) {
        let id = ack.packet_identifier;
        if self.session.finish(id) {
            self.events.push_back(Event::Finished { id, outcome: Acknowledged::By(ack.reason) });
        }
        self.send_queued(now_us);
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;
    use wasmqtt_codec::SubscriptionOptions;

    use crate::Options;

    fn live(session_present: u8) -> Client {
        let mut options = Options::new("c");
        options.clean_start = false;
        options.properties = PropertyList::new().with(&wasmqtt_codec::Property::SessionExpiryInterval(60));
        let mut client = Client::new(options);
        reconnect(&mut client, session_present);
        client
    }

    fn reconnect(client: &mut Client, session_present: u8) {
        client.connected(0);
        client.take_outgoing();
        client.received(0, &[0x20, 0x06, session_present, 0x00, 0x03, 0x21, 0x00, 0x01]);
        while client.poll().is_some() {}
    }

    /// [5:MQTT-3.3.4-7] [5:MQTT-4.9.0-2]
    #[test]
    fn a_receive_maximum_of_one_holds_the_second_message_back() {
        let mut client = live(0);
        client.publish(0, Message::new("a", "1").qos(Qos::AtLeastOnce)).unwrap();
        client.publish(0, Message::new("a", "2").qos(Qos::AtLeastOnce)).unwrap();
        assert_eq!(client.take_outgoing(), [0x32, 7, 0, 1, b'a', 0, 1, 0, b'1']);
        client.received(0, &[0x40, 2, 0, 1]);
        assert_eq!(client.take_outgoing(), [0x32, 7, 0, 1, b'a', 0, 2, 0, b'2']);
    }

    /// [5:MQTT-3.3.4-8]
    #[test]
    fn no_room_for_a_publish_holds_back_nothing_else() {
        let mut client = live(0);
        client.publish(0, Message::new("a", "1").qos(Qos::AtLeastOnce)).unwrap();
        client.publish(0, Message::new("a", "2").qos(Qos::AtLeastOnce)).unwrap();
        client.take_outgoing();
        client.received(0, &[0x32, 6, 0, 1, b'b', 0, 9, 0]);
        client.subscribe(0, &[("c", SubscriptionOptions::default())], &PropertyList::new()).unwrap();
        assert_eq!(client.take_outgoing(), [0x40, 2, 0, 9, 0x82, 7, 0, 2, 0, 0, 1, b'c', 0]);
    }

    /// [5:MQTT-4.6.0-1]
    #[test]
    fn messages_are_sent_again_in_their_order() {
        let mut client = live(0);
        let again = |client: &mut Client, session_present: u8| {
            client.closed();
            client.connected(0);
            client.take_outgoing();
            client.received(0, &[0x20, 0x03, session_present, 0x00, 0x00]);
        };
        again(&mut client, 0);
        for (topic, qos) in [("a", Qos::AtLeastOnce), ("b", Qos::ExactlyOnce), ("c", Qos::AtLeastOnce)] {
            client.publish(0, Message::new(topic, "").qos(qos)).unwrap();
        }
        client.take_outgoing();
        again(&mut client, 1);
        let [a, b, c] = [(0x3A, b'a', 1), (0x3C, b'b', 2), (0x3A, b'c', 3)]
            .map(|(first, topic, id)| [first, 6, 0, 1, topic, 0, id, 0]);
        assert_eq!(client.take_outgoing(), [a, b, c].concat());
    }

    /// [5:MQTT-4.3.3-6] [311:MQTT-4.3.3-1]
    #[test]
    fn after_pubrec_only_pubrel_is_sent_again() {
        let mut client = live(0);
        client.publish(0, Message::new("a", "1").qos(Qos::ExactlyOnce)).unwrap();
        client.received(0, &[0x50, 2, 0, 1]);
        client.closed();
        reconnect(&mut client, 1);
        assert_eq!(client.take_outgoing(), [0x62, 2, 0, 1]); // [5:MQTT-4.3.3-6]
    }

    /// [5:MQTT-3.3.1-1] [5:MQTT-3.2.2-5] [311:MQTT-2.3.1-3]
    #[test]
    fn an_unacknowledged_publish_is_sent_again_with_dup_or_told_as_lost() {
        let mut client = live(0);
        client.publish(0, Message::new("a", "1").qos(Qos::AtLeastOnce)).unwrap();
        client.closed();
        reconnect(&mut client, 1);
        assert_eq!(client.take_outgoing(), [0x3A, 7, 0, 1, b'a', 0, 1, 0, b'1']);
        client.closed();
        client.connected(0);
        client.take_outgoing();
        client.received(0, &[0x20, 3, 0, 0, 0]);
        client.poll();
        let id = PacketIdentifier::new(1).unwrap();
        assert_eq!(client.poll(), Some(Event::Finished { id, outcome: Acknowledged::SessionLost }));
    }

    /// [5:MQTT-4.3.3-10] [5:MQTT-4.5.0-2]
    #[test]
    fn a_qos_2_message_is_told_once_and_acknowledged_each_time() {
        let mut client = live(0);
        let publish = [0x34, 7, 0, 1, b'a', 0, 9, 0, b'x'];
        client.received(0, &publish[..4]);
        client.received(0, &publish[4..]);
        client.received(0, &publish);
        assert_eq!(client.take_outgoing(), [0x50, 2, 0, 9, 0x50, 2, 0, 9]);
        let events: Vec<_> = core::iter::from_fn(|| client.poll()).collect();
        assert_eq!(events.len(), 1);
        client.received(0, &[0x62, 2, 0, 9]);
        assert_eq!(client.take_outgoing(), [0x70, 2, 0, 9]);
    }

    /// [5:MQTT-3.2.2-4]
    #[test]
    fn a_session_that_was_to_be_forgotten_ends_the_connection() {
        let mut client = Client::new(Options::new("c"));
        client.connected(0);
        client.received(0, &[0x20, 3, 1, 0, 0]);
        assert_eq!(client.poll(), Some(Event::Closed(Closed::Violation)));
    }

    /// [5:MQTT-4.6.0-2] [5:MQTT-4.6.0-3] [5:MQTT-4.6.0-4] [311:MQTT-4.6.0-2] [311:MQTT-4.6.0-3]
    /// [311:MQTT-4.6.0-4] [311:MQTT-4.5.0-2]
    #[test]
    fn acknowledgements_keep_the_order_of_what_they_answer() {
        let mut client = live(0);
        client.received(0, &[0x32, 6, 0, 1, b'a', 0, 3, 0, 0x32, 6, 0, 1, b'a', 0, 1, 0]);
        client.received(0, &[0x34, 6, 0, 1, b'a', 0, 9, 0, 0x34, 6, 0, 1, b'a', 0, 8, 0]);
        assert_eq!(client.take_outgoing(), [0x40, 2, 0, 3, 0x40, 2, 0, 1, 0x50, 2, 0, 9, 0x50, 2, 0, 8]);
        client.received(0, &[0x50, 2, 0, 7, 0x50, 2, 0, 6]);
        assert_eq!(client.take_outgoing(), [0x62, 3, 0, 7, 0x92, 0x62, 3, 0, 6, 0x92]);
    }

    /// [5:MQTT-3.3.2-10]
    #[test]
    fn a_topic_alias_is_resolved() {
        let mut client = live(0);
        client.received(0, &[0x30, 8, 0, 1, b'a', 3, 0x23, 0, 5, b'x', 0x30, 7, 0, 0, 3, 0x23, 0, 5, b'y']);
        let topics: Vec<_> = core::iter::from_fn(|| client.poll())
            .map(|event| match event {
                Event::Message { message, .. } => message.topic,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(topics, vec!["a", "a"]);
    }

    /// [5:MQTT-4.1.0-2] [311:MQTT-3.1.2-6]
    #[test]
    fn what_was_in_flight_in_a_session_that_ends_with_its_connection_is_not_sent_again() {
        let mut options = Options::new("c");
        options.clean_start = false;
        let mut client = Client::new(options);
        reconnect(&mut client, 0);
        client.publish(0, Message::new("a", "1").qos(Qos::AtLeastOnce)).unwrap();
        client.closed();
        let id = PacketIdentifier::new(1).unwrap();
        assert_eq!(client.poll(), Some(Event::Finished { id, outcome: Acknowledged::SessionLost }));
        reconnect(&mut client, 1);
        assert_eq!(client.take_outgoing(), []);
    }

    /// [5:MQTT-3.1.2-20] [311:MQTT-3.1.2-23]
    #[test]
    fn silence_is_broken_by_pingreq_and_no_answer_ends_it() {
        let mut client = live(0);
        let minute = 60_000_000;
        assert_eq!(client.deadline(), Some(minute));
        client.tick(minute);
        assert_eq!(client.take_outgoing(), [0xC0, 0]);
        client.tick(2 * minute);
        assert_eq!(client.poll(), Some(Event::Closed(Closed::Silent)));
    }
}
