//! A device of a story: what it stated, and what it goes by when it says when things happened.

use crate::support::text_of;
use serde_json::{Value, json};
use std::ops::Range;
use suyuan_tests::Handheld;

/// A device that says when things happened.
pub struct Teller {
    /// The device.
    pub device: Handheld,
    /// The anchor it goes by, and when it had that.
    anchor: String,
    wall: jiff::Timestamp,
    /// What it stated, and how much the device it is a copy of had stated before.
    pub texts: Vec<String>,
    before: usize,
    /// Up to where it pulled.
    cursor: i64,
}

impl Teller {
    /// It has just been enrolled.
    pub fn of(device: Handheld) -> Teller {
        Teller {
            anchor: device.anchor.clone(),
            wall: jiff::Timestamp::now(),
            device,
            texts: Vec::new(),
            before: 0,
            cursor: 0,
        }
    }

    /// A copy of it, as it is.
    pub fn copy(&self, url: &str) -> Teller {
        Teller {
            anchor: self.anchor.clone(),
            wall: self.wall,
            device: self.device.copy(url),
            texts: Vec::new(),
            before: self.texts.len(),
            cursor: self.cursor,
        }
    }

    /// It states something at an instant.
    pub fn states(&mut self, kind: &str, mut said: Value, at: jiff::Timestamp) {
        said["anchor"] = json!(self.anchor);
        said["anchor_wall"] = json!(when(self.wall));
        said["at"] = json!(when(at));
        said["cursor"] = json!(self.cursor);
        if self.cursor > 0 {
            said["list_version"] = json!(self.cursor);
        }
        let text = self.device.event(kind, &said);
        self.texts.push(text);
    }

    /// It pushes some of what it stated, to another process if there is one.
    pub async fn pushes(&mut self, of: Range<usize>, other: Option<&str>) {
        let first = self.before + of.start;
        let prev = self.device.history[first];
        let (seq, texts) = (first as u64 + 1, self.texts[of].to_vec());
        match other {
            Some(other) => self.device.copy(other).push_at(seq, prev, &texts).await,
            None => self.device.push_at(seq, prev, &texts).await,
        };
    }

    /// It hears what time it is.
    pub async fn asks(&mut self) {
        // Whose key is revoked is told nothing.
        let answer = self.device.read("/v1/sync/status").await;
        if answer.status != 200 {
            return;
        }
        self.device.keep(&text_of(&answer.json()["anchor"]));
        self.anchor.clone_from(&self.device.anchor);
        self.wall = jiff::Timestamp::now();
    }

    /// It hears what there is to know.
    pub async fn pulls(&mut self) {
        self.asks().await;
        let first = self.device.read("/v1/sync/pull?cursor=0&limit=1").await;
        let mut more = first.status == 200;
        while more {
            let page = self.device.pull(self.cursor, 500).await;
            (self.cursor, more) = (page.cursor, page.more);
        }
        self.asks().await;
    }
}

fn when(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string()
}
