//! Tells a story to a broker: each step is done, then broker and clients go on until nobody has anything left to say,
//! and what each client received is written down, client by client in the order in which the story named them. So a
//! transcript never depends on which of two sockets was read first, and all targets give the same one.

mod actor;
mod notice;

use core::fmt;

use wasmqtt_broker::{BridgeId, Grant, Limits, Question, QuestionId, Reply, Verdict};
use wasmqtt_codec::{PacketType, ReasonCode, Sender};

use crate::scenario::args::Args;
use crate::scenario::step::{BrokerAct, Operation};
use crate::scenario::{Account, Act, LinkAct, Scenario, Show, Step, settings};
use crate::target::{LinkId, Notice, Target, TargetError};
use crate::transcript::Transcript;

use actor::Actor;

/// Rounds of packets after one step; a story that needs more goes round in circles.
const ROUNDS_MAX: u32 = 100_000;

/// Why a story could not be told to its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoryError {
    /// The line of the step.
    pub line: u32,
    /// What went wrong there.
    pub what: StoryFault,
}

/// What can go wrong with a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StoryFault {
    /// The target could not do it.
    Target(TargetError),
    /// This client has no open transport.
    NotOpen(String),
    /// There is no open question to answer.
    NoQuestion,
    /// Broker and clients do not come to rest.
    Restless,
}

impl fmt::Display for StoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        match &self.what {
            StoryFault::Target(error) => error.fmt(f),
            StoryFault::NotOpen(who) => write!(f, "{who} has no open transport"),
            StoryFault::NoQuestion => f.write_str("the broker asked nothing that is unanswered"),
            StoryFault::Restless => f.write_str("broker and clients do not come to rest"),
        }
    }
}

impl core::error::Error for StoryError {}

/// Tells `scenario` to `target` and returns what the clients saw.
pub fn tell(scenario: &Scenario, target: &mut dyn Target) -> Result<Transcript, StoryError> {
    let mut story = Story {
        target,
        accounts: &scenario.accounts,
        show: scenario.show,
        split: scenario.split,
        hidden: &scenario.hidden,
        limits: scenario.config.limits.clone(),
        actors: Vec::new(),
        questions: Vec::new(),
        links: 0,
        now_us: 0,
        transcript: Transcript::default(),
    };
    for step in &scenario.steps {
        story.step(step).map_err(|what| StoryError { line: step.line, what })?;
    }
    Ok(story.transcript)
}

struct Story<'a> {
    target: &'a mut dyn Target,
    accounts: &'a [Account],
    show: Show,
    split: usize,
    hidden: &'a [(String, PacketType)],
    limits: Limits,
    actors: Vec<Actor>,
    questions: Vec<(QuestionId, Question)>,
    links: u32,
    now_us: u64,
    transcript: Transcript,
}

impl From<TargetError> for StoryFault {
    fn from(error: TargetError) -> Self {
        StoryFault::Target(error)
    }
}

