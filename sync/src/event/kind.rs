//! The kinds of events a device or a line may state.

use serde::{Deserialize, Serialize};

/// What an event says happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A code was put on a unit of a batch (赋码关联).
    Commission,
    /// Units were put into a container (包装关联).
    Pack,
    /// Units were taken out of a container (解除关联).
    Unpack,
    /// Goods came in (入库).
    Inbound,
    /// Goods left (出库).
    Outbound,
    /// Goods were sold to a consumer (销售).
    Sale,
    /// A consumer brought goods back (退货).
    Return,
    /// Returned or held goods were judged (检验处置).
    Inspect,
    /// Recalled goods were fetched back (召回收回).
    Collect,
    /// Goods were destroyed (销毁).
    Destroy,
    /// A place was counted (盘点).
    Count,
    /// An earlier event is struck out (撤销). A correction (更正) is a group of a retract and a new
    /// event.
    Retract,
}

impl Kind {
    /// All kinds, in the order of their rules.
    pub const ALL: [Kind; 12] = [
        Kind::Commission,
        Kind::Pack,
        Kind::Unpack,
        Kind::Inbound,
        Kind::Outbound,
        Kind::Sale,
        Kind::Return,
        Kind::Inspect,
        Kind::Collect,
        Kind::Destroy,
        Kind::Count,
        Kind::Retract,
    ];

    /// The name on the wire and in rows.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Commission => "commission",
            Kind::Pack => "pack",
            Kind::Unpack => "unpack",
            Kind::Inbound => "inbound",
            Kind::Outbound => "outbound",
            Kind::Sale => "sale",
            Kind::Return => "return",
            Kind::Inspect => "inspect",
            Kind::Collect => "collect",
            Kind::Destroy => "destroy",
            Kind::Count => "count",
            Kind::Retract => "retract",
        }
    }

    /// The kind of that name.
    pub fn of_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
