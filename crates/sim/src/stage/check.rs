//! Checks: what a lesson wants to have happened, as data, judged over the log up to the playhead and the state there.
//! The same code judges in the page and where lessons are tested.

use std::rc::Rc;

use serde::Serialize;
use serde_json::Value;

use super::Stage;
use super::command::read_packet_type;
use super::entry::{By, Entry, Sent, What};
use super::json::{Found, Wrong, value_of};

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
    /// Entries of these kinds come one after another, with anything between them.
    Before(Vec<Atom>),
    /// One of the first kind comes at most so many microseconds after one of the second.
    Within(Atom, Atom, u64),
    /// None of the first kind came after the last of the second, and that is at least so many microseconds ago.
    Quiet(Atom, Atom, u64),
    /// The check holds over what came after the last entry of this kind; without one it does not.
    Since(Atom, Box<Check>),
    /// There is an entry of this kind.
    Has(Atom),
    /// A client is in this state.
    State(State),
}

/// A kind of entries. What is not said may be anything.
#[derive(Clone, Debug)]
pub enum Atom {
    /// A user got a message.
    Told(ToldLike),
    /// A packet left.
    Sent(PacketLike),
    /// A packet arrived.
    Delivered(PacketLike),
    /// A packet was lost.
    Lost(PacketLike),
    /// A command that has all of these fields.
    Command(Value),
    /// A decision.
    Decision(Words),
    /// An event.
    Event(Words),
    /// A timer fired.
    Timer(Words),
    /// The learner said that this will happen.
    Predicted(String),
}

/// What a message is like.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "each field is the field of the entry of that name")]
pub struct ToldLike {
    pub who: Option<String>,
    pub topic: Option<String>,
    pub payload: Option<String>,
    pub qos: Option<u64>,
    pub retain: Option<bool>,
    pub dup: Option<bool>,
}

/// What a packet is like.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "each field is the field of the entry of that name")]
pub struct PacketLike {
    pub from: Option<String>,
    pub to: Option<String>,
    pub packet: Option<&'static str>,
    pub topic: Option<String>,
    pub payload: Option<String>,
    pub filter: Option<String>,
    pub id: Option<u64>,
    pub qos: Option<u64>,
    pub dup: Option<bool>,
    pub retain: Option<bool>,
    pub reason: Option<u64>,
    pub session_present: Option<bool>,
}

/// Fields of a decision, an event or a timer, and what they must say.
#[derive(Clone, Debug)]
pub struct Words(Vec<(&'static str, Value)>);

/// How a client stands.
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

const WORDS: [&str; 9] = ["all", "any", "not", "count", "before", "within", "quiet", "since", "state"];
const ATOMS: [&str; 9] = ["told", "sent", "delivered", "lost", "command", "decision", "event", "timer", "predicted"];

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
    pub fn read(found: &Found<'_>) -> Result<Self, Box<Wrong>> {
        let mut fields = found.fields()?;
        let list = |found: Found<'_>| found.list()?.iter().map(Check::read).collect::<Result<Vec<_>, _>>();
        let check = if let Some(found) = fields.may("all") {
            Check::All(list(found)?)
        } else if let Some(found) = fields.may("any") {
            Check::Any(list(found)?)
        } else if let Some(found) = fields.may("not") {
            Check::Not(Box::new(Check::read(&found)?))
        } else if let Some(found) = fields.may("count") {
            let mut fields = found.fields()?;
            let of = Atom::read(&fields.must("of")?)?;
            let min = fields.number("min", 0, 1 << 32)?.unwrap_or(0);
            let max = fields.number("max", 0, 1 << 32)?.unwrap_or(u64::MAX);
            fields.end()?;
            Check::Count(of, min, max)
        } else if let Some(found) = fields.may("before") {
            let atoms = found.list()?.iter().map(Atom::read).collect::<Result<Vec<_>, _>>()?;
            if atoms.len() < 2 {
                return Err(found.not("a list of at least two"));
            }
            Check::Before(atoms)
        } else if let Some(found) = fields.may("within") {
            let (of, after, us) = read_span(&found)?;
            Check::Within(of, after, us)
        } else if let Some(found) = fields.may("quiet") {
            let (of, after, us) = read_span(&found)?;
            Check::Quiet(of, after, us)
        } else if let Some(found) = fields.may("since") {
            let mut fields = found.fields()?;
            let (last, check) = (Atom::read(&fields.must("last")?)?, Check::read(&fields.must("check")?)?);
            fields.end()?;
            Check::Since(last, Box::new(check))
        } else if let Some(found) = fields.may("state") {
            Check::State(State::read(&found)?)
        } else {
            return Atom::read(found).map(Check::Has);
        };
        fields.end()?;
        Ok(check)
    }

    /// Whether it holds.
    #[must_use]
    pub fn holds(&self, log: &[Rc<Entry>], stage: &Stage) -> bool {
        self.judge(log, stage).holds
    }

    pub(super) fn judge(&self, log: &[Rc<Entry>], stage: &Stage) -> Verdict {
        self.judge_from(0, log, stage)
    }

    /// The same over the entries from one on; those before it may still be what they answer.
    fn judge_from(&self, from: usize, log: &[Rc<Entry>], stage: &Stage) -> Verdict {
        let parts_of =
            |checks: &[Check]| checks.iter().map(|check| check.judge_from(from, log, stage)).collect::<Vec<_>>();
        let seen = log.get(from..).unwrap_or_default();
        let all = |atom: &Atom| seen.iter().filter(|entry| atom.is_like(entry, log)).cloned().collect::<Vec<_>>();
        let last = |atom: &Atom| seen.iter().rfind(|entry| atom.is_like(entry, log));
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
            Check::Not(check) => !check.judge_from(from, log, stage).holds,
            Check::Count(of, min, max) => (*min..=*max).contains(&(all(of).len() as u64)),
            Check::Before(atoms) => {
                let mut entries = seen.iter();
                atoms.iter().all(|atom| entries.any(|entry| atom.is_like(entry, log)))
            }
            Check::Within(of, after, us) => {
                let of = all(of);
                all(after).iter().any(|b| of.iter().any(|a| a.n > b.n && a.at <= b.at.saturating_add(*us)))
            }
            Check::Quiet(of, after, us) => last(after).is_some_and(|after| {
                stage.now_us() >= after.at.saturating_add(*us) && all(of).iter().all(|entry| entry.n < after.n)
            }),
            Check::Since(atom, check) => match last(atom) {
                Some(entry) => {
                    let verdict = check.judge_from(entry.n as usize + 1, log, stage);
                    parts = verdict.parts;
                    verdict.holds
                }
                None => false,
            },
            Check::Has(atom) => seen.iter().any(|entry| atom.is_like(entry, log)),
            Check::State(state) => stage.is_in(state),
        };
        Verdict { holds, parts }
    }
}

