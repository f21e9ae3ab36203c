//! From Topic Filters to Subscriptions. Only wildcards need a tree: what stands behind a filter's last wildcard, or the
//! whole filter if it has none, is its *tail*, one edge however many levels it has. So a topic among a million literal
//! filters is found with one look-up, and the levels that are walked for wildcards are few and at hand.
//!
//! ```text
//!   a/b/c        root ──"a/b/c"──► tail              one look-up: all of the topic
//!   a/+/b/c      root ──a──► · ──+──► · ──"b/c"──► tail
//!   a/#          root ──a──► · ──#──► ·
//! ```
//!
//! All edges are in one hash table, by parent and text. Nothing walks that table, and nothing of it is saved.

use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::ahead::Ahead;
use crate::edges::{Edges, edge_hash};
use crate::level::{Text, level_bytes};
use crate::slab::Slab;

/// No node.
const NONE: u32 = u32::MAX;

/// The root: before the first level.
const ROOT: u32 = 0;

/// Bytes of a tail of several levels: each node that a topic passes hashes what is left of the topic, and a long topic
/// must not cost its length at each of its levels. What is longer begins with levels of the tree.
const TAIL_BYTES_MAX: usize = 255;

/// Bytes of text that lie in the node: with them it takes two lines of a processor's cache.
const TEXT_BYTES: usize = 46;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[repr(align(32))]
struct Node<T> {
    parent: u32,
    /// Its child `+`.
    plus: u32,
    /// Its child `#`.
    hash: u32,
    /// How many tails begin here.
    tails: u32,
    /// How many literal levels follow here, with a wildcard somewhere behind them; [`NONE`] in a tail.
    levels: u32,
    text: Text<TEXT_BYTES>,
    value: Option<T>,
}

#[cfg(target_pointer_width = "32")]
const _: () = assert!(size_of::<Option<Node<crate::subscribe::Subscribers>>>() == 96, "two lines of a cache");

/// What leads from one node to another.
#[derive(Clone, Copy)]
struct Edge<'a> {
    text: &'a [u8],
    is_tail: bool,
}

/// Nodes of a tree that a processor's cache has no room for beside all else. What is built for tests takes every tree
/// with more than a few for a large one, so that all stories go through the same code.
const LARGE_NODES: u32 = if cfg!(debug_assertions) { 4 } else { 1 << 15 };

/// Ends that are looked ahead at. Few topics have more than a handful; clients may subscribe so that one topic has a
/// hundred thousand, and get neither memory for sixteen times as many nor time for what may be void before it is used.
const ENDS_AHEAD_MAX: usize = 1_024;

/// Where a filter may end that matches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    /// A tail's node is the likely one.
    node: u32,
    /// Where a tail begins; [`NONE`] if it is none, and the node is certain.
    parent: u32,
    /// Of a tail's edge.
    hash: u32,
    /// Where in the topic a tail begins.
    text_at: u32,
    /// Whether the likely node has the right parent.
    is_likely: bool,
}

impl End {
    fn at(node: u32) -> Self {
        End { node, parent: NONE, hash: 0, text_at: 0, is_likely: true }
    }

    fn is_tail(&self) -> bool {
        self.parent != NONE
    }
}

/// Scratch memory of [`FilterTree::matching`], and what was found ahead of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Walk {
    frontier: Vec<u32>,
    ends: Vec<End>,
    pub(crate) ahead: Ahead,
}

/// The tree. `T` is what a filter leads to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "T: Serialize", deserialize = "T: Deserialize<'de>"))]
pub(crate) struct FilterTree<T> {
    nodes: Slab<Node<T>>,
    hash_key: u64,
    /// Bytes of all texts.
    text_bytes: u64,
    #[serde(skip)]
    edges: Edges,
}

