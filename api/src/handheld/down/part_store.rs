//! A position that changed more than fits a page, part by part: all SQL of it. Units in the order of their
//! numbers, each with what it holds, so that a part goes on where the one before it ended.

use super::{root_store::roots, store::Window};
use crate::{db::query_all, handheld::units::store::UnitId, log::Position};
use sea_orm::{ConnectionTrait, DbErr, Value};
use std::{collections::BTreeSet, fmt, str::FromStr};
use suyuan_sync::limits::NESTING_DEPTH_MAX;

/// Where within a position the next part begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Within {
    /// The position.
    pub at: Position,
    /// Units with lesser numbers were told, with all they hold.
    root: UnitId,
    /// Of what this one holds, all up to this number; 0: nothing, nor itself.
    held: UnitId,
}

impl Within {
    /// At the beginning of a position.
    pub const fn of(at: Position) -> Within {
        Within {
            at,
            root: UnitId::MIN,
            held: 0,
        }
    }
}

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.at, self.root, self.held)
    }
}

impl FromStr for Within {
    type Err = ();

    fn from_str(text: &str) -> Result<Within, ()> {
        let mut parts = text.split('.').map(str::parse::<i64>);
        let mut next = || parts.next().and_then(Result::ok).ok_or(());
        let within = Within {
            at: next()?,
            root: next()?,
            held: next()?,
        };
        // As it is written, and no other way.
        (within.to_string() == text && within.at > 0)
            .then_some(within)
            .ok_or(())
    }
}

/// All that is in a unit and shares its life, by number, above one of them.
const INSIDE: &str = "WITH RECURSIVE inside(id, depth) AS (\
     SELECT u.id, 1 FROM unit u WHERE u.inside = ? AND NOT u.exceptional \
     UNION ALL SELECT u.id, i.depth + 1 FROM inside i JOIN unit u ON u.inside = i.id \
     WHERE NOT u.exceptional AND i.depth < ?) \
     SELECT DISTINCT id FROM inside WHERE id > ? ORDER BY id LIMIT ?";

/// The next part of the window's only position: at most so many units; where to go on, if there are more.
pub async fn part(
    conn: &impl ConnectionTrait,
    window: &Window,
    within: Within,
    most: usize,
) -> Result<(BTreeSet<UnitId>, Option<Within>), DbErr> {
    let found = roots(conn, window, i64::MAX).await?;
    let mut left: Vec<UnitId> = found.into_iter().map(|(_, id)| id).collect();
    left.retain(|id| *id >= within.root);
    left.sort_unstable();
    let mut units = BTreeSet::new();
    for root in left {
        let begun = if root == within.root { within.held } else { 0 };
        let stop = |held: UnitId| Within {
            at: within.at,
            root,
            held,
        };
        if units.len() >= most {
            return Ok((units, Some(stop(begun))));
        }
        if begun == 0 {
            units.insert(root);
        }
        let room = most.saturating_sub(units.len());
        let values: [Value; 4] = [
            root.into(),
            (NESTING_DEPTH_MAX as i64).into(),
            begun.into(),
            (room as i64 + 1).into(),
        ];
        let mut held: Vec<UnitId> = Vec::new();
        for row in query_all(conn, INSIDE, values).await? {
            held.push(row.try_get("", "id")?);
        }
        let more = held.len() > room;
        held.truncate(room);
        let last = held.last().copied().unwrap_or(begun.max(1));
        units.extend(held);
        if more {
            return Ok((units, Some(stop(last))));
        }
    }
    Ok((units, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_part_begins_is_read_as_it_was_written_and_no_other_way() {
        let within = Within {
            at: 7,
            root: 3,
            held: 12,
        };
        assert_eq!(within.to_string().parse(), Ok(within));
        assert_eq!(Within::of(9).to_string().parse(), Ok(Within::of(9)));
        for wrong in [
            "", "7", "7.3", "7.3.12.1", "07.3.12", "0.3.1", "-1.3.1", "7.x.1", "7.3.+1",
        ] {
            assert_eq!(wrong.parse::<Within>(), Err(()), "{wrong}");
        }
    }
}
