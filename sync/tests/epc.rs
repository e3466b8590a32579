//! What is written to RFID tags is read back to the same code, and is what the standard says.

mod common;

use proptest::prelude::*;
use suyuan_sync::trace_code::{
    Epc, Filter, Form, GtinCode, TagKind, Text, TraceCode, parse, parse_path,
};

/// Text of the printed code, digits of its company prefix, filter, and what must be written: the
/// examples of the EPC Tag Data Standard.
const SAMPLES: &[(&str, usize, TagKind, &str, &str)] = &[
    (
        "(01)80614141123458(21)6789",
        7,
        TagKind::Sgtin96,
        "3074257BF7194E4000001A85",
        "sgtin-96:3.0614141.812345.6789",
    ),
    (
        "(01)70614141123451(21)32a/b",
        7,
        TagKind::Sgtin198,
        "3674257BF6B7A659B2C2BF100000000000000000000000000000",
        "sgtin-198:3.0614141.712345.32a%2Fb",
    ),
    (
        "(00)106141412345678908",
        7,
        TagKind::Sscc96,
        "3174257BF4499602D2000000",
        "sscc-96:3.0614141.1234567890",
    ),
    (
        "(414)0614141123452(254)5678",
        7,
        TagKind::Sgln96,
        "3274257BF46072000000162E",
        "sgln-96:3.0614141.12345.5678",
    ),
];

fn base64url(hex: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digits = hex.chars().map(|c| c.to_digit(16).unwrap());
    let mut bits: Vec<u32> = digits
        .flat_map(|d| (0..4).rev().map(move |place| d >> place & 1))
        .collect();
    bits.resize(bits.len().next_multiple_of(6), 0);
    bits.chunks(6)
        .map(|six| six.iter().fold(0, |value, bit| value << 1 | bit) as usize)
        .map(|value| char::from(ALPHABET[value]))
        .collect()
}

#[test]
fn the_samples_of_the_standard_are_written_and_read() {
    let filter = Filter::new(3).unwrap();
    for &(printed, len, kind, hex, urn) in SAMPLES {
        let code = parse(printed).unwrap().code;
        let tag = Epc::of(&code, len).unwrap().tag(kind, filter).unwrap();
        assert_eq!(tag.to_string(), hex);
        assert_eq!(tag.urn().to_string(), format!("urn:epc:tag:{urn}"));
        for text in [hex.to_owned(), format!("urn:epc:tag:{urn}")] {
            assert_eq!(parse(&text).unwrap().code, code);
        }
    }
}

#[test]
fn a_scanned_tag_stands_for_the_address_of_its_code() {
    let scanned = parse_path(
        "/eh3674257BF6B7A659B2C2BF100000000000000000000000000000",
        "",
    )
    .unwrap();
    assert_eq!(scanned.form, Form::EpcBinary);
    assert_eq!(
        scanned
            .code
            .digital_link("https://id.example.cn")
            .to_string(),
        "https://id.example.cn/01/70614141123451/21/32a%2Fb"
    );
}

#[test]
fn classes_have_identities_and_no_tags() {
    for (printed, urn) in [
        ("80614141123458", "urn:epc:idpat:sgtin:0614141.812345.*"),
        (
            "(01)80614141123458(10)L&7",
            "urn:epc:class:lgtin:0614141.812345.L%267",
        ),
        ("(414)0614141123452", "urn:epc:id:sgln:0614141.12345.0"),
    ] {
        let code = parse(printed).unwrap().code;
        let epc = Epc::of(&code, 7).unwrap();
        assert_eq!(epc.to_string(), urn);
        assert_eq!(parse(urn).unwrap().code, code);
        for kind in [TagKind::Sgtin96, TagKind::Sgtin198, TagKind::Sscc96] {
            assert!(epc.tag(kind, Filter::OTHER).is_none(), "{printed} {kind:?}");
        }
    }
}

