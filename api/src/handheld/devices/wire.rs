//! Devices and enrolment tickets as JSON.

use crate::{
    clock::rfc3339,
    entities::device,
    free_text::{self, Lines},
    problem::Problem,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Longest name of a device, in characters.
pub const NAME_CHARS_MAX: usize = 60;

/// What a device is used for: which screens it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Carried through a warehouse.
    Handheld,
    /// A till in a store.
    Till,
    /// A packing or marking line.
    Line,
}

impl Profile {
    /// The name in rows and QR codes.
    pub const fn name(self) -> &'static str {
        match self {
            Profile::Handheld => "handheld",
            Profile::Till => "till",
            Profile::Line => "line",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Profile> {
        [Profile::Handheld, Profile::Till, Profile::Line]
            .into_iter()
            .find(|profile| profile.name() == name)
    }
}

/// A device to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceIn {
    /// What people call it, 1 to 60 characters.
    pub name: String,
    /// What it is used for.
    pub profile: Profile,
    /// Where it is used: a location of the enterprise.
    pub location_id: Uuid,
}

impl DeviceIn {
    /// Is its name one that can be shown?
    pub fn check(&self) -> Result<(), Problem> {
        let name = &self.name;
        Ok(free_text::check("name", name, NAME_CHARS_MAX, Lines::One)?)
    }
}

/// A device.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DeviceOut {
    /// Id, random.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// `handheld`, `till` or `line`.
    pub profile: String,
    /// Where it is used.
    pub location_id: Uuid,
    /// The newest epoch: 0 before the first enrolment, one more with each.
    pub epoch: i64,
    /// When it was made, UTC.
    pub created_at: String,
    /// Since when its keys are revoked; a new enrolment begins anew.
    pub revoked_at: Option<String>,
}

impl From<device::Model> for DeviceOut {
    fn from(row: device::Model) -> DeviceOut {
        DeviceOut {
            id: row.id,
            name: row.name,
            profile: row.profile,
            location_id: row.location_id,
            epoch: row.epoch,
            created_at: rfc3339(row.created_at),
            revoked_at: row.revoked_at.map(rfc3339),
        }
    }
}

/// What a device is enrolled with, shown once.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TicketOut {
    /// The one-time code, for typing: 26 letters and digits.
    pub code: String,
    /// Until when it holds, UTC.
    pub expires_at: String,
    /// The text of the QR code.
    pub text: String,
    /// The QR code as SVG; absent when the text is too long for one.
    pub svg: Option<String>,
}

/// A device and its ticket.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceTicketOut {
    /// The device.
    pub device: DeviceOut,
    /// What it enrols with; shown once.
    pub ticket: TicketOut,
}

/// Why a device is revoked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevocationIn {
    /// Lost, stolen, scrapped: 1 to 500 characters, kept in the log; no names of people.
    pub reason: String,
}

impl RevocationIn {
    /// Can the reason be shown?
    pub fn check(&self) -> Result<(), Problem> {
        Ok(free_text::check("reason", &self.reason, 500, Lines::Any)?)
    }
}
