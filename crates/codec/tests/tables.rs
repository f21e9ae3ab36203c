//! The tables of the standard, tried with every value: which Reason Code and which property goes where.
//!
//! The tables are typed here once more, from chapter 3, where the codec has them from chapter 2.

use wasmqtt_codec::{Packet, PropertyId, ProtocolVersion, Rule, Sender};

/// Tables 3-1, 3-4 to 3-11 and 2-6, tried with every byte.
#[test]
fn every_reason_code_in_every_packet() {
    let server = Sender::Server;
    let packets: [(&[u8], usize, &[u8]); 9] = [
        (
            &[0x20, 0x03, 0x00, 0x00, 0x00],
            3,
            &[
                0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99,
                0x9A, 0x9B, 0x9C, 0x9D, 0x9F,
            ],
        ),
        (&[0x40, 0x03, 0x00, 0x01, 0x00], 4, &[0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]),
        (&[0x50, 0x03, 0x00, 0x01, 0x00], 4, &[0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]),
        (&[0x62, 0x03, 0x00, 0x01, 0x00], 4, &[0x00, 0x92]),
        (&[0x70, 0x03, 0x00, 0x01, 0x00], 4, &[0x00, 0x92]),
        (
            &[0x90, 0x04, 0x00, 0x01, 0x00, 0x00],
            5,
            &[0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2],
        ),
        (&[0xB0, 0x04, 0x00, 0x01, 0x00, 0x00], 5, &[0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91]),
        (
            &[0xE0, 0x01, 0x00],
            2,
            &[
                0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95,
                0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2,
            ],
        ),
        // Re-authenticate is the client's to say: see the vectors.
        (&[0xF0, 0x06, 0x00, 0x04, 0x15, 0x00, 0x01, b'm'], 2, &[0x00, 0x18]),
    ];
    for (bytes, at, allowed) in packets {
        for code in 0..=255 {
            let mut bytes = bytes.to_vec();
            bytes[at] = code;
            let decoded = Packet::decode(&bytes, ProtocolVersion::V5, server);
            assert_eq!(decoded.is_ok(), allowed.contains(&code), "0x{code:02X} in {bytes:02x?}");
        }
    }
}

/// A property list's surroundings: who sends the packet, what stands before the list and after it, and which
/// properties the sections of that packet name.
type Home = (Sender, &'static [u8], &'static [u8], &'static [u8]);

const HOMES: [Home; 14] = [
    (
        Sender::Client,
        b"\x10\xFF\x00\x04MQTT\x05\x02\x00\x00",
        b"\x00\x00",
        &[0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, 0x26, 0x27],
    ),
    (
        Sender::Client,
        b"\x10\xFF\x00\x04MQTT\x05\x06\x00\x00\x00\x00\x00",
        b"\x00\x01w\x00\x00",
        &[0x01, 0x02, 0x03, 0x08, 0x09, 0x18, 0x26],
    ),
    (
        Sender::Server,
        b"\x20\xFF\x00\x00",
        b"",
        &[0x11, 0x12, 0x13, 0x15, 0x16, 0x1A, 0x1C, 0x1F, 0x21, 0x22, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2A],
    ),
    (Sender::Server, b"\x30\xFF\x00\x01t", b"", &[0x01, 0x02, 0x03, 0x08, 0x09, 0x0B, 0x23, 0x26]),
    (Sender::Client, b"\x40\xFF\x00\x01\x00", b"", &[0x1F, 0x26]),
    (Sender::Client, b"\x50\xFF\x00\x01\x00", b"", &[0x1F, 0x26]),
    (Sender::Client, b"\x62\xFF\x00\x01\x00", b"", &[0x1F, 0x26]),
    (Sender::Client, b"\x70\xFF\x00\x01\x00", b"", &[0x1F, 0x26]),
    (Sender::Client, b"\x82\xFF\x00\x01", b"\x00\x01a\x00", &[0x0B, 0x26]),
    (Sender::Server, b"\x90\xFF\x00\x01", b"\x00", &[0x1F, 0x26]),
    (Sender::Client, b"\xA2\xFF\x00\x01", b"\x00\x01a", &[0x26]),
    (Sender::Server, b"\xB0\xFF\x00\x01", b"\x00", &[0x1F, 0x26]),
    (Sender::Client, b"\xE0\xFF\x00", b"", &[0x11, 0x1C, 0x1F, 0x26]),
    (Sender::Server, b"\xF0\xFF\x18", b"", &[0x15, 0x16, 0x1F, 0x26]),
];

/// A valid value of each property, identifier first.
const SAMPLES: [&[u8]; 27] = [
    b"\x01\x01",
    b"\x02\x00\x00\x00\x00",
    b"\x03\x00\x01c",
    b"\x08\x00\x01r",
    b"\x09\x00\x00",
    b"\x0B\x01",
    b"\x11\x00\x00\x00\x00",
    b"\x12\x00\x01i",
    b"\x13\x00\x00",
    b"\x15\x00\x01m",
    b"\x16\x00\x00",
    b"\x17\x00",
    b"\x18\x00\x00\x00\x00",
    b"\x19\x00",
    b"\x1A\x00\x00",
    b"\x1C\x00\x00",
    b"\x1F\x00\x00",
    b"\x21\x00\x01",
    b"\x22\x00\x00",
    b"\x23\x00\x01",
    b"\x24\x00",
    b"\x25\x00",
    b"\x26\x00\x00\x00\x00",
    b"\x27\x00\x00\x00\x01",
    b"\x28\x00",
    b"\x29\x00",
    b"\x2A\x00",
];

/// The rule that a packet with this list breaks.
fn broken_by((from, before, after, _): Home, list: &[u8]) -> Option<Rule> {
    let mut bytes = [before, &[list.len() as u8], list, after].concat();
    bytes[1] = bytes.len() as u8 - 2;
    Packet::decode(&bytes, ProtocolVersion::V5, from).err().map(|error| error.rule)
}

#[test]
fn every_property_in_every_packet() {
    for home in HOMES {
        for sample in SAMPLES {
            let refused = broken_by(home, sample) == Some(Rule::PropertyNotAllowed);
            assert_eq!(refused, !home.3.contains(&sample[0]), "{sample:02x?} in {:02x?}", home.1);
        }
    }
}

/// "It is a Protocol Error to include ... more than once", but for User Property and a server's Subscription
/// Identifiers.
#[test]
fn every_property_twice() {
    for home in HOMES {
        for sample in SAMPLES.iter().filter(|sample| home.3.contains(&sample[0])) {
            let refused = broken_by(home, &[*sample, *sample].concat()) == Some(Rule::PropertyDuplicate);
            let may_repeat = sample[0] == 0x26 || (sample[0] == 0x0B && home.1[0] == 0x30);
            assert_eq!(refused, !may_repeat, "{sample:02x?} in {:02x?}", home.1);
        }
    }
}

#[test]
fn every_property_that_does_not_exist() {
    for byte in (0..=255).filter(|byte| SAMPLES.iter().all(|sample| sample[0] != *byte)) {
        assert_eq!(PropertyId::from_byte(byte), None);
        for home in HOMES {
            assert_eq!(broken_by(home, &[byte, 0x00]), Some(Rule::PropertyUnknown));
        }
    }
}
