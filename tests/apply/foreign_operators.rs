//! Operators and functions of other roles never run with the privileges of the migrator (CVE-2018-1058).
//!
//! A role that owns nothing makes an operator for every pair of common types that lacks it, and functions of the names that
//! the migrator uses. Each of them raises, and the server's log would say so.

use zerostarter_test_harness::{Command, Database, Server, ServerOptions, poll, zerostarter_db};

use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);
const TRAP: &str = "the code of another role was run";

const OPERATORS: &str = "'=', '<>', '<', '>', '<=', '>=', '~~', '!~~', '~', '!~', '||', '+', '-', '*', '/'";

const TYPES: &str = "'boolean', '\"char\"', 'name', 'integer', 'bigint', 'double precision', 'numeric', 'text', 'varchar', 'oid', \
    'regclass', 'regnamespace', 'xid', 'xid8', 'timestamp', 'timestamptz', 'interval', 'inet'";

/// What the migrator calls, with the arguments that fit best.
const FUNCTIONS: &str = "'array_length(text[], integer)', 'concat_ws(text, text)', 'current_schema()', 'current_setting(text)', \
    'date_part(text, interval)', 'clock_timestamp()', 'format(text, name, name)', 'format(text, integer, text)', \
    'has_schema_privilege(regnamespace, text)', 'left(text, integer)', 'max(integer)', 'now()', 'parse_ident(text)', \
    'pg_backend_pid()', 'pg_blocking_pids(integer)', 'pg_current_xact_id()', 'pg_get_indexdef(oid)', \
    'pg_is_in_recovery()', 'pg_terminate_backend(integer)', 'pg_try_advisory_xact_lock(bigint)', 'quote_ident(name)', \
    'quote_ident(text)', 'regexp_replace(text, text, text, text)', 'set_config(text, text, boolean)', 'starts_with(name, text)', \
    'starts_with(text, text)', 'strpos(text, text)', 'substr(text, integer)', 'to_char(timestamp, text)', \
    'to_regclass(text)', 'to_regnamespace(text)', 'trunc(numeric)', 'version()'";

/// The traps, in the schema of the migrations. `shadows`: also those that `pg_catalog` has with the same types.
fn set_traps(database: &Database, shadows: bool) {
    let role = database.role("");
    database.execute(&format!("GRANT CREATE, USAGE ON SCHEMA public TO {role}"));
    database.execute(&format!(
        "SET ROLE {role};
         SET search_path = pg_catalog;
         DO $traps$
         DECLARE one text; other text; symbol text;
         BEGIN
           FOREACH one IN ARRAY ARRAY[{TYPES}] LOOP
             FOREACH other IN ARRAY ARRAY[{TYPES}] LOOP
               EXECUTE format('CREATE FUNCTION public.trap(%s, %s) RETURNS boolean LANGUAGE plpgsql AS %L', one, other,
                 'BEGIN RAISE EXCEPTION ''{TRAP}''; END');
               FOREACH symbol IN ARRAY ARRAY[{OPERATORS}] LOOP
                 IF {shadows} OR NOT EXISTS (SELECT FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace
                     AND oprname = symbol AND oprleft = one::regtype AND oprright = other::regtype) THEN
                   EXECUTE format('CREATE OPERATOR public.%s (leftarg = %s, rightarg = %s, procedure = public.trap)',
                     symbol, one, other);
                 END IF;
               END LOOP;
             END LOOP;
           END LOOP;
           FOREACH one IN ARRAY ARRAY[{FUNCTIONS}] LOOP
             EXECUTE format('CREATE FUNCTION public.%s RETURNS text LANGUAGE plpgsql AS %L', one,
               'BEGIN RAISE EXCEPTION ''{TRAP}''; END');
           END LOOP;
         END $traps$"
    ));
}

fn one(database: &Database) -> Command {
    zerostarter_db(database)
        .migration("V1__busy.sql", "CREATE TABLE busy (id int PRIMARY KEY, a int);")
        .migration("V2__column.sql", "ALTER TABLE busy ADD b text;")
        .migration("V3__index.sql", "CREATE INDEX CONCURRENTLY busy_a ON busy (a);")
}

fn two(database: &Database) -> Command {
    one(database).migration(
        "V4__lock.sql",
        "ALTER TABLE busy ADD c int; CREATE INDEX busy_b ON busy (b);",
    )
}

#[track_caller]
fn expect(command: &Command, status: i32) -> String {
    let run = command.run();
    assert_eq!(run.status, status, "{}{}", run.stdout, run.stderr);
    run.stderr
}

