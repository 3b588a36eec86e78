//! The schema as typed queries: every table, every relation, and what goes with what is deleted.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio_postgres::error::SqlState;
use tokio_postgres::{Error, Row, RowStream, Statement};
use zerostarter_db::pool::{Client, GenericClient, Params};
use zerostarter_db::queries::{
    account, invitation, member, organization, session, team, team_member, user, verification, waitlist,
};

use crate::harness::{Database, Server};
use crate::pool::{migrated, pool, run};

const TABLES: [&str; 10] = [
    "account",
    "invitation",
    "member",
    "organization",
    "session",
    "team",
    "team_member",
    "user",
    "verification",
    "waitlist",
];

const NONE: Option<&str> = None;

/// The file of a table's queries.
fn file(table: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("queries/{table}.sql"));
    fs::read_to_string(path).expect("the queries of a table")
}

/// Every query of a table: its name and its statement.
fn queries(table: &str) -> Vec<(String, String)> {
    let file = file(table);
    let parts = file.split("\n--! ").skip(1);
    parts
        .map(|part| {
            let (head, rest) = part.split_once('\n').expect("a statement");
            let name: String = head
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            let lines = rest.lines().filter(|line| !line.starts_with("--"));
            (name, lines.collect::<Vec<_>>().join("\n"))
        })
        .collect()
}

fn statement(table: &str, query: &str) -> String {
    let found = queries(table).into_iter().find(|(name, _)| name == query);
    found.unwrap_or_else(|| panic!("{table}.{query}")).1
}

/// Two users, two organizations with teams, and everything that relates them.
const WORLD: &str = "
    INSERT INTO \"user\" (id, name, email) VALUES
        ('ada', 'Ada', 'ada@example.com'), ('bob', 'Bob', 'bob@example.com'), ('cy', 'Cy', 'cy@example.com');
    INSERT INTO organization (id, name, slug, created_at) VALUES
        ('x', 'X', 'slug-x', now()), ('y', 'Y', 'slug-y', now());
    INSERT INTO team (id, name, organization_id, created_at) VALUES
        ('tx1', 'X1', 'x', now()), ('tx2', 'X2', 'x', now()), ('ty1', 'Y1', 'y', now());
    INSERT INTO team_member (id, team_id, user_id) VALUES
        ('1', 'tx1', 'ada'), ('2', 'tx2', 'ada'), ('3', 'ty1', 'bob'), ('4', 'tx1', 'bob');
    INSERT INTO member (id, organization_id, user_id, created_at) VALUES
        ('1', 'x', 'ada', now()), ('2', 'x', 'bob', now()), ('3', 'y', 'bob', now());
    INSERT INTO session (id, expires_at, token, updated_at, user_id) VALUES
        ('1', now() + interval '1 day', 'token-1', now(), 'ada'),
        ('2', now() + interval '1 day', 'token-2', now(), 'ada'),
        ('3', now() - interval '1 day', 'token-3', now(), 'bob');
    INSERT INTO account (id, account_id, provider_id, user_id, updated_at) VALUES
        ('1', 'a', 'github', 'ada', now()), ('2', 'b', 'google', 'ada', now()), ('3', 'c', 'github', 'bob', now());
    INSERT INTO invitation (id, organization_id, email, expires_at, inviter_id) VALUES
        ('1', 'x', 'd@example.com', now() + interval '1 day', 'ada'),
        ('2', 'y', 'd@example.com', now() + interval '1 day', 'bob'),
        ('3', 'x', 'e@example.com', now() + interval '1 day', 'bob');
";

fn world(database: &Database) {
    database.execute(&format!("SET TimeZone = 'UTC'; {WORLD}"));
}

/// A client that counts what it sends.
struct Counting<'a> {
    client: &'a Client,
    sent: AtomicUsize,
}

impl Counting<'_> {
    fn taken(&self) -> usize {
        self.sent.swap(0, Ordering::Relaxed)
    }
}

