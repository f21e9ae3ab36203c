//! Will Messages (3.1.2.5, 3.1.3.2.2).
//!
//! A Will is published when its connection ended without DISCONNECT 0x00 [5:MQTT-3.1.2-8] [311:MQTT-3.1.2-8], not
//! before its delay has passed or its Session ended, and not at all if the client came back to its Session in time
//! [5:MQTT-3.1.3-9] or said goodbye [5:MQTT-3.1.2-10] [5:MQTT-3.14.4-3] [311:MQTT-3.1.2-10] [311:MQTT-3.14.4-3]. One
//! with QoS 1 or 2 that was due reaches the witness, who has subscribed to everything, whatever crashed in between.
//! Where a crash may have swallowed the record of a goodbye, both outcomes are right.

use std::collections::BTreeMap;

use wasmqtt_codec::Qos;

use super::Oracle;
use super::ledger::Ledger;
use crate::sight::{ClientNo, ConnNo, MessageNo, Seen, Sight};

/// What is known of a Will.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Its CONNECT came; whether it is accepted is open.
    Offered,
    /// Its connection lives.
    Armed,
    /// Its connection ended: published from the first moment on, at the latest at the second.
    Due(u64, u64),
    /// The client came back in time, if only it is accepted; else it is due as it was.
    Saving(u64, u64),
    /// Nobody can know: it may be published or not.
    Open,
    /// It must not be published: taken back at this time.
    TakenBack(u64),
}

/// A Will.
#[derive(Clone, Copy, Debug)]
struct Will {
    client: ClientNo,
    conn: ConnNo,
    state: State,
    /// Whether somebody got it.
    published: bool,
    /// Whether the witness was told.
    witnessed: bool,
}

/// See the file.
#[derive(Debug, Default)]
pub struct Wills {
    wills: BTreeMap<MessageNo, Will>,
}

impl Oracle for Wills {
    fn name(&self) -> &'static str {
        "wills"
    }

    fn see(&mut self, facts: &Ledger, sight: &Sight) -> Result<(), String> {
        if let Some(conn) = facts.enters(sight) {
            self.entered(facts, conn);
        }
        match sight {
            Sight::Left(conn, seen) => match seen.as_ref() {
                Seen::Connack { accepted: true, session_present, .. } => {
                    self.accepted(facts, *conn, *session_present);
                    Ok(())
                }
                Seen::Connack { accepted: false, .. } => {
                    self.refused(facts, *conn);
                    Ok(())
                }
                Seen::Publish(publish) => publish.number.map_or(Ok(()), |number| self.published(facts, number)),
                _ => Ok(()),
            },
            Sight::Told(conn, seen) => {
                if let (Some(0), Seen::Publish(publish)) = (facts.client_of(*conn), seen.as_ref())
                    && let Some(will) = publish.number.and_then(|number| self.wills.get_mut(&number))
                {
                    will.witnessed = true;
                }
                Ok(())
            }
            Sight::Gone(conn, _) => {
                self.gone(facts, *conn);
                Ok(())
            }
            Sight::Crashed => {
                self.crashed(facts);
                Ok(())
            }
            Sight::Finished => self.finished(facts),
            _ => Ok(()),
        }
    }
}

impl Wills {
    fn entered(&mut self, facts: &Ledger, conn: ConnNo) {
        let (Some(connect), Some(client)) = (facts.connect_of(conn), facts.client_of(conn)) else { return };
        for will in self.wills.values_mut().filter(|will| will.client == client) {
            match will.state {
                // The Session ends with a Clean Start, and the Will with it is due.
                State::Due(from_us, to_us) if facts.now_us <= from_us && connect.clean_start => {
                    will.state = State::Due(facts.now_us, to_us);
                }
                // Until CONNACK nobody knows whether the client is back.
                State::Due(from_us, to_us) if facts.now_us < from_us => will.state = State::Saving(from_us, to_us),
                State::Due(_, to_us) if facts.now_us <= to_us => will.state = State::Open,
                State::Offered
                | State::Armed
                | State::Due(..)
                | State::Saving(..)
                | State::Open
                | State::TakenBack(_) => {}
            }
        }
        let permitted = connect.will.iter().find(|will| facts.terms.may_publish(client, &will.topic));
        if let Some(number) = permitted.and_then(|will| will.number) {
            let will = Will { client, conn, state: State::Offered, published: false, witnessed: false };
            self.wills.insert(number, will);
        }
    }

    fn accepted(&mut self, facts: &Ledger, conn: ConnNo, session_present: bool) {
        let Some(client) = facts.client_of(conn) else { return };
        for will in self.wills.values_mut().filter(|will| will.client == client) {
            match will.state {
                State::Offered if will.conn == conn => will.state = State::Armed,
                State::Saving(..) if session_present => will.state = State::TakenBack(facts.now_us),
                State::Saving(..) => will.state = State::Open,
                State::Offered | State::Armed | State::Due(..) | State::Open | State::TakenBack(_) => {}
            }
        }
    }

    fn refused(&mut self, facts: &Ledger, conn: ConnNo) {
        // Who was never let in has saved nothing.
        let client = facts.conns.get(&conn).filter(|its| its.entered).map(|its| its.client);
        for will in self.wills.values_mut().filter(|will| Some(will.client) == client) {
            match will.state {
                State::Saving(from_us, to_us) => will.state = State::Due(from_us, to_us),
                State::Offered if will.conn == conn => will.state = State::TakenBack(facts.now_us),
                State::Offered | State::Armed | State::Due(..) | State::Open | State::TakenBack(_) => {}
            }
        }
    }

