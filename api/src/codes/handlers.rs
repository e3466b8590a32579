//! Issuing codes over HTTP.

use super::{
    CodesError, SpaceKey, UnitLevel, acts,
    print::{LINES_A_CHUNK, PrintFormat, PrintedBatch, Printer, Tags},
    qr, store,
    wire::{
        CommissionIn, CommissionOut, CommissionRecord, DestructionIn, DestructionOut,
        DestructionRecord, PrintQuery, QrPixelQuery, QrQuery, SegmentIn, SegmentOut,
    },
};
use crate::{
    app::Internal,
    http::{
        auth::Staff,
        body::{KeyHeader, Keyed, LARGE_MAX},
        page::{Page, PageQuery},
    },
    problem::{Problem, ProblemBody, ProblemCode},
    registry,
};
use actix_web::{
    HttpResponse, get,
    http::header,
    post,
    web::{self, Bytes, Data, Path, Query},
};
use fast_qr::QRCode;
use futures_util::stream;
use std::sync::Arc;
use suyuan_sync::trace_code::{self, TagKind};
use uuid::Uuid;

/// Allocate a segment (码段分配).
#[utoipa::path(tag = "codes", operation_id = "create_segment", request_body = SegmentIn,
    params(KeyHeader), security(("bearer" = [])),
    responses((status = 201, body = SegmentOut), (status = 422, body = ProblemBody)))]
#[post("/v1/segments")]
pub async fn create_segment(
    state: Data<Internal>,
    caller: Staff,
    body: Keyed<SegmentIn>,
) -> Result<HttpResponse, Problem> {
    let out = acts::allocate(
        &state,
        caller.enterprise,
        caller.actor,
        body.key,
        body.value,
    )
    .await?;
    Ok(HttpResponse::Created().json(out))
}

/// Segments of the caller's enterprise.
#[utoipa::path(tag = "codes", operation_id = "list_segments", params(PageQuery),
    security(("bearer" = [])), responses((status = 200, body = Page<SegmentOut>)))]
#[get("/v1/segments")]
pub async fn list_segments(
    state: Data<Internal>,
    caller: Staff,
    query: Query<PageQuery>,
) -> Result<web::Json<Page<SegmentOut>>, Problem> {
    let paging = query.check()?;
    let items = store::segments(&state.db, caller.enterprise, paging).await?;
    Ok(web::Json(Page::new(items, paging, |s: &SegmentOut| s.id)))
}

/// The print file of a segment, streamed as CSV or JSON lines. May be fetched again at any time.
#[utoipa::path(tag = "codes", operation_id = "print_segment", params(("id" = Uuid, Path), PrintQuery),
    security(("bearer" = [])),
    responses((status = 200, content_type = "text/csv"), (status = 404, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
#[get("/v1/segments/{id}/codes")]
pub async fn print_segment(
    state: Data<Internal>,
    caller: Staff,
    id: Path<Uuid>,
    query: Query<PrintQuery>,
) -> Result<HttpResponse, Problem> {
    let format = match query.format.as_deref() {
        None | Some("csv") => PrintFormat::Csv,
        Some("jsonl") => PrintFormat::JsonLines,
        Some(_) => {
            return Err(Problem::field(
                "format",
                "unknown",
                "csv or jsonl",
                "csv 或 jsonl",
            ));
        }
    };
    let segment = store::segment(state.db.reader(), caller.enterprise, *id).await?;
    let (lo, hi) = (segment.lo as u64, segment.hi as u64);
    let (from, to) = (query.from.unwrap_or(lo), query.to.unwrap_or(hi));
    if from < lo || to > hi || from > to {
        return Err(Problem::field(
            "from",
            "outside-segment",
            "from and to must lie within the segment",
            "from、to 须位于码段之内",
        ));
    }
    let space = SpaceKey::parse(&segment.space).ok_or(CodesError::Unknown)?;
    let printer = Arc::new(Printer {
        ring: store::ring(&state.db, &state.sealer, caller.enterprise, &space)
            .await
            .map_err(CodesError::from)?,
        space,
        key_id: u8::try_from(segment.key_id).unwrap_or(u8::MAX),
        base_url: state.base_url.clone(),
        format,
        batch: printed_batch(&state, caller.enterprise, &segment.space, query.batch_id).await?,
        tags: match query.epc.as_deref() {
            Some(kind) => Some(tags(&state, caller.enterprise, &space, kind).await?),
            None => None,
        },
    });
    let header =
        (format == PrintFormat::Csv).then(|| Bytes::from_static(printer.header().as_bytes()));
    let body = stream::unfold(
        (printer, header, from),
        move |(printer, header, next)| async move {
            if let Some(header) = header {
                return Some((Ok::<_, Problem>(header), (printer, None, next)));
            }
            if next > to {
                return None;
            }
            let last = to.min(next + LINES_A_CHUNK - 1);
            let worker = printer.clone();
            let lines = web::block(move || worker.lines(next, last)).await;
            let chunk = lines
                .map(Bytes::from)
                .map_err(|error| Problem::internal(&error));
            Some((chunk, (printer, None, last + 1)))
        },
    );
    let (media, name) = match format {
        PrintFormat::Csv => ("text/csv; charset=utf-8", "csv"),
        PrintFormat::JsonLines => ("application/jsonl; charset=utf-8", "jsonl"),
    };
    Ok(HttpResponse::Ok()
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"segment-{}.{name}\"", segment.id),
        ))
        .content_type(media)
        .streaming(body))
}

