//! Our own client against our own core, over links that break: whatever breaks when, QoS 1 messages come at least once,
//! QoS 2 messages exactly once, and both in order.

use wasmqtt_broker::{Broker, Config, ConnectionId, Input, Output, Peer, Seed, Time, Transport};
use wasmqtt_client::{Client, Event, Message, Options, PropertyList};
use wasmqtt_codec::{Property, ProtocolVersion, Qos, ReasonCode, SubscriptionOptions};

/// A client and its link; the link carries nothing unless told to.
struct End {
    client: Client,
    conn: Option<ConnectionId>,
    to_broker: Vec<u8>,
    to_client: Vec<u8>,
    heard: Vec<String>,
}

struct World {
    broker: Broker,
    ends: Vec<End>,
    now_us: u64,
    opened: u32,
    luck: u64,
}

impl World {
    fn new(seed: u64, version: ProtocolVersion) -> Self {
        let end = |name: &str| {
            let mut options = Options::new(name);
            options.version = version;
            options.clean_start = false;
            options.keep_alive_s = 0;
            let expiry = Property::SessionExpiryInterval(3_600);
            options.properties = PropertyList::new().with(&expiry).with(&Property::ReceiveMaximum(3));
            options.properties =
                PropertyList::copied(&options.properties.as_properties()).with(&Property::TopicAliasMaximum(2));
            let client = Client::new(options);
            End { client, conn: None, to_broker: Vec::new(), to_client: Vec::new(), heard: Vec::new() }
        };
        let mut config = Config::default();
        config.limits.receive_maximum = 4;
        let broker = Broker::new(config, Seed(*b"client and core!"));
        World { broker, ends: vec![end("publisher"), end("subscriber")], now_us: 1_000_000, opened: 0, luck: seed | 1 }
    }

    /// The next number below `bound`.
    fn draw(&mut self, bound: u64) -> u64 {
        self.luck ^= self.luck << 13;
        self.luck ^= self.luck >> 7;
        self.luck ^= self.luck << 17;
        self.luck % bound
    }

    fn tell(&mut self, input: Input) {
        self.broker.handle(Time(self.now_us), input);
    }

    fn open(&mut self, at: usize) {
        let conn = ConnectionId { slot: at as u32, generation: self.opened };
        self.opened += 1;
        let peer = Peer { listener: 0, address: String::new(), transport: Transport::Local, identity: None };
        self.tell(Input::Opened { conn, peer });
        let end = &mut self.ends[at];
        end.conn = Some(conn);
        end.client.connected(self.now_us);
    }

    fn cut(&mut self, at: usize) {
        let end = &mut self.ends[at];
        let Some(conn) = end.conn.take() else { return };
        end.client.closed();
        (end.to_broker, end.to_client) = (Vec::new(), Vec::new());
        self.tell(Input::Closed { conn });
    }

    /// Some bytes move on one link, one way or the other.
    fn carry(&mut self, at: usize) {
        let (some, way) = (self.draw(40) as usize + 1, self.draw(2));
        let end = &mut self.ends[at];
        let Some(conn) = end.conn else { return };
        end.to_broker.extend(end.client.take_outgoing());
        if way == 0 {
            let part: Vec<u8> = end.to_broker.drain(..some.min(end.to_broker.len())).collect();
            if !part.is_empty() {
                self.tell(Input::Received { conn, bytes: part.into() });
            }
        } else {
            let part: Vec<u8> = end.to_client.drain(..some.min(end.to_client.len())).collect();
            end.client.received(self.now_us, &part);
        }
        self.turn();
    }

    fn turn(&mut self) {
        self.tell(Input::Tick);
        let outputs: Vec<Output> = std::iter::from_fn(|| self.broker.poll()).collect();
        let closing = |conn| outputs.iter().any(|o| matches!(o, Output::Close { conn: c, .. } if *c == conn));
        let _ready: Vec<ConnectionId> = self.broker.ready().collect();
        for at in 0..self.ends.len() {
            let Some(conn) = self.ends[at].conn else { continue };
            let bytes: Vec<u8> = self.broker.outgoing(conn).flatten().copied().collect();
            if !bytes.is_empty() {
                self.tell(Input::Sent { conn, len: bytes.len() as u32 });
                self.ends[at].to_client.extend(bytes);
            }
            assert!(!closing(conn), "the broker closed on a good client: {outputs:?}");
            while let Some(event) = self.ends[at].client.poll() {
                match event {
                    Event::Message { message, .. } => {
                        self.ends[at].heard.push(String::from_utf8_lossy(&message.payload).into_owned());
                    }
                    Event::Closed(why) => panic!("the client ends: {why:?}"),
                    _ => {}
                }
            }
        }
    }

    /// Connects and carries until nothing moves any more.
    fn heal(&mut self) {
        for at in 0..self.ends.len() {
            if self.ends[at].conn.is_none() {
                self.open(at);
            }
        }
        let mut idle = 0;
        while idle < 20 {
            (0..self.ends.len()).for_each(|at| self.carry(at));
            let quiet = self.ends.iter().all(|end| end.to_broker.is_empty() && end.to_client.is_empty());
            idle = if quiet { idle + 1 } else { 0 };
        }
    }
}

fn story(seed: u64, version: ProtocolVersion, qos: Qos) {
    let mut world = World::new(seed, version);
    world.heal();
    let options = SubscriptionOptions { qos, ..SubscriptionOptions::default() };
    world.ends[1].client.subscribe(0, &[("t/#", options)], &PropertyList::new()).unwrap();
    world.heal();
    let mut sent = Vec::new();
    for number in 0..30 {
        let text = format!("{number:02}");
        let message = Message::new("t/x", text.clone()).qos(qos);
        world.ends[0].client.publish(world.now_us, message).unwrap();
        sent.push(text);
        for _ in 0..world.draw(60) {
            let at = world.draw(2) as usize;
            match world.draw(25) {
                0 => world.cut(at),
                1 if world.ends[at].conn.is_none() => world.open(at),
                _ => world.carry(at),
            }
            world.now_us += 1_000;
        }
    }
    world.heal();
    assert_eq!(world.ends[0].client.unfinished(), 0, "seed {seed}");
    let heard = &mut world.ends[1].heard;
    if qos == Qos::AtLeastOnce {
        // Each may come again, but none is lost and the first times are in order.
        let mut first: Vec<String> = Vec::new();
        heard.drain(..).filter(|text| !sent[..].is_empty() && !text.is_empty()).for_each(|text| {
            if !first.contains(&text) {
                first.push(text);
            }
        });
        assert_eq!(first, sent, "seed {seed}");
    } else {
        assert_eq!(*heard, sent, "seed {seed}"); // exactly once, in order
    }
    world.ends[0].client.disconnect(world.now_us, ReasonCode::Success, &PropertyList::new());
}

/// [5:MQTT-4.6.0-5] [311:MQTT-4.6.0-6]
#[test]
fn at_least_once_over_breaking_links() {
    for seed in 1..60 {
        story(seed * 7_919, ProtocolVersion::V5, Qos::AtLeastOnce);
        story(seed * 104_729, ProtocolVersion::V3_1_1, Qos::AtLeastOnce);
    }
}

/// [5:MQTT-4.3.3-10] [311:MQTT-4.3.3-2]
#[test]
fn exactly_once_over_breaking_links() {
    for seed in 1..60 {
        story(seed * 7_919, ProtocolVersion::V5, Qos::ExactlyOnce);
        story(seed * 104_729, ProtocolVersion::V3_1, Qos::ExactlyOnce);
    }
}
