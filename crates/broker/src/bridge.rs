//! The life of a bridge: a Session of the core whose connection speaks the client's side to another broker. Here is how
//! it comes, asks for a transport, waits before it asks again, and goes; what it says on a transport is in
//! `bridge_speak.rs`. Queue, window, held identifiers and log are those of any Session: `inflight.rs`, `queue.rs` and
//! `durable.rs` do not know which side speaks.
//!
//! ```text
//!              Dial            Opened              CONNACK 0x00
//!   Waiting ─────────► Dialling ─────► Connecting ─────────────► Up
//!      ▲                  │                │                      │
//!      └── DialFailed ────┴── refused, ────┴── cut, fault, ───────┘
//!                             timeout          DISCONNECT
//! ```

use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use wasmqtt_codec::{Disconnect, Packet, PacketIdentifier, Properties, Property, Qos, ReasonCode, SubscriptionOptions};

use crate::bridge_config::{BridgeConfig, BridgeEnd, BridgeError, BridgeView};
use crate::broker::Broker;
use crate::by_number::ByNumber;
use crate::config::Permissions;
use crate::connection::Phase;
use crate::door::{CloseReason, Event, Output, Reply, SessionEnd};
use crate::error::{Fault, Refusal};
use crate::id::{BridgeId, ConnectionId};
use crate::record::Record;
use crate::session::Session;
use crate::time::Time;
use crate::timers::{Timer, TimerKey};

/// All bridges of a broker.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Bridges {
    by_id: ByNumber<Bridge>,
    /// The number of the last one.
    added: u64,
}

/// One bridge.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Bridge {
    pub config: BridgeConfig,
    pub session: u32,
    pub state: State,
    /// Failures in a row, up to where the wait is the longest.
    failures: u32,
    /// The remote did not understand the mark of a bridge.
    pub unmarked: bool,
    /// The remote granted, or refused, all topics to the Session that it has for us.
    pub subscribed: bool,
    /// The remote's Maximum QoS, as it said last.
    pub maximum_qos: Qos,
    /// The remote's Retain Available, as it said last.
    pub retain_available: bool,
}

/// Where a bridge stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum State {
    /// The broker is stopping.
    Idle,
    /// It dials when the timer fires.
    Waiting { at: Time, timer: TimerKey },
    /// The driver is asked for a transport.
    Dialling,
    /// CONNECT is sent.
    Connecting { conn: ConnectionId },
    /// CONNACK has come.
    Up { conn: ConnectionId, link: Link },
}

/// What there is to know of a connection that the remote has accepted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Link {
    pub since: Time,
    /// When the last PINGREQ left, or the connection began.
    pub pinged_at: Time,
    /// PINGREQ was sent and nothing has come since.
    pub awaits_answer: bool,
    /// Outbound QoS 1 and 2 publications that may be unfinished, once all topics are asked for.
    pub quota: u16,
    /// Whether the remote takes Topic Filters with wildcards.
    pub wildcards: bool,
    pub subscribing: Option<Subscribing>,
}

/// A SUBSCRIBE whose SUBACK is awaited.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Subscribing {
    pub packet_identifier: PacketIdentifier,
    /// The topics in it, by their index in the configuration.
    pub topics: Vec<u32>,
    /// The first topic that is not asked for yet.
    pub next: u32,
    pub sent_at: Time,
}

impl Bridges {
    #[inline(never)]
    pub(crate) fn get(&self, id: BridgeId) -> Option<&Bridge> {
        self.by_id.get(&id.0).map(|bridge| &**bridge)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (BridgeId, &Bridge)> {
        self.by_id.iter().map(|(id, bridge)| (BridgeId(*id), &**bridge))
    }

    fn find(&self, name: &str) -> Option<BridgeId> {
        self.iter().find(|(_, bridge)| bridge.config.name == name).map(|(id, _)| id)
    }
}

impl Bridge {
    /// What is there while the remote has accepted it.
    pub(crate) fn link(&self) -> Option<&Link> {
        match &self.state {
            State::Up { link, .. } => Some(link),
            State::Idle | State::Waiting { .. } | State::Dialling | State::Connecting { .. } => None,
        }
    }

