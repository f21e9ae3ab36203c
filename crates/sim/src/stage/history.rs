//! Time travel: the log of each branch, keyframes of the Stage within a budget of bytes, and a playhead. To rewind is
//! to restore the nearest keyframe and to let the same moments happen again, which gives the same entries. Whoever acts
//! in the past makes a branch; the old future is kept.

use std::fmt;
use std::rc::Rc;

use serde::Serialize;
use serde_json::Value;

use super::branches::{Branch, Input};
use super::check::{Seen, Verdict};
use super::clock::Next;
use super::command::{Command, Refusal};
use super::entry::{Entry, Refused};
use super::json::{Found, Wrong, value_of};
use super::{Check, Scenario, Stage};

/// Bytes that all keyframes may take.
pub const KEYFRAME_BYTES_MAX: usize = 64 << 20;
/// Entries between two keyframes, before they are thinned.
const KEYFRAME_EVERY: u64 = 64;
/// Moments in a row at which nothing can be seen, after which a step gives up looking for the next.
const UNSEEN_MAX: u32 = 1_000;

/// A scenario with all that has happened in it.
pub struct History {
    pub(super) scenario: Scenario,
    pub(super) branches: Vec<Branch>,
    pub(super) current: usize,
    pub(super) stage: Stage,
    first: Stage,
    frames: Vec<Frame>,
    bytes_max: usize,
    /// The last thing that a person tried, if it was refused.
    tried: Option<(Value, Refused)>,
}

/// A copy of the Stage.
struct Frame {
    branch: usize,
    stage: Stage,
    bytes: usize,
}

/// Where the playhead stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Playhead {
    /// Which branch.
    pub branch: usize,
    /// How many entries have happened: the last one is number `entries - 1`.
    pub entries: u64,
    /// How many entries the branch has.
    pub of: u64,
    /// The time, in microseconds.
    pub at: u64,
    /// The time of the branch's last entry.
    pub ends_at: u64,
}

/// Why a scenario or a command was not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Error {
    /// It can't be read.
    Wrong(Box<Wrong>),
    /// It can't be obeyed at this moment.
    Refused(Refusal),
    /// There is no such branch.
    NoBranch(usize, usize),
    /// There is no such entry.
    NoEntry(u64, u64),
    /// The entry is no packet.
    NoPacket(u64),
    /// The entry has to do with no message.
    NoMessage(u64),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Wrong(wrong) => write!(f, "{wrong}"),
            Error::Refused(refusal) => write!(f, "{refusal}"),
            Error::NoBranch(branch, of) => write!(f, "there is no branch {branch}; there are 0 to {}", of - 1),
            Error::NoEntry(n, 0) => write!(f, "there is no entry {n}; the log is empty"),
            Error::NoEntry(n, of) => write!(f, "there is no entry {n}; there are 0 to {}", of - 1),
            Error::NoPacket(n) => write!(f, "entry {n} is no packet"),
            Error::NoMessage(n) => write!(f, "entry {n} has to do with no message"),
        }
    }
}

impl std::error::Error for Error {}

impl From<Box<Wrong>> for Error {
    fn from(wrong: Box<Wrong>) -> Self {
        Error::Wrong(wrong)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Error::Refused(refusal)
    }
}

impl History {
    /// The beginning of a scenario. Nothing of its script has happened yet.
    #[must_use]
    pub fn new(scenario: Scenario) -> Self {
        Self::with_budget(scenario, KEYFRAME_BYTES_MAX)
    }

    /// The same, with another bound on the bytes of keyframes.
    #[must_use]
    pub fn with_budget(scenario: Scenario, bytes_max: usize) -> Self {
        let stage = Stage::new(&scenario);
        let first = stage.clone();
        let branches = vec![Branch::root()];
        History { scenario, branches, current: 0, stage, first, frames: Vec::new(), bytes_max, tried: None }
    }

    /// The Stage at the playhead.
    #[must_use]
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// The scenario.
    #[must_use]
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Where the playhead stands.
    #[must_use]
    pub fn playhead(&self) -> Playhead {
        let log = &self.branches[self.current].log;
        Playhead {
            branch: self.current,
            entries: self.stage.entries(),
            of: log.len() as u64,
            at: self.stage.now_us(),
            ends_at: log.last().map_or(0, |entry| entry.at),
        }
    }

    /// The whole log of the branch, behind the playhead too.
    #[must_use]
    pub fn log(&self) -> &[Rc<Entry>] {
        &self.branches[self.current].log
    }

    /// The log up to the playhead.
    #[must_use]
    pub fn past(&self) -> &[Rc<Entry>] {
        &self.log()[..self.stage.entries() as usize]
    }

    /// What happens next.
    #[must_use]
    pub fn next(&self) -> Next {
        let mut next = self.stage.next();
        next.at = self.next_us();
        next
    }

