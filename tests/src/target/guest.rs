//! The guest under wasmtime, with a virtual clock: the very WebAssembly that the server runs, told through its tables.
//! Same driver, same inputs and same turns as the native core, so the digests must be equal too.

use std::sync::LazyLock;

use wasmqtt_broker::{Config, ConnectionId, Input, Lsn, Record, Time};
use wasmqtt_host::guest::{Beginning, GuestLimits};
use wasmqtt_host::module::GuestModule;
use wasmqtt_host::virtual_guest::{self, VirtualGuest};
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
    guest: VirtualGuest,
}

/// The target for a story.
pub fn target(scenario: &Scenario) -> Result<Box<dyn Target>, TargetError> {
    Ok(Box::new(driver(&scenario.config)?))
}

/// The same with its type.
pub fn driver(config: &Config) -> Result<Driver<Wasm>, TargetError> {
    Ok(Driver::new(Wasm { config: config.clone(), guest: begin(config, Beginning::Empty)? }))
}

fn begin(config: &Config, beginning: Beginning) -> Result<VirtualGuest, TargetError> {
    VirtualGuest::begin(&module()?, config, SEED, GuestLimits::default(), beginning).map_err(broken)
}

fn broken(error: impl std::fmt::Display) -> TargetError {
    TargetError::Broken(format!("the guest: {error}"))
}

impl Core for Wasm {
    fn turn(&mut self, now: Time, inputs: Vec<Input>) -> Result<Turn, TargetError> {
        let virtual_guest::Turn { outputs, ready } = self.guest.turn(now, inputs).map_err(broken)?;
        Ok(Turn { outputs, ready })
    }

    fn outgoing(&self, conn: ConnectionId) -> Vec<u8> {
        self.guest.outgoing(conn).to_vec()
    }

    fn deadline(&self) -> Option<Time> {
        self.guest.deadline()
    }

    fn restore(&mut self, log: Vec<(Lsn, Record)>) -> Result<(), TargetError> {
        self.guest = begin(&self.config, Beginning::Log(log))?;
        Ok(())
    }
}
