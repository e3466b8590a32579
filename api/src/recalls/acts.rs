//! What is done with recalls: opened, widened, closed. Each is an entry of the log, safe to send
//! twice. A scope too long for one entry is staged where nobody looks and comes in by several, each
//! of which says what it brought.

use super::{
    RecallError,
    rules::{
        Chunks, ClosedBody, OpenedBody, SLICE_CHUNKS, Scope, ScopeBody, WidenedBody, check_order,
    },
    store,
    wire::{BATCHES_MAX, Kept, OTHERS_MAX, RecallCloseIn, RecallIn, RecallOut, RecallWidenIn},
};
use crate::{
    app::Internal,
    codes::{self, targets::Targets, wire::RangeIn},
    db::Db,
    entities::recall,
    log::{Act, Actor, Begun, Entry, IdempotencyKey, Kind, Log, erased},
    registry,
};
use uuid::Uuid;

/// Opens a recall: from the commit on, every fresh answer about what it covers says stop.
pub async fn open(
    state: &Internal,
    enterprise: Uuid,
    actor: Actor,
    key: Option<IdempotencyKey>,
    order: RecallIn,
) -> Result<RecallOut, RecallError> {
    let initiated_at = check_order(&order, state.clock.now()).map_err(RecallError::Fields)?;
    let (scope, targets) = scope_of(
        state,
        enterprise,
        &order.batch_ids,
        &order.ranges,
        &order.codes,
    )
    .await?;
    let id = state.clock.new_id();
    let staged = Staged::put(state, enterprise, scope).await?;
    let opened = async {
        let act = match state.log.begin::<Kept>(actor, key).await? {
            Begun::Act(act) => act,
            Begun::Answered(kept) => return Ok(Err(kept.id)),
        };
        refuse_unallocated(&act, enterprise, &targets).await?;
        let places = order.destinations.iter().copied();
        let unknown = registry::unknown_locations(act.tx(), enterprise, places).await?;
        if !unknown.is_empty() {
            return Err(RecallError::field(
                "destinations",
                "unknown",
                "not a location of this enterprise",
                "不是本企业的地点",
            ));
        }
        let row = recall::Model {
            enterprise_id: enterprise,
            id,
            reason: order.reason,
            instructions: order.instructions,
            opened_at: act.stamp(),
            closed_at: None,
            closing_note: None,
            opened_gseq: act.position(),
            closed_gseq: None,
            mistaken: false,
            initiated_at,
            responsible: Some(order.responsible),
            destinations: serde_json::to_string(&order.destinations)?,
        };
        store::insert(&act, row.clone()).await?;
        let scope = store::grow(&act, &row, staged.first.clone()).await?;
        staged.confirm(&act, enterprise, id).await?;
        let body = OpenedBody {
            recall: id,
            scope: ScopeBody::from(&scope),
            destinations: order.destinations.into_iter().collect(),
            initiated_at,
            reason: row.reason,
            instructions: row.instructions,
        };
        let entry = entry(Kind::RecallOpened, enterprise, id, &body);
        act.commit(entry, &Kept { id }).await?;
        Ok(Ok(()))
    };
    let opened = opened.await;
    let id = staged.settle(state, enterprise, id, opened).await?;
    publish_staged(&state.db, &state.log, enterprise, id, actor).await?;
    store::get(&state.db, enterprise, id).await
}

/// Lets a recall cover more.
pub async fn widen(
    state: &Internal,
    enterprise: Uuid,
    actor: Actor,
    key: Option<IdempotencyKey>,
    id: Uuid,
    by: RecallWidenIn,
) -> Result<RecallOut, RecallError> {
    // Before anything is named or staged for it.
    store::row(state.db.reader(), enterprise, id).await?;
    let (scope, targets) =
        scope_of(state, enterprise, &by.batch_ids, &by.ranges, &by.codes).await?;
    if scope.is_empty() {
        return Err(RecallError::field(
            "batch_ids",
            "length",
            "give batches, ranges or codes",
            "请提供批次、区间或追溯码",
        ));
    }
    let staged = Staged::put(state, enterprise, scope).await?;
    let widened = async {
        let act = match state.log.begin::<Kept>(actor, key).await? {
            Begun::Act(act) => act,
            Begun::Answered(kept) => return Ok(Err(kept.id)),
        };
        refuse_unallocated(&act, enterprise, &targets).await?;
        let row = store::row(act.tx(), enterprise, id).await?;
        if row.closed_at.is_some() {
            return Err(RecallError::AlreadyClosed);
        }
        let new = store::grow(&act, &row, staged.first.clone()).await?;
        if new.is_empty() && staged.stage.is_none() {
            act.abandon().await?; // it covers all this already
            return Ok(Ok(()));
        }
        staged.confirm(&act, enterprise, id).await?;
        let body = WidenedBody {
            recall: id,
            scope: ScopeBody::from(&new),
        };
        let entry = entry(Kind::RecallWidened, enterprise, id, &body);
        act.commit(entry, &Kept { id }).await?;
        Ok(Ok(()))
    };
    let widened = widened.await;
    let id = staged.settle(state, enterprise, id, widened).await?;
    publish_staged(&state.db, &state.log, enterprise, id, actor).await?;
    store::get(&state.db, enterprise, id).await
}

