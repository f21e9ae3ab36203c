//! The seeded runner: inputs that mean something, changed at random, each given to a body; the first that fails is made
//! as short as it can be. All of it comes from a seed, so a failure can be had again.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

use crate::Body;

/// Inputs kept to change further.
const CORPUS_MAX: usize = 2_000;
/// Changes made to one input at most.
const CHANGES_MAX: u64 = 6;
/// Tries spent on making a failing input shorter.
const SHRINK_RUNS_MAX: u64 = 20_000;
/// Numbers that are at the edge of something.
const EDGES: [u8; 10] = [0, 1, 2, 0x0F, 0x10, 0x7F, 0x80, 0x81, 0xFE, 0xFF];

thread_local! {
    /// Where the last panic of this thread was, and what it said.
    static PANIC: RefCell<(String, String)> = const { RefCell::new((String::new(), String::new())) };
}

/// SplitMix64: the same numbers everywhere.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator that begins here.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.number() % end.max(1) as u64) as usize
    }
}

/// When to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// After so many runs.
    Runs(u64),
    /// After so long.
    Time(Duration),
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// How often the body ran.
    pub runs: u64,
    /// How long all that took.
    pub took: Duration,
    /// The slowest run.
    pub slowest: Duration,
    /// What failed, if anything did.
    pub failure: Option<Failure>,
}

/// An input for which it doesn't hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The run, from 0.
    pub run: u64,
    /// The input as it was.
    pub found: Vec<u8>,
    /// The shortest that fails at the same place.
    pub shortest: Vec<u8>,
    /// The place in the sources.
    pub place: String,
    /// What the panic said.
    pub said: String,
}

/// Runs a body on what comes of this seed. The panic hook of the process is replaced: panics are what is looked for.
pub fn run(body: &Body, seed: u64, until: Until) -> Report {
    let mut corpus = (body.seeds)();
    keep_panics();
    let mut random = Random::new(seed);
    let seeds = corpus.len() as u64;
    let begun = Instant::now();
    let mut report = Report { runs: 0, took: Duration::ZERO, slowest: Duration::ZERO, failure: None };
    while match until {
        Until::Runs(runs) => report.runs < runs,
        Until::Time(time) => begun.elapsed() < time,
    } {
        // First as they are, then changed.
        let input = match report.runs < seeds {
            true => corpus[report.runs as usize].clone(),
            false => changed(&corpus, body.bytes_max, &mut random),
        };
        let run_begun = Instant::now();
        if fails(body, &input).is_some() {
            report.failure = examine(body, &input).map(|failure| Failure { run: report.runs, ..failure });
            break;
        }
        report.slowest = report.slowest.max(run_begun.elapsed());
        report.runs += 1;
        // Nobody says here which inputs are interesting; some variety has to do.
        if random.below(64) == 0 {
            if corpus.len() < CORPUS_MAX {
                corpus.push(input);
            } else {
                let at = seeds as usize + random.below(CORPUS_MAX - seeds as usize);
                corpus[at] = input;
            }
        }
    }
    report.took = begun.elapsed();
    report
}

/// Runs a body on one input, and if it fails, on ever shorter ones. Replaces the panic hook as [`run`] does.
#[must_use]
pub fn examine(body: &Body, input: &[u8]) -> Option<Failure> {
    keep_panics();
    let (place, said) = fails(body, input)?;
    let shortest = shrink(body, input, &place);
    Some(Failure { run: 0, found: input.to_vec(), shortest, place, said })
}

/// Keeps what the last panic said instead of printing it: thousands may be needed to find the shortest input.
fn keep_panics() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let said = panic.payload_as_str().unwrap_or("a panic without words").to_owned();
        PANIC.with_borrow_mut(|last| *last = (place, said));
    }));
}

/// Where the body panics and what it says; `None` if it holds.
fn fails(body: &Body, input: &[u8]) -> Option<(String, String)> {
    let run = panic::catch_unwind(AssertUnwindSafe(|| (body.run)(input)));
    run.is_err().then(|| PANIC.with_borrow(Clone::clone))
}

/// An input with a few changes.
fn changed(corpus: &[Vec<u8>], bytes_max: usize, random: &mut Random) -> Vec<u8> {
    let mut input = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.number() % CHANGES_MAX {
        let at = random.below(input.len());
        match random.below(9) {
            0 if !input.is_empty() => input[at] ^= 1 << random.below(8),
            1 if !input.is_empty() => input[at] = random.number() as u8,
            2 if !input.is_empty() => input[at] = EDGES[random.below(EDGES.len())],
            3 if !input.is_empty() => input[at] = input[at].wrapping_add(1),
            4 => input.insert(at, random.number() as u8),
            5 => drop(input.drain(at..(at + 1 + random.below(8)).min(input.len()))),
            6 => {
                let part = input[at..(at + random.below(24)).min(input.len())].to_vec();
                let to = random.below(input.len());
                input.splice(to..to, part);
            }
            7 => {
                let other = &corpus[random.below(corpus.len())];
                let from = random.below(other.len());
                let part = other[from..(from + random.below(64)).min(other.len())].to_vec();
                input.splice(at..at, part);
            }
            _ => {
                let end = (at + random.below(16)).min(input.len());
                input[at..end].iter_mut().for_each(|byte| *byte = random.number() as u8);
            }
        }
    }
    input.truncate(bytes_max);
    input
}

/// The shortest and simplest input found that fails at the same place.
fn shrink(body: &Body, input: &[u8], place: &str) -> Vec<u8> {
    let mut best = input.to_vec();
    let mut runs = 0;
    let mut same = |candidate: &[u8]| {
        runs += 1;
        runs < SHRINK_RUNS_MAX && fails(body, candidate).is_some_and(|(found, _)| found == place)
    };
    loop {
        let before = best.clone();
        let mut size = best.len().div_ceil(2);
        while size > 0 {
            let mut at = 0;
            while at < best.len() {
                let end = (at + size).min(best.len());
                let without = [&best[..at], &best[end..]].concat();
                if same(&without) {
                    best = without;
                    continue;
                }
                let mut zeroed = best.clone();
                zeroed[at..end].fill(0);
                if zeroed != best && same(&zeroed) {
                    best = zeroed;
                }
                at = end;
            }
            size /= 2;
        }
        if best == before {
            return best;
        }
    }
}

/// Bytes as they are printed and typed.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes from hex digits; `None` if it isn't that.
#[must_use]
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let (pairs, rest) = digits.as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}
