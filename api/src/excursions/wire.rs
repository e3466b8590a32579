//! Transports, readings and excursions as JSON. Values are °C, % and Hz with at most one decimal; within they
//! are tenths.

use super::{
    ExcursionError,
    rules::{Limits, Quantity, Range, Side},
};
use crate::clock::Micros;
use serde::{Deserialize, Deserializer, Serialize, de};
use std::fmt;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Longest number of a waybill, in characters.
pub const WAYBILL_MAX: usize = 100;
/// Longest name of a logger or place.
pub const NAME_MAX: usize = 100;
/// Longest text of a measure.
pub const MEASURE_MAX: usize = 1000;
/// Readings of one request.
pub const READINGS_MAX: usize = 1000;

/// What a quantity may be, both ends included. One of the two may be left out.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RangeWire {
    /// The least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The greatest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// The limits of a waybill; at least one.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitsWire {
    /// 温度, °C: -100 to 200.
    #[serde(default)]
    pub temperature: RangeWire,
    /// 湿度, %: 0 to 100.
    #[serde(default)]
    pub humidity: RangeWire,
    /// 振动频率, Hz: the greatest, 0 to 100 000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vibration_max: Option<f64>,
}

/// A transport of sensitive goods.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransportIn {
    /// The number of the waybill (物流单号), 1 to 100 characters: what devices give as `doc.no` of the inbound
    /// and outbound events of its goods.
    #[schema(example = "SF1234567890")]
    pub waybill_no: String,
    /// What holds for all of the load.
    pub limits: LimitsWire,
}

/// A transport on record.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TransportOut {
    /// Id.
    pub id: Uuid,
    /// The number of its waybill (物流单号).
    pub waybill_no: String,
    /// What holds for all of the load.
    pub limits: LimitsWire,
    /// When it was first put on record, UTC.
    pub created_at: String,
    /// When its limits were given last, UTC.
    pub changed_at: String,
}

/// What a logger measured at an instant (敏感用品运输参数): at least one of the three.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadingIn {
    /// When (测量时间), RFC 3339, from 2000 until now (5 minutes are let pass).
    #[schema(example = "2026-11-28T06:00:00Z")]
    pub at: String,
    /// 温度, °C.
    #[serde(default)]
    pub temperature: Option<f64>,
    /// 湿度, %.
    #[serde(default)]
    pub humidity: Option<f64>,
    /// 振动频率, Hz.
    #[serde(default)]
    pub vibration: Option<f64>,
    /// Where (地点), 1 to 100 characters.
    #[serde(default)]
    pub place: Option<String>,
}

/// A series of a logger, or a part of it, in any order.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadingsIn {
    /// Which logger, 1 to 100 characters. Each is a series of its own: two of one load stand in two spots.
    #[schema(example = "TL-7")]
    pub logger: String,
    /// 1 to 1 000.
    #[schema(max_items = 1000, min_items = 1)]
    pub readings: Vec<ReadingIn>,
}

/// What became of a series.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FiledOut {
    /// So many are new.
    pub filed: u64,
    /// So many were known, and say the same.
    pub known: u64,
}

/// What was done about an excursion.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeasureIn {
    /// Whose series: the logger, or else `device`.
    #[serde(default)]
    pub logger: Option<String>,
    /// Whose series: the device, or else `logger`.
    #[serde(default)]
    pub device: Option<Uuid>,
    /// What is out of its limit.
    pub quantity: Quantity,
    /// An instant of the excursion, such as its `start`, RFC 3339.
    #[schema(example = "2026-11-28T06:00:00Z")]
    pub at: String,
    /// What was done (处理措施), 1 to 1000 characters.
    pub measure: String,
}

/// A measure on record.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MeasureOut {
    /// Id.
    pub id: Uuid,
    /// The instant of the excursion that it was recorded for, UTC.
    pub at: String,
    /// What was done (处理措施).
    pub measure: String,
    /// When it was recorded, UTC.
    pub recorded_at: String,
}

