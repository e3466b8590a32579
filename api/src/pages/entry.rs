//! The form for a code that is typed or pasted: `GET /q`.

use super::text::outside;
use super::{CSS, Frame, Lang, html};
use askama::Template;

/// The form to type a code; after a code that could not be read, with what was wrong and where.
#[derive(Debug, Clone, Copy)]
pub struct EntryPage<'a> {
    /// The page's language.
    pub lang: Lang,
    /// What was typed, given back for correction.
    pub typed: Option<&'a str>,
    /// What is wrong, and in which part of the code; both in the page's language.
    pub fault: Option<(&'a str, &'a str)>,
    /// Why a photo was not answered, and more about it; both in the page's language.
    pub photo: Option<(&'a str, &'a str)>,
}

#[derive(Template)]
#[template(path = "entry.html", whitespace = "minimize")]
struct View<'a> {
    frame: Frame,
    typed: Option<&'a str>,
    fault: Option<(&'a str, &'a str)>,
    photo: Option<(&'a str, &'a str)>,
}

impl EntryPage<'_> {
    /// The page as HTML.
    pub fn render(&self) -> String {
        let words = self.lang.words();
        let title = match (self.fault, self.photo) {
            (Some(_), _) => format!("{} · {}", words.unreadable, words.entry),
            (None, Some((what, _))) => format!("{} · {}", outside(what), words.entry),
            (None, None) => words.entry.into(),
        };
        let mut frame = Frame::new(self.lang, title);
        frame.other_language = Some("/q?".into());
        let (typed, fault, photo) = (self.typed, self.fault, self.photo);
        html(
            self.lang,
            &View {
                frame,
                typed,
                fault,
                photo,
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_asks_by_get_and_leaves_the_code_alone() {
        for lang in Lang::ALL {
            let html = EntryPage {
                lang,
                typed: None,
                fault: None,
                photo: None,
            }
            .render();
            for part in [
                "<form action=\"/q\" method=\"get\">",
                "<label for=\"code\">",
                "name=\"code\"",
                "inputmode=\"text\"",
                "autocomplete=\"off\"",
                "autocapitalize=\"off\"",
                "spellcheck=\"false\"",
                "value=\"\"",
            ] {
                assert!(html.contains(part), "{part} {html}");
            }
            assert!(html.contains(&format!("name=\"lang\" value=\"{}\"", lang.tag())));
            assert!(!html.contains("aria-invalid") && !html.contains("id=\"fault\""));
        }
    }

    #[test]
    fn a_fault_is_named_and_what_was_typed_is_kept() {
        let html = EntryPage {
            lang: Lang::Zh,
            typed: Some("\" onfocus=alert(1) <b>\u{E000}"),
            fault: Some(("校验位不对", "0690<1")),
            photo: None,
        }
        .render();
        assert!(
            html.contains("校验位不对") && html.contains("<code>0690&#60;1</code>"),
            "{html}"
        );
        assert!(html.contains("aria-invalid=\"true\" aria-describedby=\"fault hint\""));
        assert!(
            html.contains("value=\"&#34; onfocus=alert(1) &#60;b&#62;\""),
            "{html}"
        );
    }
}
