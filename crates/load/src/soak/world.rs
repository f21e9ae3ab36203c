//! All clients of a soak, each with its role, and the timers that move them. It owns no socket: what it wants of a
//! transport it does through `Net` when a timer fires, and it hears of bytes and ends through `Handler`.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use wasmqtt_client::{Client, Event, Message, Options, PropertyList};
use wasmqtt_codec::{Property, ProtocolVersion, Qos, ReasonCode, SubscriptionOptions};

use super::Hardship;
use super::judge::Evidence;
use super::lies::{LIES, told};
use super::pair::Pair;
use crate::failure::Outcome;
use crate::net::{Handler, Links, Net};
use crate::packet::{Incoming, numbers};
use crate::setup::{append_filter, connect_packet, subscribe, unexpected};

/// Messages a publisher may have unfinished before it waits.
const UNFINISHED_MAX: usize = 8;

/// Time between two messages of the probe and of the flood.
const PROBE_US: u64 = 20_000;
const FLOOD_US: u64 = 40_000;

/// Bytes of the flood's messages, and what the kernel keeps for a client that stalls: so little that the broker has to
/// decide what to do with the rest.
const FLOOD_BYTES: usize = 2_048;
const STALLER_BUFFER_BYTES: usize = 16 * 1_024;

/// Who stalls before this moment stalls with all others.
const FIRST_STALL_US: u64 = 2_000_000;

/// Wrongs that are kept in words.
const WRONGS_MAX: usize = 10;

/// What the whole world did so far.
#[derive(Clone, Copy, Default, Debug)]
pub struct Counts {
    /// Messages that honest clients received.
    pub deliveries: u64,
    /// Chunks of the flood that stallers received.
    pub flood: u64,
    /// Lies told.
    pub lies: u64,
    /// Honest clients that came again.
    pub returns: u64,
}

/// What a client is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Role {
    /// Publishes for the pair of this number; pair 0 is the probe.
    Publisher(usize),
    /// Hears the pair of this number.
    Subscriber(usize),
    /// Publishes the flood.
    Flooder,
    /// Hears the flood, or doesn't.
    Staller,
    /// Lies.
    Liar,
}

struct Peer {
    role: Role,
    /// Honest ones have a client that does everything right.
    client: Option<Client>,
    /// CONNACK came, and for subscribers SUBACK.
    is_ready: bool,
    is_deaf: bool,
    is_opening: bool,
    /// The moment its timer fires; timers of another moment are stale.
    timer_us: u64,
}

/// All clients.
pub struct World {
    /// Its beginning.
    pub begun: Instant,
    /// Microseconds from the beginning to this turn.
    now_us: u64,
    /// What happened.
    pub counts: Counts,
    /// The probe's latency since the last sample, in microseconds.
    pub latency: Histogram<u64>,
    peers: Vec<Peer>,
    pairs: Vec<Pair>,
    plan: Vec<Role>,
    timers: BinaryHeap<Reverse<(u64, u32)>>,
    prefix: String,
    luck: u64,
    pace: f64,
    without: Vec<Hardship>,
    next_pair: usize,
    started_us: u64,
    is_running: bool,
    unready: usize,
    opening: usize,
    wrong: u64,
    wrongs: Vec<String>,
}

impl World {
    /// A world of this many clients, none of which is there yet. All pauses are multiplied by `pace`, so that a short
    /// soak has its share of everything.
    #[must_use]
    pub fn new(connections: u32, seed: u64, pace: f64, without: Vec<Hardship>) -> Self {
        let few = connections as usize / 20;
        let pairs = (connections as usize - 1 - 2 * few) / 2;
        let mut plan = Vec::new();
        for pair in 0..pairs {
            plan.extend([Role::Publisher(pair), Role::Subscriber(pair)]);
        }
        plan.extend(std::iter::repeat_n(Role::Staller, few));
        plan.extend(std::iter::repeat_n(Role::Liar, few));
        plan.resize(connections as usize, Role::Flooder);
        let qos = |pair| [Qos::AtLeastOnce, Qos::ExactlyOnce, Qos::AtMostOnce][pair % 3];
        let pairs: Vec<_> = (0..pairs)
            .map(|pair| Pair::new(2 * pair as u32, qos(pair), pair % 4 == 3 && qos(pair) != Qos::AtMostOnce))
            .collect();
        World {
            begun: Instant::now(),
            now_us: 0,
            counts: Counts::default(),
            latency: Histogram::new_with_max(60_000_000, 3).expect("3 digits are allowed"),
            peers: Vec::new(),
            unready: 2 * pairs.len(),
            pairs,
            plan,
            timers: BinaryHeap::new(),
            prefix: format!("soak-{}", std::process::id()),
            luck: seed | 1,
            pace,
            without,
            next_pair: 1,
            started_us: 0,
            is_running: false,
            opening: 0,
            wrong: 0,
            wrongs: Vec::new(),
        }
    }

