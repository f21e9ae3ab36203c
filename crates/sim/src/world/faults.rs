//! What can go wrong. Each run draws a subset of these kinds and how often each happens, so that some runs suffer from
//! one thing much and others from many things a little. Bytes are never lost within a transport: a link breaks, waits
//! or dawdles, as TCP does.

use wasmqtt_broker::Storage;
use wasmqtt_codec::PacketType;

use crate::luck::Luck;
use crate::sight::ClientNo;
use crate::world::link::{CutWhen, Moment};
use crate::world::plan::{Act, Planned};

/// The kinds of faults, as they are counted.
pub const KINDS: [&str; 16] = [
    "cut towards the broker",
    "cut towards the client",
    "stall",
    "trickle",
    "slow reader",
    "half-open",
    "takeover",
    "sleep",
    "restart",
    "swap",
    "slow store",
    "failed store",
    "jitter",
    "bandwidth",
    "cut at a packet",
    "store hiccup",
];

/// One direction of a transport.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Toward {
    /// From the client.
    Broker,
    /// To the client.
    Client,
}

/// Something that goes wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The client's transport breaks when this many more bytes have passed in one direction.
    Cut {
        /// Whose.
        who: ClientNo,
        /// Which direction counts.
        toward: Toward,
        /// How many bytes still pass.
        bytes: u64,
        /// When the broker learns of it, in microseconds later; `None` = never.
        learned_us: Option<u64>,
    },
    /// Nothing passes for a while; then all of it comes at once.
    Stall {
        /// Whose.
        who: ClientNo,
        /// Which direction.
        toward: Toward,
        /// How long, in microseconds.
        for_us: u64,
    },
    /// For a while bytes come in pieces of at most this many.
    Trickle {
        /// Whose.
        who: ClientNo,
        /// Which direction.
        toward: Toward,
        /// Bytes of a piece.
        piece: usize,
        /// Microseconds between two pieces.
        gap_us: u64,
        /// How long, in microseconds.
        for_us: u64,
    },
    /// For a while the client's transport takes only this many bytes before it reads them.
    Slow {
        /// Whose.
        who: ClientNo,
        /// How many bytes.
        window: usize,
        /// How long, in microseconds.
        for_us: u64,
    },
    /// What passes the client's transport takes longer from now on, each time another while.
    Jitter {
        /// Whose.
        who: ClientNo,
        /// At most so much longer, in microseconds.
        jitter_us: u64,
    },
    /// The client's transport passes few bytes in a second from now on.
    Narrow {
        /// Whose.
        who: ClientNo,
        /// How many.
        bytes_per_s: u64,
    },
    /// The client's transport breaks at a packet.
    CutWhen {
        /// Whose.
        who: ClientNo,
        /// Which direction.
        toward: Toward,
        /// At which packet, and when.
        cut: CutWhen,
    },
    /// The client's transport is dead, and only the client knows.
    HalfOpen {
        /// Whose.
        who: ClientNo,
    },
    /// The client opens another transport while the first still works.
    Takeover {
        /// Who.
        who: ClientNo,
    },
    /// The broker's machine sleeps.
    Sleep {
        /// How long, in microseconds.
        for_us: u64,
    },
    /// The broker crashes, and another goes on from what was stored.
    Restart {
        /// How many of a hundred records that were on their way to the store are there, though nobody was told.
        survive_percent: usize,
    },
    /// The program is swapped under the running broker.
    Swap,
    /// For a while records take longer to be stored.
    SlowStore {
        /// How long each takes, in microseconds.
        store_us: u64,
        /// How long this lasts, in microseconds.
        for_us: u64,
    },
    /// Once, records can't be stored; the log is written anew at once.
    StoreHiccup {
        /// How many of a hundred are stored before one is not.
        stored_percent: usize,
    },
    /// Records can't be stored for a while.
    FailedStore {
        /// How long, in microseconds.
        for_us: u64,
    },
}

