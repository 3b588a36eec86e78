//! The import: everything is read and checked before anything is written.

use std::path::PathBuf;

use tokio::time::Instant;
use zerostarter_connect::Connection;
use zerostarter_connect::connect::connect;
use zerostarter_migrate as migrate;
use zerostarter_migrate::ledger::{self, Ledger, Snapshot};
use zerostarter_migrate::source::{Migration, Source};

use crate::error::Error;
use crate::history::Applied;
use crate::numbering::{Numbered, number};
use crate::record::{missing, record, rows_of};
use crate::tables::remaining;
use crate::target::{Staged, existing};
use crate::tool::Tool;

/// What to import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The tool.
    pub tool: Tool,
    /// The folder of its migrations.
    pub folder: PathBuf,
    /// The directory for V files.
    pub to: PathBuf,
}

/// What an import has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The files that were written, in order.
    pub written: Vec<String>,
    /// The migrations that were recorded as applied, in order.
    pub recorded: Vec<String>,
    /// The migrations that neither tool has applied, in order.
    pub pending: Vec<String>,
}

impl Request {
    /// Imports: writes V files, and records those that the tool has applied.
    ///
    /// # Errors
    ///
    /// See [`Error`]. Then nothing was written or recorded.
    pub async fn run(&self, config: &migrate::Config) -> Result<Imported, Error> {
        if self
            .folder
            .canonicalize()
            .ok()
            .is_some_and(|folder| self.to.canonicalize().ok() == Some(folder))
        {
            return Err(Error::Folder {
                path: self.to.display().to_string(),
                problems: vec!["it is the folder of the other tool".to_owned()],
                hint: "name another directory with --to: a run refuses names of other tools",
            });
        }
        let entries = self.tool.read(&self.folder)?;
        let numbered = number(&entries, &existing(&self.to)?);
        let mut staged = Staged::write(&self.to, &numbered)?;
        let migrations = Source::Directory(staged.staging().into())
            .load()
            .map_err(migrate::Error::from)?;
        let connection = connect(&config.database, Instant::now() + config.wait).await?;
        let snapshot = ledger::read(connection.client(), &config.snapshot_query(Ledger::Refinery))
            .await
            .map_err(|error| migrate::Error::from(ledger::Error::reading(error)))?;
        let rows = rows_of(&connection, self.tool).await?.unwrap_or_default();
        let applied = self.tool.applied(&rows, &entries);
        let is_applied = |numbered: &Numbered<'_>| {
            let position = entries.iter().position(|entry| entry == numbered.entry);
            position.is_some_and(|number| applied.entries.contains(&number))
        };
        let states: Vec<(&Migration, bool)> = migrations
            .iter()
            .zip(&numbered)
            .map(|(migration, numbered)| (migration, is_applied(numbered)))
            .collect();
        self.check(&applied, &snapshot, &states)?;
        self.check_tables(&connection, &numbered, &is_applied).await?;
        let is_recorded = |migration: &Migration| {
            let mut rows = snapshot.applied().iter();
            rows.any(|row| row.version == migration.version())
        };
        let new: Vec<&Migration> = states
            .iter()
            .filter(|(migration, is_applied)| *is_applied && !is_recorded(migration))
            .map(|(migration, _)| *migration)
            .collect();
        if !new.is_empty() {
            record(&connection, &snapshot, &new).await?;
        }
        staged.place()?;
        if !new.is_empty() {
            let done = connection.client().batch_execute("COMMIT").await;
            done.map_err(|source| Error::database("recording the applied migrations", source))?;
        }
        let imported = Imported {
            written: staged.new_files().to_vec(),
            recorded: new.iter().map(|migration| migration.label.clone()).collect(),
            pending: states
                .iter()
                .filter(|(migration, is_applied)| !is_applied && !is_recorded(migration))
                .map(|(migration, _)| migration.label.clone())
                .collect(),
        };
        staged.keep();
        connection.close().await;
        Ok(imported)
    }

    fn disagreement(&self, lines: Vec<String>, hint: &'static str) -> Result<(), Error> {
        if lines.is_empty() {
            return Ok(());
        }
        Err(Error::Disagreement {
            table: self.tool.table().to_owned(),
            lines,
            hint,
        })
    }

    fn check(
        &self,
        applied: &Applied,
        snapshot: &Snapshot,
        states: &[(&Migration, bool)],
    ) -> Result<(), Error> {
        self.disagreement(
            applied.contradictions.clone(),
            "settle this with the other tool first: repair its table, or restore the file",
        )?;
        let recorded = |migration: &Migration| {
            let mut rows = snapshot.applied().iter();
            rows.find(|row| row.version == migration.version())
        };
        let others: Vec<String> = states
            .iter()
            .filter(|(migration, _)| recorded(migration).is_some_and(|row| !row.is_same_as(migration)))
            .map(|(migration, _)| {
                format!(
                    "{} has another migration with the version of {}",
                    snapshot.history_table(),
                    migration.label
                )
            })
            .collect();
        self.disagreement(others, "name the database and the directory that belong together")?;
        let is_done =
            |(migration, is_applied): &(&Migration, bool)| *is_applied || recorded(migration).is_some();
        let last = states.iter().rposition(is_done).unwrap_or_default();
        let gaps: Vec<String> = states[..last]
            .iter()
            .filter(|state| !is_done(state))
            .map(|(migration, _)| {
                format!(
                    "{} is pending, and {} is applied after it",
                    migration.label, states[last].0.label
                )
            })
            .collect();
        self.disagreement(
            gaps,
            "apply the pending ones with the other tool first, and import again",
        )
    }

    async fn check_tables(
        &self,
        connection: &Connection,
        numbered: &[Numbered<'_>],
        is_applied: &impl Fn(&Numbered<'_>) -> bool,
    ) -> Result<(), Error> {
        let applied = numbered.iter().filter(|numbered| is_applied(numbered));
        let tables = remaining(applied.map(|numbered| numbered.entry.sql.as_str()));
        let missing = missing(connection, &tables).await?;
        let lines = missing
            .into_iter()
            .map(|table| format!("{table} is missing, and an applied migration creates it"))
            .collect();
        self.disagreement(lines, "name the database that the other tool has migrated")
    }
}
