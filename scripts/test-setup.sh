#!/bin/sh
# Tests setup.sh on imitated machines. Nothing is installed on this machine.
#
#     scripts/test-setup.sh
set -eu
cd "$(dirname "$0")/.."
fake=$(mktemp -d)
trap 'rm -rf "$fake"' EXIT

# A machine with only these commands.
mkdir -p "$fake/bin" "$fake/.cargo/bin" "$fake/share/vulkan/icd.d"
for tool in sh sed tr grep cat mktemp rm find cut env; do
    ln -s "$(command -v $tool)" "$fake/bin/$tool"
done

put() {
    { echo '#!/bin/sh'; cat; } >"$fake/$1"
    chmod +x "$fake/$1"
}

# Each logs how it was called; once a driver is installed, narrows finds an adapter.
for manager in apt-get dnf pacman; do
    put bin/$manager <<END
echo "$manager \$*" >>"$fake/log"
case "\$1 \$*" in \${REFUSED:-nothing}*) exit 1 ;; esac
case "\$*" in *vulkan*) : >"$fake/adapter" ;; esac
END
done
put bin/uname <<'END'
echo "${SYSTEM:-Linux}"
END
put bin/id <<'END'
echo "${USER_ID:-0}"
END
put bin/ldconfig <<'END'
echo "${LOADER-libvulkan.so.1 => /usr/lib/libvulkan.so.1}"
END
put bin/narrows <<END
if [ -e "$fake/adapter" ]; then echo '[{ "usable": true }]'; else echo '[]'; fi
END
put sudo <<END
echo "sudo \$1" >>"$fake/log"
"\$@"
END
put cargo <<'END'
echo "cargo ${CARGO_VERSION:-1.999.0} (0000000 2000-01-01)"
END
: >"$fake/share/vulkan/icd.d/lvp_icd.json"

failures=0

# check WHAT STATUS LOG SAID SCRIPT [NAME=VALUE ..]: runs SCRIPT after setup.sh with that environment, and
# expects that exit status, exactly that log, and SAID somewhere in the output.
check() {
    what=$1 status=$2 log=$3 said=$4 script=$5
    shift 5
    rm -f "$fake/log" "$fake/adapter"
    got=0
    output=$(env -i PATH="$fake/bin" HOME="$fake" NARROWS_OS_RELEASE="$fake/os-release" \
        VK_DRIVER_FILES=/nowhere.json "$@" \
        sh -euc ". scripts/setup.sh; $script" 2>&1) || got=$?
    logged=$(cat "$fake/log" 2>/dev/null) || logged=
    case $output in *"$said"*) heard=yes ;; *) heard=no ;; esac
    if [ "$got" = "$status" ] && [ "$logged" = "$log" ] && [ $heard = yes ]; then
        echo "ok      $what"
    else
        failures=$((failures + 1))
        printf 'FAILED  %s: status %s, log <%s>, output:\n%s\n' "$what" "$got" "$logged" "$output"
    fi
}

system() {
    printf '%s\n' "$@" >"$fake/os-release"
}

apt='apt-get -qq update
apt-get -qq install -y --no-install-recommends mesa-vulkan-drivers libvulkan1'
data="XDG_DATA_DIRS=/nowhere:$fake/share"

system 'ID=debian'
check 'Debian gets the driver' 0 "$apt" 'no Vulkan driver' prepare_driver
check 'a driver that is there is enough' 0 '' '' prepare_driver "$data" VK_DRIVER_FILES=
check 'a manifest in VK_DRIVER_FILES is enough' 0 '' '' prepare_driver \
    "VK_DRIVER_FILES=/nowhere.json:$fake/share/vulkan/icd.d/lvp_icd.json"
check 'a folder in VK_ICD_FILENAMES is enough' 0 '' '' prepare_driver VK_DRIVER_FILES= \
    "VK_ICD_FILENAMES=$fake/share/vulkan/icd.d"
