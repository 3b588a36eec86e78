//! A password never comes out again, whatever goes wrong and however much is logged.

use std::thread;

use data_encoding::BASE64;
use zerostarter_connect::url::PostgresUrl;
use zerostarter_console::{LogFormat, Output};
use zerostarter_db::config::Config;
use zerostarter_settings::Layer;

use zerostarter_test_harness::{Command, Server, ServerOptions, unused_port, zerostarter_db};

use crate::library::settings;

/// Passwords, raw and as a URL has them.
const CANARIES: &[(&str, &str)] = &[
    ("canary-4f1d", "canary-4f1d"),
    ("c@n/a?r#y%4f 1d", "c%40n%2Fa%3Fr%23y%254f%201d"),
    ("kanarie\"'{}\\ü", "kanarie%22%27%7B%7D%5C%C3%BC"),
];

const MODES: &[&[(&str, &str)]] = &[
    &[("LOG_FORMAT", "text"), ("RUST_LOG", "trace")],
    &[("LOG_FORMAT", "json"), ("RUST_LOG", "trace")],
];

/// Runs in every mode and looks for the canary, in every form in which it could have come out.
fn never_shown(canary: (&str, &str), expected_status: i32, prepare: impl Fn() -> Command) {
    for mode in MODES {
        let command = mode
            .iter()
            .fold(prepare(), |command, (name, value)| command.env(name, value));
        // A server that is there gets all the time that a busy machine needs, one that is not gets little.
        let command = if expected_status == 3 {
            command.env("MIGRATE_WAIT", "200ms")
        } else {
            command
        };
        let run = command.run();
        let output = format!("{}{}", run.stdout, run.stderr);
        assert_eq!(run.status, expected_status, "{output}");
        let in_json = serde_json::to_string(canary.0).expect("JSON");
        let in_base64 = BASE64.encode(canary.0.as_bytes());
        for form in [canary.0, canary.1, in_json.trim_matches('"'), &in_base64] {
            assert!(!output.contains(form), "{form} in {output}");
        }
        assert!(!output.is_empty());
    }
}

fn at(url: &str) -> Command {
    Command::bare()
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL", url)
        .env("MIGRATE_WAIT", "20s")
        .env("MIGRATE_LOCK_WAIT", "100ms")
        .migration("V1__one.sql", "CREATE TABLE one ();")
}

fn scram_server() -> Server {
    let server = Server::start(
        ServerOptions::new()
            .hba("host all all 127.0.0.1/32 scram-sha-256")
            .setting("password_encryption", "scram-sha-256"),
    );
    for (index, (raw, _)) in CANARIES.iter().enumerate() {
        server.execute(
            "postgres",
            &format!(
                "CREATE ROLE role{index} LOGIN SUPERUSER PASSWORD E'{}'",
                raw.replace('\\', "\\\\").replace('\'', "''")
            ),
        );
    }
    server
}

#[test]
fn on_no_path_from_success_to_failure() {
    let server = &scram_server();
    // All at once: each mostly waits, in a database of its own.
    thread::scope(|scope| {
        for (index, canary) in CANARIES.iter().enumerate() {
            scope.spawn(move || never_shown_on_any_path(server, index, *canary));
        }
    });
}

