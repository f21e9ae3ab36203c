//! Messages from publishers to subscribers, checked one by one. **Closed loop**: a publisher has at most so many
//! messages outstanding, which are those that a subscriber has not received (QoS 2: to the PUBREL) or the broker has
//! not acknowledged; a broker that drops messages or answers early wins nothing, and none is flooded. Or **open loop**:
//! messages are due at fixed times, however long the earlier ones take, and latency counts from when a message was due.
//!
//! ```text
//!   publishers: links 0..P          subscribers: links P..P+S
//!   next ──────► PUBLISH ──────────────────► expected: the sequence number that is due; another one is an error
//!   low  ◄── all receivers have it ────────┘
//!   acknowledged ◄── PUBACK or PUBCOMP, in order
//! ```

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use wasmqtt_codec::PacketType;

use crate::failure::{Failure, Outcome};
use crate::meter::Meter;
use crate::net::{Handler, Links, Net};
use crate::packet::{Incoming, PINGREQ, Template, acknowledgement, identifier_of, numbers};
use crate::report::Measured;
use crate::setup::unexpected;

/// Longer latencies count as this one.
const LATENCY_MAX_NS: u64 = 60_000_000_000;

/// How long a run is.
#[derive(Clone, Copy, Debug)]
pub enum Length {
    /// This many messages from all publishers together.
    Messages(u64),
    /// This long.
    Time(Duration),
}

/// Topic Names of one length that a publisher goes round.
#[derive(Default)]
pub struct Round {
    bytes: Vec<u8>,
    each: usize,
}

impl Round {
    /// These Topic Names.
    ///
    /// # Panics
    /// If they are not of one length.
    pub fn new(topics: impl Iterator<Item = String>) -> Self {
        let mut round = Round::default();
        for topic in topics {
            assert!(round.each == 0 || round.each == topic.len(), "topics of one length");
            round.each = topic.len();
            round.bytes.extend_from_slice(topic.as_bytes());
        }
        round
    }

    /// The Topic Name of a message.
    #[must_use]
    pub fn at(&self, sequence: u64) -> &[u8] {
        let count = (self.bytes.len() / self.each) as u64;
        let at = (sequence % count) as usize * self.each;
        &self.bytes[at..at + self.each]
    }
}

/// Which messages a stream consists of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Streams {
    /// One subscriber hears all publishers: a stream for each publisher.
    ByPublisher,
    /// Each subscriber hears the publisher of its number.
    Pairwise,
    /// Each subscriber hears all publishers: a stream for each two.
    Each {
        /// 1 = all messages; n = those whose sequence number leaves what the subscriber's leaves, divided by n.
        every: u64,
    },
}

/// What is to flow.
pub struct Plan {
    /// One PUBLISH for each publisher.
    pub templates: Vec<Template>,
    /// Topics of each message, if not the template's. Each publisher begins elsewhere, this many topics behind the one
    /// before it.
    pub round: Option<(Round, u64)>,
    /// Subscribers that get anything; their links follow the publishers'.
    pub subscribers: u32,
    /// Subscribers that get each message.
    pub receivers: u32,
    /// What each subscriber gets.
    pub streams: Streams,
    /// QoS of all PUBLISH.
    pub qos: u8,
    /// Messages outstanding for each publisher.
    pub window: u64,
    /// Bytes of each payload.
    pub payload_bytes: usize,
}

struct Publisher {
    template: Template,
    /// Sequence number of the next message; those below were sent.
    next: u64,
    /// Messages below this were received by all.
    low: u64,
    /// Messages below this were acknowledged.
    acknowledged: u64,
    /// QoS 2: messages below this have their PUBREC.
    received: u64,
    /// Where there are several receivers: how many of them a message is still owed to.
    left: Vec<u32>,
    quota: u64,
    is_touched: bool,
}

