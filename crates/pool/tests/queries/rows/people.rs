//! Users, and what they sign in with.

use zerostarter_queries::client::Params;
use zerostarter_queries::queries::account::{self, Account};
use zerostarter_queries::queries::session::{self, Session};
use zerostarter_queries::queries::user::{self, User};

use super::super::connection::with_client;
use super::super::fixture::{NULL, account as insert_account, in_hours, user as insert_user};
use super::{deletes, holds};

#[test]
fn users() {
    with_client(async |client| {
        let mut params = user::InsertParams {
            id: "u1",
            name: "Ada",
            email: "ada@example.org",
            email_verified: false,
            image: NULL,
            role: NULL,
        };
        let ada = user::insert().params(client, &params).one().await?;
        params.id = "u2";
        params.email = "bob@example.org";
        params.email_verified = true;
        params.image = Some("bob.png");
        params.role = Some("admin");
        let bob = user::insert().params(client, &params).one().await?;
        let expected = User {
            id: "u1".to_owned(),
            name: "Ada".to_owned(),
            email: "ada@example.org".to_owned(),
            email_verified: false,
            image: None,
            role: None,
            banned: None,
            ban_reason: None,
            ban_expires: None,
            created_at: ada.created_at,
            updated_at: ada.created_at,
        };
        assert_eq!(ada, expected);
        let expected = User {
            id: "u2".to_owned(),
            email: "bob@example.org".to_owned(),
            email_verified: true,
            image: Some("bob.png".into()),
            role: Some("admin".into()),
            created_at: bob.created_at,
            updated_at: bob.created_at,
            ..expected
        };
        assert_eq!(bob, expected);
        holds!(client, user, [ada.clone(), bob.clone()]);
        assert_eq!(
            user::get_by_email()
                .bind(client, &"bob@example.org")
                .one()
                .await?,
            bob
        );
        assert_eq!(
            user::get_by_email()
                .bind(client, &"BOB@example.org")
                .opt()
                .await?,
            None
        );
        deletes!(client, user, [ada, bob]);
        Ok(())
    });
}

#[test]
fn what_changes_in_a_user() {
    with_client(async |client| {
        let ada = insert_user(client, "u1").await?;
        insert_user(client, "u2").await?;
        let updated = user::update()
            .bind(client, &"Ada L.", &Some("ada.png"), &"u1")
            .one()
            .await?;
        let expected = User {
            name: "Ada L.".to_owned(),
            image: Some("ada.png".into()),
            updated_at: updated.updated_at,
            ..ada
        };
        assert_eq!(updated, expected);
        let moved = user::set_email()
            .bind(client, &"l@example.org", &false, &"u1")
            .one()
            .await?;
        let expected = User {
            email: "l@example.org".to_owned(),
            email_verified: false,
            updated_at: moved.updated_at,
            ..expected
        };
        assert_eq!(moved, expected);
        let promoted = user::set_role().bind(client, &Some("admin"), &"u1").one().await?;
        let expected = User {
            role: Some("admin".into()),
            updated_at: promoted.updated_at,
            ..expected
        };
        assert_eq!(promoted, expected);
        let until = in_hours(24);
        let banned = user::ban()
            .bind(client, &"u1", &Some("spam"), &Some(until))
            .one()
            .await?;
        let expected = User {
            banned: Some(true),
            ban_reason: Some("spam".into()),
            ban_expires: Some(until),
            updated_at: banned.updated_at,
            ..expected
        };
        assert_eq!(banned, expected);
        let bare = user::update().bind(client, &"Bob", &NULL, &"u2").one().await?;
        assert_eq!((bare.name.as_str(), &bare.image), ("Bob", &None));
        let bare = user::set_role().bind(client, &NULL, &"u2").one().await?;
        assert_eq!(bare.role, None);
        holds!(client, user, [banned, bare]);
        assert_eq!(user::update().bind(client, &"X", &NULL, &"u3").opt().await?, None);
        Ok(())
    });
}

#[test]
fn sessions() {
    with_client(async |client| {
        insert_user(client, "ada").await?;
        let (soon, later) = (in_hours(1), in_hours(2));
        let mut params = session::InsertParams {
            id: "s1",
            expires_at: soon,
            token: "one",
            ip_address: NULL,
            user_agent: NULL,
            user_id: "ada",
            active_organization_id: NULL,
            active_team_id: NULL,
            impersonated_by: NULL,
        };
        let bare = session::insert().params(client, &params).one().await?;
        params.id = "s2";
        params.token = "two";
        params.ip_address = Some("2001:db8::1");
        params.user_agent = Some("a browser");
        params.active_organization_id = Some("acme");
        params.active_team_id = Some("crew");
        params.impersonated_by = Some("root");
        let full = session::insert().params(client, &params).one().await?;
        let expected = Session {
            id: "s1".to_owned(),
            expires_at: soon,
            token: "one".to_owned(),
            created_at: bare.created_at,
            updated_at: bare.created_at,
            ip_address: None,
            user_agent: None,
            user_id: "ada".to_owned(),
            active_organization_id: None,
            active_team_id: None,
            impersonated_by: None,
        };
        assert_eq!(bare, expected);
        let expected = Session {
            id: "s2".to_owned(),
            token: "two".to_owned(),
            created_at: full.created_at,
            updated_at: full.created_at,
            ip_address: Some("2001:db8::1".into()),
            user_agent: Some("a browser".into()),
            active_organization_id: Some("acme".into()),
            active_team_id: Some("crew".into()),
            impersonated_by: Some("root".into()),
            ..expected
        };
        assert_eq!(full, expected);
        holds!(client, session, [bare.clone(), full.clone()]);
        assert_eq!(session::get_by_token().bind(client, &"two").one().await?, full);

        let kept = session::update()
            .bind(client, &later, &NULL, &NULL, &"s2")
            .one()
            .await?;
        let expected = Session {
            expires_at: later,
            updated_at: kept.updated_at,
            ip_address: None,
            user_agent: None,
            ..full
        };
        assert_eq!(kept, expected);
        let filled = session::update()
            .bind(client, &later, &Some("192.0.2.1"), &Some("another"), &"s1")
            .one()
            .await?;
        let expected = Session {
            expires_at: later,
            updated_at: filled.updated_at,
            ip_address: Some("192.0.2.1".into()),
            user_agent: Some("another".into()),
            ..bare
        };
        assert_eq!(filled, expected);
        holds!(client, session, [filled.clone(), kept.clone()]);
        deletes!(client, session, [filled, kept]);
        Ok(())
    });
}