/// Reads two kinds of entries and a time between them, in microseconds.
fn read_span(found: &Found<'_>) -> Result<(Atom, Atom, u64), Box<Wrong>> {
    let mut fields = found.fields()?;
    let (of, after) = (Atom::read(&fields.must("of")?)?, Atom::read(&fields.must("after")?)?);
    let ms = fields.must("ms")?.number(0, 1 << 40)?;
    fields.end()?;
    Ok((of, after, ms * 1_000))
}

impl Atom {
    fn read(found: &Found<'_>) -> Result<Self, Box<Wrong>> {
        let mut fields = found.fields()?;
        let Some((word, inner)) = ATOMS.iter().find_map(|word| Some((*word, fields.may(word)?))) else {
            let known: Vec<&str> = WORDS.iter().chain(&ATOMS).copied().collect();
            return Err(found.not(&format!("a check; it has one of {}", known.join(", "))));
        };
        let atom = match word {
            "told" => Atom::Told(ToldLike::read(&inner)?),
            "sent" => Atom::Sent(PacketLike::read(&inner)?),
            "delivered" => Atom::Delivered(PacketLike::read(&inner)?),
            "lost" => Atom::Lost(PacketLike::read(&inner)?),
            "command" => {
                inner.fields()?;
                Atom::Command(inner.value.clone())
            }
            "decision" => Atom::Decision(Words::read(
                &inner,
                &["is", "who", "client_identifier", "topic", "filter", "qos", "retain", "how", "why", "level"],
            )?),
            "event" => Atom::Event(Words::read(
                &inner,
                &["is", "who", "client_identifier", "session_present", "session_kept", "reason", "why"],
            )?),
            "timer" => Atom::Timer(Words::read(&inner, &["what", "who"])?),
            _ => Atom::Predicted(inner.text()?.into()),
        };
        fields.end()?;
        Ok(atom)
    }

    fn is_like(&self, entry: &Entry, log: &[Rc<Entry>]) -> bool {
        match (self, &entry.what) {
            (Atom::Told(like), What::Told(told)) => {
                is(&like.who, &told.who)
                    && is(&like.topic, &told.topic)
                    && is(&like.payload, &told.payload)
                    && like.qos.is_none_or(|qos| qos == u64::from(told.qos))
                    && like.retain.is_none_or(|retain| retain == told.retain)
                    && like.dup.is_none_or(|dup| dup == told.dup)
            }
            (Atom::Sent(like), What::Sent(sent)) => like.is_like(sent),
            (Atom::Delivered(like), What::Delivered(passed)) | (Atom::Lost(like), What::Lost(passed)) => {
                match log.get(passed.packet as usize).map(|entry| &entry.what) {
                    Some(What::Sent(sent)) => like.is_like(sent),
                    _ => false,
                }
            }
            (Atom::Command(like), What::Command(command)) => {
                let like = like.as_object().expect("it was read as an object");
                like.iter().all(|(key, value)| match key.as_str() {
                    "by" => entry.by.map(|by| if by == By::User { "user" } else { "script" }) == value.as_str(),
                    _ => command.get(key).map_or_else(|| is_usual(key, value), |said| said == value),
                })
            }
            (Atom::Decision(words), What::Decision(decision)) => words.are_in(|name| decision.field(name)),
            (Atom::Event(words), What::Event(happening)) => words.are_in(|name| happening.field(name)),
            (Atom::Timer(words), What::Timer(timer)) => words.are_in(|name| timer.field(name)),
            (Atom::Predicted(option), What::Command(command)) => {
                let said = |key| command.get(key).and_then(Value::as_str);
                said("do") == Some("predict") && said("option") == Some(option)
            }
            _ => false,
        }
    }
}

