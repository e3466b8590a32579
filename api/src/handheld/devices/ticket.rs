//! What a device is enrolled with, as text and as QR code, shown once to whoever made it; and what
//! it is told when it enrols.

use super::{
    store::{Enrolled, Ticket},
    wire::{DeviceOut, DeviceTicketOut, TicketOut},
};
use crate::{
    app::Internal,
    clock::rfc3339,
    codes::qr,
    config,
    registry::{RegistryError, locations::store as locations},
    tls::Authority,
};
use suyuan_sync::{
    ids::{DeviceId, EnterpriseId, Epoch, LocationId},
    limits::Limits,
    wire::{self, EnrolAnswer, V},
};
use uuid::Uuid;

/// Tells the code a device enrols by, with the fingerprint of the authority it has to trust.
pub fn told(
    settings: &config::Settings,
    authority: Option<&Authority>,
    enterprise: Uuid,
    (device, ticket): (DeviceOut, Ticket),
) -> DeviceTicketOut {
    let given = settings.handheld.certificate_fingerprint.as_str();
    let given = Some(given.to_owned()).filter(|fingerprint| !fingerprint.is_empty());
    let ours = || authority.map(|authority| authority.fingerprint.to_string());
    let text = wire::Ticket {
        v: V,
        url: settings.device_url(),
        enterprise: EnterpriseId(enterprise),
        code: ticket.code.clone(),
        fingerprint: given.or_else(ours),
        profile: device.profile.clone(),
    };
    let text = serde_json::to_string(&text).unwrap_or_default();
    let ticket = TicketOut {
        code: ticket.code,
        expires_at: rfc3339(ticket.expires_at),
        svg: qr::of(&text).as_ref().map(qr::svg),
        text,
    };
    DeviceTicketOut { device, ticket }
}

/// What the numbers of documents begin with that a device makes (sync.md section 1, `store-device-counter`): the
/// code of its place, what tells it from other devices, and from its own earlier lives, since each
/// counts from one.
fn document_prefix(place: &str, device: Uuid, epoch: Epoch) -> String {
    let device = format!("{:X}", device.as_fields().0);
    match epoch {
        0 | 1 => format!("{place}-{device:0>8}"),
        epoch => format!("{place}-{device:0>8}.{epoch}"),
    }
}

/// What a device is told that just enrolled.
pub async fn welcome(state: &Internal, enrolled: &Enrolled) -> Result<EnrolAnswer, RegistryError> {
    let (device, now) = (&enrolled.device, state.log.now());
    let place = locations::get(&state.db, device.enterprise_id, device.location_id).await?;
    Ok(EnrolAnswer {
        v: V,
        device: DeviceId(device.id),
        epoch: enrolled.epoch,
        enterprise: EnterpriseId(device.enterprise_id),
        location: LocationId(device.location_id),
        document_prefix: Some(document_prefix(&place.code, device.id, enrolled.epoch)),
        profile: device.profile.clone(),
        installation: state.log.installation().to_string(),
        trust_keys: state.handheld.keys.chain(),
        limits: Limits {
            parking_hours: (state.settings.handheld.parking_s as u64).div_ceil(3600),
            ..Limits::OURS
        },
        anchor: state
            .handheld
            .anchors
            .issue(device.id, enrolled.epoch, enrolled.stamp, now),
        t_sent: now,
    })
}
