//! What waits for a Session and how it moves: into the queue when its client can't take it, out when quota, outbox and
//! log allow; again after a reconnect [5:MQTT-4.4.0-1] [311:MQTT-4.4.0-1].

use wasmqtt_codec::{Ack, AckKind, PacketIdentifier, Qos};

use crate::alias::AliasUse;
use crate::broker::Broker;
use crate::durable::What;
use crate::frames::{Encoded, Form};
use crate::inflight::{Delivery, Resend};
use crate::message::Outgoing;
use crate::record::{QueuedFor, Record};
use crate::route::{Fan, Outcome, Target, share_payload};
use crate::trace::NotDelivered;

impl Broker {
    /// Puts a message into a Session's queue, connected or not [311:MQTT-3.1.2-5]; `pump` takes it from there, in order
    /// [5:MQTT-4.6.0-5] [311:MQTT-4.6.0-5] [311:MQTT-4.6.0-6].
    pub(crate) fn enqueue(&mut self, target: &Target, qos: Qos, retain: bool, fan: &mut Fan<'_>) -> Outcome {
        let identifiers = target.identifiers.clone();
        let kept = match self.room_in_queue(target.session, fan.message) {
            Err(why) => return Outcome::Not(why),
            Ok(()) => match fan.kept {
                Some(kept) => kept,
                None => *fan.kept.insert(self.messages.put(fan.message.to_message())),
            },
        };
        let message = self.messages.share(kept);
        let delivery = Delivery { message, sequence: 0, qos, retain, identifiers, share: target.share };
        if let Some(entry) = self.push_delivery(target.session, delivery) {
            fan.logged.push(entry);
        }
        fan.pump.push(target.session);
        Outcome::Queued
    }

    /// Whether a Session's queue takes one more.
    pub(crate) fn room_in_queue(&self, session: u32, message: &Outgoing<'_>) -> Result<(), NotDelivered> {
        let (state, limits) = (&self.sessions[session], &self.config.limits);
        let bytes = message.kept_bytes();
        if state.queue.len() as u64 >= u64::from(limits.queue_messages_max)
            || state.queue_bytes + bytes > limits.queue_bytes_max
        {
            return Err(NotDelivered::QueueFull);
        }
        if self.is_memory_short() {
            return Err(NotDelivered::Memory);
        }
        Ok(())
    }

    /// Appends to a queue; gives what the log must know of it.
    pub(crate) fn push_delivery(&mut self, session: u32, mut delivery: Delivery) -> Option<QueuedFor> {
        let bytes = self.messages.get(delivery.message).bytes();
        let state = &mut self.sessions[session];
        delivery.sequence = state.next_sequence;
        state.next_sequence += 1;
        state.queue_bytes += bytes;
        let durable = state.is_durable().then_some(state.number);
        let entry = durable.map(|number| self.queued_for(number, &delivery));
        self.sessions[session].queue.push_back(delivery);
        entry
    }

    /// How the log writes down a delivery.
    pub(crate) fn queued_for(&self, session: u64, delivery: &Delivery) -> QueuedFor {
        QueuedFor {
            session,
            sequence: delivery.sequence,
            qos: delivery.qos,
            retain: delivery.retain,
            identifiers: delivery.identifiers.as_slice().to_vec(),
            share: delivery.share.and_then(|share| self.share_filter(share)),
        }
    }

    /// Sends what a Session is owed as far as its client takes it: first again what an earlier connection left
    /// unfinished, then what waits, then Retained Messages of new Subscriptions.
    #[inline(always)]
    pub(crate) fn pump(&mut self, session: u32) {
        let state = &self.sessions[session];
        let Some(slot) = state.connection else { return };
        if !state.queue.is_empty() || state.window.has_resends() {
            self.pump_queue(slot, session);
        }
        if !self.sessions[session].walks.is_empty() {
            self.walk_retained(slot, session);
        }
    }

    /// Sends again and sends on, as far as quota and outbox allow.
    #[inline(never)]
    pub(crate) fn pump_queue(&mut self, slot: u32, session: u32) {
        while self.pump_one(slot, session) {}
    }

