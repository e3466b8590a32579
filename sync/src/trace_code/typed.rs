//! What a person may have meant who typed a serial of ours.
//!
//! The serials this system mints are 14 of the 32 symbols our own scheme is written with, so they are
//! folded as it is: small letters as capitals, O as 0, I and L as 1. The serials of others are case-sensitive,
//! and some look like ours. So this says only what may be meant; it is what was meant if the serial
//! opens under an issue key of its product, which only its issuer can tell. No key opens a serial that was not
//! minted with it (once in 2³⁰), and none was minted before there was the key: so the answer is the same whenever
//! it is asked for.

use super::{code::TraceCode, own_scheme, text::Text};

/// The characters of a serial that is minted as letters and digits.
pub const MINTED_SERIAL_LEN: usize = 14;

/// The code with the serial of ours that may be meant by it; `None` where a serial is not of that form, or
/// is what it says already. Codes that were scanned must never pass through here.
///
/// ```
/// use suyuan_sync::trace_code::{fold_typed, parse};
/// let typed = parse("/01/06901234567892/21/xOl23456789abc")?.code;
/// let meant = parse("/01/06901234567892/21/X0123456789ABC")?.code;
/// assert_eq!(fold_typed(&typed), Some(meant));
/// assert_eq!(fold_typed(&meant), None);
/// # Ok::<(), suyuan_sync::trace_code::CodeError>(())
/// ```
pub fn fold_typed(code: &TraceCode) -> Option<TraceCode> {
    let TraceCode::Gtin(mut code) = *code else {
        return None;
    };
    let said = code.serial?;
    let mut serial: [u8; MINTED_SERIAL_LEN] = said.as_bytes().try_into().ok()?;
    for byte in &mut serial {
        *byte = own_scheme::symbol_of(*byte)?;
    }
    let meant = std::str::from_utf8(&serial).ok().and_then(Text::new)?;
    code.serial = Some(meant);
    (meant != said).then_some(TraceCode::Gtin(code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace_code::parse;

    fn folded(code: &str) -> Option<String> {
        let code = parse(code).expect("a code").code;
        fold_typed(&code).map(|code| code.to_string())
    }

    #[test]
    fn only_a_serial_of_the_form_of_ours_is_folded() {
        let of = |serial: &str| folded(&format!("/01/06901234567892/10/l7/21/{serial}"));
        let meant = "/01/06901234567892/10/l7/21/X0123456789ABC";
        assert_eq!(of("xoi23456789abc").as_deref(), Some(meant));
        assert_eq!(of("XOL23456789aBc").as_deref(), Some(meant));
        // What it says already; another length; a letter that is none of ours; a hyphen.
        for serial in [
            "X0123456789ABC",
            "x0123456789ab",
            "x0123456789abcd",
            "x0123456789abu",
            "x0123456789ab-",
            "12345678901234",
        ] {
            assert_eq!(of(serial), None, "{serial}");
        }
        for code in [
            "/01/06901234567892/10/x0123456789abc",
            "/00/106141412345678908",
        ] {
            assert_eq!(folded(code), None, "{code}");
        }
    }
}
