//! The tables as rows: one file a table, no behaviour. Only stores use them.
#![allow(missing_docs)] // the migrations say what a column means

pub mod batch;
pub mod batch_version;
pub mod code_destruction;
pub mod code_space;
pub mod commission;
pub mod enterprise;
pub mod enterprise_version;
pub mod file_object;
pub mod gs1_prefix;
pub mod idempotency;
pub mod issue_key;
pub mod location;
pub mod log_entry;
pub mod product;
pub mod product_version;
pub mod public_batch;
pub mod public_chunk;
pub mod public_file;
pub mod public_head;
pub mod public_product;
pub mod public_range;
pub mod public_space;
pub mod query_chunk;
pub mod query_count;
pub mod query_log;
pub mod query_packet;
pub mod recall;
pub mod recall_batch;
pub mod refresh_token;
pub mod segment;
pub mod setup_link;
pub mod signing_key;
pub mod suspicion;
pub mod user_account;
