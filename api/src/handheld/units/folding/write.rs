//! Writes what changed: units, what is about them, findings that opened or closed, what the public
//! side may see.

use super::{
    Change, Done, Folding, Moment, NUMBER_BITS,
    beforehand::WRITTEN_AT_ONCE,
    counts::Counts,
    folds::Folds,
    gather::{Cause, Gathered, Unit},
    is_in, judged,
    relate::Related,
    shared::{name, status_of},
};
use crate::{
    handheld::{
        units::{
            Kept, KeptFinding, KeptStay,
            store::{self, Changed, Opened, UnitId, UnitWrite},
        },
        world::WorldError,
    },
    log::Position,
};
use sea_orm::ConnectionTrait;
use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};
use suyuan_sync::{
    event::Kind,
    facts::{Content, Fact, World},
    finding::{Finding, FindingCode},
    fold::{self, Folded},
    ids::{DeviceId, EnterpriseId, EventId, LocationId},
    unit::UnitKey,
};
use uuid::Uuid;

/// Findings about units of which an act writes that they opened, changed or closed. Those beyond are left with
/// their units.
const FINDINGS_MAX: usize = 2 * WRITTEN_AT_ONCE;

/// What is to be written of units.
#[derive(Default)]
pub(super) struct Writes {
    /// Rows.
    pub(super) units: Vec<UnitWrite>,
    claims: BTreeMap<UnitId, BTreeMap<EnterpriseId, LocationId>>,
    /// Of whose product a unit is became known: whoever that is is told what was found before, too.
    issued: BTreeMap<Uuid, Vec<UnitId>>,
    opened: Vec<Opened>,
    changed: Vec<Changed>,
    closed: Vec<(i64, Position, Option<EventId>)>,
    /// Of how many findings something is written about units that changed.
    by_unit: BTreeMap<UnitKey, usize>,
    /// Containers whose end, or its being taken back, goes for what is in them.
    pub(super) ended: Vec<UnitKey>,
    /// What it comes to.
    pub(super) done: Done,
}

impl Writes {
    /// Of how many findings something is written.
    pub(super) fn findings(&self) -> usize {
        self.opened.len() + self.changed.len() + self.closed.len()
    }

    /// Units about which more findings are written than one act may, those with the most of them.
    pub(super) fn too_much(&self) -> Vec<UnitKey> {
        let mut sum = self.findings();
        let mut by_size: Vec<_> = self.by_unit.iter().collect();
        by_size.sort_by_key(|(_, findings)| Reverse(**findings));
        let heavy = by_size.into_iter().take_while(|(_, findings)| {
            let is_too_much = sum > FINDINGS_MAX;
            sum -= **findings;
            is_too_much
        });
        heavy.map(|(unit, _)| unit.clone()).collect()
    }

    /// Keeps all but findings beyond so many; tells these.
    pub(super) fn split(&mut self, most: usize) -> Writes {
        let closed = self.closed.split_off(most.min(self.closed.len()));
        let most = most - self.closed.len();
        let changed = self.changed.split_off(most.min(self.changed.len()));
        let most = most - self.changed.len();
        let opened = self.opened.split_off(most.min(self.opened.len()));
        Writes {
            opened,
            changed,
            closed,
            ..Writes::default()
        }
    }

    /// New findings have numbers of the act that was expected; they get those of the act it is.
    pub(super) fn renumber(&mut self, expected: Moment, now: Moment) {
        let renumber = |id: &mut i64| {
            if *id >> NUMBER_BITS == expected.first {
                *id = (now.first << NUMBER_BITS) | (*id & ((1 << NUMBER_BITS) - 1));
            }
        };
        let kept = self
            .units
            .iter_mut()
            .flat_map(|unit| &mut unit.kept.findings);
        kept.for_each(|kept| renumber(&mut kept.id));
        self.opened
            .iter_mut()
            .for_each(|opened| renumber(&mut opened.id));
    }

    /// All of it happens at this position.
    pub(super) fn date(&mut self, at: Position) {
        self.units.iter_mut().for_each(|unit| unit.gseq = at);
        self.opened.iter_mut().for_each(|opened| opened.opened = at);
        self.changed.iter_mut().for_each(|changed| changed.at = at);
        self.closed.iter_mut().for_each(|(_, gseq, _)| *gseq = at);
    }

