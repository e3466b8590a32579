//! One rendered answer, shared by every unit of a batch that gets the same verdict: fixed text
//! with slots for what differs per unit. Rendered once per version, language and format; the
//! fixed parts are compressed once as well, so that nothing is compressed per hit.

use super::{
    decide::{Advice, Legality, Reason, Verdict},
    lookup::Subject,
};
use crate::{
    catalogue::{Level, PublicItem, PublicValue},
    clock::{day_of, rfc3339},
    pages::{FileLink, InfoRow, InfoValue, Lang, RecallNotice, ScanPage, slot},
    projection::{Recall, View as PublicView},
};
use flate2::{Compress, Compression, FlushCompress};
use serde::Serialize;
use std::hash::{DefaultHasher, Hasher};

/// In what form an answer goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `application/json`
    Json,
    /// `text/html`
    Page,
}

/// What differs per unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The code as text.
    Code,
    /// JSON: the object `code`; page: its own address.
    Own,
    /// How often it was queried.
    Queries,
    /// When this was confirmed.
    AsOf,
    /// Page: the member of its data with the GTIN.
    Gtin,
}

/// A piece of a view.
#[derive(Debug, Clone)]
pub enum Part {
    /// The same for every unit.
    Fixed(Fixed),
    /// To be filled.
    Slot(Slot),
}

/// Fixed text, plain and compressed.
#[derive(Debug, Clone)]
pub struct Fixed {
    /// As it is.
    pub plain: Box<[u8]>,
    /// As raw deflate blocks that end on a byte and refer to nothing outside.
    pub deflated: Box<[u8]>,
    /// Checksum of `plain`.
    pub crc: crc32fast::Hasher,
}

/// What an answer is about: its name, and the rows of the public table that answer a link type.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// The name consumers know; empty until published.
    pub name: String,
    /// Rows.
    pub items: Vec<AboutItem>,
}

/// A row that answers a link type.
#[derive(Debug, Clone)]
pub struct AboutItem {
    /// The link type.
    pub link_type: String,
    /// Printed number.
    pub no: u16,
    /// Title in both languages.
    pub title: String,
    /// `class`, `batch` or `item`.
    pub level: Level,
}

impl About {
    /// What nothing is about.
    pub const NOTHING: About = About {
        name: String::new(),
        items: Vec::new(),
    };

    fn of(public: Option<&PublicView>) -> About {
        let Some(public) = public else {
            return About::NOTHING;
        };
        let item = |item: &PublicItem| {
            Some(AboutItem {
                link_type: item.link_type.clone()?,
                no: item.no,
                title: format!("{} {}", item.title_zh, item.title_en),
                level: item.level,
            })
        };
        About {
            name: public.name.clone(),
            items: public.items.iter().filter_map(item).collect(),
        }
    }

    fn weight(&self) -> usize {
        let texts = |item: &AboutItem| item.link_type.len() + item.title.len();
        let items: usize = self.items.iter().map(texts).sum();
        self.name.len() + items + self.items.len() * size_of::<AboutItem>()
    }
}

/// A rendered answer with slots.
#[derive(Debug, Clone)]
pub struct View {
    /// Pieces in order.
    pub parts: Vec<Part>,
    /// Differs whenever the fixed text does.
    pub tag: u64,
    /// Bytes this view takes in memory.
    pub weight: usize,
    /// What it is about, for those who ask for links; pages go without.
    pub about: About,
}

impl View {
    /// Splits rendered text at its slots and compresses what lies between.
    pub fn from_text(text: &str) -> View {
        let mut parts = Vec::new();
        let mut hasher = DefaultHasher::new();
        hasher.write(text.as_bytes());
        let mut rest = text;
        let mut weight = size_of::<View>();
        loop {
            let next = rest
                .char_indices()
                .find_map(|(at, c)| Some((at, c, slot_of(c)?)));
            let (fixed, slot) = match next {
                Some((at, c, slot)) => {
                    let (fixed, after) = rest.split_at(at);
                    rest = &after[c.len_utf8()..];
                    (fixed, Some(slot))
                }
                None => (rest, None),
            };
            if !fixed.is_empty() {
                let fixed = Fixed::new(fixed.as_bytes());
                weight += fixed.plain.len() + fixed.deflated.len() + size_of::<Part>();
                parts.push(Part::Fixed(fixed));
            }
            match slot {
                Some(slot) => parts.push(Part::Slot(slot)),
                None => break,
            }
        }
        View {
            parts,
            tag: hasher.finish(),
            weight,
            about: About::NOTHING,
        }
    }
}

impl Fixed {
    fn new(plain: &[u8]) -> Fixed {
        let mut crc = crc32fast::Hasher::new();
        crc.update(plain);
        Fixed {
            deflated: deflate(plain).into(),
            plain: plain.into(),
            crc,
        }
    }
}

