//! Retained Messages: the last message of a topic, kept for Subscriptions yet to come (3.3.1.3). New Subscriptions are
//! served by walks that rest when the client has enough to read and go on when it has read, so that a million Retained
//! Messages cost a subscriber's connection no more memory than its outbox may have. A walk belongs to the Session: it
//! outlives the connection, and the log knows it, so that a crash ends it neither.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wasmqtt_codec::Qos;

use crate::broker::Broker;
use crate::by_number::{ByNumber, NumberByNumber, Numbers};
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
    /// Few have one, and nodes are many: it lies elsewhere.
    expiry: Option<Box<TimerKey>>,
}

/// The Retained Messages that a new Subscription is still owed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Walk {
    /// The node of its Topic Filter among Subscriptions; names the walk.
    subscription: u32,
    filter: String,
    qos: Qos,
    identifier: u32,
    /// Messages published later were sent as they came.
    upto: u64,
    /// The node that the walk rests on, pinned.
    at: Option<u32>,
    /// Its place among the walks of its Session.
    order: u64,
    /// Whether the log knows it.
    logged: bool,
    /// Publications that it had handed over before a crash, after which the tree has another order and it begins anew.
    done: Numbers,
}

/// What is counted for a walk beside its Topic Filter, and for each publication that it remembers.
const WALK_BYTES: u64 = 256;
const DONE_BYTES: u64 = 32;

impl Walk {
    pub(crate) fn new(subscription: u32, filter: &str, qos: Qos, identifier: u32, upto: u64) -> Self {
        let (at, order, logged, done) = (None, 0, false, Numbers::default());
        Walk { subscription, filter: filter.into(), qos, identifier, upto, at, order, logged, done }
    }

    /// What it counts for among the bytes of Sessions.
    pub(crate) fn bytes(&self) -> u64 {
        WALK_BYTES + self.filter.len() as u64 + DONE_BYTES * self.done.len() as u64
    }

    /// The node of its Topic Filter among Subscriptions.
    pub(crate) fn subscription(&self) -> u32 {
        self.subscription
    }

    pub(crate) fn is_logged(&self) -> bool {
        self.logged
    }

    fn identifiers(&self) -> Identifiers {
        if self.identifier == 0 { Identifiers::None } else { Identifiers::One(self.identifier) }
    }
}

/// The walks of one Session, oldest first, at most one for each Subscription.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Walks {
    begun: u64,
    /// None at all most of the time, and then no memory either: an emptied tree would keep its last node.
    underway: Option<Box<Underway>>,
}

#[derive(Clone, Debug, Default)]
struct Underway {
    /// Walks by the node of their Topic Filter.
    by_subscription: ByNumber<Walk>,
    /// The same nodes by their walks' places.
    by_order: NumberByNumber,
}

/// Saved as walks by their places, and places by the nodes of Topic Filters.
impl Serialize for Underway {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let by_order: Vec<(u64, &Walk)> = self.iter().map(|walk| (walk.order, walk)).collect();
        let by_subscription: Vec<(u64, u64)> =
            self.by_subscription.iter().map(|(subscription, walk)| (*subscription, walk.order)).collect();
        (by_order, by_subscription).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Underway {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (walks, _) = <(Vec<(u64, Box<Walk>)>, Vec<(u64, u64)>)>::deserialize(deserializer)?;
        let mut underway = Underway::default();
        walks.into_iter().for_each(|(_, walk)| underway.insert(walk));
        Ok(underway)
    }
}

impl Underway {
    fn insert(&mut self, walk: Box<Walk>) {
        self.by_order.insert(walk.order, walk.subscription);
        self.by_subscription.insert(walk.subscription.into(), walk);
    }

    /// Walks in their order.
    fn iter(&self) -> impl Iterator<Item = &Walk> {
        self.by_order.values().filter_map(|subscription| Some(&**self.by_subscription.get(&(*subscription).into())?))
    }
}

