//! What a device is told about the world: the items of a pull and of a snapshot, and of a look-up.

use super::{FindingNote, Signature};
use crate::{
    chain::Hash,
    event::Disposition,
    fold::{Phase, Place},
    ids::{
        BatchId, DeviceId, EnterpriseId, Epoch, EventId, Gseq, LocationId, Micros, ProductId,
        RecallId, Seq,
    },
    unit::{Level, UnitKey},
};
use serde::{Deserialize, Serialize};

/// One thing a device is told. A later item of the same thing replaces an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Item {
    /// A product it may meet.
    Product(ProductCard),
    /// An enterprise it may send to or receive from.
    Partner(PartnerCard),
    /// A unit expected or received here.
    Unit(UnitCard),
    /// The recall list as of now.
    RecallList(RecallList),
    /// What was found about an event of its own.
    Verdict(Verdict),
    /// A card it holds is to be dropped.
    Removed(Removed),
}

/// A product (品类).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductCard {
    /// Its id.
    pub product: ProductId,
    /// GTIN-14, or the product code of our own scheme.
    pub gtin: String,
    /// Whose.
    pub issuer: EnterpriseId,
    /// Its name.
    pub name: String,
    /// How it is packed (规格).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specification: Option<String>,
    /// The profile of the standard it falls under, which tells what an event must say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// An enterprise and its places (往来单位).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerCard {
    /// Its id.
    pub enterprise: EnterpriseId,
    /// Its name.
    pub name: String,
    /// Its places.
    #[serde(default)]
    pub places: Vec<PlaceCard>,
}

/// A place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceCard {
    /// Its id.
    pub location: LocationId,
    /// Its name.
    pub name: String,
    /// Its GLN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gln: Option<String>,
}

/// A unit (单品), as far as a device needs it to decide offline (sync.md section 7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitCard {
    /// Its key.
    pub unit: UnitKey,
    /// Its level, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// Its product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<ProductId>,
    /// Its batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchId>,
    /// The lot of that batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<String>,
    /// The first instant at which it is expired: 00:00 Asia/Shanghai after the printed day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Micros>,
    /// What it is.
    pub phase: Phase,
    /// Where it is.
    pub place: Place,
    /// The container it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inside: Option<UnitKey>,
    /// Kept back or to be destroyed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disposition: Option<Disposition>,
    /// Its code is void.
    #[serde(default)]
    pub void: bool,
    /// Recalls that cover it now.
    #[serde(default)]
    pub recalls: Vec<RecallId>,
    /// Of a container: the batches of what is in it, its own apart, at most
    /// [`BATCHES_TOLD_MAX`](crate::limits::BATCHES_TOLD_MAX).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<HeldBatch>,
    /// It holds more batches than are told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub holds_more: bool,
}

/// A batch of which something is in a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldBatch {
    /// Which.
    pub batch: BatchId,
    /// The first instant at which it is expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Micros>,
}

/// The recall list: batches by name, and the units no till can tell by itself as an exact list of
/// hashes, delta-coded, in chunks that are fetched by their hash like those of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecallList {
    /// The log position it was made at: what an event names as `list_version`.
    pub version: Gseq,
    /// When.
    pub made_at: Micros,
    /// Recalled batches.
    pub batches: Vec<RecalledBatch>,
    /// How many hashes there are.
    pub count: u64,
    /// The coded list, in order.
    pub chunks: Vec<Chunk>,
    /// The number of the trust key that signed it.
    pub key: u32,
    /// The signature over [`RecallList::bytes_to_sign`].
    pub sig: Signature,
}

/// A batch that is recalled.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecalledBatch {
    /// By which recall.
    pub recall: RecallId,
    /// Which batch.
    pub batch: BatchId,
    /// What codes of its product carry: GTIN-14, or `ENTERPRISE.CODE`; to its own enterprise also its code alone.
    pub gtin: String,
    /// Its lot.
    pub lot: String,
}

/// A piece of something larger: immutable, named by its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// SHA-256 of its bytes.
    pub hash: Hash,
    /// How many bytes.
    pub bytes: u32,
}

impl RecallList {
    /// The bytes that are signed. GTIN and lot are free texts, so each batch stands in them by
    /// the SHA-256 of `recall`, `batch`, `gtin`, `lot` with a line feed between each.
    pub fn bytes_to_sign(&self) -> Vec<u8> {
        use std::fmt::Write;
        let mut text = format!(
            "suyuan-recall-list-1\n{}\n{}\n{}\n{}\n{}\n{}",
            self.version,
            self.made_at,
            self.key,
            self.batches.len(),
            self.count,
            self.chunks.len(),
        );
        // Writing to a string cannot fail.
        for batch in &self.batches {
            let _ = write!(text, "\n{}", batch.hash());
        }
        for chunk in &self.chunks {
            let _ = write!(text, "\n{} {}", chunk.hash, chunk.bytes);
        }
        text.into_bytes()
    }
}

impl RecallList {
    /// What it says, whenever it was made: two lists that stop the same goods have the same. A
    /// device names it with each pull, so that a list it holds already is not told again.
    pub fn content(&self) -> Hash {
        RecallList::content_of(&self.batches, self.count, &self.chunks)
    }

    /// The same of a list that is not put together yet.
    pub fn content_of(batches: &[RecalledBatch], count: u64, chunks: &[Chunk]) -> Hash {
        use std::fmt::Write;
        let mut text = format!("suyuan-recall-list-content-1\n{count}");
        // Writing to a string cannot fail.
        for batch in batches {
            let _ = write!(text, "\nb {}", batch.hash());
        }
        for chunk in chunks {
            let _ = write!(text, "\nc {}", chunk.hash);
        }
        Hash::of(text.as_bytes())
    }
}

/// That a list is still the list: a device that holds one of this content holds it as of this
/// version and instant from now on. So a list does not look old because nothing happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListCurrent {
    /// The log position it was looked at.
    pub version: Gseq,
    /// When.
    pub made_at: Micros,
    /// [`RecallList::content`] of the list.
    pub content: Hash,
    /// The number of the trust key that signed this.
    pub key: u32,
    /// The signature over [`ListCurrent::bytes_to_sign`].
    pub sig: Signature,
}

impl ListCurrent {
    /// The bytes that are signed.
    pub fn bytes_to_sign(&self) -> Vec<u8> {
        format!(
            "suyuan-recall-list-current-1\n{}\n{}\n{}\n{}",
            self.version, self.made_at, self.key, self.content,
        )
        .into_bytes()
    }
}

impl RecalledBatch {
    /// The hash it has in the signature. A GTIN holds no line feed, and the lot comes last.
    pub fn hash(&self) -> Hash {
        let gtin = self.gtin.replace('\n', " ");
        Hash::of(format!("{}\n{}\n{gtin}\n{}", self.recall, self.batch, self.lot).as_bytes())
    }
}

/// What was found about an event of the device's own, also when it closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The event.
    pub event: EventId,
    /// Which device.
    pub device: DeviceId,
    /// In which life of it.
    pub epoch: Epoch,
    /// Its number.
    pub seq: Seq,
    /// All that was ever found, with what is closed.
    pub findings: Vec<FindingNote>,
}

/// A card that is to be dropped: out of scope, or no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", content = "id", rename_all = "snake_case")]
pub enum Removed {
    /// A product.
    Product(ProductId),
    /// A partner.
    Partner(EnterpriseId),
    /// A unit that left.
    Unit(UnitKey),
}