impl GenericClient for Counting<'_> {
    async fn prepare(&self, query: &str) -> Result<Statement, Error> {
        GenericClient::prepare(self.client, query).await
    }

    async fn execute(
        &self,
        query: &str,
        params: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> Result<u64, Error> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        GenericClient::execute(self.client, query, params).await
    }

    async fn query_one(
        &self,
        query: &str,
        prepared: Option<&Statement>,
        params: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> Result<Row, Error> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        GenericClient::query_one(self.client, query, prepared, params).await
    }

    async fn query_opt(
        &self,
        query: &str,
        prepared: Option<&Statement>,
        params: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> Result<Option<Row>, Error> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        GenericClient::query_opt(self.client, query, prepared, params).await
    }

    async fn query_raw(
        &self,
        query: &str,
        prepared: Option<&Statement>,
        params: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> Result<RowStream, Error> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        GenericClient::query_raw(self.client, query, prepared, params).await
    }
}

#[test]
fn every_table_has_its_queries_and_every_column_is_read() {
    let database = migrated(Server::shared());
    let tables = database.rows(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'refinery_schema_history' ORDER BY 1",
    );
    assert_eq!(tables, TABLES);
    for table in TABLES {
        let columns = database
            .rows(&format!(
                "SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' \
                 AND table_schema = 'public' ORDER BY ordinal_position"
            ))
            .join(", ");
        let get = statement(table, "get")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert!(
            get.starts_with(&format!("SELECT {columns} FROM ")),
            "{table}: {get}"
        );
        for (name, statement) in queries(table) {
            assert!(
                !statement.contains('*') || name == "count",
                "{table}.{name} names no columns"
            );
        }
    }
}

