//! Tells cargo that the program changes with the directory of its migrations, which the macro that
//! embeds them cannot, and hands the names of the files on: the macro keeps only versions and names.

use std::error::Error;

use refinery_core::{MigrationType, find_migration_files};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=migrations");
    let root = std::env::current_dir()?.canonicalize()?;
    let mut names = Vec::new();
    for path in find_migration_files("migrations", MigrationType::All)? {
        let name = path
            .strip_prefix(&root)?
            .to_str()
            .ok_or("a migration's name is not UTF-8")?;
        names.push(name.to_owned());
    }
    println!("cargo::rustc-env=MIGRATION_FILES={}", names.join(":"));
    Ok(())
}
