//! All SQL about voices on the internal side. Every change is written with its public state.

use super::{
    VoiceError,
    rules::{State, VoiceKind, spaces},
};
use crate::{
    clock::Micros,
    db::Db,
    entities::{product, public_space, voice, voice_personal},
    http::page::Paging,
    log::{Act, ActError, Entry, Kind, Log},
    projection,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait,
    IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use suyuan_sync::trace_code::TraceCode;
use uuid::Uuid;

const DAY: Micros = 86_400 * 1_000_000;

/// A voice to be written; already checked.
pub(super) struct NewVoice {
    pub(super) id: Uuid,
    /// What its seal is bound to.
    pub(super) message: Uuid,
    pub(super) kind: VoiceKind,
    /// Digest.
    pub(super) receipt: String,
    pub(super) code: TraceCode,
    pub(super) lot: Option<String>,
    pub(super) place: Option<String>,
    pub(super) told_at: Micros,
    pub(super) sealed: Vec<u8>,
    pub(super) by_staff: bool,
    pub(super) keep_days: u32,
}

/// Whose entry it is in the log: an enterprise's, or the platform's own.
pub(super) fn tenant(row: &voice::Model) -> Option<Uuid> {
    Some(row.enterprise_id).filter(|id| !id.is_nil())
}

/// Was this message taken before?
pub(super) async fn is_known(tx: &impl ConnectionTrait, message: Uuid) -> Result<bool, DbErr> {
    let row = voice::Entity::find()
        .filter(voice::Column::MessageId.eq(message))
        .one(tx)
        .await?;
    Ok(row.is_some())
}

/// The voice of a receipt's digest.
pub(super) async fn by_receipt(
    tx: &impl ConnectionTrait,
    receipt: &str,
) -> Result<Option<voice::Model>, DbErr> {
    voice::Entity::find()
        .filter(voice::Column::Receipt.eq(receipt))
        .one(tx)
        .await
}

/// Whose code it is: the enterprise and product of its space; nil where there is none.
pub(super) async fn owner(
    tx: &impl ConnectionTrait,
    code: &TraceCode,
) -> Result<(Uuid, Option<Uuid>), DbErr> {
    let space = public_space::Entity::find()
        .filter(public_space::Column::Space.is_in(spaces(code)))
        .one(tx)
        .await?;
    Ok(space.map_or((Uuid::nil(), None), |space| {
        (space.enterprise_id, space.product_id)
    }))
}

/// Writes a voice with its sealed part apart.
pub(super) async fn add(act: &Act, new: NewVoice) -> Result<voice::Model, VoiceError> {
    let (enterprise, product) = owner(act.tx(), &new.code).await?;
    let lot = match &new.code {
        TraceCode::Gtin(gtin) => gtin.lot.map(|lot| lot.to_string()),
        _ => None,
    };
    let row = voice::Model {
        enterprise_id: enterprise,
        id: new.id,
        message_id: new.message,
        kind: new.kind.name().into(),
        state: State::Received.name().into(),
        receipt: new.receipt,
        code: new.code.canonical_path().to_string(),
        lot: lot.or(new.lot),
        product_id: product,
        told_at: new.told_at,
        place: new.place,
        entered_by: if new.by_staff { "staff" } else { "consumer" }.into(),
        plan: None,
        answer: None,
        result: None,
        handler: None,
        answered_at: None,
        handled_at: None,
        closed_at: None,
        satisfaction: None,
        erased_at: None,
    };
    voice::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(act.tx())
        .await?;
    voice_personal::Entity::insert(voice_personal::ActiveModel {
        enterprise_id: Set(enterprise),
        voice_id: Set(row.id),
        sealed: Set(new.sealed),
        keep_until: Set(act.stamp() + Micros::from(new.keep_days) * DAY),
    })
    .exec_without_returning(act.tx())
    .await?;
    show(act, &row).await?;
    Ok(row)
}

/// Writes a changed row, and what its consumer may see of it.
pub(super) async fn change(act: &Act, row: voice::Model) -> Result<voice::Model, DbErr> {
    let changed = row.into_active_model().reset_all().update(act.tx()).await?;
    show(act, &changed).await?;
    Ok(changed)
}

async fn show(act: &Act, row: &voice::Model) -> Result<(), DbErr> {
    let complaint = projection::Complaint {
        receipt: &row.receipt,
        kind: &row.kind,
        state: &row.state,
        received_at: row.told_at,
        answer: row.answer.as_deref(),
        answered_at: row.answered_at,
        closed_at: row.closed_at,
        erased: row.erased_at.is_some(),
    };
    projection::put_complaint(act, &complaint).await
}

/// Erases the personal part. The record stays.
pub(super) async fn erase(act: &Act, mut row: voice::Model) -> Result<voice::Model, DbErr> {
    voice_personal::Entity::delete_by_id((row.enterprise_id, row.id))
        .exec(act.tx())
        .await?;
    row.erased_at = Some(act.stamp());
    change(act, row).await
}

/// Keeps how satisfied the consumer was.
pub(super) async fn rate(act: &Act, row: &voice::Model, score: u8) -> Result<(), DbErr> {
    voice::Entity::update_many()
        .col_expr(voice::Column::Satisfaction, i64::from(score).into())
        .filter(voice::Column::EnterpriseId.eq(row.enterprise_id))
        .filter(voice::Column::Id.eq(row.id))
        .exec(act.tx())
        .await?;
    Ok(())
}

/// One voice, whoever's.
pub(super) async fn find(
    conn: &impl ConnectionTrait,
    id: Uuid,
) -> Result<Option<voice::Model>, DbErr> {
    voice::Entity::find()
        .filter(voice::Column::Id.eq(id))
        .one(conn)
        .await
}

/// The sealed part of one.
pub(super) async fn sealed(
    conn: &impl ConnectionTrait,
    row: &voice::Model,
) -> Result<Option<Vec<u8>>, DbErr> {
    let found = voice_personal::Entity::find_by_id((row.enterprise_id, row.id))
        .one(conn)
        .await?;
    Ok(found.map(|personal| personal.sealed))
}

/// The product of a voice.
pub(super) async fn product(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    product: Option<Uuid>,
) -> Result<Option<product::Model>, DbErr> {
    match product {
        Some(id) => {
            product::Entity::find_by_id((enterprise, id))
                .one(conn)
                .await
        }
        None => Ok(None),
    }
}

/// What a list is narrowed to.
#[derive(Debug, Default)]
pub(super) struct Filter {
    /// Of one enterprise; `None`: all.
    pub(super) enterprise: Option<Uuid>,
    pub(super) kind: Option<VoiceKind>,
    pub(super) state: Option<State>,
    /// Canonical.
    pub(super) code: Option<String>,
}

/// A page of voices.
pub(super) async fn list(
    db: &Db,
    filter: &Filter,
    paging: Paging,
) -> Result<Vec<voice::Model>, DbErr> {
    let mut query = voice::Entity::find().filter(voice::Column::Id.gt(paging.after));
    if let Some(enterprise) = filter.enterprise {
        query = query.filter(voice::Column::EnterpriseId.eq(enterprise));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(voice::Column::Kind.eq(kind.name()));
    }
    if let Some(state) = filter.state {
        query = query.filter(voice::Column::State.eq(state.name()));
    }
    if let Some(code) = &filter.code {
        query = query.filter(voice::Column::Code.eq(code));
    }
    query
        .order_by_asc(voice::Column::Id)
        .limit(paging.limit)
        .all(db.reader())
        .await
}

/// Erases personal data whose time is over at `now`, each with its entry; returns how many.
pub async fn erase_overdue(db: &Db, log: &Log, now: Micros) -> Result<u64, ActError> {
    let mut erased = 0;
    loop {
        let over = voice_personal::Entity::find()
            .filter(voice_personal::Column::KeepUntil.lt(now))
            .order_by_asc(voice_personal::Column::KeepUntil)
            .one(db.reader())
            .await?;
        let Some(over) = over else {
            return Ok(erased);
        };
        let act = log.begin_as_system().await?;
        let Some(row) = find(act.tx(), over.voice_id).await? else {
            return Ok(erased);
        };
        let (enterprise, subject) = (tenant(&row), format!("voice:{}", row.id));
        erase(&act, row).await?;
        let entry = Entry {
            kind: Kind::PersonalDataErased,
            enterprise,
            subject,
            body: &serde_json::json!({"by": "time"}),
        };
        act.commit(entry, &()).await?;
        erased += 1;
    }
}
