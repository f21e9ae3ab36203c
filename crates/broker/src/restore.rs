//! From records to state and back: what a broker knows after a crash, and the shortest log that says it. Every
//! connection that was open counts as lost at the restart: its Will and its expiry take their course from there.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use wasmqtt_codec::PacketIdentifier;

use crate::broker::Broker;
use crate::by_number::ByNumber;
use crate::config::Config;
use crate::durable::Log;
use crate::id::{Lsn, Seed};
use crate::inflight::{Delivery, Identifiers, Restored};
use crate::inspect::Awaits;
use crate::message::{Message, MessageId};
use crate::record::{Entry, QueuedFor, Record, Stored};
use crate::retained::{Retained, Walk};
use crate::session::{NEVER, Session};
use crate::time::Time;
use crate::timers::Timer;

/// Why a log could not be replayed: it is not what this core wrote.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RestoreError {
    /// A record names a Session that none before it started.
    UnknownSession(Lsn),
    /// A record names a delivery that none before it queued.
    UnknownDelivery(Lsn),
    /// A Topic Filter or Topic Name isn't one.
    InvalidTopic(Lsn),
    /// A record comes before its time.
    OutOfOrder(Lsn),
}

/// What replaying needs to look up, gone when it is done.
struct Replay {
    /// Sessions by their number.
    sessions: ByNumber<Replayed>,
    /// Kept messages by publication. Each is held once here, until the end.
    messages: BTreeMap<u64, MessageId>,
    lsn: Lsn,
}

/// A Session that is being restored.
struct Replayed {
    slot: u32,
    /// What it has in flight, in the order of the deliveries' names.
    in_flight: VecDeque<InFlight>,
}

/// A delivery that was sent.
struct InFlight {
    /// The delivery's name.
    sequence: u64,
    packet_identifier: PacketIdentifier,
    /// Whether the client has the message.
    half_way: bool,
}

impl Replayed {
    fn find(&self, sequence: u64) -> Result<usize, usize> {
        self.in_flight.binary_search_by_key(&sequence, |in_flight| in_flight.sequence)
    }

    fn sent(&mut self, in_flight: InFlight) {
        match self.find(in_flight.sequence) {
            Ok(at) => self.in_flight[at] = in_flight,
            Err(at) => self.in_flight.insert(at, in_flight),
        }
    }
}

impl Broker {
    /// A broker as the durable log left it. The log counts as stored. The records of a compacted log all bear the place
    /// at which [`records`](Self::records) was asked.
    ///
    /// # Errors
    ///
    /// The log is not one that a broker wrote.
    pub fn restore(config: Config, seed: Seed, log: impl Iterator<Item = (Lsn, Record)>) -> Result<Self, RestoreError> {
        let mut broker = Broker::new(config, seed);
        let mut replay = Replay { sessions: ByNumber::new(), messages: BTreeMap::new(), lsn: Lsn(0) };
        for (lsn, record) in log {
            if lsn < replay.lsn {
                return Err(RestoreError::OutOfOrder(lsn));
            }
            replay.lsn = lsn;
            broker.replay(&mut replay, record)?;
        }
        broker.finish_replay(&replay);
        broker.note_longest_queue();
        broker.log = Log::stored_upto(replay.lsn);
        Ok(broker)
    }

