//! One turn of the guest. Entries become inputs in their order, `Tick` ends them; then the broker's outputs become
//! letters, and connections with something to send become rows.
//!
//! A connection is listed only when the host has answered for what was listed before; else its bytes would leave twice:
//!
//! ```text
//!            listed                SENT, all of it
//!   idle -----------> awaits SENT ----------------> idle (and looked at again: there may be more)
//!                         | SENT, fewer
//!                         v            WRITABLE
//!                      blocked ---------------------> idle (and looked at again)
//! ```

use std::collections::VecDeque;

use bytes::Bytes;
use wasmqtt_abi::{Entry, NO_DEADLINE, Row, Slice, flag, kind, row_flag};
use wasmqtt_broker::{Broker, ConnectionId, Input, Output, Time};

/// Connections listed in one step.
pub const ROWS_MAX: usize = 1_024;
/// Slices listed in one step.
pub const SLICES_MAX: usize = 8_192;
/// Slices listed for one connection in one step: a few `writev`.
const ROW_SLICES_MAX: usize = 256;
/// Bytes listed for one connection in one step: about what a socket takes at once.
const ROW_BYTES_MAX: usize = 1 << 20;
/// Bytes listed in one step, so that no turn takes long however much is to be sent.
const STEP_BYTES_MAX: usize = 8 << 20;
/// Bytes of letters in one step; one letter may exceed it.
const STEP_LETTERS_BYTES_MAX: usize = 1 << 20;

/// What a turn reads from and where it puts its answer: the guest's tables or, to compare with, the same in a process
/// without WebAssembly.
pub trait Desk {
    /// The entry that the host wrote at `index`.
    fn entry(&self, index: u32) -> Entry;
    /// The letter that the host wrote there.
    fn letter(&self, offset: u32, len: u32) -> &[u8];
    /// Takes over the first `len` bytes of the block, which the host wrote.
    fn filled(&mut self, len: u32);
    /// The next received range of the block; `skip` bytes before it belong to nobody.
    fn cut(&mut self, skip: u32, len: u32) -> Bytes;
    /// Where the host finds these bytes.
    fn address(bytes: &[u8]) -> u32;
    /// The tables of the answer.
    fn out(&mut self) -> &mut Out;
}

/// What a turn answers.
#[derive(Debug)]
pub struct Out {
    /// Connections with something to write.
    pub rows: Vec<Row>,
    /// What they have to write.
    pub slices: Vec<Slice>,
    /// Outputs in postcard.
    pub letters: Vec<u8>,
    /// See [`wasmqtt_abi::flag`].
    pub flags: u32,
}

impl Out {
    pub fn new() -> Self {
        let (rows, slices) = (Vec::with_capacity(ROWS_MAX), Vec::with_capacity(SLICES_MAX));
        Out { rows, slices, letters: Vec::with_capacity(4 << 10), flags: 0 }
    }
}

/// What the guest remembers of a connection between steps.
#[derive(Clone, Copy, Default)]
struct Slot {
    generation: u32,
    /// Bytes listed and not yet answered by `SENT`.
    listed: u32,
    open: bool,
    awaits_sent: bool,
    blocked: bool,
    /// Whether it stands in [`Turn::waiting`].
    waiting: bool,
    closing: bool,
    read_off: bool,
}

/// The broker and what its driver has to remember.
pub struct Turn {
    broker: Broker,
    slots: Vec<Slot>,
    /// Connections to look at for something to send.
    waiting: VecDeque<ConnectionId>,
    /// Connections that are closing or not read: both end only when bytes are known to be sent.
    want_sent: u32,
}

impl Turn {
    pub fn new(broker: Broker) -> Self {
        Turn { broker, slots: Vec::new(), waiting: VecDeque::new(), want_sent: 0 }
    }

