//! Which of the master data entries of the log changed: read once, entry by entry, so that an edit
//! costs what it changed and not what there is. All SQL of that.

use super::WorldError;
use crate::{
    clock::Micros,
    db::{query_all, query_one},
    log::{Kind, Position},
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::LazyLock};
use suyuan_sync::facts::{StatedAt, Statement};
use uuid::Uuid;

/// Something that is not as it was read.
#[derive(Debug)]
pub(super) enum Change {
    Enterprise(Uuid),
    Place(Uuid),
    Product(Uuid),
    Batch(Uuid),
    Device(Uuid),
    /// Somebody of an enterprise is on record, since this instant or longer.
    Actor(Uuid, Named, Micros),
    /// Codes of these spaces were commissioned or voided.
    Codes(Vec<String>),
    /// Opened, widened or closed.
    Recall(Uuid),
    Periods,
    Decided(StatedAt, Statement),
}

/// What changed.
#[derive(Debug)]
pub(super) enum Changes {
    /// So much that all is read again.
    Everything,
    /// This, oldest first.
    These(Vec<Change>),
}

/// More entries than these are not gone through one by one.
const ENTRIES_MAX: usize = 1_000;

/// What an entry is about that folds depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    Record,
    Codes,
    Recall,
    Actor,
    Decision,
    Period,
}

impl About {
    const fn of(kind: Kind) -> Option<About> {
        Some(match kind {
            Kind::MasterDataChanged
            | Kind::Published
            | Kind::DeviceChanged
            | Kind::DeviceEnrolled => About::Record,
            Kind::CodesCommissioned | Kind::CodesVoided => About::Codes,
            Kind::RecallOpened | Kind::RecallWidened | Kind::RecallClosed => About::Recall,
            Kind::BadgeChanged => About::Actor,
            Kind::HolderAccepted | Kind::PolicyChanged | Kind::ShiftClosed => About::Decision,
            Kind::PeriodClosed => About::Period,
            Kind::SegmentAllocated
            | Kind::LinksChanged
            | Kind::AccountChanged
            | Kind::WatchChanged
            | Kind::VoiceReceived
            | Kind::VoiceHandled
            | Kind::BuyerFiled
            | Kind::PersonalDataOpened
            | Kind::PersonalDataErased
            | Kind::SuspicionRaised
            | Kind::SuspicionCleared
            | Kind::DeviceRevoked
            | Kind::GapForced
            | Kind::GroupReleased
            | Kind::Admitted
            | Kind::ClockConfirmed
            | Kind::TransportChanged
            | Kind::ReadingsFiled
            | Kind::ExcursionMeasured
            | Kind::Refolded
            | Kind::Mended => return None,
        })
    }

    /// Does the body of such an entry say on what?
    const fn is_told(self) -> bool {
        matches!(self, About::Codes | About::Actor | About::Decision)
    }
}

/// Kinds as a list in SQL.
fn names(which: impl Fn(About) -> bool) -> String {
    let kinds = Kind::ALL.iter();
    let kinds = kinds.filter(|kind| About::of(**kind).is_some_and(&which));
    let names: Vec<String> = kinds.map(|kind| format!("'{}'", kind.name())).collect();
    names.join(", ")
}

/// Entries that folds depend on, with their bodies where those say on what.
static CHANGES: LazyLock<String> = LazyLock::new(|| {
    let (told, all) = (names(About::is_told), names(|_| true));
    format!(
        "SELECT gseq, stamp, kind, enterprise_id, subject, CASE WHEN kind IN ({told}) THEN body END AS body \
         FROM log_entry WHERE gseq > ? AND gseq <= ? AND kind IN ({all}) ORDER BY gseq LIMIT ?"
    )
});

/// What entries above `after` and not above `upto` changed; everything when nothing was read before.
pub(super) async fn changes(
    conn: &impl ConnectionTrait,
    after: Position,
    upto: Position,
) -> Result<Changes, WorldError> {
    if after < 0 {
        return Ok(Changes::Everything);
    }
    let limit = ENTRIES_MAX as i64 + 1;
    let values = [after.into(), upto.into(), limit.into()];
    let rows = query_all(conn, &CHANGES, values);
    let rows = rows.await?;
    if rows.len() > ENTRIES_MAX {
        return Ok(Changes::Everything);
    }
    let mut changes = Vec::with_capacity(rows.len());
    for row in &rows {
        match change(row)? {
            Told::Nothing => {}
            Told::This(change) => changes.push(change),
            Told::Unclear => return Ok(Changes::Everything),
        }
    }
    Ok(Changes::These(changes))
}

