//! Findings: what cannot be true, as derived from the facts. A finding is part of the state; a
//! later fact can explain it away, and it then closes by itself.

use crate::{
    ids::{BatchId, DeviceId, EventId, Gseq, LocationId, Micros, RecallId},
    unit::UnitKey,
};
use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// For information (I).
    Information,
    /// Somebody should look (W).
    Warning,
    /// Somebody must act (C).
    Critical,
}

/// Declares the codes, each with its name, severity, rule and a sentence in both languages.
macro_rules! finding_codes {
    ($($variant:ident $name:literal $severity:ident $rule:literal $en:literal $zh:literal;)+) => {
        /// What is wrong. Names are stable: they stand in rows and on screens.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum FindingCode {
            $(#[doc = $en] #[serde(rename = $name)] $variant,)+
        }

        impl FindingCode {
            /// All codes.
            pub const ALL: &'static [FindingCode] = &[$(FindingCode::$variant,)+];

            /// The name on the wire and in rows.
            pub const fn name(self) -> &'static str {
                match self { $(FindingCode::$variant => $name,)+ }
            }

            /// How bad it is.
            pub const fn severity(self) -> Severity {
                match self { $(FindingCode::$variant => Severity::$severity,)+ }
            }

            /// The rule of sync.md that raises it.
            pub const fn rule(self) -> &'static str {
                match self { $(FindingCode::$variant => $rule,)+ }
            }

            /// What it means, in English.
            pub const fn en(self) -> &'static str {
                match self { $(FindingCode::$variant => $en,)+ }
            }

            /// What it means, in Chinese.
            pub const fn zh(self) -> &'static str {
                match self { $(FindingCode::$variant => $zh,)+ }
            }

            /// The code of that name.
            pub fn of_name(name: &str) -> Option<FindingCode> {
                FindingCode::ALL.iter().copied().find(|code| code.name() == name)
            }
        }
    };
}

