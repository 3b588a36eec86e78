//! The harness, which every other test trusts.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command as Process, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, path::Path};

use insta::assert_snapshot;

use zerostarter_test_harness::{Command, Proxy, Server, ServerOptions, Shutdown, poll, tls, unused_port};

const SOON: Duration = Duration::from_secs(20);
const REPORT: &str = "HARNESS_REPORT";

/// Whether there is a process of that number.
fn alive(pid: &str) -> bool {
    Process::new("/bin/sh")
        .args(["-c", "kill -0 \"$0\"", pid])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn assert_gone(pid: &str, directory: &Path) {
    let gone = poll(SOON, || (!alive(pid) && !directory.exists()).then_some(()));
    assert!(gone.is_some(), "{pid} or {} is still there", directory.display());
}

/// Runs a shell script in place of the program under test.
fn script(script: &str) -> Command {
    Command::program("/bin/sh").args(["-c", script])
}

#[test]
fn a_server_ends_with_its_value() {
    let server = Server::start(ServerOptions::new());
    let pid = server.pid().to_string();
    let directory = server.directory().to_owned();
    assert!(alive(&pid) && directory.exists());
    drop(server);
    assert!(!alive(&pid) && !directory.exists());
}

/// The other half of the next test: the process that is killed.
#[test]
fn victim() {
    let Some(report) = env::var_os(REPORT) else {
        return;
    };
    let server = Server::start(ServerOptions::new());
    let stopped = Server::start(ServerOptions::new());
    stopped.stop(Shutdown::Fast);
    let lines = [
        server.pid().to_string(),
        server.directory().display().to_string(),
        stopped.directory().display().to_string(),
    ];
    fs::write(&report, lines.join("\n") + "\n").expect("to report");
    // Until killed, or until there is nobody to do it.
    std::io::stdin().read_to_end(&mut Vec::new()).expect("a pipe");
}

#[test]
fn no_server_outlives_tests_that_are_killed() {
    let directory = tempfile::tempdir().expect("a directory");
    let report = directory.path().join("report");
    let temporary = directory.path().join("temporary");
    fs::create_dir(&temporary).expect("a directory");
    // Where the user of the servers has to pass.
    for path in [directory.path(), &temporary] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("permissions");
    }
    fs::set_permissions(&temporary, fs::Permissions::from_mode(0o1777)).expect("permissions");
    let mut tests = Process::new(env::current_exe().expect("this binary"))
        .args(["--exact", "victim"])
        .env(REPORT, &report)
        .env("TMPDIR", &temporary)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("to start the tests in the tests");
    let lines = poll(Duration::from_mins(1), || {
        let text = fs::read_to_string(&report).ok()?;
        text.ends_with('\n').then_some(text)
    });
    tests.kill().expect("to kill them");
    tests.wait().expect("their end");
    let lines = lines.expect("a report");
    let [pid, running, stopped] = lines.lines().collect::<Vec<_>>()[..] else {
        panic!("not a report: {lines}");
    };
    assert_gone(pid, running.as_ref());
    assert_gone(pid, stopped.as_ref());
    // The template of the clusters too.
    let left = poll(SOON, || {
        fs::read_dir(&temporary).ok()?.next().is_none().then_some(())
    });
    assert!(left.is_some(), "something is left");
}

#[test]
fn a_server_is_of_the_version_that_was_asked_for() {
    let server = Server::shared();
    let version = server.rows("postgres", "SHOW server_version_num");
    let number: u32 = version[0].parse().expect("a number");
    assert_eq!(number / 10_000, server.major());
}

#[test]
#[should_panic(expected = "`make postgres-versions` fetches it")]
fn a_version_that_is_missing_is_named() {
    Server::start(ServerOptions::new().version(99));
}

#[test]
#[should_panic(expected = "unrecognized configuration parameter")]
fn a_server_that_does_not_start_shows_its_log() {
    Server::start(ServerOptions::new().setting("no_such_setting", "1"));
}

