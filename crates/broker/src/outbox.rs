//! What waits to be sent on one connection, as slices to hand to the transport. Small packets are copied into one
//! buffer, so that a burst of them leaves in one write; large payloads, and packets that leave to many as they came,
//! stay slices of shared memory, merged while they lie side by side.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Payloads from this size on are shared, below it copied: about where copying starts to cost more than listing.
pub(crate) const SHARE_BYTES_MIN: usize = 4096;

/// Capacity that an empty outbox may keep; a busy connection gives back what a burst needed.
const KEEP_BYTES_MAX: usize = 1024;

#[derive(Clone, Debug)]
enum Chunk {
    /// That many bytes of `copied`, behind those of earlier chunks.
    Copied(usize),
    /// Bytes `start..end` of memory that others may share.
    Shared { bytes: Bytes, start: u32, end: u32 },
}

/// Bytes to send, oldest first.
///
/// Without a shared chunk there are no chunks at all: everything is in `copied[sent..]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outbox {
    copied: Vec<u8>,
    /// How much of `copied` is gone already.
    sent: usize,
    chunks: VecDeque<Chunk>,
    bytes: u64,
}

impl Outbox {
    /// Bytes that wait.
    pub(crate) fn len(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Appends a copy.
    pub(crate) fn copy(&mut self, bytes: &[u8]) {
        self.write(bytes.len(), |buffer| buffer.extend_from_slice(bytes));
    }

    /// Appends `len` bytes that `fill` adds to the buffer.
    pub(crate) fn write(&mut self, len: usize, fill: impl FnOnce(&mut Vec<u8>)) {
        let before = self.copied.len();
        if self.copied.capacity() - before < len {
            self.grow(len);
        }
        fill(&mut self.copied);
        debug_assert_eq!(self.copied.len() - before, len, "the caller knows the length");
        self.bytes += len as u64;
        match self.chunks.back_mut() {
            None => {}
            Some(Chunk::Copied(n)) => *n += len,
            Some(Chunk::Shared { .. }) => self.chunks.push_back(Chunk::Copied(len)),
        }
    }

    /// Makes room: little for a client that is told little, and for others in few steps.
    #[cold]
    fn grow(&mut self, len: usize) {
        const FEW: usize = 32;
        let wanted = self.copied.len() + len;
        let capacity = if wanted <= FEW { FEW } else { (2 * self.copied.capacity()).max(KEEP_BYTES_MAX).max(wanted) };
        self.copied.reserve_exact(capacity - self.copied.len());
    }

    /// Appends `range` of `bytes` without copying.
    pub(crate) fn share(&mut self, bytes: &Bytes, start: u32, end: u32) {
        self.bytes += u64::from(end - start);
        match self.chunks.back_mut() {
            Some(Chunk::Shared { bytes: last, end: last_end, .. })
                if *last_end == start && last.as_ptr() == bytes.as_ptr() && last.len() == bytes.len() =>
            {
                *last_end = end;
                return;
            }
            Some(_) => {}
            None if self.copied.len() > self.sent => {
                self.chunks.push_back(Chunk::Copied(self.copied.len() - self.sent));
            }
            None => {}
        }
        self.chunks.push_back(Chunk::Shared { bytes: bytes.clone(), start, end });
    }

    /// The slices to send.
    pub(crate) fn slices(&self) -> impl Iterator<Item = &[u8]> {
        let whole = if self.chunks.is_empty() { &self.copied[self.sent..] } else { &[] };
        let mut at = self.sent;
        let chunks = self.chunks.iter().map(move |chunk| match chunk {
            Chunk::Copied(len) => {
                at += len;
                &self.copied[at - len..at]
            }
            Chunk::Shared { bytes, start, end } => &bytes[*start as usize..*end as usize],
        });
        core::iter::once(whole).filter(|slice| !slice.is_empty()).chain(chunks)
    }

    /// Forgets the first `len` bytes: the transport took them. More than there are is a driver's mistake and counts as
    /// all.
    pub(crate) fn forget(&mut self, len: u64) {
        let mut left = len.min(self.bytes);
        self.bytes -= left;
        if self.bytes == 0 {
            self.clear();
            return;
        }
        while left > 0 {
            let (taken, used_up) = match self.chunks.front_mut() {
                None => (left, false),
                Some(Chunk::Copied(n)) => take(n, left),
                Some(Chunk::Shared { start, end, .. }) => {
                    let n = u64::from(*end - *start).min(left);
                    *start += n as u32;
                    left -= n;
                    if start == end {
                        self.chunks.pop_front();
                    }
                    continue;
                }
            };
            self.sent += taken as usize;
            left -= taken;
            if used_up {
                self.chunks.pop_front();
            }
        }
        self.settle();
    }

    /// After a short write: what stays is copied out, so that a reader that stalls doesn't pin the blocks that others
    /// are read into, and the buffer closes up.
    fn settle(&mut self) {
        let small = |chunk: &Chunk| match chunk {
            Chunk::Copied(_) => true,
            Chunk::Shared { start, end, .. } => ((end - start) as usize) < SHARE_BYTES_MIN,
        };
        let pinned = self.chunks.iter().any(|chunk| matches!(chunk, Chunk::Shared { .. }) && small(chunk));
        if pinned && self.chunks.iter().all(small) {
            let flat = self.slices().collect::<Vec<_>>().concat();
            self.copied = flat;
            self.sent = 0;
            self.chunks.clear();
        } else if self.sent > SHARE_BYTES_MIN && self.sent * 2 > self.copied.len() {
            self.copied.drain(..self.sent);
            self.sent = 0;
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.bytes = 0;
        self.sent = 0;
        self.chunks.clear();
        self.copied.clear();
        if self.copied.capacity() > KEEP_BYTES_MAX {
            self.copied = Vec::new();
        }
        if self.chunks.capacity() > 4 {
            self.chunks = VecDeque::new();
        }
    }
}

/// Takes up to `left` from a counter; says how much and whether it is used up.
fn take(n: &mut usize, left: u64) -> (u64, bool) {
    let taken = (*n as u64).min(left);
    *n -= taken as usize;
    (taken, *n == 0)
}

/// Saved as the bytes that wait: how they are held is nobody's business.
impl Serialize for Outbox {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.slices().collect::<Vec<_>>().concat())
    }
}