    /// A turn begins.
    pub fn look_at_the_clock(&mut self) {
        self.now_us = self.begun.elapsed().as_micros() as u64;
    }

    /// How long until the next timer fires.
    #[must_use]
    pub fn pause(&self) -> Duration {
        let at_us = self.timers.peek().map_or(u64::MAX, |Reverse((at_us, _))| *at_us);
        Duration::from_micros(at_us.saturating_sub(self.now_us))
    }

    /// Honest clients of pairs that are not ready yet.
    #[must_use]
    pub fn unready(&self) -> usize {
        self.unready
    }

    /// Transports that are opening.
    #[must_use]
    pub fn opening(&self) -> usize {
        self.opening
    }

    /// A transport is being opened for the next client.
    pub fn has_opened(&mut self, net: &mut Net, link: u32) {
        let role = self.plan[link as usize];
        let client = match role {
            Role::Publisher(pair) | Role::Subscriber(pair) => Some(self.client(link, pair)),
            Role::Flooder | Role::Staller | Role::Liar => None,
        };
        let peer = Peer { role, client, is_ready: false, is_deaf: false, is_opening: true, timer_us: u64::MAX };
        self.peers.push(peer);
        self.opening += 1;
        if role == Role::Staller {
            net.set_receive_buffer(link, STALLER_BUFFER_BYTES);
        }
    }

    fn client(&self, link: u32, pair: usize) -> Client {
        let is_volatile = self.pairs[pair].is_volatile;
        let mut options = Options::new(format!("{}-{link}", self.prefix));
        options.keep_alive_s = 0;
        if is_volatile {
            options.clean_start = false;
            options.properties = PropertyList::new().with(&Property::SessionExpiryInterval(300));
        } else if pair.is_multiple_of(2) {
            options.version = ProtocolVersion::V3_1_1;
        }
        Client::new(options)
    }

    /// Everything begins: publishers publish, stallers stall, liars lie, the volatile go.
    pub fn start(&mut self) {
        self.is_running = true;
        self.started_us = self.now_us;
        for link in 0..self.peers.len() as u32 {
            let role = self.peers[link as usize].role;
            if self.hardship_of(role).is_some_and(|hardship| self.without.contains(&hardship)) {
                continue;
            }
            match role {
                Role::Publisher(0) => self.wake_at(link, self.now_us + PROBE_US),
                Role::Flooder => self.wake_at(link, self.now_us + FLOOD_US),
                Role::Publisher(pair) | Role::Subscriber(pair) if !self.pairs[pair].is_volatile => {}
                Role::Publisher(_) | Role::Subscriber(_) => self.wake_within(link, 0, 30_000_000),
                Role::Staller => self.wake_within(link, 0, 1_000_000),
                Role::Liar => self.wake_within(link, 0, 3_000_000),
            }
        }
    }

    /// What a client does to the broker.
    fn hardship_of(&self, role: Role) -> Option<Hardship> {
        match role {
            Role::Publisher(pair) | Role::Subscriber(pair) => self.pairs[pair].is_volatile.then_some(Hardship::Leaving),
            Role::Flooder => None,
            Role::Staller => Some(Hardship::Stalling),
            Role::Liar => Some(Hardship::Lying),
        }
    }

    /// Everything ends: all who are away come, and all listen.
    pub fn calm(&mut self, net: &mut Net) {
        self.is_running = false;
        for link in 0..self.peers.len() as u32 {
            let peer = &mut self.peers[link as usize];
            peer.timer_us = u64::MAX;
            match peer.role {
                Role::Liar | Role::Flooder => net.close(link),
                Role::Staller => {
                    peer.is_deaf = false;
                    net.listen_again(link);
                }
                Role::Publisher(_) | Role::Subscriber(_) if !net.is_open(link) => self.wake_within(link, 0, 1_000_000),
                Role::Publisher(_) | Role::Subscriber(_) => {}
            }
        }
    }

