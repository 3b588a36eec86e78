#!/usr/bin/env bash
# Packs a binary and the licenses into NAME.tar.gz. The same files make the same archive, byte for byte.
#
#   pack.sh BINARY NAME DIRECTORY
set -euo pipefail

if [[ $# -ne 3 ]]; then
    echo 'error: usage: pack.sh BINARY NAME DIRECTORY' >&2
    exit 1
fi
binary=$1
name=$2
directory=$3
root=$(dirname "$0")/..

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/$name" "$directory"
install -m 755 "$binary" "$work/$name/zerostarter-db"
install -m 644 "$root/README.md" "$root/CHANGELOG.md" "$root/LICENSE-APACHE" "$root/LICENSE-MIT" "$work/$name"
tar -c -C "$work" --sort=name --mtime='1980-01-01 00:00:00 UTC' --owner=0 --group=0 --numeric-owner \
    --mode='u=rwX,go=rX' "$name" |
    gzip -9 -n >"$directory/$name.tar.gz"
printf '%s\n' "$directory/$name.tar.gz"
