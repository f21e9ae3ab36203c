//! The load generator against the whole server, over TCP and WebSocket and in both versions: what it sends is what it
//! receives, and the server's own counters agree.

use wasmqtt_codec::ProtocolVersion;
use wasmqtt_load::scenario::{Kind, find};
use wasmqtt_load::{Options, Report, SCENARIOS, run};
use wasmqtt_tests::server::RealServer;

fn small(server: &RealServer) -> Options {
    Options {
        messages: Some(200),
        connections: Some(4),
        window: Some(5),
        subscriptions: Some(60),
        ..Options::new(server.tcp)
    }
}

fn run_named(name: &str, options: &Options) -> Report {
    let scenario = find(name).unwrap_or_else(|| panic!("no scenario {name}"));
    run(scenario, options).unwrap_or_else(|failure| panic!("{name}: {failure}"))
}

#[test]
fn every_scenario_runs_against_the_server() {
    let server = RealServer::start();
    for version in [ProtocolVersion::V3_1_1, ProtocolVersion::V5] {
        // Memory is that of a process of its own; here the server is part of the test.
        let needs_no_process = |kind: Kind| !matches!(kind, Kind::Idle | Kind::Subscriptions { .. });
        for scenario in SCENARIOS.iter().filter(|scenario| needs_no_process(scenario.kind)) {
            let report = run_named(scenario.name, &Options { version, ..small(&server) });
            let receivers = match scenario.kind {
                Kind::FanOut(_) => 4,
                Kind::Sparse { .. } => 2,
                Kind::FanIn(_) | Kind::Pairs(_) | Kind::Unmatched | Kind::Latency(..) | Kind::Retained => 1,
                Kind::Connects | Kind::Idle | Kind::Subscriptions { .. } => 0,
            };
            assert_eq!(report.deliveries, report.messages * receivers, "{}", scenario.name);
        }
    }
}

#[test]
fn websocket_too_and_the_server_counts_the_same() {
    let server = RealServer::start();
    let websocket = Some("/mqtt".into());
    let options = Options { addr: server.websocket, websocket, payload_bytes: 300, ..small(&server) };
    let report = run_named("pairs-qos2", &options);
    assert_eq!((report.messages, report.deliveries), (200, 200));
    server.wait_until("all clients are gone", |counters| counters.connections == 0);
    let counters = server.count();
    assert_eq!((counters.publishes_received, counters.publishes_sent), (200, 200), "{counters:?}");
}
