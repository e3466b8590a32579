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
    // `stamp` is when it was received: the `hi` of its interval. `fate` (stored, stored_flagged,
    // parked, quarantined) and `remarks` are what stands now, `told` what was answered first. It
    // counts in folds from the position `counts_from` on; null while it is parked or quarantined.
    // `event_id` is the id it claims: null for what could not be read and for a second copy.
    // `branch` names the fork it is on; null is the branch received first. `order_epoch` is the
    // epoch it is ordered in, which for admitted forks is a later one. `flags` are the findings of
    // its admission, by name. Only fate, remarks, counts_from, order_epoch, eff and flags ever
    // change, and only by an entry of the log or a neighbour's arrival.
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
        remarks TEXT NOT NULL,
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
        branch BYTES,
        prev_hash BYTES NOT NULL,
        hash BYTES NOT NULL,
        body BYTES NOT NULL
    )",
    // How a device's sequence stands, one row an epoch. `state` is what `sync` keeps of it, as JSON.
    // `delivered` is the newest position it acknowledged to have been told, at `delivered_at`.
    "CREATE TABLE device_chain (
        device_id UUID NOT NULL,
        epoch BIGINT NOT NULL,
        enterprise_id UUID NOT NULL,
        contiguous BIGINT NOT NULL,
        highest BIGINT NOT NULL,
        forked BOOLEAN NOT NULL,
        delivered BIGINT NOT NULL,
        delivered_at BIGINT NOT NULL,
        gseq BIGINT NOT NULL,
        state TEXT NOT NULL,
        PRIMARY KEY (device_id, epoch)
    )",
    // Which position it had acknowledged since when: what a till knew at a sale (C9).
    "CREATE TABLE device_ack (
        device_id UUID NOT NULL,
        epoch BIGINT NOT NULL,
        at BIGINT NOT NULL,
        gseq BIGINT NOT NULL,
        PRIMARY KEY (device_id, epoch, at)
    ) CLUSTERED",
    // Second branches of an epoch (T3), by the hash after their first event.
    "CREATE TABLE device_fork (
        device_id UUID NOT NULL,
        epoch BIGINT NOT NULL,
        root BYTES NOT NULL,
        state TEXT NOT NULL,
        PRIMARY KEY (device_id, epoch, root)
    ) CLUSTERED",
    // Business acts of several events (T8), whole ones too, so that a stray is known for one.
    // `waiting_since` is when the first member of an incomplete one was received.
    "CREATE TABLE device_group (
        device_id UUID NOT NULL,
        epoch BIGINT NOT NULL,
        group_id UUID NOT NULL,
        waiting_since BIGINT,
        state TEXT NOT NULL,
        PRIMARY KEY (device_id, epoch, group_id)
    ) CLUSTERED",
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
    // Which events are about a unit: they name it (0), name it as container (1), strike an event
    // about it (2), or decide whether a correction counts (3).
    "CREATE TABLE event_unit (
        unit_id BIGINT NOT NULL,
        gseq BIGINT NOT NULL,
        role BIGINT NOT NULL,
        PRIMARY KEY (unit_id, gseq)
    ) CLUSTERED",
    // What was in containers, batch by batch: so many units of a batch stayed from one place in the
    // order until another (empty while they are inside).
    "CREATE TABLE content (
        container_id BIGINT NOT NULL,
        batch_id UUID NOT NULL,
        stay_from TEXT NOT NULL,
        stay_until TEXT NOT NULL,
        units BIGINT NOT NULL,
        PRIMARY KEY (container_id, batch_id, stay_from, stay_until)
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
    // An id is claimed once in an enterprise (T1, T2).
    "CREATE UNIQUE INDEX event_id ON event (event_id, enterprise_id) WHERE event_id IS NOT NULL",
    // A place in a device's sequence has one holder (T3); copies on forks stand beside it.
    "CREATE UNIQUE INDEX event_seq ON event (device_id, epoch, seq) WHERE branch IS NULL",
    "CREATE INDEX event_fork ON event (device_id, epoch, seq) WHERE branch IS NOT NULL",
    "CREATE INDEX event_aside ON event (enterprise_id, gseq) WHERE counts_from IS NULL",
    "CREATE INDEX event_group ON event (group_id) WHERE group_id IS NOT NULL",
    "CREATE INDEX event_count ON event (location_id, gseq) WHERE kind = 'count'",
    "CREATE UNIQUE INDEX unit_key ON unit (unit_key)",
    "CREATE INDEX unit_place ON unit (place, batch_id) WHERE place IS NOT NULL",
    "CREATE INDEX unit_inside ON unit (inside) WHERE inside IS NOT NULL",
    "CREATE INDEX unit_batch ON unit (batch_id, id) WHERE batch_id IS NOT NULL",
    "CREATE INDEX finding_unit ON finding (unit_id) WHERE unit_id IS NOT NULL",
    "CREATE INDEX finding_event ON finding (event_gseq) WHERE unit_id IS NULL AND line_id IS NULL",
    "CREATE INDEX finding_line ON finding (line_id) WHERE line_id IS NOT NULL",
    "CREATE INDEX finding_open ON finding (enterprise_id, id) WHERE closed IS NULL",
    "CREATE INDEX finding_issuer ON finding (issuer, id) WHERE closed IS NULL",
    "CREATE INDEX finding_device ON finding (device_id, id)",
    "CREATE UNIQUE INDEX lot_line_key ON lot_line (gtin, lot, location_id)",
    "CREATE INDEX device_chain_gap ON device_chain (device_id) WHERE contiguous < highest",
    "CREATE INDEX device_group_waiting ON device_group (waiting_since) \
     WHERE waiting_since IS NOT NULL",
    "CREATE INDEX log_entry_stamp ON log_entry (stamp)",
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
