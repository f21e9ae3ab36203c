//! A transport as TCP is one: bytes arrive in order and none is lost while it lasts, but they take their time, come in
//! other pieces than they were written in, wait, or stop for good at any byte. The two ends need not learn of an end at
//! the same time, or at all.

use std::collections::VecDeque;
use std::rc::Rc;

use wasmqtt_codec::{PacketType, ProtocolVersion, Sender};

use crate::luck::Luck;
use crate::sight::{ClientNo, Seen, Tap};
use crate::world::faults::Toward;

/// How long bytes take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pace {
    /// What every byte takes, in microseconds.
    pub latency_us: u64,
    /// What some take more, at most. Whatever is drawn, nothing overtakes.
    pub jitter_us: u64,
    /// How many bytes pass in a second; 0 = any number at once.
    pub bytes_per_s: u64,
}

/// A moment in the life of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// It has just left: nothing of it arrives.
    Sent,
    /// It is half-way: nothing of it arrives either, and what was behind it is gone too.
    HalfWay,
    /// The reader has all of it, and nothing that the reader then says leaves.
    Delivered,
}

/// Breaks the link at a moment of the n-th packet of a type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CutWhen {
    /// Which type.
    pub packet: PacketType,
    /// Which of them, counted from when this was said; 1 is the next one.
    pub nth: u32,
    /// When.
    pub at: Moment,
}

/// One direction of a link.
#[derive(Clone, Debug)]
pub struct Pipe {
    tap: Tap,
    bytes: VecDeque<u8>,
    /// Bytes in the order they were written, with the time at which each lot arrives.
    lots: VecDeque<(u64, usize)>,
    /// Where packets end in the stream.
    marks: VecDeque<(u64, Rc<Seen>)>,
    /// Bytes that the tap has seen.
    tapped: u64,
    /// Bytes that were delivered.
    delivered: u64,
    /// Bytes that were written.
    written: u64,
    pace: Pace,
    /// When the line has taken all that was written.
    busy_until_us: u64,
    /// When the last lot arrives: nothing overtakes.
    last_arrival_us: u64,
    /// A delivery is one write, whole.
    whole: bool,
    /// What breaks the link at a packet that has not come yet.
    pub cuts: Vec<CutWhen>,
    /// The packet has been seen: where it ends, and the moment.
    aimed: VecDeque<(u64, Moment)>,
    /// When the link breaks, once that is known.
    breaks_at_us: Option<u64>,
    /// Nothing is delivered before this time.
    stalled_until_us: u64,
    /// Bytes of a piece and the time between two, while this lasts.
    trickle: Option<(usize, u64, u64)>,
    /// The link breaks when this many bytes were delivered.
    cut_at: Option<u64>,
    /// The reader has asked for a pause.
    pub paused: bool,
    /// Whether a delivery stands in the World's list.
    pub scheduled: bool,
    /// Nothing is written any more; the reader learns of it behind the last byte.
    pub ended: bool,
    /// How many bytes it takes that are not read yet.
    window: usize,
    window_until_us: u64,
}

/// What a delivery gave.
#[derive(Clone, Debug, Default)]
pub struct Delivery {
    /// Bytes, perhaps none.
    pub bytes: Vec<u8>,
    /// Packets that end in them.
    pub packets: Vec<Rc<Seen>>,
    /// The link broke behind them.
    pub broke: bool,
}

impl Pipe {
    fn new(version: ProtocolVersion, sender: Sender, pace: Pace) -> Self {
        Pipe {
            tap: Tap::new(version, sender),
            bytes: VecDeque::new(),
            lots: VecDeque::new(),
            marks: VecDeque::new(),
            tapped: 0,
            delivered: 0,
            written: 0,
            pace,
            busy_until_us: 0,
            last_arrival_us: 0,
            whole: false,
            cuts: Vec::new(),
            aimed: VecDeque::new(),
            breaks_at_us: None,
            stalled_until_us: 0,
            trickle: None,
            cut_at: None,
            paused: false,
            scheduled: false,
            ended: false,
            window: usize::MAX,
            window_until_us: 0,
        }
    }

    /// Looks at bytes that will be written, in the order of the stream; gives the packets that end in them
    /// and how many bytes each has.
    pub fn look(&mut self, bytes: &[u8]) -> Vec<(Rc<Seen>, u32)> {
        let mut before = self.tapped;
        let ends = self.look_at(bytes).into_iter();
        ends.map(|(end, seen)| (seen, (end - core::mem::replace(&mut before, end)) as u32)).collect()
    }

    /// The same, each with its place: how many bytes of the stream there are up to its end.
    pub fn look_at(&mut self, bytes: &[u8]) -> Vec<(u64, Rc<Seen>)> {
        let mut found = Vec::new();
        // The tap joins what it is fed, so a packet's end is known from the lengths of all packets so far.
        let (tapped, marks) = (&mut self.tapped, &mut self.marks);
        self.tap.feed(bytes, |len, seen| {
            *tapped += len as u64;
            marks.push_back((*tapped, seen.clone()));
            found.push((*tapped, seen));
        });
        for (end, seen) in &found {
            self.aim(*end, seen.packet_type());
        }
        found
    }

