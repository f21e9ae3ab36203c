//! SUBSCRIBE and UNSUBSCRIBE: each entry is granted or refused by itself, in order, as if it had come alone
//! [5:MQTT-3.8.4-5] [311:MQTT-3.8.4-4].

use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use wasmqtt_codec::{
    Packet, Properties, ProtocolVersion, ReasonCode, RetainHandling, Suback, Subscribe, SubscribeEntry,
    SubscriptionOptions, TopicFilter, Unsuback, Unsubscribe,
};

use crate::broker::Broker;
use crate::durable::What;
use crate::error::Refusal;
use crate::level::has_more_levels;
use crate::record::Record;
use crate::retained::Walk;
use crate::session::Subscription;

/// Who subscribed to one Topic Filter.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Subscribers {
    /// Those whose Subscription is not shared.
    pub plain: Plain,
    /// Slots of share groups.
    pub groups: Vec<u32>,
}

/// A Session with a Subscription that is not shared, and all that a message has to know of that: a match must not have
/// to look it up in the Session.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Subscriber {
    pub session: u32,
    /// Subscription Identifier; 0 = none.
    pub identifier: u32,
    pub options: SubscriptionOptions,
}

/// Subscribers of one Topic Filter. Most have one, which then lies in the node itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) enum Plain {
    #[default]
    None,
    One(Subscriber),
    Many(Vec<Subscriber>),
}

impl Plain {
    #[inline]
    pub(crate) fn as_slice(&self) -> &[Subscriber] {
        match self {
            Plain::None => &[],
            Plain::One(one) => core::slice::from_ref(one),
            Plain::Many(many) => many,
        }
    }

    fn as_mut_slice(&mut self) -> &mut [Subscriber] {
        match self {
            Plain::None => &mut [],
            Plain::One(one) => core::slice::from_mut(one),
            Plain::Many(many) => many,
        }
    }

    /// Appends one; gives its place.
    fn push(&mut self, subscriber: Subscriber) -> u32 {
        match self {
            Plain::None => *self = Plain::One(subscriber),
            Plain::One(one) => *self = Plain::Many(alloc::vec![*one, subscriber]),
            Plain::Many(many) => many.push(subscriber),
        }
        self.as_slice().len() as u32 - 1
    }

    /// Takes one out; the last one gets its place and is given back, unless it was the last one itself.
    fn swap_remove(&mut self, position: usize) -> Option<Subscriber> {
        match self {
            Plain::None | Plain::One(_) => *self = Plain::None,
            Plain::Many(many) => {
                many.swap_remove(position);
                if many.is_empty() {
                    *self = Plain::None;
                }
            }
        }
        self.as_slice().get(position).copied()
    }
}

impl Subscribers {
    pub(crate) fn is_empty(&self) -> bool {
        self.plain.as_slice().is_empty() && self.groups.is_empty()
    }
}

/// A Topic Filter taken apart.
#[derive(Clone, Copy)]
struct Wish<'a> {
    share_name: Option<&'a str>,
    /// Without `$share/name/`.
    filter: &'a str,
}

impl<'a> Wish<'a> {
    /// Shared Subscriptions are served to clients of every version, as mosquitto does.
    fn parse(filter: TopicFilter<'a>) -> Result<Self, Refusal> {
        match filter.share() {
            Ok(Some(share)) => Ok(Wish { share_name: Some(share.name), filter: share.filter.as_str() }),
            Ok(None) => Ok(Wish { share_name: None, filter: filter.as_str() }),
            Err(_) => Err(Refusal::ShareNameInvalid),
        }
    }
}

impl Broker {
    /// Answered under the same identifier [5:MQTT-3.8.4-1] [5:MQTT-3.8.4-2] [5:MQTT-2.2.1-6] [311:MQTT-3.8.4-1]
    /// [311:MQTT-3.8.4-2] [311:MQTT-2.3.1-7], with the codes in the filters' order [5:MQTT-3.9.3-1] [311:MQTT-3.9.3-1].
    pub(crate) fn subscribe(&mut self, slot: u32, session: u32, subscribe: &Subscribe<'_>) {
        let identifier = subscribe.properties.subscription_identifiers().next().unwrap_or(0);
        let before = self.log.last;
        let mut codes = Vec::with_capacity(subscribe.filters.len());
        let mut refused = None;
        for entry in subscribe.filters.iter() {
            match self.subscribe_one(slot, session, &entry, identifier) {
                Ok(code) => codes.push(code),
                Err(refusal) => {
                    self.counters.subscribes_refused += 1;
                    if self.closes_v3(slot, refusal) {
                        let fault = self.refused(slot, refusal);
                        return self.fault(slot, fault);
                    }
                    self.event_limit(session, refusal);
                    refused = Some(refusal);
                    codes.push(self.refusal_code(slot, &entry, refusal));
                }
            }
        }
        let text = refused.map_or("", Refusal::text);
        let raw = self.explain(slot, text, false, 5 + codes.len());
        let packet_identifier = subscribe.packet_identifier;
        let suback = Suback { packet_identifier, properties: Properties::written(&raw), codes: &codes };
        let lsn = if self.log.last > before { self.barrier() } else { None };
        self.send_behind(slot, &Packet::Suback(suback), What::Other, lsn);
        self.pump(session);
    }

