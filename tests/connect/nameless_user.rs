//! A container whose user is a number without a name, and a URL without a user.

use std::fs::{Permissions, metadata, set_permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use insta::assert_snapshot;

use zerostarter_test_harness::{Command, Server, program};

fn as_number(variable: &str, url: &str) -> Command {
    let command = Command::program("/usr/bin/setpriv")
        .args(["--reuid", "54321", "--clear-groups"])
        .arg(program("zerostarter-db"))
        .arg("check")
        .env("NODE_ENV", "test")
        .env(variable, url);
    set_permissions(command.directory(), Permissions::from_mode(0o755)).expect("to open it");
    command
}

#[test]
fn a_user_without_a_name_needs_one_in_the_url() {
    // Only root may run a program as somebody else.
    if metadata("/proc/self").expect("this process").uid() != 0 {
        return;
    }
    let database = Server::shared().database();
    let url = |user: &str| {
        format!(
            "postgres://{user}127.0.0.1:{}/{}",
            database.port(),
            database.name()
        )
    };
    assert_snapshot!(as_number("POSTGRES_URL", &url("")).snapshot(), @"
    status: 2
    --- stdout
    --- stderr
    error: the configuration cannot be used
      POSTGRES_URL names no user, and the user of this process has no name in /etc/passwd

    hint: put the user into the URL: postgres://USER@host:5432/database
    ");
    assert_eq!(as_number("POSTGRES_DIRECT_URL", &url(":word@")).run().status, 2);
    assert_eq!(as_number("POSTGRES_URL", &url("postgres@")).run().status, 5);
    let as_parameter = format!("{}?user=postgres", url(""));
    assert_eq!(as_number("POSTGRES_URL", &as_parameter).run().status, 5);
}
