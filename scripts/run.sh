#!/bin/sh
# Trains a variational autoencoder on the built-in images, and prints where its pictures are.
#
#     scripts/run.sh [flags of `narrows train`, such as --epochs 5 or --device cpu]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/setup.sh"

case " $* " in
*" --device cpu "* | *" --device=cpu "*) build_narrows "$root" ;;
*) need_narrows "$root" ;;
esac
say "training a variational autoencoder: narrows train vae $*"
"$narrows" train vae "$@"
