//! What a run gives: figures with their units in their names, for people and as JSON.

use std::fmt::Write;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One run of one scenario against one broker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// MQTT version.
    pub version: String,
    /// "tcp" or "websocket".
    pub transport: String,
    /// Bytes of each payload.
    pub payload_bytes: usize,
    /// The scenario's connections: see each scenario.
    pub connections: u32,
    /// Messages that a publisher may have outstanding; 0 where nothing waits.
    pub window: u32,
    /// Messages sent, warm-up and all.
    pub messages: u64,
    /// Messages received and checked, warm-up and all.
    pub deliveries: u64,
    /// QoS 1 messages that came more than once, which is allowed.
    pub duplicates: u64,
    /// The part that was measured.
    pub measured: Option<Measured>,
    /// Open loop only.
    pub latency: Option<Latency>,
    /// `connects` only.
    pub connects_per_s: Option<f64>,
    /// Memory of the broker for each connection or Subscription.
    pub bytes_each: Option<f64>,
    /// `retained` only.
    pub retained: Option<Retained>,
    /// Memory of the broker at the end.
    pub rss_bytes: Option<u64>,
    /// What the reader should know.
    pub notes: Vec<String>,
}

/// Figures of a steady flow, without its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Messages received meanwhile.
    pub deliveries: u64,
    /// How long that took.
    pub seconds: f64,
    /// Messages received per second.
    pub deliveries_per_s: f64,
    /// Processor time of this generator for each message received, in microseconds.
    pub own_cpu_us: f64,
    /// System calls of this generator for each message received.
    pub own_calls: f64,
    /// The broker's.
    pub broker: Option<BrokerCost>,
}

/// What a flow cost the broker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BrokerCost {
    /// User and system time.
    pub cpu_s: f64,
    /// The same for a million messages received (or connections, where it counts those).
    pub cpu_s_per_million: f64,
    /// What of `cpu_s` can't be told from nothing.
    pub resolution_ns: u64,
}

impl BrokerCost {
    /// So much time for so many.
    #[must_use]
    pub fn new(cpu: Duration, count: u64, resolution_ns: u64) -> Self {
        let cpu_s = cpu.as_secs_f64();
        BrokerCost { cpu_s, cpu_s_per_million: cpu_s * 1e6 / count.max(1) as f64, resolution_ns }
    }
}

/// Time from when a message should have been sent to when it was received, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Messages per second.
    pub rate_per_s: u32,
    /// Half are faster.
    pub p50_us: f64,
    /// 99 of 100 are faster.
    pub p99_us: f64,
    /// 999 of 1,000 are faster.
    pub p999_us: f64,
    /// The slowest.
    pub max_us: f64,
}

/// Retained Messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Retained {
    /// Processor time of the broker to store one, in microseconds; wall time if no process was named.
    pub store_us: f64,
    /// Seconds from SUBSCRIBE to the last of all.
    pub read_s: f64,
    /// Processor time of the broker for that.
    pub read_cpu_s: Option<f64>,
}

impl Report {
    /// For people: a figure a line.
    #[must_use]
    pub fn table(&self) -> String {
        let mut rows: Vec<(&str, String)> = Vec::new();
        let Report { scenario, version, transport, connections, payload_bytes, window, .. } = self;
        let window = if *window == 0 { String::new() } else { format!(", {window} outstanding") };
        rows.push((
            "scenario",
            format!(
                "{scenario}, MQTT {version} over {transport}, {connections} connections, {payload_bytes} B{window}"
            ),
        ));
        if self.deliveries > 0 {
            rows.push(("messages", format!("{} sent, {} received and checked", self.messages, self.deliveries)));
        }
        if self.duplicates > 0 {
            rows.push(("duplicates", self.duplicates.to_string()));
        }
        if let Some(measured) = &self.measured {
            let Measured { deliveries, seconds, deliveries_per_s, own_cpu_us, own_calls, broker } = measured;
            rows.push(("measured", format!("{deliveries} in {seconds:.3} s, {deliveries_per_s:.0}/s")));
            rows.push(("generator", format!("{own_cpu_us:.3} us and {own_calls:.3} calls each")));
            if let Some(BrokerCost { cpu_s, cpu_s_per_million, resolution_ns }) = broker {
                rows.push((
                    "broker",
                    format!("{cpu_s_per_million:.3} CPU s per million ({cpu_s:.3} s, +-{resolution_ns} ns)"),
                ));
            }
        }
        if let Some(Latency { rate_per_s, p50_us, p99_us, p999_us, max_us }) = &self.latency {
            rows.push((
                "latency",
                format!("at {rate_per_s}/s: p50 {p50_us:.1} us, p99 {p99_us:.1}, p99.9 {p999_us:.1}, max {max_us:.1}"),
            ));
        }
        rows.extend(self.connects_per_s.map(|rate| ("connects", format!("{rate:.0}/s"))));
        rows.extend(self.bytes_each.map(|bytes| ("memory", format!("{bytes:.0} B each"))));
        if let Some(Retained { store_us, read_s, read_cpu_s }) = &self.retained {
            let cpu = read_cpu_s.map_or(String::new(), |cpu| format!(" ({cpu:.3} CPU s)"));
            rows.push(("retained", format!("stored at {store_us:.2} us each, all read in {read_s:.3} s{cpu}")));
        }
        rows.extend(self.rss_bytes.map(|rss| ("broker's RSS", format!("{:.1} MiB", rss as f64 / 1_048_576.0))));
        rows.extend(self.notes.iter().map(|note| ("note", note.clone())));
        let mut text = String::new();
        for (name, value) in rows {
            let _ = writeln!(text, "{name:<13} {value}");
        }
        text
    }
}
