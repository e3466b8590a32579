//! Units over HTTP.

use super::{
    UnitError, rules, store,
    stretch::{self, Stretch},
    timeline::{look, seen, standing, timeline},
    wire::{
        ContentsPage, ContentsQuery, FINDINGS_MAX, STRANGERS_FINDINGS_MAX, UnitBatchOut, UnitOut,
        UnitQuery,
    },
};
use crate::{
    app::Internal,
    clock::rfc3339,
    findings::{
        newest_store::{Limits, Of, newest},
        wire::FindingOut,
    },
    handheld::units::{
        folding::look::Looked,
        read::Snapshot,
        store::{NOW, UnitId},
    },
    http::{auth::Sees, page},
    log::Position,
    problem::{Problem, ProblemBody},
    resolver::decide::Standing,
};
use actix_web::{
    get,
    web::{self, Data, Path, Query},
};
use std::collections::BTreeSet;
use suyuan_sync::{
    finding::FindingCode,
    fold::{Entry, Reader, Step, View},
};

/// What became of a unit: `code` is any form a person may read or paste, percent-encoded. Its issuer
/// sees all that happened; who holds or held it, their own events and one step up and down; the
/// platform's administrator and a regulator everything; to anybody else it does not exist, and neither does,
/// to anybody, one whose code nobody allocated, while nothing happened to it. `at` tells it as it was
/// known at a position of the log, which never changes again. It tells the newest 500 entries of the
/// timeline, and `before` those before them; of strangers, whose word changes nothing, at most 50 among
/// them, and `strangers=true` all. It tells 100 findings, open ones first, of these critical ones, and at
/// most 20 of strangers' events besides; `GET /v1/findings?unit=` lists all findings.
#[utoipa::path(tag = "units", operation_id = "get_unit", params(("code" = String, Path), UnitQuery),
    security(("bearer" = [])),
    responses((status = 200, body = UnitOut), (status = 400, body = ProblemBody),
    (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
#[get("/v1/units/{code}")]
pub async fn get_unit(
    state: Data<Internal>,
    caller: Sees,
    code: Path<String>,
    query: Query<UnitQuery>,
) -> Result<web::Json<UnitOut>, Problem> {
    let asked = rules::asked(&code)?;
    let (mut snapshot, looked) = look(&state, &asked.unit, caller.0, query.at).await?;
    let upto = query.at.unwrap_or(NOW);
    let standing = standing(&mut snapshot, &asked.unit).await?;
    let view = seen((&looked, standing), caller.0, upto)?;
    let part = (query.before, query.strangers.unwrap_or(false));
    let seen = (&looked, standing, &view);
    let out = tell(&state, &snapshot, caller.0, &asked, seen, (upto, part)).await?;
    Ok(web::Json(out))
}

/// What a container holds directly, page by page. Who sees the container's place sees what is in it.
#[utoipa::path(tag = "units", operation_id = "list_unit_contents",
    params(("code" = String, Path), ContentsQuery), security(("bearer" = [])),
    responses((status = 200, body = ContentsPage), (status = 400, body = ProblemBody),
    (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
#[get("/v1/units/{code}/contents")]
pub async fn list_unit_contents(
    state: Data<Internal>,
    caller: Sees,
    code: Path<String>,
    query: Query<ContentsQuery>,
) -> Result<web::Json<ContentsPage>, Problem> {
    let limit = page::limit(query.limit)?;
    let after = page::from_zero("after", query.after.unwrap_or(0))?;
    let asked = rules::asked(&code)?;
    let (mut snapshot, looked) = look(&state, &asked.unit, caller.0, None).await?;
    let standing = standing(&mut snapshot, &asked.unit).await?;
    let view = seen((&looked, standing), caller.0, NOW)?;
    let items = match looked.id.filter(|_| sees_inside(&looked, &view)) {
        Some(id) => store::contents(snapshot.tx(), id, after, limit).await?,
        None => Vec::new(),
    };
    let next = page::next(&items, limit, |held| held.id);
    Ok(web::Json(ContentsPage { items, next }))
}

/// Whoever is not told where it is, since it went on beyond them, is not told what is in it.
fn sees_inside(looked: &Looked, view: &View) -> bool {
    let state = view.state.as_ref();
    state.is_some_and(|state| state.place == looked.folded.state.place)
}

/// Which part of a timeline is asked for: before which entry, and only of strangers.
type Part = (Option<Position>, bool);

fn stretch_of<'v>(
    entries: &'v [Entry],
    (who, looked): (Reader, &Looked),
    (before, strangers): Part,
) -> Result<Stretch<'v>, UnitError> {
    let entries = match before {
        None => entries,
        Some(gseq) => {
            let of = |step: &&Step| step.fact.gseq == gseq;
            let step = looked.folded.steps.iter().find(of);
            let step = step.ok_or(UnitError::NoEntry)?;
            let is = |entry: &Entry| {
                (entry.enterprise, entry.event) == (step.fact.enterprise, step.event)
            };
            let end = entries.iter().position(is).ok_or(UnitError::NoEntry)?;
            &entries[..end]
        }
    };
    Ok(if strangers {
        stretch::newest_of_strangers(entries, who)
    } else {
        stretch::newest(entries, who)
    })
}

async fn tell(
    state: &Internal,
    snapshot: &Snapshot,
    who: Reader,
    asked: &rules::Asked,
    (looked, standing, view): (&Looked, Option<Standing>, &View),
    (upto, part): (Position, Part),
) -> Result<UnitOut, UnitError> {
    let (tx, folded) = (snapshot.tx(), &looked.folded);
    let batch = view.state.as_ref().and_then(|state| state.batch);
    let on_record = batch.and_then(|id| snapshot.world().batches.get(&id));
    let mut advice = None;
    if let (Some(told), true) = (&view.state, upto == NOW) {
        let (queried_often, copy_by_queries) = match &looked.code {
            Some(code) => store::by_queries(tx, code).await?,
            None => (false, false),
        };
        let published = match batch {
            Some(batch) => store::is_published(tx, batch.0).await?,
            None => false,
        };
        advice = Some(rules::advice(&rules::Known {
            unit: &asked.unit,
            claims: &asked.claims,
            standing,
            state: told,
            batch: on_record,
            published,
            queried_often,
            copy_by_queries,
            now: state.clock.now(),
        }));
    }
    let (holds, (findings, more_findings)) = match looked.id {
        Some(id) => about(snapshot, who, id, looked, view, upto).await?,
        None => (0, (Vec::new(), 0)),
    };
    let told = stretch_of(&view.entries, (who, looked), part)?;
    let shared = folded.shared.iter().map(|finding| finding.code);
    let shared: BTreeSet<FindingCode> = shared.filter(|_| view.state.is_some()).collect();
    Ok(UnitOut {
        unit: asked.unit.as_str().to_owned(),
        position: upto.min(snapshot.position),
        level: folded.state.level.map(|level| rules::level(level).into()),
        issuer: folded.state.issuer.map(|id| id.0),
        product_id: looked.code.as_ref().and_then(|code| code.product),
        batch: batch.zip(on_record).map(|(id, batch)| UnitBatchOut {
            id: id.0,
            lot: batch.lot.clone(),
            expires_at: batch.expires_at.map(rfc3339),
        }),
        timeline: timeline(snapshot, (who, looked), &told.entries, upto).await?,
        earlier: told.earlier as u64,
        more_of_strangers: told.left_out as u64,
        state: view.state.as_ref().map(rules::state),
        advice,
        holds,
        findings,
        more_findings,
        shared_findings: shared.iter().map(|code| code.name().to_owned()).collect(),
    })
}

async fn about(
    snapshot: &Snapshot,
    who: Reader,
    id: UnitId,
    looked: &Looked,
    view: &View,
    upto: Position,
) -> Result<(u64, (Vec<FindingOut>, u64)), UnitError> {
    let tx = snapshot.tx();
    let holds = if sees_inside(looked, view) && upto == NOW {
        store::holds(tx, id).await?
    } else {
        0
    };
    let limits = Limits {
        all: FINDINGS_MAX,
        of_strangers: Some(STRANGERS_FINDINGS_MAX),
    };
    Ok((holds, newest(tx, who, Of::Unit(id, upto), limits).await?))
}
