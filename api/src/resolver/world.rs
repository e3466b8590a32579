//! What this process knows: which codes exist, which batch they belong to, what speaks against
//! them. Ranges and bitmaps, so that its size follows batches and exceptions, never codes.
//!
//! A world is never changed in place: the feed makes the next one, sharing what stayed the same.
//! Rendered texts are not here; see `cache`.

use super::{
    decide::Standing,
    exceptions::{Against, Chunk, OtherUnit},
    links::Links,
};
use crate::{
    clock::day_number,
    codes::{SpaceKey, UnitLevel, ring::Ring},
    projection::{Link, Recall},
};
use roaring::RoaringBitmap;
use std::{collections::HashMap, sync::Arc};
use suyuan_sync::{trace_code::TraceCode, unit::UnitKey};
use uuid::Uuid;

/// All that is known, as of a position.
#[derive(Default, Clone)]
pub struct World {
    /// The installation this came from.
    pub installation: Uuid,
    /// Everything at or below it is in here.
    pub position: i64,
    spaces: HashMap<SpaceKey, Arc<Space>>,
    batches: HashMap<Uuid, Arc<Batch>>,
    lots: HashMap<Uuid, Arc<HashMap<String, Uuid>>>,
    products: HashMap<Uuid, i64>,
    /// Open recalls of single units.
    recalls: HashMap<Uuid, Arc<Recall>>,
    /// Units whose codes we did not mint.
    others: Arc<HashMap<UnitKey, OtherUnit>>,
    /// Registered links.
    pub links: Links,
}

/// A code space.
#[derive(Clone)]
pub struct Space {
    /// Its name.
    pub key: SpaceKey,
    /// What its units are.
    pub level: UnitLevel,
    /// Whose codes.
    pub product: Option<Uuid>,
    /// Opens serials.
    pub ring: Ring,
    /// Allocated, sorted by first index.
    segments: Vec<(u64, u64)>,
    /// Commissioned, sorted by first index.
    commissioned: Vec<(u64, u64, Uuid)>,
    /// Exceptions per 65 536 indices.
    chunks: HashMap<u32, Arc<Chunk>>,
}

/// A batch, without what it shows.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Id.
    pub id: Uuid,
    /// Its product.
    pub product: Uuid,
    /// Lot.
    pub lot: String,
    /// Last good day as days since 1970; absent for goods that do not expire.
    pub expiry_day: Option<i32>,
    /// The same as printed.
    pub expiry_date: String,
    /// Does it show anything?
    pub published: bool,
    /// Open recalls, newest first.
    pub recalls: Vec<Recall>,
    /// The version of its row.
    pub position: i64,
}

impl Space {
    /// An empty space.
    pub fn new(key: SpaceKey, level: UnitLevel, product: Option<Uuid>, ring: Ring) -> Space {
        Space {
            key,
            level,
            product,
            ring,
            segments: Vec::new(),
            commissioned: Vec::new(),
            chunks: HashMap::new(),
        }
    }

    /// How an index stands: two binary searches and two bits.
    pub fn standing(&self, index: u64) -> Standing {
        let chunk = self.chunks.get(&((index >> 16) as u32));
        let offset = (index & 0xffff) as u32;
        if chunk.is_some_and(|chunk| chunk.is_void(offset)) {
            return Standing::Void;
        }
        let at = self.commissioned.partition_point(|(lo, ..)| *lo <= index);
        if let Some((_, hi, batch)) = at.checked_sub(1).and_then(|at| self.commissioned.get(at))
            && index <= *hi
        {
            return Standing::Commissioned(*batch);
        }
        if let Some(batch) = chunk.and_then(|chunk| chunk.batch(offset)) {
            return Standing::Commissioned(batch);
        }
        let at = self.segments.partition_point(|(lo, _)| *lo <= index);
        match at.checked_sub(1).and_then(|at| self.segments.get(at)) {
            Some((_, hi)) if index <= *hi => Standing::Allocated,
            _ => Standing::NotAllocated,
        }
    }
}

