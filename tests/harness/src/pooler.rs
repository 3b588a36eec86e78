//! PgBouncer in transaction mode, in front of a server of the tests.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::poll::poll;
use super::server::{Server, unused_port};
use super::supervisor::{Home, Supervised};

const START_TIMEOUT: Duration = Duration::from_secs(30);

/// A PgBouncer on 127.0.0.1 that ends when it is dropped.
pub struct Pooler {
    port: u16,
    process: Mutex<Supervised>,
}

impl Pooler {
    /// Starts one with `size` connections to each database of `server`.
    pub fn start(server: &Server, size: u32) -> Self {
        let databases = format!("* = host=127.0.0.1 port={} user=postgres", server.port());
        Self::configured(
            &databases,
            &format!("auth_type = any\ndefault_pool_size = {size}"),
            &[],
        )
    }

    /// Starts one with these lines of the sections `databases` and `pgbouncer`, and with these roles and passwords.
    pub fn configured(databases: &str, settings: &str, roles: &[(&str, &str)]) -> Self {
        let home = Home::new();
        let port = unused_port();
        let lines = roles
            .iter()
            .map(|(role, password)| format!("\"{role}\" \"{password}\""));
        let roles = lines.collect::<Vec<_>>().join("\n");
        let auth_file = home.path().join("roles.txt");
        std::fs::write(&auth_file, roles).expect("to write the roles");
        home.give(&auth_file);
        let configuration = format!(
            "[databases]\n{databases}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_file = roles.txt\npool_mode = transaction\nmax_client_conn = 500\n{settings}\n"
        );
        let path = home.path().join("pgbouncer.ini");
        std::fs::write(&path, configuration).expect("to write pgbouncer.ini");
        home.give(&path);
        let program = [
            "/usr/sbin/pgbouncer",
            "/usr/bin/pgbouncer",
            "/usr/local/bin/pgbouncer",
        ]
        .map(Path::new)
        .into_iter()
        .find(|program| program.exists())
        .expect("PgBouncer, which these tests need: the package is called pgbouncer");
        let process = Supervised::start(&home, program, &["pgbouncer.ini"]);
        let is_up = || std::net::TcpStream::connect(("127.0.0.1", port)).ok();
        poll(START_TIMEOUT, is_up).unwrap_or_else(|| panic!("PgBouncer does not answer:\n{}", home.log()));
        Self {
            port,
            process: Mutex::new(process),
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Pooler {
    /// SIGTERM is PgBouncer's immediate end; the signal of a server's it ignores.
    fn drop(&mut self) {
        self.process
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .signal("TERM");
    }
}
