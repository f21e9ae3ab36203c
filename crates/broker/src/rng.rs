//! A small generator for what should look random: assigned Client Identifiers and hash keys. It is fed by the seed and
//! nothing else, so a replayed broker draws the same numbers.

use serde::{Deserialize, Serialize};

use crate::id::Seed;

/// SplitMix64: one word of state, every seed is a good one. Not for secrets: whoever sees enough of what it draws can
/// tell what comes next, which is why hash keys are drawn from it once, at the start, and never shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: Seed) -> Self {
        let number = u128::from_le_bytes(seed.0);
        let mut rng = Rng(number as u64);
        rng.0 = rng.next() ^ (number >> 64) as u64;
        rng
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}
