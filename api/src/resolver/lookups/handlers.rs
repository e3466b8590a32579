//! `POST /v1/public/lookups` over HTTP: reads the codes, has each judged, splices the answers.

use super::{
    rules::{CODES_MAX, VERSION, scanned},
    wire::{LookupIn, LookupsIn, LookupsOut},
};
use crate::{
    clock::{self, Micros},
    http::{self, body::PublicJson},
    problem::{Problem, ProblemBody, ProblemCode},
    queries::Channel,
    resolver::{
        Resolver, compose,
        handlers::{Came, judge_for, malformed, note, status_of},
        judge::{Ask, Judged},
        lease::Trust,
        lookup::Entered,
        texts::texts,
        view::Format,
    },
};
use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};
use futures_util::future::join_all;
use std::time::Instant;

/// Largest body, in bytes.
pub const BODY_MAX: usize = 16 * 1024;

/// Looks up to 20 codes up at once, for an app.
///
/// Answers stand in the order of the codes, each with what a scan of it would get: `status`, and
/// the same JSON as a scan in `view`, or a problem. A code that cannot be read does not keep the
/// others from being answered. All are judged as things stand now (`judged_at`), whenever they
/// were scanned. Small letters and look-alikes are forgiven in serials of ours, as at `/q`.
///
/// A scan made offline says when (`scanned_at`); it is noted in the query log under that time with
/// a mark and counted nowhere. One more than 30 days old, or more than 5 minutes ahead of us, is
/// answered and not noted; `scanned` tells.
///
/// Limits: 16 KiB of body, 1 to 20 codes of at most 2048 bytes each; the same code may stand
/// twice. Unknown fields are ignored. 503 when nothing can be vouched for at all.
#[utoipa::path(post, path = "/v1/public/lookups", tag = "app", operation_id = "look_up_codes",
    request_body(content = LookupsIn, example = json!(super::example::request())),
    responses((status = 200, body = LookupsOut<'_>, example = json!(super::example::answer())),
    (status = 400, body = ProblemBody), (status = 413, body = ProblemBody),
    (status = 415, body = ProblemBody), (status = 422, body = ProblemBody),
    (status = 503, body = ProblemBody)))]
