#!/usr/bin/env bash
# The Docker stack on a real engine, from a fresh copy of the tree. It needs a Docker engine with Compose v2;
# where no registry answers it makes stand-ins of the official images (stand-ins.sh).
#
#   run.sh [TEST...]     all tests, in their order, or those that are named
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD

# Nothing of what the caller has set may decide.
unset NODE_ENV API_RATE_LIMIT API_TRUSTED_PROXIES POSTGRES_POOL_SIZE POSTGRES_URL POSTGRES_DIRECT_URL POSTGRES_PASSWORD INTERNAL_API_URL MIGRATE_WAIT COMPOSE_FILE COMPOSE_PROFILES
export COMPOSE_PROJECT_NAME=zerostarter-db-test-$$
# Any free port: the machine may have a PostgreSQL of its own.
export POSTGRES_PORT=0 STUDIO_PORT=0 API_PORT=0
# The images under test must not take the place of those that are in use here.
export ZEROSTARTER_DB_IMAGE=zerostarter-db-test/image:$$
export ZEROSTARTER_API_IMAGE=zerostarter-db-test/api:$$
export COMPOSE_ANSI=never COMPOSE_PROGRESS=plain

# With a digest, each would be asked of a registry; the tests take what is there under the tag, see stand-ins.sh.
export RUST_IMAGE=rust:1.95-slim-bookworm POSTGRES_IMAGE=postgres:18

work=$(mktemp -d)
chmod 755 "$work"
copy=$work/zerostarter-db
host_server=zerostarter-db-test-host-$$
host_port=$((20000 + RANDOM % 10000))
host_url=postgres://postgres:p%40ss%20w%25rd@localhost:$host_port/postgres
passed=0
failed=()
output=$work/output

clean_up() {
    local status=$?
    trap - EXIT
    compose --profile studio down --volumes --timeout 0 >/dev/null 2>&1 || true
    docker rm --force --volumes "$host_server" >/dev/null 2>&1 || true
    docker image rm --force "$ZEROSTARTER_DB_IMAGE" "$ZEROSTARTER_API_IMAGE" >/dev/null 2>&1 || true
    rm -rf "$work"
    exit "$status"
}
trap clean_up EXIT

compose() {
    (cd "$copy" && docker compose "$@")
}

# fail MESSAGE: ends the test, with the last output of a command.
fail() {
    printf '    %s\n' "$*"
    [[ ! -s $output ]] || tail -n 40 "$output" | sed 's/^/    | /'
    return 1
}

# expect STATUS COMMAND...: runs it and compares its exit status.
expect() {
    local wanted=$1 status=0
    shift
    "$@" >"$output" 2>&1 || status=$?
    [[ $status -eq $wanted ]] || fail "status $status instead of $wanted: $*"
}

# shows TEXT: the last command printed it.
shows() {
    grep --quiet --fixed-strings -- "$1" "$output" || fail "this is not in the output: $1"
}

# The log of a service, without the time that Compose puts in front of it.
log_shows() {
    compose logs --no-log-prefix "$1" >"$output" 2>&1
    shows "$2"
}

# state SERVICE FORMAT: what the engine knows of a service's container; empty where there is none.
state() {
    local container
    container=$(compose ps --all --quiet "$1")
    [[ -z $container ]] || docker inspect --format "$2" "$container"
}

api_is_healthy() {
    is healthy state api '{{.State.Health.Status}}'
}

exit_code() {
    state "$1" '{{.State.Status}} {{.State.ExitCode}}'
}

# never_started SERVICE: it has no container, or one that waits for its turn.
never_started() {
    case $(state "$1" '{{.State.Status}}') in
        '' | created) ;;
        *) fail "$1 was started: $(exit_code "$1")" ;;
    esac
}

sql() {
    compose exec --no-TTY postgres psql --no-psqlrc --tuples-only --no-align --username=zerostarter --dbname=zerostarter --command="$1"
}

# poll SECONDS COMMAND...: until it succeeds.
poll() {
    local until=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [[ $SECONDS -lt $until ]] || fail "it did not happen in time: $*" || return 1
        sleep 0.1
    done
}

is() {
    [[ $("${@:2}") == "$1" ]]
}

