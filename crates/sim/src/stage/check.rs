//! Checks: what a lesson wants to have happened, as data, judged over the log up to the playhead and the state there.
//! The same code judges in the page and where lessons are tested. A check is an object of one word:
//!
//! ```text
//!   all: [check, ...]   any: [check, ...]   not: check
//!   count: {of, min, max}        so many entries are like `of`
//!   before: [a, b, ...]          one after another, with anything between them
//!   within: {of, after, ms}      some `of` comes at most so long after an `after`
//!   quiet: {of, after, ms}       no `of` has come since the last `after`, and that was at least so long ago
//!   since: {last, check}         the check, over what came behind the last entry like `last`; fails without one
//!   state: {who, connected, session, subscribed, subscriptions, queued}     how a client stands now
//!   any word of an atom          there is such an entry (see `atom`)
//! ```
//!
//! `refused` as a check of its own also holds while the last thing that a person tried can't be obeyed, which leaves no
//! entry; in `count` and the like it stands for commands of the script alone.

use std::rc::Rc;

use serde::Serialize;
use serde_json::Value;

use super::Stage;
use super::atom::{self, Atom};
use super::entry::{Entry, Refused};
use super::json::{Fields, Found, Wrong, value_of};

/// A check.
#[derive(Debug)]
pub enum Check {
    /// All of them hold.
    All(Vec<Check>),
    /// One of them holds.
    Any(Vec<Check>),
    /// It does not hold.
    Not(Box<Check>),
    /// So many entries are of this kind.
    Count(Atom, u64, u64),
    /// One of each kind comes, one after another.
    Before(Vec<Atom>),
    /// One of the first kind comes at most so many microseconds after one of the second.
    Within(Atom, Atom, u64),
    /// None of the first kind has come since the last of the second, for so many microseconds at least.
    Quiet(Atom, Atom, u64),
    /// It holds over what came behind the last of this kind.
    Since(Atom, Box<Check>),
    /// There is an entry of this kind.
    Has(Atom),
    /// A client is in this state.
    State(State),
}

/// How a client stands. What is not said may be anything.
#[derive(Clone, Debug)]
pub struct State {
    who: String,
    connected: Option<bool>,
    session: Option<bool>,
    subscribed: Option<String>,
    subscriptions: Option<u64>,
    queued: Option<u64>,
}

/// Whether a check holds, and which of its parts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Verdict {
    /// Whether it holds.
    pub holds: bool,
    /// Its parts, if it is made of such.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Verdict>,
}

/// What a check is judged over.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    /// The log up to the playhead.
    pub log: &'a [Rc<Entry>],
    /// The entries before this one are not looked at.
    pub from: usize,
    /// The Stage there.
    pub stage: &'a Stage,
    /// The last thing that a person tried, if it was refused.
    pub tried: Option<&'a (Value, Refused)>,
}

const WORDS: [&str; 9] = ["all", "any", "not", "count", "before", "within", "quiet", "since", "state"];
const COUNT_MAX: u64 = 1 << 32;
const MS_MAX: u64 = 1 << 40;

