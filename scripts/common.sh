# shellcheck shell=sh
# What the scripts beside this one share. It is sourced, after `set -eu`.

# PostgreSQL runs under another account than root, and must be able to read what root makes.
umask 022

project=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
state=$project/.postgres

say() {
    printf '%s\n' "$*" >&2
}

# fail MESSAGE [HINT]...
fail() {
    printf 'error: %s\n' "$1" >&2
    shift
    [ $# -eq 0 ] || printf '\n' >&2
    for hint in "$@"; do
        printf 'hint: %s\n' "$hint" >&2
    done
    exit 1
}

has() {
    command -v "$1" >/dev/null 2>&1
}

owner_of() {
    # shellcheck disable=SC2012 # one known path, and `stat` differs between systems
    ls -ldn -- "$1" | awk '{ print $3 }'
}

# PostgreSQL refuses to run as root. Root hands it to the account `postgres`, or to `nobody`, or
# rather to the one of them that already has a server here; everybody else runs it as themselves,
# with an empty account.
account=
switch=
choose_account() {
    [ "$(id -u)" -eq 0 ] || return 0
    account=
    owner=$(owner_of "$state/server/" 2>/dev/null)
    for candidate in nobody postgres; do
        if uid=$(id -u "$candidate" 2>/dev/null); then
            account=$candidate
            [ "$uid" != "$owner" ] || break
        fi
    done
    [ -n "$account" ] || fail 'PostgreSQL cannot run as root, and there is no other account for it' \
        'create one: useradd --system postgres'
    # BusyBox has commands of these names with fewer options, hence the trial.
    if setpriv --reuid="$account" --regid="$(id -g "$account")" --clear-groups true 2>/dev/null; then
        switch=setpriv
    elif runuser -u "$account" -- true 2>/dev/null; then
        switch=runuser
    elif su -s /bin/sh "$account" -c true 2>/dev/null; then
        switch=su
    else
        fail "none of setpriv, runuser and su can run a command as $account" \
            'run this as an ordinary user'
    fi
}

# as_server COMMAND [ARGUMENT]...: runs it as the account that PostgreSQL runs under, from a
# directory that every account can enter.
# shellcheck disable=SC2016 # expanded by the shell that su starts
as_server() (
    cd /
    case $switch in
        '') exec "$@" ;;
        setpriv) exec setpriv --reuid="$account" --regid="$(id -g "$account")" --clear-groups -- "$@" ;;
        runuser) exec runuser -u "$account" -- "$@" ;;
        su) exec su -s /bin/sh "$account" -c 'exec "$0" "$@"' -- "$@" ;;
    esac
)

# reachable NAME: prints a directory for .postgres/NAME that PostgreSQL's account can enter, made
# where there is none. That is .postgres/NAME itself, unless the project lies below a directory
# that is closed to that account, such as /root: then it is one outside, and .postgres/NAME is a
# symbolic link to it.
reachable() {
    mkdir -p "$state"
    if [ ! -e "$state/$1" ]; then
        if as_server test -x "$state"; then
            mkdir "$state/$1"
        else
            outside=/var/lib/zerostarter-db-$(printf '%s' "$project" | cksum | cut -d ' ' -f 1)
            mkdir -p "$outside/$1"
            chmod 755 "$outside" "$outside/$1"
            [ -f "$outside/project" ] || printf '%s\n' "$project" >"$outside/project"
            [ "$(cat "$outside/project")" = "$project" ] || fail "$outside belongs to another project"
            ln -s "$outside/$1" "$state/$1"
        fi
    fi
    (cd "$state/$1" && pwd -P)
}

# Where the project was copied, such a link leads to the directory of the original.
for link in "$state/server" "$state/versions"; do
    if [ -L "$link" ] && [ "$(cat "$link/../project" 2>/dev/null)" != "$project" ]; then
        rm "$link"
    fi
done

choose_account

# installed_binaries: prints "MAJOR DIRECTORY" for each PostgreSQL 14 or newer on this machine that
# its account can run, the newest first.
installed_binaries() {
    for directory in \
        "$(dirname -- "$(command -v initdb || echo /nowhere/initdb)")" \
        /usr/lib/postgresql/*/bin \
        /usr/pgsql-*/bin \
        /opt/homebrew/opt/postgresql*/bin \
        /usr/local/opt/postgresql*/bin \
        /Applications/Postgres.app/Contents/Versions/*/bin; do
        for program in initdb pg_ctl postgres; do
            [ -x "$directory/$program" ] || continue 2
        done
        major=$(as_server "$directory/postgres" --version 2>/dev/null |
            sed 's/^[^0-9]*\([0-9]*\).*/\1/') || continue
        if [ "${major:-0}" -ge 14 ]; then
            printf '%s %s\n' "$major" "$directory"
        fi
    done | sort -s -k 1,1nr
}

# fetched_binaries: the same for those of `make postgres-versions`, without release candidates: the
# release does not read their data.
fetched_binaries() {
    for directory in "$state"/versions/*/bin; do
        case $(as_server "$directory/postgres" --version 2>/dev/null) in
            '' | *[0-9]rc[0-9]* | *[0-9]beta[0-9]* | *devel*) continue ;;
        esac
        directory=$(cd "$directory" && pwd -P)
        printf '%s %s\n' "$(basename -- "$(dirname -- "$directory")")" "$directory"
    done | sort -s -k 1,1nr
}
