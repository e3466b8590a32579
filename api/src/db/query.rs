//! One statement, written once with `?` for each value, for both databases: read by, or carried out. It
//! must not know what any statement says.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement, Value};

/// All rows it gives.
pub async fn query_all(
    conn: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<QueryResult>, DbErr> {
    let query = statement(conn.get_database_backend(), sql, values);
    conn.query_all_raw(query).await
}

/// Its first row, if it gives one.
pub async fn query_one(
    conn: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Option<QueryResult>, DbErr> {
    let query = statement(conn.get_database_backend(), sql, values);
    conn.query_one_raw(query).await
}

/// What became of one that changes rows.
pub async fn execute(
    conn: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<ExecResult, DbErr> {
    let query = statement(conn.get_database_backend(), sql, values);
    conn.execute_raw(query).await
}

/// The statement as this database takes it.
pub fn statement(
    backend: DbBackend,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Statement {
    if backend != DbBackend::Postgres {
        return Statement::from_sql_and_values(backend, sql, values);
    }
    let mut numbered = String::with_capacity(sql.len() + 16);
    let mut n = 0;
    for part in sql.split_inclusive('?') {
        match part.strip_suffix('?') {
            Some(before) => {
                n += 1;
                numbered.push_str(before);
                numbered.push('$');
                numbered.push_str(&n.to_string());
            }
            None => numbered.push_str(part),
        }
    }
    Statement::from_sql_and_values(backend, numbered, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_for_postgres_only() {
        let values = || [Value::from(1i64), Value::from(2i64)];
        let sql = "SELECT 1 WHERE a = ? AND b = ?";
        assert_eq!(
            statement(DbBackend::Postgres, sql, values()).sql,
            "SELECT 1 WHERE a = $1 AND b = $2"
        );
        assert_eq!(statement(DbBackend::Sqlite, sql, values()).sql, sql);
    }
}
