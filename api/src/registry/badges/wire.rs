//! Badges as JSON.

use super::rules::PRINTED;
use crate::clock::rfc3339;
use crate::entities::badge;
use serde::{Deserialize, Serialize};
use suyuan_sync::wire::BadgeRole;
use utoipa::ToSchema;
use uuid::Uuid;

/// What a badge may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BadgeRole)]
pub enum Role {
    /// Works.
    Worker,
    /// Works, overrules stops and strikes what others stated.
    Supervisor,
}

impl Role {
    /// The name in rows.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Worker => "worker",
            Role::Supervisor => "supervisor",
        }
    }

    /// As devices are told it. A role that a newer release wrote counts as the least.
    pub fn told(name: &str) -> BadgeRole {
        if name == Role::Supervisor.name() {
            BadgeRole::Supervisor
        } else {
            BadgeRole::Worker
        }
    }
}

/// A badge to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BadgeIn {
    /// Its number: 2 to 40 capitals, digits and hyphens, never one that was given before, and nothing
    /// that says who wears it. Absent: one of 16 random digits is made.
    pub number: Option<String>,
    /// What it may do.
    pub role: Role,
    /// Where it works: a location of the enterprise. Absent: everywhere.
    pub location_id: Option<Uuid>,
}

/// Another role for a badge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BadgeRoleIn {
    /// What it may do from now on.
    pub role: Role,
}

/// A badge.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct BadgeOut {
    /// Id.
    pub id: Uuid,
    /// Its number, as events name who acted.
    pub number: String,
    /// The text of its bar code.
    pub printed: String,
    /// `worker` or `supervisor`.
    pub role: String,
    /// Where it works; everywhere if absent.
    pub location_id: Option<Uuid>,
    /// When it was made, UTC.
    pub since: String,
    /// Since when it works no more.
    pub withdrawn_at: Option<String>,
}

impl From<badge::Model> for BadgeOut {
    fn from(row: badge::Model) -> BadgeOut {
        BadgeOut {
            id: row.id,
            printed: format!("{PRINTED}{}", row.number),
            number: row.number,
            role: row.role,
            location_id: row.location_id,
            since: rfc3339(row.since),
            withdrawn_at: row.withdrawn_at.map(rfc3339),
        }
    }
}
