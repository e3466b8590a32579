//! An event as it is told: to whom all of it, to whom what a unit's timeline tells. Knows no HTTP and no SQL.

use super::{
    EventError, stated,
    store::{self, EventRow},
    wire::{EventOut, EventQuery, FINDINGS_MAX, RETRACTS_MAX, RetractOut, StatedOut},
};
use crate::{
    app::Internal,
    clock::rfc3339,
    findings::newest_store::{Limits, Of, newest},
    handheld::{
        aside::wire::KIND_CHARS_MAX,
        units::store::{Asked, Naming, retracts_naming, struck, target_of},
    },
    units::{
        rules,
        timeline::{self, told_of},
    },
};
use sea_orm::ConnectionTrait;
use suyuan_sync::{
    admission::Branch,
    event::Kind,
    fold::Reader,
    ids::{EnterpriseId, EventId},
    unit::UnitKey,
};
use uuid::Uuid;

/// What is found of an event, strangers' among it, which may be all there is.
const FINDINGS: Limits = Limits {
    all: FINDINGS_MAX,
    of_strangers: None,
};

/// The event under an id as the caller may see it.
pub async fn tell(
    state: &Internal,
    who: Reader,
    id: EventId,
    query: &EventQuery,
) -> Result<EventOut, EventError> {
    let unit = query.unit.as_deref().map(rules::asked).transpose()?;
    let (me, whose) = match (who, query.enterprise_id) {
        (Reader::All, Some(named)) => (None, named),
        (Reader::All, None) => return Err(EventError::Whose),
        (Reader::Enterprise(EnterpriseId(me)), named) => (Some(me), named.unwrap_or(me)),
    };
    let snapshot = state.db.begin_reading().await?;
    let row = store::event(&snapshot, whose, id).await?;
    if me.is_none_or(|me| me == whose)
        && let Some(row) = row
    {
        return all(&snapshot, who, row).await;
    }
    // Another enterprise's: whatever it says, it is told as of a unit.
    let me = me.ok_or(EventError::Unknown)?;
    let (of, unit) = if let Some(asked) = unit {
        (query.enterprise_id, asked.unit)
    } else {
        let event = row.and_then(|row| row.event).ok_or(EventError::Unknown)?;
        let issued = store::issued_among(&snapshot, me, &event).await?;
        let issued = issued.ok_or(EventError::Unknown)?;
        (Some(whose), UnitKey::kept(&issued))
    };
    // Whoever waits for their turn holds no connection.
    drop(snapshot);
    by_timeline(state, who, &unit, (of, id)).await
}

/// All there is of an event.
async fn all(
    conn: &impl ConnectionTrait,
    who: Reader,
    row: EventRow,
) -> Result<EventOut, EventError> {
    let counts = row.counts_from.is_some();
    let asked = Asked {
        gseq: row.gseq,
        id: row.id.0,
        group: row.group,
    };
    let (enterprise, one) = (row.enterprise, std::slice::from_ref(&asked));
    let is_struck = counts && struck(conn, enterprise, one).await?.contains(&row.gseq);
    let (retracts, named) = retracts_naming(conn, enterprise, &asked, RETRACTS_MAX).await?;
    let more_retracts = (named - retracts.len()) as u64;
    // Nobody has read what stands aside but whose it is: there may be anything in it.
    let event = row.event.as_ref().filter(|_| counts || who != Reader::All);
    let retract = event.filter(|event| event.kind == Kind::Retract);
    let target = match retract.and_then(|event| event.target) {
        None => None,
        Some(target) => {
            let found = target_of(conn, enterprise, row.gseq, target.0).await?;
            Some(found.map_or_else(|| pending(target), naming))
        }
    };
    let (findings, more_findings) =
        newest(conn, who, Of::Event(row.device, row.gseq), FINDINGS).await?;
    let text = String::from_utf8_lossy(&row.text);
    let inspected = event.filter(|event| event.kind == Kind::Inspect);
    Ok(EventOut {
        event: row.id.0,
        enterprise_id: enterprise,
        kind: row.kind.chars().take(KIND_CHARS_MAX).collect(),
        position: row.gseq,
        received_at: rfc3339(row.interval.hi),
        not_before: counts.then(|| rfc3339(row.interval.lo)),
        at: counts.then(|| rfc3339(row.eff)),
        location_id: row.location,
        partner: event
            .and_then(|event| event.counterpart.as_ref())
            .map(stated::partner),
        disposition: inspected
            .and_then(|event| event.disposition)
            .map(|it| rules::disposition(it).to_owned()),
        imported: row.imported,
        target,
        struck: is_struck,
        retracts: retracts.into_iter().map(naming).collect(),
        more_retracts,
        findings,
        more_findings,
        stated: Some(StatedOut {
            device_id: row.device.0,
            epoch: row.epoch,
            seq: row.seq,
            branch: match row.branch {
                Branch::First => None,
                Branch::Fork(root) => Some(root.to_string()),
            },
            fate: row.fate,
            remarks: row.remarks.iter().map(|it| it.name().to_owned()).collect(),
            counts_from: row.counts_from,
            bytes: row.text.len() as u64,
            text: (counts || who != Reader::All).then(|| text.into_owned()),
            said: event.map(stated::said),
        }),
    })
}

/// An event as a unit's timeline tells it.
async fn by_timeline(
    state: &Internal,
    who: Reader,
    unit: &UnitKey,
    (of, id): (Option<Uuid>, EventId),
) -> Result<EventOut, EventError> {
    let timeline::Told {
        snapshot,
        entry,
        device,
    } = told_of(state, who, unit, (of, id)).await?;
    let (findings, more_findings) = newest(
        snapshot.tx(),
        who,
        Of::Event(device, entry.position),
        FINDINGS,
    )
    .await?;
    let as_told = |event: Uuid| RetractOut {
        event,
        position: None,
        strikes: None,
    };
    Ok(EventOut {
        event: entry.event,
        enterprise_id: entry.enterprise_id,
        kind: entry.kind,
        position: entry.position,
        received_at: entry.received_at,
        not_before: Some(entry.not_before),
        at: Some(entry.at),
        location_id: entry.location_id,
        partner: entry.partner,
        disposition: entry.disposition,
        imported: entry.imported,
        target: entry.target.map(as_told),
        struck: entry.struck,
        retracts: entry.struck_by.into_iter().map(as_told).collect(),
        more_retracts: 0,
        findings,
        more_findings,
        stated: None,
    })
}

fn naming(naming: Naming) -> RetractOut {
    RetractOut {
        event: naming.id,
        position: Some(naming.gseq),
        strikes: Some(naming.strikes),
    }
}

/// It names what did not come in.
fn pending(target: EventId) -> RetractOut {
    RetractOut {
        event: target.0,
        position: None,
        strikes: Some(false),
    }
}
