//! What a guest can do wrong, named precisely enough for a log line that says where. None of it ends the host.

use std::fmt;
use std::time::Duration;

use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

/// Frames of a backtrace that are kept: the innermost say where.
const FRAMES_MAX: usize = 12;

/// What a guest did wrong. After one its instance is not called again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GuestFault {
    /// It trapped: a panic, a bad index, a stack too deep.
    Trapped {
        /// What wasmtime calls it.
        what: String,
        /// What the guest wrote to its stderr, such as a panic message with file and line.
        said: String,
        /// Its innermost functions.
        frames: Vec<String>,
    },
    /// A call took longer than it may.
    TimedOut {
        /// How long it may take.
        step_max: Duration,
        /// What it was doing.
        frames: Vec<String>,
    },
    /// It wanted more memory than it may have.
    OutOfMemory {
        /// How much it may have.
        memory_bytes_max: u64,
        /// How much it wanted.
        wanted_bytes: u64,
    },
    /// It named bytes outside its memory.
    WildPointer {
        /// Of what.
        what: &'static str,
        /// Their address.
        at: u32,
        /// How many.
        bytes: u64,
    },
    /// A table makes no sense.
    BadTable {
        /// What is wrong.
        what: &'static str,
        /// The number found.
        found: u32,
    },
    /// An output is not what postcard writes.
    BadLetter {
        /// Where in the letters it begins.
        offset: usize,
    },
    /// An export is missing or has another type.
    BadExport {
        /// Its name.
        name: &'static str,
    },
    /// It called `proc_exit`.
    Exited {
        /// With this code.
        code: i32,
    },
}

impl GuestFault {
    /// Sorts what wasmtime tells of a failed call.
    pub(crate) fn of_call(error: &wasmtime::Error, said: String, step_max: Duration) -> Self {
        if let Some(exit) = error.downcast_ref::<I32Exit>() {
            return GuestFault::Exited { code: exit.0 };
        }
        let frames = error.downcast_ref::<WasmBacktrace>().map(frames).unwrap_or_default();
        match error.downcast_ref::<Trap>() {
            Some(Trap::Interrupt) => GuestFault::TimedOut { step_max, frames },
            Some(trap) => GuestFault::Trapped { what: trap.to_string(), said, frames },
            None => GuestFault::Trapped { what: error.root_cause().to_string(), said, frames },
        }
    }
}

/// The names of a backtrace's functions, without those that every panic has.
fn frames(backtrace: &WasmBacktrace) -> Vec<String> {
    const OF_EVERY_PANIC: [&str; 4] = ["std::", "core::panicking", "__rustc", "abort"];
    let names = backtrace.frames().iter().map(|frame| {
        let place = frame.func_offset().map_or_else(String::new, |offset| format!("+{offset:#x}"));
        match frame.func_name() {
            Some(name) => format!("{}{place}", name),
            None => format!("function {}{place}", frame.func_index()),
        }
    });
    names.filter(|name| !OF_EVERY_PANIC.iter().any(|start| name.starts_with(start))).take(FRAMES_MAX).collect()
}

impl fmt::Display for GuestFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GuestFault::Trapped { what, said, frames } => {
                write!(out, "the guest trapped: {what}")?;
                if !said.is_empty() {
                    write!(out, "; it said: {}", said.trim_end().replace('\n', " | "))?;
                }
                at(out, frames)
            }
            GuestFault::TimedOut { step_max, frames } => {
                write!(out, "the guest was stopped: one call took longer than {step_max:?}")?;
                at(out, frames)
            }
            GuestFault::OutOfMemory { memory_bytes_max, wanted_bytes } => write!(
                out,
                "the guest is out of memory: it wanted {wanted_bytes} bytes, \
                 guest_memory_bytes_max is {memory_bytes_max}"
            ),
            GuestFault::WildPointer { what, at, bytes } => {
                write!(out, "the guest gave a wild pointer: {what} at {at:#x}, {bytes} bytes, is outside its memory")
            }
            GuestFault::BadTable { what, found } => write!(out, "the guest gave a bad table: {what} is {found}"),
            GuestFault::BadLetter { offset } => write!(out, "the guest gave a bad letter at offset {offset}"),
            GuestFault::BadExport { name } => write!(out, "the guest has no export {name} of the right type"),
            GuestFault::Exited { code } => write!(out, "the guest exited with code {code}"),
        }
    }
}

fn at(out: &mut fmt::Formatter<'_>, frames: &[String]) -> fmt::Result {
    if frames.is_empty() { Ok(()) } else { write!(out, "; at {}", frames.join(" < ")) }
}

impl std::error::Error for GuestFault {}
