//! All SQL about badges.

use super::{
    rules::{Supervisor, grouped},
    wire::{BadgeIn, BadgeOut, Role},
};
use crate::{
    clock::Micros,
    db::{Db, rows::by_keys},
    entities::badge,
    http::page::Paging,
    log::{Act, Actor, Begun, Entry, IdempotencyKey, Kind, Log},
    registry::{RegistryError, locations},
    sealing::random_digits,
};
use sea_orm::{
    ActiveValue::{Set, Unchanged},
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::limits::BADGES_MAX;
use uuid::Uuid;

/// Makes a badge; its number is checked already.
pub async fn create(
    log: &Log,
    actor: Actor,
    key: Option<IdempotencyKey>,
    enterprise: Uuid,
    new: BadgeIn,
) -> Result<BadgeOut, RegistryError> {
    let act = match log.begin(actor, key).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => return Ok(out),
    };
    if let Some(place) = new.location_id
        && !locations::store::exists(act.tx(), enterprise, place).await?
    {
        return Err(RegistryError::field(
            "location_id",
            "unknown",
            "no such location",
            "没有该地点",
        ));
    }
    let working = badge::Entity::find()
        .filter(badge::Column::EnterpriseId.eq(enterprise))
        .filter(badge::Column::WithdrawnAt.is_null())
        .count(act.tx())
        .await?;
    if working >= BADGES_MAX {
        return Err(RegistryError::field(
            "number",
            "too-many",
            "an enterprise has at most 10000 badges that are not withdrawn",
            "每个企业最多 10000 个未停用的工牌",
        ));
    }
    let row = badge::Model {
        enterprise_id: enterprise,
        id: log.clock().new_id(),
        number: match new.number {
            Some(number) => number,
            None => grouped(&random_digits::<16>()?),
        },
        role: new.role.name().into(),
        location_id: new.location_id,
        since: act.stamp(),
        withdrawn_at: None,
        changed: act.stamp(),
    };
    badge::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(act.tx())
        .await?;
    told(act, row).await
}

/// Gives a badge another role. One it has already changes nothing.
pub async fn change_role(
    log: &Log,
    actor: Actor,
    key: Option<IdempotencyKey>,
    (enterprise, id): (Uuid, Uuid),
    role: Role,
) -> Result<BadgeOut, RegistryError> {
    let act = match log.begin(actor, key).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => return Ok(out),
    };
    let mut row = find(act.tx(), enterprise, id).await?;
    if row.withdrawn_at.is_some() {
        return Err(RegistryError::Withdrawn);
    }
    if row.role == role.name() {
        act.abandon().await?;
        return Ok(row.into());
    }
    row.role = role.name().into();
    row.changed = act.stamp();
    write(act.tx(), &row).await?;
    told(act, row).await
}

/// Withdraws a badge for good. One that is withdrawn stays as it is.
pub async fn withdraw(
    log: &Log,
    actor: Actor,
    enterprise: Uuid,
    id: Uuid,
) -> Result<BadgeOut, RegistryError> {
    let act = match log.begin(actor, None).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => return Ok(out),
    };
    let mut row = find(act.tx(), enterprise, id).await?;
    if row.withdrawn_at.is_some() {
        act.abandon().await?;
        return Ok(row.into());
    }
    row.withdrawn_at = Some(act.stamp());
    row.changed = act.stamp();
    write(act.tx(), &row).await?;
    told(act, row).await
}

async fn write(tx: &impl ConnectionTrait, row: &badge::Model) -> Result<(), DbErr> {
    badge::Entity::update(badge::ActiveModel {
        enterprise_id: Unchanged(row.enterprise_id),
        id: Unchanged(row.id),
        role: Set(row.role.clone()),
        withdrawn_at: Set(row.withdrawn_at),
        changed: Set(row.changed),
        ..Default::default()
    })
    .exec(tx)
    .await?;
    Ok(())
}

