//! QoS 1 and 2 exchanges that are not finished, both ways, and the Packet Identifiers they use. No other file knows
//! the handshake.
//!
//! Outbound, identifiers are given out in a row, so an exchange is found by its distance from the oldest one, whatever
//! the number in flight, and resending in order [5:MQTT-4.6.0-1] [311:MQTT-4.6.0-1] is walking the row:
//!
//! ```text
//!   PUBLISH qos 1 ──────────────► Puback ── PUBACK ──────────────────────────────► free
//!   PUBLISH qos 2 ──► Pubrec ── PUBREC, PUBREL sent ──► Pubcomp ── PUBCOMP ──────► free
//!                       └────── PUBREC with 0x80 or above ───────────────────────► free
//! ```

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use wasmqtt_codec::{PacketIdentifier, Qos};

use crate::inspect::Awaits;
use crate::message::MessageId;

/// One message for one Session, waiting or in flight.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub message: MessageId,
    /// Names it in the log, where the Session has one.
    pub sequence: u64,
    pub qos: Qos,
    pub retain: bool,
    pub identifiers: Identifiers,
    /// The share group that picked this Session, if one did.
    pub share: Option<ShareId>,
}

/// A share group, as deliveries remember it: its slot may be used again, its number not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct ShareId {
    pub slot: u32,
    pub number: u64,
}

/// The Subscription Identifiers of a delivery; nearly always none or one.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) enum Identifiers {
    #[default]
    None,
    One(u32),
    Many(Vec<u32>),
}

impl Identifiers {
    pub(crate) fn as_slice(&self) -> &[u32] {
        match self {
            Identifiers::None => &[],
            Identifiers::One(one) => core::slice::from_ref(one),
            Identifiers::Many(many) => many,
        }
    }

    pub(crate) fn from_slice(identifiers: &[u32]) -> Self {
        match identifiers {
            [] => Identifiers::None,
            [one] => Identifiers::One(*one),
            many => Identifiers::Many(many.into()),
        }
    }

    /// Adds those of another Subscription that matches the same message.
    pub(crate) fn join(&mut self, other: &Identifiers) {
        match (&mut *self, other) {
            (_, Identifiers::None) => {}
            (Identifiers::None, other) => *self = other.clone(),
            (Identifiers::One(one), other) => {
                let mut many = Vec::with_capacity(4);
                many.push(*one);
                many.extend_from_slice(other.as_slice());
                *self = Identifiers::Many(many);
            }
            (Identifiers::Many(many), other) => many.extend_from_slice(other.as_slice()),
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Slot {
    /// Unacknowledged until this comes [5:MQTT-4.3.2-3] [5:MQTT-4.3.3-3] [5:MQTT-4.3.3-5] [311:MQTT-4.3.2-1]
    /// [311:MQTT-4.3.3-1]. `None`: finished, but an older exchange is not.
    awaits: Option<Awaits>,
    /// Whether its PUBLISH counts against the client's Receive Maximum of the present connection.
    counted: bool,
}

/// What an exchange remembers of its message.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Kept {
    /// Nothing: the Session ends with its connection, and no share may pass the message on.
    Nothing,
    /// What to send again.
    Message(Delivery),
    /// The client has the message; its name in the log is left.
    Sequence(u64),
}

/// Exchanges towards one client, in the order of their PUBLISH packets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Window {
    /// The identifier of the first slot; runs from 1 to 65,535.
    base: u16,
    slots: VecDeque<Slot>,
    /// What the first slots keep; those behind keep nothing. So a window of a Session that keeps no message takes two
    /// bytes a slot.
    kept: VecDeque<Kept>,
    unfinished: u16,
    counted: u16,
    /// Slots from here on were not yet sent on the present connection.
    resend: u32,
}

/// What an acknowledgement did.
#[derive(Debug)]
pub(crate) enum Acknowledged {
    /// The exchange is finished; what it kept is handed back.
    Finished(Option<Delivery>),
    /// QoS 2 is half-way: the message may go [5:MQTT-4.3.3-6] and is handed back, PUBREL is due.
    HalfWay(Option<Delivery>),
    /// QoS 2 is finished; the name it had in the log.
    Completed(Option<u64>),
    /// PUBREC came again: PUBREL is due again.
    Again,
    /// No such exchange.
    Unknown,
    /// The exchange is of another QoS, or not so far.
    OutOfTurn,
}

/// How much may be unfinished towards one client.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Quota {
    /// PUBLISH packets of this connection: the client's Receive Maximum, or less (4.9).
    pub publications: u16,
    /// Exchanges altogether. Those that an earlier connection left half-way don't count against a Receive Maximum, so
    /// that a client which comes back again and again and never sends PUBCOMP could have ever more of them. At the
    /// bound it gets PUBREL again with each connection and its messages wait, until PUBCOMP comes.
    pub exchanges: u16,
}

