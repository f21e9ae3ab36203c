//! CONNECT: who is this, and which Session does it continue? From the packet over the verdict to CONNACK; the exchange
//! of AUTH packets in between is in `authentication.rs`.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use wasmqtt_codec::{
    Connack, ConnackCode, Connect, Packet, Properties, Property, ProtocolVersion, Qos, ReasonCode, Sender,
};

use crate::alias::OutboundAliases;
use crate::bridge_config::SESSION_PREFIX;
use crate::broker::Broker;
use crate::config::Authentication;
use crate::connection::{Announced, Pending, Phase};
use crate::door::{CloseReason, Event, Grant, Output, Question, SessionEnd};
use crate::durable::What;
use crate::error::{Fault, Refusal, Violation};
use crate::frames::PACKET_BYTES_LIMIT;
use crate::inflight::Quota;
use crate::message::{Message, forwarded};
use crate::permission::Access;
use crate::record::{Entry, Record};
use crate::session::{Session, Will};
use crate::text::{filled_in, push_digits};

/// Decodes a CONNECT that was decoded before.
pub(crate) fn again(packet: &Bytes) -> Connect<'_> {
    match Packet::decode(packet, ProtocolVersion::V5, Sender::Client) {
        Ok(Packet::Connect(connect)) => connect,
        _ => unreachable!("the packet was a CONNECT when it came"),
    }
}

/// The form in which a CONNECT that can't be accepted is answered; `None` if it isn't MQTT at all. A version yet to be
/// invented is told no in the newest form, one that never was in the oldest.
fn answerable_version(packet: &[u8]) -> Option<ProtocolVersion> {
    Connect::version_of(packet).or_else(|| {
        let header = 1 + packet.iter().skip(1).position(|byte| byte & 0x80 == 0)? + 1;
        match packet.get(header..)? {
            [0, 4, b'M', b'Q', b'T', b'T', level, ..] if level & 0x7F > 5 => Some(ProtocolVersion::V5),
            [0, 4, b'M', b'Q', b'T', b'T', ..] | [0, 6, b'M', b'Q', b'I', b's', b'd', b'p', ..] => {
                Some(ProtocolVersion::V3_1_1)
            }
            _ => None,
        }
    })
}

impl Broker {
    /// The first packet of a connection.
    #[inline(never)]
    pub(crate) fn connect(&mut self, slot: u32, packet: Bytes) {
        let connect = match Packet::decode(&packet, ProtocolVersion::V5, Sender::Client) {
            Ok(Packet::Connect(connect)) => connect,
            Ok(_) => return self.violation(slot, Violation::NoConnect),
            // [5:MQTT-3.1.4-1] [311:MQTT-3.1.4-1]
            Err(error) => {
                let Some(version) = answerable_version(&packet) else { return self.packet_fault(slot, error) };
                self.connection(slot).version = version;
                let fault = Fault::Packet { rule: error.rule, offset: error.offset, version };
                return self.refuse(slot, fault, None, None);
            }
        };
        let connection = self.connection(slot);
        connection.version = connect.version;
        let packet_bytes_max = connect.properties.maximum_packet_size_bytes().unwrap_or(PACKET_BYTES_LIMIT);
        connection.packet_bytes_max = packet_bytes_max.min(PACKET_BYTES_LIMIT);
        connection.wants_reasons = connect.properties.request_problem_information().unwrap_or(true);
        if let Some(fault) = self.objection(&connect) {
            return self.refuse(slot, fault, None, None);
        }
        let assigned = connect.client_identifier.is_empty();
        let client_identifier = match assigned {
            true => self.new_client_identifier(),
            false => connect.client_identifier.into(),
        };
        let pending = Box::new(Pending { packet: packet.clone(), client_identifier, assigned });
        match self.config.authentication {
            Authentication::Open => {
                self.connection(slot).phase = Phase::Exchanging { connect: pending };
                self.accept(slot, Grant::default());
            }
            Authentication::Ask => self.ask_connect(slot, &connect, pending),
        }
    }

