"""What only Redis does: its keys, their lives, its scripts, clients and processes."""

import json
import time

import pytest
import redis as driver

from tests.servers import redis
from tests.servers.instances import fresh_table
from threadkeep.backends.redis import RedisBackend
from threadkeep.backends.redis.scripts import COMMIT, READ, SWEEP
from threadkeep.errors import ConfigError, InputError
from threadkeep.testing.contract.common import NOW, ids, item, items, list_streams, read, sweep_all
from threadkeep.types import Drop, Query, Record

S = "test/session/redis"
HOUR = 3_600_000
"""Milliseconds for which the server keeps what has expired, since clocks may differ."""


@pytest.fixture
def prefix():
    return fresh_table()


@pytest.fixture
def backend(prefix):
    made = RedisBackend(redis.url(), prefix=prefix)
    yield made
    assert made.in_use == 0, "a connection was not given back"
    made.close()


@pytest.fixture
def shell():
    """Past our code."""
    with driver.Redis.from_url(redis.url(), decode_responses=True) as client:
        yield client


def keys(shell, prefix):
    return sorted(shell.scan_iter(f"{prefix}:*"))


def test_a_stream_is_two_keys_that_leave_nothing_behind(backend, shell, prefix):
    backend.commit(S, put=items("ab"), now=NOW)
    assert keys(shell, prefix) == [f"{prefix}:{{{S}}}:h", f"{prefix}:{{{S}}}:z"]
    index = f"{prefix}:{{{S}}}:z"
    for put, members in (
        ([item("c", expires=NOW + 9), item("d", expires=NOW + 9)], 6),
        ([item("c", expires=NOW + 12)], 6),
        (items("c"), 5),
        ([item("e", expires=NOW + 9, kind="file")], 7),
    ):
        backend.commit(S, put=put, now=NOW)
        assert shell.zcard(index) == members
    backend.commit(S, drop=[Drop("item", ["d"]), Drop("file")], now=NOW)
    assert shell.zcard(index) == 3
    backend.commit(S, drop=[Drop()], now=NOW)
    assert keys(shell, prefix) == []


def test_the_server_reclaims_every_key_of_a_stream_by_itself(backend, shell, prefix):
    backend.commit(S, put=[item("a"), item("b", expires=NOW + 5)], ttl=60, now=NOW)
    lives = [shell.pttl(key) for key in keys(shell, prefix)]
    assert len(lives) == 2
    assert all(59_000 < life - HOUR <= 61_000 for life in lives)
    backend.commit(S, put=items("c"), ttl=600, now=NOW)
    assert all(600_000 - 1_000 < shell.pttl(key) - HOUR <= 601_000 for key in keys(shell, prefix))
    backend.commit(S, put=items("d"), ttl=None, now=NOW)
    assert {shell.pttl(key) for key in keys(shell, prefix)} == {-1}


@pytest.mark.proves("B49", "B55")
def test_no_key_of_a_dead_session_survives_and_nobody_sweeps(backend, shell, prefix):
    backend.commit(S, put=[item("a"), item("b", expires=NOW + 5)], ttl=0.05, now=NOW)
    for key in keys(shell, prefix):
        shell.pexpire(key, shell.pttl(key) - HOUR)  # the hour goes by for which it is kept
    end = time.monotonic() + 20
    while keys(shell, prefix) and time.monotonic() < end:
        time.sleep(0.02)
    assert keys(shell, prefix) == []


def test_an_index_that_begins_anew_has_the_life_of_its_stream(backend, shell, prefix):
    """The last record goes, and the key with it; the next record makes another."""
    backend.commit(S, put=items("a"), ttl=60, now=NOW)
    backend.commit(S, drop=[Drop("item")], ttl=60, now=NOW)
    backend.commit(S, put=items("b"), ttl=60, now=NOW)
    assert all(shell.pttl(key) > 0 for key in keys(shell, prefix))


def test_an_evicted_index_is_made_again_and_nothing_is_lost(backend, shell, prefix):
    put = [*items(f"{n:04}" for n in range(900)), item("f", kind="file", expires=NOW + 60)]
    made = backend.commit(S, put=put, ttl=600, now=NOW)
    shell.delete(f"{prefix}:{{{S}}}:z")
    assert read(backend, S) == (made.version, [*map(_placed, put[:900], made.seqs[:900])])
    assert all(shell.pttl(key) > 0 for key in keys(shell, prefix))
    assert sweep_all(backend, NOW + 60) == 1
    shell.delete(f"{prefix}:{{{S}}}:z")
    backend.commit(S, drop=[Drop("item", upto=made.seqs[897])], put=items("x"), now=NOW)
    assert ids(backend, S) == ["0898", "0899", "x"]


def _placed(record, seq):
    return Record(record.kind, record.id, record.body, record.at, record.expires, seq)


def test_a_stream_whose_records_were_evicted_begins_anew(backend, shell, prefix):
    backend.commit(S, put=[*items("abc"), item("d", expires=NOW + 9)], now=NOW)
    shell.delete(f"{prefix}:{{{S}}}:h")
    assert read(backend, S) == (0, [])
    backend.commit(S, put=items("x"), now=NOW)
    assert ids(backend, S) == ["x"]
    assert len(keys(shell, prefix)) == 2