/// None of this is inlined: it is rare, and would be in the way of every PUBLISH.
impl Walks {
    #[inline(never)]
    fn push_back(&mut self, mut walk: Walk) {
        self.begun += 1;
        walk.order = self.begun;
        self.put_back(walk.into());
    }

    /// Whether nothing is left to be sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.underway.is_none()
    }

    /// How many Subscriptions are still owed Retained Messages.
    pub(crate) fn len(&self) -> usize {
        self.iter().count()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Walk> {
        self.underway.iter().flat_map(|underway| underway.iter())
    }

    fn first_mut(&mut self) -> Option<&mut Walk> {
        let Underway { by_subscription, by_order } = &mut **self.underway.as_mut()?;
        let (_, subscription) = by_order.first_key_value()?;
        by_subscription.get_mut(&(*subscription).into()).map(|walk| &mut **walk)
    }

    /// Takes all of them out.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Box<Walk>> + use<> {
        let mut walks = Walks { begun: self.begun, underway: self.underway.take() };
        core::iter::from_fn(move || walks.pop_front())
    }

    /// Puts one back where it was.
    #[inline(never)]
    fn put_back(&mut self, walk: Box<Walk>) {
        self.underway.get_or_insert_default().insert(walk);
    }

    #[inline(never)]
    fn pop_front(&mut self) -> Option<Box<Walk>> {
        let (_, &first) = self.underway.as_ref()?.by_order.first_key_value()?;
        self.remove(first)
    }

    #[inline(never)]
    fn remove(&mut self, subscription: u32) -> Option<Box<Walk>> {
        let underway = self.underway.as_mut()?;
        let walk = underway.by_subscription.remove(&subscription.into())?;
        underway.by_order.remove(&walk.order);
        if underway.by_order.is_empty() {
            self.underway = None;
        }
        Some(walk)
    }
}

/// What a step of a walk found.
enum Step {
    /// A message that is due.
    Message(MessageId),
    /// A node that has nothing for this client.
    Nothing,
}

/// What a step of a walk counts against the turn, so that looking for messages is bounded as sending them is.
const STEP_BYTES: u32 = 64;

impl Broker {
    /// Whether one more Retained Message can be kept.
    pub(crate) fn may_retain(&self, message: &Outgoing<'_>) -> Result<(), Refusal> {
        if message.payload.is_empty() {
            return Ok(());
        }
        let (limits, counters) = (&self.config.limits, &self.counters);
        let fits = |count: u64, bytes: u64| {
            let bytes = bytes + message.kept_bytes();
            count < u64::from(limits.retained_messages_max) && bytes <= limits.retained_bytes_max
        };
        if !fits(counters.retained, counters.retained_bytes) {
            // What it replaces makes room; that is looked up only if it decides.
            let replaced = self.retained.find(message.topic).and_then(|node| self.retained.value(node));
            let replaced_bytes = replaced.map(|old| self.messages.get(old.message).bytes());
            let count = counters.retained - u64::from(replaced.is_some());
            if !fits(count, counters.retained_bytes - replaced_bytes.unwrap_or(0)) {
                return Err(Refusal::Retained);
            }
        }
        if self.is_memory_short() {
            return Err(Refusal::Memory);
        }
        Ok(())
    }

