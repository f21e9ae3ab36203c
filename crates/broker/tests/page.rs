//! What a page asks of the core beside MQTT: patience with a page that was kept from running, and explanations on
//! demand. Packets by hand.

use wasmqtt_broker::{
    Broker, Command, CommandId, Config, ConnectionId, Event, Input, Output, Peer, Seed, Time, Trace, Transport,
};

const NOW: Time = Time(1_700_000_000_000_000);
/// MQTT 3.1.1, Clean Session, Keep Alive 10 s, Client Identifier "a".
const CONNECT: &[u8] = &[0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 10, 0, 1, b'a'];
/// QoS 0 to "t", "x".
const PUBLISH: &[u8] = &[0x30, 4, 0, 1, b't', b'x'];

fn connected(config: Config, transport: Transport) -> (Broker, ConnectionId) {
    let mut broker = Broker::new(Config { sys_interval_s: 0, ..config }, Seed([7; 16]));
    let conn = ConnectionId { slot: 0, generation: 0 };
    let peer = Peer { listener: 0, address: "here".into(), transport, identity: None };
    broker.handle(NOW, Input::Opened { conn, peer });
    broker.handle(NOW, Input::Received { conn, bytes: CONNECT.to_vec().into() });
    broker.handle(NOW, Input::Tick);
    (broker, conn)
}

fn outputs(broker: &mut Broker) -> Vec<Output> {
    std::iter::from_fn(|| broker.poll()).collect()
}

#[test]
fn a_channel_in_the_page_has_its_grace() {
    let config = Config { local_keep_alive_grace_s: 60, ..Config::default() };
    for (transport, silent_s) in [(Transport::Local, 75), (Transport::WebSocket, 15)] {
        let (mut broker, _) = connected(config.clone(), transport);
        outputs(&mut broker);
        assert_eq!(broker.deadline(), Some(NOW.plus_s(silent_s)));
        broker.handle(NOW.plus_s(silent_s - 1), Input::Tick);
        assert!(outputs(&mut broker).is_empty());
        broker.handle(NOW.plus_s(silent_s), Input::Tick);
        let gone =
            outputs(&mut broker).iter().any(|output| matches!(output, Output::Event(Event::Disconnected { .. })));
        assert!(gone, "{transport:?}");
    }
}

#[test]
fn explanations_can_be_turned_on_and_off() {
    let (mut broker, conn) = connected(Config::default(), Transport::Local);
    let mut traces = |trace: Option<bool>| {
        if let Some(on) = trace {
            broker.handle(NOW, Input::Command { id: CommandId(1), command: Command::SetTrace(on) });
        }
        broker.handle(NOW, Input::Received { conn, bytes: PUBLISH.to_vec().into() });
        broker.handle(NOW, Input::Tick);
        outputs(&mut broker).iter().filter(|output| matches!(output, Output::Trace(Trace::Published { .. }))).count()
    };
    assert_eq!((traces(None), traces(Some(true)), traces(None), traces(Some(false))), (0, 1, 1, 0));
}
