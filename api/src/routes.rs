//! The whole URL table of both listeners. One list yields the router and the OpenAPI document, so
//! that neither can know a route the other does not.

use crate::{
    accounts, app_links, codes, handheld, http, links, log, operations, photo,
    problem::{self, Problem, ProblemCode},
    recalls, registry, resolver, suspicions, voices, watches,
};
use actix_web::{
    HttpRequest, HttpResponse, Resource, Route,
    http::Method,
    web::{self, ServiceConfig},
};
use std::sync::OnceLock;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        ContentBuilder, Ref, RefOr, Response, ResponseBuilder,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_swagger_ui::SwaggerUi;

/// Registers handlers and documents them, from one list.
macro_rules! internal_routes {
    ($($($part:ident)::+),* $(,)?) => {
        #[derive(OpenApi)]
        #[openapi(
            info(
                title = "Suyuan internal API",
                description = "Registry, codes, recalls and accounts of a traceability \
                    installation. Errors are RFC 9457 problems with a stable `code`. Every create \
                    takes an `Idempotency-Key` (1 to 128 visible ASCII characters). JSON bodies \
                    hold at most 256 KiB, lists of codes and files 4 MiB; lists are paged by \
                    `after` and `limit` (at most 500).",
            ),
            paths($($($part)::+),*),
            components(schemas(problem::ProblemBody<'_>, problem::FieldProblem)),
            modifiers(&BearerToken),
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
    recalls::handlers::widen_recall,
    recalls::handlers::close_recall,
    handheld::devices::handlers::create_device,
    handheld::devices::handlers::create_device_ticket,
    handheld::devices::handlers::list_devices,
    handheld::devices::handlers::get_device,
    handheld::devices::handlers::revoke_device,
    handheld::devices::handlers::enrol,
    handheld::push::handlers::push_events,
    handheld::push::handlers::confirm_clock,
    handheld::down::handlers::get_sync_status,
    handheld::down::handlers::pull_changes,
    handheld::down::handlers::look_up_units,
    handheld::down::handlers::deposit_events,
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
            removed or changes its meaning only with a new version.",
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
    components(schemas(problem::ProblemBody<'_>, problem::FieldProblem)),
    modifiers(&PublicRefusals),
)]
struct PublicApi;

/// Everything but probes may be refused for a while.
struct PublicRefusals;

impl Modify for PublicRefusals {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        for (path, item) in &mut api.paths.paths {
            if matches!(path.as_str(), "/livez" | "/readyz") {
                continue;
            }
            for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
                for (status, what) in [
                    (
                        "429",
                        "Too many requests; `Retry-After` says when to come back.",
                    ),
                    ("503", "Overloaded, or nothing can be confirmed right now."),
                ] {
                    let responses = &mut operation.responses.responses;
                    responses.insert(status.into(), problem_response(what).into());
                }
            }
        }
    }
}

struct BearerToken;

/// The methods documented for a path, e.g. `GET, POST`; empty where the path is unknown.
fn methods_of(path: &str) -> String {
    static TABLE: OnceLock<Vec<(Vec<String>, String)>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let api = serde_json::to_value(internal_openapi()).unwrap_or_default();
        let paths = api["paths"].as_object().cloned().unwrap_or_default();
        paths
            .into_iter()
            .map(|(path, item)| {
                let methods = item.as_object().map(|item| {
                    let names: Vec<String> = item.keys().map(|m| m.to_uppercase()).collect();
                    names.join(", ")
                });
                let parts = path.split('/').map(str::to_owned).collect();
                (parts, methods.unwrap_or_default())
            })
            .collect()
    });
    let asked: Vec<&str> = path.split('/').collect();
    let fits = |parts: &[String]| {
        parts.len() == asked.len()
            && parts
                .iter()
                .zip(&asked)
                .all(|(part, is)| (part.starts_with('{') && !is.is_empty()) || part == is)
    };
    let found = table.iter().find(|(parts, _)| fits(parts));
    found
        .map(|(_, methods)| methods.clone())
        .unwrap_or_default()
}

/// Nothing is served here: another method, or nothing at all.
async fn no_such_operation(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let methods = methods_of(request.path());
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

impl Modify for BearerToken {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .build();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
        document_refusals(api);
    }
}

fn problem_response(what: &str) -> Response {
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("ProblemBody")));
    ResponseBuilder::new()
        .description(what)
        .content("application/problem+json", body.build())
        .build()
}

/// Every operation may answer a problem; those behind a sign-in say so.
fn document_refusals(api: &mut utoipa::openapi::OpenApi) {
    for item in api.paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.post,
            &mut item.patch,
            &mut item.delete,
        ];
        for operation in operations.into_iter().flatten() {
            let responses = &mut operation.responses.responses;
            for response in responses.values_mut() {
                // Problems have one media type.
                if let RefOr::T(response) = response
                    && let Some(content) = response.content.shift_remove("application/json")
                {
                    let is_problem = matches!(&content, RefOr::T(content)
                        if matches!(&content.schema, Some(RefOr::Ref(schema))
                            if schema.ref_location.ends_with("/ProblemBody")));
                    let media = if is_problem {
                        "application/problem+json"
                    } else {
                        "application/json"
                    };
                    response.content.insert(media.into(), content);
                }
            }
            if operation.security.is_some() {
                responses
                    .entry("401".into())
                    .or_insert_with(|| problem_response("Not signed in.").into());
                responses.entry("403".into()).or_insert_with(|| {
                    problem_response("The role does not carry this right.").into()
                });
            }
            responses
                .entry("default".into())
                .or_insert_with(|| problem_response("A problem.").into());
        }
    }
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
    Problem::new(ProblemCode::MalformedRequest)
        .detail(error.to_string(), "参数有误")
        .into()
}
