//! The few packets that a load is made of, as cheap as they can be: a PUBLISH is encoded once and only its Packet
//! Identifier, its sequence number and perhaps its Topic Name are written anew; what arrives is looked at in place.
//! Packets that are sent once a connection go through `wasmqtt-codec`.

use wasmqtt_codec::{PacketType, ProtocolVersion, Qos};

/// Bytes at the beginning of each payload: the publisher's number (4) and the message's sequence number (8).
pub const PAYLOAD_BYTES_MIN: usize = 12;

/// A PUBLISH whose changing parts have known places.
pub struct Template {
    bytes: Vec<u8>,
    topic_at: usize,
    topic_bytes: usize,
    identifier_at: Option<usize>,
    sequence_at: usize,
}

impl Template {
    /// A PUBLISH of this publisher.
    ///
    /// # Panics
    /// If `payload_bytes` is below [`PAYLOAD_BYTES_MIN`].
    #[must_use]
    pub fn new(
        version: ProtocolVersion,
        topic: &str,
        qos: Qos,
        retain: bool,
        publisher: u32,
        payload_bytes: usize,
    ) -> Self {
        assert!(payload_bytes >= PAYLOAD_BYTES_MIN, "a payload has room for its numbers");
        let with_identifier = qos != Qos::AtMostOnce;
        let properties = usize::from(version == ProtocolVersion::V5);
        let remaining = 2 + topic.len() + 2 * usize::from(with_identifier) + properties + payload_bytes;
        let mut bytes = vec![0x30 | (qos as u8) << 1 | u8::from(retain)];
        push_length(&mut bytes, remaining);
        bytes.extend_from_slice(&(topic.len() as u16).to_be_bytes());
        let topic_at = bytes.len();
        bytes.extend_from_slice(topic.as_bytes());
        let identifier_at = with_identifier.then_some(bytes.len());
        bytes.resize(bytes.len() + 2 * usize::from(with_identifier) + properties, 0);
        bytes.extend_from_slice(&publisher.to_be_bytes());
        let sequence_at = bytes.len();
        bytes.resize(sequence_at + payload_bytes - 4, b'.');
        Template { bytes, topic_at, topic_bytes: topic.len(), identifier_at, sequence_at }
    }

    /// Another Topic Name of the same length.
    pub fn set_topic(&mut self, topic: &[u8]) {
        self.bytes[self.topic_at..self.topic_at + self.topic_bytes].copy_from_slice(topic);
    }

    /// The packet with this sequence number; its Packet Identifier follows from it.
    pub fn with(&mut self, sequence: u64) -> &[u8] {
        self.bytes[self.sequence_at..self.sequence_at + 8].copy_from_slice(&sequence.to_be_bytes());
        if let Some(at) = self.identifier_at {
            self.bytes[at..at + 2].copy_from_slice(&identifier_of(sequence).to_be_bytes());
        }
        &self.bytes
    }
}

/// The Packet Identifier of a message: they go round, 1 to 65,535.
#[must_use]
pub fn identifier_of(sequence: u64) -> u16 {
    (sequence % 65_535) as u16 + 1
}

/// The two numbers at the beginning of a payload.
#[must_use]
pub fn numbers(payload: &[u8]) -> Option<(u32, u64)> {
    let (publisher, rest) = payload.split_first_chunk::<4>()?;
    let sequence = rest.first_chunk::<8>()?;
    Some((u32::from_be_bytes(*publisher), u64::from_be_bytes(*sequence)))
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP in its shortest form, which both versions share.
#[must_use]
pub fn acknowledgement(packet_type: PacketType, identifier: u16) -> [u8; 4] {
    let flags = if packet_type == PacketType::Pubrel { 2 } else { 0 };
    let [high, low] = identifier.to_be_bytes();
    [(packet_type as u8) << 4 | flags, 2, high, low]
}

/// PINGREQ.
pub const PINGREQ: [u8; 2] = [0xC0, 0];

/// DISCONNECT that says goodbye, which both versions share.
pub const DISCONNECT: [u8; 2] = [0xE0, 0];

/// A packet from the broker.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// PUBLISH.
    Publish {
        /// 0, 1 or 2.
        qos: u8,
        /// The RETAIN flag.
        retain: bool,
        /// 0 at QoS 0.
        identifier: u16,
        /// The Application Message.
        payload: &'a [u8],
    },
    /// PUBACK, PUBREC, PUBREL or PUBCOMP that brings good news.
    Acknowledged(PacketType, u16),
    /// Any other packet, whole.
    Other(PacketType, &'a [u8]),
}

/// What the first bytes of a stream are.
#[derive(Debug, PartialEq, Eq)]
pub enum Cut<'a> {
    /// A packet of this many bytes.
    Packet(Incoming<'a>, usize),
    /// Not a whole packet yet; it has this many bytes, if that is known.
    Partial(Option<usize>),
    /// No MQTT: why.
    Bad(&'static str),
}

/// Cuts the first packet off.
#[must_use]
pub fn cut(bytes: &[u8], version: ProtocolVersion) -> Cut<'_> {
    let Some((&first, _)) = bytes.split_first() else { return Cut::Partial(None) };
    let mut remaining = 0_usize;
    let mut header = 1;
    loop {
        let Some(&byte) = bytes.get(header) else { return Cut::Partial(None) };
        remaining |= usize::from(byte & 0x7F) << (7 * (header - 1));
        header += 1;
        if byte & 0x80 == 0 {
            break;
        }
        if header == 5 {
            return Cut::Bad("a Remaining Length of more than four bytes");
        }
    }
    let total = header + remaining;
    let Some(body) = bytes.get(header..total) else { return Cut::Partial(Some(total)) };
    let packet = match first >> 4 {
        3 => publish(first, body, version),
        4 => acknowledged(PacketType::Puback, body, &bytes[..total]),
        5 => acknowledged(PacketType::Pubrec, body, &bytes[..total]),
        6 => acknowledged(PacketType::Pubrel, body, &bytes[..total]),
        7 => acknowledged(PacketType::Pubcomp, body, &bytes[..total]),
        2 => Some(Incoming::Other(PacketType::Connack, &bytes[..total])),
        9 => Some(Incoming::Other(PacketType::Suback, &bytes[..total])),
        11 => Some(Incoming::Other(PacketType::Unsuback, &bytes[..total])),
        13 => Some(Incoming::Other(PacketType::Pingresp, &bytes[..total])),
        14 => Some(Incoming::Other(PacketType::Disconnect, &bytes[..total])),
        15 => Some(Incoming::Other(PacketType::Auth, &bytes[..total])),
        _ => return Cut::Bad("a packet type that no server sends"),
    };
    packet.map_or(Cut::Bad("a packet that ends too early"), |packet| Cut::Packet(packet, total))
}

fn publish(first: u8, body: &[u8], version: ProtocolVersion) -> Option<Incoming<'_>> {
    let qos = first >> 1 & 3;
    let topic_bytes = usize::from(u16::from_be_bytes(*body.first_chunk()?));
    let mut rest = body.get(2 + topic_bytes..)?;
    let mut identifier = 0;
    if qos > 0 {
        let (id, after) = rest.split_first_chunk()?;
        (identifier, rest) = (u16::from_be_bytes(*id), after);
    }
    if version == ProtocolVersion::V5 {
        let mut properties = 0_usize;
        for at in 0..4 {
            let (&byte, after) = rest.split_first()?;
            properties |= usize::from(byte & 0x7F) << (7 * at);
            rest = after;
            if byte & 0x80 == 0 {
                break;
            }
        }
        rest = rest.get(properties..)?;
    }
    Some(Incoming::Publish { qos, retain: first & 1 == 1, identifier, payload: rest })
}

