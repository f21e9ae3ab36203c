//! `cargo xtask fuzz`: runs bodies on what comes of a seed, or one body on one input. Exit code 1 is a failure found,
//! 2 a mistake in the arguments.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use wasmqtt_fuzz::runner::{Failure, Report, Until, examine, from_hex, run, to_hex};
use wasmqtt_fuzz::{BODIES, Body, body};

/// Seconds for each body if nothing else is said.
const SECONDS: u64 = 60;

/// Look for inputs that break what must always hold.
#[derive(Parser)]
#[command(name = "cargo xtask fuzz", bin_name = "cargo xtask fuzz", version)]
struct Arguments {
    /// Which body; all of them, one after the other, if none is named
    body: Option<String>,
    /// Seconds for each body; 60 if neither this nor --runs is given
    #[arg(long, value_name = "N", conflicts_with = "runs")]
    seconds: Option<u64>,
    /// Runs of each body
    #[arg(long, value_name = "N")]
    runs: Option<u64>,
    /// Where the changes come from: the same seed, the same runs
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Run the body on this input alone, in hex digits, as a failure prints it
    #[arg(long, value_name = "HEX", requires = "body", conflicts_with_all = ["seconds", "runs"])]
    input: Option<String>,
    /// Write the inputs that the body begins with into this folder, a file each, and run nothing
    #[arg(long, value_name = "FOLDER", requires = "body", conflicts_with_all = ["seconds", "runs", "input"])]
    seeds_into: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let wanted: Vec<&Body> = match &arguments.body {
        None => BODIES.iter().collect(),
        Some(name) => match body(name) {
            Some(body) => vec![body],
            None => {
                let names: Vec<&str> = BODIES.iter().map(|body| body.name).collect();
                return wrong(&format!("found the body {name:?}; allowed: {}", names.join(", ")));
            }
        },
    };
    if let Some(hex) = &arguments.input {
        let Some(input) = from_hex(hex) else { return wrong("--input: found something else than pairs of hex digits") };
        return once(wanted[0], &input);
    }
    if let Some(folder) = &arguments.seeds_into {
        return match write_seeds(wanted[0], folder) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => wrong(&format!("{}: {error}", folder.display())),
        };
    }
    let until = match arguments.runs {
        Some(runs) => Until::Runs(runs),
        None => Until::Time(Duration::from_secs(arguments.seconds.unwrap_or(SECONDS))),
    };
    let mut code = ExitCode::SUCCESS;
    for body in wanted {
        let report = run(body, arguments.seed, until);
        print(body, arguments.seed, &report);
        if report.failure.is_some() {
            code = ExitCode::FAILURE;
        }
    }
    code
}

fn wrong(message: &str) -> ExitCode {
    eprintln!("cargo xtask fuzz: {message}");
    ExitCode::from(2)
}

fn write_seeds(body: &Body, folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let seeds = (body.seeds)();
    (0..).zip(&seeds).try_for_each(|(number, seed)| std::fs::write(folder.join(format!("seed-{number:04}")), seed))
}

fn once(body: &Body, input: &[u8]) -> ExitCode {
    match examine(body, input) {
        None => {
            println!("{}: it holds for these {} bytes", body.name, input.len());
            ExitCode::SUCCESS
        }
        Some(failure) => {
            print_failure(body, &failure);
            ExitCode::FAILURE
        }
    }
}

fn print(body: &Body, seed: u64, report: &Report) {
    let per_second = report.runs as f64 / report.took.as_secs_f64().max(1e-9);
    println!(
        "{:<10} {:>10} runs in {:.1} s, {per_second:.0} runs/s, slowest {:.1} ms: {}",
        body.name,
        report.runs,
        report.took.as_secs_f64(),
        report.slowest.as_secs_f64() * 1e3,
        body.what
    );
    if let Some(failure) = &report.failure {
        println!("FAILED     seed {seed}, run {}", failure.run);
        print_failure(body, failure);
    }
}

fn print_failure(body: &Body, failure: &Failure) {
    let Failure { found, shortest, place, said, .. } = failure;
    println!("           at {place}: {said}");
    println!("           input of {} bytes, the shortest found has {}:", found.len(), shortest.len());
    println!("           cargo xtask fuzz {} --input {}", body.name, to_hex(shortest));
}