enum Told {
    Nothing,
    This(Change),
    /// An entry that a newer release wrote in another way.
    Unclear,
}

fn change(row: &QueryResult) -> Result<Told, WorldError> {
    let kind: String = row.try_get("", "kind")?;
    let Some(about) = Kind::of_name(&kind).and_then(About::of) else {
        return Ok(Told::Unclear); // nobody asked for it
    };
    Ok(match about {
        About::Record => {
            let subject: String = row.try_get("", "subject")?;
            let Some((what, id)) = subject.split_once(':') else {
                return Ok(Told::Unclear);
            };
            match (what, Uuid::parse_str(id)) {
                ("enterprise", Ok(id)) => Told::This(Change::Enterprise(id)),
                ("location", Ok(id)) => Told::This(Change::Place(id)),
                ("product", Ok(id)) => Told::This(Change::Product(id)),
                ("batch", Ok(id)) => Told::This(Change::Batch(id)),
                ("device", Ok(id)) => Told::This(Change::Device(id)),
                ("file", _) => Told::Nothing,
                _ => Told::Unclear,
            }
        }
        About::Codes => {
            let body: String = row.try_get("", "body")?;
            match serde_json::from_str::<Spaces>(&body) {
                Ok(spaces) => Told::This(Change::Codes(spaces.what.into_keys().collect())),
                Err(_) => Told::Unclear,
            }
        }
        About::Decision => {
            let (at, statement) = stated(row)?;
            Told::This(Change::Decided(at, statement))
        }
        About::Actor => {
            let body: String = row.try_get("", "body")?;
            let enterprise: Option<Uuid> = row.try_get("", "enterprise_id")?;
            match (enterprise, serde_json::from_str::<Named>(&body)) {
                (Some(enterprise), Ok(named)) => {
                    Told::This(Change::Actor(enterprise, named, row.try_get("", "stamp")?))
                }
                _ => Told::Unclear,
            }
        }
        About::Period => Told::This(Change::Periods),
        About::Recall => {
            let subject: String = row.try_get("", "subject")?;
            let id = subject.strip_prefix("recall:").map(Uuid::parse_str);
            match id {
                Some(Ok(id)) => Told::This(Change::Recall(id)),
                _ => Told::Unclear,
            }
        }
    })
}

/// The spaces the body of an entry names.
#[derive(Deserialize)]
struct Spaces {
    what: BTreeMap<String, String>,
}

/// Whom the body of an entry names.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    pub(super) number: String,
    /// Where; everywhere if absent.
    pub(super) location_id: Option<Uuid>,
}

fn stated(row: &QueryResult) -> Result<(StatedAt, Statement), WorldError> {
    let at = StatedAt {
        at: row.try_get("", "stamp")?,
        gseq: row.try_get("", "gseq")?,
    };
    let body: String = row.try_get("", "body")?;
    let statement = serde_json::from_str(&body)
        .map_err(|error| WorldError::Stored(format!("log_entry {}: {error}", at.gseq)))?;
    Ok((at, statement))
}

/// What the server stated that folds read, up to a position: policies, accepted holders, ends of
/// shifts.
pub(super) async fn decisions(
    conn: &impl ConnectionTrait,
    upto: Position,
) -> Result<Vec<(StatedAt, Statement)>, WorldError> {
    let sql = format!(
        "SELECT gseq, stamp, body FROM log_entry WHERE kind IN ({}) AND gseq <= ? ORDER BY gseq",
        names(|about| about == About::Decision)
    );
    let rows = query_all(conn, &sql, [upto.into()]).await?;
    rows.iter().map(stated).collect()
}

/// The newest entry of the log that is not an event, up to a position; 0 before the first.
pub(super) async fn newest(conn: &impl ConnectionTrait, upto: Position) -> Result<Position, DbErr> {
    let row = query_one(
        conn,
        "SELECT gseq FROM log_entry WHERE gseq <= ? ORDER BY gseq DESC LIMIT 1",
        [upto.into()],
    )
    .await?;
    row.map_or(Ok(0), |row| row.try_get("", "gseq"))
}
