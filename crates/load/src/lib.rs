//! A load generator for MQTT brokers that is cheap enough not to be the bottleneck, and honest: it counts a message
//! when it was received and found right. One thread, one poll, packets encoded beforehand, one write for each
//! destination and turn; see `net`. Scenarios are listed in [`scenario`]; [`run()`] runs one of them.
//!
//! Three programs stand on it: `cargo xtask load` puts one scenario on any broker, `cargo xtask bench` compares ours
//! with mosquitto, `cargo xtask soak` looks for what only time shows.
#![forbid(unsafe_code)]

pub mod bench;
pub mod failure;
pub mod flow;
pub mod meter;
pub mod net;
pub mod packet;
pub mod process;
pub mod report;
pub mod retained;
pub mod run;
pub mod scenario;
pub mod setup;
pub mod soak;
pub mod websocket;

pub use failure::{Failure, Outcome};
pub use report::Report;
pub use run::{Options, run};
pub use scenario::{SCENARIOS, Scenario};