#[test]
fn every_query_every_table_and_every_column_is_documented() {
    let database = migrated(Server::shared());
    let page = include_str!("../docs/library.md");
    for table in TABLES {
        let (_, section) = page.split_once(&format!("\n### {table}\n")).expect(table);
        let section = section.split("\n### ").next().unwrap_or_default();
        let section = section.split("\n## ").next().unwrap_or_default();
        for (name, _) in queries(table) {
            assert!(section.contains(&format!("`{name}`")), "{table}.{name}");
        }
        for column in database.rows(&format!(
            "SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' AND table_schema = 'public'"
        )) {
            assert!(section.contains(&format!("`{column}`")), "{table}.{column}");
        }
        assert!(section.contains(&format!("`{table}_pkey`")), "{table}_pkey");
    }
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one story: each row belongs to one that was inserted before it"
)]
fn rows_are_inserted_read_changed_and_deleted_with_values_and_with_nulls() {
    let database = migrated(Server::shared());
    let pool = pool(&database.url(), &[]);
    run(async {
        let client = pool.get().await.unwrap();
        let mut users = Vec::new();
        for (id, image) in [("ada", Some("picture")), ("bob", None)] {
            let email = format!("{id}@example.com");
            let row = user::insert()
                .params(
                    &client,
                    &user::InsertParams {
                        id,
                        name: "Name",
                        email: email.as_str(),
                        email_verified: false,
                        image,
                        role: image.map(|_| "admin"),
                    },
                )
                .one()
                .await
                .unwrap();
            assert_eq!(
                (row.image.as_deref(), row.role.is_some(), row.banned),
                (image, image.is_some(), None)
            );
            assert_eq!(user::get().bind(&client, &id).one().await.unwrap(), row);
            assert_eq!(
                user::get_by_email().bind(&client, &email).one().await.unwrap(),
                row
            );
            users.push(row);
        }
        let now = users[0].created_at;
        let later = now + Duration::from_hours(1);
        let banned = user::ban()
            .bind(&client, &"bob", &Some("spam"), &Some(later))
            .one()
            .await
            .unwrap();
        assert_eq!((banned.banned, banned.ban_expires), (Some(true), Some(later)));
        let unbanned = user::unban().bind(&client, &"bob").one().await.unwrap();
        assert_eq!(
            (unbanned.banned, unbanned.ban_reason, unbanned.ban_expires),
            (Some(false), None, None)
        );
        assert!(
            user::get()
                .bind(&client, &"nobody")
                .opt()
                .await
                .unwrap()
                .is_none()
        );

        for (id, text) in [("s1", Some("text")), ("s2", None)] {
            let inserted = session::insert()
                .params(
                    &client,
                    &session::InsertParams {
                        id,
                        expires_at: later,
                        token: id,
                        ip_address: text,
                        user_agent: text,
                        user_id: "ada",
                        active_organization_id: text,
                        active_team_id: text,
                        impersonated_by: text,
                    },
                )
                .one()
                .await
                .unwrap();
            assert_eq!(inserted.ip_address.as_deref(), text);
            assert_eq!(
                session::get_by_token().bind(&client, &id).one().await.unwrap(),
                inserted
            );
        }
        for (id, text) in [("a1", Some("text")), ("a2", None)] {
            let inserted = account::insert()
                .params(
                    &client,
                    &account::InsertParams {
                        id,
                        account_id: id,
                        provider_id: "github",
                        user_id: "ada",
                        access_token: text,
                        refresh_token: text,
                        id_token: text,
                        access_token_expires_at: text.map(|_| later),
                        refresh_token_expires_at: text.map(|_| later),
                        scope: text,
                        password: text,
                    },
                )
                .one()
                .await
                .unwrap();
            assert_eq!(inserted.access_token_expires_at, text.map(|_| later));
            assert_eq!(account::get().bind(&client, &id).one().await.unwrap(), inserted);
        }
        let verified = verification::insert()
            .params(
                &client,
                &verification::InsertParams {
                    id: "v1",
                    identifier: "i",
                    value: "code",
                    expires_at: later,
                },
            )
            .one()
            .await
            .unwrap();
        assert_eq!(
            verification::get().bind(&client, &"v1").one().await.unwrap(),
            verified
        );
        for (id, text) in [("o1", Some("text")), ("o2", None)] {
            let inserted = organization::insert()
                .params(
                    &client,
                    &organization::InsertParams {
                        id,
                        name: "O",
                        slug: id,
                        logo: text,
                        metadata: text,
                    },
                )
                .one()
                .await
                .unwrap();
            assert_eq!(
                (inserted.logo.as_deref(), inserted.metadata.as_deref()),
                (text, text)
            );
            assert_eq!(
                organization::get_by_slug()
                    .bind(&client, &id)
                    .one()
                    .await
                    .unwrap(),
                inserted
            );
        }
        let made = team::insert()
            .params(
                &client,
                &team::InsertParams {
                    id: "t1",
                    name: "T",
                    organization_id: "o1",
                },
            )
            .one()
            .await
            .unwrap();
        assert_eq!(team::get().bind(&client, &"t1").one().await.unwrap(), made);
        let joined = team_member::insert()
            .params(
                &client,
                &team_member::InsertParams {
                    id: "tm1",
                    team_id: "t1",
                    user_id: "ada",
                },
            )
            .one()
            .await
            .unwrap();
        assert_eq!(
            team_member::get_by_team_and_user()
                .bind(&client, &"t1", &"ada")
                .one()
                .await
                .unwrap(),
            joined
        );
        let belongs = member::insert()
            .params(
                &client,
                &member::InsertParams {
                    id: "m1",
                    organization_id: "o1",
                    user_id: "ada",
                    role: "owner",
                },
            )
            .one()
            .await
            .unwrap();
        assert_eq!(
            member::get_by_organization_and_user()
                .bind(&client, &"o1", &"ada")
                .one()
                .await
                .unwrap(),
            belongs
        );
        for (id, text) in [("i1", Some("t1")), ("i2", None)] {
            let invited = invitation::insert()
                .params(
                    &client,
                    &invitation::InsertParams {
                        id,
                        organization_id: "o1",
                        email: "d@example.com",
                        role: text,
                        team_id: text,
                        expires_at: later,
                        inviter_id: "ada",
                    },
                )
                .one()
                .await
                .unwrap();
            assert_eq!(
                (invited.role.as_deref(), invited.team_id.as_deref()),
                (text, text)
            );
            assert_eq!(invited.status, "pending");
        }
        let waiting = waitlist::insert()
            .params(
                &client,
                &waitlist::InsertParams {
                    id: "w1",
                    email: "w@example.com",
                },
            )
            .one()
            .await
            .unwrap();
        assert_eq!(
            waitlist::get_by_email()
                .bind(&client, &"w@example.com")
                .one()
                .await
                .unwrap(),
            waiting
        );
        assert_eq!(waitlist::count().bind(&client).one().await.unwrap(), 1);

        macro_rules! listed_and_deleted {
            ($($table:ident: $($key:literal)+),+ $(,)?) => {$(
                let keys: Vec<String> = $table::list().bind(&client, &NONE, &10).map(|row| row.id.to_owned()).all().await.unwrap();
                assert_eq!(keys, [$($key),+], stringify!($table));
                $(
                    let row = $table::get().bind(&client, &$key).one().await.unwrap();
                    assert_eq!($table::delete().bind(&client, &$key).opt().await.unwrap(), Some(row));
                    assert!($table::delete().bind(&client, &$key).opt().await.unwrap().is_none());
                )+
            )+};
        }
        listed_and_deleted!(
            waitlist: "w1", invitation: "i1" "i2", member: "m1", team_member: "tm1", team: "t1", organization: "o1" "o2",
            verification: "v1", account: "a1" "a2", session: "s1" "s2", user: "ada" "bob",
        );
    });
}

