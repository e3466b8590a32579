//! One consumer scan over HTTP: address in, answer out. Reads the raw, still encoded path; what
//! is decided, shown and cached happens elsewhere.

use super::{
    Resolver, compose,
    compose::Fillings,
    counts::Count,
    decide::{Verdict, decide},
    lease::{AsOf, Trust},
    lookup::{Entered, Found, lookup},
    queries::Query,
    store,
    view::{Format, View},
    wire::ScanOut,
};
use crate::{
    clock::{self, Micros},
    http,
    pages::{self, EntryPage, Lang},
    problem::{Problem, ProblemBody, ProblemCode},
};
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{
        Method, StatusCode,
        header::{self, HeaderValue},
    },
    web::Data,
};
use std::{
    cell::RefCell,
    fmt::Write,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};
use suyuan_sync::trace_code::{self, CodeError, CodeFault, Scanned, TraceCode};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// A read for one scan takes at most this long: a database that hangs must not hang the page.
const READ_TIMEOUT: Duration = Duration::from_secs(1);

/// Files read from the database at the same time.
static FILES: Semaphore = Semaphore::const_new(8);

/// What a scanned address asks for.
#[derive(Clone, Copy)]
struct Ask {
    format: Format,
    lang: Lang,
    entered: Entered,
}

/// A scan: any path that is a code. `text/html` gets the page, `application/json` the view.
#[utoipa::path(get, path = "/01/{gtin}/21/{serial}", tag = "scan", operation_id = "scan_unit",
    params(("gtin" = String, Path, description = "GTIN: 8, 12, 13 or 14 digits"),
    ("serial" = String, Path, description = "1 to 20 characters, percent-encoded")),
    responses((status = 200, body = ScanOut), (status = 304), (status = 404, body = ScanOut),
    (status = 400, body = ProblemBody), (status = 503, body = ProblemBody)))]
#[allow(dead_code)] // documents the catch-all below
pub fn scan_unit() {}

/// A product, or with `/10/{lot}` a batch of it.
#[utoipa::path(get, path = "/01/{gtin}", tag = "scan", operation_id = "scan_product",
    params(("gtin" = String, Path)),
    responses((status = 200, body = ScanOut), (status = 304), (status = 404, body = ScanOut),
    (status = 400, body = ProblemBody), (status = 503, body = ProblemBody)))]
#[allow(dead_code)]
pub fn scan_product() {}

/// A batch.
#[utoipa::path(get, path = "/01/{gtin}/10/{lot}", tag = "scan", operation_id = "scan_batch",
    params(("gtin" = String, Path), ("lot" = String, Path)),
    responses((status = 200, body = ScanOut), (status = 304), (status = 404, body = ScanOut),
    (status = 400, body = ProblemBody), (status = 503, body = ProblemBody)))]
#[allow(dead_code)]
pub fn scan_batch() {}

/// A logistic unit.
#[utoipa::path(get, path = "/00/{sscc}", tag = "scan", operation_id = "scan_logistic_unit",
    params(("sscc" = String, Path)),
    responses((status = 200, body = ScanOut), (status = 304), (status = 404, body = ScanOut),
    (status = 400, body = ProblemBody), (status = 503, body = ProblemBody)))]
#[allow(dead_code)]
pub fn scan_logistic_unit() {}

/// A code of the own scheme.
#[utoipa::path(get, path = "/c/{code}", tag = "scan", operation_id = "scan_own",
    params(("code" = String, Path)),
    responses((status = 200, body = ScanOut), (status = 304), (status = 404, body = ScanOut),
    (status = 400, body = ProblemBody), (status = 503, body = ProblemBody)))]
#[allow(dead_code)]
pub fn scan_own() {}

/// The page of a code, whatever the caller accepts: `/p` before any path above.
#[utoipa::path(get, path = "/p/{path}", tag = "scan", operation_id = "scan_page",
    params(("path" = String, Path, description = "a code's path without its leading slash")),
    responses((status = 200, content_type = "text/html"), (status = 404, content_type = "text/html"),
    (status = 400, body = ProblemBody), (status = 503, body = ProblemBody)))]
#[allow(dead_code)]
pub fn scan_page() {}

/// Anything a person may type or a scanner may read, as `code`; without it, the form.
#[utoipa::path(get, path = "/q", tag = "scan", operation_id = "query_code",
    params(("code" = Option<String>, Query, description = "any form of a trace code")),
    responses((status = 200, body = ScanOut), (status = 304), (status = 404, body = ScanOut),
    (status = 400, body = ProblemBody), (status = 503, body = ProblemBody)))]
