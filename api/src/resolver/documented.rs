//! The addresses of codes as the OpenAPI document tells them. One handler serves them all, since it
//! reads the raw path itself; these functions only carry the documentation.

use std::collections::BTreeMap;
use utoipa::{
    IntoParams, IntoResponses,
    openapi::{ContentBuilder, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, Schema, Type},
};

/// What a code's address may carry behind its question mark. Data attributes (`17=…`) and anything
/// else go along to the target of a redirect, byte for byte.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // carries documentation only
pub struct LinkParams {
    /// `linkset` (formerly `all`) for all links; or the link type that is wanted, as `gs1:pip` or
    /// by its address. The first one counts.
    #[param(rename = "linkType", example = "gs1:recallStatus")]
    link_type: Option<String>,
    /// Chooses among links of one type that are meant for different contexts.
    context: Option<String>,
}

/// How a body is told.
#[derive(Clone, Copy)]
enum Body {
    Scan,
    Page,
    Linkset,
    JsonLd,
    Problem,
}

impl Body {
    fn media(self) -> &'static str {
        match self {
            Body::Scan => "application/json",
            Body::Page => "text/html",
            Body::Linkset => "application/linkset+json",
            Body::JsonLd => "application/ld+json",
            Body::Problem => "application/problem+json",
        }
    }

    fn schema(self) -> RefOr<Schema> {
        let one = |kind| Schema::from(ObjectBuilder::new().schema_type(kind)).into();
        match self {
            Body::Scan => Ref::from_schema_name("ScanOut").into(),
            Body::Page => one(Type::String),
            Body::Problem => Ref::from_schema_name("ProblemBody").into(),
            Body::Linkset | Body::JsonLd => one(Type::Object),
        }
    }
}

/// Statuses with what they mean and the forms their bodies have.
fn answers(told: &[(&str, &str, &[Body])]) -> BTreeMap<String, RefOr<Response>> {
    let response = |what: &str, bodies: &[Body]| {
        bodies
            .iter()
            .fold(
                ResponseBuilder::new().description(what),
                |response, body| {
                    let content = ContentBuilder::new().schema(Some(body.schema()));
                    response.content(body.media(), content.build())
                },
            )
            .build()
    };
    told.iter()
        .map(|(status, what, bodies)| ((*status).to_owned(), response(what, bodies).into()))
        .collect()
}

const REFUSED: &[Body] = &[Body::Problem, Body::Page];

/// What the address of a code may answer, in all its forms.
struct CodeAnswers;

impl IntoResponses for CodeAnswers {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        use Body::{JsonLd, Linkset, Page, Problem, Scan};
        answers(&[
            (
                "200",
                "What is known of the code; or all its links",
                &[Scan, Page, Linkset, JsonLd],
            ),
            ("300", "Links that nothing tells apart", &[Linkset]),
            ("304", "As the caller knows it", &[]),
            ("307", "To the link", &[]),
            ("400", "This cannot be read as a code", REFUSED),
            (
                "404",
                "Nobody here issued this code; or it has no such link",
                &[Scan, Page, Problem],
            ),
            ("414", "Longer than any code", REFUSED),
        ])
    }
}

/// What the page of a code may answer.
struct PageAnswers;

impl IntoResponses for PageAnswers {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        answers(&[
            ("200", "What is known of the code", &[Body::Page]),
            ("304", "As the caller knows it", &[]),
            ("307", "To the part of the page", &[]),
            ("400", "This cannot be read as a code", &[Body::Page]),
            ("404", "Nobody here issued this code", &[Body::Page]),
            ("414", "Longer than any code", &[Body::Page]),
        ])
    }
}

/// What a typed code may be answered.
struct TypedAnswers;

impl IntoResponses for TypedAnswers {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        use Body::{Page, Scan};
        answers(&[
            (
                "200",
                "What is known of the code; or the form",
                &[Scan, Page],
            ),
            ("304", "As the caller knows it", &[]),
            ("400", "This cannot be read as a code", REFUSED),
            ("404", "Nobody here issued this code", &[Scan, Page]),
            ("414", "Longer than any code", REFUSED),
        ])
    }
}