/// The edges of a Topic Filter from the root on.
fn edges(filter: &str) -> impl Iterator<Item = Edge<'_>> {
    let bytes = filter.as_bytes();
    let wildcard = bytes.iter().rposition(|byte| matches!(byte, b'+' | b'#'));
    // Behind a last wildcard there is nothing, or a separator and what follows it.
    let mut tail_at = wildcard.map_or(0, |at| at + 2);
    while bytes.len().saturating_sub(tail_at) > TAIL_BYTES_MAX {
        let Some(separator) = bytes[tail_at..].iter().position(|byte| *byte == b'/') else { break };
        tail_at += separator + 1;
    }
    let levels = tail_at.checked_sub(1).map(|end| bytes[..end].split(|byte| *byte == b'/'));
    let levels = levels.into_iter().flatten().map(|text| Edge { text, is_tail: false });
    levels.chain(bytes.get(tail_at..).map(|text| Edge { text, is_tail: true }))
}

impl<T> FilterTree<T> {
    pub(crate) fn new(hash_key: u64) -> Self {
        let mut nodes = Slab::default();
        nodes.insert(Node::new(NONE, Edge { text: b"", is_tail: false }));
        FilterTree { nodes, hash_key, text_bytes: 0, edges: Edges::default() }
    }

    /// Makes the look-up table anew, which is not saved.
    pub(crate) fn rebuild(&mut self) {
        let mut edges = Edges::with_capacity(self.nodes.len());
        for (number, node) in self.nodes.iter().filter(|(number, _)| *number != ROOT) {
            edges.insert(self.hash(node.parent, node.edge()), number);
        }
        self.edges = edges;
    }

    fn hash(&self, parent: u32, edge: Edge<'_>) -> u32 {
        edge_hash(self.hash_key, u64::from(parent) << 1 | u64::from(edge.is_tail), edge.text)
    }

    fn child(&self, parent: u32, edge: Edge<'_>) -> Option<u32> {
        self.edges.find(self.hash(parent, edge), |number| self.leads(number, parent, edge))
    }

    /// Whether a node is at the end of this edge.
    fn leads(&self, number: u32, parent: u32, edge: Edge<'_>) -> bool {
        let node = &self.nodes[number];
        node.parent == parent && node.is_tail() == edge.is_tail && node.text.is(edge.text)
    }

    /// The node of a Topic Filter, wildcards taken literally.
    pub(crate) fn find(&self, filter: &str) -> Option<u32> {
        edges(filter).try_fold(ROOT, |node, edge| self.child(node, edge))
    }

    /// The node of a Topic Filter, made if need be.
    pub(crate) fn insert(&mut self, filter: &str) -> u32 {
        edges(filter).fold(ROOT, |node, edge| self.child(node, edge).unwrap_or_else(|| self.add(node, edge)))
    }

    fn add(&mut self, parent: u32, edge: Edge<'_>) -> u32 {
        let number = self.nodes.insert(Node::new(parent, edge));
        self.text_bytes += edge.text.len() as u64;
        self.nodes[parent].count(edge, number, true);
        self.edges.insert(self.hash(parent, edge), number);
        number
    }

    /// What a filter leads to.
    pub(crate) fn value(&self, node: u32) -> Option<&T> {
        self.nodes.get(node)?.value.as_ref()
    }

    /// What a filter leads to or will. Whoever empties it calls [`prune`](Self::prune).
    pub(crate) fn value_mut(&mut self, node: u32) -> &mut Option<T> {
        &mut self.nodes[node].value
    }

    /// Removes a node that carries nothing, and its parents as far as they carry nothing either.
    pub(crate) fn prune(&mut self, mut number: u32) {
        while number != ROOT && self.nodes[number].is_empty() {
            let Some(node) = self.nodes.remove(number) else { return };
            self.edges.remove(self.hash(node.parent, node.edge()), number);
            self.text_bytes -= node.text.len() as u64;
            self.nodes[node.parent].count(node.edge(), NONE, false);
            number = node.parent;
        }
    }

    /// The Topic Filter of a node.
    pub(crate) fn path(&self, number: u32) -> String {
        let mut texts = Vec::new();
        let mut node = &self.nodes[number];
        while node.parent != NONE {
            texts.push(node.text.as_str());
            node = &self.nodes[node.parent];
        }
        texts.reverse();
        texts.join("/")
    }