/// Where somebody was: a place on record, or as a logger named it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A place on record.
    LocationId(Uuid),
    /// As it was named.
    Name(String),
}

/// A run of readings out of one limit (敏感用品运输异常).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ExcursionOut {
    /// Which transport.
    pub transport_id: Uuid,
    /// Its waybill (物流单号).
    pub waybill_no: String,
    /// The logger that measured it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logger: Option<String>,
    /// The device whose events say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Uuid>,
    /// What is out of its limit.
    pub quantity: Quantity,
    /// Out of which limit.
    pub side: Side,
    /// That limit.
    pub limit: f64,
    /// Its first reading (异常时间), UTC.
    pub start: String,
    /// The first reading behind it that is within the limit, UTC; absent while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// From `start` to `end`, of an open one to its last reading, in seconds (时长).
    pub duration_s: f64,
    /// The value furthest out (异常数值).
    pub extreme: f64,
    /// When that was first measured, UTC.
    pub extreme_at: String,
    /// How many readings it has.
    pub readings: u64,
    /// Where (地点), each place once.
    pub places: Vec<Place>,
    /// What was done about it, oldest first (处理措施).
    pub measures: Vec<MeasureOut>,
}

/// A page of excursions.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExcursionPage {
    /// By transport, in the order these were put on record, and by beginning. A page may have fewer than asked
    /// for and go on.
    pub items: Vec<ExcursionOut>,
    /// Give this as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Which transports.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct TransportQuery {
    /// Whose; a regulator has to say.
    pub enterprise_id: Option<Uuid>,
    /// Only of this waybill.
    pub waybill_no: Option<String>,
    /// `next` of the page before.
    pub after: Option<Uuid>,
    /// How many, 1 to 500 (default 100).
    pub limit: Option<u64>,
}

/// Which excursions.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ExcursionQuery {
    /// Whose; a regulator has to say.
    pub enterprise_id: Option<Uuid>,
    /// Only of this waybill.
    pub waybill_no: Option<String>,
    /// Only of this quantity.
    #[param(inline)]
    pub quantity: Option<Quantity>,
    /// Only open ones, or only those that ended.
    pub open: Option<bool>,
    /// Only those with a measure on record, or only those without.
    pub measured: Option<bool>,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    pub after: Option<After>,
    /// How many, 1 to 500 (default 100).
    pub limit: Option<u64>,
}

/// Where a page ended: behind the n-th excursion (from 0) of those of a transport that begin at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct After {
    /// Which transport.
    pub transport: Uuid,
    /// The instant.
    pub start: Micros,
    /// The number.
    pub n: u64,
}

impl After {
    /// Behind all of a transport.
    pub fn all_of(transport: Uuid) -> After {
        After {
            transport,
            start: Micros::MAX,
            n: 0,
        }
    }

    /// Reads what [`Display`](fmt::Display) wrote.
    pub fn parse(text: &str) -> Option<After> {
        let mut parts = text.split('.');
        let after = After {
            transport: parts.next()?.parse().ok()?,
            start: parts.next()?.parse().ok()?,
            n: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(after)
    }
}

impl fmt::Display for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.transport, self.start, self.n)
    }
}

impl<'de> Deserialize<'de> for After {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<After, D::Error> {
        let text = String::deserialize(deserializer)?;
        After::parse(&text).ok_or_else(|| de::Error::custom("`next` of a page"))
    }
}

/// In °C, % or Hz.
pub fn shown(tenths: i32) -> f64 {
    f64::from(tenths) / 10.0
}

/// In tenths, if it is a value that is believed and has no more than one decimal.
pub fn tenths(field: &str, quantity: Quantity, value: f64) -> Result<i32, ExcursionError> {
    let (least, most) = quantity.bounds();
    let scaled = value * 10.0;
    if !(f64::from(least)..=f64::from(most)).contains(&scaled) {
        return Err(ExcursionError::field(
            field,
            "out-of-range",
            &format!("from {} to {}", shown(least), shown(most)),
            &format!("须在 {} 到 {} 之间", shown(least), shown(most)),
        ));
    }
    if (scaled - scaled.round()).abs() > 1e-6 {
        let (en, zh) = ("at most one decimal", "最多一位小数");
        return Err(ExcursionError::field(field, "format", en, zh));
    }
    Ok(scaled.round() as i32)
}

