#!/bin/bash
# The Debian packages of this build: what is in them, what they ask for, what lintian says, and that
# a plugin builds with what lumbar-dev has. (Whether they install: long/boot.sh.)
#
# Usage: test_packages.sh BUILD_DIR
set -eu
build=$(realpath "$1")
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"

fail() {
    echo "FAILED: $1"
    exit 1
}

for program in cpack dpkg-shlibdeps; do
    command -v $program > /dev/null || { echo "skipped: there is no $program" && exit 77; }
done
cpack -G DEB --config "$build/CPackConfig.cmake" -B "$place" > said 2>&1 || fail "cpack: $(cat said)"
arch=$(sed -n 's/^set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE "\(.*\)")/\1/p' "$build/CPackConfig.cmake")
version=$(sed -n 's/^set(CPACK_PACKAGE_VERSION "\(.*\)")/\1/p' "$build/CPackConfig.cmake")

# PACKAGE < a line a file, a pattern each: it has these, and no other but folders
holds() {
    local package=$1 deb=${1}_${version}_$arch.deb
    [ -f "$deb" ] || fail "there is no $deb"
    dpkg-deb -x "$deb" root
    dpkg-deb -c "$deb" | sed 's|^[^ ]* *\([^ ]*\) .* \./|\1 /|; /\/$/d' > files
    grep -v '^root/root ' files && fail "$package: not root's (above)"
    sed 's|^root/root ||' files | sort > have
    while read -r pattern; do
        grep -Eqx "$pattern" have || fail "$package: no $pattern"
        grep -Evx "$pattern" have > rest || true
        mv rest have
    done
    [ ! -s have ] || fail "$package: more than it should have: $(cat have)"
    echo "passed: $package has what it should"
}

lib='/usr/lib/[a-z0-9_]+-linux-gnu'
holds lumbar << END
/usr/sbin/lumbard
/usr/bin/lumbarctl
/usr/share/bash-completion/completions/lumbarctl
$lib/lumbar/plugins/(posture|massage|hub)\\.so
/usr/share/man/man[158]/(lumbarctl\\.1|lumbard\\.yaml\\.5|lumbar-rules\\.5|lumbard\\.8)\\.gz
/usr/lib/systemd/system/lumbard\\.service
/usr/lib/systemd/system/mosquitto\\.service\\.d/lumbar\\.conf
/usr/lib/sysusers\\.d/lumbard\\.conf
/usr/lib/tmpfiles\\.d/lumbard\\.conf
/etc/lumbar/lumbard\\.yaml
/etc/lumbar/rules\\.d/[a-z]+\\.yaml
/etc/lumbar/rules\\.d/tests/[a-z]+\\.yaml
/etc/lumbar/plans\\.d/[a-z-]+\\.yaml
/etc/mosquitto/conf\\.d/lumbar\\.conf
/usr/share/doc/lumbar/(copyright|changelog\\.gz)
END
holds lumbar-dev << END
/usr/include/lumbar/plugin\\.h
$lib/pkgconfig/lumbar-plugin\\.pc
/usr/share/lumbar/proto/(posture|massage|hub|ack|identify|live)\\.proto
/usr/share/lumbar/proto/openapi\\.yaml
/usr/share/man/man7/lumbar-plugin\\.7\\.gz
/usr/share/doc/lumbar-dev/examples/template/(scale\\.c|Makefile)
/usr/share/doc/lumbar-dev/(copyright|changelog\\.gz)
END
holds lumbar-demo << END
/usr/bin/lumbar-sim
/usr/share/man/man1/lumbar-sim\\.1\\.gz
/usr/share/doc/lumbar-demo/(copyright|changelog\\.gz)
END

grep -qx 'allow_anonymous false' root/etc/mosquitto/conf.d/lumbar.conf || fail "it opens the broker"
grep -qx '  username: lumbard' root/etc/lumbar/lumbard.yaml || fail "the hub comes without a name"
grep -q '^max_queued_messages' root/etc/mosquitto/conf.d/lumbar.conf || fail "it limits nothing"

dpkg-deb -e "lumbar_${version}_$arch.deb" control
find root/etc -type f | sed 's|^root||' | sort > wanted
sort control/conffiles | diff - wanted || fail "conffiles are not what is in /etc (<: named, >: there)"
echo "passed: all of /etc is a conffile"