# A copy as somebody would clone it, and nothing of an earlier test in the engine.
fresh() {
    compose --profile studio down --volumes --timeout 0 >/dev/null 2>&1 || true
    rm -rf "$copy"
    mkdir -p "$copy"
    (cd "$root" && git ls-files --cached --others --exclude-standard -z |
        while IFS= read -r -d '' file; do [[ ! -e $file ]] || printf '%s\0' "$file"; done |
        tar -c --null --files-from=-) | tar -x -C "$copy"
}

milliseconds() {
    date +%s%3N
}

# A PostgreSQL that is no container of ours, on the host's own network.
start_host_server() {
    docker rm --force --volumes "$host_server" >/dev/null 2>&1 || true
    docker run --detach --name "$host_server" --network host --env POSTGRES_PASSWORD='p@ss w%rd' \
        postgres:18 postgres -p "$host_port" >/dev/null
    poll 60 docker exec "$host_server" pg_isready --quiet --host=127.0.0.1 --port="$host_port"
}

host_tables() {
    docker exec "$host_server" psql --no-psqlrc --tuples-only --no-align --username=postgres --port="$host_port" \
        --command="SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
}

# ---- The image ----

test_the_image_is_one_static_binary() {
    expect 0 docker build --build-arg RUST_IMAGE --file "$root/docker/Dockerfile" --tag "$ZEROSTARTER_DB_IMAGE" "$root"
    local container files size
    container=$(docker create "$ZEROSTARTER_DB_IMAGE")
    # What the engine itself puts into every container is not of the image.
    files=$(docker export "$container" | tar -t | grep -v '/$' |
        grep -vxE '\.dockerenv|dev/console|etc/(hostname|hosts|mtab|resolv\.conf)')
    docker cp "$container:/zerostarter-db" "$work/binary"
    docker rm "$container" >/dev/null
    [[ $files == zerostarter-db ]] || fail "the image holds: $files"
    size=$(stat -c %s "$work/binary")
    echo "    $size bytes"
    [[ $size -le 5000000 ]] || fail "more than 5,000,000 bytes"
    is '65532:65532 [/zerostarter-db]' docker inspect --format '{{.Config.User}} {{.Config.Entrypoint}}' "$ZEROSTARTER_DB_IMAGE" ||
        fail 'user or entry point is another one'
    docker inspect --format '{{json .Config.Labels}}' "$ZEROSTARTER_DB_IMAGE" >"$output"
    shows '"org.opencontainers.image.version":"'"$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -1)"'"'
    expect 0 docker run --rm --read-only --cap-drop ALL --network none "$ZEROSTARTER_DB_IMAGE" --version
}

test_the_image_of_the_web_app_is_one_static_binary() {
    expect 0 docker build --build-arg RUST_IMAGE --file "$root/docker/Dockerfile" --target api --tag "$ZEROSTARTER_API_IMAGE" "$root"
    local container files size
    container=$(docker create "$ZEROSTARTER_API_IMAGE")
    files=$(docker export "$container" | tar -t | grep -v '/$' |
        grep -vxE '\.dockerenv|dev/console|etc/(hostname|hosts|mtab|resolv\.conf)')
    docker cp "$container:/zerostarter-api" "$work/api"
    docker rm "$container" >/dev/null
    [[ $files == zerostarter-api ]] || fail "the image holds: $files"
    size=$(stat -c %s "$work/api")
    echo "    $size bytes"
    [[ $size -le 10000000 ]] || fail "more than 10,000,000 bytes"
    is '65532:65532 [/zerostarter-api]' docker inspect --format '{{.Config.User}} {{.Config.Entrypoint}}' "$ZEROSTARTER_API_IMAGE" ||
        fail 'user or entry point is another one'
    expect 0 docker run --rm --read-only --cap-drop ALL --network none "$ZEROSTARTER_API_IMAGE" --version
}

test_it_is_built_again_to_the_byte() {
    local container
    expect 0 docker build --build-arg RUST_IMAGE --no-cache --file "$root/docker/Dockerfile" --tag "$ZEROSTARTER_DB_IMAGE-again" "$root"
    container=$(docker create "$ZEROSTARTER_DB_IMAGE-again")
    docker cp "$container:/zerostarter-db" "$work/again"
    docker rm "$container" >/dev/null
    docker image rm --force "$ZEROSTARTER_DB_IMAGE-again" >/dev/null
    cmp "$work/binary" "$work/again" || fail 'two builds of the same files differ'
}

# ---- docker compose up ----

