//! What may be registered as a link, and how a link type is named. Pure.
//!
//! Sources: GS1-Conformant Resolver standard 1.2 (levels of registration, shape of a linkset) and
//! the link types of the GS1 Web Vocabulary.

use super::{LinkError, wire::LinkIn};
use crate::{
    free_text::{self, Lines},
    projection::Link,
};
use suyuan_sync::trace_code::{self, GtinCode, OtherKey, TraceCode};

/// Most links of one anchor.
pub const LINKS_MAX: usize = 100;
/// Most links of one enterprise.
pub const ENTERPRISE_LINKS_MAX: u64 = 100_000;
const HREF_MAX: usize = 2000;
const TITLE_MAX: usize = 200;
const MEDIA_TYPE_MAX: usize = 100;
const LANGUAGES_MAX: usize = 20;
const CONTEXTS_MAX: usize = 10;
const CONTEXT_CHARS_MAX: usize = 50;
const LINK_TYPE_MAX: usize = 200;

/// Where link types of the GS1 Web Vocabulary live, as linksets name them.
pub const VOCABULARY: &str = "https://ref.gs1.org/voc/";

/// The link types of the GS1 Web Vocabulary.
const GS1_TYPES: [&str; 60] = [
    "activityIdeas",
    "allergenInfo",
    "appDownload",
    "backgroundInfo",
    "brandHomepageClinical",
    "brandHomepagePatient",
    "careersInfo",
    "certificationInfo",
    "consumerHandlingStorageInfo",
    "defaultLink",
    "defaultLinkMulti",
    "dpp",
    "eifu",
    "epcis",
    "epil",
    "eventsInfo",
    "faqs",
    "handledBy",
    "hasRetailers",
    "homepage",
    "ingredientsInfo",
    "instructions",
    "jws",
    "leaveReview",
    "locationInfo",
    "logisticsInfo",
    "loyaltyProgram",
    "masterData",
    "menuInfo",
    "nutritionalInfo",
    "openingHoursInfo",
    "paymentLink",
    "pip",
    "productSustainabilityInfo",
    "promotion",
    "purchaseSuppliesOrAccessories",
    "quickStartGuide",
    "recallStatus",
    "recipeInfo",
    "registerProduct",
    "registryEntry",
    "relatedImage",
    "relatedVideo",
    "reportFound",
    "review",
    "safetyInfo",
    "scheduleTime",
    "serviceInfo",
    "smartLabel",
    "smpc",
    "socialMedia",
    "statisticInfo",
    "subscribe",
    "support",
    "sustainabilityInfo",
    "traceability",
    "tutorial",
    "userAgreement",
    "verificationService",
    "whatsInTheBox",
];

