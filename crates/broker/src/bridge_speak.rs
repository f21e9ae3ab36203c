//! What a bridge says on its transport: the client's side of MQTT (3.1.4 seen from the other end). CONNECT, CONNACK and
//! SUBSCRIBE are here, and the packets that only a server sends. A PUBLISH that comes is given its local name and then
//! goes the way of every PUBLISH; acknowledgements go to `publish.rs` as they are, for they mean the same on either
//! side.

use alloc::vec::Vec;
use wasmqtt_codec::{
    Ack, AckKind, Connack, ConnackCode, Connect, Packet, PacketType, Properties, Property, Qos, ReasonCode,
    RetainHandling, Sender, Suback, Subscribe, SubscribeEntry, SubscriptionOptions, Subscriptions, TopicFilter,
};

use crate::alias::OutboundAliases;
use crate::bridge::{Link, State, Subscribing};
use crate::bridge_config::BridgeEnd;
use crate::broker::Broker;
use crate::connection::{Announced, Phase};
use crate::door::{CloseReason, Event, Output};
use crate::durable::What;
use crate::error::Violation;
use crate::frames::PACKET_BYTES_LIMIT;
use crate::id::BridgeId;
use crate::inflight::Quota;
use crate::record::Record;
use crate::retained::Walk;
use crate::time::Time;

/// What a bridge does next if nothing happens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Due {
    SubackTimeout,
    PingrespTimeout,
    Ping,
}

