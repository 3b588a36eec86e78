//! The rooms of the code, and the direction of imports: from a room to the rooms below it, never up, never in a circle.
//!
//! `cargo test --test architecture -- --nocapture` prints the figures.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The rooms from top to bottom: crates, and in a crate with folders those folders and the files beside them.
/// docs/architecture.md lists the same.
const ROOMS: &[&str] = &[
    "src/main",
    "src/lib",
    "src/commands",
    "src/cli",
    "src/progress_line",
    "src/report",
    "src/config",
    "src/error",
    "src/variables",
    "crates/waitlist",
    "crates/migrations",
    "crates/import",
    "crates/migrate/lib",
    "crates/migrate/apply",
    "crates/migrate/watch",
    "crates/migrate/config",
    "crates/migrate/ledger",
    "crates/migrate/source",
    "crates/migrate/sql",
    "crates/pool",
    "crates/queries",
    "crates/console",
    "crates/connect",
    "crates/settings",
    "crates/diagnostic",
];

/// A source file: the crate and the modules that lead to it, such as `zerostarter_migrate::ledger::lock`.
type Module = Vec<String>;

struct Sources {
    files: BTreeMap<Module, PathBuf>,
}

struct Import {
    from: PathBuf,
    to: PathBuf,
    path: String,
}

impl Sources {
    fn read() -> Self {
        let mut files = BTreeMap::new();
        let crates = fs::read_dir(Path::new(ROOT).join("crates")).expect("crates");
        let crates = crates.map(|entry| entry.expect("a crate").path());
        for package in std::iter::once(PathBuf::from(ROOT)).chain(crates) {
            let source = package.join("src");
            let name = if package == Path::new(ROOT) {
                "zerostarter_db".to_owned()
            } else {
                format!("zerostarter_{}", package.file_name().unwrap().to_str().unwrap())
            };
            collect(&source, &[name], &mut files);
        }
        assert!(files.len() > 60, "{} files", files.len());
        Self { files }
    }

    /// The file of the longest prefix of `path` that is a module.
    fn resolve(&self, path: &[String]) -> Option<&PathBuf> {
        (1..=path.len())
            .rev()
            .find_map(|length| self.files.get(&path[..length]))
    }

    fn imports(&self) -> Vec<Import> {
        let mut imports = BTreeMap::new();
        for (module, file) in &self.files {
            let text = code(&fs::read_to_string(file).expect("a source file"));
            for path in paths(&text) {
                let Some(absolute) = self.absolute(module, &path) else {
                    continue;
                };
                let Some(to) = self.resolve(&absolute).filter(|to| *to != file) else {
                    continue;
                };
                imports
                    .entry((file.clone(), to.clone()))
                    .or_insert_with(|| path.join("::"));
            }
        }
        imports
            .into_iter()
            .map(|((from, to), path)| Import { from, to, path })
            .collect()
    }

    fn absolute(&self, module: &[String], path: &[String]) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        let mut base = match first.as_str() {
            "crate" => vec![module[0].clone()],
            "self" => module.to_vec(),
            "super" => module[..module.len() - 1].to_vec(),
            name if name.starts_with("zerostarter_") => vec![name.to_owned()],
            name => {
                let child: Module = module.iter().cloned().chain([name.to_owned()]).collect();
                self.files.contains_key(&child).then_some(child)?
            }
        };
        let mut rest = rest.iter().peekable();
        while rest.next_if(|segment| *segment == "super").is_some() {
            base.pop();
        }
        base.extend(rest.cloned());
        Some(base)
    }
}

fn collect(directory: &Path, module: &[String], files: &mut BTreeMap<Module, PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory of sources") {
        let path = entry.expect("a source").path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let below: Module = module.iter().cloned().chain([stem.clone()]).collect();
        if path.is_dir() {
            collect(&path, &below, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let is_root = ["lib", "mod"].contains(&stem.as_str());
            files.insert(if is_root { module.to_vec() } else { below }, path);
        }
    }
}

