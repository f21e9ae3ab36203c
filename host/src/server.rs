//! A server as a value: start it, learn where it listens, talk to it, stop it. The program `wasmqtt` and the tests use
//! the same.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use mio::{Poll, Waker};
use wasmqtt_broker::{Authentication, Command, Reply, Seed, Time};
use wasmqtt_sim::recording::{BUILD, Head};

use crate::auth::{Decide, Deciders};
use crate::clock::{Clock, Timepiece};
use crate::config::{ConfigError, ServerConfig};
use crate::fault::GuestFault;
use crate::guest::Recorder;
use crate::listen::{self, Listen};
use crate::module::{GuestModule, ModuleError};
use crate::reactor::{BeginError, Message, Parts, Reactor, waker};

/// How to start a server.
#[derive(Default)]
pub struct ServerOptions {
    /// What the operator decides.
    pub config: ServerConfig,
    /// Which clock it runs on.
    pub clock: Clock,
    /// The guest's code, if it is loaded already; else [`ServerConfig::guest`] or the embedded one is loaded.
    pub module: Option<GuestModule>,
    /// What looks random in the core comes from this; `None` asks the system.
    pub seed: Option<Seed>,
    /// Who answers the core's questions, if not the password file and the ACL file.
    pub decide: Option<Decide>,
    /// Where to write down all that the core is told; a file that must not be there yet.
    pub record: Option<PathBuf>,
}

/// Why a server can't start.
#[derive(Debug)]
pub enum StartError {
    /// The configuration is wrong.
    Config(ConfigError),
    /// The guest's code can't be used.
    Module(ModuleError),
    /// The guest did wrong while it started.
    Guest(GuestFault),
    /// The address can't be listened on.
    Listen(Listen, std::io::Error),
    /// The recording can't be begun.
    Record(PathBuf, std::io::Error),
    /// The system refuses something else.
    Io(std::io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Config(error) => error.fmt(out),
            StartError::Module(error) => error.fmt(out),
            StartError::Guest(fault) => fault.fmt(out),
            StartError::Listen(listen, error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                write!(out, "port {} is in use: cannot listen on {listen}", listen.address.port())
            }
            StartError::Listen(listen, error) => write!(out, "cannot listen on {listen}: {error}"),
            StartError::Record(path, error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                write!(out, "--record {}: found a file there; allowed: a new name", path.display())
            }
            StartError::Record(path, error) => write!(out, "--record {}: {error}", path.display()),
            StartError::Io(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for StartError {}

/// A server that can be started.
pub struct Server;

impl Server {
    /// Opens the listeners, starts the guest, and serves on a thread of its own.
    ///
    /// # Errors
    /// Names what is wrong; nothing runs then.
    pub fn start(options: ServerOptions) -> Result<Running, StartError> {
        let ServerOptions { mut config, clock, module, seed, decide, record } = options;
        let gatekeeper = config.complete().map_err(StartError::Config)?;
        let open = |listen: &Listen| listen::open(listen).map_err(|error| StartError::Listen(listen.clone(), error));
        let listeners = config.listen.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let addresses = listeners.iter().map(|(_, listen)| listen.clone()).collect();
        let module = match (module, &config.guest) {
            (Some(module), _) => Ok(module),
            (None, Some(path)) => GuestModule::from_file(path),
            (None, None) => GuestModule::embedded(),
        };
        let module = module.map_err(StartError::Module)?;
        let poll = Poll::new().map_err(StartError::Io)?;
        let waker = waker(&poll).map_err(StartError::Io)?;
        let deciders = (config.core.authentication == Authentication::Ask).then(|| {
            let waker = waker.clone();
            let decide = decide.unwrap_or_else(|| Box::new(move |question| gatekeeper.decide(question)));
            // A reactor that can't be woken is gone.
            Deciders::start(decide, move || drop(waker.wake()))
        });
        let (messages, inbox) = channel();
        let recorder = record.as_deref().map(|path| recorder(path, &config)).transpose()?;
        let parts = Parts {
            module,
            core: config.core,
            guest_limits: config.guest_limits,
            seed,
            clock: Timepiece::new(clock),
            listeners,
            websocket_origins: config.websocket_origins,
            stop_grace: config.stop_grace,
            recorder,
        };
        let reactor = Reactor::begin(parts, poll, inbox, deciders).map_err(|error| {
            // A recording of nothing would only be in the way of the next try.
            let _ = record.map(std::fs::remove_file);
            match error {
                BeginError::Io(error) => StartError::Io(error),
                BeginError::Guest(fault) => StartError::Guest(fault),
            }
        })?;
        let thread = std::thread::Builder::new().name("reactor".into()).spawn(move || reactor.run());
        let thread = thread.map_err(StartError::Io)?;
        Ok(Running { addresses, remote: Remote { messages, waker }, thread: Some(thread) })
    }
}

/// A file to record into. Of a guest that isn't ours nobody knows the build, and then no digests are compared.
fn recorder(path: &Path, config: &ServerConfig) -> Result<Box<Recorder>, StartError> {
    let build = if config.guest.is_some() { "unknown" } else { BUILD }.into();
    let head = Head { build, config: config.core.clone() };
    let recorder = Recorder::create(path, head).map_err(|error| StartError::Record(path.into(), error))?;
    Ok(Box::new(recorder))
}

/// A handle to talk to a running server from any thread.
#[derive(Clone)]
pub struct Remote {
    messages: Sender<Message>,
    waker: Arc<Waker>,
}

impl Remote {
    /// Hands a command to the core and waits for its reply; `None` if the server ends, or its guest fails, before that.
    #[must_use]
    pub fn command(&self, command: Command) -> Option<Reply> {
        let (asker, reply) = channel();
        self.send(Message::Command(command, asker));
        reply.recv().ok()
    }

    /// Lets a virtual clock move on by this much, with every deadline on its way, and waits until that is done. Gives
    /// the new time; `None` if the server ended. A real clock is not moved.
    pub fn advance(&self, by_us: u64) -> Option<Time> {
        let (answer, time) = channel();
        self.send(Message::Advance(by_us, answer));
        time.recv().ok()
    }

    /// Ends the server cleanly: Will Messages that are due, a last word to each client, then the thread ends.
    pub fn stop(&self) {
        self.send(Message::Stop);
    }

    /// Ends the server at once.
    pub fn abort(&self) {
        self.send(Message::Abort);
    }

    fn send(&self, message: Message) {
        // Both fail only when the reactor is gone, and then there is nothing to tell it.
        let _ = self.messages.send(message);
        let _ = self.waker.wake();
    }
}

/// A running server. Dropped, it ends at once.
pub struct Running {
    addresses: Vec<Listen>,
    remote: Remote,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl Running {
    /// Where it listens, with real port numbers, in the order of the configuration.
    #[must_use]
    pub fn addresses(&self) -> &[Listen] {
        &self.addresses
    }

    /// A handle for other threads.
    #[must_use]
    pub fn remote(&self) -> Remote {
        self.remote.clone()
    }

    /// See [`Remote::command`].
    #[must_use]
    pub fn command(&self, command: Command) -> Option<Reply> {
        self.remote.command(command)
    }

    /// See [`Remote::advance`].
    pub fn advance(&self, by_us: u64) -> Option<Time> {
        self.remote.advance(by_us)
    }

    /// See [`Remote::stop`].
    pub fn stop(&self) {
        self.remote.stop();
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// Fails if the kernel refused to serve it.
    pub fn join(mut self) -> std::io::Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => ended,
            // A panic of ours: it goes on where it can be seen.
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Ok(()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.remote.abort();
            let _ = thread.join();
        }
    }
}
