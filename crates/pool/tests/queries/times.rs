//! `created_at` and `updated_at`: who sets them, and to what, in whichever time zone the session is.

use chrono::{NaiveDateTime, TimeDelta, Utc};
use tokio_postgres::{Client, Error};
use zerostarter_queries::queries::{account, session, team, user, verification};

use super::connection::{column, with_client};
use super::fixture::{NULL, for_each_table, in_hours, insert, owners, session_until};

/// Far from UTC on either side.
const ZONES: [&str; 3] = ["UTC", "Asia/Kolkata", "America/Los_Angeles"];

async fn be_in(client: &Client, zone: &str) -> Result<(), Error> {
    client.batch_execute(&format!("SET TimeZone = '{zone}'")).await
}

/// A moment of the test that began at `start`, by the clock in UTC, which this machine and the server share.
#[track_caller]
fn is_now(start: NaiveDateTime, time: NaiveDateTime) {
    // The server keeps microseconds.
    let first = start - TimeDelta::microseconds(1);
    let last = Utc::now().naive_utc();
    assert!(
        first <= time && time <= last,
        "{time} is not within {first} and {last}"
    );
}

#[test]
fn every_insert_sets_them_to_the_clock_in_utc() {
    with_client(async |client| {
        let start = Utc::now().naive_utc();
        be_in(client, "Asia/Kolkata").await?;
        owners(client).await?;
        for zone in ZONES {
            be_in(client, zone).await?;
            macro_rules! inserts {
                ($table:ident) => {
                    let table = stringify!($table);
                    let id = format!("k {zone}");
                    insert(client, table, &id).await?;
                    // The columns that there are, as the server has stored them.
                    let times = column(
                        client,
                        &format!(
                            "SELECT value FROM jsonb_each_text((SELECT to_jsonb(t) FROM \"{table}\" t \
                             WHERE id = '{id}')) WHERE key IN ('created_at', 'updated_at')"
                        ),
                    )
                    .await?;
                    assert!(!times.is_empty());
                    for time in &times {
                        assert_eq!(*time, times[0], "{table} in {zone}");
                        is_now(start, time.parse().expect("a time without a zone"));
                    }
                };
            }
            for_each_table!(inserts);
        }
        Ok(())
    });
}

/// The times of a row before an update and after it.
#[track_caller]
fn moved(
    start: NaiveDateTime,
    before: (NaiveDateTime, NaiveDateTime),
    after: (NaiveDateTime, NaiveDateTime),
) {
    assert_eq!(after.0, before.0, "created_at stays");
    assert!(after.1 > before.1, "{} is not after {}", after.1, before.1);
    is_now(start, after.1);
}

#[test]
fn every_update_moves_updated_at_on_and_leaves_created_at() {
    with_client(async |client| {
        let start = Utc::now().naive_utc();
        // Runs an update, and gives the row as it is then.
        macro_rules! moves {
            ($row:ident, $update:expr) => {
                let after = $update.one().await?;
                moved(
                    start,
                    ($row.created_at, $row.updated_at),
                    (after.created_at, after.updated_at),
                );
                let $row = after;
            };
        }
        owners(client).await?;
        for table in ["session", "account", "verification"] {
            insert(client, table, "owner").await?;
        }
        for zone in ZONES {
            be_in(client, zone).await?;
            let row = user::get().bind(client, &"owner").one().await?;
            moves!(row, user::update().bind(client, &"A", &NULL, &"owner"));
            moves!(
                row,
                user::set_email().bind(client, &"a@example.org", &true, &"owner")
            );
            moves!(row, user::set_role().bind(client, &NULL, &"owner"));
            // The same values again.
            moves!(row, user::set_role().bind(client, &NULL, &"owner"));
            moves!(row, user::unban().bind(client, &"owner"));
            assert_eq!(row.banned, Some(false));

            let row = session::get().bind(client, &"owner").one().await?;
            moves!(
                row,
                session::update().bind(client, &in_hours(1), &NULL, &NULL, &"owner")
            );
            moves!(
                row,
                session::set_active_organization().bind(client, &Some("owner"), &"owner")
            );
            moves!(
                row,
                session::set_active_team().bind(client, &Some("owner"), &"owner")
            );
            assert_eq!(row.active_team_id.as_deref(), Some("owner"));

            let row = account::get().bind(client, &"owner").one().await?;
            moves!(
                row,
                account::update().bind(client, &NULL, &NULL, &NULL, &None, &None, &NULL, &"owner")
            );
            moves!(row, account::set_password().bind(client, &Some("hash"), &"owner"));
            assert_eq!(row.password.as_deref(), Some("hash"));

            let row = verification::get().bind(client, &"owner").one().await?;
            moves!(
                row,
                verification::update().bind(client, &"B", &in_hours(1), &"owner")
            );
            assert_eq!(row.value, "B");

            let before = team::get().bind(client, &"owner").one().await?;
            let after = team::update().bind(client, &"Crew", &"owner").one().await?;
            let updated = |team: &team::Team| team.updated_at.expect("a time");
            moved(
                start,
                (before.created_at, updated(&before)),
                (after.created_at, updated(&after)),
            );
        }
        // Last, for it ends the session.
        let row = user::get().bind(client, &"owner").one().await?;
        moves!(row, user::ban().bind(client, &"owner", &NULL, &None));
        assert_eq!(row.banned, Some(true));
        Ok(())
    });
}

/// Wall clocks of the zones under test differ by more than an hour from UTC, to either side.
#[test]
fn expiry_is_measured_in_utc() {
    with_client(async |client| {
        owners(client).await?;
        for zone in ZONES {
            be_in(client, zone).await?;
            session_until(client, "live", "owner", in_hours(1)).await?;
            session_until(client, "over", "owner", in_hours(-1)).await?;
            let find = session::get_live_with_user();
            assert!(
                find.bind(client, &"token of live").opt().await?.is_some(),
                "{zone}"
            );
            assert!(
                find.bind(client, &"token of over").opt().await?.is_none(),
                "{zone}"
            );
            assert_eq!(session::delete_expired().bind(client, &10).await?, 1, "{zone}");
            let left = session::delete().bind(client, &"live").opt().await?;
            assert!(left.is_some(), "{zone}");
        }
        Ok(())
    });
}