    /// Obeys a command, now. In the past that makes a branch, which is the current one then.
    ///
    /// # Errors
    /// It can't be obeyed; nothing has changed.
    pub fn command(&mut self, command: Command) -> Result<(), Error> {
        let (entries, after) = (self.stage.entries(), self.stage.moments());
        if let Err(refusal) = self.stage.command(&command) {
            self.tried = Some(((*command.json).clone(), (&refusal).into()));
            return Err(refusal.into());
        }
        self.tried = None;
        if (entries as usize) < self.log().len() {
            let fork = self.branches[self.current].fork(self.current, entries, after);
            self.current = self.branches.len();
            self.branches.push(fork);
        }
        let (at_us, scripted) = (self.stage.now_us(), self.stage.script_at);
        let input = Input { after, scripted, at_us, command: Rc::new(command) };
        self.branches[self.current].inputs.push(input);
        self.absorb();
        Ok(())
    }

    /// Reads a command and obeys it.
    ///
    /// # Errors
    /// It can't be read or can't be obeyed; nothing has changed. Until another is obeyed, checks know it as `refused`.
    pub fn give(&mut self, json: &str) -> Result<(), Error> {
        let json = value_of(json)?;
        match Command::read(&Found::whole(&json)) {
            Ok(command) => self.command(command),
            Err(wrong) => {
                self.tried = Some((json, Refused { is: wrong.kind(), why: wrong.to_string() }));
                Err(wrong.into())
            }
        }
    }

    /// On to the next moment at which something can be seen. Whether there was one.
    pub fn step(&mut self) -> bool {
        let before = self.stage.entries();
        for _ in 0..UNSEEN_MAX {
            if !self.advance() {
                return false;
            }
            if self.stage.entries() > before {
                return true;
            }
        }
        false
    }

    /// Back to the end of the moment before. Whether there was one.
    pub fn step_back(&mut self) -> bool {
        let entries = self.stage.entries();
        let earlier = self.branches[self.current].ends.partition_point(|end| *end < entries);
        if entries == 0 {
            return false;
        }
        self.go_to(if earlier == 0 { 0 } else { self.branches[self.current].ends[earlier - 1] });
        true
    }

    /// All moments up to this time, which is then the time. It never goes back.
    pub fn run_until(&mut self, until_us: u64) {
        while self.next_us().is_some_and(|at_us| at_us <= until_us) {
            self.advance();
        }
        self.stage.wait_until(until_us);
    }

    /// To the end of the moment that an entry belongs to; `None` is the beginning.
    ///
    /// # Errors
    /// The branch has no such entry.
    pub fn seek(&mut self, n: Option<u64>) -> Result<(), Error> {
        let branch = &self.branches[self.current];
        let target = match n {
            None => 0,
            Some(n) => {
                let end = branch.ends.partition_point(|end| *end <= n);
                *branch.ends.get(end).ok_or(Error::NoEntry(n, branch.log.len() as u64))?
            }
        };
        self.go_to(target);
        Ok(())
    }

    /// To a time of the branch, or on to it.
    pub fn seek_time(&mut self, at_us: u64) {
        let count = self.log().partition_point(|entry| entry.at <= at_us) as u64;
        let ends = &self.branches[self.current].ends;
        let whole = ends.partition_point(|end| *end <= count);
        self.go_to(if whole == 0 { 0 } else { ends[whole - 1] });
        self.run_until(at_us);
    }

    /// Makes another branch the current one, at its end.
    ///
    /// # Errors
    /// There is none.
    pub fn switch(&mut self, branch: usize) -> Result<(), Error> {
        if branch >= self.branches.len() {
            return Err(Error::NoBranch(branch, self.branches.len()));
        }
        if branch != self.current {
            self.current = branch;
            self.restore(self.log().len() as u64);
        }
        Ok(())
    }

    /// Whether a check holds at the playhead, and which of its parts do.
    #[must_use]
    pub fn check(&self, check: &Check) -> Verdict {
        check.judge(Seen { log: self.past(), from: 0, stage: &self.stage, tried: self.tried.as_ref() })
    }

    /// Bytes that the keyframes take, about.
    #[must_use]
    pub fn keyframe_bytes(&self) -> usize {
        self.frames.iter().map(|frame| frame.bytes).sum()
    }

    /// When the next moment is, one that is known already or a new one.
    fn next_us(&self) -> Option<u64> {
        match self.branches[self.current].input(self.stage.moments()) {
            Some(input) => Some(input.at_us),
            None => self.stage.due().map(|(at_us, _)| at_us),
        }
    }

    /// The next moment: what a person did then, or what happens by itself.
    fn advance(&mut self) -> bool {
        let moved = match self.branches[self.current].input(self.stage.moments()) {
            Some(input) => {
                self.stage.wait_until(input.at_us);
                let obeyed = self.stage.command(&input.command).is_ok();
                assert!(obeyed, "it was obeyed at the same moment before");
                true
            }
            None => self.stage.moment(),
        };
        self.absorb();
        moved
    }

