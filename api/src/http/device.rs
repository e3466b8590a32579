//! Which device is calling: it signs each read with its key, over the newest anchor it holds
//! (sync.md section 3). No clock of the device is judged; an old anchor is answered with a fresh
//! one, so that no device ever has to sign in.

use super::auth::{Staff, bearer};
use crate::{
    app::Internal,
    clock::Micros,
    handheld::{devices, token},
    problem::{Problem, ProblemCode},
};
use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};
use futures_util::future::LocalBoxFuture;
use suyuan_sync::{
    ids::Epoch,
    limits::ANCHOR_AGE_S,
    wire::{ReadClaims, TYP_READ},
};
use uuid::Uuid;

/// A device we know, whatever became of its key: it may ask how it stands, and no more.
#[derive(Debug, Clone)]
pub struct DeviceKnown {
    /// Whose device.
    pub enterprise: Uuid,
    /// Its id.
    pub device: Uuid,
    /// Its epoch.
    pub epoch: Epoch,
    /// Where it is used.
    pub location: Uuid,
    /// The instant of the anchor it signed with.
    pub anchor: Micros,
    /// Its key is revoked, or it enrolled again since.
    pub over: bool,
}

/// A device that may read what its enterprise and place are told.
pub struct DeviceRead(pub DeviceKnown);

/// Who brings an exported outbox, or a photo: a device, or somebody of an enterprise.
pub enum Carrier {
    /// A device that may read.
    Device(DeviceKnown),
    /// Somebody who is signed in, of this enterprise.
    Staff(Uuid),
}

impl Carrier {
    /// Whose, and with which device if with one.
    pub fn who(&self) -> (Uuid, Option<(Uuid, Epoch)>) {
        match self {
            Carrier::Device(known) => (known.enterprise, Some((known.device, known.epoch))),
            Carrier::Staff(enterprise) => (*enterprise, None),
        }
    }
}

async fn known(request: &HttpRequest) -> Result<DeviceKnown, Problem> {
    let refused = || Problem::new(ProblemCode::DeviceNotKnown);
    let state = request.app_data::<Data<Internal>>().ok_or_else(refused)?;
    let token = bearer(request).ok_or_else(refused)?;
    let says = token::says(token).ok_or_else(refused)?;
    let (device, epoch) = (says.device.0, says.epoch);
    let conn = state.db.reader();
    let key = devices::store::key(conn, device, epoch).await?;
    let key = key.ok_or_else(refused)?;
    let installation = state.log.installation().to_string();
    let claims: Option<ReadClaims> =
        token::verified(token, TYP_READ, &installation, &key.public_key);
    let claims = claims.ok_or_else(refused)?;
    let row = devices::store::by_id(conn, device).await?;
    let row = row.ok_or_else(refused)?;
    let now = state.log.now();
    let anchor = state.handheld.anchors.read(device, epoch, &claims.anchor);
    let Some(anchor) = anchor.filter(|at| now.saturating_sub(*at) <= ANCHOR_AGE_S * 1_000_000)
    else {
        let (_, stamp) = state.log.head().await?;
        let fresh = state.handheld.anchors.issue(device, epoch, stamp, now);
        return Err(Problem::new(ProblemCode::StaleAnchor).anchor(fresh));
    };
    Ok(DeviceKnown {
        enterprise: key.enterprise,
        device,
        epoch,
        location: row.location_id,
        anchor,
        over: key.revoked.is_some() || row.epoch != i64::from(epoch),
    })
}

impl FromRequest for DeviceKnown {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { known(&request).await })
    }
}

impl FromRequest for DeviceRead {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let device = known(&request).await?;
            if device.over {
                return Err(Problem::new(ProblemCode::NotAllowed).detail(
                    "The device's key is revoked or replaced; it has to enrol again.",
                    "设备密钥已停用或已更换，请重新注册。",
                ));
            }
            Ok(DeviceRead(device))
        })
    }
}

impl FromRequest for Carrier {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let of_device = bearer(request).is_some_and(|token| token::says(token).is_some());
        if of_device {
            let device = DeviceRead::from_request(request, payload);
            return Box::pin(async move { device.await.map(|device| Carrier::Device(device.0)) });
        }
        let staff = Staff::from_request(request, payload);
        Box::pin(async move {
            {
                let staff = staff.await?;
                Ok(Carrier::Staff(staff.enterprise))
            }
        })
    }
}