impl Quota {
    pub(crate) const NONE: Quota = Quota { publications: u16::MAX, exchanges: u16::MAX };
}

/// What to send next of what an earlier connection left unfinished.
pub(crate) enum Resend {
    Publish(PacketIdentifier, Delivery),
    Pubrel(PacketIdentifier),
}

const IDENTIFIERS: u32 = 65_535;

fn identifier_at(base: u16, index: u32) -> PacketIdentifier {
    let number = u32::from(base) + index;
    // Round once at most: a window has fewer slots than there are identifiers.
    let number = if number > IDENTIFIERS { number - IDENTIFIERS } else { number };
    PacketIdentifier::new(number as u16).expect("1..=65535")
}

impl Default for Window {
    fn default() -> Self {
        Window { base: 1, slots: VecDeque::new(), kept: VecDeque::new(), unfinished: 0, counted: 0, resend: 0 }
    }
}

impl Window {
    /// Unfinished exchanges.
    pub(crate) fn len(&self) -> u16 {
        self.unfinished
    }

    /// Whether one more PUBLISH may be sent: the client's quota allows it [5:MQTT-4.9.0-2] [5:MQTT-3.3.4-9], we have no
    /// more unfinished than we want, an identifier is free, and nothing older waits to be sent again.
    pub(crate) fn has_room(&self, quota: Quota) -> bool {
        self.counted < quota.publications
            && self.unfinished < quota.exchanges
            && self.resend as usize == self.slots.len()
            && (self.slots.len() as u32) < IDENTIFIERS
    }

    /// Opens an exchange for a PUBLISH that is sent now, with an unused identifier [5:MQTT-2.2.1-4] [5:MQTT-4.3.2-1]
    /// [5:MQTT-4.3.3-1] [311:MQTT-2.3.1-4].
    #[inline(always)]
    pub(crate) fn open(&mut self, qos: Qos, delivery: Option<Delivery>) -> PacketIdentifier {
        let identifier = identifier_at(self.base, self.slots.len() as u32);
        let awaits = if qos == Qos::ExactlyOnce { Awaits::Pubrec } else { Awaits::Puback };
        if let Some(delivery) = delivery {
            self.keep(self.slots.len(), Kept::Message(delivery));
        }
        self.slots.push_back(Slot { awaits: Some(awaits), counted: true });
        self.unfinished += 1;
        self.counted += 1;
        self.resend += 1;
        identifier
    }

    /// Keeps something for a slot.
    fn keep(&mut self, index: usize, kept: Kept) {
        if self.kept.len() <= index {
            self.kept.resize_with(index + 1, || Kept::Nothing);
        }
        self.kept[index] = kept;
    }

    /// Hands back what a slot kept.
    fn take_kept(&mut self, index: u32) -> Kept {
        let kept = self.kept.get_mut(index as usize);
        kept.map_or(Kept::Nothing, |kept| core::mem::replace(kept, Kept::Nothing))
    }

    fn slot(&mut self, identifier: PacketIdentifier) -> Option<&mut Slot> {
        let distance = self.distance(identifier);
        self.slots.get_mut(distance as usize)
    }

    /// How far an identifier is from that of the first slot.
    fn distance(&self, identifier: PacketIdentifier) -> u32 {
        let (number, base) = (u32::from(identifier.get()), u32::from(self.base));
        if number >= base { number - base } else { number + IDENTIFIERS - base }
    }

