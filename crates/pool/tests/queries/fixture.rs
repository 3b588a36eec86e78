//! Rows, one function a table: with their key and their owners, and whatever else they need.

use chrono::{NaiveDateTime, TimeDelta, Utc};
use tokio_postgres::Error;
use zerostarter_queries::client::{GenericClient, Params};
use zerostarter_queries::queries::account::{self, Account};
use zerostarter_queries::queries::invitation::{self, Invitation};
use zerostarter_queries::queries::member::{self, Member};
use zerostarter_queries::queries::organization::{self, Organization};
use zerostarter_queries::queries::session::{self, Session};
use zerostarter_queries::queries::team::{self, Team};
use zerostarter_queries::queries::team_member::{self, TeamMember};
use zerostarter_queries::queries::user::{self, User};
use zerostarter_queries::queries::verification::{self, Verification};
use zerostarter_queries::queries::waitlist::{self, Waitlist};

/// A text that is NULL.
pub(super) const NULL: Option<&str> = None;

/// Calls a macro for every table of the schema.
macro_rules! for_each_table {
    ($call:ident) => {
        $call!(account);
        $call!(invitation);
        $call!(member);
        $call!(organization);
        $call!(session);
        $call!(team);
        $call!(team_member);
        $call!(user);
        $call!(verification);
        $call!(waitlist);
    };
}
pub(super) use for_each_table;

/// The keys of some rows, in their order.
macro_rules! keys {
    ($rows:expr) => {
        $rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>()
    };
}
pub(super) use keys;

/// The time of the clock in UTC, so many hours from now.
pub(super) fn in_hours(hours: i64) -> NaiveDateTime {
    let now = Utc::now().naive_utc() + TimeDelta::hours(hours);
    // The server keeps microseconds.
    now - TimeDelta::nanoseconds(i64::from(now.and_utc().timestamp_subsec_nanos() % 1000))
}

pub(super) async fn user<C: GenericClient>(client: &C, id: &str) -> Result<User, Error> {
    let params = user::InsertParams {
        id,
        name: format!("{id} by name"),
        email: format!("{id}@example.org"),
        email_verified: true,
        image: Some(format!("https://example.org/{id}.png")),
        role: Some("user"),
    };
    user::insert().params(client, &params).one().await
}

pub(super) async fn session<C: GenericClient>(client: &C, id: &str, user_id: &str) -> Result<Session, Error> {
    session_until(client, id, user_id, in_hours(1)).await
}

pub(super) async fn session_until<C: GenericClient>(
    client: &C,
    id: &str,
    user_id: &str,
    expires_at: NaiveDateTime,
) -> Result<Session, Error> {
    let params = session::InsertParams {
        id,
        expires_at,
        token: format!("token of {id}"),
        ip_address: Some("192.0.2.1"),
        user_agent: Some("a browser"),
        user_id,
        active_organization_id: NULL,
        active_team_id: NULL,
        impersonated_by: NULL,
    };
    session::insert().params(client, &params).one().await
}

pub(super) async fn account<C: GenericClient>(client: &C, id: &str, user_id: &str) -> Result<Account, Error> {
    let params = account::InsertParams {
        id,
        account_id: format!("{id} there"),
        provider_id: "provider",
        user_id,
        access_token: Some("access"),
        refresh_token: NULL,
        id_token: NULL,
        access_token_expires_at: Some(in_hours(1)),
        refresh_token_expires_at: None,
        scope: Some("mail"),
        password: Some("hash"),
    };
    account::insert().params(client, &params).one().await
}

pub(super) async fn verification<C: GenericClient>(
    client: &C,
    id: &str,
    expires_at: NaiveDateTime,
) -> Result<Verification, Error> {
    let params = verification::InsertParams {
        id,
        identifier: "ada@example.org",
        value: format!("value of {id}"),
        expires_at,
    };
    verification::insert().params(client, &params).one().await
}

pub(super) async fn organization<C: GenericClient>(client: &C, id: &str) -> Result<Organization, Error> {
    let params = organization::InsertParams {
        id,
        name: format!("{id} by name"),
        slug: format!("slug-of-{id}"),
        logo: Some(format!("https://example.org/{id}.svg")),
        metadata: Some("{}"),
    };
    organization::insert().params(client, &params).one().await
}

pub(super) async fn team<C: GenericClient>(
    client: &C,
    id: &str,
    organization_id: &str,
) -> Result<Team, Error> {
    let name = format!("{id} by name");
    team::insert()
        .bind(client, &id, &name, &organization_id)
        .one()
        .await
}

pub(super) async fn team_member<C: GenericClient>(
    client: &C,
    id: &str,
    team_id: &str,
    user_id: &str,
) -> Result<TeamMember, Error> {
    team_member::insert()
        .bind(client, &id, &team_id, &user_id)
        .one()
        .await
}

pub(super) async fn member<C: GenericClient>(
    client: &C,
    id: &str,
    organization_id: &str,
    user_id: &str,
) -> Result<Member, Error> {
    member::insert()
        .bind(client, &id, &organization_id, &user_id, &"admin")
        .one()
        .await
}

pub(super) async fn invitation<C: GenericClient>(
    client: &C,
    id: &str,
    organization_id: &str,
    inviter_id: &str,
    expires_at: NaiveDateTime,
) -> Result<Invitation, Error> {
    let params = invitation::InsertParams {
        id,
        organization_id,
        email: "guest@example.org",
        role: Some("member"),
        team_id: NULL,
        expires_at,
        inviter_id,
    };
    invitation::insert().params(client, &params).one().await
}

pub(super) async fn waitlist<C: GenericClient>(client: &C, id: &str) -> Result<Waitlist, Error> {
    let email = format!("{id}@example.org");
    waitlist::insert().bind(client, &id, &email).one().await
}

/// Inserts a row into the table of this name; its owners are those of `owners`.
pub(super) async fn insert<C: GenericClient>(client: &C, table: &str, id: &str) -> Result<(), Error> {
    match table {
        "account" => account(client, id, "owner").await.map(drop),
        "invitation" => invitation(client, id, "owner", "owner", in_hours(1))
            .await
            .map(drop),
        "member" => member(client, id, "owner", "owner").await.map(drop),
        "organization" => organization(client, id).await.map(drop),
        "session" => session(client, id, "owner").await.map(drop),
        "team" => team(client, id, "owner").await.map(drop),
        "team_member" => team_member(client, id, "owner", "owner").await.map(drop),
        "user" => user(client, id).await.map(drop),
        "verification" => verification(client, id, in_hours(1)).await.map(drop),
        "waitlist" => waitlist(client, id).await.map(drop),
        _ => panic!("no table {table}"),
    }
}

/// A user, an organization and a team, each with the key `owner`.
pub(super) async fn owners<C: GenericClient>(client: &C) -> Result<(), Error> {
    user(client, "owner").await?;
    organization(client, "owner").await?;
    team(client, "owner", "owner").await.map(drop)
}
