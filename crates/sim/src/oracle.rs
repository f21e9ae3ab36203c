//! Oracles: what must always hold, judged from outside. Each has a file of its own and sees nothing but [`Sight`]s and
//! the facts that a [`Ledger`] keeps of them; none looks into the broker. An oracle says nothing unless it is certain:
//! where a crash or a lost acknowledgement leaves two outcomes open, both are right.

mod authority;
mod bounded;
mod bridges;
mod expiry;
mod facts;
mod goodbye;
mod ledger;
mod milestone;
mod order;
mod packet_size;
mod qos;
mod receive_maximum;
mod retained;
mod retained_limit;
mod sessions;
mod shared;
mod subscriptions;
mod terms;
mod wills;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::sight::Sight;

pub use ledger::Ledger;
pub use terms::Terms;

/// What an oracle holds against the broker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Objection {
    /// Which oracle.
    pub oracle: &'static str,
    /// When, in microseconds from the beginning.
    pub at_us: u64,
    /// What, with the statement that is broken.
    pub what: String,
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} objects at {:.6} s: {}", self.oracle, self.at_us as f64 / 1e6, self.what)
    }
}

/// One thing that must hold.
trait Oracle {
    /// Its name.
    fn name(&self) -> &'static str;
    /// Sees something that the ledger has noted already; an error is an objection.
    fn see(&mut self, facts: &Ledger, sight: &Sight) -> Result<(), String>;
}

/// All oracles, and the facts that they share.
pub struct Judge {
    ledger: Ledger,
    oracles: Vec<Box<dyn Oracle>>,
}

impl Judge {
    /// A judge who has seen nothing.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Judge {
            ledger: Ledger::new(terms),
            oracles: vec![
                Box::new(subscriptions::Subscriptions),
                Box::new(sessions::Sessions::default()),
                Box::new(qos::Qualities::default()),
                Box::new(order::Order::default()),
                Box::new(receive_maximum::ReceiveMaximum::default()),
                Box::new(retained::Retained::default()),
                Box::new(wills::Wills::default()),
                Box::new(expiry::Expiry),
                Box::new(shared::Shared::default()),
                Box::new(retained_limit::RetainedLimit::default()),
                Box::new(authority::Authority::default()),
                Box::new(bridges::Bridges::default()),
                Box::new(packet_size::PacketSize),
                Box::new(goodbye::Goodbye::default()),
                Box::new(bounded::Bounded::default()),
            ],
        }
    }

    /// Sees something; gives the first objection to it.
    pub fn see(&mut self, now_us: u64, sight: &Sight) -> Option<Objection> {
        self.ledger.note(now_us, sight);
        let ledger = &self.ledger;
        self.oracles.iter_mut().find_map(|oracle| {
            let name = oracle.name();
            oracle.see(ledger, sight).err().map(|what| Objection { oracle: name, at_us: now_us, what })
        })
    }
}

/// Whether a Topic Filter without `$share` matches a Topic Name (4.7), as plainly as it can be said.
#[must_use]
pub fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false; // [5:MQTT-4.7.2-1]
    }
    let mut levels = topic.split('/');
    for wanted in filter.split('/') {
        match (wanted, levels.next()) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (wanted, Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

/// Whether a Topic Filter matches everything that another one does.
#[must_use]
pub fn covers(rule: &str, filter: &str) -> bool {
    if filter.starts_with('$') && rule.starts_with(['+', '#']) {
        return false; // [5:MQTT-4.7.2-1]
    }
    let (mut rule, mut filter) = (rule.split('/'), filter.split('/'));
    loop {
        match (rule.next(), filter.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(level)) if level != "#" => {}
            (Some(own), Some(level)) if own == level => {}
            _ => return false,
        }
    }
}
