//! What handhelds and tills do, and what becomes of it: enrolment, pushes, what stands aside. One
//! binary, one module a story.

mod ahead;
mod aside;
mod badges;
mod branches;
mod budget;
mod chains;
mod claims;
mod clock;
mod costs;
mod crowded;
mod decisions;
mod decode;
mod engine;
mod enrolment;
mod findings;
mod heavy;
mod held;
mod knew;
mod known;
mod known_beside;
mod lanes;
mod left;
mod list_size;
mod listed;
mod lots;
mod lots_reached;
mod lots_recalled;
mod own_codes;
mod pull_nodes;
mod pull_parts;
mod pull_plans;
mod pull_scope;
mod pulls;
mod pushes;
mod reach;
mod reads;
mod refolds;
mod replay;
mod restated;
mod scene;
mod shared;
mod slow;
mod snapshots;
mod stated;
mod stock;
mod stock_pages;
#[path = "../enterprise/support.rs"]
#[allow(dead_code)]
mod support;
mod tenants;
mod told;
mod units;
mod waits;
mod web_app;
