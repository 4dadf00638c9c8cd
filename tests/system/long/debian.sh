# Debian 12 trees for tests, sourced by them: made once by debootstrap, and kept in $build/trees.
#
#   debian_tree ARCHITECTURE PACKAGES    names the tree in $tree; another architecture's is unpacked only

skip()
{
    echo "skipped: $*"
    exit 77
}

debian_tree()
{
    local arch=$1 packages=$2 foreign=()
    [[ $arch == "$(dpkg --print-architecture)" ]] || foreign=(--foreign)
    tree=$build/trees/$arch-$(printf %s "$packages" | cksum | cut -d' ' -f1)
    [[ ! -e $tree.made ]] || return 0
    rm -rf "$tree"
    mkdir -p "$tree"
    debootstrap "${foreign[@]}" --arch="$arch" --variant=minbase --include="$packages" bookworm \
        "$tree" >"$tree.log" 2>&1 || {
        tail -n 20 "$tree.log"
        skip "no Debian tree could be made (see above)"
    }
    if [[ ${#foreign[@]} != 0 ]]; then
        for package in "$tree"/var/cache/apt/archives/*.deb; do
            dpkg-deb -x "$package" "$tree"
        done
    fi
    touch "$tree.made"
}
