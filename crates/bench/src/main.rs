//! `wasmqtt-bench`: fixed workloads on the core, in this process and without sockets, because a socket's noise hides
//! what ten nanoseconds do. `time` prints nanoseconds a delivery, native and, if a guest is given, under wasmtime;
//! `count` plays one workload a fixed number of rounds for an instruction counter such as callgrind.

mod core;
#[cfg(feature = "guest")]
mod guest;
mod native;
mod packets;
mod run;
mod workload;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::core::Core;
use crate::native::Native;
use crate::run::Run;
use crate::workload::Workload;

#[derive(Parser)]
#[command(name = "wasmqtt-bench", about = "Fixed workloads on the broker core, without sockets")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print nanoseconds per delivery
    Time {
        /// Also run this guest, side by side with the native core
        #[arg(long, value_name = "FILE.wasm")]
        guest: Option<PathBuf>,
        /// Print one JSON object a workload instead of a table
        #[arg(long)]
        json: bool,
        /// Messages delivered in each of the five runs that the median is of
        #[arg(long, default_value_t = 500_000)]
        deliveries: u64,
        /// Workloads by the beginning of their names; all if none is named
        workloads: Vec<String>,
    },
    /// Play a workload for an instruction counter
    Count {
        /// The workload
        workload: String,
        /// How many rounds
        #[arg(long, default_value_t = 4)]
        rounds: u32,
    },
    /// List the workloads, each with the deliveries of one round
    List,
}

/// Runs of which the median is taken, native and guest in turn.
const RUNS: usize = 5;

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Time { guest, json, deliveries, workloads } => {
            chosen(&workloads).and_then(|chosen| time(&chosen, guest, json, deliveries))
        }
        Command::Count { workload, rounds } => named(&workload).map(|workload| count(&workload, rounds)),
        Command::List => {
            Workload::all().iter().for_each(|workload| println!("{} {}", workload.name, workload.messages()));
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("wasmqtt-bench: {message}");
            ExitCode::from(2)
        }
    }
}

fn unknown(name: &str) -> String {
    let names: Vec<_> = Workload::all().iter().map(|workload| workload.name).collect();
    format!("found no workload {name}; allowed: {}", names.join(", "))
}

fn named(name: &str) -> Result<Workload, String> {
    Workload::all().into_iter().find(|workload| workload.name == name).ok_or_else(|| unknown(name))
}

fn chosen(names: &[String]) -> Result<Vec<Workload>, String> {
    let all = Workload::all();
    for name in names {
        if !all.iter().any(|workload| workload.name.starts_with(&**name)) {
            return Err(unknown(name));
        }
    }
    let is_chosen =
        |workload: &Workload| names.is_empty() || names.iter().any(|name| workload.name.starts_with(&**name));
    Ok(all.into_iter().filter(is_chosen).collect())
}

fn count(workload: &Workload, rounds: u32) {
    let mut run = Run::new(workload, Native::new(run::config()));
    // The first rounds let buffers grow.
    run.round();
    run.round();
    counted_rounds(&mut run, rounds);
}

/// Under this name the counter is switched on.
#[inline(never)]
fn counted_rounds(run: &mut Run<Native>, rounds: u32) {
    (0..rounds).for_each(|_| run.round());
}

fn time(workloads: &[Workload], guest: Option<PathBuf>, json: bool, deliveries: u64) -> Result<(), String> {
    if !json {
        println!("{:<20} {:>10} {:>10} {:>8}", "ns per delivery", "native", "guest", "ratio");
    }
    for workload in workloads {
        let mut native = Timed::new(Run::new(workload, Native::new(run::config())), workload, deliveries);
        let mut other = match &guest {
            Some(path) => Some(Timed::new(Run::new(workload, guest_core(path)?), workload, deliveries)),
            None => None,
        };
        for _ in 0..RUNS {
            native.run();
            if let Some(other) = &mut other {
                other.run();
            }
        }
        let (native, other) = (native.median(), other.map(|mut other| other.median()));
        if json {
            let guest = other.map_or("null".to_owned(), |other| format!("{other:.1}"));
            println!(r#"{{"workload":"{}","native_ns":{native:.1},"guest_ns":{guest}}}"#, workload.name);
        } else {
            let show = |figure: Option<f64>| figure.map_or("-".to_owned(), |figure| format!("{figure:.2}"));
            let ratio = other.map(|other| other / native);
            println!("{:<20} {native:>10.1} {:>10} {:>8}", workload.name, show(other), show(ratio));
        }
    }
    Ok(())
}

#[cfg(feature = "guest")]
fn guest_core(path: &std::path::Path) -> Result<guest::Guest, String> {
    guest::Guest::new(path, &run::config())
}

#[cfg(not(feature = "guest"))]
fn guest_core(_: &std::path::Path) -> Result<Native, String> {
    Err("this build has no wasmtime in it; allowed: a build with --features guest".into())
}

/// Rounds of a workload, timed in pieces.
struct Timed<C> {
    run: Run<C>,
    rounds: u64,
    deliveries: u64,
    figures: Vec<f64>,
}

impl<C: Core> Timed<C> {
    fn new(mut run: Run<C>, workload: &Workload, deliveries: u64) -> Self {
        let rounds = (deliveries / workload.messages()).max(1);
        run.round();
        Timed { run, rounds, deliveries: rounds * workload.messages(), figures: Vec::new() }
    }

    fn run(&mut self) {
        let before = self.run.taken();
        (0..self.rounds).for_each(|_| self.run.round());
        let taken: Duration = self.run.taken() - before;
        self.figures.push(taken.as_nanos() as f64 / self.deliveries as f64);
    }

    fn median(&mut self) -> f64 {
        self.figures.sort_by(f64::total_cmp);
        self.figures[self.figures.len() / 2]
    }
}
