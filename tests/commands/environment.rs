//! Where settings come from, and what is said when they are wrong.

use insta::assert_snapshot;
use zerostarter_connect::config::NodeEnv;
use zerostarter_db::config::Config;
use zerostarter_db::variables;
use zerostarter_settings::Layer;

use zerostarter_test_harness::{Command, Server, zerostarter_db};

use crate::library::settings;

const URL: &str = "postgres://me@127.0.0.1:5432/app?sslmode=disable";

pub(super) fn bare() -> Command {
    Command::bare()
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL", URL)
        .arg("env")
}

pub(super) fn shown(command: &Command, variable: &str) -> String {
    let run = command.run();
    let line = run
        .stdout
        .lines()
        .find(|line| line.starts_with(&format!("{variable}=")) || line.starts_with(&format!("{variable}  ")));
    line.unwrap_or_else(|| panic!("{variable} in {}{}", run.stdout, run.stderr))
        .to_owned()
}

#[test]
fn the_more_important_place_decides() {
    let with = |count: usize| {
        let mut command = bare();
        if count >= 1 {
            command = command.file(".env", "MIGRATE_WAIT=1s\n");
        }
        if count >= 2 {
            command = command.file(".env.test", "MIGRATE_WAIT=2s\n");
        }
        if count >= 3 {
            command = command.env("MIGRATE_WAIT", "3s");
        }
        if count >= 4 {
            command = command.args(["--wait", "4s"]);
        }
        shown(&command, "MIGRATE_WAIT")
    };
    let lines: Vec<String> = (0..5).map(with).collect();
    let expected = [
        "MIGRATE_WAIT=60s  (default)",
        "MIGRATE_WAIT=1s  (.env)",
        "MIGRATE_WAIT=2s  (.env.test)",
        "MIGRATE_WAIT=3s  (environment)",
        "MIGRATE_WAIT=4s  (flag)",
    ];
    assert_eq!(lines, expected);
}

/// In every place, by every name.
#[test]
fn every_variable_is_read_from_every_place() {
    for variable in variables::all() {
        let value = match variable.name {
            "NODE_ENV" => "staging",
            "POSTGRES_URL" | "POSTGRES_DIRECT_URL" | "DATABASE_URL" => URL,
            "POSTGRES_PLAINTEXT_IN_PRODUCTION"
            | "MIGRATE_CREATE_DATABASE"
            | "MIGRATE_ATOMIC"
            | "MIGRATE_STRICT"
            | "STATUS_JSON" => "yes",
            "MIGRATIONS_FORMAT" => "refinery",
            "MIGRATIONS_TABLE" => "a.b",
            "MIGRATE_OUT_OF_ORDER" => "skip",
            "MIGRATE_LOCK_RETRIES" | "MIGRATE_TARGET" => "3",
            "MIGRATE_AHEAD" => "refuse",
            "MIGRATE_UNKNOWN_FILES" => "warn",
            "LOG_FORMAT" => "json",
            "RUST_LOG" => "debug",
            name if name.ends_with("_FILE") || name == "MIGRATIONS_DIR" => "here",
            name if name == "INTERNAL_API_URL" || name == "MIGRATE_ROLE" => "x",
            _ => "7s",
        };
        let text = if variable.secret { "***" } else { value };
        let line = |place: &str| format!("{}={text}  ({place})", variable.name);
        let command = || Command::bare().arg("env");
        let base = command().file(".env", format!("{}={value}\n", variable.name));
        assert_eq!(shown(&base, variable.name), line(".env"));
        let environment = command().env(variable.name, value);
        assert_eq!(shown(&environment, variable.name), line("environment"));
        if variable.name != "NODE_ENV" {
            let specific = command()
                .env("NODE_ENV", "local")
                .file(".env.local", format!("{}={value}\n", variable.name));
            assert_eq!(shown(&specific, variable.name), line(".env.local"));
        }
    }
}

