//! The HTTP edge shared by both listeners: request ids, the shape of problems, extractors.
//! Knows no feature.

pub mod arriving;
pub mod auth;
pub mod body;
pub mod connections;
pub mod cors;
pub mod device;
pub mod documented;
pub mod door;
pub mod leaving;
pub mod paced;
pub mod page;
pub mod serde_words;
pub mod upload;

use self::{
    arriving::Waited,
    connections::Connection,
    door::{Door, Refused},
};
use crate::{
    limits::load::Turn,
    pages::{Lang, ProblemPage, own_address},
    problem::{Problem, ProblemCode},
};
use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        ConnectionType, StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
};
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tracing::Instrument;

/// The header an answer carries its id in.
pub static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Scripts, frames and foreign loads are off; the one style sheet is named by its hash.
pub const PAGE_POLICY_REST: &str =
    "; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The id of one request: process part and counter, 16 hex characters each way round.
#[derive(Clone, Copy)]
pub struct RequestId(u64, u64);

impl RequestId {
    fn next() -> RequestId {
        static PROCESS: OnceLock<u64> = OnceLock::new();
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let process =
            *PROCESS.get_or_init(|| crate::sealing::random().map_or(0, u64::from_be_bytes));
        RequestId(process, COUNT.fetch_add(1, Ordering::Relaxed))
    }

    /// As text: 24 hex characters.
    pub fn text(self) -> [u8; 24] {
        let mut out = [b'0'; 24];
        hex(self.0, &mut out[..16]);
        hex(self.1, &mut out[16..]);
        out
    }
}

/// Writes the lowest hex digits of `value`, as many as fit.
pub fn hex(mut value: u64, out: &mut [u8]) {
    for digit in out.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(value & 15) as usize];
        value >>= 4;
    }
}

/// Which listener a problem is told at: consumers get pages, programs JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Consumers: a page where the caller accepts HTML.
    Consumer,
    /// Programs and staff: always JSON.
    Staff,
}

/// Set when the process is leaving: readiness fails, and connections are not kept.
#[derive(Clone, Default)]
pub struct Draining(Arc<AtomicBool>);

