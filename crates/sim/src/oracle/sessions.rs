//! Sessions (3.1.2.4, 3.1.2.11.2, 4.1), as CONNACK tells of them.
//!
//! With Clean Start 1 Session Present is 0 [5:MQTT-3.1.2-4] [5:MQTT-3.2.2-2] [311:MQTT-3.2.2-1]. Without, it is 1 if
//! the Session surely lives: its interval has not passed since the last connection was over [5:MQTT-3.1.2-5]
//! [5:MQTT-3.2.2-3] [5:MQTT-4.1.0-1] [311:MQTT-3.1.2-4] [311:MQTT-3.2.2-2], whatever crashed in between; and 0 if it
//! surely ended [5:MQTT-3.1.2-6] [5:MQTT-4.1.0-2]. MQTT 3.1 has no Session Present. The first packet of every
//! connection is CONNACK [5:MQTT-3.2.0-1] [311:MQTT-3.2.0-1], and there is only one [5:MQTT-3.2.0-2].

use std::collections::BTreeMap;

use wasmqtt_codec::ProtocolVersion;

use super::Oracle;
use super::ledger::Ledger;
use crate::sight::{ClientNo, ConnNo, Seen, SeenConnect, Sight};

/// What the broker must have of a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum State {
    /// Nothing.
    #[default]
    None,
    /// A Session with a live connection; how long it lasts without, in seconds.
    Live(u32),
    /// A Session since the first moment, until at least the second and at most the third.
    Away(u64, u64, u64),
    /// Nobody can know.
    Unknown,
}

/// See the file.
#[derive(Debug, Default)]
pub struct Sessions {
    states: BTreeMap<ClientNo, State>,
    /// What it was when the CONNECT of a connection came.
    asked: BTreeMap<ConnNo, State>,
    greeted: BTreeMap<ConnNo, bool>,
}

impl Oracle for Sessions {
    fn name(&self) -> &'static str {
        "sessions"
    }

    fn see(&mut self, facts: &Ledger, sight: &Sight) -> Result<(), String> {
        if let Some(conn) = facts.enters(sight)
            && let Some(client) = facts.client_of(conn)
        {
            let state = self.states.entry(client).or_default();
            self.asked.insert(conn, *state);
            *state = State::Unknown;
        }
        match sight {
            Sight::Left(conn, seen) => self.left(facts, *conn, seen),
            Sight::Gone(conn, _) => {
                if let Some(client) = facts.client_of(*conn) {
                    self.gone(client, *conn, facts);
                }
                Ok(())
            }
            Sight::Crashed => {
                for conn in facts.conns.iter().filter(|(_, its)| its.gone_us == Some(facts.now_us)) {
                    self.gone(conn.1.client, *conn.0, facts);
                }
                self.crashed(facts);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// The connection of a client that was accepted last; who came first may be let in last.
fn last_accepted(facts: &Ledger, client: ClientNo) -> Option<ConnNo> {
    let its = facts.conns.iter().filter(|(_, its)| its.client == client && its.accepted_us.is_some());
    its.max_by_key(|(conn, its)| (its.accepted_us, **conn)).map(|(conn, _)| *conn)
}

fn after(now_us: u64, seconds: u32) -> u64 {
    if seconds == u32::MAX { u64::MAX } else { now_us + u64::from(seconds) * 1_000_000 }
}

impl Sessions {
    fn gone(&mut self, client: ClientNo, conn: ConnNo, facts: &Ledger) {
        // Only the connection that was the client's last one says anything about its Session.
        if last_accepted(facts, client) != Some(conn) {
            return;
        }
        let state = self.states.entry(client).or_default();
        if let State::Live(_) = *state {
            let expiry_s = facts.conns[&conn].expiry_s();
            let end_us = after(facts.now_us, expiry_s);
            *state = match expiry_s {
                0 => State::None,
                _ => State::Away(facts.now_us, end_us, end_us),
            };
        }
    }

    /// That a client left may not have been stored: its interval may begin with the crash.
    fn crashed(&mut self, facts: &Ledger) {
        for (client, state) in &mut self.states {
            if facts.clients[*client].doubted_us == Some(facts.now_us) {
                *state = State::Unknown;
            }
            let expiry_s = last_accepted(facts, *client)
                .and_then(|conn| facts.connect_of(conn))
                .map_or(0, |connect| connect.session_expiry_s);
            if let State::Away(since_us, least_us, most_us) = *state
                && (least_us.saturating_add(facts.held_us()) >= facts.now_us || facts.may_be_unstored(since_us))
            {
                *state = State::Away(since_us, least_us, most_us.max(after(facts.now_us, expiry_s)));
            }
        }
    }

    fn left(&mut self, facts: &Ledger, conn: ConnNo, seen: &Seen) -> Result<(), String> {
        let Some(client) = facts.client_of(conn) else { return Ok(()) };
        let name = facts.name(client);
        let greeted = self.greeted.get(&conn).copied().unwrap_or(false);
        if !matches!(seen, Seen::Auth { .. }) {
            self.greeted.insert(conn, true);
        }
        match seen {
            Seen::Connack { .. } if greeted => Err(format!("{name} gets a second CONNACK [5:MQTT-3.2.0-2]")),
            Seen::Connack { accepted: true, session_present, .. } => {
                let Some(connect) = facts.connect_of(conn) else {
                    return Err(format!("{name} gets CONNACK before it sent CONNECT [5:MQTT-3.2.0-1]"));
                };
                let before = self.asked.get(&conn).copied().unwrap_or_default();
                self.states.insert(client, State::Live(connect.session_expiry_s));
                let connect_us = facts.conns[&conn].connect_us;
                check(connect, before, connect_us, *session_present).map_err(|what| format!("{name}: {what}"))
            }
            Seen::Connack { .. } => Ok(()),
            Seen::Auth { .. } => Ok(()),
            _ if !greeted => Err(format!("{name} gets something before CONNACK [5:MQTT-3.2.0-1]")),
            _ => Ok(()),
        }
    }
}

fn check(connect: &SeenConnect, before: State, connect_us: u64, session_present: bool) -> Result<(), String> {
    let expected = match before {
        _ if connect.version == ProtocolVersion::V3_1 => false,
        _ if connect.clean_start => false,
        State::Unknown => return Ok(()),
        State::None => false,
        // The old connection is closed first; without an interval its Session ends with it.
        State::Live(expiry_s) => expiry_s > 0,
        State::Away(_, least_us, _) if connect_us < least_us => true,
        State::Away(_, _, most_us) if connect_us > most_us => false,
        State::Away(..) => return Ok(()),
    };
    match (expected, session_present) {
        (true, false) => Err("its Session should live, and Session Present is 0 [5:MQTT-3.2.2-3]".into()),
        (false, true) => Err("it can have no Session, and Session Present is 1 [5:MQTT-3.2.2-2]".into()),
        (true, true) | (false, false) => Ok(()),
    }
}
