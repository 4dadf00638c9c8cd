#!/bin/bash
# A third party builds a plugin: with the installed header, pkg-config and a compiler, nothing else
# of this tree; and the hub takes it beside the installed ones. The hub is asked by
#     lumbard --config FILE --plugins
#
# Usage: test_out_of_tree.sh BUILD_DIR
set -eu
build=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place" # not in the tree, so that nothing of it is found by chance

fail() {
    echo "FAILED: $1"
    [ -f listed ] && sed 's/^/  listed: /' listed
    exit 1
}

for component in hub dev; do
    cmake --install "$build" --prefix "$place/usr" --component "$component" > installed
done

export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$place/usr" -name lumbar-plugin.pc)")
plugins=$(pkg-config --variable=plugindir lumbar-plugin)
[ -e "$plugins/posture.so" ] || fail "no posture.so in what pkg-config calls plugindir ($plugins)"

# The flags are words to be split.
# shellcheck disable=SC2046
cc -std=c11 -Wall -Wextra -Wpedantic -Werror -O2 -fPIC -shared \
    $(pkg-config --cflags lumbar-plugin) -Wl,-z,defs -Wl,-z,now \
    -o "$plugins/scale.so" "$here/../../plugins/template/scale.c" || fail "the plugin does not compile"

cat > lumbard.yaml <<END
plugins:
  folder: $plugins
rules:
  folder: ""
END

list() {
    "$build/daemon/lumbard" --config "$place/lumbard.yaml" --plugins > listed 2>&1
}

# kind, version and topic; name, kind, unit and range
expect() {
    grep -Eq "$1" listed || fail "no line like: $1"
    echo "passed: $1"
}

list || fail "lumbard --plugins ended with $?"
expect '^scale 0\.3 \(Weighing scale\), topic acme/scales/\{device\}/reading$'
expect '^ +body_weight +gauge +kg +0 \.\. 250$'
expect '^ +scale_error +event +1 +overload$'
expect '^posture 1\.0\.0 '
expect '^ +trunk_inclination +gauge +deg +-30 \.\. 120$'
expect '^massage 1\.1\.0 '
expect '^ +skin_temperature +gauge +Cel +20 \.\. 50$'

# One that is broken beside them is refused in a sentence, and the others stay.
echo garbage > "$plugins/broken.so"
list && fail "a refused plugin and yet no error"
expect 'broken\.so: cannot be opened: '
expect '^scale 0\.3 '