    /// All Topic Filters that match a Topic Name (4.7) and may carry something. `version` is the tree's state, as
    /// [`look_ahead`](Self::look_ahead) was told.
    #[inline]
    pub(crate) fn matching(&self, version: u64, topic: &str, walk: &mut Walk, mut found: impl FnMut(u32, &T)) {
        let Walk { frontier, ends, ahead } = walk;
        let ends = match ahead.take(version, topic) {
            Some(ends) => ends,
            None => {
                ends.clear();
                self.walk(topic.as_bytes(), frontier, ends);
                self.visit(ends);
                ends
            }
        };
        for end in ends.iter().filter(|end| end.node != NONE) {
            if let Some(number) = self.end(topic, end)
                && let Some(value) = &self.nodes[number].value
            {
                found(number, value);
            }
        }
    }

    /// Whether a message waits for memory, so that looking ahead pays.
    pub(crate) fn is_large(&self) -> bool {
        self.nodes.len() > LARGE_NODES
    }

    /// Begins the look-ups of topics whose messages are about to come. What is found holds as long as the tree is in
    /// the state called `version`, which is never 0.
    pub(crate) fn look_ahead<'a>(&self, version: u64, topics: impl Iterator<Item = &'a [u8]>, walk: &mut Walk) {
        let Walk { frontier, ahead, .. } = walk;
        ahead.clear(version);
        for topic in topics {
            ahead.add(topic, |ends| self.walk(topic, frontier, ends));
            if ahead.ends_mut().len() > ENDS_AHEAD_MAX {
                break;
            }
        }
        self.visit(ahead.ends_mut());
    }

    /// Goes where filters may end.
    ///
    /// Among many filters each tail is a wait for memory: for its place in the table, then for its node. Nothing of one
    /// tail depends on another, so the walk only writes down where filters may end; then all places are read, then all
    /// nodes, and the waits happen side by side.
    #[inline(always)]
    fn visit(&self, ends: &mut [End]) {
        for end in ends.iter_mut().filter(|end| end.is_tail()) {
            end.node = self.edges.guess(end.hash).unwrap_or(NONE);
        }
        for end in ends.iter_mut().filter(|end| end.is_tail() && end.node != NONE) {
            // Only to have touched all of the nodes before any is looked into.
            end.is_likely = self.nodes[end.node].parent == end.parent;
        }
    }

    /// The node where a filter ends, if one does.
    #[inline]
    fn end(&self, topic: &str, end: &End) -> Option<u32> {
        if !end.is_tail() {
            return Some(end.node);
        }
        let edge = Edge { text: &topic.as_bytes()[end.text_at as usize..], is_tail: true };
        if end.is_likely && self.leads(end.node, end.parent, edge) {
            return Some(end.node);
        }
        // Two edges have one hash, or this one is not there.
        self.edges.find(end.hash, |number| self.leads(number, end.parent, edge))
    }

    /// Writes down where filters that match a Topic Name may end.
    fn walk(&self, topic: &[u8], frontier: &mut Vec<u32>, ends: &mut Vec<End>) {
        frontier.clear();
        frontier.push(ROOT);
        let mut first = 0;
        // A leading wildcard does not match a topic that begins with `$` [5:MQTT-4.7.2-1] [311:MQTT-4.7.2-1].
        let mut wildcards = !topic.starts_with(b"$");
        let mut text_at = 0;
        while let Some(text) = topic.get(text_at..) {
            let end = frontier.len();
            let mut level = None;
            for at in first..end {
                let number = frontier[at];
                let node = &self.nodes[number];
                if wildcards && node.hash != NONE {
                    ends.push(End::at(node.hash));
                }
                if wildcards && node.plus != NONE {
                    frontier.push(node.plus);
                }
                if node.levels > 0 {
                    let level_bytes = *level.get_or_insert_with(|| level_bytes(text));
                    frontier.extend(self.child(number, Edge { text: &text[..level_bytes], is_tail: false }));
                }
                let is_looked_up = node.tails > 0
                    && (text.len() <= TAIL_BYTES_MAX || *level.get_or_insert_with(|| level_bytes(text)) == text.len());
                if is_looked_up {
                    let hash = self.hash(number, Edge { text, is_tail: true });
                    ends.push(End { node: NONE, parent: number, hash, text_at: text_at as u32, is_likely: false });
                }
            }
            wildcards = true;
            first = end;
            if first == frontier.len() {
                return;
            }
            text_at += level.unwrap_or_else(|| level_bytes(text)) + 1;
        }
        for &number in &frontier[first..] {
            ends.push(End::at(number));
            // `sport/#` matches `sport` too (4.7.1.2).
            let hash = self.nodes[number].hash;
            if hash != NONE {
                ends.push(End::at(hash));
            }
        }
    }

    /// Bytes counted for the whole tree.
    pub(crate) fn memory_bytes(&self) -> u64 {
        // A node, and three times its entry in the table of edges: while that grows the old one and the new one, twice
        // as large, are there together.
        const NODE_BYTES: u64 = 192;
        u64::from(self.nodes.len()) * NODE_BYTES + self.text_bytes
    }
}

