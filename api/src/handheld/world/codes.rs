//! What a code is to us: whose it is, its level, which batch it was commissioned to and when, and
//! whether it is void. Opened and looked up in memory, space by space; a space is read when its
//! first code comes by.

use super::{WorldError, store};
use crate::{
    codes::{
        MintProfile, SpaceKey, UnitLevel, UnitName,
        ring::{Opener, Ring, WrappedKey},
        sscc_index,
    },
    projection::units::PublicUnit,
    sealing::Sealer,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sea_orm::ConnectionTrait;
use std::{collections::HashMap, sync::Arc};
use suyuan_sync::{
    facts::{Commissioned, StatedAt, UnitInfo},
    ids::{BatchId, EnterpriseId},
    trace_code::{self, Sscc, TraceCode},
    unit::{Level, UnitKey},
};
use uuid::Uuid;

/// What a code we issued is to us.
#[derive(Debug, Clone)]
pub struct CodeOf {
    /// Who issued it.
    pub issuer: Uuid,
    /// Its product; none for logistic units.
    pub product: Option<Uuid>,
    /// Its level.
    pub level: Level,
    /// Code space and index.
    pub space: Arc<str>,
    /// See `space`.
    pub index: u64,
    /// To which batch, since when.
    pub commissioned: Option<(Uuid, StatedAt)>,
    /// Since when it is void.
    pub voided: Option<StatedAt>,
}

impl CodeOf {
    /// As folds read it.
    pub fn info(&self) -> UnitInfo {
        UnitInfo {
            issuer: Some(EnterpriseId(self.issuer)),
            level: Some(self.level),
            commissioned: self.commissioned.map(|(batch, at)| Commissioned {
                batch: BatchId(batch),
                at,
            }),
            voided: self.voided,
        }
    }

    /// As the public side names it.
    pub fn public(&self) -> PublicUnit {
        PublicUnit::Minted(self.space.to_string(), self.index)
    }
}

/// Indices by what became of them, first word first.
#[derive(Default)]
struct Spans<T>(Vec<(u64, u64, T)>);

impl<T: Copy> Spans<T> {
    /// The parts of `lo..=hi` that nothing was said of yet get this value.
    fn add(&mut self, lo: u64, hi: u64, value: T) {
        let mut from = lo;
        let first = self.0.partition_point(|(_, end, _)| *end < lo);
        let mut new = Vec::new();
        for (start, end, _) in self
            .0
            .iter()
            .skip(first)
            .take_while(|(start, ..)| *start <= hi)
        {
            if from < *start {
                new.push((from, start - 1, value));
            }
            from = end.saturating_add(1);
        }
        if from <= hi {
            new.push((from, hi, value));
        }
        if new.len() == 1 && first == self.0.len() {
            self.0.extend(new);
        } else if !new.is_empty() {
            self.0.extend(new);
            self.0.sort_unstable_by_key(|(start, ..)| *start);
        }
    }

    fn at(&self, index: u64) -> Option<T> {
        let at = self.0.partition_point(|(_, end, _)| *end < index);
        let (start, _, value) = self.0.get(at)?;
        (*start <= index).then_some(*value)
    }
}

struct Space {
    key: SpaceKey,
    name: Arc<str>,
    issuer: Uuid,
    product: Option<Uuid>,
    level: Level,
    ring: Ring,
    commissioned: Spans<(Uuid, StatedAt)>,
    voided: Spans<StatedAt>,
}

/// Code spaces, read when they are needed.
pub struct Codes {
    opener: Opener,
    sealer: Sealer,
    /// `None` for a space nobody here has.
    spaces: HashMap<String, Option<Arc<Space>>>,
    prefixes: Option<Vec<String>>,
}

/// Spaces nobody here has that are remembered as such.
const UNKNOWN_MAX: usize = 10_000;

impl Codes {
    /// Nothing read yet.
    pub fn new(sealer: Sealer) -> Codes {
        Codes {
            opener: Opener::Master(sealer.clone()),
            sealer,
            spaces: HashMap::new(),
            prefixes: None,
        }
    }

    /// What was read may have changed.
    pub fn forget(&mut self) {
        *self = Codes::new(self.sealer.clone());
    }

    /// What a unit's code is to us; `None` when we never issued it.
    pub async fn of(
        &mut self,
        conn: &impl ConnectionTrait,
        unit: &UnitKey,
    ) -> Result<Option<CodeOf>, WorldError> {
        let Ok(scanned) = trace_code::parse_path(unit.as_str(), "") else {
            return Ok(None);
        };
        if let TraceCode::Sscc(sscc) = &scanned.code {
            return self.logistic(conn, sscc).await;
        }
        let Some(name) = UnitName::of(&scanned.code) else {
            return Ok(None);
        };
        let Some(space) = self.space(conn, name.space).await? else {
            return Ok(None);
        };
        Ok(space
            .ring
            .index_of(&name.serial)
            .map(|index| space.code(index)))
    }

    async fn logistic(
        &mut self,
        conn: &impl ConnectionTrait,
        sscc: &Sscc,
    ) -> Result<Option<CodeOf>, WorldError> {
        if self.prefixes.is_none() {
            self.prefixes = Some(store::sscc_prefixes(conn).await?);
        }
        let found = self.prefixes.iter().flatten().find_map(|prefix| {
            let index = sscc_index(sscc, prefix)?;
            Some((SpaceKey::sscc(prefix)?, index))
        });
        let Some((key, index)) = found else {
            return Ok(None);
        };
        let space = self.space(conn, key).await?;
        Ok(space.map(|space| space.code(index)))
    }

    async fn space(
        &mut self,
        conn: &impl ConnectionTrait,
        key: SpaceKey,
    ) -> Result<Option<Arc<Space>>, WorldError> {
        let name = key.to_string();
        if let Some(known) = self.spaces.get(&name) {
            return Ok(known.clone());
        }
        let space = match store::space(conn, &name).await? {
            None => None,
            Some(row) => Some(Arc::new(self.read(conn, key, row).await?)),
        };
        if self.spaces.len() > UNKNOWN_MAX {
            self.spaces.retain(|_, space| space.is_some());
        }
        self.spaces.insert(name, space.clone());
        Ok(space)
    }

    async fn read(
        &self,
        conn: &impl ConnectionTrait,
        key: SpaceKey,
        row: crate::entities::code_space::Model,
    ) -> Result<Space, WorldError> {
        let stored = || WorldError::Stored(format!("code_space {}", row.space));
        let profile = MintProfile::parse(&row.mint_profile).ok_or_else(stored)?;
        let level = match UnitLevel::parse(&row.level).ok_or_else(stored)? {
            UnitLevel::Item => Level::Item,
            UnitLevel::Case => Level::Case,
            UnitLevel::Pallet => Level::Pallet,
        };
        let keys: Vec<WrappedKey> = store::keys(conn, row.enterprise_id, &row.space)
            .await?
            .into_iter()
            .map(|key| WrappedKey {
                id: u8::try_from(key.key_id).unwrap_or(u8::MAX),
                wrapped: STANDARD.encode(key.wrapped),
                for_readers: String::new(),
                profile,
            })
            .collect();
        let mut space = Space {
            name: row.space.as_str().into(),
            issuer: row.enterprise_id,
            product: row.product_id,
            level,
            ring: Ring::open(&self.opener, &key, &keys)?,
            commissioned: Spans(Vec::new()),
            voided: Spans(Vec::new()),
            key,
        };
        for act in store::code_acts(conn, row.enterprise_id, &row.space).await? {
            for part in act.what.split(',').filter(|part| !part.is_empty()) {
                let ends = part.split_once('-');
                let ends = ends.and_then(|(lo, hi)| Some((lo.parse().ok()?, hi.parse().ok()?)));
                let (lo, hi) = ends.ok_or_else(|| WorldError::Stored(act.what.clone()))?;
                match act.batch {
                    Some(batch) => space.commissioned.add(lo, hi, (batch, act.at)),
                    None => space.voided.add(lo, hi, act.at),
                }
            }
        }
        Ok(space)
    }
}

impl Space {
    fn code(&self, index: u64) -> CodeOf {
        debug_assert_eq!(self.key.to_string(), &*self.name);
        CodeOf {
            issuer: self.issuer,
            product: self.product,
            level: self.level,
            space: self.name.clone(),
            index,
            commissioned: self.commissioned.at(index),
            voided: self.voided.at(index),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_about_an_index_stays() {
        let mut spans = Spans(Vec::new());
        spans.add(10, 19, 'a');
        spans.add(0, 29, 'b');
        spans.add(15, 40, 'c');
        spans.add(100, 100, 'd');
        let told: String = [0, 9, 10, 19, 20, 29, 30, 40, 100]
            .into_iter()
            .filter_map(|index| spans.at(index))
            .collect();
        assert_eq!(told, "bbaabbccd");
        assert_eq!(spans.at(41), None);
        assert_eq!(spans.at(99), None);
    }
}
