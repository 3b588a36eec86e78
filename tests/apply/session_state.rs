//! What a migration leaves in its session ends with it, for the next migration and for the next client of a pool.

use zerostarter_test_harness::{Command, Database, Pooler, Server, ServerOptions, Session, zerostarter_db};

/// What survives a transaction in a session, and the query for what is there of it.
const LEFTOVERS: [(&str, &str); 8] = [
    (
        "CREATE TEMP TABLE \"user\" (id int)",
        "SELECT relname FROM pg_class WHERE relpersistence = 't'",
    ),
    (
        "CREATE TEMP VIEW v AS SELECT 1 AS a",
        "SELECT relname FROM pg_class WHERE relpersistence = 't'",
    ),
    ("LISTEN news", "SELECT pg_listening_channels()"),
    (
        "PREPARE one AS SELECT 1",
        "SELECT name FROM pg_prepared_statements WHERE from_sql",
    ),
    (
        "DO $$ BEGIN EXECUTE 'PREPARE two AS SELECT 1'; END $$",
        "SELECT name FROM pg_prepared_statements WHERE from_sql",
    ),
    (
        "DECLARE held CURSOR WITH HOLD FOR SELECT 1",
        "SELECT name FROM pg_cursors WHERE is_holdable",
    ),
    (
        "SELECT pg_advisory_lock(1)",
        "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
    ),
    (
        "SET ROLE pg_read_all_data",
        "SELECT current_user WHERE current_user <> session_user",
    ),
];

fn run(command: &Command, status: i32, what: &str) {
    let run = command.run();
    assert_eq!(run.status, status, "{what}: {}", run.stderr);
}

fn through(pooler: &Pooler, database: &Database) -> Command {
    zerostarter_db(database).env("POSTGRES_URL", database.url_through(pooler.port()))
}

#[test]
fn the_next_client_of_a_pool_finds_nothing() {
    let server = Server::start(ServerOptions::new());
    for (leaves, query) in LEFTOVERS {
        for (after, status) in [("", 0), ("; SELECT 1 / 0", 1), ("; SELECT pg_sleep(60)", 1)] {
            let database = server.database();
            let pooler = Pooler::start(&server, 1);
            let sql = format!("{leaves}{after};");
            let command = through(&pooler, &database)
                .env("MIGRATE_STATEMENT_TIMEOUT", "300ms")
                .migration("V1__leaves.sql", &sql);
            run(&command, status, &sql);
            let next = Session::open_tcp(pooler.port(), database.name());
            assert_eq!(next.rows(query), Vec::<String>::new(), "{sql}");
        }
    }
}

#[test]
fn one_run_and_two_runs_end_with_the_same_tables() {
    let files = [
        ("V1__temporary.sql", "CREATE TEMP TABLE orders (id int);"),
        (
            "V2__orders.sql",
            "CREATE TABLE IF NOT EXISTS orders (id int primary key); ALTER TABLE orders ADD x int;",
        ),
    ];
    let columns = "SELECT column_name FROM information_schema.columns \
                   WHERE table_schema = 'public' AND table_name = 'orders' ORDER BY 1";
    for atomic in ["no", "yes"] {
        let database = Server::shared().database();
        let command = files.iter().fold(
            zerostarter_db(&database).env("MIGRATE_ATOMIC", atomic),
            |command, (name, sql)| command.migration(name, sql),
        );
        run(&command, 0, atomic);
        assert_eq!(database.rows(columns), ["id", "x"], "MIGRATE_ATOMIC={atomic}");
    }
}

/// A temporary table that another client has left in the session of the pool has the name of a real one.
#[test]
fn what_an_earlier_client_has_left_in_the_session_is_not_migrated() {
    let server = Server::start(ServerOptions::new());
    let database = server.database();
    database.execute("CREATE TABLE users (id int)");
    let pooler = Pooler::start(&server, 1);
    let earlier = Session::open_tcp(pooler.port(), database.name());
    earlier.execute("CREATE TEMP TABLE users (id int)");
    earlier.execute("SET search_path = pg_temp, public");
    drop(earlier);
    let command = through(&pooler, &database).migration("V1__add.sql", "ALTER TABLE users ADD name text;");
    run(&command, 0, "a temporary table before ours");
    assert_eq!(
        database.rows(
            "SELECT table_schema FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'name'"
        ),
        ["public"]
    );
}

/// The same for the second connection of a non-transactional migration, whichever session of the pool it gets.
#[test]
fn what_earlier_clients_have_left_is_not_indexed() {
    let server = Server::start(ServerOptions::new());
    let database = server.database();
    database.execute("CREATE TABLE users (id int)");
    let pooler = Pooler::start(&server, 2);
    let earlier = [(); 2].map(|()| Session::open_tcp(pooler.port(), database.name()));
    for session in &earlier {
        session.execute("BEGIN");
    }
    for session in &earlier {
        session.execute(
            "CREATE TEMP TABLE users (id int); SET statement_timeout = '1ms'; SET search_path = pg_temp, public; COMMIT",
        );
    }
    drop(earlier);
    let command = through(&pooler, &database).migration(
        "V1__index.sql",
        "CREATE INDEX CONCURRENTLY users_id ON users (id);",
    );
    run(&command, 0, "temporary tables in both sessions");
    assert_eq!(
        database.rows("SELECT schemaname FROM pg_indexes WHERE indexname = 'users_id'"),
        ["public"]
    );
}

