//! The cast: who, where, with which devices, and which goods.

use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    event::{Input, UnitRead, required::Profile},
    facts::{Actors, BatchInfo, Commissioned, PlaceInfo, StatedAt, UnitInfo, World},
    ids::{BatchId, DeviceId, EnterpriseId, EventId, LocationId, Micros, RecallId},
    trace_code,
    unit::{Level, UnitKey},
};
use uuid::Uuid;

/// One second.
pub const SECOND: Micros = 1_000_000;
/// One minute.
pub const MINUTE: Micros = 60 * SECOND;
/// One hour.
pub const HOUR: Micros = 60 * MINUTE;
/// One day.
pub const DAY: Micros = 24 * HOUR;
/// When histories begin: 2026-01-15 00:00 Asia/Shanghai.
pub const START: Micros = 1_768_406_400 * SECOND;
/// When the goods of the second batch expire: 00:00 after the third day.
pub const EXPIRY: Micros = START + 3 * DAY;

const fn uuid(group: u128, n: u128) -> Uuid {
    Uuid::from_u128(group << 64 | 0x7000_8000_0000_0000_0000 | n)
}

/// Issues the codes.
pub const MAKER: EnterpriseId = EnterpriseId(uuid(1, 1));
/// Sells.
pub const CHAIN: EnterpriseId = EnterpriseId(uuid(1, 2));
/// Has nothing to do with any of it.
pub const STRANGER: EnterpriseId = EnterpriseId(uuid(1, 3));
/// On no record.
pub const NOBODY: EnterpriseId = EnterpriseId(uuid(1, 9));

/// Where the maker makes.
pub const PLANT: LocationId = LocationId(uuid(2, 1));
/// Where the maker stores.
pub const WAREHOUSE: LocationId = LocationId(uuid(2, 2));
/// A shop of the chain.
pub const SHOP: LocationId = LocationId(uuid(2, 3));
/// Another.
pub const OTHER_SHOP: LocationId = LocationId(uuid(2, 4));
/// The stranger's shop.
pub const STALL: LocationId = LocationId(uuid(2, 5));
/// On no record.
pub const ELSEWHERE: LocationId = LocationId(uuid(2, 9));

/// All places, the one on no record last.
pub const PLACES: [LocationId; 6] = [PLANT, WAREHOUSE, SHOP, OTHER_SHOP, STALL, ELSEWHERE];

/// Whose a place is; the one on no record is the stranger's.
pub fn owner(place: LocationId) -> EnterpriseId {
    match place {
        PLANT | WAREHOUSE => MAKER,
        SHOP | OTHER_SHOP => CHAIN,
        _ => STRANGER,
    }
}

/// A device, its enterprise, and who works with it.
#[derive(Clone, Copy, Debug)]
pub struct Hand {
    pub device: DeviceId,
    pub enterprise: EnterpriseId,
    pub actor: &'static str,
}

const fn hand(n: u128, enterprise: EnterpriseId, actor: &'static str) -> Hand {
    Hand {
        device: DeviceId(uuid(3, n)),
        enterprise,
        actor,
    }
}

/// At the plant.
pub const PLANT_LINE: Hand = hand(1, MAKER, "maker-1");
/// In the warehouse.
pub const STOREMAN: Hand = hand(2, MAKER, "maker-2");
/// In the shop.
pub const CASHIER: Hand = hand(3, CHAIN, "chain-1");
/// In the other shop.
pub const OTHER_CASHIER: Hand = hand(4, CHAIN, "chain-2");
/// At the stall.
pub const INTRUDER: Hand = hand(5, STRANGER, "stranger-1");

/// All of them.
pub const HANDS: [Hand; 5] = [PLANT_LINE, STOREMAN, CASHIER, OTHER_CASHIER, INTRUDER];

/// Goods that keep.
pub const BATCH: BatchId = BatchId(uuid(4, 1));
/// Goods that expire at [`EXPIRY`].
pub const SHORT_BATCH: BatchId = BatchId(uuid(4, 2));
/// Goods made elsewhere; no plant on record.
pub const OTHER_BATCH: BatchId = BatchId(uuid(4, 3));
/// A lot of [`LOOSE`] goods, expiring at [`EXPIRY`].
pub const LOOSE_BATCH: BatchId = BatchId(uuid(4, 4));
/// The maker's goods of [`OWN`], of the same lot as [`BATCH`].
pub const OWN_BATCH: BatchId = BatchId(uuid(4, 5));
/// The chain's goods of [`OWN`], of the same lot again.
pub const OTHER_OWN_BATCH: BatchId = BatchId(uuid(4, 6));
/// On no record.
pub const NO_BATCH: BatchId = BatchId(uuid(4, 9));
/// Batches as a commission may name them.
pub const BATCHES: [BatchId; 6] = [
    BATCH,
    SHORT_BATCH,
    OTHER_BATCH,
    NO_BATCH,
    OWN_BATCH,
    OTHER_OWN_BATCH,
];