/// The code without comments, strings and the unit tests at its end.
fn code(text: &str) -> String {
    let (text, tests) = text
        .split_once("#[cfg(test)]\nmod tests")
        .unwrap_or((text, "\n}"));
    let end = tests.find("\n}").map_or("", |end| &tests[end + 2..]);
    assert!(
        end.trim().is_empty(),
        "the unit tests are not the last item of a file: {end}"
    );
    let mut code = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(raw) = rest.strip_prefix('r').filter(|raw| raw.starts_with(['"', '#'])) {
            let hashes = raw.len() - raw.trim_start_matches('#').len();
            let end = format!("\"{}", "#".repeat(hashes));
            let inside = &raw[hashes..];
            let length = inside.strip_prefix('"').and_then(|inside| inside.find(&end));
            length.map_or(0, |length| 1 + hashes + 1 + length + end.len())
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\\"'") {
            rest[1..].find('\'').map_or(0, |end| end + 2)
        } else if c == '"' {
            string_length(rest)
        } else {
            0
        };
        if skipped == 0 {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            rest = &rest[skipped..];
        }
    }
    code
}

/// The length of the string constant at the beginning of `text`, with its quotes.
fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Every path with `::` in the code, those of a `use` with braces one by one, and every crate of the workspace.
fn paths(code: &str) -> Vec<Vec<String>> {
    // A crate by its name alone, as in `use zerostarter_connect as connect`.
    let words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
    let crates = words.filter(|word| word.starts_with("zerostarter_"));
    let mut found: Vec<Vec<String>> = crates.map(|name| vec![name.to_owned()]).collect();
    let mut rest = code;
    while let Some(at) = rest.find("::") {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let start = rest[..at].rfind(|c| !is_part(c)).map_or(0, |before| before + 1);
        // Without a name in front it is the end of `<T as Trait>::name`.
        let mut read = Vec::new();
        let end = expand(&rest[start..], &[], &mut read);
        found.extend(read.into_iter().filter(|_| start < at));
        rest = &rest[(start + end).max(at + 2)..];
    }
    found
}

/// Reads `a::b` or `a::{b, c::d}` at the beginning of `text`, adds its paths to `found`, and returns its length.
fn expand(text: &str, prefix: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = prefix.to_vec();
    let mut at = 0;
    loop {
        let length = text[at..]
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(text.len() - at);
        if length > 0 {
            path.push(text[at..at + length].to_owned());
            at += length;
        }
        if !text[at..].starts_with("::") {
            found.push(path);
            return at;
        }
        at += 2;
        if text[at..].starts_with('{') {
            at += 1;
            loop {
                at += text[at..].len() - text[at..].trim_start_matches([' ', '\n', ',']).len();
                if text[at..].starts_with('}') || at >= text.len() {
                    return at + 1;
                }
                let read = expand(&text[at..], &path, found);
                // `as name`, and what no path has.
                at += read.max(1);
                let renamed = text[at..].trim_start();
                if let Some(name) = renamed.strip_prefix("as ") {
                    let end = name.find([',', '}']).unwrap_or(name.len());
                    at = text.len() - name.len() + end;
                }
            }
        }
    }
}

fn shown(path: &Path) -> String {
    let path = path.strip_prefix(ROOT).unwrap_or(path);
    path.display().to_string()
}

/// The room of a file: the first of [`ROOMS`] that its path begins with.
fn room(path: &Path) -> usize {
    let shown = shown(path);
    let parts: Vec<&str> = shown
        .trim_end_matches(".rs")
        .split('/')
        .filter(|part| *part != "src" || shown.starts_with("src/"))
        .collect();
    let name = parts.join("/");
    let is_in = |room: &str| name == room || name.starts_with(&format!("{room}/"));
    ROOMS
        .iter()
        .position(|room| is_in(room))
        .unwrap_or_else(|| panic!("{shown} is in no room of tests/architecture.rs; add its room to the list"))
}

/// How many imports one after the other lead from a file to the bottom; panics with the circle if there is one.
fn floor<'a>(
    file: &'a Path,
    below: &BTreeMap<&'a Path, BTreeSet<&'a Path>>,
    known: &mut BTreeMap<&'a Path, usize>,
    way: &mut Vec<&'a Path>,
) -> usize {
    if let Some(floor) = known.get(file) {
        return *floor;
    }
    if let Some(at) = way.iter().position(|visited| *visited == file) {
        let circle: Vec<String> = way[at..].iter().chain([&file]).map(|file| shown(file)).collect();
        panic!("files import each other in a circle: {}", circle.join(" → "));
    }
    way.push(file);
    let highest = below
        .get(file)
        .into_iter()
        .flatten()
        .map(|to| floor(to, below, known, way) + 1)
        .max();
    way.pop();
    known.insert(file, highest.unwrap_or(0));
    highest.unwrap_or(0)
}