/// The statement alone does not decide that it is done.
#[test]
fn an_index_that_is_not_there_is_not_recorded() {
    let server = Server::start(ServerOptions::new());
    let database = server.database();
    database.execute(
        "CREATE TABLE users (id int);
         CREATE FUNCTION away() RETURNS event_trigger LANGUAGE plpgsql AS
           'BEGIN ALTER INDEX IF EXISTS public.users_id RENAME TO elsewhere; END';
         CREATE EVENT TRIGGER away ON ddl_command_end WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION away()",
    );
    let command = zerostarter_db(&database).migration(
        "V1__index.sql",
        "CREATE INDEX CONCURRENTLY users_id ON users (id);",
    );
    let failed = command.run();
    assert_eq!(failed.status, 1, "{}", failed.stderr);
    assert!(
        failed.stderr.contains("what it should have done is not there"),
        "{}",
        failed.stderr
    );
    assert_eq!(database.history(), Vec::<String>::new());
}

fn as_role(database: &Database, role: &str, files: &[(&str, &str)]) -> Command {
    let command = zerostarter_db(database).env("POSTGRES_URL", database.url_as(role));
    files
        .iter()
        .fold(command, |command, (name, sql)| command.migration(name, sql))
}

/// The names of the tables of migrations, with their schemas.
fn tables(database: &Database) -> Vec<String> {
    database.rows(
        "SELECT schemaname || '.' || tablename FROM pg_tables \
         WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1",
    )
}

#[test]
fn the_schema_of_the_start_holds_for_the_whole_run() {
    for changes in [
        "CREATE SCHEMA {role}",
        "ALTER ROLE {role} SET search_path = later, public",
        "ALTER DATABASE {database} SET search_path = later, public",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = later, public', current_database()); END $$",
        "ALTER ROLE {role} IN DATABASE {database} SET search_path = later, public",
    ] {
        let database = Server::shared().database();
        let role = database.role("CREATEROLE");
        database.execute(&format!(
            "ALTER DATABASE {} OWNER TO {role}; GRANT CREATE ON SCHEMA public TO {role}; \
             CREATE SCHEMA later AUTHORIZATION {role}",
            database.name()
        ));
        let changes = changes
            .replace("{role}", &role)
            .replace("{database}", database.name());
        let files = [
            ("V1__one.sql", "CREATE TABLE one ();"),
            ("V2__changes.sql", changes.as_str()),
            ("V3__three.sql", "CREATE TABLE three ();"),
        ];
        let command = as_role(&database, &role, &files);
        let first = command.run();
        assert_eq!(first.status, 0, "{changes}: {}", first.stderr);
        assert_eq!(
            tables(&database),
            ["public.one", "public.refinery_schema_history", "public.three"],
            "{changes}"
        );
        assert!(
            first.stderr.contains("this run continues in public")
                && first.stderr.contains("add schema=public to POSTGRES_URL"),
            "{changes}: {}",
            first.stderr
        );
        // What the log said: without the parameter the next start asks, with it there is nothing to do.
        assert_eq!(command.run().status, 6, "{changes}");
        let named = format!("{}&schema=public", database.url_as(&role));
        run(&command.env("POSTGRES_URL", named), 0, &changes);
    }
}

#[test]
fn a_search_path_that_stays_is_not_worth_a_word() {
    let database = Server::shared().database();
    let sql = "SELECT pg_catalog.set_config('search_path', '', false); CREATE TABLE public.one ();";
    let command = zerostarter_db(&database).migration("V1__one.sql", sql);
    let first = command.run();
    assert_eq!(first.status, 0, "{}", first.stderr);
    assert!(!first.stderr.contains("search path"), "{}", first.stderr);
}

#[test]
fn a_read_only_default_is_overridden_with_a_warning() {
    let database = Server::shared().database();
    database.execute(&format!(
        "ALTER DATABASE {} SET default_transaction_read_only = on",
        database.name()
    ));
    let command = zerostarter_db(&database).migration("V1__one.sql", "CREATE TABLE one ();");
    let first = command.run();
    assert_eq!(first.status, 0, "{}", first.stderr);
    assert!(
        first.stderr.contains("WARN") && first.stderr.contains("default_transaction_read_only"),
        "{}",
        first.stderr
    );
    // Nothing is written, so there is nothing to warn of.
    let second = command.run();
    assert_eq!(second.status, 0);
    assert!(!second.stderr.contains("read_only"), "{}", second.stderr);
}
