//! The host of wasmqtt: it carries bytes between sockets and the broker, which runs as a WebAssembly guest. It parses
//! no MQTT; what it knows of the protocol is the core's door (`wasmqtt_broker::{Input, Output}`).
//!
//! ```text
//!   sockets <-> reactor <-> guest.rs <-> the guest's memory and its `step`
//!                  |
//!                  +-- transport: TCP as it is, WebSocket frames
//!                  +-- auth: questions of the core, answered on other threads
//! ```
//!
//! - [`server`] starts and stops all of it; the program and the tests use the same.
//! - [`guest`] runs one guest and checks every pointer that it gives; [`module`] finds and compiles its code; [`fault`]
//!   names what it can do wrong.
//! - [`virtual_guest`] drives a guest without sockets, with the caller's own clock.
//! - [`config`], [`auth`], [`listen`], [`log`] and [`clock`] are what an operator sees.
//!
//! ```no_run
//! use wasmqtt_host::server::{Server, ServerOptions};
//!
//! let running = Server::start(ServerOptions::default())?;
//! println!("{}", running.addresses()[0]);
//! running.stop();
//! running.join()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod auth;
pub mod clock;
pub mod config;
pub mod entries;
pub mod fault;
pub mod guest;
pub mod listen;
pub mod log;
pub mod module;
#[cfg(feature = "native-core")]
mod native;
mod reactor;
pub mod server;
pub mod transport;
pub mod virtual_guest;
