//! The reasons for people: for each message and each Session, delivered and through which Topic Filter, or the first
//! reason why not. Only when tracing is on; the routing itself reads none of it.

use alloc::vec::Vec;

use crate::broker::Broker;
use crate::door::Output;
use crate::route::{Fan, Matches, Outcome};
use crate::trace::{Delivery as How, NotDelivered, Trace};

impl Broker {
    pub(crate) fn explain_routing(&mut self, fan: &Fan<'_>, matches: &Matches) {
        let publication = fan.message.publication;
        let mut told = Vec::new();
        for (session, target, outcome) in &fan.outcomes {
            told.push(*session);
            let Some(state) = self.sessions.get(*session) else { continue };
            let client_identifier = state.client_identifier.clone();
            let filter = self.subscriptions.path(target.node);
            let trace = match outcome.clone() {
                Outcome::Not(NotDelivered::NoLocal { .. }) => {
                    Trace::NotDelivered { publication, client_identifier, why: NotDelivered::NoLocal { filter } }
                }
                Outcome::Not(why) => Trace::NotDelivered { publication, client_identifier, why },
                sent_or_queued => Trace::Delivered {
                    publication,
                    client_identifier,
                    filter,
                    qos: fan.message.qos.min(target.qos),
                    retained: false,
                    how: if sent_or_queued == Outcome::Sent { How::Sent } else { self.how_now(*session, fan) },
                },
            };
            self.outputs.push_back(Output::Trace(trace));
        }
        for session in 0..self.sessions.end() {
            if told.contains(&session) || self.sessions.get(session).is_none() {
                continue;
            }
            let why = self.why_not(session, fan.message.topic, matches);
            let client_identifier = self.sessions[session].client_identifier.clone();
            self.outputs.push_back(Output::Trace(Trace::NotDelivered { publication, client_identifier, why }));
        }
    }

    /// Whether what went into a queue has left it since.
    fn how_now(&self, session: u32, fan: &Fan<'_>) -> How {
        let waits = fan.kept.is_some_and(|kept| self.sessions[session].queue.iter().any(|it| it.message == kept));
        if waits { How::Queued } else { How::Sent }
    }

    /// The first reason why a Session that did not match did not.
    fn why_not(&self, session: u32, topic: &str, matches: &Matches) -> NotDelivered {
        let state = &self.sessions[session];
        for group in &matches.groups {
            if let Some(group) = self.shares.get(*group).filter(|group| group.has(session)) {
                return NotDelivered::AnotherMember { filter: group.filter() };
            }
        }
        let nearest = state.subscriptions.iter().map(|subscription| {
            let filter = self.subscriptions.path(subscription.node);
            let dollar = topic.starts_with('$') && filter.starts_with(['+', '#']);
            let level = topic.split('/').zip(filter.split('/')).take_while(|(t, f)| t == f || *f == "+").count() + 1;
            if dollar {
                (0, NotDelivered::Dollar { filter })
            } else {
                (level, NotDelivered::NoMatch { filter, level: level as u16 })
            }
        });
        nearest.max_by_key(|(level, _)| *level).map_or(NotDelivered::NoSubscription, |(_, why)| why)
    }
}
