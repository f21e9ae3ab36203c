//! One running guest: a wasmtime instance, its memory and its exports. What is told to it is collected here and carried
//! over in [`Guest::step`]; what it answers is copied out of its tables and checked, so that nothing behind this file
//! ever sees an address that is not inside the guest's memory.
//!
//! A turn, as the reactor does it:
//!
//! ```text
//!   guest.block()            room for a socket's bytes, inside the guest's memory
//!   guest.entries.received() n bytes of it were read
//!   guest.step(now)          the one call
//!   guest.outputs()          what the broker wants that is not bytes
//!   guest.rows(), listed()   what to write where
//!   guest.entries.sent()     told with the next step
//! ```

mod record;

use std::time::Duration;

use wasmqtt_abi::{Entry, Header, MAGIC, NO_DEADLINE, Row, Slice, Table, VERSION};
use wasmqtt_broker::{Config, Lsn, Output, Record, Seed, Time};
use wasmtime::{Linker, Memory, ResourceLimiter, Store, TypedFunc, WasmParams, WasmResults};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::{WasiCtxBuilder, p2::pipe::MemoryOutputPipe};

use crate::entries::Entries;
use crate::fault::GuestFault;
use crate::module::{EPOCH_TICK, GuestModule};

pub use record::Recorder;

/// Bytes of its stderr that are kept for the log.
const SAID_BYTES_MAX: usize = 16 << 10;
/// Elements of wasm tables; a guest has one table, of its function pointers.
const TABLE_ELEMENTS_MAX: usize = 100_000;

/// What a guest may list in one step, far above what one in order does: its tables are copied out, so that a guest gone
/// wrong could otherwise make this program take many times the memory that it may take itself.
const ROWS_MAX: u32 = 1 << 16;
const SLICES_MAX: u32 = 1 << 20;
const OUTPUTS_MAX: usize = 1 << 20;
/// Entries that may wait for a step: a guest that asks faster than it takes answers is gone wrong too.
const ENTRIES_WAITING_MAX: usize = 4 << 20;

/// What one guest may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GuestLimits {
    /// Bytes of linear memory.
    pub memory_bytes_max: u64,
    /// Time for one call; a grain of 0.1 s is added.
    pub step_max: Duration,
}

impl Default for GuestLimits {
    fn default() -> Self {
        GuestLimits { memory_bytes_max: 4 << 30, step_max: Duration::from_secs(10) }
    }
}

/// What a guest begins with.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Beginning {
    /// Nothing.
    #[default]
    Empty,
    /// A log to restore from, after a crash.
    Log(Vec<(Lsn, Record)>),
    /// What a broker saved, connections and all; its configuration is in there.
    Saved(Vec<u8>),
}

/// What wasmtime keeps beside an instance.
struct State {
    wasi: WasiP1Ctx,
    limits: GuestLimits,
    /// The growth that was refused, if one was.
    refused_bytes: Option<u64>,
}

impl ResourceLimiter for State {
    fn memory_growing(&mut self, _now: usize, wanted: usize, _declared: Option<usize>) -> wasmtime::Result<bool> {
        let granted = wanted as u64 <= self.limits.memory_bytes_max;
        if !granted {
            self.refused_bytes = Some(wanted as u64);
        }
        Ok(granted)
    }

    fn table_growing(&mut self, _now: usize, wanted: usize, _declared: Option<usize>) -> wasmtime::Result<bool> {
        Ok(wanted <= TABLE_ELEMENTS_MAX)
    }
}

/// A running guest.
pub struct Guest {
    store: Store<State>,
    memory: Memory,
    tables: TypedFunc<u32, u32>,
    step: TypedFunc<(u64, u32), u64>,
    stderr: MemoryOutputPipe,
    header: Header,
    /// Where the guest put it.
    header_at: u32,
    /// What to tell with the next step.
    pub entries: Entries,
    rows: Vec<Row>,
    slices: Vec<Slice>,
    outputs: Vec<Output>,
    recorder: Option<Box<Recorder>>,
}

impl Guest {
    /// Starts a guest with an empty broker.
    ///
    /// # Errors
    /// Fails if the guest does anything wrong while it starts.
    pub fn new(module: &GuestModule, config: &Config, seed: Seed, limits: GuestLimits) -> Result<Self, GuestFault> {
        Self::begin(module, config, seed, limits, Beginning::Empty)
    }

