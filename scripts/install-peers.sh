#!/bin/sh
# The programs of others that tests and `make bench` compare with, in target/peers/bin.
#
#   install-peers.sh [refinery | sqlx]...
set -eu
cd "$(dirname -- "$0")/.."

[ $# -gt 0 ] || set -- refinery sqlx
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
        *)
            echo "error: there is no peer named $peer" >&2
            exit 2
            ;;
    esac
done
