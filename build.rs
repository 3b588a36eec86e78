//! Tells cargo that the program changes with the directory of its migrations, which the macro that
//! embeds them cannot, and hands on what refinery makes of the files: the program then knows what is
//! pending without asking refinery again.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use refinery_core::{Migration, MigrationType, find_migration_files};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=migrations");
    let root = env::current_dir()?.canonicalize()?;
    let mut files = String::new();
    for path in find_migration_files("migrations", MigrationType::All)? {
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
