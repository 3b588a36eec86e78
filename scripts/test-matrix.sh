#!/bin/sh
# Runs the integration tests on each of the named major versions of PostgreSQL; says at the end
# which failed.
#
#   test-matrix.sh MAJOR...
set -eu
cd "$(dirname -- "$0")/.."

scripts/postgres-versions.sh "$@"
failed=
for major in "$@"; do
    printf '\nPostgreSQL %s\n' "$major"
    if [ ! -x ".postgres/versions/$major/bin/postgres" ]; then
        printf 'left out: it is not there\n'
        continue
    fi
    POSTGRES_TEST_VERSION=$major cargo test --locked --workspace \
        --lib --test integration --test pool --test api --test example --test harness || failed="$failed $major"
done
if [ -n "$failed" ]; then
    printf 'error: the tests failed on PostgreSQL%s\n' "$failed" >&2
    exit 1
fi
