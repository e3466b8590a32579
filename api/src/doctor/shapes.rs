//! The shapes of linkset and description file, as their published schemas have them. Pure.

use serde_json::{Map, Value};

/// What a linkset's schema would refuse; empty when it is valid.
pub fn linkset_faults(body: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let Some(root) = body.as_object() else {
        return vec!["the body is not a JSON object".into()];
    };
    for key in root.keys().filter(|key| *key != "linkset") {
        faults.push(format!("{key} may not stand beside linkset"));
    }
    let Some(objects) = body["linkset"].as_array() else {
        faults.push("linkset is not a list".into());
        return faults;
    };
    for object in objects {
        match object.as_object() {
            Some(object) => object_faults(object, &mut faults),
            None => faults.push("linkset holds something that is not an object".into()),
        }
    }
    faults
}

fn object_faults(object: &Map<String, Value>, faults: &mut Vec<String>) {
    for needed in ["anchor", "itemDescription"] {
        if !object.get(needed).is_some_and(Value::is_string) {
            faults.push(format!("an object has no {needed}"));
        }
    }
    for (key, links) in object {
        if key == "anchor" || key == "itemDescription" {
            continue;
        }
        if !is_link_type(key) {
            faults.push(format!("{key} is no link type"));
        }
        let Some(links) = links.as_array() else {
            faults.push(format!("{key} is not a list"));
            continue;
        };
        for link in links {
            faults.extend(link_faults(link).map(|fault| format!("{key}: {fault}")));
        }
    }
}

/// An absolute address of letters, digits, `.` and `/`, or a registered relation.
fn is_link_type(key: &str) -> bool {
    let address = key
        .strip_prefix("https://")
        .or_else(|| key.strip_prefix("http://"));
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/');
    match address {
        Some(rest) => !rest.is_empty() && rest.bytes().all(plain),
        None => !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
    }
}

/// All that may stand in a link.
const IN_A_LINK: [&str; 7] = [
    "href", "title", "type", "hreflang", "context", "fwqs", "public",
];

fn link_faults(link: &Value) -> impl Iterator<Item = String> {
    let mut faults = Vec::new();
    for needed in ["href", "title"] {
        if !link[needed].is_string() {
            faults.push(format!("a link has no {needed}"));
        }
    }
    for key in link.as_object().into_iter().flat_map(Map::keys) {
        if !IN_A_LINK.contains(&key.as_str()) {
            faults.push(format!("{key} may not stand in a link"));
        }
    }
    if !link["hreflang"].is_null() {
        let tags = link["hreflang"].as_array();
        let fits =
            tags.is_some_and(|tags| tags.iter().all(|t| t.as_str().is_some_and(is_language)));
        if !fits {
            faults.push(format!("hreflang {}", link["hreflang"]));
        }
    }
    if !link["context"].is_null() && !link["context"].is_array() {
        faults.push("context is not a list".into());
    }
    faults.into_iter()
}

/// `ll` or `ll-CC`.
fn is_language(tag: &str) -> bool {
    let (language, region) = tag.split_once('-').unwrap_or((tag, "XX"));
    let two = |text: &str| text.len() == 2;
    two(language)
        && two(region)
        && language.bytes().all(|b| b.is_ascii_lowercase())
        && region.bytes().all(|b| b.is_ascii_uppercase())
}

/// Primary keys a description file may name.
const KEYS: [&str; 21] = [
    "all", "00", "01", "253", "255", "401", "402", "410", "411", "412", "413", "414", "415", "417",
    "8003", "8004", "8006", "8010", "8013", "8017", "8018",
];

/// What the description file's schema would refuse; empty when it is valid.
pub fn description_faults(body: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    if !body["resolverRoot"].is_string() {
        faults.push("resolverRoot is missing".into());
    }
    match body["supportedPrimaryKeys"].as_array() {
        None => faults.push("supportedPrimaryKeys is missing".into()),
        Some(keys) => {
            let wrong = keys
                .iter()
                .filter(|k| !k.as_str().is_some_and(|k| KEYS.contains(&k)));
            faults.extend(wrong.map(|key| format!("{key} is no primary key")));
        }
    }
    let texts = [
        "name",
        "termsOfUse",
        "extensionProfile",
        "jsonLdContextLocation",
    ];
    for key in texts {
        if !body[key].is_null() && !body[key].is_string() {
            faults.push(format!("{key} is not a text"));
        }
    }
    let lists = [
        "supportedLinkType",
        "supportedContextValuesEnumerated",
        "supportedContextValuesExternal",
    ];
    for key in lists {
        if !body[key].is_null() && !body[key].is_array() {
            faults.push(format!("{key} is not a list"));
        }
    }
    if !body["linkTypeDefaultCanBeLinkset"].is_null()
        && !body["linkTypeDefaultCanBeLinkset"].is_boolean()
    {
        faults.push("linkTypeDefaultCanBeLinkset is neither true nor false".into());
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_schema_forbids_is_told() {
        let good = json!({"linkset": [{"anchor": "a", "itemDescription": "b",
            "https://ref.gs1.org/voc/pip": [{"href": "h", "title": "t", "hreflang": ["zh", "zh-CN"]}]}]});
        assert_eq!(linkset_faults(&good), [""; 0]);
        let changed = |change: &dyn Fn(&mut Value)| {
            let mut body = good.clone();
            change(&mut body);
            linkset_faults(&body).len()
        };
        let key = "https://ref.gs1.org/voc/pip";
        assert_eq!(changed(&|b| b["@context"] = json!("x")), 1);
        assert_eq!(changed(&|b| b["linkset"] = json!({})), 1);
        assert_eq!(
            changed(&|b| b["linkset"][0]["itemDescription"] = Value::Null),
            1
        );
        assert_eq!(changed(&|b| b["linkset"][0]["gs1:pip"] = json!([])), 1);
        assert_eq!(
            changed(&|b| b["linkset"][0][key][0]["hreflang"] = json!(["zh-Hans"])),
            1
        );
        assert_eq!(changed(&|b| b["linkset"][0][key][0]["rel"] = json!("x")), 1);
        assert_eq!(
            changed(&|b| b["linkset"][0][key][0]["title"] = Value::Null),
            1
        );
        let file = json!({"resolverRoot": "x", "supportedPrimaryKeys": ["01"]});
        assert_eq!(description_faults(&file), [""; 0]);
        assert_eq!(description_faults(&json!({})).len(), 2);
        assert_eq!(
            description_faults(&json!({"resolverRoot": "x", "supportedPrimaryKeys": ["02"]})).len(),
            1
        );
    }
}
