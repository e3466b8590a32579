//! The catalogue as a caller sees it: which profiles there are, which fields each asks for and
//! where its values are kept. What is needed before publishing need not be found by trial.

pub mod handlers;
