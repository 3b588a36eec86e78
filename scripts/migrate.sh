#!/bin/sh
# Builds zerostarter-db and migrates the database that POSTGRES_URL names, in the environment or in
# .env; where none is named, or the private one of `make db`, that one is started first. Ends with
# the exit code of zerostarter-db.
#
#   migrate.sh [ARGUMENT of zerostarter-db migrate]...
set -eu
# shellcheck source=scripts/common.sh
. "$(dirname -- "$0")/common.sh"
cd "$project"

# written VARIABLE FILE: what a .env file sets a variable to, quotes taken off. The program reads
# these files properly; here it only matters whether there is something.
written() {
    [ -f "$2" ] || return 0
    sed -n "s/^[[:space:]]*\(export[[:space:]]\{1,\}\)\{0,1\}$1[[:space:]]*=[[:space:]]*//p" "$2" |
        sed -n '$p' | sed "s/^\([\"']\)\(.*\)\1[[:space:]]*$/\2/"
}

# setting VARIABLE: what the program would find, in its order. An empty value counts as none.
setting() {
    eval "value=\${$1:-}"
    for file in ${environment:+".env.$environment"} .env; do
        [ -n "$value" ] || value=$(written "$1" "$file")
    done
    printf '%s\n' "$value"
}

environment=
environment=$(setting NODE_ENV)
if [ -z "$environment" ]; then
    environment=local
    export NODE_ENV=local
fi

named=
for variable in POSTGRES_URL POSTGRES_URL_FILE POSTGRES_DIRECT_URL POSTGRES_DIRECT_URL_FILE; do
    [ -n "$named" ] || named=$(setting "$variable")
done

cargo build --locked --bin zerostarter-db

if [ -z "$named" ]; then
    case $environment in
        # A database of somebody's machine is no answer to a forgotten variable there.
        staging | production) ;;
        *)
            POSTGRES_URL=$(scripts/local-postgres.sh start)
            export POSTGRES_URL
            ;;
    esac
elif [ "$named" = "$(scripts/local-postgres.sh url 2>/dev/null)" ]; then
    scripts/local-postgres.sh start >/dev/null
fi

exec cargo run --locked --quiet --bin zerostarter-db -- migrate "$@"