    /// The first reason not to accept a CONNECT, whoever sends it.
    fn objection(&self, connect: &Connect<'_>) -> Option<Fault> {
        let limits = &self.config.limits;
        let version = connect.version;
        let violation = |violation| Some(Fault::Violation(violation, version));
        let refused = |refusal| Some(Fault::Refused(refusal, version));
        if self.stopping {
            return refused(Refusal::Unavailable);
        }
        let keep_alive_max_s = limits.keep_alive_max_s;
        let too_long = connect.keep_alive_s == 0 || connect.keep_alive_s > keep_alive_max_s;
        if keep_alive_max_s > 0 && too_long && !version.is_v5() {
            return refused(Refusal::KeepAlive);
        }
        if self.counters.connections > u64::from(limits.connections_max) {
            return refused(Refusal::Connections);
        }
        if connect.client_identifier.is_empty() {
            // 3.1 has no empty identifier; 3.1.1 has one only for a Session that ends at once [311:MQTT-3.1.3-7]
            // [311:MQTT-3.1.3-8] [311:MQTT-3.1.3-9].
            let assignable = match version {
                ProtocolVersion::V3_1 => false,
                ProtocolVersion::V3_1_1 => connect.clean_start,
                ProtocolVersion::V5 => true,
            };
            if !assignable || !limits.assigned_client_identifier {
                return violation(Violation::ClientIdentifierMissing);
            }
        }
        if connect.client_identifier.starts_with(SESSION_PREFIX) {
            return Some(Fault::Refused(Refusal::BridgeName, version));
        }
        if let Some(will) = &connect.will {
            if will.qos > limits.maximum_qos {
                return violation(Violation::WillQosNotSupported);
            }
            if will.retain && !limits.retain_available {
                return violation(Violation::WillRetainNotSupported);
            }
            if will.topic.as_str().split('/').count() > usize::from(limits.topic_levels_max) {
                return refused(Refusal::TopicNameLevels);
            }
        }
        let method = connect.properties.authentication_method();
        if method.is_some() && self.config.authentication == Authentication::Open {
            return refused(Refusal::BadAuthenticationMethod);
        }
        None
    }

    /// A Client Identifier that no Session has [5:MQTT-3.2.2-16] [5:MQTT-3.1.3-6] [311:MQTT-3.1.3-6].
    fn new_client_identifier(&mut self) -> String {
        loop {
            let mut name = String::from("auto-");
            push_digits(&mut name, self.rng.next(), 16, 16);
            if self.find_client(&name).is_none() {
                return name;
            }
        }
    }

    fn ask_connect(&mut self, slot: u32, connect: &Connect<'_>, pending: Box<Pending>) {
        let data = connect.properties.authentication_data().map(Bytes::copy_from_slice);
        let method = connect.properties.authentication_method();
        let connection = self.connection(slot);
        connection.method = method.map(String::from);
        let what = Question::Connect {
            conn: connection.id,
            peer: (*connection.peer).clone(),
            version: connect.version,
            client_identifier: pending.client_identifier.clone(),
            user_name: connect.user_name.map(String::from),
            password: connect.password.map(Bytes::copy_from_slice),
            authentication: method.map(|method| (method.into(), data)),
        };
        let question = self.ask(slot, what);
        self.connection(slot).phase = Phase::Asking { question, connect: pending };
    }