#[test]
fn pages_have_every_row_once_and_are_read_from_the_index() {
    let database = migrated(Server::shared());
    database.execute("INSERT INTO waitlist (id, email) SELECT 'k' || lpad(n::text, 4, '0'), n FROM generate_series(1, 95) n");
    let pool = pool(&database.url(), &[]);
    run(async {
        let client = pool.get().await.unwrap();
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = waitlist::list().bind(&client, &after, &10).all().await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            // Who comes meanwhile, before or behind the page, makes nobody else come twice or not at all.
            let id = format!("a{}", seen.len());
            waitlist::insert()
                .params(
                    &client,
                    &waitlist::InsertParams {
                        id: id.as_str(),
                        email: id.as_str(),
                    },
                )
                .one()
                .await
                .unwrap();
            seen.extend(page.into_iter().map(|row| row.id));
        }
        let expected: Vec<String> = (1..=95).map(|n| format!("k{n:04}")).collect();
        assert_eq!(seen, expected);
    });
    for table in TABLES {
        let list = statement(table, "list")
            .replace(":after", "'k'")
            .replace(":count", "10");
        let plan = database
            .rows(&format!("SET enable_seqscan = off; EXPLAIN {list}"))
            .join("\n");
        assert!(
            plan.contains("_pkey") && plan.contains("Index Cond: (id > 'k'::text)"),
            "{table}:\n{plan}"
        );
        assert!(!plan.contains("Sort"), "{table}:\n{plan}");
    }
}

#[test]
fn every_relation_is_one_statement_for_one_owner_and_for_many() {
    let database = migrated(Server::shared());
    world(&database);
    let pool = pool(&database.url(), &[]);
    run(async {
        let client = pool.get().await.unwrap();
        let counting = Counting {
            client: &client,
            sent: AtomicUsize::new(0),
        };
        macro_rules! relation {
            ($($module:ident: $one:ident $many:ident $owner:ident $owners:expr => $rows:literal),+ $(,)?) => {$(
                let owners: Vec<&str> = $owners.to_vec();
                let many = $module::$many().bind(&counting, &owners).all().await.unwrap();
                assert_eq!(counting.taken(), 1, "{}", stringify!($module::$many));
                let mut singly = Vec::new();
                for owner in &owners {
                    let rows = $module::$one().bind(&counting, owner).all().await.unwrap();
                    assert_eq!(counting.taken(), 1);
                    assert!(rows.iter().all(|row| row.$owner == **owner));
                    singly.extend(rows);
                }
                assert_eq!(many, singly, "{}", stringify!($module::$many));
                assert_eq!(many.len(), $rows, "{}", stringify!($module::$many));
            )+};
        }
        let (users, organizations) = (["ada", "bob", "cy"], ["x", "y"]);
        relation!(
            session: list_by_user list_by_users user_id users => 3,
            account: list_by_user list_by_users user_id users => 3,
            team_member: list_by_user list_by_users user_id users => 4,
            member: list_by_user list_by_users user_id users => 3,
            invitation: list_by_inviter list_by_inviters inviter_id users => 3,
            team: list_by_organization list_by_organizations organization_id organizations => 3,
            member: list_by_organization list_by_organizations organization_id organizations => 3,
            invitation: list_by_organization list_by_organizations organization_id organizations => 3,
            team_member: list_by_team list_by_teams team_id ["tx1", "tx2", "ty1"] => 4,
        );
        let owners = user::list_by_ids()
            .bind(&counting, &vec!["bob", "ada"])
            .all()
            .await
            .unwrap();
        assert_eq!(
            owners.iter().map(|user| user.id.as_str()).collect::<Vec<_>>(),
            ["ada", "bob"]
        );
        let teams = team::list_by_ids()
            .bind(&counting, &vec!["tx1", "ty1"])
            .all()
            .await
            .unwrap();
        let keys: Vec<_> = teams.iter().map(|team| team.organization_id.as_str()).collect();
        assert_eq!(
            organization::list_by_ids()
                .bind(&counting, &keys)
                .all()
                .await
                .unwrap()
                .len(),
            2
        );
        assert_eq!(counting.taken(), 3);
    });
}