    fn replay(&mut self, replay: &mut Replay, record: Record) -> Result<(), RestoreError> {
        let lsn = replay.lsn;
        let unknown = RestoreError::UnknownSession(lsn);
        match record {
            Record::Entered(entry) => self.replay_entered(replay, *entry),
            Record::Left { session, at, session_expiry_interval_s, will_at } => {
                let session = replay.slot(session)?;
                let state = &mut self.sessions[session];
                state.session_expiry_interval_s = session_expiry_interval_s;
                state.lost = false;
                state.expires_at =
                    (session_expiry_interval_s != NEVER).then(|| at.plus_s(u64::from(session_expiry_interval_s)));
                state.will_at = will_at;
                if will_at.is_none() {
                    self.replace_will(session, None);
                }
            }
            Record::WillTaken { session } => {
                let session = replay.slot(session)?;
                self.sessions[session].will_at = None;
                self.replace_will(session, None);
            }
            Record::Ended { session } => {
                let ended = replay.sessions.remove(&session).ok_or(unknown)?;
                self.forget_session(ended.slot);
            }
            Record::Subscribed { session, filter, options, identifier } => {
                let restored = self.restore_subscription(replay.slot(session)?, &filter, options, identifier);
                restored.ok_or(RestoreError::InvalidTopic(lsn))?;
            }
            Record::Unsubscribed { session, filter } => self.restore_unsubscription(replay.slot(session)?, &filter),
            Record::Published(stored) => self.replay_published(replay, *stored)?,
            Record::Sent { session, sequence, packet_identifier } => {
                replay.session(session)?.sent(InFlight { sequence, packet_identifier, half_way: false });
            }
            Record::Received { session, sequence } => {
                let replayed = replay.session(session)?;
                let at = replayed.find(sequence).map_err(|_| RestoreError::UnknownDelivery(lsn))?;
                replayed.in_flight[at].half_way = true;
                self.replay_gone(replay, session, sequence)?;
            }
            Record::HalfWay { session, sequence, packet_identifier } => {
                let replayed = replay.session(session)?;
                replayed.sent(InFlight { sequence, packet_identifier, half_way: true });
                let state = &mut self.sessions[replayed.slot];
                state.next_sequence = state.next_sequence.max(sequence + 1);
            }
            Record::Finished { session, sequence } => {
                let replayed = replay.session(session)?;
                let in_flight = replayed.find(sequence).ok().and_then(|at| replayed.in_flight.remove(at));
                if !in_flight.is_some_and(|in_flight| in_flight.half_way) {
                    self.replay_gone(replay, session, sequence)?;
                }
            }
            Record::Held { session, packet_identifier } => {
                let slot = replay.slot(session)?;
                self.sessions[slot].received.insert(packet_identifier, false);
            }
            Record::Used { sessions, publications } => {
                self.session_number = self.session_number.max(sessions);
                self.publications = self.publications.max(publications);
            }
            Record::Owed { session, filter, qos, identifier, upto, done } => {
                let walk = Walk::new(0, &filter, qos, identifier, upto);
                let restored = self.restore_walk(replay.slot(session)?, walk, &done);
                restored.ok_or(RestoreError::OutOfOrder(lsn))?;
            }
            Record::Walked { session, filter } => self.restore_walk_end(replay.slot(session)?, &filter),
            Record::Released { session, packet_identifier } => {
                let slot = replay.slot(session)?;
                self.sessions[slot].received.remove(packet_identifier);
            }
            Record::Met { session } => {
                let slot = replay.slot(session)?;
                self.sessions[slot].met = true;
            }
            Record::Requeued { session } => {
                replay.session(session)?.in_flight.retain(|in_flight| in_flight.half_way);
            }
        }
        Ok(())
    }

    /// A queued message is gone from its Session.
    fn replay_gone(&mut self, replay: &Replay, session: u64, sequence: u64) -> Result<(), RestoreError> {
        let queue = &mut self.sessions[replay.slot(session)?].queue;
        let at = queue.iter().position(|delivery| delivery.sequence == sequence);
        let delivery = at.and_then(|at| queue.remove(at)).ok_or(RestoreError::UnknownDelivery(replay.lsn))?;
        self.messages.release(delivery.message);
        Ok(())
    }

    fn replay_entered(&mut self, replay: &mut Replay, entry: Entry) {
        let Entry {
            session: number,
            client_identifier,
            version,
            user,
            permissions,
            session_expiry_interval_s,
            will,
            durable,
        } = entry;
        self.session_number = self.session_number.max(number);
        let slot = match replay.sessions.get(&number) {
            Some(replayed) => replayed.slot,
            None => {
                let slot = self.add_session(Session::new(client_identifier, number, version));
                replay.sessions.insert(number, Replayed { slot, in_flight: VecDeque::new() }.into());
                slot
            }
        };
        let state = &mut self.sessions[slot];
        state.version = version;
        state.user = user;
        state.session_expiry_interval_s = session_expiry_interval_s;
        state.will_at = None;
        state.expires_at = None;
        state.logged = true;
        state.durable = durable;
        state.lost = true;
        self.replace_will(slot, will);
        self.set_access(slot, permissions.as_ref());
    }

