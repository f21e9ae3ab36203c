//! The bodies, one thing that must hold in each. They panic when it doesn't, and know nothing of who calls them.

pub mod codec;
pub mod cut;
pub mod inputs;
pub mod recording;
pub mod restore;
pub mod scenario;
#[cfg(feature = "host")]
pub mod transport;
