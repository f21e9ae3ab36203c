//! The wasmqtt broker core: MQTT 3.1, 3.1.1 and 5.0 as a value.
//!
//! A [`Broker`] takes one [`Input`] at a time and gives back bytes to send, [`Output`]s to carry out and the time of
//! its next deadline. It owns no socket, clock, thread or entropy, so the same inputs give the same bytes on a server,
//! in a tab and in a WASI guest, and a list of inputs is a recording. Whoever carries inputs in and outputs out is a
//! *driver*; a driver knows nothing of MQTT.
//!
//! A driver's turn is: inputs as they came, [`Input::Tick`] last, then outputs and bytes. A whole one:
//!
//! ```
//! use wasmqtt_broker::{Broker, Config, ConnectionId, Input, Peer, Seed, Time, Transport};
//!
//! let config = Config { sys_interval_s: 0, ..Config::default() };
//! let mut broker = Broker::new(config, Seed([7; 16]));
//! let conn = ConnectionId { slot: 0, generation: 0 };
//! let peer = Peer { listener: 0, address: "page".into(), transport: Transport::Local, identity: None };
//! let now = Time(1_700_000_000_000_000);
//!
//! // A client connects: MQTT 3.1.1, Clean Session, Keep Alive 60 s, Client Identifier "a".
//! let connect = [0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0, 1, b'a'];
//! broker.handle(now, Input::Opened { conn, peer });
//! broker.handle(now, Input::Received { conn, bytes: connect.to_vec().into() });
//! broker.handle(now, Input::Tick);
//!
//! while let Some(_output) = broker.poll() { /* close, ask, append, log ... */ }
//! let ready: Vec<ConnectionId> = broker.ready().collect();
//! for conn in ready {
//!     let bytes: Vec<u8> = broker.outgoing(conn).flatten().copied().collect();
//!     assert_eq!(bytes, [0x20, 2, 0, 0]); // CONNACK: accepted, no Session present
//!     broker.handle(now, Input::Sent { conn, len: bytes.len() as u32 });
//! }
//! // Nothing for one and a half times the Keep Alive would be the end of the connection.
//! assert_eq!(broker.deadline(), Some(now.plus_s(90)));
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod again;
mod ahead;
mod alias;
mod authentication;
mod bridge;
mod bridge_config;
mod bridge_message;
mod bridge_speak;
mod broker;
mod by_number;
mod check;
mod command;
mod config;
mod connect;
mod connection;
mod door;
mod durable;
mod edges;
mod end;
mod error;
mod explain;
mod filter_tree;
mod frames;
mod id;
mod inflight;
mod inspect;
mod level;
mod message;
mod outbox;
mod patience;
mod permission;
mod publish;
mod queue;
mod reader;
mod record;
mod restore;
mod retained;
mod rng;
mod route;
mod saved;
mod send;
mod session;
mod shared;
mod slab;
mod subscribe;
mod sys;
mod text;
mod time;
mod timers;
mod topic_tree;
mod trace;
mod will;

pub use bridge_config::{BridgeConfig, BridgeEnd, BridgeError, BridgeTopic, BridgeView, Direction, HOPS};
pub use broker::{Broker, LoadError};
pub use check::Broken;
pub use config::{Allowed, Authentication, Config, Limits, Permissions, Rules, Storage};
pub use door::{
    CloseReason, Command, DropReason, Event, Grant, Input, Output, Peer, Question, Reply, SessionEnd, Transport,
    Verdict,
};
pub use error::{Fault, Refusal, Violation};
pub use id::{BridgeId, CommandId, ConnectionId, Lsn, QuestionId, Seed};
pub use inspect::{Awaits, Counters, InFlightView, MessageView, Page, SessionView, Subject, SubscriptionView};
pub use message::Message;
pub use reader::read;
pub use record::{Entry, QueuedFor, Record, Stored};
pub use restore::RestoreError;
pub use session::Will;
pub use time::Time;
pub use trace::{Delivery, NotDelivered, Trace};
pub use wasmqtt_codec as codec;
