//! Enhanced authentication (4.12): the exchange of AUTH packets before CONNACK and re-authentication after it. The core
//! knows the order of packets; the mechanism itself is the driver's, asked by questions.

use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use wasmqtt_codec::{Auth, Packet, PacketType, Properties, Property, ReasonCode, Sender};

use crate::broker::Broker;
use crate::connection::Phase;
use crate::door::{CloseReason, Event, Grant, Output, Question, Verdict};
use crate::error::{Fault, Refusal, Violation};
use crate::id::{ConnectionId, QuestionId};

impl Broker {
    /// Asks the driver. The answer finds the connection by the question.
    pub(crate) fn ask(&mut self, slot: u32, what: Question) -> QuestionId {
        self.question_number += 1;
        let question = QuestionId(self.question_number);
        let conn = self.connection(slot).id;
        self.questions.push_back((question, conn));
        self.outputs.push_back(Output::Ask { question, what });
        question
    }

    /// The connection is past caring: an answer will find nobody.
    pub(crate) fn forget_question(&mut self, slot: u32) {
        let connection = self.connection(slot);
        let asked = match connection.phase {
            Phase::Asking { question, .. } => Some(question),
            Phase::AwaitConnect | Phase::Exchanging { .. } | Phase::Live { .. } | Phase::Closing => None,
            Phase::Dialled { .. } | Phase::Bridged { .. } => None,
        };
        for question in [asked, connection.reauthentication.take()].into_iter().flatten() {
            self.take_question(question);
        }
    }

    /// Whose question it is, if it is still open.
    fn take_question(&mut self, question: QuestionId) -> Option<ConnectionId> {
        let at = self.questions.binary_search_by_key(&question, |(question, _)| *question).ok()?;
        self.questions.remove(at).map(|(_, conn)| conn)
    }

    pub(crate) fn answered(&mut self, question: QuestionId, verdict: Verdict) {
        let Some(conn) = self.take_question(question) else { return };
        let Some(slot) = self.slot(conn) else { return };
        if self.connection(slot).reauthentication == Some(question) {
            self.connection(slot).reauthentication = None;
            return self.reauthenticated(slot, verdict);
        }
        match verdict {
            Verdict::Allow(grant) => self.accept(slot, grant),
            Verdict::Continue { data } => self.continue_exchange(slot, &data),
            // At any point of an exchange [5:MQTT-4.12.0-4].
            Verdict::Refuse { reason, reason_string, server_reference } => {
                let fault = self.refused(slot, Refusal::Verdict(reason));
                self.refuse(slot, fault, reason_string.as_deref(), server_reference.as_deref());
            }
        }
        self.resume(slot);
        self.weigh(slot);
    }

    /// [5:MQTT-4.12.0-2]
    fn continue_exchange(&mut self, slot: u32, data: &[u8]) {
        let phase = core::mem::replace(&mut self.connection(slot).phase, Phase::AwaitConnect);
        let Phase::Asking { connect, .. } = phase else { unreachable!("only an open question is answered") };
        self.connection(slot).phase = Phase::Exchanging { connect };
        if self.connection(slot).method.is_none() {
            // The driver wants an exchange that the client never offered [5:MQTT-4.12.0-6].
            let fault = self.refused(slot, Refusal::NotAuthorized);
            return self.refuse(slot, fault, None, None);
        }
        self.send_auth(slot, ReasonCode::ContinueAuthentication, Some(data));
        self.arm_connection(slot);
    }

    fn send_auth(&mut self, slot: u32, reason: ReasonCode, data: Option<&[u8]>) {
        let method = self.connection(slot).method.clone().unwrap_or_default();
        let mut raw = Vec::new();
        // [5:MQTT-4.12.0-5]
        Property::AuthenticationMethod(&method).encode(&mut raw);
        if let Some(data) = data {
            Property::AuthenticationData(data).encode(&mut raw);
        }
        self.send(slot, &Packet::Auth(Auth { reason, properties: Properties::written(&raw) }));
    }

    /// A packet between CONNECT and CONNACK: only AUTH and DISCONNECT may come [5:MQTT-3.1.2-30] [5:MQTT-3.1.4-6].
    #[inline(never)]
    pub(crate) fn exchange_packet(&mut self, slot: u32, frame: &[u8]) {
        let version = self.connection(slot).version;
        match Packet::decode(frame, version, Sender::Client) {
            Ok(Packet::Auth(auth)) => self.exchange(slot, &auth),
            Ok(Packet::Disconnect(disconnect)) => self.give_up(slot, disconnect.reason),
            Ok(_) => self.violation(slot, Violation::NotAuthenticated),
            Err(error) => self.packet_fault(slot, error),
        }
    }