impl Space {
    /// What is known against a unit, besides its recalls.
    pub fn against(&self, index: u64) -> Against {
        let chunk = self.chunks.get(&((index >> 16) as u32));
        let offset = (index & 0xffff) as u32;
        chunk.map_or(Against::default(), |chunk| chunk.against(offset))
    }

    /// The batch that events of its issuer put a unit in, where its code is on record in another or in none.
    pub fn stated(&self, index: u64) -> Option<Uuid> {
        let chunk = self.chunks.get(&((index >> 16) as u32))?;
        chunk.stated((index & 0xffff) as u32)
    }

    /// The batches of what is in a container, its own apart.
    pub fn holds(&self, index: u64) -> impl Iterator<Item = Uuid> {
        let chunk = self.chunks.get(&((index >> 16) as u32));
        let offset = (index & 0xffff) as u32;
        chunk.into_iter().flat_map(move |chunk| chunk.holds(offset))
    }

    /// Recalls that name this very unit, open or not.
    pub fn recalls(&self, index: u64) -> impl Iterator<Item = Uuid> {
        let chunk = self.chunks.get(&((index >> 16) as u32));
        let offset = (index & 0xffff) as u32;
        chunk
            .into_iter()
            .flat_map(move |chunk| chunk.recalls(offset))
    }
}

impl World {
    /// A space.
    pub fn space(&self, key: &SpaceKey) -> Option<&Arc<Space>> {
        self.spaces.get(key)
    }

    /// A batch.
    pub fn batch(&self, id: Uuid) -> Option<&Arc<Batch>> {
        self.batches.get(&id)
    }

    /// A batch by product and lot.
    pub fn batch_by_lot(&self, product: Uuid, lot: &str) -> Option<&Arc<Batch>> {
        self.batches.get(self.lots.get(&product)?.get(lot)?)
    }

    /// The newest open one of these recalls of single units.
    pub fn newest_open(&self, recalls: impl Iterator<Item = Uuid>) -> Option<&Arc<Recall>> {
        recalls
            .filter_map(|id| self.recalls.get(&id))
            .max_by_key(|recall| (recall.opened_at, recall.id))
    }

    /// What is known of a unit whose code we did not mint. Its name is not even put together where
    /// nothing is known of any.
    pub fn other(&self, code: &TraceCode) -> Option<&OtherUnit> {
        if self.others.is_empty() {
            return None;
        }
        self.others.get(&UnitKey::of(code)?)
    }

    /// The version of a published product.
    pub fn product_version(&self, id: Uuid) -> Option<i64> {
        self.products.get(&id).copied()
    }
}

/// One change to a world, as the feed reads it from a row.
pub enum Change {
    /// A space and its keys; ranges and chunks stay.
    Space(Box<Space>),
    /// A batch.
    Batch(Box<Batch>),
    /// A product was published at this version.
    Product(Uuid, i64),
    /// Indices were allocated.
    Segment(SpaceKey, u64, u64),
    /// Indices were commissioned.
    Commissioned(SpaceKey, u64, u64, Uuid),
    /// Indices of a chunk commissioned one by one to a batch, all of them.
    Listed(SpaceKey, u32, Uuid, RoaringBitmap),
    /// All links of an anchor; none when it is gone.
    Links(String, Vec<Link>),
    /// Indices of a chunk of which something is known, all of them.
    Marked(SpaceKey, u32, Mark, RoaringBitmap),
    /// Indices of a chunk that events of their issuer put in a batch, all of them.
    Stated(SpaceKey, u32, Uuid, RoaringBitmap),
    /// Indices of a chunk that hold goods of a batch, all of them.
    Holding(SpaceKey, u32, Uuid, RoaringBitmap),
    /// Indices of a chunk that a recall names, all of them.
    Recalled(SpaceKey, u32, Uuid, RoaringBitmap),
    /// A unit whose code we did not mint, with all that is known of it.
    Other(UnitKey, OtherUnit),
    /// A recall of single units was opened, or with `None` closed.
    Recall(Uuid, Option<Recall>),
}

