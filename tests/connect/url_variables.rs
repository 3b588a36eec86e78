//! Which of the variables that hold a URL decides, and what is around its value.

use insta::assert_snapshot;

use zerostarter_test_harness::{Command, Server};

const NAMES: [&str; 4] = [
    "POSTGRES_DIRECT_URL",
    "POSTGRES_DIRECT_URL_FILE",
    "POSTGRES_URL",
    "POSTGRES_URL_FILE",
];

/// The places, most important first.
const PLACES: [&str; 4] = ["flag", "environment", ".env.test", ".env"];

/// Sets a variable in a place, to a URL whose database is named after both.
fn set(command: Command, name: &str, place: &str) -> Command {
    let id = format!("{}-{}", name.to_lowercase(), place.trim_start_matches('.'));
    let url = format!("postgres://u@127.0.0.1/{id}");
    let (command, value) = if name.ends_with("_FILE") {
        (command.file(&id, format!("{url}\n")), id)
    } else {
        (command, url)
    };
    match place {
        "flag" if name == "POSTGRES_URL_FILE" => command.args(["--url-file", &value]),
        "flag" => command.args(["--direct-url-file", &value]),
        "environment" => command.env(name, value),
        file => {
            let path = command.directory().join(file);
            let before = std::fs::read_to_string(path).unwrap_or_default();
            command.file(file, format!("{before}{name}={value}\n"))
        }
    }
}

/// Every pair of variables in every pair of places.
#[test]
fn the_more_important_place_decides_whatever_the_variable() {
    let can_be_set = |name: &str, place: &str| place != "flag" || name.ends_with("_FILE");
    let mut cases = 0;
    for one in NAMES {
        for other in NAMES {
            for (rank, place) in PLACES.iter().enumerate() {
                for lower in &PLACES[rank + 1..] {
                    // One name in two places is every other setting's case; few of the rest cost a run each.
                    if one == other || !can_be_set(one, place) || (rank > 0 && *lower != ".env") {
                        continue;
                    }
                    let command = Command::bare().env("NODE_ENV", "test").env("RUST_LOG", "debug");
                    let command = set(set(command, one, place), other, lower);
                    let run = command.arg("env").run();
                    let name = format!("{}-{}", one.to_lowercase(), place.trim_start_matches('.'));
                    let line =
                        format!("\ndatabase: postgres://u@127.0.0.1:5432/{name} (from {one}, {place})\n");
                    assert!(
                        run.stdout.contains(&line),
                        "{one} of {place}, {other} of {lower}: {}{}",
                        run.stdout,
                        run.stderr
                    );
                    cases += 1;
                }
            }
        }
    }
    assert!(cases > 40, "{cases}");
}

#[test]
fn in_one_place_the_direct_url_decides() {
    for place in PLACES {
        let command = Command::bare().env("NODE_ENV", "test");
        let command = set(
            set(command, "POSTGRES_URL_FILE", place),
            "POSTGRES_DIRECT_URL_FILE",
            place,
        );
        let run = command.arg("env").run();
        let source = format!("(from POSTGRES_DIRECT_URL_FILE, {place})");
        assert!(run.stdout.contains(&source), "{}{}", run.stdout, run.stderr);
    }
}

