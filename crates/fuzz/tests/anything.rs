//! Anything may happen to a broker: clients of every version connect, publish, acknowledge, vanish and come back, bytes
//! arrive cut anywhere, the broker restarts from its log or is swapped by save and load. After every input all
//! invariants hold; the log that was written and the shortest log give the same state; the same inputs give the same
//! digest. The inputs are drawn from a seed, so that a failure can be had again.

use std::collections::BTreeMap;

use bytes::Bytes;
use wasmqtt_broker::codec::{
    Ack, Connect, Disconnect, Filters, Framing, Packet, PacketIdentifier, Properties, Property, ProtocolVersion,
    Publish, Qos, ReasonCode, RetainHandling, Sender, Subscribe, SubscribeEntry, SubscriptionOptions, Subscriptions,
    TopicFilter, TopicName, Unsubscribe, Will, frame,
};
use wasmqtt_broker::{
    Broker, Config, ConnectionId, Input, Limits, Lsn, Output, Peer, Record, Seed, Storage, Time, Transport,
};
use wasmqtt_fuzz::same::{assert_same, swapped};

const SEEDS: u64 = 200;
const STEPS: u32 = 400;
const TOPICS: [&str; 5] = ["a", "a/b", "a/b/c", "b/c", "$x/y"];
const FILTERS: [&str; 9] = ["a", "a/b", "a/+", "#", "+/b/#", "a/#", "$share/s/a/#", "$share/t/+/b", "$x/#"];

/// SplitMix64; any generator would do.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    fn qos(&mut self) -> Qos {
        self.of(&[Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce])
    }
}

/// The client's side of one transport.
struct Link {
    version: ProtocolVersion,
    /// Bytes from the broker that are no whole packet yet.
    inbox: Vec<u8>,
    next_identifier: u16,
    /// QoS 2 identifiers to release.
    releasable: Vec<PacketIdentifier>,
}

struct World {
    random: Random,
    broker: Broker,
    config: Config,
    now: u64,
    links: BTreeMap<u32, (ConnectionId, Link)>,
    generation: u32,
    log: Vec<(Lsn, Record)>,
    unstored: Lsn,
    inputs: Vec<(Time, Input)>,
}

fn identifier(number: u16) -> PacketIdentifier {
    PacketIdentifier::new(number).unwrap()
}