/// Closes a recall. What it covered shows what other recalls still cover it.
pub async fn close(
    state: &Internal,
    enterprise: Uuid,
    actor: Actor,
    key: Option<IdempotencyKey>,
    id: Uuid,
    how: RecallCloseIn,
) -> Result<RecallOut, RecallError> {
    let act = match state.log.begin::<Kept>(actor, key).await? {
        Begun::Act(act) => act,
        Begun::Answered(kept) => return store::get(&state.db, enterprise, kept.id).await,
    };
    let row = store::row(act.tx(), enterprise, id).await?;
    if row.closed_at.is_some() {
        return Err(RecallError::AlreadyClosed);
    }
    store::close(&act, &row, &how.note, how.mistaken).await?;
    store::drop_staged(&act, enterprise, id).await?;
    let body = ClosedBody {
        recall: id,
        mistaken: how.mistaken,
        note: how.note,
    };
    let entry = entry(Kind::RecallClosed, enterprise, id, &body);
    act.commit(entry, &Kept { id }).await?;
    store::get(&state.db, enterprise, id).await
}

/// Publishes what waits of a recall's scope, each part by an act of its own: nobody else waits for
/// more than one of them.
pub async fn publish_staged(
    db: &Db,
    log: &Log,
    enterprise: Uuid,
    id: Uuid,
    actor: Actor,
) -> Result<(), RecallError> {
    while store::is_waiting(db, enterprise, id).await? {
        let act = match log.begin::<()>(actor, None).await? {
            Begun::Act(act) => act,
            Begun::Answered(()) => return Ok(()), // no key was given
        };
        let chunks = store::take_staged(&act, enterprise, id, SLICE_CHUNKS).await?;
        if chunks.is_empty() {
            return Ok(act.abandon().await?);
        }
        let row = store::row(act.tx(), enterprise, id).await?;
        if row.closed_at.is_some() {
            return Ok(act.abandon().await?); // closing dropped what it had
        }
        let part = Scope {
            chunks,
            ..Scope::default()
        };
        let new = store::grow(&act, &row, part).await?;
        let body = WidenedBody {
            recall: id,
            scope: ScopeBody::from(&new),
        };
        let entry = entry(Kind::RecallWidened, enterprise, id, &body);
        act.commit(entry, &()).await?;
    }
    Ok(())
}

/// What a request names, and the same to be looked at under the lock.
async fn scope_of(
    state: &Internal,
    enterprise: Uuid,
    batches: &[Uuid],
    ranges: &[RangeIn],
    listed: &[String],
) -> Result<(Scope, Targets), RecallError> {
    if batches.len() > BATCHES_MAX {
        return Err(RecallError::field(
            "batch_ids",
            "length",
            "at most 200 batches",
            "最多 200 个批次",
        ));
    }
    let targets = codes::targets::any_units(state, enterprise, ranges, listed).await?;
    if targets.others.len() > OTHERS_MAX {
        return Err(RecallError::field(
            "codes",
            "too-many",
            "at most 2 000 codes that were minted elsewhere",
            "非本系统签发的追溯码最多 2 000 个",
        ));
    }
    Ok((Scope::of(batches, targets.clone()), targets))
}

async fn refuse_unallocated(
    act: &Act,
    enterprise: Uuid,
    targets: &Targets,
) -> Result<(), RecallError> {
    for (space, ranges) in &targets.minted {
        codes::store::refuse_unallocated(act.tx(), enterprise, space, ranges).await?;
    }
    Ok(())
}

/// A scope of which what does not fit into one entry waits: under a name of its own, which nobody publishes,
/// until the act that was to bring it in says whose it is.
struct Staged {
    stage: Option<Uuid>,
    first: Scope,
}

impl Staged {
    async fn put(
        state: &Internal,
        enterprise: Uuid,
        mut scope: Scope,
    ) -> Result<Staged, RecallError> {
        let rest: Chunks = scope.cut();
        let mut stage = None;
        if !rest.is_empty() {
            let new = Uuid::now_v7();
            let db: &Db = &state.db;
            store::stage(db, enterprise, new, &rest, state.clock.now()).await?;
            stage = Some(new);
        }
        Ok(Staged {
            stage,
            first: scope,
        })
    }

    /// What waits is this recall's, if the act comes to be.
    async fn confirm(&self, act: &Act, enterprise: Uuid, id: Uuid) -> Result<(), RecallError> {
        if let Some(stage) = self.stage {
            store::confirm_staged(act.tx(), enterprise, stage, id).await?;
        }
        Ok(())
    }

    /// Takes back what waits for an act that did not come to be, or was done before; returns the
    /// recall that was meant.
    async fn settle(
        self,
        state: &Internal,
        enterprise: Uuid,
        id: Uuid,
        outcome: Result<Result<(), Uuid>, RecallError>,
    ) -> Result<Uuid, RecallError> {
        if !matches!(outcome, Ok(Ok(())))
            && let Some(stage) = self.stage
        {
            store::unstage(&state.db, enterprise, stage).await?;
        }
        match outcome? {
            Ok(()) => Ok(id),
            Err(before) => Ok(before),
        }
    }
}

fn entry(kind: Kind, enterprise: Uuid, id: Uuid, body: &(dyn erased::Body + Sync)) -> Entry<'_> {
    Entry {
        kind,
        enterprise: Some(enterprise),
        subject: format!("recall:{id}"),
        body,
    }
}
