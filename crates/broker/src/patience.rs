//! How long the broker waits for somebody: for CONNECT, for the next AUTH, for a remote's CONNACK, and, once a client
//! is connected, for a sign of life within one and a half times its Keep Alive. A connection has one timer, which fits
//! its phase; packets that come don't touch it, and when it fires it looks whether they did.

use crate::broker::Broker;
use crate::connection::{Connection, Phase};
use crate::door::Transport;
use crate::error::Violation;
use crate::id::ConnectionId;
use crate::time::Time;
use crate::timers::Timer;

impl Connection {
    /// When its silence is the end of it: after one and a half times the Keep Alive [5:MQTT-3.1.2-22]
    /// [311:MQTT-3.1.2-24], and a grace for a channel that can't fail without somebody noticing.
    fn silent_until(&self, local_grace_s: u16) -> Time {
        let grace_s = if self.peer.transport == Transport::Local { local_grace_s } else { 0 };
        self.last_packet_at.plus_us(u64::from(self.keep_alive_s) * 1_500_000).plus_s(u64::from(grace_s))
    }
}

impl Broker {
    /// A connection's timer fired: is it overdue, or did something come since?
    pub(crate) fn connection_timer(&mut self, id: ConnectionId) {
        let Some(slot) = self.slot(id) else { return };
        let now = self.now;
        let grace_s = self.config.local_keep_alive_grace_s;
        let connection = self.connection(slot);
        connection.timer = None;
        match connection.phase {
            Phase::Closing => {}
            Phase::AwaitConnect | Phase::Exchanging { .. } => {
                self.counters.timeouts += 1;
                self.violation(slot, Violation::ConnectTimeout);
            }
            Phase::Dialled { .. } => {
                self.counters.timeouts += 1;
                self.violation(slot, Violation::ConnackTimeout);
            }
            Phase::Bridged { bridge, .. } => self.bridge_timer(slot, bridge),
            // The driver may take its time; the client isn't to blame.
            Phase::Asking { .. } => self.arm_connection(slot),
            Phase::Live { .. } => {
                let due = connection.silent_until(grace_s);
                // What came and was not looked at yet counts as a sign of life.
                if due <= now && !connection.has_unread() {
                    self.counters.timeouts += 1;
                    self.violation(slot, Violation::KeepAliveTimeout);
                } else {
                    self.arm_connection(slot);
                }
            }
        }
    }

    /// Arms the timer that fits the phase.
    pub(crate) fn arm_connection(&mut self, slot: u32) {
        let now = self.now;
        let patience = u64::from(self.config.limits.connect_timeout_s);
        let grace_s = self.config.local_keep_alive_grace_s;
        let connection = self.connection(slot);
        let old = connection.timer.take();
        let at = match connection.phase {
            Phase::Closing => None,
            Phase::AwaitConnect | Phase::Asking { .. } | Phase::Exchanging { .. } | Phase::Dialled { .. } => {
                Some(now.plus_s(patience))
            }
            Phase::Bridged { bridge, .. } => self.bridge_due(slot, bridge).map(|at| at.max(now.plus_us(1))),
            Phase::Live { .. } if connection.keep_alive_s == 0 => None,
            Phase::Live { .. } => Some(connection.silent_until(grace_s).max(now.plus_us(1))),
        };
        let id = self.connection(slot).id;
        self.timers.cancel(old);
        let timer = at.map(|at| self.timers.arm(at, Timer::Connection(id)));
        self.connection(slot).timer = timer;
    }
}
