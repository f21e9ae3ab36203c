//! One queue for everything that happens because time passed. Ties break by the order in which timers were armed, so
//! that two runs agree; whoever arms a timer keeps its key and takes it back when the reason is gone, so that peers
//! who come and go leave nothing behind.

use alloc::collections::BTreeMap;
use serde::{Deserialize, Serialize};

use crate::id::{BridgeId, ConnectionId};
use crate::time::Time;

/// What to look at when its moment has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Timer {
    /// CONNECT or an AUTH step is overdue, or the Keep Alive may have run out.
    Connection(ConnectionId),
    /// The Session Expiry Interval of a Session has passed.
    SessionExpiry(u32),
    /// The Will Delay Interval of a Session has passed.
    WillDelay(u32),
    /// A Retained Message, by its node in the tree, has expired.
    RetainedExpiry(u32),
    /// The `$SYS` tree is due.
    Sys,
    /// A bridge dials again.
    Bridge(BridgeId),
}

/// Names an armed timer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub(crate) struct TimerKey {
    at: Time,
    sequence: u64,
}

/// All armed timers, in the order in which they fire.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Timers {
    queue: BTreeMap<TimerKey, Timer>,
    armed: u64,
}

impl Timers {
    pub(crate) fn arm(&mut self, at: Time, timer: Timer) -> TimerKey {
        self.armed += 1;
        let key = TimerKey { at, sequence: self.armed };
        self.queue.insert(key, timer);
        key
    }

    /// Takes a timer back. `None` and timers that fired already are fine.
    pub(crate) fn cancel(&mut self, key: Option<TimerKey>) {
        if let Some(key) = key {
            self.queue.remove(&key);
        }
    }

    pub(crate) fn first(&self) -> Option<Time> {
        self.queue.first_key_value().map(|(key, _)| key.at)
    }

    /// The next timer that is due at `now`, taken out.
    pub(crate) fn pop_due(&mut self, now: Time) -> Option<Timer> {
        if self.first()? > now {
            return None;
        }
        self.queue.pop_first().map(|(_, timer)| timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_fire_in_the_order_of_arming_and_a_cancelled_timer_never() {
        let mut timers = Timers::default();
        let _ = timers.arm(Time(5), Timer::WillDelay(1));
        let gone = timers.arm(Time(5), Timer::WillDelay(2));
        let _ = timers.arm(Time(5), Timer::WillDelay(3));
        let _ = timers.arm(Time(4), Timer::WillDelay(4));
        timers.cancel(Some(gone));
        assert_eq!(timers.pop_due(Time(3)), None);
        assert_eq!(timers.pop_due(Time(5)), Some(Timer::WillDelay(4)));
        assert_eq!(timers.pop_due(Time(5)), Some(Timer::WillDelay(1)));
        assert_eq!(timers.pop_due(Time(5)), Some(Timer::WillDelay(3)));
        assert_eq!(timers.first(), None);
    }
}
