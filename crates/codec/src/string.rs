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

/// Eight bytes as a number, the first of them the lowest. WebAssembly compares byte by byte otherwise, each with a look
/// at the deadline of a loop.
#[inline(always)]
fn word(bytes: &[u8; 8]) -> u64 {
    u64::from_le_bytes(*bytes)
}

/// Marks with its highest bit each byte that is `wanted`. Up to the first one that is exact; if there is none, it is 0.
#[inline(always)]
fn marks(word: u64, wanted: u8) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    let difference = word ^ (ONES * u64::from(wanted));
    difference.wrapping_sub(ONES) & !difference & ONES << 7
}

/// Whether one of `wanted` is among `bytes`.
#[inline]
pub(crate) fn contains<const N: usize>(bytes: &[u8], wanted: [u8; N]) -> bool {
    let any = |bytes: &[u8; 8]| wanted.iter().fold(0, |any, wanted| any | marks(word(bytes), *wanted));
    match bytes.last_chunk() {
        // It overlaps the one before, which does no harm.
        Some(last) => bytes.as_chunks().0.iter().fold(any(last), |found, bytes| found | any(bytes)) != 0,
        None => bytes.iter().any(|byte| wanted.contains(byte)),
    }
}

/// Where `wanted` is first seen in `bytes`, looking at eight of them at a time.
#[inline]
#[must_use]
pub fn find(bytes: &[u8], wanted: u8) -> Option<usize> {
    let (words, rest) = bytes.as_chunks();
    for (at, bytes) in words.iter().enumerate() {
        let marks = marks(word(bytes), wanted);
        if marks != 0 {
            return Some(at * 8 + marks.trailing_zeros() as usize / 8);
        }
    }
    Some(bytes.len() - rest.len() + rest.iter().position(|byte| *byte == wanted)?)
}

/// Whether two byte strings are equal, eight bytes at a time.
#[inline(always)]
#[must_use]
pub fn is_same(left: &[u8], right: &[u8]) -> bool {
    let ((left, left_rest), (right, right_rest)) = (left.as_chunks(), right.as_chunks());
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

    /// Every place in texts of every length around the eight bytes of a word, with neighbours that differ in one bit or
    /// by a borrow from the byte before.
    #[test]
    fn a_byte_is_found_wherever_it_stands() {
        for wanted in [0, 1, b'/', 0x7F, 0x80, 0xFF] {
            for other in [wanted ^ 1, wanted ^ 0x80, wanted.wrapping_add(1), wanted.wrapping_sub(1), !wanted] {
                for len in 0..35 {
                    let text = &mut [other; 35][..len];
                    assert_eq!((find(text, wanted), contains(text, [wanted])), (None, false));
                    for at in (0..len).rev() {
                        text[at] = wanted;
                        assert_eq!(find(text, wanted), Some(at), "{text:x?}");
                        assert!(contains(text, [wanted]) && contains(text, [!other, wanted]), "{text:x?}");
                        let alone = &mut [other; 35][..len];
                        alone[at] = wanted;
                        assert_eq!(find(alone, wanted), Some(at), "{alone:x?}");
                        assert!(contains(alone, [wanted]), "{alone:x?}");
                    }
                }
            }
        }
    }
}
