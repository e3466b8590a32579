//! Excursions (异常): out of the readings of one series and the limits of its waybill. Pure: knows no clock,
//! no store, no log, and not what a series is of.
//!
//! An excursion is a maximal run of readings of one quantity that lie out of one limit, at the same side. It
//! begins with its first reading and ends with the first one behind it that is not out of that limit any more;
//! until there is such a one it is open, and lasts until its last reading so far. A reading that does not say
//! the quantity says nothing about it. A value that equals the limit is within it.

use crate::clock::Micros;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// 温度, °C.
    Temperature,
    /// 湿度, % of relative humidity.
    Humidity,
    /// 振动频率, Hz.
    Vibration,
}

impl Quantity {
    /// Each once.
    pub const ALL: [Quantity; 3] = [
        Quantity::Temperature,
        Quantity::Humidity,
        Quantity::Vibration,
    ];

    /// The name in rows and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Quantity::Temperature => "temperature",
            Quantity::Humidity => "humidity",
            Quantity::Vibration => "vibration",
        }
    }

    /// The quantity of a name.
    pub fn of_name(name: &str) -> Option<Quantity> {
        Quantity::ALL.into_iter().find(|one| one.name() == name)
    }

    /// Least and greatest value that is believed, in tenths.
    pub const fn bounds(self) -> (i32, i32) {
        match self {
            Quantity::Temperature => (-1000, 2000),
            Quantity::Humidity => (0, 1000),
            Quantity::Vibration => (0, 1_000_000),
        }
    }
}

/// Which limit it is out of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// More than the greatest.
    Above,
    /// Less than the least.
    Below,
}

/// What a quantity may be, in tenths, both ends included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The least.
    pub min: Option<i32>,
    /// The greatest.
    pub max: Option<i32>,
}

/// The limits of a waybill, in tenths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// 温度.
    pub temperature: Range,
    /// 湿度.
    pub humidity: Range,
    /// 振动频率: the greatest.
    pub vibration_max: Option<i32>,
}

impl Limits {
    /// Of one quantity.
    pub fn of(&self, quantity: Quantity) -> Range {
        match quantity {
            Quantity::Temperature => self.temperature,
            Quantity::Humidity => self.humidity,
            Quantity::Vibration => Range {
                min: None,
                max: self.vibration_max,
            },
        }
    }

    /// Does anything hold?
    pub fn any(&self) -> bool {
        *self != Limits::default()
    }
}

/// What was measured at an instant, in tenths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading<P> {
    /// When.
    pub at: Micros,
    /// By quantity, in the order of [`Quantity::ALL`].
    pub values: [Option<i32>; 3],
    /// Where, if that is known.
    pub place: Option<P>,
}

/// One run out of a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excursion<P> {
    /// Of what.
    pub quantity: Quantity,
    /// Out of which limit.
    pub side: Side,
    /// That limit.
    pub limit: i32,
    /// Its first reading.
    pub start: Micros,
    /// Its last one.
    pub last: Micros,
    /// The first reading behind it that is within the limit; none while it is open.
    pub end: Option<Micros>,
    /// The value furthest out (异常数值).
    pub extreme: i32,
    /// When that was first measured.
    pub extreme_at: Micros,
    /// How many readings.
    pub readings: u64,
    /// Where, each place once, in order.
    pub places: Vec<P>,
}

impl<P> Excursion<P> {
    /// How long it lasted, or has lasted so far (时长).
    pub fn duration(&self) -> Micros {
        self.end.unwrap_or(self.last).saturating_sub(self.start)
    }

    /// Does this instant lie in it?
    pub fn covers(&self, at: Micros) -> bool {
        self.start <= at && self.end.map_or(at <= self.last, |end| at < end)
    }
}

