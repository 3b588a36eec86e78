//! What the query names, compared with `pg_locks` of a transaction that has run the statement.

use std::collections::BTreeMap;

use zerostarter_connect::search_path::enter;
use zerostarter_test_harness::{Server, Session};

use super::locked_relations::{borrowed, captures, locked_relations};
use crate::sql::Contents;

const SCHEMA: &str = "
    CREATE TABLE users (id int PRIMARY KEY, email text CONSTRAINT users_email UNIQUE, n int);
    CREATE TABLE posts (id int PRIMARY KEY, author int CONSTRAINT posts_author REFERENCES users, mail text);
    CREATE TABLE likes (post int CONSTRAINT likes_post REFERENCES posts, n int);
    ALTER TABLE posts ADD CONSTRAINT posts_mail FOREIGN KEY (mail) REFERENCES users (email);
    CREATE TABLE plain (id int, n int);
    CREATE INDEX plain_n ON plain (n);
    CREATE INDEX plain_e ON plain ((id + 1));
    CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER g BEFORE INSERT ON plain FOR EACH ROW EXECUTE FUNCTION f();
    CREATE POLICY p ON plain;
    CREATE VIEW v AS SELECT id FROM plain;
    CREATE VIEW vv AS SELECT id FROM v;
    CREATE RULE r AS ON INSERT TO v DO INSTEAD NOTHING;
    CREATE MATERIALIZED VIEW m AS SELECT id FROM plain;
    CREATE UNIQUE INDEX m_id ON m (id);
    CREATE SEQUENCE s;
    CREATE TABLE old (id int);
    CREATE TABLE new () INHERITS (old);
    CREATE TABLE heirs () INHERITS (users);
    CREATE TABLE part (id int PRIMARY KEY, author int CONSTRAINT part_author REFERENCES users) PARTITION BY RANGE (id);
    CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (1) TO (2);
    CREATE TABLE part_rest PARTITION OF part DEFAULT;
    CREATE TABLE to_part (id int CONSTRAINT to_part_id REFERENCES part);
    CREATE TABLE loose (id int NOT NULL, author int);
    CREATE INDEX part_author_index ON part (author);
    CREATE TABLE slices (id int, author int REFERENCES users) PARTITION BY RANGE (id);
    CREATE TABLE slices_1 PARTITION OF slices FOR VALUES FROM (1) TO (2);
    CREATE TABLE slices_rest PARTITION OF slices DEFAULT;
    CREATE TYPE colour AS ENUM ('red');
    CREATE DOMAIN amount AS int;
    CREATE TABLE typed (id int, c colour, a amount);
    CREATE SCHEMA app;
    CREATE TABLE app.things (id int PRIMARY KEY, owner int REFERENCES users);
    CREATE TABLE of_things (id int REFERENCES app.things);
    CREATE VIEW of_app AS SELECT id FROM app.things;
";