#[test]
fn node_env_may_come_from_the_env_file_and_chooses_the_other_one() {
    let command = Command::bare()
        .file(
            ".env",
            format!("NODE_ENV=staging\nPOSTGRES_URL={URL}\nMIGRATE_WAIT=1s\n"),
        )
        .file(".env.staging", "MIGRATE_WAIT=2s\n")
        .arg("env");
    assert_eq!(shown(&command, "MIGRATE_WAIT"), "MIGRATE_WAIT=2s  (.env.staging)");
    // A name that is no plain word never becomes a path.
    let command = bare()
        .env("NODE_ENV", "../test")
        .file("test", "MIGRATE_WAIT=9s\n")
        .file(".env.test", "MIGRATE_WAIT=9s\n");
    assert_eq!(shown(&command, "MIGRATE_WAIT"), "MIGRATE_WAIT=60s  (default)");
}

/// Of a fraction of a millisecond the server would make 0, which means for ever; and no clock reaches to the end of
/// the longest durations that can be written.
#[test]
fn durations_that_cannot_be_kept_are_refused_wherever_they_come_from() {
    let database = Server::shared().database();
    for (variable, flag, command) in [
        ("MIGRATE_WAIT", "--wait", "migrate"),
        ("MIGRATE_LOCK_WAIT", "--lock-wait", "migrate"),
        ("MIGRATE_LOCK_TIMEOUT", "--lock-timeout", "migrate"),
        ("MIGRATE_LOCK_BUDGET", "--lock-budget", "migrate"),
        ("MIGRATE_STATEMENT_TIMEOUT", "--statement-timeout", "migrate"),
        ("WAIT_TIMEOUT", "--timeout", "wait"),
    ] {
        for (value, complaint) in [
            (
                "999us",
                "is shorter than the millisecond that PostgreSQL counts in",
            ),
            ("1ns", "is shorter than the millisecond that PostgreSQL counts in"),
            (
                "2147483648ms",
                "is longer than the 24 days that PostgreSQL can count",
            ),
            (
                "18446744073709551615s",
                "is longer than the 24 days that PostgreSQL can count",
            ),
        ] {
            let by_variable = zerostarter_db(&database).arg(command).env(variable, value).run();
            assert_eq!(by_variable.status, 2, "{}", by_variable.stderr);
            let line = format!("\n  {variable} {complaint}\n");
            assert!(by_variable.stderr.contains(&line), "{}", by_variable.stderr);
            let by_flag = zerostarter_db(&database).args([command, flag, value]).run();
            assert_eq!(by_flag.status, 2, "{}", by_flag.stderr);
            let [start, end] = [format!("\n  {variable} (from "), format!(") {complaint}\n")];
            assert!(
                by_flag.stderr.contains(&start) && by_flag.stderr.contains(&end),
                "{}",
                by_flag.stderr
            );
        }
    }
    let longest = [
        "MIGRATE_WAIT",
        "MIGRATE_LOCK_WAIT",
        "MIGRATE_LOCK_TIMEOUT",
        "MIGRATE_LOCK_BUDGET",
        "MIGRATE_STATEMENT_TIMEOUT",
        "WAIT_TIMEOUT",
    ]
    .into_iter()
    .fold(zerostarter_db(&database), |command, variable| {
        command.env(variable, "2147483647ms")
    });
    assert_eq!(longest.run().status, 0);
    assert_eq!(longest.arg("wait").run().status, 0);
}

#[test]
fn an_empty_value_counts_as_none() {
    let command = bare()
        .env("MIGRATE_WAIT", "")
        .file(".env", "MIGRATE_WAIT=1s\nMIGRATE_ROLE=\n")
        .env("POSTGRES_DIRECT_URL", "");
    assert_eq!(shown(&command, "MIGRATE_WAIT"), "MIGRATE_WAIT=1s  (.env)");
    assert_eq!(shown(&command, "MIGRATE_ROLE"), "MIGRATE_ROLE  (not set)");
    assert_eq!(command.run().status, 0);
}

