//! Random scenarios and commands for the Stage, from a seed.

use wasmqtt_sim::luck::Luck;

/// A scenario of a few clients.
pub fn scenario(luck: &mut Luck, seed: u64) -> String {
    let mut clients = Vec::new();
    for n in 0..luck.between(2, 5) {
        let version = luck.of_these(&["3.1", "3.1.1", "5.0", "5.0"]);
        let expiry = luck.of_these(&[0, 5, 3_600]);
        let reconnect = luck.of_these(&["null", "1", "3"]);
        let ack = luck.of_these(&["auto", "auto", "manual"]);
        let clean = luck.chance(50);
        let keep_alive = luck.of_these(&[0, 2, 60]);
        let (latency, jitter) = (luck.of_these(&[0, 20, 200]), luck.of_these(&[0, 0, 150]));
        let rate = luck.of_these(&[0, 0, 500]);
        let maximum = luck.of_these(&[1, 65_535]);
        let will = match luck.chance(40) {
            true => {
                format!(r#"{{"topic":"a/will","payload":"{n} is gone","qos":1,"delay_s":{}}}"#, luck.of_these(&[0, 2]))
            }
            false => "null".into(),
        };
        clients.push(format!(
            r#"{{"id":"c{n}","version":"{version}","clean_start":{clean},"keep_alive_s":{keep_alive},"ack":"{ack}",
                "session_expiry_s":{expiry},"reconnect_s":{reconnect},"will":{will},"receive_maximum":{maximum},
                "link":{{"latency_ms":{latency},"jitter_ms":{jitter},"bytes_per_s":{rate}}}}}"#
        ));
    }
    let storage = luck.chance(70);
    let queue = luck.of_these(&[2, 10_000]);
    let clients = clients.join(",");
    format!(
        r#"{{"v":1,"seed":{seed},"broker":{{"storage":{storage},"queue_messages_max":{queue}}},"clients":[{clients}],
            "script":[[0,{{"do":"connect","who":"c0"}}],[1000,{{"do":"subscribe","who":"c0","filter":"a/#","qos":2}}],
                      [3000000,{{"do":"publish","who":"c1","topic":"a/x","payload":"script","qos":1}}]]}}"#
    )
}

/// A command that may make sense or not.
pub fn command(luck: &mut Luck) -> String {
    let who = format!("c{}", luck.below(6));
    let topic = luck.of_these(&["a", "a/b", "a/b/c", "b", "$d/e"]);
    let filter = luck.of_these(&["a/#", "+/b", "#", "$share/g/a/+", "b"]);
    let qos = luck.below(3);
    let toward = luck.of_these(&["broker", "client"]);
    let rest = match luck.below(24) {
        0..4 => r#""do":"connect""#.into(),
        4 => r#""do":"disconnect""#.into(),
        5..8 => format!(r#""do":"subscribe","filter":"{filter}","qos":{qos}"#),
        8 => format!(r#""do":"unsubscribe","filter":"{filter}""#),
        9..14 => {
            let retain = luck.chance(30);
            format!(r#""do":"publish","topic":"{topic}","payload":"{}","qos":{qos},"retain":{retain}"#, luck.below(100))
        }
        14 => r#""do":"ack""#.into(),
        15 => r#""do":"cut""#.into(),
        16 => format!(r#""do":"half_open","toward":"{toward}""#),
        17 => r#""do":"heal""#.into(),
        18 => {
            let packet = luck.of_these(&["PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "CONNACK"]);
            let at = luck.of_these(&["sent", "half_way", "delivered"]);
            format!(
                r#""do":"cut_when","packet":"{packet}","toward":"{toward}","nth":{},"at":"{at}""#,
                luck.between(1, 2)
            )
        }
        19 => r#""do":"freeze""#.into(),
        20 => r#""do":"thaw""#.into(),
        21 => {
            let storage = luck.chance(60);
            return format!(r#"{{"do":"restart","storage":{storage}}}"#);
        }
        22 => format!(r#""do":"raw","hex":"{}""#, luck.of_these(&["c000", "30", "ff00", "3003000161"])),
        _ => format!(r#""do":"link","latency_ms":{},"jitter_ms":{}"#, luck.below(300), luck.below(100)),
    };
    format!(r#"{{{rest},"who":"{who}"}}"#)
}
