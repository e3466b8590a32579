//! What staff do with buyers: file, open, erase. Each is one act with its entry, which says of which sale and
//! nothing personal.

use super::{
    BuyerError, rules, store,
    wire::{BuyerIn, BuyerOpenedOut, BuyerOut},
};
use crate::{
    app::Internal,
    clock::{Micros, rfc3339},
    entities::buyer_personal as buyer,
    events::store::event,
    log::{Act, Actor, Begun, Entry, Kind},
};
use serde_json::json;
use std::collections::BTreeSet;
use suyuan_sync::{
    event::{Kind as EventKind, required::Profile},
    ids::{EnterpriseId, EventId},
};
use uuid::Uuid;

const DAY: Micros = 86_400 * 1_000_000;

/// What a seal is bound to besides the event: ids of events are an enterprise's own.
fn bound_to(enterprise: Uuid) -> String {
    format!("buyer/{enterprise}")
}

/// Files what is known of the buyer of a sale, in the place of what was filed before.
pub(super) async fn file(
    state: &Internal,
    (enterprise, actor): (Uuid, Actor),
    id: Uuid,
    new: &BuyerIn,
) -> Result<BuyerOut, BuyerError> {
    let profiles = sold(state, enterprise, id).await?;
    let asked = rules::asked(&state.catalogue, &profiles);
    let told = rules::check(&asked, new).map_err(BuyerError::Fields)?;
    let plain = serde_json::to_vec(&told)?;
    // Before the head is held: an act must never wait for another connection.
    let sealed = state.seals.seal(id, &bound_to(enterprise), &plain).await?;
    let act = begin(state, actor).await?;
    let keep = Micros::from(state.settings.voices.keep_days) * DAY;
    let row = buyer::Model {
        enterprise_id: enterprise,
        event_id: id,
        sealed,
        filed_at: act.stamp(),
        keep_until: act.stamp() + keep,
    };
    let out = out(&row);
    store::put(&act, row).await?;
    commit(act, Kind::BuyerFiled, (enterprise, id), &json!({})).await?;
    Ok(out)
}

/// The profiles of the goods of an enterprise's sale.
async fn sold(
    state: &Internal,
    enterprise: Uuid,
    id: Uuid,
) -> Result<BTreeSet<Profile>, BuyerError> {
    let mut snapshot = state.handheld.reading.begin(&state.db).await?;
    let row = event(snapshot.tx(), enterprise, EventId(id)).await?;
    let row = row.ok_or(BuyerError::Unknown)?;
    let sale = row.event.filter(|event| event.kind == EventKind::Sale);
    let sale = sale.ok_or(BuyerError::NoSale)?;
    Ok(snapshot.profiles(EnterpriseId(enterprise), &sale).await?)
}

/// That something is filed, and until when.
pub(super) async fn get(
    state: &Internal,
    enterprise: Uuid,
    id: Uuid,
) -> Result<BuyerOut, BuyerError> {
    let row = store::find(state.db.reader(), enterprise, id).await?;
    Ok(out(&row.ok_or(BuyerError::Unknown)?))
}

/// What is filed. Whoever reads it is named in the log, which is written before anything is told.
pub(super) async fn open(
    state: &Internal,
    (enterprise, actor): (Uuid, Actor),
    id: Uuid,
) -> Result<BuyerOpenedOut, BuyerError> {
    let act = begin(state, actor).await?;
    let row = store::find(act.tx(), enterprise, id).await?;
    let row = row.ok_or(BuyerError::Unknown)?;
    let subject = (enterprise, id);
    commit(act, Kind::PersonalDataOpened, subject, &json!({})).await?;
    let bound = bound_to(enterprise);
    let plain = state.seals.open(id, &bound, &row.sealed).await?;
    Ok(BuyerOpenedOut {
        filed: out(&row),
        buyer: serde_json::from_slice(&plain)?,
    })
}

/// Erases what is filed.
pub(super) async fn erase(
    state: &Internal,
    (enterprise, actor): (Uuid, Actor),
    id: Uuid,
) -> Result<(), BuyerError> {
    let act = begin(state, actor).await?;
    if !store::erase(&act, enterprise, id).await? {
        return Err(BuyerError::Unknown);
    }
    let (subject, body) = ((enterprise, id), json!({"by": "staff"}));
    commit(act, Kind::PersonalDataErased, subject, &body).await
}

async fn begin(state: &Internal, actor: Actor) -> Result<Act, BuyerError> {
    match state.log.begin::<()>(actor, None).await? {
        Begun::Act(act) => Ok(act),
        Begun::Answered(()) => Err(BuyerError::Unknown), // no key was given
    }
}

async fn commit(
    act: Act,
    kind: Kind,
    (enterprise, event): (Uuid, Uuid),
    body: &serde_json::Value,
) -> Result<(), BuyerError> {
    let entry = Entry {
        kind,
        enterprise: Some(enterprise),
        subject: format!("event:{event}"),
        body,
    };
    act.commit(entry, &()).await?;
    Ok(())
}

fn out(row: &buyer::Model) -> BuyerOut {
    BuyerOut {
        event: row.event_id,
        filed_at: rfc3339(row.filed_at),
        keep_until: rfc3339(row.keep_until),
    }
}
