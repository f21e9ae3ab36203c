//! The World: one broker, its clients, the links between them, a log and a clock, all from one seed. It is a driver of
//! the core like any other, with the virtual time of its own list of events; it carries bytes, lets things go wrong as
//! its [`Plan`] says, and tells a [`Judge`] what can be seen from outside. After a while it heals, everybody comes
//! back, and what is owed must arrive.
//!
//! ```text
//!   Plan ──acts, faults──► clients ⇄ links ⇄ broker ⇄ store
//!                             └──── Sights ────┘──────────► Judge: the oracles
//! ```

pub mod authority;
mod broker;
mod carry;
mod client;
pub mod faults;
pub(crate) mod link;
pub mod plan;
pub mod remote;
mod store;
mod trouble;
mod wire;
mod workload;

use std::collections::BTreeMap;
use std::hash::Hasher;

use siphasher::sip::SipHasher13;
use wasmqtt_broker::{BridgeId, Broker, QuestionId, Seed, Storage};
use wasmqtt_codec::RetainHandling;

use crate::oracle::{Judge, Objection, Terms};
use crate::recording::{BUILD, Beginning, Head, Writer};
use crate::sight::{ClientNo, ConnNo, Seen, Sight};
use client::Actor;
use faults::{KINDS, Toward};
use link::{BrokerEnd, Link};
use plan::{Act, Plan, Profile, Role};
use store::Store;

pub use link::{CutWhen, Moment};
pub use workload::draw;

/// The wall clock at the beginning of every run, in microseconds since 1970.
const EPOCH_US: u64 = 1_700_000_000_000_000;
/// Turns of the broker after which a run heals early, and after which it should have come to rest.
const STEPS_MAX: [u32; 2] = [1_000, 2_000];
/// How long a healed world may take to bring what is owed, in microseconds.
const CALM_US: u64 = 30_000_000;
/// Nothing is held for longer because of a record: the slowest store of the World takes a second.
const HELD_US_MAX: u64 = 1_100_000;
/// Turns between two looks at the broker's inside.
const CHECK_EVERY: u32 = 16;

/// Something that a test does to what the oracles see, to learn whether they notice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sabotage {
    /// The n-th message that a user is told is told to nobody.
    Swallow(u32),
    /// No message to a topic that begins like this is told to anybody.
    Lose(&'static str),
    /// Clients that have Shared Subscriptions only are told nothing.
    Idle,
    /// The n-th message that a user is told is told twice.
    Repeat(u32),
    /// The n-th message that a user is told is told behind the next one.
    Reorder(u32),
}

/// What a run was like.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    /// The first thing that an oracle objected to.
    pub objection: Option<Objection>,
    /// Turns of the broker.
    pub steps: u32,
    /// Whether it ran out of turns before it came to rest.
    pub cut_short: bool,
    /// Messages that users were told.
    pub deliveries: u32,
    /// Questions that were to be answered with yes, with the wish to hear more, and with no.
    pub verdicts: [u32; 3],
    /// Faults that happened, by their place in [`KINDS`].
    pub faults: [u32; KINDS.len()],
    /// A hash of every byte that passed, with its time and place, and of the broker's state at the end.
    pub digest: u64,
    /// When it ended, in microseconds from the beginning.
    pub ended_us: u64,
}

/// What happens later.
#[derive(Clone, Debug)]
enum Job {
    /// The n-th action of the plan.
    Act(usize),
    Deliver(ConnNo, Toward),
    /// A client wants to be connected again.
    Back(ClientNo, u32),
    ClientTick(ClientNo),
    Acknowledge(ClientNo, u32),
    /// A transport breaks.
    Break(ConnNo),
    /// The broker learns that a transport is gone.
    Learn(ConnNo),
    /// The broker gives up sending on a transport that it closed.
    Linger(ConnNo),
    /// The client's end of the transport has room again.
    Widen,
    /// The answer to a question.
    Answer(QuestionId),
    /// The answer to a dial, and whether it is none.
    Dialled(BridgeId, u64, bool),
    AddBridge,
    Stored,
    StoreWorks,
    Heal,
    Audit,
    Finish,
}

