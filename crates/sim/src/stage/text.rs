//! The log as text: one line an entry, in English, the same for ever. It is what a screen reader's user, a test and a
//! bug report have of a run.

use std::fmt::Write;
use std::rc::Rc;

use serde_json::Value;

use super::entry::{Decision, End, Entry, Happening, Restarted, Sent, TimerKind, What};
use super::json::text_of;

/// The whole log, one line an entry.
#[must_use]
pub fn text(log: &[Rc<Entry>]) -> String {
    let mut text = String::new();
    for entry in log {
        let at = format!("{}.{:06}", entry.at / 1_000_000, entry.at % 1_000_000);
        let cause = entry.cause.map_or(String::new(), |cause| format!("<{cause}"));
        let _ = writeln!(text, "{at:>12} {:>5} {cause:<6} {}", entry.n, line(entry, log));
    }
    text
}

/// An entry in words, without its number and time.
#[must_use]
pub fn line(entry: &Entry, log: &[Rc<Entry>]) -> String {
    let packet = |n: u64| match log.get(n as usize).map(|entry| &entry.what) {
        Some(What::Sent(sent)) => format!("{} {}", way(sent), packet_line(sent)),
        _ => format!("packet {n}"),
    };
    match &entry.what {
        What::Command(command) => format!("command: {}", command_line(command)),
        What::Refused(refused) => format!("refused: {}", refused.why),
        What::Opened(place) => format!("{} opens link {}", place.who, place.link),
        What::Sent(sent) => match sent.arrives_at {
            Some(at) => {
                format!("sent {} {}; arrives at {}.{:06}", way(sent), packet_line(sent), at / 1_000_000, at % 1_000_000)
            }
            None => format!("sent {} {}; the link is half-open", way(sent), packet_line(sent)),
        },
        What::Delivered(passed) => format!("delivered {}", packet(passed.packet)),
        What::Lost(passed) => {
            let percent = (passed.how_far.unwrap_or(0.0) * 100.0) as u32;
            format!("lost after {percent} % of its way {}", packet(passed.packet))
        }
        What::Broke(place) => format!("link {} of {} breaks", place.link, place.who),
        What::Learned(place) => match place.end {
            Some(End::Broker) => format!("the broker learns that link {} of {} is gone", place.link, place.who),
            _ => format!("{} learns that link {} is gone", place.who, place.link),
        },
        What::Closed(place) => {
            let reason = place.reason.as_deref().unwrap_or("");
            match place.end {
                Some(End::Broker) => format!("the broker closes link {} of {}: {reason}", place.link, place.who),
                _ => format!("{} closes link {}: {reason}", place.who, place.link),
            }
        }
        What::Decision(decision) => decision_line(decision),
        What::Event(happening) => happening_line(happening),
        What::Told(told) => {
            let mut line = format!("{} is told {} \"{}\" qos={}", told.who, told.topic, plain(&told.payload), told.qos);
            put(&mut line, told.retain, " retain");
            put(&mut line, told.dup, " dup");
            line
        }
        What::Timer(timer) => match &timer.who {
            Some(who) => format!("timer: {} of {who}", timer_name(timer.what)),
            None => format!("timer: {}", timer_name(timer.what)),
        },
        What::Restarted(Restarted { storage: true }) => "the broker restarts with what it stored".into(),
        What::Restarted(Restarted { storage: false }) => "the broker restarts with nothing".into(),
    }
}

fn put(line: &mut String, wanted: bool, text: &str) {
    if wanted {
        line.push_str(text);
    }
}

