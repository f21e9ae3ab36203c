//! What a page has to bear: two hundred clients and ten thousand entries. The keyframes stay within their budget, from
//! everywhere the same log follows, and no step and no rewind takes longer than a person would feel.

use std::time::{Duration, Instant};

use wasmqtt_sim::stage::{Command, History, KEYFRAME_BYTES_MAX, Scenario, text};

fn tell(history: &mut History, command: &str) {
    let command = Command::parse(command).unwrap_or_else(|wrong| panic!("{wrong}"));
    history.command(command).unwrap_or_else(|error| panic!("{error}"));
}

/// Two hundred clients that publish and listen, until the log has ten thousand entries.
fn crowd() -> History {
    let client = |n: u32| {
        let link = format!(r#"{{"latency_ms":{},"jitter_ms":30}}"#, 20 + n % 7);
        format!(r#"{{"id":"c{n}","keep_alive_s":60,"session_expiry_s":600,"link":{link}}}"#)
    };
    let clients: Vec<String> = (0..200).map(client).collect();
    let scenario = format!(r#"{{"v":1,"seed":1,"clients":[{}]}}"#, clients.join(","));
    let mut history = History::new(Scenario::parse(&scenario).unwrap());
    for n in 0..200 {
        tell(&mut history, &format!(r#"{{"do":"connect","who":"c{n}"}}"#));
        let (room, qos) = (n % 40, n % 3);
        let subscribe = format!(r#"{{"do":"subscribe","who":"c{n}","filter":"room/{room}/+","qos":{qos}}}"#);
        tell(&mut history, &subscribe);
    }
    for n in 0_u32.. {
        if history.log().len() >= 10_000 {
            break;
        }
        let (who, room, qos) = (n * 7 % 200, n % 40, n % 3);
        let publish = format!(
            r#"{{"do":"publish","who":"c{who}","topic":"room/{room}/temperature","payload":"{n}","qos":{qos},
                "retain":true}}"#
        );
        history.run_until(1_000_000 + u64::from(n) * 40_000);
        tell(&mut history, &publish);
    }
    history
}

#[test]
fn two_hundred_clients_and_ten_thousand_entries_can_be_rewound() {
    let mut history = crowd();
    assert!(history.keyframe_bytes() <= KEYFRAME_BYTES_MAX);
    let of = history.playhead().of;
    let whole = text(history.log());
    for n in (0..of).step_by(1_111) {
        history.seek(Some(n)).unwrap();
        assert_eq!(history.playhead().of, of);
        assert_eq!(history.stage().sessions().clients.len(), 200);
    }
    history.seek(Some(of - 1)).unwrap();
    assert_eq!(text(history.log()), whole);
}

/// How long this thread has had a processor, so that what others do on the machine does not count; where the system
/// does not say so, how late it is.
fn worked(begun: Instant) -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let ns = stat.and_then(|stat| stat.split(' ').next()?.parse().ok());
    ns.map_or_else(|| begun.elapsed(), Duration::from_nanos)
}

/// How long each of many things takes: the mean and the longest.
fn times<T, R>(what: &str, over: impl Iterator<Item = T>, mut run: impl FnMut(T) -> R) -> Duration {
    let begun = Instant::now();
    let (mut sum, mut longest, mut count) = (Duration::ZERO, Duration::ZERO, 0);
    for item in over {
        let before = worked(begun);
        let _ = run(item);
        let took = worked(begun) - before;
        (sum, longest, count) = (sum + took, longest.max(took), count + 1);
    }
    println!("{what}: {:?} on average, {longest:?} at most ({count} times)", sum / count);
    longest
}

/// `cargo xtask bench stage` runs it optimised, and then the same in wasm.
#[test]
#[ignore = "it measures time"]
fn steps_and_rewinds_are_not_felt() {
    const STEP: Duration = Duration::from_millis(16);
    const REWIND: Duration = Duration::from_millis(50);
    let begun = Instant::now();
    let mut history = crowd();
    let of = history.playhead().of;
    println!("{of} entries in {:?}, keyframes {} KiB", worked(begun), history.keyframe_bytes() / 1_024);
    println!("a copy of the Stage is {} KiB by its own account", history.stage().bytes() / 1_024);
    assert!(history.keyframe_bytes() <= KEYFRAME_BYTES_MAX);
    let everywhere = times("rewind", (0..of).rev(), |n| history.seek(Some(n)).unwrap());
    assert!(everywhere <= REWIND);
    let anywhere = times("rewind to and fro", 0..2_000, |n| history.seek(Some(n * 7_919 % of)).unwrap());
    assert!(anywhere <= REWIND);
    history.seek(None).unwrap();
    assert!(times("step", 0..of, |_| history.step()) <= STEP);
    assert!(times("step back", 0..of, |_| history.step_back()) <= REWIND);
    history.seek(Some(of - 1)).unwrap();
    let views = times("views", 0..100, |_| (history.stage().sessions(), history.topics(), history.next()));
    assert!(views <= STEP);
    times("text", 0..10, |_| drop(text(history.log())));
}
