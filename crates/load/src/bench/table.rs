//! Results as text: one table for the terminal, the same in Markdown for the page.

use std::fmt::Write;

use super::results::{Results, RowResult, Verdict};
use super::rows::Section;

/// The tables in their order, with what stands above each and the other's name.
pub(super) const SECTIONS: [(Section, &str, &str); 4] = [
    (Section::Mosquitto, "Compared with mosquitto", "mosquitto"),
    (Section::Itself, "Compared with itself", "other"),
    (Section::Native, "The price of the sandbox: the same core native, under the same driver", "native"),
    (Section::InProcess, "Without sockets: guest and native core in one process", "native"),
];

/// A row for the terminal, on its own.
#[must_use]
pub fn line(row: &RowResult) -> String {
    let [title, unit, ours, other, ratio, spread, must, aim, met] = cells(row);
    format!("{title:<46.46} {unit:>8} {ours:>10} {other:>10} {ratio:>7} {spread:>15} {must:>6} {aim:>6}  {met}")
}

/// All tables for the terminal.
#[must_use]
pub fn text(results: &Results) -> String {
    let mut text = String::new();
    for (section, about, other) in SECTIONS {
        let rows: Vec<_> = results.rows.iter().filter(|row| row.section == section).collect();
        if rows.is_empty() {
            continue;
        }
        let _ = writeln!(
            text,
            "\n{about:<46.46} {:>8} {:>10} {other:>10} {:>7} {:>15} {:>6} {:>6}  met?",
            "unit", "ours", "ratio", "of the pairs", "must", "aim"
        );
        rows.iter().for_each(|row| {
            let _ = writeln!(text, "{}", line(row));
        });
    }
    let _ = writeln!(text, "\n{}", summary(results));
    text
}

/// How many of the bounds are kept.
#[must_use]
pub fn summary(results: &Results) -> String {
    let count = |verdicts: &[Verdict]| results.rows.iter().filter(|row| verdicts.contains(&row.verdict())).count();
    let reached = count(&[Verdict::Aim, Verdict::Must]);
    let asked = reached + count(&[Verdict::Missed]);
    let (aims, failed) = (count(&[Verdict::Aim]), count(&[Verdict::Failed]));
    let failed = if failed == 0 { String::new() } else { format!("; {failed} rows have no figures") };
    format!("{reached} of {asked} rows reach what they must, {aims} what we aim at{failed}")
}

/// The tables in Markdown.
#[must_use]
pub fn markdown(results: &Results) -> String {
    let mut text = String::new();
    for (section, about, other) in SECTIONS {
        let rows: Vec<_> = results.rows.iter().filter(|row| row.section == section).collect();
        if rows.is_empty() {
            continue;
        }
        let _ = writeln!(text, "## {about}\n");
        let _ = writeln!(text, "| | unit | ours | {other} | ratio | of the pairs | must | aim | met? |");
        text += "|---|---|---:|---:|---:|---:|---:|---:|---|\n";
        for row in rows {
            let _ = writeln!(text, "| {} |", cells(row).join(" | "));
        }
        text += "\n";
    }
    text
}

fn cells(row: &RowResult) -> [String; 9] {
    let title = row.title.clone();
    let none = String::new;
    if let (true, failure) = (row.pairs.is_empty(), row.failure.as_deref().unwrap_or("no runs")) {
        let why = format!("no: {}", failure.replace(['\n', '|'], " "));
        return [title, row.unit.clone(), none(), none(), none(), none(), none(), none(), why];
    }
    let (least, most) = row.spread();
    let bound = |bound: Option<f64>| bound.map_or_else(none, figure);
    let must = row.ours_max.map_or_else(|| bound(row.must), |most| format!("{} {}", figure(most), row.unit));
    let met = match row.verdict() {
        Verdict::Aim => "yes, aim",
        Verdict::Must => "yes",
        Verdict::Missed => "no",
        Verdict::Told | Verdict::Failed => "",
    };
    let met = row.failure.as_ref().map_or_else(|| met.into(), |failure| format!("{met} (then: {failure})"));
    let spread = format!("{} to {}", figure(least), figure(most));
    [
        title,
        row.unit.clone(),
        figure(row.ours()),
        figure(row.other()),
        figure(row.ratio()),
        spread,
        must,
        bound(row.aim),
        met,
    ]
}

/// Three digits that count.
#[must_use]
pub fn figure(value: f64) -> String {
    match value.abs() {
        size if !size.is_finite() => "-".into(),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::machine::Machine;
    use crate::bench::results::tests::row;

    fn results(rows: Vec<RowResult>) -> Results {
        let machine = Machine::default();
        let (command, version) = (String::new(), "5".into());
        Results { machine, command, version, rounds: 1, seconds: 1.0, configurations: Vec::new(), rows }
    }

    #[test]
    fn figures_have_three_digits() {
        let shown = [1234.5, 12.345, 1.2345, 0.012_345, f64::NAN].map(figure);
        assert_eq!(shown, ["1234", "12.3", "1.23", "0.012", "-"]);
    }

    #[test]
    fn the_table_says_what_was_met() {
        let failed = RowResult { failure: Some("it | ended".into()), ..row("c", &[], 1.0, 1.0) };
        let results = results(vec![row("a", &[(0.5, 10.0)], 0.1, 0.04), row("b", &[(2.0, 10.0)], 0.1, 0.04), failed]);
        let lines: Vec<String> = markdown(&results).lines().map(Into::into).collect();
        assert_eq!(lines[2], "| | unit | ours | mosquitto | ratio | of the pairs | must | aim | met? |");
        let row_a = "| the title of a | CPU s/M | 0.500 | 10.0 | 0.050 | 0.050 to 0.050 | 0.100 | 0.040 | yes |";
        assert_eq!(lines[4], row_a);
        assert!(lines[5].ends_with("| 0.100 | 0.040 | no |"), "{}", lines[5]);
        assert!(lines[6].ends_with("| no: it   ended |"), "{}", lines[6]);
        let text = text(&results);
        assert!(
            text.ends_with("1 of 2 rows reach what they must, 0 what we aim at; 1 rows have no figures\n"),
            "{text}"
        );
    }
}
