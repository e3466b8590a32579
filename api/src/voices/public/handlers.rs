//! The consumer's side of voices over HTTP: JSON for the app of a brand, forms without script for
//! everyone else. A receipt is shown on the page that answers the form and never stands in an
//! address of ours, which would keep it in the browser's history; only the app's calls name it.

use super::{
    Desk,
    tell::{self, Refused},
    wire::{AcceptedOut, ComplaintIn, FeedbackIn, ReceiptOut, SatisfactionIn, StandingOut},
};
use crate::{
    clock,
    http::{self, body::PublicJson},
    pages::{FormFault, Lang, ReceiptPage, StandingPage, VoiceForm, VoicePage},
    problem::{Problem, ProblemBody, ProblemCode},
    resolver::handlers::malformed,
    voices::{
        receipt::Receipt,
        rules::{Draft, VoiceKind},
    },
};
use actix_web::{
    HttpRequest, HttpResponse,
    error::UrlencodedError,
    http::{StatusCode, header},
    web::{self, Data, Form, Path},
};
use serde::Deserialize;
use suyuan_sync::trace_code::{self, Scanned};
use uuid::Uuid;

/// Largest body of any call here, in bytes.
pub const BODY_MAX: usize = 16 * 1024;

/// Complain about a product. Bodies hold at most 16 KiB; an unknown field is refused, so that
/// nothing told is lost by a slip.
#[utoipa::path(post, path = "/v1/public/complaints", tag = "voices",
    operation_id = "create_complaint",
    request_body(content = ComplaintIn, example = json!(super::example::complaint())),
    responses((status = 201, body = ReceiptOut), (status = 400, body = ProblemBody),
    (status = 413, body = ProblemBody), (status = 415, body = ProblemBody),
    (status = 422, body = ProblemBody), (status = 429, body = ProblemBody),
    (status = 503, body = ProblemBody)))]
pub async fn create_complaint(
    desk: Data<Desk>,
    body: PublicJson<ComplaintIn, BODY_MAX>,
) -> Result<HttpResponse, Problem> {
    let new = body.0;
    let draft = Draft {
        content: new.content,
        place: new.place.unwrap_or_default(),
        bought_at: String::new(),
        name: new.name.unwrap_or_default(),
        contact: new.contact.unwrap_or_default(),
    };
    let told = (VoiceKind::Complaint, new.request_id, new.consent);
    told_by_app(&desk, told, &new.code, &draft).await
}

/// Give feedback after buying. Bodies hold at most 16 KiB; an unknown field is refused.
#[utoipa::path(post, path = "/v1/public/feedback", tag = "voices",
    operation_id = "create_feedback",
    request_body(content = FeedbackIn, example = json!(super::example::feedback())),
    responses((status = 201, body = ReceiptOut), (status = 400, body = ProblemBody),
    (status = 413, body = ProblemBody), (status = 415, body = ProblemBody),
    (status = 422, body = ProblemBody), (status = 429, body = ProblemBody),
    (status = 503, body = ProblemBody)))]
pub async fn create_feedback(
    desk: Data<Desk>,
    body: PublicJson<FeedbackIn, BODY_MAX>,
) -> Result<HttpResponse, Problem> {
    let new = body.0;
    let draft = Draft {
        content: new.content,
        place: new.place.unwrap_or_default(),
        bought_at: new.bought_at.unwrap_or_default(),
        name: new.name.unwrap_or_default(),
        contact: new.contact.unwrap_or_default(),
    };
    let told = (VoiceKind::Feedback, new.request_id, new.consent);
    told_by_app(&desk, told, &new.code, &draft).await
}

async fn told_by_app(
    desk: &Desk,
    (kind, request_id, consent): (VoiceKind, Option<Uuid>, bool),
    code: &str,
    draft: &Draft,
) -> Result<HttpResponse, Problem> {
    if !consent {
        return Err(no_consent());
    }
    // Any other version may be guessed, and the receipt with it.
    if request_id.is_some_and(|id| id.get_version_num() != 4) {
        return Err(Problem::field(
            "request_id",
            "not-random",
            "a random UUID (version 4)",
            "须为随机 UUID（第 4 版）",
        ));
    }
    let text = code.trim();
    let scanned = desk.profiles.parse(text);
    let scanned = scanned.map_err(|error| malformed(error, text))?;
    let form = request_id.unwrap_or_else(Uuid::new_v4);
    let receipt = tell::tell(desk, kind, form, &scanned, draft).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(ReceiptOut {
            receipt: receipt.to_string(),
            state: "received",
        }))
}

/// How a complaint or feedback stands.
#[utoipa::path(get, path = "/v1/public/complaints/{receipt}", tag = "voices",
    operation_id = "get_complaint", params(("receipt" = String, Path)),
    responses((status = 200, body = StandingOut), (status = 404, body = ProblemBody),
    (status = 503, body = ProblemBody)))]
pub async fn get_complaint(
    desk: Data<Desk>,
    receipt: Path<String>,
) -> Result<HttpResponse, Problem> {
    let standing = tell::standing(&desk, &read(&receipt)?).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(standing))
}