impl Fault {
    /// The client that it is about, if it is about one.
    #[must_use]
    pub fn who(&self) -> Option<ClientNo> {
        match self {
            Fault::Cut { who, .. }
            | Fault::Stall { who, .. }
            | Fault::Trickle { who, .. }
            | Fault::Slow { who, .. }
            | Fault::Jitter { who, .. }
            | Fault::Narrow { who, .. }
            | Fault::CutWhen { who, .. }
            | Fault::HalfOpen { who }
            | Fault::Takeover { who } => Some(*who),
            Fault::Sleep { .. }
            | Fault::Restart { .. }
            | Fault::Swap
            | Fault::SlowStore { .. }
            | Fault::StoreHiccup { .. }
            | Fault::FailedStore { .. } => None,
        }
    }

    /// Its place in [`KINDS`].
    #[must_use]
    pub fn kind(&self) -> usize {
        match self {
            Fault::Cut { toward: Toward::Broker, .. } => 0,
            Fault::Cut { toward: Toward::Client, .. } => 1,
            Fault::Stall { .. } => 2,
            Fault::Trickle { .. } => 3,
            Fault::Slow { .. } => 4,
            Fault::HalfOpen { .. } => 5,
            Fault::Takeover { .. } => 6,
            Fault::Sleep { .. } => 7,
            Fault::Restart { .. } => 8,
            Fault::Swap => 9,
            Fault::SlowStore { .. } => 10,
            Fault::FailedStore { .. } => 11,
            Fault::Jitter { .. } => 12,
            Fault::Narrow { .. } => 13,
            Fault::CutWhen { .. } => 14,
            Fault::StoreHiccup { .. } => 15,
        }
    }

    /// The fault as people read it.
    #[must_use]
    pub fn line(&self, name: &str) -> String {
        let seconds = |us: &u64| *us as f64 / 1e6;
        let way = |toward: &Toward| match toward {
            Toward::Broker => "to the broker",
            Toward::Client => "to the client",
        };
        match self {
            Fault::Cut { toward, bytes, learned_us, .. } => {
                let learned = match learned_us {
                    Some(us) => format!("the broker learns of it {:.3} s later", seconds(us)),
                    None => "the broker does not learn of it".into(),
                };
                format!("link {name} cut after {bytes} more bytes {}; {learned}", way(toward))
            }
            Fault::Stall { toward, for_us, .. } => {
                format!("link {name} stall {} for {:.3} s", way(toward), seconds(for_us))
            }
            Fault::Trickle { toward, piece, gap_us, for_us, .. } => format!(
                "link {name} trickle {} {piece} bytes every {gap_us} us for {:.3} s",
                way(toward),
                seconds(for_us)
            ),
            Fault::Slow { window, for_us, .. } => {
                format!("link {name} takes {window} bytes before {name} reads, for {:.3} s", seconds(for_us))
            }
            Fault::Jitter { jitter_us, .. } => format!("link {name} jitter up to {jitter_us} us"),
            Fault::Narrow { bytes_per_s, .. } => format!("link {name} passes {bytes_per_s} bytes a second"),
            Fault::CutWhen { toward, cut, .. } => {
                format!("link {name} cut at {} {} from now {}: {:?}", cut.packet, cut.nth, way(toward), cut.at)
            }
            Fault::HalfOpen { .. } => format!("link {name} is half-open: {name} knows, the broker does not"),
            Fault::Takeover { .. } => format!("{name} connect while its first connection is open"),
            Fault::Sleep { for_us } => format!("broker sleep {:.3}s", seconds(for_us)),
            Fault::Restart { survive_percent: 0 } => "broker restart".into(),
            Fault::Restart { survive_percent } => {
                format!("broker restart; {survive_percent} % of what waited to be stored is there")
            }
            Fault::Swap => "broker swap".into(),
            Fault::SlowStore { store_us, for_us } => {
                format!("store slow: {store_us} us a record, for {:.3} s", seconds(for_us))
            }
            Fault::StoreHiccup { stored_percent } => {
                format!("store fails once, behind {stored_percent} % of the next records")
            }
            Fault::FailedStore { for_us } => format!("store fail for {:.3} s", seconds(for_us)),
        }
    }
}

