#!/bin/sh
# Runs every test, then those of the device again with WebGPU's default limits and no optional feature.
#
#     scripts/test.sh
set -eu
cd "$(dirname "$0")/.."
. scripts/setup.sh

need_cargo .
need_linker
prepare_driver
say "building narrows and its tests, which takes minutes the first time"
cargo test --release --workspace --no-run
need_device cargo run --quiet --release --
say "every test"
cargo test --release --workspace
say "the device tests again, with WebGPU's default limits and no optional feature"
NARROWS_TEST_DEFAULTS=1 cargo test --release --test '*'
