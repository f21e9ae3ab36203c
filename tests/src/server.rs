//! A real server for real clients: the machine's clock, free ports on loopback, nobody asked for a password. It ends
//! when it is dropped.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use wasmqtt_broker::{Command, Counters, Reply, Transport};
use wasmqtt_host::config::ServerConfig;
use wasmqtt_host::listen::Listen;
use wasmqtt_host::server::{Running, Server, ServerOptions};

use crate::target::guest;

/// How long anything may take that a real client does.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A server and where it listens.
pub struct RealServer {
    running: Running,
    /// For MQTT over TCP.
    pub tcp: SocketAddr,
    /// For MQTT over WebSocket.
    pub websocket: SocketAddr,
}

impl RealServer {
    /// Starts a server on free ports, without the `$SYS` tree, so that counters count what a test did.
    pub fn start() -> Self {
        Self::start_with(0)
    }

    /// Starts a server on free ports that renews its `$SYS` tree this often.
    pub fn start_with(sys_interval_s: u32) -> Self {
        let module = guest::module().unwrap_or_else(|error| panic!("{error}"));
        let listen = ["tcp://127.0.0.1:0", "ws://127.0.0.1:0/mqtt"];
        let listen = listen.map(|l| l.parse::<Listen>().unwrap_or_else(|error| panic!("{l}: {error}"))).into();
        let mut config = ServerConfig { listen, ..ServerConfig::default() };
        config.core.sys_interval_s = sys_interval_s;
        let options = ServerOptions { config, module: Some(module), ..ServerOptions::default() };
        let running = Server::start(options).unwrap_or_else(|error| panic!("the server can't start: {error}"));
        let address = |transport| {
            let found = running.addresses().iter().find(|listen| listen.transport == transport);
            found.map(|listen| listen.address).unwrap_or_else(|| panic!("no listener for {transport:?}"))
        };
        let (tcp, websocket) = (address(Transport::Tcp), address(Transport::WebSocket));
        RealServer { running, tcp, websocket }
    }

    /// The counters now.
    pub fn count(&self) -> Counters {
        match self.running.command(Command::Count) {
            Some(Reply::Counters(counters)) => *counters,
            other => panic!("the server answered {other:?}"),
        }
    }

    /// Waits until the counters say so; each look is a turn of the server.
    pub fn wait_until(&self, what: &str, holds: impl Fn(&Counters) -> bool) {
        let begun = Instant::now();
        while !holds(&self.count()) {
            assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}: {:?}", self.count());
            std::thread::yield_now();
        }
    }
}

/// The folder in which cargo builds: this program runs from `<target>/debug/deps`.
pub fn target_folder() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_else(|error| panic!("{error}"));
    program.ancestors().nth(3).unwrap_or_else(|| panic!("{} is not in deps", program.display())).into()
}
