//! Every oracle can object: each gets a trace that is sound, to which nobody objects, and the same trace with one
//! thing wrong in it, to which that oracle does. The traces are made by hand; no broker is asked.

mod bridges;
mod entry;

use std::rc::Rc;

use wasmqtt_broker::DropReason;
use wasmqtt_codec::{PacketType, ProtocolVersion, Qos, RetainHandling};

use super::{Judge, Objection, Terms};
use crate::sight::{
    ClientNo, ConnNo, Ended, Gauges, MessageNo, Seen, SeenConnect, SeenPublish, SeenSubscribe, SeenWill, Sight,
};

/// The witness, two clients and the auditor, who all have a connection of the same number.
const WITNESS: u32 = 0;
const ALICE: u32 = 1;
const BOB: u32 = 2;
const AUDITOR: u32 = 3;

/// A trace under way: each sight is a millisecond after the last one.
struct Tale {
    judge: Judge,
    now_us: u64,
    objection: Option<Objection>,
}

impl Tale {
    /// Everybody is connected.
    fn begin() -> Self {
        let mut tale = Tale::empty();
        (WITNESS..=AUDITOR).for_each(|conn| tale.connected(conn, conn as ClientNo, &connect(), false));
        tale
    }

    fn empty() -> Self {
        Tale { judge: Judge::new(Tale::terms()), now_us: 0, objection: None }
    }

    /// The same with other terms.
    fn with(change: impl FnOnce(&mut Terms)) -> Self {
        let mut terms = Tale::terms();
        change(&mut terms);
        Tale { judge: Judge::new(terms), now_us: 0, objection: None }
    }

    fn terms() -> Terms {
        Terms {
            receive_maximum: 2,
            in_flight_max: 2,
            queue_messages_max: 10_000,
            outbox_bytes_max: 1 << 20,
            memory_bytes_max: 1 << 30,
            retained_messages_max: 1_000_000,
            names: ["witness", "alice", "bob", "auditor"].map(String::from).into(),
            ..Terms::default()
        }
    }

    fn see(&mut self, sight: Sight) {
        self.now_us += 1_000;
        let objection = self.judge.see(self.now_us, &sight);
        self.objection = self.objection.take().or(objection);
    }

    fn after_s(&mut self, seconds: u64) {
        self.now_us += seconds * 1_000_000;
    }

    fn reached(&mut self, conn: ConnNo, seen: Seen) {
        self.see(Sight::Reached(conn, Rc::new(seen)));
    }

    fn left(&mut self, conn: ConnNo, seen: Seen) {
        self.see(Sight::Left(conn, Rc::new(seen)));
    }

    fn connected(&mut self, conn: ConnNo, client: ClientNo, connect: &SeenConnect, session_present: bool) {
        self.see(Sight::Opened(conn, client));
        self.reached(conn, Seen::Connect(Box::new(connect.clone())));
        self.left(conn, Seen::Connack { accepted: true, session_present, reason: 0 });
    }

    fn subscribed(&mut self, conn: ConnNo, filter: &str, qos: Qos) {
        self.subscribed_as(conn, wish(filter, qos));
    }

    fn subscribed_as(&mut self, conn: ConnNo, wish: SeenSubscribe) {
        let code = wish.qos as u8;
        self.reached(conn, Seen::Subscribe(wish));
        self.left(conn, Seen::Suback { id: 100, codes: vec![code] });
    }

    /// A client publishes, and the broker acknowledges.
    fn published(&mut self, conn: ConnNo, publish: &SeenPublish) {
        self.reached(conn, Seen::Publish(publish.clone()));
        let kind = if publish.qos == Qos::ExactlyOnce { PacketType::Pubrec } else { PacketType::Puback };
        if let Some(id) = publish.id {
            self.left(conn, Seen::Ack { kind, id, reason: 0 });
        }
    }

