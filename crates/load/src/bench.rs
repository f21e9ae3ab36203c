//! The bench: our server and another broker in turn, under the same load, on the same machine, at the same time of
//! day. A round is a pair of runs, one behind the other, and the order changes from round to round; what counts is the
//! median of the pairs' ratios, since a machine is never twice the same. The generator has a processor of its own.

pub mod broker;
pub mod chart;
pub mod document;
pub mod machine;
pub mod results;
pub mod rows;
pub mod table;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;

use crate::failure::{Failure, Outcome};
use crate::process::allow_descriptors;
use crate::report::Report;

use broker::{Kind, Program, Running, pinned};
use machine::Machine;
use results::{Results, RowResult, median};
use rows::{MEASUREMENTS, Measurement, Metric, Row, STARTUP_MS_MAX, Section};

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Options {
    /// Our server.
    pub server: PathBuf,
    /// mosquitto.
    pub mosquitto: PathBuf,
    /// Another build of our server to compare with instead of mosquitto; nothing is demanded then.
    pub against: Option<PathBuf>,
    /// A program with our server's flags that runs the core native.
    pub native: Option<PathBuf>,
    /// What takes figures without sockets.
    pub in_process: Option<InProcessProgram>,
    /// Only these rows; all if empty.
    pub rows: Vec<String>,
    /// Pairs of runs.
    pub rounds: usize,
    /// Seconds of each run.
    pub seconds: f64,
    /// MQTT version, as `load` takes it.
    pub version: String,
    /// Files of brokers go here.
    pub folder: PathBuf,
    /// The command as it was typed.
    pub command: String,
}

/// `wasmqtt-bench`, and the guest for it.
#[derive(Clone, Debug)]
pub struct InProcessProgram {
    /// The program.
    pub path: PathBuf,
    /// The guest as WebAssembly.
    pub guest: PathBuf,
}

/// A line of `wasmqtt-bench time --json`: nanoseconds a delivery, without sockets.
#[derive(Clone, Debug, Deserialize)]
struct InProcess {
    workload: String,
    native_ns: f64,
    guest_ns: Option<f64>,
}

/// A bench at work.
struct Bench<'a> {
    options: &'a Options,
    ours: Program,
    /// Processors of the generator and of the broker.
    processors: Option<(usize, usize)>,
    tell: &'a mut dyn FnMut(&str),
}

/// The measurements that give one of these rows.
///
/// # Errors
/// If there is no such row.
pub fn select(rows: &[String]) -> Outcome<Vec<Measurement>> {
    let all = || MEASUREMENTS.iter().flat_map(|measurement| measurement.rows);
    if let Some(unknown) = rows.iter().find(|id| !all().any(|row| row.id == *id)) {
        let known: Vec<_> = all().map(|row| row.id).collect();
        return Err(Failure::Argument(format!("\"{unknown}\" is no row; there are: {}", known.join(", "))));
    }
    let is_wanted = |row: &Row| rows.is_empty() || rows.iter().any(|id| id == row.id);
    Ok(MEASUREMENTS.iter().filter(|measurement| measurement.rows.iter().any(is_wanted)).copied().collect())
}

/// Measures all that is wanted. `tell` hears of the progress.
///
/// # Errors
/// If a broker can't be started at all; a row that fails is a result.
pub fn bench(options: &Options, tell: &mut dyn FnMut(&str)) -> Outcome<Results> {
    let mut measurements = select(&options.rows)?;
    measurements.retain(|measurement| match measurement.section {
        Section::Mosquitto | Section::Itself => true,
        Section::Native => options.native.is_some(),
        Section::InProcess => false,
    });
    // Both brokers and the generator inherit it; connects and idle need it.
    allow_descriptors(10_100)?;
    let machine = Machine::here(&options.mosquitto.to_string_lossy());
    if machine.is_busy() {
        tell(&format!("the machine is busy (load {}): read nothing but ratios", machine.load));
    }
    let processors = processors(machine.cores);
    if processors.is_none() {
        tell("nothing is pinned: that needs two processors and the program taskset (Debian: util-linux)");
    }
    let ours = program("wasmqtt", Kind::Ours, &options.server, options);
    let mut bench = Bench { options, ours, processors, tell };
    let mut rows = Vec::new();
    for measurement in measurements {
        let measured = bench.measure(&measurement);
        measured.iter().for_each(|row| (bench.tell)(&table::line(row)));
        rows.extend(measured);
    }
    if let (Some(program), true) = (&options.in_process, options.rows.is_empty()) {
        let measured = in_process(program)?;
        measured.iter().for_each(|row| (bench.tell)(&table::line(row)));
        rows.extend(measured);
    }
    let mosquitto = program("mosquitto", Kind::Mosquitto, &options.mosquitto, options);
    let configurations = [&bench.ours, &mosquitto].map(|program| (program.name.clone(), program.configuration()));
    Ok(Results {
        machine,
        command: options.command.clone(),
        version: options.version.clone(),
        rounds: options.rounds,
        seconds: options.seconds,
        configurations: configurations.into(),
        rows,
    })
}

