//! The directory of V files: what it has, and what an import adds.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::Error;
use crate::numbering::Numbered;

const HINT: &str = "name another directory with --to, or remove what an earlier attempt has written";

/// The V files of the directory: versions by name. None if it does not exist.
pub(crate) fn existing(directory: &Path) -> Result<BTreeMap<String, i32>, Error> {
    let mut found = BTreeMap::new();
    if !directory.exists() {
        return Ok(found);
    }
    let entries = fs::read_dir(directory).map_err(|error| failed(directory, &error))?;
    for entry in entries {
        let name = entry.map_err(|error| failed(directory, &error))?.file_name();
        let name = name.to_string_lossy();
        let parts = name.strip_suffix(".sql").and_then(|stem| stem.split_once("__"));
        let version = parts.and_then(|(version, _)| version.strip_prefix('V')?.parse().ok());
        if let Some((version, (_, name))) = version.zip(parts) {
            found.insert(name.to_owned(), version);
        }
    }
    Ok(found)
}

/// V files that are written beside the directory, and not yet in it.
pub(crate) struct Staged {
    directory: PathBuf,
    /// Whether this import has made the directory.
    is_new: bool,
    staging: TempDir,
    new: Vec<String>,
    moved: Vec<PathBuf>,
    is_kept: bool,
}

impl Staged {
    /// Writes all files into a temporary directory inside `directory`.
    pub(crate) fn write(directory: &Path, files: &[Numbered<'_>]) -> Result<Self, Error> {
        let mut problems = Vec::new();
        let mut new = Vec::new();
        for file in files {
            let path = directory.join(file.file_name());
            match fs::read(&path) {
                Ok(text) if text == file.entry.sql.as_bytes() => {}
                Ok(_) => problems.push(format!("{} exists, with other contents", path.display())),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => new.push(file.file_name()),
                Err(error) => problems.push(format!("{}: {error}", path.display())),
            }
        }
        if !problems.is_empty() {
            return Err(Error::Folder {
                path: directory.display().to_string(),
                problems,
                hint: HINT,
            });
        }
        let is_new = !directory.exists();
        let staged = || {
            fs::create_dir_all(directory)?;
            let staging = tempfile::Builder::new()
                .prefix(".import-")
                .tempdir_in(directory)?;
            for file in files {
                fs::write(staging.path().join(file.file_name()), &file.entry.sql)?;
            }
            Ok(staging)
        };
        let staging = staged().map_err(|error: std::io::Error| failed(directory, &error))?;
        Ok(Self {
            directory: directory.to_owned(),
            is_new,
            staging,
            new,
            moved: Vec::new(),
            is_kept: false,
        })
    }

    /// Where all files are until [`Self::place`].
    pub(crate) fn staging(&self) -> &Path {
        self.staging.path()
    }

    /// The names of the files that the directory does not have yet.
    pub(crate) fn new_files(&self) -> &[String] {
        &self.new
    }

    /// Moves the new files into the directory. They are removed again if this value is dropped before [`Self::keep`].
    pub(crate) fn place(&mut self) -> Result<(), Error> {
        for name in &self.new {
            let path = self.directory.join(name);
            // A link fails if the file exists, where a rename would replace it.
            let staged = self.staging.path().join(name);
            fs::hard_link(&staged, &path)
                .or_else(|error| match error.kind() {
                    std::io::ErrorKind::AlreadyExists => Err(error),
                    // Some file systems have no links.
                    _ => fs::rename(&staged, &path),
                })
                .map_err(|error| failed(&self.directory, &error))?;
            self.moved.push(path);
        }
        Ok(())
    }

    /// Keeps the files.
    pub(crate) fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        for path in &self.moved {
            let _ = fs::remove_file(path);
        }
        if self.is_new {
            let _ = fs::remove_dir_all(self.staging.path());
            let _ = fs::remove_dir(&self.directory);
        }
    }
}

fn failed(directory: &Path, error: &std::io::Error) -> Error {
    Error::Folder {
        path: directory.display().to_string(),
        problems: vec![error.to_string()],
        hint: "make the directory writable, or name another one with --to",
    }
}
