#!/bin/sh
# Builds the page on which narrows trains in a browser, and serves it on this machine.
#
#     scripts/web.sh [--port N] [--build]
#
# It prints the address; Ctrl-C ends it. --build only builds, into target/web/page. The page asks nothing of the network.
# What the build needs it installs: the target wasm32-unknown-unknown, and wasm-bindgen in target/web.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/setup.sh
. "$root/scripts/setup.sh"
place=${CARGO_TARGET_DIR:-$root/target}/web

port=8000 serves=yes
while [ $# -gt 0 ]; do
    case $1 in
    --port)
        [ $# -gt 1 ] || fail "--port: expected a number"
        port=$2
        shift
        ;;
    --build) serves= ;;
    *) fail "expected --port N or --build, got $1" ;;
    esac
    shift
done

# Its program must have the version of the library that the lock file names.
need_wasm_bindgen() {
    version=$(sed -n '/^name = "wasm-bindgen"$/{n;s/version = "\(.*\)"/\1/p;}' "$root/Cargo.lock")
    bindgen=$place/tools/bin/wasm-bindgen
    [ "$("$bindgen" --version 2>/dev/null)" = "wasm-bindgen $version" ] && return
    say "no wasm-bindgen $version: installing it (minutes, once)"
    # A mirror of the registry may lack what the program's own lock file names.
    for locked in --locked ""; do
        cargo install --quiet $locked --root "$place/tools" wasm-bindgen-cli --version "$version" && return
    done
    fail "wasm-bindgen $version could not be installed"
}

need_cargo "$root"
need_linker
rustup target add wasm32-unknown-unknown >/dev/null 2>&1 ||
    [ -d "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown" ] ||
    fail "Rust has no wasm32-unknown-unknown here. With rustup: rustup target add wasm32-unknown-unknown"
need_wasm_bindgen
say "building the page"
# Flags for this machine's linker are none for that of the web.
RUSTFLAGS='' cargo build --quiet --locked --manifest-path "$root/Cargo.toml" --profile web -p narrows-web \
    --target wasm32-unknown-unknown --target-dir "$place/target"
page=$place/page
rm -rf "$page" && mkdir -p "$page/sample"
"$bindgen" --target web --remove-name-section --remove-producers-section --out-dir "$page" --out-name narrows \
    "$place/target/wasm32-unknown-unknown/web/narrows_web.wasm"
cp "$root"/web/page/* "$page/"
cp "$root"/src/data/sample/*.gz "$root/src/data/sample/LICENSE-fashion-mnist" "$page/sample/"
say "$page: the module has $(gzip -9 -c "$page/narrows_bg.wasm" | wc -c) bytes, compressed"
[ -n "$serves" ] || exit 0
need_python
say "open http://localhost:$port/ (Ctrl-C ends)"
exec python3 -m http.server "$port" --bind 127.0.0.1 --directory "$page" 2>/dev/null
