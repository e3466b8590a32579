//! What a code is to us: whose it is, its level, which batch it was commissioned to and when, and
//! whether it is void. Opened and looked up in memory, space by space; a space is read when its
//! first code comes by, and added to as more of its codes are commissioned or voided. Whoever reads
//! as of an older position shares what is read, and is told nothing that came after.

use super::{WorldError, store};
use crate::{
    clock::Micros,
    codes::{
        MintProfile, SpaceKey, UnitLevel, UnitName,
        ring::{Opener, Ring, WrappedKey},
        sscc_index,
    },
    log::Position,
    projection::units::PublicUnit,
    resolver::decide::Standing,
    sealing::Sealer,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sea_orm::ConnectionTrait;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use suyuan_sync::{
    facts::{Commissioned, Shared, StatedAt, UnitInfo},
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
    /// As folds read it, given what batches call its product.
    pub fn info(&self, product: Option<Arc<str>>) -> UnitInfo {
        UnitInfo {
            issuer: Some(EnterpriseId(self.issuer)),
            product,
            level: Some(self.level),
            commissioned: self.commissioned.map(|(batch, at)| Commissioned {
                batch: BatchId(batch),
                at,
            }),
            voided: self.voided,
        }
    }

    /// The batch that the record of codes puts it in.
    pub fn batch(&self) -> Option<BatchId> {
        self.commissioned.map(|(batch, _)| BatchId(batch))
    }

    /// As the public side names it.
    pub fn public(&self) -> PublicUnit {
        PublicUnit::Minted(self.space.to_string(), self.index)
    }
}

/// Indices by what became of them, first word first.
#[derive(Clone, Default)]
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

#[derive(Clone)]
struct Space {
    key: SpaceKey,
    name: Arc<str>,
    issuer: Uuid,
    product: Option<Uuid>,
    level: Level,
    ring: Ring,
    commissioned: Shared<Spans<(Uuid, StatedAt)>>,
    voided: Shared<Spans<StatedAt>>,
    /// When the last was commissioned or voided that is in it.
    last: Micros,
}

/// A space that was read; none if nobody here has it.
#[derive(Clone)]
struct Known<S = Space> {
    space: Option<S>,
    /// Everything that was done with it up to here is in it; more may be.
    upto: Position,
}

/// Spaces that were read, by name.
struct Spaces<S = Space> {
    all: HashMap<String, Known<S>>,
    /// How many of them nobody here has.
    unknown: usize,
}

impl<S> Default for Spaces<S> {
    fn default() -> Spaces<S> {
        Spaces {
            all: HashMap::new(),
            unknown: 0,
        }
    }
}

impl<S> Spaces<S> {
    fn take(&mut self, name: &str) -> Option<Known<S>> {
        let known = self.all.remove(name)?;
        self.unknown -= usize::from(known.space.is_none());
        Some(known)
    }

    /// Remembers a space, unless more is known of it already. Anybody may name what nobody has: of that so much
    /// is remembered, however much there is of the rest.
    fn put(&mut self, name: String, known: Known<S>) {
        if self
            .all
            .get(&name)
            .is_some_and(|newer| newer.upto > known.upto)
        {
            return;
        }
        self.take(&name);
        if known.space.is_none() {
            if self.unknown >= UNKNOWN_MAX {
                self.all.retain(|_, known| known.space.is_some());
                self.unknown = 0;
            }
            self.unknown += 1;
        }
        self.all.insert(name, known);
    }
}

/// Code spaces, read when they are needed. Clones share what they read.
#[derive(Clone)]
pub struct Codes {
    sealer: Sealer,
    known: Arc<Mutex<Spaces>>,
    /// The last position at which a space was opened, or something was done with its codes.
    touched: Shared<HashMap<String, Position>>,
    prefixes: Option<Arc<[String]>>,
    upto: Position,
    /// Who asks how things were known is told nothing of what came after a position, nor of spaces that were
    /// opened since.
    then: Option<(Position, Arc<BTreeSet<String>>)>,
}

/// Spaces nobody here has that are remembered as such.
const UNKNOWN_MAX: usize = 10_000;

impl Codes {
    /// Nothing read yet.
    pub fn new(sealer: Sealer) -> Codes {
        Codes {
            sealer,
            known: Arc::default(),
            touched: Shared::default(),
            prefixes: None,
            upto: -1,
            then: None,
        }
    }

    /// Everything that was read may have changed.
    pub fn forget(&mut self) {
        *self = Codes::new(self.sealer.clone());
    }

    /// A space was opened, or its codes were commissioned or voided, at or below a position.
    pub(super) fn touch(&mut self, space: String, at: Position) {
        self.touched.insert(space, at);
    }

    /// An enterprise may have another company prefix.
    pub(super) fn forget_prefixes(&mut self) {
        self.prefixes = None;
    }

    /// What is told from now on is as of this position.
    pub(super) fn stand_at(&mut self, position: Position) {
        self.upto = position;
    }

    /// What is told from now on is as it was known at a position, before these spaces were opened.
    pub(super) fn tell_as_of(&mut self, position: Position, opened: BTreeSet<String>) {
        self.then = Some((position, Arc::new(opened)));
    }

    /// What a unit's code is to us; `None` when we never issued it.
    pub async fn of(
        &mut self,
        conn: &impl ConnectionTrait,
        unit: &UnitKey,
    ) -> Result<Option<CodeOf>, WorldError> {
        let code = self.read(conn, unit).await?;
        Ok(match &self.then {
            None => code,
            Some((_, opened)) => code.filter(|code| !opened.contains(&*code.space)),
        })
    }

    async fn read(
        &mut self,
        conn: &impl ConnectionTrait,
        unit: &UnitKey,
    ) -> Result<Option<CodeOf>, WorldError> {
        let upto = self
            .then
            .as_ref()
            .map_or(self.upto, |(position, _)| *position);
        let found = self.find(conn, unit).await?;
        Ok(found.and_then(|(space, index)| Some(space.code(index?, upto))))
    }

    /// How the codes of these units stand on record now, of those in whose space somebody here issues codes:
    /// what consumers are told goes by the same.
    pub async fn standing(
        &mut self,
        conn: &impl ConnectionTrait,
        units: &BTreeSet<UnitKey>,
    ) -> Result<BTreeMap<UnitKey, Standing>, WorldError> {
        let (mut standing, mut unused) = (BTreeMap::new(), Vec::new());
        for unit in units {
            let Some((space, index)) = self.find(conn, unit).await? else {
                continue;
            };
            let code = index.map(|index| space.code(index, self.upto));
            let is = match code {
                Some(code) if code.voided.is_some() => Standing::Void,
                Some(code) => {
                    if let Some((batch, _)) = code.commissioned {
                        Standing::Commissioned(batch)
                    } else {
                        unused.push((unit, code.space, code.index));
                        Standing::NotAllocated
                    }
                }
                None => Standing::NotAllocated,
            };
            standing.insert(unit.clone(), is);
        }
        // What was commissioned or destroyed had been allocated; only of the others it has to be asked.
        let spaces = unused.iter().map(|(_, space, _)| space.to_string());
        let ends = store::allocated(conn, spaces.collect()).await?;
        for (unit, space, index) in unused {
            if ends.get(&*space).is_some_and(|end| index < *end) {
                standing.insert(unit.clone(), Standing::Allocated);
            }
        }
        Ok(standing)
    }

    /// The space of a unit's code, and its index there; none where the serial was never minted.
    async fn find(
        &mut self,
        conn: &impl ConnectionTrait,
        unit: &UnitKey,
    ) -> Result<Option<(Space, Option<u64>)>, WorldError> {
        let Ok(scanned) = trace_code::parse_path(unit.as_str(), "") else {
            return Ok(None);
        };
        let (key, serial) = match &scanned.code {
            TraceCode::Sscc(sscc) => return self.logistic(conn, sscc).await,
            // A serial controlled by a third party (235) names a unit; none of ours does.
            TraceCode::Gtin(gtin) => (SpaceKey::gtin(gtin.gtin), gtin.serial),
            code => match UnitName::of(code) {
                Some(name) => (name.space, Some(name.serial)),
                None => return Ok(None),
            },
        };
        let space = self.space(conn, key).await?;
        Ok(space.map(|space| {
            let index = serial.and_then(|serial| space.ring.index_of(&serial));
            (space, index)
        }))
    }

    async fn logistic(
        &mut self,
        conn: &impl ConnectionTrait,
        sscc: &Sscc,
    ) -> Result<Option<(Space, Option<u64>)>, WorldError> {
        if self.prefixes.is_none() {
            self.prefixes = Some(store::sscc_prefixes(conn).await?.into());
        }
        let found = self.prefixes.iter().flat_map(|all| all.iter());
        let found = found.into_iter().find_map(|prefix| {
            let index = sscc_index(sscc, prefix)?;
            Some((SpaceKey::sscc(prefix)?, index))
        });
        let Some((key, index)) = found else {
            return Ok(None);
        };
        let space = self.space(conn, key).await?;
        Ok(space.map(|space| (space, Some(index))))
    }

    fn known(&self) -> MutexGuard<'_, Spaces> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn space(
        &mut self,
        conn: &impl ConnectionTrait,
        key: SpaceKey,
    ) -> Result<Option<Space>, WorldError> {
        let name = key.to_string();
        let touched = self.touched.get(&name).copied().unwrap_or_default();
        let known = {
            let mut all = self.known();
            match all.all.get(&name) {
                Some(known) if known.upto >= touched => return Ok(known.space.clone()),
                // Taken out: what is added to is nobody else's then, and is not copied.
                _ => all.take(&name),
            }
        };
        let space = match known.and_then(|known| known.space) {
            Some(space) => Some(space),
            None => match store::space(conn, &name).await? {
                Some(row) => Some(self.open(conn, key, row).await?),
                None => None,
            },
        };
        let space = match space {
            Some(space) => Some(space.with_more(conn).await?),
            None => None,
        };
        let mine = Known {
            space: space.clone(),
            upto: self.upto,
        };
        self.known().put(name, mine);
        Ok(space)
    }

    /// A space with nothing done with its codes yet.
    async fn open(
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
        Ok(Space {
            name: row.space.as_str().into(),
            issuer: row.enterprise_id,
            product: row.product_id,
            level,
            ring: Ring::open(&Opener::Master(self.sealer.clone()), &key, &keys)?,
            commissioned: Shared::from(Spans(Vec::new())),
            voided: Shared::from(Spans(Vec::new())),
            last: Micros::MIN,
            key,
        })
    }
}

