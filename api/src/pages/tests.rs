//! What every page promises, whatever is on it.

mod fit;
mod hostile;

use super::wording::{self, forbidden};
use super::{
    CSS, InfoRow, InfoValue, Lang, RecallNotice, ScanPage, escape, queries_sentence, slot,
};
use crate::resolver::decide::{Advice, Facts, Legality, Names, Reason, Reasons, Verdict, decide};

const STANDINGS: [Option<Legality>; 6] = [
    Some(Legality::Legal),
    Some(Legality::Void),
    Some(Legality::NotCommissioned),
    Some(Legality::NotAllocated),
    Some(Legality::UnknownIssuer),
    None,
];

fn verdict(legality: Option<Legality>, reasons: Reasons) -> Verdict {
    Verdict {
        legality,
        advice: reasons.advice(),
        reasons,
    }
}

fn page(lang: Lang, verdict: Verdict) -> ScanPage<'static> {
    ScanPage {
        lang,
        verdict,
        product_name: Some("晨牧婴儿配方奶粉"),
        brand: Some("晨牧乳业"),
        items: &[],
        recall: None,
        newer_version: false,
        lot: Some("20260116A2"),
        expiry: Some("2028-01-16"),
    }
}

/// What holds for every page, apart from the text of others on it.
fn assert_decent(html: &str) {
    assert!(html.starts_with("<!doctype html>"), "{html}");
    assert_eq!(html.matches("<h1>").count(), 1, "{html}");
    for landmark in ["<header>", "<main>", "<footer>", "<title>", "<style>"] {
        assert_eq!(html.matches(landmark).count(), 1, "{landmark} {html}");
    }
    let shown = without_data(html);
    for absent in [
        "<script", "http://", "https://", " style=", " src=", "url(", "@import",
    ] {
        assert!(!shown.contains(absent), "{absent} {html}");
    }
    forbidden::assert_absent(html);
    assert!(html.contains(&format!("<style>{CSS}</style>")));
}

/// The page without its one block of data for programs, which no browser runs.
fn without_data(html: &str) -> String {
    let Some((before, rest)) = html.split_once(r#"<script type="application/ld+json">"#) else {
        return html.to_owned();
    };
    let (data, after) = rest.split_once("</script>").expect("an end");
    assert!(!data.contains('<'), "{data}");
    format!("{before}{after}")
}

fn count(html: &str, slot: char) -> usize {
    html.matches(slot).count()
}

#[test]
fn every_standing_and_reason_is_told_in_both_languages() {
    for lang in Lang::ALL {
        for legality in STANDINGS {
            for reason in Reason::ALL {
                let html = page(lang, verdict(legality, Reasons::NONE.with(reason))).render();
                assert_decent(&html);
                assert!(html.contains(&format!("<html lang=\"{}\">", lang.tag())));
                let words = wording::reason(lang, reason);
                for text in [words.short, words.meaning, words.action] {
                    assert!(html.contains(&escape(text)), "{reason:?} {text}");
                }
                assert!(
                    html.contains(wording::standing(lang, legality)),
                    "{legality:?}"
                );
                let headline = match reason.advice() {
                    Advice::Ok => unreachable!(),
                    Advice::Caution => lang.words().caution,
                    Advice::Stop => lang.words().stop,
                };
                assert!(html.contains(&format!("<h1>{headline}</h1>")), "{reason:?}");
                assert!(html.contains(&format!("<title>{headline}")), "{reason:?}");
            }
        }
    }
}

#[test]
fn all_reasons_at_once_are_told_worst_first() {
    let all = Reason::ALL.into_iter().fold(Reasons::NONE, Reasons::with);
    for lang in Lang::ALL {
        let html = page(lang, verdict(Some(Legality::Legal), all)).render();
        let at = Reason::ALL.map(|r| html.find(wording::reason(lang, r).meaning));
        assert!(at.iter().all(Option::is_some) && at.is_sorted(), "{at:?}");
    }
}

#[test]
fn no_two_sentences_are_the_same() {
    for lang in Lang::ALL {
        for (i, a) in Reason::ALL.into_iter().enumerate() {
            for b in &Reason::ALL[i + 1..] {
                let (a, b) = (wording::reason(lang, a), wording::reason(lang, *b));
                assert_ne!(a.short, b.short);
                assert_ne!(a.meaning, b.meaning);
            }
        }
    }
}

#[test]
fn ok_says_what_was_checked_and_what_that_cannot_show() {
    let ok = decide(&Facts::of(Names::Unit(Legality::Legal)));
    for lang in Lang::ALL {
        let words = lang.words();
        let html = page(lang, ok).render();
        assert_decent(&html);
        for text in [
            words.ok,
            words.code_issued,
            words.not_recalled,
            words.not_expired,
        ] {
            assert!(html.contains(text), "{text}");
        }
        assert!(html.contains(words.ok_limits));
        let undated = ScanPage {
            expiry: None,
            ..page(lang, ok)
        }
        .render();
        assert!(
            !undated.contains(words.not_expired),
            "nobody checked a date"
        );
    }
}