/// The World.
pub struct World<'a> {
    plan: &'a Plan,
    now_us: u64,
    broker: Broker,
    store: Store,
    actors: Vec<Actor>,
    links: Vec<Link>,
    remote: Option<remote::Remote>,
    /// How often the bridge was added or has dialled.
    dials: u64,
    /// What was asked and not answered yet.
    questions: Vec<authority::Open>,
    jobs: BTreeMap<(u64, u64), Job>,
    job_number: u64,
    judge: Judge,
    digest: SipHasher13,
    outcome: Outcome,
    healed: bool,
    finished: bool,
    sabotage: Option<Sabotage>,
    held_back: Option<Sight>,
    listener: Option<Listener<'a>>,
    recorder: Option<Writer<Vec<u8>>>,
}

/// Hears what the oracles see, and when.
pub type Listener<'a> = &'a mut dyn FnMut(u64, &Sight);

/// Runs a plan to its end, or to the first objection.
#[must_use]
pub fn run(plan: &Plan) -> Outcome {
    World::new(plan).run()
}

/// Runs a plan and lets somebody listen.
pub fn run_heard<'a>(plan: &'a Plan, listener: Listener<'a>) -> Outcome {
    let mut world = World::new(plan);
    world.listener = Some(listener);
    world.run()
}

/// Runs a plan and writes down, as a `.wqr` recording, all that entered the broker.
#[must_use]
pub fn run_recorded(plan: &Plan) -> (Outcome, Vec<u8>) {
    let mut world = World::new(plan);
    let head = Head { build: BUILD.into(), config: plan.config.clone() };
    let writer = Writer::begin(Vec::new(), &head, first_seed(plan), &Beginning::Empty);
    world.recorder = Some(writer.expect("memory takes all that is written"));
    let mut recorded = Vec::new();
    let outcome = world.run_into(&mut recorded);
    (outcome, recorded)
}

/// Runs a plan while something lies to the oracles.
#[must_use]
pub fn run_sabotaged(plan: &Plan, sabotage: Sabotage) -> Outcome {
    let mut world = World::new(plan);
    world.sabotage = Some(sabotage);
    world.run()
}

/// What the first broker of a run draws from.
fn first_seed(plan: &Plan) -> Seed {
    let mut seed = [0; 16];
    seed[..8].copy_from_slice(&plan.seed.to_le_bytes());
    Seed(seed)
}

impl<'a> World<'a> {
    fn new(plan: &'a Plan) -> Self {
        let auditor = Profile {
            name: "auditor".into(),
            session_expiry_s: 0,
            identifies: false,
            introduces: false,
            ..plan.clients.first().expect("a plan has a witness").clone()
        };
        let profiles: Vec<Profile> = plan.clients.iter().cloned().chain([auditor]).collect();
        let limits = &plan.config.limits;
        let terms = Terms {
            receive_maximum: limits.receive_maximum,
            in_flight_max: limits.in_flight_max,
            queue_messages_max: limits.queue_messages_max,
            outbox_bytes_max: limits.outbox_bytes_max,
            memory_bytes_max: limits.memory_bytes_max,
            retained_messages_max: limits.retained_messages_max,
            turns_are_short: limits.turn_bytes_max < 1 << 20,
            held_us_max: if plan.config.storage == Storage::Log { HELD_US_MAX } else { 0 },
            bridge: plan.bridge.clone().and_then(|bridge| {
                let remote = plan.clients.iter().position(|profile| profile.role == Role::Remote)?;
                Some((bridge, remote))
            }),
            asks: plan.authority.is_some(),
            introductions: profiles.iter().map(|profile| (profile.user(), profile.password())).collect(),
            rights: profiles.iter().map(|profile| profile.rights.clone()).collect(),
            names: profiles.iter().map(|profile| profile.name.clone()).collect(),
        };
        let mut world = World {
            plan,
            now_us: 0,
            broker: Broker::new(plan.config.clone(), first_seed(plan)),
            store: Store::new(plan.store_us),
            actors: profiles.into_iter().map(Actor::new).collect(),
            links: Vec::new(),
            remote: plan.clients.iter().find(|profile| profile.role == Role::Remote).map(remote::Remote::new),
            dials: 0,
            questions: Vec::new(),
            jobs: BTreeMap::new(),
            job_number: 0,
            judge: Judge::new(terms),
            digest: SipHasher13::new(),
            outcome: Outcome::default(),
            healed: false,
            finished: false,
            sabotage: None,
            held_back: None,
            listener: None,
            recorder: None,
        };
        if plan.bridge.is_some() {
            world.later(0, Job::AddBridge);
        }
        for (at, planned) in plan.actions.iter().enumerate() {
            world.later(planned.at_us, Job::Act(at));
        }
        world.later(plan.heal_at_us, Job::Heal);
        world
    }

