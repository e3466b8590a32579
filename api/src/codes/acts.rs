//! The three acts of issuing: allocate a segment, commission codes, destroy unqualified ones.
//! Each is one entry of the log, safe to send twice, and refused whole or done whole.

use super::{
    CodesError, SpaceKey, standing_store, store,
    targets::{told_by_space, units},
    wire::{
        CommissionIn, CommissionOut, DestructionIn, DestructionOut, SEGMENT_CODES_MAX, SegmentIn,
        SegmentOut,
    },
};
use crate::{
    app::Internal,
    entities::{code_destruction, commission},
    free_text::{self, Lines},
    log::{Actor, Begun, Entry, IdempotencyKey, Kind},
    registry,
};
use sea_orm::{ActiveValue::Set, ConnectionTrait};
use uuid::Uuid;

/// Allocates a segment.
pub async fn allocate(
    state: &Internal,
    enterprise: Uuid,
    actor: Actor,
    key: Option<IdempotencyKey>,
    wanted: SegmentIn,
) -> Result<SegmentOut, CodesError> {
    if !(1..=SEGMENT_CODES_MAX).contains(&wanted.count) {
        return Err(CodesError::field(
            "count",
            "out-of-range",
            "1 to 10 000 000 codes a segment",
            "每个码段 1 到 10 000 000 个码",
        ));
    }
    let act = match state.log.begin(actor, key).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => return Ok(out),
    };
    let space = space_for(act.tx(), enterprise, &wanted).await?;
    let out = store::allocate(&act, enterprise, &space, wanted.count).await?;
    let entry = Entry {
        kind: Kind::SegmentAllocated,
        enterprise: Some(enterprise),
        subject: format!("segment:{}", out.id),
        body: &out,
    };
    act.commit(entry, &out).await?;
    Ok(out)
}

async fn space_for(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    wanted: &SegmentIn,
) -> Result<String, CodesError> {
    match (wanted.product_id, &wanted.gs1_prefix) {
        (Some(product), None) => {
            let level = wanted.level.as_deref().unwrap_or("item");
            store::spaces_of(tx, enterprise, product)
                .await?
                .into_iter()
                .find(|space| space.level == level)
                .map(|space| space.space)
                .ok_or_else(|| {
                    CodesError::field(
                        "product_id",
                        "unknown",
                        "no such product, or it has no code space at that level",
                        "没有该产品，或该级别没有码段空间",
                    )
                })
        }
        (None, Some(prefix)) => {
            let name = SpaceKey::sscc(prefix).map(|space| space.to_string());
            let found = match &name {
                Some(name) => store::space(tx, enterprise, name).await?,
                None => None,
            };
            found.map(|space| space.space).ok_or_else(|| {
                CodesError::field(
                    "gs1_prefix",
                    "unknown",
                    "not a company prefix of this enterprise",
                    "不是本企业的厂商识别代码",
                )
            })
        }
        _ => Err(CodesError::field(
            "product_id",
            "required",
            "give either product_id or gs1_prefix",
            "请提供 product_id 或 gs1_prefix 之一",
        )),
    }
}

/// Commissions codes to a batch.
pub async fn commission(
    state: &Internal,
    enterprise: Uuid,
    actor: Actor,
    key: Option<IdempotencyKey>,
    wanted: CommissionIn,
) -> Result<CommissionOut, CodesError> {
    let batch = registry::batch(state.db.reader(), enterprise, wanted.batch_id)
        .await?
        .ok_or(CodesError::Unknown)?;
    let lot = Some(batch.lot.as_str());
    let targets = units(state, enterprise, &wanted.ranges, &wanted.codes, lot).await?;
    for (space, ranges) in &targets {
        let row = store::space(state.db.reader(), enterprise, space).await?;
        if row.ok_or(CodesError::Unknown)?.product_id != Some(batch.product) {
            return Err(CodesError::field(
                "batch_id",
                "other-product",
                "these codes belong to another product than the batch",
                "追溯码与批次不属于同一产品",
            ));
        }
        // What is allocated stays so.
        store::refuse_unallocated(state.db.reader(), enterprise, space, ranges).await?;
    }
    let mut known = standing_store::read(&state.db, &targets).await?;
    let whats = told_by_space(&targets);
    let act = match state.log.begin(actor, key).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => return Ok(out),
    };
    known.renew(&act).await?;
    let id = Uuid::now_v7();
    let mut ids = std::iter::once(id);
    let (mut commissioned, mut unchanged) = (0, 0);
    for (space, ranges) in &targets {
        let done = known.standing(space).commission(batch.id, ranges)?;
        commissioned += done.new;
        unchanged += done.same;
        let record = commission::ActiveModel {
            enterprise_id: Set(enterprise),
            // The answer's id names the first record; one a space, as records go.
            id: Set(ids.next().unwrap_or_else(Uuid::now_v7)),
            space: Set(space.clone()),
            batch_id: Set(batch.id),
            codes: Set(done.new as i64),
            what: Set(whats.get(space.as_str()).cloned().unwrap_or_default()),
            created_at: Set(act.stamp()),
        };
        standing_store::commission(&act, space, batch.id, done).await?;
        store::insert_commission(&act, record).await?;
    }
    let out = CommissionOut {
        id,
        batch_id: batch.id,
        commissioned,
        unchanged,
    };
    let body = serde_json::json!({"batch": batch.id, "codes": commissioned, "what": whats});
    let entry = Entry {
        kind: Kind::CodesCommissioned,
        enterprise: Some(enterprise),
        subject: format!("batch:{}", batch.id),
        body: &body,
    };
    act.commit(entry, &out).await?;
    Ok(out)
}

