//! Links over HTTP.

use super::{
    rules, store,
    wire::{LinkIn, LinkOut},
};
use crate::{
    app::Internal,
    http::{
        auth::Staff,
        body::{KeyHeader, Keyed},
        page::{Page, PageQuery},
    },
    problem::{Problem, ProblemBody},
};
use actix_web::{
    HttpResponse, delete, get, post,
    web::{self, Data, Path, Query},
};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

/// Register a link for a key of your own. A link that differs from a known one in its title only
/// is that link with a new title. At most 100 links an anchor, 100 000 an enterprise. What the
/// installation itself serves about a code (its page, recall status, traceability and more) is
/// listed without being registered; a link registered here takes the place of a derived one of
/// the same type.
#[utoipa::path(tag = "links", operation_id = "create_link", request_body = LinkIn,
    params(KeyHeader), security(("bearer" = [])),
    responses((status = 201, body = LinkOut), (status = 422, body = ProblemBody)))]
#[post("/v1/links")]
pub async fn create_link(
    state: Data<Internal>,
    caller: Staff,
    body: Keyed<LinkIn>,
) -> Result<HttpResponse, Problem> {
    let out = store::put(
        &state.log,
        caller.enterprise,
        caller.actor,
        body.key,
        &body.value,
    )
    .await?;
    Ok(HttpResponse::Created().json(out))
}

/// Which links.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct LinkQuery {
    /// Only of this anchor.
    pub anchor: Option<String>,
    /// `next` of the page before.
    pub after: Option<Uuid>,
    /// How many, 1 to 500 (default 100).
    pub limit: Option<u64>,
}

/// Links of the caller's enterprise.
#[utoipa::path(tag = "links", operation_id = "list_links", params(LinkQuery),
    security(("bearer" = [])), responses((status = 200, body = Page<LinkOut>),
    (status = 422, body = ProblemBody)))]
#[get("/v1/links")]
pub async fn list_links(
    state: Data<Internal>,
    caller: Staff,
    query: Query<LinkQuery>,
) -> Result<web::Json<Page<LinkOut>>, Problem> {
    let LinkQuery {
        anchor,
        after,
        limit,
    } = query.into_inner();
    let paging = PageQuery { after, limit }.check()?;
    let anchor = match anchor {
        Some(text) => Some(rules::anchor(&text)?.to_string()),
        None => None,
    };
    let items = store::list(&state.db, caller.enterprise, anchor.as_deref(), paging).await?;
    Ok(web::Json(Page::new(items, paging, |l: &LinkOut| l.id)))
}

/// Take a link away.
#[utoipa::path(tag = "links", operation_id = "delete_link", params(("id" = Uuid, Path)),
    security(("bearer" = [])),
    responses((status = 204), (status = 404, body = ProblemBody)))]
#[delete("/v1/links/{id}")]
pub async fn delete_link(
    state: Data<Internal>,
    caller: Staff,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    store::delete(&state.log, caller.enterprise, caller.actor, *id).await?;
    Ok(HttpResponse::NoContent().finish())
}
