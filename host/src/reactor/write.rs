//! Writing: once per connection and step, from the guest's memory. What a socket doesn't take stays with the guest, and
//! the socket is asked to tell when it takes bytes again, which nobody asks of a socket that never fell short.

use mio::{Interest, Token};
use tungstenite::protocol::frame::coding::CloseCode;
use wasmqtt_abi::{Row, row_flag};
use wasmqtt_broker::{ConnectionId, Time};

use super::connections::{Connection, Phase};
use super::{Guest, Reactor};
use crate::transport::websocket::End;
use crate::transport::{HandshakeRefusal, Written, write_all_slices, write_some};

/// How long the peer may take to close after our last word.
const DRAIN_US: u64 = 1_000_000;

impl Reactor {
    /// Writes what the last step listed.
    pub(super) fn write_rows(&mut self, now: Time) {
        let rows = self.guest.as_ref().map_or(0, Guest::rows);
        for index in 0..rows {
            let Some(guest) = &mut self.guest else { return };
            let row = guest.row(index);
            let id = ConnectionId { slot: row.slot, generation: row.generation };
            let open = |connection: &&mut Connection| matches!(connection.phase, Phase::Open);
            let Some(connection) = self.connections.get(id).filter(open) else { continue };
            match write_row(connection, guest, row) {
                Err(_) => self.lose(id),
                Ok(written) => {
                    let listed = row.slices_len > 0;
                    if listed {
                        guest.entries.sent(id, written.payload_bytes);
                    }
                    if written.blocked {
                        self.wait_until_writable(id);
                    } else if row.flags & row_flag::LAST != 0 {
                        self.finish(id, now);
                    }
                }
            }
        }
        self.flush_websockets();
    }

    /// Sends what a WebSocket has to say that is not the broker's.
    pub(super) fn flush(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get(id) else { return };
        let Some(websocket) = &mut connection.websocket else { return };
        match websocket.flush(&mut connection.stream) {
            Ok(true) => {}
            Ok(false) => self.ask_writable(id),
            Err(_) => self.lose(id),
        }
    }

    fn wait_until_writable(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get(id) {
            connection.blocked = true;
            self.ask_writable(id);
        }
    }

    /// Lets the socket tell when it takes bytes again. It goes on telling: a notice that nobody needs costs nothing,
    /// switching it off and on again would be a call each time.
    fn ask_writable(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get(id) else { return };
        if !connection.tells_writable {
            connection.tells_writable = true;
            let interest = Interest::READABLE | Interest::WRITABLE;
            let token = Token(id.slot as usize);
            if self.poll.registry().reregister(&mut connection.stream, token, interest).is_err() {
                self.lose(id);
            }
        }
    }

    /// Everything is sent: says so to the peer and to the guest.
    fn finish(&mut self, id: ConnectionId, now: Time) {
        let Some(connection) = self.connections.get(id) else { return };
        let code = connection.closing.map_or(CloseCode::Normal, |(_, code)| code.into());
        self.say_goodbye(id, code, now);
        if let Some(guest) = &mut self.guest {
            guest.entries.closed(id);
        }
    }

    /// The peer of a WebSocket ended it, or has to be told that it did wrong.
    pub(super) fn end_websocket(&mut self, id: ConnectionId, end: End, now: Time) {
        let code = match end {
            End::PeerClosed => CloseCode::Normal,
            End::Fault(fault) => {
                let address = self.connections.peer(id).map(tracing::field::display);
                let (code, statement) = (u16::from(fault.close_code()), fault.statement());
                tracing::info!(address, code, statement, why = %fault, "closing a WebSocket");
                fault.close_code()
            }
        };
        self.say_goodbye(id, code, now);
        if let Some(guest) = &mut self.guest {
            guest.entries.closed(id);
        }
    }

    pub(super) fn refuse_request(&mut self, id: ConnectionId, refusal: HandshakeRefusal, now: Time) {
        let address = self.connections.peer(id).map(tracing::field::display);
        tracing::info!(address, why = %refusal, "refused a WebSocket");
        if let Some(connection) = self.connections.get(id) {
            let _ = std::io::Write::write(&mut connection.stream, &refusal.response());
            self.say_goodbye(id, CloseCode::Normal, now);
        }
    }

    /// Our last word; then the peer has a moment to close its side.
    fn say_goodbye(&mut self, id: ConnectionId, code: CloseCode, now: Time) {
        let Some(connection) = self.connections.get(id) else { return };
        if let Some(websocket) = &mut connection.websocket {
            websocket.close(code);
            // One try: who doesn't take these few bytes has left or doesn't listen.
            let _ = websocket.flush(&mut connection.stream);
        }
        connection.phase = Phase::Draining;
        if connection.stream.shutdown(std::net::Shutdown::Write).is_err() {
            self.connections.remove(id);
            return;
        }
        // Bytes may have come unseen while nothing was to be read.
        if !connection.listed {
            connection.listed = true;
            self.again.push(id);
        }
        self.timers.push(now.plus_us(DRAIN_US), id);
    }

    /// The transport is gone, or as good as gone.
    pub(super) fn lose(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get(id) else { return };
        let known = matches!(connection.phase, Phase::Open);
        self.connections.remove(id);
        if let Some(guest) = &mut self.guest
            && known
        {
            guest.entries.closed(id);
        }
    }
}

fn write_row(connection: &mut Connection, guest: &Guest, row: Row) -> std::io::Result<Written> {
    let mut slices = guest.listed(row);
    match &mut connection.websocket {
        Some(websocket) => websocket.write(&mut connection.stream, slices),
        // The usual row: one buffer of small packets.
        None if row.slices_len == 1 => {
            let bytes = slices.next().unwrap_or_default();
            let payload_bytes = write_some(&mut connection.stream, bytes)?;
            Ok(Written { payload_bytes, blocked: payload_bytes < bytes.len() })
        }
        None => {
            let total: usize = slices.clone().map(<[u8]>::len).sum();
            let payload_bytes = write_all_slices(&mut connection.stream, slices)?;
            Ok(Written { payload_bytes, blocked: payload_bytes < total })
        }
    }
}