/// Destroys unqualified codes: they become void for ever.
pub async fn destroy(
    state: &Internal,
    enterprise: Uuid,
    actor: Actor,
    key: Option<IdempotencyKey>,
    wanted: DestructionIn,
) -> Result<DestructionOut, CodesError> {
    let destroyed_at = checked_record(&wanted, state.clock.today())?;
    let targets = units(state, enterprise, &wanted.ranges, &wanted.codes, None).await?;
    for (space, ranges) in &targets {
        // What is allocated stays so.
        store::refuse_unallocated(state.db.reader(), enterprise, space, ranges).await?;
    }
    let mut known = standing_store::read(&state.db, &targets).await?;
    let whats = told_by_space(&targets);
    let act = match state.log.begin(actor, key).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => return Ok(out),
    };
    if let Some(hash) = &wanted.evidence
        && !(registry::files::rules::is_hash(hash)
            && registry::files::store::exists(act.tx(), enterprise, hash).await?)
    {
        return Err(CodesError::field(
            "evidence",
            "unknown-file",
            "upload this file first: POST /v1/files",
            "请先上传该文件：POST /v1/files",
        ));
    }
    known.renew(&act).await?;
    let id = Uuid::now_v7();
    let mut ids = std::iter::once(id);
    let (mut voided, mut unchanged) = (0, 0);
    for (space, ranges) in &targets {
        let done = known.standing(space).destroy(ranges)?;
        voided += done.new;
        unchanged += done.same;
        let record = code_destruction::ActiveModel {
            enterprise_id: Set(enterprise),
            // The answer's id names the first record; one a space, as records go.
            id: Set(ids.next().unwrap_or_else(Uuid::now_v7)),
            space: Set(space.clone()),
            codes: Set(done.new as i64),
            reason: Set(wanted.reason.clone()),
            method: Set(wanted.method.clone()),
            witness: Set(wanted.witness.clone()),
            evidence: Set(wanted.evidence.clone()),
            what: Set(whats.get(space.as_str()).cloned().unwrap_or_default()),
            destroyed_at: Set(destroyed_at),
            created_at: Set(act.stamp()),
        };
        standing_store::destroy(&act, space, done).await?;
        store::insert_destruction(&act, record).await?;
    }
    let out = DestructionOut {
        id,
        voided,
        unchanged,
    };
    let body = serde_json::json!({
        "codes": voided, "what": whats, "reason": wanted.reason,
        "method": wanted.method, "witness": wanted.witness, "evidence": wanted.evidence,
    });
    let entry = Entry {
        kind: Kind::CodesVoided,
        enterprise: Some(enterprise),
        subject: format!("code_destruction:{id}"),
        body: &body,
    };
    act.commit(entry, &out).await?;
    Ok(out)
}

/// The record MB-6.3 asks for; returns when, in microseconds at midnight Asia/Shanghai.
fn checked_record(wanted: &DestructionIn, today: jiff::civil::Date) -> Result<i64, CodesError> {
    for (field, text) in [
        ("reason", &wanted.reason),
        ("method", &wanted.method),
        ("witness", &wanted.witness),
    ] {
        free_text::check(field, text, 500, Lines::Any)
            .map_err(|fault| CodesError::Fields(vec![fault]))?;
    }
    let day: Option<jiff::civil::Date> = wanted.destroyed_on.parse().ok();
    let day = day
        .filter(|day: &jiff::civil::Date| wanted.destroyed_on.len() == 10 && *day <= today)
        .ok_or_else(|| {
            CodesError::field(
                "destroyed_on",
                "bad-date",
                "a date as YYYY-MM-DD, not after today",
                "日期格式为 YYYY-MM-DD，且不晚于今天",
            )
        })?;
    Ok((i64::from(crate::clock::day_number(day)) * 24 - 8) * 3_600_000_000)
}
