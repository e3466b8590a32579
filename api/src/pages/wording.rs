//! Every sentence of the pages, one table per language: [`ZH`] and [`EN`].
//!
//! Rules of the wording: it says what was found and what to do, in that order, calmly. It never
//! says that a product is what it claims to be, since a code that can be seen can be copied; it
//! never accuses. It speaks of "this product", so that it holds for a tin and for a case.
//! The matches over reasons and standings are exhaustive: a new one does not compile without
//! its words.

mod en;
pub(super) mod voice;
mod zh;

use super::Lang;
use crate::resolver::decide::{Legality, Reason};

pub(super) use en::EN;
pub(super) use zh::ZH;

/// What one reason says.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReasonWords {
    /// A few words, for the eye.
    pub short: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do.
    pub action: &'static str,
}

/// What the page of one HTTP status says.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProblemWords {
    /// What happened.
    pub title: &'static str,
    /// What that means for the reader; may be empty.
    pub meaning: &'static str,
    /// What to do now.
    pub steps: &'static [&'static str],
}

/// The fixed sentences of one language, in the order in which a scan page shows them.
pub(super) struct Words {
    pub service: &'static str,
    pub other_language: &'static str,
    pub colon: &'static str,

    pub ok: &'static str,
    pub caution: &'static str,
    pub stop: &'static str,
    pub checked: &'static str,
    pub code_issued: &'static str,
    pub not_recalled: &'static str,
    pub not_expired: &'static str,
    pub ok_limits: &'static str,

    pub recall: &'static str,
    pub recall_reason: &'static str,
    pub recall_instructions: &'static str,
    pub recall_opened: &'static str,
    pub recall_id: &'static str,

    pub about_product: &'static str,
    pub about_claimed_product: &'static str,
    pub compare: &'static str,
    pub lot: &'static str,
    pub expiry: &'static str,
    pub newer_version: &'static str,
    pub public_info: &'static str,
    pub absent: &'static str,

    pub queries: &'static str,
    pub first_query_means: &'static str,
    pub count_means: &'static str,

    pub this_code: &'static str,
    pub code: &'static str,
    pub standing: &'static str,
    pub as_of: &'static str,
    pub beijing_time: &'static str,

    pub help: &'static str,
    pub call_maker: &'static str,
    pub call_printed: &'static str,
    pub call_hotline: &'static str,
    pub type_a_code: &'static str,

    pub entry: &'static str,
    pub entry_label: &'static str,
    pub entry_hint: &'static str,
    pub entry_example: &'static str,
    pub entry_submit: &'static str,
    pub entry_where: &'static str,
    pub entry_places: &'static [&'static str],
    pub unreadable: &'static str,
    pub fault_part: &'static str,

    pub photo: &'static str,
    pub photo_take: &'static str,
    pub photo_choose: &'static str,
    pub photo_hint: &'static str,
    pub photo_submit: &'static str,
    pub photo_advice: &'static [&'static str],
    pub photo_found: &'static str,
    pub photo_each: &'static str,
    pub photo_open: &'static str,
    pub photo_other: &'static str,

    pub unavailable: &'static str,
    pub unavailable_plainly: &'static str,
    pub what_to_do: &'static str,
    pub problem_code: &'static str,
    pub request_id: &'static str,
}

/// What a reason says.
pub(super) fn reason(lang: Lang, reason: Reason) -> ReasonWords {
    match lang {
        Lang::Zh => zh::reason(reason),
        Lang::En => en::reason(reason),
    }
}

/// How the code itself stands, apart from the goods.
pub(super) fn standing(lang: Lang, legality: Option<Legality>) -> &'static str {
    match lang {
        Lang::Zh => zh::standing(legality),
        Lang::En => en::standing(legality),
    }
}

/// What a status says.
pub(super) fn problem(lang: Lang, status: u16) -> ProblemWords {
    match lang {
        Lang::Zh => zh::problem(status),
        Lang::En => en::problem(status),
    }
}

/// How often, since when. `first_on` is HTML already, and so is the answer.
pub(super) fn counted(lang: Lang, count: u64, first_on: Option<&str>) -> String {
    match lang {
        Lang::Zh => zh::counted(count, first_on),
        Lang::En => en::counted(count, first_on),
    }
}

/// How old a count is.
pub(super) fn counted_ago(lang: Lang, seconds: u64) -> String {
    match lang {
        Lang::Zh => zh::counted_ago(seconds),
        Lang::En => en::counted_ago(seconds),
    }
}

#[cfg(test)]
pub(super) mod forbidden {
    //! Words that promise more than can be known, or accuse.

    /// Panics where one of them stands in what a reader sees.
    pub fn assert_absent(html: &str) {
        let seen = html.replace(crate::pages::CSS, "").to_lowercase();
        for word in WORDS {
            assert!(!seen.contains(word), "{word} in {html}");
        }
    }

    const WORDS: &[&str] = &[
        "正品",
        "真品",
        "保真",
        "真伪",
        "假货",
        "假冒",
        "仿冒",
        "伪造",
        "山寨",
        "放心",
        "绝对",
        "保证",
        "百分之百",
        "100%",
        "可以安全",
        "genuine",
        "authentic",
        "fake",
        "counterfeit",
        "forged",
        "guarantee",
        "rest assured",
        "certified",
        "is safe",
        "safe to",
    ];
}