#[allow(dead_code)]
pub fn query_code() {}

/// The default service of the public listener: every code's address.
pub async fn scan(resolver: Data<Resolver>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    read_only(&request)?;
    let raw = request.uri().path();
    let (path, format) = match raw.strip_prefix("/p/") {
        Some(_) => (&raw[2..], Format::Page),
        None => (raw, format_of(&request)),
    };
    if !looks_like_code(path) {
        return Err(Problem::new(ProblemCode::NotFound));
    }
    let ask = Ask {
        format,
        lang: http::language(&request),
        entered: Entered::Scanned,
    };
    let query = request.query_string();
    let scanned = trace_code::parse_path(path, query)
        .map_err(|error| malformed(error, &format!("{path}?{query}")))?;
    answer(&resolver, &request, &scanned, ask).await
}

/// `GET /q`
pub async fn query(
    resolver: Data<Resolver>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    read_only(&request)?;
    let ask = Ask {
        format: format_of(&request),
        lang: http::language(&request),
        entered: Entered::Typed,
    };
    let typed = http::query_value(request.query_string(), "code").map(decode_form);
    let text = match typed.as_deref().map(str::trim) {
        Some(text) if !text.is_empty() => text,
        _ if ask.format == Format::Json => {
            return Err(Problem::new(ProblemCode::MalformedRequest)
                .detail("give the code as ?code=", "请用 ?code= 提供追溯码"));
        }
        _ => return Ok(entry(ask.lang, None, None)),
    };
    match trace_code::parse(text) {
        Ok(scanned) => answer(&resolver, &request, &scanned, ask).await,
        Err(error) if ask.format == Format::Page => Ok(entry(ask.lang, Some(text), Some(error))),
        Err(error) => Err(malformed(error, text)),
    }
}

/// A file that something published names.
#[utoipa::path(get, path = "/files/{hash}", tag = "scan", operation_id = "get_public_file",
    params(("hash" = String, Path, description = "SHA-256 in lower-case hex")),
    responses((status = 200, content_type = "application/octet-stream"),
    (status = 404, body = ProblemBody)))]
pub async fn file(resolver: Data<Resolver>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    read_only(&request)?;
    let hash = request.match_info().get("hash").unwrap_or_default();
    let shaped = hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !shaped {
        return Err(Problem::new(ProblemCode::NotFound));
    }
    // Files are large and slow readers many: a few at a time, the others are told to come again.
    let busy = || Problem::new(ProblemCode::Unavailable);
    let _turn = FILES.try_acquire().map_err(|_| busy())?;
    let file = tokio::time::timeout(READ_TIMEOUT, store::file(&resolver.db, hash));
    let file = file.await.map_err(|_| busy())??;
    let file = file.ok_or_else(|| Problem::new(ProblemCode::NotFound))?;
    Ok(HttpResponse::Ok()
        .content_type(file.media_type)
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; sandbox",
        ))
        .insert_header((header::CONTENT_DISPOSITION, "inline"))
        .body(file.content))
}

async fn answer(
    resolver: &Resolver,
    request: &HttpRequest,
    scanned: &Scanned,
    ask: Ask,
) -> Result<HttpResponse, Problem> {
    let now = resolver.clock.now();
    let Judged {
        found,
        verdict,
        view,
        count,
        as_of,
    } = judge(resolver, scanned, ask, now).await?;
    note(resolver, request, &found, verdict, now);

    let tag = etag(view.tag, count);
    let mut response = HttpResponse::build(status_of(verdict));
    headers(&mut response, ask, tag);
    if verdict.found() && is_known(request, tag) {
        response.status(StatusCode::NOT_MODIFIED);
        return Ok(response.finish());
    }
    let texts = texts(resolver, request, &found, count, ask);
    let fillings = Fillings {
        code: &texts.code,
        own: &texts.own,
        queries: &texts.queries,
        as_of: match ask.format {
            Format::Json => &as_of.utc,
            Format::Page => &as_of.beijing,
        },
    };
    if http::accepts(request, &header::ACCEPT_ENCODING, "gzip") {
        response.insert_header((header::CONTENT_ENCODING, HeaderValue::from_static("gzip")));
        return Ok(response.body(compose::gzip(&view, &fillings)));
    }
    Ok(response.body(compose::plain(&view, &fillings)))
}

/// An answer, ready to be written down.
struct Judged {
    found: Found,
    verdict: Verdict,
    view: Arc<View>,
    count: Count,
    /// When what it was judged by was last confirmed.
    as_of: Arc<AsOf>,
}

