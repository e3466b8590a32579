//! `/v1/public/watches` over HTTP.

use super::{
    rules::{PENDING_AFTER_S, POLL_AFTER_S, Token, ends_at, is_good_id},
    store::{self, Watch},
    take::{BEGIN, END},
    wire::{Begin, End, WatchBegunOut, WatchIn, WatchOut, WatchPendingOut, WatchState, WatchedOut},
};
use crate::{
    clock::rfc3339,
    http::{body::PublicJson, door::Door},
    inbox::Slot,
    problem::{FieldProblem, Problem, ProblemBody, ProblemCode},
    resolver::{
        Resolver,
        decide::{Advice, Verdict},
        handlers::{is_known, malformed, weak_tag},
        judge::{READ_TIMEOUT, Verdicts, stand},
        lookup::{Entered, Found, Subject},
        lookups::{
            handlers::{check_count, check_version},
            rules::VERSION,
        },
        note_io,
        view::without_slots,
        wire::ScanRecallOut,
    },
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::Data,
};
use std::hash::{DefaultHasher, Hasher};
use suyuan_sync::trace_code::{self, Scanned};
use uuid::Uuid;

/// Largest body, in bytes.
pub const BODY_MAX: usize = 16 * 1024;

/// The slot watches are put through, with a rate of its own: many new watches do not keep
/// complaints out.
pub struct WatchSlot(pub Slot);

/// Begins a watch: recall notices for up to 20 tins, without account.
///
/// The token is given at once and told only here; we keep its hash, the codes and two times, and
/// nothing about who asks. Until the watch is there, mostly within a second, asking for it answers
/// 202. It ends 90 days after the last of its goods has expired, at least 30 days and at most 24
/// months from now, or when it is deleted; a day later it is forgotten.
///
/// Limits: 16 KiB of body, 1 to 20 codes of at most 2048 bytes each; the same code counts once.
/// Each must name a tin, a case or a batch that is known; if one does not, nothing is begun and
/// `errors` names each. Unknown fields are ignored. 429 when a process is asked for more new
/// watches than it lets through, 20 a second and 200 at once unless set otherwise; 503 when
/// nothing can be vouched for, or no message can be put.
#[utoipa::path(post, path = "/v1/public/watches", tag = "app", operation_id = "begin_watch",
    request_body(content = WatchIn, example = json!(super::example::request())),
    responses((status = 201, body = WatchBegunOut, example = json!(super::example::begun())),
    (status = 400, body = ProblemBody), (status = 413, body = ProblemBody),
    (status = 415, body = ProblemBody), (status = 422, body = ProblemBody),
    (status = 429, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn begin(
    resolver: Data<Resolver>,
    slot: Data<WatchSlot>,
    request: HttpRequest,
    body: PublicJson<WatchIn, BODY_MAX>,
) -> Result<HttpResponse, Problem> {
    let asked = body.0;
    check_version(asked.version)?;
    check_count(asked.codes.len())?;
    let id = match asked.id {
        None => Uuid::new_v4().to_string(),
        Some(id) if is_good_id(&id) => id,
        Some(_) => {
            return Err(Problem::field(
                "id",
                "malformed",
                "22 to 64 random letters, digits, - and _, for example a UUID of version 4",
                "22 到 64 个随机的字母、数字、- 或 _，例如第 4 版 UUID",
            ));
        }
    };
    let now = resolver.clock.now();
    let scanned = parse_all(&asked.codes)?;
    let stood = stand(&resolver, &scanned, Entered::Typed, now)?.each;
    if let Some(door) = Door::of(&request) {
        let missed = stood.iter().filter(|(_, verdict)| !verdict.found());
        missed.for_each(|_| door.note_missed(&request));
    }
    refuse_unwatchable(&stood)?;

    let mut codes: Vec<String> = Vec::with_capacity(stood.len());
    for (found, _) in &stood {
        let code = found.code.to_string();
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    let ends_at = ends_at(now, stood.iter().map(|(found, _)| expiry_day(found)));
    let token = Token::of(&id, &codes, now);
    let hash = token.hash();
    let message = Begin {
        token_hash: hash.as_str().to_owned(),
        codes,
        ends_at,
    };
    let put = slot.0.put(hash.message_id(BEGIN), BEGIN, &message, &[]);
    put.await?;
    let token = token.text();
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/v1/public/watches/{token}")))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(WatchBegunOut {
            version: VERSION,
            token,
            codes: message.codes,
            ends_at: rfc3339(ends_at),
            poll_after_s: POLL_AFTER_S,
        }))
}

