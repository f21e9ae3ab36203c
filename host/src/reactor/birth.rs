//! Guests begin, go wrong, and are replaced. A guest that failed takes all that it knew with it, connections included;
//! the listeners stay, and who comes back meets a fresh one. One that fails again and again is started ever more
//! slowly.

use std::time::{Duration, Instant};

use wasmqtt_broker::{Config as CoreConfig, Seed, Time};

use super::Reactor;
use crate::fault::GuestFault;
use crate::guest::{Guest, GuestLimits, Recorder};
use crate::module::GuestModule;

/// A guest that lived this long starts without delay when it fails.
const HEALTHY: Duration = Duration::from_secs(60);
/// The longest delay before a guest that fails again and again is started anew.
const RESTART_DELAY_MAX: Duration = Duration::from_secs(10);

/// How to start a guest, and how often that was needed.
pub(super) struct Birth {
    module: GuestModule,
    core: CoreConfig,
    limits: GuestLimits,
    seed: Option<Seed>,
    born: Instant,
    failures: u32,
    /// When to start the next one.
    pub next: Option<Instant>,
    /// Writes down what guests are told; while one lives, it is there.
    pub recorder: Option<Box<Recorder>>,
}

impl Birth {
    pub fn new(module: GuestModule, core: CoreConfig, limits: GuestLimits, seed: Option<Seed>) -> Self {
        Birth { module, core, limits, seed, born: Instant::now(), failures: 0, next: None, recorder: None }
    }

    pub fn guest(&mut self) -> Result<Guest, GuestFault> {
        let seed = self.seed.unwrap_or_else(seed_of_the_system);
        self.born = Instant::now();
        let mut guest = Guest::new(&self.module, &self.core, seed, self.limits)?;
        if let Some(recorder) = self.recorder.take() {
            guest.record(recorder, seed);
        }
        Ok(guest)
    }

    /// How long to wait after a failure: not at all, if it is the first for long.
    fn delay(&mut self) -> Duration {
        self.failures = if self.born.elapsed() > HEALTHY { 0 } else { self.failures + 1 };
        match self.failures {
            0 | 1 => Duration::ZERO,
            many => (Duration::from_millis(100) * 2_u32.saturating_pow(many - 2)).min(RESTART_DELAY_MAX),
        }
    }
}

fn seed_of_the_system() -> Seed {
    let mut seed = [0; 16];
    getrandom::fill(&mut seed).expect("the system has random bytes");
    Seed(seed)
}

impl Reactor {
    /// Throws a guest away that did wrong, and everything that it knew.
    pub(super) fn guest_failed(&mut self, fault: &GuestFault) {
        let delay = self.birth.delay();
        tracing::error!(restart_in_ms = delay.as_millis() as u64, connections = self.connections.open(), "{fault}");
        if let Some(mut guest) = self.guest.take() {
            self.birth.recorder = guest.release_recorder(fault);
        }
        self.connections.clear();
        self.ready.clear();
        self.again.clear();
        self.unflushed.clear();
        self.timers.clear();
        self.replies.clear();
        self.deadline = None;
        self.birth.next = Some(Instant::now() + delay);
        self.start_guest_again();
    }

    pub(super) fn start_guest_again(&mut self) {
        if self.birth.next.is_none_or(|at| Instant::now() < at) || self.stop_at.is_some() {
            return;
        }
        self.birth.next = None;
        match self.birth.guest() {
            Ok(guest) => {
                tracing::warn!("a fresh guest serves; clients can reconnect");
                self.guest = Some(guest);
                self.deadline = Some(Time(0));
            }
            Err(fault) => {
                let delay = self.birth.delay();
                tracing::error!(restart_in_ms = delay.as_millis() as u64, "{fault}");
                self.birth.next = Some(Instant::now() + delay);
            }
        }
    }
}
