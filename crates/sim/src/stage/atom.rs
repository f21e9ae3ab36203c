//! Atoms: kinds of entries, as checks name them. An atom is the entry's word and some of its fields with what they must
//! say; what is not said may be anything. A field that an entry of this kind can't have, and a word that it can't say,
//! are errors when the check is read: a check with a slip of the pen would otherwise wait for ever.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::command::{Command, PACKETS};
use super::entry::{By, Decision, Entry, Happening, Refused, Sent, Timer, TimerKind, Told, What};
use super::json::{Found, Wrong};

/// A kind of entries.
#[derive(Debug)]
pub struct Atom {
    of: Of,
    like: Map<String, Value>,
}

/// What an entry tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Of {
    Told,
    Sent,
    Delivered,
    Lost,
    Command,
    Refused,
    Decision,
    Event,
    Timer,
}

/// What a field can say.
#[derive(Clone, Copy)]
enum Says {
    Text,
    Flag,
    Number(u64),
    OneOf(&'static [&'static str]),
}

/// What a field of an entry says.
enum Said<'a> {
    Nothing,
    Text(&'a str),
    Texts(&'a [String]),
    Number(u64),
    Flag(bool),
}

/// The fields that an atom can name, and what they can say.
type Fields = &'static [(&'static str, Says)];

const TOLD: Fields = &[
    ("who", Says::Text),
    ("topic", Says::Text),
    ("payload", Says::Text),
    ("qos", Says::Number(2)),
    ("retain", Says::Flag),
    ("dup", Says::Flag),
];
const PACKET: Fields = &[
    ("from", Says::Text),
    ("to", Says::Text),
    ("packet", Says::OneOf(&PACKETS)),
    ("topic", Says::Text),
    ("payload", Says::Text),
    ("filter", Says::Text),
    ("id", Says::Number(65_535)),
    ("qos", Says::Number(2)),
    ("dup", Says::Flag),
    ("retain", Says::Flag),
    ("reason", Says::Number(255)),
    ("session_present", Says::Flag),
];
const REFUSED: Fields = &[("who", Says::Text), ("do", Says::Text), ("why", Says::Text)];
const DECISION: Fields = &[
    ("is", Says::OneOf(&["published", "delivered", "not_delivered"])),
    ("who", Says::Text),
    ("client_identifier", Says::Text),
    ("topic", Says::Text),
    ("filter", Says::Text),
    ("qos", Says::Number(2)),
    ("retain", Says::Flag),
    ("how", Says::OneOf(&["sent", "queued"])),
    ("why", Says::Text),
    ("level", Says::Number(65_535)),
];
const EVENT: Fields = &[
    ("is", Says::Text),
    ("who", Says::Text),
    ("client_identifier", Says::Text),
    ("session_present", Says::Flag),
    ("session_kept", Says::Flag),
    ("reason", Says::Number(255)),
    ("why", Says::Text),
];
const TIMER: Fields = &[("what", Says::OneOf(&TimerKind::NAMES)), ("who", Says::Text)];

const KINDS: [(&str, Of, Fields); 9] = [
    ("told", Of::Told, TOLD),
    ("sent", Of::Sent, PACKET),
    ("delivered", Of::Delivered, PACKET),
    ("lost", Of::Lost, PACKET),
    ("command", Of::Command, &[]),
    ("refused", Of::Refused, REFUSED),
    ("decision", Of::Decision, DECISION),
    ("event", Of::Event, EVENT),
    ("timer", Of::Timer, TIMER),
];

/// The words that atoms begin with.
pub fn words() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(word, ..)| *word).chain(["predicted"])
}

