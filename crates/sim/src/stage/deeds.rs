//! What commands do. `check` says whether one can be obeyed at this moment and changes nothing; `obey` does it, and
//! can't fail then.

use wasmqtt_broker::Storage;
use wasmqtt_client::{Closed, Event, PropertyList};
use wasmqtt_codec::{ConnackCode, ReasonCode};

use super::Stage;
use super::actor::{Actor, Todo};
use super::command::{Act, Command, Deed, Refusal};
use super::entry::{By, Entry, Told, What};
use super::json::Found;
use super::lines::BOTH;
use super::scenario::{read_broker, read_pace};
use crate::world::faults::Toward;

impl Stage {
    /// Whether a command can be obeyed now.
    pub(super) fn check(&self, command: &Command) -> Result<(), Refusal> {
        match &command.act {
            Act::Restart { storage: true } if self.config.storage == Storage::Memory => Err(Refusal::NoStorage),
            Act::AddClient(client) if self.find(&client.id).is_some() => Err(Refusal::IsThere(client.id.clone())),
            Act::Restart { .. } | Act::AddClient(_) | Act::Broker | Act::Predict(_) => Ok(()),
            Act::Client(who, deed) => match self.find(who) {
                Some(found) => self.check_deed(&self.actors[found], deed),
                None => {
                    let here = self.actors.iter().filter(|actor| !actor.removed);
                    Err(Refusal::NoClient(who.clone(), here.map(|actor| actor.id.to_string()).collect()))
                }
            },
        }
    }

    fn check_deed(&self, actor: &Actor, deed: &Deed) -> Result<(), Refusal> {
        let id = || actor.id.to_string();
        let v5 = actor.spec.version.is_v5();
        let moves = |must_have_link: bool| match actor {
            Actor { frozen: true, .. } => Err(Refusal::Frozen(id())),
            Actor { link: None, .. } if must_have_link => Err(Refusal::NotConnected(id())),
            Actor { .. } => Ok(()),
        };
        let only_v5 = |field: Option<&'static str>| field.map_or(Ok(()), |field| Err(Refusal::OnlyV5(id(), field)));
        match deed {
            Deed::Connect if actor.link.is_some() => Err(Refusal::Connected(id())),
            Deed::Connect => moves(false),
            Deed::Disconnect { with_will } => {
                // A client that would come back may be told to stay away.
                moves(actor.back.is_none())?;
                only_v5((*with_will && !v5).then_some("with_will"))
            }
            Deed::Subscribe(wish) => {
                moves(true)?;
                only_v5(wish.only_v5(actor.spec.version))
            }
            Deed::Unsubscribe(_) | Deed::Raw(_) => moves(true),
            Deed::Publish(message) => {
                moves(message.qos == wasmqtt_codec::Qos::AtMostOnce)?;
                only_v5(message.only_v5().filter(|_| !v5))
            }
            Deed::Ack => {
                moves(true)?;
                match actor.unacknowledged.is_empty() {
                    true => Err(Refusal::NothingToAcknowledge(id(), actor.spec.manual_ack)),
                    false => Ok(()),
                }
            }
            Deed::Cut if actor.link.is_none() => Err(Refusal::NotConnected(id())),
            Deed::Heal if actor.dead.is_empty() => Err(Refusal::NotHalfOpen(id())),
            Deed::CancelCutWhen if !self.waits_to_cut(actor) => Err(Refusal::NoCutWhen(id())),
            Deed::Freeze => moves(false),
            Deed::Thaw if !actor.frozen => Err(Refusal::NotFrozen(id())),
            Deed::Link
            | Deed::Cut
            | Deed::HalfOpen(_)
            | Deed::Heal
            | Deed::CutWhen(..)
            | Deed::CancelCutWhen
            | Deed::Thaw
            | Deed::Remove => Ok(()),
        }
    }

    fn waits_to_cut(&self, actor: &Actor) -> bool {
        let line = actor.link.and_then(|number| self.lines.get(&number));
        !actor.cuts.is_empty()
            || line.is_some_and(|line| !line.link.up.cuts.is_empty() || !line.link.down.cuts.is_empty())
    }

    pub(super) fn tell_command(&mut self, command: &Command, by: By) -> u64 {
        let n = self.next_n;
        self.next_n += 1;
        let what = What::Command(command.json.clone());
        self.log.push(Entry { n, at: self.now_us, cause: None, by: Some(by), what });
        n
    }

