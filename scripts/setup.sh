# shellcheck shell=sh
# Finds or installs what the scripts need: cargo, a linker, a Vulkan driver. Sourced; test-setup.sh tests it.
#
# It looks only at PATH, the variables of the Vulkan loader and NARROWS_OS_RELEASE, so that tests can imitate a
# machine.

say() {
    printf '== %s\n' "$*"
}

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

have() {
    command -v "$1" >/dev/null 2>&1
}

# $1: the repository's root.
need_cargo() {
    # A shell that was started before rustup was installed does not have rustup's folder in PATH.
    have cargo || PATH="${CARGO_HOME:-${HOME-}/.cargo}/bin:$PATH"
    have cargo || fail "cargo was not found. Install Rust from https://rustup.rs, then run this again"
    wanted=$(sed -n 's/^rust-version = "1\.\([0-9]*\)".*/\1/p' "$1/Cargo.toml")
    found=$(cargo --version | cut -d . -f 2)
    [ "$found" -ge "$wanted" ] ||
        fail "$(cargo --version) is too old: expected 1.$wanted or later. Run: rustup update stable"
}

need_linker() {
    case $(uname -s) in
    Darwin)
        xcode-select -p >/dev/null 2>&1 || fail "no linker was found. Run: xcode-select --install"
        ;;
    Linux)
        have cc && return
        say "no C compiler (Rust needs it as a linker): installing one"
        case $(package_manager) in
        apt-get) install_packages gcc libc6-dev ;;
        dnf | pacman) install_packages gcc ;;
        *) fail "cc was not found. Install gcc or clang, then run this again" ;;
        esac
        ;;
    esac
}

# Python with venv, which some distributions put in a separate package.
need_python() {
    python3 -c 'import ensurepip' >/dev/null 2>&1 && return
    say "no Python with venv (the checks need it): installing it"
    case $(package_manager) in
    apt-get) install_packages python3 python3-venv ;;
    dnf) install_packages python3 ;;
    pacman) install_packages python ;;
    *) fail "python3 with venv was not found. Install Python 3.10 or later, then run this again" ;;
    esac
}

# Prints a Python that can import a module: PYTHON, the one in a folder, or python3; else it installs it in the folder.
# $1: the module. $2: what pip calls it. $3: the folder, of a virtual environment.
python_with() {
    for python in ${PYTHON:-"$3/bin/python" python3}; do
        if "$python" -c "import $1" >/dev/null 2>&1; then
            echo "$python"
            return
        fi
    done
    if [ -n "${PYTHON-}" ]; then
        say "PYTHON is $PYTHON, which has no $1" >&2
        return 1
    fi
    say "no $1: installing it in $3 (set PYTHON to a Python that has it)" >&2
    python3 -m venv "$3" >&2 &&
        "$3/bin/python" -m pip install --quiet --disable-pip-version-check "$2" >&2 &&
        echo "$3/bin/python"
}

# The package manager of the distribution, or nothing if it is not known here.
package_manager() {
    ids=$(sed -n 's/^ID\(_LIKE\)\{0,1\}=//p' "${NARROWS_OS_RELEASE:-/etc/os-release}" 2>/dev/null |
        tr -d "\"'" | tr '\n' ' ')
    case " $ids " in
    *" debian "* | *" ubuntu "*) echo apt-get ;;
    *" fedora "* | *" rhel "*) echo dnf ;;
    *" arch "*) echo pacman ;;
    esac
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        fail "root is needed, and sudo was not found. As root, run: $*"
    fi
}

install_packages() {
    case $(package_manager) in
    apt-get)
        as_root apt-get -qq update &&
            as_root env DEBIAN_FRONTEND=noninteractive \
                apt-get -qq install -y --no-install-recommends "$@" >/dev/null
        ;;
    dnf) as_root dnf -q install -y "$@" ;;
    # The package lists are refreshed only if the present ones fail: Arch advises against a refresh
    # without a full upgrade.
    pacman)
        as_root pacman -S --needed --noconfirm "$@" || as_root pacman -Sy --needed --noconfirm "$@"
        ;;
    esac || fail "the packages $* could not be installed. Install them by hand, then run this again"
}

