//! How an alphanumeric serial is written: 14 characters, the key and a block of 64 bits.
//!
//! Thirteen characters could carry 65 bits; the first holds only 4, and a serial that uses the
//! fifth is refused, so that no two strings name one unit.

use suyuan_sync::trace_code::{MINTED_SERIAL_LEN, Text};

/// The characters of a serial in the order of their values.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The characters of a serial.
pub const SERIAL_LEN: usize = MINTED_SERIAL_LEN;

/// The key id and the block of a serial.
pub(super) fn read(serial: &[u8]) -> Option<(u8, u64)> {
    let serial: &[u8; SERIAL_LEN] = serial.try_into().ok()?;
    let [key_id, first, rest @ ..] = serial;
    let first = value_of(*first).filter(|&value| value < 16)?;
    let block = rest.iter().try_fold(u64::from(first), |block, &byte| {
        Some(block << 5 | u64::from(value_of(byte)?))
    })?;
    Some((value_of(*key_id)?, block))
}

/// The serial of a key id and a block.
pub(super) fn spell(key_id: u8, block: u64) -> Text<SERIAL_LEN> {
    let mut serial = [character(key_id.into()); SERIAL_LEN];
    for (place, slot) in serial.iter_mut().skip(1).rev().enumerate() {
        *slot = character(block >> (5 * place));
    }
    let text = std::str::from_utf8(&serial).ok().and_then(Text::new);
    // All are characters of the alphabet and they fit, so the fallback is never taken.
    text.unwrap_or_default()
}

/// The character of the lowest five bits.
fn character(value: u64) -> u8 {
    ALPHABET[(value & 31) as usize]
}

/// The value of a character.
pub(super) fn value_of(character: u8) -> Option<u8> {
    ALPHABET
        .iter()
        .position(|&c| c == character)
        .map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use suyuan_sync::trace_code;

    #[test]
    fn a_block_has_one_spelling_only() {
        // Values of the second character beyond 15 would be a second spelling of a smaller block.
        assert!(read(b"0FZZZZZZZZZZZZ").is_some());
        assert!(read(b"0G000000000000").is_none());
        assert_eq!(spell(0, u64::MAX), "0FZZZZZZZZZZZZ");
    }

    proptest! {
        #[test]
        fn what_is_spelled_is_read(key_id in 0..32u8, block: u64) {
            let serial = spell(key_id, block);
            prop_assert_eq!(read(serial.as_bytes()), Some((key_id, block)));
            let code = |serial: &str| {
                trace_code::parse(&format!("/01/06901234567892/21/{serial}")).unwrap().code
            };
            let typed = serial.to_lowercase();
            if typed != serial.as_str() {
                prop_assert_eq!(trace_code::fold_typed(&code(&typed)), Some(code(&serial)));
            }
        }
    }
}
