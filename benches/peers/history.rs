//! The same migrations in the format of each tool.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
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

/// How a large file brings its rows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// One statement a row.
    Insert,
    /// The data of one statement.
    Copy,
}

/// In each row of a large file, so that a row has about 200 bytes.
const REMARK: &str = "sold by weight, packed by hand, delivered within two days; the price includes the packaging \
                      and is valid until the end of the month";

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

    /// One migration of at least so many bytes, in the formats of refinery and sqlx: a table, and its rows. Also how many
    /// rows these are.
    pub(crate) fn large(form: Form, bytes: usize) -> (Self, usize) {
        let history = Self::empty(1, false);
        let rows = write_rows(&history.large_file(), form, bytes).expect("to write a migration");
        fs::hard_link(history.large_file(), history.sqlx().join("1_items.sql")).expect("a second name");
        (history, rows)
    }

    /// The file of [`History::large`].
    pub(crate) fn large_file(&self) -> PathBuf {
        self.refinery().join("V1__items.sql")
    }

    fn empty(count: usize, embedded: bool) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let history = Self {
            directory,
            count,
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
        history
    }

    fn write(steps: &[Step], embedded: bool) -> Self {
        let history = Self::empty(steps.len(), embedded);
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

/// Writes a table and rows of it until the file has so many bytes; how many rows these are.
fn write_rows(path: &Path, form: Form, bytes: usize) -> io::Result<usize> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut text =
        "CREATE TABLE item (id integer PRIMARY KEY, remark text NOT NULL, quantity integer NOT NULL);\n"
            .to_owned();
    if form == Form::Copy {
        text += "COPY item (id, remark, quantity) FROM stdin;\n";
    }
    let (mut written, mut rows) = (0, 0);
    while written < bytes {
        file.write_all(text.as_bytes())?;
        written += text.len();
        rows += 1;
        let quantity = rows % 100;
        text = match form {
            Form::Insert => {
                format!("INSERT INTO item (id, remark, quantity) VALUES ({rows}, '{REMARK}', {quantity});\n")
            }
            Form::Copy => format!("{rows}\t{REMARK}\t{quantity}\n"),
        };
    }
    if form == Form::Copy {
        file.write_all(b"\\.\n")?;
    }
    file.flush()?;
    Ok(rows - 1)
}

fn put(path: &Path, text: &str) {
    fs::write(path, text).expect("to write a migration");
}
