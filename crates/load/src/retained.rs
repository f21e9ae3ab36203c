//! Retained Messages: one client stores them, another comes and reads them all. A PINGREQ behind each window of
//! messages says when they were taken; the reader makes sure that none is missing, doubled or changed.

use std::time::Instant;

use wasmqtt_codec::{PacketType, ProtocolVersion, Qos};

use crate::failure::{Failure, Outcome};
use crate::flow::{Round, Watch};
use crate::meter::Meter;
use crate::net::{Handler, Links, Net};
use crate::packet::{Incoming, PINGREQ, Template, numbers};
use crate::report::Retained;
use crate::setup::{append_filter, subscribe, unexpected};

/// Links of the two clients.
const WRITER: u32 = 0;
const READER: u32 = 1;

/// What is to be stored.
pub struct Work {
    /// How many messages, each with a topic of its own.
    pub messages: u64,
    /// Messages between two PINGREQ.
    pub window: u64,
    /// The PUBLISH with RETAIN 1.
    pub template: Template,
    /// Its topics.
    pub round: Round,
}

struct State {
    pongs: u64,
    granted: bool,
    seen: Vec<bool>,
    read: u64,
    /// What comes now is of no interest: the reader hears that messages are removed.
    is_over: bool,
}

/// Stores and reads; gives the number read and what both cost.
///
/// # Errors
/// If a message is missing, comes twice or changed, or nothing comes at all.
pub fn run(net: &mut Net, meter: &Meter, mut work: Work, filter: &str) -> Outcome<(u64, Retained)> {
    let mut state =
        State { pongs: 0, granted: false, seen: vec![false; work.messages as usize], read: 0, is_over: false };
    let before = meter.read(net, 0)?;
    store(net, &mut state, &mut work)?;
    let stored = meter.since(&before, &meter.read(net, work.messages)?);
    let before = meter.read(net, 0)?;
    let mut raw = Vec::new();
    append_filter(filter, Qos::AtMostOnce, &mut raw);
    net.links.append(READER, &subscribe(net.target().version, &raw));
    let begun = Instant::now();
    let mut watch = Watch::new(net.patience);
    while !state.granted || state.read < work.messages {
        net.flush(&mut state)?;
        net.turn(&mut state, watch.pause())?;
        let missing = work.messages - state.read;
        watch.check(Instant::now(), state.read, || format!("SUBACK or {missing} Retained Messages"))?;
    }
    let read_s = begun.elapsed().as_secs_f64();
    let read = meter.since(&before, &meter.read(net, state.read)?);
    // What came too much would come before this answer.
    wait_for_pong(net, &mut state, READER)?;
    forget(net, &mut state, &work)?;
    let wall_us = stored.seconds * 1e6 / work.messages as f64;
    let store_us = stored.broker.map_or(wall_us, |broker| broker.cpu_s_per_million);
    let retained = Retained { store_us, read_s, read_cpu_s: read.broker.map(|broker| broker.cpu_s) };
    Ok((state.read, retained))
}

fn store(net: &mut Net, state: &mut State, work: &mut Work) -> Outcome {
    let mut sequence = 0;
    while sequence < work.messages {
        let end = work.messages.min(sequence + work.window);
        for sequence in sequence..end {
            work.template.set_topic(work.round.at(sequence));
            net.links.append(WRITER, work.template.with(sequence));
        }
        sequence = end;
        wait_for_pong(net, state, WRITER)?;
    }
    Ok(())
}

/// Leaves the broker as it was: a Retained Message is removed by an empty one [5:MQTT-3.3.1-6].
fn forget(net: &mut Net, state: &mut State, work: &Work) -> Outcome {
    state.is_over = true;
    let version = net.target().version;
    for sequence in 0..work.messages {
        net.links.append(WRITER, &empty_retained(version, work.round.at(sequence)));
        if (sequence + 1) % work.window == 0 || sequence + 1 == work.messages {
            wait_for_pong(net, state, WRITER)?;
        }
    }
    Ok(())
}

fn empty_retained(version: ProtocolVersion, topic: &[u8]) -> Vec<u8> {
    let properties = usize::from(version == ProtocolVersion::V5);
    let remaining = 2 + topic.len() + properties;
    assert!(remaining < 128, "the topics of a load are short");
    let mut packet = vec![0x31, remaining as u8];
    packet.extend_from_slice(&(topic.len() as u16).to_be_bytes());
    packet.extend_from_slice(topic);
    packet.resize(packet.len() + properties, 0);
    packet
}

fn wait_for_pong(net: &mut Net, state: &mut State, link: u32) -> Outcome {
    net.links.append(link, &PINGREQ);
    let before = state.pongs;
    let mut watch = Watch::new(net.patience);
    while state.pongs == before {
        net.flush(state)?;
        net.turn(state, watch.pause())?;
        watch.check(Instant::now(), state.pongs, || format!("PINGRESP of client {link}"))?;
    }
    Ok(())
}

impl Handler for State {
    fn opened(&mut self, _links: &mut Links, link: u32) -> Outcome {
        unreachable!("link {link} was open before")
    }

    fn incoming(&mut self, _links: &mut Links, link: u32, packet: Incoming<'_>) -> Outcome {
        match packet {
            Incoming::Publish { .. } if self.is_over && link == READER => Ok(()),
            Incoming::Publish { retain: true, payload, .. } if link == READER => {
                let found =
                    numbers(payload).and_then(|(_, sequence)| Some((sequence, self.seen.get_mut(sequence as usize)?)));
                match found {
                    Some((_, seen)) if !*seen => {
                        *seen = true;
                        self.read += 1;
                        Ok(())
                    }
                    Some((sequence, _)) => Err(Failure::Delivery(format!("Retained Message {sequence} came twice"))),
                    None => Err(Failure::Delivery("a Retained Message that nobody sent".into())),
                }
            }
            Incoming::Other(PacketType::Pingresp, _) => {
                self.pongs += 1;
                Ok(())
            }
            Incoming::Other(PacketType::Suback, bytes) if link == READER => {
                self.granted = bytes.last().is_some_and(|&code| code < 0x80);
                if self.granted { Ok(()) } else { Err(Failure::Denied("all Retained Messages".into())) }
            }
            Incoming::Publish { .. } | Incoming::Acknowledged(..) | Incoming::Other(..) => {
                Err(unexpected(link, &packet))
            }
        }
    }
}
