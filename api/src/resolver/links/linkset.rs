//! Linksets as JSON (RFC 9264, under the schema the resolver standard publishes): one object an
//! anchor, `itemDescription` beside it, link types as absolute addresses.

use super::{offer::Level, wanted::Shape};
use crate::{links::LinkName, projection::Link};
use serde_json::{Map, Value, json};

/// The context that makes a linkset JSON-LD, published by GS1.
pub const CONTEXT: &str = "https://ref.gs1.org/standards/resolver/linkset-context";

/// Writes levels down.
pub fn linkset(levels: &[Level], description: &str, shape: Shape) -> Value {
    let objects = levels.iter().map(|level| {
        let links: Vec<&Link> = level.links.iter().collect();
        object(&level.anchor, description, &links)
    });
    wrapped(objects.collect(), shape)
}

/// Writes down the links of one anchor that could not be told apart.
pub fn choices(anchor: &str, description: &str, links: &[&Link]) -> Value {
    wrapped(vec![object(anchor, description, links)], Shape::Plain)
}

fn wrapped(objects: Vec<Value>, shape: Shape) -> Value {
    match shape {
        Shape::Plain => json!({"linkset": objects}),
        Shape::JsonLd => json!({"@context": CONTEXT, "linkset": objects}),
    }
}

fn object(anchor: &str, description: &str, links: &[&Link]) -> Value {
    let mut object = Map::new();
    object.insert("anchor".into(), anchor.into());
    object.insert("itemDescription".into(), description.into());
    for link in links {
        let of_type = object
            .entry(LinkName::of(&link.link_type).uri())
            .or_insert_with(|| json!([]));
        if let Some(list) = of_type.as_array_mut() {
            list.push(target(link));
        }
    }
    Value::Object(object)
}

fn target(link: &Link) -> Value {
    let mut target = json!({"href": link.href, "title": link.title});
    if let Some(media) = &link.media_type {
        target["type"] = media.as_str().into();
    }
    if !link.hreflang.is_empty() {
        target["hreflang"] = json!(link.hreflang);
    }
    if !link.context.is_empty() {
        target["context"] = json!(link.context);
    }
    target
}
