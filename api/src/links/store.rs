//! All SQL about links. Every change writes the whole list of its anchor to the public side.

use super::{
    LinkError,
    rules::{self, ENTERPRISE_LINKS_MAX, LINKS_MAX, LinkName, Owned},
    wire::{LinkIn, LinkOut},
};
use crate::{
    clock::rfc3339,
    codes::{self, SpaceKey},
    db::Db,
    entities::link,
    http::page::Paging,
    log::{Actor, Begun, Entry, IdempotencyKey, Kind, Log},
    projection::{self, Link},
    registry,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use suyuan_sync::trace_code::TraceCode;
use uuid::Uuid;

/// Registers a link. The same link again stays one: its title becomes the newer one.
pub async fn put(
    log: &Log,
    enterprise: Uuid,
    actor: Actor,
    key: Option<IdempotencyKey>,
    new: &LinkIn,
) -> Result<LinkOut, LinkError> {
    let code = rules::anchor(&new.anchor)?;
    let mut wanted = rules::link(&code, new)?;
    let act = match log.begin(actor, key).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => return Ok(out),
    };
    if !owns(act.tx(), enterprise, &code).await? {
        return Err(LinkError::field(
            "anchor",
            "not-yours",
            "no product of yours, and under no company prefix of yours",
            "不是本企业的产品，也不属于本企业的厂商识别代码",
        ));
    }
    let anchor = code.to_string();
    let mut links = of_anchor(act.tx(), enterprise, &anchor).await?;
    let known = links
        .iter_mut()
        .find(|(known, _)| rules::same(known, &wanted));
    let created_at = if let Some((known, created_at)) = known {
        known.title.clone_from(&wanted.title);
        wanted.id = known.id;
        link::Entity::update_many()
            .col_expr(link::Column::Content, json(&wanted)?.into())
            .filter(link::Column::EnterpriseId.eq(enterprise))
            .filter(link::Column::Id.eq(wanted.id))
            .exec(act.tx())
            .await?;
        *created_at
    } else {
        wanted.id = Uuid::now_v7();
        check_room(act.tx(), enterprise, &wanted, &links).await?;
        link::Entity::insert(link::ActiveModel {
            enterprise_id: Set(enterprise),
            id: Set(wanted.id),
            anchor: Set(anchor.clone()),
            content: Set(json(&wanted)?),
            created_at: Set(act.stamp()),
            deleted_at: Set(None),
        })
        .exec_without_returning(act.tx())
        .await?;
        links.push((wanted.clone(), act.stamp()));
        act.stamp()
    };
    let shown: Vec<Link> = links.into_iter().map(|(link, _)| link).collect();
    projection::put_links(&act, &anchor, &shown).await?;
    let out = out(anchor, wanted, created_at);
    act.commit(entry(enterprise, &out), &out).await?;
    Ok(out)
}

/// Takes a link away. What is gone already stays gone.
pub async fn delete(log: &Log, enterprise: Uuid, actor: Actor, id: Uuid) -> Result<(), LinkError> {
    let act = match log.begin::<()>(actor, None).await? {
        Begun::Act(act) => act,
        Begun::Answered(()) => return Ok(()), // no key was given
    };
    let row = link::Entity::find_by_id((enterprise, id))
        .one(act.tx())
        .await?;
    let row = row.ok_or(LinkError::Unknown)?;
    if row.deleted_at.is_some() {
        return Ok(());
    }
    link::Entity::update_many()
        .col_expr(link::Column::DeletedAt, act.stamp().into())
        .filter(link::Column::EnterpriseId.eq(enterprise))
        .filter(link::Column::Id.eq(id))
        .exec(act.tx())
        .await?;
    let left = of_anchor(act.tx(), enterprise, &row.anchor).await?;
    let left: Vec<Link> = left.into_iter().map(|(link, _)| link).collect();
    projection::put_links(&act, &row.anchor, &left).await?;
    let gone = serde_json::json!({"id": id, "anchor": row.anchor, "deleted": true});
    let entry = Entry {
        kind: Kind::LinksChanged,
        enterprise: Some(enterprise),
        subject: format!("link:{id}"),
        body: &gone,
    };
    act.commit(entry, &()).await?;
    Ok(())
}

