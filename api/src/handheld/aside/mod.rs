//! What stands aside: events in quarantine until somebody decides (T2, T3, T6, T9), parked ones until
//! what they wait for comes (T7, T8), and gaps in a device's sequence (T4). Everything that ends a
//! wait is an entry of the log: `admitted`, `group_released`, `gap_forced`. Folds know no time-out.

pub mod acts;
pub mod handlers;
pub mod store;
pub mod tend;
pub mod wire;

use crate::{
    handheld::push::PushError,
    log::ActError,
    problem::{Problem, ProblemCode},
};
use sea_orm::DbErr;
use thiserror::Error;

/// Why something was not taken in.
#[derive(Debug, Error)]
pub enum AsideError {
    /// Admission's word.
    #[error(transparent)]
    Push(#[from] PushError),
    /// Not here, or not yours.
    #[error("unknown")]
    Unknown,
    /// It does not stand aside, or nothing that anybody decides would take it in.
    #[error("not aside")]
    NotAside,
    /// It says what this program does not know (T7): nobody can decide what it means.
    #[error("of a kind that is not known")]
    KindUnknown,
}

impl AsideError {
    /// Would everything else fail, too?
    pub fn is_of_the_house(&self) -> bool {
        matches!(self, AsideError::Push(error) if !error.is_of_the_push())
    }
}

impl From<ActError> for AsideError {
    fn from(error: ActError) -> AsideError {
        AsideError::Push(error.into())
    }
}

impl From<DbErr> for AsideError {
    fn from(error: DbErr) -> AsideError {
        AsideError::Push(error.into())
    }
}

impl From<AsideError> for Problem {
    fn from(error: AsideError) -> Problem {
        match error {
            AsideError::Push(error) => error.into(),
            AsideError::Unknown => Problem::new(ProblemCode::NotFound),
            AsideError::NotAside => Problem::new(ProblemCode::NotAside).detail(
                "only events of a revoked key, of a second copy of a device, of a kind that is known \
                 by now, or that could not be folded can be admitted",
                "只有被停用密钥、设备副本、现已支持类型或曾无法处理的记录可以接纳",
            ),
            AsideError::KindUnknown => Problem::new(ProblemCode::KindUnknown).detail(
                "the event stays as it is and is taken in by itself once the program is updated: \
                 tell whoever runs this server",
                "该记录会原样保留，程序升级后自动接纳：请联系服务器管理员升级",
            ),
        }
    }
}
