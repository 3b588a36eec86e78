#!/bin/sh
# Builds a program from its crate, unless this version of it is there already.
#
#   cargo-tool.sh DIRECTORY PROGRAM CRATE VERSION [OPTION of cargo install]...
#
# VERSION may leave out its last parts: 0.10 is any 0.10.x.
set -eu
# shellcheck source=scripts/common.sh
. "$(dirname -- "$0")/common.sh"

[ $# -ge 4 ] || fail 'usage: cargo-tool.sh DIRECTORY PROGRAM CRATE VERSION [OPTION]...'
directory=$1
program=$2
crate=$3
wanted=$4
shift 4

# "sqlx-cli 0.9.0", "cargo-deny 0.20.2"
case "$("$directory/bin/$program" --version 2>/dev/null || true) " in
    *" $wanted "* | *" $wanted."*) exit 0 ;;
esac
say "Building $crate $wanted into $directory."
# This project's flags and target are not the tool's; a target directory of its own would be
# thrown away, and is shared instead, so that two tools build their dependencies once.
unset RUSTFLAGS CARGO_BUILD_TARGET
CARGO_TARGET_DIR=$directory/build cargo install --locked --quiet --root "$directory" \
    --version "~$wanted" "$@" "$crate"
rm -rf "$directory/build"
