//! The log: text for people, an object a line for machines, on stderr.

use serde_json::Value;

use zerostarter_test_harness::{Command, Run, Server, zerostarter_db};

fn lines(run: &Run) -> Vec<Value> {
    run.stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn json(command: Command) -> (Run, Vec<Value>) {
    let run = command.env("LOG_FORMAT", "json").run();
    let lines = lines(&run);
    (run, lines)
}

#[test]
fn every_line_is_an_object_with_time_level_and_message() {
    let database = Server::shared().database();
    let (run, lines) = json(zerostarter_db(&database));
    assert_eq!((run.status, run.stdout.as_str()), (0, ""));
    assert!(lines.len() >= 4, "{}", run.stderr);
    let time = regex::Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$").expect("a pattern");
    for line in &lines {
        assert!(time.is_match(line["time"].as_str().unwrap_or_default()), "{line}");
        assert_eq!(line["level"], "INFO", "{line}");
        assert!(!line["message"].as_str().unwrap_or_default().is_empty(), "{line}");
    }
    let applied: Vec<&Value> = lines
        .iter()
        .filter(|line| line["migration"].is_string())
        .collect();
    assert_eq!(applied.len(), 2);
    assert_eq!(applied[1]["migration"], "V0001__waitlist");
    assert_eq!(applied[1]["version"], 1);
    assert!(applied[1]["ms"].is_u64());
    assert!(
        lines
            .iter()
            .any(|line| line["wal_position"].is_string() && line["recovery_time"].is_string())
    );
}

#[test]
fn an_error_is_an_object_too() {
    let database = Server::shared().database();
    let (run, lines) = json(zerostarter_db(&database).migration("V1__one.sql", "SELECT nosuch;"));
    let error = lines.last().expect("a line");
    assert_eq!(run.status, 1);
    assert_eq!(error["level"], "ERROR");
    assert_eq!(error["message"], "V1__one failed and was rolled back");
    assert_eq!(error["exit"], 1);
    assert!(
        error["details"].as_array().is_some_and(|details| details
            .iter()
            .any(|line| line == " --> migrations/V1__one.sql:1:8")),
        "{error}"
    );
    assert!(error["hints"].is_array());
    let (run, lines) = json(Command::bare());
    assert_eq!((run.status, lines.len()), (2, 1));
    assert_eq!(lines[0]["exit"], 2);
}

#[test]
fn the_level_decides_what_is_logged() {
    let lines_at = |level: &str| {
        let database = Server::shared().database();
        let url = format!("{}&connection_limit=1", database.url());
        let run = zerostarter_db(&database)
            .env("POSTGRES_URL", url)
            .env("RUST_LOG", level)
            .run();
        assert_eq!(run.status, 0, "{}", run.stderr);
        run.stderr
    };
    assert_eq!(lines_at("off"), "");
    assert_eq!(lines_at("warn"), "");
    assert!(lines_at("info").contains("applied V0001__waitlist"));
    assert!(!lines_at("info").contains("connection_limit"));
    assert!(lines_at("debug").contains("DEBUG the parameter connection_limit of POSTGRES_URL has no effect"));
    assert!(lines_at("error,zerostarter_db=info").contains("applied"));
}

#[test]
fn what_the_server_says_in_between_is_passed_on() {
    let database = Server::shared().database();
    let run = zerostarter_db(&database)
        .migration(
            "V1__one.sql",
            "DO $$ BEGIN RAISE NOTICE 'half way'; RAISE WARNING 'nearly'; END $$;",
        )
        .run();
    assert!(run.stderr.contains("INFO  server: half way"), "{}", run.stderr);
    assert!(run.stderr.contains("WARN  server: nearly"), "{}", run.stderr);
}

/// A terminal that shows the log must not be steered by what a server or a file says.
#[test]
fn no_control_character_reaches_the_terminal() {
    let database = Server::shared().database();
    let run = zerostarter_db(&database)
        .migration(
            "V1__one.sql",
            "DO $$ BEGIN RAISE NOTICE E'\\033[31m red \\r'; END $$;\nSELECT '\u{1b}[2J' nosuch nosuch;",
        )
        .run();
    assert_eq!(run.status, 1);
    assert!(!run.stderr.contains(['\u{1b}', '\r']), "{:?}", run.stderr);
}
