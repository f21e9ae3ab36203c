//! The whole server on loopback: sockets, reactor, wasmtime, guest; only its clock is virtual. A step has settled when
//! the server's own counters stand still over several of its turns, it has nothing left to send, and what it sent has
//! come through the kernel, which on a busy machine takes its time; unlike a PINGREQ that disturbs no Keep Alive.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use wasmqtt_broker::{Command, Counters, Reply, Transport};
use wasmqtt_host::clock::Clock;
use wasmqtt_host::config::ServerConfig;
use wasmqtt_host::listen::Listen;
use wasmqtt_host::server::{Running, Server, ServerOptions};
use wasmqtt_sim::{LinkId, Notice, Received, Scenario, Target, TargetError};

use super::driver::BEGIN;
use super::guest;
use super::native::SEED;

/// Turns of the server in which nothing may change before a step counts as settled.
const QUIET_TURNS: u32 = 3;
/// Turns that bytes and closes may be on their way; what hasn't come by then went to a client that was cut off.
const LATE_TURNS: u32 = 2_000;
/// Turns after which a step that never settles is given up.
const TURNS_MAX: u32 = 200_000;

/// A server with the clients' sockets.
pub struct Host {
    server: Running,
    address: SocketAddr,
    links: BTreeMap<LinkId, Link>,
    notices: Vec<Notice>,
    now_us: u64,
    /// Bytes that clients have read, and those that went to clients that were cut off.
    arrived_bytes: u64,
}

struct Link {
    socket: TcpStream,
    received: Vec<u8>,
    closed: bool,
}

/// The target for a story.
pub fn target(scenario: &Scenario) -> Result<Box<dyn Target>, TargetError> {
    let listen: Listen = "tcp://127.0.0.1:0".parse().map_err(|_| broken("the address"))?;
    let config = ServerConfig { listen: vec![listen], core: scenario.config.clone(), ..ServerConfig::default() };
    let (clock, module, seed) = (Clock::Virtual(BEGIN), Some(guest::module()?), Some(SEED));
    let options = ServerOptions { config, clock, module, seed, ..ServerOptions::default() };
    let server = Server::start(options).map_err(broken)?;
    let tcp = server.addresses().iter().find(|listen| listen.transport == Transport::Tcp);
    let address = tcp.map(|listen| listen.address).ok_or_else(|| broken("it listens nowhere"))?;
    Ok(Box::new(Host { server, address, links: BTreeMap::new(), notices: Vec::new(), now_us: 0, arrived_bytes: 0 }))
}

fn broken(error: impl std::fmt::Display) -> TargetError {
    TargetError::Broken(format!("the server: {error}"))
}

impl Host {
    fn ask(&self, command: Command) -> Result<Reply, TargetError> {
        self.server.command(command).ok_or_else(|| broken("it does not answer"))
    }

    fn count(&self) -> Result<Counters, TargetError> {
        match self.ask(Command::Count)? {
            Reply::Counters(counters) => Ok(*counters),
            other => Err(broken(format!("it answered {other:?}"))),
        }
    }

    /// Takes what arrived on every socket; whether anything did.
    fn read_all(&mut self) -> Result<bool, TargetError> {
        let mut any = false;
        for link in self.links.values_mut().filter(|link| !link.closed) {
            let before = link.received.len();
            any |= link.read()?;
            self.arrived_bytes += (link.received.len() - before) as u64;
        }
        Ok(any)
    }

    /// Whether something that the server did has not come to the clients yet.
    fn is_on_its_way(&self, counters: &Counters) -> bool {
        let open = self.links.values().filter(|link| !link.closed).count() as u64;
        counters.bytes_sent > self.arrived_bytes || counters.connections != open
    }
}

impl Link {
    fn read(&mut self) -> Result<bool, TargetError> {
        let mut buffer = [0; 65_536];
        let mut any = false;
        loop {
            match self.socket.read(&mut buffer) {
                Ok(0) => {
                    self.closed = true;
                    return Ok(true);
                }
                Ok(length) => {
                    any = true;
                    self.received.extend_from_slice(&buffer[..length]);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(any),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A reset is a close in which what we sent was not read any more.
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                    self.closed = true;
                    return Ok(true);
                }
                Err(error) => return Err(broken(error)),
            }
        }
    }
}

impl Target for Host {
    fn open(&mut self, link: LinkId) -> Result<(), TargetError> {
        let before = self.count()?.connections_opened;
        let socket = TcpStream::connect(self.address).map_err(broken)?;
        socket.set_nodelay(true).and_then(|()| socket.set_nonblocking(true)).map_err(broken)?;
        self.links.insert(link, Link { socket, received: Vec::new(), closed: false });
        // The order in which transports open is the order of the story. A server that stops accepts none.
        for _ in 0..1000 {
            if self.count()?.connections_opened > before {
                break;
            }
        }
        Ok(())
    }

    fn send(&mut self, link: LinkId, bytes: &[u8]) -> Result<(), TargetError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let Some(open) = self.links.get_mut(&link).filter(|link| !link.closed) else { return Ok(()) };
            match open.socket.write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.count()?;
                    self.read_all()?;
                }
                // The server closed: what it said before that can still be read.
                Err(_) => return Ok(()),
            }
        }
        Ok(())
    }

    fn receive(&mut self, link: LinkId) -> Result<Received, TargetError> {
        let Some(link) = self.links.get_mut(&link) else { return Ok(Received::default()) };
        Ok(Received { bytes: std::mem::take(&mut link.received), closed: link.closed })
    }

    fn cut(&mut self, link: LinkId) -> Result<(), TargetError> {
        if let Some(link) = self.links.remove(&link) {
            // It may be gone already.
            let _ = link.socket.shutdown(Shutdown::Both);
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<(), TargetError> {
        let mut before = None;
        let mut quiet = 0;
        for _ in 0..TURNS_MAX {
            let counters = self.count()?;
            let moved = self.read_all()? || counters.outbox_bytes > 0 || before.as_ref() != Some(&counters);
            quiet = if moved { 0 } else { quiet + 1 };
            if quiet >= QUIET_TURNS && (quiet >= LATE_TURNS || !self.is_on_its_way(&counters)) {
                self.arrived_bytes = self.arrived_bytes.max(counters.bytes_sent);
                return Ok(());
            }
            before = Some(counters);
        }
        Err(broken("it does not come to rest"))
    }

    fn advance(&mut self, to_us: u64) -> Result<(), TargetError> {
        let by_us = to_us.saturating_sub(self.now_us);
        self.now_us = to_us;
        self.server.advance(by_us).map(drop).ok_or_else(|| broken("it ended"))
    }

    fn notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    fn command(&mut self, command: Command) -> Result<(), TargetError> {
        let reply = self.ask(command)?;
        self.notices.push(Notice::Reply(reply));
        Ok(())
    }

    fn counters(&mut self) -> Result<Counters, TargetError> {
        self.count()
    }
}
