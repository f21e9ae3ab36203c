//! Any list of inputs: clients that are right and wrong, a driver that lies. After every input all invariants hold, and
//! at any time a saved broker is the one that was saved.

use crate::world::World;

/// Lets a world happen.
pub fn run(bytes: &[u8]) {
    let mut world = World::new(bytes, false);
    world.run();
    assert_eq!(world.broker.check(), Ok(()));
}
