//! The table of transports. A slot is used again, with the next generation, only after the guest was told that its
//! transport is gone: until then a later event of the same turn, or a late output, still finds that nobody is here.

use std::net::SocketAddr;

use mio::net::TcpStream;
use wasmqtt_broker::{ConnectionId, Time};

use crate::transport::Handshake;
use crate::transport::websocket::WebSocket;

/// What a transport is doing.
#[derive(Debug)]
pub(super) enum Phase {
    /// Its HTTP request isn't complete; the core knows nothing of it.
    Upgrading(Box<Handshake>),
    /// The core knows it.
    Open,
    /// We said our last; what still comes is thrown away until the peer closes too. Closing with unread bytes would
    /// make the kernel throw away what the peer hasn't read yet.
    Draining,
}

/// One transport.
#[derive(Debug)]
pub(super) struct Connection {
    pub stream: TcpStream,
    pub phase: Phase,
    /// Frames around the bytes, once a WebSocket is open.
    pub websocket: Option<Box<WebSocket>>,
    pub listener: u16,
    /// There may be bytes to read.
    pub readable: bool,
    /// The peer sends nothing more, or the transport is broken. Bytes that came before can still be read, and the
    /// kernel won't tell of the end behind them again: it is read until the end shows.
    pub ended: bool,
    /// It stands in the list of those to read.
    pub listed: bool,
    /// The core wants nothing read.
    pub paused: bool,
    /// It took fewer bytes than it was given.
    pub blocked: bool,
    /// Its registration tells when it takes bytes again: only after a first short write.
    pub tells_writable: bool,
    /// When to give up sending and close, and with which code a WebSocket is closed.
    pub closing: Option<(Time, u16)>,
}

struct Slot {
    generation: u32,
    peer: SocketAddr,
    connection: Option<Connection>,
}

/// All transports.
pub(super) struct Connections {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Slots without a transport of which the guest isn't told yet.
    leaving: Vec<u32>,
    open: usize,
}

impl Connections {
    pub fn new() -> Self {
        Connections { slots: Vec::new(), free: Vec::new(), leaving: Vec::new(), open: 0 }
    }

    /// How many transports there are.
    pub fn open(&self) -> usize {
        self.open
    }

    /// The number that the next transport gets.
    pub fn next_slot(&self) -> u32 {
        self.free.last().copied().unwrap_or_else(|| u32::try_from(self.slots.len()).expect("fewer than 4 billion"))
    }

    /// Takes in a transport under [`Self::next_slot`].
    pub fn insert(&mut self, peer: SocketAddr, connection: Connection) -> ConnectionId {
        let slot = self.next_slot();
        self.open += 1;
        if self.free.pop().is_none() {
            self.slots.push(Slot { generation: 0, peer, connection: Some(connection) });
            return ConnectionId { slot, generation: 0 };
        }
        let place = &mut self.slots[slot as usize];
        place.generation = place.generation.wrapping_add(1);
        place.peer = peer;
        place.connection = Some(connection);
        ConnectionId { slot, generation: place.generation }
    }

    /// A transport, unless another one has its slot by now.
    pub fn get(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        let slot = self.slots.get_mut(id.slot as usize)?;
        slot.connection.as_mut().filter(|_| slot.generation == id.generation)
    }

    /// The transport in a slot, with its name.
    pub fn at(&mut self, slot: u32) -> Option<(ConnectionId, &mut Connection)> {
        let place = self.slots.get_mut(slot as usize)?;
        let id = ConnectionId { slot, generation: place.generation };
        place.connection.as_mut().map(|connection| (id, connection))
    }

    /// Who is or was at the other end, for the log.
    pub fn peer(&self, id: ConnectionId) -> Option<SocketAddr> {
        self.slots.get(id.slot as usize).filter(|slot| slot.generation == id.generation).map(|slot| slot.peer)
    }

    /// Drops a transport, which closes it. Its slot waits for [`Self::told`].
    pub fn remove(&mut self, id: ConnectionId) {
        if self.get(id).is_some() {
            self.slots[id.slot as usize].connection = None;
            self.leaving.push(id.slot);
            self.open -= 1;
        }
    }

    /// The guest has been told of everything so far: slots may be used again.
    pub fn told(&mut self) {
        self.free.append(&mut self.leaving);
    }

    /// Drops those that are no connections of the core's yet.
    pub fn remove_upgrading(&mut self) {
        for slot in 0..self.slots.len() as u32 {
            if let Some((id, connection)) = self.at(slot)
                && matches!(connection.phase, Phase::Upgrading(_))
            {
                self.remove(id);
            }
        }
    }

    /// Drops all.
    pub fn clear(&mut self) {
        for slot in 0..self.slots.len() as u32 {
            if let Some((id, _)) = self.at(slot) {
                self.remove(id);
            }
        }
        self.told();
    }
}