/// The excursions of a series, whatever order its readings come in; in the order of their beginning.
pub fn excursions<P: Clone + PartialEq>(
    mut readings: Vec<Reading<P>>,
    limits: &Limits,
) -> Vec<Excursion<P>> {
    readings.sort_by_key(|reading| reading.at);
    let mut found = Vec::new();
    for (n, quantity) in Quantity::ALL.into_iter().enumerate() {
        let Range { min, max } = limits.of(quantity);
        for (side, limit) in [(Side::Above, max), (Side::Below, min)] {
            let Some(limit) = limit else { continue };
            let mut open: Option<Excursion<P>> = None;
            for reading in &readings {
                let Some(value) = reading.values[n] else {
                    continue;
                };
                if is_further(side, value, limit) {
                    let run = open.get_or_insert_with(|| Excursion {
                        quantity,
                        side,
                        limit,
                        start: reading.at,
                        last: reading.at,
                        end: None,
                        extreme: value,
                        extreme_at: reading.at,
                        readings: 0,
                        places: Vec::new(),
                    });
                    run.takes(reading, value);
                } else if let Some(mut run) = open.take() {
                    run.end = Some(reading.at);
                    found.push(run);
                }
            }
            found.extend(open);
        }
    }
    found.sort_by_key(|run| (run.start, run.quantity, run.side));
    found
}

impl<P: Clone + PartialEq> Excursion<P> {
    fn takes(&mut self, reading: &Reading<P>, value: i32) {
        self.last = reading.at;
        self.readings += 1;
        if is_further(self.side, value, self.extreme) {
            (self.extreme, self.extreme_at) = (value, reading.at);
        }
        if let Some(place) = &reading.place
            && !self.places.contains(place)
        {
            self.places.push(place.clone());
        }
    }
}

