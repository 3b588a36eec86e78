//! Where the programs under test and the files of the workspace are.

use std::env;
use std::path::{Path, PathBuf};

/// The program `name` of this workspace, as cargo has built it for the running test.
///
/// For the tests of its own package cargo says where it is. For others it is beside the folder of the running test's
/// executable: `target/debug/deps/test` and `target/debug/name`.
#[track_caller]
pub fn program(name: &str) -> PathBuf {
    if let Some(path) = env::var_os(format!("CARGO_BIN_EXE_{name}")) {
        return path.into();
    }
    let test = env::current_exe().expect("the running test");
    let built = test
        .parent()
        .and_then(Path::parent)
        .map(|folder| folder.join(name));
    built.filter(|path| path.is_file()).unwrap_or_else(|| {
        panic!("{name} is not built: run `cargo test --workspace`, or `cargo build --workspace --bins` first")
    })
}

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    let harness = Path::new(env!("CARGO_MANIFEST_DIR"));
    harness
        .ancestors()
        .nth(2)
        .expect("the harness is two folders below the root")
}

/// The example `name` of the package whose test is running.
#[track_caller]
pub fn example(name: &str) -> PathBuf {
    let test = env::current_exe().expect("the running test");
    let folder = test.ancestors().nth(2).expect("target/debug");
    folder.join("examples").join(name)
}
