//! Which form of answer a request means: told by `linkType` and `Accept` alone. Total: what is
//! malformed counts as absent. Decided on every scan, so it allocates nothing.

use crate::{http::query_value, resolver::view::Format};

/// A form of answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// The page or the JSON view.
    View(Format),
    /// The default link.
    Default,
    /// All links.
    Linkset(Shape),
    /// The link of this type, still percent-encoded.
    Type(&'a str),
}

/// How a linkset is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// RFC 9264.
    Plain,
    /// The same with its JSON-LD context.
    JsonLd,
}

/// What an Accept header may name, in the order in which ties are broken: a browser names HTML
/// among others, and a program that knows linksets names them beside JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    Json,
    JsonLd,
    Linkset,
    Page,
}

impl Named {
    fn of(media: &str) -> Option<Named> {
        let is = |name: &str| media.eq_ignore_ascii_case(name);
        match media.len() {
            9 if is("text/html") => Some(Named::Page),
            16 if is("application/json") => Some(Named::Json),
            19 if is("application/ld+json") => Some(Named::JsonLd),
            24 if is("application/linkset+json") => Some(Named::Linkset),
            _ => None,
        }
    }
}

/// Reads the query string and the Accept lines of a request.
pub fn wanted<'a, 'q>(query: &'q str, accept: impl Iterator<Item = &'a str>) -> Wanted<'q> {
    let named = named(accept);
    let link_type = if query.is_empty() {
        None
    } else {
        query_value(query, "linkType").filter(|kind| !kind.is_empty())
    };
    let shape = if named == Some(Named::JsonLd) {
        Shape::JsonLd
    } else {
        Shape::Plain
    };
    match (link_type, named) {
        // `all` is the name `linkset` had before version 1.0 of the standard.
        (Some("linkset" | "all"), _) | (None, Some(Named::Linkset | Named::JsonLd)) => {
            Wanted::Linkset(shape)
        }
        (Some(kind), _) => Wanted::Type(kind),
        (None, Some(Named::Page)) => Wanted::View(Format::Page),
        (None, Some(Named::Json)) => Wanted::View(Format::Json),
        (None, None) => Wanted::Default,
    }
}

/// The heaviest of the media types we serve that are named; wildcards name none.
fn named<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Named> {
    let mut best: Option<(u16, Named)> = None;
    for item in lines.flat_map(|line| line.split(',')) {
        let (media, parameters) = item.split_once(';').unwrap_or((item, ""));
        let Some(named) = Named::of(media.trim()) else {
            continue;
        };
        let weight = weight(parameters);
        if weight > 0 && best.is_none_or(|best| (weight, named) > best) {
            best = Some((weight, named));
        }
    }
    best.map(|(_, named)| named)
}

/// Thousandths of the `q` among parameters; 1000 where there is none that can be read.
fn weight(parameters: &str) -> u16 {
    if parameters.is_empty() {
        return 1000;
    }
    let q = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_q = name.trim().eq_ignore_ascii_case("q");
        is_q.then(|| value.trim().parse::<f32>().ok())?
    });
    q.filter(|q| !q.is_nan())
        .map_or(1000, |q| (q.clamp(0.0, 1.0) * 1000.0).round() as u16)
}

/// Items of a header that are looked at when one of several links is chosen; more are ignored.
const PREFERENCES_MAX: usize = 64;

/// Ranges with their weight, heaviest first; those of weight 0 come last.
pub fn preferences<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<(&'a str, u16)> {
    let mut all: Vec<(&str, u16)> = lines
        .flat_map(|line| line.split(','))
        .map(|item| item.split_once(';').unwrap_or((item, "")))
        .map(|(range, parameters)| (range.trim(), weight(parameters)))
        .filter(|(range, _)| !range.is_empty())
        .take(PREFERENCES_MAX)
        .collect();
    all.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_form_follows_from_link_type_and_accept() {
        use Wanted::{Default, Linkset, Type, View};
        const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for (query, accept, expected) in [
            ("", "", Default),
            ("", "*/*", Default),
            ("17=270101", "image/png, */*;q=0.1", Default),
            ("", "text/*", Default),
            ("", BROWSER, View(Format::Page)),
            ("", "TEXT/HTML", View(Format::Page)),
            ("", "text/html;q=0", Default),
            ("", "text/html;q=0.0, application/json", View(Format::Json)),
            ("", "text/html, application/json", View(Format::Page)),
            (
                "",
                "text/html;q=0.2, application/json;q=0.9",
                View(Format::Json),
            ),
            ("", "application/json", View(Format::Json)),
            (
                "",
                "application/json, application/linkset+json",
                Linkset(Shape::Plain),
            ),
            ("", "application/ld+json", Linkset(Shape::JsonLd)),
            ("", "text/html;q=nan;q=0", View(Format::Page)),
            ("linkType=linkset", "*/*", Linkset(Shape::Plain)),
            ("a=1&linkType=all", BROWSER, Linkset(Shape::Plain)),
            (
                "linkType=linkset",
                "application/ld+json",
                Linkset(Shape::JsonLd),
            ),
            (
                "linkType=gs1:pip",
                "application/linkset+json",
                Type("gs1:pip"),
            ),
            ("x;linkType=gs1%3Apip;y", BROWSER, Type("gs1%3Apip")),
            ("linkType=", "*/*", Default),
            ("linkType", "*/*", Default),
            ("xlinkType=gs1:pip", "*/*", Default),
        ] {
            let found = wanted(query, std::iter::once(accept));
            assert_eq!(found, expected, "{query} {accept}");
        }
    }

    #[test]
    fn preferences_are_bounded_and_sorted() {
        let text = "fr;q=0.5, en, zh;q=0.9,,de;q=0";
        let found = preferences(std::iter::once(text));
        assert_eq!(found, [("en", 1000), ("zh", 900), ("fr", 500), ("de", 0)]);
        let many = "en,".repeat(10_000);
        assert_eq!(
            preferences(std::iter::once(many.as_str())).len(),
            PREFERENCES_MAX
        );
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(query in ".{0,80}", accept in "[ -~é,;=q0-9.]{0,80}") {
            let _ = wanted(&query, std::iter::once(accept.as_str()));
            let _ = preferences(std::iter::once(accept.as_str()));
        }
    }
}
