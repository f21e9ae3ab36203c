//! Taking in new transports: some each turn, so that a flood of them doesn't starve those that are here, and none while
//! the process has no file descriptors left.

use std::io;

use mio::net::TcpListener;
use mio::{Interest, Token};
use wasmqtt_broker::{ConnectionId, Input, Peer, Time, Transport};

use super::Reactor;
use super::connections::{Connection, Phase};
use crate::listen::Listen;
use crate::transport::UpgradeRules;

/// Transports taken in from one listener in one turn.
const ACCEPTS_PER_TURN: usize = 256;
/// Transports above `connections_max` that the core may still refuse politely; more are closed unheard.
const REFUSED_POLITELY_MAX: usize = 64;
/// How long to wait when there are no file descriptors.
const PAUSE_US: u64 = 500_000;

/// An open listener.
pub(super) struct Listener {
    pub socket: TcpListener,
    pub listen: Listen,
    pub rules: UpgradeRules,
    /// Somebody may be waiting.
    pub ready: bool,
}

impl Reactor {
    pub(super) fn accept(&mut self, now: Time) {
        if self.guest.is_none() || self.accept_paused_until.is_some_and(|until| now < until) {
            return;
        }
        self.accept_paused_until = None;
        for index in 0..self.listeners.len() {
            for _ in 0..ACCEPTS_PER_TURN {
                if !self.listeners[index].ready || !self.accept_one(index, now) {
                    break;
                }
            }
        }
    }

    /// Takes in one transport; whether to go on.
    fn accept_one(&mut self, index: usize, now: Time) -> bool {
        let listener = &mut self.listeners[index];
        let (mut stream, peer) = match listener.socket.accept() {
            Ok(accepted) => accepted,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                listener.ready = false;
                return false;
            }
            // It went before it was taken in.
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted) => {
                return true;
            }
            Err(error) => {
                if !std::mem::replace(&mut self.accept_failed, true) {
                    tracing::warn!(%error, listener = %listener.listen, "cannot accept, trying again and again");
                }
                self.accept_paused_until = Some(now.plus_us(PAUSE_US));
                return false;
            }
        };
        self.accept_failed = false;
        if self.connections.open() >= self.connections_max as usize + REFUSED_POLITELY_MAX {
            tracing::debug!(address = %peer, "closed unheard: connections_max");
            return true;
        }
        let token = Token(self.connections.next_slot() as usize);
        if let Err(error) = self.poll.registry().register(&mut stream, token, Interest::READABLE) {
            tracing::warn!(%error, address = %peer, "cannot watch a connection");
            return true;
        }
        let listener_number = u16::try_from(index).expect("few listeners");
        let transport = listener.listen.transport;
        let phase = match transport {
            Transport::WebSocket => Phase::Upgrading(Box::default()),
            Transport::Tcp | Transport::Local | Transport::Bridge(_) => Phase::Open,
        };
        let id = self.connections.insert(
            peer,
            Connection {
                stream,
                phase,
                websocket: None,
                listener: listener_number,
                // Where many come at once its first bytes are often there already: reading them now saves a wait and
                // a step.
                readable: true,
                ended: false,
                listed: true,
                paused: false,
                blocked: false,
                tells_writable: false,
                closing: None,
            },
        );
        self.ready.push_back(id);
        match transport {
            Transport::WebSocket => self.timers.push(now.plus_s(self.connect_timeout_s.into()), id),
            Transport::Tcp | Transport::Local | Transport::Bridge(_) => self.tell_opened(id, transport),
        }
        true
    }

    /// Tells the guest of a transport that is ready for MQTT.
    pub(super) fn tell_opened(&mut self, id: ConnectionId, transport: Transport) {
        let address = self.connections.peer(id).map(|peer| peer.to_string()).unwrap_or_default();
        let listener = self.connections.get(id).map_or(0, |connection| connection.listener);
        let peer = Peer { listener, address, transport, identity: None };
        if let Some(guest) = &mut self.guest {
            guest.entries.letter(&Input::Opened { conn: id, peer });
        }
    }
}