/// Statements of every kind that locks tables along, or that locks less than it seems.
const STATEMENTS: [&str; 95] = [
    "DROP TABLE likes",
    "DROP TABLE posts CASCADE",
    "DROP TABLE users CASCADE",
    "DROP TABLE heirs",
    "DROP TABLE IF EXISTS likes, posts",
    "DROP TABLE plain CASCADE",
    "DROP TABLE old CASCADE",
    "DROP TABLE part CASCADE",
    "DROP TABLE slices_1",
    "DROP TABLE slices",
    "DROP TABLE to_part",
    "DROP VIEW v CASCADE",
    "DROP VIEW vv",
    "DROP MATERIALIZED VIEW m",
    "DROP INDEX plain_n",
    "DROP INDEX part_author_index",
    "DROP SEQUENCE s",
    "DROP TRIGGER g ON plain",
    "DROP POLICY p ON plain",
    "DROP RULE r ON v",
    "DROP TYPE colour CASCADE",
    "DROP DOMAIN amount CASCADE",
    "DROP SCHEMA app CASCADE",
    "ALTER TABLE posts DROP CONSTRAINT posts_author",
    "ALTER TABLE \"posts\" DROP CONSTRAINT IF EXISTS \"posts_mail\"",
    "ALTER TABLE posts DROP author",
    "ALTER TABLE posts DROP COLUMN IF EXISTS mail",
    "ALTER TABLE users DROP CONSTRAINT users_email CASCADE",
    "ALTER TABLE users DROP COLUMN email CASCADE",
    "ALTER TABLE users DROP COLUMN n",
    "ALTER TABLE part DROP CONSTRAINT part_author",
    "ALTER TABLE to_part DROP CONSTRAINT to_part_id",
    "ALTER TABLE users ALTER COLUMN email TYPE varchar(80)",
    "ALTER TABLE users ALTER id TYPE bigint",
    "ALTER TABLE posts ALTER author SET DATA TYPE bigint",
    "ALTER TABLE posts ALTER CONSTRAINT posts_author DEFERRABLE",
    "ALTER TABLE users ADD COLUMN statistics int",
    "ALTER TABLE old ADD COLUMN a int, ADD b int",
    "ALTER TABLE ONLY old ALTER id SET DEFAULT 1",
    "ALTER TABLE old RENAME id TO number",
    "ALTER TABLE old RENAME TO older",
    "ALTER TABLE part ADD COLUMN a int",
    "ALTER TABLE likes ADD CONSTRAINT c FOREIGN KEY (n) REFERENCES users",
    "ALTER TABLE likes ADD FOREIGN KEY (n) REFERENCES part NOT VALID",
    "ALTER TABLE part ADD FOREIGN KEY (author) REFERENCES posts",
    "ALTER TABLE likes ADD COLUMN u int REFERENCES users",
    "ALTER TABLE likes VALIDATE CONSTRAINT likes_post",
    "ALTER TABLE posts VALIDATE CONSTRAINT posts_author, ADD x int",
    "ALTER TABLE plain SET (autovacuum_enabled = false)",
    "ALTER TABLE plain SET (fillfactor = 70, toast.autovacuum_enabled = false)",
    "ALTER TABLE plain RESET (fillfactor)",
    "ALTER TABLE plain SET (user_catalog_table = true)",
    "ALTER TABLE plain CLUSTER ON plain_n",
    "ALTER TABLE plain SET WITHOUT CLUSTER",
    "ALTER TABLE plain ALTER n SET STATISTICS 10",
    "ALTER TABLE plain ALTER n SET (n_distinct = 5)",
    "ALTER TABLE plain ALTER n SET STORAGE PLAIN",
    "ALTER TABLE plain DISABLE TRIGGER g",
    "ALTER TABLE plain ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE plain REPLICA IDENTITY FULL",
    "ALTER TABLE plain SET SCHEMA app",
    "ALTER TABLE plain SET UNLOGGED",
    "ALTER TABLE part ATTACH PARTITION loose FOR VALUES FROM (5) TO (6)",
    "ALTER TABLE slices DETACH PARTITION slices_1",
    "ALTER TABLE slices ATTACH PARTITION loose FOR VALUES FROM (5) TO (6)",
    "ALTER TABLE new NO INHERIT old",
    "ALTER VIEW v RENAME TO w",
    "ALTER VIEW v SET (security_barrier = true)",
    "ALTER MATERIALIZED VIEW m RENAME TO mm",
    "ALTER INDEX plain_n RENAME TO plain_m",
    "ALTER INDEX plain_n SET (fillfactor = 50)",
    "ALTER INDEX plain_e ALTER COLUMN 1 SET STATISTICS 100",
    "ALTER SEQUENCE s INCREMENT 2",
    "ALTER SEQUENCE s RENAME TO t",
    "ALTER TRIGGER g ON plain RENAME TO h",
    "ALTER POLICY p ON plain RENAME TO q",
    "ALTER DOMAIN amount ADD CHECK (VALUE > 0)",
    "CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (2) TO (3)",
    "CREATE TABLE c (id int REFERENCES users, p int REFERENCES part)",
    "CREATE TABLE c (id int) INHERITS (old)",
    "CREATE OR REPLACE VIEW v AS SELECT id FROM plain WHERE true",
    "CREATE VIEW w AS SELECT id FROM plain",
    "CREATE INDEX ON part (author)",
    "CREATE INDEX ON plain (id)",
    "CREATE TRIGGER h AFTER INSERT ON part FOR EACH ROW EXECUTE FUNCTION f()",
    "CREATE POLICY q ON plain",
    "CREATE RULE q AS ON DELETE TO plain DO INSTEAD NOTHING",
    "TRUNCATE users CASCADE",
    "TRUNCATE TABLE old, plain",
    "LOCK TABLE vv",
    "LOCK TABLE plain IN SHARE ROW EXCLUSIVE MODE",
    "LOCK TABLE plain IN SHARE UPDATE EXCLUSIVE MODE; LOCK plain IN ROW EXCLUSIVE MODE",
    "REINDEX TABLE plain",
    "REFRESH MATERIALIZED VIEW m; REFRESH MATERIALIZED VIEW CONCURRENTLY m",
    "COMMENT ON TABLE plain IS ''; GRANT SELECT ON plain TO PUBLIC; INSERT INTO plain VALUES (1)",
];

