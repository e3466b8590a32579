//! Texts, lists and free values that are bounded while they are read, so that no text can make
//! the reader keep more than the limits allow.

use crate::limits::{BODY_ITEMS_MAX, BODY_VALUES_MAX, TEXT_BYTES_MAX};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use std::{borrow::Cow, collections::BTreeMap, fmt, marker::PhantomData};

/// A text of at most [`TEXT_BYTES_MAX`] bytes, borrowed where it has no escapes.
pub(super) struct Short<'a>(pub(super) Cow<'a, str>);

impl Short<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Short<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a text of at most {TEXT_BYTES_MAX} bytes")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                short_enough(text).map(Cow::Borrowed)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                short_enough(text).map(|text| Cow::Owned(text.to_owned()))
            }
        }
        deserializer.deserialize_str(Read).map(Short)
    }
}

impl Serialize for Short<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

fn short_enough<E: Error>(text: &str) -> Result<&str, E> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(E::custom(format_args!(
            "a text has at most {TEXT_BYTES_MAX} bytes, this has {}",
            text.len()
        )));
    }
    Ok(text)
}

/// A list of at most `MAX` entries; the first one too many ends the reading.
pub(super) struct Bounded<T, const MAX: usize>(pub(super) Vec<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for Bounded<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<T, const MAX: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for Read<T, MAX> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MAX}")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = list.next_element()? {
                    if entries.len() == MAX {
                        return Err(A::Error::custom(format_args!("more than {MAX} in a list")));
                    }
                    entries.push(entry);
                }
                Ok(entries)
            }
        }
        deserializer
            .deserialize_seq(Read::<T, MAX>(PhantomData))
            .map(Bounded)
    }
}

impl<T: Serialize, const MAX: usize> Serialize for Bounded<T, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// The further items: at most [`BODY_ITEMS_MAX`] of them with [`BODY_VALUES_MAX`] values in all,
/// no name twice. Their depth was judged before.
pub(super) struct Body(pub(super) BTreeMap<String, Value>);

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = BTreeMap<String, Value>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of further items")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut items = BTreeMap::new();
                let mut left = BODY_VALUES_MAX;
                while let Some(name) = map.next_key::<Short<'de>>()? {
                    let value = map.next_value_seed(Any { left: &mut left })?;
                    if items.len() == BODY_ITEMS_MAX {
                        return Err(A::Error::custom(format_args!(
                            "more than {BODY_ITEMS_MAX} further items"
                        )));
                    }
                    if items.insert(name.0.clone().into_owned(), value).is_some() {
                        return Err(twice(name.as_str()));
                    }
                }
                Ok(items)
            }
        }
        deserializer.deserialize_map(Read).map(Body)
    }
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

fn twice<E: Error>(name: &str) -> E {
    E::custom(format_args!("{name:?} stands twice"))
}

/// Any JSON value, as long as values are left to be read.
struct Any<'c> {
    left: &'c mut usize,
}

impl<'de> DeserializeSeed<'de> for Any<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.left.checked_sub(1) {
            Some(left) => *self.left = left,
            None => {
                return Err(D::Error::custom(format_args!(
                    "more than {BODY_VALUES_MAX} values in the further items"
                )));
            }
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Any<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("not a number"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        short_enough(text).map(|text| Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = list.next_element_seed(Any {
            left: &mut *self.left,
        })? {
            entries.push(entry);
        }
        Ok(Value::Array(entries))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut items = Map::new();
        while let Some(name) = map.next_key::<Short<'de>>()? {
            let value = map.next_value_seed(Any {
                left: &mut *self.left,
            })?;
            if items.insert(name.as_str().to_owned(), value).is_some() {
                return Err(twice(name.as_str()));
            }
        }
        Ok(Value::Object(items))
    }
}
