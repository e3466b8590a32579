//! How the lines that an act changes stood before it, so that balances can be told as they were known (T10,
//! I25): kept by the act itself, whose positions say up to when that held.
//!
//! A list leaves out lines that only others named, so whether one is named is kept as well. That is told by what is
//! said now and what was known before; movements are asked only where what named a line is there no more.

use super::{Asked, plan::Outcome};
use crate::handheld::{
    lots::{LineRow, Moved, known_store as known},
    units::folding::Folding,
    world::WorldError,
};
use sea_orm::ConnectionTrait;
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::lots::Change;
use uuid::Uuid;

impl Folding<'_> {
    /// Works out which lines are named, and were, before their movements are written.
    pub(super) async fn name_lines(
        &self,
        conn: &impl ConnectionTrait,
        asked: &Asked,
        out: &mut Outcome,
    ) -> Result<(), WorldError> {
        let named = ask(conn, &out.lines).await?;
        let mut less = out.again.clone();
        less.extend(out.gone.iter().map(|(line, ..)| *line));
        let whose: BTreeMap<i64, Uuid> = out
            .lines
            .iter()
            .map(|line| (line.id, line.enterprise))
            .collect();
        let said = out.moved.iter();
        let said = said.filter(|(id, moved)| names(whose.get(id).copied(), moved, asked));
        let now: BTreeSet<i64> = said.map(|(id, _)| *id).collect();
        for line in &mut out.lines {
            let was = line.kept.named.unwrap_or(named.contains(&line.id));
            out.was_named.insert(line.id, was);
            line.kept.named = match (was, now.contains(&line.id)) {
                (_, true) => Some(true),
                (true, false) if less.contains(&line.id) => None,
                (was, false) => Some(was),
            };
        }
        Ok(())
    }

    /// Keeps how the lines that are written stood until now.
    pub(super) async fn keep_as_known(
        &self,
        conn: &impl ConnectionTrait,
        out: &Outcome,
    ) -> Result<(), WorldError> {
        // Those that were only held against the record have the movements they had.
        let rest = |line: &&LineRow| !out.was_named.contains_key(&line.id);
        let rest: Vec<LineRow> = out.lines.iter().filter(rest).cloned().collect();
        let named = ask(conn, &rest).await?;
        let mut stood = Vec::new();
        for line in &out.lines {
            let was = out.was_named.get(&line.id).copied();
            let was = was.or(line.kept.named);
            stood.push((line.id, was.unwrap_or(named.contains(&line.id))));
        }
        let act = (self.moment.first, self.moment.last);
        Ok(known::keep(conn, &stood, act).await?)
    }
}

/// Of these lines those that are named, as far as it is not known.
async fn ask(conn: &impl ConnectionTrait, lines: &[LineRow]) -> Result<BTreeSet<i64>, WorldError> {
    let unknown = lines.iter().filter(|line| line.kept.named.is_none());
    let unknown: BTreeSet<i64> = unknown.map(|line| line.id).collect();
    if unknown.is_empty() {
        return Ok(unknown);
    }
    Ok(known::named(conn, &unknown).await?)
}

/// Does this count in a line, or does its place's own enterprise say it?
fn names(whose: Option<Uuid>, moved: &Moved, asked: &Asked) -> bool {
    match moved.movement.change {
        Change::Found { .. } => {
            let fact = asked.facts.get(&moved.gseq);
            fact.is_some_and(|fact| Some(fact.enterprise.0) == whose)
        }
        _ => true,
    }
}
