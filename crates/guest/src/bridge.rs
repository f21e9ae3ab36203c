//! The memory that guest and host share: the header, the tables, the letters, and the block that socket bytes are read
//! into. The host writes here between calls, behind the compiler's back; that is why reading it back is `unsafe`, and
//! why it happens in this file only.
#![allow(unsafe_code, reason = "the host writes into this memory between calls")]

use core::hint::black_box;

use bytes::{Buf, Bytes, BytesMut};
use wasmqtt_abi::{Entry, Header, MAGIC, VERSION};

use crate::turn::{Desk, Out};

/// Entries that fit into one step: more than [`ROWS_MAX`](crate::turn::ROWS_MAX), so that each row's answer always
/// finds room.
const ENTRIES_MAX: usize = 4_096;
/// Letters of the host that fit without asking for more.
const LETTERS_BYTES_MIN: usize = 64 << 10;
/// A block. Its size decides nothing (64 KiB to 1 MiB measured equal), but the room left in it does.
const BLOCK_BYTES: usize = 256 << 10;
/// Below this much room another block is taken: a socket that gets less than 32 to 64 KiB needs more calls.
const BLOCK_ROOM_MIN: usize = 64 << 10;

/// All that the host finds through the header.
pub struct Tables {
    header: Box<Header>,
    entries: Box<[Entry]>,
    letters_in: Box<[u8]>,
    out: Out,
    /// Where socket bytes go.
    block: Block,
    reserve: Reserve,
}

impl Tables {
    pub fn new() -> Self {
        let mut tables = Tables {
            header: Box::default(),
            entries: vec![Entry::default(); ENTRIES_MAX].into(),
            letters_in: Box::default(),
            out: Out::new(),
            block: Block::new(),
            reserve: Reserve::new(),
        };
        tables.room_for_letters(0);
        tables
    }

    pub fn header_address(&self) -> u32 {
        address(&*self.header)
    }

    /// Makes room for letters; gives room back that only one large letter needed.
    pub fn room_for_letters(&mut self, bytes: u32) {
        let wanted = (bytes as usize).max(LETTERS_BYTES_MIN);
        if self.letters_in.len() < wanted || self.letters_in.len() > wanted.saturating_mul(4) {
            self.letters_in = vec![0; wanted].into();
        }
        self.publish();
    }

    /// After a turn: room for the next one, and a header that says where everything is now.
    pub fn tidy(&mut self) {
        self.block.make_room();
        self.reserve.keep();
        self.publish();
    }

    /// Writes the header anew, after anything moved.
    fn publish(&mut self) {
        let (block_at, block_room) = self.block.room();
        *self.header = Header {
            magic: MAGIC,
            version: VERSION,
            entries_at: address(self.entries.as_ptr()),
            entries_room: self.entries.len() as u32,
            block_at,
            block_room,
            letters_in_at: address(self.letters_in.as_ptr()),
            letters_in_room: self.letters_in.len() as u32,
            rows_at: address(self.out.rows.as_ptr()),
            rows_len: self.out.rows.len() as u32,
            slices_at: address(self.out.slices.as_ptr()),
            slices_len: self.out.slices.len() as u32,
            letters_out_at: address(self.out.letters.as_ptr()),
            letters_out_len: self.out.letters.len() as u32,
            flags: self.out.flags,
            reserved: 0,
        };
        // The host reads the header after this call: the write must not be kept back.
        black_box(&*self.header);
    }
}

impl Desk for Tables {
    fn entry(&self, index: u32) -> Entry {
        let entry: *const Entry = &self.entries[index as usize];
        // SAFETY: the pointer is that of an element of a live table; the host wrote it before this call and nothing
        // writes it during the call. Volatile, because the compiler saw nobody write it.
        unsafe { entry.read_volatile() }
    }

    fn letter(&self, offset: u32, len: u32) -> &[u8] {
        let letter = &self.letters_in[offset as usize..][..len as usize];
        // SAFETY: the same bytes again, a range of a live table that nothing writes during the call; `black_box` makes
        // the compiler forget that it saw nobody write them.
        unsafe { core::slice::from_raw_parts(black_box(letter.as_ptr()), letter.len()) }
    }

    fn filled(&mut self, len: u32) {
        self.block.filled(len);
    }

    fn cut(&mut self, skip: u32, len: u32) -> Bytes {
        self.block.cut(skip, len)
    }

    fn address(bytes: &[u8]) -> u32 {
        address(bytes.as_ptr())
    }

    fn out(&mut self) -> &mut Out {
        &mut self.out
    }
}

/// The address of something as the host sees it.
fn address<T>(pointer: *const T) -> u32 {
    pointer as usize as u32
}

/// Where the host reads sockets into. What came is cut off its front as [`Bytes`], so the broker can keep slices of it
/// without a copy; they pin the block, and when none is left it is filled again from its start.
struct Block {
    bytes: BytesMut,
}

impl Block {
    fn new() -> Self {
        Block { bytes: BytesMut::with_capacity(BLOCK_BYTES) }
    }

    /// Address and length of what the host may write.
    fn room(&mut self) -> (u32, u32) {
        let room = self.bytes.spare_capacity_mut();
        (address(room.as_ptr()), room.len() as u32)
    }

    /// Takes over the first `len` bytes of the room, which the host wrote.
    fn filled(&mut self, len: u32) {
        assert!(self.bytes.is_empty() && len as usize <= self.bytes.capacity(), "the host wrote beyond the block");
        // SAFETY: the length is within the capacity. Of these bytes the host wrote each that an entry names; those
        // between entries are never shown to anyone, and linear memory has no uninitialised bytes.
        unsafe { self.bytes.set_len(len as usize) }
    }

    /// The next received range; `skip` bytes before it belong to nobody.
    fn cut(&mut self, skip: u32, len: u32) -> Bytes {
        self.bytes.advance(skip as usize);
        self.bytes.split_to(len as usize).freeze()
    }

    /// Makes sure that the next turn has room: from the start again if nobody refers to this block any more, else what
    /// is left of it, else another block.
    fn make_room(&mut self) {
        debug_assert!(self.bytes.is_empty());
        if self.bytes.capacity() < BLOCK_BYTES
            && !self.bytes.try_reclaim(BLOCK_BYTES)
            && self.bytes.capacity() < BLOCK_ROOM_MIN
        {
            self.bytes.reserve(BLOCK_BYTES);
        }
    }
}

/// Lets linear memory grow in steps of some MiB: the allocator asks for 64 KiB at a time, and the host pays a system
/// call for each. Whenever it grew, more is taken and given back to the allocator, which keeps it.
struct Reserve {
    pages: usize,
}

impl Reserve {
    fn new() -> Self {
        Reserve { pages: 0 }
    }

    fn keep(&mut self) {
        if core::arch::wasm32::memory_size::<0>() == self.pages {
            return;
        }
        let more = ((self.pages << 16) / 16).clamp(1 << 20, 64 << 20);
        // Fallible: near the cap there is no reserve, and that is no reason to end.
        let mut reserve = Vec::<u8>::new();
        let _ = black_box(&mut reserve).try_reserve_exact(more);
        drop(reserve);
        self.pages = core::arch::wasm32::memory_size::<0>();
    }
}
