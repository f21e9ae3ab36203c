//! Playing a recording: the core of this program is told what another one was told, and wherever the recording has a
//! digest it must be in the same state.
//!
//! Under another build of the core that can't be asked: what it sends may have another length. Digests are then not
//! compared, the recording's `Sent` are left out, and the player takes what is outgoing at the end of each turn itself.
//!
//! A replay of a hostile recording is safe as long as it begins empty or with a log. What [`Broker::load`] is given
//! must be trusted: it is a memory image.

use core::fmt;
use std::collections::BTreeMap;

use wasmqtt_broker::{
    Broken, Broker, Command, CommandId, Config, ConnectionId, Input, LoadError, Output, Reply, RestoreError, Seed, Time,
};

use super::{BUILD, Beginning, Head, Item, Placed};

/// Slots above this are none of a driver's: the core's table has a place for each below.
const SLOTS_MAX: u32 = 1 << 22;

/// A broker and how far it has been played.
#[derive(Clone)]
pub struct Player {
    config: Config,
    same_build: bool,
    broker: Option<Broker>,
    /// Slots in use, with the generation of the transport in them.
    open: BTreeMap<u32, u32>,
    /// Connections with something to send that this player has to take.
    untaken: Vec<ConnectionId>,
    /// The core's last answer to a `Command::Digest`.
    answer: Option<(CommandId, u64)>,
    progress: Progress,
}

/// What has been played.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Time of the last input.
    pub at: Time,
    /// Inputs told to the core.
    pub inputs: u64,
    /// Turns ended: the inputs that are `Tick`.
    pub steps: u64,
    /// Digests that agree.
    pub digests: u64,
    /// Brokers begun.
    pub begun: u64,
}

/// Why a recording can't be played on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PlayError {
    /// The core here is in another state than the one that was recorded.
    Disagrees {
        /// Where the recorded digest stands.
        offset: u64,
        /// Steps that were played, the one included in which it was asked for.
        step: u64,
        /// Time of the last input.
        at: Time,
        /// Of the core that was recorded.
        recorded: u64,
        /// Of the one here.
        replayed: u64,
    },
    /// A digest without the command that it answers.
    NotAsked {
        /// Where it stands.
        offset: u64,
        /// The command it names.
        id: CommandId,
    },
    /// A transport opens where one is open already, or in a slot that no driver would use.
    Slot {
        /// Where the input stands.
        offset: u64,
        /// The transport.
        conn: ConnectionId,
    },
    /// A saved broker can't be loaded.
    Load {
        /// Where the beginning stands.
        offset: u64,
        /// Why.
        error: LoadError,
    },
    /// What was loaded contradicts itself.
    Broken {
        /// Where the beginning stands.
        offset: u64,
        /// The promise that is broken.
        broken: Broken,
    },
    /// A log can't be restored.
    Restore {
        /// Where the beginning stands.
        offset: u64,
        /// Why.
        error: RestoreError,
    },
}

impl fmt::Display for PlayError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlayError::Disagrees { offset, step, at, recorded, replayed } => write!(
                out,
                "offset {offset}: step {step} at {} disagrees: recorded digest {recorded:016x}, \
                 replayed {replayed:016x}",
                super::utc(*at)
            ),
            PlayError::NotAsked { offset, id } => write!(
                out,
                "offset {offset}: found a digest for command {}; allowed: the answer to a digest command before it",
                id.0
            ),
            PlayError::Slot { offset, conn } => write!(
                out,
                "offset {offset}: found slot {} opened; allowed: one that is not open, below {SLOTS_MAX}",
                conn.slot
            ),
            PlayError::Load { offset, error } => {
                write!(out, "offset {offset}: found a saved broker that can't be loaded: {error:?}")
            }
            PlayError::Broken { offset, broken } => {
                write!(out, "offset {offset}: found a saved broker that contradicts itself: {broken:?}")
            }
            PlayError::Restore { offset, error } => {
                write!(out, "offset {offset}: found a log that can't be restored: {error:?}")
            }
        }
    }
}

impl std::error::Error for PlayError {}

impl Player {
    /// A player for a recording with this head.
    #[must_use]
    pub fn new(head: &Head) -> Self {
        Player {
            config: head.config.clone(),
            same_build: head.build == BUILD,
            broker: None,
            open: BTreeMap::new(),
            untaken: Vec::new(),
            answer: None,
            progress: Progress::default(),
        }
    }

    /// Whether the core here is the one that was recorded, so that digests are compared.
    #[must_use]
    pub fn compares(&self) -> bool {
        self.same_build
    }

    /// The broker as it is now; `None` before the first beginning.
    #[must_use]
    pub fn broker(&self) -> Option<&Broker> {
        self.broker.as_ref()
    }

