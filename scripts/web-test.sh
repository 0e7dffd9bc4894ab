#!/bin/sh
# Tries the page in headless Chromium, and the npm packages in Node.
#
#     scripts/web-test.sh
#
# It trains every preset in the page and compares its losses with the command line's, drops pictures, drags codes, draws, saves
# and opens checkpoints, loses the device, and opens the page without WebGPU. Screenshots and figures are in target/web/tried.
# What it needs it installs: Chromium with the package manager, Playwright's library in target/web.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/setup.sh
. "$root/scripts/setup.sh"
place=${CARGO_TARGET_DIR:-$root/target}/web

"$root/scripts/npm.sh"
need_narrows "$root"
cp "$root/scripts/portability/package.json" "$place/"
npm install --silent --no-fund --no-audit --prefix "$place"
say "trying the page in Chromium"
rm -rf "$place/tried"
cd "$place"
exec node "$root/web/test/page.mjs" "$place/page" "$narrows" "$(command -v chromium)" "$place/tried"
