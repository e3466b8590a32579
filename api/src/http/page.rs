//! Keyset paging: a list continues after the last id it showed. Ids are UUIDv7, so their order is
//! the order in which things were made.

use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Most items a page holds.
pub const PAGE_MAX: u64 = 500;
const PAGE_DEFAULT: u64 = 100;

/// Which page.
#[derive(Debug, Clone, Copy, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// `next` of the page before.
    pub after: Option<Uuid>,
    /// How many, 1 to 500 (default 100).
    pub limit: Option<u64>,
}

/// Whose thing is read.
#[derive(Debug, Clone, Copy, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct WhoseQuery {
    /// Whose; a regulator has to say.
    pub enterprise_id: Option<Uuid>,
}

/// Which page of whose list.
#[derive(Debug, Clone, Copy, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct WhosePageQuery {
    /// Whose; a regulator has to say.
    pub enterprise_id: Option<Uuid>,
    /// `next` of the page before.
    pub after: Option<Uuid>,
    /// How many, 1 to 500 (default 100).
    pub limit: Option<u64>,
}

impl WhosePageQuery {
    /// Checks the limits.
    pub fn check(self) -> Result<Paging, Problem> {
        let (after, limit) = (self.after, self.limit);
        PageQuery { after, limit }.check()
    }
}

/// A page query whose limits were checked.
#[derive(Debug, Clone, Copy)]
pub struct Paging {
    /// Ids above this one.
    pub after: Uuid,
    /// How many.
    pub limit: u64,
}

impl PageQuery {
    /// Checks the limits.
    pub fn check(self) -> Result<Paging, Problem> {
        Ok(Paging {
            after: self.after.unwrap_or(Uuid::nil()),
            limit: limit(self.limit)?,
        })
    }
}

/// How many items a page is to hold, for lists of any key.
pub fn limit(asked: Option<u64>) -> Result<u64, Problem> {
    let limit = asked.unwrap_or(PAGE_DEFAULT);
    if (1..=PAGE_MAX).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::field(
        "limit",
        "out-of-range",
        "limit must lie between 1 and 500",
        "limit 须在 1 到 500 之间",
    ))
}

/// A position of the log, or the number of a row, that a list begins or ends with: none is below 0.
pub fn from_zero(field: &str, asked: i64) -> Result<i64, Problem> {
    if asked >= 0 {
        return Ok(asked);
    }
    Err(Problem::field(
        field,
        "out-of-range",
        "a position: 0 or more",
        "须为位置，不小于 0",
    ))
}

/// A text that rows are looked for by. One with U+0000 in it stands in no row, and not every database takes
/// the question.
pub fn text(field: &str, asked: Option<&str>) -> Result<(), Problem> {
    if !asked.is_some_and(|text| text.contains('\0')) {
        return Ok(());
    }
    let (en, zh) = ("without U+0000", "不得含 U+0000 字符");
    Err(Problem::field(field, "hidden-character", en, zh))
}

/// The key to go on after, for a page of `limit` items; none at the end.
pub fn next<T, K>(items: &[T], limit: u64, key: impl Fn(&T) -> K) -> Option<K> {
    let full = items.len() as u64 == limit;
    items.last().filter(|_| full).map(key)
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// In the order in which they were made.
    pub items: Vec<T>,
    /// Give this as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
}

impl<T> Page<T> {
    /// A page of `items`, which were read with this `paging`.
    pub fn new(items: Vec<T>, paging: Paging, id: impl Fn(&T) -> Uuid) -> Page<T> {
        let next = next(&items, paging.limit, id);
        Page { items, next }
    }
}
