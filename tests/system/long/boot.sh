#!/usr/bin/env bash
# The hub as the service of a booted Debian 12: systemd is process 1, in a container of its own
# network. Installs as `cmake --install` does, boots, and lets long/booted.sh ask the machine.
#
# Usage: boot.sh BUILD_DIR
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(realpath "$1")
source "$here/debian.sh"

((EUID == 0)) || skip "it wants root"
for program in debootstrap systemd-nspawn; do
    command -v "$program" >/dev/null || skip "there is no $program"
done

place=$(mktemp -d "$build/boot.XXXXXX")
trap 'rm -rf "$place"' EXIT
root=$place/root
packages=systemd,systemd-sysv,dbus,procps,curl,mosquitto,mosquitto-clients,sqlite3
packages+=,libjansson4,libpaho-mqtt1.3,libprotobuf-c1,libsqlite3-0,libssl3,libuv1,libwebsockets17
packages+=,libwebsockets-evlib-uv,libyaml-0-2,libzstd1,libcap2
debian_tree "$(dpkg --print-architecture)" "$packages"
cp -a "$tree" "$root"

DESTDIR=$root cmake --install "$build" --prefix /usr >"$place/installed"
install -m 0755 "$build/tests/sim/lumbar-sim" "$root/usr/local/bin/"
install -m 0755 "$here/booted.sh" "$root/usr/local/bin/"
install -m 0644 "$here/../../../config/mosquitto.conf" "$root/etc/mosquitto/conf.d/lumbar.conf"
ln -s /lib/systemd/system/lumbard.service \
    "$root/etc/systemd/system/multi-user.target.wants/lumbard.service"
cat >"$root/etc/systemd/system/booted.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/usr/local/bin/booted.sh
StandardOutput=file:/said
StandardError=inherit
ExecStopPost=/bin/systemctl --no-block poweroff
TimeoutStartSec=300
[Install]
WantedBy=default.target
UNIT
mkdir -p "$root/etc/systemd/system/default.target.wants"
ln -s ../booted.service "$root/etc/systemd/system/default.target.wants/booted.service"
# A watchdog of 30 s would be waited for; the rest of the unit is as it is shipped.
mkdir -p "$root/etc/systemd/system/lumbard.service.d"
printf '[Service]\nWatchdogSec=4s\n' >"$root/etc/systemd/system/lumbard.service.d/quick.conf"

code=0
timeout 400 systemd-nspawn --quiet --boot --private-network --register=no --keep-unit \
    --directory="$root" </dev/null >"$place/console" 2>&1 || code=$?
cat "$root/said" 2>/dev/null || true
if ! grep -qx 'all passed' "$root/said" 2>/dev/null; then
    tail -n 60 "$place/console"
    journalctl --directory="$root/var/log/journal" -n 60 --no-pager 2>/dev/null || true
    echo "FAILED: the booted machine did not pass (systemd-nspawn ended with $code)"
    exit 1
fi