impl Broker {
    /// CONNECT. A Session that never met its remote can't go on with one there: in 5.0 it asks for a new one, or the
    /// remote could have a Session for us of which we know nothing [5:MQTT-3.2.2-4].
    pub(crate) fn say_connect(&mut self, slot: u32, id: BridgeId) {
        let bridge = self.bridge(id);
        let (config, unmarked, session) = (bridge.config.clone(), bridge.unmarked, bridge.session);
        let clean_start = self.asks_clean_start(id);
        let announced = Announced {
            // A server may send every QoS that it is asked for, and RETAIN.
            maximum_qos: Qos::ExactlyOnce,
            retain_available: true,
            ..Announced::new(&self.config.limits)
        };
        let mut raw = Vec::new();
        if config.version.is_v5() {
            let mut put = |needed: bool, property: Property<'_>| {
                if needed {
                    property.encode(&mut raw);
                }
            };
            let lasts = !config.clean_start && config.session_expiry_s > 0;
            put(lasts, Property::SessionExpiryInterval(config.session_expiry_s));
            let receive_maximum = announced.receive_maximum;
            put(receive_maximum != u16::MAX, Property::ReceiveMaximum(receive_maximum));
            put(true, Property::MaximumPacketSize(announced.packet_bytes_max));
            let aliases = announced.topic_alias_maximum;
            put(aliases > 0, Property::TopicAliasMaximum(aliases));
        }
        let connection = self.connection(slot);
        connection.version = config.version;
        connection.announced = announced;
        let connect = Connect {
            version: config.version,
            bridge: config.try_private && !unmarked,
            clean_start,
            keep_alive_s: config.keep_alive_s,
            client_identifier: &config.client_identifier,
            will: None,
            user_name: config.user_name.as_deref(),
            password: config.password.as_deref(),
            properties: Properties::written(&raw),
        };
        self.send(slot, &Packet::Connect(connect));
        self.sessions[session].version = config.version;
    }

    fn asks_clean_start(&mut self, id: BridgeId) -> bool {
        let bridge = self.bridge(id);
        let (config_says, v5, session) = (bridge.config.clean_start, bridge.config.version.is_v5(), bridge.session);
        config_says || v5 && !self.sessions[session].met
    }

    /// The first packet of the remote, which must be CONNACK [5:MQTT-3.2.0-1] [311:MQTT-3.2.0-1].
    #[inline(never)]
    pub(crate) fn connack(&mut self, slot: u32, id: BridgeId, frame: &[u8]) {
        let version = self.connection(slot).version;
        // A server that knows no 5.0 says so in the form that it knows, which is none of 5.0.
        if let (true, &[0x20, 2, 0, code]) = (version.is_v5(), frame)
            && code > 0
            && let Some(reason) = ReasonCode::from_connect_return_code(code)
        {
            return self.connect_refused(slot, id, reason);
        }
        match Packet::decode(frame, version, Sender::Server) {
            Ok(Packet::Connack(connack)) if connack.reason.is_accepted() => self.connect_accepted(slot, id, &connack),
            Ok(Packet::Connack(connack)) => {
                let reason = match connack.reason {
                    ConnackCode::Reason(reason) => reason,
                    ConnackCode::Return(code) => {
                        ReasonCode::from_connect_return_code(code).unwrap_or(ReasonCode::UnspecifiedError)
                    }
                };
                self.connect_refused(slot, id, reason);
            }
            Ok(_) => self.violation(slot, Violation::NoConnack),
            Err(error) => self.packet_fault(slot, error),
        }
    }

    fn connect_refused(&mut self, slot: u32, id: BridgeId, reason: ReasonCode) {
        let bridge = self.bridge(id);
        bridge.unmarked |= !bridge.config.version.is_v5() && reason == ReasonCode::UnsupportedProtocolVersion;
        self.close(slot, CloseReason::Remote(reason));
        self.bridge_left(id, BridgeEnd::Refused(reason));
    }

    /// The remote takes us: what it allows holds from now on, what is in flight goes on, topics are asked for.
    fn connect_accepted(&mut self, slot: u32, id: BridgeId, connack: &Connack<'_>) {
        if connack.session_present && self.asks_clean_start(id) {
            // [5:MQTT-3.2.2-2] [311:MQTT-3.2.2-1]
            return self.violation(slot, Violation::SessionPresentAfterCleanStart);
        }
        let session = self.bridge(id).session;
        let link = self.heed(slot, id, &connack.properties);
        let keep_alive_s = self.connection(slot).keep_alive_s;
        let conn = self.connection(slot).id;
        self.connection(slot).phase = Phase::Bridged { session, bridge: id };
        let state = &mut self.sessions[session];
        state.connection = Some(slot);
        state.told.clear();
        let (met, number) = (core::mem::replace(&mut state.met, true), state.number);
        self.counters.bridge_connects += 1;
        self.counters.sessions_connected += 1;
        self.counters.sessions_connected_max =
            self.counters.sessions_connected_max.max(self.counters.sessions_connected);
        if !connack.session_present {
            self.forgotten_by_remote(session);
        }
        self.lower_qos(id);
        let state = &mut self.sessions[session];
        state.window.start_over();
        state.received.start_over();
        if !met && self.sessions[session].is_durable() {
            self.append(Record::Met { session: number });
        }
        let bridge = self.bridge(id);
        let asks = bridge.config.version.is_v5() || !(connack.session_present && bridge.subscribed);
        bridge.subscribed &= connack.session_present;
        bridge.state = State::Up { conn, link };
        let (name, session_present) = (bridge.config.name.clone(), connack.session_present);
        self.outputs.push_back(Output::Event(Event::BridgeUp { name, conn, session_present, keep_alive_s }));
        self.ask_for_topics(slot, id, if asks { 0 } else { u32::MAX });
        if !met {
            self.owe_retained(session);
        }
        self.arm_connection(slot);
        self.pump(session);
    }

    /// What CONNACK says of the remote's limits [5:MQTT-3.2.2-11] [5:MQTT-3.2.2-14] [5:MQTT-3.2.2-15]
    /// [5:MQTT-3.2.2-17], and the Keep Alive that it wants [5:MQTT-3.2.2-21].
    fn heed(&mut self, slot: u32, id: BridgeId, properties: &Properties<'_>) -> Link {
        let limits = &self.config.limits;
        let (in_flight_max, alias_max) = (limits.in_flight_max, limits.topic_alias_out_max);
        let now = self.now;
        let bridge = self.bridge(id);
        bridge.maximum_qos = properties.maximum_qos().unwrap_or(Qos::ExactlyOnce);
        bridge.retain_available = properties.retain_available().unwrap_or(true);
        let keep_alive_s = properties.server_keep_alive_s().unwrap_or(bridge.config.keep_alive_s);
        let connection = self.connection(slot);
        let packet_bytes_max = properties.maximum_packet_size_bytes().unwrap_or(PACKET_BYTES_LIMIT);
        connection.packet_bytes_max = packet_bytes_max.min(PACKET_BYTES_LIMIT);
        connection.keep_alive_s = keep_alive_s;
        connection.aliases_out = OutboundAliases::new(properties.topic_alias_maximum().unwrap_or(0).min(alias_max));
        // Until SUBACK has come: so no PUBLISH takes the identifier of the SUBSCRIBE [5:MQTT-2.2.1-3].
        connection.quota = Quota { publications: 0, exchanges: 0 };
        Link {
            since: now,
            pinged_at: now,
            awaits_answer: false,
            quota: properties.receive_maximum().unwrap_or(u16::MAX).min(in_flight_max).max(1),
            wildcards: properties.wildcard_subscription_available().unwrap_or(true),
            subscribing: None,
        }
    }

    /// The remote has no Session for us: what we remember of the old one is void (4.1). What it never acknowledged is
    /// sent again as new, under new identifiers, so that nothing is lost; with QoS 2 it may arrive twice if the remote
    /// had it before it forgot. Identifiers of its own QoS 2 messages mean nothing any more.
    fn forgotten_by_remote(&mut self, session: u32) {
        self.start_exchanges_anew(session);
        let held: Vec<_> = self.sessions[session].received.iter().collect();
        for packet_identifier in held {
            let state = &mut self.sessions[session];
            state.received.remove(packet_identifier);
            if state.is_durable() {
                let session = state.number;
                self.append(Record::Released { session, packet_identifier });
            }
        }
    }

    /// Puts everything in flight back into the queue, in its order and before what waits there; what the remote has
    /// (PUBREC) is done.
    fn start_exchanges_anew(&mut self, session: u32) {
        let (messages, half_way) = self.sessions[session].window.forget();
        for sequence in half_way {
            self.log_finished(session, sequence);
        }
        if messages.is_empty() {
            return;
        }
        for delivery in messages.into_iter().rev() {
            let bytes = self.messages.get(delivery.message).bytes();
            let state = &mut self.sessions[session];
            state.queue_bytes += bytes;
            state.queue.push_front(delivery);
        }
        let state = &self.sessions[session];
        if state.is_durable() {
            self.append(Record::Requeued { session: state.number });
        }
    }

    /// Lowers what waits to the remote's Maximum QoS [5:MQTT-3.2.2-11].
    fn lower_qos(&mut self, id: BridgeId) {
        let bridge = self.bridge(id);
        let (maximum, session) = (bridge.maximum_qos, bridge.session);
        if maximum == Qos::ExactlyOnce {
            return;
        }
        let above = |delivery: &crate::inflight::Delivery| delivery.qos > maximum;
        if self.sessions[session].window.iter().any(|(_, _, _, delivery)| delivery.is_some_and(above)) {
            self.start_exchanges_anew(session);
        }
        for delivery in &mut self.sessions[session].queue {
            delivery.qos = delivery.qos.min(maximum);
        }
    }

    /// SUBSCRIBE for the topics from `from` on, as many as one packet may have; without any left, outbound messages may
    /// go.
    fn ask_for_topics(&mut self, slot: u32, id: BridgeId, from: u32) {
        let (next, topics, raw) = self.next_topics(slot, id, from);
        let session = self.bridge(id).session;
        if topics.is_empty() {
            let bridge = self.bridge(id);
            bridge.subscribed = true;
            if let State::Up { link, .. } = &mut bridge.state {
                link.subscribing = None;
                let publications = link.quota;
                let exchanges = self.config.limits.in_flight_max;
                self.connection(slot).quota = Quota { publications, exchanges };
            }
            return;
        }
        let packet_identifier = self.sessions[session].window.unused();
        let subscribe =
            Subscribe { packet_identifier, properties: Properties::EMPTY, filters: Subscriptions::written(&raw) };
        // That the remote has a Session for us must be known behind a crash before it has anything in it.
        let barrier = if self.sessions[session].is_durable() { self.barrier() } else { None };
        let sent_at = self.now;
        if let State::Up { link, .. } = &mut self.bridge(id).state {
            link.subscribing = Some(Subscribing { packet_identifier, topics, next, sent_at });
        }
        self.send_behind(slot, &Packet::Subscribe(subscribe), What::Other, barrier);
    }

    /// The next topics to ask for, and behind which one to go on. RETAIN comes as it was published, our own messages
    /// not at all. Retained Messages come once for each Session at the remote, for that remembers what comes later;
    /// with QoS 0 it doesn't, and they come each time.
    fn next_topics(&mut self, slot: u32, id: BridgeId, from: u32) -> (u32, Vec<u32>, Vec<u8>) {
        const HEADER_BYTES: usize = 5 + 2 + 1;
        let limit = self.connection(slot).packet_bytes_max as usize;
        let local_maximum = self.config.limits.maximum_qos;
        let bridge = self.bridge(id);
        let (v5, wildcards) = (bridge.config.version.is_v5(), bridge.link().is_none_or(|link| link.wildcards));
        let (mut topics, mut raw, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        let mut next = from;
        for (index, topic) in (0u32..).zip(&bridge.config.topics).skip(from as usize) {
            let filter = topic.remote();
            let entry = TopicFilter::parse(&filter).ok().filter(|_| topic.direction.is_in());
            let Some(parsed) = entry else {
                next = index + 1;
                continue;
            };
            if parsed.has_wildcard() && !wildcards {
                refused.push((filter.clone(), ReasonCode::WildcardSubscriptionsNotSupported));
                next = index + 1;
                continue;
            }
            let qos = topic.qos.min(local_maximum);
            let retain_handling = match qos {
                Qos::AtMostOnce => RetainHandling::SendAtSubscribe,
                Qos::AtLeastOnce | Qos::ExactlyOnce => RetainHandling::SendIfNew,
            };
            let options = match v5 {
                true => SubscriptionOptions { qos, no_local: true, retain_as_published: true, retain_handling },
                false => SubscriptionOptions { qos, ..SubscriptionOptions::default() },
            };
            let entry = SubscribeEntry { filter: parsed, options };
            if HEADER_BYTES + raw.len() + entry.encoded_bytes() > limit {
                if !topics.is_empty() {
                    break;
                }
                // [5:MQTT-3.2.2-15]
                refused.push((filter.clone(), ReasonCode::PacketTooLarge));
                next = index + 1;
                continue;
            }
            entry.encode(&mut raw);
            topics.push(index);
            next = index + 1;
        }
        let name = bridge.config.name.clone();
        for (filter, reason) in refused {
            self.outputs.push_back(Output::Event(Event::BridgeTopicRefused { name: name.clone(), filter, reason }));
        }
        (next, topics, raw)
    }

    /// What is retained here and goes out is sent when the two meet for the first time: then nothing of it can have
    /// come from there.
    fn owe_retained(&mut self, session: u32) {
        let subscriptions = self.sessions[session].subscriptions.clone();
        for subscription in subscriptions {
            let filter = self.whole_filter(&subscription);
            let walk = Walk::new(subscription.node, &filter, subscription.options.qos, 0, self.publications);
            self.start_walk(session, walk);
        }
    }

    /// A packet of a remote that has accepted us: `bytes[start..end]`.
    #[inline(never)]
    pub(crate) fn bridge_packet(
        &mut self,
        slot: u32,
        session: u32,
        id: BridgeId,
        bytes: &bytes::Bytes,
        at: (u32, u32),
    ) {
        if let State::Up { link, .. } = &mut self.bridge(id).state {
            link.awaits_answer = false;
        }
        let frame = &bytes[at.0 as usize..at.1 as usize];
        if PacketType::from_bits(frame[0] >> 4) == Some(PacketType::Publish) {
            return self.publish_from_remote(slot, session, id, bytes, at);
        }
        if let Some((kind, ack)) = Ack::from_short(frame) {
            return self.acknowledged_in_full(slot, session, kind, &ack);
        }
        let version = self.connection(slot).version;
        match Packet::decode(frame, version, Sender::Server) {
            Ok(Packet::Puback(ack)) => self.acknowledged_in_full(slot, session, AckKind::Puback, &ack),
            Ok(Packet::Pubrec(ack)) => self.acknowledged_in_full(slot, session, AckKind::Pubrec, &ack),
            Ok(Packet::Pubrel(ack)) => self.acknowledged_in_full(slot, session, AckKind::Pubrel, &ack),
            Ok(Packet::Pubcomp(ack)) => self.acknowledged_in_full(slot, session, AckKind::Pubcomp, &ack),
            Ok(Packet::Suback(suback)) => self.suback(slot, session, id, &suback),
            Ok(Packet::Pingresp) => {}
            Ok(Packet::Disconnect(disconnect)) => {
                self.depart(slot, session, Some(CloseReason::Client(disconnect.reason)), false);
            }
            // We never ask for either.
            Ok(Packet::Unsuback(_)) => self.violation(slot, Violation::SubackOutOfTurn),
            Ok(Packet::Auth(_)) => self.violation(slot, Violation::AuthWithoutMethod),
            Ok(Packet::Connack(_)) => self.violation(slot, Violation::SecondConnack),
            Ok(Packet::Connect(_) | Packet::Publish(_) | Packet::Subscribe(_) | Packet::Unsubscribe(_)) => {
                unreachable!("handled before, or refused by the codec from a server")
            }
            Ok(Packet::Pingreq) => unreachable!("refused by the codec from a server"),
            Err(error) => self.packet_fault(slot, error),
        }
    }

    /// SUBACK, which must be for our SUBSCRIBE [5:MQTT-3.8.4-2] [311:MQTT-3.8.4-2] and have a code for each filter
    /// [5:MQTT-3.8.4-6] [311:MQTT-3.8.4-5].
    fn suback(&mut self, slot: u32, session: u32, id: BridgeId, suback: &Suback<'_>) {
        let State::Up { link, .. } = &mut self.bridge(id).state else { return };
        let fits = |asked: &Subscribing| {
            asked.packet_identifier == suback.packet_identifier && asked.topics.len() == suback.codes.len()
        };
        let Some(asked) = link.subscribing.take().filter(fits) else {
            return self.violation(slot, Violation::SubackOutOfTurn);
        };
        for (&index, &code) in asked.topics.iter().zip(suback.codes) {
            if code < 0x80 {
                continue;
            }
            let reason = ReasonCode::from_byte(code).unwrap_or(ReasonCode::UnspecifiedError);
            let bridge = self.bridge(id);
            let (name, filter) = (bridge.config.name.clone(), bridge.config.topics[index as usize].remote());
            self.outputs.push_back(Output::Event(Event::BridgeTopicRefused { name, filter, reason }));
        }
        self.ask_for_topics(slot, id, asked.next);
        self.arm_connection(slot);
        self.pump(session);
    }

    /// What is due first on a bridge's connection, and when. What is asked must be answered in the time that a client
    /// has for its CONNECT.
    fn bridge_next(&self, slot: u32, id: BridgeId) -> Option<(Time, Due)> {
        let patience_s = u64::from(self.config.limits.connect_timeout_s);
        let keep_alive_s = self.connections[slot as usize].as_ref()?.keep_alive_s;
        let link = self.bridges.get(id)?.link()?;
        let subscribing = link.subscribing.as_ref().map(|it| (it.sent_at.plus_s(patience_s), Due::SubackTimeout));
        let ping = match (link.awaits_answer, keep_alive_s) {
            (true, _) => Some((link.pinged_at.plus_s(patience_s), Due::PingrespTimeout)),
            (false, 0) => None,
            // [5:MQTT-3.1.2-20] [311:MQTT-3.1.2-23]: whatever else is sent, so that the answer tells of the remote.
            (false, keep_alive_s) => Some((link.pinged_at.plus_s(u64::from(keep_alive_s)), Due::Ping)),
        };
        [subscribing, ping].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// When a bridge's connection has to be looked at.
    pub(crate) fn bridge_due(&self, slot: u32, id: BridgeId) -> Option<Time> {
        self.bridge_next(slot, id).map(|(at, _)| at)
    }

    /// That moment has come.
    pub(crate) fn bridge_timer(&mut self, slot: u32, id: BridgeId) {
        let now = self.now;
        let due = self.bridge_next(slot, id).filter(|(at, _)| *at <= now).map(|(_, due)| due);
        let connection = self.connection(slot);
        // What came and was not looked at yet may be the answer; what our own log holds back asked nobody.
        let excused = connection.has_unread() || !connection.held.is_empty();
        match due {
            Some(Due::SubackTimeout | Due::PingrespTimeout) if excused => {
                if let State::Up { link, .. } = &mut self.bridge(id).state {
                    link.pinged_at = now;
                    if let Some(subscribing) = &mut link.subscribing {
                        subscribing.sent_at = now;
                    }
                }
            }
            Some(Due::SubackTimeout) => return self.bridge_timed_out(slot, Violation::SubackTimeout),
            Some(Due::PingrespTimeout) => return self.bridge_timed_out(slot, Violation::PingrespTimeout),
            Some(Due::Ping) => self.ping_remote(slot, id),
            None => {}
        }
        self.arm_connection(slot);
    }

    fn bridge_timed_out(&mut self, slot: u32, violation: Violation) {
        self.counters.timeouts += 1;
        self.violation(slot, violation);
    }

    /// PINGREQ (3.12); also behind a sleep, for the remote may have given us up meanwhile.
    pub(crate) fn ping_remote(&mut self, slot: u32, id: BridgeId) {
        let now = self.now;
        let State::Up { link, .. } = &mut self.bridge(id).state else { return };
        link.pinged_at = now;
        link.awaits_answer = true;
        self.send(slot, &Packet::Pingreq);
    }

    /// Whether a connection is one of ours to a remote.
    pub(crate) fn is_bridged(&self, slot: u32) -> bool {
        let connection = self.connections[slot as usize].as_ref();
        connection.is_some_and(|connection| matches!(connection.phase, Phase::Bridged { .. }))
    }
}
