//! Rows with both sides: what each query on its own says of either.

use zerostarter_queries::queries::account::Account;
use zerostarter_queries::queries::invitation::Invitation;
use zerostarter_queries::queries::member::Member;
use zerostarter_queries::queries::organization::Organization;
use zerostarter_queries::queries::session::Session;
use zerostarter_queries::queries::team::Team;
use zerostarter_queries::queries::team_member::TeamMember;
use zerostarter_queries::queries::user::User;
use zerostarter_queries::queries::{
    account, invitation, member, organization, session, team, team_member, user,
};

use super::connection::{Recorder, with_client};
use super::fixture::keys;
use super::world::world;

/// One side of a row.
macro_rules! side {
    ($row:ident: $type:ident { $($field:ident: $from:ident),+ $(,)? }) => {
        $type { $($field: $row.$from.clone()),+ }
    };
}

macro_rules! its_user {
    ($row:ident) => {
        side!($row: User {
            id: user_id, name: user_name, email: user_email, email_verified: user_email_verified,
            image: user_image, role: user_role, banned: user_banned, ban_reason: user_ban_reason,
            ban_expires: user_ban_expires, created_at: user_created_at, updated_at: user_updated_at,
        })
    };
}

macro_rules! its_organization {
    ($row:ident) => {
        side!($row: Organization {
            id: organization_id, name: organization_name, slug: organization_slug, logo: organization_logo,
            created_at: organization_created_at, metadata: organization_metadata,
        })
    };
}

macro_rules! its_member {
    ($row:ident) => {
        side!($row: Member {
            id: id, organization_id: organization_id, user_id: user_id, role: role, created_at: created_at,
        })
    };
}

macro_rules! its_team_member {
    ($row:ident) => {
        side!($row: TeamMember { id: id, team_id: team_id, user_id: user_id, created_at: created_at })
    };
}

#[test]
fn a_session_and_its_user() {
    with_client(async |client| {
        world(client).await?;
        for (id, owner) in [("s1", "ada"), ("s2", "bob")] {
            let recorder = Recorder::new(client);
            let token = format!("token of {id}");
            let row = session::get_live_with_user()
                .bind(&recorder, &token)
                .one()
                .await?;
            assert_eq!(recorder.statements().len(), 1);
            let session = side!(row: Session {
                id: id, expires_at: expires_at, token: token, created_at: created_at, updated_at: updated_at,
                ip_address: ip_address, user_agent: user_agent, user_id: user_id,
                active_organization_id: active_organization_id, active_team_id: active_team_id,
                impersonated_by: impersonated_by,
            });
            assert_eq!(session, session::get().bind(client, &id).one().await?);
            assert_eq!(its_user!(row), user::get().bind(client, &owner).one().await?);
        }
        assert!(
            session::get_live_with_user()
                .bind(client, &"token of s9")
                .opt()
                .await?
                .is_none()
        );
        Ok(())
    });
}

#[test]
fn an_account_and_its_user() {
    with_client(async |client| {
        world(client).await?;
        // A second account of the same name: the older one counts.
        client
            .execute(
                "INSERT INTO account SELECT 'a0', account_id, provider_id, 'bob', access_token, refresh_token, \
                 id_token, access_token_expires_at, refresh_token_expires_at, scope, password, \
                 created_at + interval '1 second', updated_at FROM account WHERE id = 'a3'",
                &[],
            )
            .await?;
        let name = "a3 there";
        let row = account::get_by_provider_with_user()
            .bind(client, &"provider", &name)
            .one()
            .await?;
        let account = side!(row: Account {
            id: id, account_id: account_id, provider_id: provider_id, user_id: user_id, access_token: access_token,
            refresh_token: refresh_token, id_token: id_token, access_token_expires_at: access_token_expires_at,
            refresh_token_expires_at: refresh_token_expires_at, scope: scope, password: password,
            created_at: created_at, updated_at: updated_at,
        });
        assert_eq!(account, account::get().bind(client, &"a3").one().await?);
        assert_eq!(its_user!(row), user::get().bind(client, &"ada").one().await?);
        assert_eq!(
            account,
            account::get_by_provider()
                .bind(client, &"provider", &name)
                .one()
                .await?
        );
        assert!(
            account::get_by_provider_with_user()
                .bind(client, &"another", &name)
                .opt()
                .await?
                .is_none()
        );
        Ok(())
    });
}

