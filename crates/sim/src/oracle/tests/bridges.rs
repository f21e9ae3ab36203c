//! What makes a bridge a bridge: names, directions, order and patience.

use wasmqtt_codec::Qos;

use super::*;
use crate::world::remote::BridgePlan;

const WIRE: ConnNo = 9;
const REMOTE: ClientNo = 2;
const NO: Option<&str> = Some("bridges");

/// Alice has published message 1 to `a/b` with QoS 1; the bridge has dialled, and its remote has it.
fn met() -> Tale {
    let mut tale = dialling();
    tale.see(Sight::Opened(WIRE, REMOTE));
    tale.went_out(Seen::Connect(Box::new(connect())));
    tale.see(Sight::Met(WIRE));
    tale
}

fn dialling() -> Tale {
    let plan = BridgePlan { qos: [Qos::ExactlyOnce; 3], keep_alive_s: 0, unreachable_percent: 0 };
    let mut tale = Tale::with(|terms| terms.bridge = Some((plan, REMOTE)));
    tale.connected(WITNESS, WITNESS as ClientNo, &connect(), false);
    tale.connected(ALICE, ALICE as ClientNo, &connect(), false);
    tale.published(ALICE, &message(1, "a/b", Qos::AtLeastOnce));
    tale.see(Sight::Dialled);
    tale
}

impl Tale {
    fn went_out(&mut self, seen: Seen) {
        self.see(Sight::WentOut(WIRE, Rc::new(seen)));
    }
}

#[test]
fn what_goes_out_and_how() {
    let sent = message(1, "site/a/b", Qos::AtLeastOnce);
    let tell = |sent: &SeenPublish| {
        let mut tale = met();
        tale.went_out(Seen::Publish(sent.clone()));
        tale.end()
    };
    assert_eq!(tell(&sent), None);
    assert_eq!(tell(&SeenPublish { topic: "a/b".into(), ..sent.clone() }), NO, "its local name");
    assert_eq!(tell(&SeenPublish { topic: "site/a/c".into(), ..sent.clone() }), NO, "another one's name");
    assert_eq!(tell(&SeenPublish { topic: "cloud/c".into(), ..sent.clone() }), NO, "what only comes in");
    assert_eq!(tell(&SeenPublish { qos: Qos::AtMostOnce, ..sent.clone() }), NO, "another QoS");
    assert_eq!(tell(&SeenPublish { retain: true, ..sent.clone() }), NO, "RETAIN");
    assert_eq!(tell(&SeenPublish { number: Some(7), ..sent }), NO, "nobody's message");
}

#[test]
fn nothing_goes_back_where_it_came_from() {
    let mut tale = met();
    tale.reached(WIRE, Seen::Publish(message(2, "s/2", Qos::AtMostOnce)));
    tale.went_out(Seen::Publish(message(2, "both/2", Qos::AtMostOnce)));
    assert_eq!(tale.end(), NO);
}

#[test]
fn connect_is_first_and_connack_is_awaited() {
    let mut early = dialling();
    early.see(Sight::Opened(WIRE, REMOTE));
    early.went_out(Seen::Connect(Box::new(connect())));
    early.went_out(Seen::Publish(message(1, "site/a/b", Qos::AtLeastOnce)));
    assert_eq!(early.end(), NO);
    let mut first = dialling();
    first.see(Sight::Opened(WIRE, REMOTE));
    first.went_out(Seen::Other(PacketType::Pingreq));
    assert_eq!(first.end(), NO);
    let mut twice = met();
    twice.went_out(Seen::Connect(Box::new(connect())));
    assert_eq!(twice.end(), NO);
}

#[test]
fn a_bridge_dials_in_time_and_in_the_end_is_there() {
    for (wait_ms, objection) in [(20, NO), (1_000, None), (3_000, NO)] {
        let mut tale = met();
        tale.see(Sight::Gone(WIRE, Ended::Transport));
        tale.now_us += wait_ms * 1_000;
        tale.see(Sight::Dialled);
        tale.see(Sight::Opened(10, REMOTE));
        tale.see(Sight::WentOut(10, Rc::new(Seen::Connect(Box::new(connect())))));
        tale.see(Sight::Met(10));
        assert_eq!(tale.end(), objection, "{wait_ms}");
    }
    let mut away = met();
    away.see(Sight::Gone(WIRE, Ended::Transport));
    assert_eq!(away.end(), NO);
    let mut impatient = met();
    impatient.see(Sight::Dialled);
    assert_eq!(impatient.end(), NO);
    let mut anew = met();
    anew.see(Sight::Gone(WIRE, Ended::Transport));
    anew.after_s(1);
    anew.see(Sight::Dialled);
    anew.see(Sight::Opened(10, REMOTE));
    anew.see(Sight::WentOut(10, Rc::new(Seen::Connect(Box::new(SeenConnect { clean_start: true, ..connect() })))));
    assert_eq!(anew.end(), NO);
}
