#!/bin/sh
# Builds the Python package, and tries it in a new virtual environment.
#
#     scripts/python.sh [--build | --manylinux]
#
# --build only builds: a wheel for this machine in target/python/wheels, of Python 3.10 and later. --manylinux builds one for
# any Linux since glibc 2.17, with zig as its linker, and has auditwheel look at it. Else it is installed and tried: types
# by mypy, every test, the examples of the documentation, the notebook. What it needs it installs in target/python; NARROWS
# names the command line's program, else it is built too; PYTHON another Python to try it with.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/setup.sh
. "$root/scripts/setup.sh"
place=${CARGO_TARGET_DIR:-$root/target}/python
wheels=$place/wheels

tries=yes linux='' tools=maturin
case "$*" in
"") ;;
--build) tries='' ;;
--manylinux) tries='' linux='--zig --compatibility manylinux2014' tools='maturin[zig] auditwheel' ;;
*) fail "expected --build, --manylinux or nothing, got $*" ;;
esac

need_cargo "$root"
need_linker
need_python
[ -x "$place/tools/bin/python" ] || python3 -m venv "$place/tools"
say "building the wheel (the first time takes minutes)"
# shellcheck disable=SC2086
"$place/tools/bin/pip" install --quiet --disable-pip-version-check $tools
rm -rf "$wheels"
# shellcheck disable=SC2031,SC2086
PATH="$place/tools/bin:$PATH" "$place/tools/bin/maturin" build --quiet --release --locked --manifest-path "$root/python/Cargo.toml" \
    --target-dir "$place/target" --out "$wheels" $linux
say "$(ls "$wheels")"
[ -z "$linux" ] || "$place/tools/bin/auditwheel" show "$wheels"/*.whl
[ -n "$tries" ] || exit 0

need_narrows "$root"
rm -rf "$place/tried" && "${PYTHON:-python3}" -m venv "$place/tried"
python=$place/tried/bin/python
say "installing it in a new virtual environment"
"$python" -m pip install --quiet --disable-pip-version-check "$(echo "$wheels"/*.whl)[test]"
cp -r "$root/python/tests" "$root/python/notebooks" "$root/python/pyproject.toml" "$place/tried/"
cd "$place/tried"
say "types, tests and examples"
"$python" -m mypy --package narrows
NARROWS=$narrows "$python" -m pytest --quiet tests
"$python" -m pytest --quiet --doctest-modules --pyargs narrows
say "the notebook"
"$python" -m jupyter execute --inplace notebooks/*.ipynb
