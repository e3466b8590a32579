//! All SQL about products.

use super::wire::{ProductOut, TradeItemOut};
use crate::{
    catalogue::Values,
    codes::{self, MintProfile, NewSpace, SpaceKey, UnitLevel},
    db::Db,
    entities::{code_space, product, product_version},
    http::page::Paging,
    log::{Act, Actor, Begun, Entry, IdempotencyKey, Kind, Log},
    registry::{RegistryError, enterprises},
    sealing::Sealer,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use suyuan_sync::trace_code::Gtin;
use uuid::Uuid;

/// A product to be written; already checked.
pub struct NewProduct {
    /// Product code.
    pub code: String,
    /// Name for lists.
    pub name: String,
    /// Profile.
    pub profile: String,
    /// Category.
    pub category: Option<String>,
    /// Smallest saleable unit.
    pub gtin: Option<Gtin>,
    /// Case.
    pub case_gtin: Option<Gtin>,
    /// How serials are minted.
    pub mint_profile: MintProfile,
    /// Class-level values.
    pub fields: Values,
}

/// Registers a product and opens its code spaces.
pub async fn create(
    log: &Log,
    sealer: &Sealer,
    actor: Actor,
    key: Option<IdempotencyKey>,
    enterprise: Uuid,
    new: NewProduct,
) -> Result<ProductOut, RegistryError> {
    let act = match log.begin(actor, key).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => return Ok(out),
    };
    let id = log.clock().new_id();
    product::Entity::insert(product::ActiveModel {
        enterprise_id: Set(enterprise),
        id: Set(id),
        code: Set(new.code.clone()),
        name: Set(new.name.clone()),
        profile: Set(new.profile.clone()),
        category: Set(new.category.clone()),
        created_at: Set(act.stamp()),
    })
    .exec_without_returning(act.tx())
    .await?;
    let mut trade_items = Vec::new();
    for (space, level) in spaces(&act, enterprise, &new).await? {
        trade_items.push(TradeItemOut {
            space: space.to_string(),
            level: level.name().into(),
            mint_profile: new.mint_profile,
        });
        let space = NewSpace {
            space,
            product: Some(id),
            level,
            profile: new.mint_profile,
        };
        codes::open_space(&act, sealer, enterprise, space).await?;
    }
    let first_day = "0001-01-01".to_owned();
    add_version(&act, enterprise, id, 1, &new.name, &first_day, &new.fields).await?;
    let out = ProductOut {
        id,
        code: new.code,
        name: new.name,
        profile: new.profile,
        category: new.category,
        trade_items,
        version: 1,
        valid_from: first_day,
        published: false,
        fields: serde_json::to_value(&new.fields)?,
    };
    act.commit(entry(enterprise, Kind::MasterDataChanged, &out), &out)
        .await?;
    Ok(out)
}

/// The spaces a product gets: by GTIN where it has one, else in the own scheme.
async fn spaces(
    act: &Act,
    enterprise: Uuid,
    new: &NewProduct,
) -> Result<Vec<(SpaceKey, UnitLevel)>, RegistryError> {
    let prefixes = enterprises::store::prefixes(act.tx(), enterprise).await?;
    for (field, gtin) in [("gtin", new.gtin), ("case_gtin", new.case_gtin)] {
        let ours = |gtin: Gtin| {
            prefixes
                .iter()
                .any(|prefix| gtin.as_str()[1..].starts_with(prefix.as_str()))
        };
        if gtin.is_some_and(|gtin| !ours(gtin)) {
            return Err(RegistryError::field(
                field,
                "foreign-prefix",
                "not under a company prefix of this enterprise",
                "不属于本企业的厂商识别代码",
            ));
        }
    }
    let mut spaces = Vec::new();
    if let Some(gtin) = new.gtin {
        spaces.push((SpaceKey::gtin(gtin), UnitLevel::Item));
    } else if new.mint_profile == MintProfile::Numeric {
        return Err(RegistryError::field(
            "mint_profile",
            "needs-gtin",
            "numeric serials are for SGTIN-96, so the product needs a GTIN",
            "纯数字序列号用于 SGTIN-96，产品须有 GTIN",
        ));
    } else {
        let code = enterprises::store::code(act.tx(), enterprise).await?;
        let space = SpaceKey::own(&code, &new.code).ok_or_else(|| {
            RegistryError::field("code", "length", "at most 20 characters", "最多 20 个字符")
        })?;
        spaces.push((space, UnitLevel::Item));
    }
    if let Some(gtin) = new.case_gtin {
        spaces.push((SpaceKey::gtin(gtin), UnitLevel::Case));
    }
    Ok(spaces)
}

/// Adds a version; it is not public until published.
pub async fn revise(
    log: &Log,
    actor: Actor,
    key: Option<IdempotencyKey>,
    enterprise: Uuid,
    id: Uuid,
    version: NewVersion,
) -> Result<ProductOut, RegistryError> {
    let act = match log.begin(actor, key).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => return Ok(out),
    };
    let row = row(act.tx(), enterprise, id).await?;
    let newest = newest(act.tx(), enterprise, id).await?.version;
    let NewVersion {
        name,
        valid_from,
        fields,
    } = version;
    add_version(
        &act,
        enterprise,
        id,
        newest + 1,
        &name,
        &valid_from,
        &fields,
    )
    .await?;
    let out = read(act.tx(), row).await?;
    act.commit(entry(enterprise, Kind::MasterDataChanged, &out), &out)
        .await?;
    Ok(out)
}

