//! Brings clients to where a scenario begins: transports open, CONNECT accepted, Subscriptions granted. Many at once,
//! but never more than a number, so that no listener's backlog overflows and bursts are the same for every broker.

use std::time::{Duration, Instant};

use wasmqtt_codec::{
    Connect, Packet, PacketIdentifier, PacketType, Properties, Qos, Sender, Subscribe, SubscribeEntry,
    SubscriptionOptions, Subscriptions, TopicFilter,
};

use crate::failure::{Failure, Outcome};
use crate::flow::Watch;
use crate::net::{Handler, Links, Net};
use crate::packet::Incoming;

/// Topic Filters of one SUBSCRIBE.
const FILTERS_A_PACKET: usize = 100;

/// Gives a client's Subscriptions: the client's number and the Subscription's; `None` after the last.
pub type Wishes<'a> = &'a mut dyn FnMut(u32, u32) -> Option<(String, Qos)>;

/// What was granted.
#[derive(Clone, Copy, Debug)]
pub struct Ready {
    /// QoS 1 and 2 messages that every client may have unacknowledged.
    pub receive_maximum: u16,
    /// How long it took from the first to the last.
    pub took: Duration,
    /// Subscriptions of all.
    pub subscriptions: u64,
}

/// Opens `clients` connections, `at_once` at a time, and subscribes for each.
///
/// # Errors
/// If the broker refuses anything, or nothing happens for too long.
pub fn connect(net: &mut Net, clients: u32, at_once: u32, wishes: Wishes<'_>) -> Outcome<Ready> {
    let first = net.links.len() as u32;
    let mut setup = Setup {
        version: net.target().version,
        first,
        progress: vec![Progress::default(); clients as usize],
        wishes,
        done: 0,
        receive_maximum: u16::MAX,
        subscriptions: 0,
    };
    let begun = Instant::now();
    let mut watch = Watch::new(net.patience);
    let mut opened = 0;
    while setup.done < clients {
        while opened < clients && opened < setup.done + at_once {
            net.open()?;
            opened += 1;
        }
        net.turn(&mut setup, watch.pause())?;
        net.flush(&mut setup)?;
        let progress = u64::from(setup.done) + setup.subscriptions;
        watch.check(Instant::now(), progress, || {
            let missing = opened - setup.done;
            format!("CONNACK or SUBACK of {missing} clients; {} of {clients} are ready", setup.done)
        })?;
    }
    let Setup { receive_maximum, subscriptions, .. } = setup;
    Ok(Ready { receive_maximum, took: begun.elapsed(), subscriptions })
}

#[derive(Clone, Default)]
struct Progress {
    /// Subscriptions asked for so far.
    asked: u32,
    /// Topic Filters of the SUBSCRIBE that is not answered yet.
    pending: Vec<String>,
}

struct Setup<'a> {
    version: wasmqtt_codec::ProtocolVersion,
    first: u32,
    progress: Vec<Progress>,
    wishes: Wishes<'a>,
    done: u32,
    receive_maximum: u16,
    subscriptions: u64,
}

impl Setup<'_> {
    fn subscribe_more(&mut self, links: &mut Links, link: u32) {
        let client = link - self.first;
        let progress = &mut self.progress[client as usize];
        let mut raw = Vec::new();
        progress.pending.clear();
        while progress.pending.len() < FILTERS_A_PACKET {
            let Some((filter, qos)) = (self.wishes)(client, progress.asked) else { break };
            append_filter(&filter, qos, &mut raw);
            progress.asked += 1;
            progress.pending.push(filter);
        }
        if raw.is_empty() {
            self.done += 1;
            return;
        }
        links.append(link, &subscribe(self.version, &raw));
    }
}

