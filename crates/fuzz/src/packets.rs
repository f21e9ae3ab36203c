//! Packets of clients, made from choices: put together by hand and not by our encoder, mostly well-formed, with few
//! topics and few identifiers, so that clients get in each other's way; and sometimes with a byte that is wrong.

use wasmqtt_codec::ProtocolVersion;

use crate::choices::Choices;

const TOPICS: [&str; 6] = ["a", "a/b", "a/b/c", "b", "$x/y", "/"];
const BAD_TOPICS: [&str; 4] = ["", "a/+", "$SYS/broker/uptime", "a/b/c/d/e"];
const FILTERS: [&str; 12] =
    ["a", "a/b", "a/+", "#", "+/b/#", "a/#", "$share/s/a/#", "$share/t/+/b", "$x/#", "+", "/", "$SYS/#"];
const BAD_FILTERS: [&str; 5] = ["", "a/#/b", "$share/s", "$share/+/a", "$share//a"];
const CLIENTS: [&str; 3] = ["one", "two", "three"];
const ODD_CLIENTS: [&str; 3] = ["", "#", "one/two"];

/// The bytes of one packet, as yet without its fixed header.
#[derive(Default)]
struct Body(Vec<u8>);

impl Body {
    fn u8(&mut self, byte: u8) {
        self.0.push(byte);
    }

    fn u16(&mut self, number: u16) {
        self.0.extend(number.to_be_bytes());
    }

    fn binary(&mut self, bytes: &[u8]) {
        self.u16(bytes.len() as u16);
        self.0.extend_from_slice(bytes);
    }

    fn length(&mut self, mut length: usize) {
        while length >= 0x80 {
            self.u8(length as u8 | 0x80);
            length >>= 7;
        }
        self.u8(length as u8);
    }

    fn properties(&mut self, version: ProtocolVersion, properties: Body) {
        if version.is_v5() {
            self.length(properties.0.len());
            self.0.extend(properties.0);
        }
    }

    fn packet(self, first: u8) -> Vec<u8> {
        let mut packet = Body(vec![first]);
        packet.length(self.0.len());
        packet.0.extend(self.0);
        packet.0
    }
}

/// The version that a new client speaks.
pub fn version(choices: &mut Choices<'_>) -> ProtocolVersion {
    choices.of(&[ProtocolVersion::V5, ProtocolVersion::V3_1_1, ProtocolVersion::V3_1])
}

/// A CONNECT; with an Authentication Method if `method` says so.
pub fn connect(choices: &mut Choices<'_>, version: ProtocolVersion, method: bool) -> Vec<u8> {
    let mut body = Body::default();
    let (name, level): (&str, u8) = match version {
        ProtocolVersion::V3_1 => ("MQIsdp", 3),
        ProtocolVersion::V3_1_1 => ("MQTT", 4),
        ProtocolVersion::V5 => ("MQTT", 5),
    };
    body.binary(name.as_bytes());
    body.u8(if choices.chance(5) && level < 5 { level | 0x80 } else { level });
    let will = choices.chance(40);
    let (will_qos, will_retain) = if will { (choices.below(3) as u8, choices.chance(30)) } else { (0, false) };
    let (user, password) = match choices.below(4) {
        0 => (true, true),
        1 => (true, false),
        2 => (false, version.is_v5() || choices.chance(3)),
        _ => (false, false),
    };
    let clean = choices.chance(40);
    let bits = [(password, 6), (user, 7), (will_retain, 5), (will, 2), (clean, 1)];
    body.u8(bits.iter().fold(will_qos << 3, |flags, (on, bit)| flags | u8::from(*on) << bit));
    body.u16(choices.of(&[0, 10, 100, 1, 65_535]));
    let mut properties = Body::default();
    if choices.chance(60) {
        properties.u8(0x11);
        properties.0.extend(choices.of(&[0_u32, 20, u32::MAX, 1]).to_be_bytes());
    }
    optional_u16(choices, &mut properties, 0x21, &[1, 2, 100]);
    optional_u16(choices, &mut properties, 0x22, &[0, 2, 65_535]);
    if choices.chance(15) {
        properties.u8(0x27);
        properties.0.extend(choices.of(&[1_u32, 20, 60, 100_000]).to_be_bytes());
    }
    if method {
        properties.u8(0x15);
        properties.binary(b"method");
        properties.u8(0x16);
        properties.binary(&choices.bytes(8));
    }
    optional_byte(choices, &mut properties, 0x17);
    optional_byte(choices, &mut properties, 0x19);
    body.properties(version, properties);
    body.binary(choices.mostly(&CLIENTS, &ODD_CLIENTS).as_bytes());
    if will {
        let mut properties = message_properties(choices);
        if choices.chance(40) {
            properties.u8(0x18);
            properties.0.extend(choices.of(&[0_u32, 5, 30]).to_be_bytes());
        }
        body.properties(version, properties);
        body.binary(choices.mostly(&TOPICS, &BAD_TOPICS).as_bytes());
        body.binary(&choices.bytes(6));
    }
    if user {
        body.binary(choices.of(&["u", "%c", ""]).as_bytes());
    }
    if password {
        body.binary(&choices.bytes(6));
    }
    body.packet(0x10)
}

