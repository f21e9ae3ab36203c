//! The builds of the broker that stories are told to. Each implements [`wasmqtt_sim::Target`] and nothing else; what
//! they share, a driver with a virtual clock, is written once.

pub mod browser;
pub mod driver;
pub mod guest;
pub mod host;
pub mod native;