impl<T> Node<T> {
    fn new(parent: u32, edge: Edge<'_>) -> Self {
        let text = Text::new(edge.text);
        let levels = if edge.is_tail { NONE } else { 0 };
        Node { parent, plus: NONE, hash: NONE, tails: 0, levels, text, value: None }
    }

    fn is_tail(&self) -> bool {
        self.levels == NONE
    }

    fn edge(&self) -> Edge<'_> {
        Edge { text: self.text.as_bytes(), is_tail: self.is_tail() }
    }

    /// Whether nothing needs it.
    fn is_empty(&self) -> bool {
        let has_wildcards = self.plus != NONE || self.hash != NONE;
        let has_others = self.tails > 0 || !self.is_tail() && self.levels > 0;
        !has_wildcards && !has_others && self.value.is_none()
    }

    /// A child came or went.
    fn count(&mut self, edge: Edge<'_>, child: u32, is_new: bool) {
        let counter = match edge {
            Edge { is_tail: true, .. } => &mut self.tails,
            Edge { text: b"+", .. } => return self.plus = child,
            Edge { text: b"#", .. } => return self.hash = child,
            Edge { .. } => &mut self.levels,
        };
        *counter = if is_new { *counter + 1 } else { *counter - 1 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(filters: &[&str]) -> FilterTree<()> {
        let mut tree = FilterTree::new(1);
        for filter in filters {
            let node = tree.insert(filter);
            *tree.value_mut(node) = Some(());
            assert_eq!(tree.find(filter), Some(node));
            assert_eq!(tree.path(node), *filter);
        }
        tree
    }

    fn found(tree: &FilterTree<()>, topic: &str) -> Vec<String> {
        let (mut walk, mut paths) = (Walk::default(), Vec::new());
        tree.matching(1, topic, &mut walk, |node, _| paths.push(tree.path(node)));
        paths.sort();
        paths
    }

    // The examples of 4.7.1 and 4.7.2.
    #[test]
    fn filters_match_as_the_standard_shows() {
        let tree =
            tree(&["sport/tennis/player1/#", "sport/#", "#", "+", "+/tennis/#", "sport/+", "/+", "+/+", "$SYS/#"]);
        assert_eq!(found(&tree, "sport"), ["#", "+", "sport/#"]);
        assert_eq!(found(&tree, "sport/"), ["#", "+/+", "sport/#", "sport/+"]);
        assert_eq!(found(&tree, "/finance"), ["#", "+/+", "/+"]);
        assert_eq!(
            found(&tree, "sport/tennis/player1/ranking"),
            ["#", "+/tennis/#", "sport/#", "sport/tennis/player1/#"]
        );
        // [5:MQTT-4.7.2-1]
        assert_eq!(found(&tree, "$SYS/uptime"), ["$SYS/#"]);
    }

    #[test]
    fn what_was_found_ahead_is_what_would_be_found() {
        let all = ["a/b", "a/+", "#", "+/b/#", "a/#", "a/b/c", "b"];
        let tree = tree(&all);
        let mut walk = Walk::default();
        let finds = |version, topic: &str, walk: &mut Walk| {
            let mut paths = Vec::new();
            tree.matching(version, topic, walk, |node, _| paths.push(tree.path(node)));
            paths.sort();
            paths
        };
        let ahead = |topics: &[&str], walk: &mut Walk| {
            tree.look_ahead(7, topics.iter().map(|topic| topic.as_bytes()), walk);
        };
        ahead(&["a/b", "b", "x/b/y", "a"], &mut walk);
        // One that was not announced is found all the same, and so are those that it passed over.
        for topic in ["a/b", "x/b/y", "a/b/c", "a", "b"] {
            assert_eq!(finds(7, topic, &mut walk), found(&tree, topic), "{topic}");
        }
        ahead(&["a/b"], &mut walk);
        // An older state of the tree: the very same ends would be wrong.
        walk.ahead.ends_mut().iter_mut().for_each(|end| end.node = NONE);
        assert_eq!(finds(8, "a/b", &mut walk), found(&tree, "a/b"));
        assert!(finds(7, "a/b", &mut walk).is_empty(), "what was found ahead is used");
        assert_eq!(finds(7, "a/b", &mut walk), found(&tree, "a/b"), "once");
    }

    #[test]
    fn a_topic_with_many_ends_is_the_last_that_is_looked_ahead_at() {
        // Each of eleven levels is `a` or `+`: all match the topic.
        let filters: Vec<String> = (0..2_048_u32)
            .map(|bits| {
                (0..11).map(|level| if bits >> level & 1 == 0 { "a" } else { "+" }).collect::<Vec<_>>().join("/")
            })
            .collect();
        let tree = tree(&filters.iter().map(|filter| &**filter).collect::<Vec<_>>());
        let topic = ["a"; 11].join("/");
        let mut walk = Walk::default();
        tree.look_ahead(7, [&*topic, "b", &*topic].map(str::as_bytes).into_iter(), &mut walk);
        let ends = walk.ahead.ends_mut().len();
        assert!((2_048..2 * 2_048).contains(&ends), "{ends}");
        for topic in [&*topic, "b", &*topic] {
            let mut count = 0;
            tree.matching(7, topic, &mut walk, |_, ()| count += 1);
            assert_eq!(count, if topic == "b" { 0 } else { 2_048 });
        }
    }

    /// 4.7 as it is told, level by level.
    fn matches(filter: &[&str], topic: &[&str]) -> bool {
        match (filter, topic) {
            (["#"], _) | ([], []) => true,
            (["+", filter @ ..], [_, topic @ ..]) => matches(filter, topic),
            ([level, filter @ ..], [name, topic @ ..]) => level == name && matches(filter, topic),
            _ => false,
        }
    }

    /// All paths of up to four of these levels.
    fn paths(levels: &[&str]) -> Vec<String> {
        let mut all: Vec<String> = levels.iter().map(|level| (*level).into()).collect();
        let mut first = 0;
        for _ in 1..4 {
            let end = all.len();
            for at in first..end {
                let path = all[at].clone();
                all.extend(levels.iter().map(|level| [&path, *level].join("/")));
            }
            first = end;
        }
        all
    }

    #[test]
    fn any_filters_match_what_their_levels_match_and_no_node_stays_behind() {
        let long = "x".repeat(120);
        let filters: Vec<String> = paths(&["a", "", &long, "+", "#"])
            .into_iter()
            .filter(|filter| !filter.trim_end_matches('#').contains('#'))
            .collect();
        let names = paths(&["a", "", &long, "b"]);
        // Each tree has another part of the filters, so that none leans on the nodes of all others.
        for part in 0..7 {
            let filters: Vec<&str> = filters.iter().skip(part).step_by(7).map(|filter| &**filter).collect();
            let mut tree = tree(&filters);
            tree.rebuild();
            for name in &names {
                let topic: Vec<&str> = name.split('/').collect();
                let matching = |filter: &&&str| matches(&filter.split('/').collect::<Vec<_>>(), &topic);
                let mut expected: Vec<&str> = filters.iter().filter(matching).copied().collect();
                expected.sort_unstable();
                assert_eq!(found(&tree, name), expected, "{name}");
            }
            for filter in filters {
                let node = tree.find(filter).unwrap();
                *tree.value_mut(node) = None;
                tree.prune(node);
            }
            assert_eq!((tree.nodes.len(), tree.edges.len(), tree.text_bytes), (1, 0, 0));
        }
    }
}
