//! What a database or a role has as its defaults does not decide whether a migration works, and what a
//! file sets does not reach the next one.

use std::fs;

use zerostarter_test_harness::{Database, Server, zerostarter_db};

/// Makes a role with `defaults`, on a database that it may use.
fn role_with(database: &Database, defaults: &[&str]) -> String {
    let role = database.role("NOSUPERUSER");
    database.execute(&format!("GRANT ALL ON SCHEMA public TO {role}"));
    for default in defaults {
        database.execute(&format!("ALTER ROLE {role} SET {default}"));
    }
    role
}

#[test]
fn the_whole_schema_is_created_whatever_the_defaults_of_the_role_are() {
    let all: &[&str] = &[
        "default_transaction_isolation = 'serializable'",
        "default_transaction_read_only = on",
        "default_transaction_deferrable = on",
        "search_path = ''",
        "statement_timeout = '50ms'",
        "lock_timeout = '1ms'",
        "idle_in_transaction_session_timeout = '1ms'",
        "standard_conforming_strings = off",
        "row_security = off",
        "client_min_messages = 'error'",
        "DateStyle = 'German'",
        "TimeZone = 'Asia/Tokyo'",
        "bytea_output = 'escape'",
        "quote_all_identifiers = on",
    ];
    let mut all = all.to_vec();
    if !Server::shared().has_nonstandard_strings() {
        all.retain(|default| !default.starts_with("standard_conforming_strings"));
    }
    let mut cases: Vec<Vec<&str>> = all.iter().map(|default| vec![*default]).collect();
    cases.push(all);
    cases.push(vec!["search_path = 'nosuch'"]);
    cases.push(vec!["search_path = 'pg_catalog'"]);
    cases.push(vec!["search_path = 'pg_temp'"]);
    cases.push(vec!["default_transaction_isolation = 'repeatable read'"]);
    if Server::shared().major() >= 17 {
        cases.push(vec!["transaction_timeout = '30ms'"]);
    }
    let expected = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/expected/catalog.txt"))
        .expect("the expected catalog");
    for defaults in cases {
        let database = Server::shared().database();
        let role = role_with(&database, &defaults);
        for status in ["first run", "no-op"] {
            let run = zerostarter_db(&database)
                .env("POSTGRES_URL", database.url_as(&role))
                .run();
            assert_eq!(run.status, 0, "{status} with {defaults:?}: {}", run.stderr);
        }
        assert_eq!(
            database.catalog(),
            expected.lines().collect::<Vec<_>>(),
            "{defaults:?}"
        );
    }
}

#[test]
fn the_defaults_of_a_database_do_not_matter_either() {
    let database = Server::shared().database();
    for default in [
        "default_transaction_isolation = 'serializable'",
        "search_path = ''",
        "default_transaction_read_only = on",
    ] {
        database.execute(&format!("ALTER DATABASE {} SET {default}", database.name()));
    }
    assert_eq!(zerostarter_db(&database).run().status, 0);
}

/// A slow statement outlives the role's `statement_timeout`: only `MIGRATE_STATEMENT_TIMEOUT` counts.
#[test]
fn a_slow_migration_is_not_cut_off_by_the_role() {
    let database = Server::shared().database();
    let role = role_with(
        &database,
        &[
            "statement_timeout = '100ms'",
            "idle_in_transaction_session_timeout = '100ms'",
        ],
    );
    let run = zerostarter_db(&database)
        .env("POSTGRES_URL", database.url_as(&role))
        .migration("V1__slow.sql", "SELECT pg_sleep(0.4);")
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
}

#[test]
fn strings_with_backslashes_mean_the_same_to_every_role() {
    if !Server::shared().has_nonstandard_strings() {
        return;
    }
    let database = Server::shared().database();
    let role = role_with(&database, &["standard_conforming_strings = off"]);
    let run = zerostarter_db(&database)
        .env("POSTGRES_URL", database.url_as(&role))
        .migration(
            "V1__text.sql",
            r"CREATE TABLE texts AS SELECT '\' AS a, ' \'' ' AS b, E'\\' AS c;",
        )
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(database.rows("SELECT a, b, c FROM texts"), [r"\| \' |\"]);
}

#[test]
fn what_a_file_sets_ends_with_it() {
    let database = Server::shared().database();
    let role = role_with(&database, &[]);
    let run = zerostarter_db(&database)
        .migration(
            "V1__set.sql",
            format!(
                "CREATE SCHEMA other; SET search_path = other; SET statement_timeout = '900ms'; \
                 SELECT set_config('DateStyle', 'German', false); SET SESSION AUTHORIZATION {role};"
            ),
        )
        .migration(
            "V2__look.sql",
            "CREATE TABLE looked AS SELECT current_user = session_user AS same_user, current_setting('search_path') AS path, \
             current_setting('statement_timeout') AS timeout, current_setting('DateStyle') AS dates;",
        )
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(
        database.rows("SELECT * FROM public.looked"),
        ["t|public|0|ISO, MDY"]
    );
    assert_eq!(
        database.rows("SELECT tableowner FROM pg_tables WHERE tablename = 'looked'"),
        ["postgres"]
    );
}

/// What is asked about locks has times in it, and one of them goes back to the server.
#[test]
fn blockers_are_seen_whatever_the_defaults_of_the_database_are() {
    for defaults in [
        // In this style a time has the abbreviation of its zone, and IST is read as another zone's.
        &["DateStyle = 'German'", "TimeZone = 'Asia/Kolkata'"][..],
        &["IntervalStyle = 'sql_standard'"],
    ] {
        let database = Server::shared().database();
        for default in defaults {
            database.execute(&format!("ALTER DATABASE {} SET {default}", database.name()));
        }
        database.execute("CREATE TABLE first (); CREATE TABLE second ()");
        let [first, _second] = ["first", "second"].map(|table| {
            let session = database.session();
            session.execute(&format!("BEGIN; LOCK TABLE {table}"));
            session
        });
        let mut running = zerostarter_db(&database)
            .migration(
                "V1__two.sql",
                "ALTER TABLE first ADD a int; ALTER TABLE second ADD a int;",
            )
            .env("MIGRATE_LOCK_TIMEOUT", "none")
            .env("MIGRATE_LOCK_BUDGET", "2s")
            .env("MIGRATE_LOCK_RETRIES", "1")
            .start();
        running.wait_for_stderr("for a lock on public.first, blocked by: pid ");
        first.execute("SELECT pg_sleep(0.5); COMMIT");
        let run = running.wait();
        assert_eq!(run.status, 7, "{defaults:?}: {}", run.stderr);
        for told in [
            "used up MIGRATE_LOCK_BUDGET",
            "for a lock on public.second, blocked by: pid ",
            "idle in transaction, transaction open for ",
        ] {
            assert!(run.stderr.contains(told), "{defaults:?}: {}", run.stderr);
        }
    }
}
