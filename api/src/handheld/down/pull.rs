//! A page of what changed for a device.

use super::{
    cards, recalled,
    store::{self, Window},
    units::{self, Changes},
};
use crate::{
    app::Internal,
    clock::Micros,
    db::rows::by_keys,
    handheld::{keys::KeyError, push::act::note},
    http::device::DeviceKnown,
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    event::{self, Counterpart},
    finding::Finding,
    ids::{DeviceId, EventId, LocationId},
    wire::{Item, PullItem, Removed, Verdict},
};
use thiserror::Error;
use uuid::Uuid;

/// Why there is no page.
#[derive(Debug, Error)]
pub enum PullError {
    /// The cursor leads nowhere: of another life of the device, or ahead of the log.
    #[error("the cursor cannot be followed")]
    Gone,
    /// The database's word.
    #[error("pull")]
    Db(#[from] DbErr),
    /// The recall list could not be signed.
    #[error("pull")]
    Key(#[from] KeyError),
}

/// A page, without its anchor.
pub struct Page {
    /// What changed, in the order of the positions.
    pub items: Vec<PullItem>,
    /// Where to go on.
    pub cursor: Position,
    /// There is more already.
    pub more: bool,
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
    RecallList,
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
        let mut items: Vec<(Position, Of, Item)> =
            self.0.into_iter().map(|(of, (gseq, item))| (gseq, of, item)).collect();
        items.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        let plain = |(gseq, _, item)| PullItem { gseq, item };
        items.into_iter().map(plain).collect()
    }
}

/// The page after a cursor.
pub async fn page(
    state: &Internal,
    device: &DeviceKnown,
    cursor: Position,
    limit: i64,
) -> Result<Page, PullError> {
    let tx = state.db.begin_reading().await?;
    let (head, stamp) = store::head(&tx).await?;
    if cursor > head || (cursor > 0 && cursor < device.since) {
        return Err(PullError::Gone);
    }
    let mut window = Window {
        enterprise: device.enterprise,
        location: device.location,
        device: device.device,
        after: cursor,
        upto: head,
    };
    window.upto = store::bound(&tx, &window, limit).await?;
    let mut items = Items::default();
    let changes = units::changed(&tx, &window).await?;
    // Products and partners by the position they are first needed or changed at.
    let mut products: BTreeMap<Uuid, Position> = BTreeMap::new();
    let mut partners: BTreeMap<Uuid, Position> = BTreeMap::new();
    add_units(&tx, &window, &changes, &mut items, &mut products, &mut partners).await?;
    add_legs(&tx, &window, &mut partners).await?;
    let mut foreign = Vec::new();
    for (gseq, whose, kind, id) in store::master_data(&tx, &window).await? {
        match (kind.as_str(), whose == Some(window.enterprise)) {
            ("product", true) => newest(&mut products, id, gseq),
            ("product", false) => foreign.push((id, gseq)),
            ("enterprise" | "location", true) => newest(&mut partners, window.enterprise, gseq),
            _ => {}
        }
    }
    if !foreign.is_empty() {
        let handled = store::handled(&tx, window.enterprise).await?;
        for (id, gseq) in foreign.into_iter().filter(|(id, _)| handled.contains(id)) {
            newest(&mut products, id, gseq);
        }
    }
    let ids = products.keys().copied().collect();
    for card in cards::products(&tx, &ids).await? {
        let (id, at) = (card.product.0, products.get(&card.product.0));
        items.add(Of::Product(id), at.copied().unwrap_or(window.upto), Item::Product(card));
    }
    for (id, gseq) in partners {
        if let Some(card) = cards::partner(&tx, id).await? {
            items.add(Of::Partner(id), gseq, Item::Partner(card));
        }
    }
    for (gseq, verdict) in verdicts(&tx, &window).await? {
        items.add(Of::Verdict(gseq.0), gseq.1, Item::Verdict(verdict));
    }
    if window.upto == head && head > cursor {
        let keys = &state.handheld.keys;
        let list = recalled::list(&tx, keys, window.enterprise, (head, stamp)).await?;
        items.add(Of::RecallList, head, Item::RecallList(list));
    }
    tx.commit().await?;
    // Before anybody is told, so that whatever is told is taken back in time.
    units::keep_told(&state.db, window.location, &changes.here).await?;
    Ok(Page {
        items: items.in_order(),
        cursor: window.upto,
        more: window.upto < head,
        stamp,
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
    changes: &Changes,
    items: &mut Items,
    products: &mut BTreeMap<Uuid, Position>,
    partners: &mut BTreeMap<Uuid, Position>,
) -> Result<(), DbErr> {
    let cards = units::cards(conn, &changes.here).await?;
    let froms: BTreeSet<LocationId> = changes
        .here
        .iter()
        .filter_map(|unit| units::coming_from(&unit.state))
        .collect();
    let owners = cards::owners(conn, &froms).await?;
    for (unit, card) in changes.here.iter().zip(cards) {
        let own = unit.state.issuer.is_some_and(|issuer| issuer.0 == window.enterprise);
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
    partners: &mut BTreeMap<Uuid, Position>,
) -> Result<(), DbErr> {
    let mut places: Vec<(LocationId, Position)> = Vec::new();
    for (gseq, body) in store::legs(conn, window).await? {
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
    let owners = cards::owners(conn, &ids).await?;
    for (place, gseq) in places {
        let owner = owners.get(&place);
        if let Some(owner) = owner.filter(|owner| owner.0 != window.enterprise) {
            newest(partners, owner.0, gseq);
        }
    }
    Ok(())
}

/// What was found about the device's own events, of those about which something changed: with the
/// event's position and that of the change.
async fn verdicts(
    conn: &impl ConnectionTrait,
    window: &Window,
) -> Result<Vec<((Position, Position), Verdict)>, DbErr> {
    let (device, after, upto) = (window.device, window.after, window.upto);
    let changed = store::rows(
        conn,
        "SELECT event_gseq, opened, closed FROM finding WHERE device_id = ? \
         AND ((opened > ? AND opened <= ?) OR (closed > ? AND closed <= ?))",
        [
            device.into(),
            after.into(),
            upto.into(),
            after.into(),
            upto.into(),
        ],
    )
    .await?;
    let mut at: BTreeMap<Position, Position> = BTreeMap::new();
    for row in changed {
        let event: Position = row.try_get("", "event_gseq")?;
        let closed: Option<Position> = row.try_get("", "closed")?;
        let positions = [Some(row.try_get("", "opened")?), closed];
        let within = positions.into_iter().flatten().filter(|at| *at > after && *at <= upto);
        let newest = within.max().unwrap_or(upto);
        let held = at.entry(event).or_insert(newest);
        *held = (*held).max(newest);
    }
    let keys = || at.keys().map(|gseq| (*gseq).into()).collect();
    let found = by_keys(
        conn,
        "SELECT id, event_gseq, opened, closed, closed_by, finding FROM finding \
         WHERE device_id = ? AND event_gseq IN ({keys}) ORDER BY id",
        &[device.into()],
        keys(),
    )
    .await?;
    let mut notes: BTreeMap<Position, Vec<_>> = BTreeMap::new();
    for row in found {
        let opened: Position = row.try_get("", "opened")?;
        if opened > upto {
            continue;
        }
        let text: String = row.try_get("", "finding")?;
        let finding: Finding =
            serde_json::from_str(&text).map_err(|error| DbErr::Json(error.to_string()))?;
        let closed: Option<Position> = row.try_get("", "closed")?;
        let mut note = note(&finding);
        note.closed = closed.is_some_and(|closed| closed <= upto);
        if note.closed {
            note.closed_by = row.try_get::<Option<Uuid>>("", "closed_by")?.map(EventId);
        }
        notes.entry(row.try_get("", "event_gseq")?).or_default().push(note);
    }
    let events = by_keys(
        conn,
        "SELECT gseq, event_id, epoch, seq FROM event WHERE gseq IN ({keys})",
        &[],
        keys(),
    )
    .await?;
    let mut verdicts = Vec::new();
    for row in events {
        let gseq: Position = row.try_get("", "gseq")?;
        let id: Option<Uuid> = row.try_get("", "event_id")?;
        let verdict = Verdict {
            event: EventId(id.unwrap_or(Uuid::nil())),
            device: DeviceId(device),
            epoch: row.try_get::<i64>("", "epoch")? as u32,
            seq: row.try_get::<i64>("", "seq")? as u64,
            findings: notes.remove(&gseq).unwrap_or_default(),
        };
        let change = at.get(&gseq).copied().unwrap_or(upto);
        verdicts.push(((gseq, change), verdict));
    }
    Ok(verdicts)
}