impl Space {
    /// With what was done with its codes since.
    async fn with_more(mut self, conn: &impl ConnectionTrait) -> Result<Space, WorldError> {
        for act in store::code_acts(conn, self.issuer, &self.name, self.last).await? {
            for part in act.what.split(',').filter(|part| !part.is_empty()) {
                let ends = part.split_once('-');
                let ends = ends.and_then(|(lo, hi)| Some((lo.parse().ok()?, hi.parse().ok()?)));
                let (lo, hi) = ends.ok_or_else(|| WorldError::Stored(act.what.clone()))?;
                match act.batch {
                    Some(batch) => self.commissioned.add(lo, hi, (batch, act.at)),
                    None => self.voided.add(lo, hi, act.at),
                }
            }
            self.last = self.last.max(act.at.at);
        }
        Ok(self)
    }

    /// Of two batches a code was commissioned to the first stays, so whoever reads as of an earlier
    /// position need only leave out what came later.
    fn code(&self, index: u64, upto: Position) -> CodeOf {
        debug_assert_eq!(self.key.to_string(), &*self.name);
        let commissioned = self.commissioned.at(index);
        CodeOf {
            issuer: self.issuer,
            product: self.product,
            level: self.level,
            space: self.name.clone(),
            index,
            commissioned: commissioned.filter(|(_, at)| at.gseq <= upto),
            voided: self.voided.at(index).filter(|at| at.gseq <= upto),
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

    #[test]
    fn what_nobody_has_is_remembered_however_many_spaces_there_are() {
        let mut spaces = Spaces::<()>::default();
        let put = |spaces: &mut Spaces<()>, name: String, space, upto| {
            spaces.put(name, Known { space, upto });
        };
        for n in 0..=UNKNOWN_MAX {
            put(&mut spaces, format!("known {n}"), Some(()), 1);
        }
        for n in 0..UNKNOWN_MAX {
            put(&mut spaces, format!("unknown {n}"), None, 1);
        }
        assert_eq!(spaces.all.len(), 2 * UNKNOWN_MAX + 1);
        // The same once more, and one that somebody has by now: neither makes others forgotten.
        put(&mut spaces, "unknown 1".into(), None, 2);
        put(&mut spaces, "unknown 2".into(), Some(()), 2);
        put(&mut spaces, "unknown 2".into(), None, 1);
        assert_eq!(spaces.all.len(), 2 * UNKNOWN_MAX + 1);
        assert_eq!(spaces.unknown, UNKNOWN_MAX - 1);
        put(&mut spaces, "one more".into(), None, 2);
        put(&mut spaces, "too many".into(), None, 2);
        assert_eq!(spaces.all.len(), UNKNOWN_MAX + 3);
        assert_eq!(spaces.unknown, 1);
    }
}
