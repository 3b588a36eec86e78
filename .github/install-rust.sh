#!/usr/bin/env bash
# Installs the oldest Rust that the project promises to build with, and makes it the one in use.
#
#   install-rust.sh [COMPONENT]...
set -euo pipefail

version=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$(dirname "$0")/../Cargo.toml")
if [[ -z $version ]]; then
    echo 'error: Cargo.toml has no rust-version' >&2
    exit 1
fi
options=()
for component in "$@"; do
    options+=(--component "$component")
done
rustup toolchain install "$version" --profile minimal --no-self-update "${options[@]}"
rustup default "$version"
rustc --version