/// A link type as it is compared: the three namespaces and the short form of GS1 are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LinkName<'a> {
    /// A term of the GS1 Web Vocabulary.
    Gs1(&'a str),
    /// Any other.
    Other(&'a str),
}

impl<'a> LinkName<'a> {
    /// Reads `gs1:pip`, `https://gs1.org/voc/pip` and its `www.` and `ref.` forms alike.
    pub fn of(text: &'a str) -> LinkName<'a> {
        if let Some(name) = text.strip_prefix("gs1:") {
            return LinkName::Gs1(name);
        }
        let web = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"));
        let host = |rest: &'a str| {
            let rest = rest.strip_prefix("www.").or(rest.strip_prefix("ref."));
            rest.unwrap_or_default()
        };
        let name = web.and_then(|rest| {
            rest.strip_prefix("gs1.org/voc/")
                .or_else(|| host(rest).strip_prefix("gs1.org/voc/"))
        });
        name.map_or(LinkName::Other(text), LinkName::Gs1)
    }

    /// As linksets name it.
    pub fn uri(self) -> String {
        match self {
            LinkName::Gs1(name) => format!("{VOCABULARY}{name}"),
            LinkName::Other(uri) => uri.to_owned(),
        }
    }

    /// As it is stored and told: `gs1:…` or an address.
    pub fn short(self) -> String {
        match self {
            LinkName::Gs1(name) => format!("gs1:{name}"),
            LinkName::Other(uri) => uri.to_owned(),
        }
    }

    /// A term of the vocabulary, or what the published schema takes as a name of another's.
    pub fn is_known(self) -> bool {
        match self {
            LinkName::Gs1(name) => GS1_TYPES.contains(&name),
            LinkName::Other(uri) => {
                let rest = uri
                    .strip_prefix("https://")
                    .or_else(|| uri.strip_prefix("http://"));
                let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/');
                rest.is_some_and(|rest| {
                    uri.len() <= LINK_TYPE_MAX && rest.contains('/') && rest.bytes().all(plain)
                })
            }
        }
    }
}

/// Reads the anchor: which key, at which level.
pub fn anchor(text: &str) -> Result<TraceCode, LinkError> {
    let wrong = |code: &str, en: &str, zh: &str| LinkError::field("anchor", code, en, zh);
    let scanned = trace_code::parse_path(text, "")
        .map_err(|error| wrong(error.fault.code(), error.fault.en(), error.fault.zh()))?;
    let code = scanned.code;
    if !is_level(&code) {
        return Err(wrong(
            "level",
            "register at 01, 22, 10, 22 and 10, 21 or 235; a serial stands without 22 and 10",
            "可登记的层级为 01、22、10、22 加 10、21、235；带系列号时不得再带 22 和 10",
        ));
    }
    Ok(code)
}

/// May links be registered for exactly this? A serial outranks batch and variant, so that naming
/// those too would only split one thing in two.
fn is_level(code: &TraceCode) -> bool {
    match code {
        TraceCode::Gtin(gtin) => {
            gtin.serial.is_none() || (gtin.variant.is_none() && gtin.lot.is_none())
        }
        TraceCode::Sscc(_) => true,
        TraceCode::Other(key) => {
            let has = |ai: &str| key.qualifiers.iter().flatten().any(|q| *q.ai == *ai);
            !(*key.ai == *"8006" && has("21") && (has("22") || has("10")))
        }
        TraceCode::Own(_) | TraceCode::Profiled(_) => false,
    }
}

/// Whose key it is, is told by this.
#[derive(Debug, PartialEq, Eq)]
pub enum Owned<'a> {
    /// By the product with this GTIN.
    Product(&'a GtinCode),
    /// By the company prefix these digits begin with.
    Prefix(&'a str),
}

/// What decides whose key it is; `None` for keys that no one can register links for.
pub fn owned(code: &TraceCode) -> Option<Owned<'_>> {
    match code {
        TraceCode::Gtin(gtin) => Some(Owned::Product(gtin)),
        TraceCode::Sscc(sscc) => sscc.as_str().get(1..).map(Owned::Prefix),
        TraceCode::Other(OtherKey { ai, value, .. }) => {
            // Indicator, or the leading zero of an asset number, stands before the prefix.
            let before = usize::from(matches!(ai.as_str(), "8006" | "8003"));
            value.as_str().get(before..).map(Owned::Prefix)
        }
        TraceCode::Own(_) | TraceCode::Profiled(_) => None,
    }
}

/// Checks a link for the key `code`; what comes back is canonical but for its id.
pub fn link(code: &TraceCode, new: &LinkIn) -> Result<Link, LinkError> {
    let name = LinkName::of(&new.link_type);
    check_type(code, name, new)?;
    check_href(&new.href)?;
    free_text::check("title", &new.title, TITLE_MAX, Lines::One)
        .map_err(|fault| LinkError::Fields(vec![fault]))?;
    if let Some(media) = &new.media_type
        && !is_media_type(media)
    {
        return Err(LinkError::field(
            "media_type",
            "format",
            "a media type such as text/html, small letters, without parameters",
            "媒体类型，例如 text/html，小写，不带参数",
        ));
    }
    let languages = &new.hreflang;
    if languages.len() > LANGUAGES_MAX
        || !distinct(languages)
        || !languages.iter().all(|l| is_language(l))
    {
        return Err(LinkError::field(
            "hreflang",
            "format",
            "at most 20 different languages, each as zh or zh-CN",
            "最多 20 种不同语言，写作 zh 或 zh-CN",
        ));
    }
    let contexts = &new.context;
    if contexts.len() > CONTEXTS_MAX
        || !distinct(contexts)
        || !contexts.iter().all(|c| is_context(c))
    {
        return Err(LinkError::field(
            "context",
            "format",
            "at most 10 different values of 1 to 50 letters, digits and -._~",
            "最多 10 个不同的值，每个 1 到 50 个字母、数字或 -._~",
        ));
    }
    Ok(Link {
        id: uuid::Uuid::nil(),
        link_type: name.short(),
        href: new.href.clone(),
        title: new.title.clone(),
        media_type: new.media_type.clone(),
        hreflang: languages.clone(),
        context: contexts.clone(),
    })
}

fn check_type(code: &TraceCode, name: LinkName<'_>, new: &LinkIn) -> Result<(), LinkError> {
    if !name.is_known() {
        return Err(LinkError::field(
            "link_type",
            "unknown",
            "gs1: and a link type of the GS1 Web Vocabulary, or an http(s) address of letters, digits, . and /",
            "gs1: 加 GS1 词汇表中的链接类型，或由字母、数字、. 和 / 组成的 http(s) 地址",
        ));
    }
    // Whether goods are genuine or recalled is told by the installation, not by whoever sells them.
    let page_of_ours = !matches!(code, TraceCode::Other(_));
    let reserved = match name {
        LinkName::Gs1("defaultLinkMulti" | "recallStatus" | "verificationService") => true,
        LinkName::Gs1("defaultLink") => page_of_ours,
        LinkName::Gs1(_) | LinkName::Other(_) => false,
    };
    if reserved {
        return Err(LinkError::field(
            "link_type",
            "reserved",
            "only this resolver answers this link type",
            "该链接类型只能由本解析服务提供",
        ));
    }
    let bare = new.media_type.is_none() && new.hreflang.is_empty() && new.context.is_empty();
    if name == LinkName::Gs1("defaultLink") && !bare {
        return Err(LinkError::field(
            "link_type",
            "default-with-attributes",
            "a default link has a title and nothing else",
            "默认链接只能带标题，不能带其他属性",
        ));
    }
    Ok(())
}

fn check_href(href: &str) -> Result<(), LinkError> {
    let rest = href
        .strip_prefix("https://")
        .or_else(|| href.strip_prefix("http://"));
    let host = |rest: &str| {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default().to_owned()
    };
    let plain = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&b);
    let is_host = |host: &str| {
        let name = host.split(':').next().unwrap_or_default();
        let shaped = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':');
        !name.is_empty() && host.bytes().all(shaped)
    };
    let fits = href.len() <= HREF_MAX
        && href.bytes().all(plain)
        && rest.is_some_and(|rest| is_host(&host(rest)));
    if fits {
        return Ok(());
    }
    Err(LinkError::field(
        "href",
        "format",
        "an http(s) address of at most 2000 visible ASCII characters, without fragment and user name",
        "http(s) 地址，最多 2000 个可见 ASCII 字符，不带片段和用户名",
    ))
}

