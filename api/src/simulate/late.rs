//! Master data that is filed after events named it (C15): a product, a batch and a place that are on no record
//! when a run begins. What was found of that closes, and what is known of the goods from then on may make
//! somebody a stranger to them.

use super::{
    run::{Run, Stop},
    world::{self, World},
};
use crate::{
    app::Internal,
    catalogue::Values,
    log::Actor,
    problem::Problem,
    registry::{
        locations::{
            store as locations,
            wire::{LocationKind, LocationOut},
        },
        products::store::{self as products, NewProduct},
    },
};
use suyuan_sync::{
    ids::{EnterpriseId, LocationId},
    trace_code::Gtin,
};
use uuid::Uuid;

/// See the file's header.
pub struct Late {
    /// What goods of the product go by, with codes and without.
    pub gtin: String,
    /// Things of it.
    pub tins: Vec<String>,
    /// The place.
    pub place: LocationId,
    /// Whose it will be.
    pub owner: EnterpriseId,
    /// The maker's product that the batch is of.
    pub of: Uuid,
    /// What is still to be filed.
    pub open: Vec<Paper>,
}

/// Something to be filed.
#[derive(Clone, Copy, Debug)]
pub enum Paper {
    /// The product.
    Product,
    /// The batch: of goods without codes, and it has expired.
    Batch,
    /// The place.
    Place,
}

impl Late {
    /// All of it is open.
    pub fn new(item: Gtin, place: Uuid, owner: EnterpriseId, of: Uuid) -> Late {
        let gtin = item.to_string();
        let tin = |n: usize| format!("https://id.example.cn/01/{gtin}/21/N{n}");
        Late {
            tins: (1..=6).map(tin).collect(),
            gtin,
            place: LocationId(place),
            owner,
            of,
            open: vec![Paper::Product, Paper::Batch, Paper::Place],
        }
    }
}

impl Run {
    /// Somebody files what was named long ago.
    pub(super) async fn file_late(&mut self, state: &Internal) -> Result<(), Stop> {
        let at = self.dice.below(self.world.late.open.len());
        if at >= self.world.late.open.len() {
            return Ok(());
        }
        let paper = self.world.late.open.swap_remove(at);
        file(state, &self.world, paper).await?;
        self.note("filed late", &format!("{paper:?}"));
        Ok(())
    }
}

async fn file(state: &Internal, world: &World, paper: Paper) -> Result<(), Problem> {
    let (late, maker) = (&world.late, world.maker.0);
    match paper {
        Paper::Product => {
            let new = NewProduct {
                code: "CM-3".into(),
                name: "奶粉".into(),
                profile: "infant-formula".into(),
                category: None,
                gtin: Gtin::parse(&late.gtin).ok(),
                case_gtin: None,
                mint_profile: crate::codes::MintProfile::default(),
                fields: Values::new(),
            };
            let (log, sealer) = (&state.log, &state.sealer);
            products::create(log, sealer, Actor::System, None, maker, new).await?;
        }
        Paper::Batch => {
            let of = (late.of, None);
            world::batch(state, maker, of, ["L1", "2024-02-01", "2026-01-31"]).await?;
        }
        Paper::Place => {
            let new = LocationOut {
                id: late.place.0,
                code: "S6".into(),
                kind: LocationKind::Store,
                name: "S6".into(),
                gln: None,
                fields: serde_json::json!({}),
            };
            let (log, owner) = (&state.log, late.owner.0);
            locations::create(log, Actor::System, None, owner, new).await?;
        }
    }
    Ok(())
}
