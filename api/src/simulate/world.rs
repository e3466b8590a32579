//! The world of a run: two enterprises that trade and one that has no business with their goods,
//! their places, tins in cases on pallets, and goods without codes of their own. Made through the
//! functions the API's handlers call.

use super::{
    Part,
    badges::{Badge, WORKERS, employ},
    late::Late,
};
use crate::{
    app::Internal,
    codes::wire::SegmentOut,
    demo::world as made,
    log::Actor,
    problem::Problem,
    registry::{
        batches::{self, wire::BatchIn},
        fields::FieldsIn,
        locations::wire::LocationKind,
        products::store::NewProduct,
    },
};
use std::ops::Range;
use suyuan_sync::{
    ids::{BatchId, EnterpriseId, LocationId},
    limits::UNITS_PER_EVENT_MAX,
};
use uuid::Uuid;

/// GS1 sets prefix 952 aside for examples.
const PREFIX: &str = "9521234";

/// A place.
#[derive(Clone, Copy)]
pub struct Site {
    /// Which.
    pub id: LocationId,
    /// Whose.
    pub enterprise: EnterpriseId,
}

/// See the file's header.
pub struct World {
    /// Who makes the goods.
    pub maker: EnterpriseId,
    /// All places.
    pub sites: Vec<Site>,
    /// Who works there from the beginning.
    pub staff: Vec<Badge>,
    /// Who of the maker's is not on record yet.
    pub unknown: Option<&'static str>,
    /// Batches: good, expired, to be recalled.
    pub batches: Vec<BatchId>,
    /// Tins as printed: of the batches in their order, not commissioned, void, and minted elsewhere.
    pub tins: Vec<String>,
    /// Cases.
    pub cases: Vec<String>,
    /// Pallets.
    pub pallets: Vec<String>,
    /// Boxes minted elsewhere, each of which somebody may put into the next.
    pub boxes: Vec<String>,
    /// A load of things minted elsewhere: as many as one event may name.
    pub load: Vec<String>,
    /// Where the codes of the maker's tins are from.
    pub segment: SegmentOut,
    /// What does not happen in it.
    pub without: Vec<Part>,
    /// What is on no record yet.
    pub late: Late,
    /// What goods without codes go by.
    pub gtin: String,
}

/// Tins of each batch, among those that are printed.
const OF_BATCHES: [Range<u64>; 3] = [0..48, 48..56, 56..80];

impl World {
    /// Tins of a batch.
    pub fn of_batch(&self, batch: Uuid) -> &[String] {
        let at = self.batches.iter().position(|it| it.0 == batch);
        let of = at.and_then(|at| OF_BATCHES.get(at));
        let of = of.map(|of| of.start as usize..of.end as usize);
        of.and_then(|of| self.tins.get(of)).unwrap_or_default()
    }

    /// Does this happen in it?
    pub fn has(&self, part: Part) -> bool {
        !self.without.contains(&part)
    }
}