fn never_shown_on_any_path(server: &Server, index: usize, canary: (&str, &str)) {
    let database = server.database();
    let url = |role: &str, port: u16, rest: &str| {
        format!(
            "postgres://{role}:{}@127.0.0.1:{port}/{}{rest}",
            canary.1,
            database.name()
        )
    };
    let role = format!("role{index}");
    let good = || at(&url(&role, server.port(), "?sslmode=disable"));
    let text = canary.0.replace('\'', "''").replace('\\', "\\\\");

    for name in ["status", "plan", "env"] {
        never_shown(canary, 0, || good().arg(name));
    }
    never_shown(canary, 5, || good().arg("check"));
    never_shown(canary, 5, || good().args(["wait", "--timeout", "2s"]));
    never_shown(canary, 3, || at(&url(&role, unused_port(), "")));
    never_shown(canary, 4, || {
        at(&url("nosuch", server.port(), "?sslmode=disable"))
    });
    never_shown(canary, 4, || at(&url(&role, server.port(), "?sslmode=require")));
    never_shown(canary, 4, || {
        at(&url(&role, server.port(), "?sslmode=disable").replace(database.name(), "nosuch"))
    });
    never_shown(canary, 2, || at(&url(&role, server.port(), "?nosuch=1")));
    never_shown(canary, 2, || good().env("MIGRATE_WAIT", canary.0));
    never_shown(canary, 2, || good().env("POSTGRES_CA_FILE", canary.0));
    // The file and the server repeat it.
    never_shown(canary, 1, || {
        good().migration("V1__one.sql", format!("SELECT E'{text}'::int;"))
    });
    never_shown(canary, 2, || {
        good().migration("V1__one.sql", format!("ROLLBACK; -- {text}"))
    });
    never_shown(canary, 1, || {
        good().migration(
            "V1__one.sql",
            format!("DO $d$ BEGIN RAISE NOTICE '%', E'{text}'; RAISE EXCEPTION '%', E'{text}'; END $d$;"),
        )
    });
    // Somebody in the way repeats it.
    database.execute("CREATE TABLE busy ()");
    let session = database.session();
    session.execute(&format!("BEGIN; LOCK TABLE busy; SELECT E'{text}'"));
    let blocked = || {
        good()
            .migration("V1__one.sql", "ALTER TABLE busy ADD a int;")
            .env("MIGRATE_LOCK_TIMEOUT", "500ms")
            .env("MIGRATE_LOCK_RETRIES", "1")
    };
    never_shown(canary, 7, blocked);
    session.execute("COMMIT");
    session.execute("BEGIN; LOCK TABLE busy");
    let role_with = format!("DO $d$ BEGIN PERFORM 'PASSWORD {text}'; END $d$");
    session.execute(&role_with);
    never_shown(canary, 7, blocked);
    session.execute("COMMIT");
    database.execute(&format!("CREATE TABLE refinery_schema_history (version int PRIMARY KEY, name text, applied_on text, checksum text); INSERT INTO refinery_schema_history VALUES (1, E'{text}', NULL, E'{text}')"));
    never_shown(canary, 6, good);
}

#[test]
fn wherever_it_is_written() {
    for canary in CANARIES {
        let port = unused_port();
        let (raw, encoded) = *canary;
        let plain = format!("postgres://127.0.0.1:{port}/db");
        never_shown(*canary, 3, || {
            at(&format!("postgres://u@127.0.0.1:{port}/db?password={encoded}"))
        });
        never_shown(*canary, 3, || {
            at(&plain).env(
                "POSTGRES_DIRECT_URL",
                format!("postgres://u:{encoded}@127.0.0.1:{port}/db"),
            )
        });
        never_shown(*canary, 3, || {
            at("")
                .env("POSTGRES_URL_FILE", "url")
                .file("url", format!("postgres://u:{encoded}@127.0.0.1:{port}/db\n"))
        });
        never_shown(*canary, 3, || {
            at("").file(
                ".env",
                format!("POSTGRES_URL='postgres://u:{encoded}@127.0.0.1:{port}/db'\n"),
            )
        });
        never_shown(*canary, 2, || {
            at("").file(".env", format!("POSTGRES_URL = 'postgres://u:{raw}\n"))
        });
        // In the wrong place.
        never_shown(*canary, 2, || {
            at(&plain).env("POSTGRES_CA_FILE", format!("postgres://u:{encoded}@h/db"))
        });
        never_shown(*canary, 2, || {
            at(&plain).env("POSTGRES_URL_FILE", format!("postgres://u:{encoded}@h/db"))
        });
        never_shown(*canary, 2, || {
            at(&plain).arg(format!("postgres://u:{encoded}@h/db"))
        });
        never_shown(*canary, 2, || {
            at(&plain).arg(format!("--postgres-url=postgres://u:{encoded}@h/db"))
        });
        for variable in [
            "NODE_ENV",
            "MIGRATE_WAIT",
            "MIGRATE_AHEAD",
            "MIGRATE_LOCK_RETRIES",
            "MIGRATE_TARGET",
            "LOG_FORMAT",
            "RUST_LOG",
        ] {
            let command = at(&plain).env(variable, format!("postgres://u:{encoded}@h/db"));
            let run = command.run();
            let output = run.stdout + &run.stderr;
            assert_eq!(run.status, 2, "{variable}: {output}");
            assert!(
                !output.contains(raw) && !output.contains(encoded),
                "{variable}: {output}"
            );
        }
    }
}

/// The end of the URL is missing, and a piece of the password would look like a parameter.
#[test]
fn in_no_url_that_breaks_off() {
    for url in [
        "postgres://u:abc?canary=x",
        "postgres://u:12?canary=x",
        "postgres://u:pa/ss?canary=x",
        "postgres://u?canary=x",
    ] {
        let error = url.parse::<PostgresUrl>().expect_err(url);
        assert!(!format!("{error} {error:?}").contains("canary"), "{url}: {error}");
    }
}

