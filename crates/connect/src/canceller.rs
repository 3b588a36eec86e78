//! Cancels the statement of a connection from outside.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::timeout;

use crate::attempt::AttemptError;

/// How long a cancel request may take: a run ends within a second of a signal.
const CANCEL_LIMIT: Duration = Duration::from_millis(900);

/// Sends a cancel request, on a separate connection.
type Request = Box<dyn Fn() -> BoxFuture<'static, Result<(), AttemptError>> + Send + Sync>;

/// Cancels what one connection is doing.
pub struct Canceller {
    request: Request,
}

impl Canceller {
    pub(crate) fn new(request: Request) -> Self {
        Self { request }
    }

    /// Cancels the statement that is running on the connection, if any.
    pub async fn cancel(&self) {
        // If the request does not reach the server, the server notices by itself that the client is gone.
        let _ = timeout(CANCEL_LIMIT, (self.request)()).await;
    }
}

impl fmt::Debug for Canceller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canceller").finish_non_exhaustive()
    }
}
