//! A driver with a virtual clock: carries bytes between clients of a story and a broker, keeps its log, and moves time.
//! What is behind it, the core in this process or a guest under wasmtime, is a [`Core`]; both get the very same inputs
//! in the very same turns, so that their digests can be compared.

use std::collections::BTreeMap;

use bytes::Bytes;
use wasmqtt_broker::{
    Command, CommandId, ConnectionId, Counters, Input, Lsn, Output, Peer, QuestionId, Record, Reply, Time, Transport,
    Verdict,
};
use wasmqtt_sim::{LinkId, Notice, Received, StoreMode, Target, TargetError};

/// When stories begin: 2026-01-01 00:00:00 UTC, in microseconds since 1970.
pub const BEGIN: Time = Time(1_767_225_600_000_000);

/// Turns without a step of the clock; more means that the broker always has something due.
const TURNS_MAX: u32 = 1_000_000;

/// A broker that takes turns.
pub trait Core {
    /// Applies inputs, `Tick` last.
    fn turn(&mut self, now: Time, inputs: Vec<Input>) -> Result<Turn, TargetError>;
    /// What waits to be sent on a connection.
    fn outgoing(&self, conn: ConnectionId) -> Vec<u8>;
    /// When to `Tick` if nothing else happens.
    fn deadline(&self) -> Option<Time>;
    /// Becomes a broker restored from a log.
    fn restore(&mut self, _log: Vec<(Lsn, Record)>) -> Result<(), TargetError> {
        Err(TargetError::Unsupported("restart"))
    }
    /// Saves and becomes what was saved.
    fn swap(&mut self) -> Result<(), TargetError> {
        Err(TargetError::Unsupported("swap"))
    }
}

/// What came of a turn.
#[derive(Debug, Default)]
pub struct Turn {
    /// What the broker wants done.
    pub outputs: Vec<Output>,
    /// Connections that came to have something to send.
    pub ready: Vec<ConnectionId>,
}

/// A core with transports, a log and a clock.
pub struct Driver<C> {
    core: C,
    now: Time,
    due: bool,
    inputs: Vec<Input>,
    thawed: Vec<ConnectionId>,
    connections: BTreeMap<LinkId, Connection>,
    /// Slots that are free, with the generation they had.
    free: Vec<ConnectionId>,
    slots: u32,
    notices: Vec<Notice>,
    commands: u64,
    mode: StoreMode,
    appended: Vec<(Lsn, Record)>,
    stored: BTreeMap<Lsn, Record>,
    /// Whether records were never stored.
    lost: bool,
    /// Whether the core is saved and loaded behind every turn.
    swapping: bool,
}

struct Connection {
    id: ConnectionId,
    /// What arrived for the client and was not fetched yet.
    received: Vec<u8>,
    /// What the client sent while the broker did not read.
    unread: Vec<u8>,
    reading: bool,
    frozen: bool,
    /// What waited to be sent was taken in this turn; the broker hears of it in the next one.
    carried: bool,
    /// The broker closes it, at the latest then.
    closing: Option<Time>,
    /// The transport is gone.
    gone: bool,
}

impl<C: Core> Driver<C> {
    /// A driver around a core that has seen nothing yet.
    pub fn new(core: C) -> Self {
        Driver {
            core,
            now: BEGIN,
            due: true,
            inputs: Vec::new(),
            thawed: Vec::new(),
            connections: BTreeMap::new(),
            free: Vec::new(),
            slots: 0,
            notices: Vec::new(),
            commands: 0,
            mode: StoreMode::AtOnce,
            appended: Vec::new(),
            stored: BTreeMap::new(),
            lost: false,
            swapping: false,
        }
    }

    /// The same, but the core is saved and loaded behind every turn: a story must not notice.
    pub fn swapping(core: C) -> Self {
        Driver { swapping: true, ..Driver::new(core) }
    }

    /// The core.
    pub fn core(&self) -> &C {
        &self.core
    }

    /// What time it is.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Whether every record that the broker wrote is on stable storage.
    pub fn is_stored(&self) -> bool {
        self.appended.is_empty() && !self.lost
    }

    /// What is on stable storage.
    pub fn log(&self) -> Vec<(Lsn, Record)> {
        self.stored.iter().map(|(lsn, record)| (*lsn, record.clone())).collect()
    }

