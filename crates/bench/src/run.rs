//! Plays a workload on a core: connects everybody, then rounds. What clients answer is put together outside the time
//! that is taken.

use std::time::{Duration, Instant};

use wasmqtt_broker::{Config, ConnectionId};

use crate::core::Core;
use crate::packets;
use crate::workload::Workload;

/// A workload on a core, everybody connected and subscribed.
pub struct Run<C> {
    core: C,
    /// What each publisher sends in one round.
    rounds: Vec<(ConnectionId, Vec<u8>)>,
    /// What each client has to say next, by slot.
    answers: Vec<Vec<u8>>,
    deliveries_per_round: u64,
    taken: Duration,
}

/// The configuration that all workloads run under: the defaults, with room for their Subscriptions.
pub fn config() -> Config {
    let mut config = Config { sys_interval_s: 0, ..Config::default() };
    config.limits.subscriptions_per_session_max = 20_000;
    config
}

impl<C: Core> Run<C> {
    /// Connects all clients and lets them subscribe.
    pub fn new(workload: &Workload, core: C) -> Self {
        let mut run = Run {
            core,
            rounds: Vec::new(),
            answers: Vec::new(),
            deliveries_per_round: workload.deliveries(),
            taken: Duration::ZERO,
        };
        for (slot, player) in (0..).zip(workload.players()) {
            let conn = ConnectionId { slot, generation: 1 };
            run.answers.push(Vec::new());
            run.core.open(conn);
            run.tell(conn, &packets::connect(workload.version, &format!("client-{slot:05}")));
            for filter in &player.filters {
                run.tell(conn, &packets::subscribe(workload.version, filter, workload.qos));
            }
            if !player.sends.is_empty() {
                run.rounds.push((conn, player.sends));
            }
        }
        run.settle();
        run.taken = Duration::ZERO;
        run
    }

    /// One round; panics if a message is missing.
    pub fn round(&mut self) {
        let rounds = std::mem::take(&mut self.rounds);
        let mut deliveries = 0;
        for (conn, bytes) in &rounds {
            deliveries += self.tell(*conn, bytes);
        }
        self.rounds = rounds;
        deliveries += self.settle();
        assert_eq!(deliveries, self.deliveries_per_round, "each message arrives once");
    }

    /// Time spent in the core by all rounds so far.
    pub fn taken(&self) -> Duration {
        self.taken
    }

    /// Tells bytes, taking turns when there is no room; gives the messages that arrived meanwhile.
    fn tell(&mut self, conn: ConnectionId, mut bytes: &[u8]) -> u64 {
        let mut deliveries = 0;
        while !bytes.is_empty() {
            let room = self.core.room().min(bytes.len());
            if room == 0 {
                deliveries += self.turn();
                continue;
            }
            let (now, later) = bytes.split_at(room);
            self.core.tell(conn, now);
            bytes = later;
        }
        deliveries
    }

    /// Takes turns and answers until nothing is left to say.
    fn settle(&mut self) -> u64 {
        let mut deliveries = self.turn();
        loop {
            let mut said = false;
            for slot in 0..self.answers.len() {
                let answer = std::mem::take(&mut self.answers[slot]);
                if !answer.is_empty() {
                    said = true;
                    deliveries += self.tell(ConnectionId { slot: slot as u32, generation: 1 }, &answer);
                }
                if self.answers[slot].is_empty() {
                    // The memory is used again.
                    self.answers[slot] = answer;
                    self.answers[slot].clear();
                }
            }
            if !said && !self.core.has_more() {
                return deliveries;
            }
            deliveries += self.turn();
        }
    }

    fn turn(&mut self) -> u64 {
        let (answers, mut deliveries, mut away) = (&mut self.answers, 0, Duration::ZERO);
        let begun = Instant::now();
        self.core.turn(&mut |conn, bytes| {
            let answering = Instant::now();
            deliveries += answer(bytes, &mut answers[conn.slot as usize]);
            away += answering.elapsed();
        });
        self.taken += begun.elapsed().saturating_sub(away);
        deliveries
    }
}

/// What a client says to all this; gives the number of messages in it.
fn answer(bytes: &[u8], into: &mut Vec<u8>) -> u64 {
    let mut deliveries = 0;
    for (first, body) in packets::packets(bytes) {
        match first >> 4 {
            3 => {
                deliveries += 1;
                match first >> 1 & 3 {
                    0 => {}
                    1 => packets::acknowledge(0x40, packets::identifier_of(body), into),
                    _ => packets::acknowledge(0x50, packets::identifier_of(body), into),
                }
            }
            5 => packets::acknowledge(0x62, [body[0], body[1]], into),
            6 => packets::acknowledge(0x70, [body[0], body[1]], into),
            _ => {}
        }
    }
    deliveries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::Native;

    const LARGE: [&str; 3] = ["retained-200k", "spread-1m", "subscribed-300k"];

    /// Each workload runs, and its rounds are whole; the large ones are left to the bench.
    #[test]
    fn every_workload_runs() {
        for workload in Workload::all().iter().filter(|workload| !LARGE.contains(&workload.name)) {
            let mut run = Run::new(workload, Native::new(config()));
            run.round();
            run.round();
            assert!(run.taken() > Duration::ZERO, "{}", workload.name);
        }
    }

    #[test]
    #[should_panic(expected = "each message arrives once")]
    fn a_core_that_drops_is_caught() {
        /// Swallows one message in every turn that has some.
        struct Dropping(Native);
        impl Core for Dropping {
            fn open(&mut self, conn: ConnectionId) {
                self.0.open(conn);
            }
            fn room(&mut self) -> usize {
                self.0.room()
            }
            fn tell(&mut self, conn: ConnectionId, bytes: &[u8]) {
                self.0.tell(conn, bytes);
            }
            fn turn(&mut self, sink: &mut crate::core::Sink<'_>) {
                let mut dropped = false;
                self.0.turn(&mut |conn, bytes| {
                    if bytes[0] >> 4 != 3 || std::mem::replace(&mut dropped, true) {
                        sink(conn, bytes);
                    }
                });
            }
            fn has_more(&self) -> bool {
                self.0.has_more()
            }
        }
        let workloads = Workload::all();
        Run::new(&workloads[0], Dropping(Native::new(config()))).round();
    }
}