    /// A Topic Filter that makes no sense ends a 3.x connection, as with mosquitto; 5.0 has codes for it. So does, in
    /// 3.1, a Subscription that can't be stored: its client would be told that it has one.
    fn closes_v3(&mut self, slot: u32, refusal: Refusal) -> bool {
        let senseless = matches!(refusal, Refusal::ShareNameInvalid | Refusal::TopicFilterLevels);
        match self.connection(slot).version {
            ProtocolVersion::V5 => false,
            ProtocolVersion::V3_1_1 => senseless,
            ProtocolVersion::V3_1 => senseless || refusal == Refusal::Storage,
        }
    }

    /// What SUBACK says of a refused entry. 3.1 has no code for it: its client is told the QoS that it asked for and
    /// gets nothing, as with mosquitto.
    fn refusal_code(&mut self, slot: u32, entry: &SubscribeEntry<'_>, refusal: Refusal) -> u8 {
        match self.connection(slot).version {
            ProtocolVersion::V5 => refusal.reason().byte(),
            ProtocolVersion::V3_1_1 => 0x80,
            ProtocolVersion::V3_1 => entry.options.qos.bits(),
        }
    }

    fn subscribe_one(
        &mut self,
        slot: u32,
        session: u32,
        entry: &SubscribeEntry<'_>,
        identifier: u32,
    ) -> Result<u8, Refusal> {
        let wish = Wish::parse(entry.filter)?;
        self.may_subscribe(session, &wish, entry.filter, identifier)?;
        let bridge = self.connection(slot).bridge;
        let options = SubscriptionOptions {
            // A lower QoS than asked for may be granted [5:MQTT-3.8.4-7] [5:MQTT-3.2.2-10].
            qos: entry.options.qos.min(self.config.limits.maximum_qos),
            no_local: entry.options.no_local || bridge && wish.share_name.is_none(),
            retain_as_published: entry.options.retain_as_published || bridge,
            retain_handling: entry.options.retain_handling,
        };
        let is_new = self.add_subscription(session, wish.share_name, wish.filter, options, identifier);
        let state = &self.sessions[session];
        if state.is_durable() {
            let (number, filter) = (state.number, String::from(entry.filter.as_str()));
            self.append(Record::Subscribed { session: number, filter, options, identifier });
        }
        // [5:MQTT-3.3.1-9] [5:MQTT-3.3.1-10] [5:MQTT-3.3.1-11] [311:MQTT-3.3.1-6]; never for shared ones (4.8.2).
        let sends_retained = wish.share_name.is_none()
            && match options.retain_handling {
                RetainHandling::SendAtSubscribe => true,
                RetainHandling::SendIfNew => is_new,
                RetainHandling::DoNotSend => false,
            };
        let node =
            self.subscriptions.find(wish.filter).filter(|_| sends_retained && self.config.limits.retain_available);
        if let Some(node) = node {
            self.start_walk(session, Walk::new(node, wish.filter, options.qos, identifier, self.publications));
        }
        Ok(options.qos.bits())
    }

    /// Whether a Subscription may be made at all.
    fn may_subscribe(
        &self,
        session: u32,
        wish: &Wish<'_>,
        whole: TopicFilter<'_>,
        identifier: u32,
    ) -> Result<(), Refusal> {
        let (limits, state) = (&self.config.limits, &self.sessions[session]);
        if identifier != 0 && !limits.subscription_identifiers_available {
            return Err(Refusal::SubscriptionIdentifiers);
        }
        if wish.share_name.is_some() && !limits.shared_subscription_available {
            return Err(Refusal::SharedSubscriptions);
        }
        // [311:MQTT-3.8.3-2]
        if whole.has_wildcard() && !limits.wildcard_subscription_available {
            return Err(Refusal::WildcardSubscriptions);
        }
        if has_more_levels(wish.filter, limits.topic_levels_max) {
            return Err(Refusal::TopicFilterLevels);
        }
        if !state.access.as_deref().unwrap_or(&self.access).may_subscribe(wish.filter) {
            return Err(Refusal::NotAuthorized);
        }
        if state.is_lasting() && !self.can_store() {
            return Err(Refusal::Storage);
        }
        if self.find_subscription(session, wish.share_name, wish.filter).is_none() {
            return self.room_for_subscription(session);
        }
        Ok(())
    }

