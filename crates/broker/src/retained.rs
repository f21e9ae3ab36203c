//! Retained Messages: the last message of a topic, kept for Subscriptions yet to come (3.3.1.3). New Subscriptions are
//! served by walks that rest when the client has enough to read and go on when it has read, so that a million Retained
//! Messages cost a subscriber's connection no more memory than its outbox may have.

use alloc::string::String;
use serde::{Deserialize, Serialize};
use wasmqtt_codec::Qos;

use crate::broker::Broker;
use crate::error::Refusal;
use crate::inflight::{Delivery, Identifiers};
use crate::message::{MessageId, Outgoing};
use crate::record::{Record, Stored};
use crate::route::Outcome;
use crate::timers::{Timer, TimerKey};
use crate::trace::{Delivery as How, Trace};

/// What a topic keeps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Retained {
    pub message: MessageId,
    expiry: Option<TimerKey>,
}

/// The Retained Messages that a new Subscription is still owed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Walk {
    filter: String,
    qos: Qos,
    identifier: u32,
    /// Messages published later were sent as they came.
    upto: u64,
    /// The node that the walk rests on, pinned.
    at: Option<u32>,
}

impl Walk {
    pub(crate) fn new(filter: &str, qos: Qos, identifier: u32, upto: u64) -> Self {
        Walk { filter: filter.into(), qos, identifier, upto, at: None }
    }

    fn identifiers(&self) -> Identifiers {
        if self.identifier == 0 { Identifiers::None } else { Identifiers::One(self.identifier) }
    }
}

impl Broker {
    /// Whether one more Retained Message can be kept.
    pub(crate) fn may_retain(&self, message: &Outgoing<'_>) -> Result<(), Refusal> {
        if message.payload.is_empty() {
            return Ok(());
        }
        let (limits, counters) = (&self.config.limits, &self.counters);
        let replaces = self.retained.find(message.topic).and_then(|node| self.retained.value(node));
        let old_bytes = replaces.map_or(0, |old| self.messages.get(old.message).bytes());
        let bytes = counters.retained_bytes - old_bytes + message.payload.len() as u64;
        let count = counters.retained + u64::from(replaces.is_none());
        if count > u64::from(limits.retained_messages_max) || bytes > limits.retained_bytes_max {
            return Err(Refusal::Retained);
        }
        if self.is_memory_short() {
            return Err(Refusal::Memory);
        }
        Ok(())
    }

    /// Keeps a message for its topic, or removes what is kept if it is empty [5:MQTT-3.3.1-5] [5:MQTT-3.3.1-6]
    /// [5:MQTT-3.3.1-7] [311:MQTT-3.3.1-5] [311:MQTT-3.3.1-10] [311:MQTT-3.3.1-11]. Says whether anything changed. The
    /// caller has asked `may_retain`, unless the log says that it was granted once.
    pub(crate) fn retain(&mut self, message: &Outgoing<'_>, kept: &mut Option<MessageId>) -> bool {
        if message.payload.is_empty() {
            return self.retained.find(message.topic).is_some_and(|node| self.remove_retained(node));
        }
        let id = match *kept {
            Some(id) => id,
            None => *kept.insert(self.messages.put(message.to_message())),
        };
        let id = self.messages.share(id);
        let node = self.retained.insert(message.topic);
        let expiry = message.expires_at.map(|at| self.timers.arm(at, Timer::RetainedExpiry(node)));
        self.counters.retained_bytes += self.messages.get(id).bytes();
        match self.retained.value_mut(node).replace(Retained { message: id, expiry }) {
            None => self.counters.retained += 1,
            Some(old) => self.let_go_retained(&old),
        }
        true
    }

    fn let_go_retained(&mut self, old: &Retained) {
        self.counters.retained_bytes -= self.messages.get(old.message).bytes();
        self.timers.cancel(old.expiry);
        self.messages.release(old.message);
    }

    fn remove_retained(&mut self, node: u32) -> bool {
        let Some(old) = self.retained.value_mut(node).take() else { return false };
        self.let_go_retained(&old);
        self.counters.retained -= 1;
        self.retained.prune(node);
        true
    }

    /// A Retained Message has expired. The log need not be told: what it keeps has its time with it.
    pub(crate) fn retained_expired(&mut self, node: u32) {
        self.counters.dropped_expired += 1;
        self.remove_retained(node);
    }

    /// A new Subscription is owed what is retained. Asking again begins again, so that walks never outnumber filters.
    pub(crate) fn start_walk(&mut self, slot: u32, walk: Walk) {
        self.stop_walks(slot, &walk.filter);
        self.connection(slot).walks.push_back(walk);
    }

    pub(crate) fn stop_walks(&mut self, slot: u32, filter: &str) {
        let walks = &mut self.connection(slot).walks;
        if let Some(at) = walks.iter().position(|walk| walk.filter == filter)
            && let Some(Walk { at: Some(node), .. }) = walks.remove(at)
        {
            self.retained.unpin(node);
        }
    }