    /// The client ends the exchange.
    fn give_up(&mut self, slot: u32, reason: ReasonCode) {
        self.counters.connections_refused += 1;
        let connection = self.connection(slot);
        let client_identifier = match &connection.phase {
            Phase::Exchanging { connect } => Some(connect.client_identifier.clone()),
            Phase::AwaitConnect | Phase::Asking { .. } | Phase::Live { .. } | Phase::Closing => None,
            Phase::Dialled { .. } | Phase::Bridged { .. } => None,
        };
        let fault = Fault::Refused(Refusal::Verdict(reason), connection.version);
        let event = Event::Refused { conn: connection.id, client_identifier, fault };
        self.outputs.push_back(Output::Event(event));
        self.close(slot, CloseReason::Client(reason));
    }

    /// [5:MQTT-4.12.0-3]
    fn exchange(&mut self, slot: u32, auth: &Auth<'_>) {
        if let Some(violation) = self.auth_objection(slot, auth, ReasonCode::ContinueAuthentication) {
            return self.violation(slot, violation);
        }
        let phase = core::mem::replace(&mut self.connection(slot).phase, Phase::AwaitConnect);
        let Phase::Exchanging { connect } = phase else { unreachable!("AUTH is looked at in an exchange only") };
        let question = self.ask_auth(slot, connect.client_identifier.clone(), auth, false);
        self.connection(slot).phase = Phase::Asking { question, connect };
    }

    fn ask_auth(&mut self, slot: u32, client_identifier: String, auth: &Auth<'_>, again: bool) -> QuestionId {
        let connection = self.connection(slot);
        let what = Question::Authenticate {
            conn: connection.id,
            client_identifier,
            method: connection.method.clone().unwrap_or_default(),
            data: auth.properties.authentication_data().map(Bytes::copy_from_slice),
            again,
        };
        self.ask(slot, what)
    }

    fn auth_objection(&mut self, slot: u32, auth: &Auth<'_>, expected: ReasonCode) -> Option<Violation> {
        let Some(method) = self.connection(slot).method.as_deref() else {
            return Some(Violation::AuthWithoutMethod);
        };
        // [5:MQTT-4.12.0-5] [5:MQTT-4.12.1-1]
        if auth.properties.authentication_method() != Some(method) {
            return Some(Violation::AuthMethodChanged);
        }
        (auth.reason != expected).then_some(Violation::AuthOutOfTurn)
    }

    /// AUTH on a live connection: begins a re-authentication (4.12.1) or goes on with one. It blocks nothing.
    pub(crate) fn reauthenticate(&mut self, slot: u32, auth: &Auth<'_>) {
        let begun = self.connection(slot).reauthenticating;
        let expected = if begun { ReasonCode::ContinueAuthentication } else { ReasonCode::ReAuthenticate };
        let open = self.connection(slot).reauthentication.is_some();
        let objection = match self.auth_objection(slot, auth, expected) {
            // The client speaks before it is answered.
            None if open => Some(Violation::AuthOutOfTurn),
            objection => objection,
        };
        if let Some(violation) = objection {
            return self.violation(slot, violation);
        }
        let Some(session) = self.connection(slot).session() else { return };
        let client_identifier = self.sessions[session].client_identifier.clone();
        let question = self.ask_auth(slot, client_identifier, auth, !begun);
        let connection = self.connection(slot);
        connection.reauthenticating = true;
        connection.reauthentication = Some(question);
    }

    fn reauthenticated(&mut self, slot: u32, verdict: Verdict) {
        let Some(session) = self.connection(slot).session() else { return };
        match verdict {
            Verdict::Allow(Grant { user, permissions, authentication_data }) => {
                self.connection(slot).reauthenticating = false;
                self.sessions[session].user = user;
                self.set_access(session, permissions.as_ref());
                self.permissions_changed(session);
                self.send_auth(slot, ReasonCode::Success, authentication_data.as_deref());
            }
            Verdict::Continue { data } => self.send_auth(slot, ReasonCode::ContinueAuthentication, Some(&data)),
            // [5:MQTT-4.12.1-2]
            Verdict::Refuse { reason, reason_string, server_reference } => {
                self.counters.faults += 1;
                let reason = match reason.allowed_in(PacketType::Disconnect) {
                    true => reason,
                    false => ReasonCode::NotAuthorized,
                };
                let text = reason_string.unwrap_or_default();
                self.send_disconnect(slot, reason, &text, server_reference.as_deref());
                let why = CloseReason::Fault(self.refused(slot, Refusal::Verdict(reason)));
                self.depart(slot, session, Some(why), true);
            }
        }
    }

    /// What a client may do has changed: what was looked up for it is void, and the log is told.
    fn permissions_changed(&mut self, session: u32) {
        let state = &self.sessions[session];
        let record = state.logged.then(|| state.entry());
        if let Some(slot) = state.connection {
            self.connection(slot).cache = None;
        }
        if let Some(record) = record {
            self.append(record);
        }
    }
}
