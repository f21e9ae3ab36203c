//! What must hold whatever bytes come, as plain functions of bytes that panic when it doesn't: [`BODIES`].
//!
//! Two drivers call them. [`runner`] runs on stable: it begins with inputs that mean something, changes them from a
//! seed, and makes a failing one as short as it can; `cargo xtask fuzz` and the tests of this crate use it. The folder
//! `fuzz/` in the root has the same bodies as targets for libFuzzer, which watches which code an input reaches and
//! finds more.
//!
//! Bodies that play a story to a broker read the bytes as *choices* ([`choices`], [`world`]): which client does what
//! next, and how. A change of a byte is then another story and seldom nonsense; nonsense is a choice too.
#![forbid(unsafe_code)]

pub mod bodies;
pub mod choices;
pub mod packets;
pub mod runner;
pub mod same;
pub mod seeds;
pub mod world;

/// Something that must hold for all bytes.
#[derive(Clone, Copy)]
pub struct Body {
    /// Its name on the command line.
    pub name: &'static str,
    /// What must hold.
    pub what: &'static str,
    /// Panics if it doesn't.
    pub run: fn(&[u8]),
    /// Inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Bytes beyond which an input only gets slower.
    pub bytes_max: usize,
}

/// All bodies. Those of the server's transports are there with the feature `host`.
pub const BODIES: &[Body] = &[
    Body {
        name: "decode",
        what: "decoding anything never panics, and describe agrees with it bit by bit",
        run: bodies::codec::decode,
        seeds: seeds::packets,
        bytes_max: 512,
    },
    Body {
        name: "encode",
        what: "decoding what was encoded gives the same packet",
        run: bodies::codec::encode,
        seeds: seeds::packets,
        bytes_max: 512,
    },
    Body {
        name: "cut",
        what: "any cut of a stream gives the outputs of one piece",
        run: bodies::cut::run,
        seeds: seeds::streams,
        bytes_max: 2_048,
    },
    Body {
        name: "inputs",
        what: "any list of inputs keeps the invariants",
        run: bodies::inputs::run,
        seeds: seeds::choices,
        bytes_max: 4_096,
    },
    Body {
        name: "restore",
        what: "restoring the records gives the state that wrote them",
        run: bodies::restore::run,
        seeds: seeds::choices,
        bytes_max: 4_096,
    },
    Body {
        name: "recording",
        what: "reading, showing, replaying and masking any file never panics",
        run: bodies::recording::run,
        seeds: seeds::recordings,
        bytes_max: 4_096,
    },
    Body {
        name: "scenario",
        what: "parsing any story never panics",
        run: bodies::scenario::run,
        seeds: seeds::scenarios,
        bytes_max: 4_096,
    },
    #[cfg(feature = "host")]
    Body {
        name: "transport",
        what: "any WebSocket or HTTP upgrade bytes give the same however they are cut, in bounded memory",
        run: bodies::transport::run,
        seeds: seeds::transports,
        bytes_max: 16_384,
    },
];

/// The body of this name.
#[must_use]
pub fn body(name: &str) -> Option<&'static Body> {
    BODIES.iter().find(|body| body.name == name)
}

/// Runs the body of this name.
///
/// # Panics
/// If it doesn't hold, and if there is no such body.
pub fn run(name: &str, bytes: &[u8]) {
    let body = body(name).unwrap_or_else(|| panic!("there is no body {name}"));
    (body.run)(bytes);
}
