//! The device's outbox, sync.md section 8: the rules one by one, what must hold under any faults,
//! and the traces that the browser's outbox is held to.

mod driver;
mod properties;
mod refused;
mod rules;
mod traces;
mod turned;
#[path = "../admission/world.rs"]
#[allow(dead_code)]
mod world;
