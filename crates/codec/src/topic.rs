//! Topic Name and Topic Filter (section 4.7), and the `$share` form of a filter (section 4.8.2).
//!
//! A Topic Name says what a message is about; a Topic Filter says what a Subscription wants, with `+` for one
//! level and `#` for all that follow. They look alike and must not be mixed up, so they are different types,
//! and each can only be made by checking. [`TopicFilter::matches`] is the rule of section 4.7 as plainly as it
//! can be written: a broker matches with a tree, and this is what the tree is tested against.

use bytes::BufMut;

use crate::string::{self, BYTES_MAX, contains, position};
use crate::{Rule, check_utf8};

/// The Topic Name of a message: at least one character, no wildcard, no U+0000, at most 65,535 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TopicName<'a>(&'a str);

impl<'a> TopicName<'a> {
    /// The Topic Name with these characters.
    ///
    /// # Errors
    ///
    /// [`Rule::TopicNameEmpty`], [`Rule::TopicNameWildcard`], [`Rule::Utf8Null`] and [`Rule::TopicTooLong`].
    pub fn parse(name: &'a str) -> Result<Self, Rule> {
        Self::locate(check_text(name)?).map_err(|(rule, _)| rule)
    }

    /// As [`TopicName::parse`] for a string that was checked already; on an error also the byte in question.
    #[inline]
    pub(crate) fn locate(name: &'a str) -> Result<Self, (Rule, usize)> {
        let bytes = name.as_bytes();
        // [5:MQTT-4.7.3-1] [311:MQTT-4.7.3-1] At least one character.
        if bytes.is_empty() {
            return Err((Rule::TopicNameEmpty, 0));
        }
        // [5:MQTT-4.7.0-1] [311:MQTT-4.7.1-1] No wildcard characters.
        if contains(bytes, [b'+', b'#']) {
            return Err((Rule::TopicNameWildcard, position(bytes, b'+').min(position(bytes, b'#'))));
        }
        Ok(Self(name))
    }

    /// A name that came from a packet which was decoded before.
    #[inline]
    pub(crate) const fn known(name: &'a str) -> Self {
        Self(name)
    }

    /// The characters.
    #[inline]
    pub const fn as_str(&self) -> &'a str {
        self.0
    }
}

/// The Topic Filter of a Subscription: at least one character, wildcards only where they may stand.
///
/// A filter that starts with `$share/` is one of these too; [`TopicFilter::share`] takes it apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TopicFilter<'a>(&'a str);

/// The two parts of `$share/{ShareName}/{filter}` (section 4.8.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Share<'a> {
    /// The ShareName: at least one character, none of `/`, `+`, `#`.
    pub name: &'a str,
    /// The Topic Filter that the members of the share have in common.
    pub filter: TopicFilter<'a>,
}

impl<'a> TopicFilter<'a> {
    /// The Topic Filter with these characters. `$share/` means nothing here.
    ///
    /// # Errors
    ///
    /// [`Rule::TopicFilterEmpty`], [`Rule::TopicFilterMultiLevel`], [`Rule::TopicFilterSingleLevel`],
    /// [`Rule::Utf8Null`] and [`Rule::TopicTooLong`].
    pub fn parse(filter: &'a str) -> Result<Self, Rule> {
        Self::locate(check_text(filter)?).map_err(|(rule, _)| rule)
    }

    /// As [`TopicFilter::parse`] for a string that was checked already; on an error also the byte in question.
    pub(crate) fn locate(filter: &'a str) -> Result<Self, (Rule, usize)> {
        // [5:MQTT-4.7.3-1] [311:MQTT-4.7.3-1] At least one character.
        if filter.is_empty() {
            return Err((Rule::TopicFilterEmpty, 0));
        }
        let mut at = 0;
        for level in filter.split('/') {
            let end = at + level.len();
            // [5:MQTT-4.7.1-1] [311:MQTT-4.7.1-2] `#` fills a level, and that level is the last.
            if level.contains('#') && (level != "#" || end != filter.len()) {
                return Err((Rule::TopicFilterMultiLevel, at + position(level.as_bytes(), b'#')));
            }
            // [5:MQTT-4.7.1-2] [311:MQTT-4.7.1-3] `+` fills a level.
            if level.contains('+') && level != "+" {
                return Err((Rule::TopicFilterSingleLevel, at + position(level.as_bytes(), b'+')));
            }
            at = end + 1;
        }
        Ok(Self(filter))
    }

    /// A filter from a list that was checked when its packet was decoded.
    #[inline]
    pub(crate) const fn known(filter: &'a str) -> Self {
        Self(filter)
    }

