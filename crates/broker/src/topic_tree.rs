//! A tree of topic levels: Topic Names lead to Retained Messages, and a Topic Filter walks all those that it matches.
//!
//! A node knows its parent, its first child and its brothers; a child is found by one look-up in a hash table of all
//! edges. So a literal level costs the same with ten brothers or a million, a node costs a few words, and walking
//! children follows the order in which they were made — never the order of a hash map, which differs between machines.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::edges::{Edges, edge_hash};
use crate::level::{Text, levels};
use crate::slab::Slab;

/// No node.
const NONE: u32 = u32::MAX;

/// The root: before the first level.
pub(crate) const ROOT: u32 = 0;

/// Bytes of a level that lies in its node.
const LEVEL_BYTES: usize = 14;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Node<T> {
    parent: u32,
    first_child: u32,
    next: u32,
    previous: u32,
    /// Walks that rest on this node; it stays until they go on.
    pins: u32,
    level: Text<LEVEL_BYTES>,
    value: Option<T>,
}

/// The tree. `T` is what a node may carry.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "T: Serialize", deserialize = "T: Deserialize<'de>"))]
pub(crate) struct TopicTree<T> {
    nodes: Slab<Node<T>>,
    hash_key: u64,
    /// Bytes of all levels.
    level_bytes: u64,
    /// Node numbers by (parent, level); never walked.
    #[serde(skip)]
    edges: Edges,
}

impl<T> TopicTree<T> {
    pub(crate) fn new(hash_key: u64) -> Self {
        let mut nodes = Slab::default();
        nodes.insert(Node {
            parent: NONE,
            first_child: NONE,
            next: NONE,
            previous: NONE,
            pins: 0,
            level: Text::new(b""),
            value: None,
        });
        TopicTree { nodes, hash_key, level_bytes: 0, edges: Edges::default() }
    }

    /// Makes the look-up table anew, which is not saved.
    pub(crate) fn rebuild(&mut self) {
        let mut edges = Edges::with_capacity(self.nodes.len());
        for (number, node) in self.nodes.iter().filter(|(number, _)| *number != ROOT) {
            edges.insert(self.hash(node.parent, node.level.as_bytes()), number);
        }
        self.edges = edges;
    }

    fn hash(&self, parent: u32, level: &[u8]) -> u32 {
        edge_hash(self.hash_key, parent.into(), level)
    }

    fn child(&self, parent: u32, level: &[u8]) -> Option<u32> {
        self.child_by_hash(self.hash(parent, level), parent, level)
    }

    fn child_by_hash(&self, hash: u32, parent: u32, level: &[u8]) -> Option<u32> {
        self.edges.find(hash, |number| {
            let node = &self.nodes[number];
            node.parent == parent && node.level.is(level)
        })
    }

    /// The node at the end of a path, wildcards taken literally.
    pub(crate) fn find(&self, path: &str) -> Option<u32> {
        levels(path).try_fold(ROOT, |node, level| self.child(node, level))
    }

    /// The node at the end of a path, made if need be.
    pub(crate) fn insert(&mut self, path: &str) -> u32 {
        levels(path).fold(ROOT, |node, level| {
            let hash = self.hash(node, level);
            self.child_by_hash(hash, node, level).unwrap_or_else(|| self.add(hash, node, level))
        })
    }

    fn add(&mut self, hash: u32, parent: u32, level: &[u8]) -> u32 {
        let next = self.nodes[parent].first_child;
        let node =
            Node { parent, first_child: NONE, next, previous: NONE, pins: 0, level: Text::new(level), value: None };
        let number = self.nodes.insert(node);
        self.level_bytes += level.len() as u64;
        if next != NONE {
            self.nodes[next].previous = number;
        }
        self.nodes[parent].first_child = number;
        self.edges.insert(hash, number);
        number
    }

    /// What a node carries.
    pub(crate) fn value(&self, node: u32) -> Option<&T> {
        self.nodes.get(node)?.value.as_ref()
    }

