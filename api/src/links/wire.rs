//! Links as JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A link to be registered.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkIn {
    /// What it is about: the path of a GS1 Digital Link without data attributes, such as
    /// `/01/09521234000013/10/L1`. A GTIN takes 22, 10, 22 and 10, 21, or 235 behind it; an ITIP
    /// (8006) the same without 235; the other keys their own qualifiers. The GTIN must be one of
    /// your products, every other key must begin with one of your company prefixes.
    #[schema(example = "/01/09521234000013")]
    pub anchor: String,
    /// `gs1:` and a link type of the GS1 Web Vocabulary, or the `http(s)` address of a type of
    /// your own made of letters, digits, `.` and `/`. Types that only this resolver may answer
    /// are refused: `gs1:recallStatus`, `gs1:verificationService`, `gs1:defaultLinkMulti`, and
    /// `gs1:defaultLink` for goods and logistic units, whose default link is their page.
    #[schema(example = "gs1:pip")]
    pub link_type: String,
    /// Where it leads: an `http(s)` address of at most 2000 visible ASCII characters without
    /// fragment and without a user name.
    #[schema(example = "https://brand.example/products/1")]
    pub href: String,
    /// What is there, in one line of 1 to 200 characters.
    pub title: String,
    /// Media type of the target, such as `text/html`; at most 100 characters.
    #[serde(default)]
    pub media_type: Option<String>,
    /// Languages of the target, at most 20, each `ll` or `ll-CC` as the published schema has it.
    #[serde(default)]
    pub hreflang: Vec<String>,
    /// Contexts it is meant for, at most 10, each 1 to 50 letters, digits and `-._~`.
    #[serde(default)]
    pub context: Vec<String>,
}

/// A registered link.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LinkOut {
    /// Id.
    pub id: Uuid,
    /// What it is about, canonical.
    pub anchor: String,
    /// Link type; those of GS1 as `gs1:…`.
    pub link_type: String,
    /// Where it leads.
    pub href: String,
    /// What is there.
    pub title: String,
    /// Media type of the target.
    pub media_type: Option<String>,
    /// Languages of the target.
    pub hreflang: Vec<String>,
    /// Contexts it is meant for.
    pub context: Vec<String>,
    /// When it was registered, UTC.
    pub created_at: String,
}