pub async fn look_up(
    resolver: Data<Resolver>,
    request: HttpRequest,
    body: PublicJson<LookupsIn, BODY_MAX>,
) -> Result<HttpResponse, Problem> {
    let asked = body.0;
    check_version(asked.version)?;
    check_count(asked.codes.len())?;
    if resolver.lease.state(Instant::now()) == Trust::Expired {
        return Err(Problem::new(ProblemCode::CannotConfirm));
    }
    let now = resolver.clock.now();
    let ask = Ask {
        format: Format::Json,
        lang: http::language(&request),
        entered: Entered::Typed,
    };
    // All at once: a database that hangs costs one time-out, not twenty.
    let one = async |item| look_up_one(&resolver, &request, item, ask, now).await;
    let found = join_all(asked.codes.iter().map(one)).await;
    let answers: Vec<Answer> = found
        .into_iter()
        .map(|found| match found {
            Ok(answer) => answer,
            Err(problem) => Answer::of_problem(&problem),
        })
        .collect();

    let head = format!(
        r#"{{"version":{VERSION},"judged_at":"{}","results":["#,
        clock::rfc3339(now)
    );
    let mut response = HttpResponse::Ok();
    response
        .content_type("application/json; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "Accept-Encoding"));
    if http::accepts(&request, &header::ACCEPT_ENCODING, "gzip") {
        response.insert_header((header::CONTENT_ENCODING, "gzip"));
        return Ok(response.body(write::<compose::Gzip>(&head, &answers)));
    }
    Ok(response.body(write::<compose::Plain>(&head, &answers)))
}

/// Is it a version we speak?
pub fn check_version(version: Option<u64>) -> Result<(), Problem> {
    if version.is_none_or(|version| version == VERSION) {
        return Ok(());
    }
    Err(Problem::field(
        "version",
        "unsupported",
        "this server speaks version 1",
        "本服务支持版本 1",
    ))
}

/// Are there neither none nor too many?
pub fn check_count(count: usize) -> Result<(), Problem> {
    if (1..=CODES_MAX).contains(&count) {
        return Ok(());
    }
    Err(Problem::field(
        "codes",
        "count",
        "1 to 20 codes a call",
        "每次 1 到 20 个追溯码",
    ))
}

/// What is said of one code: the text before its view, and the view where there is one.
struct Answer {
    before: String,
    view: Option<(Judged, crate::resolver::texts::Texts)>,
}

impl Answer {
    fn of_problem(problem: &Problem) -> Answer {
        // Plain data always serialises. The request's id stands in a header.
        let body = serde_json::to_string(&problem.body("")).unwrap_or_else(|_| "null".into());
        let status = problem.code.status().as_u16();
        Answer {
            before: format!(r#"{{"status":{status},"problem":{body}"#),
            view: None,
        }
    }
}

async fn look_up_one(
    resolver: &Resolver,
    request: &HttpRequest,
    item: &LookupIn,
    ask: Ask,
    now: Micros,
) -> Result<Answer, Problem> {
    let text = item.code.trim();
    let code = resolver
        .profiles
        .parse(text)
        .map_err(|error| malformed(error, text))?;
    let at = item.scanned_at.as_deref().map(instant).transpose()?;
    let told = scanned(at, now);
    let judged = judge_for(request, resolver, &code, ask, now).await?;
    if told.is_noted() {
        let came = Came {
            channel: Some(Channel::App),
            // A clock that runs ahead a little puts no entry into the future.
            offline: at.map(|at| at.min(now)),
        };
        note(resolver, request, &judged.found, judged.verdict, now, came);
    }
    let texts = texts(&judged.found, judged.count, ask, ("", ""), now);
    let status = status_of(judged.verdict).as_u16();
    let told = serde_json::to_string(&told).unwrap_or_else(|_| "null".into());
    Ok(Answer {
        before: format!(r#"{{"status":{status},"scanned":{told},"view":"#),
        view: Some((judged, texts)),
    })
}

/// Reads RFC 3339, which has an offset and nothing else.
fn instant(text: &str) -> Result<Micros, Problem> {
    let shaped = text.len() <= 40 && text.bytes().all(|b| !matches!(b, b'[' | b' '));
    let read = text.parse::<jiff::Timestamp>();
    read.ok()
        .filter(|_| shaped)
        .map(jiff::Timestamp::as_microsecond)
        .ok_or_else(|| {
            Problem::field(
                "scanned_at",
                "malformed",
                "an instant in RFC 3339, e.g. 2026-11-21T16:00:05+08:00",
                "RFC 3339 格式的时间，例如 2026-11-21T16:00:05+08:00",
            )
        })
}

fn write<W: compose::Write>(head: &str, answers: &[Answer]) -> bytes::Bytes {
    let mut out = W::default();
    out.text(head.as_bytes());
    for (n, answer) in answers.iter().enumerate() {
        if n > 0 {
            out.text(b",");
        }
        out.text(answer.before.as_bytes());
        if let Some((judged, texts)) = &answer.view {
            out.view(&judged.view, &texts.fillings(&judged.as_of.utc));
        }
        out.text(b"}");
    }
    out.text(b"]}");
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_and_nothing_else() {
        let at = instant("2026-11-21T16:00:05+08:00").unwrap();
        assert_eq!(at, 1_795_248_005_000_000);
        assert_eq!(instant("2026-11-21T08:00:05Z").unwrap(), at);
        for no in [
            "",
            "now",
            "1795248005",
            "2026-11-21",
            "2026-11-21T16:00:05",
            "2026-13-21T16:00:05Z",
            "2026-11-21 16:00:05Z",
            "2026-11-21T16:00:05+08:00[Asia/Shanghai]",
            "+999999-01-01T00:00:00Z",
            "2026-11-21T16:00:05Z\0",
        ] {
            assert!(instant(no).is_err(), "{no:?}");
        }
        assert!(instant(&"9".repeat(10_000)).is_err());
    }
}
