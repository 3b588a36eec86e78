//! Relations: one owner and many give the same rows, and many owners are one statement.

use tokio_postgres::{Client, Error};
use zerostarter_queries::queries::{
    account, invitation, member, organization, session, team, team_member, user,
};

use super::connection::{Recorder, column, with_client};
use super::fixture::keys;
use super::world::world;

/// In the order of their keys; the last one has nothing, and does not exist.
const PEOPLE: [&str; 4] = ["ada", "bob", "cyd", "dan"];
const ORGANIZATIONS: [&str; 3] = ["acme", "bolt", "cube"];
const TEAMS: [&str; 4] = ["t1", "t2", "t3", "t4"];

/// Checks one relation, and gives the keys of its rows by owner and key.
macro_rules! relation {
    ($client:ident, $table:ident, $one:ident, $many:ident, $owners:expr) => {{
        let mut singly = Vec::new();
        for owner in $owners {
            singly.extend($table::$one().bind($client, &owner).all().await?);
        }
        let recorder = Recorder::new($client);
        let mut owners = $owners.to_vec();
        owners.reverse();
        let at_once = $table::$many().bind(&recorder, &owners).all().await?;
        assert_eq!(at_once, singly);
        assert_eq!(recorder.statements().len(), 1);
        let nobody: Vec<&str> = Vec::new();
        assert!($table::$many().bind($client, &nobody).all().await?.is_empty());
        let keys: Vec<String> = singly.into_iter().map(|row| row.id).collect();
        keys
    }};
}

#[test]
fn what_users_have() {
    with_client(async |client| {
        world(client).await?;
        assert_eq!(
            relation!(client, session, list_by_user, list_by_users, PEOPLE),
            ["s1", "s3", "s2"]
        );
        assert_eq!(
            relation!(client, account, list_by_user, list_by_users, PEOPLE),
            ["a3", "a1", "a2"]
        );
        assert_eq!(
            relation!(client, member, list_by_user, list_by_users, PEOPLE),
            ["m2", "m4", "m1", "m3"]
        );
        assert_eq!(
            relation!(client, team_member, list_by_user, list_by_users, PEOPLE),
            ["tm2", "tm4", "tm1", "tm3"]
        );
        assert_eq!(
            relation!(client, invitation, list_by_inviter, list_by_inviters, PEOPLE),
            ["i2", "i4", "i1", "i3"]
        );
        Ok(())
    });
}

#[test]
fn what_organizations_and_teams_have() {
    with_client(async |client| {
        world(client).await?;
        assert_eq!(
            relation!(
                client,
                team,
                list_by_organization,
                list_by_organizations,
                ORGANIZATIONS
            ),
            ["t1", "t3", "t2"]
        );
        assert_eq!(
            relation!(
                client,
                member,
                list_by_organization,
                list_by_organizations,
                ORGANIZATIONS
            ),
            ["m3", "m4", "m1", "m2"]
        );
        assert_eq!(
            relation!(
                client,
                invitation,
                list_by_organization,
                list_by_organizations,
                ORGANIZATIONS
            ),
            ["i3", "i4", "i1", "i2"]
        );
        assert_eq!(
            relation!(client, team_member, list_by_team, list_by_teams, TEAMS),
            ["tm3", "tm4", "tm2", "tm1"]
        );
        Ok(())
    });
}

#[test]
fn the_owners_of_rows() {
    with_client(async |client| {
        world(client).await?;
        assert_eq!(
            relation!(client, user, get, list_by_ids, PEOPLE),
            ["ada", "bob", "cyd"]
        );
        assert_eq!(
            relation!(client, organization, get, list_by_ids, ORGANIZATIONS),
            ["acme", "bolt"]
        );
        assert_eq!(
            relation!(client, team, get, list_by_ids, TEAMS),
            ["t1", "t2", "t3"]
        );

        // From the rows that name them, some of which name the same.
        let sessions = session::list().bind(client, &None::<&str>, &10).all().await?;
        let owners: Vec<&str> = sessions.iter().map(|session| session.user_id.as_str()).collect();
        assert_eq!(owners, ["ada", "bob", "ada"]);
        let users = user::list_by_ids().bind(client, &owners).all().await?;
        assert_eq!(keys!(users), ["ada", "bob"]);
        Ok(())
    });
}

/// How a statement with this argument would be run where no table is too small for an index.
async fn plan(client: &Client, statement: &str, argument: &str) -> Result<String, Error> {
    let sql = format!(
        "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; PREPARE asked AS {statement}; \
         EXPLAIN (COSTS OFF) EXECUTE asked ({argument}); DEALLOCATE asked"
    );
    Ok(column(client, &sql).await?.join("\n"))
}

#[test]
fn relations_are_read_by_an_index() {
    with_client(async |client| {
        macro_rules! uses {
            ($table:ident, $one:ident, $many:ident, $index:literal) => {
                let recorder = Recorder::new(client);
                $table::$one().bind(&recorder, &"ada").all().await?;
                $table::$many().bind(&recorder, &vec!["ada"]).all().await?;
                for (statement, argument) in recorder.statements().iter().zip(["'ada'", "'{ada}'"]) {
                    let plan = plan(client, statement, argument).await?;
                    assert!(plan.contains($index), "{statement}\n{plan}");
                    assert!(plan.contains("Index Cond: ("), "{statement}\n{plan}");
                }
            };
        }
        uses!(session, list_by_user, list_by_users, "session_userId_idx");
        uses!(account, list_by_user, list_by_users, "account_userId_idx");
        uses!(member, list_by_user, list_by_users, "member_userId_idx");
        uses!(team_member, list_by_user, list_by_users, "teamMember_userId_idx");
        uses!(
            team,
            list_by_organization,
            list_by_organizations,
            "team_organizationId_idx"
        );
        uses!(
            member,
            list_by_organization,
            list_by_organizations,
            "member_organizationId_idx"
        );
        uses!(
            invitation,
            list_by_organization,
            list_by_organizations,
            "invitation_organizationId_idx"
        );
        uses!(team_member, list_by_team, list_by_teams, "teamMember_teamId_idx");
        uses!(user, get, list_by_ids, "user_pkey");
        uses!(organization, get, list_by_ids, "organization_pkey");
        uses!(team, get, list_by_ids, "team_pkey");
        Ok(())
    });
}