#[test]
fn accounts() {
    with_client(async |client| {
        insert_user(client, "ada").await?;
        let (soon, later) = (in_hours(1), in_hours(2));
        let mut params = account::InsertParams {
            id: "a1",
            account_id: "ada",
            provider_id: "credential",
            user_id: "ada",
            access_token: NULL,
            refresh_token: NULL,
            id_token: NULL,
            access_token_expires_at: None,
            refresh_token_expires_at: None,
            scope: NULL,
            password: NULL,
        };
        let bare = account::insert().params(client, &params).one().await?;
        params.id = "a2";
        params.account_id = "4711";
        params.provider_id = "github";
        params.access_token = Some("access");
        params.refresh_token = Some("refresh");
        params.id_token = Some("identity");
        params.access_token_expires_at = Some(soon);
        params.refresh_token_expires_at = Some(later);
        params.scope = Some("mail");
        params.password = Some("hash");
        let full = account::insert().params(client, &params).one().await?;
        let expected = Account {
            id: "a1".to_owned(),
            account_id: "ada".to_owned(),
            provider_id: "credential".to_owned(),
            user_id: "ada".to_owned(),
            access_token: None,
            refresh_token: None,
            id_token: None,
            access_token_expires_at: None,
            refresh_token_expires_at: None,
            scope: None,
            password: None,
            created_at: bare.created_at,
            updated_at: bare.created_at,
        };
        assert_eq!(bare, expected);
        let expected = Account {
            id: "a2".to_owned(),
            account_id: "4711".to_owned(),
            provider_id: "github".to_owned(),
            access_token: Some("access".into()),
            refresh_token: Some("refresh".into()),
            id_token: Some("identity".into()),
            access_token_expires_at: Some(soon),
            refresh_token_expires_at: Some(later),
            scope: Some("mail".into()),
            password: Some("hash".into()),
            created_at: full.created_at,
            updated_at: full.created_at,
            ..expected
        };
        assert_eq!(full, expected);
        holds!(client, account, [bare.clone(), full.clone()]);
        assert_eq!(
            account::get_by_provider()
                .bind(client, &"github", &"4711")
                .one()
                .await?,
            full
        );
        assert_eq!(
            account::get_by_provider()
                .bind(client, &"credential", &"4711")
                .opt()
                .await?,
            None
        );
        deletes!(client, account, [bare, full]);
        Ok(())
    });
}

#[test]
fn what_changes_in_an_account() {
    with_client(async |client| {
        insert_user(client, "ada").await?;
        let (soon, later) = (in_hours(1), in_hours(2));
        let one = insert_account(client, "a1", "ada").await?;
        let two = insert_account(client, "a2", "ada").await?;
        let mut tokens = account::UpdateParams {
            access_token: NULL,
            refresh_token: NULL,
            id_token: NULL,
            access_token_expires_at: None,
            refresh_token_expires_at: None,
            scope: NULL,
            id: "a2",
        };
        let emptied = account::update().params(client, &tokens).one().await?;
        let expected = Account {
            access_token: None,
            refresh_token: None,
            id_token: None,
            access_token_expires_at: None,
            refresh_token_expires_at: None,
            scope: None,
            updated_at: emptied.updated_at,
            ..two
        };
        assert_eq!(emptied, expected);
        tokens.access_token = Some("access");
        tokens.refresh_token = Some("refresh");
        tokens.id_token = Some("identity");
        tokens.access_token_expires_at = Some(soon);
        tokens.refresh_token_expires_at = Some(later);
        tokens.scope = Some("mail");
        tokens.id = "a1";
        let filled = account::update().params(client, &tokens).one().await?;
        let expected = Account {
            access_token: Some("access".into()),
            refresh_token: Some("refresh".into()),
            id_token: Some("identity".into()),
            access_token_expires_at: Some(soon),
            refresh_token_expires_at: Some(later),
            scope: Some("mail".into()),
            updated_at: filled.updated_at,
            ..one
        };
        assert_eq!(filled, expected);
        let filled = account::set_password()
            .bind(client, &Some("new"), &"a1")
            .one()
            .await?;
        let expected = Account {
            password: Some("new".into()),
            updated_at: filled.updated_at,
            ..expected
        };
        assert_eq!(filled, expected);
        let emptied = account::set_password().bind(client, &NULL, &"a2").one().await?;
        assert_eq!(emptied.password, None);
        holds!(client, account, [filled, emptied]);
        Ok(())
    });
}
