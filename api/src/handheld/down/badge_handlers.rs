//! The badges of a device's place, over HTTP.

use super::handlers::answer;
use crate::{
    app::Internal,
    http::device::DeviceRead,
    log,
    problem::{Problem, ProblemBody},
    registry::{BadgeRole, badges_changed, working_badges},
};
use actix_web::{HttpResponse, get, web::Data};
use suyuan_sync::{
    ids::EnterpriseId,
    wire::{BadgeCard, BadgesAnswer, V, hash_of_badge},
};

/// Which badges work at the place of the device that asks, by the SHA-256 of
/// `suyuan-badge-1\n{enterprise}\n{number}`, each `worker` or `supervisor`; withdrawn ones are not
/// among them. `badges` in the answer of a pull says which version holds; `version` is absent, and the
/// list empty, while the place never had a badge. At most 10 000. Signed as `GET /v1/sync/status` is.
#[utoipa::path(tag = "handheld", operation_id = "get_badges", security(("device" = [])),
    responses((status = 200, body = Object, description = "`{v, version?, badges[{badge, role}], \
        anchor}`"),
    (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
#[get("/v1/sync/badges")]
pub async fn get_badges(
    state: Data<Internal>,
    device: DeviceRead,
) -> Result<HttpResponse, Problem> {
    let device = device.0;
    let tx = state.db.begin_reading().await?;
    let (_, stamp) = log::head_in(&tx).await?;
    let version = badges_changed(&tx, device.enterprise, device.location).await?;
    let working = working_badges(&tx, device.enterprise, device.location).await?;
    tx.commit().await?;
    let card = |(number, role): &(String, String)| BadgeCard {
        badge: hash_of_badge(EnterpriseId(device.enterprise), number),
        role: BadgeRole::told(role),
    };
    // By hash, so that their order tells nothing.
    let mut badges: Vec<BadgeCard> = working.iter().map(card).collect();
    badges.sort_unstable();
    let (anchors, now) = (&state.handheld.anchors, state.log.now());
    Ok(answer(&BadgesAnswer {
        v: V,
        version: version.map(|changed| changed.to_string()),
        badges,
        anchor: anchors.issue(device.device, device.epoch, stamp, now),
    }))
}
