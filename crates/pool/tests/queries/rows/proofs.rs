//! Rows without an owner: proofs that are still to be given, and the waitlist.

use zerostarter_queries::queries::verification::{self, Verification};
use zerostarter_queries::queries::waitlist::{self, Waitlist};

use super::super::connection::with_client;
use super::super::fixture::in_hours;
use super::{deletes, holds};

#[test]
fn verifications() {
    with_client(async |client| {
        let (soon, later) = (in_hours(1), in_hours(2));
        let insert = verification::insert();
        let one = insert
            .bind(client, &"v1", &"ada@example.org", &"1234", &soon)
            .one()
            .await?;
        let two = insert
            .bind(client, &"v2", &"bob@example.org", &"5678", &later)
            .one()
            .await?;
        let expected = Verification {
            id: "v1".to_owned(),
            identifier: "ada@example.org".to_owned(),
            value: "1234".to_owned(),
            expires_at: soon,
            created_at: one.created_at,
            updated_at: one.created_at,
        };
        assert_eq!(one, expected);
        holds!(client, verification, [one.clone(), two.clone()]);
        assert_eq!(
            verification::get_by_identifier()
                .bind(client, &"bob@example.org")
                .one()
                .await?,
            two
        );

        let updated = verification::update()
            .bind(client, &"9999", &later, &"v1")
            .one()
            .await?;
        let expected = Verification {
            value: "9999".to_owned(),
            expires_at: later,
            updated_at: updated.updated_at,
            ..one
        };
        assert_eq!(updated, expected);
        holds!(client, verification, [updated.clone(), two.clone()]);
        deletes!(client, verification, [updated, two]);
        Ok(())
    });
}

#[test]
fn the_waitlist() {
    with_client(async |client| {
        let one = waitlist::insert()
            .bind(client, &"w1", &"ada@example.org")
            .one()
            .await?;
        let two = waitlist::insert()
            .bind(client, &"w2", &"bob@example.org")
            .one()
            .await?;
        let expected = Waitlist {
            id: "w1".to_owned(),
            email: "ada@example.org".to_owned(),
            created_at: one.created_at,
        };
        assert_eq!(one, expected);
        holds!(client, waitlist, [one.clone(), two.clone()]);
        assert_eq!(
            waitlist::get_by_email()
                .bind(client, &"bob@example.org")
                .one()
                .await?,
            two
        );
        assert_eq!(waitlist::count().bind(client).one().await?, 2);
        deletes!(client, waitlist, [one, two]);
        assert_eq!(waitlist::count().bind(client).one().await?, 0);
        Ok(())
    });
}
