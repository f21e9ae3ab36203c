//! The links of the Stage, one power at a time: how long a packet is on its way, what a cut loses, what a half-open
//! link holds back, what a frozen client leaves undone. Times are worked out by hand from what the scenario says.

use serde_json::Value;
use wasmqtt_sim::stage::{Check, History, Scenario, text};

/// The kitchen and the phone on links of 100 ms, connected and subscribed at 1 s; `phone` is said of the phone too.
fn house(phone: &str) -> History {
    let scenario = format!(
        r#"{{ "v": 1, "seed": 5, "clients": [
            {{ "id": "kitchen", "link": {{ "latency_ms": 100 }} }},
            {{ "id": "phone", "clean_start": false, "session_expiry_s": 600, "link": {{ "latency_ms": 100 }}
               {phone} }} ],
          "script": [
            [0, {{ "do": "connect", "who": "kitchen" }}],
            [0, {{ "do": "connect", "who": "phone" }}],
            [500000, {{ "do": "subscribe", "who": "phone", "filter": "a/#", "qos": 2 }}] ] }}"#
    );
    let mut history = History::new(Scenario::parse(&scenario).unwrap_or_else(|wrong| panic!("{wrong}")));
    history.run_until(1_000_000);
    history
}

fn tell(history: &mut History, command: &str) {
    history.give(command).unwrap_or_else(|error| panic!("{command}: {error}"));
}

