//! The broker itself: all state in one place, and the one function through which everything enters. What each input
//! means stands in the file that bears its name; this one shows how they hang together, and how the whole is saved.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::hash::{BuildHasher, Hasher};
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use siphasher::sip::SipHasher13;

use crate::bridge::Bridges;
use crate::config::Config;
use crate::connection::{Connection, Phase};
use crate::door::{Input, Output};
use crate::durable::Log;
use crate::error::Fault;
use crate::filter_tree::{FilterTree, Walk};
use crate::frames::{Encoded, FrameCache};
use crate::id::{ConnectionId, QuestionId, Seed};
use crate::inspect::Counters;
use crate::message::MessageStore;
use crate::permission::Access;
use crate::reader::read;
use crate::retained::Retained;
use crate::rng::Rng;
use crate::saved::saved;
use crate::session::{Session, Will};
use crate::shared::Group;
use crate::slab::Slab;
use crate::subscribe::Subscribers;
use crate::sys::Sys;
use crate::time::Time;
use crate::timers::{Timer, Timers};
use crate::topic_tree::TopicTree;

/// Leads every saved broker; the last byte is the number of the format.
const SAVE_MAGIC: [u8; 8] = *b"wasmqtt\x02";

/// An MQTT broker as a value. See the [crate page](crate) for how a driver uses it.
#[derive(Clone)]
pub struct Broker {
    pub(crate) config: Config,
    /// `config.permissions`, ready to be asked, for clients whose rules have no variables.
    pub(crate) access: Access,
    /// The time of the last input.
    pub(crate) now: Time,
    pub(crate) rng: Rng,
    pub(crate) hash_key: u64,
    /// By slot of their [`ConnectionId`].
    pub(crate) connections: Vec<Option<Box<Connection>>>,
    pub(crate) sessions: Slab<Session>,
    pub(crate) session_number: u64,
    /// Sessions by Client Identifier; never walked.
    clients: HashTable<u32>,
    pub(crate) subscriptions: FilterTree<Subscribers>,
    /// Raised by every change of Subscriptions; voids what was looked up before.
    pub(crate) subscriptions_version: u64,
    pub(crate) shares: Slab<Group>,
    pub(crate) share_number: u64,
    /// Share groups by name and node; never walked.
    pub(crate) share_index: HashTable<u32>,
    pub(crate) retained: TopicTree<Retained>,
    pub(crate) messages: MessageStore,
    pub(crate) publications: u64,
    pub(crate) timers: Timers,
    pub(crate) log: Log,
    /// Open questions, whose numbers only grow.
    pub(crate) questions: VecDeque<(QuestionId, ConnectionId)>,
    pub(crate) question_number: u64,
    pub(crate) counters: Counters,
    pub(crate) sys: Sys,
    pub(crate) stopping: bool,
    /// The longest queue there was when limits were last set: what is longer than they allow then may stay so.
    pub(crate) longest_queue_left: u32,
    pub(crate) bridges: Bridges,
    /// Bytes in all outboxes.
    pub(crate) outbox_bytes: u64,
    /// Bytes that connections keep beside their outboxes.
    pub(crate) connection_bytes: u64,
    /// Bytes of all Client Identifiers, Wills and walks over Retained Messages.
    pub(crate) session_bytes: u64,
    /// Counts turns. Decides only whether bytes are shared or copied, and so is no state.
    pub(crate) turn: u64,
    /// Bytes that this turn has produced.
    pub(crate) turn_bytes: u32,
    /// Whether memory was short when this turn had produced that many bytes.
    pub(crate) memory_seen: Option<(u32, bool)>,
    /// Connections with input that waits for the next turn.
    pub(crate) backlog: VecDeque<ConnectionId>,
    /// Connections to be closed once the present input is done with.
    pub(crate) doomed: Vec<(ConnectionId, Fault)>,
    /// Connections that came to have something to send.
    pub(crate) ready: Vec<ConnectionId>,
    pub(crate) outputs: VecDeque<Output>,
    /// Scratch memory: no state.
    pub(crate) walk: Walk,
    pub(crate) frames: FrameCache,
    pub(crate) own_frame: Encoded,
    pub(crate) pump_list: Vec<u32>,
}

// Not saved: indexes, made anew by `load`; scratch memory; and `turn`.
saved!(Broker from Broker::new(Config::default(), Seed([0; 16]));
    config, access, now, rng, hash_key, connections, sessions, session_number, subscriptions,
    subscriptions_version, shares, share_number, retained, messages, publications, timers, log, questions,
    question_number, counters, sys, stopping, longest_queue_left, bridges, outbox_bytes, connection_bytes,
    session_bytes, turn_bytes, memory_seen, backlog, doomed, ready, outputs;
    without clients, share_index, turn, walk, frames, own_frame, pump_list
);

