//! What carries the broker's bytes. A TCP connection carries them as they are; a WebSocket packs them into frames. Both
//! are plain state over a stream that never waits: they keep what a short write left over, and know no MQTT.

pub mod websocket;

mod handshake;
mod tcp;

pub use handshake::{Handshake, HandshakeRefusal, Progress, UpgradeRules};
pub(crate) use tcp::{write_all_slices, write_some};

/// What became of writing a connection's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Written {
    /// How many of the broker's bytes the transport took.
    pub payload_bytes: usize,
    /// Whether it takes no more for now.
    pub blocked: bool,
}
