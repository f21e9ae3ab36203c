//! What looks random in a broker: assigned Client Identifiers and the key of its hash tables. All of it is drawn from
//! the seed and nothing else, so a replayed broker draws the same numbers.

use core::hash::Hasher;
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

use crate::id::Seed;

/// Draws by hashing a counter under the seed as key. Clients see some of the draws, in Client Identifiers; from those
/// nobody can tell another draw, least of all the key of the hash tables, and so nobody can aim at collisions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rng {
    seed: Seed,
    drawn: u64,
}

impl Rng {
    pub(crate) fn new(seed: Seed) -> Self {
        Rng { seed, drawn: 0 }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.drawn += 1;
        let mut hasher = SipHasher13::new_with_key(&self.seed.0);
        hasher.write(&self.drawn.to_le_bytes());
        hasher.finish()
    }
}