impl Atom {
    /// Reads an atom; `None` if it begins with no word of one.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn read(found: &Found<'_>) -> Result<Option<Self>, Box<Wrong>> {
        let mut fields = found.fields()?;
        if let Some(found) = fields.may("predicted") {
            let option = found.text()?;
            fields.end()?;
            let like = [("do", "predict"), ("option", option)].map(|(key, word)| (key.to_owned(), word.into()));
            return Ok(Some(Atom { of: Of::Command, like: Map::from_iter(like) }));
        }
        for (word, of, known) in KINDS {
            if let Some(inner) = fields.may(word) {
                fields.end()?;
                let like = if of == Of::Command { Command::read_like(&inner)? } else { read_fields(&inner, known)? };
                return Ok(Some(Atom { of, like }));
            }
        }
        Ok(None)
    }

    /// Whether an entry is of this kind. `log` is the whole log, from entry 0.
    pub fn is_like(&self, entry: &Entry, log: &[Rc<Entry>]) -> bool {
        let what = |n: u64| log.get(n as usize).map(|entry| &entry.what);
        match (self.of, &entry.what) {
            (Of::Told, What::Told(told)) => self.says(&|name| told.field(name)),
            (Of::Sent, What::Sent(sent)) => self.says(&|name| sent.field(name)),
            (Of::Delivered, What::Delivered(passed)) | (Of::Lost, What::Lost(passed)) => {
                matches!(what(passed.packet), Some(What::Sent(sent)) if self.says(&|name| sent.field(name)))
            }
            (Of::Command, What::Command(command)) => self.is_command(command, entry.by),
            (Of::Refused, What::Refused(refused)) => match entry.cause.and_then(what) {
                Some(What::Command(command)) => self.is_refused(command, refused.is),
                _ => false,
            },
            (Of::Decision, What::Decision(decision)) => self.says(&|name| match name {
                "topic" => text(topic_of(decision, &log[..=entry.n as usize])),
                _ => decision.field(name),
            }),
            (Of::Event, What::Event(happening)) => self.says(&|name| happening.field(name)),
            (Of::Timer, What::Timer(timer)) => self.says(&|name| timer.field(name)),
            _ => false,
        }
    }

    fn says<'a>(&self, field: &dyn Fn(&str) -> Said<'a>) -> bool {
        self.like.iter().all(|(name, wanted)| wanted.is_null() || field(name).is(wanted))
    }

    /// Whether it is about refusals, and a person's command that was refused so is one of them.
    pub fn is_tried(&self, tried: Option<&(Value, Refused)>) -> bool {
        self.of == Of::Refused && tried.is_some_and(|(command, refused)| self.is_refused(command, refused.is))
    }

    fn is_refused(&self, command: &Value, kind: &str) -> bool {
        let said = |name| if name == "why" { Some(kind) } else { command.get(name).and_then(Value::as_str) };
        self.like.iter().all(|(name, wanted)| wanted.is_null() || wanted.as_str() == said(name))
    }

    /// Fields that a command leaves out say no, 0 or nothing, those of a connection apart: they stay as they were.
    fn is_command(&self, command: &Value, by: Option<By>) -> bool {
        const ABSENT_IS_NO: [&str; 7] =
            ["payload", "qos", "retain", "with_will", "no_local", "retain_as_published", "retain_handling"];
        let is_no = |value: &Value| match value {
            Value::Bool(flag) => !flag,
            Value::Number(number) => number.as_u64() == Some(0),
            Value::String(text) => text.is_empty(),
            Value::Null | Value::Array(_) | Value::Object(_) => false,
        };
        self.like.iter().all(|(name, wanted)| match command.get(name) {
            _ if wanted.is_null() => true,
            _ if name == "by" => wanted.as_str() == by.map(By::name),
            Some(said) => said == wanted,
            None => ABSENT_IS_NO.contains(&name.as_str()) && is_no(wanted),
        })
    }
}

fn read_fields(found: &Found<'_>, known: Fields) -> Result<Map<String, Value>, Box<Wrong>> {
    let mut fields = found.fields()?;
    for (name, says) in known {
        let Some(found) = fields.may(name) else { continue };
        match says {
            Says::Text => drop(found.text()?),
            Says::Flag => drop(found.flag()?),
            Says::Number(most) => drop(found.number(0, *most)?),
            Says::OneOf(words) => drop(found.place_in(words)?),
        }
    }
    fields.end()?;
    Ok(found.value.as_object().cloned().unwrap_or_default())
}

