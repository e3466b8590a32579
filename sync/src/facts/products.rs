//! Whose product something is, as far as it is on record. A product is one enterprise's, and is called by
//! the GTIN of its items or, where they have none, by its own code, which another enterprise may use for
//! another product: so it is never told by its name alone.

use super::{BatchInfo, World};
use crate::{ids::EnterpriseId, unit::UnitKey};

/// A product on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product<'w> {
    /// Whose.
    pub issuer: EnterpriseId,
    /// What its batches call it ([`BatchInfo::product`]).
    pub name: &'w str,
}

impl World {
    /// Who issued a unit's code: as on record of the unit, else of its GTIN; nobody for a foreign code.
    pub fn issuer_of(&self, unit: &UnitKey) -> Option<EnterpriseId> {
        match self.units.get(unit) {
            Some(info) => info.issuer,
            None => self.products.get(unit.gtin()?).copied(),
        }
    }

    /// The product that a unit's code was issued for: as on record of the unit, else of its GTIN. A
    /// logistic unit is of none.
    pub fn product_of_unit<'w>(&'w self, unit: &'w UnitKey) -> Option<Product<'w>> {
        let info = self.units.get(unit);
        let recorded = info.and_then(|info| {
            Some(Product {
                issuer: info.issuer?,
                name: info.product.as_deref()?,
            })
        });
        recorded.or_else(|| self.product_of_gtin(unit.gtin()?))
    }

    /// The product that a GTIN stands for, on items or on cases.
    pub fn product_of_gtin<'w>(&'w self, gtin: &'w str) -> Option<Product<'w>> {
        let issuer = *self.products.get(gtin)?;
        let name = self.product_of.get(gtin).map_or(gtin, String::as_str);
        Some(Product { issuer, name })
    }
}

impl BatchInfo {
    /// Is it a batch of this product?
    pub fn is_of(&self, product: Product<'_>) -> bool {
        self.issuer == product.issuer && self.product == product.name
    }
}
