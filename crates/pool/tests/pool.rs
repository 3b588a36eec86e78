//! The shared client of applications. What a setting does is looked up at the server, not in a struct.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use tokio::time::timeout;
use tokio_postgres::IsolationLevel;
use tokio_postgres::error::SqlState;
use zerostarter_pool::queries::waitlist;
use zerostarter_pool::{Error as PoolError, Pool};

use crate::support::{load, migrated, pool, run};
use zerostarter_test_harness::{
    Database, Pooler, Proxy, Server, ServerOptions, Shutdown, poll, rounds, tls, zerostarter_db,
};

const SOON: Duration = Duration::from_secs(20);

/// The processes that serve the pool.
fn backends(database: &Database) -> Vec<String> {
    database.rows(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'pool' \
         AND datname = current_database() ORDER BY backend_start",
    )
}

fn named(url: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}application_name=pool")
}

async fn show(pool: &Pool, setting: &str) -> String {
    let client = pool.get().await.expect("a connection");
    let row = client.query_one(&format!("SHOW {setting}"), &[]).await;
    row.expect("a setting").get(0)
}

async fn pid(pool: &Pool) -> i32 {
    let client = pool.get().await.expect("a connection");
    let row = client.query_one("SELECT pg_backend_pid()", &[]).await;
    row.expect("a process").get(0)
}

async fn join(pool: &Pool, email: &str) -> u64 {
    let client = pool.get().await.expect("a connection");
    let id = format!("id of {email}");
    waitlist::join()
        .bind(&client, &id, &email)
        .await
        .unwrap_or_else(|error| panic!("{email}: {error:?}"))
}

/// Behind it the first connection falls silent after the greeting; the server, and every new connection, is well.
fn soon_mute(server: &Server) -> Proxy {
    let silence = Proxy::builder().only_first(1).mute_after_bytes(600);
    silence.start(server.port())
}

#[test]
fn there_are_as_many_connections_as_the_size_says_and_who_comes_later_waits_so_long() {
    let database = Server::shared().database();
    let limits = [("POSTGRES_POOL_SIZE", "3"), ("POSTGRES_POOL_WAIT", "300ms")];
    let pool = pool(&named(&database.url()), &limits);
    run(async {
        assert_eq!(backends(&database).len(), 0, "none before one is asked for");
        let held = [
            pool.get().await.unwrap(),
            pool.get().await.unwrap(),
            pool.get().await.unwrap(),
        ];
        assert_eq!(backends(&database).len(), 3);
        let started = Instant::now();
        let error = pool.get().await.unwrap_err();
        assert!(started.elapsed() >= Duration::from_millis(300));
        assert_eq!(error.to_string(), "all 3 connections were in use for 0.3s");
        assert!(matches!(error, PoolError::Wait { size: 3, .. }) && error.is_transient());
        drop(held);
        let _again = pool.get().await.expect("one that was given back");
        assert_eq!(backends(&database).len(), 3);
        let status = pool.status();
        assert_eq!((status.opened, status.wait_timeouts), (3, 1));
    });
}

#[test]
fn the_size_is_ten_where_nobody_says_otherwise() {
    let database = Server::shared().database();
    let pool = pool(&named(&database.url()), &[("POSTGRES_POOL_WAIT", "50ms")]);
    run(async {
        let mut held = Vec::new();
        while let Ok(client) = pool.get().await {
            held.push(client);
        }
        assert_eq!((held.len(), backends(&database).len()), (10, 10));
    });
}

#[test]
fn idle_connections_are_closed_and_used_ones_are_not() {
    let database = Server::shared().database();
    let pool = pool(&named(&database.url()), &[("POSTGRES_IDLE_TIMEOUT", "400ms")]);
    run(async {
        let in_use = pool.get().await.unwrap();
        drop([pool.get().await.unwrap(), pool.get().await.unwrap()]);
        assert_eq!(backends(&database).len(), 3);
        let closed = poll(SOON, || (backends(&database).len() == 1).then_some(()));
        closed.expect("only the one in use is left");
        let row = in_use.query_one("SELECT 1", &[]).await.expect("it works still");
        assert_eq!(row.get::<_, i32>(0), 1);
        drop(in_use);
        poll(SOON, || backends(&database).is_empty().then_some(())).expect("it is idle now");
        assert_eq!(pool.status().open, 0);
    });
    let server = Server::shared();
    assert!(
        !server
            .log()
            .contains(&format!("{} unexpected EOF", database.name()))
    );
}

