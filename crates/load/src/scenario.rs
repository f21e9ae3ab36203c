//! The scenarios by name, with what each of them does. What their numbers mean differs: see `connections` of each.

use wasmqtt_codec::Qos;

/// A scenario.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// What is typed.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// What happens.
    pub kind: Kind,
    /// Publishers of a fan-in, subscribers of a fan-out, pairs, or connections.
    pub connections: u32,
    /// Messages a publisher may have outstanding.
    pub window: u32,
}

/// What happens in a scenario.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Many publishers, one subscriber with a wildcard.
    FanIn(Qos),
    /// One publisher, many subscribers.
    FanOut(Qos),
    /// Each publisher has a subscriber of its own.
    Pairs(Qos),
    /// Publishers go round the topics of many Subscriptions; two Subscriptions match each topic. With one publisher
    /// there is next to nothing to batch: a write for each delivery.
    Sparse {
        /// How many.
        publishers: u32,
    },
    /// One publisher, one subscriber, and many Subscriptions that don't match.
    Unmatched,
    /// Open loop at this many messages a second.
    Latency(Qos, u32),
    /// As many new connections as possible.
    Connects,
    /// Connections with one Subscription each, which then are silent.
    Idle,
    /// Memory for Subscriptions, with wildcards or without.
    Subscriptions {
        /// Whether they have wildcards.
        wildcard: bool,
    },
    /// Retained Messages stored and then read by a newcomer.
    Retained,
}

const fn scenario(name: &'static str, kind: Kind, connections: u32, window: u32, about: &'static str) -> Scenario {
    Scenario { name, about, kind, connections, window }
}

use Qos::{AtLeastOnce, AtMostOnce, ExactlyOnce};

/// All of them.
pub const SCENARIOS: [Scenario; 20] = [
    scenario("fan-in-qos0", Kind::FanIn(AtMostOnce), 50, 64, "publishers, each with its topic, to one subscriber"),
    scenario("fan-in-qos1", Kind::FanIn(AtLeastOnce), 50, 64, "the same, QoS 1"),
    scenario("fan-in-qos2", Kind::FanIn(ExactlyOnce), 50, 64, "the same, QoS 2"),
    scenario("fan-out-qos0", Kind::FanOut(AtMostOnce), 1000, 8, "one publisher to many subscribers of its topic"),
    scenario("fan-out-qos1", Kind::FanOut(AtLeastOnce), 1000, 8, "the same, QoS 1"),
    scenario("fan-out-qos2", Kind::FanOut(ExactlyOnce), 1000, 8, "the same, QoS 2"),
    scenario("pairs-qos0", Kind::Pairs(AtMostOnce), 100, 16, "publishers, each with a subscriber of its own"),
    scenario("pairs-qos1", Kind::Pairs(AtLeastOnce), 100, 16, "the same, QoS 1"),
    scenario("pairs-qos2", Kind::Pairs(ExactlyOnce), 100, 16, "the same, QoS 2"),
    scenario("pairs-qos1-w1", Kind::Pairs(AtLeastOnce), 100, 1, "the same, QoS 1, one message at a time: no batches"),
    scenario(
        "subscribed",
        Kind::Sparse { publishers: 10 },
        100,
        64,
        "10 publish over --subscriptions (300,000), of which two match a topic",
    ),
    scenario("subscribed-1", Kind::Sparse { publishers: 1 }, 100, 64, "the same with one publisher: few batches"),
    scenario("unmatched", Kind::Unmatched, 100, 64, "publish to 10,000 topics beside --subscriptions that don't match"),
    scenario("latency-qos0", Kind::Latency(AtMostOnce, 20_000), 10, 0, "open loop over pairs at --rate (20,000/s)"),
    scenario(
        "latency-qos1",
        Kind::Latency(AtLeastOnce, 5_000),
        10,
        0,
        "open loop over pairs at --rate (5,000/s), QoS 1",
    ),
    scenario("connects", Kind::Connects, 10_000, 64, "new connections, --window of them at once, none closed"),
    scenario("idle", Kind::Idle, 10_000, 0, "memory for connections with one Subscription (--pid)"),
    scenario(
        "subscriptions-plain",
        Kind::Subscriptions { wildcard: false },
        100,
        0,
        "memory for --subscriptions (--pid)",
    ),
    scenario(
        "subscriptions-wildcard",
        Kind::Subscriptions { wildcard: true },
        100,
        0,
        "the same with a wildcard in each (--pid)",
    ),
    // With 64 of them outstanding what one client stores would mostly measure how often both sides fall asleep.
    scenario("retained", Kind::Retained, 1, 1024, "--messages (200,000) retained, then read by a newcomer"),
];

/// The scenario of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}

/// One line each, for `--list`.
#[must_use]
pub fn list() -> String {
    let mut text = format!("{:<23} {:>11} {:>6}  what happens\n", "scenario", "connections", "window");
    for Scenario { name, about, connections, window, .. } in SCENARIOS {
        let window = if window == 0 { "-".into() } else { window.to_string() };
        text += &format!("{name:<23} {connections:>11} {window:>6}  {about}\n");
    }
    text
}