    /// A message leaves the broker and its receiver's user is told.
    fn delivered(&mut self, conn: ConnNo, publish: &SeenPublish) {
        self.left(conn, Seen::Publish(publish.clone()));
        self.see(Sight::Told(conn, Rc::new(Seen::Publish(publish.clone()))));
        let kind = if publish.qos == Qos::ExactlyOnce { PacketType::Pubcomp } else { PacketType::Puback };
        if let Some(id) = publish.id {
            self.reached(conn, Seen::Ack { kind, id, reason: 0 });
        }
    }

    /// Who objected first, with what was still open at the end.
    fn end(mut self) -> Option<&'static str> {
        self.see(Sight::Finished);
        self.objection.map(|objection| objection.oracle)
    }
}

fn connect() -> SeenConnect {
    SeenConnect {
        version: ProtocolVersion::V5,
        clean_start: false,
        session_expiry_s: 60,
        receive_maximum: 2,
        packet_bytes_max: None,
        will: None,
    }
}

fn wish(filter: &str, qos: Qos) -> SeenSubscribe {
    SeenSubscribe {
        id: 100,
        filter: filter.into(),
        qos,
        no_local: false,
        retain_as_published: false,
        retain_handling: RetainHandling::SendAtSubscribe,
        identifier: None,
    }
}

fn message(number: MessageNo, topic: &str, qos: Qos) -> SeenPublish {
    SeenPublish {
        dup: false,
        qos,
        retain: false,
        topic: topic.into(),
        id: (qos > Qos::AtMostOnce).then_some(number as u16 + 1),
        expiry_s: None,
        identifiers: Vec::new(),
        number: Some(number),
        len: 3,
    }
}

fn retained(number: MessageNo, topic: &str, qos: Qos) -> SeenPublish {
    SeenPublish { retain: true, ..message(number, topic, qos) }
}

#[test]
fn qos_1_that_never_comes() {
    for (comes, objection) in [(true, None), (false, Some("qos"))] {
        let mut tale = Tale::begin();
        tale.subscribed(BOB, "a/+", Qos::AtLeastOnce);
        tale.published(ALICE, &message(7, "a/b", Qos::AtLeastOnce));
        if comes {
            tale.delivered(BOB, &message(7, "a/b", Qos::AtLeastOnce));
        }
        assert_eq!(tale.end(), objection);
    }
}

#[test]
fn qos_2_that_comes_twice() {
    let mut tale = Tale::begin();
    tale.subscribed(BOB, "a/+", Qos::ExactlyOnce);
    tale.published(ALICE, &message(7, "a/b", Qos::ExactlyOnce));
    tale.delivered(BOB, &message(7, "a/b", Qos::ExactlyOnce));
    tale.delivered(BOB, &SeenPublish { dup: true, ..message(7, "a/b", Qos::ExactlyOnce) });
    assert_eq!(tale.end(), Some("qos"));
}

#[test]
fn qos_1_may_come_twice_with_dup_only() {
    for (dup, objection) in [(true, None), (false, Some("qos"))] {
        let mut tale = Tale::begin();
        tale.subscribed(BOB, "a/+", Qos::AtLeastOnce);
        tale.published(ALICE, &message(7, "a/b", Qos::AtLeastOnce));
        tale.delivered(BOB, &message(7, "a/b", Qos::AtLeastOnce));
        tale.delivered(BOB, &SeenPublish { dup, ..message(7, "a/b", Qos::AtLeastOnce) });
        assert_eq!(tale.end(), objection);
    }
}

#[test]
fn order_of_two_messages() {
    for (numbers, objection) in [([1, 2], None), ([2, 1], Some("order"))] {
        let mut tale = Tale::begin();
        tale.subscribed(BOB, "a", Qos::AtMostOnce);
        tale.published(ALICE, &message(1, "a", Qos::AtMostOnce));
        tale.published(ALICE, &message(2, "a", Qos::AtMostOnce));
        numbers.into_iter().for_each(|number| tale.delivered(BOB, &message(number, "a", Qos::AtMostOnce)));
        assert_eq!(tale.end(), objection);
    }
}