    /// Whether everything that is owed has come.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let is_finished = |pair: &Pair| {
            let publisher = self.peers[pair.publisher as usize].client.as_ref();
            pair.is_settled() && publisher.is_none_or(|publisher| publisher.unfinished() == 0)
        };
        self.pairs.iter().all(is_finished)
    }

    /// Says what was seen.
    pub fn testify(&self, evidence: &mut Evidence) {
        for pair in &self.pairs {
            if pair.qos == Qos::AtMostOnce {
                evidence.missed_qos0 += pair.missed + (pair.sent - pair.due);
            } else {
                evidence.owed += pair.sent;
                evidence.received += pair.due - pair.missed;
                evidence.duplicates += pair.duplicates;
            }
        }
        evidence.wrong = self.wrong;
        evidence.wrongs.clone_from(&self.wrongs);
    }

    /// Moves everyone whose time has come.
    ///
    /// # Errors
    /// If a transport can't be opened.
    pub fn fire_timers(&mut self, net: &mut Net) -> Outcome {
        while let Some(&Reverse((at_us, link))) = self.timers.peek() {
            if at_us > self.now_us {
                break;
            }
            self.timers.pop();
            if self.peers[link as usize].timer_us == at_us {
                self.peers[link as usize].timer_us = u64::MAX;
                self.move_on(net, link, at_us)?;
            }
        }
        Ok(())
    }

    fn move_on(&mut self, net: &mut Net, link: u32, at_us: u64) -> Outcome {
        let role = self.peers[link as usize].role;
        match role {
            Role::Publisher(0) if net.is_open(link) => {
                self.publish(&mut net.links, 0, at_us, usize::MAX);
                self.wake_at(link, at_us + PROBE_US);
            }
            Role::Flooder if net.is_open(link) => {
                self.flood(&mut net.links, link);
                self.wake_at(link, at_us + FLOOD_US);
            }
            Role::Staller if net.is_open(link) => self.stall_or_listen(net, link),
            Role::Liar if net.is_open(link) => {
                self.has_left(link);
                net.close(link);
                self.wake_within(link, 100_000, 2_000_000);
            }
            Role::Publisher(_) | Role::Subscriber(_) if net.is_open(link) => self.go(net, link),
            Role::Publisher(_) | Role::Subscriber(_) | Role::Flooder | Role::Staller | Role::Liar => {
                return self.come(net, link);
            }
        }
        Ok(())
    }

    /// An honest client goes: with a word or, more often, without.
    fn go(&mut self, net: &mut Net, link: u32) {
        let says_goodbye = self.draw(3) == 0;
        let now_us = self.now_us;
        let peer = &mut self.peers[link as usize];
        if let Some(client) = &mut peer.client {
            if says_goodbye {
                client.disconnect(now_us, ReasonCode::Success, &PropertyList::new());
                net.links.append(link, &client.take_outgoing());
            }
            client.closed();
        }
        peer.is_ready = false;
        self.has_left(link);
        if says_goodbye {
            net.close_politely(link);
        } else {
            net.close(link);
        }
        self.wake_within(link, 50_000, 5_000_000);
    }

    /// A transport is opening no more.
    fn has_left(&mut self, link: u32) {
        if std::mem::take(&mut self.peers[link as usize].is_opening) {
            self.opening -= 1;
        }
    }

    fn come(&mut self, net: &mut Net, link: u32) -> Outcome {
        net.reopen(link)?;
        let peer = &mut self.peers[link as usize];
        (peer.is_opening, peer.is_deaf) = (true, false);
        self.opening += 1;
        match peer.role {
            Role::Publisher(_) | Role::Subscriber(_) => self.counts.returns += 1,
            Role::Staller => net.set_receive_buffer(link, STALLER_BUFFER_BYTES),
            Role::Flooder | Role::Liar => {}
        }
        Ok(())
    }

    fn stall_or_listen(&mut self, net: &mut Net, link: u32) {
        let peer = &mut self.peers[link as usize];
        peer.is_deaf = !peer.is_deaf;
        if peer.is_deaf {
            net.links.set_deaf(link, true);
            // The first time all stall at once and for long: what follows can't need more memory, unless it leaks.
            let is_first = self.now_us < self.started_us + FIRST_STALL_US;
            let (from_us, to_us) = if is_first { (50_000_000, 57_000_000) } else { (5_000_000, 40_000_000) };
            self.wake_within(link, from_us, to_us);
        } else {
            net.listen_again(link);
            self.wake_within(link, 5_000_000, 20_000_000);
        }
    }

    /// The next pair that can publishes a message.
    pub fn publish_next(&mut self, links: &mut Links) {
        // Pair 0 is the probe, which has a timer.
        self.next_pair = if self.next_pair + 1 < self.pairs.len() { self.next_pair + 1 } else { 1 };
        self.publish(links, self.next_pair, self.now_us, UNFINISHED_MAX);
    }

    /// A pair publishes what was due at a moment, unless too much of it is unfinished.
    fn publish(&mut self, links: &mut Links, number: usize, due_us: u64, unfinished_max: usize) {
        let pair = &mut self.pairs[number];
        let publisher = &mut self.peers[pair.publisher as usize];
        let Some(client) = &mut publisher.client else { return };
        if !pair.is_ready || !publisher.is_ready || client.unfinished() >= unfinished_max {
            return;
        }
        let mut payload = vec![b'.'; 64];
        payload[..4].copy_from_slice(&(number as u32).to_be_bytes());
        payload[4..12].copy_from_slice(&pair.sent.to_be_bytes());
        payload[12..20].copy_from_slice(&due_us.to_be_bytes());
        let message = Message::new(topic(&self.prefix, number), payload).qos(pair.qos);
        if client.publish(self.now_us, message).is_ok() {
            pair.sent += 1;
            links.append(pair.publisher, &client.take_outgoing());
        }
    }

    fn flood(&mut self, links: &mut Links, link: u32) {
        let topic = format!("{}/flood", self.prefix);
        let version = ProtocolVersion::V3_1_1;
        let mut template = crate::packet::Template::new(version, &topic, Qos::AtMostOnce, false, u32::MAX, FLOOD_BYTES);
        links.append(link, template.with(self.now_us));
    }

    /// A message came to an honest subscriber.
    fn delivered(&mut self, link: u32, number: usize, payload: &[u8]) {
        self.counts.deliveries += 1;
        let Some((from, sequence)) = numbers(payload) else {
            return self.blame(link, "got a payload that nobody sent".into());
        };
        if from as usize != number {
            return self.blame(link, format!("got message {sequence} of pair {from}"));
        }
        if let Err(wrong) = self.pairs[number].received(sequence) {
            return self.blame(link, wrong);
        }
        if let (0, Some(due_us)) = (number, payload.get(12..20).and_then(|bytes| bytes.first_chunk())) {
            let now_us = self.begun.elapsed().as_micros() as u64;
            self.latency.saturating_record(now_us.saturating_sub(u64::from_be_bytes(*due_us)));
        }
    }

    fn blame(&mut self, link: u32, what: String) {
        self.wrong += 1;
        if self.wrongs.len() < WRONGS_MAX {
            let at_s = self.now_us.saturating_sub(self.started_us) / 1_000_000;
            self.wrongs.push(format!("at {at_s} s, client {link} ({:?}): {what}", self.peers[link as usize].role));
        }
    }

    /// Tells what an honest client found in its bytes.
    fn events(&mut self, links: &mut Links, link: u32, number: usize) {
        loop {
            let peer = &mut self.peers[link as usize];
            let Some(client) = &mut peer.client else { return };
            let Some(event) = client.poll() else {
                let bytes = client.take_outgoing();
                if !bytes.is_empty() {
                    links.append(link, &bytes);
                }
                return;
            };
            match event {
                Event::Connected { session_present, .. } => self.connected(link, number, session_present),
                Event::Subscribed { codes, .. } => {
                    if codes.iter().any(|&code| code >= 0x80) {
                        self.blame(link, format!("may not subscribe: {codes:02x?}"));
                    }
                    self.ready(link, number);
                }
                Event::Message { message, .. } => self.delivered(link, number, &message.payload),
                Event::Closed(why) => self.blame(link, format!("was sent away: {why:?}")),
                Event::Challenge { .. } | Event::Unsubscribed { .. } | Event::Finished { .. } | Event::Pong => {}
            }
        }
    }

    fn connected(&mut self, link: u32, number: usize, session_present: bool) {
        let now_us = self.now_us;
        let pair = &self.pairs[number];
        let (is_subscriber, qos) = (link == pair.subscriber(), pair.qos);
        // Everybody was ready before the soak began.
        let has_been = self.started_us > 0;
        if session_present != (pair.is_volatile && has_been) {
            let what = if session_present { "there was a Session already" } else { "its Session is lost" };
            self.blame(link, format!("came, and {what}"));
        }
        if !is_subscriber || session_present {
            return self.ready(link, number);
        }
        let options = SubscriptionOptions { qos, ..SubscriptionOptions::default() };
        let filter = topic(&self.prefix, number);
        if let Some(client) = &mut self.peers[link as usize].client {
            let subscribed = client.subscribe(now_us, &[(&filter, options)], &PropertyList::new());
            subscribed.expect("it is connected, and the filter is one");
        }
    }

    fn ready(&mut self, link: u32, number: usize) {
        let peer = &mut self.peers[link as usize];
        peer.is_ready = true;
        self.pairs[number].is_ready |= link == self.pairs[number].subscriber();
        if self.started_us == 0 {
            self.unready = self.unready.saturating_sub(1);
        } else if self.is_running && self.pairs[number].is_volatile {
            self.wake_within(link, 2_000_000, 30_000_000);
        }
    }

    fn wake_at(&mut self, link: u32, at_us: u64) {
        self.peers[link as usize].timer_us = at_us;
        self.timers.push(Reverse((at_us, link)));
    }

    fn wake_within(&mut self, link: u32, from_us: u64, to_us: u64) {
        let pause_us = from_us + self.draw(to_us - from_us);
        let at_us = self.now_us + (pause_us as f64 * self.pace) as u64;
        self.wake_at(link, at_us);
    }

    /// A number below `bound` (xorshift).
    fn draw(&mut self, bound: u64) -> u64 {
        self.luck ^= self.luck << 13;
        self.luck ^= self.luck >> 7;
        self.luck ^= self.luck << 17;
        (self.luck >> 11) % bound
    }

    fn tell_a_lie(&mut self, links: &mut Links, link: u32) {
        let lie = &LIES[self.draw(LIES.len() as u64) as usize];
        // Now and then two liars have one name: the one throws the other out.
        let name = if self.draw(10) == 0 { "liar".into() } else { format!("{}-liar-{link}", self.prefix) };
        links.append(link, &told(lie, &name));
        self.counts.lies += 1;
        self.wake_within(link, 500_000, 12_000_000);
    }
}

