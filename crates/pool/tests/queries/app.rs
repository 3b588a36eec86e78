//! What an app does with the schema beyond reading and writing rows.

use std::time::Duration;

use futures_util::future::join;
use tokio::time::timeout;
use tokio_postgres::{Client, Error};
use zerostarter_queries::queries::{invitation, session, user, verification, waitlist};

use super::connection::{column, with_client, with_schema};
use super::fixture::{
    NULL, in_hours, insert, invitation as invite, keys, organization, owners, session as insert_session,
    session_until, user as insert_user, verification as insert_verification,
};

const SOON: Duration = Duration::from_secs(20);

async fn sessions(client: &Client) -> Result<Vec<String>, Error> {
    column(client, "SELECT id FROM session ORDER BY id").await
}

#[test]
fn a_ban_ends_the_sessions_of_the_banned() {
    with_client(async |client| {
        for id in ["ada", "bob"] {
            insert_user(client, id).await?;
        }
        for (id, owner) in [("s1", "ada"), ("s2", "ada"), ("s3", "bob")] {
            insert_session(client, id, owner).await?;
        }
        let banned = user::ban()
            .bind(client, &"ada", &Some("spam"), &Some(in_hours(1)))
            .one()
            .await?;
        assert_eq!(banned.banned, Some(true));
        assert_eq!(sessions(client).await?, ["s3"]);

        let free = user::unban().bind(client, &"ada").one().await?;
        assert_eq!(
            (free.banned, free.ban_reason, free.ban_expires),
            (Some(false), None, None)
        );
        let other = user::get().bind(client, &"bob").one().await?;
        assert_eq!(other.banned, None);
        assert_eq!(user::ban().bind(client, &"cyd", &NULL, &None).opt().await?, None);
        Ok(())
    });
}

#[test]
fn signing_out_here_everywhere_else_and_everywhere() {
    with_client(async |client| {
        for id in ["ada", "bob"] {
            insert_user(client, id).await?;
        }
        for (id, owner) in [
            ("s1", "ada"),
            ("s2", "ada"),
            ("s3", "ada"),
            ("s4", "bob"),
            ("s5", "ada"),
        ] {
            insert_session(client, id, owner).await?;
        }
        let gone = session::delete_by_token()
            .bind(client, &"token of s5")
            .one()
            .await?;
        assert_eq!(gone.id, "s5");
        assert_eq!(
            session::delete_by_user()
                .bind(client, &"ada", &Some("s2"))
                .await?,
            2
        );
        assert_eq!(sessions(client).await?, ["s2", "s4"]);
        assert_eq!(session::delete_by_user().bind(client, &"ada", &NULL).await?, 1);
        assert_eq!(sessions(client).await?, ["s4"]);
        Ok(())
    });
}

#[test]
fn another_active_organization_leaves_no_team_active() {
    with_client(async |client| {
        owners(client).await?;
        insert_session(client, "s1", "owner").await?;
        insert_session(client, "s2", "owner").await?;
        let active =
            |row: &session::Session| (row.active_organization_id.clone(), row.active_team_id.clone());
        let acme = Some("acme".to_owned());

        let row = session::set_active_organization()
            .bind(client, &acme, &"s1")
            .one()
            .await?;
        assert_eq!(active(&row), (acme.clone(), None));
        let row = session::set_active_team()
            .bind(client, &Some("crew"), &"s1")
            .one()
            .await?;
        assert_eq!(active(&row), (acme.clone(), Some("crew".to_owned())));
        let row = session::set_active_team()
            .bind(client, &NULL, &"s1")
            .one()
            .await?;
        assert_eq!(active(&row), (acme, None));
        session::set_active_team()
            .bind(client, &Some("crew"), &"s1")
            .one()
            .await?;
        let row = session::set_active_organization()
            .bind(client, &NULL, &"s1")
            .one()
            .await?;
        assert_eq!(active(&row), (None, None));
        let other = session::get().bind(client, &"s2").one().await?;
        assert_eq!(active(&other), (None, None));
        Ok(())
    });
}

#[test]
fn expired_rows_are_deleted_some_at_a_time() {
    with_client(async |client| {
        owners(client).await?;
        for number in 0..5 {
            session_until(client, &format!("s{number}"), "owner", in_hours(-1)).await?;
            insert_verification(client, &format!("v{number}"), in_hours(-1)).await?;
        }
        insert_session(client, "live", "owner").await?;
        insert_verification(client, "live", in_hours(1)).await?;
        for expected in [2, 2, 1, 0] {
            assert_eq!(session::delete_expired().bind(client, &2).await?, expected);
            assert_eq!(verification::delete_expired().bind(client, &2).await?, expected);
        }
        assert_eq!(sessions(client).await?, ["live"]);
        assert_eq!(column(client, "SELECT id FROM verification").await?, ["live"]);
        Ok(())
    });
}

#[test]
fn two_that_delete_expired_rows_do_not_wait_for_each_other() {
    with_schema(async |schema| {
        let mut first = schema.connect().await?;
        let second = schema.connect().await?;
        owners(&first).await?;
        for number in 0..4 {
            session_until(&first, &format!("s{number}"), "owner", in_hours(-1)).await?;
            insert_verification(&first, &format!("v{number}"), in_hours(-1)).await?;
        }
        // A query that waits fails.
        second.batch_execute("SET lock_timeout = '1ms'").await?;
        let transaction = first.transaction().await?;
        assert_eq!(session::delete_expired().bind(&transaction, &3).await?, 3);
        assert_eq!(verification::delete_expired().bind(&transaction, &3).await?, 3);
        assert_eq!(session::delete_expired().bind(&second, &3).await?, 1);
        assert_eq!(verification::delete_expired().bind(&second, &3).await?, 1);
        transaction.commit().await?;
        assert_eq!(sessions(&second).await?, Vec::<String>::new());
        Ok(())
    });
}

