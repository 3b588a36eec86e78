#!/bin/sh
# A private PostgreSQL for this checkout, under .postgres/: from installed binaries, else from
# Docker, else from the system's package manager.
#
#   local-postgres.sh start      start it, making it first where needed; prints its URL
#   local-postgres.sh stop       stop it, keeping its data
#   local-postgres.sh reset      delete its data and start again, with the same URL
#   local-postgres.sh remove     throw its data away
#   local-postgres.sh psql ...   open psql on it
#   local-postgres.sh url        print its URL, whether or not it runs
#   local-postgres.sh binaries   print where PostgreSQL's programs are, installing them if missing
set -eu
# shellcheck source=scripts/common.sh
. "$(dirname -- "$0")/common.sh"

role=zerostarter
database=zerostarter
container=zerostarter-db-postgres
image=${POSTGRES_IMAGE:-postgres:18@sha256:3a82e1f56c8f0f5616a11103ac3d47e632c3938698946a7ad26da0df1334744a}
label=zerostarter-db.project

# ---- what both kinds of server share ---------------------------------------------------------

port() {
    cat "$state/port" 2>/dev/null || echo 5432
}

remember_port() {
    printf '%s\n' "$1" >"$state/port"
}

# The password outlives a reset, so that URLs that were copied elsewhere stay true.
password() {
    if [ ! -s "$state/password" ]; then
        mkdir -p "$state"
        (umask 077 && od -An -N 16 -t x1 /dev/urandom | tr -d ' \n' >"$state/password")
    fi
    cat "$state/password"
}

url() {
    printf 'postgres://%s:%s@127.0.0.1:%s/%s\n' "$role" "$(password)" "$(port)" "$database"
}

env_file() {
    printf 'NODE_ENV=local\nPOSTGRES_URL=%s\n' "$(url)"
}

# Whether .env is, to the byte, what was written here, perhaps with an earlier port.
env_is_ours() {
    [ -f "$project/.env" ] && [ -s "$state/password" ] &&
        [ "$(sed 's/\(@127\.0\.0\.1:\)[0-9]*/\1/' "$project/.env")" = "$(env_file | sed 's/\(@127\.0\.0\.1:\)[0-9]*/\1/')" ]
}

# A .env that somebody else has written or changed is never touched.
write_env() {
    if [ ! -e "$project/.env" ] && [ ! -L "$project/.env" ]; then
        (
            umask 077
            set -C
            env_file >"$project/.env"
        )
        say 'Wrote .env with this URL.'
    elif grep -qF "$(url)" "$project/.env"; then
        :
    elif env_is_ours; then
        env_file >"$project/.env"
        say 'Wrote the new port to .env.'
    else
        say 'Note: .env is left as it is; it does not name this database.'
    fi
}

require_password() {
    [ -s "$state/password" ] || fail 'the password of this database, .postgres/password, is gone' \
        'make db-reset makes a new database with a new one; its data is lost'
}

# next_port WHY: goes on to the next port, a limited number of times.
tries=0
next_port() {
    tries=$((tries + 1))
    [ "$tries" -le 50 ] || fail "no free port from $(($1 - tries + 1)) to $1"
    say "Port $1 is taken, trying $(($1 + 1))."
}

# ---- from installed binaries -----------------------------------------------------------------

home=
data=
bin=

locate() {
    if [ -e "$state/server" ] || [ -L "$state/server" ]; then
        owner=$(owner_of "$state/server/")
        expected=$(id -u ${account:+"$account"})
        if [ "$owner" != "$expected" ]; then
            fail ".postgres/server belongs to user $owner, and PostgreSQL would run as user $expected" \
                'run this as the user who made it' \
                'or, if it is a copy, remove .postgres/server'
        fi
        home=$(reachable server)
        data=$home/data
    fi
}

has_cluster() {
    [ -n "$data" ] && as_server test -f "$data/PG_VERSION"
}

