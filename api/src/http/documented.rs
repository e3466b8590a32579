//! What a request may say is what its operation documents: another query parameter, or a body where
//! none is taken, is refused by name, before any handler is asked and for all handlers alike. A
//! parameter that is misspelt must not be answered as if it had been heard. Devices alone may say what is not
//! known: they may be newer than their server, and a message means the same with or without it. Must not
//! know any route by name.

use super::{body, decode_form};
use crate::problem::{Problem, ProblemCode};
use actix_web::{
    HttpMessage,
    dev::ServiceRequest,
    http::{Method, header},
};
use std::collections::BTreeSet;
use utoipa::openapi::{
    OpenApi, RefOr,
    path::{Operation, ParameterIn, PathItem},
    security::SecurityRequirement,
};

/// Longest body that is looked at where none is taken.
const LOOKED_AT: usize = 256;

/// The scheme by which devices sign, in a document.
pub const DEVICE: &str = "device";
/// That by which people do.
pub const STAFF: &str = "bearer";

/// Does an operation ask for a token of this scheme?
pub fn asks_for(operation: &Operation, scheme: &str) -> bool {
    let asked = SecurityRequirement::new(scheme, NO_SCOPES);
    operation
        .security
        .as_ref()
        .is_some_and(|all| all.contains(&asked))
}

const NO_SCOPES: [&str; 0] = [];

/// What a document says, path by path.
pub struct Documented(Vec<Known>);

/// A path of the document.
struct Known {
    /// Its segments; one in braces stands for any.
    segments: Vec<String>,
    /// Its operations.
    operations: Vec<Takes>,
}

/// What an operation takes.
struct Takes {
    method: Method,
    parameters: BTreeSet<String>,
    body: bool,
    /// Does it ask for a token?
    secured: bool,
    /// A device may call it, and be newer than this program: what is not known it says in vain.
    of_device: bool,
}

impl Takes {
    fn of(method: Method, operation: &Operation) -> Takes {
        let parameters = operation.parameters.iter().flatten();
        let parameters = parameters.filter_map(|one| match one {
            RefOr::T(one) if one.parameter_in == ParameterIn::Query => Some(one.name.clone()),
            RefOr::T(_) | RefOr::Ref(_) => None,
        });
        Takes {
            method,
            parameters: parameters.collect(),
            body: operation.request_body.is_some(),
            secured: operation.security.is_some(),
            of_device: asks_for(operation, DEVICE),
        }
    }
}

impl Known {
    fn of(path: &str, item: &PathItem) -> Known {
        let methods = [
            (Method::DELETE, &item.delete),
            (Method::GET, &item.get),
            (Method::PATCH, &item.patch),
            (Method::POST, &item.post),
            (Method::PUT, &item.put),
        ];
        let operations = methods
            .into_iter()
            .filter_map(|(method, operation)| Some(Takes::of(method, operation.as_ref()?)));
        Known {
            segments: path.split('/').map(str::to_owned).collect(),
            operations: operations.collect(),
        }
    }

    fn fits(&self, asked: &[&str]) -> bool {
        self.segments.len() == asked.len()
            && self
                .segments
                .iter()
                .zip(asked)
                .all(|(segment, is)| (segment.starts_with('{') && !is.is_empty()) || segment == is)
    }
}

impl Documented {
    /// Of a document.
    pub fn of(api: &OpenApi) -> Documented {
        let paths = api.paths.paths.iter();
        let mut known: Vec<_> = paths.map(|(path, item)| Known::of(path, item)).collect();
        // A word comes before what stands for any.
        known.sort_by(|a, b| a.segments.cmp(&b.segments));
        Documented(known)
    }

    fn find(&self, path: &str) -> Option<&Known> {
        let asked: Vec<&str> = path.split('/').collect();
        self.0.iter().find(|known| known.fits(&asked))
    }

    /// The methods documented for a path, e.g. `GET, POST`; empty where the path is unknown.
    pub fn methods_of(&self, path: &str) -> String {
        let operations = self.find(path).map(|known| known.operations.iter());
        let methods = operations
            .into_iter()
            .flatten()
            .map(|takes| takes.method.as_str());
        methods.collect::<Vec<_>>().join(", ")
    }

    /// Why a request is not one that its operation documents. Whoever brings no token hears of that
    /// first, from the operation.
    pub async fn refused(&self, request: &mut ServiceRequest) -> Option<Problem> {
        if request.query_string().is_empty() && !sends_body(request) {
            return None;
        }
        let found = self.find(request.path())?;
        let method = request.method();
        let takes = found.operations.iter().find(|one| one.method == *method)?;
        if takes.secured && !request.headers().contains_key(header::AUTHORIZATION) {
            return None;
        }
        let unknown = names(request.query_string()).find(|name| !takes.parameters.contains(name));
        if let Some(name) = unknown.filter(|_| !takes.of_device) {
            return Some(unknown_parameter(&name, &takes.parameters));
        }
        if takes.body || !sends_body(request) {
            return None;
        }
        // Whoever must send something sends nothing: an empty object.
        let sent = body::read(request.take_payload(), LOOKED_AT).await;
        let sent = sent.map(|bytes| {
            let said = bytes.iter().filter(|byte| !byte.is_ascii_whitespace());
            said.copied().collect::<Vec<u8>>()
        });
        match sent {
            Ok(said) if said.is_empty() || said == b"{}" => None,
            _ => {
                let (en, zh) = ("this call takes no body", "此接口不接收请求正文");
                Some(Problem::new(ProblemCode::MalformedBody).detail(en, zh))
            }
        }
    }
}

fn sends_body(request: &ServiceRequest) -> bool {
    let headers = request.headers();
    let length = headers.get(header::CONTENT_LENGTH);
    *request.method() != Method::GET
        && (headers.contains_key(header::TRANSFER_ENCODING)
            || length.is_some_and(|length| length.as_bytes() != b"0"))
}

/// The names in a query string.
fn names(query: &str) -> impl Iterator<Item = String> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| decode_form(pair.split_once('=').map_or(pair, |(name, _)| name)))
}

fn unknown_parameter(name: &str, takes: &BTreeSet<String>) -> Problem {
    let problem = Problem::new(ProblemCode::MalformedRequest);
    let known: Vec<&str> = takes.iter().map(String::as_str).collect();
    if known.is_empty() {
        return problem.detail(
            format!("unknown parameter {name:?}: this call takes none"),
            format!("未知参数 {name:?}：此接口不接收参数"),
        );
    }
    problem.detail(
        format!(
            "unknown parameter {name:?}: this call takes {}",
            known.join(", ")
        ),
        format!("未知参数 {name:?}：此接口接收 {}", known.join("、")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_forms_write_them() {
        let read: Vec<String> = names("limit=1&&af%74er&a+b=%3D").collect();
        assert_eq!(read, ["limit", "after", "a b"]);
    }

    #[test]
    fn a_word_is_found_before_what_stands_for_any() {
        let documented = Documented::of(&crate::routes::internal_openapi());
        let methods_of = |path| documented.methods_of(path);
        assert_eq!(methods_of("/v1/devices/7"), "GET");
        assert_eq!(methods_of("/v1/policy"), "GET, POST");
        assert_eq!(methods_of("/v1/no-such-thing"), "");
        assert_eq!(methods_of("/v1/devices/"), "");
    }
}
