//! Badges that people are given, take other roles, and lose, as the simulator remembers it: what
//! handsets are told of them is held against that.

use super::{
    SimulateError,
    run::{Run, Stop},
    world::Site,
};
use crate::{
    log::{Actor, Log},
    registry::{
        RegistryError,
        badges::{
            store as badges,
            wire::{BadgeIn, Role},
        },
    },
};
use std::collections::BTreeSet;
use suyuan_sync::{
    ids::EnterpriseId,
    wire::{BadgeCard, BadgeRole, hash_of_badge},
};
use uuid::Uuid;

/// A badge that works.
pub struct Badge {
    enterprise: EnterpriseId,
    id: Uuid,
    number: String,
    supervisor: bool,
    /// Where; everywhere if absent.
    place: Option<Uuid>,
}

/// Numbers of badges that everybody who works in a run has, but for the maker's last: it is given later, and until
/// then what its holder states names nobody on record (C15).
pub const WORKERS: [&str; 3] = ["W-0", "W-1", "W-2"];

/// Gives the people of an enterprise their badges, which work everywhere and stay.
pub async fn employ(
    log: &Log,
    enterprise: EnterpriseId,
    numbers: &[&str],
) -> Result<Vec<Badge>, RegistryError> {
    let mut staff = Vec::new();
    for number in numbers {
        let new = BadgeIn {
            number: Some((*number).to_owned()),
            role: Role::Worker,
            location_id: None,
        };
        let made = badges::create(log, Actor::System, None, enterprise.0, new).await?;
        staff.push(Badge {
            enterprise,
            id: made.id,
            number: (*number).to_owned(),
            supervisor: false,
            place: None,
        });
    }
    Ok(staff)
}

impl From<RegistryError> for SimulateError {
    fn from(error: RegistryError) -> SimulateError {
        SimulateError::World(error.to_string())
    }
}

impl Run {
    /// Somebody is given a badge, or one that works becomes another or is withdrawn.
    pub(super) async fn change_badges(&mut self) -> Result<(), Stop> {
        let Ok(node) = self.node() else {
            return Ok(());
        };
        let log = node.state.log.clone();
        let role = |supervisor| {
            if supervisor {
                Role::Supervisor
            } else {
                Role::Worker
            }
        };
        let at = self.dice.below(self.badges.len().max(1));
        let what = self.dice.below(4);
        if let Some(badge) = self.badges.get_mut(at).filter(|_| what < 2) {
            let whose = (badge.enterprise.0, badge.id);
            if what == 0 {
                badge.supervisor = !badge.supervisor;
                let role = role(badge.supervisor);
                badges::change_role(&log, Actor::System, None, whose, role).await?;
                self.note("badge changed", &at.to_string());
            } else {
                badges::withdraw(&log, Actor::System, whose.0, whose.1).await?;
                self.badges.remove(at);
                self.note("badge withdrawn", &at.to_string());
            }
            return Ok(());
        }
        let Some(site) = self.dice.pick(&self.world.sites).copied() else {
            return Ok(());
        };
        let supervisor = self.dice.happens(400);
        let place = (!self.dice.happens(300)).then_some(site.id.0);
        let made_up = format!("B-{:016X}", self.dice.next());
        let unknown = &mut self.world.unknown;
        let waits = unknown.take_if(|_| site.enterprise == self.world.maker);
        let number = waits.map_or(made_up, str::to_owned);
        let new = BadgeIn {
            number: Some(number.clone()),
            role: role(supervisor),
            location_id: place,
        };
        let made = badges::create(&log, Actor::System, None, site.enterprise.0, new).await?;
        self.note("badge given", &number);
        self.badges.push(Badge {
            enterprise: site.enterprise,
            id: made.id,
            number,
            supervisor,
            place,
        });
        Ok(())
    }

    /// The badges that work at a place.
    pub(super) fn badges_at(&self, site: Site) -> BTreeSet<BadgeCard> {
        let all = self.world.staff.iter().chain(&self.badges);
        let here = all.filter(|badge| {
            badge.enterprise == site.enterprise
                && badge.place.is_none_or(|place| place == site.id.0)
        });
        here.map(|badge| BadgeCard {
            badge: hash_of_badge(badge.enterprise, &badge.number),
            role: if badge.supervisor {
                BadgeRole::Supervisor
            } else {
                BadgeRole::Worker
            },
        })
        .collect()
    }
}
