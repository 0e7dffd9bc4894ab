#!/bin/bash
# Trains on an unkind machine: kills runs, fills the disk, damages files, starts two processes for one run, closes pipes.
# Each time nothing may be lost, and the run must end as one that nothing happened to, bit for bit.
#
#     scripts/faults.sh [KILLS]      # 200 by default, some minutes; the checks before a change make 12
set -eu -o pipefail
kills=${1:-200}
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/setup.sh
. "$root/scripts/setup.sh"

need_narrows "$root"
narrows=$(realpath "$narrows")
work=$(mktemp -d)
mounted=
clean_up() {
    local code=$?
    [ -z "$mounted" ] || umount "$mounted" 2>/dev/null || true
    if [ $code = 0 ]; then rm -rf "$work"; else say "what it left is in $work"; fi
}
trap clean_up EXIT
cd "$work"

# Two small runs. One has data that stream, checkpoints within an epoch and a falling rate; the other a row whose loss is
# infinite, so that it goes back in each epoch.
images=(train denoising --limit 900 --hidden 24 --latent 4 --batch 16 --epochs 9 --optimizer adam --lr 1e-3
    --schedule cosine --save-every 20 --memory 1KiB)
awk 'BEGIN {
    OFS = ","
    print "a", "b", "c", "d"
    for (i = 0; i < 900; i++) print i % 7 / 7, i % 11 / 11, i % 5 / 5, (i == 400) ? 1e30 : i % 3 / 3
}' >poisoned.csv
poisoned=(train mlp --data poisoned.csv --scale none --likelihood squared-error --hidden 12 --latent 2 --batch 16
    --epochs 9 --optimizer adam --lr 1e-3 --save-every 20 --on-nan rewind --memory 1KiB)

# The files that must be the same in equal runs; of metrics all but times.
digest() {
    (cd "$1" && sha256sum last.safetensors best.safetensors previous.safetensors && find . -name "*.png" -exec sha256sum {} + | sort)
    sed 's/"seconds":[^,}]*,"images_per_second":[^,}]*//' "$1/metrics.jsonl" | sha256sum
}

# $1: a run's folder; $2: the run that it must be the same as; $3: what happened.
expect_same() {
    digest "$1" >got
    diff "$2.digest" got >/dev/null ||
        fail "$3: the run differs from one that nothing happened to: $(diff "$2.digest" got)"
}

# $1: words that standard error must have; then a command that must fail.
expect_refused() {
    local words=$1
    shift
    if "$@" >out 2>err; then fail "not refused: $*"; fi
    grep -q -e "$words" err || fail "expected \"$words\" of $*, got: $(cat err)"
}

say "runs that nothing happens to"
"$narrows" "${images[@]}" --run images >out 2>err || fail "$(cat err)"
digest images >images.digest
"$narrows" "${poisoned[@]}" --run poisoned >out 2>err || fail "$(cat err)"
grep -q '"rewinds":\[{' poisoned/metrics.jsonl || fail "the poisoned run did not go back"
digest poisoned >poisoned.digest

say "$kills kills at random moments"
killed=0
run=0
while [ "$killed" -lt "$kills" ]; do
    run=$((run + 1))
    folder=killed-$run
    kind=$([ $((run % 2)) = 0 ] && echo poisoned || echo images)
    # Until it is through; a start that died before its first checkpoint begins anew.
    while true; do
        command=("${images[@]}" --run "$folder")
        [ "$kind" = images ] || command=("${poisoned[@]}" --run "$folder")
        # A kill between two moves leaves the previous checkpoint alone.
        if [ -e "$folder/last.safetensors" ] || [ -e "$folder/previous.safetensors" ]; then
            command=(train --resume "$folder" --memory 1KiB)
        fi
        "$narrows" "${command[@]}" >out 2>err &
        process=$!
        [ "$killed" -ge "$kills" ] || sleep "$(printf '%d.%02d' $((RANDOM % 2)) $((RANDOM % 100)))"
        if [ "$killed" -lt "$kills" ] && kill -KILL "$process" 2>/dev/null; then
            wait "$process" 2>/dev/null && break
            killed=$((killed + 1))
        else
            wait "$process" || fail "$(cat err)"
            break
        fi
    done
    expect_same "$folder" "$kind" "after kills"
    [ -z "$(find "$folder" -name '*.tmp')" ] || fail "files under way were left: $(ls -A "$folder")"
    rm -rf "$folder"
done
say "$killed kills in $run runs lost nothing"

say "two processes on one run"
"$narrows" "${images[@]}" --run two >out1 2>err1 &
first=$!
while [ ! -e two/last.safetensors ]; do sleep 0.05; done
expect_refused "$first" "$narrows" train --resume two
"$narrows" eval two >out 2>err || grep -q "no finished epoch" err || fail "reading is refused: $(cat err)"
wait "$first" || fail "$(cat err1)"
expect_same two images "with a second process"

say "damaged files"
for number in 1 2 3 4 5 6 7 8; do
    cp -r images damaged
    size=$(stat -c %s damaged/last.safetensors)
    # Three bytes, the same distance apart, anywhere.
    for place in 0 1 2; do
        printf '\125' | dd of=damaged/last.safetensors bs=1 conv=notrunc status=none \
            seek=$(((number * size / 9 + place * size / 100) % size))
    done
    expect_refused "last.safetensors" "$narrows" train --resume damaged --epochs 10
    grep -q -e "--from" err || fail "what is whole is not named: $(cat err)"
    rm -rf damaged
done
cp -r images short && truncate -s 1000 short/last.safetensors
expect_refused "--from previous" "$narrows" train --resume short --epochs 10
"$narrows" train --resume short --from previous >out 2>err || fail "$(cat err)"
expect_same short images "from the previous checkpoint"

say "standard output that is closed"
set +e
"$narrows" plan vae --check 2>err | head -1 >/dev/null
code=${PIPESTATUS[0]}
set -e
[ "$code" = 0 ] || [ "$code" = 141 ] || [ "$code" = 1 ] || fail "exit code $code: $(cat err)"

say "a full disk"
mkdir small
if mount -t tmpfs -o size=64M tmpfs small 2>/dev/null; then
    mounted=$work/small
    "$narrows" "${images[@]}" --run small/run >out 2>err &
    process=$!
    while [ ! -e small/run/best.safetensors ]; do sleep 0.02; done
    echo old >small/codes.csv
    dd if=/dev/zero of=small/filler bs=64k status=none 2>/dev/null || true
    for out in small/codes.csv small/codes.npy; do
        expect_refused "$out: cannot" "$narrows" encode images --out "$out"
    done
    [ "$(cat small/codes.csv)" = old ] || fail "a full disk cost what was there"
    [ ! -e small/codes.npy ] || fail "a full disk left half an array"
    sleep 4
    rm -f small/filler
    wait "$process" || fail "$(cat err)"
    expect_same small/run images "on a disk that was full for a while"
else
    say "skipped: this user may not mount a small disk"
fi
say "nothing was lost"
