//! The World between its clients and the broker: transports that clients open and give up, bytes that are written and
//! delivered, and what a client wants since it was last looked at.

use std::hash::Hasher;

use super::client::Want;
use super::faults::Toward;
use super::link::{Link, Pace};
use super::{Job, World};
use crate::luck::Luck;
use crate::sight::{ClientNo, ConnNo, Sight};

impl World<'_> {
    /// Opens a transport for a client. What it had before it looks at no more.
    pub(super) fn connect(&mut self, who: ClientNo, clean: bool) {
        if let Some(old) = self.actors[who].link {
            self.links[old as usize].client_has_it = false;
            self.actors[who].closed(self.now_us);
        }
        let conn = self.links.len() as ConnNo;
        let slot = self.free_slot();
        let (version, latency_us) = (self.actors[who].profile.version, self.actors[who].profile.latency_us);
        let pace = Pace { latency_us, ..Pace::default() };
        let luck = Luck::of(self.plan.seed, 1_000 + u64::from(conn));
        self.links.push(Link::new(who, slot, version, pace, luck));
        self.opened(conn);
        self.see(Sight::Opened(conn, who));
        self.links[conn as usize].clean = self.actors[who].connected(self.now_us, conn, clean);
        self.attend(who);
    }

    pub(super) fn leave(&mut self, who: ClientNo, with_will: bool, session_expiry_s: Option<u32>) {
        self.actors[who].wants = false;
        let Some(conn) = self.actors[who].link else { return };
        self.actors[who].leave(self.now_us, with_will, session_expiry_s);
        self.attend(who);
        // The client closes behind its DISCONNECT [5:MQTT-3.14.4-2].
        self.client_drops(conn);
    }

    /// The client is done with a transport: what it wrote still arrives.
    pub(super) fn client_drops(&mut self, conn: ConnNo) {
        let who = self.links[conn as usize].client;
        let link = &mut self.links[conn as usize];
        link.client_has_it = false;
        link.up.ended = true;
        if self.is_wire(conn) {
            self.remote_loses(conn);
        } else if self.actors[who].link == Some(conn) {
            self.actors[who].closed(self.now_us);
            self.come_back_later(who);
        }
        self.schedule(conn, Toward::Broker);
    }

    pub(super) fn come_back_later(&mut self, who: ClientNo) {
        let actor = &self.actors[who];
        if actor.wants {
            let (at_us, epoch) = (self.now_us + actor.back_us(), actor.epoch);
            self.later(at_us, Job::Back(who, epoch));
        }
    }

    /// Carries out what a client wants since it was last looked at.
    pub(super) fn attend(&mut self, who: ClientNo) {
        while let Some(want) = self.actors[who].poll(self.now_us) {
            match want {
                Want::Told(message, by_hand) => {
                    if let Some(conn) = self.actors[who].link {
                        self.see(Sight::Told(conn, message));
                    }
                    if by_hand {
                        let (ack_us, epoch) = (self.actors[who].profile.ack_us, self.actors[who].epoch);
                        self.later(self.now_us + ack_us, Job::Acknowledge(who, epoch));
                    }
                }
                Want::Close => {
                    if let Some(conn) = self.actors[who].link {
                        self.client_writes(who);
                        self.client_drops(conn);
                    }
                }
            }
        }
        self.client_writes(who);
        let deadline = self.actors[who].deadline();
        if let Some(at_us) = deadline.filter(|at_us| self.actors[who].tick_at_us.is_none_or(|known| known > *at_us)) {
            self.actors[who].tick_at_us = Some(at_us);
            self.later(at_us, Job::ClientTick(who));
        }
    }

    pub(super) fn client_writes(&mut self, who: ClientNo) {
        let Some(conn) = self.actors[who].link else { return };
        let bytes = self.actors[who].take_outgoing();
        let link = &mut self.links[conn as usize];
        if bytes.is_empty() || link.broken {
            return;
        }
        link.up.look(&bytes);
        link.write(Toward::Broker, self.now_us, &bytes);
        self.written(conn, Toward::Broker);
    }

    /// Something was written: it will be delivered, and perhaps the link breaks at it.
    pub(super) fn written(&mut self, conn: ConnNo, toward: Toward) {
        if let Some(at_us) = self.links[conn as usize].pipe(toward).take_break() {
            self.later(at_us, Job::Break(conn));
        }
        self.schedule(conn, toward);
    }

    /// Puts the next delivery of a pipe into the list, if it stands there not yet.
    pub(super) fn schedule(&mut self, conn: ConnNo, toward: Toward) {
        let link = &mut self.links[conn as usize];
        let pipe = link.pipe(toward);
        let due = pipe.due().or_else(|| (pipe.ended && pipe.is_empty()).then_some(0));
        if let Some(at_us) = due.filter(|_| !pipe.scheduled) {
            pipe.scheduled = true;
            self.later(at_us, Job::Deliver(conn, toward));
        }
    }

    pub(super) fn deliver(&mut self, conn: ConnNo, toward: Toward) {
        let now_us = self.now_us;
        let link = &mut self.links[conn as usize];
        link.pipe(toward).scheduled = false;
        if link.broken || link.pipe(toward).paused {
            return;
        }
        let delivery = link.deliver(toward, now_us);
        let over = link.pipe(toward).ended && link.pipe(toward).is_empty();
        if !delivery.bytes.is_empty() {
            self.digest.write_u64(now_us);
            self.digest.write_u32(conn * 2 + u32::from(toward == Toward::Client));
            self.digest.write(&delivery.bytes);
            match toward {
                Toward::Broker => self.broker_reads(conn, delivery.bytes, delivery.packets),
                Toward::Client => self.client_reads(conn, &delivery.bytes),
            }
        }
        if delivery.broke {
            self.break_link(conn, true);
        } else if over && toward == Toward::Broker {
            self.broker_loses(conn);
        } else if over {
            self.client_loses(conn);
        } else {
            self.schedule(conn, toward);
        }
    }

    pub(super) fn client_reads(&mut self, conn: ConnNo, bytes: &[u8]) {
        if self.is_wire(conn) {
            return self.remote_reads(conn, bytes);
        }
        let link = &self.links[conn as usize];
        let who = link.client;
        if link.client_has_it {
            self.actors[who].received(self.now_us, bytes);
            self.attend(who);
        }
    }

    pub(super) fn client_loses(&mut self, conn: ConnNo) {
        let link = &mut self.links[conn as usize];
        let who = link.client;
        if core::mem::take(&mut link.client_has_it) {
            if self.is_wire(conn) {
                return self.remote_loses(conn);
            }
            self.actors[who].closed(self.now_us);
            self.come_back_later(who);
        }
    }
}
