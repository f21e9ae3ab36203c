//! The page `docs/performance.md` and the files beside it, written anew from results, never by hand.

use std::path::Path;

use super::results::{Results, RowResult};
use super::rows::Section;
use super::{chart, table};
use crate::failure::{Failure, Outcome};

/// Writes the results as JSON, for other programs and for [`read`].
///
/// # Errors
/// If the file can't be written.
pub fn write_json(results: &Results, path: &Path) -> Outcome {
    let text = serde_json::to_string_pretty(results).expect("results are valid JSON");
    write(path, &(text + "\n"))
}

/// Reads results that were written.
///
/// # Errors
/// If there are none.
pub fn read(path: &Path) -> Outcome<Results> {
    let wrong = |why: String| Failure::Program(format!("{}: {why}; `cargo xtask bench` writes it", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))
}

/// Writes the page and its chart.
///
/// # Errors
/// If they can't be written.
pub fn write_page(results: &Results, docs: &Path) -> Outcome {
    write(&docs.join("performance.svg"), &chart::svg(results))?;
    write(&docs.join("performance.md"), &page(results))
}

fn write(path: &Path, text: &str) -> Outcome {
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(path, text));
    written.map_err(|error| Failure::Program(format!("{} can't be written: {error}", path.display())))
}

/// The page.
#[must_use]
pub fn page(results: &Results) -> String {
    let Results { machine, command, version, rounds, seconds, configurations, .. } = results;
    let busy = if machine.is_busy() {
        format!(
            " The machine was busy with other work (load {}), so that absolute figures are higher than they need be.",
            machine.load
        )
    } else {
        String::new()
    };
    let configured: String = configurations.iter().map(|(name, how)| format!("- {name}: `{how}`\n")).collect();
    let rates = rates(results);
    format!(
        "# Performance\n\n\
         <!-- Written by `cargo xtask bench --write`; changes by hand will be lost. -->\n\n\
         {summary}.\n\n\
         ![Costs as parts of mosquitto's](performance.svg)\n\n\
         Measured {date} UTC at commit {commit} with `{command}`, MQTT {version}: {rounds} rounds, each a run of \
         ours and one of the other, {seconds} s long, one behind the other and in changing order. Machine: \
         {processor}, {cores} processors, {memory} GiB, Linux {kernel}, loopback; broker and load generator have a \
         processor each. Compared with: {mosquitto}, Debian's package.\n\n\
         **Read ratios, not digits**: they are medians of the ratios of the pairs, and the column beside them shows \
         the least and the greatest.{busy} *CPU s/M* is the broker's processor time, user and system, for a million \
         messages delivered. Payloads have 64 bytes. A publisher has at most W messages outstanding that have not been \
         received and acknowledged, so a broker that drops is not flattered; every message is checked for loss, order \
         and duplicates.\n\n\
         {tables}{rates}## How\n\n\
         {configured}\n\
         ```console\n\
         cargo xtask bench                       # all rows; results in target/bench/last.json\n\
         cargo xtask bench --quick pairs-qos1    # one row, in seconds\n\
         cargo xtask bench --write               # all rows, and this page\n\
         cargo xtask load --list                 # the scenarios behind the rows, against any broker\n\
         ```\n",
        summary = table::summary(results),
        date = machine.date,
        commit = machine.commit,
        processor = machine.processor,
        cores = machine.cores,
        memory = machine.memory_gib,
        kernel = machine.kernel,
        mosquitto = machine.mosquitto,
        tables = table::markdown(results),
    )
}

/// Messages per second, which say less than costs: here a broker waits for the generator, or for the other way round.
fn rates(results: &Results) -> String {
    let is_flow =
        |row: &&RowResult| row.section == Section::Mosquitto && row.unit == "CPU s/M" && row.id != "connects-cpu";
    let mut text = String::from("## Messages per second\n\n| | ours | mosquitto |\n|---|---:|---:|\n");
    let mut any = false;
    for row in results.rows.iter().filter(is_flow) {
        if let Some((ours, other)) = row.rates {
            text += &format!("| {} | {ours:.0} | {other:.0} |\n", row.title);
            any = true;
        }
    }
    if any { text + "\n" } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::machine::Machine;
    use crate::bench::results::tests::row;

    fn results() -> Results {
        Results {
            machine: Machine { kernel: "6.1".into(), load: 2.0, ..Machine::default() },
            command: "cargo xtask bench".into(),
            version: "3.1.1".into(),
            rounds: 5,
            seconds: 2.0,
            configurations: vec![("mosquitto".into(), "persistence false".into())],
            rows: vec![row("a", &[(0.5, 10.0)], 0.1, 0.04)],
        }
    }

    #[test]
    fn the_page_has_all_that_a_figure_needs() {
        let page = page(&results());
        for part in ["Linux 6.1", "load 2", "| the title of a | CPU s/M | 0.500 |", "persistence false", "| 1000000 |"]
        {
            assert!(page.contains(part), "{part} is missing: {page}");
        }
    }

    #[test]
    fn results_survive_json() {
        let path = std::env::temp_dir().join(format!("wasmqtt-bench-test-{}.json", std::process::id()));
        write_json(&results(), &path).expect("a temporary folder can be written to");
        let read = read(&path);
        std::fs::remove_file(&path).expect("it was written");
        assert_eq!(read.ok(), Some(results()));
    }
}
