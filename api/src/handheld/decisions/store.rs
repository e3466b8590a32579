//! Decisions in rows: entries of the log, and what came in after a period was closed. All SQL of them.

use super::{
    DecisionError,
    wire::{AcceptanceIn, AcceptanceOut, Noted, PeriodOut, RestatementOut, ShiftOut},
};
use crate::{
    clock::{Micros, rfc3339},
    db::{Db, execute, query_all, query_one, rows::Rows},
    entities::batch,
    handheld::{
        devices::store as devices,
        units::{facts::eff_there, refold::store::is_anything_left},
    },
    log::{Act, Actor, Begun, Entry, IdempotencyKey, Kind, Log, Position},
    registry::enterprise_exists,
    suspicions::rules::Thresholds,
};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    facts::{AcceptScope, Policy, Statement},
    ids::{BatchId, DeviceId, EnterpriseId, EventId},
};
use uuid::Uuid;

/// Begins an act, unless this very request was answered before.
async fn begin<T: DeserializeOwned>(
    log: &Log,
    actor: Actor,
    key: Option<IdempotencyKey>,
) -> Result<Result<Act, T>, DecisionError> {
    Ok(match log.begin::<T>(actor, key).await? {
        Begun::Act(act) => Ok(act),
        Begun::Answered(answer) => Err(answer),
    })
}

/// A statement, and beside it what is told of it.
#[derive(Serialize)]
struct Stated<'a, T: Serialize> {
    #[serde(flatten)]
    statement: &'a Statement,
    #[serde(flatten)]
    more: T,
}

/// What is told of a period beside that it was closed; nothing of one that was closed before it was.
#[derive(Deserialize)]
struct Closing {
    settled: Option<bool>,
}

/// The windows in force.
pub async fn policy(conn: &impl ConnectionTrait) -> Result<Policy, DecisionError> {
    let row = query_one(
        conn,
        "SELECT body FROM log_entry WHERE kind = 'policy_changed' ORDER BY gseq DESC LIMIT 1",
        [],
    )
    .await?;
    let Some(row) = row else {
        return Ok(Policy::default());
    };
    let body: String = row.try_get("", "body")?;
    match serde_json::from_str(&body) {
        Ok(Statement::PolicyChanged { policy }) => Ok(policy),
        _ => Err(DecisionError::Stored(body)),
    }
}

/// Puts other windows in force.
pub async fn change_policy(
    log: &Log,
    actor: Actor,
    key: Option<IdempotencyKey>,
    policy: Policy,
) -> Result<(), DecisionError> {
    let Ok(act) = begin::<()>(log, actor, key).await? else {
        return Ok(());
    };
    let entry = Entry {
        kind: Kind::PolicyChanged,
        enterprise: None,
        subject: "policy".into(),
        body: &Statement::PolicyChanged { policy },
    };
    Ok(act.commit(entry, &()).await?)
}

/// What suspicions are held against from an entry on. It stands in the entry beside the windows in force, which it
/// leaves as they are.
#[derive(Serialize, Deserialize)]
struct Suspecting {
    suspicion: Thresholds,
}

/// The thresholds that were told last; none if those the program comes with always held.
async fn thresholds(conn: &impl ConnectionTrait) -> Result<Option<Thresholds>, DecisionError> {
    let row = query_one(
        conn,
        "SELECT body FROM log_entry WHERE kind = 'policy_changed' \
             AND body LIKE '%\"suspicion\":%' ORDER BY gseq DESC LIMIT 1",
        [],
    )
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let body: String = row.try_get("", "body")?;
    match serde_json::from_str(&body) {
        Ok(Suspecting { suspicion }) => Ok(Some(suspicion)),
        Err(_) => Err(DecisionError::Stored(body)),
    }
}

