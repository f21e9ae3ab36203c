//! The Stage: what a person can do to it, what its log then says, and that every word of it can be told again.

use wasmqtt_sim::stage::{Check, Command, History, Scenario, text};

const HOME: &str = r#"{
  "v": 1, "seed": 7,
  "clients": [
    { "id": "kitchen", "icon": "sensor", "clean_start": false, "session_expiry_s": 3600, "reconnect_s": 3,
      "will": { "topic": "home/kitchen/state", "payload": "kitchen network is dead!", "qos": 1 } },
    { "id": "phone", "icon": "phone", "link": { "latency_ms": 50 } }
  ],
  "script": [
    [0, { "do": "connect", "who": "kitchen" }],
    [0, { "do": "connect", "who": "phone" }],
    [0, { "do": "subscribe", "who": "phone", "filter": "home/#", "qos": 2 }]
  ]
}"#;

fn home() -> History {
    History::new(Scenario::parse(HOME).unwrap_or_else(|wrong| panic!("{wrong}")))
}

fn tell(history: &mut History, command: &str) {
    let command = Command::parse(command).unwrap_or_else(|wrong| panic!("{wrong}"));
    history.command(command).unwrap_or_else(|error| panic!("{error}"));
}

fn holds(history: &History, check: &str) -> bool {
    let check = Check::parse(check).unwrap_or_else(|wrong| panic!("{wrong}"));
    history.check(&check).holds
}

#[test]
fn a_message_goes_from_the_kitchen_to_the_phone() {
    let mut history = home();
    history.run_until(2_000_000);
    tell(&mut history, r#"{"do":"publish","who":"kitchen","topic":"home/kitchen/temperature","payload":"21","qos":1}"#);
    history.run_until(4_000_000);
    println!("{}", text(history.log()));
    assert!(holds(&history, r#"{"told":{"who":"phone","topic":"home/kitchen/temperature","payload":"21","qos":1}}"#));
    assert!(holds(&history, r#"{"count":{"of":{"sent":{"packet":"PUBACK"}},"min":2,"max":2}}"#));
}
