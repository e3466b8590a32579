//! What an act changes of closed periods (T10): which events their reports must name as restated. By
//! what happened, not by what came of it; knows nothing of how that is kept.
//!
//! What an act left for slices it told of the periods that were closed by then. Where one was closed since, before
//! a slice came by, its figures lack what the slice works in: the slice tells that.

use super::{
    Change, Folding,
    corrections::correction,
    folds::Folds,
    gather::{Gathered, Unit},
    is_in, judged,
    lots::WorkedIn,
    relate::Related,
};
use crate::{
    clock::Micros,
    handheld::{
        decisions::{Restated, note_restated},
        units::store::{self, Member},
    },
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    facts::Fact,
    finding::{Finding, FindingCode},
    fold,
    ids::EventId,
};
use uuid::Uuid;

impl Folding<'_> {
    /// Notes what closed periods tell otherwise from now on.
    pub(super) async fn tell_restated(
        &self,
        conn: &impl ConnectionTrait,
        change: &Change,
        (related, gathered): (&Related, &Gathered),
        folds: &Folds,
        lots: &WorkedIn,
    ) -> Result<(), DbErr> {
        let mut restated = self.restated(change, (related, gathered), folds, lots);
        restated.extend(self.left_periods(conn, change).await?);
        note_restated(conn, &restated, self.moment.last).await
    }

    /// Events that a closed period tells otherwise from now on: those that came in or moved, those
    /// that are struck and what struck them, those of corrections that turned out to be void, and
    /// those whose word begins to count, or counts no more.
    fn restated(
        &self,
        change: &Change,
        (related, gathered): (&Related, &Gathered),
        folds: &Folds,
        lots: &WorkedIn,
    ) -> Vec<Restated> {
        let mut out = Vec::new();
        for fact in &change.arrived {
            out.extend(self.in_period(fact.enterprise.0, fact, fact));
        }
        for (retract, target) in &related.strikes {
            let Some(target) = target else {
                continue;
            };
            if fold::strikes(retract, target, self.source.world()) {
                let whose = target.enterprise.0;
                out.extend(self.in_period(whose, target, target));
                let by = Some(retract).filter(|retract| is_in(change, retract));
                out.extend(by.and_then(|retract| self.in_period(whose, target, retract)));
            } else {
                // Its correction is void.
                let of = correction(retract);
                let void = related.turned.members();
                let void = void.filter(|member| Some(member.of) == of);
                let whose = retract.enterprise.0;
                let told = |member: &Member| {
                    Some((
                        whose,
                        self.source.period_of(whose, member.eff)?,
                        member.gseq,
                    ))
                };
                out.extend(void.filter_map(told));
            }
        }
        // Of events that enter once more all this was told where their group came to be worth something else.
        let told = |closed: Position| change.left_at.is_some_and(|at| closed < at);
        out.retain(|(_, closed, _)| !change.again || !told(*closed));
        out.extend(self.moved_or_worked_in(change, lots, told));
        for (key, unit) in &gathered.units {
            let Some(now) = folds.folded.get(key) else {
                continue;
            };
            if unit.dirty.is_none() && !unit.is_sure(now) {
                continue;
            }
            // Of one that was left, what is new and what counts no more are not told apart.
            let was_left = change.left.contains_key(key);
            let heard = heard_otherwise(unit, &now.findings, !was_left);
            if heard.is_empty() {
                continue;
            }
            let struck = self.struck_in(unit);
            for fact in heard {
                if struck.contains(&fact.gseq) || is_in(change, fact) {
                    continue;
                }
                // Told by its own enterprise's periods, and by those of the unit's issuer.
                let issuer = now.state.issuer.map(|issuer| issuer.0);
                let whose = issuer.into_iter().chain([fact.enterprise.0]);
                out.extend(whose.filter_map(|whose| self.in_period(whose, fact, fact)));
            }
        }
        out
    }

    /// Events that moved, as the act tells that moved them; and of what an act left, what a slice works in, of the
    /// periods of which nobody told.
    fn moved_or_worked_in(
        &self,
        change: &Change,
        lots: &WorkedIn,
        told: impl Fn(Position) -> bool,
    ) -> Vec<Restated> {
        let of = |fact: &Arc<Fact>| self.in_period(fact.enterprise.0, fact, fact);
        if change.left_at.is_none() {
            return change.moved.iter().filter_map(of).collect();
        }
        let worked_in = lots.restated.iter().filter_map(|(whose, eff, event)| {
            Some((*whose, self.source.period_of(*whose, *eff)?, *event))
        });
        // Of units it was known at once where they stand.
        let reordered = change.lots_reordered.iter();
        let reordered = reordered.filter(|fact| !fact.event.lots.is_empty());
        let reordered = reordered.filter_map(of);
        let late = reordered.chain(worked_in);
        late.filter(|(_, closed, _)| !told(*closed)).collect()
    }

    /// Events that moved out of a closed period: of where they stood until this act.
    async fn left_periods(
        &self,
        conn: &impl ConnectionTrait,
        change: &Change,
    ) -> Result<Vec<Restated>, DbErr> {
        let closes = |fact: &&Arc<Fact>| {
            let first = self.source.period_of(fact.enterprise.0, Micros::MIN);
            first.is_some()
        };
        let moved: BTreeMap<Position, &Arc<Fact>> = change
            .moved
            .iter()
            .filter(closes)
            .map(|fact| (fact.gseq, fact))
            .collect();
        if moved.is_empty() {
            return Ok(Vec::new());
        }
        let positions = moved.keys().copied().collect();
        let stood = store::eff_then(conn, &positions, self.moment.first - 1).await?;
        let left = stood.into_iter().filter_map(|(gseq, eff)| {
            let whose = moved.get(&gseq)?.enterprise.0;
            Some((whose, self.source.period_of(whose, eff)?, gseq))
        });
        Ok(left.collect())
    }

    /// What is struck of what a unit is folded from: it is told by the period of who stated it.
    fn struck_in(&self, unit: &Unit) -> BTreeSet<Position> {
        let mut by_id: BTreeMap<EventId, Vec<&Arc<Fact>>> = BTreeMap::new();
        for fact in unit.facts.values() {
            by_id.entry(fact.event.id).or_default().push(fact);
        }
        let retracts = unit.facts.values().filter_map(|retract| {
            let named = by_id.get(&retract.event.target?)?;
            Some(named.iter().map(move |target| (retract, *target)))
        });
        let world = self.source.world();
        let struck = retracts.flatten();
        let struck = struck.filter(|(retract, target)| fold::strikes(retract, target, world));
        struck.map(|(_, target)| target.gseq).collect()
    }

    /// That `listed` is a restatement, if somebody's period is closed that `when` belongs to.
    fn in_period(&self, whose: Uuid, when: &Fact, listed: &Fact) -> Option<Restated> {
        let period = self.source.period_of(whose, when.order.eff)?;
        Some((whose, period, listed.gseq))
    }
}

/// What strangers said of a unit that counts from now on (C14), since its issuer accepted them or the goods
/// are known to have come to them; if `both`, what counts no more as well.
fn heard_otherwise<'u>(unit: &'u Unit, now: &[Finding], both: bool) -> Vec<&'u Arc<Fact>> {
    let unexpected = |finding: &Finding| finding.code == FindingCode::UnexpectedHolder;
    let kept = unit.kept.findings.iter().map(|kept| &kept.finding);
    if !kept.chain(now).any(unexpected) {
        return Vec::new();
    }
    let before = unit.kept.open();
    let (opened, closed) = fold::diff(&before, now);
    let opened = opened.iter().filter(|_| both);
    let other = opened.chain(&closed).filter(|it| unexpected(it));
    let other: BTreeSet<_> = other.map(Finding::judged).collect();
    let facts = unit.facts.values();
    facts.filter(|fact| other.contains(&judged(fact))).collect()
}
