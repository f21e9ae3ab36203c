//! New limits drop nothing of what is there: a queue that is longer than they allow is no broken invariant.

use wasmqtt_broker::{
    Broker, Command, CommandId, Config, ConnectionId, Input, Limits, Peer, Seed, Storage, Time, Transport,
};

#[test]
fn a_queue_may_stay_longer_than_a_new_limit() {
    let conn = ConnectionId { slot: 0, generation: 1 };
    let config = Config { storage: Storage::Memory, ..Config::default() };
    let mut broker = Broker::new(config.clone(), Seed([1; 16]));
    let peer = Peer { listener: 0, address: "a".into(), transport: Transport::Tcp, identity: None };
    broker.handle(Time(1), Input::Opened { conn, peer });
    // CONNECT with Session Expiry Interval 60, SUBSCRIBE to `t` with QoS 1; then it is gone.
    let connect = b"\x10\x13\x00\x04MQTT\x05\x00\x00\x00\x05\x11\x00\x00\x00\x3C\x00\x01a";
    let subscribe = b"\x82\x07\x00\x01\x00\x00\x01t\x01";
    broker.handle(Time(1), Input::Received { conn, bytes: [&connect[..], subscribe].concat().into() });
    broker.handle(Time(2), Input::Closed { conn });
    let command = |command| Input::Command { id: CommandId(1), command };
    let publish = || Command::Publish {
        topic: "t".into(),
        payload: b"x"[..].into(),
        qos: wasmqtt_broker::codec::Qos::AtLeastOnce,
        retain: false,
    };
    for _ in 0..3 {
        broker.handle(Time(3), command(publish()));
    }
    let limits = Limits { queue_messages_max: 2, ..config.limits };
    broker.handle(Time(4), command(Command::SetLimits(limits)));
    assert_eq!(broker.check(), Ok(()));
    broker.handle(Time(5), command(publish()));
    assert_eq!(broker.check(), Ok(()));
    assert_eq!(broker.counters().dropped_queue_full, 1);
}