impl Check {
    /// Reads a check.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, Box<Wrong>> {
        Self::read(&Found::whole(&value_of(text)?))
    }

    /// Reads a check.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn read(whole: &Found<'_>) -> Result<Self, Box<Wrong>> {
        let mut fields = whole.fields()?;
        let Some((word, found)) = WORDS.iter().find_map(|word| Some((*word, fields.may(word)?))) else {
            return atom_of(whole).map(Check::Has);
        };
        let list = || found.list()?.iter().map(Check::read).collect::<Result<Vec<_>, _>>();
        let check = match word {
            "all" => Check::All(list()?),
            "any" => Check::Any(list()?),
            "not" => Check::Not(Box::new(Check::read(&found)?)),
            "before" => match found.list()? {
                atoms if atoms.len() < 2 => return Err(found.not("a list of two or more")),
                atoms => Check::Before(atoms.iter().map(atom_of).collect::<Result<_, _>>()?),
            },
            "state" => Check::State(State::read(&found)?),
            _ => {
                let mut fields = found.fields()?;
                let check = Check::read_of(word, &mut fields)?;
                fields.end()?;
                check
            }
        };
        fields.end()?;
        Ok(check)
    }

    /// Reads the words that have fields.
    fn read_of(word: &str, fields: &mut Fields<'_>) -> Result<Self, Box<Wrong>> {
        if word == "since" {
            let last = atom_of(&fields.must("last")?)?;
            return Ok(Check::Since(last, Box::new(Check::read(&fields.must("check")?)?)));
        }
        let of = atom_of(&fields.must("of")?)?;
        if word == "count" {
            let min = fields.number("min", 0, COUNT_MAX)?.unwrap_or(0);
            return Ok(Check::Count(of, min, fields.number("max", 0, COUNT_MAX)?.unwrap_or(u64::MAX)));
        }
        let after = atom_of(&fields.must("after")?)?;
        let us = fields.must("ms")?.number(0, MS_MAX)? * 1_000;
        Ok(if word == "within" { Check::Within(of, after, us) } else { Check::Quiet(of, after, us) })
    }

    /// Judges it.
    pub fn judge(&self, seen: Seen<'_>) -> Verdict {
        let parts_of = |checks: &[Check]| checks.iter().map(|check| check.judge(seen)).collect::<Vec<_>>();
        let mut parts = Vec::new();
        let holds = match self {
            Check::All(checks) => {
                parts = parts_of(checks);
                parts.iter().all(|part| part.holds)
            }
            Check::Any(checks) => {
                parts = parts_of(checks);
                parts.iter().any(|part| part.holds)
            }
            Check::Not(check) => !check.judge(seen).holds,
            Check::Count(of, min, max) => {
                let count = seen.entries().filter(|entry| of.is_like(entry, seen.log)).count() as u64;
                (*min..=*max).contains(&count)
            }
            Check::Before(atoms) => {
                let mut entries = seen.entries();
                atoms.iter().all(|atom| entries.any(|entry| atom.is_like(entry, seen.log)))
            }
            Check::Within(of, after, us) => seen.is_within(of, after, *us),
            Check::Quiet(of, after, us) => seen.behind_last(after).is_some_and(|behind| {
                let last_at = seen.log[behind.from - 1].at;
                behind.first(of).is_none() && seen.stage.now_us() - last_at >= *us
            }),
            Check::Since(last, check) => match seen.behind_last(last) {
                Some(behind) => return check.judge(behind),
                None => false,
            },
            Check::Has(atom) => atom.is_tried(seen.tried) || seen.first(atom).is_some(),
            Check::State(state) => seen.stage.is_in(state),
        };
        Verdict { holds, parts }
    }
}

fn atom_of(found: &Found<'_>) -> Result<Atom, Box<Wrong>> {
    Atom::read(found)?.ok_or_else(|| {
        let known: Vec<&str> = WORDS.into_iter().chain(atom::words()).collect();
        found.not(&format!("a check; it has one of {}", known.join(", ")))
    })
}

impl<'a> Seen<'a> {
    fn entries(self) -> impl DoubleEndedIterator<Item = &'a Rc<Entry>> {
        self.log[self.from..].iter()
    }

    fn first(self, atom: &Atom) -> Option<&'a Rc<Entry>> {
        self.entries().find(|entry| atom.is_like(entry, self.log))
    }

    /// What came behind the last entry of a kind.
    fn behind_last(self, atom: &Atom) -> Option<Self> {
        let last = self.entries().rfind(|entry| atom.is_like(entry, self.log))?;
        Some(Seen { from: last.n as usize + 1, ..self })
    }

    fn is_within(self, of: &Atom, after: &Atom, us: u64) -> bool {
        let mut last_at = None;
        for entry in self.entries() {
            if last_at.is_some_and(|at| entry.at - at <= us) && of.is_like(entry, self.log) {
                return true;
            }
            if after.is_like(entry, self.log) {
                last_at = Some(entry.at);
            }
        }
        false
    }
}

impl State {
    fn read(found: &Found<'_>) -> Result<Self, Box<Wrong>> {
        let mut fields = found.fields()?;
        let state = State {
            who: fields.must("who")?.text()?.into(),
            connected: fields.flag("connected")?,
            session: fields.flag("session")?,
            subscribed: fields.text("subscribed")?,
            subscriptions: fields.number("subscriptions", 0, COUNT_MAX)?,
            queued: fields.number("queued", 0, COUNT_MAX)?,
        };
        fields.end()?;
        Ok(state)
    }
}

impl Stage {
    fn is_in(&self, state: &State) -> bool {
        let Some(who) = self.find(&state.who) else { return false };
        let session = self.session_of(&self.actors[who]);
        let subscriptions = session.as_ref().map_or(&[][..], |session| &session.subscriptions[..]);
        let queued = session.as_ref().map_or(0, |session| session.queue.len() as u64);
        state.connected.is_none_or(|wanted| wanted == self.actors[who].is_live())
            && state.session.is_none_or(|wanted| wanted == session.is_some())
            && state.subscribed.as_ref().is_none_or(|wanted| subscriptions.iter().any(|it| it.filter == *wanted))
            && state.subscriptions.is_none_or(|wanted| wanted == subscriptions.len() as u64)
            && state.queued.is_none_or(|wanted| wanted == queued)
    }
}
