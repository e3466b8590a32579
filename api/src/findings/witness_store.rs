//! Which events show something, by the ids that findings name: all SQL of it. Ids are unique in an enterprise only,
//! and anybody may state an event under an id that they saw: what came later never takes the place of what
//! was meant.

use super::wire::WitnessOut;
use crate::{clock::rfc3339, db::rows::by_keys, handheld::units::store::UnitId, log::Position};
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::ids::EventId;
use uuid::Uuid;

/// An event that shows something, and whose it is.
pub(super) struct Witness {
    pub(super) of: Uuid,
    pub(super) out: WitnessOut,
}

/// Events by id, as they came in.
pub(super) struct Witnesses {
    by_id: BTreeMap<EventId, Vec<Witness>>,
    /// Which of several of an id are about which units.
    about: BTreeSet<(Position, UnitId)>,
}

impl Witnesses {
    /// The events of these ids, and of which units something is shown by each.
    pub(super) async fn of(
        conn: &impl ConnectionTrait,
        asked: &BTreeSet<(EventId, Option<UnitId>)>,
    ) -> Result<Witnesses, DbErr> {
        let ids: BTreeSet<EventId> = asked.iter().map(|(id, _)| *id).collect();
        let rows = by_keys(
            conn,
            "SELECT DISTINCT gseq, event_id, enterprise_id, kind, location_id, est, stamp, imported \
             FROM event WHERE event_id IN ({keys}) ORDER BY gseq",
            &[],
            ids.iter().map(|id| id.0.into()).collect(),
        )
        .await?;
        let mut by_id: BTreeMap<EventId, Vec<Witness>> = BTreeMap::new();
        for row in rows {
            let (event, of): (Uuid, Uuid) = (
                row.try_get("", "event_id")?,
                row.try_get("", "enterprise_id")?,
            );
            let out = WitnessOut {
                event,
                kind: row.try_get("", "kind")?,
                enterprise_id: of,
                location_id: row.try_get("", "location_id")?,
                said_at: rfc3339(row.try_get("", "est")?),
                position: row.try_get("", "gseq")?,
                received_at: rfc3339(row.try_get("", "stamp")?),
                imported: row.try_get("", "imported")?,
            };
            let known = by_id.entry(EventId(event)).or_default();
            known.push(Witness { of, out });
        }
        let mut about = BTreeSet::new();
        for (id, known) in by_id.iter().filter(|(_, known)| known.len() > 1) {
            let units: BTreeSet<UnitId> = asked
                .iter()
                .filter_map(|(of, unit)| unit.filter(|_| of == id))
                .collect();
            for witness in known {
                let gseq = witness.out.position;
                let rows = by_keys(
                    conn,
                    "SELECT unit_id FROM event_unit WHERE gseq = ? AND unit_id IN ({keys})",
                    &[gseq.into()],
                    units.iter().map(|unit| (*unit).into()).collect(),
                )
                .await?;
                for row in rows {
                    about.insert((gseq, row.try_get("", "unit_id")?));
                }
            }
        }
        Ok(Witnesses { by_id, about })
    }

    /// The event that is meant by an id where something is shown of a unit: the first, or the first about the unit
    /// of those that were in when it was found. Where no unit is, that of who stated the judged event comes before
    /// anybody else's.
    pub(super) fn meant(
        &self,
        id: EventId,
        (unit, opened): (Option<UnitId>, Position),
        stated: Uuid,
    ) -> Option<&Witness> {
        let known = self.by_id.get(&id)?;
        let first = match unit {
            Some(unit) => known.iter().find(|witness| {
                let at = witness.out.position;
                at <= opened && self.about.contains(&(at, unit))
            }),
            None => known.iter().find(|witness| witness.of == stated),
        };
        first.or(known.first())
    }

    /// The event of an id at a position.
    pub(super) fn at(&self, id: EventId, at: Position) -> Option<&Witness> {
        let known = self.by_id.get(&id)?;
        known.iter().find(|witness| witness.out.position == at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn witness(of: u128, position: Position) -> Witness {
        Witness {
            of: Uuid::from_u128(of),
            out: WitnessOut {
                event: Uuid::nil(),
                kind: "sale".into(),
                enterprise_id: Uuid::from_u128(of),
                location_id: None,
                said_at: String::new(),
                position,
                received_at: String::new(),
                imported: false,
            },
        }
    }

    #[test]
    fn i25_what_comes_later_under_an_id_takes_nobodys_place() {
        let id = EventId(Uuid::nil());
        let (accused, about) = (Uuid::from_u128(2), (Some(7), 12));
        let mut witnesses = Witnesses {
            by_id: BTreeMap::from([(id, vec![witness(1, 10)])]),
            about: BTreeSet::new(),
        };
        let meant = |all: &Witnesses, of| all.meant(id, of, accused).map(|it| it.out.position);
        assert_eq!(meant(&witnesses, about), Some(10));
        // The accused states something under the same id, about the unit; what was meant may be about its container.
        witnesses.by_id.get_mut(&id).unwrap().push(witness(2, 20));
        witnesses.about = BTreeSet::from([(20, 7)]);
        assert_eq!(meant(&witnesses, about), Some(10));
        // Of two that were in, that about the unit is meant.
        assert_eq!(meant(&witnesses, (Some(7), 20)), Some(20));
        witnesses.about.insert((10, 7));
        assert_eq!(meant(&witnesses, (Some(7), 20)), Some(10));
        // Of an event that is judged by itself, whoever stated it knows which one.
        assert_eq!(meant(&witnesses, (None, 12)), Some(20));
        assert_eq!(witnesses.at(id, 20).map(|it| it.out.position), Some(20));
        assert!(witnesses.at(id, 15).is_none());
    }
}