#[test]
fn everything_that_is_missing_or_wrong_is_said_in_one_run() {
    assert_snapshot!(Command::bare().snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: the configuration cannot be used
      NODE_ENV is not set
      POSTGRES_URL is not set

    hint: set NODE_ENV to local, development, test, staging or production
    hint: set POSTGRES_URL to postgres://user:password@host:5432/database, or POSTGRES_URL_FILE to a file that holds it
    ");
    let command = Command::bare()
        .env("NODE_ENV", "prod")
        .env("POSTGRES_URL", "mysql://u:secret@h/db")
        .env("POSTGRES_DIRECT_URL", "postgres://h")
        .env("POSTGRES_CA_FILE", "nosuch.pem")
        .env("POSTGRES_PLAINTEXT_IN_PRODUCTION", "maybe")
        .env("MIGRATE_WAIT", "60")
        .env("MIGRATE_LOCK_WAIT", "-1s")
        .env("MIGRATE_LOCK_TIMEOUT", "90days")
        .env("MIGRATE_LOCK_RETRIES", "0")
        .env("MIGRATE_STATEMENT_TIMEOUT", "x")
        .env("MIGRATE_AHEAD", "ignore")
        .env("MIGRATE_UNKNOWN_FILES", "ignore")
        .env("MIGRATE_CREATE_DATABASE", "2")
        .env("WAIT_TIMEOUT", "soon")
        .env("STATUS_JSON", "j")
        .env("RUST_LOG", "loud")
        .file(".env", "MIGRATE_TARGET=one\n")
        .args(["--log-format", "xml"]);
    assert_snapshot!(command.snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: the configuration cannot be used
      NODE_ENV is not local, development, test, staging or production
      POSTGRES_DIRECT_URL names no database
      POSTGRES_URL does not begin with postgres:// or postgresql://
      POSTGRES_PLAINTEXT_IN_PRODUCTION is not yes or no
      POSTGRES_CA_FILE names a file that cannot be read: nosuch.pem: No such file or directory (os error 2)
      MIGRATE_WAIT is not a duration such as [ms], 30s or 10m
      MIGRATE_LOCK_WAIT is not a duration such as [ms], 30s or 10m
      MIGRATE_LOCK_TIMEOUT is longer than the 24 days that PostgreSQL can count
      MIGRATE_LOCK_RETRIES is not a whole number of attempts, 1 or more
      MIGRATE_STATEMENT_TIMEOUT is not a duration such as [ms], 30s or 10m
      MIGRATE_AHEAD is not allow or refuse
      MIGRATE_UNKNOWN_FILES is not warn or refuse
      MIGRATE_TARGET (from .env) is not the version of a migration, such as 1
      MIGRATE_CREATE_DATABASE is not yes or no
      WAIT_TIMEOUT is not a duration such as [ms], 30s or 10m
      STATUS_JSON is not yes or no
      LOG_FORMAT (from flag) is not text or json
      RUST_LOG is not a level (error, warn, info, debug, trace, off) or a list of target=level

    hint: end the address with /NAME, as in postgres://user@host:5432/NAME
    ");
}

#[test]
fn the_url_may_be_in_a_file() {
    let database = Server::shared().database();
    let with = |content: &[u8]| {
        Command::bare()
            .env("NODE_ENV", "test")
            .env("POSTGRES_URL_FILE", "secret")
            .file("secret", content)
            .run()
    };
    for content in [
        database.url(),
        format!("{}\n", database.url()),
        format!("{}\r\n", database.url()),
    ] {
        assert_eq!(with(content.as_bytes()).status, 0);
    }
    assert_eq!(with(b"\xff").status, 2);
    assert_eq!(with(b"").status, 2);
    let command = Command::bare()
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL_FILE", "nosuch")
        .env("POSTGRES_DIRECT_URL_FILE", ".");
    assert_snapshot!(command.snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: the configuration cannot be used
      POSTGRES_DIRECT_URL_FILE names a file that cannot be read: .: Is a directory (os error 21)
      POSTGRES_URL_FILE names a file that cannot be read: nosuch: No such file or directory (os error 2)
    ");
}

#[test]
fn of_url_and_file_the_more_important_place_decides_and_one_place_has_one() {
    let file = "postgres://file@127.0.0.1/app";
    let used = |command: Command| {
        let run = command.file("secret", file).arg("env").run();
        let line = run
            .stdout
            .lines()
            .find(|line| line.starts_with("database: "))
            .map(str::to_owned);
        line.unwrap_or(run.stderr)
    };
    let test = || Command::bare().env("NODE_ENV", "test");
    let from_file = "database: postgres://file@127.0.0.1:5432/app (from POSTGRES_URL_FILE, environment)";
    let from_value = "database: postgres://me@127.0.0.1:5432/app (from POSTGRES_URL, environment)";
    assert_eq!(
        used(
            test()
                .env("POSTGRES_URL_FILE", "secret")
                .file(".env", format!("POSTGRES_URL={URL}\n"))
        ),
        from_file
    );
    assert_eq!(
        used(
            test()
                .env("POSTGRES_URL", URL)
                .file(".env", "POSTGRES_URL_FILE=secret\n")
        ),
        from_value
    );
    assert!(
        used(test().env("POSTGRES_URL", URL).env("POSTGRES_URL_FILE", "secret")).contains("are both set")
    );
    let direct = test()
        .env("POSTGRES_URL", URL)
        .env("POSTGRES_DIRECT_URL", "postgres://direct@127.0.0.1/app");
    assert_eq!(
        used(direct),
        "database: postgres://direct@127.0.0.1:5432/app (from POSTGRES_DIRECT_URL, environment)"
    );
}

/// A function of its arguments alone: no variable of this process, no file but through the reader.
#[test]
fn the_configuration_is_a_function_of_its_variables() {
    let layers = [
        Layer::new("one", [("NODE_ENV", "local"), ("POSTGRES_URL_FILE", "/the/file")]),
        Layer::new("two", [("MIGRATE_WAIT", "5s"), ("NODE_ENV", "production")]),
    ];
    let read = |path: &std::path::Path| {
        assert_eq!(path.to_str(), Some("/the/file"));
        Ok(URL.as_bytes().to_vec())
    };
    let config = Config::load(&settings(&layers), &read)
        .expect("a good configuration")
        .migrate;
    assert_eq!(config.database.node_env, NodeEnv::Local);
    assert_eq!(config.wait.as_secs(), 5);
    assert_eq!(config.database.url.database, "app");
}

/// compose.yaml has a password that works at once, on one's own machine.
#[test]
fn the_local_password_is_refused_in_production() {
    let compose = include_str!("../../compose.yaml");
    let password = "local-development-only";
    assert!(compose.contains(&format!(":-{password}}}")));
    let command = bare().env("NODE_ENV", "production").env(
        "POSTGRES_URL",
        format!("postgres://u:{password}@db.example.com/d"),
    );
    assert_snapshot!(command.snapshot(), @"
    status: 2
    --- stdout
    NODE_ENV=production  (environment)
    POSTGRES_URL=***  (environment)
    POSTGRES_URL_FILE  (not set)
    POSTGRES_DIRECT_URL  (not set)
    POSTGRES_DIRECT_URL_FILE  (not set)
    DATABASE_URL  (not set)
    DATABASE_URL_FILE  (not set)
    INTERNAL_API_URL  (not set)
    POSTGRES_CA_FILE  (not set)
    POSTGRES_PLAINTEXT_IN_PRODUCTION=no  (default)
    MIGRATIONS_DIR  (not set)
    MIGRATE_UNKNOWN_FILES=refuse  (default)
    MIGRATIONS_FORMAT=auto  (default)
    MIGRATIONS_TABLE=drizzle.__drizzle_migrations  (default)
    MIGRATE_OUT_OF_ORDER=auto  (default)
    MIGRATE_STRICT=no  (default)
    MIGRATE_WAIT=60s  (default)
    MIGRATE_LOCK_WAIT=10m  (default)
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
    --- stderr
    error: the configuration cannot be used
      POSTGRES_URL has the default password of compose.yaml, which is public, and this is production

    hint: set POSTGRES_PASSWORD to another password
    ");
}
