//! For those who run the service: is it alive, may it take requests, how is it doing.

use crate::{
    app::Internal,
    problem::{Problem, ProblemBody, ProblemCode},
    resolver::{Resolver, lease::Trust},
    telemetry,
};
use actix_web::{
    HttpResponse, get,
    http::header,
    web::{self, Data},
};
use serde::Serialize;
use std::time::{Duration, Instant};
use utoipa::ToSchema;

/// The process runs. Touches nothing else.
#[utoipa::path(tag = "operations", operation_id = "livez", responses((status = 200)))]
#[get("/livez")]
pub async fn livez() -> HttpResponse {
    alive()
}

/// The process runs. Touches nothing else.
#[utoipa::path(get, path = "/livez", tag = "operations", operation_id = "public_livez",
    responses((status = 200)))]
pub async fn public_livez() -> HttpResponse {
    alive()
}

fn alive() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body("ok\n")
}

/// May take scans: what is known is fresh, and the process is not leaving.
#[utoipa::path(get, path = "/readyz", tag = "operations", operation_id = "public_readyz",
    responses((status = 200), (status = 503, body = ProblemBody)))]
pub async fn public_readyz(resolver: Data<Resolver>) -> Result<HttpResponse, Problem> {
    let fresh = resolver.lease.state(Instant::now()) == Trust::Fresh;
    if fresh && !resolver.draining.is_on() {
        return Ok(alive());
    }
    Err(Problem::new(ProblemCode::Unavailable))
}

/// May take requests: the database answers, pushes are admitted, and the process is not leaving. Redis
/// may be down.
#[utoipa::path(tag = "operations", operation_id = "readyz",
    responses((status = 200), (status = 503, body = ProblemBody)))]
#[get("/readyz")]
pub async fn readyz(state: Data<Internal>) -> Result<HttpResponse, Problem> {
    let answers = tokio::time::timeout(PING_MAX, state.db.ping()).await;
    let admitting = state.handheld.ingest.is_admitting();
    if state.draining.is_on() || !admitting || !matches!(answers, Ok(Ok(()))) {
        return Err(Problem::new(ProblemCode::Unavailable));
    }
    Ok(alive())
}

/// A database that takes longer to say that it is there is not.
const PING_MAX: Duration = Duration::from_secs(1);

/// How the parts are.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`, `degraded` or `down`.
    pub status: &'static str,
    /// Program version.
    pub version: &'static str,
    /// `ok` or `down`.
    pub database: &'static str,
    /// `sqlite` or `postgres`.
    pub database_kind: &'static str,
    /// `ok`, `down` or `none`.
    pub redis: &'static str,
    /// Highest log position.
    pub log_position: Option<i64>,
    /// Leaving?
    pub draining: bool,
}

/// How the parts are, for staff.
#[utoipa::path(tag = "operations", operation_id = "healthz", responses((status = 200, body = Health)))]
#[get("/healthz")]
pub async fn healthz(state: Data<Internal>) -> web::Json<Health> {
    let reader = state.db.as_reader();
    let head = tokio::time::timeout(PING_MAX, crate::resolver::store::head(&reader)).await;
    let head = head.map_err(|_| ()).and_then(|head| head.map_err(|_| ()));
    let redis = state.redis.ping().await;
    let database = if head.is_ok() { "ok" } else { "down" };
    let redis = match redis {
        Some(true) => "ok",
        Some(false) => "down",
        None => "none",
    };
    web::Json(Health {
        status: match (database, redis) {
            ("down", _) => "down",
            (_, "down") => "degraded",
            _ => "ok",
        },
        version: env!("CARGO_PKG_VERSION"),
        database,
        database_kind: match state.db.backend() {
            sea_orm::DbBackend::Postgres => "postgres",
            _ => "sqlite",
        },
        redis,
        log_position: head.ok().map(|(_, position)| position),
        draining: state.draining.is_on(),
    })
}

/// Metrics in Prometheus' text format.
#[utoipa::path(tag = "operations", operation_id = "metrics",
    responses((status = 200, content_type = "text/plain")))]
#[get("/metrics")]
pub async fn metrics() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        ))
        .body(telemetry::start_metrics().render())
}