/// Why a saved broker could not be loaded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoadError {
    /// These bytes are no saved broker.
    NotSaved,
    /// It was saved in a format that this build doesn't know; here is the number.
    UnknownFormat(u8),
    /// It begins well and then makes no sense.
    Damaged,
}

impl Broker {
    /// A broker that knows nothing yet. All that looks random in it comes from `seed`.
    #[must_use]
    pub fn new(config: Config, seed: Seed) -> Self {
        let mut rng = Rng::new(seed);
        let hash_key = rng.next();
        Broker {
            access: Access::new(&config.permissions, "", None),
            config: Config { limits: config.limits.clone().within_reason(), ..config },
            now: Time(0),
            rng,
            hash_key,
            connections: Vec::new(),
            sessions: Slab::default(),
            session_number: 0,
            clients: HashTable::new(),
            subscriptions: FilterTree::new(hash_key),
            subscriptions_version: 1,
            shares: Slab::default(),
            share_number: 0,
            share_index: HashTable::new(),
            retained: TopicTree::new(hash_key),
            messages: MessageStore::default(),
            publications: 0,
            timers: Timers::default(),
            log: Log::default(),
            questions: VecDeque::new(),
            question_number: 0,
            counters: Counters::default(),
            sys: Sys::default(),
            stopping: false,
            longest_queue_left: 0,
            bridges: Bridges::default(),
            outbox_bytes: 0,
            connection_bytes: 0,
            session_bytes: 0,
            turn: 0,
            turn_bytes: 0,
            memory_seen: None,
            backlog: VecDeque::new(),
            doomed: Vec::new(),
            ready: Vec::new(),
            outputs: VecDeque::new(),
            walk: Walk::default(),
            frames: FrameCache::default(),
            own_frame: Encoded::default(),
            pump_list: Vec::new(),
        }
    }

    /// Applies one input at a time that never goes back. Cannot fail: a peer's fault becomes a packet and a close, a
    /// driver's fault is a panic.
    pub fn handle(&mut self, now: Time, input: Input) {
        self.now = self.now.max(now);
        if self.sys.started_at.is_none() {
            self.sys.started_at = Some(self.now);
            self.lose_connections();
            self.start_sys();
        }
        match input {
            Input::Opened { conn, peer } => self.opened(conn, peer),
            Input::Received { conn, bytes } => self.received(conn, bytes),
            Input::Sent { conn, len } => self.sent(conn, len),
            Input::Closed { conn } => self.closed(conn),
            Input::Answered { question, verdict } => self.answered(question, verdict),
            Input::Stored { upto } => self.stored(upto),
            Input::StoreFailed { from } => self.store_failed(from),
            Input::Command { id, command } => self.command(id, command),
            Input::Woke { slept_us: _ } => self.woke(),
            Input::Tick => self.tick(),
            Input::DialFailed { bridge } => self.dial_failed(bridge),
        }
        while let Some((id, fault)) = self.doomed.pop() {
            if let Some(slot) = self.slot(id) {
                self.fault(slot, fault);
            }
        }
    }

    /// Ends a turn and begins the next: fires what is due, in order of time, then goes on with input that the last turn
    /// had no room for. What this turn has no room for waits too, and `deadline` says so.
    fn tick(&mut self) {
        self.turn += 1;
        self.turn_bytes = 0;
        self.memory_seen = None;
        while self.turn_bytes < self.config.limits.turn_bytes_max
            && let Some(timer) = self.timers.pop_due(self.now)
        {
            match timer {
                Timer::Connection(id) => self.connection_timer(id),
                Timer::SessionExpiry(session) => self.session_expired(session),
                Timer::WillDelay(session) => self.will_due(session),
                Timer::RetainedExpiry(node) => self.retained_expired(node),
                Timer::Sys => self.publish_sys(),
                Timer::Bridge(bridge) => self.dial_due(bridge),
            }
        }
        self.work_off_backlog();
    }

    /// The machine slept: nobody could have sent a packet, so every Keep Alive begins anew. Expiry and Will Delay are
    /// times on the wall and went on.
    fn woke(&mut self) {
        for slot in 0..self.connections.len() as u32 {
            if let Some(connection) = self.connections[slot as usize].as_mut() {
                connection.last_packet_at = self.now;
                if let Phase::Bridged { bridge, .. } = connection.phase {
                    self.ping_remote(slot, bridge);
                }
                self.arm_connection(slot);
            }
        }
    }

    /// What is to be done, oldest first. May be asked after any number of inputs.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Connections that came to have something to send since the last call; each named once.
    pub fn ready(&mut self) -> impl Iterator<Item = ConnectionId> {
        let connections = &mut self.connections;
        // Before the caller has looked at any, for it may look at none.
        self.ready.retain(|id| {
            let connection = connections.get_mut(id.slot as usize).and_then(Option::as_mut);
            connection.filter(|connection| connection.id == *id).is_some_and(|connection| {
                connection.listed = false;
                !connection.outbox.is_empty()
            })
        });
        self.ready.drain(..)
    }

