//! The soak in small: a right broker keeps the rules of delivery, a broker that loses messages is found.

use std::time::Duration;

use super::broker::{FakeBroker, Fault};
use wasmqtt_load::Failure;
use wasmqtt_load::soak::judge::Outcome;
use wasmqtt_load::soak::{Options, soak};

fn small(broker: &FakeBroker) -> Options {
    Options {
        connections: 60,
        time: Duration::from_secs(2),
        interval: Duration::from_millis(200),
        rate: 500,
        ..Options::new(broker.addr, std::process::id())
    }
}

#[test]
fn a_right_broker_loses_nothing_though_clients_go_stall_and_lie() {
    let broker = FakeBroker::start(Fault::None);
    let mut samples = 0;
    let (evidence, findings) = soak(&small(&broker), &mut |_| samples += 1).expect("the broker is there");
    assert_eq!(samples, evidence.samples.len());
    assert!(samples >= 5 && evidence.samples.iter().any(|sample| sample.lies > 0), "{evidence:?}");
    assert!(evidence.owed > 100, "{evidence:?}");
    // Memory and latency are the machine's as much as the broker's in two seconds.
    let [_, _, deliveries, honest] = &findings[..] else { panic!("four rules: {findings:?}") };
    assert_eq!([deliveries.outcome, honest.outcome], [Outcome::Kept; 2], "{findings:?}");
}

#[test]
fn a_broker_that_loses_messages_is_found() {
    let broker = FakeBroker::start(Fault::SwallowEvery(50));
    let options = Options { patience: Duration::from_millis(500), ..small(&broker) };
    let (evidence, findings) = soak(&options, &mut |_| {}).expect("the broker is there");
    assert!(evidence.wrong > 0 && evidence.received < evidence.owed, "{evidence:?}");
    assert_eq!([findings[2].outcome, findings[3].outcome], [Outcome::Broken; 2], "{findings:?}");
}

#[test]
fn too_few_clients_are_refused() {
    let addr = "127.0.0.1:1".parse().expect("an address");
    let options = Options { connections: 39, ..Options::new(addr, std::process::id()) };
    let failure = soak(&options, &mut |_| {}).expect_err("39 are too few");
    assert!(matches!(&failure, Failure::Argument(why) if why.contains("40 and more")), "{failure}");
}