fn every_path(database: &Database) {
    let fresh = || one(database);
    expect(&fresh().arg("check"), 5);
    expect(&fresh().arg("plan"), 0);
    expect(&fresh().arg("status"), 0);
    expect(&fresh().args(["wait", "--timeout", "10ms"]), 5);
    expect(&fresh().env("MIGRATE_TARGET", "2"), 0);

    // Each state that an interrupted build can leave.
    database.execute("CREATE INDEX busy_a ON busy (a)");
    database.execute("SET search_path = pg_catalog; UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.busy_a'::regclass");
    assert!(expect(&fresh(), 0).contains("dropping the invalid index"));
    database.execute(
        "SET search_path = pg_catalog; DELETE FROM public.refinery_schema_history WHERE version = 3",
    );
    assert!(expect(&fresh(), 0).contains("is already done"));
    database.execute(
        "SET search_path = pg_catalog; DELETE FROM public.refinery_schema_history WHERE version = 3; \
         DROP INDEX public.busy_a; CREATE INDEX busy_a ON public.busy (id)",
    );
    assert!(expect(&fresh(), 6).contains("has another definition"));
    database.execute("SET search_path = pg_catalog; DROP INDEX public.busy_a");
    expect(&fresh().arg("migrate"), 0);
    expect(&fresh(), 0);
    expect(&fresh().args(["status", "--json"]), 0);
    expect(&fresh().arg("wait"), 0);

    // Somebody else's locks: on a table, for long, on the history table, and the migrators' own.
    let holder = database.session();
    holder.execute("BEGIN; SELECT FROM public.busy");
    let blocked = |budget| {
        two(database)
            .env("MIGRATE_LOCK_TIMEOUT", "300ms")
            .env("MIGRATE_LOCK_BUDGET", budget)
            .env("MIGRATE_LOCK_RETRIES", "2")
    };
    assert!(expect(&blocked("none"), 7).contains("blocked by: pid"));
    let is_blocked = blocked("1ms").env("MIGRATE_LOCK_RETRIES", "10");
    let mut waiting = is_blocked.start();
    waiting.wait_for_stderr(
        "did not queue behind a transaction older than MIGRATE_LOCK_BUDGET for a lock on public.busy",
    );
    holder.execute("COMMIT; BEGIN; LOCK TABLE public.refinery_schema_history");
    let locked = two(database).env("MIGRATE_LOCK_TIMEOUT", "100ms").arg("check");
    assert!(expect(&locked, 7).contains("blocked by: pid"));
    holder.execute("COMMIT");
    let run = waiting.wait();
    assert_eq!(run.status, 0, "{}", run.stderr);
    expect(&two(database).arg("check"), 0);

    let mut slow = two(database)
        .migration("V5__slow.sql", "SELECT pg_catalog.pg_sleep(60);")
        .start();
    let sleeps =
        "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE wait_event OPERATOR(pg_catalog.=) 'PgSleep'";
    assert!(poll(SOON, || (database.rows(sleeps) == ["1"]).then_some(())).is_some());
    let second = two(database)
        .migration("V5__slow.sql", "SELECT pg_catalog.pg_sleep(60);")
        .env("MIGRATE_LOCK_WAIT", "100ms");
    assert!(expect(&second, 7).contains("blocked by: pid"));
    slow.wait_for_stderr("is still running after");
    slow.signal("TERM");
    assert_eq!(slow.wait().status, 143);

    // A statement that is noted, data, a search path that is read again, and a decision of the operator.
    let more = || {
        two(database)
            .migration(
                "V5__noted.sql",
                "-- no-transaction\nDO $$ BEGIN COMMIT; PERFORM pg_catalog.set_config('search_path', '', true); END $$;",
            )
            .migration("V6__rows.sql", "COPY public.busy (id) FROM stdin;\n7\n\\.\n")
    };
    expect(&more(), 0);
    for resolution in ["--pending", "--applied"] {
        expect(&more().args(["resolve", "6", resolution, "--yes"]), 0);
    }
    expect(&more(), 0);
}

#[test]
fn an_operator_that_fits_better_is_never_called() {
    let server = Server::start(ServerOptions::new());
    let database = server.database();
    set_traps(&database, false);
    every_path(&database);
    assert!(!server.log().contains(TRAP), "{}", server.log());
}

/// With `pg_catalog` behind the schema of the migrations, even its operators are shadowed.
#[test]
fn an_operator_that_shadows_the_systems_is_never_called() {
    let server = Server::start(ServerOptions::new());
    let database = server.database();
    set_traps(&database, true);
    database.execute(&format!(
        "ALTER DATABASE {} SET search_path = public, pg_catalog",
        database.name()
    ));
    every_path(&database);
    assert!(!server.log().contains(TRAP), "{}", server.log());
}
