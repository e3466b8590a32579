//! What places were told of, so that it can be taken back, kept up to date, and answered for: all SQL
//! of it. It is written before anybody is told.

use super::{follow_store, listed::store::handled, pull::Part};
use crate::{
    db::{
        Db, query_all,
        rows::{Rows, by_keys},
    },
    handheld::units::store::UnitId,
    http::device::DeviceKnown,
};
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::BTreeSet;
use suyuan_sync::{ids::EnterpriseId, wire::Item};
use uuid::Uuid;

/// Rows one transaction writes: it holds SQLite's writer, which others wait for.
const AT_ONCE: usize = 2048;

/// What a device is about to be told that its place or enterprise need not have known.
#[derive(Debug, Default)]
pub struct Seen {
    units: Vec<UnitId>,
    /// Products of others.
    products: BTreeSet<Uuid>,
    /// Other enterprises.
    partners: BTreeSet<Uuid>,
    /// Places that its papers name, and the way of its goods, and that are on no record.
    places: BTreeSet<Uuid>,
    /// Of all these, what was kept before.
    kept: BTreeSet<Uuid>,
}

impl Seen {
    /// Adds what a part of a pull tells.
    pub fn add(&mut self, device: &DeviceKnown, part: &Part) {
        let own = EnterpriseId(device.enterprise);
        for unit in &part.here {
            self.units.push(unit.id);
            let foreign = unit.state.issuer != Some(own);
            let new = |product: &Uuid| foreign && !self.kept.contains(product);
            self.products.extend(unit.product.filter(new));
        }
        let places = part.unowned.iter().map(|place| place.0);
        self.places
            .extend(places.filter(|place| !self.kept.contains(place)));
        for told in &part.items {
            if let Item::Partner(card) = &told.item
                && card.enterprise != own
                && !self.kept.contains(&card.enterprise.0)
            {
                self.partners.insert(card.enterprise.0);
            }
        }
    }

    /// It was kept: what is added from now on is kept again only where it is a unit, which may have changed.
    pub fn is_kept(&mut self) {
        self.units.clear();
        self.kept.append(&mut self.products);
        self.kept.append(&mut self.partners);
        self.kept.append(&mut self.places);
    }
}

/// Places on no record that a place follows: of more that its papers name it is not told whose they are once
/// they are filed, until it is told of their enterprise otherwise.
const PLACES_MAX: i64 = 1_000;

/// What of others a place follows, by subject of the log: products it was told of, and places that were on no
/// record when its papers named them.
pub async fn followed(conn: &impl ConnectionTrait, location: Uuid) -> Result<Vec<String>, DbErr> {
    let found = query_all(
        conn,
        "SELECT 'product' AS what, product_id AS id FROM known_product WHERE location_id = ? \
         UNION ALL SELECT 'location', place_id FROM named_place WHERE location_id = ?",
        [location.into(), location.into()],
    )
    .await?;
    let subject = |row: &sea_orm::QueryResult| {
        let (what, id): (String, Uuid) = (row.try_get("", "what")?, row.try_get("", "id")?);
        Ok(format!("{what}:{id}"))
    };
    found.iter().map(subject).collect()
}

/// Products of others that a place was told of.
pub async fn products(
    conn: &impl ConnectionTrait,
    location: Uuid,
) -> Result<BTreeSet<Uuid>, DbErr> {
    let found = query_all(
        conn,
        "SELECT product_id FROM known_product WHERE location_id = ?",
        [location.into()],
    )
    .await?;
    let product = |row: &sea_orm::QueryResult| row.try_get("", "product_id");
    found.iter().map(product).collect()
}

/// Enterprises that a place was told of.
pub async fn partners(
    conn: &impl ConnectionTrait,
    location: Uuid,
) -> Result<BTreeSet<Uuid>, DbErr> {
    let found = query_all(
        conn,
        "SELECT partner_id FROM known_partner WHERE location_id = ?",
        [location.into()],
    )
    .await?;
    let partner = |row: &sea_orm::QueryResult| row.try_get("", "partner_id");
    found.iter().map(partner).collect()
}

