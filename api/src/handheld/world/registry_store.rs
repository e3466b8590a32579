//! Enterprises, places, products, batches, devices and who acts with them, as folds read them: all of them at first, then
//! one by one as they change. All SQL of that.

use super::filed_store::on_codes;
use crate::{
    clock::{Micros, expires_at},
    entities::{badge, batch, code_space, device, enterprise, location, product},
};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};
use std::collections::BTreeMap;
use suyuan_sync::{
    event::required::Profile,
    facts::{BatchInfo, PlaceInfo, World},
    ids::{BatchId, DeviceId, EnterpriseId, LocationId},
};
use uuid::Uuid;

/// Reads everything anew; what products are called.
pub(super) async fn all(conn: &impl ConnectionTrait, world: &mut World) -> Result<Named, DbErr> {
    let fresh = World::default();
    (world.enterprises, world.places) = (fresh.enterprises, fresh.places);
    (world.products, world.product_of) = (fresh.products, fresh.product_of);
    world.own_products = fresh.own_products;
    (world.batches, world.devices) = (fresh.batches, fresh.devices);
    world.actors = fresh.actors;
    enterprises(conn, None, world).await?;
    places(conn, None, world).await?;
    let named = products(conn, None, world).await?;
    put_batches(batch::Entity::find().all(conn).await?, &named, world);
    devices(conn, None, world).await?;
    actors(conn, world).await?;
    Ok(named)
}

/// Enterprises: all, or one.
pub(super) async fn enterprises(
    conn: &impl ConnectionTrait,
    only: Option<Uuid>,
    world: &mut World,
) -> Result<(), DbErr> {
    let mut find = enterprise::Entity::find();
    if let Some(id) = only {
        find = find.filter(enterprise::Column::Id.eq(id));
    }
    let rows = find.all(conn).await?;
    world
        .enterprises
        .extend(rows.into_iter().map(|row| EnterpriseId(row.id)));
    Ok(())
}

/// Places: all, or one.
pub(super) async fn places(
    conn: &impl ConnectionTrait,
    only: Option<Uuid>,
    world: &mut World,
) -> Result<(), DbErr> {
    let mut find = location::Entity::find();
    if let Some(id) = only {
        find = find.filter(location::Column::Id.eq(id));
    }
    for row in find.all(conn).await? {
        let info = PlaceInfo {
            enterprise: EnterpriseId(row.enterprise_id),
            plant: row.kind == "plant",
        };
        world.places.insert(LocationId(row.id), info);
    }
    Ok(())
}

/// What codes of a product carry: its GTIN, or its code where it has none.
pub(super) type Named = BTreeMap<Uuid, String>;

/// Products: all, or one.
pub(super) async fn products(
    conn: &impl ConnectionTrait,
    only: Option<Uuid>,
    world: &mut World,
) -> Result<Named, DbErr> {
    let mut products = product::Entity::find();
    let mut spaces = code_space::Entity::find().filter(code_space::Column::ProductId.is_not_null());
    if let Some(id) = only {
        products = products.filter(product::Column::Id.eq(id));
        spaces = spaces.filter(code_space::Column::ProductId.eq(id));
    }
    let rows = products.all(conn).await?.into_iter();
    let products: BTreeMap<Uuid, product::Model> = rows.map(|row| (row.id, row)).collect();
    let mut named = Named::new();
    let mut carried: Vec<(String, Uuid)> = Vec::new();
    for space in spaces.all(conn).await? {
        let Some(text) = on_codes(&space.space) else {
            continue;
        };
        let issuer = EnterpriseId(space.enterprise_id);
        world.products.insert(text.to_owned(), issuer);
        let item = space.space.starts_with("01/") && space.level == "item";
        if let Some(product) = space.product_id.filter(|_| item) {
            named.insert(product, text.to_owned());
        }
        carried.extend(space.product_id.map(|product| (text.to_owned(), product)));
    }
    for (id, row) in products {
        let name = named.entry(id).or_insert(row.code);
        let own = world
            .own_products
            .entry(EnterpriseId(row.enterprise_id))
            .or_default();
        own.insert(name.clone(), Profile::of_id(&row.profile));
    }
    for (text, product) in carried {
        match named.get(&product).filter(|name| **name != text) {
            Some(name) => world.product_of.insert(text, name.clone()),
            None => world.product_of.remove(&text),
        };
    }
    Ok(named)
}

/// One batch.
pub(super) async fn one_batch(
    conn: &impl ConnectionTrait,
    id: Uuid,
    world: &mut World,
) -> Result<(), DbErr> {
    let find = batch::Entity::find().filter(batch::Column::Id.eq(id));
    for row in find.all(conn).await? {
        let named = products(conn, Some(row.product_id), world).await?;
        put_batches(vec![row], &named, world);
    }
    Ok(())
}

fn put_batches(rows: Vec<batch::Model>, named: &Named, world: &mut World) {
    world.batches.extend(rows.into_iter().map(|row| {
        let info = BatchInfo {
            issuer: EnterpriseId(row.enterprise_id),
            product: named.get(&row.product_id).cloned().unwrap_or_default(),
            expires_at: expires_at(&row.expiry_date),
            plant: row.plant_id.map(LocationId),
            lot: row.lot,
        };
        (BatchId(row.id), info)
    }));
}

/// Devices and whose they are: all, or one.
pub(super) async fn devices(
    conn: &impl ConnectionTrait,
    only: Option<Uuid>,
    world: &mut World,
) -> Result<(), DbErr> {
    let mut find = device::Entity::find();
    if let Some(id) = only {
        find = find.filter(device::Column::Id.eq(id));
    }
    let pair = |row: device::Model| (DeviceId(row.id), EnterpriseId(row.enterprise_id));
    let rows = find.all(conn).await?;
    world.devices.extend(rows.into_iter().map(pair));
    Ok(())
}

/// Who is on record as acting for enterprises: the numbers of badges, withdrawn ones too.
async fn actors(conn: &impl ConnectionTrait, world: &mut World) -> Result<(), DbErr> {
    let rows: Vec<(Uuid, String, Option<Uuid>, Micros)> = badge::Entity::find()
        .select_only()
        .column(badge::Column::EnterpriseId)
        .column(badge::Column::Number)
        .column(badge::Column::LocationId)
        .column(badge::Column::Since)
        .into_tuple()
        .all(conn)
        .await?;
    for (enterprise, number, place, since) in rows {
        let actors = world.actors.entry(EnterpriseId(enterprise)).or_default();
        actors.put(number.into(), place.map(LocationId), since);
    }
    Ok(())
}

/// The spaces of a product's codes, or of an enterprise's logistic units.
pub(super) async fn spaces(
    conn: &impl ConnectionTrait,
    of: SpacesOf,
) -> Result<Vec<String>, DbErr> {
    let find = match of {
        SpacesOf::Product(id) => {
            code_space::Entity::find().filter(code_space::Column::ProductId.eq(id))
        }
        SpacesOf::Enterprise(id) => code_space::Entity::find()
            .filter(code_space::Column::EnterpriseId.eq(id))
            .filter(code_space::Column::ProductId.is_null()),
    };
    let rows = find.all(conn).await?;
    Ok(rows.into_iter().map(|row| row.space).collect())
}

/// Whose spaces.
pub(super) enum SpacesOf {
    Product(Uuid),
    Enterprise(Uuid),
}
