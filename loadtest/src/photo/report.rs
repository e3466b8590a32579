//! Counts and times of a photo run, as a table and as one JSON object.

use super::{
    decoders::Read,
    labels::{Label, Trouble},
};
use crate::LoadError;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// One decoder's figures.
pub struct Row {
    name: &'static str,
    figures: Result<Figures, LoadError>,
}

struct Figures {
    /// By kind of trouble, in the order of [`Trouble::ALL`].
    decoded: [usize; 10],
    /// Texts that were not the label's.
    wrong: usize,
    /// Processor time a picture.
    mean_us: f64,
}

impl Row {
    /// What a decoder read, compared with what the labels say.
    pub fn new(name: &'static str, set: &[Label], read: Result<Read, LoadError>) -> Row {
        let figures = read.map(|read| {
            let mut decoded = [0; 10];
            let mut wrong = 0;
            for (label, texts) in set.iter().zip(&read.texts) {
                decoded[label.trouble as usize] += usize::from(texts.contains(&label.text));
                wrong += texts.iter().filter(|text| **text != label.text).count();
            }
            Figures {
                decoded,
                wrong,
                mean_us: read.cpu.as_secs_f64() * 1e6 / set.len() as f64,
            }
        });
        Row { name, figures }
    }
}

impl Figures {
    fn total(&self) -> usize {
        self.decoded.iter().sum()
    }
}

/// A whole run.
pub struct Report {
    seed: u64,
    labels: usize,
    rows: Vec<Row>,
}

impl Report {
    /// Of these rows.
    pub fn new(seed: u64, labels: usize, rows: Vec<Row>) -> Report {
        Report { seed, labels, rows }
    }

    fn figures(&self, name: &str) -> Option<&Figures> {
        let row = self.rows.iter().find(|row| row.name == name)?;
        row.figures.as_ref().ok()
    }

    /// Our time to that of rqrr as it comes.
    fn time_ratio(&self) -> Option<f64> {
        Some(self.figures("suyuan")?.mean_us / self.figures("rqrr")?.mean_us)
    }

    /// An error where our own figures could not be taken.
    pub fn ours_was_taken(&self) -> Result<(), LoadError> {
        let why = "our own decoder could not be measured".to_owned();
        self.figures("suyuan")
            .map(|_| ())
            .ok_or(LoadError::Unusable(why))
    }

    /// For people.
    pub fn to_table(&self) -> String {
        let mut out = format!("{} labels, seed {}\n\n{:<10}", self.labels, self.seed, "");
        // Writing to a String cannot fail.
        for trouble in Trouble::ALL {
            let _ = write!(out, "{:>8}", trouble.name());
        }
        let _ = writeln!(out, "{:>8}{:>8}{:>12}", "all", "wrong", "µs/picture");
        for row in &self.rows {
            let _ = write!(out, "{:<10}", row.name);
            match &row.figures {
                Ok(figures) => {
                    for decoded in figures.decoded {
                        let _ = write!(out, "{decoded:>8}");
                    }
                    let (total, wrong, mean) = (figures.total(), figures.wrong, figures.mean_us);
                    let _ = writeln!(out, "{total:>8}{wrong:>8}{mean:>12.0}");
                }
                Err(why) => {
                    let _ = writeln!(out, "  not taken: {why}");
                }
            }
        }
        let told = |held: Option<bool>| match held {
            Some(true) => "held",
            Some(false) => "MISSED",
            None => "not taken",
        };
        let _ = write!(
            out,
            "\ndecodes at least what zxing-cpp does: {}\n\
             mean time to that of rqrr as it comes: {}, budget below 1: {}",
            told(self.decodes_enough()),
            self.time_ratio()
                .map_or("–".into(), |ratio| format!("{ratio:.2}")),
            told(self.time_ratio().map(|ratio| ratio < 1.0)),
        );
        out
    }

    fn decodes_enough(&self) -> Option<bool> {
        Some(self.figures("suyuan")?.total() >= self.figures("zxing-cpp")?.total())
    }

    /// For machines: a figure that could not be taken is null, with the reason in the detail.
    pub fn to_json(&self) -> Value {
        let total = |name: &str| self.figures(name).map(Figures::total);
        let rows: Map<String, Value> = self.rows.iter().map(Row::to_json).collect();
        json!({
            "photo_decoded": total("suyuan"),
            "photo_zxing_decoded": total("zxing-cpp"),
            "photo_time_ratio": self.time_ratio(),
            "detail": {"seed": self.seed, "labels": self.labels, "decoders": rows},
        })
    }
}

impl Row {
    fn to_json(&self) -> (String, Value) {
        let value = match &self.figures {
            Err(why) => json!({"reason": why.to_string()}),
            Ok(figures) => {
                let kinds = Trouble::ALL.iter().map(|trouble| trouble.name().to_owned());
                let decoded = figures.decoded.iter().map(|n| json!(n));
                let by_kind: Map<String, Value> = kinds.zip(decoded).collect();
                json!({"decoded": figures.total(), "by_kind": by_kind, "wrong": figures.wrong,
                    "mean_us": figures.mean_us})
            }
        };
        (self.name.to_owned(), value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::photo::labels::label;
    use std::time::Duration;

    #[test]
    fn what_was_not_taken_is_null_and_says_why() {
        let set = [label(Trouble::Clean, 1, 0)];
        let read = |text: &str| Read {
            texts: vec![vec![text.to_owned()]],
            cpu: Duration::from_micros(10),
        };
        let rows = vec![
            Row::new("suyuan", &set, Ok(read(&set[0].text))),
            Row::new("rqrr", &set, Ok(read("another"))),
            Row::new("zxing-cpp", &set, Err(LoadError::Unusable("absent".into()))),
        ];
        let report = Report::new(1, 1, rows);
        let json = report.to_json();
        assert_eq!(json["photo_decoded"], 1);
        assert_eq!(json["photo_zxing_decoded"], Value::Null);
        assert_eq!(json["photo_time_ratio"], 1.0);
        assert_eq!(json["detail"]["decoders"]["rqrr"]["wrong"], 1);
        assert_eq!(json["detail"]["decoders"]["zxing-cpp"]["reason"], "absent");
        assert!(report.to_table().contains("not taken"));
        assert!(report.ours_was_taken().is_ok());
    }
}
