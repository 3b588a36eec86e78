//! Tells cargo to rebuild when a migration file changes, which the macro cannot, and lists version, name and checksum of
//! each file, so that the program knows what is pending without refinery's regular expression.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use refinery_core::{Migration, MigrationType, find_migration_files};

/// Relative to this package.
const DIRECTORY: &str = "../../migrations";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={DIRECTORY}");
    let root = env::current_dir()?.join("../..").canonicalize()?;
    let mut files = String::new();
    for path in find_migration_files(DIRECTORY, MigrationType::All)? {
        let shown = path
            .strip_prefix(&root)?
            .to_str()
            .ok_or("a migration's name is not UTF-8")?;
        let stem = shown
            .strip_suffix(".sql")
            .and_then(|rest| rest.rsplit(['/', '\\']).next())
            .ok_or("a migration is not SQL")?;
        let migration = Migration::unapplied(stem, &fs::read_to_string(&path)?)?;
        let (version, name, checksum) = (migration.version(), migration.name(), migration.checksum());
        writeln!(files, "({shown:?}, {version}, {name:?}, {checksum}),")?;
    }
    let list = Path::new(&env::var("OUT_DIR")?).join("embedded_files.rs");
    fs::write(list, format!("&[\n{files}]\n"))?;
    Ok(())
}
