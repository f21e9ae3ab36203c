//! The links of the Stage: packets on their way, each of which is delivered or lost in the log's own words; what breaks
//! a link and who learns of it. Below are the pipes of the simulation, which lose nothing.

use std::collections::VecDeque;
use std::rc::Rc;

use bytes::Bytes;
use wasmqtt_broker::{ConnectionId, Input, Peer, Transport};
use wasmqtt_codec::ProtocolVersion;

use super::Stage;
use super::entry::{End, Passed, Place, What};
use super::packet::{describe, word};
use crate::luck::Luck;
use crate::world::faults::Toward;
use crate::world::link::{BrokerEnd, Link};

/// Both directions.
pub const BOTH: [Toward; 2] = [Toward::Broker, Toward::Client];

/// A link with what is on its way.
#[derive(Clone)]
pub struct Line {
    /// The pipes.
    pub link: Link,
    version: ProtocolVersion,
    /// Towards the broker, and towards the client.
    flights: [VecDeque<Flight>; 2],
    /// When the reader of a direction learns that nothing comes any more.
    ends: [Option<u64>; 2],
    /// When it breaks.
    breaks_at_us: Option<u64>,
    /// When the broker heard of it: with the first bytes, which is when a transport's handshake is done.
    pub known_at_us: Option<u64>,
}

/// All links that somebody has, in the order of their numbers. There are few, so a list does; and a map would cost the
/// download more than it is worth.
#[derive(Clone, Default)]
pub struct Lines(Vec<(u32, Line)>);

impl Lines {
    fn place(&self, number: &u32) -> Result<usize, usize> {
        self.0.binary_search_by_key(number, |(number, _)| *number)
    }

    /// A link, if somebody has it.
    #[must_use]
    pub fn get(&self, number: &u32) -> Option<&Line> {
        Some(&self.0[self.place(number).ok()?].1)
    }

    /// A link, if somebody has it.
    pub fn get_mut(&mut self, number: &u32) -> Option<&mut Line> {
        let at = self.place(number).ok()?;
        Some(&mut self.0[at].1)
    }

    /// All of them with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Line)> {
        self.0.iter().map(|(number, line)| (*number, line))
    }

    /// All of them.
    pub fn values(&self) -> impl Iterator<Item = &Line> {
        self.0.iter().map(|(_, line)| line)
    }

    /// All of them.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Line> {
        self.0.iter_mut().map(|(_, line)| line)
    }

    /// Adds one, whose number is higher than all others.
    fn push(&mut self, number: u32, line: Line) {
        self.0.push((number, line));
    }

    fn remove(&mut self, number: u32) {
        self.0.retain(|(other, _)| *other != number);
    }
}

/// A packet on its way.
#[derive(Clone, Debug)]
struct Flight {
    packet: u64,
    kind: Option<&'static str>,
    sent_us: u64,
    arrives_us: u64,
    len: usize,
}

impl Line {
    /// Bytes on their way, with what is known of them.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let flights = self.flights.iter().flatten();
        flights.map(|flight| 2 * flight.len + size_of::<Flight>() + 100).sum()
    }

    /// The next delivery in a direction: when, and which packet.
    #[must_use]
    pub fn delivery(&self, toward: Toward) -> Option<(u64, u64)> {
        let at_us = self.pipe(toward).due().filter(|at_us| *at_us < u64::MAX && !self.link.broken)?;
        Some((at_us, self.flights[toward as usize].front()?.packet))
    }

    /// When the reader of a direction learns that nothing comes any more.
    #[must_use]
    pub fn end(&self, toward: Toward) -> Option<u64> {
        let pipe = self.pipe(toward);
        let passes = !self.link.broken && !pipe.paused && !pipe.is_stalled_for_ever() && pipe.is_empty();
        self.ends[toward as usize].filter(|_| passes)
    }

    /// When it breaks.
    #[must_use]
    pub fn break_us(&self) -> Option<u64> {
        self.breaks_at_us
    }

    fn pipe(&self, toward: Toward) -> &crate::world::link::Pipe {
        match toward {
            Toward::Broker => &self.link.up,
            Toward::Client => &self.link.down,
        }
    }
}

impl Stage {
    /// A client opens a transport and says CONNECT.
    pub(super) fn open(&mut self, who: usize) {
        let number = self.next_line;
        self.next_line += 1;
        let slot = (0..).find(|slot| self.lines.values().all(|line| line.link.slot != *slot));
        let slot = slot.expect("there are fewer links than numbers");
        let actor = &mut self.actors[who];
        let luck = Luck::of(self.seed, u64::from(number));
        let mut link = Link::new(who, slot, actor.spec.version, actor.pace, luck).whole();
        for toward in &actor.dead {
            link.pipe(*toward).stall(u64::MAX);
        }
        for (toward, cut) in core::mem::take(&mut actor.cuts) {
            link.pipe(toward).cuts.push(cut);
        }
        let version = actor.spec.version;
        let flights = [VecDeque::new(), VecDeque::new()];
        let line = Line { link, version, flights, ends: [None; 2], breaks_at_us: None, known_at_us: None };
        self.lines.push(number, line);
        let id = self.actors[who].id.clone();
        self.tell(What::Opened(Place { link: number, who: id, end: None, reason: None }));
        self.actors[who].connected(self.now_us, number);
        self.attend(who);
    }