fn config(random: &mut Random) -> Config {
    let limits = Limits {
        receive_maximum: random.of(&[3, 1_024]),
        in_flight_max: random.of(&[2, 64]),
        queue_messages_max: random.of(&[5, 10_000]),
        subscriptions_per_session_max: 6,
        outbox_bytes_max: random.of(&[200, 1 << 20]),
        turn_bytes_max: random.of(&[300, 1 << 20]),
        retained_messages_max: 4,
        ..Limits::default()
    };
    let storage = random.of(&[Storage::Log, Storage::Log, Storage::Memory]);
    Config { limits, storage, trace: random.chance(20), sys_interval_s: random.of(&[0, 10]), ..Config::default() }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let config = config(&mut random);
        let broker = Broker::new(config.clone(), Seed([seed as u8; 16]));
        World {
            random,
            broker,
            config,
            now: 1_000_000_000,
            links: BTreeMap::new(),
            generation: 0,
            log: Vec::new(),
            unstored: Lsn(0),
            inputs: Vec::new(),
        }
    }

    fn input(&mut self, input: Input) {
        let now = Time(self.now);
        self.inputs.push((now, input.clone()));
        self.broker.handle(now, input);
        assert_eq!(self.broker.check(), Ok(()));
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..8 => self.open(),
            8..88 if !self.links.is_empty() => self.act(),
            88..91 => self.now += self.random.below(40_000_000),
            91..94 => self.store(),
            94 => self.restart(),
            95 => self.swap(),
            _ => {}
        }
        if self.random.chance(60) {
            self.input(Input::Tick);
            self.outputs();
        }
    }

    fn open(&mut self) {
        let slot = (0..).find(|slot| !self.links.contains_key(slot)).unwrap();
        if slot >= 5 {
            return;
        }
        self.generation += 1;
        let conn = ConnectionId { slot, generation: self.generation };
        let peer = Peer { listener: 0, address: "test".into(), transport: Transport::Local, identity: None };
        self.input(Input::Opened { conn, peer });
        let version = self.random.of(&[ProtocolVersion::V3_1, ProtocolVersion::V3_1_1, ProtocolVersion::V5]);
        self.links
            .insert(slot, (conn, Link { version, inbox: Vec::new(), next_identifier: 0, releasable: Vec::new() }));
        self.connect(slot, version);
    }

    fn connect(&mut self, slot: u32, version: ProtocolVersion) {
        let (mut raw, mut will_raw) = (Vec::new(), Vec::new());
        if version.is_v5() {
            Property::SessionExpiryInterval(self.random.of(&[0, 20, u32::MAX])).encode(&mut raw);
            Property::ReceiveMaximum(self.random.of(&[1, 2, 100])).encode(&mut raw);
            Property::TopicAliasMaximum(self.random.of(&[0, 2])).encode(&mut raw);
            Property::WillDelayInterval(self.random.of(&[0, 5, 30])).encode(&mut will_raw);
        }
        let will = self.random.chance(40).then(|| Will {
            qos: self.random.qos(),
            retain: self.random.chance(30),
            topic: TopicName::parse("a/b").unwrap(),
            payload: b"will",
            properties: Properties::written(&will_raw),
        });
        let name = self.random.of(&["one", "two", "three", "four"]);
        let connect = Connect {
            version,
            bridge: false,
            clean_start: self.random.chance(30),
            keep_alive_s: self.random.of(&[0, 10, 100]),
            client_identifier: name,
            will,
            user_name: None,
            password: None,
            properties: Properties::written(&raw),
        };
        self.send(slot, &Packet::Connect(connect));
    }

    fn act(&mut self) {
        let slots: Vec<u32> = self.links.keys().copied().collect();
        let slot = self.random.of(&slots);
        let version = self.links[&slot].1.version;
        match self.random.below(20) {
            0..9 => self.publish(slot, version),
            9..12 => self.subscribe(slot),
            12 => self.unsubscribe(slot),
            13 => {
                let conn = self.links.remove(&slot).unwrap().0;
                self.input(Input::Closed { conn });
            }
            14 => {
                let reason = self.random.of(&[ReasonCode::NORMAL_DISCONNECTION, ReasonCode::DisconnectWithWill]);
                let reason = if version.is_v5() { reason } else { ReasonCode::NORMAL_DISCONNECTION };
                self.send(slot, &Packet::Disconnect(Disconnect { reason, properties: Properties::EMPTY }));
            }
            15 => {
                let bytes: Vec<u8> = (0..self.random.below(6)).map(|_| self.random.next() as u8).collect();
                let conn = self.links[&slot].0;
                if self.random.chance(20) {
                    self.input(Input::Received { conn, bytes: bytes.into() });
                }
            }
            16..19 => {
                if let Some(packet_identifier) = self.links.get_mut(&slot).unwrap().1.releasable.pop() {
                    let reason = ReasonCode::Success;
                    let ack = Ack { packet_identifier, reason, properties: Properties::EMPTY };
                    self.send(slot, &Packet::Pubrel(ack));
                }
            }
            _ => self.send(slot, &Packet::Pingreq),
        }
    }

    fn fresh_identifier(&mut self, slot: u32) -> PacketIdentifier {
        let link = &mut self.links.get_mut(&slot).unwrap().1;
        link.next_identifier = link.next_identifier % 30 + 1;
        identifier(link.next_identifier)
    }

    fn publish(&mut self, slot: u32, version: ProtocolVersion) {
        let qos = self.random.qos();
        let mut raw = Vec::new();
        if version.is_v5() && self.random.chance(20) {
            Property::MessageExpiryInterval(self.random.of(&[1, 30])).encode(&mut raw);
        }
        if version.is_v5() && self.random.chance(20) {
            Property::TopicAlias(self.random.of(&[1, 2])).encode(&mut raw);
        }
        let payload = vec![b'x'; self.random.of(&[0, 3, 90, 5_000])];
        let packet_identifier = (qos != Qos::AtMostOnce).then(|| self.fresh_identifier(slot));
        let topic = self.random.of(&TOPICS);
        let publish = Publish {
            dup: false,
            qos,
            retain: self.random.chance(30),
            topic: Some(TopicName::parse(topic).unwrap()),
            packet_identifier,
            properties: Properties::written(&raw),
            payload: &payload,
        };
        self.send(slot, &Packet::Publish(publish));
    }

    fn subscribe(&mut self, slot: u32) {
        let filter = self.random.of(&FILTERS);
        let v5 = self.links[&slot].1.version.is_v5();
        let options = SubscriptionOptions {
            qos: self.random.qos(),
            no_local: v5 && !filter.starts_with("$share") && self.random.chance(20),
            retain_as_published: v5 && self.random.chance(30),
            retain_handling: RetainHandling::SendAtSubscribe,
        };
        let (mut raw, mut properties) = (Vec::new(), Vec::new());
        SubscribeEntry { filter: TopicFilter::parse(filter).unwrap(), options }.encode(&mut raw);
        if v5 && self.random.chance(30) {
            Property::SubscriptionIdentifier(7).encode(&mut properties);
        }
        let subscribe = Subscribe {
            packet_identifier: self.fresh_identifier(slot),
            properties: Properties::written(&properties),
            filters: Subscriptions::written(&raw),
        };
        self.send(slot, &Packet::Subscribe(subscribe));
    }

    fn unsubscribe(&mut self, slot: u32) {
        let filter = self.random.of(&FILTERS);
        let mut raw = (filter.len() as u16).to_be_bytes().to_vec();
        raw.extend_from_slice(filter.as_bytes());
        let unsubscribe = Unsubscribe {
            packet_identifier: self.fresh_identifier(slot),
            properties: Properties::EMPTY,
            filters: Filters::written(&raw),
        };
        self.send(slot, &Packet::Unsubscribe(unsubscribe));
    }

    /// Sends a packet, cut anywhere.
    fn send(&mut self, slot: u32, packet: &Packet<'_>) {
        let (conn, link) = &self.links[&slot];
        let (conn, version) = (*conn, link.version);
        let mut bytes = Vec::new();
        packet.encode(version, &mut bytes);
        let cut = if self.random.chance(30) { self.random.below(bytes.len() as u64) as usize } else { 0 };
        for part in [&bytes[..cut], &bytes[cut..]] {
            if !part.is_empty() {
                self.input(Input::Received { conn, bytes: Bytes::copy_from_slice(part) });
            }
        }
    }

    /// Carries out what the broker wants, and what it wants because of that.
    fn outputs(&mut self) {
        loop {
            while let Some(output) = self.broker.poll() {
                self.output(output);
            }
            let ready: Vec<ConnectionId> = self.broker.ready().collect();
            if ready.is_empty() {
                return;
            }
            for conn in ready {
                self.take(conn);
            }
        }
    }

    fn output(&mut self, output: Output) {
        match output {
            Output::Append { lsn, record } => {
                self.unstored = lsn;
                self.log.push((lsn, record));
            }
            Output::Close { conn, .. } => {
                if self.links.get(&conn.slot).is_some_and(|(known, _)| *known == conn) {
                    self.links.remove(&conn.slot);
                    self.input(Input::Closed { conn });
                }
            }
            Output::Read { .. } | Output::Ask { .. } | Output::Reply { .. } | Output::Event(_) | Output::Trace(_) => {}
        }
    }

    /// The transport takes some of what is outgoing, and the client answers some of it.
    fn take(&mut self, conn: ConnectionId) {
        let bytes: Vec<u8> = self.broker.outgoing(conn).flatten().copied().collect();
        let len = if self.random.chance(70) { bytes.len() } else { self.random.below(bytes.len() as u64 + 1) as usize };
        if len == 0 {
            return;
        }
        self.input(Input::Sent { conn, len: len as u32 });
        let Some((_, link)) = self.links.get_mut(&conn.slot) else { return };
        link.inbox.extend_from_slice(&bytes[..len]);
        let inbox = std::mem::take(&mut link.inbox);
        let mut rest = &inbox[..];
        while let Ok(Framing::Complete { total_bytes, .. }) = frame(rest, 0) {
            let (packet, after) = rest.split_at(total_bytes);
            rest = after;
            self.answer(conn.slot, packet);
        }
        if let Some((_, link)) = self.links.get_mut(&conn.slot) {
            link.inbox = rest.to_vec();
        }
    }

    fn answer(&mut self, slot: u32, bytes: &[u8]) {
        let Some((_, link)) = self.links.get_mut(&slot) else { return };
        let packet = Packet::decode(bytes, link.version, Sender::Server).expect("the broker sends what can be decoded");
        let success =
            |packet_identifier| Ack { packet_identifier, reason: ReasonCode::Success, properties: Properties::EMPTY };
        match packet {
            Packet::Publish(Publish { qos, packet_identifier: Some(identifier), .. }) if self.random.chance(80) => {
                let ack = success(identifier);
                let answer = if qos == Qos::AtLeastOnce { Packet::Puback(ack) } else { Packet::Pubrec(ack) };
                self.send(slot, &answer);
            }
            Packet::Pubrel(ack) if self.random.chance(80) => {
                self.send(slot, &Packet::Pubcomp(success(ack.packet_identifier)));
            }
            Packet::Pubrec(ack) if !ack.reason.is_error() => link.releasable.push(ack.packet_identifier),
            _ => {}
        }
    }

    fn store(&mut self) {
        let upto = self.unstored;
        if self.random.chance(90) || upto.0 == 0 {
            self.input(Input::Stored { upto });
        } else {
            self.input(Input::StoreFailed { from: upto });
            self.outputs();
            // The driver writes the log anew, and all is stored.
            self.log = self.broker.records().map(|record| (self.unstored, record)).collect();
            self.input(Input::Stored { upto: self.unstored });
        }
    }

    /// A crash: only the log is left.
    fn restart(&mut self) {
        if self.config.storage != Storage::Log {
            return;
        }
        self.outputs();
        let restored = Broker::restore(self.config.clone(), Seed([1; 16]), self.log.iter().cloned()).unwrap();
        assert_same(&restored, &self.broker, Time(self.now), "the log gives the state that wrote it");
        let shortest: Vec<_> = self.broker.records().map(|record| (Lsn(1), record)).collect();
        self.broker = Broker::restore(self.config.clone(), Seed([1; 16]), shortest.iter().cloned()).unwrap();
        assert_same(&restored, &self.broker, Time(self.now), "the shortest log gives the same");
        self.unstored = Lsn(1);
        self.log = shortest;
        self.links.clear();
        self.inputs.clear();
        self.input(Input::Tick);
        self.outputs();
    }

    /// The program is swapped under the running broker.
    fn swap(&mut self) {
        self.broker = swapped(&self.broker);
    }
}

