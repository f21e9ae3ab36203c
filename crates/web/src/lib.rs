//! The broker core for JavaScript. It knows no MQTT: it carries what happens in a page into the
//! [`Broker`](wasmqtt_broker::Broker) and what the broker wants back out, with one copy of the bytes each way.
//!
//! - `core` is the broker behind its door, turn by turn;
//! - `client` is the project's own MQTT client, for helpers of a page that has no other;
//! - `packets` cuts a stream into packets, for people who look on; `fields` (feature `describe`, which the npm package
//!   doesn't pay for) names every field of one;
//! - `runtime` is what else comes with the standard library;
//! - `stage` (feature `sim`) is the simulator's World, which has a broker of its own; its wasm has nothing else.
//!
//! Clock and entropy are the page's: time comes with `begin`, the seed with the constructor. A turn is
//!
//! ```text
//! core.begin(now_us);
//! core.received(slot, generation, bytes); ...            // what happened since the last turn
//! const ready = core.end();                              // fires timers; connections with something to send
//! for (let output; (output = core.poll()) !== undefined;) ...
//! for (each slot, generation of ready) core.outgoing(slot, generation, bytes_max);   // answered by core.sent(...)
//! ```

#![cfg_attr(all(target_arch = "wasm32", not(feature = "sim")), no_std)]

extern crate alloc;

#[cfg(feature = "broker")]
mod client;
#[cfg(feature = "broker")]
mod core;
#[cfg(feature = "describe")]
mod fields;
#[cfg(any(feature = "broker", feature = "describe"))]
mod object;
#[cfg(feature = "broker")]
mod packets;
#[cfg(all(target_arch = "wasm32", not(feature = "sim")))]
mod runtime;
#[cfg(feature = "sim")]
mod stage;
