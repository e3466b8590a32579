//! The page about one code.

use super::text::{is_chinese, outside};
use super::wording::{self, ReasonWords};
use super::{CSS, Frame, Lang, html, linked_data, phone, slot};
use crate::resolver::decide::{Advice, Legality, Reason, Reasons, Verdict};
use askama::Template;

/// Everything a scan page shows, apart from what differs per unit ([`slot`]).
#[derive(Debug, Clone, Copy)]
pub struct ScanPage<'a> {
    /// The page's language.
    pub lang: Lang,
    /// What was decided about the code.
    pub verdict: Verdict,
    /// The product's name, where the product is known.
    pub product_name: Option<&'a str>,
    /// The enterprise whose product it is, where it is published.
    pub brand: Option<&'a str>,
    /// Table 8 in printed order.
    pub items: &'a [InfoRow<'a>],
    /// The open recall, where there is one.
    pub recall: Option<&'a RecallNotice<'a>>,
    /// The maker has published newer product information than what is shown.
    pub newer_version: bool,
    /// Batch number as printed on the pack.
    pub lot: Option<&'a str>,
    /// Expiry date as printed on the pack.
    pub expiry: Option<&'a str>,
}

/// One item of the public information.
#[derive(Debug, Clone, Copy)]
pub struct InfoRow<'a> {
    /// Its number in the standard's Table 8.
    pub no: u16,
    /// Its name, in the page's language.
    pub title: &'a str,
    /// What the maker published.
    pub value: InfoValue<'a>,
}

impl<'a> InfoRow<'a> {
    /// What there is to show: an empty text or list is no information either.
    fn published(&self) -> InfoValue<'a> {
        match self.value {
            InfoValue::Text(text) if text.trim().is_empty() => InfoValue::Absent,
            InfoValue::Files([]) => InfoValue::Absent,
            value => value,
        }
    }
}

/// The value of a public item.
#[derive(Debug, Clone, Copy)]
pub enum InfoValue<'a> {
    /// Text, short or long; line breaks are kept.
    Text(&'a str),
    /// Documents to open.
    Files(&'a [FileLink<'a>]),
    /// The unit's own trace code: becomes [`slot::CODE`].
    TraceCode,
    /// The maker published nothing here.
    Absent,
}

/// A document of a public item.
#[derive(Debug, Clone, Copy)]
pub struct FileLink<'a> {
    /// Where it is: `/files/{hash}`. Anything else is shown as a label without a link.
    pub href: &'a str,
    /// What it is.
    pub label: &'a str,
}

impl FileLink<'_> {
    fn is_ours(&self) -> bool {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        self.href
            .strip_prefix("/files/")
            .is_some_and(|hash| !hash.is_empty() && hash.bytes().all(plain))
    }
}

/// What a recall says to the person holding the product.
#[derive(Debug, Clone, Copy)]
pub struct RecallNotice<'a> {
    /// Number of the recall.
    pub id: &'a str,
    /// Why.
    pub reason: &'a str,
    /// What to do with the product.
    pub instructions: &'a str,
    /// The day it was opened, as the reader should see it.
    pub opened_on: &'a str,
}

#[derive(Template)]
#[template(path = "scan.html", whitespace = "minimize")]
struct View<'a> {
    frame: Frame,
    page: &'a ScanPage<'a>,
    tone: Tone,
    headline: &'static str,
    reasons: Vec<ReasonWords>,
    /// Some reason asks to call the company.
    offer_call: bool,
    standing: &'static str,
    about: &'static str,
    /// What programs read of the product; empty where the code was never issued.
    linked_data: String,
}

impl View<'_> {
    /// Is this text in another language than the page?
    fn foreign(&self, text: &str) -> bool {
        self.frame.lang == Lang::En && is_chinese(text)
    }

    /// The link to the forms for complaints and feedback about this code.
    fn tell_us(&self) -> &'static str {
        wording::voice::words(self.frame.lang).tell_us
    }
}

/// Is calling the company part of what to do, rather than scanning another code or waiting?
const fn asks_to_call(reason: Reason) -> bool {
    !matches!(
        reason,
        Reason::UnknownIssuer
            | Reason::NamesProductOnly
            | Reason::NamesLogisticUnit
            | Reason::CannotConfirm
    )
}

/// Which colour and which shape go with the words. Shape and words alone must be enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Ok,
    Caution,
    Stop,
}

/// The advice shown for a verdict with these reasons: the worst of what was decided, of what the
/// reasons ask for, and, where no unit was proven legal, of caution.
pub(super) fn advice(verdict: Verdict, reasons: Reasons) -> Advice {
    let floor = if verdict.legality == Some(Legality::Legal) {
        Advice::Ok
    } else {
        Advice::Caution
    };
    verdict.advice.max(reasons.advice()).max(floor)
}

/// How an advice looks and reads.
pub(super) fn headline(lang: Lang, advice: Advice) -> (Tone, &'static str) {
    let words = lang.words();
    match advice {
        Advice::Ok => (Tone::Ok, words.ok),
        Advice::Caution => (Tone::Caution, words.caution),
        Advice::Stop => (Tone::Stop, words.stop),
    }
}

impl Tone {
    pub(super) fn class(self) -> &'static str {
        match self {
            Tone::Ok => "ok",
            Tone::Caution => "caution",
            Tone::Stop => "stop",
        }
    }
}

impl ScanPage<'_> {
    /// The page as HTML, with [`slot`] characters where the unit's own values belong.
    pub fn render(&self) -> String {
        let words = self.lang.words();
        let (advice, reasons) = self.shown();
        let (tone, headline) = headline(self.lang, advice);
        let offer_call = reasons.iter().any(asks_to_call);
        let reasons: Vec<ReasonWords> = reasons
            .iter()
            .map(|reason| wording::reason(self.lang, reason))
            .collect();
        let view = View {
            frame: self.frame(headline, reasons.first()),
            page: self,
            tone,
            headline,
            reasons,
            offer_call,
            standing: wording::standing(self.lang, self.verdict.legality),
            linked_data: match self.product_name {
                Some(name) if self.verdict.found() => linked_data::product(name, self.brand),
                _ => String::new(),
            },
            about: if self.verdict.found() {
                words.about_product
            } else {
                words.about_claimed_product
            },
        };
        html(self.lang, &view)
    }

    /// Advice and reasons as shown. They are decided elsewhere; should what came in contradict
    /// itself, the worse is shown, so that no mistake upstream can render as `ok`.
    fn shown(&self) -> (Advice, Reasons) {
        let recalled = self.recall.is_some();
        let reasons = self.verdict.reasons.with_if(Reason::Recalled, recalled);
        (advice(self.verdict, reasons), reasons)
    }

    fn frame(&self, headline: &str, worst: Option<&ReasonWords>) -> Frame {
        let mut title = headline.to_owned();
        if let Some(worst) = worst {
            title = format!("{title}{}{}", self.lang.words().colon, worst.short);
        }
        if let Some(name) = self.product_name {
            title = format!("{title} · {}", outside(name));
        }
        let mut frame = Frame::new(self.lang, title);
        frame.other_language = Some(slot::PATH.into());
        frame.phone = phone::of_maker(self.items);
        frame
    }
}