async fn tags(
    state: &Internal,
    enterprise: Uuid,
    space: &SpaceKey,
    kind: &str,
) -> Result<Tags, Problem> {
    let unfit = || {
        Problem::field(
            "epc",
            "does-not-fit",
            "sgtin-198 for units with a GTIN, sgtin-96 where their serials are numeric, \
             sscc-96 for pallets",
            "有 GTIN 的单品用 sgtin-198，纯数字序列号可用 sgtin-96，托盘用 sscc-96",
        )
    };
    let kind = TagKind::named(kind).ok_or_else(unfit)?;
    let row = store::space(state.db.reader(), enterprise, &space.to_string())
        .await?
        .ok_or(CodesError::Unknown)?;
    let prefixes = registry::enterprises::store::prefixes(state.db.reader(), enterprise).await?;
    let level = UnitLevel::parse(&row.level).ok_or(CodesError::Unknown)?;
    Tags::of(kind, space, store::profile_of(&row)?, level, &prefixes).ok_or_else(unfit)
}

async fn printed_batch(
    state: &Internal,
    enterprise: Uuid,
    space: &str,
    id: Option<Uuid>,
) -> Result<Option<PrintedBatch>, Problem> {
    let Some(id) = id else {
        return Ok(None);
    };
    let batch = registry::batches::store::row(state.db.reader(), enterprise, id).await?;
    let product = store::space(state.db.reader(), enterprise, space)
        .await?
        .and_then(|space| space.product_id);
    if product != Some(batch.product_id) {
        return Err(Problem::field(
            "batch_id",
            "other-product",
            "this batch is of another product than the segment",
            "批次与码段不属于同一产品",
        ));
    }
    Ok(Some(PrintedBatch::of(&batch.lot, &batch.expiry_date)))
}

/// Commission codes to a batch. Sent twice it changes nothing the second time; codes of another
/// batch are a conflict, void codes are refused, and then nothing is changed.
#[utoipa::path(tag = "codes", operation_id = "create_commission", request_body = CommissionIn,
    params(KeyHeader), security(("bearer" = [])),
    responses((status = 201, body = CommissionOut), (status = 404, body = ProblemBody),
    (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
#[post("/v1/commissions")]
pub async fn create_commission(
    state: Data<Internal>,
    caller: Staff,
    body: Keyed<CommissionIn, LARGE_MAX>,
) -> Result<HttpResponse, Problem> {
    let out = acts::commission(
        &state,
        caller.enterprise,
        caller.actor,
        body.key,
        body.value,
    )
    .await?;
    Ok(HttpResponse::Created().json(out))
}

/// Commissionings of the caller's enterprise.
#[utoipa::path(tag = "codes", operation_id = "list_commissions", params(PageQuery),
    security(("bearer" = [])), responses((status = 200, body = Page<CommissionRecord>)))]
