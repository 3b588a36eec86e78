#!/bin/bash
# What the official image promises: a new data directory is set up from POSTGRES_USER, POSTGRES_PASSWORD or
# POSTGRES_PASSWORD_FILE, and POSTGRES_DB, by a server that listens on a socket only; then the scripts of
# /docker-entrypoint-initdb.d are run there; then that server stops, and one that listens on TCP takes its place.
set -euo pipefail

if [ "$1" = postgres ] && [ "$(id -u)" -eq 0 ]; then
    mkdir -p "$PGDATA"
    chown -R postgres:postgres /var/lib/postgresql /var/run/postgresql
    chmod 700 "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0" "$@"
fi

if [ "$1" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
    if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
        if [ -n "${POSTGRES_PASSWORD:-}" ]; then
            echo 'error: both POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are set' >&2
            exit 1
        fi
        POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
    fi
    user=${POSTGRES_USER:-postgres}
    database=${POSTGRES_DB:-$user}
    if [ -z "${POSTGRES_PASSWORD:-}" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != trust ]; then
        echo 'Error: Database is uninitialized and superuser password is not specified.' >&2
        exit 1
    fi
    initdb --username="$user" --pwfile=<(printf '%s\n' "${POSTGRES_PASSWORD:-}") --auth=trust >/dev/null
    echo "host all all all ${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
    pg_ctl -w start -o "-c listen_addresses='' -k /var/run/postgresql" >/dev/null
    [ "$database" = postgres ] ||
        psql --quiet --host=/var/run/postgresql --username="$user" --dbname=postgres \
            --command="CREATE DATABASE \"$database\""
    for script in /docker-entrypoint-initdb.d/*; do
        case $script in
            *.sh) bash "$script" ;;
            *.sql)
                psql --quiet --host=/var/run/postgresql --username="$user" --dbname="$database" \
                    --set=ON_ERROR_STOP=1 --file="$script"
                ;;
        esac
    done
    pg_ctl -w -m fast stop >/dev/null
    echo 'PostgreSQL init process complete; ready for start up.'
fi

if [ "$1" = postgres ]; then
    set -- "$@" -k /var/run/postgresql
fi
exec "$@"
