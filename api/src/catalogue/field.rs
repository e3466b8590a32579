//! One record type 记录类型 and one field of it, in the words the catalogue files use.
//!
//! Must not know profiles, merging, or what makes a value right; a new word here is a new key or
//! value in a catalogue file.

use serde::{Deserialize, Serialize};

/// How widely one value holds 信息层级.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The same for every unit of the product 品类.
    Class,
    /// Per batch or material lot 批次.
    Batch,
    /// Per unit 单品.
    Item,
    /// Either, as the enterprise likes 单品/品类. Printed for one row, never given in an answer.
    #[serde(rename(serialize = "item_or_class", deserialize = "item or class"))]
    ItemOrClass,
}

/// Data type 数据类型 of a field or row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// One line of text 字符.
    Text,
    /// Text of several lines 文本.
    LongText,
    /// A code or number given by somebody: text compared exactly.
    Code,
    /// A day, `YYYY-MM-DD`.
    Date,
    /// An instant, RFC 3339.
    Datetime,
    /// A number with a unit.
    Quantity,
    /// A whole number, or a decimal as text; never a floating-point number.
    Number,
    /// Several texts.
    List,
    /// A file 文件, given by its SHA-256 in lower-case hexadecimal.
    File,
    /// Titled entries of text or file 字符/文本/文件; only a row of a public table is this.
    #[serde(rename(serialize = "text_or_file", deserialize = "text, long_text or file"))]
    TextOrFile,
}

/// Who may see a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Visibility {
    /// Shown to everyone 公开.
    Public,
    /// Uploaded to the platform 共享.
    Shared,
    /// Inside the enterprise only.
    Internal,
    /// Personal data: kept apart, never in a public answer.
    RestrictedPersonal,
}

/// How strongly the standard asks for a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Modality {
    /// 应.
    Shall,
    /// 宜.
    Should,
    /// 可.
    May,
}

/// Which production process a record type is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Process {
    /// Any process.
    Both,
    /// Wet process 湿法.
    Wet,
    /// Dry process 干法.
    Dry,
}

/// What a record type was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A row of a table.
    Table,
    /// A clause of text.
    Clause,
    /// A function the standard asks for.
    Function,
}

/// A kind of record 记录类型: one form to fill in.
#[derive(Debug, Clone, Serialize)]
pub struct RecordType {
    /// Stable id, the first part of a path.
    pub id: String,
    /// Chinese title.
    pub title_zh: String,
    /// English title.
    pub title_en: String,
    /// Clause of the standard.
    pub clause: Option<String>,
    /// What it was read from; `None` for one added by the installation.
    pub origin: Option<Origin>,
    /// Number of the table.
    pub table: Option<String>,
    /// Row of the table.
    pub row: Option<u16>,
    /// Further rows that ask for the same.
    pub also_rows: Vec<String>,
    /// What one record is about: `enterprise`, `product`, `batch`, `shipment` …
    pub subject: String,
    /// Which production process it is for.
    pub process: Process,
    /// How strongly the standard asks for it.
    pub modality: Modality,
    /// When it applies, if not always.
    pub condition: Option<String>,
    /// The table prints no mandatory or optional marks.
    pub unmarked: bool,
    /// The printed list ends in 等 and is not closed.
    pub open_list: bool,
    /// Several records may stand behind one product or batch.
    pub repeats: bool,
    /// The fields in printed order.
    pub fields: Vec<Field>,
}

/// One data item 数据项 of a record type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Stable name, the second part of a path.
    pub name: String,
    /// Chinese title as printed.
    pub title_zh: String,
    /// English title.
    pub title_en: String,
    /// Data type.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// Mandatory 必采 when this record is kept.
    pub required: bool,
    /// How widely one value holds.
    pub level: Level,
    /// Who may see it.
    pub visibility: Visibility,
    /// Table and row or clause it comes from.
    pub source: Option<String>,
    /// Not printed as an item of its own.
    #[serde(default)]
    pub implied: bool,
    /// The printed item this is one part of.
    pub split_of: Option<String>,
    /// One field of the group of this name is enough.
    pub any_of: Option<String>,
    /// Recorded again and again at the monitoring frequency.
    #[serde(default)]
    pub time_series: bool,
    /// When it applies, if not always.
    pub condition: Option<String>,
}
