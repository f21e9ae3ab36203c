//! Levels of a topic, kept in the node that bears their name: a match looks at many nodes once each, and every string
//! that lies elsewhere would be one more wait for memory, and one more allocation to keep.

use alloc::boxed::Box;
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wasmqtt_codec::string::{self, is_same};

/// The levels of a Topic Name or Topic Filter, as bytes: `str::split` is made for long texts and costs several times as
/// much for short ones.
#[inline]
pub(crate) fn levels(path: &str) -> impl Iterator<Item = &[u8]> {
    let mut left = Some(path.as_bytes());
    core::iter::from_fn(move || {
        let text = left?;
        let (level, rest) = text.split_at(level_bytes(text));
        left = rest.split_first().map(|(_, rest)| rest);
        Some(level)
    })
}

/// Bytes of the first level.
#[inline]
pub(crate) fn level_bytes(text: &[u8]) -> usize {
    string::find(text, b'/').unwrap_or(text.len())
}

/// Whether a Topic Name or Topic Filter has more levels than this.
pub(crate) fn has_more_levels(path: &str, max: u16) -> bool {
    // Few are as long as that, and looking for separators takes a while.
    path.len() >= usize::from(max) && levels(path).count() > usize::from(max)
}

/// A level or several. Up to `SHORT_BYTES`, at most 255, need no memory of their own: what a node's layout leaves room
/// for.
#[derive(Clone)]
pub(crate) enum Text<const SHORT_BYTES: usize> {
    Short { len: u8, bytes: [u8; SHORT_BYTES] },
    Long(Box<[u8]>),
}

impl<const SHORT_BYTES: usize> Text<SHORT_BYTES> {
    /// `text` is the bytes of a `str`.
    pub(crate) fn new(text: &[u8]) -> Self {
        let mut bytes = [0; SHORT_BYTES];
        match bytes.get_mut(..text.len()) {
            Some(room) => {
                room.copy_from_slice(text);
                Text::Short { len: text.len() as u8, bytes }
            }
            None => Text::Long(text.into()),
        }
    }

    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Text::Short { len, bytes } => &bytes[..usize::from(*len)],
            Text::Long(text) => text,
        }
    }

    /// As `==`, which WebAssembly does byte by byte.
    #[inline]
    pub(crate) fn is(&self, text: &[u8]) -> bool {
        is_same(self.as_bytes(), text)
    }

    /// For people and for saving; matches compare bytes.
    pub(crate) fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).expect("a level is made of text")
    }

    pub(crate) fn len(&self) -> usize {
        self.as_bytes().len()
    }
}

impl<const SHORT_BYTES: usize> fmt::Debug for Text<SHORT_BYTES> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(out)
    }
}

/// Saved as text, however long it is.
impl<const SHORT_BYTES: usize> Serialize for Text<SHORT_BYTES> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_str().serialize(serializer)
    }
}

impl<'de, const SHORT_BYTES: usize> Deserialize<'de> for Text<SHORT_BYTES> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Text::new(alloc::string::String::deserialize(deserializer)?.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_its_text_whether_short_or_long() {
        for text in ["", "a", "fourteen bytes", "fifteen bytes !", "é是", &"x".repeat(1_000)] {
            let level = Text::<14>::new(text.as_bytes());
            assert_eq!((level.as_str(), level.as_bytes(), level.len()), (text, text.as_bytes(), text.len()));
            assert_eq!(matches!(level, Text::Short { .. }), text.len() <= 14);
        }
    }
}