    /// Frees a slot that is in use.
    #[inline(always)]
    fn finish(&mut self, identifier: PacketIdentifier) -> Kept {
        let Some(slot) = self.slot(identifier) else { return Kept::Nothing };
        slot.awaits = None;
        let counted = core::mem::take(&mut slot.counted);
        let kept = self.take_kept(self.distance(identifier));
        self.counted -= u16::from(counted);
        self.unfinished -= 1;
        while self.slots.front().is_some_and(|slot| slot.awaits.is_none()) {
            self.slots.pop_front();
            self.kept.pop_front();
            self.base = identifier_at(self.base, 1).get();
            self.resend = self.resend.saturating_sub(1);
        }
        if self.slots.is_empty() && self.slots.capacity() > 64 {
            self.slots = VecDeque::new();
            self.kept = VecDeque::new();
        }
        kept
    }

    #[inline(always)]
    fn finish_with_message(&mut self, identifier: PacketIdentifier) -> Acknowledged {
        match self.finish(identifier) {
            Kept::Message(delivery) => Acknowledged::Finished(Some(delivery)),
            Kept::Nothing | Kept::Sequence(_) => Acknowledged::Finished(None),
        }
    }

    /// PUBACK.
    #[inline(always)]
    pub(crate) fn puback(&mut self, identifier: PacketIdentifier) -> Acknowledged {
        match self.slot(identifier).and_then(|slot| slot.awaits) {
            Some(Awaits::Puback) => self.finish_with_message(identifier),
            Some(Awaits::Pubrec | Awaits::Pubcomp) => Acknowledged::OutOfTurn,
            None => Acknowledged::Unknown,
        }
    }

    /// PUBREC; with a Reason Code of 0x80 or above it ends the exchange [5:MQTT-4.4.0-2].
    pub(crate) fn pubrec(&mut self, identifier: PacketIdentifier, error: bool) -> Acknowledged {
        let Some(slot) = self.slot(identifier) else { return Acknowledged::Unknown };
        match slot.awaits {
            Some(Awaits::Pubrec) if error => self.finish_with_message(identifier),
            Some(Awaits::Pubrec) => {
                slot.awaits = Some(Awaits::Pubcomp);
                let index = self.distance(identifier);
                match self.take_kept(index) {
                    Kept::Message(delivery) => {
                        self.keep(index as usize, Kept::Sequence(delivery.sequence));
                        Acknowledged::HalfWay(Some(delivery))
                    }
                    Kept::Nothing | Kept::Sequence(_) => Acknowledged::HalfWay(None),
                }
            }
            Some(Awaits::Pubcomp) => Acknowledged::Again,
            Some(Awaits::Puback) => Acknowledged::OutOfTurn,
            None => Acknowledged::Unknown,
        }
    }

    /// PUBCOMP.
    pub(crate) fn pubcomp(&mut self, identifier: PacketIdentifier) -> Acknowledged {
        match self.slot(identifier).and_then(|slot| slot.awaits) {
            Some(Awaits::Pubcomp) => match self.finish(identifier) {
                Kept::Sequence(sequence) => Acknowledged::Completed(Some(sequence)),
                Kept::Nothing | Kept::Message(_) => Acknowledged::Completed(None),
            },
            Some(Awaits::Puback | Awaits::Pubrec) => Acknowledged::OutOfTurn,
            None => Acknowledged::Unknown,
        }
    }

    /// Whether something an earlier connection left waits to be sent again.
    pub(crate) fn has_resends(&self) -> bool {
        (self.resend as usize) < self.slots.len()
    }

    /// Ends an exchange whose PUBLISH can't be sent again, because the client takes no such large packet any more.
    pub(crate) fn abandon(&mut self, identifier: PacketIdentifier) {
        self.finish(identifier);
    }

    /// A new connection continues the Session: everything unfinished is to be sent again, and the quota is new (4.9).
    pub(crate) fn start_over(&mut self) {
        self.resend = 0;
        self.counted = 0;
        for slot in &mut self.slots {
            slot.counted = false;
        }
    }

    /// An identifier that no exchange has; of use as long as none is opened.
    pub(crate) fn unused(&self) -> PacketIdentifier {
        identifier_at(self.base, self.slots.len() as u32 % IDENTIFIERS)
    }

