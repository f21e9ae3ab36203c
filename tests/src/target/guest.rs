//! The guest under wasmtime, with a virtual clock: the very WebAssembly that the server runs, told through its tables.
//! Same driver, same inputs and same turns as the native core, so the digests must be equal too.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use wasmqtt_broker::{Config, ConnectionId, Input, Lsn, Record, Time};
use wasmqtt_host::guest::{Beginning, Guest, GuestLimits};
use wasmqtt_host::module::GuestModule;
use wasmqtt_sim::{Scenario, Target, TargetError};

use super::driver::{Core, Driver, Turn};
use super::native::SEED;

/// The guest's code: the one that `cargo xtask` embedded, or the file that `WASMQTT_GUEST` names.
static MODULE: LazyLock<Result<GuestModule, String>> = LazyLock::new(|| {
    let loaded = GuestModule::embedded().or_else(|none| match std::env::var_os("WASMQTT_GUEST") {
        Some(path) => GuestModule::from_file(path.as_ref()),
        None => Err(none),
    });
    loaded.map_err(|error| format!("{error}; `cargo xtask test` builds the guest and embeds it"))
});

/// The guest's code.
pub fn module() -> Result<GuestModule, TargetError> {
    MODULE.clone().map_err(TargetError::Broken)
}

/// A guest as a core.
pub struct Wasm {
    config: Config,
    guest: Guest,
    deadline: Option<Time>,
    /// What the guest listed and was not told to be sent.
    listed: BTreeMap<ConnectionId, Vec<u8>>,
}

/// The target for a story.
pub fn target(scenario: &Scenario) -> Result<Box<dyn Target>, TargetError> {
    Ok(Box::new(driver(&scenario.config)?))
}

/// The same with its type.
pub fn driver(config: &Config) -> Result<Driver<Wasm>, TargetError> {
    let guest = Guest::new(&module()?, config, SEED, GuestLimits::default()).map_err(broken)?;
    Ok(Driver::new(Wasm { config: config.clone(), guest, deadline: None, listed: BTreeMap::new() }))
}

fn broken(error: impl std::fmt::Display) -> TargetError {
    TargetError::Broken(format!("the guest: {error}"))
}

impl Wasm {
    /// Tells one input; bytes that do not fit into one block take steps of their own.
    fn tell(&mut self, now: Time, input: Input, turn: &mut Turn) -> Result<(), TargetError> {
        match input {
            Input::Received { conn, bytes } => {
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    let block = self.guest.block();
                    let part = block.len().min(rest.len());
                    if part == 0 {
                        self.step(now, turn)?;
                        continue;
                    }
                    block[..part].copy_from_slice(&rest[..part]);
                    self.guest.received(conn, part);
                    rest = &rest[part..];
                }
            }
            Input::Sent { conn, len } => {
                self.listed.remove(&conn);
                self.guest.sent(conn, len as usize);
            }
            Input::Closed { conn } => {
                self.listed.remove(&conn);
                self.guest.closed(conn);
            }
            Input::Tick => {}
            letter => self.guest.letter(&letter),
        }
        Ok(())
    }

    fn step(&mut self, now: Time, turn: &mut Turn) -> Result<(), TargetError> {
        self.deadline = self.guest.step(now).map_err(broken)?;
        turn.outputs.extend(self.guest.outputs());
        for index in 0..self.guest.rows() {
            let row = self.guest.row(index);
            let conn = ConnectionId { slot: row.slot, generation: row.generation };
            let bytes = self.guest.listed(row).collect::<Vec<_>>().concat();
            if !bytes.is_empty() {
                self.listed.insert(conn, bytes);
                turn.ready.push(conn);
            }
        }
        Ok(())
    }
}

impl Core for Wasm {
    fn turn(&mut self, now: Time, inputs: Vec<Input>, thawed: &[ConnectionId]) -> Result<Turn, TargetError> {
        let mut turn = Turn::default();
        for input in inputs {
            self.tell(now, input, &mut turn)?;
        }
        // What nobody took stays in the guest: its transport is blocked until it thaws.
        for (conn, _) in std::mem::take(&mut self.listed) {
            self.guest.sent(conn, 0);
        }
        for conn in thawed {
            self.guest.writable(*conn);
        }
        self.step(now, &mut turn)?;
        turn.more = self.guest.wants_step();
        Ok(turn)
    }

    fn outgoing(&self, conn: ConnectionId) -> Vec<u8> {
        self.listed.get(&conn).cloned().unwrap_or_default()
    }

    fn deadline(&self) -> Option<Time> {
        self.deadline
    }

    fn restore(&mut self, log: Vec<(Lsn, Record)>) -> Result<(), TargetError> {
        let beginning = Beginning::Log(log);
        self.guest = Guest::begin(&module()?, &self.config, SEED, GuestLimits::default(), beginning).map_err(broken)?;
        self.deadline = None;
        self.listed.clear();
        Ok(())
    }
}
