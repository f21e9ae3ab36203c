//! What the oracles know of a run beforehand: its limits, and who takes part.

use crate::sight::ClientNo;
use crate::world::authority::Rights;
use crate::world::remote::BridgePlan;

use super::{covers, matches};

/// What was agreed with the broker before the run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Terms {
    /// The broker's Receive Maximum.
    pub receive_maximum: u16,
    /// Most messages in flight towards a client, whatever it allows.
    pub in_flight_max: u16,
    /// Longest queue of a Session.
    pub queue_messages_max: u32,
    /// Bytes that wait for a transport before messages are dropped.
    pub outbox_bytes_max: u32,
    /// Bound on the broker's memory.
    pub memory_bytes_max: u64,
    /// Most Retained Messages.
    pub retained_messages_max: u32,
    /// Turns have so little room that packets which arrive together may be looked at in another order.
    pub turns_are_short: bool,
    /// Whether somebody is asked about each client.
    pub asks: bool,
    /// User Name and Password of each client.
    pub introductions: Vec<(Option<String>, Option<String>)>,
    /// What each client may do.
    pub rights: Vec<Rights>,
    /// The bridge, and which client it is seen as.
    pub bridge: Option<(BridgePlan, ClientNo)>,
    /// How long a packet may be held because a record is not stored yet, in microseconds.
    pub held_us_max: u64,
    /// The clients' names. The first is the witness, who subscribes to everything; the last is the auditor, who looks
    /// at the Retained Messages in the end.
    pub names: Vec<String>,
}

/// A denial wins over what is allowed.
fn passes(allowed: Option<&[&str]>, denied: &[&str], fits: impl Fn(&str) -> bool) -> bool {
    !denied.iter().any(|rule| fits(rule)) && allowed.is_none_or(|allowed| allowed.iter().any(|rule| fits(rule)))
}

/// Limits from here on are out of the World's reach.
const OUT_OF_REACH: u32 = 2_000;

impl Terms {
    /// Whether a client may publish to a topic.
    #[must_use]
    pub fn may_publish(&self, client: ClientNo, topic: &str) -> bool {
        let Some(rights) = self.rights.get(client) else { return true };
        passes(rights.publish, rights.publish_not, |rule| matches(rule, topic))
    }

    /// Whether a client may subscribe to a Topic Filter, `$share/name/` left out.
    #[must_use]
    pub fn may_subscribe(&self, client: ClientNo, filter: &str) -> bool {
        let Some(rights) = self.rights.get(client) else { return true };
        passes(rights.subscribe, rights.subscribe_not, |rule| covers(rule, filter))
    }

    /// Whether a client may be sent messages of a topic.
    #[must_use]
    pub fn may_receive(&self, client: ClientNo, topic: &str) -> bool {
        let Some(rights) = self.rights.get(client) else { return true };
        let matches = |rule: &str| matches(rule, topic);
        passes(rights.receive, rights.receive_not, matches) && passes(None, rights.subscribe_not, matches)
    }

    /// Whether messages may be dropped because too many wait.
    #[must_use]
    pub fn may_drop(&self) -> bool {
        self.queue_messages_max < OUT_OF_REACH
    }

    /// Whether there may be more Retained Messages than the broker keeps.
    #[must_use]
    pub fn may_refuse_to_retain(&self) -> bool {
        self.retained_messages_max < OUT_OF_REACH
    }
}
