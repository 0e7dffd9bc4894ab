#!/bin/sh
# Makes the npm packages narrows-shaders and narrows, and tries both in a new project: types, a shader, training in Node.
#
#     scripts/npm.sh
#
# The packages lie in target/npm. It needs Node.js and npm. The rest it installs: Chromium too, on whose software driver it runs.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/setup.sh
. "$root/scripts/setup.sh"
target=${CARGO_TARGET_DIR:-$root/target}
place=$target/npm

need_cargo "$root"
have npm || fail "npm was not found. Install Node.js with npm, then run this again"
"$root/scripts/web.sh" --build
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml" | head -n 1)
rm -rf "$place" && mkdir -p "$place"
cargo run --quiet --locked --manifest-path "$root/shaders/portability/Cargo.toml" --target-dir "$target/portability/target" -- "$place/code"
node "$root/web/npm/shaders.mjs" "$place/code/shaders.json" "$version" "$place/narrows-shaders"
node "$root/web/npm/wasm.mjs" "$target/web/page" "$version" "$place/narrows"
for package in narrows-shaders narrows; do
    (cd "$place" && npm pack --silent "./$package")
done

use_swiftshader
say "installing both in a new project"
project=$place/project
mkdir -p "$project"
cp "$root"/web/test/npm/* "$project/"
(
    cd "$project"
    npm install --silent --no-fund --no-audit "$place/narrows-shaders-$version.tgz" "$place/narrows-$version.tgz"
    npx --no-install tsc --noEmit --strict --target es2022 --module nodenext --skipLibCheck types.ts
    node train.mjs "$target/web/page/sample"
)