    /// Whether one more Subscription can be had.
    fn room_for_subscription(&self, session: u32) -> Result<(), Refusal> {
        let limits = &self.config.limits;
        if self.sessions[session].subscriptions.len() as u64 >= u64::from(limits.subscriptions_per_session_max) {
            return Err(Refusal::SubscriptionsOfSession);
        }
        if self.counters.subscriptions >= u64::from(limits.subscriptions_max) {
            return Err(Refusal::Subscriptions);
        }
        if self.is_memory_short() {
            return Err(Refusal::Memory);
        }
        Ok(())
    }

    /// Adds a Subscription or replaces its options [5:MQTT-3.8.4-3] [311:MQTT-3.8.4-3], which touches nothing that
    /// waits [5:MQTT-3.8.4-4]; says whether it is new.
    pub(crate) fn add_subscription(
        &mut self,
        session: u32,
        share_name: Option<&str>,
        filter: &str,
        options: SubscriptionOptions,
        identifier: u32,
    ) -> bool {
        let known = self.find_subscription(session, share_name, filter);
        if let Some(at) = known {
            self.change_subscription(session, at, options, identifier);
            return false;
        }
        let node = self.subscriptions.insert(filter);
        let subscribers = self.subscriptions.value_mut(node).get_or_insert_default();
        let (share, position) = match share_name {
            None => {
                let position = subscribers.plain.push(Subscriber { session, identifier, options });
                (None, position)
            }
            Some(name) => {
                let (share, position) = self.join_group(name, node, session);
                (Some(share), position)
            }
        };
        let subscription = Subscription { node, share, position, options, identifier };
        let state = &mut self.sessions[session];
        if let Err(at) = state.find(node, share) {
            if state.subscriptions.is_empty() {
                // Most clients have one Subscription.
                state.subscriptions.reserve_exact(1);
            }
            state.subscriptions.insert(at, subscription);
        }
        self.counters.subscriptions += 1;
        self.counters.subscriptions_shared += u64::from(share.is_some());
        self.subscriptions_version += 1;
        true
    }

    /// Gives a Subscription other options [5:MQTT-3.8.4-3] [311:MQTT-3.8.4-3].
    fn change_subscription(&mut self, session: u32, at: usize, options: SubscriptionOptions, identifier: u32) {
        let subscription = &mut self.sessions[session].subscriptions[at];
        subscription.options = options;
        subscription.identifier = identifier;
        let (node, position, shared) = (subscription.node, subscription.position, subscription.share.is_some());
        if !shared && let Some(subscribers) = self.subscriptions.value_mut(node) {
            subscribers.plain.as_mut_slice()[position as usize] = Subscriber { session, identifier, options };
        }
        self.subscriptions_version += 1;
    }

    /// Where a Session has this Subscription.
    fn find_subscription(&self, session: u32, share_name: Option<&str>, filter: &str) -> Option<usize> {
        let node = self.subscriptions.find(filter)?;
        let share = match share_name {
            None => None,
            Some(name) => Some(self.find_group(name, node)?),
        };
        self.sessions[session].find(node, share).ok()
    }

    /// Answered under the same identifier, whatever was found [5:MQTT-3.10.4-4] [5:MQTT-3.10.4-5] [311:MQTT-3.10.4-4]
    /// [311:MQTT-3.10.4-5], once for all filters [5:MQTT-3.10.4-6] [311:MQTT-3.10.4-6], in their order
    /// [5:MQTT-3.11.3-1].
    pub(crate) fn unsubscribe(&mut self, slot: u32, session: u32, unsubscribe: &Unsubscribe<'_>) {
        let before = self.log.last;
        let mut codes = Vec::with_capacity(unsubscribe.filters.len());
        for filter in unsubscribe.filters.iter() {
            if Wish::parse(filter).is_err_and(|refusal| self.closes_v3(slot, refusal)) {
                let fault = self.refused(slot, Refusal::ShareNameInvalid);
                return self.fault(slot, fault);
            }
            codes.push(self.unsubscribe_one(session, filter).byte());
        }
        let packet_identifier = unsubscribe.packet_identifier;
        let v5 = self.connection(slot).version.is_v5();
        // 3.x has no codes here.
        let codes = if v5 { &codes[..] } else { &[] };
        let unsuback = Unsuback { packet_identifier, properties: Properties::EMPTY, codes };
        let lsn = if self.log.last > before { self.barrier() } else { None };
        self.send_behind(slot, &Packet::Unsuback(unsuback), What::Other, lsn);
    }

