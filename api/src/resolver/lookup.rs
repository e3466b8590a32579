//! From a code to the facts about it, out of the world in memory. Pure: the day is an argument,
//! nothing is read.

use super::{
    decide::{Facts, Names, Standing},
    exceptions::Against,
    world::{Batch, Space, World},
};
use crate::{
    clock::end_of_day,
    codes::{SpaceKey, UnitLevel},
    projection::Recall,
};
use std::sync::Arc;
use suyuan_sync::{
    fold::contradicts,
    trace_code::{Claims, GtinCode, Scanned, Text, TraceCode, fold_typed},
};
use uuid::Uuid;

/// How the code came: only typed ones are read leniently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entered {
    /// By scanner or link.
    Scanned,
    /// By a person's fingers: case and look-alikes are folded in serials of ours.
    Typed,
}

/// What there is to show.
#[derive(Debug, Clone)]
pub enum Subject {
    /// A batch.
    Batch(Arc<Batch>),
    /// A product, at this version; `None` when it is not published.
    Product(Uuid, Option<i64>),
    /// Nothing.
    Nothing,
}

/// What a code named.
#[derive(Debug, Clone)]
pub struct Found {
    /// For the decision.
    pub facts: Facts,
    /// For the page.
    pub subject: Subject,
    /// Space and index of the unit, if it was ever allocated: what queries are counted under.
    pub unit: Option<(SpaceKey, u64)>,
    /// The code as we print it: typed serials are folded.
    pub code: TraceCode,
    /// `product`, `batch`, `item`, `case` or `pallet`.
    pub level: &'static str,
    /// A recall of this very unit, where it is newer than its batch's.
    pub notice: Option<Arc<Recall>>,
}

impl Found {
    /// The recall to be told: the newest that covers it.
    pub fn recall(&self) -> Option<&Recall> {
        let of_batch = match &self.subject {
            Subject::Batch(batch) => batch.recalls.first(),
            Subject::Product(..) | Subject::Nothing => None,
        };
        self.notice.as_deref().or(of_batch)
    }

    /// Takes in what is wrong with a batch it is in.
    fn against(&mut self, batch: &Batch, today: i32) {
        self.facts.recalled |= !batch.recalls.is_empty();
        self.facts.expired |= is_expired(batch, today);
        if let Some(recall) = newer(batch.recalls.first(), self.recall()) {
            self.notice = Some(Arc::new(recall.clone()));
        }
    }

    /// Takes in what is wrong with batches of which something is in it: nobody should use that.
    fn holding(&mut self, world: &World, batches: impl Iterator<Item = Uuid>, today: i32) {
        for batch in batches.filter_map(|id| world.batch(id)) {
            self.against(batch, today);
        }
    }

    /// Takes in the batch that a line named, where the record of codes names none (C1).
    fn of_stated(&mut self, batch: Option<&Arc<Batch>>, claims: &Claims, today: i32) {
        let Some(batch) = batch else {
            return;
        };
        self.facts.contradicts_record = is_contradicted(claims, batch);
        self.facts.cannot_confirm = !batch.published;
        self.against(batch, today);
    }

    /// Takes in what is known against the unit itself.
    fn about_unit(&mut self, against: Against, recall: Option<&Arc<Recall>>) {
        self.facts.queried_often = against.queried_often;
        self.facts.suspected_copy = against.copy;
        self.facts.collected = against.collected;
        self.facts.destroyed = against.destroyed;
        self.facts.recalled |= recall.is_some();
        if let Some(recall) = recall
            && newer(Some(recall), self.recall()).is_some()
        {
            self.notice = Some(recall.clone());
        }
    }
}

/// Looks a code up. `today` in days since 1970, Asia/Shanghai.
pub fn lookup(world: &World, scanned: &Scanned, entered: Entered, today: i32) -> Found {
    let mut found = named(world, scanned, entered, today);
    if found.unit.is_none()
        && let Some(other) = world.other(&found.code)
    {
        let recall = world.newest_open(other.recalls.iter().copied());
        found.about_unit((&other.status).into(), recall);
        found.holding(world, other.holds.iter().copied(), today);
    }
    found
}

fn named(world: &World, scanned: &Scanned, entered: Entered, today: i32) -> Found {
    match &scanned.code {
        TraceCode::Gtin(gtin) => match (&gtin.serial, &gtin.upui) {
            (Some(serial), _) => unit(world, scanned, gtin, serial, entered, today),
            // A serial controlled by a third party (235) names a unit; none of ours does.
            (None, Some(_)) => match world.space(&SpaceKey::gtin(gtin.gtin)) {
                Some(space) => judge(world, space, scanned.code, None, &scanned.claims, today),
                None => nothing(scanned.code),
            },
            (None, None) => product(world, scanned, gtin, today),
        },
        TraceCode::Own(_) => own(world, scanned, today),
        TraceCode::Sscc(sscc) => {
            // Company prefixes are 4 to 12 digits long; no two of ours begin alike.
            let named = (4..=12).find_map(|len| {
                let prefix = sscc.as_str().get(1..=len)?;
                let space = world.space(&SpaceKey::sscc(prefix)?)?;
                Some((space, crate::codes::sscc_index(sscc, prefix)?))
            });
            let Some((space, index)) = named else {
                return nothing(scanned.code);
            };
            let standing = space.standing(index);
            let unit = (standing != Standing::NotAllocated).then_some((space.key, index));
            let mut found = Found {
                facts: Facts::of(Names::logistic_unit(standing)),
                subject: Subject::Nothing,
                unit,
                code: scanned.code,
                level: UnitLevel::Pallet.name(),
                notice: None,
            };
            if unit.is_some() {
                let stated = space.stated(index).and_then(|id| world.batch(id));
                found.of_stated(stated, &scanned.claims, today);
                let recall = world.newest_open(space.recalls(index));
                found.about_unit(space.against(index), recall);
                found.holding(world, space.holds(index), today);
            }
            found
        }
        TraceCode::Other(_) | TraceCode::Profiled(_) => nothing(scanned.code),
    }
}

