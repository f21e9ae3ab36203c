//! Every field of a packet with its bytes, for people who look on: the codec's own decoder with a watcher.

use serde::Serialize;
use wasm_bindgen::prelude::*;
use wasmqtt_broker::codec::{self, FieldValue, ProtocolVersion, Sender};

use crate::value::to_js;

/// One field of a packet.
#[derive(Serialize)]
struct Field {
    name: &'static str,
    section: &'static str,
    from: u32,
    to: u32,
    bits: Option<(u8, u8)>,
    depth: u8,
    value: Value,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value {
    Number(u32),
    Flag(bool),
    Text(String),
    Binary(bytes::Bytes),
    Group,
}

/// All fields of a packet in the order of the wire, and `error` with the rule that it breaks, if it breaks one.
#[wasm_bindgen]
pub fn describe(packet: &[u8], level: u8, from_client: bool) -> JsValue {
    #[derive(Serialize)]
    struct Described {
        fields: Vec<Field>,
        error: Option<Wrong>,
    }
    #[derive(Serialize)]
    struct Wrong {
        rule: &'static str,
        statement: &'static str,
        offset: u32,
    }
    let version = match level {
        3 => ProtocolVersion::V3_1,
        4 => ProtocolVersion::V3_1_1,
        _ => ProtocolVersion::V5,
    };
    let from = if from_client { Sender::Client } else { Sender::Server };
    let mut fields = Vec::new();
    let read = codec::describe(packet, version, from, &mut |field| {
        let value = match field.value {
            FieldValue::Number(number) => Value::Number(number),
            FieldValue::Flag(flag) => Value::Flag(flag),
            FieldValue::Text(text) => Value::Text(text.into()),
            FieldValue::Binary(bytes) => Value::Binary(bytes::Bytes::copy_from_slice(bytes)),
            FieldValue::Reason(reason) => Value::Text(reason.name().into()),
            FieldValue::Packet(packet) => Value::Text(packet.name().into()),
            FieldValue::Group => Value::Group,
        };
        let (bytes, bits) = (field.bytes, field.bits);
        let (name, section, depth) = (field.name, field.section, field.depth);
        fields.push(Field { name, section, from: bytes.start, to: bytes.end, bits, depth, value });
    });
    let error = read.err().map(|error| Wrong {
        rule: error.rule.text(),
        statement: error.rule.statement(version),
        offset: error.offset,
    });
    to_js(&Described { fields, error })
}
