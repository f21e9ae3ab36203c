//! What happens next, and when: a search over all that can be due, in an order that leaves nothing to chance, and the
//! names of timers for people who want to jump to the next one.

use std::rc::Rc;

use serde::Serialize;
use wasmqtt_broker::{Page, Subject};

use super::entry::{By, Timer, TimerKind, What};
use super::json::insert_in_order;
use super::lines::BOTH;
use super::{EPOCH_US, Stage};
use crate::world::faults::Toward;
use crate::world::link::BrokerEnd;

/// Something that is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    /// A link breaks.
    Break(u32),
    /// A packet arrives.
    Deliver(u32, Toward),
    /// An end of a link learns that nothing comes any more.
    End(u32, Toward),
    /// A client's timer fires.
    Client(usize),
    /// A client comes back.
    Back(usize),
    /// The script goes on.
    Script,
    /// A timer of the broker fires.
    Broker,
}

/// The next of each kind, as pages show it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Next {
    /// When anything happens.
    pub at: Option<u64>,
    /// When the next packet arrives.
    pub delivery: Option<u64>,
    /// When the script goes on.
    pub script: Option<u64>,
    /// All timers, in order of time.
    pub timers: Vec<NextTimer>,
}

/// A timer that runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct NextTimer {
    /// When it fires.
    pub at: u64,
    /// Which.
    pub what: TimerKind,
    /// Whose.
    pub who: Option<Rc<str>>,
}

/// Everything that is inspected is on one page.
pub const ALL: u32 = u32::MAX;

impl Stage {
    /// What happens next, and when. What is due at the same time comes in the order of the kinds, packets in the order
    /// in which they were sent.
    pub(super) fn due(&self) -> Option<(u64, Due)> {
        let mut first: Option<((u64, u8, u64), Due)> = None;
        let mut may = |at_us: Option<u64>, class: u8, order: u64, due: Due| {
            if let Some(at_us) = at_us {
                let key = (at_us.max(self.now_us), class, order);
                if first.is_none_or(|(known, _)| key < known) {
                    first = Some((key, due));
                }
            }
        };
        for (number, line) in self.lines.iter() {
            let order = u64::from(number);
            may(line.break_us(), 1, order, Due::Break(number));
            for toward in BOTH {
                if let Some((at_us, packet)) = line.delivery(toward) {
                    may(Some(at_us), 2, packet, Due::Deliver(number, toward));
                }
                may(line.end(toward), 3, 2 * order + toward as u64, Due::End(number, toward));
            }
        }
        for (who, actor) in self.actors.iter().enumerate().filter(|(_, actor)| !actor.frozen) {
            may(actor.client.deadline().filter(|_| actor.link.is_some()), 4, who as u64, Due::Client(who));
            may(actor.back.map(|(at_us, _)| at_us), 5, who as u64, Due::Back(who));
        }
        // What a person once did comes behind as many moments as then, and last of all if it never comes to so many.
        let class = |after: Option<u64>| after.map_or(6, |after| if self.moments >= after { 0 } else { 8 });
        if let Some(cue) = self.script.get(self.script_at) {
            may(Some(cue.at_us), class(cue.after), 0, Due::Script);
        }
        may(self.broker.deadline().map(|at| at.0.saturating_sub(EPOCH_US)), 7, 0, Due::Broker);
        first.map(|((at_us, _, _), due)| (at_us, due))
    }

    pub(super) fn happen(&mut self, due: Due) {
        match due {
            Due::Break(number) => self.break_at(number),
            Due::Deliver(number, toward) => self.deliver(number, toward),
            Due::End(number, toward) => self.end_arrives(number, toward),
            Due::Client(who) => {
                let what = self.client_timer(who);
                let id = self.actors[who].id.clone();
                self.cause = Some(self.tell(What::Timer(Timer { what, who: Some(id) })));
                self.actors[who].client.tick(self.now_us);
                self.attend(who);
            }
            Due::Back(who) => {
                let cause = self.actors[who].back.take().and_then(|(_, cause)| cause);
                let id = self.actors[who].id.clone();
                let timer = What::Timer(Timer { what: TimerKind::Reconnect, who: Some(id) });
                self.cause = Some(self.tell_because(cause, timer));
                self.open(who);
            }
            Due::Script => {
                let script = self.script.clone();
                let command = &*script[self.script_at].command;
                self.script_at += 1;
                match self.check(command) {
                    Ok(()) => self.obey(command, By::Script),
                    Err(refusal) => {
                        self.cause = Some(self.tell_command(command, By::Script));
                        self.tell(What::Refused((&refusal).into()));
                    }
                }
            }
            // The turn that follows fires it.
            Due::Broker => {}
        }
    }

