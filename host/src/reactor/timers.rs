//! The host's own few deadlines: requests that never end, farewells that nobody answers. The core keeps all others.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use wasmqtt_broker::{ConnectionId, Time};

/// Deadlines of transports, the earliest first. One that no longer matters is found so when it is due.
#[derive(Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Time, ConnectionId)>>,
}

impl Timers {
    pub fn push(&mut self, time: Time, id: ConnectionId) {
        self.heap.push(Reverse((time, id)));
    }

    pub fn next(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse((time, _))| *time)
    }

    pub fn due(&mut self, now: Time) -> Option<ConnectionId> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, id))| id)
    }

    pub fn clear(&mut self) {
        self.heap.clear();
    }
}
