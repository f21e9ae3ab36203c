//! The commands that put load on brokers. The program is `wasmqtt-load`, a package of its own; here it is built and
//! given what it needs.

use std::path::PathBuf;

use crate::build;
use crate::tools::{self, Outcome, cargo, run};

/// Builds the load generator, optimised, and says where it is.
fn program() -> Outcome<PathBuf> {
    run(cargo().args(["build", "--quiet", "--release", "--package", "wasmqtt-load"]))?;
    Ok(tools::target_dir().join("release/wasmqtt-load"))
}

/// Builds our server and compares it with Debian's mosquitto.
pub fn bench(arguments: &[String]) -> Outcome {
    let program = program()?;
    let is_measured = !arguments.iter().any(|argument| matches!(argument.as_str(), "--help" | "-h" | "--last"));
    let mut command = tools::program(&program);
    command.arg("bench").args(arguments);
    if is_measured {
        tools::debian_packages(&[("mosquitto", "mosquitto"), ("taskset", "util-linux")])?;
        let guest = build::guest(true)?;
        // Of the two builds under one name the usual one comes last, and stays.
        command.arg("--native").arg(build::server_without_sandbox(&guest)?);
        command.arg("--in-process").arg(build::in_process_load(&guest)?).arg("--guest").arg(&guest.wasm);
        build::server(true)?;
    }
    tools::become_program(&mut command)
}

/// Builds our server and lets thousands of clients at it for minutes.
pub fn soak(arguments: &[String]) -> Outcome {
    let program = program()?;
    let is_ours = !arguments.iter().any(|argument| matches!(argument.as_str(), "--help" | "-h" | "--addr"));
    if is_ours {
        build::server(true)?;
    }
    tools::become_program(tools::program(&program).arg("soak").args(arguments))
}

/// Runs one scenario against any broker.
pub fn load(arguments: &[String]) -> Outcome {
    let program = program()?;
    tools::become_program(tools::program(&program).arg("load").args(arguments))
}
