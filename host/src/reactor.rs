//! One thread that serves every connection. A turn is: wait, take in newcomers, read each ready socket once, step the
//! guest once over all of it, write once to each connection that has something.
//!
//! ```text
//!            +--------------------------------------------------------------+
//!            v                                                              |
//!   wait for events, a deadline, a message from another thread              |
//!   accept                                       (accept.rs)                |
//!   read ready sockets into the guest's block    (read.rs)   <--+           |
//!   guest.step(now)                              (guest.rs)     | block     |
//!   obey the outputs                                            | full, or  |
//!   write what it listed                         (write.rs)  ---+ more -----+
//! ```
//!
//! mio's readiness is edge-triggered: it is told once. So a socket that may have more to read stays in a list of ours
//! until it was seen empty. If the guest does wrong it is thrown away with all connections, and a fresh one serves
//! those who come back.

mod accept;
mod birth;
mod connections;
mod messages;
mod read;
mod timers;
mod write;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::{Events, Interest, Poll, Token, Waker};
use wasmqtt_broker::{Config as CoreConfig, ConnectionId, Input, Output, Reply, Seed, Time};

use crate::auth::Deciders;
use crate::clock::Timepiece;
use crate::fault::GuestFault;
#[cfg(not(feature = "native-core"))]
use crate::guest::Guest;
use crate::guest::{GuestLimits, Recorder};
use crate::listen::Listen;
use crate::module::GuestModule;
#[cfg(feature = "native-core")]
use crate::native::Guest;
use crate::transport::UpgradeRules;
use crate::transport::websocket::close_code;
use accept::Listener;
use birth::Birth;
use connections::{Connections, Phase};
use timers::Timers;

pub(crate) use messages::Message;

/// Events taken from the kernel at once: from 16 on their number decides nothing.
const EVENTS_PER_TURN: usize = 1_024;
/// Steps of one turn, until the kernel is asked again who is ready.
const STEPS_PER_TURN: usize = 16;
/// The waker's token; listeners have those below it, connections the slots from 0.
const WAKER: Token = Token(usize::MAX);
/// What a reactor needs to begin.
pub(crate) struct Parts {
    pub module: GuestModule,
    pub core: CoreConfig,
    pub guest_limits: GuestLimits,
    pub seed: Option<Seed>,
    pub clock: Timepiece,
    pub listeners: Vec<(mio::net::TcpListener, Listen)>,
    pub websocket_origins: Vec<String>,
    pub stop_grace: Duration,
    pub recorder: Option<Box<Recorder>>,
}

/// The server's one thread.
pub(crate) struct Reactor {
    poll: Poll,
    guest: Option<Guest>,
    connections: Connections,
    listeners: Vec<Listener>,
    listeners_rules: Vec<UpgradeRules>,
    /// Sockets to read in this turn, and those for the next one.
    ready: VecDeque<ConnectionId>,
    again: Vec<ConnectionId>,
    /// WebSockets with a pong to send.
    unflushed: Vec<ConnectionId>,
    timers: Timers,
    clock: Timepiece,
    deadline: Option<Time>,
    accept_paused_until: Option<Time>,
    /// The last try to accept failed, and the log says so already.
    accept_failed: bool,
    connections_max: u32,
    connect_timeout_s: u16,
    messages: Receiver<Message>,
    deciders: Option<Deciders>,
    replies: HashMap<u64, Sender<Reply>>,
    commands: u64,
    stop_grace: Duration,
    /// Real time: the grace passes even where the clock is virtual.
    stop_at: Option<Instant>,
    aborted: bool,
    birth: Birth,
}

/// Why a reactor can't begin.
#[derive(Debug)]
pub(crate) enum BeginError {
    Io(io::Error),
    Guest(GuestFault),
}

impl From<io::Error> for BeginError {
    fn from(error: io::Error) -> Self {
        BeginError::Io(error)
    }
}