/// What is known of the indices of a bitmap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Destroyed before use.
    Void,
    /// Queried unusually often.
    QueriedOften,
    /// Queries betray a copy.
    CopyByQueries,
    /// Events betray a copy.
    CopyByEvents,
    /// Fetched back under a recall.
    Collected,
    /// Destroyed.
    Destroyed,
}

/// A world being made from the one before. Spaces are copied once, when first touched.
pub struct NextWorld {
    world: World,
    touched: HashMap<SpaceKey, Space>,
}

impl NextWorld {
    /// Begins from `before`.
    pub fn from(before: &World) -> NextWorld {
        NextWorld {
            world: before.clone(),
            touched: HashMap::new(),
        }
    }

    /// Applies one change. Applying it twice is the same as once.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::Space(space) => {
                let slot = self.touch(space.key);
                match slot {
                    Some(known) => {
                        known.level = space.level;
                        known.product = space.product;
                        known.ring = space.ring;
                    }
                    None => {
                        self.touched.insert(space.key, *space);
                    }
                }
            }
            Change::Batch(batch) => {
                let lots = self.world.lots.entry(batch.product).or_default();
                Arc::make_mut(lots).insert(batch.lot.clone(), batch.id);
                self.world.batches.insert(batch.id, Arc::new(*batch));
            }
            Change::Product(id, version) => {
                self.world.products.insert(id, version);
            }
            Change::Segment(key, lo, hi) => {
                if let Some(space) = self.touch(key) {
                    let at = space.segments.partition_point(|(other, _)| *other < lo);
                    match space.segments.get_mut(at).filter(|(other, _)| *other == lo) {
                        Some(known) => known.1 = hi,
                        None => space.segments.insert(at, (lo, hi)),
                    }
                }
            }
            Change::Commissioned(key, lo, hi, batch) => {
                if let Some(space) = self.touch(key) {
                    let at = space
                        .commissioned
                        .partition_point(|(other, ..)| *other < lo);
                    match space
                        .commissioned
                        .get_mut(at)
                        .filter(|(other, ..)| *other == lo)
                    {
                        Some(known) => *known = (lo, hi, batch),
                        None => space.commissioned.insert(at, (lo, hi, batch)),
                    }
                }
            }
            Change::Links(anchor, links) => self.world.links.set(anchor, links),
            Change::Marked(key, chunk, mark, bits) => self.chunk(key, chunk, |chunk| {
                *match mark {
                    Mark::Void => &mut chunk.void,
                    Mark::QueriedOften => &mut chunk.queried_often,
                    Mark::CopyByQueries => &mut chunk.copy_by_queries,
                    Mark::CopyByEvents => &mut chunk.copy_by_events,
                    Mark::Collected => &mut chunk.collected,
                    Mark::Destroyed => &mut chunk.destroyed,
                } = bits;
            }),
            Change::Listed(key, chunk, batch, bits) => {
                self.chunk(key, chunk, |chunk| chunk.set_listed(batch, bits));
            }
            Change::Stated(key, chunk, batch, bits) => {
                self.chunk(key, chunk, |chunk| chunk.set_stated(batch, bits));
            }
            Change::Holding(key, chunk, batch, bits) => {
                self.chunk(key, chunk, |chunk| chunk.set_holding(batch, bits));
            }
            Change::Recalled(key, chunk, recall, bits) => {
                self.chunk(key, chunk, |chunk| chunk.set_recalled(recall, bits));
            }
            Change::Other(unit, known) => {
                let others = Arc::make_mut(&mut self.world.others);
                if known == OtherUnit::default() {
                    others.remove(&unit);
                } else {
                    others.insert(unit, known);
                }
            }
            Change::Recall(id, Some(recall)) => {
                self.world.recalls.insert(id, Arc::new(recall));
            }
            Change::Recall(id, None) => {
                self.world.recalls.remove(&id);
                self.let_go(id);
            }
        }
    }

    /// Forgets which units a closed recall named: their rows stay, and will not change again.
    fn let_go(&mut self, recall: Uuid) {
        let concerned = |space: &Space| {
            let mut chunks = space.chunks.values();
            chunks.any(|chunk| chunk.is_recalled_by(recall))
        };
        let known = self.world.spaces.iter();
        let mut keys: Vec<SpaceKey> = known
            .filter(|(_, space)| concerned(space))
            .map(|(key, _)| *key)
            .collect();
        let touched = self.touched.iter();
        keys.extend(
            touched
                .filter(|(_, space)| concerned(space))
                .map(|(key, _)| *key),
        );
        for key in keys {
            let Some(space) = self.touch(key) else {
                continue;
            };
            for chunk in space.chunks.values_mut() {
                if chunk.is_recalled_by(recall) {
                    Arc::make_mut(chunk).let_go(recall);
                }
            }
        }
    }

    /// The finished world, as of `position`.
    pub fn finish(mut self, installation: Uuid, position: i64) -> World {
        for (key, space) in self.touched {
            self.world.spaces.insert(key, Arc::new(space));
        }
        self.world.installation = installation;
        self.world.position = position;
        self.world
    }

    fn touch(&mut self, key: SpaceKey) -> Option<&mut Space> {
        if !self.touched.contains_key(&key)
            && let Some(known) = self.world.spaces.get(&key)
        {
            self.touched.insert(key, Space::clone(known));
        }
        self.touched.get_mut(&key)
    }

    fn chunk(&mut self, key: SpaceKey, number: u32, change: impl FnOnce(&mut Chunk)) {
        if let Some(space) = self.touch(key) {
            let chunk = space.chunks.entry(number).or_default();
            change(Arc::make_mut(chunk));
        }
    }
}

