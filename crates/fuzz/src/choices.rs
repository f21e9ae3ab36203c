//! Bytes as choices: each question takes a byte or a few off the front, and when they are used up the answer is the
//! first of what could be chosen.

use arbitrary::Unstructured;

/// Bytes that choose.
pub struct Choices<'a>(Unstructured<'a>);

impl<'a> Choices<'a> {
    /// Takes choices from these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Choices(Unstructured::new(bytes))
    }

    /// Whether there are bytes left.
    #[must_use]
    pub fn more(&self) -> bool {
        !self.0.is_empty()
    }

    /// A number below this, which is at least 1.
    pub fn below(&mut self, end: u32) -> u32 {
        self.0.int_in_range(0..=end - 1).unwrap_or(0)
    }

    /// True this often, in percent.
    pub fn chance(&mut self, percent: u32) -> bool {
        // The first choice, when there are no more bytes, is the usual one.
        99 - self.below(100) < percent
    }

    /// One of these.
    pub fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u32) as usize]
    }

    /// One of the usual ones, and seldom one of the others.
    pub fn mostly<T: Copy>(&mut self, usual: &[T], others: &[T]) -> T {
        let all = if self.chance(3) { others } else { usual };
        self.of(all)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0.arbitrary().unwrap_or(0)
    }

    /// Fewer bytes than this.
    pub fn bytes(&mut self, end: u32) -> Vec<u8> {
        let len = (self.below(end) as usize).min(self.0.len());
        self.0.bytes(len).map(<[u8]>::to_vec).unwrap_or_default()
    }
}
