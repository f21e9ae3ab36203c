//! Putting packets into outboxes: everything that leaves but PUBLISH passes here, and so does the rule that Reason
//! Strings never make a packet too large or reach a client that doesn't want them.

use alloc::vec::Vec;
use wasmqtt_codec::{Disconnect, Packet, PacketType, Properties, Property, ReasonCode};

use crate::broker::Broker;
use crate::durable::What;
use crate::error::{Fault, Refusal};

impl Broker {
    /// Sends a packet now.
    pub(crate) fn send(&mut self, slot: u32, packet: &Packet<'_>) {
        let connection = self.connections[slot as usize].as_mut().expect("a slot that is kept is open");
        if connection.opening.is_some() {
            let mut bytes = Vec::new();
            packet.encode(connection.version, &mut bytes);
            return self.hold(slot, None, What::Other, bytes);
        }
        let version = connection.version;
        let len = packet.encoded_bytes(version);
        if len > connection.packet_bytes_max as usize {
            // What can't be left out and may not be sent ends the connection [5:MQTT-3.1.2-24].
            let doom = (connection.id, Fault::Refused(Refusal::AnswerTooLarge, version));
            return self.doomed.push(doom);
        }
        packet.encode(version, connection.outbox.room(len));
        connection.answer_bytes += len as u64;
        self.note_sent(slot, len);
    }

    /// Sends encoded bytes now.
    pub(crate) fn push_bytes(&mut self, slot: u32, bytes: &[u8]) {
        self.connection(slot).outbox.copy(bytes);
        self.note_sent(slot, bytes.len());
    }

    /// Counts what was put into an outbox and lists the connection for the driver.
    #[inline(always)]
    pub(crate) fn note_sent(&mut self, slot: u32, len: usize) {
        self.outbox_bytes += len as u64;
        self.counters.packets_sent += 1;
        self.turn_bytes = self.turn_bytes.saturating_add(len as u32);
        let (turn, limit) = (self.turn, u64::from(self.config.limits.outbox_bytes_max) * 2);
        let connection = self.connections[slot as usize].as_mut().expect("a slot that is kept is open");
        if connection.outbox.len() == len as u64 {
            connection.filled_in_turn = turn;
        }
        if !core::mem::replace(&mut connection.listed, true) {
            self.ready.push(connection.id);
        }
        // Answers can't be dropped as a message can: a client that asks and asks and doesn't read is closed. One that
        // takes its time over a large message is not.
        if connection.answer_bytes > limit && connection.owed_bytes() > limit && connection.session().is_some() {
            let fault = Fault::Refused(Refusal::SlowReader, connection.version);
            self.doomed.push((connection.id, fault));
        }
    }

    /// The properties that explain a failure in a packet whose other parts take `other_bytes`: a Reason String if the
    /// client wants one [5:MQTT-3.1.2-29] and it fits [5:MQTT-3.2.2-19] [5:MQTT-3.4.2-2] [5:MQTT-3.5.2-2]
    /// [5:MQTT-3.9.2-1] [5:MQTT-3.14.2-3]; never a User Property [5:MQTT-3.2.2-20] [5:MQTT-3.4.2-3] [5:MQTT-3.5.2-3]
    /// [5:MQTT-3.9.2-2] [5:MQTT-3.14.2-4]. PUBREL, PUBCOMP, UNSUBACK and AUTH have neither [5:MQTT-3.6.2-2]
    /// [5:MQTT-3.6.2-3] [5:MQTT-3.7.2-2] [5:MQTT-3.7.2-3] [5:MQTT-3.11.2-1] [5:MQTT-3.11.2-2] [5:MQTT-3.15.2-2]
    /// [5:MQTT-3.15.2-3].
    pub(crate) fn explain(&self, slot: u32, text: &str, always: bool, other_bytes: usize) -> Vec<u8> {
        // Property length of up to four bytes instead of none or one.
        const LENGTH_BYTES: usize = 4;
        let mut raw = Vec::new();
        let Some(connection) = &self.connections[slot as usize] else { return raw };
        let reason = Property::ReasonString(text);
        let fits = other_bytes + LENGTH_BYTES + reason.encoded_bytes() <= connection.packet_bytes_max as usize;
        if connection.version.is_v5() && (connection.wants_reasons || always) && fits && !text.is_empty() {
            reason.encode(&mut raw);
        }
        raw
    }

    /// Sends a DISCONNECT, to a 5.0 client that has its CONNACK [5:MQTT-3.14.0-1] and takes a packet of that size.
    pub(crate) fn send_disconnect(
        &mut self,
        slot: u32,
        reason: ReasonCode,
        text: &str,
        server_reference: Option<&str>,
    ) {
        let connection = self.connection(slot);
        if !connection.version.is_v5() || connection.session().is_none() || connection.opening.is_some() {
            return;
        }
        // Table 2-6 doesn't let every Reason Code into DISCONNECT [5:MQTT-3.14.2-1].
        let reason = match reason.allowed_in(PacketType::Disconnect) {
            true => reason,
            false => ReasonCode::UnspecifiedError,
        };
        // DISCONNECT may explain itself whatever Request Problem Information says [5:MQTT-3.1.2-29].
        let mut raw = self.explain(slot, text, true, 8);
        if let Some(reference) = server_reference {
            Property::ServerReference(reference).encode(&mut raw);
        }
        let packet = Packet::Disconnect(Disconnect { reason, properties: Properties::written(&raw) });
        let max = self.connection(slot).packet_bytes_max as usize;
        if packet.encoded_bytes(wasmqtt_codec::ProtocolVersion::V5) <= max {
            self.send(slot, &packet);
        }
    }
}
