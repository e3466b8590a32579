//! All SQL that reads findings.

use super::{
    cause_store::causes,
    rules::{Concerns, sees_event},
    wire::{CauseOut, ClosedOut, CountOut, CountsOut, FindingOut, LotOut, WitnessOut},
    witness_store::{Witness, Witnesses},
};
use crate::{
    clock::{Micros, rfc3339},
    db::{query_all, query_one, rows::by_keys},
    handheld::units::store::{NOW, UnitId},
    log::{self, Position},
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    finding::{Detail, Finding, FindingCode, Severity, Subject},
    fold::Reader,
    ids::{EnterpriseId, EventId},
    unit::UnitKey,
};
use uuid::Uuid;

/// Which findings.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Open ones or closed ones.
    pub open: Option<bool>,
    /// Of this code.
    pub code: Option<FindingCode>,
    /// Of this severity.
    pub severity: Option<Severity>,
    /// Judged here.
    pub place: Option<Uuid>,
    /// Stated by this device.
    pub device: Option<Uuid>,
    /// Of units of this product, and of goods that lines call so.
    pub product: Option<(Uuid, Vec<LineName>)>,
    /// Of units of this batch, or on account of it.
    pub batch: Option<Uuid>,
    /// Of this unit.
    pub unit: Option<UnitId>,
    /// Opened at or above this position.
    pub since: Option<Position>,
    /// Opened at or below this one.
    pub until: Option<Position>,
    /// Below this number.
    pub after: Option<i64>,
}

pub(super) const COLUMNS: &str = "f.id, f.enterprise_id, f.issuer, f.line_id, f.device_id, f.place, \
     f.opened, f.closed, f.closed_by, f.unit_id, f.finding";

/// A row of `finding`.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) id: i64,
    of: Concerns,
    device: Uuid,
    place: Option<Uuid>,
    opened: Position,
    pub(super) closed: Option<(Position, Option<EventId>)>,
    unit: Option<UnitId>,
    finding: Finding,
}

pub(super) fn row(row: &QueryResult) -> Result<Row, DbErr> {
    let text: String = row.try_get("", "finding")?;
    let closed: Option<Position> = row.try_get("", "closed")?;
    let by: Option<Uuid> = row.try_get("", "closed_by")?;
    let line: Option<i64> = row.try_get("", "line_id")?;
    Ok(Row {
        id: row.try_get("", "id")?,
        of: Concerns::of(
            row.try_get("", "enterprise_id")?,
            row.try_get("", "issuer")?,
            line.is_some(),
        ),
        device: row.try_get("", "device_id")?,
        place: row.try_get("", "place")?,
        opened: row.try_get("", "opened")?,
        closed: closed.map(|at| (at, by.map(EventId))),
        unit: row.try_get("", "unit_id")?,
        finding: serde_json::from_str(&text).map_err(|error| DbErr::Json(error.to_string()))?,
    })
}

/// A condition with its values.
#[derive(Default, Clone)]
pub(super) struct Where {
    sql: Vec<String>,
    pub(super) values: Vec<Value>,
}

impl Where {
    pub(super) fn add<const N: usize>(&mut self, sql: &str, values: [Value; N]) {
        self.sql.push(sql.to_owned());
        self.values.extend(values);
    }

    pub(super) fn sql(&self) -> String {
        self.sql.join(" AND ")
    }
}

/// The findings that `who` may see ([`super::rules::sees`]), in parts that each have an index: what they stated,
/// and what is about their units. Both hold what somebody states of their own.
fn parts(who: Reader) -> Vec<Where> {
    let Reader::Enterprise(EnterpriseId(me)) = who else {
        return vec![Where::default()];
    };
    let conditions = ["f.enterprise_id = ?", "f.issuer = ? AND f.line_id IS NULL"];
    let part = |sql: &str| {
        let mut part = Where::default();
        part.add(sql, [me.into()]);
        part
    };
    conditions.map(part).into()
}

/// The same as one condition, of rows that are few already.
pub(super) fn visible(who: Reader) -> Where {
    let mut all = Where::default();
    if who != Reader::All {
        let parts = parts(who);
        let sql: Vec<String> = parts.iter().map(Where::sql).collect();
        all.sql.push(format!("({})", sql.join(" OR ")));
        all.values
            .extend(parts.into_iter().flat_map(|part| part.values));
    }
    all
}

