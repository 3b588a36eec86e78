//! What signs somebody in stays out of what `{:?}` prints.

use zerostarter_queries::client::Params;
use zerostarter_queries::queries::{account, session, verification};

use super::connection::with_client;
use super::fixture::{in_hours, user};

const SECRET: &str = "hidden-word";

#[test]
fn no_row_and_no_parameters_show_it() {
    with_client(async |client| {
        user(client, "ada").await?;
        let text = Some(SECRET);
        let of_session = session::InsertParams {
            id: "s",
            expires_at: in_hours(1),
            token: SECRET,
            ip_address: text,
            user_agent: text,
            user_id: "ada",
            active_organization_id: text,
            active_team_id: text,
            impersonated_by: text,
        };
        let of_account = account::InsertParams {
            id: "a",
            account_id: "a",
            provider_id: "p",
            user_id: "ada",
            access_token: text,
            refresh_token: text,
            id_token: text,
            access_token_expires_at: None,
            refresh_token_expires_at: None,
            scope: text,
            password: text,
        };
        let of_verification = verification::InsertParams {
            id: "v",
            identifier: "i",
            value: SECRET,
            expires_at: in_hours(1),
        };
        let of_tokens = account::UpdateParams {
            access_token: text,
            refresh_token: text,
            id_token: text,
            access_token_expires_at: None,
            refresh_token_expires_at: None,
            scope: text,
            id: "a",
        };
        let of_password = account::SetPasswordParams {
            password: text,
            id: "a",
        };
        let shown = [
            (format!("{of_session:?}"), "InsertParams { .. }"),
            (format!("{of_account:?}"), "InsertParams { .. }"),
            (format!("{of_verification:?}"), "InsertParams { .. }"),
            (format!("{of_tokens:?}"), "UpdateParams { .. }"),
            (format!("{of_password:?}"), "SetPasswordParams { .. }"),
            (
                format!("{:?}", session::insert().params(client, &of_session).one().await?),
                "Session { .. }",
            ),
            (
                format!(
                    "{:?}",
                    session::get_live_with_user().bind(client, &SECRET).one().await?
                ),
                "SessionWithUser { .. }",
            ),
            (
                format!("{:?}", account::insert().params(client, &of_account).one().await?),
                "Account { .. }",
            ),
            (
                format!(
                    "{:?}",
                    account::get_by_provider_with_user()
                        .bind(client, &"p", &"a")
                        .one()
                        .await?
                ),
                "AccountWithUser { .. }",
            ),
            (
                format!(
                    "{:?}",
                    verification::insert()
                        .params(client, &of_verification)
                        .one()
                        .await?
                ),
                "Verification { .. }",
            ),
        ];
        for (shown, expected) in shown {
            assert_eq!(shown, expected);
        }
        Ok(())
    });
}
