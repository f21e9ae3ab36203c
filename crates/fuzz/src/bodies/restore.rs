//! The log: a driver keeps what it is told to keep, and at any time what it kept, and the shortest log that says the
//! same, give the state that wrote them.

use crate::world::World;

/// Lets a world happen, and then crash.
pub fn run(bytes: &[u8]) {
    let mut world = World::new(bytes, true);
    world.run();
    world.restart();
}