/// Tells which thresholds hold from now on, if they are others than held before: than `shipped`, where none were
/// ever told. They are a setting of the start.
pub async fn tell_thresholds(
    log: &Log,
    db: &Db,
    shipped: Thresholds,
    suspicion: Thresholds,
) -> Result<(), DecisionError> {
    if thresholds(db.reader()).await?.unwrap_or(shipped) == suspicion {
        return Ok(());
    }
    let act = log.begin_as_system().await?;
    // Another process that starts with the same settings may have told them meanwhile.
    if thresholds(act.tx()).await?.unwrap_or(shipped) == suspicion {
        return Ok(act.abandon().await?);
    }
    let statement = Statement::PolicyChanged {
        policy: policy(act.tx()).await?,
    };
    let entry = Entry {
        kind: Kind::PolicyChanged,
        enterprise: None,
        subject: "policy".into(),
        body: &Stated {
            statement: &statement,
            more: Suspecting { suspicion },
        },
    };
    Ok(act.commit(entry, &()).await?)
}

/// Takes a partner's events on units of this issuer as said.
pub async fn accept(
    log: &Log,
    issuer: Uuid,
    actor: Actor,
    key: Option<IdempotencyKey>,
    asked: AcceptanceIn,
) -> Result<AcceptanceOut, DecisionError> {
    let unknown = |name| DecisionError::Field(name, "unknown", "not known here", "未登记");
    let scope = match (asked.named()?, asked.batch_id) {
        (Some(_), Some(_)) => {
            return Err(DecisionError::Field(
                "batch_id",
                "conflict",
                "give unit or batch_id, not both",
                "unit 与 batch_id 只能填一项",
            ));
        }
        (Some(unit), None) => AcceptScope::Unit(unit),
        (None, Some(batch)) => AcceptScope::Batch(BatchId(batch)),
        (None, None) => AcceptScope::Partner(EnterpriseId(issuer)),
    };
    let act = match begin::<AcceptanceOut>(log, actor, key).await? {
        Ok(act) => act,
        Err(answer) => return Ok(answer),
    };
    if asked.from < 0 || asked.from > act.position() {
        return Err(DecisionError::Field(
            "from",
            "out-of-range",
            "a position of the log, or 0",
            "须为日志位置或 0",
        ));
    }
    if asked.partner_id == issuer || !enterprise_exists(act.tx(), asked.partner_id).await? {
        return Err(unknown("partner_id"));
    }
    if let AcceptScope::Batch(batch) = &scope {
        let found = batch::Entity::find_by_id((issuer, batch.0))
            .one(act.tx())
            .await?;
        found.ok_or(DecisionError::Unknown)?;
    }
    let out = AcceptanceOut {
        position: act.position(),
        at: rfc3339(act.stamp()),
        partner_id: asked.partner_id,
        unit: match &scope {
            AcceptScope::Unit(unit) => Some(unit.as_str().to_owned()),
            _ => None,
        },
        batch_id: asked.batch_id,
        from: asked.from,
    };
    let body = Statement::HolderAccepted {
        issuer: EnterpriseId(issuer),
        partner: EnterpriseId(asked.partner_id),
        scope,
        from: asked.from,
    };
    let entry = Entry {
        kind: Kind::HolderAccepted,
        enterprise: Some(issuer),
        subject: format!("enterprise:{}", asked.partner_id),
        body: &body,
    };
    act.commit(entry, &out).await?;
    Ok(out)
}

/// Accepted holders, oldest first.
pub async fn acceptances(
    db: &Db,
    issuer: Uuid,
    after: Position,
    limit: u64,
) -> Result<Vec<AcceptanceOut>, DecisionError> {
    let rows = query_all(
        db.reader(),
        "SELECT gseq, stamp, body FROM log_entry WHERE kind = 'holder_accepted' \
             AND enterprise_id = ? AND gseq > ? ORDER BY gseq LIMIT ?",
        [issuer.into(), after.into(), (limit as i64).into()],
    )
    .await?;
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        let body: String = row.try_get("", "body")?;
        let Ok(Statement::HolderAccepted {
            partner,
            scope,
            from,
            ..
        }) = serde_json::from_str(&body)
        else {
            return Err(DecisionError::Stored(body));
        };
        let (unit, batch_id) = match scope {
            AcceptScope::Unit(unit) => (Some(unit.as_str().to_owned()), None),
            AcceptScope::Batch(batch) => (None, Some(batch.0)),
            AcceptScope::Partner(_) => (None, None),
        };
        out.push(AcceptanceOut {
            position: row.try_get("", "gseq")?,
            at: rfc3339(row.try_get("", "stamp")?),
            partner_id: partner.0,
            unit,
            batch_id,
            from,
        });
    }
    Ok(out)
}

