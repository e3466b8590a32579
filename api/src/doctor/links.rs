//! What a linkset promises, as requests to be made and answers to be expected. Pure.

use serde_json::Value;
use std::collections::BTreeMap;

/// A link of a linkset.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// Where it leads.
    pub href: String,
    /// Media type.
    pub media: Option<String>,
    /// Languages.
    pub languages: Vec<String>,
    /// Contexts.
    pub contexts: Vec<String>,
    /// Does it carry more than a title?
    pub attributes: bool,
}

/// What a request for a link must answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// A redirect to exactly this.
    Redirect(String),
    /// 300: nothing tells the links apart.
    Choices,
}

/// A request for a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Link type, `gs1:…` for those of GS1.
    pub kind: String,
    /// Is the link one of several of its type?
    pub several: bool,
    /// `context` to send.
    pub context: Option<String>,
    /// Accept to send.
    pub accept: String,
    /// Accept-Language to send.
    pub language: Option<String>,
    /// The answer.
    pub expected: Expected,
}

/// The link types that hold for an address, each at the narrowest anchor that has it: the anchors
/// are the address itself and what is left when pairs of segments are cut from its end.
pub fn in_force(url: &str, linkset: &Value) -> BTreeMap<String, Vec<Target>> {
    let mut found = BTreeMap::new();
    let mut anchor = url;
    while anchor.matches('/').count() > 3 {
        for object in linkset["linkset"].as_array().into_iter().flatten() {
            if object["anchor"] != *anchor {
                continue;
            }
            for (key, targets) in object.as_object().into_iter().flatten() {
                if key != "anchor" && key != "itemDescription" {
                    let targets = targets.as_array().into_iter().flatten().map(target);
                    found
                        .entry(folded(key))
                        .or_insert_with(|| targets.collect());
                }
            }
        }
        let Some((shorter, _)) = anchor
            .rsplit_once('/')
            .and_then(|(rest, _)| rest.rsplit_once('/'))
        else {
            break;
        };
        anchor = shorter;
    }
    found
}

/// The three namespaces of GS1 in their short form.
fn folded(key: &str) -> String {
    for namespace in [
        "https://ref.gs1.org/voc/",
        "https://www.gs1.org/voc/",
        "https://gs1.org/voc/",
    ] {
        if let Some(name) = key.strip_prefix(namespace) {
            return format!("gs1:{name}");
        }
    }
    key.to_owned()
}

fn target(value: &Value) -> Target {
    let texts = |value: &Value| -> Vec<String> {
        let all = value.as_array().into_iter().flatten();
        all.filter_map(|v| v.as_str().map(str::to_owned)).collect()
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Target {
        href: text(&value["href"]).unwrap_or_default(),
        media: text(&value["type"]),
        languages: texts(&value["hreflang"]),
        contexts: texts(&value["context"]),
        attributes: ["type", "hreflang", "context"]
            .iter()
            .any(|key| !value[key].is_null()),
    }
}

/// The requests that show whether each link is reached. Of links that nothing tells apart one is
/// asked for.
pub fn asks(in_force: &BTreeMap<String, Vec<Target>>) -> Vec<Ask> {
    let mut asks = Vec::new();
    for (kind, targets) in in_force {
        if kind == "gs1:defaultLink" || kind == "gs1:defaultLinkMulti" {
            continue;
        }
        let alike = |one: &Target, other: &Target| {
            (&one.media, &one.languages, &one.contexts)
                == (&other.media, &other.languages, &other.contexts)
        };
        for (at, target) in targets.iter().enumerate() {
            let earlier = targets.get(..at).unwrap_or_default();
            if earlier.iter().any(|other| alike(target, other)) {
                continue;
            }
            let twins = targets.iter().filter(|other| alike(target, other)).count();
            let several = targets.len() > 1;
            asks.push(Ask {
                kind: kind.clone(),
                several,
                context: target.contexts.first().cloned().filter(|_| several),
                accept: target
                    .media
                    .clone()
                    .filter(|_| several)
                    .unwrap_or("*/*".into()),
                language: target.languages.first().cloned().filter(|_| several),
                expected: if twins > 1 {
                    Expected::Choices
                } else {
                    Expected::Redirect(target.href.clone())
                },
            });
        }
    }
    asks
}

/// Is `location` the link asked for? A `linkType` that was passed on at its end is tolerated.
pub fn leads_to(location: &str, href: &str) -> bool {
    if location == href {
        return true;
    }
    let Some(rest) = location.strip_prefix(href) else {
        return false;
    };
    rest.starts_with("?linkType=") || rest.starts_with("&linkType=")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_narrowest_anchor_wins_and_twins_are_asked_once() {
        let link = |href: &str| json!({"href": href, "title": "t"});
        let linkset = json!({"linkset": [
            {"anchor": "http://a.b/01/1/21/2", "itemDescription": "x",
             "https://gs1.org/voc/pip": [link("narrow")]},
            {"anchor": "http://a.b/01/1", "itemDescription": "x",
             "https://ref.gs1.org/voc/pip": [link("wide")],
             "https://ref.gs1.org/voc/faqs": [link("1"), link("2")],
             "https://ref.gs1.org/voc/defaultLink": [link("d")]},
            {"anchor": "http://a.b/01/9", "itemDescription": "x",
             "https://ref.gs1.org/voc/epcis": [link("other")]},
        ]});
        let found = in_force("http://a.b/01/1/21/2", &linkset);
        let kinds: Vec<&str> = found.keys().map(String::as_str).collect();
        assert_eq!(kinds, ["gs1:defaultLink", "gs1:faqs", "gs1:pip"]);
        assert_eq!(found["gs1:pip"][0].href, "narrow");
        let asks = asks(&found);
        let told: Vec<_> = asks
            .iter()
            .map(|ask| (ask.kind.as_str(), &ask.expected))
            .collect();
        assert_eq!(
            told,
            [
                ("gs1:faqs", &Expected::Choices),
                ("gs1:pip", &Expected::Redirect("narrow".into())),
            ]
        );
    }

    #[test]
    fn a_link_type_passed_on_is_tolerated_at_the_end_only() {
        assert!(leads_to("https://a/x", "https://a/x"));
        assert!(leads_to("https://a/x?linkType=gs1:pip", "https://a/x"));
        assert!(leads_to(
            "https://a/x?y=1&linkType=gs1:pip",
            "https://a/x?y=1"
        ));
        assert!(!leads_to("https://a/xy", "https://a/x"));
        assert!(!leads_to("https://a/x?z=1", "https://a/x"));
    }
}
