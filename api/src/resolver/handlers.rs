//! One consumer scan over HTTP: address in, answer out. Reads the raw, still encoded path; what
//! is decided, shown and cached happens elsewhere.

use super::{
    Resolver, compose,
    counts::Count,
    decide::Verdict,
    judge::{Ask, Judged, READ_TIMEOUT, judge},
    links::{
        self,
        handlers::Address,
        wanted::{Wanted, wanted},
    },
    lookup::{Entered, Found},
    store,
    texts::texts,
    view::Format,
};
use crate::{
    clock::Micros,
    http::{self, door::Door, paced::Paced},
    pages::{EntryPage, Lang},
    problem::{Problem, ProblemBody, ProblemCode},
    queries::{Channel, Query},
};
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{
        Method, StatusCode,
        header::{self, HeaderValue},
    },
    web::Data,
};
use std::sync::OnceLock;
use suyuan_sync::trace_code::{self, CodeError, CodeFault, TraceCode};
use tokio::sync::Semaphore;

/// Files on their way to readers at the same time, each at most 4 MiB.
static FILES: Semaphore = Semaphore::const_new(16);

/// The default service of the public listener: every code's address.
pub async fn scan(resolver: Data<Resolver>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let (raw, query) = (request.uri().path(), request.query_string());
    let (path, wanted) = match raw.strip_prefix("/p/") {
        Some(_) => (&raw[2..], Wanted::View(Format::Page)),
        None => (raw, wanted(query, accept_lines(&request))),
    };
    if !looks_like_code(path) {
        read_only(&request)?;
        return Err(Problem::new(ProblemCode::NotFound));
    }
    let asked_first = *request.method() == Method::OPTIONS;
    if !asked_first && !matches!(*request.method(), Method::GET | Method::HEAD) {
        let refused = Problem::new(ProblemCode::MethodNotAllowed);
        return Err(refused.allow("GET, HEAD, OPTIONS"));
    }
    let scanned = trace_code::parse_path(path, query)
        .map_err(|error| malformed(error, &format!("{path}?{query}")))?;
    if asked_first {
        let address = Address::of(path, &scanned);
        return Ok(links::handlers::preflight(&resolver.site, &address));
    }
    if let Wanted::View(format) = wanted {
        if path.len() != raw.len()
            && let Some(section) = links::handlers::to_section(raw, query)
        {
            return Ok(section);
        }
        if !leads_elsewhere(&resolver, &scanned, format, path.len() != raw.len()) {
            let ask = Ask {
                format,
                lang: http::language(&request),
                entered: Entered::Scanned,
            };
            return answer(&resolver, &request, &scanned, ask).await;
        }
    }
    let address = Address::of(path, &scanned);
    // Apart, for its size: scans would carry it.
    Box::pin(links::handlers::answer(
        &resolver, &request, &scanned, &address, wanted,
    ))
    .await
}

/// Is the answer not here but where a link leads? So it is for browsers where the settings say so,
/// and for keys that have links but no page of ours.
fn leads_elsewhere(
    resolver: &Resolver,
    scanned: &trace_code::Scanned,
    format: Format,
    is_page: bool,
) -> bool {
    if is_page {
        return false;
    }
    (format == Format::Page && resolver.site.always_redirect)
        || (matches!(scanned.code, TraceCode::Other(_))
            && links::handlers::has_links(resolver, &scanned.code))
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
    let typed = http::query_value(request.query_string(), "code").map(http::decode_form);
    let text = match typed.as_deref().map(str::trim) {
        Some(text) if !text.is_empty() => text,
        _ if ask.format == Format::Json => {
            return Err(Problem::new(ProblemCode::MalformedRequest)
                .detail("give the code as ?code=", "请用 ?code= 提供追溯码"));
        }
        _ => return Ok(entry(ask.lang, None, None)),
    };
    match resolver.profiles.parse(text) {
        Ok(scanned) => answer(&resolver, &request, &scanned, ask).await,
        Err(error) if ask.format == Format::Page => Ok(entry(ask.lang, Some(text), Some(error))),
        Err(error) => Err(malformed(error, text)),
    }
}

/// A file that something published names.
#[utoipa::path(get, path = "/files/{hash}", tag = "scan", operation_id = "get_public_file",
    params(("hash" = String, Path, description = "SHA-256 in lower-case hex")),
    responses((status = 200, description = "The file, as it was uploaded",
    content(("application/pdf"), ("image/png"), ("image/jpeg"))), (status = 404, body = ProblemBody)))]
pub async fn file(resolver: Data<Resolver>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    read_only(&request)?;
    let hash = request.match_info().get("hash").unwrap_or_default();
    let shaped = hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !shaped {
        return Err(Problem::new(ProblemCode::NotFound));
    }
    // Files are large and slow readers many: a few at a time, the others are told to come again.
    let busy = || Problem::new(ProblemCode::Unavailable);
    let turn = FILES.try_acquire().map_err(|_| busy())?;
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
        .body(Paced::new(file.content, turn)))
}

/// The page or the JSON view of a code, with everything a scan entails.
pub(super) async fn answer(
    resolver: &Resolver,
    request: &HttpRequest,
    scanned: &trace_code::Scanned,
    ask: Ask,
) -> Result<HttpResponse, Problem> {
    let now = resolver.clock.now();
    let Judged {
        found,
        verdict,
        view,
        count,
        as_of,
    } = judge_for(request, resolver, scanned, ask, now).await?;
    if request.method() == Method::GET {
        note(resolver, request, &found, verdict, now, Came::default());
    }

    let tag = etag(view.tag, count);
    let mut response = HttpResponse::build(status_of(verdict));
    headers(&mut response, ask, tag);
    if verdict.found() && is_known(request, tag) {
        response.status(StatusCode::NOT_MODIFIED);
        return Ok(response.finish());
    }
    let here = (request.uri().path(), request.query_string());
    let texts = texts(&found, count, ask, here, now);
    let fillings = texts.fillings(match ask.format {
        Format::Json => &as_of.utc,
        Format::Page => &as_of.beijing,
    });
    if http::accepts(request, &header::ACCEPT_ENCODING, "gzip") {
        response.insert_header((header::CONTENT_ENCODING, HeaderValue::from_static("gzip")));
        return Ok(response.body(compose::gzip(&view, &fillings)));
    }
    Ok(response.body(compose::plain(&view, &fillings)))
}