/// A version to be added; already checked.
pub struct NewVersion {
    /// Name for lists.
    pub name: String,
    /// From this day.
    pub valid_from: String,
    /// Values.
    pub fields: Values,
}

/// The published class-level values for goods made on a day, and whether newer ones are public.
pub struct InForce {
    /// Values of the version in force on that day.
    pub values: Values,
    /// A later version is public.
    pub newer: bool,
}

/// The newest published version in force on `day`; before the first, the first. A version that
/// begins after `today` is not news yet.
pub async fn in_force(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    id: Uuid,
    day: &str,
    today: &str,
) -> Result<Option<InForce>, RegistryError> {
    let versions = product_version::Entity::find()
        .filter(product_version::Column::EnterpriseId.eq(enterprise))
        .filter(product_version::Column::ProductId.eq(id))
        .filter(product_version::Column::PublishedAt.is_not_null())
        .order_by_asc(product_version::Column::Version)
        .all(tx)
        .await?;
    let chosen = versions
        .iter()
        .rev()
        .find(|v| v.valid_from.as_str() <= day)
        .or(versions.first());
    let Some(chosen) = chosen else {
        return Ok(None);
    };
    Ok(Some(InForce {
        values: serde_json::from_str(&chosen.fields)?,
        newer: versions
            .iter()
            .any(|v| v.version > chosen.version && v.valid_from.as_str() <= today),
    }))
}

/// The newest version, published or not.
pub async fn newest(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    id: Uuid,
) -> Result<product_version::Model, RegistryError> {
    product_version::Entity::find()
        .filter(product_version::Column::EnterpriseId.eq(enterprise))
        .filter(product_version::Column::ProductId.eq(id))
        .order_by_desc(product_version::Column::Version)
        .one(tx)
        .await?
        .ok_or(RegistryError::Unknown)
}

/// Marks a version as public.
pub async fn mark_published(
    act: &Act,
    enterprise: Uuid,
    id: Uuid,
    version: i64,
) -> Result<(), RegistryError> {
    product_version::Entity::update_many()
        .col_expr(product_version::Column::PublishedAt, act.stamp().into())
        .filter(product_version::Column::EnterpriseId.eq(enterprise))
        .filter(product_version::Column::ProductId.eq(id))
        .filter(product_version::Column::Version.eq(version))
        .filter(product_version::Column::PublishedAt.is_null())
        .exec(act.tx())
        .await?;
    Ok(())
}

/// The row of a product of this enterprise.
pub async fn row(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    id: Uuid,
) -> Result<product::Model, RegistryError> {
    let row = product::Entity::find_by_id((enterprise, id))
        .one(tx)
        .await?;
    row.ok_or(RegistryError::Unknown)
}

/// One product.
pub async fn get(db: &Db, enterprise: Uuid, id: Uuid) -> Result<ProductOut, RegistryError> {
    let row = row(db.reader(), enterprise, id).await?;
    read(db.reader(), row).await
}

/// Products of an enterprise.
pub async fn list(
    db: &Db,
    enterprise: Uuid,
    paging: Paging,
) -> Result<Vec<ProductOut>, RegistryError> {
    let rows = product::Entity::find()
        .filter(product::Column::EnterpriseId.eq(enterprise))
        .filter(product::Column::Id.gt(paging.after))
        .order_by_asc(product::Column::Id)
        .limit(paging.limit)
        .all(db.reader())
        .await?;
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        out.push(read(db.reader(), row).await?);
    }
    Ok(out)
}

/// A row with its newest version and trade items.
pub async fn read(
    tx: &impl ConnectionTrait,
    row: product::Model,
) -> Result<ProductOut, RegistryError> {
    let version = newest(tx, row.enterprise_id, row.id).await?;
    let spaces = codes::spaces_of(tx, row.enterprise_id, row.id).await?;
    let trade_item = |space: code_space::Model| -> Result<_, sea_orm::DbErr> {
        Ok(TradeItemOut {
            mint_profile: codes::store::profile_of(&space)?,
            space: space.space,
            level: space.level,
        })
    };
    Ok(ProductOut {
        id: row.id,
        code: row.code,
        name: version.name,
        profile: row.profile,
        category: row.category,
        trade_items: spaces
            .into_iter()
            .map(trade_item)
            .collect::<Result<_, _>>()?,
        version: version.version,
        valid_from: version.valid_from,
        published: version.published_at.is_some(),
        fields: serde_json::from_str(&version.fields)?,
    })
}

async fn add_version(
    act: &Act,
    enterprise: Uuid,
    id: Uuid,
    version: i64,
    name: &str,
    valid_from: &str,
    fields: &Values,
) -> Result<(), RegistryError> {
    product_version::Entity::insert(product_version::ActiveModel {
        enterprise_id: Set(enterprise),
        product_id: Set(id),
        version: Set(version),
        name: Set(name.to_owned()),
        valid_from: Set(valid_from.to_owned()),
        fields: Set(serde_json::to_string(fields)?),
        created_at: Set(act.stamp()),
        published_at: Set(None),
    })
    .exec_without_returning(act.tx())
    .await?;
    Ok(())
}

/// The log entry of a product.
pub fn entry(enterprise: Uuid, kind: Kind, out: &ProductOut) -> Entry<'_> {
    Entry {
        kind,
        enterprise: Some(enterprise),
        subject: format!("product:{}", out.id),
        body: out,
    }
}
