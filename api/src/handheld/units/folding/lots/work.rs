//! Brings lines to what is said of them, and writes them with their movements and findings.

use super::{
    Asked, Said, is_below, number,
    plan::{Outcome, Plan},
    said::{AtHand, Before},
};
use crate::handheld::{
    lots::{
        Kept, LineRow, Moved, again, moves,
        store::{self as lines, Of},
    },
    units::{
        folding::{Change, Done, Folding, judged},
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
    ids::{DeviceId, EventId, Gseq},
    lots::{Line, Movement},
};

impl Folding<'_> {
    /// Brings the lines to what is said of them now.
    pub(super) async fn work_in(
        &mut self,
        conn: &impl ConnectionTrait,
        (known, mut said): (AtHand, Said),
        before: Before,
        asked: &Asked,
        change: &Change,
        done: &mut Done,
    ) -> Result<(), WorldError> {
        let mut moved: BTreeSet<Gseq> = change.moved.iter().map(|fact| fact.gseq).collect();
        // A count that lines are held against may have moved since they were.
        let swept = change.swept.iter().filter(|swept| swept.moved);
        let swept = swept.flat_map(|swept| asked.documents_of(&swept.count));
        moved.extend(swept.map(|fact| fact.gseq));
        let mut plans = Vec::new();
        for (key, line) in &known.rows {
            let now = said.remove(key).unwrap_or_default();
            let before = before.get(&line.id).map_or(&[][..], Vec::as_slice);
            plans.push(Plan::of(line.clone(), now, before, &moved));
        }
        for (key, now) in said {
            let line = self.new_line(key, &now, asked);
            plans.push(Plan::of(line, now, &[], &moved));
        }
        for plan in &mut plans {
            plan.drop_unsaid(asked);
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
