//! Authentication and authorization (4.12, 5.4), where somebody is asked about each client and takes his time.
//!
//! Each CONNECT is asked about once, with the names that it bore; each AUTH once. Until the answer is yes the client is
//! nobody: nothing but AUTH and a CONNACK that says no leaves for it [5:MQTT-3.1.4-2] [311:MQTT-3.1.4-2], and its
//! older connection stays [5:MQTT-3.1.4-3]. AUTH 0x18 leaves when more is to be said, and only then [5:MQTT-4.12.0-2].
//! A no is told with its Reason Code, after which the connection is over [5:MQTT-4.12.0-4] [5:MQTT-4.12.1-2]. What a
//! client may not publish is told 0x87 in 5.0 and nobody gets it, what it may not subscribe to gets 0x87 or 0x80, and
//! all else is granted; what it may not receive is never sent to it, which is judged with its Subscriptions.

use std::collections::BTreeMap;

use wasmqtt_codec::{PacketType, ProtocolVersion};

use super::Oracle;
use super::facts::without_share;
use super::ledger::Ledger;
use crate::sight::{ConnNo, Ended, Seen, SeenPublish, SeenQuestion, SeenSubscribe, SeenVerdict, Sight};

const NOT_AUTHORIZED: u8 = 0x87;
const TAKEN_OVER: u8 = 0x8E;

/// Where a connection stands.
#[derive(Debug, Default)]
struct Standing {
    /// Whether it was asked about its CONNECT.
    asked: bool,
    /// A question is open.
    waits: bool,
    /// It was let in.
    allowed: bool,
    /// More was wanted, and has not been told so yet.
    wanted: bool,
    /// A re-authentication is under way.
    renewing: bool,
    /// A re-authentication went well and it was not told so yet.
    renewed: bool,
    /// It was told no, with this code, and has not heard so yet.
    refused: Option<u8>,
    /// AUTH packets that came and were not asked about.
    said: u32,
    publishing: BTreeMap<u16, SeenPublish>,
    subscribing: BTreeMap<u16, SeenSubscribe>,
}

/// See the file.
#[derive(Debug, Default)]
pub struct Authority {
    conns: BTreeMap<ConnNo, Standing>,
}

impl Oracle for Authority {
    fn name(&self) -> &'static str {
        "authority"
    }

    fn see(&mut self, facts: &Ledger, sight: &Sight) -> Result<(), String> {
        if !facts.terms.asks {
            return match sight {
                Sight::Asked(..) => Err("somebody is asked, and nobody is there".into()),
                _ => Ok(()),
            };
        }
        let (conn, done) = match sight {
            Sight::Asked(conn, question) => (conn, self.asked(facts, *conn, question)),
            Sight::Answered(conn, verdict) => (conn, self.answered(*conn, *verdict)),
            Sight::Reached(conn, seen) => (conn, self.reached(*conn, seen)),
            Sight::Left(conn, seen) => (conn, self.left(facts, *conn, seen)),
            Sight::Gone(conn, Ended::Broker) => (conn, self.gone(facts, *conn)),
            Sight::Finished => return self.finished(facts),
            _ => return Ok(()),
        };
        done.map_err(|what| format!("{}: {what}", facts.client_of(*conn).map_or("?", |client| facts.name(client))))
    }
}

impl Authority {
    fn asked(&mut self, facts: &Ledger, conn: ConnNo, question: &SeenQuestion) -> Result<(), String> {
        let client = facts.client_of(conn).ok_or("there is no such connection")?;
        let its = self.conns.entry(conn).or_default();
        if core::mem::replace(&mut its.waits, true) {
            return Err("it is asked about again while the first question is open".into());
        }
        let named = match question {
            SeenQuestion::Connect { name, user, password, .. } => {
                if core::mem::replace(&mut its.asked, true) || facts.connect_of(conn).is_none() {
                    return Err("it is asked about a CONNECT that it did not send".into());
                }
                let (known_user, known_password) = &facts.terms.introductions[client];
                if (user, password) != (known_user, known_password) {
                    return Err(format!(
                        "{user:?} {password:?} is asked about, {known_user:?} {known_password:?} came"
                    ));
                }
                name
            }
            SeenQuestion::Authenticate { name, again } => {
                let begins = its.allowed && !core::mem::replace(&mut its.renewing, its.allowed);
                if *again != begins {
                    return Err(format!("whether it authenticates anew is said to be {again}, and is {begins}"));
                }
                its.said = its.said.checked_sub(1).ok_or("it is asked about an AUTH that it did not send")?;
                name
            }
        };
        match named == facts.name(client) {
            true => Ok(()),
            false => Err(format!("{named} is asked about")),
        }
    }

    fn answered(&mut self, conn: ConnNo, verdict: SeenVerdict) -> Result<(), String> {
        let its = self.conns.entry(conn).or_default();
        its.waits = false;
        match verdict {
            SeenVerdict::Allow if its.allowed => (its.renewed, its.renewing) = (true, false),
            SeenVerdict::Allow => its.allowed = true,
            SeenVerdict::Continue => its.wanted = true,
            SeenVerdict::Refuse(reason) => its.refused = Some(reason),
        }
        Ok(())
    }

    fn reached(&mut self, conn: ConnNo, seen: &Seen) -> Result<(), String> {
        let its = self.conns.entry(conn).or_default();
        match seen {
            Seen::Auth { .. } => its.said += 1,
            Seen::Publish(publish) => {
                if let Some(id) = publish.id {
                    its.publishing.insert(id, publish.clone());
                }
            }
            Seen::Subscribe(wish) => {
                its.subscribing.insert(wish.id, wish.clone());
            }
            _ => {}
        }
        Ok(())
    }

