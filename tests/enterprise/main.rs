//! What enterprises and the operator do: accounts, registry, codes, recalls, the log. One binary,
//! one module a story.

mod accounts;
mod authorization;
mod bad_input;
mod bad_text;
mod codes;
mod commission_refusals;
mod commissions;
mod complaints;
mod cross_tenant;
mod destructions;
mod excursions;
mod fields;
mod files;
mod gate;
mod idempotency;
mod issuing;
mod log;
mod mended;
mod one_connection;
mod operations;
mod publication;
mod recalls;
mod registry;
mod registry_lists;
mod regulators;
mod sessions;
mod setup;
mod support;
mod tags;
mod tokens;
mod unit_recalls;
mod unit_states;
mod versions;
