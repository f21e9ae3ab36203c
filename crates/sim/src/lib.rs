//! Stories about a broker, and what its clients saw.
//!
//! A *scenario* is a text file: who connects, subscribes and publishes, where a link breaks, how much time passes, and
//! below `---` the *transcript*, every packet that each client received. [`Scenario::parse`] reads such a file,
//! [`tell`] plays it against any build of the broker that implements [`Target`], and [`Transcript`] compares the answer
//! with the one in the file. A [`recording`] is the list of all that entered a broker. The crate does no I/O of its own
//! and reads no clock, so the same stories run in tests, in a page and
//! in the simulator.
#![forbid(unsafe_code)]

pub mod hunt;
pub mod luck;
pub mod oracle;
pub mod recording;
pub mod scenario;
pub mod sight;
pub mod stage;
pub mod story;
pub mod target;
pub mod transcript;
pub mod world;

pub use scenario::{ParseError, Scenario};
pub use story::{StoryError, tell};
pub use target::{LinkId, Notice, Received, StoreMode, Target, TargetError};
pub use transcript::Transcript;
