//! The reach of a recall (I17): where every unit it covers is now. Each is exactly one of: located at
//! a place, on its way, sold, collected, destroyed, or not accounted for; the sums match.
//!
//! All is read on one snapshot, and in sets: what was commissioned comes from the ranges and lists of
//! codes as bitmaps, what happened to units from their rows batch by batch, and those inside
//! containers share what became of these. A unit that was commissioned and never seen since costs
//! nothing. `rules` says what a state counts as, `scope_store` reads what is
//! covered, `rows_store` units, `sum` adds up. Of goods without codes `lots_store` tells what came and what
//! became of it.

mod lots_store;
mod rows_store;
pub mod rules;
mod scope_store;
mod store;
mod sum;
pub mod wire;

use super::{RecallError, store::row};
use crate::{app::Internal, handheld::world::WorldError};
use uuid::Uuid;
use wire::ReachOut;

/// Where the units of a recall are now.
pub async fn reach(
    state: &Internal,
    enterprise: Uuid,
    recall: Uuid,
) -> Result<ReachOut, RecallError> {
    let mut snapshot = state.handheld.reading.begin_heavy(&state.db).await?;
    row(snapshot.tx(), enterprise, recall).await?;
    let scope = scope_store::Scope::read(snapshot.tx(), enterprise, recall).await?;
    let mut sum = sum::Sum::of(scope);
    sum.add_rows(&mut snapshot, enterprise).await?;
    let lots = lots_store::lots(snapshot.tx(), enterprise, &sum.scope).await?;
    let sales = store::sales(snapshot.tx(), enterprise, recall, &lots).await?;
    let pending = store::pending(snapshot.tx(), enterprise, recall).await?;
    let mut out = sum.told(recall, snapshot.position);
    (out.sales, out.pending) = (sales, pending);
    (out.lots, out.lot_totals) = (lots.lines, lots.totals);
    Ok(out)
}

impl From<WorldError> for RecallError {
    fn from(error: WorldError) -> RecallError {
        match error {
            WorldError::Db(error) => error.into(),
            error @ (WorldError::Key(_) | WorldError::Stored(_)) => {
                sea_orm::DbErr::Custom(error.to_string()).into()
            }
        }
    }
}