/// How the watched codes stand now, in short.
///
/// Judged when asked, so a recall shows here as soon as in a scan. Ask every `poll_after_s`
/// seconds (an hour), with `If-None-Match`: 304 costs next to nothing. Looking is no query: it is
/// neither logged nor counted. 202 while a token this young may be on its way; 404 when it is
/// unknown, has ended or was deleted.
#[utoipa::path(get, path = "/v1/public/watches/{token}", tag = "app", operation_id = "get_watch",
    params(("token" = String, Path, description = "as given when the watch was begun")),
    responses((status = 200, body = WatchOut, example = json!(super::example::shown())),
    (status = 202, body = WatchPendingOut, example = json!(super::example::pending())),
    (status = 304), (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn get(
    resolver: Data<Resolver>,
    slot: Data<WatchSlot>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let token = token_of(&request)?;
    let Some(watch) = find(&resolver, &slot, &token).await? else {
        return Ok(pending());
    };
    let scanned: Vec<Scanned> = watch
        .codes
        .iter()
        .filter_map(|code| trace_code::parse_path(code, "").ok())
        .collect();
    let now = resolver.clock.now();
    let Verdicts { each, as_of } = stand(&resolver, &scanned, Entered::Scanned, now)?;
    let answer = WatchOut {
        version: VERSION,
        state: WatchState::Active,
        created_at: rfc3339(watch.created_at),
        ends_at: rfc3339(watch.ends_at),
        advice: each
            .iter()
            .map(|(_, verdict)| verdict.advice)
            .max()
            .unwrap_or(Advice::Caution),
        codes: each.iter().map(watched).collect(),
        as_of: as_of.utc.clone(),
        poll_after_s: POLL_AFTER_S,
    };
    let tag = weak_tag(fingerprint(&answer));
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .insert_header((header::ETAG, &tag[..]));
    if is_known(&request, tag) {
        response.status(StatusCode::NOT_MODIFIED);
        return Ok(response.finish());
    }
    Ok(response.json(answer))
}

/// Ends a watch: within about a second its token is unknown and its codes are forgotten.
#[utoipa::path(delete, path = "/v1/public/watches/{token}", tag = "app",
    operation_id = "end_watch",
    params(("token" = String, Path, description = "as given when the watch was begun")),
    responses((status = 202), (status = 404, body = ProblemBody),
    (status = 429, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn end(
    resolver: Data<Resolver>,
    slot: Data<WatchSlot>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let token = token_of(&request)?;
    // One that is on its way can be ended too: the messages are taken in their order.
    find(&resolver, &slot, &token).await?;
    let hash = token.hash();
    let message = End {
        token_hash: hash.as_str().to_owned(),
    };
    let put = slot.0.put(hash.message_id(END), END, &message, &[]);
    put.await?;
    Ok(HttpResponse::Accepted()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish())
}

fn token_of(request: &HttpRequest) -> Result<Token, Problem> {
    let text = request.match_info().get("token").unwrap_or_default();
    Token::parse(text).ok_or_else(|| Problem::new(ProblemCode::NotFound))
}

/// The watch of a token; `None` while it may be on its way.
async fn find(
    resolver: &Resolver,
    slot: &WatchSlot,
    token: &Token,
) -> Result<Option<Watch>, Problem> {
    let now = resolver.clock.now();
    let hash = token.hash();
    let reading = async {
        note_io("database");
        if let Some(watch) = store::find(&resolver.db, &hash).await? {
            return Ok::<_, sea_orm::DbErr>((Some(watch), 0));
        }
        // Looked for again after it is known what was taken: it may have come in between.
        let taken_until = slot.0.taken_until().await?;
        Ok((store::find(&resolver.db, &hash).await?, taken_until))
    };
    let read = tokio::time::timeout(READ_TIMEOUT, reading).await;
    let (watch, taken_until) = read.map_err(|_| Problem::new(ProblemCode::Unavailable))??;
    match watch {
        Some(watch) if watch.ends_at > now => Ok(Some(watch)),
        None if token.may_be_pending(taken_until, now) => Ok(None),
        _ => Err(Problem::new(ProblemCode::NotFound)),
    }
}

fn pending() -> HttpResponse {
    HttpResponse::Accepted()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::RETRY_AFTER, PENDING_AFTER_S))
        .json(WatchPendingOut {
            version: VERSION,
            state: WatchState::Pending,
            poll_after_s: PENDING_AFTER_S,
        })
}

/// Reads all codes, or tells what is wrong with each that cannot be read.
fn parse_all(codes: &[String]) -> Result<Vec<Scanned>, Problem> {
    let mut errors = Vec::new();
    let mut scanned = Vec::with_capacity(codes.len());
    for (n, code) in codes.iter().enumerate() {
        let text = code.trim();
        match trace_code::parse(text) {
            Ok(code) => scanned.push(code),
            Err(error) => errors.extend(malformed(error, text).errors.into_iter().map(|mut e| {
                e.field = format!("codes/{n}");
                e
            })),
        }
    }
    refuse(errors)?;
    Ok(scanned)
}

/// A watch of a code that no recall can reach would be false comfort.
fn refuse_unwatchable(stood: &[(Found, Verdict)]) -> Result<(), Problem> {
    let fault = |n: usize, code: &str, en: &str, zh: &str| FieldProblem {
        field: format!("codes/{n}"),
        code: code.into(),
        message: en.into(),
        message_zh: zh.into(),
    };
    let errors = stood
        .iter()
        .enumerate()
        .filter_map(|(n, (found, verdict))| {
            let in_batch = matches!(found.subject, Subject::Batch(_));
            let unit = found.unit.is_some() && found.level != "pallet";
            if !verdict.found() {
                let (en, zh) = ("nothing is known of this code", "未找到该追溯码的信息");
                Some(fault(n, "unknown", en, zh))
            } else if in_batch || unit {
                None
            } else {
                let en =
                    "this code names neither a tin nor a batch, so no recall can be told of it";
                let zh = "该码既不指明单件也不指明批次，无法据此提醒召回";
                Some(fault(n, "names-no-batch", en, zh))
            }
        });
    refuse(errors.collect())
}

fn refuse(errors: Vec<FieldProblem>) -> Result<(), Problem> {
    if errors.is_empty() {
        return Ok(());
    }
    Err(Problem::new(ProblemCode::InvalidFields).errors(errors))
}

fn expiry_day(found: &Found) -> Option<i32> {
    match &found.subject {
        Subject::Batch(batch) => batch.expiry_day,
        Subject::Product(..) | Subject::Nothing => None,
    }
}

fn watched((found, verdict): &(Found, Verdict)) -> WatchedOut {
    WatchedOut {
        code: found.code.to_string(),
        legality: verdict.legality,
        advice: verdict.advice,
        reasons: verdict.reasons.iter().collect(),
        recall: found.recall().map(|recall| ScanRecallOut {
            id: recall.id,
            reason: without_slots(&recall.reason),
            instructions: without_slots(&recall.instructions),
            opened_at: rfc3339(recall.opened_at),
        }),
    }
}

/// Differs whenever what is said of the codes does.
fn fingerprint(answer: &WatchOut) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(&serde_json::to_vec(&answer.codes).unwrap_or_default());
    hasher.write(answer.ends_at.as_bytes());
    hasher.finish()
}
