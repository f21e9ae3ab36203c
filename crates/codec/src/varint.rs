//! The Variable Byte Integer (section 1.5.5): one to four bytes, seven bits in each, the lowest first.
//!
//! It carries Remaining Length, Property Length and Subscription Identifier. The highest bit of a byte says
//! that another follows. The same value could be written with needless zero bytes at its end; the standard
//! forbids that, so that equal packets have equal bytes.

use bytes::BufMut;

use crate::Rule;

/// The greatest value that four bytes can carry: 268,435,455.
pub const MAX: u32 = 0x0FFF_FFFF;

/// What the start of `bytes` holds: a value and how many bytes it took, or `None` if more bytes are needed.
///
/// # Errors
///
/// [`Rule::VariableByteIntegerTooLong`] when a fourth byte announces a fifth, and
/// [`Rule::VariableByteIntegerNotMinimal`] when the last of several bytes adds nothing.
#[inline(always)]
pub fn decode(bytes: &[u8]) -> Result<Option<(u32, usize)>, Rule> {
    // Most packets and nearly all property lists are shorter than 128 bytes: their length is one byte.
    match bytes {
        [] => Ok(None),
        [first, ..] if *first < 0x80 => Ok(Some((*first as u32, 1))),
        [..] => decode_long(bytes),
    }
}

/// As [`decode`], for integers of more than one byte.
fn decode_long(bytes: &[u8]) -> Result<Option<(u32, usize)>, Rule> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value |= u32::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            // [5:MQTT-1.5.5-1] The encoded value uses the minimum number of bytes.
            if *byte == 0 && index > 0 {
                return Err(Rule::VariableByteIntegerNotMinimal);
            }
            return Ok(Some((value, index + 1)));
        }
    }
    if bytes.len() >= 4 { Err(Rule::VariableByteIntegerTooLong) } else { Ok(None) }
}

/// How many bytes `value` takes: 1 to 4.
///
/// # Panics
///
/// If `value` is greater than [`MAX`].
pub const fn encoded_bytes(value: u32) -> usize {
    match value {
        0..=0x7F => 1,
        0x80..=0x3FFF => 2,
        0x4000..=0x1F_FFFF => 3,
        0x20_0000..=MAX => 4,
        _ => panic!("a Variable Byte Integer holds at most 268,435,455"),
    }
}

/// Writes `value` in as few bytes as it needs [5:MQTT-1.5.5-1].
///
/// # Panics
///
/// If `value` is greater than [`MAX`].
pub fn encode(mut value: u32, out: &mut impl BufMut) {
    assert!(value <= MAX, "a Variable Byte Integer holds at most 268,435,455");
    while value > 0x7F {
        out.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The borders of table 1-1 in the standard, with its bytes.
    const TABLE: [(u32, &[u8]); 8] = [
        (0, &[0x00]),
        (127, &[0x7F]),
        (128, &[0x80, 0x01]),
        (16_383, &[0xFF, 0x7F]),
        (16_384, &[0x80, 0x80, 0x01]),
        (2_097_151, &[0xFF, 0xFF, 0x7F]),
        (2_097_152, &[0x80, 0x80, 0x80, 0x01]),
        (268_435_455, &[0xFF, 0xFF, 0xFF, 0x7F]),
    ];

    #[test]
    fn borders_of_the_table() {
        for (value, bytes) in TABLE {
            assert_eq!(decode(bytes), Ok(Some((value, bytes.len()))));
            assert_eq!(encoded_bytes(value), bytes.len());
            let mut room = [0; 4];
            let mut out = &mut room[..];
            encode(value, &mut out);
            let left = out.len();
            assert_eq!(&room[..4 - left], bytes);
            for cut in 0..bytes.len() {
                assert_eq!(decode(&bytes[..cut]), Ok(None));
            }
        }
    }

    /// [5:MQTT-1.5.5-1]
    #[test]
    fn needless_bytes() {
        for bytes in [&[0x80, 0x00][..], &[0xFF, 0x00], &[0x80, 0x80, 0x00], &[0xFF, 0xFF, 0xFF, 0x00]] {
            assert_eq!(decode(bytes), Err(Rule::VariableByteIntegerNotMinimal));
        }
    }

    #[test]
    fn a_fifth_byte() {
        assert_eq!(decode(&[0x80, 0x80, 0x80, 0x80]), Err(Rule::VariableByteIntegerTooLong));
        assert_eq!(decode(&[0xFF, 0xFF, 0xFF, 0xFF, 0x01]), Err(Rule::VariableByteIntegerTooLong));
    }
}
