//! What a workload needs of a core, whichever build of it: room for bytes, a turn, and what it has to send.

use wasmqtt_broker::ConnectionId;

/// Takes what the core sends on a connection.
pub type Sink<'a> = dyn FnMut(ConnectionId, &[u8]) + 'a;

/// A broker core in this process.
pub trait Core {
    /// A client's transport is there.
    fn open(&mut self, conn: ConnectionId);

    /// Bytes that fit before the next turn; 0 if only a turn makes room.
    fn room(&mut self) -> usize;

    /// These bytes came; they fit.
    fn tell(&mut self, conn: ConnectionId, bytes: &[u8]);

    /// Takes a turn with all that was told and gives away what it wants sent, which counts as sent with the next turn.
    fn turn(&mut self, sink: &mut Sink<'_>);

    /// Whether a turn is due with nothing more to tell.
    fn has_more(&self) -> bool;
}
