//! The schema that the embedded migrations make, on the server under test.

use std::fs;

use zerostarter_test_harness::{Server, zerostarter_db};

/// What Drizzle's tables list, in their order: a reader of `SELECT *` or of `COPY` depends on it.
const COLUMNS: &[(&str, &str)] = &[
    (
        "account",
        "id, account_id, provider_id, user_id, access_token, refresh_token, id_token, access_token_expires_at, \
         refresh_token_expires_at, scope, password, created_at, updated_at",
    ),
    (
        "invitation",
        "id, organization_id, email, role, team_id, status, expires_at, created_at, inviter_id",
    ),
    ("member", "id, organization_id, user_id, role, created_at"),
    ("organization", "id, name, slug, logo, created_at, metadata"),
    (
        "session",
        "id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id, active_organization_id, \
         active_team_id, impersonated_by",
    ),
    ("team", "id, name, organization_id, created_at, updated_at"),
    ("team_member", "id, team_id, user_id, created_at"),
    (
        "user",
        "id, name, email, email_verified, image, role, banned, ban_reason, ban_expires, created_at, updated_at",
    ),
    (
        "verification",
        "id, identifier, value, expires_at, created_at, updated_at",
    ),
    ("waitlist", "id, email, created_at"),
];

#[test]
fn the_catalog_is_that_of_zerostarter() {
    let database = Server::shared().database();
    assert_eq!(zerostarter_db(&database).run().status, 0);
    let expected = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/expected/catalog.txt"))
        .expect("the expected catalog");
    assert_eq!(database.catalog(), expected.lines().collect::<Vec<_>>());
}

#[test]
fn columns_come_in_the_order_of_zerostarters_tables() {
    let database = Server::shared().database();
    assert_eq!(zerostarter_db(&database).run().status, 0);
    let found = database.rows(
        "SELECT table_name, string_agg(column_name, ', ' ORDER BY ordinal_position) \
         FROM information_schema.columns \
         WHERE table_schema = 'public' AND table_name <> 'refinery_schema_history' \
         GROUP BY table_name ORDER BY table_name COLLATE \"C\"",
    );
    let expected: Vec<String> = COLUMNS
        .iter()
        .map(|(table, columns)| format!("{table}|{columns}"))
        .collect();
    assert_eq!(found, expected);
}

/// Databases out there hold these checksums: an edit of an applied migration stops their next deploy.
#[test]
fn the_embedded_migrations_never_change() {
    let database = Server::shared().database();
    assert_eq!(zerostarter_db(&database).run().status, 0);
    assert_eq!(
        database.history(),
        [
            "0|zero_starter|11859088867011597900",
            "1|waitlist|11142135336137634532"
        ]
    );
}
