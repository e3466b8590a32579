//! The hash of a state: equal on every server that folded the same facts, whatever order they came
//! in (I8, I9, I10).

use super::Folded;
use crate::unit::UnitKey;
use sha2::{Digest, Sha256};

/// A hash over a unit's state and open findings.
pub type StateHash = [u8; 32];

/// SHA-256 over the unit's key, its state without `last`, and its open findings, sorted. The
/// timeline takes no part: it shows how things came to be, not what they are.
pub fn state_hash(unit: &UnitKey, folded: &Folded) -> StateHash {
    let mut state = folded.state.clone();
    state.last = None;
    let mut findings = folded.findings.clone();
    findings.sort();
    let mut sha = Sha256::new();
    sha.update(b"suyuan-state-1");
    // Maps and sets are sorted and structs have one order of fields, so this text is canonical.
    // Serialising plain values into memory does not fail.
    let text = serde_json::to_vec(&(unit, &state, &findings)).unwrap_or_default();
    sha.update(text);
    sha.finalize().into()
}