    /// Puts bytes on their way, packet by packet.
    pub(super) fn write(&mut self, number: u32, toward: Toward, bytes: &[u8]) {
        let Some(line) = self.lines.get_mut(&number) else { return };
        let begin = line.link.pipe(toward).written();
        let found = line.link.pipe(toward).look_at(bytes);
        let mut pieces: Vec<_> = found.into_iter().map(|(end, seen)| ((end - begin) as usize, Some(seen))).collect();
        if pieces.last().is_none_or(|(end, _)| *end < bytes.len()) {
            pieces.push((bytes.len(), None));
        }
        let mut at = 0;
        for (end, seen) in pieces {
            let end = end.clamp(at, bytes.len());
            if end > at {
                self.write_one(number, toward, &bytes[at..end], seen.as_ref());
            }
            at = end;
        }
    }

    fn write_one(&mut self, number: u32, toward: Toward, bytes: &[u8], seen: Option<&Rc<crate::sight::Seen>>) {
        let now_us = self.now_us;
        let line = self.lines.get_mut(&number).expect("its caller has just looked at it");
        let arrives_us = line.link.write(toward, now_us, bytes);
        if let Some(at_us) = line.link.pipe(toward).take_break() {
            line.breaks_at_us = Some(line.breaks_at_us.map_or(at_us, |known| known.min(at_us)));
        }
        let stalled = line.link.pipe(toward).is_stalled_for_ever();
        let mut sent = describe(bytes, line.version, toward, seen);
        let packet = self.next_n;
        let flight = Flight { packet, kind: sent.kind, sent_us: now_us, arrives_us, len: bytes.len() };
        line.flights[toward as usize].push_back(flight);
        sent.packet = packet;
        sent.link = number;
        sent.who = self.actors[line.link.client].id.clone();
        sent.arrives_at = (!stalled).then_some(arrives_us);
        self.tell(What::Sent(Rc::new(sent)));
    }

    /// The oldest packet of a direction arrives.
    pub(super) fn deliver(&mut self, number: u32, toward: Toward) {
        let now_us = self.now_us;
        let Some(line) = self.lines.get_mut(&number) else { return };
        let delivery = line.link.deliver(toward, now_us);
        let Some(flight) = line.flights[toward as usize].pop_front() else { return };
        let is_read = match toward {
            Toward::Broker => line.link.broker == BrokerEnd::Open,
            Toward::Client => line.link.client_has_it,
        };
        let who = line.link.client;
        let passed = Passed {
            packet: flight.packet,
            link: number,
            who: self.actors[who].id.clone(),
            toward: word(toward),
            kind: flight.kind,
            how_far: (!is_read).then_some(1.0),
        };
        let what = if is_read { What::Delivered(passed) } else { What::Lost(passed) };
        self.cause = Some(self.tell_because(Some(flight.packet), what));
        if is_read {
            match toward {
                Toward::Broker => self.broker_reads(number, delivery.bytes),
                Toward::Client => {
                    self.actors[who].client.received(now_us, &delivery.bytes);
                    self.attend_because(who, Some(flight.packet));
                }
            }
        }
        if delivery.broke {
            // What the reader says to it is on its way when the link breaks.
            self.turn();
            self.break_line(number);
        }
    }

    fn broker_reads(&mut self, number: u32, bytes: Vec<u8>) {
        let conn = self.connection(number);
        let line = self.lines.get_mut(&number).expect("its caller has just looked at it");
        if line.known_at_us.is_none() {
            line.known_at_us = Some(self.now_us);
            let peer = Peer { listener: 0, address: "stage".into(), transport: Transport::Local, identity: None };
            self.input(Input::Opened { conn, peer });
        }
        self.input(Input::Received { conn, bytes: Bytes::from(bytes) });
    }

    /// The broker's name for a link.
    pub(super) fn connection(&self, number: u32) -> ConnectionId {
        ConnectionId { slot: self.lines.get(&number).map_or(0, |line| line.link.slot), generation: number + 1 }
    }

    /// Nothing passes any more: what is on its way is lost, and both ends learn of it; a client whose program stands
    /// still learns later.
    pub(super) fn break_line(&mut self, number: u32) {
        let Some(line) = self.lines.get_mut(&number) else { return };
        if core::mem::replace(&mut line.link.broken, true) {
            return;
        }
        let who = line.link.client;
        let id = self.actors[who].id.clone();
        let broke = self.tell(What::Broke(Place { link: number, who: id, end: None, reason: None }));
        self.cause = Some(broke);
        self.lose(number);
        if !self.actors[who].frozen {
            self.client_learns(number);
        }
        self.cause = Some(broke);
        self.broker_learns(number);
    }