/// Whether this is what a command means that says nothing of the field.
fn is_usual(field: &str, value: &Value) -> bool {
    match field {
        "retain" | "with_will" | "no_local" | "retain_as_published" => *value == Value::Bool(false),
        "qos" | "retain_handling" => value.as_u64() == Some(0),
        "payload" => value.as_str() == Some(""),
        _ => false,
    }
}

fn is(wanted: &Option<String>, found: &str) -> bool {
    wanted.as_ref().is_none_or(|wanted| wanted == found)
}

impl ToldLike {
    fn read(found: &Found<'_>) -> Result<Self, Box<Wrong>> {
        let mut fields = found.fields()?;
        let like = ToldLike {
            who: fields.text("who")?,
            topic: fields.text("topic")?,
            payload: fields.text("payload")?,
            qos: fields.number("qos", 0, 2)?,
            retain: fields.flag("retain")?,
            dup: fields.flag("dup")?,
        };
        fields.end()?;
        Ok(like)
    }
}

impl PacketLike {
    fn read(found: &Found<'_>) -> Result<Self, Box<Wrong>> {
        let mut fields = found.fields()?;
        let like = PacketLike {
            from: fields.text("from")?,
            to: fields.text("to")?,
            packet: fields.may("packet").map(|found| read_packet_type(&found)).transpose()?.map(|packet| packet.name()),
            topic: fields.text("topic")?,
            payload: fields.text("payload")?,
            filter: fields.text("filter")?,
            id: fields.number("id", 0, 65_535)?,
            qos: fields.number("qos", 0, 2)?,
            dup: fields.flag("dup")?,
            retain: fields.flag("retain")?,
            reason: fields.number("reason", 0, 255)?,
            session_present: fields.flag("session_present")?,
        };
        fields.end()?;
        Ok(like)
    }

    fn is_like(&self, sent: &Sent) -> bool {
        let (from, to) = match sent.toward {
            "broker" => (&*sent.who, "broker"),
            _ => ("broker", &*sent.who),
        };
        let is_text = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_ref().is_none_or(|wanted| found == Some(wanted.as_str()))
        };
        let is_number = |wanted: Option<u64>, found: Option<u64>| wanted.is_none() || wanted == found;
        let is_flag = |wanted: Option<bool>, found: Option<bool>| wanted.is_none() || wanted == found;
        is(&self.from, from)
            && is(&self.to, to)
            && (self.packet.is_none() || self.packet == sent.kind)
            && is_text(&self.topic, sent.topic.as_deref())
            && is_text(&self.payload, sent.payload.as_deref())
            && self.filter.as_ref().is_none_or(|filter| sent.filters.contains(filter))
            && is_number(self.id, sent.id.map(u64::from))
            && is_number(self.qos, sent.qos.map(u64::from))
            && is_flag(self.dup, sent.dup)
            && is_flag(self.retain, sent.retain)
            && is_number(self.reason, sent.reason.map(u64::from))
            && is_flag(self.session_present, sent.session_present)
    }
}

impl Words {
    fn read(found: &Found<'_>, known: &[&'static str]) -> Result<Self, Box<Wrong>> {
        let mut fields = found.fields()?;
        let words = known.iter().filter_map(|name| Some((*name, fields.may(name)?.value.clone()))).collect();
        fields.end()?;
        Ok(Words(words))
    }

    fn are_in(&self, field: impl Fn(&str) -> Value) -> bool {
        self.0.iter().all(|(name, wanted)| field(name) == *wanted)
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
            subscriptions: fields.number("subscriptions", 0, 1 << 32)?,
            queued: fields.number("queued", 0, 1 << 32)?,
        };
        fields.end()?;
        Ok(state)
    }
}

impl Stage {
    fn is_in(&self, state: &State) -> bool {
        let Some(who) = self.find(&state.who) else { return false };
        let session = self.session_of(&self.actors[who]);
        let subscribed = |filter: &String| {
            session.as_ref().is_some_and(|session| session.subscriptions.iter().any(|it| it.filter == *filter))
        };
        let queued = session.as_ref().map_or(0, |session| session.queue.len() as u64);
        let subscriptions = session.as_ref().map_or(0, |session| session.subscriptions.len() as u64);
        state.connected.is_none_or(|wanted| wanted == self.actors[who].is_live())
            && state.session.is_none_or(|wanted| wanted == session.is_some())
            && state.subscribed.as_ref().is_none_or(subscribed)
            && state.subscriptions.is_none_or(|wanted| wanted == subscriptions)
            && state.queued.is_none_or(|wanted| wanted == queued)
    }
}
