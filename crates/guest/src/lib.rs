//! The broker core as a WASI reactor for wasm32-wasip1. It knows no MQTT: it carries the host's entries into the
//! [`Broker`](wasmqtt_broker::Broker) and what the broker wants back into tables (`wasmqtt_abi` describes them).
//!
//! - `exports` are the four functions that the host calls;
//! - `bridge` is the memory that both sides write: the only `unsafe` of this project's guest side;
//! - `turn` is one step: entries in, `Tick`, outputs and rows out.
//!
//! The guest has no clock and no entropy: time comes with `step`, the seed with `configure`. On any target but wasm
//! this crate is empty, so that a native build of the whole workspace works.
#![cfg(target_family = "wasm")]

mod bridge;
mod exports;
mod turn;
