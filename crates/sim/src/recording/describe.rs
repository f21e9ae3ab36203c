//! A recording for people: one line an item, what clients sent as the packets that it was. Secrets are shown by their
//! length only, unless they are asked for.

use std::collections::HashMap;
use std::fmt::Write;

use wasmqtt_broker::{Command, ConnectionId, Input, Time, Verdict};
use wasmqtt_codec::{Field, FieldValue, ProtocolVersion, Sender, describe};

use super::stream::{Piece, Stream, is_secret};
use super::{Beginning, Item, Placed};

/// Makes lines of items, which must come in their order.
#[derive(Default)]
pub struct Describer {
    /// Whether Application Messages, Wills, passwords and Authentication Data are shown.
    show_secrets: bool,
    streams: HashMap<ConnectionId, Stream>,
    first: Option<Time>,
}

/// Fields that say nothing that the others don't say.
const NOISE: [&str; 9] = [
    "MQTT Control Packet type",
    "Reserved",
    "Remaining Length",
    "Length",
    "Property Identifier",
    "Property Length",
    "Protocol Name",
    "User Name Flag",
    "Password Flag",
];

impl Describer {
    /// A describer that shows secrets or doesn't.
    #[must_use]
    pub fn new(show_secrets: bool) -> Self {
        Describer { show_secrets, ..Describer::default() }
    }

    /// The line of an item: its offset, seconds since the first input, what it is.
    pub fn line(&mut self, placed: &Placed) -> String {
        let mut line = format!("{:>10} ", placed.offset);
        match &placed.item {
            Item::Begin { why, from, .. } => {
                self.streams.clear();
                let from = match from {
                    Beginning::Empty => "empty".into(),
                    Beginning::Log(log) => format!("with a log of {} records", log.len()),
                    Beginning::Saved(saved) => format!("as saved, {} bytes", saved.len()),
                };
                let why = if why.is_empty() { String::new() } else { format!(" ({why:?})") };
                put(&mut line, format_args!("{:>16} a broker begins, {from}{why}", ""));
            }
            Item::Input { at, input } => {
                let us = at.us_since(*self.first.get_or_insert(*at));
                put(&mut line, format_args!("{:>9}.{:06} ", us / 1_000_000, us % 1_000_000));
                self.input(input, &mut line);
            }
            Item::Digest { id, digest } => {
                put(&mut line, format_args!("{:>16} digest {digest:016x} for command {}", "", id.0));
            }
            Item::End { why } => put(&mut line, format_args!("{:>16} the end: {why:?}", "")),
        }
        line
    }

    fn input(&mut self, input: &Input, line: &mut String) {
        match input {
            Input::Opened { conn, peer } => {
                self.streams.insert(*conn, Stream::of(peer));
                put(line, format_args!("{} opened: {:?}, {:?}", name(*conn), peer.transport, peer.address));
                put(line, format_args!(", listener {}", peer.listener));
                if let Some(identity) = &peer.identity {
                    put(line, format_args!(", {identity:?}"));
                }
            }
            Input::Received { conn, bytes } => {
                put(line, format_args!("{} received {} bytes", name(*conn), bytes.len()));
                self.received(*conn, bytes, line);
            }
            Input::Sent { conn, len } => put(line, format_args!("{} sent {len} bytes", name(*conn))),
            Input::Closed { conn } => {
                self.streams.remove(conn);
                put(line, format_args!("{} closed", name(*conn)));
            }
            Input::Answered { question, verdict } => {
                put(line, format_args!("question {} answered: ", question.0));
                self.verdict(verdict, line);
            }
            Input::Stored { upto } => put(line, format_args!("stored up to record {}", upto.0)),
            Input::StoreFailed { from } => put(line, format_args!("storing failed from record {}", from.0)),
            Input::Command { id, command } => {
                put(line, format_args!("command {}: ", id.0));
                self.command(command, line);
            }
            Input::Woke { slept_us } => put(line, format_args!("woke after {slept_us} us of sleep")),
            Input::Tick => line.push_str("tick"),
            Input::DialFailed { bridge } => put(line, format_args!("dial of bridge {} failed", bridge.0)),
        }
    }

    fn received(&mut self, conn: ConnectionId, bytes: &[u8], line: &mut String) {
        let stream = self.streams.entry(conn).or_default();
        let mut between = ": ";
        for piece in stream.feed(bytes) {
            line.push_str(between);
            between = "; ";
            match piece {
                Piece::Packet { version, from, bytes, .. } => packet(&bytes, version, from, self.show_secrets, line),
                Piece::Nonsense { .. } => line.push_str("bytes that no broker reads"),
            }
        }
        if stream.partial_bytes() > 0 {
            put(line, format_args!("{between}{} bytes of a packet", stream.partial_bytes()));
        }
    }

