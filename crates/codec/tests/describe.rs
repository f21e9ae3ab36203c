//! What `describe` shows of a few packets, field by field, written down by hand from the standard.
//!
//! That all fields are there and none overlap is checked over all vectors in `vectors/main.rs`; here the names,
//! the sections and the values are.

use wasmqtt_codec::{DecodeError, FieldValue, ProtocolVersion, Rule, Sender, describe};

/// One line for each field: where, how deep, its name, what it says, its section.
fn tree(bytes: &[u8], version: ProtocolVersion, from: Sender) -> (String, Result<(), DecodeError>) {
    let mut text = String::from("\n");
    let result = describe(bytes, version, from, &mut |field| {
        let place = match (field.bits, field.bytes) {
            (Some((high, low)), bytes) => format!("{}:{high}-{low}", bytes.start),
            (None, bytes) => format!("{}..{}", bytes.start, bytes.end),
        };
        let value = match field.value {
            FieldValue::Number(number) => format!(" {number}"),
            FieldValue::Flag(flag) => format!(" {flag}"),
            FieldValue::Text(text) => format!(" {text:?}"),
            FieldValue::Binary(bytes) => format!(" {bytes:02x?}"),
            FieldValue::Reason(reason) => format!(" {reason}"),
            FieldValue::Packet(packet) => format!(" {packet}"),
            FieldValue::Group => String::new(),
        };
        let indent = "  ".repeat(usize::from(field.depth));
        text += &format!("{place:>7} {indent}{}{value} ({})\n", field.name, field.section);
    });
    (text, result)
}

#[test]
fn publish_5() {
    let bytes = [
        0x33, 0x17, 0x00, 0x01, b't', 0x00, 0x0A, 0x0E, 0x01, 0x01, 0x03, 0x00, 0x00, 0x26, 0x00, 0x01, b'k', 0x00,
        0x02, b'v', b'w', 0x00, 0x00, 0xAB, 0xCD,
    ];
    // Were the Property Length 14, the first byte of the Payload would be a property, and there is no such one.
    let (_, result) = tree(&bytes, ProtocolVersion::V5, Sender::Client);
    assert_eq!(result, Err(DecodeError { rule: Rule::PropertyUnknown, offset: 21 }));

    let bytes = [
        0x33, 0x16, 0x00, 0x01, b't', 0x00, 0x0A, 0x0D, 0x01, 0x01, 0x03, 0x00, 0x00, 0x26, 0x00, 0x01, b'k', 0x00,
        0x02, b'v', b'w', 0xAB, 0xCD, 0x00,
    ];
    let (text, result) = tree(&bytes, ProtocolVersion::V5, Sender::Client);
    assert_eq!(result, Ok(()));
    assert_eq!(
        text,
        "
   0..2 Fixed Header (5:2.1.1)
  0:7-4   MQTT Control Packet type PUBLISH (5:2.1.2)
  0:3-3   DUP false (5:3.3.1.1)
  0:2-1   QoS 1 (5:3.3.1.2)
  0:0-0   RETAIN true (5:3.3.1.3)
   1..2   Remaining Length 22 (5:2.1.4)
  2..21 Variable Header (5:2.2)
   2..4   Length 1 (5:3.3.2.1)
   4..5   Topic Name \"t\" (5:3.3.2.1)
   5..7   Packet Identifier 10 (5:2.2.1)
   7..8   Property Length 13 (5:3.3.2.3.1)
  8..21   Properties (5:2.2.2)
  8..10     Payload Format Indicator (5:3.3.2.3.2)
   8..9       Property Identifier 1 (5:2.2.2.2)
  9..10       Payload Format Indicator true (5:3.3.2.3.2)
 10..13     Content Type (5:3.3.2.3.9)
 10..11       Property Identifier 3 (5:2.2.2.2)
 11..13       Length 0 (5:3.3.2.3.9)
 13..13       Content Type \"\" (5:3.3.2.3.9)
 13..21     User Property (5:3.3.2.3.7)
 13..14       Property Identifier 38 (5:2.2.2.2)
 14..16       Length 1 (5:1.5.7)
 16..17       Name \"k\" (5:1.5.7)
 17..19       Length 2 (5:1.5.7)
 19..21       Value \"vw\" (5:1.5.7)
 21..24 Payload (5:2.3)
 21..24   Application Message [ab, cd, 00] (5:3.3.3)
"
    );
}

