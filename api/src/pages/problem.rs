//! The page when there is no answer about a code, and why.

use super::text::outside;
use super::wording::{self, ProblemWords};
use super::{CSS, Frame, Lang, html};
use askama::Template;

/// The page for a refused request or a failure: what happened, what to do now, and a number to
/// quote. Never reads as an answer about a product.
#[derive(Debug, Clone, Copy)]
pub struct ProblemPage<'a> {
    /// The page's language.
    pub lang: Lang,
    /// The HTTP status: 400, 404, 405, 413, 429, 500, 503; others get general advice.
    pub status: u16,
    /// The stable code of the problem.
    pub code: &'a str,
    /// What happened, in the page's language; where empty, and for 503 always,
    /// the status is put into words here.
    pub title: &'a str,
    /// More about it, in the page's language; left out where empty.
    pub detail: &'a str,
    /// The number under which the operator finds this request.
    pub request_id: &'a str,
    /// The page's own address for a change of language, from [`own_address`](super::own_address).
    pub here: &'a str,
}

#[derive(Template)]
#[template(path = "problem.html", whitespace = "minimize")]
struct View<'a> {
    frame: Frame,
    status: u16,
    code: &'a str,
    title: &'a str,
    detail: &'a str,
    request_id: &'a str,
    help: ProblemWords,
}

impl ProblemPage<'_> {
    /// The page as HTML.
    pub fn render(&self) -> String {
        let help = wording::problem(self.lang, self.status);
        // The heading of 503 is ours: a reader must see at once that nothing was confirmed.
        let title = match (self.status, self.title) {
            (503, _) | (_, "") => help.title,
            (_, given) => given,
        };
        let mut frame = Frame::new(self.lang, outside(title).to_string());
        frame.other_language = Some(self.here.to_owned());
        if matches!(self.status, 405 | 413) {
            frame.other_language = None; // not fetched with GET, so a link cannot repeat it
        }
        let view = View {
            frame,
            status: self.status,
            code: self.code,
            title,
            detail: self.detail,
            request_id: self.request_id,
            help,
        };
        html(self.lang, &view)
    }
}

#[cfg(test)]
mod tests {
    use super::super::wording::forbidden;
    use super::*;

    fn page(lang: Lang, status: u16) -> ProblemPage<'static> {
        ProblemPage {
            lang,
            status,
            code: "some_code",
            title: "",
            detail: "",
            request_id: "req-1",
            here: "?",
        }
    }

    #[test]
    fn every_status_says_what_happened_and_what_to_do() {
        for lang in Lang::ALL {
            for status in [400, 404, 405, 413, 418, 429, 500, 503, 599, 0] {
                let html = page(lang, status).render();
                let help = wording::problem(lang, status);
                assert!(html.contains(&format!("<h1>{}</h1>", help.title)), "{html}");
                for step in help.steps {
                    assert!(html.contains(&super::super::escape(step)), "{step}");
                }
                assert!(html.contains("some_code") && html.contains("req-1"));
                assert!(!html.contains(lang.words().ok), "never reads as an answer");
                assert!(!html.contains("<script") && !html.contains("https:"));
                forbidden::assert_absent(&html);
            }
        }
    }

    #[test]
    fn unavailable_is_said_plainly_whatever_the_title() {
        for lang in Lang::ALL {
            let words = lang.words();
            let title = "Service Unavailable";
            let html = ProblemPage {
                title,
                ..page(lang, 503)
            }
            .render();
            assert!(html.contains(&format!("<h1>{}</h1>", words.unavailable)));
            assert!(html.contains(words.unavailable_plainly) && html.contains("tel:"));
        }
    }

    #[test]
    fn hostile_words_are_only_text() {
        let bad = "<script>\u{202E}\u{E001}\"'";
        let html = ProblemPage {
            title: bad,
            detail: bad,
            code: bad,
            request_id: bad,
            ..page(Lang::En, 400)
        }
        .render();
        assert!(
            !html.contains("<script") && !html.contains('\u{202E}') && !html.contains('\u{E001}')
        );
    }
}