/// A unit: any path that is a code. Without `linkType`: `text/html` gets the page,
/// `application/json` the view, `application/linkset+json` and `application/ld+json` the linkset,
/// anything else a redirect to the default link, the page's own address. With `linkType`: a
/// redirect to the link of that type that suits Accept-Language, `context` and Accept best; 300
/// with a linkset of those that nothing tells apart; 404 where there is none. Of each header the
/// first 64 items are looked at.
#[utoipa::path(get, path = "/01/{gtin}/21/{serial}", tag = "scan", operation_id = "scan_unit",
    params(("gtin" = String, Path, description = "GTIN: 8, 12, 13 or 14 digits"),
    ("serial" = String, Path, description = "1 to 20 characters, percent-encoded"), LinkParams),
    responses(CodeAnswers))]
#[allow(dead_code)] // carries documentation only
pub fn scan_unit() {}

/// A product, or with `/10/{lot}` a batch of it. Forms of answer as for a unit.
#[utoipa::path(get, path = "/01/{gtin}", tag = "scan", operation_id = "scan_product",
    params(("gtin" = String, Path), LinkParams),
    responses(CodeAnswers))]
#[allow(dead_code)]
pub fn scan_product() {}

/// A batch. Forms of answer as for a unit.
#[utoipa::path(get, path = "/01/{gtin}/10/{lot}", tag = "scan", operation_id = "scan_batch",
    params(("gtin" = String, Path), ("lot" = String, Path), LinkParams),
    responses(CodeAnswers))]
#[allow(dead_code)]
pub fn scan_batch() {}

/// A logistic unit. Forms of answer as for a unit.
#[utoipa::path(get, path = "/00/{sscc}", tag = "scan", operation_id = "scan_logistic_unit",
    params(("sscc" = String, Path), LinkParams),
    responses(CodeAnswers))]
#[allow(dead_code)]
pub fn scan_logistic_unit() {}

/// What an RFID tag names: its EPC (SGTIN-96 and -198, SSCC-96, SGLN-96) in hexadecimal digits. Data
/// attributes may stand in the query. `400` tells the part that cannot be read.
#[utoipa::path(get, path = "/eh{hex}", tag = "scan", operation_id = "scan_tag",
    params(("hex" = String, Path, description = "24 digits; of an SGTIN-198 50 or 52")),
    responses(CodeAnswers))]
#[allow(dead_code)]
pub fn scan_tag() {}

/// The same in base64url.
#[utoipa::path(get, path = "/ex{base64url}", tag = "scan", operation_id = "scan_tag_base64url",
    params(("base64url" = String, Path, description = "16 characters; of an SGTIN-198 33 to 35")),
    responses(CodeAnswers))]
#[allow(dead_code)]
pub fn scan_tag_base64url() {}

/// A code of the own scheme. Forms of answer as for a unit.
#[utoipa::path(get, path = "/c/{code}", tag = "scan", operation_id = "scan_own",
    params(("code" = String, Path), LinkParams),
    responses(CodeAnswers))]
#[allow(dead_code)]
pub fn scan_own() {}

/// The page of a code, whatever the caller accepts: `/p` before any path above, as here before that
/// of a unit. With `section`
/// the browser is sent to that part of the page: `verdict`, `recall`, `code`, or `item-` and a
/// number of the public table.
#[utoipa::path(get, path = "/p/01/{gtin}/21/{serial}", tag = "scan", operation_id = "scan_page",
    params(("gtin" = String, Path), ("serial" = String, Path),
    ("section" = Option<String>, Query, description = "a part of the page: 1 to 20 small letters, digits and -")),
    responses(PageAnswers))]
#[allow(dead_code)]
pub fn scan_page() {}

/// The resolver description file: what this resolver is and supports.
#[utoipa::path(get, path = "/.well-known/gs1resolver", tag = "scan", operation_id = "describe_resolver",
    responses((status = 200, content_type = "application/json")))]
#[allow(dead_code)]
pub fn describe_resolver() {}

/// Anything a person may type or a scanner may read, as `code`: addresses, element strings, numbers,
/// EPCs, and codes of the profiles in the settings; at most 2048 bytes. Without it, the form.
#[utoipa::path(get, path = "/q", tag = "scan", operation_id = "query_code",
    params(("code" = Option<String>, Query, description = "any form of a trace code")),
    responses(TypedAnswers))]
#[allow(dead_code)]
pub fn query_code() {}
