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

/// A publisher with QoS 2 whose link is cut at a packet of the exchange, and that comes back.
fn cut_at(packet: &str, toward: &str, at: &str) -> History {
    let mut history = home();
    history.run_until(2_000_000);
    let cut =
        format!(r#"{{"do":"cut_when","who":"kitchen","packet":"{packet}","toward":"{toward}","nth":1,"at":"{at}"}}"#);
    tell(&mut history, &cut);
    tell(&mut history, r#"{"do":"publish","who":"kitchen","topic":"home/a","payload":"21","qos":2}"#);
    history.run_until(30_000_000);
    history
}

/// [5:MQTT-4.3.3-8] [5:MQTT-4.4.0-1]
#[test]
fn a_cut_anywhere_in_an_exchange_delivers_exactly_once() {
    let exchange = [("PUBLISH", "broker"), ("PUBREC", "client"), ("PUBREL", "broker"), ("PUBCOMP", "client")];
    for (packet, toward) in exchange {
        for at in ["sent", "half_way", "delivered"] {
            let history = cut_at(packet, toward, at);
            let case = format!("{packet} {at}\n{}", text(history.log()));
            assert!(
                holds(&history, r#"{"count":{"of":{"told":{"who":"phone","payload":"21"}},"min":1,"max":1}}"#),
                "{case}"
            );
            assert!(holds(&history, r#"{"state":{"who":"kitchen","connected":true}}"#), "{case}");
            assert!(holds(&history, r#"{"count":{"of":{"timer":{"what":"reconnect"}},"min":1,"max":1}}"#), "{case}");
            let fate = format!(r#"{{"lost":{{"packet":"{packet}"}}}}"#);
            assert_eq!(holds(&history, &fate), at != "delivered", "{case}");
            let how_far = if at == "half_way" { r#""how_far":0.5"# } else { r#""how_far":0.0"# };
            let lost = history.log().iter().map(|entry| entry.to_json()).find(|json| json.contains(r#""lost""#));
            match lost {
                Some(lost) => assert!(lost.contains(how_far), "{case}{lost}"),
                // Nobody answers PUBCOMP, so nothing is on its way when the link breaks behind it.
                None => assert_eq!((packet, at), ("PUBCOMP", "delivered")),
            }
            assert!(history.scenario().goal.is_none() && history.stage().sessions().clients[0].cut_when.is_empty());
        }
    }
}

/// QoS 1 is sent again after a reconnect, with DUP, and never on a timer [5:MQTT-4.4.0-1].
#[test]
fn qos_1_may_come_twice_and_only_after_a_reconnect() {
    let mut history = home();
    history.run_until(2_000_000);
    tell(
        &mut history,
        r#"{"do":"cut_when","who":"kitchen","packet":"PUBACK","toward":"client","nth":1,"at":"half_way"}"#,
    );
    tell(&mut history, r#"{"do":"publish","who":"kitchen","topic":"home/a","payload":"21","qos":1}"#);
    history.run_until(20_000_000);
    assert!(holds(&history, r#"{"count":{"of":{"told":{"who":"phone","payload":"21"}},"min":2,"max":2}}"#));
    let check = r#"{"all":[
        {"before":[{"lost":{"packet":"PUBACK"}},{"sent":{"from":"kitchen","packet":"PUBLISH","dup":true}}]},
        {"before":[{"timer":{"what":"reconnect","who":"kitchen"}},
                   {"sent":{"from":"kitchen","packet":"PUBLISH","dup":true}}]},
        {"count":{"of":{"sent":{"from":"kitchen","packet":"PUBLISH"}},"min":2,"max":2}} ]}"#;
    assert!(holds(&history, check), "{}", text(history.log()));
}

#[test]
fn a_half_open_link_is_noticed_by_its_keep_alive_and_the_will_is_published() {
    let mut history = home();
    tell(&mut history, r#"{"do":"connect","who":"kitchen","keep_alive_s":10}"#);
    history.run_until(2_000_000);
    tell(&mut history, r#"{"do":"half_open","who":"kitchen","toward":"broker"}"#);
    let next = history.next();
    assert!(next.timers.iter().any(|timer| timer.what == wasmqtt_sim::stage::TimerKind::KeepAlive), "{next:?}");
    history.run_until(40_000_000);
    let told = r#"{"told":{"who":"phone","topic":"home/kitchen/state","payload":"kitchen network is dead!"}}"#;
    assert!(holds(&history, told), "{}", text(history.log()));
    assert!(holds(&history, r#"{"timer":{"what":"keep_alive","who":"kitchen"}}"#));
    assert!(holds(&history, r#"{"event":{"is":"disconnected","who":"kitchen","session_kept":true}}"#));
    // What was held back comes in order when the way is open again, on a new transport too.
    tell(&mut history, r#"{"do":"heal","who":"kitchen"}"#);
    history.run_until(60_000_000);
    assert!(holds(&history, r#"{"state":{"who":"kitchen","connected":true}}"#), "{}", text(history.log()));
}

#[test]
fn a_frozen_client_reads_nothing_until_it_is_thawed() {
    let mut history = home();
    history.run_until(2_000_000);
    tell(&mut history, r#"{"do":"freeze","who":"phone"}"#);
    tell(&mut history, r#"{"do":"publish","who":"kitchen","topic":"home/a","payload":"21","qos":1}"#);
    history.run_until(20_000_000);
    assert!(!holds(&history, r#"{"told":{"who":"phone"}}"#));
    let refused = history.command(Command::parse(r#"{"do":"unsubscribe","who":"phone","filter":"home/#"}"#).unwrap());
    assert_eq!(refused.unwrap_err().to_string(), "phone is frozen; thaw it first");
    tell(&mut history, r#"{"do":"thaw","who":"phone"}"#);
    history.run_until(21_000_000);
    assert!(holds(&history, r#"{"told":{"who":"phone","payload":"21"}}"#), "{}", text(history.log()));
}

#[test]
fn what_survives_a_restart_is_what_was_stored() {
    for (storage, told) in [(true, true), (false, false)] {
        let mut history = home();
        history.run_until(2_000_000);
        tell(&mut history, r#"{"do":"publish","who":"kitchen","topic":"home/a","payload":"21","qos":1,"retain":true}"#);
        history.run_until(4_000_000);
        tell(&mut history, &format!(r#"{{"do":"restart","storage":{storage}}}"#));
        tell(&mut history, r#"{"do":"connect","who":"phone"}"#);
        tell(&mut history, r#"{"do":"subscribe","who":"phone","filter":"home/a","qos":1}"#);
        history.run_until(8_000_000);
        assert_eq!(
            holds(&history, r#"{"told":{"who":"phone","payload":"21","retain":true}}"#),
            told,
            "{}",
            text(history.log())
        );
        assert_eq!(history.topics().iter().any(|topic| topic.retained.is_some()), told);
    }
}

#[test]
fn why_says_of_every_client_what_the_broker_decided() {
    let mut history = home();
    history.run_until(2_000_000);
    tell(&mut history, r#"{"do":"publish","who":"kitchen","topic":"home/a","payload":"21","qos":1}"#);
    history.run_until(4_000_000);
    let published = history.log().iter().position(|entry| entry.to_json().contains("PUBLISH")).unwrap() as u64;
    let why = history.why(published).unwrap();
    assert_eq!((why.packet, why.payload.as_deref()), (Some(published), Some("21")));
    let of = |who: &str| why.clients.iter().find(|outcome| &*outcome.who == who).unwrap();
    assert_eq!((of("phone").is, of("phone").packets.len(), of("phone").told.len()), ("delivered", 1, 1));
    let decision = of("phone").decision.clone().unwrap();
    assert_eq!((decision.filter.as_deref(), decision.qos), (Some("home/#"), Some(1)));
    assert_eq!(of("kitchen").decision.clone().unwrap().why, Some("no_subscription"));
    // The copy that the phone got, and what its user was told, lead to the same answer.
    for n in [of("phone").packets[0], of("phone").told[0], of("phone").n.unwrap()] {
        assert_eq!(history.why(n).unwrap(), why);
    }
    let packet = history.packet(published).unwrap();
    assert_eq!((packet.fate, packet.fields[1].name), ("delivered", "MQTT Control Packet type"));
    assert!(packet.effects.len() >= 3, "{packet:?}");
    assert_eq!(history.why(0).unwrap_err().to_string(), "entry 0 has to do with no message");
    assert_eq!(history.packet(9_999).unwrap_err().to_string(), "there is no entry 9999; there are 0 to 31");
}

#[test]
fn a_filter_is_tried_with_the_level_at_which_it_fails() {
    let mut history = home();
    history.run_until(2_000_000);
    for topic in
        ["home/kitchen/temperature", "home/room/temperature", "home/kitchen", "Home/kitchen/temperature", "$x/a"]
    {
        let publish = format!(r#"{{"do":"publish","who":"kitchen","topic":"{topic}","payload":"1"}}"#);
        tell(&mut history, &publish);
    }
    history.run_until(3_000_000);
    let tried = history.try_filter("home/+/temperature");
    let level = |topic: &str| tried.topics.iter().find(|(name, _)| name == topic).unwrap().1;
    assert_eq!(level("home/kitchen/temperature"), None);
    assert_eq!(level("home/kitchen"), Some(3));
    assert_eq!(level("Home/kitchen/temperature"), Some(1));
    assert_eq!(history.try_filter("#").topics.iter().find(|(name, _)| name == "$x/a").unwrap().1, Some(1));
    assert_eq!(history.try_filter("home/#/x").error.unwrap().1, "5:MQTT-4.7.1-1");
}

/// What is wrong and where, in words that say what is allowed.
#[test]
fn bad_input_is_named_with_its_place() {
    let scenario = |text: &str| Scenario::parse(text).unwrap_err().to_string();
    let cases = [
        ("{", "this is no JSON: EOF while parsing an object at line 1 column 1"),
        ("{}", "\"v\" is missing"),
        (r#"{"v":2}"#, "v: 2 is not a whole number from 1 to 1"),
        (
            r#"{"v":1,"client":[]}"#,
            "\"client\" is not known here; allowed are v, seed, broker, clients, script, goal, begin, lock, view",
        ),
        (
            r#"{"v":1,"clients":[{"id":"a"},{"id":"b"},{"id":"c","will":{"topic":"t","qos":3}}]}"#,
            "clients[2].will.qos: 3 is not 0, 1 or 2",
        ),
        (r#"{"v":1,"clients":[{"id":"a"},{"id":"a"}]}"#, "clients[1]: \"a\" is there twice"),
        (
            r#"{"v":1,"clients":[{"id":"a","version":"4"}]}"#,
            "clients[0].version: \"4\" is not \"3.1\", \"3.1.1\" or \"5.0\"",
        ),
        (r#"{"v":1,"script":[[0,{"do":"fly"}]]}"#, "script[0][1].do: \"fly\" is not \"connect\", \"disconnect\","),
        (r#"{"v":1,"script":[[0,{"do":"publish","who":"a","topic":"a/+"}]]}"#, "script[0][1].topic: \"a/+\": "),
        (
            r#"{"v":1,"goal":{"all":[{"told":{"whom":"a"}}]}}"#,
            "goal.all[0].told: \"whom\" is not known here; allowed are who, topic,",
        ),
        (
            r#"{"v":1,"clients":[{"id":"a","keep_alive_s":70000}]}"#,
            "clients[0].keep_alive_s: 70000 is not a whole number from 0 to 65535",
        ),
    ];
    for (text, error) in cases {
        assert!(scenario(text).starts_with(error), "{text}: {}", scenario(text));
    }
    let mut history = home();
    history.run_until(2_000_000);
    let refusals = [
        (r#"{"do":"cut","who":"nobody"}"#, "who: \"nobody\" is no client; there are kitchen, phone"),
        (r#"{"do":"connect","who":"phone"}"#, "phone is connected already; disconnect it first"),
        (r#"{"do":"ack","who":"phone"}"#, "phone acknowledges by itself (ack is \"auto\")"),
        (r#"{"do":"thaw","who":"phone"}"#, "phone is not frozen"),
        (r#"{"do":"heal","who":"phone"}"#, "the link of phone is not half-open"),
        (r#"{"do":"cancel_cut_when","who":"phone"}"#, "nothing waits to cut the link of phone"),
        (r#"{"do":"add_client","client":{"id":"phone"}}"#, "client.id: there is a client \"phone\" already"),
    ];
    for (command, error) in refusals {
        let before = history.playhead();
        let refused = history.command(Command::parse(command).unwrap()).unwrap_err();
        assert_eq!((refused.to_string().as_str(), history.playhead()), (error, before));
    }
    assert_eq!(history.switch(3).unwrap_err().to_string(), "there is no branch 3; there are 0 to 0");
}

#[test]
fn a_scenario_leaves_as_one_line_with_what_was_done() {
    let mut history = home();
    history.run_until(2_000_000);
    tell(&mut history, r#"{"who":"kitchen","do":"publish","topic":"home/a","payload":"21","qos":1}"#);
    history.run_until(4_000_000);
    let alone = history.scenario_json(false);
    assert!(!alone.contains('\n') && !alone.contains("21"));
    assert_eq!(Scenario::parse(&alone).unwrap().to_json(&[]), alone);
    let mut again = History::new(Scenario::parse(&history.scenario_json(true)).unwrap());
    again.run_until(4_000_000);
    let line = |history: &History| text(history.log()).lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(line(&history), line(&again));
}

/// Two clients under one Client Identifier throw each other out for ever (3.1.4).
#[test]
fn two_clients_of_one_identifier_take_turns() {
    let scenario = r#"{"v":1,"clients":[
        {"id":"one","client_identifier":"sensor","reconnect_s":1},
        {"id":"two","client_identifier":"sensor","reconnect_s":1}],
        "script":[[0,{"do":"connect","who":"one"}],[1000000,{"do":"connect","who":"two"}]]}"#;
    let mut history = History::new(Scenario::parse(scenario).unwrap());
    history.run_until(10_000_000);
    let taken = r#"{"count":{"of":{"sent":{"from":"broker","packet":"DISCONNECT","reason":142}},"min":4}}"#;
    assert!(holds(&history, taken), "{}", text(history.log()));
}
