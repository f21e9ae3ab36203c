//! The core without a sandbox, behind the same doors as [`Guest`](crate::guest::Guest): with feature `native-core` the
//! reactor drives this instead, so that the price of the sandbox can be measured, sockets included. It protects nobody
//! from anything, records nothing, and is no way to run a server.

use wasmqtt_abi::Row;
use wasmqtt_broker::{Config, Output, Seed, Time};
use wasmqtt_guest::native::Native;

use crate::entries::Entries;
use crate::fault::GuestFault;
use crate::guest::{GuestLimits, Recorder};
use crate::module::GuestModule;

/// Entries of one step, as in the guest.
const ENTRIES_MAX: usize = 4_096;

/// A core and what is to be told to it with the next step.
pub struct Guest {
    core: Native,
    pub entries: Entries,
    outputs: Vec<Output>,
}

impl Guest {
    /// Starts a core with an empty broker; module and limits are for those that have a sandbox.
    pub fn new(_: &GuestModule, config: &Config, seed: Seed, _: GuestLimits) -> Result<Self, GuestFault> {
        let core = Native::new(config.clone(), seed);
        Ok(Guest { core, entries: Entries::default(), outputs: Vec::new() })
    }

    pub fn block(&mut self) -> &mut [u8] {
        if self.entries.len() >= ENTRIES_MAX {
            return &mut [];
        }
        &mut self.core.block()[self.entries.block_used()..]
    }

    pub fn wants_step(&self) -> bool {
        self.entries.want_step(self.core.flags(), ENTRIES_MAX)
    }

    pub fn step(&mut self, now: Time) -> Result<Option<Time>, GuestFault> {
        let entries = self.entries.first(ENTRIES_MAX);
        let count = entries.len();
        let deadline = self.core.step(now, entries, self.entries.letters());
        self.entries.told(count);
        let mut rest = self.core.letters();
        self.outputs.clear();
        while !rest.is_empty() {
            let (output, after) = postcard::take_from_bytes(rest).expect("the core is of this build");
            self.outputs.push(output);
            rest = after;
        }
        Ok(deadline)
    }

    pub fn outputs(&mut self) -> std::vec::Drain<'_, Output> {
        self.outputs.drain(..)
    }

    pub fn rows(&self) -> usize {
        self.core.rows().len()
    }

    pub fn row(&self, index: usize) -> Row {
        self.core.rows()[index]
    }

    pub fn listed(&self, row: Row) -> impl Iterator<Item = &[u8]> + Clone {
        self.core.listed(row)
    }

    /// Nothing is recorded here.
    pub fn record(&mut self, recorder: Box<Recorder>, _: Seed) {
        recorder.end_without_guest();
    }

    pub fn release_recorder(&mut self, _: &GuestFault) -> Option<Box<Recorder>> {
        None
    }

    pub fn end_recording(&mut self, _: Time, _: &str) {}
}
