#!/bin/sh
# Do exported files answer on arm64 as they do on x86?  Emulated: no device needed, and no timings.
#
#     bench/arm64.sh [FOLDER]
#
# Needs debootstrap and, on the PATH or as $QEMU, a qemu-aarch64 of version 10 (Debian trixie's
# qemu-user; 7.2 crashes in ai-edge-litert).  Puts Debian's Python for arm64 and the base wheel
# into FOLDER, build/arm64 by default, and runs bench/runtimes.py on both processors.
set -eu
cd "$(dirname "$0")/.."
folder=${1:-build/arm64}
qemu=${QEMU:-qemu-aarch64}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
if [ ! -e "$folder/root/usr/bin/python3.11" ]; then
    debootstrap --arch=arm64 --foreign --variant=minbase --include=python3 bookworm "$folder/root"
    # Unpacked, not installed: nothing of it has to run but Python.
    for package in "$folder"/root/var/cache/apt/archives/*.deb; do dpkg -x "$package" "$folder/root"; done
fi
rm -rf "$folder/site" "$folder"/*.whl
.venv/bin/python -m pip wheel --quiet --no-deps --wheel-dir "$folder" .
.venv/bin/python -m pip install --quiet --target "$folder/site" --python-version 3.11 \
    --platform manylinux2014_aarch64 --platform manylinux_2_27_aarch64 \
    --platform manylinux_2_28_aarch64 --only-binary=:all: -c constraints.txt "$folder"/asmnet-*.whl
.venv/bin/python bench/runtimes.py --save "$folder/x86.npz"
echo
"$qemu" -L "$folder/root" -E PYTHONPATH="$folder/site" "$folder/root/usr/bin/python3.11" \
    bench/runtimes.py --against "$folder/x86.npz"
