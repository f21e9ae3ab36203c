//! `cargo xtask sim`: runs the World on many seeds, in release. The program that does it belongs to `crates/sim`.

use crate::tools::{Outcome, cargo, run};

/// Builds the program and runs it.
pub fn sim(seeds: u64, first: u64, threads: Option<u64>, tell: bool) -> Outcome {
    let mut command = cargo();
    command.args(["run", "--quiet", "--release", "--package", "wasmqtt-sim", "--bin", "wasmqtt-sim", "--"]);
    command.args(["--seeds", &seeds.to_string(), "--seed", &first.to_string()]);
    if let Some(threads) = threads {
        command.args(["--threads", &threads.to_string()]);
    }
    if tell {
        command.arg("--tell");
    }
    run(&mut command)
}
