//! Hunting: seeds are run one after another, and what an oracle objects to is told again with ever fewer clients,
//! faults and actions while the same oracle objects, until the story is short enough to be read.

use crate::oracle::Objection;
use crate::world::faults::KINDS;
use crate::world::plan::{Act, Plan, Planned};
use crate::world::{self, Outcome};

/// How often a story is told while it is shortened.
const TELLINGS_MAX: u32 = 3_000;

/// Something found.
#[derive(Clone, Debug)]
pub struct Find {
    /// The seed.
    pub seed: u64,
    /// What the whole plan led to.
    pub objection: Objection,
    /// The shortest plan found with which the same oracle objects.
    pub shortest: Plan,
    /// What it objects to there.
    pub in_short: Objection,
    /// How many actions the whole plan had.
    pub actions: usize,
}

/// What many runs were like.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sum {
    /// How many seeds.
    pub seeds: u64,
    /// Turns of the broker.
    pub steps: u64,
    /// The most turns of one seed.
    pub steps_max: u32,
    /// Seeds that ran out of turns before they came to rest.
    pub cut_short: u64,
    /// Messages that users were told.
    pub deliveries: u64,
    /// Questions that were to be answered with yes, with the wish to hear more, and with no.
    pub verdicts: [u64; 3],
    /// Faults that happened, by kind.
    pub faults: [u64; KINDS.len()],
    /// Seeds to which an oracle objected.
    pub found: u64,
}

impl Sum {
    /// Adds a run.
    pub fn add(&mut self, outcome: &Outcome) {
        self.seeds += 1;
        self.steps += u64::from(outcome.steps);
        self.steps_max = self.steps_max.max(outcome.steps);
        self.cut_short += u64::from(outcome.cut_short);
        self.deliveries += u64::from(outcome.deliveries);
        self.found += u64::from(outcome.objection.is_some());
        for (sum, count) in self.verdicts.iter_mut().zip(outcome.verdicts) {
            *sum += u64::from(count);
        }
        for (sum, count) in self.faults.iter_mut().zip(outcome.faults) {
            *sum += u64::from(count);
        }
    }

    /// Adds what another thread has.
    pub fn merge(&mut self, other: &Sum) {
        self.seeds += other.seeds;
        self.steps += other.steps;
        self.steps_max = self.steps_max.max(other.steps_max);
        self.cut_short += other.cut_short;
        self.deliveries += other.deliveries;
        self.found += other.found;
        for (sum, count) in self.verdicts.iter_mut().zip(other.verdicts) {
            *sum += count;
        }
        for (sum, count) in self.faults.iter_mut().zip(other.faults) {
            *sum += count;
        }
    }
}

/// Runs one seed.
#[must_use]
pub fn try_seed(seed: u64) -> (Plan, Outcome) {
    let plan = world::draw(seed);
    let outcome = world::run(&plan);
    (plan, outcome)
}

/// Looks for the shortest story with which the same oracle objects.
#[must_use]
pub fn shorten(plan: Plan, objection: Objection) -> Find {
    shorten_with(plan, objection, &world::run)
}

/// The same with another way to run a plan.
pub fn shorten_with(plan: Plan, objection: Objection, run: &dyn Fn(&Plan) -> Outcome) -> Find {
    let (seed, actions) = (plan.seed, plan.actions.len());
    let mut search = Search { shortest: plan, in_short: objection.clone(), tellings: 0, run };
    search.drop_clients();
    search.drop_actions();
    search.heal_early();
    search.drop_actions();
    Find { seed, objection, shortest: search.shortest, in_short: search.in_short, actions }
}

struct Search<'a> {
    shortest: Plan,
    in_short: Objection,
    tellings: u32,
    run: &'a dyn Fn(&Plan) -> Outcome,
}

impl Search<'_> {
    /// Keeps a plan if the same oracle objects to it.
    fn keeps(&mut self, plan: Plan) -> bool {
        if self.tellings == TELLINGS_MAX {
            return false;
        }
        self.tellings += 1;
        match (self.run)(&plan).objection {
            Some(objection) if objection.oracle == self.in_short.oracle => {
                self.shortest = plan;
                self.in_short = objection;
                true
            }
            _ => false,
        }
    }

    fn with(&self, actions: Vec<Planned>) -> Plan {
        Plan { actions, ..self.shortest.clone() }
    }

    /// All that a client does, at once.
    fn drop_clients(&mut self) {
        for who in 0..self.shortest.clients.len() {
            let others = self.shortest.actions.iter().filter(|planned| planned.act.who() != Some(who));
            let others: Vec<Planned> = others.cloned().collect();
            if others.len() < self.shortest.actions.len() {
                let plan = self.with(others);
                self.keeps(plan);
            }
        }
    }

    /// Delta debugging: leaves out runs of actions, long ones first, until no single one can be left out.
    fn drop_actions(&mut self) {
        let mut run = self.shortest.actions.len().div_ceil(2);
        while run > 0 {
            let mut from = 0;
            let mut dropped = false;
            while from < self.shortest.actions.len() {
                let mut actions = self.shortest.actions.clone();
                actions.drain(from..actions.len().min(from + run));
                let plan = self.with(actions);
                if self.keeps(plan) {
                    dropped = true;
                } else {
                    from += run;
                }
            }
            if !dropped || run > 1 {
                run /= 2;
            }
        }
    }

    /// Without a need for it, nothing waits after the last action.
    fn heal_early(&mut self) {
        let last_us = self.shortest.actions.iter().map(|planned| planned.at_us).max().unwrap_or(0);
        let plan = Plan { heal_at_us: last_us + 1_000_000, ..self.shortest.clone() };
        self.keeps(plan);
    }
}

impl Find {
    /// A recording of the shortest story, and one of the whole run, as `.wqr` files.
    #[must_use]
    pub fn recordings(&self) -> [Vec<u8>; 2] {
        [world::run_recorded(&self.shortest).1, world::run_recorded(&world::draw(self.seed)).1]
    }

    /// The find as people read it.
    #[must_use]
    pub fn report(&self) -> String {
        let faults = self.shortest.actions.iter().filter(|planned| matches!(planned.act, Act::Fault(_))).count();
        format!(
            "seed {}: {}\nshortest story: {} of {} actions, {faults} of them faults\n{}so {}\n",
            self.seed,
            self.objection,
            self.shortest.actions.len(),
            self.actions,
            self.shortest.story(),
            self.in_short
        )
    }
}
