//! The checklist, judged on recorded answers. Numbers and names are those of GS1's test suite for
//! resolvers; pure, so that the same answers always get the same report.

use super::{
    client::{Answer, Fetched},
    evidence::Evidence,
    links::{self, Expected, Target},
    shapes::{description_faults, linkset_faults},
};
use crate::links::LinkName;
use serde::Serialize;
use serde_json::Value;
use std::{collections::BTreeMap, fmt};
use suyuan_sync::trace_code::TraceCode;

/// How much hangs on a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// Without it nothing else counts.
    Critical,
    /// The standard says SHALL.
    Required,
    /// The standard says SHOULD; a fault is a warning.
    Recommended,
}

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As it should be.
    Pass,
    /// Better otherwise, or could not be shown here.
    Warn,
    /// Wrong.
    Fail,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Outcome::Pass => "pass",
            Outcome::Warn => "warn",
            Outcome::Fail => "FAIL",
        })
    }
}

/// One check.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// Number in the checklist.
    pub no: u8,
    /// Name in the suite.
    pub id: String,
    /// How much hangs on it.
    pub weight: Weight,
    /// What came of it.
    pub outcome: Outcome,
    /// Why.
    pub told: String,
}

/// The report in the making.
struct Checks(Vec<Check>);

impl Checks {
    fn add(&mut self, no: u8, id: &str, weight: Weight, outcome: Outcome, told: impl Into<String>) {
        self.0.push(Check {
            no,
            id: id.to_owned(),
            weight,
            outcome,
            told: told.into(),
        });
    }

    /// `holds` or not; where the standard only recommends, not is a warning.
    fn say(&mut self, no: u8, id: &str, weight: Weight, holds: bool, told: impl Into<String>) {
        let outcome = match (holds, weight) {
            (true, _) => Outcome::Pass,
            (false, Weight::Recommended) => Outcome::Warn,
            (false, _) => Outcome::Fail,
        };
        self.add(no, id, weight, outcome, told);
    }
}

use Outcome::{Fail, Pass, Warn};
use Weight::{Critical, Recommended, Required};

/// Judges.
pub fn judge(evidence: &Evidence) -> Vec<Check> {
    let mut checks = Checks(Vec::new());
    the_address(evidence, &mut checks);
    the_service(evidence, &mut checks);
    preflight(evidence, &mut checks);
    refusals(evidence, &mut checks);
    redirects(evidence, &mut checks);
    the_linkset(evidence, &mut checks);
    let missing = status(&evidence.missing);
    let told = format!("a link type that does not exist answers {missing}");
    checks.say(
        29,
        "specificLinkTypeNotFound",
        Required,
        missing == "404",
        told,
    );
    checks.0
}

fn status(fetched: &Fetched) -> String {
    match fetched {
        Ok(answer) => answer.status.to_string(),
        Err(error) => format!("nothing ({error})"),
    }
}

fn location(fetched: &Fetched) -> &str {
    fetched
        .as_ref()
        .map_or("", |answer| answer.header("location"))
}

/// 1 to 4: the address itself.
fn the_address(evidence: &Evidence, checks: &mut Checks) {
    let address = &evidence.address;
    let dotted = address.host.contains('.');
    checks.say(
        1,
        "isURL",
        Required,
        dotted,
        format!("host {}", address.host),
    );
    let told = if address.https {
        "https"
    } else {
        "the address begins with http:"
    };
    checks.say(2, "isHttps", Recommended, address.https, told);
    let code = address.code();
    let told = match &code {
        Ok(scanned) => format!("names {}", scanned.code),
        Err(error) => error.fault.en().to_owned(),
    };
    checks.say(3, "plausibleDL", Required, code.is_ok(), told.clone());
    let long = match &code {
        Ok(scanned) => match &scanned.code {
            TraceCode::Gtin(gtin) => address.path.contains(gtin.gtin.as_str()),
            _ => true,
        },
        Err(_) => false,
    };
    match (code.is_ok(), long) {
        (true, false) => checks.add(4, "validDL", Required, Warn, "a GTIN has 14 digits"),
        (holds, _) => checks.say(4, "validDL", Required, holds, told),
    }
}