# What postinst does at a mosquitto, with this build's lumbarctl, in folders that stand for the
# machine's: accounts are made once, an administrator's are left alone, the hub has a password.
if [ "$arch" = "$(dpkg --print-architecture)" ] && [ -x /usr/sbin/mosquitto ]; then
    machine=$place/machine
    mkdir -p "$machine"/{conf.d,lib,etc}
    {
        sed -n '/^security=/,/^restart_broker/p' control/postinst | sed '$d' |
            sed -e "s|/var/lib/mosquitto|$machine/lib|g" -e "s|/etc/mosquitto|$machine|g" \
                -e "s|/etc/lumbar|$machine/etc|g" -e "s|chgrp lumbard|chgrp $(id -g)|" \
                -e "s|lumbarctl device init|& --security $machine/lib/dynamic-security.json \
--admin $machine/etc/broker-admin --hub $machine/etc/broker-password|"
        echo 'make_accounts'
    } > accounts.sh
    postinst() { PATH=$place/root/usr/bin:/usr/sbin:$PATH sh -eu accounts.sh 2> said; }
    printf 'password_file /nowhere\n' > "$machine/conf.d/own.conf"
    postinst && fail "accounts beside an administrator's own"
    grep -q 'has accounts already' said || fail "it says nothing of his: $(cat said)"
    [ ! -e "$machine/conf.d/lumbar-accounts.conf" ] || fail "it was made beside his own"
    word=$(cat "$machine/etc/broker-password")
    rm "$machine/conf.d/own.conf"
    postinst || fail "no accounts were made: $(cat said)"
    grep -qx 'allow_anonymous false' "$machine/conf.d/lumbar-accounts.conf" || fail "its lines"
    [ "$(cat "$machine/etc/broker-password")" = "$word" ] || fail "the hub's password changed"
    find "$machine" -type f -exec sha256sum {} + | sort > before
    postinst && fail "they were made twice"
    find "$machine" -type f -exec sha256sum {} + | sort | diff before - || fail "a second run changes it"
    [ -z "$(find "$machine"/etc "$machine"/lib -type f -perm /007)" ] || fail "all may read a secret"
    echo "passed: accounts at the broker are made once, and never beside an administrator's own"

    # A mosquitto that comes when the hub is there already: the trigger asks once more.
    rm -r "$machine"
    mkdir -p "$machine"/{conf.d,etc}
    PATH=$place/root/usr/bin:/usr/bin:/bin sh -eu accounts.sh 2> said && fail "accounts of no broker"
    word=$(cat "$machine/etc/broker-password")
    mkdir "$machine/lib"
    postinst || fail "a mosquitto that came later has no accounts: $(cat said)"
    [ -s "$machine/lib/dynamic-security.json" ] || fail "there are no accounts"
    [ "$(cat "$machine/etc/broker-password")" = "$word" ] || fail "the hub's password changed"
    grep -q '^interest.*/usr/sbin/mosquitto$' control/triggers || fail "nobody is told that one came"
    echo "passed: a mosquitto that is installed later has accounts, and the hub's password with them"
fi

# Debian's own tool names the libraries' packages; each is asked for.
mkdir debian
printf 'Source: lumbar\n\nPackage: lumbar\nArchitecture: any\n' > debian/control
if [ "$arch" = "$(dpkg --print-architecture)" ]; then
    for package in lumbar lumbar-demo; do
        dpkg-deb -x "${package}_${version}_$arch.deb" "only-$package"
        files=$(find "only-$package" -type f '(' -path '*bin/*' -o -name '*.so' ')')
        # shellcheck disable=SC2086
        dpkg-shlibdeps -O -xlumbar $files 2> said | sed 's/^shlibs:Depends=//; s/, /\n/g' > loaded
        [ -s loaded ] || fail "dpkg-shlibdeps: $(cat said)"
        dpkg-deb -f "${package}_${version}_$arch.deb" Depends | sed 's/, /\n/g' > asked
        while read -r name rest; do
            grep -q "^$name\\b" asked || fail "$package loads $name $rest and does not depend on it"
        done < loaded
    done
    echo "passed: they depend on what they load"
fi

# dpkg gives the version that was, and the one that comes.
control/preinst upgrade 9.0 "$version" 2> said && fail "a downgrade is let through"
grep -q "9.0 was installed" said || fail "a downgrade is refused without words: $(cat said)"
control/preinst install 9.0 "$version" 2> said && fail "a downgrade over left data is let through"
control/preinst upgrade 0.0.1 "$version" || fail "an upgrade is refused"
control/preinst install || fail "an install is refused"
echo "passed: a downgrade is refused, and says why"

export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$place/root" -name lumbar-plugin.pc)")
cp -r root/usr/share/doc/lumbar-dev/examples/template .
make -C template CFLAGS='-Wall -Wextra -Wpedantic -Werror' > said 2>&1 || fail "$(cat said)"
make -C template install > said 2>&1 || fail "the template does not install: $(cat said)"
[ -f "$(pkg-config --variable=plugindir lumbar-plugin)/scale.so" ] || fail "no scale.so"
if [ "$arch" = "$(dpkg --print-architecture)" ]; then
    plugins=$(realpath "$(pkg-config --variable=plugindir lumbar-plugin)")
    printf 'plugins:\n  folder: %s\nrules:\n  folder: ""\n' "$plugins" > lumbard.yaml
    root/usr/sbin/lumbard --config lumbard.yaml --plugins > said 2>&1 || fail "$(cat said)"
    grep -q '^scale .*Weighing scale' said || fail "the hub does not know the scale: $(cat said)"
fi
echo "passed: the template of lumbar-dev builds, and the hub takes it"

command -v lintian > /dev/null || { echo "skipped lintian: it is not installed" && exit 0; }
lintian --allow-root --fail-on error ./*.deb > said 2>&1 || fail "lintian: $(cat said)"
cat said
echo "passed: lintian finds no error"
