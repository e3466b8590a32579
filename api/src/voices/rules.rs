//! Pure rules about voices: what is asked, what was told, which step may follow which.

use crate::{
    catalogue::{Catalogue, Profile},
    codes::{SpaceKey, UnitName},
    free_text::{self, Lines},
    problem::{FieldProblem, Problem},
};
use serde::{Deserialize, Serialize};
use suyuan_sync::trace_code::TraceCode;
use utoipa::ToSchema;

/// Most characters of what is told: a form of Chinese text then stays below 16 KiB.
pub const CONTENT_MAX: usize = 1000;
/// Most characters of a name.
pub const NAME_MAX: usize = 60;
/// Most characters of a telephone number or address.
pub const CONTACT_MAX: usize = 100;
/// Most characters of a place.
pub const PLACE_MAX: usize = 120;
/// Most characters of an answer, plan or result.
pub const HANDLING_MAX: usize = 2000;

/// Which of the two it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VoiceKind {
    /// A complaint 投诉.
    Complaint,
    /// Feedback 意见反馈 after buying.
    Feedback,
}

impl VoiceKind {
    /// The name in rows and messages.
    pub const fn name(self) -> &'static str {
        match self {
            VoiceKind::Complaint => "complaint",
            VoiceKind::Feedback => "feedback",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<VoiceKind> {
        [VoiceKind::Complaint, VoiceKind::Feedback]
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    /// The record type it is kept as.
    pub const fn record(self) -> &'static str {
        match self {
            VoiceKind::Complaint => "consumer_complaint",
            VoiceKind::Feedback => "consumer_purchase",
        }
    }
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It came in.
    Received,
    /// Someone works on it.
    InProgress,
    /// It was answered.
    Answered,
    /// It has ended; the result is on record.
    Closed,
}

impl State {
    /// The name in rows.
    pub const fn name(self) -> &'static str {
        match self {
            State::Received => "received",
            State::InProgress => "in_progress",
            State::Answered => "answered",
            State::Closed => "closed",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<State> {
        [
            State::Received,
            State::InProgress,
            State::Answered,
            State::Closed,
        ]
        .into_iter()
        .find(|state| state.name() == name)
    }

    /// May `next` follow? Work goes forward; an answer may be taken up again or bettered, what is
    /// closed stays closed.
    pub const fn may_become(self, next: State) -> bool {
        match (self, next) {
            (State::Closed, _) | (_, State::Received) => false,
            (State::Received | State::InProgress | State::Answered, _) => true,
        }
    }
}

/// What must be told, besides the content, as the standard of the product wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// Who tells it.
    pub name: bool,
    /// Where it happened, or where it was bought.
    pub place: bool,
    /// When it was bought; feedback only.
    pub bought_at: bool,
}

/// What is asked about a product of this profile. Of a code that names no known product it is
/// asked what any standard wants.
pub fn asked(catalogue: &Catalogue, profile: Option<&str>, kind: VoiceKind) -> Asked {
    let wants = |profile: &Profile, field: &str| {
        profile
            .field(&format!("{}.{field}", kind.record()))
            .is_some_and(|field| field.required)
    };
    let of = |profile: &Profile| Asked {
        name: wants(profile, "complainant"),
        place: wants(profile, "complaint_place") || wants(profile, "purchase_place"),
        bought_at: wants(profile, "purchase_time"),
    };
    match profile.and_then(|id| catalogue.profile(id)) {
        Some(profile) => of(profile),
        None => catalogue
            .profiles()
            .map(of)
            .fold(Asked::default(), |a, b| Asked {
                name: a.name || b.name,
                place: a.place || b.place,
                bought_at: a.bought_at || b.bought_at,
            }),
    }
}

/// What was typed; empty is absent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Draft {
    /// What happened.
    pub content: String,
    /// Where it happened; for feedback, where it was bought.
    pub place: String,
    /// When it was bought: a day, or RFC 3339.
    pub bought_at: String,
    /// Who tells it.
    pub name: String,
    /// How to reach them.
    pub contact: String,
}

/// What was told, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Where the complaint is about; not personal by the standards.
    pub place: Option<String>,
    /// What is sealed.
    pub personal: Personal,
}

/// The personal part: all that the standards mark so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Personal {
    /// What happened, or what is thought.
    pub content: String,
    /// Who tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How to reach them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// When it was bought, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bought_at: Option<String>,
    /// Where it was bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bought_where: Option<String>,
}

/// Checks what was typed; every wrong field is named.
pub fn check(kind: VoiceKind, asked: Asked, draft: &Draft) -> Result<Told, Vec<FieldProblem>> {
    let mut faults = Vec::new();
    let mut text = |field: &str, typed: &str, max: usize, lines: Lines, required: bool| {
        // Browsers end lines of a form with two characters.
        let text = typed.replace("\r\n", "\n").trim().to_owned();
        if text.is_empty() {
            if required {
                faults.extend(missing(field));
            }
            return None;
        }
        let fault = free_text::check(field, &text, max, lines).err();
        let right = fault.is_none();
        faults.extend(fault);
        right.then_some(text)
    };
    let content = text("content", &draft.content, CONTENT_MAX, Lines::Any, true);
    let place = text("place", &draft.place, PLACE_MAX, Lines::One, asked.place);
    let name = text("name", &draft.name, NAME_MAX, Lines::One, asked.name);
    let contact = text("contact", &draft.contact, CONTACT_MAX, Lines::One, false);
    let bought_at = match (kind, draft.bought_at.trim()) {
        (VoiceKind::Complaint, _) => None,
        (VoiceKind::Feedback, "") => {
            if asked.bought_at {
                faults.extend(missing("bought_at"));
            }
            None
        }
        (VoiceKind::Feedback, typed) => {
            let instant = instant(typed);
            if instant.is_none() {
                let (en, zh) = ("a day as YYYY-MM-DD", "日期格式为 YYYY-MM-DD");
                faults.extend(Problem::field("bought_at", "bad-date", en, zh).errors);
            }
            instant
        }
    };
    if !faults.is_empty() {
        return Err(faults);
    }
    let (place, bought_where) = match kind {
        VoiceKind::Complaint => (place, None),
        VoiceKind::Feedback => (None, place),
    };
    Ok(Told {
        place,
        personal: Personal {
            content: content.unwrap_or_default(),
            name,
            contact,
            bought_at,
            bought_where,
        },
    })
}