/// Raw deflate, flushed to a byte, with no final block.
fn deflate(plain: &[u8]) -> Vec<u8> {
    let mut compress = Compress::new(Compression::best(), false);
    let mut out = Vec::with_capacity(plain.len() / 2 + 64);
    loop {
        let taken = usize::try_from(compress.total_in()).unwrap_or(plain.len());
        let before = compress.total_out();
        let rest = plain.get(taken..).unwrap_or_default();
        out.reserve(1024);
        let status = compress.compress_vec(rest, &mut out, FlushCompress::Full);
        let taken = usize::try_from(compress.total_in()).unwrap_or(plain.len());
        let room_left = out.len() < out.capacity();
        if status.is_err()
            || (taken >= plain.len() && (room_left || compress.total_out() == before))
        {
            return out;
        }
    }
}

fn slot_of(c: char) -> Option<Slot> {
    match c {
        slot::CODE => Some(Slot::Code),
        slot::PATH => Some(Slot::Own),
        slot::QUERIES => Some(Slot::Queries),
        slot::AS_OF => Some(Slot::AsOf),
        slot::GTIN => Some(Slot::Gtin),
        _ => None,
    }
}

/// Text of an enterprise, without characters that would pass for slots.
pub fn without_slots(text: &str) -> String {
    text.chars().filter(|c| slot_of(*c).is_none()).collect()
}

/// Everything a view is rendered from.
pub struct Content<'a> {
    /// The verdict it tells.
    pub verdict: Verdict,
    /// What there is to show.
    pub subject: &'a Subject,
    /// What the enterprise published, if it did; free of slots.
    pub public: Option<&'a PublicView>,
    /// The recall to be told.
    pub recall: Option<&'a Recall>,
}

#[derive(Serialize)]
struct Json<'a> {
    code: char,
    legality: Option<Legality>,
    advice: Advice,
    reasons: Vec<Reason>,
    public_info: Vec<ItemOut<'a>>,
    recall: Option<RecallOut>,
    queries: char,
    as_of: char,
}

#[derive(Serialize)]
struct ItemOut<'a> {
    no: u16,
    name: &'a str,
    title_zh: &'a str,
    title_en: &'a str,
    level: &'a Level,
    value: ValueOut<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ValueOut<'a> {
    Value(&'a PublicValue),
    Code(char),
}

#[derive(Serialize)]
struct RecallOut {
    id: uuid::Uuid,
    reason: String,
    instructions: String,
    opened_at: String,
}

/// Renders.
pub fn render(content: &Content<'_>, format: Format, lang: Lang) -> View {
    match format {
        Format::Json => {
            let mut view = View::from_text(&json(content));
            view.about = About::of(content.public);
            view.weight += view.about.weight();
            view
        }
        Format::Page => View::from_text(&page(content, lang)),
    }
}

fn json(content: &Content<'_>) -> String {
    let items = content.public.map_or(&[][..], |view| &view.items);
    let out = Json {
        code: slot::PATH,
        legality: content.verdict.legality,
        advice: content.verdict.advice,
        reasons: content.verdict.reasons.iter().collect(),
        public_info: items.iter().map(item_out).collect(),
        recall: content.recall.map(|recall| RecallOut {
            id: recall.id,
            reason: without_slots(&recall.reason),
            instructions: without_slots(&recall.instructions),
            opened_at: rfc3339(recall.opened_at),
        }),
        queries: slot::QUERIES,
        as_of: slot::AS_OF,
    };
    // Plain data always serialises; an empty text would show as a broken answer, never a wrong one.
    let text = serde_json::to_string(&out).unwrap_or_default();
    // Objects stand where their slots were quoted.
    text.replacen(&format!("\"{}\"", slot::PATH), &slot::PATH.to_string(), 1)
        .replacen(
            &format!("\"{}\"", slot::QUERIES),
            &slot::QUERIES.to_string(),
            1,
        )
}

fn item_out(item: &PublicItem) -> ItemOut<'_> {
    ItemOut {
        no: item.no,
        name: &item.name,
        title_zh: &item.title_zh,
        title_en: &item.title_en,
        level: &item.level,
        value: match &item.value {
            PublicValue::TraceCode => ValueOut::Code(slot::CODE),
            other => ValueOut::Value(other),
        },
    }
}