/// The server is watched until it has none of the pool's connections any more.
#[test]
fn idle_means_thirty_seconds_where_nobody_says_otherwise() {
    let database = Server::shared().database();
    let pool = pool(&named(&database.url()), &[]);
    run(async {
        drop(pool.get().await.unwrap());
        let idle_since = Instant::now();
        let closed = poll(Duration::from_mins(1), || {
            backends(&database).is_empty().then_some(())
        });
        closed.expect("it is closed");
        let after = idle_since.elapsed();
        assert!((29..40).contains(&after.as_secs()), "after {after:?}");
    });
}

#[test]
fn opening_a_connection_may_take_ten_seconds_where_nobody_says_otherwise() {
    let server = Server::shared();
    let database = server.database();
    let silent = Proxy::builder().silent().start(server.port());
    let pool = pool(&database.url_through(silent.port()), &[]);
    run(async {
        let started = Instant::now();
        assert!(matches!(pool.get().await, Err(PoolError::Create { .. })));
        assert!(
            (9..15).contains(&started.elapsed().as_secs()),
            "after {:?}",
            started.elapsed()
        );
    });
}

#[test]
fn a_connection_is_replaced_at_the_end_of_its_lifetime_and_kept_for_ever_without_one() {
    let database = Server::shared().database();
    let aging = pool(&database.url(), &[("POSTGRES_MAX_LIFETIME", "300ms")]);
    let ageless = pool(&database.url(), &[]);
    run(async {
        let started = Instant::now();
        let (first, first_ageless) = (pid(&aging).await, pid(&ageless).await);
        while pid(&aging).await == first {
            assert!(started.elapsed() < SOON, "it is never replaced");
        }
        assert!(started.elapsed() >= Duration::from_millis(300));
        assert_eq!(pid(&ageless).await, first_ageless);
    });
}

#[test]
fn a_server_that_does_not_answer_is_given_up_after_the_connect_timeout() {
    let server = Server::shared();
    let database = server.database();
    let silent = Proxy::builder().silent().start(server.port());
    let limits = [("POSTGRES_CONNECT_TIMEOUT", "300ms")];
    let pool = pool(&database.url_through(silent.port()), &limits);
    run(async {
        let started = Instant::now();
        let error = pool.get().await.unwrap_err();
        assert!(matches!(error, PoolError::Create { .. }) && error.is_transient());
        assert!((Duration::from_millis(300)..Duration::from_secs(3)).contains(&started.elapsed()));
        assert_eq!(pool.status().create_timeouts, 1);
    });
}

#[test]
fn what_the_server_refuses_is_told_and_is_not_transient() {
    let database = Server::shared().database();
    let absent = database.url().replace(database.name(), "no_such_database");
    let pool = pool(&absent, &[]);
    run(async {
        let error = pool.get().await.unwrap_err();
        let PoolError::Connect { reason, .. } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(reason.sql_state(), Some(&SqlState::UNDEFINED_DATABASE));
        assert!(!error.is_transient());
    });
}

/// The server's process for it is stopped while it is idle; every new connection is well.
#[test]
fn an_idle_connection_that_stopped_answering_is_replaced() {
    let database = migrated(Server::shared());
    let pool = pool(&named(&database.url()), &[]);
    run(async {
        join(&pool, "a@example.com").await;
        let first = backends(&database);
        signal("STOP", &first[0]);
        // One that was in use just now is trusted.
        let idle_since = Instant::now();
        let _ = poll(SOON, || {
            (idle_since.elapsed() > Duration::from_millis(1100)).then_some(())
        });
        let joined = timeout(SOON, join(&pool, "b@example.com")).await;
        let second = backends(&database);
        signal("CONT", &first[0]);
        assert_eq!(joined, Ok(1));
        assert_eq!((second.len(), &second[0]), (2, &first[0]));
        assert_eq!(pool.status().recycle_timeouts, 1);
    });
}