/// States that a shift ended on a device. A retried request gets the answer of the first.
pub async fn close_shift(
    log: &Log,
    enterprise: Uuid,
    actor: Actor,
    key: Option<IdempotencyKey>,
    device: Uuid,
) -> Result<ShiftOut, DecisionError> {
    let act = match begin::<ShiftOut>(log, actor, key).await? {
        Ok(act) => act,
        Err(answer) => return Ok(answer),
    };
    let row = devices::by_id(act.tx(), device).await?;
    if row.is_none_or(|row| row.enterprise_id != enterprise) {
        return Err(DecisionError::Unknown);
    }
    let out = ShiftOut {
        position: act.position(),
        at: rfc3339(act.stamp()),
    };
    let entry = Entry {
        kind: Kind::ShiftClosed,
        enterprise: Some(enterprise),
        subject: format!("device:{device}"),
        body: &Statement::ShiftClosed {
            device: DeviceId(device),
        },
    };
    act.commit(entry, &out).await?;
    Ok(out)
}

/// Closes a period of an enterprise.
pub async fn close_period(
    log: &Log,
    enterprise: Uuid,
    actor: Actor,
    key: Option<IdempotencyKey>,
    until: Micros,
) -> Result<PeriodOut, DecisionError> {
    let act = match begin::<PeriodOut>(log, actor, key).await? {
        Ok(act) => act,
        Err(answer) => return Ok(answer),
    };
    let last = last_period(act.tx(), enterprise).await?;
    if until > act.stamp() || last.is_some_and(|last| until <= last) {
        return Err(DecisionError::Field(
            "until",
            "out-of-range",
            "not after now, and after the end of the period before",
            "不得晚于现在，且须晚于上一期间的结束时间",
        ));
    }
    let tx = act.tx();
    execute(
        tx,
        "INSERT INTO period (enterprise_id, until, gseq, closed_at) VALUES (?, ?, ?, ?)",
        [
            enterprise.into(),
            until.into(),
            act.position().into(),
            act.stamp().into(),
        ],
    )
    .await?;
    // It is closed all the same: a place that is named all the time never has nothing left.
    let settled = !is_anything_left(act.tx()).await?;
    let out = PeriodOut::of(act.position(), act.stamp(), until, Some(settled));
    let statement = Statement::PeriodClosed {
        through: act.position(),
    };
    let body = Stated {
        statement: &statement,
        more: serde_json::json!({"until": out.until, "settled": settled}),
    };
    let entry = Entry {
        kind: Kind::PeriodClosed,
        enterprise: Some(enterprise),
        subject: format!("period:{}", act.position()),
        body: &body,
    };
    act.commit(entry, &out).await?;
    Ok(out)
}

/// Closed periods by enterprise and end, each with the position it was closed at.
pub type Periods = BTreeMap<Uuid, BTreeMap<Micros, Position>>;

/// Notes the periods that were closed above one position and not above another.
pub async fn note_periods(
    conn: &impl ConnectionTrait,
    (after, upto): (Position, Position),
    periods: &mut Periods,
) -> Result<(), DbErr> {
    let rows = query_all(
        conn,
        "SELECT enterprise_id, until, gseq FROM period WHERE gseq > ? AND gseq <= ?",
        [after.into(), upto.into()],
    )
    .await?;
    for row in rows {
        periods
            .entry(row.try_get("", "enterprise_id")?)
            .or_default()
            .insert(row.try_get("", "until")?, row.try_get("", "gseq")?);
    }
    Ok(())
}