/// Rounds of judging before an answer is given up: each begins because something became known
/// while the one before waited.
const ROUNDS_MAX: usize = 5;

/// Looks the code up and judges it by how things stand when the answer is given: waiting for a
/// text takes time, and meanwhile a recall may become known or the lease may run out.
async fn judge(
    resolver: &Resolver,
    scanned: &Scanned,
    ask: Ask,
    now: Micros,
) -> Result<Judged, Problem> {
    for _ in 0..ROUNDS_MAX {
        let trust = resolver.lease.state(Instant::now());
        let as_of = resolver.lease.as_of();
        if trust == Trust::Expired {
            break;
        }
        let world = resolver.world.load_full();
        let mut found = lookup(&world, scanned, ask.entered, day_in_shanghai(now));
        found.facts.cannot_confirm |= trust == Trust::Grace;
        let verdict = decide(&found.facts);
        let view = view_of(resolver, world.installation, &found, verdict, ask).await?;
        let count = count_of(resolver, world.installation, &found, trust).await;
        let same_world = resolver.world.load().position == world.position;
        if same_world && resolver.lease.state(Instant::now()) == trust {
            return Ok(Judged {
                found,
                verdict,
                view,
                count,
                as_of,
            });
        }
    }
    Err(Problem::new(ProblemCode::CannotConfirm))
}

/// Does the caller hold this very answer? Compared weakly, as tags of GET are.
fn is_known(request: &HttpRequest, tag: ETag) -> bool {
    let known = http::header_text(request, &header::IF_NONE_MATCH);
    known.split(',').map(str::trim).any(|known| {
        let opaque = known.strip_prefix("W/").unwrap_or(known);
        opaque.as_bytes() == &tag[2..]
    })
}

async fn view_of(
    resolver: &Resolver,
    installation: Uuid,
    found: &Found,
    verdict: Verdict,
    ask: Ask,
) -> Result<Arc<View>, Problem> {
    let (views, subject) = (&resolver.views, &found.subject);
    if let Some(view) = views.peek(subject, verdict, ask.format, ask.lang) {
        return Ok(view);
    }
    let view = views.get(
        &resolver.db,
        installation,
        subject,
        verdict,
        ask.format,
        ask.lang,
    );
    match tokio::time::timeout(READ_TIMEOUT, view).await {
        Ok(Ok(view)) => Ok(view),
        Ok(Err(error)) => Err(unavailable(&error)),
        Err(late) => Err(unavailable(&late)),
    }
}

/// A count is no safety matter: without one the answer still stands, and says that it has none.
async fn count_of(resolver: &Resolver, installation: Uuid, found: &Found, trust: Trust) -> Count {
    let Some((space, index)) = found.unit else {
        return Count::default();
    };
    let known = resolver.counts.peek(space, index);
    if known.is_some() || trust != Trust::Fresh {
        return known.unwrap_or_default(); // a database that does not answer is not asked again
    }
    let count = resolver
        .counts
        .get(&resolver.db, installation, space, index);
    let count = tokio::time::timeout(READ_TIMEOUT, count).await;
    count.ok().and_then(Result::ok).unwrap_or_default()
}

/// What differs per unit, as text for the format.
struct Texts {
    code: String,
    own: String,
    queries: String,
}

fn texts(
    resolver: &Resolver,
    request: &HttpRequest,
    found: &Found,
    count: Count,
    ask: Ask,
) -> Texts {
    match ask.format {
        Format::Json => Texts {
            code: json_text(&printed(&found.code)),
            own: code_json(found),
            queries: queries_json(count),
        },
        Format::Page => {
            let first_on = count.first_at.map(|at| clock::day_of(at).to_string());
            // A count that could not be read is not told as "nobody asked".
            let counted = found.unit.is_some() && count.read_at.is_some();
            Texts {
                code: pages::escape(&printed(&found.code)),
                own: pages::slot::here(request.uri().path(), request.query_string()),
                queries: if counted {
                    let age = count
                        .read_at
                        .map(|at| (resolver.clock.now() - at) / 1_000_000);
                    let age = age.and_then(|seconds| u64::try_from(seconds).ok());
                    pages::queries_sentence(ask.lang, count.n, first_on.as_deref(), age)
                } else {
                    String::new()
                },
            }
        }
    }
}

/// The code as it is printed under the mark: bracketed, or of the own scheme.
fn printed(code: &TraceCode) -> String {
    let bracketed = code.bracketed().map(|text| text.to_string());
    bracketed.unwrap_or_else(|| {
        let path = code.to_string();
        path.strip_prefix("/c/").unwrap_or(&path).to_owned()
    })
}