    fn pump_one(&mut self, slot: u32, session: u32) -> bool {
        let limit = u64::from(self.config.limits.outbox_bytes_max);
        let connection = self.connections[slot as usize].as_mut().expect("a Session's connection is open");
        let quota = connection.quota;
        if connection.owed_bytes() > limit {
            return false;
        }
        let state = &mut self.sessions[session];
        if self.turn_bytes >= self.config.limits.turn_bytes_max {
            if state.window.has_resends() || !state.queue.is_empty() && state.window.has_room(quota) {
                self.join_backlog(slot);
            }
            return false;
        }
        match state.window.next_resend(quota) {
            Some(Resend::Pubrel(identifier)) => {
                let lsn = self.barrier();
                self.send_ack(slot, AckKind::Pubrel, &Ack::success(identifier), What::Other, lsn);
                return true;
            }
            Some(Resend::Publish(identifier, delivery)) => {
                self.send_again(slot, session, delivery, identifier);
                return true;
            }
            None => {}
        }
        // Nothing but PUBLISH waits for the quota [5:MQTT-3.3.4-10] [5:MQTT-4.9.0-3].
        if !state.window.has_room(quota) {
            return false;
        }
        let Some(delivery) = state.queue.pop_front() else { return false };
        state.queue_bytes -= self.messages.get(delivery.message).bytes();
        self.send_queued(slot, session, delivery);
        true
    }

    /// Sends again what an earlier connection left unfinished, expired or not [5:MQTT-4.3.3-7] [5:MQTT-4.3.3-13],
    /// unless the client takes no such large packet any more [5:MQTT-3.1.2-24].
    fn send_again(&mut self, slot: u32, session: u32, delivery: Delivery, identifier: PacketIdentifier) {
        let Err(why) = self.fits(slot, session, &delivery) else {
            return self.send_kept(slot, session, &delivery, identifier, true);
        };
        self.sessions[session].window.abandon(identifier);
        self.count_drop(session, &why);
        self.finished(session, Some(delivery));
    }

    /// Whether a client takes a packet as large as this delivery's, an alias aside; the remote of a bridge, whether the
    /// message goes there at all.
    fn fits(&self, slot: u32, session: u32, delivery: &Delivery) -> Result<(), NotDelivered> {
        let mapped = self.mapped(session, delivery)?;
        let mut message = self.messages.get(delivery.message).outgoing();
        if let Some(mapped) = &mapped {
            message = mapped.message(message);
        }
        let connection = self.connections[slot as usize].as_ref().expect("a Session's connection is open");
        let form = Form {
            v5: connection.version.is_v5(),
            qos: delivery.qos,
            retain: delivery.retain,
            dup: false,
            identifiers: delivery.identifiers.as_slice(),
            alias: AliasUse::None,
        };
        match Encoded::len_of(&message, form) <= connection.packet_bytes_max as usize {
            true => Ok(()),
            // [5:MQTT-3.1.2-25]: as if it had been delivered.
            false => Err(NotDelivered::PacketTooLarge),
        }
    }

    /// The next message of a queue: sent, or dropped if it came too late or is too large.
    fn send_queued(&mut self, slot: u32, session: u32, delivery: Delivery) {
        let why = if self.messages.get(delivery.message).outgoing().is_expired(self.now) {
            // [5:MQTT-3.3.2-5]
            Some(NotDelivered::Expired)
        } else {
            self.fits(slot, session, &delivery).err()
        };
        if let Some(why) = why {
            self.count_drop(session, &why);
            return self.finished(session, Some(delivery));
        }
        if delivery.qos == Qos::AtMostOnce {
            self.send_lowered(slot, session, &delivery);
            return self.finished(session, Some(delivery));
        }
        let state = &mut self.sessions[session];
        let kept = state.is_lasting() || state.is_durable() || delivery.share.is_some();
        let identifier = state.window.open(delivery.qos, kept.then(|| delivery.clone()));
        if state.is_durable() {
            let (session, sequence) = (state.number, delivery.sequence);
            self.append(Record::Sent { session, sequence, packet_identifier: identifier });
        }
        self.send_kept(slot, session, &delivery, identifier, false);
        if !kept {
            self.messages.release(delivery.message);
        }
    }

