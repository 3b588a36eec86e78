#!/bin/sh
# Compiles queries/*.sql into crates/queries, with cornucopia, against a database that the migrations have just
# made on a server of its own, which is thrown away.
#
#   queries.sh           write crates/queries
#   queries.sh --check   write nothing; fail where crates/queries is not what the statements compile to
set -eu
# shellcheck source=scripts/common.sh
. "$(dirname -- "$0")/common.sh"
cd "$project"

CORNUCOPIA_VERSION=1.0
tools=target/tools
destination=crates/queries

case ${1-} in
    '' | --check) ;;
    *) fail 'usage: queries.sh [--check]' ;;
esac

scripts/cargo-tool.sh "$tools" cornucopia cornucopia "$CORNUCOPIA_VERSION"
bin=$(scripts/local-postgres.sh binaries)

scratch=$(mktemp -d)
server=$scratch/server
finish() {
    status=$?
    trap - EXIT
    as_server "$bin/pg_ctl" stop -s -m immediate -D "$server/data" >/dev/null 2>&1 || true
    rm -rf "$scratch"
    exit "$status"
}
trap finish EXIT

chmod 755 "$scratch"
mkdir "$server"
[ -z "$account" ] || chown "$account" "$server"
# A socket in a directory of our own: no port, no password.
if ! {
    as_server "$bin/initdb" --pgdata="$server/data" --username=zerostarter --auth=trust --encoding=UTF8 \
        --locale=C --no-sync --no-instructions &&
        as_server "$bin/pg_ctl" start -s -w -t 60 -D "$server/data" -l "$server/log" \
            -o "-c listen_addresses='' -c unix_socket_directories='$server' -c fsync=off"
} >"$scratch/log" 2>&1; then
    cat "$scratch/log" "$server/log" >&2 || true
    fail 'no server could be started to compile the queries against'
fi
url="postgresql:///postgres?host=$server&user=zerostarter"

NODE_ENV=test POSTGRES_URL=$url RUST_LOG=warn \
    cargo run --locked --quiet --bin zerostarter-db -- migrate

made=$scratch/crate
"$tools/bin/cornucopia" live --config queries/cornucopia.toml --destination "$made" "$url" >&2
# Its clients, in whose place queries/static has one.
rm -r "$made/src/client/async_"
for module in "$made"/src/queries/*.rs; do
    awk -f queries/static/hide-secrets.awk "$module" >"$scratch/module"
    cp "$scratch/module" "$module"
done
rustfmt --edition 2024 --config-path "$project" "$made/src/lib.rs"

if [ "${1-}" = --check ]; then
    diff -ru "$destination" "$made" >&2 ||
        fail 'crates/queries is not what queries/*.sql compile to' 'run make queries, and commit what it writes'
else
    rm -rf "$destination"
    mkdir -p "$(dirname "$destination")"
    cp -R "$made" "$destination"
fi
