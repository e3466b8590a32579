//! The ordered list of schema changes and nothing else. See the crate's README for the rules.

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::{MigrationTrait, async_trait};

mod m0001_log;
mod m0002_accounts;
mod m0003_registry;
mod m0004_codes;
mod m0005_recalls;
mod m0006_projection;
mod m0007_queries;
mod m0008_mint_profile;
mod m0009_links;
mod m0010_inbox;
mod m0010_voices;
mod m0011_watches;
mod m0012_query_packets;
mod m0013_suspicion;
mod m0014_devices;
mod m0015_events;
mod m0020_recall_scope;
mod m0021_told_units;
mod m0022_query_sightings;
mod m0023_fold_questions;
mod m0025_down;
mod m0026_finding_reads;
mod m0027_periods;
mod m0028_down_reads;
mod m0030_arrivals;
mod m0031_sweeps;
mod m0033_as_known;
mod m0034_stock;
mod m0035_badges;
mod m0037_counting;
mod m0038_claims;
mod m0039_unit_place;
mod m0040_lines_counted;
mod m0041_line_checkpoints;
mod m0042_units_left;
mod m0043_moved_since;
mod m0045_lots_judged;
mod m0046_commissions;
mod m0048_meant;
mod m0049_lots_as_known;
mod m0050_actors;
mod m0051_log_chain;
mod m0052_excursions;
mod m0053_strangers;
mod m0054_named_places;
mod m0055_long_lots;
mod m0056_strangers_by_partner;
mod m0057_patrol;
mod m0058_buyers;
mod m0059_work_pages;
mod m0060_units_left_first;
mod m0061_unit_kept;
mod m0062_held_batches;
mod m0063_anchored;
mod m0064_corrected;
mod m0065_lots_apart;
mod m0066_groups_of_lives;
mod table;

/// Brings a database to the schema this release needs.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_log::Migration),
            Box::new(m0002_accounts::Migration),
            Box::new(m0003_registry::Migration),
            Box::new(m0004_codes::Migration),
            Box::new(m0005_recalls::Migration),
            Box::new(m0006_projection::Migration),
            Box::new(m0007_queries::Migration),
            Box::new(m0008_mint_profile::Migration),
            Box::new(m0009_links::Migration),
            Box::new(m0010_inbox::Migration),
            Box::new(m0010_voices::Migration),
            Box::new(m0011_watches::Migration),
            Box::new(m0012_query_packets::Migration),
            Box::new(m0013_suspicion::Migration),
            Box::new(m0014_devices::Migration),
            Box::new(m0015_events::Migration),
            Box::new(m0020_recall_scope::Migration),
            Box::new(m0021_told_units::Migration),
            Box::new(m0022_query_sightings::Migration),
            Box::new(m0023_fold_questions::Migration),
            Box::new(m0025_down::Migration),
            Box::new(m0026_finding_reads::Migration),
            Box::new(m0027_periods::Migration),
            Box::new(m0028_down_reads::Migration),
            Box::new(m0030_arrivals::Migration),
            Box::new(m0031_sweeps::Migration),
            Box::new(m0033_as_known::Migration),
            Box::new(m0034_stock::Migration),
            Box::new(m0035_badges::Migration),
            Box::new(m0037_counting::Migration),
            Box::new(m0038_claims::Migration),
            Box::new(m0039_unit_place::Migration),
            Box::new(m0040_lines_counted::Migration),
            Box::new(m0041_line_checkpoints::Migration),
            Box::new(m0042_units_left::Migration),
            Box::new(m0043_moved_since::Migration),
            Box::new(m0045_lots_judged::Migration),
            Box::new(m0046_commissions::Migration),
            Box::new(m0048_meant::Migration),
            Box::new(m0049_lots_as_known::Migration),
            Box::new(m0050_actors::Migration),
            Box::new(m0051_log_chain::Migration),
            Box::new(m0052_excursions::Migration),
            Box::new(m0053_strangers::Migration),
            Box::new(m0054_named_places::Migration),
            Box::new(m0055_long_lots::Migration),
            Box::new(m0056_strangers_by_partner::Migration),
            Box::new(m0057_patrol::Migration),
            Box::new(m0058_buyers::Migration),
            Box::new(m0059_work_pages::Migration),
            Box::new(m0060_units_left_first::Migration),
            Box::new(m0061_unit_kept::Migration),
            Box::new(m0062_held_batches::Migration),
            Box::new(m0063_anchored::Migration),
            Box::new(m0064_corrected::Migration),
            Box::new(m0065_lots_apart::Migration),
            Box::new(m0066_groups_of_lives::Migration),
        ]
    }
}
