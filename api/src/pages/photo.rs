//! The page for a photo with several codes: each with its headline and a link to its own page.

use super::text::outside;
use super::{CSS, Frame, Lang, html, scan, wording};
use crate::resolver::decide::Verdict;
use askama::Template;

/// Several codes of one photo, in the order in which they were read.
#[derive(Debug, Clone, Copy)]
pub struct PhotoPage<'a> {
    /// The page's language.
    pub lang: Lang,
    /// What was read.
    pub items: &'a [PhotoItem],
}

/// One code of a photo.
#[derive(Debug, Clone)]
pub enum PhotoItem {
    /// A trace code and what was decided about it.
    Answer {
        /// How the code reads.
        code: String,
        /// What was decided.
        verdict: Verdict,
        /// Path and query of its own page.
        href: String,
    },
    /// Something else: an address, a payment, a membership. What it says is not repeated, least
    /// of all as a link.
    Other,
}

#[derive(Template)]
#[template(path = "photo.html", whitespace = "minimize")]
struct View<'a> {
    frame: Frame,
    items: Vec<Shown<'a>>,
}

/// An item in words.
enum Shown<'a> {
    Answer {
        tone: scan::Tone,
        headline: &'static str,
        reasons: Vec<&'static str>,
        code: &'a str,
        href: String,
    },
    Other(&'static str),
}

impl PhotoPage<'_> {
    /// The page as HTML.
    pub fn render(&self) -> String {
        let words = self.lang.words();
        let mut frame = Frame::new(self.lang, words.photo_found.into());
        frame.other_language = None; // the photo is gone; a link cannot send it again
        let items = self.items.iter().map(|item| self.shown(item)).collect();
        html(self.lang, &View { frame, items })
    }

    fn shown<'a>(&self, item: &'a PhotoItem) -> Shown<'a> {
        let PhotoItem::Answer {
            code,
            verdict,
            href,
        } = item
        else {
            return Shown::Other(self.lang.words().photo_other);
        };
        let advice = scan::advice(*verdict, verdict.reasons);
        let (tone, headline) = scan::headline(self.lang, advice);
        let between = if href.contains('?') { '&' } else { '?' };
        Shown::Answer {
            tone,
            headline,
            reasons: verdict
                .reasons
                .iter()
                .map(|reason| wording::reason(self.lang, reason).short)
                .collect(),
            code,
            href: format!("{href}{between}lang={}", self.lang.tag()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::wording::forbidden;
    use super::*;
    use crate::resolver::decide::{Facts, Legality, Names, decide};

    fn answer(legality: Legality, href: &str) -> PhotoItem {
        PhotoItem::Answer {
            code: "(01)06901234567892(21)<b>".into(),
            verdict: decide(&Facts::of(Names::Unit(legality))),
            href: href.into(),
        }
    }

    #[test]
    fn each_code_has_its_headline_and_its_link() {
        for lang in Lang::ALL {
            let words = lang.words();
            let items = [
                answer(Legality::Legal, "/p/01/06901234567892/21/A?17=270131"),
                answer(Legality::Void, "/p/01/06901234567892/21/B"),
                PhotoItem::Other,
            ];
            let html = PhotoPage {
                lang,
                items: &items,
            }
            .render();
            for part in [words.ok, words.stop, words.photo_other] {
                assert!(html.contains(&super::super::escape(part)), "{part} {html}");
            }
            let tag = lang.tag();
            assert!(
                html.contains(&format!("/21/A?17=270131&#38;lang={tag}\"")),
                "{html}"
            );
            assert!(html.contains(&format!("/21/B?lang={tag}\"")), "{html}");
            assert!(!html.contains("<b>") && !html.contains("<script"));
            forbidden::assert_absent(&html);
        }
    }
}