#[test]
fn members_and_their_users() {
    with_client(async |client| {
        world(client).await?;
        let rows = member::list_by_organization_with_user()
            .bind(client, &"acme")
            .all()
            .await?;
        assert_eq!(keys!(rows), ["m3", "m4"]);
        for row in rows {
            assert_eq!(its_member!(row), member::get().bind(client, &row.id).one().await?);
            assert_eq!(
                its_user!(row),
                user::get().bind(client, &row.user_id).one().await?
            );
        }
        Ok(())
    });
}

#[test]
fn memberships_and_their_organizations() {
    with_client(async |client| {
        world(client).await?;
        let rows = member::list_by_user_with_organization()
            .bind(client, &"bob")
            .all()
            .await?;
        assert_eq!(keys!(rows), ["m1", "m3"]);
        for row in rows {
            let organization = organization::get()
                .bind(client, &row.organization_id)
                .one()
                .await?;
            assert_eq!(its_member!(row), member::get().bind(client, &row.id).one().await?);
            assert_eq!(its_organization!(row), organization);
        }
        Ok(())
    });
}

#[test]
fn team_members_and_their_users() {
    with_client(async |client| {
        world(client).await?;
        let rows = team_member::list_by_team_with_user()
            .bind(client, &"t1")
            .all()
            .await?;
        assert_eq!(keys!(rows), ["tm3", "tm4"]);
        for row in rows {
            let member = team_member::get().bind(client, &row.id).one().await?;
            assert_eq!(its_team_member!(row), member);
            assert_eq!(
                its_user!(row),
                user::get().bind(client, &row.user_id).one().await?
            );
        }
        Ok(())
    });
}

#[test]
fn team_memberships_and_their_teams() {
    with_client(async |client| {
        world(client).await?;
        let rows = team_member::list_by_user_with_team()
            .bind(client, &"bob")
            .all()
            .await?;
        assert_eq!(keys!(rows), ["tm1", "tm3"]);
        for row in rows {
            let member = team_member::get().bind(client, &row.id).one().await?;
            let team = side!(row: Team {
                id: team_id, name: team_name, organization_id: team_organization_id, created_at: team_created_at,
                updated_at: team_updated_at,
            });
            assert_eq!(its_team_member!(row), member);
            assert_eq!(team, team::get().bind(client, &row.team_id).one().await?);
        }
        Ok(())
    });
}

#[test]
fn a_team_and_its_organization() {
    with_client(async |client| {
        world(client).await?;
        let row = team::get_with_organization().bind(client, &"t2").one().await?;
        let team = side!(row: Team {
            id: id, name: name, organization_id: organization_id, created_at: created_at, updated_at: updated_at,
        });
        assert_eq!(team, team::get().bind(client, &"t2").one().await?);
        assert_eq!(
            its_organization!(row),
            organization::get().bind(client, &"bolt").one().await?
        );
        Ok(())
    });
}

#[test]
fn an_invitation_its_organization_and_its_inviter() {
    with_client(async |client| {
        world(client).await?;
        let row = invitation::get_with_organization_and_inviter()
            .bind(client, &"i2")
            .one()
            .await?;
        let invitation = side!(row: Invitation {
            id: id, organization_id: organization_id, email: email, role: role, team_id: team_id, status: status,
            expires_at: expires_at, created_at: created_at, inviter_id: inviter_id,
        });
        let inviter = side!(row: User {
            id: inviter_id, name: inviter_name, email: inviter_email, email_verified: inviter_email_verified,
            image: inviter_image, role: inviter_role, banned: inviter_banned, ban_reason: inviter_ban_reason,
            ban_expires: inviter_ban_expires, created_at: inviter_created_at, updated_at: inviter_updated_at,
        });
        assert_eq!(invitation, invitation::get().bind(client, &"i2").one().await?);
        assert_eq!(
            its_organization!(row),
            organization::get().bind(client, &"bolt").one().await?
        );
        assert_eq!(inviter, user::get().bind(client, &"ada").one().await?);
        Ok(())
    });
}
