//! Runs one scenario: brings its clients to where it begins, lets it run, and reports.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use wasmqtt_codec::{ProtocolVersion, Qos};

use crate::failure::{Failure, Outcome};
use crate::flow::{Flow, Length, Plan, Round, Streams};
use crate::meter::Meter;
use crate::net::{Net, Target};
use crate::packet::{PAYLOAD_BYTES_MIN, Template};
use crate::process::{Process, allow_descriptors};
use crate::report::{BrokerCost, Latency, Report};
use crate::retained;
use crate::scenario::{Kind, Scenario};
use crate::setup::{self, Ready};

/// Connections that are opened at the same time, where their rate isn't measured.
const AT_ONCE: u32 = 100;

/// Topics of the scenario `unmatched`.
const UNMATCHED_TOPICS: u32 = 10_000;

/// Runs of this process so far.
static RUNS: AtomicU32 = AtomicU32::new(0);

/// What may be chosen about a run; `None` is the scenario's own.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the broker listens.
    pub addr: SocketAddr,
    /// The path of its WebSocket; `None` for MQTT over TCP.
    pub websocket: Option<String>,
    /// The version that all clients speak.
    pub version: ProtocolVersion,
    /// Messages of all publishers together, instead of a time.
    pub messages: Option<u64>,
    /// How long messages flow.
    pub time: Duration,
    /// Bytes of each payload.
    pub payload_bytes: usize,
    /// See each scenario.
    pub connections: Option<u32>,
    /// Messages outstanding for each publisher.
    pub window: Option<u32>,
    /// Subscriptions of all clients, where a scenario is about their number.
    pub subscriptions: Option<u32>,
    /// Messages per second of an open loop.
    pub rate: Option<u32>,
    /// The broker's process on this machine.
    pub pid: Option<u32>,
    /// Nothing for this long, although something is owed, is a stall.
    pub patience: Duration,
}

impl Options {
    /// 3 s of 64 B payloads at this address.
    #[must_use]
    pub fn new(addr: SocketAddr) -> Self {
        Options {
            addr,
            websocket: None,
            version: ProtocolVersion::V3_1_1,
            messages: None,
            time: Duration::from_secs(3),
            payload_bytes: 64,
            connections: None,
            window: None,
            subscriptions: None,
            rate: None,
            pid: None,
            patience: Duration::from_secs(10),
        }
    }

    fn length(&self) -> Length {
        self.messages.map_or(Length::Time(self.time), Length::Messages)
    }
}

/// What a scenario works with.
struct Run<'a> {
    scenario: &'a Scenario,
    options: &'a Options,
    net: Net,
    meter: Meter,
    connections: u32,
    window: u32,
    /// First level of all Topic Names: two runs at a time don't hear each other.
    prefix: String,
    report: Report,
}

/// Runs a scenario against a broker.
///
/// # Errors
/// If an argument can't be, the broker can't be reached, refuses, stalls, or delivers wrongly.
pub fn run(scenario: &Scenario, options: &Options) -> Outcome<Report> {
    let connections = options.connections.unwrap_or(scenario.connections);
    let window = options.window.unwrap_or(scenario.window);
    check(scenario, options, connections, window)?;
    let is_paired = matches!(scenario.kind, Kind::Pairs(_) | Kind::Latency(..));
    allow_descriptors(u64::from(connections) * if is_paired { 2 } else { 1 } + 64)?;
    let target = Target { addr: options.addr, websocket: options.websocket.clone(), version: options.version };
    let report = Report {
        scenario: scenario.name.into(),
        version: version_name(options.version).into(),
        transport: if options.websocket.is_some() { "WebSocket" } else { "TCP" }.into(),
        payload_bytes: options.payload_bytes,
        connections,
        window,
        ..Report::default()
    };
    let meter = Meter { process: options.pid.map(Process::new).transpose()? };
    let prefix = format!("load-{:07}-{:03}", std::process::id(), RUNS.fetch_add(1, Ordering::Relaxed) % 1000);
    let mut run =
        Run { scenario, options, net: Net::new(target, options.patience)?, meter, connections, window, prefix, report };
    match scenario.kind {
        Kind::FanIn(qos) => run.fan_in(qos)?,
        Kind::FanOut(qos) => run.fan_out(qos)?,
        Kind::Pairs(qos) => run.pairs(qos)?,
        Kind::Sparse { publishers } => run.sparse(publishers)?,
        Kind::Unmatched => run.unmatched()?,
        Kind::Latency(qos, rate) => run.latency(qos, options.rate.unwrap_or(rate))?,
        Kind::Connects => run.connects()?,
        Kind::Idle => run.idle()?,
        Kind::Subscriptions { wildcard } => run.subscriptions(wildcard)?,
        Kind::Retained => run.retained()?,
    }
    run.report.rss_bytes = run.meter.process.map(Process::rss_bytes).transpose()?;
    Ok(run.report)
}

