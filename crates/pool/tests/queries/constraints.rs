//! What the server refuses arrives as its error, with SQLSTATE and the name of the constraint.

use std::collections::BTreeSet;

use tokio_postgres::{Client, Error};
use zerostarter_queries::client::Params;
use zerostarter_queries::queries::{organization, session, user, waitlist};

use super::connection::{column, with_client};
use super::fixture::{
    NULL, account, for_each_table, in_hours, insert, invitation, member, organization as insert_organization,
    owners, session as insert_session, team, team_member, user as insert_user,
};

/// The constraint that an error names.
#[track_caller]
fn refused<T>(state: &str, result: Result<T, Error>) -> String {
    let error = result.err().expect("an error");
    let error = error.as_db_error().expect("an error of the server");
    assert_eq!(error.code().code(), state);
    error.constraint().expect("a constraint").to_owned()
}

/// The constraints of these kinds that the schema has.
async fn constraints(client: &Client, kinds: &str) -> Result<BTreeSet<String>, Error> {
    let sql = format!(
        "SELECT conname FROM pg_constraint WHERE contype IN ({kinds}) \
         AND connamespace = 'public'::regnamespace AND conrelid <> 'refinery_schema_history'::regclass"
    );
    Ok(column(client, &sql).await?.into_iter().collect())
}

#[test]
fn whatever_is_unique_cannot_be_inserted_twice() {
    with_client(async |client| {
        owners(client).await?;
        let mut named = BTreeSet::new();
        macro_rules! twice {
            ($table:ident) => {
                let table = stringify!($table);
                if !["organization", "team", "user"].contains(&table) {
                    insert(client, table, "owner").await?;
                }
                named.insert(refused("23505", insert(client, table, "owner").await));
            };
        }
        for_each_table!(twice);

        let params = user::InsertParams {
            id: "other",
            name: "A",
            email: "owner@example.org",
            email_verified: false,
            image: NULL,
            role: NULL,
        };
        named.insert(refused(
            "23505",
            user::insert().params(client, &params).one().await,
        ));
        let params = session::InsertParams {
            id: "other",
            expires_at: in_hours(1),
            token: "token of owner",
            ip_address: NULL,
            user_agent: NULL,
            user_id: "owner",
            active_organization_id: NULL,
            active_team_id: NULL,
            impersonated_by: NULL,
        };
        named.insert(refused(
            "23505",
            session::insert().params(client, &params).one().await,
        ));
        named.insert(refused(
            "23505",
            organization::insert()
                .bind(client, &"other", &"A", &"slug-of-owner", &NULL, &NULL)
                .one()
                .await,
        ));
        named.insert(refused(
            "23505",
            waitlist::insert()
                .bind(client, &"other", &"owner@example.org")
                .one()
                .await,
        ));
        assert_eq!(named, constraints(client, "'p', 'u'").await?);
        Ok(())
    });
}

#[test]
fn an_update_cannot_take_what_another_row_has() {
    with_client(async |client| {
        insert_user(client, "u1").await?;
        insert_user(client, "u2").await?;
        assert_eq!(
            refused(
                "23505",
                user::set_email()
                    .bind(client, &"u1@example.org", &true, &"u2")
                    .one()
                    .await
            ),
            "user_email_unique"
        );
        insert_organization(client, "o1").await?;
        insert_organization(client, "o2").await?;
        assert_eq!(
            refused(
                "23505",
                organization::update()
                    .bind(client, &"A", &"slug-of-o1", &NULL, &NULL, &"o2")
                    .one()
                    .await
            ),
            "organization_slug_unique"
        );
        Ok(())
    });
}

#[test]
fn a_row_cannot_be_inserted_without_its_owners() {
    with_client(async |client| {
        owners(client).await?;
        let named = BTreeSet::from([
            refused("23503", insert_session(client, "k", "none").await),
            refused("23503", account(client, "k", "none").await),
            refused("23503", team(client, "k", "none").await),
            refused("23503", team_member(client, "k", "none", "owner").await),
            refused("23503", team_member(client, "k", "owner", "none").await),
            refused("23503", member(client, "k", "none", "owner").await),
            refused("23503", member(client, "k", "owner", "none").await),
            refused(
                "23503",
                invitation(client, "k", "none", "owner", in_hours(1)).await,
            ),
            refused(
                "23503",
                invitation(client, "k", "owner", "none", in_hours(1)).await,
            ),
        ]);
        assert_eq!(named, constraints(client, "'f'").await?);
        Ok(())
    });
}
