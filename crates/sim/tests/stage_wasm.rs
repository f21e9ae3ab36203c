//! The same scenario and the same commands give the same log, byte by byte, here and in the wasm that pages load. Node
//! runs that; `cargo xtask stage` builds it and then runs this test.

mod stage_runs;

use std::io::Write;
use std::process::{Command as Program, Stdio};

use stage_runs::{command, scenario};
use wasmqtt_sim::luck::Luck;
use wasmqtt_sim::stage::{Command, History, Scenario, text};

const SEEDS: u64 = 20;

/// One thing that is done to the Stage, as the script of Node reads it.
enum Deed {
    Until(u64),
    Step,
    Command(String),
    Seek(u64),
}

impl Deed {
    fn to_json(&self) -> serde_json::Value {
        match self {
            Deed::Until(us) => serde_json::json!(["runUntil", us]),
            Deed::Step => serde_json::json!(["step"]),
            Deed::Command(command) => serde_json::json!(["command", command]),
            Deed::Seek(n) => serde_json::json!(["seek", n]),
        }
    }
}

/// A run, and what it gave here.
fn run(seed: u64) -> (serde_json::Value, String) {
    let mut luck = Luck::of(seed, 3);
    let scenario = scenario(&mut luck, seed);
    let mut history = History::new(Scenario::parse(&scenario).expect("it is one"));
    let mut deeds = Vec::new();
    for round in 0..80 {
        let deed = match luck.below(5) {
            0 => Deed::Step,
            1 | 2 => Deed::Until(history.playhead().at + luck.below(900_000)),
            3 if round > 60 && luck.chance(30) => Deed::Seek(luck.below(history.log().len().max(1) as u64)),
            _ => Deed::Command(command(&mut luck)),
        };
        match &deed {
            Deed::Until(us) => history.run_until(*us),
            Deed::Step => drop(history.step()),
            // What is refused here has to be refused there.
            Deed::Command(command) => drop(history.command(Command::parse(command).expect("it is one"))),
            Deed::Seek(n) => drop(history.seek(Some(*n))),
        }
        deeds.push(deed.to_json());
    }
    let log: Vec<String> = history.log().iter().map(|entry| entry.to_json()).collect();
    let all = format!("[{}]\n{}{}\n", log.join(","), text(history.past()), history.branches().len());
    (serde_json::json!({ "scenario": scenario, "deeds": deeds }), all)
}

#[test]
#[ignore = "needs what `cargo xtask stage` builds"]
fn the_wasm_gives_the_same_log() {
    let runs: Vec<_> = (0..SEEDS).map(run).collect();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../www/simulator/test/same-log.mjs");
    let mut node = Program::new("node");
    let mut node = node.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("node is installed");
    let asked: Vec<_> = runs.iter().map(|(asked, _)| asked).collect();
    let asked = serde_json::to_string(&asked).expect("it is JSON");
    // Node reads all before it writes anything.
    node.stdin.take().expect("it is piped").write_all(asked.as_bytes()).expect("node reads");
    let done = node.wait_with_output().expect("node ends");
    assert!(done.status.success());
    let here: String = runs.iter().map(|(_, given)| given.as_str()).collect();
    let there = String::from_utf8(done.stdout).expect("it is text");
    assert!(here.len() > 100_000, "little happens: {} bytes", here.len());
    let differs = here.lines().zip(there.lines()).find(|(here, there)| here != there);
    assert_eq!(differs, None);
    assert_eq!(here.len(), there.len());
}