impl Draining {
    /// Begins to leave.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Leaving?
    pub fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Outermost middleware of the public listener: lets requests in, or not. Scans are counted, not
/// logged one by one; see `telemetry`.
pub async fn finish_public(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let id = begin(&request);
    let response = match let_in(&request) {
        Ok(turn) => {
            let response = next.call(request).await?;
            drop(turn);
            response.map_into_boxed_body()
        }
        Err(refused) => Box::pin(turn_away(request, refused)).await,
    };
    Ok(finish(response, Audience::Consumer, &id))
}

/// Outermost middleware of the internal listener: logs every request.
pub async fn finish_internal(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let text = begin(&request);
    let id = std::str::from_utf8(&text).unwrap_or_default();
    let (method, path) = (request.method().to_string(), request.path().to_owned());
    let started = Instant::now();
    let span = tracing::info_span!("request", id);
    let waited = arriving::bound(&mut request);
    let answer = next.call(request).instrument(span.clone());
    let Some(response) = in_time(answer, started, &waited).await else {
        span.in_scope(|| tracing::warn!(method, path, "no answer in time"));
        return Err(too_late(id));
    };
    let response = response?;
    let (status, took) = (response.status().as_u16(), started.elapsed());
    span.in_scope(|| {
        tracing::info!(
            method,
            path,
            status,
            took_us = took.as_micros() as u64,
            "answered"
        );
    });
    let class = ["other", "1xx", "2xx", "3xx", "4xx", "5xx"][usize::from(status / 100).min(5)];
    metrics::histogram!("suyuan_request_seconds", "status" => class).record(took);
    let response = response.map_into_boxed_body();
    Ok(finish(response, Audience::Staff, &text))
}

/// Gives the request an id. Handlers' and extractors' errors arrive as responses; a copy of the
/// request kept here would stop the router from writing to it.
fn begin(request: &ServiceRequest) -> [u8; 24] {
    if let Some(connection) = request.conn_data::<Arc<Connection>>() {
        connection.moves();
    }
    RequestId::next().text()
}

/// Gives every failure the shape of a problem, and every answer what all answers have.
fn finish(
    response: ServiceResponse<BoxBody>,
    audience: Audience,
    id: &[u8; 24],
) -> ServiceResponse<BoxBody> {
    let (request, response) = response.into_parts();
    let connection = request.conn_data::<Arc<Connection>>();
    let mut response = response.map_body(|_, body| leaving::on(connection, body));
    if let Some(connection) = connection {
        connection.moves();
    }
    // A kept connection would hold a process that is leaving until its time is over.
    let closes = connection.is_some_and(|connection| connection.is_last_request())
        || request.app_data::<Draining>().is_some_and(Draining::is_on)
        // The rest of what somebody sends too slowly is not waited for.
        || response.status() == StatusCode::REQUEST_TIMEOUT
        || response.head().connection_type() == ConnectionType::Close;
    if response.status().is_client_error() || response.status().is_server_error() {
        response = explain(&request, response, audience, id);
    }
    if closes {
        let head = response.head_mut();
        head.set_connection_type(ConnectionType::Close);
    }
    if audience == Audience::Consumer {
        cors::open(request.path(), response.headers_mut());
    }
    if let Ok(value) = HeaderValue::from_bytes(id) {
        response.headers_mut().insert(REQUEST_ID.clone(), value);
    }
    response.headers_mut().insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    ServiceResponse::new(request, response)
}

/// Staff hear within this of having said all they have to say, also when a database hangs without a
/// word: what was begun is given up and may be sent again under the same key. How long a body may take
/// to arrive is another matter: see [`arriving`].
const ANSWER_MAX: Duration = Duration::from_secs(15);

/// The answer, unless it takes the service too long; waiting for the sender is not counted.
async fn in_time<T>(
    answer: impl Future<Output = T>,
    started: Instant,
    waited: &Waited,
) -> Option<T> {
    tokio::pin!(answer);
    let mut left = ANSWER_MAX;
    loop {
        if let Ok(answer) = tokio::time::timeout(left, &mut answer).await {
            return Some(answer);
        }
        let own = started.elapsed().saturating_sub(waited.so_far());
        left = ANSWER_MAX.checked_sub(own).filter(|left| !left.is_zero())?;
    }
}

/// The answer to a request that took too long. The request itself is still with its handler, so
/// the body is written here.
fn too_late(id: &str) -> actix_web::Error {
    let problem = Problem::new(ProblemCode::Unavailable);
    let response = HttpResponse::build(problem.code.status())
        .insert_header((REQUEST_ID.clone(), id))
        .insert_header((header::RETRY_AFTER, problem.retry_after_s.unwrap_or(1)))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/problem+json")
        .json_body(&problem.body(id));
    InternalError::from_response("no answer in time", response).into()
}

/// May this request come in?
fn let_in(request: &ServiceRequest) -> Result<Option<Turn>, Refused> {
    match Door::of(request.request()) {
        Some(door) => door.enter(request.request()),
        None => Ok(None),
    }
}

/// Tells a caller who may not come in when to come back.
async fn turn_away(request: ServiceRequest, refused: Refused) -> ServiceResponse<BoxBody> {
    let mut response = Problem::from(refused.refusal).error_response();
    match refused.held {
        Some(held) => held.over().await,
        None => response
            .head_mut()
            .set_connection_type(ConnectionType::Close),
    }
    request.into_response(response)
}

/// A failure that carries a problem gets its body; one the framework made becomes a problem. An
/// answer that brought a body of its own (a scan's 404) stays.
fn explain(
    request: &HttpRequest,
    mut response: HttpResponse,
    audience: Audience,
    id: &[u8],
) -> HttpResponse {
    let problem = response.extensions_mut().remove::<Problem>();
    let problem = match problem {
        Some(problem) => problem,
        None if response.headers().contains_key(header::CONTENT_TYPE)
            && !is_plain_text(response.headers()) =>
        {
            return response;
        }
        None => Problem::new(code_for(response.status())),
    };
    let id = std::str::from_utf8(id).unwrap_or_default();
    metrics::counter!("suyuan_problems_total", "code" => problem.code.code()).increment(1);
    if problem.code.status().is_server_error() {
        tracing::warn!(
            id,
            code = problem.code.code(),
            path = request.path(),
            "answered a problem"
        );
    }
    let mut builder = HttpResponse::build(problem.code.status());
    if let Some(allow) = problem.allow.as_deref() {
        builder.insert_header((header::ALLOW, allow));
    }
    if problem.code.status() == StatusCode::UNAUTHORIZED {
        builder.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
    }
    if let Some(seconds) = problem.retry_after_s {
        builder.insert_header((header::RETRY_AFTER, seconds));
    }
    builder.insert_header((header::CACHE_CONTROL, "no-store"));
    if audience == Audience::Consumer {
        builder.insert_header(any_origin());
    }
    if audience == Audience::Consumer && wants_page(request) {
        let lang = language(request);
        let (title, detail) = match lang {
            Lang::Zh => (problem.code.title_zh(), problem.detail_zh.as_str()),
            Lang::En => (problem.code.title_en(), problem.detail.as_str()),
        };
        // A change of language asks the very same question again.
        let here = own_address(request.uri().path(), request.query_string());
        let page = ProblemPage {
            lang,
            status: problem.code.status().as_u16(),
            code: problem.code.code(),
            title,
            detail,
            request_id: id,
            here: &here,
        };
        return builder
            .insert_header((header::CONTENT_LANGUAGE, lang.tag()))
            .insert_header((header::CONTENT_SECURITY_POLICY, page_policy()))
            .insert_header((header::REFERRER_POLICY, "no-referrer"))
            .insert_header((header::VARY, "Accept, Accept-Language"))
            .content_type("text/html; charset=utf-8")
            .body(page.render());
    }
    builder
        .content_type("application/problem+json")
        .json_body(&problem.body(id))
}

/// What is said of codes is public and asked for without credentials: any origin may read it.
pub fn any_origin() -> (HeaderName, HeaderValue) {
    let all = HeaderValue::from_static("*");
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, all)
}