    fn gone(&mut self, facts: &Ledger, conn: ConnNo) {
        let its = &facts.conns[&conn];
        if its.accepted_us.is_none() && its.entered {
            // Whether it saved a Will from being published only the broker knows; if it was refused, that was seen.
            for will in self.wills.values_mut().filter(|will| will.client == its.client) {
                if let State::Saving(..) = will.state {
                    will.state = State::Open;
                }
            }
        }
        let Some(will) = self.wills.values_mut().find(|will| will.conn == conn) else { return };
        let Some(connect) = facts.connect_of(conn) else { return };
        let goodbye = facts.conns[&conn].disconnect == Some(0);
        match will.state {
            State::Offered => will.state = State::Open,
            // What came before the goodbye may have ended the connection, if it could not be stored.
            State::Armed if goodbye && !facts.storing => will.state = State::Open,
            State::Armed if goodbye => will.state = State::TakenBack(facts.now_us),
            State::Armed if newcomer(facts, will).is_some_and(|connect| connect.clean_start) => {
                will.state = State::Due(facts.now_us, facts.now_us);
            }
            State::Armed => {
                let delay_s = connect.will.as_ref().map_or(0, |will| will.delay_s).min(facts.conns[&conn].expiry_s());
                let from_us = facts.now_us + u64::from(delay_s) * 1_000_000;
                // Whoever takes its Session over in time saves it from its Will, once that is accepted.
                let saved = from_us > facts.now_us && newcomer(facts, will).is_some();
                will.state = if saved { State::Saving(from_us, from_us) } else { State::Due(from_us, from_us) };
            }
            State::Due(..) | State::Saving(..) | State::Open | State::TakenBack(_) => {}
        }
    }

    fn crashed(&mut self, facts: &Ledger) {
        let ended = |conn: &ConnNo| facts.conns[conn].gone_us == Some(facts.now_us);
        let conns: Vec<ConnNo> = self.wills.values().map(|will| will.conn).filter(ended).collect();
        for conn in conns {
            // A goodbye that came in the moment of the crash is not stored.
            let goodbye = facts.conns[&conn].disconnect == Some(0);
            self.gone(facts, conn);
            if let Some(will) = self.wills.values_mut().find(|will| will.conn == conn && goodbye) {
                will.state = State::Open;
            }
        }
        for will in self.wills.values_mut() {
            let connect = facts.connect_of(will.conn);
            let delay_s = connect.and_then(|connect| connect.will.as_ref()).map_or(0, |will| will.delay_s);
            match will.state {
                State::TakenBack(at_us) if facts.may_be_unstored(at_us) => will.state = State::Open,
                State::Saving(..) => will.state = State::Open,
                // That the connection ended may not have been stored, nor that the Will was published: then the delay
                // begins now, again. Nor may have been stored how long DISCONNECT let the Session live from then on:
                // then the Session, and the Will with it, may be due as CONNECT said.
                State::Due(from_us, to_us) => {
                    let later_us = |seconds: u32| facts.now_us + u64::from(seconds) * 1_000_000;
                    let its = &facts.conns[&will.conn];
                    let is_forgotten =
                        its.leaving_s.is_some() && its.gone_us.is_some_and(|at| facts.may_be_unstored(at));
                    let as_asked_us = if is_forgotten { later_us(delay_s.min(its.asked_expiry_s())) } else { from_us };
                    will.state = State::Due(from_us.min(as_asked_us), to_us.max(later_us(delay_s)));
                }
                State::Offered | State::Armed | State::Open | State::TakenBack(_) => {}
            }
        }
    }

    fn published(&mut self, facts: &Ledger, number: MessageNo) -> Result<(), String> {
        let Some(will) = self.wills.get_mut(&number) else { return Ok(()) };
        if will.published {
            return Ok(());
        }
        let name = facts.name(will.client);
        match will.state {
            State::Due(from_us, _) if facts.now_us >= from_us => {}
            State::Open | State::Saving(..) | State::Offered => {}
            State::Due(from_us, _) => {
                let due = from_us as f64 / 1e6;
                return Err(format!("the Will {number} of {name} is published before {due:.6} s [5:MQTT-3.1.3-9]"));
            }
            State::Armed => return Err(format!("the Will {number} of {name} is published while it is connected")),
            State::TakenBack(_) => {
                return Err(format!("the Will {number} of {name} is published and was taken back [5:MQTT-3.1.2-10]"));
            }
        }
        will.published = true;
        Ok(())
    }

    fn finished(&mut self, facts: &Ledger) -> Result<(), String> {
        for (number, will) in &self.wills {
            let State::Due(from_us, to_us) = will.state else { continue };
            let message = &facts.messages[number];
            let witness = &facts.clients[0];
            let watching =
                facts.matching(0, &message.topic).any(|one| one.surely(from_us.min(facts.now_us), facts.now_us));
            let judged = message.qos > Qos::AtMostOnce && message.expiry_s.is_none();
            if judged && watching && !witness.dropping && !will.witnessed && to_us < facts.now_us {
                return Err(format!(
                    "the Will {number} of {} was due at {:.6} s and never published [5:MQTT-3.1.2-8]",
                    facts.name(will.client),
                    from_us as f64 / 1e6
                ));
            }
        }
        Ok(())
    }
}

/// The CONNECT of another connection of the same client that the broker has and has not answered.
fn newcomer<'a>(facts: &'a Ledger, will: &Will) -> Option<&'a crate::sight::SeenConnect> {
    let waits = |conn: &ConnNo| {
        let its = &facts.conns[conn];
        its.client == will.client
            && *conn != will.conn
            && its.gone_us.is_none()
            && its.accepted_us.is_none()
            && its.entered
    };
    facts.conns.keys().filter(|conn| waits(conn)).find_map(|conn| facts.connect_of(*conn))
}
