//! What one peer sent, cut into packets again, with the place of everything that nobody but the receiver should read:
//! Application Messages, Wills, passwords and Authentication Data. `show` leaves these out and `mask` writes over them;
//! both ask here, so that they can't disagree about what is secret.

use std::iter;
use std::ops::Range;

use wasmqtt_broker::{Peer, Transport};
use wasmqtt_codec::{Connect, Field, FieldValue, Framing, ProtocolVersion, Sender, describe, frame};

/// Bytes of a fixed header at most.
const HEADER_BYTES_MAX: u64 = 5;

/// The bytes of one transport so far.
#[derive(Clone, Debug)]
pub struct Stream {
    version: ProtocolVersion,
    /// A client, or the remote of a bridge.
    from: Sender,
    /// What is no whole packet yet.
    partial: Vec<u8>,
    /// Where in the stream that begins.
    at: u64,
    /// A packet made no sense: what follows is nothing that a broker reads.
    lost: bool,
}

/// What a stream had in it.
#[derive(Debug)]
pub enum Piece {
    /// A whole packet and where in the stream it begins.
    Packet {
        /// Place in the stream.
        at: u64,
        /// Its version.
        version: ProtocolVersion,
        /// Who sent it.
        from: Sender,
        /// All of it.
        bytes: Vec<u8>,
    },
    /// From here on it is nothing that a broker reads.
    Nonsense {
        /// Place in the stream.
        at: u64,
    },
}

impl Default for Stream {
    fn default() -> Self {
        Stream { version: ProtocolVersion::V3_1_1, from: Sender::Client, partial: Vec::new(), at: 0, lost: false }
    }
}

impl Stream {
    /// The stream of a peer that has said nothing yet.
    pub fn of(peer: &Peer) -> Self {
        let from = match peer.transport {
            Transport::Tcp | Transport::WebSocket | Transport::Local => Sender::Client,
            Transport::Bridge(_) => Sender::Server,
        };
        Stream { from, ..Stream::default() }
    }

    /// Takes bytes that came; gives what is complete with them.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        if self.lost {
            self.at += bytes.len() as u64;
            return pieces;
        }
        self.partial.extend_from_slice(bytes);
        let mut from = 0;
        while !self.lost {
            let at = self.at + from as u64;
            match frame(&self.partial[from..], 0) {
                Ok(Framing::Incomplete { .. }) => break,
                Ok(Framing::Complete { total_bytes, .. }) => {
                    let bytes = self.partial[from..from + total_bytes].to_vec();
                    from += total_bytes;
                    self.version = version_of(&bytes).unwrap_or(self.version);
                    self.lost = describe(&bytes, self.version, self.from, &mut |_| {}).is_err();
                    pieces.push(Piece::Packet { at, version: self.version, from: self.from, bytes });
                    if self.lost {
                        pieces.push(Piece::Nonsense { at: self.at + from as u64 });
                    }
                }
                Err(_) => {
                    self.lost = true;
                    pieces.push(Piece::Nonsense { at });
                }
            }
        }
        if self.lost {
            from = self.partial.len();
        }
        self.at += from as u64;
        self.partial.drain(..from);
        pieces
    }

    /// Bytes of a packet that is not all there.
    pub fn partial_bytes(&self) -> usize {
        self.partial.len()
    }

    /// Where in the stream that packet's secrets may lie: all behind its fixed header.
    pub fn partial_secrets(&self) -> Range<u64> {
        let header = 1 + self.partial.iter().skip(1).take_while(|byte| **byte & 0x80 != 0).count() as u64 + 1;
        self.at + header.min(HEADER_BYTES_MAX)..u64::MAX
    }
}

/// The version that a packet tells: CONNECT names it, CONNACK has properties in 5.0 and none before.
fn version_of(bytes: &[u8]) -> Option<ProtocolVersion> {
    match bytes {
        [0x20, 2, ..] => Some(ProtocolVersion::V3_1_1),
        [0x20, ..] => Some(ProtocolVersion::V5),
        other => Connect::version_of(other),
    }
}

