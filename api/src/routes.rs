//! The whole URL table of both listeners. One list yields the router and the OpenAPI document, so
//! that neither can know a route the other does not.

mod refusals;

use crate::{
    accounts, app_links, buyers, codes, events, excursions, findings, handheld,
    http::{self, documented::Documented},
    links, log, operations, pda, photo,
    problem::{self, Problem, ProblemCode},
    recalls, registry, resolver, stock, suspicions, tls, units, voices, watches,
};
use actix_web::{
    HttpRequest, HttpResponse, Resource, ResponseError, Route,
    body::{BoxBody, MessageBody},
    dev::{AppService, HttpServiceFactory, ResourceDef, ServiceRequest, ServiceResponse},
    http::Method,
    middleware::Next,
    web::{self, ServiceConfig},
};
use refusals::{Consumers, Staff};
use std::sync::OnceLock;
use utoipa::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

/// Registers handlers and documents them, from one list.
macro_rules! internal_routes {
    ($($($part:ident)::+),* $(,)?) => {
        #[derive(OpenApi)]
        #[openapi(
            info(
                title = "Suyuan internal API",
                description = "Registry, codes, recalls and accounts of a traceability \
                    installation. Errors are RFC 9457 problems with a stable `code`. What \
                    documents an `Idempotency-Key` (1 to 128 visible ASCII characters) and is sent \
                    again under it is done once. JSON bodies hold at most 256 KiB, lists of codes \
                    and files 4 MiB; lists are paged by `after` and `limit` (at most 500). Besides \
                    what each call documents, a head that is too large is answered 431, one that is \
                    too slow 408, another method 405, a fault of ours 500. A body arrives within 5 \
                    minutes, without a pause of more than 15 s, or is answered 408; the answer to \
                    one that is here comes within 15 s, or 503.",
            ),
            paths($($($part)::+),*),
            components(schemas(problem::ProblemBody<'_>, problem::FieldProblem)),
            modifiers(&Staff),
        )]
        struct InternalApi;

        fn internal_services(config: &mut ServiceConfig) {
            $(config.service($($part)::+);)*
        }
    };
}