fn code_json(found: &Found) -> String {
    let mut out = String::with_capacity(192);
    let canonical = json_text(&found.code.to_string());
    let scheme = if matches!(found.code, TraceCode::Own(_)) {
        "own"
    } else {
        "gs1"
    };
    let level = found.level;
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        r#"{{"canonical":"{canonical}","scheme":"{scheme}","level":"{level}""#
    );
    let (mut serial, mut lot) = (None, None);
    if let TraceCode::Gtin(gtin) = &found.code {
        let _ = write!(out, r#","gtin":"{}""#, gtin.gtin);
        serial = gtin.serial;
        lot = gtin.lot.map(|lot| lot.as_str().to_owned());
    }
    if let Some(serial) = serial {
        let _ = write!(out, r#","serial":"{}""#, json_text(&serial));
    }
    if let super::lookup::Subject::Batch(batch) = &found.subject {
        lot = Some(batch.lot.clone());
    }
    if let Some(lot) = lot {
        let _ = write!(out, r#","batch":"{}""#, json_text(&lot));
    }
    out.push('}');
    out
}

fn queries_json(count: Count) -> String {
    thread_local! {
        // Nearly all answers of a few seconds tell the same time for "nobody asked before".
        static LAST: RefCell<(Count, String)> = RefCell::default();
    }
    LAST.with_borrow_mut(|(last, text)| {
        if text.is_empty() || *last != count {
            let told = |at: Option<Micros>| {
                at.map_or("null".to_owned(), |at| {
                    format!("\"{}\"", clock::rfc3339(at))
                })
            };
            let (first, as_of) = (told(count.first_at), told(count.read_at));
            *text = format!(
                r#"{{"count":{},"first_at":{first},"as_of":{as_of}}}"#,
                count.n
            );
            *last = count;
        }
        text.clone()
    })
}

/// Text inside JSON quotes.
fn json_text(text: &str) -> String {
    if text
        .bytes()
        .all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
    {
        return text.to_owned();
    }
    let quoted = serde_json::to_string(text).unwrap_or_default();
    quoted
        .get(1..quoted.len().saturating_sub(1))
        .unwrap_or_default()
        .to_owned()
}

fn note(resolver: &Resolver, request: &HttpRequest, found: &Found, verdict: Verdict, now: Micros) {
    if request.method() != Method::GET {
        return;
    }
    counter(verdict).increment(1);
    if !verdict.found() {
        return; // forged and unknown codes are counters only: nobody can fill the log with them
    }
    if found.unit.is_none() && matches!(&found.code, TraceCode::Gtin(gtin) if gtin.lot.is_some()) {
        return; // a lot anyone may make up: counted, not kept
    }
    resolver.log.note(Query {
        at: now,
        code: found.code,
        unit: found.unit,
        verdict,
        agent: request.headers().get(header::USER_AGENT).cloned(),
        address: request.peer_addr().map(|peer| peer.ip()),
    });
}

/// Scans by advice, counted without a look-up per hit.
fn counter(verdict: Verdict) -> &'static metrics::Counter {
    static COUNTERS: OnceLock<[metrics::Counter; 4]> = OnceLock::new();
    let counters = COUNTERS.get_or_init(|| {
        ["ok", "caution", "stop", "not_found"]
            .map(|advice| metrics::counter!("suyuan_scans_total", "advice" => advice))
    });
    let at = if verdict.found() {
        verdict.advice as usize
    } else {
        3
    };
    &counters[at]
}

fn status_of(verdict: Verdict) -> StatusCode {
    if verdict.found() {
        StatusCode::OK
    } else {
        StatusCode::NOT_FOUND
    }
}

fn headers(response: &mut HttpResponseBuilder, ask: Ask, tag: ETag) {
    let vary = HeaderValue::from_static("Accept, Accept-Language, Accept-Encoding");
    response.insert_header((header::VARY, vary)).insert_header((
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    ));
    if let Ok(tag) = HeaderValue::from_bytes(&tag) {
        response.insert_header((header::ETAG, tag));
    }
    match ask.format {
        Format::Json => {
            let json = HeaderValue::from_static("application/json; charset=utf-8");
            response.insert_header((header::CONTENT_TYPE, json));
        }
        Format::Page => page_headers(response, ask.lang),
    }
}

fn page_headers(response: &mut HttpResponseBuilder, lang: Lang) {
    response
        .insert_header((
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ))
        .insert_header((
            header::CONTENT_LANGUAGE,
            HeaderValue::from_static(lang.tag()),
        ))
        .insert_header((header::CONTENT_SECURITY_POLICY, http::page_policy()))
        .insert_header((
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ));
}

fn entry(lang: Lang, typed: Option<&str>, fault: Option<CodeError>) -> HttpResponse {
    let told = fault.as_ref().map(|error| {
        let at = place(error, typed.unwrap_or_default());
        match lang {
            Lang::Zh => (error.fault.zh(), format!("第 {at} 个字符")),
            Lang::En => (error.fault.en(), format!("character {at}")),
        }
    });
    let page = EntryPage {
        lang,
        typed,
        fault: told
            .as_ref()
            .map(|(message, place)| (*message, place.as_str())),
    };
    let status = if fault.is_some() {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::OK
    };
    let mut response = HttpResponse::build(status);
    page_headers(&mut response, lang);
    response
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::VARY, "Accept, Accept-Language"))
        .body(page.render())
}

