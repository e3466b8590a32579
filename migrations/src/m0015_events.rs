//! What devices stated, and what follows from it: events with their bytes, the units they name,
//! the state of units, findings, lots, and what stands aside.
//!
//! An event is an entry of the log like any other: its row is the entry, under a position of its
//! own, and `log_entry` has none for it. These tables grow with every scan, so each index is there
//! for a question that is asked, and rows are narrow: units are numbered, so that what is said of
//! a unit stands under a number and new rows go to the end.

use crate::table::{hot, sql};
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

/// The tables. `ROWID` is the key a row is stored under, `CLUSTERED` says that a table is stored in
/// the order of its key, where the engine can.
const TABLES: &[&str] = &[
    // `stamp` is when it was received: the `hi` of its interval. `fate` is what stands now
    // (stored, stored_flagged, parked, quarantined), `rule` why (T2 …). It counts in folds from
    // the position `counts_from` on; null while it is parked or quarantined. `event_id` is null
    // for what could not be read, `prev_hash` is there for the first of each push, `flags` and
    // `told` are names of findings with commas: by admission, and as told in the first answer.
    // `order_epoch` is the epoch it is ordered in, which for admitted forks is a later one.
    "CREATE TABLE event (
        gseq ROWID PRIMARY KEY,
        stamp BIGINT NOT NULL,
        enterprise_id UUID NOT NULL,
        device_id UUID NOT NULL,
        epoch BIGINT NOT NULL,
        seq BIGINT NOT NULL,
        event_id UUID,
        kind TEXT NOT NULL,
        fate TEXT NOT NULL,
        rule TEXT NOT NULL,
        counts_from BIGINT,
        order_epoch BIGINT NOT NULL,
        location_id UUID,
        lo BIGINT NOT NULL,
        est BIGINT NOT NULL,
        eff BIGINT NOT NULL,
        delivered BIGINT NOT NULL,
        group_id UUID,
        imported BOOLEAN NOT NULL,
        flags TEXT NOT NULL,
        told TEXT NOT NULL,
        hash BYTES NOT NULL,
        prev_hash BYTES,
        body BYTES NOT NULL
    )",
    // How a device's sequence stands, one row an epoch; `state` is `sync`'s own, as JSON.
    "CREATE TABLE device_chain (
        device_id UUID NOT NULL,
        epoch BIGINT NOT NULL,
        enterprise_id UUID NOT NULL,
        contiguous BIGINT NOT NULL,
        highest BIGINT NOT NULL,
        delivered BIGINT NOT NULL,
        gap_since BIGINT,
        gseq BIGINT NOT NULL,
        state TEXT NOT NULL,
        PRIMARY KEY (device_id, epoch)
    )",
    // Every thousandth place of a device's effective times, so that a late filler is worked in
    // from the one before it and not from the beginning.
    "CREATE TABLE device_checkpoint (
        device_id UUID NOT NULL,
        epoch BIGINT NOT NULL,
        seq BIGINT NOT NULL,
        state TEXT NOT NULL,
        PRIMARY KEY (device_id, epoch, seq)
    ) CLUSTERED",
    // A unit something happened to. Codes nobody scanned have no row. `state` is the fold's, as
    // JSON, with its open findings; the columns beside it are for questions. `place` is where it
    // is, or where it is going while `phase` is in_transit. Units inside a container (`inside`)
    // keep what was true when they were packed: the container's row says where they are, except
    // for those that are `exceptional`.
    "CREATE TABLE unit (
        id ROWID PRIMARY KEY,
        unit_key TEXT NOT NULL,
        issuer UUID,
        product_id UUID,
        batch_id UUID,
        phase TEXT NOT NULL,
        place UUID,
        holder UUID,
        inside BIGINT,
        exceptional BOOLEAN NOT NULL,
        findings BIGINT NOT NULL,
        gseq BIGINT NOT NULL,
        state TEXT NOT NULL
    )",
    // Which events name a unit: as itself (0), as container (1), by striking one of its events (2).
    "CREATE TABLE event_unit (
        unit_id BIGINT NOT NULL,
        gseq BIGINT NOT NULL,
        role BIGINT NOT NULL,
        PRIMARY KEY (unit_id, gseq)
    ) CLUSTERED",
    // Retracts by what they strike, so that a target that comes later finds them.
    "CREATE TABLE event_target (
        enterprise_id UUID NOT NULL,
        target_id UUID NOT NULL,
        gseq BIGINT NOT NULL,
        PRIMARY KEY (enterprise_id, target_id, gseq)
    ) CLUSTERED",
    // Findings over time. `finding` is the whole of it as JSON; `unit_id` or `line_id` say of
    // what, neither of the event itself. `enterprise_id` is whose event was judged.
    "CREATE TABLE finding (
        id ROWID PRIMARY KEY,
        enterprise_id UUID NOT NULL,
        issuer UUID,
        device_id UUID NOT NULL,
        event_id UUID NOT NULL,
        event_gseq BIGINT NOT NULL,
        unit_id BIGINT,
        line_id BIGINT,
        place UUID,
        code TEXT NOT NULL,
        severity BIGINT NOT NULL,
        opened BIGINT NOT NULL,
        closed BIGINT,
        closed_by UUID,
        finding TEXT NOT NULL
    )",
    // A line of goods without codes of their own; `lot` is empty where it is not known. `state`
    // is the checkpoint its balance goes on from, with its open findings.
    "CREATE TABLE lot_line (
        id ROWID PRIMARY KEY,
        gtin TEXT NOT NULL,
        lot TEXT NOT NULL,
        location_id UUID NOT NULL,
        enterprise_id UUID NOT NULL,
        balance BIGINT NOT NULL,
        findings BIGINT NOT NULL,
        gseq BIGINT NOT NULL,
        state TEXT NOT NULL
    )",
    // What moved on a line, by event.
    "CREATE TABLE lot_move (
        line_id BIGINT NOT NULL,
        gseq BIGINT NOT NULL,
        n BIGINT NOT NULL,
        movement TEXT NOT NULL,
        PRIMARY KEY (line_id, gseq, n)
    ) CLUSTERED",
    // Folding that is too much for one act: done in slices, by short acts, until the row is gone.
    // `scope` says which units, `cursor` how far it got.
    "CREATE TABLE refold (
        id ROWID PRIMARY KEY,
        scope TEXT NOT NULL,
        cursor BIGINT NOT NULL,
        cause UUID,
        gseq BIGINT NOT NULL
    )",
    // Frames that could not be read, for whoever looks into them; the oldest go first.
    "CREATE TABLE dead_letter (
        id UUID NOT NULL,
        enterprise_id UUID NOT NULL,
        device_id UUID NOT NULL,
        epoch BIGINT NOT NULL,
        at BIGINT NOT NULL,
        why TEXT NOT NULL,
        body BYTES NOT NULL,
        PRIMARY KEY (id)
    )",
];

