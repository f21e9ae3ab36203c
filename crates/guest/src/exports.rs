//! What the host calls. Each call borrows the one [`Turn`] of this instance; the host never calls in from within a
//! call, and an instance that panicked is thrown away.

use core::cell::RefCell;

use wasmqtt_broker::{Broker, Config, Lsn, Record, Seed};

use crate::bridge::Tables;
use crate::turn::{Desk, Turn};

thread_local! {
    static TABLES: RefCell<Tables> = RefCell::new(Tables::new());
    static TURN: RefCell<Option<Turn>> = const { RefCell::new(None) };
}

/// Runs the constructors of the module. A reactor has to export this itself: if nobody calls `__wasm_call_ctors`, the
/// linker wraps every export in a call of it.
#[allow(unsafe_code, reason = "an export needs a fixed name, and the linker's constructor function has no safe form")]
mod constructors {
    unsafe extern "C" {
        fn __wasm_call_ctors();
    }

    /// The first call into an instance.
    #[unsafe(no_mangle)]
    pub extern "C" fn _initialize() {
        // SAFETY: the linker makes this function for every module; the host calls `_initialize` once, before anything
        // else, which is what it asks for.
        unsafe { __wasm_call_ctors() }
    }
}

/// Makes room for `letter_bytes` of letters and gives the address of the header.
#[allow(unsafe_code, reason = "an export needs a fixed name")]
#[unsafe(no_mangle)]
pub extern "C" fn tables(letter_bytes: u32) -> u32 {
    TABLES.with_borrow_mut(|tables| {
        tables.room_for_letters(letter_bytes);
        tables.header_address()
    })
}

/// What the letters of `configure` hold: a log to restore from, or what a broker saved, or neither.
type Beginning = (Config, Seed, Vec<(Lsn, Record)>, Vec<u8>);

/// Starts the broker that the letters describe.
#[allow(unsafe_code, reason = "an export needs a fixed name")]
#[unsafe(no_mangle)]
pub extern "C" fn configure(letter_bytes: u32) {
    let (config, seed, log, saved): Beginning = TABLES.with_borrow(|tables| {
        postcard::from_bytes(tables.letter(0, letter_bytes)).expect("the host and this guest disagree about Config")
    });
    let broker = if !saved.is_empty() {
        Broker::load(&saved).expect("what the host gave is no broker that this guest can load")
    } else if !log.is_empty() {
        Broker::restore(config, seed, log.into_iter()).expect("what the host gave is no log that this guest can replay")
    } else {
        Broker::new(config, seed)
    };
    TURN.set(Some(Turn::new(broker)));
}

/// One turn; gives the next deadline.
#[allow(unsafe_code, reason = "an export needs a fixed name")]
#[unsafe(no_mangle)]
pub extern "C" fn step(now_us: u64, entries: u32) -> u64 {
    TABLES.with_borrow_mut(|tables| {
        let deadline =
            TURN.with_borrow_mut(|turn| turn.as_mut().expect("step before configure").step(tables, now_us, entries));
        tables.tidy();
        deadline
    })
}