    /// The other side knows nothing of us: no exchange goes on. Hands back the messages that it never acknowledged, in
    /// order, and the names in the log of those that it has.
    pub(crate) fn forget(&mut self) -> (Vec<Delivery>, Vec<u64>) {
        let base = self.unused().get();
        let old = core::mem::replace(self, Window { base, ..Window::default() });
        let (mut messages, mut half_way) = (Vec::new(), Vec::new());
        for kept in old.kept {
            match kept {
                Kept::Message(delivery) => messages.push(delivery),
                Kept::Sequence(sequence) => half_way.push(sequence),
                Kept::Nothing => {}
            }
        }
        (messages, half_way)
    }

    /// The next packet to send again, in order, as far as the quota goes.
    pub(crate) fn next_resend(&mut self, quota: Quota) -> Option<Resend> {
        while let Some(slot) = self.slots.get_mut(self.resend as usize) {
            let identifier = identifier_at(self.base, self.resend);
            match slot.awaits {
                None => self.resend += 1,
                Some(Awaits::Pubcomp) => {
                    self.resend += 1;
                    return Some(Resend::Pubrel(identifier));
                }
                Some(Awaits::Puback | Awaits::Pubrec) => {
                    if self.counted >= quota.publications {
                        return None;
                    }
                    slot.counted = true;
                    self.counted += 1;
                    self.resend += 1;
                    let Some(Kept::Message(delivery)) = self.kept.get(self.resend as usize - 1) else {
                        unreachable!("a Session that is continued keeps what is in flight")
                    };
                    return Some(Resend::Publish(identifier, delivery.clone()));
                }
            }
        }
        None
    }

    /// Exchanges from the oldest on, each with its name in the log and, while that is kept, its message.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PacketIdentifier, Awaits, Option<u64>, Option<&Delivery>)> {
        (0u32..).zip(&self.slots).filter_map(|(index, slot)| {
            let (sequence, delivery) = match self.kept.get(index as usize) {
                None | Some(Kept::Nothing) => (None, None),
                Some(Kept::Message(delivery)) => (Some(delivery.sequence), Some(delivery)),
                Some(Kept::Sequence(sequence)) => (Some(*sequence), None),
            };
            Some((identifier_at(self.base, index), slot.awaits?, sequence, delivery))
        })
    }

    /// All messages that are kept, when the Session ends.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (Awaits, Delivery)> + use<> {
        let window = core::mem::take(self);
        window.slots.into_iter().zip(window.kept).filter_map(|(slot, kept)| match kept {
            Kept::Message(delivery) => Some((slot.awaits?, delivery)),
            Kept::Nothing | Kept::Sequence(_) => None,
        })
    }

    /// Puts an exchange back as the log knew it; called in the order in which they were sent. Gaps stay free.
    pub(crate) fn restore(&mut self, identifier: PacketIdentifier, exchange: Restored) {
        if self.slots.is_empty() {
            self.base = identifier.get();
        }
        let distance = self.distance(identifier);
        while (self.slots.len() as u32) <= distance {
            self.slots.push_back(Slot { awaits: None, counted: false });
        }
        let (awaits, kept) = match exchange {
            Restored::HalfWay(sequence) => (Awaits::Pubcomp, Kept::Sequence(sequence)),
            Restored::Message(delivery) if delivery.qos == Qos::ExactlyOnce => {
                (Awaits::Pubrec, Kept::Message(delivery))
            }
            Restored::Message(delivery) => (Awaits::Puback, Kept::Message(delivery)),
        };
        self.slots[distance as usize] = Slot { awaits: Some(awaits), counted: false };
        self.keep(distance as usize, kept);
        self.unfinished += 1;
    }
}

/// An exchange as the log knew it.
pub(crate) enum Restored {
    /// PUBLISH was sent and not acknowledged.
    Message(Delivery),
    /// QoS 2: the client has the message; its name in the log.
    HalfWay(u64),
}

/// QoS 2 Packet Identifiers that a client used and has not released: the "exactly" in exactly once
/// [5:MQTT-4.3.3-10] [311:MQTT-4.3.3-2]. Sorted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Received(Vec<(u16, bool)>);

