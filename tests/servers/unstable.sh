#!/bin/sh
# Unpacks servers that no stable Debian has, with the libraries they need, from Debian's unstable packages
# into folders of their own: nothing is installed. apt works on lists and sources of its own, by the mirror
# that the machine's sources name. What is there already is left; remove its folder for a newer one. What
# cannot be had is said, and its tests are skipped.
set -eu

servers=$1
# name, package, program, the oldest version that is worth a folder
wanted="mysql9 mysql-server-core usr/sbin/mysqld 9.6
redis8 redis-server usr/bin/redis-server 5:8.0
valkey9 valkey-server usr/bin/valkey-server 9.0"
keys=/usr/share/keyrings/debian-archive-keyring.gpg

missing=$(echo "$wanted" | while read -r name package program oldest; do
    [ -e "$servers/$name/$program" ] || echo "$name $package $program $oldest"
done)
[ -n "$missing" ] || exit 0

give_up() {
    echo "servers: without $(echo "$missing" | cut -d ' ' -f 1 | tr '\n' ' '): $1" >&2
    exit 1
}

command -v apt-get >/dev/null 2>&1 || give_up "there is no apt-get"
[ -e "$keys" ] || give_up "Debian's keys are missing ($keys)"
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/*$') ||
    give_up "no mirror of Debian is among apt's sources"

mkdir -p "$servers"
work=$(mktemp -d "$(cd "$servers" && pwd)/unstable.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial"
: >"$work/state/status" # as if nothing were installed: every library comes along
echo "deb [signed-by=$keys] $mirror sid main" >"$work/sources.list"
cat >"$work/apt.conf" <<CONF
Dir::State "$work/state";
Dir::State::status "$work/state/status";
Dir::Cache "$work/cache";
Dir::Etc::SourceList "$work/sources.list";
Dir::Etc::SourceParts "/dev/null";
APT::Sandbox::User "root";
Acquire::Retries "2";
CONF
export APT_CONFIG="$work/apt.conf"
apt-get update -q=2 || give_up "the lists of packages cannot be had"

# A server's packages into a folder; fails, having said why.
unpack() {
    name=$1 package=$2 program=$3 oldest=$4
    version=$(apt-cache show --no-all-versions "$package" 2>/dev/null | sed -n 's/^Version: //p')
    if ! dpkg --compare-versions "${version:-0}" ge "$oldest"; then
        echo "servers: no $name: $package is ${version:-not there}" >&2
        return 1
    fi
    rm -rf "$work/unpacked" "$work/cache/archives"
    mkdir -p "$work/unpacked" "$work/cache/archives/partial"
    if ! apt-get install -q=2 -y --no-install-recommends --download-only "$package" >/dev/null; then
        echo "servers: no $name: the packages of $package cannot be had" >&2
        return 1
    fi
    for archive in "$work"/cache/archives/*.deb; do
        dpkg -x "$archive" "$work/unpacked"
    done
    if [ ! -e "$work/unpacked/$program" ]; then
        echo "servers: no $name: $package holds no $program" >&2
        return 1
    fi
    chmod 755 "$work/unpacked"
    mv -T "$work/unpacked" "$servers/$name" || return 1 # somebody else made it meanwhile
    echo "servers: unpacked $package $version"
}

echo "$missing" | while read -r name package program oldest; do
    unpack "$name" "$package" "$program" "$oldest" || true
done
