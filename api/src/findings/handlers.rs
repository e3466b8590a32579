//! Findings over HTTP.

use super::{
    store::{self, Filter, severity_name},
    wire::{CountsOut, FindingPage, FindingQuery, SEVERITIES},
};
use crate::{
    app::Internal,
    clock::Micros,
    http::{auth::Sees, page},
    log::position_before,
    problem::{Problem, ProblemBody},
    units,
};
use actix_web::{
    get,
    web::{self, Data, Query},
};
use jiff::{Timestamp, civil::DateTime};
use sea_orm::ConnectionTrait;
use suyuan_sync::finding::{FindingCode, Severity};

/// Findings, newest first: those about units the caller's enterprise issued, and those about what it
/// stated itself; all for the platform's administrator and for a regulator. What is found of goods of a lot is told to whoever
/// stated it: the issuer of the lot is told of recalled goods that were sold in the reach of the recall. Who issued the unit sees every event that
/// shows a finding, others their own only, and how many more there are.
#[utoipa::path(tag = "findings", operation_id = "list_findings", params(FindingQuery),
    security(("bearer" = [])),
    responses((status = 200, body = FindingPage), (status = 422, body = ProblemBody)))]
#[get("/v1/findings")]
pub async fn list_findings(
    state: Data<Internal>,
    caller: Sees,
    query: Query<FindingQuery>,
) -> Result<web::Json<FindingPage>, Problem> {
    let limit = page::limit(query.limit)?;
    let snapshot = state.db.begin_reading().await?;
    let Some(filter) = filter(&snapshot, &query).await? else {
        return Ok(web::Json(FindingPage {
            items: Vec::new(),
            next: None,
        }));
    };
    let items = store::page(&snapshot, caller.0, &filter, limit).await?;
    let next = page::next(&items, limit, |finding| finding.id);
    Ok(web::Json(FindingPage { items, next }))
}

/// How many findings are open, by code and severity: those the caller may see.
#[utoipa::path(tag = "findings", operation_id = "count_findings", security(("bearer" = [])),
    responses((status = 200, body = CountsOut)))]
#[get("/v1/findings/counts")]
pub async fn count_findings(
    state: Data<Internal>,
    caller: Sees,
) -> Result<web::Json<CountsOut>, Problem> {
    let snapshot = state.db.begin_reading().await?;
    Ok(web::Json(store::counts(&snapshot, caller.0).await?))
}

/// What a query asks for; `None` if there can be nothing of it.
async fn filter(
    conn: &impl ConnectionTrait,
    query: &FindingQuery,
) -> Result<Option<Filter>, Problem> {
    let code = match &query.code {
        None => None,
        Some(name) => Some(FindingCode::of_name(name).ok_or_else(|| {
            let (en, zh) = ("not a code of findings", "不是异常代码");
            Problem::field("code", "unknown", en, zh)
        })?),
    };
    let severity = match &query.severity {
        None => None,
        Some(name) => Some(severity_of(name).ok_or_else(|| {
            let (en, zh) = (
                "information, warning or critical",
                "须为 information、warning 或 critical",
            );
            Problem::field("severity", "unknown", en, zh)
        })?),
    };
    for (field, asked) in [
        ("since", query.since),
        ("until", query.until),
        ("after", query.after),
    ] {
        if let Some(asked) = asked {
            page::from_zero(field, asked)?;
        }
    }
    let mut filter = Filter {
        open: query.open,
        code,
        severity,
        place: query.place,
        device: query.device,
        product: None,
        batch: query.batch,
        unit: None,
        since: query.since,
        until: query.until,
        after: query.after,
    };
    if let Some(text) = &query.unit {
        let asked = units::rules::asked(text)?;
        let Some(unit) = store::unit_number(conn, &asked.unit).await? else {
            return Ok(None);
        };
        filter.unit = Some(unit);
    }
    if let Some(product) = query.product {
        filter.product = Some((product, store::line_names(conn, product).await?));
    }
    if let Some(text) = &query.since_time {
        let before = position_before(conn, instant("since_time", text)?).await?;
        filter.since = Some(
            filter
                .since
                .map_or(before + 1, |since| since.max(before + 1)),
        );
    }
    if let Some(text) = &query.until_time {
        let before = position_before(conn, instant("until_time", text)?).await?;
        filter.until = Some(filter.until.map_or(before, |until| until.min(before)));
    }
    Ok(Some(filter))
}

fn instant(field: &str, text: &str) -> Result<Micros, Problem> {
    let at: Option<Timestamp> = text.parse().ok();
    let at = at.or_else(|| is_later_than_any(text).then_some(Timestamp::MAX));
    at.map(Timestamp::as_microsecond).ok_or_else(|| {
        Problem::field(
            field,
            "bad-time",
            "a time as RFC 3339",
            "时间格式为 RFC 3339",
        )
    })
}

/// RFC 3339 goes to the last second of the year 9999 in any zone, which is further than instants go here.
fn is_later_than_any(text: &str) -> bool {
    let zone = if text.ends_with(['Z', 'z']) { 1 } else { 6 };
    let at = text.len().checked_sub(zone);
    at.and_then(|at| text.split_at_checked(at))
        .is_some_and(|(civil, zone)| {
            let zone = format!("2000-01-01T00:00:00{zone}").parse::<Timestamp>();
            let civil = civil.parse::<DateTime>().map(DateTime::year);
            text.len() >= "9999-12-31T23:59:59Z".len() && zone.is_ok() && civil.ok() == Some(9999)
        })
}

fn severity_of(name: &str) -> Option<Severity> {
    SEVERITIES
        .into_iter()
        .find(|severity| severity_name(*severity) == name)
}
