//! What a resolver answered to the requests of the checklist.

use super::{
    address::Address,
    client::{Answer, Fetched, send},
    links::{self, Ask},
};
use hyper::Method;
use serde_json::Value;

/// All answers, for judging.
#[derive(Debug)]
pub struct Evidence {
    /// The address under test.
    pub address: Address,
    /// HEAD of the root.
    pub root: Fetched,
    /// A narrower code that nobody registered; `None` where the suite has none for this key.
    pub narrower: Option<Fetched>,
    /// The description file.
    pub description: Fetched,
    /// A preflight.
    pub options: Fetched,
    /// The address and `/foo`.
    pub malformed: Fetched,
    /// The address.
    pub plain: Fetched,
    /// The address and a slash.
    pub slash: Fetched,
    /// The address and `?foo=bar`.
    pub query: Fetched,
    /// `linkType=linkset`, a redirect followed once.
    pub linkset: Fetched,
    /// `linkType=all`, asked for as a linkset.
    pub all: Fetched,
    /// A link type that does not exist.
    pub missing: Fetched,
    /// Each link of the linkset.
    pub links: Vec<(Ask, Fetched)>,
}

impl Evidence {
    /// The linkset, however it was got.
    pub fn linkset_body(&self) -> Option<(&Answer, Value)> {
        [&self.linkset, &self.all].into_iter().find_map(|fetched| {
            let answer = fetched
                .as_ref()
                .ok()
                .filter(|answer| answer.status == 200)?;
            Some((answer, serde_json::from_slice(&answer.body).ok()?))
        })
    }
}

const ANY: (&str, &str) = ("accept", "*/*");
/// A browser on another site.
const ORIGIN: (&str, &str) = ("origin", "https://conformance.example");

/// Asks everything, one request after the other.
pub async fn gather(address: &Address) -> Evidence {
    let get = async |target: String, headers: &[(&str, &str)]| {
        send(address, Method::GET, &target, headers).await
    };
    let path = &address.path;
    let narrower = match address.narrower() {
        Some(target) => Some(get(target, &[ANY]).await),
        None => None,
    };
    let json = ("accept", "application/json");
    let preflight = [ORIGIN, ("access-control-request-method", "GET")];
    let linkset_type = ("accept", "application/linkset+json");
    let mut evidence = Evidence {
        address: address.clone(),
        root: send(address, Method::HEAD, "/", &[ANY]).await,
        narrower,
        description: get("/.well-known/gs1resolver".into(), &[json, ORIGIN]).await,
        options: send(address, Method::OPTIONS, path, &preflight).await,
        malformed: get(format!("{path}/foo"), &[ANY]).await,
        plain: get(path.clone(), &[ANY]).await,
        slash: get(format!("{path}/"), &[ANY]).await,
        query: get(format!("{path}?foo=bar"), &[ANY]).await,
        linkset: get(format!("{path}?linkType=linkset"), &[ANY]).await,
        all: get(format!("{path}?linkType=all"), &[linkset_type]).await,
        missing: get(format!("{path}?linkType=gs1:nosuchlt"), &[ANY]).await,
        links: Vec::new(),
    };
    if let Ok(answer) = &evidence.linkset
        && (300..400).contains(&answer.status)
        && let Some(target) = address.target_of(answer.header("location"))
    {
        evidence.linkset = get(target, &[ANY]).await;
    }
    let Some((_, body)) = evidence.linkset_body() else {
        return evidence;
    };
    for ask in links::asks(&links::in_force(&address.url(), &body)) {
        let mut target = format!("{path}?linkType={}", ask.kind);
        if let Some(context) = &ask.context {
            target.push_str("&context=");
            target.push_str(context);
        }
        let mut headers = vec![("accept", ask.accept.as_str())];
        if let Some(language) = &ask.language {
            headers.push(("accept-language", language));
        }
        let answer = get(target, &headers).await;
        evidence.links.push((ask, answer));
    }
    evidence
}
