#!/bin/sh
# Trains a variational autoencoder on the built-in images, and prints where its pictures are.
#
#     scripts/run.sh [flags of `narrows train`, such as --epochs 5 or --device cpu]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/setup.sh"

narrows() {
    cargo run --quiet --release --manifest-path "$root/Cargo.toml" -- "$@"
}

case " $* " in
*" --device cpu "* | *" --device=cpu "*) device=cpu ;;
*) device=gpu ;;
esac

need_cargo "$root"
need_linker
[ $device = cpu ] || prepare_driver
say "building narrows (the first time takes minutes)"
cargo build --release --manifest-path "$root/Cargo.toml"
[ $device = cpu ] || need_device narrows
say "training a variational autoencoder: narrows train vae $*"
narrows train vae "$@"