    /// Slices to write, oldest first; they stay until [`Input::Sent`] says so.
    pub fn outgoing(&self, conn: ConnectionId) -> impl Iterator<Item = &[u8]> + Clone {
        let slot = self.slot(conn).and_then(|slot| self.connections[slot as usize].as_ref());
        slot.into_iter().flat_map(|connection| connection.outbox.slices())
    }

    /// When to [`Tick`](Input::Tick) if nothing else happens.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        if self.backlog.is_empty() { self.timers.first() } else { Some(self.now) }
    }

    /// Everything, half packets and outboxes too: for swapping the program under a running broker, and for keyframes.
    pub fn save(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(&SAVE_MAGIC);
        let state = postcard::to_allocvec(self).expect("memory is all that writing to memory needs");
        into.extend_from_slice(&state);
    }

    /// A broker as [`save`](Self::save) left it.
    ///
    /// # Errors
    ///
    /// The bytes are not a saved broker of a known format.
    pub fn load(saved: &[u8]) -> Result<Self, LoadError> {
        let Some((magic, state)) = saved.split_at_checked(SAVE_MAGIC.len()) else { return Err(LoadError::NotSaved) };
        if magic[..7] != SAVE_MAGIC[..7] {
            return Err(LoadError::NotSaved);
        }
        if magic[7] != SAVE_MAGIC[7] {
            return Err(LoadError::UnknownFormat(magic[7]));
        }
        let mut broker: Broker = read(state).ok_or(LoadError::Damaged)?;
        broker.subscriptions.rebuild();
        broker.retained.rebuild();
        broker.rebuild_clients();
        broker.rebuild_share_index();
        Ok(broker)
    }

    /// A hash of all state, equal on every platform: of what is saved, in which no order of a hash map and no width of
    /// a machine's word is seen.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut saved = Vec::new();
        self.save(&mut saved);
        let mut hasher = SipHasher13::new();
        hasher.write(&saved);
        hasher.finish()
    }

    fn client_hash(&self, client_identifier: &str) -> u64 {
        let mut hasher = FixedState::with_seed(self.hash_key).build_hasher();
        hasher.write(client_identifier.as_bytes());
        hasher.finish()
    }

    /// A hash of a client's name that may be saved: the same on every platform, which the tables' hash is not.
    pub(crate) fn client_mark(&self, client_identifier: &str) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.hash_key, 0);
        hasher.write(client_identifier.as_bytes());
        hasher.finish()
    }

    /// The Session of a client [5:MQTT-3.1.3-2] [311:MQTT-3.1.3-2].
    pub(crate) fn find_client(&self, client_identifier: &str) -> Option<u32> {
        let hash = self.client_hash(client_identifier);
        self.clients.find(hash, |session| self.sessions[*session].client_identifier == client_identifier).copied()
    }

    pub(crate) fn add_session(&mut self, session: Session) -> u32 {
        let hash = self.client_hash(&session.client_identifier);
        self.session_bytes += session.client_identifier.len() as u64;
        let session = self.sessions.insert(session);
        self.index_client(hash, session);
        session
    }

    /// Gives a Session another Will, or none; gives the old one back.
    pub(crate) fn replace_will(&mut self, session: u32, will: Option<Will>) -> Option<Will> {
        self.session_bytes += will.as_ref().map_or(0, |will| will.message.bytes());
        let old = core::mem::replace(&mut self.sessions[session].will, will.map(Box::new));
        self.session_bytes -= old.as_ref().map_or(0, |will| will.message.bytes());
        old.map(|will| *will)
    }

    fn index_client(&mut self, hash: u64, session: u32) {
        let (sessions, hash_key) = (&self.sessions, self.hash_key);
        self.clients.insert_unique(hash, session, |session| {
            let mut hasher = FixedState::with_seed(hash_key).build_hasher();
            hasher.write(sessions[*session].client_identifier.as_bytes());
            hasher.finish()
        });
    }

    /// A Session is gone; its client's name is free.
    pub(crate) fn forget_client(&mut self, client_identifier: &str, session: u32) {
        self.session_bytes -= client_identifier.len() as u64;
        let hash = self.client_hash(client_identifier);
        if let Ok(entry) = self.clients.find_entry(hash, |other| *other == session) {
            entry.remove();
        }
    }

    fn rebuild_clients(&mut self) {
        self.clients.clear();
        for session in 0..self.sessions.end() {
            if let Some(state) = self.sessions.get(session) {
                let hash = self.client_hash(&state.client_identifier);
                self.index_client(hash, session);
            }
        }
    }
}
