//! Goods without codes of their own: a balance per product, lot and place (C11).
//!
//! An event says by how much a line changes ([`changes`]); a [`Line`] adds that up in the total
//! order. A balance below zero cannot be true: it is found with its interval and never rewritten,
//! until the missing event comes in. In-order movements are appended at constant cost; a late one
//! folds the line again from its movements.
//!
//! What went is held against what is on record of its batch: expiry and recalls ([`judged()`]). That is
//! no part of a line, since no balance depends on it.
//!
//! It must not know units; goods of a lot inside a container move with it by [`carried()`], which tells
//! a line as well how many of it lie in containers there: no count of what lies loose misses those.

mod carried;
mod change;
mod judged;
mod line;
mod lines;
mod reached;
mod tally;

pub use carried::carried;
pub use change::{Change, Movement, Moves, changes, named, releases};
pub use judged::{CODES, all_judged, batch_of, is_judged, judged, product_of, takes_away};
pub use line::{Below, Difference, Line, balance, unsaid};
pub use lines::{in_order, lines, movements, stated};
pub use reached::{Legs, Reached, legs};
pub use tally::{Tally, tally};

#[cfg(test)]
mod tests;
