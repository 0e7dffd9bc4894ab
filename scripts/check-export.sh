#!/bin/sh
# Exports small models of every kind, and compares ONNX Runtime, its web build, and PyTorch with narrows itself.
#
#     scripts/check-export.sh
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/setup.sh
. "$root/scripts/setup.sh"

# PyTorch for the CPU alone: Debian's package is a tenth of PyPI's.
need_torch() {
    python=$root/target/python-export
    if [ "$(package_manager)" = apt-get ]; then
        if ! /usr/bin/python3 -c 'import torch, ensurepip' >/dev/null 2>&1; then
            say "no PyTorch (the check of exports needs it): installing it"
            install_packages python3-torch python3-venv
        fi
        [ -x "$python/bin/pip" ] || /usr/bin/python3 -m venv --system-site-packages "$python"
    else
        need_python
        [ -x "$python/bin/pip" ] || python3 -m venv "$python"
        "$python/bin/pip" install --quiet --disable-pip-version-check torch==2.9.1
    fi
    # The PyTorch of distributions with an older Python is of NumPy 1.
    numpy=$("$python/bin/python" -c 'import sys; print("1.26.4" if sys.version_info < (3, 13) else "2.3.5")')
    "$python/bin/pip" install --quiet --disable-pip-version-check \
        "numpy==$numpy" onnx==1.23.2 onnxruntime==1.32.0 safetensors==0.8.0
}

need_web_build() {
    modules=$root/target/node-export
    have npm || fail "npm was not found, with which the web build of ONNX Runtime is run. Install Node.js 20 or later \
(Debian: apt-get install nodejs npm), then run this again"
    npm install --silent --no-fund --no-audit --prefix "$modules" onnxruntime-web@1.30.0
}

need_torch
need_web_build
need_narrows "$root"
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
"$python/bin/python" "$root/scripts/check-export.py" "$narrows" "$place"
node "$root/scripts/check-export.mjs" "$modules" "$place"
