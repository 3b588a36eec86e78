//! Where the output goes: to nobody, to a full disk, to a terminal.

use std::fs::File;
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::thread::{self, ScopedJoinHandle};

use zerostarter_test_harness::{Command, Run, Server, zerostarter_db};

const BINARY: &str = env!("CARGO_BIN_EXE_zerostarter-db");

/// A pipe that nobody reads.
fn broken() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    Stdio::from(writer)
}

fn full() -> Stdio {
    Stdio::from(File::create("/dev/full").expect("/dev/full"))
}

#[test]
fn a_text_that_was_asked_for_and_cannot_be_written_is_a_failure() {
    for arguments in [
        ["--help"].as_slice(),
        &["wait", "--help"],
        &["--version"],
        &["completions", "bash"],
    ] {
        let status = |stdout: Stdio| {
            let mut process = Process::new(BINARY);
            process.args(arguments).env_clear().stderr(Stdio::null());
            process.stdout(stdout).status().expect("to run").code()
        };
        assert_eq!(status(broken()), Some(0), "{arguments:?}");
        assert_eq!(status(full()), Some(1), "{arguments:?}");
    }
}

/// The status is the part of a report that always arrives.
#[test]
fn an_error_that_cannot_be_written_changes_no_status() {
    for (arguments, expected) in [
        (["nosuch"].as_slice(), 2),
        (&["migrate"], 2),
        (&["completions", "zsh"], 0),
    ] {
        for stderr in [broken(), full()] {
            let mut process = Process::new(BINARY);
            // Where no developer's .env is.
            process
                .args(arguments)
                .env_clear()
                .current_dir("/")
                .stdout(Stdio::null());
            let status = process.stderr(stderr).status().expect("to run").code();
            assert_eq!(status, Some(expected), "{arguments:?}");
        }
    }
}

/// Without the descriptors at all: the first file or socket that is opened must not take their place.
#[test]
fn closed_descriptors_do_no_harm() {
    let database = Server::shared().database();
    let run = Command::program("/bin/sh")
        .args(["-c", "exec \"$0\" <&- >&- 2>&-", BINARY])
        .env("NODE_ENV", "test")
        .env("POSTGRES_URL", database.url())
        .run();
    assert_eq!(run.status, 0);
    assert_eq!(database.history().len(), 2);
}

#[test]
fn nothing_is_coloured_on_a_terminal_or_off_it() {
    if !Path::new("/usr/bin/script").exists() {
        return; // of util-linux
    }
    let on_terminal = |command: Command, arguments: &str| {
        command
            .env("TERM", "xterm-256color")
            .env("CLICOLOR_FORCE", "1")
            .env("FORCE_COLOR", "1")
            .env("SHELL", "/bin/sh")
            .args(["-qec", &format!("{BINARY} {arguments}"), "/dev/null"])
            .run()
    };
    let script = || Command::program("/usr/bin/script");
    let database = Server::shared().database();
    let prepared = || {
        script()
            .env("NODE_ENV", "test")
            .env("POSTGRES_URL", database.url())
    };
    for (run, expected, text) in [
        (on_terminal(script(), "--help"), 0, "Exit status:"),
        (on_terminal(script(), "stauts"), 2, "'status'"),
        (on_terminal(script(), "migrate"), 2, "NODE_ENV is not set"),
        (on_terminal(prepared(), "check"), 5, "2 migrations are pending"),
        (on_terminal(prepared(), ""), 0, "applied V0001__waitlist"),
        (
            on_terminal(prepared(), "status"),
            0,
            "V0000__zero_starter  applied",
        ),
    ] {
        assert_eq!(run.status, expected, "{}", run.stdout);
        assert!(run.stdout.contains(text), "{}", run.stdout);
        assert!(!run.stdout.contains('\u{1b}'), "{:?}", run.stdout);
    }
    let off = zerostarter_db(&database)
        .env("CLICOLOR_FORCE", "1")
        .arg("status")
        .run();
    assert!(!off.stdout.contains('\u{1b}'), "{:?}", off.stdout);
}

/// Drawn only where somebody looks on, and taken away in the end; everywhere else the log has it.
#[test]
fn a_terminal_is_shown_how_far_a_slow_migration_is() {
    if !Path::new("/usr/bin/script").exists() {
        return; // of util-linux
    }
    let run = &|terminal: &str, format: &str, program: &str| {
        let database = Server::shared().database();
        Command::program(program)
            .env("NODE_ENV", "test")
            .env("POSTGRES_URL", database.url())
            .env("LOG_FORMAT", format)
            .env("TERM", terminal)
            .env("SHELL", "/bin/sh")
            .migration("V1__quick.sql", "CREATE TABLE quick ();")
            .migration("V2__slow.sql", "SELECT pg_sleep(3.5);")
            .args(["-qec", BINARY, "/dev/null"].iter().filter(|_| program != BINARY))
            .run()
    };
    // All at once, as each of them mostly waits.
    let (shown, others) = thread::scope(|scope| {
        let shown = scope.spawn(|| run("xterm", "text", "/usr/bin/script"));
        let others = [
            ("dumb", "text", "/usr/bin/script"),
            ("xterm", "json", "/usr/bin/script"),
            ("xterm", "text", BINARY),
        ]
        .map(|(terminal, format, program)| scope.spawn(move || run(terminal, format, program)));
        let ended = |run: ScopedJoinHandle<'_, Run>| run.join().expect("a run");
        (ended(shown).stdout, others.map(ended))
    });
    assert!(
        shown.contains("[##########..........] 1 of 2, V2__slow for 0.4s"),
        "{shown:?}"
    );
    assert!(!shown.contains("V1__quick for"), "{shown:?}");
    assert!(!shown.contains("still running"), "{shown:?}");
    let (before, after) = shown.split_once("applied V2__slow").expect("the end");
    let last = before.rsplit('\r').next().expect("a line");
    assert!(
        last.starts_with("\u{1b}[K2"),
        "the log is written over the line: {last:?}"
    );
    assert!(after.ends_with("\r\u{1b}[K"), "nothing is left of it: {after:?}");
    for run in others {
        let shown = run.stdout + &run.stderr;
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
        assert!(shown.contains("V2__slow is still running after 3."), "{shown:?}");
    }
}

/// What each flag of a command sets can be read where it is typed.
#[test]
fn the_help_of_every_command_names_the_variables() {
    for name in ["migrate", "status", "check", "wait", "plan", "env", "completions"] {
        let run = Command::bare().args([name, "--help"]).run();
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{name}");
        let usage = format!("Usage: zerostarter-db {name} ");
        assert!(run.stdout.contains(&usage), "{}", run.stdout);
        // One entry begins where a line begins with a flag; it may be wrapped anywhere.
        for entry in run.stdout.split("\n      --").skip(1) {
            let entry: Vec<&str> = entry.split_whitespace().collect();
            assert!(entry.contains(&"[env:"), "{name}: --{}", entry.join(" "));
        }
    }
}
