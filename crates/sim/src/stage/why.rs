//! Why: for a message, every client in one of few states, delivered and through which Topic Filter, queued, or the
//! first reason why not, all from the broker's decisions; and a packet with its fields, its cause and its effects.

use std::rc::Rc;

use serde::Serialize;
use wasmqtt_codec::{FieldValue, ProtocolVersion};

use super::entry::{Decision, Entry, Sent, What};
use super::history::{Error, History};
use super::json::hex_of;
use super::packet::sender;
use crate::world::faults::Toward;

/// The fate of a message.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Why {
    /// The entry with which the broker accepted it; none if it did not.
    pub published: Option<u64>,
    /// The packet that brought it to the broker; none if the broker published it itself, as a Will.
    pub packet: Option<u64>,
    /// What became of that packet if nothing was published: `on_its_way`, `lost` or `not_accepted`.
    pub fate: Option<&'static str>,
    /// The broker's decision that it accepts the message.
    pub message: Option<Decision>,
    /// Application Message, if a packet brought it.
    pub payload: Option<String>,
    /// What it means for each client.
    pub clients: Vec<Outcome>,
}

/// What a message means for a client.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Outcome {
    /// The client, or the Client Identifier of a Session that no client of the Stage has.
    pub who: Rc<str>,
    /// The entry of the decision; none if the broker has no Session for it.
    pub n: Option<u64>,
    /// `delivered`, `not_delivered`, or `no_session`.
    pub is: &'static str,
    /// The decision.
    pub decision: Option<Decision>,
    /// The packets that carried it there, those sent again too.
    pub packets: Vec<u64>,
    /// The entries with which its user was told.
    pub told: Vec<u64>,
}

/// A packet as people read it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PacketView {
    /// Its number.
    pub packet: u64,
    /// As it was sent.
    pub sent: Sent,
    /// `on_its_way`, `delivered` or `lost`.
    pub fate: &'static str,
    /// The entry that led to it.
    pub cause: Option<u64>,
    /// The entries that it led to.
    pub effects: Vec<u64>,
    /// Its fields, in the order of the wire.
    pub fields: Vec<Field>,
    /// The rule that it breaks, the statement, and the byte.
    pub error: Option<(&'static str, &'static str, u32)>,
}

/// A field of a packet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Field {
    /// The standard's name for it.
    pub name: &'static str,
    /// Its section, such as `5:3.3.1.1`.
    pub section: &'static str,
    /// Its first byte.
    pub from: u32,
    /// The byte behind its last.
    pub to: u32,
    /// Its highest and lowest bit, for a part of a byte.
    pub bits: Option<(u8, u8)>,
    /// How many groups it is inside of.
    pub depth: u8,
    /// What it says.
    pub value: Value,
}

