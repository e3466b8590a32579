//! Handhelds, tills and lines: made by staff, enrolled by a one-time code, revoked when lost
//! (sync.md sections 1 and 3). A device has epochs, each with a key of its own; revoking ends the
//! keys, never what they signed before.

pub mod handlers;
pub mod schema;
pub mod store;
pub mod ticket;
pub mod wire;

use crate::{
    log::ActError,
    problem::{Problem, ProblemCode},
    sealing::SealError,
};
use sea_orm::DbErr;
use thiserror::Error;

/// Why a device was not made, enrolled or revoked.
#[derive(Debug, Error)]
pub enum DeviceError {
    /// The log's word.
    #[error("device")]
    Act(#[from] ActError),
    /// Not here, or not yours.
    #[error("unknown device")]
    Unknown,
    /// No such place in this enterprise.
    #[error("unknown location")]
    UnknownLocation,
    /// The code is used with another key, expired or was never made.
    #[error("enrolment code")]
    WrongCode,
    /// The key was enrolled before.
    #[error("key enrolled before")]
    KeyKnown,
    /// It is revoked.
    #[error("revoked already")]
    AlreadyRevoked,
    /// The random generator failed, or a kept answer does not open.
    #[error("enrolment code")]
    Seal(#[from] SealError),
}

impl From<DbErr> for DeviceError {
    fn from(error: DbErr) -> DeviceError {
        DeviceError::Act(error.into())
    }
}

impl From<DeviceError> for Problem {
    fn from(error: DeviceError) -> Problem {
        match error {
            DeviceError::Act(error) => error.into(),
            DeviceError::Unknown => Problem::new(ProblemCode::NotFound),
            DeviceError::UnknownLocation => {
                Problem::field("location_id", "unknown", "no such location", "没有该地点")
            }
            DeviceError::WrongCode => Problem::new(ProblemCode::EnrolmentCodeInvalid),
            DeviceError::KeyKnown => Problem::field(
                "public_key",
                "known",
                "a device enrols with a new key each time",
                "每次注册须使用新的密钥",
            ),
            DeviceError::AlreadyRevoked => Problem::new(ProblemCode::DeviceRevoked),
            DeviceError::Seal(error) => Problem::internal(&error),
        }
    }
}