/// Links of an enterprise, of one anchor if given.
pub async fn list(
    db: &Db,
    enterprise: Uuid,
    anchor: Option<&str>,
    paging: Paging,
) -> Result<Vec<LinkOut>, LinkError> {
    let mut query = link::Entity::find()
        .filter(link::Column::EnterpriseId.eq(enterprise))
        .filter(link::Column::DeletedAt.is_null())
        .filter(link::Column::Id.gt(paging.after));
    if let Some(anchor) = anchor {
        query = query.filter(link::Column::Anchor.eq(anchor));
    }
    let rows = query
        .order_by_asc(link::Column::Id)
        .limit(paging.limit)
        .all(db.reader())
        .await?;
    rows.into_iter()
        .map(|row| {
            let link = serde_json::from_str(&row.content)?;
            Ok(out(row.anchor, link, row.created_at))
        })
        .collect()
}

async fn owns(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    code: &TraceCode,
) -> Result<bool, DbErr> {
    match rules::owned(code) {
        Some(Owned::Product(gtin)) => {
            codes::has_space(tx, enterprise, SpaceKey::gtin(gtin.gtin)).await
        }
        Some(Owned::Prefix(digits)) => {
            let prefixes = registry::company_prefixes(tx, enterprise).await?;
            Ok(prefixes
                .iter()
                .any(|prefix| digits.starts_with(prefix.as_str())))
        }
        None => Ok(false),
    }
}

/// Links of an anchor with the time each was registered, oldest first.
async fn of_anchor(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    anchor: &str,
) -> Result<Vec<(Link, i64)>, LinkError> {
    let rows = link::Entity::find()
        .filter(link::Column::EnterpriseId.eq(enterprise))
        .filter(link::Column::Anchor.eq(anchor))
        .filter(link::Column::DeletedAt.is_null())
        .order_by_asc(link::Column::Id)
        .all(tx)
        .await?;
    rows.into_iter()
        .map(|row| Ok((serde_json::from_str(&row.content)?, row.created_at)))
        .collect()
}

async fn check_room(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    new: &Link,
    of_anchor: &[(Link, i64)],
) -> Result<(), LinkError> {
    if of_anchor.len() >= LINKS_MAX {
        return Err(LinkError::field(
            "anchor",
            "too-many",
            "at most 100 links of one anchor",
            "同一标识最多 100 个链接",
        ));
    }
    let default = LinkName::Gs1("defaultLink");
    let is_default = |link: &Link| LinkName::of(&link.link_type) == default;
    if is_default(new) && of_anchor.iter().any(|(link, _)| is_default(link)) {
        return Err(LinkError::field(
            "link_type",
            "second-default",
            "there is a default link already; delete it first",
            "已有默认链接，请先删除",
        ));
    }
    let held = link::Entity::find()
        .filter(link::Column::EnterpriseId.eq(enterprise))
        .filter(link::Column::DeletedAt.is_null())
        .count(tx)
        .await?;
    if held >= ENTERPRISE_LINKS_MAX {
        return Err(LinkError::field(
            "anchor",
            "too-many",
            "at most 100000 links of one enterprise",
            "每个企业最多 100000 个链接",
        ));
    }
    Ok(())
}

fn json(link: &Link) -> Result<String, LinkError> {
    Ok(serde_json::to_string(link)?)
}

fn out(anchor: String, link: Link, created_at: i64) -> LinkOut {
    LinkOut {
        id: link.id,
        anchor,
        link_type: link.link_type,
        href: link.href,
        title: link.title,
        media_type: link.media_type,
        hreflang: link.hreflang,
        context: link.context,
        created_at: rfc3339(created_at),
    }
}

fn entry(enterprise: Uuid, out: &LinkOut) -> Entry<'_> {
    Entry {
        kind: Kind::LinksChanged,
        enterprise: Some(enterprise),
        subject: format!("link:{}", out.id),
        body: out,
    }
}
