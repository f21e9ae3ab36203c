//! The World as a driver of the core: inputs as they come, `Tick` last, then outputs and bytes; and what can happen to
//! the program itself, a crash, a swap under way and a machine that sleeps.

use std::rc::Rc;

use bytes::Bytes;
use wasmqtt_broker::{
    Broker, CloseReason, Command, CommandId, ConnectionId, Event, Input, Lsn, Output, Page, Peer, Reply, Seed, Storage,
    Subject, Time, Transport,
};

use super::link::BrokerEnd;
use super::{EPOCH_US, Job, Toward, World};
use crate::recording::Beginning;
use crate::sight::{ClientNo, ConnNo, Ended, Gauges, Seen, Sight};

/// Why recording can't fail.
const IN_MEMORY: &str = "memory takes all that is written";

impl World<'_> {
    pub(super) fn connection(&self, conn: ConnNo) -> ConnectionId {
        ConnectionId { slot: self.links[conn as usize].slot, generation: conn + 1 }
    }

    pub(super) fn time(&self) -> Time {
        Time(EPOCH_US + self.now_us)
    }

    /// The one door into the broker.
    pub(super) fn input(&mut self, input: Input) {
        let now = self.time();
        if let Some(recorder) = self.recorder.as_mut() {
            recorder.input(now, &input).expect(IN_MEMORY);
        }
        self.broker.handle(now, input);
    }

    /// Another broker takes the place of the one before.
    fn begin_again(&mut self, why: &str, seed: Seed, from: impl FnOnce() -> Beginning) {
        if let Some(recorder) = self.recorder.as_mut() {
            recorder.begin_again(why, seed, &from()).expect(IN_MEMORY);
        }
    }

    /// Writes the digest into the recording, so that a replay can be compared.
    fn record_digest(&mut self) {
        if self.recorder.is_none() {
            return;
        }
        let id = CommandId(2);
        self.input(Input::Command { id, command: Command::Digest });
        while let Some(output) = self.broker.poll() {
            match output {
                Output::Reply { reply: Reply::Digest(digest), .. } => {
                    let recorder = self.recorder.as_mut().expect("it was there a moment ago");
                    recorder.digest(id, digest).expect(IN_MEMORY);
                }
                output => self.output(output),
            }
        }
    }

    pub(super) fn opened(&mut self, conn: ConnNo) {
        let peer = Peer { listener: 0, address: "sim".into(), transport: Transport::Local, identity: None };
        self.input(Input::Opened { conn: self.connection(conn), peer });
    }

    pub(super) fn broker_reads(&mut self, conn: ConnNo, bytes: Vec<u8>, packets: Vec<Rc<Seen>>) {
        if self.links[conn as usize].broker != BrokerEnd::Open {
            return;
        }
        let wire = self.is_wire(conn);
        for packet in packets {
            match wire {
                true => self.wire_reached(conn, &packet),
                false => self.see(Sight::Reached(conn, packet)),
            }
        }
        self.input(Input::Received { conn: self.connection(conn), bytes: Bytes::from(bytes) });
    }

    /// The broker's end of a transport is over.
    pub(super) fn broker_loses(&mut self, conn: ConnNo) {
        // What it has decided by itself came first.
        while let Some(output) = self.broker.poll() {
            self.output(output);
        }
        let link = &mut self.links[conn as usize];
        let was_open = link.broker == BrokerEnd::Open;
        if link.broker == BrokerEnd::Gone {
            return;
        }
        let connection = self.connection(conn);
        let link = &mut self.links[conn as usize];
        link.broker = BrokerEnd::Gone;
        link.down.ended = true;
        if was_open {
            self.see(Sight::Gone(conn, Ended::Transport));
        }
        self.input(Input::Closed { conn: connection });
        self.schedule(conn, Toward::Client);
    }

    /// The end of a turn: timers, outputs and bytes, until nothing moves any more at this moment.
    pub(super) fn turn(&mut self) {
        self.input(Input::Tick);
        loop {
            let mut moved = false;
            while let Some(output) = self.broker.poll() {
                moved = true;
                self.output(output);
            }
            if self.settle_store() {
                // What that led to comes first: who is closed, and then what is sent.
                continue;
            }
            // Who has something new is told apart below; the list only has to be emptied.
            let _ = self.broker.ready().count();
            for conn in 0..self.links.len() as ConnNo {
                moved |= self.broker_writes(conn);
            }
            if !moved {
                return;
            }
        }
    }

    pub(super) fn output(&mut self, output: Output) {
        match output {
            Output::Append { lsn, record } => self.append(lsn, record),
            Output::Read { conn, on } => {
                let conn = conn.generation - 1;
                self.links[conn as usize].up.paused = !on;
                self.schedule(conn, Toward::Broker);
            }
            Output::Close { conn, linger_until, why } => {
                let conn = conn.generation - 1;
                let link = &mut self.links[conn as usize];
                if link.broker == BrokerEnd::Open {
                    let until_us = linger_until.0.saturating_sub(EPOCH_US);
                    link.broker = BrokerEnd::Closing(until_us);
                    self.later(until_us, Job::Linger(conn));
                    // Its last bytes are on their way before it is gone.
                    self.look_ahead(conn);
                    let goodbye = matches!(why, CloseReason::Client(_));
                    self.see(Sight::Gone(conn, if goodbye { Ended::Goodbye } else { Ended::Broker }));
                }
            }
            Output::Event(Event::Dropping { client_identifier, why }) => {
                if let Some(who) = self.client_named(&client_identifier) {
                    self.see(Sight::Dropping(who, why));
                }
            }
            Output::Ask { question, what } => self.asked(question, &what),
            Output::Reply { .. } | Output::Event(_) | Output::Trace(_) => {}
            Output::Dial { bridge, .. } => self.dial(bridge),
        }
    }

    fn client_named(&self, name: &str) -> Option<ClientNo> {
        if name == format!("$bridge/{}", super::remote::NAME) {
            return self.remote_no();
        }
        self.actors.iter().position(|actor| actor.profile.name == name)
    }

    /// Sees what came to stand in the broker's outbox for a transport.
    fn look_ahead(&mut self, conn: ConnNo) -> usize {
        let link = &self.links[conn as usize];
        if link.broker == BrokerEnd::Gone {
            return 0;
        }
        let connection = self.connection(conn);
        let mut skip = link.looked_ahead;
        let mut found = Vec::new();
        let mut total = 0;
        let link = &mut self.links[conn as usize];
        for slice in self.broker.outgoing(connection) {
            total += slice.len();
            let new = slice.get(skip..).unwrap_or_default();
            skip = skip.saturating_sub(slice.len());
            found.extend(link.down.look(new));
        }
        link.looked_ahead = total;
        let who = self.links[conn as usize].client;
        let wire = self.is_wire(conn);
        for (packet, bytes) in found {
            if wire {
                self.wire_left(conn, &packet);
                continue;
            }
            self.see(Sight::Left(conn, packet));
            if self.actors[who].profile.packet_bytes_max.is_some() {
                self.see(Sight::Weighed(conn, bytes));
            }
        }
        total
    }

    /// What the broker has decided up to now is seen now, before anything else reaches it.
    pub(super) fn see_what_left(&mut self) {
        while let Some(output) = self.broker.poll() {
            self.output(output);
        }
        for conn in 0..self.links.len() as ConnNo {
            self.look_ahead(conn);
        }
    }

    /// The transport takes what it has room for. Whether anything moved.
    fn broker_writes(&mut self, conn: ConnNo) -> bool {
        let total = self.look_ahead(conn);
        let now_us = self.now_us;
        let connection = self.connection(conn);
        let link = &mut self.links[conn as usize];
        if link.broker == BrokerEnd::Gone {
            return false;
        }
        // A dead link takes bytes too; they are never read.
        let room = if link.broken { usize::MAX } else { link.down.room(now_us) };
        let mut taken = 0;
        for slice in self.broker.outgoing(connection) {
            let part = &slice[..slice.len().min(room - taken)];
            taken += part.len();
            if !link.broken {
                link.write(Toward::Client, now_us, part);
            }
        }
        link.looked_ahead -= taken;
        let done = taken == total;
        let closing = matches!(link.broker, BrokerEnd::Closing(_));
        if taken > 0 {
            self.input(Input::Sent { conn: connection, len: taken as u32 });
            self.written(conn, Toward::Client);
        }
        if closing && done {
            self.broker_loses(conn);
            return true;
        }
        taken > 0
    }

    /// The machine sleeps, and with it all that was going to happen.
    pub(super) fn sleep(&mut self, for_us: u64) {
        self.now_us += for_us;
        let jobs = core::mem::take(&mut self.jobs);
        self.jobs = jobs.into_iter().map(|((at_us, number), job)| ((at_us + for_us, number), job)).collect();
        self.see(Sight::Slept(for_us));
        self.input(Input::Woke { slept_us: for_us });
    }

    /// A crash: only what was stored is left.
    pub(super) fn restart(&mut self, survive_percent: usize) {
        if self.plan.config.storage == Storage::Memory {
            return;
        }
        // The bytes of this turn have not left: a crash in the middle of it.
        self.see(Sight::Crashed);
        for conn in 0..self.links.len() as ConnNo {
            if self.links[conn as usize].broker != BrokerEnd::Gone {
                let link = &mut self.links[conn as usize];
                link.broker = BrokerEnd::Gone;
                link.broken = true;
                self.client_loses(conn);
            }
        }
        // The next broker counts its questions anew: what is answered now means nothing to it.
        self.questions.clear();
        let log = self.store.crash(survive_percent);
        let mut seed = [1; 16];
        seed[..8].copy_from_slice(&(self.plan.seed + u64::from(self.outcome.steps)).to_le_bytes());
        self.begin_again("restart", Seed(seed), || Beginning::Log(log.clone()));
        match Broker::restore(self.plan.config.clone(), Seed(seed), log.into_iter()) {
            Ok(broker) => self.broker = broker,
            Err(error) => self.see(Sight::Broken(format!("the log can't be restored: {error:?}"))),
        }
        if self.plan.seed.is_multiple_of(2) {
            // Half of all runs begin with the shortest log, as a driver that compacts does.
            let last = self.store.last();
            self.store.rewrite(last, self.broker.records());
        }
        self.add_bridge();
    }

    /// The program is swapped under the running broker.
    pub(super) fn swap(&mut self) {
        let mut saved = Vec::new();
        self.broker.save(&mut saved);
        let digest = self.broker.digest();
        self.begin_again("swap", Seed([0; 16]), || Beginning::Saved(saved.clone()));
        match Broker::load(&saved) {
            Ok(broker) if broker.digest() == digest => self.broker = broker,
            Ok(_) => self.see(Sight::Broken("what was loaded has another digest than what was saved".into())),
            Err(error) => self.see(Sight::Broken(format!("what was saved can't be loaded: {error:?}"))),
        }
    }

    /// Looks at what an operator can see, and asks the broker whether all is well inside.
    pub(super) fn look(&mut self) {
        self.record_digest();
        if let Err(broken) = self.broker.check() {
            self.see(Sight::Broken(format!("{broken:?}")));
        }
        let inspect = Command::Inspect { subject: Subject::Sessions, skip: 0, limit: 1_000 };
        self.input(Input::Command { id: CommandId(1), command: inspect });
        let mut gauges = Gauges::default();
        while let Some(output) = self.broker.poll() {
            match output {
                Output::Reply { reply: Reply::Page(Page::Sessions(sessions)), .. } => {
                    gauges.queued_max = sessions.iter().map(|session| session.queued).max().unwrap_or(0);
                    gauges.walks_max = sessions.iter().map(|session| session.walks).max().unwrap_or(0);
                    gauges.in_flight_max = sessions.iter().map(|session| session.in_flight).max().unwrap_or(0);
                }
                output => self.output(output),
            }
        }
        let open = (0..self.links.len() as ConnNo).filter(|conn| self.links[*conn as usize].broker != BrokerEnd::Gone);
        let waiting = open.map(|conn| self.broker.outgoing(self.connection(conn)).map(<[u8]>::len).sum::<usize>());
        gauges.outgoing_bytes_max = waiting.max().unwrap_or(0) as u64;
        let counters = self.broker.counters();
        gauges.memory_bytes = counters.memory_bytes;
        gauges.sessions = counters.sessions;
        gauges.messages_kept = counters.messages_kept;
        gauges.retained = counters.retained;
        self.see(Sight::Looked(gauges));
    }

    pub(super) fn store_input(&mut self, upto: Lsn) {
        self.input(Input::Stored { upto });
    }
}
