//! What clients do that lie: packets that are malformed, out of order, impossible, or half. Each lie is bytes by hand;
//! a broker may answer with whatever the standard allows, as long as nobody else notices.

/// A lie.
#[derive(Clone, Copy, Debug)]
pub struct Lie {
    /// What it is called in reports.
    pub name: &'static str,
    /// Whether a valid CONNECT (3.1.1) goes before it.
    pub connects: bool,
    /// The bytes.
    pub bytes: &'static [u8],
    /// How often they are sent.
    pub times: usize,
}

const fn before_connect(name: &'static str, bytes: &'static [u8]) -> Lie {
    Lie { name, connects: false, bytes, times: 1 }
}

const fn connected(name: &'static str, bytes: &'static [u8], times: usize) -> Lie {
    Lie { name, connects: true, bytes, times }
}

/// All of them.
pub const LIES: [Lie; 22] = [
    before_connect("half a CONNECT", b"\x10\x20\x00\x04MQTT\x04"),
    before_connect("nothing at all", b""),
    before_connect("PUBLISH before CONNECT", b"\x30\x04\x00\x01ax"),
    before_connect("an HTTP request", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    before_connect("a protocol of another name", b"\x10\x0d\x00\x04MQTX\x04\x02\x00\x00\x00\x01a"),
    before_connect("a level that does not exist", b"\x10\x0d\x00\x04MQTT\x09\x02\x00\x00\x00\x01a"),
    before_connect("the reserved flag of CONNECT", b"\x10\x0d\x00\x04MQTT\x04\x03\x00\x00\x00\x01a"),
    before_connect("a Remaining Length of five bytes", b"\x10\xff\xff\xff\xff\x01"),
    before_connect("a CONNECT of 256 MiB that never comes", b"\x10\xff\xff\xff\x7f\x00\x04MQTT"),
    connected("CONNECT twice", b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01b", 1),
    connected("PUBLISH of QoS 3", b"\x36\x06\x00\x01a\x00\x01x", 1),
    connected("DUP at QoS 0", b"\x38\x04\x00\x01ax", 1),
    connected("PUBLISH to a wildcard", b"\x30\x04\x00\x01#x", 1),
    connected("a topic that is no UTF-8", b"\x30\x05\x00\x02\xff\xfex", 1),
    connected("Packet Identifier 0", b"\x32\x06\x00\x01a\x00\x00x", 1),
    connected("SUBSCRIBE to what is no filter", b"\x82\x0a\x00\x01\x00\x05a/#/b\x00", 1),
    connected("SUBSCRIBE to nothing", b"\x82\x02\x00\x01", 1),
    connected("acknowledgements of what was never sent", b"\x40\x02\x12\x34\x50\x02\x12\x34\x70\x02\x12\x34", 20),
    connected("PUBREL of what was never sent", b"\x62\x02\x43\x21", 20),
    // One message of QoS 2, sent again and again with DUP, and released twice.
    connected(
        "QoS 2 with DUP over and over",
        b"\x34\x06\x00\x01l\x00\x07x\x3c\x06\x00\x01l\x00\x07x\x62\x02\x00\x07\x62\x02\x00\x07",
        20,
    ),
    connected("QoS 2 never released", b"\x34\x06\x00\x01l\x00\x08x", 1),
    connected("a PUBLISH of 200 MiB that never comes", b"\x30\x80\x80\x80\x64\x00\x01ax", 1),
];

/// The bytes of a lie, told under this Client Identifier.
#[must_use]
pub fn told(lie: &Lie, client_identifier: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    if lie.connects {
        bytes = crate::setup::connect_packet(wasmqtt_codec::ProtocolVersion::V3_1_1, client_identifier);
    }
    for _ in 0..lie.times {
        bytes.extend_from_slice(lie.bytes);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmqtt_codec::{Framing, Packet, ProtocolVersion, Sender, frame};

    #[test]
    fn lies_have_the_length_they_claim() {
        // Whoever lies about the length says so.
        for lie in LIES.iter().filter(|lie| lie.connects && !lie.name.contains("never comes")) {
            let mut rest = lie.bytes;
            while !rest.is_empty() {
                let Ok(Framing::Complete { total_bytes, .. }) = frame(rest, 1 << 20) else {
                    panic!("{}: half a packet", lie.name)
                };
                rest = &rest[total_bytes..];
            }
        }
    }

    #[test]
    fn what_is_said_to_be_malformed_is() {
        let malformed = ["PUBLISH of QoS 3", "DUP at QoS 0", "Packet Identifier 0", "SUBSCRIBE to nothing"];
        for lie in LIES.iter().filter(|lie| malformed.contains(&lie.name)) {
            let decoded = Packet::decode(lie.bytes, ProtocolVersion::V3_1_1, Sender::Client);
            assert!(decoded.is_err(), "{}: {decoded:?}", lie.name);
        }
        assert_eq!(LIES.iter().filter(|lie| malformed.contains(&lie.name)).count(), malformed.len());
    }
}
