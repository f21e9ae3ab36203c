//! The guest's turns in a process of their own kind: the same core, tables and bounds, no WebAssembly. Nobody serves
//! with this; the server built on it is what the sandbox is compared with.

use bytes::{Buf, Bytes, BytesMut};
use wasmqtt_abi::{Entry, NO_DEADLINE, Row};
use wasmqtt_broker::{Broker, Config, Seed, Time};

use crate::turn::{Desk, Out, Turn};

/// As in the guest.
const BLOCK_BYTES: usize = 256 << 10;
/// As in the guest.
const BLOCK_ROOM_MIN: usize = 64 << 10;

/// A core and what its driver tells it.
pub struct Native {
    turn: Turn,
    desk: Plain,
}

/// The tables, in memory that nobody else writes.
struct Plain {
    entries: Vec<Entry>,
    letters: Vec<u8>,
    /// Room that sockets are read into, cut off at its front.
    block: BytesMut,
    out: Out,
}

impl Native {
    /// An empty broker.
    #[must_use]
    pub fn new(config: Config, seed: Seed) -> Self {
        let block = BytesMut::zeroed(BLOCK_BYTES);
        let desk = Plain { entries: Vec::new(), letters: Vec::new(), block, out: Out::new() };
        Native { turn: Turn::new(Broker::new(config, seed)), desk }
    }

    /// Where socket bytes go.
    pub fn block(&mut self) -> &mut [u8] {
        &mut self.desk.block
    }

    /// One turn over these entries and the letters that they name; gives the next deadline.
    pub fn step(&mut self, now: Time, entries: &[Entry], letters: &[u8]) -> Option<Time> {
        self.desk.entries.clear();
        self.desk.entries.extend_from_slice(entries);
        self.desk.letters.clear();
        self.desk.letters.extend_from_slice(letters);
        let count = u32::try_from(entries.len()).expect("as few as the guest's table has room for");
        let deadline = self.turn.step(&mut self.desk, now.0, count);
        self.desk.make_room();
        (deadline != NO_DEADLINE).then_some(Time(deadline))
    }

    /// The rows of the last turn.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.desk.out.rows
    }

    /// What a row of the last turn lists.
    pub fn listed(&self, row: Row) -> impl Iterator<Item = &[u8]> + Clone {
        self.turn.listed(row)
    }

    /// The outputs of the last turn, in postcard.
    #[must_use]
    pub fn letters(&self) -> &[u8] {
        &self.desk.out.letters
    }

    /// The flags of the last turn.
    #[must_use]
    pub fn flags(&self) -> u32 {
        self.desk.out.flags
    }
}

impl Plain {
    /// As the guest's block does, but that memory which may be read has to be written once before.
    fn make_room(&mut self) {
        if self.block.len() < BLOCK_ROOM_MIN {
            self.block.clear();
            if !self.block.try_reclaim(BLOCK_BYTES) {
                self.block = BytesMut::with_capacity(BLOCK_BYTES);
            }
            self.block.resize(BLOCK_BYTES, 0);
        }
    }
}

impl Desk for Plain {
    fn entry(&self, index: u32) -> Entry {
        self.entries[index as usize]
    }

    fn letter(&self, offset: u32, len: u32) -> &[u8] {
        &self.letters[offset as usize..][..len as usize]
    }

    fn filled(&mut self, len: u32) {
        assert!(len as usize <= self.block.len(), "more came than there was room for");
    }

    fn cut(&mut self, skip: u32, len: u32) -> Bytes {
        self.block.advance(skip as usize);
        self.block.split_to(len as usize).freeze()
    }

    fn address(_: &[u8]) -> u32 {
        // Rows are read by `listed`: an address has more bits here than a table has room for.
        0
    }

    fn out(&mut self) -> &mut Out {
        &mut self.out
    }
}