fn conditions(filter: &Filter, who: Reader) -> Where {
    let mut all = Where::default();
    if let Some(code) = filter.code {
        all.add("f.code = ?", [code.name().into()]);
    }
    if let Some(severity) = filter.severity {
        all.add("f.severity = ?", [(severity as i64).into()]);
    }
    if let Some(place) = filter.place {
        all.add("f.place = ?", [place.into()]);
    }
    if let Some(device) = filter.device {
        all.add("f.device_id = ?", [device.into()]);
        // Whose device it is, is nobody else's business.
        if let Reader::Enterprise(EnterpriseId(me)) = who {
            all.add("f.enterprise_id = ?", [me.into()]);
        }
    }
    if let Some((product, names)) = &filter.product {
        let mut sql = "(u.product_id = ?".to_owned();
        all.values.push((*product).into());
        for name in names {
            sql.push_str(" OR (");
            sql.push_str(name.condition());
            sql.push(')');
            all.values.extend(name.values());
        }
        sql.push(')');
        all.sql.push(sql);
    }
    if let Some(batch) = filter.batch {
        // A container is judged on account of a batch it holds: the finding itself names it.
        let named = format!("%\"batch\":\"{batch}\"%");
        all.add(
            "(u.batch_id = ? OR f.finding LIKE ?)",
            [batch.into(), named.into()],
        );
    }
    if let Some(unit) = filter.unit {
        all.add("f.unit_id = ?", [unit.into()]);
    }
    if let Some(since) = filter.since {
        all.add("f.opened >= ?", [since.into()]);
    }
    if let Some(until) = filter.until {
        all.add("f.opened <= ?", [until.into()]);
    }
    if let Some(after) = filter.after {
        all.add("f.id < ?", [after.into()]);
    }
    all
}

/// A page of findings that `who` may see, newest first.
pub async fn page(
    conn: &impl ConnectionTrait,
    who: Reader,
    filter: &Filter,
    limit: u64,
) -> Result<Vec<FindingOut>, DbErr> {
    let states: &[&str] = match filter.open {
        Some(true) => &["f.closed IS NULL"],
        Some(false) => &["f.closed IS NOT NULL"],
        None => &["f.closed IS NULL", "f.closed IS NOT NULL"],
    };
    let common = conditions(filter, who);
    let mut found: Vec<Row> = Vec::new();
    for part in parts(who) {
        for state in states {
            let mut which = part.clone();
            which.sql.extend(common.sql.iter().cloned());
            which.values.extend(common.values.iter().cloned());
            which.add(state, []);
            let sql = format!(
                "SELECT {COLUMNS} FROM finding f LEFT JOIN unit u ON u.id = f.unit_id \
                 LEFT JOIN lot_line l ON l.id = f.line_id WHERE {} ORDER BY f.id DESC LIMIT ?",
                which.sql()
            );
            let values = which.values.into_iter().chain([(limit as i64).into()]);
            let rows = query_all(conn, &sql, values);
            for found_row in rows.await? {
                found.push(row(&found_row)?);
            }
        }
    }
    found.sort_by_key(|row| std::cmp::Reverse(row.id));
    found.dedup_by_key(|row| row.id);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    told(conn, who, found).await
}

/// All findings about a unit, as they were known at a position, oldest first: however many there are, so this
/// is nothing to answer anybody with.
pub async fn of_unit(
    conn: &impl ConnectionTrait,
    unit: UnitId,
    upto: Position,
) -> Result<Vec<FindingOut>, DbErr> {
    let sql = format!(
        "SELECT {COLUMNS} FROM finding f WHERE f.unit_id = ? AND f.opened <= ? ORDER BY f.id"
    );
    let values = [unit.into(), upto.into()];
    let rows = query_all(conn, &sql, values);
    let mut found = Vec::new();
    for found_row in rows.await? {
        let mut row = row(&found_row)?;
        row.closed = row.closed.filter(|(closed, _)| *closed <= upto);
        found.push(row);
    }
    if upto != NOW {
        said_then(conn, &mut found, upto).await?;
    }
    told(conn, Reader::All, found).await
}

