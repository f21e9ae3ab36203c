//! Who may come in, and what they may do then. A run may have an authority that is asked for each CONNECT and AUTH; it
//! takes its time, wants to hear more, refuses, or says nothing until the world heals. What it grants a client is the
//! same for a whole run, so that oracles know it beforehand.

use bytes::Bytes;
use wasmqtt_broker::{Allowed, Grant, Input, Permissions, Question, QuestionId, Rules, Verdict, codec::ReasonCode};

use super::link::BrokerEnd;
use super::{Job, World};
use crate::luck::Luck;
use crate::sight::{ClientNo, ConnNo, SeenQuestion, SeenVerdict, Sight};

/// How the authority of a run is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Authority {
    /// How long it may take for an answer, in microseconds.
    pub delays_us: Vec<u64>,
    /// How many of a hundred questions it answers with no.
    pub refuse_percent: u64,
    /// How many of a hundred it does not answer before the world heals.
    pub silent_percent: u64,
}

/// What a client may do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rights {
    /// Topic Names it may publish to; `None` = all.
    pub publish: Option<&'static [&'static str]>,
    /// Where it may not.
    pub publish_not: &'static [&'static str],
    /// Topic Filters it may subscribe to; `None` = all.
    pub subscribe: Option<&'static [&'static str]>,
    /// Those that it may not, nor receive from.
    pub subscribe_not: &'static [&'static str],
    /// Topic Names that it may be sent; `None` = all.
    pub receive: Option<&'static [&'static str]>,
    /// Those that it may not.
    pub receive_not: &'static [&'static str],
}

const ALL: Rights =
    Rights { publish: None, publish_not: &[], subscribe: None, subscribe_not: &[], receive: None, receive_not: &[] };

/// What clients are granted. Shared Subscriptions are left alone: who of a group may not receive a message need not be
/// known outside.
pub(super) const RIGHTS: [Rights; 7] = [
    Rights { publish_not: &["c", "w/#"], ..ALL },
    Rights { publish: Some(&["a/#", "s/#"]), ..ALL },
    Rights { publish: Some(&["#", "$d/#"]), publish_not: &["a/b"], ..ALL },
    Rights { subscribe_not: &["a/b"], ..ALL },
    Rights { subscribe: Some(&["a/#", "s/#", "b/c"]), ..ALL },
    Rights { receive_not: &["a/b/c", "$d/#"], ..ALL },
    Rights { receive: Some(&["a/+", "s/#"]), publish_not: &["b/#"], ..ALL },
];

/// A question that waits for its answer.
#[derive(Clone, Debug)]
pub(super) struct Open {
    conn: ConnNo,
    id: QuestionId,
    /// AUTH packets that the client has sent in this exchange.
    heard: u32,
    /// How many it is to send before it is believed.
    wanted: u32,
    verdict: SeenVerdict,
}

fn rules(allow: Option<&[&str]>, deny: &[&str]) -> Rules {
    let owned = |filters: &[&str]| filters.iter().map(|filter| String::from(*filter)).collect();
    Rules { allow: allow.map_or(Allowed::Everything, |allow| Allowed::Filters(owned(allow))), deny: owned(deny) }
}

impl Rights {
    fn permissions(&self) -> Option<Permissions> {
        (*self != ALL).then(|| Permissions {
            publish: rules(self.publish, self.publish_not),
            subscribe: rules(self.subscribe, self.subscribe_not),
            receive: rules(self.receive, self.receive_not),
        })
    }
}

