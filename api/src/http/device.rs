//! A device that reads: who it is, by a token it signed over the newest anchor it holds. Its clock is
//! not trusted; the anchor is the nonce, and one that is too old gets a fresh one back, no sign-in.

use crate::{
    app::Internal,
    handheld::{devices, token},
    problem::{Problem, ProblemCode},
};
use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};
use futures_util::future::LocalBoxFuture;
use suyuan_sync::{
    limits::ANCHOR_AGE_S,
    wire::{ReadClaims, TYP_READ},
};
use uuid::Uuid;

/// The device that reads. Everything it sees begins with its enterprise.
#[derive(Debug, Clone)]
pub struct DeviceCaller {
    /// The tenant.
    pub enterprise: Uuid,
    /// The device.
    pub device: Uuid,
    /// Its epoch.
    pub epoch: u32,
    /// Its place.
    pub location: Uuid,
    /// What it is used for.
    pub profile: String,
}

impl FromRequest for DeviceCaller {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { caller(&request).await })
    }
}

async fn caller(request: &HttpRequest) -> Result<DeviceCaller, Problem> {
    let refused = || Problem::new(ProblemCode::DeviceNotKnown);
    let state = request.app_data::<Data<Internal>>().ok_or_else(refused)?;
    let text = super::auth::bearer(request).ok_or_else(refused)?;
    let says = token::says(text).ok_or_else(refused)?;
    let conn = state.db.reader();
    let key = devices::store::key(conn, says.device.0, says.epoch).await?;
    // A revoked device may push what it has; it is told nothing more.
    let key = key
        .filter(|key| key.revoked.is_none())
        .ok_or_else(refused)?;
    let installation = state.log.installation().to_string();
    let claims: Option<ReadClaims> =
        token::verified(text, TYP_READ, &installation, &key.public_key);
    let claims = claims.ok_or_else(refused)?;
    let now = state.clock.now();
    let anchors = &state.handheld.anchors;
    let at = anchors.read(says.device.0, says.epoch, &claims.anchor);
    if at.is_none_or(|at| now.saturating_sub(at) > ANCHOR_AGE_S * 1_000_000) {
        let (_, stamp) = state.log.head().await?;
        let fresh = anchors.issue(says.device.0, says.epoch, stamp, now);
        return Err(Problem::new(ProblemCode::StaleAnchor).anchor(fresh));
    }
    let device = devices::store::by_id(conn, says.device.0).await?;
    let device = device.ok_or_else(refused)?;
    Ok(DeviceCaller {
        enterprise: key.enterprise,
        device: says.device.0,
        epoch: says.epoch,
        location: device.location_id,
        profile: device.profile,
    })
}
