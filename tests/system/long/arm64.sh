#!/usr/bin/env bash
# The Raspberry Pi's architecture: cross-builds for arm64 and runs the unit tests, the corpora and the
# system tests with that hub, under qemu. Broker, simulated browsers and the tests are the host's own.
#
# Usage: arm64.sh BUILD_DIR
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../../.." && pwd)
build=$(realpath "$1")
source "$here/debian.sh"

((EUID == 0)) || skip "it wants root"
for program in debootstrap aarch64-linux-gnu-gcc qemu-aarch64-static; do
    command -v "$program" >/dev/null || skip "there is no $program"
done

# Only to link against and to load from: nothing in it is ever configured.
debian_tree arm64 libc6-dev,libpaho-mqtt-dev,libuv1-dev,libwebsockets-dev,libwebsockets-evlib-uv,\
libssl-dev,libcap-dev,libprotobuf-c-dev,libyaml-dev,libxxhash-dev,libzstd-dev,libsqlite3-dev,\
libjansson-dev,libsodium-dev,liboath-dev,libcmocka-dev
export QEMU_LD_PREFIX=$tree

binfmt=/proc/sys/fs/binfmt_misc
[[ -e $binfmt/register ]] || mount -t binfmt_misc binfmt_misc "$binfmt" ||
    skip "binfmt_misc cannot be mounted"
[[ -e $binfmt/qemu-aarch64 ]] || cat /usr/lib/binfmt.d/qemu-aarch64.conf >"$binfmt/register"

"$top/tests/build" "$build/arm64" "-DCMAKE_TOOLCHAIN_FILE=$top/config/arm64.cmake" \
    "-DCMAKE_SYSROOT=$tree"
file "$build/arm64/daemon/lumbard" | grep -q aarch64
# Packages for it, made here: what is in them, and what lintian says.
bash "$here/../test_packages.sh" "$build/arm64"
# Not here: what counts against the clock, and what installs or builds for the host.
ctest --test-dir "$build/arm64" --output-on-failure -j 2 -LE long -R '^(unit|fuzz|sim|system)\.' \
    -E '^system\.(sim|demo|install|packages|out_of_tree|quick)$'