/// What a field says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// A number.
    Number(u32),
    /// A bit.
    Flag(bool),
    /// A text.
    Text(String),
    /// Hexadecimal digits.
    Hex(String),
    /// A Reason Code and its name.
    Reason(u8, &'static str),
    /// A packet type.
    Packet(&'static str),
    /// The fields that follow, one deeper, are its parts.
    Group,
}

/// The fields of a packet, and the rule that it breaks.
#[must_use]
pub fn fields_of(bytes: &[u8], level: u8, toward: Toward) -> (Vec<Field>, Option<(&'static str, &'static str, u32)>) {
    let version = match level {
        3 => ProtocolVersion::V3_1,
        4 => ProtocolVersion::V3_1_1,
        _ => ProtocolVersion::V5,
    };
    let mut fields = Vec::new();
    let read = wasmqtt_codec::describe(bytes, version, sender(toward), &mut |field| {
        let value = match field.value {
            FieldValue::Number(number) => Value::Number(number),
            FieldValue::Flag(flag) => Value::Flag(flag),
            FieldValue::Text(text) => Value::Text(text.into()),
            FieldValue::Binary(bytes) => Value::Hex(hex_of(bytes)),
            FieldValue::Reason(reason) => Value::Reason(reason.byte(), reason.name()),
            FieldValue::Packet(packet) => Value::Packet(packet.name()),
            FieldValue::Group => Value::Group,
        };
        let (name, section, depth) = (field.name, field.section, field.depth);
        let (from, to) = (field.bytes.start, field.bytes.end);
        fields.push(Field { name, section, from, to, bits: field.bits, depth, value });
    });
    let error = read.err().map(|error| (error.rule.text(), error.rule.statement(version), error.offset));
    (fields, error)
}

impl History {
    fn entry(&self, n: u64) -> Result<&Rc<Entry>, Error> {
        self.past().get(n as usize).ok_or(Error::NoEntry(n, self.past().len() as u64))
    }

    fn sent(&self, n: u64) -> Option<&Rc<Sent>> {
        match &self.past().get(n as usize)?.what {
            What::Sent(sent) => Some(sent),
            _ => None,
        }
    }

    /// The packet that an entry is about.
    fn packet_of(entry: &Entry) -> Option<u64> {
        match &entry.what {
            What::Sent(sent) => Some(sent.packet),
            What::Delivered(passed) | What::Lost(passed) => Some(passed.packet),
            What::Told(told) => told.packet,
            _ => None,
        }
    }

    /// Whether a packet has arrived, and the entry that says so.
    fn fate(&self, packet: u64) -> (&'static str, Option<u64>) {
        let behind = self.past().get(packet as usize..).unwrap_or(&[]);
        let found = behind.iter().find_map(|entry| match &entry.what {
            What::Delivered(passed) if passed.packet == packet => Some(("delivered", Some(entry.n))),
            What::Lost(passed) if passed.packet == packet => Some(("lost", Some(entry.n))),
            _ => None,
        });
        found.unwrap_or(("on_its_way", None))
    }

    /// The packet that an entry is about, with its fields, its cause and its effects.
    ///
    /// # Errors
    /// There is no such entry up to the playhead, or it is about no packet.
    pub fn packet(&self, n: u64) -> Result<PacketView, Error> {
        let packet = Self::packet_of(self.entry(n)?).ok_or(Error::NoPacket(n))?;
        let sent = (**self.sent(packet).ok_or(Error::NoPacket(n))?).clone();
        let (fate, arrived) = self.fate(packet);
        let follows =
            |entry: &&Rc<Entry>| entry.cause.is_some() && (entry.cause == arrived || entry.cause == Some(packet));
        let behind = self.past().iter().skip(packet as usize + 1);
        let toward = if sent.toward == "broker" { Toward::Broker } else { Toward::Client };
        let (fields, error) = fields_of(&sent.bytes, sent.level, toward);
        Ok(PacketView {
            packet,
            fate,
            cause: self.entry(packet)?.cause,
            effects: behind.filter(follows).map(|entry| entry.n).collect(),
            fields,
            error,
            sent,
        })
    }

    /// Why a message came or did not come: any entry will do that is about it, the packet that brought it or one that
    /// carried it on, a decision, or that a user was told.
    ///
    /// # Errors
    /// There is no such entry up to the playhead, or it is about no message.
    pub fn why(&self, n: u64) -> Result<Why, Error> {
        let entry = self.entry(n)?;
        if let What::Decision(decision) = &entry.what {
            return Ok(self.why_published(self.published_before(n, decision.publication).ok_or(Error::NoMessage(n))?));
        }
        let packet = Self::packet_of(entry).ok_or(Error::NoMessage(n))?;
        let sent = self.sent(packet).filter(|sent| sent.kind == Some("PUBLISH")).ok_or(Error::NoMessage(n))?;
        if sent.toward == "client" {
            return Ok(self.why_published(self.origin_of(packet, sent).ok_or(Error::NoMessage(n))?));
        }
        let (fate, arrived) = self.fate(packet);
        match arrived.filter(|_| fate == "delivered").and_then(|arrived| self.published_by(arrived)) {
            Some(published) => Ok(self.why_published(published)),
            None => Ok(Why {
                published: None,
                packet: Some(packet),
                fate: Some(if fate == "delivered" { "not_accepted" } else { fate }),
                message: None,
                payload: sent.payload.clone(),
                clients: Vec::new(),
            }),
        }
    }

    fn decisions(&self, from: u64) -> impl Iterator<Item = (&Rc<Entry>, &Decision)> {
        let same_broker = |entry: &&Rc<Entry>| !matches!(entry.what, What::Restarted(_));
        let behind = self.past().iter().skip(from as usize).take_while(same_broker);
        behind.filter_map(|entry| match &entry.what {
            What::Decision(decision) => Some((entry, &**decision)),
            _ => None,
        })
    }

    /// The message that a packet brought when it arrived.
    fn published_by(&self, arrived: u64) -> Option<u64> {
        let found = self.decisions(arrived).find(|(entry, it)| it.is == "published" && entry.cause == Some(arrived));
        found.map(|(entry, _)| entry.n)
    }

    /// The message of this number, counted by the broker that was there.
    fn published_before(&self, n: u64, publication: u64) -> Option<u64> {
        let before = self.past()[..=n as usize].iter().rev();
        let found = before.map(|entry| match &entry.what {
            What::Decision(it) if it.is == "published" && it.publication == publication => Some(entry.n),
            _ => None,
        });
        found.flatten().next()
    }

    /// The message that a packet to a client carries: what the broker decided in the same moment, or, if it had to
    /// wait, the last message of this content for this client.
    fn origin_of(&self, packet: u64, sent: &Sent) -> Option<u64> {
        let cause = self.past()[packet as usize].cause;
        let carries = |other: &Sent| {
            other.kind == Some("PUBLISH")
                && other.toward == "client"
                && other.who == sent.who
                && other.dup != Some(true)
        };
        if let Some(from) = cause.filter(|_| sent.dup != Some(true)) {
            let here = self.past()[from as usize..packet as usize].iter().filter(|entry| entry.cause == cause);
            let nth = here.filter(|entry| matches!(&entry.what, What::Sent(other) if carries(other))).count();
            let mine = self.decisions(from).filter(|(entry, it)| {
                entry.cause == cause
                    && it.is == "delivered"
                    && it.how == Some("sent")
                    && it.who.as_ref() == Some(&sent.who)
            });
            if let Some((entry, it)) = { mine }.nth(nth) {
                return self.published_before(entry.n, it.publication);
            }
        }
        let before = self.past()[..packet as usize].iter().rev();
        let same = before.filter(|entry| match &entry.what {
            What::Decision(it) if it.is == "published" => {
                it.topic.as_deref() == sent.topic.as_deref() && self.payload_of(entry) == sent.payload
            }
            _ => false,
        });
        { same }.next().map(|entry| entry.n)
    }

    /// The Application Message behind a decision to publish.
    fn payload_of(&self, published: &Entry) -> Option<String> {
        self.sent(self.packet_behind(published)?)?.payload.clone()
    }

    /// The packet that brought a message to the broker.
    fn packet_behind(&self, published: &Entry) -> Option<u64> {
        match &self.past().get(published.cause? as usize)?.what {
            What::Delivered(passed) if passed.kind == Some("PUBLISH") => Some(passed.packet),
            _ => None,
        }
    }

    fn why_published(&self, published: u64) -> Why {
        let entry = &self.past()[published as usize];
        let What::Decision(message) = &entry.what else { unreachable!("its caller found a decision") };
        let packet = self.packet_behind(entry);
        let payload = self.payload_of(entry);
        let mut clients: Vec<Outcome> = Vec::new();
        for (entry, it) in self.decisions(published + 1) {
            // Of a Retained Message there are decisions later too, when somebody subscribes.
            if it.publication != message.publication || it.is == "published" {
                continue;
            }
            let who = it.who.clone().unwrap_or_else(|| it.client_identifier.as_deref().unwrap_or("").into());
            let packets = self.carried(entry.n, it, message.topic.as_deref(), payload.as_deref());
            let told = self.told_with(&packets);
            clients.push(Outcome { who, n: Some(entry.n), is: it.is, decision: Some(it.clone()), packets, told });
        }
        for actor in self.stage.actors.iter().filter(|actor| !actor.removed) {
            if !clients.iter().any(|outcome| outcome.who == actor.id) {
                let (packets, told) = (Vec::new(), Vec::new());
                let who = actor.id.clone();
                clients.push(Outcome { who, n: None, is: "no_session", decision: None, packets, told });
            }
        }
        Why { published: Some(published), packet, fate: None, message: Some((**message).clone()), payload, clients }
    }

    /// The packets that carried a message to a client from a decision on: the first, and those that repeat it.
    fn carried(&self, from: u64, it: &Decision, topic: Option<&str>, payload: Option<&str>) -> Vec<u64> {
        let mut packets = Vec::new();
        let mut id = None;
        if it.is != "delivered" {
            return packets;
        }
        for entry in self.past().iter().skip(from as usize) {
            let What::Sent(sent) = &entry.what else { continue };
            let same = sent.kind == Some("PUBLISH")
                && sent.toward == "client"
                && Some(&sent.who) == it.who.as_ref()
                && sent.topic.as_deref() == topic
                && payload.is_none_or(|payload| sent.payload.as_deref() == Some(payload));
            let again = sent.dup == Some(true) && sent.id == id;
            if same && (packets.is_empty() || again) {
                id = sent.id;
                packets.push(entry.n);
            }
        }
        packets
    }

    fn told_with(&self, packets: &[u64]) -> Vec<u64> {
        let Some(first) = packets.first() else { return Vec::new() };
        let behind = self.past().iter().skip(*first as usize);
        let told = behind.filter(|entry| {
            matches!(&entry.what, What::Told(told) if told.packet.is_some_and(|packet| packets.contains(&packet)))
        });
        told.map(|entry| entry.n).collect()
    }
}