internal_routes![
    accounts::handlers::create_session,
    accounts::handlers::refresh_session,
    accounts::handlers::end_session,
    accounts::handlers::create_user,
    accounts::handlers::list_users,
    accounts::handlers::change_user,
    accounts::handlers::get_me,
    accounts::handlers::change_my_password,
    registry::enterprises::handlers::create_enterprise,
    registry::enterprises::handlers::list_enterprises,
    registry::enterprises::handlers::get_enterprise,
    registry::enterprises::handlers::revise_enterprise,
    registry::profiles::handlers::list_profiles,
    registry::profiles::handlers::get_profile,
    registry::locations::handlers::create_location,
    registry::locations::handlers::list_locations,
    registry::locations::handlers::get_location,
    registry::badges::handlers::create_badge,
    registry::badges::handlers::list_badges,
    registry::badges::handlers::get_badge,
    registry::badges::handlers::change_badge_role,
    registry::badges::handlers::withdraw_badge,
    registry::products::handlers::create_product,
    registry::products::handlers::list_products,
    registry::products::handlers::get_product,
    registry::products::handlers::revise_product,
    registry::products::handlers::publish_product,
    registry::batches::handlers::create_batch,
    registry::batches::handlers::list_batches,
    registry::batches::handlers::get_batch,
    registry::batches::handlers::revise_batch,
    registry::batches::handlers::publish_batch,
    registry::files::handlers::create_file,
    registry::files::handlers::get_file,
    codes::handlers::create_segment,
    codes::handlers::list_segments,
    codes::handlers::print_segment,
    codes::handlers::create_commission,
    codes::handlers::list_commissions,
    codes::handlers::create_code_destruction,
    codes::handlers::list_code_destructions,
    codes::handlers::draw_qr,
    codes::handlers::draw_qr_png,
    recalls::handlers::open_recall,
    recalls::handlers::list_recalls,
    recalls::handlers::get_recall,
    recalls::handlers::get_recall_reach,
    recalls::handlers::widen_recall,
    recalls::handlers::close_recall,
    units::handlers::get_unit,
    units::handlers::list_unit_contents,
    events::handlers::get_event,
    buyers::handlers::file_buyer,
    buyers::handlers::get_buyer,
    buyers::handlers::open_buyer,
    buyers::handlers::erase_buyer,
    findings::handlers::list_findings,
    findings::handlers::count_findings,
    stock::handlers::list_stock,
    stock::handlers::list_expiring_stock,
    stock::handlers::list_lot_balances,
    stock::handlers::list_lot_movements,
    excursions::handlers::create_transport,
    excursions::handlers::list_transports,
    excursions::handlers::file_readings,
    excursions::handlers::list_excursions,
    excursions::handlers::record_measure,
    handheld::devices::handlers::create_device,
    handheld::devices::handlers::create_device_ticket,
    handheld::devices::handlers::list_devices,
    handheld::devices::handlers::get_device,
    handheld::devices::handlers::revoke_device,
    handheld::devices::handlers::enrol,
    handheld::push::handlers::push_events,
    handheld::push::handlers::confirm_clock,
    handheld::aside::handlers::list_quarantine,
    handheld::aside::handlers::get_quarantined,
    handheld::aside::handlers::admit_event,
    handheld::decisions::handlers::get_policy,
    handheld::decisions::handlers::change_policy,
    handheld::decisions::handlers::create_acceptance,
    handheld::decisions::handlers::list_acceptances,
    handheld::decisions::handlers::close_shift,
    handheld::decisions::handlers::close_period,
    handheld::decisions::handlers::list_periods,
    handheld::decisions::handlers::list_restatements,
    handheld::down::handlers::get_sync_status,
    handheld::down::handlers::pull_changes,
    handheld::down::handlers::get_snapshot,
    handheld::down::handlers::get_rules,
    handheld::down::badge_handlers::get_badges,
    handheld::down::chunk_handlers::get_chunk,
    handheld::down::handlers::look_up_units,
    handheld::down::handlers::deposit_events,
    handheld::down::decode_handlers::decode_photo,
    links::handlers::create_link,
    links::handlers::list_links,
    links::handlers::delete_link,
    voices::handlers::list_voices,
    voices::handlers::create_voice,
    voices::handlers::get_voice,
    voices::handlers::open_voice,
    voices::handlers::handle_voice,
    voices::handlers::erase_voice,
    suspicions::handlers::list_suspicions,
    suspicions::handlers::get_suspicion,
    suspicions::handlers::list_suspicion_queries,
    suspicions::handlers::clear_suspicion,
    log::handlers::list_log,
    operations::livez,
    operations::readyz,
    operations::healthz,
    operations::metrics,
];

