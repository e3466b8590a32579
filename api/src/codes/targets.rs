//! What a request names: parts of segments and codes in any form, as indices per code space. Nothing
//! is changed here.

use super::{
    CodesError, SpaceKey,
    ranges::{Range, merged, runs},
    ring::Ring,
    space::{UnitName, sscc_index},
    store,
    wire::{CODES_LISTED_MAX, RANGES_MAX, RangeIn},
};
use crate::{app::Internal, registry};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    trace_code::{self, Scanned, TraceCode},
    unit::UnitKey,
};
use uuid::Uuid;

/// Ranges of indices by code space.
pub type Minted = BTreeMap<String, Vec<Range>>;

/// Units by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets {
    /// Units whose codes we minted.
    pub minted: Minted,
    /// Units that bear another code under a company prefix of the enterprise.
    pub others: BTreeSet<UnitKey>,
}

/// What a request names, all of it minted here. With a `lot`, codes that carry another are refused.
pub async fn units(
    state: &Internal,
    enterprise: Uuid,
    ranges: &[RangeIn],
    codes: &[String],
    lot: Option<&str>,
) -> Result<Minted, CodesError> {
    if ranges.is_empty() && codes.is_empty() {
        return Err(CodesError::field(
            "codes",
            "required",
            "give ranges or codes",
            "请提供 ranges 或 codes",
        ));
    }
    let named = named(state, enterprise, ranges, codes, |field, scanned, name| {
        if let (Some(own), Some(lot)) = (scanned.claims.lot, lot)
            && *own != *lot
        {
            return Err(CodesError::field(
                field,
                "other-lot",
                "this code carries another lot than the batch",
                "该码印有其他批号",
            ));
        }
        match name {
            Name::Minted(..) => Ok(()),
            Name::Other(_) => Err(not_ours(field)),
        }
    });
    Ok(named.await?.minted)
}

/// What a request names, which may be nothing; codes that others minted under a company prefix of
/// the enterprise included.
pub async fn any_units(
    state: &Internal,
    enterprise: Uuid,
    ranges: &[RangeIn],
    codes: &[String],
) -> Result<Targets, CodesError> {
    named(state, enterprise, ranges, codes, |_, _, _| Ok(())).await
}

async fn named(
    state: &Internal,
    enterprise: Uuid,
    ranges: &[RangeIn],
    codes: &[String],
    judge: impl Fn(&str, &Scanned, &Name) -> Result<(), CodesError>,
) -> Result<Targets, CodesError> {
    if ranges.len() > RANGES_MAX || codes.len() > CODES_LISTED_MAX {
        return Err(CodesError::field(
            "codes",
            "too-many",
            "at most 100 ranges and 10 000 codes a request",
            "每次最多 100 个区间、10 000 个码",
        ));
    }
    let mut targets = Targets::default();
    for part in ranges {
        let segment = store::segment(state.db.reader(), enterprise, part.segment_id).await?;
        let (lo, hi) = (segment.lo as u64, segment.hi as u64);
        let range = Range::new(part.from.unwrap_or(lo), part.to.unwrap_or(hi))
            .filter(|range| range.lo >= lo && range.hi <= hi)
            .ok_or_else(|| {
                CodesError::field(
                    "ranges",
                    "outside-segment",
                    "from and to must lie within the segment, from not after to",
                    "from、to 须位于码段之内，且 from 不大于 to",
                )
            })?;
        targets.minted.entry(segment.space).or_default().push(range);
    }
    let mut namer = Namer::open(state, enterprise).await?;
    let mut indices: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (n, text) in codes.iter().enumerate() {
        let field = format!("codes/{n}");
        let scanned = trace_code::parse(text).map_err(|error| {
            CodesError::field(
                &field,
                error.fault.code(),
                error.fault.en(),
                error.fault.zh(),
            )
        })?;
        let name = namer.name(&scanned.code).await?;
        let name = name.ok_or_else(|| not_ours(&field))?;
        judge(&field, &scanned, &name)?;
        match name {
            Name::Minted(space, index) => indices.entry(space).or_default().push(index),
            Name::Other(unit) => {
                targets.others.insert(unit);
            }
        }
    }
    for (space, mut list) in indices {
        list.sort_unstable();
        targets.minted.entry(space).or_default().extend(runs(&list));
    }
    for ranges in targets.minted.values_mut() {
        *ranges = merged(std::mem::take(ranges));
    }
    Ok(targets)
}