    /// Keeps a message for its topic, or removes what is kept if it is empty [5:MQTT-3.3.1-5] [5:MQTT-3.3.1-6]
    /// [5:MQTT-3.3.1-7] [311:MQTT-3.3.1-5] [311:MQTT-3.3.1-7] [311:MQTT-3.3.1-10] [311:MQTT-3.3.1-11]. Says whether
    /// anything changed. The caller has asked `may_retain`, unless the log says that it was granted once.
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
        let expiry = message.expires_at.map(|at| self.timers.arm(at, Timer::RetainedExpiry(node)).into());
        self.counters.retained_bytes += self.messages.get(id).bytes();
        match self.retained.value_mut(node).replace(Retained { message: id, expiry }) {
            None => self.counters.retained += 1,
            Some(old) => self.let_go_retained(&old),
        }
        true
    }

    fn let_go_retained(&mut self, old: &Retained) {
        self.counters.retained_bytes -= self.messages.get(old.message).bytes();
        self.timers.cancel(old.expiry.as_deref().copied());
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
        self.remove_retained(node);
    }

    /// A new Subscription is owed what is retained. Asking again begins again, so that walks never outnumber
    /// Subscriptions.
    #[inline(never)]
    pub(crate) fn start_walk(&mut self, session: u32, mut walk: Walk) {
        self.log_walk(session, &mut walk);
        self.begin_walk(session, walk);
    }

    fn begin_walk(&mut self, session: u32, walk: Walk) {
        let old = self.sessions[session].walks.remove(walk.subscription);
        if let Some(old) = old {
            self.forget_walk(&old);
            if !walk.logged {
                // Otherwise the new one's record has replaced it.
                self.log_walked(session, &old);
            }
        }
        self.session_bytes += walk.bytes();
        self.sessions[session].walks.push_back(walk);
    }

    /// The Subscription is gone, and the log knows that.
    #[inline(never)]
    pub(crate) fn stop_walk(&mut self, session: u32, subscription: u32) {
        if let Some(walk) = self.sessions[session].walks.remove(subscription) {
            self.forget_walk(&walk);
        }
    }

    /// Goes on with walks as far as the client and the turn take it.
    #[inline(never)]
    pub(crate) fn walk_retained(&mut self, slot: u32, session: u32) {
        let limit = u64::from(self.config.limits.outbox_bytes_max);
        while let Some(mut walk) = self.sessions[session].walks.pop_front() {
            if self.connection(slot).owed_bytes() > limit {
                // `Sent` or `Stored` comes back to it.
                return self.sessions[session].walks.put_back(walk);
            }
            if self.turn_bytes >= self.config.limits.turn_bytes_max {
                self.sessions[session].walks.put_back(walk);
                return self.join_backlog(slot);
            }
            let Some((node, step)) = self.step(session, &walk) else {
                self.forget_walk(&walk);
                self.log_walked(session, &walk);
                continue;
            };
            if let Step::Message(id) = step {
                let qos = self.messages.get(id).qos.min(walk.qos);
                if !self.send_retained(slot, session, &walk, id, qos) {
                    // An acknowledgement comes back to it.
                    return self.sessions[session].walks.put_back(walk);
                }
            }
            self.retained.pin(node);
            if let Some(old) = walk.at.replace(node) {
                self.retained.unpin(old);
            }
            self.sessions[session].walks.put_back(walk);
        }
    }

    /// One node further; `None` at the end.
    fn step(&mut self, session: u32, walk: &Walk) -> Option<(u32, Step)> {
        self.turn_bytes = self.turn_bytes.saturating_add(STEP_BYTES);
        let (node, matches) = self.retained.next_topic(&walk.filter, walk.at)?;
        let access = self.sessions[session].access.as_deref().unwrap_or(&self.access);
        let due = self.retained.value(node).filter(|_| matches).map(|retained| retained.message).filter(|id| {
            let message = self.messages.get(*id);
            let new = message.publication > walk.upto;
            !new && !walk.done.contains(message.publication)
                && !message.outgoing().is_expired(self.now)
                && access.may_receive(&message.topic)
        });
        Some((node, due.map_or(Step::Nothing, Step::Message)))
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
            self.trace_retained(session, walk, id, qos, How::Sent);
            self.pump_queue(slot, session);
            return true;
        }
        if let Some(bridge) = self.sessions[session].bridge {
            self.retained_to_remote(bridge, slot, session, id);
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
            Outcome::Sent | Outcome::Queued => self.trace_retained(session, walk, id, qos, How::Sent),
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

    /// A client leaves before it got all: what it is owed with QoS 1 or 2 stays owed to a Session that lasts, and the
    /// walk goes on when it is continued.
    pub(crate) fn rest_walks(&mut self, session: u32) {
        let lasting = self.sessions[session].is_lasting();
        for walk in self.sessions[session].walks.take() {
            match lasting && walk.qos > Qos::AtMostOnce {
                true => self.sessions[session].walks.put_back(walk),
                false => self.forget_walk(&walk),
            }
        }
    }

    /// Lets go of what a walk holds.
    pub(crate) fn forget_walk(&mut self, walk: &Walk) {
        self.session_bytes -= walk.bytes();
        if let Some(node) = walk.at {
            self.retained.unpin(node);
        }
    }

    /// What the log must know of a walk that begins: SUBACK says that its messages will come, and a crash may not make
    /// that a lie [5:MQTT-3.3.1-9]. Nothing if there is nothing to send.
    fn log_walk(&mut self, session: u32, walk: &mut Walk) {
        let state = &self.sessions[session];
        walk.logged = self.is_logging()
            && state.is_durable()
            && walk.qos > Qos::AtMostOnce
            && self.retained.next_topic(&walk.filter, None).is_some();
        if walk.logged {
            let record = self.owed_record(state.number, walk);
            self.append(record);
        }
    }

    fn log_walked(&mut self, session: u32, walk: &Walk) {
        if walk.logged {
            let session = self.sessions[session].number;
            self.append(Record::Walked { session, filter: walk.filter.clone() });
        }
    }

    /// How the log writes down a walk, as far as it has come.
    pub(crate) fn owed_record(&self, session: u64, walk: &Walk) -> Record {
        let mut done = Numbers::default();
        let (mut from, mut passed) = (None, walk.at.is_some());
        while (passed || !walk.done.is_empty())
            && let Some((node, matches)) = self.retained.next_topic(&walk.filter, from)
        {
            let message = self.retained.value(node).filter(|_| matches).map(|kept| self.messages.get(kept.message));
            if let Some(message) = message.filter(|message| message.qos > Qos::AtMostOnce)
                && (passed && message.publication <= walk.upto || walk.done.contains(message.publication))
            {
                done.insert(message.publication);
            }
            passed &= Some(node) != walk.at;
            from = Some(node);
        }
        let Walk { filter, qos, identifier, upto, .. } = walk;
        Record::Owed {
            session,
            filter: filter.clone(),
            qos: *qos,
            identifier: *identifier,
            upto: *upto,
            done: done.to_vec(),
        }
    }

    /// Takes a walk up as the log knew it; `None` if there is no such Subscription.
    pub(crate) fn restore_walk(&mut self, session: u32, mut walk: Walk, done: &[u64]) -> Option<()> {
        let node = self.subscriptions.find(&walk.filter)?;
        self.sessions[session].find(node, None).ok()?;
        (walk.subscription, walk.logged) = (node, true);
        for &publication in done {
            walk.done.insert(publication);
        }
        // Numbers that were given out before the crash and left no record must not seem new or old to it.
        self.publications = self.publications.max(walk.upto);
        self.begin_walk(session, walk);
        Some(())
    }

    /// While replaying: a walk that was underway has handed over this message.
    pub(crate) fn replay_walk_step(&mut self, session: u32, publication: u64) {
        if let Some(walk) = self.sessions[session].walks.first_mut()
            && publication <= walk.upto
            && walk.done.insert(publication)
        {
            self.session_bytes += DONE_BYTES;
        }
    }

    /// While replaying: a walk has come to its end, or its Subscription has.
    pub(crate) fn restore_walk_end(&mut self, session: u32, filter: &str) {
        if let Some(node) = self.subscriptions.find(filter)
            && let Some(walk) = self.sessions[session].walks.remove(node)
        {
            self.forget_walk(&walk);
        }
    }

    fn trace_retained(&mut self, session: u32, walk: &Walk, id: MessageId, qos: Qos, how: How) {
        if !self.config.trace {
            return;
        }
        let client_identifier = self.sessions[session].client_identifier.clone();
        let filter = walk.filter.clone();
        let publication = self.messages.get(id).publication;
        let trace = Trace::Delivered { publication, client_identifier, filter, qos, retained: true, how };
        self.outputs.push_back(crate::door::Output::Trace(trace));
    }
}
