//! Organizations, teams, who belongs to them, and who may.

use zerostarter_queries::client::Params;
use zerostarter_queries::queries::invitation::{self, Invitation};
use zerostarter_queries::queries::member::{self, Member};
use zerostarter_queries::queries::organization::{self, Organization};
use zerostarter_queries::queries::team::{self, Team};
use zerostarter_queries::queries::team_member::{self, TeamMember};

use super::super::connection::with_client;
use super::super::fixture::{NULL, in_hours, owners, user};
use super::{deletes, holds};

#[test]
fn organizations() {
    with_client(async |client| {
        let insert = organization::insert();
        let bare = insert
            .bind(client, &"o1", &"Acme", &"acme", &NULL, &NULL)
            .one()
            .await?;
        let full = insert
            .bind(client, &"o2", &"Bolt", &"bolt", &Some("bolt.svg"), &Some("{}"))
            .one()
            .await?;
        let expected = Organization {
            id: "o1".to_owned(),
            name: "Acme".to_owned(),
            slug: "acme".to_owned(),
            logo: None,
            created_at: bare.created_at,
            metadata: None,
        };
        assert_eq!(bare, expected);
        let expected = Organization {
            id: "o2".to_owned(),
            name: "Bolt".to_owned(),
            slug: "bolt".to_owned(),
            logo: Some("bolt.svg".into()),
            created_at: full.created_at,
            metadata: Some("{}".into()),
        };
        assert_eq!(full, expected);
        holds!(client, organization, [bare.clone(), full.clone()]);
        assert_eq!(
            organization::get_by_slug().bind(client, &"bolt").one().await?,
            full
        );
        assert_eq!(organization::get_by_slug().bind(client, &"o2").opt().await?, None);

        let update = organization::update();
        let emptied = update
            .bind(client, &"Bold", &"bold", &NULL, &NULL, &"o2")
            .one()
            .await?;
        let expected = Organization {
            name: "Bold".to_owned(),
            slug: "bold".to_owned(),
            logo: None,
            metadata: None,
            ..full
        };
        assert_eq!(emptied, expected);
        let filled = update
            .bind(client, &"Acme", &"acme", &Some("acme.svg"), &Some("[]"), &"o1")
            .one()
            .await?;
        let expected = Organization {
            logo: Some("acme.svg".into()),
            metadata: Some("[]".into()),
            ..bare
        };
        assert_eq!(filled, expected);
        holds!(client, organization, [filled.clone(), emptied.clone()]);
        deletes!(client, organization, [filled, emptied]);
        Ok(())
    });
}

#[test]
fn teams() {
    with_client(async |client| {
        owners(client).await?;
        team::delete().bind(client, &"owner").one().await?;
        let full = team::insert()
            .bind(client, &"t1", &"Crew", &"owner")
            .one()
            .await?;
        let expected = Team {
            id: "t1".to_owned(),
            name: "Crew".to_owned(),
            organization_id: "owner".to_owned(),
            created_at: full.created_at,
            updated_at: Some(full.created_at),
        };
        assert_eq!(full, expected);
        // Another writer may leave the time out.
        client
            .batch_execute("INSERT INTO team VALUES ('t2', 'Gang', 'owner', now() AT TIME ZONE 'UTC')")
            .await?;
        let bare = team::get().bind(client, &"t2").one().await?;
        let expected = Team {
            id: "t2".to_owned(),
            name: "Gang".to_owned(),
            created_at: bare.created_at,
            updated_at: None,
            ..full.clone()
        };
        assert_eq!(bare, expected);
        holds!(client, team, [full.clone(), bare.clone()]);

        let updated = team::update().bind(client, &"Band", &"t2").one().await?;
        let expected = Team {
            name: "Band".to_owned(),
            updated_at: updated.updated_at,
            ..bare
        };
        assert_eq!(updated, expected);
        assert!(updated.updated_at.is_some());
        holds!(client, team, [full.clone(), updated.clone()]);
        deletes!(client, team, [full, updated]);
        Ok(())
    });
}

