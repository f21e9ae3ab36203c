//! The packet vectors of `tests/vectors/*.hex`, each tried in every way that must hold for it.
//!
//! The bytes were written by hand from the standard. For each vector: it decodes to what it says; `describe`
//! agrees and covers each bit once; a valid packet is written again as it was; no shorter piece of it decodes;
//! cut anywhere, it is framed the same. And all vectors together leave out no rule, no packet, no property.

mod parse;
mod summary;

use std::collections::BTreeSet;

use parse::{Expected, Vector, vectors};
use summary::summary;
use wasmqtt_codec::{
    Connect, DecodeError, FieldValue, Framing, Packet, PacketType, PropertyHome, PropertyId, ProtocolVersion, Publish,
    Qos, ReasonCode, Rule, Sender, describe, frame,
};

fn decode(vector: &Vector) -> Result<Packet<'_>, DecodeError> {
    Packet::decode(&vector.bytes, vector.version, vector.from)
}

/// The vectors that are valid packets, with the packet.
fn valid(vectors: &[Vector]) -> impl Iterator<Item = (&Vector, Packet<'_>)> {
    vectors.iter().filter_map(|vector| Some((vector, decode(vector).ok()?)))
}

/// The version a packet is written in: that of a CONNECT is its own.
fn version_of(vector: &Vector, packet: &Packet<'_>) -> ProtocolVersion {
    match packet {
        Packet::Connect(connect) => connect.version,
        _ => vector.version,
    }
}

