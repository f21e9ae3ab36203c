//! The soak's figures over time and the rules that judge them. A rule compares the first quarter behind the warm-up
//! with the last quarter, so that a single bad moment of the machine decides nothing.

use std::fmt::Write;

use serde::Serialize;

use crate::bench::results::median;

/// With more of the processors' time in other hands, latency says nothing about the broker.
const OTHERS_MAX: f64 = 0.2;

/// What was seen in an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Sample {
    /// Seconds from the beginning to its end.
    pub at_s: f64,
    /// The broker's memory.
    pub rss_bytes: u64,
    /// Connections that are open.
    pub connections: u32,
    /// Messages that honest clients received, per second.
    pub deliveries_per_s: f64,
    /// Messages that stalling clients received, per second.
    pub flood_per_s: f64,
    /// Lies told.
    pub lies: u64,
    /// Honest clients that went, and came again.
    pub returns: u64,
    /// The part of all processors' time that went to others than the broker and this program, 0 to 1.
    pub others: f64,
    /// The probe's median latency, in microseconds.
    pub p50_us: f64,
    /// 99 of 100 of the probe's messages are faster.
    pub p99_us: f64,
}

impl Sample {
    /// The heads of [`Self::line`]'s columns.
    pub const HEADS: &'static str =
        "   time        RSS  connections  honest/s   flood/s  lies  returns  others  probe p50     p99";

    /// A line of the report.
    #[must_use]
    pub fn line(&self) -> String {
        let Sample {
            at_s,
            rss_bytes,
            connections,
            deliveries_per_s,
            flood_per_s,
            lies,
            returns,
            others,
            p50_us,
            p99_us,
        } = self;
        let others = others * 100.0;
        let rss_mib = *rss_bytes as f64 / 1_048_576.0;
        format!(
            "{at_s:>5.0} s {rss_mib:>7.1} MiB  {connections:>11} {deliveries_per_s:>9.0} {flood_per_s:>9.0} {lies:>5} \
             {returns:>8} {others:>5.0} % {p50_us:>7.0} us {p99_us:>7.0}"
        )
    }
}

/// Everything that is judged.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Evidence {
    /// In their order.
    pub samples: Vec<Sample>,
    /// Samples up to this moment are warm-up, in seconds.
    pub warm_up_s: f64,
    /// QoS 1 and 2 messages that honest clients sent.
    pub owed: u64,
    /// Those of them that were received.
    pub received: u64,
    /// What was wrong with deliveries and connections of honest clients; the first few.
    pub wrongs: Vec<String>,
    /// How many there were.
    pub wrong: u64,
    /// QoS 0 messages that honest clients missed, which is allowed.
    pub missed_qos0: u64,
    /// QoS 1 messages that came again, which is allowed.
    pub duplicates: u64,
}

/// What became of a rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub enum Outcome {
    /// It holds.
    Kept,
    /// It doesn't.
    Broken,
    /// That can't be told from this soak.
    Unclear,
}

/// A rule and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Whether it was kept.
    pub outcome: Outcome,
    /// The rule, and the figures.
    pub text: String,
}

/// Applies all rules.
#[must_use]
pub fn judge(evidence: &Evidence) -> Vec<Finding> {
    vec![memory(evidence), latency(evidence), deliveries(evidence), honest(evidence)]
}

/// All findings as lines.
#[must_use]
pub fn text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { outcome, text: finding } in findings {
        let word = match outcome {
            Outcome::Kept => "kept   ",
            Outcome::Broken => "BROKEN ",
            Outcome::Unclear => "unclear",
        };
        let _ = writeln!(text, "{word} {finding}");
    }
    text
}

/// The medians of a figure in the first and in the last quarter behind the warm-up.
fn quarters(evidence: &Evidence, figure: impl Fn(&Sample) -> f64) -> Option<(f64, f64)> {
    let warm: Vec<_> = evidence.samples.iter().filter(|sample| sample.at_s > evidence.warm_up_s).collect();
    let quarter = warm.len().div_ceil(4);
    if warm.len() < 2 {
        return None;
    }
    let of = |samples: &[&Sample]| median(samples.iter().map(|sample| figure(sample)));
    Some((of(&warm[..quarter]), of(&warm[warm.len() - quarter..])))
}

fn memory(evidence: &Evidence) -> Finding {
    let rule = "memory is flat: the last quarter's RSS is at most 5 % and 4 MiB above the first's behind the warm-up";
    let mib = 1_048_576.0;
    match quarters(evidence, |sample| sample.rss_bytes as f64 / mib) {
        None => too_short(rule),
        Some((first, last)) => {
            let text = format!("{rule}: {first:.1} MiB, then {last:.1} MiB");
            finding(last <= first * 1.05 + 4.0, text)
        }
    }
}

