#!/bin/sh
# The programs of others that tests and `make bench` compare with: target/peers/bin holds those that are
# built, target/peers/npm those that come from npm, in the versions of benches/npm.
#
#   install-peers.sh [refinery | sqlx | npm | drizzle-1 | hono]...       the first three where none is named
set -eu
cd "$(dirname -- "$0")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

[ $# -gt 0 ] || set -- refinery sqlx npm
for peer in "$@"; do
    case $peer in
        refinery)
            scripts/cargo-tool.sh target/peers refinery refinery_cli 0.10 \
                --no-default-features --features postgresql
            ;;
        sqlx)
            scripts/cargo-tool.sh target/peers sqlx sqlx-cli 0.9 \
                --no-default-features --features rustls,postgres
            ;;
        npm | drizzle-1 | hono)
            packages=target/peers/$peer
            [ "$peer" != hono ] || { mkdir -p "$packages" && cp benches/hono/*.ts "$packages"; }
            ! cmp -s "benches/$peer/package-lock.json" "$packages/installed" || continue
            for tool in npm node; do
                has "$tool" || fail "$tool is needed for the packages of benches/$peer" 'install Node.js, which brings npm'
            done
            say "Installing the packages of benches/$peer into $packages."
            rm -rf "$packages"
            mkdir -p "$packages"
            cp "benches/$peer/"* "$packages"
            (cd "$packages" && npm install --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null)
            cp "benches/$peer/package-lock.json" "$packages/installed"
            ;;
        *)
            fail "there is no peer named $peer"
            ;;
    esac
done
