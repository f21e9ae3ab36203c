//! What an operator, a page or a test may wish of a running broker, and what they may look at.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use wasmqtt_codec::{PacketIdentifier, Qos, ReasonCode, TopicName};

use crate::broker::Broker;
use crate::door::{Command, Output, Reply};
use crate::id::CommandId;
use crate::inflight::Delivery;
use crate::inspect::{Counters, InFlightView, MessageView, Page, SessionView, Subject, SubscriptionView};
use crate::message::{Message, Outgoing};
use crate::permission::Access;
use crate::route::Matches;

impl Broker {
    pub(crate) fn command(&mut self, id: CommandId, command: Command) {
        let reply = match command {
            Command::Publish { topic, payload, qos, retain } => self.publish_own(&topic, &payload, qos, retain),
            Command::Kick { client_identifier, reason, end_session } => {
                let known = self.kick(&client_identifier, reason, end_session);
                if known { Reply::Done } else { Reply::Refused(ReasonCode::ClientIdentifierNotValid) }
            }
            Command::SetLimits(limits) => {
                self.config.limits = limits.within_reason();
                self.note_longest_queue();
                self.forget_topics();
                Reply::Done
            }
            Command::SetPermissions(permissions) => {
                self.access = Access::new(&permissions, "", None);
                self.config.permissions = permissions;
                self.renew_access();
                Reply::Done
            }
            Command::Inspect { subject, skip, limit } => self
                .inspect(&subject, skip, limit)
                .map_or(Reply::Refused(ReasonCode::ClientIdentifierNotValid), Reply::Page),
            Command::Count => Reply::Counters(Box::new(self.counters())),
            Command::Digest => Reply::Digest(self.digest()),
            Command::Save => {
                let mut saved = Vec::new();
                self.save(&mut saved);
                Reply::Saved(saved)
            }
            Command::Stop => {
                self.stop();
                Reply::Done
            }
            Command::AddBridge(config) => self.add_bridge(*config),
            Command::RemoveBridge { name } => match self.remove_bridge(&name) {
                true => Reply::Done,
                false => Reply::Refused(ReasonCode::ClientIdentifierNotValid),
            },
            Command::SetTrace(on) => {
                self.config.trace = on;
                Reply::Done
            }
        };
        self.outputs.push_back(Output::Reply { id, reply });
    }

    /// Limits that are new to this broker drop nothing of what is there.
    pub(crate) fn note_longest_queue(&mut self) {
        self.longest_queue_left = self.sessions.iter().map(|(_, state)| state.queue.len()).max().unwrap_or(0) as u32;
    }

    /// A topic that a connection published to is looked at again: it may have more levels than are allowed now.
    fn forget_topics(&mut self) {
        for connection in self.connections.iter_mut().flatten() {
            connection.cache = None;
        }
    }

    fn publish_own(&mut self, topic: &str, payload: &bytes::Bytes, qos: Qos, retain: bool) -> Reply {
        if TopicName::parse(topic).is_err() {
            return Reply::Refused(ReasonCode::TopicNameInvalid);
        }
        let mut message = Outgoing {
            topic,
            properties: &[],
            payload,
            shared: Some(payload),
            frame: None,
            qos,
            retain,
            expires_at: None,
            publication: 0,
        };
        if retain && let Err(refusal) = self.may_retain(&message) {
            self.counters.retained_refused += 1;
            return Reply::Refused(refusal.reason());
        }
        let mut matches = Matches::default();
        self.matches(topic, None, &mut matches);
        self.publish_message(&mut message, None, None, retain, &matches);
        Reply::Done
    }

    /// New permissions of the broker reach every Session that has none of its own.
    fn renew_access(&mut self) {
        for session in 0..self.sessions.end() {
            let Some(state) = self.sessions.get(session).filter(|state| !state.granted) else { continue };
            let slot = state.connection;
            self.set_access(session, None);
            if let Some(slot) = slot {
                self.connection(slot).cache = None;
            }
        }
    }

