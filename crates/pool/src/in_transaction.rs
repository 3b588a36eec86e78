//! Whether a transaction is open on a connection. Neither tokio-postgres nor SQL reports it.

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client as Wire, Error, SimpleQueryMessage};

/// What is known about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InTransaction {
    /// None is.
    No,
    /// One is.
    Yes,
    /// The application had tokio-postgres' client, and may have begun one in SQL.
    Perhaps,
}

impl InTransaction {
    /// Queries the server if necessary.
    pub(crate) async fn is_certain(self, wire: &Wire) -> Result<bool, Error> {
        match self {
            Self::No => Ok(false),
            Self::Yes => Ok(true),
            Self::Perhaps => is_in_transaction(wire).await,
        }
    }
}

/// A transaction begins with its first statement; one that is older than this statement was open before. Unlike `SAVEPOINT`
/// or `ROLLBACK`, this query leaves no error in the server's log.
pub(crate) async fn is_in_transaction(wire: &Wire) -> Result<bool, Error> {
    let query = "SELECT pg_catalog.now() OPERATOR(pg_catalog.<) pg_catalog.statement_timestamp()";
    match wire.simple_query(query).await {
        Ok(answer) => Ok(answer
            .iter()
            .any(|message| matches!(message, SimpleQueryMessage::Row(row) if row.try_get(0).ok().flatten() == Some("t")))),
        Err(error) if error.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION) => Ok(true),
        Err(error) => Err(error),
    }
}