fn is_media_type(text: &str) -> bool {
    let token = |part: &str| {
        let plain =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$&-^_.+".contains(&b);
        !part.is_empty() && part.bytes().all(plain)
    };
    text.len() <= MEDIA_TYPE_MAX
        && text
            .split_once('/')
            .is_some_and(|(main, sub)| token(main) && token(sub))
}

/// `ll` or `ll-CC`: the published schema takes nothing else.
fn is_language(text: &str) -> bool {
    match text.as_bytes() {
        [a, b] => a.is_ascii_lowercase() && b.is_ascii_lowercase(),
        [a, b, b'-', c, d] => {
            let small = a.is_ascii_lowercase() && b.is_ascii_lowercase();
            small && c.is_ascii_uppercase() && d.is_ascii_uppercase()
        }
        _ => false,
    }
}

fn is_context(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    (1..=CONTEXT_CHARS_MAX).contains(&text.len()) && text.bytes().all(plain)
}

fn distinct(texts: &[String]) -> bool {
    let mut sorted: Vec<&String> = texts.iter().collect();
    sorted.sort_unstable();
    sorted.windows(2).all(|pair| pair[0] != pair[1])
}

/// Do two links lead to the same place under the same conditions? Their titles may differ.
pub fn same(one: &Link, other: &Link) -> bool {
    let key = |l: &Link| {
        (
            l.link_type.clone(),
            l.href.clone(),
            l.media_type.clone(),
            l.hreflang.clone(),
            l.context.clone(),
        )
    };
    key(one) == key(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(anchor: &str) -> LinkIn {
        LinkIn {
            anchor: anchor.into(),
            link_type: "gs1:pip".into(),
            href: "https://brand.example/1?x=1".into(),
            title: "产品页".into(),
            media_type: Some("text/html".into()),
            hreflang: vec!["zh".into(), "zh-CN".into()],
            context: vec!["CN".into()],
        }
    }

    fn fault(result: Result<impl std::fmt::Debug, LinkError>) -> String {
        match result {
            Err(LinkError::Fields(errors)) => format!("{} {}", errors[0].field, errors[0].code),
            other => format!("{other:?}"),
        }
    }

    const TIN: &str = "/01/09521234000013";

    #[test]
    fn three_namespaces_and_the_short_form_are_one_link_type() {
        for text in [
            "gs1:pip",
            "https://gs1.org/voc/pip",
            "http://www.gs1.org/voc/pip",
            "https://ref.gs1.org/voc/pip",
        ] {
            assert_eq!(LinkName::of(text), LinkName::Gs1("pip"), "{text}");
        }
        for text in [
            "pip",
            "https://x.gs1.org/voc/pip",
            "https://gs1.org.evil/voc/pip",
        ] {
            assert_eq!(LinkName::of(text), LinkName::Other(text));
        }
    }

    #[test]
    fn links_are_registered_at_the_levels_of_the_standard() {
        for good in [
            TIN.into(),
            format!("{TIN}/22/2A"),
            format!("{TIN}/10/L"),
            format!("{TIN}/22/2A/10/L"),
            format!("{TIN}/21/S"),
            format!("{TIN}/235/T"),
            "/00/095212340000000013".into(),
            "/414/9521234000006".into(),
        ] {
            let told = anchor(&good).map(|code| code.to_string());
            assert_eq!(told.ok().as_deref(), Some(good.as_str()));
        }
        for bad in [
            format!("{TIN}/10/L/21/S"),
            format!("{TIN}/22/2A/21/S"),
            "/8006/095212340000130102/10/L/21/S".into(),
        ] {
            assert_eq!(fault(anchor(&bad)), "anchor level", "{bad}");
        }
        assert_eq!(
            fault(anchor("/01/09521234000014")),
            "anchor bad-check-digit"
        );
        assert_eq!(
            fault(anchor("/01/09521234000013/17/270101")),
            "anchor attribute-in-path"
        );
    }

    #[test]
    fn a_link_is_refused_by_the_part_that_is_wrong() {
        let code = anchor(TIN).unwrap();
        assert!(link(&code, &new(TIN)).is_ok());
        let changed = |change: &dyn Fn(&mut LinkIn)| {
            let mut new = new(TIN);
            change(&mut new);
            fault(link(&code, &new))
        };
        for kind in [
            "gs1:nosuchlt",
            "pip",
            "https://x",
            "https://a.example/a b",
            "https://a.example/a-b",
        ] {
            assert_eq!(
                changed(&|l| l.link_type = kind.into()),
                "link_type unknown",
                "{kind}"
            );
        }
        for kind in [
            "gs1:defaultLink",
            "https://gs1.org/voc/recallStatus",
            "gs1:verificationService",
        ] {
            assert_eq!(
                changed(&|l| l.link_type = kind.into()),
                "link_type reserved",
                "{kind}"
            );
        }
        for href in [
            "",
            "javascript:alert(1)",
            "//brand.example/",
            "https://",
            "https:///x",
            "https://a@evil.example/",
            "https://a.example/#x",
            "https://a.example/\r\nx",
            "https://a.example/婴",
            "https://a.example/{gtin}",
        ] {
            assert_eq!(changed(&|l| l.href = href.into()), "href format", "{href}");
        }
        let long = format!("https://a.example/{}", "x".repeat(HREF_MAX));
        assert_eq!(changed(&|l| l.href.clone_from(&long)), "href format");
        for (title, wrong) in [
            ("", "title length"),
            ("a\nb", "title line-break"),
            ("a\u{202e}b", "title hidden-character"),
        ] {
            assert_eq!(changed(&|l| l.title = title.into()), wrong, "{title}");
        }
        for media in ["html", "Text/html", "text/html;charset=utf-8", "text/"] {
            assert_eq!(
                changed(&|l| l.media_type = Some(media.into())),
                "media_type format"
            );
        }
        for language in ["zh-Hans", "zho", "ZH", "zh-cn", "*", ""] {
            assert_eq!(
                changed(&|l| l.hreflang = vec![language.into()]),
                "hreflang format"
            );
        }
        assert_eq!(
            changed(&|l| l.hreflang = vec!["en".into(), "en".into()]),
            "hreflang format"
        );
        for context in ["", "a b", "婴"] {
            assert_eq!(
                changed(&|l| l.context = vec![context.into()]),
                "context format"
            );
        }
    }

    #[test]
    fn whose_key_it_is_is_read_after_the_indicator() {
        let prefix = |text: &str| match owned(&anchor(text).unwrap()) {
            Some(Owned::Prefix(digits)) => digits[..7].to_owned(),
            other => format!("{other:?}"),
        };
        assert_eq!(prefix("/414/9521234000006"), "9521234");
        assert_eq!(prefix("/8003/09521234000013A"), "9521234");
    }
}