    fn run(self) -> Outcome {
        self.run_into(&mut Vec::new())
    }

    fn run_into(mut self, recorded: &mut Vec<u8>) -> Outcome {
        while !self.finished && self.outcome.objection.is_none() {
            self.step();
        }
        self.digest.write_u64(self.broker.digest());
        self.outcome.digest = self.digest.finish();
        self.outcome.ended_us = self.now_us;
        if let Some(writer) = self.recorder.take() {
            let why = self.outcome.objection.as_ref().map_or_else(|| "nothing was found".into(), ToString::to_string);
            *recorded = writer.end(&why).expect("memory takes all that is written");
        }
        self.outcome
    }

    /// One turn of the broker: everything that happens at the next moment at which something does, then `Tick`.
    fn step(&mut self) {
        let deadline = self.broker.deadline().map(|at| at.0.saturating_sub(EPOCH_US));
        let next = self.jobs.first_key_value().map(|((at, _), _)| *at);
        let at = next.into_iter().chain(deadline).min().expect("Heal and Finish stand in the list");
        self.now_us = self.now_us.max(at);
        while let Some(entry) = self.jobs.first_entry().filter(|entry| entry.key().0 <= self.now_us) {
            let job = entry.remove();
            self.job(job);
        }
        self.turn();
        self.outcome.steps += 1;
        if self.outcome.steps >= STEPS_MAX[1] && !self.finished {
            // Too much was owed to arrive in as many turns as a run may have: what is still open is not judged.
            (self.finished, self.outcome.cut_short) = (true, true);
        }
        if self.outcome.steps.is_multiple_of(CHECK_EVERY) || self.finished {
            self.look();
        }
        if self.outcome.steps == STEPS_MAX[0] && !self.healed {
            self.heal();
        }
        if self.finished && !self.outcome.cut_short {
            self.see(Sight::Finished);
        }
    }

    fn later(&mut self, at_us: u64, job: Job) {
        self.job_number += 1;
        self.jobs.insert((at_us.max(self.now_us), self.job_number), job);
    }

