//! A pool, a migrated database, and a runtime.

use std::future::Future;

use zerostarter_diagnostic::Diagnostic as _;
use zerostarter_pool::{Config, Pool, config};
use zerostarter_settings::{Layer, Reader, Settings};
use zerostarter_test_harness::{Database, Server, zerostarter_db};

pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(work)
}

pub(crate) fn load(url: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let given = [("NODE_ENV", "test"), ("POSTGRES_URL", url)];
    // The last of a name counts.
    let all = given.iter().chain(variables).copied();
    let variables = zerostarter_connect::config::variables().chain(config::VARIABLES);
    let settings = Settings::from_layers(&[Layer::new("environment", all)], variables);
    let mut reader = Reader::new(&settings, &|path| std::fs::read(path));
    let config = Config::load(&mut reader);
    reader.finish(config).map_err(|problems| problems.details())
}

pub(crate) fn pool(url: &str, variables: &[(&str, &str)]) -> Pool {
    Pool::new(load(url, variables).expect("a configuration"))
}

pub(crate) fn migrated(server: &Server) -> Database {
    let database = server.database();
    assert_eq!(zerostarter_db(&database).run().status, 0);
    database
}
