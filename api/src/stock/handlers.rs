//! Stock over HTTP.

use super::{
    StockError,
    expiring::{self, GoesOn},
    lines::After,
    lots_store,
    rules::{WARNING_DAYS, WARNING_DAYS_MAX},
    store,
    wire::{
        ExpiringPage, ExpiringQuery, LotPage, LotQuery, MovePage, MoveQuery, StockPage, StockQuery,
    },
};
use crate::{
    app::Internal,
    http::{auth::Looks, page},
    log::head_in,
    problem::{Problem, ProblemBody},
};
use actix_web::{
    get,
    web::{self, Data, Path, Query},
};
use std::collections::BTreeSet;
use suyuan_sync::event::gtin14;
use uuid::Uuid;

/// Units at the caller's places, by product and batch, as they are now. What is inside a container is
/// counted where the container is. What the caller only says is there (`claimed`) is told apart; a place
/// that is not the caller's is told as well while the caller claims units there, with nothing else of it.
/// A regulator names the enterprise whose places are meant.
#[utoipa::path(tag = "stock", operation_id = "list_stock", params(StockQuery),
    security(("bearer" = [])),
    responses((status = 200, body = StockPage), (status = 400, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
#[get("/v1/stock")]
pub async fn list_stock(
    state: Data<Internal>,
    caller: Looks,
    query: Query<StockQuery>,
) -> Result<web::Json<StockPage>, Problem> {
    let enterprise = caller.at(query.enterprise_id)?;
    let limit = page::limit(query.limit)?;
    let after = match &query.after {
        None => None,
        Some(text) => Some(After::of(text).ok_or(StockError::After)?),
    };
    // A page counts all units of its places.
    let snapshot = state.handheld.reading.begin_heavy(&state.db).await;
    let snapshot = snapshot.map_err(StockError::World)?;
    let conn = snapshot.tx();
    let only = query.location_id;
    let after = after.as_ref();
    let own = store::places(conn, enterprise, only, after, limit).await?;
    // No batch is told of what is claimed.
    let elsewhere = match query.batch_id {
        None => store::claimed_elsewhere(conn, enterprise, only, after, limit).await?,
        Some(_) => Vec::new(),
    };
    let places: BTreeSet<Uuid> = own.iter().chain(&elsewhere).copied().collect();
    let places: Vec<Uuid> = places.into_iter().take(limit as usize).collect();
    let shown = places.clone();
    let (own, elsewhere): (Vec<Uuid>, Vec<Uuid>) =
        shown.into_iter().partition(|place| own.contains(place));
    let of = (&own[..], &elsewhere[..]);
    let (items, goes_on) = store::stock(conn, enterprise, of, query.batch_id, after).await?;
    let next = match goes_on {
        Some(line) => Some(After::Line(line)),
        None => page::next(&places, limit, |place| After::Place(*place)),
    };
    Ok(web::Json(StockPage {
        position: snapshot.position,
        items,
        next: next.map(|after| after.to_string()),
    }))
}

/// Goods at the caller's places that are past the end of their shelf life or near it (保质期预警): units and
/// goods without codes, by place and batch, as they are now. What was sold or destroyed, is on its way, or was
/// fetched back under a recall is not among them; nor is a lot that is not on record, since nobody filed when it
/// expires.
#[utoipa::path(tag = "stock", operation_id = "list_expiring_stock", params(ExpiringQuery),
    security(("bearer" = [])),
    responses((status = 200, body = ExpiringPage), (status = 400, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
#[get("/v1/stock/expiring")]
pub async fn list_expiring_stock(
    state: Data<Internal>,
    caller: Looks,
    query: Query<ExpiringQuery>,
) -> Result<web::Json<ExpiringPage>, Problem> {
    let days = query.within_days.unwrap_or(WARNING_DAYS);
    if days > WARNING_DAYS_MAX {
        return Err(Problem::field(
            "within_days",
            "out-of-range",
            "within_days must lie between 0 and 3650",
            "within_days 须在 0 到 3650 之间",
        ));
    }
    let after = query.after.as_deref();
    let after = after.map(|text| GoesOn::of(text).ok_or(StockError::After));
    let asked = expiring::Asked {
        enterprise: caller.at(query.enterprise_id)?,
        place: query.location_id,
        limit: page::limit(query.limit)?,
        after: after.transpose()?,
        days,
        now: state.clock.now(),
    };
    let snapshot = state.handheld.reading.begin_heavy(&state.db).await;
    let snapshot = snapshot.map_err(StockError::World)?;
    Ok(web::Json(expiring::page(&snapshot, &asked).await?))
}

/// Balances of goods without codes of their own at the caller's places, as of now; with `at`, as this call told
/// them when the log ended at that position. What devices state reaches balances with their events, and of
/// very much at once soon after: it is told as it was worked in by then. A position within events that were
/// taken in together, and one of a release that did not keep balances, is refused where it would matter.
#[utoipa::path(tag = "stock", operation_id = "list_lot_balances", params(LotQuery),
    security(("bearer" = [])),
    responses((status = 200, body = LotPage), (status = 422, body = ProblemBody)))]
#[get("/v1/stock/lots")]
pub async fn list_lot_balances(
    state: Data<Internal>,
    caller: Looks,
    query: Query<LotQuery>,
) -> Result<web::Json<LotPage>, Problem> {
    let enterprise = caller.at(query.enterprise_id)?;
    let mut query = query.into_inner();
    let limit = page::limit(query.limit)?;
    page::from_zero("after", query.after.unwrap_or(0))?;
    page::text("gtin", query.gtin.as_deref())?;
    // As events mean it.
    query.gtin = query.gtin.as_deref().map(gtin14);
    page::text("lot", query.lot.as_deref())?;
    let snapshot = state.db.begin_reading().await?;
    let (head, _) = head_in(&snapshot).await?;
    let position = query.at.unwrap_or(head);
    let items = if position == head {
        lots_store::lots(&snapshot, enterprise, &query, limit).await?
    } else if (1..head).contains(&position) {
        lots_store::lots_then(&snapshot, enterprise, &query, limit, position).await?
    } else {
        return Err(StockError::Ahead.into());
    };
    let next = page::next(&items, limit, |line| line.id);
    Ok(web::Json(LotPage {
        position,
        items,
        next,
    }))
}

/// What moved a line of goods without codes of their own, in the order of the log, as it stands now.
#[utoipa::path(tag = "stock", operation_id = "list_lot_movements",
    params(("id" = i64, Path), MoveQuery), security(("bearer" = [])),
    responses((status = 200, body = MovePage), (status = 400, body = ProblemBody),
    (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
#[get("/v1/stock/lots/{id}/movements")]
pub async fn list_lot_movements(
    state: Data<Internal>,
    caller: Looks,
    line: Path<i64>,
    query: Query<MoveQuery>,
) -> Result<web::Json<MovePage>, Problem> {
    let enterprise = caller.at(query.enterprise_id)?;
    let limit = page::limit(query.limit)?;
    let after = match &query.after {
        None => (0, 0),
        Some(text) => place_of(text).ok_or(StockError::After)?,
    };
    let snapshot = state.db.begin_reading().await?;
    let items = lots_store::movements(&snapshot, enterprise, *line, after, limit).await?;
    let next = page::next(&items, limit, |moved| {
        format!("{}-{}", moved.position, moved.n)
    });
    Ok(web::Json(MovePage { items, next }))
}

/// Where a list of movements goes on: `position-n`.
fn place_of(text: &str) -> Option<(i64, i64)> {
    let (position, n) = text.split_once('-')?;
    let from_zero = |text: &str| text.parse().ok().filter(|n: &i64| *n >= 0);
    Some((from_zero(position)?, from_zero(n)?))
}