#[test]
fn a_database_belongs_to_one_test() {
    let (one, two) = (Server::shared().database(), Server::shared().database());
    one.execute("CREATE TABLE a (b int, c text); INSERT INTO a VALUES (1, NULL), (2, 'x')");
    assert_eq!(one.rows("SELECT b, c FROM a ORDER BY b"), ["1|", "2|x"]);
    assert_eq!(one.catalog().len(), 3);
    assert!(two.catalog().is_empty());
    let (state, message) = two.try_execute("SELECT * FROM a").expect_err("no table");
    assert_eq!((&*state, &*message), ("42P01", "relation \"a\" does not exist"));
}

#[test]
fn a_database_is_dropped_with_its_roles_though_sessions_are_open() {
    let server = Server::shared();
    let database = server.database();
    let role = database.role("PASSWORD 'secret'");
    let name = database.name().to_owned();
    let session = database.session();
    session.execute("BEGIN");
    drop(database);
    let found = format!(
        "SELECT datname FROM pg_database WHERE datname = '{name}' \
         UNION ALL SELECT rolname FROM pg_roles WHERE rolname = '{role}'"
    );
    assert!(server.rows("postgres", &found).is_empty());
    assert!(session.try_execute("SELECT 1").is_err());
}

#[test]
fn the_history_is_found_in_any_schema() {
    let database = Server::shared().database();
    assert!(database.history().is_empty());
    database.execute(
        "CREATE SCHEMA elsewhere; \
         CREATE TABLE elsewhere.refinery_schema_history (version int, name text, checksum text); \
         INSERT INTO elsewhere.refinery_schema_history VALUES (2, 'two', '22'), (1, 'one', '11')",
    );
    assert_eq!(database.history(), ["1|one|11", "2|two|22"]);
}

#[test]
fn the_harness_can_be_used_by_async_tests() {
    block_on(async {
        let database = Server::shared().database();
        assert_eq!(database.rows("SELECT 1"), ["1"]);
        let proxy = Proxy::start(database.port());
        assert_eq!(proxy.round_trips(), 0);
    });
}

#[test]
fn a_server_can_be_stopped_and_started_again() {
    let server = Server::start(ServerOptions::new());
    let database = server.database();
    database.execute("CREATE TABLE kept ()");
    let (pid, port) = (server.pid(), server.port());
    server.stop(Shutdown::Immediate);
    assert!(!alive(&pid.to_string()));
    assert!(connect(&database.url()).is_err());
    server.restart();
    assert_ne!(server.pid(), pid);
    assert_eq!(server.port(), port);
    database.execute("TABLE kept");
    server.restart();
    database.execute("TABLE kept");
    assert!(server.log().contains("was not properly shut down"));
}

#[test]
fn a_server_can_be_made_to_hang() {
    let server = Server::start(ServerOptions::new());
    let url = server.url("postgres");
    server.signal("STOP");
    let answered = block_on(async {
        tokio::time::timeout(Duration::from_millis(200), open(&url))
            .await
            .is_ok()
    });
    assert!(!answered);
    // It ends all the same.
}

#[test]
fn a_standby_has_what_its_primary_had() {
    let primary = Server::start(ServerOptions::new());
    let database = primary.database();
    database.execute("CREATE TABLE one ()");
    let standby = Server::start_standby_of(&primary);
    assert!(standby.rows(database.name(), "TABLE one").is_empty());
    let write = standby
        .session(database.name())
        .try_execute("CREATE TABLE two ()");
    assert_eq!(write.expect_err("read-only").0, "25006");
    standby.promote();
    standby.execute(database.name(), "CREATE TABLE two ()");

    let closed = ServerOptions::new().setting("hot_standby", "off");
    let closed = Server::start_standby_with(&primary, closed);
    let error = connect(&closed.url("postgres")).expect_err("no connections");
    assert_eq!(
        error.code().map(tokio_postgres::error::SqlState::code),
        Some("57P03")
    );
    closed.promote();
    connect(&closed.url("postgres")).expect("a server as others");
}

