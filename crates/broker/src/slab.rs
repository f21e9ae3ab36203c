//! A table whose entries keep their number while they live. The usual crates rebuild their list of free numbers when a
//! table is loaded; a broker that was saved and loaded must go on exactly as one that was not, so this one saves it.
//!
//! Entries lie in pages that never move: a table that grows copies nothing and leaves no hole of its old size behind,
//! which linear memory could not give back.

use alloc::vec::Vec;
use core::ops::{Index, IndexMut};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Entries of one page.
const PAGE: usize = 64;

/// Entries by number; the number freed last is given out first.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    /// All but the last page are full.
    pages: Vec<Vec<Option<T>>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { pages: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    pub(crate) fn insert(&mut self, entry: T) -> u32 {
        if let Some(index) = self.free.pop() {
            self.pages[index as usize / PAGE][index as usize % PAGE] = Some(entry);
            return index;
        }
        let index = self.end();
        self.push(Some(entry));
        index
    }

    fn push(&mut self, entry: Option<T>) {
        match self.pages.last_mut().filter(|page| page.len() < PAGE) {
            Some(page) => page.push(entry),
            None => {
                let mut page = Vec::with_capacity(PAGE);
                page.push(entry);
                self.pages.push(page);
            }
        }
    }

    /// Takes an entry out. Its number may be given out again.
    pub(crate) fn remove(&mut self, index: u32) -> Option<T> {
        let entry = self.pages.get_mut(index as usize / PAGE)?.get_mut(index as usize % PAGE)?.take()?;
        self.free.push(index);
        Some(entry)
    }

    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        self.pages.get(index as usize / PAGE)?.get(index as usize % PAGE)?.as_ref()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        self.pages.get_mut(index as usize / PAGE)?.get_mut(index as usize % PAGE)?.as_mut()
    }

    pub(crate) fn len(&self) -> u32 {
        self.end() - self.free.len() as u32
    }

    /// Entries in the order of their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0u32..).zip(self.pages.iter().flatten()).filter_map(|(index, entry)| Some((index, entry.as_ref()?)))
    }

    /// One past the highest number in use or free; for walks that change the slab as they go.
    pub(crate) fn end(&self) -> u32 {
        // Each entry takes bytes, and memory is bounded far below 2^32 of them.
        let last = self.pages.last().map_or(0, Vec::len);
        let entries = self.pages.len().saturating_sub(1) * PAGE + last;
        u32::try_from(entries).expect("a slab has fewer than 2^32 entries")
    }
}

/// Saved as if there were no pages: how entries lie in memory is no state.
impl<T: Serialize> Serialize for Slab<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entries: Vec<&Option<T>> = self.pages.iter().flatten().collect();
        (entries, &self.free).serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Slab<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (entries, free) = <(Vec<Option<T>>, Vec<u32>)>::deserialize(deserializer)?;
        let mut slab = Slab { pages: Vec::new(), free };
        entries.into_iter().for_each(|entry| slab.push(entry));
        Ok(slab)
    }
}

impl<T> Index<u32> for Slab<T> {
    type Output = T;

    #[inline(always)]
    fn index(&self, index: u32) -> &T {
        self.get(index).expect("a number that is kept names a living entry")
    }
}

impl<T> IndexMut<u32> for Slab<T> {
    #[inline(always)]
    fn index_mut(&mut self, index: u32) -> &mut T {
        self.get_mut(index).expect("a number that is kept names a living entry")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_number_is_given_out_again() {
        let mut slab = Slab::default();
        assert_eq!([slab.insert('a'), slab.insert('b'), slab.insert('c')], [0, 1, 2]);
        assert_eq!(slab.remove(1), Some('b'));
        assert_eq!(slab.remove(1), None);
        assert_eq!(slab.len(), 2);
        assert_eq!(slab.insert('d'), 1);
        assert_eq!(slab.iter().map(|(_, entry)| *entry).collect::<Vec<_>>(), ['a', 'd', 'c']);
    }
}
