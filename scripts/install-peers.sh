#!/bin/sh
# The programs that `make bench` compares with, in target/peers/bin.
set -eu
cd "$(dirname -- "$0")/.."

scripts/cargo-tool.sh target/peers refinery refinery_cli 0.10 --no-default-features --features postgresql
scripts/cargo-tool.sh target/peers sqlx sqlx-cli 0.9 --no-default-features --features rustls,postgres
