#!/usr/bin/env bash
# Says whether a tag may become a release, and prints its version: the tag is "v" and the version of
# Cargo.toml, and the changelog has a section for it.
#
#   check-release.sh TAG
set -euo pipefail

fail() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

[[ $# -eq 1 ]] || fail 'usage: check-release.sh TAG'
tag=$1
here=$(dirname "$0")
version=$(awk -F '"' '/^\[/ { package = $0 == "[workspace.package]" } package && /^version = "/ { print $2; exit }' \
    "$here/../Cargo.toml")
[[ -n $version ]] || fail 'Cargo.toml has no version'
[[ $tag == "v$version" ]] || fail "the tag is $tag, but the version in Cargo.toml is $version"
"$here/changelog-section.sh" "$version" >/dev/null
printf '%s\n' "$version"
