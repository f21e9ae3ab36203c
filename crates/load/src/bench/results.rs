//! Results as data: what each run gave, the median of the pairs, and whether that is enough. This is what the JSON file
//! holds; table, chart and page are made from it.

use serde::{Deserialize, Serialize};

use super::machine::Machine;
use super::rows::Section;

/// Which direction is good.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Better {
    /// A cost.
    Lower,
    /// A rate.
    Higher,
}

/// Everything one bench gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Where and when.
    pub machine: Machine,
    /// The command that gave them.
    pub command: String,
    /// MQTT version.
    pub version: String,
    /// Pairs of runs for each row.
    pub rounds: usize,
    /// Seconds of each run.
    pub seconds: f64,
    /// How each program was configured.
    pub configurations: Vec<(String, String)>,
    /// The rows.
    pub rows: Vec<RowResult>,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowResult {
    /// The table it belongs to.
    pub section: Section,
    /// What is typed to measure only this.
    pub id: String,
    /// What the table calls it.
    pub title: String,
    /// Unit of `ours` and `other`.
    pub unit: String,
    /// Which direction is good.
    pub better: Better,
    /// Ours and the other's of each round.
    pub pairs: Vec<(f64, f64)>,
    /// Messages per second of ours and the other, where messages flow: medians.
    pub rates: Option<(f64, f64)>,
    /// The ratio that must be reached, and the one aimed at.
    pub must: Option<f64>,
    /// The ratio aimed at.
    pub aim: Option<f64>,
    /// A bound on ours itself.
    pub ours_max: Option<f64>,
    /// Why there is no figure.
    pub failure: Option<String>,
}

/// How a row did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// As good as we want.
    Aim,
    /// Good enough.
    Must,
    /// Not good enough.
    Missed,
    /// Nothing is asked of it.
    Told,
    /// There is no figure.
    Failed,
}

impl RowResult {
    /// The median of ours.
    #[must_use]
    pub fn ours(&self) -> f64 {
        median(self.pairs.iter().map(|pair| pair.0))
    }

    /// The median of the other's.
    #[must_use]
    pub fn other(&self) -> f64 {
        median(self.pairs.iter().map(|pair| pair.1))
    }

    /// The median of the pairs' ratios.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        median(self.pairs.iter().map(|(ours, other)| ours / other))
    }

    /// The least and the greatest ratio of a pair.
    #[must_use]
    pub fn spread(&self) -> (f64, f64) {
        let ratios = self.pairs.iter().map(|(ours, other)| ours / other);
        ratios.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), ratio| (least.min(ratio), most.max(ratio)))
    }

    /// How it did.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if self.pairs.is_empty() {
            return Verdict::Failed;
        }
        let ratio = self.ratio();
        let reaches = |bound: f64| match self.better {
            Better::Lower => ratio <= bound,
            Better::Higher => ratio >= bound,
        };
        match (self.ours_max, self.must, self.aim) {
            (Some(bound), ..) => {
                if self.ours() <= bound {
                    Verdict::Must
                } else {
                    Verdict::Missed
                }
            }
            (None, _, Some(aim)) if reaches(aim) => Verdict::Aim,
            (None, Some(must), _) => {
                if reaches(must) {
                    Verdict::Must
                } else {
                    Verdict::Missed
                }
            }
            (None, None, _) => Verdict::Told,
        }
    }
}

/// The middle one; of an even number the mean of the two in the middle; of none, NaN.
#[must_use]
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A row with these pairs.
    pub fn row(id: &str, pairs: &[(f64, f64)], must: f64, aim: f64) -> RowResult {
        RowResult {
            section: Section::Mosquitto,
            id: id.into(),
            title: format!("the title of {id}"),
            unit: "CPU s/M".into(),
            better: Better::Lower,
            pairs: pairs.into(),
            rates: Some((1_000_000.0, 100_000.0)),
            must: Some(must),
            aim: Some(aim),
            ours_max: None,
            failure: None,
        }
    }

    #[test]
    fn medians() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), 2.5);
        assert!(median(std::iter::empty()).is_nan());
    }

    #[test]
    fn the_ratio_is_that_of_pairs_and_not_of_medians() {
        // The machine was busy in the first round and in the last, for both.
        let row = row("x", &[(2.0, 20.0), (1.0, 8.0), (9.0, 90.0)], 0.1, 0.05);
        assert_eq!((row.ours(), row.other(), row.ratio()), (2.0, 20.0, 0.1));
        assert_eq!(row.spread(), (0.1, 0.125));
        assert_eq!(row.verdict(), Verdict::Must);
    }

    #[test]
    fn verdicts() {
        let lower = |ratio: f64| row("x", &[(ratio, 1.0)], 0.2, 0.1).verdict();
        assert_eq!([0.1, 0.2, 0.21].map(lower), [Verdict::Aim, Verdict::Must, Verdict::Missed]);
        let higher =
            |ratio: f64| RowResult { better: Better::Higher, ..row("x", &[(ratio, 1.0)], 1.0, 1.25) }.verdict();
        assert_eq!([1.25, 1.0, 0.99].map(higher), [Verdict::Aim, Verdict::Must, Verdict::Missed]);
        let bound = |ours: f64| {
            RowResult { ours_max: Some(50.0), must: None, aim: None, ..row("x", &[(ours, 1.0)], 1.0, 1.0) }.verdict()
        };
        assert_eq!([50.0, 50.1].map(bound), [Verdict::Must, Verdict::Missed]);
        assert_eq!(row("x", &[], 1.0, 1.0).verdict(), Verdict::Failed);
        let told = RowResult { must: None, aim: None, ..row("x", &[(1.0, 1.0)], 1.0, 1.0) };
        assert_eq!(told.verdict(), Verdict::Told);
    }
}