/// The state of a flow.
pub struct Flow {
    plan: Plan,
    publishers: Vec<Publisher>,
    /// Sequence number due next on each stream.
    expected: Vec<u64>,
    every: u64,
    /// QoS 2: for each subscriber, Packet Identifier, publisher and sequence number of what waits for its PUBREL.
    unreleased: Vec<VecDeque<(u16, u32, u64)>>,
    touched: Vec<u32>,
    sent: u64,
    complete: u64,
    acknowledged: u64,
    pongs: u32,
    /// Messages received and found right.
    pub deliveries: u64,
    /// QoS 1 messages that came again.
    pub duplicates: u64,
    clock: Option<Timetable>,
}

/// When messages are due, and how late they were received.
pub struct Timetable {
    begun: Instant,
    interval_ns: u64,
    warm_up_ns: u64,
    histogram: Histogram<u64>,
}

impl Flow {
    /// A flow that is yet to begin.
    #[must_use]
    pub fn new(mut plan: Plan) -> Self {
        let left = if plan.receivers > 1 { plan.window.next_power_of_two() as usize } else { 0 };
        let publisher = |template| Publisher {
            template,
            next: 0,
            low: 0,
            acknowledged: 0,
            received: 0,
            left: vec![0; left],
            quota: u64::MAX,
            is_touched: true,
        };
        let publishers: Vec<_> = std::mem::take(&mut plan.templates).into_iter().map(publisher).collect();
        let (every, streams) = match plan.streams {
            Streams::ByPublisher => (1, publishers.len()),
            Streams::Pairwise => (1, plan.subscribers as usize),
            Streams::Each { every } => (every, publishers.len() * plan.subscribers as usize),
        };
        let subscribers = u64::from(plan.subscribers);
        let expected = (0..streams as u64).map(|stream| stream % subscribers % every).collect();
        let unreleased = vec![VecDeque::new(); if plan.qos == 2 { plan.subscribers as usize } else { 0 }];
        let touched = (0..publishers.len() as u32).collect();
        let (sent, complete, acknowledged, pongs, deliveries, duplicates) = (0, 0, 0, 0, 0, 0);
        Flow {
            plan,
            publishers,
            expected,
            every,
            unreleased,
            touched,
            sent,
            complete,
            acknowledged,
            pongs,
            deliveries,
            duplicates,
            clock: None,
        }
    }

    /// Messages sent.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Runs the closed loop to its end and gives what the part behind the first tenth cost.
    ///
    /// # Errors
    /// If a message is lost, comes twice, late or changed, or nothing comes at all.
    pub fn run(&mut self, net: &mut Net, length: Length, meter: &Meter) -> Outcome<Measured> {
        if let Length::Messages(messages) = length {
            self.share_out(messages);
        }
        let begun = Instant::now();
        let mut began = None;
        let mut watch = Watch::new(net.patience);
        loop {
            self.pump(&mut net.links);
            net.flush(self)?;
            net.turn(self, watch.pause())?;
            let now = Instant::now();
            let (is_warm, is_over) = match length {
                Length::Messages(messages) => (self.complete * 10 >= messages, false),
                Length::Time(time) => ((now - begun) * 10 >= time, now - begun >= time),
            };
            if is_warm && began.is_none() {
                began = Some(meter.read(net, self.deliveries)?);
            }
            if is_over {
                self.stop();
            }
            if self.is_done() {
                break;
            }
            watch.check(now, self.progress(), || self.outstanding())?;
        }
        let began = began.expect("a tenth comes before the end");
        let measured = meter.since(&began, &meter.read(net, self.deliveries)?);
        self.settle(net)?;
        Ok(measured)
    }