/// Batches as a recall may cover them.
pub const RECALLED: [BatchId; 6] = [
    BATCH,
    SHORT_BATCH,
    OTHER_BATCH,
    LOOSE_BATCH,
    OWN_BATCH,
    OTHER_OWN_BATCH,
];

/// Recalls by number.
pub const fn recall(n: u8) -> RecallId {
    RecallId(uuid(5, n as u128))
}

/// Events by number.
pub const fn event(n: usize) -> EventId {
    EventId(uuid(6, n as u128 + 1))
}

/// The maker's GTIN of a tin.
pub const TIN: &str = "06901234567892";
/// The maker's GTIN of a case.
pub const BOX: &str = "16901234567899";
/// A GTIN on no record.
pub const FOREIGN: &str = "04006381333931";
/// The code of a product without GTIN, of the maker and of the chain.
pub const OWN: &str = "T1N";
/// What stands on codes of the maker's product [`OWN`], and of the chain's.
pub const OWN_CODED: [(&str, EnterpriseId); 2] = [("MY8.T1N", MAKER), ("SHP.T1N", CHAIN)];
/// A GTIN of goods without codes of their own.
pub const LOOSE: &str = "06901234567908";

/// Codes as they are printed, goods by number: see [`Good`].
pub const CODES: [&str; 16] = [
    "https://id.example.cn/01/06901234567892/21/A1",
    "https://id.example.cn/01/06901234567892/21/A2",
    "https://id.example.cn/01/06901234567892/10/L2/21/A3?17=260117",
    "https://id.example.cn/01/06901234567892/21/A4",
    "https://id.example.cn/01/06901234567892/21/A5",
    "https://id.example.cn/01/16901234567899/21/B1",
    "https://id.example.cn/01/16901234567899/21/B2",
    "https://id.example.cn/00/069012345000000011",
    "https://id.example.cn/01/04006381333931/21/F1",
    "https://id.example.cn/00/040063810000000017",
    "https://id.example.cn/01/06901234567892/21/FORGED",
    "https://id.example.cn/01/06901234567892/10/WRONG/21/A1?17=991231",
    "MY8.T1N-0001-1",
    "SHP.T1N-0001-2",
    "https://id.example.cn/01/06901234567892/21/A2?15=271231",
    "https://id.example.cn/01/06901234567892/21/A3?15=991231",
];

/// The goods, by their number in [`CODES`].
pub mod good {
    /// Of [`super::BATCH`].
    pub const TIN_1: usize = 0;
    /// Of [`super::BATCH`].
    pub const TIN_2: usize = 1;
    /// Of [`super::SHORT_BATCH`]; its code says so.
    pub const SHORT_TIN: usize = 2;
    /// Allocated, not commissioned.
    pub const BLANK_TIN: usize = 3;
    /// Allocated, void from the first hour on.
    pub const VOID_TIN: usize = 4;
    /// A case, allocated.
    pub const CASE_1: usize = 5;
    /// A case, commissioned to [`super::BATCH`].
    pub const CASE_2: usize = 6;
    /// A pallet of the maker.
    pub const PALLET: usize = 7;
    /// A tin of somebody on no record.
    pub const FOREIGN_TIN: usize = 8;
    /// A logistic unit of somebody on no record.
    pub const FOREIGN_PALLET: usize = 9;
    /// Carries the maker's GTIN and is on no record.
    pub const FORGED_TIN: usize = 10;
    /// [`TIN_1`] under a label with another lot and date.
    pub const RELABELLED: usize = 11;
    /// The maker's product [`super::OWN`], allocated; it has no GTIN.
    pub const OWN_TIN: usize = 12;
    /// The chain's product of the same code.
    pub const OTHER_OWN_TIN: usize = 13;
    /// [`TIN_2`] under a label with a day, which its batch has not.
    pub const DATED: usize = 14;
    /// [`SHORT_TIN`] under a label that it is good for longer.
    pub const PROLONGED: usize = 15;
}