/// `WASMQTT_SEED=n` runs one seed alone.
#[test]
fn anything_may_happen() {
    let one = std::env::var("WASMQTT_SEED").ok().and_then(|seed| seed.parse().ok());
    for seed in one.map_or(0..SEEDS, |seed: u64| seed..seed + 1) {
        let outcome = std::panic::catch_unwind(|| {
            let mut world = World::new(seed);
            for _ in 0..STEPS {
                world.step();
            }
        });
        assert!(outcome.is_ok(), "WASMQTT_SEED={seed}");
    }
}

/// The same inputs give the same digest, and a broker that is saved and loaded in between goes on the same way.
#[test]
fn the_same_inputs_give_the_same_state() {
    for seed in 1_000..1_030 {
        let mut world = World::new(seed);
        world.config.storage = Storage::Memory;
        world.broker = Broker::new(world.config.clone(), Seed([9; 16]));
        for _ in 0..STEPS {
            world.step();
        }
        let mut again = Broker::new(world.config.clone(), Seed([9; 16]));
        let (first, second) = world.inputs.split_at(world.inputs.len() / 2);
        for (now, input) in first {
            again.handle(*now, input.clone());
            drain(&mut again);
        }
        let mut swapped = swapped(&again);
        for (now, input) in second {
            again.handle(*now, input.clone());
            swapped.handle(*now, input.clone());
            drain(&mut again);
            drain(&mut swapped);
        }
        drain(&mut world.broker);
        assert_eq!(again.digest(), world.broker.digest(), "seed {seed}");
        assert_eq!(swapped.digest(), again.digest(), "seed {seed}, saved and loaded");
    }
}

