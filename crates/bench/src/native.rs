//! The core in this process, driven as the guest drives it: bytes lie in one block, a turn ends with `Tick`, and what
//! is ready is asked for once.

use bytes::{Buf, BytesMut};
use wasmqtt_broker::{Broker, Config, ConnectionId, Input, Peer, Seed, Time, Transport};

use crate::core::{Core, Sink};

/// As large as the guest's.
const BLOCK_BYTES: usize = 256 << 10;

/// The core, and the block that its input lies in.
pub struct Native {
    broker: Broker,
    block: BytesMut,
    /// What the turn is about to tell, in order.
    told: Vec<(ConnectionId, usize)>,
    /// What was listed and will be told as sent with the next turn.
    sent: Vec<(ConnectionId, u32)>,
    now: Time,
}

impl Native {
    /// A broker of its own.
    pub fn new(config: Config) -> Self {
        let broker = Broker::new(config, Seed([7; 16]));
        let block = BytesMut::with_capacity(BLOCK_BYTES);
        Native { broker, block, told: Vec::new(), sent: Vec::new(), now: Time(1_700_000_000_000_000) }
    }

    /// The part that is counted: everything a driver asks of the core in one turn.
    #[inline(never)]
    fn counted_turn(&mut self) {
        for (conn, len) in self.sent.drain(..) {
            self.broker.handle(self.now, Input::Sent { conn, len });
        }
        for (conn, len) in self.told.drain(..) {
            let bytes = self.block.split_to(len).freeze();
            self.broker.handle(self.now, Input::Received { conn, bytes });
        }
        self.broker.handle(self.now, Input::Tick);
        while self.broker.poll().is_some() {}
        for conn in self.broker.ready() {
            self.sent.push((conn, 0));
        }
        for (conn, len) in &mut self.sent {
            *len = self.broker.outgoing(*conn).map(|slice| slice.len() as u32).sum();
        }
    }
}

impl Core for Native {
    fn open(&mut self, conn: ConnectionId) {
        let peer = Peer { listener: 0, address: "bench".into(), transport: Transport::Tcp, identity: None };
        self.broker.handle(self.now, Input::Opened { conn, peer });
    }

    fn room(&mut self) -> usize {
        if self.block.is_empty() && !self.block.try_reclaim(BLOCK_BYTES) {
            self.block = BytesMut::with_capacity(BLOCK_BYTES);
        }
        self.block.capacity() - self.block.len()
    }

    fn tell(&mut self, conn: ConnectionId, bytes: &[u8]) {
        self.block.extend_from_slice(bytes);
        self.told.push((conn, bytes.len()));
    }

    fn turn(&mut self, sink: &mut Sink<'_>) {
        self.now.0 += 1_000;
        self.counted_turn();
        assert!(!self.block.has_remaining(), "the turn took all");
        for (conn, _) in &self.sent {
            for slice in self.broker.outgoing(*conn) {
                sink(*conn, slice);
            }
        }
    }

    fn has_more(&self) -> bool {
        !self.sent.is_empty() || self.broker.deadline().is_some_and(|deadline| deadline <= self.now)
    }
}
