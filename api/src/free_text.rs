//! Text that people wrote for people: bounded, not blank, free of characters that hide or turn
//! what is read. Pure; which field it was and what to answer is the caller's business.

use crate::catalogue::is_hidden;

/// Is this 1 to `max` characters that all show?
pub fn is_shown(text: &str, max: usize) -> bool {
    let shows = |c: char| c == '\n' || !is_hidden(c);
    !text.trim().is_empty() && text.chars().count() <= max && text.chars().all(shows)
}

#[cfg(test)]
mod tests {
    use super::is_shown;

    #[test]
    fn hidden_turning_blank_and_long_texts_are_told() {
        for good in ["封口不严", "line one\nline two", "a"] {
            assert!(is_shown(good, 20), "{good:?}");
        }
        for bad in [
            "",
            "  ",
            "a\0b",
            "a\u{202e}b",
            "bell\u{7}",
            "123456789012345678901",
        ] {
            assert!(!is_shown(bad, 20), "{bad:?}");
        }
    }
}
