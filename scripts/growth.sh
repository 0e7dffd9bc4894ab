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
need_narrows "$root"
python3 "$script" --narrows "$narrows" "$@"