    /// Writes it, and what units are newly about.
    pub(super) async fn write(
        self,
        conn: &impl ConnectionTrait,
        (related, gathered): (&Related, &Gathered),
        shifted: &BTreeMap<(UnitId, Content), i64>,
    ) -> Result<Done, WorldError> {
        let about = &related.about;
        let mut event_units = BTreeMap::new();
        for key in about.units() {
            let unit = gathered.units.get(key).map(|unit| unit.id);
            let unit = unit.or_else(|| gathered.left.get(key).map(|left| left.id));
            if let Some(unit) = unit {
                event_units.extend(about.of(key).map(|(role, fact)| ((unit, fact.gseq), role)));
            }
        }
        store::write_units(conn, &self.units).await?;
        store::write_event_units(conn, &event_units).await?;
        store::write_claims(conn, &self.claims).await?;
        store::add_contents(conn, shifted).await?;
        store::write_issuers(conn, &self.issued).await?;
        store::write_opened(conn, &self.opened).await?;
        store::write_changed(conn, &self.changed).await?;
        store::write_closed(conn, &self.closed).await?;
        let mut done = self.done;
        done.closed = self.closed.len();
        done.written = self.units.len() + self.opened.len() + self.changed.len();
        done.written += self.closed.len();
        Ok(done)
    }
}

