//! What the bench measures: each row of the table with the scenario behind it, the figure that counts, the ratio that
//! must be reached and the one aimed at.

use crate::report::Report;

use super::results::Better;

/// What the server is compared with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum Section {
    /// Debian's mosquitto.
    Mosquitto,
    /// The same server, in other circumstances.
    Itself,
    /// The same core, native, under the same driver.
    Native,
    /// Without sockets: figures from another program.
    InProcess,
}

/// The figure of a report that a row is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Metric {
    /// Processor time for a million deliveries, in seconds.
    Cpu,
    /// Deliveries per second; tells little where the generator has a core of its own.
    Rate,
    /// Median latency.
    P50,
    /// 99 of 100 are faster.
    P99,
    /// New connections per second.
    Connects,
    /// Memory for each.
    Bytes,
    /// Microseconds to store a Retained Message.
    Store,
    /// Seconds to read all.
    Read,
    /// Milliseconds from the start of the process to a connection.
    Startup,
}

impl Metric {
    /// The unit of its figures.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Metric::Cpu => "CPU s/M",
            Metric::Rate | Metric::Connects => "1/s",
            Metric::P50 | Metric::P99 | Metric::Store => "us",
            Metric::Bytes => "B",
            Metric::Read => "s",
            Metric::Startup => "ms",
        }
    }

    /// Which direction is good.
    #[must_use]
    pub fn better(self) -> Better {
        match self {
            Metric::Rate | Metric::Connects => Better::Higher,
            Metric::Cpu
            | Metric::P50
            | Metric::P99
            | Metric::Bytes
            | Metric::Store
            | Metric::Read
            | Metric::Startup => Better::Lower,
        }
    }

    /// The figure in a report; a report of another scenario has none.
    #[must_use]
    pub fn of(self, report: &Report) -> Option<f64> {
        match self {
            Metric::Cpu => Some(report.measured?.broker?.cpu_s_per_million),
            Metric::Rate => Some(report.measured?.deliveries_per_s),
            Metric::P50 => Some(report.latency?.p50_us),
            Metric::P99 => Some(report.latency?.p99_us),
            Metric::Connects => report.connects_per_s,
            Metric::Bytes => report.bytes_each,
            Metric::Store => Some(report.retained?.store_us),
            Metric::Read => Some(report.retained?.read_s),
            Metric::Startup => None,
        }
    }
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What is typed to measure only this.
    pub id: &'static str,
    /// What the table calls it.
    pub title: &'static str,
    /// What counts.
    pub metric: Metric,
    /// The ratio to the other that must be reached.
    pub must: Option<f64>,
    /// The ratio that we want.
    pub aim: Option<f64>,
}

/// Runs that give one or more rows.
#[derive(Clone, Copy, Debug)]
pub struct Measurement {
    /// Compared with what.
    pub section: Section,
    /// The scenario; empty for [`Metric::Startup`], which needs none.
    pub scenario: &'static str,
    /// Further arguments of `load` for both, for ours, and for the other.
    pub arguments: [&'static [&'static str]; 3],
    /// Whether each run needs a broker that has done nothing before.
    pub fresh: bool,
    /// The rows.
    pub rows: &'static [Row],
}

const fn row(id: &'static str, title: &'static str, metric: Metric, must: f64, aim: f64) -> Row {
    Row { id, title, metric, must: Some(must), aim: Some(aim) }
}

const fn flow(scenario: &'static str, rows: &'static [Row]) -> Measurement {
    Measurement { section: Section::Mosquitto, scenario, arguments: [&[], &[], &[]], fresh: false, rows }
}

const fn fresh(scenario: &'static str, rows: &'static [Row]) -> Measurement {
    Measurement { fresh: true, ..flow(scenario, rows) }
}

const fn native(scenario: &'static str, rows: &'static [Row]) -> Measurement {
    Measurement { section: Section::Native, ..flow(scenario, rows) }
}

/// What the sandbox may cost.
const fn sandboxed(id: &'static str, title: &'static str) -> Row {
    Row { id, title, metric: Metric::Cpu, must: Some(1.3), aim: None }
}

