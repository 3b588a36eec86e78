//! What holds for every URL and every file, not only for those that somebody thought of.

use proptest::prelude::*;
use zerostarter_db::postgres_url::{PostgresUrl, Secret};
use zerostarter_db::statement::{line_and_column, split};

/// Percent-encodes everything that could mean something in a URL.
fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn text() -> impl Strategy<Value = String> {
    "[^\u{0}]{1,20}"
}

fn hosts() -> impl Strategy<Value = Vec<(String, Option<u16>)>> {
    let name = prop_oneof![
        "[a-z][a-z0-9_.-]{0,20}",
        Just("localhost".to_owned()),
        Just("127.0.0.1".to_owned())
    ];
    prop::collection::vec((name, prop::option::of(1..=u16::MAX)), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn a_url_that_is_put_together_comes_apart_again(user in text(), password in text(), hosts in hosts(), database in text(), name in text()) {
        let listed: Vec<String> = hosts.iter().map(|(name, port)| match port {
            Some(port) => format!("{name}:{port}"),
            None => name.clone(),
        }).collect();
        let url = format!(
            "postgres://{}:{}@{}/{}?application_name={}&sslmode=require",
            encode(&user), encode(&password), listed.join(","), encode(&database), encode(&name)
        );
        let parsed: PostgresUrl = url.parse().unwrap();
        prop_assert_eq!(parsed.user, Some(user));
        prop_assert_eq!(parsed.password.as_ref().map(Secret::expose), Some(password.as_str()));
        prop_assert_eq!(parsed.database, database);
        prop_assert_eq!(parsed.parameters.application_name, Some(name));
        let found: Vec<(String, u16)> = parsed.hosts.into_iter().map(|host| (host.written, host.port)).collect();
        let expected: Vec<(String, u16)> = hosts.into_iter().map(|(name, port)| (name, port.unwrap_or(5432))).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn no_text_makes_the_url_reader_panic(text in any::<String>(), head in prop_oneof![Just("postgres://"), Just("postgresql://u:p@"), Just("")]) {
        let _ = format!("{head}{text}").parse::<PostgresUrl>();
    }

    /// Written as careless people do, unencoded: the password comes out neither of an error nor of what
    /// is shown of a URL that was understood.
    #[test]
    fn a_password_is_never_echoed(before in "[@:/?#%&=,a-z0-9 \\[\\]]{0,6}", after in "[@:/?#%&=,a-z0-9 \\[\\]]{0,6}") {
        const CANARY: &str = "Kanarie7";
        let url = format!("postgres://user:{before}{CANARY}{after}@host.example.com/db?sslmode=require");
        match url.parse::<PostgresUrl>() {
            Ok(parsed) => prop_assert!(!format!("{parsed} {parsed:?} {}", parsed.servers()).contains(CANARY), "{}", url),
            Err(error) => prop_assert!(!format!("{error} {error:?} {:?}", error.hint()).contains(CANARY), "{}", url),
        }
    }

    #[test]
    fn no_text_makes_the_splitter_panic(sql in any::<String>()) {
        let _ = split(&sql);
    }

    /// Statements are in order, do not overlap, and leave nothing but white space, comments and semicolons.
    #[test]
    fn statements_cover_the_file(pieces in prop::collection::vec(prop_oneof![
        Just("SELECT 1"), Just(";"), Just(" "), Just("\n"), Just("-- c;\n"), Just("/* ; */"), Just("';'"), Just("\";\""),
        Just("$$ ; $$"), Just("$a$ ; $a$"), Just("("), Just(")"), Just("BEGIN ATOMIC"), Just("CREATE FUNCTION f()"), Just("END"), Just("CASE"),
        Just("E'\\''"), Just("é"),
    ], 0..24)) {
        let sql = pieces.join(" ");
        let Ok(statements) = split(&sql) else { return Ok(()) };
        let mut end = 0;
        for statement in &statements {
            prop_assert!(statement.span.start >= end && statement.span.end > statement.span.start);
            let between = &sql[end..statement.span.start];
            prop_assert!(split(between).unwrap().is_empty(), "{:?} in {:?}", between, sql);
            end = statement.span.end;
            let (line, column) = line_and_column(&sql, statement.span.start);
            let found = sql.lines().nth(line - 1).unwrap().chars().nth(column - 1);
            prop_assert_eq!(found, sql[statement.span.start..].chars().next());
        }
        prop_assert!(split(&sql[end..]).unwrap().is_empty());
    }

    #[test]
    fn statements_that_are_joined_come_apart_again(statements in prop::collection::vec(prop_oneof![
        Just("SELECT 1"), Just("INSERT INTO t VALUES (';')"), Just("DO $$ BEGIN; END; $$"), Just("CREATE TABLE \"a;b\" (c text DEFAULT E'\\';')"),
        Just("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END"),
        Just("CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)"),
    ], 0..8), between in prop_oneof![Just(";"), Just(" ; "), Just(";\n"), Just("; -- x;\n"), Just(" /* ; */ ;;")]) {
        let sql = statements.join(between);
        let found: Vec<&str> = split(&sql).unwrap().into_iter().map(|statement| &sql[statement.span]).collect();
        prop_assert_eq!(found, statements);
    }
}