    /// Its transport, while one is open.
    pub(crate) fn conn(&self) -> Option<ConnectionId> {
        match self.state {
            State::Connecting { conn } | State::Up { conn, .. } => Some(conn),
            State::Idle | State::Waiting { .. } | State::Dialling => None,
        }
    }
}

impl Broker {
    /// A bridge that is there: a Session or a connection names it.
    #[inline(never)]
    pub(crate) fn bridge(&mut self, id: BridgeId) -> &mut Bridge {
        self.bridges.by_id.get_mut(&id.0).expect("who is named by a Session or a connection is there")
    }

    pub(crate) fn add_bridge(&mut self, config: BridgeConfig) -> Reply {
        let known = self.bridges.find(&config.name);
        let room =
            config.check(self.config.limits.topic_levels_max).and_then(|()| self.room_for_bridge(&config, known));
        if let Err(error) = room {
            return Reply::NoBridge(error);
        }
        if let Some(known) = known {
            self.take_out(known, false);
        }
        self.bridges.added += 1;
        let id = BridgeId(self.bridges.added);
        let session = self.enter_bridge(id, &config);
        self.subscribe_for(session, &config);
        let bridge = Bridge {
            config,
            session,
            state: State::Idle,
            failures: 0,
            unmarked: false,
            subscribed: false,
            maximum_qos: Qos::ExactlyOnce,
            retain_available: true,
        };
        self.bridges.by_id.insert(id.0, bridge.into());
        self.dial(id);
        Reply::Bridge(id)
    }

    /// Whether one more bridge, its Session and its Subscriptions can be had.
    fn room_for_bridge(&mut self, config: &BridgeConfig, known: Option<BridgeId>) -> Result<(), BridgeError> {
        let limits = &self.config.limits;
        if self.stopping {
            return Err(BridgeError::Stopping);
        }
        if known.is_none() && self.bridges.by_id.len() >= limits.bridges_max as usize {
            self.count_refusal(Refusal::Bridges.text());
            return Err(BridgeError::Bridges);
        }
        if !self.can_store() {
            return Err(BridgeError::Storage);
        }
        let session = self.find_client(&config.session());
        let (sessions, topics) = (self.sessions.len() + u32::from(session.is_none()), config.topics.len() as u64);
        let subscriptions = self.counters.subscriptions + topics;
        if sessions > limits.sessions_max
            || topics > u64::from(limits.subscriptions_per_session_max)
            || subscriptions > u64::from(limits.subscriptions_max)
            || self.is_memory_short()
        {
            return Err(BridgeError::Limit);
        }
        Ok(())
    }

    /// The Session of a bridge: the one that waits under its name, or a new one.
    fn enter_bridge(&mut self, id: BridgeId, config: &BridgeConfig) -> u32 {
        let session = self.find_client(&config.session()).unwrap_or_else(|| {
            self.session_number += 1;
            self.add_session(Session::new(config.session(), self.session_number, config.version))
        });
        let state = &mut self.sessions[session];
        let timer = state.expiry_timer.take();
        state.expires_at = None;
        state.version = config.version;
        // It lasts while it has a bridge, and so long behind a restart.
        state.session_expiry_interval_s = config.session_expiry_s.max(1);
        state.bridge = Some(id);
        self.timers.cancel(timer);
        self.set_access(session, Some(&Permissions::everything()));
        self.log_entry(session);
        session
    }

