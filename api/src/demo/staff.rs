//! Who works in the demo's places: badges, by number and without names.

use super::DemoError;
use crate::{
    app::Internal,
    log::Actor,
    registry::badges::{
        store as badges,
        wire::{BadgeIn, Role},
    },
};
use serde::Serialize;
use uuid::Uuid;

/// Who holds the demo's devices: one pseudonym in all places.
pub const WORKER: &str = "YG-017";
/// Who may overrule a stop in each of the two stores.
const SUPERVISORS: [&str; 2] = ["ZG-201", "ZG-202"];

/// What is printed on badges.
#[derive(Debug, Serialize)]
pub struct Badges {
    /// Works everywhere.
    pub worker: String,
    /// Overrules stops, a badge for each store.
    pub supervisors: Vec<String>,
}

/// Makes the badges.
pub async fn employ(
    state: &Internal,
    enterprise: Uuid,
    stores: [Uuid; 2],
) -> Result<Badges, DemoError> {
    let badge = async |number: &str, role, location_id| {
        let new = BadgeIn {
            number: Some(number.into()),
            role,
            location_id,
        };
        badges::create(&state.log, Actor::System, None, enterprise, new).await
    };
    let worker = badge(WORKER, Role::Worker, None).await?;
    let mut supervisors = Vec::new();
    for (number, store) in SUPERVISORS.into_iter().zip(stores) {
        let made = badge(number, Role::Supervisor, Some(store)).await?;
        supervisors.push(made.printed);
    }
    Ok(Badges {
        worker: worker.printed,
        supervisors,
    })
}