/// Places on no record that a place follows.
async fn places(conn: &impl ConnectionTrait, location: Uuid) -> Result<BTreeSet<Uuid>, DbErr> {
    let found = query_all(
        conn,
        "SELECT place_id FROM named_place WHERE location_id = ?",
        [location.into()],
    )
    .await?;
    let place = |row: &sea_orm::QueryResult| row.try_get("", "place_id");
    found.iter().map(place).collect()
}

/// Keeps that a device's place is told of these units and partners, and that its enterprise handles
/// these products. Partners are the place's: what another place was told of would be told to a new
/// device only (I24).
pub async fn keep(db: &Db, device: &DeviceKnown, seen: &Seen) -> Result<(), DbErr> {
    let (mut products, mut new) = (seen.products.clone(), seen.partners.clone());
    let mut here = seen.products.clone();
    if !here.is_empty() {
        let known = self::products(db.reader(), device.location).await?;
        here.retain(|product| !known.contains(product));
    }
    write(
        db,
        "INSERT INTO known_product (location_id, product_id)",
        here.iter()
            .map(|product| [device.location.into(), (*product).into()]),
    )
    .await?;
    if !products.is_empty() {
        let known = handled(db.reader(), device.enterprise).await?;
        products.retain(|product| !known.contains(product));
    }
    if !new.is_empty() {
        let known = partners(db.reader(), device.location).await?;
        new.retain(|partner| !known.contains(partner));
    }
    write(
        db,
        "INSERT INTO handled_product (enterprise_id, product_id)",
        products
            .iter()
            .map(|product| [device.enterprise.into(), (*product).into()]),
    )
    .await?;
    write(
        db,
        "INSERT INTO known_partner (location_id, partner_id)",
        new.iter()
            .map(|partner| [device.location.into(), (*partner).into()]),
    )
    .await?;
    if !seen.places.is_empty() {
        let known = places(db.reader(), device.location).await?;
        let room = usize::try_from(PLACES_MAX).unwrap_or_default();
        let room = room.saturating_sub(known.len());
        let new = seen.places.iter().filter(|place| !known.contains(place));
        write(
            db,
            "INSERT INTO named_place (location_id, place_id)",
            new.take(room)
                .map(|place| [device.location.into(), (*place).into()]),
        )
        .await?;
    }
    let known = told_of(db.reader(), device.location, &seen.units).await?;
    let units = seen.units.iter().filter(|unit| !known.contains(unit));
    let units: Vec<UnitId> = units.copied().collect();
    for units in units.chunks(AT_ONCE) {
        let tx = db.begin().await?;
        follow_store::note(&tx, device.location, units).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Which of these units a place was told of.
pub async fn told_of(
    conn: &impl ConnectionTrait,
    location: Uuid,
    units: &[UnitId],
) -> Result<BTreeSet<UnitId>, DbErr> {
    let found = by_keys(
        conn,
        "SELECT DISTINCT unit_id FROM told_unit WHERE location_id = ? AND unit_id IN ({keys})",
        &[location.into()],
        units.iter().map(|unit| (*unit).into()).collect(),
    )
    .await?;
    let unit = |row: &sea_orm::QueryResult| row.try_get("", "unit_id");
    found.iter().map(unit).collect()
}

async fn write(
    db: &Db,
    head: &str,
    pairs: impl Iterator<Item = [sea_orm::Value; 2]>,
) -> Result<(), DbErr> {
    let mut pairs = pairs.peekable();
    while pairs.peek().is_some() {
        let mut new = Rows::of(2);
        for pair in pairs.by_ref().take(AT_ONCE) {
            new.add(pair);
        }
        let tx = db.begin().await?;
        new.write(&tx, head, "ON CONFLICT DO NOTHING").await?;
        tx.commit().await?;
    }
    Ok(())
}