    /// Gives a bridge's Session the Subscriptions that its topics ask for, and no other. Each has No Local: what came
    /// through a bridge never goes back through it.
    fn subscribe_for(&mut self, session: u32, config: &BridgeConfig) {
        let mut wanted: Vec<(String, SubscriptionOptions)> = Vec::new();
        for topic in config.topics.iter().filter(|topic| topic.direction.is_out()) {
            let (filter, qos) = (topic.local(), topic.qos.min(self.config.limits.maximum_qos));
            match wanted.iter_mut().find(|(known, _)| *known == filter) {
                Some((_, options)) => options.qos = options.qos.max(qos),
                None => {
                    let (no_local, retain_as_published) = (true, true);
                    let options = SubscriptionOptions { qos, no_local, retain_as_published, ..Default::default() };
                    wanted.push((filter, options));
                }
            }
        }
        let state = &self.sessions[session];
        let filters: Vec<String> = state.subscriptions.iter().map(|it| self.whole_filter(it)).collect();
        let number = state.number;
        for filter in filters {
            if !wanted.iter().any(|(known, _)| *known == filter) {
                self.restore_unsubscription(session, &filter);
                self.append(Record::Unsubscribed { session: number, filter });
            }
        }
        for (filter, options) in wanted {
            self.add_subscription(session, None, &filter, options, 0);
            self.append(Record::Subscribed { session: number, filter, options, identifier: 0 });
        }
    }

    /// Ends a bridge and its Session; `false` if there is neither.
    pub(crate) fn remove_bridge(&mut self, name: &str) -> bool {
        let named = BridgeConfig { name: name.into(), ..BridgeConfig::default() };
        if let Some(id) = self.bridges.find(name) {
            self.take_out(id, true);
        }
        // One that was restored may wait for a bridge that is never added again.
        let Some(session) = self.find_client(&named.session()) else { return false };
        self.end_session(session, SessionEnd::BridgeRemoved);
        true
    }

    /// Takes a bridge out, leaving its Session; `for_good` asks the remote to forget us too.
    fn take_out(&mut self, id: BridgeId, for_good: bool) {
        let slot = self.bridges.get(id).and_then(Bridge::conn).and_then(|conn| self.slot(conn));
        if let Some(slot) = slot {
            self.say_goodbye(slot, for_good);
        }
        let Some(bridge) = self.bridges.by_id.remove(&id.0) else { return };
        match bridge.state {
            State::Waiting { timer, .. } => self.timers.cancel(Some(timer)),
            // The answer will find nobody.
            State::Idle | State::Dialling => {}
            State::Connecting { .. } => {
                if let Some(slot) = slot {
                    self.close(slot, CloseReason::BridgeRemoved);
                }
            }
            State::Up { .. } => {
                if let Some(slot) = slot {
                    self.depart(slot, bridge.session, Some(CloseReason::BridgeRemoved), false);
                }
            }
        }
        self.sessions[bridge.session].bridge = None;
        let why = BridgeEnd::Closed(CloseReason::BridgeRemoved);
        self.outputs.push_back(Output::Event(Event::BridgeDown { name: bridge.config.name, why, dials_at: None }));
    }

    /// DISCONNECT with 0x00, which a client sends when it leaves on purpose (3.14); to a remote that keeps a Session
    /// for us and will not see us again, with an expiry of 0 (3.14.2.2.2).
    pub(crate) fn say_goodbye(&mut self, slot: u32, for_good: bool) {
        let connection = self.connection(slot);
        let Phase::Bridged { bridge, .. } = connection.phase else { return };
        let keeps = connection.version.is_v5() && !self.bridge(bridge).config.clean_start;
        let mut raw = Vec::new();
        if for_good && keeps && self.bridge(bridge).config.session_expiry_s > 0 {
            Property::SessionExpiryInterval(0).encode(&mut raw);
        }
        let reason = ReasonCode::NORMAL_DISCONNECTION;
        self.send(slot, &Packet::Disconnect(Disconnect { reason, properties: Properties::written(&raw) }));
    }

    /// Asks the driver for a transport.
    fn dial(&mut self, id: BridgeId) {
        self.counters.bridge_dials += 1;
        let bridge = self.bridge(id);
        bridge.state = State::Dialling;
        let target = bridge.config.target.clone();
        self.outputs.push_back(Output::Dial { bridge: id, target });
    }

