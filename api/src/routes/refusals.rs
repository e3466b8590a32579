//! What every call may answer besides what its handler says: told here once, by the shape of the
//! call, so that no handler repeats it and none forgets it. A status that a caller may meet and
//! that is not in the documents is a fault, which `tests/schemathesis` looks for. Must not know any
//! route by name.

use crate::http::documented::{DEVICE, STAFF, asks_for};
use utoipa::{
    Modify,
    openapi::{
        Content, ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder,
        path::{Operation, ParameterIn, PathItem},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

/// How a device signs a call.
const BY_DEVICE: &str = "A JWT that the device signs with its own key (ES256): of type `suyuan-push+jwt` over \
    the events of a push, of type `suyuan-read+jwt` over the newest anchor it holds for all else. Its \
    times are not judged.";
/// Media types of a problem told to programs.
const TO_PROGRAMS: &[&str] = &["application/problem+json"];
/// Media types of a problem told to consumers: a page where the caller accepts HTML.
const TO_CONSUMERS: &[&str] = &["application/problem+json", "text/html"];
/// Operations under this tag are probes: they need no sign-in and are never refused.
const PROBES: &str = "operations";

/// What the calls of staff may answer, and how staff sign in.
pub(super) struct Staff;

impl Modify for Staff {
    fn modify(&self, api: &mut OpenApi) {
        let components = api.components.get_or_insert_default();
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .build();
        components.add_security_scheme(STAFF, SecurityScheme::Http(scheme));
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(BY_DEVICE))
            .build();
        components.add_security_scheme(DEVICE, SecurityScheme::Http(scheme));
        for operation in operations(api) {
            media_types(operation, TO_PROGRAMS);
            let query = takes(operation, &ParameterIn::Query);
            let body = operation.request_body.is_some();
            let mut may = Vec::new();
            if takes(operation, &ParameterIn::Path) || says_whose(operation) {
                may.push(("404", "Nothing here, or nothing you may know of."));
            }
            if query {
                may.push(("400", "A parameter cannot be read, or is none of these."));
            }
            if query || body {
                may.push(("422", "Values are missing or wrong; each is listed."));
            }
            if body {
                may.push(("400", "The body cannot be read."));
                may.push(("413", "The body is larger than this call takes."));
                may.push(("415", "Another content type is meant."));
            }
            if takes(operation, &ParameterIn::Header) {
                may.push((
                    "422",
                    "The key is malformed, or was sent with another request.",
                ));
                may.push((
                    "409",
                    "Done before under this key, and the answer can no longer be read.",
                ));
            }
            if !query && !body {
                may.push((
                    "400",
                    "It came with a parameter or a body; this call takes none.",
                ));
            }
            if asks_for(operation, STAFF) {
                may.push(("401", "Not signed in."));
                may.push(("403", "The role does not carry this right."));
            }
            if !is_probe(operation) {
                may.push(("503", "Not now; `Retry-After` says when to come back."));
            }
            add(operation, &may, TO_PROGRAMS);
        }
    }
}

/// What the calls of consumers may answer: everything but a probe may be refused for a while.
pub(super) struct Consumers;

impl Modify for Consumers {
    fn modify(&self, api: &mut OpenApi) {
        for operation in operations(api) {
            media_types(operation, TO_CONSUMERS);
            if is_probe(operation) {
                continue;
            }
            let may = [
                (
                    "429",
                    "Too many requests; `Retry-After` says when to come back.",
                ),
                ("503", "Overloaded, or nothing can be confirmed right now."),
            ];
            add(operation, &may, TO_CONSUMERS);
        }
    }
}

fn takes(operation: &Operation, place: &ParameterIn) -> bool {
    let mut parameters = operation.parameters.iter().flatten();
    parameters.any(|one| matches!(one, RefOr::T(one) if one.parameter_in == *place))
}

/// Does it take whose things are asked for? Another's are not there.
fn says_whose(operation: &Operation) -> bool {
    let mut parameters = operation.parameters.iter().flatten();
    parameters.any(|one| matches!(one, RefOr::T(one) if one.name == "enterprise_id"))
}

fn is_probe(operation: &Operation) -> bool {
    let mut tags = operation.tags.iter().flatten();
    tags.any(|tag| tag == PROBES)
}

fn operations(api: &mut OpenApi) -> impl Iterator<Item = &mut Operation> {
    api.paths.paths.values_mut().flat_map(|item| {
        let PathItem {
            get,
            post,
            put,
            patch,
            delete,
            ..
        } = item;
        [get, post, put, patch, delete].into_iter().flatten()
    })
}

/// A problem documented by its handler gets its media types: handlers say only that it is one.
fn media_types(operation: &mut Operation, media: &[&str]) {
    for response in operation.responses.responses.values_mut() {
        let RefOr::T(response) = response else {
            continue;
        };
        let is_problem = |content: &RefOr<Content>| {
            matches!(content, RefOr::T(content)
                if matches!(&content.schema, Some(RefOr::Ref(schema))
                    if schema.ref_location.ends_with("/ProblemBody")))
        };
        let only = response.content.len() == 1;
        if only && response.content.values().all(is_problem) {
            response.content = problem("", media).content;
        }
    }
}

/// Adds answers that are not documented already.
fn add(operation: &mut Operation, answers: &[(&str, &str)], media: &[&str]) {
    for (status, what) in answers {
        let responses = &mut operation.responses.responses;
        responses
            .entry((*status).into())
            .or_insert_with(|| problem(what, media).into());
    }
}

fn problem(what: &str, media: &[&str]) -> Response {
    media
        .iter()
        .fold(
            ResponseBuilder::new().description(what),
            |response, media| {
                let body = ContentBuilder::new();
                response.content(
                    *media,
                    match *media {
                        "application/problem+json" => body
                            .schema(Some(Ref::from_schema_name("ProblemBody")))
                            .build(),
                        _ => body.build(),
                    },
                )
            },
        )
        .build()
}
