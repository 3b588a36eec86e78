//! A history table whose rows row-level security may hide is never read as empty.

use insta::assert_snapshot;
use zerostarter_test_harness::{Command, Database, Server, ServerOptions, zerostarter_db};

/// What Supabase and others do with every new table of `public`.
const EVENT_TRIGGER: &str = "\
CREATE FUNCTION public.secure() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE made record;
BEGIN
    FOR made IN SELECT * FROM pg_event_trigger_ddl_commands() WHERE object_type = 'table' LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', made.object_identity);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', made.object_identity);
    END LOOP;
END $$;
CREATE EVENT TRIGGER secure ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION public.secure();";

fn migration(command: Command) -> Command {
    command.migration("V1__one.sql", "CREATE TABLE one ();")
}

fn as_role(database: &Database, role: &str) -> Command {
    migration(zerostarter_db(database).env("POSTGRES_URL", database.url_as(role)))
}

#[test]
fn a_role_that_may_not_see_every_row_is_told_so() {
    let database = Server::shared().database();
    assert_eq!(migration(zerostarter_db(&database)).run().status, 0);
    let reader = database.role("");
    database.execute(&format!(
        "ALTER TABLE refinery_schema_history ENABLE ROW LEVEL SECURITY; \
         GRANT SELECT, INSERT ON refinery_schema_history TO {reader}; \
         GRANT CREATE ON SCHEMA public TO {reader}"
    ));
    assert_snapshot!(as_role(&database, &reader).snapshot(), @r#"
    status: 4
    --- stdout
    --- stderr
    error: row-level security may hide rows of the history table from this role
      query would be affected by row-level security policy for table "refinery_schema_history" (SQLSTATE 42501)

    hint: set MIGRATE_ROLE to the role that owns refinery_schema_history, of which the role of the URL must be a member
    hint: or as its owner: ALTER TABLE refinery_schema_history DISABLE ROW LEVEL SECURITY; if the role of the URL is the owner, NO FORCE ROW LEVEL SECURITY is enough
    "#);
    for command in ["check", "status", "plan", "wait"] {
        let run = as_role(&database, &reader).arg(command).run();
        assert_eq!(run.status, 4, "{command}: {}", run.stderr);
        assert!(
            run.stderr.contains("row-level security"),
            "{command}: {}",
            run.stderr
        );
    }
    // Each way out that the hint names.
    let owner = as_role(&database, &reader).env("MIGRATE_ROLE", "postgres");
    database.execute(&format!("GRANT postgres TO {reader}"));
    assert_eq!(owner.run().status, 0);
    database.execute(&format!("REVOKE postgres FROM {reader}"));
    database.execute("ALTER TABLE refinery_schema_history DISABLE ROW LEVEL SECURITY");
    assert_eq!(as_role(&database, &reader).run().status, 0);
}

#[test]
fn a_history_table_that_a_trigger_secures_is_readable_for_its_owner() {
    let server = Server::start(ServerOptions::new());
    let database = server.database();
    database.execute(EVENT_TRIGGER);
    let owner = database.role("");
    database.execute(&format!("GRANT CREATE ON SCHEMA public TO {owner}"));
    for _ in 0..2 {
        let run = as_role(&database, &owner).run();
        assert_eq!(run.status, 0, "{}", run.stderr);
    }
    let check = as_role(&database, &owner).arg("check").run();
    assert_eq!(check.status, 0, "{}", check.stderr);
    assert_eq!(
        database.rows(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = 'refinery_schema_history'"
        ),
        ["t|f"]
    );
}

#[test]
fn the_owner_is_told_of_forced_row_security() {
    let server = Server::start(ServerOptions::new());
    let database = server.database();
    let owner = database.role("");
    database.execute(&format!("GRANT CREATE ON SCHEMA public TO {owner}"));
    assert_eq!(as_role(&database, &owner).run().status, 0);
    database
        .execute("ALTER TABLE refinery_schema_history ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY");
    let run = as_role(&database, &owner).run();
    assert_eq!(run.status, 4, "{}", run.stderr);
    assert!(
        run.stderr.contains("NO FORCE ROW LEVEL SECURITY"),
        "{}",
        run.stderr
    );
}