    fn replay_published(&mut self, replay: &mut Replay, stored: Stored) -> Result<(), RestoreError> {
        let Stored { message, received, queued_for, retained } = stored;
        let publication = message.publication;
        self.publications = self.publications.max(publication);
        if let Some((session, identifier)) = received {
            let slot = replay.slot(session)?;
            self.sessions[slot].received.insert(identifier, false);
        }
        let id = match replay.messages.get(&publication) {
            Some(id) => *id,
            None => {
                let id = self.messages.put(message);
                replay.messages.insert(publication, id);
                id
            }
        };
        for entry in queued_for {
            self.replay_queued(replay, id, entry)?;
        }
        if retained {
            let message = self.messages.get(id).clone();
            let mut kept = Some(id);
            self.retain(&message.outgoing(), &mut kept);
        }
        Ok(())
    }

    fn replay_queued(&mut self, replay: &Replay, id: MessageId, entry: QueuedFor) -> Result<(), RestoreError> {
        let slot = replay.slot(entry.session)?;
        if entry.retain {
            let publication = self.messages.get(id).publication;
            self.replay_walk_step(slot, publication);
        }
        let share = entry.share.as_deref().and_then(|filter| self.share_of_filter(filter));
        let delivery = Delivery {
            message: self.messages.share(id),
            sequence: entry.sequence,
            qos: entry.qos,
            retain: entry.retain,
            identifiers: Identifiers::from_slice(&entry.identifiers),
            share,
        };
        let state = &mut self.sessions[slot];
        state.next_sequence = state.next_sequence.max(entry.sequence + 1);
        let at = state.queue.partition_point(|older| older.sequence < entry.sequence);
        state.queue.insert(at, delivery);
        Ok(())
    }

    /// While replaying, all that a Session has is in its queue; now what was sent moves into its window.
    fn finish_replay(&mut self, replay: &Replay) {
        for session in 0..self.sessions.end() {
            let Some(state) = self.sessions.get_mut(session) else { continue };
            let mut waiting = core::mem::take(&mut state.queue);
            let number = state.number;
            let in_flight = replay.sessions.get(&number).into_iter().flat_map(|replayed| &replayed.in_flight);
            for &InFlight { sequence, packet_identifier, half_way } in in_flight {
                let exchange = match waiting.iter().position(|delivery| delivery.sequence == sequence) {
                    Some(at) => waiting.remove(at).map(Restored::Message),
                    None => half_way.then_some(Restored::HalfWay(sequence)),
                };
                if let Some(exchange) = exchange {
                    state.window.restore(packet_identifier, exchange);
                }
            }
            let bytes = |delivery: &Delivery| self.messages.get(delivery.message).bytes();
            state.queue_bytes = waiting.iter().map(bytes).sum();
            state.queue = waiting;
        }
        for id in replay.messages.values() {
            self.messages.release(*id);
        }
    }

    /// Takes a Session out without consequences, as the log says that these were recorded themselves.
    fn forget_session(&mut self, session: u32) {
        self.unsubscribe_all(session);
        self.replace_will(session, None);
        for walk in self.sessions[session].walks.take() {
            self.forget_walk(&walk);
        }
        let Some(state) = self.sessions.remove(session) else { return };
        self.forget_client(&state.client_identifier, session);
        for delivery in state.queue {
            self.messages.release(delivery.message);
        }
    }

    /// At the first input after a restart: what was connected is lost now, what ran out meanwhile is due.
    pub(crate) fn lose_connections(&mut self) {
        for session in 0..self.sessions.end() {
            let Some(state) = self.sessions.get_mut(session) else { continue };
            if core::mem::take(&mut state.lost) {
                self.leave(session, true);
                continue;
            }
            let (expires_at, will_at) = (state.expires_at, state.will_at);
            let expiry = expires_at.map(|at| self.timers.arm(at, Timer::SessionExpiry(session)));
            let will = will_at.map(|at| self.timers.arm(at, Timer::WillDelay(session)));
            let state = &mut self.sessions[session];
            state.expiry_timer = expiry;
            state.will_timer = will;
        }
    }