test_up_on_a_fresh_clone_migrates_and_then_starts_the_app() {
    fresh
    expect 0 compose up --detach
    is 'exited 0' exit_code migrate || fail "migrate: $(exit_code migrate)"
    poll 20 api_is_healthy
    log_shows migrate 'applied V0001__waitlist'
    log_shows api 'listening at'
    is 11 sql "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'" || fail 'tables are missing'
    local migrated started
    migrated=$(state migrate '{{.State.FinishedAt}}')
    started=$(state api '{{.State.StartedAt}}')
    [[ $migrated < $started ]] || fail "the app was started at $started, before $migrated"
}

test_a_second_up_has_nothing_to_do() {
    local before
    before=$(milliseconds)
    expect 0 compose up --detach
    echo "    $(($(milliseconds) - before)) ms"
    poll 20 api_is_healthy
    log_shows migrate 'nothing to do'
}

test_a_new_migration_is_applied_by_the_next_up() {
    local before
    echo 'CREATE TABLE added (id int);' >"$copy/migrations/V0002__added.sql"
    before=$(milliseconds)
    expect 0 compose up --detach
    echo "    $(($(milliseconds) - before)) ms, with the build"
    log_shows migrate 'applied V0002__added'
    is 0 sql 'SELECT count(*) FROM added' || fail 'the table is missing'
}

test_volumes_survive_down() {
    expect 0 compose down
    expect 0 compose up --detach
    is 0 sql 'SELECT count(*) FROM added' || fail 'the table is gone'
    log_shows migrate 'nothing to do'
}

test_a_migration_that_fails_leaves_the_app_unstarted() {
    compose rm --force --stop api >/dev/null 2>&1
    echo 'CREATE TABLE broken (id nonsense);' >"$copy/migrations/V0003__broken.sql"
    expect 1 compose up --detach
    never_started api
    log_shows migrate 'type "nonsense" does not exist (SQLSTATE 42704)'
    log_shows migrate 'migrations/V0003__broken.sql:1:25'
    expect 1 compose run --rm migrate
    rm "$copy/migrations/V0003__broken.sql"
}

test_a_wrong_password_leaves_the_app_unstarted() {
    # The volume was set up with another one.
    expect 1 env POSTGRES_PASSWORD=wrong docker compose --project-directory "$copy" up --detach
    never_started api
    log_shows migrate 'password authentication failed'
    expect 4 env POSTGRES_PASSWORD=wrong docker compose --project-directory "$copy" run --rm migrate
}

test_the_local_password_is_refused_in_production() {
    expect 2 env NODE_ENV=production POSTGRES_PLAINTEXT_IN_PRODUCTION=yes docker compose --project-directory "$copy" run --rm migrate
    shows 'has the default password of compose.yaml, which is public'
    expect 1 env NODE_ENV=production docker compose --project-directory "$copy" up --detach
    never_started api
}

test_run_returns_our_status() {
    expect 0 compose run --rm migrate
    expect 2 compose run --rm migrate nonsense
    expect 0 compose run --rm migrate check
    expect 3 compose run --rm --env MIGRATE_WAIT=200ms --env POSTGRES_URL=postgres://nobody@postgres:1/none migrate
}

# ---- Order ----

# hold_the_lock: as another migrator would, in a transaction that ends with the server or with let_go.
hold_the_lock() {
    local key=3345345016611812582
    sql "BEGIN; SELECT pg_advisory_xact_lock($key); SELECT pg_sleep(600)" >/dev/null 2>&1 &
    poll 20 is t sql "SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND granted"
}

let_go() {
    sql "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted" >/dev/null
    wait
}

# A database that is set up, and not migrated, with `up` under way and migrate waiting for the lock.
up_that_waits() {
    fresh
    expect 0 compose up --detach --wait postgres
    hold_the_lock
    (cd "$copy" && docker compose up --detach) >"$work/up" 2>&1 &
    up=$!
    poll 300 migrate_waits
}

migrate_waits() {
    compose logs migrate 2>&1 | grep --quiet 'another migrator holds the lock'
}

test_the_app_is_not_started_while_migrate_runs() {
    up_that_waits
    for _ in 1 2 3 4 5; do
        never_started api
        is 'running 0' exit_code migrate || fail "migrate: $(exit_code migrate)"
        sleep 0.2
    done
    sql "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted" >/dev/null
    wait "$up" || fail "up failed: $(cat "$work/up")"
    poll 20 api_is_healthy
}

