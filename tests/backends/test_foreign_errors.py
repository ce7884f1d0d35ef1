"""Whatever stands in a URL or beside it, no error of a driver leaves the library."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import threadkeep
from tests.servers import mongodb, mysql, redis
from threadkeep.errors import BackendError, ConfigError, InputError

pytestmark = [
    pytest.mark.slow,
    # pymongo tells of what it does not know, and goes on without it
    pytest.mark.filterwarnings(
        "ignore:Unknown option", "ignore:Invalid option", "ignore::UserWarning"
    ),
]
SECRET = "hunter2"
SERVERS = {"mysql": mysql.url, "redis": redis.url, "mongodb": mongodb.url}
PARAMETERS = {
    "mysql": [
        *("charset", "unix_socket", "max_allowed_packet", "sql_mode"),
        *("sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout", "table_name"),
    ],
    "redis": [
        *("db", "username", "password", "tls", "cluster", "prefix", "connect_timeout"),
        *("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname"),
    ],
    "mongodb": [
        *("tls", "tlsCAFile", "tlsCertificateKeyFile", "tlsInsecure", "authMechanism"),
        *("authSource", "readConcernLevel", "w", "wTimeoutMS", "replicaSet", "compressors"),
        *("directConnection", "loadBalanced", "retryWrites", "uuidRepresentation", "appName"),
        *("readPreference", "readPreferenceTags", "maxPoolSize", "minPoolSize", "srvMaxHosts"),
        *("authMechanismProperties", "unicode_decode_error_handler", "collection", "timeoutMS"),
        *("serverSelectionTimeoutMS", "heartbeatFrequencyMS", "zlibCompressionLevel", "proxyHost"),
    ],
}
EVERYWHERE = ["namespace", "ttl", "pool_size", "timeout", "nonsense"]
FILE, FOLDER = __file__, "/"
VALUES = st.sampled_from([
    *("", "0", "1", "-1", "true", "false", "x", "1.5", "nan", "inf", "9" * 30, "²", "é" * 40),
    *("utf8", "latin1", "dec8", "utf8mb4", "verify-ca", "verify-full", "require", "disable"),
    *("required", "none", "optional", "majority", "snappy", "zlib", "SCRAM-SHA-256", "MONGODB-AWS"),
    *("MONGODB-X509", "GSSAPI", "PLAIN", "primary", "nearest", "a:b", "a:b,c", "a..b", "/none"),
    *("standard", "strict", "\x00", "a\x00b", "\ud7ff", "%", "%zz", FILE, FOLDER, "a" * 300),
])  # fmt: skip
HOSTS = [
    "a..b",
    "x" * 70,
    "é..",
    "\x7f",
    "*",
    "[::1",
    "::1",
    "127.0.0.1:1",
    "127.0.0.1:99999",
    "%00",
]


def named(name, url, parameters, encode):
    place, _, query = url.partition("?")
    if name == "mongodb" and "/" not in place.partition("://")[2]:
        place += "/"
    more = "&".join(
        f"{key}={quote(value, safe='') if encode else value}" for key, value in parameters
    )
    return f"{place}?{'&'.join(filter(None, (query, more)))}"


def outcome(store, **options):
    """A working store, or an error of ours."""
    try:
        with threadkeep.connect(store, **options) as memory:
            memory.session("s").add("hi")
    except (ConfigError, InputError, BackendError) as error:
        return f"{error!r} {error}"
    return ""


@pytest.mark.parametrize("name", SERVERS)
def test_no_parameter_ends_in_an_error_of_the_driver(name):
    url = SERVERS[name]()
    pairs = st.tuples(st.sampled_from([*PARAMETERS[name], *EVERYWHERE]), VALUES)

    @settings(max_examples=80)
    @given(st.lists(pairs, min_size=1, max_size=3), st.booleans())
    def check(parameters, encode):
        limits = {} if {"timeout", "pool_size"} & dict(parameters).keys() else {"timeout": 1}
        outcome(named(name, url, parameters, encode), **limits)

    check()


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize("host", HOSTS)
def test_no_host_ends_in_an_error_of_the_driver(name, host):
    scheme = SERVERS[name]().partition(":")[0]
    for place in (host, quote(host, safe="")):
        text = outcome(f"{scheme}://ada:{SECRET}@{place}/chat", timeout=0.5)
        assert SECRET not in text
    options = {"type": name, "host": host, "password": SECRET, "timeout": 0.5}
    if name != "mongodb":
        assert SECRET not in outcome(options)


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize("password", ["", "é", "\ud800", "a\0b", "p" * 5000, b"bytes", 7, None])
def test_no_login_ends_in_an_error_of_the_driver(name, password):
    url = urlsplit(SERVERS[name]())
    place = f"{url.scheme}://{url.hostname}:{url.port}/{'0' if name == 'redis' else 'chat'}"
    user = "user" if name == "mysql" else "username"
    for secret in (password, lambda: password):
        text = outcome({"url": place, user: "ada", "password": secret, "timeout": 2})
        assert "p" * 5000 not in text