impl Received {
    fn find(&self, identifier: PacketIdentifier) -> Result<usize, usize> {
        self.0.binary_search_by_key(&identifier.get(), |(number, _)| *number)
    }

    pub(crate) fn contains(&self, identifier: PacketIdentifier) -> bool {
        self.find(identifier).is_ok()
    }

    /// Holds an identifier that counts against our Receive Maximum until it is released.
    pub(crate) fn insert(&mut self, identifier: PacketIdentifier, counted: bool) {
        if let Err(at) = self.find(identifier) {
            self.0.insert(at, (identifier.get(), counted));
        }
    }

    /// Releases an identifier; says whether it was held, and whether it counted.
    pub(crate) fn remove(&mut self, identifier: PacketIdentifier) -> Option<bool> {
        let at = self.find(identifier).ok()?;
        Some(self.0.remove(at).1)
    }

    /// On a new connection what an earlier one left doesn't count (4.9).
    pub(crate) fn start_over(&mut self) {
        for (_, counted) in &mut self.0 {
            *counted = false;
        }
    }

    pub(crate) fn len(&self) -> u32 {
        self.0.len() as u32
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = PacketIdentifier> {
        self.0.iter().filter_map(|(number, _)| PacketIdentifier::new(*number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u16) -> PacketIdentifier {
        PacketIdentifier::new(number).unwrap()
    }

    // [5:MQTT-2.2.1-4] [311:MQTT-2.3.1-4]: identifiers in use are not given out, also after 65,535 of them.
    #[test]
    fn identifiers_run_round_and_skip_zero() {
        let mut window = Window::default();
        for round in 0..70_000u32 {
            let identifier = window.open(Qos::AtLeastOnce, None);
            assert_eq!(u32::from(identifier.get()), round % 65_535 + 1);
            assert!(matches!(window.puback(identifier), Acknowledged::Finished(None)));
        }
        assert_eq!(window.len(), 0);
    }

    // [5:MQTT-4.9.0-2]: the quota counts from PUBLISH to PUBACK or PUBCOMP.
    #[test]
    fn the_quota_is_used_until_the_exchange_is_finished() {
        let mut window = Window::default();
        let (one, two) = (window.open(Qos::AtLeastOnce, None), window.open(Qos::ExactlyOnce, None));
        let quota = Quota { publications: 2, exchanges: 9 };
        assert!(!window.has_room(quota));
        assert!(matches!(window.pubrec(two, false), Acknowledged::HalfWay(None)));
        assert!(matches!(window.pubrec(two, false), Acknowledged::Again));
        assert!(!window.has_room(quota));
        assert!(matches!(window.pubcomp(two), Acknowledged::Completed(None)));
        assert!(window.has_room(quota));
        assert!(matches!(window.pubcomp(one), Acknowledged::OutOfTurn));
        assert!(matches!(window.puback(one), Acknowledged::Finished(None)));
        assert!(matches!(window.puback(one), Acknowledged::Unknown));
    }

    #[test]
    fn what_is_half_way_from_earlier_connections_has_a_bound_of_its_own() {
        let quota = Quota { publications: 2, exchanges: 3 };
        let mut window = Window::default();
        for _ in 0..3 {
            assert!(window.has_room(quota));
            let identifier = window.open(Qos::ExactlyOnce, None);
            assert!(matches!(window.pubrec(identifier, false), Acknowledged::HalfWay(None)));
            window.start_over();
            while window.next_resend(quota).is_some() {}
        }
        assert!(!window.has_room(quota));
        assert!(matches!(window.pubcomp(id(2)), Acknowledged::Completed(None)));
        assert!(window.has_room(quota));
    }

    #[test]
    fn received_identifiers_are_held_until_released() {
        let mut received = Received::default();
        received.insert(id(7), true);
        received.insert(id(3), true);
        assert!(received.contains(id(3)) && received.contains(id(7)) && !received.contains(id(5)));
        received.start_over();
        assert_eq!(received.remove(id(7)), Some(false));
        assert_eq!(received.remove(id(7)), None);
    }
}