/// Anything that a client sends on its way, and seldom what it may not.
pub fn other(choices: &mut Choices<'_>, version: ProtocolVersion, method: bool) -> Vec<u8> {
    match choices.below(40) {
        0..22 => publish(choices, version),
        22..30 => subscribe(choices, version),
        30..33 => unsubscribe(choices, version),
        33 => {
            // One that nobody asked for.
            let first = choices.of(&[0x62, 0x40, 0x50, 0x70]);
            let identifier = identifier(choices);
            ack(choices, version, first, identifier)
        }
        34 => disconnect(choices, version),
        35..38 if method => auth(choices),
        35 if choices.chance(20) => match choices.below(3) {
            0 => auth(choices),
            1 => connect(choices, version, method),
            _ => Body(choices.bytes(20)).packet(choices.number() as u8),
        },
        _ => vec![0xC0, 0],
    }
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP.
pub fn ack(choices: &mut Choices<'_>, version: ProtocolVersion, first: u8, identifier: u16) -> Vec<u8> {
    let mut body = Body::default();
    body.u16(identifier);
    if version.is_v5() && choices.chance(30) {
        body.u8(choices.mostly(&[0x00, 0x00, 0x10], &[0x80, 0x87, 0x92]));
        if choices.chance(50) {
            body.properties(version, reason_properties(choices));
        }
    }
    body.packet(first)
}

fn identifier(choices: &mut Choices<'_>) -> u16 {
    choices.mostly(&[1, 2, 3, 4], &[0, 65_535])
}

fn publish(choices: &mut Choices<'_>, version: ProtocolVersion) -> Vec<u8> {
    let qos = choices.below(3) as u8;
    let first = 0x30 | qos << 1 | u8::from(choices.chance(30)) | u8::from(qos > 0 && choices.chance(20)) << 3;
    let mut body = Body::default();
    let mut properties = message_properties(choices);
    let alias = version.is_v5() && choices.chance(25);
    if alias {
        properties.u8(0x23);
        properties.u16(choices.mostly(&[1, 2], &[64, 65, 0]));
    }
    let topic = if alias && choices.chance(50) { "" } else { choices.mostly(&TOPICS, &BAD_TOPICS) };
    body.binary(topic.as_bytes());
    if qos > 0 {
        body.u16(identifier(choices));
    }
    body.properties(version, properties);
    let payload = choices.of(&[0, 3, 90, 5_000]);
    body.0.resize(body.0.len() + payload, b'p');
    body.packet(first)
}

fn message_properties(choices: &mut Choices<'_>) -> Body {
    let mut properties = Body::default();
    if choices.chance(25) {
        properties.u8(0x02);
        properties.0.extend(choices.of(&[0_u32, 1, 30]).to_be_bytes());
    }
    optional_byte(choices, &mut properties, 0x01);
    if choices.chance(10) {
        properties.u8(0x08);
        properties.binary(choices.mostly(&["a/answer"], &["", "+"]).as_bytes());
        properties.u8(0x09);
        properties.binary(&choices.bytes(5));
    }
    user_property(choices, &mut properties);
    properties
}

fn reason_properties(choices: &mut Choices<'_>) -> Body {
    let mut properties = Body::default();
    if choices.chance(40) {
        properties.u8(0x1F);
        properties.binary("why".as_bytes());
    }
    user_property(choices, &mut properties);
    properties
}

fn user_property(choices: &mut Choices<'_>, properties: &mut Body) {
    if choices.chance(15) {
        properties.u8(0x26);
        properties.binary(b"k");
        properties.binary(&vec![b'v'; choices.of(&[0, 1, 200])]);
    }
}

fn optional_u16(choices: &mut Choices<'_>, properties: &mut Body, id: u8, values: &[u16]) {
    if choices.chance(30) {
        properties.u8(id);
        properties.u16(choices.of(values));
    }
}

fn optional_byte(choices: &mut Choices<'_>, properties: &mut Body, id: u8) {
    if choices.chance(15) {
        properties.u8(id);
        properties.u8(choices.mostly(&[0, 1], &[2]));
    }
}

fn subscribe(choices: &mut Choices<'_>, version: ProtocolVersion) -> Vec<u8> {
    let mut body = Body::default();
    body.u16(identifier(choices));
    let mut properties = Body::default();
    if choices.chance(25) {
        properties.u8(0x0B);
        properties.length(choices.mostly(&[7, 200, 268_435_455], &[0]));
    }
    user_property(choices, &mut properties);
    body.properties(version, properties);
    for _ in 0..=choices.below(4) {
        let filter = choices.mostly(&FILTERS, &BAD_FILTERS);
        body.binary(filter.as_bytes());
        let flags = match (version.is_v5(), filter.starts_with("$share")) {
            (false, _) => choices.mostly(&[0], &[0x04]),
            (true, true) => choices.mostly(&[0, 0x08], &[0x04]),
            (true, false) => choices.mostly(&[0, 0, 0x04, 0x08, 0x10, 0x20, 0x2C], &[0x30, 0x40]),
        };
        let qos = choices.mostly(&[2, 1, 0], &[3]);
        body.u8(qos | flags);
    }
    body.packet(0x82)
}

fn unsubscribe(choices: &mut Choices<'_>, version: ProtocolVersion) -> Vec<u8> {
    let mut body = Body::default();
    body.u16(identifier(choices));
    let mut properties = Body::default();
    user_property(choices, &mut properties);
    body.properties(version, properties);
    for _ in 0..=choices.below(3) {
        body.binary(choices.mostly(&FILTERS, &BAD_FILTERS).as_bytes());
    }
    body.packet(0xA2)
}

fn disconnect(choices: &mut Choices<'_>, version: ProtocolVersion) -> Vec<u8> {
    let mut body = Body::default();
    if version.is_v5() && choices.chance(70) {
        body.u8(choices.mostly(&[0x00, 0x04, 0x81, 0x80], &[0x8B]));
        if choices.chance(50) {
            let mut properties = reason_properties(choices);
            if choices.chance(60) {
                properties.u8(0x11);
                properties.0.extend(choices.of(&[0_u32, 5, u32::MAX]).to_be_bytes());
            }
            body.properties(version, properties);
        }
    }
    body.packet(0xE0)
}

fn auth(choices: &mut Choices<'_>) -> Vec<u8> {
    let mut body = Body::default();
    if choices.chance(95) {
        body.u8(choices.mostly(&[0x18, 0x19], &[0x00]));
        let mut properties = Body::default();
        properties.u8(0x15);
        properties.binary(choices.mostly(&["method"], &["other"]).as_bytes());
        properties.u8(0x16);
        properties.binary(&choices.bytes(8));
        body.properties(ProtocolVersion::V5, properties);
    }
    body.packet(0xF0)
}

/// Makes a packet wrong, sometimes.
pub fn spoil(choices: &mut Choices<'_>, packet: &mut Vec<u8>) {
    if !choices.chance(2) {
        return;
    }
    let at = choices.below(packet.len().clamp(1, 64) as u32) as usize;
    match choices.below(3) {
        0 => packet[at] ^= 1 << choices.below(8),
        1 => packet.truncate(at.max(1)),
        _ => packet.insert(at, choices.number() as u8),
    }
}
