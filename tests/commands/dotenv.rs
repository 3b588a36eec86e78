//! `.env` files, which belong to the application.

use insta::assert_snapshot;

use zerostarter_test_harness::{Command, Server};

use super::environment::{bare, shown};

#[test]
fn quotes_comments_and_substitutions_are_read() {
    let command = bare()
        .file(".env", "BASE=/of/env\n")
        .file(
            ".env.test",
            "# a comment\r\nexport MIGRATE_ROLE=\"with space\" # more\r\nMIGRATIONS_DIR='pa$word'\r\n\
             MIGRATE_TARGET: 4\r\nMIGRATE_REPORT=${NOSUCH:-$OUTER$BASE/report}\r\n",
        )
        .env("OUTER", "/outer");
    assert_eq!(
        shown(&command, "MIGRATE_ROLE"),
        "MIGRATE_ROLE=with space  (.env.test)"
    );
    assert_eq!(
        shown(&command, "MIGRATIONS_DIR"),
        "MIGRATIONS_DIR=pa$word  (.env.test)"
    );
    assert_eq!(shown(&command, "MIGRATE_TARGET"), "MIGRATE_TARGET=4  (.env.test)");
    assert_eq!(
        shown(&command, "MIGRATE_REPORT"),
        "MIGRATE_REPORT=/outer/of/env/report  (.env.test)"
    );
}

/// What an application has there, and what nobody can read.
const APPLICATION: &str = "\u{feff}APP_NAME=My App\nFOO-BAR=1\nJSON={\"a\": [1, 2]}\nTITLE=\"unclosed\nsecret line\n\
    ${X:?secret}=1\nPORT=${PORT:-3000}\nKEY='-----BEGIN\nsecret\n-----END'\n";

#[test]
fn a_line_of_the_application_that_cannot_be_read_is_a_warning() {
    let database = Server::shared().database();
    let command = Command::bare()
        .env("NODE_ENV", "test")
        .file(
            ".env",
            format!(
                "{APPLICATION}POSTGRES_URL={}\nLAST=\"open secret\n",
                database.url()
            ),
        )
        .arg("check");
    assert_snapshot!(command.snapshot(), @"
    status: 5
    --- stdout
    --- stderr
    [time] WARN  .env:4 has text after its closing quote; the line is ignored
    [time] WARN  .env:5 cannot be read as NAME=value; the line is ignored
    [time] WARN  .env:6 cannot be read as NAME=value; the line is ignored
    [time] WARN  .env:12 has a quote that is not closed; the line is ignored
    error: 2 migrations are pending: V0000__zero_starter, V0001__waitlist

    hint: run zerostarter-db migrate
    ");
    let shown = command.arg("env").run();
    assert!(!shown.stderr.contains("secret"), "{}", shown.stderr);
    // It is also said beside a variable that is missing: the line may have been meant for it.
    let command = Command::bare()
        .env("NODE_ENV", "test")
        .file(".env", "POSTGRES URL=postgres://u:secret@h/db\n");
    assert_snapshot!(command.snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: the configuration cannot be used
      POSTGRES_URL is not set
      .env:1 cannot be read as NAME=value; the line is ignored

    hint: set POSTGRES_URL to postgres://user:password@host:5432/database, or POSTGRES_URL_FILE to a file that holds it
    ");
}

#[test]
fn env_shows_the_same_warnings() {
    let run = bare().file(".env", "two words\n").run();
    let line = "WARN  .env:1 cannot be read as NAME=value; the line is ignored\n";
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stderr.ends_with(line), "{}", run.stderr);
}

#[test]
fn a_line_of_a_variable_of_this_program_is_an_error() {
    let mut output = String::new();
    for line in [
        "POSTGRES_URL",
        "POSTGRES_URL postgres://u:secret@h/db",
        "POSTGRES_URL=\"postgres://u:secret@h/db",
        "export POSTGRES_DIRECT_URL='postgres://u:secret@h/db",
        "POSTGRES_URL=\"postgres://u:secret@h/db\"secret",
        "POSTGRES_URL=postgres://u:${secret@h/db",
        "MIGRATE_WAIT='10s",
    ] {
        let run = bare().file(".env", format!("APP_NAME=My App\n\n{line}\n")).run();
        assert_eq!(run.status, 2, "{line}: {}", run.stderr);
        assert!(!run.stderr.contains("secret"), "{line}: {}", run.stderr);
        output += run.stderr.lines().next().unwrap_or_default();
        output.push('\n');
    }
    assert_snapshot!(output, @"
    error: .env:3 cannot be read as NAME=value
    error: .env:3 cannot be read as NAME=value
    error: .env:3 has a quote that is not closed
    error: .env:3 has a quote that is not closed
    error: .env:3 has text after its closing quote
    error: .env:3 has a substitution other than ${X}, ${X-default} and ${X:-default}
    error: .env:3 has a quote that is not closed
    ");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    assert_snapshot!(bare().file(".env.test", b"APP=caf\xe9\nPOSTGRES_URL=\xff\n").snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: .env.test:2 is not UTF-8

    hint: write NAME=value, and quote a value that has spaces or a #
    ");
    let utf16: Vec<u8> = "\u{feff}NODE_ENV=test\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_snapshot!(bare().file(".env", utf16).snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: .env is UTF-16; save it as UTF-8

    hint: write NAME=value, and quote a value that has spaces or a #
    ");
    assert_eq!(bare().file(".env/x", "").run().status, 2);
}
