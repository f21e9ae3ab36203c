//! What is measured: who is connected, who subscribes to what, and what all publishers send in one round. A round is
//! over when every message has arrived everywhere and every handshake is finished, so a core that drops wins nothing.

use std::num::NonZeroU16;

use crate::packets::{self, Version};

/// A fixed load.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Names it on the command line and in tables.
    pub name: &'static str,
    /// What all its clients speak.
    pub version: Version,
    /// QoS of messages and Subscriptions.
    pub qos: u8,
    /// Who publishes where.
    pub shape: Shape,
    /// Messages that each publisher sends in one round, all at once.
    pub window: u16,
}

/// Who publishes where.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Each publisher has a subscriber of its own.
    Pairs(u32),
    /// All publishers have one subscriber.
    FanIn(u32),
    /// One publisher, all others subscribe.
    FanOut(u32),
    /// One publisher sets this many Retained Messages and clears them again.
    Retained(u32),
    /// One publisher goes round this many topics, each with one subscriber of 100, while so many Subscriptions match
    /// nothing.
    Spread {
        /// Topics that are published to.
        topics: u32,
        /// Subscriptions that match none of them.
        others: u32,
    },
    /// One publisher goes round this many topics, each with two subscribers of 100, one of which has a wildcard; as
    /// many Subscriptions again match nothing.
    Subscribed(u32),
}

/// A client of a workload.
pub struct Player {
    /// Its Topic Filters.
    pub filters: Vec<String>,
    /// What it sends in one round.
    pub sends: Vec<u8>,
}

impl Workload {
    /// All of them, in the order of the tables.
    pub fn all() -> Vec<Workload> {
        let mut all = Vec::new();
        for (version, names) in [(Version::V311, &NAMES_311), (Version::V5, &NAMES_5)] {
            let shapes = [(Shape::FanIn(50), 64), (Shape::FanOut(1_000), 8), (Shape::Pairs(100), 16)];
            for ((shape, window), names) in shapes.into_iter().zip(names) {
                for (qos, name) in (0..).zip(*names) {
                    all.push(Workload { name, version, qos, shape, window });
                }
            }
        }
        let long = |name, shape| Workload { name, version: Version::V311, qos: 0, shape, window: 10_000 };
        let spread = |name, others| long(name, Shape::Spread { topics: 10_000, others });
        all.push(Workload {
            name: "pairs-qos1-w1",
            version: Version::V311,
            qos: 1,
            shape: Shape::Pairs(100),
            window: 1,
        });
        all.push(long("retained", Shape::Retained(10_000)));
        all.push(long("retained-200k", Shape::Retained(200_000)));
        all.push(spread("spread-1k", 1_000));
        all.push(spread("spread-1m", 1_000_000));
        all.push(long("subscribed-300k", Shape::Subscribed(100_000)));
        all
    }

    /// The clients: publishers and subscribers.
    pub fn players(&self) -> Vec<Player> {
        let one = |topic: &str| vec![topic.to_owned()];
        match self.shape {
            Shape::Pairs(pairs) => (0..pairs)
                .map(|pair| format!("bench/pairs/{pair:04}"))
                .flat_map(|topic| [self.publisher(&topic), subscriber(one(&topic))])
                .collect(),
            Shape::FanIn(publishers) => (0..publishers)
                .map(|publisher| self.publisher(&format!("bench/fan-in/{publisher:04}")))
                .chain([subscriber(one("bench/fan-in/+"))])
                .collect(),
            Shape::FanOut(subscribers) => std::iter::once(self.publisher("bench/fan-out/all"))
                .chain((0..subscribers).map(|_| subscriber(one("bench/fan-out/all"))))
                .collect(),
            Shape::Retained(topics) => vec![self.retaining(topics)],
            Shape::Spread { topics, others } => self.spread(topics, others),
            Shape::Subscribed(topics) => self.subscribed(topics),
        }
    }

    /// What a round's cost is divided by: messages that arrive or, where none do, that are sent.
    pub fn messages(&self) -> u64 {
        match self.shape {
            Shape::Retained(topics) => 2 * u64::from(topics),
            Shape::Pairs(_) | Shape::FanIn(_) | Shape::FanOut(_) | Shape::Spread { .. } | Shape::Subscribed(_) => {
                self.deliveries()
            }
        }
    }