#[test]
fn decode_gives_what_the_vector_says() {
    let vectors = vectors();
    assert!(vectors.len() >= 250, "only {} vectors were found", vectors.len());
    let mut wrong = Vec::new();
    for vector in &vectors {
        let found = match decode(vector) {
            Ok(packet) => Expected::Packet(summary(&packet)),
            Err(error) => Expected::Error(format!("{:?} at {}", error.rule, error.offset)),
        };
        if found != vector.expected {
            wrong.push(format!("{}: expected {:?}, found {found:?}", vector.name, vector.expected));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn encode_gives_the_bytes_back() {
    for (vector, packet) in valid(&vectors()) {
        let wanted = vector.encode.as_ref().unwrap_or(&vector.bytes);
        let mut written = Vec::new();
        packet.encode(vector.version, &mut written);
        assert_eq!(&written, wanted, "{}", vector.name);
        assert_eq!(packet.encoded_bytes(vector.version), written.len(), "{}", vector.name);
        let again = Packet::decode(&written, vector.version, vector.from).expect(&vector.name);
        assert_eq!(again, packet, "{}", vector.name);
    }
}

#[test]
fn describe_agrees_with_decode() {
    for vector in &vectors() {
        let mut last = 0;
        let result = describe(&vector.bytes, vector.version, vector.from, &mut |field| {
            assert!(field.bytes.start <= field.bytes.end && field.bytes.end as usize <= vector.bytes.len());
            assert!(field.bytes.start >= last, "{}: {field:?} is out of order", vector.name);
            last = field.bytes.start;
        });
        assert_eq!(result, decode(vector).map(drop), "{}", vector.name);
    }
}

#[test]
fn describe_covers_each_bit_once() {
    for (vector, _) in valid(&vectors()) {
        let mut covered = vec![0_u8; vector.bytes.len()];
        describe(&vector.bytes, vector.version, vector.from, &mut |field| {
            let bits = match field.bits {
                Some((high, low)) => (low..=high).fold(0, |bits, bit| bits | 1 << bit),
                None => 0xFF,
            };
            if field.value != FieldValue::Group {
                for at in field.bytes.start..field.bytes.end {
                    let seen = &mut covered[at as usize];
                    assert_eq!(*seen & bits, 0, "{}: {field:?} covers byte {at} again", vector.name);
                    *seen |= bits;
                }
            }
        })
        .expect(&vector.name);
        assert!(covered.iter().all(|bits| *bits == 0xFF), "{}: {covered:02x?}", vector.name);
    }
}

/// Each field is inside the groups that are open at its depth, and groups end at their last field.
#[test]
fn describe_makes_a_tree() {
    for (vector, packet) in valid(&vectors()) {
        let mut open: Vec<std::ops::Range<u32>> = Vec::new();
        let standard = if version_of(vector, &packet).is_v5() { "5:" } else { "311:" };
        describe(&vector.bytes, vector.version, vector.from, &mut |field| {
            assert!(usize::from(field.depth) <= open.len(), "{}: {field:?} is too deep", vector.name);
            for closed in open.drain(usize::from(field.depth)..) {
                assert!(field.bytes.end > closed.end, "{}: {field:?} belongs to {closed:?}", vector.name);
            }
            if let Some(group) = open.last() {
                assert!(group.start <= field.bytes.start && field.bytes.end <= group.end, "{}: {field:?}", vector.name);
            }
            if field.value == FieldValue::Group {
                open.push(field.bytes.clone());
            }
            assert!(field.section.starts_with(standard), "{}: {field:?}", vector.name);
            assert!(!field.section.contains("MQTT"), "{}: a section, not a statement: {field:?}", vector.name);
        })
        .expect(&vector.name);
    }
}

#[test]
fn nothing_shorter_decodes() {
    for (vector, packet) in valid(&vectors()) {
        for cut in 0..vector.bytes.len() {
            let piece = &vector.bytes[..cut];
            assert!(Packet::decode(piece, vector.version, vector.from).is_err(), "{} cut at {cut}", vector.name);
            assert!(describe(piece, vector.version, vector.from, &mut |_| ()).is_err());
            match frame(piece, 0) {
                Ok(Framing::Incomplete { needed }) => {
                    assert!(cut < needed && needed <= vector.bytes.len(), "{} cut at {cut}", vector.name);
                }
                other => panic!("{} cut at {cut}: {other:?}", vector.name),
            }
            // The same with a Remaining Length that fits, so that the cut goes through a field.
            if vector.bytes.len() < 128 && cut >= 2 && vector.encode.is_none() {
                let mut shorter = piece.to_vec();
                shorter[1] = cut as u8 - 2;
                if let Ok(other) = Packet::decode(&shorter, vector.version, vector.from) {
                    assert_ne!(other, packet, "{} cut at {cut}", vector.name);
                }
            }
        }
    }
}

/// All valid packets in one stream, given in pieces of every size, are the same packets.
#[test]
fn framing_does_not_depend_on_the_cuts() {
    let vectors = vectors();
    let frames: Vec<&[u8]> = valid(&vectors).map(|(vector, _)| vector.bytes.as_slice()).collect();
    let stream = frames.concat();
    for piece in (1..40).chain([stream.len()]) {
        let mut found = Vec::new();
        let (mut start, mut received) = (0, 0);
        while start < stream.len() {
            match frame(&stream[start..received], 0).expect("the stream is valid") {
                Framing::Complete { total_bytes, .. } => {
                    found.push(&stream[start..start + total_bytes]);
                    start += total_bytes;
                }
                Framing::Incomplete { needed } => {
                    assert!(needed > received - start, "what is there is not needed");
                    received = (received + piece).min(stream.len());
                }
            }
        }
        assert!(found == frames, "pieces of {piece} bytes");
    }
}

/// [5:MQTT-3.2.2-15]
#[test]
fn a_limit_is_kept_to_the_byte() {
    for (vector, _) in valid(&vectors()) {
        let length = vector.bytes.len() as u32;
        assert!(matches!(frame(&vector.bytes, length), Ok(Framing::Complete { .. })));
        let error = frame(&vector.bytes, length - 1).expect_err("one byte too many");
        assert_eq!((error.rule, error.reason()), (Rule::PacketTooLarge, ReasonCode::PacketTooLarge));
    }
}

#[test]
fn a_known_topic_changes_nothing() {
    for vector in vectors().iter().filter(|vector| vector.bytes[0] >> 4 == 3) {
        let plain = decode(vector).map(|packet| match packet {
            Packet::Publish(publish) => publish,
            other => panic!("{other:?}"),
        });
        let with = |known| Publish::decode_with(&vector.bytes, vector.version, vector.from, known);
        assert_eq!(with(None), plain, "{}", vector.name);
        assert_eq!(with(Some("something/else")), plain, "{}", vector.name);
        if let Ok(publish) = plain {
            let own = publish.topic.map_or("", |topic| topic.as_str());
            assert_eq!(with(Some(own)), plain, "{}", vector.name);
        }
    }
}

#[test]
fn the_version_of_a_connect_that_is_refused() {
    for vector in vectors().iter().filter(|vector| vector.bytes[0] >> 4 == 1) {
        let found = Connect::version_of(&vector.bytes);
        match decode(vector) {
            Ok(Packet::Connect(connect)) => assert_eq!(found, Some(connect.version), "{}", vector.name),
            Ok(other) => panic!("{other:?}"),
            Err(DecodeError { rule: Rule::ProtocolName | Rule::UnsupportedProtocolVersion, .. }) => {
                assert_eq!(found, None, "{}", vector.name);
            }
            Err(_) => assert!(found.is_some(), "{}", vector.name),
        }
    }
}

#[test]
fn no_rule_is_left_out() {
    let broken: BTreeSet<String> =
        vectors().iter().filter_map(|vector| Some(format!("{:?}", decode(vector).err()?.rule))).collect();
    // What a packet cannot break: `frame` knows the limit, and a length of two bytes cannot be too long.
    let elsewhere = [Rule::PacketTooLarge, Rule::TopicTooLong];
    for rule in Rule::ALL {
        let name = format!("{rule:?}");
        assert_eq!(broken.contains(&name), !elsewhere.contains(rule), "{name}");
        assert!(!rule.text().is_empty() && !rule.statement(ProtocolVersion::V5).is_empty());
    }
}

#[test]
fn no_packet_and_no_property_is_left_out() {
    let vectors = vectors();
    let mut packets = BTreeSet::new();
    let mut properties = BTreeSet::new();
    for (vector, packet) in valid(&vectors) {
        packets.insert((packet.packet_type(), version_of(vector, &packet)));
        for (home, list) in summary::property_lists(&packet) {
            properties.extend(list.iter().map(|property| (home as u8, property.id())));
        }
    }
    for bits in 1..=15 {
        let packet = PacketType::from_bits(bits).unwrap();
        assert!(packets.contains(&(packet, ProtocolVersion::V5)), "{packet}");
        let in_311 = packets.contains(&(packet, ProtocolVersion::V3_1_1));
        assert!(in_311 || matches!(packet, PacketType::Pingresp | PacketType::Auth), "{packet}");
    }
    let homes = (1..=15).filter_map(|bits| PropertyHome::of(PacketType::from_bits(bits).unwrap()));
    for home in homes.chain([PropertyHome::Will]) {
        for id in PropertyId::ALL.iter().filter(|id| id.allowed_in(home)) {
            assert!(properties.contains(&(home as u8, *id)), "{id:?} in {home:?}");
        }
    }
}

/// A seeded generator, xorshift64*: the same bytes in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize
    }
}

/// What must hold for any bytes at all.
fn check_any(bytes: &[u8], version: ProtocolVersion, from: Sender) -> bool {
    let _ = frame(bytes, 1 << 20);
    let _ = Connect::version_of(bytes);
    let decoded = Packet::decode(bytes, version, from);
    assert_eq!(describe(bytes, version, from, &mut |_| ()), decoded.map(drop));
    let Ok(packet) = decoded else {
        return false;
    };
    let mut written = Vec::new();
    packet.encode(version, &mut written);
    assert_eq!(packet.encoded_bytes(version), written.len());
    assert!(written.len() <= bytes.len(), "what we write is never longer: {bytes:02x?}");
    assert_eq!(Packet::decode(&written, version, from), Ok(packet), "{bytes:02x?}");
    true
}

#[test]
fn any_bytes_at_all() {
    let mut random = Random(0x5EED);
    let vectors = vectors();
    let mut valid = 0;
    for _ in 0..200_000 {
        let vector = &vectors[random.next() % vectors.len()];
        let mut bytes = vector.bytes.clone();
        for _ in 0..random.next() % 4 {
            let at = random.next() % bytes.len();
            match random.next() % 4 {
                0 => bytes[at] = random.next() as u8,
                1 => bytes[at] ^= 1 << (random.next() % 8),
                2 => bytes.insert(at, random.next() as u8),
                _ if bytes.len() > 2 => drop(bytes.remove(at)),
                _ => {}
            }
        }
        // Mostly with a length that fits, or nothing but the length would ever be wrong.
        if !random.next().is_multiple_of(8) && bytes.len() < 130 && bytes.len() > 1 {
            bytes[1] = bytes.len() as u8 - 2;
        }
        let version = [ProtocolVersion::V3_1, ProtocolVersion::V3_1_1, ProtocolVersion::V5][random.next() % 3];
        let from = [Sender::Client, Sender::Server][random.next() % 2];
        valid += usize::from(check_any(&bytes, version, from));
    }
    assert!(valid > 10_000, "only {valid} valid packets: the mutations are too wild to test anything");
    for _ in 0..100_000 {
        let bytes: Vec<u8> = (0..random.next() % 40).map(|_| random.next() as u8).collect();
        check_any(&bytes, ProtocolVersion::V5, Sender::Client);
    }
}

/// Properties and lists that nobody checked are walked without a panic.
#[test]
fn lists_that_were_never_checked() {
    let mut random = Random(0x1157);
    for _ in 0..50_000 {
        let bytes: Vec<u8> = (0..random.next() % 30).map(|_| (random.next() % 48) as u8).collect();
        let properties = wasmqtt_codec::Properties::written(&bytes);
        let _ = (properties.iter().count(), properties.topic_alias(), properties.user_properties().count());
        let _ = wasmqtt_codec::Subscriptions::written(&bytes).len();
        let _ = wasmqtt_codec::Filters::written(&bytes).len();
    }
}

#[test]
fn small_values() {
    assert_eq!((0..=255).filter_map(Qos::from_bits).map(Qos::bits).collect::<Vec<_>>(), [0, 1, 2]);
    for bits in 0..=255 {
        let options = wasmqtt_codec::SubscriptionOptions::from_bits(bits);
        let valid = bits & 0xC0 == 0 && bits & 0x30 != 0x30 && bits & 0x03 != 0x03;
        assert_eq!(options.map(|options| options.bits()), valid.then_some(bits));
    }
}
