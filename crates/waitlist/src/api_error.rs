//! The answer to a request that cannot be served: `{"error":{"code":…,"message":…}}`.

use axum::Json;
use axum::extract::rejection::{FormRejection, JsonRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio_postgres::error::SqlState;
use zerostarter_connect::attempt::{describe, is_transient};
use zerostarter_pool::Error as PoolError;

/// `Retry-After` in seconds if the database is unavailable: a restart takes about that long.
const RETRY_AFTER: u64 = 2;

/// Why a request is not served. Codes are part of the contract, messages are for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: StatusCode,
    /// The code, for programs.
    pub code: &'static str,
    /// The message, for people.
    pub message: &'static str,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
}

const fn error(status: StatusCode, code: &'static str, message: &'static str) -> ApiError {
    ApiError {
        status,
        code,
        message,
        retry_after: None,
    }
}

impl ApiError {
    /// The body is not JSON, or not the expected object.
    pub const INVALID_JSON: Self = error(
        StatusCode::BAD_REQUEST,
        "invalid_json",
        "The body is not the JSON object that is expected.",
    );
    /// The body is not a form.
    pub const INVALID_FORM: Self = error(
        StatusCode::BAD_REQUEST,
        "invalid_form",
        "The body is not the form that is expected.",
    );
    /// The content type of the body is not supported.
    pub const UNSUPPORTED_MEDIA_TYPE: Self = error(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "The content type of the body is not the one that is expected.",
    );
    /// The body is too large.
    pub const TOO_LARGE: Self = error(
        StatusCode::PAYLOAD_TOO_LARGE,
        "payload_too_large",
        "The body is too large.",
    );
    /// The body is incomplete, or not encoded as its headers say.
    pub const INCOMPLETE_BODY: Self = error(
        StatusCode::BAD_REQUEST,
        "incomplete_body",
        "The body did not arrive whole.",
    );
    /// The body did not arrive in time.
    pub const BODY_TIMEOUT: Self = error(
        StatusCode::REQUEST_TIMEOUT,
        "body_timeout",
        "The body did not arrive in time. Please try again.",
    );
    /// It is not an email address.
    pub const INVALID_EMAIL: Self = error(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid_email",
        "This is not an email address.",
    );
    /// There is nothing at this path.
    pub const NOT_FOUND: Self = error(StatusCode::NOT_FOUND, "not_found", "There is nothing here.");
    /// The path does not support this method.
    pub const METHOD_NOT_ALLOWED: Self = error(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This method is not allowed here.",
    );
    /// The answer took too long.
    pub const TIMEOUT: Self = ApiError {
        retry_after: Some(RETRY_AFTER),
        ..error(
            StatusCode::SERVICE_UNAVAILABLE,
            "timeout",
            "The answer took too long. Please try again.",
        )
    };
    /// The database is unavailable, or not migrated yet.
    pub const UNAVAILABLE: Self = ApiError {
        retry_after: Some(RETRY_AFTER),
        ..error(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "The service is not available at the moment. Please try again.",
        )
    };
    /// An unexpected error.
    pub const INTERNAL: Self = error(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "Something went wrong on our side.",
    );

    /// The client has sent too many requests.
    #[must_use]
    pub const fn rate_limited(retry_after: u64) -> Self {
        ApiError {
            retry_after: Some(retry_after),
            ..error(
                StatusCode::TOO_MANY_REQUESTS,
                "rate_limited",
                "Too many requests. Please try again later.",
            )
        }
    }

    /// Whether the user has to correct the input.
    pub(crate) fn is_about_input(&self) -> bool {
        *self == Self::INVALID_EMAIL
    }

    /// The header `Retry-After`.
    pub(crate) fn retry_header(&self) -> Option<(header::HeaderName, HeaderValue)> {
        Some((header::RETRY_AFTER, self.retry_after?.into()))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": { "code": self.code, "message": self.message } }));
        let mut response = (self.status, body).into_response();
        response.headers_mut().extend(self.retry_header());
        response
    }
}

impl From<PoolError> for ApiError {
    fn from(error: PoolError) -> Self {
        tracing::warn!("{error}");
        Self::UNAVAILABLE
    }
}

impl From<tokio_postgres::Error> for ApiError {
    fn from(error: tokio_postgres::Error) -> Self {
        // Not migrated yet, a standby after a failover, or cancelled by an operator: temporary.
        let temporary = [
            SqlState::UNDEFINED_TABLE,
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::QUERY_CANCELED,
        ];
        let is_temporary = is_transient(&error) || error.code().is_some_and(|code| temporary.contains(code));
        let reason = describe(&error);
        if is_temporary {
            tracing::warn!("a query failed: {reason}");
            Self::UNAVAILABLE
        } else {
            tracing::error!("a query failed: {reason}");
            Self::INTERNAL
        }
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status() {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UNSUPPORTED_MEDIA_TYPE,
            _ => Self::INVALID_JSON,
        }
    }
}

impl From<FormRejection> for ApiError {
    fn from(rejection: FormRejection) -> Self {
        match rejection.status() {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UNSUPPORTED_MEDIA_TYPE,
            _ => Self::INVALID_FORM,
        }
    }
}