fn not_ours(field: &str) -> CodesError {
    CodesError::field(
        field,
        "not-ours",
        "not a unit code this enterprise issued",
        "不是本企业签发的单品追溯码",
    )
}

/// A unit of the enterprise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// Minted here: code space and index.
    Minted(String, u64),
    /// Another code under a company prefix of the enterprise.
    Other(UnitKey),
}

/// Names units of one enterprise; opens each ring of keys once.
pub struct Namer<'a> {
    state: &'a Internal,
    enterprise: Uuid,
    prefixes: Vec<String>,
    /// `None` where the enterprise has no such space.
    rings: BTreeMap<String, Option<Ring>>,
}

impl<'a> Namer<'a> {
    /// For the codes of `enterprise`.
    pub async fn open(state: &'a Internal, enterprise: Uuid) -> Result<Namer<'a>, CodesError> {
        let prefixes = registry::company_prefixes(state.db.reader(), enterprise).await?;
        Ok(Namer {
            state,
            enterprise,
            prefixes,
            rings: BTreeMap::new(),
        })
    }

    /// The unit a code names; `None` when it is none of this enterprise's.
    pub async fn name(&mut self, code: &TraceCode) -> Result<Option<Name>, CodesError> {
        if let TraceCode::Sscc(sscc) = code {
            let mut spaces = self.prefixes.iter();
            return Ok(spaces.find_map(|prefix| {
                let index = sscc_index(sscc, prefix)?;
                Some(Name::Minted(format!("00/{prefix}"), index))
            }));
        }
        if let Some(unit) = UnitName::of(code)
            && let Some(ring) = self.ring(&unit.space).await?
        {
            let index = ring.index_of(&unit.serial);
            return Ok(index.map(|index| Name::Minted(unit.space.to_string(), index)));
        }
        let TraceCode::Gtin(gtin) = code else {
            return Ok(None);
        };
        // The indicator digit stands before the prefix.
        let digits = gtin.gtin.as_str().get(1..).unwrap_or_default();
        let own = self
            .prefixes
            .iter()
            .any(|prefix| digits.starts_with(prefix.as_str()));
        Ok(UnitKey::of(code).filter(|_| own).map(Name::Other))
    }

    async fn ring(&mut self, space: &SpaceKey) -> Result<Option<&Ring>, CodesError> {
        let name = space.to_string();
        if !self.rings.contains_key(&name) {
            let (db, sealer) = (&self.state.db, &self.state.sealer);
            let ring = match store::space(db.reader(), self.enterprise, &name).await? {
                Some(_) => Some(store::ring(db, sealer, self.enterprise, space).await?),
                None => None,
            };
            self.rings.insert(name.clone(), ring);
        }
        Ok(self.rings.get(&name).and_then(Option::as_ref))
    }
}

/// Ranges as they stand in entries and records: `1-5,9-9`.
pub fn told(ranges: &[Range]) -> String {
    let parts: Vec<String> = ranges
        .iter()
        .map(|r| format!("{}-{}", r.lo, r.hi))
        .collect();
    parts.join(",")
}

/// Reads back what [`told`] wrote.
pub fn untold(text: &str) -> Option<Vec<Range>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    text.split(',')
        .map(|part| {
            let (lo, hi) = part.split_once('-')?;
            Range::new(lo.parse().ok()?, hi.parse().ok()?)
        })
        .collect()
}

/// The same by code space.
pub fn told_by_space(targets: &Minted) -> BTreeMap<&str, String> {
    targets
        .iter()
        .map(|(space, ranges)| (space.as_str(), told(ranges)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_back_as_told() {
        let ranges = [Range { lo: 0, hi: 4 }, Range { lo: 9, hi: 9 }];
        assert_eq!(told(&ranges), "0-4,9-9");
        assert_eq!(untold("0-4,9-9").as_deref(), Some(&ranges[..]));
        assert_eq!(untold(""), Some(Vec::new()));
        for bad in ["x", "5-4", "1-2,", "1", "-1-2", "1-99999999999999999999"] {
            assert_eq!(untold(bad), None, "{bad}");
        }
    }
}
