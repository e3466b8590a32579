//! Whose product something is, as far as it is on record. A product is one enterprise's, and is called by
//! the GTIN of its items or, where they have none, by its own code, which another enterprise may use for
//! another product: so it is never told by its name alone. What a text stands for follows from the text
//! and from who says it, and from nothing that somebody else puts on record.

use super::{BatchInfo, World};
use crate::{event::required::Profile, ids::EnterpriseId, trace_code::Gtin, unit::UnitKey};

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
        recorded.or_else(|| self.product_on_codes(unit.gtin()?))
    }

    /// The product that codes name so, of whoever it is: by a GTIN, of its items or its cases, or by
    /// `ENTERPRISE.CODE`.
    pub fn product_on_codes<'w>(&'w self, text: &'w str) -> Option<Product<'w>> {
        let issuer = *self.products.get(text)?;
        let name = self.product_of.get(text).map_or(text, String::as_str);
        Some(Product { issuer, name })
    }

    /// The product that an enterprise means by a text: what codes name so, else the product of its own that
    /// has no GTIN and this code. What is a GTIN is never a code: somebody else may register it one day.
    pub fn product_said<'w>(&'w self, text: &'w str, by: EnterpriseId) -> Option<Product<'w>> {
        let own = || {
            let own = self.own_products.get(&by)?;
            let (name, _) = own.get_key_value(text)?;
            Some(Product { issuer: by, name })
        };
        let on_codes = self.product_on_codes(text);
        on_codes.or_else(|| own().filter(|_| Gtin::parse(text).is_err()))
    }

    /// The profile of the standard that a product falls under.
    pub fn profile_of(&self, product: Product<'_>) -> Option<Profile> {
        *self.own_products.get(&product.issuer)?.get(product.name)?
    }
}

impl BatchInfo {
    /// The product it is a batch of.
    pub fn of_product(&self) -> Product<'_> {
        Product {
            issuer: self.issuer,
            name: &self.product,
        }
    }

    /// Is it a batch of this product?
    pub fn is_of(&self, product: Product<'_>) -> bool {
        self.of_product() == product
    }
}