    /// Counts a packet, which ends there, for those that break the link at one.
    fn aim(&mut self, end: u64, packet: Option<PacketType>) {
        let aimed = &mut self.aimed;
        self.cuts.retain_mut(|cut| {
            if Some(cut.packet) != packet {
                return true;
            }
            cut.nth = cut.nth.saturating_sub(1);
            if cut.nth == 0 {
                aimed.push_back((end, cut.at));
            }
            cut.nth > 0
        });
    }

    /// How many bytes it takes now.
    #[must_use]
    pub fn room(&self, now_us: u64) -> usize {
        if now_us >= self.window_until_us { usize::MAX } else { self.window.saturating_sub(self.bytes.len()) }
    }

    /// Writes bytes, and says when they arrive if nothing happens to them.
    pub fn write(&mut self, now_us: u64, bytes: &[u8], luck: &mut Luck) -> u64 {
        if bytes.is_empty() {
            return now_us;
        }
        let len = bytes.len() as u64;
        let on_the_line_us = (len * 1_000_000).checked_div(self.pace.bytes_per_s).unwrap_or(0);
        self.busy_until_us = self.busy_until_us.max(now_us) + on_the_line_us;
        // Without jitter nothing is drawn, so that a link without it draws what it always drew.
        let jitter_us = if self.pace.jitter_us == 0 { 0 } else { luck.between(0, self.pace.jitter_us) };
        let arrival_us = (self.busy_until_us + self.pace.latency_us + jitter_us).max(self.last_arrival_us);
        self.last_arrival_us = arrival_us;
        self.bytes.extend(bytes);
        self.lots.push_back((arrival_us, bytes.len()));
        self.written += len;
        while let Some((end, at)) = self.aimed.pop_front_if(|(end, _)| *end <= self.written) {
            let breaks_at_us = match at {
                Moment::Sent => now_us,
                Moment::HalfWay => now_us + (arrival_us - now_us) / 2,
                Moment::Delivered => {
                    self.cut_at = Some(self.cut_at.map_or(end, |cut_at| cut_at.min(end)));
                    continue;
                }
            };
            self.breaks_at_us = Some(self.breaks_at_us.map_or(breaks_at_us, |at_us| at_us.min(breaks_at_us)));
        }
        arrival_us
    }

    /// When the link is to break because of what was just written, if so; it is told once.
    pub fn take_break(&mut self) -> Option<u64> {
        self.breaks_at_us.take()
    }

    /// What is written from now on takes so long.
    pub fn set_pace(&mut self, pace: Pace) {
        self.pace = pace;
    }

    /// How long bytes take.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// How many bytes were written.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// When the last byte that was written arrives if nothing happens.
    #[must_use]
    pub fn last_arrival_us(&self) -> u64 {
        self.last_arrival_us
    }

    /// Whether nothing is delivered until it goes on.
    #[must_use]
    pub fn is_stalled_for_ever(&self) -> bool {
        self.stalled_until_us == u64::MAX
    }

    /// When something can be delivered, if anything waits.
    #[must_use]
    pub fn due(&self) -> Option<u64> {
        let (first, _) = self.lots.front()?;
        (!self.paused).then(|| (*first).max(self.stalled_until_us))
    }

    /// Whether everything was delivered that was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes what arrives now. A reader may find less than there is, or several writes at once.
    pub fn deliver(&mut self, now_us: u64, luck: &mut Luck) -> Delivery {
        let mut arrived = 0;
        while let Some((_, len)) = self.lots.pop_front_if(|(at, _)| *at <= now_us) {
            arrived += len;
            if self.whole {
                break;
            }
        }
        if arrived == 0 {
            return Delivery::default();
        }
        let trickle = self.trickle.filter(|(_, _, until_us)| now_us < *until_us);
        let mut take = match trickle {
            Some((piece, _, _)) => arrived.min(piece),
            None if self.whole => arrived,
            // Now and then a read splits what could have come at once.
            None if luck.chance(10) => luck.between(1, arrived as u64) as usize,
            None => arrived,
        };
        let broke = match self.cut_at {
            Some(cut_at) if self.delivered + take as u64 >= cut_at => {
                take = (cut_at - self.delivered.min(cut_at)) as usize;
                true
            }
            _ => false,
        };
        if arrived > take {
            let gap_us = trickle.map_or(1, |(_, gap_us, _)| gap_us);
            self.lots.push_front((now_us + gap_us, arrived - take));
        }
        let bytes: Vec<u8> = self.bytes.drain(..take).collect();
        self.delivered += take as u64;
        let mut packets = Vec::new();
        while let Some((_, seen)) = self.marks.pop_front_if(|(at, _)| *at <= self.delivered) {
            packets.push(seen);
        }
        Delivery { bytes, packets, broke }
    }