fn latency(evidence: &Evidence) -> Finding {
    let rule = "latency doesn't drift: the last quarter's p50 is at most half and 200 us above the first's, its p99 at \
                most thrice and 5 ms";
    let p50 = quarters(evidence, |sample| sample.p50_us);
    let p99 = quarters(evidence, |sample| sample.p99_us);
    match p50.zip(p99) {
        None => too_short(rule),
        Some(((first50, last50), (first99, last99))) => {
            let is_kept = last50 <= first50 * 1.5 + 200.0 && last99 <= first99 * 3.0 + 5_000.0;
            let text = format!("{rule}: p50 {first50:.0} us, then {last50:.0}; p99 {first99:.0} us, then {last99:.0}");
            match quarters(evidence, |sample| sample.others) {
                Some((_, others)) if others > OTHERS_MAX => {
                    let busy = format!("; others had {:.0} % of the processors meanwhile", others * 100.0);
                    Finding { outcome: Outcome::Unclear, text: text + &busy }
                }
                _ => finding(is_kept, text),
            }
        }
    }
}

fn deliveries(evidence: &Evidence) -> Finding {
    let Evidence { owed, received, missed_qos0, duplicates, .. } = evidence;
    let text = format!(
        "no QoS 1 or 2 message of honest clients is lost: {received} of {owed} came ({duplicates} of QoS 1 again; \
         {missed_qos0} of QoS 0 did not, which is allowed)"
    );
    finding(owed == received && *owed > 0, text)
}

fn honest(evidence: &Evidence) -> Finding {
    let rule = "honest clients notice nothing of the others: no wrong order, no QoS 2 twice, no Session lost, no close";
    if evidence.wrong == 0 {
        return finding(true, rule.into());
    }
    let text = format!("{rule}: {} times, first: {}", evidence.wrong, evidence.wrongs.join("; "));
    finding(false, text)
}

fn finding(is_kept: bool, text: String) -> Finding {
    Finding { outcome: if is_kept { Outcome::Kept } else { Outcome::Broken }, text }
}

fn too_short(rule: &str) -> Finding {
    Finding { outcome: Outcome::Unclear, text: format!("{rule}: too short to tell, give more --minutes") }
}

#[cfg(test)]
mod tests {
    use super::Outcome::{Broken, Kept, Unclear};
    use super::*;

    /// A soak of 40 samples whose memory and latency go like this.
    fn evidence(rss_mib: impl Fn(u64) -> u64, p50_us: impl Fn(u64) -> u64) -> Evidence {
        let sample = |at: u64| Sample {
            at_s: at as f64,
            rss_bytes: rss_mib(at) << 20,
            p50_us: p50_us(at) as f64,
            p99_us: p50_us(at) as f64 * 4.0,
            ..Sample::default()
        };
        let samples = (1..=40).map(sample).collect();
        Evidence { samples, warm_up_s: 4.0, owed: 10, received: 10, ..Evidence::default() }
    }

    fn outcomes(evidence: &Evidence) -> Vec<Outcome> {
        judge(evidence).iter().map(|finding| finding.outcome).collect()
    }

    #[test]
    fn flat_is_flat_even_with_a_spike_and_a_warm_up() {
        let flat = evidence(|at| if at <= 4 { 10 * at } else { 100 + at % 3 }, |at| if at == 38 { 90_000 } else { 60 });
        assert_eq!(outcomes(&flat), [Kept; 4], "{}", text(&judge(&flat)));
    }

    #[test]
    fn a_leak_is_found() {
        assert_eq!(outcomes(&evidence(|at| 100 + at, |_| 60)), [Broken, Kept, Kept, Kept]);
    }

    #[test]
    fn a_drift_is_found() {
        assert_eq!(outcomes(&evidence(|_| 100, |at| 60 + 20 * at)), [Kept, Broken, Kept, Kept]);
    }

    #[test]
    fn a_drift_on_a_busy_machine_proves_nothing() {
        let mut busy = evidence(|_| 100, |at| 60 + 20 * at);
        busy.samples.iter_mut().for_each(|sample| sample.others = 0.5);
        assert_eq!(outcomes(&busy), [Kept, Unclear, Kept, Kept]);
    }

    #[test]
    fn a_loss_is_found_and_what_is_wrong_is_told() {
        let lossy = Evidence { received: 9, ..evidence(|_| 100, |_| 60) };
        assert_eq!(outcomes(&lossy), [Kept, Kept, Broken, Kept]);
        let wrong = Evidence { wrong: 2, wrongs: vec!["pair 3: twice".into()], ..evidence(|_| 100, |_| 60) };
        assert_eq!(outcomes(&wrong), [Kept, Kept, Kept, Broken]);
        assert!(text(&judge(&wrong)).contains("2 times, first: pair 3: twice"));
        let nothing = Evidence { owed: 0, received: 0, ..evidence(|_| 100, |_| 60) };
        assert_eq!(outcomes(&nothing), [Kept, Kept, Broken, Kept], "nothing sent proves nothing");
    }

    #[test]
    fn too_short_is_no_proof() {
        let mut short = evidence(|_| 100, |_| 60);
        short.samples.truncate(5);
        assert_eq!(outcomes(&short), [Unclear, Unclear, Kept, Kept]);
    }
}