/// Puts in what findings said at a position: of other witnesses, of another extent.
pub(super) async fn said_then(
    conn: &impl ConnectionTrait,
    found: &mut [Row],
    upto: Position,
) -> Result<(), DbErr> {
    let rows = by_keys(
        conn,
        "SELECT id, until, finding FROM finding_was WHERE until > ? AND id IN ({keys})",
        &[upto.into()],
        found.iter().map(|row| row.id.into()).collect(),
    )
    .await?;
    let mut first: BTreeMap<i64, (Position, String)> = BTreeMap::new();
    for row in rows {
        let was: (Position, String) = (row.try_get("", "until")?, row.try_get("", "finding")?);
        let known = first.entry(row.try_get("", "id")?);
        let known = known.or_insert_with(|| was.clone());
        if was.0 < known.0 {
            *known = was;
        }
    }
    for row in found {
        if let Some((_, text)) = first.get(&row.id) {
            row.finding =
                serde_json::from_str(text).map_err(|error| DbErr::Json(error.to_string()))?;
        }
    }
    Ok(())
}

/// How many findings that `who` may see are open.
pub async fn counts(conn: &impl ConnectionTrait, who: Reader) -> Result<CountsOut, DbErr> {
    let mut open: BTreeMap<String, u64> = BTreeMap::new();
    let mut parts = parts(who);
    // Each once: what they stated is in the first.
    if let (Reader::Enterprise(EnterpriseId(me)), [_, rest @ ..]) = (who, &mut parts[..]) {
        for part in rest {
            part.add("f.enterprise_id <> ?", [me.into()]);
        }
    }
    for mut part in parts {
        part.add("f.closed IS NULL", []);
        let sql = format!(
            "SELECT f.code, COUNT(*) AS n FROM finding f WHERE {} GROUP BY f.code",
            part.sql()
        );
        for row in query_all(conn, &sql, part.values).await? {
            let n: i64 = row.try_get("", "n")?;
            *open.entry(row.try_get("", "code")?).or_default() += n as u64;
        }
    }
    let mut out = CountsOut {
        position: log::head_in(conn).await?.0,
        codes: Vec::new(),
        information: 0,
        warning: 0,
        critical: 0,
    };
    for (name, n) in open {
        // What a newer release finds is counted under its name.
        let severity = FindingCode::of_name(&name).map_or(Severity::Warning, FindingCode::severity);
        match severity {
            Severity::Information => out.information += n,
            Severity::Warning => out.warning += n,
            Severity::Critical => out.critical += n,
        }
        out.codes.push(CountOut {
            code: name,
            severity: severity_name(severity).into(),
            open: n,
        });
    }
    out.codes.sort_by_key(|count| std::cmp::Reverse(count.open));
    Ok(out)
}

/// The number of a unit something happened to.
pub async fn unit_number(
    conn: &impl ConnectionTrait,
    unit: &UnitKey,
) -> Result<Option<UnitId>, DbErr> {
    let row = query_one(
        conn,
        "SELECT id FROM unit WHERE unit_key = ?",
        [unit.as_str().into()],
    )
    .await?;
    row.map(|row| row.try_get("", "id")).transpose()
}

/// What lines call a product: what stands on its codes, and its own code where it has no GTIN.
#[derive(Debug, Clone)]
pub struct LineName {
    /// The name.
    pub name: String,
    /// At whose places only: what is a product code alone means another's product elsewhere.
    whose: Option<Uuid>,
}

impl LineName {
    /// That a line `l` is called so, in SQL.
    pub const fn condition(&self) -> &'static str {
        match self.whose {
            Some(_) => "l.gtin = ? AND l.enterprise_id = ?",
            None => "l.gtin = ?",
        }
    }

    /// Its values.
    pub fn values(&self) -> impl Iterator<Item = Value> {
        let whose = self.whose.map(Value::from);
        std::iter::once(Value::from(self.name.as_str())).chain(whose)
    }
}

/// The names a product has on lines (`World::product_said` in `sync`).
pub async fn line_names(
    conn: &impl ConnectionTrait,
    product: Uuid,
) -> Result<Vec<LineName>, DbErr> {
    let mut names = Vec::new();
    for row in query_all(
        conn,
        "SELECT s.space, p.code, p.enterprise_id FROM code_space s JOIN product p \
         ON p.enterprise_id = s.enterprise_id AND p.id = s.product_id \
         WHERE s.product_id = ? ORDER BY s.space",
        [product.into()],
    )
    .await?
    {
        let space: String = row.try_get("", "space")?;
        let Some((scheme, on_codes)) = space.split_once('/') else {
            continue;
        };
        names.push(LineName {
            name: on_codes.to_owned(),
            whose: None,
        });
        if scheme == "c" {
            names.push(LineName {
                name: row.try_get("", "code")?,
                whose: Some(row.try_get("", "enterprise_id")?),
            });
        }
    }
    Ok(names)
}

