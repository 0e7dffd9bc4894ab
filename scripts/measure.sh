#!/bin/sh
# Measures narrows beside its peers on this machine, or checks and measures a GPU.
#
#     scripts/measure.sh [--rounds N] [--models mlp,vae] [--peers pytorch,burn] [--device DEVICE] [--out FILE.md] [--json FILE]
#     scripts/measure.sh --gpu [DEVICE] [--out DIR]
#
# The first trains the same models on the same images in narrows and its peers (benches/peers), by turns, and prints one
# table. The second runs the tests on the device, `narrows bench`, an epoch of each preset, and the VAE on the full
# Fashion-MNIST, and writes one JSON file and one HTML page: DIR/measured.json and DIR/measured.html. After the build it
# takes less than ten minutes on a GPU. `--help` after either shows all flags.
#
# Variables: NARROWS a binary to measure in place of a new build; PYTHON a Python with PyTorch; EPOCHS=1 and SUITE=0
# make --gpu shorter. What is built or installed for the peers lies in ${XDG_CACHE_HOME:-~/.cache}/narrows-peers.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/setup.sh
. "$root/scripts/setup.sh"
cache=${XDG_CACHE_HOME:-${HOME-}/.cache}/narrows-peers

# Builds a peer in Rust. The other peers go on if it fails.
build_peer() {
    say "building $1 (the first time takes minutes)"
    features=
    # Software drivers cannot run what burn's compiler to SPIR-V makes.
    if [ "$1" = burn ] && "$narrows" devices --json | grep -q 'Gpu"'; then
        features=spirv
    fi
    CARGO_TARGET_DIR=$cache/target cargo build --quiet --release --locked --features "$features" \
        --manifest-path "$root/benches/peers/Cargo.toml" -p "peer-$1" && return
    say "$1 is left out: it could not be built here"
    return 1
}

# Builds and installs the peers, and measures them.
measure_peers() {
    mkdir -p "$cache"
    for peer in $peers; do
        if [ "$peer" = pytorch ]; then
            if python=$(python_with torch torch==2.9.1 "$cache/python"); then
                set -- "$@" --torch "$python"
            else
                say "pytorch is left out: it could not be found or installed"
            fi
        elif build_peer "$peer"; then
            set -- "$@" --program "$peer=$cache/target/release/peer-$peer"
        fi
    done
    python3 "$root/scripts/measure-peers.py" --narrows "$narrows" "$@"
}

case ${1-} in
--gpu)
    shift
    script=$root/scripts/measure-gpu.py
    ;;
*) script=$root/scripts/measure-peers.py ;;
esac

need_python
case " $* " in
*" --help "* | *" -h "*) exec python3 "$script" --help ;;
esac
# Mistakes show before anything is built. Of a comparison it says which peers are wanted.
peers=$(python3 "$script" --check "$@")
need_narrows "$root"
if [ -n "$peers" ]; then
    measure_peers "$@"
else
    python3 "$script" --narrows "$narrows" "$@"
fi
