#!/bin/bash
# What `cmake --install` leaves fits together, whatever the prefix: the unit names a program and a
# configuration that are there, and the configuration names plugins that load.
#
# Usage: test_install.sh BUILD_DIR
set -eu
build=$(realpath "$1")
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"

fail() {
    echo "FAILED: $1"
    exit 1
}

# Installs below a folder that stands for "/", so that a prefix like /usr can be tried.
# prefix, the configuration's folder
fits() {
    local prefix=$1 etc=$2 root=$place/root
    rm -rf "$root"
    DESTDIR=$root cmake --install "$build" --prefix "$prefix" > installed
    unit=$root$prefix/lib/systemd/system/lumbard.service
    read -r program option config <<< "$(sed -n 's/^ExecStart=//p' "$unit")"
    [ "$program $option $config" = "$prefix/sbin/lumbard --config $etc/lumbard.yaml" ] ||
        fail "$prefix: the unit starts $program $option $config"
    [ -x "$root$program" ] || fail "$prefix: there is no $program"
    [ -f "$root$config" ] || fail "$prefix: there is no $config"
    grep -qF "# $config:" "$root$config" || fail "$prefix: $config gives itself another name"
    plugins=$(sed -n 's/^  folder: \(.*plugins\)$/\1/p' "$root$config")
    [ -e "$root$plugins/posture.so" ] || fail "$prefix: no plugins in '$plugins'"
    [ -e "$root$etc/rules.d/posture.yaml" ] || fail "$prefix: no rules in $etc"
    [ -e "$root$etc/plans.d/lower-back.yaml" ] || fail "$prefix: no plans in $etc"
    echo "passed: $prefix, $etc"
}

fits /usr /etc/lumbar
fits /usr/local /usr/local/etc/lumbar
fits /opt/lumbar /etc/opt/lumbar/lumbar

# And one for real, where the program can be run as the unit would.
cmake --install "$build" --prefix "$place/usr" > installed
mkdir run lib
sed -i "s|/run/lumbard|$place/run|; s|/var/lib/lumbard|$place/lib|" "$place/usr/etc/lumbar/lumbard.yaml"
start=$(sed -n 's/^ExecStart=//p' "$place/usr/lib/systemd/system/lumbard.service")
$start --check > said 2>&1 || fail "$start --check: $(cat said)"
grep -q '3 plugins.* 2 plans: good' said || fail "the check said: $(cat said)"
echo "passed: $(cat said)"
