//! When two brokers are the same: what must come out of a log, and out of a broker that was saved and loaded.

use std::collections::BTreeSet;

use wasmqtt_broker::{Broker, Record, Time};

/// The same broker in a fresh program: saved and loaded.
///
/// # Panics
/// If it isn't the same.
#[must_use]
pub fn swapped(broker: &Broker) -> Broker {
    let mut saved = Vec::new();
    broker.save(&mut saved);
    let loaded = Broker::load(&saved).expect("what was saved can be loaded");
    assert_eq!(loaded.digest(), broker.digest(), "a loaded broker is the one that was saved");
    assert_eq!(loaded.check(), Ok(()));
    loaded
}

/// Compares durable state, without regard to what a restart may change: the order of Sessions, numbers that were used
/// for nothing durable, Retained Messages whose time is over, and share groups that were left by all and joined again,
/// which count as new ones in a running broker and as the same after a restart.
///
/// # Panics
/// If they differ.
pub fn assert_same(one: &Broker, other: &Broker, now: Time, why: &str) {
    let fact = |mut record: Record| {
        if let Record::Owed { done, .. } = &mut record {
            // What a walk passed over without a message stands in no log.
            done.clear();
        }
        if let Record::Published(stored) = &mut record {
            stored.queued_for.iter_mut().for_each(|entry| entry.share = None);
            stored.queued_for.sort_by_key(|entry| (entry.session, entry.sequence));
            stored.retained &= stored.message.expires_at.is_none_or(|at| at > now);
            if !stored.retained && stored.queued_for.is_empty() {
                return None;
            }
        }
        // As they are encoded they can be compared fast; to be read, those that differ are decoded.
        let encoded = || postcard::to_allocvec(&record).expect("a record can be written to memory");
        (!matches!(record, Record::Used { .. })).then(encoded)
    };
    let facts = |broker: &Broker| -> BTreeSet<Vec<u8>> { broker.records().filter_map(fact).collect() };
    let (one, other) = (facts(one), facts(other));
    let differences: Vec<postcard::Result<Record>> =
        one.symmetric_difference(&other).map(|record| postcard::from_bytes(record)).collect();
    assert!(differences.is_empty(), "{why}: {differences:#?}");
}
