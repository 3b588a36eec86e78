//! A connection to a migrated database of a test's own, and one that records.

use std::sync::Mutex;

use tokio::runtime::Builder;
use tokio_postgres::{Client, Error, NoTls, Row, RowStream, SimpleQueryMessage, Statement};
use zerostarter_queries::client::{GenericClient, Parameters};

use zerostarter_test_harness::{Server, zerostarter_db};

/// A migrated database, and what connects to it.
pub(super) struct Schema {
    url: String,
}

impl Schema {
    pub(super) async fn connect(&self) -> Result<Client, Error> {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }
}

/// Runs a test on a database of its own.
#[track_caller]
pub(super) fn with_schema(test: impl AsyncFnOnce(Schema) -> Result<(), Error>) {
    let database = Server::shared().database();
    assert_eq!(zerostarter_db(&database).run().status, 0);
    let schema = Schema { url: database.url() };
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(test(schema)).expect("every query to succeed");
}

/// The same with a connection at once.
#[track_caller]
pub(super) fn with_client(test: impl AsyncFnOnce(&Client) -> Result<(), Error>) {
    with_schema(async |schema| test(&schema.connect().await?).await);
}

/// The first column of what statements return, NULL as nothing.
pub(super) async fn column(client: &Client, sql: &str) -> Result<Vec<String>, Error> {
    let messages = client.simple_query(sql).await?;
    Ok(messages
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("").to_owned()),
            _ => None,
        })
        .collect())
}

/// A client that remembers the text of every statement that it sends.
pub(super) struct Recorder<'c> {
    client: &'c Client,
    statements: Mutex<Vec<String>>,
}

impl<'c> Recorder<'c> {
    pub(super) fn new(client: &'c Client) -> Self {
        Self {
            client,
            statements: Mutex::default(),
        }
    }

    /// Those since it was last asked.
    pub(super) fn statements(&self) -> Vec<String> {
        std::mem::take(&mut *self.statements.lock().expect("no panic"))
    }

    fn record(&self, query: &str) {
        self.statements.lock().expect("no panic").push(query.to_owned());
    }
}

impl GenericClient for Recorder<'_> {
    type Rows<'c>
        = RowStream
    where
        Self: 'c;

    async fn prepare(&self, query: &str) -> Result<Statement, Error> {
        self.record(query);
        GenericClient::prepare(self.client, query).await
    }

    async fn execute(&self, query: &str, params: &Parameters<'_>) -> Result<u64, Error> {
        self.record(query);
        GenericClient::execute(self.client, query, params).await
    }

    async fn query_one(
        &self,
        query: &str,
        prepared: Option<&Statement>,
        params: &Parameters<'_>,
    ) -> Result<Row, Error> {
        self.record(query);
        GenericClient::query_one(self.client, query, prepared, params).await
    }

    async fn query_opt(
        &self,
        query: &str,
        prepared: Option<&Statement>,
        params: &Parameters<'_>,
    ) -> Result<Option<Row>, Error> {
        self.record(query);
        GenericClient::query_opt(self.client, query, prepared, params).await
    }

    async fn query_raw(
        &self,
        query: &str,
        prepared: Option<&Statement>,
        params: &Parameters<'_>,
    ) -> Result<RowStream, Error> {
        self.record(query);
        GenericClient::query_raw(self.client, query, prepared, params).await
    }
}