#[test]
fn order_of_what_is_sent_again() {
    for (numbers, objection) in [([1, 2], None), ([2, 1], Some("order"))] {
        let mut tale = Tale::begin();
        tale.subscribed(BOB, "a", Qos::AtLeastOnce);
        for number in [1, 2] {
            tale.published(ALICE, &message(number, "a", Qos::AtLeastOnce));
            let seen = Seen::Publish(message(number, "a", Qos::AtLeastOnce));
            tale.left(BOB, seen.clone());
            tale.see(Sight::Told(BOB, Rc::new(seen)));
        }
        tale.see(Sight::Gone(BOB, Ended::Transport));
        tale.connected(9, BOB as ClientNo, &connect(), true);
        for number in numbers {
            let again = SeenPublish { dup: true, ..message(number, "a", Qos::AtLeastOnce) };
            tale.left(9, Seen::Publish(again));
        }
        assert_eq!(tale.end(), objection);
    }
}

#[test]
fn receive_maximum_of_a_client() {
    for (count, objection) in [(2, None), (3, Some("receive maximum"))] {
        let mut tale = Tale::begin();
        tale.subscribed(BOB, "a", Qos::AtLeastOnce);
        for number in 1..=count {
            let publish = message(number, "a", Qos::AtLeastOnce);
            tale.published(ALICE, &publish);
            tale.left(BOB, Seen::Publish(publish.clone()));
            tale.see(Sight::Told(BOB, Rc::new(Seen::Publish(publish))));
        }
        assert_eq!(tale.end(), objection);
    }
}

#[test]
fn an_identifier_that_is_in_use() {
    let mut tale = Tale::begin();
    tale.subscribed(BOB, "a", Qos::AtLeastOnce);
    tale.published(ALICE, &message(1, "a", Qos::AtLeastOnce));
    tale.published(ALICE, &message(2, "a", Qos::AtLeastOnce));
    tale.left(BOB, Seen::Publish(message(1, "a", Qos::AtLeastOnce)));
    tale.left(BOB, Seen::Publish(SeenPublish { id: Some(2), ..message(2, "a", Qos::AtLeastOnce) }));
    assert_eq!(tale.end(), Some("receive maximum"));
}

#[test]
fn receive_maximum_of_the_broker() {
    // Two are allowed: who has two is not told 0x93, and who has three is not served on.
    let mut tale = Tale::begin();
    tale.published(ALICE, &message(1, "a", Qos::ExactlyOnce));
    tale.published(ALICE, &message(2, "a", Qos::ExactlyOnce));
    tale.left(ALICE, Seen::Disconnect { reason: 0x93, session_expiry_s: None });
    assert_eq!(tale.end(), Some("receive maximum"));
    for served in [false, true] {
        let mut tale = Tale::begin();
        tale.published(ALICE, &message(1, "a", Qos::ExactlyOnce));
        tale.published(ALICE, &message(2, "a", Qos::ExactlyOnce));
        match served {
            true => tale.published(ALICE, &message(3, "a", Qos::ExactlyOnce)),
            false => {
                tale.reached(ALICE, Seen::Publish(message(3, "a", Qos::ExactlyOnce)));
                tale.left(ALICE, Seen::Disconnect { reason: 0x93, session_expiry_s: None });
            }
        }
        assert_eq!(tale.end(), served.then_some("receive maximum"));
    }
}

#[test]
fn a_retained_message_that_is_not_the_last() {
    for (number, objection) in [(2, None), (1, Some("retained"))] {
        let mut tale = Tale::begin();
        tale.published(ALICE, &retained(1, "a", Qos::AtLeastOnce));
        tale.published(ALICE, &retained(2, "a", Qos::AtLeastOnce));
        tale.subscribed(BOB, "a", Qos::AtLeastOnce);
        tale.delivered(BOB, &retained(number, "a", Qos::AtLeastOnce));
        assert_eq!(tale.end(), objection);
    }
}

#[test]
fn a_retained_message_that_never_comes() {
    for handling in [RetainHandling::SendAtSubscribe, RetainHandling::DoNotSend] {
        let mut tale = Tale::begin();
        tale.published(ALICE, &retained(1, "a", Qos::AtLeastOnce));
        tale.subscribed_as(BOB, SeenSubscribe { retain_handling: handling, ..wish("a", Qos::AtLeastOnce) });
        assert_eq!(tale.end(), (handling == RetainHandling::SendAtSubscribe).then_some("retained"));
    }
}

