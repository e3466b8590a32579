//! Opening, closing and listing recalls: all SQL of this feature.

use super::{
    RecallError,
    wire::{RecallCloseIn, RecallIn, RecallOut},
};
use crate::{
    clock::rfc3339,
    db::Db,
    entities::{recall, recall_batch},
    http::page::Paging,
    log::{Act, Actor, Begun, Entry, IdempotencyKey, Kind, Log},
    projection::{self, Recall},
    registry,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

/// Opens a recall: from the commit on, every fresh answer about these batches says stop.
pub async fn open(
    log: &Log,
    enterprise: Uuid,
    actor: Actor,
    key: Option<IdempotencyKey>,
    new: RecallIn,
) -> Result<RecallOut, RecallError> {
    let act = match log.begin(actor, key).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => return Ok(out),
    };
    let id = Uuid::now_v7();
    let mut batch_ids = new.batch_ids;
    batch_ids.sort_unstable();
    batch_ids.dedup();
    recall::Entity::insert(recall::ActiveModel {
        enterprise_id: Set(enterprise),
        id: Set(id),
        reason: Set(new.reason.clone()),
        instructions: Set(new.instructions.clone()),
        opened_at: Set(act.stamp()),
        closed_at: Set(None),
        closing_note: Set(None),
    })
    .exec_without_returning(act.tx())
    .await?;
    for batch in &batch_ids {
        registry::batch(act.tx(), enterprise, *batch)
            .await?
            .ok_or(RecallError::Unknown)?;
        recall_batch::Entity::insert(recall_batch::ActiveModel {
            enterprise_id: Set(enterprise),
            recall_id: Set(id),
            batch_id: Set(*batch),
        })
        .exec_without_returning(act.tx())
        .await?;
        show(&act, enterprise, *batch).await?;
    }
    let out = RecallOut {
        id,
        batch_ids,
        reason: new.reason,
        instructions: new.instructions,
        opened_at: rfc3339(act.stamp()),
        closed_at: None,
        closing_note: None,
    };
    act.commit(entry(Kind::RecallOpened, enterprise, &out), &out)
        .await?;
    Ok(out)
}

/// Closes a recall. The batches show what other recalls still cover them.
pub async fn close(
    log: &Log,
    enterprise: Uuid,
    actor: Actor,
    key: Option<IdempotencyKey>,
    id: Uuid,
    how: RecallCloseIn,
) -> Result<RecallOut, RecallError> {
    let act = match log.begin(actor, key).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => return Ok(out),
    };
    let row = recall::Entity::find_by_id((enterprise, id))
        .one(act.tx())
        .await?;
    let row = row.ok_or(RecallError::Unknown)?;
    if row.closed_at.is_some() {
        return Err(RecallError::AlreadyClosed);
    }
    recall::Entity::update_many()
        .col_expr(recall::Column::ClosedAt, act.stamp().into())
        .col_expr(recall::Column::ClosingNote, how.note.clone().into())
        .filter(recall::Column::EnterpriseId.eq(enterprise))
        .filter(recall::Column::Id.eq(id))
        .exec(act.tx())
        .await?;
    let mut out = read(act.tx(), row).await?;
    out.closed_at = Some(rfc3339(act.stamp()));
    out.closing_note = Some(how.note);
    for batch in &out.batch_ids {
        show(&act, enterprise, *batch).await?;
    }
    act.commit(entry(Kind::RecallClosed, enterprise, &out), &out)
        .await?;
    Ok(out)
}

/// One recall.
pub async fn get(db: &Db, enterprise: Uuid, id: Uuid) -> Result<RecallOut, RecallError> {
    let row = recall::Entity::find_by_id((enterprise, id))
        .one(db.reader())
        .await?;
    Ok(read(db.reader(), row.ok_or(RecallError::Unknown)?).await?)
}

/// Recalls of an enterprise.
pub async fn list(db: &Db, enterprise: Uuid, paging: Paging) -> Result<Vec<RecallOut>, DbErr> {
    let rows = recall::Entity::find()
        .filter(recall::Column::EnterpriseId.eq(enterprise))
        .filter(recall::Column::Id.gt(paging.after))
        .order_by_asc(recall::Column::Id)
        .limit(paging.limit)
        .all(db.reader())
        .await?;
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        out.push(read(db.reader(), row).await?);
    }
    Ok(out)
}

/// Shows a batch's open recalls to the public side, newest first.
async fn show(act: &Act, enterprise: Uuid, batch: Uuid) -> Result<(), DbErr> {
    let ids: Vec<Uuid> = recall_batch::Entity::find()
        .filter(recall_batch::Column::EnterpriseId.eq(enterprise))
        .filter(recall_batch::Column::BatchId.eq(batch))
        .all(act.tx())
        .await?
        .into_iter()
        .map(|row| row.recall_id)
        .collect();
    let open: Vec<Recall> = recall::Entity::find()
        .filter(recall::Column::EnterpriseId.eq(enterprise))
        .filter(recall::Column::Id.is_in(ids))
        .filter(recall::Column::ClosedAt.is_null())
        .order_by_desc(recall::Column::OpenedAt)
        .all(act.tx())
        .await?
        .into_iter()
        .map(|row| Recall {
            id: row.id,
            reason: row.reason,
            instructions: row.instructions,
            opened_at: row.opened_at,
        })
        .collect();
    projection::set_recalls(act, batch, &open).await
}

async fn read(tx: &impl ConnectionTrait, row: recall::Model) -> Result<RecallOut, DbErr> {
    let batches = recall_batch::Entity::find()
        .filter(recall_batch::Column::EnterpriseId.eq(row.enterprise_id))
        .filter(recall_batch::Column::RecallId.eq(row.id))
        .order_by_asc(recall_batch::Column::BatchId)
        .all(tx)
        .await?;
    Ok(RecallOut {
        id: row.id,
        batch_ids: batches.into_iter().map(|b| b.batch_id).collect(),
        reason: row.reason,
        instructions: row.instructions,
        opened_at: rfc3339(row.opened_at),
        closed_at: row.closed_at.map(rfc3339),
        closing_note: row.closing_note,
    })
}

fn entry(kind: Kind, enterprise: Uuid, out: &RecallOut) -> Entry<'_> {
    Entry {
        kind,
        enterprise: Some(enterprise),
        subject: format!("recall:{}", out.id),
        body: out,
    }
}