impl Reactor {
    /// Starts the guest and watches the listeners.
    pub fn begin(
        parts: Parts,
        poll: Poll,
        messages: Receiver<Message>,
        deciders: Option<Deciders>,
    ) -> Result<Self, BeginError> {
        let limits = parts.core.limits.clone();
        let mut birth = Birth::new(parts.module, parts.core, parts.guest_limits, parts.seed);
        birth.recorder = parts.recorder;
        let guest = birth.guest().map_err(BeginError::Guest)?;
        let mut listeners = Vec::new();
        for (index, (mut socket, listen)) in parts.listeners.into_iter().enumerate() {
            poll.registry().register(&mut socket, Token(WAKER.0 - 1 - index), Interest::READABLE)?;
            let rules = UpgradeRules { path: listen.path.clone(), origins: parts.websocket_origins.clone() };
            listeners.push(Listener { socket, listen, rules, ready: false });
        }
        Ok(Reactor {
            poll,
            guest: Some(guest),
            connections: Connections::new(),
            listeners_rules: listeners.iter().map(|listener| listener.rules.clone()).collect(),
            listeners,
            ready: VecDeque::new(),
            again: Vec::new(),
            unflushed: Vec::new(),
            timers: Timers::default(),
            clock: parts.clock,
            // The first step is due at once: it gives the first deadline.
            deadline: Some(Time(0)),
            accept_paused_until: None,
            accept_failed: false,
            connections_max: limits.connections_max,
            connect_timeout_s: limits.connect_timeout_s,
            messages,
            deciders,
            replies: HashMap::new(),
            commands: 0,
            stop_grace: parts.stop_grace,
            stop_at: None,
            aborted: false,
            birth,
        })
    }