    /// A command whose reply is not for the story.
    fn ask(&mut self, command: Command) -> Result<Option<Reply>, TargetError> {
        let before = std::mem::take(&mut self.notices);
        self.command(command)?;
        self.settle()?;
        let notices = std::mem::replace(&mut self.notices, before);
        let mut answer = None;
        for notice in notices {
            match notice {
                Notice::Reply(reply) => answer = Some(reply),
                other => self.notices.push(other),
            }
        }
        Ok(answer)
    }

    fn turn(&mut self) -> Result<(), TargetError> {
        let mut inputs = std::mem::take(&mut self.inputs);
        inputs.push(Input::Tick);
        self.connections.values_mut().for_each(|connection| connection.carried = false);
        let thawed = std::mem::take(&mut self.thawed);
        let Turn { outputs, ready } = self.core.turn(self.now, inputs)?;
        self.due = false;
        for output in outputs {
            self.output(output);
        }
        self.keep();
        for conn in ready.into_iter().chain(thawed) {
            let link = self.connections.iter().find(|(_, c)| c.id == conn && !c.gone).map(|(link, _)| *link);
            if let Some(link) = link {
                self.carry(link);
            }
        }
        self.close();
        if self.swapping { self.core.swap() } else { Ok(()) }
    }

    fn output(&mut self, output: Output) {
        match output {
            Output::Append { lsn, record } => self.appended.push((lsn, record)),
            Output::Read { conn, on } => self.read(conn, on),
            Output::Close { conn, linger_until, .. } => {
                if let Some(connection) = self.connections.values_mut().find(|c| c.id == conn && !c.gone) {
                    connection.closing = Some(linger_until);
                }
            }
            Output::Ask { question, what } => self.notices.push(Notice::Asked(question, what)),
            Output::Reply { reply, .. } => self.notices.push(Notice::Reply(reply)),
            Output::Event(event) => self.notices.push(Notice::Event(event)),
            Output::Trace(trace) => self.notices.push(Notice::Trace(trace)),
        }
    }

    fn read(&mut self, conn: ConnectionId, on: bool) {
        let Some(connection) = self.connections.values_mut().find(|c| c.id == conn && !c.gone) else { return };
        connection.reading = on;
        if on && !connection.unread.is_empty() {
            let bytes = Bytes::from(std::mem::take(&mut connection.unread));
            self.inputs.push(Input::Received { conn, bytes });
        }
    }

    /// The log at the end of a turn.
    fn keep(&mut self) {
        match (self.mode, self.appended.first(), self.appended.last()) {
            (StoreMode::AtOnce, _, Some(&(upto, _))) => {
                self.inputs.push(Input::Stored { upto });
                self.stored.extend(self.appended.drain(..));
            }
            (StoreMode::Fail, Some(&(from, _)), _) => {
                self.inputs.push(Input::StoreFailed { from });
                self.appended.clear();
                self.lost = true;
            }
            _ => {}
        }
    }

    /// Takes what the broker has to send on a link, unless the client does not read.
    fn carry(&mut self, link: LinkId) {
        let Some(connection) = self.connections.get_mut(&link).filter(|c| !c.frozen && !c.gone && !c.carried) else {
            return;
        };
        let bytes = self.core.outgoing(connection.id);
        if !bytes.is_empty() {
            connection.received.extend_from_slice(&bytes);
            connection.carried = true;
            self.inputs.push(Input::Sent { conn: connection.id, len: bytes.len() as u32 });
        }
    }

    /// Closes the transports that the broker is done with, once everything was sent or time is up.
    fn close(&mut self) {
        let done: Vec<LinkId> = self
            .connections
            .iter()
            .filter(|(_, c)| !c.gone)
            .filter(|(_, c)| c.closing.is_some_and(|until| !c.frozen || until <= self.now))
            .map(|(link, _)| *link)
            .collect();
        for link in done {
            self.carry(link);
            self.drop_link(link);
        }
    }

    fn drop_link(&mut self, link: LinkId) {
        let Some(connection) = self.connections.get_mut(&link).filter(|c| !c.gone) else { return };
        connection.gone = true;
        self.free.push(connection.id);
        self.inputs.push(Input::Closed { conn: connection.id });
    }

    fn slot(&mut self) -> ConnectionId {
        match self.free.pop() {
            Some(old) => ConnectionId { slot: old.slot, generation: old.generation + 1 },
            None => {
                self.slots += 1;
                ConnectionId { slot: self.slots - 1, generation: 0 }
            }
        }
    }
}