async fn told(act: Act, row: badge::Model) -> Result<BadgeOut, RegistryError> {
    let enterprise = row.enterprise_id;
    let out = BadgeOut::from(row);
    let entry = Entry {
        kind: Kind::BadgeChanged,
        enterprise: Some(enterprise),
        subject: subject(out.id),
        body: &out,
    };
    act.commit(entry, &out).await?;
    Ok(out)
}

/// One badge.
pub async fn get(db: &Db, enterprise: Uuid, id: Uuid) -> Result<BadgeOut, RegistryError> {
    Ok(find(db.reader(), enterprise, id).await?.into())
}

/// Badges of an enterprise, withdrawn ones too.
pub async fn list(
    db: &Db,
    enterprise: Uuid,
    paging: Paging,
) -> Result<Vec<BadgeOut>, RegistryError> {
    let rows = badge::Entity::find()
        .filter(badge::Column::EnterpriseId.eq(enterprise))
        .filter(badge::Column::Id.gt(paging.after))
        .order_by_asc(badge::Column::Id)
        .limit(paging.limit)
        .all(db.reader())
        .await?;
    Ok(rows.into_iter().map(BadgeOut::from).collect())
}

async fn find(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    id: Uuid,
) -> Result<badge::Model, RegistryError> {
    badge::Entity::find_by_id((enterprise, id))
        .one(conn)
        .await?
        .ok_or(RegistryError::Unknown)
}

fn of_place(enterprise: Uuid, place: Uuid) -> Condition {
    Condition::all()
        .add(badge::Column::EnterpriseId.eq(enterprise))
        .add(
            Condition::any()
                .add(badge::Column::LocationId.eq(place))
                .add(badge::Column::LocationId.is_null()),
        )
}

/// When the badges that may work at a place changed last; nothing if it never had any.
pub async fn changed(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    place: Uuid,
) -> Result<Option<i64>, DbErr> {
    let newest: Option<Option<i64>> = badge::Entity::find()
        .select_only()
        .column_as(badge::Column::Changed.max(), "newest")
        .filter(of_place(enterprise, place))
        .into_tuple()
        .one(conn)
        .await?;
    Ok(newest.flatten())
}

/// Badges that work at a place, by number: with what each may do.
pub async fn working(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    place: Uuid,
) -> Result<Vec<(String, String)>, DbErr> {
    badge::Entity::find()
        .select_only()
        .column(badge::Column::Number)
        .column(badge::Column::Role)
        .filter(of_place(enterprise, place))
        .filter(badge::Column::WithdrawnAt.is_null())
        .into_tuple()
        .all(conn)
        .await
}

/// When these badges of an enterprise were supervisors, by number; nothing of one it never had.
pub async fn supervisors(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    numbers: BTreeSet<String>,
) -> Result<BTreeMap<String, Supervisor>, DbErr> {
    let rows = badge::Entity::find()
        .filter(badge::Column::EnterpriseId.eq(enterprise))
        .filter(badge::Column::Number.is_in(numbers))
        .all(conn)
        .await?;
    let subjects = rows.iter().map(|row| subject(row.id).into()).collect();
    let entries = by_keys(
        conn,
        "SELECT gseq, stamp, body FROM log_entry WHERE kind = 'badge_changed' \
         AND subject IN ({keys})",
        &[],
        subjects,
    )
    .await?;
    let mut told: BTreeMap<i64, (Micros, BadgeOut)> = BTreeMap::new();
    for entry in entries {
        let body: String = entry.try_get("", "body")?;
        let badge = serde_json::from_str(&body).map_err(|error| DbErr::Json(error.to_string()))?;
        told.insert(
            entry.try_get("", "gseq")?,
            (entry.try_get("", "stamp")?, badge),
        );
    }
    let mut supervisors: BTreeMap<String, Supervisor> = BTreeMap::new();
    for (at, badge) in told.into_values() {
        let times = supervisors.entry(badge.number).or_default();
        times.location = badge.location_id;
        let is_supervisor = badge.role == Role::Supervisor.name() && badge.withdrawn_at.is_none();
        times.then(at, is_supervisor);
    }
    Ok(supervisors)
}

fn subject(id: Uuid) -> String {
    format!("badge:{id}")
}