/// A payload on one line.
fn plain(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

fn way(sent: &Sent) -> String {
    match sent.toward {
        "broker" => format!("{} -> broker", sent.who),
        _ => format!("broker -> {}", sent.who),
    }
}

/// A packet in words.
#[must_use]
pub fn packet_line(sent: &Sent) -> String {
    let mut line = match sent.kind {
        Some(kind) => kind.to_owned(),
        None => format!("{} bytes that are no packet", sent.bytes.len()),
    };
    if let Some(topic) = &sent.topic {
        let _ = write!(line, " {topic}");
    }
    if let Some(payload) = &sent.payload {
        let _ = write!(line, " \"{}\"", plain(payload));
    }
    if let Some(qos) = sent.qos {
        let _ = write!(line, " qos={qos}");
    }
    put(&mut line, sent.retain == Some(true), " retain");
    put(&mut line, sent.dup == Some(true), " dup");
    if let Some(id) = sent.id {
        let _ = write!(line, " id={id}");
    }
    for filter in &sent.filters {
        let _ = write!(line, " {filter}");
    }
    if !sent.codes.is_empty() {
        let codes: Vec<String> = sent.codes.iter().map(u8::to_string).collect();
        let _ = write!(line, " codes={}", codes.join(","));
    }
    if let Some(clean) = sent.clean_start {
        let _ = write!(line, " clean_start={clean}");
    }
    if let Some(present) = sent.session_present {
        let _ = write!(line, " session_present={present}");
    }
    if let Some(reason) = sent.reason.filter(|reason| *reason > 0) {
        let _ = write!(line, " reason=0x{reason:02X}");
    }
    if let Some(error) = sent.error {
        let _ = write!(line, " ({error})");
    }
    line
}

/// A command in words: what it does, to whom, and its fields in order.
#[must_use]
pub fn command_line(command: &Value) -> String {
    let word = |key| command.get(key).and_then(Value::as_str).unwrap_or("");
    let mut line = word("do").to_owned();
    if !word("who").is_empty() {
        let _ = write!(line, " {}", word("who"));
    }
    for (key, value) in command.as_object().into_iter().flatten().filter(|(key, _)| *key != "do" && *key != "who") {
        let _ = write!(line, " {key}={}", text_of(value));
    }
    line
}

fn decision_line(it: &Decision) -> String {
    let who = it.who.as_deref().or(it.client_identifier.as_deref());
    let publication = it.publication;
    match it.is {
        "published" => {
            let mut line = format!("decision: message {publication} of {}", who.unwrap_or("the broker"));
            let _ = write!(line, " to {} qos={}", it.topic.as_deref().unwrap_or(""), it.qos.unwrap_or(0));
            put(&mut line, it.retain == Some(true), " retain");
            line
        }
        "delivered" => {
            let mut line = format!("decision: message {publication} goes to {}", who.unwrap_or("nobody"));
            let _ = write!(line, " through {} qos={}", it.filter.as_deref().unwrap_or(""), it.qos.unwrap_or(0));
            put(&mut line, it.retain == Some(true), " because it was retained");
            put(&mut line, it.how == Some("queued"), ", and waits");
            line
        }
        _ => {
            let mut line = format!("decision: message {publication} does not go to {}", who.unwrap_or("nobody"));
            let _ = write!(line, ": {}", it.why.unwrap_or(""));
            if let Some(filter) = &it.filter {
                let _ = write!(line, " {filter}");
            }
            if let Some(level) = it.level {
                let _ = write!(line, " at level {level}");
            }
            line
        }
    }
}

fn happening_line(it: &Happening) -> String {
    let who = it.who.as_deref().or(it.client_identifier.as_deref()).unwrap_or("somebody");
    let mut line = format!("event: {who} {}", it.is);
    if let Some(present) = it.session_present {
        let _ = write!(line, " session_present={present}");
    }
    if let Some(kept) = it.session_kept {
        let _ = write!(line, " session_kept={kept}");
    }
    if let Some(why) = it.why {
        let _ = write!(line, ": {why}");
    }
    if let Some(reason) = it.reason {
        let _ = write!(line, " (0x{reason:02X})");
    }
    line
}

fn timer_name(what: TimerKind) -> &'static str {
    match what {
        TimerKind::KeepAlive => "keep-alive",
        TimerKind::ConnectTimeout => "time for CONNECT",
        TimerKind::SessionExpiry => "session expiry",
        TimerKind::WillDelay => "will delay",
        TimerKind::MessageExpiry => "message expiry",
        TimerKind::Ping => "ping",
        TimerKind::NoPingresp => "no PINGRESP",
        TimerKind::Reconnect => "reconnect",
    }
}
