//! Looks for inputs that break what must always hold: the bodies of `crates/fuzz`, by its seeded runner or by
//! libFuzzer.

use std::process::Command;

use clap::Args;

use crate::tools::{self, Failure, Outcome, cargo, output, program, run};

/// The body that needs the server's transports, and with them wasmtime.
const WITH_HOST: &str = "transport";
/// Seconds for a body if nothing else is said.
const SECONDS: u64 = 60;
/// Inputs that only get slower beyond this.
const BYTES_MAX: u32 = 4_096;

/// What makes the compiler count which code an input reaches; all of it is there in the stable compiler.
const COVERAGE_FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing";

#[derive(Args)]
pub struct Arguments {
    /// Which body; all of them, one after the other, if none is named.
    body: Option<String>,
    /// Seconds for each body; 60 if neither this nor --runs is given.
    #[arg(long, value_name = "N", conflicts_with = "runs")]
    seconds: Option<u64>,
    /// Runs of each body.
    #[arg(long, value_name = "N")]
    runs: Option<u64>,
    /// Where the changes come from: the same seed, the same runs.
    #[arg(long, value_name = "S", conflicts_with = "coverage")]
    seed: Option<u64>,
    /// Run the body on this input alone, in hex digits, as a failure prints it.
    #[arg(long, value_name = "HEX", requires = "body")]
    input: Option<String>,
    /// Let libFuzzer watch which code an input reaches: it finds more, and needs a C++ compiler.
    #[arg(long, requires = "body", conflicts_with_all = ["runs", "input"])]
    coverage: bool,
}

pub fn fuzz(arguments: &Arguments) -> Outcome {
    let with_host = arguments.body.as_deref() == Some(WITH_HOST);
    if arguments.coverage {
        return coverage(arguments);
    }
    if !with_host {
        run(&mut seeded(arguments, false))?;
    }
    if with_host || arguments.body.is_none() {
        // In the profile that wasmtime is compiled in anyway.
        run(&mut seeded(arguments, true))?;
    }
    Ok(())
}

fn seeded(arguments: &Arguments, with_host: bool) -> Command {
    let mut command = cargo();
    command.args(["run", "--quiet", "--package", "wasmqtt-fuzz"]);
    command.args(if with_host { ["--features", "host"] } else { ["--profile", "fuzz"] }).arg("--");
    command.args(if with_host { Some(WITH_HOST) } else { arguments.body.as_deref() });
    let numbers = [("--seconds", arguments.seconds), ("--runs", arguments.runs), ("--seed", arguments.seed)];
    for (flag, number) in numbers {
        command.args(number.map(|number| format!("{flag}={number}")));
    }
    command.args(arguments.input.as_ref().map(|input| format!("--input={input}")));
    command
}

/// libFuzzer goes on with what it found interesting before; that stays in the target folder.
fn coverage(arguments: &Arguments) -> Outcome {
    let body = arguments.body.as_deref().unwrap_or_default();
    let folder = tools::target_dir().join("libfuzzer");
    let version = output(program("rustc").arg("-vV"))?;
    let triple = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    let mut build = cargo();
    // With a target of its own, the flags are for the fuzzed code and not for build scripts.
    build.args(["build", "--release", "--manifest-path", "fuzz/Cargo.toml", "--target", triple, "--bin", body]);
    run(build.arg("--target-dir").arg(&folder).env("RUSTFLAGS", COVERAGE_FLAGS))?;
    let corpus = folder.join("corpus").join(body);
    let found = folder.join("found").join(body);
    for folder in [&corpus, &found] {
        std::fs::create_dir_all(folder).map_err(|error| Failure::File { path: folder.clone(), error })?;
    }
    let mut seeds = cargo();
    seeds.args(["run", "--quiet", "--profile", "fuzz", "--package", "wasmqtt-fuzz", "--", body, "--seeds-into"]);
    run(seeds.arg(&corpus))?;
    let mut fuzzer = program(folder.join(triple).join("release").join(body));
    fuzzer.arg(&corpus).arg(format!("-max_total_time={}", arguments.seconds.unwrap_or(SECONDS)));
    fuzzer.arg(format!("-max_len={BYTES_MAX}")).arg(format!("-artifact_prefix={}/", found.display()));
    run(&mut fuzzer)
}