/// Where a fault is, as a person counts: the first character is 1.
fn place(error: &CodeError, text: &str) -> usize {
    let before = text
        .char_indices()
        .take_while(|(at, _)| *at < error.position);
    before.count() + 1
}

fn malformed(error: CodeError, text: &str) -> Problem {
    let (at, fault) = (place(&error, text), error.fault);
    let code = match fault {
        CodeFault::TooLong => ProblemCode::UriTooLong,
        _ => ProblemCode::MalformedCode,
    };
    let mut problem = Problem::new(code).detail(
        format!("{} (character {at})", fault.en()),
        format!("{}（第 {at} 个字符）", fault.zh()),
    );
    problem.errors = Problem::field("code", fault.code(), fault.en(), fault.zh()).errors;
    problem
}

/// Nothing can be shown without the database, and nothing may be guessed.
fn unavailable(error: &dyn std::error::Error) -> Problem {
    tracing::warn!(%error, "a view could not be read");
    Problem::new(ProblemCode::CannotConfirm)
}

fn read_only(request: &HttpRequest) -> Result<(), Problem> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(());
    }
    Err(Problem::new(ProblemCode::MethodNotAllowed).allow("GET, HEAD"))
}

/// Pages for people, JSON for programs that ask for it.
fn format_of(request: &HttpRequest) -> Format {
    let json = http::accepts(request, &header::ACCEPT, "application/json");
    if json && !http::accepts(request, &header::ACCEPT, "text/html") {
        Format::Json
    } else {
        Format::Page
    }
}

/// A first segment of two to four digits, or `c`: everything else is not ours to parse.
fn looks_like_code(path: &str) -> bool {
    let Some((first, _)) = path.strip_prefix('/').and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    first.eq_ignore_ascii_case("c")
        || ((2..=4).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_digit()))
}

/// Weak: the time of confirmation is left out on purpose.
fn etag(view: u64, count: Count) -> ETag {
    let mixed = view
        ^ count.n.wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ (count.first_at.unwrap_or(0) as u64).rotate_left(32);
    let mut tag = *b"W/\"0000000000000000\"";
    http::hex(mixed, &mut tag[3..19]);
    tag
}

/// `W/"` and 16 hex digits and `"`.
type ETag = [u8; 20];

/// The day in Asia/Shanghai as days since 1970.
fn day_in_shanghai(at: Micros) -> i32 {
    const HOUR: i64 = 3_600_000_000;
    (at + 8 * HOUR).div_euclid(24 * HOUR) as i32
}

/// A form value: `+` is a space, the rest is percent-encoded.
fn decode_form(value: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_flips_at_midnight_in_shanghai() {
        let before: jiff::Timestamp = "2026-11-21T15:59:59Z".parse().unwrap();
        let after: jiff::Timestamp = "2026-11-21T16:00:00Z".parse().unwrap();
        let day = clock::day_number(jiff::civil::date(2026, 11, 21));
        assert_eq!(day_in_shanghai(before.as_microsecond()), day);
        assert_eq!(day_in_shanghai(after.as_microsecond()), day + 1);
    }

    #[test]
    fn form_values_are_decoded_and_never_panic() {
        assert_eq!(decode_form("%2801%29+x%"), "(01) x%");
        assert_eq!(decode_form("%E5%A9%B4%zz"), "婴%zz");
        assert_eq!(decode_form("%ff"), "\u{fffd}");
    }

    #[test]
    fn only_addresses_of_codes_are_parsed() {
        for yes in ["/01/x", "/8003/x", "/c/A.B", "/C/A.B"] {
            assert!(looks_like_code(yes), "{yes}");
        }
        for no in ["/", "/favicon.ico", "/x/1", "/1/2", "/wp-admin/x", ""] {
            assert!(!looks_like_code(no), "{no}");
        }
    }
}
