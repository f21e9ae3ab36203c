//! One line of a story: who does what, after how long.

use bytes::Bytes;
use wasmqtt_broker::{Command, Grant, Limits, Permissions, Subject, Verdict};
use wasmqtt_codec::{PacketType, ProtocolVersion, ReasonCode};

use super::args::{Args, duration_us, number};
use super::error::{ParseError, Wrong};
use super::token::{Word, words};
use super::wish::Wish;
use super::{bridge, client, raw, settings};
use crate::target::StoreMode;

/// One step of a story.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// The line it stands on.
    pub line: u32,
    /// Time that passes before it, in microseconds.
    pub after_us: u64,
    /// What happens.
    pub act: Act,
}

/// What happens in a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// Only time passes.
    Wait,
    /// A client opens a transport and says nothing yet.
    Open {
        /// The client.
        who: String,
        /// The version in which its answers are read.
        version: ProtocolVersion,
    },
    /// A client sends packets in one write; the first one opens the transport if need be.
    Client {
        /// The client.
        who: String,
        /// What it sends.
        sends: Vec<Wish>,
    },
    /// Whether a client acknowledges by itself from now on.
    Acks {
        /// The client.
        who: String,
        /// By itself, or only when the story says so.
        automatic: bool,
    },
    /// Something happens to a client's transport.
    Link {
        /// The client.
        who: String,
        /// What happens.
        what: LinkAct,
    },
    /// Something happens to the broker as a whole.
    Broker(BrokerAct),
    /// How the log behaves from now on.
    Store(StoreMode),
    /// An operator's wish.
    Operator(Operation),
    /// The answer to an open question: that client's, or the oldest one.
    Answer {
        /// The client it is about.
        who: Option<String>,
        /// The answer.
        verdict: Verdict,
    },
}

/// What can happen to a transport.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkAct {
    /// It goes without a word.
    Cut,
    /// It goes at the moment a packet of this type would pass, whichever way.
    CutBefore(PacketType),
    /// It goes when this many packets of this type have passed, whichever way.
    CutAfter(u32, PacketType),
    /// The client stops reading.
    Freeze,
    /// The client reads again.
    Thaw,
    /// Bytes of the client are delivered in pieces of this many; 0 = as they are sent.
    Split(usize),
    /// Whether a remote that is dialled answers from now on.
    Reachable(bool),
}

/// What can happen to a broker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BrokerAct {
    /// It crashes and is restored from the records that were stored.
    Restart,
    /// Its state is saved and loaded into a new one, connections and all.
    Swap,
    /// The machine slept this long, in microseconds.
    Sleep(u64),
}

/// An operator's wish.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Operation {
    /// A command; its reply is shown.
    Command(Command),
    /// New limits: fields by name over those in force.
    SetLimits(Vec<Word>),
    /// Counters by name.
    Count(Vec<String>),
}

/// Reads the step on a line and adds it; nothing if the line is empty. `repeat` adds many.
pub fn read(line: &str, number: u32, steps: &mut Vec<Step>) -> Result<(), ParseError> {
    let text = line.trim_start();
    if let Some(rest) = text.strip_prefix("repeat ") {
        let (times, rest) = rest.trim_start().split_once(' ').unwrap_or((rest, ""));
        let word = Word { line: number, column: 8, key: None, value: times.into(), quoted: false };
        for n in 1..=self::number::<u32>(&word)? {
            read(&rest.replace("{n}", &n.to_string()), number, steps)?;
        }
        return Ok(());
    }
    if let Some(rest) = text.split_once(" raw ").map(|(_, rest)| rest) {
        return read_raw(line, rest, number, steps);
    }
    let mut statements = words(line, number)?.into_iter();
    let mut args = Args::new(statements.next().unwrap_or_default(), number);
    let after_us = after(&mut args)?;
    let act = if args.is_empty() { Act::Wait } else { act(&mut args, statements.collect())? };
    args.finish()?;
    if after_us > 0 || act != Act::Wait {
        steps.push(Step { line: number, after_us, act });
    }
    Ok(())
}

fn read_raw(line: &str, rest: &str, number: u32, steps: &mut Vec<Step>) -> Result<(), ParseError> {
    let column = (line.len() - rest.len()) as u32 + 1;
    let before = &line[..line.len() - rest.len()];
    let mut args = Args::new(words(before, number)?.concat(), number);
    let after_us = after(&mut args)?;
    let who = args.expect("a client's name")?.text()?.into();
    args.take_next();
    args.finish()?;
    let act = Act::Client { who, sends: vec![Wish::Raw(raw::read(rest, number, column)?)] };
    steps.push(Step { line: number, after_us, act });
    Ok(())
}

