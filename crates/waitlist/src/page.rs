//! The waitlist as a page. It works without JavaScript: the answer to the form is the page again.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{DOCTYPE, Markup, html};
use tokio::time::timeout;

use crate::api_error::ApiError;
use crate::app::App;
use crate::waitlist::{Joining, join};

/// The page loads only from this server, and its form goes only to this server.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
    connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Style and script change only with the program.
const ASSET_CACHING: &str = "public, max-age=300";

/// How long the page waits for the count, which it can do without. The query continues: cancelling it would cost a slow
/// database a connection for every page.
const COUNT_LIMIT: Duration = Duration::from_secs(1);

/// Its path.
pub(crate) const PAGE: &str = "/waitlist";

/// The query string to which an accepted form redirects, so that reloading the page does not send the form again.
const JOINED: &str = "joined";

/// What the page shows.
enum Stage<'a> {
    Asking,
    Joined,
    Refused { why: ApiError, email: &'a str },
}

/// `GET /waitlist`
pub(crate) async fn get(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Response {
    let stage = if query.as_deref() == Some(JOINED) {
        Stage::Joined
    } else {
        Stage::Asking
    };
    let counting = timeout(app.config.request_timeout, async move {
        app.count.shown(&app.pool, app.config.count_age).await
    });
    let counted = timeout(COUNT_LIMIT, tokio::spawn(counting)).await;
    let count = match counted {
        Ok(Ok(Ok(Ok(count)))) => count,
        _ => 0,
    };
    respond(StatusCode::OK, &page(&stage, count))
}

/// `POST /waitlist`
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    form: Result<Form<Joining>, FormRejection>,
) -> Response {
    let (outcome, email) = match form {
        Ok(Form(joining)) => (join(&app, &joining).await, joining.email),
        Err(rejection) => (Err(rejection.into()), String::new()),
    };
    match outcome {
        Ok(()) => Redirect::to(&format!("{PAGE}?{JOINED}")).into_response(),
        Err(why) => refuse(why, &email),
    }
}

/// The page with what is wrong, and what was entered.
pub(crate) fn refuse(why: ApiError, email: &str) -> Response {
    let mut response = respond(why.status, &page(&Stage::Refused { why, email }, 0));
    response.headers_mut().extend(why.retry_header());
    response
}

/// `GET /`
pub(crate) async fn root() -> Redirect {
    Redirect::to(PAGE)
}

/// `GET /waitlist.css`
pub(crate) async fn style() -> impl IntoResponse {
    asset("text/css; charset=utf-8", include_str!("waitlist.css"))
}

/// `GET /waitlist.js`
pub(crate) async fn script() -> impl IntoResponse {
    asset("text/javascript; charset=utf-8", include_str!("waitlist.js"))
}

fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, ASSET_CACHING),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text)
}

fn respond(status: StatusCode, page: &Markup) -> Response {
    let headers = HeaderMap::from_iter([
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(CONTENT_SECURITY_POLICY),
        ),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ]);
    (status, headers, page.0.clone()).into_response()
}

fn page(stage: &Stage<'_>, count: i64) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="description" content="Leave your email address and be told when ZeroStarter opens.";
                title { (title(stage)) }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/waitlist.css";
                script src="/waitlist.js" defer {}
            }
            body {
                main {
                    p.brand { "ZeroStarter" }
                    div #joined tabindex="-1" hidden[!matches!(stage, Stage::Joined)] {
                        h1 { "You are on the list" }
                        p { "Thank you. We will write to you when we open, and not before." }
                    }
                    div #asking hidden[matches!(stage, Stage::Joined)] {
                        h1 { "Be there when we open" }
                        p { "Leave your email address, and we will write to you once: on the day." }
                        (form(stage))
                        @if count > 0 {
                            p.count { strong { (count) } " people or more are waiting already." }
                        }
                    }
                }
            }
        }
    }
}

/// Who cannot see the page hears its title first.
fn title(stage: &Stage<'_>) -> &'static str {
    match stage {
        Stage::Asking => "Join the waitlist · ZeroStarter",
        Stage::Joined => "You are on the list · ZeroStarter",
        Stage::Refused { why, .. } if why.is_about_input() => "Please check your entry · ZeroStarter",
        Stage::Refused { .. } => "That did not work · ZeroStarter",
    }
}

fn form(stage: &Stage<'_>) -> Markup {
    let (message, email) = match stage {
        Stage::Refused { why, email } => (why.message, *email),
        Stage::Asking | Stage::Joined => ("", ""),
    };
    let is_invalid = matches!(stage, Stage::Refused { why, .. } if why.is_about_input());
    html! {
        form #form method="post" action=(PAGE) {
            label for="email" { "Email address" }
            input #email name="email" type="email" value=(email) autocomplete="email" inputmode="email"
                autocapitalize="none" spellcheck="false" required maxlength="254" placeholder="you@example.com"
                aria-describedby="message" aria-invalid=[is_invalid.then_some("true")];
            // Programs fill it in. People neither see it nor get there by keyboard, nor do those who listen.
            div.unseen aria-hidden="true" {
                label for="subject" { "Leave this empty" }
                input #subject name="subject" type="text" tabindex="-1" autocomplete="off";
            }
            button #submit type="submit" { "Join the waitlist" }
            p #message role="alert" { (message) }
        }
    }
}
