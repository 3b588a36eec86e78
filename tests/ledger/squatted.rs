//! A history table that somebody else has created, or attached code to, is refused before anything of it is read.

use insta::assert_snapshot;
use zerostarter_test_harness::{Command, Database, Server, zerostarter_db};

const COLUMNS: &str =
    "version int4 PRIMARY KEY, name varchar(255), applied_on varchar(255), checksum varchar(255)";

/// Notes who calls it. It runs with the privileges of the caller.
const SPY: &str = "\
CREATE TABLE public.seen (who name);
GRANT ALL ON public.seen TO PUBLIC;
CREATE FUNCTION public.spy() RETURNS int LANGUAGE plpgsql VOLATILE AS
    $$ BEGIN INSERT INTO public.seen VALUES (current_user); RAISE WARNING 'spy'; RETURN 1; EXCEPTION WHEN OTHERS THEN RAISE EXCEPTION 'spied'; END $$;
CREATE FUNCTION public.spy_row() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM public.spy(); RETURN NEW; END $$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO PUBLIC;";

fn fresh() -> (Database, String) {
    let database = Server::shared().database();
    let squatter = database.role("");
    database.execute(&format!("GRANT CREATE, USAGE ON SCHEMA public TO {squatter}"));
    database.execute(&format!("SET ROLE {squatter}; {SPY}"));
    (database, squatter)
}

fn migration(command: Command) -> Command {
    command.migration("V1__one.sql", "CREATE TABLE one ();")
}

fn with_two(database: &Database) -> Command {
    migration(zerostarter_db(database)).migration("V2__two.sql", "CREATE TABLE two ();")
}