#[test]
fn a_joined_read_has_both_sides() {
    let database = migrated(Server::shared());
    world(&database);
    let pool = pool(&database.url(), &[]);
    run(async {
        let client = pool.get().await.unwrap();
        let live = session::get_live_with_user()
            .bind(&client, &"token-1")
            .one()
            .await
            .unwrap();
        assert_eq!(
            (live.id.as_str(), live.user_id.as_str(), live.user_email.as_str()),
            ("1", "ada", "ada@example.com")
        );
        let expired = session::get_live_with_user()
            .bind(&client, &"token-3")
            .opt()
            .await
            .unwrap();
        assert!(expired.is_none());
        let signed = account::get_by_provider_with_user()
            .bind(&client, &"github", &"c")
            .one()
            .await
            .unwrap();
        assert_eq!((signed.id.as_str(), signed.user_name.as_str()), ("3", "Bob"));
        let of_ada = member::list_by_user_with_organization()
            .bind(&client, &"ada")
            .all()
            .await
            .unwrap();
        assert_eq!(
            of_ada
                .iter()
                .map(|row| (row.role.as_str(), row.organization_slug.as_str()))
                .collect::<Vec<_>>(),
            [("member", "slug-x")]
        );
        let of_x = member::list_by_organization_with_user()
            .bind(&client, &"x")
            .all()
            .await
            .unwrap();
        assert_eq!(
            of_x.iter().map(|row| row.user_email.as_str()).collect::<Vec<_>>(),
            ["ada@example.com", "bob@example.com"]
        );
        let teams = team_member::list_by_user_with_team()
            .bind(&client, &"ada")
            .all()
            .await
            .unwrap();
        assert_eq!(
            teams.iter().map(|row| row.team_name.as_str()).collect::<Vec<_>>(),
            ["X1", "X2"]
        );
        let people = team_member::list_by_team_with_user()
            .bind(&client, &"tx1")
            .all()
            .await
            .unwrap();
        assert_eq!(
            people
                .iter()
                .map(|row| row.user_name.as_str())
                .collect::<Vec<_>>(),
            ["Ada", "Bob"]
        );
        let team = team::get_with_organization()
            .bind(&client, &"ty1")
            .one()
            .await
            .unwrap();
        assert_eq!((team.name.as_str(), team.organization_name.as_str()), ("Y1", "Y"));
        let invited = invitation::get_with_organization_and_inviter()
            .bind(&client, &"3")
            .one()
            .await
            .unwrap();
        assert_eq!(
            (invited.organization_slug.as_str(), invited.inviter_name.as_str()),
            ("slug-x", "Bob")
        );
    });
}

