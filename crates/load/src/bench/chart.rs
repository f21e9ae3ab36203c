//! The chart: for each row a bar that ends at ours divided by mosquitto's, on a logarithmic scale, with a mark for what
//! must be reached. Plain SVG that can be read in light and in dark.

use std::fmt::Write;

use super::results::{Better, Results, RowResult, Verdict};
use super::rows::Section;
use super::table::figure;

const WIDTH: f64 = 900.0;
const LABELS: f64 = 370.0;
const RIGHT: f64 = 70.0;
const TOP: f64 = 58.0;
const LINE: f64 = 24.0;
/// The scale's ends: a hundredth of mosquitto's cost, and three times it.
const LEAST: f64 = 0.01;
const MOST: f64 = 3.0;

/// Colours that keep their distance from white and from black, also where the page is dark and the system light.
const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#6e7781}.small{font-size:11px}.grid{stroke:#8888;\
stroke-width:1}.one{stroke:#888;stroke-width:1.5}.met{fill:#2a9d6f}.missed{fill:#d1622b}.must{stroke:#6e7781;\
stroke-width:2}@media(prefers-color-scheme:dark){text{fill:#d8dee4}.must{stroke:#d8dee4}}";

/// The rows that are compared with mosquitto, as SVG.
#[must_use]
pub fn svg(results: &Results) -> String {
    let is_shown = |row: &&RowResult| row.section == Section::Mosquitto && !row.pairs.is_empty() && row.must.is_some();
    let rows: Vec<_> = results.rows.iter().filter(is_shown).collect();
    let height = TOP + LINE * rows.len() as f64 + 16.0;
    let bottom = height - 12.0;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>wasmqtt's costs as parts of mosquitto's</title>\n<style>{STYLE}</style>\n\
         <text x=\"8\" y=\"20\">Cost of wasmqtt, where mosquitto's is 1 (shorter is better; the mark is what must be \
         reached)</text>\n"
    );
    for tick in [0.01, 0.03, 0.1, 0.3, 1.0, 3.0] {
        let (x, class) = (place(tick), if tick == 1.0 { "one" } else { "grid" });
        let _ = writeln!(
            text,
            "<line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{bottom:.1}\"/>",
            TOP - 12.0
        );
        let _ = writeln!(
            text,
            "<text class=\"small\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{tick}</text>",
            TOP - 18.0
        );
    }
    for (number, row) in rows.iter().enumerate() {
        bar(row, TOP + LINE * number as f64, &mut text);
    }
    text + "</svg>\n"
}

fn bar(row: &RowResult, y: f64, text: &mut String) {
    // A rate is turned round, so that shorter is better everywhere.
    let cost = |ratio: f64| match row.better {
        Better::Lower => ratio,
        Better::Higher => 1.0 / ratio,
    };
    let (end, baseline, bar_height) = (place(cost(row.ratio())), y + 12.0, LINE - 8.0);
    let class = if row.verdict() == Verdict::Missed { "missed" } else { "met" };
    let _ = writeln!(
        text,
        "<text x=\"{:.1}\" y=\"{baseline:.1}\" text-anchor=\"end\">{}</text>",
        LABELS - 8.0,
        escape(&row.title)
    );
    let _ = writeln!(
        text,
        "<rect class=\"{class}\" x=\"{LABELS}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{bar_height}\" rx=\"2\"/>",
        end - LABELS
    );
    let mut label_at = end;
    if let Some(must) = row.must.map(cost) {
        let x = place(must);
        let _ = writeln!(
            text,
            "<line class=\"must\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>",
            y - 2.0,
            y + bar_height + 2.0
        );
        // The label goes behind the mark if it would lie on it.
        if x > end - 4.0 && x < end + 44.0 {
            label_at = x;
        }
    }
    let _ = writeln!(
        text,
        "<text class=\"small\" x=\"{:.1}\" y=\"{baseline:.1}\">{}</text>",
        label_at + 6.0,
        figure(cost(row.ratio()))
    );
}

/// Where a ratio lies.
fn place(ratio: f64) -> f64 {
    let part = (ratio.clamp(LEAST, MOST) / LEAST).ln() / (MOST / LEAST).ln();
    LABELS + part * (WIDTH - LABELS - RIGHT)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::machine::Machine;
    use crate::bench::results::tests::row;

    #[test]
    fn a_bar_for_each_row() {
        let higher = RowResult { better: Better::Higher, title: "a < b".into(), ..row("b", &[(2.0, 1.0)], 1.0, 1.25) };
        let rows = vec![row("a", &[(0.1, 1.0)], 0.05, 0.04), higher, row("empty", &[], 1.0, 1.0)];
        let results = Results {
            machine: Machine::default(),
            command: String::new(),
            version: "3.1.1".into(),
            rounds: 1,
            seconds: 1.0,
            configurations: Vec::new(),
            rows,
        };
        let svg = svg(&results);
        assert_eq!(svg.matches("<rect").count(), 2);
        assert_eq!((svg.matches("class=\"missed\"").count(), svg.matches("class=\"met\"").count()), (1, 1));
        assert!(svg.contains("a &lt; b") && svg.contains(">0.500<"), "{svg}");
        assert!(svg.contains("prefers-color-scheme:dark"));
    }

    #[test]
    fn the_scale_has_ends() {
        assert_eq!((place(0.0001), place(1000.0)), (LABELS, WIDTH - RIGHT));
        assert!(place(0.1) > place(0.05));
    }
}