    /// What has been played.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Plays one item and compares.
    ///
    /// # Errors
    /// The core here disagrees, or no driver could have done this.
    pub fn play(&mut self, placed: &Placed) -> Result<(), PlayError> {
        let offset = placed.offset;
        match &placed.item {
            Item::Begin { seed, from, .. } => self.begin(offset, *seed, from),
            Item::Input { at, input } => self.input(offset, *at, input.clone(), &mut |_, _| {}),
            Item::Digest { id, digest } => self.compare(offset, *id, *digest),
            Item::End { .. } => Ok(()),
        }
    }

    pub(super) fn begin(&mut self, offset: u64, seed: Seed, from: &Beginning) -> Result<(), PlayError> {
        let config = self.config.clone();
        let broker = match from {
            Beginning::Empty => Broker::new(config, seed),
            Beginning::Log(log) => Broker::restore(config, seed, log.iter().cloned())
                .map_err(|error| PlayError::Restore { offset, error })?,
            Beginning::Saved(saved) => {
                let broker = Broker::load(saved).map_err(|error| PlayError::Load { offset, error })?;
                broker.check().map_err(|broken| PlayError::Broken { offset, broken })?;
                broker
            }
        };
        self.broker = Some(broker);
        self.open.clear();
        self.untaken.clear();
        self.answer = None;
        self.progress.begun += 1;
        Ok(())
    }

    /// Tells the core one input; `told` hears what it was really told.
    pub(super) fn input(
        &mut self,
        offset: u64,
        at: Time,
        input: Input,
        told: &mut dyn FnMut(Time, &Input),
    ) -> Result<(), PlayError> {
        match &input {
            Input::Opened { conn, .. } => {
                if conn.slot >= SLOTS_MAX || self.open.contains_key(&conn.slot) {
                    return Err(PlayError::Slot { offset, conn: *conn });
                }
                self.open.insert(conn.slot, conn.generation);
            }
            Input::Closed { conn } => {
                // A late word about an older transport frees nothing.
                if self.open.get(&conn.slot) == Some(&conn.generation) {
                    self.open.remove(&conn.slot);
                }
            }
            Input::Sent { .. } if !self.same_build => return Ok(()),
            // A digest is of a core that is owed nothing; and what is asked for again and again must not pile up,
            // least of all a saved core in which the one before it lies.
            Input::Command { .. } => self.drain(),
            Input::Sent { .. }
            | Input::Received { .. }
            | Input::Answered { .. }
            | Input::Stored { .. }
            | Input::StoreFailed { .. }
            | Input::Woke { .. }
            | Input::DialFailed { .. }
            | Input::Tick => {}
        }
        let ends_step = matches!(input, Input::Tick);
        self.tell(at, input, told);
        if ends_step {
            self.progress.steps += 1;
            self.drain();
            self.take(at, told);
        }
        Ok(())
    }

    fn tell(&mut self, at: Time, input: Input, told: &mut dyn FnMut(Time, &Input)) {
        let Some(broker) = &mut self.broker else { return };
        self.progress.at = at;
        self.progress.inputs += 1;
        told(at, &input);
        let asked = matches!(input, Input::Command { command: Command::Digest, .. });
        broker.handle(at, input);
        if asked {
            self.drain();
        }
    }

    /// Takes what the core wants done, which was done already, and notes who has something to send.
    fn drain(&mut self) {
        let Some(broker) = &mut self.broker else { return };
        while let Some(output) = broker.poll() {
            if let Output::Reply { id, reply: Reply::Digest(digest) } = output {
                self.answer = Some((id, digest));
            }
        }
        let ready = broker.ready();
        if !self.same_build {
            self.untaken.extend(ready);
        }
    }

    /// Takes all that is outgoing: there is nobody here who could be slow.
    fn take(&mut self, at: Time, told: &mut dyn FnMut(Time, &Input)) {
        for conn in std::mem::take(&mut self.untaken) {
            let len = self.outgoing_bytes(conn);
            if len > 0 {
                self.tell(at, Input::Sent { conn, len }, told);
            }
        }
    }

    pub(super) fn outgoing_bytes(&self, conn: ConnectionId) -> u32 {
        let Some(broker) = &self.broker else { return 0 };
        u32::try_from(broker.outgoing(conn).map(<[u8]>::len).sum::<usize>()).unwrap_or(u32::MAX)
    }

    /// The core's last answer to a digest command of this name.
    pub(super) fn answer(&self, offset: u64, id: CommandId) -> Result<u64, PlayError> {
        let answer = self.answer.filter(|(asked, _)| *asked == id);
        answer.map(|(_, digest)| digest).ok_or(PlayError::NotAsked { offset, id })
    }

    fn compare(&mut self, offset: u64, id: CommandId, recorded: u64) -> Result<(), PlayError> {
        let replayed = self.answer(offset, id)?;
        if !self.same_build {
            return Ok(());
        }
        if replayed != recorded {
            let Progress { at, steps: step, .. } = self.progress;
            return Err(PlayError::Disagrees { offset, step, at, recorded, replayed });
        }
        self.progress.digests += 1;
        Ok(())
    }
}