    /// All that is on its way is lost.
    fn lose(&mut self, number: u32) {
        let now_us = self.now_us;
        for toward in BOTH {
            let Some(line) = self.lines.get_mut(&number) else { return };
            let who = line.link.client;
            for flight in core::mem::take(&mut line.flights[toward as usize]) {
                let whole_us = flight.arrives_us.saturating_sub(flight.sent_us).max(1);
                // Thousandths, so that no platform can round differently.
                let far = ((now_us - flight.sent_us).min(whole_us) * 1_000 / whole_us) as f64 / 1_000.0;
                let passed = Passed {
                    packet: flight.packet,
                    link: number,
                    who: self.actors[who].id.clone(),
                    toward: word(toward),
                    kind: flight.kind,
                    how_far: Some(far),
                };
                self.tell(What::Lost(passed));
            }
        }
    }

    /// The client's end learns that a link is gone.
    pub(super) fn client_learns(&mut self, number: u32) {
        let Some(line) = self.lines.get_mut(&number) else { return };
        let who = line.link.client;
        if core::mem::take(&mut line.link.client_has_it) {
            let id = self.actors[who].id.clone();
            let learned =
                self.tell(What::Learned(Place { link: number, who: id, end: Some(End::Client), reason: None }));
            self.keep_cuts(number);
            self.actors[who].closed(self.now_us);
            self.come_back(who, learned);
        }
        self.forget(number);
    }

    /// The broker's end learns that a link is gone.
    pub(super) fn broker_learns(&mut self, number: u32) {
        let conn = self.connection(number);
        let Some(line) = self.lines.get_mut(&number) else { return };
        if line.link.broker == BrokerEnd::Gone {
            return;
        }
        line.link.broker = BrokerEnd::Gone;
        if line.known_at_us.is_some() {
            let who = self.actors[line.link.client].id.clone();
            let place = Place { link: number, who, end: Some(End::Broker), reason: None };
            self.cause = Some(self.tell(What::Learned(place)));
            self.input(Input::Closed { conn });
        }
        self.end_pipe(number, Toward::Client);
        self.forget(number);
    }

    /// The client closes a link: what it wrote still arrives, what comes to it is read by nobody.
    pub(super) fn client_closes(&mut self, number: u32, reason: &str) {
        let Some(line) = self.lines.get_mut(&number) else { return };
        let who = line.link.client;
        if core::mem::take(&mut line.link.client_has_it) {
            let (id, reason) = (self.actors[who].id.clone(), Some(reason.to_owned()));
            let place = Place { link: number, who: id, end: Some(End::Client), reason };
            let closed = self.tell(What::Closed(place));
            self.keep_cuts(number);
            self.actors[who].closed(self.now_us);
            self.come_back(who, closed);
        }
        self.end_pipe(number, Toward::Broker);
        self.forget(number);
    }

    /// The broker closes a link when its last bytes are written.
    pub(super) fn broker_closes(&mut self, number: u32, reason: String) {
        let conn = self.connection(number);
        let Some(line) = self.lines.get_mut(&number) else { return };
        if line.link.broker == BrokerEnd::Gone {
            return;
        }
        line.link.broker = BrokerEnd::Gone;
        let who = self.actors[line.link.client].id.clone();
        self.tell(What::Closed(Place { link: number, who, end: Some(End::Broker), reason: Some(reason) }));
        self.input(Input::Closed { conn });
        self.end_pipe(number, Toward::Client);
        self.forget(number);
    }

    /// Nothing more is written in a direction; its reader learns of it behind the last byte.
    fn end_pipe(&mut self, number: u32, toward: Toward) {
        let now_us = self.now_us;
        let Some(line) = self.lines.get_mut(&number) else { return };
        let pipe = line.link.pipe(toward);
        pipe.ended = true;
        let at_us = (now_us + pipe.pace().latency_us).max(pipe.last_arrival_us());
        line.ends[toward as usize].get_or_insert(at_us);
    }

    /// What would break the link at a packet waits for the client's next one.
    fn keep_cuts(&mut self, number: u32) {
        let Some(line) = self.lines.get_mut(&number) else { return };
        for toward in BOTH {
            let cuts = core::mem::take(&mut line.link.pipe(toward).cuts);
            self.actors[line.link.client].cuts.extend(cuts.into_iter().map(|cut| (toward, cut)));
        }
    }

    /// A link that neither end has is no more; what was still on its way reaches nobody.
    fn forget(&mut self, number: u32) {
        let both_gone =
            self.lines.get(&number).is_some_and(|line| !line.link.client_has_it && line.link.broker == BrokerEnd::Gone);
        if both_gone {
            self.lose(number);
            self.lines.remove(number);
        }
    }

    pub(super) fn break_at(&mut self, number: u32) {
        if let Some(line) = self.lines.get_mut(&number) {
            line.breaks_at_us = None;
        }
        self.break_line(number);
    }

    pub(super) fn end_arrives(&mut self, number: u32, toward: Toward) {
        if let Some(line) = self.lines.get_mut(&number) {
            line.ends[toward as usize] = None;
        }
        match toward {
            Toward::Broker => self.broker_learns(number),
            Toward::Client => self.client_learns(number),
        }
    }
}
