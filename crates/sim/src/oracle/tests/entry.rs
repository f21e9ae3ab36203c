//! Who comes in, what he may do, how he leaves, and what is kept of his messages.

use wasmqtt_codec::{PacketType, ProtocolVersion, Qos};

use super::*;
use crate::sight::{SeenQuestion, SeenVerdict};
use crate::world::authority::Rights;

const CONN: ConnNo = 9;

/// Somebody is asked; Bob introduces himself, and may not publish to `no`, subscribe to `no` or receive `no`.
fn asking() -> Tale {
    let rights = Rights { publish_not: &["no"], subscribe_not: &["no"], ..Rights::default() };
    let introduced = (Some("user of bob".to_owned()), Some("secret".to_owned()));
    Tale::with(|terms| {
        terms.asks = true;
        terms.introductions = vec![(None, None), (None, None), introduced, (None, None)];
        terms.rights = vec![Rights::default(), Rights::default(), rights, Rights::default()];
    })
}

fn question(name: &str, password: &str) -> SeenQuestion {
    SeenQuestion::Connect {
        name: name.into(),
        user: Some("user of bob".into()),
        password: Some(password.into()),
        method: None,
    }
}

/// Bob's CONNECT has come and he is asked about.
fn asked(tale: &mut Tale, conn: ConnNo, question: SeenQuestion) {
    tale.see(Sight::Opened(conn, BOB as ClientNo));
    tale.reached(conn, Seen::Connect(Box::new(connect())));
    tale.see(Sight::Asked(conn, question));
}

fn let_in(tale: &mut Tale, conn: ConnNo, session_present: bool) {
    asked(tale, conn, question("bob", "secret"));
    tale.see(Sight::Answered(conn, SeenVerdict::Allow));
    tale.left(conn, Seen::Connack { accepted: true, session_present, reason: 0 });
}

const NO: Option<&str> = Some("authority");

#[test]
fn who_is_let_in_and_who_is_not() {
    let mut tale = asking();
    let_in(&mut tale, CONN, false);
    assert_eq!(tale.end(), None);
    let mut nobody_answered = asking();
    asked(&mut nobody_answered, CONN, question("bob", "secret"));
    nobody_answered.left(CONN, Seen::Connack { accepted: true, session_present: false, reason: 0 });
    assert_eq!(nobody_answered.end(), NO);
    let mut left_open = asking();
    asked(&mut left_open, CONN, question("bob", "secret"));
    assert_eq!(left_open.end(), NO);
    for wrong in [question("eve", "secret"), question("bob", "guessed")] {
        let mut tale = asking();
        asked(&mut tale, CONN, wrong);
        tale.see(Sight::Answered(CONN, SeenVerdict::Allow));
        assert_eq!(tale.end(), NO);
    }
}

#[test]
fn a_no_is_told_with_its_code() {
    for (accepted, told, objection) in [(false, 0x87, None), (false, 0x86, NO), (true, 0, NO)] {
        let mut tale = asking();
        asked(&mut tale, CONN, question("bob", "secret"));
        tale.see(Sight::Answered(CONN, SeenVerdict::Refuse(0x87)));
        tale.left(CONN, Seen::Connack { accepted, session_present: false, reason: told });
        tale.see(Sight::Gone(CONN, Ended::Broker));
        assert_eq!(tale.end(), objection, "{accepted} {told}");
    }
    let mut silent = asking();
    asked(&mut silent, CONN, question("bob", "secret"));
    silent.see(Sight::Answered(CONN, SeenVerdict::Refuse(0x87)));
    silent.see(Sight::Gone(CONN, Ended::Broker));
    assert_eq!(silent.end(), NO);
}

#[test]
fn auth_leaves_when_it_is_wanted() {
    for (verdict, objection) in [(SeenVerdict::Continue, None), (SeenVerdict::Allow, NO)] {
        let mut tale = asking();
        asked(&mut tale, CONN, question("bob", "secret"));
        tale.see(Sight::Answered(CONN, verdict));
        tale.left(CONN, Seen::Auth { reason: 0x18 });
        tale.see(Sight::Gone(CONN, Ended::Transport));
        assert_eq!(tale.end(), objection);
    }
}

#[test]
fn a_session_is_not_taken_over_before_the_verdict() {
    for (allowed, objection) in [(true, None), (false, NO)] {
        let mut tale = asking();
        let_in(&mut tale, CONN, false);
        asked(&mut tale, 10, question("bob", "secret"));
        if allowed {
            tale.see(Sight::Answered(10, SeenVerdict::Allow));
        }
        tale.left(CONN, Seen::Disconnect { reason: 0x8E, session_expiry_s: None });
        tale.see(Sight::Gone(CONN, Ended::Broker));
        tale.see(Sight::Gone(10, Ended::Transport));
        assert_eq!(tale.end(), objection);
    }
}

#[test]
fn what_is_not_permitted() {
    for (topic, reason, objection) in [("a", 0, None), ("a", 0x87, NO), ("no", 0x87, None), ("no", 0, NO)] {
        let mut tale = asking();
        let_in(&mut tale, CONN, false);
        tale.reached(CONN, Seen::Publish(message(1, topic, Qos::AtLeastOnce)));
        tale.left(CONN, Seen::Ack { kind: PacketType::Puback, id: 2, reason });
        assert_eq!(tale.end(), objection, "publish {topic} {reason:#x}");
        let mut tale = asking();
        let_in(&mut tale, CONN, false);
        tale.reached(CONN, Seen::Subscribe(wish(topic, Qos::AtMostOnce)));
        tale.left(CONN, Seen::Suback { id: 100, codes: vec![reason] });
        assert_eq!(tale.end(), objection, "subscribe {topic} {reason:#x}");
    }
    // What is denied is not received through a wider Topic Filter, and what may not be published is nobody's.
    for (publisher, topic, objection) in [(CONN, "a", None), (CONN, "no", Some("subscriptions"))] {
        let mut tale = asking();
        let_in(&mut tale, CONN, false);
        tale.subscribed(CONN, "#", Qos::AtMostOnce);
        tale.reached(publisher, Seen::Publish(message(1, topic, Qos::AtMostOnce)));
        tale.left(CONN, Seen::Publish(message(1, topic, Qos::AtMostOnce)));
        assert_eq!(tale.end(), objection);
    }
}