fn unit(
    world: &World,
    scanned: &Scanned,
    gtin: &GtinCode,
    serial: &Text<20>,
    entered: Entered,
    today: i32,
) -> Found {
    let Some(space) = world.space(&SpaceKey::gtin(gtin.gtin)) else {
        return nothing(scanned.code);
    };
    let mut code = scanned.code;
    let mut index = space.ring.index_of(serial);
    if index.is_none()
        && entered == Entered::Typed
        && let Some(meant) = fold_typed(&code)
        && let TraceCode::Gtin(gtin) = &meant
        && let Some(opened) = gtin.serial.and_then(|serial| space.ring.index_of(&serial))
    {
        (code, index) = (meant, Some(opened));
    }
    judge(world, space, code, index, &scanned.claims, today)
}

fn own(world: &World, scanned: &Scanned, today: i32) -> Found {
    let Some(name) = crate::codes::UnitName::of(&scanned.code) else {
        return nothing(scanned.code);
    };
    let Some(space) = world.space(&name.space) else {
        return nothing(scanned.code);
    };
    let index = space.ring.index_of(&name.serial);
    judge(world, space, scanned.code, index, &scanned.claims, today)
}

/// Judges a unit of a known space. `index` is absent where the serial was never minted.
fn judge(
    world: &World,
    space: &Space,
    code: TraceCode,
    index: Option<u64>,
    claims: &Claims,
    today: i32,
) -> Found {
    let standing = index.map_or(Standing::NotAllocated, |index| space.standing(index));
    let mut found = Found {
        facts: Facts::of(Names::unit(standing)),
        subject: Subject::Nothing,
        unit: index.map(|index| (space.key, index)),
        code,
        level: space.level.name(),
        notice: None,
    };
    let stated = index.and_then(|index| world.batch(space.stated(index)?));
    let show_product = |found: &mut Found| {
        if let Some(product) = space.product {
            found.subject = Subject::Product(product, world.product_version(product));
        }
    };
    match standing {
        Standing::NotAllocated => found.unit = None,
        Standing::Allocated => {
            // A line's word makes no code legal; but what is known of the batch it named is told.
            match stated {
                Some(batch) => found.subject = Subject::Batch(batch.clone()),
                None => show_product(&mut found),
            }
            found.of_stated(stated, claims, today);
        }
        Standing::Void => {
            show_product(&mut found);
            found.of_stated(stated, claims, today);
        }
        Standing::Commissioned(id) => {
            match world.batch(id) {
                Some(batch) => {
                    found.facts.contradicts_record = is_contradicted(claims, batch);
                    found.facts.cannot_confirm = !batch.published;
                    about_batch(&mut found, batch, today);
                }
                // A range never arrives before its batch; if it did, nothing would be vouched for.
                None => found.facts.cannot_confirm = true,
            }
            // The events say another batch than the record: what is wrong with either is told.
            if let Some(other) = stated {
                found.against(other, today);
            }
        }
    }
    if let Some((_, index)) = found.unit {
        found.about_unit(
            space.against(index),
            world.newest_open(space.recalls(index)),
        );
        found.holding(world, space.holds(index), today);
    }
    found
}

/// A code that names a product, or a batch of it; an unknown batch walks up to the product.
fn product(world: &World, scanned: &Scanned, gtin: &GtinCode, today: i32) -> Found {
    let product = world
        .space(&SpaceKey::gtin(gtin.gtin))
        .and_then(|space| space.product);
    let Some(product) = product else {
        return nothing(scanned.code);
    };
    let mut found = Found {
        facts: Facts::of(Names::ProductOrBatch),
        subject: Subject::Product(product, world.product_version(product)),
        unit: None,
        code: scanned.code,
        level: "product",
        notice: None,
    };
    let lot = gtin.lot.or(scanned.claims.lot);
    if let Some(batch) = lot.and_then(|lot| world.batch_by_lot(product, &lot)) {
        found.level = "batch";
        found.facts.contradicts_record = is_contradicted(&scanned.claims, batch);
        about_batch(&mut found, batch, today);
    }
    found
}

fn about_batch(found: &mut Found, batch: &Arc<Batch>, today: i32) {
    found.facts.recalled = !batch.recalls.is_empty();
    found.facts.expired = is_expired(batch, today);
    found.subject = Subject::Batch(batch.clone());
}

fn is_expired(batch: &Batch, today: i32) -> bool {
    batch.expiry_day.is_some_and(|last| today > last)
}

/// A recall that is newer than another, if there is one.
fn newer<'r>(recall: Option<&'r Recall>, than: Option<&Recall>) -> Option<&'r Recall> {
    let than = than.map(|than| than.opened_at);
    recall.filter(|recall| Some(recall.opened_at) > than)
}

/// Does the code itself say another lot or day than the record?
fn is_contradicted(claims: &Claims, batch: &Batch) -> bool {
    contradicts(claims, Some(&batch.lot), batch.expiry_day.map(end_of_day))
}

fn nothing(code: TraceCode) -> Found {
    Found {
        facts: Facts::of(Names::Nothing),
        subject: Subject::Nothing,
        unit: None,
        code,
        level: match code {
            TraceCode::Sscc(_) => UnitLevel::Pallet.name(),
            TraceCode::Gtin(gtin) if gtin.serial.is_none() && gtin.upui.is_none() => "product",
            _ => "item",
        },
        notice: None,
    }
}
