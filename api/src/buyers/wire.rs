//! Buyers as JSON, for staff.

use super::rules::Buyer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What staff file about the buyer of a sale. All of it is personal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BuyerIn {
    /// Who bought (消费者姓名): at most 60 characters.
    pub consumer_name: Option<String>,
    /// How to reach them (联系方式): at most 100 characters.
    pub contact: Option<String>,
    /// When it was bought (购买时间): a day, or RFC 3339. Mandatory of infant formula.
    pub purchase_time: Option<String>,
    /// Where (地点): at most 120 characters. Mandatory of infant formula.
    pub purchase_place: Option<String>,
}

/// That something is filed about the buyer of a sale; nothing personal.
#[derive(Debug, Serialize, ToSchema)]
pub struct BuyerOut {
    /// The sale.
    pub event: Uuid,
    /// When it was filed last, UTC.
    pub filed_at: String,
    /// Until when it is kept, UTC; erased within an hour afterwards.
    pub keep_until: String,
}

/// What is filed about the buyer of a sale, opened.
#[derive(Debug, Serialize, ToSchema)]
pub struct BuyerOpenedOut {
    /// That it is.
    #[serde(flatten)]
    pub filed: BuyerOut,
    /// What.
    pub buyer: Buyer,
}
