//! Fit for a slow line and for tired eyes.

use super::page;
use crate::pages::{CSS, InfoRow, InfoValue, Lang, ScanPage};
use crate::resolver::decide::{Facts, Legality, Names, decide};
use flate2::{Compression, write::GzEncoder};
use std::io::Write as _;

#[test]
fn a_full_page_travels_in_one_breath() {
    // 26 items, each its own text, three of them long: more varied than any real label.
    let mut seed = 7u32;
    let mut text = |n: usize| -> String {
        (0..n)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                char::from_u32(0x4E00 + (seed >> 16) % 800).unwrap_or('配')
            })
            .collect()
    };
    let values: Vec<String> = (1..=26)
        .map(|no| text(if matches!(no, 19 | 21 | 23) { 500 } else { 20 }))
        .collect();
    let row = |(no, value)| InfoRow {
        no,
        title: "产品名称",
        value: InfoValue::Text(value),
    };
    let rows: Vec<InfoRow<'_>> = (1..)
        .zip(values.iter().map(String::as_str))
        .map(row)
        .collect();
    let ok = decide(&Facts::of(Names::Unit(Legality::Legal)));
    let html = ScanPage {
        items: &rows,
        ..page(Lang::Zh, ok)
    }
    .render();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::new(6));
    gzip.write_all(html.as_bytes()).unwrap();
    let bytes = gzip.finish().unwrap().len();
    assert!(bytes < 8 * 1024, "{bytes} bytes");
}

/// Relative luminance of `#rgb` or `#rrggbb`, as WCAG 2 defines it.
fn luminance(hex: &str) -> f64 {
    let digits: Vec<u8> = hex.chars().map(|c| c.to_digit(16).unwrap() as u8).collect();
    let step = digits.len() / 3;
    let channel = |i: usize| {
        let value = f64::from(digits[i * step] * 16 + digits[i * step + step - 1]) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * channel(0) + 0.7152 * channel(1) + 0.0722 * channel(2)
}

#[test]
fn text_stands_out_in_the_light_and_in_the_dark() {
    let (light, dark) = CSS
        .split_once("@media (prefers-color-scheme:dark)")
        .unwrap();
    for scheme in [light, dark] {
        let colour = |name: &str| {
            let (_, rest) = scheme.split_once(&format!("--{name}:#")).unwrap();
            luminance(&rest[..rest.find([';', '}']).unwrap()])
        };
        for (ink, ground) in [
            ("ink", "page"),
            ("ink", "card"),
            ("soft", "page"),
            ("soft", "card"),
            ("link", "page"),
            ("link", "card"),
            ("alarm", "card"),
            ("on-link", "link"),
            ("on-ok", "ok"),
            ("on-caution", "caution"),
            ("on-stop", "stop"),
        ] {
            let (a, b) = (colour(ink), colour(ground));
            let ratio = (a.max(b) + 0.05) / (a.min(b) + 0.05);
            assert!(ratio >= 4.5, "{ink} on {ground}: {ratio:.2}");
        }
    }
}
