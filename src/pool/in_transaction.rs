//! Whether a transaction is open on a connection, which neither the protocol's client nor SQL says by itself.

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client as Wire, Error, SimpleQueryMessage};

/// What is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InTransaction {
    /// None is.
    No,
    /// One is.
    Yes,
    /// Somebody had the bare connection, and can have begun one in SQL.
    Perhaps,
}

impl InTransaction {
    /// Asks the server where it has to.
    pub(super) async fn is_certain(self, wire: &Wire) -> Result<bool, Error> {
        match self {
            Self::No => Ok(false),
            Self::Yes => Ok(true),
            Self::Perhaps => is_in_transaction(wire).await,
        }
    }
}

/// A transaction begins with its first statement, so that one which is older than this statement was open before. Unlike
/// `SAVEPOINT` or `ROLLBACK`, the question leaves no complaint in the server's log.
pub(super) async fn is_in_transaction(wire: &Wire) -> Result<bool, Error> {
    let question = "SELECT pg_catalog.now() < pg_catalog.statement_timestamp()";
    match wire.simple_query(question).await {
        Ok(answer) => Ok(answer
            .iter()
            .any(|message| matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some("t")))),
        Err(error) if error.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION) => Ok(true),
        Err(error) => Err(error),
    }
}
