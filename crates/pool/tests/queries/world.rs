//! Two organizations with three people in them, so that what belongs to one can be told from what belongs to
//! another.

use tokio_postgres::{Client, Error};

use super::connection::column;
use super::fixture::{
    account, in_hours, invitation, member, organization, session, team, team_member, user, verification,
    waitlist,
};

/// Ada owns `acme` and Bob `bolt`; each is a guest of the other. Cyd has no membership.
pub(super) async fn world(client: &Client) -> Result<(), Error> {
    for id in ["ada", "bob", "cyd"] {
        user(client, id).await?;
    }
    for (id, owner) in [("s3", "ada"), ("s1", "ada"), ("s2", "bob")] {
        session(client, id, owner).await?;
    }
    for (id, owner) in [("a3", "ada"), ("a1", "bob"), ("a2", "bob")] {
        account(client, id, owner).await?;
    }
    for id in ["acme", "bolt"] {
        organization(client, id).await?;
    }
    for (id, owner) in [("t3", "acme"), ("t1", "acme"), ("t2", "bolt")] {
        team(client, id, owner).await?;
    }
    for (id, owner, person) in [
        ("m4", "acme", "ada"),
        ("m3", "acme", "bob"),
        ("m2", "bolt", "ada"),
        ("m1", "bolt", "bob"),
    ] {
        member(client, id, owner, person).await?;
    }
    for (id, owner, person) in [
        ("tm4", "t1", "ada"),
        ("tm3", "t1", "bob"),
        ("tm2", "t2", "ada"),
        ("tm1", "t3", "bob"),
    ] {
        team_member(client, id, owner, person).await?;
    }
    for (id, owner, person) in [
        ("i4", "acme", "ada"),
        ("i3", "acme", "bob"),
        ("i2", "bolt", "ada"),
        ("i1", "bolt", "bob"),
    ] {
        invitation(client, id, owner, person, in_hours(1)).await?;
    }
    verification(client, "v1", in_hours(1)).await?;
    waitlist(client, "w1").await.map(drop)
}

/// Every row of every table, in full.
pub(super) async fn rows(client: &Client) -> Result<Vec<String>, Error> {
    let tables = column(
        client,
        "SELECT quote_ident(table_name) FROM information_schema.tables \
         WHERE table_schema = 'public' AND table_name <> 'refinery_schema_history'",
    )
    .await?;
    let mut rows = Vec::new();
    for table in tables {
        let sql = format!("SELECT '{table} ' || id || ' ' || t::text FROM {table} t");
        rows.extend(column(client, &sql).await?);
    }
    rows.sort();
    Ok(rows)
}
