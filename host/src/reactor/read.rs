//! Reading: once per socket and turn, straight into the guest's memory. A socket that filled the room it was given is
//! read again in the next turn, without being asked for; it is not read until it is empty, because that costs a call
//! that brings nothing, and lets one sender hold up the others.

use std::io::{self, Read};

use wasmqtt_broker::{ConnectionId, Time, Transport};

use super::Reactor;
use super::connections::Phase;
use crate::transport::websocket::End;
use crate::transport::{HandshakeRefusal, Progress};

/// Bytes read from one socket in one turn.
const READ_BYTES_MAX: usize = 128 << 10;
/// With less room than this a socket waits for the next step: 4 KiB messages would need more calls.
const ROOM_BYTES_MIN: usize = 32 << 10;
/// Bytes of an HTTP request read at once.
const REQUEST_BYTES: usize = 4 << 10;

/// What became of one read.
enum Outcome {
    /// The socket gave all it had.
    Empty,
    /// There may be more.
    More,
    /// The guest takes no more before its next step.
    Full,
    /// The transport is gone.
    Gone,
    /// The peer of a WebSocket ended it.
    Ended(End),
    /// The request isn't complete.
    Refused(HandshakeRefusal),
}

impl Reactor {
    /// Reads the sockets in the list, each once, until the guest is full; the rest stay in the list.
    pub(super) fn read_ready(&mut self, now: Time) {
        while let Some(&id) = self.ready.front() {
            let Some(connection) = self.connections.get(id) else {
                self.ready.pop_front();
                continue;
            };
            if connection.paused && matches!(connection.phase, Phase::Open) {
                // Still readable: it comes back into the list when the core wants it read.
                connection.listed = false;
                self.ready.pop_front();
                continue;
            }
            let outcome = match connection.phase {
                Phase::Open => self.read_open(id),
                Phase::Upgrading(_) => self.read_request(id),
                Phase::Draining => self.read_away(id),
            };
            if matches!(outcome, Outcome::Full) {
                return;
            }
            self.ready.pop_front();
            self.settle(id, outcome, now);
        }
    }

    fn settle(&mut self, id: ConnectionId, outcome: Outcome, now: Time) {
        let Some(connection) = self.connections.get(id) else { return };
        connection.listed = false;
        match outcome {
            Outcome::Empty => connection.readable = false,
            Outcome::More => {
                connection.listed = true;
                self.again.push(id);
            }
            Outcome::Full => {}
            Outcome::Gone => self.lose(id),
            Outcome::Ended(end) => self.end_websocket(id, end, now),
            Outcome::Refused(refusal) => self.refuse_request(id, refusal, now),
        }
    }

    /// Reads a socket into the guest's block.
    fn read_open(&mut self, id: ConnectionId) -> Outcome {
        let (Some(guest), Some(connection)) = (&mut self.guest, self.connections.get(id)) else { return Outcome::Gone };
        let block = guest.block();
        if block.len() < ROOM_BYTES_MIN {
            return Outcome::Full;
        }
        let room = block.len().min(READ_BYTES_MAX);
        let block = &mut block[..room];
        let len = match connection.stream.read(block) {
            Ok(0) => return Outcome::Gone,
            Ok(len) => len,
            Err(error) => return after_error(&error),
        };
        let mut payload = len;
        let mut end = None;
        if let Some(websocket) = &mut connection.websocket {
            let unframed = websocket.unframe(&mut block[..len]);
            payload = unframed.payload_bytes;
            end = unframed.end;
        }
        if payload > 0 {
            guest.entries.received(id, payload);
        }
        if connection.websocket.as_ref().is_some_and(|websocket| websocket.has_control_out()) {
            self.unflushed.push(id);
        }
        match end {
            Some(end) => Outcome::Ended(end),
            None if len == room || connection.ended => Outcome::More,
            None => Outcome::Empty,
        }
    }

    /// Reads an HTTP request, and answers it once it is complete.
    fn read_request(&mut self, id: ConnectionId) -> Outcome {
        let (Some(guest), Some(connection)) = (&mut self.guest, self.connections.get(id)) else { return Outcome::Gone };
        if guest.block().len() < ROOM_BYTES_MIN {
            return Outcome::Full;
        }
        let mut bytes = [0; REQUEST_BYTES];
        let len = match connection.stream.read(&mut bytes) {
            Ok(0) => return Outcome::Gone,
            Ok(len) => len,
            Err(error) => return after_error(&error),
        };
        let Phase::Upgrading(handshake) = &mut connection.phase else { return Outcome::Gone };
        let rules = &self.listeners_rules[connection.listener as usize];
        match handshake.advance(&bytes[..len], rules) {
            Progress::More if len == REQUEST_BYTES || connection.ended => Outcome::More,
            Progress::More => Outcome::Empty,
            Progress::Refused(refusal) => Outcome::Refused(refusal),
            Progress::Upgraded { response, rest } => {
                let more = len == REQUEST_BYTES || connection.ended;
                self.upgrade(id, &response, &rest, more)
            }
        }
    }

    fn upgrade(&mut self, id: ConnectionId, response: &[u8], rest: &[u8], more: bool) -> Outcome {
        self.tell_opened(id, Transport::WebSocket);
        let (Some(guest), Some(connection)) = (&mut self.guest, self.connections.get(id)) else { return Outcome::Gone };
        connection.phase = Phase::Open;
        let websocket = connection.websocket.insert(Box::default());
        // A new socket takes some hundred bytes at once; one that doesn't is no loss.
        match io::Write::write(&mut connection.stream, response) {
            Ok(written) if written == response.len() => {}
            Ok(_) | Err(_) => return Outcome::Gone,
        }
        // What came behind the request is at most as long as one read, and there is room for that.
        let block = &mut guest.block()[..rest.len()];
        block.copy_from_slice(rest);
        let unframed = websocket.unframe(block);
        if unframed.payload_bytes > 0 {
            guest.entries.received(id, unframed.payload_bytes);
        }
        match unframed.end {
            Some(end) => Outcome::Ended(end),
            None if more => Outcome::More,
            None => Outcome::Empty,
        }
    }

    /// Throws away what comes after our last word.
    fn read_away(&mut self, id: ConnectionId) -> Outcome {
        let Some(connection) = self.connections.get(id) else { return Outcome::Gone };
        let mut bytes = [0; REQUEST_BYTES];
        match connection.stream.read(&mut bytes) {
            Ok(0) => Outcome::Gone,
            Ok(_) => Outcome::More,
            Err(error) => after_error(&error),
        }
    }
}

fn after_error(error: &io::Error) -> Outcome {
    match error.kind() {
        io::ErrorKind::WouldBlock => Outcome::Empty,
        io::ErrorKind::Interrupted => Outcome::More,
        _ => Outcome::Gone,
    }
}