/// An instant by RFC 3339 as one that can have been.
pub fn instant(field: &str, text: &str) -> Result<Micros, ExcursionError> {
    /// Earlier ones are those of a clock that was never set.
    const FROM: Micros = 946_684_800_000_000;
    let at: Result<jiff::Timestamp, _> = text.parse();
    let at = at.map_err(|_| {
        ExcursionError::field(
            field,
            "malformed",
            "an instant by RFC 3339, such as 2026-11-28T06:00:00Z",
            "须为 RFC 3339 时间，例如 2026-11-28T06:00:00Z",
        )
    })?;
    let at = at.as_microsecond();
    if at < FROM {
        return Err(ExcursionError::field(
            field,
            "out-of-range",
            "not before 2000-01-01T00:00:00Z",
            "不得早于 2000-01-01T00:00:00Z",
        ));
    }
    Ok(at)
}

/// The same the other way round, with all its digits.
pub fn written(at: Micros) -> String {
    let at = jiff::Timestamp::from_microsecond(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.to_string()
}

impl LimitsWire {
    /// As they are held against readings.
    pub fn checked(&self) -> Result<Limits, ExcursionError> {
        let one = |field: &str, quantity, value: Option<f64>| {
            let value = value.map(|value| tenths(field, quantity, value));
            value.transpose()
        };
        let range = |name: &str, quantity, range: RangeWire| {
            let limits = Range {
                min: one(&format!("/limits/{name}/min"), quantity, range.min)?,
                max: one(&format!("/limits/{name}/max"), quantity, range.max)?,
            };
            if limits
                .min
                .zip(limits.max)
                .is_some_and(|(min, max)| min > max)
            {
                return Err(ExcursionError::field(
                    &format!("/limits/{name}/max"),
                    "out-of-range",
                    "not less than min",
                    "不得小于 min",
                ));
            }
            Ok(limits)
        };
        let limits = Limits {
            temperature: range("temperature", Quantity::Temperature, self.temperature)?,
            humidity: range("humidity", Quantity::Humidity, self.humidity)?,
            vibration_max: one(
                "/limits/vibration_max",
                Quantity::Vibration,
                self.vibration_max,
            )?,
        };
        if !limits.any() {
            let (en, zh) = ("at least one limit", "至少一项限值");
            return Err(ExcursionError::field("/limits", "required", en, zh));
        }
        Ok(limits)
    }

    /// As they are told.
    pub fn of(limits: &Limits) -> LimitsWire {
        let range = |range: Range| RangeWire {
            min: range.min.map(shown),
            max: range.max.map(shown),
        };
        LimitsWire {
            temperature: range(limits.temperature),
            humidity: range(limits.humidity),
            vibration_max: limits.vibration_max.map(shown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_list_reads_back_and_nothing_else_does() {
        let after = After {
            transport: Uuid::from_u128(7),
            start: -3,
            n: 2,
        };
        assert_eq!(After::parse(&after.to_string()), Some(after));
        let all = After::all_of(Uuid::from_u128(7));
        assert_eq!(After::parse(&all.to_string()), Some(all));
        assert!(after < all);
        for wrong in [
            "",
            "x",
            "1.5",
            "0198c0de",
            "00000000-0000-0000-0000-000000000007.1.2.3",
        ] {
            assert_eq!(After::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn values_have_one_decimal_and_can_be() {
        let told = |quantity, value| tenths("x", quantity, value).ok();
        for (value, is) in [(25.3, Some(253)), (-0.1, Some(-1)), (200.0, Some(2000))] {
            assert_eq!(told(Quantity::Temperature, value), is);
        }
        for wrong in [25.35, 200.1, -100.1, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(told(Quantity::Temperature, wrong), None, "{wrong}");
        }
        assert_eq!(told(Quantity::Humidity, -0.1), None);
    }
}
