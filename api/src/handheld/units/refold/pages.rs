//! Work, page by page: the units or lines a slice folds, and where the next one begins. Read before the
//! head of the log is locked: whatever comes in meanwhile is folded by its own act.

use super::{Scope, Work, pages_store, record_store, store};
use crate::{
    handheld::{
        lots::store::{lines_at, went},
        units::{
            facts::Reader,
            folding::{
                Change, FACTS_MAX,
                entering::{Entering, weight},
            },
            store::{by_position, named},
        },
        world::{Source, WorldError},
    },
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    event::Kind,
    facts::{BatchInfo, Fact, World},
    finding::FindingCode,
    fold,
    unit::UnitKey,
};
use uuid::Uuid;

/// What a slice folds.
#[derive(Debug, Default)]
pub struct Page {
    /// These units.
    pub units: BTreeSet<UnitKey>,
    /// These were left, each by what is at a position.
    pub left: BTreeMap<UnitKey, Position>,
    /// These events count and enter now.
    pub entered: BTreeSet<Position>,
    /// So much do events of this page name.
    pub names: usize,
    /// These events moved in the order.
    pub moved: BTreeSet<Position>,
    /// These events are judged again as events.
    pub events: BTreeSet<Position>,
    /// Of these, those whose lines of goods may be called otherwise by now.
    pub renamed: BTreeSet<Position>,
    /// These lines of goods without codes are held against a complete count.
    pub lines: Option<Lines>,
    /// What went from these lines by these events, or was inspected, is held against what is on record.
    pub went: BTreeMap<i64, BTreeSet<Position>>,
    /// Nothing is folded of these, but they are told again.
    pub voided: BTreeSet<UnitKey>,
    /// Where the next slice begins; none after the last.
    pub next: Option<i64>,
}

/// Lines of a slice.
#[derive(Debug)]
pub struct Lines {
    /// The position of the count.
    pub count: Position,
    /// Has it moved in the order?
    pub moved: bool,
    /// Rows of lines.
    pub rows: BTreeSet<i64>,
}

impl Page {
    /// How much it is about.
    pub fn size(&self) -> usize {
        let lines = self.lines.as_ref().map_or(0, |lines| lines.rows.len());
        let units = self.units.len() + self.left.len() + self.voided.len();
        units + lines + self.went.len() + self.names
    }

    /// Is there nothing to fold?
    pub fn is_empty(&self) -> bool {
        let lines = self.lines.as_ref();
        let lines = lines.is_none_or(|lines| lines.rows.is_empty());
        let went = self.went.is_empty() && self.voided.is_empty();
        let events = self.events.is_empty() && self.entered.is_empty() && self.moved.is_empty();
        self.units.is_empty() && self.left.is_empty() && events && lines && went
    }
}

/// Rows that are looked through for few that matter.
const LOOKED_THROUGH: i64 = 2000;