    fn left(&mut self, facts: &Ledger, conn: ConnNo, seen: &Seen) -> Result<(), String> {
        let its = self.conns.entry(conn).or_default();
        let version = facts.connect_of(conn).map_or(ProtocolVersion::V5, |connect| connect.version);
        if let Some(refused) = its.refused.take() {
            return refusal(refused, version, its.allowed, seen);
        }
        match seen {
            Seen::Auth { reason: 0x18 } if core::mem::take(&mut its.wanted) => Ok(()),
            Seen::Auth { reason: 0 } if core::mem::take(&mut its.renewed) => Ok(()),
            Seen::Auth { reason } => Err(format!("it gets AUTH {reason:#x}, which nobody wanted [5:MQTT-4.12.0-2]")),
            Seen::Connack { accepted: false, .. } => Ok(()),
            _ if !its.allowed => Err(format!("it was not let in and gets {seen:?} [5:MQTT-3.1.4-2]")),
            Seen::Ack { kind: PacketType::Puback | PacketType::Pubrec, id, reason } => {
                its.acknowledged(facts, conn, *id, *reason, version)
            }
            Seen::Suback { id, codes } => its.granted(facts, conn, *id, codes.first().copied(), version),
            Seen::Disconnect { reason: TAKEN_OVER, .. } => is_taken_over(facts, conn),
            _ => Ok(()),
        }
    }

    /// The broker has ended it. Who is not let in does not take another one's Session.
    fn gone(&self, facts: &Ledger, conn: ConnNo) -> Result<(), String> {
        match self.conns.get(&conn) {
            Some(its) if its.refused.is_some() && facts.connect_of(conn).is_some_and(|it| it.version.is_v5()) => {
                Err("it was refused and never heard why [5:MQTT-4.12.0-4]".into())
            }
            _ => Ok(()),
        }
    }

    fn finished(&self, facts: &Ledger) -> Result<(), String> {
        for (conn, its) in &facts.conns {
            let entered = its.connect.is_some() && its.gone_us.is_none();
            let standing = self.conns.get(conn);
            if entered && standing.is_none_or(|its| !its.asked || its.waits || its.refused.is_some() || its.wanted) {
                return Err(format!("{}: its connection {conn} is left open: {standing:?}", facts.name(its.client)));
            }
        }
        Ok(())
    }
}

/// A no is told as a no, with its own code.
fn refusal(refused: u8, version: ProtocolVersion, was_in: bool, seen: &Seen) -> Result<(), String> {
    let told = match seen {
        Seen::Connack { accepted: false, reason, .. } if !was_in => *reason,
        Seen::Disconnect { reason, .. } if was_in && version.is_v5() => *reason,
        _ => return Err(format!("it was refused with {refused:#x} and gets {seen:?} [5:MQTT-4.12.0-4]")),
    };
    // The return codes of 3.1.1, table 3.1.
    let expected = match (version, refused) {
        (ProtocolVersion::V5, _) => refused,
        (_, 0x86) => 4,
        (_, 0x88) => 3,
        _ => 5,
    };
    match told == expected {
        true => Ok(()),
        false => Err(format!("it was refused with {refused:#x} and is told {told:#x}, not {expected:#x}")),
    }
}

/// Some other connection of the client was let in.
fn is_taken_over(facts: &Ledger, conn: ConnNo) -> Result<(), String> {
    let client = facts.client_of(conn);
    // Who came first may be let in last.
    let others = facts.conns.iter().filter(|(other, its)| **other != conn && Some(its.client) == client && its.entered);
    match others.count() {
        0 => Err("its Session is taken over by somebody who was not let in [5:MQTT-3.1.4-3]".into()),
        _ => Ok(()),
    }
}

impl Standing {
    fn acknowledged(
        &mut self,
        facts: &Ledger,
        conn: ConnNo,
        id: u16,
        reason: u8,
        version: ProtocolVersion,
    ) -> Result<(), String> {
        let (Some(publish), Some(client)) = (self.publishing.remove(&id), facts.client_of(conn)) else {
            return Ok(());
        };
        let may = facts.terms.may_publish(client, &publish.topic);
        // What can't be stored may be told first, and 3.x has no word for a no.
        match (may, reason) {
            (true, NOT_AUTHORIZED) => Err(format!("it may publish to {} and is told 0x87 (5.4.2)", publish.topic)),
            (false, ..0x80) if version.is_v5() => {
                Err(format!("it may not publish to {} and is told {reason:#x} (5.4.2)", publish.topic))
            }
            _ => Ok(()),
        }
    }

    fn granted(
        &mut self,
        facts: &Ledger,
        conn: ConnNo,
        id: u16,
        code: Option<u8>,
        version: ProtocolVersion,
    ) -> Result<(), String> {
        let (Some(wish), Some(client)) = (self.subscribing.remove(&id), facts.client_of(conn)) else {
            return Ok(());
        };
        let code = code.ok_or("SUBACK has no code")?;
        let may = facts.terms.may_subscribe(client, without_share(&wish.filter));
        let refusal = match version {
            ProtocolVersion::V5 => NOT_AUTHORIZED,
            ProtocolVersion::V3_1_1 => 0x80,
            // 3.1 has no code for a no.
            ProtocolVersion::V3_1 => wish.qos as u8,
        };
        let filter = &wish.filter;
        match may {
            false if code != refusal => Err(format!("it may not subscribe to {filter} and is told {code:#x} (5.4.2)")),
            true if code == NOT_AUTHORIZED => Err(format!("it may subscribe to {filter} and is told 0x87 (5.4.2)")),
            true if code < 0x80 && code != wish.qos as u8 => {
                Err(format!("it asked for QoS {} of {filter} and is given {code}", wish.qos as u8))
            }
            _ => Ok(()),
        }
    }
}
