//! The web app for PDAs and tills, as static files in the program: `app/` here is what is served
//! under `/app/`, unchanged. README.md tells how it is built. `office/` holds the pages beside it:
//! `/app/enrol`, where an officer makes a device, and `/app/trust`, which explains the authority.
//!
//! It decides nothing and knows nobody: what the app may do is settled by the calls it makes.

mod files;
pub mod handlers;
