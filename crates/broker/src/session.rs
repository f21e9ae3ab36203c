//! A Session: what the broker remembers of a client, connected or not (4.1). It outlives connections, holds
//! Subscriptions, unfinished exchanges and what waits to be sent, and ends when its expiry interval has passed.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use wasmqtt_codec::{ProtocolVersion, SubscriptionOptions};

use crate::error::Refusal;
use crate::inflight::{Delivery, Received, ShareId, Window};
use crate::message::Message;
use crate::permission::Access;
use crate::retained::{Walk, Walks};
use crate::time::Time;
use crate::timers::TimerKey;

/// `session_expiry_interval_s` of a Session that never ends by itself (3.1.2.11.2).
pub(crate) const NEVER: u32 = u32::MAX;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    pub client_identifier: String,
    /// Names it in the log; never used twice.
    pub number: u64,
    pub version: ProtocolVersion,
    /// Who the client proved to be.
    pub user: Option<String>,
    /// What it may do, with `%c` and `%u` filled in; `None` follows the broker's own permissions.
    pub access: Option<Box<Access>>,
    /// Whether a verdict gave `access`; if not, new permissions of the broker replace it.
    pub granted: bool,
    /// The slot of its connection while it is connected.
    pub connection: Option<u32>,
    pub session_expiry_interval_s: u32,
    /// When it ends, while it is not connected.
    pub expires_at: Option<Time>,
    pub expiry_timer: Option<TimerKey>,
    /// By node and share; sorted.
    pub subscriptions: Vec<Subscription>,
    pub queue: VecDeque<Delivery>,
    pub queue_bytes: u64,
    pub window: Window,
    pub received: Received,
    /// Retained Messages still to be sent for new Subscriptions.
    pub walks: Walks,
    /// The next delivery's name in the log.
    pub next_sequence: u64,
    pub will: Option<Box<Will>>,
    /// When the Will Message is due, while its delay runs.
    pub will_at: Option<Time>,
    pub will_timer: Option<TimerKey>,
    /// Whether an event already told that messages are being dropped; cleared when one is queued again.
    pub dropping: bool,
    /// What its client was refused on this connection, as far as the operator was told.
    pub told: Vec<Refusal>,
    /// Whether the log knows this Session.
    pub logged: bool,
    /// Whether the log knows what it holds: it does from the first connection on that the Session outlives.
    pub durable: bool,
    /// Restored as connected: the connection is lost, and that has still to take its course.
    pub lost: bool,
}

/// A Will Message that waits for its cause (3.1.2.5).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Will {
    /// The message.
    pub message: Message,
    /// Message Expiry Interval, which begins when the Will is published (3.1.3.2.4).
    pub expiry_s: Option<u32>,
    /// Will Delay Interval in seconds.
    pub delay_s: u32,
}

/// One Subscription of a Session; the tree's entry points back here.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Subscription {
    /// The node of its Topic Filter.
    pub node: u32,
    /// The share group, if it is shared.
    pub share: Option<ShareId>,
    /// Its place among the node's subscribers or the group's members.
    pub position: u32,
    pub options: SubscriptionOptions,
    /// Subscription Identifier; 0 = none.
    pub identifier: u32,
}

impl Subscription {
    /// What orders and finds Subscriptions of a Session.
    pub(crate) fn key(&self) -> (u32, u64) {
        (self.node, self.share.map_or(0, |share| share.number))
    }
}

impl Session {
    pub(crate) fn new(client_identifier: String, number: u64, version: ProtocolVersion) -> Self {
        Session {
            client_identifier,
            number,
            version,
            user: None,
            access: None,
            granted: false,
            connection: None,
            session_expiry_interval_s: 0,
            expires_at: None,
            expiry_timer: None,
            subscriptions: Vec::new(),
            queue: VecDeque::new(),
            queue_bytes: 0,
            window: Window::default(),
            received: Received::default(),
            walks: Walks::default(),
            next_sequence: 1,
            will: None,
            will_at: None,
            will_timer: None,
            dropping: false,
            told: Vec::new(),
            logged: false,
            durable: false,
            lost: false,
        }
    }

    /// Whether the log knows what it holds. Of a Session that always ended with its connection it knows the Will at
    /// most.
    pub(crate) fn is_durable(&self) -> bool {
        self.durable
    }

    /// What is counted for it byte by byte.
    pub(crate) fn bytes(&self) -> u64 {
        let will = self.will.as_ref().map_or(0, |will| will.message.bytes());
        self.client_identifier.len() as u64 + will + self.walks.iter().map(Walk::bytes).sum::<u64>()
    }

    /// Whether it outlives its connection.
    pub(crate) fn is_lasting(&self) -> bool {
        self.session_expiry_interval_s > 0
    }

    /// Where a Subscription is, or where it would be.
    pub(crate) fn find(&self, node: u32, share: Option<ShareId>) -> Result<usize, usize> {
        let key = (node, share.map_or(0, |share| share.number));
        self.subscriptions.binary_search_by_key(&key, Subscription::key)
    }
}
