//! The files of a tool's folder.

use std::fs;
use std::path::{Path, PathBuf};

use zerostarter_diagnostic::regular_file;

use crate::error::Error;

/// A file: its name, and its path as messages show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

impl File {
    pub(crate) fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// The text, without a byte-order mark and with the bytes that checksums cover.
    pub(crate) fn read(&self) -> Result<(String, Vec<u8>), String> {
        let bytes = regular_file::read(&self.path).map_err(|error| format!("{}: {error}", self.shown()))?;
        match String::from_utf8(bytes.clone()) {
            Ok(text) => Ok((text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned(), bytes)),
            Err(_) => Err(format!("{}: it is not UTF-8", self.shown())),
        }
    }
}

/// The files of `folder`, ordered by name; `deep`: with those of the folders below it.
pub(crate) fn files(folder: &Path, deep: bool) -> Result<Vec<File>, Error> {
    let mut found = Vec::new();
    collect(folder, deep, &mut found).map_err(|error| Error::Folder {
        path: folder.display().to_string(),
        problems: vec![error.to_string()],
        hint: "name the folder that holds the tool's migrations",
    })?;
    found.sort_by(|one: &File, other| (&one.name, &one.path).cmp(&(&other.name, &other.path)));
    Ok(found)
}

fn collect(folder: &Path, deep: bool, found: &mut Vec<File>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if path.is_dir() {
            if deep {
                collect(&path, deep, found)?;
            }
        } else {
            found.push(File {
                name: entry.file_name().to_string_lossy().into_owned(),
                path,
            });
        }
    }
    Ok(())
}

/// The result of reading a folder: what was found, or every problem.
pub(crate) fn without_problems<T>(
    folder: &Path,
    found: Vec<T>,
    problems: Vec<String>,
) -> Result<Vec<T>, Error> {
    let fail = |problems, hint| {
        Err(Error::Folder {
            path: folder.display().to_string(),
            problems,
            hint,
        })
    };
    if !problems.is_empty() {
        return fail(problems, "settle these in the tool's folder, and import again");
    }
    if found.is_empty() {
        return fail(
            vec!["it has no migration of this tool".to_owned()],
            "name the folder that holds the tool's migrations, and the tool with --from",
        );
    }
    Ok(found)
}
