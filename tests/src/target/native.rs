//! The core in this process: no guest, no socket. The fastest target, and the one where a debugger sees everything.

use wasmqtt_broker::{Broker, Config, ConnectionId, Input, Lsn, Record, Seed, Time};
use wasmqtt_sim::{Scenario, Target, TargetError};

use super::driver::{Core, Driver, Turn};

/// What all stories draw their luck from.
pub const SEED: Seed = Seed(*b"wasmqtt scenario");

/// The core as a value in this process.
pub struct Native {
    config: Config,
    broker: Broker,
}

impl Native {
    /// A broker that has seen nothing yet.
    pub fn new(config: Config) -> Self {
        Native { broker: Broker::new(config.clone(), SEED), config }
    }

    /// The broker itself.
    pub fn broker(&self) -> Broker {
        self.broker.clone()
    }
}

/// The target for a story.
pub fn target(scenario: &Scenario) -> Result<Box<dyn Target>, TargetError> {
    Ok(Box::new(driver(scenario)))
}

/// The target for a story, saved and loaded behind every turn.
pub fn swapping(scenario: &Scenario) -> Result<Box<dyn Target>, TargetError> {
    Ok(Box::new(Driver::swapping(Native::new(scenario.config.clone()))))
}

/// The same with its type, for tests that look further.
pub fn driver(scenario: &Scenario) -> Driver<Native> {
    Driver::new(Native::new(scenario.config.clone()))
}

impl Core for Native {
    fn turn(&mut self, now: Time, inputs: Vec<Input>) -> Result<Turn, TargetError> {
        let broker = &mut self.broker;
        for input in inputs {
            broker.handle(now, input);
        }
        let outputs = std::iter::from_fn(|| broker.poll()).collect();
        let ready = broker.ready().collect();
        Ok(Turn { outputs, ready })
    }

    fn outgoing(&self, conn: ConnectionId) -> Vec<u8> {
        self.broker.outgoing(conn).flatten().copied().collect()
    }

    fn deadline(&self) -> Option<Time> {
        self.broker.deadline()
    }

    fn restore(&mut self, log: Vec<(Lsn, Record)>) -> Result<(), TargetError> {
        let restored = Broker::restore(self.config.clone(), SEED, log.into_iter());
        self.broker = restored.map_err(|error| TargetError::Broken(format!("restore: {error:?}")))?;
        Ok(())
    }

    fn swap(&mut self) -> Result<(), TargetError> {
        let mut saved = Vec::new();
        self.broker.save(&mut saved);
        let digest = self.broker.digest();
        let loaded = Broker::load(&saved).map_err(|error| TargetError::Broken(format!("load: {error:?}")))?;
        if loaded.digest() != digest {
            return Err(TargetError::Broken("what was loaded has another digest than what was saved".into()));
        }
        self.broker = loaded;
        Ok(())
    }
}

/// Whether the log of a story and the records that its broker would write anew restore the same state, and whether
/// that state writes the same records again.
pub fn check_restore(driver: &Driver<Native>, config: &Config) -> Result<(), TargetError> {
    let restore = |log: Vec<(Lsn, Record)>| {
        let restored = Broker::restore(config.clone(), SEED, log.into_iter());
        let mut broker = restored.map_err(|error| TargetError::Broken(format!("restore: {error:?}")))?;
        broker.handle(driver.now(), Input::Tick);
        while broker.poll().is_some() {}
        // How many numbers were given out is not the same: those of what ended with its connection are in no log.
        Ok(broker.records().filter(|record| !matches!(record, Record::Used { .. })).collect::<Vec<Record>>())
    };
    let numbered = |records: &[Record]| (1..).map(Lsn).zip(records.iter().cloned()).collect::<Vec<_>>();
    let live: Vec<Record> = driver.core().broker().records().collect();
    let from_log = restore(driver.log())?;
    let from_live = restore(numbered(&live))?;
    let again = restore(numbered(&from_log))?;
    let differ = |what: &str, other: &[Record]| {
        TargetError::Broken(format!("the log restores other records than {what}\n{from_log:#?}\n{other:#?}"))
    };
    if again != from_log {
        return Err(differ("the records of what it restored", &again));
    }
    // What was never stored is in the broker and not in the log.
    if driver.is_stored() && from_live != from_log {
        return Err(differ("the records of the broker itself", &from_live));
    }
    Ok(())
}