    /// Sends `rate` messages a second for this long, each when it is due, and gives the time from due to received of
    /// those behind the first tenth. This spins, so that the generator's own waking up is not measured.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_open(&mut self, net: &mut Net, rate: u32, time: Duration) -> Outcome<Histogram<u64>> {
        let begun = Instant::now();
        let interval_ns = 1_000_000_000 / u64::from(rate.max(1));
        let warm_up_ns = time.as_nanos() as u64 / 10;
        let histogram = Histogram::new_with_max(LATENCY_MAX_NS, 3).expect("3 digits are allowed");
        self.clock = Some(Timetable { begun, interval_ns, warm_up_ns, histogram });
        let mut watch = Watch::new(net.patience);
        loop {
            let now = Instant::now();
            let elapsed = now - begun;
            if elapsed < time {
                let due = elapsed.as_nanos() as u64 / interval_ns + 1;
                while self.sent < due {
                    let publisher = self.sent % self.publishers.len() as u64;
                    self.publish(&mut net.links, publisher as usize);
                }
                net.flush(self)?;
            } else {
                self.stop();
            }
            net.turn(self, Duration::ZERO)?;
            net.flush(self)?;
            if self.is_done() {
                break;
            }
            watch.check(now, self.progress(), || self.outstanding())?;
        }
        self.settle(net)?;
        Ok(self.clock.take().expect("it was set above").histogram)
    }

    fn share_out(&mut self, messages: u64) {
        let count = self.publishers.len() as u64;
        for (number, publisher) in (0..).zip(&mut self.publishers) {
            publisher.quota = messages / count + u64::from(number < messages % count);
        }
    }

    fn stop(&mut self) {
        self.publishers.iter_mut().for_each(|publisher| publisher.quota = publisher.next);
    }

    fn is_done(&self) -> bool {
        let is_quiet = self.complete == self.sent && (self.plan.qos == 0 || self.acknowledged == self.sent);
        is_quiet && self.publishers.iter().all(|publisher| publisher.next == publisher.quota)
    }

    fn progress(&self) -> u64 {
        self.deliveries + self.acknowledged
    }

    /// Sends what the windows of those publishers allow that were heard of since.
    fn pump(&mut self, links: &mut Links) {
        let mut touched = std::mem::take(&mut self.touched);
        for number in touched.drain(..) {
            let number = number as usize;
            self.publishers[number].is_touched = false;
            loop {
                let publisher = &self.publishers[number];
                let oldest = if self.plan.qos == 0 { publisher.low } else { publisher.low.min(publisher.acknowledged) };
                if publisher.next >= publisher.quota || publisher.next - oldest >= self.plan.window {
                    break;
                }
                self.publish(links, number);
            }
        }
        self.touched = touched;
    }

    fn publish(&mut self, links: &mut Links, number: usize) {
        let publisher = &mut self.publishers[number];
        if let Some((round, apart)) = &self.plan.round {
            publisher.template.set_topic(round.at(publisher.next + number as u64 * apart));
        }
        if let Some(mask) = publisher.left.len().checked_sub(1) {
            publisher.left[publisher.next as usize & mask] = self.plan.receivers;
        }
        links.append(number as u32, publisher.template.with(publisher.next));
        publisher.next += 1;
        self.sent += 1;
    }

    fn touch(&mut self, number: usize) {
        let publisher = &mut self.publishers[number];
        if !publisher.is_touched {
            publisher.is_touched = true;
            self.touched.push(number as u32);
        }
    }

    fn received(&mut self, link: u32, identifier: u16, payload: &[u8]) -> Outcome {
        let subscriber = link - self.publishers.len() as u32;
        let wrong = |what: &str| Err(Failure::Delivery(format!("subscriber {subscriber} got {what}")));
        let Some((number, sequence)) = numbers(payload).filter(|_| payload.len() == self.plan.payload_bytes) else {
            return wrong(&format!("a payload of {} bytes that no publisher sent", payload.len()));
        };
        let stream = match self.plan.streams {
            Streams::ByPublisher => (subscriber == 0).then_some(number),
            Streams::Pairwise => (subscriber == number).then_some(subscriber),
            Streams::Each { .. } => {
                (subscriber < self.plan.subscribers).then(|| number.saturating_mul(self.plan.subscribers) + subscriber)
            }
        };
        let known = stream.filter(|_| (number as usize) < self.publishers.len());
        let due = known.and_then(|stream| self.expected.get_mut(stream as usize));
        let Some(due) = due else {
            return wrong(&format!("message {sequence} of publisher {number}, which is not for it"));
        };
        if sequence != *due {
            if sequence < *due && self.plan.qos == 1 {
                self.duplicates += 1;
                return Ok(());
            }
            let why = if sequence < *due { "it came twice, or was overtaken" } else { "lost, or overtaken" };
            return wrong(&format!("message {sequence} of publisher {number} where {due} was due: {why}"));
        }
        *due += self.every;
        self.deliveries += 1;
        if let Some(clock) = &mut self.clock {
            clock.record(sequence * self.publishers.len() as u64 + u64::from(number));
        }
        match self.unreleased.get_mut(subscriber as usize) {
            Some(unreleased) => unreleased.push_back((identifier, number, sequence)),
            None => self.delivered(number, sequence),
        }
        Ok(())
    }

    /// A receiver has a message for good.
    fn delivered(&mut self, number: u32, sequence: u64) {
        let publisher = &mut self.publishers[number as usize];
        if let Some(mask) = publisher.left.len().checked_sub(1) {
            publisher.left[sequence as usize & mask] -= 1;
            while publisher.low < publisher.next && publisher.left[publisher.low as usize & mask] == 0 {
                publisher.low += 1;
                self.complete += 1;
            }
        } else {
            publisher.low += 1;
            self.complete += 1;
        }
        self.touch(number as usize);
    }

    /// PUBREL comes in the order of PUBREC [5:MQTT-4.6.0-4].
    fn released(&mut self, links: &mut Links, link: u32, identifier: u16) -> Outcome {
        let subscriber = link as usize - self.publishers.len();
        match self.unreleased.get_mut(subscriber).and_then(VecDeque::pop_front) {
            Some((due, number, sequence)) if due == identifier => {
                self.delivered(number, sequence);
                links.append(link, &acknowledgement(PacketType::Pubcomp, identifier));
                Ok(())
            }
            due => {
                let due = due.map_or("none".into(), |(due, ..)| format!("that of {due}"));
                let what = format!("subscriber {subscriber} got PUBREL of {identifier}, where {due} was due");
                Err(Failure::Protocol(what))
            }
        }
    }

    /// An acknowledgement of a publisher's message; they come in the order of the messages [5:MQTT-4.6.0-2].
    fn acknowledged(&mut self, links: &mut Links, link: u32, packet_type: PacketType, identifier: u16) -> Outcome {
        let publisher = &mut self.publishers[link as usize];
        let (due, last) = match (packet_type, self.plan.qos) {
            (PacketType::Puback, 1) => (&mut publisher.acknowledged, publisher.next),
            (PacketType::Pubrec, 2) => (&mut publisher.received, publisher.next),
            (PacketType::Pubcomp, 2) => (&mut publisher.acknowledged, publisher.received),
            _ => return Err(unexpected(link, &Incoming::Acknowledged(packet_type, identifier))),
        };
        if *due == last || identifier_of(*due) != identifier {
            let what =
                format!("publisher {link} got {packet_type:?} of {identifier}, where {} was due", identifier_of(*due));
            return Err(Failure::Protocol(what));
        }
        *due += 1;
        if packet_type == PacketType::Pubrec {
            links.append(link, &acknowledgement(PacketType::Pubrel, identifier));
        } else {
            self.acknowledged += 1;
            self.touch(link as usize);
        }
        Ok(())
    }

    /// Lets every subscriber say PINGREQ and waits for all answers: what came too much would come before them.
    fn settle(&mut self, net: &mut Net) -> Outcome {
        let first = self.publishers.len() as u32;
        for subscriber in 0..self.plan.subscribers {
            net.links.append(first + subscriber, &PINGREQ);
        }
        let mut watch = Watch::new(net.patience);
        while self.pongs < self.plan.subscribers {
            net.flush(self)?;
            net.turn(self, watch.pause())?;
            let missing = self.plan.subscribers - self.pongs;
            watch.check(Instant::now(), self.pongs.into(), || format!("PINGRESP of {missing} subscribers"))?;
        }
        Ok(())
    }

    fn outstanding(&self) -> String {
        let mut text = format!(
            "{} messages sent, {} received by all they are for, {} acknowledged; first of them",
            self.sent, self.complete, self.acknowledged
        );
        let is_waiting = |publisher: &Publisher| publisher.next > publisher.low.min(publisher.acknowledged);
        let waiting = self.publishers.iter().enumerate().filter(|(_, publisher)| is_waiting(publisher));
        for (number, publisher) in waiting.take(3) {
            let Publisher { next, low, acknowledged, .. } = publisher;
            text +=
                &format!("; publisher {number} sent up to {next}, received up to {low}, acknowledged {acknowledged}");
        }
        text
    }
}