    /// The client is who it says: continues or starts its Session and sends CONNACK.
    pub(crate) fn accept(&mut self, slot: u32, grant: Grant) {
        let phase = core::mem::replace(&mut self.connection(slot).phase, Phase::AwaitConnect);
        let pending = match phase {
            Phase::Asking { connect, .. } | Phase::Exchanging { connect } => connect,
            Phase::AwaitConnect | Phase::Live { .. } | Phase::Closing => unreachable!("accepted without a CONNECT"),
            Phase::Dialled { .. } | Phase::Bridged { .. } => unreachable!("accepted by a remote, not by us"),
        };
        let connect = again(&pending.packet);
        if let Some(fault) = self.no_room(&connect, &pending.client_identifier) {
            self.connection(slot).phase = Phase::Exchanging { connect: pending.clone() };
            return self.refuse(slot, fault, None, None);
        }
        let raw = self.connack_properties(&connect, &pending, &grant);
        let connack = connack(connect.version, &raw);
        if connack.encoded_bytes(connect.version) > self.connection(slot).packet_bytes_max as usize {
            self.connection(slot).phase = Phase::Exchanging { connect: pending.clone() };
            return self.refuse(slot, Fault::Refused(Refusal::AnswerTooLarge, connect.version), Some(""), None);
        }
        let before = self.log.last;
        // Only now, when the newcomer is authenticated and has room [5:MQTT-3.1.4-3] [311:MQTT-3.1.4-2].
        self.take_over(&pending.client_identifier, connect.clean_start);
        let (session, session_present) = self.continue_or_start(&connect, &pending.client_identifier);
        self.enter(slot, session, &connect, &grant);
        self.log_entry(session);
        // [5:MQTT-3.1.4-5] [311:MQTT-3.1.4-4], the first packet [311:MQTT-3.2.0-1] and the only such one
        // [5:MQTT-3.2.0-2]; Session Present says what became of the Session [5:MQTT-3.2.2-2] [5:MQTT-3.2.2-3]
        // [311:MQTT-3.2.2-1] [311:MQTT-3.2.2-2] [311:MQTT-3.2.2-3]; behind all that it says of Sessions, ended ones
        // too.
        let Packet::Connack(connack) = connack else { unreachable!("made a moment ago") };
        let lsn =
            if self.log.last > before { self.barrier() } else { self.barrier_of_ended(&pending.client_identifier) };
        self.send_behind(slot, &Packet::Connack(Connack { session_present, ..connack }), What::Connack, lsn);
        let state = &self.sessions[session];
        let event = Event::Connected {
            conn: self.connections[slot as usize].as_ref().expect("it is being accepted").id,
            client_identifier: pending.client_identifier.clone(),
            version: connect.version,
            user: state.user.clone(),
            clean_start: connect.clean_start,
            session_present,
            keep_alive_s: self.connections[slot as usize].as_ref().expect("it is being accepted").keep_alive_s,
        };
        self.outputs.push_back(Output::Event(event));
        self.pump(session);
    }

    /// Whether one more Session, or one that must be stored, can be had.
    fn no_room(&self, connect: &Connect<'_>, client_identifier: &str) -> Option<Fault> {
        let known = self.find_client(client_identifier).is_some();
        if !known && self.sessions.len() >= self.config.limits.sessions_max {
            return Some(Fault::Refused(Refusal::Sessions, connect.version));
        }
        // Who comes back to fetch what waits is welcome: it makes room.
        if !known && self.is_memory_short() {
            return Some(Fault::Refused(Refusal::Memory, connect.version));
        }
        // Its Will must survive a crash too [5:MQTT-3.1.2-7] [311:MQTT-3.1.2-8].
        let needs_log = self.granted_expiry_s(connect) > 0 || connect.will.is_some();
        (needs_log && !self.can_store()).then_some(Fault::Refused(Refusal::Storage, connect.version))
    }

    /// Ends what an older connection of the client still does, and its Session if the newcomer wants none of it.
    fn take_over(&mut self, client_identifier: &str, clean_start: bool) {
        let Some(session) = self.find_client(client_identifier) else { return };
        if let Some(old) = self.sessions[session].connection {
            self.send_disconnect(old, ReasonCode::SessionTakenOver, "", None);
            self.depart(old, session, Some(CloseReason::TakenOver), true);
        }
        // [5:MQTT-3.1.2-4] [5:MQTT-3.1.4-4] [311:MQTT-3.1.2-6] [311:MQTT-3.1.4-3]; its Will is due, as the Session
        // ends.
        if clean_start && let Some(session) = self.find_client(client_identifier) {
            self.end_session(session, SessionEnd::CleanStart);
        }
    }

    /// [5:MQTT-3.1.2-5] [5:MQTT-3.1.2-6] [311:MQTT-3.1.2-4]
    fn continue_or_start(&mut self, connect: &Connect<'_>, client_identifier: &str) -> (u32, bool) {
        if let Some(session) = self.find_client(client_identifier) {
            let state = &mut self.sessions[session];
            let timers = [state.expiry_timer.take(), state.will_timer.take()];
            state.expires_at = None;
            // A new connection continues the Session in time: the Will is not sent [5:MQTT-3.1.3-9].
            state.will_at = None;
            state.window.start_over();
            state.received.start_over();
            state.version = connect.version;
            for timer in timers {
                self.timers.cancel(timer);
            }
            return (session, true);
        }
        self.session_number += 1;
        let session = Session::new(client_identifier.into(), self.session_number, connect.version);
        (self.add_session(session), false)
    }