/// What the public listener documents. Codes' addresses share one handler, which reads the raw
/// path itself: a router would decode `%2F` before it could be told from a slash.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Suyuan public API",
        description = "Answers scans of trace codes. No account, no script, nothing written but \
            the query log and what consumers tell. Addresses hold at most 2048 bytes of path and \
            of query. A request's \
            head holds at most 96 headers and 128 KiB and arrives within 5 s. An address may ask \
            for 600 scans a minute (120 at once), 120 typed codes (30), 20 photos (10) and 10 \
            forms (10), a network of addresses (IPv4 /24, IPv6 /56) eight times as much; whoever \
            asks about 60 codes that nobody ever issued may ask nothing more for a while. These \
            are the defaults of the settings under `limits`. Past them the answer is 429, problem \
            `too-many-requests`; when the service itself has too much to do, 503, problem \
            `overloaded`. Both say with `Retry-After` when to come back, and come half a second \
            late. What is said of codes may be read by any origin; their addresses answer OPTIONS. \
            Calls under `/v1/public` are for apps: JSON of version 1, open to pages of any origin. \
            A field may be added to an answer at any time, and a reason or problem code; one is \
            removed or changes its meaning only with a new version. A problem is a page where the \
            caller accepts `text/html`. Besides what each call documents, a head that is too large \
            is answered 431, one that is too slow 408, another method 405, a fault of ours 500.",
    ),
    paths(
        resolver::documented::scan_product,
        resolver::documented::scan_batch,
        resolver::documented::scan_unit,
        resolver::documented::scan_logistic_unit,
        resolver::documented::scan_own,
        resolver::documented::scan_tag,
        resolver::documented::scan_tag_base64url,
        resolver::documented::scan_page,
        resolver::documented::describe_resolver,
        resolver::documented::query_code,
        photo::handlers::read_photo,
        resolver::handlers::file,
        resolver::lookups::handlers::look_up,
        watches::handlers::begin,
        watches::handlers::get,
        watches::handlers::end,
        app_links::handlers::android,
        app_links::handlers::apple,
        voices::public::handlers::create_complaint,
        voices::public::handlers::create_feedback,
        voices::public::handlers::get_complaint,
        voices::public::handlers::erase_complaint,
        voices::public::handlers::rate_complaint,
        operations::public_livez,
        operations::public_readyz,
    ),
    components(schemas(
        problem::ProblemBody<'_>,
        problem::FieldProblem,
        resolver::wire::ScanOut
    )),
    modifiers(&Consumers),
)]
struct PublicApi;

/// What the internal listener documents.
fn documented() -> &'static Documented {
    static DOCUMENTED: OnceLock<Documented> = OnceLock::new();
    DOCUMENTED.get_or_init(|| Documented::of(&internal_openapi()))
}

/// Middleware of the internal listener: what is not documented is refused.
pub async fn only_documented(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    match documented().refused(&mut request).await {
        Some(problem) => Ok(request.into_response(problem.error_response())),
        None => Ok(next.call(request).await?.map_into_boxed_body()),
    }
}

/// Nothing is served here: another method, or nothing at all.
async fn no_such_operation(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let methods = documented().methods_of(request.path());
    if methods.is_empty() {
        return Err(Problem::new(ProblemCode::NotFound));
    }
    Err(Problem::new(ProblemCode::MethodNotAllowed).allow(methods))
}

async fn to_docs() -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header(("location", "/docs/"))
        .finish()
}

/// The internal listener's OpenAPI document.
pub fn internal_openapi() -> utoipa::openapi::OpenApi {
    InternalApi::openapi()
}

/// The public listener's OpenAPI document.
pub fn public_openapi() -> utoipa::openapi::OpenApi {
    PublicApi::openapi()
}

