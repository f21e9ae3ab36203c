//! The hash table of a tree's edges: which node is at the end of a text from another node. It holds numbers alone; what
//! they mean is the tree's business. Nothing walks it and nothing of it is saved.

use core::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// An edge. With its hash at hand, a table that grows need not look at the nodes, which lie far apart.
#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u32,
    node: u32,
}

/// Nodes by the hash of their edge.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edges {
    table: HashTable<Entry>,
}

/// The hash of an edge: where it begins, as a number, and its text.
pub(crate) fn edge_hash(key: u64, begin: u64, text: &[u8]) -> u32 {
    let mut hasher = FixedState::with_seed(key).build_hasher();
    hasher.write_u64(begin);
    hasher.write(text);
    hasher.finish() as u32
}

/// The table takes its places from the low bits and its marks from the high ones.
fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

impl Edges {
    pub(crate) fn with_capacity(edges: u32) -> Self {
        Edges { table: HashTable::with_capacity(edges as usize) }
    }

    /// The node at the end of the edge with this hash that `is` it.
    #[inline]
    pub(crate) fn find(&self, hash: u32, is: impl Fn(u32) -> bool) -> Option<u32> {
        let found = self.table.find(spread(hash), |entry| entry.hash == hash && is(entry.node));
        found.map(|entry| entry.node)
    }

    pub(crate) fn insert(&mut self, hash: u32, node: u32) {
        self.table.insert_unique(spread(hash), Entry { hash, node }, |entry| spread(entry.hash));
    }

    pub(crate) fn remove(&mut self, hash: u32, node: u32) {
        if let Ok(entry) = self.table.find_entry(spread(hash), |entry| entry.node == node) {
            entry.remove();
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }
}
