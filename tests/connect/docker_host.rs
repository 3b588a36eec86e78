//! Inside a container, `localhost` is dialled as the machine that the container runs on; nothing else is.

use insta::assert_snapshot;
use zerostarter_connect::url::PostgresUrl;
use zerostarter_settings::Secret;

use zerostarter_test_harness::Command;

fn shown(url: &str, internal: bool) -> String {
    let mut command = Command::bare()
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL", url)
        .arg("env");
    if internal {
        command = command.env("INTERNAL_API_URL", "http://api:4000");
    }
    let run = command.run();
    assert_eq!(run.status, 0, "{}", run.stderr);
    let line = run
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("database: "));
    line.and_then(|line| line.strip_suffix(" (from POSTGRES_URL, environment)"))
        .expect("the database's line")
        .to_owned()
}

#[test]
fn only_a_host_that_is_localhost_is_rewritten() {
    for (url, rewritten) in [
        (
            "postgres://localhost/db",
            "postgres://host.docker.internal:5432/db",
        ),
        (
            "postgres://LocalHost:6000/db",
            "postgres://host.docker.internal:6000/db",
        ),
        (
            "postgres://localhost:5433/localhost?application_name=localhost",
            "postgres://host.docker.internal:5433/localhost",
        ),
        (
            "postgres://localhost:p%40localhost@localhost/db",
            "postgres://localhost:***@host.docker.internal:5432/db",
        ),
        ("postgres://u@127.0.0.1/db", "postgres://u@127.0.0.1:5432/db"),
        ("postgres://u@[::1]:5433/db", "postgres://u@[::1]:5433/db"),
        (
            "postgres://u@localhost.example.com/db",
            "postgres://u@localhost.example.com:5432/db",
        ),
        ("postgres://u@mylocalhost/db", "postgres://u@mylocalhost:5432/db"),
        (
            "postgres://u@localhost,db.example.com:5433,localhost:5434/db",
            "postgres://u@host.docker.internal:5432,db.example.com:5433,host.docker.internal:5434/db",
        ),
        (
            "postgres://u@localhost/db?host=/cloudsql/p:r:i",
            "postgres://u@/cloudsql/p:r:i:5432/db",
        ),
        (
            "postgres://u@localhost/db?host=db.example.com",
            "postgres://u@db.example.com:5432/db",
        ),
        (
            "postgres://u@db.example.com:5433/db?host=localhost",
            "postgres://u@host.docker.internal:5433/db",
        ),
        (
            "postgresql:///db?host=localhost&port=5433",
            "postgres://host.docker.internal:5433/db",
        ),
    ] {
        assert_eq!(shown(url, true), rewritten, "{url}");
        assert!(!shown(url, false).contains("docker"), "{url}");
    }
}

#[test]
fn what_is_verified_and_everything_else_stays_as_written() {
    let text = "postgres://u:p%2Fw@localhost:5433/db?sslmode=verify-full&options=-csearch_path%3Dlocalhost";
    let before: PostgresUrl = text.parse().expect("a good URL");
    let mut after = before.clone();
    after.rewrite_localhost();
    assert_eq!(after.hosts[0].written, "localhost");
    assert_eq!(after.hosts[0].to_string(), "host.docker.internal:5433");
    assert_eq!(after.password.as_ref().map(Secret::expose), Some("p/w"));
    assert_eq!(
        (after.user, after.database, after.parameters),
        (before.user, before.database, before.parameters)
    );
}

#[test]
fn a_host_with_an_address_of_its_own_is_dialled_there() {
    let mut url: PostgresUrl = "postgres://u@localhost/db?hostaddr=10.0.0.1"
        .parse()
        .expect("a good URL");
    url.rewrite_localhost();
    assert_eq!(url.hosts[0].to_string(), "localhost:5432");
}

/// Where nobody has made the name known, or nothing listens there.
#[test]
fn an_error_says_who_made_the_name() {
    let at = |host: &str| {
        Command::bare()
            .env("NODE_ENV", "test")
            .env("POSTGRES_URL", format!("postgres://u@{host}:1/db"))
            .env("INTERNAL_API_URL", "http://api:4000")
            .env("MIGRATE_WAIT", "100ms")
            .arg("check")
    };
    let command = at("localhost")
        .filter(
            r"error connecting to server: [^(\n]*(\(os error \d+\))?",
            "[reason]",
        )
        .filter(r"\[time\] INFO.*\n", "");
    assert_snapshot!(command.snapshot(), @r#"
    status: 3
    --- stdout
    --- stderr
    error: host.docker.internal:1 could not be reached within [duration]
      [reason]

    hint: the URL names localhost, and because INTERNAL_API_URL is set, that is host.docker.internal: add extra_hosts: ["host.docker.internal:host-gateway"] to the service in compose.yaml, or unset INTERNAL_API_URL outside a container
    hint: check that the server runs and that host and port in the URL are right
    "#);
    let written = at("host.docker.internal").run();
    assert_eq!(written.status, 3, "{}", written.stderr);
    assert!(!written.stderr.contains("INTERNAL_API_URL"), "{}", written.stderr);
    let list = at("localhost:1,127.0.0.1").run();
    assert_eq!(list.status, 3, "{}", list.stderr);
    assert!(list.stderr.contains("INTERNAL_API_URL"), "{}", list.stderr);
}
