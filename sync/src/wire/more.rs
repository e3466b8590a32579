//! How many more there are than are told: a number that is not written where there are none.

/// There are no more. For serde's `skip_serializing_if`.
pub fn is_none<N: Default + PartialEq>(more: &N) -> bool {
    *more == N::default()
}
