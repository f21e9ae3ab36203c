//! `cargo xtask`: the project's commands. People and CI run the same ones. This program itself compiles in seconds;
//! what takes long are the packages it runs, and it says so before it runs them.

mod build;
mod fuzz;
mod serve;
mod sim;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Build, run and test wasmqtt.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the server, with the broker guest inside, and leave it in the target folder.
    Build {
        /// Optimised, in the target folder's `release/`.
        #[arg(long)]
        release: bool,
    },
    /// Build the server and start it on 127.0.0.1:1883 (TCP) and 127.0.0.1:8083 (WebSocket).
    Serve {
        /// Optimised.
        #[arg(long)]
        release: bool,
        /// What follows goes to `wasmqtt serve`; see its `--help`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Install what the tests need and run all of them.
    Test {
        /// Only the tests whose name contains this; skips formatting, lints and builds for other targets.
        filter: Option<String>,
    },
    /// Simulate: broker, clients, links and faults drawn from seeds, judged by oracles; what is found is told as short
    /// as it can be.
    Sim {
        /// How many seeds.
        #[arg(long)]
        seeds: u64,
        /// The first seed.
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// How many threads; as many as there are cores if not given.
        #[arg(long)]
        threads: Option<u64>,
        /// Print all that is seen of each story that is told.
        #[arg(long)]
        tell: bool,
    },
    /// Look for inputs that break what must always hold: in codec, core, recordings, stories, transports.
    Fuzz(fuzz::Arguments),
    /// Check what no compiler checks: file lengths, stray files, what ARCHITECTURE.md names.
    Tidy,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Build { release } => build::server(release).map(|server| println!("{}", server.display())),
        Command::Serve { release, arguments } => serve::serve(release, &arguments),
        Command::Test { filter } => test::test(filter.as_deref()),
        Command::Sim { seeds, seed, threads, tell } => sim::sim(seeds, seed, threads, tell),
        Command::Fuzz(arguments) => fuzz::fuzz(&arguments),
        Command::Tidy => tidy::tidy(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("cargo xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}
