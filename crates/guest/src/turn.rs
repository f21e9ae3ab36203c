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

use wasmqtt_abi::{Entry, NO_DEADLINE, Row, Slice, flag, kind, row_flag};
use wasmqtt_broker::{Broker, ConnectionId, Input, Output, Time};

use crate::bridge::{ROWS_MAX, Reserve, SLICES_MAX, Tables, address};

/// Slices listed for one connection in one step: a few `writev`.
const ROW_SLICES_MAX: usize = 256;
/// Bytes listed for one connection in one step: about what a socket takes at once.
const ROW_BYTES_MAX: usize = 1 << 20;
/// Bytes listed in one step, so that no turn takes long however much is to be sent.
const STEP_BYTES_MAX: usize = 8 << 20;
/// Bytes of letters in one step; one letter may exceed it.
const STEP_LETTERS_BYTES_MAX: usize = 1 << 20;

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
    reserve: Reserve,
}

impl Turn {
    pub fn new(broker: Broker) -> Self {
        Turn { broker, slots: Vec::new(), waiting: VecDeque::new(), want_sent: 0, reserve: Reserve::new() }
    }

    pub fn step(&mut self, tables: &mut Tables, now_us: u64, entries: u32) -> u64 {
        tables.flags = 0;
        tables.letters_out.clear();
        tables.rows.clear();
        tables.slices.clear();
        self.take_entries(tables, Time(now_us), entries);
        self.broker.handle(Time(now_us), Input::Tick);
        self.put_letters(tables);
        self.put_rows(tables);
        tables.block.make_room();
        self.reserve.keep();
        if self.want_sent > 0 {
            tables.flags |= flag::WANTS_SENT;
        }
        tables.publish();
        self.broker.deadline().map_or(NO_DEADLINE, |time| time.0)
    }

    fn take_entries(&mut self, tables: &mut Tables, now: Time, entries: u32) {
        let received = (0..entries).rev().map(|index| tables.entry(index)).find(|entry| entry.kind == kind::RECEIVED);
        tables.block.filled(received.map_or(0, |last| last.offset + last.len));
        let mut cut_to = 0;
        for index in 0..entries {
            let entry = tables.entry(index);
            let conn = ConnectionId { slot: entry.slot, generation: entry.generation };
            match entry.kind {
                kind::RECEIVED => {
                    let bytes = tables.block.cut(entry.offset - cut_to, entry.len);
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
                kind::LETTER => self.letter(tables, now, entry),
                other => panic!("the host and this guest disagree: entry kind {other}"),
            }
        }
    }

    fn letter(&mut self, tables: &Tables, now: Time, entry: Entry) {
        let letter = tables.letter(entry.offset, entry.len);
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

    fn put_letters(&mut self, tables: &mut Tables) {
        while tables.letters_out.len() < STEP_LETTERS_BYTES_MAX {
            let Some(output) = self.broker.poll() else { return };
            self.note(&output);
            let letters = core::mem::take(&mut tables.letters_out);
            tables.letters_out = postcard::to_extend(&output, letters).expect("an output can be written down");
        }
        tables.flags |= flag::MORE;
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
            Output::Append { .. } | Output::Ask { .. } | Output::Reply { .. } | Output::Event(_) | Output::Trace(_) => {
            }
        }
    }

    fn put_rows(&mut self, tables: &mut Tables) {
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
            let full = tables.rows.len() == ROWS_MAX || tables.slices.len() + ROW_SLICES_MAX > SLICES_MAX;
            if full || bytes >= STEP_BYTES_MAX {
                tables.flags |= flag::MORE;
                return;
            }
            self.waiting.pop_front();
            bytes += self.put_row(tables, conn);
        }
    }

    /// Lists what one connection has to send, if it may be listed; gives the bytes listed.
    fn put_row(&mut self, tables: &mut Tables, conn: ConnectionId) -> usize {
        let index = conn.slot as usize;
        let Some(slot) = self.slots.get_mut(index).filter(|slot| slot.generation == conn.generation) else { return 0 };
        slot.waiting = false;
        if !slot.open || slot.awaits_sent || slot.blocked {
            // The answer that it awaits brings it back here.
            return 0;
        }
        let slices_first = tables.slices.len();
        let mut bytes = 0;
        let mut all = true;
        for slice in self.broker.outgoing(conn) {
            if tables.slices.len() - slices_first == ROW_SLICES_MAX || bytes >= ROW_BYTES_MAX {
                all = false;
                break;
            }
            // A single slice may be longer than a row; what is over it comes after the next `SENT`.
            let listed = slice.len().min(ROW_BYTES_MAX - bytes);
            all &= listed == slice.len();
            bytes += listed;
            tables.slices.push(Slice { at: address(slice.as_ptr()), len: listed as u32 });
        }
        let last = all && slot.closing;
        if bytes == 0 && !last {
            return 0;
        }
        slot.awaits_sent = bytes > 0;
        slot.listed = bytes as u32;
        if !all {
            tables.flags |= flag::MORE;
        }
        tables.rows.push(Row {
            slot: conn.slot,
            generation: conn.generation,
            slices_first: slices_first as u32,
            slices_len: (tables.slices.len() - slices_first) as u32,
            flags: if last { row_flag::LAST } else { 0 },
        });
        bytes
    }
}
