//! Brings lines to what is said of them, and writes them with their movements and findings.

use super::{
    Asked, Said, is_below,
    judge::looked_at_again,
    plan::{Outcome, Plan, Touched, unsaid_of},
    said::{AtHand, Before},
};
use crate::handheld::{
    lots::{
        Checkpoint, Kept, LineRow, Moved, again, checkpoint_store as checkpoints,
        store::{self as lines, Of},
    },
    units::{
        folding::{Change, Done, Folding, gather::Gathered, judged},
        store::{self, Opened},
    },
    world::WorldError,
};
use sea_orm::ConnectionTrait;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    facts::Fact,
    finding::{Finding, LotKey},
    fold,
    ids::{DeviceId, EventId, Gseq, Micros},
    lots::{Line, Movement, product_of},
};
use uuid::Uuid;

/// Where a line is folded on from.
#[derive(Default)]
struct Stand {
    /// A checkpoint; none at the beginning.
    from: Option<Checkpoint>,
    /// Its movements behind that.
    rows: Vec<Moved>,
    /// Open findings that may be another by these, with their rows.
    open: Vec<(i64, Finding)>,
}

impl Folding<'_> {
    /// Brings the lines to what is said of them now. Tells by which events they go otherwise than before: whose
    /// line, and where the event stands.
    pub(super) async fn work_in(
        &mut self,
        conn: &impl ConnectionTrait,
        (change, gathered): (&Change, &Gathered),
        (known, mut said): (AtHand, Said),
        before: Before,
        asked: &Asked,
        done: &mut Done,
    ) -> Result<Vec<(Uuid, Micros, Gseq)>, WorldError> {
        // A count that lines are held against may have moved since they were.
        let swept = change.swept.iter().filter(|swept| swept.moved);
        let swept = swept.flat_map(|swept| asked.documents_of(&swept.count));
        let moved = gathered.moved(change).chain(swept);
        // Where they were before is not known; they were never before this.
        let moved: BTreeMap<Gseq, Micros> = moved
            .map(|fact| (fact.gseq, fact.order.eff.min(fact.interval.lo)))
            .collect();
        let mut plans = Vec::new();
        for (key, line) in &known.rows {
            let now = said.remove(key).unwrap_or_default();
            let before = before.get(&line.id).map_or(&[][..], Vec::as_slice);
            plans.push(Plan::of(line.clone(), now, before, &moved));
        }
        for (key, now) in said {
            let line = self.new_line(key, &now, (asked, gathered));
            plans.push(Plan::of(line, now, &[], &moved));
        }
        for plan in &mut plans {
            plan.drop_unsaid(asked);
        }
        plans.retain(|plan| !plan.is_nothing());
        let restated = plans.iter().flat_map(|plan| {
            let restated = plan.restated.iter();
            restated.map(|(event, eff)| (plan.line.enterprise, *eff, *event))
        });
        let restated = restated.collect();
        let late: BTreeSet<i64> = plans
            .iter()
            .filter(|p| p.again)
            .map(|p| p.line.id)
            .collect();
        let from = plans.iter().filter(|p| p.again).map(|p| p.from).min();
        let mut stand = self.stand(conn, &late, from).await?;
        let mut out = Outcome::default();
        for plan in &mut plans {
            if !plan.again && out.append(plan, self.moment) {
                continue;
            }
            let id = plan.line.id;
            if !plan.again {
                // It turned out to be late.
                stand.extend(self.stand(conn, &[id].into(), Some(plan.from)).await?);
            }
            let stand = stand.remove(&id).unwrap_or_default();
            self.fold_again(conn, plan, (stand, asked), &mut out)
                .await?;
        }
        self.name_lines(conn, asked, &mut out).await?;
        self.write_moves(conn, &out).await?;
        let mut touched: Vec<Touched> = plans.iter().flat_map(Plan::touched).collect();
        touched.extend(looked_at_again(change, &known));
        self.judge(conn, touched, (asked, gathered), &mut out)
            .await?;
        self.write_lots(conn, out, (asked, gathered), done).await?;
        Ok(restated)
    }

    /// What late lines are folded on from, and drops the checkpoints behind that.
    async fn stand(
        &self,
        conn: &impl ConnectionTrait,
        late: &BTreeSet<i64>,
        from: Option<Micros>,
    ) -> Result<BTreeMap<i64, Stand>, WorldError> {
        let Some(from) = from else {
            return Ok(BTreeMap::new());
        };
        let behind = checkpoints::behind(conn, late, from).await?;
        checkpoints::forget(conn, late, from).await?;
        let whole: BTreeSet<i64> = late
            .iter()
            .filter(|id| !behind.contains_key(id))
            .copied()
            .collect();
        let mut out: BTreeMap<i64, Stand> = behind
            .into_iter()
            .map(|(id, behind)| {
                let stand = Stand {
                    from: Some(behind.from),
                    rows: behind.moves,
                    open: behind.open,
                };
                (id, stand)
            })
            .collect();
        out.extend(whole_of(conn, &whole).await?);
        Ok(out)
    }

    fn new_line(
        &mut self,
        key: LotKey,
        now: &[Moved],
        (asked, gathered): (&Asked, &Gathered),
    ) -> LineRow {
        let owner = self.source.world().places.get(&key.location);
        // What a container carries somewhere was said of the container, not of the lot.
        let first = now.iter().min_by_key(|moved| moved.gseq);
        let stater = first.and_then(|moved| {
            let of_units = || {
                let mut units = gathered.units.values();
                units.find_map(|unit| unit.facts.get(&moved.gseq))
            };
            asked.facts.get(&moved.gseq).or_else(of_units)
        });
        let enterprise = owner
            .map(|place| place.enterprise.0)
            .or(stater.map(|fact| fact.enterprise.0));
        LineRow {
            id: self.number(),
            enterprise: enterprise.unwrap_or_default(),
            findings: 0,
            kept: Kept {
                line: Line::new(key),
                below: None,
                moved: false,
                since: 0,
                named: Some(false),
            },
        }
    }

    /// Folds a line from where it stands, by all its movements behind that.
    async fn fold_again(
        &mut self,
        conn: &impl ConnectionTrait,
        plan: &mut Plan,
        (mut stand, asked): (Stand, &Asked),
        out: &mut Outcome,
    ) -> Result<(), WorldError> {
        let id = plan.line.id;
        let touched: BTreeSet<(Gseq, i64)> = plan.now.iter().map(Moved::key).collect();
        let gone: BTreeSet<(Gseq, i64)> = plan.gone.iter().copied().collect();
        let all_of = |stand: &Stand, now: &[Moved]| {
            let mut all = stand.rows.clone();
            all.retain(|row| !touched.contains(&row.key()) && !gone.contains(&row.key()));
            all.extend(now);
            all
        };
        let is_moved = |stand: &Stand, all: &[Moved]| {
            let before = stand.from.as_ref().is_some_and(|from| from.moved);
            before || all.iter().any(|row| row.movement.change.makes_known())
        };
        let mut all = all_of(&stand, &plan.now);
        let mut moved = is_moved(&stand, &all);
        if !moved && plan.line.kept.moved && stand.from.is_some() {
            // What complete counts said of it is said no more, as far back as it goes.
            let ids = BTreeSet::from([id]);
            checkpoints::forget(conn, &ids, Micros::MIN).await?;
            stand = whole_of(conn, &ids).await?.remove(&id).unwrap_or_default();
            all = all_of(&stand, &plan.now);
            moved = is_moved(&stand, &all);
        }
        let line = &mut plan.line;
        if !moved {
            // Complete counts miss only what is known by more than counts and packs.
            let saw_none = |row: &Moved| row.movement.change.saw_none();
            let positions = all.iter().filter(|row| saw_none(row)).map(|row| row.gseq);
            let positions = positions.collect();
            let mut counts = store::by_position(conn, self.reader, &positions).await?;
            counts.extend(asked.facts.values().cloned());
            let stays = |row: &Moved| {
                let count = counts.iter().find(|fact| fact.gseq == row.gseq);
                let key = &line.kept.line.key;
                let named = count.is_some_and(|fact| {
                    let mut lots = fact.event.lots.iter();
                    lots.any(|lot| lot.gtin == key.gtin && lot.lot == key.lot)
                });
                named || !saw_none(row)
            };
            let (stay, swept): (Vec<Moved>, Vec<Moved>) = all.into_iter().partition(stays);
            out.gone
                .extend(swept.iter().map(|row| (id, row.gseq, row.n)));
            plan.now.retain(stays);
            all = stay;
        }
        let open = self.open_behind(conn, id, &stand).await?;
        let from = stand.from;
        let from = from.unwrap_or_else(|| Checkpoint::start(line.kept.line.key.clone()));
        let unsaid = unsaid_of(&from.line, &all);
        let positions = unsaid.iter().map(|(gseq, _)| *gseq).collect();
        let mut counts = store::by_position(conn, self.reader, &positions).await?;
        counts.extend(asked.facts.values().cloned());
        let sweeps = counts.iter().filter(|fact| store::is_sweep(fact));
        let sweeps: BTreeSet<Gseq> = sweeps.map(|fact| fact.gseq).collect();
        let is_gone = |key: &(Gseq, i64)| unsaid.contains(key) && sweeps.contains(&key.0);
        let gone = unsaid.iter().filter(|key| is_gone(key));
        out.gone.extend(gone.map(|(gseq, n)| (id, *gseq, *n)));
        all.retain(|row| !is_gone(&row.key()));
        plan.now.retain(|row| !is_gone(&row.key()));
        let movements: Vec<Movement> = all.iter().map(|row| row.movement).collect();
        let folded = again(from, movements);
        for checkpoint in folded.checkpoints {
            let behind = all.iter().filter(|row| checkpoint.is_before(&row.movement));
            let rest = behind.map(|row| row.gseq).min();
            let rest = rest.unwrap_or(self.moment.last + 1);
            out.checkpoints.push((id, checkpoint, rest));
        }
        let now = folded.findings;
        let old: Vec<Finding> = open.iter().map(|(_, finding)| finding.clone()).collect();
        let (new, gone) = fold::diff(&old, &now);
        let below = folded.end.line.below.map(|below| below.judged());
        // What went is held against what is on record beside all this.
        line.findings += now.len() as i64 - old.len() as i64;
        line.kept = Kept {
            line: folded.end.line,
            below: None,
            moved: folded.end.moved,
            since: folded.since,
            named: line.kept.named,
        };
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
        out.finish(plan, self.moment);
        Ok(())
    }

    /// What is open of a line and may be another by what is behind a checkpoint: what judges an event
    /// there, and the interval below zero that was open at the checkpoint.
    async fn open_behind(
        &mut self,
        conn: &impl ConnectionTrait,
        line: i64,
        stand: &Stand,
    ) -> Result<Vec<(i64, Finding)>, WorldError> {
        let Some(from) = &stand.from else {
            return Ok(stand.open.clone());
        };
        let events = stand.rows.iter().map(|row| row.movement.order);
        let events: BTreeSet<(DeviceId, EventId)> =
            events.map(|order| (order.device, order.event)).collect();
        let mut open = stand.open.clone();
        open.retain(|(_, finding)| events.contains(&finding.judged()));
        if let Some(below) = from.line.below.map(|below| below.judged()) {
            let began = store::by_event_id(conn, self.reader, &[below.1].into()).await?;
            for fact in began.iter().filter(|fact| judged(fact) == below) {
                let found = checkpoints::open_at(conn, line, fact.gseq).await?;
                let found = found.into_iter();
                open.extend(found.filter(|(_, finding)| is_below(finding, Some(below))));
            }
        }
        Ok(open)
    }

    async fn write_moves(
        &self,
        conn: &impl ConnectionTrait,
        out: &Outcome,
    ) -> Result<(), WorldError> {
        if let Some((lines, least)) = &out.old {
            checkpoints::lower(conn, lines, *least).await?;
        }
        checkpoints::keep(conn, &out.checkpoints).await?;
        lines::forget_moves(conn, &out.gone).await?;
        lines::write_moves(conn, &out.moved).await?;
        Ok(())
    }

    async fn write_lots(
        &mut self,
        conn: &impl ConnectionTrait,
        mut out: Outcome,
        (asked, gathered): (&Asked, &Gathered),
        done: &mut Done,
    ) -> Result<(), WorldError> {
        let mut facts: BTreeMap<(DeviceId, EventId), Arc<Fact>> = BTreeMap::new();
        let near = gathered.facts();
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
            let id = self.number();
            let (gseq, _) = out.cause(line, self.moment);
            let row = out.lines.iter_mut().find(|row| row.id == line);
            let issuer = row.and_then(|row| {
                let below = row.kept.line.below.map(|below| below.judged());
                if is_below(&finding, below) {
                    row.kept.below = Some(id);
                }
                let key = &row.kept.line.key;
                let product = product_of(key, fact.enterprise, self.source.world());
                // Anybody may say to have goods of any lot: that is no business of its issuer.
                let own = product.filter(|product| product.issuer == fact.enterprise);
                own.map(|product| product.issuer)
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
        self.keep_as_known(conn, &out).await?;
        lines::write_lines(conn, &out.lines, self.moment.last).await?;
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

/// Lines from their beginning, with all that is open of them.
async fn whole_of(
    conn: &impl ConnectionTrait,
    ids: &BTreeSet<i64>,
) -> Result<BTreeMap<i64, Stand>, WorldError> {
    let mut out: BTreeMap<i64, Stand> = BTreeMap::new();
    let keys = ids.iter().map(|id| (*id).into()).collect();
    for (line, moved) in lines::moves(conn, Of::Lines, keys).await? {
        out.entry(line).or_default().rows.push(moved);
    }
    for (line, open) in lines::open(conn, ids).await? {
        out.entry(line).or_default().open = open;
    }
    Ok(out)
}
