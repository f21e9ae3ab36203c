//! `wasmqtt-sim --seeds N [--seed S] [--threads T] [--recordings FOLDER] [--tell]`: runs the World on seeds S to
//! S + N - 1, prints what it found and writes recordings of it, into `target/sim` if no folder is named; with `--tell`
//! also all that was seen of the shortest stories. `cargo xtask sim` runs this program in release.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use wasmqtt_sim::hunt::{self, Find, Sum};
use wasmqtt_sim::sight::Sight;
use wasmqtt_sim::world::{self, faults::KINDS};

/// Finds that are shortened and told in full; more are only counted.
const TOLD_MAX: usize = 5;
/// Seeds that a thread takes at a time.
const BATCH: u64 = 50;

struct Arguments {
    first: u64,
    seeds: u64,
    threads: u64,
    /// Where recordings of finds go.
    recordings: PathBuf,
    /// Print all that is seen of the shortest story.
    tell: bool,
}

fn arguments() -> Result<Arguments, String> {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let mut arguments = Arguments { first: 0, seeds: 0, threads: cores, tell: false, recordings: "target/sim".into() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if word == "--tell" {
            arguments.tell = true;
            continue;
        }
        if word == "--recordings" {
            arguments.recordings = words.next().ok_or("--recordings needs a folder")?.into();
            continue;
        }
        let target = match word.as_str() {
            "--seeds" => &mut arguments.seeds,
            "--seed" => &mut arguments.first,
            "--threads" => &mut arguments.threads,
            other => {
                return Err(format!(
                    "{other}: unknown; allowed are --seeds N, --seed S, --threads T, --recordings FOLDER, --tell"
                ));
            }
        };
        let value = words.next().ok_or_else(|| format!("{word} needs a number"))?;
        *target = value.parse().map_err(|_| format!("{word} {value}: not a whole number from 0 to {}", u64::MAX))?;
    }
    if arguments.seeds == 0 || arguments.threads == 0 {
        return Err("--seeds N with N from 1 is needed, and --threads T with T from 1 if given".into());
    }
    if arguments.first.checked_add(arguments.seeds).is_none() {
        return Err("--seed and --seeds together go beyond the last seed".into());
    }
    Ok(arguments)
}

fn main() -> ExitCode {
    match arguments() {
        Ok(arguments) if run(&arguments) == 0 => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("wasmqtt-sim: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs all seeds; gives how many found something.
fn run(arguments: &Arguments) -> u64 {
    let begun = Instant::now();
    let next = AtomicU64::new(arguments.first);
    let end = arguments.first + arguments.seeds;
    let sum = Mutex::new(Sum::default());
    let finds: Mutex<Vec<Find>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads {
            scope.spawn(|| {
                loop {
                    let from = next.fetch_add(BATCH, Ordering::Relaxed);
                    if from >= end {
                        return;
                    }
                    batch(from..end.min(from + BATCH), arguments, &sum, &finds, begun);
                }
            });
        }
    });
    let sum = sum.into_inner().expect("no thread panics with it in hand");
    println!("{}", summary(&sum, begun));
    sum.found
}

fn batch(
    seeds: std::ops::Range<u64>,
    arguments: &Arguments,
    sum: &Mutex<Sum>,
    finds: &Mutex<Vec<Find>>,
    begun: Instant,
) {
    let mut mine = Sum::default();
    for seed in seeds {
        let (plan, outcome) = hunt::try_seed(seed);
        mine.add(&outcome);
        let Some(objection) = outcome.objection else { continue };
        let told = finds.lock().expect("no thread panics with it in hand").len();
        if told >= TOLD_MAX {
            println!("seed {seed}: {objection}");
            continue;
        }
        let find = hunt::shorten(plan, objection);
        println!("{}", find.report());
        for (which, recording) in ["shortest", "whole"].into_iter().zip(find.recordings()) {
            let path = arguments.recordings.join(format!("seed-{seed}-{which}.wqr"));
            let written =
                std::fs::create_dir_all(&arguments.recordings).and_then(|()| std::fs::write(&path, recording));
            match written {
                Ok(()) => println!("recording: {}", path.display()),
                Err(error) => eprintln!("wasmqtt-sim: {}: {error}", path.display()),
            }
        }
        if arguments.tell {
            let mut tell = |at_us: u64, sight: &Sight| println!("{:12.6}  {sight:?}", at_us as f64 / 1e6);
            let _ = world::run_heard(&find.shortest, &mut tell);
        }
        finds.lock().expect("no thread panics with it in hand").push(find);
    }
    let mut sum = sum.lock().expect("no thread panics with it in hand");
    let before = sum.seeds;
    sum.merge(&mine);
    let tenth = (arguments.seeds / 10).max(1);
    if sum.seeds / tenth > before / tenth && sum.seeds < arguments.seeds {
        println!("{} of {} seeds, {} found, {} s", sum.seeds, arguments.seeds, sum.found, begun.elapsed().as_secs());
    }
}

fn summary(sum: &Sum, begun: Instant) -> String {
    let us = begun.elapsed().as_micros() as u64;
    let faults: Vec<String> = KINDS.iter().zip(sum.faults).map(|(kind, count)| format!("{kind} {count}")).collect();
    format!(
        "seeds {} ({} us each), steps {} (at most {} a seed; {} seeds cut short), deliveries {}, verdicts {:?}, \
         faults: {}; findings {}",
        sum.seeds,
        us / sum.seeds.max(1),
        sum.steps,
        sum.steps_max,
        sum.cut_short,
        sum.deliveries,
        sum.verdicts,
        faults.join(", "),
        sum.found
    )
}
