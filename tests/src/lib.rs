//! What spans crates: the corpus of scenarios under `tests/scenarios`, the targets that it is told to, and the helpers
//! that start real servers and real clients. The tests themselves stand in `tests/tests`.
#![forbid(unsafe_code)]

pub mod corpus;
pub mod server;
pub mod target;
