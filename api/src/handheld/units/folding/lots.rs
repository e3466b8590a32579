//! Lines of lots, in the act that brings events: which facts say what of which lines now, what they
//! said before, and so which lines go on and which are folded again.

use super::{Change, Done, Folding, Moment, NUMBER_BITS, holds_lots, judged};
use crate::handheld::{
    lots::{
        CARRIED, Kept, LineRow, Moved, added, again, moves,
        store::{self as lines, Of},
    },
    units::store::{self, Opened, is_sweep},
    world::WorldError,
};
use sea_orm::ConnectionTrait;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    event::Kind,
    facts::Fact,
    finding::{Finding, FindingCode, LotKey},
    fold::{self, Folded},
    ids::{DeviceId, EventId, GroupId, Gseq, LocationId, Micros},
    lots::{self as rules, Line, Movement},
    order::Order,
    unit::UnitKey,
};
use uuid::Uuid;

/// What events and containers say of lines.
type Said = BTreeMap<LotKey, Vec<Moved>>;

/// Facts whose movements are worked out again.
#[derive(Default)]
struct Asked {
    /// These.
    facts: BTreeMap<Gseq, Arc<Fact>>,
    /// Those that decide what they are worth.
    with: BTreeMap<Gseq, Arc<Fact>>,
}

fn concerns_lots(fact: &Fact) -> bool {
    !fact.event.lots.is_empty() || is_sweep(fact)
}

