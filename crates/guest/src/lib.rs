//! The broker core as a WASI reactor for wasm32-wasip1. It knows no MQTT: it carries the host's entries into the
//! [`Broker`](wasmqtt_broker::Broker) and what the broker wants back into tables (`wasmqtt_abi` describes them).
//!
//! - `exports` are the four functions that the host calls;
//! - `bridge` is the memory that both sides write: the only `unsafe` of this project's guest side;
//! - `turn` is one step: entries in, `Tick`, outputs and rows out.
//!
//! The guest has no clock and no entropy: time comes with `step`, the seed with `configure`.
//!
//! On any target but wasm there is `native` instead of `bridge` and `exports`: the same turns on the same core without
//! a sandbox around them, so that its price can be measured.

#[cfg(target_family = "wasm")]
mod bridge;
#[cfg(target_family = "wasm")]
mod exports;
#[cfg(not(target_family = "wasm"))]
pub mod native;
mod turn;