    fn granted_expiry_s(&self, connect: &Connect<'_>) -> u32 {
        let wish_s = match connect.version.is_v5() {
            true => connect.properties.session_expiry_interval_s().unwrap_or(0),
            // Clean Session 0 keeps the Session for as long as Sessions are kept here [311:MQTT-3.1.2-4].
            false if connect.clean_start => 0,
            false => u32::MAX,
        };
        wish_s.min(self.config.limits.session_expiry_max_s)
    }

    /// The Keep Alive in force: the client's [5:MQTT-3.2.2-22]; longer ones than allowed, and none at all, are
    /// shortened (3.2.2.3.14).
    fn granted_keep_alive_s(&self, connect: &Connect<'_>) -> u16 {
        match (connect.keep_alive_s, self.config.limits.keep_alive_max_s) {
            (wish_s, 0) => wish_s,
            (0, max_s) => max_s,
            (wish_s, max_s) => wish_s.min(max_s),
        }
    }

    /// Ties connection and Session together.
    fn enter(&mut self, slot: u32, session: u32, connect: &Connect<'_>, grant: &Grant) {
        let expiry_s = self.granted_expiry_s(connect);
        let keep_alive_s = self.granted_keep_alive_s(connect);
        let (in_flight_max, alias_max) = (self.config.limits.in_flight_max, self.config.limits.topic_alias_out_max);
        let announced = Announced::new(&self.config.limits);
        let connection = self.connection(slot);
        connection.phase = Phase::Live { session };
        connection.keep_alive_s = keep_alive_s;
        // [5:MQTT-4.9.0-1]
        let publications = connect.properties.receive_maximum().unwrap_or(u16::MAX).min(in_flight_max).max(1);
        connection.quota = Quota { publications, exchanges: in_flight_max };
        let alias_max = connect.properties.topic_alias_maximum().unwrap_or(0).min(alias_max);
        connection.aliases_out = OutboundAliases::new(alias_max);
        connection.bridge = connect.bridge;
        connection.announced = announced;
        let state = &mut self.sessions[session];
        state.connection = Some(slot);
        state.told.clear();
        state.session_expiry_interval_s = expiry_s;
        state.user = grant.user.clone();
        // Kept with the Session [5:MQTT-3.1.2-7]; without the Will Flag there is none [311:MQTT-3.1.2-12].
        let will = connect.will.map(|will| Will {
            message: Message {
                topic: will.topic.as_str().into(),
                properties: forwarded(will.properties).into(),
                payload: Bytes::copy_from_slice(will.payload),
                qos: will.qos,
                retain: will.retain,
                expires_at: None,
                publication: 0,
            },
            expiry_s: will.properties.message_expiry_interval_s(),
            delay_s: will.properties.will_delay_interval_s().unwrap_or(0),
        });
        self.replace_will(session, will);
        self.set_access(session, grant.permissions.as_ref());
        self.move_in_groups(session, true);
        self.counters.connects += 1;
        self.counters.sessions_connected += 1;
        self.counters.sessions_connected_max =
            self.counters.sessions_connected_max.max(self.counters.sessions_connected);
        self.arm_connection(slot);
    }

    /// Fills in what a client may do. `own` are permissions that its verdict gave; without, it has the broker's.
    pub(crate) fn set_access(&mut self, session: u32, own: Option<&crate::config::Permissions>) {
        let state = &mut self.sessions[session];
        let permissions = own.unwrap_or(&self.config.permissions);
        let variables = |rules: &crate::config::Rules| {
            let allowed = match &rules.allow {
                crate::config::Allowed::Everything => &[][..],
                crate::config::Allowed::Filters(filters) => filters,
            };
            allowed.iter().chain(&rules.deny).any(|filter| filter.contains('%'))
        };
        let personal = [&permissions.publish, &permissions.subscribe, &permissions.receive].into_iter().any(variables);
        state.granted = own.is_some();
        state.access = (own.is_some() || personal)
            .then(|| Box::new(Access::new(permissions, &state.client_identifier, state.user.as_deref())));
    }