    /// One turn; gives the next deadline.
    pub fn step<D: Desk>(&mut self, desk: &mut D, now_us: u64, entries: u32) -> u64 {
        let out = desk.out();
        out.flags = 0;
        out.letters.clear();
        out.rows.clear();
        out.slices.clear();
        self.take_entries(desk, Time(now_us), entries);
        self.broker.handle(Time(now_us), Input::Tick);
        self.put_letters(desk.out());
        self.put_rows::<D>(desk.out());
        if self.want_sent > 0 {
            desk.out().flags |= flag::WANTS_SENT;
        }
        self.broker.deadline().map_or(NO_DEADLINE, |time| time.0)
    }

    fn take_entries<D: Desk>(&mut self, desk: &mut D, now: Time, entries: u32) {
        let received = (0..entries).rev().map(|index| desk.entry(index)).find(|entry| entry.kind == kind::RECEIVED);
        desk.filled(received.map_or(0, |last| last.offset + last.len));
        let mut cut_to = 0;
        for index in 0..entries {
            let entry = desk.entry(index);
            let conn = ConnectionId { slot: entry.slot, generation: entry.generation };
            match entry.kind {
                kind::RECEIVED => {
                    let bytes = desk.cut(entry.offset - cut_to, entry.len);
                    cut_to = entry.offset + entry.len;
                    self.broker.handle(now, Input::Received { conn, bytes });
                }
                kind::SENT => self.sent(now, conn, entry.len),
                kind::WRITABLE => {
                    if let Some(slot) = self.slot(conn) {
                        slot.blocked = false;
                        self.look_at(conn);
                    }
                }
                kind::CLOSED => self.closed(now, conn),
                kind::LETTER => self.letter(desk, now, entry),
                other => panic!("the host and this guest disagree: entry kind {other}"),
            }
        }
    }

    fn letter<D: Desk>(&mut self, desk: &D, now: Time, entry: Entry) {
        let letter = desk.letter(entry.offset, entry.len);
        let input: Input = postcard::from_bytes(letter).expect("the host and this guest disagree about Input");
        if let Input::Opened { conn, .. } = input {
            let index = conn.slot as usize;
            if self.slots.len() <= index {
                self.slots.resize(index + 1, Slot::default());
            }
            self.slots[index] = Slot { generation: conn.generation, open: true, ..Slot::default() };
        }
        self.broker.handle(now, input);
    }

    fn sent(&mut self, now: Time, conn: ConnectionId, len: u32) {
        let Some(slot) = self.slot(conn) else { return };
        assert!(slot.awaits_sent && len <= slot.listed, "the host says more was sent than was listed");
        slot.awaits_sent = false;
        slot.blocked = len < slot.listed;
        if len > 0 {
            self.broker.handle(now, Input::Sent { conn, len });
        }
        self.look_at(conn);
    }

    fn closed(&mut self, now: Time, conn: ConnectionId) {
        let Some(slot) = self.slot(conn) else { return };
        slot.open = false;
        let wanted = u32::from(slot.closing) + u32::from(slot.read_off);
        self.want_sent -= wanted;
        self.broker.handle(now, Input::Closed { conn });
    }

    /// What a row lists, as far as it lists it.
    #[cfg(not(target_family = "wasm"))]
    pub fn listed(&self, row: Row) -> impl Iterator<Item = &[u8]> + Clone {
        let conn = ConnectionId { slot: row.slot, generation: row.generation };
        let mut left = self.slots[row.slot as usize].listed as usize;
        self.broker.outgoing(conn).map_while(move |slice| {
            let listed = slice.len().min(left);
            left -= listed;
            (listed > 0).then(|| &slice[..listed])
        })
    }

    /// The slot of an open connection; `None` for one that the host already closed.
    fn slot(&mut self, conn: ConnectionId) -> Option<&mut Slot> {
        self.slots.get_mut(conn.slot as usize).filter(|slot| slot.open && slot.generation == conn.generation)
    }

    /// Remembers to look whether this connection has something to send.
    fn look_at(&mut self, conn: ConnectionId) {
        if let Some(slot) = self.slot(conn)
            && !slot.waiting
        {
            slot.waiting = true;
            self.waiting.push_back(conn);
        }
    }

