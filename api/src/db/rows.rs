//! Many rows in one statement, for both databases: what costs is the trip and the plan, not the row.
//!
//! Statements come in few sizes, so that each is prepared once, and no number of rows takes many of them. A set of keys to
//! read by is filled up with its last one. (PostgreSQL takes rows as arrays too; measured, it is no
//! faster at these sizes, so that both databases run the same text.) Keys are another matter there: a
//! plan that is kept for a list of placeholders was seen to read whole tables and compare each row
//! with each key, twenty times as long as by index. One array of keys is taken for a short one and goes
//! by index; it stands in a query of its own, or its text would be read anew for each row it is
//! compared with.

use super::{execute, query_all};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Value};

/// Rows of one statement, largest first.
const SIZES: [usize; 5] = [128, 32, 8, 2, 1];
/// Keys of one statement, largest first. SQLite takes 32 766 values, PostgreSQL 65 535.
const KEYS: [usize; 4] = [512, 64, 8, 1];

/// Rows of one statement that goes by them, largest first.
const JOINED: [usize; 4] = [128, 16, 4, 1];

/// Most keys of a query that is built and not written: far from what either database takes.
pub const KEYS_AT_ONCE: usize = KEYS[0];

/// Rows to be written, value by value.
pub struct Rows {
    width: usize,
    values: Vec<Value>,
}

impl Rows {
    /// Rows of `width` columns.
    pub fn of(width: usize) -> Rows {
        Rows {
            width,
            values: Vec::new(),
        }
    }

