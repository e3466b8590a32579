//! What a device is enrolled with, as text and as QR code. Shown once, to whoever made it.

use super::{
    DeviceError,
    store::{self, Ticket},
    wire::{TicketOut, TicketText},
};
use crate::{
    clock::rfc3339,
    codes::qr,
    config,
    db::Db,
    entities::device,
    log::{Actor, Log},
    registry,
};
use uuid::Uuid;

/// Gives a device a new code to enrol with, and tells it.
pub async fn make(
    settings: &config::Settings,
    db: &Db,
    log: &Log,
    enterprise: Uuid,
    actor: Actor,
    id: Uuid,
) -> Result<(device::Model, TicketOut), DeviceError> {
    let code = registry::enterprise_code(db.reader(), enterprise).await;
    let code = code.map_err(|_| DeviceError::Unknown)?;
    let (row, ticket) = store::ticket(log, enterprise, actor, id).await?;
    let out = told(settings, &code, &row, ticket);
    Ok((row, out))
}

fn told(
    settings: &config::Settings,
    enterprise: &str,
    row: &device::Model,
    ticket: Ticket,
) -> TicketOut {
    let text = TicketText {
        url: settings.device_url(),
        enterprise: enterprise.to_owned(),
        code: ticket.code.clone(),
        certificate: Some(settings.handheld.certificate_fingerprint.clone())
            .filter(|fingerprint| !fingerprint.is_empty()),
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