# Whether there is a Vulkan loader and a driver: a manifest in a folder that the loader searches.
has_vulkan() (
    PATH="$PATH:/sbin:/usr/sbin"
    if have ldconfig && ! ldconfig -p 2>/dev/null | grep libvulkan.so.1 >/dev/null; then
        exit 1
    fi
    places=${VK_DRIVER_FILES:-${VK_ICD_FILENAMES-}}
    if [ -z "$places" ]; then
        # https://github.com/KhronosGroup/Vulkan-Loader, docs/LoaderDriverInterface.md
        for base in "${XDG_CONFIG_HOME:-${HOME-}/.config}" "${XDG_CONFIG_DIRS:-/etc/xdg}" /etc \
            "${XDG_DATA_HOME:-${HOME-}/.local/share}" "${XDG_DATA_DIRS:-/usr/local/share:/usr/share}"; do
            places="$places:$(printf %s "$base" | sed 's|:|/vulkan/icd.d:|g')/vulkan/icd.d"
        done
        places="${VK_ADD_DRIVER_FILES-}$places"
    fi
    printf %s "$places" | tr : '\n' | (
        found=1
        while IFS= read -r place || [ -n "$place" ]; do
            case $place in
            *.json) [ -f "$place" ] && found=0 ;;
            ?*) [ -n "$(find "$place/" -name '*.json' 2>/dev/null)" ] && found=0 ;;
            esac
        done
        exit $found
    )
)

# Fails if the package manager is not known.
install_driver() {
    case $(package_manager) in
    apt-get) set -- mesa-vulkan-drivers libvulkan1 ;;
    dnf) set -- mesa-vulkan-drivers vulkan-loader ;;
    pacman) set -- vulkan-swrast vulkan-icd-loader ;;
    *) return 1 ;;
    esac
    say "installing a software Vulkan driver with $(package_manager): $*"
    install_packages "$@"
    driver_installed=yes
}

advise_driver() {
    cat <<'END'
Install a GPU driver, or Mesa's software Vulkan driver (lavapipe) and the Vulkan loader. The packages are
    mesa-vulkan-drivers, libvulkan1          Debian, Ubuntu
    mesa-vulkan-drivers, vulkan-loader       Fedora
    vulkan-swrast, vulkan-icd-loader         Arch
    mesa-vulkan-swrast, vulkan-loader        Alpine
    libvulkan_lvp, libvulkan1                openSUSE
Without a driver, the CPU reference can train, a few times slower: scripts/run.sh --device cpu
END
}

# Before the build, so that sudo asks for a password early. After the build, need_device asks narrows itself.
prepare_driver() {
    [ "$(uname -s)" = Linux ] || return 0
    if [ -z "${XDG_RUNTIME_DIR-}" ]; then
        # Without it Mesa prints a warning on every start.
        XDG_RUNTIME_DIR=$(mktemp -d)
        export XDG_RUNTIME_DIR
        trap 'rm -rf "$XDG_RUNTIME_DIR"' EXIT
        trap 'exit 130' INT
        trap 'exit 143' TERM
    fi
    has_vulkan && return
    say "this machine has no Vulkan driver"
    install_driver || advise_driver
}

# "$@": the command that runs narrows.
need_device() {
    has_device "$@" && return
    say "narrows found no usable device"
    if [ "$(uname -s)" = Linux ] && [ -z "${driver_installed-}" ] && install_driver; then
        has_device "$@" && return
    fi
    advise_driver
    fail "no device to run on"
}

has_device() {
    case $("$@" devices --json) in
    *'"usable": true'*) ;;
    *) return 1 ;;
    esac
}

# Sets VK_DRIVER_FILES to SwiftShader, a software driver that comes with Chromium, which it installs where it is missing.
# Dawn wants more of a driver than older versions of Mesa's have.
use_swiftshader() {
    have chromium || install_packages chromium
    VK_DRIVER_FILES=$(find /usr/lib/chromium* /usr/lib64/chromium* -name vk_swiftshader_icd.json 2>/dev/null | head -n 1)
    [ -n "$VK_DRIVER_FILES" ] || fail "chromium has no SwiftShader in its folder"
    export VK_DRIVER_FILES
}

# Sets $narrows to the binary that NARROWS names, or to a release build of the project in $1.
build_narrows() {
    need_cargo "$1"
    need_linker
    narrows=${NARROWS-}
    if [ -z "$narrows" ]; then
        say "building narrows (the first time takes minutes)"
        cargo build --release --locked --manifest-path "$1/Cargo.toml"
        narrows=${CARGO_TARGET_DIR:-$1/target}/release/narrows
    fi
}

# The same, and it must find a device.
need_narrows() {
    prepare_driver
    build_narrows "$1"
    need_device "$narrows"
}