fn publish(history: &mut History, payload: &str, qos: u8) {
    let publish = format!(r#"{{"do":"publish","who":"kitchen","topic":"a/b","payload":"{payload}","qos":{qos}}}"#);
    tell(history, &publish);
}

fn holds(history: &History, check: &str) -> bool {
    history.check(&Check::parse(check).unwrap_or_else(|wrong| panic!("{wrong}"))).holds
}

#[track_caller]
fn must(history: &History, checks: &[&str]) {
    for check in checks {
        assert!(holds(history, check), "{check}\n{}", text(history.log()));
    }
}

fn entries(history: &History) -> Vec<Value> {
    history.past().iter().map(|entry| serde_json::from_str(&entry.to_json()).expect("it is JSON")).collect()
}

/// When each PUBLISH to the phone was sent and when it arrived, with its length in bytes.
fn ways(history: &History) -> Vec<(u64, u64, u64)> {
    let log = entries(history);
    let delivered = log.iter().filter_map(|entry| Some((entry["at"].as_u64()?, entry.get("delivered")?)));
    let mut ways = Vec::new();
    for (at, delivered) in delivered {
        let sent = &log[delivered["packet"].as_u64().unwrap() as usize];
        if delivered["type"] == "PUBLISH" && delivered["toward"] == "client" {
            let bytes = sent["sent"]["bytes"].as_str().unwrap().len() as u64 / 2;
            ways.push((sent["at"].as_u64().unwrap(), at, bytes));
        }
    }
    ways
}

#[test]
fn latency_is_how_long_a_packet_is_on_its_way() {
    let mut history = house("");
    publish(&mut history, "1", 0);
    history.run_until(2_000_000);
    assert_eq!(ways(&history), [(1_100_000, 1_200_000, 9)]);
    tell(&mut history, r#"{"do":"link","who":"phone","latency_ms":700}"#);
    publish(&mut history, "2", 0);
    history.run_until(4_000_000);
    assert_eq!(ways(&history)[1..], [(2_100_000, 2_800_000, 9)]);
}

#[test]
fn jitter_delays_by_chance_and_never_reorders() {
    let run = |seed: &str| {
        let mut history = house("");
        tell(&mut history, r#"{"do":"link","who":"phone","jitter_ms":300}"#);
        for n in 0..40 {
            publish(&mut history, &format!("{seed}{n}"), 0);
            history.run_until(history.playhead().at + 50_000);
        }
        history.run_until(10_000_000);
        ways(&history)
    };
    let delays: Vec<u64> = run("").iter().map(|(sent, arrived, _)| arrived - sent).collect();
    assert_eq!(delays.len(), 40);
    assert!(delays.iter().all(|us| (100_000..=400_000).contains(us)), "{delays:?}");
    assert!(delays.iter().max().unwrap() - delays.iter().min().unwrap() > 100_000, "{delays:?}");
    assert!(run("").is_sorted_by_key(|(_, arrived, _)| *arrived));
    assert_eq!(run(""), run(""));
}

/// PUBLISH of `a/b` with 93 bytes of payload in 5.0: 2 + 2 + 3 + 1 + 93 = 101 bytes, which 1,000 bytes a second carry
/// in 101 ms. What is sent meanwhile waits.
#[test]
fn a_narrow_link_takes_its_time_for_each_byte() {
    let mut history = house("");
    tell(&mut history, r#"{"do":"link","who":"phone","bytes_per_s":1000}"#);
    let payload = "x".repeat(93);
    publish(&mut history, &payload, 0);
    publish(&mut history, &payload, 0);
    history.run_until(3_000_000);
    assert_eq!(ways(&history), [(1_100_000, 1_301_000, 101), (1_100_000, 1_402_000, 101)]);
    tell(&mut history, r#"{"do":"link","who":"phone","bytes_per_s":0}"#);
    publish(&mut history, &payload, 0);
    history.run_until(4_000_000);
    assert_eq!(ways(&history)[2..], [(3_100_000, 3_200_000, 101)]);
}

#[test]
fn a_cut_loses_what_is_on_its_way_and_both_ends_learn() {
    let mut history = house("");
    publish(&mut history, "1", 1);
    history.run_until(1_125_000);
    tell(&mut history, r#"{"do":"cut","who":"phone"}"#);
    // Another link can be opened at once, and what was not acknowledged comes again on it [5:MQTT-4.4.0-1].
    tell(&mut history, r#"{"do":"connect","who":"phone"}"#);
    history.run_until(2_000_000);
    let log = entries(&history);
    let lost: Vec<&Value> = log.iter().filter_map(|entry| entry.get("lost")).collect();
    assert_eq!((lost.len(), &lost[0]["type"], lost[0]["how_far"].as_f64()), (1, &Value::from("PUBLISH"), Some(0.25)));
    assert!(log.iter().any(|entry| entry["broke"]["who"] == "phone"));
    for end in ["broker", "client"] {
        assert!(log.iter().any(|entry| entry["learned"]["end"] == end), "{end}\n{}", text(history.log()));
    }
    must(&history, &[r#"{"told":{"who":"phone","payload":"1","dup":true}}"#]);
}

/// The second PUBLISH to the phone, at each moment of its way; the first and the third are not touched.
#[test]
fn a_cut_waits_for_the_nth_packet_of_a_type_in_a_direction() {
    for (at, lost, told) in [("sent", Some(0.0), 2), ("half_way", Some(0.5), 2), ("delivered", None, 3)] {
        let mut history = house(r#", "reconnect_s": 1"#);
        let cut = r#"{"do":"cut_when","who":"phone","packet":"PUBLISH","toward":"client","nth":2"#;
        tell(&mut history, &format!(r#"{cut},"at":"{at}"}}"#));
        for n in 1..=3 {
            publish(&mut history, &n.to_string(), 0);
            history.run_until(history.playhead().at + 3_000_000);
        }
        let log = entries(&history);
        let found: Vec<Option<f64>> = log.iter().filter_map(|it| Some(it.get("lost")?["how_far"].as_f64())).collect();
        assert_eq!(found, lost.map(Some).into_iter().collect::<Vec<_>>(), "{at}\n{}", text(history.log()));
        let count = format!(r#"{{"count":{{"of":{{"told":{{"who":"phone"}}}},"min":{told},"max":{told}}}}}"#);
        must(&history, &[&count, r#"{"told":{"payload":"1"}}"#, r#"{"told":{"payload":"3"}}"#]);
        assert_eq!(log.iter().filter(|entry| entry.get("broke").is_some()).count(), 1);
    }
}

#[test]
fn a_cut_that_waits_outlives_a_reconnect_and_can_be_called_off() {
    let wait = r#"{"do":"cut_when","who":"phone","packet":"PUBLISH","toward":"client","nth":2,"at":"sent"}"#;
    let mut history = house("");
    tell(&mut history, wait);
    publish(&mut history, "1", 0);
    history.run_until(2_000_000);
    tell(&mut history, r#"{"do":"disconnect","who":"phone"}"#);
    history.run_until(3_000_000);
    tell(&mut history, r#"{"do":"connect","who":"phone"}"#);
    history.run_until(4_000_000);
    assert_eq!(history.stage().sessions().clients[1].cut_when.len(), 1);
    publish(&mut history, "2", 0);
    history.run_until(5_000_000);
    must(&history, &[r#"{"lost":{"to":"phone","payload":"2"}}"#, r#"{"state":{"who":"phone","connected":false}}"#]);

    let mut history = house("");
    tell(&mut history, wait);
    tell(&mut history, r#"{"do":"cancel_cut_when","who":"phone"}"#);
    publish(&mut history, "1", 0);
    publish(&mut history, "2", 0);
    history.run_until(5_000_000);
    must(&history, &[r#"{"told":{"payload":"2"}}"#, r#"{"not":{"lost":{}}}"#]);
}

/// Toward the client: the broker hears every PINGREQ and goes on. Nothing is lost, and all of it comes in order.
#[test]
fn half_open_holds_back_one_direction_until_it_heals() {
    let mut history = house("");
    tell(&mut history, r#"{"do":"half_open","who":"phone","toward":"client"}"#);
    for payload in ["1", "2", "3"] {
        publish(&mut history, payload, 1);
    }
    history.run_until(20_000_000);
    must(&history, &[r#"{"not":{"told":{"who":"phone"}}}"#, r#"{"state":{"who":"phone","connected":true}}"#]);
    assert_eq!(history.stage().sessions().clients[1].half_open, ["client"]);
    let log = entries(&history);
    let held =
        log.iter().map(|entry| &entry["sent"]).filter(|sent| sent["type"] == "PUBLISH" && sent["who"] == "phone");
    assert_eq!(held.map(|sent| sent["arrives_at"].as_u64()).collect::<Vec<_>>(), [None; 3]);
    tell(&mut history, r#"{"do":"heal","who":"phone"}"#);
    history.run_until(25_000_000);
    let in_order = r#"{"before":[{"told":{"payload":"1"}},{"told":{"payload":"2"}},{"told":{"payload":"3"}}]}"#;
    must(&history, &[in_order, r#"{"not":{"lost":{}}}"#, r#"{"not":{"told":{"dup":true}}}"#]);
}

/// [5:MQTT-3.1.2-22]: one and a half times 10 s after its last packet the broker gives the silent phone up.
#[test]
fn half_open_toward_the_broker_ends_with_the_keep_alive() {
    let mut history = house(r#", "keep_alive_s": 10"#);
    tell(&mut history, r#"{"do":"half_open","who":"phone","toward":"broker"}"#);
    history.run_until(60_000_000);
    let timer = entries(&history).into_iter().find(|entry| entry["timer"]["what"] == "keep_alive").unwrap();
    // Its SUBSCRIBE left at 0.5 s and arrived at 0.6 s.
    assert_eq!(timer["at"], 15_600_000, "{}", text(history.log()));
    must(&history, &[r#"{"event":{"is":"disconnected","who":"phone","session_kept":true}}"#]);
}

/// It neither reads nor pings nor comes back; the broker gives it up as it does a silent client.
#[test]
fn a_frozen_client_does_nothing_at_all() {
    let mut history = house(r#", "keep_alive_s": 10, "reconnect_s": 1"#);
    tell(&mut history, r#"{"do":"freeze","who":"phone"}"#);
    publish(&mut history, "1", 1);
    history.run_until(60_000_000);
    let quiet = [
        r#"{"not":{"told":{"who":"phone"}}}"#,
        r#"{"not":{"sent":{"from":"phone","packet":"PINGREQ"}}}"#,
        r#"{"not":{"timer":{"what":"reconnect"}}}"#,
        r#"{"timer":{"what":"keep_alive","who":"phone"}}"#,
    ];
    must(&history, &quiet);
    tell(&mut history, r#"{"do":"thaw","who":"phone"}"#);
    history.run_until(70_000_000);
    must(&history, &[r#"{"timer":{"what":"reconnect"}}"#, r#"{"told":{"who":"phone","payload":"1"}}"#]);
}

/// The same fault at the same moment, once with QoS 1 and once with QoS 2, side by side.
#[test]
fn two_branches_stand_side_by_side() {
    let mut history = house(r#", "reconnect_s": 1"#);
    let before = history.playhead().entries - 1;
    for (qos, answer) in [(1, "PUBACK"), (2, "PUBREC")] {
        history.seek(Some(before)).unwrap();
        let cut = r#"{"do":"cut_when","who":"phone","toward":"broker","at":"half_way""#;
        tell(&mut history, &format!(r#"{cut},"packet":"{answer}"}}"#));
        publish(&mut history, "21", qos);
        history.run_until(10_000_000);
    }
    let branches = history.branches();
    assert_eq!(branches.iter().map(|it| (it.branch, it.parent)).collect::<Vec<_>>(), [(0, None), (1, Some(0))]);
    assert_eq!(branches[1].from, before + 1);
    let compared = history.compare(0, 1).unwrap();
    assert_eq!((compared.common, compared.left.branch, compared.right.branch), (before + 1, 0, 1));
    assert_eq!((compared.left.told.len(), compared.right.told.len()), (2, 1), "{compared:?}");
    assert_eq!((compared.left.lost, compared.right.lost), (1, 1));
    // Both are kept whole, and either can be gone on with.
    history.switch(0).unwrap();
    assert_eq!(history.playhead().entries, branches[0].entries);
    history.give(r#"{"do":"disconnect","who":"phone"}"#).unwrap();
    assert_eq!(history.log_of(1).unwrap().len() as u64, branches[1].entries);
}