def test_scripts_are_sent_by_their_hash_and_whole_when_the_server_forgot_them(backend):
    server = redis.Redis()
    own = RedisBackend(server.url())
    try:
        for _ in range(2):
            put = [item("a", expires=NOW + 1), item("b")]
            own.commit(S, put=put, now=NOW)
            own.commit(f"{S}2", put=put, now=NOW)
            pages = own.read(Query(S, "item"), Query(f"{S}2", "item"), now=NOW)
            assert [len(page.records) for page in pages] == [2, 2]
            assert own.sweep(NOW + 1) == 2
            shas = [script.sha for script in (COMMIT, READ, SWEEP)]
            assert server.run("SCRIPT", "EXISTS", *shas) == [True] * 3
            server.run("SCRIPT", "FLUSH")
        server.run("CONFIG", "RESETSTAT")
        for _ in range(10):
            own.commit(S, put=items("ab"), now=NOW)
        stats = server.run("INFO", "commandstats")
        assert stats["cmdstat_eval"]["calls"] == 1
        assert stats["cmdstat_evalsha"]["calls"] == 10
    finally:
        own.close()
        server.remove()


def test_a_read_of_several_streams_is_one_round_trip(prefix):
    server = redis.Redis()
    own = RedisBackend(server.url())
    try:
        own.commit(S, put=items("ab"), now=NOW)
        queries = [Query(f"{S}{n}", "item") for n in range(5)]
        own.read(*queries, now=NOW)
        seen = [server.run("INFO", "stats")["total_reads_processed"] for _ in range(2)]
        own.read(*queries, now=NOW)
        seen.append(server.run("INFO", "stats")["total_reads_processed"])
        looking, reading = seen[1] - seen[0], seen[2] - seen[1]
        assert reading - looking == 1
    finally:
        own.close()
        server.remove()


def test_names_are_walked_without_keys_and_the_cursor_is_json(prefix):
    server = redis.Redis()
    server.run("CONFIG", "SET", "maxmemory", "0")
    own = RedisBackend(server.url(), prefix=prefix)
    try:
        names = {f"t/session/{n}" for n in range(300)}
        for name in names:
            own.commit(name, put=items("a"), now=NOW)
        found, cursor = own.streams("t/session/", limit=7)
        while cursor is not None:
            assert len(found) % 7 == 0
            page, cursor = own.streams("t/session/", cursor=json.loads(json.dumps(cursor)), limit=7)
            found += page
        assert set(found) == names
        own.sweep(NOW)
        assert "cmdstat_keys" not in server.run("INFO", "commandstats")
    finally:
        own.close()
        server.remove()


def test_stores_with_other_prefixes_and_other_databases_are_apart(prefix):
    places = [(redis.url(), prefix), (redis.url(), f"{prefix}2"), (redis.url()[:-1] + "1", prefix)]
    made = [RedisBackend(url, prefix=name) for url, name in places]
    try:
        for n, one in enumerate(made):
            one.commit(S, put=items([f"{n}"]), ttl=60, now=NOW)
        assert [ids(one, S) for one in made] == [["0"], ["1"], ["2"]]
        assert sweep_all(made[0], NOW + 60) == 1
        assert [list_streams(one, "test/") for one in made] == [[], [S], [S]]
        sweep_all(made[1], NOW + 60)
    finally:
        for one in made:
            one.commit(S, drop=[Drop()], now=NOW)
            one.close()


def test_a_name_that_would_split_its_keys_is_refused(backend):
    with pytest.raises(InputError, match="'}'"):
        backend.commit("}a", put=items("a"), now=NOW)


@pytest.mark.parametrize("prefix", ["", "a b", "{x}", "x*", "x" * 65, 7])
def test_a_prefix_is_checked(prefix):
    with pytest.raises(ConfigError, match="prefix"):
        RedisBackend("redis://h", prefix=prefix)


def test_a_commit_costs_the_same_at_any_length(backend, shell, prefix):
    """Counted in the server's own work, which no load disturbs."""
    server = redis.Redis()
    own = RedisBackend(server.url())
    try:
        work = []
        for size in (10, 10_000):
            for first in range(0, size, 500):
                own.commit(f"{S}{size}", put=items(f"{first + n}" for n in range(500)), now=NOW)
            own.read(Query(f"{S}{size}", "item", 20, newest=True), now=NOW)
            server.run("CONFIG", "RESETSTAT")
            own.commit(f"{S}{size}", put=items("xy"), now=NOW)
            own.read(Query(f"{S}{size}", "item", 20, newest=True), now=NOW)
            stats = server.run("INFO", "commandstats")
            work.append(sum(one["calls"] for one in stats.values()))
        assert work[1] <= work[0] + 2
    finally:
        own.close()
        server.remove()


@pytest.mark.proves("B57")
def test_it_says_what_it_is_and_whether_it_may_throw_sessions_away():
    server = redis.Redis("--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru")
    own = RedisBackend(server.url())
    try:
        said = own.describe()
        assert said["engine"].startswith(("Redis ", "Valkey "))
        assert said["exists"] == "yes"
        assert "may throw away whole sessions" in said["eviction"]
        server.run("CONFIG", "SET", "maxmemory-policy", "noeviction")
        assert own.describe()["eviction"] == "noeviction"
    finally:
        own.close()
        server.remove()
