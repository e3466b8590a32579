//! Balances of unserialised goods.
