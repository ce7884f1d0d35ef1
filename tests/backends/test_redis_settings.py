"""How a Redis is named: URLs, dicts, the history service's keys, a client; no I/O yet."""

import pytest
import redis as driver

import threadkeep
from tests.servers import redis
from tests.servers.instances import fresh_table
from threadkeep import HistoryService
from threadkeep.backends.redis import RedisBackend
from threadkeep.backends.redis.url import from_url, parse_target
from threadkeep.errors import BackendError, ConfigError

SECRET = "hunter2 is secret"
DAY = 86_400


def remembers(memory):
    """It stores, and gives back."""
    with memory:
        chat = memory.session("s", user="ada")
        chat.add("hi")
        return [item.text for item in chat.items()] == ["hi"]


@pytest.fixture(scope="module")
def guarded():
    """A server with a password, and one user besides the default one."""
    server = redis.Redis("--requirepass", redis.SECRET)
    with driver.Redis(port=server.port, password=redis.SECRET) as shell:
        shell.acl_setuser("ada", enabled=True, passwords=["+pw"], keys=["*"], categories=["+@all"])
        shell.acl_setuser("bob", enabled=True, passwords=["+pw"], keys=["x:*"], commands=["+ping"])
    yield server
    server.remove()


@pytest.mark.proves("B47")
@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("redis://h", "Redis at h:6379/0"),
        ("redis://:pw@h:7000/3", "Redis at h:7000/3"),
        ("redis://ada:pw@h/3", "Redis at h:6379/3"),
        ("redis://[::1]:7000", "Redis at ::1:7000/0"),
        ("rediss://h", "Redis at h:6379/0"),
        ("valkey://h/1", "Redis at h:6379/1"),
        ("redis:///2", "Redis at localhost:6379/2"),
        ("redis+cluster://h:7000,i:7001", "Redis Cluster at h:7000,i:7001"),
        ("rediss+cluster://h", "Redis Cluster at h:6379"),
    ],
)
def test_a_url_may_leave_out_every_part(url, seen):
    assert repr(RedisBackend(url)) == f"RedisBackend({seen}, prefix='tk')"


def test_what_is_special_is_quoted_and_tls_follows_the_scheme():
    found = parse_target(from_url(f"rediss://a%40b:{redis.ESCAPED}@h?ssl_ca_certs=%2Fca.pem"))
    assert (found.username, found.password) == ("a@b", redis.SECRET)
    assert found.tls == {
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": True,
        "ssl_ca_certs": "/ca.pem",
    }
    assert parse_target(from_url("redis://h")).tls is None


@pytest.mark.parametrize(
    ("store", "says"),
    [
        ("redis://h:port", "cannot be read"),
        ("redis://h/0/1", "cannot be read"),
        ("redis://h:70000", "cannot be read"),
        ("redis://h,i", "several hosts"),
        ("redis+cluster://h/1", "only database 0"),
        ("redis://h?passwort=x", "'passwort'"),
        ("redis://h?db=x", "db must be"),
        ("redis://h/1?db=2", "db is given twice"),
        ("redis://h?ssl_ca_certs=x", "needs TLS"),
        ("rediss://h?ssl_cert_reqs=maybe", "ssl_cert_reqs"),
        ({"type": "redis", "port": 0}, "port must be"),
        ({"type": "redis", "port": "x"}, "port must be"),
        ({"type": "redis", "host": ""}, "host must be"),
        ({"type": "redis", "db": -1}, "db must be"),
        ({"type": "redis", "tls": "maybe"}, "tls must be"),
        ({"type": "redis", "password": 7}, "password must be"),
        ({"type": "redis", "url": "redis://h", "host": "i"}, "given twice"),
        ({"type": "redis", "host": "h", "redis_host": "i"}, "host is given twice"),
        ({"type": "redis", "hosts": "h"}, "no option 'hosts'"),
        ({"type": "redis", "client": "h"}, "client must be"),
        ({"type": "redis", "client": driver.Redis(), "host": "h"}, "contradicts client"),
        ({"type": "redis", "connect_timeout": 0}, "connect_timeout"),
        ({"type": "redis", "pool_size": 0}, "pool_size"),
        ({"type": "redis", "timeout": -1}, "timeout"),
    ],
)
def test_contradictions_and_what_is_unknown_are_named(store, says):
    with pytest.raises(ConfigError, match=says):
        threadkeep.connect(store)


def test_an_async_client_is_refused():
    with pytest.raises(ConfigError, match="async"):
        threadkeep.connect(driver.asyncio.Redis())


@pytest.mark.proves("A19", "B47")
def test_a_url_a_dict_a_client_and_the_keys_of_the_history_service_name_the_same(guarded):
    password, prefix = redis.SECRET, fresh_table()
    place = {"host": "127.0.0.1", "port": guarded.port, "db": 2}
    url = f"redis://:{redis.ESCAPED}@127.0.0.1:{guarded.port}/2"
    assert remembers(threadkeep.connect(f"{url}?prefix={prefix}"))
    assert remembers(threadkeep.connect({"type": "redis", "password": lambda: password, **place}))
    assert remembers(threadkeep.connect({"url": f"redis://ada:pw@127.0.0.1:{guarded.port}/3"}))
    with driver.Redis(**place, password=password, decode_responses=True) as client:
        with threadkeep.connect(client) as memory:
            assert [item.text for item in memory.session("s").items()] == ["hi"]
        begins = {key.partition(":")[0] for key in client.scan_iter()}
        assert begins == {"tk", prefix}
    config = {"type": "redis", **{f"redis_{name}": value for name, value in place.items()}}
    with HistoryService(config | {"redis_password": password}, identifier="redis") as history:
        history.store_history("s", "user", "hi")
        assert history.get_history("s") == [{"role": "user", "content": "hi"}]
    with HistoryService({"type": "redis", "redis_url": url}, identifier="redis") as history:
        assert history.get_history("s") == [{"role": "user", "content": "hi"}]


