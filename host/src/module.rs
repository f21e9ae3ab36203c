//! The guest's code: found, checked against the list of imports it may have, and compiled, or loaded as our own build
//! compiled it. A [`GuestModule`] can start any number of [`Guest`](crate::guest::Guest)s, each with a memory of its
//! own.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use wasmtime::{Cache, CacheConfig, Config, Engine, Module, OptLevel, Strategy};

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// All that a guest may import, and that is a promise to whoever runs it: no clock and no entropy, so that the same
/// inputs give the same bytes; no files and no sockets, so that a guest gone wrong can do nothing but answer wrongly.
pub const IMPORTS_ALLOWED: [(&str, &str); 4] = [
    ("wasi_snapshot_preview1", "environ_get"),
    ("wasi_snapshot_preview1", "environ_sizes_get"),
    ("wasi_snapshot_preview1", "fd_write"),
    ("wasi_snapshot_preview1", "proc_exit"),
];

/// How often the epoch moves on: the grain of a step's time limit.
pub(crate) const EPOCH_TICK: Duration = Duration::from_millis(100);

/// The processor that our build compiles for; a newer one runs it, and no other is assumed.
#[cfg(target_arch = "x86_64")]
const BASELINE: &str = "x86_64-unknown-linux-gnu";
#[cfg(target_arch = "aarch64")]
const BASELINE: &str = "aarch64-unknown-linux-gnu";

/// Why a guest's code can't be used.
#[derive(Debug)]
pub enum ModuleError {
    /// This program was built without a guest, and none was named.
    NoGuest,
    /// The file can't be read.
    Unreadable(PathBuf, std::io::Error),
    /// It isn't WebAssembly, or none that wasmtime takes.
    NotCompiled(wasmtime::Error),
    /// It imports something that a guest may not have.
    Import {
        /// From where.
        module: String,
        /// What.
        name: String,
    },
}

impl fmt::Display for ModuleError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ModuleError::NoGuest => {
                write!(out, "this wasmqtt was built without a guest: name one with --guest FILE.wasm")
            }
            ModuleError::Unreadable(path, error) => write!(out, "guest {}: {error}", path.display()),
            ModuleError::NotCompiled(error) => write!(out, "guest: {error:#}"),
            ModuleError::Import { module, name } => {
                write!(out, "guest: it imports {module}::{name}; allowed are")?;
                IMPORTS_ALLOWED.iter().try_for_each(|(module, name)| write!(out, " {module}::{name}"))
            }
        }
    }
}

impl std::error::Error for ModuleError {}

/// A guest's code, ready to run.
#[derive(Clone)]
pub struct GuestModule {
    engine: Engine,
    module: Module,
}

impl GuestModule {
    /// The guest inside this program.
    ///
    /// # Errors
    /// Fails if this program was built without one.
    pub fn embedded() -> Result<Self, ModuleError> {
        if let Some(compiled) = COMPILED {
            let engine = engine(None)?;
            // A build for another wasmtime or with other settings is noticed by its header; then the .wasm serves.
            #[allow(unsafe_code, reason = "wasmtime cannot check machine code that it is given")]
            // SAFETY: these bytes are what `precompile` below made when this program was built, embedded by build.rs
            // and never written since.
            let module = unsafe { Module::deserialize(&engine, compiled) };
            match module {
                Ok(module) => return Self::checked(engine, module),
                Err(error) => tracing::warn!("the compiled guest doesn't fit, compiling it anew: {error:#}"),
            }
        }
        Self::from_wasm(WASM.ok_or(ModuleError::NoGuest)?)
    }

    /// A guest from a `.wasm` file.
    ///
    /// # Errors
    /// Fails if it can't be read, isn't WebAssembly, or imports more than it may.
    pub fn from_file(path: &Path) -> Result<Self, ModuleError> {
        let wasm = std::fs::read(path).map_err(|error| ModuleError::Unreadable(path.to_owned(), error))?;
        Self::from_wasm(&wasm)
    }

    /// A guest from the bytes of a `.wasm` file; compiled once, then found in wasmtime's cache.
    ///
    /// # Errors
    /// Fails if it isn't WebAssembly or imports more than it may.
    pub fn from_wasm(wasm: &[u8]) -> Result<Self, ModuleError> {
        // A home that can't be written is no reason not to start.
        let cache = Cache::new(CacheConfig::new()).inspect_err(|error| tracing::debug!("no cache: {error:#}")).ok();
        let engine = engine(cache)?;
        let module = Module::from_binary(&engine, wasm).map_err(ModuleError::NotCompiled)?;
        Self::checked(engine, module)
    }

    fn checked(engine: Engine, module: Module) -> Result<Self, ModuleError> {
        for import in module.imports() {
            if !IMPORTS_ALLOWED.contains(&(import.module(), import.name())) {
                return Err(ModuleError::Import { module: import.module().into(), name: import.name().into() });
            }
        }
        watch(&engine);
        Ok(GuestModule { engine, module })
    }

    /// What it imports, as (module, name).
    pub fn imports(&self) -> impl Iterator<Item = (&str, &str)> {
        self.module.imports().map(|import| (import.module(), import.name()))
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn module(&self) -> &Module {
        &self.module
    }
}

/// Compiles a guest ahead of time, for [`GuestModule::embedded`] of a later build.
///
/// # Errors
/// Fails if it isn't WebAssembly.
pub fn precompile(wasm: &[u8]) -> Result<Vec<u8>, ModuleError> {
    engine(None)?.precompile_module(wasm).map_err(ModuleError::NotCompiled)
}

/// One engine configuration for compiling ahead and for running, so that the two always fit.
fn engine(cache: Option<Cache>) -> Result<Engine, ModuleError> {
    let mut config = Config::new();
    config.strategy(Strategy::Cranelift).cranelift_opt_level(OptLevel::Speed).epoch_interruption(true).cache(cache);
    // The 4 GiB reservation with guards is the default and makes bounds checks free; this pins the memory's base.
    config.memory_may_move(false);
    config.target(BASELINE).map_err(ModuleError::NotCompiled)?;
    Engine::new(&config).map_err(ModuleError::NotCompiled)
}

/// Moves the engine's epoch on while the engine lives: what ends a step that never would.
fn watch(engine: &Engine) {
    let engine = engine.weak();
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(EPOCH_TICK);
        }
    };
    std::thread::Builder::new().name("watchdog".into()).spawn(tick).expect("a thread can be started");
}