check 'VK_DRIVER_FILES hides all others' 0 "$apt" 'no Vulkan driver' prepare_driver \
    "$data"
check 'a driver without a loader is none' 0 "$apt" 'no Vulkan driver' prepare_driver \
    "$data" VK_DRIVER_FILES= LOADER=
check 'a driver without a device gets a second one' 0 "$apt" 'no usable device' \
    'prepare_driver; need_device narrows' "$data" VK_DRIVER_FILES=
check 'an installed driver is confirmed, once' 0 "$apt" '' 'prepare_driver; need_device narrows'
check 'a refused package is an error' 1 "$apt" 'could not be installed' prepare_driver \
    'REFUSED=-qq -qq install'
check 'no root and no sudo is an error' 1 '' 'As root, run: apt-get' prepare_driver USER_ID=1000
check 'no compiler gets one' 0 'apt-get -qq update
apt-get -qq install -y --no-install-recommends gcc libc6-dev' 'no C compiler' need_linker
check 'no Python gets one, with venv' 0 'apt-get -qq update
apt-get -qq install -y --no-install-recommends python3 python3-venv' 'no Python' need_python

ln -s "$fake/sudo" "$fake/bin/sudo"
system 'NAME="Linux Mint"' 'ID=linuxmint' 'ID_LIKE="ubuntu debian"'
check 'a kin of Ubuntu gets the driver through sudo' 0 'sudo apt-get
apt-get -qq update
sudo env
apt-get -qq install -y --no-install-recommends mesa-vulkan-drivers libvulkan1' '' prepare_driver USER_ID=1000

system 'ID=fedora' 'VERSION_ID=42'
check 'Fedora gets the driver' 0 'dnf -q install -y mesa-vulkan-drivers vulkan-loader' '' prepare_driver
check 'Fedora gets a compiler' 0 'dnf -q install -y gcc' '' need_linker
check 'Fedora gets a Python' 0 'dnf -q install -y python3' 'no Python' need_python

system 'ID=manjaro' 'ID_LIKE=arch'
pacman='pacman -S --needed --noconfirm vulkan-swrast vulkan-icd-loader'
check 'Arch gets the driver' 0 "$pacman" '' prepare_driver
check 'Arch refreshes lists that are missing' 0 "$pacman
pacman -Sy --needed --noconfirm vulkan-swrast vulkan-icd-loader" '' prepare_driver 'REFUSED=-S -S '

system 'ID=nixos'
check 'elsewhere the build continues, with advice' 0 '' '--device cpu' prepare_driver
check 'elsewhere no device is an error' 1 '' 'no device to run on' 'prepare_driver; need_device narrows'
check 'elsewhere no compiler is an error' 1 '' 'gcc or clang' need_linker
check 'elsewhere no Python is an error' 1 '' 'Python 3.10' need_python

check 'macOS needs no driver' 0 '' '' prepare_driver SYSTEM=Darwin
check 'macOS without its tools says how to get them' 1 '' 'xcode-select --install' need_linker SYSTEM=Darwin

check 'no cargo is an error' 1 '' 'rustup.rs' 'need_cargo .'
ln -s "$fake/cargo" "$fake/.cargo/bin/cargo"
check "cargo is found where rustup puts it" 0 '' '' 'need_cargo .'
check 'an old cargo is an error' 1 '' 'rustup update' 'need_cargo .' CARGO_VERSION=1.70.0
check 'a private runtime folder, removed afterwards' 0 '' '700' \
    "prepare_driver; find \"\$XDG_RUNTIME_DIR\" -maxdepth 0 -perm 700 | sed 's/.*/700/'" \
    "$data" VK_DRIVER_FILES= "TMPDIR=$fake/share"

if ls "$fake"/share/tmp.* >/dev/null 2>&1; then
    echo 'FAILED  the runtime folder was left behind'
    failures=$((failures + 1))
fi
[ $failures = 0 ]
