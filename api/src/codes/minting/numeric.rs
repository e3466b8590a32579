//! How a numeric serial is written: 11 digits, the key and a number of ten digits.
//!
//! The first digit is the id of the key, 1 to 9, so that no serial begins with a zero, and the
//! largest stays below 2³⁸: it fits the tag of an SGTIN-96.

use suyuan_sync::trace_code::Text;

/// The digits of a serial.
const SERIAL_LEN: usize = 11;

/// The numbers a serial can carry: 10¹⁰.
pub(super) const NUMBERS: u64 = 10_000_000_000;

/// The key id and the number of a serial.
pub(super) fn read(serial: &[u8]) -> Option<(u8, u64)> {
    let serial: &[u8; SERIAL_LEN] = serial.try_into().ok()?;
    let value = serial.iter().try_fold(0, |value: u64, &byte| {
        byte.is_ascii_digit()
            .then(|| value * 10 + u64::from(byte - b'0'))
    })?;
    let key_id = (value / NUMBERS) as u8;
    (key_id > 0).then_some((key_id, value % NUMBERS))
}

/// The serial of a key id of 1 to 9 and a number below [`NUMBERS`].
pub(super) fn spell(key_id: u8, number: u64) -> Text<14> {
    let mut rest = u64::from(key_id) * NUMBERS + number;
    let mut serial = [b'0'; SERIAL_LEN];
    for slot in serial.iter_mut().rev() {
        *slot += (rest % 10) as u8;
        rest /= 10;
    }
    let text = std::str::from_utf8(&serial).ok().and_then(Text::new);
    // All are digits and they fit, so the fallback is never taken.
    text.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_largest_serial_fits_thirty_eight_bits_and_the_smallest_has_no_leading_zero() {
        assert_eq!(spell(9, NUMBERS - 1), "99999999999");
        let largest: u64 = spell(9, NUMBERS - 1).parse().unwrap();
        assert!(largest < 1 << 38);
        assert_eq!(spell(1, 0), "10000000000");
        for text in [
            "00000000000",
            "1234567890",
            "123456789012",
            "1234567890A",
            "",
        ] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_spelled_is_read(key_id in 1..=9u8, number in 0..NUMBERS) {
            let serial = spell(key_id, number);
            prop_assert_eq!(read(serial.as_bytes()), Some((key_id, number)));
        }
    }
}
