//! The commands of the documentation, run as a stranger would: in a fresh copy of the tree.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Directly above a block that cannot run inside this test; the reason follows.
const NOT_RUN: &str = "<!-- not run: ";

/// Directly above a block that `tests/docker/run.sh` runs.
const RUN_WITH_DOCKER: &str = "<!-- run by make test-docker -->";

/// The commands of one `console` block.
struct Block {
    page: PathBuf,
    commands: Vec<String>,
    is_run: bool,
}

fn pages() -> Vec<PathBuf> {
    let root = Path::new(ROOT);
    let docs = fs::read_dir(root.join("docs"))
        .expect("docs")
        .map(|entry| entry.expect("a page").path());
    let mut pages: Vec<PathBuf> = docs
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    pages.sort();
    pages.insert(0, root.join("README.md"));
    pages
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        let mut open: Option<Block> = None;
        let mut above = "";
        for line in text.lines() {
            match &mut open {
                None if line == "```console" => {
                    let is_run = !above.starts_with(NOT_RUN) && above != RUN_WITH_DOCKER;
                    open = Some(Block {
                        page: page.clone(),
                        commands: Vec::new(),
                        is_run,
                    });
                }
                None => {}
                Some(_) if line == "```" => blocks.extend(open.take()),
                Some(block) => block.commands.extend(line.strip_prefix("$ ").map(str::to_owned)),
            }
            above = line;
        }
        assert!(open.is_none(), "{} has a block without an end", page.display());
    }
    blocks
}

/// The tree as somebody would clone it, with what is new and not yet committed.
fn fresh_copy(to: &Path) {
    let listed = run(
        Path::new(ROOT),
        "git ls-files --cached --others --exclude-standard -z",
    );
    for name in String::from_utf8(listed.stdout)
        .expect("UTF-8")
        .split('\0')
        .filter(|name| !name.is_empty())
    {
        let (source, target) = (Path::new(ROOT).join(name), to.join(name));
        if source.exists() {
            fs::create_dir_all(target.parent().expect("a directory")).expect("to make a directory");
            fs::copy(&source, &target).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}

fn run(directory: &Path, command: &str) -> Output {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", command]).current_dir(directory);
    for variable in [
        "POSTGRES_URL",
        "POSTGRES_DIRECT_URL",
        "NODE_ENV",
        "MAKEFLAGS",
        "MFLAGS",
        "MAKELEVEL",
    ] {
        shell.env_remove(variable);
    }
    // The dependencies need not be built twice.
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(ROOT).join("target"), PathBuf::from);
    shell.env("CARGO_TARGET_DIR", target).output().expect("a shell")
}

#[test]
fn the_commands_of_the_documentation_work() {
    let copy = tempfile::tempdir().expect("a directory");
    fs::set_permissions(copy.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("to open it");
    fresh_copy(copy.path());
    let blocks = blocks();
    assert!(blocks.iter().any(|block| block.is_run), "there is nothing to run");
    let mut failures = Vec::new();
    for block in blocks.iter().filter(|block| block.is_run) {
        assert!(
            !block.commands.is_empty(),
            "{} has a block without commands",
            block.page.display()
        );
        for command in &block.commands {
            let output = run(copy.path(), command);
            if !output.status.success() {
                let text = [output.stdout, output.stderr].concat();
                failures.push(format!(
                    "{}: $ {command}\n{}",
                    block.page.display(),
                    String::from_utf8_lossy(&text)
                ));
            }
        }
    }
    let _ = run(copy.path(), "make --silent db-remove");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A block that is not run says why.
#[test]
fn blocks_that_are_not_run_give_a_reason() {
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        for line in text.lines().filter(|line| line.starts_with(NOT_RUN)) {
            let reason = line
                .strip_prefix(NOT_RUN)
                .and_then(|rest| rest.strip_suffix(" -->"));
            assert!(
                reason.is_some_and(|reason| reason.len() > 10),
                "{}: {line}",
                page.display()
            );
        }
    }
}

/// The files of tests with this name, in every room.
fn tests_of(name: &str) -> String {
    let listed = run(
        Path::new(ROOT),
        &format!("git ls-files --cached --others '*/{name}.rs' '*/{name}_tests.rs'"),
    );
    let listed = String::from_utf8(listed.stdout).expect("UTF-8");
    let files = listed.lines().filter(|file| file.contains("test"));
    files
        .map(|file| fs::read_to_string(Path::new(ROOT).join(file)).expect("a file of tests"))
        .collect()
}

/// A guarantee stands with the test that shows it.
#[test]
fn tests_that_the_documentation_names_are_there() {
    let name = regex::Regex::new(r"`([a-z_]+)::([a-z_]+)`").expect("a pattern");
    let mut named = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        for found in name.captures_iter(&text) {
            let tests = tests_of(&found[1]);
            let function = format!("\nfn {}()", &found[2]);
            assert!(tests.contains(&function), "{}: {}", page.display(), &found[0]);
            named += 1;
        }
    }
    assert!(named > 15, "only {named}");
}
