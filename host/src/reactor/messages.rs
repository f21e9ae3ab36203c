//! What other threads want of the reactor, and how it obeys: commands for the core, time that a test lets pass, the
//! end.

use std::sync::mpsc::Sender;
use std::time::Instant;

use wasmqtt_broker::{Command, CommandId, Input, Reply, Time};

use super::{Reactor, STEPS_PER_TURN};

/// What another thread wants of the reactor.
pub(crate) enum Message {
    /// Hand this to the core.
    Command(Command, Sender<Reply>),
    /// Let a virtual clock move on.
    Advance(u64, Sender<Time>),
    /// End cleanly.
    Stop,
    /// End at once.
    Abort,
}

impl Reactor {
    pub(super) fn take_messages(&mut self) {
        while let Ok(message) = self.messages.try_recv() {
            match message {
                Message::Command(command, asker) => self.command(command, asker),
                Message::Advance(by_us, answer) => {
                    let _ = answer.send(self.advance(by_us));
                }
                Message::Stop => self.stop(),
                Message::Abort => self.aborted = true,
            }
        }
    }

    fn command(&mut self, command: Command, asker: Sender<Reply>) {
        let Some(guest) = &mut self.guest else { return };
        self.commands += 1;
        self.replies.insert(self.commands, asker);
        guest.entries.letter(&Input::Command { id: CommandId(self.commands), command });
    }

    fn stop(&mut self) {
        if self.stop_at.is_none() {
            self.stop_at = Some(Instant::now() + self.stop_grace);
            // Dropped, they are closed: who comes now is refused by the kernel.
            self.listeners.clear();
            self.connections.remove_upgrading();
            let (asker, _) = std::sync::mpsc::channel();
            self.command(Command::Stop, asker);
        }
    }

    /// Lets a virtual clock pass each deadline on its way, as the real one would.
    fn advance(&mut self, by_us: u64) -> Time {
        if self.clock.is_real() {
            return self.clock.now();
        }
        let target = self.clock.now().plus_us(by_us);
        loop {
            let now = self.clock.now();
            while let Some(id) = self.timers.due(now) {
                self.time_is_up(id, now);
            }
            for _ in 0..STEPS_PER_TURN {
                if !self.step_if_due(now) {
                    break;
                }
            }
            let next = [self.deadline, self.timers.next()].into_iter().flatten().min().unwrap_or(target);
            if now >= target {
                return now;
            }
            self.clock.move_to(next.max(now.plus_us(1)).min(target));
        }
    }
}