/// The next page of some work, of at most about so many units.
pub async fn page(
    conn: &impl ConnectionTrait,
    (source, reader): (&mut Source, &mut Reader),
    work: &Work,
    limit: i64,
) -> Result<Page, WorldError> {
    let after = work.cursor;
    match &work.scope {
        Scope::Batch { batch } => Ok(whole(
            pages_store::of_batch(conn, batch.0, after, limit).await?,
            limit,
        )),
        Scope::Holding { batch } => Ok(whole(
            pages_store::holding(conn, batch.0, after, limit).await?,
            limit,
        )),
        Scope::Apart { accepted } => Ok(whole(
            pages_store::apart(conn, accepted, after, limit).await?,
            limit,
        )),
        Scope::Place { place } => Ok(whole(
            pages_store::at_place(conn, place.0, after, limit).await?,
            limit,
        )),
        Scope::Listed { issuer, recall } => {
            let of = (issuer.0, recall.0);
            let rows = pages_store::listed(conn, of, after, LOOKED_THROUGH).await?;
            let mut page = whole(rows, LOOKED_THROUGH);
            let mut codes = BTreeMap::new();
            for unit in &page.units {
                codes.insert(unit.clone(), source.code(conn, unit).await?);
            }
            source.about(conn, &codes, &BTreeSet::new()).await?;
            let spans = &source.world().recalls;
            let of = |unit: &UnitKey| {
                let mut spans = spans.iter().filter(|span| span.recall == *recall);
                spans.any(|span| span.scope.units.contains(unit))
            };
            page.units.retain(of);
            Ok(page)
        }
        Scope::Unissued => {
            let rows = record_store::unissued(conn, after, LOOKED_THROUGH).await?;
            let mut page = whole(rows, LOOKED_THROUGH);
            let mut issued = BTreeSet::new();
            for unit in &page.units {
                let products = &source.world().products;
                let is_owned = unit.gtin().is_some_and(|gtin| products.contains_key(gtin));
                if is_owned || source.code(conn, unit).await?.is_some() {
                    issued.insert(unit.clone());
                }
            }
            page.units = issued;
            Ok(page)
        }
        Scope::Unbatched { issuer } => {
            let rows = pages_store::of_issuer(conn, issuer.0, true, after, LOOKED_THROUGH).await?;
            let mut page = whole(rows, LOOKED_THROUGH);
            let mut commissioned = BTreeSet::new();
            for unit in &page.units {
                let code = source.code(conn, unit).await?;
                if code.is_some_and(|code| code.commissioned.is_some()) {
                    commissioned.insert(unit.clone());
                }
            }
            page.units = commissioned;
            Ok(page)
        }
        Scope::Voided { issuer, since } => {
            let rows = pages_store::of_issuer(conn, issuer.0, false, after, LOOKED_THROUGH).await?;
            let mut page = whole(rows, LOOKED_THROUGH);
            for unit in std::mem::take(&mut page.units) {
                let code = source.code(conn, &unit).await?;
                let voided = code.and_then(|code| code.voided);
                if voided.is_some_and(|at| at.gseq >= *since) {
                    page.voided.insert(unit);
                }
            }
            Ok(page)
        }
        Scope::Stated { issuer } => {
            let few = limit.min(COMMISSIONS);
            let positions = pages_store::commissions(conn, after, few).await?;
            let next = full(&positions, few).copied();
            let mut units = BTreeSet::new();
            for fact in by_position(conn, reader, &positions.into_iter().collect()).await? {
                for (unit, _) in named(&fact) {
                    let code = source.code(conn, &unit).await?;
                    let code = code.filter(|code| code.issuer == issuer.0);
                    if code.is_some_and(|code| code.commissioned.is_some()) {
                        units.insert(unit);
                    }
                }
            }
            Ok(Page {
                units,
                next,
                ..Page::default()
            })
        }
        Scope::Since { place, until } => {
            let positions = pages_store::events(conn, after, *until, limit).await?;
            let next = full(&positions, limit).copied();
            let facts = by_position(conn, reader, &positions.into_iter().collect()).await?;
            let units: BTreeSet<UnitKey> = facts
                .iter()
                .flat_map(|fact| named(fact))
                .map(|(unit, _)| unit)
                .collect();
            Ok(Page {
                units: pages_store::were_at(conn, &units, place.0).await?,
                next,
                ..Page::default()
            })
        }
        Scope::Left {
            place,
            since,
            until,
        } => {
            // Whoever put things there, they left by something that changed them since; most never
            // did, and cost a look only.
            let positions = pages_store::arrivals(conn, place.0, (after, *until), limit).await?;
            let next = full(&positions, limit).copied();
            let mut units = BTreeSet::new();
            for fact in by_position(conn, reader, &positions.into_iter().collect()).await? {
                units.extend(named(&fact).into_iter().map(|(unit, _)| unit));
                let emptied = fact
                    .event
                    .parent
                    .as_ref()
                    .filter(|_| fact.event.kind == Kind::Unpack && fact.event.units.is_empty());
                if let Some(container) = emptied.and_then(|read| read.unit.as_ref()) {
                    units.extend(packed(conn, reader, container).await?);
                }
            }
            Ok(Page {
                units: pages_store::changed_since(conn, &units, *since).await?,
                next,
                ..Page::default()
            })
        }
        Scope::Lines {
            place,
            count,
            since,
            moved,
        } => {
            let rows = lines_at(conn, *place, *since, after, limit).await?;
            Ok(Page {
                next: full(&rows, limit).copied(),
                lines: Some(Lines {
                    count: *count,
                    moved: *moved,
                    rows: rows.into_iter().collect(),
                }),
                ..Page::default()
            })
        }
        Scope::Went { batch } => {
            let of = match batch {
                Some(batch) => match source.world().batches.get(batch) {
                    Some(info) => Some((called(info, source.world()), info.lot.as_str())),
                    None => return Ok(Page::default()),
                },
                None => None,
            };
            let of = of.as_ref().map(|(names, lot)| (names, *lot));
            let went = went(conn, of, after, limit).await?;
            let events: BTreeSet<Position> = went.values().flatten().copied().collect();
            let is_all = (events.len() as i64) < limit;
            Ok(Page {
                next: events.last().copied().filter(|_| !is_all),
                went,
                ..Page::default()
            })
        }
        Scope::Entered { events, .. } | Scope::Remarked { events } => {
            let mut change = Change {
                arrived: next_of(conn, reader, events, after).await?,
                ..Change::default()
            };
            Entering::cut(conn, &mut change, limit as usize).await?;
            let fits = change.arrived;
            let mut page = Page {
                next: next_after(events, after, fits.len()),
                names: fits.iter().map(|fact| weight(fact)).sum(),
                ..Page::default()
            };
            let fits = fits.iter().map(|fact| fact.gseq);
            match work.scope {
                Scope::Entered { .. } => page.entered.extend(fits),
                _ => page.events.extend(fits),
            }
            Ok(page)
        }
        Scope::Named { by } => {
            let event = by_position(conn, reader, &[*by].into()).await?;
            let units = event.iter().flat_map(|fact| named(fact));
            let units: BTreeSet<UnitKey> = units.map(|(unit, _)| unit).collect();
            let page = part(&units.into_iter().collect::<Vec<_>>(), after, limit);
            // Lots are looked at with the first of its units, or alone.
            let moved = Some(*by).filter(|_| after == 0 || !page.units.is_empty());
            Ok(Page {
                moved: moved.into_iter().collect(),
                ..page
            })
        }
        Scope::Children { container } => {
            let children = packed(conn, reader, container).await?;
            Ok(part(&children, after, limit))
        }
        Scope::Unread { .. } => {
            let rows = store::left(conn, after, limit).await?;
            let mut room = FACTS_MAX;
            let fits = rows.iter().take_while(|row| {
                let fits = row.facts <= room;
                room = room.saturating_sub(row.facts);
                fits
            });
            let fits = fits.count().max(1);
            let is_all = (rows.len() as i64) < limit && fits >= rows.len();
            let rows = rows.get(..fits).unwrap_or(&rows);
            Ok(Page {
                next: rows.last().filter(|_| !is_all).map(|row| row.id),
                left: rows
                    .iter()
                    .map(|row| (row.key.clone(), row.since))
                    .collect(),
                ..Page::default()
            })
        }
        Scope::Unknown => {
            let rows = record_store::unknown(conn, None, after, JUDGED).await?;
            let next = full(&rows, JUDGED).map(|(id, _)| *id);
            let events = rows.into_iter().map(|(_, gseq)| gseq).collect();
            let found = unknown(conn, (source, reader), events).await?;
            Ok(judged_again(conn, &found, next).await?)
        }
        Scope::Actor { enterprise, number } => {
            let of = Some((enterprise.0, number.as_str()));
            let rows = record_store::unknown(conn, of, after, JUDGED).await?;
            let next = full(&rows, JUDGED).map(|(id, _)| *id);
            let events = rows.into_iter().map(|(_, gseq)| gseq).collect();
            let found = unknown(conn, (source, reader), events).await?;
            Ok(judged_again(conn, &found, next).await?)
        }
        Scope::Acted => {
            let whose: BTreeSet<Uuid> = source.world().actors.keys().map(|of| of.0).collect();
            let rows = record_store::stated(conn, after, JUDGED).await?;
            let next = full(&rows, JUDGED).map(|(gseq, _)| *gseq);
            let own = rows.into_iter().filter(|(_, of)| whose.contains(of));
            let events = own.map(|(gseq, _)| gseq).collect();
            let found = unknown(conn, (source, reader), events).await?;
            Ok(judged_again(conn, &found, next).await?)
        }
        Scope::Stranger {
            issuer,
            partner,
            since,
        } => {
            let of = (issuer.0, partner.0);
            let rows = pages_store::strangers(conn, of, *since, after, limit).await?;
            let ids = rows.iter().filter_map(|row| row.unit).collect();
            Ok(Page {
                units: pages_store::keys(conn, &ids).await?,
                next: full(&rows, limit).map(|row| row.finding),
                ..Page::default()
            })
        }
    }
}

