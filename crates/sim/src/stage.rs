//! The Stage: the World that a person drives. A broker, its clients and the links between them on a virtual clock; what
//! happens comes from a scenario, from its script and from commands, and every bit of it goes into a log that is only
//! ever added to. The same scenario and the same commands at the same moments give the same log, byte by byte, on every
//! platform, so that anybody can go back to any entry and on from there: [`History`] does.
//!
//! ```text
//!   Scenario ─► Stage ──moment──► Entry, Entry, ...      History: keyframes, branches, rewind
//!   Command  ─►   │ clients ⇄ links ⇄ broker             view, why, check, text: read log and Stage
//! ```
//!
//! A *moment* is one thing that happens with all that follows from it at the same time: a command, a packet that
//! arrives, a timer that fires. Nothing can come between the entries of one moment.

mod actor;
mod atom;
mod branches;
mod broker;
mod check;
mod clock;
mod command;
mod deeds;
mod diagram;
mod entry;
mod history;
mod json;
mod lines;
mod packet;
mod scenario;
mod text;
mod view;
mod why;

use std::rc::Rc;

use wasmqtt_broker::{Broker, Config, Lsn, Seed};

pub use branches::{BranchView, Comparison};
pub use check::{Check, Verdict};
pub use clock::Next;
pub use command::{Act, Command, Refusal};
pub use diagram::mermaid;
pub use entry::{
    By, Decision, End, Entry, Happening, Passed, Place, Refused, Restarted, Sent, Timer, TimerKind, Told, What,
};
pub use history::{Error, History, KEYFRAME_BYTES_MAX, Playhead};
pub use json::{Fault, Wrong};
pub use scenario::{Addition, ClientSpec, ConnectSpec, Cue, MessageSpec, Scenario, WillSpec};
pub use text::{line, text};
pub use view::{FilterView, SessionsView, TopicView};
pub use why::{PacketView, Why, fields_of};

use actor::Actor;
use clock::Due;
use lines::{Line, Lines};

/// The wall clock at the beginning of every scenario, in microseconds since 1970.
pub const EPOCH_US: u64 = 1_700_000_000_000_000;
/// Moments in a row at which nothing can be seen, after which a step gives up looking for the next.
const UNSEEN_MAX: u32 = 1_000;

/// A moment of a scenario, from which it goes on.
#[derive(Clone)]
pub struct Stage {
    seed: u64,
    config: Config,
    script: Rc<[Cue]>,
    script_at: usize,
    now_us: u64,
    broker: Broker,
    /// The last record that the broker wrote, and whether it knows that it is stored.
    last_lsn: Lsn,
    fresh: bool,
    restarts: u64,
    actors: Vec<Actor>,
    lines: Lines,
    next_line: u32,
    /// Which client was last connected under a Client Identifier.
    names: Vec<(String, usize)>,
    /// Transports that the broker wants closed, and why.
    closing: Vec<(u32, String)>,
    /// No timer of the broker fires before, as long as nothing happens but that it looks at its timers.
    quiet_until_us: u64,
    log: Vec<Entry>,
    next_n: u64,
    moments: u64,
    cause: Option<u64>,
}

impl Stage {
    /// The beginning of a scenario.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        Stage {
            seed: scenario.seed,
            config: scenario.broker.clone(),
            script: scenario.script.clone(),
            script_at: 0,
            now_us: 0,
            broker: Broker::new(scenario.broker.clone(), seed_of(scenario.seed, 0)),
            last_lsn: Lsn(0),
            fresh: false,
            restarts: 0,
            actors: scenario.clients.iter().map(Actor::new).collect(),
            lines: Lines::default(),
            next_line: 0,
            names: Vec::new(),
            closing: Vec::new(),
            quiet_until_us: 0,
            log: Vec::new(),
            next_n: 0,
            moments: 0,
            cause: None,
        }
    }

    /// The time, in microseconds from the beginning.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.now_us
    }

    /// How many entries there have been.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.next_n
    }

    /// How many moments there have been, those at which nothing was seen too.
    #[must_use]
    pub fn moments(&self) -> u64 {
        self.moments
    }

    /// The entries since the last call, which are then no longer here.
    pub fn take_log(&mut self) -> Vec<Entry> {
        core::mem::take(&mut self.log)
    }

    /// A hash of the broker's state.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.broker.digest()
    }

    /// Obeys a command of a person, now.
    ///
    /// # Errors
    /// It can't be obeyed; nothing has changed.
    pub fn command(&mut self, command: &Command) -> Result<(), Refusal> {
        self.check(command)?;
        self.moments += 1;
        self.quiet_until_us = 0;
        self.obey(command, By::User);
        Ok(())
    }

    /// The next moment. Whether there is one; it may be one at which nothing can be seen.
    pub fn moment(&mut self) -> bool {
        let Some((at_us, due)) = self.due() else { return false };
        self.now_us = self.now_us.max(at_us);
        self.moments += 1;
        self.cause = None;
        if due != Due::Broker {
            self.quiet_until_us = 0;
        }
        self.happen(due);
        self.turn();
        self.cause = None;
        true
    }

    /// On to the next moment at which something can be seen. Whether there was one.
    pub fn step(&mut self) -> bool {
        let before = self.next_n;
        for _ in 0..UNSEEN_MAX {
            if !self.moment() {
                return false;
            }
            if self.next_n > before {
                return true;
            }
        }
        false
    }

    /// All moments up to this time, which is then the time.
    pub fn run_until(&mut self, until_us: u64) {
        while self.due().is_some_and(|(at_us, _)| at_us <= until_us) {
            self.moment();
        }
        self.now_us = self.now_us.max(until_us);
    }

    /// Sets the clock forward to a moment at which a command was given.
    fn wait_until(&mut self, at_us: u64) {
        self.now_us = self.now_us.max(at_us);
    }

    /// Adds an entry, and gives its number.
    fn tell(&mut self, what: What) -> u64 {
        self.tell_because(self.cause, what)
    }

    fn tell_because(&mut self, cause: Option<u64>, what: What) -> u64 {
        let n = self.next_n;
        self.next_n += 1;
        self.log.push(Entry { n, at: self.now_us, cause, by: None, what });
        n
    }

    fn find(&self, id: &str) -> Option<usize> {
        self.actors.iter().position(|actor| !actor.removed && &*actor.id == id)
    }

    /// Bytes that a copy of it takes, about: what the broker counts, which is more than it takes, and for the rest
    /// what was measured.
    #[must_use]
    pub fn bytes(&self) -> usize {
        const CLIENT_BYTES: usize = 2_500;
        const LINE_BYTES: usize = 1_500;
        const REST_BYTES: usize = 16_384;
        let flying: usize = self.lines.values().map(Line::bytes).sum();
        let kept = self.broker.counters().memory_bytes as usize;
        REST_BYTES + kept + self.actors.len() * CLIENT_BYTES + self.lines.values().count() * LINE_BYTES + flying
    }
}

/// What the n-th broker of a scenario draws from.
fn seed_of(seed: u64, restarts: u64) -> Seed {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..].copy_from_slice(&restarts.to_le_bytes());
    Seed(bytes)
}