/// Where in the stream a piece has secrets.
pub fn secrets(piece: &Piece) -> Vec<Range<u64>> {
    match piece {
        // How its first bytes break the rules is all that there is to see.
        Piece::Nonsense { at } => iter::once(at + HEADER_BYTES_MAX..u64::MAX).collect(),
        Piece::Packet { at, version, from, bytes } => {
            let mut ranges = Vec::new();
            let well = describe(bytes, *version, *from, &mut |field| {
                if is_secret(&field) {
                    ranges.push(at + u64::from(field.bytes.start)..at + u64::from(field.bytes.end));
                }
            });
            if well.is_err() {
                // Nobody can say what its parts are.
                let header = match frame(bytes, 0) {
                    Ok(Framing::Complete { header_bytes, .. }) => u64::from(header_bytes),
                    Ok(Framing::Incomplete { .. }) | Err(_) => 0,
                };
                ranges = iter::once(at + header..u64::MAX).collect();
            }
            ranges
        }
    }
}

/// Whether nobody but the receiver should read this field: all that is Binary Data, except what ties a response to its
/// request.
pub fn is_secret(field: &Field<'_>) -> bool {
    matches!(field.value, FieldValue::Binary(_)) && field.name != "Correlation Data"
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CONNECT, 3.1.1: Client Identifier "c", Will Topic "w", Will Message "bye", User Name "u", Password "pass".
    const CONNECT: &[u8] = b"\x10\x1E\x00\x04MQTT\x04\xC6\x00\x3C\x00\x01c\x00\x01w\x00\x03bye\x00\x01u\x00\x04pass";
    /// PUBLISH, QoS 0, "t", "hello".
    const PUBLISH: &[u8] = b"\x30\x08\x00\x01thello";

    fn all(bytes: &[u8], cut: usize) -> Vec<Range<u64>> {
        let mut stream = Stream::default();
        let mut ranges = Vec::new();
        for part in [&bytes[..cut], &bytes[cut..]] {
            stream.feed(part).iter().for_each(|piece| ranges.extend(secrets(piece)));
        }
        ranges
    }

    #[test]
    fn secrets_are_found_however_the_stream_is_cut() {
        let bytes = [CONNECT, PUBLISH].concat();
        let texts = |ranges: Vec<Range<u64>>| -> Vec<Vec<u8>> {
            ranges.into_iter().map(|range| bytes[range.start as usize..range.end as usize].to_vec()).collect()
        };
        for cut in 0..bytes.len() {
            assert_eq!(texts(all(&bytes, cut)), [&b"bye"[..], b"pass", b"hello"], "cut at {cut}");
        }
    }

    /// What a remote sends to a bridge: CONNACK of 5.0, then PUBLISH, QoS 0, "t", no properties, "hello".
    #[test]
    fn the_remote_of_a_bridge_has_secrets_too() {
        let bytes = b"\x20\x03\x00\x00\x00\x30\x09\x00\x01t\x00hello";
        let transport = Transport::Bridge(wasmqtt_broker::BridgeId(1));
        let peer = Peer { listener: 0, address: String::new(), transport, identity: None };
        let pieces = Stream::of(&peer).feed(bytes);
        assert_eq!(
            pieces.iter().flat_map(secrets).map(|range| (range.start, range.end)).collect::<Vec<_>>(),
            [(11, 16)]
        );
    }

    #[test]
    fn what_makes_no_sense_is_secret_behind_its_header() {
        // A PUBLISH whose topic is longer than the packet.
        let bytes = b"\x30\x05\x00\x09abc\x30\x03\x00\x01t";
        assert_eq!(all(bytes, 3)[0], 2..u64::MAX);
        let mut stream = Stream::default();
        assert!(stream.feed(&PUBLISH[..6]).is_empty());
        assert_eq!((stream.partial_bytes(), stream.partial_secrets()), (6, 2..u64::MAX));
    }
}
