//! The Stage as a driver of the core: inputs as they come, `Tick` last, then outputs and bytes; and the broker's own
//! troubles, a restart with what it stored or without.

use wasmqtt_broker::{
    Broker, CloseReason, Command as Wish, CommandId, Delivery, DropReason, Event, Fault, Input, Lsn, NotDelivered,
    Output, SessionEnd, Storage, Time, Trace,
};
use wasmqtt_codec::ReasonCode;

use super::entry::{Decision, Happening, Restarted, What};
use super::{EPOCH_US, Stage, seed_of};
use crate::world::faults::Toward;
use crate::world::link::BrokerEnd;

impl Stage {
    pub(super) fn time(&self) -> Time {
        Time(EPOCH_US + self.now_us)
    }

    pub(super) fn input(&mut self, input: Input) {
        self.broker.handle(self.time(), input);
    }

    /// The end of a moment: timers, outputs and bytes, until nothing moves any more.
    pub(super) fn turn(&mut self) {
        self.name_timers();
        self.input(Input::Tick);
        loop {
            let mut moved = false;
            while let Some(output) = self.broker.poll() {
                moved = true;
                self.output(output);
            }
            if core::mem::take(&mut self.fresh) {
                // What is written is stored at once.
                self.input(Input::Stored { upto: self.last_lsn });
                continue;
            }
            let ready: Vec<u32> = self.broker.ready().map(|conn| conn.generation - 1).collect();
            for number in ready {
                moved |= self.broker_writes(number);
            }
            for (number, reason) in core::mem::take(&mut self.closing) {
                moved = true;
                self.broker_writes(number);
                self.broker_closes(number, reason);
            }
            if !moved {
                return;
            }
        }
    }

    fn broker_writes(&mut self, number: u32) -> bool {
        if self.lines.get(&number).is_none_or(|line| line.link.broker == BrokerEnd::Gone) {
            return false;
        }
        let conn = self.connection(number);
        let bytes: Vec<u8> = self.broker.outgoing(conn).flatten().copied().collect();
        if bytes.is_empty() {
            return false;
        }
        self.input(Input::Sent { conn, len: bytes.len() as u32 });
        self.write(number, Toward::Client, &bytes);
        true
    }

    fn output(&mut self, output: Output) {
        match output {
            Output::Append { lsn, .. } => (self.last_lsn, self.fresh) = (lsn, true),
            Output::Read { conn, on } => {
                if let Some(line) = self.lines.get_mut(&(conn.generation - 1)) {
                    line.link.up.paused = !on;
                }
            }
            Output::Close { conn, why, .. } => {
                let reason = match &why {
                    CloseReason::Fault(fault) => format!("{} (0x{:02X})", fault.text(), fault.reason().byte()),
                    CloseReason::Client(ReasonCode::Success) => "the client said DISCONNECT".into(),
                    CloseReason::Client(_)
                    | CloseReason::Stopping
                    | CloseReason::TakenOver
                    | CloseReason::Remote(_)
                    | CloseReason::BridgeRemoved
                    | CloseReason::Kicked(_) => format!("{} (0x{:02X})", why.reason().name(), why.reason().byte()),
                };
                self.closing.push((conn.generation - 1, reason));
            }
            Output::Event(event) => {
                let happening = self.happening(event);
                self.tell(What::Event(Box::new(happening)));
            }
            Output::Trace(trace) => {
                let decision = self.decision(trace);
                self.tell(What::Decision(Box::new(decision)));
            }
            // There is nothing to dial on the Stage, and no command of it adds a bridge.
            Output::Ask { .. } | Output::Reply { .. } | Output::Dial { .. } => {}
        }
    }

    /// The client that was last connected under a Client Identifier.
    pub(super) fn named(&self, client_identifier: &str) -> Option<std::rc::Rc<str>> {
        self.names.iter().find(|(name, _)| name == client_identifier).map(|(_, who)| self.actors[*who].id.clone())
    }