    /// Does what a command says; it was checked.
    pub(super) fn obey(&mut self, command: &Command, by: By) {
        self.cause = Some(self.tell_command(command, by));
        match &command.act {
            Act::Client(who, deed) => {
                let who = self.find(who).expect("the command was checked");
                self.deed(who, deed, command);
            }
            Act::Restart { storage } => self.restart(*storage),
            Act::AddClient(client) => self.actors.push(Actor::new(client)),
            Act::Broker => {
                let set = command.json.get("set").map(|set| read_broker(&Found::whole(set), &mut self.config, false));
                assert!(matches!(set, Some(Ok(()))), "the command was checked when it was read");
                self.set_limits();
            }
            Act::Predict(_) => {}
        }
        self.turn();
        self.cause = None;
    }

    fn deed(&mut self, who: usize, deed: &Deed, command: &Command) {
        let now_us = self.now_us;
        match deed {
            Deed::Connect => {
                let mut fields = (*command.json).clone();
                if let Some(map) = fields.as_object_mut() {
                    map.retain(|key, _| key != "do" && key != "who");
                }
                self.actors[who].spec.change_by(&fields);
                self.open(who);
            }
            Deed::Disconnect { with_will } => self.leave(who, *with_will),
            Deed::Subscribe(wish) => self.ask(who, Todo::Subscribe(wish.clone())),
            Deed::Unsubscribe(filter) => self.ask(who, Todo::Unsubscribe(filter.clone())),
            Deed::Publish(message) => self.ask(who, Todo::Publish(message.clone())),
            Deed::Ack => {
                if let Some((id, qos)) = self.actors[who].unacknowledged.pop_front() {
                    // Without CONNACK there is nothing to acknowledge any more.
                    let _ = self.actors[who].client.acknowledge(now_us, id, qos, ReasonCode::Success);
                }
                self.attend(who);
            }
            Deed::Raw(bytes) => {
                if let Some(number) = self.actors[who].link {
                    self.write(number, Toward::Broker, bytes);
                }
            }
            Deed::Link => {
                let old = self.actors[who].pace;
                let read = Found::whole(&command.json).fields().and_then(|mut fields| read_pace(&mut fields, old));
                let Ok(pace) = read else { unreachable!("the command was checked when it was read") };
                self.actors[who].pace = pace;
                self.each_pipe(who, |pipe, _| pipe.set_pace(pace));
            }
            Deed::Cut => {
                if let Some(number) = self.actors[who].link {
                    self.break_line(number);
                }
            }
            Deed::HalfOpen(ways) => {
                self.actors[who].dead.clone_from(ways);
                self.each_pipe(who, |pipe, toward| match ways.contains(&toward) {
                    true => pipe.stall(u64::MAX),
                    false => pipe.go_on(),
                });
            }
            Deed::Heal => {
                self.actors[who].dead.clear();
                self.each_pipe(who, |pipe, _| pipe.go_on());
            }
            Deed::CutWhen(way, cut) => match self.actors[who].link.and_then(|link| self.lines.get_mut(&link)) {
                Some(line) => line.link.pipe(*way).cuts.push(*cut),
                None => self.actors[who].cuts.push((*way, *cut)),
            },
            Deed::CancelCutWhen => {
                self.actors[who].cuts.clear();
                self.each_pipe(who, |pipe, _| pipe.cuts.clear());
            }
            Deed::Freeze => self.freeze(who, true),
            Deed::Thaw => self.freeze(who, false),
            Deed::Remove => {
                self.actors[who].wants = false;
                self.actors[who].back = None;
                self.freeze(who, false);
                if let Some(number) = self.actors[who].link {
                    self.break_line(number);
                }
                self.actors[who].removed = true;
            }
        }
    }

    /// Every pipe of a client, those of transports that it has given up too.
    fn each_pipe(&mut self, who: usize, change: impl Fn(&mut crate::world::link::Pipe, Toward)) {
        for line in self.lines.values_mut().filter(|line| line.link.client == who) {
            for toward in BOTH {
                change(line.link.pipe(toward), toward);
            }
        }
    }

    fn freeze(&mut self, who: usize, frozen: bool) {
        self.actors[who].frozen = frozen;
        let Some(number) = self.actors[who].link else { return };
        if let Some(line) = self.lines.get_mut(&number) {
            line.link.down.paused = frozen;
            if !frozen && line.link.broken {
                self.client_learns(number);
            }
        }
    }

