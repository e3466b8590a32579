//! The version every call carries: a number of its own in each message, so that a program that
//! does not know it says so instead of guessing.

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Unexpected},
};

/// Version `N` of a message, as the field `v`. No other number is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct V<const N: u64>;

impl<const N: u64> Serialize for V<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(N)
    }
}

impl<'de, const N: u64> Deserialize<'de> for V<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<V<N>, D::Error> {
        match u64::deserialize(deserializer)? {
            v if v == N => Ok(V),
            v => Err(D::Error::invalid_value(
                Unexpected::Unsigned(v),
                &format!("version {N}").as_str(),
            )),
        }
    }
}
