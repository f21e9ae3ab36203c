//! What a fault does to the World, and how it heals.

use super::faults::{Fault, Toward};
use super::link::{BrokerEnd, Pace};
use super::plan::Role;
use super::{CALM_US, Job, World};
use crate::sight::{ConnNo, Sight};

impl World<'_> {
    /// Nothing passes any more. The broker learns of it when the link says; the client at once if it is to.
    pub(super) fn break_link(&mut self, conn: ConnNo, client_learns: bool) {
        let link = &mut self.links[conn as usize];
        link.broken = true;
        if let Some(us) = link.learned_us {
            self.later(self.now_us + us, Job::Learn(conn));
        }
        if client_learns {
            self.client_loses(conn);
        }
    }

    /// Something goes wrong; it is counted if it could.
    pub(super) fn fault(&mut self, fault: &Fault) {
        let conn = fault.who().and_then(|who| self.actors[who].link);
        let until = |us: u64| self.now_us + us;
        let happened = match (fault, conn) {
            (Fault::Cut { toward, bytes, learned_us, .. }, Some(conn)) => {
                let link = &mut self.links[conn as usize];
                link.learned_us = *learned_us;
                link.pipe(*toward).cut_after(*bytes);
                if *bytes == 0 {
                    self.break_link(conn, true);
                }
                true
            }
            (Fault::Stall { toward, for_us, .. }, Some(conn)) => {
                let until_us = until(*for_us);
                self.links[conn as usize].pipe(*toward).stall(until_us);
                true
            }
            (Fault::Trickle { toward, piece, gap_us, for_us, .. }, Some(conn)) => {
                let until_us = until(*for_us);
                self.links[conn as usize].pipe(*toward).trickle(*piece, *gap_us, until_us);
                true
            }
            (Fault::Slow { window, for_us, .. }, Some(conn)) => {
                let until_us = until(*for_us);
                self.links[conn as usize].down.narrow(*window, until_us);
                self.later(until_us, Job::Widen);
                true
            }
            (Fault::Jitter { jitter_us, .. }, Some(conn)) => {
                self.repace(conn, |pace| Pace { jitter_us: *jitter_us, ..pace });
                true
            }
            (Fault::Narrow { bytes_per_s, .. }, Some(conn)) => {
                self.repace(conn, |pace| Pace { bytes_per_s: *bytes_per_s, ..pace });
                true
            }
            (Fault::CutWhen { toward, cut, .. }, Some(conn)) => {
                self.links[conn as usize].pipe(*toward).cuts.push(*cut);
                true
            }
            (Fault::HalfOpen { .. }, Some(conn)) => {
                self.links[conn as usize].learned_us = None;
                self.break_link(conn, true);
                true
            }
            (Fault::Takeover { who }, Some(_)) if self.actors[*who].profile.role != Role::Remote => {
                let clean = self.comes_back_clean(*who);
                self.connect(*who, clean);
                true
            }
            (Fault::Sleep { for_us }, _) => {
                self.sleep(*for_us);
                true
            }
            (Fault::Restart { survive_percent }, _) => {
                self.restart(*survive_percent);
                true
            }
            (Fault::Swap, _) => {
                self.swap();
                true
            }
            (Fault::SlowStore { store_us, for_us }, _) => {
                self.store.slow(*store_us, until(*for_us));
                true
            }
            (Fault::StoreHiccup { stored_percent }, _) => self.hiccup_next(*stored_percent),
            (Fault::FailedStore { for_us }, _) => self.store_fails(*for_us),
            (
                Fault::Cut { .. }
                | Fault::Stall { .. }
                | Fault::Trickle { .. }
                | Fault::Slow { .. }
                | Fault::Jitter { .. }
                | Fault::Narrow { .. }
                | Fault::CutWhen { .. }
                | Fault::HalfOpen { .. }
                | Fault::Takeover { .. },
                _,
            ) => false,
        };
        self.outcome.faults[fault.kind()] += u32::from(happened);
    }

    /// Both directions of a link take another time from now on.
    fn repace(&mut self, conn: ConnNo, change: impl Fn(Pace) -> Pace) {
        for toward in [Toward::Broker, Toward::Client] {
            let pipe = self.links[conn as usize].pipe(toward);
            pipe.set_pace(change(pipe.pace()));
        }
    }

    /// Nothing goes wrong any more: what is broken is noticed, what waits goes on, and everybody comes back.
    pub(super) fn heal(&mut self) {
        if std::mem::replace(&mut self.healed, true) {
            return;
        }
        self.see(Sight::Healed);
        self.answer_all();
        self.store.heal();
        self.store_works();
        for conn in 0..self.links.len() as ConnNo {
            let link = &mut self.links[conn as usize];
            link.heal(self.now_us);
            if link.broken && link.broker != BrokerEnd::Gone {
                self.broker_loses(conn);
            } else {
                self.schedule(conn, Toward::Broker);
                self.schedule(conn, Toward::Client);
            }
        }
        let auditor = self.actors.len() - 1;
        for who in 0..auditor {
            self.actors[who].heal();
            if !matches!(self.actors[who].profile.role, Role::Rude | Role::Remote) {
                self.actors[who].wants = true;
                if self.actors[who].link.is_none() {
                    let clean = self.comes_back_clean(who);
                    self.connect(who, clean);
                }
            }
        }
        self.later(self.now_us + CALM_US / 2, Job::Audit);
        self.later(self.now_us + CALM_US, Job::Finish);
    }
}