/// Makes it, without these parts of what may happen.
pub async fn make(state: &Internal, without: &[Part]) -> Result<World, Problem> {
    let mut sites = Vec::new();
    let mut firms = Vec::new();
    let mut staff = Vec::new();
    for (code, prefixes, places) in [
        ("MAKER", &[PREFIX][..], &["P1", "W1", "S1", "S2"][..]),
        ("TRADE", &[], &["W2", "S3", "S4"]),
        ("ALIEN", &[], &["S5"]),
    ] {
        let fields = crate::catalogue::Values::new();
        let firm = made::enterprise(state, code, code, prefixes, fields).await?;
        let on_record = if firms.is_empty() {
            &WORKERS[..2]
        } else {
            &WORKERS
        };
        staff.extend(employ(&state.log, EnterpriseId(firm), on_record).await?);
        firms.push(firm);
        for name in places {
            let kind = match name.as_bytes().first() {
                Some(b'P') => LocationKind::Plant,
                Some(b'W') => LocationKind::Warehouse,
                _ => LocationKind::Store,
            };
            let fields = crate::catalogue::Values::new();
            let id = made::place(state, firm, name, kind, name, fields).await?;
            sites.push(Site {
                id: LocationId(id),
                enterprise: EnterpriseId(firm),
            });
        }
    }
    let maker = firms.first().copied().unwrap_or_default();
    let plant = sites.first().map(|site| site.id.0);
    let item = made::gtin("0952123400001")?;
    let new = NewProduct {
        code: "CM-2".into(),
        name: "奶粉".into(),
        profile: "infant-formula".into(),
        category: None,
        gtin: Some(item),
        case_gtin: Some(made::gtin("1952123400001")?),
        mint_profile: crate::codes::MintProfile::default(),
        fields: crate::catalogue::Values::new(),
    };
    let product = crate::registry::products::store::create(
        &state.log,
        &state.sealer,
        Actor::System,
        None,
        maker,
        new,
    )
    .await?;
    let mut batches = Vec::new();
    for (lot, produced, expires) in [
        ("A1", "2026-01-15", "2028-01-14"),
        ("B7", "2024-01-15", "2026-01-14"),
        ("R3", "2026-02-01", "2028-01-31"),
    ] {
        batches.push(batch(state, maker, (product.id, plant), [lot, produced, expires]).await?);
    }
    let [good, old, bad] = batches[..] else {
        return Err(crate::registry::RegistryError::Unknown.into());
    };
    let tins = made::segment(state, maker, Some(product.id), None, None, 200).await?;
    let cases = made::segment(state, maker, Some(product.id), Some("case"), None, 12).await?;
    let pallets = made::segment(state, maker, None, None, Some(PREFIX), 4).await?;
    let of_batches = [good, old, bad].into_iter().zip(OF_BATCHES);
    let of_tins = of_batches.map(|(batch, of)| (batch, &tins, of));
    let of_cases = [(good, &cases, 0..8), (bad, &cases, 8..12)];
    for (batch, segment, of) in of_tins.chain(of_cases) {
        made::commission(state, maker, batch, segment, of.start, of.end - 1).await?;
    }
    let today = crate::clock::day_of(state.clock.now());
    made::destroy(state, maker, &tins, 84, 87, today).await?;
    let plain = made::printer(state, maker, &tins, None).await?;
    let mut codes = made::urls(&plain, tins.from, 88);
    codes.extend((1..=4).map(|n| format!("https://id.example.cn/01/06901234567892/21/F{n}")));
    let (late_item, late_place) = (made::gtin("0952123400002")?, state.clock.new_id());
    let trade = firms.get(1).copied().unwrap_or_default();
    let late = Late::new(late_item, late_place, EnterpriseId(trade), product.id);
    if !without.contains(&Part::Rare) {
        codes.extend(late.tins.iter().cloned());
    }
    Ok(World {
        maker: EnterpriseId(maker),
        sites,
        staff,
        unknown: WORKERS.last().copied(),
        batches: batches.into_iter().map(BatchId).collect(),
        tins: codes,
        cases: made::urls(
            &made::printer(state, maker, &cases, None).await?,
            cases.from,
            12,
        ),
        pallets: made::urls(
            &made::printer(state, maker, &pallets, None).await?,
            pallets.from,
            4,
        ),
        boxes: (1..=7)
            .map(|n| format!("https://id.example.cn/01/16901234567899/21/B{n}"))
            .collect(),
        load: (1..=UNITS_PER_EVENT_MAX)
            .map(|n| format!("https://id.example.cn/01/06901234567908/21/L{n}"))
            .collect(),
        segment: tins,
        without: without.to_vec(),
        late,
        gtin: item.to_string(),
    })
}

/// Files a batch: of a product, made somewhere; its lot and days.
pub(super) async fn batch(
    state: &Internal,
    maker: Uuid,
    (product, plant): (Uuid, Option<Uuid>),
    [lot, produced, expires]: [&str; 3],
) -> Result<Uuid, Problem> {
    let profile = state.catalogue.profile("infant-formula");
    let profile = profile.ok_or(crate::registry::RegistryError::Unknown)?;
    let wanted = BatchIn {
        product_id: product,
        lot: lot.into(),
        plant_id: plant,
        production_date: produced.into(),
        expiry_date: Some(expires.into()),
        fields: FieldsIn(crate::catalogue::Values::new()),
    };
    let mut new = batches::handlers::checked(profile, wanted)?;
    new.id = state.clock.new_id();
    Ok(
        batches::store::create(&state.log, Actor::System, None, maker, new)
            .await?
            .id,
    )
}