/// Tables and views by OID, and a level each.
type Levels = BTreeMap<String, u8>;

/// The relations that the statements lock: 1 where writers are blocked, 2 where readers are too. Who reads a table reads about
/// its indexes, so a lock on an index counts as one on its table.
fn taken(session: &Session, sql: &str) -> Result<Levels, (String, String)> {
    let state = "SELECT COALESCE(indrelid, relation), CASE mode WHEN 'AccessExclusiveLock' THEN 2 ELSE 1 END FROM pg_locks \
                 LEFT JOIN indexes ON indexrelid = relation \
                 WHERE pid = pg_backend_pid() AND COALESCE(indrelid, relation) IN (SELECT oid FROM existed) AND mode IN \
                 ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')";
    session.execute("BEGIN");
    let outcome = session.try_execute(sql);
    let rows = outcome.map(|()| session.rows(state));
    session.execute("ROLLBACK");
    Ok(levels(&rows?))
}

fn asked(session: &Session, sql: &str) -> Levels {
    let tables = Contents::of(sql).locked_tables;
    let Some(query) = locked_relations(&tables) else {
        return Levels::new();
    };
    let captures = captures(&tables);
    let [keep, safe] = enter(&borrowed(&captures));
    session.execute("BEGIN");
    session.execute(&format!("{keep}; {safe}"));
    let rows = session.rows(&format!(
        "SELECT COALESCE(indrelid, relation), level FROM ({query}) AS n LEFT JOIN pg_temp.indexes ON indexrelid = relation \
         WHERE COALESCE(indrelid, relation) IN (SELECT oid FROM pg_temp.existed) AND level > 0"
    ));
    session.execute("ROLLBACK");
    levels(&rows)
}

fn levels(rows: &[String]) -> Levels {
    let mut found = Levels::new();
    for row in rows {
        let (oid, level) = row.split_once('|').expect("two columns");
        let level = level.parse().expect("a level");
        let entry = found.entry(oid.to_owned()).or_insert(level);
        *entry = level.max(*entry);
    }
    found
}

/// What may be named without being locked. A CHECK constraint is dropped from inheritance children too, UNIQUE is not. Up to
/// PostgreSQL 14, a foreign key that references a partitioned table is not copied to its partitions under a lock.
fn may_be_too_strong(sql: &str, name: &str) -> bool {
    let is_old = Server::shared().major() < 15;
    match name {
        "heirs" => sql.contains("DROP CONSTRAINT"),
        "to_part" => is_old && sql.contains("PARTITION"),
        "part" => is_old && sql == "DROP TABLE to_part",
        _ => false,
    }
}

#[test]
fn every_lock_that_readers_or_writers_notice_is_named() {
    let database = Server::shared().database();
    database.execute(SCHEMA);
    let session = database.session();
    session.execute(
        "CREATE TEMP TABLE existed AS SELECT oid, oid::regclass::text AS name FROM pg_class \
         WHERE relkind IN ('r', 'p', 'v', 'm', 'S') AND oid >= 16384; \
         CREATE TEMP TABLE indexes AS SELECT indexrelid, indrelid FROM pg_index",
    );
    let relations: BTreeMap<String, String> = session
        .rows("SELECT oid, name FROM existed")
        .iter()
        .filter_map(|row| row.split_once('|'))
        .map(|(oid, name)| (oid.to_owned(), name.to_owned()))
        .collect();
    let (mut wrong, mut locks, mut exact) = (Vec::new(), 0, 0);
    for sql in STATEMENTS {
        let named = asked(&session, sql);
        let taken = match taken(&session, sql) {
            Ok(taken) => taken,
            Err((code, message)) => {
                wrong.push(format!("{sql}: {code} {message}"));
                continue;
            }
        };
        locks += taken.len();
        for (oid, level) in &taken {
            let found = named.get(oid).copied().unwrap_or_default();
            exact += usize::from(found == *level);
            if found < *level {
                wrong.push(format!(
                    "{sql}: {} is locked with {level}, named with {found}",
                    relations[oid]
                ));
            }
        }
        for (oid, level) in &named {
            let real = taken.get(oid).copied().unwrap_or_default();
            if real < *level && !may_be_too_strong(sql, &relations[oid]) {
                wrong.push(format!(
                    "{sql}: {} is named with {level}, locked with {real}",
                    relations[oid]
                ));
            }
        }
    }
    assert!(locks > 100, "{locks}");
    assert!(
        wrong.is_empty(),
        "{exact} of {locks} are exact:\n{}",
        wrong.join("\n")
    );
}
