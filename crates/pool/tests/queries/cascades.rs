//! What goes with an owner, and that nothing else does.

use tokio_postgres::{Client, Error};
use zerostarter_queries::queries::{organization, team, user};

use super::connection::with_client;
use super::world::{rows, world};

/// What is there no longer, as table and key. Rows that are still there have to be as they were.
async fn gone(client: &Client, before: &[String]) -> Result<Vec<String>, Error> {
    let after = rows(client).await?;
    assert!(after.iter().all(|row| before.contains(row)), "a row was changed");
    let gone = before.iter().filter(|row| !after.contains(row));
    Ok(gone
        .map(|row| row.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect())
}

#[test]
fn an_organization_takes_its_members_teams_and_invitations_along() {
    with_client(async |client| {
        world(client).await?;
        let before = rows(client).await?;
        let deleted = organization::delete().bind(client, &"acme").one().await?;
        assert_eq!(deleted.slug, "slug-of-acme");
        assert_eq!(
            gone(client, &before).await?,
            [
                "invitation i3",
                "invitation i4",
                "member m3",
                "member m4",
                "organization acme",
                "team t1",
                "team t3",
                "team_member tm1",
                "team_member tm3",
                "team_member tm4",
            ]
        );
        Ok(())
    });
}

#[test]
fn a_team_takes_its_members_along() {
    with_client(async |client| {
        world(client).await?;
        let before = rows(client).await?;
        team::delete().bind(client, &"t1").one().await?;
        assert_eq!(
            gone(client, &before).await?,
            ["team t1", "team_member tm3", "team_member tm4"]
        );
        Ok(())
    });
}

#[test]
fn a_user_takes_sessions_accounts_memberships_and_invitations_along() {
    with_client(async |client| {
        world(client).await?;
        let before = rows(client).await?;
        let deleted = user::delete().bind(client, &"ada").one().await?;
        assert_eq!(deleted.email, "ada@example.org");
        assert_eq!(
            gone(client, &before).await?,
            [
                "\"user\" ada",
                "account a3",
                "invitation i2",
                "invitation i4",
                "member m2",
                "member m4",
                "session s1",
                "session s3",
                "team_member tm2",
                "team_member tm4",
            ]
        );
        Ok(())
    });
}