/// To a process of the server's.
fn signal(name: &str, pid: &str) {
    let kill = std::process::Command::new("/bin/sh")
        .args(["-c", "kill -s \"$0\" \"$1\"", name, pid])
        .status();
    assert!(kill.is_ok_and(|status| status.success()), "kill -s {name} {pid}");
}

#[test]
fn a_restart_of_the_server_heals_without_a_restart_of_the_application() {
    let server = Server::start(ServerOptions::new());
    let database = migrated(&server);
    let pool = pool(&database.url(), &[]);
    run(async {
        for round in 0..rounds().max(3) {
            let clients = [pool.get().await.unwrap(), pool.get().await.unwrap()];
            drop(clients);
            let shutdown = if round % 2 == 0 {
                Shutdown::Fast
            } else {
                Shutdown::Immediate
            };
            server.stop(shutdown);
            let error = pool.get().await.expect_err("there is no server");
            assert!(error.is_transient(), "{error}");
            server.restart();
            assert_eq!(join(&pool, &format!("{round}@example.com")).await, 1);
        }
    });
}

/// Every transaction may be served by another connection of the pooler's.
#[test]
fn queries_go_through_a_transaction_pooler_and_leave_nothing_behind() {
    let server = Server::start(ServerOptions::new());
    for size in [1, 2, 5] {
        let database = migrated(&server);
        let pooler = Pooler::start(&server, size);
        let url = database.url_through(pooler.port());
        let separator = if url.contains('?') { '&' } else { '?' };
        for sign in ["pgbouncer=true", "prepare=false"] {
            let pool = pool(&format!("{url}{separator}{sign}"), &[]);
            run(async {
                let work = (0..8).map(|who| {
                    let pool = pool.clone();
                    tokio::spawn(async move {
                        for number in 0..25 {
                            let email = format!("{sign}-{who}-{number}@example.com");
                            assert_eq!(join(&pool, &email).await, 1);
                            let mut client = pool.get().await.unwrap();
                            let found = waitlist::get_by_email().bind(&client, &email).one().await;
                            assert_eq!(found.expect("what was just written").email, email);
                            let transaction = client.transaction().await.unwrap();
                            let count = waitlist::count().bind(&transaction).one().await;
                            assert!(count.unwrap() > 0);
                            transaction.commit().await.unwrap();
                        }
                    })
                });
                for task in work.collect::<Vec<_>>() {
                    task.await.expect("no query failed");
                }
            });
            let session = zerostarter_test_harness::Session::open_tcp(pooler.port(), database.name());
            assert_eq!(session.rows("SELECT name FROM pg_prepared_statements"), [""; 0]);
        }
        assert_eq!(database.rows("SELECT count(*) FROM waitlist"), ["400"]);
    }
}

/// Round trips of a new pool that runs so many queries, from startup to Terminate.
fn round_trips(parameter: &str, queries: usize) -> usize {
    let server = Server::shared();
    let database = migrated(server);
    let proxy = Proxy::start(server.port());
    let pool = pool(
        &format!("{}{parameter}", named(&database.url_through(proxy.port()))),
        &[],
    );
    run(async {
        drop(pool.get().await.expect("a connection"));
        for number in 0..queries {
            join(&pool, &format!("{number}@example.com")).await;
        }
        drop(pool);
    });
    proxy.round_trips()
}

#[test]
fn a_query_is_one_round_trip_once_it_is_known() {
    for (parameter, the_first) in [("", 2), ("&prepare=false", 4)] {
        let none = round_trips(parameter, 0);
        assert_eq!(round_trips(parameter, 1) - none, the_first, "{parameter}");
        assert_eq!(round_trips(parameter, 11) - none, the_first + 10, "{parameter}");
    }
}

