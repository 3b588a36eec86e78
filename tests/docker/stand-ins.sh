#!/usr/bin/env bash
# Makes sure that the images which the Dockerfile and compose.yaml name are there: from a registry where one
# answers, otherwise as stand-ins under the same tags, built from Debian's packages and this machine's Rust.
# A stand-in keeps to what the official image promises; see images/.
#
#   stand-ins.sh [IMAGE...]     rust, postgres, adminer; all of them where none is named
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
project=$(cd ../.. && pwd)
work=$project/target/docker
base=zerostarter-db-test/debian:bookworm

declare -A tags=([rust]=rust:1.95-slim-bookworm [postgres]=postgres:18 [adminer]=adminer:5)

have() {
    docker image inspect "$1" >/dev/null 2>&1
}

# What a stand-in was made from: one that was made from something else is made again.
label=zerostarter-db-test.made-from
made_from=$(cat "$project/Cargo.lock" stand-ins.sh images/*/* | sha256sum | cut -c 1-16)

build() {
    docker build --quiet --label "$label=$made_from" "$@" >/dev/null
}

is_stale() {
    local found
    found=$(docker image inspect --format "{{index .Config.Labels \"$label\"}}" "$1")
    [[ -n $found && $found != "$made_from" ]]
}

# A Debian as small as debootstrap makes it, from the mirror that this machine uses.
make_base() {
    have "$base" && return
    if ! command -v debootstrap >/dev/null; then
        echo 'error: no registry answers, and debootstrap, from which stand-ins are made, is missing' >&2
        exit 1
    fi
    local root
    root=$(mktemp -d)
    mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -1)
    debootstrap --variant=minbase bookworm "$root" ${mirror:+"$mirror"} >"$work/debootstrap.log" 2>&1 ||
        { tail "$work/debootstrap.log" >&2 && exit 1; }
    tar -C "$root" -c . | docker import - "$base" >/dev/null
    rm -rf "$root"
}

make_rust() {
    make_base
    local context=$work/rust sysroot
    sysroot=$(rustc --print sysroot)
    rm -rf "$context"
    mkdir -p "$context/toolchain" "$context/cargo/registry"
    cp -R "$sysroot/bin" "$sysroot/lib" "$context/toolchain/"
    # What cargo needs of the registry is handed in: builds in containers may not reach it.
    cargo fetch --quiet --locked --manifest-path "$project/Cargo.toml"
    cp -R "${CARGO_HOME:-$HOME/.cargo}"/registry/{cache,index} "$context/cargo/registry/"
    build --tag "${tags[rust]}" --build-arg "BASE=$base" --file images/rust/Dockerfile "$context"
}

make_postgres() {
    make_base
    make --silent -C "$project" postgres-versions VERSIONS=18 >/dev/null
    build --tag "${tags[postgres]}" --build-arg "BASE=$base" \
        --build-context "postgresql=$(readlink -f "$project/.postgres/versions/18")" images/postgres
}

make_adminer() {
    make_base
    build --tag "${tags[adminer]}" --build-arg "BASE=$base" images/adminer
}

mkdir -p "$work"
for name in "${@:-rust postgres adminer}"; do
    for image in $name; do
        tag=${tags[$image]}
        if have "$tag" && ! is_stale "$tag"; then
            echo "$tag: is here"
        elif timeout 300 docker pull --quiet "$tag" >/dev/null 2>&1; then
            echo "$tag: the official image"
        else
            "make_$image"
            echo "$tag: a stand-in"
        fi
    done
done
