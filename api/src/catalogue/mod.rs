//! The standards as data: record types 记录类型, fields, and the public table of each standard.
//!
//! Everything that depends on the text of a standard (which fields there are, what is mandatory,
//! where a value is kept, what a consumer is shown and in which order) is read here from the
//! files in `api/standards` and from a folder of the installation. A third standard, or a field
//! an enterprise adds, is a file and no code.
//!
//! This module must not know HTTP, databases, tenants or the clock. Its only contact with the
//! outside is reading the files at start-up; every rule is a total function of its arguments.

mod check;
mod draft;
mod field;
mod gate;
mod home;
mod load;
mod model;
mod public;
mod resolve;
mod shelf_life;
mod value;
mod voluntary;

#[cfg(test)]
mod tests;

pub use check::{FAULTS_MAX, FaultCode, FieldFault};
pub use field::{Field, FieldType, Level, Modality, Origin, Process, RecordType, Visibility};
pub use gate::Gap;
pub use load::{CatalogueError, FILE_BYTES_MAX, FILES_IN_FOLDER_MAX};
pub use model::{
    Catalogue, Category, FieldPath, Home, Profile, PublicField, PublicView, Retention,
    RetentionBasis, Values,
};
pub use public::{PublicEntry, PublicFile, PublicItem, PublicSources, PublicValue, SEPARATOR};
pub use shelf_life::expiry_date;
pub use value::hidden as is_hidden;
pub use value::{
    CODE_CHARS_MAX, ENTRIES_MAX, FILES_MAX, LONG_TEXT_CHARS_MAX, NUMBER_CHARS_MAX, TEXT_CHARS_MAX,
    UNIT_CHARS_MAX,
};
