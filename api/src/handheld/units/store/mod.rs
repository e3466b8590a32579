//! All SQL about units. Reads and writes go in sets: [`units`](units()) and what containers hold, the
//! facts that are about a unit, which of them are struck, complete counts, what was found, and what strangers claim.

mod claims;
mod corrected;
mod facts;
mod findings;
mod since;
mod struck;
mod sweeps;
mod units;

pub use claims::write_claims;
pub use corrected::{Grouped, Life, grouped, groups_of, with_retracts, write_corrected};
pub use facts::{
    Member, NOW, TEXT_MAX, by_event_id, by_group, by_position, by_position_then, eff_then, facts,
    first_of, in_parts, members_of, moved, named, outlines, retracts_of, write_event_units,
    write_targets,
};
pub use findings::{
    Aside, Changed, Opened, open_of_events, open_of_units, rewrite_aside, write_aside,
    write_changed, write_closed, write_issuers, write_opened,
};
pub use since::{Came, Most, any_written_after, came};
pub use struck::{Asked, Naming, retracts_naming, struck, target_of};
pub use sweeps::{is_complete_count, is_sweep, more_sweeps, sweeps, write_sweeps};
pub use units::{
    Emptied, Sized, UnitRow, UnitWrite, add_contents, contents, exceptional_in, leave, left_after,
    sharing_in, sizes, take_up, unit_row, units, units_within, write_units,
};

use sea_orm::DbErr;

/// A unit's number.
pub type UnitId = i64;

/// How an event is about a unit: it names it. Of several the least is told of a pair.
pub const NAMED: i64 = 0;
/// It names it as container.
pub const CONTAINER: i64 = 1;
/// It strikes an event about it.
pub const STRIKES: i64 = 2;
/// It decides whether a correction counts.
pub const DECIDES: i64 = 3;

fn json(value: &impl serde::Serialize) -> Result<String, DbErr> {
    serde_json::to_string(value).map_err(|error| DbErr::Json(error.to_string()))
}
