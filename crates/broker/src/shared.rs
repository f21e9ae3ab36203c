//! Shared Subscriptions (4.8.2): a group is a share name and a Topic Filter, and each message goes to one member. Turns
//! go round; a member that can take the message now goes before one that would have to wait for it.

use alloc::string::String;
use alloc::vec::Vec;
use core::hash::{BuildHasher, Hasher};
use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};
use wasmqtt_codec::Qos;

use crate::broker::Broker;
use crate::inflight::ShareId;
use crate::message::{MessageId, Outgoing};
use crate::route::{Fan, Matches, Target};
use crate::session::Subscription;
use crate::subscribe::Subscriber;

/// The members of one share.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    pub number: u64,
    name: String,
    node: u32,
    /// Its place among the groups of its node.
    position: u32,
    /// The Topic Filter as it was asked for, `$share/name/` included.
    filter: String,
    /// Sessions; those that are connected come first.
    members: Vec<u32>,
    /// How many of them are connected.
    connected: u32,
    /// Whose turn it is among those, and among the others.
    next: [u32; 2],
}

/// Members that are looked at for one message. With more than that, the first that are busy make others wait for their
/// turn; without a bound, a large group would make each message dear.
const LOOKS_MAX: u32 = 32;

impl Group {
    pub(crate) fn has(&self, session: u32) -> bool {
        self.members.contains(&session)
    }

    /// Whether a Session is where its Subscription says, on the side where it should be.
    pub(crate) fn has_at(&self, session: u32, position: u32, connected: bool) -> bool {
        self.members.get(position as usize) == Some(&session) && (position < self.connected) == connected
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
        let position = group.members.len() as u32 - 1;
        if self.sessions[session].connection.is_none() {
            return (share, position);
        }
        self.move_member(node, share, position, true);
        (share, self.shares[share.slot].connected - 1)
    }

    fn add_group(&mut self, name: &str, node: u32) -> ShareId {
        self.share_number += 1;
        let number = self.share_number;
        let filter = ["$share/", name, "/", &self.subscriptions.path(node)].concat();
        let position = self.subscriptions.value(node).map_or(0, |subscribers| subscribers.groups.len() as u32);
        let (name, members) = (String::from(name), Vec::new());
        let group = Group { number, name, node, position, filter, members, connected: 0, next: [0, 0] };
        let name = group.name.clone();
        let slot = self.shares.insert(group);
        let (shares, hash_key) = (&self.shares, self.hash_key);
        let rehash = |slot: &u32| group_hash(hash_key, &shares[*slot].name, shares[*slot].node);
        self.share_index.insert_unique(group_hash(hash_key, &name, node), slot, rehash);
        self.subscriptions.value_mut(node).get_or_insert_default().groups.push(slot);
        ShareId { slot, number }
    }

    /// A Session's connection came or went: it changes sides in all its groups.
    pub(crate) fn move_in_groups(&mut self, session: u32, connected: bool) {
        let shared: Vec<(u32, ShareId, u32)> = self.sessions[session]
            .subscriptions
            .iter()
            .filter_map(|subscription| Some((subscription.node, subscription.share?, subscription.position)))
            .collect();
        for (node, share, position) in shared {
            self.move_member(node, share, position, connected);
        }
    }

    /// Puts the member at a position among the connected ones, or among the others.
    pub(crate) fn move_member(&mut self, node: u32, share: ShareId, position: u32, connected: bool) {
        let group = &mut self.shares[share.slot];
        if (position < group.connected) == connected {
            return;
        }
        let border = if connected { group.connected } else { group.connected - 1 };
        group.connected = if connected { border + 1 } else { border };
        group.members.swap(position as usize, border as usize);
        let moved = [(group.members[position as usize], position), (group.members[border as usize], border)];
        for (member, position) in moved {
            self.note_position(member, node, share, position);
        }
    }

    fn note_position(&mut self, member: u32, node: u32, share: ShareId, position: u32) {
        let state = &mut self.sessions[member];
        // A member whose Session is just ending has no Subscriptions any more.
        if let Ok(at) = state.find(node, Some(share)) {
            state.subscriptions[at].position = position;
        }
    }