#[test]
fn what_signs_somebody_in_is_not_shown() {
    let database = migrated(Server::shared());
    world(&database);
    database.execute(
        "UPDATE session SET token = 'hidden-word' WHERE id = '1'; \
         UPDATE account SET password = 'hidden-word', access_token = 'hidden-word', refresh_token = 'hidden-word', \
           id_token = 'hidden-word' WHERE id = '1'; \
         INSERT INTO verification (id, identifier, value, expires_at) VALUES ('v', 'i', 'hidden-word', now())",
    );
    let pool = pool(&database.url(), &[]);
    run(async {
        let client = pool.get().await.unwrap();
        let session = session::get().bind(&client, &"1").one().await.unwrap();
        assert_eq!(session.token, "hidden-word");
        let live = session::get_live_with_user()
            .bind(&client, &"hidden-word")
            .one()
            .await
            .unwrap();
        let account = account::get().bind(&client, &"1").one().await.unwrap();
        let signed = account::get_by_provider_with_user()
            .bind(&client, &"github", &"a")
            .one()
            .await
            .unwrap();
        let verification = verification::get().bind(&client, &"v").one().await.unwrap();
        let params = account::SetPasswordParams {
            id: "1",
            password: Some("hidden-word"),
        };
        let shown = format!("{session:?} {live:?} {account:?} {signed:?} {verification:?} {params:?}");
        assert_eq!(
            shown,
            "Session { .. } SessionWithUser { .. } Account { .. } AccountWithUser { .. } Verification { .. } SetPasswordParams { .. }"
        );
    });
}

fn rows_left(database: &Database) -> BTreeSet<String> {
    TABLES
        .iter()
        .flat_map(|table| database.rows(&format!("SELECT '{table} ' || id FROM \"{table}\"")))
        .collect()
}

#[test]
fn what_belongs_to_a_row_goes_with_it_and_nothing_else() {
    for (delete_organization, gone) in [
        (
            true,
            &[
                "organization x",
                "team tx1",
                "team tx2",
                "team_member 1",
                "team_member 2",
                "team_member 4",
                "member 1",
                "member 2",
                "invitation 1",
                "invitation 3",
            ][..],
        ),
        (
            false,
            &[
                "user ada",
                "session 1",
                "session 2",
                "account 1",
                "account 2",
                "team_member 1",
                "team_member 2",
                "member 1",
                "invitation 1",
            ],
        ),
    ] {
        let database = migrated(Server::shared());
        world(&database);
        let before = rows_left(&database);
        let pool = pool(&database.url(), &[]);
        run(async {
            let client = pool.get().await.unwrap();
            if delete_organization {
                assert_eq!(
                    organization::delete()
                        .bind(&client, &"x")
                        .one()
                        .await
                        .unwrap()
                        .slug,
                    "slug-x"
                );
            } else {
                assert_eq!(
                    user::delete().bind(&client, &"ada").one().await.unwrap().name,
                    "Ada"
                );
            }
        });
        let left = rows_left(&database);
        let lost: BTreeSet<&str> = before.difference(&left).map(String::as_str).collect();
        assert_eq!(lost, gone.iter().copied().collect());
    }
}