/// With tracing on, no message takes the short way: both ways lead to the same bytes, outputs and state.
#[test]
fn the_short_way_does_what_the_long_way_does() {
    for seed in 2_000..2_060 {
        let mut world = World::new(seed);
        // Tracing is the only difference, and all inputs are to be had: a restart would forget them.
        world.config.storage = Storage::Memory;
        world.config.trace = false;
        world.broker = Broker::new(world.config.clone(), Seed([9; 16]));
        for _ in 0..STEPS {
            world.step();
        }
        let traced = Config { trace: true, ..world.config.clone() };
        let mut short = Broker::new(world.config.clone(), Seed([9; 16]));
        let mut long = Broker::new(traced, Seed([9; 16]));
        for (at, (now, input)) in world.inputs.iter().enumerate() {
            let [short, long] = [&mut short, &mut long].map(|broker| {
                broker.handle(*now, input.clone());
                told(broker)
            });
            assert_eq!(short, long, "seed {seed}, input {at}: {input:?}");
        }
        let [short, long] = [short, long].map(|broker| {
            let mut saved = Vec::new();
            broker.save(&mut saved);
            saved
        });
        assert_eq!(short.len(), long.len(), "seed {seed}");
        let differences = short.iter().zip(&long).filter(|(short, long)| short != long).count();
        assert_eq!(differences, 1, "seed {seed}: whether to trace, and nothing else");
    }
}

/// What a broker tells its driver, traces aside.
fn told(broker: &mut Broker) -> (Vec<Output>, Vec<(ConnectionId, Vec<u8>)>) {
    let outputs = std::iter::from_fn(|| broker.poll()).filter(|output| !matches!(output, Output::Trace(_))).collect();
    let ready: Vec<ConnectionId> = broker.ready().collect();
    let bytes = |conn| (conn, broker.outgoing(conn).flatten().copied().collect());
    (outputs, ready.into_iter().map(bytes).collect())
}

fn drain(broker: &mut Broker) {
    while broker.poll().is_some() {}
    let _ = broker.ready().count();
}