/// The topic of a pair.
fn topic(prefix: &str, pair: usize) -> String {
    format!("{prefix}/{pair:05}/value")
}

impl Handler for World {
    fn opened(&mut self, links: &mut Links, link: u32) -> Outcome {
        let now_us = self.now_us;
        self.has_left(link);
        let peer = &mut self.peers[link as usize];
        match (peer.role, &mut peer.client) {
            (_, Some(client)) => {
                client.connected(now_us);
                links.append(link, &client.take_outgoing());
            }
            (Role::Liar, None) if !self.is_running => {}
            (Role::Liar, None) => self.tell_a_lie(links, link),
            (Role::Staller, None) => {
                let mut raw = Vec::new();
                append_filter(&format!("{}/flood", self.prefix), Qos::AtMostOnce, &mut raw);
                links.append(link, &connect_packet(ProtocolVersion::V3_1_1, &format!("{}-{link}", self.prefix)));
                links.append(link, &subscribe(ProtocolVersion::V3_1_1, &raw));
                if self.is_running {
                    self.wake_within(link, 0, 20_000_000);
                }
            }
            (Role::Flooder | Role::Publisher(_) | Role::Subscriber(_), None) => {
                links.append(link, &connect_packet(ProtocolVersion::V3_1_1, &format!("{}-{link}", self.prefix)));
            }
        }
        Ok(())
    }

