//! The facts that a [`Ledger`](super::Ledger) keeps: of transports, clients with their Sessions, Subscriptions and
//! messages, and how they change. Times tell what is sure from what is possible.

use std::collections::BTreeMap;
use std::rc::Rc;

use wasmqtt_codec::{Qos, RetainHandling};

use super::matches;
use crate::sight::{ClientNo, ConnNo, Seen, SeenSubscribe};

/// A transport.
#[derive(Clone, Debug)]
pub struct ConnFacts {
    /// Whose.
    pub client: ClientNo,
    /// CONNECT, once it reached the broker.
    pub connect: Option<Rc<Seen>>,
    /// When it did, or, if somebody is asked about that, when he said yes.
    pub connect_us: u64,
    /// Whether that has happened.
    pub entered: bool,
    /// When CONNACK with success left.
    pub accepted_us: Option<u64>,
    /// Which Session of its client it has, once it is accepted.
    pub session: u32,
    /// When it was over for the broker.
    pub gone_us: Option<u64>,
    /// DISCONNECT reached the broker with this Reason Code, in time to be read.
    pub disconnect: Option<u8>,
    /// That DISCONNECT had this Session Expiry Interval.
    pub leaving_s: Option<u32>,
    /// DISCONNECT asked for a Session Expiry Interval after none.
    pub prolongs: bool,
    /// Messages by their Packet Identifier towards the broker.
    pub(super) published: BTreeMap<u16, Rc<Seen>>,
    pub(super) subscribing: BTreeMap<u16, usize>,
    pub(super) unsubscribing: BTreeMap<u16, (usize, String)>,
}

/// A client and its present Session.
#[derive(Clone, Debug, Default)]
pub struct ClientFacts {
    /// Raised when the Session is known to have ended.
    pub session: u32,
    /// Its live transport.
    pub live: Option<ConnNo>,
    /// Whether the present Session outlives its connection.
    pub lasts: bool,
    /// How long it does, in seconds.
    pub expiry_s: u32,
    /// When it ends if the client does not come back; while it is away.
    pub until_us: u64,
    /// When it has ended for certain, if the client does not come back: a crash may have forgotten that it left.
    pub(super) over_us: u64,
    /// CONNECTs that came and were not answered yet, in their order, each with its Clean Start.
    pub(super) unanswered: Vec<(ConnNo, bool)>,
    /// When the DISCONNECT of its last connection gave its Session another interval, and the one before in seconds.
    pub(super) changed: Option<(u64, u32)>,
    /// When a crash left it open which Session it has.
    pub doubted_us: Option<u64>,
    /// The last Session that ended although it was to outlive its connection, and when.
    pub(super) ended: Option<(u32, u64)>,
    /// The broker has said that it drops messages for it.
    pub dropping: bool,
    /// Every Subscription, past ones too.
    pub subscriptions: Vec<SubscriptionFacts>,
}

/// A Subscription.
#[derive(Clone, Debug)]
pub struct SubscriptionFacts {
    /// Of which Session.
    pub session: u32,
    /// As it was asked for.
    pub wish: SeenSubscribe,
    /// The Topic Filter without `$share/name/`.
    pub filter: String,
    /// Whether it is a Shared Subscription.
    pub shared: bool,
    /// QoS granted.
    pub granted: Option<Qos>,
    /// SUBSCRIBE reached the broker.
    pub asked_us: u64,
    /// SUBACK left.
    pub granted_us: Option<u64>,
    /// UNSUBSCRIBE, or another SUBSCRIBE with this filter, reached the broker.
    pub unasked_us: Option<u64>,
    /// It is over for certain.
    pub ended_us: Option<u64>,
    /// Whether there was surely or possibly none with this filter before.
    pub possibly_new: bool,
}

/// A message that a client published, or its Will.
#[derive(Clone, Debug)]
pub struct MessageFacts {
    /// Who published it.
    pub publisher: ClientNo,
    /// Topic Name.
    pub topic: Rc<str>,
    /// QoS.
    pub qos: Qos,
    /// RETAIN.
    pub retain: bool,
    /// Message Expiry Interval.
    pub expiry_s: Option<u32>,
    /// Bytes of payload.
    pub len: usize,
    /// Whether it is a Will Message.
    pub is_will: bool,
    /// Each time it reached the broker.
    pub reached_us: Vec<u64>,
    /// In how many Sessions of its publisher it came: another one holds no identifier of the one before.
    pub sessions: usize,
    /// The last of them.
    pub(super) session: u32,
    /// When PUBACK or PUBREC with success left.
    pub accepted_us: Option<u64>,
    /// How many crashes there had been when it first came.
    pub crashes_before: usize,
    /// How many crashes and failures of the store there had been then, one that lasted not counted.
    pub upsets_before: usize,
}

/// Which Subscriptions brought a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Attribution {
    /// Ordinary ones.
    Plain,
    /// A Shared Subscription with this filter, `$share` included.
    Share(String),
    /// Can't be told.
    Unknown,
}

impl ConnFacts {
    /// How long its Session outlives it, in seconds; `u32::MAX` = for ever.
    #[must_use]
    pub fn expiry_s(&self) -> u32 {
        self.leaving_s.unwrap_or_else(|| self.asked_expiry_s())
    }

