//! Names of code spaces: which space a code belongs to, and the part of it that is looked up
//! there. Pure.

use std::fmt;
use suyuan_sync::trace_code::{Gtin, Sscc, Text, TraceCode};

use super::minting::SERIAL_LEN;

/// A space of indices: one per GTIN, per own-scheme product, per company prefix for SSCCs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpaceKey {
    /// Units of a trade item.
    Gtin(Gtin),
    /// Units of a product of an enterprise without GTIN.
    Own(Text<12>, Text<20>),
    /// Logistic units of a company prefix.
    Sscc(Text<12>),
}

/// Levels of units; a level is set when its space is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnitLevel {
    /// The smallest saleable unit (最小销售单元).
    Item,
    /// A case (箱).
    Case,
    /// A pallet or other logistic unit (托盘).
    Pallet,
}

impl UnitLevel {
    /// The name in rows and answers.
    pub const fn name(self) -> &'static str {
        match self {
            UnitLevel::Item => "item",
            UnitLevel::Case => "case",
            UnitLevel::Pallet => "pallet",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<UnitLevel> {
        [UnitLevel::Item, UnitLevel::Case, UnitLevel::Pallet]
            .into_iter()
            .find(|level| level.name() == name)
    }
}

/// A code of one unit, split into its space and what names it there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitName {
    /// The space.
    pub space: SpaceKey,
    /// The serial as printed: minted or foreign.
    pub serial: Text<20>,
}

impl SpaceKey {
    /// The space of a GTIN.
    pub const fn gtin(gtin: Gtin) -> SpaceKey {
        SpaceKey::Gtin(gtin)
    }

    /// The space of an own-scheme product; `None` where the code would not fit on the product.
    pub fn own(enterprise: &str, product: &str) -> Option<SpaceKey> {
        Some(SpaceKey::Own(Text::new(enterprise)?, Text::new(product)?))
    }

    /// The space of a company prefix of 4 to 12 digits.
    pub fn sscc(prefix: &str) -> Option<SpaceKey> {
        let digits = prefix.bytes().all(|b| b.is_ascii_digit());
        ((4..=12).contains(&prefix.len()) && digits)
            .then(|| Text::new(prefix))?
            .map(SpaceKey::Sscc)
    }

    /// Reads the name in rows.
    pub fn parse(name: &str) -> Option<SpaceKey> {
        let (kind, rest) = name.split_once('/')?;
        match kind {
            "01" => Gtin::parse(rest).ok().map(SpaceKey::Gtin),
            "00" => SpaceKey::sscc(rest),
            "c" => {
                let (enterprise, product) = rest.split_once('.')?;
                SpaceKey::own(enterprise, product)
            }
            _ => None,
        }
    }

    /// What serials of this space are bound to.
    pub fn tweak_scope(&self) -> &str {
        match self {
            SpaceKey::Gtin(gtin) => gtin.as_str(),
            SpaceKey::Own(enterprise, _) => enterprise,
            SpaceKey::Sscc(prefix) => prefix,
        }
    }

    /// Are its serials ours to fold when typed?
    pub const fn is_minted(&self) -> bool {
        !matches!(self, SpaceKey::Sscc(_))
    }

    /// How many indices an SSCC space has: extension digit and serial reference share 17 digits
    /// with the prefix.
    pub fn sscc_capacity(prefix: &str) -> u64 {
        10u64.pow(17 - prefix.len().min(17) as u32)
    }
}

impl fmt::Display for SpaceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SpaceKey::Gtin(gtin) => write!(f, "01/{gtin}"),
            SpaceKey::Own(enterprise, product) => write!(f, "c/{enterprise}.{product}"),
            SpaceKey::Sscc(prefix) => write!(f, "00/{prefix}"),
        }
    }
}

impl UnitName {
    /// The unit a GTIN or own-scheme code names, if it names one. SSCCs are told by prefix: see
    /// [`sscc_index`].
    pub fn of(code: &TraceCode) -> Option<UnitName> {
        match code {
            TraceCode::Gtin(gtin) => Some(UnitName {
                space: SpaceKey::Gtin(gtin.gtin),
                serial: gtin.serial?,
            }),
            TraceCode::Own(own) => {
                // `{product}-{serial}{check}`: the last group is serial and check character.
                let (product, last) = own.internal.rsplit_once('-')?;
                let serial = last
                    .get(..SERIAL_LEN)
                    .filter(|_| last.len() == SERIAL_LEN + 1)?;
                Some(UnitName {
                    space: SpaceKey::own(&own.enterprise, product)?,
                    serial: Text::new(serial)?,
                })
            }
            TraceCode::Sscc(_) | TraceCode::Other(_) | TraceCode::Profiled(_) => None,
        }
    }
}

/// The index of an SSCC within a prefix's space; `None` when it has another prefix.
pub fn sscc_index(sscc: &Sscc, prefix: &str) -> Option<u64> {
    let digits = sscc.as_str();
    let (extension, rest) = digits.get(..17)?.split_at(1);
    let reference = rest.strip_prefix(prefix)?;
    format!("{extension}{reference}").parse().ok()
}

/// The SSCC at an index of a prefix's space.
pub fn sscc_at(prefix: &str, index: u64) -> Option<Sscc> {
    let references = SpaceKey::sscc_capacity(prefix) / 10;
    let extension = u8::try_from(index / references)
        .ok()
        .filter(|digit| *digit <= 9)?;
    Sscc::new(extension, prefix, index % references).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use suyuan_sync::trace_code::{self, OwnCode};

    #[test]
    fn names_of_spaces_read_back() {
        for name in ["01/06901234567892", "c/ACME.SKV-1", "00/6901234"] {
            assert_eq!(SpaceKey::parse(name).unwrap().to_string(), name);
        }
        for name in ["01/123", "00/abc", "x/1", "c/ACME", ""] {
            assert_eq!(SpaceKey::parse(name), None, "{name}");
        }
    }

    #[test]
    fn an_own_code_splits_into_space_and_serial() {
        let own = OwnCode::new("ACME", "SKV-1-00123456789ABC").unwrap();
        let name = UnitName::of(&TraceCode::Own(own)).unwrap();
        assert_eq!(name.space.to_string(), "c/ACME.SKV-1");
        assert_eq!(&*name.serial, "00123456789ABC");
    }

    #[test]
    fn an_own_code_of_another_shape_names_no_unit() {
        let own = OwnCode::new("ACME", "SKV-123").unwrap();
        assert_eq!(UnitName::of(&TraceCode::Own(own)), None);
    }

    #[test]
    fn sscc_and_index_are_two_names_of_one_thing() {
        for (prefix, index) in [
            ("6901234", 0),
            ("6901234", 1_234_567_891),
            ("690123456789", 4711),
        ] {
            let sscc = sscc_at(prefix, index).unwrap();
            assert_eq!(sscc_index(&sscc, prefix), Some(index));
        }
        let past_the_end = SpaceKey::sscc_capacity("6901234");
        assert!(sscc_at("6901234", past_the_end).is_none());
    }

    #[test]
    fn a_gtin_without_serial_names_no_unit() {
        let code = trace_code::parse("06901234567892").unwrap().code;
        assert_eq!(UnitName::of(&code), None);
    }
}