#[test]
fn a_server_can_demand_tls_and_a_password() {
    let authority = tls::ca("an authority");
    let good = authority.certificate(&["localhost", "127.0.0.1"]);
    let server = Server::start(
        ServerOptions::new()
            .tls(&good.certificate, &good.key)
            .hba("hostssl all all 127.0.0.1/32 scram-sha-256"),
    );
    assert_eq!(server.rows("postgres", "SHOW ssl"), ["on"]);
    let error = connect(&server.url("postgres")).expect_err("no TLS");
    assert!(
        error
            .as_db_error()
            .is_some_and(|error| error.message().contains("no encryption"))
    );
    for other in [
        authority.expired(&["localhost"]),
        authority.certificate(&[]),
        tls::self_signed(&["localhost"]),
    ] {
        let options = ServerOptions::new().tls(&other.certificate, &other.key);
        assert_eq!(Server::start(options).rows("postgres", "SHOW ssl"), ["on"]);
    }
}

#[test]
fn a_proxy_counts_round_trips() {
    let database = Server::shared().database();
    let proxy = Proxy::start(database.port());
    let url = database.url_through(proxy.port());
    assert_eq!(proxy.round_trips(), 0);
    block_on(async {
        let client = open(&url).await.expect("a connection");
        client.batch_execute("SELECT 1").await.expect("one");
        client.batch_execute("SELECT 2; SELECT 3").await.expect("two");
    });
    // The start, two questions, the farewell.
    assert_eq!(proxy.round_trips(), 4);
    assert_eq!(proxy.connections(), 1);

    let proxy = Proxy::start(database.port());
    let url = database.url_through(proxy.port());
    block_on(async {
        let client = open(&url).await.expect("a connection");
        let ask = || client.batch_execute("SELECT 1");
        let answers = futures_util::future::join3(ask(), ask(), ask()).await;
        assert!(matches!(answers, (Ok(()), Ok(()), Ok(()))));
    });
    // Three questions that do not wait for each other are one wait.
    assert_eq!(proxy.round_trips(), 3);
}

#[test]
fn a_proxy_has_faults() {
    let database = Server::shared().database();
    let through = |proxy: &Proxy| connect(&database.url_through(proxy.port()));

    let proxy = Proxy::builder().refuse_first(2).start(database.port());
    assert!(through(&proxy).is_err());
    assert!(through(&proxy).is_err());
    assert!(through(&proxy).is_ok());
    assert_eq!(proxy.connections(), 3);

    let proxy = Proxy::builder()
        .reset_after_bytes(1)
        .only_first(1)
        .start(database.port());
    assert!(through(&proxy).is_err());
    assert!(through(&proxy).is_ok());
    proxy.round_trips();

    let proxy = Proxy::builder().silent().start(database.port());
    let url = database.url_through(proxy.port());
    let answer = block_on(async {
        tokio::time::timeout(Duration::from_millis(200), open(&url))
            .await
            .is_ok()
    });
    assert!(!answer);
    assert_eq!(proxy.round_trips(), 1);

    let late = Duration::from_millis(300);
    let proxy = Proxy::builder().delay(late).start(database.port());
    let start = Instant::now();
    assert!(through(&proxy).is_ok());
    assert!(start.elapsed() >= late);

    let proxy = Proxy::start(unused_port());
    assert!(through(&proxy).is_err());
}

#[test]
fn a_distance_is_felt_once_a_question_and_not_once_a_byte() {
    let database = Server::shared().database();
    let one_way = Duration::from_millis(100);
    let proxy = Proxy::builder().distance(one_way).start(database.port());
    let url = database.url_through(proxy.port());
    let (connected, asked, large) = block_on(async {
        let start = Instant::now();
        let client = open(&url).await.expect("a connection");
        let connected = start.elapsed();
        let start = Instant::now();
        let questions = (0..10).map(|_| client.simple_query("SELECT 1"));
        for answer in futures_util::future::join_all(questions).await {
            answer.expect("an answer");
        }
        let asked = start.elapsed();
        let start = Instant::now();
        let answer = client
            .simple_query("SELECT repeat('x', 3000000)")
            .await
            .expect("an answer");
        assert!(answer.len() >= 2);
        (connected, asked, start.elapsed())
    });
    assert!(connected >= one_way * 4, "{connected:?}"); // TCP's own round trip, and the start-up packet
    assert!((one_way * 2..one_way * 8).contains(&asked), "{asked:?}");
    assert!((one_way * 2..one_way * 20).contains(&large), "{large:?}");
}

