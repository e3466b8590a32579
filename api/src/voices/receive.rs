//! Takes what consumers told out of the inbox into the trace record. The personal part stays
//! sealed on its way.

use super::{
    VoiceError,
    rules::VoiceKind,
    store::{self, NewVoice},
};
use crate::{
    inbox::{Message, Receiver, TakeError, Taken},
    log::{Act, Kind},
};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::json;
use suyuan_sync::trace_code;
use uuid::Uuid;

/// The kind of message that erases personal data.
pub const ERASURE: &str = "erasure";
/// The kind of message that rates the handling.
pub const SATISFACTION: &str = "satisfaction";

/// The body of a complaint or feedback on its way: nothing personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoiceBody {
    /// The code it is about, as we print it.
    pub code: String,
    /// The lot the code named besides.
    pub lot: Option<String>,
    /// Where.
    pub place: Option<String>,
    /// Digest of the receipt.
    pub receipt: String,
}

/// The body of an erasure.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasureBody {
    /// Digest of the receipt.
    pub receipt: String,
}

/// The body of a rating.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SatisfactionBody {
    /// Digest of the receipt.
    pub receipt: String,
    /// 1 to 5.
    pub score: u8,
}

/// Receives voices.
pub struct Voices {
    /// How long personal data is kept, in days.
    pub keep_days: u32,
}

impl Receiver for Voices {
    fn kinds(&self) -> &'static [&'static str] {
        &["complaint", "feedback", ERASURE, SATISFACTION]
    }

    fn take<'a>(
        &'a self,
        act: &'a Act,
        message: &'a Message,
    ) -> BoxFuture<'a, Result<Taken, TakeError>> {
        Box::pin(async move {
            match message.kind.as_str() {
                ERASURE => erase(act, read(message)?).await,
                SATISFACTION => rate(act, read(message)?).await,
                kind => {
                    let kind = VoiceKind::parse(kind).ok_or_else(|| unreadable("its kind"))?;
                    self.voice(act, message, kind).await
                }
            }
        })
    }
}

impl Voices {
    async fn voice(
        &self,
        act: &Act,
        message: &Message,
        kind: VoiceKind,
    ) -> Result<Taken, TakeError> {
        let body: VoiceBody = read(message)?;
        let code = trace_code::parse_path(&body.code, "").map_err(|_| unreadable("its code"))?;
        if store::is_known(act.tx(), message.id).await? {
            return Ok(Taken::Nothing);
        }
        let new = NewVoice {
            id: Uuid::now_v7(),
            message: message.id,
            kind,
            receipt: body.receipt,
            code: code.code,
            lot: body.lot,
            place: body.place,
            told_at: message.at,
            sealed: message.sealed.clone(),
            by_staff: false,
            keep_days: self.keep_days,
        };
        let row = store::add(act, new).await?;
        Ok(Taken::Changed {
            kind: Kind::VoiceReceived,
            enterprise: store::tenant(&row),
            subject: format!("voice:{}", row.id),
            body: json!({"kind": row.kind, "code": row.code, "entered_by": row.entered_by}),
        })
    }
}

async fn erase(act: &Act, body: ErasureBody) -> Result<Taken, TakeError> {
    let Some(row) = store::by_receipt(act.tx(), &body.receipt).await? else {
        return Err(unreadable("its receipt"));
    };
    if row.erased_at.is_some() {
        return Ok(Taken::Nothing);
    }
    let (tenant, id) = (store::tenant(&row), row.id);
    store::erase(act, row).await?;
    Ok(changed(
        Kind::PersonalDataErased,
        tenant,
        id,
        json!({"by": "consumer"}),
    ))
}

async fn rate(act: &Act, body: SatisfactionBody) -> Result<Taken, TakeError> {
    if !(1..=5).contains(&body.score) {
        return Err(unreadable("its score"));
    }
    let Some(row) = store::by_receipt(act.tx(), &body.receipt).await? else {
        return Err(unreadable("its receipt"));
    };
    let (tenant, id) = (store::tenant(&row), row.id);
    store::rate(act, &row, body.score).await?;
    Ok(changed(
        Kind::VoiceHandled,
        tenant,
        id,
        json!({"satisfaction": body.score}),
    ))
}

fn changed(kind: Kind, enterprise: Option<Uuid>, id: Uuid, body: serde_json::Value) -> Taken {
    Taken::Changed {
        kind,
        enterprise,
        subject: format!("voice:{id}"),
        body,
    }
}

fn read<T: for<'de> Deserialize<'de>>(message: &Message) -> Result<T, TakeError> {
    // serde's words could repeat what was sent.
    serde_json::from_str(&message.body).map_err(|_| unreadable("its body"))
}

fn unreadable(what: &str) -> TakeError {
    TakeError::Unreadable(format!("{what} cannot be read"))
}

impl From<VoiceError> for TakeError {
    fn from(error: VoiceError) -> TakeError {
        match error {
            VoiceError::Act(error) => TakeError::Act(error),
            other => TakeError::Unreadable(other.to_string()),
        }
    }
}