    /// Ends the Subscription with exactly this filter [5:MQTT-3.10.4-1] [311:MQTT-3.10.4-1]: nothing new is added for
    /// it [5:MQTT-3.10.4-2] [311:MQTT-3.10.4-2], and what was sent or waits is left alone [5:MQTT-3.10.4-3]
    /// [311:MQTT-3.10.4-3].
    fn unsubscribe_one(&mut self, session: u32, filter: TopicFilter<'_>) -> ReasonCode {
        let Ok(wish) = Wish::parse(filter) else { return ReasonCode::TopicFilterInvalid };
        let Some(at) = self.find_subscription(session, wish.share_name, wish.filter) else {
            return ReasonCode::NoSubscriptionExisted;
        };
        let subscription = self.sessions[session].subscriptions.remove(at);
        if subscription.share.is_none() {
            self.stop_walk(session, subscription.node);
        }
        self.remove_subscription(&subscription);
        let state = &self.sessions[session];
        if state.is_durable() {
            let (number, filter) = (state.number, String::from(filter.as_str()));
            self.append(Record::Unsubscribed { session: number, filter });
        }
        ReasonCode::Success
    }

    /// Takes a Subscription, already out of its Session, out of the tree.
    pub(crate) fn remove_subscription(&mut self, subscription: &Subscription) {
        let (node, position) = (subscription.node, subscription.position as usize);
        self.counters.subscriptions -= 1;
        self.subscriptions_version += 1;
        if let Some(share) = subscription.share {
            self.counters.subscriptions_shared -= 1;
            self.leave_group(share, subscription.position);
        } else if let Some(subscribers) = self.subscriptions.value_mut(node) {
            // The last one took the free place and must know it.
            if let Some(moved) = subscribers.plain.swap_remove(position) {
                let state = &mut self.sessions[moved.session];
                let at = state.find(node, None).expect("a subscriber of a node has its Subscription");
                state.subscriptions[at].position = position as u32;
            }
        }
        let value = self.subscriptions.value_mut(node);
        if value.as_ref().is_some_and(Subscribers::is_empty) {
            *value = None;
        }
        self.subscriptions.prune(node);
    }

    /// Takes all Subscriptions of a Session away.
    pub(crate) fn unsubscribe_all(&mut self, session: u32) {
        let mut subscriptions = core::mem::take(&mut self.sessions[session].subscriptions);
        while let Some(subscription) = subscriptions.pop() {
            self.remove_subscription(&subscription);
        }
    }

    /// The Topic Filter of a Subscription as it was asked for.
    pub(crate) fn whole_filter(&self, subscription: &Subscription) -> String {
        match subscription.share.and_then(|share| self.share_filter(share)) {
            Some(filter) => filter,
            None => self.subscriptions.path(subscription.node),
        }
    }

    /// Puts a Subscription back as the log knew it, whatever the limits are now; `None` if that is no Topic Filter.
    pub(crate) fn restore_subscription(
        &mut self,
        session: u32,
        filter: &str,
        options: SubscriptionOptions,
        identifier: u32,
    ) -> Option<()> {
        let wish = Wish::parse(TopicFilter::parse(filter).ok()?).ok()?;
        self.add_subscription(session, wish.share_name, wish.filter, options, identifier);
        Some(())
    }

    /// Takes a Subscription away as the log says.
    pub(crate) fn restore_unsubscription(&mut self, session: u32, filter: &str) {
        let Ok(filter) = TopicFilter::parse(filter) else { return };
        let Ok(wish) = Wish::parse(filter) else { return };
        if let Some(at) = self.find_subscription(session, wish.share_name, wish.filter) {
            if wish.share_name.is_none() {
                self.restore_walk_end(session, wish.filter);
            }
            let subscription = self.sessions[session].subscriptions.remove(at);
            self.remove_subscription(&subscription);
        }
    }
}
