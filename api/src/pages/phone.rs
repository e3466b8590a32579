//! The maker's telephone number, found in what the maker published, so that it can be called
//! with one touch.

use super::{InfoRow, InfoValue};

/// A number as printed and as dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Phone {
    pub shown: String,
    pub dialled: String,
}

/// The first number in an item whose title says that it holds a contact. Codes, licences and
/// dates are digits too: only shapes that can be nothing else are taken.
pub(super) fn of_maker(items: &[InfoRow<'_>]) -> Option<Phone> {
    items
        .iter()
        .filter(|row| says_contact(row.title))
        .find_map(|row| match row.value {
            InfoValue::Text(text) => text
                .split(|c: char| !matches!(c, '+' | '-') && !c.is_alphanumeric())
                .flat_map(|word| word.split(|c: char| !c.is_ascii()))
                .find_map(number),
            _ => None,
        })
}

fn says_contact(title: &str) -> bool {
    let title = title.to_lowercase();
    ["联系", "电话", "contact", "phone"]
        .iter()
        .any(|word| title.contains(word))
}

fn number(word: &str) -> Option<Phone> {
    let digits: String = word.chars().filter(char::is_ascii_digit).collect();
    let other = word.bytes().any(|b| !b.is_ascii_digit() && b != b'-');
    let area_code = matches!(word.find('-'), Some(3 | 4)) && word.starts_with('0');
    let plausible = match (word.strip_prefix("+86"), digits.len()) {
        (Some(_), 11..=14) => true,
        _ if other => false,
        (None, 10) if digits.starts_with("400") || digits.starts_with("800") => true,
        (None, 11) if digits.starts_with('1') => true,
        (None, 10..=12) => area_code,
        _ => false,
    };
    plausible.then(|| Phone {
        shown: word.into(),
        dialled: if word.starts_with('+') {
            format!("+{digits}")
        } else {
            digits
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(title: &str, text: &str) -> Option<String> {
        let value = InfoValue::Text(text);
        let row = InfoRow {
            no: 16,
            title,
            value,
        };
        of_maker(&[row]).map(|phone| phone.dialled)
    }

    #[test]
    fn numbers_are_found_where_a_contact_is_announced() {
        let title = "生产者名称和联系方式";
        for (text, dialled) in [
            ("北方乳业一厂，400-810-1234", "4008101234"),
            ("北方乳业一厂电话4008101234", "4008101234"),
            ("电话：0471-3350001（工作日）", "04713350001"),
            ("010-88886666", "01088886666"),
            ("+86-10-88886666", "+861088886666"),
            ("手机 13800138000", "13800138000"),
        ] {
            assert_eq!(found(title, text).as_deref(), Some(dialled), "{text}");
            assert_eq!(found("生产许可证编号", text), None, "{text}");
        }
    }

    #[test]
    fn other_digits_are_not_numbers_to_call() {
        for text in [
            "SC10615010212345",
            "2026-03-01",
            "06901234567892",
            "100",
            "400-12",
            "-",
            "+",
            "+86",
            "",
        ] {
            assert_eq!(found("Contact", text), None, "{text}");
        }
    }
}
