//! Readings of everything that is counted, taken at two moments; their difference is what the time between has cost.

use std::time::{Duration, Instant};

use crate::failure::Outcome;
use crate::net::{Calls, Net};
use crate::process::{Process, own_cpu};
use crate::report::{BrokerCost, Measured};

/// What is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Meter {
    /// The broker's process, if it is on this machine.
    pub process: Option<Process>,
}

/// All counters at a moment.
pub struct Reading {
    at: Instant,
    deliveries: u64,
    own_cpu: Duration,
    calls: Calls,
    broker_cpu: Option<Duration>,
}

impl Meter {
    /// Reads all counters.
    ///
    /// # Errors
    /// If the broker's process is gone.
    pub fn read(&self, net: &Net, deliveries: u64) -> Outcome<Reading> {
        let broker_cpu = self.process.map(Process::cpu).transpose()?;
        Ok(Reading { at: Instant::now(), deliveries, own_cpu: own_cpu(), calls: net.calls, broker_cpu })
    }

    /// What lies between two readings.
    #[must_use]
    pub fn since(&self, from: &Reading, to: &Reading) -> Measured {
        let deliveries = to.deliveries - from.deliveries;
        let seconds = (to.at - from.at).as_secs_f64();
        let each = 1.0 / deliveries.max(1) as f64;
        let calls = |calls: &Calls| calls.polls + calls.reads + calls.writes;
        let broker = self.process.zip(from.broker_cpu).zip(to.broker_cpu).map(|((process, before), after)| {
            BrokerCost::new(after.saturating_sub(before), deliveries, process.resolution_ns())
        });
        Measured {
            deliveries,
            seconds,
            deliveries_per_s: deliveries as f64 / seconds.max(1e-9),
            own_cpu_us: (to.own_cpu.saturating_sub(from.own_cpu)).as_secs_f64() * 1e6 * each,
            own_calls: (calls(&to.calls) - calls(&from.calls)) as f64 * each,
            broker,
        }
    }
}
