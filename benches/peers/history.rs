//! The same migrations in the format of each tool.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use zerostarter_migrate::sql::split;

/// Migrations in every format. The directory goes with this value.
pub(crate) struct History {
    directory: TempDir,
    /// How many there are.
    pub(crate) count: usize,
    /// Whether they are those that zerostarter-db has built in.
    pub(crate) embedded: bool,
}

/// One migration: the name of its file without version and ending, and its text.
type Step = (String, String);

impl History {
    /// Those in `migrations/`.
    pub(crate) fn embedded() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let entries = fs::read_dir(root).expect("the migrations");
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.retain(|file| file.extension().is_some_and(|ending| ending == "sql"));
        files.sort();
        let steps: Vec<Step> = files
            .iter()
            .map(|file| {
                let stem = file.file_stem().and_then(|stem| stem.to_str());
                let (_, name) = stem
                    .and_then(|stem| stem.split_once("__"))
                    .expect("V<number>__<name>");
                (name.to_owned(), fs::read_to_string(file).expect("a migration"))
            })
            .collect();
        Self::write(&steps, true)
    }

    /// So many small ones, in turn: a table, a column of it, rows in it.
    pub(crate) fn generated(count: usize) -> Self {
        let steps: Vec<Step> = (0..count)
            .map(|index| {
                let table = format!("item_{}", index / 3);
                match index % 3 {
                    0 => (
                        format!("create_{table}"),
                        format!("CREATE TABLE {table} (\n    id integer PRIMARY KEY,\n    quantity integer NOT NULL DEFAULT 0\n);\n"),
                    ),
                    1 => (
                        format!("price_{table}"),
                        format!("ALTER TABLE {table} ADD COLUMN price integer NOT NULL DEFAULT 1;\n"),
                    ),
                    _ => (
                        format!("fill_{table}"),
                        format!("INSERT INTO {table} (id, quantity) VALUES (1, 10), (2, 20);\n"),
                    ),
                }
            })
            .collect();
        Self::write(&steps, false)
    }

    fn write(steps: &[Step], embedded: bool) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let history = Self {
            directory,
            count: steps.len(),
            embedded,
        };
        for folder in [
            history.refinery(),
            history.sqlx(),
            history.dbmate(),
            history.drizzle_files().join("meta"),
        ] {
            fs::create_dir_all(folder).expect("a directory");
        }
        let mut journal = Vec::new();
        for (index, (name, sql)) in steps.iter().enumerate() {
            let number = index + 1;
            put(&history.refinery().join(format!("V{number}__{name}.sql")), sql);
            put(&history.sqlx().join(format!("{number}_{name}.sql")), sql);
            let (hour, minute, second) = (number / 3_600, number / 60 % 60, number % 60);
            let time = format!("20260101{hour:02}{minute:02}{second:02}");
            put(
                &history.dbmate().join(format!("{time}_{name}.sql")),
                &format!("-- migrate:up\n{sql}\n-- migrate:down\n"),
            );
            let tag = format!("{index:04}_{name}");
            put(&history.drizzle_files().join(format!("{tag}.sql")), &broken(sql));
            journal.push(serde_json::json!({
                "idx": index, "version": "7", "when": 1_767_225_600_000_u64 + index as u64, "tag": tag, "breakpoints": true
            }));
        }
        let journal = serde_json::json!({"version": "7", "dialect": "postgresql", "entries": journal});
        put(
            &history.drizzle_files().join("meta/_journal.json"),
            &journal.to_string(),
        );
        put(
            &history.drizzle().join("drizzle.config.ts"),
            "export default {\n  dialect: 'postgresql',\n  out: './drizzle',\n  dbCredentials: { url: process.env.DATABASE_URL },\n};\n",
        );
        history
    }

    /// `V1__name.sql`, for zerostarter-db too.
    pub(crate) fn refinery(&self) -> PathBuf {
        self.directory.path().join("refinery")
    }

    /// `1_name.sql`.
    pub(crate) fn sqlx(&self) -> PathBuf {
        self.directory.path().join("sqlx")
    }

    /// `YYYYMMDDHHMMSS_name.sql`, with `-- migrate:up`.
    pub(crate) fn dbmate(&self) -> PathBuf {
        self.directory.path().join("dbmate")
    }

    /// A project with `drizzle.config.ts`, and with the files and their journal in `drizzle/`.
    pub(crate) fn drizzle(&self) -> PathBuf {
        self.directory.path().join("project")
    }

    fn drizzle_files(&self) -> PathBuf {
        self.drizzle().join("drizzle")
    }
}

/// As drizzle-kit writes its files: a mark between two statements.
fn broken(sql: &str) -> String {
    let statements = split(sql).expect("statements");
    let mut text = String::new();
    for (index, statement) in statements.iter().enumerate() {
        if index > 0 {
            text.push_str("\n--> statement-breakpoint\n");
        }
        let _ = write!(text, "{};", &sql[statement.span.clone()]);
    }
    text
}

fn put(path: &Path, text: &str) {
    fs::write(path, text).expect("to write a migration");
}
