//! Decoding and encoding. The bytes are a packet as it might come, in any version and from either side.

use wasmqtt_codec::{FieldValue, Framing, Packet, ProtocolVersion, Sender, describe, frame};

const VERSIONS: [ProtocolVersion; 3] = [ProtocolVersion::V3_1, ProtocolVersion::V3_1_1, ProtocolVersion::V5];
const SENDERS: [Sender; 2] = [Sender::Client, Sender::Server];

/// Every version and side that these bytes may be of.
fn readings() -> impl Iterator<Item = (ProtocolVersion, Sender)> {
    VERSIONS.into_iter().flat_map(|version| SENDERS.into_iter().map(move |from| (version, from)))
}

/// Decoding never panics, agrees with `describe`, and `describe` covers each bit of a valid packet once.
pub fn decode(bytes: &[u8]) {
    let framed = frame(bytes, 0);
    if let Ok(Framing::Incomplete { needed }) = framed {
        assert!(needed > bytes.len(), "what is there is not needed");
    }
    for (version, from) in readings() {
        let decoded = Packet::decode(bytes, version, from);
        let mut covered = vec![0_u8; bytes.len()];
        let described = describe(bytes, version, from, &mut |field| {
            let bits = match field.bits {
                Some((high, low)) => (low..=high).fold(0, |bits, bit| bits | 1 << bit),
                None => 0xFF,
            };
            assert!(field.bytes.start <= field.bytes.end, "{field:?} ends before it begins");
            if field.value != FieldValue::Group {
                for seen in &mut covered[field.bytes.start as usize..field.bytes.end as usize] {
                    assert_eq!(*seen & bits, 0, "{field:?} covers a bit again");
                    *seen |= bits;
                }
            }
        });
        assert_eq!(described, decoded.map(drop), "describe disagrees with decode, {version:?} from {from:?}");
        if decoded.is_ok() {
            assert!(covered.iter().all(|bits| *bits == 0xFF), "describe leaves bits out, {version:?} from {from:?}");
            assert!(matches!(framed, Ok(Framing::Complete { total_bytes, .. }) if total_bytes == bytes.len()));
        }
    }
}

/// What decodes is written so that it decodes to the same.
pub fn encode(bytes: &[u8]) {
    for (version, from) in readings() {
        let Ok(packet) = Packet::decode(bytes, version, from) else { continue };
        let mut written = Vec::new();
        packet.encode(version, &mut written);
        assert_eq!(packet.encoded_bytes(version), written.len(), "{packet:?}");
        assert!(written.len() <= bytes.len(), "our form is never longer: {packet:?}");
        let again = Packet::decode(&written, version, from);
        assert_eq!(again, Ok(packet), "{version:?} from {from:?}");
        let mut third = Vec::new();
        packet.encode(version, &mut third);
        assert_eq!(third, written, "the shortest form is one");
    }
}
