//! For people who look on: a stream cut into packets.

use alloc::string::String;
use alloc::vec::Vec;

use crate::object::Returned;
use wasm_bindgen::prelude::*;
use wasmqtt_broker::codec::{self, Connect, Framing, PacketType, ProtocolVersion};

/// Follows one direction of one connection.
#[wasm_bindgen]
#[derive(Default)]
pub struct Packets {
    waiting: Vec<u8>,
    /// What can't be packets is not looked at any further.
    lost: bool,
}

#[wasm_bindgen]
impl Packets {
    /// A stream at its beginning.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Packets {
        Packets::default()
    }

    /// Takes the stream's next bytes and gives the packets that are complete now, as an array of `Uint8Array`.
    pub fn push(&mut self, bytes: &[u8]) -> Returned<js_sys::Array> {
        let packets = js_sys::Array::new();
        if self.lost {
            return Ok(packets);
        }
        self.waiting.extend_from_slice(bytes);
        let mut at = 0;
        loop {
            match codec::frame(&self.waiting[at..], 0) {
                Ok(Framing::Complete { total_bytes, .. }) => {
                    packets.push(&js_sys::Uint8Array::from(&self.waiting[at..at + total_bytes]));
                    at += total_bytes;
                }
                Ok(Framing::Incomplete { .. }) => break,
                Err(_) => {
                    self.lost = true;
                    break;
                }
            }
        }
        self.waiting.drain(..at);
        Ok(packets)
    }
}

/// The protocol level of a CONNECT (3, 4 or 5), `undefined` for every other packet.
#[wasm_bindgen]
pub fn level(packet: &[u8]) -> Option<u8> {
    Connect::version_of(packet).map(ProtocolVersion::level)
}

/// What a packet is called, `PUBLISH` say; empty for bytes that are none.
#[wasm_bindgen(js_name = packetName)]
pub fn packet_name(packet: &[u8]) -> String {
    packet
        .first()
        .and_then(|first| PacketType::from_bits(first >> 4))
        .map_or_else(String::new, |kind| kind.name().into())
}
