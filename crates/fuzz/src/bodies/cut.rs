//! Cuts: whether a client's bytes arrive in one piece or in many, the broker answers and becomes the same. The first
//! bytes say how to cut, the rest is the stream.

use bytes::Bytes;
use wasmqtt_broker::{
    Authentication, Broker, Config, ConnectionId, Grant, Input, Output, Peer, Seed, Time, Transport, Verdict,
};

const CUTS: usize = 4;
const NOW: Time = Time(1_000_000_000);
const CONN: ConnectionId = ConnectionId { slot: 0, generation: 0 };

/// What came of a stream.
#[derive(PartialEq, Eq, Debug)]
struct Outcome {
    outputs: Vec<Output>,
    sent: Vec<u8>,
    digest: Option<u64>,
}

/// One piece, pieces at the cuts, and single bytes give the same.
pub fn run(bytes: &[u8]) {
    let Some((choices, stream)) = bytes.split_at_checked(1 + CUTS) else { return };
    let ask = choices[0] & 1 == 1;
    let mut cuts: Vec<usize> = choices[1..]
        .iter()
        .map(|cut| usize::from(*cut) * stream.len().div_ceil(256).max(1) % (stream.len() + 1))
        .collect();
    cuts.sort_unstable();
    let mut pieces = Vec::new();
    let mut from = 0;
    for cut in cuts.into_iter().chain([stream.len()]) {
        pieces.push(&stream[from..cut]);
        from = cut;
    }
    let whole = outcome(&[stream], ask);
    assert_eq!(
        outcome(&pieces, ask),
        whole,
        "cut into {:?}",
        pieces.iter().map(|piece| piece.len()).collect::<Vec<_>>()
    );
    let single: Vec<&[u8]> = stream.chunks(1).collect();
    assert_eq!(outcome(&single, ask), whole, "byte by byte");
}

/// All pieces come in one turn: a turn is what a driver makes of time, and the stream is not to blame for it.
fn outcome(pieces: &[&[u8]], ask: bool) -> Outcome {
    let authentication = if ask { Authentication::Ask } else { Authentication::Open };
    let config = Config { authentication, sys_interval_s: 0, ..Config::default() };
    let mut broker = Broker::new(config, Seed([3; 16]));
    let peer = Peer { listener: 0, address: "fuzz".into(), transport: Transport::Local, identity: None };
    broker.handle(NOW, Input::Opened { conn: CONN, peer });
    for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
        broker.handle(NOW, Input::Received { conn: CONN, bytes: Bytes::copy_from_slice(piece) });
    }
    let mut outputs = Vec::new();
    let mut sent = Vec::new();
    // What waits for an answer goes on in the turns behind it.
    for _ in 0..4 {
        broker.handle(NOW, Input::Tick);
        while let Some(output) = broker.poll() {
            if let Output::Ask { question, .. } = output {
                let verdict = Verdict::Allow(Grant::default());
                broker.handle(NOW, Input::Answered { question, verdict });
            }
            // Whether there was something to stop reading for depends on what had come when the question arose.
            if !matches!(output, Output::Read { .. }) {
                outputs.push(output);
            }
        }
        let bytes: Vec<u8> = broker.outgoing(CONN).flatten().copied().collect();
        broker.handle(NOW, Input::Sent { conn: CONN, len: bytes.len() as u32 });
        sent.extend(bytes);
        broker.ready().for_each(drop);
    }
    assert_eq!(broker.check(), Ok(()));
    Outcome { outputs, sent, digest: Some(broker.digest()) }
}