/// Is the one further out at this side than the other?
fn is_further(side: Side, one: i32, other: i32) -> bool {
    match side {
        Side::Above => one > other,
        Side::Below => one < other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: Limits = Limits {
        temperature: Range {
            min: Some(20),
            max: Some(80),
        },
        humidity: Range {
            min: None,
            max: Some(600),
        },
        vibration_max: Some(100),
    };

    fn warm(at: Micros, tenths: i32) -> Reading<&'static str> {
        Reading {
            at,
            values: [Some(tenths), None, None],
            place: Some(if at < 5 { "road" } else { "dock" }),
        }
    }

    #[test]
    fn mb_8_3_3_a3_a_series_crossing_a_limit_is_one_excursion_with_its_start_duration_and_extreme()
    {
        let series = [
            (1, 80),
            (2, 81),
            (3, 95),
            (5, 90),
            (6, 95),
            (8, 80),
            (9, 70),
        ];
        let found = excursions(series.map(|(at, t)| warm(at, t)).to_vec(), &LIMITS);
        let [run] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!((run.start, run.last, run.end), (2, 6, Some(8)));
        assert_eq!((run.duration(), run.readings), (6, 4));
        assert_eq!((run.extreme, run.extreme_at, run.limit), (95, 3, 80));
        assert_eq!(
            (run.side, run.places.as_slice()),
            (Side::Above, &["road", "dock"][..])
        );
        assert!(run.covers(2) && run.covers(7) && !run.covers(1) && !run.covers(8));
    }

    #[test]
    fn what_comes_late_joins_or_splits() {
        let told = |series: &[(Micros, i32)]| -> Vec<(Micros, Option<Micros>)> {
            let readings = series.iter().map(|(at, t)| warm(*at, *t)).collect();
            let found = excursions(readings, &LIMITS);
            found.iter().map(|run| (run.start, run.end)).collect()
        };
        assert_eq!(
            told(&[(1, 90), (3, 70), (5, 90)]),
            [(1, Some(3)), (5, None)]
        );
        assert_eq!(told(&[(1, 90), (5, 90)]), [(1, None)]);
        assert_eq!(
            told(&[(5, 90), (1, 90), (3, 50)]),
            [(1, Some(3)), (5, None)]
        );
        // From too warm to too cold is two.
        assert_eq!(
            told(&[(1, 90), (2, 10), (4, 30)]),
            [(1, Some(2)), (2, Some(4))]
        );
    }

    #[test]
    fn an_open_one_lasts_until_its_last_reading() {
        let found = excursions(vec![warm(1, 90), warm(4, 100)], &LIMITS);
        assert_eq!((found[0].end, found[0].duration()), (None, 3));
        assert!(found[0].covers(4) && !found[0].covers(5));
        assert_eq!(excursions(vec![warm(1, 90)], &Limits::default()), []);
    }

    /// The same said in another way: of all stretches of readings those that are out as a whole and could
    /// not be longer.
    fn naive(readings: &[Reading<u8>], limits: &Limits) -> Vec<Excursion<u8>> {
        let mut found = Vec::new();
        for (n, quantity) in Quantity::ALL.into_iter().enumerate() {
            let mut said: Vec<(Micros, i32, Option<u8>)> = readings
                .iter()
                .filter_map(|r| Some((r.at, r.values[n]?, r.place)))
                .collect();
            said.sort_unstable();
            let range = limits.of(quantity);
            for (side, limit) in [(Side::Above, range.max), (Side::Below, range.min)] {
                let Some(limit) = limit else { continue };
                let out = |at: usize| match side {
                    Side::Above => said[at].1 > limit,
                    Side::Below => said[at].1 < limit,
                };
                for from in 0..said.len() {
                    for to in from..said.len() {
                        let whole = (from..=to).all(out);
                        let longer =
                            (from > 0 && out(from - 1)) || (to + 1 < said.len() && out(to + 1));
                        if !whole || longer {
                            continue;
                        }
                        let run = &said[from..=to];
                        let values = run.iter().map(|(_, value, _)| *value);
                        let extreme = match side {
                            Side::Above => values.max(),
                            Side::Below => values.min(),
                        };
                        let extreme = extreme.expect("a reading");
                        let mut places: Vec<u8> = Vec::new();
                        for place in run.iter().filter_map(|(_, _, place)| *place) {
                            if !places.contains(&place) {
                                places.push(place);
                            }
                        }
                        found.push(Excursion {
                            quantity,
                            side,
                            limit,
                            start: said[from].0,
                            last: said[to].0,
                            end: said.get(to + 1).map(|next| next.0),
                            extreme,
                            extreme_at: run.iter().find(|r| r.1 == extreme).expect("it").0,
                            readings: run.len() as u64,
                            places,
                        });
                    }
                }
            }
        }
        found.sort_by_key(|run| (run.start, run.quantity, run.side));
        found
    }

    fn value() -> impl Strategy<Value = Option<i32>> {
        prop_oneof![Just(None), (0..8_i32).prop_map(|n| Some(n * 20))]
    }

    prop_compose! {
        fn reading()(values in [value(), value(), value()], place in prop::option::of(0..3_u8)) -> Reading<u8> {
            Reading { at: 0, values, place }
        }
    }

    proptest! {
        #[test]
        fn excursions_are_the_maximal_runs_in_whatever_order_readings_come(
            readings in prop::collection::vec(reading(), 0..14),
            gaps in prop::collection::vec(1..5_i64, 14),
            order in prop::collection::vec(any::<u32>(), 14),
            (low, high, damp, shake) in (prop::option::of(0..150), prop::option::of(0..150), prop::option::of(0..150), prop::option::of(0..150)),
        ) {
            let limits = Limits {
                temperature: Range { min: low, max: high.map(|high: i32| high.max(low.unwrap_or(0))) },
                humidity: Range { min: None, max: damp },
                vibration_max: shake,
            };
            let mut at = 0;
            let mut shuffled: Vec<(u32, Reading<u8>)> = readings
                .into_iter()
                .zip(gaps)
                .zip(order)
                .map(|((reading, gap), order)| {
                    at += gap;
                    (order, Reading { at, ..reading })
                })
                .collect();
            shuffled.sort_by_key(|(order, _)| *order);
            let readings: Vec<Reading<u8>> = shuffled.into_iter().map(|(_, reading)| reading).collect();
            prop_assert_eq!(excursions(readings.clone(), &limits), naive(&readings, &limits));
        }
    }
}