/// The version's number, as people type it.
#[must_use]
pub fn version_name(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::V3_1 => "3.1",
        ProtocolVersion::V3_1_1 => "3.1.1",
        ProtocolVersion::V5 => "5",
    }
}

fn check(scenario: &Scenario, options: &Options, connections: u32, window: u32) -> Outcome {
    let wrong = |what: String| Err(Failure::Argument(what));
    if options.payload_bytes < PAYLOAD_BYTES_MIN || options.payload_bytes > 1 << 20 {
        return wrong(format!("--payload-bytes {}: {PAYLOAD_BYTES_MIN} to 1048576 are allowed", options.payload_bytes));
    }
    if connections == 0 {
        return wrong("--connections 0: at least 1 is needed".into());
    }
    let needs_window = scenario.window > 0;
    // More than half of all Packet Identifiers under way could not be told apart from those that went round.
    if needs_window && !(1..=32_767).contains(&window) {
        return wrong(format!("--window {window}: 1 to 32767 are allowed"));
    }
    if options.messages == Some(0) {
        return wrong("--messages 0: at least 1 is needed".into());
    }
    if options.time < Duration::from_millis(10) {
        return wrong("--seconds: at least 0.01 is needed".into());
    }
    if options.rate.is_some_and(|rate| !(1..=1_000_000).contains(&rate)) {
        return wrong("--rate: 1 to 1000000 are allowed".into());
    }
    match scenario.kind {
        Kind::Sparse { .. } if connections % 2 == 1 => {
            wrong(format!("--connections {connections}: {} needs an even number", scenario.name))
        }
        Kind::Idle | Kind::Subscriptions { .. } if options.pid.is_none() => {
            wrong(format!("{} measures the broker's memory and needs --pid", scenario.name))
        }
        Kind::FanIn(_)
        | Kind::FanOut(_)
        | Kind::Pairs(_)
        | Kind::Sparse { .. }
        | Kind::Unmatched
        | Kind::Latency(..)
        | Kind::Connects
        | Kind::Idle
        | Kind::Subscriptions { .. }
        | Kind::Retained => Ok(()),
    }
}