fn after(args: &mut Args) -> Result<u64, ParseError> {
    if !args.peek().is_some_and(|word| word.is("after")) {
        return Ok(0);
    }
    args.take_next();
    duration_us(&args.expect("a time")?)
}

fn act(args: &mut Args, more: Vec<Vec<Word>>) -> Result<Act, ParseError> {
    let head = args.expect("a client's name, link, broker, store, operator, answer or repeat")?;
    match head.text()? {
        "link" => link(args),
        "broker" => broker(args),
        "store" => store(args),
        "operator" => operator(args).map(Act::Operator),
        "bridge" => bridge::command(args).map(Operation::Command).map(Act::Operator),
        "answer" => answer(args),
        who => client_act(who.into(), args, more),
    }
}

fn client_act(who: String, args: &mut Args, more: Vec<Vec<Word>>) -> Result<Act, ParseError> {
    let verb = args.expect("a verb")?;
    match verb.text()? {
        "open" => {
            let version = client::version(args).unwrap_or(ProtocolVersion::V5);
            return Ok(Act::Open { who, version });
        }
        "acks" => {
            let automatic = choice(&args.expect("auto or manual")?, &[("auto", true), ("manual", false)])?;
            return Ok(Act::Acks { who, automatic });
        }
        _ => {}
    }
    let mut sends = vec![wish(&verb, args)?];
    for words in more {
        let mut args = Args::new(words, verb.line);
        let verb = args.expect("a verb")?;
        sends.push(wish(&verb, &mut args)?);
        args.finish()?;
    }
    Ok(Act::Client { who, sends })
}

fn wish(verb: &Word, args: &mut Args) -> Result<Wish, ParseError> {
    let allowed = || client::VERBS.iter().map(|&verb| verb.into()).collect();
    let unknown = || verb.wrong(Wrong::Unknown { found: verb.show(), allowed: allowed() });
    client::wish(verb.text()?, args)?.ok_or_else(unknown)
}

fn link(args: &mut Args) -> Result<Act, ParseError> {
    let who = args.expect("a client's name")?.text()?.into();
    let verb = args.expect("cut, freeze, thaw, split, up or down")?;
    let what = match verb.text()? {
        "freeze" => LinkAct::Freeze,
        "thaw" => LinkAct::Thaw,
        "up" => LinkAct::Reachable(true),
        "down" => LinkAct::Reachable(false),
        "split" => LinkAct::Split(number(&args.expect("a number of bytes")?)?),
        "cut" => match args.positional() {
            None => LinkAct::Cut,
            Some(word) if word.is("before") => LinkAct::CutBefore(packet_type(args)?),
            Some(word) if word.is("after") => {
                let count = number(&args.expect("a number of packets")?)?;
                LinkAct::CutAfter(count, packet_type(args)?)
            }
            Some(word) => return Err(unknown(&word, &["before", "after"])),
        },
        _ => return Err(unknown(&verb, &["cut", "freeze", "thaw", "split", "up", "down"])),
    };
    Ok(Act::Link { who, what })
}

fn broker(args: &mut Args) -> Result<Act, ParseError> {
    let verb = args.expect("restart, swap, stop or sleep")?;
    Ok(match verb.text()? {
        "restart" => Act::Broker(BrokerAct::Restart),
        "swap" => Act::Broker(BrokerAct::Swap),
        "stop" => Act::Operator(Operation::Command(Command::Stop)),
        "sleep" => Act::Broker(BrokerAct::Sleep(duration_us(&args.expect("a time")?)?)),
        _ => return Err(unknown(&verb, &["restart", "swap", "stop", "sleep"])),
    })
}

fn store(args: &mut Args) -> Result<Act, ParseError> {
    let modes = [("hold", StoreMode::Hold), ("release", StoreMode::AtOnce), ("fail", StoreMode::Fail)];
    choice(&args.expect("hold, release or fail")?, &modes).map(Act::Store)
}