    /// The same as CONNECT asked for it, whatever DISCONNECT made of it.
    #[must_use]
    pub fn asked_expiry_s(&self) -> u32 {
        match self.connect.as_deref() {
            Some(Seen::Connect(connect)) => connect.session_expiry_s,
            _ => 0,
        }
    }
}

impl SubscriptionFacts {
    /// Whether it was there all the time between these two moments, for certain.
    #[must_use]
    pub fn surely(&self, from_us: u64, to_us: u64) -> bool {
        self.granted_us.is_some_and(|at| at < from_us) && self.unasked_us.is_none_or(|at| at > to_us)
    }

    /// Whether it may have been there at some time between these two moments.
    #[must_use]
    pub fn possibly(&self, from_us: u64, to_us: u64) -> bool {
        self.asked_us <= to_us && self.ended_us.is_none_or(|at| at >= from_us)
    }

    /// Whether it wants this message.
    #[must_use]
    pub fn wants(&self, client: ClientNo, message: &MessageFacts) -> bool {
        matches(&self.filter, &message.topic) && !(self.wish.no_local && message.publisher == client)
    }
}

/// A Topic Filter without `$share/name/`.
#[must_use]
pub fn without_share(filter: &str) -> &str {
    filter.strip_prefix("$share/").and_then(|rest| rest.split_once('/')).map_or(filter, |(_, filter)| filter)
}

impl ClientFacts {
    /// Whether a CONNECT with Clean Start was not answered yet: the Session may be another one already.
    #[must_use]
    pub fn cleaning(&self) -> bool {
        self.unanswered.iter().any(|(_, clean_start)| *clean_start)
    }

    /// Whether its present Session surely lives.
    #[must_use]
    pub fn surely_lives(&self, now_us: u64) -> bool {
        !self.cleaning() && (self.live.is_some() || self.lasts && now_us < self.until_us)
    }

    /// Nobody can know whether a Session was ended before a crash, the present one or the one before: it may have
    /// everything that they had and need have nothing.
    pub(super) fn doubt(&mut self, now_us: u64, ended: Option<u32>) {
        let (present, next) = (self.session, self.session + 1);
        for one in &mut self.subscriptions {
            if one.session == present || Some(one.session) == ended {
                one.unasked_us.get_or_insert(now_us);
                one.ended_us = None;
                one.session = next;
            }
        }
        self.session = next;
        self.doubted_us = Some(now_us);
        self.unanswered.clear();
        self.dropping = true;
    }

    /// CONNACK leaves for this CONNECT, and settles those before it. Says whether one of them had Clean Start: one of
    /// a turn that came behind it can't have ended the Session that this CONNACK speaks of.
    pub(super) fn answered(&mut self, conn: ConnNo) -> bool {
        let settled = self.unanswered.iter().position(|(one, _)| *one == conn).map_or(0, |at| at + 1);
        self.unanswered.drain(..settled).fold(false, |any, (_, clean_start)| any | clean_start)
    }

    pub(super) fn end_session(&mut self, at_us: u64) {
        if self.lasts {
            self.ended = Some((self.session, at_us));
        }
        for one in self.subscriptions.iter_mut().filter(|one| one.session == self.session) {
            one.ended_us.get_or_insert(at_us);
        }
        self.session += 1;
        self.lasts = false;
        self.dropping = false;
    }

    pub(super) fn subscribe(&mut self, now_us: u64, wish: &SeenSubscribe) {
        let session = self.session;
        let mut surely_there = false;
        for one in self.subscriptions.iter_mut().filter(|one| one.session == session && one.wish.filter == wish.filter)
        {
            surely_there |= one.surely(now_us, now_us);
            one.unasked_us.get_or_insert(now_us);
        }
        let filter = without_share(&wish.filter);
        self.subscriptions.push(SubscriptionFacts {
            session,
            wish: wish.clone(),
            filter: filter.into(),
            shared: filter.len() < wish.filter.len(),
            granted: None,
            asked_us: now_us,
            granted_us: None,
            unasked_us: None,
            ended_us: None,
            possibly_new: !surely_there,
        });
    }

    pub(super) fn granted(&mut self, now_us: u64, at: usize, code: u8) {
        let filter = self.subscriptions[at].wish.filter.clone();
        if code > 2 {
            self.subscriptions[at].ended_us = Some(now_us);
            return;
        }
        for one in self.subscriptions[..at].iter_mut().filter(|one| one.wish.filter == filter) {
            one.ended_us.get_or_insert(now_us);
        }
        let one = &mut self.subscriptions[at];
        one.granted = Qos::from_bits(code);
        one.granted_us = Some(now_us);
    }

    pub(super) fn unsubscribe(&mut self, now_us: u64, filter: &str) {
        for one in self.subscriptions.iter_mut().filter(|one| one.wish.filter == filter) {
            one.unasked_us.get_or_insert(now_us);
        }
    }

    pub(super) fn unsubscribed(&mut self, now_us: u64, before: usize, filter: &str) {
        for one in self.subscriptions[..before].iter_mut().filter(|one| one.wish.filter == filter) {
            one.ended_us.get_or_insert(now_us);
        }
    }
}

impl SubscriptionFacts {
    /// Whether it brings Retained Messages, as far as can be told.
    #[must_use]
    pub fn may_bring_retained(&self) -> bool {
        !self.shared
            && match self.wish.retain_handling {
                RetainHandling::SendAtSubscribe => true,
                RetainHandling::SendIfNew => self.possibly_new,
                RetainHandling::DoNotSend => false,
            }
    }
}