    /// The shortest log that gives this durable state: compaction, export, and the test of `restore`.
    pub fn records(&self) -> impl Iterator<Item = Record> {
        let mut records = Vec::new();
        records.push(Record::Used { sessions: self.session_number, publications: self.publications });
        for (_, state) in self.sessions.iter().filter(|(_, state)| state.logged) {
            self.session_records(state, &mut records);
        }
        self.message_records(&mut records);
        for (_, state) in self.sessions.iter().filter(|(_, state)| state.is_durable()) {
            sent_records(state, &mut records);
            // Behind all messages: none of those may count as got by these.
            records.extend(
                state.walks.iter().filter(|walk| walk.is_logged()).map(|walk| self.owed_record(state.number, walk)),
            );
        }
        records.into_iter()
    }

    fn session_records(&self, state: &Session, records: &mut Vec<Record>) {
        records.push(state.entry());
        if !state.is_durable() {
            return;
        }
        for subscription in &state.subscriptions {
            records.push(Record::Subscribed {
                session: state.number,
                filter: self.whole_filter(subscription),
                options: subscription.options,
                identifier: subscription.identifier,
            });
        }
        if state.met {
            records.push(Record::Met { session: state.number });
        }
        if state.connection.is_none() && !state.lost && state.bridge.is_none() {
            let expiry_s = state.session_expiry_interval_s;
            let at = state.expires_at.map_or(Time(0), |at| Time(at.0 - u64::from(expiry_s) * 1_000_000));
            records.push(Record::Left {
                session: state.number,
                at,
                session_expiry_interval_s: expiry_s,
                will_at: state.will_at,
            });
        }
    }

    /// Every message that somebody waits for or that is retained, in the order of publication.
    fn message_records(&self, records: &mut Vec<Record>) {
        let mut by_publication: ByNumber<Stored> = ByNumber::new();
        for (_, state) in self.sessions.iter().filter(|(_, state)| state.is_durable()) {
            let in_flight = state.window.iter().filter_map(|(_, _, _, delivery)| delivery);
            for delivery in in_flight.chain(&state.queue) {
                let entry = self.queued_for(state.number, delivery);
                stored(&mut by_publication, self.messages.get(delivery.message)).queued_for.push(entry);
            }
        }
        for (_, Retained { message, .. }) in self.retained.values() {
            let message = self.messages.get(*message);
            if !message.topic.starts_with("$SYS/") {
                stored(&mut by_publication, message).retained = true;
            }
        }
        records.extend(by_publication.into_values().map(Record::Published));
    }
}

/// The record of a message, made when it is asked for the first time.
fn stored<'r>(by_publication: &'r mut ByNumber<Stored>, message: &Message) -> &'r mut Stored {
    by_publication.entry(message.publication).or_insert_with(|| {
        let message = message.clone();
        Stored { message, received: None, queued_for: Vec::new(), retained: false }.into()
    })
}

/// What is in flight, and which identifiers a client has not released.
fn sent_records(state: &Session, records: &mut Vec<Record>) {
    let session = state.number;
    for (packet_identifier, awaits, sequence, _) in state.window.iter() {
        let Some(sequence) = sequence else { continue };
        records.push(match awaits {
            Awaits::Pubcomp => Record::HalfWay { session, sequence, packet_identifier },
            Awaits::Puback | Awaits::Pubrec => Record::Sent { session, sequence, packet_identifier },
        });
    }
    for packet_identifier in state.received.iter() {
        records.push(Record::Held { session, packet_identifier });
    }
}

impl Replay {
    fn slot(&self, number: u64) -> Result<u32, RestoreError> {
        self.sessions.get(&number).map(|replayed| replayed.slot).ok_or(RestoreError::UnknownSession(self.lsn))
    }

    fn session(&mut self, number: u64) -> Result<&mut Replayed, RestoreError> {
        self.sessions.get_mut(&number).map(|replayed| &mut **replayed).ok_or(RestoreError::UnknownSession(self.lsn))
    }
}
