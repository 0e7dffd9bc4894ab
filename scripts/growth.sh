#!/bin/sh
# Measures how training grows with batch size, width, size of the pictures, channels and rows of the data.
#
#     scripts/growth.sh [--axes batch,width] [--most N] [--epochs N] [--device DEVICE] [--out DIR]
#
# It prints tables, and writes them to DIR/growth.md, the curves to DIR/growth.png and every number to DIR/growth.json.
# NARROWS may name a binary to measure in place of a new build, PYTHON a Python that has matplotlib, which draws.
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
cache=${XDG_CACHE_HOME:-${HOME-}/.cache}/narrows-growth
python=$(python_with matplotlib matplotlib==3.10.7 "$cache/python") ||
    fail "matplotlib, which draws the curves, could not be installed. Set PYTHON to a Python that has it"
need_narrows "$root"
"$python" "$script" --narrows "$narrows" "$@"
