#!/bin/sh
# Runs every test, then the device tests again with WebGPU's default limits and no optional feature.
#
#     scripts/test.sh [--all]
#
# --all tries the page in Chromium and the npm packages too (scripts/web-test.sh), and the Python package (scripts/python.sh).
set -eu
cd "$(dirname "$0")/.."
. scripts/setup.sh

case "$*" in
"" | --all) ;;
*) fail "expected --all or nothing, got $*" ;;
esac
need_cargo .
need_linker
prepare_driver
say "building narrows and its tests (the first time takes minutes)"
cargo test --release --workspace --no-run
need_device "${CARGO_TARGET_DIR:-target}/release/narrows"
say "running every test"
cargo test --release --workspace
say "running the device tests again, with WebGPU's default limits and no optional feature"
NARROWS_TEST_DEFAULTS=1 cargo test --release --workspace --test '*'
[ -z "$*" ] || { scripts/web-test.sh && scripts/python.sh; }
