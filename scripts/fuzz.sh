#!/bin/sh
# Runs every fuzz target, or the named ones, for so many seconds each.
#
#   fuzz.sh SECONDS [TARGET]...
#
# Sanitizers need a nightly compiler; where there is none, the stable one is asked to act as one.
set -eu
cd "$(dirname -- "$0")/.."

seconds=$1
shift

nightly=
if RUSTUP_AUTO_INSTALL=0 cargo +nightly --version >/dev/null 2>&1; then
    nightly=+nightly
else
    export RUSTC_BOOTSTRAP=1
fi
fuzz() {
    # shellcheck disable=SC2086 # empty, or one word
    cargo $nightly fuzz "$@"
}

if [ $# -eq 0 ]; then
    # shellcheck disable=SC2046 # names of Cargo targets
    set -- $(fuzz list)
fi
for target in "$@"; do
    printf 'Fuzzing %s for %s seconds.\n' "$target" "$seconds"
    seeds=fuzz/seeds/$target
    mkdir -p "fuzz/corpus/$target"
    [ -d "$seeds" ] || seeds=
    fuzz run "$target" "fuzz/corpus/$target" ${seeds:+"$seeds"} -- \
        -max_total_time="$seconds" -timeout=10 -print_final_stats=1
done
