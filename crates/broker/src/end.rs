//! How things end: a connection by a fault, a DISCONNECT, a takeover or a silent transport; a Session by its expiry, a
//! Clean Start or an operator. Every end passes here, so that a Will, an expiry interval and the messages of share
//! groups are never forgotten.

use alloc::vec::Vec;
use wasmqtt_codec::{
    Connack, ConnackCode, Disconnect, Packet, PacketIdentifier, PacketType, Properties, Property, ReasonCode,
};

use crate::broker::Broker;
use crate::connection::Phase;
use crate::door::{CloseReason, Event, Output, SessionEnd};
use crate::error::{Fault, Refusal, Violation};
use crate::inflight::Delivery;
use crate::inspect::Awaits;
use crate::record::Record;
use crate::session::NEVER;
use crate::timers::Timer;

impl Broker {
    /// Ends a connection because of what its client did, with the answer that its version has for it
    /// [5:MQTT-4.13.1-1] [5:MQTT-4.13.2-1] [311:MQTT-4.8.0-1].
    pub(crate) fn fault(&mut self, slot: u32, fault: Fault) {
        let connection = self.connection(slot);
        match connection.phase {
            Phase::Closing => {}
            Phase::Live { session } => {
                self.counters.faults += 1;
                self.count_refusal(fault.text());
                if matches!(fault, Fault::Refused(Refusal::SlowReader, _)) {
                    self.counters.slow_readers += 1;
                }
                self.send_disconnect(slot, fault.reason(), fault.text(), None);
                self.depart(slot, session, Some(CloseReason::Fault(fault)), true);
            }
            Phase::AwaitConnect => self.refuse_silently(slot, fault),
            // Only what came before the verdict can be at fault, and that was a whole CONNECT.
            Phase::Asking { .. } | Phase::Exchanging { .. } => self.refuse(slot, fault, None, None),
        }
    }

    /// Ends a connection that said nothing worth an answer.
    fn refuse_silently(&mut self, slot: u32, fault: Fault) {
        self.count_refusal(fault.text());
        self.counters.connections_refused += 1;
        let conn = self.connection(slot).id;
        self.outputs.push_back(Output::Event(Event::Refused { conn, client_identifier: None, fault }));
        self.close(slot, CloseReason::Fault(fault));
    }

    /// Answers a CONNECT with a CONNACK that says no [5:MQTT-3.2.2-7] [311:MQTT-3.2.2-5], with Session Present 0
    /// [5:MQTT-3.2.2-6] [311:MQTT-3.2.2-4]. What follows it is not read [5:MQTT-3.1.4-6] [311:MQTT-3.1.4-5].
    pub(crate) fn refuse(&mut self, slot: u32, fault: Fault, text: Option<&str>, server_reference: Option<&str>) {
        self.counters.connections_refused += 1;
        self.count_refusal(fault.text());
        let connection = self.connection(slot);
        let (conn, version) = (connection.id, connection.version);
        let client_identifier = match &connection.phase {
            Phase::Asking { connect, .. } | Phase::Exchanging { connect } => Some(connect.client_identifier.clone()),
            Phase::AwaitConnect | Phase::Live { .. } | Phase::Closing => None,
        };
        let reason = fault.reason();
        let reference = server_reference.filter(|_| version.is_v5()).map(Property::ServerReference);
        let other_bytes = 8 + reference.map_or(0, |reference| reference.encoded_bytes());
        let mut raw = self.explain(slot, text.unwrap_or(fault.text()), true, other_bytes);
        if let Some(reference) = reference {
            reference.encode(&mut raw);
        }
        let code = match version.is_v5() {
            // Some faults, such as time run out, CONNACK has no code for (table 3-1).
            true => reason.allowed_in(PacketType::Connack).then_some(ConnackCode::Reason(reason)),
            // A 3.x client that no return code fits is closed without a word.
            false => reason.connect_return_code().map(ConnackCode::Return),
        };
        if let Some(code) = code {
            let properties = Properties::written(&raw);
            self.send(slot, &Packet::Connack(Connack { session_present: false, reason: code, properties }));
        }
        self.outputs.push_back(Output::Event(Event::Refused { conn, client_identifier, fault }));
        self.close(slot, CloseReason::Fault(fault));
    }

