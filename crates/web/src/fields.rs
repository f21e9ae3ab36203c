//! Every field of a packet with its bytes, for people who look on: the codec's own decoder with a watcher.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use wasmqtt_broker::codec::{self, FieldValue, ProtocolVersion, Sender};

use crate::object::object;

/// All `fields` of a packet in the order of the wire, `{ name, section, from, to, bits, depth, value }` each, and
/// `error` with the rule that it breaks, `{ rule, statement, offset }`, if it breaks one.
#[wasm_bindgen]
pub fn describe(packet: &[u8], level: u8, from_client: bool) -> JsValue {
    let version = match level {
        3 => ProtocolVersion::V3_1,
        4 => ProtocolVersion::V3_1_1,
        _ => ProtocolVersion::V5,
    };
    let from = if from_client { Sender::Client } else { Sender::Server };
    let fields = Array::new();
    let read = codec::describe(packet, version, from, &mut |field| {
        let value = match field.value {
            FieldValue::Number(number) => number.into(),
            FieldValue::Flag(flag) => flag.into(),
            FieldValue::Text(text) => text.into(),
            FieldValue::Binary(bytes) => Uint8Array::from(bytes).into(),
            FieldValue::Reason(reason) => reason.name().into(),
            FieldValue::Packet(packet) => packet.name().into(),
            FieldValue::Group => JsValue::UNDEFINED,
        };
        let bits = field.bits.map(|(high, low)| Array::of2(&high.into(), &low.into()));
        fields.push(&object(&[
            ("name", field.name.into()),
            ("section", field.section.into()),
            ("from", field.bytes.start.into()),
            ("to", field.bytes.end.into()),
            ("bits", bits.map_or(JsValue::UNDEFINED, JsValue::from)),
            ("depth", field.depth.into()),
            ("value", value),
        ]));
    });
    let error = read.err().map(|error| {
        object(&[
            ("rule", error.rule.text().into()),
            ("statement", error.rule.statement(version).into()),
            ("offset", error.offset.into()),
        ])
    });
    object(&[("fields", fields.into()), ("error", error.map_or(JsValue::UNDEFINED, JsValue::from))]).into()
}