#[test]
fn a_retained_message_that_was_removed_or_not_wanted() {
    let mut tale = Tale::begin();
    tale.published(ALICE, &retained(1, "a", Qos::AtLeastOnce));
    tale.published(ALICE, &SeenPublish { number: None, len: 0, ..retained(2, "a", Qos::AtLeastOnce) });
    tale.subscribed(BOB, "a", Qos::AtLeastOnce);
    tale.delivered(BOB, &retained(1, "a", Qos::AtLeastOnce));
    assert_eq!(tale.end(), Some("retained"));
    let mut tale = Tale::begin();
    tale.published(ALICE, &retained(1, "a", Qos::AtLeastOnce));
    let unwanted = SeenSubscribe { retain_handling: RetainHandling::DoNotSend, ..wish("a", Qos::AtLeastOnce) };
    tale.subscribed_as(BOB, unwanted);
    tale.delivered(BOB, &retained(1, "a", Qos::AtLeastOnce));
    assert_eq!(tale.end(), Some("retained"));
}

#[test]
fn what_an_unfinished_crash_leaves_open_is_open() {
    for number in [1, 2] {
        let mut tale = Tale::begin();
        tale.published(ALICE, &retained(1, "a", Qos::AtLeastOnce));
        tale.reached(ALICE, Seen::Publish(retained(2, "a", Qos::AtLeastOnce)));
        tale.see(Sight::Crashed);
        tale.connected(9, BOB as ClientNo, &connect(), true);
        tale.subscribed(9, "a", Qos::AtLeastOnce);
        tale.delivered(9, &retained(number, "a", Qos::AtLeastOnce));
        assert_eq!(tale.end(), None);
    }
}

#[test]
fn what_comes_again_after_a_crash_may_be_known() {
    let tell = |number: MessageNo, crash: bool| {
        let mut tale = Tale::begin();
        let first = retained(1, "a", Qos::ExactlyOnce);
        tale.published(ALICE, &first);
        tale.published(BOB, &retained(2, "a", Qos::AtLeastOnce));
        if crash {
            tale.see(Sight::Crashed);
        }
        tale.connected(9, ALICE as ClientNo, &connect(), true);
        tale.published(9, &SeenPublish { dup: true, ..first });
        tale.connected(10, AUDITOR as ClientNo, &connect(), true);
        tale.subscribed(10, "a", Qos::AtLeastOnce);
        tale.delivered(10, &retained(number, "a", Qos::AtLeastOnce));
        tale.end()
    };
    assert_eq!(tell(1, true), None);
    assert_eq!(tell(2, true), None);
    assert_eq!(tell(2, false), None);
    assert_eq!(tell(1, false), Some("retained"));
}

/// Bob has a Will and is gone; the witness watches.
fn with_will(delay_s: u32, goodbye: bool) -> Tale {
    let mut tale = Tale::begin();
    tale.subscribed(WITNESS, "#", Qos::ExactlyOnce);
    let will = SeenWill {
        number: Some(50),
        topic: "w/bob".into(),
        qos: Qos::AtLeastOnce,
        retain: false,
        delay_s,
        expiry_s: None,
        len: 3,
    };
    tale.see(Sight::Gone(BOB, Ended::Transport));
    tale.connected(8, BOB as ClientNo, &SeenConnect { will: Some(will), ..connect() }, true);
    if goodbye {
        tale.reached(8, Seen::Disconnect { reason: 0, session_expiry_s: None });
    }
    tale.see(Sight::Gone(8, if goodbye { Ended::Goodbye } else { Ended::Transport }));
    tale
}

#[test]
fn a_will_that_is_due() {
    for (comes, objection) in [(true, None), (false, Some("wills"))] {
        let mut tale = with_will(0, false);
        if comes {
            tale.delivered(WITNESS, &message(50, "w/bob", Qos::AtLeastOnce));
        }
        tale.after_s(1);
        assert_eq!(tale.end(), objection);
    }
}

