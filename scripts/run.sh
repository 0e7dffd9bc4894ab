#!/bin/sh
# Trains a variational autoencoder on the images that are built in, and names the pictures it made.
#
#     scripts/run.sh [flags of `narrows train`, as --epochs 5 or --device cpu]
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
say "building narrows, which takes minutes the first time"
cargo build --release --manifest-path "$root/Cargo.toml"
[ $device = cpu ] || need_device narrows
say "training a variational autoencoder: narrows train vae $*"
narrows train vae "$@"