    /// What a node carries or will carry. Whoever empties it calls [`prune`](Self::prune).
    pub(crate) fn value_mut(&mut self, node: u32) -> &mut Option<T> {
        &mut self.nodes[node].value
    }

    /// Removes a node that carries nothing, and its parents as far as they carry nothing either.
    pub(crate) fn prune(&mut self, mut number: u32) {
        while number != ROOT {
            let node = &self.nodes[number];
            if node.value.is_some() || node.first_child != NONE || node.pins > 0 {
                return;
            }
            let parent = node.parent;
            self.unlink(number);
            number = parent;
        }
    }

    fn unlink(&mut self, number: u32) {
        let Some(node) = self.nodes.remove(number) else { return };
        self.edges.remove(self.hash(node.parent, node.level.as_bytes()), number);
        self.level_bytes -= node.level.len() as u64;
        match node.previous {
            NONE => self.nodes[node.parent].first_child = node.next,
            previous => self.nodes[previous].next = node.next,
        }
        if node.next != NONE {
            self.nodes[node.next].previous = node.previous;
        }
    }

    /// The next node of a walk over all Topic Names that a Topic Filter matches, and whether it is one: the first after
    /// `from`, or the first at all. Walking needs no memory but the node it rests on, so a subscriber to `#` may take a
    /// million Retained Messages in as many steps as it likes; the node it rests on is kept by [`pin`](Self::pin).
    pub(crate) fn next_topic(&self, filter: &str, from: Option<u32>) -> Option<(u32, bool)> {
        let pattern: Vec<&str> = filter.split('/').collect();
        let at = match from {
            None => self.descend(ROOT, 0, &pattern)?,
            Some(number) => self.advance(number, self.depth(number), &pattern)?,
        };
        Some((at, self.nodes[at].value.is_some() && ends_match(&pattern, self.depth(at))))
    }

    /// The first carrying node after `from`, or at all, whose path, as a Topic Name, a Topic Filter matches.
    pub(crate) fn next_topic_matching(&self, filter: &str, mut from: Option<u32>) -> Option<u32> {
        loop {
            let (at, matches) = self.next_topic(filter, from)?;
            if matches {
                return Some(at);
            }
            from = Some(at);
        }
    }

    /// The next node in depth-first order after one of the given depth, among those whose path fits the filter so far.
    fn advance(&self, number: u32, depth: usize, levels: &[&str]) -> Option<u32> {
        if let Some(child) = self.descend(number, depth, levels) {
            return Some(child);
        }
        let (mut number, mut depth) = (number, depth);
        while number != ROOT {
            if let Some(brother) = self.next_brother(number, depth, levels) {
                return Some(brother);
            }
            number = self.nodes[number].parent;
            depth -= 1;
        }
        None
    }

    /// The first child of a node at `depth` that fits the filter's next level.
    fn descend(&self, number: u32, depth: usize, levels: &[&str]) -> Option<u32> {
        match pattern(levels, depth)? {
            "+" | "#" => self.skip_dollar(self.nodes[number].first_child, depth),
            level => self.child(number, level.as_bytes()),
        }
    }

    /// The next brother of a node at `depth` that fits the filter's level there.
    fn next_brother(&self, number: u32, depth: usize, levels: &[&str]) -> Option<u32> {
        match pattern(levels, depth - 1)? {
            "+" | "#" => self.skip_dollar(self.nodes[number].next, depth - 1),
            _ => None,
        }
    }

    /// From this brother on the first that a wildcard matches: at the first level none that begins with `$`
    /// [5:MQTT-4.7.2-1].
    fn skip_dollar(&self, mut number: u32, depth: usize) -> Option<u32> {
        while number != NONE {
            if depth > 0 || self.nodes[number].level.as_bytes().first() != Some(&b'$') {
                return Some(number);
            }
            number = self.nodes[number].next;
        }
        None
    }

    fn depth(&self, mut number: u32) -> usize {
        let mut depth = 0;
        while number != ROOT {
            number = self.nodes[number].parent;
            depth += 1;
        }
        depth
    }

