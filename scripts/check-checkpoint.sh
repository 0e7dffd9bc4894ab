#!/bin/sh
# Opens checkpoints with Python's package safetensors, and checks the shapes of their tensors against their names.
#
#     scripts/check-checkpoint.sh FILE...
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/setup.sh
. "$root/scripts/setup.sh"

need_python
python=$root/target/python-checkpoint
[ -x "$python/bin/pip" ] || python3 -m venv "$python"
"$python/bin/pip" install --quiet --disable-pip-version-check safetensors==0.8.0 numpy==2.2.6
"$python/bin/python" "$root/scripts/check-checkpoint.py" "$@"