    /// Takes over what the Stage has told: what is known already is the same, what is new is added.
    fn absorb(&mut self) {
        let fresh = self.stage.take_log();
        let branch = &mut self.branches[self.current];
        for entry in fresh {
            let known = branch.log.get(entry.n as usize);
            debug_assert!(known.is_none_or(|known| **known == entry), "{known:?}\n{entry:?}");
            if known.is_none() {
                branch.log.push(Rc::new(entry));
            }
        }
        let entries = self.stage.entries();
        if branch.ends.last().copied().unwrap_or(0) < entries {
            branch.ends.push(entries);
            self.keep();
        }
    }

    /// Keeps a copy of the Stage, if the last one is far behind.
    fn keep(&mut self) {
        let entries = self.stage.entries();
        let last = self.frames.iter().filter(|frame| frame.branch == self.current).map(|frame| frame.stage.entries());
        let fork = self.branches[self.current].parent.map_or(0, |(_, at)| at);
        if entries < last.max().unwrap_or(0).max(fork) + KEYFRAME_EVERY {
            return;
        }
        let bytes = self.stage.bytes();
        self.frames.push(Frame { branch: self.current, stage: self.stage.clone(), bytes });
        while self.keyframe_bytes() > self.bytes_max && self.thin() {}
    }

    /// Forgets the keyframe that is missed least: the gap it leaves is small, and it is long ago.
    fn thin(&mut self) -> bool {
        let mut best: Option<(u64, usize)> = None;
        let newest = self.frames.iter().map(|frame| frame.stage.entries()).max().unwrap_or(0);
        for (at, frame) in self.frames.iter().enumerate() {
            let n = frame.stage.entries();
            let others = self.frames.iter().filter(|other| other.branch == frame.branch).map(|it| it.stage.entries());
            let before = others.clone().filter(|other| *other < n).max().unwrap_or(0);
            let after = others.filter(|other| *other > n).min().unwrap_or(n + KEYFRAME_EVERY);
            // Gaps may grow with age, but not so much that the oldest are far from everything.
            let missed = (after - before) * 1_024 / (newest - n + newest / 2 + 1);
            if best.is_none_or(|(least, _)| missed < least) {
                best = Some((missed, at));
            }
        }
        best.map(|(_, at)| self.frames.remove(at)).is_some()
    }

    /// The playhead goes there, which is the end of a moment.
    fn go_to(&mut self, target: u64) {
        if target == self.stage.entries() && self.branches[self.current].time_of(target) == self.stage.now_us() {
            return;
        }
        self.restore(target);
    }

    fn restore(&mut self, target: u64) {
        let near = self.frames.iter().filter(|frame| self.leads_here(frame.branch, frame.stage.entries()));
        let near = near.filter(|frame| frame.stage.entries() <= target).max_by_key(|frame| frame.stage.entries());
        self.stage = near.map_or(&self.first, |frame| &frame.stage).clone();
        while self.stage.entries() < target && self.advance() {}
    }

    /// Whether what a branch was like after so many entries belongs to the past of the current one.
    fn leads_here(&self, branch: usize, entries: u64) -> bool {
        let mut at = self.current;
        let mut upto = u64::MAX;
        loop {
            if at == branch {
                return entries <= upto;
            }
            match self.branches[at].parent {
                Some((parent, fork)) => (at, upto) = (parent, upto.min(fork)),
                None => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Many more entries than the budget has keyframes for: what is near the end of the log keeps nearly all of them,
    /// what is long ago few, and nothing is far from one.
    #[test]
    fn keyframes_thin_with_age() {
        let scenario = r#"{"v":1,"clients":[{"id":"a","link":{"latency_ms":1}}],
            "script":[[0,{"do":"connect","who":"a"}],[1000,{"do":"subscribe","who":"a","filter":"t"}]]}"#;
        let scenario = Scenario::parse(scenario).unwrap_or_else(|wrong| panic!("{wrong}"));
        let mut history = History::with_budget(scenario, 1 << 20);
        for n in 0..2_000 {
            history.run_until(n * 100_000);
            // Between its CONNECT and CONNACK nothing is refused either.
            let _ = history.give(r#"{"do":"publish","who":"a","topic":"t","payload":"1"}"#);
            assert!(history.keyframe_bytes() <= 1 << 20);
        }
        let mut ends: Vec<u64> = history.frames.iter().map(|frame| frame.stage.entries()).collect();
        ends.insert(0, 0);
        assert!(ends.is_sorted() && ends.len() > 16, "{ends:?}");
        let of = history.playhead().of;
        let gap = |from: u64, to: u64| {
            let pairs = ends.windows(2).filter(|pair| (from..to).contains(&pair[0]));
            pairs.map(|pair| pair[1] - pair[0]).max().unwrap_or(u64::MAX)
        };
        let (old, young) = (gap(0, of / 2), gap(of * 7 / 8, of));
        assert!(old > 2 * young, "{old} and {young} of {of}: {ends:?}");
        assert!(old < of / 4 && young < of / 16, "{old} and {young} of {of}: {ends:?}");
    }
}