impl Story<'_> {
    fn step(&mut self, step: &Step) -> Result<(), StoryFault> {
        let until_us = self.now_us + step.after_us;
        // Lines carry the time at which their step ends: a target whose clock can only jump gives the same transcript.
        self.now_us = until_us;
        while let Some(due_us) = self.target.deadline().filter(|&due_us| due_us <= until_us && step.after_us > 0) {
            self.target.advance(due_us)?;
            self.settle()?;
        }
        if step.after_us > 0 {
            self.target.advance(until_us)?;
            self.settle()?;
            self.write_down();
        }
        self.act(&step.act)?;
        self.settle()?;
        self.write_down();
        Ok(())
    }

    fn act(&mut self, act: &Act) -> Result<(), StoryFault> {
        match act {
            Act::Wait => {}
            Act::Open { who, version } => {
                let at = self.actor(who);
                self.actors[at].version = *version;
                self.open(at)?;
            }
            Act::Client { who, sends } => return self.client(who, sends),
            Act::Acks { who, automatic } => {
                let at = self.actor(who);
                self.actors[at].automatic = *automatic;
            }
            Act::Link { who, what } => return self.link(who, *what),
            Act::Broker(BrokerAct::Restart) => {
                self.target.restart()?;
                self.questions.clear();
                self.actors.iter_mut().for_each(Actor::forget_link);
            }
            Act::Broker(BrokerAct::Swap) => self.target.swap()?,
            Act::Broker(BrokerAct::Sleep(us)) => {
                self.now_us += us;
                self.target.sleep(*us)?;
            }
            Act::Store(mode) => self.target.store(*mode)?,
            Act::Operator(operation) => return self.operate(operation),
            Act::Answer { who, verdict } => return self.answer(who.as_deref(), verdict.clone()),
        }
        Ok(())
    }

    /// The place of an actor; one that is named for the first time enters here.
    fn actor(&mut self, who: &str) -> usize {
        self.actors.iter().position(|actor| actor.name == who).unwrap_or_else(|| {
            let hidden = self.hidden.iter().filter(|(name, _)| name == who).map(|(_, kind)| *kind).collect();
            self.actors.push(Actor::new(who, self.split, hidden));
            self.actors.len() - 1
        })
    }

    fn open(&mut self, at: usize) -> Result<LinkId, StoryFault> {
        self.links += 1;
        let link = LinkId(self.links);
        self.target.open(link)?;
        self.actors[at].opened(link);
        Ok(link)
    }

    /// A bridge dials an actor, who is the server then.
    fn dialled(&mut self, bridge: BridgeId, to: &str) -> Result<(), StoryFault> {
        let at = self.actor(to);
        if !self.actors[at].reachable {
            self.actors[at].seen.push("<- dialled in vain".into());
            return Ok(self.target.dialled(bridge, None)?);
        }
        self.links += 1;
        let link = LinkId(self.links);
        self.target.dialled(bridge, Some(link))?;
        self.actors[at].opened(link);
        self.actors[at].peer = Sender::Client;
        Ok(())
    }

    fn client(&mut self, who: &str, sends: &[crate::scenario::wish::Wish]) -> Result<(), StoryFault> {
        let at = self.actor(who);
        if self.actors[at].link.is_none() {
            if !sends.first().is_some_and(Actor::may_open) {
                return Err(StoryFault::NotOpen(who.into()));
            }
            self.open(at)?;
        }
        let (bytes, cut) = self.actors[at].compose(sends);
        self.deliver(at, &bytes)?;
        if cut {
            self.cut(at)?;
        }
        if self.actors[at].leaving {
            // A client that said DISCONNECT closes the transport [5:MQTT-3.14.4-2].
            self.settle()?;
            self.cut(at)?;
        }
        Ok(())
    }

    /// Hands bytes of a client to the broker, in pieces if its link is slow.
    fn deliver(&mut self, at: usize, bytes: &[u8]) -> Result<(), StoryFault> {
        let Some(link) = self.actors[at].link else { return Ok(()) };
        let piece = match self.actors[at].split {
            0 => bytes.len().max(1),
            // Large payloads are not worth a turn for each byte.
            split => split.max(bytes.len() / 500),
        };
        for part in bytes.chunks(piece) {
            self.target.send(link, part)?;
            if piece < bytes.len() {
                self.target.settle()?;
            }
        }
        Ok(())
    }

    fn cut(&mut self, at: usize) -> Result<(), StoryFault> {
        if let Some(link) = self.actors[at].link {
            self.target.cut(link)?;
        }
        self.actors[at].forget_link();
        Ok(())
    }

    fn link(&mut self, who: &str, what: LinkAct) -> Result<(), StoryFault> {
        let at = self.actor(who);
        match what {
            LinkAct::Split(bytes) => self.actors[at].split = bytes,
            LinkAct::Reachable(is) => self.actors[at].reachable = is,
            LinkAct::CutBefore(kind) => self.actors[at].trigger = Some((kind, 0)),
            LinkAct::CutAfter(count, kind) => self.actors[at].trigger = Some((kind, count.max(1))),
            LinkAct::Cut | LinkAct::Freeze | LinkAct::Thaw => {
                let link = self.actors[at].link.ok_or_else(|| StoryFault::NotOpen(who.into()))?;
                match what {
                    LinkAct::Cut => return self.cut(at),
                    LinkAct::Freeze => self.target.freeze(link, true)?,
                    _ => self.target.freeze(link, false)?,
                }
            }
        }
        Ok(())
    }

    fn operate(&mut self, operation: &Operation) -> Result<(), StoryFault> {
        match operation {
            Operation::Command(command) => self.target.command(command.clone())?,
            Operation::SetLimits(words) => {
                // Their names and values were checked when the story was read.
                let _ = settings::set_fields(&mut self.limits, Args::new(words.clone(), 0));
                self.target.command(wasmqtt_broker::Command::SetLimits(self.limits.clone()))?;
            }
            Operation::Count(names) => {
                let counters = self.target.counters()?;
                for name in names {
                    let value = settings::field(&counters, name).unwrap_or_else(|| "no such counter".into());
                    self.transcript.push(self.now_us, "operator", format!("<- {name}={value}"));
                }
            }
        }
        Ok(())
    }

    fn answer(&mut self, who: Option<&str>, verdict: Verdict) -> Result<(), StoryFault> {
        let about = |question: &Question| match question {
            Question::Connect { client_identifier, .. } | Question::Authenticate { client_identifier, .. } => {
                who.is_none_or(|who| who == client_identifier)
            }
        };
        let at = self.questions.iter().position(|(_, question)| about(question)).ok_or(StoryFault::NoQuestion)?;
        let (id, _) = self.questions.remove(at);
        Ok(self.target.answer(id, verdict)?)
    }

    /// Broker and clients go on until nobody has anything left to say.
    fn settle(&mut self) -> Result<(), StoryFault> {
        for _ in 0..ROUNDS_MAX {
            self.target.settle()?;
            let mut moved = self.listen()?;
            for at in 0..self.actors.len() {
                moved |= self.hear(at)?;
            }
            if !moved {
                return Ok(());
            }
        }
        Err(StoryFault::Restless)
    }

    /// Takes what arrived for one client and lets it acknowledge; whether anything did.
    fn hear(&mut self, at: usize) -> Result<bool, StoryFault> {
        let Some(link) = self.actors[at].link else { return Ok(false) };
        let received = self.target.receive(link)?;
        if received.bytes.is_empty() && !received.closed {
            return Ok(false);
        }
        let cut = self.actors[at].receive(&received.bytes, self.show);
        if cut {
            self.cut(at)?;
            return Ok(true);
        }
        if received.closed {
            self.actors[at].closed();
            self.target.cut(link)?;
            return Ok(true);
        }
        let answers = core::mem::take(&mut self.actors[at].answers);
        if !answers.is_empty() {
            let (bytes, cut) = self.actors[at].compose(&answers);
            self.deliver(at, &bytes)?;
            if cut {
                self.cut(at)?;
            }
        }
        Ok(true)
    }

    /// What the broker says beside bytes: questions are answered from the story's accounts, if it has any.
    fn listen(&mut self) -> Result<bool, StoryFault> {
        let mut moved = false;
        for notice in self.target.notices() {
            match notice {
                Notice::Asked(id, question) if !self.accounts.is_empty() => {
                    moved = true;
                    let verdict = self.judge(&question);
                    self.target.answer(id, verdict)?;
                }
                Notice::Asked(id, question) => {
                    self.transcript.push(self.now_us, "broker", notice::question(&question));
                    self.questions.push((id, question));
                }
                Notice::Event(event) if self.show.events => {
                    self.transcript.push(self.now_us, "broker", notice::event(&event));
                }
                Notice::Trace(trace) if self.show.traces => {
                    self.transcript.push(self.now_us, "broker", notice::trace(&trace));
                }
                Notice::Reply(Reply::Done) if self.show.quiet_operator => {}
                Notice::Reply(reply) => {
                    for line in notice::reply(&reply) {
                        self.transcript.push(self.now_us, "operator", line);
                    }
                }
                Notice::Dial(bridge, to) => {
                    moved = true;
                    self.dialled(bridge, &to)?;
                }
                Notice::Event(_) | Notice::Trace(_) => {}
            }
        }
        Ok(moved)
    }

    fn judge(&self, question: &Question) -> Verdict {
        let refuse = |reason| Verdict::Refuse { reason, reason_string: None, server_reference: None };
        let Question::Connect { user_name, password, .. } = question else {
            return refuse(ReasonCode::NotAuthorized);
        };
        let known = |account: &&Account| {
            user_name.as_ref() == Some(&account.user) && password.as_deref() == Some(account.password.as_slice())
        };
        match self.accounts.iter().find(known) {
            Some(Account { user, permissions, .. }) => Verdict::Allow(Grant {
                user: Some(user.clone()),
                permissions: permissions.clone(),
                authentication_data: None,
            }),
            None => refuse(ReasonCode::BadUserNameOrPassword),
        }
    }

    /// Moves what the clients saw in this step into the transcript, client by client.
    fn write_down(&mut self) {
        for actor in &mut self.actors {
            for line in actor.seen.drain(..) {
                self.transcript.push(self.now_us, &actor.name, line);
            }
        }
    }
}
