//! What is not written where there is nothing to say: how many more there are than are told, or a mark.

/// There are no more, or it is not so. For serde's `skip_serializing_if`.
pub fn is_none<N: Default + PartialEq>(said: &N) -> bool {
    *said == N::default()
}