/// Reason Codes from 0x80 on are bad news; what has none is good.
fn acknowledged<'a>(packet_type: PacketType, body: &'a [u8], whole: &'a [u8]) -> Option<Incoming<'a>> {
    let (identifier, rest) = body.split_first_chunk()?;
    Some(match rest.first() {
        Some(&code) if code >= 0x80 => Incoming::Other(packet_type, whole),
        _ => Incoming::Acknowledged(packet_type, u16::from_be_bytes(*identifier)),
    })
}

fn push_length(bytes: &mut Vec<u8>, mut length: usize) {
    while length > 0x7F {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    const V3: ProtocolVersion = ProtocolVersion::V3_1_1;
    const V5: ProtocolVersion = ProtocolVersion::V5;

    #[test]
    fn a_template_is_a_publish_with_its_numbers() {
        let mut template = Template::new(V3, "a/b", Qos::AtLeastOnce, false, 7, 14);
        let expected =
            [0x32, 21, 0, 3, b'a', b'/', b'b', 0x01, 0x03, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0x01, 0x02, b'.', b'.'];
        assert_eq!(template.with(0x102), expected);
        let mut template = Template::new(V5, "a", Qos::AtMostOnce, true, 1, 12);
        template.set_topic(b"z");
        assert_eq!(template.with(9), [0x31, 16, 0, 1, b'z', 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9]);
    }

    #[test]
    fn identifiers_go_round_without_0() {
        assert_eq!([0, 65_534, 65_535].map(identifier_of), [1, 65_535, 1]);
    }

    #[test]
    fn packets_are_cut_where_they_end() {
        let stream = [0x34, 6, 0, 1, b'a', 0x12, 0x34, b'x', 0x40];
        let packet = Incoming::Publish { qos: 2, retain: false, identifier: 0x1234, payload: b"x" };
        assert_eq!(cut(&stream, V3), Cut::Packet(packet, 8));
        assert_eq!(cut(&stream[..7], V3), Cut::Partial(Some(8)));
        assert_eq!(cut(&stream[..1], V3), Cut::Partial(None));
        assert_eq!(cut(&[0x40, 2, 0, 9], V3), Cut::Packet(Incoming::Acknowledged(PacketType::Puback, 9), 4));
        let refused = [0x40, 3, 0, 9, 0x97];
        assert_eq!(cut(&refused, V5), Cut::Packet(Incoming::Other(PacketType::Puback, &refused), 5));
        // A property (Message Expiry Interval) before the payload.
        let expiring = [0x30, 10, 0, 1, b'a', 5, 2, 0, 0, 0, 9, b'x'];
        let packet = Incoming::Publish { qos: 0, retain: false, identifier: 0, payload: b"x" };
        assert_eq!(cut(&expiring, V5), Cut::Packet(packet, 12));
    }

    #[test]
    fn what_is_no_mqtt_is_named() {
        assert_eq!(cut(&[0x30, 0xFF, 0xFF, 0xFF, 0xFF, 1], V3), Cut::Bad("a Remaining Length of more than four bytes"));
        assert_eq!(cut(&[0x10, 0], V3), Cut::Bad("a packet type that no server sends"));
        assert_eq!(cut(&[0x32, 3, 0, 1, b'a'], V3), Cut::Bad("a packet that ends too early"));
    }
}