    /// Tells the log about a Session that outlives its connection, and about a Will that must survive a crash.
    pub(crate) fn log_entry(&mut self, session: u32) {
        let state = &self.sessions[session];
        let needed = state.is_lasting() || state.will.is_some() || state.logged;
        if !needed || !self.is_logging() {
            return;
        }
        let state = &mut self.sessions[session];
        state.logged = true;
        state.durable |= state.is_lasting();
        let record = state.entry();
        self.append(record);
    }

    /// What CONNACK tells a 5.0 client: every limit that differs from what the standard assumes (3.2.2.3).
    fn connack_properties(&self, connect: &Connect<'_>, pending: &Pending, grant: &Grant) -> Vec<u8> {
        let mut raw = Vec::new();
        if !connect.version.is_v5() {
            return raw;
        }
        let limits = &self.config.limits;
        let expiry_s = self.granted_expiry_s(connect);
        let keep_alive_s = self.granted_keep_alive_s(connect);
        let response_information = self
            .config
            .response_information
            .as_ref()
            // Only on request [5:MQTT-3.1.2-28].
            .filter(|_| connect.properties.request_response_information().unwrap_or(false))
            .map(|information| filled_in(information, &[("%c", &pending.client_identifier)]))
            // A string of MQTT has no more bytes than that (1.5.4).
            .filter(|information| information.len() <= usize::from(u16::MAX));
        let mut put = |needed: bool, property: Property<'_>| {
            if needed {
                property.encode(&mut raw);
            }
        };
        let wished_s = connect.properties.session_expiry_interval_s().unwrap_or(0);
        put(expiry_s != wished_s, Property::SessionExpiryInterval(expiry_s));
        put(limits.receive_maximum != u16::MAX, Property::ReceiveMaximum(limits.receive_maximum));
        // [5:MQTT-3.2.2-9]
        put(limits.maximum_qos < Qos::ExactlyOnce, Property::MaximumQos(limits.maximum_qos));
        put(!limits.retain_available, Property::RetainAvailable(false));
        put(limits.packet_bytes_max != 0, Property::MaximumPacketSize(limits.packet_bytes_max));
        // [5:MQTT-3.1.3-7]
        put(pending.assigned, Property::AssignedClientIdentifier(&pending.client_identifier));
        put(limits.topic_alias_maximum > 0, Property::TopicAliasMaximum(limits.topic_alias_maximum));
        put(!limits.wildcard_subscription_available, Property::WildcardSubscriptionAvailable(false));
        put(!limits.subscription_identifiers_available, Property::SubscriptionIdentifiersAvailable(false));
        put(!limits.shared_subscription_available, Property::SharedSubscriptionAvailable(false));
        put(keep_alive_s != connect.keep_alive_s, Property::ServerKeepAlive(keep_alive_s));
        if let Some(information) = &response_information {
            put(true, Property::ResponseInformation(information));
        }
        // [5:MQTT-4.12.0-5] [5:MQTT-4.12.0-6]
        if let Some(method) = connect.properties.authentication_method() {
            put(true, Property::AuthenticationMethod(method));
            if let Some(data) = &grant.authentication_data {
                put(true, Property::AuthenticationData(data));
            }
        }
        raw
    }
}

/// A CONNACK that says yes.
fn connack(version: ProtocolVersion, raw: &[u8]) -> Packet<'_> {
    let reason = if version.is_v5() { ConnackCode::Reason(ReasonCode::Success) } else { ConnackCode::Return(0) };
    Packet::Connack(Connack { session_present: false, reason, properties: Properties::written(raw) })
}

impl Session {
    /// The record that starts or continues it.
    pub(crate) fn entry(&self) -> Record {
        Record::Entered(Box::new(Entry {
            session: self.number,
            client_identifier: self.client_identifier.clone(),
            version: self.version,
            user: self.user.clone(),
            permissions: self.access.as_ref().filter(|_| self.granted).map(|access| access.given().clone()),
            session_expiry_interval_s: self.session_expiry_interval_s,
            will: self.will.as_deref().cloned(),
            durable: self.durable,
        }))
    }
}