/// The name of a severity.
pub const fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Information => "information",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

pub(super) async fn told(
    conn: &impl ConnectionTrait,
    who: Reader,
    rows: Vec<Row>,
) -> Result<Vec<FindingOut>, DbErr> {
    let mut asked: BTreeSet<(EventId, Option<UnitId>)> = BTreeSet::new();
    let mut positions: BTreeSet<Position> = BTreeSet::new();
    for row in &rows {
        let closed_by = row.closed.and_then(|(_, by)| by);
        let ids = row.finding.witnesses.iter().copied().chain(closed_by);
        asked.extend(ids.map(|id| (id, row.unit)));
        positions.insert(row.opened);
        positions.extend(row.closed.map(|(position, _)| position));
    }
    let witnesses = Witnesses::of(conn, &asked).await?;
    let instants = log::instants(conn, &positions).await?;
    let by_nobody = |row: &Row| row.closed.filter(|(_, by)| by.is_none());
    let by_entries = rows.iter().filter_map(by_nobody).map(|(at, _)| at);
    let causes = causes(conn, &by_entries.collect()).await?;
    let tell = |row| tell(who, row, (&witnesses, &causes), &instants);
    rows.into_iter().map(tell).collect()
}

fn tell(
    who: Reader,
    row: Row,
    (witnesses, causes): (&Witnesses, &BTreeMap<Position, CauseOut>),
    instants: &BTreeMap<Position, Micros>,
) -> Result<FindingOut, DbErr> {
    let told = |witness: &Witness| sees_event(who, row.of, witness.of).then(|| witness.out.clone());
    // Of the judged event it is known who stated it, whatever others call by its id about that unit.
    let unit = |id| row.unit.filter(|_| id != row.finding.event);
    let meant = |id| witnesses.meant(id, (unit(id), row.opened), row.of.stated);
    let shown = |id: &EventId| told(meant(*id)?);
    let closed_by = |at, id| told(witnesses.at(id, at).or_else(|| meant(id))?);
    let at = |position: &Position| instants.get(position).copied().map(rfc3339);
    let Finding {
        code,
        subject,
        event,
        device: _, // the row says it
        batch,
        witnesses: named,
        detail,
    } = &row.finding;
    let seen: Vec<WitnessOut> = named.iter().filter_map(shown).collect();
    let detail = match detail {
        Detail::Nothing => None,
        told => Some(serde_json::to_value(told).map_err(|e| DbErr::Json(e.to_string()))?),
    };
    let own_device = match who {
        Reader::All => true,
        Reader::Enterprise(EnterpriseId(me)) => row.of.stated == me,
    };
    Ok(FindingOut {
        id: row.id,
        code: code.name().into(),
        severity: severity_name(code.severity()).into(),
        rule: code.rule().into(),
        meaning: code.en().into(),
        meaning_zh: code.zh().into(),
        unit: match subject {
            Subject::Unit(unit) => Some(unit.as_str().to_owned()),
            Subject::Lot(_) | Subject::Event => None,
        },
        lot: match subject {
            Subject::Lot(line) => Some(LotOut {
                gtin: line.gtin.clone(),
                lot: line.lot.clone(),
                location_id: line.location.0,
            }),
            Subject::Unit(_) | Subject::Event => None,
        },
        batch_id: batch.map(|batch| batch.0),
        enterprise_id: row.of.stated,
        device_id: own_device.then_some(row.device),
        location_id: row.place,
        event: event.0,
        hidden_witnesses: (named.len() - seen.len()) as u64,
        witnesses: seen,
        detail,
        opened_position: row.opened,
        opened_at: at(&row.opened).unwrap_or_default(),
        closed: row.closed.map(|(position, by)| ClosedOut {
            position,
            at: at(&position).unwrap_or_default(),
            by: by.and_then(|id| closed_by(position, id)),
            entry: causes.get(&position).filter(|_| by.is_none()).cloned(),
        }),
    })
}
