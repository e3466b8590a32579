//! What nobody asks for and somebody must do: forces gaps and releases groups that were waited for
//! long enough, and after an upgrade takes in the events that the program can read by now. It only
//! looks; each act decides again under the lock.

use super::{AsideError, acts, store};
use crate::{
    clock::Clock,
    config,
    db::Db,
    handheld::push::{PushError, ingest::Ingest},
};
use futures_util::FutureExt;
use std::time::Duration;

/// Rows looked at in one go.
const PAGE: i64 = 100;

/// Tends for ever.
pub async fn for_ever(settings: config::Handheld, db: Db, clock: Clock, ingest: Ingest) {
    let mut upgraded = false;
    loop {
        if !upgraded {
            match known_kinds(&db, &ingest).await {
                Ok(taken) => {
                    upgraded = true;
                    if taken > 0 {
                        tracing::info!(taken, "parked events of kinds known by now were admitted");
                    }
                }
                Err(error) => tracing::warn!(%error, "parked events were not looked at"),
            }
        }
        let due = clock
            .now()
            .saturating_sub(settings.parking_s.saturating_mul(1_000_000));
        for (what, done) in [
            ("gaps", gaps(&db, &ingest, due).await),
            ("groups", groups(&db, &ingest, due).await),
        ] {
            if let Err(error) = done {
                tracing::warn!(%error, what, "what waits was not tended");
            }
        }
        tokio::time::sleep(Duration::from_millis(settings.tend_ms)).await;
    }
}

/// Takes in what waits since an older program could not read it (T7), page by page.
pub async fn known_kinds(db: &Db, ingest: &Ingest) -> Result<usize, AsideError> {
    let (mut after, mut taken) = (0, 0);
    loop {
        let rows = store::unknown_kinds(db.reader(), after, PAGE).await?;
        let Some(last) = rows.last() else {
            return Ok(taken);
        };
        after = last.gseq;
        taken += ingest
            .with_engine(move |engine| {
                async move { acts::admit_known_kinds(engine, &rows).await }.boxed()
            })
            .await
            .map_err(AsideError::Push)??;
    }
}

/// Forces the gaps that were waited for since `due` (T4).
pub async fn gaps(db: &Db, ingest: &Ingest, due: i64) -> Result<(), AsideError> {
    for (_, device, epoch, state) in store::gapped(db.reader()).await? {
        let Some(gap) = state.extent.gap() else {
            continue;
        };
        let behind = store::received(db.reader(), device, epoch, gap.last + 1).await?;
        if behind.is_none_or(|(since, _)| since > due) {
            continue;
        }
        ingest
            .with_engine(move |engine| {
                async move { acts::force_gap(engine, device, epoch, due).await }.boxed()
            })
            .await
            .map_err(AsideError::Push)??;
    }
    Ok(())
}

/// Releases the groups that were waited for since `due` (T8).
pub async fn groups(db: &Db, ingest: &Ingest, due: i64) -> Result<(), AsideError> {
    for (device, epoch, group) in store::overdue_groups(db.reader(), due, PAGE).await? {
        ingest
            .with_engine(move |engine| {
                async move { acts::release_group(engine, device, epoch, group).await }.boxed()
            })
            .await
            .map_err(AsideError::Push)??;
    }
    Ok(())
}

/// Takes an event in by somebody's decision.
pub async fn admit(
    ingest: &Ingest,
    enterprise: uuid::Uuid,
    actor: crate::log::Actor,
    gseq: i64,
    note: String,
) -> Result<super::wire::AdmittedOut, AsideError> {
    let (outcome, position) = ingest
        .with_engine(move |engine| {
            async move { acts::admit(engine, enterprise, actor, gseq, &note).await }.boxed()
        })
        .await
        .map_err(|error: PushError| AsideError::Push(error))??;
    Ok(super::wire::AdmittedOut {
        position,
        fate: crate::handheld::push::store::fate_name(outcome.status).to_owned(),
        remarks: outcome
            .remarks
            .iter()
            .map(|remark| remark.name().to_owned())
            .collect(),
    })
}
