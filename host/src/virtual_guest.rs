//! A guest without sockets, for tests and tools: inputs as the core knows them go in, outputs and bytes come out, and
//! time is whatever the caller says. Beneath it are the same tables and the same checks as in the server.
//!
//! ```no_run
//! use wasmqtt_broker::{Config, ConnectionId, Input, Peer, Seed, Time, Transport};
//! use wasmqtt_host::guest::{Beginning, GuestLimits};
//! use wasmqtt_host::module::GuestModule;
//! use wasmqtt_host::virtual_guest::VirtualGuest;
//!
//! let module = GuestModule::embedded().unwrap();
//! let limits = GuestLimits::default();
//! let mut guest = VirtualGuest::begin(&module, &Config::default(), Seed([7; 16]), limits, Beginning::Empty).unwrap();
//! let conn = ConnectionId { slot: 0, generation: 0 };
//! let peer = Peer { listener: 0, address: "test".into(), transport: Transport::Local, identity: None };
//! let now = Time(1_700_000_000_000_000);
//! let turn = guest.turn(now, vec![Input::Opened { conn, peer }]).unwrap();
//! for conn in turn.ready {
//!     let len = guest.outgoing(conn).len() as u32;
//!     guest.turn(now, vec![Input::Sent { conn, len }]).unwrap();
//! }
//! ```

use std::collections::{BTreeMap, BTreeSet};

use wasmqtt_broker::{Command, CommandId, Config, ConnectionId, Input, Output, Reply, Seed, Time};

use crate::fault::GuestFault;
use crate::guest::{Beginning, Guest, GuestLimits};
use crate::module::GuestModule;

/// The name of commands that this file gives by itself.
const OWN_COMMAND: CommandId = CommandId(u64::MAX);

/// What one connection has to send.
#[derive(Default)]
struct Listed {
    bytes: Vec<u8>,
    /// The guest still waits to hear what became of them.
    unanswered: bool,
}

/// What a turn gave.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// What the broker wants that is not bytes, in its order.
    pub outputs: Vec<Output>,
    /// Connections with something to send, in the order in which they came to have it; those whose bytes nobody took
    /// are named again each turn.
    pub ready: Vec<ConnectionId>,
}

/// A guest that is driven by hand.
pub struct VirtualGuest {
    guest: Guest,
    listed: BTreeMap<ConnectionId, Listed>,
    deadline: Option<Time>,
    /// Outputs that came with an answer to a command of our own.
    early: Vec<Output>,
}

impl VirtualGuest {
    /// Starts a guest.
    ///
    /// # Errors
    /// Fails if the guest does anything wrong while it starts.
    pub fn begin(
        module: &GuestModule,
        config: &Config,
        seed: Seed,
        limits: GuestLimits,
        beginning: Beginning,
    ) -> Result<Self, GuestFault> {
        let guest = Guest::begin(module, config, seed, limits, beginning)?;
        Ok(VirtualGuest { guest, listed: BTreeMap::new(), deadline: None, early: Vec::new() })
    }

    /// Applies inputs in their order, then lets time pass until `now`: an [`Input::Tick`] of the caller's is the one
    /// that each turn ends with anyway.
    ///
    /// # Errors
    /// Whatever the guest did wrong; after that it must not be used again.
    pub fn turn(&mut self, now: Time, inputs: Vec<Input>) -> Result<Turn, GuestFault> {
        let mut turn = Turn { outputs: std::mem::take(&mut self.early), ready: Vec::new() };
        for input in inputs {
            self.input(now, input, &mut turn)?;
        }
        self.look_again();
        self.step(now, &mut turn)?;
        while self.guest.wants_step() {
            self.step(now, &mut turn)?;
        }
        // What was listed early may have been listed again since, or be gone.
        let mut named = BTreeSet::new();
        turn.ready.retain(|conn| !self.outgoing(*conn).is_empty() && named.insert(*conn));
        Ok(turn)
    }

