//! What is to be told to a guest with its next step: entries in the order in which things happened, and the letters
//! that some of them name. The same for a guest under wasmtime and for the core without a sandbox.

use serde::Serialize;
use wasmqtt_abi::{Entry, flag, kind};
use wasmqtt_broker::{ConnectionId, Input};

/// See the file.
#[derive(Debug, Default)]
pub struct Entries {
    list: Vec<Entry>,
    letters: Vec<u8>,
    /// Bytes of the block in use.
    block_used: usize,
}

impl Entries {
    /// The first `len` bytes of what is left of the block came from this connection.
    pub fn received(&mut self, conn: ConnectionId, len: usize) {
        self.entry(kind::RECEIVED, conn, self.block_used, len);
        self.block_used += len;
    }

    /// The transport took this many of the bytes that its last row listed. Every row must be answered.
    pub fn sent(&mut self, conn: ConnectionId, len: usize) {
        self.entry(kind::SENT, conn, 0, len);
    }

    /// A transport that took fewer bytes than were listed takes bytes again.
    pub fn writable(&mut self, conn: ConnectionId) {
        self.entry(kind::WRITABLE, conn, 0, 0);
    }

    /// The transport is gone.
    pub fn closed(&mut self, conn: ConnectionId) {
        self.entry(kind::CLOSED, conn, 0, 0);
    }

    /// Any input that has no method of its own. Not [`Input::Tick`], which ends each step by itself.
    pub fn letter(&mut self, input: &Input) {
        let offset = self.letters.len();
        self.put(input);
        self.entry(kind::LETTER, ConnectionId { slot: 0, generation: 0 }, offset, self.letters.len() - offset);
    }

    /// Whether nothing is to be told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are; more may wait than one step takes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// The first of them, at most as many as one step takes.
    pub(crate) fn first(&self, room: usize) -> &[Entry] {
        &self.list[..self.list.len().min(room)]
    }

    /// All letters: entries name ranges of them.
    pub(crate) fn letters(&self) -> &[u8] {
        &self.letters
    }

    pub(crate) fn block_used(&self) -> usize {
        self.block_used
    }

    /// Whether another step is due without waiting for anything, by the [`flag`]s that the last one gave.
    pub(crate) fn want_step(&self, flags: u32, room: usize) -> bool {
        flags & flag::MORE != 0 || self.list.len() >= room || (flags & flag::WANTS_SENT != 0 && !self.list.is_empty())
    }

    /// A letter that no entry names.
    pub(crate) fn put<T: Serialize>(&mut self, letter: &T) {
        let letters = std::mem::take(&mut self.letters);
        self.letters = postcard::to_extend(letter, letters).expect("an input can be written down");
    }

    /// A step has taken the first `count` entries.
    pub(crate) fn told(&mut self, count: usize) {
        self.list.drain(..count);
        if self.list.is_empty() {
            self.letters.clear();
        }
        self.block_used = 0;
    }

    fn entry(&mut self, kind: u32, conn: ConnectionId, offset: usize, len: usize) {
        let word = |number| u32::try_from(number).expect("blocks, rows and letters are smaller than 4 GiB");
        let (slot, generation) = (conn.slot, conn.generation);
        self.list.push(Entry { kind, slot, generation, offset: word(offset), len: word(len) });
    }
}