impl Handler for Flow {
    fn opened(&mut self, _links: &mut Links, link: u32) -> Outcome {
        unreachable!("link {link} was open before the flow began")
    }

    #[inline]
    fn incoming(&mut self, links: &mut Links, link: u32, packet: Incoming<'_>) -> Outcome {
        let is_subscriber = link >= self.publishers.len() as u32;
        match packet {
            Incoming::Publish { qos, identifier, payload, .. } if is_subscriber && qos == self.plan.qos => {
                self.received(link, identifier, payload)?;
                match qos {
                    0 => {}
                    1 => links.append(link, &acknowledgement(PacketType::Puback, identifier)),
                    _ => links.append(link, &acknowledgement(PacketType::Pubrec, identifier)),
                }
                Ok(())
            }
            Incoming::Acknowledged(PacketType::Pubrel, identifier) if is_subscriber => {
                self.released(links, link, identifier)
            }
            Incoming::Acknowledged(packet_type, identifier) if !is_subscriber => {
                self.acknowledged(links, link, packet_type, identifier)
            }
            Incoming::Other(PacketType::Pingresp, _) => {
                self.pongs += 1;
                Ok(())
            }
            Incoming::Publish { .. } | Incoming::Acknowledged(..) | Incoming::Other(..) => {
                Err(unexpected(link, &packet))
            }
        }
    }
}