finding_codes! {
    UnexpectedState "UNEXPECTED_STATE" Warning "C0" "This does not fit what was known of the goods." "与货物已知状态不符。";
    CommissionConflict "COMMISSION_CONFLICT" Critical "C1" "The code belongs to another batch already; the first stays." "该码已关联其他批次，以先关联的为准。";
    CommissionVoid "COMMISSION_VOID" Critical "C1" "The code is void and was used all the same." "该码已作废，却被使用。";
    Misroute "MISROUTE" Warning "C2" "The goods were on their way to another place." "货物应送往其他地点。";
    Teleport "TELEPORT" Warning "C2" "The goods were in stock elsewhere and no outbound was reported." "货物在别处在库，且没有出库记录。";
    InboundAfterSale "INBOUND_AFTER_SALE" Critical "C2" "Goods came in that were sold and not returned." "已售且未退货的货物再次入库。";
    DoubleScan "DOUBLE_SCAN" Information "C2" "The same scan again; it says nothing new." "重复扫描，不再计入。";
    OrphanOutbound "ORPHAN_OUTBOUND" Warning "C3" "Goods left that never came in." "出库的货物没有入库记录。";
    WrongLocation "WRONG_LOCATION" Warning "C3" "Goods left a place, or were destroyed there, where they were not." "货物出库或销毁时不在该地点。";
    ShipAfterSale "SHIP_AFTER_SALE" Critical "C3" "Goods left that were sold." "已售货物被出库。";
    ShipRecalled "SHIP_RECALLED" Critical "C3" "Recalled goods left for a place that is not the recall's." "召回货物被发往非召回目的地。";
    OrphanSale "ORPHAN_SALE" Warning "C4" "Goods were sold that never came in." "售出的货物没有入库记录。";
    ImpliedReceipt "IMPLIED_RECEIPT" Information "C4" "Sold where it was on its way to; its receipt was never scanned." "在途货物在目的地售出，未扫描入库。";
    DoubleSale "DOUBLE_SALE" Critical "C4" "The goods were sold already." "该货物已售出过。";
    SoldExpired "SOLD_EXPIRED" Critical "C4" "Expired goods were sold." "售出了过期货物。";
    SoldUninspected "SOLD_UNINSPECTED" Critical "C4" "Returned goods were sold without inspection." "退货未经检验即售出。";
    ReturnUnsold "RETURN_UNSOLD" Warning "C5" "Goods were returned that were never sold." "退回的货物没有销售记录。";
    CrossStoreReturn "CROSS_STORE_RETURN" Information "C5" "Goods were returned to another store than sold them." "退货门店与销售门店不同。";
    DoubleReturn "DOUBLE_RETURN" Warning "C5" "The goods were returned already." "该货物已退货。";
    ReturnMismatch "RETURN_MISMATCH" Critical "C5" "Lot or serial differ from the receipt." "退货的批号或序列号与小票不符。";
    ReleaseRecalled "RELEASE_RECALLED" Critical "C6" "Recalled goods were released for sale; they stay stopped." "召回货物被判定可售，判定无效。";
    CollectUnrecalled "COLLECT_UNRECALLED" Warning "C7" "Goods were collected that no recall covers." "收回的货物不在任何召回范围内。";
    CollectDestroyed "COLLECT_DESTROYED" Warning "C7" "Goods were collected that were destroyed." "收回的货物已被销毁。";
    DoubleCollect "DOUBLE_COLLECT" Information "C7" "The goods were collected already." "该货物已收回。";
    SoldAfterCollect "SOLD_AFTER_COLLECT" Critical "C7" "Collected goods were sold." "已收回的货物又被售出。";
    DestroySold "DESTROY_SOLD" Warning "C8" "Goods were destroyed that were sold and not returned." "销毁了已售且未退货的货物。";
    AfterEnd "AFTER_END" Critical "C8" "Something happened to goods that were destroyed." "已销毁的货物又有新的记录。";
    SoldRecalled "SOLD_RECALLED" Critical "C9" "Recalled goods were sold." "售出了召回货物。";
    KnowledgeMismatch "KNOWLEDGE_MISMATCH" Warning "C9" "The recall list the device says it had is not the one it was given." "设备声称的召回清单与其已收到的不一致。";
    RetractPending "RETRACT_PENDING" Information "C10" "The event to be struck has not come in yet." "待撤销的记录尚未上传。";
    RetractOfRetract "RETRACT_OF_RETRACT" Warning "C10" "A retraction cannot be retracted." "撤销记录不能再被撤销。";
    RetractUnauthorised "RETRACT_UNAUTHORISED" Warning "C10" "Only who stated it, or a supervisor, may strike it." "只有原操作人或主管可以撤销。";
    LateRetract "LATE_RETRACT" Warning "C10" "Struck after the shift was closed, without a supervisor." "交班后无主管授权的撤销。";
    MissingAtCount "MISSING_AT_COUNT" Warning "C11" "Not seen at a count, though it should be there." "盘点时应在而未见。";
    SurplusAtCount "SURPLUS_AT_COUNT" Warning "C11" "Seen at a count, though it should not be there." "盘点时发现账外货物。";
    NegBalance "NEG_BALANCE" Warning "C11" "More left than came in." "出库多于入库，结存为负。";
    LotUnknown "LOT_UNKNOWN" Information "C11" "The lot was not given." "未填写批号。";
    PackLevel "PACK_LEVEL" Critical "C12" "A container can only hold what is of a lower level." "包装层级错误。";
    ImpliedUnpack "IMPLIED_UNPACK" Information "C12" "Seen outside its container; it must have been taken out." "在包装之外出现，视为已拆出。";
    PackAfterEnd "PACK_AFTER_END" Critical "C12" "Goods were packed that were sold, destroyed or collected." "已售、已销毁或已收回的货物被装箱。";
    ShortPack "SHORT_PACK" Warning "C12" "Fewer goods in the container than declared." "装箱数量少于申报数量。";
    UnexpectedHolder "UNEXPECTED_HOLDER" Warning "C14" "Stated by an enterprise to whom the goods did not come, or at another's place; changes nothing." "由未承接该货物的企业申报，或在其他企业的地点申报，不影响货物状态。";
    UnknownRef "UNKNOWN_REF" Warning "C15" "Names a product, batch, place, partner or member of staff that is not on record." "引用了未登记的产品、批次、地点、往来单位或人员。";
    Incomplete "INCOMPLETE" Warning "C15" "Lacks an item the standard demands." "缺少标准要求的必填项。";
    CodeContradictsRecord "CODE_CONTRADICTS_RECORD" Critical "C15" "Lot or date in the code differ from the batch on record." "码内批号或日期与登记批次不符。";
    ClockAhead "CLOCK_AHEAD" Information "§4" "The device's clock is ahead." "设备时钟偏快。";
    ClockBack "CLOCK_BACK" Information "§4" "The device's clock is behind or went back." "设备时钟偏慢或回拨。";
    ClockJump "CLOCK_JUMP" Information "§4" "The device's clock jumped within a session." "设备时钟在使用中跳变。";
    NoAnchor "NO_ANCHOR" Information "§4" "Came without a valid time anchor." "缺少有效的时间锚点。";
    Late "LATE" Information "§4" "Came in long after it happened." "上传时间明显晚于发生时间。";
    OrderUncertain "ORDER_UNCERTAIN" Information "§4" "Which came first cannot be told." "先后顺序无法确定。";
    IdReuse "ID_REUSE" Critical "T2" "The same id with other content; the second copy is kept apart." "同一编号内容不同，后到者隔离。";
    DeviceFork "DEVICE_FORK" Critical "T3" "Two copies of one device; both must enrol again." "设备出现两份副本，须重新注册。";
    ChainBreak "CHAIN_BREAK" Critical "T5" "The chain of events does not fit what is held." "事件链与已存记录不衔接。";
    DeviceRevoked "DEVICE_REVOKED" Critical "T6" "Signed with a revoked key; kept apart until a supervisor decides." "设备密钥已吊销，数据隔离待主管处理。";
    PartialGroup "PARTIAL_GROUP" Warning "T8" "Part of a business act never came in." "业务单据不完整。";
    Unreadable "UNREADABLE" Critical "T9" "Cannot be read; kept as it came." "无法解析，原样保存。";
    SeqMismatch "SEQ_MISMATCH" Critical "T9" "Its number is not its place; kept as it came." "序号与位置不符，原样保存。";
    Unfoldable "UNFOLDABLE" Critical "T9" "This program failed to fold it; kept until one can." "本程序未能处理，保留至可处理时。";
}