impl Folding<'_> {
    /// Works what came in into the lines it is about.
    pub(super) async fn fold_lots(
        &mut self,
        conn: &impl ConnectionTrait,
        change: &Change,
        folded: &BTreeMap<UnitKey, Folded>,
        done: &mut Done,
    ) -> Result<(), WorldError> {
        let mut asked = self.asked(conn, change).await?;
        let carriers: BTreeSet<UnitKey> = self
            .units
            .iter()
            .filter(|(key, unit)| unit.dirty.is_some() && holds_lots(key, unit))
            .map(|(key, _)| key.clone())
            .collect();
        if asked.facts.is_empty() && carriers.is_empty() {
            return Ok(());
        }
        let carried = self.carried(&carriers, folded);
        let (mut known, mut said) = self.said(conn, &asked, &carried).await?;
        // A line nobody knew is missed by every complete count of its place.
        let fresh: BTreeMap<Uuid, Micros> = said
            .iter()
            .filter(|(key, moved)| {
                let moved = moved.iter().any(|moved| moves(moved.movement.change));
                moved && !known.get(*key).is_some_and(|line| line.kept.moved)
            })
            .map(|(key, _)| key.location.0)
            .filter(|place| self.source.is_counted(*place))
            .map(|place| (place, Micros::MIN))
            .collect();
        if !fresh.is_empty() {
            let sweeps = self.sweeps_at(conn, &fresh).await?;
            self.ask(conn, &mut asked, sweeps).await?;
            (known, said) = self.said(conn, &asked, &carried).await?;
        }
        let before = self.before(conn, &asked, &carriers).await?;
        self.work_in(conn, (known, said), before, &asked, change, done)
            .await
    }

    /// The facts whose movements may have changed.
    async fn asked(
        &mut self,
        conn: &impl ConnectionTrait,
        change: &Change,
    ) -> Result<Asked, WorldError> {
        let mut facts: Vec<Arc<Fact>> = Vec::new();
        let new = change.arrived.iter().chain(&change.moved);
        facts.extend(new.filter(|fact| concerns_lots(fact)).cloned());
        for (retract, target) in &self.strikes {
            if let Some(target) = target.as_ref().filter(|target| concerns_lots(target)) {
                facts.extend([retract.clone(), target.clone()]);
            }
        }
        let targets: BTreeSet<EventId> =
            change.moved.iter().filter_map(|f| f.event.target).collect();
        let targets = store::by_event_id(conn, self.reader, &targets).await?;
        facts.extend(targets.into_iter().filter(|target| concerns_lots(target)));
        // All documents of a correction, and of a count in several.
        let retracts = self.strikes.iter().map(|(retract, _)| retract);
        let groups: BTreeSet<GroupId> = facts
            .iter()
            .chain(retracts)
            .filter_map(|fact| fact.event.group.filter(|g| g.correct).map(|g| g.id))
            .collect();
        if !groups.is_empty() {
            let members = store::by_group(conn, self.reader, &groups).await?;
            let members = members.into_iter().filter(|fact| concerns_lots(fact));
            facts.extend(members);
        }
        let mut asked = Asked::default();
        self.ask(conn, &mut asked, facts).await?;
        Ok(asked)
    }

    async fn ask(
        &mut self,
        conn: &impl ConnectionTrait,
        asked: &mut Asked,
        mut facts: Vec<Arc<Fact>>,
    ) -> Result<(), WorldError> {
        let count = |fact: &Fact| {
            let group = fact.event.group.filter(|_| fact.event.kind == Kind::Count);
            group.map(|group| group.id)
        };
        let groups: BTreeSet<GroupId> = facts.iter().filter_map(|fact| count(fact)).collect();
        if !groups.is_empty() {
            let members = store::by_group(conn, self.reader, &groups).await?;
            let members = members.into_iter().chain(self.arrived.iter().cloned());
            facts.extend(members.filter(|f| count(f).is_some_and(|id| groups.contains(&id))));
        }
        let deciding = self.what_decides(conn, &facts).await?;
        let targets: BTreeSet<EventId> = facts.iter().filter_map(|f| f.event.target).collect();
        let mut with = store::by_event_id(conn, self.reader, &targets).await?;
        let arrived = self.arrived.iter();
        with.extend(
            arrived
                .filter(|fact| targets.contains(&fact.event.id))
                .cloned(),
        );
        with.extend(deciding.into_values().flatten());
        asked
            .with
            .extend(with.into_iter().map(|fact| (fact.gseq, fact)));
        asked
            .facts
            .extend(facts.into_iter().map(|fact| (fact.gseq, fact)));
        Ok(())
    }

    /// What the containers among these carried, and by which container.
    fn carried(
        &self,
        carriers: &BTreeSet<UnitKey>,
        folded: &BTreeMap<UnitKey, Folded>,
    ) -> Vec<(LotKey, Moved)> {
        let mut out = Vec::new();
        for key in carriers {
            let (Some(unit), Some(folded)) = (self.units.get(key), folded.get(key)) else {
                continue;
            };
            let positions: BTreeMap<Order, Gseq> = folded
                .steps
                .iter()
                .map(|step| (step.order, step.fact.gseq))
                .collect();
            for (line, movement) in rules::carried(key, &folded.steps) {
                if let Some(gseq) = positions.get(&movement.order) {
                    let moved = Moved {
                        gseq: *gseq,
                        n: unit.id,
                        movement,
                    };
                    debug_assert!(unit.id >= CARRIED);
                    out.push((line, moved));
                }
            }
        }
        out
    }

    /// What is said of lines now, with the lines as they were.
    async fn said(
        &self,
        conn: &impl ConnectionTrait,
        asked: &Asked,
        carried: &[(LotKey, Moved)],
    ) -> Result<(BTreeMap<LotKey, LineRow>, Said), WorldError> {
        let swept: BTreeSet<LocationId> = asked
            .facts
            .values()
            .filter(|fact| is_sweep(fact))
            .map(|fact| fact.event.location)
            .collect();
        let mut rows = lines::lines_at(conn, &swept).await?;
        let mut known: BTreeSet<LotKey> = rows
            .iter()
            .filter(|(_, line)| line.kept.moved)
            .map(|(key, _)| key.clone())
            .collect();
        known.extend(carried.iter().map(|(key, _)| key.clone()));
        let facts: BTreeMap<Gseq, &Fact> = asked
            .with
            .iter()
            .chain(&asked.facts)
            .map(|(gseq, fact)| (*gseq, fact.as_ref()))
            .collect();
        let positions: BTreeMap<Order, Gseq> = facts
            .iter()
            .map(|(gseq, fact)| (fact.order, *gseq))
            .collect();
        let facts: Vec<&Fact> = facts.into_values().collect();
        let mut said = Said::new();
        for (key, movements) in rules::stated(&facts, &known, self.source.world()) {
            let mut n: BTreeMap<Gseq, i64> = BTreeMap::new();
            for movement in movements {
                let gseq = positions.get(&movement.order);
                let Some(gseq) = gseq.filter(|gseq| asked.facts.contains_key(gseq)) else {
                    continue;
                };
                let n = n.entry(*gseq).or_default();
                let moved = Moved {
                    gseq: *gseq,
                    n: *n,
                    movement,
                };
                *n += 1;
                said.entry(key.clone()).or_default().push(moved);
            }
        }
        for (key, moved) in carried {
            said.entry(key.clone()).or_default().push(*moved);
        }
        let named = said.keys().filter(|key| !rows.contains_key(*key));
        rows.extend(lines::lines(conn, &named.cloned().collect()).await?);
        Ok((rows, said))
    }

    /// What the same facts and containers said before, by line.
    async fn before(
        &self,
        conn: &impl ConnectionTrait,
        asked: &Asked,
        carriers: &BTreeSet<UnitKey>,
    ) -> Result<BTreeMap<i64, Vec<Moved>>, WorldError> {
        let old = asked.facts.keys().filter(|gseq| **gseq < self.moment.first);
        let old = old.map(|gseq| (*gseq).into()).collect();
        let mut rows = lines::moves(conn, Of::Events, old).await?;
        let units = carriers.iter().filter_map(|key| self.units.get(key));
        let units = units.filter(|unit| unit.known).map(|unit| unit.id.into());
        rows.extend(lines::moves(conn, Of::Containers, units.collect()).await?);
        let mut before: BTreeMap<i64, Vec<Moved>> = BTreeMap::new();
        for (line, moved) in rows {
            before.entry(line).or_default().push(moved);
        }
        Ok(before)
    }

    /// Brings the lines to what is said of them now.
    async fn work_in(
        &mut self,
        conn: &impl ConnectionTrait,
        (mut known, mut said): (BTreeMap<LotKey, LineRow>, Said),
        before: BTreeMap<i64, Vec<Moved>>,
        asked: &Asked,
        change: &Change,
        done: &mut Done,
    ) -> Result<(), WorldError> {
        let have: BTreeSet<i64> = known.values().map(|line| line.id).collect();
        let missing = before.keys().filter(|id| !have.contains(id)).copied();
        known.extend(lines::lines_by_id(conn, &missing.collect()).await?);
        let moved: BTreeSet<Gseq> = change.moved.iter().map(|fact| fact.gseq).collect();
        let mut plans = Vec::new();
        for (key, line) in &known {
            let now = said.remove(key).unwrap_or_default();
            let before = before.get(&line.id).map_or(&[][..], Vec::as_slice);
            plans.push(Plan::of(line.clone(), now, before, &moved));
        }
        for (key, now) in said {
            let line = self.new_line(key, &now, asked);
            plans.push(Plan::of(line, now, &[], &moved));
        }
        plans.retain(|plan| !plan.is_nothing());
        let late: BTreeSet<i64> = plans
            .iter()
            .filter(|p| p.again)
            .map(|p| p.line.id)
            .collect();
        let ids = late.iter().map(|id| (*id).into()).collect();
        let mut all: BTreeMap<i64, Vec<Moved>> = BTreeMap::new();
        for (line, moved) in lines::moves(conn, Of::Lines, ids).await? {
            all.entry(line).or_default().push(moved);
        }
        let mut open = lines::open(conn, &late).await?;
        let mut out = Outcome::default();
        for plan in &mut plans {
            if !plan.again && out.append(plan) {
                continue;
            }
            let id = plan.line.id;
            if !plan.again {
                // It turned out to be late: two containers of one event, say.
                let of = lines::moves(conn, Of::Lines, vec![id.into()]).await?;
                all.insert(id, of.into_iter().map(|(_, moved)| moved).collect());
                open.extend(lines::open(conn, &BTreeSet::from([id])).await?);
            }
            let rows = all.remove(&id).unwrap_or_default();
            let open = open.remove(&id).unwrap_or_default();
            self.fold_again(conn, plan, rows, open, &mut out).await?;
        }
        self.write_lots(conn, out, asked, done).await
    }

    fn new_line(&mut self, key: LotKey, now: &[Moved], asked: &Asked) -> LineRow {
        let owner = self.source.world().places.get(&key.location);
        let stater = now.first().and_then(|moved| asked.facts.get(&moved.gseq));
        let enterprise = owner
            .map(|place| place.enterprise.0)
            .or(stater.map(|fact| fact.enterprise.0));
        self.numbered += 1;
        LineRow {
            id: number(self.moment, self.numbered),
            enterprise: enterprise.unwrap_or_default(),
            findings: 0,
            kept: Kept {
                line: Line::new(key),
                below: None,
                moved: false,
            },
        }
    }

    /// Folds a line from all its movements.
    async fn fold_again(
        &mut self,
        conn: &impl ConnectionTrait,
        plan: &mut Plan,
        rows: Vec<Moved>,
        open: Vec<(i64, Finding)>,
        out: &mut Outcome,
    ) -> Result<(), WorldError> {
        let touched: BTreeSet<(Gseq, i64)> = plan.now.iter().map(Moved::key).collect();
        let gone: BTreeSet<(Gseq, i64)> = plan.gone.iter().copied().collect();
        let mut all: Vec<Moved> = rows;
        all.retain(|row| !touched.contains(&row.key()) && !gone.contains(&row.key()));
        all.extend(&plan.now);
        let line = &mut plan.line;
        line.kept.moved = all.iter().any(|row| moves(row.movement.change));
        if !line.kept.moved {
            // Complete counts miss only what is known by more than counts.
            let positions = all.iter().map(|row| row.gseq).collect();
            let mut counts = store::by_position(conn, self.reader, &positions).await?;
            counts.extend(self.arrived.iter().cloned());
            let names = |gseq| {
                let count = counts.iter().find(|fact| fact.gseq == gseq);
                let key = &line.kept.line.key;
                count.is_some_and(|fact| {
                    let mut lots = fact.event.lots.iter();
                    lots.any(|lot| lot.gtin == key.gtin && lot.lot == key.lot)
                })
            };
            let (stay, swept): (Vec<Moved>, Vec<Moved>) =
                all.into_iter().partition(|row| names(row.gseq));
            out.gone
                .extend(swept.iter().map(|row| (line.id, row.gseq, row.n)));
            plan.now.retain(|row| names(row.gseq));
            all = stay;
        }
        let movements: Vec<Movement> = all.iter().map(|row| row.movement).collect();
        let (folded, now) = again(line.kept.line.key.clone(), movements);
        let old: Vec<Finding> = open.iter().map(|(_, finding)| finding.clone()).collect();
        let (new, gone) = fold::diff(&old, &now);
        let below = folded.below.map(|below| below.judged());
        line.kept.line = folded;
        line.kept.below = None;
        line.findings = now.len() as i64;
        for (id, finding) in &open {
            if gone.iter().any(|gone| gone.is(finding)) {
                out.closed.push((*id, line.id));
            } else if let Some(still) = now.iter().find(|now| now.is(finding)) {
                if still != finding {
                    out.told.push((*id, still.clone()));
                }
                if is_below(still, below) {
                    line.kept.below = Some(*id);
                }
            }
        }
        out.opened
            .extend(new.into_iter().map(|finding| (line.id, finding)));
        out.finish(plan);
        Ok(())
    }

    async fn write_lots(
        &mut self,
        conn: &impl ConnectionTrait,
        mut out: Outcome,
        asked: &Asked,
        done: &mut Done,
    ) -> Result<(), WorldError> {
        let mut facts: BTreeMap<(DeviceId, EventId), Arc<Fact>> = BTreeMap::new();
        let near = self.units.values().flat_map(|unit| unit.facts.values());
        for fact in near.chain(asked.with.values()).chain(asked.facts.values()) {
            facts.insert(judged(fact), fact.clone());
        }
        let far: BTreeSet<EventId> = out
            .opened
            .iter()
            .map(|(_, finding)| finding)
            .filter(|finding| !facts.contains_key(&finding.judged()))
            .map(|finding| finding.event)
            .collect();
        for fact in store::by_event_id(conn, self.reader, &far).await? {
            facts.insert(judged(&fact), fact);
        }
        let mut opened = Vec::new();
        for (line, finding) in std::mem::take(&mut out.opened) {
            let Some(fact) = facts.get(&finding.judged()) else {
                continue;
            };
            self.numbered += 1;
            let id = number(self.moment, self.numbered);
            let (gseq, _) = out.cause(line, self.moment);
            let row = out.lines.iter_mut().find(|row| row.id == line);
            let issuer = row.and_then(|row| {
                let below = row.kept.line.below.map(|below| below.judged());
                if is_below(&finding, below) {
                    row.kept.below = Some(id);
                }
                self.source.world().products.get(&row.kept.line.key.gtin)
            });
            let notes = done.opened.entry(finding.judged()).or_default();
            notes.push(finding.clone());
            opened.push(Opened {
                id,
                fact: fact.clone(),
                issuer: issuer.map(|issuer| issuer.0),
                unit: None,
                line: Some(line),
                opened: gseq,
                finding,
            });
        }
        let closed: Vec<_> = out
            .closed
            .iter()
            .map(|(id, line)| {
                let (gseq, event) = out.cause(*line, self.moment);
                (*id, gseq, event)
            })
            .collect();
        let written = out.lines.len();
        lines::write_lines(conn, &out.lines, self.moment.last).await?;
        lines::forget_moves(conn, &out.gone).await?;
        lines::write_moves(conn, &out.moved).await?;
        store::write_opened(conn, &opened).await?;
        store::write_closed(conn, &closed).await?;
        let told = out.told.into_iter().map(|(id, finding)| store::Changed {
            id,
            at: self.moment.last,
            finding,
        });
        store::write_changed(conn, &told.collect::<Vec<_>>()).await?;
        done.closed += closed.len();
        done.written += written;
        Ok(())
    }
}

