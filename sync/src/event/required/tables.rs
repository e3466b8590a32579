//! The rules, row by row as the standards print them. Items that can never be missing stand here
//! too, so that the lists are whole and can be held against the catalogue.
//!
//! - *agreement*: sync.md section 2, what a kind cannot do without.
//! - *infant-formula* (QB/T 4971 as revised): Table 5 row 4 finished goods warehousing
//!   (产品仓储信息), Table 6 rows 1 to 3 dispatch, logistics, store sale (企业发货、物流、门店销售
//!   信息), and the scan registration of 8.3.1 and 8.3.2 (扫码登记). Every printed item is
//!   mandatory, as this standard prints no marks.
//! - *maternal-baby*: Table 4 rows 2 and 4, inbound and outbound (入库、出库信息), with their
//!   marks, and the outbound scan of 8.3.2 b) 3) (出库扫描). Its transport (T4-5) has no mandatory
//!   item; its Table 5 (dispatch, logistics, sales terminal) prints no marks and is not demanded.
//! - *maternal-baby-care*: Table B.3 rows 2 to 5, what Appendix B makes mandatory besides:
//!   inbound, inventory, outbound, transport (入库、库存管理、出库、运输信息).
//!
//! Transport is no kind of event: goods are on their way from an outbound to an inbound. What is
//! known when they leave is asked of the outbound; the arrival and the duration follow from the
//! inbound.

use super::{Profile, Rule, Said};
use crate::event::Kind;

macro_rules! rules {
    ($($profile:expr, $kind:ident { $($item:literal $source:literal $said:ident;)+ })+) => {
        /// All rules.
        pub const RULES: &[Rule] = &[$($(Rule {
            profile: $profile,
            kind: Kind::$kind,
            item: $item,
            source: $source,
            said: Said::$said,
        },)+)+];
    };
}

const AGREEMENT: Option<Profile> = None;
const FORMULA: Option<Profile> = Some(Profile::InfantFormula);
const BABY: Option<Profile> = Some(Profile::MaternalBaby);
const CARE: Option<Profile> = Some(Profile::MaternalBabyCare);

