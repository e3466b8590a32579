//! Transports of sensitive goods over HTTP.

use super::{
    ExcursionError,
    read_store::{self, Source},
    rules::{Quantity, Reading},
    store::{self, Measured},
    told,
    wire::{
        ExcursionPage, ExcursionQuery, FiledOut, MEASURE_MAX, MeasureIn, MeasureOut, NAME_MAX,
        READINGS_MAX, ReadingIn, ReadingsIn, TransportIn, TransportOut, TransportQuery,
        WAYBILL_MAX, instant, tenths,
    },
};
use crate::{
    app::Internal,
    clock::Micros,
    free_text::{self, Lines},
    http::{
        auth::{Looks, Staff},
        body::{KeyHeader, Keyed},
        page::{self, Page, PageQuery},
    },
    problem::{Problem, ProblemBody},
};
use actix_web::{
    HttpResponse, get, post,
    web::{self, Data, Path, Query},
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// A reading may be ahead by so much: clocks differ.
const AHEAD: Micros = 300_000_000;

/// Put a transport of sensitive goods (敏感母婴用品) on record, with the limits of its waybill; a waybill that
/// is known gets these limits instead, and its excursions follow from them at once. Limits are a waybill's:
/// whoever dispatches a load of several products says what holds for all of it. At most 100 000 of an
/// enterprise; nothing deletes them.
#[utoipa::path(tag = "transports", operation_id = "create_transport", request_body = TransportIn,
    params(KeyHeader), security(("bearer" = [])),
    responses((status = 201, body = TransportOut), (status = 422, body = ProblemBody)))]
#[post("/v1/transports")]
pub async fn create_transport(
    state: Data<Internal>,
    caller: Staff,
    body: Keyed<TransportIn>,
) -> Result<HttpResponse, Problem> {
    let TransportIn { waybill_no, limits } = body.value;
    free_text::check("/waybill_no", &waybill_no, WAYBILL_MAX, Lines::One)?;
    let limits = limits.checked()?;
    let caller = by(caller, body.key);
    let out = store::put(&state.log, caller, &waybill_no, &limits).await?;
    Ok(HttpResponse::Created().json(out))
}

/// Transports of the caller's enterprise; a regulator names the enterprise.
#[utoipa::path(tag = "transports", operation_id = "list_transports", params(TransportQuery),
    security(("bearer" = [])), responses((status = 200, body = Page<TransportOut>)))]
#[get("/v1/transports")]
pub async fn list_transports(
    state: Data<Internal>,
    caller: Looks,
    query: Query<TransportQuery>,
) -> Result<web::Json<Page<TransportOut>>, Problem> {
    let enterprise = caller.at(query.enterprise_id)?;
    let (after, limit) = (query.after, query.limit);
    let paging = PageQuery { after, limit }.check()?;
    let waybill = query.waybill_no.as_deref();
    page::text("waybill_no", waybill)?;
    let found =
        read_store::transports(state.db.reader(), enterprise, waybill, paging, false).await?;
    let items = found.into_iter().map(TransportOut::from).collect();
    Ok(web::Json(Page::new(items, paging, |t: &TransportOut| t.id)))
}

/// File what a logger measured on the way (敏感用品运输参数): up to 1 000 readings, in any order, and at most
/// 20 000 of a transport. Of a logger each instant is filed once: what is filed again and says the same is
/// `known`, what says something else is refused, and then none of the request is filed. Devices need not file
/// what they give as `env` of the inbound and outbound events that name the waybill as their document (`doc.no`):
/// that counts by itself, from this release on, while the event counts. Readings are kept; nothing deletes them.
#[utoipa::path(tag = "transports", operation_id = "file_readings", request_body = ReadingsIn,
    params(("id" = Uuid, Path), KeyHeader), security(("bearer" = [])),
    responses((status = 201, body = FiledOut), (status = 404, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
#[post("/v1/transports/{id}/readings")]
pub async fn file_readings(
    state: Data<Internal>,
    caller: Staff,
    id: Path<Uuid>,
    body: Keyed<ReadingsIn>,
) -> Result<HttpResponse, Problem> {
    let ReadingsIn { logger, readings } = body.value;
    free_text::check("/logger", &logger, NAME_MAX, Lines::One)?;
    let readings = checked(&readings, state.log.now())?;
    let caller = by(caller, body.key);
    let out = store::file(&state.log, caller, *id, &logger, &readings).await?;
    Ok(HttpResponse::Created().json(out))
}

/// Excursions (敏感用品运输异常): each maximal run of readings of one series that lie out of one limit, with its
/// beginning, duration, extreme, places and measures. They are computed when they are asked for: a reading that
/// comes late, or other limits, join and split them. A regulator names the enterprise.
#[utoipa::path(tag = "transports", operation_id = "list_excursions", params(ExcursionQuery),
    security(("bearer" = [])), responses((status = 200, body = ExcursionPage)))]