fn missing(field: &str) -> Vec<FieldProblem> {
    Problem::field(field, "missing", "this is asked for", "此项必填").errors
}

/// A day in China, or an instant, as RFC 3339.
pub fn instant(typed: &str) -> Option<String> {
    if typed.len() == 10 {
        let day: jiff::civil::Date = typed.parse().ok()?;
        return Some(format!("{day}T00:00:00+08:00"));
    }
    let within = (20..=35).contains(&typed.len());
    within.then(|| typed.parse::<jiff::Timestamp>().ok())??;
    Some(typed.to_owned())
}

/// The code spaces a code may belong to: the one that exists tells whose it is.
pub fn spaces(code: &TraceCode) -> Vec<String> {
    let keys: Vec<SpaceKey> = match code {
        TraceCode::Gtin(gtin) => vec![SpaceKey::gtin(gtin.gtin)],
        TraceCode::Own(_) => UnitName::of(code)
            .map(|name| name.space)
            .into_iter()
            .collect(),
        TraceCode::Sscc(sscc) => (4..=12)
            .filter_map(|len| SpaceKey::sscc(sscc.as_str().get(1..=len)?))
            .collect(),
        TraceCode::Other(_) | TraceCode::Profiled(_) => Vec::new(),
    };
    keys.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        Draft {
            content: "奶粉结块\r\n有异味".into(),
            place: "上海".into(),
            name: "王女士".into(),
            ..Draft::default()
        }
    }

    #[test]
    fn what_is_asked_follows_the_standard_of_the_product() {
        let catalogue = Catalogue::built_in().unwrap();
        let of = |profile, kind| asked(&catalogue, profile, kind);
        let formula = of(Some("infant-formula"), VoiceKind::Complaint);
        assert!(formula.name && formula.place && !formula.bought_at);
        let formula = of(Some("infant-formula"), VoiceKind::Feedback);
        assert!(!formula.name && formula.place && formula.bought_at);
        for kind in [VoiceKind::Complaint, VoiceKind::Feedback] {
            assert_eq!(of(Some("maternal-baby"), kind), Asked::default());
            assert_eq!(of(None, kind), of(Some("infant-formula"), kind));
        }
    }

    #[test]
    fn every_wrong_field_is_named() {
        let all = Asked {
            name: true,
            place: true,
            bought_at: true,
        };
        let faults = check(VoiceKind::Feedback, all, &Draft::default()).unwrap_err();
        let named: Vec<_> = faults.iter().map(|f| f.field.as_str()).collect();
        assert_eq!(named, ["content", "place", "name", "bought_at"]);
        let mut bent = draft();
        bent.content = "字".repeat(CONTENT_MAX + 1);
        bent.place = "上\n海".into();
        bent.name = "a\u{202e}b".into();
        bent.contact = "1\u{0}".into();
        let faults = check(VoiceKind::Complaint, all, &bent).unwrap_err();
        assert_eq!(faults.len(), 4, "{faults:?}");
        bent = draft();
        bent.bought_at = "2026-02-30".into();
        assert!(check(VoiceKind::Feedback, Asked::default(), &bent).is_err());
    }

    #[test]
    fn a_place_is_personal_only_where_it_says_where_somebody_bought() {
        let told = check(VoiceKind::Complaint, Asked::default(), &draft()).unwrap();
        assert_eq!(told.place.as_deref(), Some("上海"));
        assert_eq!(told.personal.content, "奶粉结块\n有异味");
        let told = check(VoiceKind::Feedback, Asked::default(), &draft()).unwrap();
        assert_eq!(told.place, None);
        assert_eq!(told.personal.bought_where.as_deref(), Some("上海"));
    }

    #[test]
    fn days_and_instants_are_read() {
        assert_eq!(
            instant("2026-01-02").as_deref(),
            Some("2026-01-02T00:00:00+08:00")
        );
        assert!(instant("2026-01-02T03:04:05Z").is_some());
        for bad in [
            "",
            "2026-1-2",
            "yesterday",
            "2026-13-01",
            "2026-01-02T03:04",
        ] {
            assert_eq!(instant(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_closed_stays_closed_and_nothing_goes_back_to_the_beginning() {
        use State::{Answered, Closed, InProgress, Received};
        assert!(Received.may_become(InProgress) && Received.may_become(Closed));
        assert!(Answered.may_become(InProgress) && Answered.may_become(Answered));
        for next in [Received, InProgress, Answered, Closed] {
            assert!(!Closed.may_become(next));
        }
        assert!(!InProgress.may_become(Received));
    }
}