#[test]
fn a_command_has_its_own_directory_and_environment() {
    let command = script("cat migrations/V1__one.sql; pwd; env | grep -v -e '^_=' -e '^PWD=' >&2; exit 3")
        .env("GONE", "1")
        .env_remove("GONE")
        .migration("V1__one.sql", "SELECT 1;\n")
        .filter("SELECT (.)", "[$1]");
    assert_snapshot!(command.snapshot(), @r"
    status: 3
    --- stdout
    [1];
    [dir]
    --- stderr
    MIGRATIONS_DIR=migrations
    ");
}

#[test]
fn output_of_any_size_does_not_block_a_command() {
    let run = script("head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2").run();
    assert_eq!(
        (run.status, run.stdout.len(), run.stderr.len()),
        (0, 300_000, 300_000)
    );
}

#[test]
fn a_command_can_be_watched_and_interrupted() {
    let command =
        script("trap 'echo bye >&2; exit 143' TERM; echo ready >&2; for _ in $(seq 600); do sleep 0.1; done");
    let mut running = command.start();
    running.wait_for_stderr("ready");
    assert!(!running.has_ended());
    running.signal("TERM");
    running.wait_for_stderr("bye");
    assert_snapshot!(command.snapshot_of(&running.wait()), @r"
    status: 143
    --- stdout
    --- stderr
    ready
    bye
    ");
    let mut running = command.start();
    running.wait_for_stderr("ready");
    running.signal("KILL");
    assert_eq!(running.wait().status, 137);
}

#[test]
#[should_panic(expected = "\"never\" did not appear:\n--- stdout\n--- stderr\nsomething else")]
fn a_command_that_ends_without_the_text_is_a_failure() {
    script("printf 'something else' >&2")
        .start()
        .wait_for_stderr("never");
}

#[test]
fn a_snapshot_hides_what_differs_and_keeps_what_does_not() {
    let database = Server::shared().database();
    let role = database.role("");
    let (name, port) = (database.name(), database.port());
    let lines = format!(
        "postgres://{role}@127.0.0.1:{port}/{name} port {port}\n\
         applied V1 in 12 ms, ms=3, \"ms\":4, \"wait_ms\":17, 250ms, 1.25 s, 3.5µs\n\
         at 2026-01-02T03:04:05.678901Z, 2026-01-02 03:04:05+00, LSN 0/15A2B3C, pid 4711, \"pid\":4711\n\
         zerostarter-db {version} on PostgreSQL 15.13 (Debian 15.13-0+deb12u1)\n\
         waits 60s, try 1/10, localhost:5432, PostgreSQL 14 or newer, lock_timeout 2s, test_1, V0001\n",
        version = env!("CARGO_PKG_VERSION"),
    );
    let command = script("cat lines")
        .env("PATH", "/usr/bin:/bin")
        .file("lines", lines);
    assert_snapshot!(command.snapshot(), @r#"
    status: 0
    --- stdout
    postgres://[role]@127.0.0.1:[port]/[db] port [port]
    applied V1 in [ms], ms=[ms], "ms":[ms], "wait_ms":[ms], [ms], [duration], [duration]
    at [time], [time], LSN [lsn], pid [pid], "pid":[pid]
    zerostarter-db [version] on PostgreSQL [server]
    waits 60s, try 1/10, localhost:5432, PostgreSQL 14 or newer, lock_timeout 2s, test_1, V0001
    --- stderr
    "#);
    assert!(Command::bare().run().status >= 0);
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(future)
}

async fn open(url: &str) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Connects over TCP, as the program under test does, and leaves.
fn connect(url: &str) -> Result<(), tokio_postgres::Error> {
    block_on(async {
        let client = open(url).await?;
        client.batch_execute("SELECT 1").await
    })
}
