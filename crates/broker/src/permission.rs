//! What a client may do, decided without asking anybody: Topic Filters with `%c` and `%u` filled in once, when the
//! client is authenticated. A denial wins over every allowance.

use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use wasmqtt_codec::TopicFilter;

use crate::config::{Allowed, Permissions, Rules};
use crate::level::levels;
use crate::text::{filled_in, has_variable};

/// The permissions of one client, ready to be asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Access {
    publish: Gate,
    subscribe: Gate,
    receive: Gate,
    /// As they were given, for the log.
    given: Permissions,
}

/// One set of rules with its variables filled in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Gate {
    /// `None` allows everything.
    allow: Option<Vec<String>>,
    deny: Vec<String>,
    /// A denial could not be filled in: nothing passes, for nobody can say what it would have denied.
    closed: bool,
}

impl Access {
    pub(crate) fn new(permissions: &Permissions, client_identifier: &str, user: Option<&str>) -> Self {
        let gate = |rules: &Rules| Gate::new(rules, client_identifier, user);
        let subscribe = gate(&permissions.subscribe);
        let mut receive = gate(&permissions.receive);
        // What may not be subscribed to is not received through a wider Topic Filter either.
        receive.deny.extend_from_slice(&subscribe.deny);
        receive.closed |= subscribe.closed;
        Access { publish: gate(&permissions.publish), subscribe, receive, given: permissions.clone() }
    }

    pub(crate) fn given(&self) -> &Permissions {
        &self.given
    }

    #[inline(always)]
    pub(crate) fn may_publish(&self, topic: &str) -> bool {
        self.publish.is_open() || self.publish.passes_topic(topic)
    }

    #[inline(always)]
    pub(crate) fn may_receive(&self, topic: &str) -> bool {
        self.receive.is_open() || self.receive.passes_topic(topic)
    }

    /// Whether every topic is received, so that nobody need be asked message by message.
    pub(crate) fn receives_everything(&self) -> bool {
        self.receive.is_open()
    }

    /// `filter` is without `$share/name/`.
    pub(crate) fn may_subscribe(&self, filter: &str) -> bool {
        let denied = self.subscribe.closed || self.subscribe.deny.iter().any(|rule| covers(rule, filter));
        !denied && self.subscribe.allow.as_ref().is_none_or(|allow| allow.iter().any(|rule| covers(rule, filter)))
    }
}

impl Gate {
    fn new(rules: &Rules, client_identifier: &str, user: Option<&str>) -> Self {
        let fill = |filters: &[String]| {
            filters.iter().filter_map(|filter| fill_in(filter, client_identifier, user)).collect::<Vec<_>>()
        };
        let allow = match &rules.allow {
            Allowed::Everything => None,
            Allowed::Filters(filters) => Some(fill(filters)),
        };
        let deny = fill(&rules.deny);
        let closed = deny.len() < rules.deny.len();
        // What is no Topic Filter matches nothing.
        let filters = |rules: Vec<String>| rules.into_iter().filter(|rule| TopicFilter::parse(rule).is_ok()).collect();
        let (allow, deny) = (allow.map(filters), filters(deny));
        Gate { allow, deny, closed }
    }

    fn is_open(&self) -> bool {
        self.allow.is_none() && self.deny.is_empty() && !self.closed
    }

    #[inline(always)]
    fn passes_topic(&self, topic: &str) -> bool {
        // A Topic Name is a Topic Filter that matches itself alone.
        let matches = |rule: &String| covers(rule, topic);
        !self.closed
            && !self.deny.iter().any(matches)
            && self.allow.as_ref().is_none_or(|allow| allow.iter().any(matches))
    }
}

/// Fills in the variables. A value that would bring in a wildcard or a level of its own makes the rule void: a client
/// could otherwise name itself `#` and read everything. An allowance that is void allows nothing.
fn fill_in(filter: &str, client_identifier: &str, user: Option<&str>) -> Option<String> {
    let values = [("%c", client_identifier), ("%u", user.unwrap_or(""))];
    let is_void = |value: &str| value.is_empty() || value.contains(['+', '#', '/']);
    if values.into_iter().any(|(variable, value)| has_variable(filter, variable) && is_void(value)) {
        return None;
    }
    Some(filled_in(filter, &values))
}

/// Whether `rule` matches every Topic Name that `filter` could match.
#[inline(always)]
fn covers(rule: &str, filter: &str) -> bool {
    let (own, other) = (rule.as_bytes().first(), filter.as_bytes().first());
    let may_cover = match own {
        // A leading wildcard doesn't reach `$` topics [5:MQTT-4.7.2-1].
        Some(b'+' | b'#') => other != Some(&b'$'),
        // Most rules differ here already, and then no level need be looked at.
        Some(_) | None => own == other,
    };
    may_cover && covers_levels(rule, filter)
}

fn covers_levels(rule: &str, filter: &str) -> bool {
    let (mut rule, mut filter) = (levels(rule), levels(filter));
    loop {
        match (rule.next(), filter.next()) {
            (Some(b"#"), _) | (None, None) => return true,
            (Some(b"+"), Some(level)) if level != b"#" => {}
            (Some(own), Some(level)) if own == level => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn a_rule_covers_what_it_matches_as_a_whole() {
        assert!(covers("#", "a/b") && covers("a/#", "a") && covers("a/+", "a/+") && covers("a/#", "a/+/c"));
        assert!(!covers("a/+", "a/#") && !covers("a", "a/b") && !covers("#", "$SYS/x") && !covers("a/b", "a/+"));
    }

    #[test]
    fn variables_bring_no_wildcards_in() {
        assert_eq!(fill_in("home/%c/%u", "bob", Some("eve")), Some("home/bob/eve".into()));
        assert_eq!(fill_in("home/%u/x", "bob", Some("%c")), Some("home/%c/x".into()));
        assert_eq!(fill_in("home/%c/%u", "bob", Some("%c")), Some("home/bob/%c".into()));
        assert_eq!(fill_in("home/%c", "#", None), None);
        assert_eq!(fill_in("home/%u", "bob", None), None);
        assert_eq!(fill_in("home/%u", "bob", Some("a/b")), None);
    }

    #[test]
    fn a_denial_that_cannot_be_filled_in_denies_everything() {
        let rules = Rules { allow: Allowed::Everything, deny: vec!["dev/%c/config".into()] };
        assert!(Gate::new(&rules, "a", None).passes_topic("dev/b/config"));
        assert!(!Gate::new(&rules, "a/b", None).passes_topic("dev/a/b/config"));
    }

    #[test]
    fn a_denial_wins() {
        let rules = Rules { allow: Allowed::Filters(vec!["a/#".into()]), deny: vec!["a/secret".into()] };
        let gate = Gate::new(&rules, "c", None);
        assert!(gate.passes_topic("a/b") && !gate.passes_topic("a/secret") && !gate.passes_topic("b"));
    }
}
