//! What messages cost, in instructions of the native core under callgrind: a figure that does not flicker with the
//! machine's load, so that a change which makes messages dearer is seen in CI and not by an operator.
//!
//! A run of few rounds is taken from a run of more, so that neither connecting nor the first growth of buffers counts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::tools::{self, Failure, Outcome, cargo, program, run};

/// Where the figures are kept that a run is compared with.
const KEPT: &str = "crates/bench/instructions.txt";
/// More than this many hundredths above the kept figure fails; as much below is worth keeping.
const PERCENT_MAX: u64 = 5;
/// Rounds of the two runs.
const ROUNDS: [u64; 2] = [2, 6];
/// What is counted: every kind of flow once, the usual version and the other.
const WORKLOADS: [&str; 12] = [
    "fan-in-qos0",
    "fan-in-qos1",
    "fan-out-qos0",
    "fan-out-qos1",
    "pairs-qos0",
    "pairs-qos1",
    "pairs-qos2",
    "pairs-qos0-v5",
    "pairs-qos1-v5",
    "pairs-qos1-w1",
    "retained",
    "spread-1k",
];

/// Counts all workloads and compares them with the kept figures, or keeps the new ones.
pub fn count(write: bool) -> Outcome {
    tools::debian_packages(&[("valgrind", "valgrind")])?;
    let bench = build()?;
    let listed = tools::output(program(&bench).arg("list"))?;
    let messages: BTreeMap<&str, u64> = listed.lines().filter_map(figure).collect();
    let mut counted = BTreeMap::new();
    for workload in WORKLOADS {
        let messages = messages[workload];
        let [few, many] = ROUNDS.map(|rounds| instructions(&bench, workload, rounds));
        counted.insert(workload, (many? - few?) / ((ROUNDS[1] - ROUNDS[0]) * messages));
    }
    let kept_at = tools::root().join(KEPT);
    if write {
        let lines: String = counted.iter().map(|(workload, figure)| format!("{workload} {figure}\n")).collect();
        return std::fs::write(&kept_at, lines).map_err(|error| Failure::File { path: kept_at, error });
    }
    let kept = tools::read(&kept_at)?;
    let kept: BTreeMap<&str, u64> = kept.lines().filter_map(figure).collect();
    let (table, dearer) = compare(&kept, &counted);
    print!("{table}");
    if dearer.is_empty() { Ok(()) } else { Err(Failure::Dearer(dearer)) }
}

/// The load as it is counted: optimised as the guest is.
fn build() -> Outcome<PathBuf> {
    run(cargo().args(["build", "--quiet", "--profile", "guest", "--package", "wasmqtt-bench"]))?;
    Ok(tools::target_dir().join("guest/wasmqtt-bench"))
}

/// A name and a number.
fn figure(line: &str) -> Option<(&str, u64)> {
    let (name, number) = line.split_once(' ')?;
    Some((name, number.trim().parse().ok()?))
}

/// Instructions of the core in one run.
fn instructions(bench: &Path, workload: &str, rounds: u64) -> Outcome<u64> {
    let out = tools::target_dir().join("callgrind.out");
    let mut valgrind = program("valgrind");
    valgrind.args(["--quiet", "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*counted_turn*"]);
    valgrind.arg(format!("--callgrind-out-file={}", out.display())).arg(bench);
    valgrind.args(["count", workload, "--rounds", &rounds.to_string()]);
    tools::output(&mut valgrind)?;
    let written = tools::read(&out)?;
    let total = written.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok());
    total.ok_or(Failure::Output { of: "callgrind", wanted: "a line of totals" })
}

/// A table, and the workloads that became dearer than may be.
fn compare(kept: &BTreeMap<&str, u64>, counted: &BTreeMap<&str, u64>) -> (String, Vec<String>) {
    let mut table = format!("{:<16} {:>8} {:>8} {:>7}  instructions per message\n", "", "kept", "now", "");
    let mut dearer = Vec::new();
    for (workload, &now) in counted {
        let Some(&before) = kept.get(workload) else {
            dearer.push(format!("{workload} has no kept figure; allowed: one from `cargo xtask count --write`"));
            continue;
        };
        let percent = (now as f64 / before as f64 - 1.0) * 100.0;
        table.push_str(&format!("{workload:<16} {before:>8} {now:>8} {percent:>+6.1}%\n"));
        if now * 100 > before * (100 + PERCENT_MAX) {
            dearer.push(format!("{workload}: {now} instructions per message, {before} are kept ({percent:+.1} %)"));
        } else if now * 100 < before * (100 - PERCENT_MAX) {
            table.push_str(&format!("{:16} cheaper: keep it with `cargo xtask count --write`\n", ""));
        }
    }
    (table, dearer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_five_percent_is_dearer() {
        let kept = BTreeMap::from([("a", 1_000), ("b", 1_000), ("c", 1_000)]);
        let counted = BTreeMap::from([("a", 1_050), ("b", 1_051), ("c", 900), ("d", 1)]);
        let (table, dearer) = compare(&kept, &counted);
        assert_eq!(dearer.len(), 2);
        assert!(dearer[0].starts_with("b: 1051") && dearer[1].starts_with("d has no kept figure"));
        assert!(table.contains("+5.0%") && table.contains("cheaper: keep it"));
    }

    #[test]
    fn a_figure_is_a_name_and_a_number() {
        assert_eq!(figure("pairs-qos0 1600"), Some(("pairs-qos0", 1_600)));
        assert_eq!(figure("pairs-qos0"), None);
        assert_eq!(figure("pairs-qos0 many"), None);
    }
}