    /// DISCONNECT: 0x00 takes the Will back [5:MQTT-3.14.4-3] [311:MQTT-3.14.4-3], anything else leaves it due.
    pub(crate) fn disconnect(&mut self, slot: u32, session: u32, disconnect: &Disconnect<'_>) {
        if let Some(wish_s) = disconnect.properties.session_expiry_interval_s() {
            // A Session that was to end with its connection can't be prolonged at the last moment (3.14.2.2.2).
            if wish_s > 0 && self.sessions[session].session_expiry_interval_s == 0 {
                return self.violation(slot, Violation::SessionExpiryRaised);
            }
            let granted_s = wish_s.min(self.config.limits.session_expiry_max_s);
            self.sessions[session].session_expiry_interval_s = granted_s;
        }
        let normal = disconnect.reason == ReasonCode::NORMAL_DISCONNECTION;
        self.depart(slot, session, Some(CloseReason::Client(disconnect.reason)), !normal);
    }

    /// A client leaves its Session. `why` is `None` when the transport is gone already.
    pub(crate) fn depart(&mut self, slot: u32, session: u32, why: Option<CloseReason>, will_due: bool) {
        let conn = self.connection(slot).id;
        self.rest_walks(session);
        self.connection(slot).phase = Phase::Closing;
        self.move_in_groups(session, false);
        let state = &mut self.sessions[session];
        state.connection = None;
        let client_identifier = state.client_identifier.clone();
        let session_kept = state.is_lasting();
        self.counters.sessions_connected -= 1;
        let event = Event::Disconnected { conn, client_identifier, why: why.clone(), session_kept };
        self.outputs.push_back(Output::Event(event));
        if let Some(why) = why {
            self.close(slot, why);
        }
        self.leave(session, will_due);
    }

    /// A Session loses its connection: its Will [5:MQTT-3.1.2-8] [311:MQTT-3.1.2-8] and its expiry take their course,
    /// and not before [5:MQTT-4.1.0-1] [311:MQTT-4.1.0-1] [311:MQTT-4.1.0-2].
    pub(crate) fn leave(&mut self, session: u32, will_due: bool) {
        let now = self.now;
        if !will_due {
            self.replace_will(session, None);
        }
        let state = &mut self.sessions[session];
        let expiry_s = state.session_expiry_interval_s;
        match &state.will {
            // The Will is due when its delay has passed or the Session ends, whichever is first (3.1.3.2.2).
            Some(will) if will.delay_s > 0 && expiry_s > 0 => {
                let at = now.plus_s(u64::from(will.delay_s));
                state.will_at = Some(at);
                state.will_timer = Some(self.timers.arm(at, Timer::WillDelay(session)));
            }
            Some(_) => self.publish_will(session),
            None => {}
        }
        if expiry_s == 0 {
            return self.end_session(session, SessionEnd::Expired);
        }
        let state = &mut self.sessions[session];
        // [5:MQTT-3.1.2-23]
        if expiry_s != NEVER {
            let at = now.plus_s(u64::from(expiry_s));
            state.expires_at = Some(at);
            state.expiry_timer = Some(self.timers.arm(at, Timer::SessionExpiry(session)));
        }
        if state.logged {
            let record = Record::Left {
                session: state.number,
                at: now,
                session_expiry_interval_s: expiry_s,
                will_at: state.will_at,
            };
            self.append(record);
        }
    }

    /// The Session Expiry Interval has passed [5:MQTT-4.1.0-2].
    pub(crate) fn session_expired(&mut self, session: u32) {
        self.sessions[session].expiry_timer = None;
        self.counters.sessions_expired += 1;
        self.end_session(session, SessionEnd::Expired);
    }

    /// Ends a Session and lets go of all it holds, which Retained Messages are no part of [311:MQTT-3.1.2-7]. Its Will,
    /// if it waits, is due now.
    pub(crate) fn end_session(&mut self, session: u32, why: SessionEnd) {
        self.publish_will(session);
        self.unsubscribe_all(session);
        for walk in self.sessions[session].walks.take() {
            self.forget_walk(&walk);
        }
        let state = self.sessions.remove(session).expect("a Session ends once");
        self.timers.cancel(state.expiry_timer);
        self.timers.cancel(state.will_timer);
        self.forget_client(&state.client_identifier, session);
        let client = self.client_mark(&state.client_identifier);
        let event = Event::SessionEnded { client_identifier: state.client_identifier, why };
        self.outputs.push_back(Output::Event(event));
        let mut window = state.window;
        let in_flight: Vec<_> = window.drain().collect();
        for (awaits, delivery) in in_flight {
            match awaits {
                Awaits::Puback => self.hand_over(delivery),
                // QoS 2 in flight ends with its Session [5:MQTT-4.8.2-5].
                Awaits::Pubrec | Awaits::Pubcomp => self.messages.release(delivery.message),
            }
        }
        for delivery in state.queue {
            self.hand_over(delivery);
        }
        // Last, so that a log cut anywhere has each message with the old Session or with the new one.
        if state.logged {
            self.append_ended(client, state.number);
        }
    }

