//! The hash table of a tree's edges: which node is at the end of a text from another node. It holds numbers alone; what
//! they mean is the tree's business. Nothing walks it and nothing of it is saved.
//!
//! Among a million edges a look-up waits for memory, not for instructions: what counts is how many lines of the
//! processor's cache it touches that nobody has touched lately. So an entry holds the hash itself, entries lie beside
//! one another, and a look-up reads them one by one from the place that the hash names (linear probing): one line,
//! seldom two. A general table keeps marks and entries apart, which makes it two at least.

use alloc::vec;
use alloc::vec::Vec;
use core::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

/// Places of the smallest table that has any.
const PLACES_MIN: usize = 8;

/// Nodes by the hash of their edge.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edges {
    /// A power of two of them, or none. At most five of eight are taken, so that every look-up comes to an end soon.
    places: Vec<Place>,
    taken: usize,
}

/// Room for an edge: its hash above the number of its node, with the bits of the number turned round, so that zero is
/// [`FREE`]: no node has the number `u32::MAX`.
type Place = u64;

const FREE: Place = 0;

fn place(hash: u32, node: u32) -> Place {
    u64::from(hash) << 32 | u64::from(!node)
}

fn hash_of(place: Place) -> u32 {
    (place >> 32) as u32
}

fn node_of(place: Place) -> u32 {
    !(place as u32)
}

/// The hash of an edge: where it begins, as a number, and its text.
pub(crate) fn edge_hash(key: u64, begin: u64, text: &[u8]) -> u32 {
    let mut hasher = FixedState::with_seed(key).build_hasher();
    hasher.write_u64(begin);
    hasher.write(text);
    hasher.finish() as u32
}

impl Edges {
    pub(crate) fn with_capacity(edges: u32) -> Self {
        let mut places = PLACES_MIN;
        while is_full(edges as usize, places) {
            places *= 2;
        }
        Edges { places: vec![FREE; places], taken: 0 }
    }

    /// The first node whose edge has this hash: nearly always the one that is looked for, if there is one.
    #[inline]
    pub(crate) fn guess(&self, hash: u32) -> Option<u32> {
        self.find(hash, |_| true)
    }

    /// The node at the end of the edge with this hash that `is` it.
    #[inline]
    pub(crate) fn find(&self, hash: u32, is: impl Fn(u32) -> bool) -> Option<u32> {
        self.place_of(hash, is).map(|at| node_of(self.places[at]))
    }

    #[inline]
    fn place_of(&self, hash: u32, is: impl Fn(u32) -> bool) -> Option<usize> {
        let last = self.places.len().checked_sub(1)?;
        let mut at = hash as usize & last;
        loop {
            let place = self.places[at];
            if place == FREE {
                return None;
            }
            if hash_of(place) == hash && is(node_of(place)) {
                return Some(at);
            }
            at = (at + 1) & last;
        }
    }

    pub(crate) fn insert(&mut self, hash: u32, node: u32) {
        self.taken += 1;
        if is_full(self.taken, self.places.len()) {
            let places = (2 * self.places.len()).max(PLACES_MIN);
            let old = core::mem::replace(&mut self.places, vec![FREE; places]);
            old.into_iter().filter(|place| *place != FREE).for_each(|place| self.put(place));
        }
        self.put(place(hash, node));
    }

    fn put(&mut self, new: Place) {
        let last = self.places.len() - 1;
        let mut at = hash_of(new) as usize & last;
        while self.places[at] != FREE {
            at = (at + 1) & last;
        }
        self.places[at] = new;
    }

    pub(crate) fn remove(&mut self, hash: u32, node: u32) {
        let Some(mut gap) = self.place_of(hash, |found| found == node) else { return };
        self.taken -= 1;
        let last = self.places.len() - 1;
        // A look-up ends at a free place. So whatever stands behind the gap, and would not be found past it, moves in.
        let mut at = gap;
        loop {
            at = (at + 1) & last;
            let place = self.places[at];
            if place == FREE {
                break;
            }
            let home = hash_of(place) as usize & last;
            if at.wrapping_sub(home) & last >= at.wrapping_sub(gap) & last {
                self.places[gap] = place;
                gap = at;
            }
        }
        self.places[gap] = FREE;
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.taken
    }
}

/// Whether so many edges are too many for so many places.
fn is_full(edges: usize, places: usize) -> bool {
    edges > places / 8 * 5
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Seed;
    use crate::rng::Rng;

    fn nodes_of(edges: &Edges, hash: u32) -> Vec<u32> {
        let mut nodes = Vec::new();
        while let Some(node) = edges.find(hash, |node| !nodes.contains(&node)) {
            nodes.push(node);
        }
        nodes.sort_unstable();
        nodes
    }

    #[test]
    fn whatever_comes_and_goes_the_table_holds_what_a_list_would() {
        let mut rng = Rng::new(Seed([3; 16]));
        let mut below = |bound: u64| rng.next() % bound;
        // Few hashes, many at the table's end: clusters that go round it, and equal hashes of several nodes.
        let hashes = [0, 1, 2, 5, 6, 7, 15, 16, 31, 32, 0xffff_fff0, 0xffff_fffe, u32::MAX];
        let mut edges = Edges::default();
        let mut list: Vec<(u32, u32)> = Vec::new();
        for node in 0..20_000 {
            let hash = hashes[below(hashes.len() as u64) as usize];
            // It swells and shrinks, and now and then there is nothing left.
            let grows = below(100) < if node / 500 % 2 == 0 { 60 } else { 30 };
            if grows {
                edges.insert(hash, node);
                list.push((hash, node));
            } else if !list.is_empty() {
                let (hash, node) = list.swap_remove(below(list.len() as u64) as usize);
                edges.remove(hash, node);
            }
            assert_eq!(edges.len(), list.len());
            let mut expected: Vec<u32> = list.iter().filter(|(of, _)| *of == hash).map(|(_, node)| *node).collect();
            expected.sort_unstable();
            assert_eq!(nodes_of(&edges, hash), expected, "after {node}");
        }
    }

    #[test]
    fn what_is_not_there_is_not_found_and_not_removed() {
        let mut edges = Edges::default();
        assert_eq!((edges.guess(7), edges.len()), (None, 0));
        edges.remove(7, 1);
        edges.insert(7, 1);
        edges.remove(7, 2);
        edges.remove(8, 1);
        assert_eq!((edges.guess(7), edges.guess(8), edges.len()), (Some(1), None, 1));
        // The number whose bits, turned round, are all ones.
        edges.insert(0, 0);
        assert_eq!(edges.guess(0), Some(0));
    }

    #[test]
    fn a_table_made_for_so_many_does_not_grow() {
        for count in [0, 1, 5, 6, 100, 1_000] {
            let mut edges = Edges::with_capacity(count);
            let places = edges.places.len();
            (0..count).for_each(|node| edges.insert(node.wrapping_mul(0x9e37_79b9), node));
            assert_eq!(edges.places.len(), places, "{count}");
        }
    }
}
