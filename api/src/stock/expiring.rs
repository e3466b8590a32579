//! Goods past or near the end of their shelf life (保质期预警): of what is at places now, the lines whose batch
//! expires soon, units first and then goods without codes of their own.
//!
//! It goes through what is there, page by page as stock is told, and not through batches, of which there
//! are ever more that expired. When a batch expires, and which one goods of a lot belong to, is what is on
//! record; it must not know SQL.

use super::{
    StockError,
    lines::{After, LINES_MAX},
    lots_store, rules, store,
    wire::{ExpiringLine, ExpiringPage, LotQuery},
};
use crate::{
    clock::{Micros, day_of},
    handheld::units::read::Snapshot,
    http::page,
};
use std::{collections::BTreeSet, fmt};
use suyuan_sync::{
    facts::BatchInfo,
    finding::LotKey,
    ids::{BatchId, EnterpriseId, LocationId},
    lots::batch_of,
};
use uuid::Uuid;

/// Where a list goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GoesOn {
    /// With units, after a place or a line of stock.
    Units(After),
    /// With goods without codes, after a line.
    Lots(i64),
}

impl GoesOn {
    /// As [`GoesOn`] is written.
    pub fn of(text: &str) -> Option<GoesOn> {
        match text.strip_prefix("lots.") {
            Some(line) => {
                let line = line.parse().ok().filter(|line: &i64| *line >= 0);
                line.map(GoesOn::Lots)
            }
            None => After::of(text).map(GoesOn::Units),
        }
    }
}

impl fmt::Display for GoesOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GoesOn::Units(after) => write!(f, "{after}"),
            GoesOn::Lots(line) => write!(f, "lots.{line}"),
        }
    }
}

/// What is asked for.
pub struct Asked {
    /// Whose places.
    pub enterprise: Uuid,
    /// Only this one.
    pub place: Option<Uuid>,
    /// How many places a page has.
    pub limit: u64,
    /// Where the page before ended.
    pub after: Option<GoesOn>,
    /// How many days before its end goods are warned of.
    pub days: u32,
    /// When.
    pub now: Micros,
}

/// A page of what expires soon or has expired.
pub async fn page(snapshot: &Snapshot, asked: &Asked) -> Result<ExpiringPage, StockError> {
    let mut items = Vec::new();
    let mut next = match &asked.after {
        Some(GoesOn::Lots(_)) => None,
        Some(GoesOn::Units(after)) => units(snapshot, asked, Some(after), &mut items).await?,
        None => units(snapshot, asked, None, &mut items).await?,
    };
    if next.is_none() {
        next = lots(snapshot, asked, &mut items).await?;
    }
    Ok(ExpiringPage {
        position: snapshot.position,
        items,
        next: next.map(|next| next.to_string()),
    })
}

/// Units in stock; where they go on.
async fn units(
    snapshot: &Snapshot,
    asked: &Asked,
    after: Option<&After>,
    items: &mut Vec<ExpiringLine>,
) -> Result<Option<GoesOn>, StockError> {
    let (conn, whose) = (snapshot.tx(), asked.enterprise);
    let places = store::places(conn, whose, asked.place, after, asked.limit).await?;
    let (stock, goes_on) = store::stock(conn, whose, (&places, &[]), None, after).await?;
    for place in stock {
        for line in place.lines {
            let due = line
                .batch_id
                .and_then(|batch| due(snapshot, asked, BatchId(batch)));
            let Some((batch, info, expires_at)) = due else {
                continue;
            };
            if line.on_hand + line.returned > 0 {
                items.push(ExpiringLine {
                    location_id: place.location_id,
                    kind: Some(line.kind),
                    on_hand: line.on_hand,
                    returned: line.returned,
                    ..told(batch, info, expires_at, asked.now)
                });
            }
        }
    }
    Ok(match goes_on {
        Some(line) => Some(GoesOn::Units(After::Line(line))),
        None => page::next(&places, asked.limit, |place| {
            GoesOn::Units(After::Place(*place))
        }),
    })
}

/// Goods without codes of their own; where they go on.
async fn lots(
    snapshot: &Snapshot,
    asked: &Asked,
    items: &mut Vec<ExpiringLine>,
) -> Result<Option<GoesOn>, StockError> {
    let query = LotQuery {
        location_id: asked.place,
        after: match asked.after {
            Some(GoesOn::Lots(line)) => Some(line),
            Some(GoesOn::Units(_)) | None => None,
        },
        ..LotQuery::default()
    };
    let most = LINES_MAX as u64;
    let lines = lots_store::there(snapshot.tx(), asked.enterprise, &query, most).await?;
    let next = page::next(&lines, most, |line| GoesOn::Lots(line.id));
    let caller = EnterpriseId(asked.enterprise);
    let mut warned = Vec::new();
    for line in lines {
        let key = LotKey {
            gtin: line.gtin,
            lot: line.lot,
            location: LocationId(line.location_id),
        };
        let batch = batch_of(&key, caller, snapshot.world());
        if let Some(due) = batch.and_then(|id| due(snapshot, asked, id)) {
            warned.push((line.location_id, key.gtin, line.balance, due));
        }
    }
    // Anybody may say to have goods of any lot: of another's batch is told what all may know.
    let others = warned.iter().map(|(.., due)| due);
    let others = others.filter(|(_, info, _)| info.issuer != caller);
    let others: BTreeSet<Uuid> = others.map(|(batch, ..)| batch.0).collect();
    let published = lots_store::published(snapshot.tx(), &others).await?;
    for (location_id, gtin, balance, (batch, info, expires_at)) in warned {
        if info.issuer == caller || published.contains(&batch.0) {
            items.push(ExpiringLine {
                location_id,
                gtin: Some(gtin),
                on_hand: balance.unsigned_abs(),
                ..told(batch, info, expires_at, asked.now)
            });
        }
    }
    Ok(next)
}

/// A batch, if its goods are warned of.
fn due<'s>(
    snapshot: &'s Snapshot,
    asked: &Asked,
    batch: BatchId,
) -> Option<(BatchId, &'s BatchInfo, Micros)> {
    let info = snapshot.world().batches.get(&batch)?;
    let expires_at = info.expires_at?;
    rules::is_due(expires_at, asked.now, asked.days).then_some((batch, info, expires_at))
}

fn told(batch: BatchId, info: &BatchInfo, expires_at: Micros, now: Micros) -> ExpiringLine {
    ExpiringLine {
        batch_id: batch.0,
        lot: info.lot.clone(),
        expiry_date: day_of(expires_at - 1).to_string(),
        expired: expires_at <= now,
        ..ExpiringLine::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_list_goes_on_is_read_as_it_was_written() {
        let place = After::Place(Uuid::from_u128(1));
        for goes_on in [GoesOn::Lots(0), GoesOn::Lots(7), GoesOn::Units(place)] {
            assert_eq!(GoesOn::of(&goes_on.to_string()), Some(goes_on));
        }
        for wrong in ["", "lots", "lots.", "lots.x", "lots.-1", "1.5"] {
            assert_eq!(GoesOn::of(wrong), None, "{wrong}");
        }
    }
}