    fn decision(&self, trace: Trace) -> Decision {
        let statement = trace.statement();
        match trace {
            Trace::Published { publication, client_identifier, topic, qos, retain, .. } => Decision {
                publication,
                is: "published",
                who: client_identifier.as_deref().and_then(|name| self.named(name)),
                client_identifier,
                topic: Some(topic),
                qos: Some(qos.bits()),
                retain: Some(retain),
                statement,
                ..Decision::default()
            },
            Trace::Delivered { publication, client_identifier, filter, qos, retained, how } => Decision {
                publication,
                is: "delivered",
                who: self.named(&client_identifier),
                client_identifier: Some(client_identifier),
                filter: Some(filter),
                qos: Some(qos.bits()),
                retain: Some(retained),
                how: Some(match how {
                    Delivery::Sent => "sent",
                    Delivery::Queued => "queued",
                }),
                statement,
                ..Decision::default()
            },
            Trace::NotDelivered { publication, client_identifier, why } => {
                let (word, filter, level) = why_not(why);
                Decision {
                    publication,
                    is: "not_delivered",
                    who: self.named(&client_identifier),
                    client_identifier: Some(client_identifier),
                    filter,
                    why: Some(word),
                    level,
                    statement,
                    ..Decision::default()
                }
            }
        }
    }

    fn happening(&mut self, event: Event) -> Happening {
        let by_link = |stage: &Self, generation: u32| {
            let line = stage.lines.get(&(generation - 1));
            line.map(|line| (line.link.client, stage.actors[line.link.client].id.clone()))
        };
        let faulty = |is, who, client_identifier, fault: Fault| Happening {
            is,
            who,
            client_identifier,
            reason: Some(fault.reason().byte()),
            why: Some(fault.text()),
            statement: Some(fault.statement()),
            ..Happening::default()
        };
        match event {
            Event::Connected { conn, client_identifier, session_present, .. } => {
                let found = by_link(self, conn.generation);
                if let Some((who, _)) = found {
                    self.names.retain(|(name, _)| *name != client_identifier);
                    self.names.push((client_identifier.clone(), who));
                }
                Happening {
                    is: "connected",
                    who: found.map(|(_, id)| id),
                    client_identifier: Some(client_identifier),
                    session_present: Some(session_present),
                    ..Happening::default()
                }
            }
            Event::Refused { conn, client_identifier, fault } => {
                faulty("refused", by_link(self, conn.generation).map(|(_, id)| id), client_identifier, fault)
            }
            Event::Disconnected { conn, client_identifier, why, session_kept } => {
                let who = by_link(self, conn.generation).map(|(_, id)| id);
                let who = who.or_else(|| self.named(&client_identifier));
                let mut happening = match &why {
                    Some(CloseReason::Fault(fault)) => faulty("disconnected", who, None, *fault),
                    why => Happening {
                        is: "disconnected",
                        who,
                        reason: why.as_ref().map(|why| why.reason().byte()),
                        why: Some(why.as_ref().map_or("the connection broke", |why| why.reason().name())),
                        ..Happening::default()
                    },
                };
                happening.client_identifier = Some(client_identifier);
                happening.session_kept = Some(session_kept);
                happening
            }
            Event::Dropping { client_identifier, why } => Happening {
                is: "dropping",
                who: self.named(&client_identifier),
                client_identifier: Some(client_identifier),
                why: Some(dropped(why)),
                ..Happening::default()
            },
            Event::LimitReached { client_identifier, fault } => {
                let who = client_identifier.as_deref().and_then(|name| self.named(name));
                faulty("limit_reached", who, client_identifier, fault)
            }
            Event::SessionEnded { client_identifier, why } => Happening {
                is: "session_ended",
                who: self.named(&client_identifier),
                client_identifier: Some(client_identifier),
                why: Some(match why {
                    SessionEnd::Expired => "expired",
                    SessionEnd::CleanStart => "clean_start",
                    SessionEnd::Kicked => "kicked",
                    SessionEnd::BridgeRemoved => "bridge_removed",
                }),
                ..Happening::default()
            },
            Event::BridgeUp { .. } => Happening { is: "bridge_up", ..Happening::default() },
            Event::BridgeDown { .. } => Happening { is: "bridge_down", ..Happening::default() },
            Event::BridgeTopicRefused { .. } => Happening { is: "bridge_topic_refused", ..Happening::default() },
        }
    }