    /// Goes on with walks as far as the client takes it.
    pub(crate) fn walk_retained(&mut self, slot: u32, session: u32) {
        let limit = u64::from(self.config.limits.outbox_bytes_max);
        while let Some(mut walk) = self.connection(slot).walks.pop_front() {
            let connection = self.connection(slot);
            let (full, idle) = (connection.outbox.len() > limit, connection.outbox.is_empty());
            if full || self.turn_bytes >= self.config.limits.turn_bytes_max {
                self.connection(slot).walks.push_front(walk);
                // A full outbox comes back with `Sent`; one that is empty would never be heard of again.
                if idle {
                    self.join_backlog(slot);
                }
                return;
            }
            let Some((node, id)) = self.next_retained(session, &walk) else {
                if let Some(node) = walk.at {
                    self.retained.unpin(node);
                }
                continue;
            };
            let qos = self.messages.get(id).qos.min(walk.qos);
            if !self.send_retained(slot, session, &walk, id, qos) {
                self.connection(slot).walks.push_front(walk);
                return;
            }
            self.retained.pin(node);
            if let Some(old) = walk.at.replace(node) {
                self.retained.unpin(old);
            }
            self.connection(slot).walks.push_front(walk);
        }
    }

    /// The next message of a walk that its Session may and should have.
    fn next_retained(&self, session: u32, walk: &Walk) -> Option<(u32, MessageId)> {
        let access = self.sessions[session].access.as_deref().unwrap_or(&self.access);
        let mut at = walk.at;
        loop {
            let node = self.retained.next_topic_matching(&walk.filter, at)?;
            at = Some(node);
            let Some(retained) = self.retained.value(node) else { continue };
            let message = self.messages.get(retained.message);
            let due = message.publication <= walk.upto && !message.outgoing().is_expired(self.now);
            if due && access.may_receive(&message.topic) {
                return Some((node, retained.message));
            }
        }
    }

    /// Sends one Retained Message with RETAIN 1 [311:MQTT-3.3.1-8]; `false` if the client can't take it yet.
    fn send_retained(&mut self, slot: u32, session: u32, walk: &Walk, id: MessageId, qos: Qos) -> bool {
        if qos > Qos::AtMostOnce {
            let quota = self.connection(slot).quota;
            let state = &self.sessions[session];
            if !state.queue.is_empty() || !state.window.has_room(quota) {
                return false;
            }
            self.queue_retained(session, walk, id, qos);
            self.trace_retained(session, walk, id, qos);
            self.pump_queue(slot, session);
            return true;
        }
        let message = self.messages.get(id).clone();
        let connection = self.connection(slot);
        let identifiers = walk.identifiers();
        let form = connection.form(qos, true, identifiers.as_slice(), &message.topic);
        let mut frames = core::mem::take(&mut self.frames);
        frames.start();
        let outcome = self.write_publish(slot, session, &message.outgoing(), form, &mut frames);
        self.frames = frames;
        match outcome {
            Outcome::Not(why) => self.count_drop(session, &why),
            Outcome::Sent | Outcome::Queued => self.trace_retained(session, walk, id, qos),
        }
        true
    }

    fn queue_retained(&mut self, session: u32, walk: &Walk, id: MessageId, qos: Qos) {
        let message = self.messages.share(id);
        let identifiers = walk.identifiers();
        let delivery = Delivery { message, sequence: 0, qos, retain: true, identifiers, share: None };
        if let Some(entry) = self.push_delivery(session, delivery) {
            // The log may know the message as retained already, or, from `$SYS`, not at all; the same publication
            // twice is one message.
            let message = self.messages.get(id).clone();
            let queued_for = [entry].into();
            let stored = Stored { message, received: None, queued_for, retained: false };
            self.append(Record::Published(stored.into()));
        }
    }

    /// A client leaves before it got all: what was owed with QoS 1 or 2 goes into a lasting Session's queue.
    pub(crate) fn keep_walks(&mut self, slot: u32, session: u32) {
        while let Some(mut walk) = self.connection(slot).walks.pop_front() {
            let pinned = walk.at;
            while self.sessions[session].is_lasting() && walk.qos > Qos::AtMostOnce {
                let Some((node, id)) = self.next_retained(session, &walk) else { break };
                walk.at = Some(node);
                let message = self.messages.get(id).clone();
                let qos = message.qos.min(walk.qos);
                if qos == Qos::AtMostOnce {
                    continue;
                }
                if let Err(why) = self.room_in_queue(session, &message.outgoing()) {
                    self.count_drop(session, &why);
                    break;
                }
                self.queue_retained(session, &walk, id, qos);
            }
            if let Some(node) = pinned {
                self.retained.unpin(node);
            }
        }
    }

    fn trace_retained(&mut self, session: u32, walk: &Walk, id: MessageId, qos: Qos) {
        if !self.config.trace {
            return;
        }
        let client_identifier = self.sessions[session].client_identifier.clone();
        let filter = walk.filter.clone();
        let publication = self.messages.get(id).publication;
        let trace = Trace::Delivered { publication, client_identifier, filter, qos, retained: true, how: How::Sent };
        self.outputs.push_back(crate::door::Output::Trace(trace));
    }
}
