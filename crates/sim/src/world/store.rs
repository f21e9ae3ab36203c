//! The log of the World: records wait until they are stored, a crash forgets those that wait, and for a while storing
//! may be slow or fail.

use wasmqtt_broker::{Input, Lsn, Record, Storage};

use super::{Job, World};
use crate::sight::Sight;

/// The log.
#[derive(Clone, Debug)]
pub struct Store {
    log: Vec<(Lsn, Record)>,
    /// How many of them are on stable storage.
    stored: usize,
    /// The last record that the broker wrote.
    last: Lsn,
    habit_us: u64,
    slow: Option<(u64, u64)>,
    failing: bool,
    /// The next records fail once, all but this many of a hundred.
    hiccup: Option<usize>,
    /// Records that came in this turn.
    fresh: bool,
    /// When what waits is stored: the last record, and whether its time has come.
    pending: Vec<(u64, Lsn)>,
}

impl Store {
    /// An empty log that takes this long for a record, in microseconds.
    #[must_use]
    pub fn new(habit_us: u64) -> Self {
        Store {
            log: Vec::new(),
            stored: 0,
            last: Lsn(0),
            habit_us,
            slow: None,
            failing: false,
            hiccup: None,
            fresh: false,
            pending: Vec::new(),
        }
    }

    /// Each record takes longer until then.
    pub fn slow(&mut self, store_us: u64, until_us: u64) {
        self.slow = Some((store_us, until_us));
    }

    /// Nothing is slow any more.
    pub fn heal(&mut self) {
        (self.slow, self.hiccup) = (None, None);
        self.habit_us = self.habit_us.min(1_000);
    }

    /// The last record.
    #[must_use]
    pub fn last(&self) -> Lsn {
        self.last
    }

    /// Forgets what was not stored and gives the rest. Of what was on its way, the first part is there although nobody
    /// was told so.
    pub fn crash(&mut self, survive_percent: usize) -> Vec<(Lsn, Record)> {
        if !self.failing {
            self.stored += (self.log.len() - self.stored) * survive_percent / 100;
        }
        self.log.truncate(self.stored);
        self.last = self.log.last().map_or(Lsn(0), |(lsn, _)| *lsn);
        self.pending.clear();
        (self.failing, self.fresh, self.hiccup) = (false, false, None);
        self.log.clone()
    }

    /// Writes the whole log anew.
    pub fn rewrite(&mut self, last: Lsn, records: impl Iterator<Item = Record>) {
        self.log = records.map(|record| (last, record)).collect();
        self.stored = self.log.len();
        self.last = last;
        self.pending.clear();
        self.fresh = false;
    }

    fn delay_us(&self, now_us: u64) -> u64 {
        self.slow.filter(|(_, until_us)| now_us < *until_us).map_or(self.habit_us, |(store_us, _)| store_us)
    }
}

impl World<'_> {
    pub(super) fn append(&mut self, lsn: Lsn, record: Record) {
        self.store.last = lsn;
        self.store.fresh = true;
        self.store.log.push((lsn, record));
    }

    /// What is stored at once is stored now, what fails fails now, and what takes time is put into the list. Whether
    /// the broker was told anything.
    pub(super) fn settle_store(&mut self) -> bool {
        if !core::mem::take(&mut self.store.fresh) {
            return false;
        }
        if self.store.failing {
            let from = self.store.log[self.store.stored].0;
            self.store.log.truncate(self.store.stored);
            self.input(Input::StoreFailed { from });
            return true;
        }
        if let Some(stored_percent) = self.store.hiccup.take() {
            self.store_hiccups(stored_percent);
            return true;
        }
        let delay_us = self.store.delay_us(self.now_us);
        if delay_us == 0 && self.store.pending.is_empty() {
            self.store.stored = self.store.log.len();
            self.store_input(self.store.last);
            return true;
        }
        let at_us = self.now_us + delay_us;
        self.store.pending.push((at_us, self.store.last));
        self.later(at_us, Job::Stored);
        false
    }

    /// Some of what waits is stored.
    pub(super) fn stored(&mut self) {
        let now_us = self.now_us;
        let due = self.store.pending.iter().filter(|(at_us, _)| *at_us <= now_us).map(|(_, lsn)| *lsn).max();
        let Some(upto) = due else { return };
        self.store.pending.retain(|(_, lsn)| *lsn > upto);
        self.store.stored = self.store.log.partition_point(|(lsn, _)| *lsn <= upto);
        self.store_input(upto);
    }

    /// What waits and what comes fails for a while. Whether it could fail at all.
    pub(super) fn store_fails(&mut self, for_us: u64) -> bool {
        if self.plan.config.storage == Storage::Memory || self.store.failing || self.healed {
            return false;
        }
        self.see(Sight::Storing(false));
        self.store.failing = true;
        self.store.pending.clear();
        self.store.fresh = false;
        let first = self.store.log.get(self.store.stored).map(|(lsn, _)| *lsn);
        self.store.log.truncate(self.store.stored);
        self.input(Input::StoreFailed { from: first.unwrap_or(Lsn(self.store.last.0 + 1)) });
        self.later(self.now_us + for_us, Job::StoreWorks);
        true
    }

    /// The next records are stored in part, fail behind that, and are written anew at once. Whether that is possible.
    pub(super) fn hiccup_next(&mut self, stored_percent: usize) -> bool {
        if self.plan.config.storage == Storage::Memory || self.store.failing || self.healed {
            return false;
        }
        self.store.hiccup = Some(stored_percent);
        true
    }

    fn store_hiccups(&mut self, stored_percent: usize) {
        let store = &mut self.store;
        let stored = (store.log.len() - store.stored) * stored_percent / 100;
        store.stored += stored;
        let upto = (stored > 0).then(|| store.log[store.stored - 1].0);
        let from = store.log.get(store.stored).map_or(Lsn(store.last.0 + 1), |(lsn, _)| *lsn);
        store.log.truncate(store.stored);
        store.pending.clear();
        store.failing = true;
        if let Some(upto) = upto {
            self.store_input(upto);
        }
        self.see(Sight::Storing(false));
        self.input(Input::StoreFailed { from });
        self.store_works();
    }

    /// Storing works again: the log has a gap and is written anew.
    pub(super) fn store_works(&mut self) {
        if !core::mem::take(&mut self.store.failing) {
            return;
        }
        // What the broker has appended and the store has not heard of is in the new log too.
        while let Some(output) = self.broker.poll() {
            self.output(output);
        }
        let last = self.store.last;
        self.store.rewrite(last, self.broker.records());
        self.see(Sight::Storing(true));
        self.store_input(last);
    }
}
