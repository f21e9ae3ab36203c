//! The soak: thousands of clients for minutes, most of them honest, some of which come and go, others that stall and
//! others that lie. It looks for what only time shows: memory that grows, latency that drifts, messages that are lost
//! when a client is cut off at a bad moment.
//!
//! - **Honest pairs**, 9 clients of 10: one publishes to the other, QoS 0, 1 and 2 in turn, MQTT 3.1.1 and 5 in turn,
//!   and every message is accounted for.
//! - A sixth of them come and go: MQTT 5 with a Session that stays; both are cut off, or say goodbye, and come again.
//! - **Stallers**, 1 of 20, subscribe to a flood and stop reading for many seconds at a time; the first time all at
//!   once, so that the most memory is needed in the first minute and what grows later is a leak.
//! - **Liars**, 1 of 20: see `lies`.
//! - **The probe** is a pair that measures latency, 50 times a second.

pub mod judge;
pub mod lies;
pub mod pair;
mod world;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::failure::{Failure, Outcome};
use crate::net::{Net, Target};
use crate::process::{Process, allow_descriptors, machine_cpu, own_cpu};

use judge::{Evidence, Finding, Sample};
use world::World;

/// Connections that may be opening at the same time.
const AT_ONCE: usize = 100;

/// Longest sleep: the probe has to be in time.
const PAUSE_MAX: Duration = Duration::from_millis(2);

/// What makes a soak hard. To find which of them a broker suffers from, each can be left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hardship {
    /// Honest clients go and come again.
    Leaving,
    /// Clients stop reading.
    Stalling,
    /// Clients lie.
    Lying,
}

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the broker listens.
    pub addr: SocketAddr,
    /// Its process.
    pub pid: u32,
    /// All clients together, 40 at least.
    pub connections: u32,
    /// How long.
    pub time: Duration,
    /// Time between two samples.
    pub interval: Duration,
    /// Messages per second of all honest publishers.
    pub rate: u32,
    /// What luck there is.
    pub seed: u64,
    /// Left out: those clients are there, and harmless.
    pub without: Vec<Hardship>,
    /// How long after the end everything that is owed may take.
    pub patience: Duration,
}

impl Options {
    /// Ten minutes of 10,000 clients and 4,000 messages a second.
    #[must_use]
    pub fn new(addr: SocketAddr, pid: u32) -> Self {
        Options {
            addr,
            pid,
            connections: 10_000,
            time: Duration::from_secs(600),
            interval: Duration::from_secs(10),
            rate: 4_000,
            seed: 1,
            without: Vec::new(),
            patience: Duration::from_secs(60),
        }
    }
}

/// Runs the soak; `tell` hears of each sample. A broken rule is a finding, not an error.
///
/// # Errors
/// If an argument can't be, or the broker can't be reached or is gone.
pub fn soak(options: &Options, tell: &mut dyn FnMut(&Sample)) -> Outcome<(Evidence, Vec<Finding>)> {
    if options.connections < 40 {
        return Err(Failure::Argument(format!("--connections {}: 40 and more are allowed", options.connections)));
    }
    if options.interval.is_zero() || options.rate == 0 {
        return Err(Failure::Argument("--interval and --rate must be above 0".into()));
    }
    allow_descriptors(u64::from(options.connections) + 64)?;
    let process = Process::new(options.pid)?;
    // The version plays no part: clients of both cut their own packets.
    let target = Target { addr: options.addr, websocket: None, version: wasmqtt_codec::ProtocolVersion::V5 };
    let pace = (options.time.as_secs_f64() / 120.0).min(1.0);
    let mut soak = Soak {
        net: Net::new(target, options.patience)?,
        world: World::new(options.connections, options.seed, pace, options.without.clone()),
        published: 0,
        process,
    };
    soak.bring_up(options)?;
    // A minute, but never most of a short soak.
    let warm_up = Duration::from_secs(60).min(options.time / 5);
    let mut evidence = Evidence { warm_up_s: warm_up.as_secs_f64(), ..Evidence::default() };
    soak.go_on(options, &mut evidence.samples, tell)?;
    soak.settle(options)?;
    soak.world.testify(&mut evidence);
    let findings = judge::judge(&evidence);
    Ok((evidence, findings))
}