    /// All counters, and the gauges of now.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters {
            sessions: u64::from(self.sessions.len()),
            bridges: self.bridges.iter().count() as u64,
            bridges_connected: self.bridges.iter().filter(|(_, bridge)| bridge.link().is_some()).count() as u64,
            messages_kept: u64::from(self.messages.len()),
            messages_kept_bytes: self.messages.bytes(),
            outbox_bytes: self.outbox_bytes,
            memory_bytes: self.memory_bytes(),
            ..self.counters.clone()
        }
    }

    /// What is counted against `memory_bytes_max`: what is kept, byte by byte where a peer decides how many there
    /// are, and a fair share for each thing that takes room.
    pub(crate) fn memory_bytes(&self) -> u64 {
        const CONNECTION_BYTES: u64 = 600;
        const SESSION_BYTES: u64 = 1_500;
        const SUBSCRIPTION_BYTES: u64 = 140;
        self.messages.memory_bytes()
            + self.outbox_bytes
            + self.connection_bytes
            + self.session_bytes
            + self.subscriptions.memory_bytes()
            + self.retained.memory_bytes()
            + self.counters.connections * CONNECTION_BYTES
            + u64::from(self.sessions.len()) * SESSION_BYTES
            + self.counters.subscriptions * SUBSCRIPTION_BYTES
    }

    /// What [`Command::Inspect`] shows, without the way through the door; `None` if there is no such Session. Looking
    /// changes nothing.
    #[must_use]
    pub fn inspect(&self, subject: &Subject, skip: u32, limit: u32) -> Option<Page> {
        let (skip, limit) = (skip as usize, limit as usize);
        let session =
            |client_identifier: &String| self.find_client(client_identifier).map(|session| &self.sessions[session]);
        let page = match subject {
            Subject::Sessions => {
                let sessions = self.sessions.iter().skip(skip).take(limit);
                Page::Sessions(sessions.map(|(session, _)| self.session_view(session)).collect())
            }
            Subject::Subscriptions { client_identifier } => {
                let subscriptions = session(client_identifier)?.subscriptions.iter().skip(skip).take(limit);
                let view = |subscription: &crate::session::Subscription| SubscriptionView {
                    filter: self.whole_filter(subscription),
                    options: subscription.options,
                    identifier: (subscription.identifier != 0).then_some(subscription.identifier),
                };
                Page::Subscriptions(subscriptions.map(view).collect())
            }
            Subject::InFlight { client_identifier } => {
                let in_flight = session(client_identifier)?.window.iter().skip(skip).take(limit);
                let view =
                    |(identifier, awaits, _, delivery): (PacketIdentifier, _, _, Option<&Delivery>)| InFlightView {
                        packet_identifier: identifier.get(),
                        awaits,
                        message: delivery.map(|delivery| self.delivery_view(delivery)),
                    };
                Page::InFlight(in_flight.map(view).collect())
            }
            Subject::Queue { client_identifier } => {
                let queue = session(client_identifier)?.queue.iter().skip(skip).take(limit);
                Page::Queue(queue.map(|delivery| self.delivery_view(delivery)).collect())
            }
            Subject::Bridges => Page::Bridges(self.bridge_views(skip, limit)),
            Subject::Retained { filter } => Page::Retained(self.retained_views(filter, skip, limit)),
        };
        Some(page)
    }

    fn retained_views(&self, filter: &str, skip: usize, limit: usize) -> Vec<MessageView> {
        let next = |at: &Option<u32>| self.retained.next_topic_matching(filter, *at);
        let nodes = core::iter::successors(next(&None), |node| next(&Some(*node)));
        let messages = nodes.filter_map(|node| Some(self.messages.get(self.retained.value(node)?.message)));
        messages.skip(skip).take(limit).map(|message| view(message, message.qos, true)).collect()
    }

    fn delivery_view(&self, delivery: &Delivery) -> MessageView {
        view(self.messages.get(delivery.message), delivery.qos, delivery.retain)
    }

    fn session_view(&self, session: u32) -> SessionView {
        let state = &self.sessions[session];
        let connection = state.connection.and_then(|slot| self.connections[slot as usize].as_ref());
        SessionView {
            client_identifier: state.client_identifier.clone(),
            user: state.user.clone(),
            version: state.version,
            conn: connection.map(|connection| connection.id),
            session_expiry_interval_s: state.session_expiry_interval_s,
            expires_at: state.expires_at,
            will_at: state.will_at,
            subscriptions: state.subscriptions.len() as u32,
            queued: state.queue.len() as u32,
            in_flight: u32::from(state.window.len()),
            walks: state.walks.len() as u32,
            receive_maximum: connection.map_or(0, |connection| connection.quota.publications),
            received_qos2: state.received.len(),
            keep_alive_s: connection.map_or(0, |connection| connection.keep_alive_s),
            last_packet_at: connection.map(|connection| connection.last_packet_at),
        }
    }
}

fn view(message: &Message, qos: Qos, retain: bool) -> MessageView {
    MessageView {
        topic: message.topic.to_string(),
        qos,
        retain,
        payload: message.payload.clone(),
        properties: message.properties.clone(),
        expires_at: message.expires_at,
    }
}
