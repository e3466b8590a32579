//! All SQL about the public role.

use super::{Password, RoleError, RoleName};
use crate::{
    db::{Db, Reader, query_all, query_one},
    projection::rights::{APPEND, READ},
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr};

/// No statement of a consumer-facing process takes longer.
const STATEMENT_MAX: &str = "5s";

/// Makes the role, or brings its rights to what they should be: what it has beyond that is taken
/// away. Run by somebody who may make roles and owns the tables. Says whether it could also forbid
/// large objects, which is for superusers.
pub async fn establish(
    db: &Db,
    role: &RoleName,
    password: Option<&Password>,
) -> Result<bool, RoleError> {
    if db.backend() != DbBackend::Postgres {
        return Err(RoleError::Embedded);
    }
    let tx = db.begin().await?;
    let here = query(
        &tx,
        "SELECT quote_ident(current_database()) AS database, \
         quote_ident(current_schema()) AS schema, \
         (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser",
    )
    .await?;
    let database: String = here.try_get("", "database")?;
    let schema: String = here.try_get("", "schema")?;
    let superuser: bool = here.try_get("", "superuser")?;

    let exists = query(
        &tx,
        &format!("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') AS yes"),
    )
    .await?;
    if !exists.try_get::<bool>("", "yes")? {
        run(&tx, &format!("CREATE ROLE {role} LOGIN NOINHERIT")).await?;
    }
    refuse_mighty(&tx, role).await?;
    if let Some(password) = password {
        let verifier = password.verifier();
        run(&tx, &format!("ALTER ROLE {role} PASSWORD '{verifier}'")).await?;
    }

    for sql in [
        format!("REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}, PUBLIC"),
        format!("REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {role}, PUBLIC"),
        format!("REVOKE ALL ON SCHEMA {schema} FROM {role}"),
        format!("REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC"),
        format!("REVOKE ALL ON DATABASE {database} FROM {role}"),
        format!("REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC"),
        format!("GRANT CONNECT ON DATABASE {database} TO {role}"),
        format!("GRANT USAGE ON SCHEMA {schema} TO {role}"),
        format!("GRANT SELECT ON {} TO {role}", READ.join(", ")),
        format!("GRANT INSERT ON {} TO {role}", APPEND.join(", ")),
        format!(
            "ALTER ROLE {role} IN DATABASE {database} SET statement_timeout = '{STATEMENT_MAX}'"
        ),
        format!("ALTER ROLE {role} IN DATABASE {database} SET lock_timeout = '{STATEMENT_MAX}'"),
        format!(
            "ALTER ROLE {role} IN DATABASE {database} \
             SET idle_in_transaction_session_timeout = '{STATEMENT_MAX}'"
        ),
    ] {
        run(&tx, &sql).await?;
    }
    if superuser {
        run(
            &tx,
            "REVOKE EXECUTE ON FUNCTION lo_creat(integer), lo_create(oid), \
             lo_from_bytea(oid, bytea) FROM PUBLIC",
        )
        .await?;
    }
    tx.commit().await?;
    Ok(superuser)
}

/// Rights that came by another way than grants on these tables cannot be taken away here.
async fn refuse_mighty(tx: &DatabaseTransaction, role: &RoleName) -> Result<(), RoleError> {
    let found = query(
        tx,
        &format!(
            "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls \
               AS powers, \
             EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid) AS member, \
             EXISTS (SELECT FROM pg_class WHERE relowner = r.oid) \
               OR EXISTS (SELECT FROM pg_database WHERE datdba = r.oid) AS owner \
             FROM pg_roles r WHERE rolname = '{role}'"
        ),
    )
    .await?;
    for (column, what) in [
        ("powers", "may more than use tables"),
        ("member", "belongs to another role"),
        ("owner", "owns tables or the database"),
    ] {
        if found.try_get("", column)? {
            return Err(RoleError::Mighty(role.to_string(), what));
        }
    }
    Ok(())
}

/// Tables a consumer-facing process needs and cannot use: they are not there yet, or this account
/// has no right to them. Always none on an embedded database.
pub async fn missing(db: &Reader) -> Result<Vec<String>, DbErr> {
    if db.backend() != DbBackend::Postgres {
        return Ok(Vec::new());
    }
    let mut missing = Vec::new();
    for (right, tables) in [("SELECT", READ), ("INSERT", APPEND)] {
        let names = tables.join("','");
        let sql = format!(
            "SELECT name FROM unnest(ARRAY['{names}']) AS name WHERE to_regclass(name) IS NULL \
             OR NOT has_table_privilege(to_regclass(name)::oid, '{right}') ORDER BY name"
        );
        for row in query_all(db.reader(), &sql, []).await? {
            let name: String = row.try_get("", "name")?;
            missing.push(format!("no {right} on {name}"));
        }
    }
    Ok(missing)
}

async fn run(tx: &DatabaseTransaction, sql: &str) -> Result<(), DbErr> {
    tx.execute_unprepared(sql).await.map(|_| ())
}

async fn query(tx: &DatabaseTransaction, sql: &str) -> Result<sea_orm::QueryResult, DbErr> {
    query_one(tx, sql, [])
        .await?
        .ok_or_else(|| DbErr::RecordNotFound("no row".into()))
}
