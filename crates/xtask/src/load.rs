//! The commands that put load on brokers. The program is `wasmqtt-load`, a package of its own; here it is built and
//! given what it needs.

use std::path::PathBuf;

use crate::tools::{self, Outcome, cargo, run};

/// Builds the load generator, optimised, and says where it is.
fn program() -> Outcome<PathBuf> {
    run(cargo().args(["build", "--quiet", "--release", "--package", "wasmqtt-load"]))?;
    Ok(tools::target_dir().join("release/wasmqtt-load"))
}

/// Runs one scenario against any broker.
pub fn load(arguments: &[String]) -> Outcome {
    let program = program()?;
    tools::become_program(tools::program(&program).arg("load").args(arguments))
}