#[test]
fn nobody_is_asked_where_nobody_is() {
    let mut tale = Tale::begin();
    tale.see(Sight::Asked(BOB, question("bob", "secret")));
    assert_eq!(tale.end(), NO);
}

#[test]
fn an_interval_in_disconnect() {
    for (expiry_s, wait_s, present, objection) in [
        (Some(10), 9, true, None),
        (Some(10), 9, false, Some("sessions")),
        (Some(10), 11, true, Some("sessions")),
        (Some(10), 11, false, None),
        (Some(0), 0, true, Some("sessions")),
        (Some(100), 70, true, None),
        (None, 59, true, None),
    ] {
        let mut tale = Tale::begin();
        tale.reached(BOB, Seen::Disconnect { reason: 0, session_expiry_s: expiry_s });
        tale.see(Sight::Gone(BOB, Ended::Goodbye));
        tale.after_s(wait_s);
        tale.connected(CONN, BOB as ClientNo, &connect(), present);
        assert_eq!(tale.end(), objection, "{expiry_s:?} {wait_s} {present}");
    }
}

#[test]
fn a_session_that_ends_is_not_prolonged() {
    let tell = |told: Option<u8>, ended: Ended| {
        let mut tale = Tale::begin();
        tale.see(Sight::Gone(BOB, Ended::Transport));
        tale.connected(CONN, BOB as ClientNo, &SeenConnect { session_expiry_s: 0, ..connect() }, true);
        tale.reached(CONN, Seen::Disconnect { reason: 0, session_expiry_s: Some(5) });
        if let Some(reason) = told {
            tale.left(CONN, Seen::Disconnect { reason, session_expiry_s: None });
        }
        tale.see(Sight::Gone(CONN, ended));
        tale.end()
    };
    assert_eq!(tell(Some(0x82), Ended::Broker), None);
    // A Topic Alias before it was wrong too.
    assert_eq!(tell(Some(0x94), Ended::Broker), None);
    assert_eq!(tell(None, Ended::Broker), Some("goodbye"));
    assert_eq!(tell(None, Ended::Goodbye), Some("goodbye"));
}

#[test]
fn nothing_leaves_behind_the_end() {
    let mut tale = Tale::begin();
    tale.see(Sight::Gone(BOB, Ended::Goodbye));
    tale.left(BOB, Seen::Other(PacketType::Pingresp));
    assert_eq!(tale.end(), Some("goodbye"));
}

/// One Retained Message is allowed, and there is one.
fn full() -> Tale {
    let mut tale = Tale::with(|terms| terms.retained_messages_max = 1);
    (WITNESS..=AUDITOR).for_each(|conn| tale.connected(conn, conn as ClientNo, &connect(), false));
    tale.published(ALICE, &retained(1, "a", Qos::AtLeastOnce));
    tale
}

#[test]
fn a_retained_message_too_many() {
    const LIMIT: Option<&str> = Some("retained limit");
    for (topic, reason, objection) in [("b", 0x97, None), ("b", 0, LIMIT), ("a", 0, None), ("a", 0x97, LIMIT)] {
        let mut tale = full();
        tale.reached(BOB, Seen::Publish(retained(2, topic, Qos::AtLeastOnce)));
        tale.left(BOB, Seen::Ack { kind: PacketType::Puback, id: 3, reason });
        assert_eq!(tale.end(), objection, "{topic} {reason:#x}");
    }
    let mut refused_and_sent = full();
    refused_and_sent.subscribed(ALICE, "b", Qos::AtLeastOnce);
    refused_and_sent.reached(BOB, Seen::Publish(retained(2, "b", Qos::AtLeastOnce)));
    refused_and_sent.left(BOB, Seen::Ack { kind: PacketType::Puback, id: 3, reason: 0x97 });
    refused_and_sent.delivered(ALICE, &message(2, "b", Qos::AtLeastOnce));
    assert_eq!(refused_and_sent.end(), LIMIT);
    let mut counted = full();
    counted.see(Sight::Looked(Gauges { retained: 2, ..Gauges::default() }));
    assert_eq!(counted.end(), LIMIT);
}

#[test]
fn in_3_x_what_is_not_kept_is_owed_all_the_same() {
    for (comes, objection) in [(true, None), (false, Some("qos"))] {
        let mut tale = full();
        let old = SeenConnect { version: ProtocolVersion::V3_1_1, session_expiry_s: u32::MAX, ..connect() };
        tale.see(Sight::Gone(BOB, Ended::Transport));
        tale.connected(CONN, BOB as ClientNo, &old, true);
        tale.subscribed(ALICE, "b", Qos::AtLeastOnce);
        tale.published(CONN, &retained(2, "b", Qos::AtLeastOnce));
        if comes {
            tale.delivered(ALICE, &message(2, "b", Qos::AtLeastOnce));
        }
        assert_eq!(tale.end(), objection);
    }
}