#[get("/v1/excursions")]
pub async fn list_excursions(
    state: Data<Internal>,
    caller: Looks,
    query: Query<ExcursionQuery>,
) -> Result<web::Json<ExcursionPage>, Problem> {
    let enterprise = caller.at(query.enterprise_id)?;
    let limit = page::limit(query.limit)?;
    page::text("waybill_no", query.waybill_no.as_deref())?;
    let snapshot = state.db.begin_reading().await?;
    let page = told::page(&snapshot, enterprise, &query, limit).await?;
    Ok(web::Json(page))
}

/// Record what was done about an excursion (处理措施). It is told with whichever excursion of the series covers its
/// instant, also when that is joined or split later. At most 1 000 of a transport.
#[utoipa::path(tag = "transports", operation_id = "record_measure", request_body = MeasureIn,
    params(("id" = Uuid, Path), KeyHeader), security(("bearer" = [])),
    responses((status = 201, body = MeasureOut), (status = 404, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
#[post("/v1/transports/{id}/measures")]
pub async fn record_measure(
    state: Data<Internal>,
    caller: Staff,
    id: Path<Uuid>,
    body: Keyed<MeasureIn>,
) -> Result<HttpResponse, Problem> {
    let MeasureIn {
        logger,
        device,
        quantity,
        at,
        measure,
    } = body.value;
    free_text::check("/measure", &measure, MEASURE_MAX, Lines::Any)?;
    let source = match (logger, device) {
        (Some(logger), None) => Source::Logger(logger),
        (None, Some(device)) => Source::Device(device),
        (None, None) | (Some(_), Some(_)) => {
            return Err(Problem::field(
                "/logger",
                "required",
                "one of logger and device",
                "logger 与 device 须填其一",
            ));
        }
    };
    let at = instant("/at", &at)?;
    // Before the act, which is to hold the head shortly: whatever comes between, limits or readings, may come
    // right after it as well, and a measure is told with whichever excursion covers its instant then, or with none.
    let snapshot = state.db.begin_reading().await?;
    let asked = (&source, quantity, at);
    let holds = told::holds(&snapshot, caller.enterprise, *id, asked).await?;
    drop(snapshot);
    let new = Measured {
        transport: *id,
        source: source.to_string(),
        quantity,
        at,
        measure: &measure,
        holds,
    };
    let out = store::measure(&state.log, by(caller, body.key), new).await?;
    Ok(HttpResponse::Created().json(out))
}

fn by(caller: Staff, key: Option<crate::log::IdempotencyKey>) -> store::Caller {
    store::Caller {
        enterprise: caller.enterprise,
        actor: caller.actor,
        key,
    }
}

/// Readings as they are kept.
fn checked(readings: &[ReadingIn], now: Micros) -> Result<Vec<Reading<String>>, ExcursionError> {
    if readings.is_empty() || readings.len() > READINGS_MAX {
        return Err(ExcursionError::field(
            "/readings",
            "length",
            "1 to 1000 readings",
            "1 到 1000 条测量记录",
        ));
    }
    let mut seen = BTreeSet::new();
    let mut kept = Vec::with_capacity(readings.len());
    for (n, reading) in readings.iter().enumerate() {
        let field = |name: &str| format!("/readings/{n}/{name}");
        let at = instant(&field("at"), &reading.at)?;
        if at > now.saturating_add(AHEAD) {
            let (en, zh) = ("not in the future", "不得晚于当前时间");
            return Err(ExcursionError::field(&field("at"), "in-future", en, zh));
        }
        if !seen.insert(at) {
            let (en, zh) = ("this instant stands twice", "该时间重复");
            return Err(ExcursionError::field(&field("at"), "twice", en, zh));
        }
        let said = [reading.temperature, reading.humidity, reading.vibration];
        let mut values = [None; 3];
        for (value, (quantity, said)) in values.iter_mut().zip(Quantity::ALL.into_iter().zip(said))
        {
            let one = said.map(|said| tenths(&field(quantity.name()), quantity, said));
            *value = one.transpose()?;
        }
        if values == [None; 3] {
            return Err(ExcursionError::field(
                &format!("/readings/{n}"),
                "required",
                "temperature, humidity or vibration",
                "须有温度、湿度或振动频率",
            ));
        }
        if let Some(place) = &reading.place {
            free_text::check(&field("place"), place, NAME_MAX, Lines::One)
                .map_err(|fault| ExcursionError::Fields(vec![fault]))?;
        }
        kept.push(Reading {
            at,
            values,
            place: reading.place.clone(),
        });
    }
    Ok(kept)
}
