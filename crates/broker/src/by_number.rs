//! What is found by a number, in the order of the numbers. A tree for each type of entry would be 2 KB of a page's
//! download each; where entries lie in boxes, trees differ in nothing and are one in the compiled program.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Entries by number.
pub(crate) type ByNumber<T> = BTreeMap<u64, Box<T>>;

/// Small numbers by number; also in need of no tree of their own.
pub(crate) type NumberByNumber = BTreeMap<u64, u32>;

/// A set of numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers {
    /// What stands behind a number means nothing.
    tree: NumberByNumber,
}

impl Numbers {
    /// Says whether it is new.
    pub(crate) fn insert(&mut self, number: u64) -> bool {
        self.tree.insert(number, 0).is_none()
    }

    pub(crate) fn contains(&self, number: u64) -> bool {
        self.tree.contains_key(&number)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tree.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.tree.len()
    }

    /// The numbers, lowest first.
    pub(crate) fn to_vec(&self) -> Vec<u64> {
        self.tree.keys().copied().collect()
    }
}

/// Saved as the list of its numbers.
impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_vec().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut numbers = Numbers::default();
        for number in Vec::<u64>::deserialize(deserializer)? {
            numbers.insert(number);
        }
        Ok(numbers)
    }
}
