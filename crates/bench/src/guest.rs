//! The core as the guest under wasmtime, through the host's own tables: what the server does in a turn, without its
//! sockets.

use std::path::Path;

use wasmqtt_broker::{Config, ConnectionId, Input, Peer, Seed, Time, Transport};
use wasmqtt_host::guest::{Guest as Instance, GuestLimits};
use wasmqtt_host::module::GuestModule;

use crate::core::{Core, Sink};

/// A guest and the time that it is told.
pub struct Guest {
    guest: Instance,
    now: Time,
    deadline: Option<Time>,
}

impl Guest {
    /// Starts the guest in this file.
    ///
    /// # Errors
    /// The file is no guest of this build.
    pub fn new(path: &Path, config: &Config) -> Result<Self, String> {
        let module = GuestModule::from_file(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let guest = Instance::new(&module, config, Seed([7; 16]), GuestLimits::default());
        let guest = guest.map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Guest { guest, now: Time(1_700_000_000_000_000), deadline: None })
    }
}

impl Core for Guest {
    fn open(&mut self, conn: ConnectionId) {
        let peer = Peer { listener: 0, address: "bench".into(), transport: Transport::Tcp, identity: None };
        self.guest.entries.letter(&Input::Opened { conn, peer });
    }

    fn room(&mut self) -> usize {
        self.guest.block().len()
    }

    fn tell(&mut self, conn: ConnectionId, bytes: &[u8]) {
        self.guest.block()[..bytes.len()].copy_from_slice(bytes);
        self.guest.entries.received(conn, bytes.len());
    }

    fn turn(&mut self, sink: &mut Sink<'_>) {
        self.now.0 += 1_000;
        self.deadline = self.guest.step(self.now).expect("the guest is ours");
        drop(self.guest.outputs());
        for index in 0..self.guest.rows() {
            let row = self.guest.row(index);
            let conn = ConnectionId { slot: row.slot, generation: row.generation };
            let mut bytes = 0;
            for slice in self.guest.listed(row) {
                bytes += slice.len();
                sink(conn, slice);
            }
            self.guest.entries.sent(conn, bytes);
        }
    }

    fn has_more(&self) -> bool {
        !self.guest.entries.is_empty()
            || self.guest.wants_step()
            || self.deadline.is_some_and(|deadline| deadline <= self.now)
    }
}