fn program(name: &str, kind: Kind, path: &Path, options: &Options) -> Program {
    Program { name: name.into(), path: path.into(), kind, folder: options.folder.clone() }
}

/// One for the generator and one for the broker.
fn processors(cores: usize) -> Option<(usize, usize)> {
    let works = pinned(Some(0), Path::new("true")).stderr(Stdio::null()).status();
    (cores >= 2 && works.is_ok_and(|status| status.success())).then_some((cores - 1, 0))
}

impl Bench<'_> {
    /// All rounds of a measurement; a failure becomes a row that says so.
    fn measure(&mut self, measurement: &Measurement) -> Vec<RowResult> {
        let mut rows: Vec<_> = measurement.rows.iter().map(|row| self.empty(row, measurement.section)).collect();
        let outcome = match measurement.scenario {
            "" => self.startups(&mut rows),
            _ => self.rounds(measurement, &mut rows),
        };
        if let Err(failure) = outcome {
            rows.iter_mut().for_each(|row| row.failure = Some(failure.to_string()));
        }
        rows
    }

    fn empty(&self, row: &Row, section: Section) -> RowResult {
        let is_asked = self.options.against.is_none() || section != Section::Mosquitto;
        RowResult {
            section,
            id: row.id.into(),
            title: row.title.into(),
            unit: row.metric.unit().into(),
            better: row.metric.better(),
            pairs: Vec::new(),
            rates: None,
            must: row.must.filter(|_| is_asked),
            aim: row.aim.filter(|_| is_asked),
            ours_max: (row.metric == Metric::Startup).then_some(STARTUP_MS_MAX),
            failure: None,
        }
    }

    fn other(&self, section: Section) -> Program {
        let options = self.options;
        match (section, &options.native, &options.against) {
            (Section::Itself, ..) | (Section::InProcess, ..) => self.ours.clone(),
            (Section::Native, Some(native), _) => program("native", Kind::Ours, native, options),
            (Section::Mosquitto, _, Some(against)) => program("against", Kind::Ours, against, options),
            (Section::Native, None, _) | (Section::Mosquitto, _, None) => {
                program("mosquitto", Kind::Mosquitto, &options.mosquitto, options)
            }
        }
    }

    fn rounds(&mut self, measurement: &Measurement, rows: &mut [RowResult]) -> Outcome {
        let programs = [self.ours.clone(), self.other(measurement.section)];
        let mut running = [None, None];
        let mut reports: [Vec<Report>; 2] = [Vec::new(), Vec::new()];
        // Round 0 is warm-up: everybody's caches, and memory that grows once.
        let first = usize::from(measurement.fresh);
        for round in first..=self.options.rounds {
            let mut pair = [None, None];
            let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
            for side in order {
                if running[side].is_none() {
                    running[side] = Some(programs[side].start(self.processors.map(|(_, broker)| broker))?.0);
                }
                let seconds = if round == 0 { self.options.seconds / 4.0 } else { self.options.seconds };
                let broker = running[side].as_ref().expect("it was started above");
                let report = self.load(measurement, side, broker, seconds).map_err(|failure| {
                    Failure::Program(format!("{} under {}: {failure}", programs[side].name, measurement.scenario))
                })?;
                if measurement.fresh {
                    running[side] = None;
                }
                pair[side] = Some(report);
            }
            if let ([Some(ours), Some(other)], true) = (pair, round > 0) {
                for (row, result) in measurement.rows.iter().zip(rows.iter_mut()) {
                    let figure = |report: &Report| {
                        row.metric.of(report).ok_or_else(|| Failure::Program(format!("no {} in a report", row.id)))
                    };
                    result.pairs.push((figure(&ours)?, figure(&other)?));
                }
                reports[0].push(ours);
                reports[1].push(other);
            }
        }
        let rate = |reports: &[Report]| median(reports.iter().filter_map(|report| Metric::Rate.of(report)));
        let rates = (rate(&reports[0]), rate(&reports[1]));
        if rates.0.is_finite() && rates.1.is_finite() {
            rows.iter_mut().for_each(|row| row.rates = Some(rates));
        }
        Ok(())
    }

    /// One run of the generator, as a process of its own.
    fn load(&self, measurement: &Measurement, side: usize, broker: &Running, seconds: f64) -> Outcome<Report> {
        let [both, ours, other] = measurement.arguments;
        let is_websocket = both.contains(&"--ws");
        let addr = if is_websocket { broker.websocket } else { broker.tcp };
        let program = std::env::current_exe().map_err(|error| Failure::System("this program's path", error))?;
        let mut command = pinned(self.processors.map(|(generator, _)| generator), &program);
        command.args(["load", measurement.scenario, "--json", "--addr", &addr.to_string()]);
        command.args(["--pid", &broker.pid().to_string(), "--seconds", &seconds.to_string()]);
        command.args(["--version", &self.options.version]);
        command.args(both).args(if side == 0 { ours } else { other });
        let text = output_of(&mut command)?;
        serde_json::from_str(&text).map_err(|error| Failure::Program(format!("the load's report: {error}")))
    }

    fn startups(&mut self, rows: &mut [RowResult]) -> Outcome {
        let programs = [self.ours.clone(), self.other(Section::Mosquitto)];
        for round in 0..=self.options.rounds {
            let ms = |program: &Program| -> Outcome<f64> {
                let (_running, took): (Running, Duration) = program.start(self.processors.map(|(_, broker)| broker))?;
                Ok(took.as_secs_f64() * 1e3)
            };
            let pair = (ms(&programs[0])?, ms(&programs[1])?);
            // The first one reads the programs from the disk.
            if round > 0 {
                rows.iter_mut().for_each(|row| row.pairs.push(pair));
            }
        }
        Ok(())
    }
}