#[test]
fn a_migration_under_a_running_application_does_not_break_its_statements() {
    let database = migrated(Server::shared());
    for parameter in ["", "&prepare=false"] {
        let url = format!("{}{parameter}", named(&database.url()));
        let pool = pool(&url, &[("POSTGRES_POOL_SIZE", "1")]);
        run(async {
            for change in [
                "ALTER TABLE waitlist ALTER COLUMN email TYPE varchar(400)",
                "ALTER TABLE waitlist ADD COLUMN source text",
                "ALTER TABLE waitlist ALTER COLUMN email TYPE text; ALTER TABLE waitlist DROP COLUMN source",
            ] {
                let email = format!("{change}{parameter}");
                join(&pool, &email).await;
                let client = pool.get().await.unwrap();
                waitlist::get_by_email()
                    .bind(&client, &email)
                    .one()
                    .await
                    .unwrap();
                database.execute(change);
                waitlist::get_by_email()
                    .bind(&client, &email)
                    .one()
                    .await
                    .unwrap();
                // As some poolers do between two clients.
                client.batch_execute("DEALLOCATE ALL").await.unwrap();
                let all = waitlist::list().bind(&client, &None::<&str>, &10).all().await;
                assert!(!all.unwrap().is_empty());
            }
        });
    }
}

#[test]
fn a_query_that_is_given_up_is_cancelled_and_nobody_waits_behind_it() {
    let database = migrated(Server::shared());
    let pool = pool(&named(&database.url()), &[("POSTGRES_POOL_SIZE", "1")]);
    let holder = database.session();
    holder.execute("BEGIN; LOCK TABLE waitlist");
    run(async {
        let given_up = timeout(Duration::from_millis(300), join(&pool, "a@example.com")).await;
        assert!(given_up.is_err(), "the table is locked");
        let answer = timeout(SOON, show(&pool, "application_name")).await;
        assert_eq!(answer.expect("a connection at once"), "pool");
        let gone = poll(SOON, || {
            let waiting = "SELECT pid FROM pg_stat_activity WHERE application_name = 'pool' AND wait_event_type = 'Lock'";
            database.rows(waiting).is_empty().then_some(())
        });
        gone.expect("the query was cancelled");
    });
    holder.execute("COMMIT");
    assert_eq!(database.rows("SELECT count(*) FROM waitlist"), ["0"]);
}

/// What the server still sends is in nobody's way either.
#[test]
fn rows_that_are_given_up_cost_the_connection_and_those_that_are_read_to_the_end_do_not() {
    let database = migrated(Server::shared());
    database.execute("INSERT INTO waitlist (id, email) SELECT n, n FROM generate_series(1, 20000) n");
    let pool = pool(&database.url(), &[("POSTGRES_POOL_SIZE", "1")]);
    run(async {
        let first = pid(&pool).await;
        let mut client = pool.get().await.unwrap();
        let all = waitlist::list().bind(&client, &None::<&str>, &20_000).all().await;
        assert_eq!(all.unwrap().len(), 20_000);
        let transaction = client.transaction().await.unwrap();
        let all = waitlist::list()
            .bind(&transaction, &None::<&str>, &20_000)
            .all()
            .await;
        assert_eq!(all.unwrap().len(), 20_000);
        transaction.commit().await.unwrap();
        drop(client);
        assert_eq!(pid(&pool).await, first);
        let client = pool.get().await.unwrap();
        let rows = waitlist::list()
            .bind(&client, &None::<&str>, &20_000)
            .iter()
            .await
            .unwrap();
        assert_eq!(pin!(rows).try_next().await.unwrap().unwrap().id, "1");
        drop(client);
        assert_ne!(pid(&pool).await, first);
    });
}

/// No answer of the server's arrives, not even that the query was cancelled.
#[test]
fn a_connection_that_is_being_ended_counts_until_it_has_ended() {
    let server = Server::shared();
    let database = server.database();
    let proxy = soon_mute(server);
    let pool = pool(
        &database.url_through(proxy.port()),
        &[("POSTGRES_POOL_SIZE", "1")],
    );
    run(async {
        let client = pool.get().await.unwrap();
        let query = client.attend(client.query_one("SELECT repeat('x', 1000)", &[]));
        assert!(timeout(Duration::from_millis(500), query).await.is_err());
        drop(client);
        assert_eq!(pool.status().open, 1);
        let ended = poll(SOON, || (pool.status().open == 0).then_some(()));
        ended.expect("it is ended by force");
        pid(&pool).await;
        assert_eq!(pool.status().open, 1);
    });
}