/// What lines call the product of a batch, its cases among them.
fn called(batch: &BatchInfo, world: &World) -> BTreeSet<String> {
    let others = world.product_of.keys();
    let is_of = |text: &&String| {
        let product = world.product_on_codes(text);
        product.is_some_and(|product| batch.is_of(product))
    };
    let mut names: BTreeSet<String> = others.filter(is_of).cloned().collect();
    names.insert(batch.product.clone());
    names
}

/// Commissions by devices of one page: each may name a thousand units.
const COMMISSIONS: i64 = 2;

/// Events of a page at most: each may name a thousand units.
const EVENTS: usize = 50;

/// The next of these events, in their order.
async fn next_of(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    events: &[Position],
    after: i64,
) -> Result<Vec<Arc<Fact>>, WorldError> {
    let next = events.iter().skip(after as usize).take(EVENTS);
    let next: Vec<Position> = next.copied().collect();
    let read = by_position(conn, reader, &next.iter().copied().collect()).await?;
    let read: BTreeMap<Position, Arc<Fact>> =
        read.into_iter().map(|fact| (fact.gseq, fact)).collect();
    Ok(next.iter().filter_map(|at| read.get(at).cloned()).collect())
}

/// Where to go on after so many more.
fn next_after(events: &[Position], after: i64, done: usize) -> Option<i64> {
    let to = after + done.max(1) as i64;
    ((to as usize) < events.len()).then_some(to)
}

