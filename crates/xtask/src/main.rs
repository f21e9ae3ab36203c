//! `cargo xtask`: the project's commands. People and CI run the same ones. This program itself compiles in seconds;
//! what takes long are the packages it runs, and it says so before it runs them.

mod build;
mod count;
mod fuzz;
mod load;
mod serve;
mod sim;
mod statements;
mod test;
mod tidy;
mod tools;
mod www;

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
    /// Build the server and start it on 127.0.0.1:1883 (TCP), 127.0.0.1:8083 (WebSocket) and 127.0.0.1:8080 (the page).
    Serve {
        /// Optimised.
        #[arg(long)]
        release: bool,
        /// What follows goes to `wasmqtt serve`; see its `--help`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Show the normative statements of the standards with the code that carries and the tests that prove each.
    Statements(statements::Options),
    /// Put load on any MQTT broker and measure it; `load --list` shows the scenarios.
    #[command(disable_help_flag = true)]
    Load {
        /// See `cargo xtask load --help`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Compare the server with Debian's mosquitto, paired and interleaved; `--write` renews docs/performance.md.
    /// `bench web [ROW...]` measures the npm package in Chromium instead, `bench stage` the simulator's Stage.
    #[command(disable_help_flag = true)]
    Bench {
        /// See `cargo xtask bench --help`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Count the instructions that messages cost in the core, and compare them with the kept figures.
    Count {
        /// Keep the new figures.
        #[arg(long)]
        write: bool,
    },
    /// Put the server under 10,000 clients for 10 minutes, and judge memory, losses and latency.
    #[command(disable_help_flag = true)]
    Soak {
        /// See `cargo xtask soak --help`.
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
    /// Build what pages need: the core for the browser, the npm package and the site.
    Www,
    /// Build the Stage for the simulator.
    Stage,
    /// Check what no compiler checks: file lengths, stray files, what ARCHITECTURE.md names.
    Tidy,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Build { release } => build::server(release).map(|server| println!("{}", server.display())),
        Command::Serve { release, arguments } => serve::serve(release, &arguments),
        Command::Statements(options) => statements::statements(&options),
        Command::Load { arguments } => load::load(&arguments),
        Command::Bench { arguments } => match arguments.split_first() {
            Some((first, rows)) if first == "web" => www::bench(rows),
            Some((first, [])) if first == "stage" => www::bench_stage(),
            _ => load::bench(&arguments),
        },
        Command::Count { write } => count::count(write),
        Command::Soak { arguments } => load::soak(&arguments),
        Command::Test { filter } => test::test(filter.as_deref()),
        Command::Sim { seeds, seed, threads, tell } => sim::sim(seeds, seed, threads, tell),
        Command::Fuzz(arguments) => fuzz::fuzz(&arguments),
        Command::Www => www::site(),
        Command::Stage => www::stage(),
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