    /// Takes the member at a position out, and the group with its last one. The member's Session has forgotten its
    /// Subscription already.
    pub(crate) fn leave_group(&mut self, share: ShareId, position: u32) {
        let node = self.shares[share.slot].node;
        let connected = self.shares[share.slot].connected;
        let position = if position < connected {
            // To the border first, so that no gap opens among the connected ones.
            self.move_member(node, share, position, false);
            connected - 1
        } else {
            position
        };
        let group = &mut self.shares[share.slot];
        group.members.swap_remove(position as usize);
        if let Some(&moved) = group.members.get(position as usize) {
            self.note_position(moved, node, share, position);
        }
        if self.shares[share.slot].members.is_empty() {
            self.remove_group(share, node);
        }
    }

    fn remove_group(&mut self, share: ShareId, node: u32) {
        let Some(group) = self.shares.remove(share.slot) else { return };
        let hash = group_hash(self.hash_key, &group.name, node);
        if let Ok(entry) = self.share_index.find_entry(hash, |slot| *slot == share.slot) {
            entry.remove();
        }
        let Some(subscribers) = self.subscriptions.value_mut(node) else { return };
        subscribers.groups.swap_remove(group.position as usize);
        if let Some(&moved) = subscribers.groups.get(group.position as usize) {
            self.shares[moved].position = group.position;
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

    /// The member whose turn it is for a message, among those that can have it: connected ones first, and of these one
    /// that can take it now.
    pub(crate) fn pick_member(&mut self, slot: u32, message: &Outgoing<'_>) -> Option<Target> {
        let group = &self.shares[slot];
        let (share, node) = (ShareId { slot, number: group.number }, group.node);
        let count = group.members.len() as u32;
        let sides = [(0, group.connected), (group.connected, count - group.connected)];
        let mut best: Option<(Fitness, usize, u32)> = None;
        for (side, (first, length)) in sides.into_iter().enumerate() {
            for step in 0..length.min(LOOKS_MAX) {
                let turn = (group.next[side] + step) % length;
                let session = group.members[(first + turn) as usize];
                let Some(fitness) = self.fitness(session, node, share, message) else { continue };
                if best.is_none_or(|(best, _, _)| fitness > best) {
                    best = Some((fitness, side, turn));
                }
                if fitness == Fitness::Now {
                    break;
                }
            }
            if best.is_some_and(|(fitness, _, _)| fitness >= Fitness::Later) {
                break;
            }
        }
        let (_, side, turn) = best?;
        let session = group.members[(sides[side].0 + turn) as usize];
        self.shares[slot].next[side] = turn + 1;
        let state = &self.sessions[session];
        let at = state.find(node, Some(share)).expect("a member of a group has its Subscription");
        let Subscription { options, identifier, .. } = state.subscriptions[at];
        Some(Target::new(&Subscriber { session, identifier, options }, node, Some(share)))
    }

    /// How well a member could take a message; `None` if it may or can not.
    fn fitness(&self, session: u32, node: u32, share: ShareId, message: &Outgoing<'_>) -> Option<Fitness> {
        let state = &self.sessions[session];
        if !state.access.as_deref().unwrap_or(&self.access).may_receive(message.topic) {
            return None;
        }
        let at = state.find(node, Some(share)).expect("a member of a group has its Subscription");
        let waits_well = message.qos.min(state.subscriptions[at].options.qos) > Qos::AtMostOnce;
        let connection = state.connection.and_then(|slot| self.connections[slot as usize].as_ref());
        if !waits_well {
            let connection = connection?;
            let full = connection.owed_bytes() > u64::from(self.config.limits.outbox_bytes_max);
            return Some(if full { Fitness::Full } else { Fitness::Now });
        }
        if self.room_in_queue(session, message).is_err() {
            return Some(Fitness::Full);
        }
        let Some(connection) = connection else { return Some(Fitness::Offline) };
        let full = connection.owed_bytes() > u64::from(self.config.limits.outbox_bytes_max);
        let room = state.queue.is_empty() && state.window.has_room(connection.quota);
        Some(if full || !room { Fitness::Later } else { Fitness::Now })
    }

    /// Gives a kept message to a member of a share because the one that had it is gone (4.8.2).
    pub(crate) fn deliver_to_share(&mut self, share: ShareId, id: MessageId) {
        if self.share_filter(share).is_none() {
            return;
        }
        let message = self.messages.get(id).clone();
        if message.outgoing().is_expired(self.now) {
            return;
        }
        let Some(target) = self.pick_member(share.slot, &message.outgoing()) else { return };
        let outgoing = message.outgoing();
        let mut fan = Fan::new(&outgoing, None, 1);
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
    /// It has no room for it.
    Full,
    /// It is away; its Session keeps the message.
    Offline,
    /// It is here and has much to do.
    Later,
    /// It can take it now.
    Now,
}
