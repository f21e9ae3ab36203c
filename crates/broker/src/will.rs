//! The Will Message (3.1.2.5): published when a client goes without saying goodbye, after its delay or when its Session
//! ends, whichever comes first.

use crate::broker::Broker;
use crate::error::Refusal;
use crate::record::Record;
use crate::route::Matches;

impl Broker {
    /// The Will Delay Interval of a Session has passed.
    pub(crate) fn will_due(&mut self, session: u32) {
        self.sessions[session].will_timer = None;
        self.publish_will(session);
    }

    /// Publishes the Will of a Session, if it has one, and removes it [5:MQTT-3.1.2-10] [311:MQTT-3.1.2-10].
    pub(crate) fn publish_will(&mut self, session: u32) {
        let Some(will) = self.replace_will(session, None) else { return };
        let state = &mut self.sessions[session];
        let (timer, logged, number) = (state.will_timer.take(), state.logged, state.number);
        state.will_at = None;
        self.timers.cancel(timer);
        let mut message = will.message;
        message.expires_at = will.expiry_s.map(|interval_s| self.now.plus_expiry(interval_s));
        let access = self.sessions[session].access.as_deref().unwrap_or(&self.access);
        if !access.may_publish(&message.topic) {
            self.counters.publishes_refused += 1;
            self.will_taken(logged, number);
            return self.event_limit(session, Refusal::NotAuthorized);
        }
        // [5:MQTT-3.1.2-14] [5:MQTT-3.1.2-15] [311:MQTT-3.1.2-16] [311:MQTT-3.1.2-17]
        let mut retains = message.retain;
        if retains && let Err(refusal) = self.may_retain(&message.outgoing()) {
            self.counters.retained_refused += 1;
            self.event_limit(session, refusal);
            retains = false;
        }
        let mut matches = Matches::default();
        self.matches(&message.topic, Some(session), &mut matches);
        self.publish_message(&mut message.outgoing(), Some(session), None, retains, &matches);
        // After the message: a log cut between the two publishes the Will twice rather than never.
        self.will_taken(logged, number);
    }

    fn will_taken(&mut self, logged: bool, session: u64) {
        if logged {
            self.append(Record::WillTaken { session });
        }
    }
}
