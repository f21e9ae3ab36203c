//! The `$SYS` tree: the broker's own numbers as Retained Messages, under the names that Mosquitto gave them, so that
//! existing dashboards work. Loads are sums over a sliding window of one, five and fifteen minutes, per minute, in
//! whole hundredths: the core knows no floats, which differ between machines.

use alloc::collections::VecDeque;
use alloc::string::String;
use serde::{Deserialize, Serialize};
use wasmqtt_codec::Qos;

use crate::broker::Broker;
use crate::message::Outgoing;
use crate::route::Matches;
use crate::text::{decimal, push_digits};
use crate::time::Time;
use crate::timers::Timer;

/// The minutes over which Mosquitto tells loads.
const WINDOWS_MIN: [u64; 3] = [1, 5, 15];

/// Names of loads, in the order of [`Sample::counts`].
const LOADS: [&str; 9] = [
    "messages/received",
    "messages/sent",
    "publish/received",
    "publish/sent",
    "publish/dropped",
    "bytes/received",
    "bytes/sent",
    "sockets",
    "connections",
];

/// Counters at one moment.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sample {
    at: Time,
    counts: [u64; 9],
}

/// What the tree needs to remember.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sys {
    /// The first input of all.
    pub started_at: Option<Time>,
    samples: VecDeque<Sample>,
}

impl Broker {
    /// Begins the tree at the first input.
    pub(crate) fn start_sys(&mut self) {
        if self.config.sys_interval_s > 0 {
            self.publish_sys();
        }
    }

    /// Publishes the tree and arms the next time.
    pub(crate) fn publish_sys(&mut self) {
        let counters = self.counters();
        let up_s = self.sys.started_at.map_or(0, |started_at| self.now.us_since(started_at) / 1_000_000);
        self.sys_message("version", concat!("wasmqtt version ", env!("CARGO_PKG_VERSION")).into());
        self.sys_message("uptime", decimal(up_s) + " seconds");
        let dropped = dropped(&counters);
        let disconnected = counters.sessions - counters.sessions_connected;
        let numbers = [
            ("clients/total", counters.sessions),
            ("clients/connected", counters.sessions_connected),
            ("clients/active", counters.sessions_connected),
            ("clients/disconnected", disconnected),
            ("clients/inactive", disconnected),
            ("clients/maximum", counters.sessions_connected_max),
            ("clients/expired", counters.sessions_expired),
            ("messages/received", counters.packets_received),
            ("messages/sent", counters.packets_sent),
            ("messages/stored", counters.messages_kept),
            ("store/messages/count", counters.messages_kept),
            ("store/messages/bytes", counters.messages_kept_bytes),
            ("publish/messages/received", counters.publishes_received),
            ("publish/messages/sent", counters.publishes_sent),
            ("publish/messages/dropped", dropped),
            ("publish/bytes/received", counters.publish_bytes_received),
            ("publish/bytes/sent", counters.publish_bytes_sent),
            ("bytes/received", counters.bytes_received),
            ("bytes/sent", counters.bytes_sent),
            ("retained messages/count", counters.retained),
            ("subscriptions/count", counters.subscriptions),
            ("shared_subscriptions/count", counters.subscriptions_shared),
            ("heap/current", counters.memory_bytes),
        ];
        for (name, number) in numbers {
            self.sys_message(name, decimal(number));
        }
        self.publish_loads(Sample {
            at: self.now,
            counts: [
                counters.packets_received,
                counters.packets_sent,
                counters.publishes_received,
                counters.publishes_sent,
                dropped,
                counters.bytes_received,
                counters.bytes_sent,
                counters.connections_opened,
                counters.connects,
            ],
        });
        let at = self.now.plus_s(u64::from(self.config.sys_interval_s));
        let _ = self.timers.arm(at, Timer::Sys);
    }

    fn publish_loads(&mut self, sample: Sample) {
        for minutes in WINDOWS_MIN {
            let from = self.sys.samples.iter().find(|old| sample.at.us_since(old.at) <= minutes * 60_000_000);
            let Some(from) = from.cloned() else { continue };
            let us = sample.at.us_since(from.at).max(1);
            for (index, name) in LOADS.into_iter().enumerate() {
                let count = sample.counts[index].saturating_sub(from.counts[index]);
                self.sys_message(&["load/", name, "/", &decimal(minutes), "min"].concat(), per_minute(count, us));
            }
        }
        let samples = &mut self.sys.samples;
        while samples.front().is_some_and(|old| sample.at.us_since(old.at) > WINDOWS_MIN[2] * 60_000_000) {
            samples.pop_front();
        }
        samples.push_back(sample);
    }

    /// One topic of the tree; sent only when it says something new.
    fn sys_message(&mut self, name: &str, text: String) {
        let topic = ["$SYS/broker/", name].concat();
        let old = self.retained.find(&topic).and_then(|node| self.retained.value(node));
        if old.is_some_and(|old| self.messages.get(old.message).payload == text.as_bytes()) {
            return;
        }
        let mut matches = Matches::default();
        self.matches(&topic, None, &mut matches);
        let mut message = Outgoing {
            topic: &topic,
            properties: &[],
            payload: text.as_bytes(),
            shared: None,
            frame: None,
            qos: Qos::AtMostOnce,
            retain: true,
            expires_at: None,
            publication: 0,
        };
        self.publish_message(&mut message, None, None, true, &matches);
    }
}

/// How many a minute, in hundredths, when there were so many in a time of at most a quarter of an hour.
fn per_minute(count: u64, us: u64) -> String {
    // In two steps, of which neither is more than 64 bits hold.
    let hundredths = count % us * 6_000_000_000 / us;
    let mut text = decimal(count / us * 60_000_000 + hundredths / 100);
    text.push('.');
    push_digits(&mut text, hundredths % 100, 10, 2);
    text
}

fn dropped(counters: &crate::inspect::Counters) -> u64 {
    counters.dropped_queue_full
        + counters.dropped_outbox_full
        + counters.dropped_too_large
        + counters.dropped_expired
        + counters.dropped_memory
}