impl Moved {
    fn key(&self) -> (Gseq, i64) {
        (self.gseq, self.n)
    }
}

fn number(moment: Moment, n: i64) -> i64 {
    (moment.first << NUMBER_BITS) | n
}

/// Is this the finding of the interval below zero that began with an event?
fn is_below(finding: &Finding, below: Option<(DeviceId, EventId)>) -> bool {
    finding.code == FindingCode::NegBalance && Some(finding.judged()) == below
}

/// What is to be done with a line.
struct Plan {
    line: LineRow,
    /// Movements that are new or another than before.
    now: Vec<Moved>,
    /// Movements that are none any more.
    gone: Vec<(Gseq, i64)>,
    /// It has to be folded from all its movements.
    again: bool,
}

impl Plan {
    fn of(line: LineRow, now: Vec<Moved>, before: &[Moved], moved: &BTreeSet<Gseq>) -> Plan {
        let still = |row: &Moved| now.iter().any(|now| now.key() == row.key());
        let gone: Vec<(Gseq, i64)> = before
            .iter()
            .filter(|row| !still(row))
            .map(Moved::key)
            .collect();
        let reordered = before.iter().any(|row| moved.contains(&row.gseq));
        let changed = |row: &Moved| before.contains(row);
        let now: Vec<Moved> = now.into_iter().filter(|row| !changed(row)).collect();
        let known = |row: &Moved| before.iter().any(|before| before.key() == row.key());
        let again = reordered || !gone.is_empty() || now.iter().any(known);
        Plan {
            line,
            now,
            gone,
            again,
        }
    }