#[test]
fn nothing_that_contradicts_itself_reads_as_ok() {
    let notice = RecallNotice {
        id: "R-1",
        reason: "r",
        instructions: "i",
        opened_on: "2026-02-28",
    };
    for lang in Lang::ALL {
        let ok = lang.words().ok;
        for legality in STANDINGS
            .into_iter()
            .filter(|l| *l != Some(Legality::Legal))
        {
            assert!(
                !page(lang, verdict(legality, Reasons::NONE))
                    .render()
                    .contains(ok)
            );
        }
        for reason in Reason::ALL {
            let advice = Advice::Ok;
            let reasons = Reasons::NONE.with(reason);
            let legality = Some(Legality::Legal);
            let careless = Verdict {
                legality,
                advice,
                reasons,
            };
            assert!(!page(lang, careless).render().contains(ok), "{reason:?}");
        }
        let legal = verdict(Some(Legality::Legal), Reasons::NONE);
        let html = ScanPage {
            recall: Some(&notice),
            ..page(lang, legal)
        }
        .render();
        assert!(
            html.contains(lang.words().stop) && html.contains("R-1"),
            "{html}"
        );
    }
}

#[test]
fn slots_stand_where_promised() {
    let rows = [InfoRow {
        no: 11,
        title: "产品追溯编码",
        value: InfoValue::TraceCode,
    }];
    for lang in Lang::ALL {
        let other = lang.other().tag();
        for legality in STANDINGS {
            let bare = page(lang, verdict(legality, Reasons::NONE));
            for (items, codes) in [(&rows[..0], 1), (&rows[..], 2)] {
                let html = ScanPage { items, ..bare }.render();
                assert_eq!(count(&html, slot::CODE), codes);
                assert_eq!(count(&html, slot::QUERIES), 1);
                assert_eq!(count(&html, slot::AS_OF), 1);
                assert_eq!(count(&html, slot::PATH), 2);
                let issued = verdict(legality, Reasons::NONE).found();
                assert_eq!(
                    count(&html, slot::GTIN),
                    usize::from(issued),
                    "{legality:?}"
                );
                assert!(html.contains(&format!("href=\"{}lang={other}\"", slot::PATH)));
                let forms = format!("href=\"/voice{}lang={}\"", slot::PATH, lang.tag());
                assert!(html.contains(&forms), "{html}");
            }
        }
    }
}

#[test]
fn advice_comes_first_then_recall_product_queries_code() {
    let notice = RecallNotice {
        id: "R-2026-0007",
        reason: "指标不符合",
        instructions: "请退货",
        opened_on: "2026-02-28",
    };
    let rows = [
        InfoRow {
            no: 1,
            title: "产品名称",
            value: InfoValue::Text("晨牧"),
        },
        InfoRow {
            no: 8,
            title: "保质期到期日",
            value: InfoValue::Absent,
        },
    ];
    let legal = verdict(Some(Legality::Legal), Reasons::NONE.with(Reason::Recalled));
    let html = ScanPage {
        recall: Some(&notice),
        items: &rows,
        newer_version: true,
        ..page(Lang::Zh, legal)
    }
    .render();
    let queries = slot::QUERIES.to_string();
    let words = Lang::Zh.words();
    let order = [
        "<h1>请勿使用",
        words.recall,
        "指标不符合",
        "请退货",
        "2026-02-28",
        "R-2026-0007",
        "<h2 class=\"name\">晨牧婴儿配方奶粉",
        "20260116A2",
        "2028-01-16",
        words.newer_version,
        "<span>1</span> 产品名称",
        "<span>8</span> 保质期到期日",
        words.absent,
        &queries,
        words.this_code,
        words.as_of,
        "<footer>",
        "/q?lang=zh-CN",
    ];
    let at = order.map(|text| html.find(text));
    assert!(at.iter().all(Option::is_some) && at.is_sorted(), "{at:?}");
}

#[test]
fn a_product_that_was_only_named_by_an_unissued_code_is_not_presented_as_known() {
    for lang in Lang::ALL {
        let forged = decide(&Facts::of(Names::Unit(Legality::NotAllocated)));
        let html = page(lang, forged).render();
        assert!(html.contains(lang.words().about_claimed_product));
        let real = decide(&Facts::of(Names::Unit(Legality::Void)));
        assert!(
            !page(lang, real)
                .render()
                .contains(lang.words().about_claimed_product)
        );
    }
}

#[test]
fn query_counts_never_accuse_or_assure() {
    for lang in Lang::ALL {
        for n in [0, 1, 2, 1000, u64::MAX] {
            forbidden::assert_absent(&queries_sentence(lang, n, Some("2026-02-11"), Some(60)));
        }
    }
}

#[test]
fn an_item_without_content_says_so() {
    let empty = [
        InfoValue::Absent,
        InfoValue::Text(" \n"),
        InfoValue::Files(&[]),
    ];
    for lang in Lang::ALL {
        for value in empty {
            let rows = [InfoRow {
                no: 26,
                title: "t",
                value,
            }];
            let legal = verdict(Some(Legality::Legal), Reasons::NONE);
            let html = ScanPage {
                items: &rows,
                ..page(lang, legal)
            }
            .render();
            assert!(html.contains(lang.words().absent), "{value:?}");
        }
    }
}