/// The last of a full page: there may be more.
fn full<T>(rows: &[T], limit: i64) -> Option<&T> {
    rows.last().filter(|_| rows.len() as i64 >= limit)
}

/// A part of what is read whole each time.
fn part(all: &[UnitKey], after: i64, limit: i64) -> Page {
    let from = usize::try_from(after).unwrap_or(usize::MAX).min(all.len());
    let to = (from + usize::try_from(limit).unwrap_or(1)).min(all.len());
    Page {
        units: all[from..to].iter().cloned().collect(),
        next: (to < all.len()).then_some(to as i64),
        ..Page::default()
    }
}

fn whole(rows: Vec<(i64, UnitKey)>, limit: i64) -> Page {
    Page {
        next: full(&rows, limit).map(|(id, _)| *id),
        units: rows.into_iter().map(|(_, unit)| unit).collect(),
        ..Page::default()
    }
}

/// Were codes read that name a product and no unit?
fn reads_products(fact: &Fact) -> bool {
    let mut read = fact.event.units.iter().chain(&fact.event.parent);
    read.any(|read| read.unit.is_none() && read.scanned.is_some())
}

/// All that was ever packed into a container, and into what was packed into it. New packs may put
/// something before the place a cursor stands at: then one is looked at twice, and none is missed.
async fn packed(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    container: &UnitKey,
) -> Result<Vec<UnitKey>, WorldError> {
    let mut all: BTreeSet<UnitKey> = BTreeSet::new();
    let mut level = BTreeSet::from([container.clone()]);
    for _ in 0..suyuan_sync::limits::NESTING_DEPTH_MAX {
        // Thousands of things may be in it, and hold nothing: of them no more is read than that.
        let packs = pages_store::packs_of(conn, &level).await?;
        let mut next = BTreeSet::new();
        for fact in by_position(conn, reader, &packs).await? {
            let event = &fact.event;
            let parent = event.parent.as_ref().and_then(|read| read.unit.as_ref());
            if parent.is_some_and(|parent| level.contains(parent)) {
                next.extend(event.units.iter().filter_map(|read| read.unit.clone()));
            }
        }
        next.retain(|unit| all.insert(unit.clone()));
        if next.is_empty() {
            break;
        }
        level = next;
    }
    Ok(all.into_iter().collect())
}