    fn put_letters(&mut self, out: &mut Out) {
        while out.letters.len() < STEP_LETTERS_BYTES_MAX {
            let Some(output) = self.broker.poll() else { return };
            self.note(&output);
            let letters = core::mem::take(&mut out.letters);
            out.letters = postcard::to_extend(&output, letters).expect("an output can be written down");
        }
        out.flags |= flag::MORE;
    }

    /// What the driver's half here has to know of an output.
    fn note(&mut self, output: &Output) {
        match output {
            Output::Read { conn, on } => {
                let Some(slot) = self.slot(*conn) else { return };
                if core::mem::replace(&mut slot.read_off, !on) == *on {
                    self.want_sent = if *on { self.want_sent - 1 } else { self.want_sent + 1 };
                }
            }
            Output::Close { conn, .. } => {
                let Some(slot) = self.slot(*conn) else { return };
                if !core::mem::replace(&mut slot.closing, true) {
                    self.want_sent += 1;
                }
                // Even if nothing is left to send: an empty last row tells the host so.
                self.look_at(*conn);
            }
            Output::Append { .. }
            | Output::Ask { .. }
            | Output::Reply { .. }
            | Output::Event(_)
            | Output::Trace(_)
            | Output::Dial { .. } => {}
        }
    }

    fn put_rows<D: Desk>(&mut self, out: &mut Out) {
        let mut ready = core::mem::take(&mut self.waiting);
        // Named by the broker and not yet waiting; in the order in which they came to have something.
        for conn in self.broker.ready() {
            if let Some(slot) = self.slots.get_mut(conn.slot as usize)
                && slot.open
                && slot.generation == conn.generation
                && !slot.waiting
            {
                slot.waiting = true;
                ready.push_back(conn);
            }
        }
        self.waiting = ready;
        let mut bytes = 0;
        while let Some(&conn) = self.waiting.front() {
            let full = out.rows.len() == ROWS_MAX || out.slices.len() + ROW_SLICES_MAX > SLICES_MAX;
            if full || bytes >= STEP_BYTES_MAX {
                out.flags |= flag::MORE;
                return;
            }
            self.waiting.pop_front();
            bytes += self.put_row::<D>(out, conn);
        }
    }

    /// Lists what one connection has to send, if it may be listed; gives the bytes listed.
    fn put_row<D: Desk>(&mut self, out: &mut Out, conn: ConnectionId) -> usize {
        let index = conn.slot as usize;
        let Some(slot) = self.slots.get_mut(index).filter(|slot| slot.generation == conn.generation) else { return 0 };
        slot.waiting = false;
        if !slot.open || slot.awaits_sent || slot.blocked {
            // The answer that it awaits brings it back here.
            return 0;
        }
        let slices_first = out.slices.len();
        let mut bytes = 0;
        let mut all = true;
        for slice in self.broker.outgoing(conn) {
            if out.slices.len() - slices_first == ROW_SLICES_MAX || bytes >= ROW_BYTES_MAX {
                all = false;
                break;
            }
            // A single slice may be longer than a row; what is over it comes after the next `SENT`.
            let listed = slice.len().min(ROW_BYTES_MAX - bytes);
            all &= listed == slice.len();
            bytes += listed;
            out.slices.push(Slice { at: D::address(slice), len: listed as u32 });
        }
        let last = all && slot.closing;
        if bytes == 0 && !last {
            return 0;
        }
        slot.awaits_sent = bytes > 0;
        slot.listed = bytes as u32;
        if !all {
            out.flags |= flag::MORE;
        }
        out.rows.push(Row {
            slot: conn.slot,
            generation: conn.generation,
            slices_first: slices_first as u32,
            slices_len: (out.slices.len() - slices_first) as u32,
            flags: if last { row_flag::LAST } else { 0 },
        });
        bytes
    }
}