test_stopping_a_migrate_that_waits_takes_no_time() {
    up_that_waits
    local before taken
    before=$(milliseconds)
    expect 0 docker stop "$(compose ps --all --quiet migrate)"
    taken=$(($(milliseconds) - before))
    echo "    $taken ms"
    is 'exited 143' exit_code migrate || fail "migrate: $(exit_code migrate)"
    [[ $taken -lt 5000 ]] || fail 'it had to be killed'
    ! wait "$up" || fail 'up succeeded'
    never_started api
    let_go
}

test_stopping_a_migration_under_way_keeps_what_was_applied() {
    local container=$COMPOSE_PROJECT_NAME-slow before taken
    fresh
    expect 0 compose up --detach --wait postgres
    mkdir "$copy/slow"
    echo 'CREATE TABLE quick (id int);' >"$copy/slow/V1__quick.sql"
    echo 'CREATE TABLE slow (id int); SELECT pg_sleep(60);' >"$copy/slow/V2__slow.sql"
    expect 0 compose run --detach --name "$container" --volume "$copy/slow:/slow:ro" --env MIGRATIONS_DIR=/slow migrate
    poll 60 is 1 sql "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    before=$(milliseconds)
    expect 0 docker stop "$container"
    taken=$(($(milliseconds) - before))
    echo "    $taken ms"
    is 143 docker inspect --format '{{.State.ExitCode}}' "$container" || fail 'another status'
    docker logs "$container" >"$output" 2>&1
    docker rm "$container" >/dev/null
    shows 'V2__slow was cancelled and rolled back'
    shows 'applied, and kept: V1__quick'
    [[ $taken -lt 3000 ]] || fail 'it took too long'
    is 0 sql "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'" || fail 'the lock is still held'
    is 0 sql "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'" || fail 'it is still under way'
    is quick sql "SELECT string_agg(tablename, ' ') FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'refinery_schema_history'" || fail 'other tables are there'
    is 1 sql 'SELECT count(*) FROM refinery_schema_history' || fail 'the history has another length'
}

test_a_server_that_is_killed_meanwhile_is_waited_for() {
    up_that_waits
    local server
    server=$(compose ps --all --quiet postgres)
    expect 0 docker kill "$server"
    poll 20 is 'true' bash -c "docker compose --project-directory '$copy' logs migrate 2>&1 | grep --quiet 'lost the connection' && echo true"
    expect 0 docker start "$server"
    wait "$up" || fail "up failed: $(cat "$work/up")"
    is 'exited 0' exit_code migrate || fail "migrate: $(exit_code migrate)"
    poll 20 api_is_healthy
    is 11 sql "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'" || fail 'tables are missing'
    wait
}

test_the_server_of_the_initialisation_does_not_count() {
    fresh
    mkdir "$copy/slow"
    echo 'sleep 4' >"$copy/slow/slow.sh"
    printf 'services:\n  postgres:\n    volumes:\n      - ./slow:/docker-entrypoint-initdb.d:ro\n' >"$copy/slow.yaml"
    expect 0 compose -f compose.yaml -f slow.yaml up --detach
    compose logs migrate >"$output" 2>&1
    # Had it been started too early, it would have had to wait.
    ! grep 'waiting for the database' "$output" || fail 'it was started while only the socket answered'
    shows 'applied V0001__waitlist'
}

# ---- A database of one's own ----

own() {
    compose -f compose.yaml -f docker/own-database.yaml "$@"
}

test_a_database_on_the_host_is_reached_as_localhost() {
    fresh
    start_host_server
    printf 'NODE_ENV=local\nPOSTGRES_URL=%s\nINTERNAL_API_URL=http://api:4000\n' "$host_url" >"$copy/.env"
    expect 0 own up --detach
    [[ -z $(compose ps --all --quiet postgres) ]] || fail 'the bundled postgres was started'
    is 'exited 0' exit_code migrate || fail "migrate: $(exit_code migrate)"
    poll 20 api_is_healthy
    is 11 host_tables || fail 'tables are missing'
    ! compose logs | grep --fixed-strings -e 'p%40ss' -e 'p@ss' || fail 'the password is in the log'
}