fn operator(args: &mut Args) -> Result<Operation, ParseError> {
    let verb = args.expect("a command")?;
    let command = match verb.text()? {
        "publish" => {
            let topic = args.expect("a Topic Name")?.text()?.into();
            let payload = args.positional().map(|word| Bytes::from(word.value)).unwrap_or_default();
            Command::Publish { topic, payload, qos: args.qos("qos")?, retain: args.flag("retain")? }
        }
        "kick" => Command::Kick {
            client_identifier: args.expect("a Client Identifier")?.text()?.into(),
            reason: args.reason()?.unwrap_or(ReasonCode::AdministrativeAction),
            end_session: args.flag("end_session")?,
        },
        "set_permissions" => {
            Command::SetPermissions(settings::permissions(args)?.unwrap_or_else(Permissions::everything))
        }
        "set_limits" => {
            let mut words = Vec::new();
            while let Some(word) = args.take_next() {
                words.push(word);
            }
            settings::set_fields(&mut Limits::default(), Args::new(words.clone(), verb.line))?;
            return Ok(Operation::SetLimits(words));
        }
        "count" => {
            let mut names = Vec::new();
            while let Some(word) = args.positional() {
                names.push(word.text()?.into());
            }
            return Ok(Operation::Count(names));
        }
        "inspect" => Command::Inspect { subject: subject(args)?, skip: 0, limit: 100 },
        _ => {
            let all = ["publish", "kick", "set_permissions", "set_limits", "count", "inspect"];
            return Err(unknown(&verb, &all));
        }
    };
    Ok(Operation::Command(command))
}

fn subject(args: &mut Args) -> Result<Subject, ParseError> {
    let verb = args.expect("sessions, subscriptions, in_flight, queue, retained or bridges")?;
    let mut name = || -> Result<String, ParseError> { Ok(args.expect("a name or filter")?.text()?.into()) };
    Ok(match verb.text()? {
        "sessions" => Subject::Sessions,
        "subscriptions" => Subject::Subscriptions { client_identifier: name()? },
        "in_flight" => Subject::InFlight { client_identifier: name()? },
        "queue" => Subject::Queue { client_identifier: name()? },
        "retained" => Subject::Retained { filter: name()? },
        "bridges" => Subject::Bridges,
        _ => return Err(unknown(&verb, &["sessions", "subscriptions", "in_flight", "queue", "retained", "bridges"])),
    })
}

fn answer(args: &mut Args) -> Result<Act, ParseError> {
    let mut word = args.expect("allow, continue or refuse")?;
    let mut who = None;
    if !["allow", "continue", "refuse"].iter().any(|verb| word.is(verb)) {
        who = Some(word.text()?.into());
        word = args.expect("allow, continue or refuse")?;
    }
    let verdict = match word.text()? {
        "allow" => Verdict::Allow(Grant {
            user: args.text("user")?,
            permissions: settings::permissions(args)?,
            authentication_data: args.bytes("data").map(Bytes::from),
        }),
        "continue" => Verdict::Continue { data: Bytes::from(args.bytes("data").unwrap_or_default()) },
        "refuse" => Verdict::Refuse {
            reason: args.reason()?.unwrap_or(ReasonCode::NotAuthorized),
            reason_string: args.text("reason_string")?,
            server_reference: args.text("server_reference")?,
        },
        _ => return Err(unknown(&word, &["allow", "continue", "refuse"])),
    };
    Ok(Act::Answer { who, verdict })
}

/// A packet type by its name.
pub fn packet_type(args: &mut Args) -> Result<PacketType, ParseError> {
    let word = args.expect("a packet type such as PUBCOMP")?;
    let bits = PACKET_TYPES.iter().position(|name| word.is(name));
    let found = bits.and_then(|bits| PacketType::from_bits(bits as u8 + 1));
    found.ok_or_else(|| unknown(&word, &PACKET_TYPES))
}

/// The names of the packet types, from 1.
pub const PACKET_TYPES: [&str; 15] = [
    "CONNECT",
    "CONNACK",
    "PUBLISH",
    "PUBACK",
    "PUBREC",
    "PUBREL",
    "PUBCOMP",
    "SUBSCRIBE",
    "SUBACK",
    "UNSUBSCRIBE",
    "UNSUBACK",
    "PINGREQ",
    "PINGRESP",
    "DISCONNECT",
    "AUTH",
];

fn choice<T: Copy>(word: &Word, choices: &[(&str, T)]) -> Result<T, ParseError> {
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    choices.iter().find(|(name, _)| word.is(name)).map(|(_, value)| *value).ok_or_else(|| unknown(word, &names))
}

pub(super) fn unknown(word: &Word, allowed: &[&str]) -> ParseError {
    word.wrong(Wrong::Unknown { found: word.show(), allowed: allowed.iter().map(|&a| a.into()).collect() })
}
