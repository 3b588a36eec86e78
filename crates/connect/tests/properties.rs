//! What holds for every URL.

use proptest::prelude::*;
use zerostarter_connect::url::PostgresUrl;
use zerostarter_settings::Secret;

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
}
