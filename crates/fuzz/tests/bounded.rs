//! A bounded run of every body, always with the same seed: what `cargo xtask fuzz` does for longer. And the inputs that
//! once broke something, each with what it was.

use wasmqtt_fuzz::runner::{Until, run, to_hex};
use wasmqtt_fuzz::{BODIES, Body, body};

fn holds(name: &str, runs: u64) {
    let body = body(name).unwrap_or_else(|| panic!("there is a body {name}"));
    let report = run(body, 1, Until::Runs(runs));
    let _ = std::panic::take_hook();
    if let Some(failure) = report.failure {
        let shortest = to_hex(&failure.shortest);
        panic!("{}, at {}: cargo xtask fuzz {name} --input {shortest}", failure.said, failure.place);
    }
    assert_eq!(report.runs, runs);
}

#[test]
fn decode() {
    holds("decode", 20_000);
}

#[test]
fn encode() {
    holds("encode", 20_000);
}

#[test]
fn cut() {
    holds("cut", 500);
}

#[test]
fn inputs() {
    holds("inputs", 60);
}

#[test]
fn restore() {
    holds("restore", 60);
}

#[test]
fn recording() {
    holds("recording", 500);
}

#[test]
fn scenario() {
    holds("scenario", 600);
}

#[test]
fn every_body_has_a_bounded_run_and_seeds() {
    let bounded = include_str!("bounded.rs");
    // What needs the host is tested where the host is: `tests/tests/transport.rs`.
    for body in BODIES.iter().filter(|body| body.name != "transport") {
        assert!(bounded.contains(&format!("holds({:?}, ", body.name)), "{} has no test here", body.name);
        assert!((body.seeds)().len() > 2, "{} begins with nothing", body.name);
    }
}

/// The runner itself: it finds what is hidden, again from the same seed, and makes it short.
#[test]
fn the_runner_finds_and_shortens() {
    let body = Body {
        name: "test",
        what: "no input has a 7 behind a 9",
        run: |bytes| {
            let nine = bytes.iter().position(|byte| *byte == 9);
            assert!(!nine.is_some_and(|nine| bytes[nine..].contains(&7)), "a 7 behind a 9");
        },
        seeds: || vec![vec![1; 40]],
        bytes_max: 100,
    };
    let first = run(&body, 5, Until::Runs(1_000_000));
    let again = run(&body, 5, Until::Runs(1_000_000));
    let _ = std::panic::take_hook();
    let failure = first.failure.expect("it is found");
    assert_eq!(failure.shortest, [9, 7]);
    assert_eq!(failure.said, "a 7 behind a 9");
    assert_eq!(again.failure.map(|failure| failure.found), Some(failure.found));
}