    /// Messages that arrive in one round.
    pub fn deliveries(&self) -> u64 {
        let window = u64::from(self.window);
        match self.shape {
            Shape::Pairs(pairs) => u64::from(pairs) * window,
            Shape::FanIn(publishers) => u64::from(publishers) * window,
            Shape::FanOut(subscribers) => u64::from(subscribers) * window,
            Shape::Retained(_) => 0,
            Shape::Spread { topics, .. } => u64::from(topics),
            Shape::Subscribed(topics) => 2 * u64::from(topics),
        }
    }

    fn publisher(&self, topic: &str) -> Player {
        let identifiers = (1..=self.window).map(|number| NonZeroU16::new(number).filter(|_| self.qos > 0));
        let sends = identifiers.flat_map(|identifier| packets::publish(self.version, topic, self.qos, identifier));
        Player { filters: Vec::new(), sends: sends.collect() }
    }

    fn retaining(&self, topics: u32) -> Player {
        let topic = |number: u32| format!("site/{:02}/device/{number:05}/state", number % 100);
        let set =
            (0..topics).flat_map(|number| packets::retained(self.version, &topic(number), packets::PAYLOAD_BYTES));
        let clear = (0..topics).flat_map(|number| packets::retained(self.version, &topic(number), 0));
        Player { filters: Vec::new(), sends: set.chain(clear).collect() }
    }

    fn subscribed(&self, topics: u32) -> Vec<Player> {
        const SUBSCRIBERS: u32 = 100;
        let topic = |number: u32| format!("site/{:04}/sensor/{number:07}/value", number / 1_000);
        // Not in the order in which Subscriptions were made, which is that of memory.
        let order = (0..topics).map(|number| (u64::from(number) * 7_919 % u64::from(topics)) as u32);
        let sends = order.flat_map(|number| packets::publish(self.version, &topic(number), 0, None));
        let publisher = Player { filters: Vec::new(), sends: sends.collect() };
        let filters = |subscriber: u32| {
            let wild = |number: u32| format!("site/+/sensor/{:07}/value", (number + SUBSCRIBERS / 2) % topics);
            let numbers = (0..topics).filter(move |number| number % SUBSCRIBERS == subscriber);
            numbers.flat_map(move |number| [topic(number), topic(number + topics), wild(number)])
        };
        let subscribers = (0..SUBSCRIBERS).map(|number| subscriber(filters(number).collect()));
        std::iter::once(publisher).chain(subscribers).collect()
    }

    fn spread(&self, topics: u32, others: u32) -> Vec<Player> {
        const SUBSCRIBERS: u32 = 100;
        let topic = |number: u32| format!("site/{:02}/device/{number:05}/state", number % 100);
        let sends = (0..topics).flat_map(|number| packets::publish(self.version, &topic(number), 0, None));
        let publisher = Player { filters: Vec::new(), sends: sends.collect() };
        let mut players = vec![publisher];
        for subscriber_number in 0..SUBSCRIBERS {
            let own = (0..topics).filter(|number| number % SUBSCRIBERS == subscriber_number).map(topic);
            // A third each: of another device, of another property of a device, and with a wildcard.
            let no_match =
                (0..others).filter(|number| number % SUBSCRIBERS == subscriber_number).map(|number| match number % 3 {
                    0 => format!("site/{:02}/device/x{number:07}/state", number % 100),
                    1 => format!("site/{:02}/device/{:05}/other{number}", number % 100, number % topics),
                    _ => format!("site/{:02}/+/x{number:07}/state", number % 100),
                });
            players.push(subscriber(own.chain(no_match).collect()));
        }
        players
    }
}

fn subscriber(filters: Vec<String>) -> Player {
    Player { filters, sends: Vec::new() }
}

/// Names by shape and QoS.
const NAMES_311: [[&str; 3]; 3] = [
    ["fan-in-qos0", "fan-in-qos1", "fan-in-qos2"],
    ["fan-out-qos0", "fan-out-qos1", "fan-out-qos2"],
    ["pairs-qos0", "pairs-qos1", "pairs-qos2"],
];
const NAMES_5: [[&str; 3]; 3] = [
    ["fan-in-qos0-v5", "fan-in-qos1-v5", "fan-in-qos2-v5"],
    ["fan-out-qos0-v5", "fan-out-qos1-v5", "fan-out-qos2-v5"],
    ["pairs-qos0-v5", "pairs-qos1-v5", "pairs-qos2-v5"],
];