struct Soak {
    net: Net,
    world: World,
    published: u64,
    process: Process,
}

/// What grows, at a moment.
struct Reading {
    counts: world::Counts,
    /// Processor time of everybody else.
    others: Option<Duration>,
}

impl Soak {
    /// One turn: what is due, what the sockets say, and what clients want of their transports.
    fn turn(&mut self) -> Outcome {
        self.world.look_at_the_clock();
        self.world.fire_timers(&mut self.net)?;
        self.net.flush(&mut self.world)?;
        let pause = PAUSE_MAX.min(self.world.pause());
        self.net.turn(&mut self.world, pause)?;
        self.world.look_at_the_clock();
        self.net.flush(&mut self.world)
    }

    /// Opens all connections and waits until every honest client is ready.
    fn bring_up(&mut self, options: &Options) -> Outcome {
        let begun = Instant::now();
        let mut opened = 0;
        while opened < options.connections || self.world.unready() > 0 {
            while opened < options.connections && self.world.opening() < AT_ONCE {
                let link = self.net.open()?;
                self.world.has_opened(&mut self.net, link);
                opened += 1;
            }
            self.turn()?;
            if begun.elapsed() > options.patience + Duration::from_secs(60) {
                let what =
                    format!("{} honest clients are not ready; {opened} transports are open", self.world.unready());
                return Err(Failure::Stalled(begun.elapsed(), what));
            }
        }
        Ok(())
    }

    fn go_on(&mut self, options: &Options, samples: &mut Vec<Sample>, tell: &mut dyn FnMut(&Sample)) -> Outcome {
        let started = Instant::now();
        self.world.start();
        let mut sampled = started;
        let mut before = self.reading()?;
        loop {
            self.turn()?;
            let now = Instant::now();
            let due = ((now - started).as_secs_f64() * f64::from(options.rate)) as u64;
            // What is more than a tenth of a second late is left out rather than sent in one burst.
            self.published = self.published.max(due.saturating_sub(u64::from(options.rate / 10)));
            while self.published < due {
                self.world.publish_next(&mut self.net.links);
                self.published += 1;
            }
            if now - sampled >= options.interval {
                let seconds = (now - sampled).as_secs_f64();
                let sample = self.sample((now - started).as_secs_f64(), seconds, &before)?;
                before = self.reading()?;
                sampled = now;
                tell(&sample);
                samples.push(sample);
            }
            if now - started >= options.time {
                return Ok(());
            }
        }
    }

    fn reading(&self) -> Outcome<Reading> {
        let ours = own_cpu() + self.process.cpu()?;
        Ok(Reading { counts: self.world.counts, others: machine_cpu().map(|machine| machine.saturating_sub(ours)) })
    }

    fn sample(&mut self, at_s: f64, seconds: f64, before: &Reading) -> Outcome<Sample> {
        let now = self.reading()?;
        let (counts, before_counts) = (now.counts, before.counts);
        let processors = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        let others =
            now.others.zip(before.others).map_or(0.0, |(now, before)| (now.saturating_sub(before)).as_secs_f64());
        let latency: &Histogram<u64> = &self.world.latency;
        let (p50, p99) = (latency.value_at_quantile(0.5), latency.value_at_quantile(0.99));
        self.world.latency.reset();
        Ok(Sample {
            at_s,
            rss_bytes: self.process.rss_bytes()?,
            connections: (0..self.net.links.len() as u32).filter(|&link| self.net.is_open(link)).count() as u32,
            deliveries_per_s: (counts.deliveries - before_counts.deliveries) as f64 / seconds,
            flood_per_s: (counts.flood - before_counts.flood) as f64 / seconds,
            lies: counts.lies - before_counts.lies,
            returns: counts.returns - before_counts.returns,
            others: others / (seconds * processors),
            p50_us: p50 as f64,
            p99_us: p99 as f64,
        })
    }

    /// Nobody publishes, stalls, lies or goes any more: everything that is owed must come.
    fn settle(&mut self, options: &Options) -> Outcome {
        self.world.calm(&mut self.net);
        let begun = Instant::now();
        while !self.world.is_settled() && begun.elapsed() < options.patience {
            self.turn()?;
        }
        Ok(())
    }
}
