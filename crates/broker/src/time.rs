//! The broker's only notion of time: a number that the driver hands in with each input. The core reads no clock, so a
//! test, a simulator or a recording can let an hour pass in one step and every build sees exactly the same hour.

use serde::{Deserialize, Serialize};

/// A moment: microseconds since 1970-01-01 UTC, as the driver tells it. It never goes back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct Time(pub u64);

impl Time {
    /// The moment `seconds` later; the far end of time instead of an overflow.
    #[must_use]
    pub const fn plus_s(self, seconds: u64) -> Time {
        self.plus_us(seconds.saturating_mul(1_000_000))
    }

    /// The moment `us` microseconds later; the far end of time instead of an overflow.
    #[must_use]
    pub const fn plus_us(self, us: u64) -> Time {
        Time(self.0.saturating_add(us))
    }

    /// When what comes now with a Message Expiry Interval of so many seconds expires: after the present moment even if
    /// that is 0. Whoever can take such a message as it comes gets it, whatever its QoS; whoever has to wait does not.
    #[must_use]
    pub(crate) fn plus_expiry(self, interval_s: u32) -> Time {
        self.plus_s(u64::from(interval_s)).max(self.plus_us(1))
    }

    /// Microseconds from `earlier` to this moment; 0 if `earlier` is not earlier.
    #[must_use]
    pub const fn us_since(self, earlier: Time) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