/// 5 to 8: what the service as a whole does.
fn the_service(evidence: &Evidence, checks: &mut Checks) {
    match &evidence.narrower {
        None => checks.add(
            5,
            "basicWalkUp",
            Required,
            Pass,
            "no such check for this key",
        ),
        Some(fetched) => {
            let holds = fetched.as_ref().is_ok_and(|answer| answer.status != 404);
            let told = format!("an unknown batch answers {}", status(fetched));
            checks.say(5, "basicWalkUp", Required, holds, told);
        }
    }
    let tls = evidence.address.https && evidence.root.is_ok();
    let told = match (&evidence.root, evidence.address.https) {
        (Ok(_), true) => "https answers".to_owned(),
        (Err(error), true) => error.clone(),
        (_, false) => "cannot be shown over http; a public resolver must answer https".to_owned(),
    };
    let outcome = if tls {
        Pass
    } else if evidence.address.https {
        Fail
    } else {
        Warn
    };
    checks.add(6, "tlsOK", Required, outcome, told);
    let modern = evidence.root.as_ref().is_ok_and(|answer| answer.modern);
    checks.say(7, "httpVersion", Recommended, modern, "HTTP 1.1 or newer");
    let faults = match &evidence.description {
        Err(error) => vec![error.clone()],
        Ok(answer) if answer.status != 200 => vec![format!("answers {}", answer.status)],
        Ok(answer) => match serde_json::from_slice::<Value>(&answer.body) {
            Err(_) => vec!["is not JSON".into()],
            Ok(body) => {
                let mut faults = description_faults(&body);
                if answer.header("access-control-allow-origin").is_empty() {
                    faults.push("cannot be read from another origin".into());
                }
                faults
            }
        },
    };
    let told = if faults.is_empty() {
        "the description file is valid".to_owned()
    } else {
        format!("/.well-known/gs1resolver: {}", faults.join("; "))
    };
    checks.say(8, "rdFile", Critical, faults.is_empty(), told);
}

/// 9 to 12: what a preflight and the Link header say.
fn preflight(evidence: &Evidence, checks: &mut Checks) {
    let none = Answer::default();
    let options = evidence.options.as_ref().unwrap_or(&none);
    let origin = options.header("access-control-allow-origin");
    checks.say(
        9,
        "corsCheck",
        Required,
        !origin.is_empty(),
        format!("origin {origin:?}"),
    );
    let methods = options.header("access-control-allow-methods");
    let all = ["GET", "HEAD", "OPTIONS"]
        .iter()
        .all(|method| methods.contains(method));
    checks.say(
        10,
        "methodsCheck",
        Required,
        all,
        format!("methods {methods:?}"),
    );
    let links: Vec<String> = [&evidence.options, &evidence.plain]
        .into_iter()
        .filter_map(|fetched| fetched.as_ref().ok())
        .map(|answer| answer.joined("link"))
        .collect();
    let everywhere = links.len() == 2 && links.iter().all(|l| l.contains("rel=\"linkset\""));
    checks.say(
        11,
        "linkOnRedirect",
        Recommended,
        everywhere,
        "Link with rel=\"linkset\" on OPTIONS and the redirect",
    );
    let legacy = links.iter().any(|l| l.contains("rel=\"gs1:"));
    checks.say(
        12,
        "legacyLinkHeaders",
        Recommended,
        !legacy,
        "no links by link type in the Link header",
    );
}

/// 13 and 14: what is not a Digital Link.
fn refusals(evidence: &Evidence, checks: &mut Checks) {
    let told = format!(
        "the address and /foo answers {}",
        status(&evidence.malformed)
    );
    let status = evidence
        .malformed
        .as_ref()
        .map_or(0, |answer| answer.status);
    checks.say(13, "reportWith400", Required, status == 400, told.clone());
    checks.say(
        14,
        "noErrorWith200",
        Required,
        status != 0 && status != 200,
        told,
    );
}

/// 15 and 16: slashes and query strings.
fn redirects(evidence: &Evidence, checks: &mut Checks) {
    let same = status(&evidence.plain) == status(&evidence.slash)
        && location(&evidence.plain) == location(&evidence.slash)
        && evidence.plain.is_ok();
    checks.say(
        15,
        "trailingSlash",
        Recommended,
        same,
        "the same answer with and without a trailing slash",
    );
    let passed = location(&evidence.query).contains("foo=bar");
    checks.say(
        16,
        "qsPassedOn",
        Recommended,
        passed,
        format!("?foo=bar leads to {:?}", location(&evidence.query)),
    );
}

