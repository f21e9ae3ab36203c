//! Branches: what a person did, what happened, and where it parted from what had happened before. None is ever thrown
//! away, so that two can stand side by side: the same fault, once with QoS 1 and once with QoS 2.

use std::rc::Rc;

use serde::Serialize;
use serde_json::Value;

use super::command::Command;
use super::entry::{Entry, What};
use super::history::{Error, History};
use super::scenario::Addition;
use super::text;

/// One course of events.
pub struct Branch {
    /// Which branch it parted from, and behind how many entries.
    pub parent: Option<(usize, u64)>,
    /// What a person did.
    pub inputs: Vec<Input>,
    /// What happened, what is common with the parent too.
    pub log: Vec<Rc<Entry>>,
    /// How many entries there were at the end of each moment that had any.
    pub ends: Vec<u64>,
}

/// What a person did, and when.
#[derive(Clone)]
pub struct Input {
    /// Behind how many moments.
    pub after: u64,
    /// Behind how many commands of the script.
    pub scripted: usize,
    /// At which time.
    pub at_us: u64,
    /// What.
    pub command: Rc<Command>,
}

/// A branch, as pages show it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct BranchView {
    /// Its number.
    pub branch: usize,
    /// The branch that it parted from.
    pub parent: Option<usize>,
    /// Behind how many entries it parted.
    pub from: u64,
    /// How many entries it has.
    pub entries: u64,
    /// The time of its last entry.
    pub ends_at: u64,
    /// The command with which it parted, as the log has it.
    pub label: Option<String>,
    /// The command with which it parted.
    pub command: Option<Rc<Value>>,
}

/// Two branches side by side.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Comparison {
    /// How many entries they have in common: up to where they parted.
    pub common: u64,
    /// The time of the last of those.
    pub at: u64,
    /// What only the one has.
    pub left: Side,
    /// What only the other has.
    pub right: Side,
}

/// What a branch has that another has not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Side {
    /// Which branch.
    pub branch: usize,
    /// The time of its last entry.
    pub ends_at: u64,
    /// Packets sent.
    pub sent: u64,
    /// Packets lost.
    pub lost: u64,
    /// The entries with which users were told something, with the client's name.
    pub told: Vec<(Rc<str>, u64)>,
}

impl Branch {
    /// The first.
    #[must_use]
    pub fn root() -> Self {
        Branch { parent: None, inputs: Vec::new(), log: Vec::new(), ends: Vec::new() }
    }

    /// One that parts behind so many entries and moments.
    #[must_use]
    pub fn fork(&self, number: usize, entries: u64, moments: u64) -> Self {
        Branch {
            parent: Some((number, entries)),
            inputs: self.inputs.iter().filter(|input| input.after < moments).cloned().collect(),
            log: self.log[..entries as usize].to_vec(),
            ends: self.ends.iter().copied().filter(|end| *end <= entries).collect(),
        }
    }

    /// What a person did behind so many moments.
    #[must_use]
    pub fn input(&self, moments: u64) -> Option<&Input> {
        let at = self.inputs.binary_search_by_key(&moments, |input| input.after).ok()?;
        self.inputs.get(at)
    }

    /// The time behind so many entries.
    #[must_use]
    pub fn time_of(&self, entries: u64) -> u64 {
        entries.checked_sub(1).and_then(|last| self.log.get(last as usize)).map_or(0, |entry| entry.at)
    }

    fn side(&self, number: usize, common: u64) -> Side {
        let mut side =
            Side { branch: number, ends_at: self.time_of(self.log.len() as u64), sent: 0, lost: 0, told: Vec::new() };
        for entry in &self.log[common as usize..] {
            match &entry.what {
                What::Sent(_) => side.sent += 1,
                What::Lost(_) => side.lost += 1,
                What::Told(told) => side.told.push((told.who.clone(), entry.n)),
                What::Command(_)
                | What::Refused(_)
                | What::Opened(_)
                | What::Delivered(_)
                | What::Broke(_)
                | What::Learned(_)
                | What::Closed(_)
                | What::Decision(_)
                | What::Event(_)
                | What::Timer(_)
                | What::Restarted(_) => {}
            }
        }
        side
    }
}

impl History {
    /// All branches, in the order in which they were made.
    #[must_use]
    pub fn branches(&self) -> Vec<BranchView> {
        let view = |(number, branch): (usize, &Branch)| {
            let from = branch.parent.map_or(0, |(_, from)| from);
            let first = branch.parent.and_then(|_| branch.log.get(from as usize));
            let command = first.and_then(|entry| match &entry.what {
                What::Command(command) => Some(command.clone()),
                _ => None,
            });
            BranchView {
                branch: number,
                parent: branch.parent.map(|(parent, _)| parent),
                from,
                entries: branch.log.len() as u64,
                ends_at: branch.time_of(branch.log.len() as u64),
                label: command.as_ref().map(|command| text::command_line(command)),
                command,
            }
        };
        self.branches.iter().enumerate().map(view).collect()
    }

    /// The log of any branch.
    ///
    /// # Errors
    /// There is none.
    pub fn log_of(&self, branch: usize) -> Result<&[Rc<Entry>], Error> {
        let found = self.branches.get(branch).ok_or(Error::NoBranch(branch, self.branches.len()))?;
        Ok(&found.log)
    }

    /// Two branches side by side.
    ///
    /// # Errors
    /// There is no such branch.
    pub fn compare(&self, left: usize, right: usize) -> Result<Comparison, Error> {
        let (a, b) = (self.log_of(left)?, self.log_of(right)?);
        // What they have in common they share.
        let common = a.iter().zip(b).take_while(|(a, b)| Rc::ptr_eq(a, b)).count() as u64;
        Ok(Comparison {
            common,
            at: self.branches[left].time_of(common),
            left: self.branches[left].side(left, common),
            right: self.branches[right].side(right, common),
        })
    }

    /// The scenario as one line of JSON with its keys in order, as permalinks carry it; with what a person did up to
    /// the playhead as part of its script, if wished.
    #[must_use]
    pub fn scenario_json(&self, with_commands: bool) -> String {
        let inputs = self.branches[self.current].inputs.iter();
        let done = inputs.filter(|input| with_commands && input.after < self.stage.moments());
        let added = done.map(|Input { after, scripted, at_us, command }| Addition {
            scripted: *scripted,
            after: *after,
            at_us: *at_us,
            command,
        });
        self.scenario.to_json(&added.collect::<Vec<_>>())
    }
}