rules! {
    AGREEMENT, Commission { "actor" "2" Actor; "location" "2" Location; "units" "2" Goods; }
    AGREEMENT, Pack { "actor" "2" Actor; "location" "2" Location; "parent" "2" Parent; "children" "2" Goods; }
    AGREEMENT, Unpack { "actor" "2" Actor; "location" "2" Location; "parent" "2" Parent; }
    AGREEMENT, Inbound { "actor" "2" Actor; "location" "2" Location; "units" "2" Goods; }
    AGREEMENT, Outbound { "actor" "2" Actor; "location" "2" Location; "units" "2" Goods; }
    AGREEMENT, Sale { "actor" "2" Actor; "location" "2" Location; "units" "2" Goods; }
    AGREEMENT, Return { "actor" "2" Actor; "location" "2" Location; "units" "2" Goods; }
    AGREEMENT, Inspect {
        "actor" "2" Actor; "location" "2" Location; "units" "2" Goods;
        "disposition" "2" Disposition;
    }
    AGREEMENT, Collect { "actor" "2" Actor; "location" "2" Location; "units" "2" Goods; }
    AGREEMENT, Destroy { "actor" "2" Actor; "location" "2" Location; "units" "2" Goods; }
    AGREEMENT, Count { "actor" "2" Actor; "location" "2" Location; "units" "2" Seen; }
    AGREEMENT, Retract { "actor" "2" Actor; "target" "2" Target; }

    FORMULA, Inbound {
        "scan_event.event_id" "8.3.1" Always;
        "scan_event.kind" "8.3.1" Always;
        "scan_event.traceability_code" "8.3.1" Goods;
        "scan_event.scanned_at" "8.3.1" Always;
        "scan_event.location" "8.3.1" Location;
        "scan_event.operator" "8.3.1" Actor;
        "scan_event.device_id" "8.3.2" Always;
        "finished_goods_warehousing.product_name" "T5-4" Goods;
        "finished_goods_warehousing.batch_no" "T5-4" Lots;
        "finished_goods_warehousing.stock_information" "T5-4" OnRecord;
        "finished_goods_warehousing.stock_movement_information" "T5-4" Always;
        "logistics.arrival_time" "T6-2" Always;
    }
    FORMULA, Outbound {
        "scan_event.event_id" "8.3.1" Always;
        "scan_event.kind" "8.3.1" Always;
        "scan_event.traceability_code" "8.3.1" Goods;
        "scan_event.scanned_at" "8.3.1" Always;
        "scan_event.location" "8.3.1" Location;
        "scan_event.operator" "8.3.1" Actor;
        "scan_event.device_id" "8.3.2" Always;
        "finished_goods_warehousing.product_name" "T5-4" Goods;
        "finished_goods_warehousing.batch_no" "T5-4" Lots;
        "finished_goods_warehousing.stock_information" "T5-4" OnRecord;
        "finished_goods_warehousing.stock_movement_information" "T5-4" Always;
        "enterprise_dispatch.purchaser" "T6-1" Counterpart;
        "enterprise_dispatch.goods_information" "T6-1" Goods;
        "enterprise_dispatch.dispatch_time" "T6-1" Always;
        "enterprise_dispatch.dispatch_place" "T6-1" Location;
        "logistics.logistics_company" "T6-2" Body;
        "logistics.goods_information" "T6-2" Goods;
        "logistics.transport_time" "T6-2" Always;
        "logistics.arrival_time" "T6-2" OnRecord;
        "logistics.place_of_departure" "T6-2" Location;
        "logistics.place_of_arrival" "T6-2" CounterpartPlace;
        "logistics.receiver_name" "T6-2" Counterpart;
    }
    FORMULA, Sale {
        "scan_event.event_id" "8.3.1" Always;
        "scan_event.kind" "8.3.1" Always;
        "scan_event.traceability_code" "8.3.1" Goods;
        "scan_event.scanned_at" "8.3.1" Always;
        "scan_event.location" "8.3.1" Location;
        "scan_event.operator" "8.3.1" Actor;
        "scan_event.device_id" "8.3.2" Always;
        "store_sale.store_basic_information" "T6-3" Location;
        "store_sale.sales_information" "T6-3" Goods;
    }

    BABY, Inbound {
        "inbound.inbound_document_no" "T4-2" Document;
        "inbound.inbound_time" "T4-2" Always;
        "inbound.product_name" "T4-2" Goods;
    }
    BABY, Outbound {
        "outbound_scan.event_id" "8.3.2-b3" Always;
        "outbound_scan.kind" "8.3.2-b3" Always;
        "outbound_scan.traceability_code" "8.3.2-b3" Goods;
        "outbound_scan.scanned_at" "8.3.2-b3" Always;
        "outbound_scan.device_id" "8.3.2-b3" Always;
        "outbound_scan.operator" "8.3.2-b3" Actor;
        "outbound.outbound_document_no" "T4-4" Document;
        "outbound.outbound_time" "T4-4" Always;
        "outbound.traceability_code" "T4-4" Goods;
    }

    CARE, Inbound {
        "inbound.specification" "TB.3-2" OnRecord;
        "inbound.quantity" "TB.3-2" Goods;
        "inbound.batch_no" "TB.3-2" Lots;
    }
    CARE, Count {
        "inventory.stock_quantity" "TB.3-3" OnRecord;
        "inventory.storage_temperature" "TB.3-3" Temperature;
        "inventory.storage_humidity" "TB.3-3" Humidity;
    }
    CARE, Outbound {
        "outbound.counterparty_type" "TB.3-4" Counterpart;
        "outbound.counterparty_name" "TB.3-4" Counterpart;
        "outbound.product_name" "TB.3-4" Goods;
        "outbound.specification" "TB.3-4" OnRecord;
        "outbound.batch_no" "TB.3-4" Lots;
        "outbound.quantity" "TB.3-4" Goods;
        "transport.duration" "TB.3-5" OnRecord;
        "transport.place_of_departure" "TB.3-5" Location;
        "transport.place_of_arrival" "TB.3-5" CounterpartPlace;
        "transport.receiver_name" "TB.3-5" Counterpart;
    }
}