#[test]
fn a_will_that_is_not_due() {
    let will = message(50, "w/bob", Qos::AtLeastOnce);
    let mut taken_back = with_will(0, true);
    taken_back.delivered(WITNESS, &will);
    assert_eq!(taken_back.end(), Some("wills"));
    let mut too_early = with_will(10, false);
    too_early.after_s(9);
    too_early.delivered(WITNESS, &will);
    assert_eq!(too_early.end(), Some("wills"));
    let mut back_in_time = with_will(10, false);
    back_in_time.after_s(9);
    back_in_time.connected(9, BOB as ClientNo, &connect(), true);
    back_in_time.after_s(5);
    back_in_time.delivered(WITNESS, &will);
    assert_eq!(back_in_time.end(), Some("wills"));
    let mut in_time = with_will(10, false);
    in_time.after_s(10);
    in_time.delivered(WITNESS, &will);
    assert_eq!(in_time.end(), None);
}

#[test]
fn a_will_is_as_connect_said_if_a_crash_swallowed_what_disconnect_said() {
    let tell = |is_stored: bool| {
        let mut tale = Tale::begin();
        tale.subscribed(WITNESS, "#", Qos::ExactlyOnce);
        tale.see(Sight::Gone(BOB, Ended::Transport));
        let (topic, qos) = ("w/bob".into(), Qos::AtLeastOnce);
        let will = SeenWill { number: Some(50), topic, qos, retain: false, delay_s: 10, expiry_s: None, len: 3 };
        let session = SeenConnect { will: Some(will), session_expiry_s: 4, ..connect() };
        tale.connected(8, BOB as ClientNo, &session, true);
        tale.after_s(1);
        tale.see(Sight::Storing(is_stored));
        tale.reached(8, Seen::Disconnect { reason: 4, session_expiry_s: Some(u32::MAX) });
        tale.see(Sight::Gone(8, Ended::Goodbye));
        tale.after_s(1);
        tale.see(Sight::Crashed);
        tale.connected(10, WITNESS as ClientNo, &connect(), true);
        tale.after_s(4);
        tale.delivered(10, &message(50, "w/bob", Qos::AtLeastOnce));
        tale.end()
    };
    assert_eq!(tell(false), None);
    assert_eq!(tell(true), Some("wills"));
}

#[test]
fn a_message_that_expired() {
    for (wait_s, rest_s, objection) in
        [(3, 7, None), (3, 9, Some("expiry")), (3, 3, Some("expiry")), (11, 1, Some("expiry"))]
    {
        let mut tale = Tale::begin();
        tale.subscribed(BOB, "a", Qos::AtMostOnce);
        tale.published(ALICE, &SeenPublish { expiry_s: Some(10), ..message(1, "a", Qos::AtMostOnce) });
        tale.after_s(wait_s);
        tale.delivered(BOB, &SeenPublish { expiry_s: Some(rest_s), ..message(1, "a", Qos::AtMostOnce) });
        assert_eq!(tale.end(), objection, "{wait_s} {rest_s}");
    }
}

#[test]
fn a_message_that_loses_its_expiry() {
    let mut tale = Tale::begin();
    tale.subscribed(BOB, "a", Qos::AtMostOnce);
    tale.published(ALICE, &SeenPublish { expiry_s: Some(10), ..message(1, "a", Qos::AtMostOnce) });
    tale.delivered(BOB, &message(1, "a", Qos::AtMostOnce));
    assert_eq!(tale.end(), Some("expiry"));
}

#[test]
fn one_member_of_a_share() {
    for (members, objection) in [(vec![BOB], None), (vec![BOB, AUDITOR], Some("shared")), (vec![], Some("shared"))] {
        let mut tale = Tale::begin();
        tale.subscribed(BOB, "$share/g/a", Qos::AtLeastOnce);
        tale.subscribed(AUDITOR, "$share/g/a", Qos::AtLeastOnce);
        tale.published(ALICE, &message(1, "a", Qos::AtLeastOnce));
        members.iter().for_each(|member| tale.delivered(*member, &message(1, "a", Qos::AtLeastOnce)));
        assert_eq!(tale.end(), objection);
    }
}