    fn leave(&mut self, who: usize, with_will: bool) {
        (self.actors[who].wants, self.actors[who].back) = (false, None);
        let Some(number) = self.actors[who].link else { return };
        let reason = if with_will { ReasonCode::DisconnectWithWill } else { ReasonCode::NORMAL_DISCONNECTION };
        self.actors[who].client.disconnect(self.now_us, reason, &PropertyList::new());
        self.attend(who);
        // The client closes behind its DISCONNECT [5:MQTT-3.14.4-1].
        self.client_closes(number, "DISCONNECT was sent");
    }

    /// Does something now, or when CONNACK has come.
    fn ask(&mut self, who: usize, todo: Todo) {
        let actor = &mut self.actors[who];
        if actor.link.is_some() && !actor.is_live() {
            actor.todo.push_back((self.cause, todo));
            return;
        }
        self.act(who, &todo);
        self.attend(who);
    }

    fn act(&mut self, who: usize, todo: &Todo) {
        if let Err(refusal) = self.actors[who].act(self.now_us, todo) {
            self.tell(What::Refused((&refusal).into()));
        }
    }

    /// Carries out what a client wants since it was last looked at.
    pub(super) fn attend(&mut self, who: usize) {
        self.attend_because(who, None);
    }

    /// The same, after it read a packet.
    pub(super) fn attend_because(&mut self, who: usize, packet: Option<u64>) {
        let mut over = None;
        while let Some(event) = self.actors[who].client.poll() {
            match event {
                Event::Connected { .. } => self.connected(who),
                Event::Closed(why) => over = Some(why),
                Event::Message { message, id, dup } => {
                    let actor = &mut self.actors[who];
                    if let Some(id) = id.filter(|_| actor.spec.manual_ack) {
                        actor.unacknowledged.push_back((id, message.qos));
                    }
                    let told = Told {
                        who: actor.id.clone(),
                        packet,
                        payload: String::from_utf8_lossy(&message.payload).into_owned(),
                        topic: message.topic,
                        qos: message.qos.bits(),
                        retain: message.retain,
                        dup,
                    };
                    self.tell(What::Told(Box::new(told)));
                }
                Event::Challenge { .. }
                | Event::Subscribed { .. }
                | Event::Unsubscribed { .. }
                | Event::Finished { .. }
                | Event::Pong => {}
            }
        }
        self.client_writes(who);
        if let (Some(why), Some(number)) = (over, self.actors[who].link) {
            self.client_closes(number, &reason_of(why));
        }
    }

    /// CONNACK came: what waited for it is done now, each for the reason of its own command.
    fn connected(&mut self, who: usize) {
        // What it has to send again comes first.
        self.client_writes(who);
        let cause = self.cause;
        while let Some((said, todo)) = self.actors[who].todo.pop_front() {
            self.cause = said.or(cause);
            self.act(who, &todo);
            self.client_writes(who);
        }
        self.cause = cause;
    }

    fn client_writes(&mut self, who: usize) {
        let bytes = self.actors[who].client.take_outgoing();
        if let Some(number) = self.actors[who].link.filter(|_| !bytes.is_empty()) {
            self.write(number, Toward::Broker, &bytes);
        }
    }

    /// A client whose connection is gone comes back later, if that is its way.
    pub(super) fn come_back(&mut self, who: usize, cause: u64) {
        let actor = &mut self.actors[who];
        if let Some(s) = actor.spec.reconnect_s.filter(|_| actor.wants && !actor.removed) {
            actor.back = Some((self.now_us + u64::from(s) * 1_000_000, Some(cause)));
        }
    }
}

fn reason_of(why: Closed) -> String {
    let of = |reason: ReasonCode| format!("{} (0x{:02X})", reason.name(), reason.byte());
    match why {
        Closed::Refused(ConnackCode::Reason(reason)) => format!("the broker refused: {}", of(reason)),
        Closed::Refused(ConnackCode::Return(code)) => format!("the broker refused with return code {code}"),
        Closed::Disconnected(reason) => format!("the broker said DISCONNECT: {}", of(reason)),
        Closed::Silent => "the broker did not answer PINGREQ".into(),
        Closed::Malformed(error) => format!("what came can't be read: {}", error.rule.text()),
        Closed::Violation => "what came may not come at this point".into(),
    }
}