/// Where one row was expected the driver gives up at the second, and the server goes on.
#[test]
fn too_many_rows_block_nobody() {
    let database = migrated(Server::shared());
    database.execute("INSERT INTO waitlist (id, email) SELECT n, n FROM generate_series(1, 1000) n");
    for parameter in ["", "&prepare=false"] {
        let url = format!("{}{parameter}", database.url());
        let pool = pool(&url, &[("POSTGRES_POOL_SIZE", "1")]);
        run(async {
            let first = pid(&pool).await;
            let client = pool.get().await.unwrap();
            let refused = waitlist::insert().bind(&client, &"1", &"x").one().await;
            assert_eq!(refused.unwrap_err().code(), Some(&SqlState::UNIQUE_VIOLATION));
            drop(client);
            assert_eq!(pid(&pool).await, first, "what the server refuses is over");
            let client = pool.get().await.unwrap();
            assert!(
                waitlist::list()
                    .bind(&client, &None::<&str>, &1_000)
                    .one()
                    .await
                    .is_err()
            );
            drop(client);
            assert_ne!(pid(&pool).await, first);
        });
    }
}

/// One of tokio-postgres' own, which the pool does not see.
#[test]
fn a_query_that_was_left_running_costs_its_own_connection_and_no_other() {
    let database = Server::shared().database();
    let pool = pool(&named(&database.url()), &[]);
    run(async {
        let (idle, client) = (pool.get().await.unwrap(), pool.get().await.unwrap());
        let row = idle.query_one("SELECT pg_backend_pid()", &[]).await.unwrap();
        drop(idle);
        let left = timeout(
            Duration::from_millis(200),
            client.query_one("SELECT pg_sleep(60)", &[]),
        );
        assert!(left.await.is_err());
        drop(client);
        assert_eq!(pid(&pool).await, row.get::<_, i32>(0));
        assert_eq!(pool.status().recycle_timeouts, 0);
        let one = poll(SOON, || (backends(&database).len() == 1).then_some(()));
        one.expect("the query was cancelled");
    });
}

#[test]
fn an_unresponsive_host_leaves_time_for_the_next() {
    let server = Server::shared();
    let database = migrated(server);
    let silent = Proxy::builder().silent().start(server.port());
    let port = server.port();
    let url = database.url_through(silent.port());
    let hosts = format!("127.0.0.1:{},127.0.0.1:{port}", silent.port());
    let url = url.replace(&format!("127.0.0.1:{}", silent.port()), &hosts);
    let pool = pool(&url, &[("POSTGRES_CONNECT_TIMEOUT", "6s")]);
    let whole = Duration::from_millis(5500);
    let started = Instant::now();
    run(async {
        assert_eq!(join(&pool, "a@example.com").await, 1);
    });
    assert!(started.elapsed() < whole, "half of the time is the second's");
    let migrator = zerostarter_db(&database)
        .env("POSTGRES_URL", url)
        .env("MIGRATE_WAIT", "6s");
    let started = Instant::now();
    assert_eq!(migrator.run().status, 0);
    assert!(started.elapsed() < whole, "half of the time is the second's");
}

#[test]
fn a_transaction_can_be_begun_with_options() {
    let database = migrated(Server::shared());
    let pool = pool(&database.url(), &[]);
    run(async {
        let mut client = pool.get().await.unwrap();
        let transaction = client
            .transaction_with(|options| {
                options
                    .isolation_level(IsolationLevel::RepeatableRead)
                    .read_only(true)
            })
            .await
            .unwrap();
        let row = transaction
            .query_one("SHOW transaction_isolation", &[])
            .await
            .unwrap();
        assert_eq!(row.get::<_, String>(0), "repeatable read");
        let refused = waitlist::join()
            .bind(&transaction, &"1", &"a@b.c")
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Some(&SqlState::READ_ONLY_SQL_TRANSACTION));
    });
}

