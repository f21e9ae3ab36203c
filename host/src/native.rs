//! The core without a sandbox, behind the same doors as [`Guest`](crate::guest::Guest): with feature `native-core` the
//! reactor drives this instead, so that the price of the sandbox can be measured, sockets included. It protects nobody
//! from anything, records nothing, and is no way to run a server.

use serde::Serialize;
use wasmqtt_abi::{Entry, Row, flag, kind};
use wasmqtt_broker::{Config, ConnectionId, Input, Output, Seed, Time};
use wasmqtt_guest::native::Native;

use crate::fault::GuestFault;
use crate::guest::{GuestLimits, Recorder};
use crate::module::GuestModule;

/// Entries of one step, as in the guest.
const ENTRIES_MAX: usize = 4_096;

/// A core and what is to be told to it with the next step.
pub struct Guest {
    core: Native,
    entries: Vec<Entry>,
    letters: Vec<u8>,
    /// Bytes of the block in use.
    block_used: usize,
    outputs: Vec<Output>,
}

impl Guest {
    /// Starts a core with an empty broker; module and limits are for those that have a sandbox.
    pub fn new(_: &GuestModule, config: &Config, seed: Seed, _: GuestLimits) -> Result<Self, GuestFault> {
        let core = Native::new(config.clone(), seed);
        Ok(Guest { core, entries: Vec::new(), letters: Vec::new(), block_used: 0, outputs: Vec::new() })
    }

    pub fn block(&mut self) -> &mut [u8] {
        if self.entries.len() >= ENTRIES_MAX {
            return &mut [];
        }
        &mut self.core.block()[self.block_used..]
    }

    pub fn received(&mut self, conn: ConnectionId, len: usize) {
        self.entry(kind::RECEIVED, conn, self.block_used, len);
        self.block_used += len;
    }

    pub fn sent(&mut self, conn: ConnectionId, len: usize) {
        self.entry(kind::SENT, conn, 0, len);
    }

    pub fn writable(&mut self, conn: ConnectionId) {
        self.entry(kind::WRITABLE, conn, 0, 0);
    }

    pub fn closed(&mut self, conn: ConnectionId) {
        self.entry(kind::CLOSED, conn, 0, 0);
    }

    pub fn letter(&mut self, input: &Input) {
        let offset = self.letters.len();
        self.put(input);
        self.entry(kind::LETTER, ConnectionId { slot: 0, generation: 0 }, offset, self.letters.len() - offset);
    }

    pub fn has_entries(&self) -> bool {
        !self.entries.is_empty()
    }

    pub fn wants_step(&self) -> bool {
        let flags = self.core.flags();
        flags & flag::MORE != 0
            || self.entries.len() >= ENTRIES_MAX
            || (flags & flag::WANTS_SENT != 0 && !self.entries.is_empty())
    }

    pub fn step(&mut self, now: Time) -> Result<Option<Time>, GuestFault> {
        let count = self.entries.len().min(ENTRIES_MAX);
        let deadline = self.core.step(now, &self.entries[..count], &self.letters);
        self.entries.drain(..count);
        if self.entries.is_empty() {
            self.letters.clear();
        }
        self.block_used = 0;
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

    fn entry(&mut self, kind: u32, conn: ConnectionId, offset: usize, len: usize) {
        let word = |number| u32::try_from(number).expect("blocks and letters are smaller than 4 GiB");
        let (slot, generation) = (conn.slot, conn.generation);
        self.entries.push(Entry { kind, slot, generation, offset: word(offset), len: word(len) });
    }

    fn put<T: Serialize>(&mut self, letter: &T) {
        let letters = std::mem::take(&mut self.letters);
        self.letters = postcard::to_extend(letter, letters).expect("an input can be written down");
    }
}