/// Judges a code for this caller, who may ask for it only so often, and of whom it is remembered
/// when nobody ever issued it: a guess is a guess, whatever call it comes by.
pub(crate) async fn judge_for(
    request: &HttpRequest,
    resolver: &Resolver,
    scanned: &trace_code::Scanned,
    ask: Ask,
    now: Micros,
) -> Result<Judged, Problem> {
    let door = Door::of(request);
    if let Some(door) = door {
        door.ask_code(request, &scanned.code)?;
    }
    let judged = judge(resolver, scanned, ask, now).await?;
    if let Some(door) = door
        && !judged.verdict.found()
    {
        door.note_missed(request);
    }
    Ok(judged)
}

/// Does the caller hold this very answer? Compared weakly, as tags of GET are.
pub(crate) fn is_known(request: &HttpRequest, tag: ETag) -> bool {
    let known = http::header_text(request, &header::IF_NONE_MATCH);
    known.split(',').map(str::trim).any(|known| {
        let opaque = known.strip_prefix("W/").unwrap_or(known);
        opaque.as_bytes() == &tag[2..]
    })
}

/// How a query came to us.
#[derive(Clone, Copy, Default)]
pub struct Came {
    /// By which door, where that is known better than from the software.
    pub channel: Option<Channel>,
    /// When the code was scanned, if that was earlier and without network.
    pub offline: Option<Micros>,
}

/// Counts a query and notes it in the log.
pub fn note(
    resolver: &Resolver,
    request: &HttpRequest,
    found: &Found,
    verdict: Verdict,
    now: Micros,
    came: Came,
) {
    counter(verdict).increment(1);
    if !verdict.found() {
        return; // forged and unknown codes are counters only: nobody can fill the log with them
    }
    if found.unit.is_none() && matches!(&found.code, TraceCode::Gtin(gtin) if gtin.lot.is_some()) {
        return; // a lot anyone may make up: counted, not kept
    }
    let agent = request.headers().get(header::USER_AGENT);
    let client = Door::of(request).map(|door| door.client(request));
    resolver.log.note(&Query {
        at: came.offline.unwrap_or(now),
        asked_at: now,
        code: &found.code,
        unit: found.unit,
        advice: verdict.advice as u8,
        reasons: verdict.reasons.bits(),
        channel: came.channel,
        offline: came.offline.is_some(),
        agent: agent.map_or(b"", HeaderValue::as_bytes),
        address: client.map(|client| client.address),
        region: client.and_then(|client| client.region).unwrap_or_default(),
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

/// The status of an answer.
pub fn status_of(verdict: Verdict) -> StatusCode {
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
    response.insert_header(http::any_origin());
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

/// Headers of every page.
pub fn page_headers(response: &mut HttpResponseBuilder, lang: Lang) {
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
        photo: None,
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

/// What a person is told of a code that cannot be read.
pub fn malformed(error: CodeError, text: &str) -> Problem {
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

/// Refuses every method but GET and HEAD.
pub(super) fn read_only(request: &HttpRequest) -> Result<(), Problem> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(());
    }
    Err(Problem::new(ProblemCode::MethodNotAllowed).allow("GET, HEAD"))
}

/// Pages for people, JSON for programs that ask for it.
pub fn format_of(request: &HttpRequest) -> Format {
    match wanted("", accept_lines(request)) {
        Wanted::View(format) => format,
        _ => Format::Page,
    }
}

fn accept_lines(request: &HttpRequest) -> impl Iterator<Item = &str> {
    let lines = request.headers().get_all(header::ACCEPT);
    lines.filter_map(|line| line.to_str().ok())
}

/// A first segment of two to four digits or `c` with something behind it, or a binary EPC:
/// everything else is not ours to parse.
fn looks_like_code(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else {
        return false;
    };
    let Some((first, _)) = rest.split_once('/') else {
        return trace_code::is_epc_segment(rest);
    };
    first.eq_ignore_ascii_case("c")
        || ((2..=4).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_digit()))
        || trace_code::is_epc_segment(first)
}

/// Weak: the time of confirmation is left out on purpose.
fn etag(view: u64, count: Count) -> ETag {
    let mixed = view
        ^ count.n.wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ (count.first_at.unwrap_or(0) as u64).rotate_left(32);
    weak_tag(mixed)
}

/// A number as a weak tag.
pub(crate) fn weak_tag(number: u64) -> ETag {
    let mut tag = *b"W/\"0000000000000000\"";
    http::hex(number, &mut tag[3..19]);
    tag
}

/// `W/"` and 16 hex digits and `"`.
pub(crate) type ETag = [u8; 20];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_codes_are_parsed() {
        for yes in ["/01/x", "/8003/x", "/c/A.B", "/C/A.B", "/eh30", "/exMH/"] {
            assert!(looks_like_code(yes), "{yes}");
        }
        for no in ["/", "/favicon.ico", "/x/1", "/1/2", "/wp-admin/x", ""] {
            assert!(!looks_like_code(no), "{no}");
        }
    }
}
