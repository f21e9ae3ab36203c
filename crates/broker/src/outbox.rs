//! What waits to be sent on one connection, as slices to hand to the transport. Small packets are copied into one
//! buffer, so that a burst of them leaves in one write; large payloads, and packets that leave to many as they came,
//! stay slices of shared memory, merged while they lie side by side.
//!
//! The buffer ends at a fixed size and the next one begins: one that doubled would copy all that waits again and again,
//! and take twice the memory that is counted while a client doesn't read.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Payloads from this size on are shared, below it copied: about where copying starts to cost more than listing.
pub(crate) const SHARE_BYTES_MIN: usize = 4096;

/// Capacity that an empty outbox may keep; a busy connection gives back what a burst needed.
const KEEP_BYTES_MAX: usize = 1024;

/// Where a buffer ends, unless one packet needs more.
const BUFFER_BYTES: usize = 64 << 10;

#[derive(Clone, Debug)]
enum Chunk {
    /// A buffer that is closed.
    Copied(Vec<u8>),
    /// Bytes `start..end` of memory that others may share.
    Shared { bytes: Bytes, start: u32, end: u32 },
}

impl Chunk {
    fn bytes(&self) -> &[u8] {
        match self {
            Chunk::Copied(copied) => copied,
            Chunk::Shared { bytes, start, end } => &bytes[*start as usize..*end as usize],
        }
    }
}

/// Bytes to send, oldest first: chunks, and behind them the open buffer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outbox {
    chunks: VecDeque<Chunk>,
    /// The open buffer; mostly all there is.
    open: Vec<u8>,
    /// How much of the first chunk, or of the open buffer if there is none, is gone already.
    sent: usize,
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
    #[inline(always)]
    pub(crate) fn copy(&mut self, bytes: &[u8]) {
        self.room(bytes.len()).extend_from_slice(bytes);
    }

    /// The buffer to which the caller appends just so many bytes; they count from now on.
    #[inline(always)]
    pub(crate) fn room(&mut self, len: usize) -> &mut Vec<u8> {
        if self.open.capacity() - self.open.len() < len {
            self.make_room(len);
        }
        self.bytes += len as u64;
        &mut self.open
    }

    /// Makes room: little for a client that is told little, and for others in few steps.
    #[cold]
    fn make_room(&mut self, len: usize) {
        const FEW: usize = 32;
        if !self.open.is_empty() && self.open.len() + len > BUFFER_BYTES {
            self.close();
        }
        let wanted = self.open.len() + len;
        let usual = match wanted {
            0..=FEW => FEW,
            _ if wanted <= KEEP_BYTES_MAX => KEEP_BYTES_MAX,
            _ if wanted <= BUFFER_BYTES / 8 => BUFFER_BYTES / 8,
            _ => BUFFER_BYTES,
        };
        self.open.reserve_exact(usual.max(wanted) - self.open.len());
    }

    /// Closes the open buffer.
    fn close(&mut self) {
        if self.open.len() > if self.chunks.is_empty() { self.sent } else { 0 } {
            self.chunks.push_back(Chunk::Copied(core::mem::take(&mut self.open)));
        }
    }

    /// Appends `range` of `bytes` without copying.
    pub(crate) fn share(&mut self, bytes: &Bytes, start: u32, end: u32) {
        self.bytes += u64::from(end - start);
        if self.open.is_empty()
            && let Some(Chunk::Shared { bytes: last, end: last_end, .. }) = self.chunks.back_mut()
            && *last_end == start
            && last.as_ptr() == bytes.as_ptr()
            && last.len() == bytes.len()
        {
            *last_end = end;
            return;
        }
        self.close();
        self.chunks.push_back(Chunk::Shared { bytes: bytes.clone(), start, end });
    }

    /// The slices to send.
    pub(crate) fn slices(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let mut sent = self.sent;
        let all = self.chunks.iter().map(Chunk::bytes).chain(core::iter::once(&*self.open));
        all.map(move |bytes| &bytes[core::mem::take(&mut sent)..]).filter(|slice| !slice.is_empty())
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
        while let Some(first) = self.chunks.front() {
            let waits = (first.bytes().len() - self.sent) as u64;
            if left < waits {
                break;
            }
            left -= waits;
            self.sent = 0;
            self.chunks.pop_front();
        }
        self.sent += left as usize;
        self.settle();
    }

    /// After a short write: what stays is copied out, so that a reader that stalls doesn't pin the blocks that others
    /// are read into.
    fn settle(&mut self) {
        let small = |chunk: &Chunk| match chunk {
            Chunk::Copied(_) => true,
            Chunk::Shared { start, end, .. } => ((end - start) as usize) < SHARE_BYTES_MIN,
        };
        let pinned = self.chunks.iter().any(|chunk| matches!(chunk, Chunk::Shared { .. }) && small(chunk));
        if pinned && self.chunks.iter().all(small) {
            let flat = self.slices().collect::<Vec<_>>().concat();
            self.chunks.clear();
            self.open = flat;
            self.sent = 0;
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.bytes = 0;
        self.sent = 0;
        self.chunks.clear();
        self.open.clear();
        if self.open.capacity() > KEEP_BYTES_MAX {
            self.open = Vec::new();
        }
        if self.chunks.capacity() > 4 {
            self.chunks = VecDeque::new();
        }
    }
}

/// Saved as the bytes that wait: how they are held is nobody's business.
impl Serialize for Outbox {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.slices().collect::<Vec<_>>().concat())
    }
}

impl<'de> Deserialize<'de> for Outbox {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let open = Bytes::deserialize(deserializer)?.to_vec();
        let bytes = open.len() as u64;
        Ok(Outbox { open, bytes, ..Outbox::default() })
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