/// The end of an enterprise's last closed period.
async fn last_period(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
) -> Result<Option<Micros>, DbErr> {
    let row = query_one(
        conn,
        "SELECT until FROM period WHERE enterprise_id = ? ORDER BY until DESC LIMIT 1",
        [enterprise.into()],
    )
    .await?;
    row.map(|row| row.try_get("", "until")).transpose()
}

/// Closed periods of an enterprise, oldest first.
pub async fn list_periods(
    db: &Db,
    enterprise: Uuid,
    after: Position,
    limit: u64,
) -> Result<Vec<PeriodOut>, DbErr> {
    let rows = query_all(
        db.reader(),
        "SELECT p.gseq, p.closed_at, p.until, l.body FROM period p \
             LEFT JOIN log_entry l ON l.gseq = p.gseq WHERE p.enterprise_id = ? AND p.gseq > ? \
             ORDER BY p.gseq LIMIT ?",
        [enterprise.into(), after.into(), (limit as i64).into()],
    )
    .await?;
    rows.iter()
        .map(|row| {
            let body: Option<String> = row.try_get("", "body")?;
            let said: Option<Closing> = body.and_then(|body| serde_json::from_str(&body).ok());
            Ok(PeriodOut::of(
                row.try_get("", "gseq")?,
                row.try_get("", "closed_at")?,
                row.try_get("", "until")?,
                said.and_then(|said| said.settled),
            ))
        })
        .collect()
}

/// An event that changes a closed period: whose that is, the period, the event.
pub type Restated = (Uuid, Position, Position);

/// Notes events that change closed periods (T10), at the position of the act that found so. What is found
/// again is noted anew.
pub async fn note_restated(
    conn: &impl ConnectionTrait,
    restated: &[Restated],
    noted: Position,
) -> Result<(), DbErr> {
    let mut rows = Rows::of(4);
    let restated: BTreeSet<&Restated> = restated.iter().collect();
    for (enterprise, period, event) in restated {
        rows.add([
            (*enterprise).into(),
            (*period).into(),
            (*event).into(),
            noted.into(),
        ]);
    }
    rows.write(
        conn,
        "INSERT INTO restatement (enterprise_id, period, event_gseq, noted)",
        "ON CONFLICT (enterprise_id, period, event_gseq) DO UPDATE SET noted = excluded.noted",
    )
    .await?;
    Ok(())
}

/// What changed a period after it was closed, in the order in which that was noted: an old event that
/// moves or is struck comes behind all that were listed before.
pub async fn restatements(
    db: &Db,
    enterprise: Uuid,
    period: Position,
    after: Noted,
    limit: u64,
) -> Result<Vec<RestatementOut>, DecisionError> {
    let known = query_one(
        db.reader(),
        "SELECT gseq FROM period WHERE enterprise_id = ? AND gseq = ?",
        [enterprise.into(), period.into()],
    )
    .await?;
    known.ok_or(DecisionError::Unknown)?;
    let rows = query_all(
        db.reader(),
        "SELECT r.noted, e.gseq, e.event_id, e.kind, e.location_id, e.eff, e.corrects, e.stamp, \
             e.imported \
             FROM restatement r JOIN event e ON e.gseq = r.event_gseq \
             WHERE r.enterprise_id = ? AND r.period = ? AND (r.noted, r.event_gseq) > (?, ?) \
             ORDER BY r.noted, r.event_gseq LIMIT ?",
        [
            enterprise.into(),
            period.into(),
            after.noted.into(),
            after.event.into(),
            (limit as i64).into(),
        ],
    )
    .await?;
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        let id: Option<Uuid> = row.try_get("", "event_id")?;
        let noted = Noted {
            noted: row.try_get("", "noted")?,
            event: row.try_get("", "gseq")?,
        };
        out.push(RestatementOut {
            cursor: noted.to_string(),
            noted: noted.noted,
            position: noted.event,
            event_id: EventId(id.unwrap_or(Uuid::nil())),
            kind: row.try_get("", "kind")?,
            location_id: row.try_get("", "location_id")?,
            at: rfc3339(eff_there(&row)?),
            received_at: rfc3339(row.try_get("", "stamp")?),
            imported: row.try_get("", "imported")?,
        });
    }
    Ok(out)
}