/// Every command ends with `status`, and none has called the spy.
#[track_caller]
fn expect_everywhere(database: &Database, status: i32, words: &str) {
    let arguments: [&[&str]; 6] = [
        &["check"],
        &["status"],
        &["plan"],
        &["wait", "--timeout", "10ms"],
        &["resolve", "1", "--applied", "--yes"],
        &["migrate"],
    ];
    for arguments in arguments {
        let run = with_two(database).args(arguments.iter().copied()).run();
        assert_eq!(run.status, status, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{arguments:?}: {}", run.stderr);
        assert!(!run.stderr.contains("spied"), "{arguments:?}: {}", run.stderr);
    }
    assert!(database.rows("SELECT who FROM public.seen").is_empty());
}

#[test]
fn a_squatted_history_is_refused_before_it_is_read() {
    for (squat, words) in [
        (format!("CREATE TABLE public.refinery_schema_history ({COLUMNS})"), "belongs to"),
        (
            format!(
                "CREATE TABLE public.refinery_schema_history ({COLUMNS});
                 CREATE TRIGGER t BEFORE INSERT ON public.refinery_schema_history FOR EACH ROW EXECUTE FUNCTION public.spy_row()"
            ),
            "belongs to",
        ),
        (
            "CREATE VIEW public.refinery_schema_history AS SELECT public.spy() AS version, ''::varchar AS name, \
             ''::varchar AS applied_on, ''::varchar AS checksum"
                .to_owned(),
            "is a view of",
        ),
        (
            "CREATE MATERIALIZED VIEW public.refinery_schema_history AS SELECT 1 AS version, ''::varchar AS name, \
             ''::varchar AS applied_on, ''::varchar AS checksum"
                .to_owned(),
            "is a materialized view of",
        ),
        (
            "CREATE TABLE public.refinery_schema_history (version int4, name varchar, applied_on varchar, \
             checksum varchar) PARTITION BY LIST (version)"
                .to_owned(),
            "is a partitioned table of",
        ),
        ("CREATE SEQUENCE public.refinery_schema_history".to_owned(), "is another kind of relation of"),
    ] {
        let (database, squatter) = fresh();
        database.execute(&format!("SET ROLE {squatter}; {squat}"));
        expect_everywhere(&database, 6, words);
        assert!(
            database.rows("SELECT pg_catalog.to_regclass('public.one') IS NULL") == ["t"],
            "{squat}"
        );
    }
}

#[test]
fn a_foreign_table_is_refused_whoever_owns_it() {
    let (database, _) = fresh();
    database.execute(
        "CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere; \
         CREATE FOREIGN TABLE refinery_schema_history (version int4) SERVER nowhere",
    );
    expect_everywhere(&database, 6, "is a foreign table of postgres");
}

/// The view reads a table that its owner may not lock.
#[test]
fn a_view_of_what_its_owner_may_not_read_is_refused_as_a_view() {
    let (database, squatter) = fresh();
    database.execute(&format!(
        "CREATE TABLE secret (a int); GRANT SELECT ON secret TO {squatter}; SET ROLE {squatter};
         CREATE VIEW refinery_schema_history AS SELECT public.spy() AS version, a FROM secret; RESET ROLE;
         REVOKE ALL ON secret FROM {squatter}"
    ));
    expect_everywhere(&database, 6, "is a view of");
}

#[test]
fn code_of_others_on_our_history_is_refused() {
    for (attach, words) in [
        (
            "CREATE TRIGGER t BEFORE INSERT ON refinery_schema_history FOR EACH ROW EXECUTE FUNCTION spy_row()",
            "has the trigger t on table refinery_schema_history, which calls code of",
        ),
        (
            "CREATE TRIGGER t BEFORE INSERT ON refinery_schema_history FOR EACH ROW WHEN (spy() = 1) \
             EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "has the trigger t on table",
        ),
        (
            "CREATE CONSTRAINT TRIGGER t AFTER INSERT ON refinery_schema_history FOR EACH ROW EXECUTE FUNCTION spy_row()",
            "has the trigger t on table",
        ),
        (
            "CREATE RULE r AS ON INSERT TO refinery_schema_history DO ALSO SELECT spy()",
            "has the rule r on table",
        ),
        (
            "CREATE POLICY p ON refinery_schema_history USING (spy() = 1); \
             ALTER TABLE refinery_schema_history ENABLE ROW LEVEL SECURITY",
            "has the policy p on table",
        ),
    ] {
        let (database, squatter) = fresh();
        assert_eq!(migration(zerostarter_db(&database)).run().status, 0);
        // Whoever may create triggers needs no other privilege; rules and policies are the owner's.
        database.execute(&format!("GRANT TRIGGER ON refinery_schema_history TO {squatter}"));
        let maker = if attach.contains("TRIGGER") {
            &squatter
        } else {
            "postgres"
        };
        database.execute(&format!("SET ROLE {maker}; {attach}"));
        expect_everywhere(&database, 6, words);
    }
}

#[test]
fn the_error_says_what_it_is_and_whose() {
    let (database, squatter) = fresh();
    database.execute(&format!(
        "SET ROLE {squatter}; CREATE VIEW refinery_schema_history AS SELECT spy() AS version"
    ));
    assert_snapshot!(migration(zerostarter_db(&database)).arg("check").snapshot(), @"
    status: 6
    --- stdout
    --- stderr
    error: the history table is not trusted
      public.refinery_schema_history is a view of [role], not an ordinary table

    hint: as a superuser, find out what else [role] has created, and drop public.refinery_schema_history, which can run code with the privileges of this role
    ");
    database.execute(&format!(
        "DROP VIEW refinery_schema_history; SET ROLE {squatter}; CREATE TABLE refinery_schema_history ({COLUMNS})"
    ));
    assert_snapshot!(migration(zerostarter_db(&database)).snapshot(), @"
    status: 6
    --- stdout
    --- stderr
    error: the history table is not trusted
      the history table public.refinery_schema_history belongs to [role], which is neither the role of this run, nor the owner of the database, nor a superuser, nor a member of these

    hint: as a superuser, find out what else [role] has created, and drop public.refinery_schema_history, which can run code with the privileges of this role
    hint: if you trust [role]: set MIGRATE_ROLE=[role], or as a superuser: ALTER TABLE public.refinery_schema_history OWNER TO the role of the migrations or the owner of the database
    ");
    let (database, squatter) = fresh();
    assert_eq!(migration(zerostarter_db(&database)).run().status, 0);
    database.execute(&format!(
        "GRANT TRIGGER ON refinery_schema_history TO {squatter}; SET ROLE {squatter}; \
         CREATE TRIGGER t BEFORE INSERT ON refinery_schema_history FOR EACH ROW EXECUTE FUNCTION spy_row()"
    ));
    assert_snapshot!(migration(zerostarter_db(&database)).snapshot(), @"
    status: 6
    --- stdout
    --- stderr
    error: the history table is not trusted
      the history table public.refinery_schema_history has the trigger t on table refinery_schema_history, which calls code of [role]

    hint: drop the trigger t on table refinery_schema_history, or if you trust [role], give what it calls to postgres: ALTER FUNCTION … OWNER TO postgres
    ");
}

/// A superuser is a member of every role, and whoever has created a role is one since PostgreSQL 16: neither is trust.
#[test]
fn membership_of_ours_in_the_owner_is_not_trust() {
    let (database, squatter) = fresh();
    let deployer = database.role("");
    database.execute(&format!(
        "GRANT {squatter} TO {deployer}; GRANT CREATE ON SCHEMA public TO {deployer}; \
         SET ROLE {squatter}; CREATE TABLE refinery_schema_history ({COLUMNS}); \
         GRANT ALL ON refinery_schema_history TO {deployer}"
    ));
    let as_deployer = |command: Command| command.env("POSTGRES_URL", database.url_as(&deployer));
    let run = as_deployer(migration(zerostarter_db(&database))).run();
    assert_eq!(run.status, 6, "{}", run.stderr);
    let run = as_deployer(migration(zerostarter_db(&database)))
        .env("MIGRATE_ROLE", &squatter)
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
}

#[test]
fn tables_of_the_database_owner_and_of_rotated_logins_are_trusted() {
    let database = Server::shared().database();
    let (owner, group) = (database.role(""), database.role(""));
    let (first, second) = (database.role(""), database.role(""));
    database.execute(&format!(
        "GRANT {group} TO {first}, {second}; GRANT CREATE ON SCHEMA public TO {owner}, {group}; \
         ALTER DATABASE {} OWNER TO {owner}",
        database.name()
    ));
    let run_as = |login: &str, role: Option<&str>| {
        let command = migration(zerostarter_db(&database)).env("POSTGRES_URL", database.url_as(login));
        match role {
            Some(role) => command.env("MIGRATE_ROLE", role),
            None => command,
        }
        .run()
    };
    // As refinery's CLI would create it.
    database.execute(&format!(
        "SET ROLE {owner}; CREATE TABLE refinery_schema_history ({COLUMNS}); \
         GRANT ALL ON refinery_schema_history TO {group}"
    ));
    let run = run_as(&first, None);
    assert_eq!(run.status, 0, "{}", run.stderr);
    database.execute(&format!("ALTER TABLE refinery_schema_history OWNER TO {first}"));
    let run = run_as(&second, None);
    assert_eq!(run.status, 6, "{}", run.stderr);
    // The other login can act as the role of the run, so it is no stranger.
    let run = run_as(&second, Some(&group));
    assert_eq!(run.status, 0, "{}", run.stderr);
}

#[test]
fn our_own_triggers_rules_and_policies_are_no_obstacle() {
    let database = Server::shared().database();
    assert_eq!(migration(zerostarter_db(&database)).run().status, 0);
    database.execute(
        "CREATE TABLE audit (v int);
         CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS
           'BEGIN INSERT INTO public.audit VALUES (NEW.version); RETURN NEW; END';
         CREATE TRIGGER noted AFTER INSERT ON refinery_schema_history FOR EACH ROW WHEN (NEW.version > 0) EXECUTE FUNCTION noted();
         CREATE RULE also AS ON DELETE TO refinery_schema_history DO ALSO DELETE FROM audit;
         CREATE POLICY p ON refinery_schema_history USING (true);
         CREATE TABLE referring (v int REFERENCES refinery_schema_history);",
    );
    let run = with_two(&database).run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(database.rows("SELECT v FROM audit"), ["2"]);
    let run = with_two(&database)
        .migration("V3__three.sql", "-- no-transaction\nVACUUM audit;")
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(with_two(&database).arg("status").run().status, 0);
}

/// What a view of others calls on our table is not attached to it.
#[test]
fn a_view_that_reads_our_history_is_no_obstacle() {
    let (database, squatter) = fresh();
    assert_eq!(migration(zerostarter_db(&database)).run().status, 0);
    database.execute(&format!(
        "CREATE RULE nothing AS ON UPDATE TO refinery_schema_history DO ALSO NOTHING; \
         GRANT SELECT ON refinery_schema_history TO {squatter}; SET ROLE {squatter}; \
         CREATE VIEW theirs AS SELECT spy() FROM refinery_schema_history"
    ));
    let run = with_two(&database).run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(database.rows("SELECT who FROM public.seen").is_empty());
}

/// Each transaction looks again: between the read and the lock, somebody may have attached something.
#[test]
fn what_is_attached_during_the_run_is_refused() {
    let (database, squatter) = fresh();
    let run = migration(zerostarter_db(&database))
        .migration(
            "V2__attach.sql",
            format!(
                "GRANT TRIGGER ON refinery_schema_history TO {squatter}; SET LOCAL ROLE {squatter};
                 CREATE TRIGGER t BEFORE INSERT ON refinery_schema_history FOR EACH ROW WHEN (NEW.version > 2)
                 EXECUTE FUNCTION spy_row();"
            ),
        )
        .migration("V3__three.sql", "CREATE TABLE three ();")
        .run();
    assert_eq!(run.status, 6, "{}", run.stderr);
    assert!(
        run.stderr.contains("has the trigger t on table"),
        "{}",
        run.stderr
    );
    assert!(database.rows("SELECT who FROM public.seen").is_empty());
    assert_eq!(database.history().len(), 2);
}