@pytest.mark.proves("A19")
@pytest.mark.parametrize("missing", ["redis_host", "redis_port", "redis_db"])
def test_the_history_service_wants_its_keys(missing):
    config = {"type": "redis", "redis_host": "h", "redis_port": 6379, "redis_db": 0}
    del config[missing]
    with pytest.raises(ConfigError, match=f"{missing} is missing"):
        HistoryService(config, identifier="missing")


@pytest.mark.proves("B48")
def test_sixteen_connections_unless_said_otherwise():
    for store, size in (("redis://h", 16), ("redis://h?pool_size=3", 3)):
        with threadkeep.connect(store) as memory:
            assert memory._engine.settings.pool_size == size
            assert vars(memory._engine.backend)["_pool"]._size == size


@pytest.mark.proves("B49")
@pytest.mark.parametrize(
    ("options", "ttl"),
    [
        ({}, 30 * DAY),
        ({"retention_days": 7}, 7 * DAY),
        ({"retention_days": 0.5}, DAY / 2),
        ({"retention_days": -1}, None),
        ({"ttl": 60}, 60),
        ({"ttl": None}, None),
        ({"ttl": 60, "retention_days": 60 / DAY}, 60),
    ],
)
def test_thirty_days_unless_said_otherwise(options, ttl):
    days = {k: v for k, v in options.items() if k == "retention_days"}
    life = {k: v for k, v in options.items() if k == "ttl"}
    query = "".join(f"?{name}={value}" for name, value in days.items())
    for store in ({"type": "redis", **days}, f"redis://h{query}"):
        with threadkeep.connect(store, **life) as memory:
            assert memory._engine.settings.ttl == ttl


@pytest.mark.proves("B49")
@pytest.mark.parametrize("days", [0, -2, "x", True, float("nan"), float("inf")])
def test_no_retention_at_all_is_an_error(days):
    with pytest.raises(ConfigError, match="retention_days"):
        threadkeep.connect({"type": "redis", "retention_days": days})
    with pytest.raises(ConfigError, match="ttl is given twice"):
        threadkeep.connect("redis://h?retention_days=1", ttl=7)


@pytest.mark.proves("B49")
def test_retention_restarts_with_activity():
    prefix, now = fresh_table(), [1_700_000_000.0]
    store = f"{redis.url()}?retention_days=1&prefix={prefix}"
    with threadkeep.connect(store, clock=lambda: now[0]) as memory:
        chat, idle = memory.session("busy", user="ada"), memory.session("idle", user="ada")
        chat.add("one")
        idle.add("one")
        for _ in range(3):
            now[0] += DAY * 0.9
            chat.add("more")
        assert len(chat.items()) == 4
        assert idle.items() == []
        assert [info.id for info in memory.sessions(user="ada")] == ["busy"]


def test_a_password_is_in_no_repr_and_no_error():
    quoted = SECRET.replace(" ", "%20")
    memory = threadkeep.connect(f"redis://ada:{quoted}@127.0.0.1:1", timeout=1)
    with memory, pytest.raises(BackendError) as caught:
        memory.session("s").add("hi")
    assert "127.0.0.1:1" in str(caught.value)
    shown = [repr(memory), repr(memory._engine.backend), str(caught.value)]
    shown += [str(caught.value.__cause__), repr(parse_target(from_url(f"redis://:{quoted}@h")))]
    assert not any(SECRET in text or quoted in text for text in shown)


def test_a_wrong_password_fails_at_once_and_is_not_shown(guarded):
    for user in ("", "ada", "nobody"):
        url = f"redis://{user}:{SECRET.replace(' ', '%20')}@127.0.0.1:{guarded.port}"
        with threadkeep.connect(url) as memory, pytest.raises(BackendError) as caught:
            memory.session("s").add("hi")
        assert "password" in str(caught.value)
        assert SECRET not in str(caught.value)
    with threadkeep.connect(guarded.url()) as memory, pytest.raises(BackendError, match="NOAUTH"):
        memory.session("s").add("hi")


def test_a_user_who_may_not_is_told_what_to_allow(guarded):
    memory = threadkeep.connect(f"redis://bob:pw@127.0.0.1:{guarded.port}")
    with memory, pytest.raises(BackendError, match="NOPERM"):
        memory.session("s").add("hi")


def test_a_rotating_password_is_asked_at_each_new_connection(guarded):
    asked = []

    def password():
        asked.append(1)
        return redis.SECRET

    place = {"host": "127.0.0.1", "port": guarded.port}
    with threadkeep.connect({"type": "redis", "password": password, **place}) as memory:
        memory.session("s").add("hi")
        memory.session("s").add("hi")
        assert len(asked) == 1
        with driver.Redis(**place, password=redis.SECRET) as shell:
            shell.client_kill_filter(_type="normal", skipme=True)
        memory.session("s").add("hi")
        assert len(asked) == 2


def test_opening_does_no_io_and_a_closed_one_can_be_named():
    backend = RedisBackend("redis://unknown.invalid:1?connect_timeout=0.5&prefix=app")
    backend.close()
    assert repr(backend) == "RedisBackend(Redis at unknown.invalid:1/0, prefix='app')"