impl<C: Core> Target for Driver<C> {
    fn open(&mut self, link: LinkId) -> Result<(), TargetError> {
        let id = self.slot();
        let connection = Connection {
            id,
            received: Vec::new(),
            unread: Vec::new(),
            reading: true,
            frozen: false,
            carried: false,
            closing: None,
            gone: false,
        };
        self.connections.insert(link, connection);
        let address = format!("127.0.0.1:{}", 40_000 + link.0);
        let peer = Peer { listener: 0, address, transport: Transport::Tcp, identity: None };
        self.inputs.push(Input::Opened { conn: id, peer });
        Ok(())
    }

    fn send(&mut self, link: LinkId, bytes: &[u8]) -> Result<(), TargetError> {
        let Some(connection) = self.connections.get_mut(&link).filter(|c| !c.gone && c.closing.is_none()) else {
            return Ok(());
        };
        if bytes.is_empty() {
            return Ok(());
        }
        if connection.reading {
            self.inputs.push(Input::Received { conn: connection.id, bytes: Bytes::copy_from_slice(bytes) });
        } else {
            connection.unread.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn receive(&mut self, link: LinkId) -> Result<Received, TargetError> {
        let Some(connection) = self.connections.get_mut(&link) else { return Ok(Received::default()) };
        Ok(Received { bytes: std::mem::take(&mut connection.received), closed: connection.gone })
    }

    fn cut(&mut self, link: LinkId) -> Result<(), TargetError> {
        self.drop_link(link);
        self.connections.remove(&link);
        Ok(())
    }

    fn settle(&mut self) -> Result<(), TargetError> {
        for _ in 0..TURNS_MAX {
            let due = self.deadline().is_some_and(|at| at <= self.now.us_since(BEGIN));
            if self.inputs.is_empty() && !self.due && !due {
                return Ok(());
            }
            self.turn()?;
        }
        Err(TargetError::Broken(format!(
            "after {TURNS_MAX} turns something is still due at {:?}",
            self.core.deadline()
        )))
    }

    fn advance(&mut self, to_us: u64) -> Result<(), TargetError> {
        self.now = BEGIN.plus_us(to_us);
        self.due = true;
        Ok(())
    }

    fn deadline(&self) -> Option<u64> {
        let lingering = self.connections.values().filter(|c| !c.gone).filter_map(|c| c.closing);
        lingering.chain(self.core.deadline()).min().map(|at| at.us_since(BEGIN))
    }

    fn freeze(&mut self, link: LinkId, frozen: bool) -> Result<(), TargetError> {
        if let Some(connection) = self.connections.get_mut(&link) {
            connection.frozen = frozen;
            if !frozen {
                self.thawed.push(connection.id);
                self.due = true;
            }
        }
        Ok(())
    }

    fn notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    fn answer(&mut self, question: QuestionId, verdict: Verdict) -> Result<(), TargetError> {
        self.inputs.push(Input::Answered { question, verdict });
        Ok(())
    }

    fn command(&mut self, command: Command) -> Result<(), TargetError> {
        self.commands += 1;
        self.inputs.push(Input::Command { id: CommandId(self.commands), command });
        Ok(())
    }

    fn counters(&mut self) -> Result<Counters, TargetError> {
        match self.ask(Command::Count)? {
            Some(Reply::Counters(counters)) => Ok(*counters),
            _ => Err(TargetError::Broken("no reply to Command::Count".into())),
        }
    }

    fn store(&mut self, mode: StoreMode) -> Result<(), TargetError> {
        self.mode = mode;
        self.keep();
        if mode == StoreMode::AtOnce {
            // Says that storing works, also when nothing waited for it.
            let upto = self.stored.last_key_value().map(|(lsn, _)| *lsn).unwrap_or_default();
            self.inputs.push(Input::Stored { upto });
        }
        Ok(())
    }

    fn restart(&mut self) -> Result<(), TargetError> {
        self.connections.clear();
        self.free.clear();
        self.slots = 0;
        self.inputs.clear();
        self.appended.clear();
        self.due = true;
        self.core.restore(self.log())
    }

    fn swap(&mut self) -> Result<(), TargetError> {
        self.core.swap()
    }

    fn sleep(&mut self, slept_us: u64) -> Result<(), TargetError> {
        self.now = self.now.plus_us(slept_us);
        self.inputs.push(Input::Woke { slept_us });
        Ok(())
    }

    fn digest(&mut self) -> Option<u64> {
        match self.ask(Command::Digest) {
            Ok(Some(Reply::Digest(digest))) => Some(digest),
            _ => None,
        }
    }
}