    /// Serves until it is told to stop.
    ///
    /// # Errors
    /// Only if the kernel refuses to say who is ready.
    pub fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_PER_TURN);
        while !self.is_done() {
            match self.poll.poll(&mut events, self.timeout()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            }
            for event in &events {
                self.take_event(event);
            }
            self.turn();
        }
        match (&mut self.guest, self.birth.recorder.take()) {
            (Some(guest), _) => guest.end_recording(self.clock.now(), "the server ended"),
            (None, recorder) => recorder.into_iter().for_each(|recorder| recorder.end_without_guest()),
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        let stopped = |at: Instant| self.connections.open() == 0 || Instant::now() >= at;
        self.aborted || self.stop_at.is_some_and(stopped)
    }

    /// How long to wait for events.
    fn timeout(&self) -> Option<Duration> {
        let now = self.clock.now();
        let accepts = self.listeners.iter().any(|listener| listener.ready) && self.guest.is_some();
        let busy = !self.again.is_empty()
            || !self.ready.is_empty()
            || (accepts && self.accept_paused_until.is_none())
            || self.guest.as_ref().is_some_and(Guest::wants_step);
        if busy {
            return Some(Duration::ZERO);
        }
        let next = [self.deadline, self.timers.next(), self.accept_paused_until].into_iter().flatten().min();
        let next = next.filter(|next| self.clock.is_real() || *next <= now);
        let until_next = next.map(|next| Duration::from_micros(next.us_since(now)));
        let until_real = [self.stop_at, self.birth.next].into_iter().flatten().min();
        let until_real = until_real.map(|at| at.saturating_duration_since(Instant::now()));
        [until_next, until_real].into_iter().flatten().min()
    }

    fn take_event(&mut self, event: &Event) {
        let token = event.token();
        if token == WAKER {
            return;
        }
        let Ok(slot) = u32::try_from(token.0) else {
            if let Some(listener) = self.listeners.get_mut(WAKER.0 - 1 - token.0) {
                listener.ready = true;
            }
            return;
        };
        let Some((id, connection)) = self.connections.at(slot) else { return };
        let broken = event.is_error() || (event.is_read_closed() && event.is_write_closed());
        if broken && connection.paused && matches!(connection.phase, Phase::Open) {
            // Nobody will read it, and nobody can be written to.
            self.lose(id);
            return;
        }
        if event.is_readable() || event.is_read_closed() || broken {
            connection.readable = true;
            connection.ended |= event.is_read_closed() || broken;
            if !connection.listed {
                connection.listed = true;
                self.ready.push_back(id);
            }
        }
        if event.is_writable() {
            if std::mem::take(&mut connection.blocked)
                && let Some(guest) = &mut self.guest
            {
                guest.entries.writable(id);
            }
            if connection.websocket.as_ref().is_some_and(|websocket| websocket.has_control_out()) {
                self.unflushed.push(id);
            }
        }
    }

    /// Everything after waiting.
    fn turn(&mut self) {
        self.take_messages();
        self.start_guest_again();
        let now = self.clock.now();
        if let (Some(slept_us), Some(guest)) = (self.clock.slept_us(), &mut self.guest) {
            tracing::info!(slept_s = slept_us / 1_000_000, "the machine slept");
            guest.entries.letter(&Input::Woke { slept_us });
        }
        while let Some(id) = self.timers.due(now) {
            self.time_is_up(id, now);
        }
        if self.guest.as_ref().is_some_and(|guest| guest.entries.is_empty()) {
            self.connections.told();
        }
        self.accept(now);
        self.ready.extend(self.again.drain(..));
        for _ in 0..STEPS_PER_TURN {
            self.read_ready(now);
            self.take_verdicts();
            if !self.step_if_due(now) {
                break;
            }
        }
    }

    /// Steps the guest if there is a reason to; whether there may be a reason to go on.
    fn step_if_due(&mut self, now: Time) -> bool {
        let Some(guest) = &mut self.guest else { return false };
        let due = self.deadline.is_some_and(|deadline| deadline <= now);
        if !due && guest.entries.is_empty() && !guest.wants_step() {
            self.flush_websockets();
            return false;
        }
        match guest.step(now) {
            Ok(deadline) => self.deadline = deadline,
            Err(fault) => {
                self.guest_failed(&fault);
                return false;
            }
        }
        if guest.entries.is_empty() {
            self.connections.told();
        }
        let outputs: Vec<Output> = guest.outputs().collect();
        for output in outputs {
            self.obey(output, now);
        }
        self.write_rows(now);
        !self.ready.is_empty() || self.guest.as_ref().is_some_and(Guest::wants_step)
    }

    /// Pongs leave even when the broker has nothing to say.
    fn flush_websockets(&mut self) {
        for id in std::mem::take(&mut self.unflushed) {
            self.flush(id);
        }
    }

    fn obey(&mut self, output: Output, now: Time) {
        match output {
            // Mode `memory`: it is as safe as it will ever be.
            Output::Append { lsn, .. } => {
                if let Some(guest) = &mut self.guest {
                    guest.entries.letter(&Input::Stored { upto: lsn });
                }
            }
            Output::Read { conn, on } => {
                let Some(connection) = self.connections.get(conn) else { return };
                connection.paused = !on || connection.closing.is_some();
                if on && connection.readable && !connection.listed {
                    connection.listed = true;
                    self.again.push(conn);
                }
            }
            Output::Close { conn, why, linger_until } => {
                // Said once; a guest that says it again and again must not fill the table of timers.
                let Some(connection) = self.connections.get(conn).filter(|connection| connection.closing.is_none())
                else {
                    return;
                };
                connection.closing = Some((linger_until, close_code(&why).into()));
                connection.paused = true;
                self.timers.push(linger_until.max(now), conn);
            }
            Output::Ask { question, what } => {
                let verdict = self.deciders.as_ref().and_then(|deciders| deciders.ask(question, what));
                if let (Some(verdict), Some(guest)) = (verdict, &mut self.guest) {
                    guest.entries.letter(&Input::Answered { question, verdict });
                }
            }
            Output::Reply { id, reply } => {
                if let Some(asker) = self.replies.remove(&id.0) {
                    // Who no longer waits for the answer needs none.
                    let _ = asker.send(reply);
                }
            }
            Output::Event(event) => crate::log::event(&event, |conn| self.connections.peer(conn)),
            Output::Trace(trace) => tracing::trace!(statement = trace.statement(), "{trace:?}"),
            // Nobody here adds a bridge, and nobody here dials.
            Output::Dial { bridge, .. } => {
                if let Some(guest) = &mut self.guest {
                    guest.entries.letter(&Input::DialFailed { bridge });
                }
            }
        }
    }

    fn time_is_up(&mut self, id: ConnectionId, now: Time) {
        let Some(connection) = self.connections.get(id) else { return };
        match connection.phase {
            Phase::Upgrading(_) => self.refuse_request(id, crate::transport::HandshakeRefusal::Timeout, now),
            Phase::Draining => self.connections.remove(id),
            Phase::Open if connection.closing.is_some_and(|(until, _)| until <= now) => self.lose(id),
            Phase::Open => {}
        }
    }

    fn take_verdicts(&mut self) {
        let (Some(deciders), Some(guest)) = (&self.deciders, &mut self.guest) else { return };
        while let Some((question, verdict)) = deciders.verdict() {
            guest.entries.letter(&Input::Answered { question, verdict });
        }
    }
}

/// Makes what wakes a reactor's wait.
pub(crate) fn waker(poll: &Poll) -> io::Result<Arc<Waker>> {
    Waker::new(poll.registry(), WAKER).map(Arc::new)
}
