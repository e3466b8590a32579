//! A page of what changed for a device.

use super::{
    card_store as master, left_store,
    listed::ListError,
    part_store::{Within, part},
    root_store::roots,
    store::{self, Changed, Master, Paper, Window, whole},
    told_store::{self, Seen},
    unit_store::{self as units, Changes},
    verdict_store,
};
use crate::{
    app::Internal,
    clock::Micros,
    codes::ring::Opener,
    handheld::{
        decisions::{self, DecisionError},
        units::store::UnitId,
    },
    http::device::DeviceKnown,
    log::{self, Position},
    registry,
    sealing::Sealer,
};
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    bugs::{self, Bug},
    chain::Hash,
    event::{self, Counterpart},
    facts::Policy,
    ids::{EnterpriseId, LocationId},
    limits::PULL_UNITS_PER_ITEM,
    wire::{Item, ListCurrent, PullItem, Removed, UnitCard},
};
use thiserror::Error;
use uuid::Uuid;

/// Bytes of papers read at once: a paper may be of half a megabyte.
const PAPERS_AT_ONCE: usize = 1 << 20;
/// Papers looked at for an item that a page may have: they are told nobody, and say only who is a partner.
const PAPERS_PER_ITEM: i64 = 16;

/// Why there is no page.
#[derive(Debug, Error)]
pub enum PullError {
    /// The cursor leads nowhere: it is ahead of the log.
    #[error("the cursor cannot be followed")]
    Gone,
    /// The database's word.
    #[error("pull")]
    Db(#[from] DbErr),
    /// There is no recall list.
    #[error("pull")]
    List(#[from] ListError),
    /// The windows in force cannot be read.
    #[error("pull")]
    Policy(#[from] DecisionError),
}

/// A page, without its anchor.
pub struct Page {
    /// What changed, in the order of the positions.
    pub items: Vec<PullItem>,
    /// Where to go on.
    pub cursor: Position,
    /// There is more already.
    pub more: bool,
    /// It is a part of a position; where the next one begins.
    pub within: Option<Within>,
    /// Which recall list holds.
    pub list: ListCurrent,
    /// The version of the badges of the device's place.
    pub badges: Option<String>,
    /// The windows in force.
    pub policy: Policy,
    /// Up to which instant what counts shows in it.
    pub told_until: Micros,
    /// The instant of the newest position that anything in it was read at: the recall list is made after the rest.
    pub stamp: Micros,
}

/// What an item is of: a later one takes the place of an earlier one. In the order in which items
/// of one position come, so that what is referred to comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Of {
    Partner(Uuid),
    Product(Uuid),
    Unit(i64),
    Verdict(Position),
}

/// The items of a page, each thing once.
#[derive(Default)]
struct Items(BTreeMap<Of, (Position, Item)>);

impl Items {
    fn add(&mut self, of: Of, gseq: Position, item: Item) {
        let newer = self.0.get(&of).is_none_or(|(held, _)| *held <= gseq);
        if newer {
            self.0.insert(of, (gseq, item));
        }
    }

    fn in_order(self) -> Vec<PullItem> {
        let mut items: Vec<(Position, Of, Item)> = self
            .0
            .into_iter()
            .map(|(of, (gseq, item))| (gseq, of, item))
            .collect();
        items.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        let plain = |(gseq, _, item)| PullItem { gseq, item };
        items.into_iter().map(plain).collect()
    }
}

/// The page after a cursor, for a device that holds a recall list of this content.
pub async fn page(
    state: &Internal,
    device: &DeviceKnown,
    (cursor, within): (Position, Option<Within>),
    limit: i64,
    holds: Option<Hash>,
) -> Result<Page, PullError> {
    let tx = state.db.begin_reading().await?;
    let (head, stamp) = log::head_in(&tx).await?;
    // Nothing that a pull reads is ever discarded, and a device never changes its place: no cursor is
    // too old. One that is ahead is of a log that was set back.
    if cursor > head || within.is_some_and(|within| within.at > head) {
        return Err(PullError::Gone);
    }
    let window = Window {
        enterprise: device.enterprise,
        location: device.location,
        device: device.device,
        after: cursor,
        upto: head,
        ended: 0,
    };
    let mut part = read(&state.sealer, &tx, window, within, limit).await?;
    let badges = registry::badges_changed(&tx, device.enterprise, device.location).await?;
    let policy = decisions::policy(&tx).await?;
    let told_until = left_store::told_until(&tx, stamp).await?;
    tx.commit().await?;
    // Before anybody is told, so that whatever is told is taken back in time.
    let mut seen = Seen::default();
    seen.add(device, &part);
    told_store::keep(&state.db, device, &seen).await?;
    // Read after the page, so it says at least what held when that was read: who acknowledges the
    // cursor was told of every recall up to it.
    let list = state.handheld.lists.current(device.enterprise).await?;
    let is_new = holds.map_or(head > cursor, |held| held != list.content());
    if is_new && part.within.is_none() {
        let told = list.told().map_err(ListError::Key)?;
        part.items.push(PullItem {
            gseq: part.upto,
            item: Item::RecallList(told),
        });
    }
    let list = list.current().map_err(ListError::Key)?;
    Ok(Page {
        items: part.items,
        cursor: part.upto,
        more: part.within.is_some() || part.upto < head,
        within: part.within,
        badges: badges.map(|changed| changed.to_string()),
        policy,
        told_until,
        stamp: stamp.max(list.made_at),
        list,
    })
}

/// What a page is made of.
pub struct Part {
    /// What changed, in the order of the positions.
    pub items: Vec<PullItem>,
    /// Up to here.
    pub upto: Position,
    /// Of the position that follows only a part; where the next one begins.
    pub within: Option<Within>,
    /// Units the place is told of.
    pub here: Vec<units::Told>,
    /// Places that goods came from or went to, and that are on no record.
    pub unowned: BTreeSet<LocationId>,
}

/// What changed for a device in a window, up to about `limit` items of each sort; all but the recall
/// list. What changed at one position comes together, in parts if it has to.
pub async fn read(
    sealer: &Sealer,
    tx: &impl ConnectionTrait,
    mut window: Window,
    within: Option<Within>,
    limit: i64,
) -> Result<Part, DbErr> {
    let fitting = usize::try_from(limit).unwrap_or(usize::MAX);
    let most_units = fitting.saturating_mul(PULL_UNITS_PER_ITEM);
    if let Some(within) = within {
        return part_of(sealer, tx, window, within, most_units).await;
    }
    window.after += i64::from(bugs::on(Bug::CursorOffByOne));
    let known = told_store::followed(tx, window.location).await?;
    let (mut found, mut more) = follow(tx, &window, &known, limit.saturating_add(1)).await?;
    let verdicts = verdict_store::positions(tx, &window, limit.saturating_add(1)).await?;
    let positions: [Vec<Position>; 3] = [
        found.iter().map(|(gseq, _)| *gseq).collect(),
        more.master.iter().map(|change| change.gseq).collect(),
        verdicts,
    ];
    let papers: Vec<Position> = more.papers.iter().map(|paper| paper.at).collect();
    let most_papers = usize::try_from(limit.saturating_mul(PAPERS_PER_ITEM)).unwrap_or(usize::MAX);
    let positions = positions.iter().map(|of| (of, fitting));
    let positions = positions.chain([(&papers, most_papers)]);
    let ends = positions
        .clone()
        .filter_map(|(of, fitting)| whole(of, fitting));
    window.upto = ends.fold(window.upto, Position::min);
    // One position that has more than fit comes whole.
    let cut = |(of, fitting): (&Vec<Position>, usize)| {
        of.get(fitting).is_some_and(|over| *over <= window.upto)
    };
    if positions.clone().any(cut) {
        (found, more) = follow(tx, &window, &known, i64::MAX).await?;
    }
    found.retain(|(gseq, _)| *gseq <= window.upto);
    let ids = loop {
        if let Some(ids) = units::with_contents(tx, &found, most_units).await? {
            break ids;
        }
        let Some(upto) = half(&found) else {
            // The first position alone is too much: up to there, then itself in parts.
            let at = found.first().map_or(window.upto, |(gseq, _)| *gseq);
            if at <= window.after + 1 {
                return part_of(sealer, tx, window, Within::of(at), most_units).await;
            }
            window.upto = at - 1;
            break BTreeSet::new();
        };
        window.upto = upto;
        found.retain(|(gseq, _)| *gseq <= upto);
    };
    more.papers.retain(|paper| paper.at <= window.upto);
    more.master.retain(|change| change.gseq <= window.upto);
    put_together(sealer, tx, window, &ids, more).await
}

/// The next part of one position; with the last, what else changed there.
async fn part_of(
    sealer: &Sealer,
    tx: &impl ConnectionTrait,
    window: Window,
    within: Within,
    most_units: usize,
) -> Result<Part, DbErr> {
    let window = Window {
        after: within.at - 1,
        upto: within.at,
        ..window
    };
    let (ids, next) = part(tx, &window, within, most_units).await?;
    if next.is_none() {
        let known = told_store::followed(tx, window.location).await?;
        let (_, more) = follow(tx, &window, &known, i64::MAX).await?;
        return put_together(sealer, tx, window, &ids, more).await;
    }
    // Verdicts come with the last part.
    let mut told = put_together(sealer, tx, window, &ids, Followed::default()).await?;
    told.items
        .retain(|told| !matches!(told.item, Item::Verdict(_)));
    told.upto = window.after;
    told.within = next;
    Ok(told)
}

/// What follows the log besides units.
#[derive(Default)]
struct Followed {
    master: Vec<Changed>,
    /// Papers: what they say is read once it is known where the page ends.
    papers: Vec<Paper>,
}

/// The first so many of each sort in a window: units, and the rest.
async fn follow(
    tx: &impl ConnectionTrait,
    window: &Window,
    known: &[String],
    most: i64,
) -> Result<(Vec<(Position, UnitId)>, Followed), DbErr> {
    let found = roots(tx, window, most).await?;
    let master = store::master_data(tx, window, known, most).await?;
    let most = most.saturating_mul(PAPERS_PER_ITEM);
    let papers = store::papers(tx, window, most).await?;
    Ok((found, Followed { master, papers }))
}

/// The end of the first half of the positions of these; nothing if they are of one.
fn half(found: &[(Position, UnitId)]) -> Option<Position> {
    let mut positions: Vec<Position> = found.iter().map(|(gseq, _)| *gseq).collect();
    positions.dedup();
    if positions.len() < 2 {
        return None;
    }
    let later = positions.get(positions.len() / 2)?;
    Some(later - 1)
}

/// Items of a window: these units, and what else is told there.
async fn put_together(
    sealer: &Sealer,
    tx: &impl ConnectionTrait,
    window: Window,
    ids: &BTreeSet<UnitId>,
    Followed { master, papers }: Followed,
) -> Result<Part, DbErr> {
    let mut items = Items::default();
    let changes = units::changed(tx, &window, ids).await?;
    // Products and partners by the position they are first needed or changed at.
    let mut products: BTreeMap<Uuid, Position> = BTreeMap::new();
    let mut partners: BTreeMap<Uuid, Position> = BTreeMap::new();
    let opener = Opener::Master(sealer.clone());
    let here: Vec<units::Known<'_>> = changes.here.iter().map(units::Told::known).collect();
    let unit_cards = units::cards(tx, &opener, &here).await?;
    let mut unowned = add_units(
        tx,
        &window,
        (&changes, unit_cards),
        &mut items,
        &mut products,
        &mut partners,
    )
    .await?;
    unowned.extend(add_legs(tx, &window, &papers, &mut partners).await?);
    for change in master {
        match change.of {
            Master::Product(id) => newest(&mut products, id, change.gseq),
            Master::Enterprise(id) => newest(&mut partners, id, change.gseq),
        }
    }
    let ids = products.keys().copied().collect();
    for card in master::products(tx, &ids).await? {
        let (id, at) = (card.product.0, products.get(&card.product.0));
        items.add(
            Of::Product(id),
            at.copied().unwrap_or(window.upto),
            Item::Product(card),
        );
    }
    for (id, gseq) in partners {
        if let Some(card) = master::partner(tx, id).await? {
            items.add(Of::Partner(id), gseq, Item::Partner(card));
        }
    }
    for (gseq, verdict) in verdict_store::verdicts(tx, &window).await? {
        items.add(Of::Verdict(gseq.0), gseq.1, Item::Verdict(verdict));
    }
    Ok(Part {
        items: items.in_order(),
        upto: window.upto,
        within: None,
        here: changes.here,
        unowned,
    })
}

fn newest(of: &mut BTreeMap<Uuid, Position>, id: Uuid, gseq: Position) {
    let held = of.entry(id).or_insert(gseq);
    *held = (*held).max(gseq);
}

/// Units, and what their cards refer to that is not the enterprise's own; places among that which are on no
/// record.
async fn add_units(
    conn: &impl ConnectionTrait,
    window: &Window,
    (changes, cards): (&Changes, Vec<UnitCard>),
    items: &mut Items,
    products: &mut BTreeMap<Uuid, Position>,
    partners: &mut BTreeMap<Uuid, Position>,
) -> Result<BTreeSet<LocationId>, DbErr> {
    let froms: BTreeSet<LocationId> = changes
        .here
        .iter()
        .filter_map(|unit| units::coming_from(&unit.state))
        .collect();
    let owners = master::owners(conn, &froms).await?;
    for (unit, card) in changes.here.iter().zip(cards) {
        let own = unit
            .state
            .issuer
            .is_some_and(|issuer| issuer.0 == window.enterprise);
        if let (Some(product), false) = (unit.product, own) {
            newest(products, product, unit.gseq);
        }
        let from = units::coming_from(&unit.state).and_then(|from| owners.get(&from));
        if let Some(from) = from.filter(|from| from.0 != window.enterprise) {
            newest(partners, from.0, unit.gseq);
        }
        items.add(Of::Unit(unit.id), unit.gseq, Item::Unit(card));
    }
    for unit in &changes.left {
        let gone = Item::Removed(Removed::Unit(unit.key.clone()));
        items.add(Of::Unit(unit.id), unit.gseq, gone);
    }
    Ok(without(froms, &owners))
}

fn without(
    mut places: BTreeSet<LocationId>,
    owners: &BTreeMap<LocationId, EnterpriseId>,
) -> BTreeSet<LocationId> {
    places.retain(|place| !owners.contains_key(place));
    places
}

/// Enterprises one step up or down, as the place's own papers name them; places among these papers which are on
/// no record.
async fn add_legs(
    conn: &impl ConnectionTrait,
    window: &Window,
    papers: &[Paper],
    partners: &mut BTreeMap<Uuid, Position>,
) -> Result<BTreeSet<LocationId>, DbErr> {
    let mut places: Vec<(LocationId, Position)> = Vec::new();
    let mut sum = 0;
    let together = |one: &Paper, other: &Paper| {
        sum += one.bytes;
        let fits = sum + other.bytes <= PAPERS_AT_ONCE;
        if !fits {
            sum = 0;
        }
        // What came to count together is read together.
        fits || one.at == other.at
    };
    for papers in papers.chunk_by(together) {
        for (gseq, body) in store::legs(conn, window, papers).await? {
            match event::counterpart_of(&body) {
                Some(Counterpart::Enterprise(id)) if id.0 != window.enterprise => {
                    newest(partners, id.0, gseq);
                }
                Some(Counterpart::Location(id)) => places.push((id, gseq)),
                _ => {}
            }
        }
    }
    let ids: BTreeSet<LocationId> = places.iter().map(|(id, _)| *id).collect();
    let owners = master::owners(conn, &ids).await?;
    for (place, gseq) in places {
        let owner = owners.get(&place);
        if let Some(owner) = owner.filter(|owner| owner.0 != window.enterprise) {
            newest(partners, owner.0, gseq);
        }
    }
    Ok(without(ids, &owners))
}
