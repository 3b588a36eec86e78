#!/bin/sh
# A browser for the data: Adminer, in a container beside the stack's PostgreSQL where there is a Docker engine,
# otherwise Debian's package on this machine, for the private database of `make db` or any other.
set -eu
# shellcheck source=scripts/common.sh
. "$(dirname -- "$0")/common.sh"
cd "$project"

port=${STUDIO_PORT:-8081}

if has docker && docker info >/dev/null 2>&1; then
    docker compose --profile studio up --detach --wait studio
    say "http://$(docker compose port studio 8080): PostgreSQL, server postgres, user and database zerostarter;" \
        'the password is POSTGRES_PASSWORD, or local-development-only'
    say 'make down stops it'
elif has php && [ -r /usr/share/adminer/adminer.php ]; then
    say "http://127.0.0.1:$port: PostgreSQL, with server, user, password and database as in POSTGRES_URL; Ctrl-C stops it"
    exec php -d session.save_path="${TMPDIR:-/tmp}" -S "127.0.0.1:$port" /usr/share/adminer/adminer.php
else
    fail 'there is neither a Docker engine nor Adminer' \
        'install Docker, or on Debian: apt-get install --no-install-recommends adminer php-cli php-pgsql'
fi