/// The generated crate is one room; what it imports inside itself is its generator's business.
fn is_generated(path: &Path) -> bool {
    shown(path).starts_with("crates/queries/")
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are for people")]
fn imports_only_run_down() {
    let sources = Sources::read();
    let imports: Vec<Import> = sources
        .imports()
        .into_iter()
        .filter(|import| !(is_generated(&import.from) && is_generated(&import.to)))
        .collect();
    let upward: Vec<String> = imports
        .iter()
        .filter(|import| room(&import.from) > room(&import.to))
        .map(|import| {
            format!(
                "{} (room {}) imports {} of {} (room {})",
                shown(&import.from),
                ROOMS[room(&import.from)],
                import.path,
                shown(&import.to),
                ROOMS[room(&import.to)]
            )
        })
        .collect();
    assert!(upward.is_empty(), "imports run up:\n{}", upward.join("\n"));
    let mut below: BTreeMap<&Path, BTreeSet<&Path>> = BTreeMap::new();
    for Import { from, to, .. } in &imports {
        below.entry(from).or_default().insert(to);
    }
    let mut known = BTreeMap::new();
    for file in sources.files.values() {
        floor(file, &below, &mut known, &mut Vec::new());
    }
    let floors = known.values().max().map_or(0, |highest| highest + 1);
    println!(
        "{} files in {} rooms on {floors} floors, {} imports, no circle, none that runs up",
        sources.files.values().filter(|file| !is_generated(file)).count(),
        ROOMS.len(),
        imports.len()
    );
}

/// Whatever the sources say: a package can only use what its manifest names.
#[test]
fn packages_depend_only_on_packages_below() {
    let room_of = |name: &str| {
        ROOMS
            .iter()
            .position(|room| room.starts_with(&format!("crates/{name}")))
            .expect(name)
    };
    let packages = ROOMS
        .iter()
        .filter_map(|room| room.strip_prefix("crates/")?.split('/').next());
    let packages: BTreeSet<&str> = packages.collect();
    for package in &packages {
        let manifest = Path::new(ROOT).join("crates").join(package).join("Cargo.toml");
        let manifest = fs::read_to_string(manifest).expect("a manifest");
        let (_, rest) = manifest.split_once("[dependencies").expect("dependencies");
        let dependencies = rest.split("\n[dev-dependencies").next().unwrap_or(rest);
        for used in packages
            .iter()
            .filter(|used| dependencies.contains(&format!("\nzerostarter-{used}")))
        {
            assert!(
                room_of(package) < room_of(used),
                "crates/{package} depends on crates/{used}, which is not below it"
            );
        }
    }
}

#[test]
fn the_documentation_lists_the_same_rooms() {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/architecture.md")).expect("the page");
    let listed: Vec<&str> = page
        .lines()
        .skip_while(|line| *line != "<!-- rooms -->")
        .take_while(|line| *line != "<!-- end of the rooms -->")
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    assert_eq!(listed, ROOMS);
}

#[test]
fn every_way_of_writing_an_import_is_read() {
    let read = |text: &str| {
        let mut paths: Vec<String> = paths(&code(text)).iter().map(|path| path.join("::")).collect();
        paths.sort();
        paths
    };
    assert_eq!(
        read("use crate::a::{self, B, c::{D, E}};\nuse super::f::G as H; // use crate::no::No;"),
        [
            "crate::a::B",
            "crate::a::c::D",
            "crate::a::c::E",
            "crate::a::self",
            "super::f::G"
        ]
    );
    assert_eq!(
        read(
            "use zerostarter_b as b;\nlet x = '\"'; crate::c::d(r#\"a \" crate::no\"#, \"a \\\n b\", crate::e::f);"
        ),
        ["crate::c::d", "crate::e::f", "zerostarter_b"]
    );
    assert_eq!(
        read("let x = zerostarter_b::c::d(\"crate::text\") + <T as crate::Trait>::of();"),
        ["crate::Trait", "zerostarter_b", "zerostarter_b::c::d"]
    );
}
