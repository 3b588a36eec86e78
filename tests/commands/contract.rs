//! The commands: what they print, what they exit with, and what they leave alone.

use std::fs::File;
use std::process::{Command as Process, Stdio};

use insta::assert_snapshot;
use serde_json::Value;
use zerostarter_db::{cli, variables};
use zerostarter_diagnostic::ExitStatus;

use zerostarter_test_harness::{Command, Database, Server, unused_port, workspace, zerostarter_db};

const BINARY: &str = env!("CARGO_BIN_EXE_zerostarter-db");

const STATUSES: [ExitStatus; 8] = [
    ExitStatus::Success,
    ExitStatus::Failed,
    ExitStatus::Usage,
    ExitStatus::Unreachable,
    ExitStatus::Refused,
    ExitStatus::Pending,
    ExitStatus::Conflict,
    ExitStatus::Blocked,
];

fn two(database: &Database) -> Command {
    zerostarter_db(database)
        .migration("V1__one.sql", "CREATE TABLE one ();\n")
        .migration("V2__two.sql", "CREATE TABLE two ();\n")
}

/// The first of [`two`] is applied, the second is pending.
fn half() -> Database {
    let database = Server::shared().database();
    assert_eq!(two(&database).env("MIGRATE_TARGET", "1").run().status, 0);
    database
}

