#!/bin/bash
# Trains for an hour, or as many minutes as are given, with data that stream, checkpoints within epochs and pictures after
# each; watches the process's memory and open files, which must not grow.
#
#     scripts/soak.sh [MINUTES]
set -eu -o pipefail
minutes=${1:-60}
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/setup.sh
. "$root/scripts/setup.sh"
[ -r /proc/self/status ] || fail "this needs Linux's /proc"

need_cargo "$root"
need_linker
prepare_driver
cargo build --quiet --release --manifest-path "$root/Cargo.toml"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root/target/release/narrows" train vae --epochs 1000000 --save-every 25 --memory 1MiB --run "$work/run" \
    >"$work/out" 2>"$work/err" &
process=$!
# The first minute has what grows once: pipelines, buffers, caches.
sleep 60
end=$((SECONDS + 60 * minutes - 60))
say "seconds  resident MB  open files  epochs"
while [ $SECONDS -lt $end ] && kill -0 $process 2>/dev/null; do
    resident=$(awk '/^VmRSS/ { print int($2 / 1024) }' /proc/$process/status)
    files=$(find /proc/$process/fd -mindepth 1 | wc -l)
    echo "$SECONDS $resident $files $(wc -l <"$work/run/metrics.jsonl")" | tee -a "$work/seen"
    sleep 30
done
kill -TERM $process
code=0
wait $process || code=$?
[ $code = 143 ] || fail "the run ended with $code: $(cat "$work/err")"
awk 'NR == 1 { first = $2; files = $3 }
    { if ($2 > most) most = $2; if ($3 > most_files) most_files = $3 }
    END {
        printf "== first %d MB, most %d MB, last %d MB; files %d, most %d; %d epochs\n", first, most, $2, files, most_files, $4
        exit most > 1.1 * first + 8 || most_files > files + 4
    }' "$work/seen" || fail "memory or files grew"