#[test]
fn connect_311() {
    let bytes = [
        0x10, 0x11, 0x00, 0x04, b'M', b'Q', b'T', b'T', 0x04, 0x0E, 0x00, 0x3C, 0x00, 0x00, 0x00, 0x01, b'w', 0x00,
        0x00,
    ];
    // The version that is given does not matter: a CONNECT names its own.
    let (text, result) = tree(&bytes, ProtocolVersion::V5, Sender::Client);
    assert_eq!(result, Ok(()));
    assert_eq!(
        text,
        "
   0..2 Fixed header (311:2.2)
  0:7-4   MQTT Control Packet type CONNECT (311:2.2.1)
  0:3-0   Reserved 0 (311:2.2.2)
   1..2   Remaining Length 17 (311:2.2.3)
  2..12 Variable header (311:2.3)
   2..4   Length 4 (311:3.1.2.1)
   4..8   Protocol Name \"MQTT\" (311:3.1.2.1)
   8..9   Protocol Level 4 (311:3.1.2.2)
  9:7-7   User Name Flag false (311:3.1.2.8)
  9:6-6   Password Flag false (311:3.1.2.9)
  9:5-5   Will Retain false (311:3.1.2.7)
  9:4-3   Will QoS 1 (311:3.1.2.6)
  9:2-2   Will Flag true (311:3.1.2.5)
  9:1-1   Clean Session true (311:3.1.2.4)
  9:0-0   Reserved false (311:3.1.2.3)
 10..12   Keep Alive 60 (311:3.1.2.10)
 12..19 Payload (311:2.4)
 12..14   Length 0 (311:3.1.3.1)
 14..14   Client Identifier \"\" (311:3.1.3.1)
 14..16   Length 1 (311:3.1.3.2)
 16..17   Will Topic \"w\" (311:3.1.3.2)
 17..19   Length 0 (311:3.1.3.3)
 19..19   Will Message [] (311:3.1.3.3)
"
    );
}

#[test]
fn subscribe_5() {
    let bytes = [0x82, 0x0B, 0x00, 0x01, 0x00, 0x00, 0x01, b'a', 0x2D, 0x00, 0x01, b'#', 0x02];
    let (text, result) = tree(&bytes, ProtocolVersion::V5, Sender::Client);
    assert_eq!(result, Ok(()));
    assert_eq!(
        text,
        "
   0..2 Fixed Header (5:2.1.1)
  0:7-4   MQTT Control Packet type SUBSCRIBE (5:2.1.2)
  0:3-0   Reserved 2 (5:2.1.3)
   1..2   Remaining Length 11 (5:2.1.4)
   2..5 Variable Header (5:2.2)
   2..4   Packet Identifier 1 (5:2.2.1)
   4..5   Property Length 0 (5:3.8.2.1.1)
  5..13 Payload (5:2.3)
   5..9   Subscription (5:3.8.3)
   5..7     Length 1 (5:3.8.3)
   7..8     Topic Filter \"a\" (5:3.8.3)
  8:7-6     Reserved 0 (5:3.8.3.1)
  8:5-4     Retain Handling 2 (5:3.8.3.1)
  8:3-3     Retain As Published true (5:3.8.3.1)
  8:2-2     No Local true (5:3.8.3.1)
  8:1-0     Maximum QoS 1 (5:3.8.3.1)
  9..13   Subscription (5:3.8.3)
  9..11     Length 1 (5:3.8.3)
 11..12     Topic Filter \"#\" (5:3.8.3)
 12:7-6     Reserved 0 (5:3.8.3.1)
 12:5-4     Retain Handling 0 (5:3.8.3.1)
 12:3-3     Retain As Published false (5:3.8.3.1)
 12:2-2     No Local false (5:3.8.3.1)
 12:1-0     Maximum QoS 2 (5:3.8.3.1)
"
    );
}

/// What was read before the error is shown, and so is the value that is wrong.
#[test]
fn up_to_an_error() {
    let bytes = [0xE0, 0x02, 0x86, 0x00];
    let (text, result) = tree(&bytes, ProtocolVersion::V5, Sender::Server);
    assert_eq!(result, Err(DecodeError { rule: Rule::DisconnectReason, offset: 2 }));
    assert_eq!(
        text,
        "
   0..2 Fixed Header (5:2.1.1)
  0:7-4   MQTT Control Packet type DISCONNECT (5:2.1.2)
  0:3-0   Reserved 0 (5:2.1.3)
   1..2   Remaining Length 2 (5:2.1.4)
   2..4 Variable Header (5:2.2)
   2..3   Disconnect Reason Code 0x86 Bad User Name or Password (5:3.14.2.1)
"
    );
}