    fn bytes(&mut self, links: &mut Links, link: u32, bytes: &[u8]) -> Outcome<bool> {
        let now_us = self.now_us;
        let peer = &mut self.peers[link as usize];
        match (peer.role, &mut peer.client) {
            (Role::Publisher(number) | Role::Subscriber(number), Some(client)) => {
                client.received(now_us, bytes);
                self.events(links, link, number);
            }
            (Role::Staller, _) => self.counts.flood += (bytes.len() / FLOOD_BYTES) as u64,
            (Role::Publisher(_) | Role::Subscriber(_) | Role::Flooder | Role::Liar, _) => {}
        }
        Ok(true)
    }

    fn incoming(&mut self, _links: &mut Links, link: u32, packet: Incoming<'_>) -> Outcome {
        Err(unexpected(link, &packet))
    }

    fn closed(&mut self, _links: &mut Links, link: u32, why: String) -> Outcome {
        self.has_left(link);
        let peer = &mut self.peers[link as usize];
        peer.is_ready = false;
        if let Some(client) = &mut peer.client {
            client.closed();
        }
        match peer.role {
            Role::Publisher(_) | Role::Subscriber(_) | Role::Flooder => {
                self.blame(link, format!("the broker closed its connection: {why}"));
                self.wake_within(link, 100_000, 1_000_000);
            }
            Role::Staller | Role::Liar if self.is_running => self.wake_within(link, 100_000, 2_000_000),
            Role::Staller | Role::Liar => {}
        }
        Ok(())
    }
}
