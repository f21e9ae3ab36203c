//! A transport as TCP is one: bytes arrive in order and none is lost while it lasts, but they take their time, come in
//! other pieces than they were written in, wait, or stop for good at any byte. The two ends need not learn of an end at
//! the same time, or at all.

use std::collections::VecDeque;
use std::rc::Rc;

use wasmqtt_codec::{ProtocolVersion, Sender};

use crate::luck::Luck;
use crate::sight::{ClientNo, Seen, Tap};
use crate::world::faults::Toward;

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
    latency_us: u64,
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
    fn new(version: ProtocolVersion, sender: Sender, latency_us: u64) -> Self {
        Pipe {
            tap: Tap::new(version, sender),
            bytes: VecDeque::new(),
            lots: VecDeque::new(),
            marks: VecDeque::new(),
            tapped: 0,
            delivered: 0,
            latency_us,
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
        let mut found = Vec::new();
        // The tap joins what it is fed, so a packet's end is known from the lengths of all packets so far.
        let (tapped, marks) = (&mut self.tapped, &mut self.marks);
        self.tap.feed(bytes, |len, seen| {
            *tapped += len as u64;
            marks.push_back((*tapped, seen.clone()));
            found.push((seen, len as u32));
        });
        found
    }

    /// How many bytes it takes now.
    #[must_use]
    pub fn room(&self, now_us: u64) -> usize {
        if now_us >= self.window_until_us { usize::MAX } else { self.window.saturating_sub(self.bytes.len()) }
    }

    /// Writes bytes.
    pub fn write(&mut self, now_us: u64, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.bytes.extend(bytes);
            self.lots.push_back((now_us + self.latency_us, bytes.len()));
        }
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
        }
        if arrived == 0 {
            return Delivery::default();
        }
        let trickle = self.trickle.filter(|(_, _, until_us)| now_us < *until_us);
        let mut take = match trickle {
            Some((piece, _, _)) => arrived.min(piece),
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

    fn heal(&mut self) {
        self.stalled_until_us = 0;
        self.trickle = None;
        self.cut_at = None;
        self.window_until_us = 0;
        self.latency_us = self.latency_us.min(1_000);
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
    /// When the broker learns that it broke; `None` = never by itself.
    pub learned_us: Option<u64>,
    luck: Luck,
}

impl Link {
    /// A link that has just been opened.
    #[must_use]
    pub fn new(client: ClientNo, slot: u32, version: ProtocolVersion, latency_us: u64, luck: Luck) -> Self {
        Link {
            client,
            slot,
            up: Pipe::new(version, Sender::Client, latency_us),
            down: Pipe::new(version, Sender::Server, latency_us),
            looked_ahead: 0,
            broker: BrokerEnd::Open,
            client_has_it: true,
            broken: false,
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

    /// No faults from now on.
    pub fn heal(&mut self) {
        self.up.heal();
        self.down.heal();
    }
}