    /// The characters, `$share/` included.
    #[inline]
    pub const fn as_str(&self) -> &'a str {
        self.0
    }

    /// Writes the filter as UNSUBSCRIBE carries it: its length in two bytes, then its characters.
    pub fn encode(&self, out: &mut impl BufMut) {
        string::encode(self.0.as_bytes(), out);
    }

    /// How many bytes [`TopicFilter::encode`] writes.
    pub const fn encoded_bytes(&self) -> usize {
        string::encoded_bytes(self.0.as_bytes())
    }

    /// Whether there is a `+` or `#`: whether the filter can match more than one Topic Name.
    pub fn has_wildcard(&self) -> bool {
        contains(self.0.as_bytes(), [b'+', b'#'])
    }

    /// The parts of a Shared Subscription's filter; `None` if this filter does not start with `$share/`.
    ///
    /// Shared Subscriptions came with MQTT 5.0. Whether to offer them in 3.x is the caller's choice.
    ///
    /// # Errors
    ///
    /// [`Rule::ShareNameEmpty`], [`Rule::ShareNameWildcard`] and [`Rule::ShareFilterMissing`].
    pub fn share(&self) -> Result<Option<Share<'a>>, Rule> {
        let Some(rest) = self.0.strip_prefix("$share/") else {
            return Ok(None);
        };
        // [5:MQTT-4.8.2-2] The ShareName ends at the first `/`, so it cannot contain one, and one must follow it.
        let (name, filter) = rest.split_once('/').unwrap_or((rest, ""));
        // [5:MQTT-4.8.2-1] A ShareName has at least one character.
        if name.is_empty() {
            return Err(Rule::ShareNameEmpty);
        }
        // [5:MQTT-4.8.2-2] The other wildcards.
        if name.contains(['+', '#']) {
            return Err(Rule::ShareNameWildcard);
        }
        // [5:MQTT-4.8.2-2] A Topic Filter follows. Its wildcards were checked with the whole.
        if filter.is_empty() {
            return Err(Rule::ShareFilterMissing);
        }
        Ok(Some(Share { name, filter: Self(filter) }))
    }

    /// Whether a message with this Topic Name is wanted (section 4.7). `$share/` means nothing here.
    pub fn matches(&self, name: &TopicName<'_>) -> bool {
        self.mismatch(name).is_none()
    }

    /// The first level, counted from 1, at which this filter and this Topic Name do not fit; `None` if they match.
    pub fn mismatch(&self, name: &TopicName<'_>) -> Option<usize> {
        // [5:MQTT-4.7.2-1] [311:MQTT-4.7.2-1] A leading wildcard does not match a leading `$`.
        if name.0.starts_with('$') && self.0.starts_with(['+', '#']) {
            return Some(1);
        }
        let mut names = name.0.split('/');
        let mut depth = 0;
        for level in self.0.split('/') {
            // `#` stands for the parent level too: what was matched so far is enough.
            if level == "#" {
                return None;
            }
            depth += 1;
            // [5:MQTT-4.7.3-4] [311:MQTT-4.7.3-4] Byte for byte, without any normalization.
            if !names.next().is_some_and(|name| level == "+" || level == name) {
                return Some(depth);
            }
        }
        names.next().map(|_| depth + 1)
    }
}

