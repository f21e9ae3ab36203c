//! Where does a packet end? The fixed header of a stream's next packet, and nothing more of it.
//!
//! TCP keeps bytes but not packets, so a receiver sees a stream cut anywhere. [`frame()`] looks at its start
//! and says how many bytes the next packet has, or how many to wait for. It refuses what must not be waited
//! for: a packet that is too large, a length that cannot be one. What is inside the packet is
//! [`Packet::decode`](crate::Packet::decode)'s business.

use crate::{DecodeError, PacketType, Rule, varint};

/// What the start of a stream holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    /// The packet is not there yet.
    Incomplete {
        /// How many bytes, from the start of the packet, must be there before asking again makes sense.
        /// While the fixed header is incomplete this is the next byte; after that it is the whole packet.
        needed: usize,
    },
    /// The packet is there.
    Complete {
        /// The bytes of the fixed header: 2 to 5.
        header_bytes: u8,
        /// The bytes of the whole packet, fixed header included. More may follow it.
        total_bytes: usize,
    },
}

/// Finds the end of the first packet in `bytes`, of which at most `max_bytes` bytes are allowed (0: no limit).
///
/// Packet type 15 is let through, since only the connection knows whether its version has AUTH.
///
/// # Errors
///
/// As soon as they can be seen: [`Rule::PacketTypeReserved`] for type 0, [`Rule::VariableByteIntegerTooLong`]
/// and [`Rule::VariableByteIntegerNotMinimal`] for the Remaining Length, [`Rule::PacketTooLarge`] for a packet
/// (section 2.1.4: fixed header included) larger than `max_bytes`.
#[inline]
pub fn frame(bytes: &[u8], max_bytes: u32) -> Result<Framing, DecodeError> {
    let Some((first, rest)) = bytes.split_first() else {
        return Ok(Framing::Incomplete { needed: 2 });
    };
    if PacketType::from_bits(first >> 4).is_none() {
        return Err(DecodeError { rule: Rule::PacketTypeReserved, offset: 0 });
    }
    // [5:MQTT-1.5.5-1] is checked with the length.
    let (remaining_length, length_bytes) = match varint::decode(rest) {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(Framing::Incomplete { needed: bytes.len() + 1 }),
        Err(rule) => return Err(DecodeError { rule, offset: 1 }),
    };
    let header_bytes = 1 + length_bytes;
    // At most 5 + 268,435,455: fits a `usize` of 32 bits.
    let total_bytes = header_bytes + remaining_length as usize;
    // [5:MQTT-3.2.2-15] [5:MQTT-3.1.2-24] Neither side sends more than the other's Maximum Packet Size.
    if max_bytes != 0 && total_bytes > max_bytes as usize {
        return Err(DecodeError { rule: Rule::PacketTooLarge, offset: 1 });
    }
    if bytes.len() < total_bytes {
        return Ok(Framing::Incomplete { needed: total_bytes });
    }
    Ok(Framing::Complete { header_bytes: header_bytes as u8, total_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(rule: Rule, offset: u32) -> Result<Framing, DecodeError> {
        Err(DecodeError { rule, offset })
    }

    #[test]
    fn grows_byte_by_byte() {
        let mut stream = [0; 300];
        stream[..3].copy_from_slice(&[0x30, 0x80, 0x01]); // 128 bytes follow
        assert_eq!(frame(&stream[..0], 0), Ok(Framing::Incomplete { needed: 2 }));
        assert_eq!(frame(&stream[..1], 0), Ok(Framing::Incomplete { needed: 2 }));
        assert_eq!(frame(&stream[..2], 0), Ok(Framing::Incomplete { needed: 3 }));
        assert_eq!(frame(&stream[..3], 0), Ok(Framing::Incomplete { needed: 131 }));
        assert_eq!(frame(&stream[..130], 0), Ok(Framing::Incomplete { needed: 131 }));
        for len in [131, 132, 300] {
            assert_eq!(frame(&stream[..len], 0), Ok(Framing::Complete { header_bytes: 3, total_bytes: 131 }));
        }
    }

    #[test]
    fn reserved_type() {
        assert_eq!(frame(&[0x00], 0), error(Rule::PacketTypeReserved, 0));
        assert_eq!(frame(&[0xF0, 0x00], 0), Ok(Framing::Complete { header_bytes: 2, total_bytes: 2 }));
    }

    /// [5:MQTT-1.5.5-1]
    #[test]
    fn bad_length() {
        assert_eq!(frame(&[0xC0, 0x80, 0x00], 0), error(Rule::VariableByteIntegerNotMinimal, 1));
        assert_eq!(frame(&[0xC0, 0xFF, 0xFF, 0xFF, 0xFF], 0), error(Rule::VariableByteIntegerTooLong, 1));
    }

    /// [5:MQTT-3.2.2-15]
    #[test]
    fn too_large_before_it_is_there() {
        assert_eq!(frame(&[0x30, 0x09], 10), error(Rule::PacketTooLarge, 1));
        assert_eq!(frame(&[0x30, 0x08], 10), Ok(Framing::Incomplete { needed: 10 }));
        assert_eq!(frame(&[0x30, 0xFF, 0xFF, 0xFF, 0x7F], 0), Ok(Framing::Incomplete { needed: 268_435_460 }));
    }
}
