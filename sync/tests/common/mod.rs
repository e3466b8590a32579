//! Codes to test with: every kind, with values drawn from all they may hold.

// Each test binary uses some of these and not others.
#![allow(dead_code)]

use proptest::prelude::*;
use suyuan_sync::trace_code::{
    Gtin, GtinCode, OtherKey, OwnCode, Qualifier, Sscc, TagKind, Text, TraceCode, check_digit,
};

/// Any value of CSET 82 of at most `max` characters, dot segments excepted; often one made of
/// pieces that mean something to some reader.
pub fn cset82(max: usize) -> impl Strategy<Value = String> {
    let any = proptest::string::string_regex("[!\"%&'()*+,./0-9:;<=>?A-Z_a-z-]{1,90}").unwrap();
    let piece = prop::sample::select(vec![
        "://",
        "(10)",
        "(",
        ")",
        "%2F",
        "%",
        "/",
        "..",
        ".",
        "//",
        "/01/",
        "?17=",
        "&",
        ";",
        "=",
        "c/",
        "+",
        "A",
        "x9",
        "06901234567892",
        "https",
        "-",
    ]);
    let pieces = prop::collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat());
    prop_oneof![any, pieces]
        .prop_map(move |value| value.chars().take(max).collect())
        .prop_filter("dot segment", |value: &String| {
            value != "." && value != ".."
        })
}

fn text<const N: usize>(max: usize) -> impl Strategy<Value = Text<N>> {
    cset82(max).prop_map(|value| Text::new(&value).unwrap())
}

/// Any digits of a given number, the check digit added.
pub fn numbered(len: usize) -> impl Strategy<Value = String> {
    proptest::string::string_regex(&format!("[0-9]{{{}}}", len - 1))
        .unwrap()
        .prop_map(|body| format!("{body}{}", check_digit(&body).unwrap()))
}

pub fn gtin() -> impl Strategy<Value = Gtin> {
    numbered(14).prop_map(|digits| Gtin::parse(&digits).unwrap())
}

pub fn sscc() -> impl Strategy<Value = TraceCode> {
    numbered(18).prop_map(|digits| TraceCode::Sscc(Sscc::parse(&digits).unwrap()))
}

pub fn gtin_code() -> impl Strategy<Value = TraceCode> {
    let optional = || proptest::option::of(text::<20>(20));
    let narrowed =
        (gtin(), optional(), optional(), optional()).prop_map(|(gtin, variant, lot, serial)| {
            GtinCode {
                gtin,
                variant,
                lot,
                serial,
                upui: None,
            }
        });
    let tracked = (gtin(), text::<28>(28)).prop_map(|(gtin, upui)| GtinCode {
        upui: Some(upui),
        ..GtinCode::product(gtin)
    });
    prop_oneof![4 => narrowed, 1 => tracked].prop_map(TraceCode::Gtin)
}

pub fn own_code() -> impl Strategy<Value = OwnCode> {
    let enterprise = "[0-9A-HJKMNP-TV-Z]{2,12}";
    let internal = "[0-9A-HJKMNP-TV-Z]{1,6}(-[0-9A-HJKMNP-TV-Z]{1,6}){0,4}-?";
    (enterprise, internal).prop_filter_map("too short", |(enterprise, internal)| {
        OwnCode::new(&enterprise, &internal).ok()
    })
}

fn other(ai: &str, value: &str, qualifiers: &[(&str, &str)]) -> TraceCode {
    let mut list = [None; 3];
    for (slot, (ai, value)) in list.iter_mut().zip(qualifiers) {
        *slot = Some(Qualifier {
            ai: Text::new(ai).unwrap(),
            value: Text::new(value).unwrap(),
        });
    }
    TraceCode::Other(OtherKey {
        ai: Text::new(ai).unwrap(),
        value: Text::new(value).unwrap(),
        qualifiers: list,
    })
}

pub fn other_key() -> impl Strategy<Value = TraceCode> {
    let gln = || numbered(13);
    prop_oneof![
        (numbered(14), cset82(20)).prop_map(|(gtin, serial)| other(
            "8006",
            &format!("{gtin}0103"),
            &[("10", "L"), ("21", &serial)]
        )),
        (gln(), cset82(20)).prop_map(|(gln, site)| other("414", &gln, &[("254", &site)])),
        gln().prop_map(|gln| other("417", &gln, &[("7040", "1ab_")])),
        (gln(), cset82(25)).prop_map(|(gln, slip)| other("415", &gln, &[("8020", &slip)])),
        (gln(), cset82(17)).prop_map(|(gln, rest)| other("253", &format!("{gln}{rest}"), &[])),
        (gln(), cset82(16)).prop_map(|(gln, rest)| other("8003", &format!("0{gln}{rest}"), &[])),
        cset82(26).prop_map(|rest| other("8004", &format!("6901{rest}"), &[])),
        cset82(26).prop_map(|rest| other("401", &format!("6901{rest}"), &[])),
        "[A-Z0-9#/-]{1,26}".prop_map(|r| other("8010", &format!("6901{r}"), &[("8011", "7")])),
        numbered(18).prop_map(|number| other("8017", &number, &[])),
        numbered(17).prop_map(|number| other("402", &number, &[])),
    ]
}

/// A code that an EPC can be of, and how many digits its company prefix has: with the serial of
/// the tag it goes to, of those that TDS can write.
pub fn tagged() -> impl Strategy<Value = (TraceCode, usize, TagKind)> {
    let unit = |serial: String, gtin: Gtin| GtinCode {
        serial: Text::new(&serial),
        ..GtinCode::product(gtin)
    };
    let number = || prop_oneof![Just(0), 0..1000u64, 0..1u64 << 38, Just((1 << 38) - 1)];
    let place = |gln: &str, extension: Option<String>| {
        let list: Vec<_> = extension
            .iter()
            .map(|text| ("254", text.as_str()))
            .collect();
        other("414", gln, &list)
    };
    let code = prop_oneof![
        (gtin(), number()).prop_map(move |(gtin, number)| {
            let code = TraceCode::Gtin(unit(number.to_string(), gtin));
            (code, TagKind::Sgtin96)
        }),
        (gtin(), cset82(20)).prop_map(move |(gtin, serial)| {
            (TraceCode::Gtin(unit(serial, gtin)), TagKind::Sgtin198)
        }),
        sscc().prop_map(|code| (code, TagKind::Sscc96)),
        (numbered(13), proptest::option::of(1..1u64 << 41)).prop_map(move |(gln, number)| {
            (place(&gln, number.map(|n| n.to_string())), TagKind::Sgln96)
        }),
    ];
    (code, 4..=12usize).prop_map(|((code, kind), len)| (code, len, kind))
}

pub fn trace_code() -> impl Strategy<Value = TraceCode> {
    prop_oneof![
        4 => gtin_code(),
        1 => sscc(),
        2 => own_code().prop_map(TraceCode::Own),
        2 => other_key(),
    ]
}