# choose_binaries [MAJOR]: the newest, or those of the major version that made the data.
choose_binaries() {
    found=$( (installed_binaries && fetched_binaries) |
        awk -v major="${1:-}" '(major == "" || $1 == major) && !seen++')
    major=${found%% *}
    bin=${found#* }
    [ -n "$found" ]
}

# The process in postmaster.pid counts only if it is a server of this very directory: after a
# reboot, or in a copy of the checkout, the number may be anybody's.
is_running() {
    pid=$(as_server sed -n 1p "$data/postmaster.pid" 2>/dev/null) || return 1
    [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null || return 1
    directory=$(as_server readlink "/proc/$pid/cwd" 2>/dev/null ||
        lsof -a -p "$pid" -d cwd -Fn 2>/dev/null | sed -n 's/^n//p')
    [ "${directory:-$data}" = "$data" ]
}

# On macOS a server may bind 127.0.0.1 on a port that another one has on all addresses.
is_taken() {
    [ "$(uname -s)" = Darwin ] && has lsof && lsof -nP -iTCP:"$1" -sTCP:LISTEN >/dev/null 2>&1
}

# Made beside its place and moved there when it is whole, so that half of one never counts.
make_cluster() {
    fresh=$home/data.new
    rm -rf "$fresh"
    # shellcheck disable=SC2016 # expanded by the inner shell
    password | as_server sh -c 'umask 077 && cat >"$1"' sh "$home/password"
    if ! fill_cluster >"$home/initdb.log" 2>&1; then
        cat "$home/initdb.log" >&2
        fail "no database could be made in $fresh with $bin/initdb"
    fi
    rm -f "$home/password" "$home/initdb.log"
    [ ! -e "$data" ] || fail "$data has appeared meanwhile"
    mv "$fresh" "$data"
}

fill_cluster() {
    as_server "$bin/initdb" --pgdata="$fresh" --username="$role" --pwfile="$home/password" \
        --auth=scram-sha-256 --encoding=UTF8 --locale=C --no-instructions &&
        printf '%s\n' '' '# Of make db:' "listen_addresses = '127.0.0.1'" "unix_socket_directories = ''" |
        as_server tee -a "$fresh/postgresql.conf" >/dev/null &&
        # Single-user mode needs neither psql nor a port.
        echo "CREATE DATABASE $database" |
        as_server "$bin/postgres" --single -D "$fresh" -c exit_on_error=on postgres
}

start_cluster() {
    if is_running; then
        remember_port "$(as_server sed -n 4p "$data/postmaster.pid")"
        return
    fi
    as_server rm -f "$data/postmaster.pid"
    candidate=$(port)
    while :; do
        # The log of the last run is kept, for a server that died.
        [ ! -f "$home/log" ] || as_server mv -f "$home/log" "$home/log.old"
        # Descriptors that a caller left open, make's and our lock's, are none of the server's.
        if ! is_taken "$candidate"; then
            if as_server "$bin/pg_ctl" start -s -w -t 60 -D "$data" -l "$home/log" \
                -o "-p $candidate" 2>/dev/null 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; then
                break
            fi
            if ! grep -qs 'could not create any TCP/IP sockets' "$home/log"; then
                cat "$home/log" >&2 || true
                fail "PostgreSQL did not start; its log is $home/log"
            fi
        fi
        next_port "$candidate"
        candidate=$((candidate + 1))
    done
    remember_port "$candidate"
}

start_binaries() {
    if has_cluster; then
        require_password
        start_cluster
    else
        home=$(reachable server)
        data=$home/data
        [ -z "$account" ] || chown "$account" "$home"
        chmod 700 "$home"
        say "Making a database with PostgreSQL $major of $bin."
        make_cluster
        start_cluster
    fi
}

# ---- from Docker -----------------------------------------------------------------------------

docker_works() {
    has docker && docker info >/dev/null 2>&1
}

# The container and the volume have one name a machine. Whose they are, their label tells: a second
# checkout must not take over, stop or remove the first one's.
owner_in_docker() {
    case $1 in
        container) labels=.Config.Labels ;;
        volume) labels=.Labels ;;
    esac
    docker "$1" inspect --format "{{index $labels \"$label\"}}" "$container" 2>/dev/null
}

owns() {
    has docker && [ "$(owner_in_docker "$1")" = "$project" ]
}

start_docker() {
    for kind in container volume; do
        if owner=$(owner_in_docker "$kind") && [ "$owner" != "$project" ]; then
            fail "the Docker $kind $container belongs to ${owner:-something else}" \
                'remove it there, with make db-remove' \
                'or install PostgreSQL, which needs no Docker' \
                'or set POSTGRES_URL to a database of your own'
        fi
    done
    if owns volume; then
        require_password
    else
        say "Making a database with Docker's image $image."
        docker volume create --label "$label=$project" "$container" >/dev/null
    fi
    running=$(docker container inspect --format '{{.State.Running}}' "$container" 2>/dev/null) || true
    if [ "$running" != true ]; then
        candidate=$(port)
        while :; do
            # A stopped container may have a port that is no longer free: the volume has all that matters.
            docker rm --force "$container" >/dev/null 2>&1 || true
            if ! is_taken "$candidate"; then
                if message=$(POSTGRES_PASSWORD=$(password) docker run --detach --name "$container" \
                    --label "$label=$project" \
                    --env POSTGRES_USER="$role" --env POSTGRES_DB="$database" --env POSTGRES_PASSWORD \
                    --publish "127.0.0.1:$candidate:5432" \
                    --volume "$container:/var/lib/postgresql" \
                    "$image" 2>&1); then
                    break
                fi
                case $message in
                    *'already in use'* | *'already allocated'* | *'not available'*) ;;
                    *) fail "Docker could not start $image: $message" ;;
                esac
            fi
            next_port "$candidate"
            candidate=$((candidate + 1))
        done
        mkdir -p "$state"
        remember_port "$candidate"
    fi
    # While the image makes the database, its server is there on a socket only: ask over TCP.
    waited=0
    until docker exec "$container" pg_isready -q -h 127.0.0.1 -U "$role" -d "$database"; do
        waited=$((waited + 1))
        if [ "$waited" -ge 60 ]; then
            docker logs --tail 20 "$container" >&2
            fail "the container $container did not become ready within a minute"
        fi
        sleep 1
    done
}

