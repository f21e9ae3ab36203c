//! What must hold between the parts of a broker after every input. Drivers don't need it; tests, fuzzers and the
//! simulation ask after each step, so that a broken promise is found where it broke.

use alloc::vec;

use crate::broker::Broker;
use crate::connection::Phase;
use crate::message::MessageId;
use crate::shared::Group;
use crate::subscribe::Subscriber;

/// A promise between parts of the broker that is broken: a bug of ours, whatever a peer sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Broken {
    /// A kept message has more or fewer holders than it counts.
    MessageHolders,
    /// A Session's Subscription and the tree don't point at each other.
    Subscriptions,
    /// A Session and its connection don't point at each other.
    Connections,
    /// A Client Identifier doesn't lead to its Session.
    Clients,
    /// A sum of bytes or a gauge is wrong.
    Sums,
    /// A queue is longer than its limit.
    Limits,
}

impl Broker {
    /// Checks all invariants; takes time in proportion to the whole state.
    ///
    /// # Errors
    ///
    /// The first invariant found broken.
    pub fn check(&self) -> Result<(), Broken> {
        self.check_messages()?;
        self.check_sessions()?;
        self.check_tree()?;
        self.check_sums()
    }

    fn check_messages(&self) -> Result<(), Broken> {
        let mut holders = vec![0u32; self.messages.end() as usize];
        let mut hold = |id: MessageId| match holders.get_mut(id.index() as usize) {
            Some(count) => {
                *count += 1;
                Ok(())
            }
            None => Err(Broken::MessageHolders),
        };
        for (_, session) in self.sessions.iter() {
            for delivery in session.queue.iter().chain(session.window.iter().filter_map(|(_, _, _, kept)| kept)) {
                hold(delivery.message)?;
            }
        }
        for (_, retained) in self.retained.values() {
            hold(retained.message)?;
        }
        let counted: u64 = self.messages.iter().map(|(_, _, count)| u64::from(count)).sum();
        let all = holders.iter().map(|count| u64::from(*count)).sum::<u64>();
        let each = self.messages.iter().all(|(id, _, count)| holders[id.index() as usize] == count);
        if each && counted == all { Ok(()) } else { Err(Broken::MessageHolders) }
    }

    fn check_sessions(&self) -> Result<(), Broken> {
        let limits = &self.config.limits;
        for (slot, session) in self.sessions.iter() {
            if self.find_client(&session.client_identifier) != Some(slot) {
                return Err(Broken::Clients);
            }
            if let Some(connection) = session.connection {
                let connection = self.connections.get(connection as usize).and_then(Option::as_ref);
                if connection.and_then(|connection| connection.session()) != Some(slot) {
                    return Err(Broken::Connections);
                }
            } else if !session.is_lasting() {
                return Err(Broken::Connections);
            }
            if session.queue.len() as u64 > u64::from(limits.queue_messages_max.max(self.longest_queue_left)) {
                return Err(Broken::Limits);
            }
        }
        for (_, session) in self.sessions.iter() {
            if session.walks.iter().any(|walk| session.find(walk.subscription(), None).is_err()) {
                return Err(Broken::Subscriptions);
            }
        }
        for connection in self.connections.iter().flatten() {
            if let Phase::Live { session } = connection.phase
                && self.sessions.get(session).and_then(|session| session.connection) != Some(connection.id.slot)
            {
                return Err(Broken::Connections);
            }
        }
        Ok(())
    }

    fn check_tree(&self) -> Result<(), Broken> {
        let mut count = 0;
        for (slot, session) in self.sessions.iter() {
            for subscription in &session.subscriptions {
                count += 1;
                let subscribers = self.subscriptions.value(subscription.node).ok_or(Broken::Subscriptions)?;
                let position = subscription.position as usize;
                let there = match subscription.share {
                    None => {
                        let (options, identifier) = (subscription.options, subscription.identifier);
                        subscribers.plain.as_slice().get(position)
                            == Some(&Subscriber { session: slot, identifier, options })
                    }
                    Some(share) => {
                        let group = self.shares.get(share.slot).filter(|group| group.number == share.number);
                        let connected = session.connection.is_some();
                        let at_place = |group: &Group| group.has_at(slot, subscription.position, connected);
                        subscribers.groups.contains(&share.slot) && group.is_some_and(at_place)
                    }
                };
                if !there {
                    return Err(Broken::Subscriptions);
                }
            }
        }
        if count == self.counters.subscriptions { Ok(()) } else { Err(Broken::Subscriptions) }
    }

    fn check_sums(&self) -> Result<(), Broken> {
        let outbox_bytes: u64 = self.connections.iter().flatten().map(|connection| connection.outbox.len()).sum();
        let retained_bytes: u64 =
            self.retained.values().map(|(_, retained)| self.messages.get(retained.message).bytes()).sum();
        let kept_bytes: u64 = self.messages.iter().map(|(_, message, _)| message.bytes()).sum();
        let connected = self.sessions.iter().filter(|(_, session)| session.connection.is_some()).count() as u64;
        let queues = self.sessions.iter().all(|(_, session)| {
            let bytes = |id| self.messages.get(id).bytes();
            session.queue.iter().map(|delivery| bytes(delivery.message)).sum::<u64>() == session.queue_bytes
        });
        let connection_bytes: u64 = self.connections.iter().flatten().map(|connection| connection.counted_bytes).sum();
        let session_bytes: u64 = self.sessions.iter().map(|(_, session)| session.bytes()).sum();
        let sums = session_bytes == self.session_bytes
            && outbox_bytes == self.outbox_bytes
            && connection_bytes == self.connection_bytes
            && retained_bytes == self.counters.retained_bytes
            && self.retained.values().count() as u64 == self.counters.retained
            && kept_bytes == self.messages.bytes()
            && connected == self.counters.sessions_connected
            && self.connections.iter().flatten().count() as u64 == self.counters.connections
            && queues;
        if sums { Ok(()) } else { Err(Broken::Sums) }
    }
}