# in_container OPTION...: the migrator beside the PostgreSQL of the host, with the files of $work/large and a database for them.
in_container() {
    docker run --rm --network host --read-only --cap-drop ALL --volume "$work/large:/migrations:ro" \
        --env NODE_ENV=local --env POSTGRES_URL="${host_url%/*}/large" --env MIGRATIONS_DIR=/migrations \
        --env MIGRATE_CREATE_DATABASE=yes "$@"
}

test_a_container_with_little_memory_and_one_process() {
    mkdir -p "$work/large"
    {
        echo 'CREATE TABLE large (a text);'
        yes "INSERT INTO large VALUES ('the quick brown fox jumps over the lazy dog');" | head -n 800000
    } >"$work/large/V7__large.sql" || true
    chmod -R a+rX "$work/large"
    expect 2 in_container --memory 32m "$ZEROSTARTER_DB_IMAGE"
    shows 'of memory to apply, and this container has a limit of 33 MB'
    expect 5 in_container --memory 32m --pids-limit 1 "$ZEROSTARTER_DB_IMAGE" check
    shows '1 migration is pending: V7__large'
}

test_a_database_that_is_down_leaves_the_app_unstarted() {
    docker stop --time 0 "$host_server" >/dev/null
    compose down --timeout 0 >/dev/null 2>&1
    expect 1 env MIGRATE_WAIT=1s docker compose --project-directory "$copy" -f "$copy/compose.yaml" -f "$copy/docker/own-database.yaml" up
    shows "host.docker.internal:$host_port could not be reached within"
    never_started api
    expect 3 env MIGRATE_WAIT=1s docker compose --project-directory "$copy" -f "$copy/compose.yaml" -f "$copy/docker/own-database.yaml" run --rm migrate
}

test_a_url_that_is_missing_is_named() {
    fresh
    # Compose has had several statuses for this.
    ! own up >"$output" 2>&1 || fail 'it went ahead'
    shows 'set POSTGRES_URL'
}

test_passwords_may_come_from_files() {
    fresh
    printf 's3cr et/pass' >"$copy/password"
    printf 'postgres://zerostarter:s3cr%%20et%%2Fpass@postgres:5432/zerostarter' >"$copy/url"
    chmod 644 "$copy/password" "$copy/url"
    expect 0 env POSTGRES_PASSWORD_FILE="$copy/password" POSTGRES_URL_FILE="$copy/url" \
        docker compose --project-directory "$copy" -f "$copy/compose.yaml" -f "$copy/docker/secrets.yaml" up --detach
    log_shows migrate 'applied V0001__waitlist'
    docker inspect "$(compose ps --all --quiet migrate)" "$(compose ps --all --quiet postgres)" >"$output"
    ! grep --fixed-strings -e 's3cr' "$output" || fail 'the engine shows the password'
}

# ---- ZeroStarter's own containers ----

test_a_fork_puts_migrate_in_front_of_its_containers() {
    fresh
    start_host_server
    local fork=$work/fork
    mkdir -p "$fork"
    # Stand-ins of ZeroStarter's images: each says that it was started, and goes on.
    cat >"$fork/compose.yaml" <<'COMPOSE'
services:
  api:
    image: postgres:18
    entrypoint: [sh, -c, "echo the api is here; exec sleep 600"]
  web:
    image: postgres:18
    entrypoint: [sh, -c, "echo the web is here; exec sleep 600"]
COMPOSE
    cp "$copy/docker/zerostarter.yaml" "$fork/"
    printf 'NODE_ENV=local\nPOSTGRES_URL=%s\n' "$host_url" >"$fork/.env"
    local fork_compose=(docker compose --project-directory "$fork" -f "$fork/compose.yaml" -f "$fork/zerostarter.yaml")
    expect 0 "${fork_compose[@]}" up --detach
    is 11 host_tables || fail 'tables are missing'
    "${fork_compose[@]}" logs >"$output" 2>&1
    shows 'the api is here'
    shows 'the web is here'
    "${fork_compose[@]}" down --timeout 0 >/dev/null 2>&1
    # And not without a database.
    docker stop --time 0 "$host_server" >/dev/null
    echo 'MIGRATE_WAIT=1s' >>"$fork/.env"
    expect 1 "${fork_compose[@]}" up --detach
    "${fork_compose[@]}" logs >"$output" 2>&1
    ! grep 'is here' "$output" || fail 'a container was started without its database'
    "${fork_compose[@]}" down --timeout 0 >/dev/null 2>&1
}