#[test]
fn updated_at_moves_on_with_every_change_and_created_at_does_not() {
    let database = migrated(Server::shared());
    world(&database);
    // The session's idea of the time of day must not matter.
    database.execute(&format!(
        "ALTER DATABASE {} SET TimeZone = 'Asia/Kolkata'",
        database.name()
    ));
    let pool = pool(&database.url(), &[]);
    run(async {
        let client = pool.get().await.unwrap();
        let zone: String = client.query_one("SHOW TimeZone", None, &[]).await.unwrap().get(0);
        assert_eq!(zone, "Asia/Kolkata");
        let later =
            user::get().bind(&client, &"ada").one().await.unwrap().created_at + Duration::from_mins(1);
        macro_rules! moves_on {
            ($($table:literal $module:ident $key:literal: $change:expr),+ $(,)?) => {$(
                let before = $module::get().bind(&client, &$key).one().await.unwrap();
                let after = $change.one().await.unwrap();
                assert_eq!(after.created_at, before.created_at, "{}", stringify!($change));
                let is_utc = format!(
                    "SELECT abs(extract(epoch FROM updated_at - timezone('UTC', now()))) < 5, updated_at > created_at - interval '1 minute' \
                     FROM \"{}\" WHERE id = '{}'", $table, $key
                );
                assert_eq!(database.rows(&is_utc), ["t|t"], "{}", stringify!($change));
                assert!(after.updated_at > before.updated_at, "{}", stringify!($change));
            )+};
        }
        // So that the difference is not one of microseconds.
        for table in ["user", "session", "account"] {
            database.execute(&format!("UPDATE \"{table}\" SET updated_at = '2020-01-01'"));
        }
        moves_on!(
            "user" user "ada": user::update().bind(&client, &"Ada L.", &NONE, &"ada"),
            "user" user "ada": user::set_email().bind(&client, &"ada@example.org", &true, &"ada"),
            "user" user "ada": user::set_role().bind(&client, &Some("admin"), &"ada"),
            "user" user "cy": user::ban().bind(&client, &"cy", &NONE, &None),
            "user" user "cy": user::unban().bind(&client, &"cy"),
            "session" session "1": session::update().params(&client, &session::UpdateParams {
                id: "1", expires_at: later, ip_address: NONE, user_agent: NONE,
            }),
            "session" session "1": session::set_active_organization().params(&client, &session::SetActiveOrganizationParams {
                id: "1", active_organization_id: Some("x"),
            }),
            "session" session "1": session::set_active_team().params(&client, &session::SetActiveTeamParams {
                id: "1", active_team_id: Some("tx1"),
            }),
            "account" account "1": account::set_password().params(&client, &account::SetPasswordParams {
                id: "1", password: Some("hash"),
            }),
        );
        let changed = team::update()
            .params(
                &client,
                &team::UpdateParams {
                    id: "tx1",
                    name: "X one",
                },
            )
            .one()
            .await
            .unwrap();
        assert!(changed.updated_at.is_some());
        let inserted = waitlist::insert()
            .params(
                &client,
                &waitlist::InsertParams {
                    id: "w",
                    email: "w@example.com",
                },
            )
            .one()
            .await
            .unwrap();
        assert_eq!(inserted.email, "w@example.com");
        let age = "SELECT abs(extract(epoch FROM created_at - timezone('UTC', now()))) < 5 FROM waitlist";
        assert_eq!(database.rows(age), ["t"]);
    });
}

#[test]
fn what_the_schema_forbids_is_told_by_its_sqlstate() {
    let database = migrated(Server::shared());
    world(&database);
    let pool = pool(&database.url(), &[]);
    run(async {
        let client = pool.get().await.unwrap();
        let twice = user::insert()
            .params(
                &client,
                &user::InsertParams {
                    id: "ada2",
                    name: "Ada",
                    email: "ada@example.com",
                    email_verified: false,
                    image: NONE,
                    role: NONE,
                },
            )
            .one()
            .await
            .unwrap_err();
        assert_eq!(twice.code(), Some(&SqlState::UNIQUE_VIOLATION));
        let orphan = team::insert()
            .params(
                &client,
                &team::InsertParams {
                    id: "t",
                    name: "T",
                    organization_id: "nowhere",
                },
            )
            .one()
            .await
            .unwrap_err();
        assert_eq!(orphan.code(), Some(&SqlState::FOREIGN_KEY_VIOLATION));
    });
}

#[test]
fn what_has_expired_is_cleared_away_and_what_has_not_stays() {
    let database = migrated(Server::shared());
    world(&database);
    database.execute(
        "SET TimeZone = 'UTC'; INSERT INTO verification (id, identifier, value, expires_at) VALUES \
         ('old', 'i', 'v', now() - interval '1 hour'), ('new', 'i', 'v', now() + interval '1 hour')",
    );
    let pool = pool(&database.url(), &[]);
    run(async {
        let client = pool.get().await.unwrap();
        assert_eq!(session::delete_expired().bind(&client, &10).await.unwrap(), 1);
        assert_eq!(
            verification::delete_expired().bind(&client, &10).await.unwrap(),
            1
        );
        let pending = invitation::list_pending_by_email()
            .bind(&client, &"d@example.com")
            .all()
            .await
            .unwrap();
        assert_eq!(pending.len(), 2);
        let banned = user::ban()
            .bind(&client, &"ada", &NONE, &None)
            .one()
            .await
            .unwrap();
        assert_eq!(banned.banned, Some(true));
        assert!(
            session::list_by_user()
                .bind(&client, &"ada")
                .all()
                .await
                .unwrap()
                .is_empty(),
            "a ban ends sessions"
        );
    });
    assert_eq!(database.rows("SELECT id FROM verification"), ["new"]);
}