/// Draws which kinds of faults a run has, and when each happens to whom.
pub fn draw(luck: &mut Luck, clients: u64, storage: Storage, until_us: u64, into: &mut Vec<Planned>) {
    for kind in 0..KINDS.len() {
        let needs_log = matches!(kind, 8 | 10 | 11 | 15);
        if !luck.chance(35) || needs_log && storage == Storage::Memory {
            continue;
        }
        let often = match kind {
            7 | 8 | 11 => luck.between(1, 3),
            _ => luck.between(1, 8),
        };
        for _ in 0..often {
            let at_us = luck.between(1_500_000, until_us);
            // Half of all strike anybody, the others a client that publishes or subscribes, the witness never first.
            let who = luck.below(clients) as ClientNo;
            into.push(Planned { at_us, act: Act::Fault(one(luck, kind, who)) });
        }
    }
}

/// Draws what happens to one link.
pub fn draw_for(luck: &mut Luck, who: ClientNo, until_us: u64, into: &mut Vec<Planned>) {
    for kind in [0, 1, 2, 3, 4, 5, 12, 13, 14] {
        if luck.chance(35) {
            for _ in 0..luck.between(1, 5) {
                let at_us = luck.between(1_000_000, until_us);
                into.push(Planned { at_us, act: Act::Fault(one(luck, kind, who)) });
            }
        }
    }
}

fn one(luck: &mut Luck, kind: usize, who: ClientNo) -> Fault {
    let toward = luck.of_these(&[Toward::Broker, Toward::Client]);
    let for_us = luck.of_these(&[50_000, 400_000, 2_000_000, 8_000_000]);
    match kind {
        0 | 1 => Fault::Cut {
            who,
            toward: if kind == 0 { Toward::Broker } else { Toward::Client },
            bytes: luck.of_these(&[0, 1, 2, 3, 5, 9, 14, 30, 60, 200]) + luck.below(4),
            learned_us: luck.of_these(&[Some(0), Some(0), Some(30_000), Some(3_000_000), None]),
        },
        2 => Fault::Stall { who, toward, for_us },
        3 => {
            let piece = luck.of_these(&[1, 2, 7, 30]);
            let gap_us = luck.of_these(&[1, 500, 20_000]);
            Fault::Trickle { who, toward, piece, gap_us, for_us: for_us.min(400_000) }
        }
        4 => Fault::Slow { who, window: luck.of_these(&[1, 10, 100]), for_us: for_us.min(2_000_000) },
        5 => Fault::HalfOpen { who },
        6 => Fault::Takeover { who },
        7 => Fault::Sleep { for_us: luck.of_these(&[1_000_000, 15_000_000, 90_000_000, 600_000_000]) },
        8 => Fault::Restart { survive_percent: luck.of_these(&[0, 0, 50, 80, 100]) },
        9 => Fault::Swap,
        10 => Fault::SlowStore { store_us: luck.of_these(&[20_000, 200_000, 1_000_000]), for_us },
        11 => Fault::FailedStore { for_us },
        12 => Fault::Jitter { who, jitter_us: luck.of_these(&[100, 20_000, 400_000]) },
        15 => Fault::StoreHiccup { stored_percent: luck.of_these(&[0, 30, 60, 99]) },
        13 => Fault::Narrow { who, bytes_per_s: luck.of_these(&[2_000, 10_000, 200_000]) },
        _ => {
            let packet = luck.of_these(&[
                PacketType::Connect,
                PacketType::Connack,
                PacketType::Publish,
                PacketType::Publish,
                PacketType::Puback,
                PacketType::Pubrec,
                PacketType::Pubrel,
                PacketType::Pubcomp,
                PacketType::Suback,
                PacketType::Pingreq,
            ]);
            let at = luck.of_these(&[Moment::Sent, Moment::HalfWay, Moment::Delivered]);
            Fault::CutWhen { who, toward, cut: CutWhen { packet, nth: luck.between(1, 3) as u32, at } }
        }
    }
}
