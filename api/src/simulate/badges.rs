//! Badges that people are given, take other roles, and lose, as the simulator remembers it: what
//! handsets are told of them is held against that.

use super::{
    SimulateError,
    run::{Run, Stop},
    world::Site,
};
use crate::{
    log::Actor,
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
        let number = format!("B-{:016X}", self.dice.next());
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
        let here = self.badges.iter().filter(|badge| {
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