#[test]
fn the_log_names_a_url_that_is_not_used() {
    let database = Server::shared().database();
    let command = Command::bare()
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL", database.url())
        .file(
            ".env",
            "POSTGRES_DIRECT_URL=postgres://u@127.0.0.1:1/wrong\nPOSTGRES_URL_FILE=nosuch\n",
        )
        .arg("check");
    assert_snapshot!(command.snapshot(), @"
    status: 5
    --- stdout
    --- stderr
    [time] INFO  POSTGRES_DIRECT_URL (from .env) is not used: the URL comes from POSTGRES_URL, environment
    [time] INFO  POSTGRES_URL_FILE (from .env) is not used: the URL comes from POSTGRES_URL, environment
    error: 2 migrations are pending: V0000__zero_starter, V0001__waitlist

    hint: run zerostarter-db migrate
    ");
    let run = command.env("RUST_LOG", "zerostarter_db=debug").run();
    let line = "DEBUG the database's URL comes from POSTGRES_URL, environment\n";
    assert!(run.stderr.contains(line), "{}", run.stderr);
}

/// A URL is not mixed with the certificate authority of another place.
#[test]
fn the_ca_of_the_more_important_place_decides() {
    let command = |url: &str| {
        Command::bare()
            .env("NODE_ENV", "test")
            .env("POSTGRES_URL", url)
            .arg("env")
    };
    let url = "postgres://u@127.0.0.1/db?sslmode=verify-full";
    let in_url =
        command(&format!("{url}&sslrootcert=of-url.pem")).file(".env", "POSTGRES_CA_FILE=of-env.pem\n");
    let run = in_url.run();
    assert!(run.stderr.contains("of-url.pem"), "{}", run.stderr);
    let run = in_url.env("POSTGRES_CA_FILE", "of-environment.pem").run();
    assert!(run.stderr.contains("of-environment.pem"), "{}", run.stderr);
    let run = command(url).file(".env", "POSTGRES_CA_FILE=of-env.pem\n").run();
    assert!(run.stderr.contains("of-env.pem"), "{}", run.stderr);
}

#[test]
fn white_space_around_a_value_is_no_part_of_it() {
    let database = Server::shared().database();
    for (before, after) in [
        ("", "\n"),
        ("", "\r\n"),
        (" \t", " "),
        ("\u{feff}", ""),
        ("\n", "\u{a0}\n\n"),
    ] {
        let padded = |value: &str| format!("{before}{value}{after}");
        let command = Command::bare()
            .env("NODE_ENV", padded("test"))
            .env("MIGRATE_WAIT", padded("10s"))
            .env("MIGRATE_CREATE_DATABASE", padded("yes"));
        let by_value = command
            .env("POSTGRES_URL", padded(&database.url()))
            .arg("check")
            .run();
        assert_eq!(by_value.status, 5, "{before:?} {after:?}: {}", by_value.stderr);
        let by_file = Command::bare()
            .env("NODE_ENV", "test")
            .file("url", padded(&database.url()))
            .args(["check", "--url-file", &padded("url")])
            .run();
        assert_eq!(by_file.status, 5, "{before:?} {after:?}: {}", by_file.stderr);
    }
    let empty = Command::bare()
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL", " \n")
        .run();
    assert!(
        empty.stderr.contains("POSTGRES_URL is not set"),
        "{}",
        empty.stderr
    );
}

#[test]
fn a_control_character_inside_a_url_is_an_error() {
    for character in ["\n", "\r\n", "\t", "\u{b}", "\u{1b}", "\u{7f}", "\u{85}"] {
        for url in [
            format!("postgres://u:secret@h/d{character}b"),
            format!("postgres://u:secret@h{character}/db"),
            format!("postgres://u:sec{character}ret@h/db"),
            format!("postgres://u:secret@h/db?application_name=a{character}b"),
        ] {
            let run = Command::bare()
                .env("NODE_ENV", "test")
                .env("POSTGRES_URL", &url)
                .run();
            assert_eq!(run.status, 2, "{url:?}: {}", run.stderr);
            let line = "\n  POSTGRES_URL contains a line break, a tab or another control character\n";
            assert!(run.stderr.contains(line), "{url:?}: {}", run.stderr);
            let file = Command::bare()
                .env("NODE_ENV", "test")
                .env("POSTGRES_URL_FILE", "url")
                .file("url", &url)
                .run();
            assert_eq!(file.status, 2, "{url:?}: {}", file.stderr);
        }
    }
}

/// `docker run --env-file` keeps quotes.
#[test]
fn a_value_in_quotes_is_named() {
    let command = Command::bare()
        .env("NODE_ENV", "'test'")
        .env("POSTGRES_URL", "\"postgres://u:secret@h/db\"")
        .env("POSTGRES_DIRECT_URL_FILE", "'file'")
        .env("POSTGRES_CA_FILE", "\"ca.pem\"")
        .env("MIGRATE_ROLE", "\"owner\"")
        .env("MIGRATE_WAIT", "\"10s\"")
        .env("MIGRATE_ATOMIC", "'yes'");
    assert_snapshot!(command.snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: the configuration cannot be used
      NODE_ENV has its value in quotes
      POSTGRES_DIRECT_URL_FILE has its value in quotes
      POSTGRES_URL has its value in quotes
      POSTGRES_CA_FILE has its value in quotes
      MIGRATE_WAIT has its value in quotes
      MIGRATE_ROLE has its value in quotes
      MIGRATE_ATOMIC has its value in quotes

    hint: remove the quotes: only shells and .env files take them off, docker run --env-file does not
    ");
    let file = Command::bare()
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL_FILE", "url")
        .file("url", "'postgres://u:secret@h/db'\n");
    assert_snapshot!(file.snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: the configuration cannot be used
      POSTGRES_URL_FILE has its value in quotes

    hint: remove the quotes: only shells and .env files take them off, docker run --env-file does not
    ");
}