#[test]
fn what_a_tag_has_no_room_for_is_refused() {
    let epc = |serial: &str| {
        let printed = format!("(01)06901234567892(21){serial}");
        Epc::of(&parse(&printed).unwrap().code, 7).unwrap()
    };
    let fits = |serial, kind| epc(serial).tag(kind, Filter::OTHER).is_some();
    for serial in ["06789", "274877906944", "99999999999999999999", "1A"] {
        assert!(!fits(serial, TagKind::Sgtin96), "{serial}");
        assert!(fits(serial, TagKind::Sgtin198), "{serial}");
    }
    assert!(fits("274877906943", TagKind::Sgtin96));
    for other in [
        "MY8.T1N-0042-Q",
        "(01)06901234567892(235)X",
        "(417)6901234000009",
        "(414)6901234000009(254)0",
    ] {
        assert_eq!(Epc::of(&parse(other).unwrap().code, 7), None, "{other}");
    }
    let code = parse("06901234567892").unwrap().code;
    for len in [0, 3, 13, usize::MAX] {
        assert_eq!(Epc::of(&code, len), None);
    }
    // A serial that never went through a reader is not trusted either.
    let TraceCode::Gtin(product) = code else {
        unreachable!()
    };
    let made = TraceCode::Gtin(GtinCode {
        serial: Text::new("a b"),
        ..product
    });
    let epc = Epc::of(&made, 7).unwrap();
    assert!(epc.tag(TagKind::Sgtin198, Filter::OTHER).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn what_is_written_is_read_back_in_every_form(
        (code, len, kind) in common::tagged(), filter in 0..8u8,
    ) {
        let epc = Epc::of(&code, len).unwrap();
        let tag = epc.tag(kind, Filter::new(filter).unwrap()).unwrap();
        let hex = tag.to_string();
        let text = |text: &str| parse(text).map(|read| (read.code, read.form));
        prop_assert_eq!(text(&hex), Ok((code, Form::EpcBinary)));
        prop_assert_eq!(text(&hex.to_lowercase()), Ok((code, Form::EpcBinary)));
        for urn in [epc.to_string(), tag.urn().to_string()] {
            prop_assert_eq!(text(&urn), Ok((code, Form::EpcUrn)), "{}", urn);
        }
        for path in [format!("/eh{hex}"), format!("/ex{}", base64url(&hex))] {
            let read = parse_path(&path, "17=270331").unwrap();
            prop_assert_eq!((read.code, read.form), (code, Form::EpcBinary));
            prop_assert_eq!(read.claims.expiry, Some(*b"270331"));
        }
    }

    /// Every binary string is read to the code it was written from, or refused within the text.
    #[test]
    fn a_changed_bit_is_refused_or_read_as_what_it_then_says(
        (code, len, kind) in common::tagged(), flipped in 0..208usize,
    ) {
        let epc = Epc::of(&code, len).unwrap();
        let mut hex = epc.tag(kind, Filter::OTHER).unwrap().to_string().into_bytes();
        let place = flipped / 4 % hex.len();
        let digit = char::from(hex[place]).to_digit(16).unwrap() ^ (1 << (flipped % 4));
        hex[place] = char::from_digit(digit, 16).unwrap() as u8;
        let text = format!("0x{}", String::from_utf8(hex).unwrap());
        match parse(&text) {
            Err(error) => prop_assert!(error.position < text.len(), "{:?}", error),
            // Only the filter value is no part of what is named.
            Ok(read) => prop_assert_eq!(read.code == code, (8..11).contains(&(place * 4 + 3 - flipped % 4))),
        }
    }

    #[test]
    fn no_binary_string_makes_the_reader_panic(
        header in prop::sample::select(vec!["30", "31", "32", "36", "35", ""]),
        digits in "[0-9A-Fa-f]{0,60}", cut in 0..60usize,
    ) {
        let text = format!("{header}{digits}");
        let text: String = text.chars().take(if cut < 24 { 24 } else { 52 }).collect();
        for text in [text.clone(), format!("0x{text}"), format!("/eh{text}"), format!("/ex{text}")] {
            if let Err(error) = parse(&text) {
                prop_assert!(error.position <= text.len());
            }
        }
    }
}
