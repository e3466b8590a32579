//! One of several links of a type: by language, then context, then media type. Pure and total.

use crate::projection::Link;

/// What the caller would like.
#[derive(Debug, Default)]
pub struct Wishes<'a> {
    /// Language ranges with weights, heaviest first.
    pub languages: Vec<(&'a str, u16)>,
    /// Media ranges with weights, heaviest first.
    pub media: Vec<(&'a str, u16)>,
    /// The `context` asked for.
    pub context: Option<String>,
}

/// The links that fit best. One: it is the answer. Several: nothing the caller said tells them
/// apart.
pub fn choose<'a>(links: Vec<&'a Link>, wishes: &Wishes<'_>) -> Vec<&'a Link> {
    let links = by_language(links, &wishes.languages);
    let links = by_context(links, wishes.context.as_deref());
    by_media(links, &wishes.media)
}

/// Lookup (RFC 4647 section 3.4): a range is shortened from its end until a link has it. A range
/// that fits nothing that way takes a link of one of its regions (`zh` a `zh-CN`).
fn by_language<'a>(links: Vec<&'a Link>, ranges: &[(&str, u16)]) -> Vec<&'a Link> {
    let wanted = ranges.iter().filter(|(_, weight)| *weight > 0);
    for (range, _) in wanted {
        let exact = lookup(range).find_map(|range| {
            keep(&links, |link| {
                let mut tags = link.hreflang.iter();
                tags.any(|tag| tag.eq_ignore_ascii_case(range))
            })
        });
        let found = exact.or_else(|| {
            keep(&links, |link| {
                link.hreflang.iter().any(|tag| is_region_of(tag, range))
            })
        });
        if let Some(found) = found {
            return found;
        }
    }
    keep(&links, |link| link.hreflang.is_empty()).unwrap_or(links)
}

/// `zh-Hans-CN`, `zh-Hans`, `zh`.
fn lookup(range: &str) -> impl Iterator<Item = &str> {
    let mut next = Some(range);
    std::iter::from_fn(move || {
        let now = next?;
        next = now.rsplit_once('-').map(|(shorter, _)| shorter);
        Some(now)
    })
}

fn is_region_of(tag: &str, range: &str) -> bool {
    let begins = tag
        .get(..range.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(range));
    begins && tag.as_bytes().get(range.len()) == Some(&b'-')
}

/// Those meant for this context; else those meant for none.
fn by_context<'a>(links: Vec<&'a Link>, context: Option<&str>) -> Vec<&'a Link> {
    let meant =
        context.and_then(|context| keep(&links, |l| l.context.iter().any(|c| c == context)));
    meant
        .or_else(|| keep(&links, |link| link.context.is_empty()))
        .unwrap_or(links)
}

/// Those whose media type is liked best; one that states none is liked as anything is.
fn by_media<'a>(links: Vec<&'a Link>, ranges: &[(&str, u16)]) -> Vec<&'a Link> {
    if ranges.is_empty() {
        return links;
    }
    let liking = |link: &Link| liking(link.media_type.as_deref().unwrap_or("*/*"), ranges);
    let best = links.iter().map(|link| liking(link)).max().unwrap_or(0);
    keep(&links, |link| liking(link) == best).unwrap_or(links)
}

/// The weight of the most specific range that covers a media type (RFC 9110 section 12.5.1).
fn liking(media: &str, ranges: &[(&str, u16)]) -> u16 {
    let main = media.split('/').next().unwrap_or_default();
    let precision = |range: &str| {
        let range = range.trim();
        if range.eq_ignore_ascii_case(media) {
            return Some(2);
        }
        let (kind, sub) = range.split_once('/')?;
        match (kind, sub) {
            ("*", "*") => Some(0),
            (kind, "*") if kind.eq_ignore_ascii_case(main) => Some(1),
            _ => None,
        }
    };
    let covering = ranges
        .iter()
        .filter_map(|(range, weight)| Some((precision(range)?, *weight)));
    covering.max().map_or(0, |(_, weight)| weight)
}

/// The links for which `fits` holds, if it holds for any.
fn keep<'a>(links: &[&'a Link], fits: impl Fn(&Link) -> bool) -> Option<Vec<&'a Link>> {
    let kept: Vec<&Link> = links.iter().copied().filter(|link| fits(link)).collect();
    (!kept.is_empty()).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolver::links::wanted::preferences;

    fn link(href: &str, media: &str, hreflang: &[&str], context: &[&str]) -> Link {
        let texts = |all: &[&str]| all.iter().map(|t| (*t).to_owned()).collect();
        Link {
            id: uuid::Uuid::nil(),
            link_type: "gs1:pip".into(),
            href: href.into(),
            title: "t".into(),
            media_type: Some(media.to_owned()).filter(|media| !media.is_empty()),
            hreflang: texts(hreflang),
            context: texts(context),
        }
    }

    /// The hrefs left over, joined.
    fn left(links: &[Link], languages: &str, context: &str, accept: &str) -> String {
        let wishes = Wishes {
            languages: preferences(std::iter::once(languages)),
            media: preferences(std::iter::once(accept)),
            context: Some(context.to_owned()).filter(|c| !c.is_empty()),
        };
        let left = choose(links.iter().collect(), &wishes);
        let hrefs: Vec<&str> = left.iter().map(|link| link.href.as_str()).collect();
        hrefs.join(" ")
    }

    #[test]
    fn languages_are_looked_up_by_weight() {
        let links = [
            link("zh", "", &["zh"], &[]),
            link("en", "", &["en-GB", "en"], &[]),
            link("cn", "", &["zh-CN"], &[]),
        ];
        for (asked, expected) in [
            ("zh-CN", "cn"),
            ("zh-TW", "zh"),
            ("zh-Hans-CN", "zh"),
            ("ZH-cn", "cn"),
            ("en-US", "en"),
            ("fr, en;q=0.5, zh;q=0.6", "zh"),
            ("en;q=0, zh", "zh"),
            ("fr", "zh en cn"),
            ("", "zh en cn"),
            ("*", "zh en cn"),
        ] {
            assert_eq!(left(&links, asked, "", ""), expected, "{asked}");
        }
        let region = [link("gb", "", &["en-GB"], &[]), link("none", "", &[], &[])];
        assert_eq!(left(&region, "en", "", ""), "gb");
        assert_eq!(left(&region, "e", "", ""), "none");
        assert_eq!(left(&region, "fr", "", ""), "none");
    }

    #[test]
    fn context_then_media_type_tell_the_rest_apart() {
        let links = [
            link("a", "text/html", &[], &[]),
            link("b", "application/pdf", &[], &[]),
            link("c", "text/html", &[], &["CN", "HK"]),
        ];
        for (context, accept, expected) in [
            ("HK", "", "c"),
            ("US", "text/html", "a"),
            ("", "application/pdf", "b"),
            ("", "text/*;q=0.5, application/pdf;q=0.4", "a"),
            ("", "*/*;q=0.9, text/html;q=0.1", "b"),
            ("", "*/*", "a b"),
            ("", "image/png", "a b"),
        ] {
            assert_eq!(
                left(&links, "", context, accept),
                expected,
                "{context} {accept}"
            );
        }
    }

    #[test]
    fn what_differs_in_nothing_is_not_decided() {
        let links = [
            link("a", "text/html", &["en"], &[]),
            link("b", "text/html", &["en"], &[]),
        ];
        assert_eq!(left(&links, "en", "x", "text/html"), "a b");
    }
}
