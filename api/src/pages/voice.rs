//! The forms for complaints and feedback, the page with the receipt, and the page that says how
//! it stands. All work without script; a form carries a random token, so that sending it twice
//! makes one complaint.

use super::text::{is_chinese, outside};
use super::wording::voice::{self as voice_words, VoiceWords};
use super::{CSS, Frame, Lang, html, own_address};
use crate::voices::{
    public::wire::StandingOut,
    rules::{Asked, CONTACT_MAX, CONTENT_MAX, Draft, NAME_MAX, PLACE_MAX, VoiceKind},
};
use askama::Template;
use uuid::Uuid;

/// One thing that was wrong with a form.
#[derive(Debug, Clone, Copy)]
pub struct FormFault<'a> {
    /// The field's name.
    pub field: &'a str,
    /// What is wrong, in the page's language.
    pub message: &'a str,
}

/// One of the two forms.
#[derive(Debug, Clone, Copy)]
pub struct VoiceForm<'a> {
    /// Which.
    pub kind: VoiceKind,
    /// What must be told.
    pub asked: Asked,
    /// Random: what is sent twice with it is one complaint.
    pub token: Uuid,
    /// What was typed before, given back for correction.
    pub draft: &'a Draft,
    /// What was wrong with it.
    pub faults: &'a [FormFault<'a>],
}

/// The forms for one code.
#[derive(Debug, Clone, Copy)]
pub struct VoicePage<'a> {
    /// The page's language.
    pub lang: Lang,
    /// The page's own path and query, as asked for.
    pub path: &'a str,
    /// See `path`.
    pub query: &'a str,
    /// The code, as text.
    pub code: &'a str,
    /// The product's name, where it is known.
    pub product: Option<&'a str>,
    /// How long personal data is kept, in days.
    pub keep_days: u32,
    /// Complaint and feedback.
    pub forms: [VoiceForm<'a>; 2],
}

/// One field of a form, as the template shows it.
struct FieldView<'a> {
    id: String,
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    shape: Shape,
    required: bool,
    max: usize,
    autocomplete: &'static str,
    value: &'a str,
    fault: Option<&'a str>,
}

/// How a field is typed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Line,
    Lines,
    Day,
}

/// One form, as the template shows it.
struct FormView<'a> {
    kind: VoiceKind,
    title: &'static str,
    hint: &'static str,
    submit: &'static str,
    token: Uuid,
    fields: Vec<FieldView<'a>>,
    consent_fault: Option<&'a str>,
    faulty: bool,
}

#[derive(Template)]
#[template(path = "voice.html", whitespace = "minimize")]
struct FormsView<'a> {
    frame: Frame,
    words: &'static VoiceWords,
    page: &'a VoicePage<'a>,
    action: String,
    kept: String,
    forms: Vec<FormView<'a>>,
}

impl FormsView<'_> {
    fn foreign(&self, text: &str) -> bool {
        self.frame.lang == Lang::En && is_chinese(text)
    }
}

impl<'a> VoiceForm<'a> {
    fn view(&'a self, lang: Lang) -> FormView<'a> {
        let words = voice_words::words(lang);
        let complaint = self.kind == VoiceKind::Complaint;
        let pick = |of_complaint, of_feedback| if complaint { of_complaint } else { of_feedback };
        let fault = |name: &str| {
            let found = self.faults.iter().find(|fault| fault.field == name);
            found.map(|fault| fault.message)
        };
        let field = |name, label, hint, shape, required, max, autocomplete, value| FieldView {
            id: format!("{}-{name}", self.kind.name()),
            name,
            label,
            hint,
            shape,
            required,
            max,
            autocomplete,
            value,
            fault: fault(name),
        };
        let draft = self.draft;
        let mut fields = vec![
            field(
                "content",
                pick(words.content_complaint, words.content_feedback),
                words.content_limit,
                Shape::Lines,
                true,
                CONTENT_MAX,
                "off",
                &draft.content,
            ),
            field(
                "place",
                pick(words.place_complaint, words.place_feedback),
                pick(words.place_complaint_hint, ""),
                Shape::Line,
                self.asked.place,
                PLACE_MAX,
                "off",
                &draft.place,
            ),
        ];
        if !complaint {
            fields.push(field(
                "bought_at",
                words.bought_at,
                "",
                Shape::Day,
                self.asked.bought_at,
                10,
                "off",
                &draft.bought_at,
            ));
        }
        fields.push(field(
            "name",
            words.name,
            words.name_hint,
            Shape::Line,
            self.asked.name,
            NAME_MAX,
            "name",
            &draft.name,
        ));
        fields.push(field(
            "contact",
            words.contact,
            words.contact_hint,
            Shape::Line,
            false,
            CONTACT_MAX,
            "off",
            &draft.contact,
        ));
        FormView {
            kind: self.kind,
            title: pick(words.complaint, words.feedback),
            hint: pick(words.complaint_hint, words.feedback_hint),
            submit: pick(words.send_complaint, words.send_feedback),
            token: self.token,
            fields,
            consent_fault: fault("consent"),
            faulty: !self.faults.is_empty(),
        }
    }
}

impl VoicePage<'_> {
    /// The page as HTML.
    pub fn render(&self) -> String {
        let words = voice_words::words(self.lang);
        let here = own_address(self.path, self.query);
        let mut frame = Frame::new(self.lang, words.tell_us.into());
        frame.other_language = Some(here.clone());
        let forms = self.forms.iter().map(|form| form.view(self.lang)).collect();
        let view = FormsView {
            frame,
            words,
            page: self,
            action: format!("{here}lang={}", self.lang.tag()),
            kept: voice_words::kept(self.lang, self.keep_days),
            forms,
        };
        html(self.lang, &view)
    }
}