    /// Starts a guest with what an earlier broker left.
    ///
    /// # Errors
    /// Fails if the guest does anything wrong while it starts, or cannot begin with that.
    pub fn begin(
        module: &GuestModule,
        config: &Config,
        seed: Seed,
        limits: GuestLimits,
        beginning: Beginning,
    ) -> Result<Self, GuestFault> {
        let (mut guest, configure) = Self::instantiate(module, limits)?;
        let (log, saved) = match beginning {
            Beginning::Empty => (Vec::new(), Vec::new()),
            Beginning::Log(log) => (log, Vec::new()),
            Beginning::Saved(saved) => (Vec::new(), saved),
        };
        guest.entries.put(&(config, seed, log, saved));
        let letter_bytes = guest.write_letters()?;
        guest.entries.told(0);
        guest.call(&configure, letter_bytes)?;
        guest.ask_tables(0)?;
        Ok(guest)
    }

    /// An instance whose constructors ran, and its `configure`.
    fn instantiate(module: &GuestModule, limits: GuestLimits) -> Result<(Self, TypedFunc<u32, ()>), GuestFault> {
        let stderr = MemoryOutputPipe::new(SAID_BYTES_MAX);
        let wasi = WasiCtxBuilder::new().stderr(stderr.clone()).build_p1();
        let mut store = Store::new(module.engine(), State { wasi, limits, refused_bytes: None });
        store.limiter(|state| state);
        store.epoch_deadline_trap();
        store.set_epoch_deadline(ticks(limits.step_max));
        let mut linker: Linker<State> = Linker::new(module.engine());
        let linked = wasmtime_wasi::p1::add_to_linker_sync(&mut linker, |state| &mut state.wasi);
        let instance = linked.and_then(|()| linker.instantiate(&mut store, module.module()));
        let instance = instance.map_err(|error| fault(&store, &stderr, &error))?;

        let missing = |name| GuestFault::BadExport { name };
        let memory = instance.get_memory(&mut store, "memory").ok_or(missing("memory"))?;
        let initialize = instance.get_typed_func::<(), ()>(&mut store, "_initialize");
        let initialize = initialize.map_err(|_| missing("_initialize"))?;
        let configure = instance.get_typed_func::<u32, ()>(&mut store, "configure");
        let configure = configure.map_err(|_| missing("configure"))?;
        let tables = instance.get_typed_func(&mut store, "tables").map_err(|_| missing("tables"))?;
        let step = instance.get_typed_func(&mut store, "step").map_err(|_| missing("step"))?;
        let mut guest = Guest {
            store,
            memory,
            tables,
            step,
            stderr,
            header: Header::default(),
            header_at: 0,
            entries: Entries::default(),
            rows: Vec::new(),
            slices: Vec::new(),
            outputs: Vec::new(),
            recorder: None,
        };
        guest.call(&initialize, ())?;
        Ok((guest, configure))
    }

    /// Where the next bytes of a socket go. Empty when this step takes no more: then step first.
    pub fn block(&mut self) -> &mut [u8] {
        if self.entries.len() >= self.header.entries_room as usize {
            return &mut [];
        }
        let memory = self.memory.data_mut(&mut self.store);
        // Both ends were checked when the header was read.
        &mut memory[self.header.block_at as usize..][..self.header.block_room as usize][self.entries.block_used()..]
    }

    /// Whether another step is due without waiting for anything: the guest has more to say, or more to be told than one
    /// step takes, or waits to hear that what it listed was sent.
    #[must_use]
    pub fn wants_step(&self) -> bool {
        self.entries.want_step(self.header.flags, self.header.entries_room as usize)
    }