    /// Sends a kept message under an identifier.
    fn send_kept(&mut self, slot: u32, session: u32, delivery: &Delivery, identifier: PacketIdentifier, dup: bool) {
        let durable = self.sessions[session].is_durable() && delivery.qos == Qos::ExactlyOnce;
        let barrier = if durable { self.barrier() } else { None };
        let fresh = self.is_fresh(slot);
        let mapped = self.mapped(session, delivery).unwrap_or_default();
        let mut message = self.messages.get(delivery.message).outgoing();
        let mut retain = delivery.retain;
        if let Some(mapped) = &mapped {
            message = mapped.message(message);
            retain &= mapped.may_retain;
        }
        let connection = self.connections[slot as usize].as_mut().expect("a Session's connection is open");
        // Nor may it overtake a PUBLISH that is held: what is sent again comes in the order of its first time, whatever
        // its QoS [5:MQTT-4.6.0-1] [311:MQTT-4.6.0-1].
        let behind = if durable { !connection.held.is_empty() } else { connection.held_messages > 0 };
        let held = barrier.is_some() || connection.opening.is_some() || behind;
        let mut form = connection.form(delivery.qos, retain, delivery.identifiers.as_slice(), "");
        // [5:MQTT-3.3.1-1] [311:MQTT-3.3.1-1]
        form.dup = dup;
        if !held && !dup && form.v5 && !connection.aliases_out.is_off() {
            // Neither a packet sent again nor one that others may overtake may set an alias.
            form.alias = connection.aliases_out.choose(message.topic);
        }
        self.own_frame.fill(&message, form, self.now);
        if self.own_frame.len() > connection.packet_bytes_max as usize {
            // It fitted without an alias.
            connection.aliases_out.take_back(form.alias);
            form.alias = AliasUse::None;
            self.own_frame.fill(&message, form, self.now);
        }
        self.counters.publishes_sent += 1;
        self.counters.publish_bytes_sent += message.payload.len() as u64;
        let encoded = &self.own_frame;
        if held {
            let bytes = encoded.to_vec(Some(identifier), &message);
            return self.hold(slot, barrier, What::Message, bytes);
        }
        let len = encoded.len();
        encoded.copy_to(connection.outbox.room(encoded.bytes.len()), Some(identifier));
        share_payload(connection, &message, encoded.shared_bytes, fresh);
        self.note_sent(slot, len);
    }

    /// A delivery is over: let go of its message, and tell the log.
    pub(crate) fn finished(&mut self, session: u32, delivery: Option<Delivery>) {
        let Some(delivery) = delivery else { return };
        self.messages.release(delivery.message);
        self.log_finished(session, delivery.sequence);
    }

    pub(crate) fn log_finished(&mut self, session: u32, sequence: u64) {
        let state = &self.sessions[session];
        if state.is_durable() {
            self.append(Record::Finished { session: state.number, sequence });
        }
    }

    /// As [`is_memory_short`](Self::is_memory_short), asked anew only after some more output: the sum has too many
    /// parts to be taken for each message that is not kept.
    pub(crate) fn was_memory_short(&mut self) -> bool {
        const BYTES_BETWEEN: u32 = 64 << 10;
        match self.memory_seen {
            Some((at, short)) if (at..at.saturating_add(BYTES_BETWEEN)).contains(&self.turn_bytes) => short,
            Some(_) | None => {
                let short = self.is_memory_short();
                self.memory_seen = Some((self.turn_bytes, short));
                short
            }
        }
    }

    /// Whether memory is so short that nothing new is kept.
    pub(crate) fn is_memory_short(&self) -> bool {
        let limit = self.config.limits.memory_bytes_max;
        self.memory_bytes() > limit - limit / 16
    }
}