#[test]
fn the_newest_proof_counts() {
    with_client(async |client| {
        for id in ["v2", "v3", "v1"] {
            insert_verification(client, id, in_hours(1)).await?;
        }
        assert_eq!(
            verification::get_by_identifier()
                .bind(client, &"ada@example.org")
                .one()
                .await?
                .id,
            "v1"
        );
        let all = verification::list_by_identifier()
            .bind(client, &"ada@example.org")
            .all()
            .await?;
        assert_eq!(keys!(all), ["v1", "v3", "v2"]);
        let delete = verification::delete_by_identifier();
        assert_eq!(delete.bind(client, &"bob@example.org").await?, 0);
        assert_eq!(delete.bind(client, &"ada@example.org").await?, 3);
        Ok(())
    });
}

#[test]
fn a_proof_is_taken_once_and_in_time() {
    with_schema(async |schema| {
        let (one, two) = (schema.connect().await?, schema.connect().await?);
        insert_verification(&one, "v1", in_hours(1)).await?;
        insert_verification(&one, "v2", in_hours(-1)).await?;
        let consume = verification::consume();
        let wrong = consume.bind(&one, &"v1", &"value of v2");
        assert_eq!(wrong.opt().await?, None);
        let late = consume.bind(&one, &"v2", &"value of v2");
        assert_eq!(late.opt().await?, None);
        let (first, second) = join(
            consume.bind(&one, &"v1", &"value of v1").opt(),
            consume.bind(&two, &"v1", &"value of v1").opt(),
        )
        .await;
        let taken: Vec<_> = [first?, second?].into_iter().flatten().collect();
        assert_eq!(keys!(taken), ["v1"]);
        Ok(())
    });
}

#[test]
fn pending_invitations_are_those_that_can_be_accepted() {
    with_client(async |client| {
        owners(client).await?;
        organization(client, "other").await?;
        for (id, to) in [("i5", "owner"), ("i1", "other"), ("i2", "owner"), ("i3", "owner")] {
            invite(client, id, to, "owner", in_hours(1)).await?;
        }
        invite(client, "i4", "owner", "owner", in_hours(-1)).await?;
        let answer = invitation::set_status();
        let accepted = answer.bind(client, &"accepted", &"i2").one().await?;
        assert_eq!(
            (accepted.id.as_str(), accepted.status.as_str()),
            ("i2", "accepted")
        );
        let pending = invitation::list_pending_by_email();
        let rows = pending.bind(client, &"guest@example.org").all().await?;
        assert_eq!(keys!(rows), ["i1", "i3", "i5"]);
        assert!(pending.bind(client, &"owner@example.org").all().await?.is_empty());
        Ok(())
    });
}

#[test]
fn an_invitation_is_answered_once() {
    with_schema(async |schema| {
        let (mut one, two) = (schema.connect().await?, schema.connect().await?);
        let watcher = schema.connect().await?;
        owners(&one).await?;
        invite(&one, "i1", "owner", "owner", in_hours(1)).await?;
        let answer = invitation::set_status();

        let transaction = one.transaction().await?;
        let first = answer.bind(&transaction, &"accepted", &"i1").opt().await?;
        assert!(first.is_some());
        let (second, ()) = join(answer.bind(&two, &"rejected", &"i1").opt(), async {
            let waiting = "SELECT 1 FROM pg_stat_activity \
                           WHERE datname = current_database() AND wait_event_type = 'Lock'";
            let seen = async { while column(&watcher, waiting).await.expect("an answer").is_empty() {} };
            timeout(SOON, seen)
                .await
                .expect("the second to wait for the first");
            transaction.commit().await.expect("the first answer");
        })
        .await;
        assert_eq!(second?, None);
        let row = invitation::get().bind(&one, &"i1").one().await?;
        assert_eq!(row.status, "accepted");
        Ok(())
    });
}

#[test]
fn an_address_joins_the_waitlist_once() {
    with_client(async |client| {
        let join = waitlist::join();
        assert_eq!(join.bind(client, &"w1", &"ada@example.org").await?, 1);
        let before = waitlist::get().bind(client, &"w1").one().await?;
        assert_eq!(join.bind(client, &"w2", &"ada@example.org").await?, 0);
        assert_eq!(waitlist::count().bind(client).one().await?, 1);
        assert_eq!(
            waitlist::get_by_email()
                .bind(client, &"ada@example.org")
                .one()
                .await?,
            before
        );
        Ok(())
    });
}

#[test]
fn queries_belong_to_the_transaction_they_run_in() {
    with_schema(async |schema| {
        let mut client = schema.connect().await?;
        for is_kept in [false, true] {
            let transaction = client.transaction().await?;
            owners(&transaction).await?;
            insert(&transaction, "member", "m1").await?;
            if is_kept {
                transaction.commit().await?;
            } else {
                transaction.rollback().await?;
            }
            let expected: &[&str] = if is_kept { &["owner"] } else { &[] };
            assert_eq!(
                column(&client, "SELECT organization_id FROM member").await?,
                expected
            );
            assert_eq!(column(&client, "SELECT id FROM \"user\"").await?, expected);
        }
        Ok(())
    });
}
