//! A page of what changed for a device.

use super::{
    card_store as master,
    listed::ListError,
    root_store::roots,
    store::{self, Master, Window, whole},
    told_store::{self, Seen},
    unit_store::{self as units, Changes},
    verdict_store,
};
use crate::{
    app::Internal,
    clock::Micros,
    codes::ring::Opener,
    http::device::DeviceKnown,
    log::{self, Position},
};
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    bugs::{self, Bug},
    chain::Hash,
    event::{self, Counterpart},
    ids::LocationId,
    wire::{Item, ListCurrent, PullItem, Removed, UnitCard},
};
use thiserror::Error;
use uuid::Uuid;

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
}

/// A page, without its anchor.
pub struct Page {
    /// What changed, in the order of the positions.
    pub items: Vec<PullItem>,
    /// Where to go on.
    pub cursor: Position,
    /// There is more already.
    pub more: bool,
    /// Which recall list holds.
    pub list: ListCurrent,
    /// The instant of the position it was read at.
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
    cursor: Position,
    limit: i64,
    holds: Option<Hash>,
) -> Result<Page, PullError> {
    let tx = state.db.begin_reading().await?;
    let (head, stamp) = log::head_in(&tx).await?;
    // Nothing that a pull reads is ever discarded, and a device never changes its place: no cursor is
    // too old. One that is ahead is of a log that was set back.
    if cursor > head {
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
    let mut part = read(state, &tx, window, limit).await?;
    tx.commit().await?;
    // Before anybody is told, so that whatever is told is taken back in time.
    let mut seen = Seen::default();
    seen.add(device, &part);
    told_store::keep(&state.db, device, &seen).await?;
    // Read after the page, so it says at least what held when that was read: who acknowledges the
    // cursor was told of every recall up to it.
    let list = state.handheld.lists.current(device.enterprise).await?;
    let is_new = holds.map_or(head > cursor, |held| held != list.content());
    if is_new {
        let told = list.told().map_err(ListError::Key)?;
        part.items.push(PullItem {
            gseq: part.upto,
            item: Item::RecallList(told),
        });
    }
    Ok(Page {
        items: part.items,
        cursor: part.upto,
        more: part.upto < head,
        list: list.current().map_err(ListError::Key)?,
        stamp,
    })
}

/// What a page is made of.
pub struct Part {
    /// What changed, in the order of the positions.
    pub items: Vec<PullItem>,
    /// Up to here.
    pub upto: Position,
    /// Units the place is told of.
    pub here: Vec<units::Told>,
}

/// What changed for a device in a window, up to about `limit` items of each sort; all but the recall
/// list.
pub async fn read(
    state: &Internal,
    tx: &impl ConnectionTrait,
    mut window: Window,
    limit: i64,
) -> Result<Part, DbErr> {
    window.after += i64::from(bugs::on(Bug::CursorOffByOne));
    let (most, fitting) = (limit + 1, limit as usize);
    let known = told_store::products(tx, window.location).await?;
    let mut found = roots(tx, &window, most).await?;
    let mut master = store::master_data(tx, &window, &known, most).await?;
    let mut legs = store::legs(tx, &window, most).await?;
    let verdicts = verdict_store::positions(tx, &window, most).await?;
    let positions: [Vec<Position>; 4] = [
        found.iter().map(|(gseq, _)| *gseq).collect(),
        master.iter().map(|change| change.gseq).collect(),
        legs.iter().map(|(gseq, _)| *gseq).collect(),
        verdicts,
    ];
    let ends = positions.iter().filter_map(|of| whole(of, fitting));
    window.upto = ends.fold(window.upto, Position::min);
    // One position that has more than fit comes whole.
    let cut = |of: &[Position]| of.get(fitting).is_some_and(|over| *over <= window.upto);
    if cut(&positions[0]) {
        found = roots(tx, &window, i64::MAX).await?;
    }
    if cut(&positions[1]) {
        master = store::master_data(tx, &window, &known, i64::MAX).await?;
    }
    if cut(&positions[2]) {
        legs = store::legs(tx, &window, i64::MAX).await?;
    }
    found.retain(|(gseq, _)| *gseq <= window.upto);
    master.retain(|change| change.gseq <= window.upto);
    legs.retain(|(gseq, _)| *gseq <= window.upto);
    let mut items = Items::default();
    let changes = units::changed(tx, &window, &found).await?;
    // Products and partners by the position they are first needed or changed at.
    let mut products: BTreeMap<Uuid, Position> = BTreeMap::new();
    let mut partners: BTreeMap<Uuid, Position> = BTreeMap::new();
    let opener = Opener::Master(state.sealer.clone());
    let unit_cards = units::cards(tx, &opener, &changes.here).await?;
    add_units(
        tx,
        &window,
        (&changes, unit_cards),
        &mut items,
        &mut products,
        &mut partners,
    )
    .await?;
    add_legs(tx, &window, legs, &mut partners).await?;
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
        here: changes.here,
    })
}

fn newest(of: &mut BTreeMap<Uuid, Position>, id: Uuid, gseq: Position) {
    let held = of.entry(id).or_insert(gseq);
    *held = (*held).max(gseq);
}

/// Units, and what their cards refer to that is not the enterprise's own.
async fn add_units(
    conn: &impl ConnectionTrait,
    window: &Window,
    (changes, cards): (&Changes, Vec<UnitCard>),
    items: &mut Items,
    products: &mut BTreeMap<Uuid, Position>,
    partners: &mut BTreeMap<Uuid, Position>,
) -> Result<(), DbErr> {
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
    Ok(())
}

/// Enterprises one step up or down, as the place's own papers name them.
async fn add_legs(
    conn: &impl ConnectionTrait,
    window: &Window,
    legs: Vec<(Position, Vec<u8>)>,
    partners: &mut BTreeMap<Uuid, Position>,
) -> Result<(), DbErr> {
    let mut places: Vec<(LocationId, Position)> = Vec::new();
    for (gseq, body) in legs {
        let event = event::parse_bytes(&body).ok();
        match event.and_then(|event| event.counterpart) {
            Some(Counterpart::Enterprise(id)) if id.0 != window.enterprise => {
                newest(partners, id.0, gseq);
            }
            Some(Counterpart::Location(id)) => places.push((id, gseq)),
            _ => {}
        }
    }
    let ids = places.iter().map(|(id, _)| *id).collect();
    let owners = master::owners(conn, &ids).await?;
    for (place, gseq) in places {
        let owner = owners.get(&place);
        if let Some(owner) = owner.filter(|owner| owner.0 != window.enterprise) {
            newest(partners, owner.0, gseq);
        }
    }
    Ok(())
}