/// Have the personal data erased. The record stays, with a pseudonym.
#[utoipa::path(post, path = "/v1/public/complaints/{receipt}/erasure", tag = "voices",
    operation_id = "erase_complaint",
    params(("receipt" = String, Path)),
    responses((status = 202, body = AcceptedOut), (status = 404, body = ProblemBody),
    (status = 409, description = "Not taken in yet: a second later it is", body = ProblemBody)))]
pub async fn erase_complaint(
    desk: Data<Desk>,
    receipt: Path<String>,
) -> Result<HttpResponse, Problem> {
    tell::erase(&desk, &read(&receipt)?).await?;
    Ok(accepted())
}

/// Say how satisfied one is with the handling.
#[utoipa::path(post, path = "/v1/public/complaints/{receipt}/satisfaction", tag = "voices",
    operation_id = "rate_complaint", request_body = SatisfactionIn,
    params(("receipt" = String, Path)),
    responses((status = 202, body = AcceptedOut), (status = 400, body = ProblemBody),
    (status = 409, body = ProblemBody), (status = 404, body = ProblemBody), (status = 413, body = ProblemBody),
    (status = 415, body = ProblemBody), (status = 422, body = ProblemBody),
    (status = 429, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn rate_complaint(
    desk: Data<Desk>,
    receipt: Path<String>,
    body: PublicJson<SatisfactionIn, BODY_MAX>,
) -> Result<HttpResponse, Problem> {
    tell::rate(&desk, &read(&receipt)?, &body.0).await?;
    Ok(accepted())
}

fn accepted() -> HttpResponse {
    HttpResponse::Accepted()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(AcceptedOut { state: "accepted" })
}

/// A receipt that cannot be one is as unknown as one that nobody was given.
fn read(receipt: &str) -> Result<Receipt, Problem> {
    Receipt::parse(receipt).ok_or_else(|| Problem::new(ProblemCode::NotFound))
}

fn no_consent() -> Problem {
    Problem::field(
        "consent",
        "missing",
        "only with the person's consent",
        "须经本人同意",
    )
}

/// What a form sends. `website` is hidden from people: what fills it in is a program.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VoiceFormIn {
    kind: String,
    form: Option<Uuid>,
    content: String,
    place: String,
    bought_at: String,
    name: String,
    contact: String,
    consent: String,
    website: String,
}

/// The forms for the code in the address.
pub async fn voice_forms(desk: Data<Desk>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let scanned = code_of(&desk, &request)?;
    let empty = Typed::default();
    forms(&desk, &request, &scanned, StatusCode::OK, &empty).await
}

/// Takes a form.
pub async fn voice_told(
    desk: Data<Desk>,
    request: HttpRequest,
    form: Form<VoiceFormIn>,
) -> Result<HttpResponse, Problem> {
    let scanned = code_of(&desk, &request)?;
    let form = form.into_inner();
    let kind = VoiceKind::parse(&form.kind)
        .filter(|_| form.website.is_empty())
        .ok_or_else(|| Problem::new(ProblemCode::MalformedRequest))?;
    let id = form.form.filter(|id| id.get_version_num() == 4);
    let id = id.ok_or_else(|| Problem::new(ProblemCode::MalformedRequest))?;
    let typed = Typed {
        kind: Some(kind),
        draft: Draft {
            content: form.content,
            place: form.place,
            bought_at: form.bought_at,
            name: form.name,
            contact: form.contact,
        },
        faults: Vec::new(),
    };
    let told = if form.consent == "yes" {
        tell::tell(&desk, kind, id, &scanned, &typed.draft).await
    } else {
        Err(Refused::Fields(no_consent().errors))
    };
    match told {
        Ok(receipt) => {
            let lang = http::language(&request);
            let receipt = receipt.to_string();
            let page = ReceiptPage {
                lang,
                receipt: &receipt,
            };
            Ok(page_response(StatusCode::CREATED, lang, page.render()))
        }
        Err(Refused::Fields(faults)) => {
            let typed = Typed { faults, ..typed };
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            forms(&desk, &request, &scanned, status, &typed).await
        }
        Err(Refused::Problem(problem)) => Err(problem),
    }
}

/// What was typed into which form, and what was wrong with it.
#[derive(Default)]
struct Typed {
    kind: Option<VoiceKind>,
    draft: Draft,
    faults: Vec<crate::problem::FieldProblem>,
}

async fn forms(
    desk: &Desk,
    request: &HttpRequest,
    scanned: &Scanned,
    status: StatusCode,
    typed: &Typed,
) -> Result<HttpResponse, Problem> {
    let about = tell::about(desk, &scanned.code).await?;
    let lang = http::language(request);
    let faults: Vec<FormFault<'_>> = typed
        .faults
        .iter()
        .map(|fault| FormFault {
            field: &fault.field,
            message: match lang {
                Lang::Zh => &fault.message_zh,
                Lang::En => &fault.message,
            },
        })
        .collect();
    let none = Draft::default();
    let form = |kind, asked| {
        let ours = typed.kind == Some(kind);
        VoiceForm {
            kind,
            asked,
            token: Uuid::new_v4(),
            draft: if ours { &typed.draft } else { &none },
            faults: if ours { &faults } else { &[] },
        }
    };
    let code = scanned.code.to_string();
    let page = VoicePage {
        lang,
        path: request.uri().path(),
        query: request.query_string(),
        code: &code,
        product: about.product.as_ref().map(|view| view.name.as_str()),
        keep_days: desk.keep_days,
        forms: [
            form(VoiceKind::Complaint, about.complaint),
            form(VoiceKind::Feedback, about.feedback),
        ],
    };
    Ok(page_response(status, lang, page.render()))
}

/// The code an address names: `/voice` and the path the code is printed with, or `/voice/q?code=`.
fn code_of(desk: &Desk, request: &HttpRequest) -> Result<Scanned, Problem> {
    let path = request.uri().path();
    let path = path.strip_prefix("/voice").unwrap_or(path);
    let path = path
        .strip_prefix("/p")
        .filter(|rest| rest.starts_with('/'))
        .unwrap_or(path);
    let query = request.query_string();
    if path == "/q" {
        let typed = http::query_value(query, "code").map(http::decode_form);
        let text = typed.as_deref().unwrap_or_default().trim();
        let scanned = desk.profiles.parse(text);
        return scanned.map_err(|error| malformed(error, text));
    }
    trace_code::parse_path(path, query)
        .map_err(|error| malformed(error, &format!("{path}?{query}")))
}

/// What the forms behind a receipt send.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiptFormIn {
    receipt: String,
    /// `erase`, `rate`, or nothing: show.
    step: String,
    score: String,
    sure: String,
}

