//! Looking ahead. Among hundreds of thousands of Subscriptions a message waits for memory twice: for its place in the
//! table of edges, then for the node that this names. While it waits, the processor finds nothing else to do: the next
//! message is too far away. So when a client sends many messages at once, their look-ups begin together, and the waits
//! happen side by side; each message then finds its own done.
//!
//! Whatever else happens in between, nothing goes wrong: what was found is used for the same topic in the same state of
//! all Subscriptions, and is looked up as ever for any other.

use alloc::vec::Vec;
use core::ops::Range;
use wasmqtt_codec::{self as codec, Framing, PacketType, string::is_same};

use crate::broker::Broker;
use crate::filter_tree::End;

/// Packets looked ahead at: about as many waits as a processor has at a time.
const PACKETS: usize = 16;

/// Bytes of a topic that is worth it.
const TOPIC_BYTES_MAX: usize = 255;

/// What was found for topics whose messages are about to come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ahead {
    /// The state of all Subscriptions in which it was; 0 in none.
    version: u64,
    topics: Vec<Topic>,
    /// The next of them whose message has not come.
    next: usize,
    text: Vec<u8>,
    ends: Vec<End>,
}

/// One topic: where in `text` it is, and where in `ends` what its filters may be.
#[derive(Clone, Debug)]
struct Topic {
    text: Range<usize>,
    ends: Range<usize>,
}

impl Ahead {
    /// Begins anew.
    pub(crate) fn clear(&mut self, version: u64) {
        self.version = version;
        self.topics.clear();
        self.next = 0;
        self.text.clear();
        self.ends.clear();
    }

    /// Adds a topic whose ends `find` appends.
    pub(crate) fn add(&mut self, topic: &[u8], find: impl FnOnce(&mut Vec<End>)) {
        let (text, ends) = (self.text.len(), self.ends.len());
        self.text.extend_from_slice(topic);
        find(&mut self.ends);
        self.topics.push(Topic { text: text..self.text.len(), ends: ends..self.ends.len() });
    }

    /// Whether nothing more was found for this state.
    pub(crate) fn is_over(&self, version: u64) -> bool {
        self.version != version || self.next == self.topics.len()
    }

    pub(crate) fn ends_mut(&mut self) -> &mut [End] {
        &mut self.ends
    }

    /// What was found for a topic, passing over those before it: their messages needed no look-up.
    #[inline(always)]
    pub(crate) fn take(&mut self, version: u64, topic: &str) -> Option<&[End]> {
        if self.version != version {
            return None;
        }
        while let Some(ahead) = self.topics.get(self.next) {
            self.next += 1;
            if is_same(&self.text[ahead.text.clone()], topic.as_bytes()) {
                return Some(&self.ends[ahead.ends.clone()]);
            }
        }
        None
    }
}

/// The topic of each PUBLISH that is whole, each but once in a row. Nothing is checked here: that happens when a
/// packet's turn comes.
struct Topics<'a> {
    bytes: &'a [u8],
    /// How many may still be looked at.
    packets: usize,
    last: &'a [u8],
}

impl<'a> Iterator for Topics<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while self.packets > 0 {
            let Ok(Framing::Complete { header_bytes, total_bytes }) = codec::frame(self.bytes, 0) else { return None };
            let (packet, rest) = self.bytes.split_at(total_bytes);
            self.bytes = rest;
            self.packets -= 1;
            if packet[0] >> 4 == PacketType::Publish.bits()
                && let Some((len, rest)) = packet[usize::from(header_bytes)..].split_first_chunk()
                && let Some(topic) = rest.get(..usize::from(u16::from_be_bytes(*len)))
                && (1..=TOPIC_BYTES_MAX).contains(&topic.len())
                && !is_same(topic, self.last)
            {
                self.last = topic;
                return Some(topic);
            }
        }
        None
    }
}

impl Broker {
    /// Looks ahead at packets of a client, the first of which is a PUBLISH that must be looked up; does nothing while
    /// there is more of what was found before.
    #[inline(never)]
    pub(crate) fn look_ahead(&mut self, packets: &[u8]) {
        let version = self.subscriptions_version;
        if self.walk.ahead.is_over(version) {
            let topics = Topics { bytes: packets, packets: PACKETS, last: b"" };
            self.subscriptions.look_ahead(version, topics, &mut self.walk);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PUBLISH, QoS 0, to a topic of one byte, without a payload.
    fn publish(topic: u8) -> [u8; 5] {
        [0x30, 3, 0, 1, topic]
    }

    fn topics(bytes: &[u8]) -> Vec<&[u8]> {
        Topics { bytes, packets: PACKETS, last: b"" }.collect()
    }

    #[test]
    fn each_topic_is_seen_once_in_a_row_up_to_what_is_not_whole() {
        // To "b", Packet Identifier 1, "hi".
        let qos_1 = b"\x32\x07\x00\x01b\x00\x01hi";
        let pingreq = b"\xC0\x00";
        let bytes = [&publish(b'a')[..], &publish(b'a'), pingreq, qos_1, &publish(b'a'), &publish(b'c')[..4]].concat();
        assert_eq!(topics(&bytes), [b"a", b"b", b"a"]);
    }

    #[test]
    fn it_ends_after_so_many_packets() {
        let bytes: Vec<u8> = (0..20).flat_map(publish).collect();
        assert_eq!(topics(&bytes).len(), PACKETS);
    }

    #[test]
    fn what_breaks_the_rules_is_left_to_its_turn() {
        // A Topic Alias and no name; a name longer than its packet; no room for a length; a packet type that is none.
        let alias = b"\x30\x06\x00\x00\x03\x23\x00\x01";
        for (packet, behind) in [(&alias[..], 1), (b"\x30\x03\x00\x09a", 1), (b"\x30\x01\x00", 1), (b"\x00\x00", 0)] {
            assert_eq!(topics(&[packet, &publish(b'a')].concat()).len(), behind, "{packet:x?}");
        }
        let long = [&b"\x30\x82\x02\x01\x00"[..], &[b'a'; TOPIC_BYTES_MAX + 1]].concat();
        assert!(topics(&long).is_empty());
    }
}
