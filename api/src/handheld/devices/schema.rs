//! What a device is told at enrolment, as the API's document says it. The message itself and its
//! limits are of `sync`, which knows no OpenAPI; their texts and values come from there.

use suyuan_sync::limits::{Advertised, Limits};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Object, ObjectBuilder, RefOr, Type,
        schema::{KnownFormat, Schema, SchemaFormat},
    },
};
use uuid::Uuid;

/// The device is enrolled.
#[derive(Debug, ToSchema)]
pub struct EnrolledOut {
    /// Version of this message: 1.
    pub v: u8,
    /// Its id.
    pub device: Uuid,
    /// Its life; its first event has number 1.
    pub epoch: u32,
    /// Whose it is.
    pub enterprise: Uuid,
    /// Its place.
    pub location: Uuid,
    /// What numbers of documents begin with that this device gives itself (`place-device`; the counter behind
    /// it is the device's).
    pub document_prefix: Option<String>,
    /// What it is for.
    pub profile: String,
    /// What a token of the device names as `aud`.
    pub installation: String,
    /// The keys the installation signs with, in the order of their numbers: `{n, key: {kty, crv, x, y},
    /// since, sig?}`.
    #[schema(value_type = Vec<Object>)]
    pub trust_keys: Vec<serde_json::Value>,
    /// The limits it has to keep.
    pub limits: LimitsOut,
    /// Its first anchor, opaque.
    pub anchor: String,
    /// When this answer was sent, in microseconds since 1970.
    pub t_sent: i64,
}

/// The limits of the protocol ([`Limits`]).
#[derive(Debug)]
pub struct LimitsOut(pub Limits);

impl PartialSchema for LimitsOut {
    fn schema() -> RefOr<Schema> {
        let about = "The limits a device has to keep, as this program has them; the answer tells those \
                     of the installation.";
        let object = ObjectBuilder::new().description(Some(about));
        let told = |object: ObjectBuilder, limit: &Advertised| {
            object.property(limit.name, of(limit)).required(limit.name)
        };
        let object = Limits::ADVERTISED.iter().fold(object, told);
        RefOr::T(Schema::Object(object.build()))
    }
}

impl ToSchema for LimitsOut {}

/// One limit: what it is about, and its value in this program.
fn of(limit: &Advertised) -> Object {
    let about = format!("{} Here: {}.", limit.about, limit.value);
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(0))
        .description(Some(about))
        .examples([limit.value])
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;

    fn names(object: &Value) -> BTreeSet<String> {
        object.as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn the_document_names_what_is_told_at_enrolment_and_each_limit_with_its_value() {
        let golden = include_str!("../../../../sync/tests/golden/wire.json");
        let golden: Value = serde_json::from_str(golden).unwrap();
        let messages = golden["messages"].as_array().unwrap();
        let told = messages.iter().find(|it| it["type"] == "enrol_answer");
        let told = &told.unwrap()["json"];
        let enrolled = serde_json::to_value(EnrolledOut::schema()).unwrap();
        assert_eq!(names(&enrolled["properties"]), names(told));
        let limits = serde_json::to_value(LimitsOut::schema()).unwrap();
        assert_eq!(names(&limits["properties"]), names(&told["limits"]));
        for (name, value) in told["limits"].as_object().unwrap() {
            let about = limits["properties"][name]["description"].as_str().unwrap();
            assert!(about.ends_with(&format!(" Here: {value}.")), "{about}");
        }
    }
}
