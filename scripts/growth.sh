#!/bin/sh
# Measures how training grows with batch size, width, size of the pictures, channels and rows of the data.
#
#     scripts/growth.sh [--axes batch,width] [--most N] [--epochs N] [--device DEVICE] [--out DIR]
#
# It prints tables, and writes them to DIR/growth.md, with every number in DIR/growth.json. NARROWS may name a binary to
# measure in place of a new build.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/setup.sh
. "$root/scripts/setup.sh"

need_python
script=$root/scripts/measure-growth.py
case " $* " in
*" --help "* | *" -h "*) exec python3 "$script" --help ;;
esac
# Mistakes show before anything is built.
python3 "$script" --check "$@"
need_cargo "$root"
need_linker
prepare_driver
narrows=${NARROWS-}
if [ -z "$narrows" ]; then
    say "building narrows (the first time takes minutes)"
    cargo build --quiet --release --locked --manifest-path "$root/Cargo.toml"
    narrows=${CARGO_TARGET_DIR:-$root/target}/release/narrows
fi
need_device "$narrows"
python3 "$script" --narrows "$narrows" "$@"
