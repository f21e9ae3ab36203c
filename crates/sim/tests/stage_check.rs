//! The words of checks, one by one: where each holds, where it does not, and what is said of one that can't be read.

use wasmqtt_sim::stage::{Check, History, Scenario};

/// The kitchen publishes 1, 2 and 3 at 2, 3 and 4 s; the phone gets them 200 ms later, and is gone at 5 s.
fn story() -> History {
    let scenario = r#"{ "v": 1, "begin": 0,
        "clients": [
            { "id": "kitchen", "link": { "latency_ms": 100 } },
            { "id": "phone", "link": { "latency_ms": 100 } } ],
        "script": [
            [0, { "do": "connect", "who": "kitchen" }],
            [0, { "do": "connect", "who": "phone" }],
            [1000000, { "do": "subscribe", "who": "phone", "filter": "home/+", "qos": 1 }],
            [2000000, { "do": "publish", "who": "kitchen", "topic": "home/a", "payload": "1" }],
            [3000000, { "do": "publish", "who": "kitchen", "topic": "home/a", "payload": "2", "qos": 1 }],
            [4000000, { "do": "publish", "who": "kitchen", "topic": "home/b", "payload": "3", "retain": true }],
            [4500000, { "do": "publish", "who": "kitchen", "topic": "home/a/x", "payload": "4" }],
            [5000000, { "do": "disconnect", "who": "phone" }],
            [5500000, { "do": "subscribe", "who": "phone", "filter": "x" }] ] }"#;
    let mut history = History::new(Scenario::parse(scenario).unwrap_or_else(|wrong| panic!("{wrong}")));
    history.run_until(8_000_000);
    history
}

/// Checks one to a line; what holds begins with `+`, what does not with `-`.
fn judge(history: &History, checks: &str) {
    for line in checks.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (sign, check) = line.split_at(1);
        let check = Check::parse(check).unwrap_or_else(|wrong| panic!("{line}: {wrong}"));
        assert_eq!(history.check(&check).holds, sign == "+", "{line}");
    }
}

#[test]
fn one_after_another() {
    judge(
        &story(),
        r#"
        + { "before": [{ "told": { "payload": "1" } }, { "told": { "payload": "2" } }, { "told": { "payload": "3" } }] }
        - { "before": [{ "told": { "payload": "1" } }, { "told": { "payload": "3" } }, { "told": { "payload": "2" } }] }
        + { "before": [{ "told": {} }, { "told": {} }, { "told": {} }] }
        - { "before": [{ "told": {} }, { "told": {} }, { "told": {} }, { "told": {} }] }
        + { "within": { "of": { "told": { "payload": "2" } }, "after": { "sent": { "from": "kitchen" } }, "ms": 200 } }
        - { "within": { "of": { "told": { "payload": "2" } }, "after": { "sent": { "from": "kitchen" } }, "ms": 199 } }
        - { "within": { "of": { "told": { "payload": "1" } }, "after": { "told": { "payload": "2" } }, "ms": 9000 } }
        "#,
    );
}

/// The last message comes at 4.2 s, and now is 8 s.
#[test]
fn silence_and_what_came_behind_something() {
    judge(
        &story(),
        r#"
        + { "quiet": { "of": { "told": {} }, "after": { "told": { "payload": "3" } }, "ms": 3800 } }
        - { "quiet": { "of": { "told": {} }, "after": { "told": { "payload": "3" } }, "ms": 3801 } }
        - { "quiet": { "of": { "told": {} }, "after": { "told": { "payload": "2" } }, "ms": 0 } }
        - { "quiet": { "of": { "told": {} }, "after": { "told": { "payload": "5" } }, "ms": 0 } }
        + { "since": { "last": { "told": { "payload": "1" } }, "check": { "told": { "payload": "3" } } } }
        - { "since": { "last": { "told": { "payload": "1" } }, "check": { "told": { "payload": "1" } } } }
        + { "since": { "last": { "told": {} }, "check": { "not": { "told": {} } } } }
        - { "since": { "last": { "told": { "payload": "5" } }, "check": { "not": { "told": {} } } } }
        + { "since": { "last": { "told": {"payload": "2"} }, "check": { "count": { "of": {"told": {}}, "max": 1 } } } }
        - { "since": { "last": { "told": {"payload": "2"} }, "check": { "count": { "of": {"told": {}}, "max": 0 } } } }
        + { "since": { "last": { "told": { "payload": "1" } }, "check": { "delivered": { "to": "phone", "id": 1 } } } }
        "#,
    );
}