# ---- from nothing ----------------------------------------------------------------------------

install_binaries() {
    if [ "$(id -u)" -eq 0 ] && has apt-get; then
        say 'Installing PostgreSQL with apt-get.'
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq >&2
        apt-get install -y -qq --no-install-recommends postgresql >&2
        choose_account
        choose_binaries || fail 'apt-get has installed no PostgreSQL 14 or newer'
    else
        fail 'there is no PostgreSQL on this machine' \
            'Debian, Ubuntu: sudo apt-get install postgresql' \
            'macOS: brew install postgresql@18' \
            'or start Docker' \
            'or fetch it into .postgres/: make postgres-versions VERSIONS=18' \
            'or set POSTGRES_URL to a database of your own'
    fi
}

# ---- commands --------------------------------------------------------------------------------

# Looks for what there is, and holds off other calls meanwhile where the system has flock.
open() {
    mkdir -p "$state"
    if has flock; then
        exec 9>"$state/lock"
        flock 9
    fi
    locate
}

start() {
    if has_cluster; then
        made_by=$(as_server cat "$data/PG_VERSION")
        choose_binaries "$made_by" || fail "this database was made by PostgreSQL $made_by, which is gone" \
            "install PostgreSQL $made_by again" \
            'or make db-reset makes a new database; its data is lost'
        start_binaries
    elif owns container || owns volume; then
        start_docker
    elif choose_binaries; then
        start_binaries
    elif docker_works; then
        start_docker
    else
        install_binaries
        start_binaries
    fi
}

stop() {
    if has_cluster && is_running; then
        choose_binaries "$(as_server cat "$data/PG_VERSION")" || fail 'its pg_ctl is gone' "kill $pid"
        as_server "$bin/pg_ctl" stop -s -w -m fast -D "$data" || fail 'PostgreSQL did not stop'
    elif owns container; then
        docker stop "$container" >/dev/null
    else
        return 1
    fi
}

remove() {
    stop || true
    if [ -n "$home" ]; then
        rm -rf "$data" "$home/data.new" "$home/log" "$home/log.old" "$home/initdb.log" "$home/password"
    fi
    if owns container; then
        docker rm --force "$container" >/dev/null
    fi
    if owns volume; then
        docker volume rm "$container" >/dev/null
    fi
}

ready() {
    say 'PostgreSQL is ready:'
    url
    write_env
}

case ${1:-} in
    start)
        open
        start
        ready
        ;;
    stop)
        open
        if stop; then
            say 'Stopped. make db starts it again, with its data.'
        else
            say 'Nothing to stop.'
        fi
        ;;
    reset)
        open
        remove
        start
        ready
        ;;
    remove)
        open
        remove
        if env_is_ours; then
            rm "$project/.env"
        fi
        if [ -L "$state/server" ]; then
            rmdir "$home"
            if [ ! -L "$state/versions" ]; then
                rm "$(dirname -- "$home")/project"
                rmdir "$(dirname -- "$home")"
            fi
        fi
        rm -rf "$state/server" "$state/port" "$state/password"
        say 'Removed.'
        ;;
    psql)
        shift
        (
            open
            start
        ) >&2
        if choose_binaries && [ -x "$bin/psql" ]; then
            psql=$bin/psql
        elif has psql; then
            psql=psql
        elif owns container; then
            exec docker exec -it "$container" psql -U "$role" -d "$database" "$@"
        else
            fail 'there is no psql on this machine' \
                'Debian, Ubuntu: apt-get install postgresql-client' \
                'macOS: brew install libpq'
        fi
        # Not as an argument, which every user of the machine could read.
        PGPASSWORD=$(password) exec "$psql" -h 127.0.0.1 -p "$(port)" -U "$role" -d "$database" "$@"
        ;;
    url)
        [ -s "$state/password" ] || fail 'there is no private database yet' 'make db starts one'
        url
        ;;
    binaries)
        choose_binaries || install_binaries
        printf '%s\n' "$bin"
        ;;
    *)
        sed -n 's/^#  *local-postgres/local-postgres/p' "$0" >&2
        exit 2
        ;;
esac
