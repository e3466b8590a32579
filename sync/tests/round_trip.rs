//! What is printed is read back to the same code, in every form.

mod common;

use proptest::prelude::*;
use suyuan_sync::trace_code::{Form, Gln, Gtin, Sscc, Text, TraceCode, parse, parse_path};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn a_canonical_path_is_read_back(code in common::trace_code()) {
        let path = code.canonical_path().to_string();
        prop_assert_eq!(code.to_string(), path.clone());
        let read = parse_path(&path, "").unwrap();
        prop_assert_eq!(read.code, code);
        prop_assert_eq!(parse(&path).unwrap(), read);
    }

    #[test]
    fn a_digital_link_is_read_back(code in common::trace_code(), slash: bool) {
        let base = if slash { "https://id.example.cn/s/" } else { "https://id.example.cn/s" };
        let link = code.digital_link(base).to_string();
        let read = parse(&link).unwrap();
        prop_assert_eq!(read.code, code);
        let own = matches!(code, TraceCode::Own(_));
        prop_assert_eq!(read.form, if own { Form::OwnScheme } else { Form::DigitalLink });
    }

    #[test]
    fn an_element_string_is_read_back(code in common::trace_code()) {
        let Some(text) = code.element_string() else {
            prop_assert!(matches!(code, TraceCode::Own(_)));
            return Ok(());
        };
        let read = parse(&format!("]C1{text}")).unwrap();
        prop_assert_eq!(read.form, Form::ElementString);
        prop_assert_eq!(read.code, code);
        if !matches!(code, TraceCode::Other(_)) {
            prop_assert_eq!(parse(&text.to_string()).unwrap().code, code);
        }
    }

    #[test]
    fn a_bracketed_line_is_read_back(code in common::trace_code()) {
        if let Some(text) = code.bracketed() {
            let read = parse(&text.to_string()).unwrap();
            prop_assert_eq!(read.form, Form::Bracketed);
            prop_assert_eq!(read.code, code);
        }
    }

    #[test]
    fn a_code_of_our_own_is_read_back_however_it_is_typed(own in common::own_code(), small: bool) {
        let canonical = own.to_string();
        let mut typed = canonical.replace('0', "O").replace('1', "l");
        if small {
            typed = typed.to_lowercase();
        }
        let read = parse(&typed).unwrap();
        prop_assert_eq!(read.form, Form::OwnScheme);
        prop_assert_eq!(read.code, TraceCode::Own(own));
        prop_assert_eq!(read.code.to_string(), format!("/c/{canonical}"));
    }

    #[test]
    fn a_code_travels_as_its_path(code in common::trace_code()) {
        let json = serde_json::to_string(&code).unwrap();
        prop_assert_eq!(&json, &serde_json::to_string(&code.to_string()).unwrap());
        prop_assert_eq!(serde_json::from_str::<TraceCode>(&json).unwrap(), code);
    }

    #[test]
    fn what_a_code_claims_is_read_whatever_the_form(
        gtin in common::gtin(), lot in common::cset82(20), serial in common::cset82(20), day in 1..29u8,
    ) {
        let date = format!("2702{day:02}");
        let read = |text: String| parse(&text).unwrap();
        let elements = read(format!("]d201{gtin}17{date}10{lot}\u{1d}21{serial}"));
        let link = read(format!("{}?17={date}", elements.code.digital_link("https://x.cn")));
        let escaped = |text: &str| text.replace('(', "\\(");
        let line = read(format!("(01){gtin}(17){date}(10){}(21){}", escaped(&lot), escaped(&serial)));
        prop_assert_eq!(elements.claims.expiry, date.as_bytes().try_into().ok());
        prop_assert_eq!(elements.claims.lot, Text::new(&lot));
        for other in [link, line] {
            prop_assert_eq!((other.code, other.claims), (elements.code, elements.claims));
        }
    }

    #[test]
    fn short_numbers_are_read_and_printed_as_fourteen_digits(
        number in prop_oneof![
            common::numbered(8), common::numbered(12), common::numbered(13), common::numbered(14)
        ],
    ) {
        let gtin = Gtin::parse(&number).unwrap();
        prop_assert_eq!(gtin.to_string(), format!("{number:0>14}"));
        prop_assert_eq!(gtin.to_string().as_bytes()[0], gtin.indicator() + b'0');
        let path = format!("/01/{gtin}");
        for text in [number.clone(), format!("(01){number}"), format!("/01/{number}")] {
            prop_assert_eq!(parse(&text).unwrap().code.to_string(), path.clone());
        }
    }

    #[test]
    fn numbers_are_built_from_their_parts(
        extension in 0..=9u8, prefix in "[0-9]{4,12}", reference: u64, body in "[0-9]{13}",
    ) {
        let width = 16 - prefix.len() as u32;
        let fits = reference % 10u64.pow(width);
        let sscc = Sscc::new(extension, &prefix, fits).unwrap();
        prop_assert_eq!(sscc.extension(), extension);
        prop_assert_eq!(&sscc.as_str()[..17], format!("{extension}{prefix}{fits:0>0$}", width as usize));
        prop_assert_eq!(Sscc::parse(sscc.as_str()), Ok(sscc));
        prop_assert!(Sscc::new(extension, &prefix, 10u64.pow(width)).is_err());
        let gtin = Gtin::from_body(&body).unwrap();
        prop_assert_eq!(&gtin.as_str()[..13], body);
        prop_assert_eq!(Gtin::parse(gtin.as_str()), Ok(gtin));
    }
}

#[test]
fn parts_that_make_no_number_are_refused() {
    assert!(Sscc::new(10, "6901234", 1).is_err());
    assert!(Sscc::new(0, "690", 1).is_err());
    assert!(Sscc::new(0, "6901234567890", 1).is_err());
    assert!(Sscc::new(0, "69012x4", 1).is_err());
    assert!(Gtin::from_body("069012345678").is_err());
    assert!(Gtin::from_body("06901234567892").is_err());
    assert!(Gln::parse("6901234000008").is_err());
    assert_eq!(
        Gln::parse("6901234000009").unwrap().as_str(),
        "6901234000009"
    );
}
