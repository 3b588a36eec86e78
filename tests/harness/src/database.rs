//! A database for one test.

use std::sync::atomic::{AtomicU32, Ordering};

use super::server::Address;
use super::session::Session;

/// An empty database that is dropped with this value, sessions or not.
pub struct Database {
    name: String,
    address: Address,
    roles: AtomicU32,
}

impl Database {
    pub(crate) fn create(address: Address) -> Self {
        static CREATED: AtomicU32 = AtomicU32::new(1);
        let number = CREATED.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{number:04}"); // what the filters of a snapshot look for
        address
            .session("postgres")
            .execute(&format!("CREATE DATABASE {name}"));
        Self {
            name,
            address,
            roles: AtomicU32::new(0),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn port(&self) -> u16 {
        self.address.port
    }

    /// The Unix-domain socket of its server.
    pub fn socket(&self) -> std::path::PathBuf {
        self.address.socket.join(format!(".s.PGSQL.{}", self.port()))
    }

    /// The URL for the superuser, over TCP and without TLS.
    pub fn url(&self) -> String {
        self.url_as("postgres")
    }

    /// The URL for another role: `name`, or `name:password` as it is to be written in a URL.
    pub fn url_as(&self, user: &str) -> String {
        self.address.url(user, &self.name)
    }

    /// The URL for the superuser through another port: that of a proxy.
    pub fn url_through(&self, port: u16) -> String {
        let socket = self.address.socket.clone();
        Address { socket, port }.url("postgres", &self.name)
    }

    /// Creates a role of this test's own, dropped with the database, and returns its name. The
    /// options are those of `CREATE ROLE`; it may log in. Roles belong to the whole server, so that a
    /// fixed name would collide with a test next door.
    pub fn role(&self, options: &str) -> String {
        let number = self.roles.fetch_add(1, Ordering::Relaxed) + 1;
        let role = format!("{}_role{number}", self.name);
        self.execute(&format!("CREATE ROLE {role} LOGIN {options}"));
        role
    }

    /// An open connection of the superuser, for a transaction that stays open.
    #[track_caller]
    pub fn session(&self) -> Session {
        self.address.session(&self.name)
    }

    /// Runs statements as the superuser, and panics with what the server says against them.
    #[track_caller]
    pub fn execute(&self, sql: &str) {
        self.session().execute(sql);
    }

    /// Runs statements that may fail: the SQLSTATE and the message of the error.
    pub fn try_execute(&self, sql: &str) -> Result<(), (String, String)> {
        self.session().try_execute(sql)
    }

    /// The rows that statements give, with `|` between the columns and nothing for NULL.
    #[track_caller]
    pub fn rows(&self, sql: &str) -> Vec<String> {
        self.session().rows(sql)
    }

    /// The schema, one line a fact, to compare with tests/expected/catalog.txt. It does not depend
    /// on the search path that the database or the role was given.
    #[track_caller]
    pub fn catalog(&self) -> Vec<String> {
        let session = self.session();
        session.execute("SET search_path = public");
        session.rows(include_str!("../../expected/catalog.sql"))
    }

    /// The history as `version|name|checksum`, in the order of versions, in whichever schema it is.
    /// Empty where there is no such table.
    #[track_caller]
    pub fn history(&self) -> Vec<String> {
        let session = self.session();
        let tables = session.rows(
            "SELECT c.oid::regclass FROM pg_catalog.pg_class c \
             WHERE c.relname = 'refinery_schema_history' AND c.relkind = 'r' ORDER BY 1",
        );
        tables
            .iter()
            .flat_map(|table| {
                session.rows(&format!(
                    "SELECT version, name, checksum FROM {table} ORDER BY version"
                ))
            })
            .collect()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The server may be down, and a panic here would hide the one that failed the test.
        let Self { name, address, .. } = self;
        let Ok(session) = Session::open(&address.socket, address.port, "postgres") else {
            return;
        };
        session
            .try_execute(&format!("DROP DATABASE {name} WITH (FORCE)"))
            .ok();
        for number in 1..=*self.roles.get_mut() {
            session
                .try_execute(&format!("DROP ROLE {name}_role{number}"))
                .ok();
        }
    }
}