impl Handler for Setup<'_> {
    fn opened(&mut self, links: &mut Links, link: u32) -> Outcome {
        let identifier = format!("load-{}-{link}", std::process::id());
        links.append(link, &connect_packet(self.version, &identifier));
        Ok(())
    }

    fn incoming(&mut self, links: &mut Links, link: u32, packet: Incoming<'_>) -> Outcome {
        let Incoming::Other(packet_type, bytes) = packet else { return Err(unexpected(link, &packet)) };
        match (packet_type, Packet::decode(bytes, self.version, Sender::Server)) {
            (PacketType::Connack, Ok(Packet::Connack(connack))) => {
                if !connack.reason.is_accepted() {
                    let what = format!("client {link} got CONNACK with {:?}", connack.reason);
                    return Err(Failure::Refused(what));
                }
                let receive_maximum = connack.properties.receive_maximum().unwrap_or(u16::MAX);
                self.receive_maximum = self.receive_maximum.min(receive_maximum);
                self.subscribe_more(links, link);
                Ok(())
            }
            (PacketType::Suback, Ok(Packet::Suback(suback))) => {
                let progress = &self.progress[(link - self.first) as usize];
                if suback.codes.len() != progress.pending.len() {
                    let (codes, filters) = (suback.codes.len(), progress.pending.len());
                    let what = format!("client {link} got a SUBACK of {codes} codes for {filters} Topic Filters");
                    return Err(Failure::Protocol(what));
                }
                if let Some(at) = suback.codes.iter().position(|&code| code >= 0x80) {
                    let (filter, code) = (&progress.pending[at], suback.codes[at]);
                    return Err(Failure::Denied(format!("client {link}, {filter}: 0x{code:02X}")));
                }
                self.subscriptions += suback.codes.len() as u64;
                self.subscribe_more(links, link);
                Ok(())
            }
            (_, Err(error)) => Err(Failure::Protocol(format!("client {link}: {packet_type:?}: {error:?}"))),
            (_, Ok(_)) => Err(unexpected(link, &packet)),
        }
    }
}

/// A CONNECT without a wish: clean, no Keep Alive.
#[must_use]
pub fn connect_packet(version: wasmqtt_codec::ProtocolVersion, client_identifier: &str) -> Vec<u8> {
    let packet = Connect {
        version,
        bridge: false,
        clean_start: true,
        keep_alive_s: 0,
        client_identifier,
        will: None,
        user_name: None,
        password: None,
        properties: Properties::EMPTY,
    };
    let mut bytes = Vec::new();
    Packet::Connect(packet).encode(version, &mut bytes);
    bytes
}

/// Adds an entry of a SUBSCRIBE.
///
/// # Panics
/// If the Topic Filter is none: scenarios write their own.
pub fn append_filter(filter: &str, qos: Qos, raw: &mut Vec<u8>) {
    let filter = TopicFilter::parse(filter).expect("scenarios write valid Topic Filters");
    SubscribeEntry { filter, options: SubscriptionOptions { qos, ..SubscriptionOptions::default() } }.encode(raw);
}

/// A SUBSCRIBE with these entries.
#[must_use]
pub fn subscribe(version: wasmqtt_codec::ProtocolVersion, raw: &[u8]) -> Vec<u8> {
    let packet_identifier = PacketIdentifier::new(1).expect("1 is not 0");
    let packet = Subscribe { packet_identifier, properties: Properties::EMPTY, filters: Subscriptions::written(raw) };
    let mut bytes = Vec::new();
    Packet::Subscribe(packet).encode(version, &mut bytes);
    bytes
}

/// A packet that has no place where it came.
#[must_use]
pub fn unexpected(link: u32, packet: &Incoming<'_>) -> Failure {
    let what = match packet {
        Incoming::Publish { .. } => "a PUBLISH".into(),
        Incoming::Acknowledged(packet_type, identifier) => format!("{packet_type:?} of {identifier}"),
        Incoming::Other(packet_type, bytes) => format!("{packet_type:?} {:02x?}", &bytes[..bytes.len().min(16)]),
    };
    Failure::Protocol(format!("client {link} got {what}, which does not belong there"))
}