/// Whatever is in the wrong place in a URL, an error tells of the place and not of what is there.
#[test]
fn in_no_malformed_url() {
    let secret = "canary";
    for stray in [
        "",
        "/",
        "?",
        "#",
        "@",
        ":",
        "%",
        "&",
        "=",
        "[",
        "]",
        "//",
        "?a=",
        "@h:5432/db?",
        "%zz",
        " ",
        "\u{0}",
    ] {
        for url in [
            format!("postgres://u:{secret}{stray}{secret}@localhost/db"),
            format!("postgres://u:{stray}{secret}@localhost/db"),
            format!("postgres://u:{secret}{stray}{secret}localhost/db"),
            format!("postgres://{secret}{stray}{secret}"),
            format!("{secret}{stray}{secret}"),
            format!("postgres://u@localhost:{secret}{stray}/db"),
            format!("postgres://u@localhost/db?sslmode={secret}{stray}"),
            format!("postgres://u@localhost/db?{secret}.{stray}=1"),
        ] {
            if let Err(error) = url.parse::<PostgresUrl>() {
                let shown = format!("{error} {error:?} {:?}", error.hint());
                assert!(!shown.contains(secret), "{url}: {shown}");
            }
        }
    }
}

#[test]
fn in_the_debug_form_of_nothing() {
    for (_, encoded) in CANARIES {
        let url = format!("postgres://u:{encoded}@localhost/db?sslmode=disable");
        let layer = Layer::new(
            "environment",
            [("NODE_ENV", "test"), ("POSTGRES_URL", url.as_str())],
        );
        let settings = settings(&[layer]);
        let config = Config::load(&settings, &|path| std::fs::read(path)).expect("a good configuration");
        for shown in [
            format!("{config:?}"),
            format!("{config:#?}"),
            format!("{:?}", config.migrate.database.url),
            config.migrate.database.url.to_string(),
            format!("{:?}", settings.get("POSTGRES_URL")),
        ] {
            assert!(
                !shown.contains(encoded) && !shown.contains("canary-4f1d"),
                "{shown}"
            );
        }
    }
}

/// The other half of the next test: the process that panics.
#[test]
fn panicking() {
    if std::env::var_os("PANIC_WITH").is_some() {
        let format = if std::env::var_os("PANIC_IN_JSON").is_some() {
            LogFormat::Json
        } else {
            LogFormat::Text
        };
        let output = Output::new(format);
        output.report_panics();
        panic!("{}", std::env::var("PANIC_WITH").expect("a text"));
    }
}

#[test]
fn in_no_panic() {
    let panicking = || {
        Command::program(std::env::current_exe().expect("this program"))
            .args(["--exact", "console::secrets::panicking", "--nocapture"])
            .env("PANIC_WITH", "canary-4f1d")
    };
    let in_json = panicking().env("PANIC_IN_JSON", "yes").run();
    assert_eq!(in_json.status, 1, "{}{}", in_json.stdout, in_json.stderr);
    assert!(in_json.stderr.contains("a defect in zerostarter-db") && !in_json.stderr.contains("canary-4f1d"));
    let run = panicking().run();
    assert_eq!(run.status, 1, "{}{}", run.stdout, run.stderr);
    assert!(
        run.stderr
            .contains("this is a defect in zerostarter-db: panic at tests/console/secrets.rs:"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("canary-4f1d"), "{}", run.stderr);
}

/// A password that is a word of our own output is hidden in the values of JSON, and its names stay what they are.
#[test]
fn a_password_changes_no_name_in_json() {
    let database = Server::shared().database();
    for word in ["migrations", "version", "pending", "checksum"] {
        let url = database.url().replace("postgres@", &format!("postgres:{word}@"));
        let run = zerostarter_db(&database)
            .env("POSTGRES_URL", url)
            .migration(&format!("V1__{word}.sql"), "CREATE TABLE one ();")
            .args(["status", "--json"])
            .run();
        assert_eq!(run.status, 0, "{}", run.stderr);
        let document: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
        assert_eq!(document["pending"], 1, "{}", run.stdout);
        let migration = &document["migrations"][0];
        assert_eq!(migration["version"], 1, "{}", run.stdout);
        assert_eq!(migration["name"], "***", "{}", run.stdout);
        assert!(migration["checksum"].is_string(), "{}", run.stdout);
    }
}