    fn job(&mut self, job: Job) {
        match job {
            Job::Act(at) if !self.healed => self.act(&self.plan.actions[at].act),
            Job::Act(_) => {}
            Job::Deliver(conn, toward) => self.deliver(conn, toward),
            Job::Back(who, epoch) => {
                let actor = &self.actors[who];
                if actor.epoch == epoch && actor.link.is_none() && actor.wants {
                    let clean = self.comes_back_clean(who);
                    self.connect(who, clean);
                }
            }
            Job::ClientTick(who) => {
                self.actors[who].tick_at_us = None;
                self.actors[who].tick(self.now_us);
                self.attend(who);
            }
            Job::Acknowledge(who, epoch) => {
                if self.actors[who].epoch == epoch {
                    self.actors[who].acknowledge(self.now_us);
                    self.attend(who);
                }
            }
            Job::Break(conn) => {
                if !self.healed && !self.links[conn as usize].broken {
                    self.break_link(conn, true);
                }
            }
            Job::Learn(conn) => self.broker_loses(conn),
            Job::Linger(conn) => {
                if matches!(self.links[conn as usize].broker, BrokerEnd::Closing(_)) {
                    self.broker_loses(conn);
                }
            }
            Job::Widen => {}
            Job::Answer(id) => self.answer(id),
            Job::Dialled(bridge, dial, fails) => self.dialled(bridge, dial, fails),
            Job::AddBridge => {
                self.introduce_bridge();
                self.add_bridge();
            }
            Job::Stored => self.stored(),
            Job::StoreWorks => self.store_works(),
            Job::Heal => self.heal(),
            Job::Audit => {
                let auditor = self.actors.len() - 1;
                self.connect(auditor, true);
                for filter in ["#", "$d/#"] {
                    let wish = plan::Wish {
                        retain_as_published: false,
                        retain_handling: RetainHandling::SendAtSubscribe,
                        ..workload::everything(filter)
                    };
                    self.actors[auditor].act(self.now_us, Act::Subscribe { who: auditor, wish });
                }
            }
            Job::Finish => self.finished = true,
        }
    }

    /// Tells the oracles what was seen.
    fn see(&mut self, sight: Sight) {
        if let Sight::Told(conn, seen) = &sight {
            let who = self.links[*conn as usize].client;
            let works = matches!(self.actors[who].profile.role, Role::Worker(_));
            if self.sabotage == Some(Sabotage::Idle) && works {
                return;
            }
            if let (Some(Sabotage::Lose(topics)), Seen::Publish(publish)) = (self.sabotage, seen.as_ref())
                && publish.topic.starts_with(topics)
            {
                return;
            }
            self.outcome.deliveries += 1;
            let nth = self.outcome.deliveries;
            match self.sabotage {
                Some(Sabotage::Swallow(n)) if n == nth => return,
                Some(Sabotage::Repeat(n)) if n == nth => self.judge(sight.clone()),
                Some(Sabotage::Reorder(n)) if n == nth => {
                    self.held_back = Some(sight);
                    return;
                }
                Some(_) | None => {}
            }
            self.judge(sight);
            if let Some(held_back) = self.held_back.take() {
                self.judge(held_back);
            }
            return;
        }
        self.judge(sight);
    }

    /// Tells them what nobody lies about.
    fn see_as_it_is(&mut self, sight: Sight) {
        self.judge(sight);
    }

    fn judge(&mut self, sight: Sight) {
        if let Some(listener) = self.listener.as_mut() {
            listener(self.now_us, &sight);
        }
        if self.outcome.objection.is_none() {
            self.outcome.objection = self.judge.see(self.now_us, &sight);
        }
    }

    /// The clean flag of a client that comes back by itself.
    fn comes_back_clean(&self, who: ClientNo) -> bool {
        let profile = &self.actors[who].profile;
        !profile.version.is_v5() && profile.clean
    }

    fn act(&mut self, act: &Act) {
        let Some(who) = act.who() else {
            if let Act::Fault(fault) = act {
                self.fault(fault);
            }
            return;
        };
        if self.actors[who].profile.role == Role::Remote {
            match act {
                Act::Fault(fault) => self.fault(fault),
                Act::Publish { letter, .. } => {
                    self.remote_mut().publish(letter);
                    self.remote_writes();
                }
                _ => {}
            }
            return;
        }
        match act {
            Act::Connect { clean, .. } => {
                self.actors[who].wants = true;
                self.connect(who, *clean);
            }
            Act::Leave { with_will, session_expiry_s, .. } => self.leave(who, *with_will, *session_expiry_s),
            Act::Fault(fault) => self.fault(fault),
            Act::Subscribe { .. }
            | Act::Unsubscribe { .. }
            | Act::Publish { .. }
            | Act::Clear { .. }
            | Act::Reauthenticate { .. } => {
                self.actors[who].act(self.now_us, act.clone());
                self.attend(who);
            }
        }
    }
}
