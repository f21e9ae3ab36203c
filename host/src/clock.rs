//! The broker's time as this machine tells it: microseconds since 1970, never going back, running through the machine's
//! sleep. The wall clock is read once, at the start; afterwards only clocks that nobody sets are asked, so that a
//! correction of the wall clock expires no Session. A virtual clock moves only when it is told to, for tests whose
//! stories wait for hours.

use rustix::time::{ClockId, clock_gettime};
use wasmqtt_broker::Time;

/// Sleeps shorter than this are not worth telling: scheduling looks the same.
const SLEEP_MIN_US: u64 = 1_000_000;

/// Which clock a server runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Clock {
    /// The machine's.
    #[default]
    Real,
    /// One that begins here and moves only by [`Running::advance`](crate::server::Running::advance).
    Virtual(Time),
}

/// A running clock.
#[derive(Debug)]
pub(crate) enum Timepiece {
    Real {
        /// Wall time when the boot clock would have shown 0.
        base_us: u64,
        /// How far the boot clock is ahead of the one that stops while the machine sleeps.
        asleep_us: u64,
    },
    Virtual(Time),
}

impl Timepiece {
    pub fn new(clock: Clock) -> Self {
        match clock {
            Clock::Real => {
                let wall_us = read_us(ClockId::Realtime);
                let boot_us = read_us(ClockId::Boottime);
                let asleep_us = boot_us.saturating_sub(read_us(ClockId::Monotonic));
                Timepiece::Real { base_us: wall_us.saturating_sub(boot_us), asleep_us }
            }
            Clock::Virtual(start) => Timepiece::Virtual(start),
        }
    }

    pub fn now(&self) -> Time {
        match self {
            Timepiece::Real { base_us, .. } => Time(base_us + read_us(ClockId::Boottime)),
            Timepiece::Virtual(now) => *now,
        }
    }

    /// For how long the machine slept since this was asked last, if it did.
    pub fn slept_us(&mut self) -> Option<u64> {
        let Timepiece::Real { asleep_us, .. } = self else { return None };
        // Read in this order a gap can only look smaller than it is.
        let boot_us = read_us(ClockId::Boottime);
        let now_asleep_us = boot_us.saturating_sub(read_us(ClockId::Monotonic));
        let slept_us = now_asleep_us.saturating_sub(*asleep_us);
        if slept_us < SLEEP_MIN_US {
            return None;
        }
        *asleep_us = now_asleep_us;
        Some(slept_us)
    }

    /// Whether waiting until a moment is waiting for the machine, not for a test.
    pub fn is_real(&self) -> bool {
        matches!(self, Timepiece::Real { .. })
    }

    /// Moves a virtual clock forward; never back, and a real one not at all.
    pub fn move_to(&mut self, time: Time) {
        if let Timepiece::Virtual(now) = self {
            *now = time.max(*now);
        }
    }
}

fn read_us(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_virtual_clock_moves_only_forward_and_only_when_told() {
        let mut clock = Timepiece::new(Clock::Virtual(Time(5)));
        clock.move_to(Time(9));
        clock.move_to(Time(7));
        assert_eq!(clock.now(), Time(9));
        assert_eq!(clock.slept_us(), None);
    }

    #[test]
    fn the_real_clock_agrees_with_the_wall_and_never_goes_back() {
        let clock = Timepiece::new(Clock::Real);
        let first = clock.now();
        assert!(Time(read_us(ClockId::Realtime)).us_since(first) < 10_000_000);
        assert!(clock.now() >= first);
    }
}