impl<'de> Deserialize<'de> for Outbox {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let copied = Bytes::deserialize(deserializer)?.to_vec();
        let bytes = copied.len() as u64;
        Ok(Outbox { copied, bytes, ..Outbox::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(outbox: &Outbox) -> Vec<u8> {
        outbox.slices().collect::<Vec<_>>().concat()
    }

    #[test]
    fn neighbours_merge_and_order_is_kept() {
        let block = Bytes::from_static(b"abcdefgh");
        let mut outbox = Outbox::default();
        outbox.copy(b"12");
        outbox.share(&block, 0, 2);
        outbox.share(&block, 2, 4);
        outbox.copy(b"34");
        outbox.copy(b"5");
        outbox.share(&block, 6, 8);
        assert_eq!(outbox.slices().collect::<Vec<_>>(), [&b"12"[..], b"abcd", b"345", b"gh"]);
        assert_eq!(outbox.len(), 11);
    }

    #[test]
    fn any_cut_of_what_was_sent_leaves_the_rest() {
        let block = Bytes::from_static(b"abcdefgh");
        for cut in 0..=11 {
            let mut outbox = Outbox::default();
            outbox.copy(b"12");
            outbox.share(&block, 0, 4);
            outbox.copy(b"345");
            outbox.share(&block, 6, 8);
            let all = flat(&outbox);
            outbox.forget(cut);
            assert_eq!(flat(&outbox), all[cut as usize..]);
            assert_eq!(outbox.len(), 11 - cut);
            outbox.copy(b"!");
            assert_eq!(flat(&outbox).last(), Some(&b'!'));
        }
    }

    #[test]
    fn a_stalled_reader_pins_no_small_slices() {
        let block = Bytes::from(alloc::vec![7; 100]);
        let mut outbox = Outbox::default();
        outbox.share(&block, 0, 100);
        outbox.forget(1);
        assert_eq!(outbox.slices().map(<[u8]>::len).sum::<usize>(), 99);
        assert!(block.is_unique());
    }
}