/// Events that are looked at in one go.
const JUDGED: i64 = LOOKED_THROUGH / 10;

/// A page of events that are judged again as events. Where goods were unknown as well, what is known of them
/// now is worked in with that, whatever it is that made it necessary: afterwards nothing tells that they were.
async fn judged_again(
    conn: &impl ConnectionTrait,
    found: &[Arc<Fact>],
    next: Option<i64>,
) -> Result<Page, DbErr> {
    let events: BTreeSet<Position> = found.iter().map(|fact| fact.gseq).collect();
    let goods = record_store::unknown_goods(conn, &events).await?;
    let of_goods = found.iter().filter(|fact| goods.contains(&fact.gseq));
    let units = of_goods.flat_map(|fact| named(fact));
    Ok(Page {
        units: units.map(|(unit, _)| unit).collect(),
        renamed: events.intersection(&goods).copied().collect(),
        events,
        next,
        ..Page::default()
    })
}

/// Of these events those of which something else is on record than was, or not.
async fn unknown(
    conn: &impl ConnectionTrait,
    (source, reader): (&mut Source, &mut Reader),
    positions: BTreeSet<Position>,
) -> Result<Vec<Arc<Fact>>, WorldError> {
    let code = FindingCode::UnknownRef;
    let before = crate::handheld::units::store::open_of_events(conn, &positions).await?;
    let mut found = Vec::new();
    let facts = by_position(conn, reader, &positions).await?;
    // Which batch a commission may name depends on what is on record of its units; and of what was read
    // without a serial, only what the event lacks tells that its product is on record now.
    let is_asked = |fact: &&Arc<Fact>| fact.event.kind == Kind::Commission || reads_products(fact);
    let mut codes = BTreeMap::new();
    for (unit, _) in facts.iter().filter(is_asked).flat_map(|fact| named(fact)) {
        let code = source.code(conn, &unit).await?;
        codes.insert(unit, code);
    }
    source.about(conn, &codes, &BTreeSet::new()).await?;
    for fact in facts {
        let now = fold::of_event(&fact, None, source.world());
        let open = before.get(&fact.gseq).into_iter().flatten();
        let is_another = |code: FindingCode| {
            let now = now.iter().find(|finding| finding.code == code);
            let mut open = open.clone().filter(|(_, finding)| finding.code == code);
            open.next().map(|(_, finding)| &finding.detail) != now.map(|now| &now.detail)
        };
        if is_another(code) || (reads_products(&fact) && is_another(FindingCode::Incomplete)) {
            found.push(fact);
        }
    }
    Ok(found)
}