#[test]
fn what_entries_are_like() {
    judge(
        &story(),
        r#"
        + { "command": { "do": "publish", "who": "kitchen", "by": "script", "payload": "1", "qos": 0 } }
        + { "command": { "do": "publish", "payload": "1", "retain": false } }
        - { "command": { "do": "publish", "response_topic": "a", "user": [], "expiry_s": 1, "ack": "auto" } }
        - { "command": { "do": "publish", "by": "user" } }
        - { "command": { "do": "connect", "clean_start": false } }
        + { "sent": { "from": "kitchen", "to": "broker", "packet": "PUBLISH", "qos": 1, "dup": false, "payload": "2" } }
        + { "delivered": { "packet": "SUBSCRIBE", "filter": "home/+" } }
        - { "delivered": { "packet": "SUBSCRIBE", "filter": "home" } }
        + { "delivered": { "to": "phone", "packet": "SUBACK", "id": 1 } }
        + { "delivered": { "to": "phone", "packet": "CONNACK", "session_present": false, "reason": 0 } }
        - { "lost": {} }
        + { "told": { "who": "phone", "topic": "home/a", "qos": 1, "retain": false, "dup": false } }
        - { "told": { "who": "phone", "topic": "home/b", "retain": true } }
        + { "decision": { "is": "not_delivered", "who": "phone", "topic": "home/a/x", "why": "no_match", "level": 3 } }
        - { "decision": { "is": "not_delivered", "who": "phone", "topic": "home/a" } }
        + { "decision": { "is": "delivered", "filter": "home/+", "how": "sent", "topic": "home/b" } }
        + { "event": { "is": "disconnected", "who": "phone", "session_kept": false } }
        - { "timer": { "what": "keep_alive" } }
        + { "refused": { "who": "phone", "do": "subscribe", "why": "not_connected" } }
        - { "refused": { "who": "kitchen" } }
        + { "state": { "who": "kitchen", "connected": true, "session": true, "subscriptions": 0, "queued": 0 } }
        - { "state": { "who": "phone", "connected": true } }
        - { "state": { "who": "phone", "subscribed": "home/+" } }
        "#,
    );
}

/// It leaves no entry, so that the log stays what happened, and is forgotten with the next command that is obeyed.
#[test]
fn what_a_person_tried_in_vain() {
    let mut history = story();
    let before = history.playhead();
    history.give(r#"{ "do": "connect", "who": "kitchen" }"#).unwrap_err();
    assert_eq!(history.playhead(), before);
    judge(
        &history,
        r#"
        + { "refused": { "who": "kitchen", "do": "connect", "why": "connected" } }
        + { "any": [{ "refused": { "why": "connected" } }] }
        - { "refused": { "who": "kitchen", "why": "topic" } }
        - { "count": { "of": { "refused": { "who": "kitchen" } }, "min": 1 } }
        "#,
    );
    history.give(r#"{ "do": "publish", "who": "kitchen", "topic": "home/#" }"#).unwrap_err();
    judge(&history, r#"+ { "refused": { "who": "kitchen", "do": "publish", "why": "topic" } }"#);
    history.give(r#"{ "do": "publish", "who": "kitchen", "topic": "home", "qos": 3 }"#).unwrap_err();
    judge(&history, r#"+ { "refused": { "why": "malformed" } }"#);
    history.give(r#"{ "do": "predict", "option": "b" }"#).unwrap();
    judge(
        &history,
        r#"
        - { "refused": { "who": "kitchen" } }
        + { "predicted": "b" }
        - { "predicted": "a" }
        + { "command": { "do": "predict", "by": "user" } }
        "#,
    );
}

#[test]
fn what_can_t_be_read_is_named() {
    let cases = [
        (r#"{"tell":{}}"#, "{\"tell\":{}} is not a check; it has one of all, any, not, count, before, within, quiet,"),
        (
            r#"{"all":[{"told":{}},{"sent":{"whom":"a"}}]}"#,
            "all[1].sent: \"whom\" is not known here; allowed are from,",
        ),
        (r#"{"before":[{"told":{}}]}"#, "before: [{\"told\":{}}] is not a list of two or more"),
        (
            r#"{"before":[{"told":{}},{"state":{"who":"a"}}]}"#,
            "before[1]: {\"state\":{\"who\":\"a\"}} is not a check; ",
        ),
        (r#"{"quiet":{"of":{"told":{}},"after":{"told":{}}}}"#, "quiet: \"ms\" is missing"),
        (r#"{"since":{"check":{"told":{}}}}"#, "since: \"last\" is missing"),
        (r#"{"told":{"qos":3}}"#, "told.qos: 3 is not a whole number from 0 to 2"),
        (r#"{"told":{"retain":1}}"#, "told.retain: 1 is not true or false"),
        (r#"{"sent":{"packet":"PUB"}}"#, "sent.packet: \"PUB\" is not \"CONNECT\", \"CONNACK\","),
        (
            r#"{"decision":{"is":"sent"}}"#,
            "decision.is: \"sent\" is not \"published\", \"delivered\" or \"not_delivered\"",
        ),
        (r#"{"timer":{"what":"will"}}"#, "timer.what: \"will\" is not \"keep_alive\", \"connect_timeout\","),
        (r#"{"command":{"do":"fly"}}"#, "command.do: \"fly\" is not \"connect\", \"disconnect\","),
        (r#"{"command":{"by":"client"}}"#, "command.by: \"client\" is not \"user\" or \"script\""),
        (r#"{"command":{"toppic":"a"}}"#, "command: \"toppic\" is not known here; allowed are do, by, who, topic,"),
        (r#"{"told":{},"sent":{}}"#, "\"sent\" is not known here"),
        (r#"{"predicted":1}"#, "predicted: 1 is not a text"),
    ];
    for (check, error) in cases {
        let wrong = Check::parse(check).expect_err(check).to_string();
        assert!(wrong.starts_with(error), "{check}: {wrong}");
    }
}
