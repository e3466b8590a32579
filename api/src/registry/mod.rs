//! Who makes what where: enterprises (企业), locations, products (品类), batches (批次), the files they
//! publish, and the badges of those who work there. What a standard asks for is checked against the catalogue and kept in versions;
//! what goes public passes the gate of Table 8.
//!
//! Every query starts from its tenant. Other features see only what this file exports.

pub mod badges;
pub mod batches;
pub mod enterprises;
pub mod fields;
pub mod files;
pub mod locations;
pub mod products;
pub mod profiles;

pub use badges::{
    rules::Supervisor,
    store::{changed as badges_changed, supervisors, working as working_badges},
    wire::Role as BadgeRole,
};
pub use batches::store::{BatchRef, batch, unknown_batches};
pub use enterprises::store::{exists as enterprise_exists, prefixes as company_prefixes};
pub use locations::store::{exists as location_exists, unknown_locations};

use crate::{
    catalogue::Gap,
    log::ActError,
    problem::{FieldProblem, Problem, ProblemCode},
};
use sea_orm::{DbErr, SqlErr};
use thiserror::Error;

/// Why something was not written.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// The log's word.
    #[error("registry")]
    Act(#[from] ActError),
    /// Not here, or not yours.
    #[error("unknown")]
    Unknown,
    /// The code, number or prefix is taken.
    #[error("taken")]
    Taken,
    /// Fields are wrong.
    #[error("fields")]
    Fields(Vec<FieldProblem>),
    /// Required public information is missing.
    #[error("not publishable")]
    Gaps(Vec<Gap>),
    /// A stored value cannot be read back.
    #[error("stored value")]
    Stored(#[from] serde_json::Error),
    /// The badge works no more.
    #[error("withdrawn badge")]
    Withdrawn,
    /// The random generator failed.
    #[error("no randomness available")]
    Random(#[from] crate::sealing::SealError),
    /// Opening a code space failed.
    #[error("code space")]
    Space(#[from] crate::codes::SpaceError),
}

impl From<DbErr> for RegistryError {
    fn from(error: DbErr) -> RegistryError {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => RegistryError::Taken,
            _ => RegistryError::Act(error.into()),
        }
    }
}

impl RegistryError {
    /// One wrong field.
    pub fn field(field: &str, code: &str, en: &str, zh: &str) -> RegistryError {
        RegistryError::Fields(Problem::field(field, code, en, zh).errors)
    }
}

impl From<RegistryError> for Problem {
    fn from(error: RegistryError) -> Problem {
        match error {
            RegistryError::Act(error) => error.into(),
            RegistryError::Unknown => Problem::new(ProblemCode::NotFound),
            RegistryError::Taken => Problem::new(ProblemCode::AlreadyExists).detail(
                "the code, number or name is in use",
                "编码、号码或名称已被使用",
            ),
            RegistryError::Fields(errors) => {
                Problem::new(ProblemCode::InvalidFields).errors(errors)
            }
            RegistryError::Gaps(gaps) => Problem::new(ProblemCode::NotPublishable)
                .detail(
                    "every item listed under errors must be filled in first",
                    "请先补齐 errors 中列出的各项",
                )
                .errors(gaps.iter().map(gap_problem).collect()),
            RegistryError::Stored(error) => Problem::internal(&error),
            RegistryError::Withdrawn => Problem::new(ProblemCode::WrongStep).detail(
                "this badge is withdrawn; make a new one",
                "该工牌已停用，请新建工牌",
            ),
            RegistryError::Random(error) => Problem::internal(&error),
            RegistryError::Space(error) => error.into(),
        }
    }
}

fn gap_problem(gap: &Gap) -> FieldProblem {
    FieldProblem {
        field: gap.missing.join(" | "),
        code: "missing".into(),
        message: format!("public item {} ({}) is missing", gap.no, gap.title_en),
        message_zh: format!("缺少公开信息第 {} 项“{}”", gap.no, gap.title_zh),
    }
}