impl Timetable {
    /// The message that was the n-th of all has come.
    fn record(&mut self, n: u64) {
        let due_ns = n * self.interval_ns;
        if due_ns >= self.warm_up_ns {
            let late = (self.begun.elapsed().as_nanos() as u64).saturating_sub(due_ns);
            self.histogram.saturating_record(late);
        }
    }
}

/// Notices that nothing happens any more.
pub struct Watch {
    patience: Duration,
    progress: u64,
    changed: Instant,
}

impl Watch {
    /// Begins now.
    #[must_use]
    pub fn new(patience: Duration) -> Self {
        Watch { patience, progress: 0, changed: Instant::now() }
    }

    /// Takes the progress made so far.
    ///
    /// # Errors
    /// If it hasn't changed for too long.
    pub fn check(&mut self, now: Instant, progress: u64, outstanding: impl FnOnce() -> String) -> Outcome {
        if progress != self.progress {
            (self.progress, self.changed) = (progress, now);
        } else if now.saturating_duration_since(self.changed) > self.patience {
            return Err(Failure::Stalled(self.patience, outstanding()));
        }
        Ok(())
    }

    /// How long to wait for events, so that a stall is seen in time.
    #[must_use]
    pub fn pause(&self) -> Duration {
        self.patience.min(Duration::from_secs(1))
    }
}
