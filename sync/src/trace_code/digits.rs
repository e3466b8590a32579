//! Check digits and check characters of GS1, as pure arithmetic on bytes.

/// The GS1 check digit (校验码), 0 to 9, of the digits of a GTIN, SSCC, GLN or GSIN that stand
/// before it. `None` when `data` is empty or holds anything but ASCII digits.
///
/// From the right the digits weigh 3, 1, 3, …, so that zeros written before a number (a GTIN-13
/// as a GTIN-14) leave the check digit as it is.
///
/// ```
/// assert_eq!(suyuan_sync::trace_code::check_digit("690123456789"), Some(2));
/// ```
pub fn check_digit(data: &str) -> Option<u8> {
    check_digit_of(data.as_bytes())
}

/// [`check_digit`] of bytes.
pub(super) fn check_digit_of(data: &[u8]) -> Option<u8> {
    if data.is_empty() || !data.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let weights = [3, 1].into_iter().cycle();
    let sum = data
        .iter()
        .rev()
        .zip(weights)
        .fold(0, |sum: usize, (&byte, weight)| {
            sum.wrapping_add(usize::from(byte - b'0') * weight)
        });
    Some(((10 - sum % 10) % 10) as u8)
}

/// The check digit of ISO 7064 MOD 11,10 (GB/T 17710) of the digits before it. `None` when `data`
/// is empty or holds anything but ASCII digits.
pub(super) fn mod_11_10_of(data: &[u8]) -> Option<u8> {
    if data.is_empty() || !data.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let product = data.iter().fold(10, |product, &byte| {
        let sum = (product + usize::from(byte - b'0')) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    Some(((11 - product) % 10) as u8)
}

/// The characters of CSET 82 in the order of their values.
const CSET_82: &[u8; 82] =
    b"!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

/// The characters of CSET 32, with which check pairs are written, in the order of their values.
const CSET_32: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/// The weights of a check pair, from the right: the primes. A model number has at most 23
/// characters before its pair.
const PRIMES: [u32; 23] = [
    2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83,
];

/// The check character pair of a Global Model Number: values weighted with the primes from the
/// right, modulo 1021, written as two characters of five bits each. `None` when `data` is too
/// long or leaves CSET 82.
pub(super) fn check_pair_of(data: &[u8]) -> Option<[u8; 2]> {
    if data.len() > PRIMES.len() {
        return None;
    }
    let mut sum = 0;
    for (&byte, weight) in data.iter().rev().zip(PRIMES) {
        let value = CSET_82.iter().position(|&c| c == byte)?;
        sum += value as u32 * weight;
    }
    let sum = (sum % 1021) as usize;
    Some([*CSET_32.get(sum >> 5)?, *CSET_32.get(sum & 31)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_agree_with_printed_numbers() {
        for number in [
            "96385074",
            "614141999996",
            "6901234567892",
            "09506000134352",
            "9524000059109",
            "106141412345678908",
        ] {
            let (data, check) = number.split_at(number.len() - 1);
            assert_eq!(check_digit(data).unwrap().to_string(), check, "{number}");
        }
        assert_eq!(check_digit(""), None);
        assert_eq!(check_digit("12a4"), None);
        assert_eq!(check_digit("１２"), None);
    }

    #[test]
    fn hybrid_check_digits_agree_with_the_standard() {
        // The example of ISO 7064.
        assert_eq!(mod_11_10_of(b"0794"), Some(5));
        assert_eq!(mod_11_10_of(b""), None);
        assert_eq!(mod_11_10_of(b"07x4"), None);
    }

    #[test]
    fn check_pairs_agree_with_the_reference_examples() {
        for number in [
            "1987654Ad4X4bL5ttr2310c2K",
            "12345678901234567890123NT",
            "12345_ABCDEFGHIJKLMCP",
            "12345_!\"%&'()*+,-./LC",
            "99999zzzzzzzzzzzzzzzzzzT2",
            "22",
        ] {
            let (data, pair) = number.as_bytes().split_at(number.len() - 2);
            assert_eq!(check_pair_of(data).unwrap().as_slice(), pair, "{number}");
        }
        assert_eq!(check_pair_of(b"1234 "), None);
        assert_eq!(check_pair_of(&[b'1'; 24]), None);
    }
}
