//! Where the answer to a code that was read stands: its canonical path with what else it claims,
//! made anew from the parsed code, so that nothing of a stranger's text reaches a link. Pure.

use std::fmt::Write;
use suyuan_sync::trace_code::{Scanned, TraceCode};

/// `/01/…/21/…?17=270131`: path and query of the answer.
pub fn of(scanned: &Scanned) -> String {
    let mut address = scanned.code.to_string();
    let mut between = '?';
    let mut add = |address: &mut String, ai: &str, value: &str| {
        // Writing to a String cannot fail.
        let _ = write!(address, "{between}{ai}=");
        between = '&';
        for byte in value.bytes() {
            let _ = match byte {
                b if b.is_ascii_alphanumeric() => write!(address, "{}", char::from(b)),
                b => write!(address, "%{b:02X}"),
            };
        }
    };
    let claims = &scanned.claims;
    let dates = [
        ("17", claims.expiry),
        ("15", claims.best_before),
        ("11", claims.produced),
    ];
    for (ai, date) in dates {
        if let Some(date) = date {
            add(&mut address, ai, &String::from_utf8_lossy(&date));
        }
    }
    let named = matches!(&scanned.code, TraceCode::Gtin(gtin) if gtin.lot.is_some());
    if let Some(lot) = claims.lot.filter(|_| !named) {
        add(&mut address, "10", lot.as_str());
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;
    use suyuan_sync::trace_code::{parse, parse_path};

    #[test]
    fn an_address_names_the_same_code_with_the_same_claims() {
        for text in [
            "https://id.example.cn/01/06901234567892/10/L-7%2F2/21/0ABC?17=270131&11=250131",
            "(01)06901234567892(10)A&B(21)S(17)270100(15)270101",
            "/00/106141412345678908",
            "6901234567892",
            "https://x.example/8003/06901234567892ABC",
        ] {
            let scanned = parse(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
            let address = of(&scanned);
            let (path, query) = address.split_once('?').unwrap_or((&address, ""));
            let again = parse_path(path, query).unwrap_or_else(|e| panic!("{address}: {e:?}"));
            assert_eq!((again.code, again.claims), (scanned.code, scanned.claims));
        }
    }
}
