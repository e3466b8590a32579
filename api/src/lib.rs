//! The service. Modules in reading order:
//!
//! - [`app`] puts the parts together; [`routes`] is the whole URL table; [`config`] the settings.
//! - [`resolver`] answers a consumer's scan, with [`pages`] for its words. It reads the public
//!   projection only.
//! - [`watches`] are recall notices by token; [`app_links`] lets a brand's app open printed codes.
//! - [`log`] is the one order of all changes; [`projection`] writes what the public side may
//!   read, in the same transaction.
//! - [`registry`] (who makes what where), [`codes`] (issuing), [`recalls`], [`links`], [`voices`]
//!   (complaints and feedback), [`accounts`] are the features; [`catalogue`] is the standards as
//!   data. [`inbox`] brings in what consumers tell, [`limits`] how much one caller may ask,
//!   [`photo`] reads codes in pictures.
//! - [`handheld`] takes what handhelds and tills state, and tells them what they need to know;
//!   [`events`] what they stated, [`units`], [`findings`] and [`stock`] tell people what became of goods,
//!   [`excursions`] what sensitive goods went through on the way. [`buyers`] of sales stand apart, and
//!   [`personal_data`] ends with its time.
//! - [`problem`], [`db`], [`clock`], [`sealing`], [`telemetry`], [`free_text`] serve them all and
//!   know none of them; [`http`] knows accounts besides, and [`operations`] asks the parts how they
//!   are.
//! - [`tls`] reads and makes the certificates of the internal listener; [`pda`] is the web app it
//!   serves.
//! - [`public_role`] makes the database account a consumer-facing process runs under.
//! - [`doctor`] examines any resolver by GS1's checklist.
//! - [`queries`] is the query log: noted by the resolver, unpacked and counted inside.
//!   [`suspicions`] are drawn from it.
//! - [`demo`] makes a small honest world through the same functions the API uses.

pub mod accounts;
pub mod app;
pub mod app_links;
pub mod buyers;
pub mod catalogue;
pub mod clock;
pub mod codes;
pub mod config;
pub mod db;
pub mod demo;
pub mod doctor;
pub mod entities;
pub mod events;
pub mod excursions;
pub mod findings;
pub mod free_text;
pub mod handheld;
pub mod http;
pub mod inbox;
pub mod limits;
pub mod links;
pub mod log;
pub mod operations;
pub mod pages;
pub mod pda;
pub mod personal_data;
pub mod photo;
pub mod played;
pub mod problem;
pub mod projection;
pub mod public_role;
pub mod queries;
pub mod recalls;
pub mod registry;
pub mod resolver;
pub mod routes;
pub mod sealing;
pub mod simulate;
pub mod stock;
pub mod suspicions;
pub mod telemetry;
pub mod tls;
pub mod units;
pub mod voices;
pub mod watches;
