//! The generator against a broker that is right and against brokers that are wrong: every scenario runs and counts, and
//! every fault that a broker could be fast by is found.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::broker::{FakeBroker, Fault};
use wasmqtt_codec::{ProtocolVersion, Qos};
use wasmqtt_load::scenario::{Kind, find};
use wasmqtt_load::{Failure, Options, Report, SCENARIOS, run};

/// A few messages over a few connections, and not much patience.
fn small(broker: &FakeBroker) -> Options {
    Options {
        messages: Some(40),
        connections: Some(4),
        window: Some(5),
        subscriptions: Some(60),
        payload_bytes: 12,
        pid: Some(std::process::id()),
        patience: Duration::from_secs(30),
        ..Options::new(broker.addr)
    }
}

fn run_named(name: &str, options: &Options) -> Result<Report, Failure> {
    run(find(name).expect("there is such a scenario"), options)
}

#[test]
fn every_scenario_runs_and_counts() {
    for version in [ProtocolVersion::V3_1_1, ProtocolVersion::V5] {
        for scenario in &SCENARIOS {
            let broker = FakeBroker::start(Fault::None);
            let options = Options { version, ..small(&broker) };
            let report = run(scenario, &options).unwrap_or_else(|failure| panic!("{}: {failure}", scenario.name));
            let counted = (report.messages, report.deliveries);
            let name = scenario.name;
            match scenario.kind {
                Kind::FanIn(_) | Kind::Pairs(_) | Kind::Unmatched => assert_eq!(counted, (40, 40), "{name}"),
                Kind::FanOut(_) => assert_eq!(counted, (40, 160), "{name}"),
                Kind::Sparse { .. } => assert_eq!(counted, (40, 80), "{name}"),
                Kind::Latency(..) => {
                    let latency = report.latency.expect("it is measured");
                    assert!(report.messages > 0 && report.messages == report.deliveries, "{name}");
                    assert!(latency.p50_us > 0.0 && latency.p50_us <= latency.max_us, "{name}: {latency:?}");
                }
                Kind::Connects => assert!(report.connects_per_s.is_some_and(|rate| rate > 0.0), "{name}"),
                Kind::Idle | Kind::Subscriptions { .. } => assert!(report.bytes_each.is_some(), "{name}"),
                Kind::Retained => {
                    assert_eq!(counted, (40, 40), "{name}");
                    assert!(report.retained.is_some_and(|retained| retained.read_s > 0.0), "{name}");
                }
            }
            assert_eq!((report.duplicates, report.connections), (0, 4), "{name}");
        }
    }
}

#[test]
fn a_flow_lasts_as_long_as_is_wanted() {
    let broker = FakeBroker::start(Fault::None);
    let options = Options { messages: None, time: Duration::from_millis(100), ..small(&broker) };
    let begun = Instant::now();
    let report = run_named("pairs-qos1", &options).expect("the broker is right");
    assert!(begun.elapsed() >= options.time);
    assert!(report.deliveries > 0 && report.deliveries == report.messages, "{report:?}");
}

#[test]
fn the_first_tenth_is_not_measured() {
    let broker = FakeBroker::start(Fault::None);
    let report = run_named("pairs-qos1", &small(&broker)).expect("the broker is right");
    let measured = report.measured.expect("a flow is measured");
    assert!(report.deliveries == 40 && measured.deliveries <= 36, "{measured:?}");
    assert!(measured.broker.is_some_and(|broker| broker.resolution_ns > 0), "{measured:?}");
}

/// What a faulty broker is caught with.
fn caught(scenario: &str, fault: Fault) -> Failure {
    let broker = FakeBroker::start(fault);
    let options = Options { patience: Duration::from_millis(300), ..small(&broker) };
    run_named(scenario, &options).expect_err("the broker is wrong")
}

#[test]
fn a_message_lost_is_found() {
    for scenario in
        ["fan-in-qos0", "fan-out-qos0", "pairs-qos1", "pairs-qos2", "subscribed", "latency-qos0", "unmatched"]
    {
        // Messages 1 to 5 leave for each subscriber at least, so that more follow the missing one.
        let failure = caught(scenario, Fault::Swallow(3));
        assert!(matches!(failure, Failure::Delivery(_) | Failure::Stalled(..)), "{scenario}: {failure}");
    }
}

#[test]
fn the_last_message_lost_is_a_stall_that_says_what_is_owed() {
    let failure = caught("fan-in-qos0", Fault::Swallow(40));
    assert!(matches!(failure, Failure::Stalled(..)), "{failure}");
    let text = failure.to_string();
    assert!(text.contains("40 messages sent, 39 received"), "{text}");
}

#[test]
fn a_message_doubled_is_found() {
    for scenario in ["fan-in-qos0", "fan-out-qos0", "pairs-qos2", "subscribed", "retained"] {
        let failure = caught(scenario, Fault::Double(3));
        let is_found = matches!(&failure, Failure::Delivery(why) if why.contains("twice"));
        assert!(is_found, "{scenario}: {failure}");
    }
}

