//! An honest publisher and its honest subscriber: what one sent and the other received, message by message.

use wasmqtt_codec::Qos;

/// Two clients and what went between them.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Link of the publisher; the subscriber's is the next one.
    pub publisher: u32,
    /// Quality of all their messages.
    pub qos: Qos,
    /// Whether both go and come again, with a Session that stays.
    pub is_volatile: bool,
    /// Whether the Subscription stands; before that nothing is sent.
    pub is_ready: bool,
    /// Messages sent: the next sequence number.
    pub sent: u64,
    /// The sequence number that is due.
    pub due: u64,
    /// Messages that did not come though later ones did; QoS 0 may.
    pub missed: u64,
    /// QoS 1 that came again.
    pub duplicates: u64,
}

impl Pair {
    /// Clients that have sent nothing.
    #[must_use]
    pub fn new(publisher: u32, qos: Qos, is_volatile: bool) -> Self {
        Pair { publisher, qos, is_volatile, is_ready: false, sent: 0, due: 0, missed: 0, duplicates: 0 }
    }

    /// The subscriber's link.
    #[must_use]
    pub fn subscriber(&self) -> u32 {
        self.publisher + 1
    }

    /// A message came.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn received(&mut self, sequence: u64) -> Result<(), String> {
        let due = self.due;
        if sequence >= self.sent {
            return Err(format!("message {sequence} came, which nobody sent"));
        }
        match (self.qos, sequence.cmp(&due)) {
            (_, std::cmp::Ordering::Equal) => {}
            (Qos::AtMostOnce, std::cmp::Ordering::Greater) => self.missed += sequence - due,
            (Qos::AtLeastOnce, std::cmp::Ordering::Less) => {
                self.duplicates += 1;
                return Ok(());
            }
            (Qos::AtMostOnce | Qos::ExactlyOnce, std::cmp::Ordering::Less) => {
                return Err(format!(
                    "message {sequence} of {:?} came where {due} was due: twice, or too late",
                    self.qos
                ));
            }
            (Qos::AtLeastOnce | Qos::ExactlyOnce, std::cmp::Ordering::Greater) => {
                // What follows is judged by itself.
                self.missed += sequence - due;
                self.due = sequence + 1;
                return Err(format!(
                    "message {sequence} of {:?} came where {due} was due: lost, or overtaken",
                    self.qos
                ));
            }
        }
        self.due = sequence + 1;
        Ok(())
    }

    /// Whether everything that must come has come.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.qos == Qos::AtMostOnce || self.due == self.sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of these are right, for a pair that has sent ten.
    fn right(qos: Qos, sequences: &[u64]) -> (Vec<bool>, Pair) {
        let mut pair = Pair { sent: 10, ..Pair::new(0, qos, false) };
        (sequences.iter().map(|&sequence| pair.received(sequence).is_ok()).collect(), pair)
    }

    #[test]
    fn what_each_qos_allows() {
        let (verdicts, pair) = right(Qos::AtMostOnce, &[0, 3, 3, 4]);
        assert_eq!((verdicts, pair.missed), (vec![true, true, false, true], 2));
        let (verdicts, pair) = right(Qos::AtLeastOnce, &[0, 1, 0, 1, 2, 4]);
        assert_eq!((verdicts, pair.duplicates), (vec![true, true, true, true, true, false], 2));
        let (verdicts, _) = right(Qos::ExactlyOnce, &[0, 1, 1, 2, 4, 10]);
        assert_eq!(verdicts, [true, true, false, true, false, false]);
    }

    #[test]
    fn only_qos_0_is_settled_without_all_of_it() {
        assert!(right(Qos::AtMostOnce, &[0]).1.is_settled());
        assert!(!right(Qos::AtLeastOnce, &[0]).1.is_settled());
        assert!(right(Qos::ExactlyOnce, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).1.is_settled());
    }
}
