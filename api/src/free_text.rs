//! Text that people wrote for people: bounded, not blank, free of characters that hide or turn
//! what is read, and what to do about one that is not. Pure; which field it was is the caller's
//! business.

use crate::{catalogue::is_hidden, problem::FieldProblem};

/// How many lines a text may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// A name, a title.
    One,
    /// A note, a reason.
    Any,
}

/// Is this 1 to `max` characters that all show, in so many lines?
pub fn check(field: &str, text: &str, max: usize, lines: Lines) -> Result<(), FieldProblem> {
    let fault = |code: &str, message: String, message_zh: String| {
        Err(FieldProblem {
            field: field.into(),
            code: code.into(),
            message,
            message_zh,
        })
    };
    let hides = |c: char| c != '\n' && is_hidden(c);
    if let Some((n, c)) = (1..).zip(text.chars()).find(|(_, c)| hides(*c)) {
        let c = u32::from(c);
        return fault(
            "hidden-character",
            format!(
                "character {n} is a control character, or one that does not show (U+{c:04X}): \
                 leave it out"
            ),
            format!("第 {n} 个字符是控制字符或不可见字符（U+{c:04X}），请删除"),
        );
    }
    if lines == Lines::One && text.contains('\n') {
        return fault(
            "line-break",
            "one line, without a line break".into(),
            "只能一行，不能换行".into(),
        );
    }
    if text.trim().is_empty() || text.chars().count() > max {
        return fault(
            "length",
            format!("1 to {max} characters"),
            format!("1 到 {max} 个字符"),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_turning_blank_and_long_texts_are_told_apart() {
        let told = |text: &str, lines| check("name", text, 20, lines).map_err(|fault| fault.code);
        for good in ["封口不严", "line one\nline two", "a"] {
            assert_eq!(told(good, Lines::Any), Ok(()), "{good:?}");
        }
        for (bad, code) in [
            ("", "length"),
            ("  ", "length"),
            ("123456789012345678901", "length"),
            ("a\0b", "hidden-character"),
            ("a\u{202e}b", "hidden-character"),
            ("bell\u{7}", "hidden-character"),
        ] {
            assert_eq!(told(bad, Lines::Any), Err(code.into()), "{bad:?}");
        }
        assert_eq!(told("a\nb", Lines::One), Err("line-break".into()));
    }

    #[test]
    fn a_character_that_does_not_show_is_named_with_its_place() {
        let fault = check("name", "奶\u{7}粉", 20, Lines::One).unwrap_err();
        assert!(fault.message.contains("character 2"), "{fault:?}");
        assert!(fault.message.contains("U+0007"), "{fault:?}");
        assert!(fault.message_zh.contains("第 2 个字符"), "{fault:?}");
    }
}