    /// One more row, of exactly that many values.
    pub fn add<const N: usize>(&mut self, row: [Value; N]) {
        debug_assert_eq!(N, self.width);
        self.values.extend(row);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len() / self.width.max(1)
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Writes them: `head` is the statement up to VALUES, `tail` what follows the rows.
    pub async fn write(
        self,
        conn: &impl ConnectionTrait,
        head: &str,
        tail: &str,
    ) -> Result<u64, DbErr> {
        let (width, mut left, mut written) = (self.width, self.values.into_iter(), 0);
        let row = format!("({})", vec!["?"; width].join(", "));
        for size in SIZES {
            let sql = || {
                let rows = vec![row.as_str(); size].join(", ");
                format!("{head} VALUES {rows} {tail}")
            };
            if left.len() < size * width {
                continue;
            }
            let sql = sql();
            while left.len() >= size * width {
                let rows: Vec<Value> = left.by_ref().take(size * width).collect();
                written += execute(conn, &sql, rows).await?.rows_affected();
            }
        }
        Ok(written)
    }

    /// Reads or changes by these, as [`by_keys`] does by keys: `{rows}` in `sql` becomes `VALUES (…), …`, whose
    /// columns are `column1` and so on; `after` are the values of placeholders behind it. A statement is filled up
    /// with its last row, so that what is read may come twice.
    pub async fn join(
        self,
        conn: &impl ConnectionTrait,
        sql: &str,
        after: &[Value],
    ) -> Result<Vec<QueryResult>, DbErr> {
        let row = format!("({})", vec!["?"; self.width].join(", "));
        let mut found = Vec::new();
        for rows in self.values.chunks(JOINED[0] * self.width.max(1)) {
            let count = rows.len() / self.width.max(1);
            let size = JOINED.into_iter().rev().find(|size| *size >= count);
            let size = size.unwrap_or(JOINED[0]);
            let text = format!("VALUES {}", vec![row.as_str(); size].join(", "));
            let last = rows.rchunks(self.width.max(1)).next().unwrap_or_default();
            let filling = std::iter::repeat_n(last, size - count).flatten();
            let values = rows.iter().chain(filling).chain(after).cloned();
            found.extend(query_all(conn, &sql.replace("{rows}", &text), values).await?);
        }
        Ok(found)
    }
}

/// Reads rows by a set of keys: `{keys}` in `sql` becomes their list. `before` are the values of
/// placeholders that stand before it.
pub async fn by_keys(
    conn: &impl ConnectionTrait,
    sql: &str,
    before: &[Value],
    keys: Vec<Value>,
) -> Result<Vec<QueryResult>, DbErr> {
    by_keys_and(conn, sql, (before, &[]), keys).await
}

/// The same with placeholders before the keys and after them.
pub async fn by_keys_and(
    conn: &impl ConnectionTrait,
    sql: &str,
    (before, after): (&[Value], &[Value]),
    keys: Vec<Value>,
) -> Result<Vec<QueryResult>, DbErr> {
    if conn.get_database_backend() == DbBackend::Postgres
        && let Some((kind, keys)) = array_of(&keys)
    {
        let text = sql.replace(
            "IN ({keys})",
            &format!("= ANY((SELECT ?::text::{kind}[])::{kind}[])"),
        );
        let values = before.iter().cloned().chain([Value::from(keys)]);
        let values = values.chain(after.iter().cloned());
        return query_all(conn, &text, values).await;
    }
    let mut rows = Vec::new();
    let mut left = keys;
    while !left.is_empty() {
        let most = KEYS.into_iter().find(|size| *size <= left.len());
        // One statement that is filled up beats several that fit.
        let size = KEYS
            .into_iter()
            .rev()
            .find(|size| *size >= left.len())
            .or(most)
            .unwrap_or(1);
        let rest = left.split_off(size.min(left.len()));
        if let Some(last) = left.last().cloned() {
            left.resize(size, last);
        }
        let text = sql.replace("{keys}", &vec!["?"; size].join(", "));
        let values = before.iter().cloned().chain(left);
        let values = values.chain(after.iter().cloned());
        rows.extend(query_all(conn, &text, values).await?);
        left = rest;
    }
    Ok(rows)
}

/// Changes rows by a set of keys, as [`by_keys`] reads them.
pub async fn change_by_keys(
    conn: &impl ConnectionTrait,
    sql: &str,
    before: &[Value],
    keys: Vec<Value>,
) -> Result<(), DbErr> {
    by_keys(conn, sql, before, keys).await.map(drop)
}

/// Keys of one kind as PostgreSQL writes an array of them, and that kind; nothing if there are none
/// or they are of a kind that is not read by.
fn array_of(keys: &[Value]) -> Option<(&'static str, String)> {
    let kind = match keys.first()? {
        Value::BigInt(_) => "bigint",
        Value::Uuid(_) => "uuid",
        Value::String(_) => "text",
        _ => return None,
    };
    let mut array = String::with_capacity(keys.len() * 20 + 2);
    array.push('{');
    for (n, key) in keys.iter().enumerate() {
        if n > 0 {
            array.push(',');
        }
        match (kind, key) {
            ("bigint", Value::BigInt(Some(number))) => array.push_str(&number.to_string()),
            ("uuid", Value::Uuid(Some(id))) => array.push_str(&id.to_string()),
            ("text", Value::String(Some(text))) => {
                array.push('"');
                for character in text.chars() {
                    if matches!(character, '"' | '\\') {
                        array.push('\\');
                    }
                    array.push(character);
                }
                array.push('"');
            }
            _ => return None,
        }
    }
    array.push('}');
    Some((kind, array))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::{Database, DatabaseConnection};

    async fn database() -> DatabaseConnection {
        let db = Database::connect("sqlite::memory:").await.unwrap();
        db.execute_unprepared("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
            .await
            .unwrap();
        db
    }

    #[test]
    fn keys_are_an_array_whatever_is_in_them() {
        let texts = ["a", "b,c", r#"d"e\f"#, "", "{}", "NULL"].map(Value::from);
        assert_eq!(
            array_of(&texts),
            Some(("text", r#"{"a","b,c","d\"e\\f","","{}","NULL"}"#.to_owned()))
        );
        let numbers = [1_i64, -2].map(Value::from);
        assert_eq!(array_of(&numbers), Some(("bigint", "{1,-2}".to_owned())));
        assert_eq!(array_of(&[]), None);
        assert_eq!(array_of(&[Value::from(1_i64), Value::from("a")]), None);
        assert_eq!(array_of(&[Value::BigInt(None)]), None);
        assert_eq!(array_of(&[Value::from(true)]), None);
    }

    #[tokio::test]
    async fn every_number_of_rows_is_written_once_and_read_back() {
        for count in [0, 1, 2, 15, 16, 17, 127, 128, 129, 300, 700] {
            let db = database().await;
            let mut rows = Rows::of(2);
            for n in 0..count {
                rows.add([Value::from(n), Value::from(format!("row {n}"))]);
            }
            assert_eq!(rows.len() as i64, count);
            let written = rows.write(&db, "INSERT INTO t (a, b)", "").await.unwrap();
            assert_eq!(written as i64, count);
            let keys = (0..count).map(Value::from).collect();
            let sql = "SELECT a, b FROM t WHERE b <> ? AND a IN ({keys})";
            let read = by_keys(&db, sql, &[Value::from("x")], keys).await.unwrap();
            let mut found: Vec<i64> = read
                .iter()
                .map(|row| row.try_get("", "a").unwrap())
                .collect();
            found.sort_unstable();
            assert_eq!(found, (0..count).collect::<Vec<_>>());
        }
    }

    #[tokio::test]
    async fn every_number_of_rows_is_gone_by_and_nothing_else() {
        let db = database().await;
        for count in [0, 1, 2, 4, 5, 17, 127, 128, 129, 300] {
            let mut all = Rows::of(2);
            for n in 0..700 {
                all.add([Value::from(n), Value::from("x")]);
            }
            all.write(&db, "INSERT INTO t (a, b)", "").await.unwrap();
            let some = || {
                let mut rows = Rows::of(2);
                for n in 0..count {
                    rows.add([Value::from(2 * n), Value::from(format!("row {n}"))]);
                }
                rows
            };
            let sql =
                "UPDATE t SET b = k.column2 FROM ({rows}) AS k WHERE t.a = k.column1 AND t.a > ?";
            some().join(&db, sql, &[0.into()]).await.unwrap();
            let sql = "SELECT a FROM t WHERE b <> 'x' AND (a, b) IN ({rows})";
            let read = some().join(&db, sql, &[]).await.unwrap();
            let read: std::collections::BTreeSet<i64> = read
                .iter()
                .map(|row| row.try_get("", "a").unwrap())
                .collect();
            assert_eq!(read.len() as i64, (count - 1).max(0));
            assert!(read.iter().all(|a| (1..count).contains(&(a / 2))));
            db.execute_unprepared("DELETE FROM t").await.unwrap();
        }
    }
}