    fn client_timer(&self, who: usize) -> TimerKind {
        if self.actors[who].client.awaits_pingresp() { TimerKind::NoPingresp } else { TimerKind::Ping }
    }

    /// Timers of the broker that fire with the coming `Tick`, before what they lead to. Most of its deadlines are those
    /// of clients that have been heard of since, so that it looks and nothing fires; hundreds of those come in a row.
    pub(super) fn name_timers(&mut self) {
        let time = self.time();
        if self.now_us < self.quiet_until_us || self.broker.deadline().is_none_or(|at| at > time) {
            return;
        }
        let fire = self.broker_timers(self.now_us);
        if fire.is_empty() {
            let next = self.broker_timers(u64::MAX).iter().map(|timer| timer.at).min();
            self.quiet_until_us = next.unwrap_or(u64::MAX);
        }
        for timer in fire {
            let n = self.tell(What::Timer(Timer { what: timer.what, who: timer.who }));
            self.cause = self.cause.or(Some(n));
        }
    }

    /// What the broker waits for up to a time.
    fn broker_timers(&self, upto_us: u64) -> Vec<NextTimer> {
        let mut timers = Vec::new();
        let from_epoch = |at: wasmqtt_broker::Time| at.0.saturating_sub(EPOCH_US);
        let mut connected = Vec::new();
        let Some(Page::Sessions(sessions)) = self.broker.inspect(&Subject::Sessions, 0, ALL) else { return timers };
        for session in sessions {
            let mut add = |at: Option<u64>, what| {
                let at = at.filter(|at| *at <= upto_us);
                timers.extend(at.map(|at| NextTimer { at, what, who: self.named(&session.client_identifier) }));
            };
            connected.extend(session.conn.map(|conn| conn.generation - 1));
            let keeps = session.last_packet_at.filter(|_| session.keep_alive_s > 0);
            let keep_alive_us = u64::from(session.keep_alive_s) * 1_500_000;
            add(keeps.map(|at| from_epoch(at) + keep_alive_us), TimerKind::KeepAlive);
            add(session.expires_at.map(from_epoch), TimerKind::SessionExpiry);
            add(session.will_at.map(from_epoch), TimerKind::WillDelay);
        }
        for (number, line) in self.lines.iter() {
            let timeout_us = u64::from(self.config.limits.connect_timeout_s) * 1_000_000;
            let at = line.known_at_us.map(|known_us| known_us + timeout_us).filter(|at| *at <= upto_us);
            let waits = || line.link.broker == BrokerEnd::Open && !connected.contains(&number);
            if let Some(at) = at.filter(|_| waits()) {
                let who = Some(self.actors[line.link.client].id.clone());
                timers.push(NextTimer { at, what: TimerKind::ConnectTimeout, who });
            }
        }
        let all = Subject::Retained { filter: "#".into() };
        if let Some(Page::Retained(retained)) = self.broker.inspect(&all, 0, ALL) {
            let expiring = retained.iter().filter_map(|message| message.expires_at).map(from_epoch);
            let expiring = expiring.filter(|at| *at <= upto_us);
            timers.extend(expiring.map(|at| NextTimer { at, what: TimerKind::MessageExpiry, who: None }));
        }
        timers
    }

    /// What happens next, for people.
    #[must_use]
    pub fn next(&self) -> Next {
        let mut timers = Vec::new();
        let in_order = |timer: &NextTimer| timer.at;
        for timer in self.broker_timers(u64::MAX) {
            insert_in_order(&mut timers, timer, in_order);
        }
        for (who, actor) in self.actors.iter().enumerate().filter(|(_, actor)| !actor.frozen) {
            let id = Some(actor.id.clone());
            if let Some(at) = actor.client.deadline().filter(|_| actor.link.is_some()) {
                insert_in_order(&mut timers, NextTimer { at, what: self.client_timer(who), who: id.clone() }, in_order);
            }
            if let Some((at, _)) = actor.back {
                insert_in_order(&mut timers, NextTimer { at, what: TimerKind::Reconnect, who: id }, in_order);
            }
        }
        let deliveries = self.lines.values().flat_map(|line| BOTH.map(|toward| line.delivery(toward)));
        let delivery = deliveries.flatten().map(|(at_us, _)| at_us.max(self.now_us)).min();
        let script = self.script.get(self.script_at).map(|cue| cue.at_us);
        Next { at: self.due().map(|(at_us, _)| at_us), delivery, script, timers }
    }
}
