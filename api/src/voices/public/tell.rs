//! What a consumer does with a voice, apart from how it is asked for: tell, follow, erase, rate.

use super::{
    Desk, store,
    wire::{SatisfactionIn, StandingOut},
};
use crate::{
    clock::{Micros, rfc3339},
    entities::public_complaint,
    problem::{FieldProblem, Problem, ProblemCode},
    projection::View,
    voices::{
        receipt::{self, Receipt},
        receive::{ERASURE, ErasureBody, SATISFACTION, SatisfactionBody, VoiceBody},
        rules::{self, Asked, Draft, State, VoiceKind},
    },
};
use sea_orm::DbErr;
use std::{future::Future, time::Duration};
use suyuan_sync::trace_code::{Scanned, TraceCode};
use uuid::Uuid;

/// Longest wait for a row, as for a scan. Each wait that ends so gives one dead connection up.
const PATIENCE: Duration = Duration::from_secs(1);
/// Clocks of two machines may differ by this much, in microseconds.
const SKEW: Micros = 120_000_000;

/// Why something told was not taken.
pub enum Refused {
    /// These fields.
    Fields(Vec<FieldProblem>),
    /// Another reason.
    Problem(Problem),
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Problem {
        match refused {
            Refused::Fields(errors) => Problem::new(ProblemCode::InvalidFields).errors(errors),
            Refused::Problem(problem) => problem,
        }
    }
}

/// What a form needs to know about a code.
pub struct About {
    /// What its product shows.
    pub product: Option<View>,
    /// What must be told in a complaint.
    pub complaint: Asked,
    /// The same for feedback.
    pub feedback: Asked,
}

/// Looks up what is asked about a code.
pub async fn about(desk: &Desk, code: &TraceCode) -> Result<About, Problem> {
    let product = in_time(store::product(&desk.db, code)).await?;
    let profile = product.as_ref().map(|view| view.profile.as_str());
    let asked = |kind| rules::asked(&desk.catalogue, profile, kind);
    Ok(About {
        complaint: asked(VoiceKind::Complaint),
        feedback: asked(VoiceKind::Feedback),
        product,
    })
}

/// Takes what was told on `form`, a random id, and gives the receipt.
pub async fn tell(
    desk: &Desk,
    kind: VoiceKind,
    form: Uuid,
    scanned: &Scanned,
    draft: &Draft,
) -> Result<Receipt, Refused> {
    let about = about(desk, &scanned.code).await.map_err(Refused::Problem)?;
    let asked = match kind {
        VoiceKind::Complaint => about.complaint,
        VoiceKind::Feedback => about.feedback,
    };
    let told = rules::check(kind, asked, draft).map_err(Refused::Fields)?;
    let failed = |error: serde_json::Error| Refused::Problem(Problem::internal(&error));
    let private = serde_json::to_vec(&told.personal).map_err(failed)?;
    let mut body = VoiceBody {
        code: scanned.code.canonical_path().to_string(),
        lot: scanned.claims.lot.map(|lot| lot.to_string()),
        place: told.place,
        receipt: String::new(),
    };
    let plain = serde_json::to_vec(&body).map_err(failed)?;
    let all = [kind.name().as_bytes(), &plain, &private].concat();
    let given = receipt::give(form, &all, desk.clock.now());
    body.receipt = given.receipt.digest();
    let put = desk.slot.put(given.message, kind.name(), &body, &private);
    put.await.map_err(|error| Refused::Problem(error.into()))?;
    Ok(given.receipt)
}

/// How it stands. A receipt too young for what it stands for to have been taken in is told so;
/// an older one nobody knows is unknown.
pub async fn standing(desk: &Desk, receipt: &Receipt) -> Result<StandingOut, Problem> {
    let digest = receipt.digest();
    if let Some(row) = in_time(store::complaint(&desk.db, &digest)).await? {
        return Ok(out(row));
    }
    let taken_until = in_time(desk.slot.taken_until()).await?;
    // Looked for again now that it is known what was taken: it may have come in between.
    if let Some(row) = in_time(store::complaint(&desk.db, &digest)).await? {
        return Ok(out(row));
    }
    if taken_until > receipt.given_by().saturating_add(SKEW) {
        return Err(Problem::new(ProblemCode::NotFound));
    }
    Ok(StandingOut {
        state: "waiting".into(),
        kind: None,
        received_at: None,
        answer: None,
        answered_at: None,
        closed_at: None,
        personal_data_erased: false,
    })
}

/// Has the personal data erased.
pub async fn erase(desk: &Desk, receipt: &Receipt) -> Result<(), Problem> {
    taken_in(desk, receipt).await?;
    let body = ErasureBody {
        receipt: receipt.digest(),
    };
    Ok(desk.slot.put(Uuid::new_v4(), ERASURE, &body, &[]).await?)
}

/// Keeps how satisfied the consumer is with an answer.
pub async fn rate(desk: &Desk, receipt: &Receipt, given: &SatisfactionIn) -> Result<(), Problem> {
    if !(1..=5).contains(&given.score) {
        return Err(Problem::field("score", "out-of-range", "1 to 5", "1 到 5"));
    }
    if !taken_in(desk, receipt).await?.is_answered() {
        return Err(Problem::new(ProblemCode::WrongStep));
    }
    let body = SatisfactionBody {
        receipt: receipt.digest(),
        score: given.score,
    };
    let put = desk.slot.put(Uuid::new_v4(), SATISFACTION, &body, &[]);
    Ok(put.await?)
}

/// How a complaint that is on record stands: nothing is put about any other, so that nobody can
/// fill the inbox with receipts they made up.
async fn taken_in(desk: &Desk, receipt: &Receipt) -> Result<StandingOut, Problem> {
    let standing = standing(desk, receipt).await?;
    if standing.state == "waiting" {
        // Nothing is amiss here: the caller is a second early.
        let mut early = Problem::new(ProblemCode::WrongStep).detail(
            "this was not taken in yet; try again shortly",
            "此件尚在录入，请稍后再试",
        );
        early.retry_after_s = Some(1);
        return Err(early);
    }
    Ok(standing)
}

fn out(row: public_complaint::Model) -> StandingOut {
    StandingOut {
        kind: VoiceKind::parse(&row.kind),
        state: row.state,
        received_at: Some(rfc3339(row.received_at)),
        answer: row.answer,
        answered_at: row.answered_at.map(rfc3339),
        closed_at: row.closed_at.map(rfc3339),
        personal_data_erased: row.erased,
    }
}

impl StandingOut {
    /// Was it answered or closed?
    pub fn is_answered(&self) -> bool {
        [State::Answered, State::Closed]
            .iter()
            .any(|state| state.name() == self.state)
    }
}

async fn in_time<T>(read: impl Future<Output = Result<T, DbErr>>) -> Result<T, Problem> {
    let read = tokio::time::timeout(PATIENCE, read).await;
    Ok(read.map_err(|_| Problem::new(ProblemCode::Unavailable))??)
}
