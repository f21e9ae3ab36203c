//! The simulation's only source of chance: SplitMix64, seeded with numbers. Each thing that draws has a generator of
//! its own, made from the seed and the thing's name, so that leaving one planned action out of a story does not change
//! what all the others draw.

/// A generator of numbers that look random and are the same everywhere.
#[derive(Clone, Debug)]
pub struct Luck(u64);

impl Luck {
    /// The generator of one thing: the same seed and the same name give the same numbers.
    #[must_use]
    pub fn of(seed: u64, name: u64) -> Self {
        let mut luck = Luck(seed ^ name.wrapping_mul(0xA076_1D64_78BD_642F));
        luck.draw();
        luck
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 to `n - 1`; 0 if `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 { 0 } else { self.draw() % n }
    }

    /// A number of the range, both ends included.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// True in this many of a hundred cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of these; there must be one.
    pub fn of_these<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}
