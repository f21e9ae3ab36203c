//! What a connection knows of the topic that it published to last is no more than what a look-up would say: new limits
//! hold for it too, and a broker that was saved and loaded, which knows nothing of the kind, goes on as this one does.

use wasmqtt_broker::{
    Broker, Command, CommandId, Config, ConnectionId, Input, Limits, Peer, Seed, Storage, Time, Transport,
};

const CONN: ConnectionId = ConnectionId { slot: 0, generation: 1 };

/// PUBLISH to `a/b` with QoS 1, without properties: Packet Identifier 2, payload "x".
const PUBLISH: &[u8] = b"\x32\x09\x00\x03a/b\x00\x02\x00x";

/// A client, 5.0, that takes what it publishes to `a/b`, and has done so once.
fn published() -> (Broker, Config) {
    let config = Config { storage: Storage::Memory, ..Config::default() };
    let mut broker = Broker::new(config.clone(), Seed([1; 16]));
    let peer = Peer { listener: 0, address: "a".into(), transport: Transport::Tcp, identity: None };
    broker.handle(Time(1), Input::Opened { conn: CONN, peer });
    let connect = b"\x10\x0E\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01a";
    let subscribe = b"\x82\x09\x00\x01\x00\x00\x03a/b\x00";
    let bytes = [&connect[..], subscribe, PUBLISH].concat();
    broker.handle(Time(1), Input::Received { conn: CONN, bytes: bytes.into() });
    (broker, config)
}

/// What is outgoing, taken.
fn taken(broker: &mut Broker) -> Vec<u8> {
    let bytes: Vec<u8> = broker.outgoing(CONN).flatten().copied().collect();
    let len = u32::try_from(bytes.len()).unwrap();
    broker.handle(Time(2), Input::Sent { conn: CONN, len });
    bytes
}

#[test]
fn a_topic_deeper_than_a_new_limit_is_refused_though_it_was_the_last() {
    let (mut broker, config) = published();
    taken(&mut broker);
    let limits = Limits { topic_levels_max: 1, ..config.limits };
    broker.handle(Time(3), Input::Command { id: CommandId(1), command: Command::SetLimits(limits) });
    let mut saved = Vec::new();
    broker.save(&mut saved);
    let mut loaded = Broker::load(&saved).unwrap();
    for broker in [&mut broker, &mut loaded] {
        broker.handle(Time(4), Input::Received { conn: CONN, bytes: PUBLISH.into() });
        // PUBACK for 2 with Topic Name invalid; nothing else.
        let answer = taken(broker);
        assert_eq!(answer[..1], *b"\x40");
        assert_eq!(answer[2..5], *b"\x00\x02\x90");
        assert_eq!(answer.len(), usize::from(answer[1]) + 2);
    }
    assert_eq!(broker.digest(), loaded.digest());
}

/// Filters and topics in which every level is one of two, so that each change of Subscriptions matters to many topics.
const FILTERS: &[&str] = &[
    "a",
    "a/b",
    "a/b/c",
    "+",
    "a/+",
    "+/b",
    "#",
    "a/#",
    "a/+/c",
    "+/+/c",
    "$share/g/a/b",
    "$share/g/a/#",
    "$share/h/+",
];
const TOPICS: &[&str] = &["a", "b", "a/b", "a/c", "b/b", "a/b/c", "b/b/c"];

/// 4.7 as it is told, level by level.
fn matches(filter: &[&str], topic: &[&str]) -> bool {
    match (filter, topic) {
        (["#"], _) | ([], []) => true,
        (["+", filter @ ..], [_, topic @ ..]) => matches(filter, topic),
        ([level, filter @ ..], [name, topic @ ..]) => level == name && matches(filter, topic),
        _ => false,
    }
}

/// How often a message comes back to a client with these Subscriptions: once for all of its own, once for each share.
fn copies(subscribed: &[&str], topic: &str) -> usize {
    let topic: Vec<&str> = topic.split('/').collect();
    let matches = |filter: &str| matches(&filter.split('/').collect::<Vec<_>>(), &topic);
    let shares = subscribed.iter().filter_map(|filter| filter.strip_prefix("$share/")?.split_once('/'));
    let own = subscribed.iter().any(|filter| !filter.starts_with("$share/") && matches(filter));
    usize::from(own) + shares.filter(|(_, filter)| matches(filter)).count()
}

/// Numbers from a seed, each below a bound.
struct Luck(u64);

impl Luck {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

/// A packet with this first byte and a body of less than 128 bytes.
fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    [&[first, u8::try_from(body.len()).unwrap()], body].concat()
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat()
}

#[test]
fn what_is_subscribed_between_two_messages_of_one_read_holds_for_the_second() {
    for seed in 0..200 {
        let mut luck = Luck(seed);
        let mut broker = Broker::new(Config { storage: Storage::Memory, ..Config::default() }, Seed([1; 16]));
        let peer = Peer { listener: 0, address: "a".into(), transport: Transport::Tcp, identity: None };
        broker.handle(Time(1), Input::Opened { conn: CONN, peer });
        let connect = b"\x10\x0E\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01a";
        broker.handle(Time(1), Input::Received { conn: CONN, bytes: connect[..].into() });
        taken(&mut broker);
        let (mut subscribed, mut read, mut expected): (Vec<&str>, Vec<u8>, Vec<u8>) = Default::default();
        for _ in 0..120 {
            let filter = FILTERS[luck.below(FILTERS.len())];
            let at = subscribed.iter().position(|other| *other == filter);
            match (luck.below(6), at) {
                (0, None) => {
                    subscribed.push(filter);
                    // Retain Handling 2; SUBACK: granted QoS 0.
                    read.extend(packet(0x82, &[&b"\x00\x01\x00"[..], &text(filter), b"\x20"].concat()));
                    expected.extend(b"\x90\x04\x00\x01\x00\x00");
                }
                (1, Some(at)) => {
                    subscribed.remove(at);
                    read.extend(packet(0xA2, &[&b"\x00\x02\x00"[..], &text(filter)].concat()));
                    expected.extend(b"\xB0\x04\x00\x02\x00\x00");
                }
                _ => {
                    let topic = TOPICS[luck.below(TOPICS.len())];
                    let publish = packet(0x30, &[&text(topic)[..], b"\x00x"].concat());
                    expected.extend(publish.repeat(copies(&subscribed, topic)));
                    read.extend(publish);
                }
            }
            if luck.below(40) == 0 {
                broker.handle(Time(1), Input::Received { conn: CONN, bytes: std::mem::take(&mut read).into() });
            }
        }
        broker.handle(Time(1), Input::Received { conn: CONN, bytes: read.into() });
        assert_eq!(taken(&mut broker), expected, "seed {seed}");
    }
}
