#!/bin/sh
# Reads mutated inputs: each is read or refused, and none may panic, take more memory than 4 GiB, or take long.
#
#     scripts/fuzz.sh [READER [COUNT [SEED]]]
#
# READER is idx, npy, npz, csv, picture, checkpoint, toml or command-line; by default all of them, one after the other.
# COUNT is the number of inputs, by default 1000000; SEED that of the first, by default 0. An input is a function of its
# seed: `scripts/fuzz.sh READER 1 SEED` reads it again, and one that panics is kept in the folder of temporary files.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/setup.sh"
need_cargo "$root"
need_linker
cd "$root"

count=${2:-1000000}
seed=${3:-0}
run() {
    case $1 in
    command-line) test=lib filter=cli::mutated ;;
    *) test='test mutated' filter=no_reader ;;
    esac
    # Of both words.
    # shellcheck disable=SC2086
    cargo test --quiet --profile fuzz --$test --no-run
    # The limit is set where the shell can.
    # shellcheck disable=SC2086,SC3045
    (ulimit -v 4194304 2>/dev/null || true; NARROWS_FUZZ="$1 $count $seed" \
        cargo test --quiet --profile fuzz --$test -- --nocapture $filter)
}

case ${1-} in
'') for reader in idx npy npz csv picture checkpoint toml command-line; do run $reader; done ;;
*) run "$1" ;;
esac