    /// What a share gave to a Session that ended goes to another member (4.8.2), and only then [5:MQTT-4.8.2-4]; all
    /// else is let go.
    fn hand_over(&mut self, delivery: Delivery) {
        if let Some(share) = delivery.share {
            self.deliver_to_share(share, delivery.message);
        }
        self.messages.release(delivery.message);
    }

    /// Releases an inbound QoS 2 identifier, and the client's quota if it counted.
    pub(crate) fn release_received(&mut self, slot: u32, session: u32, identifier: PacketIdentifier) -> bool {
        let Some(counted) = self.sessions[session].received.remove(identifier) else { return false };
        let connection = self.connection(slot);
        connection.unfinished = connection.unfinished.saturating_sub(u16::from(counted));
        true
    }

    /// An operator ends a connection, and the Session if wished.
    pub(crate) fn kick(&mut self, client_identifier: &str, reason: ReasonCode, end_session: bool) -> bool {
        let Some(session) = self.find_client(client_identifier) else { return false };
        if let Some(slot) = self.sessions[session].connection {
            let reason = match reason.allowed_in(PacketType::Disconnect) {
                true => reason,
                false => ReasonCode::AdministrativeAction,
            };
            self.send_disconnect(slot, reason, "", None);
            let lasting = self.sessions[session].is_lasting();
            self.depart(slot, session, Some(CloseReason::Kicked(reason)), true);
            if end_session && lasting {
                self.end_session(session, SessionEnd::Kicked);
            }
        } else if end_session {
            self.end_session(session, SessionEnd::Kicked);
        }
        true
    }

    /// A clean end: wills without delay first, then every client is told, then every transport closed.
    pub(crate) fn stop(&mut self) {
        self.stopping = true;
        let open: Vec<u32> = self.connections.iter().flatten().map(|connection| connection.id.slot).collect();
        let live: Vec<(u32, u32)> =
            open.iter().filter_map(|&slot| Some((slot, self.connection(slot).session()?))).collect();
        for &(_, session) in &live {
            // A delay means nothing where the Session ends at once.
            let state = &self.sessions[session];
            if !state.is_lasting() || state.will.as_ref().is_some_and(|will| will.delay_s == 0) {
                self.publish_will(session);
            }
        }
        for &(slot, session) in &live {
            self.send_disconnect(slot, ReasonCode::ServerShuttingDown, "", None);
            // What is delayed stays due: a Session that lasts is continued, or not, after the restart.
            self.depart(slot, session, Some(CloseReason::Stopping), true);
        }
        for slot in open {
            match self.connection(slot).phase {
                Phase::AwaitConnect => {
                    let fault = self.refused(slot, Refusal::Stopping);
                    self.refuse_silently(slot, fault);
                }
                // A CONNECT that waits for its verdict is answered as one that comes now.
                Phase::Asking { .. } | Phase::Exchanging { .. } => {
                    let fault = self.refused(slot, Refusal::Unavailable);
                    self.refuse(slot, fault, None, None);
                }
                Phase::Live { .. } | Phase::Closing => {}
            }
        }
    }

    /// Counts a refusal under its own name; there are as many names as kinds, and no peer can make another.
    fn count_refusal(&mut self, text: &'static str) {
        match self.counters.refusals.iter_mut().find(|(name, _)| name == text) {
            Some((_, count)) => *count += 1,
            None => self.counters.refusals.push((text.into(), 1)),
        }
    }

    /// Tells the operator what a client was refused: each kind once a connection, for a client may ask for it a million
    /// times. The counters have the numbers.
    pub(crate) fn event_limit(&mut self, session: u32, refusal: Refusal) {
        self.count_refusal(refusal.text());
        let state = &mut self.sessions[session];
        if state.told.contains(&refusal) {
            return;
        }
        state.told.push(refusal);
        let client_identifier = Some(state.client_identifier.clone());
        let fault = Fault::Refused(refusal, state.version);
        self.outputs.push_back(Output::Event(Event::LimitReached { client_identifier, fault }));
    }
}
