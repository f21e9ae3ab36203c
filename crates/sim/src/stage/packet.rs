//! What the log says of a packet, read from its bytes by the codec.

use std::rc::Rc;

use wasmqtt_codec::{Ack, ConnackCode, Packet, ProtocolVersion, Sender};

use super::entry::Sent;
use crate::sight::Seen;
use crate::world::faults::Toward;

/// How a direction is written.
#[must_use]
pub fn word(toward: Toward) -> &'static str {
    match toward {
        Toward::Broker => "broker",
        Toward::Client => "client",
    }
}

/// Who sends in a direction.
#[must_use]
pub fn sender(toward: Toward) -> Sender {
    match toward {
        Toward::Broker => Sender::Client,
        Toward::Client => Sender::Server,
    }
}

/// What is to be said of these bytes; `seen` is what the tap saw end in them, if a packet did.
#[must_use]
pub fn describe(bytes: &[u8], version: ProtocolVersion, toward: Toward, seen: Option<&Rc<Seen>>) -> Sent {
    let mut sent = Sent { bytes: bytes.to_vec(), level: version.level(), toward: word(toward), ..Sent::default() };
    sent.kind = seen.and_then(|seen| seen.packet_type()).map(|packet| packet.name());
    match Packet::decode(bytes, version, sender(toward)) {
        Ok(packet) => fill(&mut sent, &packet, seen, version),
        Err(error) => sent.error = Some(error.rule.text()),
    }
    sent
}

fn fill(sent: &mut Sent, packet: &Packet<'_>, seen: Option<&Rc<Seen>>, version: ProtocolVersion) {
    sent.kind = Some(packet.packet_type().name());
    match packet {
        Packet::Connect(connect) => {
            sent.level = connect.version.level();
            sent.clean_start = Some(connect.clean_start);
        }
        Packet::Connack(connack) => {
            sent.session_present = Some(connack.session_present);
            sent.reason = Some(match connack.reason {
                ConnackCode::Reason(reason) => reason.byte(),
                ConnackCode::Return(code) => code,
            });
        }
        Packet::Publish(publish) => {
            sent.id = publish.packet_identifier.map(wasmqtt_codec::PacketIdentifier::get);
            sent.topic = match seen.map(|seen| &**seen) {
                Some(Seen::Publish(seen)) => Some(seen.topic.clone()),
                _ => publish.topic.map(|topic| topic.as_str().into()),
            };
            sent.payload = Some(String::from_utf8_lossy(publish.payload).into_owned());
            sent.qos = Some(publish.qos.bits());
            sent.dup = Some(publish.dup);
            sent.retain = Some(publish.retain);
        }
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
            fill_ack(sent, ack, version);
        }
        Packet::Subscribe(subscribe) => {
            sent.id = Some(subscribe.packet_identifier.get());
            for entry in subscribe.filters.iter() {
                sent.filters.push(entry.filter.as_str().into());
                sent.codes.push(entry.options.qos.bits());
            }
        }
        Packet::Suback(ack) => {
            sent.id = Some(ack.packet_identifier.get());
            sent.codes = ack.codes.into();
        }
        Packet::Unsubscribe(packet) => {
            sent.id = Some(packet.packet_identifier.get());
            sent.filters = packet.filters.iter().map(|filter| filter.as_str().into()).collect();
        }
        Packet::Unsuback(ack) => {
            sent.id = Some(ack.packet_identifier.get());
            sent.codes = ack.codes.into();
        }
        Packet::Disconnect(disconnect) => sent.reason = version.is_v5().then(|| disconnect.reason.byte()),
        Packet::Auth(auth) => sent.reason = Some(auth.reason.byte()),
        Packet::Pingreq | Packet::Pingresp => {}
    }
}

fn fill_ack(sent: &mut Sent, ack: &Ack<'_>, version: ProtocolVersion) {
    sent.id = Some(ack.packet_identifier.get());
    sent.reason = version.is_v5().then(|| ack.reason.byte());
}