    /// Breaks when this many more bytes were delivered.
    pub fn cut_after(&mut self, bytes: u64) {
        self.cut_at = Some(self.delivered + bytes);
    }

    /// Delivers nothing until then.
    pub fn stall(&mut self, until_us: u64) {
        self.stalled_until_us = self.stalled_until_us.max(until_us);
    }

    /// Delivers small pieces until then.
    pub fn trickle(&mut self, piece: usize, gap_us: u64, until_us: u64) {
        self.trickle = Some((piece, gap_us, until_us));
    }

    /// Takes few bytes until then.
    pub fn narrow(&mut self, window: usize, until_us: u64) {
        (self.window, self.window_until_us) = (window, until_us);
    }

    /// What was stalled goes on.
    pub fn go_on(&mut self) {
        self.stalled_until_us = 0;
    }

    fn heal(&mut self, now_us: u64) {
        const QUICK_US: u64 = 1_000;
        self.stalled_until_us = 0;
        self.trickle = None;
        self.cut_at = None;
        self.cuts.clear();
        self.aimed.clear();
        self.breaks_at_us = None;
        self.window_until_us = 0;
        self.pace = Pace { latency_us: self.pace.latency_us.min(QUICK_US), ..Pace::default() };
        // A narrow line may hold much: what stands on it arrives as if it were wide from now on.
        let soon_us = now_us + QUICK_US;
        self.busy_until_us = self.busy_until_us.min(now_us);
        self.last_arrival_us = self.last_arrival_us.min(soon_us);
        for (at_us, _) in &mut self.lots {
            *at_us = (*at_us).min(soon_us);
        }
        // What was put into the list may be too late now; a delivery too many finds nothing.
        self.scheduled = false;
    }
}

/// Where the broker's end of a link stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BrokerEnd {
    /// Open.
    Open,
    /// The broker wants it closed when all is sent, at the latest at this time.
    Closing(u64),
    /// The broker was told that it is gone.
    Gone,
}

/// A transport between a client and the broker.
#[derive(Clone, Debug)]
pub struct Link {
    /// Whose.
    pub client: ClientNo,
    /// The broker's slot for it.
    pub slot: u32,
    /// To the broker.
    pub up: Pipe,
    /// To the client.
    pub down: Pipe,
    /// Bytes of the broker that the tap has seen and the link has not taken.
    pub looked_ahead: usize,
    /// The broker's end.
    pub broker: BrokerEnd,
    /// Whether the client still has it.
    pub client_has_it: bool,
    /// Nothing passes any more.
    pub broken: bool,
    /// Its CONNECT asked for a clean start.
    pub clean: bool,
    /// AUTH packets that the authority has heard.
    pub heard: u32,
    /// When the broker learns that it broke; `None` = never by itself.
    pub learned_us: Option<u64>,
    luck: Luck,
}

impl Link {
    /// A link that has just been opened.
    #[must_use]
    pub fn new(client: ClientNo, slot: u32, version: ProtocolVersion, pace: Pace, luck: Luck) -> Self {
        Link {
            client,
            slot,
            up: Pipe::new(version, Sender::Client, pace),
            down: Pipe::new(version, Sender::Server, pace),
            looked_ahead: 0,
            broker: BrokerEnd::Open,
            client_has_it: true,
            broken: false,
            clean: false,
            heard: 0,
            learned_us: Some(0),
            luck,
        }
    }

    /// One direction.
    pub fn pipe(&mut self, toward: Toward) -> &mut Pipe {
        match toward {
            Toward::Broker => &mut self.up,
            Toward::Client => &mut self.down,
        }
    }

    /// Delivers in one direction.
    pub fn deliver(&mut self, toward: Toward, now_us: u64) -> Delivery {
        match toward {
            Toward::Broker => self.up.deliver(now_us, &mut self.luck),
            Toward::Client => self.down.deliver(now_us, &mut self.luck),
        }
    }

    /// Writes in one direction, and says when it arrives if nothing happens to it.
    pub fn write(&mut self, toward: Toward, now_us: u64, bytes: &[u8]) -> u64 {
        match toward {
            Toward::Broker => self.up.write(now_us, bytes, &mut self.luck),
            Toward::Client => self.down.write(now_us, bytes, &mut self.luck),
        }
    }

    /// The same link for a bridge: the broker speaks as a client there.
    #[must_use]
    pub fn turned(mut self, version: ProtocolVersion) -> Self {
        self.up.tap = Tap::new(version, Sender::Server);
        self.down.tap = Tap::new(version, Sender::Client);
        self
    }

    /// The same link for people who look on: a delivery is what one write wrote.
    #[must_use]
    pub fn whole(mut self) -> Self {
        (self.up.whole, self.down.whole) = (true, true);
        self
    }

    /// No faults from now on.
    pub fn heal(&mut self, now_us: u64) {
        self.up.heal(now_us);
        self.down.heal(now_us);
    }
}