#[test]
fn the_last_message_doubled_is_found() {
    let failure = caught("fan-in-qos0", Fault::Double(40));
    assert!(matches!(&failure, Failure::Delivery(why) if why.contains("twice")), "{failure}");
    let failure = caught("retained", Fault::Double(40));
    assert!(matches!(&failure, Failure::Delivery(why) if why.contains("twice")), "{failure}");
}

#[test]
fn a_qos_1_message_doubled_is_allowed_and_counted() {
    let broker = FakeBroker::start(Fault::Double(1));
    let report = run_named("pairs-qos1", &Options { messages: Some(1), connections: Some(1), ..small(&broker) });
    // The second acknowledgement is one too many for the core, which closes the connection, or it comes after the end.
    let is_allowed = match &report {
        Ok(report) => report.duplicates == 1,
        Err(failure) => matches!(failure, Failure::Closed(_)),
    };
    assert!(is_allowed, "{report:?}");
}

#[test]
fn wrong_order_is_found() {
    for scenario in ["fan-in-qos0", "pairs-qos1", "pairs-qos2"] {
        let broker = FakeBroker::start(Fault::Swap(3));
        let options = Options { connections: Some(1), ..small(&broker) };
        let failure = run_named(scenario, &options).expect_err("the broker is wrong");
        assert!(matches!(&failure, Failure::Delivery(why) if why.contains("overtaken")), "{scenario}: {failure}");
    }
}

#[test]
fn a_message_changed_is_found() {
    let failure = caught("pairs-qos0", Fault::Spoil(3));
    assert!(matches!(failure, Failure::Delivery(_)), "{failure}");
}

#[test]
fn a_connection_closed_is_found() {
    let failure = caught("pairs-qos0", Fault::Hang(3));
    assert!(matches!(failure, Failure::Closed(_)), "{failure}");
}

#[test]
fn refusals_are_told_with_their_codes() {
    let failure = caught("pairs-qos0", Fault::Refuse);
    assert!(matches!(&failure, Failure::Refused(why) if why.contains('5')), "{failure}");
    let failure = caught("pairs-qos0", Fault::Deny);
    assert!(matches!(&failure, Failure::Denied(why) if why.contains("/value: 0x80")), "{failure}");
}

#[test]
fn nobody_there_is_told_with_the_address() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let addr = listener.local_addr().expect("it is bound");
    drop(listener);
    let failure = run_named("pairs-qos0", &Options::new(addr)).expect_err("nobody listens");
    assert!(failure.to_string().starts_with(&format!("{addr}: no connection: ")), "{failure}");
}

#[test]
fn what_cannot_be_is_refused_before_anything_happens() {
    let options = || Options::new("127.0.0.1:1".parse().expect("an address"));
    let cases = [
        ("pairs-qos0", Options { payload_bytes: 11, ..options() }, "12 to 1048576"),
        ("pairs-qos0", Options { window: Some(40_000), ..options() }, "1 to 32767"),
        ("pairs-qos0", Options { messages: Some(0), ..options() }, "--messages 0"),
        ("pairs-qos0", Options { connections: Some(0), ..options() }, "--connections 0"),
        ("pairs-qos0", Options { time: Duration::ZERO, ..options() }, "--seconds"),
        ("latency-qos0", Options { rate: Some(0), ..options() }, "1 to 1000000"),
        ("subscribed", Options { connections: Some(5), ..options() }, "an even number"),
        ("idle", options(), "--pid"),
    ];
    for (scenario, options, part) in cases {
        let failure = run_named(scenario, &options).expect_err("it can't be");
        let is_told = matches!(&failure, Failure::Argument(why) if why.contains(part));
        assert!(is_told, "{scenario}: {failure}");
    }
    let failure = run_named("connects", &Options { connections: Some(u32::MAX), ..options() });
    assert!(matches!(failure, Err(Failure::Descriptors { .. })), "{failure:?}");
}

#[test]
fn a_receive_maximum_lowers_the_window() {
    // Our core announces 1,024.
    let broker = FakeBroker::start(Fault::None);
    let options = Options { version: ProtocolVersion::V5, window: Some(2_000), ..small(&broker) };
    let report = run_named("fan-in-qos1", &options).expect("the broker is right");
    assert_eq!(report.window, 1_024);
    assert!(report.notes.iter().any(|note| note.contains("Receive Maximum")), "{:?}", report.notes);
}

#[test]
fn names_of_scenarios_say_their_qos() {
    for scenario in &SCENARIOS {
        if let Kind::FanIn(qos) | Kind::FanOut(qos) | Kind::Pairs(qos) | Kind::Latency(qos, _) = scenario.kind {
            let expected = match qos {
                Qos::AtMostOnce => "qos0",
                Qos::AtLeastOnce => "qos1",
                Qos::ExactlyOnce => "qos2",
            };
            assert!(scenario.name.contains(expected), "{}", scenario.name);
        }
    }
}
