//! `wasmqtt-load`: what `cargo xtask load`, `cargo xtask bench` and `cargo xtask soak` run.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use wasmqtt_codec::ProtocolVersion;
use wasmqtt_load::bench::broker::{Kind, Program};
use wasmqtt_load::bench::{self, document, table};
use wasmqtt_load::process::allow_descriptors;
use wasmqtt_load::soak;
use wasmqtt_load::{Failure, Options, Outcome, run, scenario};

/// Put load on MQTT brokers and measure them.
#[derive(Parser)]
#[command(name = "wasmqtt-load", bin_name = "cargo xtask", max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run one scenario against any broker, closed loop, and check every message that comes
    Load(Load),
    /// Compare our server with Debian's mosquitto: medians of paired runs, one table
    Bench(Bench),
    /// Thousands of clients for minutes: honest ones, ones that come and go, that stall, and that lie
    Soak(Soak),
}

#[derive(Args)]
struct Load {
    /// The scenario's name; --list shows all
    #[arg(required_unless_present = "list")]
    scenario: Option<String>,
    /// Where the broker listens
    #[arg(long, value_name = "HOST:PORT", required_unless_present = "list")]
    addr: Option<String>,
    /// Show the scenarios
    #[arg(long)]
    list: bool,
    /// Speak MQTT over WebSocket, at this path
    #[arg(long, value_name = "PATH", num_args = 0..=1, default_missing_value = "/mqtt")]
    ws: Option<String>,
    /// MQTT version: 3.1.1 or 5
    #[arg(long, default_value = "3.1.1", value_parser = version)]
    version: ProtocolVersion,
    /// Messages of all publishers together, instead of a time
    #[arg(long, value_name = "N")]
    messages: Option<u64>,
    /// Bytes of each payload, 12 and more
    #[arg(long, value_name = "N", default_value_t = 64)]
    payload_bytes: usize,
    /// Publishers of a fan-in, subscribers of a fan-out, pairs, or connections
    #[arg(long, value_name = "N")]
    connections: Option<u32>,
    /// Messages that a publisher may have outstanding
    #[arg(long, value_name = "W")]
    window: Option<u32>,
    /// How long messages flow; the first tenth is not measured
    #[arg(long, value_name = "S", default_value_t = 3.0)]
    seconds: f64,
    /// Subscriptions of all clients, where a scenario is about their number
    #[arg(long, value_name = "N")]
    subscriptions: Option<u32>,
    /// Messages per second, where a scenario is an open loop
    #[arg(long, value_name = "N")]
    rate: Option<u32>,
    /// The broker's process on this machine, whose processor time and memory are then reported
    #[arg(long)]
    pid: Option<u32>,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Bench {
    /// Only these rows, by their names
    rows: Vec<String>,
    /// One round of short runs: what it says is rough
    #[arg(long)]
    quick: bool,
    /// Pairs of runs for each row
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,
    /// Seconds of each run
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,
    /// MQTT version: 3.1.1 or 5
    #[arg(long, default_value = "3.1.1", value_parser = ["3.1.1", "5"])]
    version: String,
    /// Write docs/performance.md anew, from all rows
    #[arg(long)]
    write: bool,
    /// Measure nothing: show, and with --write write, the last results
    #[arg(long, conflicts_with_all = ["rows", "quick", "rounds", "seconds"])]
    last: bool,
    /// Compare with another build of the server instead of mosquitto
    #[arg(long, value_name = "PROGRAM")]
    against: Option<PathBuf>,
    /// A program with the server's flags that runs the core native: the price of the sandbox
    #[arg(long, value_name = "PROGRAM")]
    native: Option<PathBuf>,
    /// wasmqtt-bench, which takes figures without sockets; needs --guest
    #[arg(long, value_name = "PROGRAM", requires = "guest")]
    in_process: Option<PathBuf>,
    /// The guest for --in-process
    #[arg(long, value_name = "FILE.wasm", requires = "in_process")]
    guest: Option<PathBuf>,
    /// Our server
    #[arg(long, value_name = "PROGRAM", default_value = "target/release/wasmqtt")]
    server: PathBuf,
    /// mosquitto
    #[arg(long, value_name = "PROGRAM", default_value = "mosquitto")]
    mosquitto: PathBuf,
    /// Where results go
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    results: PathBuf,
    /// Where the page is
    #[arg(long, value_name = "FOLDER", default_value = "docs")]
    docs: PathBuf,
}

#[derive(Args)]
struct Soak {
    /// How long
    #[arg(long, value_name = "N", default_value_t = 10.0)]
    minutes: f64,
    /// All clients together
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    connections: u32,
    /// Messages per second of all honest publishers
    #[arg(long, value_name = "N", default_value_t = 4_000)]
    rate: u32,
    /// Seconds between two lines
    #[arg(long, value_name = "S", default_value_t = 10.0)]
    interval: f64,
    /// What luck there is: who goes, lies and stalls when
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Leave a hardship out, to find which of them a broker suffers from: leaving, stalling or lying
    #[arg(long, value_name = "HARDSHIP", value_parser = hardship)]
    without: Vec<soak::Hardship>,
    /// A broker that runs, instead of our server
    #[arg(long, value_name = "HOST:PORT", requires = "pid")]
    addr: Option<String>,
    /// Its process
    #[arg(long, requires = "addr")]
    pid: Option<u32>,
    /// Our server
    #[arg(long, value_name = "PROGRAM", default_value = "target/release/wasmqtt")]
    server: PathBuf,
    /// Where the figures go, as JSON
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    results: PathBuf,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Load(flags) => load(&flags),
        Command::Bench(flags) => measure(&flags),
        Command::Soak(flags) => endure(&flags),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn load(flags: &Load) -> Outcome {
    let (Some(name), Some(addr), false) = (&flags.scenario, &flags.addr, flags.list) else {
        print!("{}", scenario::list());
        return Ok(());
    };
    let scenario = scenario::find(name)
        .ok_or_else(|| Failure::Argument(format!("\"{name}\" is no scenario; there are:\n{}", scenario::list())))?;
    let time = Duration::try_from_secs_f64(flags.seconds)
        .map_err(|_| Failure::Argument(format!("--seconds {}: 0.01 and more are allowed", flags.seconds)))?;
    let options = Options {
        websocket: flags.ws.clone(),
        version: flags.version,
        messages: flags.messages,
        time,
        payload_bytes: flags.payload_bytes,
        connections: flags.connections,
        window: flags.window,
        subscriptions: flags.subscriptions,
        rate: flags.rate,
        pid: flags.pid,
        ..Options::new(address(addr)?)
    };
    let report = run(scenario, &options)?;
    if flags.json {
        println!("{}", serde_json::to_string(&report).expect("a report is valid JSON"));
    } else {
        print!("{}", report.table());
    }
    Ok(())
}

fn measure(flags: &Bench) -> Outcome {
    if flags.write && !flags.rows.is_empty() {
        return Err(Failure::Argument("--write needs all rows: name none".into()));
    }
    let seconds = flags.seconds.unwrap_or(if flags.quick { 0.5 } else { 2.0 });
    let rounds = flags.rounds.unwrap_or(if flags.quick { 1 } else { 5 });
    if rounds == 0 || !(0.1..=3600.0).contains(&seconds) {
        return Err(Failure::Argument("--rounds 1 and more, and --seconds 0.1 to 3600 are allowed".into()));
    }
    let file = flags.results.join("last.json");
    let results = if flags.last {
        document::read(&file)?
    } else {
        std::fs::create_dir_all(&flags.results).map_err(|error| Failure::System("the results' folder", error))?;
        let in_process = flags.in_process.clone().zip(flags.guest.clone());
        let options = bench::Options {
            server: flags.server.clone(),
            mosquitto: flags.mosquitto.clone(),
            against: flags.against.clone(),
            native: flags.native.clone(),
            in_process: in_process.map(|(path, guest)| bench::InProcessProgram { path, guest }),
            rows: flags.rows.clone(),
            rounds,
            seconds,
            version: flags.version.clone(),
            folder: flags.results.clone(),
            command: typed(flags),
        };
        let results = bench::bench(&options, &mut |line| println!("{line}"))?;
        document::write_json(&results, &file)?;
        results
    };
    print!("{}", table::text(&results));
    if flags.write {
        document::write_page(&results, &flags.docs)?;
    }
    Ok(())
}

/// The command that measures the same again, without paths of this machine.
fn typed(flags: &Bench) -> String {
    let mut words = vec!["cargo xtask bench".to_owned()];
    words.extend(flags.quick.then(|| "--quick".into()));
    words.extend(flags.rounds.map(|rounds| format!("--rounds {rounds}")));
    words.extend(flags.seconds.map(|seconds| format!("--seconds {seconds}")));
    if flags.version != "3.1.1" {
        words.push(format!("--version {}", flags.version));
    }
    words.extend(flags.against.as_ref().map(|_| "--against ...".into()));
    words.extend(flags.native.as_ref().map(|_| "--native ...".into()));
    words.extend(flags.rows.iter().cloned());
    words.join(" ")
}

fn endure(flags: &Soak) -> Outcome {
    let folder = |error| Failure::System("the results' folder", error);
    std::fs::create_dir_all(&flags.results).map_err(folder)?;
    // It ends when it is dropped.
    let mut ours = None;
    let (addr, pid) = match (&flags.addr, flags.pid) {
        (Some(addr), Some(pid)) => (address(addr)?, pid),
        (_, _) => {
            allow_descriptors(u64::from(flags.connections) + 64)?;
            let (name, path) = ("wasmqtt".into(), flags.server.clone());
            let program = Program { name, path, kind: Kind::Ours, folder: flags.results.clone() };
            let running = ours.insert(program.start(None)?.0);
            (running.tcp, running.pid())
        }
    };
    let seconds = |name: &str, value: f64| {
        let duration = Duration::try_from_secs_f64(value).ok().filter(|duration| !duration.is_zero());
        duration.ok_or_else(|| Failure::Argument(format!("--{name}: a number above 0 is needed")))
    };
    let options = soak::Options {
        connections: flags.connections,
        time: seconds("minutes", flags.minutes * 60.0)?,
        interval: seconds("interval", flags.interval)?,
        rate: flags.rate,
        seed: flags.seed,
        without: flags.without.clone(),
        ..soak::Options::new(addr, pid)
    };
    println!("{}", soak::judge::Sample::HEADS);
    let (evidence, findings) = soak::soak(&options, &mut |sample| println!("{}", sample.line()))?;
    let text = serde_json::to_string_pretty(&(&evidence, &findings)).expect("figures are valid JSON");
    std::fs::write(flags.results.join("soak.json"), text + "\n").map_err(folder)?;
    print!("{}", soak::judge::text(&findings));
    let count = |outcome| findings.iter().filter(|finding| finding.outcome == outcome).count();
    match (count(soak::judge::Outcome::Broken), count(soak::judge::Outcome::Unclear)) {
        (0, 0) => Ok(()),
        (broken, unclear) => Err(Failure::Judged(format!("{broken} rules are broken, {unclear} can't be told"))),
    }
}

/// The first address that a name stands for.
fn address(text: &str) -> Outcome<SocketAddr> {
    let wrong =
        |why: String| Failure::Argument(format!("--addr {text}: {why}; HOST:PORT is needed, as 127.0.0.1:1883"));
    let mut found = text.to_socket_addrs().map_err(|error| wrong(error.to_string()))?;
    found.next().ok_or_else(|| wrong("the name stands for no address".into()))
}

fn hardship(text: &str) -> Result<soak::Hardship, String> {
    match text {
        "leaving" => Ok(soak::Hardship::Leaving),
        "stalling" => Ok(soak::Hardship::Stalling),
        "lying" => Ok(soak::Hardship::Lying),
        _ => Err("leaving, stalling and lying are allowed".into()),
    }
}

fn version(text: &str) -> Result<ProtocolVersion, String> {
    match text {
        "3.1.1" => Ok(ProtocolVersion::V3_1_1),
        "5" | "5.0" => Ok(ProtocolVersion::V5),
        _ => Err("3.1.1 and 5 are allowed".into()),
    }
}