    /// The path of a node: its Topic Name.
    #[cfg(test)]
    fn path(&self, number: u32) -> alloc::string::String {
        let mut levels = Vec::new();
        let mut node = &self.nodes[number];
        while node.parent != NONE {
            levels.push(node.level.as_str());
            node = &self.nodes[node.parent];
        }
        levels.reverse();
        levels.join("/")
    }

    /// Keeps a node alive while a walk rests on it.
    pub(crate) fn pin(&mut self, number: u32) {
        self.nodes[number].pins += 1;
    }

    /// Takes a pin back.
    pub(crate) fn unpin(&mut self, number: u32) {
        self.nodes[number].pins -= 1;
        self.prune(number);
    }

    /// Bytes counted for the whole tree.
    pub(crate) fn memory_bytes(&self) -> u64 {
        // Three times a node and its entry in the table of edges, for while a table grows the old one and the new one,
        // twice as large, are there together; and the allocation of its level.
        const NODE_BYTES: u64 = 256;
        u64::from(self.nodes.len()) * NODE_BYTES + self.level_bytes
    }

    /// Carrying nodes by number, which is no order that means anything but always the same.
    pub(crate) fn values(&self) -> impl Iterator<Item = (u32, &T)> {
        self.nodes.iter().filter_map(|(number, node)| Some((number, node.value.as_ref()?)))
    }
}

/// The filter's level for children of a node at `depth`; `#` goes on for ever.
fn pattern<'a>(levels: &[&'a str], depth: usize) -> Option<&'a str> {
    match levels.get(depth) {
        Some(level) => Some(level),
        None if levels.last() == Some(&"#") => Some("#"),
        None => None,
    }
}

/// Whether a path of this depth that fits level by level is matched as a whole.
fn ends_match(levels: &[&str], depth: usize) -> bool {
    let hash = levels.last() == Some(&"#");
    depth == levels.len() || hash && depth + 1 >= levels.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn tree(paths: &[&str]) -> TopicTree<()> {
        let mut tree = TopicTree::new(1);
        for path in paths {
            let node = tree.insert(path);
            *tree.value_mut(node) = Some(());
        }
        tree
    }

    fn topics(tree: &TopicTree<()>, filter: &str) -> Vec<String> {
        let (mut at, mut found) = (None, Vec::new());
        while let Some(node) = tree.next_topic_matching(filter, at) {
            found.push(tree.path(node));
            at = Some(node);
        }
        found.sort();
        found
    }

    #[test]
    fn walking_topics_gives_each_match_once() {
        let tree = tree(&["a", "a/b", "a/b/c", "a/x/c", "b", "$SYS/a", "a/", "/a"]);
        assert_eq!(topics(&tree, "#"), ["/a", "a", "a/", "a/b", "a/b/c", "a/x/c", "b"]);
        assert_eq!(topics(&tree, "a/#"), ["a", "a/", "a/b", "a/b/c", "a/x/c"]);
        assert_eq!(topics(&tree, "a/+/c"), ["a/b/c", "a/x/c"]);
        assert_eq!(topics(&tree, "+"), ["a", "b"]);
        assert_eq!(topics(&tree, "+/a"), ["/a"]);
        assert_eq!(topics(&tree, "$SYS/#"), ["$SYS/a"]);
        assert_eq!(topics(&tree, "a/b"), ["a/b"]);
        assert!(topics(&tree, "a/b/c/d").is_empty());
    }

    #[test]
    fn a_pinned_node_outlives_its_value_and_no_node_stays_behind() {
        let mut tree = tree(&["a/b/c", "a/b/d"]);
        let node = tree.next_topic_matching("a/b/+", None).unwrap();
        tree.pin(node);
        *tree.value_mut(node) = None;
        tree.prune(node);
        let next = tree.next_topic_matching("a/b/+", Some(node)).unwrap();
        tree.unpin(node);
        *tree.value_mut(next) = None;
        tree.prune(next);
        assert_eq!(tree.nodes.len(), 1);
        assert_eq!(tree.edges.len(), 0);
    }
}