    /// One turn: everything told since the last one, then the timers. Gives the time of the next turn if nothing
    /// happens before.
    ///
    /// # Errors
    /// Whatever the guest did wrong; after that it must not be used again.
    pub fn step(&mut self, now: Time) -> Result<Option<Time>, GuestFault> {
        if self.entries.len() > ENTRIES_WAITING_MAX {
            return Err(bad_table("the number of entries that wait", self.entries.len() as u32));
        }
        let count = self.entries.first(self.header.entries_room as usize).len();
        let room = self.header.block_room as usize;
        assert!(self.entries.block_used() <= room, "more was received than there was room for");
        self.record_step(now, count);
        if !self.entries.letters().is_empty() {
            self.write_letters()?;
        }
        let table = Self::region_mut(
            self.memory.data_mut(&mut self.store),
            "the entries",
            self.header.entries_at,
            count * Entry::BYTES,
        )?;
        for (row, entry) in table.chunks_exact_mut(Entry::BYTES).zip(self.entries.first(count)) {
            entry.write(row).expect("a chunk is as long as an entry");
        }
        let step = self.step.clone();
        let deadline = self.call(&step, (now.0, count as u32))?;
        self.entries.told(count);
        self.read_header()?;
        self.read_rows()?;
        self.read_letters()?;
        self.record_stepped();
        Ok(if deadline == NO_DEADLINE { None } else { Some(Time(deadline)) })
    }