/// The page that gives the receipt.
#[derive(Debug, Clone, Copy)]
pub struct ReceiptPage<'a> {
    /// The page's language.
    pub lang: Lang,
    /// The receipt in groups.
    pub receipt: &'a str,
}

#[derive(Template)]
#[template(path = "receipt.html", whitespace = "minimize")]
struct ReceiptView<'a> {
    frame: Frame,
    words: &'static VoiceWords,
    receipt: &'a str,
}

impl ReceiptPage<'_> {
    /// The page as HTML.
    pub fn render(&self) -> String {
        let words = voice_words::words(self.lang);
        let mut frame = Frame::new(self.lang, words.received.into());
        frame.other_language = None; // the answer to a form: a link cannot repeat it
        let view = ReceiptView {
            frame,
            words,
            receipt: self.receipt,
        };
        html(self.lang, &view)
    }
}

/// The form for a receipt, and how what it stands for stands.
#[derive(Debug, Clone, Copy)]
pub struct StandingPage<'a> {
    /// The page's language.
    pub lang: Lang,
    /// What was typed.
    pub typed: &'a str,
    /// Nothing is known under what was typed.
    pub unknown: bool,
    /// How it stands.
    pub standing: Option<&'a StandingOut>,
    /// When it was told, answered and closed, in Beijing time; empty where it was not.
    pub times: [&'a str; 3],
    /// An erasure was just asked for.
    pub erasing: bool,
    /// A rating was just given.
    pub rated: bool,
}

#[derive(Template)]
#[template(path = "standing.html", whitespace = "minimize")]
struct StandingView<'a> {
    frame: Frame,
    words: &'static VoiceWords,
    page: &'a StandingPage<'a>,
    times: Vec<(&'static str, &'a str)>,
    state: (&'static str, &'static str),
    action: String,
}

impl StandingView<'_> {
    fn foreign(&self, text: &str) -> bool {
        self.frame.lang == Lang::En && is_chinese(text)
    }
}

impl StandingPage<'_> {
    /// The page as HTML.
    pub fn render(&self) -> String {
        let words = voice_words::words(self.lang);
        let named = [words.told_on, words.answered_on, words.closed_on];
        let times = named.into_iter().zip(self.times);
        let times = times.filter(|(_, at)| !at.is_empty()).collect();
        let state = self.standing.map_or("", |standing| &standing.state);
        let state = voice_words::state(self.lang, state);
        let title = match self.standing {
            Some(_) => format!("{} · {}", state.0, words.standing),
            None => words.standing.into(),
        };
        let mut frame = Frame::new(self.lang, title);
        let first = self.typed.is_empty() && self.standing.is_none();
        frame.other_language = first.then(|| "/voice/state?".into());
        let view = StandingView {
            frame,
            words,
            page: self,
            times,
            state,
            action: format!("/voice/state?lang={}", self.lang.tag()),
        };
        html(self.lang, &view)
    }
}

#[cfg(test)]
mod tests {
    use super::super::wording::forbidden;
    use super::*;

    fn form<'a>(kind: VoiceKind, draft: &'a Draft, faults: &'a [FormFault<'a>]) -> VoiceForm<'a> {
        VoiceForm {
            kind,
            asked: Asked {
                name: true,
                place: true,
                bought_at: false,
            },
            token: Uuid::from_u128(5),
            draft,
            faults,
        }
    }

    #[test]
    fn hostile_text_and_addresses_stay_text() {
        let draft = Draft {
            content: "</textarea><script>alert(1)</script>".into(),
            name: "\" autofocus onfocus=\"x".into(),
            ..Draft::default()
        };
        let faults = [FormFault {
            field: "place",
            message: "此项必填",
        }];
        let page = VoicePage {
            lang: Lang::Zh,
            path: "//evil.example/\"><b>",
            query: "17=1&lang=en&x=\"<",
            code: "<i>",
            product: Some("<b>奶粉</b>"),
            keep_days: 30,
            forms: [
                form(VoiceKind::Complaint, &draft, &faults),
                form(VoiceKind::Feedback, &draft, &[]),
            ],
        };
        let html = page.render();
        for bad in ["<script", "<b>", "<i>", "onfocus=\"x\"", "action=\"//"] {
            assert!(!html.contains(bad), "{bad} {html}");
        }
        assert!(html.contains("30 天") && html.contains("此项必填"));
        assert!(html.contains("aria-invalid=\"true\""), "{html}");
        forbidden::assert_absent(&html);
    }

    #[test]
    fn every_state_has_its_words_in_both_languages() {
        for lang in Lang::ALL {
            let mut seen = Vec::new();
            for state in ["waiting", "received", "in_progress", "answered", "closed"] {
                let standing = StandingOut {
                    state: state.into(),
                    kind: Some(VoiceKind::Complaint),
                    received_at: Some("2026-01-01T00:00:00Z".into()),
                    answer: Some("<b>换货</b>".into()),
                    answered_at: None,
                    closed_at: None,
                    personal_data_erased: false,
                };
                let page = StandingPage {
                    lang,
                    typed: "AAAAA",
                    unknown: false,
                    standing: Some(&standing),
                    times: ["2026-01-01 08:00:00", "", ""],
                    erasing: false,
                    rated: false,
                };
                let html = page.render();
                assert!(!html.contains("<b>"), "{html}");
                forbidden::assert_absent(&html);
                let words = voice_words::state(lang, state).0;
                assert!(!seen.contains(&words) && html.contains(words));
                seen.push(words);
            }
        }
    }
}