#[test]
fn nothing_without_a_subscription() {
    let sent = message(1, "a/b", Qos::AtLeastOnce);
    let tale = |wish: Option<SeenSubscribe>, sent: &SeenPublish| {
        let mut tale = Tale::begin();
        wish.into_iter().for_each(|wish| tale.subscribed_as(BOB, wish));
        tale.published(ALICE, &message(1, "a/b", Qos::AtLeastOnce));
        tale.delivered(BOB, sent);
        tale.end()
    };
    let objects = Some("subscriptions");
    assert_eq!(tale(None, &sent), objects);
    assert_eq!(tale(Some(wish("a/c", Qos::AtLeastOnce)), &sent), objects);
    assert_eq!(tale(Some(wish("a/#", Qos::AtLeastOnce)), &sent), None);
    assert_eq!(tale(Some(wish("#", Qos::AtMostOnce)), &sent), objects, "its QoS is above what was granted");
    let every = || Some(wish("#", Qos::AtLeastOnce));
    assert_eq!(tale(every(), &SeenPublish { topic: "a/c".into(), ..sent.clone() }), objects);
    assert_eq!(tale(every(), &SeenPublish { len: 4, ..sent.clone() }), objects);
    assert_eq!(tale(every(), &SeenPublish { number: None, ..sent.clone() }), objects, "its payload is changed");
    assert_eq!(tale(every(), &SeenPublish { retain: true, ..sent.clone() }), objects);
    assert_eq!(tale(every(), &SeenPublish { identifiers: vec![5], ..sent.clone() }), objects);
    let named = Some(SeenSubscribe { identifier: Some(5), ..wish("#", Qos::AtLeastOnce) });
    assert_eq!(tale(named.clone(), &sent), objects);
    assert_eq!(tale(named, &SeenPublish { identifiers: vec![5], ..sent.clone() }), None);
}

#[test]
fn nothing_behind_unsuback_and_nothing_of_its_own() {
    let mut tale = Tale::begin();
    tale.subscribed(BOB, "a", Qos::AtMostOnce);
    tale.reached(BOB, Seen::Unsubscribe { id: 5, filters: vec!["a".into()] });
    tale.left(BOB, Seen::Unsuback { id: 5, codes: vec![0] });
    tale.published(ALICE, &message(1, "a", Qos::AtMostOnce));
    tale.delivered(BOB, &message(1, "a", Qos::AtMostOnce));
    assert_eq!(tale.end(), Some("subscriptions"));
    let mut tale = Tale::begin();
    tale.subscribed_as(BOB, SeenSubscribe { no_local: true, ..wish("a", Qos::AtMostOnce) });
    tale.published(BOB, &message(1, "a", Qos::AtMostOnce));
    tale.delivered(BOB, &message(1, "a", Qos::AtMostOnce));
    assert_eq!(tale.end(), Some("subscriptions"));
}

#[test]
fn session_present() {
    for (wait_s, clean_start, present, objection) in [
        (59, false, true, None),
        (59, false, false, Some("sessions")),
        (61, false, true, Some("sessions")),
        (61, false, false, None),
        (1, true, true, Some("sessions")),
        (1, true, false, None),
    ] {
        let mut tale = Tale::begin();
        tale.see(Sight::Gone(BOB, Ended::Transport));
        tale.after_s(wait_s);
        tale.connected(9, BOB as ClientNo, &SeenConnect { clean_start, ..connect() }, present);
        assert_eq!(tale.end(), objection, "{wait_s} {clean_start} {present}");
    }
}

