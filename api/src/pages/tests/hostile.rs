//! Values made to break out of their place.

use super::{assert_decent, count, page, verdict};
use crate::pages::{FileLink, InfoRow, InfoValue, Lang, RecallNotice, ScanPage, slot};
use crate::resolver::decide::{Legality, Reasons};

#[test]
fn the_own_address_keeps_what_the_code_carried_and_stays_here() {
    for (path, query, expected) in [
        ("/p/01/0690", "", "/p/01/0690?"),
        ("/p/01/0690", "17=270416", "/p/01/0690?17=270416&amp;"),
        (
            "/p/01/0690",
            "lang=en&17=270416&lang",
            "/p/01/0690?17=270416&amp;",
        ),
        ("//evil.example/01/0690", "", "/evil.example/01/0690?"),
        ("/\\evil.example", "", "/evil.example?"),
        (
            "/\"><script>",
            "'&<",
            "/&quot;&gt;&lt;script&gt;?&#39;&amp;&lt;&amp;",
        ),
        ("/a\u{E001}\u{202E}", "", "/a?"),
    ] {
        assert_eq!(slot::here(path, query), expected, "{path:?} {query:?}");
    }
}

#[test]
fn hostile_values_are_only_text() {
    let long = "x".repeat(64 * 1024);
    let slots: String = [
        slot::CODE,
        slot::QUERIES,
        slot::AS_OF,
        slot::PATH,
        slot::GTIN,
    ]
    .iter()
    .collect();
    let attack =
        format!("</title></style><script>alert(1)</script>\"'&\u{202E}\u{2066}\u{0}\u{1B}{slots}");
    for value in [attack.as_str(), long.as_str(), slots.as_str(), ""] {
        let files = [
            FileLink {
                href: value,
                label: value,
            },
            FileLink {
                href: "javascript:alert(1)",
                label: value,
            },
            FileLink {
                href: "//evil.example/files/a",
                label: value,
            },
            FileLink {
                href: "/files/../q",
                label: value,
            },
            FileLink {
                href: "/files/0a1b",
                label: "报告",
            },
        ];
        let rows = [
            InfoRow {
                no: 1,
                title: value,
                value: InfoValue::Text(value),
            },
            InfoRow {
                no: 24,
                title: value,
                value: InfoValue::Files(&files),
            },
        ];
        let notice = RecallNotice {
            id: value,
            reason: value,
            instructions: value,
            opened_on: value,
        };
        for lang in Lang::ALL {
            let html = ScanPage {
                product_name: Some(value),
                brand: Some(value),
                items: &rows,
                recall: Some(&notice),
                lot: Some(value),
                expiry: Some(value),
                ..page(lang, verdict(Some(Legality::Legal), Reasons::NONE))
            }
            .render();
            assert_decent(&html);
            assert_eq!(html.matches("</title>").count(), 1);
            assert_eq!(html.matches("href=\"/files/").count(), 1);
            assert!(!html.contains("javascript:") && !html.contains("href=\"//"));
            for c in ['\u{202E}', '\u{2066}', '\u{0}', '\u{1B}'] {
                assert!(!html.contains(c), "{c:?}");
            }
            let counts = [
                slot::CODE,
                slot::QUERIES,
                slot::AS_OF,
                slot::GTIN,
                slot::PATH,
            ]
            .map(|s| count(&html, s));
            assert_eq!(counts, [1, 1, 1, 1, 2]);
        }
    }
}