fn page(content: &Content<'_>, lang: Lang) -> String {
    let title = |zh: &'_ str, en: &'_ str| match lang {
        Lang::Zh => zh.to_owned(),
        Lang::En => en.to_owned(),
    };
    let items = content.public.map_or(&[][..], |view| &view.items);
    let files: Vec<Vec<(String, String)>> = items
        .iter()
        .map(|item| match &item.value {
            PublicValue::Files(files) => files
                .iter()
                .map(|f| {
                    (
                        format!("/files/{}", f.hash),
                        title(&f.title_zh, &f.title_en),
                    )
                })
                .collect(),
            PublicValue::Entries(entries) => entries
                .iter()
                .filter_map(|entry| {
                    let hash = entry.file.as_ref()?;
                    Some((
                        format!("/files/{hash}"),
                        title(&entry.title_zh, &entry.title_en),
                    ))
                })
                .collect(),
            PublicValue::Text(_) | PublicValue::TraceCode => Vec::new(),
        })
        .collect();
    let links: Vec<Vec<FileLink<'_>>> = files
        .iter()
        .map(|files| {
            files
                .iter()
                .map(|(href, label)| FileLink { href, label })
                .collect()
        })
        .collect();
    let texts: Vec<String> = items.iter().map(|item| text_of(item, lang)).collect();
    let rows: Vec<InfoRow<'_>> = items
        .iter()
        .zip(links.iter().zip(&texts))
        .map(|(item, (links, text))| InfoRow {
            no: item.no,
            title: match lang {
                Lang::Zh => &item.title_zh,
                Lang::En => &item.title_en,
            },
            value: match &item.value {
                PublicValue::TraceCode => InfoValue::TraceCode,
                PublicValue::Files(_) => InfoValue::Files(links),
                PublicValue::Entries(_) if text.is_empty() => InfoValue::Files(links),
                PublicValue::Text(_) | PublicValue::Entries(_) => InfoValue::Text(text),
            },
        })
        .collect();
    let recall = content.recall;
    let opened_on = recall
        .map(|r| day_of(r.opened_at).to_string())
        .unwrap_or_default();
    let id = recall.map(|r| r.id.to_string()).unwrap_or_default();
    let notice = recall.map(|recall| RecallNotice {
        id: &id,
        reason: &recall.reason,
        instructions: &recall.instructions,
        opened_on: &opened_on,
    });
    let brand = items
        .iter()
        .find_map(|item| match (item.name.as_str(), &item.value) {
            ("enterprise_name", PublicValue::Text(name)) => Some(name.as_str()),
            _ => None,
        });
    let (lot, expiry) = match content.subject {
        Subject::Batch(batch) => {
            let expiry = Some(batch.expiry_date.as_str()).filter(|date| !date.is_empty());
            (Some(batch.lot.as_str()), expiry)
        }
        Subject::Product(..) | Subject::Nothing => (None, None),
    };
    ScanPage {
        lang,
        verdict: content.verdict,
        product_name: content.public.map(|view| view.name.as_str()),
        brand,
        items: &rows,
        recall: notice.as_ref(),
        newer_version: content.public.is_some_and(|view| view.newer),
        lot,
        expiry,
    }
    .render()
}

fn text_of(item: &PublicItem, lang: Lang) -> String {
    match &item.value {
        PublicValue::Text(text) => text.clone(),
        PublicValue::Entries(entries) => entries
            .iter()
            .filter_map(|entry| {
                let title = match lang {
                    Lang::Zh => &entry.title_zh,
                    Lang::En => &entry.title_en,
                };
                let between = match lang {
                    Lang::Zh => "：",
                    Lang::En => ": ",
                };
                Some(format!("{title}{between}{}", entry.text.as_ref()?))
            })
            .collect::<Vec<_>>()
            .join("\n"),
        PublicValue::Files(_) | PublicValue::TraceCode => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn text_splits_at_slots_and_nothing_is_lost() {
        let text = format!("a{}b{}{}c", slot::CODE, slot::AS_OF, slot::QUERIES);
        let view = View::from_text(&text);
        let spelled: Vec<String> = view
            .parts
            .iter()
            .map(|part| match part {
                Part::Fixed(fixed) => String::from_utf8(fixed.plain.to_vec()).unwrap(),
                Part::Slot(slot) => format!("{slot:?}"),
            })
            .collect();
        assert_eq!(spelled, ["a", "Code", "b", "AsOf", "Queries", "c"]);
    }

    #[test]
    fn compressed_parts_stand_alone() {
        for length in [1usize, 100, 70_000] {
            let plain: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            let mut raw = deflate(&plain);
            raw.extend_from_slice(&[1, 0, 0, 0xff, 0xff]); // an empty last block
            let mut back = Vec::new();
            flate2::read::DeflateDecoder::new(&raw[..])
                .read_to_end(&mut back)
                .unwrap();
            assert_eq!(back, plain, "{length}");
        }
    }

    #[test]
    fn an_enterprise_cannot_smuggle_a_slot_in() {
        assert_eq!(without_slots("a\u{E000}b\u{E003}\u{E004}"), "ab");
    }
}