#[get("/v1/commissions")]
pub async fn list_commissions(
    state: Data<Internal>,
    caller: Staff,
    query: Query<PageQuery>,
) -> Result<web::Json<Page<CommissionRecord>>, Problem> {
    let paging = query.check()?;
    let items = store::commissions(&state.db, caller.enterprise, paging).await?;
    Ok(web::Json(Page::new(
        items,
        paging,
        |c: &CommissionRecord| c.id,
    )))
}

/// Destructions of the caller's enterprise.
#[utoipa::path(tag = "codes", operation_id = "list_code_destructions", params(PageQuery),
    security(("bearer" = [])), responses((status = 200, body = Page<DestructionRecord>)))]
#[get("/v1/code-destructions")]
pub async fn list_code_destructions(
    state: Data<Internal>,
    caller: Staff,
    query: Query<PageQuery>,
) -> Result<web::Json<Page<DestructionRecord>>, Problem> {
    let paging = query.check()?;
    let items = store::destructions(&state.db, caller.enterprise, paging).await?;
    Ok(web::Json(Page::new(
        items,
        paging,
        |d: &DestructionRecord| d.id,
    )))
}

/// Destroy unqualified codes, with the record the standard asks for (MB-6.3).
#[utoipa::path(tag = "codes", operation_id = "create_code_destruction", request_body = DestructionIn,
    params(KeyHeader), security(("bearer" = [])),
    responses((status = 201, body = DestructionOut), (status = 404, body = ProblemBody),
    (status = 409, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
#[post("/v1/code-destructions")]
pub async fn create_code_destruction(
    state: Data<Internal>,
    caller: Staff,
    body: Keyed<DestructionIn, LARGE_MAX>,
) -> Result<HttpResponse, Problem> {
    let out = acts::destroy(
        &state,
        caller.enterprise,
        caller.actor,
        body.key,
        body.value,
    )
    .await?;
    Ok(HttpResponse::Created().json(out))
}

/// A code as QR (GB/T 18284) in SVG: resolver address and trace code, error correction level M.
#[utoipa::path(tag = "codes", operation_id = "draw_qr", params(QrQuery), security(("bearer" = [])),
    responses((status = 200, content_type = "image/svg+xml"), (status = 400, body = ProblemBody)))]
#[get("/v1/qr.svg")]
pub async fn draw_qr(
    state: Data<Internal>,
    _caller: Staff,
    query: Query<QrQuery>,
) -> Result<HttpResponse, Problem> {
    let qr = drawn(&state, &query.code)?;
    Ok(HttpResponse::Ok()
        .content_type("image/svg+xml")
        .body(qr::svg(&qr)))
}

/// The same in PNG, black on white with the quiet zone of four modules: for label printers and
/// office programs.
#[utoipa::path(tag = "codes", operation_id = "draw_qr_png", params(QrPixelQuery),
    security(("bearer" = [])),
    responses((status = 200, content_type = "image/png"), (status = 400, body = ProblemBody),
    (status = 422, body = ProblemBody)))]
#[get("/v1/qr.png")]
pub async fn draw_qr_png(
    state: Data<Internal>,
    _caller: Staff,
    query: Query<QrPixelQuery>,
) -> Result<HttpResponse, Problem> {
    let scale = query.scale.unwrap_or(8);
    if !(1..=qr::SCALE_MAX).contains(&scale) {
        return Err(Problem::field(
            "scale",
            "out-of-range",
            "1 to 32 pixels a module",
            "每个模块 1 到 32 像素",
        ));
    }
    let qr = drawn(&state, &query.code)?;
    let png = web::block(move || qr::png(&qr, scale))
        .await
        .map_err(|error| Problem::internal(&error))?
        .map_err(|error| Problem::internal(&error))?;
    Ok(HttpResponse::Ok().content_type("image/png").body(png))
}

fn drawn(state: &Internal, code: &str) -> Result<QRCode, Problem> {
    let scanned = trace_code::parse(code).map_err(|error| {
        Problem::new(ProblemCode::MalformedCode).detail(error.fault.en(), error.fault.zh())
    })?;
    let mut url = scanned.code.digital_link(&state.base_url).to_string();
    if let Some(expiry) = scanned.claims.expiry {
        url.push_str("?17=");
        url.extend(expiry.map(char::from));
    }
    qr::of(&url).ok_or_else(|| Problem::new(ProblemCode::TooLarge))
}