    fn verdict(&self, verdict: &Verdict, line: &mut String) {
        match verdict {
            Verdict::Allow(grant) => {
                put(line, format_args!("allow, user {:?}", grant.user));
                put(line, format_args!(", permissions {:?}", grant.permissions));
                if let Some(data) = &grant.authentication_data {
                    line.push_str(", Authentication Data ");
                    self.secret(data, line);
                }
            }
            Verdict::Continue { data } => {
                line.push_str("go on, Authentication Data ");
                self.secret(data, line);
            }
            Verdict::Refuse { reason, reason_string, server_reference } => {
                put(line, format_args!("refuse, {reason}, {reason_string:?}, {server_reference:?}"));
            }
        }
    }

    fn command(&self, command: &Command, line: &mut String) {
        match command {
            Command::Publish { topic, payload, qos, retain } => {
                put(line, format_args!("publish {topic:?}, QoS {}, RETAIN {retain}, ", qos.bits()));
                line.push_str("Application Message ");
                self.secret(payload, line);
            }
            Command::Kick { .. }
            | Command::SetLimits(_)
            | Command::SetPermissions(_)
            | Command::Inspect { .. }
            | Command::Count
            | Command::Digest
            | Command::Save
            | Command::Stop
            | Command::RemoveBridge { .. }
            | Command::SetTrace(_) => put(line, format_args!("{command:?}")),
            Command::AddBridge(config) => {
                let config = wasmqtt_broker::BridgeConfig { password: None, ..(**config).clone() };
                put(line, format_args!("add {config:?}"));
            }
        }
    }

    fn secret(&self, bytes: &[u8], line: &mut String) {
        secret(bytes, self.show_secrets, line);
    }
}

fn name(conn: ConnectionId) -> String {
    format!("{}.{}", conn.slot, conn.generation)
}

/// A packet's type and fields, and what is wrong with it.
fn packet(bytes: &[u8], version: ProtocolVersion, from: Sender, show_secrets: bool, line: &mut String) {
    let described = describe(bytes, version, from, &mut |field: Field<'_>| {
        if let FieldValue::Packet(packet) = field.value {
            put(line, format_args!("{packet}"));
        }
        if NOISE.contains(&field.name) {
            return;
        }
        let name = field.name;
        match field.value {
            FieldValue::Flag(true) => put(line, format_args!(", {name}")),
            FieldValue::Number(number) => put(line, format_args!(", {name} {number}")),
            FieldValue::Text(text) => put(line, format_args!(", {name} {text:?}")),
            FieldValue::Reason(reason) => put(line, format_args!(", {name} {reason}")),
            FieldValue::Binary(bytes) => {
                put(line, format_args!(", {name} "));
                secret(bytes, show_secrets || !is_secret(&field), line);
            }
            FieldValue::Flag(false) | FieldValue::Packet(_) | FieldValue::Group => {}
        }
    });
    if let Err(error) = described {
        put(line, format_args!(", and here it breaks a rule: {error}"));
    }
}

fn secret(bytes: &[u8], show: bool, line: &mut String) {
    match show {
        true => put(line, format_args!("\"{}\"", bytes.escape_ascii())),
        false => put(line, format_args!("({} bytes)", bytes.len())),
    }
}

fn put(line: &mut String, what: std::fmt::Arguments<'_>) {
    line.write_fmt(what).expect("a string can be written");
}

/// A moment as people write it, such as `2026-01-01T00:00:00.000000Z`.
#[must_use]
pub fn utc(time: Time) -> String {
    const DAYS_OF_400_YEARS: u64 = 146_097;
    let (seconds, us) = (time.0 / 1_000_000, time.0 % 1_000_000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Years that begin in March have their leap day at the end; day 0 is 0000-03-01.
    let days = days + 719_468;
    let (era, day) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{us:06}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_people_do() {
        assert_eq!(utc(Time(0)), "1970-01-01T00:00:00.000000Z");
        assert_eq!(utc(Time(951_782_399_000_001)), "2000-02-28T23:59:59.000001Z");
        assert_eq!(utc(Time(951_782_400_000_000)), "2000-02-29T00:00:00.000000Z");
        assert_eq!(utc(Time(1_767_225_600_000_000)), "2026-01-01T00:00:00.000000Z");
        assert_eq!(utc(Time(4_102_444_799_999_999)), "2099-12-31T23:59:59.999999Z");
    }
}