    /// New limits and permissions count from now on, and for brokers to come.
    pub(super) fn set_limits(&mut self) {
        let id = CommandId(0);
        let limits = self.config.limits.clone();
        self.input(Input::Command { id, command: Wish::SetLimits(limits) });
        let permissions = self.config.permissions.clone();
        self.input(Input::Command { id, command: Wish::SetPermissions(permissions) });
    }

    /// The broker ends at once, and another begins with what was stored or with nothing.
    pub(super) fn restart(&mut self, storage: bool) {
        self.cause = Some(self.tell(What::Restarted(Restarted { storage })));
        self.restarts += 1;
        let seed = seed_of(self.seed, self.restarts);
        let with_log = storage && self.config.storage == Storage::Log;
        // Everything was stored at the moment it was written, so the shortest log is what a disk would have.
        let lsn = self.last_lsn;
        let stored = with_log.then(|| self.broker.records().map(|record| (lsn, record)).collect::<Vec<_>>());
        let restored = stored.map(|log| Broker::restore(self.config.clone(), seed, log.into_iter()));
        self.broker = match restored {
            Some(Ok(broker)) => broker,
            Some(Err(_)) => unreachable!("a broker can be restored from its own records"),
            None => Broker::new(self.config.clone(), seed),
        };
        if !with_log {
            self.last_lsn = Lsn(0);
        }
        (self.fresh, self.closing) = (false, Vec::new());
        let cause = self.cause;
        for number in self.lines.iter().map(|(number, _)| number).collect::<Vec<_>>() {
            self.cause = cause;
            // The new broker has never heard of these transports.
            if let Some(line) = self.lines.get_mut(&number) {
                line.known_at_us = None;
            }
            self.break_line(number);
        }
        self.cause = cause;
    }
}

/// The reason as one word, the filter and the level, if it has them.
fn why_not(why: NotDelivered) -> (&'static str, Option<String>, Option<u16>) {
    match why {
        NotDelivered::NoSubscription => ("no_subscription", None, None),
        NotDelivered::NoMatch { filter, level } => ("no_match", Some(filter), Some(level)),
        NotDelivered::Dollar { filter } => ("dollar", Some(filter), Some(1)),
        NotDelivered::NoLocal { filter } => ("no_local", Some(filter), None),
        NotDelivered::NotPermitted => ("not_permitted", None, None),
        NotDelivered::AnotherMember { filter } => ("another_member", Some(filter), None),
        NotDelivered::Offline => ("offline", None, None),
        NotDelivered::QueueFull => ("queue_full", None, None),
        NotDelivered::OutboxFull => ("outbox_full", None, None),
        NotDelivered::PacketTooLarge => ("packet_too_large", None, None),
        NotDelivered::Expired => ("expired", None, None),
        NotDelivered::Memory => ("memory", None, None),
        NotDelivered::NotBridged => ("not_bridged", None, None),
        NotDelivered::BridgeLoop => ("bridge_loop", None, None),
    }
}

fn dropped(why: DropReason) -> &'static str {
    match why {
        DropReason::QueueFull => "queue_full",
        DropReason::OutboxFull => "outbox_full",
        DropReason::PacketTooLarge => "packet_too_large",
        DropReason::Expired => "expired",
        DropReason::Memory => "memory",
    }
}