#[test]
fn a_transaction_that_was_begun_in_sql_is_whole_and_is_not_left_to_the_next() {
    let server = Server::start(ServerOptions::new());
    for parameter in ["", "&prepare=false"] {
        let database = migrated(&server);
        let url = format!("{}{parameter}", named(&database.url()));
        let pool = pool(&url, &[("POSTGRES_POOL_SIZE", "1")]);
        let emails = || database.rows("SELECT email FROM waitlist ORDER BY email");
        run(async {
            // The first use of a query, for which the server is asked what it is.
            let client = pool.get().await.unwrap();
            let begin = "BEGIN; INSERT INTO waitlist (id, email) VALUES ('1', 'first')";
            client.batch_execute(begin).await.unwrap();
            waitlist::join().bind(&client, &"2", &"second").await.unwrap();
            client.batch_execute("COMMIT").await.unwrap();
            assert_eq!(emails(), ["first", "second"]);
            drop(client);
            for (left_open, email) in [("BEGIN", "third"), ("BEGIN; SELECT 1/0", "fourth")] {
                let client = pool.get().await.unwrap();
                let _ = client.batch_execute(left_open).await;
                let _ = waitlist::join().bind(&client, &"3", &"left open").await;
                drop(client);
                assert_eq!(join(&pool, email).await, 1);
            }
            assert_eq!(emails(), ["first", "fourth", "second", "third"]);
        });
    }
    assert!(
        !server.log().contains("transaction in progress"),
        "{}",
        server.log()
    );
}

#[test]
fn a_transaction_that_is_dropped_is_rolled_back() {
    let database = migrated(Server::shared());
    let pool = pool(&database.url(), &[("POSTGRES_POOL_SIZE", "1")]);
    run(async {
        let mut client = pool.get().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        assert_eq!(
            waitlist::join().bind(&transaction, &"1", &"a@b.c").await.unwrap(),
            1
        );
        drop(transaction);
        drop(client);
        assert_eq!(join(&pool, "a@b.c").await, 1, "the first was rolled back");
    });
}

#[test]
fn the_url_reaches_the_server_by_the_rules_of_migrations() {
    let server = Server::shared();
    let database = server.database();
    database.execute("CREATE SCHEMA \"my app\"");
    let url = format!(
        "{}&schema=my%20app&options=-c%20work_mem%3D5MB",
        named(&database.url())
    );
    // Only migrations take the direct way.
    let pool = pool(
        &url,
        &[("POSTGRES_DIRECT_URL", "postgres://nobody@127.0.0.1:1/none")],
    );
    run(async {
        assert_eq!(show(&pool, "search_path").await, "\"my app\"");
        assert_eq!(show(&pool, "work_mem").await, "5MB");
        assert_eq!(show(&pool, "application_name").await, "pool");
    });
    let rewritten = load("postgres://u@localhost/d", &[("INTERNAL_API_URL", "http://api")]).unwrap();
    assert_eq!(
        rewritten.database.url.to_string(),
        "postgres://u@host.docker.internal:5432/d"
    );
}

#[test]
fn connections_are_protected_by_the_rules_of_migrations() {
    let ca = tls::ca("ca of the pool");
    let certificate = ca.certificate(&["127.0.0.1"]);
    let server = Server::start(ServerOptions::new().tls(&certificate.certificate, &certificate.key));
    let database = server.database();
    let directory = tempfile::tempdir().unwrap();
    let ca_file = directory.path().join("ca.pem");
    std::fs::write(&ca_file, ca.pem()).unwrap();
    let url = database.url().replace("sslmode=disable", "");
    let production = [
        ("NODE_ENV", "production"),
        ("POSTGRES_CA_FILE", ca_file.to_str().unwrap()),
    ];
    run(async {
        let client = pool(&url, &production).get().await.expect("a verified server");
        let encrypted = client
            .query_one("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", &[])
            .await
            .unwrap();
        assert!(encrypted.get::<_, bool>(0));
        let unknown_ca = pool(&url, &[("NODE_ENV", "production")]).get().await.unwrap_err();
        assert!(!unknown_ca.is_transient(), "{unknown_ca}");
    });
}

