//! What one client can pile up in the real guest: the core must refuse before an allocation fails, for a guest that
//! runs out of memory loses every Session. The caps are small, so that the floods are short.

mod common;

use common::{BEGIN, CONNECT, guest};
use wasmqtt_broker::{Command, CommandId, Config, ConnectionId, Input, Limits, Output, Peer, Reply, Seed, Transport};
use wasmqtt_host::guest::{Beginning, GuestLimits};
use wasmqtt_host::virtual_guest::VirtualGuest;

const GUEST_BYTES: u64 = 64 << 20;
const CORE_BYTES: u64 = GUEST_BYTES / 4 * 3;
const CONN: ConnectionId = ConnectionId { slot: 0, generation: 0 };

/// Publishes with RETAIN, QoS 0, to as many topics as it takes; says how many were refused.
fn flood(messages: u32, topic: impl Fn(u32) -> String) -> u64 {
    let limits = Limits { memory_bytes_max: CORE_BYTES, ..Limits::default() };
    let config = Config { limits, sys_interval_s: 0, ..Config::default() };
    let cap = GuestLimits { memory_bytes_max: GUEST_BYTES, ..GuestLimits::default() };
    let mut driven = VirtualGuest::begin(&guest(), &config, Seed([7; 16]), cap, Beginning::Empty).unwrap();
    let peer = Peer { listener: 0, address: "test".into(), transport: Transport::Local, identity: None };
    let hello = vec![Input::Opened { conn: CONN, peer }, Input::Received { conn: CONN, bytes: CONNECT.into() }];
    driven.turn(BEGIN, hello).unwrap();
    for first in (0..messages).step_by(500) {
        let mut bytes = Vec::new();
        for number in first..first + 500 {
            let topic = topic(number);
            let remaining = topic.len() + 4;
            // PUBLISH, RETAIN 1, Remaining Length of two bytes.
            bytes.extend_from_slice(&[0x31, remaining as u8 | 0x80, (remaining >> 7) as u8]);
            bytes.extend_from_slice(&(topic.len() as u16).to_be_bytes());
            bytes.extend_from_slice(topic.as_bytes());
            // No properties, and a payload.
            bytes.extend_from_slice(b"\0x");
        }
        driven.turn(BEGIN, vec![Input::Received { conn: CONN, bytes: bytes.into() }]).expect("the guest lives on");
    }
    let count = Input::Command { id: CommandId(1), command: Command::Count };
    let outputs = driven.turn(BEGIN, vec![count]).unwrap().outputs;
    let counters = outputs.into_iter().find_map(|output| match output {
        Output::Reply { reply: Reply::Counters(counters), .. } => Some(counters),
        _ => None,
    });
    counters.expect("it was asked").retained_refused
}

#[test]
fn topics_of_a_hundred_levels_are_refused_before_the_memory_is_gone() {
    let topic = |number| (0..100).map(|level| format!("{:x}", number * 100 + level)).collect::<Vec<_>>().join("/");
    assert!(flood(6_000, topic) > 0);
}

#[test]
fn short_topics_are_refused_before_the_memory_is_gone() {
    let topic = |number| format!("{number:0130x}");
    assert!(flood(150_000, topic) > 0);
}