impl Run<'_> {
    fn fan_in(&mut self, qos: Qos) -> Outcome {
        let (publishers, filter) = (self.connections, format!("{}/+/value", self.prefix));
        self.connect(publishers + 1, &mut |client, n| (client == publishers && n == 0).then(|| (filter.clone(), qos)))?;
        let templates = self.templates(qos, publishers);
        self.flow(Plan { streams: Streams::ByPublisher, ..self.plan(qos, templates, 1) })
    }

    fn fan_out(&mut self, qos: Qos) -> Outcome {
        let (subscribers, topic) = (self.connections, self.topic(0));
        self.connect(1 + subscribers, &mut |client, n| (client > 0 && n == 0).then(|| (topic.clone(), qos)))?;
        let templates = self.templates(qos, 1);
        let streams = Streams::Each { every: 1 };
        self.flow(Plan { receivers: subscribers, streams, ..self.plan(qos, templates, subscribers) })
    }

    fn pairs(&mut self, qos: Qos) -> Outcome {
        let templates = self.open_pairs(qos)?;
        self.flow(Plan { streams: Streams::Pairwise, ..self.plan(qos, templates, self.connections) })
    }

    fn latency(&mut self, qos: Qos, rate: u32) -> Outcome {
        let templates = self.open_pairs(qos)?;
        let plan = Plan { streams: Streams::Pairwise, window: u64::MAX, ..self.plan(qos, templates, self.connections) };
        let mut flow = Flow::new(plan);
        let time = match self.options.length() {
            Length::Time(time) => time,
            Length::Messages(messages) => Duration::from_secs_f64(messages as f64 / f64::from(rate)),
        };
        let histogram = flow.run_open(&mut self.net, rate, time)?;
        let us = |quantile| histogram.value_at_quantile(quantile) as f64 / 1000.0;
        let (p50_us, p99_us, p999_us, max_us) = (us(0.5), us(0.99), us(0.999), histogram.max() as f64 / 1000.0);
        self.report.latency = Some(Latency { rate_per_s: rate, p50_us, p99_us, p999_us, max_us });
        self.counted(&flow);
        Ok(())
    }

    /// Two thirds of the Subscriptions are plain, one third have a wildcard; half of the plain ones and all the others
    /// match a topic that messages come to, so that each topic has two subscribers.
    fn sparse(&mut self, publishers: u32) -> Outcome {
        let (connections, wanted) = (self.connections, self.options.subscriptions.unwrap_or(300_000));
        let share = (wanted / 3 / connections).max(1);
        let (topics, half, prefix) = (share * connections, connections / 2, self.prefix.clone());
        self.connect(publishers + connections, &mut |client, n| {
            let subscriber = client.checked_sub(publishers)?;
            let filter = match n {
                n if n < 2 * share => sensor(&prefix, subscriber + n * connections, "value"),
                n if n < 3 * share => {
                    let topic = (subscriber + half) % connections + (n - 2 * share) * connections;
                    format!("{prefix}/+/sensor/{topic:07}/value")
                }
                _ => return None,
            };
            Some((filter, Qos::AtMostOnce))
        })?;
        let round = Round::new((0..topics).map(|topic| sensor(&self.prefix, topic, "value")));
        let template = |number| self.template(&sensor(&self.prefix, 0, "value"), Qos::AtMostOnce, number);
        let templates = (0..publishers).map(template).collect();
        // A multiple of the connections: whoever publishes, a sequence number says who hears it.
        let apart = u64::from(share / publishers * connections);
        let streams = Streams::Each { every: u64::from(half) };
        let plan = self.plan(Qos::AtMostOnce, templates, connections);
        let note = format!("{} Subscriptions, {topics} topics, {publishers} publishers", 3 * topics);
        self.report.notes.push(note);
        self.flow(Plan { receivers: 2, streams, round: Some((round, apart)), ..plan })
    }

    /// A third of the Subscriptions have a wildcard. They share all levels but the last with the topics published to,
    /// so that a look-up has to go all the way to find that they don't match.
    fn unmatched(&mut self) -> Outcome {
        let (connections, wanted) = (self.connections, self.options.subscriptions.unwrap_or(1_000));
        let (share, prefix) = (wanted.div_ceil(connections), self.prefix.clone());
        self.connect(2 + connections, &mut |client, n| match client {
            0 => None,
            1 => (n == 0).then(|| (format!("{prefix}/#"), Qos::AtMostOnce)),
            client => (n < share).then(|| {
                let number = client - 2 + n * connections;
                let is_wild = number % 3 == 0;
                let plain = sensor(&prefix, number, "other");
                let wild = format!("{prefix}/+/sensor/{number:07}/other");
                (if is_wild { wild } else { plain }, Qos::AtMostOnce)
            }),
        })?;
        let round = Round::new((0..UNMATCHED_TOPICS).map(|topic| sensor(&self.prefix, topic, "value")));
        let templates = vec![self.template(&sensor(&self.prefix, 0, "value"), Qos::AtMostOnce, 0)];
        let streams = Streams::Each { every: 1 };
        self.report.notes.push(format!("{} Subscriptions that don't match", share * connections));
        self.flow(Plan { streams, round: Some((round, 0)), ..self.plan(Qos::AtMostOnce, templates, 1) })
    }

    fn connects(&mut self) -> Outcome {
        let before = self.meter.read(&self.net, 0)?;
        let ready = self.connect_at_once(self.connections, self.window, &mut |_, _| None)?;
        let after = self.meter.read(&self.net, self.connections.into())?;
        self.report.connects_per_s = Some(f64::from(self.connections) / ready.took.as_secs_f64());
        let mut measured = self.meter.since(&before, &after);
        measured.deliveries = self.connections.into();
        self.report.measured = Some(measured);
        Ok(())
    }

    fn idle(&mut self) -> Outcome {
        let process = self.meter.process.expect("it was asked for");
        let before = process.settled_rss_bytes()?;
        let prefix = self.prefix.clone();
        self.connect(self.connections, &mut |client, n| {
            (n == 0).then(|| (format!("{prefix}/{client:07}/command"), Qos::AtLeastOnce))
        })?;
        let after = process.settled_rss_bytes()?;
        self.report.bytes_each = Some(after.saturating_sub(before) as f64 / f64::from(self.connections));
        Ok(())
    }

    fn subscriptions(&mut self, wildcard: bool) -> Outcome {
        let process = self.meter.process.expect("it was asked for");
        let (connections, wanted) = (self.connections, self.options.subscriptions.unwrap_or(200_000));
        let share = wanted.div_ceil(connections);
        // A connection of its own lets what comes with the first packet not be counted as a Subscription's.
        self.connect(1, &mut |_, n| (n == 0).then(|| (format!("first/{}", u8::from(wildcard)), Qos::AtMostOnce)))?;
        let before = process.settled_rss_bytes()?;
        let prefix = self.prefix.clone();
        let ready = self.connect(connections, &mut |client, n| {
            let number = client + n * connections;
            let wild = || format!("{prefix}/+/sensor/{number:07}/value");
            let filter = || if wildcard { wild() } else { sensor(&prefix, number, "value") };
            (n < share).then(|| (filter(), Qos::AtMostOnce))
        })?;
        let after = process.settled_rss_bytes()?;
        self.report.notes.push(format!("{} Subscriptions", ready.subscriptions));
        self.report.bytes_each = Some(after.saturating_sub(before) as f64 / ready.subscriptions as f64);
        Ok(())
    }

    fn retained(&mut self) -> Outcome {
        let messages = self.options.messages.unwrap_or(200_000);
        let Ok(topics) = u32::try_from(messages) else {
            return Err(Failure::Argument(format!("--messages {messages}: 1 to {} are allowed", u32::MAX)));
        };
        self.connect(2, &mut |_, _| None)?;
        let round = Round::new((0..topics).map(|topic| sensor(&self.prefix, topic, "value")));
        let first = sensor(&self.prefix, 0, "value");
        let version = self.options.version;
        let template = Template::new(version, &first, Qos::AtMostOnce, true, 0, self.options.payload_bytes);
        let work = retained::Work { messages, window: self.window.into(), template, round };
        let filter = format!("{}/#", self.prefix);
        let (deliveries, retained) = retained::run(&mut self.net, &self.meter, work, &filter)?;
        self.report.messages = messages;
        self.report.deliveries = deliveries;
        self.report.retained = Some(retained);
        Ok(())
    }

    fn open_pairs(&mut self, qos: Qos) -> Outcome<Vec<Template>> {
        let (pairs, prefix) = (self.connections, self.prefix.clone());
        self.connect(2 * pairs, &mut |client, n| {
            (client >= pairs && n == 0).then(|| (topic_of(&prefix, client - pairs), qos))
        })?;
        Ok(self.templates(qos, pairs))
    }

    fn connect(&mut self, clients: u32, wishes: setup::Wishes<'_>) -> Outcome<Ready> {
        self.connect_at_once(clients, AT_ONCE, wishes)
    }

    fn connect_at_once(&mut self, clients: u32, at_once: u32, wishes: setup::Wishes<'_>) -> Outcome<Ready> {
        let ready = setup::connect(&mut self.net, clients, at_once, wishes)?;
        let is_flow = self.scenario.window > 0 && self.scenario.kind != Kind::Connects;
        if is_flow && u32::from(ready.receive_maximum) < self.window {
            self.window = ready.receive_maximum.into();
            self.report.window = self.window;
            let note = format!("the broker's Receive Maximum lowered the window to {}", self.window);
            self.report.notes.push(note);
        }
        Ok(ready)
    }

    fn topic(&self, number: u32) -> String {
        topic_of(&self.prefix, number)
    }

    fn template(&self, topic: &str, qos: Qos, publisher: u32) -> Template {
        Template::new(self.options.version, topic, qos, false, publisher, self.options.payload_bytes)
    }

    fn templates(&self, qos: Qos, publishers: u32) -> Vec<Template> {
        (0..publishers).map(|number| self.template(&self.topic(number), qos, number)).collect()
    }

    fn plan(&self, qos: Qos, templates: Vec<Template>, subscribers: u32) -> Plan {
        let (window, payload_bytes) = (self.window.into(), self.options.payload_bytes);
        let streams = Streams::ByPublisher;
        Plan { templates, round: None, subscribers, receivers: 1, streams, qos: qos as u8, window, payload_bytes }
    }

    fn flow(&mut self, plan: Plan) -> Outcome {
        let mut flow = Flow::new(plan);
        let measured = flow.run(&mut self.net, self.options.length(), &self.meter)?;
        if let Some(BrokerCost { cpu_s, resolution_ns, .. }) = measured.broker
            && cpu_s * 1e9 < 50.0 * resolution_ns as f64
        {
            let note = format!("the broker's {cpu_s} s are few ticks of {resolution_ns} ns: run longer");
            self.report.notes.push(note);
        }
        self.report.measured = Some(measured);
        self.counted(&flow);
        Ok(())
    }

    fn counted(&mut self, flow: &Flow) {
        self.report.messages = flow.sent();
        self.report.deliveries = flow.deliveries;
        self.report.duplicates = flow.duplicates;
    }
}

/// The topic of a publisher.
fn topic_of(prefix: &str, number: u32) -> String {
    format!("{prefix}/{number:05}/value")
}

/// A topic where there are very many, a thousand to a site.
fn sensor(prefix: &str, number: u32, last: &str) -> String {
    format!("{prefix}/{:04}/sensor/{number:07}/{last}", number / 1000)
}