#[test]
fn all_variables_that_cannot_be_used_are_named_at_once_and_no_value_is_shown() {
    let problems = load(
        "postgres://u:hidden-word@h/d?nonsense=1",
        &[
            ("NODE_ENV", "prod"),
            ("POSTGRES_POOL_SIZE", "0"),
            ("POSTGRES_POOL_WAIT", "0"),
            ("POSTGRES_CONNECT_TIMEOUT", "soon"),
            ("POSTGRES_IDLE_TIMEOUT", "-1s"),
            ("POSTGRES_MAX_LIFETIME", "1000000d"),
        ],
    )
    .unwrap_err();
    assert_eq!(
        problems,
        [
            "NODE_ENV is not local, development, test, staging or production",
            "POSTGRES_URL has an unknown parameter nonsense",
            "POSTGRES_POOL_SIZE is not a number of connections from 1 to 10000",
            "POSTGRES_POOL_WAIT is 0, and a limit is needed",
            "POSTGRES_CONNECT_TIMEOUT is not a duration such as 250ms, 30s or 10m",
            "POSTGRES_IDLE_TIMEOUT is not a duration such as 250ms, 30s or 10m",
            "POSTGRES_MAX_LIFETIME is longer than the 24 days that PostgreSQL can count",
        ]
    );
}

#[test]
fn nothing_of_the_pool_shows_a_secret() {
    let server = Server::start(
        ServerOptions::new()
            .hba("host all secretive all scram-sha-256")
            .hba("host all all all trust"),
    );
    let database = migrated(&server);
    server.execute(
        "postgres",
        "CREATE ROLE secretive LOGIN SUPERUSER PASSWORD 'hidden-word'",
    );
    let url = database.url_as("secretive:hidden-word");
    let pool = pool(&url, &[]);
    run(async {
        let mut client = pool.get().await.expect("the password is right");
        let shown = [
            format!("{pool:?}"),
            format!("{:?}", pool.config()),
            format!("{client:?}"),
        ];
        let transaction = client.transaction().await.unwrap();
        let mut shown = shown.to_vec();
        shown.push(format!(
            "{transaction:?} {:?}",
            waitlist::list().bind(&transaction, &None::<&str>, &1).all().await
        ));
        drop(transaction);
        server.execute("postgres", "ALTER ROLE secretive PASSWORD 'another-word'");
        drop(client);
        pool.close();
        let refused = self::pool(&url, &[]).get().await.unwrap_err();
        shown.push(format!("{refused:?} {refused}"));
        assert!(matches!(pool.get().await, Err(PoolError::Closed)));
        for text in shown {
            assert!(!text.contains("-word"), "{text}");
        }
    });
}

#[test]
fn the_three_lines_of_the_documentation_are_those_that_are_compiled() {
    let page = include_str!("../../../docs/library.md");
    let compiled = include_str!("../src/lib.rs");
    let (_, rest) = page.split_once("```rust,ignore\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    assert_eq!(example.lines().count(), 3);
    for line in example.lines() {
        assert!(compiled.contains(&format!("//! {line}\n")), "{line}");
    }
}

/// The environment belongs to the whole process, so that this test runs itself in one of its own.
#[test]
fn a_process_shares_one_pool() {
    const CHILD: &str = "POOL_TEST_CHILD";
    if std::env::var_os(CHILD).is_some() {
        run(async {
            let (one, other) = (Pool::shared().unwrap(), Pool::shared().unwrap());
            let _held = one.get().await.expect("the only one");
            assert!(matches!(other.get().await, Err(PoolError::Wait { size: 1, .. })));
            assert_eq!(show_all(&Pool::shared().unwrap()), (1, 1));
        });
        return;
    }
    let database = Server::shared().database();
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "pool::a_process_shares_one_pool", "--nocapture"])
        .env(CHILD, "yes")
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL", database.url())
        .env("POSTGRES_POOL_SIZE", "1")
        .env("POSTGRES_POOL_WAIT", "100ms")
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && output.contains("1 passed"), "{output}");
}

fn show_all(pool: &Pool) -> (usize, usize) {
    let status = pool.status();
    (status.size, status.open)
}
