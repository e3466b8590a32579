//! C1: which batch a commission names. It may mean a batch of the unit's own product and of no other: a
//! lot is printed by everybody, and an id may be anybody's. It must not know what is made of it.

use crate::{
    event::LotLine,
    facts::{BatchInfo, Fact, Product, World},
    ids::{BatchId, EnterpriseId},
    trace_code::Text,
    unit::UnitKey,
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// What a commission says of the batch of a unit.
pub(super) enum Stated<'a> {
    /// Nothing.
    Nothing,
    /// This one.
    Batch(BatchId),
    /// One that is not on record, or not among those it may be: ids or lots as they were given.
    Unknown(BTreeSet<&'a str>),
}

/// The batch that a commission names: `batch` in the body as an id or a lot, lines of the unit's
/// product, or the lot the code itself carries.
pub(super) fn batch_of<'a>(world: &World, unit: &UnitKey, fact: &'a Fact) -> Stated<'a> {
    let event = &*fact.event;
    let belongs = Belongs::of(world, unit, fact.enterprise);
    let named = event.body.get("batch").and_then(|value| value.as_str());
    let named = named.filter(|text| !text.is_empty());
    if let Some(text) = named
        && let Ok(id) = Uuid::try_parse(text)
    {
        let known = world.batches.get(&BatchId(id));
        return match known.filter(|batch| belongs.takes(batch)) {
            Some(_) => Stated::Batch(BatchId(id)),
            None => Stated::Unknown([text].into()),
        };
    }
    let lines = belongs.lines(unit, &event.lots);
    if let Some(lot) = named {
        return belongs.only(&[lot], |batch| belongs.is_told(&lines, batch));
    }
    let lots: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.lot.as_deref())
        .collect();
    if !lots.is_empty() {
        let of_line = |line: &&LotLine, batch: &BatchInfo| {
            line.lot.as_ref() == Some(&batch.lot) && belongs.is_told(&[*line], batch)
        };
        return belongs.only(&lots, |batch| lines.iter().any(|line| of_line(line, batch)));
    }
    let read = event.units.of(unit).next();
    let claims = read.and_then(|read| read.scanned.as_ref());
    let claimed = claims.and_then(|scanned| scanned.claims.lot.as_ref());
    match claimed.map(Text::as_str) {
        Some(lot) if belongs.names_product() => belongs.only(&[lot], |_| true),
        Some(_) | None => Stated::Nothing,
    }
}

/// Of what the batch of a unit must be.
struct Belongs<'w> {
    world: &'w World,
    of: Of<'w>,
}

enum Of<'w> {
    /// Of the product the code was issued for.
    Product(Product<'w>),
    /// A trade item, of a GTIN that is on nobody's record: there is no batch of it.
    Nobody,
    /// No product is known of the code. Of who issued it; if nobody here did, of who states it.
    Enterprise(EnterpriseId),
}

impl<'w> Belongs<'w> {
    fn of(world: &'w World, unit: &'w UnitKey, stater: EnterpriseId) -> Belongs<'w> {
        let of = match (world.product_of_unit(unit), unit.gtin()) {
            (Some(product), _) => Of::Product(product),
            (None, Some(_)) => Of::Nobody,
            (None, None) => Of::Enterprise(world.issuer_of(unit).unwrap_or(stater)),
        };
        Belongs { world, of }
    }

    fn names_product(&self) -> bool {
        !matches!(self.of, Of::Enterprise(_))
    }

    fn takes(&self, batch: &BatchInfo) -> bool {
        match self.of {
            Of::Product(product) => batch.is_of(product),
            Of::Nobody => false,
            Of::Enterprise(enterprise) => batch.issuer == enterprise,
        }
    }

    /// The lines that speak of the unit: those of its own GTIN, and if there are none, those of its product.
    /// Where the code tells no product, all do. A product code in them is one of whose the unit's batch is.
    fn lines<'e>(&self, unit: &UnitKey, lines: &'e [LotLine]) -> Vec<&'e LotLine> {
        let same = lines.iter().filter(|line| unit.gtin() == Some(&line.gtin));
        let same: Vec<&LotLine> = same.collect();
        if !same.is_empty() {
            return same;
        }
        let alike = |line: &&LotLine| match self.of {
            Of::Product(product) => {
                self.world.product_said(&line.gtin, product.issuer) == Some(product)
            }
            Of::Enterprise(_) => true,
            Of::Nobody => false,
        };
        lines.iter().filter(alike).collect()
    }

    /// Is it told which product the batch is of? A lot is a product's own: where the code tells no product,
    /// a line must.
    fn is_told(&self, lines: &[&LotLine], batch: &BatchInfo) -> bool {
        let called = |line: &&LotLine| {
            let said = self.world.product_said(&line.gtin, batch.issuer);
            said.is_some_and(|product| batch.is_of(product))
        };
        self.names_product() || lines.iter().any(called)
    }

    /// The one batch of these lots that it may be.
    fn only<'e>(&self, lots: &[&'e str], may: impl Fn(&BatchInfo) -> bool) -> Stated<'e> {
        let lots: BTreeSet<&'e str> = lots.iter().copied().collect();
        let of_lots = lots.iter().flat_map(|lot| self.world.batches.with_lot(lot));
        let mut found = of_lots.filter(|(_, batch)| self.takes(batch) && may(batch));
        match (found.next(), found.next()) {
            (Some((batch, _)), None) => Stated::Batch(batch),
            _ => Stated::Unknown(lots),
        }
    }
}