    /// The wait is over.
    pub(crate) fn dial_due(&mut self, id: BridgeId) {
        if self.bridges.get(id).is_some_and(|bridge| matches!(bridge.state, State::Waiting { .. })) {
            self.dial(id);
        }
    }

    /// The driver has a transport for a bridge.
    pub(crate) fn bridge_opened(&mut self, slot: u32, id: BridgeId) {
        let dialled = self.bridges.get(id).is_some_and(|bridge| matches!(bridge.state, State::Dialling));
        if !dialled || self.stopping {
            return self.close(slot, CloseReason::BridgeRemoved);
        }
        let conn = self.connection(slot).id;
        self.bridge(id).state = State::Connecting { conn };
        self.connection(slot).phase = Phase::Dialled { bridge: id };
        self.say_connect(slot, id);
    }

    /// The driver has none.
    pub(crate) fn dial_failed(&mut self, id: BridgeId) {
        if self.bridges.get(id).is_some_and(|bridge| matches!(bridge.state, State::Dialling)) {
            self.bridge_left(id, BridgeEnd::DialFailed);
        }
    }

    /// Ends a connection that the remote has not accepted.
    pub(crate) fn dial_fault(&mut self, slot: u32, id: BridgeId, fault: Fault) {
        self.counters.faults += 1;
        self.count_refusal(fault.text());
        self.close(slot, CloseReason::Fault(fault));
        self.bridge_left(id, BridgeEnd::Closed(CloseReason::Fault(fault)));
    }

    /// A connection of a bridge, or an attempt at one, is over: it dials again after a wait. Of a bridge that was taken
    /// out there is nothing to say.
    pub(crate) fn bridge_left(&mut self, id: BridgeId, why: BridgeEnd) {
        if self.bridges.get(id).is_none() {
            return;
        }
        self.counters.bridge_failures += 1;
        let (now, stopping) = (self.now, self.stopping);
        let drawn = self.rng.next();
        let bridge = self.bridge(id);
        let config = &bridge.config;
        let lasted = bridge.link().is_some_and(|link| now.us_since(link.since) >= us(config.redial_max_ms));
        let doubled = if lasted { 0 } else { bridge.failures };
        // At 32 doublings every wait is the longest.
        let wait_us = us(config.redial_max_ms).min(us(config.redial_min_ms) << doubled.min(31));
        let wait_us = wait_us - drawn % (wait_us / 2 + 1);
        bridge.failures = doubled.saturating_add(1);
        let at = now.plus_us(wait_us);
        let name = bridge.config.name.clone();
        self.bridge(id).state = match stopping {
            true => State::Idle,
            false => State::Waiting { at, timer: self.timers.arm(at, Timer::Bridge(id)) },
        };
        let dials_at = (!stopping).then_some(at);
        self.outputs.push_back(Output::Event(Event::BridgeDown { name, why, dials_at }));
    }

    /// The broker stops: nobody dials any more.
    pub(crate) fn stop_bridges(&mut self) {
        for bridge in self.bridges.by_id.values_mut() {
            if let State::Waiting { timer, .. } = bridge.state {
                self.timers.cancel(Some(timer));
                bridge.state = State::Idle;
            }
        }
    }

    pub(crate) fn bridge_views(&self, skip: usize, limit: usize) -> Vec<BridgeView> {
        let view = |(id, bridge): (BridgeId, &Bridge)| BridgeView {
            bridge: id,
            name: bridge.config.name.clone(),
            target: bridge.config.target.clone(),
            session: bridge.config.session(),
            conn: bridge.conn(),
            up: bridge.link().is_some(),
            dials_at: match bridge.state {
                State::Waiting { at, .. } => Some(at),
                State::Idle | State::Dialling | State::Connecting { .. } | State::Up { .. } => None,
            },
        };
        self.bridges.iter().skip(skip).take(limit).map(view).collect()
    }
}

fn us(ms: u32) -> u64 {
    u64::from(ms) * 1_000
}