/// A printed expiry date as a day number.
pub fn expiry_day(text: &str) -> Option<i32> {
    text.parse().ok().map(day_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SpaceKey {
        SpaceKey::parse("01/06901234567892").unwrap()
    }

    fn world(changes: impl IntoIterator<Item = Change>) -> World {
        let mut next = NextWorld::from(&World::default());
        let space = Space::new(key(), UnitLevel::Item, None, Ring::default());
        next.apply(Change::Space(Box::new(space)));
        for change in changes {
            next.apply(change);
        }
        next.finish(Uuid::nil(), 1)
    }

    fn standing(world: &World, index: u64) -> Standing {
        world.space(&key()).unwrap().standing(index)
    }

    #[test]
    fn an_index_stands_where_its_range_says() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let world = world([
            Change::Segment(key(), 0, 999),
            Change::Segment(key(), 2000, 2999),
            Change::Commissioned(key(), 100, 199, a),
            Change::Commissioned(key(), 200, 299, b),
        ]);
        assert_eq!(standing(&world, 0), Standing::Allocated);
        assert_eq!(standing(&world, 99), Standing::Allocated);
        assert_eq!(standing(&world, 100), Standing::Commissioned(a));
        assert_eq!(standing(&world, 199), Standing::Commissioned(a));
        assert_eq!(standing(&world, 200), Standing::Commissioned(b));
        assert_eq!(standing(&world, 300), Standing::Allocated);
        assert_eq!(standing(&world, 1000), Standing::NotAllocated);
        assert_eq!(standing(&world, 2999), Standing::Allocated);
        assert_eq!(standing(&world, 3000), Standing::NotAllocated);
    }

    #[test]
    fn void_wins_and_listed_indices_are_commissioned() {
        let batch = Uuid::from_u128(1);
        let bits = |n: u32| RoaringBitmap::from_iter([n]);
        let world = world([
            Change::Segment(key(), 0, 200_000),
            Change::Commissioned(key(), 0, 10, batch),
            Change::Marked(key(), 0, Mark::Void, bits(5)),
            Change::Listed(key(), 1, batch, bits(7)),
        ]);
        assert_eq!(standing(&world, 5), Standing::Void);
        assert_eq!(standing(&world, 6), Standing::Commissioned(batch));
        assert_eq!(standing(&world, 65_536 + 7), Standing::Commissioned(batch));
        assert_eq!(standing(&world, 65_536 + 8), Standing::Allocated);
    }

    #[test]
    fn applying_a_change_twice_is_the_same_as_once() {
        let twice = || {
            [
                Change::Segment(key(), 0, 9),
                Change::Commissioned(key(), 0, 4, Uuid::nil()),
            ]
        };
        let world = world(twice().into_iter().chain(twice()));
        let space = world.space(&key()).unwrap();
        assert_eq!((space.segments.len(), space.commissioned.len()), (1, 1));
    }

    #[test]
    fn the_world_before_stays_as_it_was() {
        let before = world([Change::Segment(key(), 0, 9)]);
        let mut next = NextWorld::from(&before);
        next.apply(Change::Segment(key(), 10, 19));
        let after = next.finish(Uuid::nil(), 2);
        assert_eq!(standing(&before, 15), Standing::NotAllocated);
        assert_eq!(standing(&after, 15), Standing::Allocated);
    }

    #[test]
    fn a_recall_of_single_units_names_these_and_ends_with_one_row() {
        let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let notice = |id: Uuid, opened_at| Recall {
            id,
            reason: String::new(),
            instructions: String::new(),
            opened_at,
        };
        let bits = |n: u32| RoaringBitmap::from_iter([n]);
        let open = world([
            Change::Recalled(key(), 1, first, bits(7)),
            Change::Recalled(key(), 1, second, bits(7)),
            Change::Recall(first, Some(notice(first, 10))),
            Change::Recall(second, Some(notice(second, 20))),
        ]);
        let told = |world: &World, index| {
            let space = world.space(&key()).unwrap();
            world
                .newest_open(space.recalls(index))
                .map(|recall| recall.id)
        };
        assert_eq!(told(&open, 65_536 + 7), Some(second));
        for neighbour in [7, 65_536 + 6, 65_536 + 8] {
            assert_eq!(told(&open, neighbour), None, "{neighbour}");
        }
        let mut next = NextWorld::from(&open);
        next.apply(Change::Recall(second, None));
        let one = next.finish(Uuid::nil(), 2);
        assert_eq!(told(&one, 65_536 + 7), Some(first));
        let held = one.space(&key()).unwrap().recalls(65_536 + 7).count();
        assert_eq!(held, 1, "what a closed recall named is forgotten");
        assert_eq!(
            told(&open, 65_536 + 7),
            Some(second),
            "the world before stays"
        );
    }

    #[test]
    fn other_codes_are_known_by_their_name_until_nothing_is_left_to_say() {
        let code = |text: &str| suyuan_sync::trace_code::parse(text).unwrap().code;
        let tin = code("(01)04012345678901(21)a");
        let unit = UnitKey::of(&tin).unwrap();
        let known = OtherUnit {
            recalls: vec![Uuid::from_u128(1)],
            ..OtherUnit::default()
        };
        let before = world([Change::Other(unit.clone(), known.clone())]);
        assert_eq!(before.other(&tin), Some(&known));
        assert_eq!(before.other(&code("(01)04012345678901(21)A")), None);
        let mut next = NextWorld::from(&before);
        next.apply(Change::Other(unit, OtherUnit::default()));
        assert!(next.finish(Uuid::nil(), 2).others.is_empty());
    }
}
