//! A bounded run of the fuzz body that needs the server's transports; the other bodies have theirs in `crates/fuzz`.

use wasmqtt_fuzz::body;
use wasmqtt_fuzz::runner::{Until, run, to_hex};

const RUNS: u64 = 5_000;

#[test]
fn whatever_comes_over_http_and_websocket_gives_the_same_however_it_is_cut() {
    let body = body("transport").expect("the feature is on");
    let report = run(body, 1, Until::Runs(RUNS));
    let _ = std::panic::take_hook();
    if let Some(failure) = report.failure {
        let shortest = to_hex(&failure.shortest);
        panic!("{}, at {}: cargo xtask fuzz transport --input {shortest}", failure.said, failure.place);
    }
    assert_eq!(report.runs, RUNS);
}