impl World<'_> {
    /// The broker asks.
    pub(super) fn asked(&mut self, id: QuestionId, what: &Question) {
        let (conn, seen) = match what {
            Question::Connect { conn, client_identifier, user_name, password, authentication, .. } => {
                let password = password.as_ref().map(|password| String::from_utf8_lossy(password).into_owned());
                let (name, user) = (client_identifier.clone(), user_name.clone());
                let method = authentication.as_ref().map(|(method, _)| method.clone());
                (conn, SeenQuestion::Connect { name, user, password, method })
            }
            Question::Authenticate { conn, client_identifier, again, .. } => {
                (conn, SeenQuestion::Authenticate { name: client_identifier.clone(), again: *again })
            }
        };
        let conn = conn.generation - 1;
        self.see(Sight::Asked(conn, seen.clone()));
        let who = self.links[conn as usize].client;
        let heard = match seen {
            SeenQuestion::Connect { .. } | SeenQuestion::Authenticate { again: true, .. } => 0,
            SeenQuestion::Authenticate { again: false, .. } => self.links[conn as usize].heard,
        };
        self.links[conn as usize].heard = heard + 1;
        let wanted = self.actors[who].profile.auth_rounds.unwrap_or(0);
        let mut luck = Luck::of(self.plan.seed, 900_000 + u64::from(conn) * 16 + u64::from(heard));
        let (verdict, delay_us) = self.decide(&mut luck, who, heard, wanted);
        self.outcome.verdicts[verdict.kind()] += 1;
        self.questions.push(Open { conn, id, heard, wanted, verdict });
        if let Some(delay_us) = delay_us {
            self.later(self.now_us + delay_us, Job::Answer(id));
        }
    }

    /// What is answered, and after how long; `None` = not before the world heals.
    fn decide(&self, luck: &mut Luck, who: ClientNo, heard: u32, wanted: u32) -> (SeenVerdict, Option<u64>) {
        let yes = if heard < wanted { SeenVerdict::Continue } else { SeenVerdict::Allow };
        let trusted = self.healed || !self.actors[who].profile.is_worker();
        let Some(authority) = self.plan.authority.as_ref().filter(|_| !trusted) else { return (yes, Some(0)) };
        let delay_us = (!luck.chance(authority.silent_percent)).then(|| luck.of_these(&authority.delays_us));
        match luck.chance(authority.refuse_percent) {
            true => (SeenVerdict::Refuse(luck.of_these(&[0x86, 0x87, 0x88])), delay_us),
            false => (yes, delay_us),
        }
    }

    /// The answer is there, whether anybody waits for it or not.
    pub(super) fn answer(&mut self, id: QuestionId) {
        let Some(at) = self.questions.iter().position(|open| open.id == id) else { return };
        let mut open = self.questions.remove(at);
        let who = self.links[open.conn as usize].client;
        let actor = &self.actors[who];
        // A CONNECT that its client has given up may come in late and end the client's Session, or begin one that it
        // does not know of: no client could tell. Where that would happen the authority says no.
        let is_double = actor.link != Some(open.conn) && self.links[open.conn as usize].broker == BrokerEnd::Open;
        if is_double && (self.links[open.conn as usize].clean || !actor.survives_a_double()) {
            open.verdict = SeenVerdict::Refuse(0x87);
        }
        if self.links[open.conn as usize].broker == BrokerEnd::Open {
            self.see(Sight::Answered(open.conn, open.verdict));
        }
        let data = Bytes::from(format!("{} of {}", open.heard, open.wanted));
        let verdict = match open.verdict {
            SeenVerdict::Allow => Verdict::Allow(Grant {
                user: self.actors[who].profile.user(),
                permissions: self.actors[who].profile.rights.permissions(),
                authentication_data: (open.wanted > 0).then_some(data),
            }),
            SeenVerdict::Continue => Verdict::Continue { data },
            SeenVerdict::Refuse(byte) => Verdict::Refuse {
                reason: ReasonCode::from_byte(byte).unwrap_or(ReasonCode::NotAuthorized),
                reason_string: None,
                server_reference: None,
            },
        };
        self.input(Input::Answered { question: id, verdict });
        self.see_what_left();
    }

    /// Everybody who waits hears a yes.
    pub(super) fn answer_all(&mut self) {
        for open in &mut self.questions {
            open.verdict = if open.heard < open.wanted { SeenVerdict::Continue } else { SeenVerdict::Allow };
        }
        let open: Vec<QuestionId> = self.questions.iter().map(|open| open.id).collect();
        open.into_iter().for_each(|id| self.answer(id));
    }
}
