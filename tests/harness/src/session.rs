//! A connection of the tests' own, for looking at what the program did and for getting in its way.

use std::error::Error as _;
use std::path::Path;
use std::sync::mpsc;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use tokio::runtime::{self, Handle};
use tokio::time::timeout;
use tokio_postgres::{Client, Config, Error, NoTls, SimpleQueryMessage};

/// A server that was stopped with SIGSTOP accepts and says nothing.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The one runtime of the harness. It has a thread of its own, so that connections and proxies go
/// on while a test does something else, and so that a test may be async or not.
pub(crate) fn runtime() -> &'static Handle {
    static HANDLE: OnceLock<Handle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let handle = runtime.handle().clone();
        thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
        handle
    })
}

/// Waits for a future that runs on the harness' own thread.
pub(crate) fn wait_for<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    runtime().spawn(async move { sender.send(future.await).ok() });
    receiver.recv().expect("the task does not panic")
}

/// An open connection of the superuser, for what needs one: a transaction left open, a lock held.
/// It goes through the server's socket and not over TCP, so that neither `pg_hba` lines under test
/// nor a stranger on the port are in its way. Closed when dropped.
pub struct Session {
    client: Arc<Client>,
}

impl Session {
    /// Connects, or says why not: SQLSTATE (empty where it was not the server that refused) and message.
    pub fn open(socket: &Path, port: u16, database: &str) -> Result<Self, (String, String)> {
        let mut config = Config::new();
        config.host_path(socket);
        Self::connect(config, port, database)
    }

    /// Connects over TCP: to a pooler.
    #[track_caller]
    pub fn open_tcp(port: u16, database: &str) -> Self {
        let mut config = Config::new();
        config.host("127.0.0.1");
        match Self::connect(config, port, database) {
            Ok(session) => session,
            Err((state, message)) => panic!("to connect to {database}: {state} {message}"),
        }
    }

    fn connect(mut config: Config, port: u16, database: &str) -> Result<Self, (String, String)> {
        config
            .port(port)
            .user("postgres")
            .dbname(database)
            .application_name("harness");
        wait_for(async move {
            let connecting = timeout(CONNECT_TIMEOUT, config.connect(NoTls));
            let (client, connection) = connecting
                .await
                .map_err(|_| (String::new(), "no answer".to_owned()))?
                .map_err(|error| describe(&error))?;
            tokio::spawn(connection);
            Ok(Self {
                client: Arc::new(client),
            })
        })
    }

    /// Runs statements, and panics with what the server says against them.
    #[track_caller]
    pub fn execute(&self, sql: &str) {
        if let Err((state, message)) = self.try_execute(sql) {
            panic!("{state}: {message}\nin: {sql}");
        }
    }

    /// Runs statements that may fail: the SQLSTATE and the message of the error.
    pub fn try_execute(&self, sql: &str) -> Result<(), (String, String)> {
        self.query(sql).map(drop)
    }

    /// The rows that statements give, with `|` between the columns and nothing for NULL, as psql -tA.
    #[track_caller]
    pub fn rows(&self, sql: &str) -> Vec<String> {
        match self.query(sql) {
            Ok(rows) => rows,
            Err((state, message)) => panic!("{state}: {message}\nin: {sql}"),
        }
    }

    fn query(&self, sql: &str) -> Result<Vec<String>, (String, String)> {
        let client = Arc::clone(&self.client);
        let sql = sql.to_owned();
        let messages = wait_for(async move { client.simple_query(&sql).await });
        let rows = messages.map_err(|error| describe(&error))?;
        Ok(rows
            .iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => {
                    let columns: Vec<&str> = (0..row.len()).map(|i| row.get(i).unwrap_or("")).collect();
                    Some(columns.join("|"))
                }
                _ => None,
            })
            .collect())
    }
}

/// SQLSTATE and message; tokio-postgres itself would only say "db error".
fn describe(error: &Error) -> (String, String) {
    match (error.as_db_error(), error.source()) {
        (Some(error), _) => (error.code().code().to_owned(), error.message().to_owned()),
        (None, Some(source)) => (String::new(), format!("{error}: {source}")),
        (None, None) => (String::new(), error.to_string()),
    }
}
