//! The consumer's side of voices as JSON.

use crate::voices::rules::VoiceKind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A complaint (投诉信息). Which items must be given follows the standard of the product: for
/// infant formula `name` and `place` too.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ComplaintIn {
    /// Any form of a trace code.
    pub code: String,
    /// A random UUID (version 4) made by the caller: the same complaint sent again under it is one
    /// complaint with one receipt. It must not be guessable: the receipt follows from it.
    pub request_id: Option<Uuid>,
    /// What happened: 1 to 1000 characters. Sealed.
    pub content: String,
    /// Where: at most 120 characters. Not sealed: no home address.
    pub place: Option<String>,
    /// Who complains: at most 60 characters; need not be the full name. Sealed.
    pub name: Option<String>,
    /// How to reach them: at most 100 characters. Sealed.
    pub contact: Option<String>,
    /// The person agreed that this is kept and read in order to handle it. Must be `true`.
    pub consent: bool,
}

/// Feedback after buying (购买信息). For infant formula `place` and `bought_at` must be given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedbackIn {
    /// Any form of a trace code.
    pub code: String,
    /// As for complaints.
    pub request_id: Option<Uuid>,
    /// What is thought: 1 to 1000 characters. Sealed.
    pub content: String,
    /// Where it was bought: at most 120 characters. Sealed.
    pub place: Option<String>,
    /// When it was bought: `YYYY-MM-DD` or RFC 3339. Sealed.
    pub bought_at: Option<String>,
    /// Who tells it: at most 60 characters. Sealed.
    pub name: Option<String>,
    /// How to reach them: at most 100 characters. Sealed.
    pub contact: Option<String>,
    /// As for complaints.
    pub consent: bool,
}

/// What is given in exchange.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReceiptOut {
    /// Five groups of five characters. Whoever has it can see how it stands and erase the personal
    /// data; it is not kept and cannot be asked for again.
    pub receipt: String,
    /// `received`: it is kept, and will be taken in shortly.
    pub state: &'static str,
}

/// How it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StandingOut {
    /// `waiting`: the receipt is so young that what it stands for may not have been taken in yet;
    /// nothing more is known. Else `received`, `in_progress`, `answered` or `closed`.
    pub state: String,
    /// Complaint or feedback; absent while waiting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<VoiceKind>,
    /// When it was told, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received_at: Option<String>,
    /// What was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// When, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<String>,
    /// When it was closed, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<String>,
    /// Was the personal data erased?
    pub personal_data_erased: bool,
}

/// How satisfied the consumer is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SatisfactionIn {
    /// 1 (not at all) to 5 (very).
    pub score: u8,
}

/// What will be done.
#[derive(Debug, Serialize, ToSchema)]
pub struct AcceptedOut {
    /// `accepted`: it is kept, and will be done within seconds while the other side runs.
    pub state: &'static str,
}