#[test]
fn team_members() {
    with_client(async |client| {
        owners(client).await?;
        user(client, "guest").await?;
        let full = team_member::insert()
            .bind(client, &"tm1", &"owner", &"guest")
            .one()
            .await?;
        let expected = TeamMember {
            id: "tm1".to_owned(),
            team_id: "owner".to_owned(),
            user_id: "guest".to_owned(),
            created_at: full.created_at,
        };
        assert_eq!(full, expected);
        assert!(full.created_at.is_some());
        client
            .batch_execute("INSERT INTO team_member VALUES ('tm2', 'owner', 'owner')")
            .await?;
        let bare = team_member::get().bind(client, &"tm2").one().await?;
        let expected = TeamMember {
            id: "tm2".to_owned(),
            user_id: "owner".to_owned(),
            created_at: None,
            ..expected
        };
        assert_eq!(bare, expected);
        holds!(client, team_member, [full.clone(), bare.clone()]);
        let find = team_member::get_by_team_and_user();
        assert_eq!(find.bind(client, &"owner", &"guest").one().await?, full);
        assert_eq!(find.bind(client, &"guest", &"owner").opt().await?, None);
        deletes!(client, team_member, [full, bare]);
        Ok(())
    });
}

#[test]
fn members() {
    with_client(async |client| {
        owners(client).await?;
        user(client, "guest").await?;
        let insert = member::insert();
        let one = insert
            .bind(client, &"m1", &"owner", &"owner", &"owner")
            .one()
            .await?;
        let two = insert
            .bind(client, &"m2", &"owner", &"guest", &"member")
            .one()
            .await?;
        let expected = Member {
            id: "m2".to_owned(),
            organization_id: "owner".to_owned(),
            user_id: "guest".to_owned(),
            role: "member".to_owned(),
            created_at: two.created_at,
        };
        assert_eq!(two, expected);
        holds!(client, member, [one.clone(), two.clone()]);
        let find = member::get_by_organization_and_user();
        assert_eq!(find.bind(client, &"owner", &"guest").one().await?, two);
        assert_eq!(find.bind(client, &"guest", &"owner").opt().await?, None);

        let updated = member::update().bind(client, &"admin", &"m2").one().await?;
        let expected = Member {
            role: "admin".to_owned(),
            ..two
        };
        assert_eq!(updated, expected);
        holds!(client, member, [one.clone(), updated.clone()]);
        deletes!(client, member, [one, updated]);
        Ok(())
    });
}

#[test]
fn invitations() {
    with_client(async |client| {
        owners(client).await?;
        let (soon, later) = (in_hours(1), in_hours(2));
        let mut params = invitation::InsertParams {
            id: "i1",
            organization_id: "owner",
            email: "guest@example.org",
            role: NULL,
            team_id: NULL,
            expires_at: soon,
            inviter_id: "owner",
        };
        let bare = invitation::insert().params(client, &params).one().await?;
        params.id = "i2";
        params.role = Some("admin");
        params.team_id = Some("crew");
        let full = invitation::insert().params(client, &params).one().await?;
        let expected = Invitation {
            id: "i1".to_owned(),
            organization_id: "owner".to_owned(),
            email: "guest@example.org".to_owned(),
            role: None,
            team_id: None,
            status: "pending".to_owned(),
            expires_at: soon,
            created_at: bare.created_at,
            inviter_id: "owner".to_owned(),
        };
        assert_eq!(bare, expected);
        let expected = Invitation {
            id: "i2".to_owned(),
            role: Some("admin".into()),
            team_id: Some("crew".into()),
            created_at: full.created_at,
            ..expected
        };
        assert_eq!(full, expected);
        holds!(client, invitation, [bare.clone(), full.clone()]);

        let update = invitation::update();
        let emptied = update.bind(client, &NULL, &NULL, &later, &"i2").one().await?;
        let expected = Invitation {
            role: None,
            team_id: None,
            expires_at: later,
            ..full
        };
        assert_eq!(emptied, expected);
        let filled = update
            .bind(client, &Some("member"), &Some("gang"), &later, &"i1")
            .one()
            .await?;
        let expected = Invitation {
            role: Some("member".into()),
            team_id: Some("gang".into()),
            expires_at: later,
            ..bare
        };
        assert_eq!(filled, expected);
        holds!(client, invitation, [filled.clone(), emptied.clone()]);
        deletes!(client, invitation, [filled, emptied]);
        Ok(())
    });
}
