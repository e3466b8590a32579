//! A short way to write tables down, so that a migration reads like the schema it makes.
//! Knows column types common to both databases and nothing about any particular table.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// A table in the making.
pub(crate) struct Columns {
    table: TableCreateStatement,
    key: Vec<&'static str>,
}

/// Starts the table `name`.
pub(crate) fn table(name: &'static str) -> Columns {
    let mut table = Table::create();
    table.table(Alias::new(name)).if_not_exists();
    Columns {
        table,
        key: Vec::new(),
    }
}

impl Columns {
    fn column(mut self, name: &'static str, shape: impl FnOnce(&mut ColumnDef)) -> Self {
        let mut column = ColumnDef::new(Alias::new(name));
        shape(&mut column);
        self.table.col(&mut column);
        self
    }

    pub(crate) fn text(self, name: &'static str) -> Self {
        self.column(name, |c| {
            c.text().not_null();
        })
    }

    pub(crate) fn text_null(self, name: &'static str) -> Self {
        self.column(name, |c| {
            c.text().null();
        })
    }

    pub(crate) fn uuid(self, name: &'static str) -> Self {
        self.column(name, |c| {
            c.uuid().not_null();
        })
    }

    pub(crate) fn uuid_null(self, name: &'static str) -> Self {
        self.column(name, |c| {
            c.uuid().null();
        })
    }

    pub(crate) fn int(self, name: &'static str) -> Self {
        self.column(name, |c| {
            c.big_integer().not_null();
        })
    }

    pub(crate) fn int_null(self, name: &'static str) -> Self {
        self.column(name, |c| {
            c.big_integer().null();
        })
    }

    pub(crate) fn flag(self, name: &'static str) -> Self {
        self.column(name, |c| {
            c.boolean().not_null();
        })
    }

    pub(crate) fn bytes(self, name: &'static str) -> Self {
        self.column(name, |c| {
            c.blob().not_null();
        })
    }

    /// Names the primary key.
    pub(crate) fn key(mut self, columns: &[&'static str]) -> Self {
        self.key = columns.to_vec();
        self
    }

    /// Writes the table to the database.
    pub(crate) async fn create(mut self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let mut key = Index::create();
        for column in &self.key {
            key.col(Alias::new(*column));
        }
        self.table.primary_key(&mut key);
        manager.create_table(self.table).await
    }
}

/// An index over `columns`; `unique` ones are constraints the service relies on by name.
pub(crate) async fn index(
    manager: &SchemaManager<'_>,
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
    unique: bool,
) -> Result<(), DbErr> {
    let mut index = Index::create();
    index.name(name).table(Alias::new(table)).if_not_exists();
    for column in columns {
        index.col(Alias::new(*column));
    }
    if unique {
        index.unique();
    }
    manager.create_index(index).await
}

/// Runs one statement of plain SQL that both databases understand.
pub(crate) async fn sql(manager: &SchemaManager<'_>, statement: &str) -> Result<(), DbErr> {
    manager
        .get_connection()
        .execute_unprepared(statement)
        .await
        .map(|_| ())
}

/// Makes a table written in plain SQL, where rows are many and their shape on disk counts. Words that
/// the databases spell differently: `ROWID` for the integer key rows are stored under, `UUID`,
/// `BYTES`, and `CLUSTERED` after the closing bracket for a table stored in the order of its key.
pub(crate) async fn hot(manager: &SchemaManager<'_>, create: &str) -> Result<(), DbErr> {
    let words: [(&str, &str); 4] = match manager.get_database_backend() {
        DbBackend::Postgres => [
            ("ROWID", "BIGINT"),
            ("UUID", "uuid"),
            ("BYTES", "bytea"),
            ("CLUSTERED", ""),
        ],
        _ => [
            // Written like this it is the key of SQLite itself, not an index beside it.
            ("ROWID", "INTEGER"),
            ("UUID", "BLOB"),
            ("BYTES", "BLOB"),
            ("CLUSTERED", "WITHOUT ROWID"),
        ],
    };
    // "WITHOUT ROWID" is put in last, so that it stays as it is.
    let written = words.iter().fold(create.to_owned(), |text, (word, spelt)| {
        text.replace(word, spelt)
    });
    sql(manager, &written).await
}
