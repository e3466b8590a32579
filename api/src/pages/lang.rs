//! Which of the two languages a person reads.

use super::wording::{self, Words};

/// A language of the pages.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Lang {
    /// Simplified Chinese, the default.
    Zh,
    /// English.
    En,
}

impl Lang {
    /// Both.
    pub const ALL: [Lang; 2] = [Lang::Zh, Lang::En];

    /// The BCP 47 tag, for `lang` attributes, `Content-Language` and cache keys.
    pub const fn tag(self) -> &'static str {
        match self {
            Lang::Zh => "zh-CN",
            Lang::En => "en",
        }
    }

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Lang {
        match self {
            Lang::Zh => Lang::En,
            Lang::En => Lang::Zh,
        }
    }

    pub(super) const fn words(self) -> &'static Words {
        match self {
            Lang::Zh => &wording::ZH,
            Lang::En => &wording::EN,
        }
    }

    /// The language asked for: `query_lang` where it names one of ours, else the first match of
    /// the `Accept-Language` value by descending weight (RFC 4647 section 3.4, lookup), else
    /// Chinese. Total: what is malformed counts as absent.
    pub fn negotiate(accept_language: &str, query_lang: Option<&str>) -> Lang {
        if let Some(lang) = query_lang.and_then(Lang::matching) {
            return lang;
        }
        let mut best: Option<(u16, Lang)> = None;
        let mut chinese_refused = false;
        for (range, weight) in accept_language.split(',').filter_map(weighted) {
            let Some(lang) = Lang::matching(range) else {
                continue;
            };
            if weight == 0 {
                // "zh-TW;q=0" refuses one variety; only these refuse Chinese as we write it.
                let ours = ["zh", "zh-CN", "zh-Hans"];
                chinese_refused |= ours.iter().any(|r| range.eq_ignore_ascii_case(r));
            } else if best.is_none_or(|(heaviest, _)| weight > heaviest) {
                best = Some((weight, lang));
            }
        }
        match best {
            Some((_, lang)) => lang,
            None if chinese_refused => Lang::En,
            None => Lang::Zh,
        }
    }

    /// Lookup of one range: subtags are cut from its end until a language of ours is left.
    fn matching(range: &str) -> Option<Lang> {
        let mut subtags = range.trim().split(['-', '_']);
        let primary = subtags.next()?;
        let well_formed =
            |s: &str| (1..=8).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric());
        if !subtags.all(well_formed) {
            return None;
        }
        match primary {
            p if p.eq_ignore_ascii_case("zh") => Some(Lang::Zh),
            p if p.eq_ignore_ascii_case("en") => Some(Lang::En),
            _ => None,
        }
    }
}

/// One element of the header: the range and its weight in thousandths.
fn weighted(element: &str) -> Option<(&str, u16)> {
    let Some((range, parameter)) = element.split_once(';') else {
        return Some((element.trim(), 1000));
    };
    let (name, value) = parameter.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    Some((range.trim(), thousandths(value.trim())?))
}

/// `0`, `1`, `0.8`, `0.125`, `1.000`: RFC 9110 section 12.4.2, nothing else.
fn thousandths(qvalue: &str) -> Option<u16> {
    let (whole, fraction) = qvalue.split_once('.').unwrap_or((qvalue, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let padded: u16 = format!("{fraction:0<3}").parse().ok()?;
    match (whole, padded) {
        ("0", _) => Some(padded),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_asked_for_is_found() {
        use Lang::{En, Zh};
        let cases = [
            ("", None, Zh),
            ("zh-CN,zh;q=0.9,en;q=0.8", None, Zh),
            ("en-GB,en;q=0.9,zh-CN;q=0.8", None, En),
            ("en;q=0.5, zh-TW;q=0.6", None, Zh),
            ("en;q=0.6, zh-TW;q=0.5", None, En),
            ("en, zh", None, En),
            ("zh, en", None, Zh),
            ("EN-us", None, En),
            ("zh-Hant-HK-x-private", None, Zh),
            ("fr-FR,fr;q=0.9,en;q=0.1", None, En),
            ("fr, de;q=0.5", None, Zh),
            ("*", None, Zh),
            ("en;q=0.1, *;q=0.9", None, En),
            ("en;q=0", None, Zh),
            ("zh;q=0, *", None, En),
            ("zh-TW;q=0, *", None, Zh),
            ("en ; q=0.8 , zh ; Q=0.7", None, En),
            ("en;q=1.000,zh;q=1", None, En),
            // Malformed elements are absent, not fatal.
            ("en;q=2, zh;q=0.1", None, Zh),
            ("en;q=1.001, zh;q=0.1", None, Zh),
            ("en;q=0.1234, zh;q=0.1", None, Zh),
            ("en;q=-1, zh;q=0.1", None, Zh),
            ("en;q=NaN, zh;q=0.1", None, Zh),
            ("en;level=1, zh;q=0.1", None, Zh),
            ("english, eng, e", None, Zh),
            ("en--US", None, Zh),
            ("en-waytoolongsubtag", None, Zh),
            (",,;;==,q=,;q=", None, Zh),
            ("en\u{0}", None, Zh),
            ("ｅｎ, 中文", None, Zh),
            // The address wins, if it names a language of ours.
            ("zh", Some("en"), En),
            ("en", Some("zh-CN"), Zh),
            ("en", Some("zh_CN"), Zh),
            ("en", Some("ZH-hans"), Zh),
            ("en", Some(""), En),
            ("en", Some("<script>"), En),
            ("en", Some("fr"), En),
        ];
        for (header, query, expected) in cases {
            let found = Lang::negotiate(header, query);
            assert_eq!(found, expected, "{header:?} {query:?}");
        }
    }

    #[test]
    fn a_huge_header_is_read_once() {
        let header = "zz;q=0.999,".repeat(100_000) + "en;q=0.001";
        assert_eq!(Lang::negotiate(&header, None), Lang::En);
        let subtags = format!("en{}", "-a".repeat(100_000));
        assert_eq!(Lang::negotiate(&subtags, None), Lang::En);
    }
}
