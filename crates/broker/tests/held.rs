//! What waits for the log, told to the core step by step: finds of the simulation that no story can tell, because a
//! story's store holds everything or nothing.

use wasmqtt_broker::{Broker, Config, ConnectionId, Input, Lsn, Output, Peer, Seed, Storage, Time, Transport};

const CONN: ConnectionId = ConnectionId { slot: 0, generation: 1 };

fn outgoing(broker: &Broker) -> Vec<u8> {
    broker.outgoing(CONN).collect::<Vec<_>>().concat()
}

/// CONNACK is stored and leaves, a PUBACK behind it is not: its refusal has nothing left to wait for.
#[test]
fn a_refusal_behind_a_connack_that_left_leaves_too() {
    let config = Config { storage: Storage::Log, ..Config::default() };
    let mut broker = Broker::new(config, Seed([1; 16]));
    let peer = Peer { listener: 0, address: "a".into(), transport: Transport::Tcp, identity: None };
    broker.handle(Time(1), Input::Opened { conn: CONN, peer });
    // CONNECT with Session Expiry Interval 60, then PUBLISH QoS 1 with RETAIN, before CONNACK has come.
    let connect = b"\x10\x13\x00\x04MQTT\x05\x00\x00\x00\x05\x11\x00\x00\x00\x3C\x00\x01a";
    let publish = b"\x33\x07\x00\x01t\x00\x01\x00x";
    broker.handle(Time(1), Input::Received { conn: CONN, bytes: [&connect[..], publish].concat().into() });
    let appended =
        std::iter::from_fn(|| broker.poll()).filter(|output| matches!(output, Output::Append { .. })).count();
    assert_eq!((appended, outgoing(&broker).len()), (2, 0));
    broker.handle(Time(2), Input::Stored { upto: Lsn(1) });
    broker.handle(Time(3), Input::StoreFailed { from: Lsn(2) });
    broker.check().unwrap();
    let sent = outgoing(&broker);
    assert_eq!((sent[0], &sent[sent.len() - 5..]), (0x20, &b"\x40\x03\x00\x01\x97"[..]));
}