#[test]
fn migrate_is_the_default_and_may_be_named() {
    let database = Server::shared().database();
    assert_snapshot!(zerostarter_db(&database).snapshot(), @"
    status: 0
    --- stdout
    --- stderr
    [time] INFO  2 of 2 migrations are pending in [db], schema public
    [time] INFO  recovery point: [lsn] at [time], for a point-in-time recovery from a backup
    [time] INFO  applied V0000__zero_starter in [ms]
    [time] INFO  applied V0001__waitlist in [ms]
    ");
    assert_snapshot!(zerostarter_db(&database).arg("migrate").snapshot(), @"
    status: 0
    --- stdout
    --- stderr
    [time] INFO  nothing to do: the database has all migrations up to V0001__waitlist
    ");
}

#[test]
fn status_shows_every_migration() {
    let database = half();
    assert_snapshot!(two(&database).arg("status").snapshot(), @"
    status: 0
    --- stdout
    V1__one  applied       [time]
    V2__two  pending
    --- stderr
    ");
    let fresh = Server::shared().database();
    assert_snapshot!(two(&fresh).arg("status").snapshot(), @"
    status: 0
    --- stdout
    V1__one  pending
    V2__two  pending
    --- stderr
    ");
    assert!(fresh.catalog().is_empty() && fresh.history().is_empty());
}

#[test]
fn status_in_json_is_for_programs() {
    let database = half();
    let run = two(&database).args(["status", "--json"]).run();
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(document["database"], database.name());
    assert_eq!(document["schema"], "public");
    assert_eq!(document["pending"], 1);
    assert_eq!(document["standby"], false);
    let [one, two] = document["migrations"].as_array().expect("a list").as_slice() else {
        panic!("{document}")
    };
    assert_eq!(
        (&one["state"], &one["version"], &one["name"]),
        (&"applied".into(), &1.into(), &"one".into())
    );
    assert_eq!(one["checksum"], one["applied_checksum"]);
    assert!(one["applied_on"].is_string() && two["applied_on"].is_null());
    assert_eq!(
        (&two["state"], &two["file"]),
        (&"pending".into(), &"migrations/V2__two.sql".into())
    );
}

#[test]
fn status_shows_a_conflict_and_fails_with_it() {
    let database = half();
    let command = zerostarter_db(&database)
        .migration("V1__one.sql", "CREATE TABLE uno ();")
        .migration("V0__zero.sql", "")
        .arg("status");
    assert_snapshot!(command.filter(r"[0-9T:.-]{20,}Z", "[time]").snapshot(), @"
    status: 6
    --- stdout
    V0__zero  out of order
    V1__one   edited        [time]
    --- stderr
    error: the history table and the migrations disagree
      migrations/V1__one.sql was edited after it was applied: the history table has V1__one with checksum 891885419183434929, the file is V1__one with checksum 1777257818031765527
      migrations/V0__zero.sql is not applied, and its version is lower than the last applied one, V1__one

    hint: restore the file as it was applied (CRLF line ends change the checksum), and put the change into a new migration
    hint: give the file a version above the last applied one; probably two branches used the same numbers
    ");
}

#[test]
fn check_tells_by_its_status() {
    let database = half();
    assert_snapshot!(two(&database).arg("check").snapshot(), @"
    status: 5
    --- stdout
    --- stderr
    error: 1 migration is pending: V2__two

    hint: run zerostarter-db migrate
    ");
    assert_eq!(two(&database).run().status, 0);
    assert_snapshot!(two(&database).arg("check").snapshot(), @"
    status: 0
    --- stdout
    --- stderr
    [time] INFO  nothing is pending
    ");
}

#[test]
fn wait_blocks_until_another_has_migrated() {
    let database = half();
    let mut waiting = two(&database).arg("wait").start();
    waiting.wait_for_stderr("waiting until V2__two is applied (for up to ");
    assert!(!waiting.has_ended());
    assert_eq!(two(&database).run().status, 0);
    let run = waiting.wait();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stderr.ends_with("nothing is pending\n"), "{}", run.stderr);
}

#[test]
fn wait_gives_up_after_its_time() {
    let database = half();
    let run = two(&database).args(["wait", "--timeout", "1500ms"]).run();
    assert_eq!(run.status, 5, "{}", run.stderr);
    assert!(
        run.stderr.contains("error: 1 migration is pending: V2__two\n"),
        "{}",
        run.stderr
    );
    let unreachable = Command::bare()
        .env("NODE_ENV", "test")
        .env(
            "POSTGRES_URL",
            format!("postgres://u@127.0.0.1:{}/db", unused_port()),
        )
        .args(["wait", "--timeout", "200ms"]);
    assert_eq!(unreachable.run().status, 3);
}

#[test]
fn plan_shows_the_sql_and_changes_nothing() {
    let database = half();
    let before = (database.catalog(), database.history());
    assert_snapshot!(two(&database).arg("plan").snapshot(), @"
    status: 0
    --- stdout
    -- migrations/V2__two.sql, in its own transaction
    CREATE TABLE two ();

    --- stderr
    ");
    assert_eq!((database.catalog(), database.history()), before);
    assert_eq!(
        two(&database)
            .migration("V3__bad.sql", "ROLLBACK;")
            .arg("plan")
            .run()
            .status,
        2
    );
    assert_eq!(two(&database).run().status, 0);
    assert_snapshot!(two(&database).arg("plan").snapshot(), @"
    status: 0
    --- stdout
    -- nothing is pending
    --- stderr
    ");
}

#[test]
fn env_shows_the_settings_and_their_places() {
    let command = Command::bare()
        .file(
            ".env",
            "NODE_ENV=staging\nMIGRATE_WAIT=5s\nPOSTGRES_URL=postgres://me:secret@localhost/app\n",
        )
        .file(".env.staging", "MIGRATE_WAIT=6s\n")
        .env("INTERNAL_API_URL", "http://api:4000")
        .args(["env", "--lock-wait", "1s"]);
    assert_snapshot!(command.snapshot(), @"
    status: 0
    --- stdout
    NODE_ENV=staging  (.env)
    POSTGRES_URL=***  (.env)
    POSTGRES_URL_FILE  (not set)
    POSTGRES_DIRECT_URL  (not set)
    POSTGRES_DIRECT_URL_FILE  (not set)
    DATABASE_URL  (not set)
    DATABASE_URL_FILE  (not set)
    INTERNAL_API_URL=***  (environment)
    POSTGRES_CA_FILE  (not set)
    POSTGRES_PLAINTEXT_IN_PRODUCTION=no  (default)
    MIGRATIONS_DIR  (not set)
    MIGRATE_UNKNOWN_FILES=refuse  (default)
    MIGRATIONS_FORMAT=auto  (default)
    MIGRATIONS_TABLE=drizzle.__drizzle_migrations  (default)
    MIGRATE_OUT_OF_ORDER=auto  (default)
    MIGRATE_STRICT=no  (default)
    MIGRATE_WAIT=6s  (.env.staging)
    MIGRATE_LOCK_WAIT=1s  (flag)
    MIGRATE_LOCK_TIMEOUT=2s  (default)
    MIGRATE_LOCK_BUDGET=4s  (default)
    MIGRATE_LOCK_RETRIES=10  (default)
    MIGRATE_STATEMENT_TIMEOUT=none  (default)
    MIGRATE_AHEAD=allow  (default)
    MIGRATE_ROLE  (not set)
    MIGRATE_TARGET  (not set)
    WAIT_TIMEOUT  (not set)
    STATUS_JSON=no  (default)
    MIGRATE_CREATE_DATABASE=no  (default)
    MIGRATE_ATOMIC=no  (default)
    MIGRATE_REPORT  (not set)
    TERMINATION_LOG=/dev/termination-log  (default)
    LOG_FORMAT=text  (default)
    RUST_LOG=info  (default)

    database: postgres://me:***@host.docker.internal:5432/app (from POSTGRES_URL, .env)
    TLS: if the server has it, nothing verified
    --- stderr
    ");
    assert_eq!(Command::bare().arg("env").run().status, 2);
}

#[test]
fn the_help_is_this() {
    assert_snapshot!(Command::bare().arg("--help").snapshot(), @"
    status: 0
    --- stdout
    Applies the pending migrations to a PostgreSQL database, and exits.

    Start your app when it has exited with 0. It waits for the database. Several instances can start at
    the same time. If nothing is pending, it changes nothing.

    Usage: zerostarter-db [OPTIONS] [COMMAND]

    Commands:
      migrate      Apply what is pending (the default)
      status       Show every migration and its state
      check        Exit with 0 if nothing is pending, else with 5; changes nothing
      wait         Wait until nothing is pending: for replicas that start beside the migrator
      plan         Show what migrate would run, with its SQL; changes nothing
      env          Show the settings in force and where each comes from, without secrets
      resolve      Decide whether an interrupted migration is applied or pending
      adopt        Record migrations of a Drizzle folder without running them; without arguments, show
                   which
      completions  Print a completion script for a shell
      help         Print this message or the help of the given subcommand(s)

    Options:
          --node-env <NAME>
              local, development, test, staging or production [env: NODE_ENV]

          --url-file <PATH>
              File that holds the database's URL, in place of POSTGRES_URL [env: POSTGRES_URL_FILE]

          --direct-url-file <PATH>
              File that holds the URL of a direct connection, in place of POSTGRES_DIRECT_URL [env:
              POSTGRES_DIRECT_URL_FILE]

          --ca-file <PATH>
              PEM file of the CA to trust in place of Mozilla's list [env: POSTGRES_CA_FILE]

          --dir <PATH>
              Read migrations from this directory [env: MIGRATIONS_DIR] [default: the embedded
              migrations]

          --unknown-files <CHOICE>
              warn of or refuse files in MIGRATIONS_DIR that look like migrations of another tool [env:
              MIGRATE_UNKNOWN_FILES] [default: refuse]

          --format <CHOICE>
              auto, drizzle or refinery: whose migrations MIGRATIONS_DIR holds [env: MIGRATIONS_FORMAT]
              [default: auto]

          --table <SCHEMA.TABLE>
              Drizzle's table of applied migrations, with its schema [env: MIGRATIONS_TABLE] [default:
              drizzle.__drizzle_migrations]

          --out-of-order <CHOICE>
              auto, apply, skip or refuse an entry of a Drizzle folder that is older than the last
              applied one [env: MIGRATE_OUT_OF_ORDER] [default: auto]

          --strict
              yes refuses what a run of a Drizzle folder otherwise warns of [env: MIGRATE_STRICT=yes]

          --wait <DURATION>
              How long to wait for the database [env: MIGRATE_WAIT] [default: 60s]

          --lock-wait <DURATION>
              How long to wait for another migrator [env: MIGRATE_LOCK_WAIT] [default: 10m]

          --lock-timeout <DURATION>
              How long a migration waits for one lock [env: MIGRATE_LOCK_TIMEOUT] [default: 2s]

          --lock-budget <DURATION>
              How long one attempt waits for locks in total [env: MIGRATE_LOCK_BUDGET] [default: 4s]

          --lock-retries <NUMBER>
              How many attempts a blocked migration has [env: MIGRATE_LOCK_RETRIES] [default: 10]

          --statement-timeout <DURATION>
              How long a statement may run [env: MIGRATE_STATEMENT_TIMEOUT] [default: none]

          --ahead <CHOICE>
              allow or refuse a database that is ahead of this program [env: MIGRATE_AHEAD] [default:
              allow]

          --role <ROLE>
              Role that runs the migrations and owns what they create [env: MIGRATE_ROLE]

          --termination-log <PATH>
              Write the final error to this file, if it exists [env: TERMINATION_LOG] [default:
              /dev/termination-log]

          --log-format <FORMAT>
              text or json [env: LOG_FORMAT] [default: text]

          --log-level <LEVEL>
              error, warn, info, debug, trace or off [env: RUST_LOG] [default: info]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Settings come from flags, then the environment, then .env.$NODE_ENV, then .env.
    Set NODE_ENV and POSTGRES_URL (or POSTGRES_URL_FILE); `zerostarter-db env` shows the settings in
    force.
    Logs go to stderr, data goes to stdout.

    Exit status:
      0  done; for check and wait: nothing is pending
      1  a migration failed, or the database answered with an unexpected error
      2  the command line, a variable or a migration file cannot be used
      3  the database could not be reached within MIGRATE_WAIT
      4  the database refused: password, TLS, privilege, missing database, standby
      5  migrations are pending (check; wait when its timeout is over)
      6  the history table and the migrations disagree
      7  blocked by another migrator or a table lock until the limit
      129, 130, 143  SIGHUP, SIGINT, SIGTERM: the running migration was cancelled and rolled back
    --- stderr
    ");
}

#[test]
fn help_teaches() {
    let help = Command::bare().arg("--help").run();
    assert_eq!((help.status, help.stderr.as_str()), (0, ""));
    for status in STATUSES {
        assert!(
            help.stdout.contains(&format!("\n  {}  ", status.code())),
            "{status:?}"
        );
    }
    for command in cli::command().get_subcommands() {
        assert!(
            help.stdout.contains(&format!("\n  {}", command.get_name())),
            "{}",
            command.get_name()
        );
        let own = Command::bare().args([command.get_name(), "--help"]).run();
        assert_eq!(own.status, 0);
    }
    assert_snapshot!(Command::bare().arg("--version").snapshot(), @"
    status: 0
    --- stdout
    zerostarter-db [version]
    --- stderr
    ");
}

/// The row of a variable in the README's table.
fn row<'a>(readme: &'a str, name: &str) -> Vec<&'a str> {
    let rows = readme
        .lines()
        .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    let mut found = rows.filter(|cells| {
        let names = cells
            .get(1)
            .is_some_and(|cell| cell.split(", ").any(|cell| cell == format!("`{name}`")));
        names && cells.len() == 5
    });
    let row = found
        .next()
        .unwrap_or_else(|| panic!("{name} in the table of README.md"));
    assert!(found.next().is_none(), "{name} twice in README.md");
    row
}

/// The tables of variables are the only place that declares them. Help, README and `.env.example` say the same.
#[test]
fn every_variable_is_documented() {
    let readme = std::fs::read_to_string(workspace().join("README.md")).expect("the README");
    let example = std::fs::read_to_string(workspace().join(".env.example")).expect("the example");
    let subcommands = ["--help", "migrate", "wait", "status", "plan"];
    let help: String = subcommands
        .iter()
        .map(|name| Command::bare().args([*name, "--help"]).run().stdout)
        .collect();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for variable in variables::all() {
        let name = variable.name;
        let row = row(&readme, name);
        let (meaning, default) = (row[2], row[3]);
        assert!(!meaning.is_empty(), "{name} has no meaning in README.md");
        let written = example.lines().any(|line| {
            let line = line.strip_prefix("# ").unwrap_or(line);
            variable
                .default
                .map_or(line.starts_with(&format!("{name}=")), |default| {
                    line == format!("{name}={default}")
                })
        });
        assert!(written, "{name} in .env.example");
        if let Some(text) = variable.default {
            assert_eq!(default, format!("`{text}`"), "the default of {name} in README.md");
        }
        let Some(flag) = variable.flag else {
            assert!(!help.contains(&format!("[env: {name}]")), "{name} in --help");
            continue;
        };
        let placeholder = flag.value.map(|value| format!(" <{value}>")).unwrap_or_default();
        assert!(
            help.contains(&format!("--{}{placeholder} {}", flag.name, variable.help)),
            "--{} in --help",
            flag.name
        );
        let shown = match (flag.value, variable.default_in_words.or(variable.default)) {
            (None, _) => format!("[env: {name}=yes]"),
            (Some(_), None) => format!("[env: {name}]"),
            (Some(_), Some(default)) => format!("[env: {name}] [default: {default}]"),
        };
        assert!(help.contains(&shown), "{shown} in --help");
    }
    for status in STATUSES {
        assert!(
            readme.contains(&format!("\n| {} |", status.code())),
            "{status:?} in README.md"
        );
    }
}

/// `env` lists the variables in the order of their tables.
#[test]
fn the_settings_in_force_are_listed_in_the_order_of_their_tables() {
    let run = Command::bare()
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL", "postgres://u@localhost/db")
        .arg("env")
        .run();
    let listed: Vec<&str> = run
        .stdout
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split(['=', ' ']).next())
        .collect();
    let declared: Vec<&str> = variables::all().map(|variable| variable.name).collect();
    assert_eq!(listed, declared);
}

#[test]
fn the_example_of_an_env_file_works() {
    let database = Server::shared().database();
    let example = std::fs::read(workspace().join(".env.example")).expect("the example");
    let run = Command::bare()
        .file(".env", example)
        .env("POSTGRES_URL", database.url())
        .run();
    assert_eq!(run.status, 0, "{}", run.stderr);
}

#[test]
fn a_command_line_that_cannot_be_read_is_answered_with_a_hint() {
    assert_snapshot!(Command::bare().arg("stauts").snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: unrecognized subcommand 'stauts'
      Usage: zerostarter-db [OPTIONS] [COMMAND]

    hint: a similar subcommand exists: 'status'
    hint: run zerostarter-db --help for the commands and flags
    ");
    assert_snapshot!(Command::bare().args(["migrate", "--tarqet", "1"]).snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: unexpected argument '--tarqet' found
      Usage: zerostarter-db migrate --target <VERSION>

    hint: a similar argument exists: '--target'
    hint: run zerostarter-db --help for the commands and flags
    ");
    assert_snapshot!(Command::bare().args(["completions", "tcsh"]).snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: invalid value 'tcsh' for '<SHELL>'
      [possible values: bash, elvish, fish, powershell, zsh]

    hint: a similar value exists: 'zsh'
    hint: run zerostarter-db --help for the commands and flags
    ");
}

#[test]
fn completions_complete_in_a_real_shell() {
    for shell in ["bash", "zsh", "fish", "elvish"] {
        // Whatever is wrong with the settings is of no interest here.
        let run = Command::bare()
            .file(".env", "no line of this kind")
            .args(["completions", shell])
            .run();
        assert_eq!(run.status, 0, "{shell}");
        assert!(
            run.stdout.contains("zerostarter-db") && run.stdout.contains("lock-wait"),
            "{shell}"
        );
    }
    let script = "source <(\"$0\" completions bash); COMP_WORDS=(zerostarter-db sta); COMP_CWORD=1; \
                  _zerostarter__db zerostarter-db sta zerostarter-db; echo \"${COMPREPLY[@]}\"";
    let run = Command::program("/bin/bash").args(["-c", script, BINARY]).run();
    assert_eq!(
        (run.status, run.stdout.as_str()),
        (0, "status\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn output_that_nobody_reads_is_no_failure_and_output_that_fails_is() {
    let database = half();
    let status = |stdout: Stdio| {
        let command = two(&database).arg("status");
        Process::new(BINARY)
            .arg("status")
            .current_dir(command.directory())
            .env_clear()
            .env("NODE_ENV", "test")
            .env("POSTGRES_URL", database.url())
            .env("MIGRATIONS_DIR", "migrations")
            .stdout(stdout)
            .stderr(Stdio::null())
            .status()
            .expect("to run")
            .code()
    };
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    assert_eq!(status(Stdio::from(writer)), Some(0));
    assert_eq!(
        status(Stdio::from(File::create("/dev/full").expect("/dev/full"))),
        Some(1)
    );
}
