//! What a device is enrolled with, as text and as QR code, shown once to whoever made it; and what
//! it is told when it enrols.

use super::{
    DeviceError,
    store::{self, Enrolled, Ticket},
    wire::TicketOut,
};
use crate::{
    app::Internal,
    clock::rfc3339,
    codes::qr,
    config,
    entities::device,
    log::{Actor, Log},
    tls::Authority,
};
use suyuan_sync::{
    ids::{DeviceId, EnterpriseId, LocationId},
    limits::Limits,
    wire::{self, EnrolAnswer, V},
};
use uuid::Uuid;

/// Gives a device a new code to enrol with, and tells it, with the fingerprint of the authority it
/// has to trust.
pub async fn make(
    settings: &config::Settings,
    authority: Option<&Authority>,
    log: &Log,
    enterprise: Uuid,
    actor: Actor,
    id: Uuid,
) -> Result<(device::Model, TicketOut), DeviceError> {
    let (row, ticket) = store::ticket(log, enterprise, actor, id).await?;
    let given = settings.handheld.certificate_fingerprint.as_str();
    let given = Some(given.to_owned()).filter(|fingerprint| !fingerprint.is_empty());
    let ours = || authority.map(|authority| authority.fingerprint.to_string());
    let out = told(settings, given.or_else(ours), &row, ticket);
    Ok((row, out))
}

fn told(
    settings: &config::Settings,
    fingerprint: Option<String>,
    row: &device::Model,
    ticket: Ticket,
) -> TicketOut {
    let text = wire::Ticket {
        v: V,
        url: settings.device_url(),
        enterprise: EnterpriseId(row.enterprise_id),
        code: ticket.code.clone(),
        fingerprint,
        profile: row.profile.clone(),
    };
    let text = serde_json::to_string(&text).unwrap_or_default();
    TicketOut {
        code: ticket.code,
        expires_at: rfc3339(ticket.expires_at),
        svg: qr::of(&text).as_ref().map(qr::svg),
        text,
    }
}

/// What a device is told that just enrolled.
pub fn welcome(state: &Internal, enrolled: &Enrolled) -> EnrolAnswer {
    let (device, now) = (&enrolled.device, state.log.now());
    EnrolAnswer {
        v: V,
        device: DeviceId(device.id),
        epoch: enrolled.epoch,
        enterprise: EnterpriseId(device.enterprise_id),
        location: LocationId(device.location_id),
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
    }
}