/// All measurements, in the order of the table.
pub const MEASUREMENTS: &[Measurement] = &[
    flow("fan-in-qos0", &[row("fan-in-qos0", "fan-in 50:1, QoS 0 (W 64)", Metric::Cpu, 0.03, 0.02)]),
    flow("fan-in-qos1", &[row("fan-in-qos1", "fan-in, QoS 1", Metric::Cpu, 0.03, 0.022)]),
    flow("fan-in-qos2", &[row("fan-in-qos2", "fan-in, QoS 2", Metric::Cpu, 0.045, 0.03)]),
    flow("fan-out-qos0", &[row("fan-out-qos0", "fan-out 1:1000, QoS 0 (W 8)", Metric::Cpu, 0.11, 0.09)]),
    flow("fan-out-qos1", &[row("fan-out-qos1", "fan-out, QoS 1", Metric::Cpu, 0.10, 0.075)]),
    flow("pairs-qos0", &[row("pairs-qos0", "100 pairs, QoS 0 (W 16)", Metric::Cpu, 0.075, 0.055)]),
    flow("pairs-qos1", &[row("pairs-qos1", "100 pairs, QoS 1", Metric::Cpu, 0.07, 0.055)]),
    flow("pairs-qos2", &[row("pairs-qos2", "100 pairs, QoS 2", Metric::Cpu, 0.06, 0.045)]),
    flow("pairs-qos1-w1", &[row("pairs-qos1-w1", "100 pairs, QoS 1, W 1 (nothing to batch)", Metric::Cpu, 0.75, 0.67)]),
    Measurement {
        arguments: [&["--ws"], &[], &[]],
        ..flow("pairs-qos0", &[row("websocket", "100 pairs, QoS 0 over WebSocket", Metric::Cpu, 0.17, 0.12)])
    },
    flow(
        "subscribed",
        &[row("subscribed", "publish over 300,000 Subscriptions, 10 publishers", Metric::Cpu, 0.10, 0.06)],
    ),
    flow(
        "subscribed-1",
        &[Row {
            id: "subscribed-1",
            title: "the same, one publisher: a write each",
            metric: Metric::Cpu,
            must: None,
            aim: None,
        }],
    ),
    flow(
        "latency-qos0",
        &[
            row("latency-qos0", "latency p50 at 20,000/s, QoS 0", Metric::P50, 1.2, 1.0),
            Row { id: "latency-qos0-p99", title: "the same, p99", metric: Metric::P99, must: None, aim: None },
        ],
    ),
    flow(
        "latency-qos1",
        &[
            row("latency-qos1", "latency p50 at 5,000/s, QoS 1", Metric::P50, 1.2, 1.0),
            Row { id: "latency-qos1-p99", title: "the same, p99", metric: Metric::P99, must: None, aim: None },
        ],
    ),
    fresh(
        "connects",
        &[
            row("connects", "new connections", Metric::Connects, 1.0, 1.25),
            Row { id: "connects-cpu", title: "the same, broker's CPU", metric: Metric::Cpu, must: None, aim: None },
        ],
    ),
    fresh("idle", &[row("idle", "RSS per idle connection with a Subscription", Metric::Bytes, 0.7, 0.45)]),
    fresh("subscriptions-plain", &[row("plain", "memory per Subscription, plain", Metric::Bytes, 0.6, 0.3)]),
    fresh("subscriptions-wildcard", &[row("wildcard", "memory per Subscription, wildcard", Metric::Bytes, 0.6, 0.3)]),
    fresh(
        "retained",
        &[
            row("retained-store", "200,000 retained: store each (W 1,024)", Metric::Store, 0.2, 0.13),
            row("retained-read", "200,000 retained: read all", Metric::Read, 0.23, 0.15),
        ],
    ),
    fresh(
        "",
        &[Row {
            id: "startup",
            title: "process start to first connection",
            metric: Metric::Startup,
            must: None,
            aim: None,
        }],
    ),
    Measurement {
        section: Section::Itself,
        arguments: [&[], &["--subscriptions", "1000000"], &["--subscriptions", "1000"]],
        ..flow(
            "unmatched",
            &[Row {
                id: "unmatched",
                title: "publish beside 1,000,000 Subscriptions that don't match; other: beside 1,000",
                metric: Metric::Cpu,
                must: Some(1.2),
                aim: None,
            }],
        )
    },
    native("fan-in-qos0", &[sandboxed("native-fan-in-qos0", "fan-in, QoS 0")]),
    native("fan-in-qos1", &[sandboxed("native-fan-in-qos1", "fan-in, QoS 1")]),
    native("fan-out-qos0", &[sandboxed("native-fan-out-qos0", "fan-out, QoS 0")]),
    native("fan-out-qos1", &[sandboxed("native-fan-out-qos1", "fan-out, QoS 1")]),
    native("pairs-qos0", &[sandboxed("native-pairs-qos0", "100 pairs, QoS 0")]),
    native("pairs-qos1", &[sandboxed("native-pairs-qos1", "100 pairs, QoS 1")]),
    native("pairs-qos2", &[sandboxed("native-pairs-qos2", "100 pairs, QoS 2")]),
];

/// The longest that a start may take, in milliseconds: the one figure that is no ratio.
pub const STARTUP_MS_MAX: f64 = 50.0;
