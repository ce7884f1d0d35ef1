#!/bin/sh
# Unpacks MySQL 9.6 or newer, with the libraries it needs, from Debian's unstable packages into a folder:
# no stable Debian has it, and nothing is installed here. apt works on lists and sources of its own, by the
# mirror that the machine's sources name. Does nothing if it is there; remove the folder for a newer one.
set -eu

folder=$1
least=9.6
keys=/usr/share/keyrings/debian-archive-keyring.gpg

give_up() {
    echo "servers: no MySQL 9, whose tests are skipped: $1" >&2
    exit 1
}

[ ! -e "$folder/usr/sbin/mysqld" ] || exit 0
command -v apt-get >/dev/null 2>&1 || give_up "there is no apt-get"
[ -e "$keys" ] || give_up "Debian's keys are missing ($keys)"
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/*$') ||
    give_up "no mirror of Debian is among apt's sources"

mkdir -p "$(dirname "$folder")"
work=$(mktemp -d "$(cd "$(dirname "$folder")" && pwd)/mysql9.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/root"
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

echo "servers: unpacking MySQL 9"
apt-get update -q=2 || give_up "the lists of packages cannot be had"
version=$(apt-cache show --no-all-versions mysql-server-core 2>/dev/null | sed -n 's/^Version: //p')
dpkg --compare-versions "${version:-0}" ge "$least" || give_up "there is only ${version:-none}"
apt-get install -q=2 -y --no-install-recommends --download-only mysql-server-core >/dev/null ||
    give_up "the packages cannot be had"
for package in "$work"/cache/archives/*.deb; do
    dpkg -x "$package" "$work/root" || give_up "$(basename "$package") cannot be unpacked"
done
chmod 755 "$work/root"
mv -T "$work/root" "$folder" || give_up "somebody else made $folder meanwhile"
echo "servers: unpacked MySQL $version"
