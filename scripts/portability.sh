#!/bin/sh
# Checks every shader with the compilers of all platforms, and runs it on the implementations of WebGPU that need no GPU.
#
#     scripts/portability.sh [--quick] [--write]
#
# --quick ends behind the compilers that CI runs: naga, spirv-val and Tint. Else each entry point is run too, natively through
# wgpu, in Node through Dawn, and in Chromium, at odd shapes against the reference's numbers; that takes half an hour.
# It prints a table, and --write puts it into shaders/README.md. What it needs it installs: with the package manager, or in
# target/portability.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/setup.sh
. "$root/scripts/setup.sh"
place=$root/target/portability
code=$root/scripts/portability

quick='' write=''
for flag; do
    case $flag in
    --quick) quick=yes ;;
    --write) write=yes ;;
    *) fail "expected --quick or --write, got $flag" ;;
    esac
done

# $1: a command. $2, $3, $4: the package that has it, for apt-get, dnf and pacman.
need_command() {
    have "$1" && return
    say "no $1: installing it"
    case $(package_manager) in
    apt-get) install_packages "$2" ;;
    dnf) install_packages "$3" ;;
    pacman) install_packages "$4" ;;
    *) fail "$1 was not found. Install $2, then run this again" ;;
    esac
}

# Microsoft's compiler as a library: a Python package has it in the archive of its source.
need_dxc() {
    dxc=$place/libdxcompiler.so
    [ -f "$dxc" ] && return
    name=compushady-0.17.5
    say "no compiler for HLSL: taking it from the Python package $name"
    [ -x "$place/python/bin/pip" ] || python3 -m venv "$place/python"
    "$place/python/bin/pip" download --quiet --disable-pip-version-check --no-binary :all: --no-deps --dest "$place" \
        compushady==0.17.5 || fail "$name could not be downloaded"
    library=$name/compushady/backends/libdxcompiler_$(uname -m).so.3.7
    tar -xzf "$place/$name.tar.gz" -C "$place" "$library"
    mv "$place/$library" "$dxc"
}

# $1: a folder's name. $2, ...: a compiler and its flags. It gets one file after another; those it takes are listed.
compile_each() {
    folder=$1
    shift
    : >"$place/$folder.taken"
    for file in "$place/code/$folder"/*; do
        if "$@" "$file" >"$place/said" 2>&1; then
            basename "$file" >>"$place/$folder.taken"
        else
            say "$folder, $(basename "$file"):" && cat "$place/said"
        fi
    done
}

# $1: what the table calls it. $2: a device, as for --device.
run_natively() {
    say "running every entry point on $1"
    rm -rf "$place/cases-$1" && mkdir -p "$place/cases-$1"
    # wgpu looks for OpenGL only where it is named, since each of its adapters is one of the others again. Its one context
    # serves one thread at a time, and others lose patience.
    backend=${2%:*}
    [ "$backend" != gl ] || export RUST_TEST_THREADS=1
    # shellcheck disable=SC2046
    WGPU_BACKEND=$backend NARROWS_TEST_CASES=$place/cases-$1 NARROWS_TEST_DEVICE=$2 \
        cargo test --quiet --locked --release --no-fail-fast \
        --manifest-path "$root/Cargo.toml" $(kernel_tests) >"$place/$1.log" 2>&1 ||
        say "some tests failed on $1: see $place/$1.log"
    unset RUST_TEST_THREADS
}

# The test programs that run kernels alone.
kernel_tests() {
    grep -l 'common::.*check' "$root"/tests/*.rs | while read -r test; do
        printf -- '--test %s ' "$(basename "$test" .rs)"
    done
}

need_cargo "$root"
need_python
need_command spirv-val spirv-tools spirv-tools spirv-tools
need_command node nodejs nodejs nodejs
need_command npm npm npm npm
mkdir -p "$place"
cp "$code/package.json" "$place/"
npm install --silent --no-fund --no-audit --prefix "$place"

say "translating every entry point with naga"
rm -rf "$place/code"
cargo run --quiet --locked --manifest-path "$root/shaders/portability/Cargo.toml" --target-dir "$place/target" -- "$place/code"
say "compiling with spirv-val and Tint"
compile_each spv spirv-val --target-env vulkan1.1
(cd "$place" && node "$code/node.mjs" code/shaders.json none dawn-null.json backend=null)
if [ -n "$quick" ]; then
    python3 "$code/table.py" "$place" --quick
    exit
fi

need_linker
need_command glslangValidator glslang-tools glslang glslang
need_dxc
prepare_driver
say "compiling with glslang and DXC"
compile_each comp glslangValidator
python3 "$code/dxc.py" "$dxc" "$place/code/hlsl" "$place/hlsl.taken"
run_natively lavapipe vulkan:0
run_natively llvmpipe gl:0
use_swiftshader
run_natively swiftshader vulkan:0
say "running what passed on lavapipe in Dawn for Node, and in Chromium"
cd "$place"
node "$code/node.mjs" code/shaders.json cases-lavapipe dawn.json backend=vulkan
node "$code/chromium.mjs" code/shaders.json cases-lavapipe chromium.json "$(command -v chromium)"
# shellcheck disable=SC2086
python3 "$code/table.py" "$place" ${write:+--write}
