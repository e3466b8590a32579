//! What was known at a position of the log is told alike for ever (I25): of units, folded as of then, and
//! of balances of goods without codes, which were told as they stood when the log ended there.

use super::{
    SimulateError,
    run::{Run, Stop},
};
use crate::{
    app::Internal,
    findings,
    log::head_in,
    stock::{
        lots_store::{lots, lots_then},
        wire::{LotBalance, LotQuery},
    },
};
use std::collections::BTreeSet;
use suyuan_sync::{
    fold::{Reader, visible},
    ids::Gseq,
    invariants::i25_as_known_then_never_changes as i25,
    unit::UnitKey,
};
use uuid::Uuid;

/// Units that are asked about at a look, to be asked about again.
const ASKED: usize = 6;
/// What is remembered of these, and of pages of balances.
const KNOWN_MAX: usize = 60;
/// Most lines of an enterprise that are looked at.
const LINES: u64 = 500;

/// An enterprise's balances as they were told when the log ended at a position.
pub(super) type Balances = (Uuid, Gseq, Vec<LotBalance>);

impl Run {
    /// I25: what was told as known at a position is told alike ever after; and some more is asked, to
    /// be told alike from now on.
    pub(super) async fn the_past_stays(&mut self) -> Result<(), Stop> {
        self.balances_stay().await?;
        let state = self.node()?.state.clone();
        for (key, at, told) in &self.known {
            let again = known_then(&state, key, *at).await?;
            i25(key.as_str(), *at, told, &again)?;
        }
        let (head, _) = state.log.head().await?;
        let keys: Vec<UnitKey> = self.units.keys().cloned().collect();
        for _ in 0..ASKED.min(keys.len()) {
            let Some(key) = self.dice.pick(&keys) else {
                break;
            };
            let told = known_then(&state, key, head).await?;
            self.known.push((key.clone(), head, told));
        }
        let surplus = self.known.len().saturating_sub(KNOWN_MAX);
        self.known.drain(..surplus);
        Ok(())
    }

    /// The same of balances.
    async fn balances_stay(&mut self) -> Result<(), Stop> {
        let state = self.node()?.state.clone();
        let snapshot = state.db.begin_reading().await?;
        let (head, _) = head_in(&snapshot).await?;
        let all = LotQuery::default();
        for (whose, at, told) in &self.known_lots {
            let again = if *at == head {
                lots(&snapshot, *whose, &all, LINES).await?
            } else {
                let then = lots_then(&snapshot, *whose, &all, LINES, *at).await;
                then.map_err(|error| SimulateError::World(format!("{error}, at {at}")))?
            };
            i25(&format!("balances of {whose}"), *at, told, &again)?;
        }
        let places = self.told.1.places.values();
        let whose: BTreeSet<Uuid> = places.map(|place| place.enterprise.0).collect();
        for whose in whose {
            let told = lots(&snapshot, whose, &all, LINES).await?;
            self.known_lots.push((whose, head, told));
        }
        let surplus = self.known_lots.len().saturating_sub(KNOWN_MAX);
        self.known_lots.drain(..surplus);
        Ok(())
    }
}

/// What is told of a unit as it was known at a position.
async fn known_then(state: &Internal, key: &UnitKey, at: Gseq) -> Result<String, SimulateError> {
    let mut snapshot = state.handheld.reading.begin(&state.db).await?;
    let looked = snapshot.unit(key, at).await?;
    let found = match looked.id {
        Some(id) => findings::store::of_unit(snapshot.tx(), id, at).await?,
        None => Vec::new(),
    };
    let folded = &looked.folded;
    let shared: BTreeSet<&str> = folded
        .shared
        .iter()
        .map(|found| found.code.name())
        .collect();
    let view = visible(&folded.state, &folded.steps, Reader::All);
    let found = serde_json::to_string(&found)?;
    Ok(format!("{view:?}\n    {shared:?}\n    {found}"))
}
