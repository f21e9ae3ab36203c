//! UTF-8 Encoded String and Binary Data (sections 1.5.4 and 1.5.6): a length in two bytes, then the bytes.
//!
//! A string must be well-formed UTF-8 without U+0000. Control characters and non-characters are allowed:
//! the standard says only that a receiver may refuse them, and real devices send them. A byte order mark is
//! a character like any other and stays [5:MQTT-1.5.4-3] [311:MQTT-1.5.3-3].

use bytes::BufMut;

use crate::Rule;

/// The greatest length in bytes of a string or of Binary Data.
pub const BYTES_MAX: usize = 65_535;

/// The string in `bytes`, if it is what MQTT calls a UTF-8 Encoded String.
///
/// Encoded surrogates (U+D800 to U+DFFF) are not well-formed UTF-8, so they need no check of their own.
///
/// # Errors
///
/// [`Rule::Utf8IllFormed`] and [`Rule::Utf8Null`].
#[inline]
pub fn check_utf8(bytes: &[u8]) -> Result<&str, Rule> {
    locate_utf8(bytes).map_err(|(rule, _)| rule)
}

/// As [`check_utf8`], and on an error also the byte where it was seen.
#[inline]
pub(crate) fn locate_utf8(bytes: &[u8]) -> Result<&str, (Rule, usize)> {
    match core::str::from_utf8(bytes) {
        // [5:MQTT-1.5.4-1] [311:MQTT-1.5.3-1] Well-formed UTF-8.
        Err(error) => Err((Rule::Utf8IllFormed, error.valid_up_to())),
        // [5:MQTT-1.5.4-2] [311:MQTT-1.5.3-2] No U+0000.
        Ok(_) if contains(bytes, [0]) => Err((Rule::Utf8Null, position(bytes, 0))),
        Ok(string) => Ok(string),
    }
}

/// Whether one of `wanted` is among `bytes`. No early exit, so that the compiler compares many bytes at once.
#[inline]
pub(crate) fn contains<const N: usize>(bytes: &[u8], wanted: [u8; N]) -> bool {
    bytes.iter().fold(false, |found, byte| wanted.iter().fold(found, |found, wanted| found | (byte == wanted)))
}

/// Whether two byte strings are equal, eight bytes at a time: WebAssembly has no instruction for it, and its `memcmp`
/// looks at one byte after another.
#[inline]
#[must_use]
pub fn is_same(left: &[u8], right: &[u8]) -> bool {
    let ((left, left_rest), (right, right_rest)) = (left.as_chunks::<8>(), right.as_chunks::<8>());
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    left.len() == right.len()
        && left_rest.len() == right_rest.len()
        && left.iter().zip(right).all(|(left, right)| word(left) == word(right))
        && left_rest.iter().zip(right_rest).all(|(left, right)| left == right)
}

/// Where `wanted` is first seen in `bytes`.
#[cold]
pub(crate) fn position(bytes: &[u8], wanted: u8) -> usize {
    bytes.iter().position(|byte| *byte == wanted).unwrap_or(bytes.len())
}

/// The bytes behind the length at the start of `bytes`, and what follows them; `None` if they are not all there.
#[inline]
pub(crate) fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// Writes a string or Binary Data, its length first.
///
/// # Panics
///
/// If there are more than [`BYTES_MAX`] bytes: whoever makes a packet keeps to that.
#[inline]
pub(crate) fn encode(bytes: &[u8], out: &mut impl BufMut) {
    let length = u16::try_from(bytes.len()).expect("a string or Binary Data has at most 65,535 bytes");
    out.put_u16(length);
    out.put_slice(bytes);
}

/// How many bytes [`encode`] writes.
#[inline]
pub(crate) const fn encoded_bytes(bytes: &[u8]) -> usize {
    2 + bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [5:MQTT-1.5.4-1] [311:MQTT-1.5.3-1]
    #[test]
    fn ill_formed() {
        for bytes in [
            &b"\xC0\x80"[..],    // U+0000 in two bytes
            b"\xED\xA0\x80",     // U+D800
            b"\xED\xBF\xBF",     // U+DFFF
            b"\xF4\x90\x80\x80", // beyond U+10FFFF
            b"\xE2\x82",         // cut short
            b"abc\xFF",
            b"\x80",
        ] {
            assert_eq!(check_utf8(bytes), Err(Rule::Utf8IllFormed));
        }
        assert_eq!(locate_utf8(b"abc\xFF"), Err((Rule::Utf8IllFormed, 3)));
    }

    /// [5:MQTT-1.5.4-2] [311:MQTT-1.5.3-2]
    #[test]
    fn null() {
        assert_eq!(locate_utf8(b"a long enough string\0"), Err((Rule::Utf8Null, 20)));
        assert_eq!(check_utf8(b"\0"), Err(Rule::Utf8Null));
    }

    /// [5:MQTT-1.5.4-3] [311:MQTT-1.5.3-3]
    #[test]
    fn byte_order_mark_stays() {
        assert_eq!(check_utf8(b"\xEF\xBB\xBFa"), Ok("\u{FEFF}a"));
    }

    #[test]
    fn the_example_of_the_standard() {
        // Figure 1-2: "A" and U+2A6D4.
        assert_eq!(check_utf8(&[0x41, 0xF0, 0xAA, 0x9B, 0x94]), Ok("A\u{2A6D4}"));
        // Disallowed code points may be refused; we do not.
        assert_eq!(check_utf8(b"\x01\x7F\xEF\xBF\xBF"), Ok("\u{1}\u{7F}\u{FFFF}"));
    }
}
