//! What became of a unit: a pure fold over the facts about it (sync.md section 6).

mod state;

pub use state::{Folded, Phase, Place, Step, UnitState};