# ---- The web app ----

# browser SCRIPT ARGUMENT...: runs it in Chromium. Where there is none, or no Node, which a Docker engine does not
# bring, that is said; with TEST_BROWSER=required they have to be there.
browser() {
    local chromium tools=$root/target/docker/browser script=$1
    shift
    chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
    if [[ -z $chromium ]] || ! command -v npm >/dev/null; then
        [[ ${TEST_BROWSER:-} != required ]] || fail 'there is no Chromium or no npm'
        echo '    NOT RUN: there is no Chromium or no npm here'
        return 77
    fi
    mkdir -p "$tools"
    cp "$root"/tests/docker/browser/* "$tools/"
    expect 0 npm --prefix "$tools" install --silent --no-audit --no-fund
    expect 0 timeout 180 node "$tools/$script" "$chromium" "$tools" "$@"
}

api_address() {
    compose port api 4000
}

test_who_enters_an_address_on_the_page_is_in_the_table() {
    fresh
    expect 0 compose up --detach --wait api
    local status=0
    browser page.js "$(api_address)" || status=$?
    [[ $status -ne 77 ]] || return 0
    [[ $status -eq 0 ]] || return "$status"
    sed 's/^/    /' "$output"
    is 'phone@example.com scriptless@example.com' \
        sql "SELECT string_agg(email, ' ' ORDER BY email) FROM waitlist" || fail 'other rows are in the table'
}

# It needs Python, which is treated as the browser is.
test_the_description_of_the_api_holds() {
    local venv=$root/target/docker/venv
    if ! python3 -m venv --help >/dev/null 2>&1; then
        [[ ${TEST_BROWSER:-} != required ]] || fail 'there is no Python with venv'
        echo '    NOT RUN: there is no Python with venv here'
        return
    fi
    if ! cmp -s "$root/tests/docker/requirements.txt" "$venv/requirements.txt"; then
        rm -rf "$venv"
        expect 0 python3 -m venv "$venv"
        expect 0 "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$root/tests/docker/requirements.txt"
        cp "$root/tests/docker/requirements.txt" "$venv/"
    fi
    # Examples of failures are kept between runs where it is told to.
    cd "$work"
    API_RATE_LIMIT=0 expect 0 compose up --detach --wait api
    expect 0 timeout 180 "$venv/bin/schemathesis" --config-file "$root/tests/docker/schemathesis.toml" run \
        "$copy/docs/openapi.json" --url "http://$(api_address)" --checks all --max-time 30 --no-color
    grep 'generated' "$output"
}

# join_until_told ADDRESS CLIENT: puts addresses on the list, and writes down which were accepted.
join_until_told() {
    local answer status number=0 address=$1 client=$2
    while [[ ! -e $work/stop ]]; do
        number=$((number + 1))
        # No answer at all would be no failure of the app's: curl's own limit is a second longer than its.
        answer=$(curl --silent --max-time 11 --dump-header "$work/head-$client" --output /dev/null --write-out '%{http_code}' \
            --header 'content-type: application/json' --data "{\"email\":\"$client-$number@example.com\"}" \
            "http://$address/api/waitlist") || true
        status=$answer
        case $status in
            200) echo "$client-$number@example.com" >>"$work/accepted" ;;
            503)
                echo "$status" >>"$work/refused"
                grep --quiet --ignore-case '^retry-after: [0-9]' "$work/head-$client" || echo 'no hint' >>"$work/wrong"
                ;;
            *) echo "$status" >>"$work/wrong" ;;
        esac
    done
}

refusals() {
    [[ -e $work/refused ]] || : >"$work/refused"
    wc -l <"$work/refused"
}

were_refused_since() {
    [[ $(refusals) -gt $1 ]]
}

test_nothing_acknowledged_is_lost_when_postgres_is_killed_under_load() {
    fresh
    API_RATE_LIMIT=0 expect 0 compose up --detach --wait api
    local address clients=() client server round before
    address=$(api_address)
    rm -f "$work"/{stop,accepted,refused,wrong}
    for client in a b c d e f; do
        join_until_told "$address" "$client" &
        clients+=($!)
    done
    server=$(compose ps --quiet postgres)
    for round in 1 2 3; do
        poll 30 is t sql "SELECT count(*) > $((round * 50)) FROM waitlist"
        before=$(refusals)
        docker kill "$server" >/dev/null
        poll 30 were_refused_since "$before"
        docker start "$server" >/dev/null
    done
    poll 60 curl --silent --fail "http://$address/api/health"
    touch "$work/stop"
    wait "${clients[@]}"
    [[ ! -e $work/wrong ]] || fail "other answers: $(sort "$work/wrong" | uniq -c)"
    [[ -s $work/refused ]] || fail 'no request was refused'
    sql 'SELECT email FROM waitlist' | sort >"$work/stored"
    sort "$work/accepted" | comm -23 - "$work/stored" >"$work/lost"
    echo "    $(wc -l <"$work/accepted") accepted, $(wc -l <"$work/refused") refused, $(wc -l <"$work/lost") lost"
    [[ ! -s $work/lost ]] || fail "lost: $(head -3 "$work/lost")"
    poll 20 api_is_healthy
    is 0 state api '{{.RestartCount}}' || fail 'the app was restarted'
}

test_the_app_stops_in_order() {
    local before taken container
    container=$(compose ps --quiet api)
    before=$(milliseconds)
    expect 0 docker stop "$container"
    taken=$(($(milliseconds) - before))
    echo "    $taken ms"
    is 'exited 0' exit_code api || fail "api: $(exit_code api)"
    log_shows api 'stopped; every request was answered'
    [[ $taken -lt 5000 ]] || fail 'it took too long'
}

# ---- The documentation ----

test_the_commands_of_the_documentation_work() {
    fresh
    start_host_server
    export POSTGRES_URL=$host_url
    local page commands=0 line
    while IFS= read -r line; do
        commands=$((commands + 1))
        echo "    $ $line"
        # Without a standard input: a container would take the other commands for its own.
        (cd "$copy" && timeout 300 bash -c "$line") </dev/null >"$output" 2>&1 || fail "it failed: $line"
    done < <(for page in "$copy/README.md" "$copy"/docs/*.md; do
        awk '/^<!-- run by make test-docker -->$/ { marked = NR }
            /^```/ { inside = !inside && marked == NR - 1; next }
            inside && sub(/^\$ /, "")' "$page"
    done)
    unset POSTGRES_URL
    [[ $commands -gt 10 ]] || fail "only $commands commands"
}

# ---- Studio ----

test_studio_answers() {
    fresh
    expect 0 compose --profile studio up --detach studio
    local address
    address=$(compose port studio 8080)
    [[ $address == 127.0.0.1:* ]] || fail "it listens on $address"
    poll 20 curl --silent --fail --location --output "$output" "http://$address/"
    shows 'Adminer'
    expect 0 make --silent -C "$copy" down
    [[ -z $(compose --profile studio ps --all --quiet) ]] || fail 'make down left something'
}

test_studio_lists_the_tables_and_edits_a_row() {
    fresh
    expect 0 compose --profile studio up --detach
    expect 0 sql "INSERT INTO waitlist (id, email) VALUES ('before', 'before@example.com')"
    local status=0
    browser studio.js "$(compose port studio 8080)" local-development-only || status=$?
    [[ $status -ne 77 ]] || return 0
    [[ $status -eq 0 ]] || return "$status"
    is after@example.com sql 'SELECT email FROM waitlist' || fail 'the row was not changed'
}

docker version --format 'Docker engine {{.Server.Version}}, {{.Server.Os}}/{{.Server.Arch}}'
echo "Compose $(docker compose version --short), buildx $(docker buildx version | cut -d ' ' -f 2)"
tests/docker/stand-ins.sh
echo

if [[ $# -eq 0 ]]; then
    mapfile -t tests < <(sed -n 's/^\(test_[a-z_]*\)() {$/\1/p' "$0")
else
    tests=("$@")
fi
for test in "${tests[@]}"; do
    began=$SECONDS
    : >"$output"
    # In a condition, errexit would be off inside: a test ends at its first failure.
    set +e
    (
        set -e
        trap - EXIT
        "$test"
    )
    status=$?
    set -e
    if [[ $status -eq 0 ]]; then
        passed=$((passed + 1))
        echo "ok      ${test#test_} ($((SECONDS - began)) s)"
    else
        failed+=("$test")
        echo "FAILED  ${test#test_}"
    fi
done
printf '\n%d passed, %d failed\n' "$passed" "${#failed[@]}"
[[ ${#failed[@]} -eq 0 ]]