/// A code read in some way.
pub fn read(n: usize, input: Input) -> UnitRead {
    let scanned = trace_code::parse(CODES[n]).ok();
    UnitRead {
        code: CODES[n].to_owned(),
        input,
        scanned,
        unit: scanned.and_then(|scanned| UnitKey::of(&scanned.code)),
    }
}

/// The unit that a code names.
pub fn unit(n: usize) -> UnitKey {
    read(n, Input::Wedge).unit.expect("every code names a unit")
}

/// What is on record before anything happens.
pub fn world() -> World {
    let mut world = World::default();
    let before = |n: i64| StatedAt {
        at: START - DAY + n,
        gseq: n,
    };
    let of_batch = |batch| {
        Some(Commissioned {
            batch,
            at: before(1),
        })
    };
    let goods = [
        (good::TIN_1, Level::Item, of_batch(BATCH), None),
        (good::TIN_2, Level::Item, of_batch(BATCH), None),
        (good::SHORT_TIN, Level::Item, of_batch(SHORT_BATCH), None),
        (good::BLANK_TIN, Level::Item, None, None),
        (
            good::VOID_TIN,
            Level::Item,
            None,
            Some(StatedAt {
                at: START + HOUR,
                gseq: 3,
            }),
        ),
        (good::CASE_1, Level::Case, None, None),
        (good::CASE_2, Level::Case, of_batch(BATCH), None),
        (good::PALLET, Level::Pallet, None, None),
    ];
    for (n, level, commissioned, voided) in goods {
        let info = UnitInfo {
            issuer: Some(MAKER),
            product: None,
            level: Some(level),
            commissioned,
            voided,
        };
        world.units.insert(unit(n), info);
    }
    for (n, issuer) in [(good::OWN_TIN, MAKER), (good::OTHER_OWN_TIN, CHAIN)] {
        let info = UnitInfo {
            issuer: Some(issuer),
            product: Some(OWN.into()),
            level: Some(Level::Item),
            ..UnitInfo::default()
        };
        world.units.insert(unit(n), info);
    }
    let issued = |issuer, product: &str, lot: &str, expires_at, plant| BatchInfo {
        issuer,
        product: product.to_owned(),
        lot: lot.to_owned(),
        expires_at,
        plant,
    };
    let of = |product, lot, expires_at, plant| issued(MAKER, product, lot, expires_at, plant);
    world.batches = [
        (BATCH, of(TIN, "L1", None, Some(PLANT))),
        (SHORT_BATCH, of(TIN, "L2", Some(EXPIRY), Some(PLANT))),
        (OTHER_BATCH, of(TIN, "L3", None, None)),
        (LOOSE_BATCH, of(LOOSE, "S1", Some(EXPIRY), None)),
        (OWN_BATCH, of(OWN, "L1", None, None)),
        (OTHER_OWN_BATCH, issued(CHAIN, OWN, "L1", None, None)),
    ]
    .into_iter()
    .collect();
    world.product_of = [(BOX.to_owned(), TIN.to_owned())].into_iter().collect();
    let own = |profile| (OWN.to_owned(), Some(profile));
    let own = [Profile::MaternalBaby, Profile::InfantFormula].map(own);
    let [makers, chains] = own.map(|own| BTreeMap::from([own]));
    world.own_products = BTreeMap::from([(MAKER, makers), (CHAIN, chains)]).into();
    let gtins = [TIN, LOOSE].map(|gtin| (gtin.to_owned(), None));
    world.own_products.entry(MAKER).or_default().extend(gtins);
    for place in PLACES.into_iter().filter(|place| *place != ELSEWHERE) {
        let info = PlaceInfo {
            enterprise: owner(place),
            plant: place == PLANT,
        };
        world.places.insert(place, info);
    }
    world.enterprises = BTreeSet::from([MAKER, CHAIN, STRANGER]).into();
    world.products = [TIN, BOX, LOOSE]
        .map(|gtin| (gtin.to_owned(), MAKER))
        .into_iter()
        .collect();
    for (text, issuer) in OWN_CODED {
        world.products.insert(text.to_owned(), issuer);
        world.product_of.insert(text.to_owned(), OWN.to_owned());
    }
    // The maker keeps a record of its people at the plant since the first hour, and everywhere since the fourth
    // day; nobody else does.
    let mut people = Actors::default();
    people.put(PLANT_LINE.actor.into(), Some(PLANT), START + HOUR);
    people.put(STOREMAN.actor.into(), None, START + 3 * DAY);
    world.actors.insert(MAKER, people.into());
    let owner = |hand: Hand| (hand.device, hand.enterprise);
    world.devices = HANDS.into_iter().map(owner).collect();
    world
}