/// What one turn says to two connections of a client is told one connection at a time, behind both CONNECTs.
#[test]
fn clean_start_ends_no_session_of_a_connect_before_it() {
    const RESUMES: ConnNo = 9;
    const BEGINS: ConnNo = 10;
    for (order, objection) in [([RESUMES, BEGINS], None), ([BEGINS, RESUMES], Some("subscriptions"))] {
        let mut tale = Tale::begin();
        tale.subscribed(BOB, "a", Qos::AtLeastOnce);
        tale.see(Sight::Gone(BOB, Ended::Transport));
        tale.published(ALICE, &message(1, "a", Qos::AtLeastOnce));
        for conn in order {
            tale.see(Sight::Opened(conn, BOB as ClientNo));
            let connect = SeenConnect { clean_start: conn == BEGINS, ..connect() };
            tale.reached(conn, Seen::Connect(Box::new(connect)));
        }
        tale.left(RESUMES, Seen::Connack { accepted: true, session_present: true, reason: 0 });
        tale.delivered(RESUMES, &message(1, "a", Qos::AtLeastOnce));
        tale.see(Sight::Gone(RESUMES, Ended::Broker));
        tale.left(BEGINS, Seen::Connack { accepted: true, session_present: false, reason: 0 });
        assert_eq!(tale.end(), objection, "{order:?}");
    }
}

#[test]
fn connack_is_first_and_alone() {
    let mut tale = Tale::empty();
    tale.see(Sight::Opened(0, 0));
    tale.left(0, Seen::Other(PacketType::Pingresp));
    assert_eq!(tale.end(), Some("sessions"));
    let mut tale = Tale::begin();
    tale.left(BOB, Seen::Connack { accepted: true, session_present: false, reason: 0 });
    assert_eq!(tale.end(), Some("sessions"));
}

#[test]
fn nothing_grows_and_nothing_is_left() {
    let objects = |gauges: Gauges| {
        let mut tale = Tale::begin();
        tale.see(Sight::Looked(gauges));
        tale.see(Sight::Looked(Gauges::default()));
        tale.end()
    };
    let bounded = Some("bounded");
    assert_eq!(objects(Gauges { queued_max: 10_000, ..Gauges::default() }), None);
    assert_eq!(objects(Gauges { queued_max: 10_001, ..Gauges::default() }), bounded);
    assert_eq!(objects(Gauges { in_flight_max: 5, ..Gauges::default() }), bounded);
    assert_eq!(objects(Gauges { outgoing_bytes_max: 3 << 20, ..Gauges::default() }), bounded);
    assert_eq!(objects(Gauges { memory_bytes: (1 << 30) + 1, ..Gauges::default() }), bounded);
    for sight in [
        Sight::Dropping(2, DropReason::QueueFull),
        Sight::Dropping(2, DropReason::Memory),
        Sight::Broken("a sum".into()),
        Sight::Looked(Gauges { queued_max: 1, ..Gauges::default() }),
        Sight::Looked(Gauges { in_flight_max: 1, ..Gauges::default() }),
    ] {
        let mut tale = Tale::begin();
        tale.see(sight);
        assert_eq!(tale.end(), bounded);
    }
}

#[test]
fn packet_size_of_a_client() {
    for (bytes, objection) in [(100, None), (101, Some("packet size"))] {
        let mut tale = Tale::begin();
        tale.see(Sight::Gone(BOB, Ended::Transport));
        tale.connected(9, BOB as ClientNo, &SeenConnect { packet_bytes_max: Some(100), ..connect() }, true);
        tale.see(Sight::Weighed(9, bytes));
        assert_eq!(tale.end(), objection);
    }
}

#[test]
fn what_is_too_large_is_not_owed_and_all_else_is() {
    for (len, objection) in [(300, None), (10, Some("qos"))] {
        let mut tale = Tale::begin();
        tale.see(Sight::Gone(BOB, Ended::Transport));
        tale.connected(9, BOB as ClientNo, &SeenConnect { packet_bytes_max: Some(100), ..connect() }, true);
        tale.subscribed(9, "a", Qos::AtLeastOnce);
        tale.see(Sight::Dropping(BOB as ClientNo, DropReason::PacketTooLarge));
        tale.published(ALICE, &SeenPublish { len, ..message(1, "a", Qos::AtLeastOnce) });
        assert_eq!(tale.end(), objection);
    }
}
