//! Topic Aliases (3.3.2.3.4), both ways. They belong to a connection and die with it [5:MQTT-3.3.2-7].

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// The aliases that a client has set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct InboundAliases {
    names: Vec<Option<Arc<str>>>,
    bytes: u64,
}

impl InboundAliases {
    /// Sets an alias; the caller has checked it against our Topic Alias Maximum.
    pub(crate) fn set(&mut self, alias: u16, topic: &str) {
        let index = usize::from(alias);
        if self.names.len() <= index {
            self.names.resize(index + 1, None);
        }
        let entry = &mut self.names[index];
        if entry.as_deref() == Some(topic) {
            return;
        }
        self.bytes += topic.len() as u64;
        if let Some(old) = entry.replace(topic.into()) {
            self.bytes -= old.len() as u64;
        }
    }

    pub(crate) fn get(&self, alias: u16) -> Option<Arc<str>> {
        self.names.get(usize::from(alias))?.clone()
    }

    /// Bytes of all names.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// How a Topic Name goes out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AliasUse {
    /// The name alone.
    None,
    /// The name, and an alias for it from now on.
    Sets(u16),
    /// The alias alone.
    Uses(u16),
}

/// The aliases that we set towards a client. Half of them go to the first topics, at once, which is all that a client
/// of few topics needs; the other half to topics that are sent twice, since one that is sent once would only get
/// longer. An alias never changes hands, so that following many topics costs no more than one comparison a slot.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct OutboundAliases {
    max: u16,
    set: Vec<Box<str>>,
    /// Topics sent last without an alias; sent again, they get one.
    once: Vec<Box<str>>,
}

/// Topics remembered as sent once.
const ONCE_MAX: usize = 8;

impl OutboundAliases {
    /// `max` is the lower of the client's Topic Alias Maximum [5:MQTT-3.1.2-26] [5:MQTT-3.3.2-11] and our own limit.
    pub(crate) fn new(max: u16) -> Self {
        OutboundAliases { max, set: Vec::new(), once: Vec::new() }
    }

    /// Whether the client takes none [5:MQTT-3.1.2-27].
    pub(crate) fn is_off(&self) -> bool {
        self.max == 0
    }

    /// Takes back what `choose` set last, because its packet was not sent after all.
    pub(crate) fn take_back(&mut self, chosen: AliasUse) {
        if let AliasUse::Sets(_) = chosen {
            self.set.pop();
        }
    }

    /// How to send this topic. If it sets an alias, the packet must be sent.
    pub(crate) fn choose(&mut self, topic: &str) -> AliasUse {
        if let Some(index) = self.set.iter().position(|known| **known == *topic) {
            return AliasUse::Uses(index as u16 + 1);
        }
        if self.set.len() >= usize::from(self.max) {
            return AliasUse::None;
        }
        let once = self.once.iter().position(|known| **known == *topic);
        if once.is_some() || self.set.len() < usize::from(self.max.div_ceil(2)) {
            let topic = once.map_or_else(|| topic.into(), |index| self.once.swap_remove(index));
            self.set.push(topic);
            return AliasUse::Sets(self.set.len() as u16);
        }
        if self.once.len() == ONCE_MAX {
            self.once.remove(0);
        }
        self.once.push(topic.into());
        AliasUse::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_topics_get_an_alias_at_once_and_others_when_sent_twice() {
        let mut aliases = OutboundAliases::new(2);
        assert_eq!(aliases.choose("a"), AliasUse::Sets(1));
        assert_eq!(aliases.choose("a"), AliasUse::Uses(1));
        assert_eq!(aliases.choose("b"), AliasUse::None);
        assert_eq!(aliases.choose("c"), AliasUse::None);
        assert_eq!(aliases.choose("b"), AliasUse::Sets(2));
        assert_eq!(aliases.choose("b"), AliasUse::Uses(2));
        assert_eq!(aliases.choose("c"), AliasUse::None);
    }
}
