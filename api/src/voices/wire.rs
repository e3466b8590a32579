//! Voices as JSON, for staff.

use super::rules::{State, VoiceKind};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// What staff enter for a consumer who told it by other ways (IF-8.4.2 人工录入).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VoiceIn {
    /// Complaint or feedback.
    pub kind: VoiceKind,
    /// Any form of a code of this enterprise.
    pub code: String,
    /// When it was told, RFC 3339; now where absent.
    pub told_at: Option<String>,
    /// What was told: 1 to 1000 characters. Personal.
    pub content: String,
    /// Where it happened or was bought: at most 120 characters. Personal in feedback.
    pub place: Option<String>,
    /// When it was bought (feedback): a day, or RFC 3339. Personal.
    pub bought_at: Option<String>,
    /// Who told it: at most 60 characters. Personal.
    pub name: Option<String>,
    /// How to reach them: at most 100 characters. Personal.
    pub contact: Option<String>,
}

/// A step of handling.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StepIn {
    /// `in_progress`, `answered` (with an answer) or `closed` (a complaint with its result).
    pub state: State,
    /// What is to be done (处理方案): at most 2000 characters, not shown to the consumer.
    pub plan: Option<String>,
    /// What the consumer is told: at most 2000 characters, nothing personal. It stands on the page
    /// behind the receipt.
    pub answer: Option<String>,
    /// What came of it (投诉内容处理结果): at most 2000 characters, not shown to the consumer.
    pub result: Option<String>,
}

/// Which voices.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct VoiceQuery {
    /// Only these.
    pub kind: Option<VoiceKind>,
    /// Only in this state.
    pub state: Option<State>,
    /// Only about exactly this code, in any form.
    pub code: Option<String>,
    /// `next` of the page before.
    pub after: Option<Uuid>,
    /// How many, 1 to 500 (default 100).
    pub limit: Option<u64>,
}

/// Where the personal part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PersonalState {
    /// Sealed; opened by `POST /v1/voices/{id}/openings`, which is logged.
    Sealed,
    /// Gone. A pseudonym stands for the name.
    Erased,
}

/// A voice, without its personal part.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct VoiceOut {
    /// Id; also the case number (处理编号).
    pub id: Uuid,
    /// Whose product; absent where the code is nobody's here, and the platform handles it.
    pub enterprise_id: Option<Uuid>,
    /// Complaint or feedback.
    pub kind: VoiceKind,
    /// How far it has come.
    pub state: State,
    /// The code it is about, canonical.
    pub code: String,
    /// The lot the code named.
    pub lot: Option<String>,
    /// The product of the code's space.
    pub product_id: Option<Uuid>,
    /// When it was told, UTC.
    pub told_at: String,
    /// Where (complaints).
    pub place: Option<String>,
    /// `consumer` or `staff`.
    pub entered_by: String,
    /// What is to be done.
    pub plan: Option<String>,
    /// What the consumer is told.
    pub answer: Option<String>,
    /// What came of it.
    pub result: Option<String>,
    /// Who did the last step.
    pub handler: Option<Uuid>,
    /// When it was answered, UTC.
    pub answered_at: Option<String>,
    /// When the last step was done, UTC.
    pub handled_at: Option<String>,
    /// When it was closed, UTC.
    pub closed_at: Option<String>,
    /// How satisfied the consumer was, 1 to 5 (消费者满意度评价).
    pub satisfaction: Option<i64>,
    /// Where the personal part is.
    pub personal: PersonalState,
}

/// A voice in the words of the standard.
#[derive(Debug, Serialize, ToSchema)]
pub struct VoiceRecordOut {
    /// The voice.
    pub voice: VoiceOut,
    /// `{"record_type.field": value}` of every item that has a value; personal items only where
    /// the personal part was opened.
    #[schema(value_type = Object)]
    pub record: serde_json::Value,
}

/// What was entered, and the receipt for the consumer.
#[derive(Debug, Serialize, ToSchema)]
pub struct VoiceMadeOut {
    /// The voice's id.
    pub id: Uuid,
    /// To be given to the consumer; it is not kept and cannot be asked for again.
    pub receipt: String,
    /// The voice.
    pub voice: VoiceOut,
}
