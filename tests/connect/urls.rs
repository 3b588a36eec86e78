//! The URLs that providers and tools hand out, and what becomes of each part of them.

use insta::assert_snapshot;

use zerostarter_test_harness::{Command, Proxy, Server, unused_port};

#[test]
fn a_pooler_is_pointed_out_and_a_direct_url_used_in_its_place() {
    let database = Server::shared().database();
    let pooled = Command::bare()
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL", format!("{}&pgbouncer=true", database.url()))
        .arg("check");
    assert_snapshot!(pooled.snapshot(), @"
    status: 5
    --- stdout
    --- stderr
    [time] WARN  POSTGRES_URL looks like transaction pooling (pgbouncer=true); set POSTGRES_DIRECT_URL to a direct connection for migrations
    error: 2 migrations are pending: V0000__zero_starter, V0001__waitlist

    hint: run zerostarter-db migrate
    ");
    let direct = pooled.env("POSTGRES_DIRECT_URL", database.url());
    assert!(!direct.run().stderr.contains("pooler"));
}

#[test]
fn what_is_wrong_is_named_and_never_shown() {
    let mut output = String::new();
    for url in [
        "mysql://u:secret@h/db",
        "secret",
        "postgres://u:secret@h",
        "postgres://u:secret@h/",
        "postgres://u:secret@/db",
        "postgres://u:secret@h:0/db",
        "postgres://u:secret@h:secret/db",
        "postgres://u:secret@h:70000/db",
        "postgres://u:se/cret@h/db",
        "postgres://u:se?cret@h/db",
        "postgres://u:se#cret@h/db",
        "postgres://u:sec%zz@h/db",
        "postgres://u:sec%ff@h/db",
        "postgres://u:secret%00@h/db",
        "postgres://u:secret@[::1/db",
        "postgres://u:secret@[secret]/db",
        "postgres://u:secret@h,/db",
        "postgres://u:secret@h/a/b",
        "postgres://u:secret@h/db?sslmod=secret",
        "postgres://u:secret@h/db?Secret=1",
        "postgres://u:secret@h/db?secret",
        "postgres://u:secret@h/db?sslmode=secret",
        "postgres://u:secret@h/db?connect_timeout=secret",
        "postgres://u:secret@h/db?keepalives_idle=32768",
        "postgres://u:secret@h/db?keepalives_interval=32768",
        "postgres://u:secret@h/db?keepalives_count=128",
        "postgres://u:secret@h/db?tcp_user_timeout=2147483648",
        "postgres://u:secret@h/db?target_session_attrs=secret",
        "postgres://u:secret@h/db?channel_binding=secret",
        "postgres://u:secret@h/db?port=1,2",
        "postgres://u:secret@h:1,h:2/db?host=/secret",
        "postgres://u:secret@:1/db",
        "postgres://u:secret@h/db?host=g,",
        "postgres://u:secret@h/db?hostaddr=secret",
        "postgres://u:secret@h/db?hostaddr=10.0.0.1,10.0.0.2",
    ] {
        let run = Command::bare()
            .env("NODE_ENV", "test")
            .env("POSTGRES_URL", url)
            .run();
        assert_eq!(run.status, 2, "{url}: {}", run.stderr);
        assert!(!run.stderr.contains("secret"), "{url}: {}", run.stderr);
        output += run.stderr.lines().nth(1).unwrap_or_default();
        output.push('\n');
    }
    assert_snapshot!(output, @"
    POSTGRES_URL does not begin with postgres:// or postgresql://
    POSTGRES_URL does not begin with postgres:// or postgresql://
    POSTGRES_URL names no database
    POSTGRES_URL names no database
    POSTGRES_URL names no host
    POSTGRES_URL has a port that is not a number from 1 to 65535
    POSTGRES_URL has a port that is not a number from 1 to 65535
    POSTGRES_URL has a port that is not a number from 1 to 65535
    POSTGRES_URL contains a bare @ after the host
    POSTGRES_URL contains a bare @ after the host
    POSTGRES_URL contains a bare #
    POSTGRES_URL has a % in its password that starts no two-digit code
    POSTGRES_URL has percent codes in its password that are not UTF-8
    POSTGRES_URL has a NUL byte in its password
    POSTGRES_URL has a [ without its ]
    POSTGRES_URL has no IPv6 address between [ and ]
    POSTGRES_URL has an empty host name
    POSTGRES_URL has more than one / after the host
    POSTGRES_URL has an unknown parameter sslmod
    POSTGRES_URL has an unknown parameter whose name is not only a to z and _
    POSTGRES_URL has a parameter without a value
    POSTGRES_URL has a value in its parameter sslmode that is not one of disable, prefer, require, verify-ca, verify-full
    POSTGRES_URL has a value in its parameter connect_timeout that is not a whole number
    POSTGRES_URL has a value in its parameter keepalives_idle that is above 32767, which is all that a socket takes
    POSTGRES_URL has a value in its parameter keepalives_interval that is above 32767, which is all that a socket takes
    POSTGRES_URL has a value in its parameter keepalives_count that is above 127, which is all that a socket takes
    POSTGRES_URL has a value in its parameter tcp_user_timeout that is above 2147483647, which is all that a socket takes
    POSTGRES_URL has a value in its parameter target_session_attrs that is not any, read-write, read-only, primary, standby or prefer-standby
    POSTGRES_URL has a value in its parameter channel_binding that is not disable, prefer or require
    POSTGRES_URL has another number of ports than of hosts
    POSTGRES_URL has another number of ports than of hosts
    POSTGRES_URL has an empty host name
    POSTGRES_URL has an empty host name
    POSTGRES_URL has a value in its parameter hostaddr that is not an IP address
    POSTGRES_URL has another number of values in hostaddr than of hosts
    ");
}

/// Runs with `parameters` and returns what `select` finds in the run's own session.
fn in_the_session(parameters: &str, select: &str) -> Vec<String> {
    let database = Server::shared().database();
    let run = Command::bare()
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL", format!("{}&{parameters}", database.url()))
        .migration("V1__seen.sql", format!("CREATE TABLE public.seen AS {select};"))
        .run();
    assert_eq!(run.status, 0, "{parameters}: {}", run.stderr);
    database.rows("SELECT * FROM public.seen")
}

#[test]
fn parameters_reach_the_server() {
    let name = "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()";
    assert_eq!(in_the_session("", name), ["zerostarter-db"]);
    assert_eq!(in_the_session("application_name=a%20b", name), ["a b"]);
    assert_eq!(in_the_session("fallback_application_name=c", name), ["c"]);
    assert_eq!(
        in_the_session("fallback_application_name=c&application_name=d", name),
        ["d"]
    );
    assert_eq!(
        in_the_session("options=-cwork_mem%3D3MB", "SELECT current_setting('work_mem')"),
        ["3MB"]
    );
    assert_eq!(
        in_the_session("target_session_attrs=primary", "SELECT pg_is_in_recovery()"),
        ["f"]
    );
    assert_eq!(
        in_the_session(
            "user=postgres&keepalives_idle=32767&keepalives_interval=32767&keepalives_count=127&tcp_user_timeout=2147483647&connect_timeout=4294967295",
            "SELECT current_user"
        ),
        ["postgres"]
    );
}

/// The kernel's own account of the socket: which timer runs on it.
#[test]
fn keepalives_reach_the_socket() {
    let database = Server::shared().database();
    let timer = |parameters: &str| {
        // A proxy of its own, so that no other connection has this port at its far end.
        let proxy = Proxy::start(database.port());
        let port = format!(":{:04X}", proxy.port());
        let mut running = Command::bare()
            .env("NODE_ENV", "test")
            .env(
                "POSTGRES_URL",
                format!("{}&{parameters}", database.url_through(proxy.port())),
            )
            .migration(
                "V1__slow.sql",
                "DO $$ BEGIN RAISE NOTICE 'now'; END $$; SELECT pg_sleep(60);",
            )
            .start();
        running.wait_for_stderr("server: now");
        let sockets =
            std::fs::read_to_string(format!("/proc/{}/net/tcp", running.pid())).expect("the kernel's table");
        // Columns: number, local, remote, state (01 is connected), queues, timer (02 is the keepalive) and its ticks.
        let ours = sockets
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        let mut timers = ours.filter(|columns| columns[2].ends_with(&port) && columns[3] == "01");
        let timer = timers.next().expect("a connection")[5]
            .split(':')
            .next()
            .map(str::to_owned);
        running.signal("KILL");
        timer.expect("a timer")
    };
    assert_eq!(timer("keepalives=1"), "02");
    assert_eq!(timer("keepalives=0"), "00");
}

#[test]
fn hosts_are_tried_in_their_order() {
    let database = Server::shared().database();
    let proxies = [Proxy::start(database.port()), Proxy::start(database.port())];
    let [first, second] = [proxies[0].port(), proxies[1].port()];
    let run = |url: String| {
        Command::bare()
            .env("NODE_ENV", "test")
            .env("POSTGRES_URL", url)
            .arg("check")
            .run()
            .status
    };
    let url = format!(
        "postgres://postgres@127.0.0.1:{first},127.0.0.1:{second}/{}?sslmode=disable",
        database.name()
    );
    assert_eq!(run(url.clone()), 5);
    assert_eq!((proxies[0].connections(), proxies[1].connections()), (1, 0));
    for _ in 0..40 {
        assert_eq!(run(format!("{url}&load_balance_hosts=random")), 5);
        if proxies[1].connections() > 0 {
            break;
        }
    }
    assert!(proxies[1].connections() > 0, "40 times the first of two hosts");
    let url = format!(
        "postgres://postgres@127.0.0.1:{},127.0.0.1:{second}/{}?sslmode=disable",
        unused_port(),
        database.name()
    );
    assert_eq!(run(url), 5);
}

#[test]
fn an_address_of_the_host_skips_its_name() {
    let database = Server::shared().database();
    let url = format!(
        "postgres://postgres@nosuch.invalid:{}/{}?hostaddr=127.0.0.1&sslmode=disable",
        database.port(),
        database.name()
    );
    let run = Command::bare()
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL", url)
        .arg("check")
        .run();
    assert_eq!(run.status, 5, "{}", run.stderr);
}

/// As Google's documentation writes it for Cloud SQL.
#[test]
fn a_socket_of_the_parameter_host_is_dialled() {
    let database = Server::shared().database();
    let directory = tempfile::tempdir().expect("a directory");
    let folder = directory.path().join("cloudsql/project:region:instance");
    std::fs::create_dir_all(&folder).expect("a folder");
    let socket = folder.join(format!(".s.PGSQL.{}", database.port()));
    std::os::unix::fs::symlink(database.socket(), socket).expect("a link");
    let url = format!(
        "postgres://postgres@localhost:{}/{}?host={}",
        database.port(),
        database.name(),
        folder.display()
    );
    let run = Command::bare()
        .env("NODE_ENV", "production")
        .env("INTERNAL_API_URL", "http://api:4000")
        .env("POSTGRES_URL", url)
        .arg("check")
        .run();
    assert_eq!(run.status, 5, "{}", run.stderr);
}