/// The form for a receipt.
pub async fn standing_form(request: HttpRequest) -> HttpResponse {
    let lang = http::language(&request);
    page_response(StatusCode::OK, lang, standing_page(lang).render())
}

/// Shows how it stands, and does what is asked besides.
pub async fn standing_asked(
    desk: Data<Desk>,
    request: HttpRequest,
    form: Form<ReceiptFormIn>,
) -> Result<HttpResponse, Problem> {
    let lang = http::language(&request);
    let mut page = standing_page(lang);
    page.typed = &form.receipt;
    let known = match Receipt::parse(&form.receipt) {
        Some(receipt) => match tell::standing(&desk, &receipt).await {
            Ok(standing) => Some((receipt, standing)),
            Err(problem) if problem.code == ProblemCode::NotFound => None,
            Err(problem) => return Err(problem),
        },
        None => None,
    };
    let Some((receipt, standing)) = known else {
        page.unknown = true;
        return Ok(page_response(StatusCode::NOT_FOUND, lang, page.render()));
    };
    match form.step.as_str() {
        "erase" if form.sure == "yes" => {
            tell::erase(&desk, &receipt).await?;
            page.erasing = true;
        }
        "rate" => {
            let score = form.score.parse().unwrap_or(0);
            tell::rate(&desk, &receipt, &SatisfactionIn { score }).await?;
            page.rated = true;
        }
        _ => {}
    }
    let receipt = receipt.to_string();
    page.typed = &receipt;
    page.standing = Some(&standing);
    let times = [
        &standing.received_at,
        &standing.answered_at,
        &standing.closed_at,
    ]
    .map(|at| at.as_deref().map(clock::beijing_of).unwrap_or_default());
    page.times = [&times[0], &times[1], &times[2]];
    Ok(page_response(StatusCode::OK, lang, page.render()))
}

fn standing_page(lang: Lang) -> StandingPage<'static> {
    StandingPage {
        lang,
        typed: "",
        unknown: false,
        standing: None,
        times: [""; 3],
        erasing: false,
        rated: false,
    }
}

fn page_response(status: StatusCode, lang: Lang, html: String) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_LANGUAGE, lang.tag()))
        .insert_header((header::CONTENT_SECURITY_POLICY, http::page_policy()))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "Accept, Accept-Language"))
        .body(html)
}

/// The forms; the calls of apps stand in the table of routes.
pub fn forms_of_voices(config: &mut web::ServiceConfig) {
    let refused = || web::route().to(|| only("GET, HEAD, POST"));
    config
        .service(
            web::resource("/voice/state")
                .route(web::get().to(standing_form))
                .route(web::head().to(standing_form))
                .route(web::post().to(standing_asked))
                .default_service(refused()),
        )
        .service(
            web::resource("/voice/{code:.*}")
                .route(web::get().to(voice_forms))
                .route(web::head().to(voice_forms))
                .route(web::post().to(voice_told))
                .default_service(refused()),
        )
        .app_data(
            web::FormConfig::default()
                .limit(BODY_MAX)
                .error_handler(|error, _| {
                    let code = match &error {
                        UrlencodedError::Overflow { .. } => ProblemCode::TooLarge,
                        UrlencodedError::ContentType => ProblemCode::UnsupportedMediaType,
                        _ => ProblemCode::MalformedBody,
                    };
                    Problem::new(code).into()
                }),
        );
}

async fn only(methods: &'static str) -> Result<HttpResponse, Problem> {
    Err(Problem::new(ProblemCode::MethodNotAllowed).allow(methods))
}
