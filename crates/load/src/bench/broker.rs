//! Starts a broker on free ports of loopback, pinned to a processor, and ends it. Both kinds are configured alike: no
//! passwords, nothing on disk, no log of messages, limits that no scenario reaches.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome};

/// How long a broker may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

/// mosquitto's configuration behind its listeners. `max_inflight_messages` is above every window, and near what is best
/// for it: with thousands in flight its look-ups get slow.
const MOSQUITTO: &str = "allow_anonymous true\npersistence false\nlog_type none\nsys_interval 0\n\
                         max_inflight_messages 100\nmax_queued_messages 0\nmax_queued_bytes 0\nset_tcp_nodelay true\n";

/// Flags of ours behind its listeners: everything else is as an operator gets it.
const OURS: [&str; 2] = ["--log-level", "warn"];

/// What kind of program it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// It takes `serve --listen ... --ready-file`.
    Ours,
    /// It takes a configuration file.
    Mosquitto,
}

/// A broker that can be started.
#[derive(Clone, Debug)]
pub struct Program {
    /// What the table calls it.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// How it is started.
    pub kind: Kind,
    /// Where its files go.
    pub folder: PathBuf,
}

/// A broker that runs; it ends when this is dropped.
pub struct Running {
    child: Child,
    /// MQTT over TCP.
    pub tcp: SocketAddr,
    /// MQTT over WebSocket, at `/mqtt`.
    pub websocket: SocketAddr,
}

impl Running {
    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A child that is gone already is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    /// What makes it run as it does, for people.
    #[must_use]
    pub fn configuration(&self) -> String {
        match self.kind {
            Kind::Ours => format!("serve --listen tcp://... --listen ws://... {}", OURS.join(" ")),
            Kind::Mosquitto => MOSQUITTO.trim_end().replace('\n', "; "),
        }
    }

    /// Starts it on this processor and waits until clients can connect; gives the time that took too.
    ///
    /// # Errors
    /// If it can't be started, ends, or doesn't listen in time.
    pub fn start(&self, processor: Option<usize>) -> Outcome<(Running, Duration)> {
        let [tcp, websocket] = free_ports().map_err(|error| Failure::System("free ports", error))?;
        let mut command = pinned(processor, &self.path);
        match self.kind {
            Kind::Ours => {
                command.args(["serve", "--site", "off", "--listen", &format!("tcp://{tcp}")]);
                command.args(["--listen", &format!("ws://{websocket}/mqtt")]).args(OURS);
            }
            Kind::Mosquitto => {
                let file = self.folder.join("mosquitto.conf");
                let (port, websocket_port) = (tcp.port(), websocket.port());
                let text = format!(
                    "listener {port} 127.0.0.1\nlistener {websocket_port} 127.0.0.1\nprotocol websockets\n{MOSQUITTO}"
                );
                std::fs::write(&file, text).map_err(|error| Failure::System("mosquitto.conf", error))?;
                command.arg("-c").arg(file);
            }
        }
        let log = std::fs::File::create(self.log()).map_err(|error| Failure::System("broker.log", error))?;
        let log_too = log.try_clone().map_err(|error| Failure::System("broker.log", error))?;
        command.stdin(Stdio::null()).stdout(log).stderr(log_too);
        let begun = Instant::now();
        let child = command.spawn().map_err(|error| self.failed(&error.to_string()))?;
        let mut running = Running { child, tcp, websocket };
        self.wait_for(tcp, &mut running, begun)?;
        let took = begun.elapsed();
        self.wait_for(websocket, &mut running, begun)?;
        Ok((running, took))
    }

    /// Waits until something listens there.
    fn wait_for(&self, addr: SocketAddr, running: &mut Running, begun: Instant) -> Outcome {
        loop {
            if TcpStream::connect(addr).is_ok() {
                return Ok(());
            }
            let ended = running.child.try_wait().ok().flatten();
            if let Some(status) = ended {
                let text = std::fs::read_to_string(self.log()).unwrap_or_default();
                return Err(self.failed(&format!("it ended with {status}: {}", text.trim())));
            }
            if begun.elapsed() > PATIENCE {
                return Err(self.failed(&format!("it doesn't listen within {} s", PATIENCE.as_secs())));
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.name))
    }

    fn failed(&self, why: &str) -> Failure {
        Failure::Program(format!("{} ({}) can't be started: {why}", self.name, self.path.display()))
    }
}

/// A command that will run on this processor only, and keep its process number when it begins.
pub fn pinned(processor: Option<usize>, path: &Path) -> Command {
    let Some(processor) = processor else { return Command::new(path) };
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &processor.to_string()]).arg(path);
    command
}

/// Two ports that were free a moment ago: mosquitto can't be asked to choose.
fn free_ports() -> std::io::Result<[SocketAddr; 2]> {
    let (first, second) = (TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?);
    Ok([first.local_addr()?, second.local_addr()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(path: &str, kind: Kind) -> Program {
        let folder = std::env::temp_dir().join(format!("wasmqtt-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
        Program { name: format!("a {path}"), path: path.into(), kind, folder }
    }

    #[test]
    fn a_broker_that_ends_says_so() {
        for kind in [Kind::Ours, Kind::Mosquitto] {
            let program = program("false", kind);
            let started = program.start(None).map(drop);
            std::fs::remove_dir_all(&program.folder).expect("it was made");
            let failure = started.expect_err("it ends at once").to_string();
            assert!(failure.starts_with("a false (false) can't be started: it ended with"), "{failure}");
        }
    }

    #[test]
    fn a_broker_that_is_not_there_is_named() {
        let program = program("no-such-broker", Kind::Ours);
        let started = program.start(None).map(drop);
        std::fs::remove_dir_all(&program.folder).expect("it was made");
        let failure = started.expect_err("there is no such program").to_string();
        assert!(failure.contains("no-such-broker") && failure.contains("No such file"), "{failure}");
    }
}