/// What a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "of", content = "id", rename_all = "snake_case")]
pub enum Subject {
    /// A unit.
    Unit(UnitKey),
    /// A line of unserialised goods.
    Lot(LotKey),
    /// The event itself, whatever it names.
    Event,
}

/// A line of goods without codes of their own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LotKey {
    /// GTIN-14.
    pub gtin: String,
    /// The lot, if known.
    pub lot: Option<String>,
    /// Where.
    pub location: LocationId,
}

/// One finding. Two findings are the same if code, subject, event and batch are; an event is one by
/// its id and the device that stated it, since an id is an enterprise's own and any other may use it
/// as well.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// What is wrong.
    pub code: FindingCode,
    /// With what.
    pub subject: Subject,
    /// The event that was judged.
    pub event: EventId,
    /// The device that stated it; nil in what was kept before this was said.
    #[serde(default = "not_said")]
    pub device: DeviceId,
    /// The batch it concerns, where a container is judged batch by batch (C13).
    pub batch: Option<BatchId>,
    /// The events that show it, the judged one included; never empty.
    pub witnesses: Vec<EventId>,
    /// More about it.
    pub detail: Detail,
}

/// What makes a finding the same as another: code, subject, judged event and batch.
pub type Identity<'f> = (
    FindingCode,
    &'f Subject,
    (DeviceId, EventId),
    Option<BatchId>,
);

impl Finding {
    /// The event that was judged, as nobody else's.
    pub const fn judged(&self) -> (DeviceId, EventId) {
        (self.device, self.event)
    }

    /// Are two findings the same, whatever else they say?
    pub fn is(&self, other: &Finding) -> bool {
        self.identity() == other.identity()
    }

    /// What two findings that are the same have in common.
    pub fn identity(&self) -> Identity<'_> {
        (self.code, &self.subject, self.judged(), self.batch)
    }
}

const fn not_said() -> DeviceId {
    DeviceId::SERVER
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde asks
const fn none(more: &u64) -> bool {
    *more == 0
}

/// What a finding says besides its code.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum Detail {
    /// Nothing more.
    #[default]
    Nothing,
    /// A sale of recalled goods (C9).
    SoldRecalled {
        /// Which recall.
        recall: RecallId,
        /// Before or after it was opened.
        when: When,
        /// What the till knew.
        knowledge: Knowledge,
    },
    /// Two intervals overlap by so many microseconds.
    Overlap {
        /// Width of the overlap.
        width_us: Micros,
    },
    /// Mandatory items that are missing, by field id.
    Missing {
        /// The fields.
        items: Vec<String>,
    },
    /// What is not on record.
    Unknown {
        /// Kind and id of the first ten
        /// ([`REFERENCES_TOLD_MAX`](crate::limits::REFERENCES_TOLD_MAX)), e.g. `location:…`, each by its
        /// first hundred characters ([`REFERENCE_CHARS_MAX`](crate::limits::REFERENCE_CHARS_MAX)).
        what: String,
        /// How many more there are.
        #[serde(default, skip_serializing_if = "none")]
        more: u64,
    },
    /// A balance was below zero.
    Balance {
        /// From this place in time.
        from: Micros,
        /// Until then; open while it still is.
        until: Option<Micros>,
        /// The lowest it got.
        lowest: i64,
    },
    /// How many were declared, and how many were there. A balance may be beyond what one event can
    /// name, and below zero.
    Count {
        /// Declared or expected.
        expected: i64,
        /// There.
        there: i64,
    },
}

/// When recalled goods were sold, judged by intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum When {
    /// Certainly before the recall: nobody's fault, but to be notified.
    Before,
    /// Certainly after.
    After,
    /// Cannot be told.
    Uncertain {
        /// Width of the sale's interval.
        width_us: Micros,
    },
}

/// What a till knew of a recall when it sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Knowledge {
    /// It warned, and was overruled.
    Overridden,
    /// It had the recall.
    Knew,
    /// Its list was older than allowed.
    StaleList,
    /// It could not know: never a fault.
    CouldNotKnow,
}

/// A finding over time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingHistory {
    /// What was found.
    pub finding: Finding,
    /// Since which log position.
    pub opened: Gseq,
    /// Until which.
    pub closed: Option<Gseq>,
    /// The event that explained it.
    pub closed_by: Option<EventId>,
}
