//! host
pub mod auth;
pub mod clock;
pub mod config;
pub mod fault;
pub mod guest;
pub mod listen;
pub mod log;
pub mod module;
mod reactor;
pub mod server;
pub mod transport;
