#!/usr/bin/env bash
# The hub as the service of a booted Debian 12: systemd is process 1, in a container of its own
# network. It is installed there from its packages, as an administrator would, by long/booted.sh,
# which then asks the machine all the rest.
#
# Usage: [LUMBAR_BEFORE=DEB] boot.sh BUILD_DIR
#
# What is upgraded is LUMBAR_BEFORE, the package of an earlier version; else this one, numbered lower.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(realpath "$1")
source "$here/debian.sh"

((EUID == 0)) || skip "it wants root"
for program in debootstrap systemd-nspawn cpack; do
    command -v "$program" >/dev/null || skip "there is no $program"
done

prefix=$(sed -n 's/^CMAKE_INSTALL_PREFIX:PATH=//p' "$build/CMakeCache.txt")
[[ $prefix == /usr ]] || skip "packages are for /usr, and the build folder is for $prefix"

place=$(mktemp -d "$build/boot.XXXXXX")
trap 'rm -rf "$place"' EXIT
root=$place/root
packages=systemd,systemd-sysv,dbus,procps,curl,mosquitto,mosquitto-clients,sqlite3
packages+=,$(sed -n 's/^set(CPACK_DEBIAN_HUB_PACKAGE_DEPENDS "\(.*\)")/\1/p' \
    "$build/CPackConfig.cmake" | sed 's/([^)]*)//g; s/ //g')
debian_tree "$(dpkg --print-architecture)" "$packages"
cp -a "$tree" "$root"

# Of this version, of one before it, and of one after it; what is in them is the same.
for version in 0.0.1 "" 99.0; do
    mkdir -p "$place/${version:-this}"
    cpack -G DEB --config "$build/CPackConfig.cmake" -B "$place/${version:-this}" \
        ${version:+-D CPACK_PACKAGE_VERSION=$version} >"$place/packed" 2>&1 ||
        { cat "$place/packed"; exit 1; }
done
mkdir -p "$root/packages"
cp "$place"/this/lumbar_*.deb "$root/packages/this.deb"
cp "${LUMBAR_BEFORE:-$(echo "$place"/0.0.1/lumbar_*.deb)}" "$root/packages/before.deb"
cp "$place"/99.0/lumbar_*.deb "$root/packages/after.deb"
cp "$place"/this/lumbar-demo_*.deb "$root/packages/demo.deb"
cp "$here/../../../README.md" "$root/packages/"

install -m 0755 "$here/booted.sh" "$root/usr/local/bin/"
cat >"$root/etc/systemd/system/booted.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/usr/local/bin/booted.sh
StandardOutput=file:/said
StandardError=inherit
ExecStopPost=/bin/systemctl --no-block poweroff
TimeoutStartSec=400
[Install]
WantedBy=default.target
UNIT
mkdir -p "$root/etc/systemd/system/default.target.wants"
ln -s ../booted.service "$root/etc/systemd/system/default.target.wants/booted.service"

code=0
timeout 500 systemd-nspawn --quiet --boot --private-network --register=no --keep-unit \
    --directory="$root" </dev/null >"$place/console" 2>&1 || code=$?
cat "$root/said" 2>/dev/null || true
if ! grep -qx 'all passed' "$root/said" 2>/dev/null; then
    tail -n 60 "$place/console"
    journalctl --directory="$root/var/log/journal" -n 60 --no-pager 2>/dev/null || true
    echo "FAILED: the booted machine did not pass (systemd-nspawn ended with $code)"
    exit 1
fi