    /// What the broker wanted done in the last step; to be taken before the next.
    pub fn outputs(&mut self) -> std::vec::Drain<'_, Output> {
        self.outputs.drain(..)
    }

    /// How many connections the last step listed.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// One of them.
    #[must_use]
    pub fn row(&self, index: usize) -> Row {
        self.rows[index]
    }

    /// What a row lists: bytes in the guest's memory, which stay until the next call.
    pub fn listed(&self, row: Row) -> impl Iterator<Item = &[u8]> + Clone {
        let memory = self.memory.data(&self.store);
        // Each was checked when it was read, and memory never shrinks.
        let bytes = move |slice: &Slice| &memory[slice.at as usize..][..slice.len as usize];
        self.slices[row.slices_first as usize..][..row.slices_len as usize].iter().map(bytes)
    }

    /// Carries the letters over; gives their length.
    fn write_letters(&mut self) -> Result<u32, GuestFault> {
        let len = u32::try_from(self.entries.letters().len()).expect("letters are smaller than 4 GiB");
        if len > self.header.letters_in_room {
            self.ask_tables(len)?;
        }
        let memory = self.memory.data_mut(&mut self.store);
        let room = Self::region_mut(memory, "the letters in", self.header.letters_in_at, len as usize)?;
        room.copy_from_slice(self.entries.letters());
        Ok(len)
    }

    /// Asks for room for letters and for the header's address.
    fn ask_tables(&mut self, letter_bytes: u32) -> Result<(), GuestFault> {
        let tables = self.tables.clone();
        self.header_at = self.call(&tables, letter_bytes)?;
        self.read_header()?;
        if self.header.letters_in_room < letter_bytes {
            return Err(GuestFault::BadTable { what: "the room for letters", found: self.header.letters_in_room });
        }
        Ok(())
    }

    fn call<P: WasmParams, R: WasmResults>(&mut self, export: &TypedFunc<P, R>, with: P) -> Result<R, GuestFault> {
        let ticks = ticks(self.store.data().limits.step_max);
        self.store.set_epoch_deadline(ticks);
        export.call(&mut self.store, with).map_err(|error| fault(&self.store, &self.stderr, &error))
    }

    /// Reads the header and checks all that does not change before the next call.
    fn read_header(&mut self) -> Result<(), GuestFault> {
        let memory = self.memory.data(&self.store);
        let header = Self::region(memory, "the header", self.header_at, Header::BYTES)?;
        let header = Header::read(header).expect("it is as long as a header");
        if header.magic != MAGIC {
            return Err(GuestFault::BadTable { what: "the header's first word", found: header.magic });
        }
        if header.version != VERSION {
            return Err(GuestFault::BadTable { what: "the version of the tables", found: header.version });
        }
        if header.entries_room == 0 {
            return Err(GuestFault::BadTable { what: "the room for entries", found: 0 });
        }
        let entries_bytes = header.entries_room as usize * Entry::BYTES;
        Self::region(memory, "the entries", header.entries_at, entries_bytes)?;
        Self::region(memory, "the block", header.block_at, header.block_room as usize)?;
        Self::region(memory, "the letters in", header.letters_in_at, header.letters_in_room as usize)?;
        self.header = header;
        Ok(())
    }

    /// Copies rows and slices out and checks them.
    fn read_rows(&mut self) -> Result<(), GuestFault> {
        if self.header.rows_len > ROWS_MAX {
            return Err(bad_table("the number of rows", self.header.rows_len));
        }
        if self.header.slices_len > SLICES_MAX {
            return Err(bad_table("the number of slices", self.header.slices_len));
        }
        let memory = self.memory.data(&self.store);
        let slices_bytes = self.header.slices_len as usize * Slice::BYTES;
        let slices = Self::region(memory, "the slices", self.header.slices_at, slices_bytes)?;
        self.slices.clear();
        for slice in slices.chunks_exact(Slice::BYTES) {
            let slice = Slice::read(slice).expect("a chunk is as long as a slice");
            Self::region(memory, "a slice to send", slice.at, slice.len as usize)?;
            self.slices.push(slice);
        }
        let rows_bytes = self.header.rows_len as usize * Row::BYTES;
        let rows = Self::region(memory, "the rows", self.header.rows_at, rows_bytes)?;
        self.rows.clear();
        let mut listed = 0;
        for row in rows.chunks_exact(Row::BYTES) {
            let row = Row::read(row).expect("a chunk is as long as a row");
            let end = u64::from(row.slices_first) + u64::from(row.slices_len);
            if end > self.slices.len() as u64 {
                return Err(bad_table("a row's last slice", row.slices_len));
            }
            // A slice is one connection's: rows that share them could make one step as long as they like.
            listed += u64::from(row.slices_len);
            if listed > self.slices.len() as u64 {
                return Err(bad_table("the number of slices of all rows", row.slices_len));
            }
            self.rows.push(row);
        }
        Ok(())
    }

    fn read_letters(&mut self) -> Result<(), GuestFault> {
        let memory = self.memory.data(&self.store);
        let len = self.header.letters_out_len as usize;
        let letters = Self::region(memory, "the letters out", self.header.letters_out_at, len)?;
        self.outputs.clear();
        let mut rest = letters;
        while !rest.is_empty() {
            let (output, after) = postcard::take_from_bytes(rest)
                .map_err(|_| GuestFault::BadLetter { offset: letters.len() - rest.len() })?;
            if self.outputs.len() == OUTPUTS_MAX {
                return Err(bad_table("the number of letters", OUTPUTS_MAX as u32));
            }
            self.outputs.push(output);
            rest = after;
        }
        Ok(())
    }

    fn region<'a>(memory: &'a [u8], what: &'static str, at: u32, bytes: usize) -> Result<&'a [u8], GuestFault> {
        let wild = GuestFault::WildPointer { what, at, bytes: bytes as u64 };
        memory.get(at as usize..).and_then(|rest| rest.get(..bytes)).ok_or(wild)
    }

    fn region_mut<'a>(
        memory: &'a mut [u8],
        what: &'static str,
        at: u32,
        bytes: usize,
    ) -> Result<&'a mut [u8], GuestFault> {
        let wild = GuestFault::WildPointer { what, at, bytes: bytes as u64 };
        memory.get_mut(at as usize..).and_then(|rest| rest.get_mut(..bytes)).ok_or(wild)
    }
}

fn bad_table(what: &'static str, found: u32) -> GuestFault {
    GuestFault::BadTable { what, found }
}

/// Epoch ticks until a call is stopped; one more, because the next tick may come at once.
fn ticks(step_max: Duration) -> u64 {
    u64::try_from(step_max.as_nanos().div_ceil(EPOCH_TICK.as_nanos())).unwrap_or(u64::MAX - 1) + 1
}

/// Names what went wrong in a call. A refused growth comes first: what followed from it is its consequence.
fn fault(store: &Store<State>, stderr: &MemoryOutputPipe, error: &wasmtime::Error) -> GuestFault {
    let state = store.data();
    if let Some(wanted_bytes) = state.refused_bytes {
        return GuestFault::OutOfMemory { memory_bytes_max: state.limits.memory_bytes_max, wanted_bytes };
    }
    let said = String::from_utf8_lossy(&stderr.contents()).into_owned();
    GuestFault::of_call(error, said, state.limits.step_max)
}