    fn is_nothing(&self) -> bool {
        !self.again && self.now.is_empty()
    }
}

/// What is written of lines.
#[derive(Default)]
struct Outcome {
    lines: Vec<LineRow>,
    moved: Vec<(i64, Moved)>,
    gone: Vec<(i64, i64, i64)>,
    opened: Vec<(i64, Finding)>,
    /// Rows of findings, by line.
    closed: Vec<(i64, i64)>,
    told: Vec<(i64, Finding)>,
    first: BTreeMap<i64, (Gseq, EventId)>,
}

impl Outcome {
    /// Adds to a line what is later than all it has; `false` if it is not.
    fn append(&mut self, plan: &mut Plan) -> bool {
        let movements = plan.now.iter().map(|moved| moved.movement).collect();
        let Some(added) = added(&plan.line.kept.line, movements) else {
            return false;
        };
        let line = &mut plan.line;
        let was = line.kept.line.below.map(|below| below.judged());
        let mut open = line.kept.below.take();
        for finding in added.found {
            // What was open has ended, and says when.
            if let Some(id) = open.take_if(|_| is_below(&finding, was)) {
                self.told.push((id, finding));
            } else {
                line.findings += 1;
                self.opened.push((line.id, finding));
            }
        }
        if let Some(below) = added.below {
            if let Some(id) = open {
                line.kept.below = Some(id);
                if line.kept.line.below != added.line.below {
                    self.told.push((id, below));
                }
            } else {
                line.findings += 1;
                self.opened.push((line.id, below));
            }
        }
        line.kept.line = added.line;
        line.kept.moved |= plan.now.iter().any(|row| moves(row.movement.change));
        self.finish(plan);
        true
    }

    fn finish(&mut self, plan: &Plan) {
        let id = plan.line.id;
        let first = plan.now.iter().min_by_key(|moved| moved.gseq);
        let first = first.map(|moved| (moved.gseq, moved.movement.order.event));
        self.first.extend(first.map(|first| (id, first)));
        self.lines.push(plan.line.clone());
        self.moved.extend(plan.now.iter().map(|moved| (id, *moved)));
        let gone = plan.gone.iter().map(|(gseq, n)| (id, *gseq, *n));
        self.gone.extend(gone);
    }

    /// What changed a line: the first event that came in for it, or the act itself.
    fn cause(&self, line: i64, moment: Moment) -> (Gseq, Option<EventId>) {
        match self.first.get(&line) {
            Some((gseq, event)) => ((*gseq).max(moment.first), Some(*event)),
            None => (moment.last, None),
        }
    }
}