/// Routes of the internal listener.
pub fn internal(config: &mut ServiceConfig) {
    internal_services(config);
    config
        .service(accounts::setup::setup_form)
        .service(accounts::setup::setup_submit)
        .service(SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", internal_openapi()))
        .route("/", web::route().to(to_docs))
        .route("/docs", web::route().to(to_docs))
        .route("/app", web::get().to(pda::handlers::to_app))
        .route(
            "/app/authority.crt",
            web::get().to(tls::handlers::authority_certificate),
        )
        .route(
            "/app/authority.json",
            web::get().to(tls::handlers::authority_fingerprint),
        )
        .route("/app/{path:.*}", web::get().to(pda::handlers::app_file))
        .route("/app/{path:.*}", web::head().to(pda::handlers::app_file))
        .default_service(web::route().to(no_such_operation))
        .app_data(web::QueryConfig::default().error_handler(|error, _| malformed(&error)))
        .app_data(
            web::PathConfig::default()
                .error_handler(|_, _| Problem::new(ProblemCode::NotFound).into()),
        )
        .app_data(
            web::FormConfig::default()
                .limit(4096)
                .error_handler(|error, _| malformed(&error)),
        );
}

/// Routes of the public listener.
pub fn public(config: &mut ServiceConfig) {
    config
        .service(TradeItems)
        .service(
            web::resource("/.well-known/assetlinks.json")
                .get(app_links::handlers::android)
                .route(web::head().to(app_links::handlers::android))
                .default_service(web::route().to(only_reads)),
        )
        .service(
            web::resource("/.well-known/apple-app-site-association")
                .get(app_links::handlers::apple)
                .route(web::head().to(app_links::handlers::apple))
                .default_service(web::route().to(only_reads)),
        )
        .service(app_call(
            "/v1/public/lookups",
            "POST, OPTIONS",
            [web::post().to(resolver::lookups::handlers::look_up)],
        ))
        .service(app_call(
            "/v1/public/watches",
            "POST, OPTIONS",
            [web::post().to(watches::handlers::begin)],
        ))
        .service(app_call(
            "/v1/public/watches/{token}",
            "GET, HEAD, DELETE, OPTIONS",
            [
                web::get().to(watches::handlers::get),
                web::head().to(watches::handlers::get),
                web::delete().to(watches::handlers::end),
            ],
        ))
        .service(app_call(
            "/v1/public/complaints",
            "POST, OPTIONS",
            [web::post().to(voices::public::handlers::create_complaint)],
        ))
        .service(app_call(
            "/v1/public/feedback",
            "POST, OPTIONS",
            [web::post().to(voices::public::handlers::create_feedback)],
        ))
        .service(app_call(
            "/v1/public/complaints/{receipt}",
            "GET, HEAD, OPTIONS",
            [
                web::get().to(voices::public::handlers::get_complaint),
                web::head().to(voices::public::handlers::get_complaint),
            ],
        ))
        .service(app_call(
            "/v1/public/complaints/{receipt}/erasure",
            "POST, OPTIONS",
            [web::post().to(voices::public::handlers::erase_complaint)],
        ))
        .service(app_call(
            "/v1/public/complaints/{receipt}/satisfaction",
            "POST, OPTIONS",
            [web::post().to(voices::public::handlers::rate_complaint)],
        ))
        .route("/q", web::route().to(resolver::handlers::query))
        .route("/q/photo", web::route().to(photo::handlers::read_photo))
        .route("/files/{hash}", web::route().to(resolver::handlers::file))
        .route(
            "/.well-known/gs1resolver",
            web::route().to(resolver::links::handlers::describe),
        )
        .route("/livez", web::route().to(operations::public_livez))
        .route("/readyz", web::route().to(operations::public_readyz))
        .route(
            "/",
            web::route().to(|| async {
                actix_web::HttpResponse::SeeOther()
                    .insert_header(("location", "/q"))
                    .finish()
            }),
        )
        .configure(voices::public::handlers::forms_of_voices)
        .default_service(web::route().to(resolver::handlers::scan));
}

/// Codes of trade items, nearly all that is asked for. They go where the default service goes, and
/// come first because routes are tried one after the other: two dozen, some by regular expression,
/// take longer than the answer.
struct TradeItems;

impl HttpServiceFactory for TradeItems {
    fn register(self, config: &mut AppService) {
        for begin in ["/01", "/p/01"] {
            let scan = web::route().to(resolver::handlers::scan);
            config.register_service(ResourceDef::prefix(begin), None, scan, None);
        }
    }
}

async fn only_reads() -> Result<HttpResponse, Problem> {
    Err(Problem::new(ProblemCode::MethodNotAllowed).allow("GET, HEAD"))
}

/// A call of an app: these methods, open to pages of any origin.
fn app_call<const N: usize>(path: &str, methods: &'static str, routes: [Route; N]) -> Resource {
    let refused = move || async move {
        Err::<HttpResponse, _>(Problem::new(ProblemCode::MethodNotAllowed).allow(methods))
    };
    let preflight = move || async move { http::cors::preflight(methods) };
    routes
        .into_iter()
        .fold(web::resource(path), Resource::route)
        .route(web::method(Method::OPTIONS).to(preflight))
        .default_service(web::route().to(refused))
}

fn malformed(error: &dyn std::error::Error) -> actix_web::Error {
    let said = error.to_string();
    let zh = http::serde_words::in_chinese(&said, "参数无法解析");
    Problem::new(ProblemCode::MalformedRequest)
        .detail(said, zh)
        .into()
}
