//! Shared Subscriptions (4.8.2): a group is a share name and a Topic Filter, and each message goes to one member. Turns
//! go round; a member that can take the message now goes before one that would have to wait for it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::hash::{BuildHasher, Hasher};
use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};
use wasmqtt_codec::Qos;

use crate::broker::Broker;
use crate::inflight::ShareId;
use crate::message::MessageId;
use crate::route::{Fan, Matches, Target};

/// The members of one share.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    pub number: u32,
    name: String,
    node: u32,
    /// The Topic Filter as it was asked for, `$share/name/` included.
    filter: String,
    /// Sessions.
    members: Vec<u32>,
    /// Whose turn it is.
    next: u32,
}

impl Group {
    pub(crate) fn has(&self, session: u32) -> bool {
        self.members.contains(&session)
    }

    pub(crate) fn filter(&self) -> String {
        self.filter.clone()
    }
}

fn group_hash(hash_key: u64, name: &str, node: u32) -> u64 {
    let mut hasher = FixedState::with_seed(hash_key).build_hasher();
    hasher.write_u32(node);
    hasher.write(name.as_bytes());
    hasher.finish()
}

impl Broker {
    pub(crate) fn find_group(&self, name: &str, node: u32) -> Option<ShareId> {
        let hash = group_hash(self.hash_key, name, node);
        let slot = *self.share_index.find(hash, |slot| {
            let group = &self.shares[*slot];
            group.node == node && group.name == name
        })?;
        Some(ShareId { slot, number: self.shares[slot].number })
    }

    /// Makes the look-up table anew, which is not saved.
    pub(crate) fn rebuild_share_index(&mut self) {
        let (shares, hash_key) = (&self.shares, self.hash_key);
        self.share_index.clear();
        for (slot, group) in shares.iter() {
            let rehash = |slot: &u32| group_hash(hash_key, &shares[*slot].name, shares[*slot].node);
            self.share_index.insert_unique(group_hash(hash_key, &group.name, group.node), slot, rehash);
        }
    }

    /// Adds a member to a group, which is made if need be.
    pub(crate) fn join_group(&mut self, name: &str, node: u32, session: u32) -> (ShareId, u32) {
        let share = self.find_group(name, node).unwrap_or_else(|| self.add_group(name, node));
        let group = &mut self.shares[share.slot];
        group.members.push(session);
        (share, group.members.len() as u32 - 1)
    }

    fn add_group(&mut self, name: &str, node: u32) -> ShareId {
        self.share_number += 1;
        let number = self.share_number;
        let filter = format!("$share/{name}/{}", self.subscriptions.path(node));
        let slot = self.shares.insert(Group { number, name: name.into(), node, filter, members: Vec::new(), next: 0 });
        let (shares, hash_key) = (&self.shares, self.hash_key);
        let rehash = |slot: &u32| group_hash(hash_key, &shares[*slot].name, shares[*slot].node);
        self.share_index.insert_unique(group_hash(hash_key, name, node), slot, rehash);
        self.subscriptions.value_mut(node).get_or_insert_default().groups.push(slot);
        ShareId { slot, number }
    }

    /// Takes the member at a position out, and the group with its last one.
    pub(crate) fn leave_group(&mut self, share: ShareId, position: usize) {
        let group = &mut self.shares[share.slot];
        group.members.swap_remove(position);
        let node = group.node;
        if let Some(&moved) = group.members.get(position) {
            let state = &mut self.sessions[moved];
            let at = state.find(node, Some(share)).expect("a member of a group has its Subscription");
            state.subscriptions[at].position = position as u32;
            return;
        }
        if !group.members.is_empty() {
            return;
        }
        let hash = group_hash(self.hash_key, &group.name, node);
        if let Ok(entry) = self.share_index.find_entry(hash, |slot| *slot == share.slot) {
            entry.remove();
        }
        self.shares.remove(share.slot);
        if let Some(subscribers) = self.subscriptions.value_mut(node) {
            subscribers.groups.retain(|slot| *slot != share.slot);
        }
    }

    pub(crate) fn share_filter(&self, share: ShareId) -> Option<String> {
        self.shares.get(share.slot).filter(|group| group.number == share.number).map(Group::filter)
    }

    /// The group of a `$share` Topic Filter.
    pub(crate) fn share_of_filter(&self, filter: &str) -> Option<ShareId> {
        let (name, filter) = filter.strip_prefix("$share/")?.split_once('/')?;
        self.find_group(name, self.subscriptions.find(filter)?)
    }

    /// The member whose turn it is for a message on this topic and QoS, among those that can have it.
    pub(crate) fn pick_member(&mut self, slot: u32, topic: &str, qos: Qos) -> Option<Target> {
        let group = &self.shares[slot];
        let share = ShareId { slot, number: group.number };
        let count = group.members.len() as u32;
        let turns = (0..count).map(|step| (group.next + step) % count);
        let mut best = None;
        for turn in turns {
            let session = group.members[turn as usize];
            let Some(fitness) = self.fitness(session, group.node, share, topic, qos) else { continue };
            if best.is_none_or(|(best, _)| fitness > best) {
                best = Some((fitness, turn));
            }
            if fitness == Fitness::Now {
                break;
            }
        }
        let (_, turn) = best?;
        let group = &mut self.shares[slot];
        group.next = (turn + 1) % count;
        let (session, node) = (group.members[turn as usize], group.node);
        let state = &self.sessions[session];
        let at = state.find(node, Some(share)).expect("a member of a group has its Subscription");
        Some(Target::new(session, &state.subscriptions[at]))
    }

    /// How well a member could take a message; `None` if it may or can not.
    fn fitness(&self, session: u32, node: u32, share: ShareId, topic: &str, qos: Qos) -> Option<Fitness> {
        let state = &self.sessions[session];
        if !state.access.as_deref().unwrap_or(&self.access).may_receive(topic) {
            return None;
        }
        let at = state.find(node, Some(share)).expect("a member of a group has its Subscription");
        let waits_well = qos.min(state.subscriptions[at].options.qos) > Qos::AtMostOnce;
        let Some(slot) = state.connection else { return waits_well.then_some(Fitness::Offline) };
        let connection = self.connections[slot as usize].as_ref()?;
        let full = connection.outbox.len() > u64::from(self.config.limits.outbox_bytes_max);
        let room = !waits_well || state.queue.is_empty() && state.window.has_room(connection.quota);
        Some(if full || !room { Fitness::Later } else { Fitness::Now })
    }

    /// Gives a kept message to a member of a share because the one that had it is gone (4.8.2).
    pub(crate) fn deliver_to_share(&mut self, share: ShareId, id: MessageId) {
        if self.share_filter(share).is_none() {
            return;
        }
        let message = self.messages.get(id).clone();
        let Some(target) = self.pick_member(share.slot, &message.topic, message.qos) else { return };
        let mut fan = Fan::new(message.outgoing(), None, 1);
        fan.kept = Some(self.messages.share(id));
        let mut frames = core::mem::take(&mut self.frames);
        frames.start();
        self.deliver(&target, &mut fan, &mut frames);
        self.frames = frames;
        self.log_published(&mut fan, None, false);
        self.settle(fan, &Matches { groups: [share.slot].into(), ..Matches::default() });
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fitness {
    /// It is away; its Session keeps the message.
    Offline,
    /// It is here and has much to do.
    Later,
    /// It can take it now.
    Now,
}
