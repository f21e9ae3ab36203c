//! The wire between the broker and the remote of its bridge, and how the two ends are seen. To the oracles the bridge
//! is a client of the broker, connected while the remote has accepted it, that subscribed once and for all to what goes
//! out and publishes what comes in; topics bear their local names. What crosses is shown besides as it is.

use std::rc::Rc;

use wasmqtt_broker::{BridgeId, Command, CommandId, Input, Peer, Transport};
use wasmqtt_codec::{PacketType, RetainHandling};

use super::faults::Toward;
use super::link::{BrokerEnd, Link, Pace};
use super::plan::Role;
use super::remote::local_name;
use super::{Job, World};
use crate::luck::Luck;
use crate::sight::{ClientNo, ConnNo, Ended, Seen, SeenConnect, SeenPublish, SeenSubscribe, Sight};

/// The connection on which the bridge is seen to subscribe, before there is any.
const BEFORE_ALL: ConnNo = 900_000;

impl World<'_> {
    /// The remote, by its place among the clients.
    pub(super) fn remote_no(&self) -> Option<ClientNo> {
        self.actors.iter().position(|actor| actor.profile.role == Role::Remote)
    }

    /// Whether a link is the bridge's.
    pub(super) fn is_wire(&self, conn: ConnNo) -> bool {
        self.actors[self.links[conn as usize].client].profile.role == Role::Remote
    }

    /// The broker is told of its bridge, which it forgets in a crash.
    pub(super) fn add_bridge(&mut self) {
        let (Some(bridge), Some(who)) = (self.plan.bridge.as_ref(), self.remote_no()) else { return };
        let config = bridge.config(&self.actors[who].profile);
        self.dials += 1;
        let command = Command::AddBridge(Box::new(config));
        self.input(Input::Command { id: CommandId(3), command });
    }

    /// What it asks for is seen as Subscriptions, from the beginning of the world.
    pub(super) fn introduce_bridge(&mut self) {
        let (Some(bridge), Some(who)) = (self.plan.bridge.as_ref(), self.remote_no()) else { return };
        self.see(Sight::Opened(BEFORE_ALL, who));
        self.bridge_is_in(BEFORE_ALL, who, false);
        for (id, (filter, qos)) in (1..).zip(bridge.outward()) {
            let wish = SeenSubscribe {
                id,
                filter: filter.into(),
                qos,
                no_local: true,
                retain_as_published: true,
                retain_handling: RetainHandling::DoNotSend,
                identifier: None,
            };
            self.see(Sight::Reached(BEFORE_ALL, Rc::new(Seen::Subscribe(wish))));
            self.see(Sight::Left(BEFORE_ALL, Rc::new(Seen::Suback { id, codes: vec![qos as u8] })));
        }
        self.see(Sight::Gone(BEFORE_ALL, Ended::Transport));
    }

    fn bridge_is_in(&mut self, conn: ConnNo, who: ClientNo, session_present: bool) {
        let profile = &self.actors[who].profile;
        let connect = SeenConnect {
            version: profile.version,
            clean_start: false,
            session_expiry_s: u32::MAX,
            receive_maximum: if profile.version.is_v5() { profile.receive_maximum } else { u16::MAX },
            packet_bytes_max: None,
            will: None,
        };
        // 3.1.1 has no Receive Maximum, and no other rule that differs here.
        self.see(Sight::Reached(conn, Rc::new(Seen::Connect(Box::new(connect)))));
        self.see(Sight::Left(conn, Rc::new(Seen::Connack { accepted: true, session_present, reason: 0 })));
    }

    /// The bridge wants a transport.
    pub(super) fn dial(&mut self, bridge: BridgeId) {
        let Some(plan) = self.plan.bridge.as_ref() else { return };
        self.see(Sight::Dialled);
        let mut luck = Luck::of(self.plan.seed, 700_000 + self.dials);
        self.dials += 1;
        let fails = !self.healed && luck.chance(plan.unreachable_percent);
        let at_us = self.now_us + luck.of_these(&[1, 2_000, 300_000]);
        self.later(at_us, Job::Dialled(bridge, self.dials, fails));
    }

    /// The answer to that.
    pub(super) fn dialled(&mut self, bridge: BridgeId, dial: u64, fails: bool) {
        let Some(who) = self.remote_no().filter(|_| dial == self.dials) else { return };
        if fails && !self.healed {
            self.see(Sight::NotReached);
            return self.input(Input::DialFailed { bridge });
        }
        if let Some(old) = self.actors[who].link {
            self.links[old as usize].client_has_it = false;
        }
        let conn = self.links.len() as ConnNo;
        let slot = self.free_slot();
        let profile = &self.actors[who].profile;
        let pace = Pace { latency_us: profile.latency_us, ..Pace::default() };
        let luck = Luck::of(self.plan.seed, 1_000 + u64::from(conn));
        self.links.push(Link::new(who, slot, profile.version, pace, luck).turned(profile.version));
        self.actors[who].link = Some(conn);
        self.remote_mut().start_over();
        self.see(Sight::Opened(conn, who));
        let peer = Peer { listener: 0, address: "remote".into(), transport: Transport::Bridge(bridge), identity: None };
        self.input(Input::Opened { conn: self.connection(conn), peer });
    }

    pub(super) fn remote_mut(&mut self) -> &mut super::remote::Remote {
        self.remote.as_mut().expect("there is a wire, so there is a remote")
    }

    /// The remote reads.
    pub(super) fn remote_reads(&mut self, conn: ConnNo, bytes: &[u8]) {
        if !self.links[conn as usize].client_has_it {
            return;
        }
        self.remote_mut().received(bytes);
        while let Some(taken) = self.remote_mut().take() {
            let Seen::Publish(publish) = taken.as_ref() else { continue };
            if let Some(local) = locally(publish, true) {
                self.outcome.deliveries += 1;
                self.see_as_it_is(Sight::Told(conn, Rc::new(Seen::Publish(local))));
            }
        }
        self.remote_writes();
        if self.remote_mut().wants_close {
            self.client_drops(conn);
        }
    }

    /// What the remote has to say goes onto the wire.
    pub(super) fn remote_writes(&mut self) {
        let Some(conn) = self.remote_no().and_then(|who| self.actors[who].link) else { return };
        let bytes = self.remote_mut().take_outgoing();
        let link = &mut self.links[conn as usize];
        if bytes.is_empty() || link.broken {
            return;
        }
        link.up.look(&bytes);
        link.write(Toward::Broker, self.now_us, &bytes);
        self.written(conn, Toward::Broker);
    }

    /// The remote has lost its end.
    pub(super) fn remote_loses(&mut self, conn: ConnNo) {
        let who = self.links[conn as usize].client;
        if self.actors[who].link == Some(conn) {
            self.actors[who].link = None;
            self.remote_mut().start_over();
        }
    }

    /// A packet of the remote reaches the broker.
    pub(super) fn wire_reached(&mut self, conn: ConnNo, seen: &Rc<Seen>) {
        let who = self.links[conn as usize].client;
        match seen.as_ref() {
            Seen::Connack { accepted: true, .. } => {
                self.see(Sight::Met(conn));
                self.bridge_is_in(conn, who, true);
            }
            Seen::Publish(publish) => {
                self.see(Sight::CameIn(conn, seen.clone()));
                if let Some(local) = locally(publish, false) {
                    self.see(Sight::Reached(conn, Rc::new(Seen::Publish(local))));
                }
            }
            Seen::Ack { .. } => self.see(Sight::Reached(conn, seen.clone())),
            _ => {}
        }
    }

    /// A packet of the broker is on its way to the remote.
    pub(super) fn wire_left(&mut self, conn: ConnNo, seen: &Rc<Seen>) {
        self.see(Sight::WentOut(conn, seen.clone()));
        match seen.as_ref() {
            Seen::Publish(publish) => {
                if let Some(local) = locally(publish, true) {
                    self.see(Sight::Left(conn, Rc::new(Seen::Publish(local))));
                }
            }
            Seen::Ack {
                kind: PacketType::Puback | PacketType::Pubrec | PacketType::Pubrel | PacketType::Pubcomp,
                ..
            } => {
                self.see(Sight::Left(conn, seen.clone()));
            }
            _ => {}
        }
    }

    pub(super) fn free_slot(&self) -> u32 {
        let slot =
            (0..).find(|slot| self.links.iter().all(|link| link.slot != *slot || link.broker == BrokerEnd::Gone));
        slot.expect("there are fewer links than numbers")
    }
}

/// A message of the wire under its local name.
fn locally(publish: &SeenPublish, out: bool) -> Option<SeenPublish> {
    Some(SeenPublish { topic: local_name(&publish.topic, out)?, ..publish.clone() })
}