/// The indexes.
const INDEXES: &[&str] = &[
    // Was this id seen before? Not unique: a second copy is kept, in quarantine.
    "CREATE INDEX event_id ON event (event_id) WHERE event_id IS NOT NULL",
    // A place in a device's sequence has one holder; copies of a fork stand beside it.
    "CREATE UNIQUE INDEX event_one ON event (device_id, epoch, seq) WHERE rule <> 'T3'",
    "CREATE INDEX event_fork ON event (device_id, epoch, seq) WHERE rule = 'T3'",
    "CREATE INDEX event_aside ON event (enterprise_id, gseq) \
     WHERE fate = 'parked' OR fate = 'quarantined'",
    "CREATE INDEX event_group ON event (group_id) WHERE fate = 'parked'",
    "CREATE INDEX event_count ON event (location_id, gseq) WHERE kind = 'count'",
    "CREATE UNIQUE INDEX unit_key ON unit (unit_key)",
    "CREATE INDEX unit_place ON unit (place, batch_id) WHERE place IS NOT NULL",
    "CREATE INDEX unit_inside ON unit (inside) WHERE inside IS NOT NULL",
    "CREATE INDEX finding_unit ON finding (unit_id) WHERE unit_id IS NOT NULL",
    "CREATE INDEX finding_line ON finding (line_id) WHERE line_id IS NOT NULL",
    "CREATE INDEX finding_open ON finding (enterprise_id, id) WHERE closed IS NULL",
    "CREATE INDEX finding_issuer ON finding (issuer, id) WHERE closed IS NULL",
    "CREATE INDEX finding_device ON finding (device_id, id)",
    "CREATE UNIQUE INDEX lot_line_key ON lot_line (gtin, lot, location_id)",
    "CREATE INDEX device_chain_gap ON device_chain (gap_since) WHERE gap_since IS NOT NULL",
    "CREATE INDEX dead_letter_at ON dead_letter (at)",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES {
            hot(manager, table).await?;
        }
        for index in INDEXES {
            sql(manager, index).await?;
        }
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
