//! One round trip a query: with a statement that the connection keeps, or by sending the text with the types of its
//! parameters.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use deadpool_postgres::StatementCache;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client as Wire, Error, Row, RowStream, Statement};
use zerostarter_queries::client::Parameters;

use crate::config::Statements;
use crate::in_transaction::InTransaction;

/// Descriptions are small, but generated query texts must not fill the memory.
const MOST_DESCRIPTIONS: usize = 10_000;

/// The parameter types of every query text: the server is queried for them once a process.
#[derive(Default)]
pub(crate) struct Descriptions(Mutex<HashMap<String, Arc<[Type]>>>);

impl Descriptions {
    fn map(&self) -> MutexGuard<'_, HashMap<String, Arc<[Type]>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, query: &str, types: &Arc<[Type]>) {
        let mut map = self.map();
        if map.len() >= MOST_DESCRIPTIONS {
            map.clear();
        }
        map.insert(query.to_owned(), types.clone());
    }
}

/// Sends queries on one connection.
pub(crate) struct Sender<'a> {
    pub(crate) wire: &'a Wire,
    pub(crate) cache: &'a StatementCache,
    pub(crate) statements: Statements,
    pub(crate) descriptions: &'a Descriptions,
    pub(crate) transaction: InTransaction,
}

/// What is sent for a query.
enum Form {
    Kept(Statement),
    Sent(Arc<[Type]>),
}

/// Runs a query in its form, and once more if that form is outdated.
macro_rules! run {
    ($sender:ident, $query:ident, $prepared:expr, |$statement:ident| $kept:expr, |$types:ident| $sent:expr) => {{
        let first = match $sender.form($query, $prepared).await? {
            Form::Kept($statement) => $kept.await,
            Form::Sent($types) => $sent.await,
        };
        match first {
            Err(error) if $sender.is_outdated($query, &error) => match $sender.form($query, None).await? {
                Form::Kept($statement) => $kept.await,
                Form::Sent($types) => $sent.await,
            },
            outcome => outcome,
        }
    }};
}

impl Sender<'_> {
    pub(crate) async fn prepare(&self, query: &str) -> Result<Statement, Error> {
        self.cache.prepare(self.wire, query).await
    }

    pub(crate) async fn execute(&self, query: &str, params: &Parameters<'_>) -> Result<u64, Error> {
        run!(
            self,
            query,
            None,
            |statement| self.wire.execute(&statement, params),
            |types| self.wire.execute_typed(query, &typed(params, &types))
        )
    }

    pub(crate) async fn query_one(
        &self,
        query: &str,
        prepared: Option<&Statement>,
        params: &Parameters<'_>,
    ) -> Result<Row, Error> {
        run!(
            self,
            query,
            prepared,
            |statement| self.wire.query_one(&statement, params),
            |types| self.wire.query_typed_one(query, &typed(params, &types))
        )
    }

    pub(crate) async fn query_opt(
        &self,
        query: &str,
        prepared: Option<&Statement>,
        params: &Parameters<'_>,
    ) -> Result<Option<Row>, Error> {
        run!(
            self,
            query,
            prepared,
            |statement| self.wire.query_opt(&statement, params),
            |types| self.wire.query_typed_opt(query, &typed(params, &types))
        )
    }

    pub(crate) async fn query_raw(
        &self,
        query: &str,
        prepared: Option<&Statement>,
        params: &Parameters<'_>,
    ) -> Result<RowStream, Error> {
        run!(
            self,
            query,
            prepared,
            |statement| self.wire.query_raw(&statement, params.iter().copied()),
            |types| self.wire.query_typed_raw(query, typed(params, &types))
        )
    }

    async fn form(&self, query: &str, prepared: Option<&Statement>) -> Result<Form, Error> {
        Ok(match (self.statements, prepared) {
            (Statements::Kept, Some(statement)) => Form::Kept(statement.clone()),
            (Statements::Kept, None) => Form::Kept(self.prepare(query).await?),
            (Statements::Sent, _) => Form::Sent(self.describe(query).await?),
        })
    }

    /// Queries the server for the parameter types of a text. The statement is closed before the transaction ends: after that
    /// a pooler may continue with another server, and the statement would stay on this one.
    async fn describe(&self, query: &str) -> Result<Arc<[Type]>, Error> {
        let known = self.descriptions.map().get(query).cloned();
        if let Some(types) = known {
            return Ok(types);
        }
        let is_in_transaction = self.transaction.is_certain(self.wire).await?;
        if !is_in_transaction {
            self.wire.batch_execute("BEGIN READ ONLY").await?;
        }
        let described = self.wire.prepare(query).await.map(|it| Arc::from(it.params()));
        if !is_in_transaction {
            self.wire.batch_execute("ROLLBACK").await?;
        }
        let types = described?;
        self.descriptions.remember(query, &types);
        Ok(types)
    }

    /// Whether the server refused a statement, before it ran, because a migration has changed its tables or the statement does
    /// not exist any more. The statement is forgotten. In a transaction there is no second attempt.
    fn is_outdated(&self, query: &str, error: &Error) -> bool {
        let Some(answer) = error.as_db_error() else {
            return false;
        };
        let is_stale = match self.statements {
            Statements::Kept => is_gone(answer) && self.cache.remove(query, &[]).is_some(),
            Statements::Sent => {
                answer.code().code().starts_with("42") && self.descriptions.map().remove(query).is_some()
            }
        };
        is_stale && self.transaction != InTransaction::Yes
    }
}

fn is_gone(answer: &DbError) -> bool {
    // The message depends on the server's language; the function that raises it does not.
    *answer.code() == SqlState::INVALID_SQL_STATEMENT_NAME
        || (*answer.code() == SqlState::FEATURE_NOT_SUPPORTED
            && answer.routine() == Some("RevalidateCachedQuery"))
}

type Typed<'a> = Vec<(&'a (dyn ToSql + Sync), Type)>;

fn typed<'a>(params: &'a Parameters<'a>, types: &[Type]) -> Typed<'a> {
    params.iter().copied().zip(types.iter().cloned()).collect()
}