    /// What waits to be sent on a connection, up to what the guest lists at once. It stays until [`Input::Sent`] says
    /// how much of it went.
    #[must_use]
    pub fn outgoing(&self, conn: ConnectionId) -> &[u8] {
        self.listed.get(&conn).map_or(&[], |listed| &listed.bytes)
    }

    /// When to take a turn if nothing else happens.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        self.deadline
    }

    /// The digest of all state, now.
    ///
    /// # Errors
    /// Whatever the guest did wrong.
    pub fn digest(&mut self, now: Time) -> Result<Option<u64>, GuestFault> {
        let reply = self.ask(now, Command::Digest)?;
        Ok(if let Some(Reply::Digest(digest)) = reply { Some(digest) } else { None })
    }

    /// All state, for [`Beginning::Saved`].
    ///
    /// # Errors
    /// Whatever the guest did wrong.
    pub fn save(&mut self, now: Time) -> Result<Option<Vec<u8>>, GuestFault> {
        let reply = self.ask(now, Command::Save)?;
        Ok(if let Some(Reply::Saved(saved)) = reply { Some(saved) } else { None })
    }

    /// A command of our own; what else came of its turn is given with the caller's next one.
    fn ask(&mut self, now: Time, command: Command) -> Result<Option<Reply>, GuestFault> {
        let turn = self.turn(now, vec![Input::Command { id: OWN_COMMAND, command }])?;
        let mut own = None;
        for output in turn.outputs {
            match output {
                Output::Reply { id: OWN_COMMAND, reply } => own = Some(reply),
                other => self.early.push(other),
            }
        }
        Ok(own)
    }

    fn input(&mut self, now: Time, input: Input, turn: &mut Turn) -> Result<(), GuestFault> {
        match input {
            Input::Received { conn, bytes } => {
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    let block = self.guest.block();
                    let len = block.len().min(rest.len());
                    block[..len].copy_from_slice(&rest[..len]);
                    rest = &rest[len..];
                    if len == 0 {
                        self.step(now, turn)?;
                    } else {
                        self.guest.entries.received(conn, len);
                    }
                }
            }
            Input::Sent { conn, len } => self.sent(conn, len),
            Input::Closed { conn } => {
                self.listed.remove(&conn);
                self.guest.entries.closed(conn);
            }
            Input::Tick => {}
            other => self.guest.entries.letter(&other),
        }
        Ok(())
    }

    fn sent(&mut self, conn: ConnectionId, len: u32) {
        let Some(listed) = self.listed.get_mut(&conn) else { return };
        let len = (len as usize).min(listed.bytes.len());
        listed.bytes.drain(..len);
        if std::mem::take(&mut listed.unanswered) {
            self.guest.entries.sent(conn, len);
            if !listed.bytes.is_empty() {
                self.guest.entries.writable(conn);
            }
        } else {
            // A second word about the same bytes: the core doesn't mind, only the tables have no row for it.
            self.guest.entries.letter(&Input::Sent { conn, len: len as u32 });
        }
    }

    /// Has everything listed anew that nobody took: what came behind it shows then too.
    fn look_again(&mut self) {
        for (conn, listed) in &mut self.listed {
            if std::mem::take(&mut listed.unanswered) {
                self.guest.entries.sent(*conn, 0);
                self.guest.entries.writable(*conn);
            }
        }
    }

    fn step(&mut self, now: Time, turn: &mut Turn) -> Result<(), GuestFault> {
        self.deadline = self.guest.step(now)?;
        turn.outputs.extend(self.guest.outputs());
        for index in 0..self.guest.rows() {
            let row = self.guest.row(index);
            let conn = ConnectionId { slot: row.slot, generation: row.generation };
            let bytes = self.guest.listed(row).collect::<Vec<_>>().concat();
            let unanswered = !bytes.is_empty();
            if unanswered {
                turn.ready.push(conn);
            }
            self.listed.insert(conn, Listed { bytes, unanswered });
        }
        Ok(())
    }
}
