#!/usr/bin/env bash
# Does a Raspberry Pi answer as an x86 machine does?  Emulated: no Pi needed, and no timings.
#
#     make pi-check        or: bench/pi_check.sh [FOLDER]
#
# Puts Debian for arm64, bookworm and trixie, into FOLDER (build/arm64 by default; made once),
# installs this project's wheel there with pip as a user does, once with ai-edge-litert and once
# with tflite-runtime, and compares with the same wheel on this machine as a Cortex-A72 (Pi 4) and
# a Cortex-A76 (Pi 5): every shipped model on the recorded crops, the tracks of the sample clip,
# and bench/runtimes.py.  Exits with 1 if anything is farther apart than it may be.
#
# Needs an x86 machine with Debian or Ubuntu, debootstrap, curl, xz, root, and 5 GB.  $QEMU may
# name a qemu-aarch64 of version 10 or later (7.2 crashes in ai-edge-litert); otherwise one is
# looked for on the PATH, then fetched from trixie.  $MIRROR is a Debian mirror; a Debian machine
# has one in its apt configuration, which is taken.  $PYTHON is this machine's Python,
# $CLIP_SECONDS the longest that one emulated run over the clip may take (600).
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
cpus="cortex-a72 cortex-a76"

stop() {
    echo "error: $1" >&2
    exit 2
}

[ "$(uname -m)" = x86_64 ] || stop "this compares an emulated Pi with x86; run it on an x86 machine"
[ "$(id -u)" = 0 ] || stop "debootstrap needs root; run this as root"
for tool in debootstrap curl xz dpkg sha256sum "$python"; do
    command -v "$tool" > /dev/null || stop "$tool is not installed; install it and try again"
done

mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' \
    'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | sed -n 1p)}
[ -n "$mirror" ] || stop "apt knows no Debian mirror here; name one in MIRROR"
mirror=${mirror%/}

folder=${1:-build/arm64}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

recent() { # is this a qemu-aarch64 of version 10 or later?
    local version
    version=$("$1" --version 2> /dev/null | sed -nE '1s/.*version ([0-9]+).*/\1/p') || return 1
    [ "${version:-0}" -ge 10 ]
}

find_qemu() {
    local candidate path sum
    for candidate in ${QEMU:-qemu-aarch64 qemu-aarch64-static "$folder/qemu/usr/bin/qemu-aarch64"}; do
        if recent "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    [ -z "${QEMU:-}" ] || stop "$QEMU is no qemu-aarch64 of version 10 or later"
    read -r path sum < <(curl -fsS "$mirror/dists/trixie/main/binary-amd64/Packages.xz" | xz -d |
        awk '/^Package: /{p = $2} p == "qemu-user" && /^Filename: /{f = $2}
             p == "qemu-user" && /^SHA256: /{print f, $2}') || stop "no qemu-user at $mirror"
    curl -fsS -o "$folder/qemu.deb" "$mirror/$path" || stop "cannot fetch $mirror/$path"
    echo "$sum  $folder/qemu.deb" | sha256sum --check --quiet || stop "$mirror/$path came damaged"
    dpkg -x "$folder/qemu.deb" "$folder/qemu"
    rm "$folder/qemu.deb"
    echo "$folder/qemu/usr/bin/qemu-aarch64"
}

make_root() { # SUITE
    local root=$folder/root-$1 package
    [ ! -e "$root/ready" ] || return 0
    rm -rf "$root"
    debootstrap --arch=arm64 --foreign --variant=minbase --include=python3,python3-venv \
        "$1" "$root" "$mirror" > "$folder/$1.log" 2>&1 ||
        stop "debootstrap failed; see $folder/$1.log"
    # Unpacked, not installed: nothing of it has to run but Python.
    for package in "$root"/var/cache/apt/archives/*.deb; do dpkg -x "$package" "$root"; done
    rm -f "$root"/var/cache/apt/archives/*.deb
    touch "$root/ready"
}

make_env() { # NAME SUITE: a virtual environment of the suite's Python, with the suite's pip
    local env=$folder/$1 root=$folder/root-$2 real wheels
    real=$(readlink -f "$root/usr/bin/python3")
    wheels=$root/usr/share/python-wheels
    rm -rf "$env"
    "$qemu" -L "$root" "$real" -m venv --without-pip "$env"
    # Its Python starts the emulator, so that its commands run from here, and start each other.
    rm "$env"/bin/python*
    printf '#!/bin/sh\nexec %s -L %s -0 %s %s "$@"\n' "$qemu" "$root" "$env/bin/python" "$real" \
        > "$env/bin/python"
    chmod +x "$env/bin/python"
    "$env/bin/python" "$(echo "$wheels"/pip-*.whl)/pip" install --quiet --no-index \
        --find-links "$wheels" pip
}

install() { # NAME ARGUMENT...: pip install
    local env=$folder/$1
    shift
    "$env/bin/python" -m pip install --quiet --disable-pip-version-check \
        --root-user-action ignore --only-binary :all: "$@"
}

size() { # NAME: how much is installed
    local packages
    packages=$(echo "$folder/$1"/lib/python3.*/site-packages)
    echo "$1: $("$folder/$1/bin/python" -V), $(du -sm "$packages" | cut -f1) MB of site-packages:"
    "$folder/$1/bin/python" -m pip list --format freeze --disable-pip-version-check | paste -sd ' '
}