/// What names and filters have in common with every string of MQTT.
fn check_text(text: &str) -> Result<&str, Rule> {
    // [5:MQTT-4.7.3-3] [311:MQTT-4.7.3-3] At most 65,535 bytes.
    if text.len() > BYTES_MAX {
        return Err(Rule::TopicTooLong);
    }
    // [5:MQTT-4.7.3-2] [311:MQTT-4.7.3-2] No U+0000.
    check_utf8(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(text: &str) -> TopicFilter<'_> {
        TopicFilter::parse(text).expect(text)
    }

    fn matches(pattern: &str, name: &str) -> bool {
        filter(pattern).matches(&TopicName::parse(name).expect(name))
    }

    /// [5:MQTT-4.7.3-1] [5:MQTT-4.7.3-2] [5:MQTT-4.7.3-3] [5:MQTT-4.7.0-1]
    /// [311:MQTT-4.7.3-1] [311:MQTT-4.7.3-2] [311:MQTT-4.7.3-3] [311:MQTT-4.7.1-1]
    #[test]
    fn names() {
        for good in ["a", "/", "//", " ", "a/b", "/a/", "$SYS/x", "Accounts payable"] {
            assert_eq!(TopicName::parse(good).map(|name| name.as_str()), Ok(good));
        }
        assert_eq!(TopicName::parse(""), Err(Rule::TopicNameEmpty));
        assert_eq!(TopicName::parse("a\0"), Err(Rule::Utf8Null));
        assert_eq!(TopicName::locate("a/+"), Err((Rule::TopicNameWildcard, 2)));
        assert_eq!(TopicName::locate("#b+"), Err((Rule::TopicNameWildcard, 0)));
        let long = [b'x'; BYTES_MAX + 1];
        let long = core::str::from_utf8(&long).unwrap();
        assert_eq!(TopicName::parse(long), Err(Rule::TopicTooLong));
        assert!(TopicName::parse(&long[1..]).is_ok());
        assert_eq!(TopicFilter::parse(long), Err(Rule::TopicTooLong));
        assert_eq!(TopicFilter::parse("a\0"), Err(Rule::Utf8Null));
        assert_eq!(TopicFilter::parse(""), Err(Rule::TopicFilterEmpty));
    }

    /// [5:MQTT-4.7.1-1] [5:MQTT-4.7.1-2] [311:MQTT-4.7.1-2] [311:MQTT-4.7.1-3]
    #[test]
    fn wildcards_where_they_may_stand() {
        for good in ["#", "+", "/#", "+/#", "sport/tennis/#", "+/tennis/#", "sport/+/player1", "/+", "+/+", "a", "//"] {
            assert_eq!(filter(good).has_wildcard(), good.contains(['+', '#']));
        }
        for bad in ["sport/tennis#", "sport/tennis/#/ranking", "##", "#/", "a/#b", "#/#", "+#"] {
            assert_eq!(TopicFilter::parse(bad), Err(Rule::TopicFilterMultiLevel), "{bad}");
        }
        for bad in ["sport+", "+a/b", "a/b+/c", "++", "a/++"] {
            assert_eq!(TopicFilter::parse(bad), Err(Rule::TopicFilterSingleLevel), "{bad}");
        }
        assert_eq!(TopicFilter::locate("a/b+/c"), Err((Rule::TopicFilterSingleLevel, 3)));
    }

    /// The examples of section 4.7.1.
    #[test]
    fn examples_of_the_standard() {
        for name in ["sport/tennis/player1", "sport/tennis/player1/ranking", "sport/tennis/player1/score/wimbledon"] {
            assert!(matches("sport/tennis/player1/#", name));
        }
        assert!(matches("sport/#", "sport"));
        assert!(matches("#", "sport/tennis"));
        assert!(matches("sport/tennis/+", "sport/tennis/player2"));
        assert!(!matches("sport/tennis/+", "sport/tennis/player1/ranking"));
        assert!(!matches("sport/+", "sport"));
        assert!(matches("sport/+", "sport/"));
        assert!(matches("+/+", "/finance"));
        assert!(matches("/+", "/finance"));
        assert!(!matches("+", "/finance"));
    }

    /// [5:MQTT-4.7.2-1] [311:MQTT-4.7.2-1]
    #[test]
    fn dollar_topics() {
        assert!(!matches("#", "$SYS/monitor/Clients"));
        assert!(!matches("+/monitor/Clients", "$SYS/monitor/Clients"));
        assert!(matches("$SYS/#", "$SYS/monitor/Clients"));
        assert!(matches("$SYS/monitor/+", "$SYS/monitor/Clients"));
        assert!(matches("a/+", "a/$b"));
    }

    /// [5:MQTT-4.7.3-4] [311:MQTT-4.7.3-4]
    #[test]
    fn no_normalization() {
        assert!(!matches("ACCOUNTS", "Accounts"));
        assert!(!matches("/finance", "finance"));
        assert!(!matches("e\u{301}", "\u{E9}"));
        assert!(!matches("a//b", "a/b"));
        assert!(!matches("a/b", "a/b/"));
    }

    /// [5:MQTT-4.8.2-1] [5:MQTT-4.8.2-2]
    #[test]
    fn shares() {
        assert_eq!(filter("$share/g/a/#").share(), Ok(Some(Share { name: "g", filter: filter("a/#") })));
        assert_eq!(filter("$share/g//a").share(), Ok(Some(Share { name: "g", filter: filter("/a") })));
        assert_eq!(filter("$share").share(), Ok(None));
        assert_eq!(filter("a/$share/b").share(), Ok(None));
        assert_eq!(filter("$share//a").share(), Err(Rule::ShareNameEmpty));
        assert_eq!(filter("$share/").share(), Err(Rule::ShareNameEmpty));
        assert_eq!(filter("$share/+/a").share(), Err(Rule::ShareNameWildcard));
        assert_eq!(filter("$share/#").share(), Err(Rule::ShareNameWildcard));
        assert_eq!(filter("$share/g").share(), Err(Rule::ShareFilterMissing));
        assert_eq!(filter("$share/g/").share(), Err(Rule::ShareFilterMissing));
    }
}