/// A response body of JSON under the content type already set.
trait JsonBody {
    fn json_body(&mut self, value: &impl serde::Serialize) -> HttpResponse;
}

impl JsonBody for actix_web::HttpResponseBuilder {
    fn json_body(&mut self, value: &impl serde::Serialize) -> HttpResponse {
        match serde_json::to_vec(value) {
            Ok(bytes) => self.body(bytes),
            Err(_) => self.finish(),
        }
    }
}

fn is_plain_text(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/plain"))
}

fn code_for(status: StatusCode) -> ProblemCode {
    match status {
        StatusCode::NOT_FOUND => ProblemCode::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => ProblemCode::MethodNotAllowed,
        StatusCode::NOT_ACCEPTABLE => ProblemCode::NotAcceptable,
        StatusCode::PAYLOAD_TOO_LARGE => ProblemCode::TooLarge,
        StatusCode::URI_TOO_LONG => ProblemCode::UriTooLong,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ProblemCode::UnsupportedMediaType,
        status if status.is_server_error() => ProblemCode::Internal,
        _ => ProblemCode::MalformedRequest,
    }
}

/// Does the caller name HTML? Programs send `*/*` or JSON.
pub fn wants_page(request: &HttpRequest) -> bool {
    request.path().starts_with("/p/") || accepts(request, &header::ACCEPT, "text/html")
}

/// Does an Accept header, all its lines together, name `what` without refusing it (q=0)?
pub fn accepts(request: &HttpRequest, name: &HeaderName, what: &str) -> bool {
    let lines = request.headers().get_all(name);
    let mut items = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','));
    items.any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let named = parts
            .next()
            .is_some_and(|first| first.eq_ignore_ascii_case(what));
        named && !parts.any(is_refusal)
    })
}

/// `q=0`, however many zeros and spaces.
fn is_refusal(parameter: &str) -> bool {
    parameter.split_once('=').is_some_and(|(name, value)| {
        name.trim().eq_ignore_ascii_case("q") && value.trim().parse() == Ok(0.0_f32)
    })
}

/// The language the caller asked for: `?lang=` before Accept-Language.
pub fn language(request: &HttpRequest) -> Lang {
    Lang::negotiate(
        header_text(request, &header::ACCEPT_LANGUAGE),
        query_value(request.query_string(), "lang"),
    )
}

/// A header as text; empty where it is absent or not text.
pub fn header_text<'a>(request: &'a HttpRequest, name: &HeaderName) -> &'a str {
    request
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// The first value of `key` in a raw query string, still encoded.
pub fn query_value<'a>(query: &'a str, key: &str) -> Option<&'a str> {
    query.split(['&', ';']).find_map(|pair| {
        let (k, v) = pair.split_once('=')?;
        (k == key).then_some(v)
    })
}

/// A form value: `+` is a space, the rest is percent-encoded.
pub fn decode_form(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = |at: usize| after.get(at).and_then(|b| char::from(*b).to_digit(16));
        rest = match (byte, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                &after[2..]
            }
            (b'+', ..) => {
                bytes.push(b' ');
                after
            }
            _ => {
                bytes.push(byte);
                after
            }
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The content security policy of our pages.
pub fn page_policy() -> HeaderValue {
    static POLICY: OnceLock<HeaderValue> = OnceLock::new();
    POLICY
        .get_or_init(|| {
            use base64::{Engine, engine::general_purpose::STANDARD};
            let hash =
                aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, crate::pages::CSS.as_bytes());
            let policy = format!(
                "default-src 'none'; style-src 'sha256-{}'{PAGE_POLICY_REST}",
                STANDARD.encode(hash)
            );
            HeaderValue::from_str(&policy)
                .unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
        })
        .clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_differ_and_are_hex() {
        let (a, b) = (RequestId::next().text(), RequestId::next().text());
        assert_ne!(a, b);
        assert!(a.iter().all(u8::is_ascii_hexdigit));
        assert_eq!(a[..16], b[..16], "the process part stays");
    }

    #[test]
    fn a_query_value_is_the_first_of_its_key() {
        assert_eq!(query_value("a=1;lang=en&lang=zh", "lang"), Some("en"));
        assert_eq!(query_value("language=en", "lang"), None);
    }

    #[test]
    fn form_values_are_decoded_and_never_panic() {
        assert_eq!(decode_form("%2801%29+x%"), "(01) x%");
        assert_eq!(decode_form("%E5%A9%B4%zz"), "婴%zz");
        assert_eq!(decode_form("%ff"), "\u{fffd}");
    }
}