compare() { # ARGUMENT...: remember a failure, go on
    "$folder/x86/bin/python" bench/pi_compare.py "$@" || failed=1
}

qemu=$(find_qemu)
"$qemu" --version | head -1
make_root bookworm
make_root trixie

rm -rf "$folder/wheel" "$folder/x86" "$folder"/*.npz "$folder"/*.jsonl
"$python" -m venv "$folder/x86"
rm -rf build/lib # whatever an earlier build left there would come along
"$folder/x86/bin/python" -m pip wheel --quiet --no-deps --wheel-dir "$folder/wheel" .
wheel=$(echo "$folder"/wheel/asmnet-*.whl)
install x86 -c constraints.txt "$wheel"
make_env bookworm bookworm
install bookworm -c constraints.txt "$wheel"
make_env trixie trixie
install trixie -c constraints.txt "$wheel"
make_env bookworm-tflite bookworm
install bookworm-tflite -c constraints-tflite-runtime.txt tflite-runtime numpy \
    opencv-python-headless click
install bookworm-tflite --no-deps "$wheel"
for name in x86 bookworm trixie bookworm-tflite; do size "$name"; done

failed=0
track() { # NAME OUT: the sample clip, as far as it gets in time
    timeout --signal INT "${CLIP_SECONDS:-600}" "$folder/$1/bin/asmnet-webcam" \
        --source demo --headless --jsonl "$2" > /dev/null || [ $? = 124 ]
}
"$folder/x86/bin/python" bench/pi_compare.py answer "$folder/x86.npz"
track x86 "$folder/x86.jsonl"
for cpu in $cpus; do
    export QEMU_CPU=$cpu
    for name in bookworm bookworm-tflite trixie; do
        # Another Python loads the same library: one model is enough to see that it does.
        only=$([ $name != trixie ] || echo asmnet-spatial-68-160)
        # shellcheck disable=SC2086 # no model at all is all of them
        "$folder/$name/bin/python" bench/pi_compare.py answer "$folder/$name-$cpu.npz" $only \
            --frames "$folder/x86.npz"
        printf '\n%s, %s\n\n' "$name" "$cpu"
        limit=$([ $name = bookworm-tflite ] && echo 1.5 || echo 0)
        compare answers "$folder/x86.npz" "$folder/$name-$cpu.npz" --limit "$limit"
    done
    printf '\nbookworm, %s, asmnet-webcam --source demo\n\n' "$cpu"
    track bookworm "$folder/$cpu.jsonl"
    compare tracks "$folder/x86.jsonl" "$folder/$cpu.jsonl"
done

printf '\nEvery file on the faces of its proof, %s\n\n' "$cpu"
"$folder/x86/bin/python" bench/runtimes.py --save "$folder/runtimes.npz" > /dev/null
"$folder/bookworm/bin/python" bench/runtimes.py --against "$folder/runtimes.npz" || failed=1
[ "$failed" = 0 ] && printf '\nA Pi answers as x86 does.\n' || printf '\nFAIL: see above.\n'
exit "$failed"