impl Folding<'_> {
    /// What is to be written of units, given what became of them.
    pub(super) fn writes_of(
        &mut self,
        change: &Change,
        gathered: &Gathered,
        counts: &Counts,
        folds: &Folds,
    ) -> Writes {
        let mut out = Writes::default();
        let by_event: BTreeMap<(DeviceId, EventId), Arc<Fact>> = gathered
            .facts()
            .chain(counts.all())
            .map(|fact| (judged(fact), fact.clone()))
            .collect();
        for (key, unit) in &gathered.units {
            let Some(now) = folds.folded.get(key) else {
                continue;
            };
            let cause = unit.dirty.unwrap_or(Cause {
                gseq: self.moment.last,
                event: None,
                own: false,
            });
            let (new, gone) = fold::diff(&unit.kept.open(), &now.findings);
            // What changed of one that is only looked at, by what is on record and not by what it holds (which
            // is found batch by batch), waits for who comes for it: they go by what is kept of it to what is in it.
            // So does where it came or what it left: what its containers hold is told by who comes for it.
            // A container that is only looked at keeps its row, unless what it holds changed it.
            let mut others = new.iter().chain(&gone);
            let flag = folds.exceptional.get(key) == Some(&unit.exceptional);
            let stays = unit.dirty.is_none()
                && (!unit.is_sure(now)
                    || others.any(|finding| !is_of_contents(finding))
                    || !unit.kept.has_stays(&now.stays)
                    || !unit.known
                    || new.is_empty() && gone.is_empty() && flag);
            if stays {
                self.row_of_holding((key, unit), now, &mut out);
                continue;
            }
            let before_it = out.findings();
            let mut findings = Vec::with_capacity(now.findings.len());
            let before = unit.kept.findings.iter();
            let before: BTreeMap<_, &KeptFinding> =
                before.map(|kept| (kept.finding.identity(), kept)).collect();
            for finding in &now.findings {
                let id = if let Some(kept) = before.get(&finding.identity()) {
                    if kept.finding != *finding {
                        out.changed.push(Changed {
                            id: kept.id,
                            at: cause.gseq,
                            finding: finding.clone(),
                        });
                    }
                    kept.id
                } else {
                    let Some(fact) = by_event.get(&finding.judged()) else {
                        continue;
                    };
                    let id = self.number();
                    out.opened.push(Opened {
                        id,
                        fact: fact.clone(),
                        issuer: now.state.issuer.map(|issuer| issuer.0),
                        unit: Some(unit.id),
                        line: None,
                        opened: cause.gseq,
                        finding: finding.clone(),
                    });
                    let notes = out.done.opened.entry(finding.judged()).or_default();
                    notes.push(finding.clone());
                    id
                };
                findings.push(KeptFinding {
                    id,
                    finding: finding.clone(),
                });
            }
            for finding in &gone {
                let kept = before.get(&finding.identity());
                let closed = kept.map(|kept| (kept.id, cause.gseq, cause.event));
                out.closed.extend(closed);
            }
            let written = out.findings() - before_it;
            if unit.dirty.is_some() && written > 0 {
                out.by_unit.insert(key.clone(), written);
            }
            let kept = Kept {
                state: now.state.clone(),
                findings,
                elsewhere: false,
                stays: now.stays.iter().map(KeptStay::from).collect(),
                apart: folds.apart.get(key).cloned().unwrap_or_default(),
                holds: self.holds(key, now.state.batch),
            };
            gathered.note_public(change, (key, unit), (now, &kept.holds), &mut out);
            let inside = now.state.inside.as_ref();
            let inside = inside
                .and_then(|parent| gathered.units.get(parent))
                .map(|parent| parent.id);
            let exceptional = folds.exceptional.get(key).copied().unwrap_or_default();
            let unchanged = unit.known
                && written == 0
                && kept.findings.len() == unit.kept.findings.len()
                && kept.says_the_same(&unit.kept)
                && inside == unit.inside
                && exceptional == unit.exceptional
                && unit.facts.len() == unit.counted;
            if !unchanged {
                let issuer = now.state.issuer.filter(|_| unit.known);
                if let Some(issuer) = issuer.filter(|_| now.state.issuer != unit.kept.state.issuer)
                {
                    out.issued.entry(issuer.0).or_default().push(unit.id);
                }
                // Of nearly all units there is none, and was none.
                let claimed = fold::claimed(&now.state);
                if !claimed.is_empty() || !fold::claimed(&unit.kept.state).is_empty() {
                    out.claims.insert(unit.id, claimed);
                }
                out.units.push(UnitWrite {
                    id: unit.id,
                    gseq: cause.gseq.max(self.moment.first),
                    key: key.clone(),
                    product: unit.code.as_ref().and_then(|code| code.product),
                    inside,
                    exceptional,
                    facts: unit.facts.len(),
                    elsewhere: false,
                    kept,
                });
            }
        }
        out.units.extend(gathered.rows_of_left(self.moment.first));
        out
    }

    /// The row of a container that is only looked at, where it holds other batches than it did; all else about it
    /// stays. Whoever follows it is told, and so is the public side.
    fn row_of_holding(&self, (key, unit): (&UnitKey, &Unit), now: &Folded, out: &mut Writes) {
        let holds = self.holds(key, now.state.batch);
        if !unit.known || holds == unit.kept.holds {
            return;
        }
        let status = status_of(unit, &now.state, &holds);
        let before = unit.kept.holds.iter().map(|batch| batch.0);
        let status = status.instead_of(before);
        out.done.public.push((name(key, unit), status));
        out.units.push(UnitWrite {
            id: unit.id,
            gseq: self.moment.last,
            key: key.clone(),
            product: unit.code.as_ref().and_then(|code| code.product),
            inside: unit.inside,
            exceptional: unit.exceptional,
            facts: unit.counted,
            elsewhere: unit.kept.elsewhere,
            kept: Kept {
                holds,
                ..unit.kept.clone()
            },
        });
    }

    /// What decides what each of these events is worth: what it strikes, what strikes it, what a
    /// correction turns on.
    async fn judged_with(
        &mut self,
        conn: &impl ConnectionTrait,
        change: &Change,
        related: &Related,
        facts: &[Arc<Fact>],
    ) -> Result<BTreeMap<Position, Vec<Arc<Fact>>>, WorldError> {
        // Whatever strikes something new, or is new and strikes, was found already.
        let correcting = |fact: &&Arc<Fact>| fact.event.group.is_some_and(|group| group.correct);
        // An old one may be struck by others than what came in just now, and an old retract that is
        // struck itself still strikes what it struck.
        let again = facts.iter().filter(|fact| {
            correcting(fact)
                || change.recheck.iter().any(|old| old.gseq == fact.gseq)
                || fact.gseq < self.moment.first
        });
        let again: Vec<Arc<Fact>> = again.cloned().collect();
        let deciding = self.what_decides(conn, related, &again).await?;
        let targets = again.iter().filter_map(|fact| fact.event.target).collect();
        let targets = store::by_event_id(conn, self.reader, &targets).await?;
        let mut out: BTreeMap<Position, Vec<Arc<Fact>>> = BTreeMap::new();
        for fact in facts {
            let mut with = Vec::new();
            for (retract, target) in &related.strikes {
                match target {
                    Some(target) if retract.gseq == fact.gseq => with.push(target.clone()),
                    Some(target) if target.gseq == fact.gseq => with.push(retract.clone()),
                    Some(_) | None => {}
                }
            }
            with.extend(deciding.get(&fact.gseq).into_iter().flatten().cloned());
            let named = targets
                .iter()
                .filter(|target| Some(target.event.id) == fact.event.target);
            with.extend(named.cloned());
            if !with.is_empty() {
                out.insert(fact.gseq, with);
            }
        }
        Ok(out)
    }

    /// The retracts that moved in the order, and those of what moved.
    async fn retracts_of_moved(
        &mut self,
        conn: &impl ConnectionTrait,
        change: &Change,
    ) -> Result<Vec<Arc<Fact>>, WorldError> {
        if change.moved.is_empty() {
            return Ok(Vec::new());
        }
        let ids = change.moved.iter().map(|fact| fact.event.id).collect();
        let retracts = store::retracts_of(conn, &ids).await?;
        let positions = retracts.iter().map(|(.., gseq)| *gseq).collect();
        let mut retracts = store::by_position(conn, self.reader, &positions).await?;
        let moved = change.moved.iter().cloned();
        retracts.extend(moved.filter(|fact| fact.event.kind == Kind::Retract));
        Ok(retracts)
    }

    /// What is wrong with events themselves.
    pub(super) async fn write_of_events(
        &mut self,
        conn: &impl ConnectionTrait,
        change: &Change,
        related: &Related,
        done: &mut Done,
    ) -> Result<(), WorldError> {
        let mut looked_at: BTreeMap<Position, Arc<Fact>> = BTreeMap::new();
        let new = change.arrived.iter().chain(&change.recheck);
        looked_at.extend(new.map(|fact| (fact.gseq, fact.clone())));
        // What a retract was waiting for may have come in, and what is struck is not at fault. Of what is not
        // struck nothing is another than it was, and nothing was read of what it names.
        let world = self.source.world();
        for (retract, target) in &related.strikes {
            let struck = target.iter();
            let struck = struck.filter(|target| fold::strikes(retract, target, world));
            let both = std::iter::once(retract).chain(struck);
            looked_at.extend(both.map(|fact| (fact.gseq, fact.clone())));
        }
        // A retract may come to stand after the end of a shift, or before it.
        let moved = self.retracts_of_moved(conn, change).await?;
        looked_at.extend(moved.into_iter().map(|fact| (fact.gseq, fact)));
        // What a correction turns on may have come in after it.
        let turned = related.turned.facts.iter();
        looked_at.extend(turned.map(|fact| (fact.gseq, fact.clone())));
        let facts: Vec<Arc<Fact>> = looked_at.values().cloned().collect();
        let with = self.judged_with(conn, change, related, &facts).await?;
        let again = looked_at.keys().copied();
        let again = again.filter(|gseq| *gseq < self.moment.first).collect();
        let before = store::open_of_events(conn, &again).await?;
        let (mut opened, mut closed, mut changed) = (Vec::new(), Vec::new(), Vec::new());
        for fact in looked_at.into_values() {
            let with = with.get(&fact.gseq).map_or(&[][..], Vec::as_slice);
            // What cannot enter is told until it does, whatever else is found of it meanwhile.
            let enters = is_in(change, &fact);
            let before = before.get(&fact.gseq).into_iter().flatten();
            let before = before.filter(|(_, of)| enters || of.code != FindingCode::Unfoldable);
            let before: Vec<&(i64, Finding)> = before.collect();
            let old: Vec<Finding> = before.iter().map(|(_, finding)| finding.clone()).collect();
            let now = judge(&fact, with, self.source.world());
            let (new, gone) = fold::diff(&old, &now);
            let by = with.iter().map(|other| other.event.id).next();
            let by = by.or(change.because);
            let gseq = fact.gseq.max(self.moment.first);
            for finding in new {
                done.opened
                    .entry(judged(&fact))
                    .or_default()
                    .push(finding.clone());
                opened.push(Opened {
                    id: self.number(),
                    fact: fact.clone(),
                    issuer: None,
                    unit: None,
                    line: None,
                    opened: gseq,
                    finding,
                });
            }
            for (id, finding) in &before {
                let now = now.iter().find(|now| now.is(finding));
                let now = now.filter(|now| *now != finding);
                changed.extend(now.map(|now| Changed {
                    id: *id,
                    at: gseq,
                    finding: now.clone(),
                }));
                if gone.iter().any(|gone| gone.is(finding)) {
                    closed.push((*id, self.moment.last, by));
                }
            }
        }
        store::write_opened(conn, &opened).await?;
        store::write_changed(conn, &changed).await?;
        store::write_closed(conn, &closed).await?;
        done.written += opened.len() + closed.len() + changed.len();
        done.closed += closed.len();
        Ok(())
    }
}

/// Does what a container holds decide on it? Of one without a batch it is covered by a recall as far as that is (C7).
fn is_of_contents(finding: &Finding) -> bool {
    finding.batch.is_some() || finding.code == FindingCode::CollectUnrecalled
}

/// What is wrong with an event, given the retracts and targets that decide what it is worth.
fn judge(fact: &Arc<Fact>, with: &[Arc<Fact>], world: &World) -> Vec<Finding> {
    let mut facts: Vec<&Fact> = with.iter().map(AsRef::as_ref).collect();
    facts.push(fact);
    facts.sort_by_key(|fact| fact.order);
    let mut found = fold::of_events(&facts, world);
    found.retain(|finding| finding.judged() == judged(fact));
    found
}