/// 17 to 28: the linkset, and whether it keeps its word.
fn the_linkset(evidence: &Evidence, checks: &mut Checks) {
    let ok = |fetched: &Fetched| fetched.as_ref().is_ok_and(|answer| answer.status == 200);
    let outcome = match (ok(&evidence.linkset), ok(&evidence.all)) {
        (true, _) => Pass,
        (false, true) => Warn,
        (false, false) => Fail,
    };
    let told = format!("linkType=linkset answers {}", status(&evidence.linkset));
    checks.add(17, "ltLinksetNoRedirect", Required, outcome, told);
    let told = format!(
        "linkType=all as a linkset answers {}",
        status(&evidence.all)
    );
    checks.say(18, "ltAcceptHeader", Required, ok(&evidence.all), told);
    let Some((answer, body)) = evidence.linkset_body() else {
        checks.add(19, "validLinkset", Critical, Fail, "there is no linkset");
        return;
    };
    let faults = linkset_faults(&body);
    let told = if faults.is_empty() {
        "valid".into()
    } else {
        faults.join("; ")
    };
    checks.say(19, "validLinkset", Critical, faults.is_empty(), told);
    let media = answer.header("content-type");
    let outcome = if media.starts_with("application/linkset+json") {
        Pass
    } else if media.starts_with("application/json") {
        Warn
    } else {
        Fail
    };
    checks.add(20, "declaredContentType", Required, outcome, media);
    let link = answer.joined("link");
    let context = link.split(',').any(|item| {
        item.contains("rel=\"http://www.w3.org/ns/json-ld#context\"")
            && item.contains("type=\"application/ld+json\"")
    });
    checks.say(
        21,
        "linksetJsonldCheck",
        Recommended,
        context,
        "Link to the JSON-LD context",
    );
    if !faults.is_empty() {
        return; // nothing can be read from it
    }
    let in_force = links::in_force(&evidence.address.url(), &body);
    default_link(evidence, &in_force, checks);
    each_link(evidence, checks);
    vocabulary(&in_force, checks);
}

/// 22 and 23: exactly one default link, bare, and it is where a plain request leads.
fn default_link(
    evidence: &Evidence,
    in_force: &BTreeMap<String, Vec<Target>>,
    checks: &mut Checks,
) {
    let default = in_force
        .get("gs1:defaultLink")
        .map_or(&[][..], Vec::as_slice);
    let told = "a default link at the address or above";
    checks.say(22, "defaultLinkExists", Required, !default.is_empty(), told);
    let single = matches!(default, [only] if !only.attributes);
    checks.say(
        22,
        "singleDefaulLink",
        Required,
        single,
        format!("{} default links", default.len()),
    );
    let href = default.first().map_or("", |link| link.href.as_str());
    let led = location(&evidence.plain);
    let told = format!("leads to {led:?}");
    checks.say(
        23,
        "defaultTarget",
        Required,
        !href.is_empty() && led == href,
        told,
    );
}

/// 24 to 26: each link type leads where the linkset says.
fn each_link(evidence: &Evidence, checks: &mut Checks) {
    for (ask, fetched) in &evidence.links {
        let id = format!("loFor{}", ask.kind.replace(':', ""));
        let led = location(fetched);
        match &ask.expected {
            Expected::Choices => {
                let holds = fetched.as_ref().is_ok_and(|answer| answer.status == 300);
                let told = format!("links alike in everything answer {}", status(fetched));
                checks.say(26, &id, Recommended, holds, told);
            }
            Expected::Redirect(href) => {
                let no = if ask.several { 25 } else { 24 };
                let holds = links::leads_to(led, href);
                let unexpected = fetched.as_ref().is_ok_and(|answer| answer.status == 300);
                if ask.several && unexpected {
                    checks.add(
                        no,
                        &id,
                        Required,
                        Warn,
                        "answers 300 though the links differ",
                    );
                } else {
                    checks.say(no, &id, Required, holds, format!("leads to {led:?}"));
                }
            }
        }
    }
}

/// 27 and 28: what link types there are.
fn vocabulary(in_force: &BTreeMap<String, Vec<Target>>, checks: &mut Checks) {
    let lonely = in_force
        .get("gs1:defaultLinkMulti")
        .is_some_and(|links| links.len() == 1);
    checks.say(
        27,
        "singleMultiLink",
        Recommended,
        !lonely,
        "no single link among defaultLinkMulti",
    );
    let unknown: Vec<&str> = in_force
        .keys()
        .map(String::as_str)
        .filter(|kind| kind.starts_with("gs1:") && !LinkName::of(kind).is_known())
        .collect();
    let told = if unknown.is_empty() {
        "all gs1: types are in the vocabulary".to_owned()
    } else {
        format!("not in the vocabulary: {}", unknown.join(" "))
    };
    checks.say(
        28,
        "linkTypesDefined",
        Recommended,
        unknown.is_empty(),
        told,
    );
}