/// Rows of the program that measures without sockets.
fn in_process(program: &InProcessProgram) -> Outcome<Vec<RowResult>> {
    let mut command = pinned(None, &program.path);
    command.args(["time", "--json", "--guest"]).arg(&program.guest);
    rows_of(&output_of(&mut command)?).map_err(|error| Failure::Program(format!("{}: {error}", program.path.display())))
}

fn rows_of(text: &str) -> Result<Vec<RowResult>, String> {
    text.lines().filter(|line| !line.trim().is_empty()).map(row_of).collect()
}

fn row_of(line: &str) -> Result<RowResult, String> {
    let InProcess { workload, native_ns, guest_ns } =
        serde_json::from_str(line).map_err(|error| format!("\"{line}\": {error}"))?;
    let guest_ns = guest_ns.ok_or_else(|| format!("no figure of the guest for {workload}"))?;
    Ok(RowResult {
        section: Section::InProcess,
        id: format!("in-process-{workload}"),
        title: workload,
        unit: "ns".into(),
        better: results::Better::Lower,
        pairs: vec![(guest_ns, native_ns)],
        rates: None,
        must: None,
        aim: None,
        ours_max: None,
        failure: None,
    })
}

/// What a program prints; what it complains of if it fails.
fn output_of(command: &mut std::process::Command) -> Outcome<String> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| Failure::Program(format!("{shown} can't be started: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Failure::Program(String::from_utf8_lossy(&output.stderr).trim().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_selected_by_name() {
        let ids = |rows: &[&str]| -> Outcome<Vec<&str>> {
            let rows: Vec<String> = rows.iter().map(|&row| row.into()).collect();
            Ok(select(&rows)?.iter().map(|measurement| measurement.scenario).collect())
        };
        assert_eq!(ids(&["websocket", "retained-read"]).ok(), Some(vec!["pairs-qos0", "retained"]));
        assert_eq!(ids(&[]).ok().map(|all| all.len()), Some(MEASUREMENTS.len()));
        let failure = ids(&["nope"]).expect_err("there is no such row").to_string();
        assert!(failure.contains("\"nope\"") && failure.contains("pairs-qos1-w1"), "{failure}");
    }

    #[test]
    fn every_measurement_has_its_scenario_and_every_row_its_name() {
        let mut ids: Vec<_> = MEASUREMENTS.iter().flat_map(|measurement| measurement.rows).map(|row| row.id).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
        for measurement in MEASUREMENTS {
            let is_known = crate::scenario::find(measurement.scenario).is_some();
            assert!(is_known || measurement.scenario.is_empty(), "{}", measurement.scenario);
        }
    }

    #[test]
    fn rows_of_another_program() {
        let rows = rows_of("{\"workload\":\"pairs\",\"native_ns\":20.5,\"guest_ns\":41.0}\n");
        let rows = rows.expect("it is what is asked for");
        assert_eq!((rows[0].ours(), rows[0].other(), rows[0].ratio()), (41.0, 20.5, 2.0));
        let half = rows_of(r#"{"workload":"pairs","native_ns":20.5,"guest_ns":null}"#);
        assert!(half.expect_err("a figure is missing").contains("pairs"));
        assert!(rows_of("what?").expect_err("that is no JSON").contains("what?"));
    }
}
