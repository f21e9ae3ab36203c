//! Packets of the workloads, put together byte by byte: the load must not depend on the encoder that it measures. Only
//! what the workloads need, with Remaining Lengths of one or two bytes.

use std::num::NonZeroU16;

/// Bytes of each message's payload: the size of the tables in docs/performance.md.
pub const PAYLOAD_BYTES: usize = 64;

/// Which protocol the clients of a workload speak.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// MQTT 3.1.1.
    V311,
    /// MQTT 5.0.
    V5,
}

impl Version {
    /// An empty set of properties, where the version has them.
    fn no_properties(self) -> &'static [u8] {
        match self {
            Version::V311 => &[],
            Version::V5 => &[0],
        }
    }
}

/// CONNECT with a clean start and no Keep Alive.
pub fn connect(version: Version, client_identifier: &str) -> Vec<u8> {
    let level = if version == Version::V5 { 5 } else { 4 };
    let mut body = vec![0, 4, b'M', b'Q', b'T', b'T', level, 2, 0, 0];
    body.extend_from_slice(version.no_properties());
    string(client_identifier, &mut body);
    packet(0x10, &body)
}

/// SUBSCRIBE with one Topic Filter.
pub fn subscribe(version: Version, filter: &str, qos: u8) -> Vec<u8> {
    let mut body = vec![0, 1];
    body.extend_from_slice(version.no_properties());
    string(filter, &mut body);
    body.push(qos);
    packet(0x82, &body)
}

/// PUBLISH; `identifier` for QoS 1 and 2.
pub fn publish(version: Version, topic: &str, qos: u8, identifier: Option<NonZeroU16>) -> Vec<u8> {
    let mut body = Vec::new();
    string(topic, &mut body);
    if let Some(identifier) = identifier {
        body.extend_from_slice(&identifier.get().to_be_bytes());
    }
    body.extend_from_slice(version.no_properties());
    body.resize(body.len() + PAYLOAD_BYTES, b'x');
    packet(0x30 | qos << 1, &body)
}

/// PUBLISH of QoS 0 with RETAIN; an empty payload clears what is retained.
pub fn retained(version: Version, topic: &str, payload_bytes: usize) -> Vec<u8> {
    let mut body = Vec::new();
    string(topic, &mut body);
    body.extend_from_slice(version.no_properties());
    body.resize(body.len() + payload_bytes, b'x');
    packet(0x31, &body)
}

/// One of the four acknowledgements: PUBACK 0x40, PUBREC 0x50, PUBREL 0x62, PUBCOMP 0x70.
pub fn acknowledge(first: u8, identifier: [u8; 2], into: &mut Vec<u8>) {
    into.extend_from_slice(&[first, 2, identifier[0], identifier[1]]);
}

fn string(text: &str, into: &mut Vec<u8>) {
    let len = u16::try_from(text.len()).expect("topics of workloads are short");
    into.extend_from_slice(&len.to_be_bytes());
    into.extend_from_slice(text.as_bytes());
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first];
    match u8::try_from(body.len()) {
        Ok(len @ 0..=127) => packet.push(len),
        _ => packet.extend_from_slice(&[(body.len() % 128) as u8 | 0x80, (body.len() / 128) as u8]),
    }
    packet.extend_from_slice(body);
    packet
}

/// The packets in `bytes`, each with its first byte and its body. Ends at the first that is not whole.
pub fn packets(mut bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (first, low) = (*bytes.first()?, *bytes.get(1)?);
        let (len, at) = if low < 0x80 {
            (usize::from(low), 2)
        } else {
            (usize::from(low & 0x7F) + usize::from(*bytes.get(2)?) * 128, 3)
        };
        let body = bytes.get(at..at + len)?;
        bytes = &bytes[at + len..];
        Some((first, body))
    })
}

/// The Packet Identifier of a PUBLISH with QoS 1 or 2.
pub fn identifier_of(body: &[u8]) -> [u8; 2] {
    let topic_bytes = usize::from(u16::from_be_bytes([body[0], body[1]]));
    [body[2 + topic_bytes], body[3 + topic_bytes]]
}
