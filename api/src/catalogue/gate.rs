//! The gate before publication: which items of the public table 公开信息 are still missing.
//!
//! Must not know how a row looks; it asks `public` whether there would be anything to show, so
//! that the gate and the page can never disagree.

use serde::Serialize;

use super::model::Profile;
use super::public::PublicSources;

/// A required row of the public table without content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// Printed number.
    pub no: u16,
    /// Stable name of the row.
    pub name: String,
    /// Chinese title.
    pub title_zh: String,
    /// English title.
    pub title_en: String,
    /// The paths of which at least one must be given.
    pub missing: Vec<String>,
}

impl Profile {
    /// The required rows that would be empty, in printed order (H3). None: it may be published.
    ///
    /// A printed row may draw on several fields: parts of one text (净含量、规格) or alternatives.
    /// Either way one of them is enough, since empty parts are left out of the text (H26); all are
    /// named as missing when there is none. Optional rows (IF-T8-26, MB-T8-19) are never gaps, nor
    /// is the trace code, which every unit brings itself.
    pub fn publication_gaps(&self, values: &PublicSources<'_>) -> Vec<Gap> {
        self.public_view
            .fields
            .iter()
            .filter(|row| row.required && self.row(row, values, None).is_none())
            .map(|row| Gap {
                no: row.order,
                name: row.name.clone(),
                title_zh: row.title_zh.clone(),
                title_en: row.title_en.clone(),
                missing: row.from.iter().map(ToString::to_string).collect(),
            })
            .collect()
    }
}