impl Said<'_> {
    fn is(&self, wanted: &Value) -> bool {
        match self {
            Said::Nothing => false,
            Said::Text(text) => wanted.as_str() == Some(text),
            Said::Texts(texts) => wanted.as_str().is_some_and(|wanted| texts.iter().any(|text| text == wanted)),
            Said::Number(number) => wanted.as_u64() == Some(*number),
            Said::Flag(flag) => wanted.as_bool() == Some(*flag),
        }
    }
}

fn text(text: Option<&str>) -> Said<'_> {
    text.map_or(Said::Nothing, Said::Text)
}

fn number<T: Into<u64>>(number: Option<T>) -> Said<'static> {
    number.map_or(Said::Nothing, |number| Said::Number(number.into()))
}

fn flag(flag: Option<bool>) -> Said<'static> {
    flag.map_or(Said::Nothing, Said::Flag)
}

impl Told {
    fn field(&self, name: &str) -> Said<'_> {
        match name {
            "who" => Said::Text(&self.who),
            "topic" => Said::Text(&self.topic),
            "payload" => Said::Text(&self.payload),
            "qos" => Said::Number(self.qos.into()),
            "retain" => Said::Flag(self.retain),
            "dup" => Said::Flag(self.dup),
            _ => Said::Nothing,
        }
    }
}

impl Sent {
    fn field(&self, name: &str) -> Said<'_> {
        let comes = self.toward != "broker";
        match name {
            "from" => Said::Text(if comes { "broker" } else { &self.who }),
            "to" => Said::Text(if comes { &self.who } else { "broker" }),
            "packet" => text(self.kind),
            "topic" => text(self.topic.as_deref()),
            "payload" => text(self.payload.as_deref()),
            "filter" => Said::Texts(&self.filters),
            "id" => number(self.id),
            "qos" => number(self.qos),
            "dup" => flag(self.dup),
            "retain" => flag(self.retain),
            "reason" => number(self.reason),
            "session_present" => flag(self.session_present),
            _ => Said::Nothing,
        }
    }
}

impl Decision {
    fn field(&self, name: &str) -> Said<'_> {
        match name {
            "is" => Said::Text(self.is),
            "who" => text(self.who.as_deref()),
            "client_identifier" => text(self.client_identifier.as_deref()),
            "filter" => text(self.filter.as_deref()),
            "qos" => number(self.qos),
            "retain" => flag(self.retain),
            "how" => text(self.how),
            "why" => text(self.why),
            "level" => number(self.level),
            _ => Said::Nothing,
        }
    }
}

/// Only the first decision about a message names its topic. A new broker counts messages anew, so the nearest counts.
fn topic_of<'a>(decision: &Decision, log: &'a [Rc<Entry>]) -> Option<&'a str> {
    log.iter().rev().find_map(|entry| match &entry.what {
        What::Decision(it) if it.is == "published" && it.publication == decision.publication => it.topic.as_deref(),
        _ => None,
    })
}

impl Happening {
    fn field(&self, name: &str) -> Said<'_> {
        match name {
            "is" => Said::Text(self.is),
            "who" => text(self.who.as_deref()),
            "client_identifier" => text(self.client_identifier.as_deref()),
            "session_present" => flag(self.session_present),
            "session_kept" => flag(self.session_kept),
            "reason" => number(self.reason),
            "why" => text(self.why),
            _ => Said::Nothing,
        }
    }
}

impl Timer {
    fn field(&self, name: &str) -> Said<'_> {
        match name {
            "what" => Said::Text(self.what.name()),
            "who" => text(self.who.as_deref()),
            _ => Said::Nothing,
        }
    }
}
